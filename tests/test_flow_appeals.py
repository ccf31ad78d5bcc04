"""Letters and answers through whole nodes: pages of a member, and what ends with the alert."""

from datetime import date

from click.testing import CliRunner

from node.alerts import Answer
from node.cli import tadamun
from node.desk import alerts as desk
from tests.support.network import Network, example, page_of, wait_until
from tests.test_appeals import OFFICE

WARNING = "من كان داخل البلد فيُرجى ألا يراسل هذه الجهات باسمه الشخصي"


async def test_a_members_page_offers_letters_until_the_alert_is_closed(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual", country="IQ", targets=[OFFICE], do_not=["لا تذكروا اسم القرية"])
        await wait_until(lambda: b.holds(said), "the member has it")
        page = page_of(said)
        shown = (await b.get(page)).text
        assert f'href="{page}/letters"' in shown
        assert "لا تذكروا اسم القرية" in shown
        listed = await b.get(f"{page}/letters", **{"Accept-Language": "ar"})
        assert listed.headers["x-robots-tag"] == "noindex"
        assert WARNING in listed.text
        assert f'href="{page}/letters/1/ar"' in listed.text
        letter = (await b.get(f"{page}/letters/1/ar", **{"Accept-Language": "ar"})).text
        assert "<textarea" in letter and "readonly" in letter
        assert letter.index(WARNING) < letter.index("mailto:")
        assert letter.index("<details") < letter.index("mailto:") < letter.index("</details>")
        assert len(letter.encode()) + len(net_css(b)) < 30_000
        ours = (await b.get(f"{page}/letters/1/en/organisation")).text
        assert "Our organisation writes" in ours
        sheet = (await b.get(f"{page}/letters/1/ar/print")).text
        assert 'class="sheet"' in sheet and "mailto:" not in sheet
        for path in ("1/fr", "2/ar", "0/ar", "x/ar", "1/zz", "1/zz/print"):
            assert (await b.get(f"{page}/letters/{path}")).status == 404
        await a.close(said.id, "انتهى التدريب")
        await wait_until(lambda: _says(b, page, "انتهى التدريب"), "the member knows")
        assert "/letters" not in (await b.get(page)).text
        assert "mailto:" not in (await b.get(f"{page}/letters")).text
        assert (await b.get(f"{page}/letters/1/ar")).status == 404
        await a.withdraw(said.id)
        assert (await a.get(f"{page}/letters")).status == 404


async def test_the_letter_of_an_exercise_is_marked_and_cannot_be_sent(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a")
        page = page_of(await a.publish(targets=[OFFICE]))
        letter = (await a.get(f"{page}/letters/1/en")).text
        assert letter.count("EXERCISE — do not send") >= 2
        assert "mailto:" not in letter
        assert "exercise@example.org" not in (await a.get(f"{page}/letters")).text


async def test_answers_and_the_outcome_reach_the_member(tmp_path):
    async with Network(tmp_path) as net:
        a, b = await net.members("a", "b")
        said = await a.publish(status="actual", country="IQ")
        await wait_until(lambda: b.holds(said), "the member has it")
        given = Answer("وزارة العدل، بلد تدريبي", "pledge", date(2026, 11, 20), "وعد تدريبي بالتحقيق")
        await a.write(lambda connection: desk.answer(connection, a.organisation, a.key, said.id, given, a.clock()))
        a.node.delivery.wake()
        page = page_of(said)
        await wait_until(lambda: _says(b, page, "وعد تدريبي بالتحقيق"), "the member shows the answer")
        await a.update(said.id, status="actual", country="IQ", headline="عنوان تدريبي جديد")
        await wait_until(lambda: _says(b, page, "عنوان تدريبي جديد"), "the member has the update")
        assert "وعد تدريبي بالتحقيق" in (await b.get(page)).text
        await a.write(
            lambda connection: desk.close(
                connection, a.organisation, a.key, said.id, "خاتمة تدريبية", a.clock(), result="released",
                attribution="partly",
            )
        )
        a.node.delivery.wake()
        await wait_until(lambda: _says(b, page, "خاتمة تدريبية"), "the member knows the outcome")
        assert "Partly attributed to this alert" in (await b.get(page, **{"Accept-Language": "en"})).text


async def test_a_private_answer_is_refused(tmp_path):
    async with Network(tmp_path) as net:
        a = await net.house("a", start=False)
        words = ["alert", "answer", "x", "--from", "o", "--kind", "none", "--date", "2026-11-20", "--private"]
        done = CliRunner().invoke(tadamun, [*words, "--data", str(a.data)])
        assert done.exit_code != 0
        assert "kept nowhere" in str(done.exception)


def test_the_example_needs_nothing_new():
    assert "contacts" not in example()["targets"][0]


def net_css(house):
    return house.node.site.renderer.file("site.css")[0] if hasattr(house.node, "site") else b"x" * 8_000


async def _says(house, page, text):
    return text in (await house.get(page)).text
