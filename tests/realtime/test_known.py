"""What a process keeps in mind is never older than what it has told."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any  # Any: JSON values

from server.domain.conversation import opened
from server.domain.events import ConversationOpened, Event
from server.realtime.known import Known
from server.storage.conversations import Found
from server.storage.customers import CustomerChanged
from server.storage.database import Committed
from server.storage.people import update_person
from server.storage.views import Facts
from tests.realtime.client import People
from tests.realtime.desk import Desk
from tests.support.waiting import LIMIT_S

NOW_S = 1000.0


def begun(seq: int = 1) -> tuple[Event, Found]:
    """A conversation's first event, and what a read would find."""
    event = Event(
        seq=seq,
        event_id=f"e{seq}",
        at_ms=seq,
        data=ConversationOpened(),
        actor_kind="customer",
        actor_id="c1",
        conversation_id="v1",
        customer_id="c1",
        channel="chat",
        staff_seq=1,
        visitor_seq=1,
    )
    return event, Found(opened(event), None, "Lin", "zh", "claimed")


def taught(found: Found) -> Known:
    known = Known(lambda: NOW_S)
    known.learn(Facts({}, {"v1": found}, {"a1": "Ana"}, {}, {}))
    return known


def test_what_was_read_once_is_told_without_a_read() -> None:
    event, found = begun()
    committed = Committed((event,), (), (), (found.conversation,))
    facts, unknown = taught(found).recall(committed, [event])
    assert unknown == []
    assert facts.found == {"v1": found}


def test_what_another_process_wrote_is_read() -> None:
    event, found = begun()
    _, unknown = taught(found).recall(Committed((event,), ()), [event])
    assert unknown == [event]


def test_a_changed_customer_is_read_again() -> None:
    event, found = begun()
    known = taught(found)
    known.heed(Committed((), (CustomerChanged("c1"),)))
    _, unknown = known.recall(Committed((event,), (), (), (found.conversation,)), [event])
    assert unknown == [event]


def test_a_state_older_than_one_that_was_told_is_not_told() -> None:
    event, found = begun()
    newer = replace(found, conversation=replace(found.conversation, staff_seq=2))
    known = taught(newer)
    _, unknown = known.recall(Committed((event,), (), (), (found.conversation,)), [event])
    assert unknown == [event]


def test_a_person_who_is_not_known_yet_is_looked_up() -> None:
    event, found = begun()
    known = taught(found)
    stranger = replace(event, actor_kind="agent", actor_id="a2")
    _, unknown = known.recall(Committed((stranger,), (), (), (found.conversation,)), [stranger])
    assert unknown == [stranger]


def test_names_are_not_trusted_for_long() -> None:
    event, found = begun()
    now_s = [NOW_S]
    known = Known(lambda: now_s[0])
    known.learn(Facts({}, {"v1": found}, {"a1": "Ana"}, {}, {}))
    now_s[0] += 3
    _, unknown = known.recall(Committed((event,), (), (), (found.conversation,)), [event])
    assert unknown == [event]


async def test_a_name_shows_with_the_next_event_and_so_does_taking_it_back(people: People) -> None:
    shopper, agent = await people.shopper(), await people.agent()

    async def told(body: str) -> tuple[Any, Any, Any, Any]:
        await shopper.post(body)
        await agent.hears(body)
        (envelope,) = (e for e in agent.events if e["data"].get("message", {}).get("body") == body)
        author = envelope["data"]["message"]["author"]["name"]
        customer = envelope["state"]["customer"]
        return envelope["actor"]["name"], author, customer["name"], customer["locale"]

    assert (await told("nobody yet"))[:3] == (None, None, None)
    await shopper.do("customer.describe", name="Lin", locale="zh")
    assert await told("it is me") == ("Lin", "Lin", "Lin", "zh")
    await agent.do("customer.update", customer_id=shopper.welcome["customer_id"], name="Lin Wei")
    assert (await told("and my surname"))[:3] == ("Lin Wei", "Lin Wei", "Lin Wei")
    await shopper.do("customer.describe", name="")
    assert (await told("forget it"))[:3] == (None, None, None)


async def test_a_person_renamed_elsewhere_is_soon_called_so(desk: Desk, people: People) -> None:
    person = desk.hire("rosa", "supervisor")
    agent = await people.agent(person)
    shopper = await people.shopper()
    conversation_id = (await shopper.post("hello"))["conversation_id"]
    await agent.post("first", conversation_id=conversation_id)
    assert (await shopper.hears("first"))["author"]["name"] == "Rosa"
    desk.write(lambda tx: update_person(tx, person.id, name="Rosalind"))
    until = time.monotonic() + LIMIT_S
    number = 0
    while True:
        number += 1
        await agent.post(f"now {number}", conversation_id=conversation_id)
        if (await shopper.hears(f"now {number}"))["author"]["name"] == "Rosalind":
            break
        assert time.monotonic() < until
