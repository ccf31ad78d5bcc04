"""JSON-LD contexts: the documents we hold, and when a term of one can be read as plain JSON.

No context is ever fetched: the files beside this one and those of the JSON-LD library are all there are.
Rules for a term that a signed document uses, in order:

1. An inline object defines it by an IRI, perhaps a type, perhaps a list or a language map, and nothing else.
2. It is called what its IRI is called (`meaning`): nobody can rename a member under a valid signature.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pkgutil import get_data
from types import MappingProxyType
from typing import Any

from node.errors import ProtocolError
from node.federation.protocol.messages import JsonObject

AS2 = "https://www.w3.org/ns/activitystreams"
SECURITY_V1 = "https://w3id.org/security/v1"
IDENTITY_V1 = "https://w3id.org/identity/v1"
MULTIKEY_V1 = "https://w3id.org/security/multikey/v1"
DATA_INTEGRITY_V1 = "https://w3id.org/security/data-integrity/v1"
DATA_INTEGRITY_V2 = "https://w3id.org/security/data-integrity/v2"
MAX_TERMS = 128
"""Terms of one inline context. The largest seen from Mastodon (an actor) has about 40."""

_FILES = (
    (DATA_INTEGRITY_V1, "data-integrity-v1.json"),
    (DATA_INTEGRITY_V2, "data-integrity-v2.json"),
    (MULTIKEY_V1, "multikey-v1.json"),
    (IDENTITY_V1, "identity-v1.json"),
    ("https://w3id.org/fep/5711", "fep-5711.json"),
    ("https://w3id.org/fep/ef61", "fep-ef61.json"),
    ("https://purl.archive.org/socialweb/webfinger", "webfinger.json"),
)
BUNDLED: Mapping[str, JsonObject] = MappingProxyType(
    {url: json.loads(get_data(__name__, name) or b"") for url, name in _FILES}
)
"""Our own copies, by URL. They are read, never changed: a URL has one meaning for ever."""

_SPEC = "AS2 §2.1"
_TERM_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\x9f<>\"{}|\\^`]{1,2000}")
_DEFINITION = frozenset({"@id", "@type", "@container"})
_READ_ELSEWHERE = frozenset({"@context", "@nest", "@index", "@language", "@direction"})
_PLAIN_CONTAINERS = frozenset({None, "@list", "@language"})
_ODD_TYPES = frozenset({"@vocab", "@none", "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"})
"""rdf:JSON written out makes a text what `@json` makes of an object."""

Names = Mapping[tuple[str, str | None], str | None]
"""By IRI and container: the one name that goes with it, `None` where there are two."""


@dataclass(frozen=True, slots=True)
class Term:
    """What one term of a context means."""

    iri: str
    type: str | None = None
    """How a bare value is read: `@id`, `@json` (as it stands, all of it covered), a datatype, or nothing."""
    container: str | None = None
    """`@list`, `@language`, or nothing; `@set` changes no meaning and is left out."""
    plain: bool = True
    """False where the definition does more than that: such a term may stand in a context, but not be used."""


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI that can stand in a canonical quad.

    Characters that N-Quads would have to escape are refused, for canonicalisers do not escape them: with them
    one IRI could pose as several quads.

    Spec: RFC 3987 §2.2; RDF 1.1 N-Quads §2.2
    """
    return _IRI.fullmatch(text) is not None


def term(definition: Mapping[str, Any] | None) -> Term:
    """A term from the JSON-LD processor's own account of it, IRIs expanded."""
    if definition is None or not isinstance(definition.get("@id"), str):
        return Term("", plain=False)
    containers = [name for name in definition.get("@container") or [] if name != "@set"]
    container = containers[0] if containers else None
    odd = (
        definition.get("reverse")
        or len(containers) > 1
        or container not in _PLAIN_CONTAINERS
        or definition.get("@type") in _ODD_TYPES
        or not _READ_ELSEWHERE.isdisjoint(definition)
    )
    return Term(definition["@id"], definition.get("@type"), container, not odd)


def check_inline(context: JsonObject) -> None:
    """An inline context defines terms and nothing else; what the terms mean is not looked at here.

    Raises:
        ProtocolError: too many terms, a keyword, or a definition of more than IRI, type and container.

    Spec: AS2 §2.1; JSON-LD 1.1 §9.15
    """
    if len(context) > MAX_TERMS:
        raise ProtocolError(f"an inline @context of more than {MAX_TERMS} terms", spec=_SPEC)
    for name, definition in context.items():
        if _TERM_NAME.fullmatch(name) is None:
            raise ProtocolError(f"an inline @context may not define {name[:80]!r}", spec=_SPEC)
        if not isinstance(definition, str | dict):
            raise ProtocolError(f"an inline @context takes {name!r} away", spec=_SPEC)
        extra = set(definition) - _DEFINITION if isinstance(definition, dict) else set()
        if extra:
            raise ProtocolError(f"the definition of {name!r} uses {min(extra)[:80]!r}", spec=_SPEC)


def used(terms: JsonObject, document: Any) -> JsonObject:
    """Of an inline context, what this document needs: an alert that carried all our terms twice, and twice more in
    its proofs, was 12 kB of context to 8 kB of alert.

    Args:
        terms: an inline context; a prefix stays if a term that stays is written with it.
        document: names of members and of types are looked for in it, at any depth.
    """
    said = set(_said(document))
    kept = {name: definition for name, definition in terms.items() if name in said}
    iris = [definition if isinstance(definition, str) else definition["@id"] for definition in kept.values()]
    prefixes = {iri.partition(":")[0] for iri in iris}
    return {name: definition for name, definition in terms.items() if name in kept or name in prefixes}


def _said(value: Any) -> Iterator[str]:
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list | tuple):
            yield from _said(item)
    if isinstance(value, dict):
        yield from value
        kinds = value.get("type")
        yield from [kinds] if isinstance(kinds, str) else kinds or ()


def names(terms: Mapping[str, Term]) -> Names:
    """The name that each IRI goes by in these terms."""
    found: dict[tuple[str, str | None], str | None] = {}
    for name, meant in terms.items():
        place = (meant.iri, meant.container)
        found[place] = name if found.get(place, name) == name else None
    return found


def meaning(name: str, terms: Mapping[str, Term], published: Names) -> Term:
    """What a member or type of this name means, where it can be called nothing else.

    A reader of plain JSON goes by names, a signature covers IRIs. So the name must follow from the IRI: it is
    what ActivityStreams and security/v1 call it (`published`), else its last segment, with `Map` after it for
    a language map.

    Raises:
        ProtocolError: no such term, more than a plain term, or a name that its IRI does not bear.

    Spec: AS2 §2.1; CVE-2022-24307, CVE-2024-32983
    """
    found = terms.get(name)
    if found is None:
        raise ProtocolError(f"{name[:80]!r} is not in @context, so no signature covers it", spec=_SPEC)
    if not found.plain or not is_iri(found.iri):
        raise ProtocolError(f"{name!r} cannot be read as plain JSON", spec=_SPEC)
    own = re.split(r"[#/:]", found.iri)[-1] + ("Map" if found.container == "@language" else "")
    if published.get((found.iri, found.container), own) != name:
        raise ProtocolError(f"{name!r} is another name for <{found.iri}>", spec=_SPEC)
    return found
