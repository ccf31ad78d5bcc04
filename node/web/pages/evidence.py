"""The page of evidence: what was seen, about whom, by whom, and the document. Who is not listed stays unnamed."""

from dataclasses import replace

import orjson
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import evidence as rules
from node.federation.protocol import ids
from node.models import contacts, documents
from node.models.contacts import Member
from node.models.documents import Finding
from node.models.organisations import Organisation
from node.web.pages.public import missing_page, show
from node.web.site import site_of
from node.web.views import Seen, SeenList

_MOST = 100


async def index(request: Request) -> Response:
    """Everything that was seen or told about members who are named here, newest first."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return missing_page(site, request, None, 404)
    view = await site.database.read(lambda connection: _list(connection, organisation))
    return show(site, request, organisation, "evidence/index.html", "members", noindex=True, evidence=view)


async def document(request: Request) -> Response:
    """One piece as JSON, for others to check."""
    site = site_of(request)
    organisation = await site.organisation(request)
    number = request.path_params["number"]
    if organisation is None or not (number.isascii() and number.isdigit() and len(number) <= 9):
        return missing_page(site, request, organisation, 404)

    def read(connection: Connection) -> Finding | None:
        found = documents.one_evidence(connection, organisation.did, int(number))
        named = _named(connection, organisation)
        return found if found is not None and found.did in named and rules.read(found.document) else None

    found = await site.database.read(read)
    if found is None:
        return missing_page(site, request, organisation, 404)
    value = orjson.loads(found.document) | {"proven": found.proven, "by": found.by or organisation.did}
    headers = {"cache-control": "no-cache", "x-robots-tag": "noindex"}
    return Response(orjson.dumps(value, option=orjson.OPT_INDENT_2), headers=headers, media_type="application/json")


def _named(connection: Connection, organisation: Organisation) -> dict[str, Member]:
    members = contacts.members_of(connection, organisation.did, all_states=True)
    return {member.did: member for member in members if member.listed}


def _list(connection: Connection, organisation: Organisation) -> SeenList:
    named = _named(connection, organisation)
    hosts = {ids.host_of(member.uri) for member in named.values()}
    shown: dict[tuple[str, str, str, str], Seen] = {}
    unnamed: set[tuple[str, str, str, str]] = set()
    for each in documents.evidence_of(connection, organisation.did):
        name = (each.kind, each.did, each.via, each.note)
        if each.did not in named or rules.read(each.document) is None:
            unnamed.add(name)
        elif name in shown:
            shown[name] = _with(shown[name], each)
        elif len(shown) < _MOST:
            host = each.via if each.via in hosts else ""
            shown[name] = _with(_seen(named[each.did], each, host), each)
    return SeenList(tuple(shown.values()), len(unnamed))


def _seen(member: Member, found: Finding, host: str) -> Seen:
    return Seen(
        fault=found.kind,
        name=member.name,
        language="",
        path=f"/organisations/{member.did}",
        host=host,
        made=found.made,
        proven=False,
        here=False,
        witnesses=0,
        document=f"/evidence/{found.id}",
    )


def _with(seen: Seen, found: Finding) -> Seen:
    """One more who saw it."""
    return replace(
        seen,
        made=min(seen.made, found.made),
        proven=seen.proven or found.proven,
        here=seen.here or not found.by,
        witnesses=seen.witnesses + bool(found.by),
    )
