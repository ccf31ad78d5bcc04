"""What colleagues say of a reply that is held, and what follows from it. Rules:

1. one verdict of each person counts, the newest; all of them stand there;
2. one who says that it is a threat is enough to treat it as one; then one who says that it is harmless;
3. one who calls it spam has it destroyed after seven days, if nobody says otherwise;
4. two who want it destroyed have it destroyed at once; nobody here destroys evidence, or what counts as a threat, in
   another way before its time;
5. evidence stays evidence, whatever is said of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

import orjson

from node import replies
from node.errors import RefusedError
from node.moments import hour_of

HARMLESS, THREAT, SPAM = "harmless", "threat", "spam"
VERDICTS = (HARMLESS, THREAT, SPAM)
TO_DESTROY = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one person said of a reply."""

    by: str
    """The person's id."""
    verdict: str
    hour: datetime


@dataclass(frozen=True, slots=True)
class Review:
    """What colleagues did with a reply; sealed, for nobody else learns who they are."""

    verdicts: tuple[Verdict, ...] = ()
    asked: str = ""
    """The id of the person who is asked to look as well."""
    destroy: tuple[str, ...] = ()
    """Ids of those who want it destroyed."""
    case: str = ""
    """The case that began with it."""

    def render(self) -> bytes:
        """As it is sealed."""
        return orjson.dumps({
            "verdicts": [[each.by, each.verdict, each.hour.isoformat()] for each in self.verdicts],
            "asked": self.asked,
            "destroy": list(self.destroy),
            "case": self.case,
        })  # fmt: skip


def parse_review(data: bytes) -> Review:
    """What `render` wrote."""
    value = orjson.loads(data)
    verdicts = tuple(Verdict(by, verdict, datetime.fromisoformat(hour)) for by, verdict, hour in value["verdicts"])
    return Review(verdicts, value["asked"], tuple(value["destroy"]), value["case"])


def judge(review: Review, by: str, verdict: str, now: datetime) -> Review:
    """Somebody says what it is; whoever was asked to look has looked then.

    Raises:
        RefusedError: there is no such verdict.
    """
    if verdict not in VERDICTS:
        raise RefusedError(f"a verdict is one of {', '.join(VERDICTS)}")
    others = tuple(each for each in review.verdicts if each.by != by)
    said = Verdict(by, verdict, hour_of(now))
    return replace(review, verdicts=(*others, said), asked="" if review.asked == by else review.asked)


def ask(review: Review, by: str, whom: str) -> Review:
    """A colleague is asked to look as well.

    Raises:
        RefusedError: oneself.
    """
    if whom == by:
        raise RefusedError("ask somebody else to look as well")
    return replace(review, asked=whom)


def want_destroyed(review: Review, by: str) -> Review:
    """Somebody wants it destroyed; two do it.

    Raises:
        RefusedError: they said so already.
    """
    if by in review.destroy:
        raise RefusedError("you said so already: another person must want it too")
    return replace(review, destroy=(*review.destroy, by))


def is_destroyed(review: Review) -> bool:
    """Whether enough people want it destroyed."""
    return len(set(review.destroy)) >= TO_DESTROY


def standing(review: Review, state: str) -> str:
    """The state that follows from what was said: evidence stays evidence, and the more careful word counts."""
    if state == replies.EVIDENCE:
        return replies.EVIDENCE
    said = {each.verdict for each in review.verdicts}
    return next((after for verdict, after in _AFTER.items() if verdict in said), replies.WAITING)


_AFTER: Mapping[str, str] = MappingProxyType(
    {THREAT: replies.THREAT, HARMLESS: replies.HARMLESS, SPAM: replies.DISMISSED}
)
"""The more careful word first."""
