"""A picture from anywhere becomes a small one that holds nothing but what is to be seen: pure bytes to bytes.

The one file that knows Pillow. It runs in a process of its own with bounds of memory and time (`desk/darkroom.py`), for
it decodes what nobody has looked at. Rules, in order: at most 10 MB; JPEG, PNG or WebP by their first bytes, and
decoded as that and nothing else; at most 50 megapixels, by the header, before a pixel is decoded; only the first
picture of a moving one. Then: at most 1600 pixels long, turned as its camera said, what is transparent becomes white,
encoded anew as JPEG from bare pixels, so that no metadata, thumbnail, trailing bytes or second file inside comes
through (R5).
"""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL.Image import DecompressionBombError, DecompressionBombWarning, Resampling
from PIL.Image import open as decoder

from node.errors import ProtocolError
from node.media import JPEG, PNG, TYPES, WEBP, sniff

MAX_INPUT = 10_000_000
MAX_PIXELS = 50_000_000
LONGEST = 1600
MAX_BYTES = 400_000
THUMBNAIL = 320
MAX_THUMBNAIL = 12_000
LOADED = (MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""What Pillow would load at the moment it needs it."""
_QUALITIES = (82, 74, 66, 56, 46)
_SMALLER = 0.8
_SMALLEST = 32
_SPEC = "R5"


@dataclass(frozen=True, slots=True)
class Print:
    """A picture made anew."""

    raw: bytes
    width: int
    height: int


def prepare() -> None:
    """Load the decoders, which lie in files, while files may still be opened."""
    Image.preinit()


def develop(raw: bytes) -> tuple[Print, Print]:
    """The picture and its thumbnail.

    Raises:
        ProtocolError: naming the rule of this module that broke.
    """
    if len(raw) > MAX_INPUT:
        raise ProtocolError(f"{len(raw)} bytes, {MAX_INPUT} are taken", spec=_SPEC)
    kind = sniff(raw)
    if kind not in TYPES:
        raise ProtocolError("no JPEG, PNG or WebP", spec=_SPEC)
    try:
        bare = _bare(raw, kind)
    except (DecompressionBombError, DecompressionBombWarning, MemoryError) as error:
        raise ProtocolError("a picture that unpacks to more than is taken", spec=_SPEC) from error
    # Pillow's decoders raise whatever the author of each thought of.
    except (OSError, ValueError, SyntaxError, EOFError, ArithmeticError, LookupError, TypeError) as error:
        raise ProtocolError("a picture that cannot be decoded", spec=_SPEC) from error
    return _fitted(bare, LONGEST, MAX_BYTES), _fitted(bare, THUMBNAIL, MAX_THUMBNAIL)


def _bare(raw: bytes, kind: str) -> Image.Image:
    """Turned, flattened and reduced pixels, and nothing else."""
    names = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}
    with decoder(BytesIO(raw), formats=[names[kind]]) as found:
        if found.width * found.height > MAX_PIXELS:
            raise ProtocolError(f"{found.width} × {found.height} pixels, 50 million are taken", spec=_SPEC)
        found.draft("RGB", (LONGEST, LONGEST))  # JPEG alone: decoded at the size that is needed
        found.load()
        plain = found if found.mode in ("RGB", "L", "CMYK", "YCbCr") else found.convert("RGBA")
        plain.thumbnail((LONGEST, LONGEST), Resampling.LANCZOS)
        turned = ImageOps.exif_transpose(plain)
        pixels = Image.new("RGB", turned.size, "white")
        pixels.paste(turned.convert("RGB"), mask=turned.getchannel("A") if turned.mode == "RGBA" else None)
        return pixels


def _fitted(pixels: Image.Image, longest: int, most: int) -> Print:
    """Encoded as well as fits: first less exact, then smaller."""
    while True:
        scaled = pixels.copy()
        scaled.thumbnail((longest, longest), Resampling.LANCZOS)
        for quality in _QUALITIES:
            out = BytesIO()
            scaled.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            if out.tell() <= most or longest <= _SMALLEST:
                return Print(out.getvalue(), scaled.width, scaled.height)
        longest = int(longest * _SMALLER)
