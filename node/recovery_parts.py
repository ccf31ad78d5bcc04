"""The recovery key on three sheets of paper, any two of which are the key and any one of which is nothing.

For an organisation that has three people it trusts and no single one: whoever steals, or is made to give, one sheet
has nothing, and one sheet may burn. Rules of a part, in order:

1. Sheet A, B or C holds its two parts of the key (`sharing`) and six bytes of a SHA-256 of them and of its letter: 560
   bits, fourteen lines (`paper`). So a sheet knows its own name, and a wrong copy is found before another is asked for.
2. Two different sheets make the key. Sheets of two different sets make some other key: that it is not the
   organisation's is found by the commitment in log entry 1 (`recovery.check_commitment`).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node import paper, recovery, sharing
from node.errors import RefusedError
from node.recovery import RecoveryKey
from node.sharing import KEY_SIZE, Parts

NAMES = "ABC"
NEEDED = 2
LINES = 14
_CHECK = 6


@dataclass(frozen=True, slots=True)
class Part:
    """One sheet."""

    name: str
    """A, B or C."""
    parts: Parts = field(repr=False)

    @property
    def lines(self) -> tuple[str, ...]:
        """The fourteen lines, without numbers and spaces."""
        held = b"".join(self.parts[group] for group in sorted(self.parts))
        return paper.lines_of(held + _check(self.name, held))


def split(key: RecoveryKey, random: Callable[[int], bytes]) -> tuple[Part, ...]:
    """The three sheets of a key.

    Args:
        random: gives so many bytes that nobody can foretell.
    """
    shared = sharing.split(key.seed, len(NAMES), NEEDED, random)
    return tuple(Part(name, parts) for name, parts in zip(NAMES, shared, strict=True))


def read(text: str) -> Part:
    """One sheet that somebody typed or scanned.

    Raises:
        RefusedError: naming each line that is wrong, missing or there twice.
    """
    payload = paper.read(text, LINES)
    held, check = payload[:-_CHECK], payload[-_CHECK:]
    for number, name in enumerate(NAMES):
        if check == _check(name, held):
            groups = sorted(sharing.name_of(sorted((number, other))) for other in range(len(NAMES)) if other != number)
            return Part(name, {group: held[at * KEY_SIZE :][:KEY_SIZE] for at, group in enumerate(groups)})
    raise RefusedError("each line holds by itself, but together they are no part of a key: compare them all again")


def join(parts: Sequence[Part]) -> RecoveryKey:
    """The key of two sheets.

    Raises:
        RefusedError: it is one sheet alone, or the same one twice.
    """
    held = {NAMES.index(part.name): part.parts for part in parts}
    seed = sharing.join(held, NEEDED)
    if seed is None:
        names = ", ".join(sorted({part.name for part in parts}))
        raise RefusedError(f"two of the three sheets are wanted ({names or 'none'})")
    return RecoveryKey(Ed25519PrivateKey.from_private_bytes(seed))


def read_key(texts: Sequence[str]) -> RecoveryKey:
    """The key of a whole sheet, or of two parts.

    Args:
        texts: what stands on each sheet.

    Raises:
        RefusedError: naming what is wrong, missing or there twice.
    """
    if any(paper.count_of(text, (LINES, recovery.LINES)) == LINES for text in texts):
        return join([read(text) for text in texts])
    if len(texts) != 1:
        raise RefusedError("one whole sheet is wanted, or two of three parts")
    return recovery.parse_sheet(texts[0])


def render_sheet(part: Part, organisation_name: str, handle: str, did: str, made: datetime, language: str) -> str:
    """One printable sheet, in Arabic and English.

    Args:
        language: the organisation's language; with `ar` the Arabic part stands first.
        made: the day that is printed.
    """
    facts = {
        "part": part.name,
        "name": " ".join(organisation_name.split()),
        "handle": f"{paper.LEFT_TO_RIGHT}{handle}{paper.LEFT_TO_RIGHT}",
        "did": f"{paper.LEFT_TO_RIGHT}{did}",
        "made": made.date().isoformat(),
    }
    return paper.sheet(part.lines, _ARABIC.format(**facts), _ENGLISH.format(**facts), language)


def _check(name: str, held: bytes) -> bytes:
    return hashlib.sha256(b"tadamun: recovery part, form 1" + name.encode() + held).digest()[:_CHECK]


_ARABIC = """\
ورقة الاستعادة، الجزء {part} من ثلاثة أجزاء

المنظمة: {name}
المعرّف: {handle}
التاريخ: {made}

هذه ورقة من ثلاث. أيّ ورقتين منها معاً هما مفتاح الاستعادة، والورقة الواحدة وحدها
لا تفتح شيئاً ولا تكشف شيئاً. بالمفتاح وحده تُعلن المنظمة مفتاحاً جديداً إذا ضاع
الخادم أو سُرق مفتاحه أو غادر من يديره.

- لكل ورقة شخص، وليكن الثلاثة خارج المكتب وفي أماكن مختلفة.
- لا تصوّروها ولا ترسلوها، ولا تجمعوا ورقتين في مكان واحد.
- إذا ضاعت ورقتان فأخبروا الأعضاء فوراً.
- الحرف الأخير من كل سطر يكشف خطأ الكتابة في ذلك السطر.
"""

_ENGLISH = """\
RECOVERY SHEET, PART {part} OF THREE

Organisation: {name}
Handle:       {handle}
Date:         {made}

This is one sheet of three. Any two of them together are the recovery
key; one alone opens nothing and tells nothing. With the key, and with
nothing else, the organisation names a new key when its server is lost,
its key is stolen, or the person who ran it leaves.

- One sheet for each of three people, outside the office, in three places.
- Do not photograph or send it, and never keep two in one place.
- If two are lost, tell the members at once.
- The last letter of each line finds a typing error in that line.

Identity:   {did}
"""
