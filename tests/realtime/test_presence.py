"""Who is here, who is writing, who has read: told to the parties, and to nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any  # Any: fixtures of other modules

import pytest_asyncio
from sqlalchemy import text

from server.actions import presence
from server.storage.unit import Tx
from tests.realtime.client import Client, People
from tests.realtime.desk import UNLIMITED, Desk, Staff, make_desk


def kinds_of(people_events: list[dict[str, Any]], conversation_id: str) -> list[str]:
    return [e["kind"] for e in people_events if e["conversation_id"] == conversation_id]


def present(agent: Client) -> bool:
    """Whether the shopper is there, as the latest event says."""
    return bool(agent.events[-1]["state"]["customer_present"])


@pytest_asyncio.fixture
async def hasty_people(data_dir: Any, database_url: str | None) -> AsyncIterator[People]:
    """A shop in which a shopper has left after one second."""
    desk = make_desk(data_dir, database_url, env=UNLIMITED | {"SHOPBELL_LEFT_AFTER_S": "1"})
    desk.server.start()
    people = People(desk)
    yield people
    await people.close()
    log = desk.server.stderr
    desk.server.kill()
    assert "Traceback" not in log


async def test_a_shopper_who_is_gone_for_long_has_left_and_returns(hasty_people: People) -> None:
    shopper, agent = await hasty_people.shopper(), await hasty_people.agent()
    tab = await hasty_people.shopper(shopper.welcome["visitor_token"])
    conversation_id = (await shopper.post("hello"))["conversation_id"]
    await agent.hears("hello")
    await shopper.close()
    await tab.post("still here")
    await agent.hears("still here")
    await tab.close()
    await agent.until(lambda: "customer.left" in kinds_of(agent.events, conversation_id))
    assert not present(agent)
    back = await hasty_people.shopper(shopper.welcome["visitor_token"])
    await agent.until(lambda: "customer.returned" in kinds_of(agent.events, conversation_id))
    assert present(agent)
    assert kinds_of(agent.events, conversation_id).count("customer.left") == 1
    await back.post("back again")
    await agent.hears("back again")
    assert "customer" not in str([e["kind"] for e in back.events])


async def test_a_shopper_whose_server_died_is_noticed_as_gone_by_the_next(
    hasty_people: People,
) -> None:
    shopper = await hasty_people.shopper()
    conversation_id = (await shopper.post("hello"))["conversation_id"]
    hasty_people.desk.server.restart()
    agent = await hasty_people.agent()
    await agent.until(lambda: "customer.left" in kinds_of(agent.events, conversation_id))


async def test_presence_is_told_to_colleagues_by_name_and_to_shoppers_as_a_number(
    people: People, desk: Desk
) -> None:
    staff = desk.hire("pia", team="north")
    shopper, colleague = await people.shopper(), await people.agent("tom")
    console = await people.console(staff)
    assert console.welcome["agent"]["status"] == "online"

    def seen(status: str) -> bool:
        told = [s["agent"] for s in colleague.signals("presence.changed")]
        return any(a["id"] == staff.id and a["status"] == status for a in told)

    await colleague.until(lambda: seen("online"))
    await colleague.until(lambda: shopper.signals("presence.changed"))
    me = (await console.do("presence.set", status="busy", capacity=3))["me"]
    assert (me["status"], me["capacity"]) == ("busy", 3)
    await colleague.until(lambda: seen("busy"))
    assert colleague.signals("presence.changed")[-1]["agent"].keys() == {
        "id",
        "name",
        "status",
        "capacity",
        "load",
    }
    assert all(s.keys() == {"agents_online"} for s in shopper.signals("presence.changed"))
    assert await console.refused("presence.set", status="asleep") == "invalid_input"
    await console.do("presence.set", status="offline")


def age(staff: Staff, ms: int) -> Any:
    """A job that makes a person unseen for a while."""

    def job(tx: Tx) -> None:
        tx.later(
            text("UPDATE agent SET seen_at_ms = seen_at_ms - :ms WHERE id = :id"),
            {"ms": ms, "id": staff.id},
        )

    return job


async def test_an_agent_whose_line_dropped_keeps_the_desk_for_the_grace_time_and_no_longer(
    people: People, desk: Desk
) -> None:
    staff = desk.hire("gus")
    colleague = await people.agent("ida")
    console = await people.console(staff)
    await console.drop()

    def offline() -> bool:
        told = [s["agent"] for s in colleague.signals("presence.changed")]
        mine = [a for a in told if a["id"] == staff.id]
        return bool(mine) and mine[-1]["status"] == "offline"

    desk.write(presence.end_grace)
    back = await people.console(staff)
    assert back.welcome["agent"]["status"] == "online"
    await back.drop()

    def offline_after_the_grace_time() -> bool:
        # Again and again: the server may hear of the end of the line only now.
        desk.write(age(staff, presence.GRACE_MS + 1000))
        desk.write(presence.end_grace)
        return offline()

    await colleague.until(offline_after_the_grace_time)
    again = await people.console(staff)
    assert again.welcome["agent"]["status"] == "online"
    await again.do("presence.set", status="offline")


async def test_typing_reaches_the_other_parties_only(people: People) -> None:
    shopper, agent = await people.shopper(), await people.agent("ana")
    stranger = await people.shopper()
    conversation_id = (await shopper.post("hello"))["conversation_id"]
    await agent.hears("hello")
    await shopper.do("typing.set", conversation_id=conversation_id, typing=True)
    await agent.until(lambda: agent.signals("typing.changed"))
    (told,) = agent.signals("typing.changed")
    assert told == {
        "conversation_id": conversation_id,
        "actor": {"kind": "customer", "id": shopper.welcome["customer_id"], "name": None},
        "typing": True,
        "ttl_ms": 5000,
    }
    await agent.do("typing.set", conversation_id=conversation_id, typing=True)
    await shopper.until(lambda: shopper.signals("typing.changed"))
    assert shopper.signals("typing.changed")[0]["actor"]["name"] == "Ana"
    # Its own typing came to nobody's own ears.
    assert len(agent.signals("typing.changed")) == 1
    await stranger.post("unrelated")
    await stranger.hears("unrelated")
    assert stranger.signals("typing.changed") == []
    assert (
        await stranger.refused("typing.set", conversation_id=conversation_id, typing=True)
        == "not_found"
    )


async def test_read_marks_reach_the_parties_and_are_there_after_a_reload(people: People) -> None:
    shopper, agent = await people.shopper(), await people.agent("ana")
    sent = await shopper.post("read me")
    conversation_id = sent["conversation_id"]
    await agent.hears("read me")
    await agent.do(
        "message.mark_read", conversation_id=conversation_id, message_id=sent["message_id"]
    )
    await shopper.until(lambda: shopper.signals("message.read"))
    (told,) = shopper.signals("message.read")
    assert told.keys() == {"conversation_id", "reader", "message_id", "at_ms"}
    assert (told["message_id"], told["reader"]["name"]) == (sent["message_id"], "Ana")
    await agent.until(lambda: agent.signals("message.read"))
    reply = await agent.post("and me", conversation_id=conversation_id)
    await shopper.hears("and me")
    again = await people.shopper(shopper.welcome["visitor_token"])
    assert again.welcome["conversations"][0]["unread"] == 1
    await again.do(
        "message.mark_read", conversation_id=conversation_id, message_id=reply["message_id"]
    )
    opened = await agent.do("conversation.open", conversation_id=conversation_id)
    marks = {mark["reader"]["kind"]: mark["message_id"] for mark in opened["read_marks"]}
    assert marks == {"agent": sent["message_id"], "customer": reply["message_id"]}
    third = await people.shopper(shopper.welcome["visitor_token"])
    assert third.welcome["conversations"][0]["unread"] == 0


async def test_colleagues_see_who_looks_at_a_conversation_until_they_leave(
    people: People,
) -> None:
    shopper, ana, ida = await people.shopper(), await people.agent("ana"), await people.agent("ida")
    conversation_id = (await shopper.post("look"))["conversation_id"]
    await ida.hears("look")
    await ana.do("viewing.set", conversation_id=conversation_id, viewing=True)
    await ida.until(lambda: ida.signals("viewing.changed"))
    ana_id = people.desk.people["ana"].id
    assert ida.signals("viewing.changed")[-1] == {
        "conversation_id": conversation_id,
        "agents": [{"id": ana_id, "name": "Ana"}],
    }
    opened = await ida.do("conversation.open", conversation_id=conversation_id)
    assert opened["viewing"] == [{"id": ana_id, "name": "Ana"}]
    await ana.drop()
    await ida.until(lambda: ida.signals("viewing.changed")[-1]["agents"] == [])
    assert shopper.signals("viewing.changed") == []


async def test_who_was_not_there_for_a_begun_chat_is_gone_until_they_come(
    hasty_people: People,
) -> None:
    agent, shopper = await hasty_people.agent(), await hasty_people.shopper()
    token, customer = shopper.welcome["visitor_token"], shopper.welcome["customer_id"]
    await shopper.close()
    begun = await agent.do(
        "conversation.start", customer_id=customer, client_id="begin-2", body="Are you there?"
    )
    here = begun["conversation"]["id"]
    await agent.until(lambda: "customer.left" in kinds_of(agent.events, here))
    back = await hasty_people.shopper(token)
    assert [c["id"] for c in back.welcome["conversations"]] == [here]
    await agent.until(lambda: "customer.returned" in kinds_of(agent.events, here))
