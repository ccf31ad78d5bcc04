"""networks, and the signed acts that say who belongs to them"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.create_table('networks',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('network', sa.String(length=80), nullable=False),
    sa.Column('names', sa.Text(), nullable=False),
    sa.Column('sheet', sa.Text(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('dirty', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'network', name=op.f('pk_networks'))
    )
    op.create_table('network_acts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=80), nullable=False),
    sa.Column('network', sa.String(length=80), nullable=False),
    sa.Column('author', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=12), nullable=False),
    sa.Column('about', sa.String(length=80), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('taken', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'digest', name=op.f('pk_network_acts'))
    )
    op.create_index('ix_network_acts_network', 'network_acts', ['org', 'network', 'author'])
    op.create_index('ix_network_acts_about', 'network_acts', ['org', 'about'])
    op.create_table('network_asks',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('network', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('heads', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'network', 'did', name=op.f('pk_network_asks'))
    )
    op.create_table('network_grounds',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=80), nullable=False),
    sa.Column('network', sa.String(length=80), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'digest', name=op.f('pk_network_grounds'))
    )
    op.create_table('network_pins',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.PrimaryKeyConstraint('org', 'did', name=op.f('pk_network_pins'))
    )
