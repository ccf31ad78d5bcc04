"""People, rooms, sessions and the audit trail as rows, in both engines."""

from dataclasses import replace
from datetime import timedelta

import pytest

from node import people as rules
from node import people_keys
from node.errors import RefusedError
from node.federation.protocol import sealing
from node.models import audit, people, rooms, sessions
from node.people import CASES, NETWORK, Person
from node.people_keys import Cost
from tests.models.samples import NOW, settle_in

HOUR = timedelta(hours=1)


def add(database, org, name, *roles):
    """Somebody who joined and is active, with their key."""
    key = sealing.generate()
    person = Person(
        id=rules.person_id(), org=org, name=name, roles=frozenset(roles), state=rules.INVITED, language="ar",
        public="", made=NOW,
    )  # fmt: skip

    def work(connection):
        people.add(connection, person, people_keys.digest(name), NOW + rules.INVITATION)
        wrapped = people_keys.wrap(key.secret, "four invented words", Cost(64, 1, 1))
        return people.join(connection, person, key.public, wrapped, rules.ACTIVE, NOW)

    return database.write_now(work), key.secret


@pytest.fixture
def org(database):
    return settle_in(database).did


def test_somebody_is_kept_as_they_are_and_disabled_without_a_trace_of_keys(database, org):
    person, _ = add(database, org, "زينب (تدريب)", "author", "coordinator")
    assert person.roles == {"author", "coordinator"} and person.confirmed == NOW
    database.write_now(lambda connection: people.set_totp(connection, person.id, b"sealed", 7))
    database.write_now(lambda connection: people.add_passkey(connection, person, b"public", 0, NOW))
    database.write_now(lambda connection: people.set_codes(connection, person, ["a", "b"]))
    assert database.read_now(lambda connection: people.get(connection, org, person.id)).factors == 2
    assert database.read_now(lambda connection: people.by_name(connection, org, "زينب   (تدريب)")).id == person.id
    gone = database.write_now(lambda connection: people.disable(connection, person))
    assert gone == replace(person, state=rules.DISABLED)
    for left in (people.wrapped_of, people.totp_of):
        assert database.read_now(lambda connection, left=left: left(connection, person.id)) is None
    assert database.read_now(lambda connection: people.passkeys_of(connection, person.id)) == ()
    assert database.read_now(lambda connection: people.codes_left(connection, person.id)) == 0
    assert database.read_now(lambda connection: people.by_name(connection, org, person.name)) is None
    add(database, org, person.name, "author")


def test_a_step_and_a_code_are_used_once(database, org):
    person, _ = add(database, org, "Zainab (exercise)", "author")
    database.write_now(lambda connection: people.set_totp(connection, person.id, b"sealed", 7))
    used = [
        database.write_now(lambda connection, step=step: people.use_totp(connection, person.id, step))
        for step in (6, 7, 8, 8, 7, 10, 9)
    ]
    assert used == [False, False, True, False, False, True, False]
    database.write_now(lambda connection: people.set_codes(connection, person, ["a", "b"]))
    tried = [
        database.write_now(lambda connection, code=code: people.use_code(connection, person.id, code))
        for code in ("a", "a", "c", "b")
    ]
    assert tried == [True, False, False, True]


def test_tries_are_counted_by_name_and_cleared(database, org):
    def begin(who, now, known=True):
        return database.write_now(lambda connection: people.begin_try(connection, org, who, known, now))

    assert [begin("one", NOW) for _ in range(rules.FREE_TRIES)] == [None] * rules.FREE_TRIES
    assert begin("one", NOW) == NOW + timedelta(minutes=1)
    assert begin("two", NOW) is None
    assert begin("one", NOW + timedelta(minutes=1)) is None
    assert begin("one", NOW + timedelta(minutes=2)) == NOW + timedelta(minutes=3)
    database.write_now(lambda connection: people.clear_tries(connection, org, "one"))
    assert begin("one", NOW + timedelta(minutes=2)) is None


def test_a_session_ends_and_is_destroyed(database, org):
    person, secret = add(database, org, "Zainab (exercise)", "author")
    begun = database.write_now(
        lambda connection: sessions.begin(connection, "digest", person, b"sealed", NOW + HOUR / 3, shared=False)
    )
    assert (begun.made, begun.expires) == (NOW, NOW + HOUR / 3 + rules.SIGNED_IN)
    late = begun.expires

    def current(now):
        return database.read_now(lambda connection: sessions.current(connection, "digest", now))

    assert current(NOW + HOUR) == begun
    assert current(late) is None
    assert database.write_now(lambda connection: sessions.prune(connection, late - HOUR)) == 0
    assert database.write_now(lambda connection: sessions.prune(connection, late)) == 1


def test_a_room_is_granted_rotated_and_closed_to_who_left(database, org):
    one, first = add(database, org, "Zainab (exercise)", "case_worker")
    two, second = add(database, org, "Karwan (exercise)", "case_worker")
    other, third = add(database, org, "Technician (exercise)", "administrator")

    def read(secret, room=CASES):
        return database.read_now(lambda connection: rooms.secrets(connection, org, room, secret))

    def grant(secret, person):
        return database.write_now(lambda connection: rooms.grant(connection, org, CASES, secret, person))

    public = database.write_now(lambda connection: rooms.create(connection, org, CASES, (one,), NOW))
    letter = sealing.seal(b"an exercise", (public,))
    assert sealing.open_sealed(letter, read(first)) == b"an exercise"
    assert (read(second), read(first, NETWORK)) == ((), ())
    for secret, person in ((second, two), (first, other), (third, two)):
        with pytest.raises(RefusedError):
            grant(secret, person)
    assert (grant(first, two), grant(first, two)) == (1, 0)
    assert sealing.open_sealed(letter, read(second)) == b"an exercise"
    newer = database.write_now(lambda connection: rooms.rotate(connection, org, CASES, (two,), NOW))
    assert newer != public and len(read(second)) == 2 and read(first) == ()
    assert database.read_now(lambda connection: rooms.recipient(connection, org, CASES)) == newer
    assert sealing.open_sealed(letter, read(second)) == b"an exercise"
    assert database.read_now(lambda connection: rooms.holders(connection, org, CASES)) == {two.id}
    assert grant(second, one) == 2
    assert database.write_now(lambda connection: rooms.rotate(connection, org, CASES, (), NOW)) is None
    assert (read(second), database.read_now(lambda connection: rooms.recipient(connection, org, CASES))) == ((), None)


def test_the_trail_holds_until_a_row_is_touched(database, org):
    for number, act in enumerate(("invite", "join", "confirm", "lock")):
        database.write_now(
            lambda connection, act=act, number=number: audit.append(
                connection, org, act, "subject", NOW + HOUR / 4 * number, person="one", role="self"
            )
        )
    chain = database.read_now(lambda connection: audit.all_of(connection, org))
    assert audit.first_fault(org, chain) is None
    assert [each.number for each in chain] == [1, 2, 3, 4]
    assert {each.hour for each in chain} == {NOW}
    assert len({each.person for each in chain}) == 1 and chain[0].person != "one"
    for changes in ({"act": "disable"}, {"role": "shell"}, {"person": ""}, {"subject": "other"}, {"hour": NOW + HOUR}):
        assert audit.first_fault(org, (chain[0], replace(chain[1], **changes), *chain[2:])) == 2
    assert audit.first_fault(org, (chain[0], *chain[2:])) == 2
    assert audit.first_fault("did:key:other", chain) == 1


@pytest.mark.parametrize(
    ("act", "subject"), [("gossip", "one"), ("invite", "a b"), ("invite", "زينب"), ("invite", "x" * 301)]
)
def test_the_trail_takes_no_text(database, org, act, subject):
    with pytest.raises(RefusedError, match="no text"):
        database.write_now(lambda connection: audit.append(connection, org, act, subject, NOW))
