"""Handles: `@user@host` to the actor behind it, and back.

A handle binds three parties, and each must agree. Rules, in order: the resource is a plain `acct:user@host`
(`check_resource`); the answer's `self` link names one ActivityPub actor (`parse`); every host that the
answer names, besides the one that was asked, says the same (`to_confirm`, `check_confirmed`); the actor's
own document agrees (`check_actor`). Who asks is `federation/discovery.py`; nothing here calls out.

Spec: RFC 7033 §4; SWICG ActivityPub and WebFinger
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from node.errors import ProtocolError
from node.federation.protocol import ids
from node.federation.protocol.messages import ACTIVITY_JSON, JsonObject, as_list, is_activity_json

ACCEPT = "application/jrd+json, application/json"
CONTENT_TYPE = "application/jrd+json; charset=utf-8"
PROFILE_PAGE = "http://webfinger.net/rel/profile-page"

_USER = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]{0,62}[A-Za-z0-9_])?")
_HOST = re.compile(r"[A-Za-z0-9._\-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")
_MOST_LINKS = 100
_RESOURCE = "RFC 7565 §7"
_ANSWER = "RFC 7033 §4.4"


@dataclass(frozen=True, slots=True)
class Found:
    """What a host says about a handle. That host's word alone, until `to_confirm` has been worked off."""

    subject: str
    """`acct:user@host`, the host in its one spelling."""
    actor: str
    """The actor's id as written."""


def is_jrd(content_type: str | None) -> bool:
    """Whether a Content-Type may carry a JRD. Some servers send plain JSON.

    Spec: RFC 7033 §10.2
    """
    media = (content_type or "").partition(";")[0].strip().lower()
    return media in ("application/jrd+json", "application/json")


def check_resource(resource: str) -> tuple[str, str]:
    """Take `acct:user@host[:port]` apart: the user as written, the host in its one spelling.

    Raises:
        ProtocolError: anything else, above all what would escape into a URL (CVE-2025-25194).

    Spec: RFC 7565 §7
    """
    if not isinstance(resource, str) or resource[:5].lower() != "acct:":
        raise ProtocolError("a resource that is not acct:user@host", spec=_RESOURCE)
    user, at, host = resource[5:].partition("@")
    if not at or _USER.fullmatch(user) is None or _HOST.fullmatch(host) is None:
        raise ProtocolError("a resource that is not acct:user@host", spec=_RESOURCE)
    return user, ids.host_of(f"https://{host}/")


def parse_handle(handle: str) -> tuple[str, str]:
    """Take apart what a person writes: `@org@host`, `org@host:8100`, `acct:org@host`.

    Raises:
        ProtocolError: not a handle; hosts in other scripts are written in their `xn--` form.
    """
    return check_resource("acct:" + handle.strip().removeprefix("acct:").removeprefix("@"))


def url_of(user: str, host: str, scheme: str = "https") -> str:
    """Where to ask for this handle.

    Spec: RFC 7033 §4.1
    """
    return f"{scheme}://{host}/.well-known/webfinger?resource={quote(f'acct:{user}@{host}', safe='')}"


def render(subject: str, actor: str, page: str) -> JsonObject:
    """The JRD of one of our organisations.

    Args:
        subject: `acct:user@host`.
        actor: the actor's id in gateway form.
        page: its page for people.

    Spec: RFC 7033 §4.4
    """
    return {
        "subject": subject,
        "aliases": [actor, page],
        "links": [
            {"rel": "self", "type": ACTIVITY_JSON, "href": actor},
            {"rel": PROFILE_PAGE, "type": "text/html", "href": page},
        ],
    }


def parse(document: JsonObject, wanted: str) -> Found:
    """Read a JRD.

    Args:
        wanted: the handle that was asked for; its host decides when the answer has no subject of its own.

    Raises:
        ProtocolError: no readable subject, or not one actor under `self`.

    Spec: RFC 7033 §4.4
    """
    fallback = "acct:" + wanted.removeprefix("acct:").removeprefix("@")
    user, host = check_resource(document.get("subject") or fallback)
    actors = {
        link["href"]
        for link in as_list(document.get("links"))[:_MOST_LINKS]
        if isinstance(link, dict) and link.get("rel") == "self" and _names_actor(link)
    }
    if len(actors) != 1:
        raise ProtocolError(f"{len(actors)} ActivityPub actors under rel=self, one is needed", spec=_ANSWER)
    actor = actors.pop()
    ids.origin_of_location(actor)
    return Found(f"acct:{user}@{host}", actor)


def to_confirm(found: Found, asked: str) -> tuple[str, ...]:
    """The resources that must still be asked for: every host the answer names, but the one that gave it.

    A host may speak for its own names only (Akkoma 2024.04.1): a subject elsewhere is confirmed there, and an
    actor elsewhere by its own host.

    Args:
        asked: `host[:port]` of the host that answered.
    """
    user, host = check_resource(found.subject)
    hosts = dict.fromkeys((host, ids.host_of(found.actor)))
    return tuple(f"acct:{user}@{other}" for other in hosts if other != asked)


def check_confirmed(found: Found, again: Found) -> None:
    """Another host was asked and says the same.

    Raises:
        ProtocolError: another subject or another actor.

    Spec: SWICG ActivityPub and WebFinger
    """
    same_actor = ids.canonical(found.actor) == ids.canonical(again.actor)
    if found.subject.lower() != again.subject.lower() or not same_actor:
        raise ProtocolError("the handle's own host does not confirm it", spec=_ANSWER)


def check_actor(found: Found, document: JsonObject) -> None:
    """The actor agrees to the handle: it has that id, and that name.

    Raises:
        ProtocolError: another id, another `preferredUsername`, another `webfinger`.

    Spec: FEP-2c59
    """
    user, host = check_resource(found.subject)
    actor = document.get("id")
    if not isinstance(actor, str) or ids.canonical(actor) != ids.canonical(found.actor):
        raise ProtocolError("the handle names another actor", spec=_ANSWER)
    name = document.get("preferredUsername")
    if not isinstance(name, str) or name.lower() != user.lower():
        raise ProtocolError("the actor has another preferredUsername", spec=_ANSWER)
    own = document.get("webfinger")
    if own is not None and (not isinstance(own, str) or own.lower() != f"{user}@{host}".lower()):
        raise ProtocolError("the actor names another handle as its own", spec="FEP-2c59")


def _names_actor(link: JsonObject) -> bool:
    kind = link.get("type")
    return isinstance(kind, str) and is_activity_json(kind) and isinstance(link.get("href"), str)
