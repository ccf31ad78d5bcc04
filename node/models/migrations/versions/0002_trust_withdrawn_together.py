"""trust withdrawn together, evidence that is passed on"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('declarations',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('by', sa.String(length=80), nullable=False),
    sa.Column('about', sa.String(length=80), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=60), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'id', name=op.f('pk_declarations'))
    )
    op.create_index('ix_declarations_about', 'declarations', ['org', 'about'])
    op.create_table('claims',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=60), nullable=False),
    sa.Column('document', sa.LargeBinary(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'did', name=op.f('pk_claims'))
    )
    op.add_column('organisations', sa.Column('quorum', sa.Integer(), server_default='2', nullable=False))
    op.add_column('withdrawals', sa.Column('contested', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('evidence', sa.Column('by', sa.String(length=80), server_default='', nullable=False))
    op.add_column('evidence', sa.Column('proven', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('evidence', sa.Column('told', sa.Boolean(), server_default=sa.false(), nullable=False))
    # A freeze by hand is a declaration of our own: until now it stood with the member only.
    op.execute(
        "INSERT INTO declarations (org, id, \"by\", about, epoch, sequence, digest, made) "
        "SELECT org, 'local:' || did, org, did, frozen_epoch, frozen_sequence, '', pinned FROM members "
        "WHERE frozen_epoch IS NOT NULL AND state <> 'succeeded'"
    )
