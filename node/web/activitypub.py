"""ActivityPub over HTTP: the inbox door, and everything an organisation or a member has published, as bytes.

Objects and activities are served from our own log and from our copies of members' logs alike: that is what makes them
outlive their node. Only organisations of this node take POSTs; a copy answers 404 to them (FEP-ef61).
"""

import asyncio
import json
from collections.abc import Sequence

import orjson
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from node.errors import ProtocolError
from node.federation import pages, receipts
from node.federation.protocol import actors, ids, messages, replicas, verification
from node.federation.protocol import heads as head_tables
from node.federation.protocol.activities import AS2, parse_activity
from node.federation.protocol.actors import Actor
from node.federation.protocol.messages import ACTIVITY_JSON, MAX_ENTRY, JsonObject, parse_document
from node.federation.protocol.replicas import Head
from node.models import alerts, charters, contacts, documents, letters, logs, organisations
from node.models.letters import Kept
from node.models.logs import Entry
from node.models.organisations import Organisation
from node.web.site import Site, is_veiled, problem, site_of

_PAGE = 20
_LOG_PAGE = 500
_FAR = (2**31, 2**53)
_PATIENCE = 30.0
"""Seconds that a request's body may take."""


async def post_inbox(request: Request) -> Response:
    """Take one activity: 202 when it is on the disk, else the rule that it broke.

    Spec: AP §7
    """
    site = site_of(request)
    did = request.path_params.get("did", "")
    if did and did not in {each.did for each in await site.organisations()}:
        return problem(404, "no inbox here")
    try:
        await site.inbox.receive(await read_request(request), did)
    except ProtocolError as error:
        return problem(error.status, error.reason, error.spec)
    return Response(status_code=202)


async def read_request(request: Request) -> messages.Request:
    """The request as the rules see it: raw path, headers in order, body within bounds of size and time.

    Raises:
        ProtocolError: 413 or 408.
    """
    declared = request.headers.get("content-length", "0")
    if not _is_number(declared) or int(declared) > MAX_ENTRY:
        raise ProtocolError(f"more than {MAX_ENTRY} bytes", spec="RFC 9110 §15.5.14", status=413)
    body = b""
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                body += message.get("body", b"")
                if len(body) > MAX_ENTRY:
                    raise ProtocolError(f"more than {MAX_ENTRY} bytes", spec="RFC 9110 §15.5.14", status=413)
                if not message.get("more_body", False):
                    break
    except TimeoutError as error:
        raise ProtocolError("the body came too slowly", spec="RFC 9110 §15.5.9", status=408) from error
    return as_seen(request, body)


def as_seen(request: Request, body: bytes = b"") -> messages.Request:
    """A Starlette request as a value."""
    scope = request.scope
    target = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    return messages.Request(scope["method"], target, headers, body, scope["scheme"])


async def get_portable(request: Request) -> Response:
    """Anything with a portable id that this node holds: its own, or a copy.

    Spec: FEP-ef61
    """
    site = site_of(request)
    did, path = request.path_params["did"], "/" + request.path_params["path"]
    if not ids.is_did(did):
        return problem(404, "not here")
    page = await _page_of(site, request, did, path)
    if page is not None:
        return RedirectResponse(page, 303, headers={"vary": "Accept"})
    match path.split("/")[1:]:
        case ["actor"]:
            return await _actor(site, did)
        case ["objects" | "activities", _] | ["log", _, _] | ["actor", "outbox", *_] if await is_veiled(site):
            return problem(503, "restored from a backup: members are asked first what was withdrawn")
        case ["objects", _] | ["activities", _]:
            return await _held(site, did, path)
        case ["log", epoch, start] if _is_number(epoch) and _is_number(start):
            return await _log(site, request, did, (int(epoch), int(start)))
        case ["withdrawals", epoch, start] if _is_number(epoch) and _is_number(start):
            return await _log(site, request, did, (int(epoch), int(start)), receipts.TYPES)
        case ["actor", "outbox", *before] if len(before) <= 2 and all(map(_is_number, before)):
            return await _outbox(site, did, tuple(int(part) for part in before))
        case ["actor", "followers" | "following" | "members" as name]:
            return await _collection(site, did, name)
        case _:
            return await _for_members(site, request, did, path)


async def _for_members(site: Site, request: Request, did: str, path: str) -> Response:
    match path.split("/")[1:]:
        case ["actor", "heads", root]:
            return await _heads(site, request, did, root)
        case ["actor", "letters"]:
            return await _letters(site, request, did)
        case ["letters", _]:
            return await _letter(site, request, str(ids.Portable(did, path)))
        case _:
            return problem(404, "not here")


async def get_application(request: Request) -> Response:
    """The node's own actor, which signs its GETs.

    Spec: FEP-2677
    """
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return problem(404, "no organisation here yet")
    return document(orjson.dumps(actors.render_application(organisation.origin, site.keyring.application.public_key())))


async def get_application_outbox(request: Request) -> Response:
    """The node's own actor says nothing to anybody."""
    organisation = await site_of(request).organisation(request)
    if organisation is None:
        return problem(404, "no organisation here yet")
    uri = organisation.origin + "/actor/outbox"
    return document(_json({"id": uri, "type": "OrderedCollection", "totalItems": 0, "orderedItems": []}))


def document(body: bytes, status: int = 200, *, private: bool = False, kind: str = ACTIVITY_JSON) -> Response:
    """An answer with ActivityPub's type; the same for everybody unless `private`."""
    headers = {"vary": "Accept", "cache-control": "private, no-store" if private else "public, max-age=60"}
    return Response(body, status, headers=headers, media_type=kind)


def wants_document(request: Request) -> bool:
    """Whether a server asks: one of the two ActivityPub types is named (bovine asks with a bare ld+json).

    Spec: AP §3.2
    """
    accept = request.headers.get("accept", "").lower()
    return "activity+json" in accept or "ld+json" in accept


def wants_page(request: Request) -> bool:
    """Whether a browser asks: HTML is named and neither ActivityPub type is."""
    return "text/html" in request.headers.get("accept", "").lower() and not wants_document(request)


async def _page_of(site: Site, request: Request, did: str, path: str) -> str | None:
    if not wants_page(request):
        return None
    if path.startswith("/objects/"):
        name = documents.page_name(str(ids.Portable(did, path)))
        charter = await site.database.read(lambda connection: charters.is_page(connection, name))
        return f"/charters/{name}" if charter else f"/alerts/{name}"
    return f"/organisations/{did}" if path == "/actor" else None


async def _actor(site: Site, did: str) -> Response:
    def read(connection: Connection) -> Actor | None:
        return documents.actor(connection, str(ids.Portable(did, "/actor"))) if _known(connection, did) else None

    found = await site.database.read(read)
    return document(found.document.raw) if found else problem(404, "not here")


async def _held(site: Site, did: str, path: str) -> Response:
    name = str(ids.Portable(did, path))

    def read(connection: Connection) -> tuple[bytes | None, bool]:
        for org in organisations.all_of(connection):
            hidden = alerts.hidden_ids(connection, org.did, did)
            held = documents.stored(connection, org.did, name)
            if held is not None and name not in hidden:
                return held.raw if held.state == documents.SHOWN else None, held.state == documents.GONE
            entry = logs.by_activity(connection, org.did, name)
            if entry is not None and entry.object_id not in hidden:
                return (entry.raw if entry.state == logs.HELD else None), entry.state != logs.HELD
        return None, False

    raw, gone = await site.database.read(read)
    if raw is not None:
        return document(raw)
    return problem(410 if gone else 404, "not here")


async def _log(
    site: Site, request: Request, did: str, start: tuple[int, int], types: Sequence[str] = ()
) -> Response:
    """A log; the entries of alerts that are not shown here go to pinned members only, who sign for them."""

    def read(connection: Connection) -> tuple[tuple[Entry, ...], frozenset[str], str] | None:
        for org in organisations.all_of(connection):
            if did == org.did or contacts.member(connection, org.did, did) is not None:
                hidden = alerts.hidden_ids(connection, org.did, did)
                return logs.read(connection, org.did, did, start, _LOG_PAGE, types=types), hidden, org.did
        return None

    found = await site.database.read(read)
    if found is None:
        return problem(404, "not here")
    entries, hidden, asked = found
    if hidden.isdisjoint(entry.object_id for entry in entries if entry.object_id):
        return document(pages.render_lines(entries), kind=pages.LINES)
    try:
        await _check_member(site, request, asked)
    except ProtocolError:
        entries = tuple(entry for entry in entries if entry.object_id not in hidden)
    return document(pages.render_lines(entries), kind=pages.LINES, private=True)


async def _outbox(site: Site, did: str, before: tuple[int, ...]) -> Response:
    def read(connection: Connection) -> tuple[tuple[Entry, ...], frozenset[str], str] | None:
        for org in organisations.all_of(connection):
            member = contacts.member(connection, org.did, did)
            if did != org.did and member is None:
                continue
            place = (before[0], before[1]) if len(before) == 2 else _FAR
            origin = org.origin if did == org.did or member is None else ids.origin_of_location(member.uri)
            hidden = alerts.hidden_ids(connection, org.did, did)
            return logs.read(connection, org.did, did, place, _PAGE, newest=True), hidden, origin
        return None

    found = await site.database.read(read)
    if found is None or len(before) == 1:
        return problem(404, "not here")
    entries, hidden, origin = found
    uri = ids.Portable(did, "/actor/outbox").at(origin)
    if not before:
        first = f"{uri}/{_FAR[0]}/{_FAR[1]}"
        return document(_json({"id": uri, "type": "OrderedCollection", "first": first}))
    open_to_all = (entry for entry in entries if entry.object_id not in hidden and _in_outbox(entry))
    shown = [json.loads(entry.raw) for entry in open_to_all if entry.raw]
    page: JsonObject = {"id": f"{uri}/{before[0]}/{before[1]}", "type": "OrderedCollectionPage", "partOf": uri}
    if len(entries) == _PAGE:
        last = entries[-1].header
        page["next"] = f"{uri}/{last.epoch}/{last.sequence}"
    return document(_json({**page, "orderedItems": shown}))


def _in_outbox(entry: Entry) -> bool:
    """Everyone's: exercises are the members' (R15)."""
    if entry.raw is None or entry.state != logs.HELD:
        return False
    return parse_activity(parse_document(entry.raw)).public


async def _collection(site: Site, did: str, name: str) -> Response:
    """A number, no names (R16)."""

    def read(connection: Connection) -> tuple[Organisation, int] | None:
        found = organisations.get(connection, did)
        if found is None:
            return None
        if name == "followers":
            return found, contacts.count_followers(connection, did)
        if name == "members":
            return found, len(contacts.members_of(connection, did))
        return found, len(contacts.followings_of(connection, did))

    found = await site.database.read(read)
    if found is None:
        return problem(404, "not here")
    organisation, total = found
    return document(_json({"id": f"{organisation.uri}/{name}", "type": "OrderedCollection", "totalItems": total}))


async def _heads(site: Site, request: Request, did: str, root: str) -> Response:
    """Our head table, for a pinned member that signs for it; equal roots, nothing to say.

    Spec: Tadamun design §4
    """
    found = await site.database.read(lambda connection: organisations.get(connection, did))
    if found is None:
        return problem(404, "not here")
    try:
        await _check_member(site, request, did)
    except ProtocolError as error:
        return problem(error.status, error.reason, error.spec)
    def read(connection: Connection) -> tuple[dict[str, Head], dict[str, str]]:
        return logs.head_table(connection, did), contacts.successors(connection, did)

    heads, successors = await site.database.read(read)
    if replicas.root_digest(heads) == root:
        return document(_json({"type": "Heads", "same": True}), private=True)
    value = head_tables.render_table(found.uri, site.keyring.organisation(did), heads, site.clock(), successors)
    return document(orjson.dumps(value), private=True)


async def _letters(site: Site, request: Request, did: str) -> Response:
    """Which letters that are held here are for the member that asks, and signs for it.

    Spec: Tadamun letters 1
    """
    if await site.database.read(lambda connection: organisations.get(connection, did)) is None:
        return problem(404, "not here")
    try:
        asker = await _check_member(site, request, did)
    except ProtocolError as error:
        return problem(error.status, error.reason, error.spec)
    now = site.clock()
    held = await site.database.read(lambda connection: letters.held_for(connection, did, asker, now))
    return document(_json({"type": "Letters", "held": list(held)}), private=True)


async def _letter(site: Site, request: Request, name: str) -> Response:
    """An envelope, for a member that it is for; to others it is not there.

    Spec: Tadamun letters 1
    """

    def read(connection: Connection) -> tuple[str, Kept] | None:
        for org in organisations.all_of(connection):
            kept = letters.find(connection, org.did, name)
            if kept is not None and kept.raw is not None:
                return org.did, kept
        return None

    found = await site.database.read(read)
    if found is None:
        return problem(404, "not here")
    try:
        asker = await _check_member(site, request, found[0])
    except ProtocolError:
        return problem(404, "not here")
    if asker not in found[1].addressed or found[1].raw is None:
        return problem(404, "not here")
    return document(found[1].raw, private=True)


async def _check_member(site: Site, request: Request, did: str) -> str:
    """The did of the pinned member that signed this request.

    Raises:
        ProtocolError: 401 or 403.
    """
    seen = as_seen(request)
    claim = verification.check_request(seen, site.clock())
    if claim is None:
        raise ProtocolError("this is for members, who sign for it", spec="Tadamun design §4", status=401)
    signer = await site.inbox.known_key(claim.key_id)
    if signer is None:
        raise ProtocolError("a key that is not known here", spec="Tadamun design §4", status=401)
    verification.verify_request(seen, claim, signer)
    found = ids.portable(signer.owner)
    asker = found.did if found else ""
    member = await site.database.read(lambda connection: contacts.member(connection, did, asker))
    if member is None or member.state != contacts.MEMBER:
        raise ProtocolError("this is for members", spec="Tadamun design §4", status=403)
    return asker


def _is_number(text: str) -> bool:
    """Whether a stranger's text is a number that a database column holds; other scripts' digits are none here."""
    return text.isascii() and text.isdigit() and len(text) <= 18


def _known(connection: Connection, did: str) -> bool:
    return any(
        did == org.did or contacts.member(connection, org.did, did) is not None
        for org in organisations.all_of(connection)
    )


def _json(value: JsonObject) -> bytes:
    return orjson.dumps({"@context": AS2, **value})
