"""A node of ours and a Fediverse Pasture actor, who signs with bovine and spells its digest `sha-256=`.

Pasture refuses with 401 what bovine's verifier does not accept, so whatever it took, it has verified.
"""

from pathlib import Path

import pytest

from tests.interop.peer import Peer
from tests.interop.test_fedify import accepted, alert, followed, followers, following, received
from tests.support.processes import Node

pytestmark = pytest.mark.pasture


def test_a_follow_by_bovine_is_accepted_and_the_accept_verifies_there(bovine: Peer, node: Node) -> None:
    answer = bovine.follow(node.actor)

    assert answer["status"] == 202, answer
    accept = bovine.wait_received("Accept")
    assert accept["activity"]["object"]["id"] == answer["id"]
    assert accept["scheme"] == "cavage"
    assert followers(node) == 1


def test_an_alert_reaches_bovine_with_a_signature_it_verifies(
    bovine: Peer, node: Node, tmp_path: Path
) -> None:
    followed(node, bovine)

    published = node.cli("alert", "publish", alert(tmp_path), json=True)

    create = bovine.wait_received("Create")
    assert create["activity"]["object"]["id"] == published["id"]
    assert [each["status"] for each in bovine.received("Create")] == [202]


def test_a_note_by_bovine_with_a_lower_case_digest_is_accepted(bovine: Peer, node: Node) -> None:
    following(node, bovine)
    before = accepted(node)

    [sent] = bovine.note("<p>A note. This is an exercise.</p>")["sent"]

    assert sent["status"] == 202, sent
    node.wait_until(lambda: accepted(node) == before + 1, "the note is accepted")


def test_a_post_by_bovine_changed_after_signing_is_refused(bovine: Peer, node: Node) -> None:
    following(node, bovine)
    before = accepted(node)

    for tamper in ("body", "digest"):
        changed = bovine.sign("cavage", f"{node.actor}/inbox", tamper=tamper)
        assert changed["status"] == 401, (tamper, changed)

    assert bovine.sign("cavage", f"{node.actor}/inbox")["status"] == 202
    node.wait_until(lambda: accepted(node) == before + 1, "the unchanged post is accepted")
    assert received(node, "refused") == 2


def test_a_follow_undone_by_bovine_removes_the_follower(bovine: Peer, node: Node) -> None:
    followed(node, bovine)

    bovine.undo(node.actor)

    node.wait_until(lambda: followers(node) == 0, "the follower is gone")
