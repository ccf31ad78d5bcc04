"""Fixtures: one node and one foreign server for each test, so that no test sees another's followers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import peer
from tests.support.processes import Node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node of our own, made and serving."""
    with Node(tmp_path / "org1", "127.2.0.1") as running:
        yield running


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[peer.Peer]:
    """The Fedify server; skipped where its packages are absent."""
    if reason := peer.missing_fedify():
        pytest.skip(reason)
    with peer.fedify("127.3.0.1", tmp_path) as running:
        yield running


@pytest.fixture
def bovine(tmp_path: Path) -> Iterator[peer.Peer]:
    """The Pasture server; skipped where its packages are absent."""
    if reason := peer.missing_pasture():
        pytest.skip(reason)
    with peer.pasture("127.3.0.2", tmp_path) as running:
        yield running
