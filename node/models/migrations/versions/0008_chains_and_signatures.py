"""chains of alerts, and who signed them"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    with op.batch_alter_table('alerts') as batch:
        batch.add_column(sa.Column('news_of', sa.Text(), nullable=True))
        batch.add_column(sa.Column('latest', sa.BigInteger(), nullable=False, server_default='0'))
        batch.create_index('ix_alerts_latest', ['org', 'latest'])
        batch.create_index('ix_alerts_news', ['org', 'news_of'])
    op.execute('UPDATE alerts SET latest = published')
    op.create_table('signatures',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('alert', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', name=op.f('pk_signatures'))
    )
    op.create_index('ix_signatures_alert', 'signatures', ['org', 'alert'])
    op.create_index('ix_signatures_author', 'signatures', ['org', 'author'])
