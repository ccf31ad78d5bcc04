"""From a case to what may be said of it: the public alert, built from named fields of the case and nothing else.

`public_alert` gives what `alerts.parse_input` takes. Rules:

- R4 It is built by whitelisting: a field that is not named here does not exist outside.
- R3 Place is the country; no photo, travel plan, lawyer or contact; relatives only where somebody decided so; whose
  level nobody decided is not told apart.
- R6 To whom a violation is attributed is said in a sentence that the software writes, as alleged unless two sources or
  an official act say it, and by name only then.
- R12 Kinds of violation that tell of sexual violence, honour, orientation or health are off until somebody decides.

`leaks` finds what stays inside and yet stands in a public text (R4, R9), whoever copied it there.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

import rfc8785

from node import consents as rules
from node.alert_checks import folded
from node.alert_terms import country_name, ui_language
from node.case_documents import Case, Person, Words, sealed_words
from node.case_terms import NETWORK_ONLY
from node.consents import Standing
from node.federation.protocol.messages import JsonObject

SENSITIVE_TYPES = frozenset(
    {
        "sexual-violence", "rape", "sexual-harassment", "virginity-testing", "honour-crime", "honour-killing",
        "forced-marriage", "orientation", "outing", "health", "forced-medical-treatment",
    }
)  # fmt: skip
_RUN = 6
"""So many words in a row are no accident."""
_ATTRIBUTED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ar": ("الجهة المنسوب إليها الانتهاك، بحسب المعلومات الواردة: ", "الجهة المسؤولة عن الانتهاك: "),
        "en": ("Alleged to be responsible, according to the information received: ", "Responsible: "),
    }
)


def standings(case: Case, now: datetime) -> tuple[Standing, ...]:
    """How much may be said of each person whom the alert speaks of."""
    shown = tuple(person.about() for person in case.people if person.shown)
    return rules.effective(shown, case.consents, now)


def outcome_standings(case: Case, now: datetime) -> tuple[Standing, ...]:
    """The same for what is told of the outcome."""
    known = case.outcome.known or now
    shown = tuple(person.about() for person in case.people if person.shown)
    return rules.effective(shown, case.consents, now, outcome=known)


def public_alert(case: Case, now: datetime) -> JsonObject:
    """What everyone (or the network) may see of this case, as `alerts.parse_input` takes it."""
    grading, weighed = case.grading, {each.subject: each for each in standings(case, now)}
    main, *others = case.texts or (Words(""),)
    ends = [each for each in (grading.expires, rules.lapses(tuple(weighed.values()))) if each is not None]
    expires = min(ends, default=None)
    value: JsonObject = {
        "status": grading.status,
        "audience": "network" if case.strategy == NETWORK_ONLY else "everyone",
        "kind": grading.kind,
        "country": grading.country,
        "severity": grading.severity,
        "urgency": grading.urgency,
        "certainty": grading.certainty,
        "violation_types": _violations(case),
        "drivers": list(grading.drivers),
        "company_or_project": grading.company_or_project,
        "endorsement_mode": grading.endorsement_mode,
        "republish": grading.republish,
        "language": main.language,
        **_text(case, main),
        "translations": {each.language: _text(case, each) for each in others},
        "subjects": [_subject(each, weighed[each.subject]) for each in case.people if each.shown],
        "consent": _consent(tuple(weighed.values())),
        "targets": [_office(each.office, each.country, each.language) for each in case.offices],
    }
    if grading.relation_to_network:
        value["relation_to_network"] = grading.relation_to_network
    if case.verification.level:
        value["verification"] = {"level": case.verification.level}
    if case.embargo_until is not None:
        value["embargo_until"] = _moment(case.embargo_until)
    if grading.deadline is not None:
        value["deadline"] = _moment(grading.deadline)
    if expires is not None:
        value["expires"] = _moment(expires)
    return value


def digest(case: Case, now: datetime) -> str:
    """What an approval is of: everything that becomes public. A change of one letter makes earlier approvals void."""
    value = {name: each for name, each in public_alert(case, now).items() if name not in ("consent", "expires")}
    value["subjects"] = [{k: v for k, v in each.items() if k != "consent"} for each in value["subjects"]]
    value["until"] = _moment(case.grading.expires) if case.grading.expires is not None else ""
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def leaks(case: Case) -> Iterator[str]:
    """Fields of the case whose words stand in a public text."""
    raw = " ".join(_public_texts(case))
    text = f" {folded(raw)} "
    digits = re.sub(r"\D", "", raw)
    found = {field for field, words in sealed_words(case) if _stands(case, field, words, text, digits, raw)}
    yield from sorted(found)


def _stands(case: Case, field: str, words: str, text: str, digits: str, raw: str) -> bool:
    own = folded(words).split()
    if field == "place_full":
        return any(f" {part} " in text for part in _places(case, words))
    if field == "contacts":
        number = re.sub(r"\D", "", words)
        return (len(number) >= _RUN and number in digits) or ("@" in words and words.strip() in raw)
    if len(own) < 2:
        return False  # one word may be anybody's
    if len(own) <= _RUN:
        return f" {' '.join(own)} " in text
    return any(f" {' '.join(own[at:at + _RUN])} " in text for at in range(len(own) - _RUN + 1))


def _places(case: Case, words: str) -> Iterator[str]:
    """The parts of an address, but for the country, which is public."""
    country = {folded(country_name(case.grading.country, language)) for language in ("ar", "en")}
    for part in re.split(r"[,،;؛\n]", words):
        name = folded(part)
        if len(name) > 2 and name not in country:
            yield name


def _public_texts(case: Case) -> Iterator[str]:
    for text in case.texts:
        yield from (text.headline, text.narrative, text.link_to_work, *text.demands)
    yield from (case.grading.company_or_project, *(each.office for each in case.offices))
    yield from (each.description for each in case.perpetrators)
    yield from (person.public_name for person in case.people if person.shown)


def _violations(case: Case) -> list[str]:
    open_ = any(person.sensitive_types for person in case.people)
    return [each for each in case.grading.violation_types if open_ or each not in SENSITIVE_TYPES]


def _text(case: Case, words: Words) -> JsonObject:
    said = "\n\n".join((words.narrative, *_attributed(case, words.language)))
    return {
        "headline": words.headline,
        "narrative": said,
        "link_to_work": words.link_to_work,
        "demands": list(words.demands),
    }


def _attributed(case: Case, language: str) -> Iterator[str]:
    """R6: nobody writes this sentence by hand."""
    alleged, verified = _ATTRIBUTED[ui_language(language)]
    for each in case.perpetrators:
        said = each.name if each.verified and each.name else each.description
        if said:
            yield (verified if each.verified and case.verification.status == "confirmed" else alleged) + said


def _subject(person: Person, standing: Standing) -> JsonObject:
    value: JsonObject = {
        "kind": person.kind,
        "publication_level": person.publication_level,
        "minor": person.minor,
        "relative": person.about().relative,
        "consent": _consent((standing,)),
    }
    if person.publication_level in ("named", "initials"):
        value["name"] = person.name
    if person.public_name:
        value["public_name"] = person.public_name
    return value


def _consent(found: Sequence[Standing]) -> JsonObject:
    """What the alert's own rules want to know of it: never how, where or by whom it was taken."""
    lowest = min(found, key=lambda each: rules.rank(each.level), default=Standing("", rules.NOTHING, ""))
    until = rules.lapses(found)
    value: JsonObject = {"given_by": lowest.given_by, "how": lowest.reason or "case", "level": lowest.level}
    presumed = next((each for each in found if each.given_by == rules.PRESUMED), None)
    if presumed is not None:
        value |= {"given_by": rules.PRESUMED, "how": presumed.reason, "necessity": presumed.necessity}
    return value | {"valid_until": _moment(until)} if until is not None else value


def _office(office: str, country: str, language: str) -> JsonObject:
    value = {"office": office, "country": country}
    return value | {"language": language} if language else value


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
