"""Evidence, not silence: each fault is seen, kept as a document that others can check, and told to the members."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from node import evidence
from node.cli import tadamun
from node.errors import NodeError
from node.federation import outbox, pages
from node.federation.protocol import heads as head_tables
from node.federation.protocol import ids, integrity_proofs
from node.federation.protocol.activities import AS2
from node.federation.protocol.actors import DATA_INTEGRITY
from node.federation.protocol.replicas import Head
from node.models import documents, logs, organisations
from tests.support.fediverse import Host, post_as
from tests.support.network import Network, said_by, wait_until


def findings(house, *, by=None):
    found = house.read(lambda connection: documents.evidence_of(connection, house.did))
    return [each for each in found if by is None or each.by == by]


def signed_head(house, head, moment):
    bare = head_tables.render_head(house.organisation.uri, head, f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    document = {"@context": [AS2, DATA_INTEGRITY, dict(evidence.TERMS)], **bare}
    return integrity_proofs.sign(document, house.key, outbox.log_method(house.key), moment)


async def told(house, by, fault):
    """What `by` told this house about a fault."""
    await wait_until(
        lambda: any(each.kind == fault for each in findings(house, by=by.did)), f"{fault} was passed on", 15
    )
    return next(each for each in findings(house, by=by.did) if each.kind == fault)


async def test_a_member_that_goes_back_is_seen_and_two_signed_heads_prove_it_to_others(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        await a.publish(status="actual", translations={})
        await wait_until(lambda: b.head(a.did) == (1, 2), "the alert is there")
        head = b.read(lambda connection: logs.head(connection, b.did, a.did))
        member = b.member(a.did)
        mirror = b.node.mirror
        await mirror._compare_claims(b.organisation, member, signed_head(a, head, net.clock()))
        assert findings(b) == []
        later = net.clock() + timedelta(minutes=1)
        await mirror._compare_claims(b.organisation, member, signed_head(a, Head(1, 1, head.digest), later))
        (seen,) = findings(b)
        assert (seen.kind, seen.did, seen.proven, seen.by) == ("rollback", a.did, True, "")
        words = CliRunner().invoke(tadamun, ["doctor", "--data", str(b.data)])
        assert f"evidence: rollback in {a.did}" in words.output
        assert "proven, seen here" in words.output
        heard = await told(c, b, "rollback")
        assert heard.proven, "the document proves it, whoever brings it"
        assert heard.document == seen.document
        assert not findings(a, by=b.did), "the accused is not written to"


async def test_a_head_that_only_grows_or_comes_late_is_no_rollback(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        mirror, member, now = b.node.mirror, b.member(a.did), net.clock()
        for head, moment in ((Head(1, 3, "x"), now), (Head(1, 5, "y"), now + timedelta(minutes=1)),
                             (Head(1, 4, "z"), now - timedelta(minutes=1)), (Head(1, 5, "y"), now)):  # fmt: skip
            await mirror._compare_claims(b.organisation, member, signed_head(a, head, moment))
        assert findings(b) == []
        with pytest.raises(NodeError):
            await mirror._compare_claims(b.organisation, member, signed_head(b, Head(1, 6, "x"), now))


async def test_a_fork_is_proven_by_the_two_entries_and_marked_and_its_alert_still_shown(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        await a.publish(status="actual", translations={}, headline="Exercise: one branch")
        await wait_until(lambda: b.head(a.did) == c.head(a.did) == (1, 2), "the alert is there")
        first = a.entries(a.did)[0]
        other = said_by(
            a, "Create", {"id": a.organisation.at("/objects/other"), "type": "Note", "content": "Exercise"},
            position=(1, 2, first.digest),
        )  # fmt: skip
        await b.take(other)
        (seen,) = findings(b)
        assert (seen.kind, seen.did, seen.proven) == ("fork", a.did, True)
        headers = evidence.read(seen.document).headers
        assert evidence.contradict(headers)
        assert b"Exercise" not in seen.document, "no text lives on in evidence"
        heard = await told(c, b, "fork")
        assert not heard.proven, "who holds one branch only has the word of a member"
        await c.take(other)
        assert any(each.proven and not each.by for each in findings(c))
        page = (await b.get("/alerts?lang=en")).text
        assert "one branch" in page
        assert "caveat" in page


async def test_an_old_actor_document_is_refused_and_two_documents_prove_the_replay(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        old = (await a.get(ids.Portable(a.did, "/actor").at(""))).body
        await a.write(lambda connection: _speak(connection, a))
        await wait_until(lambda: b.head(a.did) == (1, 2), "the newer one is there")
        place = await Host(net, 1, "gateway").start()
        uri = ids.Portable(a.did, "/actor").at(place.origin)
        place.documents[ids.Portable(a.did, "/actor").at("")] = json.loads(old)
        with pytest.raises(NodeError):
            await b.node.discovery.actor(uri, fresh=True)
        (seen,) = findings(b)
        assert (seen.kind, seen.did, seen.via, seen.proven) == ("replayed", a.did, place.host, True)
        assert (await told(c, b, "replayed")).proven


async def test_a_gateway_that_answers_for_a_did_without_its_proof_is_seen(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        true = json.loads((await a.get(ids.Portable(a.did, "/actor").at(""))).body)
        place = await Host(net, 1, "gateway").start()
        uri = ids.Portable(a.did, "/actor").at(place.origin)
        place.documents[ids.Portable(a.did, "/actor").at("")] = {**true, "inbox": place.origin + "/inbox"}
        with pytest.raises(NodeError):
            await b.node.discovery.actor(uri, fresh=True)
        (seen,) = findings(b)
        assert (seen.kind, seen.did, seen.via) == ("impersonation", a.did, place.host)
        assert b.member(a.did).inbox == a.origin + "/inbox"
        assert (await told(c, b, "impersonation")).via == place.host


async def test_a_forged_entry_is_refused_and_told_without_its_words(tmp_path):
    async with Network(tmp_path) as net:
        a, b, c = await net.members("a", "b", "c")
        await a.publish(status="actual", translations={}, headline="Exercise: the words")
        await wait_until(lambda: b.head(a.did) == c.head(a.did) == (1, 2), "the alert is there")
        entry = json.loads(a.entries(a.did)[1].raw)
        forged = json.dumps({**entry, "id": entry["id"] + "x", "published": "2026-01-01T00:00:00Z"}).encode()
        items, refused = pages.verify_page(forged, a.did)
        assert items == [] and len(refused) == 1
        await b.node.mirror._note_forged(b.organisation, a.did, c.organisation.host, refused)
        (seen,) = findings(b)
        assert (seen.kind, seen.proven) == ("forged", False)
        assert b"the words" not in seen.document
        assert not findings(c, by=b.did), "the accused host is not written to"


async def test_a_strangers_and_a_frozen_members_testimony_is_nobodys_word(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        value = evidence.Evidence("withheld", b.did, "org.example", "claimed head 1/9, did not supply it").value()
        assert (await _testify(net, a, b, value)).status == 202
        await wait_until(lambda: len(findings(b, by=a.did)) == 1, "a member's word is kept")
        await b.freeze(a.did, 1)
        await _testify(net, a, b, {**value, "summary": "another"})
        await wait_until(lambda: b.received()["waiting"] == 0, "judged")
        assert len(findings(b, by=a.did)) == 1


async def _testify(net, by, to, value):
    return await post_as(by, to.origin + "/inbox", said_by(by, evidence.TYPE, value))


def _speak(connection, house):
    rsa = house.node.keyring.rsa(house.did).public_key()
    return outbox.publish_actor(connection, house.organisation, house.key, rsa, house.clock())


def hold(house):
    """Why publishing is refused."""
    return house.read(lambda connection: organisations.get(connection, house.did)).hold


async def _lie(liar, about, sequence):
    """The liar's head table claims more of this log than there is."""
    table = logs.heads
    await liar.write(
        lambda connection: connection.execute(
            table.update().where(table.c.did == about, table.c.org == liar.did).values(sequence=sequence)
        )
    )


async def test_a_member_that_claims_more_of_our_log_than_we_signed_does_not_silence_us(tmp_path):
    async with Network(tmp_path) as net:
        a, b, liar = await net.members("a", "b", "c")
        await _lie(liar, a.did, 99)
        for _ in range(5):
            report = await a.sync(liar)
            assert report.problem == ""
            assert hold(a) == ""
        said = await a.publish(status="actual", translations={})
        await wait_until(lambda: b.holds(said), "published and delivered")
        (seen,) = [each for each in findings(a) if each.kind == "withheld"]
        assert (seen.did, seen.via) == (a.did, liar.organisation.host)


async def test_a_member_that_claims_more_and_then_hangs_up_holds_us_up_a_few_times_and_no_more(tmp_path):
    async with Network(tmp_path) as net:
        a, liar = await net.house("a", start=False), await net.house("c", start=False)
        for house in (a, liar):
            await house.start(workers=False)  # a first comparison of their own would take the doubt back
        await net.befriend(a, liar)
        mirror = a.node.mirror
        for number in range(5):
            await mirror._doubt(a.organisation, liar.did)
            assert bool(hold(a)) is (number < 3)
        await a.publish(status="actual", translations={})
