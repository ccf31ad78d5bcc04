"""An invented case, ready to be reviewed, and ways to bring it anywhere. Everything here is an exercise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from node import cases
from node.cases import Ask, Case, Grading, Office, Perpetrator, Person, Result, Source, Verification, Who, Words
from node.consents import Consent

NOW = datetime(2026, 11, 20, 10, 20, tzinfo=UTC)
DAY = timedelta(days=1)
AUTHOR = Who("a1", "author", "org1")
WORKER = Who("w1", "case_worker", "org1")
COORDINATOR = Who("c1", "coordinator", "org1")
FIRST, SECOND = Who("r1", "approver", "org1"), Who("r2", "approver", "org2")
LINK = "EXERCISE: she was threatened because of her meetings on water"


def consent(**changes):
    given = {
        "subject": "p1", "given_by": "self", "how": "signed", "given": NOW - DAY, "level": "public-anonymised",
        "valid_until": NOW + 90 * DAY, "taken_by": "case_worker",
    }  # fmt: skip
    return Consent(**given | changes)


def person(**changes):
    return Person(**{"subject": "p1", "name": "Amal Exercise", "situation": "free"} | changes)


def case(**changes) -> Case:
    """In draft, with all that a public alert needs."""
    return replace(
        Case(
            id="c" * 32,
            opened=NOW,
            state="draft",
            ask=Ask(language="ar", what="EXERCISE: an invented threat", contact="+999 000 111 222"),
            people=(person(),),
            sources=(Source("witness", "EXERCISE neighbour", independent=True), Source("court", document=True)),
            place_full="Example Quarter 7, Exercise Town, Iraq",
            consents=(consent(),),
            verification=Verification("two-independent", "confirmed"),
            strategy="public",
            risks="EXERCISE: publicity protects her; the family agrees",
            grading=Grading(
                country="IQ", severity="severe", urgency="immediate", certainty="likely", deadline=NOW + 20 * DAY,
                expires=NOW + 42 * DAY, violation_types=("threat",), relation_to_network="member",
            ),
            perpetrators=(Perpetrator("Major Exercise Invented", "a security force"),),
            offices=(Office("Ministry of Justice, exercise", "IQ", "ar"),),
            texts=(Words("en", "EXERCISE: a defender is threatened", "EXERCISE: what happened.", LINK, ("Stop",)),),
            authors=("a1",),
        ),
        **changes,
    )  # fmt: skip


def do(held: Case, *acts, at: datetime = NOW) -> Case:
    """The case after these (act, who) one after the other, all of them allowed."""
    for act, who in acts:
        done = cases.perform(held, act, who, at, "EXERCISE reason")
        assert not isinstance(done, cases.No), (act, done)
        held = done[0]
    return held


def approved(**changes) -> Case:
    return do(case(**changes), ("submit", AUTHOR), ("approve", FIRST), ("approve", SECOND))


def published(**changes) -> Case:
    return do(approved(**changes), ("publish", WORKER))


def result(**changes):
    return Result(**{"kind": "released", "text": "EXERCISE: released", "known": NOW + DAY} | changes)
