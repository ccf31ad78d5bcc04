"""How an alert reads on the wire: the public Note, built from named public fields and nothing else.

Decides the words, their order and their direction, and which fields are public at all. `render` never
copies its input: what is not named here does not exist outside (R4, R9). The result carries no `@context`
and no proof; whoever signs adds them. `content` is the whole readable text, made of `p`, `br`, `strong` and
`a`, which every server keeps; the same facts stand beside it as terms of their own for other nodes. There
is no `summary`: it is for content warnings.

Spec: AP §6.2; AS2 §4.7 (contentMap); UAX #9 §2.4 (isolates)
"""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from node.alert_bidi import escape, isolate, mark
from node.alert_forms import clean
from node.alert_input import MAX_TEXT, Alert, Subject, Target, Text
from node.alert_terms import (
    ANSWER_KINDS,
    ATTRIBUTIONS,
    RESULTS,
    country_name,
    language_name,
    readable_date,
    ui_language,
    words,
)
from node.errors import RefusedError
from node.federation.protocol.messages import MAX_NOTE, JsonObject
from node.media import Medium, Picture
from node.media import render as render_media

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
MAX_STATE_NOTE = 2_000
MAX_ANSWER = 1_000
MAX_ANSWERS = 40
_NOT_CARRIED = ("@context", "proof", "signature")


@dataclass(frozen=True, slots=True)
class Further:
    """What a piece of news belongs to: the first alert of its chain, as the news repeats it."""

    first: str
    """Id of the first alert's Note in its main language: the same in every language of the news."""
    reply_to: str
    """Id of the first alert's Note in the language of the news, where there is one: what other servers thread by."""
    reference: str
    headline: str
    published: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where and by whom a Note is published: everything about it that the operator did not write."""

    note_id: str
    actor_id: str
    author_name: str
    page_url: str
    reference: str
    sister_urls: tuple[str, ...]
    """Up to two addresses on other nodes where the same alert can be read."""
    published: datetime
    updated: datetime | None
    to: tuple[str, ...]
    cc: tuple[str, ...]
    translation_of: str | None
    translations: tuple[tuple[str, str], ...]
    """(language, Note id) of each other version."""
    further: Further | None = None
    """With news: what it belongs to."""
    pictures: tuple[tuple[Medium, Medium], ...] = ()
    """What became of each picture of the alert: itself and its thumbnail."""


def render(alert: Alert, language: str, place: Place) -> JsonObject:
    """The Note of this alert in one of its languages.

    Raises:
        RefusedError: no text in this language, or a text longer than peers take.

    Spec: AP §6.2; Tadamun §3
    """
    text = _text(alert, language)
    content = _content(alert, text, place)
    if len(content.encode()) > MAX_NOTE:
        raise RefusedError(
            f"the {language} text makes {len(content.encode())} bytes, {MAX_NOTE} are carried; shorten it"
        )
    note: JsonObject = {
        "id": place.note_id,
        "type": "Note",
        "attributedTo": place.actor_id,
        "content": content,
        "contentMap": {language: content},
        "url": place.page_url,
        "published": _timestamp(place.published),
        "updated": _timestamp(place.updated),
        "tag": [_hashtag(alert, language, place)],
        "attachment": _attachment(alert, language, place),
        "interactionPolicy": _policy(alert, place),
        **_terms(alert, text),
        "reference": place.reference,
        "translationOf": place.translation_of,
        "translations": [note_id for _, note_id in place.translations],
        "inReplyTo": place.further.reply_to if place.further else None,
        "newsOf": place.further.first if place.further else None,
    }
    filled = {name: value for name, value in note.items() if value not in (None, "", [])}
    return filled | {"to": list(place.to), "cc": list(place.cc)}


def with_correction(note: JsonObject, reason: str, language: str, now: datetime) -> JsonObject:
    """The same Note with a loud correction on top. The text stays: who read it must see what was wrong.

    Raises:
        RefusedError: the reason is empty or too long, or the Note becomes longer than peers take.
    """
    state = "closed" if note.get("alertState") == "closed" else "corrected"
    return _with_state(note, state, ("corrected", "reason"), reason, language, now)


def with_closure(
    note: JsonObject, outcome: str, language: str, now: datetime, *, result: str = "", attribution: str = ""
) -> JsonObject:
    """The same Note with its outcome on top: nobody should act on it any more.

    Args:
        result: one of `RESULTS`, or nothing.
        attribution: one of `ATTRIBUTIONS`, or nothing.

    Raises:
        RefusedError: as `with_correction`, or a result that is in no list.
    """
    if result and result not in RESULTS:
        raise RefusedError(f"result: write one of {', '.join(RESULTS)}")
    if attribution and attribution not in ATTRIBUTIONS:
        raise RefusedError(f"attribution: write one of {', '.join(ATTRIBUTIONS)}")
    closed = _with_state(note, "closed", ("closed", "outcome"), outcome, language, now)
    return closed | _filled({"outcomeResult": result, "outcomeAttribution": attribution})


@dataclass(frozen=True, slots=True)
class Answer:
    """What an office answered, as it may be told to everyone."""

    by: str
    kind: str
    day: date
    text: str


def with_answer(note: JsonObject, answer: Answer, language: str, now: datetime) -> JsonObject:
    """The same Note with one more answer, in the list and below the text.

    Raises:
        RefusedError: a field is empty, too long or of no list, there are too many answers, or the Note becomes longer
        than peers take.
    """
    by, text = clean(answer.by), clean(answer.text)
    if not 0 < len(by) <= MAX_TEXT or "\n" in by:
        raise RefusedError(f"from: write the office, 1 to {MAX_TEXT} characters on one line")
    if answer.kind not in ANSWER_KINDS:
        raise RefusedError(f"kind: write one of {', '.join(ANSWER_KINDS)}")
    if len(text) > MAX_ANSWER:
        raise RefusedError(f"text: {len(text)} characters, {MAX_ANSWER} are carried")
    if answer.day > now.date() + timedelta(days=1):
        raise RefusedError("date: an answer that comes in the future")
    told = _filled({"answerFrom": by, "answerKind": answer.kind, "answerDate": f"{answer.day}", "answerText": text})
    return _with_answers(note, [told], language) | {"updated": _timestamp(now)}


def carry_answers(note: JsonObject, before: JsonObject, language: str) -> JsonObject:
    """A Note that was rendered anew, with the answers that its earlier version had.

    Raises:
        RefusedError: it becomes longer than peers take.
    """
    return _with_answers(note, list(before.get("answers", ())), language)


def _with_answers(note: JsonObject, told: list[dict[str, str]], language: str) -> JsonObject:
    kept = {name: value for name, value in note.items() if name not in _NOT_CARRIED}
    answers = [*kept.get("answers", ()), *told]
    if not told:
        return kept
    if len(answers) > MAX_ANSWERS:
        raise RefusedError(f"answers: {MAX_ANSWERS} are carried")
    say = words(language)
    content = str(kept.get("content", ""))
    for each in told:
        day = readable_date(datetime.fromisoformat(f"{each['answerDate']}T23:59:59+00:00"), language)
        head = f"{say['answer']} — {isolate(each['answerFrom'])} — {day}: {say['answer:' + each['answerKind']]}"
        content += _paragraph((_strong(head, language), *_lines("", each.get("answerText", ""), language)))
    if len(content.encode()) > MAX_NOTE:
        raise RefusedError(f"with this answer the text makes more than {MAX_NOTE} bytes; shorten it")
    return kept | {"answers": answers, "content": content, "contentMap": {language: content}}


def _with_state(
    note: JsonObject, state: str, labels: tuple[str, str], said: str, language: str, now: datetime
) -> JsonObject:
    said = clean(said)
    if not 0 < len(said) <= MAX_STATE_NOTE:
        raise RefusedError(f"{labels[1]}: write 1 to {MAX_STATE_NOTE} characters")
    say = words(language)
    date = readable_date(now, language)
    lines = (_strong(f"{say[labels[0]]} — {date}", language), *_lines(f"{say[labels[1]]}: ", said, language))
    banner = _paragraph(_banner(str(note.get("alertStatus")), language))
    old = str(note.get("content", ""))
    # An exercise says so before anything else, a correction included.
    head = banner if banner and old.startswith(banner) else ""
    content = head + _paragraph(lines) + old[len(head) :]
    if len(content.encode()) > MAX_NOTE:
        raise RefusedError(f"with this {labels[1]} the text makes more than {MAX_NOTE} bytes; shorten it")
    kept = {name: value for name, value in note.items() if name not in _NOT_CARRIED}
    return kept | {
        "content": content,
        "contentMap": {language: content},
        "updated": _timestamp(now),
        "alertState": state,
        "stateNote": said,
        "stateChanged": _timestamp(now),
    }


def _text(alert: Alert, language: str) -> Text:
    for text in alert.texts():
        if text.language == language:
            return text
    raise RefusedError(f"this alert has no text in {language}")


def _timestamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attachment(alert: Alert, language: str, place: Place) -> list[JsonObject]:
    """Of a picture its files and what is to be seen on it; not its old name, nor whose it is (R5)."""
    page = urlsplit(place.note_id)
    pairs = zip(alert.media, place.pictures, strict=False)
    pictures = tuple(Picture(full, small, shot.alt_in(language)) for shot, (full, small) in pairs)
    return render_media(pictures, f"{page.scheme}://{page.netloc}")


def _terms(alert: Alert, text: Text) -> JsonObject:
    """The facts for other nodes, one by one: this list is the whitelist."""
    return {
        "alertKind": alert.kind,
        "alertStatus": alert.status,
        "alertState": "issued",
        "headline": text.headline,
        "severity": alert.severity,
        "urgency": alert.urgency,
        "certainty": alert.certainty,
        "countryCode": alert.country,
        "violationTypes": list(alert.violation_types),
        "relationToNetwork": alert.relation_to_network,
        "drivers": list(alert.drivers),
        "charterArticles": [str(each) for each in alert.cited],
        "companyOrProject": alert.company_or_project,
        "narrative": text.narrative,
        "linkToWork": text.link_to_work,
        "demands": list(text.demands),
        "targets": [_target_terms(one) for one in alert.targets],
        "doNot": list(_do_not(alert, text)),
        "actions": list(alert.actions),
        "endorsementMode": alert.endorsement_mode,
        "verificationLevel": alert.verification_level,
        "deadline": _timestamp(alert.deadline),
        "expires": _timestamp(alert.expires),
        "republishable": alert.republish or None,
        "subjects": [
            _filled(
                {
                    "name": public_name(one),
                    "subjectKind": one.kind,
                    "publicationLevel": one.publication_level,
                }
            )
            for one in alert.subjects
        ],
    }


def _target_terms(target: Target) -> dict[str, str]:
    """Of contacts only those that the office publishes itself, and of those no telephone."""
    contacts = dict(target.public)
    return _filled(
        {
            "office": target.office,
            "officeBody": target.body,
            "countryCode": target.country,
            "officeLanguage": target.language,
            "officeHonorific": target.honorific,
            "lastChecked": target.last_checked,
            "officeEmail": contacts.get("email", ""),
            "officePost": contacts.get("post", ""),
            "officeFax": contacts.get("fax", ""),
            "officeWeb": contacts.get("web", ""),
        }
    )


def _do_not(alert: Alert, text: Text) -> tuple[str, ...]:
    """In the main language rather than not at all: what is left out here may hurt somebody."""
    return text.do_not or alert.text.do_not


def _filled(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def public_name(subject: Subject) -> str:
    """What may be printed of a subject's name, empty where nothing may.

    Initials are made here, from the name: a full name written by mistake at that level does not get out.
    """
    if subject.publication_level == "named":
        return subject.name
    if subject.publication_level == "initials":
        firsts = (next((letter for letter in word if letter.isalpha()), "") for word in subject.name.split())
        return " ".join(f"{letter}." for letter in firsts if letter)
    if subject.publication_level in ("pseudonym", "collective"):
        return subject.public_name
    return ""


def _policy(alert: Alert, place: Place) -> JsonObject:
    """Replies wait for review (threats arrive as replies, R16); nobody quotes an alert about a person.

    Spec: FEP-044f; GoToSocial interaction policy
    """
    personal = any(subject.kind in ("person", "family") for subject in alert.subjects)
    return {
        "canReply": {"automaticApproval": [place.actor_id], "manualApproval": [PUBLIC]},
        "canQuote": {"automaticApproval": [place.actor_id if personal else PUBLIC]},
    }


def _hashtag(alert: Alert, language: str, place: Place) -> JsonObject:
    page = urlsplit(place.page_url)
    name = words(language)["hashtag" if alert.status == "actual" else "hashtag-exercise"]
    return {"type": "Hashtag", "name": f"#{name}", "href": f"{page.scheme}://{page.netloc}/alerts"}


def _content(alert: Alert, text: Text, place: Place) -> str:
    blocks = (
        _banner(alert.status, text.language),
        _head(alert, text),
        _background(text.language, place),
        *_narrative(text),
        _section("work", text.link_to_work, text.language),
        _who(alert, text.language),
        _grading(alert, text.language),
        _demands(text),
        _asked(alert, text),
        _targets(alert, text.language),
        _dates(alert, text.language),
        _origin(text.language, place),
    )
    return "".join(_paragraph(block) for block in blocks if block)


def _banner(status: str, language: str) -> tuple[str, ...]:
    """In the text's language first; in the other one too, for who passes it on may read only that."""
    if status not in ("exercise", "test"):
        return ()
    own = ui_language(language)
    other = "en" if own == "ar" else "ar"
    return tuple(_strong(words(each)[f"banner-{status}"], each) for each in (own, other))


def _head(alert: Alert, text: Text) -> tuple[str, ...]:
    kind = words(text.language)[alert.kind]
    return (
        _line(f"{kind} · {country_name(alert.country, text.language)}", text.language),
        _strong(text.headline, text.language),
    )


def _background(language: str, place: Place) -> tuple[str, ...]:
    """The case in one line, for whom the news is the first that they hear of it."""
    if place.further is None:
        return ()
    say, first = words(language), place.further
    date = readable_date(first.published, language)
    said = f"{say['further']} {isolate(first.reference)} {say['further-dated']} {date}: {isolate(first.headline)}"
    return (_line(said, language),)


def _narrative(text: Text) -> Iterator[tuple[str, ...]]:
    block: list[str] = []
    for line in [*text.narrative.split("\n"), ""]:
        if line.strip():
            block.append(_line(line.strip(), text.language))
        elif block:
            yield tuple(block)
            block = []


def _section(label: str, said: str, language: str) -> tuple[str, ...]:
    return (_label(label, language), *_lines("", said, language))


def _who(alert: Alert, language: str) -> tuple[str, ...]:
    say = words(language)
    lines = []
    for subject in alert.subjects:
        name = public_name(subject)
        if subject.publication_level == "withheld":
            shown = f"{say[subject.kind]} — {say['withheld']}"
        elif name:
            shown = f"{isolate(name)} ({say[subject.kind]})"
        else:
            shown = say["collective"] if subject.kind in ("person", "group") else say[subject.kind]
        lines.append(_line(f"– {shown}", language))
    return (_label("who", language), *lines)


def _grading(alert: Alert, language: str) -> tuple[str, ...]:
    say = words(language)
    return tuple(
        _line(f"{say[scale]}: {say[f'{scale}:{value}']}", language)
        for scale, value in (
            ("severity", alert.severity),
            ("urgency", alert.urgency),
            ("certainty", alert.certainty),
        )
    )


def _demands(text: Text) -> tuple[str, ...]:
    lines = (_lines(f"{number}. ", demand, text.language) for number, demand in enumerate(text.demands, 1))
    return (_label("demands", text.language), *(line for each in lines for line in each))


def _asked(alert: Alert, text: Text) -> tuple[str, ...]:
    """What readers may do, and first what they are asked not to do."""
    language, say = text.language, words(text.language)
    lines: list[str] = []
    do_not = _do_not(alert, text)
    if do_not:
        lines.append(_label("do-not", language))
        lines.extend(line for each in do_not for line in _lines("– ", each, language))
    if alert.actions:
        lines.append(_label("actions", language))
        lines.extend(_line(f"– {say[f'action:{each}']}", language) for each in alert.actions)
    return tuple(lines)


def _targets(alert: Alert, language: str) -> tuple[str, ...]:
    if not alert.targets:
        return ()
    return (
        _label("targets", language),
        *(
            _line(f"– {isolate(target.office)} ({country_name(target.country, language)})", language)
            for target in alert.targets
        ),
    )


def _dates(alert: Alert, language: str) -> tuple[str, ...]:
    say = words(language)
    moments = (("deadline", alert.deadline), ("expires", alert.expires))
    return tuple(
        _line(f"{say[name]}: {readable_date(moment, language)}", language)
        for name, moment in moments
        if moment
    )


def _origin(language: str, place: Place) -> tuple[str, ...]:
    say = words(language)
    lines = [
        _line(f"{say['issuer']} {isolate(place.author_name)}", language),
        _line(f"{say['reference']}: {isolate(place.reference)}", language),
        _link(f"{say['page']}: ", place.page_url, place.page_url, language),
    ]
    if place.sister_urls:
        lines.append(_line(f"{say['sisters']}:", language))
        lines.extend(_link("– ", url, url, language) for url in place.sister_urls[:2])
    if place.translations:
        lines.append(_line(f"{say['translations']}:", language))
        lines.extend(
            _link("– ", note_id, language_name(tag), language) for tag, note_id in place.translations
        )
    return tuple(lines)


def _link(before: str, url: str, shown: str, language: str) -> str:
    anchor = f'<a href="{html.escape(url, quote=True)}">{html.escape(shown, quote=True)}</a>'
    return mark(before, language) + escape(before, language) + isolate(anchor)


def _label(name: str, language: str) -> str:
    return _strong(f"{words(language)[name]}:", language)


def _strong(said: str, language: str) -> str:
    return f"<strong>{_line(said, language)}</strong>"


def _lines(before: str, said: str, language: str) -> Iterator[str]:
    """Each line of the operator's text, the first with `before` in front."""
    for line in said.split("\n"):
        if line.strip():
            yield _line(line.strip(), language, before)
            before = ""


def _line(said: str, language: str, before: str = "") -> str:
    return mark(before + said, language) + escape(before, language) + escape(said, language)


def _paragraph(lines: tuple[str, ...]) -> str:
    return f"<p>{'<br>'.join(lines)}</p>" if lines else ""
