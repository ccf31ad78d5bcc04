"""Other roads for an alert: its proof as a file or a QR code, and a page that takes such files in.

The form takes what anybody brings, as the inbox does: every line bears its author's proof and meets the rules that the
network's entries meet. Whoever brings it is believed in nothing, and not written down.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from io import BytesIO
from types import MappingProxyType

import segno
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from node import bundles
from node.desk import copies
from node.desk.copies import Proof, Taken
from node.errors import ProtocolError
from node.federation import pages
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.verification import Verified
from node.kinds import Surroundings
from node.models import documents
from node.models.alerts import AlertRecord
from node.models.organisations import Organisation
from node.web.middleware import FORM_POLICY
from node.web.pages import public
from node.web.site import Site, problem, site_of
from node.web.uploads import parse_form, read_body
from node.web.views import BundleView

MAX_FILE = 4 * 1024 * 1024
"""An alert with its pictures."""
_FORM = 32 * 1024
"""Bytes that the form itself may take, and the text of a QR code in it."""
_MAX_LINES = 1_000
_BATCH = 50
_MAX_REASONS = 20
_VIA = "file:upload"
_PLAIN: Mapping[str, str] = MappingProxyType({"cache-control": "no-cache"})


async def alert_bundle(request: Request) -> Response:
    """The entries that prove one alert, to be kept as a file."""
    proof, status = await _proof(request)
    if proof is None:
        return problem(status, "not here")
    name = f'attachment; filename="tadamun-{proof.record.page}.jsonl"'
    return Response(proof.bundle, headers={**_PLAIN, "content-disposition": name}, media_type=pages.LINES)


async def alert_qr(request: Request) -> Response:
    """A QR code: the proof itself where it fits into one, else the alert's address with the digest of what was said."""
    organisation = await site_of(request).organisation(request)
    proof, status = await _proof(request)
    if proof is None or organisation is None:
        return problem(status, "not here")
    text = proof.code or f"{organisation.origin}/alerts/{proof.record.page}#{proof.content}"
    return Response(await asyncio.to_thread(draw, text), headers=_PLAIN, media_type="image/svg+xml")


def draw(text: str) -> bytes:
    """A QR code as SVG, as large as its window, black on white with the quiet zone that scanners want."""
    target = BytesIO()
    code = segno.make(text, error="l", boost_error=False, micro=False)
    code.save(
        target, kind="svg", omitsize=True, border=4, dark="#000", light="#fff", xmldecl=False, svgclass=None,
        lineclass=None,
    )  # fmt: skip
    return target.getvalue()


async def bundle_form(request: Request) -> Response:
    """The page with the form."""
    return await _show(request, BundleView())


async def take_bundle(request: Request) -> Response:
    """Take in a bundle that somebody brings: 200 and what came of it, also where nothing of it was taken."""
    site = site_of(request)
    organisation = await site.organisation(request)
    if organisation is None:
        return public.missing_page(site, request, None, 404)
    try:
        async with site.uploads.place(site.clock()):
            raw = await _given(request)
            async with site.uploads.turn():
                return await _show(request, await _take(site, organisation, raw))
    except ProtocolError as error:
        return await _show(request, BundleView(problem=error.status, reasons=(str(error),)), error.status)


async def _given(request: Request) -> bytes:
    """The file, or the text of a QR code.

    Raises:
        ProtocolError: 4xx, naming the rule.
    """
    body = await read_body(request, MAX_FILE + _FORM)
    fields = parse_form(request.headers.get("content-type", ""), body)
    raw = fields.get("bundle") or fields.get("code", b"")
    if len(raw) > MAX_FILE:
        raise ProtocolError(f"more than {MAX_FILE} bytes", spec="RFC 9110 §15.5.14", status=413)
    if not bundles.is_bundle(raw):
        raise ProtocolError("not a bundle: it does not begin as one", spec="Tadamun bundle 1")
    return raw


async def _take(site: Site, organisation: Organisation, raw: bytes) -> BundleView:
    dids = await site.database.read(lambda connection: copies.wanted(connection, organisation))
    bundle = await asyncio.to_thread(bundles.parse, raw, dids.__contains__, _MAX_LINES)
    taken = copies.counted(bundle)
    items = bundles.in_order(bundle)
    around, key = Surroundings(site.clock(), _VIA), site.keyring.organisation(organisation.did)
    for start in range(0, len(items), _BATCH):
        batch = items[start : start + _BATCH]
        some = await site.database.write(partial(_commit, organisation, key, batch, around))
        taken.add(some)

    def finish(connection: Connection) -> tuple[AlertRecord, ...]:
        taken.stubs = copies.take_stubs(
            connection, organisation, bundle.stubs, _VIA, around.now, withdrawn_only=True
        )
        taken.pictures = copies.take_pictures(connection, organisation, site.storage, bundle.pictures, around.now)
        return copies.shown_alerts(connection, organisation, taken)

    shown = await site.database.write(finish)
    return BundleView(
        done=True,
        new=taken.new,
        held=taken.held,
        skipped=taken.skipped,
        refused=taken.refused,
        reasons=tuple(taken.reasons[:_MAX_REASONS]),
        alerts=tuple((f"/alerts/{each.page}", each.headline, each.language) for each in shown),
    )


def _commit(
    organisation: Organisation, key: OrganisationKey, items: tuple[Verified, ...], around: Surroundings,
    connection: Connection,
) -> Taken:  # fmt: skip
    taken = Taken()
    copies.take(connection, organisation, items, around, taken, key=key, pass_on=True)
    return taken


async def _show(request: Request, view: BundleView, status: int = 200) -> Response:
    site = site_of(request)
    organisation = await site.organisation(request)
    answer = public.show(
        site, request, organisation, "bundles/index.html", "", noindex=True, status=status, bundle=view
    )
    answer.headers["content-security-policy"] = FORM_POLICY
    if status == 429:
        answer.headers["retry-after"] = "60"
    return answer


async def _proof(request: Request) -> tuple[Proof | None, int]:
    site = site_of(request)
    organisation = await site.organisation(request)
    name = request.path_params["id"]
    if organisation is None:
        return None, 404

    def read(connection: Connection) -> tuple[Proof | None, int]:
        found = copies.prove(connection, organisation, name)
        gone = found is None and documents.page_gone(connection, organisation.did, name)
        return found, 410 if gone else 404

    return await site.database.read(read)
