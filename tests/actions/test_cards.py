"""What the card beside a chat tells of a person, and what it keeps to itself."""

from __future__ import annotations

from typing import Any  # Any: JSON values

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Connection, event

from server.actions import customers as customer_actions
from server.actions.consents import RecordConsent, record_consent
from server.actions.desk import Look, ReadCard, read_card
from server.domain.actors import Actor
from server.domain.errors import NotFound
from server.domain.shop_data import Line, Order
from server.storage import cards, history
from server.storage.card_shapes import Card
from server.storage.customers import CUSTOMER, customer_by_external_id, load_customer
from server.storage.views import one_summary
from tests.actions import tickets
from tests.actions.scene import Scene
from tests.actions.test_take_orders import take

Json = dict[str, Any]  # Any: JSON values
DAY = 86_400_000


def order(scene: Scene, number: int, *, days_ago: int, **values: Any) -> Order:  # Any: fields
    """A paid order of the customer c1."""
    at_ms = scene.time.at_ms - days_ago * DAY
    given: dict[str, Any] = {  # Any: fields of an order
        "external_id": str(number),
        "number": f"#{number}",
        "created_at_ms": at_ms,
        "paid_at_ms": at_ms,
        "currency": "CNY",
        "total_minor": 20_000,
        "customer": "c1",
        "lines": (Line(title="Cup", quantity=2, price_minor=10_000, sku="CUP", category="Cups"),),
    }
    return Order(**given | values)


def card(scene: Scene, by: Actor, customer_id: str) -> Json:
    """The card of a customer as somebody is shown it, held against its description."""
    shown = scene.database.read_now(
        lambda c: read_card(Look(c, by, scene.time.at_ms), ReadCard(customer_id=customer_id))
    )["customer"]
    TypeAdapter(Card).validate_python(shown, extra="forbid")
    return dict(shown)


def customer_id(scene: Scene) -> str:
    """The customer whom the shop calls c1."""
    found = scene.database.read_now(lambda c: customer_by_external_id(c, "c1"))
    assert found is not None
    return found.id


def test_what_is_late_stands_first_and_what_is_under_way_before_the_rest(scene: Scene) -> None:
    mei = scene.person("mei")
    now = scene.time.at_ms
    came = {"shipped_at_ms": now - 2 * DAY, "delivered_at_ms": now - DAY}
    take(
        scene,
        order(scene, 1, days_ago=9, promised_at_ms=now - 3 * DAY, shipped_at_ms=now - 8 * DAY),
        order(scene, 2, days_ago=3, **came),
        order(scene, 3, days_ago=5, promised_at_ms=now + DAY),
        order(scene, 4, days_ago=200),
        order(scene, 5, days_ago=1, refunded_minor=20_000),
        order(scene, 6, days_ago=2, test=True),
    )
    orders = card(scene, mei, customer_id(scene))["orders"]
    assert [(o["number"], o["state"], o["late"]) for o in orders["items"]] == [
        ("#1", "shipped", True),
        ("#3", "paid", False),
        ("#5", "refunded", False),
        ("#2", "delivered", False),
        ("#4", "paid", False),
    ]
    assert orders["count"] == 5
    assert orders["items"][0]["lines"] == [
        {"title": "Cup", "sku": "CUP", "quantity": 2, "price_minor": 10_000}
    ]


def test_a_promise_is_broken_only_once_its_day_is_over(scene: Scene) -> None:
    mei = scene.person("mei")
    take(scene, order(scene, 1, days_ago=2, promised_at_ms=scene.time.at_ms - 1))
    who = customer_id(scene)
    assert not card(scene, mei, who)["orders"]["items"][0]["late"]
    scene.time.pass_s(DAY / 1000)
    assert card(scene, mei, who)["orders"]["items"][0]["late"]


def test_the_five_blocks_say_who_bought_what_and_what_to_do(scene: Scene) -> None:
    mei = scene.person("mei")
    take(scene, *(order(scene, n, days_ago=10 * n, coupon="X" if n == 1 else None) for n in (1, 2)))
    shown = card(scene, mei, customer_id(scene))
    profile = shown["profile"]
    assert (profile["orders"], profile["net_minor"], profile["recency_days"]) == (2, 40_000, 10)
    assert (profile["average_minor"], profile["coupon_orders"]) == (20_000, 1)
    assert profile["provisional"] is True
    assert shown["preferences"]["categories"] == ("Cups",)
    assert "2 orders" in shown["line"]["en"]
    assert "2 单" in shown["line"]["zh"]
    assert set(shown["playbook"]) == {"queue", "tone", "offer", "follow_up"}
    assert shown["rift"] is None


def test_who_refuses_to_be_profiled_is_shown_with_orders_and_nothing_worked_out(
    scene: Scene,
) -> None:
    mei = scene.person("mei", role="supervisor")
    take(scene, order(scene, 1, days_ago=3))
    who = customer_id(scene)
    scene.database.write_now(
        lambda tx: record_consent(
            tx, mei, RecordConsent(customer_id=who, purpose="profiling", given=False)
        )
    )
    shown = card(scene, mei, who)
    assert shown["profiling_refused"] is True
    assert [shown[k] for k in ("profile", "line", "playbook", "rift", "preferences")] == [None] * 5
    assert shown["hints"] == []
    assert shown["orders"]["count"] == 1
    assert shown["consents"]["profiling"]["state"] == "refused"


def test_agents_see_contacts_masked_and_supervisors_those_that_the_shop_told(scene: Scene) -> None:
    mei, ana = scene.person("mei"), scene.person("ana", role="supervisor")
    take(scene, order(scene, 1, days_ago=3, email="anna@example.com"))
    who = customer_id(scene)
    (line,) = card(scene, mei, who)["contacts"]
    assert (line["shown"], line["masked"]) == ("a***@…", True)
    assert "anna@example.com" not in str(card(scene, mei, who))
    (line,) = card(scene, ana, who)["contacts"]
    assert (line["shown"], line["masked"]) == ("anna@example.com", False)


def test_what_guests_ordered_with_a_typed_address_is_not_shown(scene: Scene) -> None:
    mei = scene.person("mei")
    take(
        scene,
        order(scene, 1, days_ago=3),
        order(scene, 2, days_ago=2, customer=None, email="anna@example.com"),
    )
    who = customer_id(scene)
    lin = scene.shopper()
    assert card(scene, mei, who)["orders"]["count"] == 1
    assert card(scene, mei, lin.id or "")["orders"] == {"count": 0, "items": []}


def test_note_and_tags_are_on_the_card_with_the_version_to_save_after(scene: Scene) -> None:
    mei = scene.person("mei")
    take(scene, order(scene, 1, days_ago=3))
    who = customer_id(scene)
    write = customer_actions.WriteNote(customer_id=who, body="Rings twice", version=0)
    scene.database.write_now(lambda tx: customer_actions.write_note(tx, mei, write))
    put = customer_actions.TagCustomer(customer_id=who, add=["vip"])
    scene.database.write_now(lambda tx: customer_actions.tag(tx, mei, put))
    shown = card(scene, mei, who)
    assert (shown["note"]["body"], shown["note"]["by"]) == ("Rings twice", "Mei")
    assert shown["note"]["version"] > 0
    assert shown["tags"] == ["vip"]


def test_a_conversation_shows_the_segment_of_its_customer_until_that_is_refused(
    scene: Scene,
) -> None:
    mei = scene.person("mei")
    lin = scene.shopper()
    talk = scene.post(lin, "Hello")
    scene.database.write_now(
        lambda tx: tx.execute(
            CUSTOMER.update().where(CUSTOMER.c.id == lin.id).values(external_id="c1")
        )
    )
    take(scene, order(scene, 1, days_ago=3))

    def head() -> Json:
        found = scene.database.read_now(lambda c: one_summary(c, talk["conversation_id"]))
        return dict(found["customer"])

    assert (head()["segment"], head()["top20"]) == ("new", True)
    scene.database.write_now(
        lambda tx: record_consent(
            tx, mei, RecordConsent(customer_id=lin.id or "", purpose="profiling", given=False)
        )
    )
    assert (head()["segment"], head()["top20"]) == (None, False)


def test_a_card_of_nobody_is_not_found(scene: Scene) -> None:
    mei = scene.person("mei")
    with pytest.raises(NotFound):
        card(scene, mei, "cus_nobody")


def test_the_card_shows_open_tickets_that_its_reader_may_see_and_counts_the_rest(
    scene: Scene,
) -> None:
    scene.person("mei", teams=("orders",))
    scene.person("tom", teams=("returns",))
    ana = scene.person("ana", role="supervisor")
    first = tickets.submit(scene, scene.shopper(locale="en"))
    who = first.customer_id
    second = tickets.by_number(
        scene, tickets.create(scene, ana, customer_id=who, type="repair")["number"]
    )
    tickets.change(scene, ana, second, team_id="orders")
    shown = card(scene, scene.actor("mei"), who)["tickets"]
    assert {one["number"] for one in shown["open"]} == {first.number, second.number}
    assert {one["type"]["zh"] for one in shown["open"]} >= {"维修"}
    assert (shown["open_count"], shown["closed_count"], shown["complete"]) == (2, 0, True)
    others = card(scene, scene.actor("tom"), who)["tickets"]
    assert [one["number"] for one in others["open"]] == [first.number]
    tickets.change(scene, ana, first, state="resolved", reason="not_needed")
    shown = card(scene, ana, who)["tickets"]
    assert (shown["open_count"], shown["closed_count"]) == (1, 1)
    for actor, kinds in (
        (ana, ["ticket.resolved", "ticket.made", "ticket.made"]),
        (scene.actor("tom"), ["ticket.resolved", "ticket.made"]),
    ):
        told = scene.database.read_now(
            lambda c, a=actor: history.page(  # type: ignore[misc]
                c, a, [who], lanes=["tickets"], before=None, limit=9
            )
        )
        assert sorted(e.kind for e in told.entries) == sorted(kinds)
        counted = scene.database.read_now(
            lambda c, a=actor: history.counts(c, a, [who])  # type: ignore[misc]
        )
        assert (counted["tickets"], counted["conversations"]) == (len(kinds), 0)


def test_a_card_is_asked_for_in_few_trips(scene: Scene) -> None:
    """With PostgreSQL a statement costs a trip; SQLite answers within the process."""
    mei = scene.person("mei")
    take(scene, order(scene, 1, days_ago=3), order(scene, 2, days_ago=30))
    who = customer_id(scene)
    told: list[str] = []

    def look(connection: Connection) -> Json:
        def note(*asked: Any) -> None:  # Any: SQLAlchemy's
            told.append(asked[2])

        found = load_customer(connection, who)
        assert found is not None
        event.listen(connection.engine, "before_cursor_execute", note)
        try:
            return cards.card(connection, found, mei, scene.time.at_ms)
        finally:
            event.remove(connection.engine, "before_cursor_execute", note)

    assert scene.database.read_now(look) == card(scene, mei, who)
    # The two of every card, and what goes with what was bought.
    assert len(told) <= (20 if scene.database.is_sqlite else 5), told
