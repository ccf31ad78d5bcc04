"""Three switches for others' alerts: hold, show and boost, by country and kind.

Republishing is an offence in some countries, and so may be keeping. An operator says for which alerts of other
organisations this node

- **holds** the text, and with it serves members and gateways;
- **shows** it to everyone: pages, lists, feeds, documents by address, copies of the site;
- **boosts** it by `@alerts` (where it was asked to at all, see `boosts`).

Rules, in order:

1. an organisation of this node is never held back here: its own pages and log are its own affair;
2. of all rules that name an alert, the narrowest decides: country and kind, then country, then kind, then any;
3. of two that are equally narrow the one that denies;
4. what no rule names is allowed;
5. what is not held is not shown, and what is not shown is not boosted.

An alert has several kinds: its own (`urgent-appeal`) and its violation types (`arrest`).
"""

from collections.abc import Collection
from dataclasses import dataclass

from node.alert_countries import COUNTRIES
from node.errors import RefusedError

SWITCHES = ("hold", "show", "boost")
MAX_KIND = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """One wish of the operator; an empty field means any."""

    switch: str
    country: str
    kind: str
    allow: bool

    def names(self, country: str, kinds: Collection[str]) -> bool:
        """Whether it is about such an alert."""
        return self.country in ("", country) and (self.kind == "" or self.kind in kinds)

    @property
    def narrowness(self) -> tuple[bool, bool, bool]:
        """What decides among rules, the greatest first; a denial outweighs its equal."""
        return self.country != "", self.kind != "", not self.allow


@dataclass(frozen=True, slots=True)
class Policies:
    """All that the operator of one organisation's node decided."""

    rules: tuple[Rule, ...] = ()

    def holds(self, country: str, kinds: Collection[str]) -> bool:
        """Whether the text of others' alerts of this country and these kinds is kept."""
        return self._allows("hold", country, kinds)

    def shows(self, country: str, kinds: Collection[str]) -> bool:
        """Whether they are shown to everyone."""
        return self.holds(country, kinds) and self._allows("show", country, kinds)

    def boosts(self, country: str, kinds: Collection[str]) -> bool:
        """Whether nothing forbids a boost; whether one was asked for is another question."""
        return self.shows(country, kinds) and self._allows("boost", country, kinds)

    def changed(self, given: Collection[Rule], *, drop: bool = False) -> "Policies":
        """What they would be with these rules in place of those about the same alerts, or without those."""
        about = {(rule.switch, rule.country, rule.kind) for rule in given}
        kept = tuple(rule for rule in self.rules if (rule.switch, rule.country, rule.kind) not in about)
        return Policies(kept if drop else (*kept, *given))

    def _allows(self, switch: str, country: str, kinds: Collection[str]) -> bool:
        named = [rule for rule in self.rules if rule.switch == switch and rule.names(country, kinds)]
        return max(named, key=lambda rule: rule.narrowness).allow if named else True


def parse_country(text: str) -> str:
    """A country as it was typed. Nothing is no country: whoever means any says so elsewhere.

    Raises:
        RefusedError: no code of ISO 3166-1.
    """
    code = text.strip().upper()
    if code not in COUNTRIES:
        raise RefusedError(f"a country is two letters of ISO 3166-1, such as IQ, not {text[:20]!r}")
    return code


def parse_kind(text: str) -> str:
    """An alert's kind or violation type as it was typed.

    Raises:
        RefusedError: empty, or too long to be one.
    """
    kind = text.strip().lower()
    if not 0 < len(kind) <= MAX_KIND:
        raise RefusedError("a kind is an alert's kind or violation type, such as urgent-appeal")
    return kind
