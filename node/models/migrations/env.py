"""Runs migrations on the connection that `models/setup.py` hands over."""

from alembic import context

from node.models import (
    alerts,
    base,
    boosts,
    cases,
    contacts,
    deliveries,
    documents,
    logs,
    organisations,
    queues,
    relays,
)

TABLES = (alerts, boosts, cases, contacts, deliveries, documents, logs, organisations, queues, relays)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
