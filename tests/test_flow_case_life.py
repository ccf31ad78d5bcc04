"""A case's alert lives on among members and with sisters: changed, corrected and closed under seal; named; in haste."""

import asyncio
import re
from datetime import timedelta

from click.testing import CliRunner

from node.cli import tadamun
from node.desk import approvals as desk
from node.models import alerts as alert_rows
from node.models import letters as letter_rows
from tests.support.casework import HEADLINE, TEXTS, TICKS, approve, do, office, to_draft, write
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_casework import inside_nowhere, requests, states
from tests.test_flow_networks_apart import found

NAME = "EXERCISE Amal Invented"
NAMED = {"name": NAME, "publication_level": "named"}
CHANGED = "EXERCISE: she was brought before a judge"
REASON = "EXERCISE: she is taken away at this moment, and one approver is asleep"


async def begin(worker, what="EXERCISE zq-asked"):
    await worker.get("/desk/cases/new")
    return (await worker.post("/desk/cases/new", {"what": what})).headers["location"].removesuffix("/guide")


async def with_sister(net):
    """Our house with its people, and an approver of a sister that stands by."""
    house, sara, people = await office(net, "one")
    sister, _, (theirs, _) = await office(net, "two")
    await net.befriend(house, sister)
    await house.write(lambda c: desk.name_standbys(c, house.organisation, [sister.did], house.clock()))
    return house, sara, people, sister, theirs


async def sisters_page(theirs):
    """Wait until a request of the other organisation is listed; its address and its page."""

    async def listed():
        return re.search(r"/desk/sisters/[^\"?]+", (await theirs.get("/desk/approvals")).text)

    path = (await wait_until(listed, "the sister is asked"))[0]
    return path, (await theirs.get(path)).text


async def test_what_members_hold_is_changed_corrected_and_closed_from_the_case(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        other = await net.house("two")
        await net.befriend(house, other)
        reader = await join(other, "Nour (exercise)", "coordinator")
        case = await begin(sara)
        await to_draft(sara, case, "network-only")
        await do(sara, case, "submit")
        await approve(people[0])

        async def page():
            listed = (await reader.get("/desk/network")).text
            found = re.search(r"/desk/network/[^\"?]+", listed)
            return (await reader.get(found[0])).text if found else ""

        async def shows(text):
            await wait_until(lambda: _has(page, text), f"the member reads {text!r}")

        await shows(HEADLINE)
        await do(sara, case, "revise")
        await write(sara, case, "text/en", dict(TEXTS[-1][1]) | {"headline": CHANGED})
        await do(sara, case, "submit")
        assert CHANGED not in await page(), "what members hold stays until another said yes"
        await approve(people[0])
        await shows(CHANGED)
        assert HEADLINE not in await page()
        await wait_until(lambda: states(house) == ["published"], "the case follows")
        await do(sara, case, "correct", note="EXERCISE: it was on Monday")
        assert "it was on Monday" not in await page()
        await approve(people[1])
        await shows("it was on Monday")
        known = {"kind": "safe", "text": "EXERCISE: the threats stopped", "known": f"{house.clock():%Y-%m-%d}"}
        await write(sara, case, "outcome/it", known)
        await do(sara, case, "conclude")
        await write(sara, case, "consent/p1", {
            "given_by": "self", "how": "in person", "level": "network", "valid_until": "2027-06-30", "free": "yes",
        })  # fmt: skip
        await do(sara, case, "close", attribution="partly")
        await approve(people[0])
        await shows("the threats stopped")
        assert "This alert is closed" in await page() and states(house) == ["closed"]
        inside_nowhere(house, other)
        for text in (HEADLINE, CHANGED, "it was on Monday", "the threats stopped"):
            for each in (house, other):
                assert text not in (await each.get("/alerts")).text and text.encode() not in each.files(), text


async def _has(page, text):
    return text in await page()


async def test_a_case_that_names_somebody_waits_for_a_sister(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people, sister, theirs = await with_sister(net)
        case = await begin(sara)
        await to_draft(sara, case, person=NAMED, consent={"level": "public-named"})
        await do(sara, case, "submit")
        for person in people:
            await approve(person)
        assert states(house) == ["review"], "two of ours are not enough where somebody is named"
        path, page = await sisters_page(theirs)
        assert NAME in page and HEADLINE in page and "zq-street" not in page and "zq-neighbour" not in page
        answer = await theirs.post(path, {"word": "yes", **TICKS})
        assert answer.status == 303, answer.text
        await wait_until(lambda: states(house) == ["published"], "her word is the second")
        assert NAME in (await house.get("/alerts/" + _name(await sara.get(case)))).text
        inside_nowhere(sister)


def _name(page):
    return re.search(r'"/alerts/([^"?]+)', page.text)[1]


async def test_an_emergency_of_a_case_goes_out_and_the_sister_reads_why(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people, _, theirs = await with_sister(net)
        case = await begin(sara)
        await to_draft(sara, case)
        await do(sara, case, "submit")
        await approve(people[0])
        path = re.search(r"/desk/approvals/[\w-]+", (await people[0].get("/desk/approvals")).text)
        waits = path[0] if path else f"/desk/approvals/{requests(house, 'waiting')[0].request.id}"
        hurried = await people[0].post(waits, {"emergency": "yes", "reason": REASON})
        assert hurried.status == 303, hurried.text
        await wait_until(lambda: states(house) == ["published"], "it is published on one word")
        assert HEADLINE in (await house.get("/alerts")).text
        review, page = await sisters_page(theirs)
        assert REASON in page and HEADLINE in page
        assert "Published as an emergency" in (await sara.get(case)).text
        answer = await theirs.post(review, {"word": "yes", **TICKS})
        assert answer.status == 303, answer.text
        await wait_until(lambda: requests(house, "published")[0].review_by is None, "it was looked at")


async def test_what_is_held_back_is_approved_before_and_sent_by_somebody_when_its_hour_has_come(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        case = await begin(sara)
        until = house.clock() + timedelta(hours=6)
        await to_draft(sara, case, risks={"embargo_until": f"{until:%Y-%m-%dT%H:%M}"})
        await do(sara, case, "submit")
        listed = re.search(r"/desk/approvals/[\w-]+", (await people[0].get("/desk/approvals")).text)[0]
        assert "Held back until" in (await people[0].get(listed)).text
        for person in people:
            await approve(person)
        ready = requests(house, "ready")
        assert len(ready) == 1 and ready[0].release is None, "no key to it lies in the clear"
        assert "Held back" in (await sara.get(case)).text and states(house) == ["embargo"]
        early = await people[0].post(listed, {"send": "yes"})
        assert early.status == 409 and "R8: Held back until" in early.text
        house.clock.forward(timedelta(hours=6, minutes=1))
        await people[0].refresh()
        assert HEADLINE not in (await house.get("/alerts")).text, "its hour has come, and nobody sent it yet"
        page = (await people[0].get("/desk/approvals")).text
        assert "Send it now" in page
        sent = await people[0].post(listed, {"send": "yes"})
        assert sent.status == 303, sent.text
        await wait_until(lambda: states(house) == ["published"], "it is published")
        assert HEADLINE in (await house.get("/alerts")).text
        again = await people[0].post(listed, {"send": "yes"})
        assert again.status == 409
        inside_nowhere(house)


async def test_words_above_an_alert_are_nobodys_alone_on_the_command_line_either(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        case = await begin(sara)
        await to_draft(sara, case)
        await do(sara, case, "submit")
        for person in people:
            await approve(person)
        await wait_until(lambda: states(house) == ["published"], "it is published")
        alert = house.read(lambda c: alert_rows.newest(c, house.did, limit=1))[0]

        def run(*words):
            return CliRunner().invoke(tadamun, ["alert", *words, "--data", str(house.data)], env={})

        for words in (("correct", alert.object_id, "--reason", "EXERCISE shell"),
                      ("close", alert.object_id, "--outcome", "EXERCISE shell", "--result", "safe"),
                      ("answer", alert.object_id, "--from", "EXERCISE office", "--kind", "pledge", "--date",
                       "2026-11-19", "--text", "EXERCISE shell")):
            done = await asyncio.to_thread(run, *words)
            assert done.exit_code == 0 and "waits for approval" in done.output, done.output
        await do(sara, case, "correct", note="EXERCISE: it was on Monday")
        waiting = requests(house, "waiting")
        assert [each.request.author for each in waiting if each.request.author != "shell"] == [sara.person.id]
        page = f"/alerts/{alert.page}"
        ours = (await sara.get(f"/desk{page}")).text
        assert case in ours and "/act/withdraw" not in ours and "/act/answer" in ours
        assert (await sara.post(f"/desk{page}/act/withdraw")).status == 409, "it is withdrawn from its case"
        assert "belongs to a case" in sara.seen[-1].text
        for each in waiting:
            path = f"/desk/approvals/{each.request.id}"
            shown = (await people[0].get(path)).text
            digest = re.search(r'name="digest" value="(\w+)"', shown)[1]
            partly = await people[0].post(path, {"word": "yes", "digest": digest})
            assert partly.status == 409 and "Not looked at yet" in partly.text
            refused = await people[0].post(path, {"word": "no", "digest": digest, "reason": "EXERCISE: not true"})
            assert refused.status == 303
        await asyncio.sleep(1.5)
        text = (await house.get(page)).text
        assert HEADLINE in text and "EXERCISE shell" not in text and "on Monday" not in text
        assert b"EXERCISE shell" not in house.files(), "what waits is sealed"


async def test_a_case_for_members_says_of_which_of_our_networks(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        left, right = await net.members("left", "right")
        for each in (left, right):
            await net.befriend(house, each)
        await found(house, left, "EXERCISE network one")
        second = await found(house, right, "EXERCISE network two")
        case = await begin(sara)
        await to_draft(sara, case, "network-only")
        form = f"{case}/act/submit"
        page = (await sara.get(form)).text
        assert "For the members of which network" in page and second in page
        version = re.search(r'name="version" value="(\d+)"', page)[1]
        unsaid = await sara.post(form, {"version": version})
        assert unsaid.status != 303 and "in several" in unsaid.text
        asked = await sara.post(form, {"version": version, "network": second})
        assert asked.status == 303, asked.text
        await approve(people[0])

        def told(other):
            return other.read(lambda connection: letter_rows.of_kind(connection, other.did, ("alert",)))

        await wait_until(lambda: told(right), "its members have it")
        assert not told(left), "the other network's do not"
