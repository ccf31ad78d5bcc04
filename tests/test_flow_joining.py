"""Asking to join without an invitation: a public form, named sponsors, one answer, a number; nothing in the clear."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from node import governance
from node import joinings as rules
from node import letters as letter_rules
from node.desk import directory, networks
from node.desk import joinings as desk
from node.desk import network_sheets as sheets
from node.errors import RefusedError
from node.federation import joinings
from node.federation.protocol import keys
from node.letters import Letter
from node.models import joinings as rows
from node.models import letters as letter_rows
from node.models import rooms
from node.models.views import View
from node.people import NETWORK
from tests.support.desk import join
from tests.support.joining import FIELDS, post
from tests.support.network import Network, wait_until
from tests.test_flow_directory import alone, page
from tests.test_flow_networks_apart import act, found, state
from tests.test_flow_requests import held_private, number_in


async def opened(host, other, sponsors=None):
    """A network of two, shown by the first, with a form that the other answers."""
    network = await found(host, other, "EXERCISE net")
    await act(other, lambda mine: directory.profile(mine, network, listed=True))
    await wait_until(lambda: state(host, network).members[other.did].listed, "it may be named")
    await show(host, network, [other.did] if sponsors is None else sponsors)
    return network


async def show(host, network, sponsors):
    def shown(mine):
        directory.publish(mine, network)
        directory.set_sponsors(mine, sponsors)
        directory.set_form(mine, form=True)

    await act(host, shown)


def listed(house):
    secrets = house.read(lambda connection: rooms.network_secrets(connection, house.did, house.node.keyring))
    return house.read(lambda connection: desk.current(connection, house.organisation, secrets))


async def asked(host, *readers):
    """Somebody asks; the number, and what each reader has of it."""
    answer = await post(host, "/join", **FIELDS)
    assert answer.status == 200, answer.text
    host.node.delivery.wake()
    for each in readers:
        await wait_until(lambda each=each: listed(each), "it is there")
    return number_in(answer), listed(host)[0].row.id


async def take(house, author, kind, about, body, **changes):
    """A letter of a pinned member, as it is when it was opened and judged."""
    now = house.clock()
    letter = Letter(f"ap+ef61://{author}/letters/x", author, (house.did,), kind, about, now, body)

    def work(connection):
        view = View(connection, house.organisation)
        room = rooms.recipient(connection, house.did, NETWORK)
        joinings.take(view, replace(letter, **changes), room, now)

    await house.write(work)


async def test_who_asks_on_one_node_is_invited_by_a_sponsor_on_another_and_reads_it_with_a_number(tmp_path):
    async with Network(tmp_path) as net:
        host, sponsor = await net.members("host", "sponsor")
        guest = await net.house("guest")
        zainab = await join(host, "Zainab (exercise)", "coordinator")
        nour = await join(sponsor, "Nour (exercise)", "coordinator")
        network = await opened(host, sponsor)
        assert 'href="/join"' in await page(host)
        for language in ("ar", "en"):
            form_page = await host.get("/join", Accept_Language=language)
            held_private(form_page)
        assert "EXERCISE net" in form_page.text and sponsor.organisation.name in form_page.text
        assert "answers by" in form_page.text and "4 December 2026" in form_page.text
        handed = await post(host, "/join", **FIELDS)
        held_private(handed)
        assert handed.status == 200
        number = number_in(handed)
        host.node.delivery.wake()
        early = await post(host, "/join/answer", number=number)
        held_private(early)
        assert early.status == 200 and "no answer yet" in early.text and "zq-made-" not in early.text

        async def there():
            found = re.search(r'href="(/desk/joinings/[\w-]+)', (await nour.get("/desk/networks")).text)
            return found[1] if found else None

        path = await wait_until(there, "the sponsor has it")
        assert "Promised by" in nour.seen[-1].text and "zq-made-name &lt;b&gt;" in nour.seen[-1].text
        net.clock.forward(timedelta(days=15))
        await nour.sign_in()
        assert "request to join waits for longer" in (await nour.get("/desk")).text
        assert "Overdue since" in (await nour.get("/desk/networks")).text
        shown = (await nour.get(path)).text
        assert "zq-made-contact" in shown and "on the page of" in shown
        await zainab.sign_in()
        ours = (await zainab.get(path)).text
        assert "zq-made-" not in ours and "we do not read it" in ours and 'value="invite"' not in ours
        assert (await zainab.post(path, {"do": "invite"})).status == 409
        long = await nour.post(path, {"do": "invite", "words": "x" * 2001})
        assert long.status == 409
        invited = await nour.post(path, {"do": "invite", "words": "EXERCISE zq-said <i>welcome"})
        assert invited.status == 303
        assert (await nour.post(path, {"do": "decline", "reason": "not-now"})).status == 409, "it was answered"
        sponsor.node.delivery.wake()
        await wait_until(lambda: listed(host)[0].row.answered, "the answer is there")
        assert "Answered on" in (await zainab.get(path)).text
        read = await post(host, "/join/answer", number=number.replace(" ", "-"))
        held_private(read)
        assert "zq-said &lt;i&gt;welcome" in read.text and networks.six_words(sponsor.did) in read.text
        carried = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", read.text, re.S)[1])
        sheet = sheets.read_sheet(carried.encode(), net.clock())
        assert (sheet.network, sheet.members) == (network, ((sponsor.did, sponsor.organisation.address),))
        await act(guest, lambda mine: networks.accept(mine, sheet))
        for house in (host, sponsor):
            for word in ("zq-made-", "zq-said", number, number.replace(" ", "")):
                assert word.encode() not in house.files()
            between = [each for each in house.exchanges if not each.path.startswith(("/join", "/desk"))]
            assert between and not [each for each in between if b"zq-" in each.body + each.answer]


async def test_the_first_answer_counts_the_others_see_it_and_all_of_it_is_deleted(tmp_path):
    async with Network(tmp_path) as net:
        host, one = await net.members("host", "one")
        await opened(host, one)
        await act(host, lambda mine: directory.set_sponsors(mine, [mine.own, one.did]))
        number, name = await asked(host, one)
        for wrong in (("", ""), ("own-words", " "), ("because", "x"), ("not-now", "x" * 2001)):
            with pytest.raises(RefusedError):
                await act(one, lambda mine, wrong=wrong: desk.decline(mine, name, *wrong))
        await act(host, lambda mine: desk.decline(mine, name, "not-known", "EXERCISE zq-said"))
        await wait_until(lambda: listed(one)[0].row.answered, "the other sponsor is told")
        assert {listed(each)[0].row.by for each in (host, one)} == {host.did}
        with pytest.raises(RefusedError, match="answered already"):
            await act(one, lambda mine: desk.invite(mine, name, ""))
        late = rules.decline("not-now", "EXERCISE zq-late").body()
        await take(host, one.did, letter_rules.JOIN_ANSWER, name, late)
        read = await post(host, "/join/answer", number=number)
        assert "zq-said" in read.text and "zq-late" not in read.text and "Nobody of us knows you yet" in read.text
        net.clock.forward(rules.KEPT + timedelta(hours=2))
        for each in (host, one):
            await each.node.doorkeeper.work_once()
            assert listed(each) == ()
            kept = each.read(lambda connection, each=each: letter_rows.about(connection, each.did, name))
            assert kept and not [one for one in kept if one.raw or one.sealed]
        assert (await post(host, "/join/answer", number=number)).status == 404


async def test_strangers_the_removed_and_the_dishonest_answer_nothing(tmp_path):
    async with Network(tmp_path) as net:
        host, sponsor = await net.members("host", "sponsor")
        network = await opened(host, sponsor)
        number, name = await asked(host, sponsor)
        liar, no = keys.generate_organisation_key().did, rules.decline("not-now", "EXERCISE").body()
        request, answer, settled = letter_rules.JOIN_REQUEST, letter_rules.JOIN_ANSWER, letter_rules.JOIN_SETTLED
        good = asking(network)
        for to, author, kind, about, body, *changes in (
            (host, liar, answer, name, no),
            (host, host.did, answer, name, no),
            (sponsor, liar, settled, name, {"by": liar}),
            (host, sponsor.did, settled, name, {"by": sponsor.did}),
            (sponsor, host.did, settled, name, {"by": "x" * 81}),
            (sponsor, liar, request, rules.name_of(liar, "x" * 20), good),
            (sponsor, host.did, request, rules.name_of(liar, "x" * 20), good),
            (sponsor, host.did, request, "../../" + "x" * 20, good),
            (sponsor, host.did, request, name, good),
            (sponsor, host.did, request, rules.name_of(host.did, "y" * 20), {"network": network}),
            (sponsor, host.did, request, rules.name_of(host.did, "y" * 20), asking("zNo")),
            (sponsor, host.did, request, rules.name_of(host.did, "y" * 20), asking(network, work="x" * 4001)),
            (sponsor, host.did, request, rules.name_of(host.did, "y" * 20), asking(network, more="")),
            (sponsor, host.did, request, rules.name_of(host.did, "y" * 20), good, host.clock() - timedelta(days=31)),
            (host, sponsor.did, answer, rules.name_of(host.did, "y" * 20), no),
            (host, sponsor.did, answer, name, {**no, "verdict": "maybe"}),
            (host, sponsor.did, answer, name, {**no, "more": ""}),
            (host, sponsor.did, answer, name, {**no, "words": "x" * 2001}),
            (host, sponsor.did, answer, name, {**no, "sheet": "{}"}),
            (host, sponsor.did, answer, name, yes("{}")),
            (host, sponsor.did, answer, name, yes("no sheet")),
            (host, sponsor.did, answer, name, yes(sheet_of(network, liar))),
            (host, sponsor.did, answer, name, yes(sheet_of("zOther", sponsor.did))),
        ):
            await take(to, author, kind, about, body, **({"sent": changes[0]} if changes else {}))
            (ours,), (theirs,) = listed(host), listed(sponsor)
            assert ours.row.answered is None is theirs.row.answered, (kind, body)
            assert theirs.asking == rules.parse_form(FIELDS, "en")
        await take(sponsor, host.did, request, rules.name_of(host.did, "y" * 20), good)
        assert len(listed(sponsor)) == 2, "what is as it should be is taken"

        def fill(connection):
            for at in range(rules.MOST_KEPT - 2):
                done = replace(listed_row, id=f"x{at}", answered=host.clock(), by=host.did)
                rows.add(connection, sponsor.did, done)

        listed_row = listed(sponsor)[0].row
        await sponsor.write(fill)
        await take(sponsor, host.did, request, rules.name_of(host.did, "z" * 20), good)
        assert sponsor.read(lambda connection: rows.count(connection, sponsor.did, host.did)) == rules.MOST_KEPT
        await act(sponsor, lambda mine: networks.leave(mine, network))
        await wait_until(lambda: sponsor.did not in state(host, network).members, "it is out")
        await take(host, sponsor.did, answer, name, no)
        assert listed(host)[0].row.answered is None, "who is no member any more answers nobody"
        closed = await host.get("/join", Accept_Language="en")
        assert "no form here" in closed.text and 'action="/join"' not in closed.text
        assert (await post(host, "/join", **FIELDS)).status == 503
        assert (await post(host, "/join/answer", number=number)).status == 200
        assert (await sponsor.get("/join")).status == 404


def asking(network, **changes):
    return {"network": network, "asking": rules.parse_form(FIELDS, "en").body() | changes}


def yes(sheet):
    return {"verdict": "invited", "reason": "", "words": "", "sheet": sheet}


def sheet_of(network, did):
    return sheets.written({"type": sheets.SHEET, "network": network, "members": [{"did": did, "handle": "@x@y"}]})


async def test_a_flood_ends_at_the_door_and_wrong_numbers_are_told_nothing(tmp_path):
    async with Network(tmp_path) as net:
        host, network = await alone(net)
        wrong = await post(host, "/join/answer", number="1234 5678 9012 3456")
        await show(host, network, [])
        number, _ = await asked(host)
        guess = await post(host, "/join/answer", number=f"{(int(number.replace(' ', '')) + 1) % 10**16:016}")
        assert (wrong.status, guess.status, wrong.body) == (404, 404, guess.body)
        assert (await post(host, "/join/answer", number="123")).status == 400
        assert (await post(host, "/request/answer", number=number)).status == 404, "a number opens its own door only"
        (kept,) = listed(host)
        assert kept.asking.name == FIELDS["name"] and kept.here

        def fill(connection):
            for at in range(rules.MOST_OPEN - 1):
                rows.add(connection, host.did, replace(kept.row, id=f"x{at}", tag=bytes([at])))

        await host.write(fill)
        full = await post(host, "/join", **FIELDS)
        assert full.status == 503 and "too many requests wait" in full.text and "zq-made-known" in full.text
        for _ in range(20):
            last = await post(host, "/join", **FIELDS | {"name": " "})
        assert last.status == 429 and last.headers["retry-after"] == "60"
        assert (await host.get("/request")).status == 200


@pytest.mark.parametrize("changes", [{"name": " "}, {"work": "x" * 4001}, {"contact": ""}, {"kind": "state"}])
def test_a_form_that_is_not_taken_names_the_field(changes):
    with pytest.raises(RefusedError) as refused:
        rules.parse_form(FIELDS | changes, "en")
    assert [each.partition(":")[0] for each in refused.value.reasons] == list(changes)


def test_what_is_asked_is_read_as_it_was_written():
    asking = rules.parse_form(FIELDS, "ar")
    assert rules.parse_asking(asking.body()) == asking
    assert asking.kind in governance.MEMBER_KINDS and asking.work.endswith("<script>")
