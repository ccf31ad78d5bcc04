"""a second word: requests, words, sisters who stand by; drafts that were not sealed are gone"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('approval_requests',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('author', sa.String(length=40), nullable=False),
    sa.Column('digest', sa.String(length=80), nullable=False),
    sa.Column('needed', sa.Integer(), nullable=False),
    sa.Column('sister', sa.Boolean(), nullable=False),
    sa.Column('subjects', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.Column('thread', sa.String(length=40), nullable=False),
    sa.Column('replaces', sa.Text(), nullable=False),
    sa.Column('package', sa.LargeBinary(), nullable=True),
    sa.Column('brief', sa.LargeBinary(), nullable=True),
    sa.Column('release', sa.Text(), nullable=True),
    sa.Column('due', sa.BigInteger(), nullable=True),
    sa.Column('spread', sa.Boolean(), nullable=False),
    sa.Column('review_by', sa.BigInteger(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'id', name=op.f('pk_approval_requests'))
    )
    op.create_index('ix_approval_requests_state', 'approval_requests', ['state', 'due'])
    op.create_table('approval_words',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('request', sa.String(length=40), nullable=False),
    sa.Column('by_org', sa.String(length=80), nullable=False),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('verdict', sa.String(length=3), nullable=False),
    sa.Column('digest', sa.String(length=80), nullable=False),
    sa.Column('ticks', sa.Text(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'request', 'by_org', 'by', name=op.f('pk_approval_words'))
    )
    op.create_table('standbys',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'did', name=op.f('pk_standbys'))
    )
    op.create_table('approval_looks',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('person', sa.String(length=40), nullable=False),
    sa.Column('thread', sa.String(length=40), nullable=False),
    sa.Column('request', sa.String(length=40), nullable=False),
    sa.PrimaryKeyConstraint('org', 'person', 'thread', name=op.f('pk_approval_looks'))
    )
    op.drop_table('drafts')
