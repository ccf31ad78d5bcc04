"""The bundle of a charter, made from what is held here: the text, who affirms it with a name, and where that stands.

Only what is public goes into it, and only what stands now: a name that was taken back is in no bundle made later.
"""

from datetime import datetime

from sqlalchemy import Connection

from node import charter_bundles as rules
from node.charters import Affirmation, Charter
from node.desk import charters, rolls
from node.desk.exports import said_of
from node.errors import RefusedError
from node.federation.protocol import ids
from node.federation.protocol.keys import OrganisationKey
from node.models.organisations import Organisation


def bundle(
    connection: Connection, organisation: Organisation, key: OrganisationKey, charter: Charter, now: datetime
) -> bytes:
    """The file, signed by us.

    Raises:
        RefusedError: an entry that it would need is not held, or more organisations affirm than one file takes.
    """
    affirmed = charters.affirmed(connection, organisation, charter)
    if len(affirmed.names) > rules.MAX_AFFIRMATIONS:
        raise RefusedError(f"more than {rules.MAX_AFFIRMATIONS} organisations affirm: too many for one file")
    org, texts = organisation.did, (charter, *earlier(connection, organisation, charter))
    held: tuple[Charter | Affirmation, ...] = (*texts, *affirmed.names)
    entries = [_created(connection, org, each) for each in held]
    heads, dids = rolls.heads_of(connection, organisation), {each.did for each in held}
    for did in dict.fromkeys((org, charter.did, *(each.did for each in affirmed.names))):
        newest = said_of(connection, org, did, str(ids.Portable(did, "/actor")))[-1:]
        entries += [each.raw for each in newest if each.raw is not None]
    return rules.render(
        organisation.uri, key, charter, entries, affirmed, {did: heads[did] for did in dids if did in heads}, now
    )


def earlier(connection: Connection, organisation: Organisation, charter: Charter) -> tuple[Charter, ...]:
    """What a text changes, the nearest first, as far as its keeper's texts are held here."""
    kept = charters.versions(connection, organisation, charter)
    known = {each.digest: each for each in kept if each.did == charter.did}
    steps: list[Charter] = []
    wanted = charter.amends
    while wanted in known and len(steps) < rules.MAX_EARLIER:
        step = known.pop(wanted)
        steps.append(step)
        wanted = step.amends
    return tuple(steps)


def _created(connection: Connection, org: str, thing: Charter | Affirmation) -> bytes:
    for entry in said_of(connection, org, thing.did, thing.id):
        if entry.type == "Create" and entry.header.order == thing.order and entry.raw is not None:
            return entry.raw
    raise RefusedError(f"the log entry of {thing.id} is not held here")
