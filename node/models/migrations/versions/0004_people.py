"""people: who they are, their factors, rooms, sessions, and what they did"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('audit',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('hour', sa.BigInteger(), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('act', sa.String(length=32), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('person', sa.String(length=16), nullable=False),
    sa.Column('previous', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('org', 'number', name=op.f('pk_audit'))
    )
    op.create_table('audit_keys',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', name=op.f('pk_audit_keys'))
    )
    op.create_table('desk_sessions',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('person', sa.String(length=32), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('shared', sa.Boolean(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.Column('seen', sa.BigInteger(), nullable=False),
    sa.Column('expires', sa.BigInteger(), nullable=False),
    sa.Column('second_factor', sa.BigInteger(), nullable=True),
    sa.Column('challenge', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_desk_sessions'))
    )
    op.create_index('ix_desk_sessions_person', 'desk_sessions', ['org', 'person'])

    op.create_table('passkeys',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('person', sa.String(length=32), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('credential', sa.LargeBinary(), nullable=False),
    sa.Column('uses', sa.BigInteger(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('person', 'number', name=op.f('pk_passkeys'))
    )
    op.create_table('people',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.Column('roles', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=False),
    sa.Column('public', sa.String(length=100), nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=True),
    sa.Column('salt', sa.LargeBinary(), nullable=True),
    sa.Column('cost', sa.Text(), nullable=False),
    sa.Column('totp', sa.LargeBinary(), nullable=True),
    sa.Column('totp_step', sa.BigInteger(), nullable=False),
    sa.Column('invitation', sa.String(length=64), nullable=False),
    sa.Column('invited_until', sa.BigInteger(), nullable=True),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.Column('confirmed', sa.BigInteger(), nullable=True),
    sa.Column('confirmed_by', sa.String(length=32), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_people'))
    )
    op.create_index('ix_people_invitation', 'people', ['invitation'])
    op.create_index('ix_people_org', 'people', ['org', 'folded'])

    op.create_table('recovery_codes',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('person', sa.String(length=32), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('person', 'digest', name=op.f('pk_recovery_codes'))
    )
    op.create_table('room_keys',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('room', sa.String(length=16), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('person', sa.String(length=32), nullable=False),
    sa.Column('public', sa.String(length=100), nullable=False),
    sa.Column('wrapped', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'room', 'generation', 'person', name=op.f('pk_room_keys'))
    )
    op.create_table('rooms',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('room', sa.String(length=16), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('public', sa.String(length=100), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'room', 'generation', name=op.f('pk_rooms'))
    )
    op.create_table('sign_in_tries',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('who', sa.String(length=64), nullable=False),
    sa.Column('known', sa.Boolean(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('last', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'who', name=op.f('pk_sign_in_tries'))
    )
