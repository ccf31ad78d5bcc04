"""The demo: the exercise that it publishes is one that the pages it points to can show."""

import json
from pathlib import Path

from node import alerts, demo
from tests.support.alert_examples import NOW


def test_the_demos_alert_is_for_everyone_and_may_be_published():
    alert = alerts.parse_input(json.loads(Path(demo.__file__).with_name("demo_alert.json").read_bytes()))
    assert alert.audience == "everyone"
    alerts.check_publishable(alert, NOW, approvals_exist=False, loopback=True)
