"""The languages of whole nodes: whose is shown to whom, what links carry on, and which digits stand in pages."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import update

from node.errors import ConfigurationError
from node.models.base import metadata
from node.settings import load
from tests.support.network import Network, page_of


async def speaks(house, language):
    """The organisation that acts writes in this language from now on."""
    table = metadata.tables["organisations"]
    await house.write(
        lambda connection: connection.execute(
            update(table).where(table.c.did == house.did).values(language=language)
        )
    )


def announced(answer):
    """Language and direction that a page says of itself."""
    return re.search(r'<html lang="(\w+)" dir="(\w+)">', answer.text).groups()


async def test_each_organisation_of_a_node_is_read_in_its_own_language_unless_a_reader_asks(tmp_path):
    async with Network(tmp_path) as net:
        node = await net.house("first", "second")
        await speaks(node.act_as(1), "fr")
        assert announced(await node.get("/", host=0)) == ("ar", "rtl")
        assert announced(await node.get("/", host=1)) == ("fr", "ltr")
        assert announced(await node.get("/", host=1, accept_language="tlh")) == ("fr", "ltr")
        assert announced(await node.get("/", host=1, accept_language="en-GB,fr;q=0.5")) == ("en", "ltr")
        assert announced(await node.get("/?lang=ar", host=1)) == ("ar", "rtl")
        await speaks(node.act_as(1), "tlh")
        assert announced(await node.get("/", host=1)) == ("ar", "rtl")


async def test_the_choice_of_what_a_frame_is_filled_with_goes_on_in_links(tmp_path):
    async with Network(tmp_path) as net:
        node = await net.house("first")
        kurdish = await node.get("/members?lang=ckb", accept_language="fr")
        assert announced(kurdish) == ("fr", "ltr")
        assert kurdish.headers["content-language"] == "fr"
        assert 'href="/alerts?lang=ckb"' in kurdish.text
        chosen = await node.get("/members?lang=ckb.en", accept_language="fr")
        assert announced(chosen) == ("en", "ltr")
        assert 'href="/alerts?lang=ckb.en"' in chosen.text
        assert 'href="/members?lang=ckb.fr" lang="fr"' in chosen.text
        assert announced(await node.get("/members?lang=ckb.tlh", accept_language="fr")) == ("fr", "ltr")


@pytest.mark.parametrize(("digits", "day"), [("latin", "20 تشرين"), ("native", "٢٠ تشرين")])
async def test_pages_show_the_digits_that_the_node_is_set_to(tmp_path, digits, day):
    async with Network(tmp_path) as net:
        house = await net.house("first", start=False)
        await house.stop()
        house.settings = replace(house.settings, digits=digits)
        await house.start()
        said = await house.publish(status="actual")
        page = (await house.get(page_of(said))).text
        assert f'<time datetime="2026-11-20">{day}' in page
        assert (' class="counted">' in page) is (digits == "native")  # its lists count in them too
        assert day not in (await house.get(page_of(said) + "?lang=fr")).text


@pytest.mark.parametrize(("written", "expected"), [("native", "native"), (" Latin ", "latin")])
def test_the_setting_is_read(tmp_path, written, expected):
    assert load(tmp_path, {"TADAMUN_DIGITS": written}).digits == expected
    assert load(tmp_path, {}).digits == "latin"


def test_a_misspelt_setting_is_an_error(tmp_path):
    with pytest.raises(ConfigurationError, match="neither latin nor native"):
        load(tmp_path, {"TADAMUN_DIGITS": "arabic"})
