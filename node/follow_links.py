"""The way from a page to the follow dialogue of a reader's own server. Nobody is asked, so nobody learns of it.

What the reader writes is a server's name, or a handle there, of which only the server counts. Rules, in order:

1. the server is what follows the last `@`, or the whole where there is none;
2. it is a host name of at least two labels in its one spelling: small ASCII letters, other scripts as `xn--`; no port,
   no path, no address of numbers, no name that only a local network knows;
3. letters that the two versions of IDNA read differently are refused, for they may name two servers.

Which software runs there is not known, so each gets its link: three paths cover nearly all of it.

Spec: RFC 1123 §2.1, RFC 3490 §4.1; RFC 7565 §7
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from node.errors import RefusedError

LONGEST = 320
"""Characters that are looked at: a handle and its host at their longest."""
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+(?=[a-z0-9-]*[a-z]){_LABEL}")
_LOCAL = frozenset({"arpa", "home", "internal", "invalid", "lan", "local", "localhost"})
_TWO_READINGS = frozenset("ßς\u200c\u200d")
_PATHS = (
    ("mastodon", "/authorize_interaction?uri=", "acct:"),
    ("pleroma", "/ostatus_subscribe?acct=", ""),
    ("misskey", "/authorize-follow?acct=", "acct:"),
)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Where a kind of server asks whether to follow."""

    software: str
    """mastodon, pleroma or misskey, each with its like."""
    url: str


def parse_server(written: str) -> str:
    """The host in what a reader wrote: `mastodon.example`, `@me@mastodon.example`.

    Raises:
        RefusedError: that is no server's name.
    """
    host = written.strip()[: LONGEST + 1].rpartition("@")[2].rstrip(".").lower()
    if len(written.strip()) > LONGEST or _TWO_READINGS & set(host):
        raise RefusedError("this is not the name of a server")
    try:
        name = host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise RefusedError("this is not the name of a server") from error
    if len(name) > 253 or _HOST.fullmatch(name) is None or name.rpartition(".")[2] in _LOCAL:
        raise RefusedError("this is not the name of a server")
    return name


def dialogues(host: str, address: str) -> tuple[Dialogue, ...]:
    """The links to a server's follow dialogue.

    Args:
        host: of `parse_server`.
        address: whom to follow, `@handle@host`.
    """
    account = address.removeprefix("@")
    scheme = "http" if host.endswith(".onion") else "https"
    return tuple(
        Dialogue(software, f"{scheme}://{host}{path}{quote(prefix + account, safe='')}")
        for software, path, prefix in _PATHS
    )
