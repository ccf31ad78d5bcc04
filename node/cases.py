"""Cases: what may be done with one, by whom, and when. The face of the `case_…` files beside it.

`case_terms` has the table, `case_documents` the document, `case_alerts` what becomes public, `consents` who allowed
what. `decide` answers for one act; `perform` carries it out on the document. Rules, in order:

1. The act stands in the table for this state. (B3) What was withdrawn never comes back.
2. The role may do it; who the case is about does nothing in it, an administrator does nothing at all. (R2)
3. Every condition of the line holds, each with its number; all that fail are named at once.

Conditions: R1 consent covers what is to be said, now and for everybody named; R2 two approvers, neither an author of
the text nor the person concerned, of exactly this text, and for a named person one of them of another organisation;
R4 and R9 nothing sealed stands in the text; R6 two sources, or one and a document; R8 no embargo is open; R10 and R11
relatives and minors; A1 the link between attack and work is written; R17 retention follows the closing. They are
decided in `case_conditions`.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from node import consents as words
from node.case_alerts import digest, public_alert, standings
from node.case_conditions import CONDITIONS, Look, Who, consent_covers
from node.case_documents import (
    MAX_CASE,
    Act,
    Approval,
    Ask,
    Case,
    Grading,
    Office,
    Perpetrator,
    Person,
    Result,
    Retention,
    Source,
    Verification,
    Words,
    next_hour,
    parse,
    render,
)
from node.case_terms import (
    AFTER_CONSENT,
    ANSWER_WITHIN,
    CLOSED,
    IMMINENT_WITHIN,
    LAPSED,
    LESSONS,
    MONTH,
    OUTCOME,
    PUBLISHED,
    REQUEST,
    SHOWN,
    STATES,
    WITHDRAWN,
    Step,
    acts,
    step,
)
from node.moments import hour_of

__all__ = [
    "AFTER_CONSENT", "CLOSED", "LAPSED", "LESSONS", "MAX_CASE", "OUTCOME", "PUBLISHED", "REQUEST", "SHOWN", "STATES",
    "WITHDRAWN", "Act", "Approval", "Ask", "Audit", "Case", "Grading", "Move", "No", "Office", "Perpetrator", "Person",
    "Result", "Retention", "Source", "Verification", "Who", "Words", "acts", "answered", "awaited", "bring", "decide",
    "deletes", "digest", "ends_earlier", "lapses", "next_hour", "opened", "parse", "perform", "public_alert",
    "render", "revise", "standings", "unsupported",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audit:
    """What the audit notes of an act: never a word of the case (R9)."""

    role: str
    act: str
    case: str
    hour: datetime


@dataclass(frozen=True, slots=True)
class Move:
    """Yes: the case goes on to this state."""

    after: str
    due: datetime | None
    audit: Audit
    unpublish: bool = False
    """What stands in public is taken back at once."""


@dataclass(frozen=True, slots=True)
class No:
    """No. Each reason begins with the rule's number."""

    reasons: tuple[str, ...]


def opened(name: str, ask: Ask, now: datetime) -> Case:
    """A case from a first word; somebody answers within the promised time (R14)."""
    within = IMMINENT_WITHIN if ask.imminent else ANSWER_WITHIN
    due = next_hour(now + within)
    return Case(id=name, opened=hour_of(now), imminent=ask.imminent, due=due, promised=due, ask=ask)


def answered(case: Case, who: Who, now: datetime) -> Case:
    """Whoever asked has an answer: the promise is kept (R14)."""
    due = None if case.due == case.promised else case.due
    return replace(case, answered=True, due=due).did(who.role, "answer", now)


def decide(case: Case, act: str, who: Who, now: datetime, note: str = "") -> Move | No:
    """Judge one act.

    Args:
        note: why, for those acts that want a reason.
    """
    line = step(case.state, act)
    if line is None:
        if case.state == WITHDRAWN:
            return No(("B3: what was withdrawn never comes back",))
        return No((f"B3: this step does not follow from here ({act[:20]}; {case.state})",))
    if who.role not in line.who:
        return No((f"R2: this step is for other roles ({'; '.join(line.who)})",))
    if who.id and who.id in {person.account for person in case.people if person.account}:
        return No(("R2: who the case is about does not act in it",))
    look = Look(case, who, now, note)
    reasons = tuple(reason for name in line.conditions for reason in CONDITIONS[name](look))
    if reasons:
        return No(reasons)
    audit = Audit(who.role, act, case.id, hour_of(now))
    return Move(line.after, _due(case, line, now), audit, line.after == WITHDRAWN and bool(case.alert))


def perform(case: Case, act: str, who: Who, now: datetime, note: str = "") -> tuple[Case, Move] | No:
    """The case after an act, or why not."""
    move = decide(case, act, who, now, note)
    if isinstance(move, No):
        return move
    changed = replace(case, state=move.after, due=move.due).did(who.role, act, now, note)
    match act:
        case "quiet" | "network-only" | "public":
            changed = replace(changed, strategy=act)
        case "approve":
            given = Approval(who.id, who.role, who.organisation, digest(case, now), hour_of(now))
            changed = replace(changed, approvals=(*case.approvals, given))
        case "submit":
            changed = replace(changed, authors=_with(case.authors, who.id), approvals=())
        case "return" | "revise" | "renew":
            changed = replace(changed, approvals=())
    return changed, move


def revise(case: Case, changed: Case, who: Who, now: datetime) -> Case:
    """A document that somebody wrote in: state, history, approvals, authors and times are not for writing.

    Whoever changes what becomes public is one of its authors (R2).
    """
    kept = replace(
        changed, id=case.id, opened=case.opened, state=case.state, due=case.due, strategy=case.strategy,
        promised=case.promised, answered=case.answered,
        authors=case.authors, approvals=case.approvals, asked=case.asked, alert=case.alert, history=case.history,
    )  # fmt: skip
    if digest(kept, now) != digest(case, now):
        kept = replace(kept, authors=_with(case.authors, who.id))
    return kept.did(who.role, "write", now)


def bring(case: Case, given: Approval, now: datetime) -> Case | No:
    """Count an approval that was given where only the public text is shown (approvers do not enter the cases' room)."""
    if given.digest != digest(case, now):
        return No(("R2: it was given to another text",))
    done = perform(case, "approve", Who(given.who, given.role, given.organisation), now)
    return done if isinstance(done, No) else done[0]


def ends_earlier(before: Case, after: Case, now: datetime) -> bool:
    """Whether what stands in public must be told to end earlier than it says (R1)."""
    if not after.alert or after.state not in SHOWN:
        return False
    old, new = (words.lapses(standings(each, now)) for each in (before, after))
    expires = after.grading.expires
    return new is not None and (old is None or new < old) and (expires is None or new < expires)


def unsupported(case: Case, now: datetime) -> str:
    """Why what stands in public may stand there no longer, empty where it may (R1: lowering un-publishes at once)."""
    if not case.alert or case.state not in (*SHOWN, "draft", "review", "embargo"):
        return ""
    if any(each.lapsed for each in standings(case, now)):
        return ""  # what only lapsed stops, and has thirty days to be renewed
    return next(consent_covers(Look(case, Who("", ""), now, "")), "")


def lapses(case: Case, now: datetime) -> datetime | None:
    """When the consent ends that this case, or what stands in public of it, rests on; to the hour before."""
    if case.state == LAPSED or not (case.state in AFTER_CONSENT or case.alert):
        return None
    found = words.lapses(standings(case, now))
    return None if found is None else hour_of(found)


def deletes(case: Case, now: datetime) -> datetime | None:
    """R17: when a case that has come to its end is deleted."""
    if case.state in (CLOSED, LESSONS):
        return next_hour(now + MONTH * max(1, case.retention.months))
    if case.state == LAPSED:
        return next_hour(words.deletes(now))
    if case.state in ("declined", "referred", WITHDRAWN):
        return next_hour(now + MONTH)
    return None


def awaited(case: Case, now: datetime) -> bool:
    """R14: somebody waits for longer than was promised."""
    return case.due is not None and case.due <= now


def _due(case: Case, line: Step, now: datetime) -> datetime | None:
    promised = None if case.answered else case.promised  # who asked still waits, whatever else is done
    if line.within is None:
        return promised
    due = next_hour(now + (min(line.within, IMMINENT_WITHIN) if case.imminent else line.within))
    return due if promised is None else min(due, promised)


def _with(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return names if name in names else (*names, name)
