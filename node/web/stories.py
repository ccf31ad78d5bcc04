"""The story of an alert as its page shows it: what is new, the newest first, and who signed."""

from datetime import datetime

import orjson
from sqlalchemy import Connection

from node import alerts as rules
from node.alerts import PublicAlert
from node.desk import endorsements as desk
from node.models import alerts, documents
from node.models.alerts import AlertRecord, Chain
from node.models.organisations import Organisation
from node.web.views import Handed, NewsItem, Signature, Signing, State, Whole

_ROOM = 6_000
"""Characters of news that stand on the page of the story; older news than that is a link."""


def chain_of(connection: Connection, org: str, record: AlertRecord) -> Chain:
    """The chain that an alert belongs to."""
    if record.news_of is None and record.translation_of is None:
        return Chain(record, alerts.news_of(connection, org, record))
    return alerts.chain(connection, org, record.object_id) or Chain(record)


def state_of(record: AlertRecord, chain: Chain, now: datetime) -> State:
    """The state of one part: a chain is closed with its first alert, and lives as long as its newest part says."""
    if chain.first.state == "closed" or record.state == "closed":
        return "closed"
    if chain.newest.expires is not None and chain.newest.expires <= now:
        return "expired"
    if record.state == "corrected":
        return "corrected"
    return "updated" if record.updated else "current"


def outcome_of(connection: Connection, org: str, chain: Chain, language: str) -> str:
    """How the chain ended, in this language where the author said it so."""
    note = _note(connection, org, _in_language(connection, org, chain.first, language))
    return note.state_note if note is not None and note.state == "closed" else ""


def news_items(
    connection: Connection, org: str, chain: Chain, language: str, now: datetime
) -> tuple[NewsItem, ...]:
    """What is new, the newest first; in the reader's language of the alert where it was told in it."""
    found, room = [], _ROOM
    for main in reversed(chain.news):
        record = _in_language(connection, org, main, language)
        note = _note(connection, org, record)
        narrative = note.narrative if note is not None and len(note.narrative) <= room else ""
        room -= len(narrative)
        lapsed = main.expires is not None and main.expires <= now
        found.append(
            NewsItem(
                path=f"/alerts/{record.page}",
                headline=record.headline,
                language=record.language,
                published=record.published,
                state="corrected" if record.state == "corrected" else "expired" if lapsed else "current",
                correction=note.state_note if note is not None and note.state == "corrected" else "",
                narrative=narrative,
            )
        )
    return tuple(found)


def whole_of(connection: Connection, org: str, record: AlertRecord, chain: Chain) -> Whole | None:
    """The story that a piece of news belongs to; `None` for the first alert itself."""
    first = _in_language(connection, org, chain.first, record.language)
    if first.object_id == record.object_id or record.news_of is None or chain.first.news_of is not None:
        return None
    return Whole(f"/alerts/{first.page}", first.headline, first.language)


def signing(
    connection: Connection, organisation: Organisation, record: AlertRecord, note: PublicAlert, now: datetime
) -> Signing | None:
    """Who signed; names only of those who agreed to be named as members of the network."""
    found = desk.signatories(connection, organisation, record, now)
    if found is None:
        return None
    named = [each for each in found.names if each.did in found.listed]
    given = found.sign_on.delivery
    return Signing(
        phase=found.phase,
        names=tuple(Signature(each.name, each.language, _path(organisation, each.did)) for each in named),
        unnamed=found.count - len(named),
        known=found.known,
        digest=found.sign_on.digest,
        opens=found.sign_on.opens,
        closes=found.sign_on.closes,
        as_of=now,
        changed=found.changed,
        network=note.endorsement_mode == "network-wide",
        handed=Handed(given.at, given.to, given.count + given.withheld) if given else None,
    )


def _in_language(connection: Connection, org: str, main: AlertRecord, language: str) -> AlertRecord:
    if main.language == language:
        return main
    family = alerts.translations_of(connection, org, main.object_id)
    return next((each for each in family if each.language == language), main)


def _note(connection: Connection, org: str, record: AlertRecord) -> PublicAlert | None:
    held = documents.stored(connection, org, record.object_id)
    return rules.parse(orjson.loads(held.raw)) if held is not None and held.raw is not None else None


def _path(organisation: Organisation, did: str) -> str:
    return f"/@{organisation.handle}" if did == organisation.did else f"/organisations/{did}"
