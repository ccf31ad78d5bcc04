"""An invented alert, and ways to change one thing about it."""

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from node import alerts
from node.federation.protocol.ids import canonical

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
DID = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
OTHER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
BASE = f"https://org1.example/.well-known/apgateway/{DID}"
ACTOR = canonical(f"{BASE}/actor")
STRANGER = canonical(f"https://org2.example/.well-known/apgateway/{OTHER}/actor")
NOTE_ID = f"{BASE}/objects/a1"
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
EXAMPLE = json.loads((Path(__file__).parent.parent / "vectors" / "alert-ar.json").read_text())
PLACE = alerts.Place(
    note_id=NOTE_ID,
    actor_id=f"{BASE}/actor",
    author_name="منظمة تدريبية",
    page_url="https://org1.example/alerts/a1",
    reference="XXX 003 / 1126 / 3MDWP",
    sister_urls=("https://org2.example/alerts/a1", "https://org3.example/alerts/a1"),
    published=NOW,
    updated=NOW + timedelta(hours=1),
    to=(PUBLIC,),
    cc=(f"{BASE}/followers",),
    translation_of=f"{BASE}/objects/a0",
    translations=(("en", f"{BASE}/objects/a2"),),
)


def example(**changes):
    return copy.deepcopy(EXAMPLE) | changes


def actual(**changes):
    return example(status="actual", country="IQ") | changes


def subject(**changes):
    return copy.deepcopy(EXAMPLE["subjects"][0]) | changes


def consent(**changes):
    return copy.deepcopy(EXAMPLE["consent"]) | changes


def note(language="ar", **changes):
    return alerts.render(alerts.parse_input(example(**changes)), language, PLACE)


TWO_WORDS = "Amal Exercise"
NAMED = subject(name=TWO_WORDS, publication_level="named")

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
