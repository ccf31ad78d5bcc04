"""What `@alerts` boosts, and what it is called: rules, one thing broken at a time."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from node import alerts as rules
from node import boosts, relay_notes
from node.boosts import Candidate, Rule, Voice
from node.cli import tadamun
from node.errors import RefusedError
from node.relay_notes import Carriage
from tests.support.alert_examples import PLACE, actual, example, subject
from tests.support.network import Network

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
RULES = (Rule("IQ", "", NOW - timedelta(days=1)), Rule("", "arrest", NOW - timedelta(days=1)))
VOICE = Voice("https://org1.example", "alerts")
GOOD = Candidate(
    status="actual",
    state="issued",
    translation=False,
    own=False,
    member=True,
    frozen=False,
    country="IQ",
    kinds=frozenset({"urgent-appeal", "threat"}),
    published=NOW - timedelta(hours=1),
    expires=NOW + timedelta(days=1),
    received=NOW - timedelta(minutes=1),
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"member": False, "own": True},
        {"state": "corrected"},
        {"expires": None},
        {"country": "EG", "kinds": frozenset({"arrest"})},
    ],
)
def test_what_was_asked_for_is_boosted(changes):
    assert boosts.objection(replace(GOOD, **changes), RULES, NOW) == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "exercise"}, "R15"),
        ({"status": "test"}, "R15"),
        ({"status": "unknown"}, "R15"),
        ({"translation": True}, "translation"),
        ({"member": False}, "believed"),
        ({"frozen": True}, "believed"),
        ({"state": "closed"}, "closed"),
        ({"expires": NOW}, "expired"),
        ({"published": NOW - timedelta(days=8)}, "old"),
        ({"country": "EG"}, "ask"),
        ({"received": NOW - timedelta(days=2)}, "ask"),
    ],
)
def test_an_alert_with_one_thing_wrong_is_not_boosted(changes, why):
    assert why in boosts.objection(replace(GOOD, **changes), RULES, NOW)


def test_by_default_nothing_is_boosted():
    assert boosts.objection(GOOD, (), NOW)


def test_its_rows_stand_under_a_name_that_no_organisation_has():
    assert VOICE.key == "alerts:org1.example"
    for host in ("org1.example", "x" * 200 + ".example", "x" * 56 + ".onion:65535"):
        assert len(boosts.key_of(host)) <= 80
        assert boosts.is_voice(boosts.key_of(host))
    assert not boosts.is_voice(PLACE.actor_id)


def test_an_organisation_that_is_called_alerts_keeps_its_name():
    assert boosts.handle_beside({"org1"}) == "alerts"
    assert boosts.handle_beside({"org1", "alerts"}) == "network_alerts"


def carriage(**changes):
    return replace(
        Carriage(
            voice=VOICE,
            note_id=VOICE.at("/notes/n1"),
            author="Exercise <b>author</b>",
            carrier="Exercise carrier",
            page_url="https://org1.example/alerts/a1",
            proof_url="https://org1.example/.well-known/apgateway/did/objects/a1",
            since=NOW,
            updated=None,
        ),
        **changes,
    )


def received(language="en", **changes):
    """An alert as a member has it, in one of its languages."""
    given = rules.parse_input(actual(**{"republish": True, **changes}))
    return rules.parse(rules.render(given, language, PLACE))


def test_the_copy_says_whose_words_these_are_and_who_carries_them():
    alert = received()
    note = relay_notes.render(alert, carriage())
    text = note["content"]
    order = ["Exercise &lt;b&gt;author", "Carried on by", "Exercise carrier", alert.headline, "/alerts/a1"]
    places = [text.index(each) for each in (*order, PLACE.note_id)]
    assert places == sorted(places)
    assert note["original"] == PLACE.note_id
    assert set(note) - set(relay_notes.TERMS) == {
        "id", "type", "attributedTo", "content", "contentMap", "url", "published", "to", "cc",
    }  # fmt: skip
    assert "<b>" not in text


def test_the_copy_speaks_the_language_of_the_alert():
    note = relay_notes.render(received("ar"), carriage())
    assert "ينقله" in note["content"]
    assert list(note["contentMap"]) == ["ar"]


def test_nothing_of_a_subject_stands_in_the_copy_but_what_the_text_says():
    named = subject(name="Cedar Exercise", publication_level="pseudonym", public_name="Cedar")
    assert "Cedar" not in relay_notes.render(received(subjects=[named]), carriage())["content"]


def test_a_copy_that_would_be_too_long_points_to_the_page():
    alert = replace(received(), narrative="\n".join(["<" * 100] * 199))
    assert len(relay_notes.render(alert, carriage())["content"].encode()) < 48 * 1024


@pytest.mark.parametrize("changes", [{"republish": False}, {"status": "exercise", "country": "XX"}, {"status": "test"}])
def test_a_drill_and_what_its_author_did_not_agree_to_is_never_carried(changes):
    with pytest.raises(RefusedError):
        relay_notes.render(received(**changes), carriage())


def test_where_there_are_subjects_nobody_carries_on_unless_it_was_agreed():
    assert rules.parse_input(example()).republish is False
    assert rules.parse_input(example(republish=True)).republish is True
    assert rules.parse_input(example(republish=False)).republish is False
    with pytest.raises(RefusedError, match="republish"):
        rules.parse_input(example(republish="yes"))


@pytest.mark.parametrize("value", [False, None, 1, "true", [True]])
def test_only_a_plain_true_is_an_agreement(value):
    note = rules.render(rules.parse_input(actual(republish=True)), "ar", PLACE)
    assert note["republishable"] is True
    assert rules.parse(note).republishable is True
    assert rules.parse({**note, "republishable": value}).republishable is False


def test_without_agreement_the_note_says_nothing_of_it():
    assert "republishable" not in rules.render(rules.parse_input(actual()), "ar", PLACE)


async def test_the_command_says_what_is_boosted(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a", start=False)
        steps = [
            ([], []),
            (["--country", "iq", "--kind", "arrest"], [{"country": "IQ", "kind": "arrest"}]),
            (["--country", "IQ", "--kind", "arrest"], [{"country": "IQ", "kind": "arrest"}]),
            (["--all"], [{"country": None, "kind": None}]),
            (["--none"], []),
        ]
        for words, wanted in steps:
            done = CliRunner().invoke(tadamun, ["boosts", *words, "--data", str(a.data), "--json"])
            assert done.exit_code == 0, done.output
            assert json.loads(done.output)["boosted"] == wanted
            assert json.loads(done.output)["handle"] == f"@alerts@{a.organisation.host}"
        for words in (["--all", "--none"], ["--country", "ZZ"], ["--kind", "x" * 101]):
            assert CliRunner().invoke(tadamun, ["boosts", *words, "--data", str(a.data)]).exit_code != 0
