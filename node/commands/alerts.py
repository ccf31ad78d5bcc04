"""The `alert` commands: publish, news, drafts, list, update, correct, answer, close, withdraw; signing's; restore."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection

from node import alerts as rules
from node.alert_forms import parse_moment
from node.alert_terms import ANSWER_KINDS, ATTRIBUTIONS, HELD_STATUSES, RESULTS
from node.alerts import Alert, Answer
from node.app import utc_now
from node.approvals import SHELL, STATES, YES
from node.commands import signing
from node.commands.context import Office, common
from node.desk import alerts as desk
from node.desk import approvals as word
from node.desk import custody, pictures, publishing, restatements, trust, withdrawals
from node.desk import sealed_alerts as sealed
from node.desk.alerts import Said
from node.desk.approvals import Asked
from node.desk.exports import proof_holds
from node.desk.sealed_alerts import SealedAlert
from node.desk.withdrawals import Board
from node.errors import ProtocolError, RefusedError
from node.federation.protocol import ids
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.messages import JsonObject, parse_document
from node.models import alerts, approvals, documents, rooms
from node.models.alerts import AlertRecord
from node.models.approvals import Row
from node.models.organisations import Organisation
from node.models.withdrawals import Custody


@click.group()
def alert() -> None:
    """Urgent alerts: publish from a JSON file, change, tell what is new, have it signed, close, take back."""


for each in (
    signing.open_sign_on, signing.endorse, signing.unendorse, signing.deliver_sign_on, signing.signatories
):  # fmt: skip
    alert.add_command(each)


@alert.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def publish(office: Office, file: Path) -> None:
    """Publish an alert from FILE.json. It is signed, written to the log and sent at once by a running 'serve'.

    "audience" in the file says for whom: everyone; network (the default), or a list of dids: then it is sealed to those
    members, stands in no log and on no public page. "exclude": {"members": [did], "countries": ["XX"]} leaves some out;
    "networks": [digest] says of which network, where you are in several.
    Pictures that it names (JPEG, PNG, WebP beside the file) are made anew: smaller, without where, when and by whom:
    "media": [{"file": "photo.jpg", "alt": {"ar": "…"}, "consent": true, "people": "none"}], where people is none,
    blurred or consented.

    Refused, naming every reason, when a field is missing or consent does not cover the audience. An actual alert on a
    node that is open to the world becomes a draft, sealed to those who approve: they look at it at /desk, and it is
    published by itself when enough of them have said yes. The command line can never approve.
    """
    given, organisation = read_alert(file), office.organisation
    loopback = on_loopback(office)
    if given.status == "actual" and not loopback:
        _ask(office, file, given, "")
        return
    key = office.key
    rules.check_publishable(given, utc_now(), approvals_exist=False, loopback=loopback)
    if given.sealed:
        sent = office.write(
            lambda connection: sealed.publish(connection, organisation, key, given, utc_now(), approved=loopback)
        )
        _show(office, sent, "sent, sealed to the members it is for")
        return
    taken = pictures.develop(file.parent, given.media)

    def work(connection: Connection) -> Said:
        kept = pictures.keep(connection, organisation, office.node.storage, taken, utc_now())
        return desk.publish(connection, organisation, key, given, utc_now(), loopback=loopback, pictures=kept)

    _show(office, office.write(work), "published")


@alert.command()
@click.argument("alert_id", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def news(office: Office, alert_id: str, file: Path) -> None:
    """Tell what is new about alert ID, from FILE.json: a text of its own, with the code of the first and .1, .2 …

    It goes to everyone who got the first, as a reply to it. The same rules as for 'publish' hold: consent, audience.
    """
    given, organisation, key = read_alert(file), office.organisation, office.key
    loopback = on_loopback(office)
    said = office.write(
        lambda connection: desk.news(connection, organisation, key, alert_id, given, utc_now(), loopback=loopback)
    )
    _show(office, said, "published")


@alert.command("list")
@common
def list_alerts(office: Office) -> None:
    """All alerts held here, our own and members', newest first, with whether each signature holds."""
    organisation = office.organisation

    def read(connection: Connection) -> list[dict[str, Any]]:
        return [
            _listed(connection, organisation.did, record)
            for record in alerts.newest(
                connection, organisation.did, statuses=HELD_STATUSES, limit=100_000, translations=True, hidden=True
            )
        ] + [
            _sealed(each, organisation.did)
            for each in sealed.current(connection, organisation.did, _network(office, connection))
        ]

    found = sorted(office.read(read), key=lambda each: str(each["published"]), reverse=True)
    lines = [
        f"{'✓' if each['verified'] else '✗'} {each['published']}  {each['status']:8} {each['severity']:8} "
        f"{each['headline']}\n    {each['id']}  via {each['via']}"
        for each in found
    ]
    office.show(found, lines or ["no alerts yet: publish one with 'tadamun alert publish FILE.json'"])


def _network(office: Office, connection: Connection) -> tuple[str, ...]:
    """What the command line can open: nothing any more once people sign in to this node."""
    return rooms.network_secrets(connection, office.organisation.did, office.node.keyring)


def _sealed(found: SealedAlert, org: str) -> dict[str, Any]:
    note = found.main
    return {
        "id": str(found.notes[0]["id"]),
        "portable_id": found.about,
        "author": found.author,
        "headline": note.headline,
        "language": note.language,
        "severity": note.severity,
        "status": note.status,
        "state": note.state,
        "reference": note.reference,
        "published": f"{note.published or found.sent:%Y-%m-%dT%H:%M:%SZ}",
        "verified": True,
        "via": ids.host_of(note.id),
        "sealed": True,
    }


def _own_sealed(office: Office, name: str) -> SealedAlert | None:
    """One of our own sealed alerts, opened; `None` where the id is no sealed alert's.

    Raises:
        RefusedError: it is, and only a person who signs in can open it.
    """
    organisation = office.organisation

    def read(connection: Connection) -> SealedAlert | None:
        found = sealed.find(connection, organisation.did, name, _network(office, connection))
        if found is None and ":" in name and sealed.has(connection, organisation, ids.canonical(name)):
            raise RefusedError("this alert is sealed: sign in at /desk to change it")
        return found if found is not None and found.author == organisation.did else None

    return office.read(read)


def _listed(connection: Connection, org: str, record: AlertRecord) -> dict[str, Any]:
    held = documents.stored(connection, org, record.object_id)
    return {
        "id": record.uri,
        "portable_id": record.object_id,
        "author": record.did,
        "headline": record.headline,
        "language": record.language,
        "severity": record.severity,
        "status": record.status,
        "state": record.state,
        "reference": record.reference,
        "news_of": record.news_of,
        "published": f"{record.published:%Y-%m-%dT%H:%M:%SZ}",
        "verified": held is not None and proof_holds(held.raw, record.did),
        "via": record.via,
    }


@alert.command()
@click.argument("alert_id", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def update(office: Office, alert_id: str, file: Path) -> None:
    """Replace the text and the pictures of alert ID by FILE.json: readers see an edit."""
    given, organisation, key = read_alert(file), office.organisation, office.key
    loopback = on_loopback(office)
    found = _own_sealed(office, alert_id)
    if given.status == "actual" and not loopback:
        _ask(office, file, given, alert_id, found)
        return
    if found is not None:
        sent = office.write(
            lambda connection: sealed.update(
                connection, organisation, key, found, given, utc_now(), approved=loopback
            )
        )
        _show(office, sent, "updated")
        return
    rules.check_publishable(given, utc_now(), approvals_exist=False, loopback=loopback)
    taken = pictures.develop(file.parent, given.media)

    def work(connection: Connection) -> Said:
        kept = pictures.keep(connection, organisation, office.node.storage, taken, utc_now())
        return desk.update(
            connection, organisation, key, alert_id, given, utc_now(), loopback=loopback, pictures=kept
        )

    _show(office, office.write(work), "updated")


@alert.command()
@click.argument("alert_id", metavar="ID")
@click.option("--reason", required=True, help="What was wrong; readers see it above the text.")
@common
def correct(office: Office, alert_id: str, reason: str) -> None:
    """Say loudly that alert ID was wrong: the text stays, marked, and everyone is told."""
    if not _ask_to_restate(office, publishing.CORRECT, alert_id, reason):
        _restate(office, alert_id, reason, rules.with_correction, desk.correct, "corrected")


@alert.command()
@click.argument("alert_id", metavar="ID")
@click.option("--outcome", required=True, help="How it ended; readers see it.")
@click.option("--result", type=click.Choice(RESULTS), default=None, help="The same in one word, for counting.")
@click.option(
    "--attribution", type=click.Choice(ATTRIBUTIONS), default=None, help="Whether the alert had a part in it."
)
@common
def close(office: Office, alert_id: str, outcome: str, result: str | None, attribution: str | None) -> None:
    """Close alert ID with its outcome."""
    result, attribution = result or "", attribution or ""
    if _ask_to_restate(office, publishing.CLOSE, alert_id, outcome, result, attribution):
        return
    change = partial(rules.with_closure, result=result, attribution=attribution)
    act = partial(desk.close, result=result, attribution=attribution)
    _restate(office, alert_id, outcome, change, act, "closed")


@alert.command()
@click.argument("alert_id", metavar="ID")
@click.option("--from", "by", required=True, help="The office that answered, or did not.")
@click.option("--kind", type=click.Choice(ANSWER_KINDS), required=True, help="What kind of answer it is.")
@click.option("--date", "day", required=True, help="The day it came, such as 2026-11-20.")
@click.option("--text", default="", help="What it says, as far as everyone may read it.")
@click.option("--private", is_flag=True, help="For the organisation alone: refused until the desk can seal it.")
@common
def answer(office: Office, alert_id: str, by: str, kind: str, day: str, text: str, private: bool) -> None:
    """Log what an office answered to alert ID. Everyone who got the alert is told, and its page shows it.

    To an actual alert another person looks at it first, at /desk/approvals.

    Private answers are kept nowhere yet: a log that is not sealed would hand them to whoever takes this machine.
    """
    if private:
        raise RefusedError("a private answer is kept nowhere yet: the sealed log comes with the desk")
    try:
        given = Answer(by, kind, parse_moment(day).date(), text)
    except ValueError as error:
        raise RefusedError("--date takes a day such as 2026-11-20") from error
    organisation, key = office.organisation, office.key
    record = office.read(lambda connection: desk.find_own(connection, organisation, alert_id))
    if record.status == "actual" and not on_loopback(office):
        asked = office.write(
            lambda connection: restatements.ask_to_answer(
                connection, organisation, key, SHELL, alert_id, given, utc_now()
            )
        )
        _show_draft(office, asked)
        return
    said = office.write(lambda connection: desk.answer(connection, organisation, key, alert_id, given, utc_now()))
    _show(office, said, "answer added")


@alert.command()
@click.argument("alert_id", metavar="ID")
@common
def withdraw(office: Office, alert_id: str) -> None:
    """Take alert ID back silently: a neutral answer everywhere, no reason. Copies on other servers may remain."""
    organisation, key = office.organisation, office.key

    def work(connection: Connection) -> Said:
        found = sealed.find(connection, organisation.did, alert_id, _network(office, connection))
        about = found.about if found else ids.canonical(alert_id) if ":" in alert_id else alert_id
        if sealed.has(connection, organisation, about):
            return sealed.withdraw(connection, organisation, key, about, utc_now())
        return desk.withdraw(connection, organisation, key, alert_id, utc_now())

    said = office.write(work)
    _show(office, said, "withdrawn")


@alert.command()
@click.argument("alert_id", metavar="ID")
@common
def board(office: Office, alert_id: str) -> None:
    """What became of the withdrawal of alert ID, server by server: confirmed, accepted, waiting, silent."""
    organisation = office.organisation
    found = office.read(lambda connection: withdrawals.board(connection, organisation, alert_id))
    office.show(found.shown(), _board_lines(found))


def _board_lines(found: Board) -> list[str]:
    lines = [f"withdrawn  {found.what.made:%Y-%m-%d %H:%M} UTC  {found.what.reference}"]
    for each in found.servers:
        moments = {"since": each.since, "bytes destroyed": each.destroyed, "next try": each.next_try}
        more = [f"{name} {moment:%Y-%m-%d %H:%M}" for name, moment in moments.items() if moment is not None]
        more += [f"asked again {each.asked_again} times"] if each.asked_again else []
        whose = ", ".join(member.name for member in each.members)
        whose = whose or f"{each.followers} followers"
        lines.append(f"{each.state:10} {each.host}  {whose}" + "".join(f"; {text}" for text in more))
    return [*lines, *([withdrawals.RELEASED] if found.what.released else []), withdrawals.COPIES_REMAIN]


@alert.command("custody")
@click.argument("alert_id", metavar="ID")
@click.option("--to", "dids", metavar="DID", multiple=True, required=True, help="A member; once for each, up to 5.")
@click.option("--threshold", type=int, default=2, show_default=True, help="How many of them it takes: 2 or 3.")
@common
def entrust(office: Office, alert_id: str, dids: tuple[str, ...], threshold: int) -> None:
    """Sign the withdrawal of alert ID now, sealed to members who can release it together when our server is dead."""
    organisation, key = office.organisation, office.key

    def work(connection: Connection) -> Custody:
        if sealed.has(connection, organisation, ids.canonical(alert_id) if ":" in alert_id else alert_id):
            raise RefusedError("what is sealed to members stands in no log; only what is for everyone has custodians")
        record = desk.find_own(connection, organisation, alert_id)
        return custody.entrust(connection, organisation, key, record, dids, threshold, utc_now())

    made = office.write(work)
    office.show(
        {"id": made.about, "custodians": list(made.custodians), "threshold": made.threshold},
        f"{made.threshold} of {len(made.custodians)} custodians can withdraw it; a running 'serve' sends their parts",
    )


def _ask_to_restate(
    office: Office, act: str, name: str, text: str, result: str = "", attribution: str = ""
) -> bool:
    """Where people approve, words above an actual alert wait for one of them: the command line adds none alone (R2)."""
    organisation, key = office.organisation, office.key
    found = _own_sealed(office, name)
    loopback = on_loopback(office)
    record = None if found else office.read(lambda connection: desk.find_own(connection, organisation, name))
    if loopback or (found.main.status if found else record.status if record else "") != "actual":
        return False
    asked = office.write(
        lambda connection: restatements.ask(
            connection, organisation, key, SHELL, act, name, text, utc_now(), before=found, result=result,
            attribution=attribution,
        )
    )  # fmt: skip
    _show_draft(office, asked)
    return True


def _restate(
    office: Office, name: str, text: str, change: Callable[[JsonObject, str, str, datetime], JsonObject],
    act: Callable[[Connection, Organisation, OrganisationKey, str, str, datetime], Said], done: str,
) -> None:  # fmt: skip
    organisation, key = office.organisation, office.key
    found = _own_sealed(office, name)
    if found is not None:
        said = office.write(
            lambda connection: sealed.restate(connection, organisation, key, found, text, utc_now(), change)
        )
    else:
        said = office.write(lambda connection: act(connection, organisation, key, name, text, utc_now()))
    _show(office, said, done)


def _ask(office: Office, file: Path, given: Alert, replaces: str, before: SealedAlert | None = None) -> None:
    organisation, key, value = office.organisation, office.key, read_value(file)
    sealed.check_pictures(given)
    taken = pictures.develop(file.parent, given.media)
    asked = office.write(
        lambda connection: word.ask(
            connection, organisation, key, SHELL, value, utc_now(), replaces=replaces, before=before, pictures=taken
        )
    )
    _show_draft(office, asked)


def _show_draft(office: Office, asked: Asked) -> None:
    request = asked.row.request
    office.show(
        {"draft": request.id, "published": False, "needed": request.needed, "sisters": list(asked.sisters)},
        [
            f"kept, sealed, as draft {request.id}: it waits for approval and is not published",
            f"words needed  {request.needed}" + (", one of them a sister organisation's" if request.sister else ""),
            "approvers find it at /desk/approvals; exercises and tests are published at once",
        ],
    )


@alert.command()
@common
def drafts(office: Office) -> None:
    """What waits for approval, and what became of it. The texts are sealed; approvers read them at /desk/approvals."""
    organisation = office.organisation

    def shown(connection: Connection, row: Row) -> dict[str, Any]:
        words = approvals.words_of(connection, organisation.did, row.request.id)
        return {
            "draft": row.request.id,
            "state": row.request.state,
            "needed": row.request.needed,
            "sister": row.request.sister,
            "yes": sum(each.verdict == YES for each in words),
            "asked": f"{row.request.made:%Y-%m-%dT%H:%M:%SZ}",
            "outcome": row.outcome,
        }

    def read(connection: Connection) -> list[dict[str, Any]]:
        return [shown(connection, row) for row in approvals.of_state(connection, organisation.did, *STATES)]

    found = office.read(read)
    lines = [f"{each['draft']}  {each['state']:9} {each['yes']}/{each['needed']}  {each['outcome']}" for each in found]
    office.show(found, lines or ["nothing waits"])


def read_value(file: Path) -> JsonObject:
    """The JSON of an alert's file.

    Raises:
        RefusedError: it is none.
    """
    try:
        return parse_document(file.read_bytes(), 1 << 20).value
    except ProtocolError as error:
        raise RefusedError(f"{file.name}: {error.reason}") from error


def read_alert(file: Path) -> Alert:
    """An alert from its file.

    Raises:
        RefusedError: naming every field that is missing or wrong.
    """
    return rules.parse_input(read_value(file))


def on_loopback(office: Office) -> bool:
    """Whether this node speaks to this machine alone: tests and demos."""
    return office.settings.loopback_allowed and _is_loopback(office.organisation.origin)


def _is_loopback(origin: str) -> bool:
    host = origin.partition("://")[2]
    return host.startswith(("127.", "localhost", "[::1]"))


def _show(office: Office, said: Said, done: str) -> None:
    office.show(
        said.shown(),
        [
            f"{done}  {said.reference}",
            f"id         {said.id}",
            f"page       {said.url}",
            f"log entry  {said.sequence}",
        ],
    )


@alert.command()
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that the old key deleted after its last good entry.")
@common
def restore(office: Office, ids: tuple[str, ...], everything: bool) -> None:
    """As the successor of a stolen key: texts that the thief deleted come back on every member.

    Only after consent was asked again: a text that is down may have been dangerous to somebody.
    """
    if bool(ids) == everything:
        raise click.UsageError("name the texts, or say --all")
    organisation, key = office.organisation, office.key
    said = office.write(lambda connection: trust.restore_texts(connection, organisation, key, ids, utc_now()))
    office.show({"id": said.id, "sequence": said.sequence}, "the members are told; a running 'serve' sends it")
