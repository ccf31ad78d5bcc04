"""replies that are held for review, sealed"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'


def upgrade() -> None:
    op.create_table('replies',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('tag', sa.LargeBinary(length=32), nullable=False),
    sa.Column('author', sa.LargeBinary(length=32), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('hour', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=True),
    sa.Column('asked', sa.Boolean(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('review', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'name', name=op.f('pk_replies'))
    )
    op.create_index('ix_replies_tag', 'replies', ['org', 'tag'])
    op.create_index('ix_replies_due', 'replies', ['due'])
    op.create_table('reply_versions',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'name', 'number', name=op.f('pk_reply_versions'))
    )
    op.create_table('reply_blocks',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('tag', sa.LargeBinary(length=32), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'tag', name=op.f('pk_reply_blocks'))
    )
    op.create_table('reply_salts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('salt', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', name=op.f('pk_reply_salts'))
    )
    # Replies that came before waited in the clear, and no page showed them.
    op.execute("DELETE FROM objects WHERE state = 'review'")
