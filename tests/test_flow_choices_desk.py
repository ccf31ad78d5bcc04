"""Choices about others' alerts, boosts and following at the desk: said before what happens, then done, then undone."""

from node.desk import members
from node.models import alerts, audit, boosts, contacts, policies
from node.policies import Rule
from tests.support.desk import join
from tests.support.network import Network, page_of, wait_until

PAGE = "/desk/choices"
FOLLOWING = "/desk/following"
DENY = {"switch": "hold", "country": "IQ", "kind": "", "wish": "deny"}


def held(house, said):
    return house.read(lambda connection: alerts.find(connection, house.did, said.portable_id))


async def test_a_choice_says_what_it_would_do_before_it_does_it(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.members("one", "two")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        karwan = await join(one, "Karwan (exercise)", "approver", by=zainab)
        said = await two.publish(status="actual", country="IQ", translations={})
        await wait_until(lambda: held(one, said), "the alert is there")
        assert (await karwan.get(PAGE)).status == 403
        assert "No rule: all alerts of members." in (await zainab.get(PAGE)).text
        asked = await zainab.post(PAGE, {**DENY, "do": "ask"})
        assert "The text of 1 alert that is here is destroyed" in asked.text
        assert held(one, said) and not one.read(lambda connection: policies.of(connection, one.did)).rules
        assert (await karwan.post(PAGE, {**DENY, "do": "decide"})).status == 403
        assert (await zainab.post(PAGE, {**DENY, "do": "decide"})).status == 303
        assert held(one, said) is None and (await one.get(page_of(said))).status == 404
        assert (await zainab.get(PAGE)).text.count("Not allowed") == 1
        shown = {**DENY, "switch": "show", "wish": "allow", "do": "ask"}
        assert "none is touched" in (await zainab.post(PAGE, shown)).text
        assert (await zainab.post(PAGE, {**DENY, "wish": "default", "do": "decide"})).status == 303
        assert one.read(lambda connection: policies.of(connection, one.did)).rules == ()
        for wrong in ({"country": "ZZ"}, {"switch": "burn"}, {"wish": ""}, {"other": "x" * 101}):
            assert (await zainab.post(PAGE, {**DENY, **wrong, "do": "decide"})).status == 409
        acts = [each.act for each in one.read(lambda connection: audit.all_of(connection, one.did))]
        assert acts[-2:] == ["policy", "policy"]


async def test_what_is_boosted_and_whom_we_follow_is_chosen_at_the_desk(tmp_path):
    async with Network(tmp_path) as net:
        one, two = await net.house("one"), await net.house("two")
        zainab = await join(one, "Zainab (exercise)", "coordinator")
        boost = {"do": "boost", "country": "IQ", "kind": "arbitrary-detention"}
        assert (await zainab.post(PAGE, boost)).status == 303
        found = one.read(lambda connection: boosts.asked_for(connection, one.did))
        assert [(each.country, each.kind) for each in found] == [("IQ", "arbitrary-detention")]
        assert "Arbitrary detention" in (await zainab.get(PAGE)).text
        assert (await zainab.post(PAGE, {"do": "boost-none"})).status == 303
        assert one.read(lambda connection: boosts.asked_for(connection, one.did)) == ()
        assert "We follow nobody" in (await zainab.get(FOLLOWING)).text
        follow = {"do": "follow", "name": two.organisation.address}
        assert (await zainab.post(FOLLOWING, {**follow, "name": one.organisation.address})).status == 409
        assert (await zainab.post(FOLLOWING, follow)).status == 303

        def accepted():
            found = one.read(lambda connection: contacts.following(connection, one.did, two.organisation.actor))
            return found is not None and found.state == "accepted"

        await wait_until(accepted, "they accept")
        page = (await zainab.get(FOLLOWING)).text
        assert two.organisation.address in page and "Accepted" in page
        (followed,) = one.read(lambda connection: members.followed(connection, one.organisation))
        assert (await zainab.post(FOLLOWING, {"do": "unfollow", "name": followed.uri})).status == 303
        assert one.read(lambda connection: members.followed(connection, one.organisation)) == ()
        assert (await zainab.post(FOLLOWING, {"do": "unfollow", "name": followed.uri})).status == 409


def test_rules_in_place_of_others_about_the_same_alerts():
    deny, allow, other = Rule("show", "IQ", "", False), Rule("show", "IQ", "", True), Rule("hold", "IQ", "", False)
    before = policies.Policies((deny, other))
    assert set(before.changed([allow]).rules) == {allow, other}
    assert before.changed([deny], drop=True).rules == (other,)
    assert not before.shows("IQ", set()) and before.changed([other], drop=True).changed([allow]).shows("IQ", set())
