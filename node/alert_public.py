"""A received alert: any Note with our terms, read once into plain values.

Decides what is well-formed and within bounds. Whether it is believed and kept is decided in `alerts`, how
its HTML is cleaned by whoever shows it. Values from a closed list that we do not know become `unknown`, for
a newer node must not break our lists; what is too long, of the wrong type or missing breaks the Note.
"""

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node import citations
from node.alert_forms import parse_moment
from node.alert_input import (
    MAX_DEMAND,
    MAX_DEMANDS,
    MAX_DO_NOT,
    MAX_HEADLINE,
    MAX_HONORIFIC,
    MAX_ITEMS,
    MAX_LINK_TO_WORK,
    MAX_NARRATIVE,
    MAX_TEXT,
)
from node.alert_notes import MAX_ANSWER, MAX_ANSWERS, MAX_STATE_NOTE
from node.alert_offices import MAX_CONTACT, MAX_WEB, is_email, is_fax, is_web
from node.alert_terms import (
    ACTIONS,
    ANSWER_KINDS,
    ATTRIBUTIONS,
    CERTAINTIES,
    ENDORSEMENT_MODES,
    KINDS,
    PUBLICATION_LEVELS,
    RESULTS,
    SEVERITIES,
    STATES,
    STATUSES,
    SUBJECT_KINDS,
    UNKNOWN,
    URGENCIES,
)
from node.citations import Citation
from node.errors import ProtocolError
from node.federation.protocol import ids
from node.federation.protocol.messages import JsonObject, as_list, id_of
from node.media import Picture
from node.media import parse as parse_media

_MAX_ID = 2048
_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_SPEC = "Tadamun §3"


@dataclass(frozen=True, slots=True)
class PublicSubject:
    """Whom a received alert is about, as far as its author shows."""

    name: str
    kind: str
    publication_level: str


@dataclass(frozen=True, slots=True)
class PublicTarget:
    """An office that is asked to act."""

    office: str
    country: str
    language: str
    body: str = ""
    honorific: str = ""
    last_checked: str = ""
    """The day as RFC 3339 writes it, empty where nobody said."""
    email: str = ""
    post: str = ""
    fax: str = ""
    web: str = ""


@dataclass(frozen=True, slots=True)
class PublicAnswer:
    """What an office answered, as the author tells it."""

    by: str
    kind: str
    day: str
    """As RFC 3339 writes a full-date."""
    text: str


@dataclass(frozen=True, slots=True)
class PublicAlert:
    """An alert as everybody sees it. Texts are plain; `content` is the author's HTML, not cleaned yet."""

    id: str
    author: str
    url: str
    language: str
    content: str
    published: datetime | None
    updated: datetime | None
    kind: str
    status: str
    state: str
    state_note: str
    """The reason of a correction or the outcome of a closure."""
    headline: str
    severity: str
    urgency: str
    certainty: str
    country: str
    violation_types: tuple[str, ...]
    relation_to_network: str
    drivers: tuple[str, ...]
    company_or_project: str
    narrative: str
    link_to_work: str
    demands: tuple[str, ...]
    targets: tuple[PublicTarget, ...]
    subjects: tuple[PublicSubject, ...]
    endorsement_mode: str
    verification_level: str
    deadline: datetime | None
    expires: datetime | None
    reference: str
    translation_of: str | None
    translations: tuple[str, ...]
    do_not: tuple[str, ...]
    """What readers are asked not to do."""
    actions: tuple[str, ...]
    """What readers may do, as far as we know the word; empty where nothing was said."""
    answers: tuple[PublicAnswer, ...]
    outcome_result: str
    """How it ended, from a closed list; empty while nothing was said."""
    outcome_attribution: str
    republishable: bool
    """Its author agreed beforehand that others publish it anew while its own server cannot be reached."""
    news_of: str | None
    """The first alert of the chain, where this is news of one."""
    pictures: tuple[Picture, ...] = ()
    """What this node understands of its attachments."""

    def is_expired(self, now: datetime) -> bool:
        """Whether it is old information that nobody should act on."""
        return self.expires is not None and self.expires <= now
    cited: tuple[Citation, ...] = ()
    """Articles of charters that it speaks of."""

    @property
    def is_drill(self) -> bool:
        """Whether it is anything but a real alert; a status we do not know is not taken for real."""
        return self.status != "actual"


def is_alert(note: JsonObject) -> bool:
    """Whether a Note carries our terms. News of somebody else's alert is none: it is a reply like any other."""
    if "Note" not in as_list(note.get("type")) or not isinstance(note.get("alertKind"), str):
        return False
    first, author = note.get("newsOf"), id_of(note.get("attributedTo"))
    return not isinstance(first, str) or author is None or ids.same_origin(first, author)


def parse(note: JsonObject) -> PublicAlert:
    """Read a received Note.

    Raises:
        ProtocolError: a field is of the wrong type, too long, or a needed one is missing.

    Spec: Tadamun §3; AS2 §4.7
    """
    if not is_alert(note):
        raise ProtocolError("not a Note with alert terms", spec=_SPEC)
    return PublicAlert(
        id=_needed(note, "id", _MAX_ID),
        author=_author(note),
        url=_link(note.get("url")),
        language=_language(note),
        content=_content(note),
        published=moment_of(note, "published"),
        updated=moment_of(note, "updated"),
        kind=_known(note, "alertKind", KINDS),
        status=_known(note, "alertStatus", STATUSES),
        state=_known(note, "alertState", STATES) if "alertState" in note else STATES[0],
        state_note=_text(note, "stateNote", MAX_STATE_NOTE),
        headline=_needed(note, "headline", MAX_HEADLINE),
        severity=_known(note, "severity", SEVERITIES),
        urgency=_known(note, "urgency", URGENCIES),
        certainty=_known(note, "certainty", CERTAINTIES),
        country=_text(note, "countryCode", 3),
        violation_types=_texts(note, "violationTypes"),
        relation_to_network=_text(note, "relationToNetwork", MAX_TEXT),
        drivers=_texts(note, "drivers"),
        cited=_cited(note),
        company_or_project=_text(note, "companyOrProject", MAX_TEXT),
        narrative=_text(note, "narrative", MAX_NARRATIVE),
        link_to_work=_text(note, "linkToWork", MAX_LINK_TO_WORK),
        demands=_texts(note, "demands", count=MAX_DEMANDS, limit=MAX_DEMAND),
        targets=tuple(_target(each) for each in _objects(note, "targets")),
        subjects=tuple(_subject(each) for each in _objects(note, "subjects")),
        endorsement_mode=_known(note, "endorsementMode", ENDORSEMENT_MODES),
        verification_level=_text(note, "verificationLevel", MAX_TEXT) or UNKNOWN,
        deadline=moment_of(note, "deadline"),
        expires=moment_of(note, "expires"),
        reference=_text(note, "reference", 100),
        translation_of=_text(note, "translationOf", _MAX_ID) or None,
        translations=_texts(note, "translations", limit=_MAX_ID),
        do_not=_texts(note, "doNot", count=MAX_DO_NOT),
        actions=tuple(each for each in _texts(note, "actions") if each in ACTIONS),
        answers=_answers(note),
        outcome_result=_known(note, "outcomeResult", RESULTS) if note.get("outcomeResult") else "",
        outcome_attribution=_known(note, "outcomeAttribution", ATTRIBUTIONS) if note.get("outcomeAttribution") else "",
        republishable=note.get("republishable") is True,
        news_of=_first(note),
        pictures=parse_media(note.get("attachment")),
    )


def _cited(note: JsonObject) -> tuple[Citation, ...]:
    """What is no citation cites nothing: it makes an alert no worse."""
    found = []
    for each in as_list(note.get("charterArticles"))[: citations.MAX_CITED]:
        with suppress(ProtocolError):
            found.append(citations.parse(each if isinstance(each, str) else ""))
    return tuple(found)


def _first(note: JsonObject) -> str | None:
    first = _text(note, "newsOf", _MAX_ID) or None
    if first is not None and ids.canonical(first) == ids.canonical(_needed(note, "id", _MAX_ID)):
        raise _wrong("newsOf", "the Note itself")
    return first


def _wrong(name: str, what: str) -> ProtocolError:
    return ProtocolError(f"{name}: {what}", spec=_SPEC)


def _text(note: JsonObject, name: str, limit: int) -> str:
    value = note.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(name, "not a text")
    if len(value) > limit:
        raise _wrong(name, f"{len(value)} characters, {limit} allowed")
    return value


def _needed(note: JsonObject, name: str, limit: int) -> str:
    text = _text(note, name, limit)
    if not text.strip():
        raise _wrong(name, "missing")
    return text


def _known(note: JsonObject, name: str, allowed: Collection[str]) -> str:
    value = _text(note, name, MAX_TEXT)
    return value if value in allowed else UNKNOWN


def _list(note: JsonObject, name: str, count: int) -> list[Any]:
    items = as_list(note.get(name))
    if len(items) > count:
        raise _wrong(name, f"{len(items)} values, {count} allowed")
    return items


def _texts(note: JsonObject, name: str, *, count: int = MAX_ITEMS, limit: int = MAX_TEXT) -> tuple[str, ...]:
    return tuple(_text({name: item}, name, limit) for item in _list(note, name, count))


def _objects(note: JsonObject, name: str) -> list[JsonObject]:
    items = _list(note, name, MAX_ITEMS)
    if not all(isinstance(item, dict) for item in items):
        raise _wrong(name, "not objects")
    return items


def _target(value: JsonObject) -> PublicTarget:
    return PublicTarget(
        office=_text(value, "office", MAX_TEXT),
        country=_text(value, "countryCode", 3),
        language=_text(value, "officeLanguage", 35),
        body=_text(value, "officeBody", MAX_TEXT),
        honorific=_text(value, "officeHonorific", MAX_HONORIFIC),
        last_checked=_day(value, "lastChecked"),
        email=_contact(value, "officeEmail", MAX_CONTACT, is_email),
        post=_text(value, "officePost", MAX_TEXT),
        fax=_contact(value, "officeFax", MAX_TEXT, is_fax),
        web=_contact(value, "officeWeb", MAX_WEB, is_web),
    )


def _contact(value: JsonObject, name: str, limit: int, is_one: Callable[[str], bool]) -> str:
    """A contact becomes part of a link: what is not exactly one breaks the Note, for it was put there to be clicked."""
    text = _text(value, name, limit)
    if text and not is_one(text):
        raise _wrong(name, "no such contact")
    return text


def _day(value: JsonObject, name: str) -> str:
    text = _text(value, name, 10)
    if text and not _DAY.fullmatch(text):
        raise _wrong(name, "not a date")
    return text


def _answers(note: JsonObject) -> tuple[PublicAnswer, ...]:
    items = _list(note, "answers", MAX_ANSWERS)
    if not all(isinstance(item, dict) for item in items):
        raise _wrong("answers", "not objects")
    found = [
        PublicAnswer(
            by=_needed(item, "answerFrom", MAX_TEXT),
            kind=_known(item, "answerKind", ANSWER_KINDS),
            day=_day(item, "answerDate"),
            text=_text(item, "answerText", MAX_ANSWER),
        )
        for item in items
    ]
    return tuple(sorted(found, key=lambda each: each.day))


def _subject(value: JsonObject) -> PublicSubject:
    return PublicSubject(
        name=_text(value, "name", MAX_TEXT),
        kind=_known(value, "subjectKind", SUBJECT_KINDS),
        publication_level=_known(value, "publicationLevel", PUBLICATION_LEVELS),
    )


def moment_of(note: JsonObject, name: str) -> datetime | None:
    """A time of a Note, `None` where it has none.

    Raises:
        ProtocolError: it stands there and is no time.

    Spec: RFC 3339 §5.6
    """
    text = _text(note, name, 40)
    try:
        return parse_moment(text) if text else None
    except ValueError as error:
        raise _wrong(name, "not an RFC 3339 time") from error


def _author(note: JsonObject) -> str:
    author = id_of(note.get("attributedTo"))
    if author is None:
        raise _wrong("attributedTo", "missing")
    return author


def _link(value: Any) -> str:
    """The first address of `url`, which may be a text, a Link or a list of either; empty for anything but
    http(s)."""
    for item in as_list(value)[:10]:
        href = item.get("href") if isinstance(item, dict) else item
        if isinstance(href, str) and len(href) <= _MAX_ID and href.startswith(("https://", "http://")):
            return href
    return ""


def _language(note: JsonObject) -> str:
    """The first language of `contentMap`, as other servers read it.

    Spec: AS2 §4.7
    """
    mapped = note.get("contentMap")
    language = next(iter(mapped), "") if isinstance(mapped, dict) else ""
    return language if len(language) <= 35 else ""


def _content(note: JsonObject) -> str:
    content = note.get("content")
    if not isinstance(content, str):
        raise _wrong("content", "missing")
    return content
