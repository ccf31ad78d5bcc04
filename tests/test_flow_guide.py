"""An alert step by step, and what is left in the middle: each step leads to the next; drafts are one person's own."""

import re
from datetime import timedelta

from node import case_guide
from node.case_documents import Ask, Case
from node.case_terms import LAPSED, STATES, WITHDRAWN
from node.desk import people as people_desk
from node.models import drafts
from tests.support.casework import FORMS, HEADLINE, TEXTS, approve, office, version_in
from tests.support.desk import join
from tests.support.network import NOON, Network, wait_until

FILLED = {form.partition("/")[0]: fields for form, fields in (*FORMS, *TEXTS)}
SOURCES = [fields for form, fields in FORMS if form == "source/new"]
FILLED["verification"] = {"level": "document", "status": "confirmed"}


def empty(state="request", **changes):
    return Case(id="0" * 32, ask=Ask(what="EXERCISE", language="en"), opened=NOON, state=state, **changes)


def test_every_state_of_a_case_has_a_way_with_at_most_one_next_step():
    for state in STATES:
        found = case_guide.steps(empty(state))
        assert sum(each.state == case_guide.NEXT for each in found) <= 1, state
        assert [each.name for each in found if not each.optional][0] == "take"


def test_the_way_begins_with_taking_it_on_and_a_lapsed_consent_leads_back():
    assert case_guide.following(empty()).acts == ("take",)
    lapsed = case_guide.following(empty(LAPSED))
    assert lapsed.name == "people"
    assert case_guide.following(empty(WITHDRAWN)).name == "people"


async def test_one_button_after_another_leads_from_a_first_word_to_an_alert_that_others_approved(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, people = await office(net, "one")
        await sara.get("/desk/cases/new")
        begun = await sara.post("/desk/cases/new", {"what": "EXERCISE: she was threatened"})
        guide = begun.headers["location"]
        seen, sources = [], [*SOURCES]
        for _ in range(20):
            page = (await sara.get(guide)).text
            seen.append(re.search(r'aria-current="step"><span>(.*?)[<(]', page)[1].strip())
            form = re.search(rf'class="press" href="({guide}/(\w+)/\w+)"', page)
            act = re.search(r'name="act" value="([\w-]+)"', page)
            if form:
                assert "missing" not in page
                opened = await sara.get(form[1])
                assert 'name="free" value="yes" checked' not in opened.text, "nobody is said to be free beforehand"
                fields = sources.pop() if form[2] == "source" else FILLED[form[2]]
                answer = await sara.post(form[1], {**fields, "version": version_in(opened.text)})
                assert (answer.status, answer.headers["location"]) == (303, guide), answer.text
            elif act:
                wanted = "public" if "value=\"public\"" in page else act[1]
                if wanted == "public":
                    assert "Everyone in the world sees it, for good" in page, "who will see it is said before"
                answer = await sara.post(guide, {"act": wanted, "version": version_in(page)})
                assert answer.status == 303, answer.text
            else:
                break
        assert seen == [
            "Take it on", "Who is at risk", "What they allow", "How we know", "How we know", "How it was checked",
            "Record that it was checked", "Record that consent is there", "What publicity may do", "Who will see it",
            "What happened, their work, the demands", "Country, severity, when it ends",
            "Look at it whole, and ask others to approve",
        ]  # fmt: skip
        assert "Another language" in page, "what need not be done is offered"
        case = guide.removesuffix("/guide")
        translation = (await sara.get(f"{guide}/text/new")).text
        assert HEADLINE in translation, "the text stands beside its translation"
        submit = (await sara.get(f"{case}/act/submit")).text
        assert (await sara.post(f"{case}/act/submit", {"version": version_in(submit)})).status == 303
        assert "Others have been asked" in (await sara.get(guide)).text
        for person in people:
            await approve(person)

        async def there():
            return HEADLINE in (await house.get("/alerts")).text

        await wait_until(there, "it is published")


async def test_an_act_that_is_not_next_is_not_done_by_the_guide(tmp_path):
    async with Network(tmp_path) as net:
        _, sara, _ = await office(net, "one")
        await sara.get("/desk/cases/new")
        guide = (await sara.post("/desk/cases/new", {"what": "EXERCISE"})).headers["location"]
        page = (await sara.get(guide)).text
        for wanted in ("public", "withdraw", "submit", ""):
            answer = await sara.post(guide, {"act": wanted, "version": version_in(page)})
            assert answer.status == 409, wanted


async def test_what_is_typed_is_kept_for_one_person_alone_and_goes_when_it_is_handed_in(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, _ = await office(net, "one")
        hana = await join(house, "Hana two (exercise)", "author", by=None, enrol=False)
        typed = {"headline": "EXERCISE zq-half a sentence", "audience": "network", "kind": "statement"}
        await sara.get("/desk/write")
        kept = await sara.post("/desk/drafts/keep/write", typed)
        assert (kept.status, kept.body) == (204, b"")
        assert b"zq-half" not in house.files()
        page = (await sara.get("/desk/write")).text
        assert "EXERCISE zq-half a sentence" in page
        assert "You left this in the middle" in page
        assert house.read(lambda c: drafts.of_person(c, house.did, hana.id)) == ()
        later = await sara.post("/desk/write", {**typed, "headline": "EXERCISE zq-more", "keep_draft": "yes"})
        assert later.headers["location"] == "/desk"
        assert "zq-more" in (await sara.get("/desk/write")).text
        assert (await sara.post("/desk/drafts/drop/write")).status == 303
        assert "zq-more" not in (await sara.get("/desk/write")).text
        await sara.post("/desk/drafts/keep/cases/new", {"what": "EXERCISE zq-case"})
        await sara.get("/desk/cases/new")
        await sara.post("/desk/cases/new", {"what": "EXERCISE zq-case, whole"})
        assert "zq-case" not in (await sara.get("/desk/cases/new")).text, "what was handed in is no draft any more"


async def test_no_other_form_and_no_stranger_leaves_a_draft(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, _ = await office(net, "one")
        for form in ("people", "approvals/x", "cases/x/people", "cases//person/new", "sign-in", "write/x"):
            assert (await sara.post(f"/desk/drafts/keep/{form}", {"name": "x"})).status == 404, form
        wrong = await sara.post("/desk/drafts/keep/write", {"headline": "x"}, token="0" * 64)
        assert wrong.status == 403
        assert house.read(lambda c: drafts.of_person(c, house.did, sara.id)) == ()


async def test_a_draft_goes_with_its_person_and_with_time(tmp_path):
    async with Network(tmp_path) as net:
        house, sara, _ = await office(net, "one")
        await sara.post("/desk/drafts/keep/write", {"headline": "EXERCISE"})

        def left():
            return house.read(lambda c: drafts.of_person(c, house.did, sara.id))

        assert left()
        await house.write(lambda c: drafts.prune(c, house.clock() + drafts.KEPT - timedelta(hours=2)))
        assert left()
        await house.write(lambda c: people_desk.disable(c, house.organisation, sara.id, house.clock(), losing=True))
        assert left() == ()
