"""Holds strangers' replies, sealed from the first row on to those who review. What is held is `replies`' part."""

import secrets
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from node import replies as rules
from node.effects import Accept, Decision, HoldReply, LoseReply, Refuse
from node.federation.protocol import ids, sealing
from node.federation.protocol.activities import Activity
from node.models import contacts, documents, replies, rooms
from node.models.queues import Incoming
from node.models.replies import ReplyRow
from node.models.views import View
from node.moments import hour_of
from node.people import APPROVALS
from node.replies import Allowance, Received

FULL = "replies not kept: too many of one account or server in a day"
"""The counter of what found no room."""


class ReplyKeeper:
    """One for each node; how much came of whom it forgets when the node stops."""

    def __init__(self) -> None:
        self._allowance = Allowance()

    def hold(self, view: View, effect: HoldReply, row: Incoming, now: datetime) -> None:
        """Seal one reply, or a new version of one that is held."""
        room = rooms.recipient(view.connection, view.org, APPROVALS)
        if room is None:
            return
        if not self._allowance.take(view.org, row.via, effect.author, now):
            view.count(FULL)
            return
        actor = documents.actor(view.connection, effect.author)
        received = Received(
            raw=row.body, host=row.via, key_id=row.key_id, hour=hour_of(now), request=row.request or b"",
            actor=actor.document.raw if actor else b"",
        )  # fmt: skip
        _keep(view, effect, sealing.seal(received.render(), (room,)), now)


def _keep(view: View, effect: HoldReply, sealed: bytes, now: datetime) -> None:
    connection, org = view.connection, view.org
    salt, hour = replies.make_salt(connection, org), hour_of(now)
    tag = rules.tag(salt, effect.object_id)
    held = replies.by_tag(connection, org, tag)
    if held is None:
        made = ReplyRow(
            name=secrets.token_hex(16), tag=tag, author=rules.author_tag(salt, tag, effect.author), about=effect.about,
            hour=hour, state=rules.WAITING, version=1, due=hour + rules.UNREAD_FOR, asked=False, deleted=False,
            review=b"",
        )  # fmt: skip
        replies.add(connection, org, made, sealed)
        return
    replies.add_version(connection, org, held, sealed, rules.MAX_VERSIONS)
    state = rules.changed(held.state)
    replies.save(connection, org, replace(held, state=state, due=rules.due(state, hour, now)))


def forgets_sender(activity: Activity, decision: Decision) -> bool:
    """Whether nothing of the queue may say who sent it: what waits for review rests sealed."""
    effects = decision.effects if isinstance(decision, Accept) else ()
    held = any(isinstance(effect, HoldReply | LoseReply) for effect in effects)
    refused = isinstance(decision, Refuse) and decision.spec == rules.SPEC
    return held or refused or rules.leaves_no_row(activity)


def forget_stranger(connection: Connection, actor: str) -> None:
    """The document of somebody who is nobody to us says who wrote: it is asked for again when it is needed."""
    if ids.portable(actor) is None and not contacts.is_known(connection, actor):
        documents.forget_actor(connection, actor)
