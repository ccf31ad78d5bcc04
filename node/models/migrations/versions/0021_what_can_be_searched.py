"""what is public and can be searched; the node fills it when it starts"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'


def upgrade() -> None:
    op.create_table('search_texts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('published', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('signature', sa.LargeBinary(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', name=op.f('pk_search_texts'))
    )
    op.create_index('ix_search_texts_author', 'search_texts', ['org', 'author'])
    op.create_index('ix_search_texts_country', 'search_texts', ['org', 'country'])
    op.create_index('ix_search_texts_published', 'search_texts', ['org', 'published', 'object_id'])
    if op.get_bind().dialect.name == 'postgresql':
        # A search looks at every signature: none is to be compressed or laid elsewhere, as PostgreSQL does where a row
        # has more than 2 KB. The rest of a row is short enough to stay beside it; the text is laid elsewhere.
        op.execute('ALTER TABLE search_texts ALTER COLUMN signature SET STORAGE PLAIN')
