"""The templates as trees: what a reader would see of them that no catalogue has, and how their sentences are made."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

from node.web.render import TEMPLATES

TEXTS = ("gettext", "ngettext", "pgettext", "npgettext")
READ_ALOUD = ("alt", "title", "aria-label", "aria-description", "placeholder", "label")
INLINE = ("a", "abbr", "b", "bdi", "code", "em", "i", "span", "strong", "time")
_ENVIRONMENT = Environment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"], autoescape=True)


def every() -> list[Path]:
    """Each template."""
    return sorted(TEMPLATES.rglob("*.html"))


@cache
def tree(source: str) -> nodes.Template:
    """The tree of a template's source."""
    return _ENVIRONMENT.parse(source)


def text_calls(found: nodes.Node) -> Iterator[nodes.Call]:
    """Every call that asks the catalogue for a text."""
    for call in found.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in TEXTS:
            yield call


def is_text(expression: nodes.Node) -> bool:
    """Whether an expression is a text of the catalogue."""
    return (
        isinstance(expression, nodes.Call)
        and isinstance(expression.node, nodes.Name)
        and (expression.node.name in TEXTS)
    )


def last_id(call: nodes.Call) -> str:
    """The id of a text; the plural where it has one. Empty for one that is not written out."""
    found = [each.value for each in call.args if isinstance(each, nodes.Const) and isinstance(each.value, str)]
    return found[-1] if found else ""


def constants(expression: nodes.Node) -> Iterator[str]:
    """Texts that are printed as they stand in the template: not those that are handed to a call."""
    if isinstance(expression, nodes.Const) and isinstance(expression.value, str):
        yield expression.value
    elif isinstance(expression, nodes.CondExpr | nodes.Concat | nodes.Add | nodes.Or | nodes.And):
        for child in expression.iter_child_nodes(exclude=("test",)):
            yield from constants(child)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a run of text: words of the template, a text of the catalogue, or another value."""

    kind: str
    """`data`, `said` or `shown`."""
    text: str = ""


def pieces(found: nodes.Node, *kinds: str) -> list[Piece]:
    """What a template prints of these kinds, in its order: both ways of an `if`, once what is in a loop."""
    done: list[Piece] = []
    for output in found.find_all(nodes.Output):
        for each in output.nodes:
            if isinstance(each, nodes.TemplateData):
                done.append(Piece("data", each.data))
            elif is_text(each):
                done.append(Piece("said", last_id(each)))
            else:
                done.append(Piece("shown", " ".join(constants(each))))
    return [each for each in done if each.kind in kinds]


# --- sentences that are put together from parts ---------------------------------------------------------------------

_ENDS = (":", ".", "?", "!", "…")
_UNKNOWN = "qqq"
"""Where a value stands that nobody knows: it may be the name of an element."""
_PHRASE = re.compile(r"[^\W\d_]\s+[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_NAME = re.compile(r"</?([a-zA-Z0-9]+)")
_TAG = re.compile(r"<[^<>]*>")
_LINKS = re.compile(r"</a>.*<a[ >]", re.S)


@dataclass(frozen=True, slots=True)
class _Here:
    """Where a walk through a template stands: what was printed last in this run of text, and the words since."""

    last: Piece | None = None
    gap: str = ""
    in_tag: bool = False

    def data(self, text: str) -> "_Here":
        """After words and tags of the template: a tag that is not inline begins a new run."""
        if self.in_tag:
            _, closed, text = text.partition(">")
            if not closed:
                return self  # an attribute
        in_tag = text.rfind("<") > text.rfind(">")
        gap = self.gap + text
        if {*_NAME.findall(gap)} - {*INLINE} or _LINKS.search(gap):
            return _Here(in_tag=in_tag)
        return _Here(self.last, gap + ">" if in_tag else gap, in_tag)


def joints(found: nodes.Node) -> set[tuple[Piece, str, Piece]]:
    """(a piece, the words between, the next piece) wherever two can stand beside each other in one run of text."""
    done: set[tuple[Piece, str, Piece]] = set()
    _walk(list(found.iter_child_nodes()), {_Here()}, done)
    return done


def _walk(body: Sequence[nodes.Node], here: set[_Here], done: set[tuple[Piece, str, Piece]]) -> set[_Here]:
    for node in body:
        if isinstance(node, nodes.Output):
            for each in node.nodes:
                here = {_printed(each, at, done) for at in here}
        elif isinstance(node, nodes.If):
            branches = [node.body, *(each.body for each in node.elif_), node.else_]
            here = set().union(*(_walk(branch, here, done) for branch in branches))
        elif isinstance(node, nodes.For):
            once = _walk(node.body, here, done)
            here = once | _walk(node.body, once, done) | _walk(node.else_, here, done)
        elif isinstance(node, nodes.Block | nodes.Macro | nodes.CallBlock):
            _walk(node.body, {_Here()}, done)
    return here


def _printed(each: nodes.Node, at: _Here, done: set[tuple[Piece, str, Piece]]) -> _Here:
    if isinstance(each, nodes.TemplateData):
        return at.data(each.data)
    if at.in_tag:
        return at
    at = replace(at, gap=_TAG.sub("", at.gap))
    piece = Piece("said", last_id(each)) if is_text(each) else Piece("shown", source_of(each))
    if at.last is not None:
        done.add((at.last, at.gap, piece))
    return _Here(piece)


def source_of(expression: nodes.Node) -> str:
    """About what an expression was, for messages."""
    if isinstance(expression, nodes.Name):
        return str(expression.name)
    if isinstance(expression, nodes.Getattr):
        return f"{source_of(expression.node)}.{expression.attr}"
    if isinstance(expression, nodes.Call):
        return f"{source_of(expression.node)}()"
    if isinstance(expression, nodes.Filter):
        return f"{source_of(expression.node) if expression.node else ''}|{expression.name}"
    return type(expression).__name__


def is_broken(joint: tuple[Piece, str, Piece]) -> bool:
    """Whether a sentence goes on over a joint: no language but the one it was written in has this order of words.

    A label that ends in a colon, a whole sentence, and parts with a mark between them are no such thing, and a code
    stands beside a text and is no word of it.
    """
    first, gap, second = joint
    if gap.strip() or "said" not in (first.kind, second.kind) or second.text == "code()":
        return False
    if first.kind == "said":
        return bool(_WORD.search(first.text)) and not first.text.endswith(_ENDS)
    return second.text[:1].islower()


# --- words that no catalogue has ------------------------------------------------------------------------------------


class _Words(HTMLParser):
    """What is read or read aloud of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        given = dict(attrs)
        button = tag == "input" and given.get("type") in ("submit", "button", "reset")
        self.found += [given[name] or "" for name in (*READ_ALOUD, *(("value",) if button else ())) if name in given]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)


def read(html: str) -> list[str]:
    """What a reader of a page sees or hears of it, in pieces."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    return reader.found


def bare_words(source: str) -> list[str]:
    """Words of a template that a reader sees and no catalogue has."""
    found = tree(source)
    shown = pieces(found, "data", "shown")
    html = "".join(each.text if each.kind == "data" else _UNKNOWN + escape(each.text) for each in shown)
    elsewhere = {id(each) for call in found.find_all(nodes.Call) for each in _not_printed(call)}
    values = (each.value for each in found.find_all(nodes.Const) if id(each) not in elsewhere)
    said = [*read(html), *(each for each in values if isinstance(each, str) and _PHRASE.search(each))]
    return [word for text in said for word in _WORD.findall(text.replace(_UNKNOWN, " "))]


def _not_printed(call: nodes.Call) -> list[nodes.Expr]:
    """What is handed to a call to find words by it, or as a class."""
    if is_text(call) or source_of(call.node) in ("problem_of", "rule"):
        return list(call.args)
    return list(call.args[2:]) if source_of(call.node) == "words" else []


# --- values in sentences --------------------------------------------------------------------------------------------

_OWN_ELEMENT = ("words", "code", "day", "moment", "address", "label", "keeper", "megabytes")
"""Macros that put a value into an element of its own, with its own direction."""


def bare_values(source: str) -> list[str]:
    """What templates put into sentences as it came: it could turn the sentence around, or be read as part of it."""
    found = tree(source)
    sets = [each for each in found.find_all(nodes.Assign) if isinstance(each.target, nodes.Name)]
    kept = {each.target.name for each in sets if _is_apart(each.node)}
    values = ((last_id(call), each.value) for call in text_calls(found) for each in call.kwargs)
    return [
        f"{source_of(value)} in {text!r}"
        for text, value in values
        if not _is_apart(value) and not (isinstance(value, nodes.Name) and value.name in kept)
    ]


def _is_apart(value: nodes.Node) -> bool:
    if isinstance(value, nodes.Filter):
        return value.name == "apart"
    called = source_of(value.node) if isinstance(value, nodes.Call) else ""
    return called in _OWN_ELEMENT or called.startswith("locale.")
