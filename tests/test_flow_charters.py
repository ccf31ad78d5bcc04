"""Charters among nodes: frozen, affirmed with a name and without, withdrawn, amended; a bundle that needs no node."""

import json
import re

import pytest
from click.testing import CliRunner

from node import charter_bundles
from node.cli import tadamun
from node.commands.charters import EXAMPLE
from node.commands.context import Office
from node.desk import charter_bundles as files
from node.desk import charters as desk
from node.desk import members
from node.errors import NodeError, RefusedError
from node.federation import trust
from node.models import charters as rows
from node.models import documents, logs
from node.models.views import View
from tests.support.fediverse import Host
from tests.support.network import Network, path_of, wait_until

TEXT = json.loads(EXAMPLE.read_bytes())


async def act(house, do, *words, **more):
    done = await house.write(
        lambda connection: do(connection, house.organisation, house.key, *words, house.clock(), **more)
    )
    house.node.delivery.wake()
    return done


async def freeze(house, value=TEXT, **more):
    made = house.read(lambda connection: desk.draft(connection, house.organisation, value, house.clock(), **more))
    await act(house, desk.freeze, made)
    return made["textDigest"]


async def affirm(house, digest, articles=(), name=""):
    return await act(house, desk.affirm, digest, articles, name, "en")


def found(house, digest):
    return house.read(lambda connection: desk.find(connection, house.organisation, digest))


def affirmed(house, digest):
    charter = found(house, digest)
    return house.read(lambda connection: desk.affirmed(connection, house.organisation, charter))


def names(house, digest):
    return {each.name for each in affirmed(house, digest).names}


def bundle(house, digest):
    charter = found(house, digest)
    return house.read(
        lambda connection: files.bundle(connection, house.organisation, house.key, charter, house.clock())
    )


def holds(house, digest):
    return bool(house.read(lambda connection: rows.find(connection, house.did, digest)))


async def everywhere(houses, digest, wanted, withheld=0):
    for house in houses:
        await wait_until(
            lambda house=house: (names(house, digest), affirmed(house, digest).withheld) == (wanted, withheld),
            f"the list is {wanted} and {withheld}",
        )


async def kept(a, *others):
    digest = await freeze(a)
    for house in others:
        await wait_until(lambda house=house: holds(house, digest), "the charter is there")
    return digest


async def test_a_charter_is_affirmed_withdrawn_and_proved_without_any_node(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        elsewhere = await Host(net, 1, "amal").start()
        assert (await elsewhere.follow("amal", a)).status == 202
        await wait_until(lambda: len(elsewhere.got("Accept")) == 1, "the follow is accepted")
        digest = await kept(a, b, c)
        await affirm(a, digest, name="Exercise organisation of a")
        await affirm(b, digest, ("3", "1"), "Exercise organisation of b")
        await act(c, desk.affirm_withheld, digest)
        wanted = {"Exercise organisation of a", "Exercise organisation of b"}
        await everywhere((a, b, c), digest, wanted, 1)
        assert affirmed(a, digest) == affirmed(b, digest) == affirmed(c, digest)
        await wait_until(lambda: elsewhere.got("Create"), "followers are told of the text")
        article = elsewhere.got("Create")[0]["object"]
        assert article["type"] == "Article" and "تدريب" in article["content"] and article["name"] in article["content"]
        assert [each["object"]["type"] for each in elsewhere.got("Create")] == ["Article"], "and of no name"
        for house in (a, b):
            assert c.organisation.name.encode() not in bundle(house, digest)

        early = bundle(c, digest)
        proven = charter_bundles.parse(early)
        assert {each.name for each in proven.affirmed.names} == wanted
        assert (proven.affirmed.withheld, proven.maker, proven.charter.digest) == (1, c.did, digest)
        assert proven.name(b.did) == b.organisation.name and c.did not in proven.heads

        taken = await act(b, desk.withdraw, digest)
        await everywhere((a, b, c), digest, {"Exercise organisation of a"}, 1)
        assert b"of b" not in bundle(a, digest)
        assert (await a.get(path_of(b.organisation.at("/objects/" + taken[0].rpartition("/")[2])))).status == 410
        await act(c, desk.withdraw, digest)
        await everywhere((a, b, c), digest, {"Exercise organisation of a"}, 0)
        with pytest.raises(RefusedError, match="do not affirm"):
            await act(c, desk.withdraw, digest)
        with pytest.raises(RefusedError, match="already"):
            await affirm(a, digest, name="Exercise organisation of a")
        with pytest.raises(RefusedError, match="no article"):
            await affirm(c, digest, ("99",))
        with pytest.raises(RefusedError, match="already"):
            await freeze(a)


async def test_a_name_can_be_shown_hidden_and_shown_again_and_counts_once(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        await affirm(b, digest, name="Exercise name")
        await everywhere((a, b), digest, {"Exercise name"})
        await act(b, desk.affirm_withheld, digest)
        await everywhere((a, b), digest, set(), 1)
        await affirm(b, digest, ("1",), "Exercise name, again")
        await everywhere((a, b), digest, {"Exercise name, again"}, 0)
        await affirm(b, digest, ("1", "2"), "Exercise name, again")
        await wait_until(lambda: [each.articles for each in affirmed(a, digest).names] == [("1", "2")], "two articles")
        with pytest.raises(RefusedError, match="our own"):
            await act(a, desk.affirm_withheld, digest)


async def test_an_amendment_is_another_text_which_nobody_has_affirmed_yet(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        await affirm(b, digest, name="Exercise name")
        changed = json.loads(json.dumps(TEXT))
        for language in changed:
            changed[language]["articles"][6]["text"] += " EXERCISE: in two days."
        with pytest.raises(RefusedError, match="we keep no charter"):
            await freeze(b, changed, kind="amendment", amends=digest)
        later = await freeze(a, changed, kind="amendment", amends=digest)
        await wait_until(lambda: holds(b, later), "the amendment is there")
        assert (names(b, digest), names(b, later)) == ({"Exercise name"}, set())
        charter = found(b, later)
        kept_ = b.read(lambda connection: desk.versions(connection, b.organisation, charter))
        assert [each.digest for each in kept_] == [digest, later]
        proven = charter_bundles.parse(bundle(b, later))
        assert [each.digest for each in proven.earlier] == [digest]
        assert proven.affirmed.count == 0


async def test_a_frozen_keys_affirmation_past_the_freeze_does_not_count(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        digest = await kept(a, b, c)
        await affirm(b, digest, name="Exercise name")
        await everywhere((a, c), digest, {"Exercise name"})
        epoch, sequence = c.head(b.did)
        await c.freeze(b.did, sequence)
        assert names(c, digest) == {"Exercise name"}
        await c.freeze(b.did, sequence - 1)
        assert names(c, digest) == set()
        await c.freeze(a.did, c.head(a.did)[1])
        path = f"/charters/{documents.page_name(found(c, digest).id)}"
        assert "caution" in (await c.get(path, Accept="text/html")).text, "its keeper's key is frozen here"
        assert charter_bundles.parse(bundle(c, digest)).affirmed.count == 0
        await a.write(lambda connection: members.remove(connection, a.organisation, b.did))
        assert names(a, digest) == set()


async def test_the_list_is_made_anew_from_the_logs_and_goes_with_its_text(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        await affirm(b, digest, name="Exercise name")
        await everywhere((a, b), digest, {"Exercise name"})
        before = affirmed(a, digest)

        def rebuild(connection):
            view = View(connection, a.organisation)
            return [trust.rebuild(view, did, a.clock()) for did in logs.head_table(connection, a.did)]

        await a.write(rebuild)
        assert affirmed(a, digest) == before
        with pytest.raises(RefusedError, match="another organisation"):
            await act(b, desk.remove, digest)
        name = found(a, digest).id
        await act(a, desk.remove, digest)
        for house in (a, b):
            await wait_until(lambda house=house: not holds(house, digest), "the text is gone")
            assert (await house.get(f"/charters/{documents.page_name(name)}")).status == 410
        assert (await act(b, desk.withdraw, digest)), "a name comes off even then"


async def test_the_commands_freeze_affirm_list_compare_bundle_and_prove(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        text = tmp_path / "charter.json"

        def run(house, *words, code=0, raw=False, data=True):
            place = ("--data", str(house.data)) if data and house else ()
            told = () if raw else ("--json",)
            answer = CliRunner().invoke(tadamun, [*words, *place, *told], obj=Office(None))
            assert answer.exit_code == code, answer.output + repr(answer.exception)
            return answer if raw or code else json.loads(answer.stdout)

        text.write_text(CliRunner().invoke(tadamun, ["charter", "example"]).output, "utf-8")
        await a.stop()
        asked = CliRunner().invoke(
            tadamun, ["charter", "freeze", str(text), "--data", str(a.data)], obj=Office(None), input="n\n"
        )
        assert asked.exit_code == 1 and "Publish this text?" in asked.stderr and "EXERCISE" in asked.stderr
        assert run(a, "charter", "list") == []
        frozen = run(a, "charter", "freeze", str(text), "--yes")
        digest = frozen["digest"]
        await a.start()
        await b.sync(a)
        await b.stop()
        assert run(b, "charter", "affirm", digest, code=2)
        run(b, "charter", "affirm", digest, "--show-name", "--name", "Exercise name", "--articles", "1,2")
        listed = run(b, "charter", "list")
        assert [(each["digest"], each["affirmed"], each["ours"]) for each in listed] == [(digest, 1, "named")]
        shown = run(b, "charter", "show", digest)
        assert [(each["name"], each["articles"], each["verified"]) for each in shown["names"]] == [
            ("Exercise name", ["1", "2"], True)
        ]
        file, page = tmp_path / "charter.bundle.json", tmp_path / "charter.html"
        run(b, "charter", "bundle", digest, "--to", str(file), "--html", str(page))
        assert run(b, "charter", "bundle", digest, "--to", str(file), code=1)
        proved = run(None, "verify", str(file))
        assert (proved["digest"], [each["name"] for each in proved["names"]]) == (digest, ["Exercise name"])
        told = run(None, "verify", str(file), raw=True).output
        assert "Exercise name (articles 1, 2)" in told and "as of these heads" in told
        html = page.read_text("utf-8")
        assert digest in html and "Exercise name" in html
        assert "<script" not in html and not re.search(r'(src|href)="[^#]', html)

        text.write_text(json.dumps({"en": TEXT["en"]}), "utf-8")
        await b.start()
        await a.stop()
        later = run(a, "charter", "freeze", str(text), "--amends", digest, "--yes")["digest"]
        differ = run(a, "charter", "diff", digest, later)["differences"]
        assert set(differ) == {"ar"} and {each["kind"] for each in differ["ar"]} == {"removed"}
        await b.stop()
        assert len(run(b, "charter", "withdraw", digest)["taken_back"]) == 1
        assert run(b, "charter", "show", digest)["names"] == []


async def test_a_changed_bundle_proves_nothing(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        await affirm(b, digest, name="Exercise name")
        await everywhere((a,), digest, {"Exercise name"})
        raw = bundle(a, digest)
        whole = charter_bundles.parse(raw)
        for place in range(0, len(raw), max(1, len(raw) // 600)):
            changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            try:
                again = charter_bundles.parse(changed)
            except NodeError:
                continue
            assert again == whole, place
        held = a.read(lambda connection: documents.stored(connection, a.did, found(a, digest).id))
        assert held.type == "Charter"
