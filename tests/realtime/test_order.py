"""One order for all: of one sender's messages, and of many senders' in one conversation."""

from __future__ import annotations

import asyncio

from tests.realtime.client import People
from tests.realtime.follower import read_all


async def test_two_hundred_messages_fired_without_waiting_keep_their_order(
    people: People,
) -> None:
    shopper, agent = await people.shopper(), await people.agent()
    bodies = [f"message {number}" for number in range(200)]
    answers = await asyncio.gather(*(shopper.post(body) for body in bodies))
    assert len({answer["conversation_id"] for answer in answers}) == 1
    numbers = [answer["conversation_seq"] for answer in answers]
    assert numbers == sorted(numbers)
    for client in (shopper, agent):
        await client.hears(bodies[-1])
        assert [m["body"] for m in client.messages] == bodies


async def test_all_see_the_same_order_when_many_write_at_once(people: People) -> None:
    shopper = await people.shopper()
    tab = await people.shopper(shopper.welcome["visitor_token"])
    agents = [await people.agent(name) for name in ("ana", "ida")]
    conversation_id = (await shopper.post("begin"))["conversation_id"]
    senders = [shopper, tab, *agents]
    await asyncio.gather(
        *(
            sender.post(f"{index}-{number}", conversation_id=conversation_id)
            for number in range(40)
            for index, sender in enumerate(senders)
        )
    )
    log = await read_all(agents[0], conversation_id)
    truth = [e["data"]["message"]["body"] for e in log if e["kind"] == "message.posted"]
    assert len(truth) == len(set(truth)) == 161
    for client in senders:
        await client.until(lambda c=client: len(c.messages) >= 161)  # type: ignore[misc]  # bound default
        mine = [m["body"] for m in client.messages if m["body"] in set(truth)]
        assert mine == truth
    for index in range(len(senders)):
        mine = [body for body in truth if body.startswith(f"{index}-")]
        assert mine == [f"{index}-{number}" for number in range(40)]


async def test_heads_in_the_welcome_fit_the_events_that_follow(people: People) -> None:
    """Who connects in the middle of a flood can tell from the welcome what they have missed."""
    shopper = await people.shopper()
    conversation_id = (await shopper.post("begin"))["conversation_id"]
    flood = asyncio.gather(*(shopper.post(f"flood {number}") for number in range(150)))
    for _ in range(4):
        tab = await people.shopper(shopper.welcome["visitor_token"])
        await tab.until(lambda t=tab: t.events or flood.done())  # type: ignore[misc]  # bound default
        (head,) = tab.welcome["conversations"]
        if tab.events:
            assert head["id"] == conversation_id
            assert tab.events[0]["conversation_seq"] <= head["conversation_seq"] + 1
    await flood
