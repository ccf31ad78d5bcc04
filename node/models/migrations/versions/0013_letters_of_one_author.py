"""letters of one author are counted and listed apart"""

from alembic import op

revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    op.create_index('ix_letters_author', 'letters', ['org', 'author', 'kind', 'sent'])
