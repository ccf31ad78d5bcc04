"""browsers that somebody signed in with, so that strangers' wrong tries do not hold them up"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'


def upgrade() -> None:
    op.create_table('known_browsers',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('who', sa.String(length=64), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'digest', name=op.f('pk_known_browsers'))
    )
