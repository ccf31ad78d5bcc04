"""The clock's part with cases: what lapsed stops, what is over is deleted with its bytes. It opens nothing.

A case that is deleted takes the alert that was published from it back: nobody could look after its consent any more.
"""

from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from node import log
from node.desk import cases as desk
from node.desk import casework
from node.errors import RefusedError
from node.models import organisations
from node.models.base import Database
from node.models.keyring import Keyring


async def run(database: Database, keyring: Keyring, now: datetime, *, unscrubbed: bool = False) -> bool:
    """Once an hour.

    Args:
        unscrubbed: what the time before returned.

    Returns:
        Whether bytes of what was deleted may still lie in SQLite's write-ahead log.
    """
    done = await database.write(partial(desk.lapse_due, now=now))
    for org, case, alert in done.withdraw:
        await database.write(partial(_take_back, keyring, org, case, alert, now))
    if done.stopped or done.deleted:
        log.info("cases.clock", stopped=done.stopped, deleted=done.deleted)
    if done.deleted or done.withdraw or unscrubbed:
        return not await database.scrub()
    return False


def _take_back(keyring: Keyring, org: str, case: str, alert: str, now: datetime, connection: Connection) -> None:
    found = next((each for each in organisations.all_of(connection) if each.did == org), None)
    if found is not None:
        try:
            casework.take_back(connection, found, keyring.organisation(org), alert, now)
        except RefusedError as error:
            if found.hold:
                return  # tried again in an hour: publishing is on hold
            log.info("cases.alert_gone", reason=error)
    desk.finish(connection, org, case)
