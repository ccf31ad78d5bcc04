"""What templates get: plain values, ready to be shown, and nothing that leads back to a row.

Every piece of text that somebody wrote comes with its language (BCP 47; empty means nobody said), so that it
can stand in its own element. Codes (severity, kind, country …) stay codes: the catalogue has the words.
Moments are aware datetimes. Paths start with a stroke and carry no query. A view has no field for anything
that is not public: filling one is whitelisting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from node.web.charters import CitedView
from node.web.directory_views import DirectoryView

State = Literal["current", "updated", "corrected", "closed", "expired"]
Status = Literal["actual", "exercise", "test", "unknown"]
"""A status we do not know is not taken for real."""

Caveat = Literal["gap", "fork", "frozen", "proven"]


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed that really is served: `kind` is atom, json or cap."""

    kind: Literal["atom", "json", "cap"]
    path: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page."""

    organisation: str
    """The name of the organisation whose node this is; empty only where even that could not be read."""

    organisation_language: str
    path: str
    """This page's own path."""

    nav: str = ""
    """Which entry of the navigation is current: home, alerts, members, groups, charters, or none."""

    choice: str | None = None
    """The language the reader chose by `?lang=`; links carry it on. Nothing is remembered anywhere else."""

    noindex: bool = False
    requests: bool = False
    """Whether there is a page to ask for help confidentially."""

    feeds: tuple[Feed, ...] = ()
    copied: datetime | None = None
    """When this copy as a file was made; `None` on the node itself."""

    live: str = ""
    """The address of this page on the node, for a copy."""


@dataclass(frozen=True, slots=True)
class AlertCard:
    """One alert in a list."""

    path: str
    author_name: str
    author_language: str
    author_path: str
    headline: str
    language: str
    kind: str
    country: str
    severity: str
    urgency: str
    certainty: str
    published: datetime | None
    updated: datetime | None = None
    state: State = "current"
    status: Status = "actual"
    verified: bool = True
    """The author's own proof holds. Says nothing about the facts."""

    via: str | None = None
    """The host this copy came from, where that is not the author's own."""

    reference: str = ""
    warnings: tuple[Caveat, ...] = ()
    declared: int = 0
    """So many organisations of the network declare that the author's key is no longer to be trusted."""

    updates: int = 0
    """So many pieces of news belong to it."""

    latest: datetime | None = None
    """When the newest of them was published."""


@dataclass(frozen=True, slots=True)
class NewsItem:
    """One piece of news in the story of an alert."""

    path: str
    headline: str
    language: str
    published: datetime | None
    state: State = "current"
    correction: str = ""
    narrative: str = ""
    """Plain text; empty where only its own page has it."""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The narrative, parted at its empty lines."""
        return _paragraphs(self.narrative)


@dataclass(frozen=True, slots=True)
class Whole:
    """The story that a piece of news belongs to."""

    path: str
    headline: str
    language: str


@dataclass(frozen=True, slots=True)
class Signature:
    """One organisation that signed and agreed to be named."""

    name: str
    language: str
    path: str


@dataclass(frozen=True, slots=True)
class Handed:
    """The list as it was handed over."""

    at: datetime
    to: str
    count: int


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signed an alert, as far as this node knows."""

    phase: Literal["open", "closed", "delivered"]
    names: tuple[Signature, ...]
    unnamed: int
    """Those who signed and did not agree to be named as members, or whose names are withheld."""

    known: int
    """Organisations that could sign."""

    digest: str
    opens: datetime
    closes: datetime
    as_of: datetime
    changed: bool = False
    network: bool = False
    """It is the network's as a whole."""

    handed: Handed | None = None

    @property
    def count(self) -> int:
        """Everyone who signed."""
        return len(self.names) + self.unnamed


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was seen and should not have been."""

    fault: str
    name: str
    language: str
    path: str
    host: str
    made: datetime
    proven: bool
    here: bool
    """This node saw it itself."""
    witnesses: int
    """Members who tell of it."""
    document: str
    """The address of the document."""


@dataclass(frozen=True, slots=True)
class SeenList:
    """Evidence, newest first; `unnamed` is about members who are not named here."""

    seen: tuple[Seen, ...] = ()
    unnamed: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an alert is about, as far as its author shows: the name is empty where it is withheld."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Target:
    """An office that is asked to act."""

    office: str
    country: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an office answered."""

    by: str
    kind: str
    day: datetime | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on an alert's page. A path is empty while this node does not hold the file."""

    alt: str
    path: str
    thumbnail: str
    width: int
    height: int
    """Of the thumbnail, so that the page does not jump when it comes."""
    kilobytes: int
    """Of the whole picture: readers pay for it."""


@dataclass(frozen=True, slots=True)
class Share:
    """An alert as it is passed on: by messenger, and as other sites preview it."""

    text: str
    language: str
    ways: tuple[tuple[str, str], ...]
    """(name, address) of applications on the reader's own device."""
    title: str
    description: str
    address: str
    """Of the page, absolute."""
    site: str
    """The name of the organisation whose node this is."""

    @property
    def locale(self) -> str:
        """As OpenGraph writes a language."""
        return self.language.replace("-", "_")


@dataclass(frozen=True, slots=True)
class AlertPage:
    """One alert, whole. `narrative` is shown where there is one, else the cleaned `content_html`."""

    card: AlertCard
    did: str
    handle: str
    epoch: int
    sequence: int
    proof_url: str
    original_url: str
    content_html: str = ""
    """As received: the template cleans it."""

    narrative: str = ""
    """Plain text; an empty line parts paragraphs."""

    link_to_work: str = ""
    demands: tuple[str, ...] = ()
    subjects: tuple[Subject, ...] = ()
    targets: tuple[Target, ...] = ()
    deadline: datetime | None = None
    expires: datetime | None = None
    outcome: str = ""
    """What the author wrote when closing it."""

    outcome_result: str = ""
    outcome_attribution: str = ""
    answers: tuple[Answer, ...] = ()
    """Oldest first."""

    do_not: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    letters_path: str = ""
    """Where letters to those addressed are; empty where nobody is asked to write."""

    correction: str = ""
    """The author's reason for a correction."""

    violation_types: tuple[str, ...] = ()
    cited: tuple[CitedView, ...] = ()
    """Articles of charters that it speaks of."""

    drivers: tuple[str, ...] = ()
    relation_to_network: str = ""
    endorsement_mode: str = ""
    company_or_project: str = ""
    verification_level: str = ""
    """How the author says the facts were checked."""

    translations: tuple[tuple[str, str], ...] = ()
    """(language, path) of the same alert in other languages."""

    bundle_path: str = ""
    """Where its proof can be saved; empty for what is not given to everyone."""

    qr_path: str = ""
    pictures: tuple[Shown, ...] = ()

    cap_path: str = ""
    """Where it can be had for alerting systems; empty where it cannot."""

    share: Share | None = None
    """`None` for what is not to be passed on: exercises, and what its author's proof does not hold for."""

    sisters: tuple[str, ...] = ()
    """Addresses where other nodes show the same alert."""

    news: tuple[NewsItem, ...] = ()
    """What is new about it, the newest first."""

    whole: Whole | None = None
    """With news: the story it belongs to."""

    signing: Signing | None = None

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The narrative, parted at its empty lines."""
        return _paragraphs(self.narrative)

    @property
    def old(self) -> bool:
        """Whether a reader must not act on this any more."""
        return self.card.state in ("closed", "expired")


@dataclass(frozen=True, slots=True)
class Office:
    """An office with the letters to it, and the contacts that it publishes itself."""

    office: str
    language: str
    """The language of the alert, in which the office is named."""

    body: str = ""
    country: str = ""
    checked: datetime | None = None
    email: str = ""
    post: str = ""
    fax: str = ""
    web: str = ""
    letters: tuple[tuple[str, str], ...] = ()
    """(language, path) of each letter, the office's own language first."""


@dataclass(frozen=True, slots=True)
class LetterList:
    """The offices that an alert addresses; `reason` where nobody is asked to write."""

    card: AlertCard
    offices: tuple[Office, ...] = ()
    do_not: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LetterPage:
    """One letter."""

    card: AlertCard
    office: Office
    language: str
    rtl: bool
    text: str
    organisation: bool
    """An organisation sends it, and not a person."""

    drill: bool
    path: str
    other_path: str
    """The same letter for the other kind of sender."""

    print_path: str
    list_path: str
    mail: str = ""
    """`mailto:` link; empty where there is none to be given."""

    whole: bool = True
    """Whether the link carries the text too."""

    facts_language: str = ""
    """The language of the facts, where that is another than the letter's."""

    do_not: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertList:
    """A page of alerts; exercises stand apart and are never among the others."""

    alerts: tuple[AlertCard, ...] = ()
    exercises: tuple[AlertCard, ...] = ()
    newer: str | None = None
    older: str | None = None


@dataclass(frozen=True, slots=True)
class MemberCard:
    """One organisation that agreed to be listed."""

    name: str
    language: str
    country: str
    handle: str
    did: str
    path: str
    alerts_count: int = 0
    declared: int = 0
    """So many organisations declare that its key is no longer to be trusted."""


@dataclass(frozen=True, slots=True)
class MemberList:
    """Those who agreed to be listed, and the number of those who did not."""

    listed: tuple[MemberCard, ...] = ()
    unlisted: int = 0
    directory: DirectoryView | None = None
    """The network that is shown here."""

    elsewhere: int = 0
    """Those of whom copies are kept and who are named with the network."""

    @property
    def total(self) -> int:
        """All members, listed or not."""
        return len(self.listed) + self.unlisted + self.elsewhere


@dataclass(frozen=True, slots=True)
class OrganisationView:
    """An organisation's own page, and the head of the home page."""

    name: str
    language: str
    country: str
    handle: str
    did: str
    path: str
    languages: tuple[str, ...] = ()
    summary: str = ""
    """Plain text in `language`."""

    alerts: tuple[AlertCard, ...] = ()
    """The newest ones; actual alerts only."""

    older: str | None = None
    warnings: tuple[Caveat, ...] = ()
    declared: int = 0
    """As with an alert."""


@dataclass(frozen=True, slots=True)
class HomeView:
    """The front page of a node."""

    organisation: OrganisationView
    members_count: int = 0


@dataclass(frozen=True, slots=True)
class PressView:
    """The page for journalists."""

    contact: str = ""
    language: str = ""
    """Of the contact."""
    alerts: tuple[AlertCard, ...] = ()
    languages: tuple[str, ...] = ()
    """In which there are feeds of their own."""

    @property
    def mail(self) -> str:
        """The contact, where it is an e-mail address and nothing else."""
        name, at, host = self.contact.partition("@")
        plain = self.contact.isascii() and not set(self.contact) & set(" ?&%#/:<>\"'")
        return self.contact if at and name and "." in host and plain else ""


@dataclass(frozen=True, slots=True)
class BundleView:
    """The page that takes files in, and what came of one."""

    done: bool = False
    problem: int = 0
    """The HTTP status of a file that was not read; 0 where there is no problem."""

    new: int = 0
    held: int = 0
    skipped: int = 0
    refused: int = 0
    reasons: tuple[str, ...] = ()
    """What was refused, each with its rule, in English as the standards write."""

    alerts: tuple[tuple[str, str, str], ...] = ()
    """(path, headline, language) of the alerts that came."""


@dataclass(frozen=True, slots=True)
class PersonView:
    """One person, on the desk."""

    id: str
    name: str
    language: str
    roles: tuple[str, ...]
    state: str
    factors: int
    made: datetime
    confirmed: datetime | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session of whoever looks."""

    name: str
    """Enough of its digest to end it."""

    made: datetime
    seen: datetime
    shared: bool
    here: bool
    """It is the one that looks."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """The page where anybody may ask for help, and what came of it."""

    open: bool = True
    """Somebody is there who could read it."""

    problem: int = 0
    """The HTTP status of a form that was not taken; 0 where there is no problem."""

    fields: tuple[str, ...] = ()
    """Which fields were empty or too long."""

    said: Mapping[str, str] = field(default_factory=dict)
    """What they wrote, given back to be mended: nobody writes such a thing twice."""

    number: str = ""
    """The receipt, in groups of four; on one page, once."""

    imminent: bool = False


@dataclass(frozen=True, slots=True)
class ThreadView:
    """What a receipt number opens: answers, never what was asked."""

    opened: bool = False
    problem: int = 0
    answers: tuple[tuple[datetime, str], ...] = ()
    added: bool = False
    """More words were taken in just now."""

    refused: bool = False
    """More words were too long, or the thread is full."""


def _paragraphs(text: str) -> tuple[str, ...]:
    parts = text.replace("\r\n", "\n").split("\n\n")
    return tuple(part.strip() for part in parts if part.strip())
