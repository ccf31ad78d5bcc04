"""The node's settings: the only reader of the environment and of `tadamun.toml`.

Order, later wins: defaults, `DIR/tadamun.toml`, `TADAMUN_*`. A name that is not a setting is an error, so a typing
error is never a silent default.
"""

import dataclasses
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from node.errors import ConfigurationError

PREFIX = "TADAMUN_"
FILE = "tadamun.toml"
DIGITS = ("latin", "native")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator may set. `tadamun settings` prints it."""

    data: Path = field(default=Path("data"))
    """The data directory: database, keys, settings file."""
    database_url: str = ""
    """Empty for the embedded SQLite in the data directory, or `postgresql+psycopg://…`."""
    bind: str = "127.0.0.1:8000"
    """Address and port that `serve` listens on."""
    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Special address ranges that may be called, and by plain http: for tests and demos only."""
    socks_proxy: str = ""
    """`socks5://127.0.0.1:9050` to reach onion hosts; nothing else goes through it."""
    contact: str = ""
    """Where moderators of other servers can write; shown in NodeInfo."""
    sync_interval: float = 60.0
    """Seconds between two comparisons of head tables with a member."""
    dead_after: float = 21600.0
    """Seconds that a member's server must not have answered before its alerts may be carried on."""
    delivery_concurrency: int = 192
    """Deliveries under way at once."""
    host_concurrency: int = 8
    """Deliveries under way at once to one host."""
    media_limit: int = 4_000_000_000
    """Bytes that members' pictures may take here; one member's a quarter of it."""
    requests: bool = True
    """Whether there is a page where anybody may ask for help confidentially; `false` takes it away."""
    safe_channels: str = ""
    """Other safe ways to reach the organisation, one line; shown on that page and in answers to private messages."""

    digits: str = "latin"
    """`latin`, or `native`: numbers and dates of Arabic pages stand in ٠١٢."""

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{self.data / 'node.sqlite'}"

    @property
    def keys(self) -> Path:
        """The folder of private keys (mode 700)."""
        return self.data / "keys"

    @property
    def media(self) -> Path:
        """The folder of pictures (mode 700)."""
        return self.data / "media"

    @property
    def loopback_allowed(self) -> bool:
        """Whether this node is a test or demo node that may call loopback."""
        return any(network.is_loopback for network in self.allow_networks)

    def shown(self) -> dict[str, Any]:
        """The settings as plain values, without a password that a database URL may hold."""
        shown = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        shown["data"] = str(self.data)
        shown["allow_networks"] = [str(network) for network in self.allow_networks]
        head, at, tail = self.database_url.rpartition("@")
        shown["database_url"] = f"{head.split('://')[0]}://…@{tail}" if at else self.database_url
        return shown


def load(data: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read settings for a data directory.

    Args:
        data: the `--data` option; `None` takes `$TADAMUN_DATA`, else `./data`.

    Raises:
        ConfigurationError: an unknown name, or a value that cannot be read.
    """
    environment = os.environ if environment is None else environment
    folder = data or Path(environment.get(PREFIX + "DATA", "data"))
    given: dict[str, Any] = {}
    path = folder / FILE
    if path.exists():
        try:
            given.update(tomllib.loads(path.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path.name} cannot be read: {error}") from error
    given.pop("data", None)
    for name, value in environment.items():
        if name.startswith(PREFIX) and name != PREFIX + "DATA":
            given[name.removeprefix(PREFIX).lower()] = value
    known = {each.name for each in dataclasses.fields(Settings)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ConfigurationError(f"unknown setting {unknown[0]!r}; the settings are: {', '.join(sorted(known))}")
    return Settings(data=folder, **{name: _read(name, value) for name, value in given.items()})


def _read(name: str, value: Any) -> Any:
    try:
        match name:
            case "allow_networks":
                parts = value.split(",") if isinstance(value, str) else value
                return tuple(ip_network(part.strip()) for part in parts if part.strip())
            case "delivery_concurrency" | "host_concurrency" | "media_limit":
                return int(value)
            case "requests":
                return _flag(value)
            case "digits":
                return _digits(value)
            case "sync_interval" | "dead_after":
                return float(value)
            case _:
                return str(value)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"setting {name} cannot be read: {error}") from error


def _flag(value: Any) -> bool:
    """True or false, as TOML or the environment writes it.

    Raises:
        ValueError: anything else; a misspelt `false` must not leave a page open.
    """
    text = str(value).strip().lower()
    if text not in ("true", "false", "1", "0", "yes", "no"):
        raise ValueError(f"{value!r} is neither true nor false")
    return text in ("true", "1", "yes")


def _digits(value: Any) -> str:
    """Which digits pages show.

    Raises:
        ValueError: neither of the two.
    """
    text = str(value).strip().lower()
    if text not in DIGITS:
        raise ValueError(f"{value!r} is neither {' nor '.join(DIGITS)}")
    return text
