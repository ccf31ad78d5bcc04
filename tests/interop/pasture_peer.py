"""A Fediverse Pasture server: one actor who posts with bovine, over plain http on loopback.

    .venv-interop/bin/python pasture_peer.py HOST PORT CONTROL_PORT

Pasture serves the actor and WebFinger and refuses what bovine's verifier does not accept (401). The control
API is that of `peer.mjs`, as far as it makes sense here: GET /ready /received /followers, POST /follow /undo
/note /sign (`cavage` only: bovine signs nothing else). Runs in an environment of its own and imports nothing
of this project.
"""

import asyncio
import base64
import hashlib
import json
import sys
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import uvicorn
from bovine.jsonld import bovine_context, wrapper
from fediverse_pasture.data_provider import bovine_actor_for_actor_data
from fediverse_pasture.data_provider.generate import generate_key_pair
from fediverse_pasture.data_provider.models import ActorData
from fediverse_pasture.server import BlueprintForActors
from pyld import jsonld
from quart import Quart, Response, request

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
TIMEOUT = aiohttp.ClientTimeout(total=20)


def offline_contexts(url: str, options: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The contexts bovine carries itself; any other is empty, as bovine has it for one it cannot reach."""
    if url in ("about:bovine", "https://www.w3.org/ns/activitystreams"):
        return dict(wrapper(url, options))
    known = bovine_context[1] if url == "https://w3id.org/security/v1" else []
    found = {"documentUrl": url, "document": {"@context": known}}
    return {"contentType": "application/ld+json", "contextUrl": None, **found}


class Pasture:
    """The actor, what reached its inbox, and who follows it."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.actor_id = f"{origin}/actor"
        self.data = ActorData(
            actor_name="actor",
            user_part="actor",
            key_pairs=[generate_key_pair("main")],
            requires_signed_post_for_inbox=True,
            summary="This is an exercise",
        )
        self.actor, _ = bovine_actor_for_actor_data(self.actor_id, self.data)
        self.received: list[dict[str, Any]] = []
        self.followers: dict[str, str] = {}
        self.follows: dict[str, dict[str, Any]] = {}
        self.session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the one session all requests go through."""
        self.session = aiohttp.ClientSession(timeout=TIMEOUT)
        await self.actor.init(session=self.session)

    async def take(self, activity: dict[str, Any]) -> None:
        """Act on an activity that bovine has verified."""
        if activity["type"] == "Follow":
            # Answered when this request is over: a peer that waits for us must not be waited for.
            task = asyncio.create_task(self._accept(activity))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif activity["type"] == "Undo":
            self.followers.pop(activity["actor"], None)

    async def _accept(self, follow: dict[str, Any]) -> None:
        follower = await self.actor.get(follow["actor"])
        self.followers[follow["actor"]] = follower["inbox"]
        await self.post(follower["inbox"], self.new("Accept", object=follow))

    def new(self, kind: str, **members: Any) -> dict[str, Any]:
        """An activity of ours with a fresh id."""
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{self.origin}/activities/{uuid.uuid4()}",
            "type": kind,
            "actor": self.actor_id,
            **members,
        }

    def new_note(self, content: str) -> dict[str, Any]:
        """Create{Note} to the public."""
        note = {
            "id": f"{self.origin}/notes/{uuid.uuid4()}",
            "type": "Note",
            "attributedTo": self.actor_id,
            "content": content,
            "to": [PUBLIC],
        }
        return self.new("Create", object=note, to=[PUBLIC])

    async def post(self, inbox: str, activity: dict[str, Any], *, tamper: str = "") -> dict[str, Any]:
        """POST it with bovine's signature; the digest is spelled `sha-256=`, in lower case."""
        body = json.dumps(activity)
        client = self.actor.client
        if tamper:
            # Signs one body and sends another of the same length.
            client.session = ChangingSession(client.session, with_digest=tamper == "digest")
        try:
            response = await client.post(inbox, body)
        finally:
            client.session = self.session
        return {"status": response.status, "text": await response.text(), "id": activity["id"]}


class ChangingSession:
    """Sends another body than the one that was signed."""

    def __init__(self, session: aiohttp.ClientSession, *, with_digest: bool) -> None:
        self._session = session
        self._with_digest = with_digest

    async def post(self, url: str, *, data: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        """As aiohttp's, after a change of one letter."""
        data = data.replace("exercise", "exercisE")
        if self._with_digest:
            digest = base64.b64encode(hashlib.sha256(data.encode()).digest()).decode()
            headers = {**headers, "digest": f"sha-256={digest}"}
        return await self._session.post(url, data=data, headers=headers)


def peer_app(pasture: Pasture) -> Quart:
    """What other servers see: Pasture's own blueprint, with a record of each POST around it."""
    app = Quart("peer")
    blueprint = BlueprintForActors(actors=[pasture.data], on_inbox=pasture.take)
    app.register_blueprint(blueprint.blueprint)

    @app.after_request
    async def record(response: Response) -> Response:
        if request.method == "POST":
            taken = response.status_code < 300
            scheme = "rfc9421" if "signature-input" in request.headers else "cavage"
            auth = {"http": request.headers.get("signature", "") if taken else None}
            activity = await request.get_json()
            pasture.received.append(
                {"path": request.path, "scheme": scheme, "status": response.status_code, "auth": auth}
                | {"believed": "http" if taken else None, "activity": activity}
            )
        return response

    return app


def control_app(pasture: Pasture) -> Quart:
    """What the test sees."""
    app = Quart("control")

    async def follow(actor: str) -> dict[str, Any]:
        target = await pasture.actor.get(actor)
        pasture.follows[actor] = pasture.new("Follow", object=actor)
        return await pasture.post(target["inbox"], pasture.follows[actor])

    async def undo(actor: str) -> dict[str, Any]:
        target = await pasture.actor.get(actor)
        return await pasture.post(target["inbox"], pasture.new("Undo", object=pasture.follows.pop(actor)))

    async def note(content: str) -> dict[str, Any]:
        create = pasture.new_note(content)
        sent = [await pasture.post(inbox, create) for inbox in pasture.followers.values()]
        return {"id": create["id"], "object": create["object"]["id"], "sent": sent}

    async def sign(scheme: str, inbox: str, tamper: str) -> dict[str, Any]:
        assert scheme == "cavage", "bovine signs nothing else"
        return await pasture.post(inbox, pasture.new_note("<p>This is an exercise.</p>"), tamper=tamper)

    actions: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
        "follow": follow,
        "undo": undo,
        "note": note,
        "sign": sign,
    }

    @app.get("/ready")
    async def ready() -> dict[str, str]:
        return {"actor": pasture.actor_id, "inbox": f"{pasture.actor_id}/inbox"}

    @app.get("/received")
    async def received() -> Any:
        return app.json.response(pasture.received)

    @app.get("/followers")
    async def followers() -> Any:
        return app.json.response(list(pasture.followers))

    @app.post("/<action>")
    async def act(action: str) -> Any:
        return app.json.response(await actions[action](**await request.get_json()))

    return app


async def main(host: str, port: int, control_port: int) -> None:
    """Serve both until the process is ended."""
    pasture = Pasture(f"http://{host}:{port}")
    await pasture.start()
    servers = [
        uvicorn.Server(uvicorn.Config(app, host=host, port=on_port, log_level="info", lifespan="off"))
        for app, on_port in ((peer_app(pasture), port), (control_app(pasture), control_port))
    ]
    try:
        await asyncio.gather(*(server.serve() for server in servers))
    finally:
        assert pasture.session is not None
        await pasture.session.close()


if __name__ == "__main__":
    jsonld.set_document_loader(offline_contexts)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
