"""by what stamp a network's acts are known to be those that were looked at before"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'


def upgrade() -> None:
    op.add_column('networks', sa.Column('stamp', sa.String(length=32), server_default='', nullable=False))
