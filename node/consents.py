"""Consents of a case: who allowed what for whom, and what follows from it at one moment.

`effective` answers for each person how much may be said, and why. Rules, in order; the first that fits decides:

1. R1 An own word that is lower than anything else always counts, whenever it was given: who says no is heard.
2. R10 A relative of the person at risk speaks only for themselves.
3. R11 For a minor a guardian's word is needed beside their own, and it never allows a name.
4. R1 An own word given in freedom counts, the newest one. One given in custody raises nothing above an instruction.
5. R1 The person's advance instruction prevails over family and lawyer, in the situations it was written for.
6. R1 Family counts only where the case worker recorded, with a reason, that family is not a source of threat. Of family
   and lawyer the lower word counts. An organisation's mandate speaks for the organisation, never for a person.
7. R1 Nobody can be reached, and nobody may speak: a written necessity, reviewed within 72 hours. The two approvers it
   needs are those of the text: each reads the necessity in a session of their own (`approvals.needed`).
8. R1 What is told of an outcome needs a word given after the outcome was known.

What was valid until a moment lapses at it: nothing is sent any more, a banner says so, and the text is deleted thirty
days later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from node.alert_terms import CONSENT_GIVERS, CONSENT_LEVELS

NOTHING = "nothing"
LEVELS = (NOTHING, *CONSENT_LEVELS)
"""In rising order: each allows what stands before it."""
PRIVATE, NETWORK, ANONYMISED, NAMED = CONSENT_LEVELS
SELF, FAMILY, LAWYER, MANDATE, PRESUMED = GIVERS = CONSENT_GIVERS
SITUATIONS = ("free", "detained", "disappeared", "killed", "unreachable")
EXCLUDABLE = ("photo", "place", "family", "health", "work")
REVIEW_WITHIN = timedelta(hours=72)
DELETE_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Consent:
    """One word of one giver for one person. It never leaves the organisation."""

    subject: str
    """The person's name within the case: `p1`, `p2` …"""
    given_by: str
    how: str
    """Voice, signed, in person …"""
    given: datetime
    level: str
    valid_until: datetime
    taken_by: str
    """The role that took it down."""
    excluded: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """Empty: any."""
    audiences: tuple[str, ...] = ()
    """What the giver said of whom it may reach, in their own words."""
    withdrawal_contact: str = ""
    """How they can take it back."""
    free: bool = True
    """It was given in freedom, not in custody or before those who threaten."""
    advance: bool = False
    """An instruction for the day when the person cannot speak."""
    text: str = ""
    """What the instruction says."""
    scope: tuple[str, ...] = ()
    """The situations it was written for; empty: all."""
    family_safe: bool = False
    """The case worker recorded that family is not a source of threat."""
    family_reason: str = ""
    necessity: str = ""
    """Why nobody can be waited for (with `presumed`)."""
    reviewed: datetime | None = None
    withdrawn: datetime | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What must be known of a person to weigh words about them."""

    subject: str
    situation: str = "free"
    minor: bool = False
    relative: bool = False
    collective: bool = False
    """An organisation, a group or a community."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How much may be said of one person now, and why."""

    subject: str
    level: str
    reason: str
    given_by: str = ""
    valid_until: datetime | None = None
    excluded: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    lapsed: bool = False
    """There was a word, and its time has passed."""
    necessity: str = ""
    """What was written down for a presumption."""

    def allows(self, level: str) -> bool:
        """Whether this much may be said."""
        return rank(self.level) >= rank(level)


def rank(level: str) -> int:
    """The place of a level; what is not known allows nothing."""
    return LEVELS.index(level) if level in LEVELS else 0


def effective(
    people: Sequence[About], consents: Sequence[Consent], now: datetime, *, outcome: datetime | None = None
) -> tuple[Standing, ...]:
    """How much may be said of each person at `now`.

    Args:
        outcome: when the outcome became known, if it is the outcome that is to be told: older words then do not count.
    """
    return tuple(_standing(person, _words(person, consents, now, outcome), now, outcome) for person in people)


def level_of(standings: Sequence[Standing]) -> str:
    """The lowest level of all: what a text about all of them may be. Of nobody nothing may be said."""
    return min((each.level for each in standings), key=rank, default=NOTHING)


def lapses(standings: Sequence[Standing]) -> datetime | None:
    """When the first of these words ends."""
    return min((each.valid_until for each in standings if each.valid_until is not None), default=None)


def deletes(lapsed: datetime) -> datetime:
    """When the text of what lapsed is deleted."""
    return lapsed + DELETE_AFTER


def _words(
    person: About, consents: Sequence[Consent], now: datetime, outcome: datetime | None
) -> tuple[Consent, ...]:
    """What was said about this person by now, newest first."""
    mine = [each for each in consents if each.subject == person.subject and each.given <= now]
    if outcome is not None:
        mine = [each for each in mine if each.given >= outcome or rank(each.level) <= rank(PRIVATE) or each.withdrawn]
    return tuple(sorted(mine, key=lambda each: each.given, reverse=True))


def _standing(person: About, words: tuple[Consent, ...], now: datetime, outcome: datetime | None) -> Standing:
    own = _own(words)
    if own is not None and _taken_back(own, now):
        return Standing(person.subject, NOTHING, "R1: the person took their word back", SELF)
    if own is not None and rank(own.level) <= rank(PRIVATE):
        return _of(own, "R1: the person allows no more")
    if person.minor:
        return _of_minor(person, own, words, now)
    if person.relative:
        if own is None:
            return Standing(person.subject, NOTHING, "R10: a relative needs a consent of their own")
        return _timed(own, "R10: the relative's own word", now)
    instruction = _instruction(person, words, now)
    if own is not None and (own.free or instruction is None or rank(own.level) <= rank(instruction.level)):
        if own.free or instruction is not None:
            return _timed(own, "R1: the person's own word", now)
        return Standing(person.subject, NOTHING, "R1: the only own word was not given in freedom", SELF)
    if instruction is not None:
        return _timed(instruction, "R1: the advance instruction prevails", now)
    return _of_others(person, words, now, outcome)


def _own(words: Sequence[Consent]) -> Consent | None:
    return next((each for each in words if each.given_by == SELF and not each.advance), None)


def _instruction(person: About, words: Sequence[Consent], now: datetime) -> Consent | None:
    """Only the newest instruction counts; what was taken back counts for nothing."""
    newest = next((each for each in words if each.given_by == SELF and each.advance), None)
    if newest is None or _taken_back(newest, now) or person.situation == "free" or not newest.text.strip():
        return None
    return newest if not newest.scope or person.situation in newest.scope else None


def _of_minor(person: About, own: Consent | None, words: Sequence[Consent], now: datetime) -> Standing:
    spoken = _newest_of_each([each for each in words if each.given_by in (FAMILY, LAWYER)])
    guardian = None if any(_taken_back(each, now) for each in spoken) else _lowest(_others(words, now))
    if guardian is None:
        return Standing(person.subject, NOTHING, "R11: a minor's word needs a guardian's beside it")
    both = min((guardian, own), key=lambda each: rank(each.level)) if own is not None else guardian
    found = _timed(both, "R11: with a guardian's word, and never by name", now)
    return _capped(found, ANONYMISED)


def _of_others(person: About, words: Sequence[Consent], now: datetime, outcome: datetime | None) -> Standing:
    if person.collective:
        mandate = next((each for each in words if each.given_by == MANDATE), None)
        if mandate is not None and not _taken_back(mandate, now):
            return _timed(mandate, "R1: the organisation's mandate", now)
        return Standing(person.subject, NOTHING, "R1: nobody with a mandate has spoken")
    if person.situation == "free":
        return Standing(person.subject, NOTHING, "R1: who is free and can be asked speaks for themselves")
    spoken = [each for each in words if each.given_by in (FAMILY, LAWYER)]
    if any(_taken_back(each, now) for each in _newest_of_each(spoken)):
        return Standing(person.subject, NOTHING, "R1: family or lawyer took their word back")
    word = _lowest(_others(words, now))
    if word is not None:
        return _timed(word, f"R1: {word.given_by} speaks for who cannot", now)
    if spoken:
        return Standing(person.subject, NOTHING, "R1: family counts once it is recorded that they are no threat")
    presumed = next((each for each in words if each.given_by == PRESUMED), None)
    if presumed is None:
        reason = "R1: told of the outcome, a fresh consent is needed" if outcome else "R1: nobody gave a consent"
        return Standing(person.subject, NOTHING, reason)
    return _of_presumed(presumed, now)


def _of_presumed(word: Consent, now: datetime) -> Standing:
    if _taken_back(word, now) or not word.necessity.strip():
        reason = "R1: a presumption needs a written necessity"
        return Standing(word.subject, NOTHING, reason, PRESUMED)
    due = word.given + REVIEW_WITHIN
    if word.reviewed is None or word.reviewed > due:
        ends = min(due, word.valid_until)
        found = _timed(word, "R1: presumed, to be reviewed within 72 hours", now, ends)
    else:
        found = _timed(word, "R1: presumed and reviewed", now)
    return replace(_capped(found, ANONYMISED), necessity=word.necessity)


def _others(words: Sequence[Consent], now: datetime) -> list[Consent]:
    spoken = _newest_of_each([each for each in words if each.given_by in (FAMILY, LAWYER)])
    return [each for each in spoken if not _taken_back(each, now) and (each.given_by == LAWYER or _is_safe(each))]


def _is_safe(word: Consent) -> bool:
    return word.family_safe and bool(word.family_reason.strip())


def _newest_of_each(words: Sequence[Consent]) -> list[Consent]:
    found: dict[str, Consent] = {}
    for each in words:
        found.setdefault(each.given_by, each)
    return list(found.values())


def _lowest(words: Sequence[Consent]) -> Consent | None:
    return min(words, key=lambda each: rank(each.level), default=None)


def _taken_back(word: Consent, now: datetime) -> bool:
    return word.withdrawn is not None and word.withdrawn <= now


def _of(word: Consent, reason: str) -> Standing:
    return Standing(
        word.subject, word.level, reason, word.given_by, word.valid_until, word.excluded, word.languages
    )


def _timed(word: Consent, reason: str, now: datetime, ends: datetime | None = None) -> Standing:
    until = ends or word.valid_until
    if until <= now:
        reason = f"R1: the consent was valid until a day that has passed ({until:%Y-%m-%d})"
        return Standing(word.subject, NOTHING, reason, word.given_by, until, lapsed=True)
    return Standing(word.subject, word.level, reason, word.given_by, until, word.excluded, word.languages)


def _capped(found: Standing, most: str) -> Standing:
    return replace(found, level=min(found.level, most, key=rank))
