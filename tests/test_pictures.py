"""A picture from anywhere becomes one that holds only what is to be seen; what is none, or a bomb, is refused."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from node import pictures
from node.alert_input import Shot
from node.desk import pictures as desk
from node.errors import ProtocolError, RefusedError
from node.media import JPEG, sniff
from tests.support.pictures import SECRETS, camera

ORIGINAL = camera()
HTML = b"<html><script>alert('exercise')</script></html>"


def png(width, height, data=b""):
    """A PNG whose header says this size, whatever its data says."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def shots(*files):
    return [Shot(file, (("en", "exercise"),), "none", "") for file in files]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_of_camera_place_author_and_comment_comes_through(kind):
    raw = camera(kind=kind)
    assert any(secret in raw for secret in SECRETS)
    assert dict(Image.open(BytesIO(raw)).getexif().get_ifd(0x8825))
    for made in pictures.develop(raw):
        assert sniff(made.raw) == JPEG
        assert not any(secret in made.raw for secret in SECRETS)
        assert not any(mark in made.raw for mark in (b"Exif", b"http://ns.adobe", b"ICC_PROFILE", b"Photoshop"))
        found = Image.open(BytesIO(made.raw))
        assert not dict(found.getexif())
        assert set(found.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
        assert found.size == (made.width, made.height)


def test_a_picture_is_turned_as_its_camera_said():
    full, small = pictures.develop(camera(turned=6))
    assert (full.width, full.height) == (480, 640)
    found = Image.open(BytesIO(full.raw))
    assert found.getpixel((240, 20))[0] > 150, "what was left is above"
    assert found.getpixel((240, 620))[2] > 150
    assert small.height > small.width


def test_a_large_picture_becomes_small_and_its_thumbnail_smaller():
    noise = BytesIO()
    Image.effect_noise((2600, 2000), 100).convert("RGB").save(noise, "JPEG", quality=60)
    full, small = pictures.develop(noise.getvalue())
    assert max(full.width, full.height) <= 1600 and len(full.raw) <= 400_000
    assert max(small.width, small.height) <= 320 and len(small.raw) <= 12_000


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_pixel_becomes_a_plain_picture(mode):
    out = BytesIO()
    Image.new(mode, (40, 30)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    full, _ = pictures.develop(out.getvalue())
    assert Image.open(BytesIO(full.raw)).mode == "RGB"


def test_what_is_transparent_becomes_white():
    out = BytesIO()
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(out, "PNG")
    full, _ = pictures.develop(out.getvalue())
    assert min(Image.open(BytesIO(full.raw)).getpixel((20, 15))) > 250


@pytest.mark.parametrize("hidden", [HTML, b"PK\x03\x04" + HTML, ORIGINAL])
def test_a_second_file_inside_the_first_does_not_come_through(hidden):
    for raw in (ORIGINAL + hidden, ORIGINAL[:2] + b"\xff\xfe" + struct.pack(">H", len(HTML) + 2) + HTML + ORIGINAL[2:]):
        for made in pictures.develop(raw):
            assert HTML not in made.raw
            assert made.raw.endswith(b"\xff\xd9") and made.raw.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no JPEG"),
        (HTML, "no JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no JPEG"),
        (b"GIF89a" + bytes(100), "no JPEG"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt " + bytes(100), "no JPEG"),
        (b"%PDF-1.7" + ORIGINAL, "no JPEG"),
        (b"\xff\xd8\xff" + HTML, "cannot be decoded"),
        (ORIGINAL[:400], "cannot be decoded"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(100), "cannot be decoded"),
        (png(8000, 7000), "50 million"),
        (png(2**31 - 1, 2**31 - 1), "(50 million|more than is taken)"),
        (png(3000, 3000, bytes(100)), "cannot be decoded"),
        (ORIGINAL + bytes(pictures.MAX_INPUT), "bytes"),
    ],
)
def test_what_is_no_picture_or_too_much_of_one_is_refused(raw, reason):
    with pytest.raises(ProtocolError, match=reason):
        pictures.develop(raw)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_broken_picture_is_a_picture_or_refused(data):
    raw = bytearray(data.draw(st.sampled_from([camera(kind=kind, size=(60, 40)) for kind in ("JPEG", "PNG", "WEBP")])))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        full, small = pictures.develop(bytes(raw))
    except ProtocolError:
        return
    assert sniff(full.raw) == sniff(small.raw) == JPEG


def test_a_process_apart_makes_them_anew_from_files_beside_the_alert(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "photo.png").write_bytes(ORIGINAL)  # judged by its bytes, whatever its name says
    (tmp_path / "in" / "other.jpg").write_bytes(camera(2, "WEBP", turned=6))
    first, second = desk.develop(tmp_path, shots("photo.png", "in/other.jpg"))
    assert first[0].raw == pictures.develop(ORIGINAL)[0].raw
    assert (second[0].medium.width, second[0].medium.height) == (480, 640)
    assert all(each.medium.media_type == JPEG for each in (*first, *second))


def test_each_file_that_will_not_do_is_named_with_its_reason(tmp_path):
    folder = tmp_path / "alerts"
    folder.mkdir()
    (tmp_path / "secret.jpg").write_bytes(ORIGINAL)
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "page.jpg").write_bytes(HTML)
    (folder / "bomb.png").write_bytes(png(9000, 9000))
    (folder / "long.jpg").write_bytes(bytes(pictures.MAX_INPUT + 1))
    with pytest.raises(RefusedError) as refused:
        desk.develop(folder, shots("../secret.jpg", "link.jpg", "none.jpg", "page.jpg", "bomb.png", "long.jpg"))
    reasons = refused.value.reasons
    assert [reason.split(":")[0] for reason in reasons] == [f"media[{number}].file" for number in range(6)]
    for reason, said in zip(reasons, ("leads out", "leads out", "no file", "R5", "50 million", "bytes"), strict=True):
        assert said in reason


def test_a_decoder_that_takes_too_much_is_stopped(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(ORIGINAL)
    with pytest.raises(RefusedError, match="bounds of memory and time"):
        desk.develop(tmp_path, shots("photo.jpg"), room="tests.support.greedy")
