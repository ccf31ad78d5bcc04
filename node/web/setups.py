"""Setting up an organisation in the browser: what was said so far, and the sheets that are not on paper yet.

It is held in memory alone and goes with the process. Nothing is made, and no key touches the disk, before the recovery
sheet was copied back from paper; then the organisation is made in one step, and the recovery key is let go of.

One link is one set-up. Whoever opens an empty node is told its link by `serve`; an organisation that keeps a place for
another on its node gets one at its desk (`models/hostings`).
"""

from dataclasses import dataclass, field
from datetime import datetime

from node import people_keys
from node.desk.founding import Founding
from node.desk.restoring import Restored
from node.errors import RefusedError
from node.federation.protocol import keys
from node.federation.protocol.keys import OrganisationKey
from node.web.sheets import Bearer, Sheets

_MOST = 20


@dataclass(slots=True)
class SetUp:
    """One set-up, under way."""

    host: str = ""
    """The host name that it is for; empty: whichever the node is opened at."""
    asked: Founding | None = None
    key: OrganisationKey | None = field(default=None, repr=False)
    """The organisation's own, which goes into the keyring when it is made."""
    sheets: Sheets = field(default_factory=Sheets, repr=False)
    restored: tuple[Restored, ...] = ()
    """Who is in the backup that was handed in instead."""
    done: bool = False

    def describe(self, asked: Founding) -> None:
        """What the organisation is. Sheets that bear other words are no use any more."""
        if asked != self.asked:
            self.asked, self.sheets = asked, Sheets()

    def draw(self, form: str, now: datetime) -> None:
        """Make a recovery key, and the sheets of it.

        Args:
            form: `whole`, or `parts` of which two of three are needed.

        Raises:
            RefusedError: neither, or it is not said yet whose they are.
        """
        if self.asked is None:
            raise RefusedError("begin again: what was typed is not here any more")
        self.key = self.key or keys.generate_organisation_key()
        asked = self.asked
        self.sheets.draw(form, Bearer(asked.name, asked.address, self.key.did, asked.language), now)


class SetUps:
    """Every set-up that is under way on one node, by the digest of its link."""

    def __init__(self) -> None:
        self._open: dict[str, SetUp] = {}

    def begin(self) -> str:
        """A link for whoever started an empty node; returns its token."""
        token = people_keys.new_token()
        self._open[people_keys.digest(token)] = SetUp()
        return token

    def admit(self, digest: str, host: str) -> SetUp:
        """The set-up of a place that is kept here; it begins when its link is opened first."""
        if digest not in self._open and len(self._open) >= _MOST:
            raise RefusedError("too many organisations are being set up here at once: wait until one is done")
        return self._open.setdefault(digest, SetUp(host=host))

    def find(self, token: str) -> SetUp | None:
        """The set-up behind a link."""
        return self._open.get(people_keys.digest(token))

    def close(self, token: str) -> None:
        """It is done: the link opens nothing any more."""
        self._open.pop(people_keys.digest(token), None)
