"""Whose word counts on this node's lists, and how far its copies of the logs reach."""

from sqlalchemy import Connection

from node.models import contacts, logs
from node.models.organisations import Organisation
from node.rolls import Place, Standing


def roll_of(connection: Connection, organisation: Organisation) -> dict[str, Standing]:
    """did → how it stands here: ourselves, members, and those that a member succeeded."""
    roll = {organisation.did: Standing(organisation.listed, None, organisation.successor or None)}
    for member in contacts.members_of(connection, organisation.did, all_states=True):
        if member.state in (contacts.MEMBER, contacts.SUCCEEDED):
            roll[member.did] = Standing(member.listed, member.frozen, member.successor)
    return roll


def heads_of(connection: Connection, organisation: Organisation) -> dict[str, Place]:
    """did → the last entry of its log that counts here."""
    table = logs.head_table(connection, organisation.did)
    return {did: (head.epoch, head.sequence, head.digest) for did, head in table.items()}
