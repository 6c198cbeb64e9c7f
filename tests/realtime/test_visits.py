"""Page events and erasure over real sockets."""

from __future__ import annotations

from server.actions.privacy import OfPerson, erase_customer
from server.domain.actors import SYSTEM
from tests.realtime.client import People
from tests.realtime.desk import Desk
from tests.support.waiting import wait_until_async

AGREED = {"purposes": {"analytics": True}, "text_version": "1", "language": "en"}


async def test_a_page_is_noted_after_a_yes_and_the_next_welcome_knows_it(people: People) -> None:
    shopper = await people.shopper()
    assert shopper.welcome["consents"] == {}
    assert shopper.welcome["shop"]["page_events"] is True
    page = {"url": "https://shop.example/p/1", "product": {"sku": "L", "title": "Lamp"}}
    assert (await shopper.do("page.view", **page))["recorded"] is False
    assert (await shopper.do("consent.set", **AGREED))["consents"] == {"analytics": "given"}
    assert (await shopper.do("page.view", **page))["recorded"] is True
    token = shopper.welcome["visitor_token"]
    again = await people.shopper(visitor_token=token)
    assert again.welcome["consents"] == {"analytics": "given"}


async def test_who_was_erased_is_somebody_new_at_once(people: People, desk: Desk) -> None:
    shopper = await people.shopper()
    await shopper.post("I am Anna")
    customer_id = shopper.welcome["customer_id"]
    desk.write(lambda tx: erase_customer(tx, SYSTEM, OfPerson(customer_id=customer_id)))
    await wait_until_async(lambda: not shopper.connected)
    again = await people.shopper(visitor_token=shopper.welcome["visitor_token"])
    assert again.welcome["customer_id"] != customer_id
    assert again.welcome["conversations"] == []
