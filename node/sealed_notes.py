"""What a sealed letter may bring as an alert. Rules, in order:

1. it holds one to twenty Notes, the main language first, and is about the first;
2. each is an alert of the letter's author, by its id and by `attributedTo`;
3. each bears its author's own proof, so that it can be believed without the envelope it came in;
4. each can be read as an alert.
"""

from typing import Any

from node import alerts as rules
from node.errors import ProtocolError
from node.federation.protocol import ids, verification
from node.letters import Letter


def check(letter: Letter) -> None:
    """What a letter brings as an alert is its author's, and can be read as one.

    Raises:
        ProtocolError: it is not.
    """
    notes = letter.body.get("notes")
    if not isinstance(notes, list) or not 0 < len(notes) <= 20:
        raise ProtocolError("an alert's letter holds its Notes", spec="Tadamun letters 1")
    for note in notes:
        _check_note(note, letter.author)
    if ids.canonical(str(notes[0]["id"])) != letter.about:
        raise ProtocolError("the first Note is what the letter is about", spec="Tadamun letters 1")


def _check_note(note: Any, author: str) -> None:
    found = ids.portable(str(note.get("id"))) if isinstance(note, dict) else None
    if found is None or found.did != author or not rules.is_alert(note):
        raise ProtocolError("a Note of another author, or none that is an alert", spec="FEP-fe34")
    by = ids.portable(str(note.get("attributedTo")))
    if by is None or by.did != author:
        raise ProtocolError("attributedTo is not the letter's author", spec="FEP-fe34")
    verification.verify_own_proof(note, author)
    rules.parse(note)
