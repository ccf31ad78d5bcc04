"""An alert as an operator hands it in: read once, every mistake named at once.

`parse_input` decides what is a well-formed alert; whether it may leave the house is for `alert_checks`.

The audience is chosen before the text is written: `network` where nothing is said. What is not for everyone
is sealed to the members it is for and stands in no log; members can be left out by name or by country.

Fields that belong to the organisation alone (`ORG_FIELDS`, consent, contacts) are kept in `Alert` and never
rendered.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node import citations
from node.alert_countries import COUNTRIES
from node.alert_forms import Form
from node.alert_offices import MAX_CONTACT, MAX_WEB, is_email, is_fax, is_web
from node.alert_terms import (
    ACTIONS,
    AUDIENCES,
    CERTAINTIES,
    CONSENT_GIVERS,
    CONSENT_LEVELS,
    ENDORSEMENT_MODES,
    KINDS,
    PRESUMED,
    PUBLICATION_LEVELS,
    SEVERITIES,
    STATUSES,
    SUBJECT_KINDS,
    URGENCIES,
)
from node.citations import Citation
from node.errors import ProtocolError
from node.federation.protocol.ids import is_did
from node.federation.protocol.messages import JsonObject
from node.media import MAX_ALT, MAX_PICTURES, PEOPLE

MAX_HEADLINE = 300
MAX_NARRATIVE = 20_000
MAX_LINK_TO_WORK = 4_000
MAX_DEMAND = 1_000
MAX_DEMANDS = 20
MAX_ITEMS = 50
MAX_CUSTODIANS = 5
MAX_NETWORKS = 10
MAX_TEXT = 300
MAX_HONORIFIC = 80
MAX_DO_NOT = 10
MAX_FILE_NAME = 200
ORG_FIELDS = ("sources", "case_id", "place_full", "publicity_risk", "notes")
"""Top-level fields of any shape that stay inside the organisation."""
_TEXT_FIELDS = ("headline", "narrative", "link_to_work", "demands")
_TARGET_ORG = ("email", "phone", "fax", "post", "social", "name", "last_verified")
_DIGEST = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{7,79}")
_SUBJECT_ORG = ("role", "gender", "organisation", "contact", "notes")


@dataclass(frozen=True, slots=True)
class Consent:
    """Who allowed what, how, and until when. Never leaves the organisation."""

    given_by: str
    how: str
    level: str
    valid_until: datetime
    excluded: tuple[str, ...]
    more: JsonObject
    """Whatever else the organisation keeps with it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the alert is about, and how much of them may be seen."""

    name: str
    """May be empty unless the level is named or initials: a name that is not needed need not be written
    down."""
    kind: str
    publication_level: str
    public_name: str
    """What stands in public instead of the name, at the levels pseudonym and collective."""
    minor: bool
    relative: bool
    consent: Consent | None
    """Their own, where the alert's consent does not speak for them."""
    more: JsonObject


@dataclass(frozen=True, slots=True)
class Target:
    """An office that is asked to act. `more` never leaves the organisation; the contacts of `public` are those that
    the office itself publishes, and only of a target with `public_contacts`."""

    office: str
    country: str
    language: str
    more: JsonObject
    body: str = ""
    """What the office belongs to: a ministry, a court, a company."""
    honorific: str = ""
    """How its holder is addressed, in `language`: معالي السيد, Your Excellency."""
    last_checked: str = ""
    """The day on which somebody last looked whether this is still right, as `2026-11-20`."""
    public: tuple[tuple[str, str], ...] = ()
    """(`email`, `post`, `fax` or `web`, value): what may be printed; a telephone never."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture as the operator hands it in; `consent` to it was given, or it would not stand here."""

    file: str
    """Path below the folder of the alert's file."""
    alt: tuple[tuple[str, str], ...]
    """(language, what is to be seen); the main language first."""
    people: str
    rights: str
    """Whose the picture is. Stays inside the organisation."""

    def alt_in(self, language: str) -> str:
        """What is to be seen, in this language or else in the main one."""
        return dict(self.alt).get(language, self.alt[0][1])


@dataclass(frozen=True, slots=True)
class Text:
    """The readable part of an alert in one language."""

    language: str
    headline: str
    narrative: str
    link_to_work: str
    demands: tuple[str, ...]
    do_not: tuple[str, ...] = ()
    """What readers are asked not to do; a translation that lacks it gets the main language's."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as its organisation knows it: more than anybody else may see."""

    text: Text
    kind: str
    status: str
    audience: str | tuple[str, ...]
    """`everyone`, `network`, or the dids it is meant for."""
    left_out: tuple[str, ...]
    """Dids and countries of members that it is not for, though they are of the network."""
    country: str
    severity: str
    urgency: str
    certainty: str
    subjects: tuple[Subject, ...]
    consent: Consent
    expires: datetime
    deadline: datetime | None
    embargo_until: datetime | None
    """Before this moment it is not published; never rendered."""
    violation_types: tuple[str, ...]
    relation_to_network: str
    drivers: tuple[str, ...]
    company_or_project: str
    verification_level: str
    endorsement_mode: str
    targets: tuple[Target, ...]
    translations: tuple[Text, ...]
    custodians: tuple[str, ...]
    """Dids of members who may withdraw it together when our server is dead; none where it is empty."""
    custody_threshold: int
    """How many of them it takes."""
    republish: bool
    """Others may publish it anew under their own name while our server cannot be reached."""
    actions: tuple[str, ...]
    """What readers may do; empty where nothing was said."""
    internal: JsonObject
    """`ORG_FIELDS` and what came with `verification` besides its level."""
    media: tuple[Shot, ...] = ()
    networks: tuple[str, ...] = ()
    """Digests, or what they begin with, of the networks it is for; empty where the organisation is in one at most."""
    cited: tuple[Citation, ...] = ()
    """Articles of charters that it speaks of."""

    @property
    def sealed(self) -> bool:
        """Whether it is for some and not for everyone."""
        return self.audience != "everyone"

    @property
    def presumed(self) -> bool:
        """Whether anything of it rests on a consent that nobody gave (R1)."""
        return any(consent.given_by == PRESUMED for _, consent in self.consents())

    def texts(self) -> tuple[Text, ...]:
        """Main language first."""
        return (self.text, *self.translations)

    def consents(self) -> Iterator[tuple[str, Consent]]:
        """(where it was written, consent): the alert's, and those that are about one person only."""
        yield "consent", self.consent
        for number, subject in enumerate(self.subjects):
            if subject.consent is not None:
                yield f"subjects[{number}].consent", subject.consent


def parse_input(value: JsonObject) -> Alert:
    """Read an operator's file.

    Raises:
        RefusedError: one reason for each field that is missing, unknown or ill-formed; each says what to
        write.

    Spec: Tadamun §7
    """
    form = Form(value)
    status = form.choice("status", STATUSES)
    text = _text(form, form.language("language"))
    verification, internal = _verification(form)
    alert = Alert(
        text=text,
        kind=form.choice("kind", KINDS),
        status=status,
        audience=_audience(form),
        networks=_networks(form),
        left_out=_left_out(form),
        country=form.code("country", COUNTRIES),
        severity=form.choice("severity", SEVERITIES),
        urgency=form.choice("urgency", URGENCIES),
        certainty=form.choice("certainty", CERTAINTIES),
        subjects=tuple(_subject(each) for each in form.forms("subjects", MAX_ITEMS, required=True)),
        consent=_consent(form.form("consent", hint="R1: nothing is published without a consent")),
        expires=form.moment("expires"),
        deadline=form.optional_moment("deadline"),
        embargo_until=form.optional_moment("embargo_until"),
        violation_types=form.slugs("violation_types", MAX_ITEMS, example="threat"),
        relation_to_network=form.slug("relation_to_network", example="member"),
        drivers=form.slugs("drivers", MAX_ITEMS, example="extractive-project"),
        cited=_cited(form),
        company_or_project=form.text("company_or_project", MAX_TEXT, default=""),
        verification_level=verification,
        endorsement_mode=form.choice("endorsement_mode", ENDORSEMENT_MODES, default="individual"),
        targets=tuple(_target(each) for each in form.forms("targets", MAX_ITEMS)),
        translations=_translations(form, text),
        # About a person nobody else speaks in its own name, unless it was agreed beforehand (R1).
        republish=form.flag("republish") if form.has("republish") else not form.anything("subjects"),
        **_custody(form),
        actions=_actions(form),
        internal=internal | {name: form.anything(name) for name in ORG_FIELDS if name in value},
        media=tuple(_shot(each, text.language) for each in form.forms("media", MAX_PICTURES)),
    )
    form.finish()
    return alert


def _cited(form: Form) -> tuple[Citation, ...]:
    """`charter_articles`: articles of charters that the alert speaks of."""
    found = []
    for number, text in enumerate(form.texts("charter_articles", citations.MAX_CITED, citations.MAX_LENGTH)):
        try:
            found.append(citations.parse(text))
        except ProtocolError:
            form.fail(f"charter_articles[{number}]", "write DIGEST#NUMBER; 'tadamun charter list' shows digests")
    return tuple(found)


def _custody(form: Form) -> dict[str, Any]:
    """`custodians` and `custody_threshold`: by whom a withdrawal signed in advance may be released."""
    custodians = form.texts("custodians", MAX_CUSTODIANS, MAX_TEXT)
    threshold = form.anything("custody_threshold", default=2)
    for number, did in enumerate(custodians):
        if not is_did(did):
            form.fail(f"custodians[{number}]", "write a did (did:key:z6Mk…); 'tadamun member list' shows them")
    if type(threshold) is not int or threshold not in (2, 3):
        form.fail("custody_threshold", "write 2 or 3: so many custodians withdraw it together")
    elif custodians and len(custodians) < threshold:
        form.fail("custodians", f"write at least {threshold} dids, or none")
    if custodians and form.anything("audience") != "everyone":
        form.fail("custodians", "what is sealed to members stands in no log; only what is for everyone has custodians")
    return {"custodians": custodians, "custody_threshold": threshold}


def _text(form: Form, language: str) -> Text:
    return Text(
        language=language,
        headline=form.text("headline", MAX_HEADLINE, lines=False),
        narrative=form.text("narrative", MAX_NARRATIVE),
        link_to_work=form.text(
            "link_to_work", MAX_LINK_TO_WORK, hint="how the attack is tied to the work for human rights"
        ),
        demands=form.texts("demands", MAX_DEMANDS, MAX_DEMAND, required=True),
        do_not=form.texts("do_not", MAX_DO_NOT, MAX_TEXT),
    )


def _actions(form: Form) -> tuple[str, ...]:
    found = form.texts("actions", len(ACTIONS), MAX_TEXT)
    if any(each not in ACTIONS for each in found):
        form.fail("actions", f"write some of {', '.join(ACTIONS)}")
    if "nothing-public" in found and {"share", "sign"} & set(found):
        form.fail("actions", "nothing-public stands beside neither share nor sign")
    return tuple(dict.fromkeys(found))


def _audience(form: Form) -> str | tuple[str, ...]:
    value = form.anything("audience", default="network")
    if isinstance(value, str) and value in AUDIENCES:
        return value
    if isinstance(value, list) and 0 < len(value) <= MAX_ITEMS:
        dids = tuple(item for item in value if isinstance(item, str) and is_did(item))
        if len(dids) == len(value):
            return dids
    form.fail(
        "audience",
        f"write one of {', '.join(AUDIENCES)}, or a list of up to {MAX_ITEMS} dids (did:key:z6Mk…)",
    )
    return ()


def _networks(form: Form) -> tuple[str, ...]:
    """`networks`: which of our networks an alert for the network is for."""
    found = form.texts("networks", MAX_NETWORKS, MAX_TEXT)
    if found and form.anything("audience", default="network") != "network":
        form.fail("networks", "networks are named where the audience is network")
    if any(not _DIGEST.fullmatch(each) for each in found):
        form.fail("networks", "write the networks' digests; 'tadamun network list' shows them")
    return found


def _left_out(form: Form) -> tuple[str, ...]:
    """`exclude`: members by did, and countries whose members are left out."""
    if not form.has("exclude"):
        return ()
    inner = form.form("exclude")
    dids = inner.texts("members", MAX_ITEMS, MAX_TEXT)
    for number, did in enumerate(dids):
        if not is_did(did):
            inner.fail(f"members[{number}]", "write a did (did:key:z6Mk…); 'tadamun member list' shows them")
    countries = inner.texts("countries", MAX_ITEMS, 2)
    for number, country in enumerate(countries):
        if country.upper() not in COUNTRIES:
            inner.fail(f"countries[{number}]", "write a two-letter country code such as IQ")
    if form.anything("audience") == "everyone":
        form.fail("exclude", "what is for everyone leaves nobody out; choose another audience")
    return (*dids, *(country.upper() for country in countries))


def _consent(form: Form) -> Consent:
    return Consent(
        given_by=form.choice("given_by", CONSENT_GIVERS),
        how=form.text("how", MAX_TEXT, hint="e.g. signed, in person, voice message"),
        level=form.choice("level", CONSENT_LEVELS),
        valid_until=form.moment("valid_until"),
        excluded=form.texts("excluded", MAX_ITEMS, MAX_TEXT),
        more=form.rest(),
    )


def _subject(form: Form) -> Subject:
    level = form.choice("publication_level", PUBLICATION_LEVELS)
    public_name = form.text("public_name", MAX_TEXT, default="", lines=False)
    if level == "pseudonym" and not public_name:
        form.fail(
            "public_name",
            "write the pseudonym that may stand in public (name is never printed at this level)",
        )
    return Subject(
        name=form.text("name", MAX_TEXT, default=None if level in ("named", "initials") else "", lines=False),
        kind=form.choice("kind", SUBJECT_KINDS),
        publication_level=level,
        public_name=public_name,
        minor=form.flag("minor"),
        relative=form.flag("relative"),
        consent=_consent(form.form("consent")) if form.has("consent") else None,
        more={name: form.anything(name) for name in _SUBJECT_ORG if form.has(name)},
    )


def _target(form: Form) -> Target:
    return Target(
        office=form.text("office", MAX_TEXT, lines=False),
        country=form.code("country", COUNTRIES),
        language=form.language("language", default=""),
        body=form.text("body", MAX_TEXT, default="", lines=False),
        honorific=form.text("honorific", MAX_HONORIFIC, default="", lines=False),
        last_checked=_day(form),
        public=_contacts(form),
        more={name: form.anything(name) for name in (*_TARGET_ORG, "contacts") if form.has(name)},
    )


def _day(form: Form) -> str:
    moment = form.optional_moment("last_checked")
    return f"{moment:%Y-%m-%d}" if moment else ""


def _contacts(form: Form) -> tuple[tuple[str, str], ...]:
    """The contacts of an office that may be printed: checked in any case, given on only where the file says so."""
    public = form.flag("public_contacts")
    if not form.has("contacts"):
        return ()
    inner = form.form("contacts")
    inner.text("phone", MAX_TEXT, default="", lines=False)
    found = {
        "email": inner.text("email", MAX_CONTACT, default="", lines=False),
        "post": inner.text("post", MAX_TEXT, default=""),
        "fax": inner.text("fax", MAX_TEXT, default="", lines=False),
        "web": inner.text("web", MAX_WEB, default="", lines=False),
    }
    for name, is_one, hint in (
        ("email", is_email, "one plain address such as office@example.org"),
        ("fax", is_fax, "a number such as +1 555 0100"),
        ("web", is_web, "an address such as https://example.org"),
    ):
        if found[name] and not is_one(found[name]):
            inner.fail(name, f"write {hint}")
    return tuple((name, value) for name, value in found.items() if value) if public else ()


def _shot(form: Form, main: str) -> Shot:
    if not form.flag("consent"):
        form.fail("consent", "R3: no picture without consent of those it shows or endangers; write true if you have it")
    file = form.text("file", MAX_FILE_NAME, lines=False, hint="the picture's name beside this file, e.g. photo.jpg")
    if file.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", file):
        form.fail("file", "write a path below this file's folder")
    return Shot(
        file=file,
        alt=_alt(form, main),
        people=form.choice("people", PEOPLE),
        rights=form.text("rights", MAX_TEXT, default=""),
    )


def _alt(form: Form, main: str) -> tuple[tuple[str, str], ...]:
    """A text is in the main language; else an object of languages, the main one among them."""
    if not isinstance(form.anything("alt"), dict):
        hint = "what is to be seen, for those who do not see it"
        return ((main, form.text("alt", MAX_ALT, hint=hint, lines=False)),)
    inner = form.form("alt")
    given = {main: inner.text(main, MAX_ALT, lines=False)}
    for language in form.anything("alt"):
        name = Form({"language": language}).language("language")
        if language != main and name == language:
            given[language] = inner.text(language, MAX_ALT, lines=False)
    return tuple(given.items())


def _verification(form: Form) -> tuple[str, JsonObject]:
    if not form.has("verification"):
        return "unknown", {}
    inner = form.form("verification")
    return inner.slug("level", example="two-independent") or "unknown", {"verification": inner.rest()}


def _translations(form: Form, main: Text) -> tuple[Text, ...]:
    texts = []
    for language, inner in form.named_forms("translations", MAX_ITEMS):
        text = _text(inner, language)
        if language == main.language:
            inner.fail("", "this is the main language already; leave it out")
        if text.demands and main.demands and len(text.demands) != len(main.demands):
            inner.fail("demands", f"{len(text.demands)} written, the main text has {len(main.demands)}")
        if text.do_not and len(text.do_not) != len(main.do_not):
            inner.fail("do_not", f"{len(text.do_not)} written, the main text has {len(main.do_not)}")
        texts.append(text)
    return tuple(texts)
