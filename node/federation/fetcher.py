"""The node's only way out: GET of documents, POST of deliveries. The one file that knows the HTTP client.

What holds for every call: the URL passes `check_target`; the address is judged on the socket that is
dialled, so a name that changes its answer gains nothing; an onion host goes through the SOCKS proxy, which
looks it up, and nothing else does; no cookies, no proxy from the environment, no redirect followed unseen;
one deadline for the whole call, so a dribbling peer gains nothing either; headers and body are bounded, the
body after inflation.

A GET follows three redirects at most, each judged and signed anew. What the final URL is worth is the
caller's question: a redirect lends no authority. A POST follows none.
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError
from yarl import URL

from node.errors import FetchError, ProtocolError
from node.federation.protocol import messages
from node.federation.protocol.addressing import Policy, Target, check_address, check_target
from node.federation.protocol.messages import MAX_PAGE, Document, Request, parse_document
from node.federation.protocol.retry import is_passing, seconds_to_wait

Headers = tuple[tuple[str, str], ...]
Signer = Callable[[Request], Headers]
"""Given the GET as it will be sent, the headers to add (date, signature) or to replace."""
Resolve = Callable[[str], list[str]]
_Answering = AbstractAsyncContextManager[aiohttp.ClientResponse]
_Result = TypeVar("_Result")

DEADLINE = 10.0
"""Seconds for a whole call, redirects and body included."""
_ONION_PATIENCE = 3
"""Times the deadline through Tor, where the first circuit to a host alone may take ten seconds."""
MAX_REDIRECTS = 3
MAX_ANSWER = 4096
"""Bytes read of the answer to a delivery; beyond that the connection is given up."""
_CONNECT = 5.0
_CONNECTIONS = 500
_PER_HOST = 20
_KEEP_ALIVE = 90.0
_NAMES = 60
_TARGETS = 1024
_LOOKUPS = 16
_MOST_ADDRESSES = 8
_MAX_HEADERS = 64
_MAX_HEADER = 8190
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it came: `url` is where it was in the end, header names are lower case."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a peer said to a delivery. `retry_after` is in seconds, 0 where it asked for no wait."""

    status: int
    retry_after: float


class _ForbiddenError(OSError):
    """The name led to an address that may not be dialled. An OSError, so that its next address is tried."""


class Fetcher:
    """One pool of connections for the node, one more for onion hosts. Made anywhere, used in one event loop.

    Args:
        socks_proxy: `socks5://host:port`, for onion hosts only.
        resolve: name to addresses, in place of DNS; run in a thread.
        trust: in place of the system's certificate authorities.
        deadline: seconds for a whole call; three times that for an onion host.
    """

    def __init__(
        self,
        policy: Policy,
        socks_proxy: str | None,
        user_agent: str,
        *,
        resolve: Resolve | None = None,
        trust: ssl.SSLContext | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        self._policy = policy
        # Pure, and asked for the same few inboxes all day.
        self._check = lru_cache(_TARGETS)(partial(check_target, policy=policy, socks=socks_proxy is not None))
        self._socks_proxy = socks_proxy
        self._user_agent = user_agent
        self._trust = trust
        self._deadline = deadline
        self._resolver = _Resolver(resolve or _system_addresses)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop every connection. A closed fetcher may be used again; it starts with new ones."""
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()
        await self._resolver.close()

    async def get(
        self,
        url: str,
        *,
        accept: str,
        content_types: Callable[[str | None], bool],
        signer: Signer | None = None,
        limit: int = MAX_PAGE,
    ) -> Fetched:
        """Fetch one document; its status is 200, its Content-Type one that `content_types` takes.

        Args:
            limit: bytes of the body after inflation.

        Raises:
            FetchError: anything else. `status` is set where the peer gave one (410: gone).
        """
        target = self._target(url)

        async def follow() -> Fetched:
            place = target
            for _ in range(MAX_REDIRECTS + 1):
                async with self._ask(place, accept, signer) as answer:
                    if answer.status not in _REDIRECTS:
                        return await _fetched(place, answer, content_types, limit)
                    place = self._redirected(place, answer)
            raise FetchError(f"more than {MAX_REDIRECTS} redirects", retryable=False)

        return await self._bounded(follow(), target)

    async def get_json(
        self, url: str, *, signer: Signer | None = None, limit: int = MAX_PAGE
    ) -> tuple[str, Document]:
        """Fetch one ActivityPub document: where it was in the end, and what it says.

        Raises:
            FetchError: as `get`.
            ProtocolError: it came, and is not I-JSON.

        Spec: AP §3.2
        """
        fetched = await self.get(
            url, accept=messages.ACCEPT, content_types=messages.is_activity_json, signer=signer, limit=limit
        )
        return fetched.url, parse_document(fetched.body, limit)

    async def post(self, url: str, body: bytes, headers: Sequence[tuple[str, str]]) -> Answer:
        """Deliver signed bytes as they are. Any status is an answer; a redirect is one that is not followed.

        Raises:
            FetchError: no answer.

        Spec: AP §7
        """
        target = self._target(url)

        async def deliver() -> Answer:
            async with self._session(target).post(
                URL(target.url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer:
                left = MAX_ANSWER
                while left > 0 and not answer.content.at_eof():
                    left -= len(await answer.content.readany())
                return Answer(answer.status, _retry_after(answer))

        return await self._bounded(deliver(), target)

    async def _bounded(self, work: Awaitable[_Result], target: Target) -> _Result:
        deadline = self._deadline * (_ONION_PATIENCE if target.onion else 1)
        with _plain_reasons(deadline):
            async with asyncio.timeout(deadline):
                return await work

    def _target(self, url: str) -> Target:
        try:
            return self._check(url)
        except ProtocolError as error:
            raise FetchError(f"not called: {error}", retryable=False) from error

    def _redirected(self, place: Target, answer: aiohttp.ClientResponse) -> Target:
        location = answer.headers.get("Location")
        if not location:
            raise FetchError("a redirect to nowhere", retryable=False, status=answer.status)
        try:
            url = urljoin(place.url, location)
        except ValueError as error:
            raise FetchError("an unreadable redirect", retryable=False, status=answer.status) from error
        target = self._target(url)
        if place.onion and not target.onion:
            # An onion host would learn our address by leading us out of Tor.
            raise FetchError("a redirect out of the onion net", retryable=False, status=answer.status)
        return target

    def _ask(self, place: Target, accept: str, signer: Signer | None) -> _Answering:
        headers = {
            "host": place.authority,
            "accept": accept,
            "accept-encoding": "gzip",
            "user-agent": self._user_agent,
        }
        if signer is not None:
            request = Request("GET", place.path, tuple(headers.items()), scheme=place.scheme)
            headers.update((name.lower(), value) for name, value in signer(request))
        return self._session(place).get(URL(place.url, encoded=True), headers=headers, allow_redirects=False)

    def _session(self, target: Target) -> aiohttp.ClientSession:
        session = self._sessions.get(target.onion)
        if session is None:
            session = self._sessions[target.onion] = aiohttp.ClientSession(
                connector=self._onion_connector() if target.onion else self._connector(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None if target.onion else _CONNECT),
                headers={"User-Agent": self._user_agent},
                skip_auto_headers=_AUTOMATIC,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                raise_for_status=False,
                trust_env=False,
                max_line_size=_MAX_HEADER,
                max_field_size=_MAX_HEADER,
                max_headers=_MAX_HEADERS,
            )
        return session

    def _connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            resolver=self._resolver,
            socket_factory=self._socket,
            ssl=self._trust or True,
            limit=_CONNECTIONS,
            limit_per_host=_PER_HOST,
            keepalive_timeout=_KEEP_ALIVE,
            ttl_dns_cache=_NAMES,
        )

    def _onion_connector(self) -> aiohttp.TCPConnector:
        if self._socks_proxy is None:
            raise FetchError("an onion host, and no SOCKS proxy is set (socks_proxy)", retryable=False)
        connector: aiohttp.TCPConnector = ProxyConnector.from_url(
            self._socks_proxy.replace("socks5h://", "socks5://", 1),
            rdns=True,
            ssl=self._trust or True,
            limit=_CONNECTIONS,
            limit_per_host=_PER_HOST,
            keepalive_timeout=_KEEP_ALIVE,
        )
        return connector

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """The last point before the call goes out: this address is the one that is dialled."""
        family, kind, protocol, _, address = info
        try:
            check_address(str(address[0]), self._policy)
        except ProtocolError as error:
            raise _ForbiddenError(error.reason) from error
        return socket.socket(family, kind, protocol)


class _Resolver(AbstractResolver):
    """Looks names up in threads of its own: a peer whose name servers hang delays nobody's signatures."""

    def __init__(self, addresses: Resolve) -> None:
        self._addresses = addresses
        self._threads: ThreadPoolExecutor | None = None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="names")
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._addresses, host)
        if not found:
            raise OSError("the name has no address")
        # A name with a thousand addresses would have each of them judged for each try.
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in found[:_MOST_ADDRESSES]
        ]

    async def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def _system_addresses(host: str) -> list[str]:
    infos = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


async def _fetched(
    place: Target, answer: aiohttp.ClientResponse, content_types: Callable[[str | None], bool], limit: int
) -> Fetched:
    status = answer.status
    if status != 200:
        raise FetchError(
            f"the peer answered {status}",
            retryable=is_passing(status),
            status=status,
            retry_after=_retry_after(answer),
        )
    headers = {name.lower(): ", ".join(answer.headers.getall(name)) for name in answer.headers}
    if not content_types(headers.get("content-type")):
        raise FetchError("a Content-Type that was not asked for", retryable=False, status=status)
    body = await _body(answer, headers.get("content-encoding", "identity").strip().lower(), limit)
    return Fetched(place.url, status, headers, body)


async def _body(answer: aiohttp.ClientResponse, encoding: str, limit: int) -> bytes:
    """The body, inflated, and never more than one byte over `limit` in memory."""
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise FetchError("a Content-Encoding that was not asked for", retryable=False, status=answer.status)
    inflate = None if encoding == "identity" else zlib.decompressobj(wbits=31)
    body, seen = bytearray(), 0
    async for chunk in answer.content.iter_any():
        seen += len(chunk)
        try:
            body += chunk if inflate is None else inflate.decompress(chunk, limit + 1 - len(body))
        except zlib.error as error:
            raise FetchError("a body that is not gzip", retryable=False, status=answer.status) from error
        # Empty gzip blocks inflate to nothing for ever, so what came is counted too.
        if max(len(body), seen) > limit:
            raise FetchError(f"a body over {limit} bytes", retryable=False, status=answer.status)
    if inflate is not None and (not inflate.eof or inflate.unused_data):
        raise FetchError("a gzip body without a proper end", retryable=True, status=answer.status)
    return bytes(body)


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    text = answer.headers.get("Retry-After")
    return seconds_to_wait(text, datetime.now(UTC)) if text else 0


@contextmanager
def _plain_reasons(deadline: float) -> Iterator[None]:
    """Turn what the wire did into a `FetchError`. The libraries' own texts hold addresses and stay here."""
    try:
        yield
    except TimeoutError as error:
        raise FetchError(f"no whole answer within {deadline:g} s", retryable=True) from error
    except (aiohttp.ClientError, OSError, ProxyError, ProxyConnectionError, ProxyTimeoutError) as error:
        raise FetchError(_reason(error), retryable=True) from error


def _reason(error: Exception) -> str:
    cause = getattr(error, "os_error", error)
    if isinstance(cause, _ForbiddenError):
        # Retryable: censored and captive networks answer like this for a while, and the peer is innocent.
        return f"the name leads to {cause}"
    for kind, text in _REASONS:
        if isinstance(error, kind) or isinstance(cause, kind):
            return text
    return "no connection"


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorCertificateError, "a TLS certificate that does not hold"),
    (aiohttp.ClientSSLError, "no TLS connection"),
    (ssl.SSLError, "no TLS connection"),
    (aiohttp.ClientConnectorDNSError, "the name cannot be looked up"),
    (ProxyConnectionError, "the SOCKS proxy does not answer"),
    (ProxyTimeoutError, "the SOCKS proxy does not answer"),
    (ProxyError, "the SOCKS proxy cannot reach the host"),
    (ConnectionRefusedError, "the connection was refused"),
    (aiohttp.ServerDisconnectedError, "the connection was closed without an answer"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (aiohttp.InvalidURL, "a URL that cannot be called"),
)
