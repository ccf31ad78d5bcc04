"""Runs migrations on the connection that `models/setup.py` hands over."""

from alembic import context

from node.models import alerts, base, contacts, deliveries, documents, logs, organisations, queues

TABLES = (alerts, contacts, deliveries, documents, logs, organisations, queues)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
