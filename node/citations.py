"""Citing an article of a charter: `DIGEST#NUMBER`, the digest of the text and the article's number.

Who cites names one frozen text: a later version does not change what was meant. The text need not be held here.
"""

import re
from dataclasses import dataclass

from node.errors import ProtocolError
from node.federation.protocol import digests

MAX_CITED = 20
"""Articles that one alert cites."""
MAX_LENGTH = 80
NUMBER = re.compile(r"[1-9][0-9]{0,2}(?:\.[1-9][0-9]{0,2}|[a-z])?")
"""How articles are numbered: 3, 3.2, 3a."""


@dataclass(frozen=True, slots=True)
class Citation:
    """One article of one text."""

    digest: str
    number: str

    def __str__(self) -> str:
        return f"{self.digest}#{self.number}"


def parse(text: str) -> Citation:
    """Read a citation.

    Raises:
        ProtocolError: it is none.
    """
    digest, _, number = text.partition("#")
    if NUMBER.fullmatch(number) is None:
        raise ProtocolError("an article is cited as DIGEST#NUMBER", spec="Tadamun charters 1")
    return Citation(digests.check_multibase(digest), number)
