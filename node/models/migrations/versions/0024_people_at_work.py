"""a lock on an organisation, drafts of people, places kept for others on this node"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'


def upgrade() -> None:
    op.add_column('organisations', sa.Column('locked', sa.BigInteger(), nullable=True))
    op.create_table('desk_drafts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('person', sa.String(length=32), nullable=False),
    sa.Column('form', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('touched', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'person', 'form', name=op.f('pk_desk_drafts'))
    )
    op.create_table('hostings',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('expires', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_hostings'))
    )
