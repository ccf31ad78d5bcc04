"""A case worked in the browser: what each form brings, and the way of an invented case to its alert. All exercises."""

import re
from typing import Any

from node import approvals as rules
from tests.support.desk import Worker, join
from tests.support.network import House, Network

TICKS = {f"tick-{name}": "yes" for name in rules.TICKS}
INSIDE = ("zq-neighbour", "zq-street", "zq-flight", "zq-lawyer", "zq-phone", "zq-note", "zq-asked", "zq-risk")
"""Words that are planted where nothing may leave."""
HEADLINE = "EXERCISE: a defender of water is threatened"
FORMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("person/new", {
        "name": "zq-name Invented", "kind": "person", "publication_level": "withheld", "situation": "free",
        "contact": "zq-phone 00 999 111 222",
    }),
    ("source/new", {"kind": "witness", "note": "zq-neighbour of hers", "independent": "yes"}),
    ("source/new", {"kind": "court", "document": "yes"}),
    ("verification/it", {"level": "two-independent", "status": "confirmed", "note": "zq-note"}),
    ("inside/it", {
        "place_full": "zq-street 7, Exercise Town", "travel_plan": "zq-flight tomorrow", "lawyer": "zq-lawyer Invented",
    }),
    ("consent/p1", {
        "given_by": "self", "how": "in person", "level": "public-anonymised", "valid_until": "2027-06-30",
        "free": "yes",
    }),
)  # fmt: skip
"""What triage, verification and consent bring."""
TEXTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("risks/it", {"risks": "zq-risk: she wants to be heard"}),
    ("grading/it", {
        "kind": "urgent-appeal", "status": "actual", "country": "IQ", "severity": "severe", "urgency": "immediate",
        "certainty": "likely", "expires": "2027-03-01", "violation_types": ["threat"], "endorsement_mode": "individual",
    }),
    ("office/new", {"office": "Ministry of Justice, exercise", "country": "IQ", "language": "ar"}),
    ("text/new", {
        "language": "en", "headline": HEADLINE, "narrative": "EXERCISE: what happened, invented.",
        "link_to_work": "EXERCISE: she was threatened because of her meetings on water.",
        "demands": "Stop the threats\nProtect her work",
    }),
)  # fmt: skip


async def office(network: Network, handle: str) -> tuple[House, Worker, list[Worker]]:
    """A node with a case worker and two approvers."""
    house = await network.house(handle)
    boss = await join(house, "Zainab (exercise)", "coordinator")
    worker = await join(house, "Sara (exercise)", "case_worker", by=boss)
    people = [await join(house, f"{name} (exercise)", "approver", by=boss) for name in ("Karwan", "Hana")]
    await worker.get("/desk")
    return house, worker, people


def version_in(text: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', text)
    assert found is not None, text
    return found[1]


async def write(worker: Worker, case: str, form: str, fields: dict[str, Any]) -> None:
    """Open a form, fill it, and keep it."""
    page = await worker.get(f"{case}/{form}")
    assert page.status == 200, page.text
    answer = await worker.post(f"{case}/{form}", {**fields, "version": version_in(page.text)})
    assert answer.status == 303, answer.text


async def do(worker: Worker, case: str, act: str, **fields: Any) -> None:
    """Open an act's page and do it."""
    page = await worker.get(f"{case}/act/{act}")
    assert page.status == 200, page.text
    answer = await worker.post(f"{case}/act/{act}", {**fields, "version": version_in(page.text)})
    assert answer.status == 303, answer.text


async def to_draft(
    worker: Worker, case: str, strategy: str = "public", **changed: dict[str, Any]
) -> None:
    """From a first word to a text that could be shown to others.

    Args:
        changed: fields of `person`, `consent`, `risks` … that are filled in differently.
    """

    def filled(form: str, fields: dict[str, Any]) -> dict[str, Any]:
        return fields | changed.get(form.partition("/")[0], {})

    for act in ("take", "accept"):
        await do(worker, case, act)
    for form, fields in FORMS:
        await write(worker, case, form, filled(form, fields))
    for act in ("verify", "consent"):
        await do(worker, case, act)
    await write(worker, case, TEXTS[0][0], filled(*TEXTS[0]))
    await do(worker, case, strategy)
    for form, fields in TEXTS[1:]:
        await write(worker, case, form, filled(form, fields))


async def approve(person: Worker) -> None:
    """Look at the newest request, tick everything, and say yes."""
    listed = (await person.get("/desk/approvals")).text
    path = re.search(r"/desk/approvals/[\w-]+", listed)
    assert path is not None, listed
    page = (await person.get(path[0])).text
    digest = re.search(r'name="digest" value="(\w+)"', page)
    assert digest is not None, page
    answer = await person.post(path[0], {"word": "yes", "digest": digest[1], **TICKS})
    assert answer.status == 303, answer.text
