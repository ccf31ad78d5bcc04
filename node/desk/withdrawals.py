"""What became of a withdrawal, for its author alone: the facts of the board, and what the board cannot know."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from node import withdrawals as rules
from node.errors import RefusedError
from node.federation.protocol import ids
from node.federation.protocol.actors import timestamp
from node.federation.protocol.messages import JsonObject
from node.models import contacts, deliveries, documents, logs
from node.models import letters as letter_rows
from node.models import withdrawals as rows
from node.models.organisations import Organisation
from node.models.withdrawals import Withdrawn
from node.withdrawals import Member, Server, Word

COPIES_REMAIN = (
    "Copies may remain: with people who saved the text, as screenshots, in search engines, and on servers that do not "
    "obey. A member's word and a server's answer are all that can be known from here."
)
RELEASED = (
    "Withdrawn by custodians. Followers on Mastodon and other servers still see it: only the author's key can "
    "delete it there. Members' servers obey."
)


@dataclass(frozen=True, slots=True)
class Board:
    """One withdrawal, server by server."""

    what: Withdrawn
    servers: tuple[Server, ...]

    def shown(self) -> JsonObject:
        """For `--json`."""
        return {
            "id": self.what.about,
            "reference": self.what.reference,
            "withdrawn": timestamp(self.what.made),
            "by_custodians": self.what.released,
            "servers": [_shown(each) for each in self.servers],
            "counts": rules.counts(self.servers),
            "copies_may_remain": COPIES_REMAIN,
        }


def board(connection: Connection, organisation: Organisation, name: str) -> Board:
    """The board of one of our withdrawals.

    Args:
        name: any id of the alert, the last part of its page's address, or its reference.

    Raises:
        RefusedError: nothing of this name was withdrawn by us.
    """
    org = organisation.did
    what = find(connection, organisation, name)
    members = [
        Member(each.did, each.name, ids.host_of(each.inbox)) for each in contacts.members_of(connection, org)
    ]
    letter = letter_rows.find(connection, org, what.said[0]) if len(what.said) == 1 else None
    if letter is not None:
        members = [each for each in members if each.did in letter.addressed]
    words = [
        Word(each.letter, each.by, each.received, each.received if letter is not None else each.destroyed)
        for each in letter_rows.receipts_of(connection, org, what.said)
    ]
    followers = Counter(ids.host_of(each.target) for each in contacts.followers_of(connection, org))
    tries = deliveries.tries_of(connection, org, what.said)
    return Board(what, rules.board(what.said, tries, words, members, followers))


def find(connection: Connection, organisation: Organisation, name: str) -> Withdrawn:
    """Something that we withdrew.

    Raises:
        RefusedError: there is nothing of this name.
    """
    wanted = ids.canonical(name) if ":" in name else name
    found = rows.find(connection, organisation.did, wanted)
    if found is None:
        found = _from_the_log(connection, organisation, wanted)
    if found is None:
        raise RefusedError(f"nothing {name[:120]!r} was withdrawn by us; a board begins with the withdrawal")
    return found


def note(
    connection: Connection, org: str, about: str, reference: str, said: tuple[str, ...], now: datetime,
    *, released: bool = False,
) -> None:  # fmt: skip
    """Remember a withdrawal of ours: nothing of its text, only which words of ours it went out by."""
    rows.save(connection, org, Withdrawn(about, documents.page_name(about), reference, said, released, now))


def _from_the_log(connection: Connection, organisation: Organisation, name: str) -> Withdrawn | None:
    """Withdrawn by an earlier version, which kept no list."""
    found = logs.of_object(connection, organisation.did, organisation.did, name)
    deletes = [entry for entry in found if entry.type == "Delete" and entry.activity_id is not None]
    if not deletes:
        return None
    said = tuple(entry.activity_id or "" for entry in deletes)
    return Withdrawn(name, documents.page_name(name), "", said, False, deletes[-1].received)


def _shown(server: Server) -> JsonObject:
    moments = {"since": server.since, "destroyed": server.destroyed, "next_try": server.next_try}
    return {
        "host": server.host,
        "members": [{"did": each.did, "name": each.name} for each in server.members],
        "followers": server.followers,
        "state": server.state,
        **{name: timestamp(moment) if moment else None for name, moment in moments.items()},
        "asked_again": server.asked_again,
    }
