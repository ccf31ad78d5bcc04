"""Feeds as bytes: an independent reader reads them, ids are stable, titles name who speaks, sizes have an end."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import feeds
from node.alert_bidi import FSI, PDI, harmless, titled
from node.feeds import Capped, Entry, Feed

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ATOM = "{http://www.w3.org/2005/Atom}"
CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
NAME = "منظمة تدريبية"
CAPPED = Capped("https://org1.example/alerts/a1/cap", "XXX_1.1.1", "2026-11-20T12:00:00-00:00", "")
ENTRY = Entry(
    id="ap+ef61://did:key:z6Mk/objects/a1",
    page="https://org1.example/alerts/a1",
    name=NAME,
    name_page="https://org1.example/@drill",
    headline="نص تدريبي about nobody",
    language="ar",
    published=NOON,
    updated=NOON + timedelta(minutes=10),
    content='<p dir="auto">تدريب &amp; <b>لا شيء</b></p>',
    tags=("urgent-appeal", "IQ"),
    cap=CAPPED,
)
FEED = Feed(
    id="ap+ef61://did:key:z6Mk/actor/alerts.atom",
    title=NAME,
    language="ar",
    home="https://org1.example/alerts",
    address="https://org1.example/alerts.atom",
    entries=(ENTRY,),
    made=NOON - timedelta(days=9),
)


def many(count, content="<p>x</p>"):
    entries = (replace(ENTRY, id=f"ap+ef61://did:key:z6Mk/objects/{n}", content=content) for n in range(count))
    return replace(FEED, entries=tuple(entries))


def test_atom_is_read_by_an_independent_reader():
    found = feedparser.parse(feeds.render_atom(FEED))
    assert (found.bozo, found.version) == (0, "atom10")
    assert (found.feed.id, found.feed.title, found.feed.updated) == (FEED.id, NAME, "2026-11-20T12:10:00Z")
    assert found.feed.language == "ar"
    entry = found.entries[0]
    assert (entry.id, entry.link, entry.author) == (ENTRY.id, ENTRY.page, NAME)
    assert entry.title == f"{FSI}{NAME}{PDI}: {ENTRY.headline}"
    assert (entry.published, entry.updated) == ("2026-11-20T12:00:00Z", "2026-11-20T12:10:00Z")
    assert entry.content[0].type == "text/html" and "<b>لا شيء</b>" in entry.content[0].value
    assert entry.content[0].language == "ar"
    assert [tag.term for tag in entry.tags] == ["urgent-appeal", "IQ"]


def test_atom_has_what_the_standard_requires_and_one_of_each():
    root = ElementTree.fromstring(feeds.render_atom(FEED))
    for parent in (root, root.find(ATOM + "entry")):
        for name in ("id", "title", "updated"):
            assert len(parent.findall(ATOM + name)) == 1
        alternates = [each.get("type") for each in parent.findall(ATOM + "link") if each.get("rel") == "alternate"]
        assert alternates == ["text/html"]
    assert [each.get("rel") for each in root.findall(ATOM + "link")] == ["self", "alternate"]


def test_json_is_a_json_feed():
    value = json.loads(feeds.render_json(FEED))
    assert value["version"] == "https://jsonfeed.org/version/1.1"
    assert (value["title"], value["home_page_url"], value["language"]) == (NAME, FEED.home, "ar")
    item = value["items"][0]
    assert (item["id"], item["url"], item["language"]) == (ENTRY.id, ENTRY.page, "ar")
    assert item["authors"] == [{"name": NAME, "url": ENTRY.name_page}]
    assert item["content_html"] == ENTRY.content
    assert (item["date_published"], item["date_modified"]) == ("2026-11-20T12:00:00Z", "2026-11-20T12:10:00Z")
    assert item["attachments"] == [{"url": CAPPED.address, "mime_type": "application/cap+xml"}]
    assert item["title"] == ENTRY.title
    assert set(value) <= {"version", "title", "home_page_url", "feed_url", "language", "items"}


def test_the_cap_feed_leads_to_files_and_saves_fetching_them():
    expiring = replace(CAPPED, expires="2027-01-01T00:00:00-00:00")
    entries = (ENTRY, replace(ENTRY, cap=None), replace(ENTRY, cap=expiring))
    raw = feeds.render_cap_feed(replace(FEED, entries=entries))
    root = ElementTree.fromstring(raw)
    assert feedparser.parse(raw).bozo == 0
    found = root.findall(ATOM + "entry")
    assert len(found) == 2, "what has no CAP file is not listed"
    for entry in found:
        files = [each.get("href") for each in entry.findall(ATOM + "link") if each.get("type") == "application/cap+xml"]
        assert files == [CAPPED.address]
        assert entry.findtext(CAP + "identifier") == CAPPED.identifier
        assert entry.findtext(CAP + "sent") == CAPPED.sent
    assert [each.findtext(CAP + "expires") for each in found] == [None, "2027-01-01T00:00:00-00:00"]


def test_an_empty_feed_is_a_feed():
    empty = replace(FEED, entries=())
    found = feedparser.parse(feeds.render_atom(empty))
    assert (found.bozo, found.entries, found.feed.updated) == (0, [], "2026-11-11T12:00:00Z")
    assert json.loads(feeds.render_json(empty))["items"] == []


@pytest.mark.parametrize("render", [feeds.render_atom, feeds.render_json, feeds.render_cap_feed])
def test_a_feed_holds_fifty_and_no_more_than_half_a_mebibyte_of_text(render):
    assert render(many(80)).count(b"objects/") == feeds.MOST
    large = render(many(60, f"<p>{'x' * 48_000}</p>"))
    assert len(large) < feeds.MAX_CONTENT + 80_000
    assert large.count(b"objects/") == feeds.MOST, "what does not fit is listed without its text"


ODD = st.text(max_size=30) | st.text("\x00\x0b\ud800\ufffe\u202e\u2066\u2069\r\n <&>]]>أب", max_size=12)


@given(ODD, ODD, ODD, ODD, ODD)
def test_no_text_breaks_a_feed(name, headline, language, content, tag):
    entry = replace(ENTRY, name=name, headline=headline, language=language, content=content, tags=(tag,))
    feed = replace(FEED, title=name, entries=(entry,))
    for render in (feeds.render_atom, feeds.render_cap_feed):
        root = ElementTree.fromstring(render(feed))
        for text in root.itertext():
            assert harmless(text) == text
    assert json.loads(feeds.render_json(feed))["items"][0]["id"] == ENTRY.id


@given(ODD, ODD, st.sampled_from(["ar", "en"]))
def test_a_title_closes_what_it_opens_and_turns_nothing(name, headline, language):
    text = titled(name, headline, language)
    assert text.count(FSI) == text.count(PDI) <= 1
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\n\x00")


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("plain", "plain"),
        ("\u2067open", "\u2067open\u2069"),
        ("\u2069closed", "closed"),
        ("\u2067a\n\u2069b", "\u2067a\u2069\nb"),
        ("\u2066\u2067a\u2069", "\u2066\u2067a\u2069\u2069"),
        ("a\u202eb\u202c", "ab"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x00\x1b[31m\x7f\x85\ud800\ufffe\uffff", "[31m"),
        ("\u200fmark stays", "\u200fmark stays"),
    ],
)
def test_what_turns_text_around_or_is_no_xml_goes(given_text, expected):
    assert harmless(given_text) == expected
