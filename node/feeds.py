"""Alerts for feed readers: Atom, JSON Feed, and the Atom feed of CAP files, from plain values to bytes.

Pure. Which alerts stand in a feed is decided by who fills it (`desk/exports`), and their HTML is clean when it comes
here. Decided here: titles begin with the organisation's name; an entry's id is the alert's portable id, the same on
every node and after every move; every text has its own language; and a feed is bounded: what no longer fits is listed
without its text.

Spec: RFC 4287; JSON Feed 1.1
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import orjson

from node.alert_bidi import harmless, titled

MOST = 50
MAX_CONTENT = 512 * 1024
"""Bytes of HTML in one feed."""
ATOM_XML, FEED_JSON = "application/atom+xml", "application/feed+json"
_CAP_XML = "application/cap+xml"
_ATOM, _CAP = "http://www.w3.org/2005/Atom", "urn:oasis:names:tc:emergency:cap:1.2"


@dataclass(frozen=True, slots=True)
class Capped:
    """The CAP message of an alert: its address, and what saves fetching it."""

    address: str
    identifier: str
    sent: str
    expires: str
    """Empty where the alert does not say."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert, in one language."""

    id: str
    page: str
    name: str
    """The organisation's."""
    name_page: str
    headline: str
    language: str
    published: datetime
    updated: datetime
    content: str
    """HTML, cleaned."""
    tags: tuple[str, ...] = ()
    cap: Capped | None = None

    @property
    def title(self) -> str:
        """Who speaks, then what is said."""
        return titled(self.name, self.headline, self.language)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and its entries, newest first."""

    id: str
    title: str
    language: str
    """Of the title; the entries have their own."""
    home: str
    address: str
    entries: tuple[Entry, ...]
    made: datetime
    """When the organisation began: what an empty feed was updated."""

    @property
    def updated(self) -> datetime:
        """The newest change of an entry."""
        return max((entry.updated for entry in self.entries), default=self.made)


def render_atom(feed: Feed) -> bytes:
    """The feed in Atom.

    Spec: RFC 4287 §4
    """
    root = _root(feed)
    for entry, content in _within(feed.entries):
        item = _entry(root, entry)
        if entry.cap is not None:
            _link(item, "related", _CAP_XML, entry.cap.address)
        if content:
            _add(item, "content", content, type="html")
        else:
            _add(item, "summary", entry.headline)
    return _bytes(root)


def render_cap_feed(feed: Feed) -> bytes:
    """The Atom feed of CAP files: each entry leads to one, and says what tells it apart.

    Spec: RFC 4287 §4.2.7; CAP 1.2 §3.2.1
    """
    root = _root(feed)
    root.set("xmlns:cap", _CAP)
    for entry in feed.entries[:MOST]:
        if entry.cap is None:
            continue
        item = _entry(root, entry)
        _link(item, "alternate", _CAP_XML, entry.cap.address)
        _add(item, "summary", entry.headline)
        _add(item, "cap:identifier", entry.cap.identifier)
        _add(item, "cap:sent", entry.cap.sent)
        if entry.cap.expires:
            _add(item, "cap:expires", entry.cap.expires)
    return _bytes(root)


def render_json(feed: Feed) -> bytes:
    """The feed as JSON.

    Spec: JSON Feed 1.1
    """
    value = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": harmless(feed.title),
        "home_page_url": feed.home,
        "feed_url": feed.address,
        "language": harmless(feed.language),
        "items": [_item(entry, content) for entry, content in _within(feed.entries)],
    }
    if not feed.language:
        del value["language"]
    return orjson.dumps(value)


def _item(entry: Entry, content: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.id,
        "url": entry.page,
        "title": entry.title,
        "date_published": _timestamp(entry.published),
        "date_modified": _timestamp(entry.updated),
        "authors": [{"name": harmless(entry.name), "url": entry.name_page}],
    }
    item |= {"content_html": content} if content else {"content_text": harmless(entry.headline)}
    if entry.language:
        item["language"] = harmless(entry.language)
    if entry.tags:
        item["tags"] = [harmless(tag) for tag in entry.tags]
    if entry.cap is not None:
        item["attachments"] = [{"url": entry.cap.address, "mime_type": _CAP_XML}]
    return item


def _within(entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, str]]:
    """Each entry with its HTML, or without where the feed would become too large."""
    room = MAX_CONTENT
    for entry in entries[:MOST]:
        content = harmless(entry.content)
        size = len(content.encode())
        yield entry, content if size <= room else ""
        room -= size if size <= room else 0


def _root(feed: Feed) -> ElementTree.Element:
    root = ElementTree.Element("feed", {"xmlns": _ATOM, **_lang(feed.language)})
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", _timestamp(feed.updated))
    _link(root, "self", ATOM_XML, feed.address)
    _link(root, "alternate", "text/html", feed.home)
    return root


def _entry(root: ElementTree.Element, entry: Entry) -> ElementTree.Element:
    item = ElementTree.SubElement(root, "entry", _lang(entry.language))
    _add(item, "id", entry.id)
    _add(item, "title", entry.title)
    _add(item, "published", _timestamp(entry.published))
    _add(item, "updated", _timestamp(entry.updated))
    author = ElementTree.SubElement(item, "author")
    _add(author, "name", entry.name)
    _add(author, "uri", entry.name_page)
    for tag in entry.tags:
        ElementTree.SubElement(item, "category", {"term": harmless(tag)})
    _link(item, "alternate", "text/html", entry.page)
    return item


def _lang(language: str) -> dict[str, str]:
    return {"xml:lang": harmless(language)} if language else {}


def _link(parent: ElementTree.Element, relation: str, kind: str, address: str) -> None:
    ElementTree.SubElement(parent, "link", {"rel": relation, "type": kind, "href": harmless(address)})


def _add(parent: ElementTree.Element, tag: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, tag, attributes).text = harmless(text)


def _timestamp(moment: datetime) -> str:
    """Spec: RFC 3339 §5.6."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _bytes(root: ElementTree.Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"
