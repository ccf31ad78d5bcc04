"""What holds for every test: nothing is skipped in silence, and where nothing may be skipped, a skip is a failure."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("node", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=False)
settings.load_profile("node")


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
