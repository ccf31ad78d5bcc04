"""each organisation says by itself how it is reached, at the desk"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'


def upgrade() -> None:
    op.add_column('organisations', sa.Column('requests', sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column('organisations', sa.Column('safe_channels', sa.Text(), nullable=False, server_default=''))
    op.add_column('organisations', sa.Column('moderators_contact', sa.Text(), nullable=False, server_default=''))
