"""A large file in a form: it goes to the disk piece by piece, however the pieces are cut, and within bounds."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request

from node.errors import ProtocolError
from node.web.uploads import read_upload

TYPE = "multipart/form-data; boundary=b"


def form(*fields, end=b"--b--\r\n"):
    parts = [b"--b\r\n" + head + b"\r\n\r\n" + value + b"\r\n" for head, value in fields]
    return b"".join(parts) + end


def field(name, value, more=""):
    return f'Content-Disposition: form-data; name="{name}"{more}'.encode(), value


def asked(pieces, kind=TYPE, gone=False):
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b"", "more_body": False})
    waiting = iter(messages)

    async def receive():
        return next(waiting)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-type", kind.encode())]}
    return Request(scope, receive)


def read(folder, pieces, *, limit=1_000_000, kind=TYPE, gone=False):
    fields, file = asyncio.run(read_upload(asked(pieces, kind, gone), folder, "backup", limit))
    with file:
        return fields, file.read()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.binary(max_size=3000) | st.just(b"\r\n--b" * 40), text=st.text(max_size=40), step=st.integers(1, 700))
def test_a_file_comes_out_as_it_went_in_however_it_is_cut(tmp_path, value, text, step):
    if b"\r\n--b" in value and value != b"\r\n--b" * 40:
        return  # a browser chooses a boundary that is not in the file
    value = value.replace(b"\r\n--b", b"\r\n--c")
    body = form(field("opener", text.encode()), field("backup", value, '; filename="x"'))
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    assert read(tmp_path, pieces) == ({"opener": text}, value)
    assert not list(tmp_path.iterdir()), "it has no name"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"nothing of the kind", 400),
        (form(field("backup", b"x"), end=b""), 400),
        (form(field("backup", b"x"), end=b"--"), 400),
        (form((b"X: y", b"x")), 400),
        (form(*[field(f"f{at}", b"x") for at in range(9)]), 400),
        (form(field("opener", b"x" * 5000)), 413),
        (form(field("backup", b"x" * 1001)), 413),
        (form((b"X-Long: " + b"y" * 20_000, b"x")), 400),
    ],
)
def test_what_is_no_form_or_too_much_is_refused(tmp_path, body, status):
    with pytest.raises(ProtocolError) as found:
        read(tmp_path, [body] if body else [], limit=1000 if len(body) > 1000 and status == 413 else 100_000)
    assert found.value.status == status
    assert not list(tmp_path.iterdir())


def test_another_type_and_a_browser_that_leaves(tmp_path):
    with pytest.raises(ProtocolError) as found:
        read(tmp_path, [b"a=b"], kind="application/x-www-form-urlencoded")
    assert found.value.status == 415
    with pytest.raises(ClientDisconnect):
        read(tmp_path, [form(field("backup", b"x"))[:20]], gone=True)
    assert not list(tmp_path.iterdir())
