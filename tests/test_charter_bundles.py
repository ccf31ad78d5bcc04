"""A charter's bundle: what it proves, and what no maker of one can make it say."""

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import charter_bundles as rules
from node import charter_texts as texts
from node import charters
from node.charters import Affirmed
from node.commands.charters import EXAMPLE
from node.errors import NodeError, ProtocolError
from node.federation import outbox
from node.federation.protocol import digests
from node.web import charter_sheets
from tests.support.alert_examples import NOW
from tests.support.letters import Portable

TEXT = json.loads(EXAMPLE.read_bytes())
PUBLIC = ("https://www.w3.org/ns/activitystreams#Public",)
KEEPER, ONE, TWO, MAKER = (Portable(name, f"{name}.example") for name in ("keeper", "one", "two", "maker"))
TERMS = {**charters.TERMS, **outbox.LOG_TERMS}
PLACE = digests.multibase(b"exercise")


def entry(author, value, order=(1, 5), kind="Create", **changes):
    """A log entry at a place, signed, and its object too."""
    log = {"epoch": order[0], "sequence": order[1], "previous": PLACE, "nonce": "n" * 22}
    context = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1", TERMS]
    thing = value if "proof" in value else author.sign({"@context": context, **value})
    bare = {
        "@context": context, "id": author.at(f"/activities/{order[1]}"), "type": kind, "actor": author.uri,
        "object": thing, "to": list(PUBLIC), "log": log,
    }  # fmt: skip
    return author.sign(bare | changes)


def article(author=KEEPER, value=TEXT, token="c1", **more):
    return charters.render_charter(
        author.at(f"/objects/{token}"), author.uri, texts.parse(value), "ar", "https://keeper.example/charters/x", NOW,
        PUBLIC, **more,
    )  # fmt: skip


CHARTER = charters.parse(article(), (1, 5))
FIRST = {"ar": TEXT["ar"]}
EARLIER = charters.parse(article(value=FIRST, token="c0"), (1, 4))


def affirmation(author, token="a1", charter=CHARTER, **changes):
    made = charters.render_affirmation(
        author.at(f"/objects/{token}"), author.uri, charter.id, charter.digest, ("1", "3"),
        (f"EXERCISE {author.name}", "en"), NOW, PUBLIC,
    )  # fmt: skip
    return made | changes


def itself(author, order=(1, 2)):
    return entry(author, author.document(order), order, "Update")


ENTRIES = {
    "charter": entry(KEEPER, article()),
    "one": entry(ONE, affirmation(ONE)),
    "two": entry(TWO, affirmation(TWO)),
    "actor": itself(ONE),
    "maker": itself(MAKER),
}
HEADS = {each.did: (1, 9, PLACE) for each in (KEEPER, ONE, TWO)}


def made(entries=ENTRIES, heads=HEADS, charter=CHARTER):
    return rules.render(
        MAKER.uri, MAKER.key, charter, [json.dumps(each).encode() for each in entries.values()],
        Affirmed((), 4, {}), heads, NOW,
    )  # fmt: skip


def signed_anew(changes, by=MAKER):
    """The same with other members, signed; `None` takes one away."""
    value = json.loads(made()) | changes
    kept = {name: item for name, item in value.items() if item is not None and name != "proof"}
    return json.dumps(by.sign(kept)).encode()


def test_a_bundle_proves_its_text_and_who_affirms_it():
    found = rules.parse(made())
    assert [each.name for each in found.affirmed.names] == sorted(
        ("EXERCISE one", "EXERCISE two"), key=lambda name: ONE.did if name.endswith("one") else TWO.did
    )
    assert (found.affirmed.count, found.affirmed.withheld, found.maker) == (6, 4, MAKER.did)
    assert found.charter.digest == CHARTER.digest and found.heads == HEADS
    assert (found.name(ONE.did), found.name(TWO.did)) == ("one", TWO.did)
    assert rules.is_charter_bundle(made())
    assert rules.is_charter_bundle(json.dumps(json.loads(made()), indent=2).encode())


def test_what_it_changes_is_proved_with_it():
    later = charters.parse(article(kind="amendment", amends=EARLIER.digest), (1, 5))
    entries = {
        "charter": entry(KEEPER, article(kind="amendment", amends=EARLIER.digest)),
        "earlier": entry(KEEPER, article(value=FIRST, token="c0"), (1, 4)),
    }
    assert [each.digest for each in rules.parse(made(entries, charter=later)).earlier] == [EARLIER.digest]
    assert rules.parse(made({"charter": entries["charter"]}, charter=later)).earlier == ()


def with_entry(name, value):
    return {"entries": {**ENTRIES, name: value}}


def forged():
    """An entry whose words somebody else changed."""
    value = deepcopy(ENTRIES["one"])
    value["object"]["name"] = "EXERCISE somebody else"
    return value


def stranger():
    return itself(Portable("stranger", "stranger.example"))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"entries": {name: each for name, each in ENTRIES.items() if name != "charter"}}, "not in the file"),
        ({"charter": EARLIER}, "not in the file"),
        (with_entry("other", entry(KEEPER, article(value=FIRST, token="c0"), (1, 4))), "does not change"),
        (with_entry("twice", entry(KEEPER, article(value=FIRST), (1, 6))), "two texts under one id"),
        (with_entry("one", forged()), "does not hold"),
        (with_entry("one", entry(ONE, affirmation(ONE, charter=EARLIER))), "does not count"),
        (with_entry("one", entry(ONE, affirmation(ONE, affirmedArticles=["99"]))), "does not count"),
        (with_entry("again", entry(ONE, affirmation(ONE, "a2"), (1, 6))), "two of one organisation"),
        (with_entry("one", entry(ONE, affirmation(ONE), (1, 10))), "past the heads"),
        ({"heads": {did: place for did, place in HEADS.items() if did != ONE.did}}, "past the heads"),
        (with_entry("one", entry(ONE, affirmation(TWO))), "another did|origin"),
        (with_entry("one", entry(ONE, affirmation(ONE, name=""))), "name"),
        (with_entry("one", entry(ONE, affirmation(ONE), kind="Update")), "no Update"),
        (with_entry("one", entry(ONE, affirmation(ONE), kind="Delete")), "no Delete"),
        (with_entry("one", entry(ONE, {"id": ONE.at("/objects/n"), "type": "Note"})), "neither a charter"),
        (with_entry("one", entry(ONE, affirmation(ONE), log=None)), "not a log entry"),
        (with_entry("one", "words"), "an entry is an object"),
        (with_entry("stranger", stranger()), "not named"),
        (with_entry("actor", entry(ONE, TWO.document((1, 2)), (1, 2), "Update")), "own log"),
        (with_entry("again", itself(ONE, (1, 3))), "no Update"),
    ],
)
def test_what_does_not_belong_into_it_is_refused(changed, told):
    with pytest.raises(ProtocolError, match=told):
        rules.parse(made(**changed))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("textDigest", EARLIER.digest, "another text"),
        ("textDigest", "no digest", "multihash"),
        ("withheld", -1, "withheld"),
        ("withheld", "4", "withheld"),
        ("withheld", True, "withheld"),
        ("published", None, "version"),
        ("more", "x", "version"),
        ("type", "Note", "version"),
        ("entries", [], "a list of log entries"),
        ("entries", {}, "a list of log entries"),
        ("entries", [7], "an entry is an object"),
        ("heads", [], "heads"),
        ("heads", {"did:key:z6Mk": [1, 1, PLACE]}, "heads: "),
        ("heads", {ONE.did: [1, 1]}, "heads: "),
        ("heads", {ONE.did: [1, True, PLACE]}, "heads: "),
        ("attributedTo", ONE.uri, "another than whose proof"),
        ("id", ONE.at("/actor/charter-bundle"), "another did"),
        ("id", "https://maker.example/bundle", "portable id"),
    ],
)
def test_a_maker_who_breaks_the_form_is_refused(name, value, told):
    with pytest.raises(ProtocolError, match=told):
        rules.parse(signed_anew({name: value}))


def test_another_key_than_the_makers_proves_nothing():
    with pytest.raises(ProtocolError, match="another did"):
        rules.parse(signed_anew({"withheld": 5}, by=ONE))


RAW = made()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_change_anywhere_that_nobody_signed_proves_nothing(data):
    value = json.loads(RAW)
    place, name = value, data.draw(st.sampled_from(sorted(value)))
    while isinstance(place[name], dict | list) and place[name] and data.draw(st.booleans()):
        place = place[name]
        name = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
    new = data.draw(st.sampled_from([None, 7, "EXERCISE", [], {}, True]))
    if place[name] == new:
        return
    place[name] = new
    with pytest.raises(NodeError):
        rules.parse(json.dumps(value).encode())



def test_a_bundle_of_very_many_is_read():
    many = [Portable(f"m{number}", f"m{number}.example") for number in range(300)]
    entries = {"charter": ENTRIES["charter"]} | {each.did: entry(each, affirmation(each)) for each in many}
    heads = {KEEPER.did: (1, 9, PLACE)} | {each.did: (1, 9, PLACE) for each in many}
    assert rules.parse(made(entries, heads)).affirmed.count == 304


def test_the_page_of_a_bundle_is_whole_inert_and_says_what_is_proved():
    value = deepcopy(TEXT)
    value["en"]["articles"][0]["text"] = "EXERCISE <script>alert(1)</script>"
    charter = charters.parse(article(value=value), (1, 5))
    said = entry(ONE, affirmation(ONE, charter=charter, name="EXERCISE <b>one</b>"))
    raw = made({"charter": entry(KEEPER, article(value=value)), "one": said, "maker": itself(MAKER)}, charter=charter)
    for language in ("ar", "en", "ckb"):
        html = charter_sheets.render(raw, language).decode()
        assert html.count("<script") == 0 and "<b>" not in html and "&lt;b&gt;one" in html
        assert charter.digest in html and KEEPER.did in html and MAKER.did in html and PLACE in html
        assert all(each.heading in html for each in charter.text.versions["ar"].articles)
        assert "src=" not in html and 'href="http' not in html and "@media print" in html
