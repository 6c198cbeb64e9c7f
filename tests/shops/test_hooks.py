"""The addresses that shops post to: what is stored, what is answered, what is refused."""

from __future__ import annotations

import pytest

from server.actions.sources import OLD_SECRET_MS, NamedSource, RotateSecret
from server.actions.sources import remove_source as remove
from server.actions.sources import rotate_secret as rotate
from server.domain.hooks import body_signature
from server.http import hooks
from server.http.hooks import HOOK_BYTES
from tests.shops.shop import SECRET, Shop, raw, sample, value_of

ORDER = 6820017394822551047


async def test_a_delivery_is_stored_before_anything_is_made_of_it(shop: Shop) -> None:
    body = sample("shopify_order.json")
    answer = await shop.shopify("orders/create", body)
    assert answer.status == 200
    stored = shop.row("SELECT * FROM shop_delivery")
    assert bytes(stored["body"]) == body
    assert (stored["status"], stored["topic"]) == ("waiting", "orders/create")
    assert "hmac" not in stored["headers"]
    assert shop.rows("SELECT id FROM shop_order") == []
    await shop.work()
    assert shop.statuses() == [("applied", None)]
    assert shop.order(ORDER)["number"] == "#L1042"


async def test_ids_beyond_what_browsers_count_stay_whole(shop: Shop) -> None:
    await shop.shopify("orders/create", sample("shopify_order.json"))
    await shop.work()
    assert shop.order(ORDER)["external_id"] == "6820017394822551047"
    customer = shop.row("SELECT external_id FROM customer")
    assert customer["external_id"] == "9007199254740993"
    delivery = shop.row("SELECT customer FROM shop_delivery")
    assert delivery["customer"] == "9007199254740993"


async def test_what_comes_again_is_stored_once(shop: Shop) -> None:
    body = sample("shopify_order.json")
    first = await shop.shopify("orders/create", body, webhook_id="one")
    again = await shop.shopify("orders/create", body, webhook_id="one")
    assert (first.status, again.status) == (200, 200)
    assert len(shop.statuses()) == 1
    await shop.work()
    # The same event by another subscription is another delivery, and changes nothing.
    before = shop.order(ORDER)
    await shop.shopify("orders/create", body, webhook_id="two")
    await shop.work()
    assert len(shop.statuses()) == 2
    assert shop.order(ORDER) == before
    assert len(shop.rows("SELECT seq FROM event WHERE kind = 'order.paid'")) == 1


async def test_a_wrong_signature_is_refused_and_counted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long the next ones take to come.
    monkeypatch.setattr(hooks, "NOTE_EVERY_S", 1e9)
    for _ in range(3):
        answer = await shop.shopify("orders/create", b'{"id": 1}', secret="guessed")
        assert answer.status == 401
        assert b"not_signed_in" in answer.body
    assert (await shop.woo("order.created", b'{"id": 1}', secret="guessed")).status == 401
    assert (await shop.own("orders", {"order_id": 1}, secret="guessed")).status == 401
    assert shop.statuses() == []
    # The first is written down at once, the others with the next ones.
    refused = shop.row("SELECT refused FROM shop_source WHERE name = 'shopify'")
    assert refused["refused"] == 1
    await shop.shopify("orders/create", sample("shopify_order.json"))
    shop.desk.time.now += 1
    await shop.work()


async def test_a_source_that_is_not_there_is_not_found(shop: Shop) -> None:
    body = sample("shopify_order.json")
    signed = {"X-Shopify-Topic": "orders/create"}
    signed |= {"X-Shopify-Hmac-Sha256": body_signature(SECRET, body)}
    for path in (
        "/hooks/shopify/nobody",
        "/hooks/woocommerce/shopify",
        "/hooks/generic/shopify",
        "/hooks/magento/shopify",
        "/hooks/shopify/%00",
        "/hooks/shopify/..%2fwoo",
        f"/hooks/shopify/{'x' * 300}",
    ):
        assert (await shop.post(path, body, signed)).status == 404, path
    assert shop.statuses() == []


async def test_the_ping_of_woocommerce_is_answered_and_not_believed(shop: Shop) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await shop.post("/hooks/woocommerce/woo", b"webhook_id=17", form)
    assert answer.status == 200
    assert shop.statuses() == []
    for body, headers in (
        (b"webhook_id=17&x=1", form),
        (b'{"id": 4}', {"Content-Type": "application/json"}),
        (b"webhook_id=17", form | {"X-WC-Webhook-Signature": "AAAA"}),
    ):
        assert (await shop.post("/hooks/woocommerce/woo", body, headers)).status == 401
    assert (await shop.post("/hooks/woocommerce/none", b"webhook_id=17", form)).status == 404
    # Only WooCommerce has such a ping.
    assert (await shop.post("/hooks/shopify/shopify", b"webhook_id=17", form)).status == 401


async def test_the_former_secret_works_for_a_day(shop: Shop) -> None:
    asked = RotateSecret(name="shopify", secret="another")
    await shop.desk.write(rotate, asked)
    body = sample("shopify_order.json")
    for secret in (SECRET, "another"):
        assert (await shop.shopify("orders/create", body, secret=secret)).status == 200
    shop.desk.time.now += OLD_SECRET_MS / 1000 + 1
    assert (await shop.shopify("orders/create", body)).status == 401
    assert (await shop.shopify("orders/create", body, secret="another")).status == 200


async def test_a_removed_source_takes_nothing_and_leaves_its_orders(shop: Shop) -> None:
    await shop.shopify("orders/create", sample("shopify_order.json"))
    await shop.work()
    await shop.shopify("orders/updated", value_of("shopify_order.json") | {"name": "late"})
    await shop.desk.write(remove, NamedSource(name="shopify"))
    assert (await shop.shopify("orders/create", b"{}")).status == 404
    await shop.work()
    assert shop.order(ORDER)["number"] == "#L1042"
    assert shop.statuses() == []


async def test_too_much_at_once_is_refused(shop: Shop) -> None:
    answer = await shop.shopify("orders/create", b" " * (HOOK_BYTES + 1))
    assert answer.status == 413
    assert shop.statuses() == []


async def test_a_key_that_names_something_else_is_a_conflict(shop: Shop) -> None:
    row = {"order_id": "A1", "created_at": "2026-01-05T10:00", "total": "12.00"}
    key = {"Idempotency_Key": "k1"}
    assert (await shop.own("orders", row, **key)).status == 200
    assert (await shop.own("orders", row, **key)).status == 200
    assert (await shop.own("orders", row | {"total": "13.00"}, **key)).status == 409
    await shop.work()
    assert shop.order("A1")["total_minor"] == 1200


async def test_a_delivery_needs_a_topic(shop: Shop) -> None:
    assert (await shop.shopify("", raw({}))).status == 400
    assert (await shop.shopify("orders/create now", raw({}))).status == 400
    assert (await shop.woo("x" * 99, raw({}))).status == 400
