"""A shop in which supervisors have something to decide about who is who."""

from __future__ import annotations

from dataclasses import dataclass

from server.actions import identity
from server.actions.take_orders import take_shop_customers
from server.domain.shop_data import ShopCustomer
from server.storage.contacts import MOST_PERSONS
from server.storage.persons import customers_of_source
from server.storage.shop_sources import Source, insert_source
from server.storage.unit import Tx

ANNA, FAMILY = "anna.keller@home.example", "+8613800138000"


@dataclass(frozen=True, slots=True)
class Known:
    """Ids of rows: two accounts in conflict, and two that were joined by what they proved."""

    conflict: tuple[str, str]
    joined: tuple[str, str]


SHOP = Source(name="shop", kind="generic", customer_ids="shop", created_at_ms=1)
TILL = Source(name="till", kind="generic", customer_ids="own", created_at_ms=1)


def add_sources(tx: Tx) -> None:
    """Two sources, which ``fill`` lets tell of customers."""
    for source in (SHOP, TILL):
        insert_source(tx, source)


def fill(tx: Tx) -> Known:
    """A conflict, a pair that is alike, a joined pair and a family's number."""
    people = [
        ShopCustomer(external_id="1", name="Anna Keller", email=ANNA, email_verified=True),
        ShopCustomer(external_id="2", name="A. Keller", email=ANNA, email_verified=True),
        ShopCustomer(external_id="3", name="林悦", email="lin@home.example", email_verified=True),
        ShopCustomer(external_id="4", name="Bo", email="bo@home.example"),
    ]
    family = [
        ShopCustomer(external_id=f"f{n}", phone=FAMILY, phone_verified=True)
        for n in range(MOST_PERSONS + 1)
    ]
    take_shop_customers(tx, SHOP, [*people, *family])
    take_shop_customers(
        tx,
        TILL,
        [
            ShopCustomer(external_id="9", email="lin@home.example", email_verified=True),
            ShopCustomer(external_id="10", name="Bo Li", email="bo@home.example"),
        ],
    )
    identity.look_over(tx, identity.find_to_look_over(tx.connection))
    ids = customers_of_source(tx.connection, SHOP, ["1", "2", "3"])
    others = customers_of_source(tx.connection, TILL, ["9"])
    return Known((ids["1"], ids["2"]), (ids["3"], others["9"]))
