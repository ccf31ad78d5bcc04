"""The recovery key on paper, and an identity compared by voice.

The recovery key is the second Ed25519 key of an organisation. Log entry 1 carries its commitment, and it
alone may name the organisation's successor; so it lives on paper, never on the node. This module makes it,
turns it into a sheet, and reads the sheet back. Where the sheet goes is decided by the command line; what a
succession may do, by the rules of the log.

Rules of the sheet, in order:

1. The 32-byte seed and three bytes of a SHA-256 of it are 280 bits: seven lines of eight letters.
2. How a line is written, and how it finds what was copied wrongly, is `paper`'s.
3. When each line holds by itself, the SHA-256 bytes must hold too: they find what several errors hide.
"""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import paper
from node.errors import ProtocolError, RefusedError
from node.federation.protocol.digests import multibase
from node.federation.protocol.keys import OrganisationKey, public_from_did
from node.words import WORDS

LINES = 7
STRETCH = 2**16
"""Rounds of PBKDF2: each bit here is one more bit of work for who searches a key with the same six words."""


@dataclass(frozen=True, slots=True)
class RecoveryKey(OrganisationKey):
    """The key that may name an organisation's successor. It signs like any other and stays on no node."""

    @property
    def seed(self) -> bytes:
        """The 32 bytes that are the key."""
        return self.private.private_bytes_raw()


def generate() -> RecoveryKey:
    """A new recovery key."""
    return RecoveryKey(Ed25519PrivateKey.generate())


def commitment(key: OrganisationKey) -> str:
    """What log entry 1 carries: the SHA-256 multihash of the recovery key's did.

    A digest, not the did: the key stays unknown until it is used.

    Spec: Tadamun log §4
    """
    return multibase(key.did.encode())


def check_commitment(did: str, pinned: str) -> None:
    """The key behind `did` is the one that an organisation committed to.

    Raises:
        ProtocolError: not an Ed25519 `did:key`, or another key than the pinned one (401).

    Spec: Tadamun log §4
    """
    public_from_did(did)
    if multibase(did.encode()) != pinned:
        raise ProtocolError("this is not the recovery key of log entry 1", spec="Tadamun log §4", status=401)


def render_lines(key: RecoveryKey) -> tuple[str, ...]:
    """The key as seven lines of nine letters, without numbers and spaces."""
    return paper.lines_of(key.seed + _checksum(key.seed))


def render_sheet(
    key: RecoveryKey, organisation_name: str, handle: str, did: str, made: datetime, language: str
) -> str:
    """The printable sheet, in Arabic and English.

    Args:
        language: the organisation's language; with `ar` the Arabic part stands first.
        made: the day that is printed.
    """
    words, numbers = spoken(did)
    facts = {
        "name": " ".join(organisation_name.split()),
        "handle": f"{paper.LEFT_TO_RIGHT}{handle}{paper.LEFT_TO_RIGHT}",
        "did": f"{paper.LEFT_TO_RIGHT}{did}",
        "words": f"{paper.LEFT_TO_RIGHT}{' '.join(words)}",
        "numbers": f"{paper.LEFT_TO_RIGHT}{' '.join(numbers)}",
        "made": made.date().isoformat(),
        "commitment": f"{paper.LEFT_TO_RIGHT}{commitment(key)}",
    }
    return paper.sheet(render_lines(key), _ARABIC.format(**facts), _ENGLISH.format(**facts), language)


def render_qr(key: RecoveryKey) -> str:
    """The key as a QR code of block characters, for a terminal or a text printer; `parse_sheet` reads it."""
    out = io.StringIO()
    paper.code(render_lines(key)).terminal(out, compact=True)
    return out.getvalue()


def render_qr_svg(key: RecoveryKey) -> str:
    """The key as a QR code in SVG, without any script, style or outside reference."""
    return paper.drawing(render_lines(key))


def parse_sheet(text: str) -> RecoveryKey:
    """Read a sheet that somebody typed or scanned: a whole sheet, its seven lines, or the QR code's text.

    Case, spaces, dashes and the order of numbered lines do not matter; what else stands on a sheet is
    passed over.

    Raises:
        RefusedError: naming each line that is wrong, missing or there twice.
    """
    payload = paper.read(text, LINES)
    seed, checksum = payload[:32], payload[32:]
    if checksum != _checksum(seed):
        raise RefusedError("each line holds by itself, but together they are no key: compare them all again")
    return RecoveryKey(Ed25519PrivateKey.from_private_bytes(seed))


def spoken(did: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Six words for comparing a did by voice, and six groups of five digits for who would rather read those: 60 bits of
    its stretched SHA-256, 76 of work to imitate. It takes a tenth of a second: not for lists.
    """
    digest = _voice(did)
    bits, rest = int.from_bytes(digest[:8]) >> 4, digest[8:]
    words = tuple(WORDS[bits >> shift & 1023] for shift in range(50, -1, -10))
    return words, tuple(f"{int.from_bytes(rest[start : start + 8]) % 100_000:05}" for start in range(0, 48, 8))


def six_words(did: str) -> tuple[str, ...]:
    """The words alone."""
    return spoken(did)[0]


def six_numbers(did: str) -> tuple[str, ...]:
    """The digits alone."""
    return spoken(did)[1]


def _voice(did: str) -> bytes:
    salt = b"tadamun: compare by voice, form 1"
    return hashlib.pbkdf2_hmac("sha256", did.encode(), salt, STRETCH, dklen=56)


def _checksum(seed: bytes) -> bytes:
    return hashlib.sha256(b"tadamun: recovery sheet, form 1" + seed).digest()[:3]


_ARABIC = """\
ورقة الاستعادة

المنظمة: {name}
المعرّف: {handle}
التاريخ: {made}

ما هذه الورقة؟
السطور السبعة المرقّمة هي مفتاح الاستعادة. بها وحدها تُعلن المنظمة مفتاحاً جديداً
إذا ضاع الخادم أو سُرق مفتاحه أو غادر من يديره. المفتاح غير محفوظ على الخادم.

كيف تُحفظ؟
- اطبعوا نسختين. لا تصوّروها ولا ترسلوها بالبريد أو بتطبيقات المراسلة.
- احفظوا النسختين في مكانين مختلفين، خارج المكتب، لدى شخصين موثوقين.
- امسحوا الملف من كل جهاز بعد الطباعة.
- من يملك هذه الورقة يستطيع أن يتكلم باسم المنظمة. إذا ضاعت فأخبروا الأعضاء فوراً.
- جرّبوا قراءتها مرة في السنة. الحرف الأخير من كل سطر يكشف خطأ الكتابة في ذلك السطر.

للمقارنة بالصوت (هذه عن هوية المنظمة وليست سرّاً):
{numbers}
{words}
"""

_ENGLISH = """\
RECOVERY SHEET

Organisation: {name}
Handle:       {handle}
Date:         {made}

What this is
The seven numbered lines are the recovery key. With it, and with nothing
else, the organisation names a new key when its server is lost, its key is
stolen, or the person who ran it leaves. The key is not on the server.

How to keep it
- Print it twice. Do not photograph it, mail it or send it by a messenger.
- Keep the two copies in two places, outside the office, with two people
  you trust.
- Delete the file from every device once it is printed.
- Who holds this sheet can speak for the organisation. If it is lost, tell
  the members at once.
- Try reading it once a year. The last letter of each line finds a typing
  error in that line.

To compare by voice (about the organisation's identity; not secret)
{words}
{numbers}

Identity:   {did}
Commitment: {commitment}
"""
