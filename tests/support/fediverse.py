"""A host of the fediverse that knows nothing of us: plain actors, one shared inbox, an ear for every byte it is sent.

Its answers to deliveries can be chosen, and it signs what it posts as Mastodon does.
"""

import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from node.federation.protocol import http_signatures, keys, messages
from tests.support.network import Answer, Exchange, House, Network, Served, free_port, rsa_pem

AS2 = "https://www.w3.org/ns/activitystreams"
ACTIVITY = "application/activity+json"


class Host:
    """One host. `answer` says what a delivery gets: a status and headers."""

    def __init__(self, network: Network, number: int, *names: str) -> None:
        self.network = network
        self.address = f"127.78.{number}.1"
        self.port = free_port(self.address)
        self.host = f"{self.address}:{self.port}"
        self.origin = f"http://{self.host}"
        self.names = names
        self.answer: Callable[[Request], tuple[int, dict[str, str]]] = lambda request: (202, {})
        self.documents: dict[str, dict[str, Any]] = {}
        """More documents, by path."""
        self.aliases: list[str] = []
        """`alsoKnownAs` of every actor here."""
        self.served: Served | None = None

    async def start(self) -> "Host":
        """Serve."""
        routes = [
            Route("/inbox", self._inbox, methods=["POST"]),
            Route("/users/{name}", self._actor),
            Route("/users/{name}/inbox", self._inbox, methods=["POST"]),
            Route("/{rest:path}", self._document),
        ]
        self.served = Served(Starlette(routes=routes), [(self.address, self.port)])
        await self.served.ready()
        self.network.others.append(self.served)
        return self

    @property
    def deliveries(self) -> list[Exchange]:
        """What was POSTed here, whatever the answer was."""
        return [each for each in self.served.exchanges if each.method == "POST"] if self.served else []

    def got(self, kind: str) -> list[dict[str, Any]]:
        """The activities of this type that were taken."""
        taken = [json.loads(each.body) for each in self.deliveries if each.status < 300]
        return [each for each in taken if each["type"] == kind]

    def uri(self, name: str) -> str:
        """An actor's id."""
        return f"{self.origin}/users/{name}"

    def actor(self, name: str) -> dict[str, Any]:
        """An actor's document."""
        uri = self.uri(name)
        public = keys.load_private_pem(rsa_pem(self._number(name))).public_key()
        return {
            "@context": [AS2, "https://w3id.org/security/v1"],
            "id": uri,
            "type": "Person",
            "preferredUsername": name,
            "inbox": uri + "/inbox",
            "outbox": uri + "/outbox",
            "endpoints": {"sharedInbox": self.origin + "/inbox"},
            "alsoKnownAs": self.aliases,
            "publicKey": {"id": uri + "#main-key", "owner": uri, "publicKeyPem": keys.public_pem(public)},
        }

    async def post(self, name: str, inbox: str, activity: dict[str, Any]) -> Answer:
        """Deliver an activity, signed by one of the actors."""
        private = keys.load_private_pem(rsa_pem(self._number(name)))
        return await post_signed(
            self.network, inbox, json.dumps(activity).encode(), private, self.uri(name) + "#main-key"
        )

    async def follow(self, name: str, house: House) -> Answer:
        """Ask to follow a node's organisation."""
        uri = house.organisation.uri
        name_of = self.uri(name)
        follow = {"@context": AS2, "id": f"{name_of}#{house.did}", "type": "Follow", "actor": name_of, "object": uri}
        return await self.post(name, uri + "/inbox", follow)

    def _number(self, name: str) -> int:
        return 1 + self.names.index(name)

    async def _inbox(self, request: Request) -> Response:
        await request.body()
        status, headers = self.answer(request)
        return Response(status_code=status, headers=headers)

    async def _actor(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self.names:
            return Response(status_code=404)
        return Response(json.dumps(self.actor(name)), media_type=ACTIVITY)

    async def _document(self, request: Request) -> Response:
        found = self.documents.get(request.url.path)
        return Response(json.dumps(found), media_type=ACTIVITY) if found else Response(status_code=404)


async def post_signed(network: Network, inbox: str, body: bytes, private: Any, key_id: str) -> Answer:
    """POST these bytes with a draft-cavage signature."""
    host = inbox.split("/")[2]
    target = "/" + inbox.split("/", 3)[3]
    headers = (("host", host), ("content-type", ACTIVITY))
    request = messages.Request("POST", target, headers, body, "http")
    extra = http_signatures.sign(request, private, key_id, network.clock())
    return await network.request("POST", inbox, body, {"Content-Type": ACTIVITY, **dict(extra)})


async def post_as(house: House, inbox: str, body: bytes) -> Answer:
    """POST these bytes, signed by a node's organisation."""
    private = house.node.keyring.rsa(house.did)
    return await post_signed(house.network, inbox, body, private, house.organisation.uri + "#main-key")
