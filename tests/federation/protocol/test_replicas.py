"""The log's arithmetic: headers, stubs, what fits, and one main line whatever the order of arrival."""

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NodeError, ProtocolError, ReplicaError
from node.federation.protocol import digests, replicas
from node.federation.protocol.activities import MAX_EPOCH, parse_activity
from node.federation.protocol.messages import parse_document
from node.federation.protocol.replicas import Fit, Head, Header, Position, fit, main_line, parse_stub
from tests.support.letters import Portable, header_of

DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"


def header(sequence: int, previous: Header | None, *, epoch: int = 1, text: str = "") -> Header:
    content = digests.multibase(f"{epoch}/{sequence}/{text}".encode())
    return Header(DID, epoch, sequence, previous.digest if previous else None, content)


def chain(*epochs: int, after: Header | None = None, text: str = "") -> list[Header]:
    """Headers one after another, in these epochs."""
    found: list[Header] = []
    for epoch in epochs:
        last = found[-1] if found else after
        found.append(header(last.sequence + 1 if last else 1, last, epoch=epoch, text=text))
    return found


def head(value: Header) -> Head:
    return Head(value.epoch, value.sequence, value.digest)


# --- headers -------------------------------------------------------------------------------------------------------


def test_a_header_says_what_stands_where_after_what() -> None:
    org = Portable("org", "one.example")
    first, second = org.updates_itself(), org.logs("Create", org.note())
    one, two = header_of(first), header_of(second)
    assert (one.did, one.order, one.previous) == (org.did, (1, 1), None)
    assert (two.order, two.previous) == ((1, 2), one.digest)
    assert one.digest == digests.multibase(digests.jcs(one.value()))
    assert one.content == digests.multibase(
        digests.jcs({name: item for name, item in first.items() if name != "proof"})
    )


def test_proofs_and_signatures_are_not_of_the_content_and_all_else_is() -> None:
    org = Portable("org", "one.example")
    value = org.logs("Create", org.note())
    signature = {"type": "RsaSignature2017"}
    assert header_of({**value, "proof": [1], "signature": signature}) == header_of(value)
    for changes in ({"to": []}, {"object": {}}, {"object": {**value["object"], "proof": {}}}, {"x": None}):
        assert header_of({**value, **changes}).content != header_of(value).content


@pytest.mark.parametrize(
    "changes",
    [
        {"log": None},
        {"log": {"epoch": 1, "sequence": 2, "previous": "zQm", "nonce": "n" * 20}},
        {"log": {"epoch": 1, "sequence": 2, "previous": "z" + "1" * 46, "nonce": "n" * 20}},
        {"actor": "https://one.example/a", "id": "https://one.example/1"},
    ],
)
def test_what_has_no_place_has_no_header(changes: dict[str, Any]) -> None:
    org = Portable("org", "one.example")
    value = {**org.logs("Create", org.note()), **changes}
    with pytest.raises(ProtocolError):
        replicas.header_of(parse_activity(parse_document(json.dumps(value).encode())))


def test_our_next_place_follows_our_head() -> None:
    last = chain(1, 1, 2)[-1]
    assert replicas.next_position(None) == Position(1, 1, None)
    assert replicas.next_position(head(last)) == Position(2, 4, last.digest)
    assert replicas.next_position(head(last), new_epoch=True) == Position(3, 4, last.digest)


# --- stubs ---------------------------------------------------------------------------------------------------------

STUB = chain(1, 1)[-1].value()


def test_a_stub_is_the_header_it_was() -> None:
    for each in chain(1, 2, 2):
        assert parse_stub(json.loads(json.dumps(each.value()))) == each


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "stub",
        {},
        {**STUB, "text": "more"},
        {name: item for name, item in STUB.items() if name != "content"},
        {**STUB, "did": "did:web:one.example"},
        {**STUB, "did": DID.replace("did:key", "DID:KEY")},
        {**STUB, "did": 7},
        {**STUB, "epoch": 0},
        {**STUB, "epoch": True},
        {**STUB, "epoch": MAX_EPOCH + 1},
        {**STUB, "sequence": "2"},
        {**STUB, "sequence": 1},
        {**STUB, "previous": None},
        {**STUB, "previous": "zQm"},
        {**STUB, "previous": 7},
        {**STUB, "content": None},
        {**STUB, "content": STUB["content"] + "\n"},
    ],
)
def test_what_is_no_bare_header_is_no_stub(value: Any) -> None:
    with pytest.raises(ProtocolError):
        parse_stub(value)


@given(
    st.dictionaries(
        st.sampled_from([*STUB, "x"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=1),
    )
)
def test_any_stub_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        found = parse_stub({**STUB, **changes})
    except NodeError:
        return
    assert found.value() == {**STUB, **changes}


def test_a_stub_stands_only_where_a_delete_by_its_author_names_place_and_content() -> None:
    gone = chain(1, 1)[-1]
    replicas.check_withdrawn(gone, {(1, 2): gone.content})
    for named in ({}, {(1, 2): chain(1)[0].content}, {(2, 2): gone.content}, {(1, 3): gone.content}):
        with pytest.raises(ReplicaError):
            replicas.check_withdrawn(gone, named)


def test_stubs_count_only_below_a_signed_entry_that_leads_to_them() -> None:
    """Anybody can write a stub: one that nothing signed follows would invent another's history."""
    one, two, three, four = chain(1, 1, 1, 1)
    forged = chain(9, 9, after=one, text="forged")
    assert replicas.anchored([two, three], [four.previous]) == (two, three)
    assert replicas.anchored([three, two], [four.previous, one.previous]) == (two, three)
    assert replicas.anchored([three], [four.previous]) == (three,)
    assert replicas.anchored([two, *forged], [three.previous]) == (two,)
    assert replicas.anchored([two, three, *forged], []) == ()


# --- fit -----------------------------------------------------------------------------------------------------------

LINE = chain(1, 1, 1)
HEAD = head(LINE[-1])
FITS: list[tuple[str, Header, Head | None, list[Header], Fit]] = [
    ("the first of a log we do not have", LINE[0], None, [], Fit.NEXT),
    ("the second of a log we do not have", LINE[1], None, [], Fit.GAP),
    ("the next", header(4, LINE[-1]), HEAD, [], Fit.NEXT),
    ("the next, in a new epoch", header(4, LINE[-1], epoch=2), HEAD, [], Fit.NEXT),
    ("the next, in an old epoch", header(4, chain(2, 2, 2)[-1], epoch=1), head(chain(2, 2, 2)[-1]), [], Fit.GAP),
    ("what we have", LINE[1], HEAD, [LINE[1]], Fit.KNOWN),
    ("what we have among others", LINE[1], HEAD, [header(2, LINE[0], text="x"), LINE[1]], Fit.KNOWN),
    ("one too far", header(5, header(4, LINE[-1])), HEAD, [], Fit.GAP),
    ("very far ahead", header(2**52, LINE[-1]), HEAD, [], Fit.GAP),
    ("very far ahead in epochs", header(2**52, LINE[-1], epoch=MAX_EPOCH), HEAD, [], Fit.GAP),
    ("another at a place that is taken", header(2, LINE[0], text="x"), HEAD, [LINE[1]], Fit.FORK),
    ("another at the head", header(3, LINE[1], text="x"), HEAD, [LINE[2]], Fit.FORK),
    ("the next after something else", header(4, LINE[0]), HEAD, [], Fit.FORK),
    (
        "a lower epoch at a place that is taken",
        header(2, chain(1)[0], epoch=1, text="x"),
        Head(2, 3, LINE[-1].digest),
        [],
        Fit.FORK,
    ),
    ("a new epoch from below our head", header(2, LINE[0], epoch=2), HEAD, [LINE[1]], Fit.EPOCH),
    (
        "a second one in that place beyond our head",
        header(5, LINE[-1], text="x"),
        HEAD,
        [header(5, LINE[-1])],
        Fit.FORK,
    ),
]


@pytest.mark.parametrize(
    ("value", "ours", "beside", "wanted"), [each[1:] for each in FITS], ids=[each[0] for each in FITS]
)
def test_how_a_header_sits_beside_what_we_hold(
    value: Header, ours: Head | None, beside: list[Header], wanted: Fit
) -> None:
    assert fit(value, ours, beside) is wanted


# --- the main line -------------------------------------------------------------------------------------------------


def test_a_line_without_forks_is_itself_up_to_the_first_gap() -> None:
    line = chain(1, 1, 1, 2, 2)
    assert main_line(line) == tuple(line)
    assert main_line(line[1:]) == ()
    assert main_line([*line[:2], *line[3:]]) == tuple(line[:2])
    assert main_line([]) == ()


def test_the_higher_epoch_wins_over_the_longer_branch() -> None:
    base = chain(1, 1)
    long, short = chain(1, 1, 1, 1, after=base[-1]), chain(2, after=base[-1], text="restored")
    assert main_line([*base, *long, *short]) == (*base, *short)
    assert main_line([*base, *long, *chain(1, after=base[-1], text="x")]) == (*base, *long)


def test_an_epoch_that_goes_back_does_not_count() -> None:
    base = chain(1, 2)
    assert main_line([*base, *chain(1, after=base[-1])]) == tuple(base)


def test_a_branch_that_hangs_in_the_air_wins_over_nothing() -> None:
    base = chain(1, 1)
    far = header(2**40, base[-1], epoch=MAX_EPOCH)
    orphan = chain(9, after=header(7, None))
    assert main_line([*base, far, *orphan]) == tuple(base)


def test_a_header_that_names_itself_or_a_circle_ends() -> None:
    base = chain(1, 1)
    looped = replace(header(3, base[-1]), previous=header(4, base[-1]).digest)
    assert main_line([*base, looped]) == tuple(base)


def test_a_long_log_with_many_branches_is_counted_in_good_time() -> None:
    line = chain(*[1] * 3000)
    branches = [header(each.sequence + 1, each, text="branch") for each in line[:-2]]
    assert main_line([*branches, *line]) == tuple(line)


def _trees() -> st.SearchStrategy[list[Header]]:
    """Logs that grow by putting a header after any that is there, in its epoch or the next."""

    def grow(steps: list[tuple[int, int]]) -> list[Header]:
        found: list[Header] = []
        for number, (parent, up) in enumerate(steps):
            last = found[parent % len(found)] if found and parent % (len(found) + 1) else None
            epoch = (last.epoch if last else 1) + up
            found.append(header(last.sequence + 1 if last else 1, last, epoch=epoch, text=str(number)))
        return found

    return st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1)), min_size=1, max_size=12).map(grow)


@given(_trees(), st.randoms(use_true_random=False), st.integers(0, 3))
def test_every_order_of_arrival_gives_the_same_line(headers: list[Header], random: Any, away: int) -> None:
    held = headers[away:]
    wanted = main_line(held)
    shuffled = list(held)
    for _ in range(3):
        random.shuffle(shuffled)
        assert main_line(shuffled) == wanted
    assert [each.sequence for each in wanted] == list(range(1, len(wanted) + 1))
    assert all(two.previous == one.digest and two.epoch >= one.epoch for one, two in itertools.pairwise(wanted))
    assert all(each in held for each in wanted)


@given(_trees())
def test_no_other_line_reaches_a_higher_epoch_nor_further_in_it(headers: list[Header]) -> None:
    wanted = main_line(headers)
    best = max((each.epoch, each.sequence) for each in headers)
    assert (wanted[-1].epoch, wanted[-1].sequence) == best


@given(_trees(), st.randoms(use_true_random=False))
def test_what_fits_next_is_what_the_line_grows_by(headers: list[Header], random: Any) -> None:
    """The quick look at one header and the whole count agree: `logs.append` relies on it."""
    random.shuffle(headers)
    held: list[Header] = []
    for each in headers:
        line = main_line(held)
        ours = head(line[-1]) if line else None
        found = fit(each, ours, [other for other in held if other.sequence == each.sequence])
        longer = main_line([*held, each])
        children = any(other.previous == each.digest for other in held)
        if found is Fit.NEXT and not children:
            assert longer == (*line, each)
        if found is Fit.GAP and not any(other.digest == each.previous for other in held):
            assert longer == line
        held.append(each)


def test_equal_tables_have_equal_roots_and_no_others() -> None:
    table = {DID: head(LINE[-1]), DID[:-1] + "q": head(LINE[0])}
    again = dict(reversed(table.items()))
    assert replicas.root_digest(table) == replicas.root_digest(again)
    assert replicas.root_digest(table) != replicas.root_digest({**table, DID: head(LINE[1])})
    assert replicas.root_digest({}) != replicas.root_digest(table)
