"""Ninety published advisories of fediverse servers and of the libraries they use, and what becomes of each here.

`TABLE` says for every one where it is tested, or why it does not apply. What is tested here goes against a whole node
over a real socket wherever the advisory is about one.
"""

import ast
import asyncio
import io
import json
import tarfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from node import bundles
from node.app import Node
from node.commands.setup import _unpack
from node.errors import ConfigurationError, NodeError, ProtocolError, RefusedError
from node.federation import mirror
from node.federation.mirror import Report
from node.federation.protocol import addressing, http_signatures, ids, message_signatures, messages, webfinger
from node.federation.protocol.activities import AS2, PUBLIC
from node.federation.protocol.messages import ACTIVITY_JSON, MAX_ENTRY
from node.models import alerts, contacts, documents, queues
from tests.support.fediverse import Host
from tests.support.letters import (
    Letter,
    Person,
    Portable,
    follow,
    follow_id,
    header_of,
    learn,
    pin,
    post,
    send,
    signed,
)
from tests.support.network import House, Network, Served, bound, free_port

ROOT = Path(__file__).parents[1]
_PROTOCOL = "tests/federation/protocol"
DOOR = "tests/federation/test_inbox.py::test_the_door_refuses_each_of_these_by_its_rule"
OWN_ERRORS = "tests/federation/test_inbox.py::test_a_key_document_that_is_none_fails_for_good_and_breaks_nothing"


@dataclass(frozen=True, slots=True)
class Tested:
    """Where: names of tests, of this file unless a file is named."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotHere:
    """Why it does not apply yet."""

    reason: str


def tested(*names: str) -> Tested:
    return Tested(names)


TABLE: dict[int, Tested | NotHere] = {
    1: tested(DOOR),
    2: tested(DOOR),
    3: tested(
        "test_3_an_actor_counts_at_its_own_host_only",
        f"{_PROTOCOL}/test_verification.py::test_an_object_is_believed_by_its_proof_or_at_its_own_place",
    ),
    4: tested(
        "test_4_a_document_of_another_content_type_is_no_key",
        "tests/federation/test_fetcher.py::test_a_document_of_another_type_is_not_taken",
    ),
    5: tested("test_18_a_redirect_lends_no_authority", "test_5_nothing_here_is_uploaded"),
    6: tested(
        f"{_PROTOCOL}/test_webfinger.py::test_a_host_that_says_otherwise_does_not_confirm",
        f"{_PROTOCOL}/test_webfinger.py::test_an_actor_that_says_otherwise_is_not_bound_to_the_handle",
    ),
    7: tested("test_7_a_host_has_one_spelling_everywhere", f"{_PROTOCOL}/test_ids.py::test_an_id_has_one_spelling"),
    8: tested(f"{_PROTOCOL}/test_actors.py::test_a_broken_actor_is_refused", DOOR),
    9: tested(
        "test_9_no_address_that_runs_is_shown", f"{_PROTOCOL}/test_actors.py::test_addresses_that_run_are_left_out"
    ),
    10: tested(
        f"{_PROTOCOL}/test_linked_data_signatures.py::test_advisory_10_an_alias_of_meaning_is_refused",
        "test_10_a_linked_data_signature_opens_no_door",
    ),
    11: tested(f"{_PROTOCOL}/test_linked_data_signatures.py::test_advisory_11_a_swapped_context_is_refused"),
    12: tested(
        f"{_PROTOCOL}/test_linked_data_signatures.py::test_advisory_12_a_signed_create_that_is_regrouped_is_refused"
    ),
    13: tested(f"{_PROTOCOL}/test_linked_data_signatures.py::test_advisory_13_a_named_graph_is_refused"),
    14: tested(f"{_PROTOCOL}/test_linked_data_signatures.py::test_advisory_14_keywords_under_other_names_are_refused"),
    15: tested(
        f"{_PROTOCOL}/test_linked_data_signatures.py::test_advisory_15_no_leaf_can_be_changed",
        f"{_PROTOCOL}/test_integrity_proofs.py::test_no_leaf_of_a_signed_document_can_be_changed",
    ),
    16: tested("test_16_nobody_widens_the_audience_of_anothers_post"),
    17: tested("test_17_a_post_is_known_by_its_id_and_never_by_its_url"),
    18: tested("test_18_a_redirect_lends_no_authority"),
    19: tested("test_19_nobody_changes_anothers_post"),
    20: tested(f"{_PROTOCOL}/test_http_signatures.py::test_a_signature_over_the_date_alone_is_refused", DOOR),
    21: tested("test_19_nobody_changes_anothers_post"),
    22: tested(
        "test_22_nobody_takes_over_a_known_or_a_local_key",
        f"{_PROTOCOL}/test_actors.py::test_a_key_counts_if_it_is_the_actors_own_and_under_the_actors_own_id",
    ),
    23: tested("test_23_nobody_posts_in_anothers_name_or_collection"),
    24: tested("test_24_quotes_in_every_federated_text_do_nothing"),
    25: tested("test_25_a_log_without_end_is_not_read_to_its_end"),
    26: tested("test_26_a_table_of_heads_sends_us_nowhere_and_is_bounded"),
    27: tested("test_27_an_archive_holds_what_a_backup_holds_or_nothing", "test_27_a_bundle_is_bounded"),
    28: tested(
        "test_28_no_key_leads_us_into_the_private_network",
        f"{_PROTOCOL}/test_addressing.py::test_a_special_address_is_refused_by_its_kind",
    ),
    29: tested(
        "tests/federation/test_fetcher.py::test_a_redirect_to_itself_ends",
        "tests/federation/test_fetcher.py::test_a_redirect_to_a_forbidden_place_is_not_followed",
    ),
    30: tested(f"{_PROTOCOL}/test_addressing.py::test_a_special_address_is_refused_by_its_kind"),
    31: NotHere("nobody's NodeInfo is read"),
    32: tested(
        "tests/federation/test_fetcher.py::test_three_redirects_are_followed_and_each_is_signed_anew",
        "tests/federation/test_fetcher.py::test_a_redirect_to_a_forbidden_place_is_not_followed",
    ),
    33: tested("test_33_what_is_noted_of_hosts_that_fail_goes_again"),
    34: tested(
        "tests/federation/test_inbox.py::test_a_dead_key_is_asked_for_once_however_many_requests_name_it",
        "tests/federation/test_fetcher.py::test_a_redirect_to_itself_ends",
    ),
    35: NotHere("no fetched HTML is read"),
    36: tested(f"{_PROTOCOL}/test_addressing.py::test_a_special_address_is_refused_by_its_kind"),
    37: tested("tests/federation/test_fetcher.py::test_no_spelling_of_a_forbidden_address_is_reached"),
    38: tested(f"{_PROTOCOL}/test_addressing.py::test_an_ipv4_address_is_judged_alike_however_it_is_wrapped"),
    39: tested("test_39_who_is_not_pinned_has_no_rights_and_is_not_called"),
    40: tested(
        f"{_PROTOCOL}/test_webfinger.py::test_a_resource_that_could_escape_is_refused",
        "tests/federation/test_fetcher.py::test_a_name_that_changes_its_answer_gains_nothing",
    ),
    41: NotHere("no link of a post is ever fetched: no previews, no webmentions, no image proxy"),
    42: tested("test_56_what_is_hidden_and_what_never_was_are_answered_alike"),
    43: NotHere("no groups with moderators yet; Add and Remove are unknown types"),
    44: tested("tests/test_relations.py::test_each_rule_says_what_it_says"),
    45: tested(
        "tests/federation/test_inbox.py::test_nothing_of_who_called_is_written_anywhere",
        "test_45_a_forged_address_opens_nothing",
    ),
    46: NotHere("no media are taken yet"),
    47: NotHere("no previews"),
    48: tested(
        "tests/federation/test_fetcher.py::test_the_deadline_is_for_the_whole_call",
        "tests/federation/test_inbox.py::test_a_body_that_dribbles_is_not_waited_for",
    ),
    49: NotHere("no verified links"),
    50: tested("tests/web/test_render.py::test_no_foreign_html_leaves_a_door_open"),
    51: NotHere("no sign-in yet"),
    52: NotHere("no streaming yet"),
    53: NotHere("no streaming yet"),
    54: NotHere("no accounts yet, and no lists of blocked domains"),
    55: NotHere("no mail is sent"),
    56: tested("test_56_what_is_hidden_and_what_never_was_are_answered_alike"),
    57: tested("test_57_a_frozen_member_brings_nothing_new"),
    58: tested("test_58_long_lists_cost_little", f"{_PROTOCOL}/test_actors.py::test_lists_and_texts_are_bounded", DOOR),
    59: tested("tests/test_alert_input.py::test_a_wrong_field_is_named_with_what_to_write"),
    60: tested("tests/test_flow_organisations.py::test_no_row_of_one_organisation_is_anothers"),
    61: tested("test_61_what_only_members_see_is_kept_by_no_cache"),
    62: tested("test_61_what_only_members_see_is_kept_by_no_cache"),
    63: NotHere("no quote authorisations: quotes of ours are allowed to all, and quotes of others are not shown"),
    64: NotHere("no collections of others' items"),
    65: tested("test_65_one_bad_post_breaks_no_list"),
    66: tested("test_66_no_long_text_costs_long"),
    67: NotHere("no mail addresses"),
    68: tested("test_68_no_path_leads_to_another_host"),
    69: NotHere("no admin API: the operator's way in is the command line"),
    70: NotHere("no LDAP"),
    71: tested("test_71_who_did_not_accept_is_not_followed"),
    72: NotHere("no client of ours in the browser: pages work without scripts"),
    73: NotHere("nothing is uploaded from an address, and no media proxy"),
    74: NotHere("no accounts yet, no files of users"),
    75: NotHere("no sign-in yet"),
    76: NotHere("the texts of these are not published; to be read again when they are"),
    77: tested(
        "test_77_a_forwarded_delete_is_its_authors_or_nothing",
        f"{_PROTOCOL}/test_verification.py::test_what_is_not_its_authors_is_refused_by_its_rule",
    ),
    78: tested("test_78_no_xml_is_read"),
    79: NotHere("no custom emoji"),
    80: tested("test_84_a_body_that_nobody_wants_is_not_read"),
    81: tested("test_81_ranges_are_not_computed"),
    82: tested("test_82_no_host_header_changes_what_a_path_is"),
    83: tested("test_83_no_method_reaches_more_than_its_route"),
    84: tested("test_84_a_body_that_nobody_wants_is_not_read"),
    85: tested("test_85_no_path_leaves_the_folder_of_static_files"),
    86: tested("test_86_no_form_parser_is_installed_with_us"),
    87: tested(
        "tests/federation/test_fetcher.py::test_a_gzip_bomb_never_unfolds_in_memory",
        "tests/federation/test_fetcher.py::test_headers_without_end_are_cut",
        "test_87_pinned_libraries_are_new_enough",
    ),
    88: tested("test_88_a_request_has_one_length"),
    89: tested("tests/web/test_render.py::test_no_foreign_html_leaves_a_door_open"),
    90: tested(f"{_PROTOCOL}/test_jsonld.py::test_advisory_90_an_unknown_context_is_named_and_never_fetched"),
}


def test_every_advisory_stands_in_the_table_once_and_its_tests_exist() -> None:
    assert list(TABLE) == list(range(1, 91))
    missing = []
    for number, row in TABLE.items():
        if isinstance(row, NotHere):
            assert len(row.reason) > 5, number
            continue
        for name in row.names:
            file, _, test = name.rpartition("::")
            if test not in _tests_of(file or "tests/test_advisories.py"):
                missing.append((number, name))
    assert missing == []


def test_every_test_of_this_file_stands_in_the_table() -> None:
    named = {name for row in TABLE.values() if isinstance(row, Tested) for name in row.names}
    numbered = {name for name in _tests_of("tests/test_advisories.py") if name[5].isdigit()}
    assert numbered - named == set()


def _tests_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


# --- the stage -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Scene:
    """A node, those it follows, and its members; `work` lets it judge what came."""

    net: Network
    house: House
    amal: Person
    badr: Person
    mallory: Person
    member: Portable
    other: Portable

    async def take(self, letter: Letter) -> tuple[int, str, str]:
        """Hand a letter in and let it be judged: status, and how the newest row ended."""
        status = (await post(self.house, letter)).status
        await self.work()
        table = queues.incoming
        query = select(table.c.state, table.c.reason).order_by(table.c.id.desc()).limit(1)
        row = self.house.read(lambda connection: connection.execute(query).first())
        return status, row[0] if row else "", row[1] if row else ""

    async def hear(self, person: Person, kind: str, value: Any, **changes: Any) -> tuple[int, str, str]:
        """Somebody says something, signed by themselves."""
        return await self.take(person.letter(self.house, person.says(kind, value, **changes)))

    async def work(self) -> None:
        while await self.house.node.inbox.work_once():
            await self.house.node.inbox.drain()

    def stored(self, object_id: str) -> documents.Stored | None:
        return self.house.read(
            lambda connection: documents.stored(connection, self.house.did, ids.canonical(object_id))
        )


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Network]:
    async with Network(tmp_path) as made:
        yield made


@pytest.fixture
async def scene(net: Network) -> Scene:
    house = await net.house("org", start=False)
    await house.start(workers=False)
    made = Scene(
        net,
        house,
        Person("amal", "peer.example", 1),
        Person("badr", "peer.example", 2),
        Person("mallory", "evil.example", 3),
        Portable("member", "member.example"),
        Portable("other", "other.example"),
    )
    await follow(house, made.amal, made.badr, made.mallory)
    await pin(house, made.member, made.other)
    assert (await made.hear(made.amal, "Create", made.amal.note()))[1] == "accepted"
    return made


async def serve(net: Network, *routes: Route, number: int = 1) -> str:
    """A server of a stranger's; returns its origin."""
    place = (f"127.79.{number}.1", free_port(f"127.79.{number}.1"))
    served = Served(Starlette(routes=list(routes)), [place])
    await served.ready()
    net.others.append(served)
    return f"http://{place[0]}:{place[1]}"


def alert(member: Portable, **changes: Any) -> dict[str, Any]:
    """A member's alert, with its proof."""
    terms = {
        "alertKind": "urgent-appeal",
        "alertStatus": "actual",
        "headline": "An exercise",
        "severity": "severe",
        "urgency": "immediate",
        "certainty": "likely",
        "countryCode": "XX",
        "reference": "XXX 001",
        "contentMap": {"en": "<p>An exercise</p>"},
        "url": "https://member.example/alerts/1",
    }
    return member.note(**{**terms, **changes})


# --- who somebody is -----------------------------------------------------------------------------------------------


async def test_3_an_actor_counts_at_its_own_host_only(scene: Scene) -> None:
    """Host X serves an actor whose id is on Y: neither is learned, whoever signs."""
    elsewhere = await Host(scene.net, 1, "mallory").start()
    victim = Person("victim", "victim.example", 1)
    elsewhere.documents["/copy"] = victim.document()
    elsewhere.documents["/key"] = {
        **victim.document(),
        "publicKey": {**victim.document()["publicKey"], "id": elsewhere.origin + "/key"},
    }
    for path in ("/copy", "/key"):
        letter = signed(scene.house, victim.says("Like", AS2), victim.private, elsewhere.origin + path)
        assert (await scene.take(letter))[1] == "refused"
    assert scene.house.read(lambda connection: documents.actor(connection, victim.uri)) is None


async def test_4_a_document_of_another_content_type_is_no_key(scene: Scene) -> None:
    kinds = ("application/json", "text/html", "image/png", "application/ld+json", "text/plain")

    async def document(request: Request) -> Response:
        uri = f"{origin}/{request.path_params['number']}"
        kind = kinds[int(request.path_params["number"])]
        value = {**scene.amal.document(), "id": uri, "inbox": uri + "/inbox"}
        value["publicKey"] = {**value["publicKey"], "id": uri + "#main-key", "owner": uri}
        return Response(json.dumps(value), media_type=kind)

    origin = await serve(scene.net, Route("/{number:int}", document))
    for number in range(len(kinds)):
        uri = f"{origin}/{number}"
        value = {
            "@context": AS2,
            "id": uri + "/1",
            "type": "Like",
            "actor": uri,
            "object": scene.house.organisation.uri,
        }
        assert (await scene.take(signed(scene.house, value, scene.amal.private, uri + "#main-key")))[1] == "failed"


async def test_5_nothing_here_is_uploaded(scene: Scene) -> None:
    """Every answer with ActivityPub's type is ours or bears its author's proof; every answer says nosniff."""
    for path in ("/", "/alerts", "/static/site.css", "/actor", "/healthz", "/nothing"):
        answer = await scene.house.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
    uploads = [name for name in ("/upload", "/media", "/api/v1/media") if (await scene.house.get(name)).status != 404]
    assert uploads == []


def test_7_a_host_has_one_spelling_everywhere() -> None:
    for host in ("PEER.example", "peer.example.", "Peer.Example:443", "peer.EXAMPLE.:443"):
        assert ids.canonical(f"https://{host}/users/amal#main-key") == "https://peer.example/users/amal#main-key"
        assert addressing.check_target(f"https://{host}/x", addressing.Policy(), False).authority == "peer.example"
        assert webfinger.parse_handle(f"@amal@{host}") == ("amal", "peer.example")
    for host in (
        "ｐｅｅｒ.example",
        "реer.example",
        "peer。example",
        "peer%2eexample",
        "peer.example%00",
        "pe er.example",
        "peer..example",
        "-peer.example",
    ):
        for read in (ids.canonical, lambda uri: addressing.check_target(uri, addressing.Policy(), False)):
            with pytest.raises(ProtocolError):
                read(f"https://{host}/users/amal")
        with pytest.raises(ProtocolError):
            webfinger.parse_handle(f"@amal@{host}")


async def test_10_a_linked_data_signature_opens_no_door(scene: Scene) -> None:
    """No activity is believed for an LD signature: what carries only one is refused like what carries none."""
    value = scene.amal.says(
        "Delete", scene.amal.note()["id"], signature={"type": "RsaSignature2017", "creator": scene.amal.key_id}
    )
    answer = await post(
        scene.house,
        Letter(
            "/inbox",
            (("host", scene.house.organisation.host), ("content-type", ACTIVITY_JSON)),
            json.dumps(value).encode(),
        ),
    )
    assert answer.status == 401
    assert scene.stored(scene.amal.note()["id"]) is not None


async def test_18_a_redirect_lends_no_authority(scene: Scene) -> None:
    """X redirects to Y, which serves an actor with an id on X; and a key on X that leads to an actor on Y."""

    async def away(request: Request) -> Response:
        return RedirectResponse(elsewhere.origin + request.url.path)

    elsewhere = await Host(scene.net, 1, "mallory").start()
    origin = await serve(scene.net, Route("/{rest:path}", away))
    uri = origin + "/users/victim"
    document = {**elsewhere.actor("mallory"), "id": uri, "inbox": uri + "/inbox"}
    document["publicKey"] = {**document["publicKey"], "id": uri + "#main-key", "owner": uri}
    elsewhere.names = ()
    elsewhere.documents["/victim"] = document
    elsewhere.documents["/users/victim"] = document
    for place in (uri, origin + "/victim"):
        value = {
            "@context": AS2,
            "id": uri + "/1",
            "type": "Like",
            "actor": uri,
            "object": scene.house.organisation.uri,
        }
        letter = signed(scene.house, value, scene.amal.private, place + "#main-key")
        assert (await scene.take(letter))[1] in ("refused", "failed")
    assert scene.house.read(lambda connection: documents.actor(connection, uri)) is None


async def test_22_nobody_takes_over_a_known_or_a_local_key(scene: Scene) -> None:
    """By an Update of oneself, or by a document that is fetched, listing another's key id or handle."""
    house, amal = scene.house, scene.amal
    own = house.read(lambda connection: documents.actor(connection, house.organisation.actor))
    for key_id, owner in (
        (amal.key_id, scene.badr.uri),
        (amal.key_id, amal.uri),
        (house.organisation.uri + "#main-key", scene.badr.uri),
        (house.origin + "/actor#main-key", scene.badr.uri),
    ):
        key = {**scene.badr.document()["publicKey"], "id": key_id, "owner": owner}
        await scene.hear(
            scene.badr,
            "Update",
            scene.badr.document(publicKey=key, preferredUsername="amal"),
            id=f"{scene.badr.uri}/{key_id}",
        )
        known = house.read(lambda connection: documents.key(connection, amal.key_id))
        assert known is not None
        assert known.owner == amal.uri
    assert (await scene.hear(amal, "Like", AS2))[1] == "ignored"
    found = house.read(lambda connection: documents.actor(connection, house.organisation.actor))
    assert found == own
    claim = scene.badr.says("Update", {**scene.badr.document(), "id": house.organisation.uri})
    assert (await scene.take(scene.badr.letter(house, claim)))[1] == "refused"


async def test_39_who_is_not_pinned_has_no_rights_and_is_not_called(scene: Scene) -> None:
    """A stranger that signs well gets no head table, and asking for it makes us call nobody."""
    stranger = Portable("stranger", "far.example")
    await learn(scene.house, stranger)
    target = f"/.well-known/apgateway/{scene.house.did}/actor/heads/x"
    for person, status in (
        (stranger, 403),
        (scene.amal, 403),
        (Portable("new", "new.example"), 401),
        (scene.member, 200),
    ):
        bare = messages.Request("GET", target, (("host", scene.house.organisation.host),), b"", "http")
        extra = http_signatures.sign(bare, person.private, person.key_id, scene.house.clock())
        answer = await send(scene.house.places[0], Letter(target, (*bare.headers, *extra), b"", "GET").raw())
        assert answer.status == status
    assert (await scene.house.get(target)).status == 401


# --- whose a post is -----------------------------------------------------------------------------------------------


async def test_16_nobody_widens_the_audience_of_anothers_post(scene: Scene) -> None:
    note = scene.amal.note()
    before = scene.stored(note["id"])
    for person in (scene.badr, scene.mallory):
        wider = {**note, "to": [PUBLIC, person.uri], "cc": [scene.house.organisation.uri]}
        for kind in ("Create", "Update"):
            status, state, _ = await scene.hear(person, kind, {**wider, "updated": "2027-01-01T00:00:00Z"})
            assert (status, state) == (202, "refused")
    assert scene.stored(note["id"]) == before


async def test_17_a_post_is_known_by_its_id_and_never_by_its_url(scene: Scene) -> None:
    claimed = "https://peer.example/@amal/2"
    mine = scene.mallory.note(url=claimed)
    assert (await scene.hear(scene.mallory, "Create", mine))[1] == "accepted"
    assert scene.stored(claimed) is None
    held = scene.stored(mine["id"])
    assert held is not None
    assert held.author == scene.mallory.uri


async def test_19_nobody_changes_anothers_post(scene: Scene) -> None:
    """By Update, Delete, Undo or Announce, with the object or its id, of the same host or a third one."""
    note = {**scene.amal.note(), "content": "changed", "updated": "2027-01-01T00:00:00Z"}
    before = scene.stored(note["id"])
    create = scene.amal.says("Create", note)
    for person in (scene.badr, scene.mallory):
        update = person.says("Update", {**note, "attributedTo": person.uri})
        for number, (kind, value) in enumerate(
            (
                ("Update", note),
                ("Update", {**note, "attributedTo": person.uri}),
                ("Delete", note["id"]),
                ("Delete", {"id": note["id"], "type": "Tombstone"}),
                ("Undo", create),
                ("Undo", create["id"]),
                ("Announce", {**update, "object": note}),
                ("Announce", create),
                ("Create", note),
            )
        ):
            status, state, _ = await scene.hear(person, kind, value, id=f"{person.uri}/{number}")
            assert (status, state == "accepted" and kind != "Announce") == (202, False), kind
        third = {**note, "id": "https://third.example/notes/1"}
        assert (await scene.hear(person, "Update", {**third, "attributedTo": person.uri}, id=person.uri + "/t"))[
            1
        ] == "refused"
    assert scene.stored(note["id"]) == before
    assert scene.stored("https://third.example/notes/1") is None


async def test_23_nobody_posts_in_anothers_name_or_collection(scene: Scene) -> None:
    for number, changes in enumerate(
        (
            {"attributedTo": scene.amal.uri},
            {"attributedTo": [scene.amal.uri, scene.mallory.uri]},
            {"attributedTo": scene.house.organisation.uri},
            {"attributedTo": {"id": scene.amal.uri}},
            {"id": scene.amal.uri + "/notes/9"},
            {"id": scene.house.organisation.at("/objects/9")},
        )
    ):
        note = scene.mallory.note(**{"id": f"{scene.mallory.uri}/{number}", **changes})
        assert (await scene.hear(scene.mallory, "Create", note, id=f"{scene.mallory.uri}/c{number}"))[1] == "refused"
        assert scene.stored(note["id"]) is None
    outbox = scene.house.organisation.uri + "/outbox"
    add = scene.mallory.says("Add", scene.mallory.note()["id"], target=outbox)
    assert (await scene.take(scene.mallory.letter(scene.house, add)))[1] == "ignored"


async def test_77_a_forwarded_delete_is_its_authors_or_nothing(scene: Scene) -> None:
    """A member forwards: Deletes of another's entries, withdrawals of another's places, signed objects of another."""
    house, member, other = scene.house, scene.member, scene.other
    first = member.updates_itself()
    entry = member.logs("Create", alert(member))
    for value in (first, entry):
        assert (await scene.take(other.letter(house, value)))[1] == "accepted"
    assert (await scene.take(other.letter(house, other.updates_itself())))[1] == "accepted"
    named = {"epoch": 1, "sequence": 2, "content": header_of(entry).content}
    object_id = entry["object"]["id"]
    await scene.take(other.letter(house, other.logs("Delete", object_id, withdraws=[named])))
    await scene.take(
        other.letter(
            house, other.logs("Delete", {"id": other.at("/objects/1")}, withdraws=[named, {**named, "did": member.did}])
        )
    )
    forged = {**member.says("Delete", object_id, id=member.at("/activities/9")), "to": []}
    assert (await scene.take(other.letter(house, forged)))[1] == "refused"
    unsigned = {name: item for name, item in member.says("Delete", object_id).items() if name != "proof"}
    assert (await scene.take(other.letter(house, {**unsigned, "proof": other.sign(unsigned)["proof"]})))[1] == "refused"
    await scene.take(other.letter(house, other.logs("Create", {**entry["object"], "content": "changed"})))
    held = scene.stored(object_id)
    assert held is not None
    assert (held.author, json.loads(held.raw or b"")) == (member.id, entry["object"])
    assert [each.state for each in house.entries(member.did)] == ["held", "held"]
    assert len(house.read(lambda connection: alerts.newest(connection, house.did))) == 1


async def test_57_a_frozen_member_brings_nothing_new(scene: Scene) -> None:
    house, member = scene.house, scene.member
    for value in (member.updates_itself(), member.logs("Create", alert(member))):
        assert (await scene.take(member.letter(house, value)))[1] == "accepted"
    await house.freeze(member.did, 2)
    late = alert(member, id=member.at("/objects/2"))
    for kind, value in (
        ("Update", late),
        ("Create", late),
        ("Announce", scene.amal.note()["id"]),
        ("Delete", member.at("/objects/1")),
        ("Move", member.uri),
        ("Update", member.document((1, 7))),
        ("Accept", follow_id(house, member)),
    ):
        assert (await scene.take(member.letter(house, member.logs(kind, value, target=scene.amal.uri))))[1] == "ignored"
        assert (await scene.take(member.letter(house, member.says(kind, value, id=member.at(f"/activities/{kind}")))))[
            1
        ] == "ignored"
    assert [each.object_id for each in house.read(lambda connection: alerts.newest(connection, house.did))] == [
        ids.canonical(member.at("/objects/1"))
    ]
    assert scene.stored(late["id"]) is None


async def test_71_who_did_not_accept_is_not_followed(scene: Scene) -> None:
    house, new = scene.house, Person("new", "new.example", 4)
    await follow(house, new)
    await house.write(lambda connection: contacts.mark_following(connection, house.did, new.uri, "requested"))
    assert await scene.hear(new, "Create", new.note()) == (202, "ignored", "nobody here follows the author")
    forged = scene.mallory.says(
        "Accept", follow_id(house, new).replace("ap+ef61://", house.origin + "/.well-known/apgateway/")
    )
    assert (await scene.take(scene.mallory.letter(house, forged)))[1] == "ignored"
    followed = house.read(lambda connection: contacts.following(connection, house.did, new.uri))
    assert followed is not None
    assert followed.state == "requested"


# --- what is shown -------------------------------------------------------------------------------------------------

HOSTILE_HTML = (
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<svg/onload=alert(1)><script>alert(1)</script>",
    "<a href='javascript:alert(1)'>x</a>",
    "<p" * 2000,
    "<div>" * 3000,
    "</math>" * 500 + "&#x202e;" * 100,
    "\ufdd0\u202e<plaintext>",
    "<![CDATA[<x>]]>",
    '<math><annotation-xml encoding="text/html">',
)


async def test_9_no_address_that_runs_is_shown(scene: Scene) -> None:
    house, member = scene.house, scene.member
    await scene.take(member.letter(house, member.updates_itself()))
    for number, bad in enumerate(
        ("javascript:alert(1)", "data:text/html,<script>", "vbscript:x", " javascript:x", "JAVASCRIPT:x")
    ):
        value = alert(
            member,
            id=member.at(f"/objects/{number}"),
            url=bad,
            content=f"<a href='{bad}'>link</a>",
            companyOrProject=bad,
            tag=[{"type": "Hashtag", "href": bad, "name": "#x"}],
            attachment=[{"url": bad}],
        )
        await scene.take(member.letter(house, member.logs("Create", value)))
    pages = [
        "/alerts",
        *(f"/alerts/{each.page}" for each in house.read(lambda connection: alerts.newest(connection, house.did))),
    ]
    assert len(pages) > 1
    for path in pages:
        text = (await house.get(path, Accept="text/html")).text.lower()
        assert 'href="javascript' not in text.replace(" ", "")
        assert 'href="data:' not in text
        assert 'href="vbscript' not in text


async def test_65_one_bad_post_breaks_no_list(scene: Scene) -> None:
    house, member = scene.house, scene.member
    await scene.take(member.letter(house, member.updates_itself()))
    for number, html in enumerate(HOSTILE_HTML):
        value = alert(
            member,
            id=member.at(f"/objects/{number}"),
            content=html,
            contentMap={"en": html},
            headline=html[:100],
            narrative=html[:500],
            published="0001-01-01T00:00:00+14:00" if number % 2 else "2026-11-20T11:00:00Z",
        )
        await scene.take(member.letter(house, member.logs("Create", value)))
    good = alert(member, id=member.at("/objects/good"), headline="The good one")
    assert (await scene.take(member.letter(house, member.logs("Create", good))))[1] == "accepted"
    records = house.read(lambda connection: alerts.newest(connection, house.did, limit=50))
    assert len(records) > 5
    listing = await house.get("/alerts", Accept="text/html")
    assert (listing.status, "The good one" in listing.text) == (200, True)
    for record in records:
        answer = await house.get(f"/alerts/{record.page}", Accept="text/html")
        assert answer.status == 200
        assert "<script" not in answer.text
        assert "onerror=" not in answer.text.replace("&", "")
    for path in ("/", f"/organisations/{member.did}", "/members"):
        assert (await house.get(path, Accept="text/html")).status in (200, 404)


async def test_56_what_is_hidden_and_what_never_was_are_answered_alike(scene: Scene) -> None:
    """Past a freeze, reported, addressed to others, or never there: one answer."""
    house, member = scene.house, scene.member
    for value in (member.updates_itself(), member.logs("Create", alert(member))):
        await scene.take(member.letter(house, value))
    await house.freeze(member.did, 1)
    private = scene.amal.note(id=scene.amal.uri + "/notes/2", to=[scene.badr.uri])
    await scene.hear(scene.amal, "Create", private, to=[scene.badr.uri])
    base = f"/.well-known/apgateway/{member.did}"
    answers = [
        await house.get(f"{base}/{path}", Accept=ACTIVITY_JSON)
        for path in ("objects/1", "objects/none", "activities/2", "activities/9")
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(404, b"not here\n")}
    hidden, absent = [
        await house.get(f"/alerts/{documents.page_name(ids.canonical(member.at(path)))}")
        for path in ("/objects/1", "/objects/none")
    ]
    assert (hidden.status, hidden.body.replace(hidden.body[-40:], b"")) == (
        absent.status,
        absent.body.replace(absent.body[-40:], b""),
    )
    flags = [
        await scene.hear(scene.amal, "Flag", [member.at(path)], id=f"{scene.amal.uri}{path}")
        for path in ("/objects/1", "/objects/none")
    ]
    assert flags[0] == flags[1]


async def test_61_what_only_members_see_is_kept_by_no_cache(scene: Scene) -> None:
    target = f"/.well-known/apgateway/{scene.house.did}/actor/heads/x"
    bare = messages.Request("GET", target, (("host", scene.house.organisation.host),), b"", "http")
    extra = http_signatures.sign(bare, scene.member.private, scene.member.key_id, scene.house.clock())
    signed_get = Letter(target, (*bare.headers, *extra), b"", "GET")
    answer = await send(scene.house.places[0], signed_get.raw())
    assert (answer.status, answer.headers["cache-control"]) == (200, "private, no-store")
    for path in (
        "/actor",
        f"/.well-known/apgateway/{scene.house.did}/actor",
        f"/.well-known/apgateway/{scene.house.did}/log/1/1",
    ):
        signer = messages.Request("GET", path, (("host", scene.house.organisation.host),), b"", "http")
        headers = (
            *signer.headers,
            *http_signatures.sign(signer, scene.member.private, scene.member.key_id, scene.house.clock()),
        )
        known = await send(scene.house.places[0], Letter(path, headers, b"", "GET").raw())
        assert known.body == (await scene.house.get(path)).body, "a public document is the same for everybody"


async def test_68_no_path_leads_to_another_host(scene: Scene) -> None:
    for path in (
        "//evil.example",
        "//evil.example/..",
        "/\\evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "/alerts//evil.example",
        "/alerts/?next=//evil.example",
        "/@org/..//evil.example",
        "/.well-known/apgateway//evil.example",
        "/members/",
        "/alerts/",
        "https://evil.example/",
        "/.well-known/apgateway/did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp//evil.example/actor",
    ):
        for accept in ("text/html", ACTIVITY_JSON):
            headers = (("host", scene.house.organisation.host), ("accept", accept))
            answer = await send(scene.house.places[0], Letter(path, headers, b"", "GET").raw())
            assert "evil" not in answer.headers.get("location", ""), path
            assert answer.status in (200, 303, 400, 404), path


# --- how much, how long --------------------------------------------------------------------------------------------


async def test_24_quotes_in_every_federated_text_do_nothing(scene: Scene) -> None:
    bad = "x'\"); DROP TABLE objects; -- %00 %s {0} $1 \u0000 ؛ ` \\"
    house, amal = scene.house, scene.amal
    evil = Person("mallory", "evil.example", 3)
    quoted = evil.uri + "/x'--;%20OR%201=1"
    await scene.hear(
        evil,
        "Update",
        evil.document(name=bad, preferredUsername=bad, inbox=quoted, url=bad, alsoKnownAs=[quoted, bad]),
        id=quoted,
    )
    tags = [{"type": "Hashtag", "name": bad, "href": bad}, {"type": "Mention", "href": bad}]
    for number, (kind, value) in enumerate(
        (
            (
                "Create",
                amal.note(id=amal.uri + "/o'--", content=bad, tag=tags, published=bad, updated=bad, inReplyTo=bad),
            ),
            ("Update", amal.note(id=amal.uri + "/o'--", content=bad, updated=bad)),
            ("Follow", bad),
            (bad[:90], {"id": quoted, "type": bad}),
            ("Announce", quoted),
            ("Move", amal.uri),
            ("Flag", [quoted]),
            ("Undo", quoted),
        )
    ):
        letter = amal.letter(house, amal.says(kind, value, id=f"{amal.uri}/a'{number}--", target=quoted, summary=bad))
        assert (await scene.take(letter))[1] != "failed"
    odd = signed(house, amal.says("Like", AS2, id=amal.uri + "/q"), amal.private, "https://peer.example/k'--;#x'")
    assert (await post(house, odd)).status == 202
    held = scene.stored(amal.uri + "/o'--")
    assert held is not None
    assert json.loads(held.raw or b"")["content"] == bad
    for path in (
        "/alerts/x'--",
        "/@org'--",
        "/organisations/x'--",
        "/.well-known/webfinger?resource=acct:x'--@y",
        "/alerts/%00",
        f"/.well-known/apgateway/{house.did}/objects/'--",
    ):
        assert (await house.get(path)).status in (400, 404), path
    assert house.read(lambda connection: contacts.count_followers(connection, house.did)) == 0


class Endless:
    """A member whose log never ends: every page brings entries, and the next one too."""

    def __init__(self, member: Portable, repeat: bool) -> None:
        self.member, self.repeat, self.asked = member, repeat, 0
        self.first = json.dumps(member.updates_itself()).encode()

    async def page(self, request: Request) -> Response:
        self.asked += 1
        if not self.repeat and self.asked > 1:
            self.first = json.dumps(self.member.logs("Like", "https://peer.example/x")).encode()
        return Response(self.first, media_type=mirror.LINES)


@pytest.mark.parametrize("repeat", [True, False])
async def test_25_a_log_without_end_is_not_read_to_its_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, repeat: bool
) -> None:
    monkeypatch.setattr(mirror, "_MAX_PAGES", 5)
    endless = Endless(scene.member, repeat)
    origin = await serve(scene.net, Route("/{rest:path}", endless.page))
    claimed = mirror.Head(1, 2**52, "")
    await scene.house.node.mirror.pull(scene.house.organisation, scene.member.did, origin, None, claimed, Report("x"))
    assert endless.asked <= (2 if repeat else 5)


def test_26_a_table_of_heads_sends_us_nowhere_and_is_bounded() -> None:
    """It holds dids and numbers; where a log is fetched from is the asked member's own place, never the table's."""
    member = Portable("member", "member.example")
    digest = "zQmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"
    table = {"@context": [AS2], "id": member.uri + "/heads", "type": "Heads", "actor": member.uri}
    good = member.sign({**table, "heads": {member.did: [1, 2, digest]}})
    assert list(mirror.parse_heads(good, member.did)) == [member.did]
    for heads in (
        {"http://127.0.0.1/": [1, 2, digest]},
        {member.did: "http://127.0.0.1/"},
        {member.did: [1, 2]},
        {member.did: [0, 1, digest]},
        {member.did: [True, 1, digest]},
        [member.did],
        {f"{member.did[:-4]}{number:04}".replace("0", "A"): [1, 1, digest] for number in range(2500)},
    ):
        with pytest.raises(ProtocolError):
            mirror.parse_heads(member.sign({**table, "heads": heads}), member.did)


@pytest.mark.parametrize(
    "name",
    [
        "../node.sqlite",
        "/etc/passwd",
        "keys/../../x.pem",
        "keys/a/b.pem",
        "other.txt",
        "keys/x.txt",
        "keys",
        "./../x.pem",
        "link.pem",
        "device",
    ],
)
def test_27_an_archive_holds_what_a_backup_holds_or_nothing(tmp_path: Path, name: str) -> None:
    made = tmp_path / "backup.tar.gz"
    with tarfile.open(made, "w:gz") as archive:
        info = tarfile.TarInfo("keys/link.pem" if name == "link.pem" else "node.sqlite" if name == "device" else name)
        if name == "link.pem":
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        if name == "device":
            info.type = tarfile.CHRTYPE
        info.size = 1 if info.isreg() else 0
        archive.addfile(info, io.BytesIO(b"x"))
    target = tmp_path / "data" / "inner"
    target.mkdir(parents=True)
    with pytest.raises((RefusedError, ConfigurationError)):
        _unpack(made, target)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [made]


def test_27_a_bundle_is_bounded() -> None:
    with pytest.raises(ProtocolError, match="more than"):
        bundles.parse(b"x" * (bundles.MAX_BUNDLE + 1))
    with pytest.raises(NodeError):
        bundles.parse(b"\x1f\x8b" + b"x" * 1000)


async def test_28_no_key_leads_us_into_the_private_network(net: Network) -> None:
    house = await net.house("org", start=False)
    closed = House.__dict__["settings"] if False else type(house.settings)(data=house.data)
    called: list[str] = []

    def inside(name: str) -> list[str]:
        called.append(name)
        return ["169.254.169.254", "10.0.0.1", "::1", "127.0.0.1"]

    house._node = Node.open(closed, clock=house.clock, resolve=inside)
    await house.start(workers=False)
    person = Person("x", "inside.example", 1)
    for number, place in enumerate(
        (
            "127.0.0.1",
            "10.0.0.1",
            "169.254.169.254",
            "192.168.1.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "0.0.0.0",
            "127.1",
            "0x7f.1",
            "2130706433",
            "localhost",
            "inside.example",
        )
    ):
        for scheme in ("https", "http"):
            uri = f"{scheme}://{place}/users/{number}"
            value = {
                "@context": AS2,
                "id": uri + "/1",
                "type": "Follow",
                "actor": uri,
                "object": house.organisation.uri,
            }
            assert (await post(house, signed(house, value, person.private, uri + "#main-key"))).status in (202, 400)
    await house.node.inbox.work_once()
    await house.node.inbox.drain()
    table = queues.incoming
    rows = house.read(lambda connection: connection.execute(select(table.c.state, table.c.reason)).all())
    assert {row.state for row in rows} <= {"refused", "failed"}
    assert set(called) <= {"inside.example", "localhost"}
    assert not any("127.0.0.1" in row.reason or "10.0.0.1" in row.reason for row in rows)


async def test_33_what_is_noted_of_hosts_that_fail_goes_again(scene: Scene) -> None:
    """A follower's inbox that fails leaves nothing for ever: deliveries and hosts are forgotten with time."""
    house = scene.house
    before = house.read(lambda connection: documents.is_dead(connection, "https://x.example/k", house.clock()))
    await house.write(
        lambda connection: documents.mark_dead(connection, "https://x.example/k", house.clock() + timedelta(minutes=10))
    )
    assert not before
    house.clock.forward(timedelta(minutes=11))
    assert not house.read(lambda connection: documents.is_dead(connection, "https://x.example/k", house.clock()))


async def test_45_a_forged_address_opens_nothing(scene: Scene) -> None:
    place, host = scene.house.places[0], scene.house.organisation.host
    for headers, status in (
        ((("host", host),), 200),
        ((("host", host), ("x-forwarded-for", "127.0.0.1")), 404),
        ((("host", host), ("forwarded", "for=127.0.0.1")), 404),
        ((("host", "org.example"),), 404),
        ((("host", "127.0.0.1.evil.example"),), 404),
        ((("host", "127.0.0.1@evil.example"),), 404),
    ):
        assert (await send(place, Letter("/metrics", headers, b"", "GET").raw())).status == status, headers


async def test_58_long_lists_cost_little(scene: Scene) -> None:
    house, amal = scene.house, scene.amal
    many = ["x"] * 20_000
    tags = [{"type": "Mention", "href": "https://a.example/"}] * 3_000
    began = time.process_time()
    for number, changes in enumerate(
        (
            {"to": many, "cc": many},
            {"tag": tags},
            {"contentMap": {str(n): "x" for n in range(15_000)}},
            {"attributedTo": many},
            {"type": ["Note", *many]},
        )
    ):
        note = amal.note(**{"id": f"{amal.uri}/{number}", **changes})
        assert (await scene.hear(amal, "Create", note, id=f"{amal.uri}/c{number}"))[0] == 202
    assert time.process_time() - began < 5
    letter = amal.letter(house, b'{"@context":"' + b"x" * MAX_ENTRY)
    assert (
        await send(
            house.places[0], letter.add("content-length", str(10**9)).raw()[: len(letter.raw()) - len(letter.body)]
        )
    ).status == 413


def test_66_no_long_text_costs_long() -> None:
    """Whatever reads a stranger's text reads a hundred thousand characters of it in no time."""
    size = 100_000
    texts = [
        piece * (size // len(piece))
        for piece in (
            "a",
            "a.",
            "@a",
            "/",
            "%41",
            '"',
            '=",',
            "(",
            "a-",
            "1",
            ":",
            "did:key:",
            "\\",
            " ",
            ";a=1",
            ",a=:AA==:",
        )
    ]
    texts += [f"https://{text[:2000]}" for text in texts] + [f"acct:a@{text}" for text in texts]
    now = time.process_time()
    for text in texts:
        for read in (
            ids.canonical,
            ids.portable,
            webfinger.parse_handle,
            webfinger.check_resource,
            messages.is_activity_json,
        ):
            try:
                read(text)
            except NodeError:
                pass
        for name in ("signature", "signature-input"):
            headers = ((name, text), ("signature", text), ("host", "h"), ("date", text), ("digest", text))
            for check in (http_signatures.check, message_signatures.check):
                try:
                    check(messages.Request("POST", "/inbox", headers, b"x"), Network(Path()).clock())
                except NodeError:
                    pass
    assert time.process_time() - now < 5


# --- HTTP ----------------------------------------------------------------------------------------------------------


def test_78_no_xml_is_read() -> None:
    for path in (ROOT / "node").rglob("*.py"):
        for each in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in each.names] if isinstance(each, ast.Import | ast.ImportFrom) else []
            names += [each.module or ""] if isinstance(each, ast.ImportFrom) else []
            assert not any(name.partition(".")[0] in ("xml", "lxml", "defusedxml") for name in names), path


async def test_81_ranges_are_not_computed(scene: Scene) -> None:
    ranges = "bytes=" + ",".join(f"{number}-{number + 5}" for number in range(0, 5000, 2))
    headers = (("host", scene.house.organisation.host), ("range", ranges[:8000].rpartition(",")[0]))
    whole = await scene.house.get("/static/site.css")
    began = time.process_time()
    answer = await send(scene.house.places[0], Letter("/static/site.css", headers, b"", "GET").raw())
    assert (answer.status, answer.body) == (200, whole.body)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "host",
    [
        "a/b?",
        "evil.example/healthz?",
        "evil.example#",
        "evil.example",
        "",
        "[",
        "a b",
        "x:99999",
        "127.0.0.1/metrics?",
        "\\evil",
    ],
)
async def test_82_no_host_header_changes_what_a_path_is(scene: Scene, host: str) -> None:
    for path, good in (("/healthz", 200), ("/metrics", 404), ("/nothing", 404), ("/alerts", 200), ("/actor", 200)):
        answer = await send(scene.house.places[0], Letter(path, (("host", host),), b"", "GET").raw())
        assert answer.status in (good, 400), path
        assert "evil" not in answer.text
        assert "location" not in answer.headers


@pytest.mark.parametrize(
    "method",
    ["DISPATCH", "__INIT__", "TRACE", "CONNECT", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND", "GETX", "get"],
)
async def test_83_no_method_reaches_more_than_its_route(scene: Scene, method: str) -> None:
    for path in ("/", "/alerts", "/inbox", "/healthz", "/metrics", f"/.well-known/apgateway/{scene.house.did}/actor"):
        answer = await send(
            scene.house.places[0], Letter(path, (("host", scene.house.organisation.host),), b"", method).raw()
        )
        assert answer.status in (400, 404, 405), path
        assert scene.house.organisation.host not in answer.text


async def test_84_a_body_that_nobody_wants_is_not_read(scene: Scene) -> None:
    """Fifty megabytes of form fields to any path: answered at once, and others are answered meanwhile."""
    for path in (
        "/",
        "/alerts",
        "/members",
        "/healthz",
        f"/.well-known/apgateway/{scene.house.did}/actor",
        "/nothing",
        "/inbox",
        "/metrics",
    ):
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            head = Letter(
                path,
                (("host", scene.house.organisation.host), ("content-type", kind), ("content-length", str(50 * 2**20))),
                b"",
            ).raw()
            reader, writer = await asyncio.open_connection(*scene.house.places[0])
            writer.write(head + b"a=1&" * 5000)
            async with asyncio.timeout(5):
                status = (await reader.readline()).split()[1]
                health = await scene.house.get("/healthz")
            writer.close()
            assert status in (b"404", b"405", b"413", b"415"), path
            assert health.status == 200


async def test_85_no_path_leaves_the_folder_of_static_files(scene: Scene) -> None:
    for path in (
        "../render.py",
        "..%2frender.py",
        "%2e%2e/render.py",
        "..%5crender.py",
        "/etc/passwd",
        "site.css/../../render.py",
        "..",
        "",
        "site.css%00.png",
        "//etc/passwd",
        "../static_evil/x",
    ):
        answer = await send(scene.house.places[0], Letter(f"/static/{path}", (("host", "x"),), b"", "GET").raw())
        assert answer.status in (400, 404), path
        assert "import" not in answer.text


def test_86_no_form_parser_is_installed_with_us() -> None:
    assert "multipart" not in (ROOT / "requirements" / "main.txt").read_text("utf-8")
    assert "multipart" not in (ROOT / "pyproject.toml").read_text("utf-8")


def test_87_pinned_libraries_are_new_enough() -> None:
    lines = (ROOT / "requirements" / "main.txt").read_text("utf-8").splitlines()
    pinned = dict(
        line.split(" ")[0].split("==", 1) for line in lines if "==" in line and not line.startswith((" ", "#"))
    )
    for name, least in (
        ("aiohttp", (3, 14, 2)),
        ("starlette", (1, 3, 1)),
        ("uvicorn", (0, 54)),
        ("cryptography", (50,)),
        ("jinja2", (3, 1, 6)),
    ):
        found = tuple(int(part) for part in pinned[name].rstrip("\\").strip().split("."))
        assert found >= least, name


async def test_88_a_request_has_one_length(scene: Scene) -> None:
    """Two lengths, a length and chunks, or a chunk that lies: refused, and nothing after it is taken for a request."""
    good = scene.amal.letter(scene.house, scene.amal.says("Like", AS2, id=scene.amal.uri + "/smuggled"))
    inner = good.raw()
    for headers, body in (
        ((("content-length", "5"), ("content-length", "6")), b"aaaaaa"),
        ((("content-length", "4"), ("transfer-encoding", "chunked")), b"0\r\n\r\n"),
        ((("transfer-encoding", "chunked"), ("transfer-encoding", "identity")), b"0\r\n\r\n"),
        ((("transfer-encoding", "xchunked"),), b"0\r\n\r\n"),
        ((("content-length", "-1"),), b""),
        ((("content-length", "+5"),), b"aaaaa"),
        ((("transfer-encoding", "chunked"),), b"5\r\naaaaaXX0\r\n\r\n"),
        ((("transfer-encoding", "chunked"),), b"-5\r\naaaaa\r\n0\r\n\r\n"),
    ):
        base = Letter(
            "/inbox", (("host", scene.house.organisation.host), ("content-type", ACTIVITY_JSON), *headers), b""
        )
        raw = base.raw().replace(b"connection: close\r\n", b"")
        if b"content-length: 0" in raw and ("content-length", "0") not in headers:
            raw = raw.replace(b"content-length: 0\r\n", b"")
        try:
            answer = await send(scene.house.places[0], raw + body + inner)
            assert answer.text.count("HTTP/1.1") == 0
        except (TimeoutError, ConnectionError):
            pass
    await scene.work()
    table = queues.incoming
    found = scene.house.read(lambda connection: connection.execute(select(table.c.activity_id)).scalars().all())
    assert scene.amal.uri + "/smuggled" not in found
