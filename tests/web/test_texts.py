"""Every text of the pages comes from a catalogue, as a whole sentence, with its values set apart."""

import gettext
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from html.parser import HTMLParser
from types import MappingProxyType

import pytest
from jinja2 import nodes

from node.web.languages import Languages
from node.web.render import TEMPLATES, Renderer
from tests.support import templates
from tests.support.templates import bare_values, bare_words, is_broken, joints, tree
from tests.web.samples import PAGES

LITERAL = {
    "bundles/index.html": {"TADAMUN"},  # how the text of a QR code begins
    "desk/following.html": {"news", "example", "org"},  # what to type into a field, as an example of its form
    "desk/hosting.html": {"small", "example", "org"},
    "desk/members.html": {"alerts", "example", "org"},
    "desk/node.html": {"age"},  # how a key of that kind begins
    "desk/reply_way.html": {"age"},
    "follow/index.html": {"me", "mastodon", "example"},
    "press/index.html": {"tadamun", "verify", "FILE"},  # a command, the same in every language
}
SOURCES = {str(path.relative_to(TEMPLATES)): path.read_text() for path in templates.every()}


def found(check: Callable[[str], Collection[object]]) -> dict[str, Collection[object]]:
    """Template → what a check finds there."""
    return {name: wrong for name, source in SOURCES.items() if (wrong := check(source))}


def test_no_template_has_words_of_its_own():
    assert found(lambda source: set(bare_words(source))) == LITERAL


def test_no_sentence_is_put_together_from_parts():
    assert found(lambda source: [joint for joint in joints(tree(source)) if is_broken(joint)]) == {}


def test_no_text_is_glued_to_another():
    assert found(glued) == {}


def glued(source: str) -> list[int]:
    """Lines where `~` or `+` has a text of the catalogue on a side."""
    both = tree(source).find_all((nodes.Concat, nodes.Add))
    return [each.lineno for each in both if any(templates.text_calls(each))]


def test_every_text_is_written_out():
    calls = {name: list(templates.text_calls(tree(source))) for name, source in SOURCES.items()}
    assert {name for name, each in calls.items() if not all(map(templates.last_id, each))} == set()


def test_every_value_in_a_sentence_has_its_own_direction():
    assert found(bare_values) == {}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('<p>{{ gettext("One two") }} · 3</p>', []),
        ("<p>One {{ two }}</p>", ["One"]),
        ("<p>{{ 'one' if two else three }}</p>", ["one"]),
        ('<img alt="One">', ["One"]),
        ('<input aria-label="One" type="submit" value="Two">', ["One", "Two"]),
        ('<a title="{{ one }} two" class="three">4</a>', ["two"]),
        ('<p>{{ said("one two", 3) }}</p>', ["one", "two"]),
        ('<p{% if one %} class="two"{% endif %} lang="{{ \'en\' if three }}">4</p>', []),
    ],
)
def test_a_word_outside_of_the_catalogues_is_found(source, words):
    assert bare_words(source) == words


@pytest.mark.parametrize(
    ("source", "broken"),
    [
        ('<p>{{ gettext("Goal") }} {{ number }}</p>', True),
        ('<p>{{ gettext("Call") }} <a href="/x">{{ name }}</a></p>', True),
        ('<p>{{ gettext("Given to") }} {% for each in all %}{{ each }}{% endfor %}</p>', True),
        ('<p>{{ words(name, "") }} <b>{{ gettext("asks to be in") }}</b></p>', True),
        ('<p>{{ gettext("Since") }}{% if now %} {{ now }}{% endif %}</p>', True),
        ('<p>{{ gettext("Given to:") }} {{ name }}</p>', False),
        ('<p>{{ gettext("It is done.") }} {{ gettext("Go on.") }}</p>', False),
        ('<p>{{ gettext("Goal") }} · {{ number }}</p>', False),
        ('<p>{% for each in all %}{{ each }}{{ gettext(", ") }}{% endfor %}</p>', False),
        ('<p>{% if one %}{{ gettext("Goal") }}{% else %}{{ number }}{% endif %}</p>', False),
        ('<dt>{{ gettext("Goal") }}</dt><dd>{{ number }}</dd>', False),
        ('<option{% if one %} selected{% endif %} value="{{ one }}">{{ gettext("Goal") }}</option>', False),
    ],
)
def test_a_sentence_of_parts_is_found(source, broken):
    assert any(is_broken(joint) for joint in joints(tree(source))) is broken


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        ("name", True),
        ("name|plain", True),
        ("card.name", True),
        ('words(name, "")', False),
        ("locale.number(3)", False),
        ("name|apart", False),
    ],
)
def test_a_bare_value_is_found(value, bare):
    assert bool(bare_values(f'{{{{ gettext("By %(name)s", name={value}) }}}}')) is bare


# --- a language that marks whatever comes from its catalogue ----------------------------------------------------------


class Marked(gettext.NullTranslations):
    """Every text stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧"


def marked() -> Renderer:
    """A renderer of that language alone."""
    languages = Languages(("en",))
    locale = replace(languages.default, catalogue=Marked())
    object.__setattr__(languages, "locales", MappingProxyType({"en": locale}))
    return Renderer(languages)


class Bare(HTMLParser):
    """The text of a page without what somebody wrote, which says its own language, and without days."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        own = (tag != "html" and "lang" in given) or given.get("dir") == "auto" or tag == "time"
        own = own or any(own for _, own in self.open)
        if not own:
            self.found += [f" {given[name]} " for name in templates.READ_ALOUD if name in given]
        if tag not in {"meta", "link", "br", "img", "input", "hr", "rect", "path"}:
            self.open.append((tag, own))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if not any(own for _, own in self.open):
            self.found.append(data)


RENDERER = marked()
LANGUAGE_NAMES = set(RENDERER.languages.default.cldr.languages.values())
"""CLDR's, and in every language there."""


@pytest.mark.parametrize("name", PAGES)
def test_whatever_a_page_says_comes_from_the_catalogue(name):
    template, around, views = PAGES[name]
    page = RENDERER.page(template, RENDERER.languages.default, around, **views).decode()
    text = "".join(Bare(re.sub("<title>[^⟦]*</title>", "", page)).found)  # a title that is a name alone
    assert "⟦Home⟧" in text
    rest = re.sub("\u2068.*?\u2069", "", text)
    while "⟦" in rest:
        rest, inner = re.sub("⟦[^⟦⟧]*⟧", " ", rest), rest
        assert rest != inner, "a bracket does not close"
    for each in sorted(LANGUAGE_NAMES, key=len, reverse=True):
        rest = re.sub(rf"\b{re.escape(each)}\b", "", rest)
    assert set(re.findall(r"[^\W\d_]+", rest)) <= LITERAL.get(template, set())
