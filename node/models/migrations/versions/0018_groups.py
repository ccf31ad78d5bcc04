"""the actors of working groups, and what they announce"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'


def upgrade() -> None:
    for name, length, default in (('kind', 12, 'organisation'), ('parent', 80, ''), ('working_group', 80, '')):
        op.add_column(
            'organisations', sa.Column(name, sa.String(length=length), nullable=False, server_default=default)
        )
    op.add_column(
        'members', sa.Column('kind', sa.String(length=12), nullable=False, server_default='organisation')
    )
    op.create_table('group_updates',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('actor', sa.String(length=80), nullable=False),
    sa.Column('author', sa.String(length=80), nullable=False),
    sa.Column('activity', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', 'actor', name=op.f('pk_group_updates'))
    )
    op.create_index('ix_group_updates_actor', 'group_updates', ['org', 'actor', 'received'])
