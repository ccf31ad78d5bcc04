"""Ids: which are portable, which origin they belong to, and the one form each is stored under.

An organisation is a key. Its objects have portable ids (FEP-ef61) that travel in gateway form,
`https://HOST/.well-known/apgateway/did:key:z6Mk…/path`; rows are keyed by the location-free
`ap+ef61://did:key:z6Mk…/path`. The host says where an id was signed, never whose it is. Other ids are https, with one
spelling each: lower-case ASCII host, no default port, no user, no trailing dot (GHSA-v3xf-c9qf-j667).
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from node.errors import ProtocolError

GATEWAY_PATH = "/.well-known/apgateway/"
PORTABLE = "ap+ef61://"
_DID = r"did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}"
_DID_RE = re.compile(_DID)
_GATEWAY_RE = re.compile(
    rf"(?P<host>(?i:https?)://[^/?#]+)/\.well-known/apgateway/(?P<did>{_DID})(?P<rest>[/?#].*)?", re.S
)
_PORTABLE_RE = re.compile(rf"(?i:ap(?:\+ef61)?)://(?P<did>{_DID})(?P<rest>[/?#].*)?", re.S)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?"
_HOST_RE = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\]")
_PLAIN_RE = re.compile(
    rf"(https?)://((?:{_LABEL})(?:\.(?:{_LABEL}))*)"
    r"(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
    r"/[!#-;=?-\[\]_a-z~]*"
)
"""An id that is in its one spelling already: all but a few are."""
_BAD = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\<>\"{}|^`]")
_SPEC = "FEP-fe34"


@dataclass(frozen=True, slots=True)
class Portable:
    """A portable id taken apart: whose it is and what it names."""

    did: str
    path: str
    """With its leading slash, and with fragment; `""` for the did alone."""

    def __str__(self) -> str:
        return PORTABLE + self.did + self.path

    def at(self, origin: str) -> str:
        """The gateway form of this id on `origin` (`https://host[:port]`)."""
        return origin + GATEWAY_PATH + self.did + self.path


def is_did(text: str) -> bool:
    """Whether the whole text is an Ed25519 `did:key`."""
    return _DID_RE.fullmatch(text) is not None


def portable(uri: str) -> Portable | None:
    """Take a portable id apart, in any of its spellings; `None` for any other id.

    Spec: FEP-ef61
    """
    if "did:key:" not in uri or len(uri) > 2048:
        return None
    did, hash_mark, fragment = uri.partition("#")
    if is_did(did):
        return None if _BAD.search(fragment) else Portable(did, hash_mark + fragment)
    match = _GATEWAY_RE.fullmatch(uri) or _PORTABLE_RE.fullmatch(uri)
    if match is None or _BAD.search(match["rest"] or ""):
        return None
    return Portable(match["did"], match["rest"] or "")


def canonical(uri: str) -> str:
    """The one form an id is stored and compared under.

    Raises:
        ProtocolError: neither portable nor an http(s) id we could ever fetch.
    """
    found = portable(uri)
    if found is not None:
        return str(found)
    return _web(uri)


def origin(uri: str) -> str:
    """Whose an id is: the did for portable ids, `scheme://host[:port]` for others.

    Raises:
        ProtocolError: as `canonical`.

    Spec: FEP-fe34
    """
    found = portable(uri)
    if found is not None:
        return found.did
    web = _web(uri)
    return "/".join(web.split("/", 3)[:3])


def same_origin(first: str, second: str) -> bool:
    """Whether two ids belong to the same owner; ids that cannot be read belong to nobody."""
    try:
        return origin(first) == origin(second)
    except ProtocolError:
        return False


def host_of(uri: str) -> str:
    """`host[:port]` of an http(s) id, in its one spelling.

    Raises:
        ProtocolError: as `canonical`.
    """
    return origin_of_location(uri).split("/", 3)[2]


def origin_of_location(uri: str) -> str:
    """`scheme://host[:port]` of the place an id points to, portable or not.

    Raises:
        ProtocolError: it points to no place (a bare did, another scheme).
    """
    return "/".join(_web(uri).split("/", 3)[:3])


def without_fragment(uri: str) -> str:
    """The document that an id with a fragment stands in."""
    return uri.partition("#")[0]


def _web(uri: str) -> str:
    if isinstance(uri, str) and len(uri) <= 2048:
        plain = _PLAIN_RE.fullmatch(uri)
        if plain is not None and len(plain[2]) <= 253 and plain[3] not in ("80", "443"):
            return uri
    return _respelled(uri)


def _respelled(uri: str) -> str:
    if not isinstance(uri, str) or len(uri) > 2048 or _BAD.search(uri):
        raise ProtocolError("an id with characters that no id has", spec="RFC 3986 §2")
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise ProtocolError(f"an id that cannot be read: {error}", spec="RFC 3986 §3") from error
    if parts.scheme not in ("https", "http"):
        raise ProtocolError(f"an id of scheme {parts.scheme[:20]!r}; only https is taken", spec=_SPEC)
    if "@" in parts.netloc:
        raise ProtocolError("an id with a user in it", spec=_SPEC)
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.rstrip(":")
    host = host.lower().removesuffix(".")
    if not host or len(host) > 253 or _HOST_RE.fullmatch(host) is None:
        raise ProtocolError("an id without a plain ASCII host", spec="RFC 3986 §3.2.2")
    if port is not None and port != {"https": 443, "http": 80}[parts.scheme]:
        host = f"{host}:{port}"
    rest = uri[uri.index("//") + 2 + len(parts.netloc) :]
    if not rest.startswith("/"):
        rest = "/" + rest
    return f"{parts.scheme}://{host}{rest}"
