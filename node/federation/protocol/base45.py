"""Base45: bytes as the letters of a QR code's alphanumeric mode, two bytes in three letters.

A byte mode would be shorter by a hundredth, but many scanners hand on text only and break bytes that are none.

Spec: RFC 9285
"""

from node.errors import ProtocolError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_SPEC = "RFC 9285 §4"


def encode(data: bytes) -> str:
    """Bytes as text.

    Spec: RFC 9285 §4.1
    """
    letters: list[str] = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        value = int.from_bytes(pair)
        for _ in range(len(pair) + 1):
            value, rest = divmod(value, 45)
            letters.append(ALPHABET[rest])
    return "".join(letters)


def decode(text: str) -> bytes:
    """Text as bytes.

    Raises:
        ProtocolError: a letter of another alphabet, a length that no bytes have, or a value past them.

    Spec: RFC 9285 §4.2, §6
    """
    if len(text) % 3 == 1:
        raise ProtocolError("base45 of a length that no bytes have", spec=_SPEC)
    data = bytearray()
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        value = 0
        for letter in reversed(group):
            digit = ALPHABET.find(letter)
            if digit < 0:
                raise ProtocolError("a letter that base45 does not have", spec=_SPEC)
            value = value * 45 + digit
        size = len(group) - 1
        if value >= 256**size:
            raise ProtocolError("base45 past the value of its bytes", spec=_SPEC)
        data += value.to_bytes(size)
    return bytes(data)
