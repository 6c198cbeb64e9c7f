"""Where the server may call out to: nothing that only it can reach, however it is written."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.addresses import MAX_URL_CHARS, checked_url, is_public
from server.domain.errors import InvalidInput

INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # Alibaba's metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure's
    "169.254.169.254",  # everybody else's
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",  # Oracle's
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",  # Amazon's metadata
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "",
    "localhost",
    "127.1",
    "0177.0.0.1",
]
OUTSIDE = ["1.1.1.1", "93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"]

# What a person or a program might try; the reason it is refused with.
HOSTILE = {
    "": "url_scheme",
    "hook": "url_scheme",
    "http://shop.example/": "url_scheme",
    "ftp://shop.example/": "url_scheme",
    "file:///etc/passwd": "url_scheme",
    "gopher://shop.example/": "url_scheme",
    "javascript:alert(1)": "url_scheme",
    "//shop.example/": "url_scheme",
    "https:shop.example": "url_invalid",
    "https://": "url_invalid",
    "https:///path": "url_invalid",
    "https://ann@shop.example/": "url_user",
    "https://ann:secret@shop.example/": "url_user",
    "https://shop.example@127.0.0.1/": "url_user",
    "https://127.0.0.1#@shop.example/": "url_invalid",
    "https://shop.example/#part": "url_invalid",
    "https://shop.example\\@127.0.0.1/": "url_invalid",
    "https://shop.example/ path": "url_invalid",
    "https://shop.example/\r\nHost: evil": "url_invalid",
    "https://shop\t.example/": "url_invalid",
    "https://shop.example\x00.evil/": "url_invalid",
    "https://[::1": "url_invalid",
    "https://[nonsense]/": "url_invalid",
    "https://shop..example/": "url_invalid",
    "https://-shop.example/": "url_invalid",
    "https://sh%6fp.example/": "url_invalid",
    "https://shop.example:0/": "url_port",
    "https://shop.example:65536/": "url_port",
    "https://shop.example:port/": "url_port",
    "https://shop.example:-1/": "url_port",
    "https://shop.example:22/": "url_port",
    "https://shop.example:25/": "url_port",
    "https://shop.example:5432/": "url_port",
    "https://shop.example:6379/": "url_port",
    "https://localhost/": "url_inside",
    "https://LOCALHOST./": "url_inside",
    "https://a.localhost/": "url_inside",
    "https://printer.local/": "url_inside",
    "https://metadata.google.internal/": "url_inside",
    "https://router/": "url_inside",
    "https://127.0.0.1/": "url_inside",
    "https://127.0.0.1:8443/": "url_inside",
    "https://10.0.0.1/": "url_inside",
    "https://169.254.169.254/latest/meta-data/": "url_inside",
    "https://0.0.0.0/": "url_inside",
    "https://[::]/": "url_inside",
    "https://[::1]/": "url_inside",
    "https://[::ffff:7f00:1]/": "url_inside",
    "https://[0:0:0:0:0:ffff:10.0.0.1]/": "url_inside",
    "https://[fd00:ec2::254]/": "url_inside",
    "https://[fe80::1]/": "url_inside",
    "https://[64:ff9b::7f00:1]/": "url_inside",
    "https://2130706433/": "url_invalid",
    "https://0x7f000001/": "url_invalid",
    "https://0x7f.0.0.1/": "url_invalid",
    "https://0177.0.0.1/": "url_invalid",
    "https://127.1/": "url_invalid",
    "https://127.0.0.1./": "url_inside",
    "https://1.2.3.4.5/": "url_invalid",
    "https://①②⑦.⓪.⓪.①/": "url_inside",
    "https://１２７.0.0.1/": "url_inside",
    "https://127。0。0。1/": "url_inside",
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/": "url_inside",
    "https://shop.example/" + "x" * MAX_URL_CHARS: "url_invalid",
    "https://shop.example/\ud800": "url_invalid",
}


@pytest.mark.parametrize("address", INSIDE)
def test_what_only_the_server_can_reach_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_internet_is(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_however_it_is_wrapped(address: ipaddress.IPv4Address) -> None:
    public = is_public(str(address))
    assert is_public(f"::ffff:{address}") is public
    assert is_public(str(ipaddress.IPv6Address((0x64FF9B << 96) | int(address)))) is public
    assert not is_public(str(ipaddress.IPv6Address(int(address))))


@pytest.mark.parametrize("url", HOSTILE)
def test_an_address_that_leads_inside_or_nowhere_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_url(url)
    assert refused.value.details["reason"] == HOSTILE[url]


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://shop.example", "https://shop.example/"),
        ("HTTPS://Shop.Example:443/Hook?a=b", "https://shop.example/Hook?a=b"),
        ("https://shop.example.:8443/hook", "https://shop.example:8443/hook"),
        ("https://商店.example/钩", "https://xn--czrs0t.example/钩"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://[2606:4700:4700:0::1111]/", "https://[2606:4700:4700::1111]/"),
        ("https://my_host.example/", "https://my_host.example/"),
    ],
)
def test_a_receiver_s_address_has_one_form(url: str, normal: str) -> None:
    assert checked_url(url) == normal
    assert checked_url(normal) == normal


def test_for_trying_things_out_the_own_machine_is_let_pass() -> None:
    for url in ("http://127.0.0.1:9000/hook", "http://localhost:5432/", "https://10.0.0.1/"):
        assert checked_url(url, inside=True) == url
    for url in ("ftp://shop.example/", "https://ann@shop.example/", "https://127.1/"):
        with pytest.raises(InvalidInput):
            checked_url(url, inside=True)


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/"):
        try:
            normal = checked_url(url)
        except InvalidInput:
            continue
        assert checked_url(normal) == normal
