"""Tickets joined, split, put aside, shared out and closed by themselves."""

from __future__ import annotations

from typing import Any  # Any: JSON values

import pytest
from sqlalchemy import select, text

from server.actions import ticket_jobs, ticket_merge, ticket_parts, tickets
from server.actions.desk import Look
from server.actions.payload import parse
from server.actions.take_orders import take_orders
from server.domain.errors import Conflict, NotFound
from server.domain.shop_data import Line, Order
from server.domain.ticket_closing import Closing
from server.storage import tickets as stored
from server.storage.repair import rebuild
from server.storage.rows import CONVERSATION, TURN
from server.storage.shop import load_shop, update_shop
from server.storage.shop_sources import source_for_import
from server.storage.ticket_rows import TICKET, TICKET_TEXT
from tests.actions.scene import Scene
from tests.actions.tickets import (
    by_number,
    change,
    create,
    differences,
    listed,
    now,
    opened,
    reply,
    submit,
)

DAY_S = 24 * 3600


@pytest.fixture
def desk(scene: Scene) -> Scene:
    """A desk with two teams, an agent in each, and a supervisor."""
    scene.person("mei", teams=("orders",))
    scene.person("tom", teams=("returns",))
    scene.person("ana", role="supervisor")
    return scene


def merge(scene: Scene, who: str, ticket: Any, into: Any) -> None:
    payload = ticket_merge.MergeTicket(ticket_id=ticket.id, into=into.number)
    scene.do(ticket_merge.merge, scene.actor(who), payload)


def rows(scene: Scene) -> dict[str, Any]:
    """Every row of tickets and threads but how far the log is, which only grows."""
    heads = ("last_seq", "seq", "staff_seq", "visitor_seq", "updated_at_ms", "state")

    def look(connection: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for target in (TICKET, TICKET_TEXT, CONVERSATION, TURN):
            for row in connection.execute(select(target)).mappings():
                key = f"{target.name} {row[target.primary_key.columns[0].name]}"
                kept = {k: v for k, v in row.items() if k not in heads or target is TICKET}
                if target is TICKET:
                    kept = {k: v for k, v in row.items() if k not in heads[:-1]}
                found[key] = kept
        return found

    return scene.database.read_now(look)


def test_merge_then_undo_restores_every_row(desk: Scene) -> None:
    shopper = desk.shopper()
    first, second = submit(desk, shopper), submit(desk, shopper, "And the shade is missing")
    reply(desk, desk.actor("mei"), first, state="pending_customer")
    before = rows(desk)
    desk.time.pass_s(100)
    merge(desk, "mei", first, second)
    merged = now(desk, first)
    assert (merged.state, merged.merged_into, merged.lane) == ("merged", second.id, "done")
    assert opened(desk, desk.actor("mei"), second.id)["merged"][0]["number"] == first.number
    payload = ticket_merge.UnmergeTicket(ticket_id=first.id)
    desk.do(ticket_merge.unmerge, desk.actor("mei"), payload)
    assert rows(desk) == before
    assert differences(desk) == []


def test_what_a_shopper_writes_to_a_merged_ticket_goes_to_the_other(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    first, second = submit(desk, shopper), submit(desk, shopper, "The shade")
    reply(desk, mei, second, state="resolved")
    merge(desk, "mei", first, second)
    # The first question is not answered yet.
    assert (now(desk, second).state, now(desk, second).owed) == ("open", (first.id,))
    assert not now(desk, second).may_rest
    answer = desk.post(shopper, "Hello?", first.id)
    assert answer["conversation_id"] == second.id
    reply(desk, mei, second, "Both are on their way", state="resolved")
    assert now(desk, second).may_rest
    assert [turn.outcome for turn in desk.turns(first.id)] == ["dismissed"]
    assert differences(desk) == []


def test_two_people_s_tickets_are_not_joined_nor_one_with_itself(desk: Scene) -> None:
    first, second = submit(desk, desk.shopper()), submit(desk, desk.shopper())
    for other in (second, first):
        with pytest.raises(Exception, match=r"two people|itself"):
            merge(desk, "mei", first, other)


def test_a_message_and_what_follows_become_a_ticket(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    first = submit(desk, shopper)
    reply(desk, mei, first)
    posted = desk.post(shopper, "Another thing: my invoice", first.id)
    payload = ticket_merge.SplitTicket(
        ticket_id=first.id, message_id=posted["message_id"], subject="Invoice"
    )
    answer = desk.do(ticket_merge.split, mei, payload)
    second = by_number(desk, answer["number"])
    assert (second.parent_id, second.owed, second.may_rest) == (first.id, (first.id,), False)
    assert second.number in {one["number"] for one in listed(desk, mei, query="invoice")}
    with pytest.raises(Conflict):
        desk.do(ticket_merge.split, mei, payload)
    reply(desk, mei, second, "Here is your invoice", state="resolved")
    assert desk.state(first.id).turn is None
    assert differences(desk) == []


def test_another_desk_sees_a_ticket_while_it_has_a_piece_of_it(desk: Scene) -> None:
    mei, tom = desk.actor("mei"), desk.actor("tom")
    ticket = change(desk, mei, submit(desk, desk.shopper()), team_id="orders")
    assert listed(desk, tom) == []
    task = ticket_parts.AddTask(ticket_id=ticket.id, title="Check the parcel", team_id="returns")
    task_id = desk.do(ticket_parts.add_task, mei, task)["task_id"]
    assert [one["id"] for one in listed(desk, tom)] == [ticket.id]
    reply(desk, tom, ticket, "It is here", visibility="private")
    done = ticket_parts.ChangeTask(
        ticket_id=ticket.id, task_id=task_id, state="done", result="Arrived"
    )
    desk.time.pass_s(60)
    desk.do(ticket_parts.change_task, tom, done)
    (shown,) = opened(desk, mei, ticket.id)["tasks"]
    assert (shown["state"], shown["result"]) == ("done", "Arrived")
    assert shown["ended_at_ms"] - shown["created_at_ms"] == 60_000
    assert listed(desk, tom) == []


def test_a_ticket_points_only_to_what_is_the_customer_s_and_seen(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    ticket, other = submit(desk, shopper), submit(desk, desk.shopper())
    strange = desk.chat()
    change(desk, desk.actor("ana"), other, team_id="returns")
    order = Order(
        external_id="O-9",
        number="O-9",
        created_at_ms=desk.time.at_ms,
        paid_at_ms=desk.time.at_ms,
        currency="CNY",
        total_minor=100,
        customer="C-9",
        lines=(Line(title="Lamp", quantity=1, price_minor=100, sku="L"),),
    )
    desk.database.write_now(
        lambda tx: take_orders(tx, source_for_import(tx, None), [order], imported=True)
    )
    order_id = desk.database.read_now(
        lambda c: c.execute(text("SELECT id FROM shop_order")).scalar_one()
    )
    for kind, target in (
        ("conversation", strange),
        ("order", order_id),
        ("line", f"{order_id}:1"),
        ("product", "NONE"),
        ("ticket", other.number),
    ):
        values = {"ticket_id": ticket.id, "kind": kind, "target": target}
        payload = parse(ticket_parts.LinkTicket, values)
        with pytest.raises(NotFound):
            desk.do(ticket_parts.link, mei, payload)
    chat = desk.post(shopper, "Hello")["conversation_id"]
    payload = ticket_parts.LinkTicket(ticket_id=ticket.id, kind="conversation", target=chat)
    desk.do(ticket_parts.link, mei, payload)
    desk.do(ticket_parts.link, mei, payload)
    assert [one["target"] for one in opened(desk, mei, ticket.id)["links"]] == [chat]


def test_a_ticket_put_aside_comes_back_at_its_time(desk: Scene) -> None:
    mei = desk.actor("mei")
    ticket = submit(desk, desk.shopper())
    until = desk.time.at_ms + 60_000
    ticket = change(desk, mei, ticket, state="on_hold", until_ms=until)
    assert (ticket.state, ticket.wake_at_ms, ticket.lane) == ("on_hold", until, "us")
    assert desk.database.write_now(ticket_jobs.wake_due) == 0
    desk.time.pass_s(61)
    assert desk.database.write_now(ticket_jobs.wake_due) == 1
    assert (now(desk, ticket).state, now(desk, ticket).wake_at_ms) == ("open", None)


def test_the_chain_reminds_resolves_and_closes_and_can_be_held(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    ticket, held = submit(desk, shopper), submit(desk, desk.shopper())
    for one in (ticket, held):
        reply(desk, mei, one, "Which colour?", state="pending_customer")
    desk.do(ticket_jobs.hold, mei, ticket_jobs.HoldClosing(ticket_id=held.id))

    def run() -> int:
        return desk.database.write_now(ticket_jobs.close_due)[0]

    desk.time.pass_s(3 * DAY_S)
    assert run() == 0
    looked = desk.database.read_now(
        lambda c: ticket_jobs.preview(Look(c, mei, desk.time.at_ms), Closing(on=True))
    )
    assert looked == {"remind": 1, "resolve": 0, "close": 0, "more": False}

    def switch_on(tx: Any) -> None:
        shop = load_shop(tx.connection)
        assert shop is not None
        shop.settings["tickets"] = {"closing": {"on": True}}
        update_shop(tx, shop)

    desk.database.write_now(switch_on)
    assert (run(), run()) == (1, 0)
    assert now(desk, ticket).reminded_at_ms == desk.time.at_ms
    assert desk.turns(ticket.id)[-1].outcome == "answered"
    desk.time.pass_s(3 * DAY_S)
    assert run() == 1
    assert now(desk, ticket).state == "resolved"
    desk.time.pass_s(8 * DAY_S)
    assert run() == 1
    assert (now(desk, ticket).state, now(desk, held).state) == ("closed", "pending_customer")
    assert differences(desk) == []


def test_a_warning_names_the_open_ticket_about_the_same_order(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()

    def give_order(tx: Any) -> str:
        order = Order(
            external_id="O-1",
            number="O-1",
            created_at_ms=tx.at_ms,
            paid_at_ms=tx.at_ms,
            currency="CNY",
            total_minor=100,
            lines=(),
        )
        take_orders(tx, source_for_import(tx, None), [order], imported=True)
        found = tx.connection.execute(text("SELECT id FROM shop_order")).scalar_one()
        tx.connection.execute(text("UPDATE shop_order SET customer_id = :c"), {"c": shopper.id})
        return str(found)

    order_id = desk.database.write_now(give_order)
    first = submit(desk, shopper, order_id="O-1")
    assert submit(desk, shopper, "more about it", order_id="O-1").id == first.id
    # Somebody else's number tells nothing and links nothing.
    strange = submit(desk, desk.shopper(), order_id="O-1")
    assert opened(desk, mei, strange.id)["links"] == []
    second = create(desk, mei, customer_id=shopper.id, order_id=order_id)
    assert second["alike"] == [first.number]


def test_who_watches_is_named(desk: Scene) -> None:
    mei = desk.actor("mei")
    ticket = submit(desk, desk.shopper())
    desk.do(tickets.watch, mei, tickets.WatchTicket(ticket_id=ticket.id))
    assert opened(desk, mei, ticket.id)["watchers"] == [{"id": "mei", "name": "Mei"}]
    desk.do(tickets.watch, mei, tickets.WatchTicket(ticket_id=ticket.id, watching=False))
    assert desk.database.read_now(lambda c: stored.watchers_of(c, ticket.id)) == []


def test_a_row_that_is_not_what_the_log_says_is_told_and_made_anew(desk: Scene) -> None:
    ticket = submit(desk, desk.shopper())
    desk.database.write_now(
        lambda tx: tx.later(text("UPDATE ticket SET state = 'closed', reopens = 7"))
    )
    assert len(differences(desk)) == 2
    desk.database.write_now(lambda tx: rebuild(tx, ticket.id))
    assert differences(desk) == []
