"""Several writers at one log: `python -m tests.models.appending URL KEYS DID THREADS ENTRIES` is one process of them.

Each thread opens the database for itself, as a process would, and publishes Notes.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from node.federation import outbox
from node.federation.outbox import Published, Speech
from node.federation.protocol.keys import OrganisationKey
from node.models.base import Database
from node.models.keyring import Keyring
from node.models.organisations import Organisation, get


def say(organisation: Organisation, key: OrganisationKey, text: str, database: Database) -> Published:
    """Publish one Note."""
    now = datetime.now(UTC).replace(microsecond=0)
    audience = outbox.audience(organisation, members_only=False)
    note = {
        "id": organisation.at(f"/objects/{outbox.token()}"),
        "type": "Note",
        "attributedTo": organisation.uri,
        "content": f"<p>{text}</p>",
        "published": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "to": list(audience.to),
        "cc": list(audience.cc),
    }
    signed = outbox.sign_object(note, key, {}, now)

    def work(connection: Connection) -> Published:
        return outbox.publish(connection, organisation, key, Speech("Create", signed, audience, {}), now)

    return database.write_now(work)


def append(url: str, keys: Path, did: str, threads: int, entries: int) -> None:
    """Publish from many threads at once."""
    key = Keyring(keys).organisation(did)

    def one(name: int) -> None:
        database = Database(url)
        try:
            organisation = database.read_now(lambda connection: get(connection, did))
            assert organisation is not None
            for number in range(entries):
                say(organisation, key, f"exercise {name}/{number}", database)
        finally:
            database.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(threads)))


if __name__ == "__main__":
    append(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
