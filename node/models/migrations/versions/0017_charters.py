"""charters, and who affirms them"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    op.create_table('charters',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=60), nullable=False),
    sa.Column('amends', sa.String(length=60), nullable=False),
    sa.Column('page', sa.String(length=16), nullable=False),
    sa.Column('published', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', name=op.f('pk_charters'))
    )
    op.create_index('ix_charters_digest', 'charters', ['org', 'digest'])
    op.create_index('ix_charters_amends', 'charters', ['org', 'amends'])
    op.create_index('ix_charters_page', 'charters', ['org', 'page'])
    op.create_index('ix_charters_author', 'charters', ['org', 'author'])
    op.create_table('affirmations',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('charter', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(length=60), nullable=False),
    sa.Column('articles', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=35), nullable=False),
    sa.Column('said', sa.BigInteger(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', name=op.f('pk_affirmations'))
    )
    op.create_index('ix_affirmations_digest', 'affirmations', ['org', 'digest'])
    op.create_index('ix_affirmations_author', 'affirmations', ['org', 'author'])
