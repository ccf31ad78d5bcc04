"""The articles of charters that an alert cites, with the way to each that is held here."""

from collections.abc import Iterable

from sqlalchemy import Connection

from node.citations import Citation
from node.models import charters, documents
from node.web.charters import CitedView


def cited(connection: Connection, org: str, citations: Iterable[Citation]) -> tuple[CitedView, ...]:
    """What is cited, in the author's order."""
    return tuple(_view(connection, org, each) for each in citations)


def _view(connection: Connection, org: str, each: Citation) -> CitedView:
    for charter in charters.find(connection, org, each.digest)[:1]:
        if each.number in charter.text.numbers:
            path = f"/charters/{documents.page_name(charter.id)}#article-{each.number}"
            return CitedView(each.number, each.digest, path, charter.title, charter.language)
    return CitedView(each.number, each.digest)
