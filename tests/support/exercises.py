"""An invented alert as a file that a node's operator hands in, with dates that lie ahead whenever it is made."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "vectors" / "alert-ar.json"


def write_exercise(path: Path, headline: str) -> Path:
    """The example with another headline in each of its two languages; returns the path."""
    now = datetime.now(UTC)
    alert = json.loads(EXAMPLE.read_text("utf-8"))
    alert["headline"] = headline
    alert["translations"]["en"]["headline"] = f"{headline} (en)"
    alert["deadline"] = f"{now + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"
    alert["expires"] = f"{now + timedelta(days=60):%Y-%m-%dT%H:%M:%SZ}"
    alert["consent"]["valid_until"] = f"{now + timedelta(days=90):%Y-%m-%d}"
    path.write_text(json.dumps(alert, ensure_ascii=False), "utf-8")
    return path
