"""Runs migrations on the connection that `models/setup.py` hands over."""

from alembic import context

from node.models import (
    alerts,
    approvals,
    audit,
    base,
    boosts,
    cases,
    charters,
    contacts,
    coverages,
    declarations,
    deliveries,
    documents,
    drafts,
    fronts,
    groups,
    hostings,
    joinings,
    letters,
    logs,
    media,
    networks,
    notices,
    organisations,
    people,
    policies,
    queues,
    relays,
    replies,
    rooms,
    search,
    sessions,
    signatures,
    withdrawals,
    withheld,
)

TABLES = (
    alerts, approvals, audit, boosts, cases, charters, contacts, coverages, declarations, deliveries, documents, drafts,
    fronts, groups, hostings, joinings, letters, logs, media, networks, notices, organisations, people, policies,
    queues, relays, replies, rooms, search, sessions, signatures, withdrawals, withheld,
)  # fmt: skip

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
