"""A small world with something on every page: three nodes that are members of each other, people, and what they did.

Everything is invented and an exercise. `world.paths` names what a path needs (`{alert}`, `{case}`), `world.people` who
is in session. A page that is new puts what it shows into one of the functions below, and its paths into
`tests/web/every_page.py`.
"""

import json
import re
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from node import governance
from node.desk import approvals, directory, group_hosts, groups, joinings, networks
from node.desk import endorsements as names
from node.desk import people as people_desk
from node.federation.protocol.replicas import Head
from node.models import contacts, letters, logs
from node.models import groups as group_rows
from node.models import joinings as joining_rows
from tests.support.casework import approve, do, to_draft, write
from tests.support.desk import Browser, Worker, join, path_of
from tests.support.joining import FIELDS, post
from tests.support.network import Network, page_of, wait_until
from tests.support.pictures import camera, developed, shot
from tests.test_flow_approvals import ask, named
from tests.test_flow_casework import states
from tests.test_flow_charter_pages import page
from tests.test_flow_charters import TEXT, affirm, freeze, holds
from tests.test_flow_directory import crowd
from tests.test_flow_evidence import findings, signed_head
from tests.test_flow_networks_apart import act, state
from tests.test_flow_offers import offer
from tests.test_flow_requests import number_in
from tests.test_flow_sealed_alerts import publish as publish_sealed
from tests.test_flow_sign_on import act as endorse
from tests.test_flow_sign_on import ask as ask_to_sign
from tests.test_flow_withdrawals import laid_down
from tests.web import world_office
from tests.web.stage import World

__all__ = ["build"]

PLAN = {
    "year": 2027,
    "goals": [{"key": "a", "text": "تدريب: الوصول إلى الماء للجميع"}, {"key": "b", "text": "تدريب: حماية الأرض"}],
    "priorities": ["تدريب: منطقة واحدة أولاً"],
    "activities": [{"text": "تدريب: خريطة للآبار", "lead": "one", "goal": "a"}],
    "risks": [{"challenge": "تدريب: انتقام", "response": "تدريب: لا أحد وحده"}],
    "protection": "تدريب: تتحدث المنظمات، ولا يُسمّى أحد.",
    "cites": [],
}
ARABIC_TEXT = {
    "language": "ar", "headline": "تمرين: تهديد مدافعة عن الحق في المياه", "narrative": "تمرين: ما حدث، وهو مختلق.",
    "link_to_work": "تمرين: هُددت بسبب اجتماعاتها عن المياه.", "demands": "وقف التهديد\nحماية عملها",
}  # fmt: skip
REASON = "EXERCISE: the day was another one · تدريب: اليوم كان غيره"


async def build(net: Network) -> World:
    """The world, quiet: what was sent has arrived."""
    world = World(tuple([await net.house(name) for name in ("one", "two", "three")]))
    for number in range(36):  # before anybody is told: what fills second pages comes to the others at once
        await world.house.publish(status="actual", translations={}, headline=f"تدريب: نداء رقم {number + 1}")
    await net.befriend(*world.houses)
    await _alerts(net, world)
    await _people(world)
    await _network(world)
    await _group(world)
    await _charters(world)
    await _cases(world)
    await _approvals(world)
    await _between_members(world)
    await world_office.alerts(world)
    await world_office.replies(net, world)
    await world_office.office(net, world)
    await _sessions(world)
    return world


async def _people(world: World) -> None:
    """One of each role, somebody who waits to be confirmed, somebody who is invited, a number of a request."""
    house = world.house
    boss = await join(house, "زينب (تدريب)", "coordinator")
    world.people["coordinator"] = boss
    world.people["case worker"] = await join(house, "سارة (تدريب)", "case_worker", "author", by=boss)
    world.people["approver"] = await join(house, "هناء (تدريب)", "approver", by=boss)
    world.people["second approver"] = await join(house, "Karwan (exercise)", "approver", by=boss)
    joined = await join(house, "نور (تدريب)", "author")
    world.people["beginner"] = await join(house, "ليلى (تدريب)", "coordinator", enrol=False)
    invited = await house.write(
        lambda connection: people_desk.invite(
            connection, house.organisation, "Amal (exercise)", ("author",), house.clock()
        )
    )
    world.people["nobody"] = Browser(house)
    world.people["unconfirmed"] = joined
    world.paths.update(person=joined.id, invitation=path_of(invited.link).rpartition("/")[2])


async def _alerts(net: Network, world: World) -> None:
    """Alerts in every state that a page shows; the first has all of it."""
    one, two, three = world.houses
    (net.folder / "photo.jpg").write_bytes(camera())
    rich = await one.publish(
        status="actual", media=[shot()], custodians=[two.did, three.did], custody_threshold=2,
        do_not=["تدريب: لا تتصلوا بالأسرة"],
    )  # fmt: skip
    await one.publish()
    corrected = await one.publish(status="actual", headline="تدريب: نداء جرى تصحيحه")
    await one.correct(corrected.id, REASON)
    closed = await one.publish(status="actual", headline="تدريب: نداء أُغلق بعد الإفراج")
    await one.close(closed.id, "released")
    expired = await one.publish(
        status="actual", headline="تدريب: نداء انتهت مدته", deadline="2026-11-21T12:00:00Z",
        expires="2026-11-22T12:00:00Z",
    )  # fmt: skip
    withdrawn = await one.publish(status="actual", headline="تدريب: نداء مسحوب")
    theirs = await two.publish(status="actual", headline="تدريب: نداء منظمة أخرى", custodians=[one.did, three.did],
                               custody_threshold=2)
    await three.publish(headline="تدريب: تمرين منظمة ثالثة")
    await wait_until(lambda: three.head(one.did) == one.head(one.did), "all of it arrived")
    await one.withdraw(withdrawn.id)
    await ask_to_sign(one, rich)
    await wait_until(lambda: two.head(one.did) == one.head(one.did), "they are asked to sign")
    await endorse(two, names.endorse, rich.portable_id, "Exercise organisation two", "en")
    await endorse(three, names.endorse_withheld, rich.portable_id, "EXERCISE a name for members")
    net.clock.forward(timedelta(days=3))
    world.paths.update(
        alert=page_of(rich)[8:], corrected=page_of(corrected)[8:], closed=page_of(closed)[8:],
        expired=page_of(expired)[8:], withdrawn=page_of(withdrawn)[8:], theirs=page_of(theirs)[8:],
        handle=one.organisation.handle, did=one.did, portable=rich.portable_id, other=two.did,
    )  # fmt: skip
    await wait_until(lambda: laid_down(one, theirs), "a withdrawal is entrusted to us")


async def _network(world: World) -> None:
    """A network with a directory in public, an invitation, a vote, and somebody who asks to join."""
    one, two, _ = world.houses
    called = {"ar": "شبكة تدريب للمدافعات والمدافعين", "en": "EXERCISE network"}
    network = (await act(one, lambda mine: networks.found(mine, called, [two.did], sponsors=1))).network
    await wait_until(lambda: one.did in state(two, network).members, "the other is told")
    await act(two, lambda mine: networks.accept_founding(mine, network))
    await wait_until(lambda: len(state(one, network).members) == 2, "both are members")
    await crowd(one, network, ["IQ"] * 7 + ["SY", "EG"] * 5 + ["FR"] * 3, listed=set(range(8)))
    await act(one, lambda mine: directory.profile(mine, network, languages=["ar", "ckb"], listed=True))
    await act(one, lambda mine: directory.publish(mine, network))
    await act(one, lambda mine: directory.set_sponsors(mine, [one.did]))
    await act(one, lambda mine: directory.set_form(mine, form=True))
    sheet = await act(one, lambda mine: networks.invite(mine, network))
    await act(one, lambda mine: networks.propose(
        mine, network, governance.SUSPEND, [two.did], grounds="تدريب: لم تدفع الاشتراك منذ عام"
    ))  # fmt: skip
    world.paths.update(network=network, sheet=sheet.invitation)


async def _asked_to_join(world: World) -> None:
    house = world.house
    answer = await post(house, "/join", "ar", **FIELDS)
    assert answer.status == 200, answer.text
    row = house.read(lambda connection: joining_rows.all_of(connection, house.did))[0]
    await act(house, lambda mine: joinings.invite(mine, row.id, "أهلاً بكم. هذا تدريب."))
    assert (await post(house, "/join", "ar", **FIELDS)).status == 200
    waiting = house.read(lambda connection: joining_rows.all_of(connection, house.did))
    world.paths.update(joining=next(each.id for each in waiting if each.id != row.id), number=number_in(answer))


async def _group(world: World) -> None:
    """A working group with a word inside, a word to everyone, and a plan."""
    one, two, _ = world.houses
    network = world.paths["network"]
    called = {"ar": "المرأة والحقوق الاقتصادية والاجتماعية والثقافية", "en": "Women"}

    def begin(mine):
        digest, _ = groups.found(mine, network, called, "women", (two.did,))
        group_hosts.open_actor(mine, one.node.keyring, digest)
        return digest

    group = await act(one, begin)
    await wait_until(lambda: state(two, network).groups, "the other hears of it")
    await act(two, lambda mine: groups.join(mine, group))
    await wait_until(lambda: len(state(one, network).groups[group].roles) == 2, "both are in it")
    words = {"title": "", "text": "تدريب: كلمة في الداخل", "cites": []}
    await act(two, lambda mine: groups.speak(mine, group, "post", words))
    await act(one, lambda mine: groups.speak(mine, group, "plan", PLAN))
    await act(one, lambda mine: groups.publish(mine, group, "تدريب", "تدريب: كلمة إلى الجميع"))
    boss = world.people["coordinator"]
    path = f"/desk/groups/{group}"
    await boss.get(path)
    kept = await boss.post(path, {"do": "draft", "text": json.dumps(TEXT)})
    assert kept.status == 303, kept.text
    draft = re.search(r"/drafts/(z\w+)", (await boss.get(path)).text)
    assert draft is not None
    world.paths.update(group=group, draft=draft[1])
    said = select(group_rows.updates).where(group_rows.updates.c.state == "announced")
    await wait_until(lambda: one.read(lambda connection: connection.execute(said).all()), "it is announced")


async def _charters(world: World) -> None:
    """A charter, its amendment, and who affirms it."""
    one, two, _ = world.houses
    digest = await freeze(one)
    changed = json.loads(json.dumps(TEXT))
    for language in changed:
        changed[language]["articles"][6]["text"] += " EXERCISE."
    later = await freeze(one, changed, kind="amendment", amends=digest)
    await wait_until(lambda: holds(two, later), "the charters are there")
    await affirm(one, digest, name="منظمة تدريبية أولى")
    await affirm(two, digest, ("1", "3"), "Exercise organisation two")
    world.paths.update(charter=page(one, digest).rpartition("/")[2], later=later)


async def _cases(world: World) -> None:
    """A request from outside, and cases: fresh, declined, in draft, in review, published, concluded."""
    house, sara = world.house, world.people["case worker"]
    assert isinstance(sara, Worker)
    approvers = [world.people["approver"], world.people["second approver"]]
    asked = "تمرين: تلقت مدافعة عن المياه تهديداً بعد اجتماع، وتخشى على أسرتها"
    answer = await post(house, "/request", "ar", what=asked, imminent="yes", contact="+999 111")
    assert answer.status == 200, answer.text
    world.paths["receipt"] = number_in(answer)

    async def begin(what: str) -> str:
        await sara.get("/desk/cases/new")
        return (await sara.post("/desk/cases/new", {"what": what})).headers["location"].removesuffix("/guide")

    world.paths["fresh"] = (await begin("تمرين: حالة جديدة")).rpartition("/")[2]
    for name in ("published", "review", "drafted"):
        case = await begin(f"تمرين: حالة أخرى ({name})")
        world.paths[name] = case.rpartition("/")[2]
        await to_draft(sara, case)
        await write(sara, case, "text/new", ARABIC_TEXT)
        if name != "drafted":
            await do(sara, case, "submit")
        if name == "published":
            for person in approvers:
                await approve(person)

            await wait_until(lambda: "published" in states(house), "the case is published")
            outcome = {"kind": "safe", "text": "تمرين: توقف التهديد", "known": "2026-11-20"}
            await write(sara, case, "outcome/it", outcome)
            await do(sara, case, "conclude")


async def _approvals(world: World) -> None:
    """What waits for a second word: with pictures, and of a sister organisation."""
    one, two, three = world.houses
    await one.write(lambda mine: approvals.name_standbys(mine, one.organisation, [two.did, three.did], one.clock()))
    pictures = [developed(camera(number)) for number in (1, 2)]
    value = named(headline="تدريب: نص ينتظر كلمة ثانية", media=[shot(), shot(people="blurred")])
    world.paths["request"] = (await ask(one, value, pictures=pictures)).id
    await two.write(lambda mine: approvals.name_standbys(mine, two.organisation, [one.did], two.clock()))
    await ask(two, named(media=[shot()]), pictures=pictures[:1])
    hana = world.people["approver"]

    async def asked():
        return re.search(r"/desk/sisters/([^/\"?]+)/([^\"?]+)", (await hana.get("/desk/approvals")).text)

    found = await wait_until(asked, "the sister asks")
    world.paths.update(sister=found[1])


async def _between_members(world: World) -> None:
    """A letter for members only, offers of help, proof that a member went back, somebody who asks to join."""
    one, two, three = world.houses
    said = await publish_sealed(two, headline="تدريب: للأعضاء فقط")
    await wait_until(
        lambda: one.read(lambda connection: letters.about(connection, one.did, said.portable_id)), "the letter is here"
    )
    await offer(two, world.paths["portable"])
    world.paths["sealed"] = said.url.rpartition("/")[2]
    member = replace(one.member(three.did), listed=True)
    await one.write(lambda mine: contacts.pin(mine, one.did, member))
    mirror, now = one.node.mirror, one.clock()
    real = one.read(lambda connection: logs.head(connection, one.did, three.did))
    for value, moment in ((real, now), (Head(1, 1, real.digest), now + timedelta(minutes=1))):
        await mirror._compare_claims(one.organisation, member, signed_head(three, value, moment))
    world.paths["finding"] = str(findings(one)[0].id)
    await _asked_to_join(world)


async def _sessions(world: World) -> None:
    """Everybody is freshly in session; one has given the password and not the code yet."""
    for each in world.people.values():
        if isinstance(each, Worker) and each.totp:
            await each.refresh()
    await world.people["beginner"].get("/desk/factors")  # a secret is offered, with its QR code
    half = world.people["approver"]
    assert isinstance(half, Worker)
    standing = Worker(house=world.house, name=half.name, id=half.id)
    await standing.sign_in()
    world.people["half"] = standing
