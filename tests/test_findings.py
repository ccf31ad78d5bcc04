"""Findings: each code has a sentence for the command line and one for the pages; families of rules have theirs."""

import string

import pytest

from node import evidence as faults
from node import findings
from node.desk import evidence
from node.policies import SWITCHES
from node.web.languages import Languages
from node.web.render import Renderer
from node.web.views import Frame

LANGUAGES = Languages()
RENDERER = Renderer(LANGUAGES)
NUMBERS = {"count", "free", "sequence"}
FAMILIES = ("signature", "author", "log", "limit", "harm", "none", "form")
WORDS = {
    "fault-means": faults.FAULTS,
    "fault-do": faults.FAULTS,
    "refusal-family": FAMILIES,
    "refusal-means": FAMILIES,
    **{f"switch{end}": SWITCHES for end in ("", "-means", "-deny", "-allow", "-default")},
    "member-warning": ("rollback", "fork", "frozen", "declared", "deletes", "no-recovery", "silent"),
    "member-warning-do": ("rollback", "fork", "frozen", "declared", "deletes", "no-recovery", "silent"),
    "pin-state": ("member", "former", "succeeded"),
    "report-kind": ("Flag", "Block", "Announce", "Delete", "Move"),
    "follow-state": ("requested", "accepted", "rejected"),
    "incoming-state": ("waiting", "accepted", "ignored", "refused", "failed"),
    "delivery-state": ("waiting", "done", "failed"),
}


def example(code):
    places = [name for _, name, _, _ in string.Formatter().parse(findings.SENTENCES[code]) if name]
    return findings.finding(code, **{name: 3 if name in NUMBERS else "exercise" for name in places})


@pytest.mark.parametrize("code", findings.SENTENCES)
@pytest.mark.parametrize("language", LANGUAGES.whole)
def test_every_finding_reads_in_the_readers_language(code, language):
    locale = LANGUAGES.locales[language]
    module = RENDERER._environments[language].get_template("desk/finding.html").make_module(
        {"link": str, "frame": Frame("", "", "/")}
    )
    shown = str(module.finding(example(code)))
    assert 'lang="en"' not in shown or code in ("hold", "refused"), "the English sentence was shown"
    assert shown.strip() and (language == "ar") == (locale.dir == "rtl")


def test_a_finding_without_a_value_for_its_place_is_our_bug():
    with pytest.raises(KeyError):
        findings.finding("member-frozen", handle="@x@y")
    with pytest.raises(KeyError):
        findings.finding("no such code")


@pytest.mark.parametrize(
    ("rule", "family"),
    [
        ("RFC 9421 §3.2", "signature"), ("cavage §2", "signature"), ("FEP-8b32", "signature"), ("FEP-fe34", "author"),
        ("FEP-ef61", "author"), ("Tadamun log §3", "log"), ("Tadamun design §4", "log"), ("RFC 6585 §4", "limit"),
        ("RFC 9110 §15.5.14", "limit"), ("R2", "harm"), ("R15", "harm"), ("", "none"), ("AP §7.3", "form"),
        ("RFC 3339 §5.6", "form"), ("RDFC-1.0 §7.1", "signature"), ("Tadamun letters 1", "form"),
    ],
)  # fmt: skip
def test_a_rule_is_explained_by_its_family(rule, family):
    assert evidence.family(rule) == family


@pytest.mark.parametrize("vocabulary", WORDS)
def test_every_code_of_the_office_has_a_word(vocabulary):
    for locale in LANGUAGES.locales.values():
        assert [code for code in WORDS[vocabulary] if not locale.knows(vocabulary, code)] == []
