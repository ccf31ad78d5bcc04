"""Charters in browsers: read by everyone, affirmed at the desk article by article, compared, kept as a file."""

import json
from urllib.parse import unquote, urlsplit

from node import charter_bundles, governance
from node.desk import networks
from node.models import documents
from tests.support.desk import join
from tests.support.network import Network, page_of, path_of, wait_until
from tests.test_copies import links, mirror, names
from tests.test_flow_charters import TEXT, affirm, affirmed, everywhere, found, freeze, holds, kept
from tests.test_flow_networks_apart import act as network_act
from tests.test_flow_networks_apart import found as found_network
from tests.test_flow_networks_apart import state

ALL = [str(number) for number in range(1, 9)]


def page(house, digest):
    return f"/charters/{documents.page_name(found(house, digest).id)}"


async def public(house, path, language="en"):
    return await house.get(path, Accept="text/html", Accept_Language=language)


async def test_everybody_reads_a_charter_and_a_coordinator_affirms_it(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        assert "does not carry any charters yet" in (await public(a, "/charters")).text
        digest = await kept(a, b)
        path = page(a, digest)
        for house in (a, b):
            listed = await public(house, "/charters")
            assert path in listed.text and TEXT["ar"]["title"] in listed.text
        shown = await public(b, path)
        assert shown.status == 200 and len(shown.body) < 25_000
        assert 'id="article-3"' in shown.text and 'id="article-3-en"' in shown.text
        assert 'lang="ar" dir="rtl"' in shown.text and "No organisation affirms" in shown.text
        assert "ميثاق" in (await public(b, path, "ar")).text
        document = await b.get(path, Accept="application/activity+json")
        assert document.status == 303
        article = json.loads((await b.get(path_of(document.headers["location"]))).body)
        assert (article["type"], article["textDigest"]) == ("Article", digest)
        assert (await b.get(path_of(article["id"]), Accept="text/html")).headers["location"].endswith(path)

        desk = "/desk" + path
        karwan = await join(b, "Karwan (exercise)", "coordinator")
        assert path in (await karwan.get("/desk/charters")).text
        form = await karwan.get(desk)
        assert form.text.index("Everybody can read and copy that") < form.text.index("Affirm it</button>")
        name = {"shown": "everyone", "name": "Exercise name of b"}
        for fields, told in (
            ({"do": "affirm"}, "tick the articles"),
            ({"do": "affirm", "article": ["1"]}, "choose who may know"),
            ({"do": "affirm", "article": ["1", "77"], **name}, "no article"),
            ({"do": "affirm", "article": ["1"], "shown": "network"}, "affirmed whole"),
            ({"do": "withdraw"}, "tick that we take it back"),
            ({"do": "withdraw", "sure": "yes"}, "we do not affirm"),
            ({"do": "burn"}, "nothing of this kind"),
        ):
            refused = await karwan.post(desk, fields)
            assert refused.status == 409 and told in refused.text.lower(), (fields, refused.text)
        assert (await karwan.post(desk, {"do": "affirm", "article": ["2", "1"], **name})).status == 303
        await everywhere((a, b), digest, {"Exercise name of b"})
        assert [each.articles for each in affirmed(a, digest).names] == [("1", "2")]
        told = (await public(a, path)).text
        assert f'calls itself <bdi lang="" dir="auto">{b.organisation.name}' in told, "nobody signs as another unseen"
        assert "Exercise name of b" in told and "1 organisation affirms" in told
        assert 'articles <bdi lang="" dir="auto">1, 2</bdi>' in told
        mine = (await karwan.get(desk)).text
        assert mine.count("checked") == 3 and "our name is shown" in mine

        file = await a.get(path + "/bundle")
        assert file.status == 200 and file.headers["content-type"] == "application/json"
        assert [each.name for each in charter_bundles.parse(file.body).affirmed.names] == ["Exercise name of b"]

        assert (await karwan.post(desk, {"do": "affirm", "article": ALL, "shown": "network"})).status == 303
        await everywhere((a, b), digest, set(), 1)
        told = (await public(a, path)).text
        assert "Exercise name of b" not in told and "known to the network alone" in told
        assert "members alone know our name" in (await karwan.get(desk)).text
        assert TEXT["ar"]["title"] in (await karwan.get("/desk/network")).text, "whoever may, reads who signed so"
        assert (await karwan.post(desk, {"do": "withdraw", "sure": "yes"})).status == 303
        await everywhere((a, b), digest, set(), 0)

        author = await join(b, "Nour (exercise)", "author", by=karwan)
        read = (await author.get(desk)).text
        assert TEXT["ar"]["title"] in read and "checkbox" not in read
        assert (await author.post(desk, {"do": "affirm", "article": ALL, **name})).status == 403
        stranger = await b.get(desk)
        assert stranger.status == 303 and "sign-in" in stranger.headers["location"]


async def test_versions_are_compared_word_by_word(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        changed = json.loads(json.dumps(TEXT))
        changed["en"]["articles"][6]["text"] = changed["en"]["articles"][6]["text"].replace("a day", "two days")
        for language in changed:
            changed[language]["articles"].append({"number": "9", "heading": "", "text": "EXERCISE <b>nine</b> & ten"})
        later = await freeze(a, changed, kind="amendment", amends=digest)
        await wait_until(lambda: holds(b, later), "the amendment is there")
        old, new = page(b, digest), page(b, later)
        shown = (await public(b, old)).text
        assert "A later version" in shown and new in shown
        compared = await public(b, f"{old}/compare/{later}")
        assert compared.status == 200
        assert "<del>a day</del>" in compared.text.replace(" </del>", "</del>") and "two days" in compared.text
        assert 'Article <bdi lang="" dir="auto">9</bdi> · added' in compared.text
        assert "&lt;b&gt;nine&lt;/b&gt; &amp; ten" in compared.text and "<b>nine" not in compared.text
        assert "<b>nine" not in (await public(b, new)).text
        assert compared.text.count("<section") == 3, "articles that did not change are left out"
        again = (await public(b, f"{new}/compare/{digest}")).text
        assert again.index(old) < again.index("Struck"), "the earlier one is always the first"
        assert (await public(b, f"{new}/compare/{later}")).status == 404
        assert (await public(b, "/charters/0123456789abcdef")).status == 404
        assert (await b.get("/charters/0123456789abcdef/bundle")).status == 404


async def test_an_alert_cites_an_article_and_its_page_leads_there(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        other = "zQmTvoRqJc11c8s1Mqsdp76tvbMYr1gmcMTrxMa1uPYsM8m"
        said = await b.publish(status="actual", charter_articles=[f"{digest}#3", f"{other}#1", f"{digest}#99"])
        await wait_until(lambda: a.holds(said), "the alert is there")
        for house in (a, b):
            shown = (await public(house, page_of(said))).text
            assert f'href="{page(a, digest)}#article-3"' in shown and TEXT["ar"]["title"] in shown
            assert other in shown, "what is not held here is named by its digest"
            assert "#article-99" not in shown


async def test_a_copy_of_the_site_holds_charters_with_their_proof(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        await affirm(b, digest, name="Exercise name")
        folder, path = tmp_path / "copy", page(b, digest).strip("/")
        await mirror(b, folder)
        proof = folder / path / f"tadamun-charter-{path.rpartition('/')[2]}.json"
        assert [each.name for each in charter_bundles.parse(proof.read_bytes()).affirmed.names] == ["Exercise name"]
        assert path_of(a.organisation.at("/objects/x")).strip("/").rpartition("/")[0] in str(sorted(names(folder)))
        for html, target in links(folder / "charters"):
            parts = urlsplit(target)
            if not parts.scheme and parts.path:
                assert (html.parent / unquote(parts.path)).resolve().is_file(), f"{html}: {target}"


async def test_what_a_network_decides_about_a_text_is_told_at_the_desk_alone(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        digest = await kept(a, b)
        network = await found_network(a, b, "EXERCISE network")
        made = await network_act(a, lambda mine: networks.propose(mine, network, governance.ADOPT, text=digest))
        await wait_until(lambda: state(b, network).decisions, "the proposal is there")
        karwan = await join(b, "Karwan (exercise)", "coordinator")
        path = page(b, digest)
        assert "EXERCISE network" in (await karwan.get("/desk" + path)).text
        assert "0 of 2 voters said yes" in (await karwan.get("/desk" + path)).text
        for house in (a, b):
            await network_act(house, lambda mine: networks.vote(mine, network, made[0], governance.YES))
        await wait_until(lambda: _yes(b, network) == 2, "both said yes")
        await network_act(b, lambda mine: networks.close(mine, network, made[0]))
        told = (await karwan.get("/desk" + path)).text
        assert "Decided" in told and "2 of 2 voters said yes" in told
        assert "EXERCISE network" not in (await public(b, path)).text


def _yes(house, network):
    votes = [each.votes for each in state(house, network).decisions.values()]
    return sum(choice == governance.YES for each in votes for choice in each.values())
