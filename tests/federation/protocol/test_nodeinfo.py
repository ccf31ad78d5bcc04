"""What the node says about itself."""

import json
from xml.etree import ElementTree

from node.federation.protocol import nodeinfo

XRD = "{http://docs.oasis-open.org/ns/xri/xrd-1.0}"


def test_the_links_lead_to_the_document_and_to_the_application_actor() -> None:
    assert nodeinfo.render_links("https://org.example") == {
        "links": [
            {
                "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1",
                "href": "https://org.example/nodeinfo/2.1",
            },
            {
                "rel": "https://www.w3.org/ns/activitystreams#Application",
                "href": "https://org.example/actor",
            },
        ]
    }


def test_the_document_has_all_the_schema_requires_and_no_word_about_people() -> None:
    document = nodeinfo.render("0.1.0", 3, 12)
    required = {"version", "software", "protocols", "services", "openRegistrations", "usage", "metadata"}
    assert set(document) == required
    assert document["software"] == {"name": "tadamun", "version": "0.1.0"}
    assert document["protocols"] == ["activitypub"]
    assert document["openRegistrations"] is False
    assert document["usage"] == {"users": {"total": 3}, "localPosts": 12}
    assert "active" not in json.dumps(document)


def test_host_meta_names_the_webfinger_template() -> None:
    root = ElementTree.fromstring(nodeinfo.render_host_meta("https://org.example"))
    link = root.find(f"{XRD}Link")
    assert root.tag == f"{XRD}XRD"
    assert link is not None
    assert link.attrib == {
        "rel": "lrdd",
        "type": "application/jrd+json",
        "template": "https://org.example/.well-known/webfinger?resource={uri}",
    }


def test_an_origin_cannot_break_out_of_host_meta() -> None:
    text = nodeinfo.render_host_meta('https://org.example"/><x a="&')
    assert [child.tag for child in ElementTree.fromstring(text)] == [f"{XRD}Link"]
