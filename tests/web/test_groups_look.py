"""The pages of working groups on a phone, in Arabic: for everyone, and at the desk."""

import pytest
from sqlalchemy import select

from node.desk import group_hosts, groups
from node.models.groups import updates
from tests.support.chromium import CHROMIUM, Chromium
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_networks_apart import act, found, state
from tests.web.test_networks_look import fits

pytestmark = [
    pytest.mark.chromium,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
PLAN = {
    "year": 2027,
    "goals": [{"key": "a", "text": "تدريب: الوصول إلى الماء للجميع"}, {"key": "b", "text": "تدريب: حماية الأرض"}],
    "priorities": ["تدريب: منطقة واحدة أولاً"],
    "activities": [{"text": "تدريب: خريطة للآبار", "lead": "one", "goal": "a"}],
    "risks": [{"challenge": "تدريب: انتقام", "response": "تدريب: لا أحد وحده"}],
    "protection": "تدريب: تتحدث المنظمات، ولا يُسمّى أحد.",
    "cites": [],
}


@pytest.mark.drill
async def test_groups_fit_a_phone_in_arabic(tmp_path):
    async with Network(tmp_path) as net, Chromium(tmp_path / "profile", language="ar") as phone:
        one, two = await net.members("one", "two")
        zainab = await join(one, "زينب (تدريب)", "coordinator", "author")
        await phone.enter(one.origin, zainab.cookies)
        await fits(phone, one, "/desk/groups", tmp_path / "none.png")
        network = await found(one, two, "EXERCISE network")
        keyring = one.node.keyring
        names = {"ar": "المرأة والحقوق الاقتصادية والاجتماعية والثقافية", "en": "Women"}

        def begin(mine):
            digest, _ = groups.found(mine, network, names, "women", (two.did,))
            group_hosts.open_actor(mine, keyring, digest)
            return digest

        digest = await act(one, begin)
        await wait_until(lambda: state(two, network).groups, "the other hears of it")
        await act(two, lambda mine: groups.join(mine, digest))
        await act(two, lambda mine: group_hosts.open_actor(mine, two.node.keyring, digest))
        words = {"title": "", "text": "تدريب: كلمة في الداخل", "cites": []}
        await act(two, lambda mine: groups.speak(mine, digest, "post", words))
        await act(one, lambda mine: groups.speak(mine, digest, "plan", PLAN))
        earlier = PLAN | {"year": 2026, "goals": PLAN["goals"][:1]}
        await act(one, lambda mine: groups.speak(mine, digest, "plan", earlier))
        await act(one, lambda mine: groups.publish(mine, digest, "تدريب", "تدريب: كلمة إلى الجميع"))
        path = f"/desk/groups/{digest}"
        await wait_until(lambda: len(state(one, network).groups[digest].roles) == 2, "both are in it")
        await fits(phone, one, "/desk/groups", tmp_path / "list.png")
        await phone.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
        await fits(phone, one, path, tmp_path / "group.png")
        await phone.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
        await phone.picture(tmp_path / "open.png")
        await fits(phone, one, f"{path}/plans/2027", tmp_path / "plan.png")
        await phone.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
        await phone.picture(tmp_path / "plan-open.png")
        await wait_until(lambda: announced(one), "it is announced")
        await fits(phone, one, "/groups", tmp_path / "public-list.png")
        await fits(phone, one, "/groups/women", tmp_path / "public.png")


def announced(house):
    found = select(updates).where(updates.c.state == "announced")
    return house.read(lambda connection: connection.execute(found).all())
