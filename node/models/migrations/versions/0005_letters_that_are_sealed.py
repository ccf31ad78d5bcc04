"""letters that are sealed, the keys they are sealed to, and receipts"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('seal_keys',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('public', sa.String(length=80), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.Column('replaced', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('org', 'public', name=op.f('pk_seal_keys'))
    )
    op.create_table('letters',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('id', sa.String(length=500), nullable=False),
    sa.Column('author', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('addressed', sa.Text(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=True),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('room', sa.String(length=20), nullable=False),
    sa.Column('sent', sa.BigInteger(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('gone', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'id', name=op.f('pk_letters'))
    )
    op.create_index('ix_letters_about', 'letters', ['org', 'about'])
    op.create_index('ix_letters_until', 'letters', ['until'])
    op.create_table('receipts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('letter', sa.String(length=500), nullable=False),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('about', sa.Text(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'letter', 'by', name=op.f('pk_receipts'))
    )
    op.create_index('ix_receipts_about', 'receipts', ['org', 'about'])
