"""What other servers, clients and browsers get when they GET: a real node over plain http, and no foreign software.

The `Accept` headers are those that servers send: Mastodon's two types, GoToSocial's and Pleroma's ld+json with its
profile, bovine's bare ld+json, a browser's, and curl's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

import pytest

from tests.interop.test_fedify import alert
from tests.support.processes import Answer, Node, request

LD_JSON = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
SERVERS = [
    "application/activity+json, application/ld+json",
    f"{LD_JSON}, application/activity+json",
    f'{LD_JSON}; q=1, application/activity+json; q=0.9, text/html;q=0.1',
    "application/activity+json",
    LD_JSON,
    "application/ld+json",
]
BROWSERS = ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]
ANYTHING = ["*/*", ""]


@dataclass(frozen=True, slots=True)
class Published:
    """A node with one alert for everybody."""

    node: Node
    note: str
    page: str


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """One node for all tests of this file: they only read."""
    directory: Path = tmp_path_factory.mktemp("readers")
    with Node(directory / "org1", "127.2.0.1") as node:
        made = node.cli("alert", "publish", alert(directory), json=True)
        yield Published(node, made["id"], made["url"])


def get(url: str, accept: str) -> Answer:
    """GET with this `Accept`; with none when it is empty."""
    return request("GET", url, headers={"Accept": accept} if accept else {})


def webfinger(node: Node, resource: str) -> Answer:
    """Ask who this resource is."""
    return node.get(f"/.well-known/webfinger?resource={quote(resource, safe='')}")


@pytest.mark.parametrize("accept", [*SERVERS, *ANYTHING])
def test_an_id_answers_with_its_document(published: Published, accept: str) -> None:
    for uri in (published.note, published.node.actor):
        answer = get(uri, accept)

        assert answer.status == 200
        assert answer.headers["content-type"] == "application/activity+json"
        assert "Accept" in answer.headers["vary"]
        assert answer.json()["id"] == uri


@pytest.mark.parametrize("accept", BROWSERS)
def test_an_id_sends_a_browser_to_its_page(published: Published, accept: str) -> None:
    answer = get(published.note, accept)

    assert (answer.status, urljoin(published.note, answer.headers["location"])) == (303, published.page)
    assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize("accept", SERVERS)
def test_a_page_sends_a_server_to_the_document(published: Published, accept: str) -> None:
    home = f"{published.node.origin}/@org1"
    for page, uri in ((published.page, published.note), (home, published.node.actor)):
        answer = get(page, accept)

        assert (answer.status, answer.headers.get("location")) == (303, uri)
        assert "Accept" in answer.headers["vary"]


@pytest.mark.parametrize("accept", [*BROWSERS, *ANYTHING])
def test_a_page_is_a_page_to_everybody_else(published: Published, accept: str) -> None:
    answer = get(published.page, accept)

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "The invented community had asked for a hearing." in answer.body.decode()


def test_webfinger_answers_for_the_handle_with_its_port_the_actor_and_the_profile_page(published: Published) -> None:
    node = published.node
    handle = f"acct:{node.handle.removeprefix('@')}"
    for resource in (handle, handle.upper().replace("ACCT:", "acct:"), node.actor, f"{node.origin}/@org1"):
        answer = webfinger(node, resource)

        assert answer.status == 200, resource
        assert answer.headers["content-type"] == "application/jrd+json"
        assert answer.headers["access-control-allow-origin"] == "*"
        found = answer.json()
        assert found["subject"] == handle
        [link] = [each for each in found["links"] if each["rel"] == "self"]
        assert (link["type"], link["href"]) == ("application/activity+json", node.actor)


@pytest.mark.parametrize("wrong", ["acct:org1@127.2.0.1", "acct:nobody@{host}", "http://127.9.9.9/@org1", "org1"])
def test_webfinger_knows_nobody_else(published: Published, wrong: str) -> None:
    host = urlsplit(published.node.origin).netloc

    assert webfinger(published.node, wrong.format(host=host)).status == 404


def test_nodeinfo_is_found_and_says_activitypub(published: Published) -> None:
    links = published.node.get("/.well-known/nodeinfo").json()["links"]
    [schema] = [each for each in links if each["rel"] == "http://nodeinfo.diaspora.software/ns/schema/2.1"]

    found = request("GET", schema["href"]).json()

    assert (found["version"], found["software"]["name"]) == ("2.1", "tadamun")
    assert found["protocols"] == ["activitypub"]
    assert found["openRegistrations"] is False


def test_host_meta_leads_to_webfinger(published: Published) -> None:
    answer = published.node.get("/.well-known/host-meta")

    assert answer.headers["content-type"] == "application/xrd+xml"
    [link] = ElementTree.fromstring(answer.body)  # our own node's answer
    handle = quote(f"acct:{published.node.handle.removeprefix('@')}", safe="")
    assert request("GET", link.attrib["template"].replace("{uri}", handle)).json()["subject"].startswith("acct:org1@")


def test_the_outbox_holds_the_alert_as_it_was_signed(published: Published) -> None:
    outbox = get(f"{published.node.actor}/outbox", SERVERS[0]).json()

    page = get(outbox["first"], SERVERS[0]).json()

    notes = [each["object"] for each in page["orderedItems"] if each["type"] == "Create"]
    assert notes == [get(published.note, SERVERS[0]).json()]


@pytest.mark.parametrize("name", ["followers", "following"])
def test_followers_are_a_number_without_names(published: Published, name: str) -> None:
    found = get(f"{published.node.actor}/{name}", SERVERS[0]).json()

    assert (found["type"], found["totalItems"]) == ("OrderedCollection", 0)
    assert not {"first", "items", "orderedItems"} & found.keys()


def test_the_actor_that_signs_our_gets_can_be_read_by_whom_we_ask(published: Published) -> None:
    uri = f"{published.node.origin}/actor"

    found = get(uri, SERVERS[0]).json()

    assert (found["id"], found["type"]) == (uri, "Application")
    assert found["publicKey"]["owner"] == uri
