"""JSON-LD: the published example graphs, graphs made to be dear, and documents that would read two ways."""

import contextlib
import copy
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import ProtocolError
from node.federation.protocol import contexts, jsonld
from node.federation.protocol.messages import JsonObject

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "rdfc10.json").read_text())["cases"]
AS2 = contexts.AS2
INLINE: JsonObject = {
    "ex": "https://exercise.example/ns#",
    "Hashtag": "as:Hashtag",
    "sensitive": "as:sensitive",
    "headline": "ex:headline",
    "headlineMap": {"@id": "ex:headline", "@container": "@language"},
    "targets": {"@id": "ex:targets", "@container": "@list"},
    "position": {"@id": "ex:position", "@type": "@json"},
    "translationOf": {"@id": "ex:translationOf", "@type": "@id"},
}
NOTE: JsonObject = {
    "id": "https://exercise.example/notes/1",
    "type": "Note",
    "attributedTo": "https://exercise.example/actor",
    "content": "<p>تمرين: an exercise</p>",
    "contentMap": {"ar": "<p>تمرين: an exercise</p>"},
    "sensitive": False,
    "headline": "تمرين",
    "headlineMap": {"ar": "تمرين", "en": "Exercise"},
    "targets": [{"name": "an office"}, {"name": "another office"}],
    "position": {"epoch": 1, "order": [2, 1]},
    "translationOf": "https://exercise.example/notes/0",
    "tag": [{"type": "Hashtag", "name": "#exercise", "href": "https://exercise.example/tags/exercise"}],
    "to": ["as:Public"],
}
CREATE: JsonObject = {
    "@context": [AS2, INLINE],
    "id": "https://exercise.example/activities/1",
    "type": "Create",
    "actor": "https://exercise.example/actor",
    "published": "2026-11-20T13:00:05Z",
    "to": ["https://www.w3.org/ns/activitystreams#Public"],
    "object": NOTE,
}


def changed(change: Callable[[JsonObject], Any]) -> JsonObject:
    document = copy.deepcopy(CREATE)
    change(document)
    return document


def seconds(call: Callable[[], Any]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["origin"]))
def test_the_specifications_example_graphs_come_out_as_it_says(case: JsonObject):
    assert jsonld.canonize(case["document"]).splitlines() == case["canonical"]


def test_the_canonical_form_does_not_depend_on_order():
    shuffled = {name: CREATE[name] for name in reversed(CREATE)}
    shuffled["object"] = {name: NOTE[name] for name in reversed(NOTE)}
    assert jsonld.canonize(shuffled) == jsonld.canonize(CREATE)


def test_a_held_context_is_never_changed_by_use():
    before = copy.deepcopy(dict(jsonld.CONTEXTS))
    jsonld.check_structure(CREATE)
    for url in jsonld.CONTEXTS:
        jsonld.canonize({"@context": url, "id": "https://exercise.example/1"})
    assert dict(jsonld.CONTEXTS) == before


@pytest.mark.parametrize("check", [jsonld.canonize, jsonld.check_structure])
@pytest.mark.parametrize(
    "url",
    ["https://exercise.example/ns", "http://www.w3.org/ns/activitystreams", "contexts/1", "file:///etc"],
)
def test_advisory_90_an_unknown_context_is_named_and_never_fetched(check: Callable[[Any], Any], url: str):
    with pytest.raises(ProtocolError, match=url):
        check(changed(lambda d: d["@context"].insert(1, url)))


@pytest.mark.parametrize("url", ["https://exercise.example/ns", AS2, contexts.SECURITY_V1])
def test_advisory_90_nothing_is_imported_and_a_held_context_stays_as_it_was(url: str):
    before = copy.deepcopy(dict(jsonld.CONTEXTS))
    plain = {"@context": AS2, "id": "https://exercise.example/1", "type": "Note", "name": "x"}
    wanted = jsonld.canonize(plain)
    context = {"@version": 1.1, "@import": url, "name": "https://exercise.example/ns#other", "contentMap": ["x"]}
    for entry in (context, {"tag": {"@id": "https://exercise.example/ns#tag", "@context": context}}):
        with pytest.raises(ProtocolError, match="@import"):
            jsonld.canonize({"@context": [AS2, entry], "id": "https://exercise.example/1", "name": "x"})
    assert jsonld.canonize(plain) == wanted
    assert dict(jsonld.CONTEXTS) == before


def test_what_the_library_does_to_a_loaded_context_is_done_to_a_copy():
    first = jsonld._load(AS2, {})["document"]
    first["@context"].clear()
    assert jsonld._load(AS2, {})["document"] == jsonld.CONTEXTS[AS2]


def clique(size: int) -> JsonObject:
    def others(i: int) -> list[JsonObject]:
        return [{"id": f"_:b{j}"} for j in range(size) if j != i]

    return {"@context": AS2, "@graph": [{"id": f"_:b{i}", "tag": others(i)} for i in range(size)]}


def nested(width: int, depth: int) -> JsonObject:
    inside = {"tag": [nested(width, depth - 1) for _ in range(width)]} if depth else {}
    return {"type": "Note", **inside}


def ring(size: int) -> JsonObject:
    nodes = [{"id": f"_:b{i}", "tag": {"id": f"_:b{(i + 1) % size}"}} for i in range(size)]
    return {"@context": AS2, "@graph": nodes}


POISON: dict[str, JsonObject] = {
    "clique of 6": clique(6),
    "clique of 7": clique(7),
    "clique of 8": clique(8),
    "8 times 8 without ids": {"@context": AS2, **nested(8, 2)},
    "5 levels of 3 without ids": {"@context": AS2, **nested(3, 5)},
    "a ring": ring(100),
}


@pytest.mark.parametrize("document", POISON.values(), ids=POISON)
def test_a_poison_graph_is_refused_in_less_than_a_second(document: JsonObject):
    def refused() -> None:
        with pytest.raises(ProtocolError, match="dear|look alike"):
            jsonld.canonize(document)

    assert seconds(refused) < 1


def test_five_hundred_levels_are_refused():
    document: JsonObject = {"@context": AS2}
    inner = document
    for _ in range(500):
        inner["object"] = inner = {}
    for check in (jsonld.canonize, jsonld.check_structure):
        with pytest.raises(ProtocolError, match="deeper"):
            check(document)


@pytest.mark.parametrize(
    "member",
    [
        {"content": "x" * jsonld.MAX_BYTES},
        {"to": [f"https://exercise.example/{i}" for i in range(jsonld.MAX_ITEMS + 1)]},
        {"tag": [{"name": str(i), "summary": "", "type": "Note"} for i in range(501)]},
    ],
    ids=["bytes", "items of one array", "values"],
)
def test_a_document_out_of_bounds_is_refused_before_it_is_read(member: JsonObject):
    for check in (jsonld.canonize, jsonld.check_structure):
        with pytest.raises(ProtocolError, match="beyond"):
            check({"@context": AS2, "id": "https://exercise.example/1", **member})


def test_the_largest_document_within_bounds_takes_less_than_a_second():
    tags = [{"type": "Note", "name": str(i), "to": [str(j) for j in range(100)]} for i in range(18)]
    document = {"@context": AS2, "id": "https://exercise.example/1", "tag": tags}
    assert seconds(lambda: jsonld.canonize(document)) < 1


@pytest.mark.parametrize(
    "document",
    [
        {"id": "https://exercise.example/1> <a:b> <c:d> .\n<https://exercise.example/2", "name": "x"},
        {"id": "https://exercise.example/1", "contentMap": {'en .\n<a:b> <c:d> "x"@en': "x"}},
        {"id": "https://exercise.example/1", "url": "https://exercise.example/a b"},
        {"@id": "https://exercise.example/1", "a:b": {"@value": "x", "@type": "c:d> .\n<e:f> <g:h> <i:j"}},
        {"@graph": [{"id": "https://exercise.example/1", "name": "x"}], "id": "a:b> .\n<c:d> <e:f> <g:h"},
    ],
    ids=["subject", "language", "blank in an IRI", "datatype", "graph"],
)
def test_no_text_poses_as_several_quads(document: JsonObject):
    try:
        lines = jsonld.canonize({"@context": AS2, **document}).splitlines()
    except ProtocolError:
        return
    # What the library drops because it is no IRI may go; what stays is one quad for each line.
    assert not [line for line in lines if "c:d" in line or "a b" in line]


@pytest.mark.parametrize(
    "member",
    [
        {"id": "https://exercise.example/1><a:b>"},
        {"id": "https://exercise.example/1\n"},
        {"url": "https://exercise.example/{x}"},
        {"a:b": {"@value": "x", "@type": "c:d>"}},
        {"a:b>": "x"},
    ],
    ids=["an angle", "a line end", "a brace", "an angle in a datatype", "an angle in a predicate"],
)
def test_an_iri_that_no_quad_can_hold_is_refused(member: JsonObject):
    with pytest.raises(ProtocolError, match="no quad can hold"):
        jsonld.canonize({"@context": AS2, "id": "https://exercise.example/1", "name": "x", **member})


def test_plain_documents_are_taken():
    jsonld.check_structure(CREATE)
    jsonld.check_structure({**CREATE, "@context": [AS2, contexts.SECURITY_V1, INLINE]})
    jsonld.check_structure({"@context": AS2, "id": "https://exercise.example/1", "type": "Note", "to": None})


def test_an_array_of_one_and_its_item_are_the_same_to_both_readers():
    assert jsonld.canonize(changed(lambda d: d.update(to=d["to"][0]))) == jsonld.canonize(CREATE)


def define(name: str, definition: Any) -> Callable[[JsonObject], Any]:
    return lambda d: d["@context"][1].update({name: definition})


BROKEN: dict[str, tuple[Callable[[JsonObject], Any], str]] = {
    "no context": (lambda d: d.pop("@context"), "not ActivityStreams"),
    "ActivityStreams not first": (lambda d: d["@context"].reverse(), "not ActivityStreams"),
    "nine contexts": (lambda d: d["@context"].extend([{}] * 7), "not ActivityStreams"),
    "a context of null": (lambda d: d["@context"].append(None), "neither"),
    "a context in the object": (lambda d: d["object"].update({"@context": AS2}), "can move"),
    "@graph": (lambda d: d.update({"@graph": [d.pop("object")]}), "can move"),
    "@included": (lambda d: d.update({"@included": [d.pop("object")]}), "can move"),
    "@reverse": (lambda d: d["object"].update({"@reverse": {"object": {"id": "a:b"}}}), "can move"),
    "@nest": (lambda d: d.update({"@nest": {"summary": "x"}}), "can move"),
    "@value": (lambda d: d["object"].update(content={"@value": "x"}), "can move"),
    "@id": (lambda d: d["object"].update({"@id": d["object"].pop("id")}), "can move"),
    "@type": (lambda d: d["object"].update({"@type": d["object"].pop("type")}), "can move"),
    "@none in a language map": (lambda d: d["object"].update(contentMap={"@none": "x"}), "not a language"),
    "@vocab": (define("@vocab", "https://exercise.example/ns#"), "may not define"),
    "@base": (define("@base", "https://exercise.example/"), "may not define"),
    "@language": (define("@language", "ar"), "may not define"),
    "@import": (define("@import", AS2), "may not define"),
    "a whole IRI as a term": (define("https://exercise.example/ns#x", "ex:x"), "may not define"),
    "a term taken away": (define("content", None), "takes 'content' away"),
    "a scoped context": (define("x", {"@id": "ex:x", "@context": {}}), "uses '@context'"),
    "a term with a language": (define("x", {"@id": "ex:x", "@language": "ar"}), "uses '@language'"),
    "a reversed term": (define("x", {"@reverse": "as:object"}), "uses '@reverse'"),
    "a nested term": (define("x", {"@id": "ex:x", "@nest": "@nest"}), "uses '@nest'"),
    "no keyword yet": (define("x", {"@id": "@ignored"}), "no keyword"),
    "content made another": (define("content", "ex:content"), "second meaning"),
    "actor made text": (define("actor", "as:actor"), "second meaning"),
    "items made a list": (define("items", {"@id": "as:items", "@container": "@list"}), "second meaning"),
    "id made another": (define("id", "ex:id"), "keyword|second meaning"),
    "a published context against an inline one": (
        lambda d: (define("expires", "ex:expires")(d), d["@context"].append(contexts.SECURITY_V1)),
        "second meaning",
    ),
    "an undefined member": (lambda d: d["object"].update(extra="x"), "'extra' is not in @context"),
    "an undefined type": (lambda d: d["object"].update(type="Alert"), "'Alert' is not in @context"),
    "a type that is no text": (lambda d: d["object"].update(type=None), "type is not a string"),
    "a compact name": (lambda d: d["object"].update({"as:summary": "x"}), "'as:summary' is not in"),
    "a whole name": (lambda d: d["object"].update({f"{AS2}#summary": "x"}), "is not in @context"),
    "a compact type": (lambda d: d["object"].update(type="as:Note"), "'as:Note' is not in"),
    "a second name for a member": (
        lambda d: (define("text", "as:content")(d), d["object"].update(text=d["object"].pop("content"))),
        "another name",
    ),
    "a second name for an extension": (
        lambda d: (define("title", "ex:headline")(d), d["object"].update(title=d["object"].pop("headline"))),
        "another name",
    ),
    "a second name for id": (
        lambda d: (define("uri", "@id")(d), d["object"].update(uri=d["object"].pop("id"))),
        "cannot be read",
    ),
    "a second name for a language map": (
        lambda d: (
            define("text", {"@id": "as:content", "@container": "@language"})(d),
            d["object"].update(text=d["object"].pop("contentMap")),
        ),
        "another name",
    ),
    "a second name for a type": (
        lambda d: (define("Alert", "as:Note")(d), d["object"].update(type="Alert")),
        "another name",
    ),
    "one of two published names": (
        lambda d: (d["@context"].append(contexts.SECURITY_V1), d.update(expires="2027-01-01T00:00:00Z")),
        "another name",
    ),
    "a proof": (
        lambda d: (d["@context"].append(contexts.DATA_INTEGRITY_V1), d.update(proof={"created": "x"})),
        "'proof' cannot be read",
    ),
    "a type with a context of its own": (
        lambda d: (d["@context"].append(contexts.MULTIKEY_V1), d["object"].update(tag={"type": "Multikey"})),
        "'Multikey' cannot be read",
    ),
    "an index map": (
        lambda d: (define("x", {"@id": "ex:x", "@container": "@index"})(d), d.update(x={"a": "b"})),
        "cannot be read",
    ),
    "an id that is no text": (lambda d: d["object"].update(id=7), "not a string"),
    "a relative id": (lambda d: d["object"].update(id="notes/1"), "not an IRI"),
    "a blank id": (lambda d: d["object"].update(id="_:b0"), "not an IRI"),
    "a compact id": (lambda d: d["object"].update(id="ex:1"), "not an IRI"),
    "a compact actor": (
        lambda d: (define("did", "ex:did")(d), d.update(actor="did:key:z6Mk")),
        "not an IRI",
    ),
    "a relative reference": (lambda d: d["object"].update(url="/notes/1"), "not an IRI"),
    "Public alone": (lambda d: d.update(to=["Public"]), "not an IRI"),
    "a host where an IRI is due": (
        lambda d: (
            define("attributionDomains", {"@id": "ex:attributionDomains", "@type": "@id"})(d),
            d["object"].update(attributionDomains=["exercise.example"]),
        ),
        "not an IRI",
    ),
    "an array in an array": (lambda d: d.update(to=[d["to"]]), "array in an array"),
    "a language map of objects": (
        lambda d: d["object"].update(contentMap={"ar": {"name": "x"}}),
        "more than text",
    ),
    "a language map that is text": (lambda d: d["object"].update(contentMap="x"), "not an object"),
    "no id": (lambda d: d.pop("id"), "no id"),
    "the object refers to the activity": (lambda d: d["object"].update(context=d["id"]), "used inside"),
    "one id described twice": (
        lambda d: d.update(tag={"id": d["object"]["id"], "to": d["object"].pop("to")}),
        "described in two",
    ),
    "the object described elsewhere": (
        lambda d: (d.update(tag=d["object"]), d.update(object=d["object"]["id"])),
        "described elsewhere",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_document_that_reads_two_ways_is_refused(name: str):
    change, reason = BROKEN[name]
    with pytest.raises(ProtocolError, match=reason):
        jsonld.check_structure(changed(change))


def test_every_context_of_ours_can_be_read():
    for url in contexts.BUNDLED:
        assert jsonld.CONTEXTS[url]["@context"]
        jsonld.canonize({"@context": [AS2, url], "id": "https://exercise.example/1", "name": "x"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["@context", "@graph", "@id", "@type", "@value", "@list", "@language", "@container", "@reverse", "@index"]
    + ["@set", "@nest", "@included", "@version", "@import", "@odd", "id", "type", "content", "contentMap", "ex:a"]
)
ODD = st.recursive(
    JSON | NAMES | st.just(AS2) | st.just(contexts.SECURITY_V1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, ODD, max_size=5), st.sampled_from(["top", "object", "context"]))
def test_whatever_is_put_in_it_is_refused_as_a_protocol_error_or_taken(extra: JsonObject, place: str):
    document = copy.deepcopy(CREATE)
    {"top": document, "object": document["object"], "context": document["@context"][1]}[place].update(extra)
    for check in (jsonld.canonize, jsonld.check_structure):
        with contextlib.suppress(ProtocolError):
            check(document)


def test_a_context_is_cut_to_the_terms_a_document_uses():
    said = {"type": "Note", "tag": [{"type": ["Hashtag", "Other"], "name": "#x"}], "deep": {"er": [{"targets": []}]}}
    assert contexts.used(INLINE, said) == {
        "ex": "https://exercise.example/ns#",
        "Hashtag": "as:Hashtag",
        "targets": {"@id": "ex:targets", "@container": "@list"},
    }


def test_a_prefix_goes_with_the_last_term_that_needs_it():
    assert contexts.used(INLINE, {"type": "Note", "content": "x"}) == {}
    assert contexts.used(INLINE, {"sensitive": True}) == {"sensitive": "as:sensitive"}


def test_what_is_used_means_the_same_under_the_cut_context():
    said = {name: item for name, item in NOTE.items() if name not in ("headlineMap", "sensitive")}
    cut = {"@context": [AS2, contexts.used(INLINE, said)], **said}
    assert jsonld.canonize(cut) == jsonld.canonize({"@context": [AS2, INLINE], **said})
