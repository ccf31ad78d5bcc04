"""Charters at the desk: a text is frozen, organisations affirm it or take that back, and everybody sees who does.

A charter is public, and its keeper's followers are told of it. An affirmation stands in the log and goes to members
only. Who affirms without its name being shown says so in a sealed letter, as with alerts (`node/withheld.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from node import charter_texts as texts
from node import charters as rules
from node import governance
from node import rolls as roll_rules
from node import withheld as withheld_rules
from node.alert_forms import clean
from node.charters import Affirmation, Affirmed, Charter
from node.desk import rolls, withheld
from node.errors import ProtocolError, RefusedError
from node.federation import outbox
from node.federation.letters import Sent
from node.federation.outbox import Published, Speech
from node.federation.protocol import ids
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject
from node.models import charters as rows
from node.models import documents
from node.models import networks as network_rows
from node.models import withheld as withheld_rows
from node.models.organisations import Organisation

_MOST_VERSIONS = 100


@dataclass(frozen=True, slots=True)
class Own:
    """What we ourselves said of one text."""

    public: Affirmation | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Adoption:
    """One proposal to a network that it adopt a text."""

    network: str
    names: Mapping[str, str]
    """Of the network, by language."""
    state: str
    yes: int
    voters: int


def draft(
    connection: Connection, organisation: Organisation, value: Any, now: datetime,
    *, kind: str = "charter", amends: str = "", adoption: str = "each", language: str = "",
) -> JsonObject:  # fmt: skip
    """The Article as it would be published: nothing is written.

    Args:
        value: the text as somebody wrote it.
        amends: the digest of the text that it changes, for an addendum or an amendment.
        language: what other servers show; empty for the organisation's own if the text has it.

    Raises:
        RefusedError: a rule of the text forbids it, it stands here already, or what it changes is not ours or not here.
    """
    try:
        text = texts.parse(texts.tidy(value))
    except ProtocolError as error:
        raise RefusedError(str(error)) from error
    if language and language not in text.versions:
        raise RefusedError(f"--language: the text has {', '.join(text.versions)}")
    _check_place(connection, organisation, text.digest, kind, amends)
    name = organisation.at(f"/objects/{outbox.token()}")
    page = f"{organisation.origin}/charters/{documents.page_name(ids.canonical(name))}"
    audience = outbox.audience(organisation, members_only=False)
    try:
        made = rules.render_charter(
            name, organisation.uri, text, text.language(language or organisation.language), page, now, audience.to,
            kind=kind, amends=amends, adoption=adoption,
        )  # fmt: skip
    except ProtocolError as error:
        raise RefusedError(str(error)) from error
    return made | {"cc": list(audience.cc)}


def freeze(
    connection: Connection, organisation: Organisation, key: OrganisationKey, made: JsonObject, now: datetime
) -> Published:
    """Publish a draft that somebody looked at: from now on it stands, and only another version can change it.

    Raises:
        RefusedError: it stands here already, or what it changes is not here any more.
    """
    _check_place(connection, organisation, made["textDigest"], made["charterKind"], made.get("amends", ""))
    audience = outbox.audience(organisation, members_only=False)
    signed = outbox.sign_object(made, key, dict(rules.TERMS), now)
    return outbox.publish(connection, organisation, key, Speech("Create", signed, audience, dict(rules.TERMS)), now)


def affirm(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, articles: Sequence[str],
    shown: str, language: str, now: datetime,
) -> Published:  # fmt: skip
    """Affirm a text, with our name on the public list. What we said of it before is replaced.

    Args:
        articles: their numbers; none for all.
        shown: the name as it should appear; empty for the organisation's own.

    Raises:
        RefusedError: no such text, no such article, or we affirm exactly this already.
    """
    charter = find(connection, organisation, name)
    chosen = _chosen(charter, articles)
    try:
        shown = rules.check_name(" ".join(clean(shown or organisation.name).split()))
    except ProtocolError as error:
        raise RefusedError(str(error)) from error
    mine = own(connection, organisation, key, charter)
    if mine.public is not None:
        if (mine.public.articles, mine.public.name) == (chosen, shown):
            raise RefusedError("we affirm this text already, under this name")
        _take_back(connection, organisation, key, mine.public, now)
    withheld.take_back(connection, organisation, key, charter.id, now)
    audience = replace(outbox.audience(organisation, members_only=False), cc=())
    made = rules.render_affirmation(
        organisation.at(f"/objects/{outbox.token()}"), organisation.uri, charter.id, charter.digest, chosen,
        (shown, language or organisation.language), now, audience.to,
    )  # fmt: skip
    signed = outbox.sign_object(made, key, dict(rules.TERMS), now)
    speech = Speech("Create", signed, audience, dict(rules.TERMS), followers=False)
    return outbox.publish(connection, organisation, key, speech, now)


def affirm_withheld(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, now: datetime
) -> Sent:
    """Affirm a whole text so that only the network knows our name: everybody else sees a number.

    Raises:
        RefusedError: no such text, it is our own, we did so already, or there is nobody to tell.
    """
    charter = find(connection, organisation, name)
    if charter.did == organisation.did:
        raise RefusedError("this charter is our own: who keeps it is public; affirm it with the name, or not at all")
    mine = own(connection, organisation, key, charter)
    if mine.withheld:
        raise RefusedError("we affirm this text already, our name known to the network alone")
    if mine.public is not None:
        _take_back(connection, organisation, key, mine.public, now)
    return withheld.endorse(connection, organisation, key, charter.id, charter.digest, organisation.name, now)


def withdraw(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, now: datetime
) -> tuple[str, ...]:
    """Take our affirmation back, whatever became of the charter: off every node's pages at once, destroyed later.

    Returns:
        The ids of what was taken back, and of letters that say so.

    Raises:
        RefusedError: we do not affirm this text.
    """
    wanted = ids.canonical(name) if ":" in name else name
    charters = rows.find(connection, organisation.did, wanted)
    named = {each.id for each in charters}
    said = [
        each for digest in {each.digest for each in charters} or {wanted}
        for each in rows.said_of(connection, organisation.did, digest)
        if each.did == organisation.did and (not named or each.charter in named)
    ]  # fmt: skip
    abouts = sorted(named | {each.charter for each in said})
    sealed = [each for about in abouts for each in withheld.take_back(connection, organisation, key, about, now)]
    if not said and not sealed:
        raise RefusedError("we do not affirm this text")
    for each in said:
        _take_back(connection, organisation, key, each, now)
    return (*(each.id for each in said), *sealed)


def remove(
    connection: Connection, organisation: Organisation, key: OrganisationKey, name: str, now: datetime
) -> Published:  # fmt: skip
    """Take a charter of ours off, with the list of who affirms it: every node hides it at once and destroys it later.

    Raises:
        RefusedError: no such charter, or another organisation keeps it.
    """
    charter = find(connection, organisation, name)
    held = documents.stored(connection, organisation.did, charter.id)
    if charter.did != organisation.did or held is None:
        raise RefusedError("another organisation keeps this charter; only its keeper takes it off")
    audience = outbox.audience(organisation, members_only=False)
    return outbox.take_back(connection, organisation, key, held, audience, now, followers=True)


def affirmed(connection: Connection, organisation: Organisation, charter: Charter) -> Affirmed:
    """Who affirms a text, as this node's copies of the logs have it."""
    return affirmed_each(connection, organisation, (charter,))[charter.id]


def affirmed_each(
    connection: Connection, organisation: Organisation, charters: Sequence[Charter]
) -> dict[str, Affirmed]:  # fmt: skip
    """The same of several: id → who affirms it."""
    heads, roll = rolls.heads_of(connection, organisation), rolls.roll_of(connection, organisation)
    found = {}
    for each in charters:
        sealed = withheld_rows.about(connection, organisation.did, each.id)
        hidden = withheld_rules.count_of(sealed, each.digest)
        said = rows.said_of(connection, organisation.did, each.digest)
        found[each.id] = rules.list_of(each, said, heads, roll, withheld=hidden)
    return found


def adoptions(connection: Connection, organisation: Organisation, digest: str) -> tuple[Adoption, ...]:
    """What became of this text in each network of ours that was asked to adopt it: for members' eyes."""
    found = []
    for joined in network_rows.all_of(connection, organisation.did):
        state = network_rows.state_of(connection, organisation.did, joined.network)
        for tally in state.decisions.values():
            if tally.subject == governance.ADOPT and tally.text == digest:
                yes = sum(choice == governance.YES for choice in tally.votes.values())
                found.append(Adoption(joined.network, joined.names, tally.state, yes, tally.voters))
    return tuple(found)


def own(connection: Connection, organisation: Organisation, key: OrganisationKey, charter: Charter) -> Own:
    """What we ourselves said of a text and did not take back."""
    mine = [
        each for each in rows.said_of(connection, organisation.did, charter.digest)
        if each.did == organisation.did and each.charter == charter.id
    ]  # fmt: skip
    tag = withheld_rules.tag_of(withheld_rules.sign(key, charter.id, charter.digest))
    sealed = withheld_rows.about(connection, organisation.did, charter.id)
    stands = any(each.tag == tag and not each.gone for each in sealed)
    return Own(max(mine, key=lambda each: each.order, default=None), stands)


def find(connection: Connection, organisation: Organisation, name: str) -> Charter:
    """A charter that is held here: by its digest, by any of its ids, or by the last part of its page's address.

    Raises:
        RefusedError: there is none, or several keep the same text: then one is named by its id.
    """
    try:
        wanted = ids.canonical(name) if ":" in name else name
    except ProtocolError as error:
        raise RefusedError(f"{name[:80]!r} is no charter's id") from error
    found = rows.find(connection, organisation.did, wanted)
    if not found:
        raise RefusedError(f"no charter {name[:120]!r} here; 'tadamun charter list' shows them")
    if len(found) > 1:
        told = ", ".join(each.id for each in found[:3])
        raise RefusedError(f"{len(found)} organisations keep this very text: name one by its id: {told}")
    return found[0]


def versions(connection: Connection, organisation: Organisation, charter: Charter) -> tuple[Charter, ...]:
    """What belongs together, the first published first: what this text changes, and what changes it, as far as one
    organisation (or one that it succeeded) keeps them; of others' nobody is told that they change this one.
    """
    roll = rolls.roll_of(connection, organisation)
    keeper = roll_rules.final(charter.did, roll)

    def kept(found: Sequence[Charter]) -> list[Charter]:
        return [each for each in found if roll_rules.final(each.did, roll) == keeper]

    known = {charter.id: charter}
    waiting = [charter]
    while waiting and len(known) < _MOST_VERSIONS:
        each = waiting.pop()
        before = kept(rows.find(connection, organisation.did, each.amends)) if each.amends else []
        for other in (*before, *kept(rows.changing(connection, organisation.did, each.digest))):
            if other.id not in known:
                known[other.id] = other
                waiting.append(other)
    return tuple(sorted(known.values(), key=lambda each: (each.published, each.order, each.id)))


def _check_place(connection: Connection, organisation: Organisation, digest: str, kind: str, amends: str) -> None:
    own_ = [each for each in rows.find(connection, organisation.did, digest) if each.did == organisation.did]
    if own_:
        raise RefusedError(f"this very text is frozen already: {digest}")
    if (kind == "charter") != (not amends):
        raise RefusedError("an addendum or an amendment says with --amends which text it changes; a charter does not")
    if amends and not any(each.did == organisation.did for each in rows.find(connection, organisation.did, amends)):
        raise RefusedError(f"--amends: we keep no charter {amends[:80]!r}; 'tadamun charter list' shows ours")


def _chosen(charter: Charter, articles: Sequence[str]) -> tuple[str, ...]:
    """The numbers in the text's order; none where all are chosen."""
    numbers = charter.text.numbers
    unknown = [each for each in articles if each not in numbers]
    if unknown:
        raise RefusedError(f"no article {unknown[0][:20]!r}: this text has {', '.join(numbers)}")
    chosen = tuple(each for each in numbers if each in articles)
    return () if len(chosen) == len(numbers) else chosen


def _take_back(
    connection: Connection, organisation: Organisation, key: OrganisationKey, said: Affirmation, now: datetime
) -> None:
    held = documents.stored(connection, organisation.did, said.id)
    if held is not None:
        audience = replace(outbox.audience(organisation, members_only=False), cc=())
        outbox.take_back(connection, organisation, key, held, audience, now)
