"""how far members hold our log, as they signed; when people looked at their notices, and their feeds"""

import sqlalchemy as sa
from alembic import op

from node.models.base import Instant

revision = '0022'
down_revision = '0021'


def upgrade() -> None:
    op.create_table(
        'reaches',
        sa.Column('org', sa.String(length=80), nullable=False),
        sa.Column('did', sa.String(length=80), nullable=False),
        sa.Column('epoch', sa.Integer(), nullable=False),
        sa.Column('sequence', sa.BigInteger(), nullable=False),
        sa.Column('digest', sa.String(length=60), nullable=False),
        sa.Column('seen', Instant(), nullable=False),
        sa.PrimaryKeyConstraint('org', 'did', name=op.f('pk_reaches')),
    )
    op.create_table(
        'notice_looks',
        sa.Column('org', sa.String(length=80), nullable=False),
        sa.Column('person', sa.String(length=40), nullable=False),
        sa.Column('seen', Instant(), nullable=False),
        sa.PrimaryKeyConstraint('org', 'person', name=op.f('pk_notice_looks')),
    )
    op.create_table(
        'notice_feeds',
        sa.Column('org', sa.String(length=80), nullable=False),
        sa.Column('person', sa.String(length=40), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('made', Instant(), nullable=False),
        sa.PrimaryKeyConstraint('org', 'person', name=op.f('pk_notice_feeds')),
    )
    op.create_index('ix_notice_feeds_digest', 'notice_feeds', ['digest'], unique=False)
