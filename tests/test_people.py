"""Rules about people: start with what is allowed, break one thing."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

from node import people, people_factors, people_keys
from node.errors import RefusedError
from node.federation.protocol import sealing
from node.people import ACTIVE, DISABLED, DUTIES, INVITED, JOINED, ROLES, ROOMS, Person
from node.people_keys import Cost, WrongPasswordError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CHEAP = Cost(64, 1, 1)
ORIGIN = "https://alerts.example.org"


def person(*roles, **changes):
    made = Person(
        id="one", org="did:key:z", name="Zainab (exercise)", roles=frozenset(roles), state=ACTIVE, language="ar",
        public="age1", made=NOW, confirmed=NOW, factors=1,
    )  # fmt: skip
    return replace(made, **changes)


def test_each_role_enters_the_rooms_of_its_duty_and_no_other():
    assert {role: set(DUTIES[role].rooms) for role in ROLES} == {
        "author": {"network"},
        "approver": {"approvals", "network"},
        "case_worker": {"cases", "approvals", "network"},
        "coordinator": {"approvals", "network"},
        "administrator": set(),
    }
    assert set(ROOMS) == {room for duty in DUTIES.values() for room in duty.rooms}


def test_each_role_does_what_it_is_for():
    acts = ("write", "approve", "cases", "people", "disable", "lock", "unlock", "replies", "trust", "profile", "node")
    assert {role: [act for act in acts if person(role).may(act)] for role in ROLES} == {
        "author": ["write", "lock"],
        "approver": ["approve", "lock", "replies"],
        "case_worker": ["write", "cases", "lock", "replies"],
        "coordinator": ["people", "disable", "lock", "unlock", "replies", "trust", "profile", "node"],
        "administrator": ["disable", "lock", "node"],
    }
    assert {role for role in ROLES if person(role).needs_factor} == {"approver", "case_worker", "coordinator"}


@pytest.mark.parametrize("state", [INVITED, JOINED, DISABLED])
def test_no_role_counts_unless_its_person_is_active(state):
    found = person(*ROLES, state=state)
    assert (found.counting, found.rooms, found.may("approve")) == (frozenset(), frozenset(), False)
    assert found.needs_factor


@pytest.mark.parametrize(
    ("roles", "coordinators", "state"),
    [
        (["coordinator"], 0, ACTIVE),
        (["coordinator", "approver"], 0, ACTIVE),
        (["coordinator"], 1, JOINED),
        (["approver"], 0, JOINED),
        (["administrator"], 0, JOINED),
    ],
)
def test_only_the_first_coordinator_needs_nobody(roles, coordinators, state):
    assert people.joins_as(roles, coordinators) == state


@pytest.mark.parametrize(
    ("by", "about", "reason"),
    [
        (person("coordinator"), person("approver", id="two", state=JOINED), None),
        (person("administrator"), person("approver", id="two", state=JOINED), "only a coordinator"),
        (person("coordinator", state=JOINED), person("approver", id="two", state=JOINED), "only a coordinator"),
        (person("coordinator"), person("approver", state=JOINED), "nobody confirms themselves"),
        (person("coordinator"), person("approver", id="two"), "does not wait"),
        (person("coordinator"), person("approver", id="two", state=INVITED), "does not wait"),
        (person("coordinator"), person("approver", id="two", state=DISABLED), "does not wait"),
        (person("coordinator"), person("approver", id="two", state=JOINED, factors=0), "second factor"),
        (person("coordinator"), person("author", id="two", state=JOINED, factors=0), None),
    ],
)
def test_who_confirms_whom(by, about, reason):
    if reason is None:
        return people.check_confirm(by, about)
    with pytest.raises(RefusedError, match=reason):
        people.check_confirm(by, about)
    return None


@pytest.mark.parametrize(
    ("about", "coordinators", "alone", "losing", "reason"),
    [
        (person("coordinator"), 2, (), False, None),
        (person("approver"), 1, (), False, None),
        (person("coordinator", state=JOINED), 1, (), False, None),
        (person("coordinator"), 1, (), True, "last coordinator"),
        (person("case_worker"), 1, ("cases",), False, "nobody else holds the keys of some rooms"),
        (person("case_worker"), 1, ("cases",), True, None),
        (person("author", state=DISABLED), 1, (), True, "disabled already"),
    ],
)
def test_who_may_be_disabled(about, coordinators, alone, losing, reason):
    if reason is None:
        return people.check_disable(about, coordinators, alone, losing=losing)
    with pytest.raises(RefusedError, match=reason):
        people.check_disable(about, coordinators, alone, losing=losing)
    return None


@pytest.mark.parametrize(
    ("by", "authors", "before", "fresh", "reason"),
    [
        (person("approver"), {"two"}, {"three"}, True, None),
        (person("author", "coordinator", "case_worker", "administrator"), {"two"}, (), True, "only an approver"),
        (person("approver", state=JOINED), {"two"}, (), True, "only an approver"),
        (person("approver", "author"), {"one", "two"}, (), True, "what they wrote"),
        (person("approver"), {"two"}, {"one"}, True, "counts twice"),
        (person("approver"), {"two"}, (), False, "second factor"),
    ],
)
def test_who_approves(by, authors, before, fresh, reason):
    if reason is None:
        return people.check_approve(by, authors, before, fresh)
    with pytest.raises(RefusedError, match=reason):
        people.check_approve(by, authors, before, fresh)
    return None


def test_waiting_doubles_up_to_an_hour():
    minutes = [people.wait_after(tries) // timedelta(minutes=1) for tries in (0, 4, 5, 6, 7, 10, 11, 12, 10_000)]
    assert minutes == [0, 0, 1, 2, 4, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("four invented words here", None),
        ("أربع كلمات مخترعة للتدريب", None),
        ("x" * 11, "12 characters"),
        ("a b c d e f" + "g" * 1000, "at most"),
        ("aaaaaaaaaaaaaaaa", "first that others"),
        ("zainab  (EXERCISE)", "first that others"),
    ],
)
def test_passwords(password, reason):
    if reason is None:
        assert people.check_password(password, "Zainab (exercise)") == password
        return
    with pytest.raises(RefusedError, match=reason):
        people.check_password(password, "Zainab (exercise)")


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\u202eb", "a\x00b", "a\u200fb"])
def test_names_that_are_none(name):
    with pytest.raises(RefusedError, match="a name has"):
        people.check_name(name)


def test_names_are_compared_without_capitals_width_and_spaces():
    assert people.check_name(" زينب   حسن ") == "زينب حسن"
    assert people.folded("Ｚainab  HASSAN") == people.folded("zainab hassan")


@pytest.mark.parametrize(
    ("shown", "fresh"), [(None, False), (timedelta(), True), (people.FRESH, True), (people.FRESH * 2, False),
                         (timedelta(seconds=-1), False)]
)  # fmt: skip
def test_a_second_factor_is_fresh_for_ten_minutes(shown, fresh):
    assert people.is_fresh(None if shown is None else NOW - shown, NOW) is fresh


# --- keys ---------------------------------------------------------------------------------------------------------


def test_a_secret_opens_under_its_password_and_no_other():
    wrapped = people_keys.wrap("AGE-SECRET-KEY-1", "four invented words", CHEAP)
    assert people_keys.unwrap(wrapped, "four invented words") == "AGE-SECRET-KEY-1"
    assert b"AGE-SECRET" not in wrapped.sealed
    other = people_keys.wrap("AGE-SECRET-KEY-1", "four invented words", CHEAP)
    changed = bytes([wrapped.sealed[0] ^ 1]) + wrapped.sealed[1:]
    for broken, password in (
        (wrapped, "four invented word"), (wrapped, ""), (people_keys.nobody(CHEAP), "four invented words"),
        (replace(wrapped, salt=other.salt), "four invented words"),
        (replace(wrapped, sealed=changed), "four invented words"),
        (replace(wrapped, cost=Cost(128, 1, 1)), "four invented words"),
    ):  # fmt: skip
        with pytest.raises(WrongPasswordError):
            people_keys.unwrap(broken, password)


def test_what_is_tried_for_nobody_is_as_long_as_a_real_key():
    real = people_keys.wrap(sealing.generate().secret, "four invented words", CHEAP)
    assert len(people_keys.nobody().sealed) == len(real.sealed)
    assert Cost(65_536, 3, 1) == people_keys.USUAL, "RFC 9106 §4, second choice, with one lane"
    assert people_keys.parse_cost(str(people_keys.USUAL)) == people_keys.USUAL


def test_a_session_opens_with_its_cookie_only():
    cookie = people_keys.new_token()
    kept = people_keys.keep_open("AGE-SECRET-KEY-1", cookie)
    assert people_keys.reopen(kept, cookie) == "AGE-SECRET-KEY-1"
    for wrong in (people_keys.new_token(), people_keys.digest(cookie), people_keys.form_token(cookie), ""):
        with pytest.raises(RefusedError):
            people_keys.reopen(kept, wrong)
    assert people_keys.form_token(cookie) != people_keys.form_token(people_keys.new_token())


def test_recovery_codes_are_long_and_read_from_paper():
    code = people_keys.new_code()
    assert len(code.replace("-", "")) == 16
    assert people_keys.code_digest("one", code) == people_keys.code_digest("one", f" {code.upper()} ".replace("-", " "))
    assert people_keys.code_digest("one", code) != people_keys.code_digest("two", code)


# --- second factors -----------------------------------------------------------------------------------------------


def test_a_code_counts_for_its_half_minute_and_its_neighbours():
    secret = people_factors.new_totp()
    code = people_factors.totp_code(secret, NOW)
    step = int(NOW.timestamp()) // 30
    late = (-60, -30, 0, 30, 60)
    found = {each: people_factors.totp_step(secret, code, NOW + timedelta(seconds=each)) for each in late}
    assert found == {-60: None, -30: step, 0: step, 30: step, 60: None}
    arabic = code.translate({ord("0") + digit: 0x660 + digit for digit in range(10)})
    assert people_factors.totp_step(secret, f" {arabic[:3]} {arabic[3:]} ", NOW) == step
    for wrong in ("", "0", "abcdef", code + "0", "²" * 6):
        assert people_factors.totp_step(secret, wrong, NOW) is None


def test_the_uri_names_the_organisation():
    uri = people_factors.totp_uri("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "زينب", "Exercise organisation")
    assert uri.startswith("otpauth://totp/Exercise%20organisation:")
    assert "secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" in uri and "issuer=Exercise%20organisation" in uri


class Authenticator:
    """A passkey, written down as WebAuthn §6.1 has it."""

    def __init__(self, host="alerts.example.org"):
        self.host = host
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = sha256(b"an exercise").digest()
        self.uses = 0

    def data(self, flags, tail=b""):
        self.uses += 1
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.uses.to_bytes(4) + tail

    def client(self, kind, options, origin):
        challenge = json.loads(options)["publicKey"]["challenge"]
        return json.dumps({"type": f"webauthn.{kind}", "challenge": challenge, "origin": origin}).encode()

    def answer(self, **parts):
        response = {name: websafe_encode(value) for name, value in parts.items()}
        name = websafe_encode(self.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def make(self, options, origin=ORIGIN):
        public = cbor.encode(ES256.from_cryptography_key(self.key.public_key()))
        data = self.data(0x45, bytes(16) + len(self.id).to_bytes(2) + self.id + public)
        attested = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self.answer(clientDataJSON=self.client("create", options, origin), attestationObject=attested)

    def show(self, options, origin=ORIGIN, flags=0x05):
        data, client = self.data(flags), self.client("get", options, origin)
        signature = self.key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self.answer(clientDataJSON=client, authenticatorData=data, signature=signature)


def enrolled():
    passkey = Authenticator()
    asked = people_factors.ask_to_make(ORIGIN, "Exercise", "one", "Zainab (exercise)", [])
    credential, uses = people_factors.made(ORIGIN, "Exercise", asked.state, passkey.make(asked.options))
    return passkey, (credential, uses)


def test_a_passkey_is_made_and_shown():
    passkey, known = enrolled()
    asked = people_factors.ask_to_show(ORIGIN, "Exercise", [known[0]])
    assert people_factors.shown(ORIGIN, "Exercise", asked.state, passkey.show(asked.options), [known]) == (0, 2)


@pytest.mark.parametrize(
    "broken",
    [
        "origin", "challenge", "host", "absent", "other key", "backwards", "no json", "a list", "nothing asked",
        "too long",
    ],
)
def test_a_passkey_that_does_not_answer_is_refused(broken):
    passkey, known = enrolled()
    asked = people_factors.ask_to_show(ORIGIN, "Exercise", [known[0]])
    state, other = asked.state, people_factors.ask_to_show(ORIGIN, "Exercise", [known[0]])
    answer = passkey.show(asked.options)
    if broken == "origin":
        answer = passkey.show(asked.options, "https://alerts.example.org.evil.example")
    elif broken == "challenge":
        answer = passkey.show(other.options)
    elif broken == "host":
        passkey.host = "evil.example"
        answer = passkey.show(asked.options)
    elif broken == "absent":
        answer = passkey.show(asked.options, flags=0)
    elif broken == "other key":
        passkey.key = ec.generate_private_key(ec.SECP256R1())
        answer = passkey.show(asked.options)
    elif broken == "backwards":
        known = (known[0], 99)
    elif broken == "nothing asked":
        state = ""
    else:
        answer = {"no json": "{", "a list": "[]", "too long": " " * 20_001 + answer}[broken]
    with pytest.raises(RefusedError, match="this passkey"):
        people_factors.shown(ORIGIN, "Exercise", state, answer, [known])


def test_a_passkey_made_for_another_origin_is_refused():
    asked = people_factors.ask_to_make(ORIGIN, "Exercise", "one", "Zainab (exercise)", [])
    elsewhere = Authenticator().make(asked.options, "https://evil.example")
    for answer in (elsewhere, Authenticator("evil.example").make(asked.options)):
        with pytest.raises(RefusedError, match="does not answer"):
            people_factors.made(ORIGIN, "Exercise", asked.state, answer)
