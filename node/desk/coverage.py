"""Who has an alert of ours: deliveries, and what members' own signed heads prove. For its author's people alone."""

from collections import Counter

from sqlalchemy import Connection

from node import coverage as rules
from node import letters as letter_rules
from node.coverage import Coverage, Facts, Party, Place
from node.federation.protocol import ids
from node.models import alerts, contacts, coverages, logs
from node.models import letters as letter_rows
from node.models.alerts import Chain
from node.models.organisations import Organisation

_TEXTS = ("Create", "Update", "Delete")


def of_chain(connection: Connection, organisation: Organisation, chain: Chain) -> Coverage:
    """The board of an alert that stands in the log, with its news and translations."""
    org = organisation.did
    said, places = _words(connection, org, chain)
    followers = contacts.followers_of(connection, org)
    parties = _parties(connection, org)
    members = {each.inbox for each in parties}
    targets = {each.target for each in followers} - members
    return rules.board(
        Facts(
            parties=parties,
            sent=coverages.sent(connection, org, said),
            reached=coverages.reached(connection, org),
            words=places,
            followers=Counter(ids.host_of(each.target) for each in followers if each.target in targets),
            targets=sorted(targets),
        )
    )


def of_sealed(connection: Connection, organisation: Organisation, about: str) -> Coverage:
    """The board of an alert that was sealed to members: whose servers took its newest letter. None signs a head for
    it, for it stands in no log.
    """
    org = organisation.did
    letters = [
        each for each in letter_rows.about(connection, org, about, (letter_rules.ALERT,)) if each.author == org
    ]
    last = letters[-1] if letters else None
    to = set(last.addressed) if last else set()
    said = (last.id,) if last else ()
    receipts = {each.by: each.received for each in letter_rows.receipts_of(connection, org, said)}
    parties = [each for each in _parties(connection, org) if each.did in to]
    return rules.board(Facts(parties=parties, sent=coverages.sent(connection, org, said), receipts=receipts))


def _words(connection: Connection, org: str, chain: Chain) -> tuple[list[str], list[Place]]:
    """Ids and places of all that we said of a chain."""
    said, places = [], []
    for part in (chain.first, *chain.news):
        for each in (part, *alerts.translations_of(connection, org, part.object_id)):
            for entry in logs.of_object(connection, org, org, each.object_id):
                if entry.type in _TEXTS and entry.activity_id is not None:
                    said.append(entry.activity_id)
                    places.append((entry.header.epoch, entry.header.sequence))
    return said, places


def _parties(connection: Connection, org: str) -> list[Party]:
    return [
        Party(each.did, each.name, ids.host_of(each.uri), each.inbox, each.frozen is not None)
        for each in contacts.members_of(connection, org)
    ]
