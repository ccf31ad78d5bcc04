"""What the node says about itself to anybody: NodeInfo 2.1 and host-meta.

Numbers only. The organisations are public; how many people work in one, how often and when, nobody is told.

Spec: NodeInfo 2.1; FEP-f1d5; RFC 6415 §3
"""

from xml.sax.saxutils import quoteattr

from node.federation.protocol.messages import JsonObject

APPLICATION = "https://www.w3.org/ns/activitystreams#Application"
"""Link relation of the actor that signs our GETs (FEP-2677)."""
SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/2.1"
CONTENT_TYPE = f'application/json; profile="{SCHEMA}#"'
PATH = "/nodeinfo/2.1"
SOFTWARE = "tadamun"


def render_links(origin: str) -> JsonObject:
    """The document at `/.well-known/nodeinfo`.

    Args:
        origin: `https://host[:port]`, no slash at the end.
    """
    return {"links": [{"rel": SCHEMA, "href": origin + PATH}, {"rel": APPLICATION, "href": origin + "/actor"}]}


def render(version: str, users: int, posts: int = 0, contact: str = "", moderators: str = "") -> JsonObject:
    """The document at `/nodeinfo/2.1`.

    Args:
        users: organisations of this node.
        posts: public objects by them.
        contact: where moderators of other servers can write; left out where it is empty.
        moderators: the address of the page for them.
    """
    metadata = {"contact": contact, "moderators": moderators}
    return {
        "version": "2.1",
        "software": {"name": SOFTWARE, "version": version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {"total": users}, "localPosts": posts},
        "metadata": {name: value for name, value in metadata.items() if value},
    }


def render_host_meta(origin: str) -> str:
    """The XRD at `/.well-known/host-meta`: old servers look there for the address of WebFinger.

    Spec: RFC 6415 §3.1
    """
    template = quoteattr(f"{origin}/.well-known/webfinger?resource={{uri}}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" type="application/jrd+json" template={template}/>\n'
        "</XRD>\n"
    )
