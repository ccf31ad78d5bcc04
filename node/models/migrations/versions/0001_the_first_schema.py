"""the first schema"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None


def upgrade() -> None:
    op.create_table('actors',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('fetched', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'id', name=op.f('pk_actors'))
    )
    op.create_table('alerts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('uri', sa.Text(), nullable=False),
    sa.Column('page', sa.String(length=64), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('headline', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=20), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('severity', sa.String(length=20), nullable=False),
    sa.Column('urgency', sa.String(length=20), nullable=False),
    sa.Column('certainty', sa.String(length=20), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('status', sa.String(length=10), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('published', sa.BigInteger(), nullable=False),
    sa.Column('updated', sa.BigInteger(), nullable=True),
    sa.Column('expires', sa.BigInteger(), nullable=True),
    sa.Column('translation_of', sa.Text(), nullable=True),
    sa.Column('via', sa.Text(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'object_id', name=op.f('pk_alerts'))
    )
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.create_index('ix_alerts_page', ['org', 'page'], unique=False)
        batch_op.create_index('ix_alerts_published', ['org', 'published'], unique=False)

    op.create_table('counters',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('value', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'name', name=op.f('pk_counters'))
    )
    op.create_table('dead_keys',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('key_id', sa.Text(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'key_id', name=op.f('pk_dead_keys'))
    )
    op.create_table('deliveries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('payload', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('inbox', sa.Text(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('form', sa.String(length=8), nullable=False),
    sa.Column('lane', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=False),
    sa.Column('lease', sa.BigInteger(), nullable=True),
    sa.Column('status', sa.Integer(), server_default='0', nullable=False),
    sa.Column('settled', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deliveries')),
    sa.UniqueConstraint('payload', 'inbox', name=op.f('uq_deliveries_payload'))
    )
    with op.batch_alter_table('deliveries', schema=None) as batch_op:
        batch_op.create_index('ix_deliveries_due', ['state', 'lane', 'due'], unique=False)
        batch_op.create_index('ix_deliveries_host', ['host', 'state'], unique=False)

    op.create_table('drafts',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', 'org', name=op.f('pk_drafts'))
    )
    op.create_table('entries',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=60), nullable=False),
    sa.Column('previous', sa.String(length=60), nullable=True),
    sa.Column('content', sa.String(length=60), nullable=False),
    sa.Column('activity_id', sa.Text(), nullable=True),
    sa.Column('object_id', sa.Text(), nullable=True),
    sa.Column('type', sa.String(length=100), server_default='', nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('via', sa.Text(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('destroy_after', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('org', 'did', 'epoch', 'sequence', 'digest', name=op.f('pk_entries'))
    )
    with op.batch_alter_table('entries', schema=None) as batch_op:
        batch_op.create_index('ix_entries_activity', ['org', 'activity_id'], unique=False)
        batch_op.create_index('ix_entries_object', ['org', 'object_id'], unique=False)

    op.create_table('evidence',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('via', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('document', sa.LargeBinary(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evidence'))
    )
    op.create_table('followers',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('inbox', sa.Text(), nullable=False),
    sa.Column('shared_inbox', sa.Text(), nullable=True),
    sa.Column('activity', sa.Text(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'actor', name=op.f('pk_followers'))
    )
    op.create_table('followings',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('uri', sa.Text(), nullable=False),
    sa.Column('inbox', sa.Text(), nullable=False),
    sa.Column('activity', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'actor', name=op.f('pk_followings'))
    )
    op.create_table('heads',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(length=60), nullable=False),
    sa.Column('forked', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('org', 'did', name=op.f('pk_heads'))
    )
    op.create_table('hosts',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('host', sa.String(length=300), nullable=False),
    sa.Column('failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('closed_until', sa.BigInteger(), nullable=True),
    sa.Column('scheme', sa.String(length=8), server_default='cavage', nullable=False),
    sa.Column('form', sa.String(length=8), server_default='', nullable=False),
    sa.Column('seen', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'host', name=op.f('pk_hosts'))
    )
    op.create_table('incoming',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('activity_id', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('key_id', sa.Text(), nullable=False),
    sa.Column('signer', sa.Text(), nullable=False),
    sa.Column('request', sa.LargeBinary(), nullable=True),
    sa.Column('via', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('rule', sa.Text(), server_default='', nullable=False),
    sa.Column('reason', sa.Text(), server_default='', nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=False),
    sa.Column('settled', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incoming')),
    sa.UniqueConstraint('activity_id', 'digest', 'org', name=op.f('uq_incoming_activity_id')),
    sqlite_autoincrement=False
    )
    with op.batch_alter_table('incoming', schema=None) as batch_op:
        batch_op.create_index('ix_incoming_state', ['state', 'due'], unique=False)

    op.create_table('key_ids',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'id', name=op.f('pk_key_ids'))
    )
    op.create_table('members',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('uri', sa.Text(), nullable=False),
    sa.Column('handle', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('inbox', sa.Text(), nullable=False),
    sa.Column('recovery', sa.String(length=80), nullable=False),
    sa.Column('listed', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('frozen_epoch', sa.Integer(), nullable=True),
    sa.Column('frozen_sequence', sa.BigInteger(), nullable=True),
    sa.Column('successor', sa.String(length=80), nullable=True),
    sa.Column('pinned', sa.BigInteger(), nullable=False),
    sa.Column('synced', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('org', 'did', name=op.f('pk_members'))
    )
    with op.batch_alter_table('members', schema=None) as batch_op:
        batch_op.create_index('ix_members_did', ['did'], unique=False)

    op.create_table('numbers',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('value', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('org', 'name', name=op.f('pk_numbers'))
    )
    op.create_table('objects',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('type', sa.String(length=100), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=True),
    sa.Column('published', sa.Text(), nullable=False),
    sa.Column('updated', sa.Text(), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=True),
    sa.Column('sequence', sa.BigInteger(), nullable=True),
    sa.Column('via', sa.Text(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('page', sa.String(length=16), server_default='', nullable=False),
    sa.PrimaryKeyConstraint('org', 'id', name=op.f('pk_objects'))
    )
    with op.batch_alter_table('objects', schema=None) as batch_op:
        batch_op.create_index('ix_objects_author', ['org', 'author'], unique=False)
        batch_op.create_index('ix_objects_page', ['org', 'page'], unique=False)

    op.create_table('organisations',
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('handle', sa.String(length=64), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=16), nullable=False),
    sa.Column('country', sa.String(length=2), nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('recovery', sa.String(length=80), nullable=False),
    sa.Column('hold', sa.Text(), server_default='', nullable=False),
    sa.Column('successor', sa.String(length=80), server_default='', nullable=False),
    sa.Column('listed', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('did', name=op.f('pk_organisations'))
    )
    op.create_table('payloads',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('activity_id', sa.Text(), nullable=False),
    sa.Column('log_form', sa.LargeBinary(), nullable=False),
    sa.Column('follower_form', sa.LargeBinary(), nullable=True),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payloads')),
    sa.UniqueConstraint('org', 'activity_id', name=op.f('uq_payloads_org'))
    )
    op.create_table('reports',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=100), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports'))
    )
    op.create_table('withdrawals',
    sa.Column('org', sa.String(length=80), nullable=False),
    sa.Column('did', sa.String(length=80), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.String(length=60), nullable=False),
    sa.Column('by_epoch', sa.Integer(), nullable=False),
    sa.Column('by_sequence', sa.BigInteger(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('org', 'did', 'epoch', 'sequence', name=op.f('pk_withdrawals'))
    )
