"""Runs migrations on the connection that `models/setup.py` hands over."""

from alembic import context

from node.models import (
    alerts,
    audit,
    base,
    boosts,
    contacts,
    declarations,
    deliveries,
    documents,
    letters,
    logs,
    organisations,
    people,
    queues,
    relays,
    rooms,
    sessions,
    withdrawals,
)

TABLES = (
    alerts, audit, boosts, contacts, declarations, deliveries, documents, letters, logs, organisations, people, queues,
    relays, rooms, sessions, withdrawals,
)  # fmt: skip

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
