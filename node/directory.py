"""What everybody may see of a network: who is in it by name, where they said so themselves, and numbers of the others.

A member is named by its own signed act, and no longer by the next. Of the others nobody outside shall be able to say
where they are or what they are, whoever counts, compares or subtracts. Rules, in order:

1. Of fewer than five members in all no number is told.
2. The unnamed are told by region and kind in fives. What is left over, and whoever is in no full five, is told for no
   region: "elsewhere, or not told". Where anything at all is told of regions, that remainder is five or more: fives are
   given back to it, from the largest, until it is. So no cell is small, none is the rest of the others, and also where
   all are in one region nobody learns that.
3. A row holds the named and the told unnamed together; a row below five is merged into the remainder.
4. How many countries there are is told only where the named are in two regions at least, or nobody is unnamed: else the
   number could say in which one the unnamed are.
5. Whether something is told depends on the unnamed only through fives, never through which country it is.

The organisation whose pages these are counts as named: that it is in this network is what it shows.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node import regions
from node.federation.protocol.messages import JsonObject
from node.members import MEMBER, Standing

LEAST = 5
"""Fewer are told nowhere."""
_COLUMNS = ("name", "kind", "country", "region", "languages", "handle", "did", "listed", "state", "votes")
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


@dataclass(frozen=True, slots=True)
class Directory:
    """What is public of a network. Nothing else of it is."""

    named: tuple[Named, ...]
    partners: int = 0
    """0 where they are fewer than five."""
    countries: int = 0
    """0 where that is not told."""
    regions: Table = Table()
    kinds: Table = Table()


def public(members: Iterable[Standing], own: str) -> Directory:
    """What everybody may see.

    Args:
        own: the did whose pages these are.
    """
    inside = [each for each in members if each.state == MEMBER]
    named = tuple(sorted((_named(each) for each in inside if each.listed), key=lambda each: (each.name, each.did)))
    if len(inside) < LEAST:
        return Directory(named)
    known = [each for each in inside if each.listed or each.did == own]
    others = [each for each in inside if not (each.listed or each.did == own)]
    return Directory(
        named,
        len(inside),
        _countries(known, others),
        table(
            Counter(regions.region_of(each.country) for each in known),
            Counter(regions.region_of(each.country) for each in others),
        ),
        table(Counter(each.kind for each in known), Counter(each.kind for each in others)),
    )


def table(known: Mapping[str, int], others: Mapping[str, int]) -> Table:
    """Rules 2 and 3.

    Args:
        known: the named by region, which everybody can count.
        others: the unnamed.
    """
    told = {name: count - count % LEAST for name, count in others.items() if name and count >= LEAST}
    unnamed = sum(others.values())
    while told and unnamed - sum(told.values()) < LEAST:
        most = max(sorted(told), key=lambda name: told[name])
        told[most] -= LEAST
        told = {name: count for name, count in told.items() if count}
    rows = {name: known.get(name, 0) + told.get(name, 0) for name in {*known, *told} if name}
    rows = {name: count for name, count in rows.items() if count >= LEAST}
    whole = unnamed + sum(known.values())
    while rows and 0 < whole - sum(rows.values()) < LEAST:
        rows.pop(min(sorted(rows), key=lambda name: rows[name]))
    ordered = tuple(sorted(rows.items(), key=lambda row: (-row[1], row[0])))
    return Table(ordered, whole - sum(rows.values())) if rows else Table()


def _countries(known: Sequence[Standing], others: Sequence[Standing]) -> int:
    """Rule 4."""
    places = {regions.region_of(each.country) for each in known} - {""}
    seen = {each.country for each in (*known, *others) if each.country}
    return len(seen) if len(places) > 1 or not others else 0


def _named(each: Standing) -> Named:
    return Named(
        each.did, each.name, each.kind, each.country, regions.region_of(each.country), each.languages, each.handle
    )


def chosen(named: Iterable[Named], *, region: str = "", kind: str = "", language: str = "") -> tuple[Named, ...]:
    """The named of one region, kind and language; an empty one leaves nobody out."""
    return tuple(
        each for each in named
        if region in ("", each.region) and kind in ("", each.kind) and (not language or language in each.languages)
    )  # fmt: skip


# --- for members: everybody ---------------------------------------------------------------------------------------


def entries(members: Iterable[Standing]) -> list[JsonObject]:
    """Every member, for members."""
    return [
        {
            "name": each.name, "kind": each.kind, "country": each.country,
            "region": regions.region_of(each.country), "languages": list(each.languages), "handle": each.handle,
            "did": each.did, "listed": each.listed, "state": each.state, "votes": each.voter,
        }
        for each in sorted(members, key=lambda each: (each.name, each.did))
    ]  # fmt: skip


def sheet(members: Iterable[Standing]) -> str:
    """The same as CSV that spreadsheets read: with a byte order mark, and nothing in it that they would calculate.

    Spec: RFC 4180 §2; OWASP CSV Injection
    """
    written = io.StringIO(newline="")
    rows = csv.writer(written, quoting=csv.QUOTE_ALL)
    rows.writerow(_COLUMNS)
    for each in entries(members):
        rows.writerow([_cell(each[name]) for name in _COLUMNS])
    return "\ufeff" + written.getvalue()


def _cell(value: object) -> str:
    text = " ".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    return "'" + text if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text
