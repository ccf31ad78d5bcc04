"""HTTP signatures in the draft-cavage form, which all of ActivityPub speaks. Only this file knows `httpsig`.

`check` needs no key and calls nobody. Rules, in order: one `Signature` header, ASCII, of `name="value"`
parameters, none twice; algorithm rsa-sha256, hs2019 or none; signature in strict base64; the signature covers
(request-target), host, and date or (created), with a body or a POST also digest; what it covers is there once
and is plain ASCII; date and (created) are at most an hour away from now; `expires` has not passed; the digest
is the body's.

`verify` takes RSA keys and SHA-256 only. Whose the key is and whether the host is ours is judged elsewhere.

`httpsig` 1.3.0 builds the signing string. Its own parser, key loading, choice of algorithm and HMAC are not
used: it believes the algorithm in the header (an HMAC keyed with a public PEM would pass), takes SHA-1, and
wants `pkg_resources`.
"""

import base64
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from node.errors import ProtocolError
from node.federation.protocol.digests import check_digest, digest_header
from node.federation.protocol.keys import PublicKey, sign_rsa
from node.federation.protocol.messages import Request


@contextmanager
def _package_metadata() -> Iterator[None]:
    """Stand in for `pkg_resources`, which httpsig asks for its version and setuptools lacks by now."""
    before = sys.modules.get("pkg_resources")
    stub = ModuleType("pkg_resources")
    stub.__dict__.update(version="1.3.0", DistributionNotFound=LookupError, get_distribution=lambda _: stub)
    sys.modules["pkg_resources"] = stub
    try:
        yield
    finally:
        if before is None:
            del sys.modules["pkg_resources"]
        else:
            sys.modules["pkg_resources"] = before


with _package_metadata():
    from httpsig import HeaderSigner, HeaderVerifier, Signer, Verifier

TOLERANCE = timedelta(hours=1)
"""How far a date may lie behind or ahead of our clock: Mastodon, Fedify and GoToSocial allow as much."""
MAX_HEADER = 8192
MAX_NAMES = 32

_PARAMETER = r'([A-Za-z]{1,32})=(?:"([ !#-\[\]-~]*)"|([0-9]{1,15}))'
_PARAMETER_RE = re.compile(_PARAMETER)
_HEADER_RE = re.compile(rf"{_PARAMETER}(?:[ \t]*,[ \t]*{_PARAMETER})*")
_NAME_RE = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+|\((?:request-target|created|expires)\)")
_TIME_RE = re.compile(r"0|[1-9][0-9]{0,11}")
_VALUE_RE = re.compile(r"[\t -~]*")
_METHOD_RE = re.compile(r"[A-Z]{1,16}")
_TARGET_RE = re.compile(r'/[!"$-~]*')
_DATE_RE = re.compile(
    r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SPEC = "cavage §2"
_TARGET = "(request-target)"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a `Signature` header says, read and found worth a look at the key. It proves nothing yet."""

    key_id: str
    algorithm: str | None
    names: tuple[str, ...]
    """What is signed, lower case, in the order of the signing string."""
    signature: bytes
    created: int | None
    """Seconds since 1970, as `expires`."""
    expires: int | None


class _KeySigner(Signer):  # type: ignore[misc]
    """httpsig's signer on a key that is loaded already."""

    def __init__(self, secret: RSAPrivateKey, algorithm: str) -> None:
        self._rsa = secret
        self.sign_algorithm, self.hash_algorithm = algorithm.split("-")

    def _sign_rsa(self, data: bytes) -> bytes:
        return sign_rsa(self._rsa, data)


class _RequestSigner(HeaderSigner, _KeySigner):  # type: ignore[misc]
    """httpsig's request signer on a loaded key."""

    def __init__(self, key_id: str, key: RSAPrivateKey, names: list[str]) -> None:
        # The template of httpsig is filled in by `%`: a percent sign of the key id must stand doubled.
        key_id = key_id.replace("%", "%%")
        HeaderSigner.__init__(self, key_id, key, "rsa-sha256", names, sign_header="signature")


class _KeyVerifier(Verifier):  # type: ignore[misc]
    """httpsig's verifier on a loaded key. The key decides the algorithm, the header has no say."""

    key: PublicKey

    def _verify(self, data: bytes, signature: bytes) -> bool:
        self.key.verify(signature, data)
        return True


class _RequestVerifier(HeaderVerifier, _KeyVerifier):  # type: ignore[misc]
    """httpsig's request verifier behind our own parser: what `check` has read takes its header's place."""

    required_headers: tuple[str, ...] = ()
    host = None

    def __init__(self, request: Request, claim: Claim, values: dict[str, str], key: PublicKey) -> None:
        self.headers = values
        self.auth_dict: dict[str, Any] = {"headers": " ".join(claim.names), "signature": claim.signature}
        self.method, self.path, self.key = request.method, request.target, key


def check(request: Request, now: datetime) -> Claim:
    """Judge everything about a signed request that can be judged without the key.

    Raises:
        ProtocolError: 401, with the rule that was broken.

    Spec: draft-cavage-http-signatures-12 §2
    """
    claim = _parse(_one(request, "signature"))
    _check_coverage(request, claim.names)
    values = _values(request, claim)
    _check_times(claim, values, now)
    if "digest" in claim.names:
        check_digest(request)
    return claim


def verify(request: Request, claim: Claim, key: PublicKey) -> None:
    """Check the signature that `claim`, read from this request by `check`, tells of.

    Older Mastodons, Fedify and others leave the query out of (request-target): that is tried second.

    Raises:
        ProtocolError: 401, the key is not RSA, or the signature is not this key's over this request.

    Spec: draft-cavage-http-signatures-12 §2.3, §2.5
    """
    if key.algorithm != "rsa":
        raise _refused("the key is not RSA", "cavage §2.5")
    verifier = _RequestVerifier(request, claim, _values(request, claim), key)
    path, question_mark, _ = request.target.partition("?")
    try:
        verifier.verify()
    except ProtocolError:
        if not question_mark:
            raise
        verifier.path = path
        verifier.verify()


def sign(request: Request, key: RSAPrivateKey, key_id: str, now: datetime) -> tuple[tuple[str, str], ...]:
    """The headers that make this request a signed one: date, digest where there is a body, signature.

    Args:
        request: with its host header; headers of the names returned must not stand in it.

    Spec: draft-cavage-http-signatures-12 §2.3, §2.4
    """
    added = [("date", _http_date(now))]
    if request.body or request.method not in ("GET", "HEAD"):
        added.append(("digest", digest_header(request.body)))
    names = [_TARGET, "host", *(name for name, _ in added)]
    values = {"host": _one(request, "host"), **dict(added)}
    signed = _RequestSigner(key_id, key, names).sign(values, method=request.method, path=request.target)
    return (*added, ("signature", signed["signature"]))


def _refused(reason: str, spec: str = _SPEC) -> ProtocolError:
    return ProtocolError(reason, spec=spec, status=401)


def _one(request: Request, name: str) -> str:
    values = request.all(name)
    if len(values) != 1:
        raise _refused(f"header {name} stands {len(values)} times, not once", "cavage §2.3")
    return values[0]


def _parse(header: str) -> Claim:
    if len(header) > MAX_HEADER or _HEADER_RE.fullmatch(header) is None:
        raise _refused("the Signature header cannot be read")
    found = [(name, text or number) for name, text, number in _PARAMETER_RE.findall(header)]
    if len({name.lower() for name, _ in found}) != len(found):
        raise _refused("a parameter stands twice in the Signature header")
    parameters = dict(found)
    algorithm = parameters.get("algorithm")
    if algorithm not in (None, "rsa-sha256", "hs2019"):
        raise _refused(f"algorithm {algorithm[:40]!r}; rsa-sha256 and hs2019 are taken", "cavage §2.1.3")
    key_id = parameters.get("keyId", "")
    if not key_id or len(key_id) > 2048:
        raise _refused("no keyId, or one beyond 2048 characters", "cavage §2.1.1")
    return Claim(
        key_id,
        algorithm,
        _names(parameters.get("headers", "")),
        _base64(parameters.get("signature", "")),
        _time(parameters.get("created")),
        _time(parameters.get("expires")),
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.lower().split(" "))
    if len(set(names)) != len(names) or len(names) > MAX_NAMES or not all(map(_NAME_RE.fullmatch, names)):
        raise _refused("the list of signed headers cannot be read", "cavage §2.1.6")
    return names


def _base64(text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _refused("the signature is not base64", "cavage §2.1.2") from error
    if not value or base64.b64encode(value).decode() != text:
        raise _refused("the signature is not base64", "cavage §2.1.2")
    return value


def _time(text: str | None) -> int | None:
    if text is None:
        return None
    if _TIME_RE.fullmatch(text) is None:
        raise _refused("created or expires is not a time in seconds", "cavage §2.1.4")
    return int(text)


def _check_coverage(request: Request, names: tuple[str, ...]) -> None:
    wanted = [_TARGET, "host"]
    if request.body or request.method not in ("GET", "HEAD"):
        wanted.append("digest")
    missing = [name for name in wanted if name not in names]
    if missing:
        raise _refused(f"the signature does not cover {', '.join(missing)}", "cavage §2.3")
    if "date" not in names and "(created)" not in names:
        raise _refused("the signature covers neither date nor (created)", "cavage §2.3")


def _values(request: Request, claim: Claim) -> dict[str, str]:
    """What the names of the claim stand for, (request-target) excepted."""
    if _METHOD_RE.fullmatch(request.method) is None or _TARGET_RE.fullmatch(request.target) is None:
        raise _refused("a method or target that cannot be signed", "RFC 9112 §3")
    values = {}
    for name in claim.names:
        if name in ("(created)", "(expires)"):
            values[name] = _pseudo_header(claim, name)
        elif name != _TARGET:
            value = _one(request, name)
            # A line break would let one header write the next line of the signing string.
            if _VALUE_RE.fullmatch(value) is None:
                raise _refused(f"signed header {name} is not plain ASCII", "RFC 9110 §5.5")
            values[name] = value.strip(" \t")
    return values


def _pseudo_header(claim: Claim, name: str) -> str:
    value = claim.created if name == "(created)" else claim.expires
    if claim.algorithm == "rsa-sha256" or value is None:
        raise _refused(f"{name} without its parameter, or with rsa-sha256", "cavage §2.3")
    return str(value)


def _check_times(claim: Claim, values: dict[str, str], now: datetime) -> None:
    if "date" in values and abs(_read_date(values["date"]) - now) > TOLERANCE:
        raise _refused("the date is more than an hour away from now", "cavage §2.3")
    if "(created)" in values and abs(int(values["(created)"]) - now.timestamp()) > TOLERANCE.total_seconds():
        raise _refused("the signature was created more than an hour away from now", "cavage §2.1.4")
    if claim.expires is not None and claim.expires < now.timestamp():
        raise _refused("the signature has expired", "cavage §2.1.5")


def _read_date(text: str) -> datetime:
    """An IMF-fixdate. `strptime` would depend on the locale."""
    match = _DATE_RE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        raise _refused("the date is not an HTTP date", "RFC 9110 §5.6.7")
    day, _, year, hour, minute, second = match.groups()
    try:
        return datetime(
            int(year), _MONTHS.index(match[2]) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
    except ValueError as error:
        raise _refused("the date is not a day that exists", "RFC 9110 §5.6.7") from error


def _http_date(now: datetime) -> str:
    moment = now.astimezone(UTC)
    month = _MONTHS[moment.month - 1]
    return f"{_DAYS[moment.weekday()]}, {moment.day:02} {month} {moment.year:04} {moment:%H:%M:%S} GMT"
