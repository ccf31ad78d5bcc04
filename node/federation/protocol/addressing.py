"""Where the node may call: the URLs it will ask for, the addresses it will dial. No name is looked up here.

Rules of a URL, in order (`check_target`): readable, ASCII and without a user; http or https; a host in its
one spelling, never a number in disguise (`127.1`, `0x7f000001`); an onion host only through a SOCKS proxy;
plain http only to an onion host, to a literal address that `allow_networks` names, or to `localhost` where
it opens loopback; a literal address passes `check_address`.

Rules of an address, in order (`check_address`): what `allow_networks` names is allowed; an IPv4 address
inside an IPv6 one is judged as that IPv4 address; what the registries of special-purpose addresses name is
refused; IPv6 outside 2000::/3 is refused. The fetcher calls it for the very socket it dials, so DNS is
never believed.

Spec: RFC 6890 §2.2; RFC 3986 §3.2
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from node.errors import ProtocolError
from node.federation.protocol import ids

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SPEC = "RFC 6890 §2.2"

_SPECIAL: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),
    ("192.0.2.0/24", "documentation"),
    ("192.88.99.0/24", "6to4 relay"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "benchmarks"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b:1::/48", "local NAT64"),
    ("100::/64", "discard"),
    ("2001::/32", "Teredo"),
    ("2001::/23", "protocol assignments"),
    ("2001:db8::/32", "documentation"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
"""64:ff9b:1::/48 is refused whole: only its own network knows where the IPv4 address stands (RFC 8215)."""

_SPECIAL_V4 = tuple((IPv4Network(text), name) for text, name in _SPECIAL if ":" not in text)
_SPECIAL_V6 = tuple((IPv6Network(text), name) for text, name in _SPECIAL if ":" in text)
_GLOBAL_V6 = IPv6Network("2000::/3")
_LOW_V4 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""IPv4-mapped, NAT64 and IPv4-compatible: the IPv4 address is the last 32 bits."""
_6TO4 = IPv6Network("2002::/16")
_LOOPBACK = (ip_network("127.0.0.1/32"), ip_network("::1/128"))

_TARGET = re.compile(r"https?://(?P<authority>[^/?#]*)(?P<rest>[^#]*)", re.I)
_NUMBER = re.compile(r"(?:[^.]*\.)*(?:[0-9]+|0x[0-9a-f]*)")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator opened besides the public internet."""

    allow: tuple[Network, ...] = ()

    def names(self, address: Address) -> bool:
        """Whether one of the allowed networks contains this address."""
        return any(address in network for network in self.allow)

    def opens_loopback(self) -> bool:
        """Whether any loopback address is allowed, so that `localhost` may be spoken to without TLS."""
        return any(network.network_address.is_loopback for network in self.allow) or any(
            self.names(network.network_address) for network in _LOOPBACK
        )


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked for, taken apart."""

    url: str
    """Canonical scheme and host, then path and query byte for byte as given; without a fragment."""
    scheme: str
    authority: str
    """`host[:port]`, the value of the Host header."""
    path: str
    """Path and query, raw: what a signature covers."""
    host: str
    """Without port and brackets."""
    onion: bool


def check_address(ip: str, policy: Policy) -> None:
    """This address may be dialled.

    Raises:
        ProtocolError: it is special, or no address. The reason names the kind, never the address.

    Spec: RFC 6890 §2.2
    """
    try:
        address = ip_address(ip)
    except ValueError as error:
        raise ProtocolError("not an address", spec="RFC 3986 §3.2.2") from error
    if policy.names(address):
        return
    inner = _inner(address)
    if inner is not None:
        if policy.names(inner):
            return
        address = inner
    kind = _special(address)
    if kind is not None:
        raise ProtocolError(f"an address that is not public ({kind})", spec=_SPEC)


def check_target(url: str, policy: Policy, socks: bool) -> Target:
    """This URL may be asked for; a name in it is not looked up.

    Args:
        socks: a SOCKS proxy is set, so onion hosts can be reached.

    Raises:
        ProtocolError: the first rule of this module that it breaks.
    """
    origin = ids.origin_of_location(url)
    match = _TARGET.match(url)
    if match is None:
        raise ProtocolError("a URL that cannot be read", spec="RFC 3986 §3")
    scheme, _, authority = origin.partition("://")
    host, literal = _host(authority)
    if literal is not None and literal.version == 6:
        authority = f"[{literal}]{authority.partition(']')[2]}"
    if authority.endswith(":0"):
        raise ProtocolError("a URL with port 0", spec="RFC 3986 §3.2.3")
    onion = host.endswith(".onion")
    if onion and not socks:
        raise ProtocolError("an onion host, and no SOCKS proxy is set (socks_proxy)", spec="RFC 7686 §2")
    if scheme == "http" and not onion and not _plain(host, literal, policy):
        raise ProtocolError("plain http; only https is taken", spec="RFC 9110 §4.2.2")
    if literal is not None:
        check_address(host, policy)
    path = match["rest"] if match["rest"].startswith("/") else "/" + match["rest"]
    return Target(f"{scheme}://{authority}{path}", scheme, authority, path, host, onion)


def scheme_of(authority: str, policy: Policy) -> str:
    """The scheme of the first question to a host known by its handle: http where only that can be meant.

    Args:
        authority: `host[:port]` in its one spelling.

    Raises:
        ProtocolError: a number in disguise.
    """
    host, literal = _host(authority)
    return "http" if host.endswith(".onion") or _plain(host, literal, policy) else "https"


def _host(authority: str) -> tuple[str, Address | None]:
    """The bare host, and the address where it is a literal one."""
    if authority.startswith("["):
        text = authority[1:].partition("]")[0]
    else:
        text = authority.partition(":")[0]
    try:
        literal = ip_address(text)
    except ValueError as error:
        if authority.startswith("[") or _NUMBER.fullmatch(text):
            # A host that ends in a number is an address (WHATWG URL); resolvers read 127.1 and 0x7f.1 as one.
            raise ProtocolError("a host that is a number in disguise", spec="RFC 3986 §3.2.2") from error
        if any(len(label) > 63 for label in text.split(".")):
            raise ProtocolError("a host with a label over 63 octets", spec="RFC 1035 §2.3.4") from error
        return text, None
    return str(literal), literal


def _plain(host: str, literal: Address | None, policy: Policy) -> bool:
    if literal is None:
        return host == "localhost" and policy.opens_loopback()
    inner = _inner(literal)
    return policy.names(literal) or (inner is not None and policy.names(inner))


def _inner(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    number = int(address)
    if address in _6TO4:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    if number > 1 and any(address in network for network in _LOW_V4):
        return IPv4Address(number & 0xFFFFFFFF)
    return None


def _special(address: Address) -> str | None:
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in _SPECIAL_V4 if address in network), None)
    kind = next((kind for network, kind in _SPECIAL_V6 if address in network), None)
    if kind is None and address not in _GLOBAL_V6:
        return "not global unicast"
    return kind
