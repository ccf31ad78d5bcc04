"""Charters: what is a text, what is taken for a charter or an affirmation, who stands on the list, what differs."""

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import alerts, citations
from node import charter_differences as differences
from node import charter_texts as texts
from node import charters as rules
from node.charters import Facts
from node.citations import Citation
from node.commands.charters import EXAMPLE
from node.effects import Accept, Ignore, Refuse, StoreObject
from node.errors import NodeError, ProtocolError, RefusedError
from node.federation.protocol import digests, keys
from node.federation.protocol.activities import Activity, LogPosition
from node.rolls import Standing
from tests.support.alert_examples import NOW, PLACE, example

TEXT = json.loads(EXAMPLE.read_bytes())
KEEPER, ONE, TWO, THREE, HEIR = (keys.generate_organisation_key().did for _ in range(5))
PUBLIC = ("https://www.w3.org/ns/activitystreams#Public",)
SPEC = "Tadamun charters 1"
GOOD = Facts(known=True, frozen=False)
PAGE = "https://drill0.example/charters/0123456789abcdef"


def actor(did):
    return f"ap+ef61://{did}/actor"


def article(value=TEXT, token="c1", **more):
    return rules.render_charter(
        f"ap+ef61://{KEEPER}/objects/{token}", actor(KEEPER), texts.parse(value), "ar", PAGE, NOW, PUBLIC, **more
    )


def charter(value=TEXT, order=(1, 2), **more):
    return rules.parse(article(value, **more), order)


def edited(change):
    value = deepcopy(TEXT)
    change(value)
    return value


CHARTER = charter()
OTHER = charter(edited(lambda value: value["en"]["articles"][0].update(text="EXERCISE: another")), token="c2")


def affirmation(did, order=(1, 3), of=CHARTER, said=NOW, token="a1", articles=()):
    made = rules.render_affirmation(
        f"ap+ef61://{did}/objects/{token}", actor(did), of.id, of.digest, articles, (f"Exercise {did[-4:]}", "en"),
        said, PUBLIC,
    )  # fmt: skip
    return rules.parse(made, order)


# The text


def test_the_example_is_ours_and_says_that_it_is_an_exercise():
    found = texts.parse(TEXT)
    assert set(found.versions) == {"ar", "en"}
    assert found.numbers == tuple(str(number) for number in range(1, 9))
    assert "تدريب" in found.versions["ar"].title and "EXERCISE" in found.versions["en"].title
    assert texts.tidy(TEXT) == TEXT


def test_the_digest_is_of_the_canonical_form():
    shuffled = {"en": dict(reversed(TEXT["en"].items())), "ar": TEXT["ar"]}
    assert texts.parse(shuffled).digest == texts.parse(TEXT).digest == digests.multibase(digests.jcs(TEXT))
    assert texts.parse({"en": TEXT["en"]}).digest != texts.parse(TEXT).digest


def first(value):
    return value["en"]["articles"][0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda value: value.clear(), "1 to 20 languages"),
        (lambda value: value.update(x=value["en"]), "no language code"),
        (lambda value: value.update({"en/../x": value["en"]}), "no language code"),
        (lambda value: value.update(en=[]), "en: an object"),
        (lambda value: value["en"].update(summary="x"), "'summary' is no part"),
        (lambda value: value["en"].update(title=""), "en.title"),
        (lambda value: value["en"].update(title=7), "en.title"),
        (lambda value: value["en"].update(title="x" * 301), "en.title"),
        (lambda value: value["en"].update(preamble="x" * 20_001), "en.preamble"),
        (lambda value: value["en"].update(articles=[]), "1 to 150 articles"),
        (lambda value: value["en"].update(articles={}), "1 to 150 articles"),
        (lambda value: value["en"]["articles"].append(7), "articles[8]: an object"),
        (lambda value: first(value).update(number=1), "articles[0].number"),
        (lambda value: first(value).update(number="0"), "articles[0].number"),
        (lambda value: first(value).update(number="١"), "articles[0].number"),
        (lambda value: first(value).update(number="1\n"), "articles[0].number"),
        (lambda value: first(value).update(number="2"), "stands twice"),
        (lambda value: first(value).update(number="1a"), "1 in ar, 1a in en"),
        (lambda value: value["en"]["articles"].pop(), "8 and 7"),
        (lambda value: value["en"]["articles"].reverse(), "1 in ar, 8 in en"),
        (lambda value: first(value).update(text=""), "articles[0].text"),
        (lambda value: first(value).update(text="x" * 20_001), "articles[0].text"),
        (lambda value: first(value).update(text="read \u202ethis\u202c"), "not read as it stands"),
        (lambda value: first(value).update(text="cafe\u0301"), "not read as it stands"),
        (lambda value: first(value).update(heading="a\u0000b"), "not read as it stands"),
        (lambda value: first(value).update(extra="x"), "'extra' is no part"),
        (lambda value: [each.update(text="س" * 9_000) for each in value["ar"]["articles"]], "122880 are carried"),
    ],
)
def test_a_text_that_breaks_a_rule_is_refused(change, told):
    value = edited(change)
    if told == "stands twice":
        value["ar"]["articles"][0]["number"] = "2"
    with pytest.raises(ProtocolError, match=told.replace("[", r"\[")) as refused:
        texts.parse(value)
    assert refused.value.spec == SPEC


def test_what_somebody_typed_is_made_tidy_before_it_is_frozen():
    value = edited(lambda value: first(value).update(text="  cafe\u0301 \u202eturned\r\n"))
    assert first(texts.tidy(value))["text"] == "caf\u00e9 turned"
    texts.parse(texts.tidy(value))


@given(st.text(alphabet=st.characters(codec="utf-8")) | st.text(alphabet="a \n\t\u202e\u2067e\u0301\xa0\x85"))
def test_what_is_tidy_is_what_cleaning_would_leave_alone(text):
    assert texts.is_tidy(text) == (texts.tidy(text) == text)


def test_html_in_an_article_is_inert_and_the_content_is_bounded():
    value = edited(lambda value: first(value).update(text="<script>alert(1)</script> & \"x\""))
    content = texts.render_content(texts.parse(value), "en")
    assert "<script" not in content and "&lt;script&gt;" in content
    assert set(re_tags(content)) == {"p", "strong"}
    many = edited(lambda value: [each.update(text="&" * 9_000) for each in value["en"]["articles"]])
    with pytest.raises(ProtocolError, match="as HTML"):
        texts.render_content(texts.parse(many), "en")


def re_tags(content):
    return [part.split(">")[0].strip("/") for part in content.split("<")[1:]]


# What arrives


def says(value, did=KEEPER, kind="Create", order=(1, 2)):
    place = LogPosition(*order, None, "n" * 22)
    return Activity(f"ap+ef61://{did}/activities/1", kind, actor(did), value["id"], value, place, {}, b"")


def said(did=ONE, **changes):
    made = rules.render_affirmation(
        f"ap+ef61://{did}/objects/a1", actor(did), CHARTER.id, CHARTER.digest, ("1", "3"), ("Exercise one", "en"), NOW,
        PUBLIC,
    )  # fmt: skip
    return {name: value for name, value in (made | changes).items() if value is not None}


def kept(**changes):
    return {name: value for name, value in (article() | changes).items() if value is not None}


def test_a_charter_and_an_affirmation_are_stored():
    for value, did, kind in ((kept(), KEEPER, "Charter"), (said(), ONE, "Affirmation")):
        stored = StoreObject(value["id"], kind, actor(did), value, value["published"])
        assert rules.decide(says(value, did), GOOD) == Accept((stored,))


@pytest.mark.parametrize(
    ("activity", "facts", "answer"),
    [
        (says(kept()), replace(GOOD, known=False), Ignore("charters are kept and affirmed by members")),
        (says(kept()), replace(GOOD, frozen=True), Ignore("the member is frozen")),
        (says(kept()), replace(GOOD, known_author=actor(ONE)), Refuse("the id belongs to another author", "AP §7.3")),
        (says(kept()), replace(GOOD, gone=True), Ignore("it was deleted")),
        (says(kept()), replace(GOOD, known_author=actor(KEEPER), known_order=(1, 2)), Ignore("held already")),
        (replace(says(kept()), position=None), GOOD, Ignore("a charter is embedded in a log entry")),
        (replace(says(kept()), object=None), GOOD, Ignore("a charter is embedded in a log entry")),
    ],
)
def test_what_the_node_knows_decides_first(activity, facts, answer):
    assert rules.decide(activity, facts) == answer


@pytest.mark.parametrize("value", [kept(), said(did=KEEPER), {"id": CHARTER.id, "type": "Article"}])
def test_nothing_of_it_is_ever_changed(value):
    facts = replace(GOOD, known_author=actor(KEEPER), known_order=(1, 1))
    decision = rules.decide(says(value, kind="Update", order=(1, 9)), facts)
    assert isinstance(decision, Refuse) and "frozen" in decision.reason


def test_of_two_texts_under_one_id_the_earlier_in_the_log_counts():
    facts = replace(GOOD, known_author=actor(KEEPER), known_order=(1, 5))
    assert isinstance(rules.decide(says(kept()), facts), Accept)
    assert rules.decide(says(kept(), order=(1, 6)), facts) == Ignore("held already")


@pytest.mark.parametrize(
    ("value", "did", "told"),
    [
        (kept(textDigest=OTHER.digest), KEEPER, "not that of charterText"),
        (kept(textDigest="z1"), KEEPER, "multihash"),
        (kept(textDigest=None), KEEPER, "multihash"),
        (kept(charterText=[]), KEEPER, "1 to 20 languages"),
        (kept(charterKind="law"), KEEPER, "charterKind"),
        (kept(charterKind=["charter"]), KEEPER, "charterKind"),
        (kept(adoption=None), KEEPER, "adoption"),
        (kept(charterKind="amendment"), KEEPER, "names the text it changes"),
        (kept(amends=OTHER.digest), KEEPER, "names the text it changes"),
        (kept(charterKind="amendment", amends=CHARTER.digest), KEEPER, "does not change itself"),
        (kept(charterKind="amendment", amends=7), KEEPER, "multihash"),
        (kept(content=None), KEEPER, "content"),
        (kept(content="x" * 102_401), KEEPER, "content"),
        (kept(published="yesterday"), KEEPER, "RFC 3339"),
        (kept(id=f"ap+ef61://{ONE}/objects/c1"), KEEPER, "origin"),
        (kept(attributedTo=actor(ONE)), KEEPER, "origin"),
        (kept(id="https://drill0.example/c1"), KEEPER, "portable"),
        (said(name=None), ONE, "name"),
        (said(name=""), ONE, "name"),
        (said(name="x" * 201), ONE, "name"),
        (said(name="two\nlines"), ONE, "name"),
        (said(name="turned \u202eround"), ONE, "name"),
        (said(charter=None), ONE, "charter"),
        (said(charter="https://drill0.example/c1"), ONE, "portable"),
        (said(textDigest="no digest"), ONE, "multihash"),
        (said(affirmedArticles=[]), ONE, "affirmedArticles"),
        (said(affirmedArticles="1"), ONE, "affirmedArticles"),
        (said(affirmedArticles=[1]), ONE, "each once"),
        (said(affirmedArticles=["1", "1"]), ONE, "each once"),
        (said(affirmedArticles=["1"] * 151), ONE, "affirmedArticles"),
        (said(published=None), ONE, "RFC 3339"),
        (said(attributedTo=actor(TWO)), ONE, "origin"),
        (said(id=f"ap+ef61://{TWO}/objects/a1"), ONE, "origin"),
        (said(type="Affirmation2"), ONE, "neither"),
    ],
    ids=lambda value: "did" if isinstance(value, str) and value.startswith("did:") else None,
)
def test_what_breaks_a_rule_is_refused(value, did, told):
    decision = rules.decide(says(value, did), GOOD)
    assert isinstance(decision, Refuse) and told in decision.reason, decision


def test_what_a_key_signed_and_somebody_changed_is_read_or_refused():
    scalars = st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.just([]), st.just({}), st.just({"en": {}})
    )

    @settings(max_examples=300, deadline=None)
    @given(st.sampled_from([kept(), said()]), st.data())
    def check(whole, data):
        value = deepcopy(whole)
        place, name = value, data.draw(st.sampled_from(sorted(value)))
        while isinstance(place[name], dict | list) and place[name] and data.draw(st.booleans()):
            place = place[name]
            names = sorted(place) if isinstance(place, dict) else range(len(place))
            name = data.draw(st.sampled_from(list(names)))
        place[name] = data.draw(scalars)
        with suppress(NodeError):
            rules.parse(value, (1, 2))
        decision = rules.decide(replace(says(whole), object=value), GOOD)
        assert isinstance(decision, Accept | Ignore | Refuse)

    check()


# The list

HEADS = {did: (1, 9, CHARTER.digest) for did in (KEEPER, ONE, TWO, THREE, HEIR)}
ROLL = {did: Standing(listed=False) for did in (KEEPER, ONE, TWO, THREE)}
ALL = (affirmation(ONE), affirmation(TWO), affirmation(THREE, articles=("1", "2")))


def listed(entries=ALL, heads=HEADS, roll=ROLL, **more):
    return rules.list_of(CHARTER, entries, heads, roll, **more)


def names(found):
    return {each.did for each in found.names}


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        ({}, {ONE, TWO, THREE}),
        ({"entries": (*ALL, affirmation(KEEPER))}, {KEEPER, ONE, TWO, THREE}),
        ({"entries": (*ALL[:2], affirmation(THREE, of=OTHER))}, {ONE, TWO}),
        ({"entries": (*ALL[:2], replace(ALL[2], digest=OTHER.digest))}, {ONE, TWO}),
        ({"entries": (*ALL[:2], replace(ALL[2], charter=OTHER.id))}, {ONE, TWO}),
        ({"entries": (*ALL[:2], affirmation(THREE, articles=("99",)))}, {ONE, TWO}),
        ({"entries": (*ALL, affirmation(ONE, order=(1, 4), token="a2"))}, {ONE, TWO, THREE}),
        ({"heads": HEADS | {THREE: (1, 2, CHARTER.digest)}}, {ONE, TWO}),
        ({"heads": {did: place for did, place in HEADS.items() if did != THREE}}, {ONE, TWO}),
        ({"roll": {did: standing for did, standing in ROLL.items() if did != THREE}}, {ONE, TWO}),
        ({"roll": ROLL | {THREE: Standing(False, frozen=(1, 2))}}, {ONE, TWO}),
        ({"roll": ROLL | {THREE: Standing(False, frozen=(1, 3))}}, {ONE, TWO, THREE}),
        (
            {
                "entries": (*ALL, affirmation(HEIR)),
                "roll": ROLL | {THREE: Standing(False, (1, 3), HEIR), HEIR: Standing(False)},
            },
            {ONE, TWO, HEIR},
        ),
    ],
)
def test_who_stands_on_the_list(changed, left):
    found = listed(**changed)
    assert names(found) == left
    assert set(found.as_of) == {KEEPER, *left}


def test_the_last_word_counts_and_says_which_articles():
    found = listed((affirmation(ONE), affirmation(ONE, order=(1, 4), token="a2", articles=("7", "2"))), withheld=3)
    assert [rules.articles_of(each, CHARTER) for each in found.names] == [("2", "7")]
    assert (found.count, found.withheld) == (4, 3)
    assert rules.articles_of(affirmation(ONE), CHARTER) == CHARTER.text.numbers


ENTRIES = (
    *ALL, affirmation(ONE, order=(1, 8), token="a9", articles=("1",)), affirmation(TWO, of=OTHER, order=(1, 4)),
    affirmation(HEIR), affirmation(KEEPER, said=NOW - timedelta(days=1)),
)  # fmt: skip


@given(st.permutations([*range(len(ENTRIES)), 0, 1, 2]), st.sets(st.integers(0, len(ENTRIES) - 1)))
def test_the_same_entries_make_the_same_list_in_any_order_and_however_often_they_come(order, left_out):
    given_ = [ENTRIES[number] for number in order if number not in left_out]
    once = [each for number, each in enumerate(ENTRIES) if number not in left_out]
    assert listed(given_) == listed(once)


# What differs


def marked(pieces):
    signs = {"same": "", "removed": "-", "added": "+"}
    return [signs[each.step] + each.text for each in pieces]


def test_words_are_compared_and_put_together_again():
    assert marked(differences.words_of("We meet every year.", "We meet every month.")) == [
        "We meet every ", "-year", "+month", ".",
    ]  # fmt: skip
    assert marked(differences.words_of("", "new")) == ["+new"]
    assert differences.words_of("", "") == ()


def test_articles_are_paired_by_their_numbers():
    def change(value):
        for language in ("ar", "en"):
            articles = value[language]["articles"]
            articles[1]["text"] += " EXERCISE"
            del articles[3]
            articles.append({"number": "9", "heading": "", "text": "EXERCISE"})

    found = differences.compare(CHARTER.text, texts.parse(edited(change)))
    kinds = {each.part: each.kind for each in found["en"]}
    assert [each.part for each in found["en"]] == ["title", "preamble", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    assert {part: kind for part, kind in kinds.items() if kind != "same"} == {
        "2": "changed", "4": "removed", "9": "added",
    }  # fmt: skip
    alone = differences.compare(CHARTER.text, texts.parse({"en": TEXT["en"]}))
    assert {each.kind for each in alone["ar"]} == {"removed"} and {each.kind for each in alone["en"]} == {"same"}


@given(st.text(alphabet="ab .\n,ابج", max_size=60), st.text(alphabet="ab .\n,ابج", max_size=60))
def test_both_texts_can_be_read_off_a_difference(old, new):
    pieces = differences.words_of(old, new)
    assert "".join(each.text for each in pieces if each.step != "added") == old
    assert "".join(each.text for each in pieces if each.step != "removed") == new


def test_comparing_two_huge_texts_has_an_end():
    def filled(word):
        return {
            "en": {
                "title": "EXERCISE", "preamble": "",
                "articles": [{"number": str(n), "heading": "", "text": f"{word} b " * 100} for n in range(1, 151)],
            }
        }  # fmt: skip

    old, new = texts.parse(texts.tidy(filled("a"))), texts.parse(texts.tidy(filled("c")))
    found = differences.compare(old, new)
    assert {each.kind for each in found["en"][2:]} == {"changed"}


def test_an_article_is_cited_by_digest_and_number():
    cited = citations.parse(f"{CHARTER.digest}#3a")
    assert (cited, str(cited)) == (Citation(CHARTER.digest, "3a"), f"{CHARTER.digest}#3a")
    for wrong in ("", "#3", CHARTER.digest, *(CHARTER.digest + tail for tail in ("#", "#0", "#3\n")), "zz#3"):
        with pytest.raises(ProtocolError):
            citations.parse(wrong)


def test_an_alert_cites_articles_and_what_is_no_citation_is_told_or_passed_over():
    cited = f"{CHARTER.digest}#3"
    given_ = alerts.parse_input(example(charter_articles=[cited, f"{CHARTER.digest}#1"]))
    note = alerts.render(given_, given_.text.language, PLACE)
    assert note["charterArticles"] == [cited, f"{CHARTER.digest}#1"]
    assert [str(each) for each in alerts.parse(note).cited] == note["charterArticles"]
    assert alerts.parse(note | {"charterArticles": ["x", cited, 7]}).cited == (Citation(CHARTER.digest, "3"),)
    plain = alerts.parse_input(example())
    assert "charterArticles" not in alerts.render(plain, plain.text.language, PLACE)
    for wrong in (["nothing"], [cited] * 21, "x", [7]):
        with pytest.raises(RefusedError, match="charter_articles"):
            alerts.parse_input(example(charter_articles=wrong))


def test_ten_thousand_affirmations_are_listed_at_once():
    many = [
        replace(ALL[0], id=f"ap+ef61://{number}/objects/a1", did=str(number), order=(1, 3)) for number in range(10_000)
    ]
    roll = {str(number): Standing(listed=False) for number in range(10_000)}
    heads = dict.fromkeys(roll, (1, 9, CHARTER.digest))
    assert listed(many, heads, roll).count == 10_000
