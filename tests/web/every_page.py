"""Every page of a node: which path shows it in the world of `tests/web/world.py`, and to whom.

A route that is new stands in one of the two tables, or `test_every_page` fails and says so:

- `PAGES`: it answers HTML. One `Visit` for each state that is worth a look; `who` is a key of `World.people`, names in
  braces are keys of `World.paths`. What the page shows is made in `world.py`.
- `NO_PAGES`: it answers something else. A path that does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Visit:
    """One look at a page. `name`: what its picture is called beside the route, where a route has several."""

    path: str
    who: str = "nobody"
    name: str = ""
    status: int = 200
    language: str = ""
    """What it is written in, where that is not the reader's language."""
    press: str = ""
    """A button (CSS) on it: what that leads to is looked at."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """What is filled in before."""


def _case(path: str = "", case: str = "drafted", name: str = "", status: int = 200) -> Visit:
    return Visit(f"/desk/cases/{{{case}}}{path}", "case worker", name, status)


def _ours(path: str = "", alert: str = "free", name: str = "", **more: Any) -> Visit:
    return Visit(f"/desk/alerts/{{{alert}}}{path}", "case worker", name or path.rpartition("/")[2], **more)


def _set_up(at: str, step: str = "", name: str = "", **more: Any) -> Visit:
    return Visit(f"/setup/{{setup_{at}}}{step}", "nobody", name or step[1:], **more)


ALERT = "/alerts/{alert}"
LETTER = ALERT + "/letters/1/ar"
BOSS = "coordinator"
SEND = "form:is(.entry, .request) button[type=submit]"
SERVER = {"server": "@amal@mastodon.example"}

PAGES: dict[str, tuple[Visit, ...]] = {
    "/press": (Visit("/press"),),
    "/": (Visit("/"), Visit("/", "before a lock", "locked", 503)),
    "/alerts": (Visit("/alerts"),),
    "/alerts/page/{number}": (Visit("/alerts/page/2"),),
    "/alerts/{id}": (
        Visit(ALERT),
        Visit("/alerts/{corrected}", name="corrected"),
        Visit("/alerts/{closed}", name="closed"),
        Visit("/alerts/{expired}", name="expired"),
        Visit("/alerts/{theirs}", name="theirs"),
        Visit("/alerts/{withdrawn}", name="withdrawn", status=410),
    ),
    "/alerts/{id}/letters": (Visit(ALERT + "/letters"),),
    "/alerts/{id}/letters/{number}/{language}": (Visit(LETTER),),
    "/alerts/{id}/letters/{number}/{language}/organisation": (Visit(LETTER + "/organisation"),),
    "/alerts/{id}/letters/{number}/{language}/print": (Visit(LETTER + "/print", language="ar"),),
    "/alerts/{id}/letters/{number}/{language}/organisation/print": (
        Visit(LETTER + "/organisation/print", language="ar"),
    ),
    "/bundles": (Visit("/bundles"),),
    "/request": (Visit("/request"),),
    "/request/answer": (
        Visit("/request/answer"),
        Visit("/request/answer", name="opened", press=SEND, fields={"number": "{receipt}"}),
    ),
    "/join": (Visit("/join"),),
    "/join/answer": (
        Visit("/join/answer"),
        Visit("/join/answer", name="opened", press=SEND, fields={"number": "{number}"}),
    ),
    "/members": (Visit("/members"),),
    "/evidence": (Visit("/evidence"),),
    "/organisations/{did}": (Visit("/organisations/{other}"),),
    "/@{handle}": (Visit("/@{handle}"),),
    "/groups": (Visit("/groups"),),
    "/groups/{handle}": (Visit("/groups/women"),),
    "/charters": (Visit("/charters"),),
    "/charters/{page}": (Visit("/charters/{charter}"),),
    "/charters/{page}/compare/{digest}": (Visit("/charters/{charter}/compare/{later}"),),
    "/desk": (
        Visit("/desk", BOSS),
        Visit("/desk", "case worker", "case-worker"),
        Visit("/desk", "unconfirmed", "unconfirmed"),
    ),
    "/desk/sign-in": (Visit("/desk/sign-in"),),
    "/desk/factor": (Visit("/desk/factor", "half"),),
    "/desk/join/{token}": (Visit("/desk/join/{invitation}"), Visit("/desk/join/nothing", name="over", status=404)),
    "/desk/factors": (Visit("/desk/factors", BOSS), Visit("/desk/factors", "beginner", "first")),
    "/desk/factors/passkey": (Visit("/desk/factors/passkey", BOSS),),
    "/desk/people": (Visit("/desk/people", BOSS),),
    "/desk/people/{person}": (Visit("/desk/people/{person}", BOSS),),
    "/desk/approvals": (Visit("/desk/approvals", "approver"), Visit("/desk/approvals", BOSS, "coordinator")),
    "/desk/approvals/{request}": (Visit("/desk/approvals/{request}", "approver"),),
    "/desk/sisters/{token}/{did}": (Visit("/desk/sisters/{sister}/{other}", "approver"),),
    "/desk/cases": (Visit("/desk/cases", "case worker"),),
    "/desk/cases/new": (Visit("/desk/cases/new", "case worker"),),
    "/desk/cases/{case}": (
        _case(),
        _case(case="fresh", name="fresh"),
        _case(case="review", name="review"),
        _case(case="published", name="published"),
    ),
    "/desk/cases/{case}/act/{act}": (
        _case("/act/submit"),
        _case("/act/decline", "fresh", "decline"),
        _case("/act/close", "published", "close"),
        _case("/act/withdraw", "published", "withdraw"),
        _case("/act/correct", "published", "correct"),
    ),
    "/desk/cases/{case}/{form}/{which}": (
        _case("/person/p1"),
        *(
            _case(f"/{form}", name=form.replace("/", "-"))
            for form in (
                "consent/p1", "source/new", "inside/it", "verification/it", "grading/it", "risks/it", "text/en",
                "text/new", "office/0", "perpetrator/new",
            )
        ),
        _case("/outcome/it", "published", "outcome"),
    ),
    "/desk/write": (Visit("/desk/write", "case worker"), Visit("/desk/write", "author", "left")),
    "/desk/networks": (Visit("/desk/networks", BOSS),),
    "/desk/networks/{network}": (Visit("/desk/networks/{network}", BOSS),),
    "/desk/networks/{network}/answer": (Visit("/desk/networks/{network}/answer", BOSS),),
    "/desk/networks/{network}/words/{did}": (Visit("/desk/networks/{network}/words/{other}", BOSS),),
    "/desk/networks/{network}/sheet/{invitation}": (Visit("/desk/networks/{network}/sheet/{sheet}", BOSS),),
    "/desk/groups": (Visit("/desk/groups", BOSS),),
    "/desk/groups/{group}": (Visit("/desk/groups/{group}", BOSS),),
    "/desk/groups/{group}/drafts/{draft}": (Visit("/desk/groups/{group}/drafts/{draft}", BOSS),),
    "/desk/groups/{group}/plans/{year}": (Visit("/desk/groups/{group}/plans/2027", BOSS),),
    "/desk/charters": (Visit("/desk/charters", BOSS),),
    "/desk/charters/{page}": (Visit("/desk/charters/{charter}", BOSS),),
    "/desk/networks/{network}/directory": (Visit("/desk/networks/{network}/directory", BOSS),),
    "/desk/joinings/{joining}": (Visit("/desk/joinings/{joining}", BOSS),),
    "/desk/network": (Visit("/desk/network", "case worker"),),
    "/desk/network/{page}": (Visit("/desk/network/{sealed}", "case worker"),),
    "/desk/custody": (Visit("/desk/custody", "approver"),),
    "/desk/withdrawals": (Visit("/desk/withdrawals", BOSS),),
    "/desk/withdrawals/{page}": (Visit("/desk/withdrawals/{withdrawn}", BOSS),),
    "/desk/offers": (Visit("/desk/offers", "case worker"),),
    "/follow": (
        Visit("/follow"),
        Visit("/follow", name="wrong", status=422, press=SEND, fields={"server": "nothing"}),
    ),
    "/@{handle}/follow": (
        Visit("/@{handle}/follow"),
        Visit("/@{handle}/follow", name="links", press=SEND, fields=SERVER),
    ),
    "/organisations/{did}/follow": (Visit("/organisations/{other}/follow"),),
    "/groups/{handle}/follow": (Visit("/groups/women/follow"),),
    "/moderators": (Visit("/moderators"),),
    "/search": (
        Visit("/search"),
        Visit("/search?q=%D8%AA%D9%85%D8%B1%D9%8A%D9%86", name="found"),
        Visit("/search?q=zqzq", name="nothing"),
    ),
    "/desk/search": (
        Visit("/desk/search", "case worker"),
        Visit("/desk/search", "case worker", "found", press=SEND, fields={"q": "تمرين"}),
        Visit("/desk/search", "case worker", "nothing", press=SEND, fields={"q": "zqzq"}),
    ),
    "/desk/sign-in/shared": (Visit("/desk/sign-in/shared"),),
    "/desk/lock": (Visit("/desk/lock", BOSS), Visit("/desk/lock", name="phone")),
    "/desk/unlock": (Visit("/desk/unlock", "who unlocks"),),
    "/desk/start": (Visit("/desk/start", BOSS),),
    "/desk/hosting": (
        Visit("/desk/hosting", BOSS),
        Visit("/desk/hosting", BOSS, "made", press=SEND, fields={"host": "next.example"}),
        Visit("/desk/hosting", BOSS, "refused", 409, press=SEND, fields={"host": "no name"}),
    ),
    "/setup/{token}": (_set_up("new"),),
    "/setup/{token}/{step}": (
        _set_up("new", "/organisation"),
        _set_up("new", "/organisation", "organisation-refused", status=409, press=SEND),
        _set_up("described", "/sheets", "sheets-choice"),
        _set_up("whole", "/sheets", "sheets-whole"),
        _set_up("parts", "/sheets", "sheets-parts"),
        _set_up("parts", "/check"),
        _set_up("whole", "/check", "check-refused", status=409, press=SEND, fields={"line0": "1", "line1": "2"}),
        _set_up("copied", "/person"),
    ),
    "/setup/{token}/restore": (
        Visit("/setup/{setup_empty}/restore", "newcomer"),
        Visit("/setup/{setup_restored}/restore", "newcomer", "found"),
    ),
    "/desk/recovery": (
        Visit("/desk/recovery", BOSS),
        Visit("/desk/recovery", BOSS, "refused", 409, press=SEND, fields={"sheet": "1/7 AAA"}),
        *(Visit("/desk/recovery", f"recovery {step}", step) for step in ("form", "printed", "lines", "go-on")),
    ),
    "/desk/node/audit": (Visit("/desk/node/audit", BOSS),),
    "/desk/node/audit/{before:int}": (Visit("/desk/node/audit/5", BOSS),),
    "/desk/cases/{case}/guide": (
        _case("/guide", "fresh"),
        _case("/guide", name="drafted"),
        _case("/guide", "review", name="review"),
    ),
    "/desk/cases/{case}/guide/{form}/{which}": (_case("/guide/text/new"), _case("/guide/person/new", name="person")),
    "/desk/alerts": (Visit("/desk/alerts", "case worker"), Visit("/desk/alerts", BOSS, "coordinator")),
    "/desk/alerts/in/{state}": tuple(
        Visit(f"/desk/alerts/in/{state}", "case worker", state) for state in ("due", "closed", "members")
    ),
    "/desk/alerts/{page}": (
        _ours(),
        _ours(alert="alert", name="rich"),
        _ours(alert="closed", name="closed"),
        _ours(alert="members_only", name="members"),
        _ours(alert="signable", name="theirs"),
        _ours(alert="of_case", name="case"),
    ),
    "/desk/alerts/{page}/board": (_ours("/board", "alert"), _ours("/board", "members_only", "members")),
    "/desk/alerts/{page}/act/{act}": (
        *(_ours(f"/act/{act}") for act in ("correct", "close", "answer", "sign-on", "custody", "withdraw")),
        _ours("/act/deliver", "alert"),
        _ours("/act/endorse", "signable"),
        _ours("/act/unendorse", "signed"),
        _ours("/act/answer", name="refused", status=409, press=SEND),
    ),
    "/desk/alerts/{page}/text/{act}": (
        _ours("/text/news"),
        _ours("/text/update"),
        _ours("/text/update", name="preview", press=SEND, fields={"nobody": "yes"}),
    ),
    "/desk/timeline": (Visit("/desk/timeline", BOSS),),
    "/desk/timeline/page/{number:int}": (Visit("/desk/timeline/page/2", BOSS),),
    "/desk/timeline/{sort}": (Visit("/desk/timeline/keys", BOSS), Visit("/desk/timeline/decisions", BOSS, "decisions")),
    "/desk/timeline/{sort}/page/{number:int}": (Visit("/desk/timeline/alerts/page/2", BOSS),),
    "/desk/notices": (
        Visit("/desk/notices", BOSS),
        Visit("/desk/notices", "case worker", "feed", press="button[value=renew]"),
    ),
    "/desk/members": (Visit("/desk/members", BOSS),),
    "/desk/members/{did}": (Visit("/desk/members/{other}", BOSS), Visit("/desk/members/{frozen}", BOSS, "frozen")),
    "/desk/evidence": (Visit("/desk/evidence", BOSS),),
    "/desk/evidence/page/{number:int}": (Visit("/desk/evidence/page/2", BOSS),),
    "/desk/evidence/refusals": (Visit("/desk/evidence/refusals", BOSS),),
    "/desk/evidence/refusals/page/{number:int}": (Visit("/desk/evidence/refusals/page/2", BOSS),),
    "/desk/evidence/reports": (Visit("/desk/evidence/reports", BOSS),),
    "/desk/evidence/reports/page/{number:int}": (Visit("/desk/evidence/reports/page/2", BOSS),),
    "/desk/choices": (
        Visit("/desk/choices", BOSS),
        Visit("/desk/choices", BOSS, "asked", press="form [type=hidden][value=ask] ~ p button"),
    ),
    "/desk/following": (Visit("/desk/following", BOSS),),
    "/desk/organisation": (
        Visit("/desk/organisation", BOSS),
        Visit("/desk/organisation", BOSS, "refused", 409, press=SEND, fields={"name": " "}),
    ),
    "/desk/node": (
        Visit("/desk/node", BOSS),
        Visit("/desk/node", BOSS, "compared", press="form[action$='/node'] button"),
    ),
    "/desk/replies": (Visit("/desk/replies", "case worker"), Visit("/desk/replies", "approver", "approver")),
    "/desk/replies/{reply}": (
        Visit("{plea}", "case worker"),
        Visit("{evidence}", "case worker", "evidence"),
    ),
    "/desk/replies/{reply}/{way}": (
        *(Visit(f"{{evidence}}/{way}", "case worker", way) for way in ("destroy", "export")),
        *(Visit(f"{{plea}}/{way}", "case worker", way) for way in ("case", "report", "block")),
        Visit("{evidence}/export", "case worker", "refused", 409, press=SEND),
    ),
    "/{rest:path}": (Visit("/no/such/page", status=404),),
}  # fmt: skip

GATE = "/.well-known/apgateway/"
BOOST = "/actors/alerts"

NO_PAGES: dict[str, str] = {
    "/.well-known/apgateway/hl:{digest}": GATE + "hl:nothing",
    "/.well-known/apgateway/{did}/{path:path}": GATE + "{did}/actor",
    "/.well-known/webfinger": "/.well-known/webfinger?resource=acct:nobody@nowhere.example",
    "/actors/alerts": BOOST,
    "/actors/alerts/outbox": BOOST + "/outbox",
    "/actors/alerts/followers": BOOST + "/followers",
    "/actors/alerts/activities/{token}": BOOST + "/activities/nothing",
    "/actors/alerts/notes/{token}": BOOST + "/notes/nothing",
    "/actor": "/actor",
    "/actor/outbox": "/actor/outbox",
    "/alerts/{id}/cap": ALERT + "/cap",
    "/alerts.atom": "/alerts.atom",
    "/alerts.json": "/alerts.json",
    "/alerts/cap": "/alerts/cap",
    "/alerts/{id}/bundle": ALERT + "/bundle",
    "/alerts/{id}/qr.svg": ALERT + "/qr.svg",
    "/evidence/{number}": "/evidence/{finding}",
    "/organisations/{did}/alerts.atom": "/organisations/{other}/alerts.atom",
    "/organisations/{did}/alerts.json": "/organisations/{other}/alerts.json",
    "/groups/{handle}.atom": "/groups/women.atom",
    "/groups/{handle}.json": "/groups/women.json",
    "/charters/{page}/bundle": "/charters/{charter}/bundle",
    "/desk/factors/qr.svg": "/desk/factors/qr.svg",
    "/desk/approvals/{request}/{size}/{number:int}": "/desk/approvals/{request}/small/1",
    "/desk/sisters/{token}/{did}/pictures/{number:int}": "/desk/sisters/{sister}/{other}/pictures/1",
    "/desk/networks/{network}/sheet/{invitation}/qr.svg": "/desk/networks/{network}/sheet/{sheet}/qr.svg",
    "/desk/groups/{group}/calendar.ics": "/desk/groups/{group}/calendar.ics",
    "/desk/networks/{network}/directory.csv": "/desk/networks/{network}/directory.csv",
    "/desk/networks/{network}/directory.json": "/desk/networks/{network}/directory.json",
    "/static/{name}": "/static/icon.svg",
    "/.well-known/nodeinfo": "/.well-known/nodeinfo",
    "/nodeinfo/2.1": "/nodeinfo/2.1",
    "/.well-known/host-meta": "/.well-known/host-meta",
    "/desk/notices/{token}.atom": "/desk/notices/{feed}.atom",
    "/desk/evidence/{number:int}/document": "/desk/evidence/{piece}/document",
    "/healthz": "/healthz",
    "/healthz/host": "/healthz/host?domain=nothing",
    "/metrics": "/metrics",
}

WHO: dict[str, str] = {
    "/desk/factors/qr.svg": "beginner",
    "/desk/approvals/{request}/{size}/{number:int}": "approver",
    "/desk/sisters/{token}/{did}/pictures/{number:int}": "approver",
}
"""Who opens what is no page, where it is not a coordinator."""
CLOSED = ("/.well-known/webfinger", "/metrics", "/healthz/host")
"""What answers nobody here."""


def picture_name(route: str, visit: Visit) -> str:
    """A file's name for a look at a page: `desk-cases-case-fresh`."""
    words = "".join(each if each.isalnum() else " " for each in route).split() or ["home"]
    return "-".join([*words, visit.name] if visit.name else words)
