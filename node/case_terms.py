"""The life of a case as one table: from which state which act leads where, who may do it, what must be true first.

`STEPS` is read by `cases.decide` and by nobody else; conditions are named here and decided in `cases`. A technical
administrator stands nowhere in it, nor does the person the case is about. Who may act is told by role, never by name.

```
request → triage → verify → consent → strategy → draft → review → (embargo)
        → published → action → outcome → closed → lessons
```

beside them declined, referred, withdrawn (for ever), expired and lapsed (until a consent is renewed).
"""

from dataclasses import dataclass
from datetime import timedelta

REQUEST, TRIAGE, VERIFY, CONSENT, STRATEGY = "request", "triage", "verify", "consent", "strategy"
DRAFT, REVIEW, EMBARGO, PUBLISHED, ACTION = "draft", "review", "embargo", "published", "action"
OUTCOME, CLOSED, LESSONS = "outcome", "closed", "lessons"
DECLINED, REFERRED, WITHDRAWN, EXPIRED, LAPSED = "declined", "referred", "withdrawn", "expired", "lapsed"
STATES = (
    REQUEST, TRIAGE, VERIFY, CONSENT, STRATEGY, DRAFT, REVIEW, EMBARGO, PUBLISHED, ACTION, OUTCOME, CLOSED, LESSONS,
    DECLINED, REFERRED, WITHDRAWN, EXPIRED, LAPSED,
)  # fmt: skip
OPEN = tuple(each for each in STATES if each not in (CLOSED, LESSONS, DECLINED, REFERRED, WITHDRAWN))
AFTER_CONSENT = (STRATEGY, DRAFT, REVIEW, EMBARGO, PUBLISHED, ACTION, OUTCOME, EXPIRED)
"""States whose text rests on a consent: it lapses with it."""
SHOWN = (PUBLISHED, ACTION, OUTCOME, EXPIRED)
"""States in which an alert may stand in public."""

AUTHOR, APPROVER, CASE_WORKER, COORDINATOR, CLOCK = "author", "approver", "case_worker", "coordinator", "clock"
ROLES = (AUTHOR, APPROVER, CASE_WORKER, COORDINATOR, "administrator")
QUIET, NETWORK_ONLY, PUBLIC = "quiet", "network-only", "public"
STRATEGIES = (QUIET, NETWORK_ONLY, PUBLIC)

ANSWER_WITHIN, IMMINENT_WITHIN = timedelta(hours=24), timedelta(hours=4)
"""R14: what is promised to whoever asks."""
MONTH = timedelta(days=30)

_WORKERS = (CASE_WORKER, COORDINATOR)
_PUBLISHERS = (APPROVER, CASE_WORKER, COORDINATOR)
_TEXT = ("consent_covers", "link_written", "verified", "subjects_protected", "nothing_leaks")
_PUBLIC = (*_TEXT, "approved_by_two")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the table."""

    before: str
    act: str
    after: str
    who: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    """Names of rules in `cases.CONDITIONS`."""
    within: timedelta | None = None
    """How long the state that it leads to may last before somebody must act (R14)."""


def _each(
    states: tuple[str, ...], act: str, after: str, who: tuple[str, ...], conditions: tuple[str, ...] = (),
    within: timedelta | None = None,
) -> tuple[Step, ...]:  # fmt: skip
    """The same line from several states."""
    return tuple(Step(state, act, after, who, conditions, within) for state in states)


STEPS: tuple[Step, ...] = (
    Step(REQUEST, "take", TRIAGE, _WORKERS, within=timedelta(hours=24)),
    Step(TRIAGE, "accept", VERIFY, _WORKERS, within=timedelta(days=3)),
    *_each((REQUEST, TRIAGE, VERIFY), "decline", DECLINED, _WORKERS, ("reason_given",)),
    *_each((REQUEST, TRIAGE, VERIFY, STRATEGY), "refer", REFERRED, _WORKERS, ("reason_given",)),
    *_each((DECLINED, REFERRED), "reopen", TRIAGE, (COORDINATOR,), ("reason_given",)),
    Step(VERIFY, "verify", CONSENT, (CASE_WORKER,), ("verified",), timedelta(days=3)),
    Step(CONSENT, "consent", STRATEGY, (CASE_WORKER,), ("consent_recorded",), timedelta(days=3)),
    Step(STRATEGY, "quiet", ACTION, _WORKERS, ("consent_recorded",)),
    Step(STRATEGY, "network-only", DRAFT, _WORKERS, ("publicity_weighed",), timedelta(days=1)),
    Step(STRATEGY, "public", DRAFT, _WORKERS, ("publicity_weighed",), timedelta(days=1)),
    Step(DRAFT, "submit", REVIEW, (AUTHOR, CASE_WORKER), _TEXT, timedelta(days=1)),
    Step(REVIEW, "approve", REVIEW, (APPROVER, COORDINATOR), (*_TEXT, "may_approve"), timedelta(days=1)),
    Step(REVIEW, "return", DRAFT, (*_PUBLISHERS, AUTHOR), within=timedelta(days=1)),
    Step(REVIEW, "hold", EMBARGO, _PUBLISHERS, (*_PUBLIC, "embargo_ahead")),
    Step(EMBARGO, "return", DRAFT, _PUBLISHERS),
    *_each((REVIEW, EMBARGO), "publish", PUBLISHED, _PUBLISHERS, (*_PUBLIC, "embargo_over", "not_expired")),
    Step(PUBLISHED, "start", ACTION, _PUBLISHERS),
    *_each((PUBLISHED, ACTION, EXPIRED), "revise", DRAFT, (AUTHOR, CASE_WORKER), ("was_public",)),
    *_each((PUBLISHED, ACTION, EXPIRED), "conclude", OUTCOME, (CASE_WORKER,), ("outcome_written",), timedelta(days=7)),
    Step(OUTCOME, "close", CLOSED, _WORKERS, ("outcome_consented", "subjects_protected"), timedelta(days=30)),
    Step(OUTCOME, "close-quietly", CLOSED, _WORKERS, within=timedelta(days=30)),
    Step(CLOSED, "review", LESSONS, _PUBLISHERS, ("lessons_written",)),
    *_each((PUBLISHED, ACTION), "expire", EXPIRED, (CLOCK, CASE_WORKER), ("expired",)),
    *_each(AFTER_CONSENT, "lapse", LAPSED, (CLOCK, CASE_WORKER), ("consent_lapsed",)),
    Step(LAPSED, "renew", CONSENT, (CASE_WORKER,), ("consent_recorded",), timedelta(days=3)),
    *_each((*OPEN, CLOSED, LESSONS), "withdraw", WITHDRAWN, _PUBLISHERS),
)


def step(state: str, act: str) -> Step | None:
    """The line for this act in this state."""
    return next((each for each in STEPS if each.before == state and each.act == act), None)


def acts(state: str, role: str) -> tuple[str, ...]:
    """What somebody of this role may try in this state."""
    return tuple(each.act for each in STEPS if each.before == state and role in each.who)
