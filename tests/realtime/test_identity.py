"""A shopper who signs in in the middle of a chat, over real sockets."""

from __future__ import annotations

import time

import jwt

from server.actions.shop import set_site
from server.domain.actors import SYSTEM
from tests.realtime.client import People
from tests.realtime.desk import Desk

SECRET = "a secret of the shop, long enough"


def identity(desk: Desk, sub: str, number: int) -> str:
    desk.write(lambda tx: set_site(tx, SYSTEM, identity_secret=SECRET))
    now = int(time.time())
    claims = {"sub": f"{sub}-{desk.site}", "iat": now, "exp": now + 300, "aud": desk.site}
    return jwt.encode({**claims, "jti": f"{sub} {number}", "name": sub.title()}, SECRET, "HS256")


async def test_a_chat_goes_on_after_signing_in_and_ends_with_signing_out(
    people: People, desk: Desk
) -> None:
    agent = await people.agent("ana")
    await people.shopper(identity=identity(desk, "anna", 1))
    browser = await people.shopper()
    first = await browser.post("Where is my parcel?", client_id="first")
    here = {"conversation_id": first["conversation_id"]}
    token = browser.welcome["visitor_token"]
    await browser.close()

    anna = await people.shopper(token, identity=identity(desk, "anna", 2))
    assert anna.welcome["customer"]["name"] == "Anna"
    assert [head["id"] for head in anna.welcome["conversations"]] == [first["conversation_id"]]
    assert (await anna.do("conversation.catch_up", **here, after_seq=0))["complete"]
    assert (await anna.post("Where is my parcel?", client_id="first"))["message_id"] == first[
        "message_id"
    ]
    assert (await anna.post("It's me"))["conversation_id"] == first["conversation_id"]
    opened = await agent.do("conversation.open", **here)
    assert opened["conversation"]["customer"]["name"] == "Anna"
    assert opened["conversation"]["customer"]["verified"] is True
    await agent.do("message.post", client_id="a1", body="On its way", **here)
    heard = await anna.hears("On its way")
    await anna.do("message.mark_read", **here, message_id=heard["id"])
    await anna.do("typing.set", **here, typing=True)
    await agent.until(lambda: agent.signals("message.read"), "that she has read it")

    ben = await people.shopper(anna.welcome["visitor_token"], identity=identity(desk, "ben", 1))
    out = await people.shopper()
    for stranger in (ben, out):
        assert stranger.welcome["conversations"] == []
        assert await stranger.refused("conversation.catch_up", **here, after_seq=0) == "not_found"
        assert await stranger.refused("typing.set", **here, typing=True) == "not_found"


async def test_agents_look_at_what_is_masked_and_supervisors_join(
    people: People, desk: Desk
) -> None:
    agent, lead = await people.agent("mei"), await people.agent("ana")
    one, two = await people.shopper(), await people.shopper()
    await one.post("Hello")
    await one.do("customer.describe", email="anna.k@home.example")
    customer = {"customer_id": one.welcome["customer_id"]}
    shown = (await agent.do("customer.card", **customer))["customer"]
    assert shown["email"] == "a***@…"
    assert "anna.k@home.example" not in repr(shown)
    whole = await agent.do("contact.reveal", **customer, kind="email")
    assert whole["value"] == "anna.k@home.example"
    pair = {**customer, "other_id": two.welcome["customer_id"]}
    assert await agent.refused("customer.merge", **pair) == "not_allowed"
    merged = await lead.do("customer.merge", **pair)
    assert len(merged["customer"]["customer_ids"]) == 2
    again = await people.shopper(two.welcome["visitor_token"])
    assert again.welcome["conversations"] == []
