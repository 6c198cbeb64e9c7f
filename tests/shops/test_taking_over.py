"""What the desk makes of deliveries of Shopify, WooCommerce and others."""

from __future__ import annotations

import itertools
from copy import deepcopy
from typing import Any  # Any: JSON of a shop

from sqlalchemy import text

from server.storage.unit import Tx
from tests.shops.shop import Shop, sample, value_of

ORDER = 6820017394822551047
ZOE = 9007199254740993
FIRST_LINE, SECOND_LINE = 13900000000000000001, 13900000000000000002


def order(**changes: object) -> dict[str, Any]:  # Any: JSON of a shop
    return value_of("shopify_order.json") | changes


def refund(
    refund_id: int, amount: str, *, line: int | None = None, at: str = "10:00:00"
) -> dict[str, Any]:  # Any: JSON of a shop
    lines = [{"line_item_id": line, "quantity": 1}] if line else []
    return {
        "id": refund_id,
        "order_id": ORDER,
        "created_at": f"2026-03-05T{at}+01:00",
        "transactions": [{"kind": "refund", "status": "success", "amount": amount}],
        "refund_line_items": lines,
    }


def parcel(**changes: object) -> dict[str, Any]:  # Any: JSON of a shop
    return {
        "id": 5101,
        "order_id": ORDER,
        "status": "success",
        "created_at": "2026-03-03T08:00:00+01:00",
        "updated_at": "2026-03-03T08:00:00+01:00",
        "tracking_company": "PostNord",
        "tracking_number": "LX123",
        "tracking_urls": ["https://track.example/LX123"],
        "shipment_status": None,
    } | changes


async def test_an_order_of_shopify_is_read_in_full(shop: Shop) -> None:
    await shop.shopify("orders/create", sample("shopify_order.json"))
    await shop.work()
    found = shop.order(ORDER)
    expected = {
        "source": "shopify",
        "number": "#L1042",
        "currency": "EUR",
        "total_minor": 11840,
        "net_minor": 11840,
        "refunded_minor": 0,
        "discount_minor": 660,
        "shipping_minor": 500,
        "tax_minor": 1890,
        "status": "paid",
        "coupon": "LINNE5",
        "postcode": "118 26",
        "created_at_ms": 1772439300000,
        "paid_at_ms": 1772439304000,
        "phone": None,
    }
    assert {name: found[name] for name in expected} == expected
    assert found["counted"]
    lines = shop.lines(ORDER)
    told = [(one["sku"], one["quantity"], one["price_minor"]) for one in lines]
    assert told == [("LIN-210", 2, 4500), ("PIL-050", 1, 3000)]
    assert [one["discount_minor"] for one in lines] == [450, 210]
    assert lines[1]["title"] == "Örngott 枕套 🛏"


async def test_the_shop_vouches_for_its_customer_and_not_for_the_orders_address(
    shop: Shop,
) -> None:
    await shop.shopify("orders/create", sample("shopify_order.json"))
    await shop.work()
    assert shop.row("SELECT name FROM customer")["name"] == "Zoë Åkerlund"
    contacts = shop.rows("SELECT kind, value, level FROM contact ORDER BY level DESC")
    told = {(one["kind"], one["value"].lower()): one["level"] for one in contacts}
    assert told[("email", "zoe.account@lindgren-textil.example")] == "verified"
    assert told.get(("email", "zoë@lindgren-textil.example"), "claimed") == "claimed"
    # The telephones of addresses are nobody's.
    assert all(kind == "email" for kind, _ in told)


async def test_a_test_notification_is_no_revenue(shop: Shop) -> None:
    await shop.shopify("orders/create", order(), **{"X-Shopify-Test": "true"})
    await shop.work()
    found = shop.order(ORDER)
    assert found["test"]
    assert not found["counted"]
    assert shop.rows("SELECT seq FROM event WHERE kind LIKE 'order.%'") == []


async def test_cash_on_delivery_counts_once_it_is_on_its_way(shop: Shop) -> None:
    cod = {"financial_status": "pending", "payment_gateway_names": ["Cash on Delivery (COD)"]}
    await shop.shopify("orders/create", order(**cod))
    await shop.work()
    assert not shop.order(ORDER)["counted"]
    later = "2026-03-03T08:00:01+01:00"
    await shop.shopify("orders/updated", order(**cod, updated_at=later, fulfillments=[parcel()]))
    await shop.work()
    assert shop.order(ORDER)["counted"]


async def test_refunds_and_parcels_are_put_together_in_whatever_order_they_come(
    shop: Shop,
) -> None:
    """Every order of five deliveries gives the same order, with each of them told twice."""
    changed = order(
        updated_at="2026-03-05T10:00:03+01:00",
        financial_status="partially_refunded",
        refunds=[refund(71, "45.00", line=FIRST_LINE)],
        fulfillments=[parcel()],
    )
    arrived = parcel(shipment_status="delivered", updated_at="2026-03-04T16:00:00+01:00")
    told: list[tuple[str, object]] = [
        ("orders/create", order()),
        ("fulfillments/create", parcel()),
        ("fulfillments/update", arrived),
        ("refunds/create", refund(71, "45.00", line=FIRST_LINE)),
        ("orders/updated", changed),
    ]
    outcomes = []
    for number, sequence in enumerate(itertools.permutations(told)):
        if number % 37:  # four of the 120, from the order they happened in to nearly the reverse
            continue
        for topic, body in sequence:
            for _ in range(2):
                assert (await shop.shopify(topic, body)).status == 200
            await shop.work()
        found = shop.order(ORDER)
        lines = [one["refunded_quantity"] for one in shop.lines(ORDER)]
        names = ("total_minor", "refunded_minor", "net_minor", "status", "tracking_number")
        times = ("shipped_at_ms", "delivered_at_ms", "refunded_at_ms", "updated_at_ms")
        outcomes.append(({name: found[name] for name in (*names, *times)}, lines))
        shop.desk.database.write_now(_forget_orders)
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0][0] == {
        "total_minor": 11840,
        "refunded_minor": 4500,
        "net_minor": 7340,
        "status": "paid",
        "tracking_number": "LX123",
        "shipped_at_ms": 1772521200000,
        "delivered_at_ms": 1772636400000,
        "refunded_at_ms": 1772701200000,
        "updated_at_ms": 1772701203000,
    }
    assert outcomes[0][1] == [1, 0]


def _forget_orders(tx: Tx) -> None:
    for table in ("order_line", "shop_order", "shop_order_parts", "shop_delivery"):
        tx.later(text(f"DELETE FROM {table}"))


async def test_a_part_waits_for_its_order(shop: Shop) -> None:
    await shop.shopify("refunds/create", refund(72, "118.40"))
    await shop.work()
    assert shop.rows("SELECT id FROM shop_order") == []
    assert shop.statuses() == [("applied", None)]
    await shop.shopify("orders/create", order())
    await shop.work()
    found = shop.order(ORDER)
    assert (found["status"], found["net_minor"], bool(found["counted"])) == ("refunded", 0, False)


async def test_several_refunds_add_up_and_a_failed_one_does_not(shop: Shop) -> None:
    failed = refund(75, "10.00")
    failed["transactions"][0]["status"] = "failure"
    await shop.shopify("orders/create", order())
    for body in (refund(73, "10.00"), refund(74, "5.40", at="11:00:00"), failed):
        await shop.shopify("refunds/create", body)
    await shop.work()
    assert shop.order(ORDER)["refunded_minor"] == 1540


async def test_what_is_older_than_what_is_known_changes_nothing(shop: Shop) -> None:
    newer = order(updated_at="2026-03-03T00:00:00+01:00", name="#new")
    await shop.shopify("orders/updated", newer)
    await shop.shopify("orders/create", order())
    await shop.work()
    assert shop.order(ORDER)["number"] == "#new"


async def test_an_order_deleted_in_the_shop_is_as_good_as_cancelled(shop: Shop) -> None:
    await shop.shopify("orders/create", order())
    await shop.woo("order.created", sample("woocommerce_order.json"))
    await shop.work()
    owner = shop.order(ORDER)["customer_id"]
    await shop.shopify("orders/delete", {"id": ORDER})
    await shop.woo("order.deleted", {"id": 5561})
    await shop.work()
    for external_id in (ORDER, 5561):
        found = shop.order(external_id)
        assert found["status"] == "cancelled"
        assert not found["counted"]
        assert found["customer_id"] is not None
    assert shop.order(ORDER)["customer_id"] == owner


async def test_customers_the_shop_has_made_one_are_one_here_and_may_be_parted(shop: Shop) -> None:
    other = deepcopy(order())
    other |= {"id": 2, "name": "#2"}
    other["customer"] |= {"id": 8, "email": "z@example.com", "first_name": "Z"}
    await shop.shopify("orders/create", order())
    await shop.shopify("orders/create", other)
    await shop.work()
    kept, gone = f"gid://shopify/Customer/{ZOE}", "gid://shopify/Customer/8"
    merged = {
        "admin_graphql_api_customer_kept_id": kept,
        "admin_graphql_api_customer_deleted_id": gone,
        "status": "completed",
    }
    await shop.shopify("customers/merge", merged)
    await shop.work()
    assert shop.statuses()[-1] == ("applied", None)
    persons = {row["person_id"] or row["id"] for row in shop.rows("SELECT * FROM customer")}
    assert len(persons) == 1
    profile = shop.row("SELECT orders FROM profile WHERE person_id = :id", id=persons.pop())
    assert profile["orders"] == 2
    assert len(shop.rows("SELECT id FROM customer_link WHERE undone_at_ms IS NULL")) == 1
    # Told again, it is nothing new.
    await shop.shopify("customers/merge", merged)
    await shop.work()
    assert shop.statuses()[-1] == ("applied", None)


async def test_a_deleted_customer_keeps_orders_and_gets_no_mail(shop: Shop) -> None:
    subscribed = order()
    subscribed["customer"] |= {"email_marketing_consent": {"state": "subscribed"}}
    await shop.shopify("orders/create", subscribed)
    await shop.work()
    assert _consent(shop) == [("marketing_email", "given")]
    await shop.shopify("customers/delete", {"id": ZOE})
    await shop.work()
    assert sorted(_consent(shop)[-2:]) == [
        ("marketing_email", "refused"),
        ("marketing_sms", "refused"),
    ]
    assert shop.order(ORDER)["customer_id"] is not None
    levels = {row["level"] for row in shop.rows("SELECT level FROM contact")}
    assert levels == {"claimed"}


async def test_consent_follows_the_latest_word(shop: Shop) -> None:
    def said(state: str, at: str) -> dict[str, object]:
        consent = {"state": state, "consent_updated_at": f"2026-04-0{at}T10:00:00Z"}
        return {"customer_id": ZOE, "email_marketing_consent": consent}

    topic = "customers_email_marketing_consent/update"
    # Of somebody whom the shop has not told of yet.
    await shop.shopify(topic, said("subscribed", "1"))
    await shop.work()
    await shop.shopify(topic, said("unsubscribed", "3"))
    await shop.work()
    await shop.shopify(topic, said("subscribed", "2"))
    await shop.shopify(topic, said("pending", "4"))
    await shop.work()
    assert _consent(shop) == [("marketing_email", "given"), ("marketing_email", "refused")]
    assert shop.statuses()[-1] == ("ignored", "no_consent")
    sms = {"customer_id": ZOE, "sms_marketing_consent": {"state": "subscribed"}}
    await shop.shopify("customers_marketing_consent/update", sms)
    await shop.work()
    assert _consent(shop)[-1] == ("marketing_sms", "given")


def _consent(shop: Shop) -> list[tuple[str, str]]:
    rows = shop.rows("SELECT purpose, state FROM consent ORDER BY at_ms, id")
    return [(row["purpose"], row["state"]) for row in rows]


async def test_a_checkout_is_a_cart_until_it_is_bought(shop: Shop) -> None:
    lines = order()["line_items"]
    cart = {"token": "c1-9f3b", "line_items": lines, "updated_at": "2026-03-02T08:00:00Z"}
    await shop.shopify("carts/create", cart)
    await shop.work()
    assert shop.row("SELECT total_minor FROM cart")["total_minor"] == 11340
    checkout = cart | {
        "token": "k-1",
        "cart_token": "c1-9f3b",
        "currency": "EUR",
        "total_price": "118.40",
        "email": "someone@example.com",
        "customer": {"id": ZOE},
        "abandoned_checkout_url": "https://linne.example/recover/1",
        "completed_at": None,
        "updated_at": "2026-03-02T08:05:00Z",
    }
    await shop.shopify("checkouts/update", checkout)
    await shop.work()
    found = shop.row("SELECT * FROM cart")
    assert (found["total_minor"], found["ordered_at_ms"]) == (11840, None)
    assert found["checkout_url"] == "https://linne.example/recover/1"
    await shop.shopify("orders/create", order())
    await shop.work()
    assert shop.row("SELECT ordered_at_ms FROM cart")["ordered_at_ms"] is not None


async def test_products_come_change_and_go(shop: Shop) -> None:
    variants = [
        {"id": 1, "title": "White", "sku": "LIN-W", "price": "45.00", "inventory_quantity": 4},
        {"id": 2, "title": "Sand", "sku": "", "price": "47.50", "inventory_quantity": -1},
    ]
    product = {
        "id": 771,
        "title": "Linen sheet",
        "vendor": "Lindgren",
        "product_type": "Bedding",
        "image": {"src": "https://cdn.example/1.jpg"},
        "variants": variants,
    }
    await shop.shopify("products/create", product)
    await shop.woo(
        "product.updated",
        {"id": 40, "name": "Tea &amp; tin", "sku": "TEA-7", "price": "12", "permalink": "ftp://x"},
    )
    await shop.work()
    found = {row["sku"]: row for row in shop.rows("SELECT * FROM product")}
    assert found["LIN-W"]["title"] == "Linen sheet – White"
    assert (found["LIN-W"]["price_minor"], found["LIN-W"]["stock"]) == (4500, 4)
    assert found["variant-2"]["stock"] == 0
    assert (found["TEA-7"]["title"], found["TEA-7"]["url"]) == ("Tea & tin", None)
    await shop.shopify("products/update", product | {"variants": variants[:1]})
    await shop.woo("product.deleted", {"id": 40})
    await shop.work()
    left = shop.row("SELECT sku, title FROM product")
    assert (left["sku"], left["title"]) == ("LIN-W", "Linen sheet")


async def test_an_order_of_woocommerce_is_read_in_full(shop: Shop) -> None:
    await shop.woo("order.created", sample("woocommerce_order.json"))
    await shop.work()
    found = shop.order(5561)
    assert (found["total_minor"], found["discount_minor"], found["coupon"]) == (2550, 300, "tea3")
    assert (found["status"], found["postcode"]) == ("paid", "LS1 4AP")
    assert found["paid_at_ms"] == 1778443280000
    # In another currency than the shop's it is shown and not added up.
    assert (found["currency"], bool(found["counted"])) == ("GBP", False)
    [line] = shop.lines(5561)
    assert (line["title"], line["price_minor"], line["discount_minor"]) == (
        "Jasmine tea & tin",
        1200,
        300,
    )


async def test_a_guest_of_woocommerce_is_nobody_we_know(shop: Shop) -> None:
    await shop.woo("order.created", value_of("woocommerce_order.json") | {"customer_id": 0})
    await shop.work()
    found = shop.order(5561)
    assert (found["customer_id"], found["email"]) == (None, "idris@cole.example")
    assert shop.rows("SELECT id FROM customer") == []


async def test_a_draft_of_a_checkout_is_no_order(shop: Shop) -> None:
    await shop.woo("order.created", {"id": 9, "status": "checkout-draft"})
    await shop.woo("coupon.created", {"id": 9})
    await shop.woo("action.woocommerce_add_to_cart", {"arg": "x"})
    await shop.work()
    assert shop.statuses() == [("ignored", "draft"), ("ignored", "topic"), ("ignored", "topic")]


async def test_customers_of_two_shops_with_the_same_number_are_two(shop: Shop) -> None:
    same = order()
    same["customer"] |= {"id": 88}
    await shop.shopify("orders/create", same)
    await shop.woo("order.created", sample("woocommerce_order.json"))
    await shop.woo("customer.updated", {"id": 88, "first_name": "Idris", "email": "i@cole.example"})
    await shop.work()
    names = {row["name"] for row in shop.rows("SELECT name FROM customer")}
    assert names == {"Zoë Åkerlund", "Idris"}
    assert shop.order(5561)["customer_id"] != shop.order(ORDER)["customer_id"]


async def test_a_program_tells_orders_customers_products_and_carts(shop: Shop) -> None:
    line = {"sku": "CUP", "title": "Cup", "quantity": 2, "price": 9.1, "category": "Tableware"}
    answer = await shop.own(
        "",
        {"topic": "customers", "data": {"customer_id": 5, "name": "Ada", "tags": "vip, b2b"}},
        {"topic": "products", "data": {"sku": "CUP", "title": "Cup", "price": "9.10", "stock": 3}},
        {
            "topic": "orders",
            "data": {
                "order_id": 12345678901234567890123,
                "customer_id": 5,
                "created_at": "2026-07-01 10:00",
                "total": "18.20",
                "lines": [line],
            },
        },
        {"topic": "carts", "data": {"token": "t", "customer_id": 5, "lines": [line]}},
    )
    assert answer.status == 200
    await shop.work()
    assert shop.statuses() == [("applied", None)]
    found = shop.order("12345678901234567890123")
    # Ten o'clock where the shop is, paid as nothing else was said.
    assert found["created_at_ms"] == found["paid_at_ms"] == 1782892800000
    assert shop.lines("12345678901234567890123")[0]["price_minor"] == 910
    assert shop.row("SELECT total_minor FROM cart")["total_minor"] == 1820
    assert shop.row("SELECT stock FROM product")["stock"] == 3
    assert shop.row("SELECT name FROM customer")["name"] == "Ada"


async def test_what_is_told_of_the_past_is_no_news(shop: Shop) -> None:
    row = {"order_id": "P", "customer_id": 1, "created_at": "2024-01-05T10:00Z", "total": "5.00"}
    await shop.own("orders", row, **{"X-Backfill": "true"})
    await shop.own("orders", row | {"order_id": "N"})
    await shop.work()
    events = shop.rows("SELECT imported FROM event WHERE kind = 'order.paid' ORDER BY seq")
    assert [bool(row["imported"]) for row in events] == [True, False]


async def test_one_bad_line_keeps_the_whole_delivery_out(shop: Shop) -> None:
    good = {"order_id": "G", "created_at": "2026-01-05T10:00Z", "total": "5.00"}
    await shop.own("orders", good, good | {"order_id": "B", "total": "much"})
    await shop.work()
    assert shop.statuses() == [("dead", "unreadable 2.total")]
    assert shop.rows("SELECT id FROM shop_order") == []
