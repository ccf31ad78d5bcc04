"""Letters to the offices that an alert addresses, made from the public alert alone.

Decides in which languages a letter can be had, what it says and how long it may be. The frame of a letter (salutation,
opening, closing) exists in Arabic, English, French and Spanish; its facts and demands are the author's own words in the
letter's language where the alert has them, else in its main language, and then the letter says so. It is polite, keeps
to the facts, asks and does not threaten, and takes no side in politics: whom it speaks for can be
harmed by it as well as helped. Which alerts have letters, in order:

1. none that is closed or expired: no further action is asked for;
2. none whose author named what readers may do, and writing was not among it;
3. none without demands, or without an office;
4. those of exercises say so before anything else and are for nobody to send.

Spec: RFC 6068 (mailto); UAX #9 §2.4 (isolates)
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from urllib.parse import quote

from node.alert_bidi import isolate
from node.alert_public import PublicAlert, PublicTarget
from node.alert_terms import is_rtl, primary
from node.errors import RefusedError

MAX_LETTER = 3_500
"""Characters: a page or two of A4, and what offices read."""
MAX_LINK = 8_000
"""Bytes of a `mailto:` link; longer ones are cut by the programs that take them."""
_MAX_DEMAND = 280
_MAX_DEMANDS = 1_400
_MAX_SUBJECT = _MAX_INSERTED = 160
_LEAST_FACTS = 200
_ELLIPSIS = "…"
_SENTENCE = re.compile(r"[.!?؟。]\s")


@dataclass(frozen=True, slots=True)
class Frame:
    """Our own words of a letter in one language; (a person's, an organisation's) where they differ."""

    to: str
    greeting: str
    """Where no form of address is known, or it is in another language."""
    addressed: str
    """With a form of address."""
    opening: tuple[str, str]
    facts: str
    work: str
    other: str
    """The facts and demands below are in another language."""
    demands: tuple[str, str]
    reference: str
    thanks: tuple[str, str]
    closing: tuple[str, str]
    sender: tuple[str, str]
    drill: str


FRAMES: Mapping[str, Frame] = MappingProxyType(
    {
        "ar": Frame(
            to="إلى: {office}",
            greeting="تحية طيبة وبعد،",
            addressed="{honorific}،\nتحية طيبة وبعد،",
            opening=(
                "أكتب إليكم بشأن المسألة الآتية، وقد صدر بشأنها نداء عاجل عن {author}:",
                "تكتب منظمتنا إليكم بشأن المسألة الآتية، وقد صدر بشأنها نداء عاجل عن {author}:",
            ),
            facts="بحسب المعلومات الواردة في النداء:",
            work="وعن الصلة بالعمل في مجال حقوق الإنسان:",
            other="(الوقائع والمطالب أدناه بلغة النداء الأصلية: {language}.)",
            demands=(
                "لذا أرجو منكم، في حدود اختصاصكم، ما يلي:",
                "لذا ترجو منظمتنا منكم، في حدود اختصاصكم، ما يلي:",
            ),
            reference="رمز النداء: {reference}",
            thanks=(
                "أشكر لكم اهتمامكم، وأقدّر لكم إحاطتي علماً بما يُتخذ من خطوات.",
                "نشكر لكم اهتمامكم، ونقدّر لكم إحاطتنا علماً بما يُتخذ من خطوات.",
            ),
            closing=("وتفضّلوا بقبول فائق الاحترام والتقدير،",) * 2,
            sender=(
                "[الاسم]\n[المدينة والبلد]\n[التاريخ]",
                "[اسم المنظمة]\n[الاسم والصفة]\n[المدينة والبلد]\n[التاريخ]",
            ),
            drill="تدريب — لا تُرسَل هذه الرسالة",
        ),
        "en": Frame(
            to="To: {office}",
            greeting="Dear Sir or Madam,",
            addressed="{honorific},",
            opening=(
                "I write about the following matter, on which {author} has issued an urgent appeal:",
                "Our organisation writes about the following matter, on which {author} has issued an urgent appeal:",
            ),
            facts="According to the information given in the appeal:",
            work="On the link to the work for human rights:",
            other="(The facts and requests below are in the language of the appeal: {language}.)",
            demands=(
                "I therefore respectfully ask you, within your powers, to see to the following:",
                "Our organisation therefore respectfully asks you, within your powers, to see to the following:",
            ),
            reference="Reference of the appeal: {reference}",
            thanks=(
                "Thank you for your attention. I would be grateful to learn what steps are taken.",
                "Thank you for your attention. We would be grateful to learn what steps are taken.",
            ),
            closing=("Yours faithfully,",) * 2,
            sender=(
                "[name]\n[town and country]\n[date]",
                "[name of the organisation]\n[name and office]\n[town and country]\n[date]",
            ),
            drill="EXERCISE — do not send",
        ),
        "fr": Frame(
            to="À l'attention de : {office}",
            greeting="Madame, Monsieur,",
            addressed="{honorific},",
            opening=(
                "Je vous écris au sujet de la situation suivante, qui a fait l'objet d'un appel urgent de {author} :",
                "Notre organisation vous écrit au sujet de la situation suivante, qui a fait l'objet d'un appel urgent"
                " de {author} :",
            ),
            facts="Selon les informations données dans cet appel :",
            work="Quant au lien avec le travail en faveur des droits humains :",
            other="(Les faits et les demandes ci-dessous sont dans la langue de l'appel : {language}.)",
            demands=(
                "Je vous prie donc respectueusement, dans la limite de vos compétences, de veiller à ce qui suit :",
                "Notre organisation vous prie donc respectueusement, dans la limite de vos compétences, de veiller à ce"
                " qui suit :",
            ),
            reference="Référence de l'appel : {reference}",
            thanks=(
                "Je vous remercie de votre attention et vous saurais gré de me faire connaître les mesures prises.",
                "Nous vous remercions de votre attention et vous saurions gré de nous faire connaître les mesures"
                " prises.",
            ),
            closing=(
                "Je vous prie d'agréer, {addressee}, l'expression de ma haute considération.",
                "Nous vous prions d'agréer, {addressee}, l'expression de notre haute considération.",
            ),
            sender=(
                "[nom]\n[ville et pays]\n[date]",
                "[nom de l'organisation]\n[nom et fonction]\n[ville et pays]\n[date]",
            ),
            drill="EXERCICE — ne pas envoyer",
        ),
        "es": Frame(
            to="A la atención de: {office}",
            greeting="A quien corresponda:",
            addressed="{honorific}:",
            opening=(
                "Me dirijo a usted en relación con el asunto siguiente, sobre el que {author} ha emitido un llamamiento"
                " urgente:",
                "Nuestra organización se dirige a usted en relación con el asunto siguiente, sobre el que {author} ha"
                " emitido un llamamiento urgente:",
            ),
            facts="Según la información recogida en el llamamiento:",
            work="Sobre el vínculo con la labor en favor de los derechos humanos:",
            other="(Los hechos y las peticiones que siguen están en el idioma del llamamiento: {language}.)",
            demands=(
                "Por ello le ruego respetuosamente que, en el ámbito de sus competencias, atienda a lo siguiente:",
                "Por ello nuestra organización le ruega respetuosamente que, en el ámbito de sus competencias, atienda"
                " a lo siguiente:",
            ),
            reference="Referencia del llamamiento: {reference}",
            thanks=(
                "Le agradezco su atención, y le agradecería que me informara de las medidas que se adopten.",
                "Le agradecemos su atención, y le agradeceríamos que nos informara de las medidas que se adopten.",
            ),
            closing=("Le saluda atentamente,", "Le saludamos atentamente,"),
            sender=(
                "[nombre]\n[ciudad y país]\n[fecha]",
                "[nombre de la organización]\n[nombre y cargo]\n[ciudad y país]\n[fecha]",
            ),
            drill="EJERCICIO — no enviar",
        ),
    }
)
_LANGUAGES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "ar": {"ar": "العربية", "en": "الإنكليزية", "fr": "الفرنسية", "es": "الإسبانية", "ckb": "الكردية السورانية"},
        "en": {"ar": "Arabic", "en": "English", "fr": "French", "es": "Spanish", "ckb": "Sorani Kurdish"},
        "fr": {"ar": "arabe", "en": "anglais", "fr": "français", "es": "espagnol", "ckb": "kurde sorani"},
        "es": {"ar": "árabe", "en": "inglés", "fr": "francés", "es": "español", "ckb": "kurdo sorani"},
    }
)


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, ready to be copied."""

    language: str
    subject: str
    text: str
    """Plain text, `\\n` between lines, at most `MAX_LETTER` characters."""
    facts_language: str
    """The language of the author's words in it."""
    drill: bool

    @property
    def rtl(self) -> bool:
        """Whether it runs from right to left."""
        return is_rtl(self.language)


def objection(alert: PublicAlert, now: datetime) -> str:
    """Why nobody is asked to write about this alert; empty where somebody is."""
    if alert.state == "closed" or alert.is_expired(now):
        return "no further action is asked for"
    if alert.actions and "write" not in alert.actions:
        return "its author asks for other steps, not for letters"
    if not alert.demands or not alert.targets:
        return "nobody is asked for anything"
    return ""


def languages(alert: PublicAlert, target: PublicTarget, translations: Sequence[PublicAlert] = ()) -> tuple[str, ...]:
    """In which languages a letter to this office can be had: the office's first, then those of the alert."""
    found = (target.language, alert.language, *(each.language for each in translations))
    known = tuple(dict.fromkeys(primary(each) for each in found if primary(each) in FRAMES))
    return known or ("en",)


def write(
    alert: PublicAlert, target: PublicTarget, language: str, author: str,
    translations: Sequence[PublicAlert] = (), *, organisation: bool = False,
) -> Letter:  # fmt: skip
    """The letter to one office in one language.

    Args:
        author: the name of the organisation that issued the alert.
        translations: the same alert in other languages.
        organisation: whether an organisation sends it, and not a person.

    Raises:
        RefusedError: letters are not written in this language.
    """
    frame = FRAMES.get(language)
    if frame is None:
        raise RefusedError(f"letters are written in {', '.join(FRAMES)}")
    source = next((each for each in (alert, *translations) if primary(each.language) == language), alert)
    who = 1 if organisation else 0
    own = primary(target.language) == language
    addressee = target.honorific.rstrip(" ,:،") if own and target.honorific else ""
    def say(text: str) -> str:
        return _inserted(text, language)

    head = [
        *([frame.drill] if alert.is_drill else []),
        frame.to.format(office=say(target.office)) + (f"\n{say(target.body)}" if target.body else ""),
        frame.addressed.format(honorific=addressee) if addressee else frame.greeting,
        frame.opening[who].format(author=say(author)),
        _line(source.headline),
    ]
    if primary(source.language) != language:
        names = _LANGUAGES[language]
        head.append(frame.other.format(language=names.get(primary(source.language), source.language)))
    asked = [frame.demands[who], _numbered(source.demands)]
    greeted = addressee or frame.greeting.rstrip(",:،")
    foot = [
        *([frame.reference.format(reference=say(alert.reference))] if alert.reference else []),
        frame.thanks[who],
        frame.closing[who].format(addressee=greeted),
        frame.sender[who],
        *([frame.drill] if alert.is_drill else []),
    ]
    room = MAX_LETTER - len("\n\n".join([*head, *asked, *foot]))
    text = "\n\n".join([*head, *_facts(frame, source, room), *asked, *foot])
    drill = f"{frame.drill}: " if alert.is_drill else ""
    subject = shorten(f"{drill}{_line(source.headline)}", _MAX_SUBJECT)
    return Letter(language, subject, text, primary(source.language), alert.is_drill)


def link(letter: Letter, target: PublicTarget) -> str:
    """A `mailto:` link with subject and text, or without the text where that would be too long; empty where the office
    publishes no e-mail address, and for exercises, which nobody sends.

    Spec: RFC 6068 §2, §5
    """
    if letter.drill or not target.email:
        return ""
    start = f"mailto:{quote(target.email, safe='@+')}?subject={quote(letter.subject, safe='')}"
    whole = f"{start}&body={quote(letter.text.replace(chr(10), chr(13) + chr(10)), safe='')}"
    return whole if len(whole) <= MAX_LINK else start


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters: up to the last sentence that fits, else the last word, and then an ellipsis."""
    text = text.strip()
    if len(text) <= limit:
        return text
    cut = text[: max(0, limit - 2)]
    ends = [match.start() + 1 for match in _SENTENCE.finditer(cut)]
    if ends and ends[-1] > limit // 2:
        return f"{cut[: ends[-1]]} {_ELLIPSIS}"
    return f"{cut.rpartition(' ')[0] or cut} {_ELLIPSIS}"


def _facts(frame: Frame, source: PublicAlert, room: int) -> list[str]:
    """What happened, and where there is room how it is tied to the work."""
    told = re.sub(r"\n{2,}", "\n", source.narrative)
    left = room - len(frame.facts) - 4
    if not told.strip() or left < _LEAST_FACTS:
        return []
    facts = [f"{frame.facts}\n{shorten(told, left)}"]
    left -= len(facts[0]) - len(frame.facts) + 2
    work = left - len(frame.work) - 4
    if source.link_to_work and len(source.link_to_work) <= work:
        facts.append(f"{frame.work}\n{source.link_to_work.strip()}")
    return facts


def _numbered(demands: Sequence[str]) -> str:
    """The demands as a numbered list; those that do not fit any more stand in the alert, which is referred to."""
    lines: list[str] = []
    for number, demand in enumerate(demands, 1):
        line = f"{number}. {shorten(_line(demand), _MAX_DEMAND)}"
        if sum(len(each) + 1 for each in lines) + len(line) > _MAX_DEMANDS:
            lines.append(_ELLIPSIS)
            break
        lines.append(line)
    return "\n".join(lines)


def _line(text: str) -> str:
    return " ".join(text.split())


def _inserted(text: str, language: str) -> str:
    """A name or a code within our own words: isolated where it runs against them."""
    text = shorten(_line(text), _MAX_INSERTED)
    foreign = any(unicodedata.bidirectional(letter) in (("L",) if is_rtl(language) else ("R", "AL")) for letter in text)
    return isolate(text) if foreign else text
