"""CAP: what the standard asks for, what a life of an alert looks like, and that an independent reader reads it."""

import warnings
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import alerts, cap
from node.cap import Message, Source
from node.errors import RefusedError
from tests.support.alert_examples import DID, NOW, actual, example
from tests.support.alert_examples import PLACE as PLACE_OF_EXAMPLE
from tests.support.cap_rules import NS, faults, texts

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from cap_tools import models
    from xsdata.formats.dataclass.parsers import XmlParser
    from xsdata.formats.dataclass.parsers.config import ParserConfig

from xml.etree import ElementTree

SOURCE = Source(
    did=DID, address="drill@org1.example", name="منظمة تدريبية", page="https://org1.example/alerts/a1",
    proof="https://org1.example/alerts/a1/bundle",
)  # fmt: skip
PLACE = replace(PLACE_OF_EXAMPLE, translation_of=None, updated=None)


def public(language="ar", **changes):
    return alerts.parse(alerts.render(alerts.parse_input(actual()), language, PLACE) | changes)


ALERT, ENGLISH = public(), public("en")


def message(number=1, alert=ALERT, made=NOW):
    return Message(alert, 1, number, made)


def chain(*states):
    """One message for each state, some minutes apart."""
    return tuple(
        message(number, replace(ALERT, state=state, state_note="(exercise)" if state != "issued" else ""),
                NOW + timedelta(minutes=4 * number))
        for number, state in enumerate(states, 1)
    )  # fmt: skip


def root(raw):
    return ElementTree.fromstring(raw)


def read(raw):
    """By `cap-tools`, which knows the schema and nothing of us; a value that it does not know is an error."""
    parser = XmlParser(config=ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True))
    return parser.from_bytes(raw, models.Alert)


def test_an_alert_holds_every_rule_of_the_standard():
    raw = cap.render((message(),), (ENGLISH,), SOURCE)
    assert faults(raw) == []
    assert (texts(root(raw), "status"), texts(root(raw), "msgType"), texts(root(raw), "scope")) == (
        ["Actual"], ["Alert"], ["Public"],
    )  # fmt: skip
    assert texts(root(raw), "identifier") == ["XXX_003_/_1126_/_3MDWP.1.1"]
    assert texts(root(raw), "sent") == ["2026-11-20T10:00:00-00:00"]
    assert texts(root(raw), "references") == []


def test_an_independent_reader_finds_what_we_said():
    found = read(cap.render(chain("issued", "issued", "corrected"), (ENGLISH,), SOURCE))
    assert (found.sender, found.status.value, found.msg_type.value) == (DID, "Actual", "Update")
    assert [info.language for info in found.infos] == ["ar", "en"]
    first = found.infos[0]
    assert first.headline == ALERT.headline
    assert first.sender_name == SOURCE.name
    assert first.instruction.startswith("1. ") and ALERT.demands[0] in first.instruction
    assert first.web == SOURCE.page
    assert [value.value for value in first.response_types] == ["Execute"]
    assert (first.areas[0].area_desc, first.areas[0].geocodes[0].value.value) == ("العراق", "IQ")
    assert found.infos[1].areas[0].area_desc == "Iraq"
    assert found.references.count(DID) == 2


def test_each_message_refers_to_all_before_it_as_they_were_sent():
    states = ("issued", "issued", "corrected", "closed")
    sent = [read(cap.render(chain(*states[:count]), (), SOURCE)) for count in range(1, 5)]
    triples = [f"{each.sender},{each.identifier},{str(each.sent).replace('Z', '-00:00')}" for each in sent]
    for number, each in enumerate(sent):
        assert (each.references or "").split() == triples[:number]
    assert len({each.identifier for each in sent}) == 4
    assert [each.msg_type.value for each in sent] == ["Alert", "Update", "Update", "Cancel"]


def test_sent_is_rounded_and_always_later_than_before():
    found = [each.sent for each in cap.heads(chain("issued", "issued", "issued", "issued"), DID)]
    assert found == [f"2026-11-20T10:{time}-00:00" for time in ("00:00", "00:01", "10:00", "10:01")]


def test_a_closed_alert_asks_for_nothing_and_promises_no_safety():
    found = read(cap.render(chain("issued", "closed"), (), SOURCE))
    info = found.infos[0]
    assert found.msg_type.value == "Cancel"
    assert found.note == "(exercise)" and "(exercise)" in info.description
    assert [value.value for value in info.response_types] == ["None"]
    assert (info.urgency.value, info.instruction) == ("Past", None)


@pytest.mark.parametrize("status", ["exercise", "test", "unknown"])
def test_nothing_but_a_real_alert_is_rendered(status):
    drill = replace(ALERT, status=status)
    for messages, others in (
        ((message(alert=drill),), ()),
        ((message(), message(2, drill)), ()),
        ((message(1, drill), message(2)), ()),
        ((message(),), (drill,)),
        ((), ()),
    ):
        with pytest.raises(RefusedError, match="R15"):
            cap.render(messages, others, SOURCE)


def test_the_example_of_the_house_is_an_exercise_and_is_not_rendered():
    drill = alerts.parse(alerts.render(alerts.parse_input(example()), "ar", PLACE))
    with pytest.raises(RefusedError, match="R15"):
        cap.render((message(alert=drill),), (), SOURCE)


@pytest.mark.parametrize(
    ("changes", "tag", "expected"),
    [
        ({"reference": "IRQ 003 / 1126 / K7WQ4"}, "identifier", ["IRQ_003_/_1126_/_K7WQ4.1.1"]),
        ({"reference": "a,b <c> & d"}, "identifier", ["a_b_c_d.1.1"]),
        ({"reference": "مرجع", "id": "https://org1.example/o/1"}, "identifier", ["https://org1.example/o/1.1.1"]),
        ({"language": ""}, "language", ["und"]),
        ({"language": "not a tag"}, "language", ["und"]),
        ({"kind": "unknown"}, "event", ["نداء عاجل"]),
        ({"severity": "unknown"}, "severity", ["Unknown"]),
        ({"country": "XX"}, "areaDesc", []),
        ({"country": "ZZ9"}, "areaDesc", []),
        ({"country": ""}, "area", []),
        ({"demands": ()}, "responseType", ["None"]),
        ({"expires": None}, "expires", []),
        ({"headline": "a\x00b\x0b\ufffec"}, "headline", ["abc"]),
        ({"headline": "a\u202eb\u2068c"}, "headline", ["ab\u2068c\u2069"]),
        ({"narrative": "a\u2069b\u202dc\n\u2067d"}, "description", ["abc\n\u2067d\u2069"]),
        ({"headline": "<b>&amp;"}, "headline", ["<b>&amp;"]),
    ],
)
def test_what_comes_from_a_stranger_is_made_fit(changes, tag, expected):
    raw = cap.render((message(alert=replace(ALERT, **changes)),), (), SOURCE)
    assert faults(raw) == []
    assert texts(root(raw), tag) == expected


def test_a_language_is_told_once():
    again = replace(ENGLISH, language="EN")
    assert texts(root(cap.render((message(),), (ENGLISH, again, ALERT), SOURCE)), "language") == ["ar", "en"]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("<identifier>", "<identifier>a b", "identifier: no spaces, commas, < or &"),
        ("<sender>", "<sender>a,b", "sender: no spaces, commas, < or &"),
        ("00:00-00:00</sent>", "00:00Z</sent>", "sent: a date and time with its zone in figures"),
        ("<status>Actual", "<status>Real", "status: one of the standard's values"),
        ("<msgType>Alert", "<msgType>Update", "references: with every Update and Cancel, with no Alert"),
        ("<scope>Public", "<scope>Private", "scope: Restricted has a restriction, Private addresses"),
        ("<urgency>Immediate</urgency>", "", "info lacks urgency"),
        ("<event>نداء عاجل</event>", "", "info lacks event"),
        ("<event>نداء عاجل</event>", "<event> </event>", "event is empty"),
        ("<areaDesc>العراق</areaDesc>", "", "area lacks areaDesc"),
        ("<areaDesc>العراق</areaDesc>", "<areaDesc>a</areaDesc><circle>1,1 1</circle>", "Tadamun: no geometry"),
        ("<category>", "<category>Human", "category: one of the standard's values"),
        ("<language>en", "<language>ar", "info: one for each language"),
        ("<language>en", "<language>en_GB", "language: RFC 3066"),
        ("</alert>", "<note>late</note></alert>", "alert is out of order"),
        ("<source>", "<source>a</source><source>", "source more than once"),
    ],
)
def test_the_table_of_the_standard_sees_each_thing_that_is_broken(old, new, fault):
    text = cap.render((message(),), (ENGLISH,), SOURCE).decode()
    assert old in text
    assert fault in faults(text.replace(old, new, 1).encode())


ODD = st.text(max_size=30) | st.text("\x00\x0b\ud800\ufffe\u202e\u2066\u2069\r\n <&>,]]>أب", max_size=12)
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
STRANGE = {
    "state": st.sampled_from(["issued", "corrected", "closed", "unknown"]),
    "severity": st.sampled_from(["extreme", "minor", "unknown"]),
    "country": st.sampled_from(["IQ", "XX", "", "ZZZ"]) | st.text(max_size=3),
    "demands": st.lists(ODD, max_size=3).map(tuple),
    "drivers": st.lists(ODD, max_size=3).map(tuple),
    "expires": MOMENTS,
    "deadline": MOMENTS,
    "language": st.sampled_from(["ar", "en", "ckb", "", "fr-FR"]) | ODD,
} | {
    name: ODD
    for name in ("headline", "narrative", "reference", "state_note", "link_to_work", "id", "verification_level", "kind")
}
NAMES = {each.name for each in fields(ALERT)}


@given(
    st.lists(st.fixed_dictionaries({}, optional=STRANGE), min_size=1, max_size=3),
    st.lists(st.datetimes(timezones=st.just(UTC)), min_size=3, max_size=3),
    ODD,
)
def test_any_public_alert_makes_a_message_that_is_read_and_keeps_the_rules(changes, moments, name):
    assert set(STRANGE) <= NAMES
    found = [replace(ALERT, **each) for each in changes]
    messages = tuple(message(n, each, made) for n, (each, made) in enumerate(zip(found, moments, strict=False), 1))
    raw = cap.render(messages, tuple(found), replace(SOURCE, name=name))
    assert faults(raw) == []
    assert len({head.reference for head in cap.heads(messages, DID)}) == len(messages)
    assert read(raw).status.value == "Actual"


def test_moments_are_written_as_the_standard_wants_them():
    assert cap.timestamp(datetime(2026, 1, 2, 3, 4, 5, 6, UTC)) == "2026-01-02T03:04:05-00:00"
    assert cap.timestamp(datetime.min.replace(tzinfo=UTC)) == "0001-01-01T00:00:00-00:00"
    assert root(cap.render((message(),), (), SOURCE)).tag == NS + "alert"
