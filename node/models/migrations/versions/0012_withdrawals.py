"""withdrawals: tried for thirty days, confirmed by members, released by custodians"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    op.create_table('releases',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('activity', sa.Text(), nullable=False),
    sa.Column('named', sa.Text(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', name=op.f('pk_releases'))
    )
    op.create_table('withdrawn',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('page', sa.String(length=40), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('said', sa.Text(), nullable=False),
    sa.Column('released', sa.Boolean(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'about', name=op.f('pk_withdrawn'))
    )
    op.create_table('custodies',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('threshold', sa.Integer(), nullable=False),
    sa.Column('custodians', sa.Text(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'about', name=op.f('pk_custodies'))
    )
    op.add_column('deliveries', sa.Column('patience', sa.Integer(), server_default='28', nullable=False))
    op.add_column('receipts', sa.Column('destroyed', sa.BigInteger(), nullable=True))
    op.add_column('organisations', sa.Column('veiled_until', sa.BigInteger(), nullable=True))
