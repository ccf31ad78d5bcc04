"""What costs more than a page is done in turns: one is served at a time, some wait, the rest come later."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from node.errors import ProtocolError


class Turns:
    """One line; one for each site."""

    def __init__(self, waiting: int = 8) -> None:
        self._most = waiting
        self._there = 0
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and have it.

        Raises:
            ProtocolError: 503, too many wait.

        Spec: RFC 9110 §15.6.4
        """
        if self._there >= self._most:
            raise ProtocolError("too many searches at once", spec="RFC 9110 §15.6.4", status=503)
        self._there += 1
        try:
            async with self._lock:
                yield
        finally:
            self._there -= 1
