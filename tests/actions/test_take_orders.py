"""What becomes of orders that a shop tells: told twice, too late, in any order, by guests."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any  # Any: column values

import orjson
from sqlalchemy import select

from server.actions.take_orders import take_carts, take_orders, take_shop_customers
from server.domain.shop_data import Line, Order, ShopCart, ShopCustomer
from server.storage import tombstones
from server.storage.carts import CART
from server.storage.customers import CUSTOMER
from server.storage.imports import CUSTOMER_ORIGIN
from server.storage.orders import SHOP_ORDER, lines_of
from server.storage.rows import EVENT
from server.storage.shop_customers import CONTACT
from server.storage.shop_sources import Source, insert_source
from tests.actions.scene import Scene

SHOP = Source(name="shop", kind="file", customer_ids="shop", created_at_ms=0)
OTHER = Source(name="second", kind="file", customer_ids="own", created_at_ms=0)
AT = 1_700_000_000_000
HOUR = 3_600_000
ORDER = Order(
    external_id="820982911946154508",
    number="1001",
    created_at_ms=AT,
    paid_at_ms=AT + 1,
    currency="CNY",
    total_minor=12_345,
    customer="c1",
    email="Anna@Example.com",
    phone="138 0013 8000",
    lines=(Line(title="Cup", quantity=2, price_minor=500, sku="CUP"),),
)


def take(scene: Scene, *orders: Order, source: Source = SHOP, imported: bool = True) -> list[str]:
    """What becomes of orders in one transaction."""
    return list(
        scene.database.write_now(lambda tx: take_orders(tx, source, orders, imported=imported))
    )


def rows(scene: Scene, table: Any = SHOP_ORDER) -> list[dict[str, Any]]:  # Any: a table's rows
    """All rows of a table."""
    return scene.database.read_now(
        lambda c: [dict(row) for row in c.execute(select(table)).mappings()]
    )


def stored(scene: Scene) -> list[dict[str, Any]]:  # Any: column values
    """What the orders say, whatever they are called here and whenever they were written."""
    aside = {"id", "batch", "written_at_ms", "customer_id"}
    found = [{k: v for k, v in row.items() if k not in aside} for row in rows(scene)]
    return sorted(found, key=lambda row: str(row["external_id"]))


def kinds(scene: Scene) -> list[str]:
    """The kinds of events in the log, in order."""
    found = rows(scene, EVENT)
    return [row["kind"] for row in sorted(found, key=lambda row: int(row["seq"]))]


def test_an_order_makes_its_customer_known_by_the_shops_own_id(scene: Scene) -> None:
    assert take(scene, ORDER) == ["accepted"]
    (order,) = rows(scene)
    (customer,) = rows(scene, CUSTOMER)
    assert customer["external_id"] == "c1"
    assert customer["email"] is None  # what an order says of an address proves nothing
    assert order["customer_id"] == customer["id"]
    assert order["external_id"] == "820982911946154508"
    assert (order["net_minor"], order["counted"]) == (12_345, True)
    contacts = {(row["kind"], row["key"], row["level"]) for row in rows(scene, CONTACT)}
    assert contacts == {
        ("email", "anna@example.com", "claimed"),
        ("phone", "+8613800138000", "claimed"),
    }


def test_the_log_says_what_was_ordered_as_it_was_when_the_order_was_paid(scene: Scene) -> None:
    several = (*ORDER.lines, Line(title="Gift", quantity=1, price_minor=0), *ORDER.lines)
    placed = replace(ORDER, paid_at_ms=None, updated_at_ms=AT)
    paid = replace(ORDER, lines=several, updated_at_ms=AT + 1)
    later = replace(paid, lines=(Line(title="Pot", quantity=1, price_minor=1, sku="POT"),))
    take(scene, placed, paid, replace(later, updated_at_ms=AT + 2))
    (told,) = (row["data"] for row in rows(scene, EVENT) if row["kind"] == "order.paid")
    assert orjson.loads(told)["skus"] == ["CUP"]


def test_an_order_told_twice_changes_nothing(scene: Scene) -> None:
    take(scene, ORDER)
    before = (rows(scene), kinds(scene))
    scene.time.pass_s(60)
    assert take(scene, ORDER) == ["unchanged"]
    assert (rows(scene), kinds(scene)) == before


def test_an_order_twice_in_one_delivery_is_written_once(scene: Scene) -> None:
    paid = replace(ORDER, updated_at_ms=AT + 2)
    placed = replace(ORDER, paid_at_ms=None, updated_at_ms=AT)
    assert take(scene, placed, paid, placed) == ["accepted", "accepted", "unchanged"]
    assert kinds(scene) == ["order.created", "order.paid"]
    assert len(rows(scene)) == 1


def test_the_order_of_deliveries_does_not_matter(scene: Scene) -> None:
    told = [
        replace(ORDER, paid_at_ms=None, updated_at_ms=AT, lines=()),
        replace(ORDER, updated_at_ms=AT + HOUR),
        replace(ORDER, updated_at_ms=AT + 2 * HOUR, refunded_minor=345, email=None),
    ]
    results = []
    for order in itertools.permutations(told):
        scene.begin()
        for one in order:
            take(scene, one)
        lines = scene.database.read_now(lambda c: lines_of(c, [row["id"] for row in rows(scene)]))
        (written,) = lines.values()
        results.append((stored(scene), [line["sku"] for line in written]))
    assert all(result == results[0] for result in results)
    assert results[0][0][0]["net_minor"] == 12_000


def test_a_file_without_times_of_change_never_undoes_what_the_shop_has_told(scene: Scene) -> None:
    take(scene, replace(ORDER, updated_at_ms=AT + HOUR, refunded_minor=12_345))
    assert take(scene, ORDER) == ["unchanged"]
    assert stored(scene)[0]["counted"] is False


def test_a_corrected_file_corrects_and_keeps_what_it_does_not_say(scene: Scene) -> None:
    take(scene, replace(ORDER, postcode="200000"))
    assert take(scene, replace(ORDER, total_minor=20_000, email=None, lines=())) == ["accepted"]
    (order,) = stored(scene)
    assert (order["total_minor"], order["postcode"]) == (20_000, "200000")
    assert order["email"] == "Anna@Example.com"
    found = scene.database.read_now(lambda c: lines_of(c, [row["id"] for row in rows(scene)]))
    assert [line["sku"] for lines in found.values() for line in lines] == ["CUP"]


def test_events_say_what_happened_and_when_it_did(scene: Scene) -> None:
    take(scene, ORDER)
    take(scene, replace(ORDER, refunded_minor=2_345, refunded_at_ms=AT + HOUR))
    take(
        scene,
        replace(
            ORDER, refunded_minor=3_000, refunded_at_ms=AT + 2 * HOUR, cancelled_at_ms=AT + 3 * HOUR
        ),
    )
    found = sorted(rows(scene, EVENT), key=lambda row: int(row["seq"]))
    (order,) = rows(scene)
    assert [(row["kind"], row["at_ms"]) for row in found] == [
        ("order.created", AT),
        ("order.paid", AT + 1),
        ("order.refunded", AT + HOUR),
        ("order.refunded", AT + 2 * HOUR),
        ("order.cancelled", AT + 3 * HOUR),
    ]
    assert all(row["imported"] for row in found)
    assert {row["customer_id"] for row in found} == {order["customer_id"]}
    assert '"amount_minor":655' in found[3]["data"]
    assert order["id"] in found[0]["data"]


def test_news_of_an_order_happens_when_it_comes(scene: Scene) -> None:
    take(scene, ORDER, imported=False)
    assert {row["at_ms"] for row in rows(scene, EVENT)} == {scene.time.at_ms}
    assert not any(row["imported"] for row in rows(scene, EVENT))


def test_tests_are_shown_and_never_counted(scene: Scene) -> None:
    take(scene, replace(ORDER, test=True))
    assert stored(scene)[0]["counted"] is False
    assert kinds(scene) == []


def test_what_is_unpaid_cancelled_free_or_foreign_is_not_counted(scene: Scene) -> None:
    take(
        scene,
        replace(ORDER, external_id="1", paid_at_ms=None),
        replace(ORDER, external_id="2", cancelled_at_ms=AT + 5),
        replace(ORDER, external_id="3", total_minor=0),
        replace(ORDER, external_id="4", currency="EUR"),
        replace(ORDER, external_id="5", refunded_minor=20_000),
    )
    assert [order["counted"] for order in stored(scene)] == [False] * 5


def test_a_guest_is_nobody(scene: Scene) -> None:
    take(scene, replace(ORDER, customer=None))
    assert rows(scene, CUSTOMER) == []
    assert stored(scene)[0]["email_key"] == "anna@example.com"
    assert rows(scene, CONTACT) == []


def test_the_same_number_in_two_shops_is_two_people(scene: Scene) -> None:
    scene.database.write_now(lambda tx: insert_source(tx, OTHER))
    take(scene, ORDER)
    take(scene, ORDER, source=OTHER)
    take(scene, replace(ORDER, external_id="2"), source=OTHER)
    assert len(rows(scene)) == 3
    assert len(rows(scene, CUSTOMER)) == 2
    assert [row["name"] for row in rows(scene, CUSTOMER_ORIGIN)] == ["second:c1"]


def test_days_are_those_of_the_shop(scene: Scene) -> None:
    # 2023-11-15 00:30 in Shanghai is still the 14th in London.
    at_ms = 1_699_979_400_000
    take(scene, replace(ORDER, created_at_ms=at_ms))
    assert rows(scene)[0]["day"] == 19_676


def test_an_order_ends_the_cart_it_came_of(scene: Scene) -> None:
    scene.database.write_now(lambda tx: insert_source(tx, SHOP))
    cart = ShopCart(
        token="t1",
        currency="CNY",
        total_minor=1000,
        lines=ORDER.lines,
        updated_at_ms=AT,
        customer="c1",
    )
    take(scene, replace(ORDER, external_id="0"))
    for answer in ("accepted", "unchanged"):
        assert scene.database.write_now(lambda tx: take_carts(tx, SHOP, [cart])) == [answer]
    older = replace(cart, updated_at_ms=AT - 1, total_minor=5)
    assert scene.database.write_now(lambda tx: take_carts(tx, SHOP, [older])) == ["unchanged"]
    take(scene, replace(ORDER, cart_token="t1"))
    (found,) = rows(scene, CART)
    assert found["customer_id"] == rows(scene, CUSTOMER)[0]["id"]
    assert (found["ordered_at_ms"], found["total_minor"]) == (AT, 1000)


def test_who_was_erased_does_not_come_back_with_old_orders(scene: Scene) -> None:
    scene.database.write_now(
        lambda tx: tombstones.bury(tx, [tombstones.shop_key("shop", "c1")], request_id="r1")
    )
    later = scene.time.at_ms + HOUR
    take(scene, ORDER)
    (order,) = rows(scene)
    assert (order["customer_id"], order["email"], order["email_key"]) == (None, None, None)
    assert (order["phone"], order["net_minor"]) == (None, 12_345)
    assert rows(scene, CUSTOMER) == []
    take(scene, replace(ORDER, external_id="2", created_at_ms=later))
    assert len(rows(scene, CUSTOMER)) == 1


def test_only_what_a_source_has_proved_joins_and_only_while_it_says_so(scene: Scene) -> None:
    def told(source: Source, **more: Any) -> list[str]:  # Any: fields
        row = ShopCustomer(external_id="c1", email="anna@example.com", **more)
        return list(scene.database.write_now(lambda tx: take_shop_customers(tx, source, [row])))

    def persons() -> int:
        return len({row["person_id"] or row["id"] for row in rows(scene, CUSTOMER)})

    scene.database.write_now(lambda tx: insert_source(tx, SHOP))
    scene.database.write_now(lambda tx: insert_source(tx, OTHER))
    assert told(SHOP, updated_at_ms=AT) == told(OTHER, updated_at_ms=AT) == ["accepted"]
    assert persons() == 2
    assert told(SHOP, updated_at_ms=AT + 1, email_verified=True) == ["accepted"]
    assert persons() == 2
    assert told(OTHER, updated_at_ms=AT + 1, email_verified=True) == ["accepted"]
    assert persons() == 1
    assert told(OTHER, updated_at_ms=AT + 1, email_verified=True) == ["unchanged"]
    assert told(OTHER) == ["unchanged"]  # an old list says nothing of proofs
    assert persons() == 1
    assert told(OTHER, updated_at_ms=AT + 2) == ["accepted"]
    assert persons() == 2
