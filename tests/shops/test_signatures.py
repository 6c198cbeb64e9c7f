"""Who signed what shops post; the signatures here were made with openssl, not with our own code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import NotSignedIn
from server.domain.hooks import (
    body_signature,
    check_timed,
    decoded_secret,
    receive_shopify,
    receive_woocommerce,
    timed_signature,
)
from tests.shops.shop import sample

# printf '%s' '{"id":1}' | openssl dgst -sha256 -hmac SECRET -binary | base64
BODY = b'{"id":1}'
BY_PLAIN = "HkQEiLX+V7aRUZJaJR2IfJ9VtTDAHpW7cbjIRZOrQ4o="
NOW_MS = 1_790_000_000_000


def test_a_signature_is_the_one_that_openssl_makes() -> None:
    assert body_signature("linen", BODY) == BY_PLAIN


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("a&amp;b", "a&b"),
        ("&lt;&gt;&quot;&#039;&#39;&#x27;&#038;", "<>\"'''&"),
        ("&amp;lt;", "&lt;"),
        # Entities that WordPress leaves alone, as browsers would not.
        ("&copy;&nbsp;&copyx", "&copy;&nbsp;&copyx"),
        ("plain & simple", "plain & simple"),
    ],
)
def test_woocommerce_signs_with_the_decoded_secret(written: str, used: str) -> None:
    assert decoded_secret(written) == used
    headers = {
        "x-wc-webhook-topic": "order.updated",
        "x-wc-webhook-signature": body_signature(used, BODY),
    }
    assert receive_woocommerce(headers, BODY, [written], NOW_MS) is not None


@given(st.text(alphabet="ab&;#<>\"'", max_size=12))
def test_a_secret_without_an_ampersand_is_itself(secret: str) -> None:
    assert decoded_secret(secret.replace("&", "+")) == secret.replace("&", "+")


@given(place=st.integers(min_value=0), change=st.integers(min_value=1, max_value=255))
def test_one_other_byte_makes_it_wrong(place: int, change: int) -> None:
    body = bytearray(sample("shopify_order.json"))
    headers = {
        "x-shopify-topic": "orders/create",
        "x-shopify-hmac-sha256": body_signature("s", bytes(body)),
    }
    body[place % len(body)] ^= change
    with pytest.raises(NotSignedIn):
        receive_shopify(headers, bytes(body), ["s"], NOW_MS)


@pytest.mark.parametrize(
    "given_", ["", "AAAA", "ü" * 44, "é", body_signature("other", BODY), BY_PLAIN.lower()]
)
def test_what_is_no_signature_is_refused(given_: str) -> None:
    headers = {"x-shopify-topic": "orders/create", "x-shopify-hmac-sha256": given_}
    with pytest.raises(NotSignedIn):
        receive_shopify(headers, BODY, ["linen"], NOW_MS)
    with pytest.raises(NotSignedIn):
        receive_shopify(headers, BODY, [], NOW_MS)


def test_a_time_in_the_signature_is_near_ours() -> None:
    at_s = NOW_MS // 1000
    assert check_timed(timed_signature("s", at_s - 299, BODY), ["s"], BODY, NOW_MS) > 0
    both = timed_signature("s", at_s, BODY) + ",v1=00"
    assert check_timed(both, ["old", "s"], BODY, NOW_MS) == at_s * 1000
    moved = timed_signature("s", at_s, BODY).replace(f"t={at_s}", f"t={at_s + 1}")
    for header in (
        timed_signature("s", at_s - 301, BODY),
        timed_signature("s", at_s + 301, BODY),
        moved,
        "t=1,t=2,v1=00",
        "v1=00",
        f"t={at_s}",
        "",
    ):
        with pytest.raises(NotSignedIn):
            check_timed(header, ["s"], BODY, NOW_MS)


def test_a_retry_and_a_second_subscription_are_told_apart() -> None:
    def key(**headers: str) -> str:
        named = {f"x-shopify-{name}": value for name, value in headers.items()}
        signed = {"x-shopify-hmac-sha256": body_signature("s", BODY)}
        found = receive_shopify({"x-shopify-topic": "orders/paid"} | named | signed, BODY, ["s"], 0)
        assert found is not None
        return found.key

    first = key(**{"webhook-id": "w1", "event-id": "e1"})
    assert key(**{"webhook-id": "w1", "event-id": "e1"}) == first
    assert key(**{"webhook-id": "w2", "event-id": "e1"}) != first


def test_two_deliveries_of_one_second_are_two() -> None:
    def key(body: bytes, delivery: str = "d") -> str:
        headers = {
            "x-wc-webhook-topic": "order.updated",
            "x-wc-webhook-id": "3",
            "x-wc-webhook-delivery-id": delivery,
            "x-wc-webhook-signature": body_signature("s", body),
        }
        found = receive_woocommerce(headers, body, ["s"], 0)
        assert found is not None
        return found.key

    one = b'{"id":1,"date_modified_gmt":"2026-01-01T00:00:00"}'
    assert key(one) == key(one, "another")
    assert key(one) != key(one.replace(b":1,", b":2,"))
    # What says nothing of its time may be said again and mean it.
    assert key(b'{"id":1}') != key(b'{"id":1}', "later")
