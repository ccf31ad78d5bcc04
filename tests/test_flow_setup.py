"""From an empty directory to an organisation, in the browser alone: real processes, and forms as browsers send them."""

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from node import people_factors, recovery, recovery_parts
from node.models import organisations
from node.models.base import Database
from tests.support.desk import PASSWORD
from tests.support.processes import TADAMUN, Node, Process, request, wait_until

ASKED = {
    "name": "منظمة الواحة (تدريب)", "handle": "waha", "language": "ar", "country": "IQ", "summary": "EXERCISE",
    "hold": "yes",
}  # fmt: skip


class SettingUp:
    """`tadamun serve` on an empty directory, and a browser without a script before it."""

    def __init__(self, folder: Path, host: str = "127.5.0.1", port: int | None = None) -> None:
        self.node = Node(folder / "data", host, port)
        self.log = folder / "serve.log"
        words = [str(TADAMUN), "serve", "--bind", f"{host}:{self.node.port}"]
        self.process = Process(words, self.log, self.node._environment())
        self.process.wait_ready(f"{self.node.origin}/healthz")
        self.base = self.address()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.running:
            self.process.stop()

    def address(self):
        found = re.findall(r"(http://\S+/setup/\S+)", self.log.read_text())
        assert found, self.log.read_text()
        return urlsplit(found[-1]).path

    def get(self, step=""):
        return self.node.get(self.base + step, Accept_Language="en")

    def post(self, step, fields, origin=None):
        headers = {
            "Content-Type": "application/x-www-form-urlencoded", "Origin": origin or self.node.origin,
            "Accept-Language": "en",
        }  # fmt: skip
        body = urlencode(fields, doseq=True).encode()
        return request("POST", self.node.origin + self.base + step, body=body, headers=headers)

    def describe(self, **changes):
        return self.post("/organisation", {**ASKED, "origin": self.node.origin, **changes})

    def sheets(self):
        page = self.get("/sheets").body.decode()
        papers = re.findall(r"<section class=\"paper\".*?</section>", page, re.S)
        return ["\n".join(map(unescape, re.findall(r"<pre dir=\"auto\">(.*?)</pre>", each, re.S))) for each in papers]

    def copied(self, sheets):
        """The wanted lines, as somebody reads them from paper."""
        labels = re.findall(r'<label for="line(\d)">(.*?)</label>', self.get("/check").body.decode())
        lines = {}
        for field, label in labels:
            plain = re.sub("<[^>]+>", "", label)
            number, of = map(int, re.search(r"(\d+)/(\d+)", plain).groups())
            name = re.search(r"Sheet ([ABC])", plain)
            sheet = sheets["ABC".index(name[1]) if name else 0]
            lines[f"line{field}"] = re.search(rf"{number}/{of} +(\S+ \S+ \S+)", sheet)[1].lower()
        return lines


@pytest.fixture
def setting_up(tmp_path):
    with SettingUp(tmp_path) as found:
        yield found


def status(answer):
    return answer.status, answer.headers.get("location", "")


@pytest.mark.parametrize("form", ["whole", "parts"])
def test_an_organisation_is_set_up_and_its_first_person_is_invited(setting_up, form):
    page, base = setting_up, setting_up.base
    assert page.get().status == 200
    assert status(page.get("/check")) == (303, f"{base}/organisation"), "what is not done yet comes first"
    refused = page.describe(handle="مكتب", name="")
    assert refused.status == 409
    assert "The short name takes 1 to 30" in refused.body.decode()
    assert "The name takes one line" in refused.body.decode()
    assert 'value="IQ" selected' in refused.body.decode(), "what was typed is still there"
    assert status(page.describe()) == (303, f"{base}/sheets")
    assert status(page.post("/sheets", {"form": form})) == (303, f"{base}/sheets")
    sheets = page.sheets()
    assert len(sheets) == (1 if form == "whole" else 3)
    lines = page.copied(sheets)
    wrong = {name: each.replace(each[0], "0" if each[0] != "0" else "1", 1) for name, each in lines.items()}
    refused = page.post("/check", wrong)
    assert refused.status == 409
    assert "is not what stands on the sheet" in refused.body.decode()
    assert not list((page.node.data / "keys").glob("*")), "no key touches the disk before the sheet is on paper"
    assert status(page.post("/check", lines)) == (303, f"{base}/person")
    assert not page.sheets(), "the sheet has left the machine's memory"
    made = page.post("/person", {"person": "زينب (تدريب)", "role": "author"})
    assert made.status == 303
    link = made.headers["location"]
    assert link.startswith(f"{page.node.origin}/desk/join/")
    # The process begins anew; whoever asks meanwhile waits at the socket.
    invited = request("GET", link, timeout=60.0)
    assert invited.status == 200
    assert "زينب (تدريب)" in invited.body.decode()
    wait_until(lambda: "waha" in page.log.read_text(), "the node has begun anew")
    assert page.get().status == 404, "the link opens nothing any more"
    key = recovery_parts.read_key(sheets[:1] if form == "whole" else sheets[1:])
    found = only_organisation(page.node.data)
    assert recovery.commitment(key) == found.recovery
    assert (found.name, found.handle, found.country) == (ASKED["name"], "waha", "IQ")
    assert key.seed not in (page.node.data / "node.sqlite").read_bytes()
    policies = page.node.cli("policy", json=True)
    assert "IQ" in str(policies), "alerts about our country are held, and not shown"
    fields = {"password": PASSWORD, "again": PASSWORD}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": page.node.origin}
    joined = request("POST", link, body=urlencode(fields).encode(), headers=headers)
    assert joined.status == 303
    assert page.node.get("/").status == 200


def test_a_stranger_and_another_site_get_nowhere(setting_up):
    page = setting_up
    other = page.base[:-1] + ("A" if page.base[-1] != "A" else "B")
    assert page.node.get(other).status == 404
    assert page.node.get("/setup/x").status == 404
    assert page.describe(origin="https://elsewhere.example").status in (303, 409)
    answer = page.post("/organisation", {**ASKED, "origin": page.node.origin}, origin="https://evil.example")
    assert answer.status == 403
    assert page.node.get("/").status == 404
    assert page.node.get("/alerts").status == 404
    inbox = request("POST", page.node.origin + "/inbox", body=b"{}", headers={"Content-Type": "application/json"})
    assert 400 <= inbox.status < 500


def test_two_presses_of_the_last_button_make_one_organisation(setting_up):
    page = setting_up
    page.describe()
    page.post("/sheets", {"form": "whole"})
    page.post("/check", page.copied(page.sheets()))
    answers = [page.post("/person", {"person": "A (exercise)"}) for _ in range(2)]
    assert answers[0].status == 303
    assert answers[1].status in (303, 404, 409)
    assert only_organisation(page.node.data).handle == "waha"


def test_a_set_up_that_was_left_begins_again_after_a_crash(tmp_path):
    with SettingUp(tmp_path) as page:
        page.describe()
        page.post("/sheets", {"form": "whole"})
        page.process.kill()
    with SettingUp(tmp_path) as page:
        assert status(page.get("/sheets")) == (303, f"{page.base}/organisation")
        assert page.get().status == 200


def only_organisation(data):
    database = Database(f"sqlite:///{data / 'node.sqlite'}")
    try:
        (found,) = wait_until(lambda: database.read_now(organisations.all_of), "the organisation is there")
    finally:
        database.close()
    return found




def test_a_lock_begins_the_process_anew_and_outlives_it(tmp_path):
    with Node(tmp_path / "data", "127.5.0.3") as node:
        invited = node.cli("user", "add", "Zainab (exercise)", "--role", "coordinator", json=True)
        link = invited["link"]
        database = Database(f"sqlite:///{node.data / 'node.sqlite'}")
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": node.origin}

        def post(path, fields, cookie=""):
            sent = headers | ({"Cookie": cookie} if cookie else {})
            return request("POST", node.origin + path, body=urlencode(fields).encode(), headers=sent, timeout=60)

        joined = post(urlsplit(link).path, {"password": PASSWORD, "again": PASSWORD})
        cookie = joined.headers["set-cookie"].partition(";")[0]
        page = node.get("/desk/factors", Cookie=cookie).body.decode()
        token = re.search(r'name="form" value="([0-9a-f]+)"', page)[1]
        secret = re.search(r">([A-Z2-7]{32})<", page)[1]
        code = people_factors.totp_code(secret, datetime.now(UTC))
        enrolled = post("/desk/factors/totp", {"form": token, "code": code}, cookie).body.decode()
        paper = re.findall(r">([a-z2-7]{4}(?:-[a-z2-7]{4}){3})<", enrolled)
        before = node.pid
        locked = post("/desk/lock", {"name": "Zainab (exercise)", "password": PASSWORD, "code": paper[0]})
        assert locked.status == 503, locked.body
        node.wait_until(lambda: node.tail().count("event=node.started") == 2, "the process began anew")
        assert node.pid == before
        assert node.get("/").status == 503
        node.kill()
        node.start()
        assert node.get("/alerts").status == 503
        (found,) = database.read_now(organisations.all_of)
        assert found.locked is not None
        database.close()
