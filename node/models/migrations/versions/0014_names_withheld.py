"""signatures whose names stay within the network"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'


def upgrade() -> None:
    op.create_table('withheld',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('tag', sa.String(length=64), nullable=False),
    sa.Column('alert', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(length=80), nullable=False),
    sa.Column('said', sa.BigInteger(), nullable=False),
    sa.Column('gone', sa.Boolean(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('org', 'tag', name=op.f('pk_withheld'))
    )
    op.create_index('ix_withheld_alert', 'withheld', ['org', 'alert'])
    op.execute("DELETE FROM letters WHERE kind = 'endorsement'")
