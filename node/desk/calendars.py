"""Meetings and what is due, as a calendar that says nothing: titles are neutral, without place and text.

A phone shows its calendar on the lock screen, and syncs it with whoever made it. Who needs the place opens the desk.

Spec: RFC 5545
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from icalendar import Calendar, Event
from sqlalchemy import Connection

from node import plans
from node.desk import groups
from node.governance import moment_of
from node.group_entries import MEETING, GroupEntry
from node.models.organisations import Organisation

_PRODUCT = "-//Tadamun//calendar//EN"
_TITLES: Mapping[str, str] = MappingProxyType(
    {"ar": "موعد", "en": "Appointment", "es": "Cita", "fr": "Rendez-vous"}
)
_ENTRIES = 500


def of_group(
    connection: Connection, organisation: Organisation, name: str, secrets: Sequence[str], now: datetime
) -> bytes:
    """One group's meetings that are not over, and what its plans ask for next."""
    org = organisation.did
    at = groups.place(connection, org, name)
    heard = [each.entry for each in groups.history(connection, org, at.group, secrets)]
    title = _TITLES.get(organisation.language, _TITLES["en"])
    found = Calendar()
    found.add("prodid", _PRODUCT)
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    for each in _meetings(heard, now)[:_ENTRIES]:
        found.add_component(
            _event(each.digest, title, now, moment_of(each.says["starts"]), moment_of(each.says["ends"]))
        )
    held = plans.work_out(heard, at.group.steered, at.state.decisions)
    for due in plans.due(held, now.date()):
        event = _event(f"{at.group.digest}-{due.year}-{due.what}", title, now, due.by, due.by + timedelta(days=1))
        found.add_component(event)
    return bytes(found.to_ical())


def _meetings(heard: Sequence[GroupEntry], now: datetime) -> list[GroupEntry]:
    """Those that no later version takes the place of."""
    replaced = {each.about for each in heard if each.kind == MEETING}
    return [
        each for each in heard
        if each.kind == MEETING and each.digest not in replaced and moment_of(each.says["ends"]) > now
    ]  # fmt: skip


def _event(uid: str, title: str, now: datetime, starts: object, ends: object) -> Event:
    event = Event()
    event.add("uid", f"{uid}@tadamun")
    event.add("summary", title)
    event.add("class", "PRIVATE")
    event.add("dtstamp", now)
    event.add("dtstart", starts)
    event.add("dtend", ends)
    return event
