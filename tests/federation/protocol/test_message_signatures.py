"""RFC 9421: our signer against the library's verifier, its signer against ours, every rule broken once."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, MappingKeyResolver
from http_message_signatures.algorithms import ED25519, HMAC_SHA256, RSA_PSS_SHA512, RSA_V1_5_SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ProtocolError
from node.federation.protocol import digests, keys, message_signatures
from node.federation.protocol.messages import Request

NOW = datetime(2026, 11, 20, 13, 0, 5, tzinfo=UTC)
RSA = keys.generate_rsa_key()
ED = Ed25519PrivateKey.generate()
KEY_ID = "https://exercise.example/users/tester#main-key"
OWNER = "https://exercise.example/users/tester"
PUBLIC = keys.PublicKey(KEY_ID, OWNER, "rsa", RSA.public_key())
PUBLIC_ED = keys.PublicKey(KEY_ID, OWNER, "ed25519", ED.public_key())
BODY = b'{"type":"Create","content":"an exercise"}'
NAMES = ("@method", "@target-uri", "content-digest")
PARTS = ("@method", "@authority", "@path", "@query", "content-digest")
VECTORS = Path(__file__).parents[2] / "vectors"


@dataclass
class Message:
    """The shape the library signs."""

    method: str
    url: str
    headers: dict[str, str]


def plain(body: bytes = BODY, target: str = "/inbox?page=1") -> Request:
    headers = [("host", "node.example"), ("content-type", "application/activity+json")]
    if body:
        headers.append(("content-digest", digests.content_digest_header(body)))
    return Request("POST" if body else "GET", target, tuple(headers), body)


def by_library(
    request: Request,
    names: tuple[str, ...] = NAMES,
    label: str = "sig1",
    algorithm: type = RSA_V1_5_SHA256,
    key: object = RSA,
    **options: object,
) -> Request:
    """The request signed by the library, or the same with a further signature in front of those it has."""
    headers = dict(without(without(request, "signature-input"), "signature").headers)
    message = Message(request.method, f"{request.scheme}://{headers['host']}{request.target}", headers)
    signer = HTTPMessageSigner(
        signature_algorithm=algorithm,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={KEY_ID: key}),
    )
    options = {"created": NOW, "use_existing_digest": bool(request.all("content-digest")), **options}
    signer.sign(message, key_id=KEY_ID, label=label, covered_component_ids=names, **options)
    for name in ("signature-input", "signature"):
        value = ", ".join((message.headers[name.title()], *request.all(name)))
        request = changed(request, name, value)
    return request


def added(request: Request, name: str, value: str) -> Request:
    return replace(request, headers=(*request.headers, (name, value)))


def without(request: Request, name: str) -> Request:
    return replace(request, headers=tuple(item for item in request.headers if item[0] != name))


def changed(request: Request, name: str, value: str) -> Request:
    return added(without(request, name), name, value)


def edited(request: Request, name: str, old: str, new: str) -> Request:
    assert old in request.all(name)[0]
    return changed(request, name, request.all(name)[0].replace(old, new, 1))


def verified(request: Request, key: keys.PublicKey = PUBLIC, now: datetime = NOW) -> message_signatures.Claim:
    claim = message_signatures.check(request, now)
    message_signatures.verify(request, claim, key)
    return claim


def test_a_message_signed_by_the_library_is_read_and_verified() -> None:
    claim = verified(by_library(plain(), expires=NOW + timedelta(minutes=5), nonce="n1", tag="t"))
    assert (claim.key_id, claim.label, claim.algorithm) == (KEY_ID, "sig1", "rsa-v1_5-sha256")
    assert (claim.components, claim.created) == (NAMES, int(NOW.timestamp()))
    assert claim.expires == claim.created + 300


@pytest.mark.parametrize(
    "names", [PARTS, ("date", *NAMES), (*NAMES, '"@query-param";name="page"'), NAMES[::-1]]
)
def test_more_components_and_any_order_are_verified(names: tuple[str, ...]) -> None:
    verified(by_library(added(plain(), "date", "Fri, 20 Nov 2026 13:00:05 GMT"), names))


def test_a_get_needs_no_digest() -> None:
    assert verified(by_library(plain(b""), NAMES[:2])).components == NAMES[:2]


def test_ed25519_is_taken_from_the_key_and_not_from_the_header() -> None:
    signed = by_library(plain(), algorithm=ED25519, key=ED)
    assert verified(signed, PUBLIC_ED).algorithm == "ed25519"
    verified(by_library(plain(), algorithm=ED25519, key=ED, include_alg=False), PUBLIC_ED)
    for key in (PUBLIC, replace(PUBLIC_ED, key=Ed25519PrivateKey.generate().public_key())):
        with pytest.raises(ProtocolError, match="does not hold"):
            verified(signed, key)


def test_an_hmac_keyed_with_the_public_pem_is_no_signature() -> None:
    pem = keys.public_pem(RSA.public_key()).encode()
    for include_alg in (True, False):
        with pytest.raises(ProtocolError):
            verified(by_library(plain(), algorithm=HMAC_SHA256, key=pem, include_alg=include_alg))


def test_pss_with_the_same_key_is_no_signature_of_ours() -> None:
    for include_alg in (True, False):
        with pytest.raises(ProtocolError):
            verified(by_library(plain(), algorithm=RSA_PSS_SHA512, include_alg=include_alg))


def test_the_first_signature_that_covers_enough_is_the_one_that_counts() -> None:
    two = by_library(by_library(plain()), ("@authority",), "proxy", ED25519, ED)
    assert verified(two).label == "sig1"
    other = by_library(by_library(plain()), NAMES, "first", ED25519, ED)
    with pytest.raises(ProtocolError, match="does not hold"):
        verified(other)


REFUSED: list[tuple[str, Callable[[Request], Request], str, str]] = [
    ("no input", lambda r: without(r, "signature-input"), "signature-input stands 0", "RFC 9421 §4"),
    ("no signature", lambda r: without(r, "signature"), "signature stands 0", "RFC 9421 §4"),
    ("two inputs", lambda r: added(r, "signature-input", "b=()"), "stands 2 times", "RFC 9421 §4"),
    ("two signatures", lambda r: added(r, "signature", "b=:AA==:"), "stands 2 times", "RFC 9421 §4"),
    ("too long", lambda r: changed(r, "signature-input", "a=()" + " " * 20000), "too long", "RFC 9421 §4"),
    ("no dictionary", lambda r: edited(r, "signature-input", "=(", "=["), "cannot be read", "RFC 9421 §4"),
    (
        "junk after",
        lambda r: edited(r, "signature-input", ";created", " ;created"),
        "cannot be",
        "RFC 9421 §4",
    ),
    ("no ASCII", lambda r: edited(r, "signature-input", "tester", "تمرين"), "cannot be read", "RFC 9421 §4"),
    (
        "five",
        lambda r: edited(r, "signature", "sig1=", "a=:AA==:,b=:AA==:,c=:AA==:,d=:AA==:,sig1="),
        "more than 4",
        "RFC 9421 §4",
    ),
    (
        "a label twice",
        lambda r: edited(r, "signature", "sig1=", "sig1=:AA==:, sig1="),
        "label",
        "RFC 9421 §4.1",
    ),
    ("no base64", lambda r: edited(r, "signature", "=:", "=:A"), "base64", "RFC 9421 §4.2"),
    ("spare bits", lambda r: changed(r, "signature", "sig1=:AB==:"), "base64", "RFC 9421 §4.2"),
    ("another label", lambda r: edited(r, "signature", "sig1", "sig2"), "label", "RFC 9421 §4.2"),
    (
        "a component twice",
        lambda r: edited(r, "signature-input", '"@method"', '"@method" "@method"'),
        "stands twice",
        "RFC 9421 §2",
    ),
    (
        "many components",
        lambda r: edited(
            r, "signature-input", '"@method"', '"@method"' + "".join(f' "x{number}"' for number in range(40))
        ),
        "too many",
        "RFC 9421 §2",
    ),
    (
        "a parameter twice",
        lambda r: edited(r, "signature-input", ";keyid", ";created=1;keyid"),
        "stands twice",
        "RFC 9421 §2.3",
    ),
    (
        "an unknown one",
        lambda r: edited(r, "signature-input", ";keyid", ";x=1;keyid"),
        "unknown",
        "RFC 9421 §2.3",
    ),
    (
        "no keyid",
        lambda r: edited(r, "signature-input", ";keyid=", ";nonce="),
        "without keyid",
        "RFC 9421 §2.3",
    ),
    ("a long keyid", lambda r: edited(r, "signature-input", KEY_ID, "k" * 2049), "keyid", "RFC 9421 §2.3"),
    (
        "no created",
        lambda r: edited(r, "signature-input", ";created=", ";expires="),
        "created",
        "RFC 9421 §2.3",
    ),
    (
        "created as text",
        lambda r: edited(r, "signature-input", ";created=1", ';created="1"'),
        "cannot be read",
        "RFC 9421 §4",
    ),
    (
        "expires as text",
        lambda r: edited(r, "signature-input", ";keyid", ';expires="1";keyid'),
        "wrong type",
        "RFC 9421 §2.3",
    ),
    (
        "alg as number",
        lambda r: edited(r, "signature-input", '"rsa-v1_5-sha256"', "1"),
        "type",
        "RFC 9421 §2.3",
    ),
    (
        "other alg",
        lambda r: edited(r, "signature-input", "rsa-v1_5-sha256", "hmac-sha256"),
        "hmac-sha256",
        "RFC 9421 §3.3",
    ),
    ("no method", lambda r: by_library(plain(), NAMES[1:]), "no signature covers", "RFC 9421 §7.2.1"),
    ("no target", lambda r: by_library(plain(), NAMES[::2]), "no signature covers", "RFC 9421 §7.2.1"),
    ("no query", lambda r: by_library(plain(), (*PARTS[:3], PARTS[4])), "no signature", "RFC 9421 §7.2.1"),
    ("no digest", lambda r: by_library(plain(), NAMES[:2]), "no signature covers", "RFC 9421 §7.2.1"),
    (
        "half a digest",
        lambda r: by_library(plain(), (*NAMES[:2], '"content-digest";key="sha-256"')),
        "no signature covers",
        "RFC 9421 §7.2.1",
    ),
    ("old", lambda r: by_library(plain(), created=NOW - timedelta(minutes=61)), "an hour", "RFC 9421 §3.2.1"),
    (
        "ahead",
        lambda r: by_library(plain(), created=NOW + timedelta(minutes=61)),
        "an hour",
        "RFC 9421 §3.2.1",
    ),
    (
        "expired",
        lambda r: by_library(plain(), expires=NOW - timedelta(seconds=1)),
        "expired",
        "RFC 9421 §3.2.1",
    ),
    ("another body", lambda r: replace(r, body=BODY + b" "), "of the body", "RFC 9530 §2"),
    ("digest gone", lambda r: without(r, "content-digest"), "content-digest stands 0", "RFC 9421 §4"),
    ("no host", lambda r: without(r, "host"), "host stands 0", "RFC 9421 §4"),
    ("a user in the host", lambda r: changed(r, "host", "x@node.example"), "no host", "RFC 9110 §7.2"),
    ("a fragment", lambda r: replace(r, target=r.target + "#x"), "target", "RFC 9112 §3"),
    ("lower case", lambda r: replace(r, method="post"), "method", "RFC 9112 §3"),
    (
        "a line break",
        lambda _: changed(by_library(added(plain(), "x", "y"), (*NAMES, "x")), "x", "y\r\n "),
        "plain ASCII",
        "RFC 9110 §5.5",
    ),
]


@pytest.mark.parametrize(
    ("damage", "reason", "spec"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_request_with_one_thing_broken_is_refused(
    damage: Callable[[Request], Request], reason: str, spec: str
) -> None:
    with pytest.raises(ProtocolError) as caught:
        message_signatures.check(damage(by_library(plain())), NOW)
    assert (caught.value.status, caught.value.spec) == (401, spec)
    assert reason in caught.value.reason


@pytest.mark.parametrize("minutes", [-59, 59])
def test_a_signature_within_the_hour_is_taken(minutes: int) -> None:
    verified(by_library(plain()), now=NOW + timedelta(minutes=minutes))


def test_a_claim_of_another_request_does_not_hold() -> None:
    claim = message_signatures.check(by_library(plain()), NOW)
    for other in (by_library(plain(target="/other")), without(plain(), "content-digest"), plain(b"{}")):
        with pytest.raises(ProtocolError):
            message_signatures.verify(other, claim, PUBLIC)


def test_what_was_judged_must_be_what_was_verified() -> None:
    request = by_library(plain())
    claim = message_signatures.check(request, NOW)
    for other in (replace(claim, components=NAMES[:2]), replace(claim, key_id="https://else.example/k")):
        with pytest.raises(ProtocolError):
            message_signatures.verify(request, other, PUBLIC)


@pytest.mark.parametrize(
    ("key", "public", "algorithm"), [(RSA, PUBLIC, RSA_V1_5_SHA256), (ED, PUBLIC_ED, ED25519)]
)
@pytest.mark.parametrize("body", [BODY, b""])
def test_what_we_sign_verifies_here_and_with_the_library(key, public, algorithm, body) -> None:
    now = datetime.now(UTC)
    request = without(plain(body), "content-digest")
    request = replace(request, headers=request.headers + message_signatures.sign(request, key, KEY_ID, now))
    assert verified(request, public, now).components == (NAMES if body else NAMES[:2])
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithm,
        key_resolver=MappingKeyResolver(public_keys={KEY_ID: public.key}, private_keys={}),
    )
    message = Message(request.method, f"https://node.example{request.target}", dict(request.headers))
    (result,) = verifier.verify(message, require_components=NAMES if body else NAMES[:2], body=body)
    assert result.body == (body or None)


def test_we_sign_the_scheme_and_port_of_the_request() -> None:
    request = replace(without(plain(), "content-digest"), scheme="http")
    request = changed(request, "host", "127.2.0.1:8100")
    request = replace(request, headers=request.headers + message_signatures.sign(request, RSA, KEY_ID, NOW))
    verified(request)
    with pytest.raises(ProtocolError, match="does not hold"):
        verified(replace(request, scheme="https"))


@pytest.mark.parametrize(
    "case", json.loads((VECTORS / "rfc9421.json").read_text())["cases"], ids=lambda c: c["name"]
)
def test_the_standards_own_signatures_verify(case) -> None:
    pem = json.loads((VECTORS / "rfc9421.json").read_text())["keys"][case["key"]]
    key = keys.public_from_pem(pem, case["key"], "the standard")
    headers = tuple((name, value) for name, value in case["headers"])
    request = Request(case["method"], case["target"], headers, case["body"].encode())
    components = tuple(case["components"])
    signature = base64.b64decode(case["signature"])
    claim = message_signatures.Claim(
        case["key"],
        case["label"],
        None,
        components,
        case["created"],
        case["expires"],
        case["input"],
        signature,
    )
    message_signatures.verify(request, claim, key)
    with pytest.raises(ProtocolError, match="does not hold"):
        message_signatures.verify(replace(request, target="/fob"), claim, key)


def test_fedifys_signature_verifies() -> None:
    data = json.loads((VECTORS / "fedify_requests.json").read_text())
    (case,) = [item for item in data["requests"] if item["spec"] == "rfc9421"]
    headers = tuple((name, value) for name, value in case["headers"])
    request = Request(case["method"], case["target"], headers, case["body"].encode())
    key = keys.public_from_pem(data["public_pem"], "k", "a")
    claim = verified(request, key, datetime.fromisoformat(data["taken"]))
    assert {"@method", "@target-uri", "content-digest"} <= set(claim.components)


SIGNED = by_library(plain())
PIECES = st.one_of(
    st.text(max_size=6), st.sampled_from(["@", ";", "=", '"', "sig1", " ", ", ", ":443", "#", "\r\n"])
)


@st.composite
def damaged(draw: st.DrawFn) -> Request:
    def cut(text: str) -> str:
        start = draw(st.integers(0, len(text)))
        return text[:start] + draw(PIECES) + text[start + draw(st.integers(0, 6)) :]

    part = draw(
        st.sampled_from(["method", "target", "scheme", "body", "drop", *(n for n, _ in SIGNED.headers)])
    )
    if part == "drop":
        return without(SIGNED, draw(st.sampled_from([name for name, _ in SIGNED.headers])))
    if part == "body":
        return replace(SIGNED, body=cut(BODY.decode()).encode("utf-8", "surrogatepass"))
    if part in ("method", "target", "scheme"):
        return replace(SIGNED, **{part: cut(getattr(SIGNED, part))})
    return changed(SIGNED, part, cut(SIGNED.all(part)[0]))


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_a_damaged_request_is_refused_or_says_what_was_signed(request: Request) -> None:
    try:
        verified(request)
    except ProtocolError as error:
        assert error.status == 401
    else:
        for part in ("method", "target", "scheme", "body"):
            assert getattr(request, part) == getattr(SIGNED, part)
        for name in ("host", "content-digest"):
            assert request.all(name)[0].strip(" \t") == SIGNED.all(name)[0]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='"()@;=,: abc1é\\\n', max_size=80), st.text(alphabet='=:, aA1+/é"', max_size=40))
def test_any_headers_are_refused_and_do_no_harm(header: str, signature: str) -> None:
    request = changed(changed(SIGNED, "signature-input", header), "signature", signature)
    with pytest.raises(ProtocolError):
        message_signatures.check(request, NOW)
