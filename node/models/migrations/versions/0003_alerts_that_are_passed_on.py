"""alerts that are passed on: boosts, members' servers, notices, copies"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    op.create_table('boost_rules',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('kind', sa.String(length=100), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'country', 'kind', name=op.f('pk_boost_rules'))
    )
    op.create_table('boosts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('uri', sa.Text(), nullable=False),
    sa.Column('activity', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', 'number', name=op.f('pk_boosts'))
    )
    op.create_index('ix_boosts_state', 'boosts', ['org', 'state', 'due'])
    op.create_table('origins',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('checked', sa.BigInteger(), nullable=False),
    sa.Column('failing_since', sa.BigInteger(), nullable=True),
    sa.Column('enough_since', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('org', 'did', name=op.f('pk_origins'))
    )
    op.create_table('notices',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('published', sa.BigInteger(), nullable=False),
    sa.Column('unreachable', sa.Text(), nullable=False),
    sa.Column('carried', sa.Text(), nullable=False),
    sa.Column('willing', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'did', name=op.f('pk_notices'))
    )
    op.create_table('carried',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=True),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', name=op.f('pk_carried'))
    )
    of_alerts = sa.text("substr(org, 1, 7) = 'alerts:'")
    op.create_index('ix_incoming_alerts', 'incoming', ['org', 'state'], sqlite_where=of_alerts, postgresql_where=of_alerts)
