"""The demo shop's tickets: as they would be if somebody had left them at a running server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from server.actions import people
from server.actions.shop import init_shop
from server.demo.people import demo_customers
from server.demo.requests import WISHES, write_wishes
from server.domain.actors import SYSTEM
from server.storage import customers
from server.storage.ticket_lists import Wanted, page

if TYPE_CHECKING:
    from server.storage.database import Database
    from server.storage.unit import Tx

EMAIL = "chen.hao@mori-oak.example"


def _shop(tx: Tx) -> None:
    init_shop(tx, SYSTEM, name="Mori", locale="en", timezone="Asia/Shanghai", currency="CNY")
    people.add_person(
        tx, SYSTEM, email=EMAIL, name="Chen Hao", role="agent", password_hash="-", capacity=4
    )


def _shopper(tx: Tx, external_id: str, locale: str) -> None:
    shopper = customers.Customer(
        id=tx.new_id(),
        external_id=external_id,
        name="Lin Yue",
        email=None,
        phone=None,
        locale=locale,
        identity="claimed",
        created_at_ms=tx.at_ms,
        seen_at_ms=tx.at_ms,
    )
    customers.add_customer(tx, shopper)


def test_what_waits_for_the_demo_desk_says_by_when(
    open_database: Callable[..., Database],
) -> None:
    database = open_database()
    database.write_now(_shop)
    for wish in WISHES:
        named = [one for one in demo_customers() if one.name and one.locale == wish.locale]
        known = named[wish.shopper].customer_id
        database.write_now(partial(_shopper, external_id=known, locale=wish.locale))
    write_wishes(database, answered_by=EMAIL)
    found = database.read_now(
        lambda c: page(c, SYSTEM, Wanted(lane="us"), order="due", after=None, limit=20)
    )
    waiting = [one.ticket for one in found if one.ticket.state == "new"]
    due = [ticket.next_due_at_ms for ticket in waiting]
    assert len(due) == 3
    assert None not in due
    # What is urgent is promised sooner, and stands above what was left before it.
    assert waiting[0].priority == "urgent"
