"""Pictures as values: what a Note says of them, what is believed of bytes that come, what is asked of an operator."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import alerts, bundles, media
from node.errors import ProtocolError, RefusedError
from node.media import JPEG, Medium, Picture
from tests.support.alert_examples import ANYTHING, NOW, PLACE, actual, consent, example, note, subject
from tests.support.pictures import camera, developed, shot

PAIR = developed(camera())
FULL, SMALL = (each.medium for each in PAIR)
HERE = replace(PLACE, pictures=((FULL, SMALL),))
ORIGIN = "https://org1.example/.well-known/apgateway/hl:"


def rendered(language="ar", **changes):
    return alerts.render(alerts.parse_input(example(**({"media": [shot()]} | changes))), language, HERE)


def reasons(**changes):
    with pytest.raises(RefusedError) as refused:
        alerts.check_publishable(alerts.parse_input(changes), NOW, approvals_exist=False, loopback=True)
    return refused.value.reasons


# What goes out


def test_the_note_names_a_picture_by_digest_and_says_nothing_else_of_it():
    assert rendered()["attachment"] == [
        {
            "type": "Document",
            "mediaType": "image/jpeg",
            "url": ORIGIN + FULL.digest,
            "digestMultibase": FULL.digest,
            "width": 640,
            "height": 480,
            "size": FULL.size,
            "name": "باب مغلق (تدريب)",
            "preview": {
                "type": "Image",
                "mediaType": "image/jpeg",
                "url": ORIGIN + SMALL.digest,
                "digestMultibase": SMALL.digest,
                "width": 320,
                "height": 240,
                "size": SMALL.size,
            },
        }
    ]


def test_a_picture_changes_nothing_else_of_the_note():
    found = rendered()
    assert {name: value for name, value in found.items() if name != "attachment"} == note() == rendered(media=[])


def test_each_language_has_its_own_words_for_a_picture_or_the_main_ones():
    assert rendered("en")["attachment"][0]["name"] == "A closed door (exercise)"
    assert rendered("en", media=[shot(alt="باب")])["attachment"][0]["name"] == "باب"


def test_its_old_name_and_its_owner_stay_inside():
    found = json.dumps(rendered(media=[shot("EXERCISE-FILE.jpg", rights="EXERCISE-OWNER")]))
    assert "EXERCISE-FILE" not in found
    assert "EXERCISE-OWNER" not in found


def test_a_correction_and_a_closure_keep_the_pictures():
    for change in (alerts.with_correction, alerts.with_closure):
        assert change(rendered(), "exercise", "ar", NOW)["attachment"] == rendered()["attachment"]


def test_what_went_out_comes_in_as_the_same():
    assert alerts.parse(rendered()).pictures == (Picture(FULL, SMALL, "باب مغلق (تدريب)"),)


# What is asked of the operator


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"consent": False}, "media[0].consent: R3"),
        ({"consent": None}, "media[0].consent: R3"),
        ({"consent": "yes"}, "media[0].consent: write true or false"),
        ({"alt": None}, "media[0].alt: missing"),
        ({"alt": ""}, "media[0].alt: empty"),
        ({"alt": {"en": "exercise"}}, "media[0].alt.ar: missing"),
        ({"alt": {"ar": "تدريب", "not a language": "x"}}, "media[0].alt.not a language: no such field"),
        ({"alt": "x" * 1501}, "media[0].alt: 1501 characters"),
        ({"people": None}, "media[0].people: missing"),
        ({"people": "many"}, "media[0].people: 'many' is not known"),
        ({"file": None}, "media[0].file: missing"),
        ({"file": "../photo.jpg"}, "media[0].file: write a path below"),
        ({"file": "/etc/photo.jpg"}, "media[0].file: write a path below"),
        ({"file": "in\\..\\..\\photo.jpg"}, "media[0].file: write a path below"),
        ({"original": "kept"}, "media[0].original: no such field"),
    ],
)
def test_a_picture_with_one_thing_broken_is_refused(changes, reason):
    with pytest.raises(RefusedError) as refused:
        alerts.parse_input(example(media=[shot(**changes)]))
    assert any(said.startswith(reason) for said in refused.value.reasons), refused.value.reasons


def test_four_pictures_are_taken_and_five_are_not():
    assert len(alerts.parse_input(example(media=[shot()] * 4)).media) == 4
    with pytest.raises(RefusedError, match="5 written, 4 allowed"):
        alerts.parse_input(example(media=[shot()] * 5))


def test_a_minors_face_is_never_shown():
    minor = [subject(minor=True, publication_level="withheld")]
    assert any("R11" in each for each in reasons(**actual(subjects=minor, media=[shot(people="consented")])))
    blurred = alerts.parse_input(example(subjects=minor, media=[shot(people="blurred")]))
    alerts.check_publishable(blurred, NOW, approvals_exist=False, loopback=True)


@pytest.mark.parametrize("excluded", ["photo", "Photos", "صورة", "الصور"])
def test_a_consent_without_photos_shows_nobody(excluded):
    changes = actual(consent=consent(excluded=[excluded]), media=[shot(people="blurred")])
    assert any(each.startswith("R3: the consent leaves photos out") for each in reasons(**changes))
    thing = alerts.parse_input(example(consent=consent(excluded=[excluded]), media=[shot(people="none")]))
    alerts.check_publishable(thing, NOW, approvals_exist=False, loopback=True)


def test_a_name_that_is_withheld_stands_in_no_description():
    withheld = [subject(name="Amal Exercise", publication_level="withheld")]
    found = reasons(**actual(subjects=withheld, media=[shot(alt="Amal Exercise at a door")]))
    assert any(each.startswith("R4") for each in found)


# What comes in


VALID = {name: value for name, value in rendered()["attachment"][0].items() if name != "preview"}


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Video"},
        {"type": ["Document"]},
        {"mediaType": "image/svg+xml"},
        {"mediaType": "text/html"},
        {"mediaType": None},
        {"digestMultibase": None},
        {"digestMultibase": "../../etc/passwd"},
        {"digestMultibase": FULL.digest + "\n"},
        {"digestMultibase": "z" + "1" * 46},
        {"size": None},
        {"size": 0},
        {"size": -5},
        {"size": True},
        {"size": "100"},
        {"size": media.MAX_BYTES + 1},
        {"width": 0},
        {"height": 10_001},
        {"width": 6.5},
    ],
)
def test_an_attachment_with_one_thing_broken_is_passed_over_and_the_others_are_not(changes):
    assert media.parse([VALID]) == (Picture(FULL, None, VALID["name"]),)
    other = developed(camera(9))[0].medium
    good = media.render((Picture(other, None, "exercise"),), "https://org1.example")
    assert media.parse([VALID | changes, *good]) == (Picture(other, None, "exercise"),)


def test_a_broken_preview_leaves_the_picture():
    assert media.parse({**VALID, "preview": {**VALID, "size": media.MAX_THUMBNAIL + 1}})[0].thumbnail is None


def test_of_many_attachments_four_are_pictures():
    assert len(media.parse([VALID] * 30)) == 4
    assert media.parse([{"type": "Link"}] * 20 + [VALID]) == ()


@given(ANYTHING)
def test_any_attachment_is_read_or_passed_over(value):
    assert alerts.parse(note() | {"attachment": value}).pictures == ()


@given(st.dictionaries(st.sampled_from(sorted(VALID)), ANYTHING))
def test_a_picture_with_anything_in_it_is_within_bounds_or_passed_over(changes):
    for found in media.parse([VALID | changes]):
        assert media.is_name(found.full.digest) and 0 < found.full.size <= media.MAX_BYTES
        assert len(found.alt) <= media.MAX_ALT


@pytest.mark.parametrize(
    ("raw", "medium", "reason"),
    [
        (PAIR[0].raw + b"x", FULL, "bytes where"),
        (PAIR[0].raw[:-1] + b"x", FULL, "other bytes"),
        (PAIR[0].raw, replace(FULL, media_type="image/png"), "no image/png"),
        (b"<html>", media.Medium(media.digests.multibase(b"<html>"), JPEG, 6, 1, 1), "no image/jpeg"),
    ],
)
def test_bytes_that_are_not_those_that_were_signed_do_not_count(raw, medium, reason):
    media.check(PAIR[0].raw, FULL)
    with pytest.raises(ProtocolError, match=reason):
        media.check(raw, medium)


@pytest.mark.parametrize(
    ("content_type", "taken"),
    [("image/jpeg", True), ("image/webp; x=1", True), ("text/html", False), (None, False), ("image/svg+xml", False)],
)
def test_only_three_types_are_taken(content_type, taken):
    assert media.is_picture(content_type) is taken


# In a bundle


def test_a_bundle_brings_pictures_and_passes_over_what_it_does_not_know():
    later = b'{"tadamun": "of a later version", "data": 5}'
    raw = bundles.render([bundles.render_picture(FULL.digest, PAIR[0].raw), later], NOW)
    found = bundles.parse(raw)
    assert found.pictures == {FULL.digest: PAIR[0].raw}
    assert (found.refused, found.skipped, found.entries) == ((), 1, ())


@pytest.mark.parametrize(
    "line",
    [
        bundles.render_picture(SMALL.digest, PAIR[0].raw),
        bundles.render_picture("no digest", PAIR[0].raw),
        b'{"tadamun": "picture", "digest": "' + FULL.digest.encode() + b'", "data": "***"}',
        b'{"tadamun": "picture", "digest": "' + FULL.digest.encode() + b'", "data": "' + b"A" * 10**6 + b'"}',
    ],
)
def test_a_line_whose_bytes_are_not_what_it_says_is_refused_alone(line):
    found = bundles.parse(bundles.render([line, bundles.render_picture(FULL.digest, PAIR[0].raw)], NOW))
    assert (found.bad, set(found.pictures)) == (1, {FULL.digest})


def test_a_medium_is_what_a_note_says_of_it():
    assert Medium(FULL.digest, JPEG, len(PAIR[0].raw), 640, 480) == FULL


def test_every_word_of_an_attachment_is_activitystreams_or_a_term_of_ours():
    known = {"type", "mediaType", "url", "width", "height", "name", "preview"}
    note = rendered()
    for value in (note["attachment"][0], note["attachment"][0]["preview"]):
        assert set(value) - known == {"digestMultibase", "size"}
    assert "size" in alerts.TERMS
    assert "digestMultibase" not in alerts.TERMS  # the data-integrity context has it, and protects it
