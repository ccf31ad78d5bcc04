"""The public page of a network, full: it stays small, its links keep the language, and a copy has nothing to choose."""

import re

import pytest
from starlette.requests import Request

from node import directory, regions
from node.desk.directory import Shown
from node.group_starters import STARTERS
from node.groups import Group
from node.members import MEMBER, Standing
from node.models.fronts import Front
from node.web import directories
from node.web.views import MemberList
from tests.web.test_render import BUDGET, LANGUAGES, RENDERER, ROOM, SERVED, Reader, frame

CODES = tuple(re.findall(r"\w+", "ar ckb fa tr en fr es de it pt ru he ur am sw so ti kmr az ku hi bn zh ja ko"))


def standing(at):
    country = sorted(regions.REGIONS)[at * 7 % len(regions.REGIONS)]
    name = f"جمعية تدريبية للدفاع عن حقوق الإنسان والحريات العامة رقم {at}"
    kind = ("organisation", "coalition", "individual")[at % 3]
    languages = tuple(CODES[(at + step) % len(CODES)] for step in range(4))
    handle = f"@drill{at}@drill{at}.example.org"
    groups = tuple(sorted(STARTERS)[(at + step) % 6] for step in range(at % 6))
    return Standing(
        f"did:{at}", MEMBER, name, kind, country, handle, at % 5 > 0, False, "a", languages, "", groups
    )


MEMBERS = [standing(at) for at in range(400)]
TOLD = directory.tell(directory.unnamed(MEMBERS, "did:own"))
GROUPS = {
    name: Group(
        name, names, name, True, (), "", {each.did: "member" for each in MEMBERS}, (), {}, frozenset(), frozenset()
    )
    for name, names in STARTERS.items()
}
PUBLIC = directory.public(MEMBERS, "did:own", TOLD, GROUPS)
SHOWN = Shown("z", {"ar": "شبكة تدريب", "en": "Exercise net"}, PUBLIC, frozenset())


def view(query="", *, language=None, copied=False):
    request = Request({"type": "http", "query_string": query.encode(), "headers": []})
    return directories.view(request, Front("z", True, ()), SHOWN, language, copied=copied)


def html(found, language="ar", choice=None):
    around = frame("/members", "members", choice=choice)
    return RENDERER.page("members/index.html", LANGUAGES.locales[language], around, members=MemberList((), 0, found))


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("query", ["", "page=2", "kind=coalition&language=ckb", "region=145&page=9"])
def test_the_fullest_page_is_small_and_whole(language, query):
    text = html(view(query, language=language), language, language)
    assert len(text) + SERVED < BUDGET - ROOM, len(text) + SERVED
    for tag, attributes in Reader(text.decode()).tags:
        assert tag != "script" and not [name for name in attributes if name == "style" or name.startswith("on")]
    links = [each for each in re.findall(r'href="([^"]+)"', text.decode()) if each.startswith(("/members", "/join"))]
    assert links and not [each for each in links if f"lang={language}" not in each and "lang=" not in each]


def test_every_named_member_is_on_one_page_and_choices_narrow_it():
    pages, found = [*view().named], view()
    while found.later and len(pages) < len(MEMBERS):
        found = view(found.later.partition("?")[2])
        pages += found.named
    assert pages == list(SHOWN.directory.named) and len(pages) > 3 * directories.PER_PAGE
    assert view("page=99999") == found, "beyond the last stands the last"
    chosen = view("kind=coalition&language=ckb")
    fitting = [each for each in SHOWN.directory.named if each.kind == "coalition" and "ckb" in each.languages]
    assert chosen.total == len(fitting) > 0
    taken = [each for _, choices in chosen.choices for each in choices if each.chosen]
    assert [each.path for each in taken] == ["/members?language=ckb", "/members?kind=coalition"]
    inside = view("group=women")
    assert inside.total == len([each for each in SHOWN.directory.named if "women" in {g.handle for g in each.groups}])
    assert all(each.groups[0].handle == "women" for each in inside.named)
    assert 'aria-current="true">المرأة' in re.sub(r"</?bdi[^>]*>", "", html(inside).decode())
    assert view("kind=<b>&region=zz&page=-1&group=none").total == len(SHOWN.directory.named)


def test_a_copy_has_everybody_and_nothing_to_choose():
    found = view("kind=coalition", copied=True)
    assert (found.named, found.choices, found.form, found.later) == (SHOWN.directory.named, (), False, "")
    assert "/members?" not in re.sub(r'href="/members\?lang=[a-z]+"', "", html(found).decode())
