"""An alert for alerting systems: what the log says of it, as one Common Alerting Protocol message in XML.

Pure: from the public Notes to a text. Decided here:

1. One entry of the log (Create, Update) is one message. Its `identifier` is the reference code and its place in the
   log, its `sender` the author's did: nobody else can speak in that name, and it stays when the host goes.
2. `sent` is rounded down to ten minutes, and each message's lies a second or more after the one before.
3. The first is an Alert, later ones are Updates that refer to all before them. A closed alert is a Cancel: what was
   asked for is asked for no more. It is no AllClear, for an outcome may be a good or a terrible one, and only its text
   says which. A withdrawn alert says nothing at all, a Cancel neither.
4. One `info` for each language, the main one first. A country, never a geometry: nobody is to be found by this.
5. Only what is marked as real is rendered (R15).

Spec: CAP 1.2 §3.2, §3.3
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from node.alert_bidi import harmless
from node.alert_countries import COUNTRIES, EXERCISE_COUNTRY
from node.alert_public import PublicAlert
from node.alert_terms import country_name, rounded, words
from node.errors import RefusedError

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
CAP_XML = "application/cap+xml"
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)
_OUTSIDE = re.compile(r"[^A-Za-z0-9./:@-]+")
"""What becomes `_` in an identifier: blanks, commas, `<` and `&` are forbidden; the rest reads badly aloud."""
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*")
_UNDETERMINED = "und"


@dataclass(frozen=True, slots=True)
class Message:
    """One entry about an alert."""

    alert: PublicAlert
    epoch: int
    sequence: int
    made: datetime
    """What the Note says of itself: `updated`, else `published`."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose alert it is, and where it can be read and proved."""

    did: str
    address: str
    """`handle@host`; empty where we do not know it."""
    name: str
    page: str
    proof: str
    """Where its signed entries can be had."""


@dataclass(frozen=True, slots=True)
class Head:
    """What tells messages apart."""

    identifier: str
    sender: str
    moment: datetime

    @property
    def sent(self) -> str:
        """The moment as it is written."""
        return timestamp(self.moment)

    @property
    def reference(self) -> str:
        """How later messages name this one.

        Spec: CAP 1.2 §3.2.1 (references)
        """
        return f"{self.sender},{self.identifier},{self.sent}"


def heads(chain: Sequence[Message], did: str) -> tuple[Head, ...]:
    """The head of every message of an alert, oldest first."""
    found: list[Head] = []
    last: datetime | None = None
    for message in chain:
        moment = rounded(min(message.made, _LATEST))
        last = moment if last is None else max(moment, last + timedelta(seconds=1))
        name = message.alert.reference if _OUTSIDE.sub("", message.alert.reference) else message.alert.id[-40:]
        identifier = f"{_OUTSIDE.sub('_', name)}.{message.epoch}.{message.sequence}"
        found.append(Head(identifier, _OUTSIDE.sub("_", did), last))
    return tuple(found)


def timestamp(moment: datetime) -> str:
    """A dateTime whose zone is written `-00:00`, for `Z` is not allowed.

    Spec: CAP 1.2 §3.3.2
    """
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "-00:00"


def render(chain: Sequence[Message], translations: Sequence[PublicAlert], source: Source) -> bytes:
    """The newest message of an alert.

    Args:
        chain: all its messages, oldest first.
        translations: the alert as it reads now in its other languages.

    Raises:
        RefusedError: it is an exercise, a test, or nobody says that it is real.

    Spec: CAP 1.2 §3.2.1
    """
    if not chain or any(each.is_drill for each in (*(message.alert for message in chain), *translations)):
        raise RefusedError("R15: exercises and tests are the members' and are exported nowhere")
    alert = chain[-1].alert
    *earlier, head = heads(chain, source.did)
    root = ElementTree.Element("alert", {"xmlns": NAMESPACE})
    _add(root, "identifier", head.identifier)
    _add(root, "sender", head.sender)
    _add(root, "sent", head.sent)
    _add(root, "status", "Actual")
    _add(root, "msgType", "Alert" if not earlier else "Cancel" if alert.state == "closed" else "Update")
    _add(root, "source", source.address)
    _add(root, "scope", "Public")
    _add(root, "note", alert.state_note)
    _add(root, "references", " ".join(each.reference for each in earlier))
    texts: dict[str, PublicAlert] = {}
    for each in (alert, *translations):
        texts.setdefault(_language(each.language).lower(), each)
    for each in texts.values():
        _info(root, each, source, chain[-1])
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _info(root: ElementTree.Element, alert: PublicAlert, source: Source, message: Message) -> None:
    """One language of the message; the order of the elements is the schema's.

    Spec: CAP 1.2 §3.2.2
    """
    say, closed = words(alert.language), alert.state == "closed"
    info = ElementTree.SubElement(root, "info")
    _add(info, "language", _language(alert.language))
    _add(info, "category", "Security")
    _add(info, "event", say.get(alert.kind, say["alert"]))
    _add(info, "responseType", "None" if closed or not alert.demands else "Execute")
    _add(info, "urgency", "Past" if closed else alert.urgency.capitalize())
    _add(info, "severity", alert.severity.capitalize())
    _add(info, "certainty", alert.certainty.capitalize())
    _add(info, "expires", timestamp(min(alert.expires, _LATEST)) if alert.expires else "")
    _add(info, "senderName", source.name)
    _add(info, "headline", " ".join(harmless(alert.headline).split()))
    _add(info, "description", _description(alert))
    if not closed:
        _add(info, "instruction", "\n".join(f"{n}. {demand}" for n, demand in enumerate(alert.demands, 1)))
    _add(info, "web", source.page)
    for name, value in _parameters(alert, source, message):
        if harmless(value).strip():
            _pair(info, "parameter", f"tadamun:{name}", value)
    resource = ElementTree.SubElement(info, "resource")
    _add(resource, "resourceDesc", "Signed entries that prove this alert (tadamun verify)")
    _add(resource, "mimeType", "application/jsonl")
    _add(resource, "uri", source.proof)
    _area(info, alert)


def _description(alert: PublicAlert) -> str:
    say = words(alert.language)
    label = {"closed": "outcome", "corrected": "reason"}.get(alert.state)
    parts = [f"{say[alert.state]}. {say[label]}: {alert.state_note}"] if label and alert.state_note else []
    return "\n\n".join([*parts, alert.narrative]).strip()


def _parameters(alert: PublicAlert, source: Source, message: Message) -> Iterator[tuple[str, str]]:
    """Our own facts, by the names they have in a Note."""
    yield "did", source.did
    yield "logPosition", f"{message.epoch}/{message.sequence}"
    yield "original", alert.id
    yield "reference", alert.reference
    yield "alertKind", alert.kind
    yield "alertState", alert.state
    yield "linkToWork", alert.link_to_work
    yield from (("violationTypes", each) for each in alert.violation_types)
    yield from (("drivers", each) for each in alert.drivers)
    yield "companyOrProject", alert.company_or_project
    yield from (("targets", each.office) for each in alert.targets)
    yield "endorsementMode", alert.endorsement_mode
    yield "verificationLevel", alert.verification_level
    yield "relationToNetwork", alert.relation_to_network
    yield "deadline", timestamp(min(alert.deadline, _LATEST)) if alert.deadline else ""


def _area(info: ElementTree.Element, alert: PublicAlert) -> None:
    code = alert.country
    if code not in COUNTRIES or code == EXERCISE_COUNTRY:
        return
    area = ElementTree.SubElement(info, "area")
    _add(area, "areaDesc", country_name(code, alert.language))
    _pair(area, "geocode", "ISO 3166-1", code)


def _pair(parent: ElementTree.Element, tag: str, name: str, value: str) -> None:
    pair = ElementTree.SubElement(parent, tag)
    _add(pair, "valueName", name)
    _add(pair, "value", value)


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    """An element with text; none where there is nothing to say."""
    text = harmless(text).strip()
    if text:
        ElementTree.SubElement(parent, tag).text = text


def _language(tag: str) -> str:
    return tag if _LANGUAGE.fullmatch(tag) else _UNDETERMINED
