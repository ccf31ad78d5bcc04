"""What holds for every test: nothing is skipped in silence, and where nothing may be skipped, a skip is a failure."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, settings

from node.models import base
from node.web import render
from node.web.render import Compiled

settings.register_profile("node", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False)
settings.load_profile("node")


@pytest.fixture(scope="session", autouse=True)
def compiled() -> Iterator[None]:
    """Templates and statements are compiled once for all nodes of a test process, and not once for each of them: else a
    third of what the tests take is that. A statement is compiled for a dialect, so the SQLite engines share one.
    """
    templates, first = Compiled(), sqlalchemy.create_engine("sqlite://")
    first.connect().close()  # from now on the dialect knows what it speaks with

    def create_engine(url: str, **options: Any) -> sqlalchemy.Engine:
        engine = sqlalchemy.create_engine(url, **options)
        if engine.dialect.name == first.dialect.name:
            engine.dialect = first.dialect
            return engine.execution_options(compiled_cache=statements)
        return engine

    statements: dict[Any, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "Compiled", lambda: templates)
        patch.setattr(base, "create_engine", create_engine)
        yield
    first.dispose()


FIRST = (
    "test_every_page", "test_crashes", "test_powerloss", "test_fedify", "test_whole_node", "test_flow_relays",
    "test_flow_withdrawals", "test_pasture", "test_flow_network", "test_flow_casework", "test_flow_case_life",
    "test_inbox",
)  # fmt: skip
"""Files that take longest: what begins last keeps one worker waiting for the other."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After everything else has ordered them: the slow files first, each as it is."""
    order = {name: at for at, name in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """List what was skipped, by reason and name."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    reasons: dict[str, list[str]] = {}
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid)
    terminalreporter.section("not run here, because something is missing")
    for reason, names in sorted(reasons.items()):
        terminalreporter.write_line(f"{reason}: {len(names)} tests, the first is {names[0]}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything is installed, a skip is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPS") != "1" or reporter is None or hasattr(session.config, "workerinput"):
        return
    if reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = 1
