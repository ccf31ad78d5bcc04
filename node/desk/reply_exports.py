"""What leaves the review of replies by a person's act: a file of evidence, a case, a report to the other server."""

import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO

from sqlalchemy import Connection

from node import replies as rules
from node.case_documents import Ask
from node.desk import cases
from node.desk import replies as desk
from node.desk.replies import Opened
from node.desk.requests import MAX_WORDS
from node.errors import ProtocolError, RefusedError
from node.federation import outbox
from node.federation.protocol import sealing
from node.federation.protocol.actors import parse_actor
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import MAX_PAGE, parse_document
from node.models import rooms
from node.models.organisations import Organisation
from node.people import CASES, Person

_README = """\
What a stranger sent to this organisation's server as a reply, as it was kept for evidence.

reply-N.json    the exact bytes of the body, version N (1 is the first)
request-N.json  method, target, scheme and the headers that its HTTP signature covers
author-N.json   the author's document as their server gave it, with the public key
facts.json      server, key, SHA-256 of each body, the hour in which it came; and "exhibit", the SHA-256 over the
                digests of all bodies, one a line: the organisation's audit trail holds the same value

The signature can be checked with author-N.json: draft-cavage-http-signatures-12, or RFC 9421.
"""


def export(
    connection: Connection, by: Person, secrets: Sequence[str], name: str, version: int, recipient: str, now: datetime
) -> tuple[str, bytes]:
    """A reply that is kept as evidence, as a file: its name and its bytes.

    Args:
        recipient: the age key (`age1…`) of whom it is for; empty for a file that anybody can read.

    Raises:
        RefusedError: it is no evidence, or that is no key.
    """
    held = desk.seen(connection, by, secrets, name, version)
    if held.row.state != rules.EVIDENCE:
        raise RefusedError("keep it as evidence first")
    packed = _packed(held)
    desk.note(connection, by, "reply.export", f"{name}:{rules.exhibit(held.received)}", now)
    file = f"reply-{name[:12]}.zip"
    if not recipient:
        return file, packed
    try:
        return f"{file}.age", sealing.seal_file(packed, recipient)
    except ProtocolError as error:
        raise RefusedError("that is no age key: it begins with age1") from error


def begin_case(
    connection: Connection, by: Person, secrets: Sequence[str], name: str, version: int, now: datetime
) -> str:
    """A case begins with its words; returns the id of the case.

    Raises:
        RefusedError: it has one, or nobody holds the key of the cases.
    """
    held = desk.seen(connection, by, secrets, name, version)
    if held.review.case:
        raise RefusedError("a case began with it already")
    recipient = rooms.recipient(connection, by.org, CASES)
    if recipient is None:
        raise RefusedError("nobody holds the key of the cases")
    said = held.words[-1]
    ask = Ask(language=said.language, what=said.text[:MAX_WORDS], who=held.author, contact=said.page)
    case = cases.create(connection, by.org, recipient, ask, now)
    desk.save(connection, by, held.row, replace(held.review, case=case))
    desk.note(connection, by, "reply.case", name, now)
    return case


def report(
    connection: Connection, organisation: Organisation, key: OrganisationKey, by: Person, secrets: Sequence[str],
    name: str, version: int, now: datetime,
) -> None:  # fmt: skip
    """Report it to those who look after its author's server: in the organisation's name and nobody's.

    Raises:
        RefusedError: nobody knows where that server takes reports.

    Spec: AS2 Vocabulary, Flag
    """
    held = desk.seen(connection, by, secrets, name, version)
    try:
        author = parse_actor(parse_document(held.received[-1].actor, MAX_PAGE))
    except ProtocolError as error:
        raise RefusedError("their server has not said where it takes reports") from error
    objects = [author.uri, str((parse_document(held.received[-1].raw).value.get("object") or {}).get("id"))]
    words = f"Reported by {organisation.name}: a reply to what this human-rights organisation published."
    outbox.send(
        connection, organisation, key, "Flag", objects, to=author.uri, inbox=author.shared_inbox or author.inbox,
        now=now, extra={"content": words},
    )  # fmt: skip
    desk.note(connection, by, "reply.report", name, now)


def _packed(held: Opened) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", _README)
        for number, each in enumerate(held.received, 1):
            parts = {"reply": each.raw, "request": each.request, "author": each.actor}
            for name, data in parts.items():
                if data:
                    file.writestr(f"{name}-{number}.json", data)
        file.writestr("facts.json", json.dumps(_facts(held), ensure_ascii=False, indent=1))
    return made.getvalue()


def _facts(held: Opened) -> dict[str, object]:
    return {
        "answers": held.row.about,
        "author": held.author,
        "deleted_by_author": held.row.deleted,
        "exhibit": rules.exhibit(held.received),
        "versions": [
            {"host": each.host, "key_id": each.key_id, "sha256": each.digest, "hour": each.hour.isoformat()}
            for each in held.received
        ],
    }
