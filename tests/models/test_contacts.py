"""Followers, followings and pinned members: each kept once, each organisation's own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from node.models import contacts
from node.models.contacts import Follower, Following
from tests.models.samples import ACTOR, DID, MEMBER, NOW, OTHER

FOLLOWER = Follower(
    actor="https://social.example/users/amal",
    inbox="https://social.example/users/amal/inbox",
    shared_inbox="https://social.example/inbox",
    activity="https://social.example/follows/1",
    since=NOW,
)
FOLLOWING = Following(
    actor=ACTOR,
    uri=MEMBER.uri,
    inbox="https://org2.example/inbox",
    activity=f"ap+ef61://{DID}/activities/1",
    state="requested",
    since=NOW,
)
THIRD = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH"


@pytest.fixture
def write(database):
    def run(function, *arguments, **options):
        return database.write_now(lambda connection: function(connection, *arguments, **options))

    return run


def test_a_follower_is_kept_once_and_the_newest_follow_counts(write):
    write(contacts.add_follower, DID, FOLLOWER)
    newer = replace(FOLLOWER, activity="https://social.example/follows/2", shared_inbox=None)
    write(contacts.add_follower, DID, newer)
    assert write(contacts.followers_of, DID) == (newer,)
    assert write(contacts.follower, DID, FOLLOWER.actor) == newer
    assert (FOLLOWER.target, newer.target) == (FOLLOWER.shared_inbox, FOLLOWER.inbox)
    assert write(contacts.count_followers, DID) == 1
    assert write(contacts.count_followers, OTHER) == 0


def test_a_follower_is_dropped_and_one_who_was_none_is_not(write):
    write(contacts.add_follower, DID, FOLLOWER)
    assert write(contacts.remove_follower, DID, FOLLOWER.actor) is True
    assert write(contacts.remove_follower, DID, FOLLOWER.actor) is False
    assert write(contacts.follower, DID, FOLLOWER.actor) is None


def test_with_an_inbox_that_is_gone_go_all_who_read_there(write):
    write(contacts.add_follower, DID, FOLLOWER)
    write(contacts.add_follower, DID, replace(FOLLOWER, actor="https://social.example/users/b"))
    write(contacts.add_follower, DID, replace(FOLLOWER, actor="https://c.example/c", inbox="c", shared_inbox=None))
    write(contacts.remove_inbox, FOLLOWER.shared_inbox)
    assert [each.actor for each in write(contacts.followers_of, DID)] == ["https://c.example/c"]
    write(contacts.remove_inbox, "c")
    assert write(contacts.followers_of, DID) == ()


def test_a_following_is_asked_for_answered_and_dropped(write):
    write(contacts.set_following, DID, FOLLOWING)
    assert write(contacts.following, DID, ACTOR) == FOLLOWING
    assert write(contacts.followed_among, DID, [ACTOR]) == frozenset()
    write(contacts.mark_following, DID, ACTOR, "accepted")
    assert write(contacts.followed_among, DID, [ACTOR, "https://nobody.example/"]) == {ACTOR}
    assert write(contacts.followed_among, OTHER, [ACTOR]) == frozenset()
    write(contacts.set_following, DID, FOLLOWING)
    assert write(contacts.followings_of, DID) == (FOLLOWING,)
    write(contacts.drop_following, DID, ACTOR)
    assert write(contacts.following, DID, ACTOR) is None


def test_a_member_is_pinned_and_replaced(write):
    write(contacts.pin, DID, MEMBER)
    assert write(contacts.member, DID, OTHER) == MEMBER
    assert write(contacts.member, OTHER, OTHER) is None
    moved = replace(MEMBER, inbox="https://org2.example/other", synced=NOW)
    write(contacts.pin, DID, moved)
    assert write(contacts.members_of, DID) == (moved,)


def test_members_stand_in_the_order_they_were_pinned_former_ones_apart(write):
    later = replace(MEMBER, did=THIRD, pinned=NOW + timedelta(hours=1))
    write(contacts.pin, DID, later)
    write(contacts.pin, DID, MEMBER)
    assert [each.did for each in write(contacts.members_of, DID)] == [OTHER, THIRD]
    write(contacts.set_state, DID, OTHER, contacts.SUCCEEDED, THIRD)
    assert [each.did for each in write(contacts.members_of, DID)] == [THIRD]
    everyone = write(contacts.members_of, DID, all_states=True)
    assert [(each.state, each.successor) for each in everyone] == [("succeeded", THIRD), ("member", None)]


def test_who_is_pinned_by_whom_leaves_former_members_out(write):
    write(contacts.pin, DID, MEMBER)
    write(contacts.pin, THIRD, MEMBER)
    write(contacts.pin, DID, replace(MEMBER, did=THIRD))
    write(contacts.set_state, DID, THIRD, contacts.FORMER)
    found = write(contacts.pinned_anywhere)
    assert {did: set(orgs) for did, orgs in found.items()} == {OTHER: {DID, THIRD}}


def test_a_freeze_is_set_and_lifted_and_is_the_organisations_own(write):
    write(contacts.pin, DID, MEMBER)
    write(contacts.pin, THIRD, MEMBER)
    assert write(contacts.member, DID, OTHER).frozen is None
    write(contacts.freeze, DID, OTHER, (2, 7))
    assert write(contacts.member, DID, OTHER).frozen == (2, 7)
    assert write(contacts.member, THIRD, OTHER).frozen is None
    assert write(contacts.frozen_anywhere, OTHER)
    write(contacts.freeze, DID, OTHER, None)
    assert write(contacts.member, DID, OTHER).frozen is None
    assert not write(contacts.frozen_anywhere, OTHER)


def test_a_member_frozen_before_its_first_entry_is_frozen(write):
    write(contacts.pin, DID, MEMBER)
    write(contacts.freeze, DID, OTHER, (1, 0))
    assert write(contacts.member, DID, OTHER).frozen == (1, 0)


def test_a_comparison_is_noted(write):
    write(contacts.pin, DID, MEMBER)
    write(contacts.mark_synced, DID, OTHER, NOW)
    assert write(contacts.member, DID, OTHER).synced == NOW
