"""What everybody may see of a network: who is in it by name, where they said so themselves, and numbers of the others.

A member is named by its own signed act, and no longer by the next. Of the others nobody outside shall be able to say
where they are or what they are, whoever counts, compares or subtracts. Rules, in order:

1. Of fewer than five members in all no number is told.
2. The unnamed are told by region and kind in fives. What is left over, and whoever is in no full five, is told for no
   region: "elsewhere, or not told". Where anything at all is told of regions, that remainder is five or more: fives are
   given back to it, from the largest, until it is. So no cell is small, none is the rest of the others, and also where
   all are in one region nobody learns that. Everybody has one of three kinds, and what is in no full five is four of
   each at most: there the remainder is more than that, for just as much could be divided in one way alone.
3. What is told of the unnamed stays until five of them are others than when it was told: whoever looks every day
   sees nobody come or go in a region. If too few are left for it meanwhile, nothing is told.
4. A row holds the named and the told unnamed together; a row below five is merged into the remainder.
5. How many countries there are is told of all only where the named are in two regions at least, and the unnamed are
   five or none; else it is told of the named alone, as "at least": the number could say where the unnamed are.

The organisation whose pages these are counts as named: that it is in this network is what it shows.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from node import regions
from node.federation.protocol.messages import JsonObject
from node.governance import MEMBER_KINDS
from node.groups import Group
from node.members import MEMBER, Standing

LEAST = 5
"""Fewer are told nowhere."""
_COLUMNS = ("name", "kind", "country", "region", "languages", "groups", "handle", "did", "listed", "state", "votes")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by one thing, none of them small."""

    rows: tuple[tuple[str, int], ...] = ()
    """(region or kind, how many), the most first; each five or more."""
    rest: int = 0
    """Elsewhere, or not told."""


@dataclass(frozen=True, slots=True)
class Named:
    """One member that said that it may be named."""

    did: str
    name: str
    kind: str
    country: str
    region: str
    languages: tuple[str, ...]
    handle: str
    groups: tuple[Group, ...] = ()
    """Working groups that it is shown in, by its own word."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of the unnamed."""

    regions: Mapping[str, int]
    """Region → how many; in fives."""
    kinds: Mapping[str, int]
    countries: tuple[str, ...]
    """Where they are, to be counted and not shown."""


Unnamed = frozenset[tuple[str, str, str]]
"""(did, country, kind) of each."""


@dataclass(frozen=True, slots=True)
class Directory:
    """What is public of a network. Nothing else of it is."""

    named: tuple[Named, ...]
    partners: int = 0
    """0 where they are fewer than five."""
    countries: int = 0
    at_least: bool = False
    """That is of the named alone."""
    regions: Table = Table()
    kinds: Table = Table()


def unnamed(members: Iterable[Standing], own: str) -> Unnamed:
    """Those that nobody outside shall know.

    Args:
        own: the did whose pages these are.
    """
    return frozenset(
        (each.did, each.country, each.kind) for each in members
        if each.state == MEMBER and not each.listed and each.did != own
    )  # fmt: skip


def are_others(before: Unnamed, now: Unnamed) -> bool:
    """Whether enough of them are others, or elsewhere, to be told anew (rule 3)."""
    return len({did for did, _, _ in before ^ now}) >= LEAST


def tell(hidden: Unnamed) -> Told:
    """What is told of these (rule 2)."""
    return Told(
        fives(Counter(regions.region_of(country) for _, country, _ in hidden)),
        fives(Counter(kind for _, _, kind in hidden), len(MEMBER_KINDS) * (LEAST - 1) + 1),
        tuple(sorted({country for _, country, _ in hidden if country})),
    )


def fives(counts: Mapping[str, int], left: int = LEAST) -> dict[str, int]:
    """In fives, so that so many or more are left over where anything is told."""
    told = {name: count - count % LEAST for name, count in counts.items() if name and count >= LEAST}
    while told and sum(counts.values()) - sum(told.values()) < left:
        most = max(sorted(told), key=lambda name: told[name])
        told[most] -= LEAST
        told = {name: count for name, count in told.items() if count}
    return told


def public(
    members: Iterable[Standing], own: str, told: Told | None, groups: Mapping[str, Group] = MappingProxyType({})
) -> Directory:
    """What everybody may see.

    Args:
        own: the did whose pages these are.
        told: of the unnamed, when that was said last; of nothing at first.
        groups: digest → working group.
    """
    inside = [each for each in members if each.state == MEMBER]
    shown = (_named(each, groups) for each in inside if each.listed)
    named = tuple(sorted(shown, key=lambda each: (each.name, each.did)))
    if len(inside) < LEAST:
        return Directory(named)
    known = [each for each in inside if each.listed or each.did == own]
    hidden = len(inside) - len(known)
    said = told or Told({}, {}, ())
    countries, at_least = _countries(known, said, hidden)
    return Directory(
        named, len(inside), countries, at_least,
        table(Counter(regions.region_of(each.country) for each in known), said.regions, hidden),
        table(Counter(each.kind for each in known), said.kinds, hidden),
    )  # fmt: skip


def table(known: Mapping[str, int], told: Mapping[str, int], hidden: int) -> Table:
    """Rules 3 and 4.

    Args:
        known: the named by region, which everybody can count.
        told: of the unnamed, in fives.
        hidden: how many unnamed there are.
    """
    if hidden - sum(told.values()) < LEAST:
        told = {}
    rows = {name: known.get(name, 0) + told.get(name, 0) for name in {*known, *told} if name}
    rows = {name: count for name, count in rows.items() if count >= LEAST}
    whole = hidden + sum(known.values())
    while rows and 0 < whole - sum(rows.values()) < LEAST:
        rows.pop(min(sorted(rows), key=lambda name: rows[name]))
    ordered = tuple(sorted(rows.items(), key=lambda row: (-row[1], row[0])))
    return Table(ordered, whole - sum(rows.values())) if rows else Table()


def _countries(known: Sequence[Standing], told: Told, hidden: int) -> tuple[int, bool]:
    """Rule 5."""
    here = {each.country for each in known if each.country}
    places = {regions.region_of(each) for each in here} - {""}
    if hidden >= LEAST and len(places) > 1:
        return len(here.union(told.countries)), False
    return len(here), hidden > 0


def _named(each: Standing, groups: Mapping[str, Group]) -> Named:
    shown = (groups[digest] for digest in each.groups if digest in groups and each.did in groups[digest].roles)
    return Named(
        each.did, each.name, each.kind, each.country, regions.region_of(each.country), each.languages, each.handle,
        tuple(sorted(shown, key=lambda group: group.handle)),
    )  # fmt: skip


def chosen(
    named: Iterable[Named], *, region: str = "", kind: str = "", language: str = "", group: str = ""
) -> tuple[Named, ...]:
    """The named of one region, kind, language and working group, by its handle; an empty one leaves nobody out."""
    return tuple(
        each for each in named
        if region in ("", each.region) and kind in ("", each.kind) and (not language or language in each.languages)
        and (not group or group in {one.handle for one in each.groups})
    )  # fmt: skip


# --- for members: everybody ---------------------------------------------------------------------------------------


def entries(members: Iterable[Standing], groups: Iterable[Group] = ()) -> list[JsonObject]:
    """Every member, for members, with the working groups that it is in."""
    held = tuple(groups)
    return [
        {
            "name": each.name, "kind": each.kind, "country": each.country,
            "region": regions.region_of(each.country), "languages": list(each.languages),
            "groups": sorted(group.handle for group in held if each.did in group.roles), "handle": each.handle,
            "did": each.did, "listed": each.listed, "state": each.state, "votes": each.voter,
        }
        for each in sorted(members, key=lambda each: (each.name, each.did))
    ]  # fmt: skip


def sheet(members: Iterable[JsonObject]) -> str:
    """Entries as CSV that spreadsheets read: with a byte order mark, and nothing in it that they would calculate.

    Spec: RFC 4180 §2; OWASP CSV Injection
    """
    written = io.StringIO(newline="")
    rows = csv.writer(written, quoting=csv.QUOTE_ALL)
    rows.writerow(_COLUMNS)
    for each in members:
        rows.writerow([_cell(each[name]) for name in _COLUMNS])
    return "\ufeff" + written.getvalue()


def _cell(value: object) -> str:
    text = " ".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + text if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text
