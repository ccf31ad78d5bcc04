"""JSON-LD, as far as RsaSignature2017 needs it: a document's canonical form, and whether it has one reading.

The one file that knows pyld. It keeps nothing between calls: each call brings its own context cache (1 ms
dearer), so pyld's unlocked module-wide caches are never touched and any thread may call. Nothing is fetched.

`check_structure` refuses every document that could say one thing to a reader of plain JSON and another to
JSON-LD. Each rule answers an attack on a valid signature (GHSA-53m7-2wrh-q839, GHSA-9rfg-v8g9-9367,
CVE-2022-24307, CVE-2026-50128):

1. Size, nesting and number of values are bounded.
2. Only the top has `@context`: ActivityStreams first, URLs we hold, inline objects of plain terms; no entry
   gives a term another meaning than an earlier one did. No other member begins with `@`.
3. Every member and every type is a term that can be called nothing else; the rest would not be covered.
4. Every id and every reference is an absolute IRI, written out (`as:Public` excepted); no array in an array.
5. The top has an id, to which nothing inside refers: no other node can be made the top.
6. Each id is described in one place only; what `object` names is described nowhere else.

What JSON-LD does not order stays unordered: the order of arrays, and of languages in a map, is not covered.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson
from pyld import BUNDLED_CONTEXTS, FrozenDocumentLoader, jsonld
from pyld.canon import URDNA2015
from pyld.context_resolver import ContextResolver

from node.errors import ProtocolError
from node.federation.protocol import contexts
from node.federation.protocol.contexts import Term
from node.federation.protocol.messages import JsonObject, check_shape

MAX_BYTES = 64 * 1024
"""Of a document, as compact JSON."""
MAX_VALUES = 2000
"""Members and array items of a document."""
MAX_ITEMS = 512
"""Of one array or object: pyld compares each value of a property with all others."""
MAX_CONTEXTS = 8
"""Entries of `@context`, in the whole document: pyld copies all terms for each."""
MAX_QUADS = 2000
MAX_STEPS = 4096
"""Quads looked at to tell blank nodes apart. An honest document needs none or a few dozen."""
MAX_GROUP = 5
"""Blank nodes that may look alike from one place: each further one multiplies the permutations."""

CONTEXTS: Mapping[str, JsonObject] = MappingProxyType(
    {**{url: FrozenDocumentLoader()(url, {})["document"] for url in BUNDLED_CONTEXTS}, **contexts.BUNDLED}
)
"""Every context document we hold, by URL."""
_RAW = MappingProxyType({url: orjson.dumps(value, default=dict) for url, value in CONTEXTS.items()})

_OPTIONS = MappingProxyType({"base": "", "processingMode": "json-ld-1.1"})
_SYNTAX = "JSON-LD 1.1 §9"
_PLAIN = "GHSA-53m7-2wrh-q839"
_KEYWORD = re.compile(r"@[A-Za-z]+")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}")
_BLANK = re.compile(r"_:[A-Za-z0-9][A-Za-z0-9_.-]*")


def canonize(document: JsonObject) -> str:
    """The document as canonical N-Quads.

    Raises:
        ProtocolError: not JSON-LD, a context we do not hold, over a bound, or a graph made to be dear.

    Spec: RDFC-1.0 §4.4; §7.1 for the bounds
    """
    _check_bounds(document)
    _check_contexts(document)
    try:
        dataset = jsonld.to_rdf(document, _options())
        _check_dataset(dataset)
        return str(_BoundedCanonicaliser().main(dataset, {"format": "application/n-quads"}))
    except jsonld.JsonLdError as error:
        raise _refusal(error) from error
    except (RecursionError, TypeError, ValueError, AttributeError, KeyError) as error:
        # pyld asks little of what it is given: odd values end in Python's own errors.
        raise ProtocolError(f"not JSON-LD: {type(error).__name__}", spec=_SYNTAX) from error


def check_structure(document: JsonObject) -> None:
    """Plain JSON and JSON-LD read the same in this document. An LD signature is verified only after this.

    Raises:
        ProtocolError: one of the rules at the top of this file is broken.

    Spec: AS2 §2.1; GHSA-53m7-2wrh-q839
    """
    _check_bounds(document)
    reading = _PlainReading(_plain_terms(document.get("@context")), _PUBLISHED)
    body = {name: value for name, value in document.items() if name != "@context"}
    reading.node(body)
    reading.check_top(body)


class _BoundedCanonicaliser(URDNA2015):  # type: ignore[misc]  # pyld has no types
    """RDFC-1.0 that stops at graphs made of indistinguishable blank nodes, which would take it for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def create_hash_to_related(self, id_: str, issuer: Any) -> dict[str, list[str]]:
        self.steps += 1 + len(self.blank_node_info[id_]["quads"])
        if self.steps > MAX_STEPS:
            raise ProtocolError("a graph made to be dear to canonize", spec="RDFC-1.0 §7.1")
        groups: dict[str, list[str]] = super().create_hash_to_related(id_, issuer)
        if max(map(len, groups.values()), default=0) > MAX_GROUP:
            raise ProtocolError("too many blank nodes that look alike", spec="RDFC-1.0 §7.1")
        return groups


@dataclass(slots=True)
class _PlainReading:
    """One walk over a document: rules 2 to 6."""

    terms: Mapping[str, Term]
    published: contexts.Names
    named: list[str] = field(default_factory=list)
    described: set[str] = field(default_factory=set)

    def node(self, node: JsonObject) -> None:
        for name, value in node.items():
            if name.startswith("@"):
                raise ProtocolError(f"{name[:80]!r} can move what a signature covers", spec=_PLAIN)
            if name == "id":
                self.identify(value, len(node) > 1)
            elif name == "type":
                self.types(value)
            else:
                self.values(self.term(name), value)

    def term(self, name: str) -> Term:
        return contexts.meaning(name, self.terms, self.published)

    def identify(self, value: Any, describes: bool) -> None:
        self.reference(value)
        if describes and value in self.described:
            raise ProtocolError("one id is described in two places", spec=_PLAIN)
        if describes:
            self.described.add(value)

    def types(self, value: Any) -> None:
        for name in value if isinstance(value, list) else [value]:
            if not isinstance(name, str):
                raise ProtocolError("a type is not a string", spec="JSON-LD 1.1 §3.5")
            self.term(name)

    def values(self, term: Term, value: Any) -> None:
        if term.container == "@language":
            _check_language_map(value)
        if term.container == "@language" or term.type == "@json":
            return
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, list):
                raise ProtocolError("an array in an array", spec=_PLAIN)
            if isinstance(item, dict):
                self.node(item)
            elif isinstance(item, str) and term.type == "@id":
                self.reference(item)

    def reference(self, value: Any) -> None:
        if not isinstance(value, str):
            raise ProtocolError("an id is not a string", spec="AS2 §4.1")
        prefix, _, rest = value.partition(":")
        compact = prefix in self.terms and not rest.startswith("//") and value != "as:Public"
        if compact or not contexts.is_iri(value):
            raise ProtocolError(f"{value[:80]!r} is not an IRI written out, so not covered", spec=_PLAIN)
        self.named.append(value)

    def check_top(self, top: JsonObject) -> None:
        if "id" not in top:
            raise ProtocolError("the document has no id", spec="AP §3.1")
        if self.named.count(top["id"]) > 1:
            raise ProtocolError("the document's id is used inside it", spec=_PLAIN)
        target = top.get("object")
        if isinstance(target, str) and target in self.described:
            raise ProtocolError("the object is described elsewhere in the document", spec=_PLAIN)


def _plain_terms(context: Any) -> dict[str, Term]:
    """Every term that a plain `@context` defines, by name, as pyld itself expands it."""
    entries = context if isinstance(context, list) else [context]
    if entries[:1] != [contexts.AS2] or len(entries) > MAX_CONTEXTS:
        reason = f"@context is not ActivityStreams and {MAX_CONTEXTS - 1} entries more at most"
        raise ProtocolError(reason, spec="AS2 §2.1")
    processor, options = jsonld.JsonLdProcessor(), _options()
    terms: dict[str, Term] = {}
    try:
        active = processor.process_context({}, None, options)
        for entry in entries:
            _check_entry(entry)
            active = processor.process_context(active, entry, options)
            found = {name: contexts.term(mapping) for name, mapping in active["mappings"].items()}
            changed = [name for name, meant in terms.items() if found.get(name) != meant]
            if changed:
                raise ProtocolError(f"@context gives {min(changed)!r} a second meaning", spec="AS2 §2.1")
            terms = found
    except jsonld.JsonLdError as error:
        raise _refusal(error) from error
    except (RecursionError, TypeError, ValueError, AttributeError, KeyError) as error:
        raise ProtocolError(f"not a @context: {type(error).__name__}", spec=_SYNTAX) from error
    return terms


def _check_entry(entry: Any) -> None:
    if isinstance(entry, dict):
        contexts.check_inline(entry)
        _check_keywords(entry)
    elif not isinstance(entry, str):
        raise ProtocolError("an entry of @context is neither a URL nor an object", spec=_SYNTAX)
    elif entry not in CONTEXTS:
        raise _not_held(entry)


def _check_language_map(value: Any) -> None:
    if not isinstance(value, dict):
        raise ProtocolError("a language map is not an object", spec="JSON-LD 1.1 §4.6.2")
    for language, text in value.items():
        if _LANGUAGE.fullmatch(language) is None:
            raise ProtocolError(f"{language[:40]!r} is not a language", spec="BCP 47 §2.1")
        for item in text if isinstance(text, list) else [text]:
            if not isinstance(item, str | None):
                raise ProtocolError("a language map holds more than text", spec="JSON-LD 1.1 §4.6.2")


def _check_bounds(document: JsonObject) -> None:
    check_shape(document)
    try:
        size = len(orjson.dumps(document))
    except orjson.JSONEncodeError as error:
        raise ProtocolError(f"not JSON: {error}", spec="RFC 7493 §2") from error
    sizes = [len(document)] + [len(item) for _, item in _inside(document) if isinstance(item, dict | list)]
    if size > MAX_BYTES or sum(sizes) > MAX_VALUES or max(sizes) > MAX_ITEMS:
        reason = f"a document beyond {MAX_BYTES} bytes, {MAX_VALUES} values or {MAX_ITEMS} in one place"
        raise ProtocolError(reason, spec="RDFC-1.0 §7.1", status=413)


def _check_contexts(document: JsonObject) -> None:
    """Contexts are few, and all of them held, wherever they stand."""
    count = 0
    for name, value in _inside(document):
        if name != "@context":
            continue
        for entry in value if isinstance(value, list) else [value]:
            count += 1
            if count > MAX_CONTEXTS:
                raise ProtocolError(f"more than {MAX_CONTEXTS} contexts", spec=_SYNTAX)
            if isinstance(entry, str) and entry not in CONTEXTS:
                raise _not_held(entry)
            if isinstance(entry, dict):
                if "@import" in entry:
                    raise ProtocolError("@import is not taken", spec="JSON-LD 1.1 §4.1.6")
                _check_keywords(entry)


def _check_keywords(context: JsonObject) -> None:
    """Words that look like keywords and are none: a later JSON-LD could give them a meaning."""
    for name, value in _inside(context):
        for word in (name, value):
            if isinstance(word, str) and _KEYWORD.fullmatch(word) and word not in jsonld.KEYWORDS:
                raise ProtocolError(f"{word[:80]!r} is no keyword", spec="JSON-LD 1.1 §1.7")


def _check_dataset(dataset: Mapping[str, list[dict[str, dict[str, str]]]]) -> None:
    """Few quads, each of them one line: the canonical form escapes nothing in IRIs and language tags."""
    if sum(map(len, dataset.values())) > MAX_QUADS:
        raise ProtocolError(f"more than {MAX_QUADS} quads", spec="RDFC-1.0 §7.1", status=413)
    graphs = [{"type": "IRI", "value": name} for name in dataset if name != "@default"]
    parts = [part for quads in dataset.values() for quad in quads for part in quad.values()]
    for part in graphs + parts:
        names = [part["datatype"]] if part["type"] == "literal" else [part["value"]]
        if any(not contexts.is_iri(name) and not _BLANK.fullmatch(name) for name in names):
            raise ProtocolError("an IRI that no quad can hold", spec="RDF 1.1 N-Quads §2.2")
        if _LANGUAGE.fullmatch(part.get("language", "en")) is None:
            raise ProtocolError("a language that no quad can hold", spec="RDF 1.1 N-Quads §2.3")


def _inside(value: Any) -> Iterator[tuple[str | None, Any]]:
    """Every member and item below a value, with its name where it has one."""
    pairs = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    for name, item in pairs:
        yield name, item
        if isinstance(item, dict | list):
            yield from _inside(item)


def _load(url: str, options: Mapping[str, Any]) -> JsonObject:
    """pyld's document loader: what we hold, and nothing else. A copy for each call: pyld writes into what it loads
    (an `@import` updated the document itself), and so one hostile text changed how all later ones were read.
    """
    if url not in CONTEXTS:
        raise _not_held(url)
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": url,
        "document": orjson.loads(_RAW[url]),
    }


def _options() -> dict[str, Any]:
    return {**_OPTIONS, "documentLoader": _load, "contextResolver": ContextResolver({}, _load)}


def _not_held(url: str) -> ProtocolError:
    return ProtocolError(f"@context names {url[:200]!r}, which we do not hold; none is fetched", spec=_SYNTAX)


def _refusal(error: BaseException) -> ProtocolError:
    """What pyld's error says innermost: it wraps each several times."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, ProtocolError):
        return error
    return ProtocolError(f"not JSON-LD: {error.args[0] if error.args else ''}"[:200], spec=_SYNTAX)


# Last, for it takes the functions above: what ActivityStreams and security/v1 call things.
_PUBLISHED = MappingProxyType(dict(contexts.names(_plain_terms([contexts.AS2, contexts.SECURITY_V1]))))
