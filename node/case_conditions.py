"""What must be true before an act of a case is done: a function for each condition of the table, with its number."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from node import consents as words
from node.case_alerts import digest, leaks, outcome_standings, standings
from node.case_documents import Approval, Case
from node.case_terms import NETWORK_ONLY, PUBLIC


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who acts: their account, the role they act in, the organisation that vouches for them."""

    id: str
    role: str
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a condition sees: the case, who acts, when, and the reason they gave."""

    case: Case
    who: Who
    now: datetime
    note: str


_NEEDED = MappingProxyType(
    {
        words.NETWORK: "R1: a consent to tell the members is needed",
        words.ANONYMISED: "R1: a consent to speak in public without the name is needed",
        words.NAMED: "R1: a consent to be named in public is needed",
    }
)


def _naming(sentence: str, *named: str) -> str:
    """A refusal with what it names at its end, `sentence (this; that)`: pages look up each of these by itself."""
    sentence, _, before = sentence.removesuffix(")").partition(" (")
    return f"{sentence} ({'; '.join((*filter(None, (before,)), *named))})"


def _reason_given(look: Look) -> Iterator[str]:
    if not look.note.strip():
        yield "R14: write the reason; whoever asked is told"


def sources_suffice(case: Case) -> bool:
    """Two independent sources, or one and a document."""
    witnesses = sum(1 for each in case.sources if each.independent and not each.document)
    documents = sum(1 for each in case.sources if each.document)
    return witnesses >= 2 or bool(witnesses and documents)


def _verified(look: Look) -> Iterator[str]:
    if not sources_suffice(look.case):
        yield "R6: two independent sources are needed, or one and a document"
    if not look.case.verification.level:
        yield "R6: record how the facts were checked"


def _consent_recorded(look: Look) -> Iterator[str]:
    if not look.case.people:
        yield "R1: write down whom the case is about"
    for each in words.effective([person.about() for person in look.case.people], look.case.consents, look.now):
        if each.level == words.NOTHING:
            yield _naming(each.reason, each.subject)


def _publicity_weighed(look: Look) -> Iterator[str]:
    if not look.case.risks.strip():
        yield "R3: write what publicity may do to them, for and against"


def consent_covers(look: Look) -> Iterator[str]:
    case = look.case
    found = standings(case, look.now)
    if not found:
        yield "R1: nobody is in the alert whose consent could cover it"
    needed = words.NETWORK if case.strategy == NETWORK_ONLY else words.ANONYMISED
    levels = {person.subject: person.publication_level for person in case.people}
    for each in found:
        wanted = words.NAMED if levels.get(each.subject) in ("named", "initials") else needed
        if not each.allows(wanted):
            yield _naming(_NEEDED[wanted], each.subject, each.level, each.reason)
        spoken = {text.language for text in case.texts}
        if each.languages and not spoken <= set(each.languages):
            yield _naming("R1: the consent is for other languages than the text's", each.subject, *each.languages)


def _link_written(look: Look) -> Iterator[str]:
    if not look.case.texts:
        yield "B2: there is no text yet"
    for text in look.case.texts:
        if not text.link_to_work.strip():
            yield f"A1: write how the attack is tied to the work ({text.language})"


def _subjects_protected(look: Look) -> Iterator[str]:
    for person in look.case.people:
        if person.minor and person.shown and person.publication_level not in ("collective", "withheld"):
            yield f"R11: a minor stands nowhere by name ({person.subject})"


def _nothing_leaks(look: Look) -> Iterator[str]:
    for field in leaks(look.case):
        yield f"R4: words that stay inside stand in the public text ({field})"


def approvers(case: Case, now: datetime) -> dict[str, Approval]:
    """Valid approvals of the text as it stands, one for each person."""
    text = digest(case, now)
    concerned = {person.account for person in case.people if person.account}
    return {
        each.who: each for each in case.approvals
        if each.digest == text and each.who and each.who not in concerned and each.who not in case.authors
    }  # fmt: skip


def _may_approve(look: Look) -> Iterator[str]:
    if not look.who.id:
        yield "R2: an approval is somebody's"
    if look.who.id in look.case.authors:
        yield "R2: whoever wrote the text does not approve it"
    if look.who.id in approvers(look.case, look.now):
        yield "R2: this person has approved it already; another must"


def _approved_by_two(look: Look) -> Iterator[str]:
    found = approvers(look.case, look.now)
    if len(found) < 2:
        yield f"R2: two people approve this very text ({len(found)}/2)"
    named = any(person.shown and person.publication_level in ("named", "initials") for person in look.case.people)
    if named and look.case.strategy == PUBLIC and len({each.organisation for each in found.values()}) < 2:
        yield "R2: a person is named; one of the approvers must be of another organisation"


def _embargo_ahead(look: Look) -> Iterator[str]:
    if look.case.embargo_until is None or look.case.embargo_until <= look.now:
        yield "R8: write until when it is held back"


def _embargo_over(look: Look) -> Iterator[str]:
    if look.case.embargo_until is not None and look.case.embargo_until > look.now:
        yield f"R8: held back until a later moment ({look.case.embargo_until:%Y-%m-%d %H:%M} UTC)"


def _not_expired(look: Look) -> Iterator[str]:
    if look.case.grading.expires is None or look.case.grading.expires <= look.now:
        yield "B2: write until when the alert is to be acted on"


def _expired(look: Look) -> Iterator[str]:
    if look.case.grading.expires is None or look.case.grading.expires > look.now:
        yield "B3: it has not expired"


def _consent_lapsed(look: Look) -> Iterator[str]:
    if not any(each.lapsed for each in standings(look.case, look.now)):
        yield "R1: no consent has lapsed"


def _outcome_written(look: Look) -> Iterator[str]:
    if not look.case.outcome.text.strip() or look.case.outcome.known is None:
        yield "B3: write the outcome, and when it became known"


def _outcome_consented(look: Look) -> Iterator[str]:
    needed = words.NETWORK if look.case.strategy != PUBLIC else words.ANONYMISED
    for each in outcome_standings(look.case, look.now):
        if not each.allows(needed):
            yield _naming("R1: what is told of the outcome needs a fresh consent", each.subject, each.reason)


def _was_public(look: Look) -> Iterator[str]:
    if look.case.strategy not in (NETWORK_ONLY, PUBLIC):
        yield "R3: this case is kept quiet; to speak of it, its consent and strategy are decided anew"


def _lessons_written(look: Look) -> Iterator[str]:
    if not look.case.outcome.lessons.strip():
        yield "B3: write what was learned"


CONDITIONS: Mapping[str, Callable[[Look], Iterator[str]]] = MappingProxyType(
    {
        "reason_given": _reason_given,
        "verified": _verified,
        "consent_recorded": _consent_recorded,
        "publicity_weighed": _publicity_weighed,
        "consent_covers": consent_covers,
        "link_written": _link_written,
        "subjects_protected": _subjects_protected,
        "nothing_leaks": _nothing_leaks,
        "may_approve": _may_approve,
        "approved_by_two": _approved_by_two,
        "embargo_ahead": _embargo_ahead,
        "embargo_over": _embargo_over,
        "not_expired": _not_expired,
        "expired": _expired,
        "consent_lapsed": _consent_lapsed,
        "outcome_written": _outcome_written,
        "outcome_consented": _outcome_consented,
        "lessons_written": _lessons_written,
        "was_public": _was_public,
    }
)
