"""Tickets: made, asked for, answered, and never ended without an answer or a reason."""

from __future__ import annotations

from typing import Any  # Any: JSON values

import pytest

from server.actions import messages, tickets
from server.actions.desk import Look
from server.actions.payload import ConversationRef
from server.domain.errors import AppError, Conflict, InvalidInput, NotFound
from server.domain.ticket_number import read_number
from server.storage import ticket_lists
from server.storage import tickets as stored
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

Json = dict[str, Any]  # Any: JSON values


@pytest.fixture
def desk(scene: Scene) -> Scene:
    """A desk with two teams, an agent in each, and a supervisor."""
    scene.person("mei", teams=("orders",))
    scene.person("tom", teams=("returns",))
    scene.person("ana", role="supervisor")
    return scene


def test_a_request_becomes_a_ticket_with_a_number_that_checks_itself(desk: Scene) -> None:
    shopper = desk.shopper(locale="en")
    ticket = submit(desk, shopper, name="Ann", email="ann@example.com")
    assert read_number(ticket.number.lower().replace("-", " ")) == ticket.number
    assert ticket.id not in ticket.number
    assert (ticket.state, ticket.lane, ticket.source) == ("new", "us", "offline")
    assert ticket.waiting_since_ms == desk.time.at_ms
    assert not ticket.answered
    assert [one["number"] for one in listed(desk, desk.actor("mei"))] == [ticket.number]
    assert differences(desk) == []


def test_a_request_sent_twice_is_one_ticket(desk: Scene) -> None:
    shopper = desk.shopper()
    first = submit(desk, shopper, client_id="a")
    assert submit(desk, shopper, client_id="a").id == first.id
    assert submit(desk, shopper, client_id="b").id != first.id


def test_a_ticket_stands_in_no_list_of_chats_and_takes_no_place_of_one(desk: Scene) -> None:
    mei = desk.actor("mei")
    ticket = submit(desk, desk.shopper())
    change(desk, mei, ticket, assignee_id="mei")
    from server.actions.desk import load_desk
    from server.actions.payload import NoPayload

    found = desk.database.read_now(lambda c: load_desk(Look(c, mei, desk.time.at_ms), NoPayload()))
    assert found["conversations"] == []
    assert (desk.load(mei), now(desk, ticket).assignee_id) == (0, "mei")


def test_the_first_reply_takes_a_ticket_up_and_answers_it(desk: Scene) -> None:
    mei = desk.actor("mei")
    ticket = submit(desk, desk.shopper())
    desk.time.pass_s(60)
    reply(desk, mei, ticket, state="pending_customer")
    ticket = now(desk, ticket)
    assert (ticket.state, ticket.lane, ticket.assignee_id) == (
        "pending_customer",
        "customer",
        "mei",
    )
    assert (ticket.answered, ticket.waiting_since_ms) == (True, None)
    assert ticket.replied_at_ms == desk.time.at_ms
    turns = desk.turns(ticket.id)
    assert [(turn.outcome, turn.elapsed_ms) for turn in turns] == [("answered", 60_000)]
    assert differences(desk) == []


def test_no_ticket_ends_without_an_answer_or_a_reason(desk: Scene) -> None:
    mei = desk.actor("mei")
    ticket = submit(desk, desk.shopper())
    reply(desk, mei, ticket, "only among us", visibility="private")
    with pytest.raises(InvalidInput) as refused:
        change(desk, mei, ticket, state="resolved")
    assert refused.value.details["needs"] == "reason"
    ended = change(desk, mei, ticket, state="resolved", reason="elsewhere", reason_text="By phone")
    assert (ended.state, ended.reason, ended.lane) == ("resolved", "elsewhere", "done")


def test_an_agent_may_not_close_and_nothing_leads_out_of_closed(desk: Scene) -> None:
    mei, ana = desk.actor("mei"), desk.actor("ana")
    ticket = submit(desk, desk.shopper())
    reply(desk, mei, ticket, state="resolved")
    with pytest.raises(Conflict):
        change(desk, mei, ticket, state="closed")
    change(desk, ana, ticket, state="closed")
    for state in ("open", "on_hold", "resolved"):
        with pytest.raises(AppError):
            change(desk, ana, ticket, state=state, reason="other")


def test_what_the_shopper_writes_opens_a_resolved_ticket_again(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    ticket = submit(desk, shopper)
    reply(desk, mei, ticket, state="resolved")
    desk.time.pass_s(3600)
    desk.post(shopper, "Still broken", ticket.id)
    ticket = now(desk, ticket)
    assert (ticket.state, ticket.reopens, ticket.assignee_id) == ("open", 1, "mei")
    assert ticket.first_resolved_at_ms is not None
    assert ticket.resolved_at_ms is None
    assert desk.state(ticket.id).owner.id == "mei"
    assert differences(desk) == []


def test_after_the_window_the_shopper_has_a_follow_up(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    first = submit(desk, shopper)
    reply(desk, mei, first, state="resolved")
    desk.time.pass_s(8 * 24 * 3600)
    answer = desk.post(shopper, "It broke again", first.id)
    second = desk.database.read_now(lambda c: stored.load_ticket(c, answer["conversation_id"]))
    assert second is not None
    assert (second.parent_id, second.source, second.state) == (first.id, "follow_up", "new")
    assert now(desk, first).state == "resolved"


def test_a_ticket_of_another_team_is_not_there(desk: Scene) -> None:
    mei, tom = desk.actor("mei"), desk.actor("tom")
    ticket = submit(desk, desk.shopper())
    change(desk, mei, ticket, team_id="orders")
    assert listed(desk, tom) == []
    for do in (
        lambda: opened(desk, tom, ticket.number),
        lambda: change(desk, tom, ticket, priority="low"),
        lambda: reply(desk, tom, ticket),
        lambda: desk.post(tom, "hello", ticket.id),
    ):
        with pytest.raises(NotFound):
            do()
    assert opened(desk, desk.actor("ana"), ticket.number)["id"] == ticket.id


def test_a_shopper_reaches_no_ticket_of_another(desk: Scene) -> None:
    ticket = submit(desk, desk.shopper())
    other = desk.shopper()
    with pytest.raises(NotFound):
        desk.post(other, "let me in", ticket.id)


def test_a_chat_becomes_a_ticket_and_both_read_its_number(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper(locale="zh")
    chat = desk.post(shopper, "台灯坏了")["conversation_id"]
    answer = create(desk, mei, conversation_id=chat, subject="台灯坏了", client_id="x")
    assert create(desk, mei, conversation_id=chat, client_id="x") == answer
    ticket = by_number(desk, answer["number"])
    assert (ticket.source, ticket.assignee_id) == ("chat", "mei")
    last = desk.state(chat).last_message
    assert last is not None
    assert last.author_kind == "system"
    assert opened(desk, mei, ticket.id)["links"][0]["target"] == chat
    assert differences(desk) == []


def test_who_wrote_since_is_told_before_a_reply_goes_out(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    ticket = submit(desk, shopper)
    seen = opened(desk, mei, ticket.id)["seq"]
    desk.post(shopper, "Wait, it works again", ticket.id)
    with pytest.raises(Conflict) as refused:
        reply(desk, mei, ticket, "Send it back", seen_seq=seen)
    since: Any = refused.value.details["since"]
    assert [one["body"] for one in since] == ["Wait, it works again"]
    reply(desk, mei, ticket, "Good!", seen_seq=opened(desk, mei, ticket.id)["seq"])


def test_a_priority_set_by_a_person_is_not_changed_by_a_rule(desk: Scene) -> None:
    mei = desk.actor("mei")
    ticket = change(desk, mei, submit(desk, desk.shopper()), priority="low")
    changed = desk.database.write_now(
        lambda tx: tickets.set_priority(tx, mei, ticket, "urgent", source="rule")
    )
    assert not changed
    assert (now(desk, ticket).priority, now(desk, ticket).priority_source) == ("low", "manual")


def test_every_word_of_a_ticket_finds_it(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    ticket = submit(desk, shopper, "My lamp broke: 台灯坏了")
    submit(desk, shopper, "Something else entirely")
    change(desk, mei, ticket, type="defect", fields={"sku": "SKU-77", "defect": "broken"})
    reply(desk, mei, ticket, "看看别的")
    for query in ("broke", "lam", "My lamp", "台灯", "灯坏", "坏", "SKU-77", "别的", ticket.number):
        found = [one["number"] for one in listed(desk, mei, query=query)]
        assert found == [ticket.number], query


def test_a_search_gives_the_newest_tickets_whether_few_or_many_have_the_word(desk: Scene) -> None:
    shopper = desk.shopper()
    ids = [submit(desk, shopper, f"A lamp, number {place}").id for place in range(4)]
    submit(desk, shopper, "A chair")

    def found(query: str, limit: int) -> list[str]:
        return desk.database.read_now(lambda c: ticket_lists.search(c, query, limit=limit))

    for limit in range(1, 7):
        assert found("lamp", limit) == ids[::-1][:limit]
    assert found("lamp 1", 2) == [ids[1]]
    assert found("table", 2) == []


def test_fields_are_what_the_type_asks_for(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    here = {"customer_id": shopper.id}
    for fields, wrong in (
        ({}, "fields.sku"),
        ({"sku": "L", "defect": "nonsense"}, "fields.defect"),
        ({"sku": "L", "defect": "broken", "amount": "1"}, "fields.amount"),
    ):
        with pytest.raises(InvalidInput) as refused:
            create(desk, mei, **here, type="defect", fields=fields)
        assert refused.value.details["field"] == wrong
    made = create(desk, mei, **here, type="price", fields={"quote": "1,299.50", "quantity": 3})
    assert opened(desk, mei, made["number"])["fields"] == {"quote": "1299.50", "quantity": 3}


def test_chat_commands_leave_a_ticket_alone(desk: Scene) -> None:
    from server.actions import conversations

    ticket = submit(desk, desk.shopper())
    for action in (conversations.resolve, conversations.reopen, conversations.mark_spam):
        with pytest.raises(Conflict):
            desk.do(action, desk.actor("mei"), ConversationRef(conversation_id=ticket.id))


def test_a_shopper_who_is_blocked_leaves_no_request(desk: Scene) -> None:
    from server.actions.customers import BlockCustomer, set_block
    from server.domain.errors import NotAllowed

    shopper = desk.shopper()
    submit(desk, shopper)
    block = BlockCustomer(customer_id=shopper.id or "", blocked=True, reason="spam")
    desk.do(set_block, desk.actor("ana"), block)
    with pytest.raises(NotAllowed):
        submit(desk, shopper)


def test_plain_messages_of_staff_answer_as_well(desk: Scene) -> None:
    mei, shopper = desk.actor("mei"), desk.shopper()
    ticket = submit(desk, shopper)
    payload = messages.PostMessage(client_id="p", body="On its way", conversation_id=ticket.id)
    desk.do(messages.post_message, mei, payload)
    assert (now(desk, ticket).state, now(desk, ticket).answered) == ("open", True)
