"""Sign-on: what is taken for a SignOn or an Endorsement, and who stands on the list."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import endorsements as rules
from node import recovery
from node.effects import Accept, Ignore, Refuse, StoreObject
from node.endorsements import Delivery, Facts
from node.errors import NodeError
from node.federation.protocol.activities import Activity
from node.rolls import Standing
from tests.support.alert_examples import NOW

AUTHOR, ONE, TWO, THREE, HEIR = (recovery.generate().did for _ in range(5))
PUBLIC = ("https://www.w3.org/ns/activitystreams#Public",)
ALERT = f"ap+ef61://{AUTHOR}/objects/alert"
TEXTS = {"ar": rules.digest_of({"content": "نص تدريبي"}), "en": rules.digest_of({"content": "Exercise text"})}
OTHER = {"ar": rules.digest_of({"content": "نص آخر"})}
CLOSES = NOW + timedelta(days=3)
SPEC = "Tadamun sign-on"
GOOD = Facts(known=True, frozen=False)


def actor(did):
    return f"ap+ef61://{did}/actor"


def sign_on(token="s1", order=(1, 5), texts=TEXTS, closes=CLOSES, **changes):
    made = rules.render_sign_on(
        f"ap+ef61://{AUTHOR}/objects/{token}", actor(AUTHOR), ALERT, texts, (NOW, closes), PUBLIC
    )
    return rules.parse(made | changes, order)


ASKED = sign_on()


def endorsement(did, order=(1, 3), asked=ASKED, said=NOW + timedelta(hours=1), token="e1", alert=ALERT):
    made = rules.render_endorsement(
        f"ap+ef61://{did}/objects/{token}", actor(did), asked, alert, (f"Exercise {did[-4:]}", "en"), said, PUBLIC
    )
    return rules.parse(made, order)


HEADS = {did: (1, 9, TEXTS["ar"]) for did in (AUTHOR, ONE, TWO, THREE, HEIR)}
ROLL = {did: Standing(listed=did != TWO) for did in (AUTHOR, ONE, TWO, THREE)}


def listed(entries, heads=HEADS, roll=ROLL, present=TEXTS, now=NOW + timedelta(days=1), **more):
    return rules.list_of(entries, heads, roll, present, now, **more)


def names(found):
    return {each.did for each in found.names}


ALL = (ASKED, endorsement(ONE), endorsement(TWO), endorsement(THREE))


def test_everyone_who_signed_the_frozen_text_stands_on_the_list():
    found = listed(ALL, withheld=2)
    assert names(found) == {ONE, TWO, THREE}
    assert (found.count, found.known, found.phase, found.changed, found.missing) == (5, 3, "open", False, ())
    assert found.listed == {ONE, THREE}
    assert found.as_of == {did: HEADS[did] for did in (AUTHOR, ONE, TWO, THREE)}


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({"entries": (ASKED, *ALL[2:])}, {TWO, THREE}),
        ({"entries": (*ALL[:3], endorsement(THREE, said=CLOSES + timedelta(seconds=1)))}, {ONE, TWO}),
        ({"entries": (*ALL[:3], endorsement(THREE, asked=sign_on(texts=OTHER)))}, {ONE, TWO}),
        ({"entries": (*ALL[:3], endorsement(THREE, alert=ALERT + "x"))}, {ONE, TWO}),
        ({"entries": (*ALL, endorsement(AUTHOR))}, {ONE, TWO, THREE}),
        ({"entries": (*ALL, endorsement(ONE, token="e2", order=(1, 4)))}, {ONE, TWO, THREE}),
        ({"heads": HEADS | {THREE: (1, 2, TEXTS["ar"])}}, {ONE, TWO}),
        ({"heads": {did: place for did, place in HEADS.items() if did != THREE}}, {ONE, TWO}),
        ({"roll": {did: standing for did, standing in ROLL.items() if did != THREE}}, {ONE, TWO}),
        ({"roll": ROLL | {THREE: Standing(True, frozen=(1, 2))}}, {ONE, TWO}),
        ({"roll": ROLL | {THREE: Standing(True, frozen=(1, 3))}}, {ONE, TWO, THREE}),
        ({"roll": ROLL | {THREE: Standing(True, (1, 3), HEIR), HEIR: Standing(True)}}, {ONE, TWO, THREE}),
        (
            {
                "entries": (*ALL, endorsement(HEIR)),
                "roll": ROLL | {THREE: Standing(True, (1, 3), HEIR), HEIR: Standing(True)},
            },
            {ONE, TWO, HEIR},
        ),
        ({"entries": (*ALL, sign_on("s2", (1, 7), OTHER))}, set()),
        ({"entries": (*ALL, sign_on("s2", (1, 7), closes=CLOSES + timedelta(days=9)))}, {ONE, TWO, THREE}),
        ({"now": CLOSES + timedelta(days=9)}, {ONE, TWO, THREE}),
    ],
)
def test_who_stands_on_the_list(changed, left):
    given_ = {"entries": ALL} | changed
    found = listed(given_.pop("entries"), **given_)
    assert names(found) == left


def test_a_changed_text_is_told_and_a_missing_one_too():
    assert listed(ALL, present=TEXTS | OTHER).changed
    found = listed(ALL, present={"ar": TEXTS["ar"]})
    assert (found.changed, found.missing) == (False, ("en",))


def test_there_is_no_list_where_nobody_was_asked_or_the_alert_is_gone():
    assert listed(ALL[1:]) is None
    assert listed(ALL, present={}) is None


def test_the_window_closes_and_the_delivered_list_keeps_its_number():
    assert listed(ALL, now=CLOSES + timedelta(seconds=1)).phase == "closed"
    heads = {did: HEADS[did] for did in (AUTHOR, ONE, TWO)}
    asked = replace(ASKED, delivery=Delivery(NOW + timedelta(days=2), "an office (exercise)", 2, 0, heads))
    found = listed((asked, *ALL[1:]))
    assert found.phase == "delivered"
    assert names(found) == {ONE, TWO}, "who signed after the heads that were named came too late"
    later = listed((asked, ALL[2]))
    assert (names(later), later.sign_on.delivery.count) == ({TWO}, 2)


ENTRIES = (
    *ALL,
    sign_on("s0", (1, 2), OTHER),
    endorsement(ONE, asked=sign_on(texts=OTHER), order=(1, 2), token="e0"),
    endorsement(TWO, order=(1, 8), token="e9"),
    endorsement(AUTHOR),
)


@given(st.permutations([*range(len(ENTRIES)), 0, 1, 2]), st.sets(st.integers(0, len(ENTRIES) - 1)))
def test_the_same_entries_make_the_same_list_in_any_order_and_however_often_they_come(order, left_out):
    given_ = [ENTRIES[number] for number in order if number not in left_out]
    once = [each for number, each in enumerate(ENTRIES) if number not in left_out]
    assert listed(given_) == listed(once)


def test_a_part_of_the_entries_makes_a_part_of_the_list():
    assert names(listed(ALL[:2])) < names(listed(ALL))


def test_what_is_delivered_is_read_back():
    heads = {did: HEADS[did] for did in (AUTHOR, ONE)}
    delivery = Delivery(NOW + timedelta(days=1), "an office (exercise)", 1, 4, heads)
    made = rules.render_sign_on(
        f"ap+ef61://{AUTHOR}/objects/s1", actor(AUTHOR), ALERT, TEXTS, (NOW, CLOSES), PUBLIC
    )
    found = rules.parse(json.loads(json.dumps(rules.with_delivery(made, delivery))), (1, 8))
    assert found == replace(ASKED, delivery=delivery, order=(1, 8))


# What arrives


def thing(kind, **changes):
    if kind == "SignOn":
        made = rules.render_sign_on(
            f"ap+ef61://{AUTHOR}/objects/s1", actor(AUTHOR), ALERT, TEXTS, (NOW, CLOSES), PUBLIC
        )
    else:
        made = rules.render_endorsement(
            f"ap+ef61://{ONE}/objects/e1", actor(ONE), ASKED, ALERT, ("Exercise one", "en"), NOW, PUBLIC
        )
    return {name: value for name, value in (made | changes).items() if value is not None}


def says(kind, value, did):
    return Activity(f"ap+ef61://{did}/activities/1", kind, actor(did), value["id"], value, None, {}, b"")


def asks(kind="Create", **changes):
    return says(kind, thing("SignOn", **changes), AUTHOR)


def signs(kind="Create", **changes):
    return says(kind, thing("Endorsement", **changes), ONE)


def stored(activity):
    value = activity.object
    return Accept(
        (
            StoreObject(
                value["id"], value["type"], activity.actor, value, value["published"], value.get("updated")
            ),
        )
    )


HELD = replace(GOOD, known_author=actor(AUTHOR), known_updated="2026-11-20T10:00:00Z")
LATER = asks("Update", updated="2026-11-20T11:00:00Z")


@pytest.mark.parametrize(
    ("activity", "facts", "decision"),
    [
        (asks(), GOOD, stored(asks())),
        (signs(), GOOD, stored(signs())),
        (LATER, HELD, stored(LATER)),
        (LATER, GOOD, stored(LATER)),
        (asks(), replace(GOOD, known=False), Ignore("only members sign")),
        (signs(), replace(GOOD, frozen=True), Ignore("the member is frozen")),
        (signs(), replace(GOOD, gone=True), Ignore("it was deleted")),
        (asks(), HELD, Ignore("not newer than what we have")),
        (asks("Update"), HELD, Ignore("not newer than what we have")),
        (asks("Update", updated="2026-11-20T10:00:00Z"), HELD, Ignore("not newer than what we have")),
        (signs(), HELD, Refuse("the id belongs to another author", "AP §7.3")),
        (
            signs("Update", updated="2026-11-20T11:00:00Z"), GOOD,
            Refuse("an endorsement is taken back and said again, not changed", SPEC),
        ),
        (
            says("Create", thing("SignOn"), ONE), GOOD,
            Refuse("the object is not of the actor's origin", "FEP-fe34"),
        ),
        (signs(attributedTo=actor(TWO)), GOOD, Refuse("the object is not of the actor's origin", "FEP-fe34")),
        (
            signs(id=f"ap+ef61://{TWO}/objects/e1"), GOOD,
            Refuse("the object is not of the actor's origin", "FEP-fe34"),
        ),
        (
            asks(alert=f"ap+ef61://{TWO}/objects/alert"), GOOD,
            Refuse("a sign-on is opened by the alert's author", SPEC),
        ),
        (asks(frozenTexts=OTHER), GOOD, Refuse("textDigest is not that of the frozen texts", SPEC)),
        (
            asks(frozenTexts={}), GOOD,
            Refuse("frozenTexts: 1 to 51 languages with their digests", SPEC),
        ),
        (signs(name=""), GOOD, Refuse("name: a text of 1 to 200 characters", SPEC)),
        (signs(name="x" * 201), GOOD, Refuse("name: a text of 1 to 200 characters", SPEC)),
        (signs(published="soon"), GOOD, Refuse("published: not an RFC 3339 time", "RFC 3339 §5.6")),
        (
            signs(textDigest="zz"), GOOD,
            Refuse("a digest is not a base58btc multihash", "Tadamun log §3"),
        ),
        (signs(alert="https://x.example/1"), GOOD, Refuse("alert: not a portable id", "FEP-ef61")),
        (signs(type=["Endorsement"]), GOOD, Refuse("neither a SignOn nor an Endorsement", SPEC)),
        (
            asks(delivery={"heads": []}), GOOD,
            Refuse("delivery: at, to, count, withheld and heads", SPEC),
        ),
    ],
)  # fmt: skip
def test_decisions(activity, facts, decision):
    assert rules.decide(activity, facts) == decision


@given(
    st.sampled_from(["SignOn", "Endorsement"]),
    st.dictionaries(
        st.sampled_from(sorted({*thing("SignOn"), *thing("Endorsement"), "delivery", "updated"})),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        ),
        max_size=3,
    ),
)
def test_any_mutation_is_read_or_refused(kind, changes):
    try:
        rules.parse(thing(kind) | changes, (1, 1))
    except NodeError:
        return
