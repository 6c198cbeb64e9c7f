"""Notices as people read them, without any script."""

from __future__ import annotations

import json

from server.actions import messages
from server.actions import tickets as actions
from server.domain.actors import Actor
from server.jobs import notices as jobs
from server.storage import tickets
from server.storage.people import insert_team, load_people
from tests.http.desk import Desk, Visitor
from tests.http.test_tickets import asked, hidden, shopper_of


async def writes(desk: Desk, shopper: Actor, ticket_id: str, body: str) -> None:
    payload = messages.PostMessage(conversation_id=ticket_id, client_id=body, body=body)
    await desk.database.write(lambda tx: messages.post_message(tx, shopper, payload))


async def counted(visitor: Visitor) -> dict[str, int]:
    found: dict[str, int] = json.loads((await visitor.get("/notices/count")).text)
    return found


async def test_notices_are_counted_read_and_hidden_with_the_ticket(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    assert "Nothing has happened yet." in (await agent.get("/notices?lang=en")).text
    await jobs.follow(desk.database)
    shopper = await shopper_of(desk)
    number = await asked(desk, shopper)
    page = f"/tickets/{number}"
    sent = await hidden(agent, page) | {"body": "On its way", "then": "pending_customer"}
    assert (await agent.post(f"{page}/reply", sent, page=page)).status == 303
    ticket_id = desk.database.read_now(lambda c: tickets.id_of_number(c, number))
    assert ticket_id is not None
    desk.time.now += 60
    for at in range(52):
        await writes(desk, shopper, ticket_id, f"still broken {at}")
    await jobs.follow(desk.database)
    assert await counted(agent) == {"unread": 52, "late": 0}
    # Every page of the desk says so, without a script.
    assert ">52<" in (await agent.get("/customers")).text

    first = (await agent.get("/notices")).text
    assert first.count("The customer has written") == 50
    assert "台灯坏了 &lt;b&gt;broken&lt;/b&gt;" in first
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert (await agent.get(older)).text.count("The customer has written") == 2
    assert "顾客有新回复" in (await agent.get("/notices?lang=zh&cursor=wrong")).text
    seq = first.split('name="seq" value="')[1].split('"')[0]
    await agent.post("/notices", {"seq": seq}, page="/notices")
    assert (await counted(agent))["unread"] == 51
    # Of another's notices nobody marks anything, and sees none.
    other = await desk.signed_in("supervisor")
    await other.post("/notices", {"up_to": seq}, page="/notices")
    assert number not in (await other.get("/notices")).text

    up_to = first.split('name="up_to" value="')[1].split('"')[0]
    shown = await agent.post(
        "/notices", {"up_to": up_to, "show": "unread"}, page="/notices?show=unread"
    )
    assert shown.location == "/notices?show=unread"
    assert "You have read everything." in (await agent.get("/notices?show=unread&lang=en")).text
    assert 'class="bell"' in (calm := (await agent.get("/customers")).text)
    assert "Unread</span></b>" not in calm

    await writes(desk, shopper, ticket_id, "again")
    await jobs.follow(desk.database)
    assert (await counted(agent))["unread"] == 1
    await agent.get(page)
    assert (await counted(agent))["unread"] == 0

    # Who may no longer see a ticket reads nothing of it.
    lead = next(p for p in desk.database.read_now(load_people) if p.role == "supervisor").actor
    await desk.database.write(lambda tx: insert_team(tx, "other", name="Other", name_zh=None))
    given = actions.ChangeTicket(ticket_id=ticket_id, team_id="other", assignee_id=lead.id)
    await desk.database.write(lambda tx: actions.change(tx, lead, given))
    assert number not in (await agent.get("/notices")).text
