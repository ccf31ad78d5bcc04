"""Which URLs and addresses the node calls. The tables read as the list of rules."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NodeError, ProtocolError
from node.federation.protocol.addressing import Policy, check_address, check_target, scheme_of

GATEWAY = "/.well-known/apgateway/did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK/actor"
CLOSED = Policy()
LOOPBACK = Policy((ip_network("127.0.0.0/8"), ip_network("::1/128")))

SPECIAL = [
    ("0.0.0.0", "this network"),
    ("0.1.2.3", "this network"),
    ("10.0.0.1", "private"),
    ("100.64.0.1", "carrier-grade NAT"),
    ("100.127.255.255", "carrier-grade NAT"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("169.254.169.254", "link-local"),
    ("172.16.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.1", "protocol assignments"),
    ("192.0.2.1", "documentation"),
    ("192.88.99.1", "6to4 relay"),
    ("192.168.1.1", "private"),
    ("198.18.0.1", "benchmarks"),
    ("198.19.255.255", "benchmarks"),
    ("198.51.100.1", "documentation"),
    ("203.0.113.1", "documentation"),
    ("224.0.0.1", "multicast"),
    ("239.255.255.255", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("64:ff9b:1::7f00:1", "local NAT64"),
    ("64:ff9b:1:7f00:0:100::", "local NAT64"),
    ("100::1", "discard"),
    ("2001::1", "Teredo"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
    ("2001:20::1", "protocol assignments"),
    ("2001:db8::1", "documentation"),
    ("3fff::1", "documentation"),
    ("5f00::1", "segment routing"),
    ("fc00::1", "private"),
    ("fd12:3456::1", "private"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"),
    ("fec0::1", "site-local"),
    ("ff02::1", "multicast"),
    ("4000::1", "not global unicast"),
    ("::ffff:0:7f00:1", "not global unicast"),
    # An IPv4 address inside an IPv6 one.
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:7f00:1", "loopback"),
    ("::ffff:0.0.0.0", "this network"),
    ("::ffff:a9fe:a9fe", "link-local"),
    ("::7f00:1", "loopback"),
    ("::127.0.0.1", "loopback"),
    ("::10.0.0.1", "private"),
    ("64:ff9b::7f00:1", "loopback"),
    ("64:ff9b::192.168.0.1", "private"),
    ("2002:7f00:1::", "loopback"),
    ("2002:c0a8:0101::1", "private"),
]


@pytest.mark.parametrize(("ip", "kind"), SPECIAL)
def test_a_special_address_is_refused_by_its_kind(ip: str, kind: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        check_address(ip, CLOSED)
    assert kind in caught.value.reason
    assert ip not in str(caught.value) or ip == "::"


@pytest.mark.parametrize(
    "ip",
    ["9.9.9.9", "100.63.255.255", "100.128.0.1", "172.32.0.1", "198.20.0.1", "223.255.255.255",
     "192.88.98.1", "2620:fe::fe", "2a00:1450::1", "2001:4860::8888", "::ffff:9.9.9.9", "64:ff9b::9.9.9.9",
     "2002:909:909::1"],
)  # fmt: skip
def test_a_public_address_is_allowed(ip: str) -> None:
    check_address(ip, CLOSED)


@pytest.mark.parametrize(
    "ip", ["", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "9.9.9.9/32"]
)
def test_what_is_no_address_is_refused(ip: str) -> None:
    with pytest.raises(ProtocolError):
        check_address(ip, LOOPBACK)


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.2.0.1", "::1", "::ffff:127.0.0.1"])
def test_an_allowed_network_opens_its_addresses(ip: str) -> None:
    check_address(ip, LOOPBACK)


@pytest.mark.parametrize("ip", ["10.0.0.1", "0.0.0.0", "::", "fe80::1", "::ffff:10.0.0.1", "169.254.169.254"])
def test_an_allowed_network_opens_nothing_else(ip: str) -> None:
    with pytest.raises(ProtocolError):
        check_address(ip, LOOPBACK)


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_judged_alike_however_it_is_wrapped(number: int) -> None:
    plain = _refused(str(ip_address(number)))
    for wrapped in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert _refused(str(ip_address(wrapped))) == plain


def _refused(ip: str) -> bool:
    try:
        check_address(ip, CLOSED)
    except ProtocolError:
        return True
    return False


BAD_TARGETS = [
    "",
    "peer.example/actor",
    "//peer.example/actor",
    "ftp://peer.example/actor",
    "javascript:alert(1)",
    "data:application/activity+json,{}",
    "file:///etc/passwd",
    "gopher://peer.example/",
    "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    "http://peer.example/actor",
    "http://9.9.9.9/actor",
    "http://localhost/actor",
    "https://user@peer.example/actor",
    "https://user:secret@peer.example/actor",
    "https://peer.example@127.0.0.1/",
    "https:///actor",
    "https://peer.example:0/",
    "https://peer.example:65536/",
    "https://peer.example:x/",
    "https://peer.example\\@127.0.0.1/",
    "https://peer.example/a b",
    "https://peer.example/a\r\nHost: x",
    "https://pé.example/",
    "https://peer.example/é",
    "https://%6cocalhost/",
    "https://１２７.0.0.1/",
    "https://a..example/",
    f"https://{'a' * 64}.example/",
    f"https://peer.example/{'a' * 3000}",
    # Numbers in disguise, and special addresses however they are written.
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0X7F.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.01/",
    "https://1.1.1.256/",
    "https://0/",
    "https://0.0.0.0/",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[::1/",
    "https://[v1.x]/",
    "https://abc.onion/",
    "http://abc.onion/",
    "http://ABC.ONION./",
]


@pytest.mark.parametrize("url", BAD_TARGETS)
def test_this_url_is_not_called(url: str) -> None:
    with pytest.raises(ProtocolError):
        check_target(url, CLOSED, socks=False)


GOOD_TARGETS = [
    ("https://peer.example", "https://peer.example/", "peer.example", "/"),
    ("https://PEER.example:443/A?b=%2F#c", "https://peer.example/A?b=%2F", "peer.example", "/A?b=%2F"),
    ("HTTPS://peer.example.:8443?q", "https://peer.example:8443/?q", "peer.example:8443", "/?q"),
    ("https://peer.example//a/../b", "https://peer.example//a/../b", "peer.example", "//a/../b"),
    ("https://xn--p-bja.example/", "https://xn--p-bja.example/", "xn--p-bja.example", "/"),
    ("https://9.9.9.9/", "https://9.9.9.9/", "9.9.9.9", "/"),
    ("https://[2620:FE:0::fe]:1/", "https://[2620:fe::fe]:1/", "[2620:fe::fe]:1", "/"),
    (
        f"https://peer.example{GATEWAY}#k",
        f"https://peer.example{GATEWAY}",
        "peer.example",
        GATEWAY,
    ),
]


@pytest.mark.parametrize(("url", "called", "authority", "path"), GOOD_TARGETS)
def test_this_url_is_called_with_its_path_untouched(
    url: str, called: str, authority: str, path: str
) -> None:
    target = check_target(url, CLOSED, socks=False)
    assert (target.url, target.authority, target.path, target.onion) == (called, authority, path, False)


@pytest.mark.parametrize(
    "url",
    ["http://127.2.0.1:8100/actor", "https://127.2.0.1:8100/actor", "http://[::1]:8100/actor",
     "http://localhost:8100/", "http://[::ffff:127.0.0.1]/"],
)  # fmt: skip
def test_an_allowed_network_opens_plain_http_to_its_literal_addresses(url: str) -> None:
    assert check_target(url, LOOPBACK, socks=False).scheme == url.partition(":")[0]
    with pytest.raises(ProtocolError):
        check_target(url, CLOSED, socks=False)


@pytest.mark.parametrize(
    "url", ["http://peer.example/", "http://10.0.0.1/", "http://9.9.9.9/", "http://a.localhost/"]
)
def test_an_allowed_network_opens_plain_http_to_nobody_else(url: str) -> None:
    with pytest.raises(ProtocolError):
        check_target(url, LOOPBACK, socks=False)


def test_an_onion_host_is_called_through_a_proxy_only_and_may_be_plain() -> None:
    target = check_target("http://abc.onion/actor", CLOSED, socks=True)
    assert (target.onion, target.scheme, target.host) == (True, "http", "abc.onion")
    with pytest.raises(ProtocolError, match="socks_proxy"):
        check_target("http://abc.onion/actor", CLOSED, socks=False)
    assert not check_target("https://onion.example/", CLOSED, socks=True).onion


@pytest.mark.parametrize(
    ("authority", "policy", "scheme"),
    [
        ("peer.example", LOOPBACK, "https"),
        ("127.2.0.1:8100", LOOPBACK, "http"),
        ("127.2.0.1:8100", CLOSED, "https"),
        ("[::1]:8100", LOOPBACK, "http"),
        ("localhost:1", LOOPBACK, "http"),
        ("localhost:1", CLOSED, "https"),
        ("abc.onion", CLOSED, "http"),
    ],
)
def test_a_handle_is_asked_for_by_https_unless_http_must_be_meant(
    authority: str, policy: Policy, scheme: str
) -> None:
    assert scheme_of(authority, policy) == scheme


@given(
    st.text(max_size=40),
    st.sampled_from(["https://{}/", "http://{}", "https://a{}", "https://[{}]/", "{}"]),
)
def test_no_text_gets_more_than_a_refusal(text: str, form: str) -> None:
    try:
        target = check_target(form.format(text), CLOSED, socks=False)
    except NodeError:
        return
    assert target.scheme == "https"
    assert target.url.isascii()
