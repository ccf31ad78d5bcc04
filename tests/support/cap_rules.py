"""What CAP 1.2 asks of a message, as a table: each rule a name from the standard and a test over the parsed XML.

Written from the standard's element definitions, not from our renderer.
"""

import re
from xml.etree import ElementTree

NS = "{urn:oasis:names:tc:emergency:cap:1.2}"
ALERT = [
    "identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses", "code", "note",
    "references", "incidents", "info",
]  # fmt: skip
INFO = [
    "language", "category", "event", "responseType", "urgency", "severity", "certainty", "audience", "eventCode",
    "effective", "onset", "expires", "senderName", "headline", "description", "instruction", "web", "contact",
    "parameter", "resource", "area",
]  # fmt: skip
RESOURCE = ["resourceDesc", "mimeType", "size", "uri", "derefUri", "digest"]
AREA = ["areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling"]
VALUES = {
    "status": "Actual Exercise System Test Draft",
    "msgType": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
    "category": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
    "urgency": "Immediate Expected Future Past Unknown",
    "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}
MANY = {"code", "info", "category", "responseType", "eventCode", "parameter", "resource", "area", "geocode"}
NEEDED = {
    "alert": ("identifier", "sender", "sent", "status", "msgType", "scope"),
    "info": ("category", "event", "urgency", "severity", "certainty"),
    "resource": ("resourceDesc", "mimeType"),
    "area": ("areaDesc",),
    "parameter": ("valueName", "value"),
    "geocode": ("valueName", "value"),
}
ORDER = {
    "alert": ALERT, "info": INFO, "resource": RESOURCE, "area": AREA, "parameter": ["valueName", "value"],
    "geocode": ["valueName", "value"],
}  # fmt: skip
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
TOKEN = re.compile(r"[^\s,<&]+")


def faults(raw):
    """Every rule of the standard that these bytes break, by name; and ours: no geometry."""
    root = ElementTree.fromstring(raw)
    found = [] if root.tag == NS + "alert" else ["the root is not an alert of CAP 1.2"]
    found += [name for name, holds in RULES if not holds(root)]
    for element in root.iter():
        found += _shape(element)
    return found


def _shape(element):
    name = element.tag.removeprefix(NS)
    order = ORDER.get(name)
    inner = [each.tag.removeprefix(NS) for each in element]
    if order is None:
        if inner:
            yield f"{name} holds elements"
        if not (element.text or "").strip():
            yield f"{name} is empty"
        return
    if not set(inner) <= set(order):
        yield f"{name} holds {sorted(set(inner) - set(order))}"
        return
    if [order.index(each) for each in inner] != sorted(order.index(each) for each in inner):
        yield f"{name} is out of order"
    for each in set(inner) - MANY:
        if inner.count(each) > 1:
            yield f"{each} more than once"
    for each in NEEDED[name]:
        if each not in inner:
            yield f"{name} lacks {each}"


def texts(root, name):
    return [each.text or "" for each in root.iter(NS + name)]


def _allowed(name):
    return set(VALUES[name].split())


def _references(root):
    for triple in " ".join(texts(root, "references")).split():
        parts = triple.split(",")
        if len(parts) != 3 or not all(TOKEN.fullmatch(part) for part in parts) or not MOMENT.fullmatch(parts[2]):
            return False
    return True


RULES = (
    ("identifier: no spaces, commas, < or &", lambda root: all(map(TOKEN.fullmatch, texts(root, "identifier")))),
    ("sender: no spaces, commas, < or &", lambda root: all(map(TOKEN.fullmatch, texts(root, "sender")))),
    *(
        (f"{name}: a date and time with its zone in figures", lambda root, name=name: all(
            MOMENT.fullmatch(text) for text in texts(root, name)
        ))
        for name in ("sent", "effective", "onset", "expires")
    ),
    *(
        (f"{name}: one of the standard's values", lambda root, name=name: set(texts(root, name)) <= _allowed(name))
        for name in VALUES
    ),
    ("references: triples", _references),
    ("references: with every Update and Cancel, with no Alert", lambda root: bool(texts(root, "references"))
        == (texts(root, "msgType") != ["Alert"])),
    ("scope: Restricted has a restriction, Private addresses", lambda root: texts(root, "scope") == ["Public"]
        or bool(texts(root, "restriction") or texts(root, "addresses"))),
    ("info: with every Alert, Update and Cancel", lambda root: bool(list(root.iter(NS + "info")))),
    ("language: RFC 3066", lambda root: all(map(LANGUAGE.fullmatch, texts(root, "language")))),
    ("info: one for each language", lambda root: len({text.lower() for text in texts(root, "language")})
        == len(list(root.iter(NS + "info")))),
    ("Tadamun: no geometry", lambda root: not texts(root, "polygon") + texts(root, "circle")),
)  # fmt: skip
