"""The forms of a case: which fields each has, and where in the case what was typed goes.

A form is named in the address with the part that it is about: `person/p1`, `source/new`, `text/ar`, `grading/it`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from node.case_documents import Ask, Case, Office, Perpetrator, Person, Result, Source, Words
from node.case_terms import CASE_WORKER
from node.consents import Consent
from node.errors import RefusedError
from node.web.desk import Fields
from node.web.pages.desk import case_fields
from node.web.pages.desk.case_fields import Field, Shown
from node.web.pages.desk.case_lists import (
    ASK,
    CONSENT,
    GRADING,
    INSIDE,
    OFFICE,
    PERPETRATOR,
    PERSON,
    RESULT,
    RISKS,
    SOURCE,
    TEXT,
    VERIFICATION,
)

NEW, WHOLE = "new", "it"


@dataclass(frozen=True, slots=True)
class Part:
    """A form and where in the case its value stands."""

    fields: tuple[Field, ...]
    into: str
    """The case's field; empty: the case itself."""
    empty: Any = None
    """What a new one begins as, where there can be several."""
    public: bool = False
    """Whether what is typed may become public."""


PARTS: Mapping[str, Part] = MappingProxyType(
    {
        "person": Part(PERSON, "people", Person(""), public=True),
        "source": Part(SOURCE, "sources", Source("")),
        "perpetrator": Part(PERPETRATOR, "perpetrators", Perpetrator(), public=True),
        "office": Part(OFFICE, "offices", Office("", ""), public=True),
        "text": Part(TEXT, "texts", Words("ar"), public=True),
        "verification": Part(VERIFICATION, "verification"),
        "inside": Part(INSIDE, ""),
        "grading": Part(GRADING, "grading", public=True),
        "risks": Part(RISKS, ""),
        "outcome": Part(RESULT, "outcome", public=True),
    }
)


def shown(case: Case, form: str, which: str) -> Shown:
    """What stands in a form.

    Raises:
        RefusedError: no such part of the case.
    """
    part = PARTS[form]
    return case_fields.shown(_held(case, part, which), part.fields)


def written(case: Case, form: str, which: str, given: Fields, now: datetime) -> Case:
    """The case with what was typed. An outcome that is written down today was known no earlier than now: what was
    allowed this morning was not allowed for it.

    Raises:
        RefusedError: a field cannot be read, or no such part of the case.
    """
    part = PARTS[form]
    held = _held(case, part, which)
    if part.empty is not None and given.one("remove") == "yes" and which != NEW:
        return _put(case, part, which, None)
    value = replace(held, **case_fields.read(given, part.fields))
    if isinstance(value, Result) and value.known is not None:
        same = held.known is not None and held.known.date() == value.known.date()
        value = replace(value, known=held.known if same else min(value.known, now))
    if isinstance(value, Person) and which == NEW:
        value = replace(value, subject=_next_subject(case))
    if isinstance(value, Words) and which == NEW and value.language in {text.language for text in case.texts}:
        raise RefusedError("language: there is a text in this language already")
    return _put(case, part, which, value)


def consented(case: Case, subject: str, given: Fields, now: datetime) -> Case:
    """The case with one more word of somebody about this person.

    Raises:
        RefusedError: a field cannot be read, or no such person.
    """
    if subject not in {person.subject for person in case.people}:
        raise RefusedError("no such person in this case")
    read = case_fields.read(given, CONSENT)
    read["given"] = min(read["given"] or now, now)
    return replace(case, consents=(*case.consents, Consent(subject=subject, taken_by=CASE_WORKER, **read)))


def reconsented(case: Case, number: int, change: str, now: datetime) -> Case:
    """The case with a word that was taken back, or a presumption that was reviewed.

    Raises:
        RefusedError: no such word.
    """
    if not 0 <= number < len(case.consents):
        raise RefusedError("no such word")
    held = case.consents[number]
    found = replace(held, reviewed=now) if change == "review" else replace(held, withdrawn=now)
    return replace(case, consents=(*case.consents[:number], found, *case.consents[number + 1 :]))


def asked(given: Fields, language: str) -> Ask:
    """A case opened from scratch.

    Raises:
        RefusedError: a field cannot be read.
    """
    return Ask(language=language, **case_fields.read(given, ASK))


def name_of(form: str, number: int, value: object) -> str:
    """The part of a form's address that names one of several."""
    if isinstance(value, Person):
        return value.subject
    return value.language if isinstance(value, Words) and form == "text" else str(number)


def _held(case: Case, part: Part, which: str) -> Any:
    if part.empty is None:
        return getattr(case, part.into) if part.into else case
    if which == NEW:
        return part.empty
    number = _number(case, part, which)
    return getattr(case, part.into)[number]


def _put(case: Case, part: Part, which: str, value: Any) -> Case:
    if isinstance(value, Case):
        return value
    changed: Any = value
    if part.empty is not None:
        held = getattr(case, part.into)
        number = len(held) if which == NEW else _number(case, part, which)
        changed = (*held[:number], *(() if value is None else (value,)), *held[number + 1 :])
    fields: dict[str, Any] = {part.into: changed}
    return replace(case, **fields)


def _number(case: Case, part: Part, which: str) -> int:
    held = getattr(case, part.into)
    names = [name_of("text" if part.into == "texts" else "", number, each) for number, each in enumerate(held)]
    if which not in names:
        raise RefusedError("no such part of this case")
    return names.index(which)


def _next_subject(case: Case) -> str:
    used = {person.subject for person in case.people} | {each.subject for each in case.consents}
    return next(name for name in (f"p{number}" for number in range(1, 1_000)) if name not in used)
