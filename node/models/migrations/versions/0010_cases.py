"""cases and confidential requests, sealed"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.create_table('cases',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('opened', sa.BigInteger(), nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=True),
    sa.Column('lapses', sa.BigInteger(), nullable=True),
    sa.Column('deletes', sa.BigInteger(), nullable=True),
    sa.Column('alert', sa.Text(), server_default='', nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'id', name=op.f('pk_cases'))
    )
    op.create_index('ix_cases_lapses', 'cases', ['lapses'])
    op.create_index('ix_cases_deletes', 'cases', ['deletes'])
    op.create_table('requests',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('tag', sa.LargeBinary(length=32), nullable=False),
    sa.Column('case_id', sa.String(length=32), nullable=False),
    sa.Column('public', sa.String(length=100), nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.Column('opened', sa.BigInteger(), nullable=False),
    sa.Column('deletes', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('org', 'tag', name=op.f('pk_requests'))
    )
    op.create_index('ix_requests_case', 'requests', ['org', 'case_id'])
    op.create_table('request_words',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('case_id', sa.String(length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('answer', sa.Integer(), nullable=False),
    sa.Column('hour', sa.BigInteger(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'case_id', 'number', name=op.f('pk_request_words'))
    )
    op.create_table('request_salts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('salt', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', name=op.f('pk_request_salts'))
    )
