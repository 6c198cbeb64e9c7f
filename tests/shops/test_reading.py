"""What deliveries are read as, without a desk: states, sums, and what cannot be read."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any  # Any: JSON of a shop

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.errors import InvalidInput
from server.domain.periods import zone
from server.domain.shop_data import Order, counts
from server.domain.shop_told import Fulfilment, Parts, Refund, together
from server.shops import generic, shopify, woocommerce
from server.shops.values import Shop, at_ms_of, id_of, minor_of, url_of
from tests.shops.shop import raw, value_of

HERE = Shop("EUR", zone("Europe/Stockholm"), 1_790_000_000_000)


def order_of_shopify(**changes: object) -> Order:
    body = raw(value_of("shopify_order.json") | changes)
    return shopify.read("orders/updated", {}, body, HERE).orders[0]


def order_of_woo(**changes: object) -> Order:
    body = raw(value_of("woocommerce_order.json") | changes)
    return woocommerce.read("order.updated", {}, body, HERE).orders[0]


@pytest.mark.parametrize(
    ("changes", "status", "counted"),
    [
        ({"test": True}, "paid", False),
        ({"financial_status": "pending"}, "pending", False),
        ({"financial_status": []}, "pending", False),
        ({"financial_status": "authorized"}, "authorized", False),
        ({"financial_status": "voided"}, "voided", False),
        ({"financial_status": "partially_paid"}, "paid", True),
        ({"cancelled_at": "2026-03-02T10:00:00+01:00"}, "cancelled", False),
        ({"total_price": "0.00", "current_total_price": "0.00"}, "paid", False),
        ({"currency": "USD"}, "paid", False),
        ({"current_total_price": "90.00"}, "paid", True),
    ],
)
def test_what_counts_and_what_does_not(
    changes: dict[str, object], status: str, counted: bool
) -> None:
    found = order_of_shopify(**changes)
    assert (found.status, counts(found, currency="EUR")) == (status, counted)
    total = changes.get("current_total_price", "118.40")
    assert found.total_minor == round(float(str(total)) * 100)


@pytest.mark.parametrize(
    ("changes", "status", "paid"),
    [
        ({"status": "pending", "date_paid_gmt": None}, "pending", False),
        ({"status": "on-hold", "date_paid_gmt": None}, "pending", False),
        ({"status": "failed"}, "failed", False),
        ({"status": "cancelled"}, "cancelled", False),
        ({"status": "trash"}, "cancelled", False),
        ({"status": "completed", "date_completed_gmt": "2026-05-11T08:00:00"}, "paid", True),
        ({"status": "refunded"}, "refunded", True),
        ({"payment_method": "cod", "date_paid_gmt": None}, "paid", False),
        ({"date_paid_gmt": None}, "paid", True),
        ({"refunds": [{"id": 1, "total": "-25.50"}]}, "refunded", True),
        ({"refunds": [{"id": 1, "total": "-5.00"}]}, "paid", True),
    ],
)
def test_states_of_woocommerce(changes: dict[str, object], status: str, paid: bool) -> None:
    found = order_of_woo(**changes)
    assert (found.status, found.paid_at_ms is not None) == (status, paid)
    if "refunds" in changes:
        assert found.net_minor == (0 if status == "refunded" else 2050)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "unreadable body"),
        (b"\xff\xfe", "unreadable body"),
        (b"[1, 2]", "unreadable body"),
        (b'{"id": 1', "unreadable body"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "unreadable body"),
        (b'{"id": NaN}', "unreadable body"),
        (raw({"id": 1, "created_at": "2026-01-01T00:00:00Z"}), "unreadable total_price"),
        (raw({"created_at": "2026-01-01T00:00:00Z"}), "unreadable id"),
        (raw({"id": 1, "total_price": "1.00"}), "unreadable created_at"),
        (raw({"id": 1, "created_at": "soon", "total_price": "1"}), "unreadable created_at"),
        (
            raw({"id": 1, "created_at": "2026-01-01T00:00:00Z", "total_price": "-1.00"}),
            "unreadable total_price",
        ),
    ],
)
def test_what_cannot_be_read_says_where(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        shopify.read("orders/create", {}, body, HERE)
    assert f"unreadable {caught.value.details['field']}" == reason


@given(st.integers(min_value=1, max_value=10**60))
def test_an_id_of_any_size_keeps_every_digit(number: int) -> None:
    told = generic.read(
        "orders", {}, b'{"order_id":%d,"created_at":1790000000,"total":1}' % number, HERE
    )
    assert told.orders[0].external_id == str(number)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (True, None),
        ("", None),
        (" 71 ", "71"),
        ("gid://shopify/Order/71?key=1", "71"),
        ("x" * 201, None),
        (1.5, None),
        ([], None),
    ],
)
def test_what_is_an_id(value: object, found: str | None) -> None:
    assert id_of(value) == found


def test_values_that_are_not_what_they_should_be_are_absent() -> None:
    assert minor_of("1,5", "EUR") is None
    assert minor_of("NaN", "EUR") is None
    assert minor_of("1e99", "EUR") is None
    assert minor_of("980", "JPY") == 980
    assert at_ms_of("2026-02-30T00:00:00Z") is None
    assert at_ms_of(-5) is None
    assert at_ms_of("2026-03-01T00:00:00") == at_ms_of(1_772_323_200)
    assert url_of("javascript:alert(1)") is None
    assert url_of("https://[broken") is None


NASTY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.data())
def test_whatever_a_field_holds_it_is_read_or_refused(data: st.DataObject) -> None:
    reader, topics, name = data.draw(
        st.sampled_from(
            [
                (shopify.read, shopify.TOPICS, "shopify_order.json"),
                (woocommerce.read, woocommerce.TOPICS, "woocommerce_order.json"),
                (generic.read, generic.TOPICS, "woocommerce_order.json"),
            ]
        )
    )
    value: dict[str, Any] = value_of(name)
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.sampled_from(sorted(value)))] = data.draw(NASTY)
    for topic in topics:
        with suppress(InvalidInput):
            reader(topic, {}, json.dumps(value).encode(), HERE)


PARTS = st.builds(
    Parts,
    order_id=st.just("o"),
    customer=st.none() | st.just("c"),
    base_at_ms=st.none() | st.integers(1, 5),
    refunds=st.lists(
        st.builds(
            Refund,
            id=st.sampled_from("ab"),
            at_ms=st.integers(1, 3),
            amount_minor=st.integers(1, 3),
        ),
        unique_by=lambda one: one.id,
        max_size=2,
    ).map(tuple),
    fulfilments=st.lists(
        st.builds(
            Fulfilment,
            id=st.sampled_from("xy"),
            updated_at_ms=st.integers(1, 9),
            shipped_at_ms=st.none() | st.integers(1, 2),
        ),
        unique_by=lambda one: (one.id, one.updated_at_ms),
        max_size=2,
    ).map(tuple),
)


@given(PARTS, PARTS)
def test_parts_told_again_change_nothing(one: Parts, other: Parts) -> None:
    both = together(one, other)
    assert together(both, other) == both
    refunds = {refund.id: refund for refund in together(other, one).refunds}
    assert refunds == {refund.id: refund for refund in both.refunds}
