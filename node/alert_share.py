"""An alert as a short text to pass on by messenger: at most 500 characters, with its address and its reference.

Pure, in the alert's own language. Rules, in order:

1. The address and the reference always stand in it, and so does the word that an alert is old, closed or corrected.
2. Who speaks comes first, then the headline, the kind and country, the deadline, and as much of the text as fits.
3. Characters are Unicode code points. A text is cut between words only, and says so with `…`.
4. Nothing of the author's turns the direction of what stands around it; our own isolates open and close in one line.
   The address stands alone in the last line: messengers make everything up to the next blank part of a link.

Spec: UAX #9 §2.4
"""

from datetime import datetime
from urllib.parse import quote

from node.alert_bidi import harmless, isolate, mark
from node.alert_public import PublicAlert
from node.alert_terms import country_name, readable_date, words

MOST = 500
_NAME, _REFERENCE, _HEADLINE, _TEASER = 80, 60, 200, 200
_LEAST = 40
"""Characters below which an excerpt says nothing."""


def share_text(alert: PublicAlert, name: str, page: str, now: datetime) -> str:
    """The whole text. An address longer than all of it makes a longer one: it is never cut."""
    say, language = words(alert.language), alert.language
    code = isolate(cut(flat(alert.reference), _REFERENCE))
    last = [_line(f"{say['reference']}: {code}", language)] if code else []
    last.append(page)
    first = [_line(state, language)] if (state := _state(alert, now)) else []
    speaker = isolate(cut(flat(name), _NAME))
    first += [_line(speaker, language)] if speaker else []
    lines = [*first, *last]
    for extra in (
        cut(flat(alert.headline), _HEADLINE),
        f"{say.get(alert.kind, say['alert'])} · {country_name(flat(alert.country), language)}",
        f"{say['deadline']}: {readable_date(alert.deadline, language)}" if alert.deadline and not state else "",
    ):
        line = _line(extra, language)
        if extra and _length([*lines, line]) <= MOST:
            lines.insert(-len(last), line)
    room = MOST - _length(lines) - 2
    excerpt = _line(cut(flat(alert.narrative), room - 1), language) if room >= _LEAST else ""
    if excerpt:
        lines.insert(-len(last), excerpt)
    return "\n".join(lines)


def teaser(alert: PublicAlert, now: datetime) -> str:
    """One line for a preview: what it is, and its first words."""
    say = words(alert.language)
    state = _state(alert, now)
    kind = f"{say.get(alert.kind, say['alert'])} · {country_name(flat(alert.country), alert.language)}"
    head = f"{state} — {kind}" if state else kind
    excerpt = cut(flat(alert.narrative), _TEASER - len(head) - 4)
    return _line(f"{head} — {excerpt}" if excerpt else head, alert.language)


def cut(text: str, most: int) -> str:
    """The text in at most so many characters, cut between words; empty where not even the first fits."""
    if len(text) <= most:
        return text
    kept = text[: max(0, most)].rpartition(" ")[0].rstrip(" ،,؛;:–—-.")
    return f"{kept}…" if kept else ""


def flat(text: str) -> str:
    """Somebody's text in one line, without marks that turn text around."""
    return " ".join(harmless(text, isolates=False).split())


def addresses(text: str, subject: str) -> tuple[tuple[str, str], ...]:
    """(name, address) for each way to pass a text on.

    They are addresses of applications on the reader's own device: no web site is asked, and none learns what somebody
    reads. Letters stay as they are, for browsers take them and Arabic would grow sixfold.

    Spec: RFC 6068 (mailto), RFC 3987
    """
    body, (before, _, page) = _quoted(text), text.rpartition("\n")
    return (
        ("whatsapp", f"whatsapp://send?text={body}"),
        ("telegram", f"tg://msg_url?url={_quoted(page)}&text={_quoted(before)}"),
        ("mail", f"mailto:?subject={_quoted(subject)}&body={body.replace('%0A', '%0D%0A')}"),
    )


def _quoted(text: str) -> str:
    return "".join(letter if ord(letter) > 127 and letter.isalpha() else quote(letter, safe="") for letter in text)


def _state(alert: PublicAlert, now: datetime) -> str:
    say = words(alert.language)
    if alert.state in ("closed", "corrected"):
        return say["closed"] if alert.state == "closed" else say["old"] if alert.is_expired(now) else say["corrected"]
    return say["old"] if alert.is_expired(now) else ""


def _line(text: str, language: str) -> str:
    return mark(text, language) + text


def _length(lines: list[str]) -> int:
    return sum(map(len, lines)) + len(lines) - 1
