"""Finding out who somebody is: actors, their keys, handles. All calls go through the one fetcher, signed by the node's
own actor, and outside of any transaction; what is found is verified before it is kept.

A key that could not be had is not asked for again for ten minutes, whoever names it (CVE-2026-34148).
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from node import evidence
from node.errors import FetchError, ProtocolError
from node.evidence import Evidence
from node.federation.fetcher import Fetcher
from node.federation.protocol import actors, http_signatures, ids, verification, webfinger
from node.federation.protocol.actors import Actor
from node.federation.protocol.addressing import Policy, scheme_of
from node.federation.protocol.keys import PublicKey
from node.federation.protocol.messages import Document, JsonObject, Request, as_list, id_of, parse_document
from node.models import contacts, documents
from node.models.base import Database
from node.models.keyring import Keyring

FRESH = timedelta(days=1)
_DEAD = timedelta(minutes=10)
_CACHE = 4096


class Discovery:
    """What the node knows of others, and how it learns more."""

    def __init__(
        self, database: Database, fetcher: Fetcher, keyring: Keyring, policy: Policy, origin: str,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self.fetcher = fetcher
        self.policy = policy
        self._database = database
        self._keyring = keyring
        self._origin = origin
        self._clock = clock
        self._keys: OrderedDict[str, PublicKey] = OrderedDict()

    def cached_key(self, key_id: str) -> PublicKey | None:
        """A key already in memory, by canonical id."""
        return self._keys.get(key_id)

    async def known_key(self, key_id: str) -> PublicKey | None:
        """A key that stands in an actor document we hold; calls nobody."""
        found = self._keys.get(key_id)
        if found is None:
            found = await self._database.read(lambda connection: documents.key(connection, key_id))
            if found is not None:
                self._remember(found)
        return found

    async def key(self, key_id: str) -> PublicKey:
        """A key by its id, fetched with its owner where we do not hold it.

        Raises:
            FetchError: it could not be had; a negative cache answers for ten minutes.
            ProtocolError: what came is not to be believed.
        """
        canonical = ids.canonical(key_id)
        found = await self.known_key(canonical)
        if found is not None:
            return found
        return await self.refresh_key(key_id)

    async def refresh_key(self, key_id: str) -> PublicKey:
        """Fetch a key anew, with the actor it belongs to.

        Raises:
            FetchError, ProtocolError: as `key`.
        """
        # By the place asked, too: a bad gateway must not shut out a did that others can vouch for.
        name, now = f"{ids.origin_of_location(key_id)} {ids.canonical(key_id)}", self._clock()
        if await self._database.read(lambda connection: documents.is_dead(connection, name, now)):
            raise FetchError("the key could not be had a short while ago", retryable=True, retry_after=600)
        try:
            owner = await self._owner_of(key_id)
            found = actors.find_key(owner, key_id)
        except (FetchError, ProtocolError):
            await self._database.write(
                lambda connection: documents.mark_dead(connection, name, now + _DEAD)
            )
            raise
        self._remember(found)
        return found

    async def actor(self, uri: str, *, fresh: bool = False) -> Actor:
        """An actor by its id: held and not older than a day, else fetched and verified.

        Raises:
            FetchError, ProtocolError: it could not be had, or is not to be believed.
        """
        canonical, now = ids.canonical(uri), self._clock()
        if not fresh:
            held = await self._database.read(lambda connection: documents.actor(connection, canonical))
            age = await self._database.read(lambda connection: documents.actor_age(connection, canonical))
            if held is not None and age is not None and now - age < FRESH:
                return held
        place, document = await self.fetch(uri)
        found = await self._believe(document, place, ids.portable(canonical))
        if found.id != canonical:
            raise ProtocolError("another actor answers there", spec="FEP-fe34", status=403)
        await self._save(found, place)
        return found

    async def resolve(self, name: str) -> Actor:
        """An actor by handle (`@name@host`) or URL.

        Raises:
            FetchError, ProtocolError: it could not be found, or is not to be believed.
        """
        if "://" in name or name.startswith("did:"):
            return await self.actor(name, fresh=True)
        user, host = webfinger.parse_handle(name)
        found = await self._finger(user, host)
        for resource in webfinger.to_confirm(found, host)[:2]:
            webfinger.check_confirmed(found, await self._finger(*webfinger.check_resource(resource)))
        actor = await self.actor(found.actor, fresh=True)
        webfinger.check_actor(found, actor.document.value)
        return actor

    async def fetch(self, uri: str) -> tuple[str, Document]:
        """Fetch a document with a signed GET: where it was in the end, and what it says."""
        return await self.fetcher.get_json(uri, signer=self.sign)

    def sign(self, request: Request) -> tuple[tuple[str, str], ...]:
        """Sign a GET as the node's own actor."""
        return http_signatures.sign(
            request, self._keyring.application, self._origin + "/actor#main-key", self._clock()
        )

    def forget(self, actor_id: str) -> None:
        """An actor document changed: its keys are looked up again."""
        for key_id in [key_id for key_id, key in self._keys.items() if key.owner == actor_id]:
            del self._keys[key_id]

    async def _owner_of(self, key_id: str) -> Actor:
        place = ids.without_fragment(key_id)
        final, document = await self.fetch(place)
        owner = _owner(document.value)
        if owner is None:
            raise ProtocolError("a key document that names no owner", spec="FEP-521a", status=401)
        if ids.canonical(owner) == ids.canonical(final) or ids.portable(owner) is not None:
            found = await self._believe(document, final, ids.portable(owner))
            await self._save(found, final)
            return found
        if not ids.same_origin(owner, key_id):
            raise ProtocolError("the key's owner is of another origin", spec="FEP-fe34", status=401)
        return await self.actor(owner, fresh=True)

    async def _believe(self, document: Document, place: str, asked: ids.Portable | None) -> Actor:
        """The actor of a document; a host that answers for a member's did without its proof is remembered for it."""
        try:
            return verification.verify_actor(document, place)
        except ProtocolError as error:
            if asked is not None:
                note = f"answered for this did with a document that does not hold: {error}"[: evidence.MAX_NOTE]
                await self._suspect(Evidence(evidence.IMPERSONATION, asked.did, ids.host_of(place), note))
            raise

    async def _save(self, found: Actor, place: str) -> None:
        now = self._clock()

        def save(connection: Connection) -> Actor | None:
            held = documents.actor(connection, found.id)
            try:
                verification.check_newer(found, held)
            except ProtocolError:
                return held
            contacts.check_not_frozen(connection, found)
            documents.save_actor(connection, found, now)
            return None

        newer = await self._database.write(save)
        if newer is not None:
            await self._note_replay(found, newer, place)
            verification.check_newer(found, newer)
        self.forget(found.id)

    async def _note_replay(self, found: Actor, newer: Actor, place: str) -> None:
        if found.did is None or newer.did is None:
            return
        note = f"an actor document of entry {found.order[0]}/{found.order[1]} where a later one is proven"
        exhibits = (found.document.raw.decode(), newer.document.raw.decode())
        fits = all(len(each) <= evidence.MAX_EXHIBIT for each in exhibits)
        host = ids.host_of(place)
        await self._suspect(Evidence(evidence.REPLAYED, found.did, host, note, (), exhibits if fits else ()))

    async def _suspect(self, seen: Evidence) -> None:
        """Kept for every organisation here that pinned the did; of others nothing is kept."""
        now = self._clock()

        def write(connection: Connection) -> None:
            for org in contacts.pinned_anywhere(connection).get(seen.about, ()):
                proven = evidence.proves(seen, lambda _: False)
                documents.keep_evidence(connection, org, seen, now, proven=proven)

        await self._database.write(write)

    async def _finger(self, user: str, host: str) -> webfinger.Found:
        url = webfinger.url_of(user, host, scheme_of(host, self.policy))
        answer = await self.fetcher.get(
            url, accept="application/jrd+json, application/json", content_types=webfinger.is_jrd
        )
        return webfinger.parse(parse_document(answer.body).value, f"{user}@{host}")

    def _remember(self, key: PublicKey) -> None:
        self._keys[key.id] = key
        if len(self._keys) > _CACHE:
            self._keys.popitem(last=False)


def _owner(value: JsonObject) -> str | None:
    """Whom a document at a key's address says the key belongs to: an actor, a stub of one, or a bare key."""
    if as_list(value.get("type"))[:1] and as_list(value.get("type"))[0] in actors.TYPES:
        return id_of(value)
    listed = as_list(value.get("publicKey"))
    inner = listed[0] if listed and isinstance(listed[0], dict) else value
    return id_of(inner.get("owner")) or id_of(inner.get("controller"))
