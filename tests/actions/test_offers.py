"""Hints, prices that are asked for, and the account of what was offered."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from server.actions import offers as listening
from server.actions.conversations import Tag, tag
from server.actions.messages import PostMessage, post_message
from server.actions.take_orders import take_carts, take_orders, take_products
from server.domain.actors import Actor, customer
from server.domain.shop_data import Line, Order, ShopCart, ShopProduct
from server.jobs import offers as jobs
from server.storage import offers
from server.storage.consents import Consent, add_consent
from server.storage.event_log import settled_seq
from server.storage.offers import OFFER, load_mark, price_card
from server.storage.shop_sources import source_for_import
from server.storage.unit import Tx
from tests.actions.scene import Scene
from tests.actions.test_cards import card

DAY_S = 86_400
CATALOGUE = {
    "LMP-207": "Walnut desk lamp, three light colours",
    "STL-1": "Oak stool",
    "RUG-3": "Wool rug, sand",
    "MUG-9": "Ceramic mug",
    "LMP-300": "胡桃木护眼台灯 · 三档调光",
    "BLB-1": "Spare bulb E14",
}


class Shop:
    """A shop with a catalogue, orders and one known shopper."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.numbers = 0
        self.agent = scene.person("cy")
        self.write(
            lambda tx: take_products(
                tx,
                source_for_import(tx, None),
                [
                    ShopProduct(sku=sku, title=title, price_minor=42_800, currency="CNY", stock=5)
                    for sku, title in CATALOGUE.items()
                ],
            )
        )

    def write(self, job: object) -> object:
        return self.scene.database.write_now(job)  # type: ignore[arg-type]  # a job of any answer

    def order(self, *skus: str, of: str | None = None) -> None:
        """An order of today with one piece each."""
        self.take([self.made(*skus, of=of)])

    def made(self, *skus: str, of: str | None = None) -> Order:
        """An order that is not told yet."""
        self.numbers += 1
        return Order(
            external_id=f"o{self.numbers}",
            number=f"#{self.numbers}",
            created_at_ms=self.scene.time.at_ms,
            paid_at_ms=self.scene.time.at_ms,
            currency="CNY",
            total_minor=42_800 * len(skus),
            customer=of,
            lines=tuple(
                Line(title=CATALOGUE[sku], quantity=1, price_minor=42_800, sku=sku) for sku in skus
            ),
        )

    def take(self, orders: list[Order]) -> None:
        """Tells orders together."""
        self.write(lambda tx: take_orders(tx, source_for_import(tx, None), orders, imported=False))

    def customer(self, external_id: str) -> str:
        return str(
            self.scene.database.read_now(
                lambda c: c.exec_driver_sql(
                    f"SELECT id FROM customer WHERE external_id = '{external_id}'"
                ).scalar_one()
            )
        )

    def hints(self, customer_id: str) -> list[str]:
        return [hint["sku"] for hint in card(self.scene, self.agent, customer_id)["hints"]]

    def say(self, actor: Actor, body: str, **values: object) -> str:
        """A message; gives back its conversation."""
        self.numbers += 1
        post = PostMessage(client_id=f"m{self.numbers}", body=body, **values)  # type: ignore[arg-type]  # as given
        answer = self.scene.database.write_now(lambda tx: post_message(tx, actor, post))
        return str(answer["conversation_id"])

    def listen(self) -> None:
        asyncio.run(jobs.listen(self.scene.database))

    def pair(self) -> None:
        asyncio.run(jobs.work_out_pairs(self.scene.database))

    def tags(self, conversation_id: str) -> tuple[str, ...]:
        return self.scene.state(conversation_id).tags


@pytest.fixture
def shop(scene: Scene) -> Shop:
    """A shop in which lamps go with bulbs, and stools with nothing yet."""
    shop = Shop(scene)
    shop.listen()
    told = [shop.made("LMP-207", of="anna")]
    for number in range(8):
        told.append(shop.made("LMP-207", "BLB-1", of=f"c{number}"))
        told.append(shop.made("RUG-3", "STL-1" if number < 2 else "MUG-9", of=f"d{number}"))
    shop.take(told + [shop.made("MUG-9", of=f"e{number}") for number in range(12)])
    shop.pair()
    return shop


def test_what_others_bought_with_it_is_hinted_with_the_reason(shop: Shop) -> None:
    anna = shop.customer("anna")
    found = card(shop.scene, shop.agent, anna)["hints"]
    assert [hint["sku"] for hint in found] == ["BLB-1"]
    assert found[0]["price_minor"] == 42_800
    assert "8 of 9 orders" in found[0]["why"]["en"]
    assert "9 个含" in found[0]["why"]["zh"]
    assert shop.hints(shop.customer("c1")) == []


def test_what_lies_in_the_cart_is_hinted_from_as_well(shop: Shop) -> None:
    cart = ShopCart(
        token="t",
        currency="CNY",
        total_minor=1,
        lines=(Line(title="Bulb", quantity=1, price_minor=1, sku="BLB-1"),),
        updated_at_ms=shop.scene.time.at_ms,
        customer="e1",
    )
    shop.write(lambda tx: take_carts(tx, source_for_import(tx, None), [cart]))
    assert shop.hints(shop.customer("e1"))[0] == "LMP-207"


def test_nothing_is_hinted_while_a_complaint_is_open(shop: Shop) -> None:
    anna = shop.customer("anna")
    conversation_id = shop.say(customer(anna), "It came broken")
    agent = shop.scene.person("mei")
    mark = Tag(conversation_id=conversation_id, add=["Complaint"], remove=[])
    shop.write(lambda tx: tag(tx, agent, mark))
    assert shop.hints(anna) == []
    unmark = Tag(conversation_id=conversation_id, add=[], remove=["Complaint"])
    shop.write(lambda tx: tag(tx, agent, unmark))
    assert shop.hints(anna) == ["BLB-1"]


def test_nothing_is_hinted_to_who_refused_profiling(shop: Shop) -> None:
    anna = shop.customer("anna")
    refusal = Consent(
        customer_id=anna,
        purpose="profiling",
        state="refused",
        text_version="1",
        language="en",
        source="widget",
        at_ms=shop.scene.time.at_ms,
    )
    shop.write(lambda tx: add_consent(tx, refusal))
    assert shop.hints(anna) == []


def test_what_is_sold_out_or_gone_is_not_hinted(shop: Shop) -> None:
    gone = ShopProduct(sku="BLB-1", title="Spare bulb E14", stock=0)
    shop.write(lambda tx: take_products(tx, source_for_import(tx, None), [gone]))
    assert shop.hints(shop.customer("anna")) == []


def test_pairs_are_worked_out_once_and_again_when_it_is_time(shop: Shop) -> None:
    for _ in range(6):
        shop.order("RUG-3", "STL-1")
    shop.order("STL-1", of="grete")
    shop.pair()
    assert shop.hints(shop.customer("grete")) == []
    shop.scene.time.pass_s(DAY_S)
    shop.pair()
    assert shop.hints(shop.customer("grete")) == ["RUG-3"]


@pytest.mark.parametrize(
    ("asked", "sku", "tagged"),
    [
        ("Hi, how much is the oak stool?", "STL-1", "price question"),
        ("What do the mugs cost?", "MUG-9", "price question"),
        ("any discount on LMP-207?", "LMP-207", "price question"),
        ("胡桃木台灯多少钱", "LMP-300", "price question"),
        ("How much for 50 wool rugs?", "RUG-3", "bulk enquiry"),
    ],
)
def test_who_asks_for_a_price_gets_the_catalogue_beside_the_chat(
    shop: Shop, asked: str, sku: str, tagged: str
) -> None:
    conversation_id = shop.say(shop.scene.shopper(), asked)
    shop.listen()
    card = shop.scene.database.read_now(lambda c: price_card(c, conversation_id))
    assert card is not None
    assert card["items"][0]["sku"] == sku
    assert card["items"][0]["price_minor"] == 42_800
    assert not card["answered"]
    assert shop.tags(conversation_id) == (tagged,)


def test_this_means_the_card_that_was_shown_last(shop: Shop) -> None:
    shopper = shop.scene.shopper()
    conversation_id = shop.say(
        shopper, "Hello", blocks=[{"type": "product", "sku": "RUG-3", "title": "Rug"}]
    )
    shop.say(shopper, "how much is it?")
    shop.listen()
    card = shop.scene.database.read_now(lambda c: price_card(c, conversation_id))
    assert card is not None
    assert [item["sku"] for item in card["items"]] == ["RUG-3"]


def test_who_takes_the_mark_off_has_the_word_for_that_visit(shop: Shop) -> None:
    shopper, agent = shop.scene.shopper(), shop.scene.person("mei")
    conversation_id = shop.say(shopper, "How much is the oak stool?")
    shop.listen()
    off = Tag(conversation_id=conversation_id, add=[], remove=["price question"])
    shop.write(lambda tx: tag(tx, agent, off))
    shop.say(shopper, "And what does the rug cost?")
    shop.listen()
    assert shop.tags(conversation_id) == ()
    mark = shop.scene.database.read_now(lambda c: load_mark(c, conversation_id))
    assert mark is not None
    assert mark.items[0][0] == "RUG-3"


def test_talk_of_other_things_leaves_no_mark(shop: Shop) -> None:
    conversation_id = shop.say(shop.scene.shopper(), "How much longer until my parcel arrives?")
    shop.listen()
    assert shop.scene.database.read_now(lambda c: price_card(c, conversation_id)) is None
    assert shop.tags(conversation_id) == ()


def test_two_processes_hear_a_question_once(shop: Shop) -> None:
    conversation_id = shop.say(shop.scene.shopper(), "Is the oak stool in stock?")
    other = shop.scene.open()
    up_to = other.read_now(settled_seq)
    heard = other.read_now(lambda c: listening.listen(c, up_to=up_to))
    shop.listen()
    assert heard is not None
    assert not other.write_now(lambda tx: listening.note(tx, heard))
    assert shop.tags(conversation_id) == ("buying intent",)
    assert shop.scene.kinds(conversation_id).count("conversation.tagged") == 1


def test_what_became_of_an_offer_is_known(shop: Shop) -> None:
    anna, agent = shop.customer("anna"), shop.scene.person("mei")
    conversation_id = shop.say(customer(anna), "Thanks, it is lovely")
    for sku in ("BLB-1", "MUG-9"):
        shop.say(
            agent,
            "This goes with it",
            conversation_id=conversation_id,
            visibility="public",
            blocks=[{"type": "product", "sku": sku, "title": CATALOGUE[sku]}],
        )
    shop.listen()
    shop.scene.time.pass_s(600)
    shop.order("BLB-1", of="anna")
    asyncio.run(jobs.settle(shop.scene.database))
    rows = shop.scene.database.read_now(
        lambda c: c.execute(OFFER.select().order_by(OFFER.c.sku)).mappings().all()
    )
    assert [(row["sku"], row["kind"], row["because_sku"]) for row in rows] == [
        ("BLB-1", "hint", "LMP-207"),
        ("MUG-9", "card", None),
    ]
    assert rows[0]["ordered_at_ms"] == rows[0]["accepted_at_ms"] == shop.scene.time.at_ms
    assert rows[0]["settled_at_ms"] is not None
    assert rows[1]["accepted_at_ms"] is None
    shop.scene.time.pass_s(31 * DAY_S)
    asyncio.run(jobs.settle(shop.scene.database))
    assert shop.scene.database.read_now(lambda c: offers.unsettled(c, after="", limit=9)) == []


def test_an_offer_answers_a_price_question_when_one_was_asked(shop: Shop) -> None:
    shopper, agent = shop.scene.shopper(), shop.scene.person("mei")
    conversation_id = shop.say(shopper, "How much is the oak stool?")
    shop.listen()
    shop.say(
        agent,
        "428",
        conversation_id=conversation_id,
        visibility="public",
        blocks=[{"type": "product", "sku": "STL-1", "title": "Oak stool"}],
    )
    shop.listen()
    row = shop.scene.database.read_now(lambda c: c.execute(OFFER.select()).mappings().one())
    assert (row["kind"], row["sku"]) == ("price", "STL-1")
    card = shop.scene.database.read_now(lambda c: price_card(c, conversation_id))
    assert card is not None
    assert card["answered"]


def test_what_was_asked_stays_in_the_message_alone(shop: Shop) -> None:
    shop.say(shop.scene.shopper(), "How much is the stool for my aunt Berta?")
    shop.listen()

    def written(tx: Tx) -> str:
        found = tx.connection.exec_driver_sql("SELECT * FROM buying_mark").mappings().all()
        return orjson.dumps([dict(row) for row in found]).decode()

    assert "Berta" not in str(shop.write(written))
