"""which network is shown in public, and those who ask to join it"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'


def upgrade() -> None:
    op.create_table('network_fronts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('network', sa.String(length=80), nullable=False),
    sa.Column('form', sa.Boolean(), nullable=False),
    sa.Column('sponsors', sa.Text(), nullable=False),
    sa.Column('told', sa.Text(), nullable=False),
    sa.Column('hidden', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('org', name=op.f('pk_network_fronts'))
    )
    op.create_table('joinings',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('network', sa.String(length=80), nullable=False),
    sa.Column('host', sa.String(length=80), nullable=False),
    sa.Column('asked', sa.BigInteger(), nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=False),
    sa.Column('deletes', sa.BigInteger(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('sponsors', sa.Text(), nullable=False),
    sa.Column('answered', sa.BigInteger(), nullable=True),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('told', sa.Boolean(), nullable=False),
    sa.Column('tag', sa.LargeBinary(), nullable=True),
    sa.Column('public', sa.String(length=100), nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=True),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('org', 'id', name=op.f('pk_joinings'))
    )
    op.create_index('ix_joinings_tag', 'joinings', ['org', 'tag'])
    op.create_index('ix_joinings_deletes', 'joinings', ['deletes'])
