"""Answers private messages with the safe ways of this node, so often and no more. What to say is `greetings`' part."""

from datetime import datetime

from node.effects import Greet
from node.federation import outbox
from node.federation.protocol.keys import OrganisationKey
from node.greetings import Answered, Ways, render
from node.models import documents
from node.models.organisations import Organisation
from node.models.views import View


class Greeter:
    """One for each node; it forgets whom it answered when the node stops."""

    def __init__(self, *, requests: bool, channels: str) -> None:
        """What the settings of the node say.

        Args:
            requests: there is a page for confidential requests.
            channels: other safe ways, for an organisation that names none itself.
        """
        self._requests = requests
        self._channels = channels
        self._answered = Answered()

    def answer(self, view: View, key: OrganisationKey, effect: Greet, now: datetime) -> None:
        """Queue the answer to one sender, if they had none today."""
        if not self._answered.may(view.org, effect.to, now):
            return
        organisation = view.organisation
        actor = documents.actor(view.connection, effect.to)
        to = actor.uri if actor else effect.to
        name = organisation.at(f"/objects/{outbox.token()}")
        note = render(name, organisation.uri, organisation.origin, to, self._ways(organisation), now)
        outbox.send(view.connection, organisation, key, "Create", note, to=to, inbox=effect.inbox, now=now)

    def _ways(self, organisation: Organisation) -> Ways:
        page = "/request" if self._requests and organisation.requests else ""
        return Ways(page, organisation.safe_channels or self._channels)
