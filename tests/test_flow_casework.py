"""People at work on a case in browsers: from a request to a closed alert, and a consent that ends it."""

import re
from datetime import timedelta

from node.models import approvals as approval_rows
from node.models import cases as rows
from node.models import people as person_rows
from tests.support.casework import HEADLINE, INSIDE, TEXTS, approve, do, office, to_draft, version_in, write
from tests.support.desk import join
from tests.support.network import Network, wait_until
from tests.test_flow_requests import number_in, post


def inside_nowhere(*houses):
    for house in houses:
        kept = house.files()
        for word in (*INSIDE, "zq-name"):
            assert word.encode() not in kept, word


async def opened(worker):
    """A case from scratch; its page."""
    answer = await worker.post("/desk/cases/new", {"what": "EXERCISE zq-asked"})
    return answer.headers["location"].removesuffix("/guide")


async def first_case(worker):
    found = re.search(r"/desk/cases/[0-9a-f]{32}", (await worker.get("/desk/cases")).text)
    assert found is not None
    return found[0]


def states(house):
    return [each.state for each in house.read(lambda c: rows.all_of(c, house.did))]


def requests(house, *wanted):
    return house.read(lambda c: approval_rows.of_state(c, house.did, *wanted))


async def test_a_request_becomes_an_alert_that_two_approved_and_is_closed_with_its_outcome(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        other = await net.house("two")
        await net.befriend(house, other)
        handed = await post(net, house, "/request", what="EXERCISE zq-asked for help", contact="zq-phone 00 999 333")
        number = number_in(handed)
        listed = (await sara.get("/desk/cases")).text
        assert "zq-asked" in listed and "EXERCISE" in listed
        case = await first_case(sara)
        page = await sara.get(case)
        answered = await sara.post(f"{case}/answer", {"words": "EXERCISE: we help", "version": version_in(page.text)})
        assert answered.status == 303
        opened = await post(net, house, "/request/answer", number=number)
        assert "EXERCISE: we help" in opened.text
        await to_draft(sara, case)
        inside_nowhere(house, other)
        preview = (await sara.get(f"{case}/act/submit")).text
        assert HEADLINE in preview and "Everyone in the world" in preview and "zq-street" in preview
        await do(sara, case, "submit")
        assert states(house) == ["review"]
        for person in people:
            assert "zq-" not in (await person.get("/desk/approvals")).text
            await approve(person)
        await wait_until(lambda: states(house) == ["published"], "the state in the clear follows by itself")
        assert HEADLINE in (await house.get("/alerts")).text

        async def there():
            return HEADLINE in (await other.get("/alerts")).text

        await wait_until(there, "the other node has it")
        seen = (await sara.get(case)).text
        assert "The alert as others read it" in seen and "2 of 2 approvals given" in seen
        house.clock.forward(timedelta(hours=1))
        await sara.refresh()
        known = {"kind": "safe", "text": "EXERCISE: the threats stopped", "known": f"{house.clock():%Y-%m-%d}"}
        await write(sara, case, "outcome/it", known)
        await do(sara, case, "conclude")
        refused = (await sara.get(f"{case}/act/close")).text
        assert "fresh consent" in refused
        await write(sara, case, "consent/p1", {
            "given_by": "self", "how": "in person", "level": "public-anonymised", "valid_until": "2027-06-30",
            "free": "yes",
        })  # fmt: skip
        await do(sara, case, "close", attribution="partly")
        assert states(house) == ["closed"]

        async def over():
            return "This alert is closed" in (await house.get(alert_path(seen), Accept_Language="en")).text

        assert not await over(), "nobody adds words above an alert alone"
        await people[0].refresh()
        await approve(people[0])
        await wait_until(over, "another looked at the outcome's words")
        inside_nowhere(house, other)
        for public in ("/", "/alerts", alert_path(seen)):
            assert "zq-" not in (await house.get(public)).text


def alert_path(page):
    return re.search(r'"(/alerts/[^"?]+)', page)[1]


async def test_consent_that_is_taken_back_while_others_look_takes_the_request_back_and_then_the_alert(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        await sara.get("/desk/cases/new")
        answer = await sara.post("/desk/cases/new", {"what": "EXERCISE zq-asked", "imminent": "yes"})
        case = answer.headers["location"].removesuffix("/guide")
        await to_draft(sara, case)
        await do(sara, case, "submit")
        await approve(people[0])
        await take_back(sara, case, 0)
        assert [each.request.state for each in requests(house, "cancelled")] == ["cancelled"]
        assert states(house) == ["draft"]
        assert not re.search(r"/desk/approvals/[\w-]+", (await people[1].get("/desk/approvals")).text)
        await write(sara, case, "consent/p1", {
            "given_by": "self", "how": "in person", "level": "public-anonymised", "valid_until": "2027-06-30",
            "free": "yes",
        })  # fmt: skip
        await do(sara, case, "submit")
        for person in people:
            await approve(person)
        await wait_until(lambda: states(house) == ["published"], "it is published")
        assert HEADLINE in (await house.get("/alerts")).text
        await take_back(sara, case, 1)
        assert states(house) == ["withdrawn"]
        assert HEADLINE not in (await house.get("/alerts")).text
        inside_nowhere(house)


async def take_back(worker, case, number):
    page = await worker.get(case)
    answer = await worker.post(
        f"{case}/consents", {"version": version_in(page.text), "number": str(number), "change": "withdraw"}
    )
    assert answer.status == 303, answer.text


async def test_a_changed_text_voids_what_others_look_at_and_a_revision_asks_again(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        await sara.get("/desk/cases/new")
        case = await opened(sara)
        await to_draft(sara, case)
        await do(sara, case, "submit")
        await approve(people[0])
        await write(sara, case, "text/en", dict(TEXTS[-1][1]) | {"headline": "EXERCISE: another headline"})
        assert states(house) == ["draft"] and len(requests(house, "cancelled")) == 1
        await do(sara, case, "submit")
        for person in people:
            await approve(person)
        await wait_until(lambda: states(house) == ["published"], "it is published")
        page = await sara.get(f"{case}/text/en")
        fields = dict(TEXTS[-1][1]) | {"version": version_in(page.text)}
        refused = await sara.post(f"{case}/text/en", fields)
        assert refused.status == 409 and "begin a revision, then change it" in refused.text and HEADLINE in refused.text
        await do(sara, case, "correct", note="EXERCISE: it was on Monday")
        public = alert_path((await sara.get(case)).text)
        waits = re.search(r"/desk/approvals/[\w-]+", (await people[1].get("/desk/approvals")).text)[0]
        looked = (await people[1].get(waits)).text
        assert "it was on Monday" in looked and "marked as corrected" in looked
        assert "it was on Monday" not in (await house.get(public)).text
        await approve(people[1])

        async def corrected():
            return "it was on Monday" in (await house.get(public)).text

        await wait_until(corrected, "another said yes to the correction")
        leak = await sara.post(
            f"{case}/act/correct",
            {"note": "EXERCISE: she lives at zq-street 7", "version": version_in((await sara.get(case)).text)},
        )
        assert leak.status == 409 and "R4" in leak.text
        news = {"language": "en", "headline": "EXERCISE: she was heard", "narrative": "EXERCISE: news, zq-street 7."}
        whole = dict(TEXTS[-1][1]) | news
        held = version_in((await sara.get(f"{case}/news/new")).text)
        leak = await sara.post(f"{case}/news/new", whole | {"version": held})
        assert leak.status == 409 and "R4" in leak.text and "she was heard" in leak.text
        await write(sara, case, "news/new", whole | {"narrative": "EXERCISE: news."})
        for person in people:
            await approve(person)

        async def told():
            return "she was heard" in (await house.get(public)).text

        await wait_until(told, "the news stands in the chain")
        assert states(house) == ["published"]
        await do(sara, case, "revise")
        await write(sara, case, "text/en", dict(TEXTS[-1][1]))
        await do(sara, case, "submit")
        assert "another headline" in (await house.get(public)).text, "what stands there stays until others said yes"
        for person in people:
            await approve(person)
        await wait_until(lambda: states(house) == ["published"], "the revision is published")
        assert HEADLINE in (await house.get(public)).text
        inside_nowhere(house)


async def test_who_is_no_case_worker_reads_no_case_and_a_refusal_brings_the_text_back(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        await sara.get("/desk/cases/new")
        case = await opened(sara)
        for path in ("/desk/cases", case, f"{case}/person/new", f"{case}/act/withdraw"):
            assert (await people[0].get(path)).status == 403
            assert (await house.get(path)).status == 303
        await to_draft(sara, case)
        await do(sara, case, "submit")
        listed = re.search(r"/desk/approvals/[\w-]+", (await people[0].get("/desk/approvals")).text)[0]
        page = (await people[0].get(listed)).text
        digest = re.search(r'name="digest" value="(\w+)"', page)[1]
        await people[0].post(listed, {"word": "no", "digest": digest, "reason": "EXERCISE: too early"})
        assert "Draft" in (await sara.get(case)).text
        assert states(house) == ["draft"]
        inside_nowhere(house)
        await statement(house, people)


async def test_what_is_for_members_only_is_sealed_and_taken_back_with_the_consent(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        other = await net.house("two")
        await net.befriend(house, other)
        reader = await join(other, "Nour (exercise)", "coordinator")
        await sara.get("/desk/cases/new")
        case = await opened(sara)
        await to_draft(sara, case, "network-only")
        await do(sara, case, "submit")
        await approve(people[0])
        await wait_until(lambda: states(house) == ["published"], "one word is enough for members")

        async def told():
            return HEADLINE in (await reader.get("/desk/network")).text

        await wait_until(told, "the member has it")
        assert HEADLINE not in (await house.get("/alerts")).text and HEADLINE.encode() not in house.files()
        await take_back(sara, case, 0)
        assert states(house) == ["withdrawn"]

        async def gone():
            return HEADLINE not in (await reader.get("/desk/network")).text

        await wait_until(gone, "it is taken back")
        inside_nowhere(house, other)


async def test_a_presumed_consent_is_answered_for_by_two_who_read_why_even_among_members(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        await net.befriend(house, await net.house("two"))
        await sara.get("/desk/cases/new")
        case = await opened(sara)
        why = "EXERCISE: he may be moved tonight, and nobody of his can be reached"
        presumed = {"given_by": "presumed", "how": "nobody can be asked", "necessity": why}
        await to_draft(sara, case, "network-only", person={"situation": "detained"}, consent=presumed)
        await do(sara, case, "submit")
        asked = re.search(r"/desk/approvals/[\w-]+", (await people[0].get("/desk/approvals")).text)
        shown = (await people[0].get(asked[0])).text
        assert why in shown
        await approve(people[0])
        assert states(house) == ["review"], "one word is not enough for a presumption"
        hurried = await people[0].post(asked[0], {"emergency": "yes", "reason": "EXERCISE: " + "at once " * 10})
        assert hurried.status == 409 and "two people who approve answer for it" in hurried.text
        await approve(people[1])
        await wait_until(lambda: states(house) == ["published"], "two words are")


async def statement(house, people):
    """A text without a case names nobody, and is approved like any other."""
    author = await join(house, "Rima (exercise)", "author")
    await house.write(lambda c: person_rows.confirm(c, author.person, people[0].id, house.clock()))
    empty = await author.get("/desk/write")
    assert empty.status == 200 and 'name="audience"' in empty.text
    fields = dict(TEXTS[1][1]) | dict(TEXTS[3][1]) | {"kind": "statement", "audience": "everyone"}
    refused = await author.post("/desk/write", fields)
    assert refused.status == 409 and "begins with a case" in refused.text and HEADLINE in refused.text
    seen = await author.post("/desk/write", fields | {"nobody": "yes"})
    assert seen.status == 200 and "As it will be read" in seen.text
    assert requests(house, "waiting") == (), "nothing is kept before others are asked"
    assert (await author.post("/desk/write", fields | {"nobody": "yes", "ask": "yes"})).status == 303
    for person in people:
        await approve(person)

    async def there():
        return HEADLINE in (await house.get("/alerts")).text

    await wait_until(there, "it is published")
