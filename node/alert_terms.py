"""The words of an alert: closed lists, their names in Arabic and English, dates in words, the JSON-LD terms.

Decides which values a field may have and how each is called; what an alert must hold is decided in
`alert_input`, how a Note is put together in `alert_notes`. Arabic follows the interface's term list: an
alert is نداء عاجل, an exercise تدريب, and a signature is never called verification (موثّق means
*documented*, a claim about facts). Months are doubled (تشرين الثاني/نوفمبر) because readers east and west
of Suez know different names.

Spec: CAP 1.2 §3.2.2 (severity, urgency, certainty)
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from node.alert_countries import COUNTRIES

RTL_LANGUAGES = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})

AUDIENCES = ("everyone", "network")
KINDS = (
    "urgent-appeal",
    "new-information",
    "solidarity-letter",
    "open-letter",
    "statement",
    "closure",
    "withdrawal",
)
STATUSES = ("actual", "exercise", "test")
HELD_STATUSES = (*STATUSES, "unknown")
"""As alerts lie here: what another wrote that is none of these is not taken for real."""
SEVERITIES = ("extreme", "severe", "moderate", "minor", "unknown")
URGENCIES = ("immediate", "expected", "future", "past", "unknown")
CERTAINTIES = ("observed", "likely", "possible", "unlikely", "unknown")
ENDORSEMENT_MODES = ("individual", "network-wide", "none")
SUBJECT_KINDS = ("person", "family", "group", "community")
PUBLICATION_LEVELS = ("named", "initials", "pseudonym", "collective", "withheld")
ACTIONS = ("write", "call", "share", "sign", "offer", "observe", "nothing-public")
"""What readers may do; `nothing-public` stands beside none that shows."""
ANSWER_KINDS = ("favourable", "pledge", "counter", "information-request", "token", "none")
RESULTS = ("released", "charges-dropped", "safe", "sentence", "worsened", "killed", "no-change", "unknown")
ATTRIBUTIONS = ("none", "partly", "yes")
"""Whether the author thinks that the alert had a part in how it ended."""
PRESUMED = "presumed"
CONSENT_GIVERS = ("self", "family", "lawyer", "organisation-mandate", PRESUMED)
CONSENT_LEVELS = ("private-help-only", "network", "public-anonymised", "public-named")
"""In rising order: each allows what stands before it."""
STATES = ("issued", "corrected", "closed")
UNKNOWN = "unknown"
"""What a value that we do not know becomes when it comes from another node."""

NAMESPACE = "https://tadamun.example/ns#"
_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"


_PLAIN = (
    "alertKind",
    "alertStatus",
    "alertState",
    "stateNote",
    "headline",
    "severity",
    "urgency",
    "certainty",
    "countryCode",
    "relationToNetwork",
    "companyOrProject",
    "narrative",
    "linkToWork",
    "endorsementMode",
    "verificationLevel",
    "reference",
    "republishable",
    "subjectKind",
    "publicationLevel",
    "office",
    "officeLanguage",
    "officeBody",
    "officeHonorific",
    "officeEmail",
    "officePost",
    "officeFax",
    "officeWeb",
    "lastChecked",
    "answerFrom",
    "answerKind",
    "answerDate",
    "answerText",
    "outcomeResult",
    "outcomeAttribution",
)


def _term(name: str, **more: str) -> tuple[str, dict[str, str]]:
    return name, {"@id": f"tadamun:{name}", **more}


TERMS: Mapping[str, Any] = MappingProxyType(
    {
        "tadamun": NAMESPACE,
        "gts": "https://gotosocial.org/ns#",
        "Hashtag": "as:Hashtag",
        **{name: f"tadamun:{name}" for name in _PLAIN},
        **dict(_term(name, **{"@container": "@set"}) for name in ("violationTypes", "drivers", "actions")),
        **dict(_term(name, **{"@container": "@list"}) for name in ("demands", "targets", "subjects")),
        **dict(_term(name, **{"@container": "@list"}) for name in ("doNot", "answers", "charterArticles")),
        **dict(_term(name, **{"@type": _DATE_TIME}) for name in ("deadline", "expires", "stateChanged")),
        "translationOf": {"@id": "tadamun:translationOf", "@type": "@id"},
        "translations": {"@id": "tadamun:translations", "@type": "@id", "@container": "@set"},
        "newsOf": {"@id": "tadamun:newsOf", "@type": "@id"},
        "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
        "size": "https://joinpeertube.org/ns#size",
        "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
        "canReply": {"@id": "gts:canReply", "@type": "@id"},
        "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id", "@container": "@set"},
        "manualApproval": {"@id": "gts:manualApproval", "@type": "@id", "@container": "@set"},
    }
)
"""Every property of an alert that ActivityStreams lacks. It stands inline in `@context` (as `dict(TERMS)`),
never as a URL: peers refuse context documents that they do not know. CAP's names where CAP has the term."""

_ENGLISH = MappingProxyType(
    {
        "urgent-appeal": "Urgent appeal",
        "new-information": "New information",
        "solidarity-letter": "Solidarity letter",
        "open-letter": "Open letter",
        "statement": "Statement",
        "closure": "Appeal closed",
        "withdrawal": "Appeal withdrawn",
        "hashtag": "UrgentAppeal",
        "hashtag-exercise": "Exercise",
        "banner-exercise": "EXERCISE — this is not a real alert. Please do not act on it.",
        "banner-test": "TEST — this is not a real alert. Please do not act on it.",
        "severity": "Severity",
        "severity:extreme": "extreme",
        "severity:severe": "severe",
        "severity:moderate": "moderate",
        "severity:minor": "minor",
        "severity:unknown": "not determined",
        "urgency": "Urgency",
        "urgency:immediate": "immediate",
        "urgency:expected": "expected soon",
        "urgency:future": "later",
        "urgency:past": "past",
        "urgency:unknown": "not determined",
        "certainty": "Certainty",
        "certainty:observed": "observed",
        "certainty:likely": "likely",
        "certainty:possible": "possible",
        "certainty:unlikely": "unlikely",
        "certainty:unknown": "not known",
        "work": "Link to the work for human rights",
        "who": "Who this is about",
        "person": "a person",
        "collective": "human-rights defenders, without names",
        "family": "a family",
        "group": "a group",
        "community": "a community",
        "withheld": "name withheld for safety",
        "demands": "Demands",
        "targets": "Addressed to",
        "deadline": "Please act before",
        "expires": "Valid until",
        "reference": "Reference",
        "issuer": "Issued by",
        "page": "Page of this alert",
        "sisters": "Also readable at",
        "translations": "In other languages",
        "corrected": "CORRECTION",
        "closed": "THIS APPEAL IS CLOSED",
        "reason": "Reason",
        "outcome": "Outcome",
        "hour": "at",
        "do-not": "Please do not",
        "actions": "What you can do",
        "action:write": "write to those addressed",
        "action:call": "call those addressed",
        "action:share": "share this alert",
        "action:sign": "sign on",
        "action:offer": "offer help or resources",
        "action:observe": "observe the trial",
        "action:nothing-public": "nothing in public: please do not share this",
        "answer": "Answer",
        "answer:favourable": "favourable",
        "answer:pledge": "a pledge",
        "answer:counter": "disputes the facts",
        "answer:information-request": "asks for information",
        "answer:token": "an acknowledgement only",
        "answer:none": "no answer",
        "further": "Further to the appeal",
        "further-dated": "of",
        "alert": "Urgent alert",
        "old": "OLD INFORMATION — please do not act on it any more",
    }
)
_ARABIC = MappingProxyType(
    {
        "urgent-appeal": "نداء عاجل",
        "new-information": "مستجدات",
        "solidarity-letter": "رسالة تضامن",
        "open-letter": "رسالة مفتوحة",
        "statement": "بيان",
        "closure": "إنهاء النداء",
        "withdrawal": "سحب النداء",
        "hashtag": "نداء_عاجل",
        "hashtag-exercise": "تدريب",
        "banner-exercise": "تدريب — ليس نداءً حقيقياً، ويُرجى عدم اتخاذ أي خطوة بناءً عليه.",
        "banner-test": "اختبار — ليس نداءً حقيقياً، ويُرجى عدم اتخاذ أي خطوة بناءً عليه.",
        "severity": "الخطورة",
        "severity:extreme": "بالغة الخطورة",
        "severity:severe": "خطيرة",
        "severity:moderate": "متوسطة",
        "severity:minor": "محدودة",
        "severity:unknown": "غير محددة",
        "urgency": "درجة الاستعجال",
        "urgency:immediate": "فورية",
        "urgency:expected": "وشيكة",
        "urgency:future": "لاحقة",
        "urgency:past": "منقضية",
        "urgency:unknown": "غير محددة",
        "certainty": "درجة اليقين",
        "certainty:observed": "مشهود",
        "certainty:likely": "مرجَّح",
        "certainty:possible": "محتمل",
        "certainty:unlikely": "مستبعد",
        "certainty:unknown": "غير معروف",
        "work": "الصلة بالعمل في مجال حقوق الإنسان",
        "who": "أصحاب الشأن",
        "person": "شخص",
        "collective": "مدافعات ومدافعون عن حقوق الإنسان، دون ذكر الأسماء",
        "family": "أسرة",
        "group": "مجموعة",
        "community": "مجتمع محلي",
        "withheld": "الاسم محجوب حفاظاً على السلامة",
        "demands": "المطالب",
        "targets": "الجهات المخاطَبة",
        "deadline": "الموعد الأخير",
        "expires": "ينتهي في",
        "reference": "رمز النداء",
        "issuer": "صدر عن",
        "page": "صفحة النداء",
        "sisters": "يمكن الاطّلاع عليه أيضاً على",
        "translations": "بلغات أخرى",
        "corrected": "تصحيح",
        "closed": "أُنهي هذا النداء",
        "reason": "السبب",
        "outcome": "النتيجة",
        "hour": "الساعة",
        "do-not": "يُرجى تجنّب ما يلي",
        "actions": "ما يمكن القيام به",
        "action:write": "مراسلة الجهات المخاطَبة",
        "action:call": "الاتصال بالجهات المخاطَبة",
        "action:share": "مشاركة هذا النداء",
        "action:sign": "الانضمام إلى التوقيع الجماعي",
        "action:offer": "عرض مساعدة أو موارد",
        "action:observe": "حضور المحاكمة بصفة مراقب",
        "action:nothing-public": "لا شيء علناً، ويُرجى عدم مشاركة هذا النداء",
        "answer": "رد",
        "answer:favourable": "رد إيجابي",
        "answer:pledge": "تعهّد",
        "answer:counter": "ينازع في الوقائع",
        "answer:information-request": "يطلب معلومات",
        "answer:token": "إشعار بالاستلام فحسب",
        "answer:none": "لم يرد جواب",
        "further": "استكمالاً للنداء",
        "further-dated": "المؤرّخ في",
        "alert": "نداء عاجل",
        "old": "معلومات قديمة — يُرجى عدم اتخاذ أي خطوة بناءً عليها",
    }
)
_MONTHS_ENGLISH = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MONTHS_ARABIC = (
    "كانون الثاني/يناير",
    "شباط/فبراير",
    "آذار/مارس",
    "نيسان/أبريل",
    "أيار/مايو",
    "حزيران/يونيو",
    "تموز/يوليو",
    "آب/أغسطس",
    "أيلول/سبتمبر",
    "تشرين الأول/أكتوبر",
    "تشرين الثاني/نوفمبر",
    "كانون الأول/ديسمبر",
)
_LANGUAGE_NAMES = MappingProxyType(
    {
        "ar": "العربية",
        "ckb": "کوردیی ناوەندی",
        "en": "English",
        "es": "Español",
        "fr": "Français",
    }
)


def primary(language: str) -> str:
    """The language subtag alone, lower case: `ar` for `ar-IQ`.

    Spec: RFC 5646 §2.2.1
    """
    return language.partition("-")[0].lower()


def is_rtl(language: str) -> bool:
    """Whether text in this language runs from right to left."""
    return primary(language) in RTL_LANGUAGES


def ui_language(language: str) -> str:
    """The language of our own words around a text: Arabic for Arabic, English for all others."""
    return "ar" if primary(language) == "ar" else "en"


def words(language: str) -> Mapping[str, str]:
    """Our own words, in Arabic or in English."""
    return _ARABIC if ui_language(language) == "ar" else _ENGLISH


def language_name(language: str) -> str:
    """A language by its own name where we know it, by its tag where not."""
    return _LANGUAGE_NAMES.get(primary(language), language)


def country_name(code: str, language: str) -> str:
    """A country's name in Arabic or English; a code we do not know stays as it is."""
    country = COUNTRIES.get(code)
    return code if country is None else country.name(ui_language(language))


def readable_date(moment: datetime, language: str) -> str:
    """A date in words, in UTC. The last second of a day stands for the whole day and shows no hour."""
    moment = moment.astimezone(UTC)
    arabic = ui_language(language) == "ar"
    month = (_MONTHS_ARABIC if arabic else _MONTHS_ENGLISH)[moment.month - 1]
    day = f"{moment.day} {month} {moment.year}"
    if (moment.hour, moment.minute, moment.second) == (23, 59, 59):
        return day
    hour = f"{moment.hour:02}:{moment.minute:02} UTC"
    return f"{day}، {_ARABIC['hour']} {hour}" if arabic else f"{day}, {_ENGLISH['hour']} {hour}"


def rounded(moment: datetime) -> datetime:
    """The moment as it is told: down to ten minutes, in UTC.

    To the second, a time of publication could be laid beside what a network operator saw of a line.
    """
    moment = moment.astimezone(UTC)
    return moment - timedelta(minutes=moment.minute % 10, seconds=moment.second, microseconds=moment.microsecond)


def reference_code(country: str, number: int, published: datetime, did: str) -> str:
    """The short code people quote in letters, e.g. `IRQ 003 / 1126 / K7WQ4`.

    Country, the organisation's own running number, month and year, and the node's part: the last five
    characters of its did that nobody misreads (no I, L, O, 0, 1). It comes from the key, so no registrar
    hands it out.
    """
    found = COUNTRIES.get(country)
    alpha3 = found.alpha3 if found else country
    mark = "".join(letter for letter in did.upper() if letter not in "ILO01")[-5:]
    return f"{alpha3} {number:03} / {published.astimezone(UTC):%m%y} / {mark}"


def news_code(reference: str, number: int) -> str:
    """The code of the so-manieth news of an alert: the alert's own with `.n`, e.g. `IRQ 003 / 1126 / K7WQ4.1`."""
    return f"{reference}.{number}"
