"""The copy of an alert that we carry on for a member whose server is gone: a plain Note of our own, in our own words.

Decides what of the author's text stands in it, in which order, and how it is marked. The author's name comes first,
then who carries it on and why; whoever wants the signed original finds it behind the links. Of the persons an alert is
about nothing is said but what its author wrote into the text. The text is put together anew from plain fields: no HTML
of another's stands under our name. A drill is never carried.

Spec: AP §6.2; UAX #9 §2.4 (isolates)
"""

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from node.alert_bidi import escape, isolate, mark
from node.alert_public import PublicAlert
from node.alert_terms import ui_language, words
from node.boosts import Voice
from node.errors import RefusedError
from node.federation.protocol.activities import AS2, PUBLIC
from node.federation.protocol.actors import NAMESPACE, timestamp
from node.federation.protocol.messages import MAX_NOTE, JsonObject

TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        "gts": "https://gotosocial.org/ns#",
        "original": {"@id": "tadamun:original", "@type": "@id"},
        "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
        "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
        "canReply": {"@id": "gts:canReply", "@type": "@id"},
        "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id", "@container": "@set"},
        "manualApproval": {"@id": "gts:manualApproval", "@type": "@id", "@container": "@set"},
    }
)
_ENGLISH = MappingProxyType(
    {
        "carried": "Carried on by {name}, because its own server cannot be reached.",
        "proof": "Original, signed by its author",
        "original": "Its id",
    }
)
_ARABIC = MappingProxyType(
    {
        "carried": "ينقله {name} لأن خادم الجهة التي أصدرته لا يمكن الوصول إليه.",
        "proof": "النص الأصلي بتوقيع الجهة التي أصدرته",
        "original": "معرّفه",
    }
)


@dataclass(frozen=True, slots=True)
class Carriage:
    """By whom, for whom and where an alert is carried on."""

    voice: Voice
    note_id: str
    author: str
    """The name of the organisation that issued it."""
    carrier: str
    """Our own name."""
    page_url: str
    """Our page of the alert."""
    proof_url: str
    """Our copy of the signed Note."""
    since: datetime
    """When the copy was first published."""
    updated: datetime | None


def render(alert: PublicAlert, carriage: Carriage) -> JsonObject:
    """The copy of an alert.

    Raises:
        RefusedError: it is a drill, or its author did not agree beforehand.

    Spec: Tadamun design §4
    """
    if alert.is_drill or not alert.republishable:
        raise RefusedError("only actual alerts are carried on, and only where their author agreed")
    content = _content(alert, carriage, whole=True)
    if len(content.encode()) > MAX_NOTE:
        content = _content(alert, carriage, whole=False)
    note: JsonObject = {
        "id": carriage.note_id,
        "type": "Note",
        "attributedTo": carriage.voice.uri,
        "content": content,
        "contentMap": {alert.language: content} if alert.language else {},
        "url": carriage.page_url,
        "original": alert.id,
        "published": timestamp(carriage.since),
        "to": [PUBLIC],
        "cc": [carriage.voice.followers],
        "interactionPolicy": {
            "canReply": {"automaticApproval": [carriage.voice.uri], "manualApproval": [PUBLIC]},
            "canQuote": {"automaticApproval": [carriage.voice.uri]},
        },
    }
    if carriage.updated is not None:
        note["updated"] = timestamp(carriage.updated)
    return note


def render_activity(kind: str, voice: Voice, activity: str, thing: JsonObject, now: datetime) -> JsonObject:
    """Create, Update or Delete of a copy.

    Spec: AP §7.2, §7.3, §7.4
    """
    return {
        "@context": [AS2, dict(TERMS)],
        "id": activity,
        "type": kind,
        "actor": voice.uri,
        "object": thing,
        "to": [PUBLIC],
        "cc": [voice.followers],
        "published": timestamp(now),
    }


def served(note: JsonObject) -> bytes:
    """A copy as it lies at its own id."""
    return orjson.dumps({"@context": [AS2, dict(TERMS)], **note})


def _content(alert: PublicAlert, carriage: Carriage, *, whole: bool) -> str:
    language = alert.language
    say = _ARABIC if ui_language(language) == "ar" else _ENGLISH
    theirs = words(language)
    carried = say["carried"].replace("{name}", isolate(carriage.carrier))
    blocks: list[tuple[str, ...]] = []
    blocks.append((_strong(isolate(carriage.author), language), _line(carried, language)))
    if alert.state in ("corrected", "closed"):
        blocks.append((_strong(theirs[alert.state], language), *_lines(alert.state_note, language)))
    blocks.append((_strong(alert.headline, language),))
    if whole:
        blocks.append(tuple(_lines(alert.narrative, language)))
        blocks.append((_strong(f"{theirs['work']}:", language), *_lines(alert.link_to_work, language)))
        numbered = "\n".join(f"{number}. {demand}" for number, demand in enumerate(alert.demands, 1))
        blocks.append((_strong(f"{theirs['demands']}:", language), *_lines(numbered, language)))
    blocks.append(
        (
            _link(f"{theirs['page']}: ", carriage.page_url, language),
            _link(f"{say['proof']}: ", carriage.proof_url, language),
            _line(f"{say['original']}: {isolate(alert.id)}", language),
        )
    )
    return "".join(f"<p>{'<br>'.join(lines)}</p>" for lines in blocks if lines)


def _line(said: str, language: str) -> str:
    return mark(said, language) + escape(said, language)


def _lines(said: str, language: str) -> Iterator[str]:
    return (_line(line.strip(), language) for line in said.split("\n") if line.strip())


def _strong(said: str, language: str) -> str:
    return f"<strong>{_line(said, language)}</strong>"


def _link(before: str, url: str, language: str) -> str:
    shown = html.escape(url, quote=True)
    return mark(before, language) + escape(before, language) + isolate(f'<a href="{shown}">{shown}</a>')
