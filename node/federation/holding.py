"""What is not to be held: of an entry the header stays, of its text nothing.

The header is what proves the rest of the log. It is given to nobody in place of the text: a stub that no Delete names
would look as if the text were kept from others by fraud. So catch-up from here has a gap, and what we say of the log
ends before it; others hold the rest.
"""

import hashlib

from sqlalchemy import Connection

from node.models import alerts, deliveries, documents, queues, unheld


def let_go(connection: Connection, org: str, author: str, did: str, object_id: str) -> int:
    """Destroy the text of one alert in every table that holds its bytes; returns how many entries lost theirs.

    Args:
        author: canonical id of the actor; nobody else's object is touched.
    """
    gone = unheld.let_go(connection, org, did, object_id)
    if gone:
        queues.forget(
            connection, [each.activity_id for each in gone], [hashlib.sha256(each.raw).digest() for each in gone]
        )
        deliveries.forget(connection, org, [each.activity_id for each in gone])
    held = documents.stored(connection, org, object_id)
    if held is not None and held.author == author and held.state != documents.GONE:
        documents.forget_object(connection, org, object_id)
        alerts.remove(connection, org, object_id)
    return len(gone)


def forget_delivery(connection: Connection, activity_id: str, raw: bytes) -> None:
    """The body that just brought a text that is not held goes too."""
    queues.forget(connection, [activity_id], [hashlib.sha256(raw).digest()])
