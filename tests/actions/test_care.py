"""Product quality, repairs of rifts and follow-up calls, each told or made once."""

from __future__ import annotations

import asyncio
from typing import Any  # Any: column values

import pytest
from sqlalchemy import insert

from server.actions import follow_up_calls as calls
from server.actions import product_quality, ratings
from server.domain.actors import SYSTEM, Actor, customer
from server.domain.events import DefectSpiked, OrderRefunded
from server.domain.spans import DAY_MS
from server.domain.ticket import Ticket
from server.jobs import care as job
from server.reports import products
from server.storage import care, mails, notes, requests
from server.storage import tickets as stored
from server.storage.orders import ORDER_LINE, SHOP_ORDER
from server.storage.people import update_person
from server.storage.ticket_rows import load_ticket
from server.storage.unit import Tx
from tests.actions.scene import Scene
from tests.actions.tickets import by_number, change, create, differences


@pytest.fixture
def lead(scene: Scene) -> Actor:
    return scene.person("lead", role="supervisor", status="offline")


def order(scene: Scene, key: str, sku: str, *, at_ms: int, **more: Any) -> None:  # Any: columns
    values: dict[str, Any] = {  # Any: column values
        "id": key,
        "source": "shop",
        "external_id": key,
        "number": key,
        "created_at_ms": at_ms,
        "day": at_ms // DAY_MS,
        "paid_at_ms": at_ms,
        "currency": "CNY",
        "total_minor": 100,
        "net_minor": 100,
        "refunded_minor": 0,
        "counted": True,
        "status": "paid",
        "test": False,
        "written_at_ms": at_ms,
    }
    line = {"order_id": key, "line_no": 1, "sku": sku, "title": "Lamp", "quantity": 1}
    line |= {"refunded_quantity": 0, "price_minor": 100}

    def write(tx: Tx) -> None:
        tx.later(insert(SHOP_ORDER), values | more)
        tx.later(insert(ORDER_LINE), line)

    scene.database.write_now(write)


def defect(scene: Scene, lead: Actor, shopper: Actor, batch: str = "B1") -> Ticket:
    fields = {"sku": "LAMP", "batch": batch, "defect": "broken"}
    made = create(scene, lead, type="defect", customer_id=shopper.id, fields=fields)
    return by_number(scene, made["number"])


def test_a_spike_is_told_once_and_the_rate_has_the_orders_of_the_product(
    scene: Scene, lead: Actor
) -> None:
    for n in range(60):
        order(scene, f"o{n}", "LAMP", at_ms=scene.time.at_ms - (n % 50) * DAY_MS)
    order(scene, "test", "LAMP", at_ms=scene.time.at_ms - DAY_MS, test=True)
    order(scene, "gone", "LAMP", at_ms=scene.time.at_ms - DAY_MS, cancelled_at_ms=1)
    shopper = scene.shopper()
    for _ in range(5):
        defect(scene, lead, shopper)
    scene.time.pass_s(60)
    from_ms, to_ms = products.period(scene.time.at_ms, "UTC", 13)
    found = scene.database.read_now(
        lambda c: products.load_products(c, from_ms=from_ms, to_ms=to_ms, weeks=13)
    )
    (lamp,) = found.products
    assert (lamp.defects, lamp.orders, lamp.weeks[-1]) == (5, 60, 5)
    assert lamp.interval is not None
    assert lamp.interval[0] < 5 / 60 < lamp.interval[1]
    assert found.batches["LAMP"][0].batch == "B1"
    # Who looks after the products is told by mail, in their language, unless they said no to it.
    for name, values in (("wang", {"locale": "zh"}), ("quiet", {"alarm_mail": False})):
        scene.person(name, role="admin")
        scene.database.write_now(lambda tx, n=name, v=values: update_person(tx, n, **v))  # type: ignore[misc]  # bound defaults
    scene.database.write_now(lambda tx: mails.note_sender(tx, "help@mori.example"))
    asyncio.run(job.watch_defects(scene.database))
    assert [event.data.sku for event in scene.log() if isinstance(event.data, DefectSpiked)]
    for _ in range(2):
        scene.time.pass_s(86_400)
        asyncio.run(job.watch_defects(scene.database))
    told = [event.data for event in scene.log() if isinstance(event.data, DefectSpiked)]
    assert [(one.sku, one.batch, one.defects) for one in told] == [("LAMP", "B1", 5)]
    sent = scene.database.read_now(lambda c: mails.went(c, state=None, before=None, limit=9))
    assert {one.kind for one in sent} == {"alarm"}
    words = {one.recipient.partition("@")[0]: one.words for one in sent}
    assert set(words) == {"wang", "lead"}
    assert "质量问题" in words["wang"]
    assert "of batch B1" in words["lead"]


def test_those_affected_are_told_once_in_each_ticket_and_nobody_who_is_blocked(
    scene: Scene, lead: Actor
) -> None:
    anna, bob = scene.shopper(locale="zh"), scene.shopper()
    mine, theirs = defect(scene, lead, anna), defect(scene, lead, bob)
    change(scene, lead, mine, state="resolved", reason="other")
    change(scene, lead, mine, state="closed")
    scene.database.write_now(lambda tx: notes.block(tx, [bob.id or ""], reason=None, by_id=None))
    tickets = [(one.id, one.number, one.customer_id) for one in (mine, theirs)]

    def held() -> list[str | None]:
        found = scene.database.read_now(
            lambda c: product_quality.affected(c, tickets, at_ms=scene.time.at_ms)
        )
        return [one.held for one in found]

    assert held() == [None, "blocked"]

    def tell(tx: Tx) -> int:
        words = product_quality.read_words("It is fixed", "已经修好")
        notice = product_quality.begin_announcement(
            tx, actor=lead, sku="LAMP", batch=None, words=words, counts={"told": 1, "held": 1}
        )
        return product_quality.tell_fixed(
            tx, actor=lead, notice_id=notice, words=words, ticket_ids=[mine.id, theirs.id]
        )

    assert scene.database.write_now(tell) == 1
    assert scene.database.write_now(tell) == 0
    assert held() == ["told", "blocked"]
    assert scene.kinds(mine.id).count("message.posted") == 1
    assert differences(scene) == []


def look(scene: Scene) -> None:
    asyncio.run(job.follow(scene.database))


def repairs_made(scene: Scene) -> list[tuple[str, str | None]]:
    found = scene.database.read_now(lambda c: care.latest_repairs(c, limit=10))
    return [(one.kind, one.held or number) for one, number in reversed(found)]


def rated(scene: Scene, shopper: Actor, score: int) -> str:
    chat = scene.chat(shopper)
    scene.post(scene.actor(scene.owner(chat) or ""), "Here you are", chat)
    scene.do(ratings.give_rating, shopper, ratings.GiveRating(conversation_id=chat, score=score))
    return chat


def test_a_bad_rating_becomes_a_seniors_task_once_and_a_second_complaint_joins_it(
    scene: Scene, lead: Actor
) -> None:
    scene.person("lin")
    look(scene)
    shopper = scene.shopper()
    rated(scene, shopper, 4)
    look(scene)
    assert repairs_made(scene) == []
    chat = rated(scene, scene.shopper(), 2)
    look(scene)
    look(scene)
    ((kind, number),) = repairs_made(scene)
    ticket = by_number(scene, number or "")
    assert (kind, ticket.type, ticket.assignee_id) == ("rating", "follow_up", lead.id)
    tasks = scene.database.read_now(lambda c: stored.tasks_of(c, ticket.id))
    assert [one.due_at_ms for one in tasks] == [ticket.created_at_ms + DAY_MS]
    # The shopper is shown nothing of it.
    whose = customer(ticket.customer_id)
    assert not scene.database.read_now(lambda c: stored.sees(c, whose, ticket))
    assert scene.database.read_now(lambda c: requests.of_customers(c, [whose.id or ""])) == {}
    links = scene.database.read_now(lambda c: stored.links_of(c, ticket.id))
    assert [(one.kind, one.target) for one in links] == [("conversation", chat)]
    for _ in range(3):
        create(scene, lead, type="complaint", customer_id=ticket.customer_id)
        scene.time.pass_s(1)
    look(scene)
    # The second and the third complaint stand on the task that is open already.
    assert repairs_made(scene) == [("rating", number), *[("complaint", number)] * 2]
    assert differences(scene) == []


def test_a_blocked_customer_and_a_small_refund_make_no_task(scene: Scene, lead: Actor) -> None:
    scene.person("lin")
    look(scene)
    shopper = scene.shopper()
    at_ms = scene.time.at_ms
    order(scene, "small", "LAMP", at_ms=at_ms, customer_id=shopper.id, refunded_minor=100)
    order(scene, "large", "LAMP", at_ms=at_ms, customer_id=shopper.id, refunded_minor=90_000)

    def refund(tx: Tx) -> None:
        for key in ("small", "large", "large"):
            tx.record(SYSTEM, OrderRefunded(order_id=key), customer_id=shopper.id)

    scene.database.write_now(refund)
    look(scene)
    ((kind, number),) = repairs_made(scene)
    assert kind == "refund"
    assert by_number(scene, number or "").assignee_id == lead.id
    bad = scene.shopper()
    rated(scene, bad, 1)
    scene.database.write_now(lambda tx: notes.block(tx, [bad.id or ""], reason=None, by_id=None))
    look(scene)
    assert repairs_made(scene)[-1] == ("rating", "blocked")


def test_a_delivered_order_is_called_about_once_and_the_outcome_is_counted(
    scene: Scene, lead: Actor
) -> None:
    texts = {"plan_days": "3", "share": "100", "question_en": "Does it shine?"}
    scene.database.write_now(
        lambda tx: calls.save_plan(tx, actor=lead, plan_id=None, texts=texts, enabled=True)
    )
    shopper, quiet, gone = scene.shopper(), scene.shopper(), scene.shopper()
    at_ms = scene.time.at_ms
    for key, who, ago in (("o1", shopper, 0), ("o2", quiet, 0), ("old", shopper, 9)):
        day = at_ms - ago * DAY_MS
        order(scene, key, "LAMP", at_ms=day, customer_id=who.id, delivered_at_ms=day)
    order(scene, "o3", "LAMP", at_ms=at_ms, customer_id=gone.id, delivered_at_ms=at_ms)
    never = notes.Preference("none", None, None, None)
    scene.database.write_now(lambda tx: notes.save_preference(tx, gone.id or "", never, by_id=None))
    later = notes.Preference(None, 0, 23 * 60 + 59, "UTC")
    scene.database.write_now(
        lambda tx: notes.save_preference(tx, quiet.id or "", later, by_id=None)
    )
    scene.time.pass_s(3 * 86_400 + 60)
    asyncio.run(job.make_calls(scene.database))
    asyncio.run(job.make_calls(scene.database))

    def call(key: str) -> care.Call | None:
        return scene.database.read_now(lambda c: care.call_of_order(c, key))

    assert call("old") is None
    first, second, third = call("o1"), call("o2"), call("o3")
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.held, third.held, third.ticket_id) == (None, "no_contact", None)
    assert first.due_at_ms == scene.time.at_ms + DAY_MS
    assert (second.due_at_ms or 0) // 60_000 % 1440 == 23 * 60 + 59
    wake = scene.time.at_ms + 3_600_000
    outcome = calls.CallOutcome(
        ticket_id=first.ticket_id or "", outcome="not_reached", until_ms=wake
    )
    scene.do(calls.record, lead, outcome)
    ticket = scene.database.read_now(lambda c: load_ticket(c, first.ticket_id or ""))
    assert ticket is not None
    assert (ticket.state, ticket.wake_at_ms) == ("on_hold", wake)
    found = scene.do(
        calls.record,
        lead,
        calls.CallOutcome(ticket_id=ticket.id, outcome="problem", remarks="It flickers"),
    )
    problem = scene.database.read_now(lambda c: load_ticket(c, found["problem_id"]))
    assert problem is not None
    assert (problem.type, problem.customer_id) == ("complaint", shopper.id)
    figures = scene.database.read_now(
        lambda c: care.outcomes(c, since_ms=0, at_ms=scene.time.at_ms)
    )
    assert list(figures.values()) == [{"made": 2, "held": 1, "problem": 1, "in_time": 1, "open": 1}]
    assert differences(scene) == []


def test_two_processes_make_a_call_once(scene: Scene, lead: Actor) -> None:
    texts = {"plan_days": "3", "share": "100", "question_en": "Does it shine?"}
    scene.database.write_now(
        lambda tx: calls.save_plan(tx, actor=lead, plan_id=None, texts=texts, enabled=True)
    )
    for number in range(45):
        day = scene.time.at_ms
        order(scene, f"o{number}", "LAMP", at_ms=day, delivered_at_ms=day,
              customer_id=scene.shopper().id)  # fmt: skip
    scene.time.pass_s(3 * 86_400 + 60)
    other = scene.open()

    async def both() -> None:
        await asyncio.gather(job.make_calls(scene.database), job.make_calls(other))

    asyncio.run(both())
    with scene.database.engine.connect() as connection:
        made = connection.exec_driver_sql(
            "SELECT count(*), count(DISTINCT ticket_id) FROM care_call"
        ).one()
        planned = connection.exec_driver_sql(
            "SELECT count(*) FROM ticket WHERE type = 'follow_up'"
        ).scalar_one()
    assert (tuple(made), planned) == ((45, 45), 45)
