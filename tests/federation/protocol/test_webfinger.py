"""Handles and the three parties that must agree to one."""

import copy
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NodeError, ProtocolError
from node.federation.protocol import webfinger
from node.federation.protocol.webfinger import Found

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
ACTOR = f"https://org.example/.well-known/apgateway/{DID}/actor"
SUBJECT = "acct:org1@org.example"
JRD = webfinger.render(SUBJECT, ACTOR, "https://org.example/")


def changed(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(JRD), **parts}


def link(**parts: Any) -> dict[str, Any]:
    return {**JRD["links"][0], **parts}


@pytest.mark.parametrize(
    ("resource", "parts"),
    [
        ("acct:org1@org.example", ("org1", "org.example")),
        ("ACCT:Org_1.x-y@ORG.example.", ("Org_1.x-y", "org.example")),
        ("acct:org1@127.2.0.1:8100", ("org1", "127.2.0.1:8100")),
        ("acct:org1@[::1]:8100", ("org1", "[::1]:8100")),
        ("acct:org1@org.example:443", ("org1", "org.example")),
        ("acct:a@xn--mnchen-3ya.example", ("a", "xn--mnchen-3ya.example")),
    ],
)
def test_a_resource_is_taken_apart(resource: str, parts: tuple[str, str]) -> None:
    assert webfinger.check_resource(resource) == parts


@pytest.mark.parametrize(
    "resource",
    [
        "",
        "org1@org.example",
        "https://org.example/actor",
        "acct:",
        "acct:@org.example",
        "acct:org1",
        "acct:org1@",
        "acct:a@localhost:1234/x?y#",
        "acct:a@localhost?x",
        "acct:a@localhost#x",
        "acct:a@localhost\\x",
        "acct:a@b@c.example",
        "acct:a:b@c.example",
        "acct:a/../b@c.example",
        "acct:a%2F@c.example",
        "acct:a@c.example%2Fx",
        "acct:a@c.example:",
        "acct:a@c.example:99999",
        "acct:a@c..example",
        "acct:a@.example",
        "acct:a@münchen.example",
        "acct:a@c.example\n",
        "acct:a b@c.example",
        "acct:á@c.example",
        "acct:-a@c.example",
        "acct:a.@c.example",
        f"acct:{'a' * 65}@c.example",
        f"acct:a@{'c' * 300}",
    ],
)
def test_a_resource_that_could_escape_is_refused(resource: str) -> None:
    with pytest.raises(ProtocolError):
        webfinger.check_resource(resource)


@pytest.mark.parametrize(
    "handle", ["@org1@127.2.0.1:8100", "org1@127.2.0.1:8100", " acct:org1@127.2.0.1:8100 "]
)
def test_a_handle_is_read_as_people_write_it(handle: str) -> None:
    assert webfinger.parse_handle(handle) == ("org1", "127.2.0.1:8100")


@pytest.mark.parametrize(
    "handle", ["", "@", "org1", "@@org1@org.example", "@org1@org.example@", "https://org.example"]
)
def test_what_is_no_handle_is_refused(handle: str) -> None:
    with pytest.raises(ProtocolError):
        webfinger.parse_handle(handle)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_resource_leads_to_another_host_or_path(user: str, host: str) -> None:
    try:
        name, place = webfinger.check_resource(f"acct:{user}@{host}")
    except NodeError:
        return
    parts = urlsplit(webfinger.url_of(name, place))
    assert (parts.netloc, parts.path, parts.fragment) == (place, "/.well-known/webfinger", "")
    assert parse_qs(parts.query) == {"resource": [f"acct:{name}@{place}"]}


def test_the_question_is_percent_encoded() -> None:
    assert webfinger.url_of("org1", "127.2.0.1:8100", "http") == (
        "http://127.2.0.1:8100/.well-known/webfinger?resource=acct%3Aorg1%40127.2.0.1%3A8100"
    )


def test_what_we_answer_is_what_we_would_read() -> None:
    assert webfinger.parse(JRD, "org1@org.example") == Found(SUBJECT, ACTOR)
    assert JRD["links"][0] == {"rel": "self", "type": "application/activity+json", "href": ACTOR}


@pytest.mark.parametrize(
    "document",
    [
        changed(links=JRD["links"][0]),
        changed(links=[link(type='application/ld+json; profile="https://www.w3.org/ns/activitystreams"')]),
        changed(links=[link(), link()]),
        changed(links=[link(type="text/html", href="https://org.example/page"), link()]),
        changed(subject=None),
        changed(subject="acct:org1@ORG.example"),
        changed(aliases=None, properties={}),
    ],
)
def test_other_servers_way_of_saying_the_same_is_read(document: dict[str, Any]) -> None:
    assert webfinger.parse(document, SUBJECT) == Found(SUBJECT, ACTOR)


@pytest.mark.parametrize(
    "document",
    [
        changed(subject=7),
        changed(subject="https://org.example/actor"),
        changed(subject="acct:org1@org.example/x"),
        changed(links=None),
        changed(links="self"),
        changed(links=[None, 1, "x", []]),
        changed(links=[link(rel="me")]),
        changed(links=[link(rel=["self"])]),
        changed(links=[link(type="application/json")]),
        changed(links=[link(type="application/ld+json")]),
        changed(links=[link(type=None)]),
        changed(links=[link(href=None)]),
        changed(links=[link(href=["https://org.example/a"])]),
        changed(links=[link(href="javascript:alert(1)")]),
        changed(links=[link(href="https://user@org.example/a")]),
        changed(links=[link(href=DID)]),
        changed(links=[link(), link(href="https://org.example/other")]),
        changed(links=[link(rel="me")] * 100 + [link()]),
    ],
)
def test_an_answer_that_names_no_one_actor_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        webfinger.parse(document, SUBJECT)


@pytest.mark.parametrize(
    ("found", "asked", "resources"),
    [
        (Found(SUBJECT, ACTOR), "org.example", ()),
        (Found("acct:a@good.example", "https://evil.example/a"), "evil.example", ("acct:a@good.example",)),
        (Found("acct:a@evil.example", "https://good.example/a"), "evil.example", ("acct:a@good.example",)),
        (
            Found("acct:a@good.example", "https://social.good.example/a"),
            "third.example",
            ("acct:a@good.example", "acct:a@social.good.example"),
        ),
        (Found("acct:a@h.example:8100", "https://h.example/a"), "h.example:8100", ("acct:a@h.example",)),
    ],
)
def test_every_other_host_an_answer_names_is_asked(
    found: Found, asked: str, resources: tuple[str, ...]
) -> None:
    assert webfinger.to_confirm(found, asked) == resources


def test_a_host_that_says_the_same_confirms() -> None:
    webfinger.check_confirmed(Found(SUBJECT, ACTOR), Found("acct:Org1@org.example", ACTOR))


@pytest.mark.parametrize(
    "again",
    [
        Found("acct:org2@org.example", ACTOR),
        Found("acct:org1@evil.example", ACTOR),
        Found(SUBJECT, ACTOR + "/x"),
    ],
)
def test_a_host_that_says_otherwise_does_not_confirm(again: Found) -> None:
    with pytest.raises(ProtocolError):
        webfinger.check_confirmed(Found(SUBJECT, ACTOR), again)


@pytest.mark.parametrize("extra", [{}, {"webfinger": "org1@org.example"}, {"preferredUsername": "Org1"}])
def test_an_actor_agrees_to_its_handle(extra: dict[str, Any]) -> None:
    webfinger.check_actor(Found(SUBJECT, ACTOR), {"id": ACTOR, "preferredUsername": "org1", **extra})


@pytest.mark.parametrize(
    "extra",
    [
        {"id": "https://org.example/other"},
        {"id": None},
        {"preferredUsername": "org2"},
        {"preferredUsername": None},
        {"preferredUsername": ["org1"]},
        {"webfinger": "org1@evil.example"},
        {"webfinger": ["org1@org.example"]},
    ],
)
def test_an_actor_that_says_otherwise_is_not_bound_to_the_handle(extra: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        webfinger.check_actor(Found(SUBJECT, ACTOR), {"id": ACTOR, "preferredUsername": "org1", **extra})


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [
        ("application/jrd+json", True),
        ("application/jrd+json; charset=utf-8", True),
        ("Application/JSON", True),
        ("text/html", False),
        ("application/activity+json", False),
        (None, False),
    ],
)
def test_a_jrd_comes_as_json(content_type: str | None, taken: bool) -> None:
    assert webfinger.is_jrd(content_type) is taken
