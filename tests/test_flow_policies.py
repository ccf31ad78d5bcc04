"""Others' alerts that a node does not show, or does not even hold, through whole nodes."""

import json

from click.testing import CliRunner

from node.cli import tadamun
from node.desk import copies
from node.desk import policies as desk
from node.models import alerts, documents, logs, queues
from node.policies import Rule
from tests.support.network import Network, page_of, path_of, wait_until

ACTIVITY = "application/activity+json"
SECRET = "عنوان تدريبي لا يُعاد نشره"


async def decide(house, *rules, drop=False):
    given = [Rule(*rule) for rule in rules]
    return await house.write(
        lambda connection: desk.decide(connection, house.organisation, given, house.clock(), drop=drop)
    )


def log_path(did):
    return f"/.well-known/apgateway/{did}/log/1/1"


async def seen(house, said, author):
    """Where a reader without a key finds an alert on a node."""
    found = set()
    places = {
        "home": "/", "list": "/alerts", "author": f"/organisations/{author.did}", "page": page_of(said),
        "letters": page_of(said) + "/letters", "bundle": page_of(said) + "/bundle", "log": log_path(author.did),
        "object": path_of(said.id), "outbox": f"/.well-known/apgateway/{author.did}/actor/outbox/1/1000",
    }  # fmt: skip
    for name, path in places.items():
        accept = ACTIVITY if name in ("object", "log", "outbox") else "text/html"
        if SECRET in (await house.get(path, Accept=accept)).text:
            found.add(name)
    plan = house.read(lambda connection: copies.plan(connection, house.organisation, 20))
    if any(page_of(said) in path for path in plan.pages) or path_of(said.id) in plan.documents:
        found.add("mirror")
    return found


def entries_of(house, author):
    return [
        entry
        for entry in house.read(lambda connection: logs.of_types(connection, house.did, author.did, ("Create",)))
        if entry.state == logs.UNHELD
    ]


async def test_what_is_not_shown_is_nowhere_for_everyone_and_still_goes_to_members(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.house("a"), await net.house("b"), await net.house("c")
        await net.befriend(a, b)
        await net.befriend(b, c)
        said = await a.publish(status="actual", country="IQ", headline=SECRET, translations={})
        await wait_until(lambda: b.holds(said), "the member has it")
        everywhere = {"home", "list", "author", "page", "letters", "log", "object", "outbox", "mirror", "bundle"}
        assert await seen(b, said, a) >= everywhere - {"letters", "bundle"}
        assert (await decide(b, ("show", "IQ", "urgent-appeal", False))).hidden == 1
        assert await seen(b, said, a) == set()
        assert (await b.get(page_of(said))).status == 404
        assert (await b.get(path_of(said.id), Accept=ACTIVITY)).status == 404
        assert await seen(a, said, a) >= {"page", "log", "object", "mirror"}
        own = await b.publish(status="actual", country="IQ", headline="نداء تدريبي من عندنا", translations={})
        assert (await b.get(page_of(own))).status == 200
        later = await a.publish(status="actual", country="IQ", headline=SECRET, translations={})
        await wait_until(lambda: _held(b, later), "the next one is held")
        assert await seen(b, later, a) == set()
        await c.pin_row(a.organisation)
        await c.sync(b)
        assert await c.holds(said)
        assert (await decide(b, ("show", "IQ", "urgent-appeal", False), drop=True)).hidden == 0
        assert (await b.get(page_of(said))).status == 200


async def test_what_is_not_held_leaves_its_header_only_and_comes_again_when_it_may(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        first = await a.publish(status="actual", country="IQ", headline=SECRET, translations={})
        await wait_until(lambda: b.holds(first), "the member has it")
        outcome = await decide(b, ("hold", "IQ", "", False))
        assert outcome.let_go == 1
        second = await a.publish(status="actual", country="IQ", headline=SECRET, translations={})
        other = await a.publish(status="actual", country="EG", translations={})
        await wait_until(lambda: b.holds(other), "what may be held is")
        await wait_until(lambda: len(entries_of(b, a)) == 2, "both headers are there")
        assert all(entry.raw is None for entry in entries_of(b, a))
        assert b.head(a.did) == a.head(a.did)
        for said in (first, second):
            assert await seen(b, said, a) == set()
            assert not _stored(b, said)
        told = b.read(lambda connection: logs.head_table(connection, b.did))[a.did]
        assert (told.epoch, told.sequence) < a.head(a.did)
        bodies = b.read(lambda connection: connection.execute(queues.incoming.select()).all())
        assert not any(SECRET.encode() in (row.body or b"") for row in bodies)
        outcome = await decide(b, ("hold", "IQ", "", True))
        assert outcome.asked_again == 2
        await b.sync(a)
        assert await b.holds(first)
        assert await b.holds(second)
        assert b.read(lambda connection: documents.evidence_of(connection, b.did)) == ()


async def test_an_update_into_what_is_not_held_takes_the_earlier_text_with_it_and_a_delete_is_obeyed(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        await decide(b, ("hold", "", "arrest", False))
        text = {"status": "actual", "country": "IQ", "headline": SECRET, "translations": {}}
        said = await a.publish(**text, violation_types=["threat"])
        await wait_until(lambda: b.holds(said), "the member has it")
        await a.update(said.id, **text, violation_types=["arrest"])
        await wait_until(lambda: not _stored(b, said), "the earlier text is gone")
        assert await seen(b, said, a) == set()
        await a.withdraw(said.id)
        await wait_until(lambda: b.head(a.did) == a.head(a.did), "the Delete is there")
        assert b.read(lambda connection: documents.evidence_of(connection, b.did)) == ()


async def test_the_command_says_what_is_set_and_init_takes_it(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a", start=False)

        def run(*words):
            done = CliRunner().invoke(tadamun, ["policy", *words, "--data", str(a.data), "--json"])
            return json.loads(done.output) if done.exit_code == 0 else None

        assert run() == {"policies": []}
        set_ = run("show", "--country", "iq", "--kind", "Arrest", "--deny")
        assert set_["policies"] == [{"switch": "show", "country": "IQ", "kind": "arrest", "allow": False}]
        assert run("boost", "--country", "EG", "--allow")["policies"][0]["switch"] == "boost"
        asked = CliRunner().invoke(tadamun, ["boosts", "--data", str(a.data), "--json"])
        assert json.loads(asked.output)["boosted"] == [{"country": "EG", "kind": None}]
        assert run("boost", "--country", "EG", "--default")["policies"] == set_["policies"]
        for words in (["show"], ["--deny"], ["show", "--country", "QQ", "--deny"], ["tell", "--deny"]):
            assert run(*words) is None


def test_init_sets_the_switches(tmp_path):
    words = [
        "init", "--origin", "https://exercise.example.org", "--name", "Exercise", "--handle", "exercise", "--country",
        "IQ", "--policy", "show:IQ:*=deny", "--recovery-file", "-", "--data", str(tmp_path / "data"),
    ]  # fmt: skip
    done = CliRunner().invoke(tadamun, words)
    assert done.exit_code == 0, done.output
    assert "deny     country IQ" in done.output
    assert "offence in some countries" in done.output


def _stored(house, said):
    held = house.read(lambda connection: documents.stored(connection, house.did, said.portable_id))
    return held is not None and held.raw is not None


def _held(house, said):
    return house.read(
        lambda connection: any(
            each.object_id == said.portable_id
            for each in alerts.newest(connection, house.did, hidden=True, limit=100)
        )
    )
