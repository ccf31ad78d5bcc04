"""`@alerts` over HTTP: its document, its inbox, what it boosts and carries on. Of its followers only the number."""

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import boosts as rules
from node.boosts import Voice
from node.errors import ProtocolError
from node.federation.protocol.activities import AS2
from node.models import boosts, contacts, relays
from node.models.organisations import Organisation
from node.web.activitypub import document, read_request, wants_page
from node.web.site import problem, site_of


async def get_actor(request: Request) -> Response:
    """The actor document; a browser is sent on to the alerts.

    Spec: AP §4.1
    """
    found = await _voice(request)
    if found is None:
        return problem(404, "not here")
    organisation, voice = found
    if wants_page(request):
        return RedirectResponse("/alerts", 303, headers={"vary": "Accept"})
    rsa = site_of(request).keyring.alerts.public_key()
    return document(orjson.dumps(rules.render_actor(voice, organisation.name, rsa)))


async def post_inbox(request: Request) -> Response:
    """Take one activity, through the same door as everybody's.

    Spec: AP §7
    """
    found = await _voice(request)
    if found is None:
        return problem(404, "no inbox here")
    try:
        await site_of(request).inbox.receive(await read_request(request), found[1].key)
    except ProtocolError as error:
        return problem(error.status, error.reason, error.spec)
    return Response(status_code=202)


async def get_outbox(request: Request) -> Response:
    """The newest boosts.

    Spec: AP §5.1
    """
    found = await _voice(request)
    if found is None:
        return problem(404, "not here")
    organisation, voice = found

    def read(connection: Connection) -> tuple[tuple[boosts.Boost, ...], int]:
        return boosts.said(connection, organisation.did), boosts.count(connection, organisation.did)

    newest, total = await site_of(request).database.read(read)
    items = [rules.render_announce(voice, each.activity, each.uri, each.due) for each in newest]
    return _collection(voice.at("/outbox"), total, items)


async def get_followers(request: Request) -> Response:
    """A number, no names (R16)."""
    found = await _voice(request)
    if found is None:
        return problem(404, "not here")
    voice = found[1]
    total = await site_of(request).database.read(lambda connection: contacts.count_followers(connection, voice.key))
    return _collection(voice.followers, total)


async def get_activity(request: Request) -> Response:
    """One boost that stands."""
    found = await _voice(request)
    if found is None:
        return problem(404, "not here")
    organisation, voice = found
    name = voice.at(f"/activities/{request.path_params['token']}")
    boost = await site_of(request).database.read(lambda connection: boosts.find(connection, organisation.did, name))
    if boost is None:
        return problem(404, "not here")
    return document(orjson.dumps(rules.render_announce(voice, boost.activity, boost.uri, boost.due)))


async def get_note(request: Request) -> Response:
    """An alert that is carried on; 410 once it was taken back."""
    found = await _voice(request)
    if found is None:
        return problem(404, "not here")
    organisation, voice = found
    name = voice.at(f"/notes/{request.path_params['token']}")
    copy = await site_of(request).database.read(lambda connection: relays.find_copy(connection, organisation.did, name))
    if copy is None or copy.raw is None:
        return problem(404 if copy is None else 410, "not here")
    return document(copy.raw)


async def _voice(request: Request) -> tuple[Organisation, Voice] | None:
    """The `@alerts` of the host that was asked."""
    site = site_of(request)
    asked = await site.organisation(request)
    if asked is None:
        return None
    found = await site.database.read(boosts.voices)
    return next((pair for pair in found if pair[0].host == asked.host), None)


def _collection(uri: str, total: int, items: "list[dict[str, object]] | None" = None) -> Response:
    value: dict[str, object] = {"@context": AS2, "id": uri, "type": "OrderedCollection", "totalItems": total}
    if items is not None:
        value["orderedItems"] = [{name: each[name] for name in each if name != "@context"} for each in items]
    return document(orjson.dumps(value))
