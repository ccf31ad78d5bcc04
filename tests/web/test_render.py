"""What every page keeps to: escaping, cleaning, no inline anything, honest words, the byte budget."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from node.web.languages import Languages
from node.web.render import STATIC, TEMPLATES, Renderer, clean, on_the_web, plain, pressed
from node.web.views import AlertList, HomeView, MemberList, PressView
from tests.web.samples import FEEDS, NAMES, PAGES, card, frame, members, mixed, organisation, page, twenty

LANGUAGES = Languages()
RENDERER = Renderer(LANGUAGES)
CSS = (STATIC / "site.css").read_text()
SERVED = len(RENDERER.file("site.css")[0])
BUDGET = 30_000
ROOM = 600
"""For three more languages in the switch."""
FORMS = {
    "request", "answer", "follow", "follow-links", "follow-wrong", "bundles", "bundles-done", "join", "join-answer",
    "alerts", "alerts-full", "alerts-empty",
}  # fmt: skip
VOID = {"meta", "link", "br", "img", "input", "hr"}


def html(name: str, code: str = "ar") -> str:
    template, around, views = PAGES[name]
    return RENDERER.page(template, LANGUAGES.locales[code], around, **views).decode()


def alert(code: str = "ar", **changes: object) -> str:
    return RENDERER.page("alerts/alert.html", LANGUAGES.locales[code], frame("/a"), alert=page(**changes)).decode()


def listing(code: str = "ar", **changes: object) -> str:
    views = {"list": AlertList((card(0, **changes),))}
    return RENDERER.page("alerts/index.html", LANGUAGES.locales[code], frame("/alerts"), **views).decode()


every_page = pytest.mark.parametrize("name", PAGES)
each_language = pytest.mark.parametrize("code", LANGUAGES.whole)


class Reader(HTMLParser):
    """Checks that elements close in order, and keeps what stands in the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@every_page
@each_language
def test_every_page_is_whole_and_names_its_language(name, code):
    text = html(name, code)
    reader = Reader(text)
    assert text.startswith("<!DOCTYPE html>")
    assert reader.all("html") == [{"lang": code, "dir": "rtl" if code == "ar" else "ltr"}]
    assert len(reader.all("h1")) == 1
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes.get("aria-labelledby", ids[0]) for _, attributes in reader.tags} <= {*ids}


@every_page
@each_language
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(name, code):
    for tag, attributes in Reader(html(name, code)).tags:
        assert tag not in {"script", "style", "iframe", "object", "base"}
        assert tag != "form" or name in FORMS
        if tag == "img":
            assert attributes["src"].startswith("/.well-known/apgateway/hl:")
            assert attributes["loading"] == "lazy"
            assert attributes["alt"] and attributes["width"] and attributes["height"]
        assert not {key for key in attributes if key == "style" or key.startswith("on")}
        if tag == "link":
            assert attributes["href"].startswith("/")


@every_page
def test_a_chosen_language_goes_on_in_every_link_of_ours(name):
    template, around, views = PAGES[name]
    text = RENDERER.page(template, LANGUAGES.locales["en"], replace(around, choice="en"), **views).decode()
    files = {feed.path for feed in FEEDS} | {shown.path for shown in page().pictures} | {"/evidence/1"}
    ours = [a["href"] for a in Reader(text).all("a") if a["href"].startswith("/") and a["href"] not in files]
    assert ours
    others = {f"{around.path}?lang={code}" for code in LANGUAGES.available if code != "en"}
    elsewhere = {href for href in ours if not href.endswith("?lang=en") and not href.startswith("/alerts.")}
    assert elsewhere == others


@every_page
def test_without_a_choice_only_the_switch_has_a_query(name):
    hrefs = [a["href"] for a in Reader(html(name)).all("a") if re.match(r"/[^?]*\?", a["href"])]
    feeds = [f"/alerts.{kind}?lang={lang}" for lang in ("ar", "en") for kind in ("atom", "json")]
    switch = [f"{PAGES[name][1].path}?lang={code}" for code in LANGUAGES.available if code != "ar"]
    assert [href for href in hrefs if href not in feeds] == switch


@every_page
def test_the_reader_of_a_frame_sees_its_words_apart_and_what_else_the_rest_can_stand_in(name):
    template, around, views = PAGES[name]
    locale = LANGUAGES.framed["ckb.en"]
    text = RENDERER.page(template, locale, replace(around, choice="ckb.en"), **views).decode()
    reader = Reader(text)
    assert reader.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert '<bdi lang="ckb" dir="auto">ئەندامان</bdi>' in text
    ways = [a["href"].partition("?lang=")[2] for a in reader.all("a") if a["href"].startswith(f"{around.path}?")]
    rest = [code for code in LANGUAGES.whole if code != "en"]
    assert [way for way in ways if way != "ckb.en"] == [*LANGUAGES.whole, *(f"ckb.{code}" for code in rest)]
    assert "ckb" not in [link.get("hreflang") for link in reader.all("link")]


def test_no_template_has_words_outside_the_catalogue():
    for template in TEMPLATES.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template.read_text(), flags=re.S)
        text = re.sub(r"<[^>]*>", "", text)
        assert re.findall(r"[^\W\d_]+", text) == [], template


def test_a_name_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError):
        RENDERER.page("members/index.html", LANGUAGES.default, frame("/members"), members=SimpleNamespace(total=0))


@pytest.mark.parametrize(
    ("given_html", "cleaned"),
    [
        ("<p>one</p>", '<p dir="auto">one</p>'),
        ("<p lang='ar'>one</p>", '<p lang="ar" dir="auto">one</p>'),
        ("<p onclick='x()' style='color:red' class='a' id='b'>one</p>", '<p dir="auto">one</p>'),
        ("<script>x()</script>two", "two"),
        ("<style>p{}</style>two", "two"),
        ("<img src=https://drill0.example/a.png>two", "two"),
        ("<iframe src=https://drill0.example></iframe>two", "two"),
        ("<svg onload=x()>two</svg>", "two"),
        ("<h1>big</h1>", "big"),
        ("<form><input name=a></form>two", "two"),
        ('<a href="javascript:x()">go</a>', '<a rel="nofollow noopener noreferrer">go</a>'),
        ('<a href="data:text/html,x">go</a>', '<a rel="nofollow noopener noreferrer">go</a>'),
        (
            '<a href="https://drill0.example/" target=_blank title=t>go</a>',
            '<a href="https://drill0.example/" rel="nofollow noopener noreferrer">go</a>',
        ),
        ("<p>open <b>bold", '<p dir="auto">open <b>bold</b></p>'),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\u2068b\u2069", "a\u2068b\u2069"),
    ],
)
def test_foreign_html_is_cleaned(given_html, cleaned):
    assert clean(given_html) == cleaned


@given(st.text(alphabet="<>/=\"' aphrefscriptjv:onx&;!-\u202e", max_size=120))
def test_no_foreign_html_leaves_a_door_open(text):
    cleaned = clean(text)
    assert not re.search(r"<(?!/?(?:p|br|a|strong|em|b|i|del|ul|ol|li|blockquote|code|pre|span)\b)", cleaned)
    assert not re.search(r"<[^>]*\s(?:on\w+|style|src)\s*=", cleaned)
    assert clean(cleaned) == cleaned


def test_a_strangers_name_cannot_turn_what_stands_around_it():
    assert plain("a\u202eb\u200fc\u2066d") == "abc\u2066d"


@pytest.mark.parametrize("address", ["javascript:x()", "data:text/html,x", " https://x", "//drill0.example", ""])
def test_only_web_addresses_become_links(address):
    assert not on_the_web(address)
    hrefs = [a["href"] for a in Reader(alert(original_url=address, proof_url=address)).all("a")]
    assert address not in hrefs


ATTACK = '"><script>x()</script>'


@pytest.mark.parametrize(
    "field",
    [
        "author_name",
        "author_language",
        "headline",
        "language",
        "kind",
        "country",
        "severity",
        "reference",
        "via",
    ],
)
def test_no_field_of_a_card_escapes_its_place(field):
    for text in (alert(card=card(0, **{field: ATTACK})), listing(**{field: ATTACK})):
        assert "<script" not in text


@pytest.mark.parametrize(
    "changes",
    [
        {"narrative": ATTACK},
        {"narrative": "", "content_html": ATTACK},
        {"did": ATTACK},
        {"handle": ATTACK},
        {"proof_url": "https://" + ATTACK},
        {"demands": (ATTACK,)},
        {"violation_types": (ATTACK,)},
        {"verification_level": ATTACK},
        {"translations": ((ATTACK, ATTACK),)},
        {"company_or_project": ATTACK},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_no_field_of_an_alert_escapes_its_place(changes):
    assert "<script" not in alert(**changes)


def test_what_somebody_wrote_has_its_own_element_language_and_direction():
    text = alert("en")
    for written, language in (
        (page().card.author_name, "ar"),
        (page().card.headline, "ar"),
        (page().paragraphs[1], "ar"),
        (page().demands[2], "ar"),
        (page().link_to_work, "ar"),
    ):
        found = re.findall(rf"<(\w+)([^>]*)>{re.escape(written)}</", text)
        assert found
        assert all(f'lang="{language}" dir="auto"' in attributes for _, attributes in found), written


def test_codes_run_from_left_to_right_inside_arabic():
    for code in (page().did, page().handle, "drill1.example"):
        assert re.search(rf'<bdi class="code" lang="" dir="ltr">{re.escape(code)}</bdi>', alert())


def test_the_signature_line_claims_no_checked_facts():
    text = re.sub("<[^>]+>", "", alert())
    assert f"صدر عن {NAMES[0][0]} ولم يُعدَّل" in text
    assert "نسخة محفوظة هنا، التوقيع سليم" in text
    assert "موثّق" not in text and "موثق" not in text
    assert "ولم يُعدَّل" not in alert(card=card(0, verified=False))


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("two-independent", "تم التحقق من الوقائع لدى مصدرين مستقلين"),
        ("single-source", "لم يؤكدها مصدر ثانٍ بعد"),
        ("", "لم تذكر المنظمة المُصدِرة"),
        ("unknown", "لم تذكر المنظمة المُصدِرة"),
        ("three-visits", "three-visits"),
    ],
)
def test_how_the_facts_were_checked_stands_on_its_own_line(level, words):
    line = re.search(r'<p class="checked">(.*?)</p>', alert(verification_level=level), re.S)
    assert words in line.group(1)


@pytest.mark.parametrize(
    ("status", "words"),
    [("exercise", "تدريب: "), ("test", "اختبار تقني: "), ("unknown", "غير مُعلَّم على أنه نداء حقيقي")],
)
def test_what_is_not_real_says_so_and_is_not_indexed(status, words):
    text = alert(card=card(0, status=status))
    assert text.index(words) < text.index('class="masthead"')
    assert '<meta name="robots" content="noindex">' in text
    assert words in listing(status=status)
    assert 'name="robots"' not in alert()
    assert words not in alert()


def test_exercises_stand_apart_under_their_own_heading_and_are_not_indexed():
    text = html("alerts")
    assert text.index("تدريبات واختبارات") < text.index("تدريب: هذا ليس نداءً حقيقياً")
    assert text.count(' rel="nofollow" lang') == 2
    assert 'content="noindex, follow"' in text
    assert "robots" not in html("alerts-full")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("expired", "معلومات قديمة"),
        ("closed", "أُنهي هذا النداء"),
        ("corrected", "صُحِّح هذا النداء"),
        ("updated", "أُضيفت مستجدات إلى هذا النداء"),
    ],
)
def test_an_alert_that_changed_says_so_first(state, words):
    text = alert(card=card(0, state=state, updated=page().card.published))
    assert text.index(words) < text.index('class="masthead"')
    assert words not in alert()


def test_nobody_is_called_to_act_on_an_old_alert():
    assert "الموعد الأخير" in alert()
    assert "الموعد الأخير" not in alert(card=card(0, state="expired"))
    assert "الموعد الأخير" not in alert(card=card(0, state="closed"))


@pytest.mark.parametrize("caveat", ["gap", "fork", "frozen"])
def test_a_doubt_about_the_author_is_shown_in_the_list_and_on_the_page(caveat):
    words = LANGUAGES.default.label("caveat", caveat)
    assert words in listing(warnings=(caveat,))
    assert words in alert(card=card(0, warnings=(caveat,)))


def test_a_withheld_name_says_that_it_is_withheld():
    assert "أسرة، الاسم محجوب" in alert()


def test_gone_and_never_there_look_the_same_and_give_no_reason():
    text = html("missing")
    assert "هذه الصفحة غير متاحة" in text
    assert not re.search("سُحب|سحب|حُذف|404|410", text)
    assert "noindex" in text


def test_feeds_are_mentioned_only_where_there_are_any():
    assert "/alerts.atom" in html("home")
    assert "خلاصة" not in html("home-empty")


def test_the_home_page_leads_with_the_organisations_name():
    text = html("home")
    assert re.search(rf"<h1[^>]*>{NAMES[0][0]}</h1>", text)
    assert "Tadamun" not in text[: text.index("<footer>")]
    assert 'class="owner"' not in text


def test_members_who_did_not_agree_are_only_counted():
    text = html("members")
    assert "لم تُذكر هنا 3 منظمات أعضاء" in text
    assert "نداءات 7 منظمات أعضاء" in text
    alone = RENDERER.page(
        "members/index.html", LANGUAGES.default, frame("/members"), members=MemberList((), 1)
    ).decode()
    assert "منظمة عضو واحدة" in alone
    assert 'class="cards"' not in alone
    assert members().total == 7


@each_language
def test_a_list_of_twenty_alerts_fits_the_budget(code):
    for choice in (None, code):
        around = frame("/alerts/page/2", "alerts", choice=choice)
        text = RENDERER.page("alerts/index.html", LANGUAGES.locales[code], around, list=twenty())
        assert text.count(b'<li class="card') == 20
        assert len(text) + SERVED < BUDGET - ROOM


@every_page
@each_language
def test_every_page_fits_the_budget(name, code):
    page = html(name, code)
    forms = len(RENDERER.file("forms.css")[0]) if RENDERER.forms_stylesheet in page else 0
    assert len(page.encode()) + SERVED + forms < BUDGET


def test_the_stylesheet_is_named_by_its_content():
    assert re.fullmatch(r"/static/site\.css\?v=[0-9a-f]{10}", RENDERER.stylesheet)
    assert RENDERER.stylesheet in html("home")


@pytest.mark.parametrize("name", ["site.css", "forms.css", "desk.css"])
def test_the_stylesheets_know_no_left_and_right(name):
    bare = re.sub(r"/\*.*?\*/", "", (STATIC / name).read_text(encoding="utf-8"), flags=re.S)
    assert not re.search(r"\b(?:left|right|top|bottom)\s*:|-(?:left|right|top|bottom)\b|: (?:left|right)\b", bare)
    sizes = re.sub(r"line-height|border-width|@media[^{]*", "", bare)
    assert not re.search(r"[^-](?:width|height):", sizes)
    assert "url(" not in bare and "@import" not in bare and "@font-face" not in bare


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((t, g) for t in ("ink", "soft", "red", "link") for g in ("paper", "note", "old")),
        ("paper", "link"), ("paper", "ink"), ("paper", "red"),
    ],
)  # fmt: skip
def test_contrast_is_at_least_aa(scheme, text, ground):
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.S)
    palettes = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block)) for block in blocks]
    palette = palettes[0] if scheme == "light" else palettes[0] | palettes[1]
    light, dark = sorted((luminance(palette[text]), luminance(palette[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_every_colour_is_of_the_palette_and_nothing_moves():
    bare = re.sub(r":root \{.*?\}|/\*.*?\*/", "", CSS, flags=re.S)
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", bare)) <= {"#fff", "#000"}, "black and white for paper and codes"
    assert not re.search(r"animation|transition|scroll-behavior", bare)
    assert "outline: none" not in bare and "outline: 0" not in bare


def test_what_is_served_of_a_stylesheet_says_the_same():
    given = '/* a: b */\n@media (prefers-color-scheme: dark) {\n a, b:not(.x) > c { margin: 0 1rem; content: " ·"; }\n}'
    assert pressed(given) == '@media (prefers-color-scheme:dark){a,b:not(.x) > c{margin:0 1rem;content:" ·"}}'
    assert pressed(CSS).count("{") == pressed(CSS).count("}") == re.sub(r"/\*.*?\*/", "", CSS, flags=re.S).count("{")


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_page_can_be_made_when_not_even_the_organisation_is_known():
    assert 'class="owner"' not in html("failure")


def test_two_nodes_in_one_process_share_nothing():
    other = Renderer(Languages(("en",)))
    view = {"home": HomeView(organisation(alerts=mixed().alerts))}
    text = other.page("home.html", other.languages.default, frame("/", "home"), **view).decode()
    assert "?lang=ar" not in text
    assert "?lang=en" in html("home")


def test_a_preview_on_other_sites_says_only_what_is_public():
    found = {
        attributes.get("property") or attributes["name"]: attributes["content"]
        for attributes in Reader(alert()).all("meta")
        if "content" in attributes
    }
    assert {name: found[name] for name in ("og:type", "og:locale", "og:url", "og:site_name")} == {
        "og:type": "article", "og:locale": "ar", "og:url": page().share.address, "og:site_name": NAMES[0][0],
    }  # fmt: skip
    assert (found["og:title"], found["og:description"]) == (page().share.title, page().share.description)
    assert [name for name in found if name.startswith("twitter:")] == ["twitter:card"], "the rest is taken from og:"
    assert found["article:published_time"] == "2026-11-20T12:00:00+00:00"
    assert not any("image" in name for name in found)


@each_language
def test_what_is_not_passed_on_has_neither_preview_nor_text(code):
    for text in (html("alert-exercise", code), alert(code, share=None, cap_path="")):
        for word in ("og:", "twitter:", "<textarea", "whatsapp:", "mailto:", "cap+xml"):
            assert word not in text


def test_the_text_to_pass_on_is_whole_in_the_page_and_marked_with_its_language():
    text = alert()
    [area] = Reader(text).all("textarea")
    assert (area["lang"], area["dir"]) == ("ar", "auto") and "readonly" in area
    assert f">{page().share.text}</textarea>" in text


def test_the_press_page_shows_a_contact_only_where_there_is_one():
    assert 'href="mailto:press@drill0.example"' in html("press")
    plain = html("press-plain")
    assert "+000 0 000 0000 (تدريب)" in plain and "mailto:" not in plain
    none = RENDERER.page("press/index.html", LANGUAGES.locales["en"], frame("/press"), press=PressView()).decode()
    assert "Contact for the press" not in none


@pytest.mark.parametrize(
    "contact",
    ["a@b", "press desk", "a@b.example?subject=x", "javascript:alert(1)@b.example", 'a"b@c.example', "أ@b.example"],
)
def test_only_a_plain_address_becomes_a_link(contact):
    assert PressView(contact).mail == ""
