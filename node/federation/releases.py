"""What a Release does to rows: the same as its author's own Delete would, wherever the texts come from later."""

from datetime import datetime, timedelta

from node import kinds, releases
from node.effects import HideObject, Release
from node.federation.protocol import ids
from node.federation.protocol.activities import Activity
from node.federation.protocol.replicas import Header
from node.kinds import Surroundings
from node.models import deliveries, logs, withdrawals
from node.models.views import View
from node.models.withdrawals import ReleaseRow

_TEXTS = ("Create", "Update")


def carry_out(view: View, effect: Release, around: Surroundings) -> None:
    """Withdraw these objects: hidden at once, destroyed after 72 hours, and never shown again.

    As with Deletes, more than ten in a day of one author and what is older than 90 days wait for a second word before
    anything is destroyed: whoever stole a key and finds one member to help must not destroy a record.
    """
    connection, org, now = view.connection, view.org, around.now
    if withdrawals.count_by(connection, org, effect.by) + len(effect.objects) > releases.MOST_BY_ONE:
        view.count("releases beyond the bound")
        return
    view.flush_log()
    for name in effect.objects:
        row = ReleaseRow(name, effect.author, effect.by, effect.activity, effect.claimed, now)
        withdrawals.save_release(connection, org, row)
    view.note_released(effect.objects, effect.author)
    for epoch, sequence, content in effect.entries:
        withdrawals.name_entry(connection, org, effect.author, (epoch, sequence), content, now)
    many = withdrawals.releases_since(connection, org, effect.author, now - timedelta(days=1)) > releases.MANY
    author = str(ids.Portable(effect.author, "/actor"))
    for name in effect.objects:
        for entry in logs.of_object(connection, org, effect.author, name):
            if entry.type in _TEXTS or entry.state != logs.HELD:
                later = None if many or entry.received < now - releases.OLD else now + releases.DESTROY_AFTER
                _take(view, entry.header, entry.digest, later, now)
                deliveries.cancel(connection, org, [entry.activity_id or ""])
        kinds.hide_object(view, HideObject(name, author), around)
    view.reload_log()


def is_meant(view: View, activity: Activity) -> bool:
    """Whether an entry is a text that was released before it came here."""
    if activity.type not in _TEXTS or activity.object_id is None or activity.did is None:
        return False
    return view.released_author(activity.object_id) == activity.did


def take_late(view: View, header: Header, digest: str, now: datetime) -> None:
    """A text that was released before it came: kept for 72 hours as any withdrawn one, and never shown."""
    view.flush_log()
    _take(view, header, digest, now + releases.DESTROY_AFTER, now)


def _take(view: View, header: Header, digest: str, destroy_after: datetime | None, now: datetime) -> None:
    withdrawals.name_entry(view.connection, view.org, header.did, header.order, header.content, now)
    logs.hide(view.connection, view.org, [digest], destroy_after)
