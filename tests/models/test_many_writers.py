"""Our own log takes its places one after another, whoever else writes: no gap, no fork, nothing twice."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from node.models import alerts, documents, logs, organisations
from node.models.base import Database
from node.models.deliveries import payloads
from node.models.keyring import Keyring
from node.models.organisations import Organisation
from node.models.views import View
from tests.models.appending import say
from tests.models.samples import DID, OTHER, chain, entry, settle_in

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def speaker(database, tmp_path) -> tuple[Organisation, Keyring]:
    """An organisation with a key, and an empty log."""
    ring = Keyring(tmp_path / "keys")
    return settle_in(database, did=ring.create().did), ring


def check_whole(database: Database, did: str, expected: int) -> None:
    line = database.read_now(lambda connection: logs.line(connection, did, did))
    assert [link.sequence for link in line] == list(range(1, expected + 1))
    assert {link.epoch for link in line} == {1}
    held = database.read_now(lambda connection: logs.read(connection, did, did, (0, 0), 10_000))
    assert len(held) == len({each.activity_id for each in held}) == expected
    head = database.read_now(lambda connection: logs.head(connection, did, did))
    assert head is not None
    assert (head.sequence, head.digest) == (expected, line[-1].digest)
    assert database.read_now(lambda connection: logs.forked(connection, did)) == frozenset()
    assert database.read_now(lambda connection: documents.evidence_of(connection, did)) == ()
    owed = database.read_now(lambda connection: connection.execute(select(func.count(payloads.c.id))).scalar_one())
    assert owed == expected


def test_eight_threads_append_in_strict_order(database, speaker):
    organisation, ring = speaker
    key = ring.organisation(organisation.did)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: say(organisation, key, f"exercise {number}", database), range(80)))
    assert sorted(each.sequence for each in made) == list(range(1, 81))
    check_whole(database, organisation.did, 80)


def test_two_processes_of_four_threads_append_in_strict_order(database, speaker, url):
    organisation, ring = speaker
    words = [sys.executable, "-m", "tests.models.appending", url, str(ring.folder), organisation.did, "4", "10"]
    both = [subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for each in both:
        _, said = each.communicate(timeout=60)
        assert each.returncode == 0, said
    check_whole(database, organisation.did, 80)


def test_two_writers_of_a_members_log_leave_its_head_at_the_end(url):
    """One takes entries from the inbox while another catches up: neither sees what the other is about to add."""
    first, second = Database(url), Database(url)
    organisation = settle_in(first)
    links = chain(40)

    def keep(database: Database, link):
        def work(connection):
            View(connection, organisation)
            logs.append(connection, DID, entry(link))

        database.write_now(work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: keep(*pair), zip([first, second] * 20, links, strict=True)))
    head = first.read_now(lambda connection: logs.head(connection, DID, OTHER))
    assert head is not None
    assert head.sequence == 40
    first.close()
    second.close()


def test_reference_numbers_are_given_once_from_the_first_on(url):
    databases = [Database(url) for _ in range(4)]

    def number(which: int) -> int:
        return databases[which % 4].write_now(lambda connection: alerts.next_number(connection, DID, "alert 2026"))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(number, range(40))) == list(range(1, 41))
    for database in databases:
        database.close()


def test_an_organisation_that_is_on_hold_does_not_get_into_its_log(database, speaker):
    organisation, ring = speaker
    database.write_now(lambda connection: organisations.set_hold(connection, organisation.did, "restored"))
    with pytest.raises(Exception, match="restored"):
        say(organisation, ring.organisation(organisation.did), "exercise", database)
    assert database.read_now(lambda connection: logs.head(connection, organisation.did, organisation.did)) is None
