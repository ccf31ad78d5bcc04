"""Who somebody is, and whose a post is: nobody speaks for anybody else."""

import json

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from node.errors import ProtocolError
from node.federation.protocol import addressing, http_signatures, ids, messages, webfinger
from node.federation.protocol.activities import AS2, PUBLIC
from node.federation.protocol.messages import ACTIVITY_JSON
from node.models import alerts, contacts, documents
from tests.advisories.stage import Scene, alert, serve
from tests.support.fediverse import Host
from tests.support.letters import (
    Letter,
    Person,
    Portable,
    follow,
    follow_id,
    header_of,
    learn,
    post,
    send,
    signed,
)


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
    """By an Update of oneself that lists another's key id or handle, or that names another actor."""
    house, amal = scene.house, scene.amal
    own = house.read(lambda connection: documents.actor(connection, house.organisation.actor))
    for number, key_id in enumerate(
        (amal.key_id, house.organisation.uri + "#main-key", house.origin + "/actor#main-key")
    ):
        thief = Person(f"thief{number}", "peer.example", 4)
        await follow(house, thief)
        key = {**thief.document()["publicKey"], "id": key_id}
        document = thief.document(publicKey=[key, thief.document()["publicKey"]], preferredUsername="amal")
        assert (await scene.hear(thief, "Update", document))[1] == "accepted"
        known = house.read(lambda connection: documents.key(connection, amal.key_id))
        assert known is not None
        assert known.owner == amal.uri
        for uri in (amal.uri, house.organisation.uri):
            claim = thief.says("Update", {**thief.document(), "id": uri}, id=f"{thief.uri}/{uri}")
            assert (await scene.take(thief.letter(house, claim)))[1] == "refused"
    assert (await scene.hear(amal, "Like", AS2))[1] == "ignored"
    assert house.read(lambda connection: documents.actor(connection, house.organisation.actor)) == own


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
