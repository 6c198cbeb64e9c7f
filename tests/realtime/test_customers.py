"""Chats that an agent begins and shoppers who are blocked, as both sides meet them."""

from __future__ import annotations

from tests.realtime.client import People


async def test_a_chat_that_an_agent_begins_shows_at_once_and_is_answered(people: People) -> None:
    agent, shopper = await people.agent("ana"), await people.shopper()
    begun = await agent.do(
        "conversation.start",
        customer_id=shopper.welcome["customer_id"],
        client_id="begin-1",
        body="Your parcel is late.",
    )
    here = begun["conversation"]["id"]
    await shopper.hears("Your parcel is late.")
    assert next(e["kind"] for e in shopper.events) == "conversation.opened"
    assert [e["conversation_seq"] for e in shopper.events] == [1, 2, 3]
    assert (await shopper.post("Where is it?"))["conversation_id"] == here
    await agent.hears("Where is it?")
    kinds = [e["kind"] for e in agent.events if e["conversation_id"] == here]
    assert kinds.index("message.posted") < kinds.index("session.started")
    assert "customer.left" not in kinds


async def test_a_blocked_shopper_hears_it_and_who_is_unblocked_goes_on(people: People) -> None:
    agent, shopper = await people.agent("ana"), await people.shopper()
    customer = shopper.welcome["customer_id"]
    await shopper.post("Hello")
    card = (await agent.do("customer.block", customer_id=customer, blocked=True))["customer"]
    assert card["blocked"]
    refused = await shopper.ask("message.post", {"client_id": "again", "body": "Again"})
    assert refused["error"]["code"] == "not_allowed"
    assert refused["error"]["details"] == {"reason": "blocked"}
    await agent.do("customer.block", customer_id=customer, blocked=False)
    assert (await shopper.post("Sorry"))["message_id"]


async def test_the_second_of_two_editors_gets_both_texts(people: People) -> None:
    ana, bo = await people.agent("ana"), await people.agent("mei")
    shopper = await people.shopper()
    customer = shopper.welcome["customer_id"]
    first = {"customer_id": customer, "version": 0}
    card = (await ana.do("customer.note", **first, body="Likes oak."))["customer"]
    assert card["note"]["body"] == "Likes oak."
    late = await bo.ask("customer.note", {**first, "body": "Likes walnut."})
    assert late["error"]["code"] == "conflict"
    assert late["error"]["details"]["note"] == card["note"]
    assert late["error"]["details"]["yours"] == "Likes walnut."
