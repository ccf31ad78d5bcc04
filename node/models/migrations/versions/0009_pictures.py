"""pictures: files by digest, and which object needs which"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table('media',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('media_type', sa.String(length=20), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=6), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'digest', name=op.f('pk_media'))
    )
    op.create_index('ix_media_state', 'media', ['org', 'state', 'due'])
    op.create_table('media_uses',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('left_out', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('org', 'object_id', 'digest', name=op.f('pk_media_uses'))
    )
    op.create_index('ix_media_uses_digest', 'media_uses', ['org', 'digest'])
