"""A changed text, or news, of an alert of ours that names nobody: what was said before, and what is said in its place.

What is about somebody begins with a case, or comes from a file that holds their consent: it is not written here.
"""

from collections.abc import Sequence

from node.alert_terms import UNKNOWN
from node.alerts import PublicAlert
from node.consents import ANONYMISED, MANDATE
from node.errors import RefusedError
from node.federation.protocol.messages import JsonObject

NEWS_KIND = "new-information"
_CONTACTS = ("email", "post", "fax", "web")


def check_writable(note: PublicAlert) -> None:
    """Whether a new text of it can be written at the desk.

    Raises:
        RefusedError: it is about somebody, or shows pictures.
    """
    if any((each.kind, each.publication_level) != ("group", "collective") for each in note.subjects):
        raise RefusedError(
            "R1: this alert is about somebody: its text is changed with the file in which their consent stands, by"
            " 'tadamun alert update' or 'tadamun alert news'"
        )
    if note.pictures:
        raise RefusedError(
            "this alert shows pictures: change it by 'tadamun alert update', with the pictures beside its file"
        )


def news(note: PublicAlert, written: JsonObject) -> JsonObject:
    """News of an alert, as `parse_input` reads it.

    Args:
        written: the fields of the form.
    """
    value = {**_kept(note), **written, "kind": NEWS_KIND, "subjects": [_nobody(note)]}
    return {**value, "consent": _consent(str(written["expires"]), everyone=True)}


def changed(note: PublicAlert, translations: Sequence[PublicAlert], written: JsonObject, *, sealed: bool) -> JsonObject:
    """An alert with a new text; what the form does not have stays as it was, the translations too."""
    others = {each.language: _text(each) for each in translations}
    value = {
        **_kept(note), **_more(note), **written, "subjects": [_nobody(note)], "translations": others,
        "audience": "network" if sealed else "everyone",
    }  # fmt: skip
    return {**value, "consent": _consent(str(written["expires"]), everyone=not sealed)}


def _kept(note: PublicAlert) -> JsonObject:
    """What news has in common with its alert."""
    return {"status": note.status, "audience": "everyone", "language": note.language, "country": note.country}


def _more(note: PublicAlert) -> JsonObject:
    value: JsonObject = {
        "kind": note.kind, "violation_types": list(note.violation_types), "drivers": list(note.drivers),
        "charter_articles": [str(each) for each in note.cited], "company_or_project": note.company_or_project,
        "endorsement_mode": note.endorsement_mode, "republish": note.republishable, "actions": list(note.actions),
        "do_not": list(note.do_not), "targets": [_target(note, number) for number in range(len(note.targets))],
    }  # fmt: skip
    if note.relation_to_network:
        value["relation_to_network"] = note.relation_to_network
    if note.verification_level != UNKNOWN:
        value["verification"] = {"level": note.verification_level}
    if note.deadline is not None:
        value["deadline"] = f"{note.deadline:%Y-%m-%dT%H:%M:%SZ}"
    return {name: each for name, each in value.items() if each not in ("", [])}


def _target(note: PublicAlert, number: int) -> JsonObject:
    target = note.targets[number]
    names = ("office", "country", "language", "body", "honorific", "last_checked")
    value = {name: getattr(target, name) for name in names if getattr(target, name)}
    found = {name: getattr(target, name) for name in _CONTACTS if getattr(target, name)}
    return {**value, "contacts": found, "public_contacts": True} if found else value


def _text(note: PublicAlert) -> JsonObject:
    value: JsonObject = {
        "headline": note.headline, "narrative": note.narrative, "link_to_work": note.link_to_work,
        "demands": list(note.demands),
    }  # fmt: skip
    return {**value, "do_not": list(note.do_not)} if note.do_not else value


def _nobody(note: PublicAlert) -> JsonObject:
    name = next((each.name for each in note.subjects if each.name), "")
    subject = {"kind": "group", "publication_level": "collective"}
    return {**subject, "public_name": name} if name else subject


def _consent(until: str, *, everyone: bool) -> JsonObject:
    """The organisation's own mandate: nobody else is spoken of."""
    level = ANONYMISED if everyone else "network"
    return {"given_by": MANDATE, "how": "the organisation's own text", "level": level, "valid_until": until}
