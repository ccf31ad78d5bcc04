"""What is owed to other servers, host by host: for whoever looks after the machine."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from node.models.deliveries import FAILED, WAITING, deliveries, hosts

_MOST = 50


@dataclass(frozen=True, slots=True)
class Backlog:
    """One host that has not got everything."""

    host: str
    waiting: int
    failed: int
    """Given up within the last week."""
    failures: int
    """Tries in a row that failed."""
    closed_until: datetime | None
    """It is left alone until then."""


def of(connection: Connection, org: str) -> tuple[Backlog, ...]:
    """The hosts to which most is owed first; at most fifty."""
    waiting = func.sum(case((deliveries.c.state == WAITING, 1), else_=0))
    failed = func.sum(case((deliveries.c.state == FAILED, 1), else_=0))
    query = (
        select(deliveries.c.host, waiting, failed, func.coalesce(hosts.c.failures, 0), hosts.c.closed_until)
        .outerjoin(hosts, (hosts.c.org == "") & (hosts.c.host == deliveries.c.host))
        .where(deliveries.c.org == org, deliveries.c.state.in_((WAITING, FAILED)))
        .group_by(deliveries.c.host, hosts.c.failures, hosts.c.closed_until)
        .order_by(waiting.desc(), failed.desc(), deliveries.c.host)
        .limit(_MOST)
    )
    return tuple(Backlog(*row) for row in connection.execute(query))
