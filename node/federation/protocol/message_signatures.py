"""HTTP Message Signatures (RFC 9421): the second knock of our deliveries, and the first of Fedify's.

`check` needs no key and calls nobody. Rules, in order: `Signature-Input` and `Signature` stand once, and are
dictionaries in the form that every signer writes (no label, component or parameter twice); of at most four
signatures the first counts that covers @method, the target (@target-uri, or @authority with @path and @query)
and, with a body or a POST, content-digest; it has a keyid and a `created` at most an hour away from now;
`expires` has not passed; `alg`, where given, is one that we take; covered fields stand once and are plain
ASCII; the content digest is the body's.

The signature itself is checked by the library, which reads everything anew; the key's type decides the
algorithm. The signer is our own: of one fixed shape, and twice as fast. Whose the key is and whether the host
is ours is judged elsewhere.
"""

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.algorithms import ED25519, RSA_V1_5_SHA256

from node.errors import ProtocolError
from node.federation.protocol.digests import check_content_digest, content_digest_header
from node.federation.protocol.keys import PublicKey, sign_rsa
from node.federation.protocol.messages import Request

TOLERANCE = timedelta(hours=1)
"""How far `created` may lie behind or ahead of our clock, as with the older signatures."""
MAX_HEADER = 16384
MAX_SIGNATURES = 4
MAX_COMPONENTS = 32
LABEL = "sig1"

_KEY = r"[a-z*][a-z0-9_.*-]{0,63}"
_STRING = r'"[ !#-\[\]-~]*"'
_PARAMETERS = rf"(?:;{_KEY}(?:={_STRING}|=-?[0-9]{{1,15}})?)*"
_COMPONENT = rf"{_STRING}{_PARAMETERS}"
_INPUT_RE = re.compile(rf"({_KEY})=(\((?:{_COMPONENT}(?: {_COMPONENT})*)?\)({_PARAMETERS}))")
_SIGNATURE_RE = re.compile(rf"({_KEY})=:([A-Za-z0-9+/]+={{0,2}}):")
_COMMA_RE = re.compile(r"[ \t]*,[ \t]*")
_COMPONENT_RE = re.compile(_COMPONENT)
_PARAMETER_RE = re.compile(rf"({_KEY})(?:=(?:({_STRING})|(-?[0-9]{{1,15}})))?")
_VALUE_RE = re.compile(r"[\t -~]*")
_HOST_RE = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[1-9][0-9]{0,4})?")
_METHOD_RE = re.compile(r"[A-Z]{1,16}")
_TARGET_RE = re.compile(r'/[!"$-~]*')
_KNOWN = frozenset(("alg", "created", "expires", "keyid", "nonce", "tag"))
_ALGORITHMS = ("rsa-v1_5-sha256", "ed25519")


@dataclass(frozen=True, slots=True)
class Claim:
    """What one signature of a request says, read and found worth a look at the key. It proves nothing yet."""

    key_id: str
    label: str
    algorithm: str | None
    components: tuple[str, ...]
    """The component identifiers as written, without the quotes where they have no parameters."""
    created: int
    """Seconds since 1970, as `expires`."""
    expires: int | None
    input: str
    """The member of `Signature-Input`, as written, without its label."""
    signature: bytes


@dataclass(frozen=True, slots=True)
class _Message:
    """The request in the shape the library reads, with the one signature that counts."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class _OneKey(HTTPSignatureKeyResolver):
    key: RSAPublicKey | Ed25519PublicKey

    def resolve_public_key(self, key_id: str) -> RSAPublicKey | Ed25519PublicKey:
        return self.key


class _Verifier(HTTPMessageVerifier):
    """The library's verifier without its clock: `check` has judged the times against the caller's."""

    def validate_created_and_expires(self, sig_input: object, max_age: timedelta | None = None) -> None:
        return


def check(request: Request, now: datetime) -> Claim:
    """Judge everything about a signed request that can be judged without the key.

    Raises:
        ProtocolError: 401, with the rule that was broken.

    Spec: RFC 9421 §3.2
    """
    claim = _select(request, _one(request, "signature-input"), _signatures(_one(request, "signature")))
    if claim.algorithm not in (None, *_ALGORITHMS):
        raise _refused(f"algorithm {claim.algorithm!r:.40} is not taken", "RFC 9421 §3.3")
    if abs(claim.created - now.timestamp()) > TOLERANCE.total_seconds():
        raise _refused("the signature was created more than an hour away from now", "RFC 9421 §3.2.1")
    if claim.expires is not None and claim.expires < now.timestamp():
        raise _refused("the signature has expired", "RFC 9421 §3.2.1")
    _message(request, claim)
    if "content-digest" in claim.components:
        check_content_digest(request)
    return claim


def verify(request: Request, claim: Claim, key: PublicKey) -> None:
    """Check the signature that `claim`, read from this request by `check`, tells of.

    Raises:
        ProtocolError: 401, the signature is not this key's over this request.

    Spec: RFC 9421 §3.2
    """
    algorithm = RSA_V1_5_SHA256 if key.algorithm == "rsa" else ED25519
    verifier = _Verifier(signature_algorithm=algorithm, key_resolver=_OneKey(key.key))
    try:
        (result,) = verifier.verify(_message(request, claim), max_age=None)
    except HTTPMessageSignaturesException as error:
        raise _refused("the signature does not hold", "RFC 9421 §3.2") from error
    covered = [name if ";" in name else name.strip('"') for name in result.covered_components]
    # Two readers of one header must have read the same: what was judged is what was verified.
    if tuple(covered[:-1]) != claim.components or result.parameters.get("keyid") != claim.key_id:
        raise _refused("the signature covers something else than was read", "RFC 9421 §2.5")


def sign(
    request: Request, key: RSAPrivateKey | Ed25519PrivateKey, key_id: str, now: datetime
) -> tuple[tuple[str, str], ...]:
    """The headers that make this request a signed one: content-digest for a body, and the signature's two.

    Covers @method, @target-uri and content-digest, which Mastodon from 4.5 on and Fedify ask for.

    Args:
        request: with its host header and its scheme, for they make the target URI.

    Spec: RFC 9421 §3.1
    """
    added: tuple[tuple[str, str], ...] = ()
    lines = [f'"@method": {request.method}', f'"@target-uri": {_target_uri(request)}']
    if _needs_digest(request):
        added = (("content-digest", content_digest_header(request.body)),)
        lines.append(f'"content-digest": {added[0][1]}')
    names = " ".join(line.partition(":")[0] for line in lines)
    rsa = isinstance(key, RSAPrivateKey)
    member = f'({names});created={int(now.timestamp())};keyid="{key_id}";alg="{_ALGORITHMS[0 if rsa else 1]}"'
    base = "\n".join((*lines, f'"@signature-params": {member}')).encode("ascii")
    signature = sign_rsa(key, base) if isinstance(key, RSAPrivateKey) else key.sign(base)
    text = base64.b64encode(signature).decode()
    return (*added, ("signature-input", f"{LABEL}={member}"), ("signature", f"{LABEL}=:{text}:"))


def _refused(reason: str, spec: str) -> ProtocolError:
    return ProtocolError(reason, spec=spec, status=401)


def _one(request: Request, name: str) -> str:
    values = request.all(name)
    if len(values) != 1 or len(values[0]) > MAX_HEADER:
        raise _refused(f"header {name} stands {len(values)} times, or is too long", "RFC 9421 §4")
    return values[0]


def _members(pattern: re.Pattern[str], header: str) -> list[re.Match[str]]:
    """The members of a structured dictionary, each of them in the one form that `pattern` takes.

    Spec: RFC 8941 §4.2.2
    """
    found: list[re.Match[str]] = []
    position = 0
    while len(found) < MAX_SIGNATURES:
        match = pattern.match(header, position)
        if match is None:
            break
        found.append(match)
        if match.end() == len(header):
            if len({member[1] for member in found}) != len(found):
                raise _refused("a label stands twice", "RFC 9421 §4.1")
            return found
        comma = _COMMA_RE.match(header, match.end())
        if comma is None:
            break
        position = comma.end()
    raise _refused(f"signature headers that cannot be read, or more than {MAX_SIGNATURES}", "RFC 9421 §4")


def _signatures(header: str) -> dict[str, bytes]:
    found = {}
    for member in _members(_SIGNATURE_RE, header):
        try:
            found[member[1]] = base64.b64decode(member[2], validate=True)
        except ValueError as error:
            raise _refused("a signature is not base64", "RFC 9421 §4.2") from error
        if base64.b64encode(found[member[1]]).decode() != member[2]:
            raise _refused("a signature is not base64", "RFC 9421 §4.2")
    return found


def _select(request: Request, header: str, signatures: dict[str, bytes]) -> Claim:
    for member in _members(_INPUT_RE, header):
        components = _components(member[2][: len(member[2]) - len(member[3])])
        if not _suffices(request, components):
            continue
        parameters = _parameters(member[3])
        key_id, created, expires = (parameters.get(name) for name in ("keyid", "created", "expires"))
        algorithm = parameters.get("alg")
        if not isinstance(key_id, str) or not 0 < len(key_id) <= 2048 or not isinstance(created, int):
            raise _refused("a signature without keyid or created", "RFC 9421 §2.3")
        if not isinstance(expires, int | None) or not isinstance(algorithm, str | None):
            raise _refused("expires or alg is of the wrong type", "RFC 9421 §2.3")
        if member[1] not in signatures:
            raise _refused("no signature of this label", "RFC 9421 §4.2")
        return Claim(
            key_id, member[1], algorithm, components, created, expires, member[2], signatures[member[1]]
        )
    raise _refused("no signature covers @method, the target, and the digest of a body", "RFC 9421 §7.2.1")


def _components(text: str) -> tuple[str, ...]:
    found = tuple(name if ";" in name else name.strip('"') for name in _COMPONENT_RE.findall(text))
    if len(set(found)) != len(found) or len(found) > MAX_COMPONENTS:
        raise _refused("a component stands twice, or there are too many", "RFC 9421 §2")
    return found


def _parameters(text: str) -> dict[str, str | int | None]:
    found = _PARAMETER_RE.findall(text)
    names = {name for name, _, _ in found}
    if len(names) != len(found) or not names <= _KNOWN:
        raise _refused("a parameter stands twice or is unknown", "RFC 9421 §2.3")
    return {name: text[1:-1] if text else int(number) if number else None for name, text, number in found}


def _suffices(request: Request, components: tuple[str, ...]) -> bool:
    target = "@target-uri" in components or {"@authority", "@path", "@query"}.issubset(components)
    digest = "content-digest" in components or not _needs_digest(request)
    return "@method" in components and target and digest


def _needs_digest(request: Request) -> bool:
    return bool(request.body) or request.method not in ("GET", "HEAD")


def _target_uri(request: Request) -> str:
    """Scheme, host and target put together.

    The library leaves out a user and a fragment: let through, the signature would hold with them changed.
    """
    host = _one(request, "host")
    if _HOST_RE.fullmatch(host) is None:
        raise _refused("the Host header is no host", "RFC 9110 §7.2")
    if _METHOD_RE.fullmatch(request.method) is None or _TARGET_RE.fullmatch(request.target) is None:
        raise _refused("a method or target that cannot be signed", "RFC 9112 §3")
    return f"{request.scheme}://{host}{request.target}"


def _message(request: Request, claim: Claim) -> _Message:
    headers = {}
    for component in claim.components:
        name = component.partition(";")[0].strip('"')
        if not name.startswith("@"):
            headers[name] = _one(request, name)
            if _VALUE_RE.fullmatch(headers[name]) is None:
                raise _refused(f"signed field {name} is not plain ASCII", "RFC 9110 §5.5")
    headers["signature-input"] = f"{claim.label}={claim.input}"
    headers["signature"] = f"{claim.label}=:{base64.b64encode(claim.signature).decode()}:"
    return _Message(request.method, _target_uri(request), headers)
