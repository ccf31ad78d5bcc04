"""People, on a real node: invited, joined, confirmed, in session, disabled; and what a thief's copy tells of it."""

import json
import re
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from node import people as rules
from node.cli import Commands, tadamun
from node.desk import people as acts
from node.desk import sign_in
from node.desk.sign_in import Reception
from node.errors import RefusedError
from node.federation.protocol import sealing
from node.models import audit, people, rooms, sessions
from node.people import APPROVALS, CASES, NETWORK
from tests.support.desk import CHEAP, PASSWORD, Browser, Worker, cheap, join, path_of, room_secrets, secret_of
from tests.support.network import NOON, Network

PLANTED = "a case that was invented for an exercise"


def put_in(house, room, text=PLANTED):
    public = house.read(lambda connection: rooms.recipient(connection, house.did, room))
    assert public is not None
    return sealing.seal(text.encode(), (public,))


async def disable(house, worker, **how):
    return await house.write(
        lambda connection: acts.disable(connection, house.organisation, worker.id, house.clock(), **how)
    )


async def test_invited_joined_confirmed_reads_and_is_disabled(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        assert zainab.person.state == rules.ACTIVE
        karwan = await join(house, "Karwan (exercise)", "case_worker")
        assert karwan.person.state == rules.JOINED
        assert not karwan.person.counting
        assert "wait for a coordinator" in (await karwan.get("/desk")).text
        assert house.read(lambda connection: rooms.recipient(connection, house.did, CASES)) is None
        assert (await zainab.get("/desk")).text.count("Karwan (exercise)") == 1
        assert (await zainab.post(f"/desk/people/{karwan.id}/confirm")).status == 303
        assert karwan.person.confirmed_by == zainab.id
        letter = put_in(house, CASES)
        assert sealing.open_sealed(letter, room_secrets(house, karwan, CASES)).decode() == PLANTED
        assert sealing.open_sealed(put_in(house, APPROVALS), room_secrets(house, karwan, APPROVALS))
        assert not room_secrets(house, zainab, CASES)
        held = secret_of(house, karwan)
        # Another case worker; the coordinator does not hold that room, so they wait for the one who does.
        nadia = await join(house, "Nadia (exercise)", "case_worker", by=zainab)
        assert not room_secrets(house, nadia, CASES)
        assert "wait for a key" in (await nadia.get("/desk")).text
        assert "Give the key" in (await karwan.get("/desk")).text
        assert (await zainab.post("/desk/rooms/grant", {"person": nadia.id, "room": CASES})).status == 409
        assert (await karwan.post("/desk/rooms/grant", {"person": nadia.id, "room": CASES})).status == 303
        assert sealing.open_sealed(letter, room_secrets(house, nadia, CASES)).decode() == PLANTED
        # Disabled: the session is gone, nothing signs in, what comes later is closed.
        answer = await zainab.post(f"/desk/people/{karwan.id}/disable", {"sure": "yes"})
        assert answer.status == 200 and "1 session was ended" in answer.text
        assert (await karwan.get("/desk")).headers["location"] == "/desk/sign-in"
        assert house.read(lambda connection: sessions.of_person(connection, house.did, karwan.id, NOON)) == ()
        assert (await karwan.sign_in()).status == 403
        later = put_in(house, CASES)
        assert not house.read(lambda connection: rooms.secrets(connection, house.did, CASES, held))
        assert sealing.open_sealed(later, room_secrets(house, nadia, CASES)).decode() == PLANTED
        assert sealing.open_sealed(letter, room_secrets(house, nadia, CASES)).decode() == PLANTED
        chain = house.read(lambda connection: audit.all_of(connection, house.did))
        assert audit.first_fault(house.did, chain) is None
        assert [each.act for each in chain].count("disable") == 1
        assert "Karwan" not in repr(chain)


async def test_a_copy_of_everything_but_the_password_reveals_nothing(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        karwan = await join(house, "Karwan (exercise)", "case_worker", by=zainab)
        letter = put_in(house, CASES)
        (house.data / "letter").write_bytes(letter)
        secrets = [*(each for room in rules.ROOMS for each in room_secrets(house, karwan, room))]
        secrets += [secret_of(house, karwan), secret_of(house, zainab), karwan.totp, PASSWORD, PLANTED]
        secrets += [*karwan.codes, *(each.replace("-", "") for each in karwan.codes), *karwan.cookies.values()]
        assert len(secrets) > 20
        taken = b"".join(path.read_bytes() for path in sorted(house.data.rglob("*")) if path.is_file())
        assert letter in taken
        assert [each for each in secrets if each.encode() in taken] == []
        assert not list(house.data.rglob("*.network.age"))
        assert b"aiohttp" not in taken, "no user agent"
        assert re.search(rb"127\.0\.0\.1(?![0-9.])", taken) is None, "no address of whoever asked"


async def test_a_technical_administrator_reads_nothing_and_confirms_nobody(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        await join(house, "Karwan (exercise)", "case_worker", by=zainab)
        admin = await join(house, "Technician (exercise)", "administrator", by=zainab, enrol=False)
        friend = await join(house, "Stranger (exercise)", "approver")
        assert [room_secrets(house, admin, room) for room in rules.ROOMS] == [(), (), ()]
        for room in rules.ROOMS:
            with pytest.raises(RefusedError, match="do not enter"):
                await house.write(
                    lambda connection, room=room: rooms.grant(
                        connection, house.did, room, secret_of(house, zainab), admin.person
                    )
                )
        await admin.enrol()
        assert (await admin.post(f"/desk/people/{friend.id}/confirm")).status == 403
        assert friend.person.state == rules.JOINED
        assert (await admin.get(f"/desk/people/{friend.id}")).status == 200


async def test_what_members_send_is_the_operators_until_the_first_person_is_active(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        keyring = house.node.keyring
        public = await house.write(
            lambda connection: rooms.ensure_network_room(connection, house.did, keyring, house.clock())
        )
        letter = sealing.seal(PLANTED.encode(), (public,))
        held = house.read(lambda connection: rooms.network_secrets(connection, house.did, keyring))
        assert sealing.open_sealed(letter, held).decode() == PLANTED
        assert len(list(house.data.rglob("*.network.age"))) == 1
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        assert not list(house.data.rglob("*.network.age"))
        assert house.read(lambda connection: rooms.network_secrets(connection, house.did, keyring)) == ()
        assert sealing.open_sealed(letter, room_secrets(house, zainab, NETWORK)).decode() == PLANTED


async def test_signing_in_takes_both_factors_and_each_code_once(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        answer = await zainab.post("/desk/sign-out")
        assert answer.status == 303 and not zainab.cookies
        assert (await zainab.get("/desk")).status == 303
        half = Worker(house=house, name=zainab.name, totp=zainab.totp, last_step=zainab.last_step)
        answer = await half.post("/desk/sign-in", {"name": " zainab  (EXERCISE) ", "password": PASSWORD})
        assert answer.status == 303
        cookie = answer.headers["set-cookie"].lower()
        assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/", "max-age=43200"))
        for path in ("/desk", "/desk/people", "/desk/factors", "/desk/organisation"):
            assert (await half.get(path)).headers["location"].startswith("/desk/factor?next=") or (
                half.seen[-1].headers["location"] == "/desk/factor"
            ), path
        await half.get("/desk/factor")
        assert (await half.post("/desk/factors/totp", {"code": "000000"})).status == 303
        assert zainab.person.factors == 1
        code = half.code()
        assert (await half.post("/desk/factor", {"code": code})).status == 303
        assert (await half.get("/desk")).status == 200
        other = Worker(house=house, name=zainab.name)
        await other.post("/desk/sign-in", {"name": zainab.name, "password": PASSWORD})
        await other.get("/desk/factor")
        assert (await other.post("/desk/factor", {"code": code})).status == 403, "a code is taken once"
        assert (await other.post("/desk/factor", {"code": zainab.codes[0].upper()})).status == 303
        assert (await other.get("/desk")).status == 200
        again = Worker(house=house, name=zainab.name)
        await again.post("/desk/sign-in", {"name": zainab.name, "password": PASSWORD})
        await again.get("/desk/factor")
        assert (await again.post("/desk/factor", {"code": zainab.codes[0]})).status == 403, "so is a recovery code"
        page = (await half.get("/desk")).text
        ends = re.findall(r'name="session" value="([0-9a-f]{16})"', page)
        assert len(ends) == 1
        assert (await half.post("/desk/sessions/end", {"session": ends[0]})).status == 303
        assert (await other.get("/desk")).status == 303


async def test_wrong_tries_cost_time_and_an_unknown_name_gets_the_same_answers(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        known, unknown = [], []
        for name, answers in ((zainab.name, known), ("Nobody (exercise)", unknown)):
            for _ in range(rules.FREE_TRIES + 1):
                answers.append(await Browser(house).post("/desk/sign-in", {"name": name, "password": "wrong words"}))
        assert [each.status for each in known] == [403] * 5 + [429]
        assert [(each.status, each.body) for each in known] == [(each.status, each.body) for each in unknown]
        assert "1 minute" in known[-1].text
        await zainab.post("/desk/sign-out")
        assert (await zainab.sign_in()).status == 429, "the right password waits too"
        net.clock.forward(timedelta(minutes=1, seconds=5))
        assert (await zainab.sign_in()).status == 303
        assert (await zainab.get("/desk")).status == 200


async def test_strangers_tries_hold_nobody_up_in_a_browser_that_is_known(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        karwan = await join(house, "Karwan (exercise)", "coordinator", by=zainab)
        for each in (zainab, karwan):
            await each.post("/desk/sign-out")
            assert (await each.sign_in()).status == 303
            await each.post("/desk/sign-out")
        token = next(value for name, value in zainab.cookies.items() if name.endswith("-known"))
        assert token.encode() not in house.files(), "the disk holds its digest"

        async def strangers(count, known=""):
            browser = Browser(house)
            if known:
                browser.cookies = {name: known for name in zainab.cookies if name.endswith("-known")}
            tried = {"name": zainab.name, "password": "wrong words"}
            return [(await browser.post("/desk/sign-in", tried)).status for _ in range(count)][-1]

        assert await strangers(rules.FREE_TRIES + 1) == 429
        other = next(value for name, value in karwan.cookies.items() if name.endswith("-known"))
        assert await strangers(1, other) == 429, "another's browser is a stranger's"
        net.clock.forward(timedelta(seconds=30))
        assert (await zainab.sign_in()).status == 303, "hers is known"
        assert await strangers(rules.FREE_TRIES + 1, token) == 429, "who stole it has five tries, too"
        await zainab.post("/desk/sign-out")
        assert (await zainab.sign_in()).status == 429


async def test_a_shared_computer_is_known_to_nobody(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        await zainab.post("/desk/sign-out")
        await zainab.sign_in(shared=True)
        assert not [name for name in zainab.cookies if name.endswith("-known")]


async def test_a_form_of_another_site_or_session_does_nothing(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        karwan = await join(house, "Karwan (exercise)", "approver", by=zainab)
        path, sure = f"/desk/people/{karwan.id}/disable", {"sure": "yes"}
        for how in (
            {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": ""}, {"token": ""},
            {"token": karwan.token}, {"token": "0" * 64},
        ):  # fmt: skip
            assert (await zainab.post(path, sure, **how)).status == 403, how
        assert karwan.person.state == rules.ACTIVE
        net.clock.forward(rules.FRESH + timedelta(minutes=1))
        assert (await zainab.post(path, sure)).headers["location"].startswith("/desk/factor?next=")
        assert karwan.person.state == rules.ACTIVE
        assert (await zainab.refresh()).status == 303
        assert (await zainab.post(path, sure)).status == 200
        assert karwan.person.state == rules.DISABLED
        for answer in zainab.seen:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-robots-tag"] == "noindex"
            assert answer.headers["referrer-policy"] == "same-origin"


async def test_a_shared_computer_is_signed_out_when_idle_and_remembers_nothing(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        await zainab.post("/desk/sign-out")
        await zainab.post("/desk/sign-in", {"name": zainab.name, "password": PASSWORD, "shared": "yes"})
        assert "max-age" not in zainab.seen[-1].headers["set-cookie"].lower()
        await zainab.refresh()
        for _ in range(3):
            net.clock.forward(rules.SHARED_IDLE - timedelta(minutes=1))
            assert (await zainab.get("/desk")).status == 200
        answer = await zainab.post("/desk/sign-out")
        assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
        await zainab.sign_in(shared=True)
        net.clock.forward(rules.SHARED_IDLE + timedelta(seconds=1))
        assert (await zainab.get("/desk")).status == 303


async def test_a_restart_ends_no_session(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        karwan = await join(house, "Karwan (exercise)", "case_worker", by=zainab)
        await house.stop()
        await house.start()
        cheap(house)
        assert (await karwan.get("/desk")).status == 200
        assert room_secrets(house, karwan, CASES)


async def test_an_invitation_works_once_and_not_for_ever(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        cheap(house)

        async def invite(name):
            made = await house.write(
                lambda connection: acts.invite(connection, house.organisation, name, ["author"], house.clock())
            )
            return path_of(made.link)

        link, words = await invite("Sara (exercise)"), {"password": PASSWORD, "again": PASSWORD}
        assert (await Browser(house).get(link)).status == 200
        for bad in ({"password": "short", "again": "short"}, {"password": PASSWORD, "again": PASSWORD + "!"}):
            assert (await Browser(house).post(link, bad)).status == 422
        assert (await Browser(house).post(link, words, origin="https://evil.example")).status == 403
        assert (await Browser(house).post(link, words)).status == 303
        assert (await Browser(house).post(link, words)).status == 404
        late, void = await invite("Late (exercise)"), await invite("Void (exercise)")
        with pytest.raises(RefusedError, match="somebody here has this name"):
            await invite("LATE (exercise)")
        await house.write(
            lambda connection: acts.disable(connection, house.organisation, "Void (exercise)", house.clock())
        )
        assert (await Browser(house).get(void)).status == 404
        net.clock.forward(rules.INVITATION)
        assert (await Browser(house).post(late, words)).status == 404
        assert house.read(lambda connection: people.active(connection, house.did, "author")) == ()


async def test_the_last_coordinator_and_the_last_in_a_room_are_not_disabled_by_mistake(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        karwan = await join(house, "Karwan (exercise)", "case_worker", by=zainab)
        with pytest.raises(RefusedError, match="last coordinator"):
            await disable(house, zainab, losing=True)
        with pytest.raises(RefusedError, match="nobody else holds the keys of some rooms"):
            await disable(house, karwan)
        assert (await karwan.get("/desk")).status == 200
        done = await disable(house, karwan, losing=True)
        assert (done.lost, done.rooms) == ((CASES,), (APPROVALS, NETWORK))
        assert house.read(lambda connection: rooms.recipient(connection, house.did, CASES)) is None
        nadia = await join(house, "Nadia (exercise)", "case_worker", by=zainab)
        assert sealing.open_sealed(put_in(house, CASES), room_secrets(house, nadia, CASES)).decode() == PLANTED


async def test_whoever_has_the_password_cannot_try_codes_for_ever(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        answers = []
        for _ in range(rules.FREE_TRIES + 1):
            thief = Browser(house)
            await thief.post("/desk/sign-in", {"name": zainab.name, "password": PASSWORD})
            await thief.get("/desk/factor")
            answers.append((await thief.post("/desk/factor", {"code": "000000"})).status)
        assert answers == [403] * 5 + [429]
        assert (await zainab.get("/desk")).status == 200, "who is in session stays in"
        assert (await zainab.refresh()).status == 429
        net.clock.forward(timedelta(minutes=1, seconds=5))
        assert (await zainab.refresh()).status == 303


class Counted(Reception):
    """Counts how often a password is tried."""

    tried = 0

    async def derive(self, work):
        self.tried += 1
        return await super().derive(work)


async def test_a_name_that_nobody_has_costs_the_same_work(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a")
        zainab = await join(house, "Zainab (exercise)", "coordinator")
        await house.write(lambda connection: acts.invite(connection, house.organisation, "Sara", ["author"], NOON))
        reception = Counted(CHEAP)
        for number, name in enumerate((zainab.name, "Nobody (exercise)", "Sara", ""), 1):
            found = await sign_in.sign_in(
                reception, house.node.database, house.organisation, name, "wrong words", house.clock(), shared=False
            )
            assert (found, reception.tried) == (sign_in.Wrong(), number)


async def test_the_command_line_invites_and_shows_and_never_confirms(tmp_path):
    async with Network(tmp_path) as net:
        house = await net.house("a", start=False)
        data, env = str(house.data), {"TADAMUN_ALLOW_NETWORKS": "127.0.0.0/8"}
        await house.stop()

        def run(*words):
            return CliRunner(env=env).invoke(tadamun, ["--data", data, *words], standalone_mode=False)

        made = json.loads(run("user", "add", "Zainab (exercise)", "--role", "coordinator", "--json").stdout)
        assert sorted(made) == ["expires", "link", "name", "roles"]
        assert made["link"].startswith(house.origin + "/desk/join/")
        run("user", "add", "Karwan (exercise)", "--role", "approver", "--role", "author")
        found = json.loads(run("user", "list", "--json").stdout)
        assert [(each["name"], each["roles"], each["state"]) for each in found] == [
            ("Zainab (exercise)", ["coordinator"], "invited"), ("Karwan (exercise)", ["approver", "author"], "invited"),
        ]  # fmt: skip
        assert "nobody is coordinator" in run("doctor").stdout
        assert sorted(Commands().get_command(None, "user").commands) == ["add", "disable", "list"]
        assert json.loads(run("user", "disable", "karwan (exercise)", "--json").stdout)["state"] == "disabled"
        trail = json.loads(run("audit", "--json").stdout)
        assert trail["holds"] and [each["act"] for each in trail["acts"]] == ["invite", "invite", "disable"]
        changed = text("UPDATE audit SET role = 'self' WHERE number = 2")
        await house.write(lambda connection: connection.execute(changed))
        assert "row 2 was changed" in str(run("audit").exception)
