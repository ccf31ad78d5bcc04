"""FEDERATION.md says what the code does: its types, terms and paths are the code's, and every example can be read.

An example is a block after `<!-- example: NAME, whole -->` or `…, shortened -->`. A whole one stands as it was sent, so
its proof must hold.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from starlette.routing import Match

from node import (
    alert_terms,
    alerts,
    bundles,
    charter_bundles,
    charters,
    declarations,
    endorsements,
    evidence,
    kinds,
    letters,
    relations,
    releases,
    successions,
)
from node.desk import trust
from node.federation import outbox, pages
from node.federation.protocol import actors, ids, keys, replicas, verification
from node.federation.protocol import heads as head_tables
from node.federation.protocol.activities import Activity, parse_activity
from node.federation.protocol.messages import Document, parse_document
from node.federation.protocol.replicas import Header
from node.federation.protocol.verification import Carrier
from node.models import documents
from node.posts import TYPES as POSTS
from node.web.routes import ROUTES

PAPER = (Path(__file__).resolve().parent.parent / "FEDERATION.md").read_text("utf-8")
EXAMPLE = re.compile(r"<!-- example: (\w+), (whole|shortened) -->\n```(jsonl?)\n(.*?)\n```", re.S)
WANTED = {"actor", "create", "update", "delete", "follow", "accept", "log", "stub", "heads", "bundle"}
WANTED |= {"news", "sign_on", "endorsement", "delivery", "charter", "affirmation", "charter_bundle"}
CLOSED_LISTS = (
    alert_terms.KINDS,
    alert_terms.STATUSES,
    alert_terms.STATES,
    alert_terms.SEVERITIES,
    alert_terms.URGENCIES,
    alert_terms.CERTAINTIES,
    alert_terms.ENDORSEMENT_MODES,
    alert_terms.SUBJECT_KINDS,
    alert_terms.PUBLICATION_LEVELS,
    alert_terms.ACTIONS,
    alert_terms.ANSWER_KINDS,
    alert_terms.RESULTS,
    alert_terms.ATTRIBUTIONS,
)
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
PARTS = {
    "did": "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
    "token": "t", "root": "z", "from": "1", "digest": "z",
}  # fmt: skip
"""What the placeholders of a documented path may stand for."""


@dataclass(frozen=True)
class Example:
    whole: bool
    text: str

    @property
    def document(self) -> Document:
        return parse_document(self.text.encode())


EXAMPLES = {name: Example(how == "whole", text) for name, how, _, text in EXAMPLE.findall(PAPER)}


def example(name: str) -> Document:
    return EXAMPLES[name].document


def activity(name: str) -> Activity:
    return parse_activity(example(name))


def section(title: str) -> str:
    """The text below a heading, up to the next of the same or a higher level."""
    head = re.search(rf"^(#+) {re.escape(title)}$", PAPER, re.M)
    assert head is not None, f"FEDERATION.md has no section {title!r}"
    rest = PAPER[head.end() :]
    following = re.search(rf"^#{{1,{len(head[1])}}} ", rest, re.M)
    return rest[: following.start()] if following else rest


def first_cells(text: str) -> list[str]:
    """What stands in backticks in the first column of the tables."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in rows for name in re.findall(r"`([^`]+)`", cell)]


def actor_terms() -> set[str]:
    profile = actors.Profile(
        did=keys.generate_organisation_key().did,
        origin="https://alerts.example.org",
        handle="alerts",
        name="",
        summary="",
        language="en",
        country="XX",
        rsa=keys.generate_rsa_key().public_key(),
        recovery="",
    )
    return inline_terms(actors.render_actor(profile, (1, 1), NOW, NOW))


def inline_terms(value: dict) -> set[str]:
    return {name for part in value["@context"] if isinstance(part, dict) for name in part}


def test_every_type_that_the_code_judges_is_in_the_table_and_no_other():
    judged = {*relations.RULES, *kinds.POST_TYPES, successions.TYPE, *declarations.TYPES, evidence.TYPE, letters.TYPE}
    judged |= {releases.TYPE}
    assert set(first_cells(section("What we accept"))) == judged


def test_every_kind_of_post_is_named():
    assert [name for name in sorted(POSTS) if f"`{name}`" not in section("What we accept")] == []


def test_every_term_is_documented():
    spoken = {*alerts.TERMS, *outbox.LOG_TERMS, *trust.TERMS, *evidence.TERMS, *letters.TERMS}
    spoken |= endorsements.TERMS.keys() | releases.TERMS.keys() | charters.TERMS.keys() | charter_bundles.TERMS.keys()
    terms = {*spoken, *actor_terms(), *inline_terms(example("heads").value)}
    text = section("Terms")
    assert [name for name in sorted(terms) if f"`{name}`" not in text] == []


def test_no_documented_term_is_gone():
    known = {*alerts.TERMS, *outbox.LOG_TERMS, *actor_terms(), successions.TYPE, *trust.TERMS, *evidence.TERMS}
    known |= letters.TERMS.keys()
    known |= {*endorsements.TERMS, *charters.TERMS, *charter_bundles.TERMS}
    known |= letters.TERMS.keys() | releases.TERMS.keys()
    assert set(first_cells(section("Terms"))) <= known


def test_every_kind_of_letter_is_listed():
    assert [name for name in letters.KINDS if f"`{name}`" not in section("Sealed letters")] == []


def test_every_value_of_a_closed_list_is_documented():
    text = section("Terms")
    missing = [value for values in CLOSED_LISTS for value in values if f"`{value}`" not in text]
    assert missing == []


def test_every_path_that_federates_is_listed():
    text = section("Addresses")
    federating = [route.path for route in ROUTES if re.match(r"/(\.well-known|nodeinfo|inbox|actor)\b", route.path)]
    assert len(federating) >= 8
    for path in federating:
        assert path.partition("{path:path}")[0] in text, f"{path} is not in FEDERATION.md"


def test_every_listed_path_is_served():
    for path in first_cells(section("Addresses")):
        if not path.startswith("/"):
            continue
        concrete = re.sub(r"\{(\w+)\}", lambda name: PARTS.get(name[1], "1"), path)
        found = []
        for method in ("GET", "POST"):
            scope = {"type": "http", "method": method, "path": concrete, "headers": []}
            found += [route.path for route in ROUTES if route.matches(scope)[0] is Match.FULL]
        assert set(found) - {"/{rest:path}"}, f"nothing serves {path}"


def test_every_block_of_json_is_an_example_with_a_name():
    assert len(EXAMPLE.findall(PAPER)) == PAPER.count("```json")
    assert set(EXAMPLES) == WANTED


@pytest.mark.parametrize("name", ["create", "update", "delete", "follow", "accept"])
def test_an_activity_is_read_by_our_own_parser(name):
    found = activity(name)
    assert found.type == name.capitalize()
    assert found.type in {*relations.RULES, *kinds.POST_TYPES}


@pytest.mark.parametrize("name", ["create", "update"])
def test_the_note_is_read_as_an_alert_and_is_an_exercise(name):
    note = activity(name).object
    assert note is not None
    found = alerts.parse(note)
    assert found.status == "exercise"
    assert found.is_drill


def test_the_page_of_the_note_is_named_after_its_portable_id():
    note = alerts.parse(activity("create").object or {})
    assert note.url == f"https://alerts.example.org/alerts/{documents.page_name(ids.canonical(note.id))}"


def test_the_terms_of_the_note_are_those_of_the_table():
    note = activity("create").object
    assert note is not None
    plain = {"id", "type", "attributedTo", "content", "contentMap", "url", "published", "tag", "to", "cc", "proof"}
    assert set(note) - plain - {"@context"} <= set(alerts.TERMS)


def test_every_type_of_a_sign_on_is_named():
    text = section("What we accept")
    types = (*endorsements.TYPES, charters.ARTICLE, charters.AFFIRMATION)
    assert [name for name in types if f"`{name}`" not in text] == []


def test_the_news_is_a_reply_to_the_alert_with_its_code():
    note = example("news").value
    assert note["newsOf"] == note["inReplyTo"] == endorsements.parse(activity("sign_on").object, (1, 1)).alert.replace(
        "ap+ef61://", "https://alerts.example.org/.well-known/apgateway/"
    )
    assert note["reference"].endswith(".1")
    assert note["reference"].removesuffix(".1") in note["content"]
    assert alerts.is_alert(note)


def test_the_endorsement_signs_the_text_that_was_frozen_and_the_delivery_counts_it():
    asked = endorsements.parse(activity("sign_on").object, (1, 1))
    signed = endorsements.parse(activity("endorsement").object, (1, 1))
    handed = endorsements.parse(example("delivery").value, (1, 2))
    assert (signed.alert, signed.digest) == (asked.alert, asked.digest)
    assert (handed.id, handed.digest, handed.delivery.count) == (asked.id, asked.digest, 1)
    assert set(handed.delivery.heads) == {asked.did, signed.did}


def test_the_affirmation_is_of_the_charter_and_its_bundle_names_both():
    kept = charters.parse(activity("charter").object, (1, 1))
    said = charters.parse(activity("affirmation").object, (1, 1))
    bundle = example("charter_bundle").value
    assert charters.affirms(said, kept) and charters.is_charter(activity("charter").object)
    assert kept.text.versions["en"].title.startswith("EXERCISE")
    assert (bundle["charter"], bundle["textDigest"]) == (kept.id, kept.digest)
    assert set(bundle["heads"]) == {kept.did, said.did}


@pytest.mark.parametrize(
    "name", ["delete", "follow", "accept", "sign_on", "endorsement", "charter", "affirmation"]
)
def test_a_whole_activity_proves_itself(name):
    assert EXAMPLES[name].whole
    assert verification.verify_activity(activity(name), Carrier(None, replica=True)).kind == "proof"


def test_the_actor_proves_itself_and_has_both_keys():
    assert EXAMPLES["actor"].whole
    actor = verification.verify_actor(example("actor"), None)
    assert {key.algorithm for key in actor.keys} == {"rsa", "ed25519"}
    assert actor.order == (1, 1)


def test_the_head_table_is_its_authors():
    assert EXAMPLES["heads"].whole
    did = verification.verify_actor(example("actor"), None).did
    assert did is not None
    assert set(head_tables.parse_table(example("heads").value, did)) == {did}


def test_the_page_of_the_log_is_a_chain_and_its_stubs_are_rightful():
    headers, named, texts = [], {}, []
    for item in pages.parse_lines(EXAMPLES["log"].text.encode()):
        if isinstance(item, Header):
            headers.append(item)
            continue
        verification.verify_activity(item, Carrier(None, replica=True))
        texts.append(item)
        headers.append(replicas.header_of(item))
        named |= {(each["epoch"], each["sequence"]): each["content"] for each in item.value["withdraws"]}
    assert [after.previous for after in headers[1:]] == [before.digest for before in headers[:-1]]
    for header in headers[: -len(texts)]:
        replicas.check_withdrawn(header, named)
    assert example("delete").value == texts[0].value
    last = headers[-1]
    assert example("heads").value["heads"][last.did] == [last.epoch, last.sequence, last.digest]


def test_the_stub_is_one_of_the_page():
    assert EXAMPLES["stub"].text.replace(" ", "").replace("\n", "") in EXAMPLES["log"].text
    replicas.parse_stub(example("stub").value["stub"])


def test_the_first_line_of_a_bundle_begins_one():
    head = orjson.dumps(json.loads(EXAMPLES["bundle"].text))
    log = EXAMPLES["log"].text.encode()
    found = bundles.parse(head + b"\n" + log)
    assert not found.refused
    assert (len(found.entries), len(found.stubs)) == (2, 4)


def test_the_accept_embeds_the_follow():
    answered = activity("accept").object
    assert answered is not None
    follow = example("follow").value
    assert answered == {name: follow[name] for name in ("id", "type", "actor", "object")}


def test_no_example_is_anybody_real():
    for name, each in EXAMPLES.items():
        hosts = set(re.findall(r"https?://([^/#\"]+)", each.text))
        known = {"www.w3.org", "w3id.org", "joinmastodon.org", "schema.org", "purl.archive.org", "tadamun.example"}
        odd = {host for host in hosts - known if not host.endswith("example.org")}
        assert not odd, f"{name} names {odd}"
