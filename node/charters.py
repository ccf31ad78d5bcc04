"""Charters: texts that are frozen by their digest, and organisations that affirm exactly that text.

Two kinds of object, each of its own author's log. A charter is an `Article` with `charterText`, by the organisation
that keeps it: a version is frozen when it is said, and is never changed. An amendment or an addendum is another Article
that names the text it changes. An `Affirmation`, by any organisation, names the charter, the digest, the articles where
those are not all, and its name: who says one agrees that everybody reads that name. Who affirms without that says it in
a sealed letter (`node/withheld.py`), and is a number to everybody else. Deleting an Affirmation takes the name off
everywhere.

`decide`, in order:
1. only a pinned member, or we ourselves; what a frozen key says past its freeze is nobody's word;
2. id and author are the activity's actor's (FEP-fe34), and nobody takes over another's id (AP §7.3);
3. what was deleted never comes back;
4. the digest is that of the text (a charter); the fields are there and within bounds;
5. neither is ever changed: another text is another version, and an affirmation is taken back and said again; of two
   under one id the one that stands earlier in its log counts.

`list_of`, in order:
1. an affirmation is of this charter's id and digest: one of another text counts for nothing here (R18);
2. heads, members, freezes, successors, once for each organisation: `node/rolls.py`;
3. of the articles it names, those count that the text has; where none of them is, it affirms nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from node import charter_texts as texts
from node import rolls
from node.alert_forms import clean, parse_moment
from node.charter_texts import CharterText
from node.citations import NUMBER
from node.effects import Accept, Decision, Ignore, Refuse, StoreObject
from node.errors import ProtocolError
from node.federation.protocol import digests, ids
from node.federation.protocol.activities import Activity
from node.federation.protocol.actors import NAMESPACE
from node.federation.protocol.messages import MAX_ENTRY, JsonObject, id_of
from node.rolls import Place, Standing

ARTICLE, AFFIRMATION = "Article", "Affirmation"
CHARTER = "Charter"
"""What an Article with a text is kept as: other Articles are posts."""
KINDS = ("charter", "addendum", "amendment")
ADOPTIONS = ("each", "network")
"""Whether it binds each organisation that affirms it, or a network that adopts it by its quorum."""
MAX_NAME = 200
_AROUND = 12 * 1024
"""Bytes that proofs and the activity around it may take of an entry."""
_SPEC = "Tadamun charters 1"
TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        **{name: f"tadamun:{name}" for name in (AFFIRMATION, "textDigest", "charterKind", "amends", "adoption")},
        "charter": {"@id": "tadamun:charter", "@type": "@id"},
        **{name: {"@id": f"tadamun:{name}", "@type": "@json"} for name in ("charterText", "affirmedArticles")},
    }
)


@dataclass(frozen=True, slots=True)
class Charter:
    """One frozen version."""

    id: str
    """Canonical id of its Article."""
    did: str
    """Who keeps it."""
    text: CharterText
    kind: str
    amends: str
    """The digest of the text that it changes or is added to; empty for a charter."""
    adoption: str
    language: str
    """The main language."""
    published: datetime
    order: tuple[int, int]

    @property
    def digest(self) -> str:
        """Of the text."""
        return self.text.digest

    @property
    def title(self) -> str:
        """In the main language."""
        return self.text.versions[self.language].title


@dataclass(frozen=True, slots=True)
class Affirmation:
    """One organisation's word that it affirms one text."""

    id: str
    did: str
    charter: str
    digest: str
    articles: tuple[str, ...]
    """Numbers; empty for all."""
    name: str
    language: str
    said: datetime
    order: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Affirmed:
    """Who affirmed one text, as of some heads."""

    names: tuple[Affirmation, ...]
    """In the order in which they say they did."""
    withheld: int
    """Organisations whose names are withheld and known to the network."""
    as_of: Mapping[str, Place]

    @property
    def count(self) -> int:
        """Everyone who affirmed."""
        return len(self.names) + self.withheld


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows when one of these objects is judged."""

    known: bool
    """Its author is a pinned member, was one, or is ourselves."""
    frozen: bool
    known_author: str | None = None
    known_order: tuple[int, int] | None = None
    """Where what is held under this id stands in its log."""
    gone: bool = False


def is_charter(thing: JsonObject) -> bool:
    """Whether an object is a version of a charter."""
    kinds = thing.get("type")
    return (kinds == ARTICLE or (isinstance(kinds, list) and ARTICLE in kinds)) and "charterText" in thing


def decide(activity: Activity, facts: Facts) -> Decision:
    """Judge a Create or Update of a charter or an Affirmation. A Delete is judged as that of any object.

    Spec: AP §7.2, §7.3; FEP-fe34
    """
    thing = activity.object
    if thing is None or activity.object_id is None or activity.did is None or activity.position is None:
        return Ignore("a charter is embedded in a log entry")
    if not facts.known:
        return Ignore("charters are kept and affirmed by members")
    if facts.frozen:
        return Ignore("the member is frozen")
    if facts.known_author not in (None, activity.actor):
        return Refuse("the id belongs to another author", "AP §7.3")
    if facts.gone:
        return Ignore("it was deleted")
    if activity.type != "Create":
        return Refuse("frozen: another text is another version, an affirmation is taken back and said again", _SPEC)
    try:
        found = parse(thing, activity.position.order)
        if ids.canonical(id_of(thing.get("attributedTo")) or "") != activity.actor or found.did != activity.did:
            return Refuse("the object is not of the actor's origin", "FEP-fe34")
    except ProtocolError as error:
        return Refuse(error.reason, error.spec)
    if facts.known_author is not None and (facts.known_order or (0, 0)) <= activity.position.order:
        return Ignore("held already")
    kind = CHARTER if isinstance(found, Charter) else AFFIRMATION
    return Accept((StoreObject(activity.object_id, kind, activity.actor, thing, str(thing["published"])),))


def list_of(
    charter: Charter, said: Iterable[Affirmation], heads: Mapping[str, Place], roll: Mapping[str, Standing],
    *, withheld: int = 0,
) -> Affirmed:  # fmt: skip
    """Who affirmed one text.

    Args:
        said: all affirmations that are held, in any order.
        heads: the last entry of each log that is to count.
        roll: did → how it stands here.
        withheld: organisations that affirmed in a sealed letter.
    """
    counted = [each for each in rolls.within(said, heads) if rolls.counts(each, roll) and affirms(each, charter)]
    names = tuple(sorted(rolls.last_words(counted, roll).values(), key=lambda each: (each.said, each.did)))
    as_of = {did: heads[did] for did in sorted({charter.did, *(each.did for each in names)}) if did in heads}
    return Affirmed(names, withheld, as_of)


def affirms(said: Affirmation, charter: Charter) -> bool:
    """Whether this is a word about this very text, and says something."""
    if (said.charter, said.digest) != (charter.id, charter.digest):
        return False
    return not said.articles or bool(set(said.articles) & set(charter.text.numbers))


def articles_of(said: Affirmation, charter: Charter) -> tuple[str, ...]:
    """The numbers that it affirms, in the text's order."""
    return tuple(each for each in charter.text.numbers if not said.articles or each in said.articles)


def render_charter(
    name: str, actor: str, text: CharterText, language: str, page: str, now: datetime, to: tuple[str, ...],
    *, kind: str = "charter", amends: str = "", adoption: str = "each",
) -> JsonObject:  # fmt: skip
    """The Article of a version, not signed yet.

    Args:
        name: its id.
        language: the main language: what other servers show.
        page: the address of its page.

    Raises:
        ProtocolError: the text is too long as HTML, or the whole for one log entry.
    """
    content = texts.render_content(text, language)
    made = {
        "id": name,
        "type": ARTICLE,
        "attributedTo": actor,
        "name": text.versions[language].title,
        "nameMap": {each: version.title for each, version in text.versions.items()},
        "content": content,
        "contentMap": {language: content},
        "url": page,
        "published": _timestamp(now),
        "charterText": text.value,
        "textDigest": text.digest,
        "charterKind": kind,
        **({"amends": amends} if amends else {}),
        "adoption": adoption,
        "to": list(to),
    }
    size = len(digests.jcs(made))
    if size > MAX_ENTRY - _AROUND:
        reason = f"{size} bytes in all, {MAX_ENTRY - _AROUND} are carried: shorten it, or make an addendum of a part"
        raise ProtocolError(reason, spec=_SPEC)
    return made


def render_affirmation(
    name: str, actor: str, charter: str, digest: str, articles: tuple[str, ...], shown: tuple[str, str], now: datetime,
    to: tuple[str, ...],
) -> JsonObject:  # fmt: skip
    """An Affirmation, not signed yet.

    Args:
        name: its id.
        charter: the id of the charter's Article, where it was signed.
        articles: numbers; empty for all.
        shown: the organisation's name as it should appear, and the language of it.
    """
    return {
        "id": name,
        "type": AFFIRMATION,
        "attributedTo": actor,
        "charter": charter,
        "textDigest": digest,
        **({"affirmedArticles": list(articles)} if articles else {}),
        "name": shown[0],
        **({"nameMap": {shown[1]: shown[0]}} if shown[1] else {}),
        "published": _timestamp(now),
        "to": list(to),
    }


def parse(thing: JsonObject, order: tuple[int, int]) -> Charter | Affirmation:
    """Read one of the two.

    Args:
        order: the place of its entry in its author's log.

    Raises:
        ProtocolError: a field is missing, too long or of another kind; or the digest is not the text's.
    """
    return _parse_charter(thing, order) if is_charter(thing) else _parse_affirmation(thing, order)


def _parse_charter(thing: JsonObject, order: tuple[int, int]) -> Charter:
    name = _portable(thing.get("id"), "id")
    text = texts.parse(thing.get("charterText"))
    if digests.check_multibase(thing.get("textDigest")) != text.digest:
        raise ProtocolError("textDigest is not that of charterText", spec=_SPEC)
    kind, adoption, amends = thing.get("charterKind"), thing.get("adoption"), thing.get("amends")
    if kind not in KINDS or adoption not in ADOPTIONS:
        raise ProtocolError(f"charterKind: {', '.join(KINDS)}; adoption: {', '.join(ADOPTIONS)}", spec=_SPEC)
    if (kind == "charter") != (amends is None):
        raise ProtocolError("an addendum or an amendment names the text it changes, a charter names none", spec=_SPEC)
    if amends is not None and digests.check_multibase(amends) == text.digest:
        raise ProtocolError("a text does not change itself", spec=_SPEC)
    content, mapped = thing.get("content"), thing.get("contentMap")
    if not isinstance(content, str) or len(content.encode("utf-8", "replace")) > texts.MAX_CONTENT:
        raise ProtocolError(f"content: at most {texts.MAX_CONTENT} bytes of HTML", spec=_SPEC)
    language = text.language(next(iter(mapped), "") if isinstance(mapped, dict) else "")
    return Charter(
        str(name), name.did, text, str(kind), amends or "", str(adoption), language, _moment(thing, "published"), order
    )


def _parse_affirmation(thing: JsonObject, order: tuple[int, int]) -> Affirmation:
    if thing.get("type") != AFFIRMATION:
        raise ProtocolError("neither a charter nor an Affirmation", spec=_SPEC)
    name, charter = _portable(thing.get("id"), "id"), _portable(thing.get("charter"), "charter")
    digest = digests.check_multibase(thing.get("textDigest"))
    shown = check_name(thing.get("name"))
    mapped = thing.get("nameMap")
    language = next(iter(mapped), "") if isinstance(mapped, dict) else ""
    return Affirmation(
        str(name), name.did, str(charter), digest, check_articles(thing.get("affirmedArticles")), shown,
        language if len(language) <= 35 else "", _moment(thing, "published"), order,
    )  # fmt: skip


def check_name(value: Any) -> str:
    """An organisation's name as it appears on a list.

    Raises:
        ProtocolError: empty, too long, or not read as it stands.
    """
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or " ".join(clean(value).split()) != value:
        raise ProtocolError(f"name: one line of 1 to {MAX_NAME} characters", spec=_SPEC)
    return value


def check_articles(value: Any) -> tuple[str, ...]:
    """The numbers of some articles; none for all.

    Raises:
        ProtocolError: they are not numbers of articles, or one stands twice.
    """
    if value is None:
        return ()
    if not isinstance(value, list) or not 0 < len(value) <= texts.MAX_ARTICLES:
        raise ProtocolError(f"affirmedArticles: 1 to {texts.MAX_ARTICLES} numbers", spec=_SPEC)
    numbers = [each for each in value if isinstance(each, str) and NUMBER.fullmatch(each)]
    if len(numbers) != len(value) or len(set(numbers)) != len(numbers):
        raise ProtocolError("affirmedArticles: numbers of articles, each once", spec=_SPEC)
    return tuple(numbers)


def _portable(value: Any, name: str) -> ids.Portable:
    found = ids.portable(value) if isinstance(value, str) else None
    if found is None:
        raise ProtocolError(f"{name}: not a portable id", spec="FEP-ef61")
    return found


def _moment(thing: JsonObject, name: str) -> datetime:
    value = thing.get(name)
    try:
        return parse_moment(value if isinstance(value, str) and len(value) <= 40 else "")
    except ValueError as error:
        raise ProtocolError(f"{name}: not an RFC 3339 time", spec="RFC 3339 §5.6") from error


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
