"""What hostile members may try with charters and affirmations, through the door, and what it does not achieve."""

from copy import deepcopy

import pytest

from node import charters as rules
from node.desk import charters as desk
from node.models import charters as rows
from node.models import documents
from tests.federation.test_hostile_members import take
from tests.support.letters import Portable, pin, post
from tests.support.network import Network
from tests.test_charter_bundles import TEXT, affirmation, article

TERMS = [
    "https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1",
    {**rules.TERMS, "log": {"@id": "tadamun:log", "@type": "@json"}},
]  # fmt: skip

LATER = "2027-01-01T00:00:00Z"


@pytest.fixture
async def stage(tmp_path):
    """A house and two members: one keeps a charter, the other turned hostile."""
    async with Network(tmp_path) as net:
        house = await net.house("org", start=False)
        await house.start(workers=False)
        good, bad = Portable("good", "good.example"), Portable("bad", "bad.example", 6)
        for each in (good, bad):
            await pin(house, each)
            await take(house, each, each.updates_itself())
        await take(house, good, says(good, article(good)))
        yield house, good, bad


def says(author, thing, kind="Create", **changes):
    signed = thing if "proof" in thing else author.sign({"@context": TERMS, **thing})
    return author.logs(kind, signed, **{"@context": TERMS} | changes)


def held(house):
    return house.read(lambda connection: rows.newest(connection, house.did))


def names(house, digest):
    charter = house.read(lambda connection: desk.find(connection, house.organisation, digest))
    found = house.read(lambda connection: desk.affirmed(connection, house.organisation, charter))
    return [each.name for each in found.names]


async def test_only_what_names_this_very_text_counts_and_once(stage):
    house, good, bad = stage
    (charter,) = held(house)
    other = rules.parse(article(good, {"ar": TEXT["ar"]}), (1, 9))
    for number, thing in enumerate((
        affirmation(bad, "a1", other),
        affirmation(bad, "a2", charter, textDigest=other.digest),
        affirmation(bad, "a3", charter, affirmedArticles=["99"]),
        affirmation(bad, "a4", charter, name="turned \u202eround"),
        affirmation(bad, "a5", charter, attributedTo=good.uri),
        affirmation(good, "a6", charter),
    )):  # fmt: skip
        await take(house, bad, says(bad, thing))
        assert names(house, charter.digest) == [], number
    for number in range(3):
        await take(house, bad, says(bad, affirmation(bad, f"b{number}", charter, name=f"EXERCISE {number}")))
    assert names(house, charter.digest) == ["EXERCISE 2"], "the last word counts, once"


async def test_nobody_changes_or_takes_over_a_charter(stage):
    house, good, bad = stage
    (charter,) = held(house)
    changed = deepcopy(TEXT)
    changed["en"]["articles"][0]["text"] = "EXERCISE: turned into its opposite"
    same = article(good, changed)
    note = {"id": same["id"], "type": "Note", "attributedTo": good.uri, "content": "EXERCISE", "updated": LATER}
    for author, thing, kind in (
        (good, same, "Update"),
        (good, same | {"updated": LATER}, "Update"),
        (good, {name: value for name, value in same.items() if name != "charterText"}, "Update"),
        (good, note | {"published": LATER}, "Update"),
        (good, same, "Create"),
        (bad, same | {"attributedTo": bad.uri}, "Create"),
        (bad, same, "Update"),
    ):
        await take(house, author, says(author, thing, kind))
        assert held(house) == (charter,), (author.name, kind)
    await take(house, bad, says(bad, {"id": charter.id, "type": "Tombstone"}, "Delete"))
    assert held(house) == (charter,)


async def test_a_strangers_amendment_is_not_shown_as_one(stage):
    house, good, bad = stage
    (charter,) = held(house)
    await take(house, bad, says(bad, article(bad, {"ar": TEXT["ar"]}, kind="amendment", amends=charter.digest)))
    assert len(held(house)) == 2
    kept = house.read(lambda connection: desk.versions(connection, house.organisation, charter))
    assert kept == (charter,)
    path = f"/charters/{documents.page_name(charter.id)}"
    shown = await house.get(path, Accept="text/html", Accept_Language="en")
    assert "A later version" not in shown.text and "Versions" not in shown.text


async def test_a_text_that_breaks_the_bounds_is_no_charter(stage):
    house, good, bad = stage
    huge = deepcopy(TEXT)
    for each in huge["ar"]["articles"]:
        each["text"] = "x" * 19_000
    big = article(bad) | {"charterText": huge}
    for thing in (big, article(bad) | {"charterText": {}}, article(bad) | {"content": "x" * 110_000}):
        await take(house, bad, says(bad, thing))
    assert [each.did for each in held(house)] == [good.did]


async def test_html_in_a_charter_is_inert_on_every_page(stage):
    house, good, bad = stage
    value = deepcopy(TEXT)
    for part in (value["ar"], value["en"], *value["ar"]["articles"], *value["en"]["articles"]):
        for name in ("title", "preamble", "heading", "text"):
            if name in part:
                part[name] = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    await take(house, bad, says(bad, article(bad, value, token="x")))
    (evil,) = [each for each in held(house) if each.did == bad.did]
    await take(house, bad, says(bad, affirmation(bad, "a1", evil, name="<script>alert(2)</script>")))
    path = f"/charters/{documents.page_name(evil.id)}"
    for page in ("/charters", path):
        shown = await house.get(page, Accept="text/html", Accept_Language="en")
        assert shown.status == 200
        assert "<script" not in shown.text and "<img" not in shown.text
    assert "&lt;script&gt;alert(2)" in shown.text


async def test_a_stranger_keeps_and_affirms_nothing_here(stage):
    house, good, bad = stage
    (charter,) = held(house)
    stranger = Portable("stranger", "stranger.example", 7)
    for thing in (article(stranger), affirmation(stranger, "a1", charter)):
        said = says(stranger, thing)
        assert (await post(house, bad.letter(house, said))).status == 401, "a member carries no stranger's word"
        await take(house, stranger, said)
    assert held(house) == (charter,) and names(house, charter.digest) == []
