"""What somebody writes who asks to join a network, and how a browser sends it. All of it is invented."""

from io import BytesIO

from tests.web.test_bundles import KIND, form

FIELDS = {
    "name": "zq-made-name <b>", "country": "zq-made-country", "kind": "coalition", "languages": "zq-made-languages",
    "work": "EXERCISE zq-made-work\n=1+1 <script>", "known_by": "zq-made-known", "contact": "zq-made-contact",
}  # fmt: skip


async def post(house, path, language="en", **fields):
    headers = {"Content-Type": KIND, "Accept-Language": language}
    body = form(**{name: value.encode() for name, value in fields.items()})
    return await house.network.request("POST", house.origin + path, BytesIO(body), headers)
