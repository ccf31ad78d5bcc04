"""A node of ours and a real Fedify server (the engine of Ghost and Hollo), both over plain http on loopback.

What Fedify says of a signature or a proof comes from Fedify's own verifiers; what we say of hers is read from
`tadamun status` and from the answer to her POST.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.interop.peer import Peer
from tests.support.processes import Node

pytestmark = pytest.mark.interop

SCHEMES = ["cavage", "rfc9421"]


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


def accepted(node: Node) -> int:
    """How many activities from outside the node has accepted."""
    return int(node.status()["received"]["accepted"])


def test_a_follow_by_fedify_is_accepted_and_the_accept_verifies_there(alice: Peer, node: Node) -> None:
    follow = alice.follow(node.actor)

    accept = alice.wait_received("Accept")

    assert accept["activity"]["actor"] == node.actor
    assert accept["activity"]["object"]["id"] == follow["id"]
    assert accept["scheme"] == "cavage"
    assert accept["auth"]["http"] == f"{node.actor}#main-key"
    assert accept["auth"]["proof"] is True
    assert node.status()["followers"] == 1


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
    assert create["auth"]["objectProof"] is True
    assert create["believed"] == "proof"


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
    assert node.status()["received"]["refused"] == 0


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

    changed = alice.sign(scheme, f"{node.actor}/inbox", tamper=True)

    assert changed["status"] in (400, 401), changed
    assert accepted(node) == before


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


def test_an_undone_follow_removes_the_follower(alice: Peer, node: Node) -> None:
    followed(node, alice)
    assert node.status()["followers"] == 1

    alice.undo(node.actor)

    node.wait_until(lambda: node.status()["followers"] == 0, "the follower is gone")
