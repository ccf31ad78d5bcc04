"""How others find us: WebFinger, NodeInfo, host-meta; and how an operator sees that we live: health, metrics."""

from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from types import MappingProxyType

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import __version__
from node.desk import hosting
from node.errors import ProtocolError
from node.federation.protocol import ids, nodeinfo, webfinger
from node.models import boosts, deliveries, organisations, queues
from node.web.site import problem, site_of

_OPEN: Mapping[str, str] = MappingProxyType(
    {"access-control-allow-origin": "*", "cache-control": "public, max-age=300"}
)


async def get_webfinger(request: Request) -> Response:
    """The actor behind a handle of this node.

    Spec: RFC 7033 §4
    """
    site = site_of(request)
    wanted = request.query_params.getlist("resource")
    if len(wanted) != 1:
        return problem(400, "one resource is asked for", "RFC 7033 §4.2")
    for organisation in await site.organisations():
        subject = f"acct:{organisation.handle}@{organisation.host}"
        page = f"{organisation.origin}/@{organisation.handle}"
        by_name = _names(wanted[0], subject) or _is(wanted[0], page)
        if (by_name and not organisation.successor) or _is(wanted[0], organisation.uri):
            body = orjson.dumps(webfinger.render(subject, organisation.uri, page))
            return Response(body, headers=_OPEN, media_type="application/jrd+json")
    for _, voice in await site.database.read(boosts.voices):
        subject = f"acct:{voice.handle}@{voice.origin.partition('://')[2]}"
        if _names(wanted[0], subject) or _is(wanted[0], voice.uri):
            body = orjson.dumps(webfinger.render(subject, voice.uri, voice.origin + "/alerts"))
            return Response(body, headers=_OPEN, media_type="application/jrd+json")
    return problem(404, "no such handle here")


def _names(resource: str, subject: str) -> bool:
    try:
        user, host = webfinger.check_resource(resource)
    except ProtocolError:
        return False
    return f"acct:{user.lower()}@{host}" == subject.lower()


def _is(resource: str, uri: str) -> bool:
    try:
        return "://" in resource and ids.canonical(resource) == ids.canonical(uri)
    except ProtocolError:
        return False


async def get_nodeinfo_links(request: Request) -> Response:
    """Where NodeInfo is.

    Spec: NodeInfo 2.1 §Discovery
    """
    organisation = await site_of(request).organisation(request)
    if organisation is None:
        return problem(404, "no organisation here yet")
    body = orjson.dumps(nodeinfo.render_links(organisation.origin))
    return Response(body, headers=_OPEN, media_type="application/json")


async def get_nodeinfo(request: Request) -> Response:
    """What this server is.

    Spec: NodeInfo 2.1
    """
    site = site_of(request)
    users = await site.database.read(organisations.count)
    organisation = await site.organisation(request)
    page = f"{organisation.origin}/moderators" if organisation is not None else ""
    kind = 'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"'
    contact = (organisation.moderators_contact if organisation is not None else "") or site.settings.contact
    body = orjson.dumps(nodeinfo.render(__version__, users, contact=contact, moderators=page))
    return Response(body, headers=_OPEN, media_type=kind)


async def get_host_meta(request: Request) -> Response:
    """Where WebFinger is.

    Spec: RFC 6415 §3
    """
    organisation = await site_of(request).organisation(request)
    if organisation is None:
        return problem(404, "no organisation here yet")
    body = nodeinfo.render_host_meta(organisation.origin)
    return Response(body, headers=_OPEN, media_type="application/xrd+xml")


async def get_host(request: Request) -> Response:
    """For a proxy that fetches certificates by itself: whether this host name is one of ours. Says it to the machine
    that it runs on, and to nobody else.
    """
    if not _is_local(request):
        return problem(404, "not here")
    site, host = site_of(request), request.query_params.get("domain", "")[:255]
    now = site.clock()
    ours = await site.database.read(lambda connection: hosting.answers_here(connection, host, now))
    return Response("ours\n" if ours else "not ours\n", 200 if ours else 404, media_type="text/plain")


async def get_health(request: Request) -> Response:
    """200 when the database answers."""
    await site_of(request).database.read(organisations.count)
    return Response("ok\n", media_type="text/plain")


async def get_metrics(request: Request) -> Response:
    """Counts for a monitor on this machine; nobody else is answered.

    A proxy on this machine also comes from loopback: so the Host asked for must be a loopback address too.
    """
    if not _is_local(request):
        return problem(404, "not here")
    site = site_of(request)
    lines = []
    for organisation in await site.organisations():
        received = await site.database.read(partial(_received, organisation.did))
        owed = await site.database.read(partial(_owed, organisation.did))
        label = f'org="{organisation.handle}"'
        lines += [f'tadamun_received{{{label},state="{state}"}} {count}' for state, count in received.items()]
        lines += [f'tadamun_deliveries{{{label},state="{state}"}} {count}' for state, count in owed.items()]
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _received(did: str, connection: Connection) -> dict[str, int]:
    return queues.counts(connection, did)


def _owed(did: str, connection: Connection) -> dict[str, int]:
    return deliveries.counts(connection, did)


def _loopback(text: str) -> bool:
    try:
        return ip_address(text).is_loopback
    except ValueError:
        return False


def _is_local(request: Request) -> bool:
    """Whether this machine asks, and no proxy on it for somebody else."""
    client = request.client.host if request.client else ""
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
    return _loopback(client) and (_loopback(host.strip("[]")) or host == "localhost") and not forwarded
