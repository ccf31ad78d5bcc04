"""Whether an alert may leave the house, judged before anybody sees it.

Rules of `check_publishable`, in order (R numbers are the do-no-harm rules of the project):

1. Text: the link between the attack and the work is written (publication rule); a real alert names a real
   country.
2. R1 consent: valid now, and its level covers the audience and every subject's publication level.
3. R10 relatives have a consent of their own. R11 minors are never named, and no face is shown where one is spoken of.
   R3 no picture where the consent leaves photos out.
4. R4 a name that is not to be published stands in no public text.
5. It has not expired, and R8 its embargo is over: nothing embargoed leaves the house. Others may look at it before.
6. R2: a real alert needs a second person's approval, so where approvals do not exist only a node on
   loopback publishes it.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

from node.alert_countries import EXERCISE_COUNTRY
from node.alert_input import Alert
from node.alert_terms import CONSENT_LEVELS, PRESUMED
from node.errors import RefusedError

_PHOTOS = frozenset({"photo", "photos", "picture", "pictures", "image", "صوره", "صور", "الصوره", "الصور"})
_LETTERS = str.maketrans("أإآٱىة", "اااايه", "ـ")


def check_publishable(alert: Alert, now: datetime, *, approvals_exist: bool, loopback: bool) -> None:
    """Judge whether this alert may be published at `now`.

    Raises:
        RefusedError: one reason for each rule that says no, each with the rule's number.

    Spec: Tadamun §7
    """
    reasons = [
        *_text_reasons(alert),
        *_consent_reasons(alert, now),
        *_subject_reasons(alert),
        *_picture_reasons(alert),
        *_name_reasons(alert),
    ]
    if alert.expires <= now:
        reasons.append(f"expires: {alert.expires:%Y-%m-%d} has passed; write a later date")
    if alert.embargo_until is not None and now < alert.embargo_until:
        reasons.append(f"R8: embargo_until is {alert.embargo_until:%Y-%m-%dT%H:%M:%SZ}; publish it then, not before")
    if alert.status == "actual" and not approvals_exist and not loopback:
        reasons.append(
            "R2: no second person can approve on this node yet, so it publishes exercises only"
        )
    if reasons:
        raise RefusedError(*reasons)


def _text_reasons(alert: Alert) -> Iterator[str]:
    for text in alert.texts():
        if not text.link_to_work.strip():
            yield f"link_to_work ({text.language}): empty; write how the attack is tied to the work"
    if alert.status == "actual" and alert.country == EXERCISE_COUNTRY:
        yield "country: XX is for exercises only; write the country's ISO code, e.g. IQ"


def _consent_reasons(alert: Alert, now: datetime) -> Iterator[str]:
    audience = CONSENT_LEVELS.index("public-anonymised" if alert.audience == "everyone" else "network")
    for where, consent in alert.consents():
        if consent.valid_until < now:
            yield f"R1: {where} was valid until {consent.valid_until:%Y-%m-%d}; ask again"
        if consent.given_by == PRESUMED and consent.level == "public-named":
            yield f"R1: {where} is presumed, and a presumption never allows names"
        if CONSENT_LEVELS.index(consent.level) < audience:
            yield (
                f"R1: {where} allows {consent.level}, below the audience;"
                f" it must be {CONSENT_LEVELS[audience]} or higher"
            )


def _subject_reasons(alert: Alert) -> Iterator[str]:
    for number, subject in enumerate(alert.subjects):
        where = f"subjects[{number}]"
        consent = subject.consent or alert.consent
        if subject.publication_level == "named" and consent.level != "public-named":
            yield f"R1: {where} is named, the consent allows only {consent.level}"
        relative = subject.relative or subject.kind == "family"
        if relative and subject.consent is None and alert.consent.given_by != "family":
            yield f"R10: {where} is a relative and needs a consent of their own; write it as {where}.consent"
        if subject.minor and subject.publication_level not in ("collective", "withheld"):
            yield f"R11: {where} is a minor; publication_level must be collective or withheld"


def _picture_reasons(alert: Alert) -> Iterator[str]:
    minors = any(subject.minor for subject in alert.subjects)
    excluded = {folded(each) for _, consent in alert.consents() for each in consent.excluded}
    for number, shot in enumerate(alert.media):
        if minors and shot.people == "consented":
            yield f"R11: a minor is spoken of, and media[{number}] shows faces; blur them and write blurred"
        if excluded & _PHOTOS and shot.people != "none":
            yield f"R3: the consent leaves photos out, and media[{number}] shows people"


def _name_reasons(alert: Alert) -> Iterator[str]:
    everything = f" {folded(' '.join(_public_words(alert)))} "
    for number, subject in enumerate(alert.subjects):
        name = folded(subject.name)
        # One word may be anybody's (an order, a place, "defender"); two words together are somebody's name.
        if subject.publication_level != "named" and " " in name and f" {name} " in everything:
            yield f"R4: the name of subjects[{number}] is not to be published, but stands in the text"


def _public_words(alert: Alert) -> Iterator[str]:
    for text in alert.texts():
        yield from (text.headline, text.narrative, text.link_to_work, *text.demands, *text.do_not)
    yield alert.company_or_project
    for target in alert.targets:
        yield from (target.office, target.body, target.honorific, *(value for _, value in target.public))
    yield from (alt for shot in alert.media for _, alt in shot.alt)
    yield from (
        subject.public_name for subject in alert.subjects if subject.publication_level == "collective"
    )


def folded(text: str) -> str:
    """For comparing names: no marks, no case, one form of each Arabic letter, words separated by single
    spaces."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", bare.casefold()))
