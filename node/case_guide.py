"""From "something happened" to "others are asked to approve the text": the steps of writing an alert, in their order.

The table of a case (`case_terms`) says what may be done in which state; this says what a person does next, one thing at
a time: who may be hurt comes before what is written, and who will see it is decided before there is a text. A step is
done, is the next one, or waits. What need not be done is offered and never in the way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from node.case_conditions import sources_suffice
from node.case_documents import Case
from node.case_terms import (
    CONSENT,
    DRAFT,
    LAPSED,
    NETWORK_ONLY,
    PUBLIC,
    QUIET,
    REQUEST,
    STATES,
    STRATEGY,
    TRIAGE,
    VERIFY,
)

DONE, NEXT, WAITS = "done", "next", "waits"
AUDIENCES = (NETWORK_ONLY, PUBLIC, QUIET)
_WRITTEN = STATES.index(DRAFT)


@dataclass(frozen=True, slots=True)
class GuideStep:
    """One thing to do."""

    name: str
    state: str
    form: str = ""
    """The form that it is done in, with the part that it is about: `person/new`; empty for an act."""
    acts: tuple[str, ...] = ()
    """Acts of the case: one to be pressed, or several to choose from."""
    optional: bool = False


_Done = Callable[[Case], bool]
_REQUIRED: Mapping[str, _Done] = MappingProxyType(
    {
        "take": lambda case: case.state not in (REQUEST, TRIAGE),
        "people": lambda case: bool(case.people),
        "consent": lambda case: bool(case.people) and not _unasked(case),
        "sources": sources_suffice,
        "check": lambda case: bool(case.verification.level) and case.verification.level != "unknown",
        "verify": lambda case: _past(case, VERIFY),
        "consented": lambda case: _past(case, CONSENT),
        "risks": lambda case: bool(case.risks.strip()),
        "audience": lambda case: _past(case, STRATEGY),
        "text": lambda case: bool(case.texts),
        "grading": lambda case: bool(case.grading.country) and case.grading.expires is not None,
        "ask": lambda case: STATES.index(case.state) > _WRITTEN,
    }
)
_OPTIONAL = ("targets", "languages", "attributed")
_FORMS: Mapping[str, str] = MappingProxyType(
    {
        "people": "person/new", "sources": "source/new", "check": "verification/it", "risks": "risks/it",
        "text": "text/new", "grading": "grading/it", "targets": "office/new", "languages": "text/new",
        "attributed": "perpetrator/new",
    }
)  # fmt: skip


def steps(case: Case) -> tuple[GuideStep, ...]:
    """Every step of this case; at most one is the next."""
    found: list[GuideStep] = []
    reached = False
    for name, done in _REQUIRED.items():
        state = DONE if done(case) else WAITS if reached else NEXT
        reached = reached or state == NEXT
        found.append(GuideStep(name, state, _form(case, name), _acts(case, name)))
    if case.texts and case.state == DRAFT:
        last = found.pop()
        found += [
            GuideStep(name, DONE if _given(case, name) else WAITS, _FORMS[name], optional=True) for name in _OPTIONAL
        ]
        found.append(last)
    return tuple(found)


def following(case: Case) -> GuideStep | None:
    """What is to be done now; `None` where others have been asked, or the case has ended."""
    return next((each for each in steps(case) if each.state == NEXT), None)


def _form(case: Case, name: str) -> str:
    if name == "consent" and case.people:
        return f"consent/{next(iter(_unasked(case)), case.people[0].subject)}"
    return _FORMS.get(name, "")


def _acts(case: Case, name: str) -> tuple[str, ...]:
    match name:
        case "take":
            return ("take",) if case.state == REQUEST else ("accept",)
        case "verify":
            return ("verify",)
        case "consented":
            return ("renew",) if case.state == LAPSED else ("consent",)
        case "audience":
            return AUDIENCES
        case "ask":
            return ("submit",)
        case _:
            return ()


def _unasked(case: Case) -> tuple[str, ...]:
    """Who is in the case and never said, nor had said for them, what may be told."""
    held = {each.subject for each in case.consents if each.withdrawn is None}
    return tuple(person.subject for person in case.people if person.subject not in held)


def _given(case: Case, name: str) -> bool:
    match name:
        case "targets":
            return bool(case.offices)
        case "languages":
            return len(case.texts) > 1
        case _:
            return bool(case.perpetrators)


def _past(case: Case, state: str) -> bool:
    """Whether the life of the case has gone on after this state; one that lapsed is back before its consent."""
    return case.state != LAPSED and STATES.index(case.state) > STATES.index(state)
