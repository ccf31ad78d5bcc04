"""three switches for others' alerts"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table('policies',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('switch', sa.String(length=8), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('kind', sa.String(length=100), nullable=False),
    sa.Column('allow', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'switch', 'country', 'kind', name=op.f('pk_policies'))
    )
    op.add_column('alerts', sa.Column('shown', sa.Boolean(), server_default=sa.true(), nullable=False))
    hidden = sa.text('NOT shown')
    op.create_index('ix_alerts_hidden', 'alerts', ['org', 'did'], sqlite_where=hidden, postgresql_where=hidden)
    unheld = sa.text("state = 'unheld'")
    op.create_index('ix_entries_unheld', 'entries', ['org', 'did'], sqlite_where=unheld, postgresql_where=unheld)
