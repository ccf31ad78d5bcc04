"""What is public of a network: tables, and that from all of it nobody says of an unnamed member where or what it is."""

import csv
import io
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from itertools import combinations_with_replacement

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import alert_countries, directory, regions
from node.directory import LEAST, Table
from node.groups import Group
from node.members import MEMBER, SUSPENDED, Standing

KINDS = ("organisation", "coalition", "individual")
OWN = "did:own"


def member(at, country="IQ", kind="organisation", *, listed=False, state=MEMBER, name="", languages=()):
    name = name or f"EXERCISE {at}"
    return Standing(f"did:{at}", state, name, kind, country, f"@{at}@x", listed, False, "a", languages)


def network(named, others):
    """Of (country, kind) each."""
    shown = [member(f"n{at}", *each, listed=True) for at, each in enumerate(named)]
    return shown + [member(f"o{at}", *each) for at, each in enumerate(others)]


def seen_of(members, own=OWN):
    """What is public, where it was told just now."""
    return directory.public(members, own, directory.tell(directory.unnamed(members, own)))


@pytest.mark.parametrize(
    ("known", "others", "expected"),
    [
        ({}, {}, Table()),
        ({"145": 4}, {}, Table()),
        ({"145": 6}, {}, Table((("145", 6),), 0)),
        ({"145": 6, "015": 5}, {}, Table((("145", 6), ("015", 5)), 0)),
        ({"145": 6, "015": 2}, {}, Table()),
        ({"145": 7, "015": 6, "155": 2}, {}, Table((("145", 7),), 8)),
        ({"145": 6, "015": 2, "155": 3}, {}, Table((("145", 6),), 5)),
        ({"145": 6}, {"145": 2}, Table()),
        ({"145": 6}, {"145": 9}, Table((("145", 6),), 9)),
        ({}, {"145": 10}, Table((("145", 5),), 5)),
        ({}, {"145": 9}, Table()),
        ({}, {"145": 7, "015": 8}, Table((("015", 5), ("145", 5)), 5)),
        ({"145": 3}, {"145": 7, "015": 8}, Table((("145", 8), ("015", 5)), 5)),
        ({}, {"145": 40, "015": 1, "155": 2}, Table((("145", 35),), 8)),
        ({"": 9}, {"": 9}, Table()),
    ],
)
def test_no_row_is_small_and_what_is_left_over_is_told_for_no_region(known, others, expected):
    assert directory.table(known, directory.fives(others), sum(others.values())) == expected


def test_fewer_than_five_are_no_number():
    few = [member(at, listed=at < 2) for at in range(4)]
    found = seen_of(few)
    assert (found.partners, found.countries, found.regions, found.kinds) == (0, 0, Table(), Table())
    assert [each.did for each in found.named] == ["did:0", "did:1"]
    found = seen_of([*few, member(4, "EG", listed=True)])
    assert (found.partners, found.countries) == (5, 2)


def test_who_is_suspended_is_neither_named_nor_counted():
    five = [member(at, listed=True) for at in range(5)]
    found = seen_of([*five, member(9, state=SUSPENDED, listed=True)])
    assert found.partners == len(found.named) == 5


def test_ninety_partners_in_twenty_nine_countries_are_counted():
    countries = sorted(regions.REGIONS)[:29]
    found = seen_of([member(at, countries[at % 29], listed=at % 2 == 0) for at in range(90)])
    assert (found.partners, found.countries) == (90, 29)
    assert sum(count for _, count in found.regions.rows) + found.regions.rest == 90


@pytest.mark.parametrize(
    ("countries", "others", "expected"),
    [
        (("IQ", "IQ"), 5, (1, True)),
        (("IQ", "SY"), 5, (2, True)),
        (("IQ", "EG"), 5, (3, False)),
        (("IQ", "EG"), 4, (2, True)),
        (("IQ", "EG", "FR", "FR", "FR"), 0, (3, False)),
    ],
)
def test_the_number_of_countries_does_not_say_where_the_unnamed_are(countries, others, expected):
    named = [(each, "organisation") for each in countries]
    found = seen_of(network(named, [("KE", "organisation")] * others))
    assert (found.countries, found.at_least) == expected


def test_whose_pages_these_are_counts_as_named():
    others = [member(at, "EG") for at in range(5)]
    own = Standing(OWN, MEMBER, "EXERCISE own", "organisation", "IQ", "@own@x", False, True, "a")
    assert seen_of([own, *others]) == seen_of([*others, own])
    assert seen_of([own, *others]).named == ()
    assert seen_of([own, *others]).at_least, "else the others' one country is known"


@cache
def seen(named, others, attribute):
    """What the public sees, as far as it depends on one attribute."""
    made = [("IQ", each) if attribute == "kind" else (each, "organisation") for each in (*named, *others)]
    found = seen_of(network(made[: len(named)], made[len(named) :]))
    return found.kinds if attribute == "kind" else (found.partners, found.countries, found.at_least, found.regions)


@pytest.mark.parametrize(
    ("attribute", "shown", "values", "most"),
    [
        ("region", ("IQ", "SY", "EG", "FR", ""), ("IQ", "EG", "FR", "KE", ""), 12),
        ("country", ("IQ", "SY", "EG", "FR"), ("IQ", "SY", "EG", "FR", "KE", "BR", "IN", ""), 6),
        ("kind", KINDS, KINDS, 17),
    ],
)
def test_from_everything_public_nobody_says_of_an_unnamed_member_where_or_what_it_is(attribute, shown, values, most):
    """Every world that looks alike from outside is made: in them together no unnamed member is the same throughout,
    and no region or kind has the same number of unnamed throughout, but one that has none at all in any. The world has
    more countries than the named are in: what is left is never one.
    """
    groups = (lambda value: value) if attribute == "kind" else regions.region_of

    @settings(max_examples=20, deadline=None)
    @given(
        st.lists(st.sampled_from(shown), max_size=7).map(sorted).map(tuple),
        st.lists(st.sampled_from(values), min_size=1, max_size=most).map(sorted).map(tuple),
    )
    def attack(named, others):
        view = seen(named, others, attribute)
        every = combinations_with_replacement(sorted(values), len(others))
        worlds = [each for each in every if seen(named, each, attribute) == view]
        possible = {value for world in worlds for value in world}
        assert len({groups(value) for value in possible}) > 1
        for group in {groups(value) for value in values}:
            counts = {sum(groups(each) == group for each in world) for world in worlds}
            assert len(counts) > 1 or counts == {0}

    attack()


@pytest.mark.parametrize("named", [(), ("organisation",) * 6, ("organisation",) * 3 + ("individual",) * 7])
def test_of_no_number_of_unnamed_can_anybody_say_how_many_are_of_one_kind(named):
    """Every division of up to 27 among the three kinds: none stands alone, as four of each would among twelve."""
    for count in range(1, 28):
        worlds = defaultdict(list)
        for kinds in combinations_with_replacement(sorted(KINDS), count):
            worlds[seen(named, kinds, "kind")].append(kinds)
        for alike in worlds.values():
            for kind in KINDS:
                counts = {world.count(kind) for world in alike}
                assert len(counts) > 1 or counts == {0}, (count, kind, counts)


@settings(max_examples=300)
@given(
    st.dictionaries(st.sampled_from(["145", "015", "155", "034", ""]), st.integers(0, 30)),
    st.dictionaries(st.sampled_from(["145", "015", "155", "034", ""]), st.integers(0, 30)),
)
def test_every_cell_is_five_or_more_and_they_add_up(known, others):
    found = directory.table(known, directory.fives(others), sum(others.values()))
    assert all(count >= LEAST for _, count in found.rows)
    assert found.rest == 0 or found.rest >= LEAST
    if found.rows:
        assert sum(count for _, count in found.rows) + found.rest == sum(known.values()) + sum(others.values())
    for name, count in found.rows:
        unnamed = count - known.get(name, 0)
        assert unnamed % LEAST == 0 and 0 <= unnamed <= others.get(name, 0)
    unnamed = sum(others.values())
    told = sum(count - known.get(name, 0) for name, count in found.rows)
    assert told == 0 or unnamed - told >= LEAST, "what is told of the unnamed is never all of them"


def test_who_looks_every_day_sees_nobody_come_or_go():
    members = [member(at, "IQ") for at in range(9)] + [member(f"n{at}", "EG", listed=True) for at in range(6)]
    basis = directory.unnamed(members, OWN)
    told, before, then = directory.tell(basis), (), frozenset()
    for at in range(40):
        found = directory.public(members, OWN, told)
        assert found.partners == 15 + at, "how many there are is told at once"
        now = directory.unnamed(members, OWN)
        if found.regions.rows != before:
            assert len(now ^ then) >= LEAST
            before, then = found.regions.rows, now
        members.append(member(f"j{at}", ("IQ", "SY", "FR")[at % 3]))
        if directory.are_others(basis, directory.unnamed(members, OWN)):
            basis = directory.unnamed(members, OWN)
            told = directory.tell(basis)
    assert dict(before)["145"] > 20


def test_what_was_told_is_not_told_any_more_where_too_few_are_left():
    members = [member(at, "IQ") for at in range(5)] + [member(f"f{at}", "FR") for at in range(5)]
    members += [member(f"n{at}", "EG", listed=True) for at in range(6)] + [member("k", "KE", listed=True)]
    told = directory.tell(directory.unnamed(members, OWN))
    assert len(directory.public(members, OWN, told).regions.rows) == 2
    assert directory.public(members[1:], OWN, told).regions == Table((("015", 6),), 10)
    assert not directory.are_others(directory.unnamed(members, OWN), directory.unnamed(members[4:], OWN))
    moved = [member(at, "SY") for at in range(5)] + members[5:]
    assert directory.are_others(directory.unnamed(members, OWN), directory.unnamed(moved, OWN))


def test_a_spreadsheet_calculates_nothing_and_reads_every_letter():
    names = ("=HYPERLINK(\"http://x\")", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "منظمة تدريبية", 'a "b", c\r\n=1')
    text = directory.sheet(
        directory.entries([member(at, name=name, languages=("ar", "ckb")) for at, name in enumerate(names)])
    )
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert {each["name"].lstrip("'") for each in rows} == set(names)
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.lstrip()[:1] in ("=", "+", "-", "@")]
    assert rows[0]["languages"] == "ar ckb" and rows[0]["region"] == "145"


def test_every_country_lies_somewhere_and_every_region_has_its_own_place():
    lost = {each for each in alert_countries.COUNTRIES if not regions.region_of(each)}
    assert lost == {"XX", "AQ"}
    assert set(regions.REGIONS.values()) == set(regions.PLACES)
    assert max(Counter(regions.PLACES.values()).values()) == 1


def test_who_is_named_is_shown_in_the_groups_that_it_named_and_is_in():
    def of(digest, handle, *dids):
        roles = dict.fromkeys(dids, "member")
        return Group(digest, {"en": handle}, handle, True, (), "", roles, (), {}, frozenset(), frozenset())

    groups = {"w": of("w", "women", "did:1", "did:2", "did:3"), "e": of("e", "environment", "did:1")}
    both = ("w", "e", "unknown")
    members = [replace(member(at, listed=at < 4), groups=both) for at in range(1, 6)]
    members[1] = replace(members[1], groups=())
    found = directory.public(members, OWN, None, groups)
    shown = {each.did: [group.handle for group in each.groups] for each in found.named}
    assert shown == {"did:1": ["environment", "women"], "did:2": [], "did:3": ["women"]}
    assert [each.did for each in directory.chosen(found.named, group="women")] == ["did:1", "did:3"]
    assert not any(each.groups for each in directory.public(members, OWN, None).named)


def test_members_see_who_is_in_which_group():
    group = Group("g", {"en": "EXERCISE"}, "women", True, (), "", {"did:1": "member"}, (), {}, frozenset(), frozenset())
    told = directory.entries([member(1), member(2)], [group])
    assert {each["did"]: each["groups"] for each in told} == {"did:1": ["women"], "did:2": []}
    assert '"women"' in directory.sheet(told)
