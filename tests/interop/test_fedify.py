"""A node of ours and a real Fedify server (the engine of Ghost and Hollo), both over plain http on loopback.

What Fedify says of a signature or a proof comes from Fedify's own verifiers; what we say of hers is read from
`tadamun status` and from the answer to her POST.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.peer import Peer
from tests.support.processes import Node, request

pytestmark = pytest.mark.interop

SCHEMES = ["cavage", "rfc9421"]
AS2 = "https://www.w3.org/ns/activitystreams"


def alert(directory: Path, **changes: Any) -> str:
    """A file with an alert for the whole world about nobody; all of it is invented."""
    document = {
        "language": "en",
        "kind": "urgent-appeal",
        "status": "actual",
        "audience": "everyone",
        "headline": "Exercise: the well of an invented village is closed",
        "country": "BV",  # an island where nobody lives: a real alert must name a real country
        "severity": "severe",
        "urgency": "immediate",
        "certainty": "likely",
        "subjects": [{"name": "An invented community", "kind": "community", "publication_level": "withheld"}],
        "narrative": "This text is an exercise. It refers to no real person, place or event.",
        "link_to_work": "The invented community had asked for a hearing.",
        "demands": ["Open the well", "Hear the community"],
        "consent": {
            "given_by": "self",
            "how": "in person",
            "level": "public-anonymised",
            "valid_until": "2099-01-01",
        },
        "expires": "2098-01-01T00:00:00Z",
    }
    path = directory / "alert.json"
    path.write_text(json.dumps(document | changes), encoding="utf-8")
    return str(path)


def followed(node: Node, peer: Peer) -> None:
    """Let the peer follow us, and wait for our Accept."""
    peer.follow(node.actor)
    peer.wait_received("Accept")


def following(node: Node, peer: Peer) -> None:
    """Follow the peer, and wait until its Accept is taken."""
    before = accepted(node)
    node.cli("follow", peer.actor)
    node.wait_until(lambda: node.actor in peer.followers(), "the peer counts us as a follower")
    node.wait_until(lambda: accepted(node) > before, "the peer's Accept is taken")


def received(node: Node, state: str) -> int:
    """How many activities from outside are in this state; asked by HTTP, as starting a command takes a second."""
    lines = node.get("/metrics").body.decode().splitlines()
    [count] = [line.split()[1] for line in lines if line.startswith(f'tadamun_received{{org="org1",state="{state}"}}')]
    return int(count)


def accepted(node: Node) -> int:
    """How many activities from outside the node has accepted."""
    return received(node, "accepted")


def followers(node: Node) -> int:
    """How many follow the node's organisation."""
    return int(request("GET", f"{node.actor}/followers").json()["totalItems"])


def test_a_follow_by_fedify_is_accepted_and_the_accept_verifies_there(alice: Peer, node: Node) -> None:
    follow = alice.follow(node.actor)

    accept = alice.wait_received("Accept")

    assert accept["activity"]["actor"] == node.actor
    assert accept["activity"]["object"]["id"] == follow["id"]
    assert accept["scheme"] == "cavage"
    assert accept["auth"]["http"] == f"{node.actor}#main-key"
    assert accept["auth"]["proof"] is True
    assert followers(node) == 1


def test_an_alert_reaches_fedify_with_signature_and_follower_form_proof(
    alice: Peer, node: Node, tmp_path: Path
) -> None:
    followed(node, alice)

    published = node.cli("alert", "publish", alert(tmp_path), json=True)

    create = alice.wait_received("Create")
    activity = create["activity"]
    assert activity["object"]["id"] == published["id"]
    assert activity["object"]["attributedTo"] == node.actor
    assert "The invented community had asked for a hearing." in activity["object"]["content"]
    assert create["auth"]["http"] == f"{node.actor}#main-key"
    assert create["auth"]["httpOwner"] == node.actor
    assert activity["proof"]["verificationMethod"] == f"{node.actor}#ed25519-key"
    assert create["auth"]["proof"] is True
    assert create["believed"] == "proof"


def test_the_embedded_note_carries_a_proof_of_its_own_by_our_did_that_verifies_there(
    alice: Peer, node: Node, tmp_path: Path
) -> None:
    followed(node, alice)

    node.cli("alert", "publish", alert(tmp_path), json=True)

    create = alice.wait_received("Create")
    multikey = node.did.removeprefix("did:key:")
    assert create["activity"]["object"]["proof"]["verificationMethod"] == f"{node.did}#{multikey}"
    assert create["auth"]["objectProof"] is True


def test_fedify_reads_at_our_ids_what_was_sent(alice: Peer, node: Node, tmp_path: Path) -> None:
    published = node.cli("alert", "publish", alert(tmp_path), json=True)

    actor, note = alice.lookup(node.actor), alice.lookup(published["id"])

    [actor] = actor if isinstance(actor, list) else [actor]
    assert actor["@id"] == node.actor
    assert actor["@type"] == [f"{AS2}#Organization"]
    assert actor["http://www.w3.org/ns/ldp#inbox"] == [{"@id": f"{node.actor}/inbox"}]
    [note] = note if isinstance(note, list) else [note]
    assert note["@id"] == published["id"]
    assert note["@type"] == [f"{AS2}#Note"]
    assert note[f"{AS2}#attributedTo"] == [{"@id": node.actor}]
    assert note[f"{AS2}#url"] == [{"@id": published["url"]}]


def test_an_update_a_correction_and_a_closure_reach_fedify_in_this_order(
    alice: Peer, node: Node, tmp_path: Path
) -> None:
    followed(node, alice)
    name = node.cli("alert", "publish", alert(tmp_path), json=True)["id"]
    alice.wait_received("Create")

    changed = alert(tmp_path, demands=["Open the second well"])
    for number, (words, text) in enumerate(
        [
            (("update", name, changed), "Open the second well"),
            (("correct", name, "--reason", "Exercise: it was another well."), "Exercise: it was another well."),
            (("close", name, "--outcome", "Exercise: the well is open."), "Exercise: the well is open."),
        ]
    ):
        node.cli("alert", *words)
        node.wait_until(lambda number=number: len(alice.received("Update")) > number, f"{words[0]} arrives")
        update = alice.received("Update")[number]
        assert update["activity"]["object"]["id"] == name
        assert text in update["activity"]["object"]["content"]
        assert update["status"] == 202
        assert update["auth"]["proof"] is True
        assert update["auth"]["objectProof"] is True

    notes = [each["activity"]["object"] for each in alice.received("Update")]
    moments = [notes[0]["published"], *(note["updated"] for note in notes)]
    assert moments == sorted(set(moments)), "Mastodon takes an edit only when `updated` is later"


def test_a_withdrawn_alert_reaches_fedify_as_a_delete_and_nothing_of_it_is_served(
    alice: Peer, node: Node, tmp_path: Path
) -> None:
    followed(node, alice)
    published = node.cli("alert", "publish", alert(tmp_path), json=True)
    create = alice.wait_received("Create")["activity"]

    node.cli("alert", "withdraw", published["id"])

    delete = alice.wait_received("Delete")
    assert delete["activity"]["object"]["id"] == published["id"]
    assert delete["activity"]["object"]["type"] == "Tombstone"
    assert delete["auth"]["http"] == f"{node.actor}#main-key"
    assert delete["auth"]["proof"] is True
    assert "invented" not in json.dumps(delete["activity"]), "a withdrawal repeats nothing of the text"
    for address in (published["id"], published["url"], create["id"]):
        assert request("GET", address, headers={"Accept": "application/activity+json"}).status == 410
    assert alice.lookup(published["id"]) is None


def test_an_exercise_does_not_reach_a_follower(alice: Peer, node: Node, tmp_path: Path) -> None:
    followed(node, alice)

    exercise = node.cli("alert", "publish", alert(tmp_path, status="exercise"), json=True)
    actual = node.cli("alert", "publish", alert(tmp_path), json=True)

    alice.wait_received("Create", lambda each: each["activity"]["object"]["id"] == actual["id"])
    assert exercise["id"] not in json.dumps(alice.received())


def test_a_note_by_fedify_is_accepted(alice: Peer, node: Node) -> None:
    following(node, alice)
    before = accepted(node)

    alice.note("<p>A note. This is an exercise.</p>")

    node.wait_until(lambda: accepted(node) == before + 1, "the note is accepted")
    assert received(node, "refused") == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_post_that_only_an_http_signature_vouches_for_is_accepted(
    alice: Peer, node: Node, scheme: str
) -> None:
    following(node, alice)
    before = accepted(node)

    answer = alice.sign(scheme, f"{node.actor}/inbox")

    assert answer["status"] == 202, answer
    node.wait_until(lambda: accepted(node) == before + 1, f"the post signed with {scheme} is accepted")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_post_changed_after_signing_is_refused(alice: Peer, node: Node, scheme: str) -> None:
    following(node, alice)
    before = accepted(node)

    for tamper in ("body", "digest"):
        changed = alice.sign(scheme, f"{node.actor}/inbox", tamper=tamper)
        assert changed["status"] == 401, (tamper, changed)

    alice.sign(scheme, f"{node.actor}/inbox")
    node.wait_until(lambda: accepted(node) == before + 1, "the unchanged post is accepted")
    assert received(node, "refused") == 2


def test_a_server_that_refuses_cavage_gets_rfc_9421_and_is_remembered(
    alice: Peer, node: Node, tmp_path: Path
) -> None:
    alice.refuse("cavage")

    alice.follow(node.actor)

    accept = alice.wait_received("Accept")
    tries = [(each["scheme"], each["status"]) for each in alice.received("Accept")]
    assert tries == [("cavage", 401), ("rfc9421", 202)]
    assert accept["auth"]["http"] == f"{node.actor}#main-key"

    node.cli("alert", "publish", alert(tmp_path), json=True)

    create = alice.wait_received("Create")
    assert create["scheme"] == "rfc9421"
    assert create["auth"]["http"] == f"{node.actor}#main-key"
    assert len(alice.received("Create")) == 1


def test_a_move_to_an_actor_that_names_the_old_id_is_followed(alice: Peer, node: Node) -> None:
    following(node, alice)

    target = alice.move("bob")["target"]

    node.wait_until(lambda: node.actor in alice.followers("bob"), "bob counts us as a follower")
    node.wait_until(lambda: node.status()["following"] == {target: "accepted"}, "bob alone is followed")


def test_a_move_to_an_actor_that_does_not_name_the_old_id_is_refused(alice: Peer, node: Node) -> None:
    following(node, alice)

    move = alice.move("carol")

    node.wait_until(lambda: received(node, "refused") == 1, "the Move is refused")
    [refusal] = node.cli("refusals", json=True)
    assert (refusal["activity"], refusal["rule"]) == (move["id"], "FEP-7628")
    assert alice.followers("carol") == []
    assert node.status()["following"] == {alice.actor: "accepted"}


def test_a_block_ends_the_follow_in_both_directions(alice: Peer, node: Node, tmp_path: Path) -> None:
    followed(node, alice)
    following(node, alice)

    alice.say("Block", node.actor, node.actor)

    node.wait_until(lambda: followers(node) == 0, "the follower is gone")
    assert node.status()["following"] == {alice.actor: "rejected"}
    node.cli("alert", "publish", alert(tmp_path), json=True)
    node.wait_until(lambda: node.status()["deliveries"].get("waiting", 0) == 0, "nothing is owed")
    assert alice.received("Create") == []


@pytest.mark.parametrize("type_", ["Announce", "Flag"])
def test_what_an_operator_should_read_is_accepted(alice: Peer, node: Node, tmp_path: Path, type_: str) -> None:
    published = node.cli("alert", "publish", alert(tmp_path), json=True)
    about = [node.actor, published["id"]] if type_ == "Flag" else published["id"]

    alice.say(type_, about, node.actor)

    node.wait_until(lambda: accepted(node) == 1, f"the {type_} is accepted")
    assert received(node, "refused") == 0


def test_a_like_leaves_no_trace(alice: Peer, node: Node, tmp_path: Path) -> None:
    published = node.cli("alert", "publish", alert(tmp_path), json=True)

    alice.say("Like", published["id"], node.actor)

    node.wait_until(lambda: received(node, "ignored") == 1, "the Like is ignored")
    assert node.status()["unknown"] == {}


def test_an_activity_of_an_unknown_type_is_ignored_and_counted(alice: Peer, node: Node) -> None:
    alice.say("Listen", f"{alice.actor}/songs/1", node.actor)

    node.wait_until(lambda: received(node, "ignored") == 1, "it is ignored")
    assert node.status()["unknown"] == {"unknown Listen": 1}


def test_an_undone_follow_removes_the_follower(alice: Peer, node: Node) -> None:
    followed(node, alice)
    assert followers(node) == 1

    alice.undo(node.actor)

    node.wait_until(lambda: followers(node) == 0, "the follower is gone")
