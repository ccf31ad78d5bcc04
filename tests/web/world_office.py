"""What the newer pages of the desk show in the world of `tests/web/world.py`: our alerts, replies, evidence, a locked
organisation, and set-ups that stand at each step.
"""

import re
from dataclasses import replace

from sqlalchemy import delete

from node import evidence
from node import replies as reply_rules
from node.boosts import Rule as Wish
from node.desk import endorsements as names
from node.desk import evidence as evidence_desk
from node.desk import people as people_desk
from node.desk.founding import Founding
from node.desk.restoring import Restored
from node.evidence import Evidence
from node.federation.protocol import sealing
from node.models import boosts, documents, organisations, policies, queues
from node.models.queues import Incoming
from node.policies import Rule
from tests.support.desk import Browser, Worker, join
from tests.support.fediverse import Host
from tests.support.network import House, Network, page_of, wait_until
from tests.test_flow_desk_alerts import OURS
from tests.test_flow_replies import act, create, deliver, held, path_in
from tests.test_flow_restore import PAGE as RECOVERY
from tests.test_flow_restore import asked as lines_asked
from tests.test_flow_restore import written
from tests.test_flow_sealed_alerts import publish as publish_sealed
from tests.test_flow_sign_on import act as endorse
from tests.test_flow_sign_on import ask as ask_to_sign
from tests.web.stage import World

PICTURE = {"type": "Image", "url": "https://pictures.example/a-long-invented-address/of-a-picture.jpg", "name": "تمرين"}
SMALL = "small.example:8443"
NEXT = "next.example"


async def alerts(world: World) -> None:
    """An alert that names nobody, one for members only; and two of another organisation, of which one is signed."""
    one, two = world.houses[:2]
    free = await one.publish(**OURS, headline="تدريب: منظمة مختلقة تطالب بحماية المدافعين والمدافعات عن الأرض والمياه")
    sealed = await publish_sealed(one, headline="تدريب: نص للأعضاء وحدهم")
    asked = [await two.publish(**OURS, headline=f"تدريب: نداء يُطلب توقيعه، رقم {number}") for number in (1, 2)]
    for each in asked:
        await ask_to_sign(two, each, days=30)
    await wait_until(lambda: one.head(two.did) == two.head(two.did), "we are asked to sign")
    case = await world.people["case worker"].get("/desk/cases/" + world.paths["published"])
    of_case = re.search(r"/alerts/(\w+)", case.text)
    assert of_case is not None, case.text
    await endorse(one, names.endorse, asked[1].portable_id, one.organisation.name, "ar")
    world.paths.update(
        free=page_of(free)[8:], members_only=page_of(sealed)[8:], signable=page_of(asked[0])[8:],
        signed=page_of(asked[1])[8:], note=free.id, of_case=of_case[1],
    )  # fmt: skip


async def replies(net: Network, world: World) -> None:
    """A threat kept as evidence, a plea and thanks that wait; one author is blocked."""
    house, sara, hana = world.house, world.people["case worker"], world.people["approver"]
    assert isinstance(sara, Worker)
    assert isinstance(hana, Worker)
    host = await Host(net, 1, "mallory", "amal", "badr").start()
    note = world.paths["note"]
    waiting = reply_rules.WAITING
    threat = create(
        host, "mallory", note, text="تمرين: نعرف بيتك وسنقتلك إن لم تسكتي", attachment=[PICTURE], contentMap={}
    )
    await deliver(host, "mallory", house, threat)
    await wait_until(lambda: held(house) == {waiting: 1}, "it is held")
    world.paths["evidence"] = path = path_in((await sara.get("/desk/replies")).text)
    await act(sara, path, "ask", person=hana.id)
    await act(sara, path, "threat")
    await act(hana, path, "evidence")
    plea = create(host, "badr", note, text="تمرين: أنا أيضاً مهدد، أرجو المساعدة", contentMap={})
    await deliver(host, "badr", house, plea)
    await wait_until(lambda: held(house).get(waiting) == 1, "the plea is held")
    found = re.findall(r'href="(/desk/replies/[0-9a-f]{32})', (await sara.get("/desk/replies")).text)
    world.paths["plea"] = path = next(each for each in found if each != path)
    await act(sara, path, "block", whom="author")
    await deliver(host, "amal", house, create(host, "amal", note, text="تمرين: شكراً لكم", contentMap={}))
    await wait_until(lambda: held(house).get(waiting) == 2, "both are held")


async def office(net: Network, world: World) -> None:
    """What a coordinator looks after: evidence on two pages, rules, a frozen member, a place that is kept, a feed."""
    one, two, three = world.houses
    boss = world.people["coordinator"]
    assert isinstance(boss, Worker)
    four = await net.house("four")
    await one.pin(four)
    await boss.refresh()
    for path, fields in (
        ("/desk/following", {"do": "follow", "name": three.organisation.address}),
        (f"/desk/members/{four.did}", {"do": "freeze", "after": "1", "sure": "yes", "tell": "yes"}),
        ("/desk/hosting", {"host": SMALL}),
        ("/desk/notices", {"do": "renew"}),
    ):
        answer = await boss.post(path, fields)
        assert answer.status < 400, answer.text
    world.paths["frozen"] = four.did
    world.paths["feed"] = answer.text.partition(f"{one.origin}/desk/notices/")[2].partition(".atom")[0]

    def fill(connection):
        now = one.clock()
        for number in range(21):
            fault, about = ((evidence.FORK, two), (evidence.WITHHELD, three))[number % 2]
            seen = Evidence(fault, about.did, about.organisation.host, f"EXERCISE: two entries with number {number}")
            documents.keep_evidence(connection, one.did, seen, now, proven=fault == evidence.FORK)
            uri = f"https://x{number}.example/a-long-invented-address/{number}"
            row = Incoming(
                0, "", now, uri, bytes([number]) * 32, b'{"type": "Create"}', "", "", None, f"x{number}.example"
            )
            queues.note_refused(connection, row, "FEP-fe34", "the owner is of another origin")
            documents.report(connection, one.did, "Flag", f"https://s{number}.example/actor", uri, now)
        for rule in (Rule("hold", "IQ", "arbitrary-detention", False), Rule("show", "", "open-letter", True)):
            policies.put(connection, one.did, rule)
        boosts.ask_for(connection, one.did, [Wish("IQ", "", now)])

    await one.write(fill)
    found, _ = one.read(lambda connection: evidence_desk.seen(connection, one.organisation, 1))
    world.paths["piece"] = str(next(each.number for each in found if each.number))
    writer = world.people["author"] = await join(one, "ريم (تدريب)", "author", by=boss)
    kept = await writer.post("/desk/drafts/keep/write", {"headline": "تدريب: نصف جملة", "audience": "network"})
    assert kept.status == 204
    await _locked(world, four)
    empty = await net.house("empty")
    world.houses += (empty,)
    world.people["newcomer"] = Browser(empty)


async def _locked(world: World, house: House) -> None:
    boss = await join(house, "Nour (exercise)", "coordinator")
    await house.write(lambda mine: people_desk.lock(mine, house.organisation, boss.person, house.clock()))
    world.houses += (house,)
    world.people["who unlocks"] = boss
    world.people["before a lock"] = Browser(house)


async def _emptied(world: World, house: House) -> None:
    """A node on which nobody lives, at whose set-up somebody sits with a backup."""
    await house.write(lambda mine: mine.execute(delete(organisations.organisations)))
    setups = house.node.setups
    world.paths["setup_empty"], world.paths["setup_restored"] = setups.begin(), setups.begin()
    found = setups.find(world.paths["setup_restored"])
    assert found is not None
    found.restored = (Restored("منظمة الواحة (تدريب)", "@waha@waha.example", "https://waha.example", 41, False),)


async def _recoveries(world: World) -> None:
    """A coordinator at each step of going on with the recovery sheet, in a session for each."""
    house, boss = world.house, world.people["coordinator"]
    assert isinstance(boss, Worker)
    sheet = (house.data.parent / f"{house.organisation.handle}.sheet").read_text("utf-8")
    for step in ("form", "printed", "lines", "go-on"):
        each = replace(boss, cookies={}, seen=[])
        await each.sign_in()
        boss.last_step = each.last_step
        await each.get(RECOVERY)
        assert (await each.post(RECOVERY, {"do": "sheet", "sheet": sheet, "after": 1})).status == 303
        world.people[f"recovery {step}"] = each
        if step == "form":
            continue
        form = "parts" if step == "printed" else "whole"
        assert (await each.post(RECOVERY, {"do": "form", "form_of": form})).status == 303
        if step == "printed":
            continue
        printed = written((await each.get(RECOVERY)).text)
        assert (await each.post(RECOVERY, {"do": "printed", "yes": "yes"})).status == 303
        if step == "go-on":
            lines = lines_asked((await each.get(RECOVERY)).text, printed)
            assert (await each.post(RECOVERY, {"do": "lines", **lines})).status == 303


async def last(world: World) -> None:
    """What is not kept over a stop: set-ups, each as far as its name says; and who opens what is locked."""
    boss = world.people["who unlocks"]
    assert isinstance(boss, Worker)
    await boss.sign_in()
    setups, now = world.house.node.setups, world.house.clock()
    asked = Founding(world.house.origin, "منظمة الواحة (تدريب)", "waha", "ar", "IQ")
    for name, form in (("new", ""), ("described", ""), ("whole", "whole"), ("parts", "parts"), ("copied", "whole")):
        token = world.paths[f"setup_{name}"] = setups.begin()
        found = setups.find(token)
        assert found is not None
        if name != "new":
            found.describe(asked)
        if form:
            found.draw(form, now)
        if name == "copied":
            sheets = found.sheets
            sheets.copied(tuple(sheets.shown[each.sheet].lines[each.number - 1] for each in sheets.wanted))
    world.paths["age"] = sealing.generate().public
    await _emptied(world, world.people["newcomer"].house)
    await _recoveries(world)
