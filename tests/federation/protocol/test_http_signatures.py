"""draft-cavage signatures: the rules as a table, each known hole of httpsig by name, and real payloads."""

import base64
import hmac
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ProtocolError
from node.federation.protocol import digests, http_signatures, keys
from node.federation.protocol.messages import Request

NOW = datetime(2026, 11, 20, 13, 0, 5, tzinfo=UTC)
DATE = "Fri, 20 Nov 2026 13:00:05 GMT"
KEY = keys.generate_rsa_key()
KEY_ID = "https://exercise.example/users/tester#main-key"
PUBLIC = keys.PublicKey(KEY_ID, "https://exercise.example/users/tester", "rsa", KEY.public_key())
BODY = b'{"type":"Create","content":"an exercise"}'
NAMES = "(request-target) host date digest"
VECTORS = Path(__file__).parents[2] / "vectors"


def plain(body: bytes = BODY, target: str = "/inbox") -> Request:
    headers = (("host", "node.example"), ("content-type", "application/activity+json"))
    return Request("POST" if body else "GET", target, headers, body)


def rsa_sha256(data: bytes) -> bytes:
    return KEY.sign(data, padding.PKCS1v15(), hashes.SHA256())


def by_hand(
    request: Request,
    names: str = NAMES,
    algorithm: str | None = "rsa-sha256",
    path: str | None = None,
    make: Callable[[bytes], bytes] = rsa_sha256,
    **times: int,
) -> Request:
    """The same request signed by an independent signer, over whatever is asked of it."""
    if not request.all("date"):
        request = added(request, "date", DATE)
    if request.body and not request.all("digest"):
        request = added(request, "digest", digests.digest_header(request.body))
    lines = []
    for name in names.split(" "):
        if name == "(request-target)":
            lines.append(f"{name}: {request.method.lower()} {path or request.target}")
        elif name.startswith("("):
            lines.append(f"{name}: {times.get(name.strip('()'), '')}")
        else:
            lines.append(f"{name}: {(request.all(name) or ('',))[0]}")
    value = base64.b64encode(make("\n".join(lines).encode("utf-8", "surrogateescape"))).decode()
    parameters = [f'keyId="{KEY_ID}"', f'headers="{names}"', f'signature="{value}"']
    parameters += [f'algorithm="{algorithm}"'] if algorithm else []
    parameters += [f"{name}={number}" for name, number in times.items()]
    return added(request, "signature", ",".join(parameters))


def added(request: Request, name: str, value: str) -> Request:
    return replace(request, headers=(*request.headers, (name, value)))


def without(request: Request, name: str) -> Request:
    return replace(request, headers=tuple(item for item in request.headers if item[0] != name))


def changed(request: Request, name: str, value: str) -> Request:
    return added(without(request, name), name, value)


def edited(old: str, new: str) -> Callable[[Request], Request]:
    """Edit the Signature header."""

    def edit(request: Request) -> Request:
        text = request.all("signature")[0]
        assert old in text
        return changed(request, "signature", text.replace(old, new, 1))

    return edit


def verified(request: Request, now: datetime = NOW, key: keys.PublicKey = PUBLIC) -> http_signatures.Claim:
    claim = http_signatures.check(request, now)
    http_signatures.verify(request, claim, key)
    return claim


def seconds(**delta: int) -> int:
    return int((NOW + timedelta(**delta)).timestamp())


def test_a_valid_post_is_read_and_verified() -> None:
    claim = verified(by_hand(plain()))
    assert (claim.key_id, claim.algorithm, claim.names) == (KEY_ID, "rsa-sha256", tuple(NAMES.split()))
    assert (claim.created, claim.expires) == (None, None)


@pytest.mark.parametrize("body", [BODY, b""])
@pytest.mark.parametrize("target", ["/inbox", "/inbox?page=1"])
def test_what_we_sign_verifies(body: bytes, target: str) -> None:
    request = plain(body, target)
    headers = http_signatures.sign(request, KEY, KEY_ID, NOW)
    assert [name for name, _ in headers] == ["date", *(["digest"] if body else []), "signature"]
    claim = verified(replace(request, headers=request.headers + headers))
    assert claim.names == ("(request-target)", "host", "date", *(["digest"] if body else []))


def test_what_we_sign_is_what_an_independent_signer_signs() -> None:
    request = plain()
    ours = replace(request, headers=request.headers + http_signatures.sign(request, KEY, KEY_ID, NOW))
    assert (
        http_signatures.check(ours, NOW).signature == http_signatures.check(by_hand(request), NOW).signature
    )


def test_a_request_without_host_is_not_signed() -> None:
    with pytest.raises(ProtocolError, match="host"):
        http_signatures.sign(without(plain(), "host"), KEY, KEY_ID, NOW)


REFUSED: list[tuple[str, Callable[[], Request], str, str]] = [
    ("no header", lambda: without(by_hand(plain()), "signature"), "signature stands 0 times", "cavage §2.3"),
    ("two headers", lambda: added(by_hand(plain()), "signature", "x"), "stands 2 times", "cavage §2.3"),
    ("junk after", lambda: edited('",', '",,')(by_hand(plain())), "cannot be read", "cavage §2"),
    ("no quote", lambda: edited('keyId="', "keyId=")(by_hand(plain())), "cannot be read", "cavage §2"),
    ("too long", lambda: edited("keyId", "x" * 9000)(by_hand(plain())), "cannot be read", "cavage §2"),
    ("other algorithm", lambda: by_hand(plain(), algorithm="rsa-sha512"), "rsa-sha512", "cavage §2.1.3"),
    ("no keyId", lambda: edited("keyId", "id")(by_hand(plain())), "keyId", "cavage §2.1.1"),
    ("empty keyId", lambda: edited(KEY_ID, "")(by_hand(plain())), "keyId", "cavage §2.1.1"),
    ("long keyId", lambda: edited(KEY_ID, "k" * 2049)(by_hand(plain())), "2048", "cavage §2.1.1"),
    ("no headers", lambda: edited("headers", "other")(by_hand(plain())), "list of signed", "cavage §2.1.6"),
    ("a name twice", lambda: by_hand(plain(), NAMES + " date"), "list of signed headers", "cavage §2.1.6"),
    ("no such name", lambda: by_hand(plain(), NAMES + " (query)"), "list of signed headers", "cavage §2.1.6"),
    ("no signature", lambda: edited("signature=", "other=")(by_hand(plain())), "base64", "cavage §2.1.2"),
    ("created no number", lambda: by_hand(plain(), created="01"), "in seconds", "cavage §2.1.4"),
    ("no target", lambda: by_hand(plain(), "host date digest"), "(request-target)", "cavage §2.3"),
    ("no host", lambda: by_hand(plain(), "(request-target) date digest"), "cover host", "cavage §2.3"),
    ("no digest", lambda: by_hand(plain(), "(request-target) host date"), "cover digest", "cavage §2.3"),
    ("no time", lambda: by_hand(plain(), "(request-target) host digest"), "neither date", "cavage §2.3"),
    ("a body on GET", lambda: by_hand(replace(plain(), method="GET"), NAMES[:-7]), "digest", "cavage §2.3"),
    (
        "an empty POST",
        lambda: by_hand(replace(plain(b""), method="POST"), NAMES[:-7]),
        "digest",
        "cavage §2.3",
    ),
    ("a signed header gone", lambda: without(by_hand(plain()), "host"), "host stands 0", "cavage §2.3"),
    ("a signed header twice", lambda: added(by_hand(plain()), "host", "b.example"), "2 times", "cavage §2.3"),
    ("a line break", lambda: by_hand(changed(plain(), "host", "a\nx: y")), "plain ASCII", "RFC 9110 §5.5"),
    ("lower-case method", lambda: by_hand(replace(plain(), method="post")), "method", "RFC 9112 §3"),
    ("a space in the target", lambda: by_hand(plain(target="/in box")), "target", "RFC 9112 §3"),
    ("an empty target", lambda: by_hand(plain(target="")), "target", "RFC 9112 §3"),
    (
        "(created) with rsa-sha256",
        lambda: by_hand(plain(), NAMES + " (created)", created=seconds()),
        "(created)",
        "cavage §2.3",
    ),
    (
        "(created) without value",
        lambda: by_hand(plain(), NAMES + " (created)", "hs2019"),
        "parameter",
        "cavage §2.3",
    ),
    (
        "(expires) without value",
        lambda: by_hand(plain(), NAMES + " (expires)", None),
        "parameter",
        "cavage §2.3",
    ),
    (
        "61 minutes old",
        lambda: by_hand(added(plain(), "date", "Fri, 20 Nov 2026 11:59:05 GMT")),
        "an hour",
        "cavage §2.3",
    ),
    (
        "61 minutes ahead",
        lambda: by_hand(added(plain(), "date", "Fri, 20 Nov 2026 14:01:05 GMT")),
        "an hour",
        "cavage §2.3",
    ),
    (
        "no HTTP date",
        lambda: by_hand(added(plain(), "date", "2026-11-20T13:00:05Z")),
        "HTTP",
        "RFC 9110 §5.6.7",
    ),
    (
        "no such month",
        lambda: by_hand(added(plain(), "date", DATE.replace("Nov", "Nev"))),
        "HTTP date",
        "RFC 9110 §5.6.7",
    ),
    (
        "no such day",
        lambda: by_hand(added(plain(), "date", DATE.replace("20 Nov", "31 Nov"))),
        "day that exists",
        "RFC 9110 §5.6.7",
    ),
    (
        "created old",
        lambda: by_hand(plain(), NAMES + " (created)", "hs2019", created=seconds(minutes=-61)),
        "created",
        "cavage §2.1.4",
    ),
    (
        "created ahead",
        lambda: by_hand(plain(), NAMES + " (created)", "hs2019", created=seconds(minutes=61)),
        "created",
        "cavage §2.1.4",
    ),
    ("expired", lambda: by_hand(plain(), expires=seconds(seconds=-1)), "expired", "cavage §2.1.5"),
    ("another body", lambda: replace(by_hand(plain()), body=BODY + b" "), "of the body", "RFC 3230 §4.3.2"),
    (
        "a digest of something else",
        lambda: by_hand(added(plain(), "digest", digests.digest_header(b"x"))),
        "of the body",
        "RFC 3230 §4.3.2",
    ),
]


@pytest.mark.parametrize(
    ("broken", "reason", "spec"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_request_with_one_thing_broken_is_refused(
    broken: Callable[[], Request], reason: str, spec: str
) -> None:
    with pytest.raises(ProtocolError) as caught:
        http_signatures.check(broken(), NOW)
    assert (caught.value.status, caught.value.spec) == (401, spec)
    assert reason in caught.value.reason


@pytest.mark.parametrize("minutes", [-59, 59])
def test_a_date_within_the_hour_is_taken(minutes: int) -> None:
    verified(by_hand(plain()), NOW + timedelta(minutes=minutes))


def test_an_hmac_keyed_with_the_public_pem_is_no_signature() -> None:
    pem = keys.public_pem(KEY.public_key()).encode()

    def forge(data: bytes) -> bytes:
        return hmac.digest(pem, data, "sha256")

    for algorithm in ("hmac-sha256", "hs2019", "rsa-sha256", None):
        with pytest.raises(ProtocolError):
            verified(by_hand(plain(), algorithm=algorithm, make=forge))


def test_sha1_is_not_taken_under_any_name() -> None:
    def sha1(data: bytes) -> bytes:
        return KEY.sign(data, padding.PKCS1v15(), hashes.SHA1())

    for algorithm in ("rsa-sha1", "hs2019", "rsa-sha256", None):
        with pytest.raises(ProtocolError):
            verified(by_hand(plain(), algorithm=algorithm, make=sha1))


def test_a_signature_over_the_date_alone_is_refused() -> None:
    with pytest.raises(ProtocolError, match="does not cover"):
        http_signatures.check(by_hand(plain(), "date"), NOW)


def test_a_replayed_date_of_2001_is_refused() -> None:
    with pytest.raises(ProtocolError, match="more than an hour"):
        http_signatures.check(by_hand(added(plain(), "date", "Sat, 20 Jan 2001 13:00:05 GMT")), NOW)


@pytest.mark.parametrize("again", [f'keyId="{KEY_ID}"', 'keyid="b"', 'headers="date"', 'signature="AA=="'])
def test_a_parameter_that_stands_twice_is_refused(again: str) -> None:
    with pytest.raises(ProtocolError, match="stands twice"):
        http_signatures.check(edited("keyId", f"{again},keyId")(by_hand(plain())), NOW)


@pytest.mark.parametrize("junk", ["!", " ", "\\n", "-_", "=="])
def test_junk_in_the_base64_is_refused(junk: str) -> None:
    with pytest.raises(ProtocolError):
        http_signatures.check(edited('signature="', f'signature="{junk}')(by_hand(plain())), NOW)


def test_base64_with_other_spare_bits_is_refused() -> None:
    text = by_hand(plain()).all("signature")[0].partition('signature="')[2].partition('"')[0]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = text[:-3] + alphabet[alphabet.index(text[-3]) + 1] + "=="
    assert base64.b64decode(text) == base64.b64decode(other)
    with pytest.raises(ProtocolError, match="base64"):
        http_signatures.check(edited(text, other)(by_hand(plain())), NOW)


def test_a_percent_sign_in_the_key_id_survives() -> None:
    key_id = "https://exercise.example/users/%D8%AA%s#main-key"
    headers = http_signatures.sign(plain(), KEY, key_id, NOW)
    assert verified(replace(plain(), headers=plain().headers + headers)).key_id == key_id


def test_a_header_that_is_not_ascii_is_refused_and_does_no_harm() -> None:
    for request in (
        by_hand(changed(plain(), "host", "ن.example")),
        edited("keyId", "kéyId")(by_hand(plain())),
        edited(KEY_ID, "https://مثال.example/k")(by_hand(plain())),
        by_hand(added(plain(), "x-name", "\udc80"), NAMES + " x-name"),
    ):
        with pytest.raises(ProtocolError) as caught:
            http_signatures.check(request, NOW)
        assert caught.value.status == 401


def test_httpsig_is_loaded_without_leaving_a_stub_and_holds_under_dash_o() -> None:
    code = (
        "import sys; from node.federation.protocol import http_signatures;"
        "sys.exit('pkg_resources' in sys.modules or 'httpsig' not in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-O", "-c", code], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("algorithm", ["hs2019", None])
def test_gotosocials_hs2019_and_no_algorithm_mean_rsa_sha256(algorithm: str | None) -> None:
    verified(by_hand(plain(), algorithm=algorithm))


def test_created_stands_in_for_the_date_with_hs2019() -> None:
    names = "(request-target) host (created) (expires) digest"
    request = by_hand(plain(), names, "hs2019", created=seconds(), expires=seconds(minutes=5))
    claim = verified(request)
    assert (claim.created, claim.expires) == (seconds(), seconds(minutes=5))
    with pytest.raises(ProtocolError, match="does not hold"):
        verified(edited(str(seconds()), str(seconds(seconds=1)))(request))


def test_old_mastodons_signature_without_the_query_is_taken() -> None:
    verified(by_hand(plain(target="/inbox?page=1"), path="/inbox"))


def test_another_query_than_the_signed_one_is_refused() -> None:
    with pytest.raises(ProtocolError, match="does not hold"):
        verified(replace(by_hand(plain(target="/inbox?page=1")), target="/inbox?page=2"))


def test_another_key_and_another_kind_of_key_are_refused() -> None:
    other = replace(PUBLIC, key=keys.generate_rsa_key().public_key())
    with pytest.raises(ProtocolError, match="does not hold"):
        verified(by_hand(plain()), key=other)
    with pytest.raises(ProtocolError, match="not RSA"):
        verified(by_hand(plain()), key=keys.public_from_did(keys.generate_organisation_key().did))


def test_a_claim_of_another_request_does_not_hold() -> None:
    claim = http_signatures.check(by_hand(plain()), NOW)
    for other in (without(by_hand(plain()), "date"), by_hand(plain(target="/other"))):
        with pytest.raises(ProtocolError):
            http_signatures.verify(other, claim, PUBLIC)


def test_fedifys_signature_verifies() -> None:
    data = json.loads((VECTORS / "fedify_requests.json").read_text())
    (case,) = [item for item in data["requests"] if item["spec"].startswith("draft-cavage")]
    headers = tuple((name, value) for name, value in case["headers"])
    request = Request(case["method"], case["target"], headers, case["body"].encode())
    now = datetime.fromisoformat(data["taken"])
    verified(request, now, keys.public_from_pem(data["public_pem"], "k", "a"))


SIGNED = by_hand(plain(target="/inbox?page=1"))
PIECES = st.one_of(
    st.text(max_size=6), st.sampled_from(["host", "date", " ", ",", '"', "=", "(created)", "%s", "\r\n"])
)


@st.composite
def damaged(draw: st.DrawFn) -> Request:
    def cut(text: str) -> str:
        start = draw(st.integers(0, len(text)))
        return text[:start] + draw(PIECES) + text[start + draw(st.integers(0, 6)) :]

    part = draw(st.sampled_from(["method", "target", "body", "drop", *(name for name, _ in SIGNED.headers)]))
    if part == "drop":
        return without(SIGNED, draw(st.sampled_from([name for name, _ in SIGNED.headers])))
    if part == "body":
        return replace(SIGNED, body=cut(BODY.decode()).encode("utf-8", "surrogatepass"))
    if part in ("method", "target"):
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
        assert (request.method, request.target, request.body) == (SIGNED.method, SIGNED.target, SIGNED.body)
        for name in ("host", "date", "digest"):
            assert request.all(name)[0].strip(" \t") == SIGNED.all(name)[0]
