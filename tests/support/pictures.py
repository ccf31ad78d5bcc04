"""Invented pictures as a camera would hand them over, with everything in them that must not come through."""

from io import BytesIO
from typing import Any

from PIL import Image

from node import pictures
from node.desk.pictures import Developed
from node.media import describe

SECRETS = (b"EXERCISE-CAMERA", b"EXERCISE-AUTHOR", b"EXERCISE-COMMENT", b"EXERCISE-XMP")


def camera(number: int = 1, kind: str = "JPEG", size: tuple[int, int] = (640, 480), turned: int = 1) -> bytes:
    """A picture: red on the left half, blue on the right; its camera, place, author and comment beside it."""
    image = Image.new("RGB", size, (200, number % 256, 0))
    image.paste((0, number % 256, 200), (size[0] // 2, 0, *size))
    exif = Image.Exif()
    exif[0x0110], exif[0x013B], exif[0x0112] = "EXERCISE-CAMERA", "EXERCISE-AUTHOR", turned
    exif.get_ifd(0x8825).update({1: "N", 2: (33.0, 18.0, 46.0), 3: "E", 4: (44.0, 21.0, 41.0)})
    more: dict[str, Any] = {"comment": b"EXERCISE-COMMENT"} if kind == "JPEG" else {}
    out = BytesIO()
    image.save(out, kind, exif=exif.tobytes(), xmp=b"<x>EXERCISE-XMP</x>", **more)
    return out.getvalue()


def developed(raw: bytes) -> tuple[Developed, Developed]:
    """As the desk makes it anew."""
    full, small = (Developed(describe(each.raw, each.width, each.height), each.raw) for each in pictures.develop(raw))
    return full, small


def shot(file: str = "photo.jpg", **changes: Any) -> dict[str, Any]:
    """A picture as it stands in an alert's file."""
    value = {"file": file, "alt": {"ar": "باب مغلق (تدريب)", "en": "A closed door (exercise)"}}
    return value | {"consent": True, "people": "none", "rights": "exercise organisation"} | changes
