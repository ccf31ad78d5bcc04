"""A network on the public pages: its numbers as a table and a coarse map, its named members with links that choose.

Nothing here is counted anew: all that is shown comes from `directory.public`.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request

from node import directory as rules
from node import regions
from node.desk import directory as desk
from node.desk.directory import Shown
from node.directory import Named, Table
from node.groups import Group
from node.models import fronts, networks
from node.models.fronts import Front
from node.models.organisations import Organisation
from node.web.directory_views import Choice, DirectoryView, Row, Tile

PER_PAGE = 8
_MOST_LANGUAGES = 15
_MOST_GROUPS = 12
_TILE = 30


def shown(connection: Connection, organisation: Organisation) -> tuple[Front, Shown] | None:
    """The network that this organisation shows, while it is a member."""
    front = fronts.current(connection, organisation.did)
    if front is None:
        return None
    state = networks.state_of(connection, organisation.did, front.network)
    found = desk.shown(connection, organisation, front, state)
    return (front, found) if found is not None else None


def view(request: Request, front: Front, found: Shown, language: str | None, *, copied: bool) -> DirectoryView:
    """The network as this request asks for it.

    Args:
        language: the language that the reader chose, which links carry on.
        copied: in a copy as files: nothing can be chosen there, so all stand on one page.

    Numbers and map stand where nothing is chosen, on the first page: pages stay small.
    """
    public = found.directory
    there = {} if copied else _there(public.named)
    chosen = {name: value for name in there if (value := request.query_params.get(name, "")) in there[name]}

    def path(**changes: str) -> str:
        return _path({**chosen, **changes}, language)

    named = rules.chosen(public.named, **chosen)
    last = 1 if copied else max(1, -(-len(named) // PER_PAGE))
    number = min(last, _number(request.query_params.get("page", "1")))
    page = named if copied else named[(number - 1) * PER_PAGE : number * PER_PAGE]
    if "group" in chosen:  # a card shows the first few
        page = tuple(replace(each, groups=_first(chosen["group"], each.groups)) for each in page)
    numbers = public if copied or (number == 1 and not chosen) else None
    told, kinds = (numbers.regions, numbers.kinds) if numbers is not None else (Table(), Table())
    return DirectoryView(
        found.names, public.partners, public.countries, public.at_least,
        _rows(told, there.get("region", ()), lambda code: path(region=code)),
        told.rest,
        _rows(kinds, there.get("kind", ()), lambda code: path(kind=code)),
        kinds.rest, _tiles(told) if told.rows else (),
        _choices(there, chosen, path),
        tuple(chosen.items()), _path({}, language), page, len(named),
        path(page=str(number - 1)) if number > 1 else "",
        path(page=str(number + 1)) if number < last else "",
        {group.handle: group.names for each in public.named for group in each.groups},
        front.form and not copied,
    )  # fmt: skip


def _first(handle: str, groups: tuple[Group, ...]) -> tuple[Group, ...]:
    return tuple(sorted(groups, key=lambda group: group.handle != handle))


def _rows(table: Table, there: tuple[str, ...], path: Callable[[str], str]) -> tuple[Row, ...]:
    return tuple(Row(code, count, path(code) if code in there else "") for code, count in table.rows)


def _tiles(table: Table) -> tuple[Tile, ...]:
    told = dict(table.rows)
    return tuple(Tile(x * _TILE, y * _TILE, code, told.get(code, 0)) for code, (x, y) in regions.PLACES.items())


def _there(named: tuple[Named, ...]) -> dict[str, tuple[str, ...]]:
    """What there is to choose."""
    spoken = Counter(code for each in named for code in each.languages)
    inside = Counter(group.handle for each in named for group in each.groups)
    return {
        "region": tuple(sorted({each.region for each in named if each.region})),
        "kind": tuple(sorted({each.kind for each in named})),
        "language": tuple(code for code, _ in spoken.most_common(_MOST_LANGUAGES)),
        "group": tuple(handle for handle, _ in inside.most_common(_MOST_GROUPS)),
    }


def _choices(
    there: Mapping[str, tuple[str, ...]], chosen: Mapping[str, str], path: Callable[..., str]
) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    return tuple(
        (name, tuple(_choice(name, code, chosen, path) for code in codes)) for name, codes in there.items() if codes
    )


def _choice(name: str, code: str, chosen: Mapping[str, str], path: Callable[..., str]) -> Choice:
    taken = chosen.get(name) == code
    return Choice(code, path(**{name: "" if taken else code}), taken)


def _path(values: Mapping[str, str], language: str | None) -> str:
    query = {name: value for name, value in values.items() if value and (name, value) != ("page", "1")}
    if language:
        query["lang"] = language
    return "/members" + (f"?{urlencode(query)}" if query else "")


def _number(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 5 else 1
