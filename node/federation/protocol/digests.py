"""Canonical bytes and their digests: JCS (RFC 8785), `digestMultibase`, and the two HTTP body digests.

JCS is the work of `rfc8785`. For the documents we meet all day (ASCII names, no fractions) `orjson` with sorted keys
gives the same bytes several times faster; a property test holds the two equal, and anything else takes the library.
"""

import base64
import hashlib
import re
from typing import Any

import base58
import orjson
import rfc8785

from node.errors import ProtocolError
from node.federation.protocol.messages import MAX_INTEGER, Request

_SHA256_MULTIHASH = b"\x12\x20"
_MULTIBASE = re.compile(r"z[1-9A-HJ-NP-Za-km-z]{40,58}")


def jcs(value: Any) -> bytes:
    """The canonical bytes of a JSON value.

    Raises:
        ProtocolError: the value has no canonical form (a number out of range, a lone surrogate).

    Spec: RFC 8785 §3.2
    """
    try:
        if _plain(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(value)
    except (ValueError, orjson.JSONEncodeError, RecursionError) as error:
        raise ProtocolError(f"no canonical form: {error}", spec="RFC 8785 §3.2") from error


def _plain(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    if kind is dict:
        return all(name.isascii() and _plain(item) for name, item in value.items())
    if kind is list:
        return all(map(_plain, value))
    return False


def multibase(data: bytes) -> str:
    """SHA-256 of `data` as a base58btc multihash, the form of `digestMultibase`.

    Spec: Controlled Identifiers 1.0 §2.4; Multihash `0x12 0x20`
    """
    return "z" + base58.b58encode(_SHA256_MULTIHASH + hashlib.sha256(data).digest()).decode()


def check_multibase(text: Any) -> str:
    """Read a digest that somebody else wrote.

    Raises:
        ProtocolError: not base58btc, or not a SHA-256 multihash.
    """
    spec = "Tadamun log §3"
    # The library drops white space at the end: two spellings of one digest.
    if not isinstance(text, str) or _MULTIBASE.fullmatch(text) is None:
        raise ProtocolError("a digest is not a base58btc multihash", spec=spec)
    raw = base58.b58decode(text[1:])
    if len(raw) != 34 or not raw.startswith(_SHA256_MULTIHASH):
        raise ProtocolError("a digest is not a SHA-256 multihash", spec=spec)
    return text


def digest_header(body: bytes) -> str:
    """The value of `Digest` that draft-cavage peers want.

    Spec: RFC 3230 §4.3.2
    """
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def content_digest_header(body: bytes) -> str:
    """The value of `Content-Digest`.

    Spec: RFC 9530 §2
    """
    return "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"


def check_digest(request: Request) -> None:
    """The `Digest` header holds the body's SHA-256.

    Raises:
        ProtocolError: 401, absent, without SHA-256, or of another body.

    Spec: RFC 3230 §4.3.2; the name is compared without case, as `sha-256=` is seen
    """
    wanted = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    found = [part.strip() for part in ",".join(request.all("digest")).split(",")]
    values = [value for name, _, value in (part.partition("=") for part in found) if name.lower() == "sha-256"]
    if values != [wanted]:
        raise ProtocolError("the digest is not that of the body", spec="RFC 3230 §4.3.2", status=401)


def check_content_digest(request: Request) -> None:
    """The `Content-Digest` header holds the body's SHA-256.

    Raises:
        ProtocolError: 401, absent, without sha-256, or of another body.

    Spec: RFC 9530 §2
    """
    wanted = content_digest_header(request.body)
    found = [part.strip() for part in ",".join(request.all("content-digest")).split(",")]
    if [part for part in found if part.lower().startswith("sha-256=")] != [wanted]:
        raise ProtocolError("the content digest is not that of the body", spec="RFC 9530 §2", status=401)
