"""(g) A stolen key: whoever took an organisation's machine deletes, rewrites, speaks and moves in its name.

The members freeze it where it was last believed, each with one command, and everything the thief undid is back.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Connection

from node.federation import outbox
from node.federation.protocol import keys
from node.models import contacts
from tests.drill.field import Field, Place, exercise, until
from tests.drill.table import Row

_TRUE = 5


def stolen_key(field: Field) -> Row:
    """The thief runs the organisation's own node, with its keys and at its address."""
    thief = field.chance.choice(field.honest())
    names = [field.publish(thief) for _ in range(_TRUE)]
    survivors = [place for place in field.honest() if place is not thief]
    field.wait_held(names, survivors)
    last = thief.heads()[thief.did][1]
    field.begin()
    thief.honest = False
    false = _attack(field, thief, names)
    until(
        lambda: all(place.holds(false) and not place.holds(names[0]) for place in survivors), "all obey the thief",
        tail=field.differences,
    )  # fmt: skip
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda place: _freeze(place, thief.did, last), survivors))
    later = thief.node.cli("alert", "publish", str(_file(field, "EXERCISE the thief again")), json=True)["portable_id"]
    seconds = field.wait_held(names, survivors)
    honest = field.publish(survivors[0])
    seconds += field.wait_held([honest], survivors)
    assert not any(place.holds(name) for place in survivors for name in (false, later))
    field.seize([thief])
    back = {each["restored"] for each in done}
    remarks = f"3 deleted, 1 rewritten, 1 false, moved: {'/'.join(map(str, sorted(back)))} texts back by the freeze"
    return field.row("g: stolen key, then member freeze", [*names, honest], survivors, seconds, remarks)


def _attack(field: Field, thief: Place, names: list[str]) -> str:
    """Three Deletes, other words for the fourth, a new alert, a Move, another RSA key; returns the new alert."""
    for name in names[:3]:
        thief.node.cli("alert", "withdraw", name)
    thief.node.cli("alert", "update", names[3], str(_file(field, "EXERCISE other words")))
    said = thief.node.cli("alert", "publish", str(_file(field, "EXERCISE the thief's alert")), json=True)
    elsewhere = next(place for place in field.places if place is not thief).organisation.uri
    public = keys.generate_rsa_key().public_key()
    now = field.clock()

    def move(connection: Connection) -> None:
        organisation = thief.organisation
        for member in contacts.members_of(connection, thief.did):
            outbox.send(
                connection, organisation, thief.key, "Move", organisation.uri, to=member.uri, inbox=member.inbox,
                now=now, extra={"target": elsewhere},
            )  # fmt: skip
        outbox.publish_actor(connection, organisation, thief.key, public, now, moved_to=elsewhere)

    thief.office.database.write_now(move)
    return str(said["portable_id"])


def _freeze(place: Place, did: str, last: int) -> dict[str, int]:
    found: dict[str, int] = place.node.cli("member", "freeze", did, "--after", str(last), json=True)
    return found


def _file(field: Field, headline: str) -> Path:
    path = field.folder / "thief.json"
    path.write_text(json.dumps(exercise(headline, field.clock()), ensure_ascii=False), "utf-8")
    return path
