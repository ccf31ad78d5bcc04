"""What templates get of a network: plain values, and nothing that is not public. Paths carry what was chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.directory import Named


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of numbers."""

    code: str
    count: int
    path: str
    """Where the named of it are; empty where there are none."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A region on the map."""

    x: int
    y: int
    code: str
    count: int
    """0 where no number is told."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that chooses among the named, or takes a choice back."""

    code: str
    path: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class DirectoryView:
    """A network as everybody may see it."""

    names: Mapping[str, str]
    partners: int
    countries: int
    at_least: bool
    regions: tuple[Row, ...]
    regions_rest: int
    kinds: tuple[Row, ...]
    kinds_rest: int
    tiles: tuple[Tile, ...]
    choices: tuple[tuple[str, tuple[Choice, ...]], ...] = ()
    """(region, kind, language or group; what there is to choose)."""
    chosen: tuple[tuple[str, str], ...] = ()
    everybody: str = ""
    """Where nothing is chosen."""
    named: tuple[Named, ...] = ()
    total: int = 0
    """How many named fit what is chosen."""
    earlier: str = ""
    later: str = ""
    group_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Handle → names."""
    form: bool = False
    """Whether anybody may ask to join here."""
