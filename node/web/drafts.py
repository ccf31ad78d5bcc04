"""What somebody is writing, kept as they type: on the server, sealed to them, and never in the browser's own storage.

A form of the desk that can be left in the middle says so (`data-draft`): with scripts on it is kept a moment after
typing stops, and without them by a button. Whoever opens the form again finds it as it was left. It goes when the form
is handed in. Only forms of the list are kept, for only those know how to show what was kept.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import orjson
from starlette.requests import Request
from starlette.responses import Response

from node.errors import ProtocolError
from node.federation.protocol import sealing
from node.models import drafts
from node.models.drafts import Draft
from node.moments import hour_of
from node.web import desk
from node.web.desk import Session
from node.web.site import site_of

KEEP = "keep_draft"
"""The button of a form that keeps what is typed and does nothing else."""
LIMIT = 256 * 1024
_ONE = "[0-9a-zA-Z_-]{1,64}"
_FORMS = re.compile(
    rf"write|cases/new|alerts/{_ONE}/text/[a-z]{{1,20}}|cases/{_ONE}/(?:guide/)?[a-z]{{1,20}}/[0-9a-zA-Z_-]{{1,20}}"
)
_OURS = (desk.FORM_TOKEN, KEEP, "ask", "version", "remove")


async def kept(request: Request, session: Session) -> tuple[Mapping[str, tuple[str, ...]], datetime] | None:
    """What was left in the form of this page, by field, and to the hour when; `None` where nothing was."""
    form = _form_of(request.scope["path"])
    if form is None:
        return None
    org, person = session.person.org, session.person.id
    found = await site_of(request).database.read(lambda connection: drafts.find(connection, org, person, form))
    if found is None:
        return None
    try:
        value = orjson.loads(sealing.open_sealed(found.sealed, (session.key,)))
    except ProtocolError:
        return None  # of an account that was made anew under this name: sealed to a key that is gone
    return MappingProxyType({name: tuple(each) for name, each in value.items()}), found.touched


async def keep(request: Request, session: Session, form: str) -> bool:
    """Keep what a form brought; whether it is a form that can be kept."""
    named = _form_of(f"/desk/{form}")
    if named is None:
        return False
    now = hour_of(site_of(request).clock())
    value = {name: session.fields.all(name) for name in session.fields.values if name not in _OURS}
    if not any(text.strip() for texts in value.values() for text in texts):
        await drop(request, session, form)
        return True
    draft = Draft(named, sealing.seal(orjson.dumps(value), (session.person.public,)), now)
    await desk.write(
        request, session, lambda connection: drafts.keep(connection, session.person.org, session.person.id, draft)
    )
    return True


async def drop(request: Request, session: Session, form: str = "") -> None:
    """The form was handed in, or nobody wants what was in it."""
    named = _form_of(f"/desk/{form}" if form else request.scope["path"])
    if named is not None:
        org, person = session.person.org, session.person.id
        await site_of(request).database.write(lambda connection: drafts.drop(connection, org, person, named))


def shown(fields: Mapping[str, tuple[str, ...]], empty: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """What a form shows of a draft: the fields that it has."""
    return MappingProxyType({name: fields.get(name, ()) for name in empty})


async def wants_keeping(request: Request, session: Session) -> Response | None:
    """The button "keep and go on later" was pressed: it is kept, and here is the answer."""
    if not session.fields.one(KEEP):
        return None
    await keep(request, session, request.scope["path"].removeprefix("/desk/"))
    return desk.go(request, "/desk")


def _form_of(path: str) -> str | None:
    form = path.removeprefix("/desk/")
    return form if _FORMS.fullmatch(form) else None
