"""A correction, a closure or an office's answer to what stands already, or a working group's word to everyone: another
person looks first.

The author of such words never sends them alone (R2): one other person, or a sister where nobody else approves, reads
them first. Withdrawing needs nobody: it adds no word.
"""

from collections.abc import Collection
from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import alerts as alert_rules
from node import approvals as rules
from node.alerts import Answer
from node.approvals import Request
from node.desk import alerts as open_desk
from node.desk import approvals, groups, publishing
from node.desk.approvals import Asked
from node.desk.networks import Desk
from node.desk.publishing import ANNOUNCE, ANSWER, CLOSE
from node.desk.sealed_alerts import SealedAlert
from node.errors import RefusedError
from node.federation import outbox
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.models import documents
from node.models.organisations import Organisation


def ask(
    connection: Connection, organisation: Organisation, key: OrganisationKey, author: str, act: str, alert: str,
    text: str, now: datetime, *, before: SealedAlert | None = None, result: str = "", attribution: str = "",
    thread: str = "", subjects: Collection[str] = (),
) -> Asked:  # fmt: skip
    """Ask another person to look at words that are to stand above an alert of ours.

    Args:
        act: `publishing.CORRECT` or `publishing.CLOSE`.
        before: the alert, opened, where it is a sealed one.
        thread: the case's id, where there is one: what happens to the case voids it.

    Raises:
        RefusedError: no such alert of ours, or no words.
    """
    if not text.strip():
        raise RefusedError("say why: readers see this text beside the alert")
    if before is None:
        record = open_desk.find_own(connection, organisation, alert)
        if act == CLOSE and record.news_of is not None:
            raise RefusedError("this is news; what is closed is the first alert of the chain")
        name, headline, language = record.object_id, record.headline, record.language
    else:
        name, headline, language = before.about, before.main.headline, before.main.language
    value = {
        "restate": act, "alert": name, "headline": headline, "language": language, "text": text, "result": result,
        "attribution": attribution, "audience": "everyone" if before is None else "network",
    }  # fmt: skip
    request = _request(author, value, now, subjects)
    package = {"alert": value, "before": publishing.carried(before)}
    return approvals.wait(connection, organisation, key, request, value, package, thread=thread, replaces=name)


def ask_to_answer(
    connection: Connection, organisation: Organisation, key: OrganisationKey, author: str, alert: str, given: Answer,
    now: datetime,
) -> Asked:  # fmt: skip
    """Ask another person to look at what we would tell of an office's answer to an alert of ours.

    Raises:
        RefusedError: no such alert of ours, or an answer that is none.
    """
    record = open_desk.find_own(connection, organisation, alert)
    held = documents.stored(connection, organisation.did, record.object_id)
    if held is None or held.raw is None:
        raise RefusedError("the alert's text is not here any more")
    alert_rules.with_answer(orjson.loads(held.raw), given, record.language, now)
    value = {
        "restate": ANSWER, "alert": record.object_id, "headline": record.headline, "language": record.language,
        "text": given.text, "result": given.kind, "attribution": "", "audience": "everyone", "by": given.by,
        "day": given.day.isoformat(),
    }  # fmt: skip
    request = _request(author, value, now)
    return approvals.wait(
        connection, organisation, key, request, value, {"alert": value}, replaces=record.object_id
    )


def ask_to_announce(mine: Desk, author: str, name: str, title: str, text: str, language: str = "") -> Asked:
    """Ask another person to look at what we would say to everyone for a working group.

    Raises:
        RefusedError: we are not in it, nobody hosts it, or it is too long.
    """
    at = groups.check_announcement(mine, name, title, text)
    value = {
        "restate": ANNOUNCE, "alert": at.group.digest, "headline": title.strip(), "text": text.strip(),
        "language": language or mine.organisation.language, "result": at.group.handle, "attribution": "",
        "audience": "everyone",
    }  # fmt: skip
    request = _request(author, value, mine.now)
    return approvals.wait(mine.connection, mine.organisation, mine.key, request, value, {"alert": value})


def _request(author: str, value: JsonObject, now: datetime, subjects: Collection[str] = ()) -> Request:
    return Request(
        id=outbox.token(), author=author, digest=rules.digest_of(value), needed=1, sister=False,
        subjects=frozenset(subjects), state=rules.WAITING, urgent=False, made=now,
    )  # fmt: skip
