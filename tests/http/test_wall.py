"""The live wall: who waits, who is there, what is due next, for those who lead."""

from __future__ import annotations

import gzip
import html
import re
import secrets
from typing import Any  # Any: JSON values

from server.actions import visitors
from server.actions.messages import PostMessage, post_message
from server.actions.presence import SetPresence, set_presence
from server.domain.actors import Actor, customer
from server.reports.wall import Wall, load_wall
from server.storage.people import load_person
from server.storage.shop import load_shop
from server.storage.targets import Watch, keep_watch
from tests.http.desk import Desk

LIVE = "/reports/live?lang=en"


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


async def asks(desk: Desk, body: str = "Is the lamp in stock?") -> dict[str, Any]:
    """A new shopper writes; the conversation and the customer."""
    shop = desk.database.read_now(load_shop)
    assert shop is not None
    connect = visitors.Connect(site=shop.site_key, locale="en")
    found = await desk.database.write(lambda tx: visitors.connect(tx, connect))
    actor = customer(found["customer_id"])
    payload = PostMessage(client_id=secrets.token_hex(8), body=body)
    answer = await desk.database.write(lambda tx: post_message(tx, actor, payload))
    return {"id": answer["conversation_id"], "customer_id": found["customer_id"]}


async def goes(desk: Desk, status: str, capacity: int = 3) -> Actor:
    """The agent changes state."""
    person = desk.database.read_now(lambda c: load_person(c, desk.people["agent"]))
    assert person is not None
    actor = person.actor
    payload = SetPresence(status=status, capacity=capacity)  # type: ignore[arg-type]  # one of them
    await desk.database.write(lambda tx: set_presence(tx, actor, payload))
    return actor


def now(desk: Desk) -> Wall:
    at_ms = desk.database.clock()
    return desk.database.read_now(
        lambda c: load_wall(c, at_ms=at_ms, warn_ms=100_000, limit_ms=180_000)
    )


async def test_waits_grow_from_calm_to_late_the_longest_first(desk: Desk) -> None:
    calm = now(desk)
    assert (calm.waits, calm.late, calm.longest_since_ms, calm.waiting) == (0, 0, None, [])
    first = await asks(desk)
    desk.time.now += 110
    second = await asks(desk)
    wall = now(desk)
    assert [one.conversation_id for one in wall.waiting] == [first["id"], second["id"]]
    assert [one.state for one in wall.waiting] == ["warn", "calm"]
    assert [one.conversation_id for one in wall.due] == [first["id"], second["id"]]
    assert (wall.waits, wall.queued, wall.late) == (2, 2, 0)
    desk.time.now += 75
    wall = now(desk)
    assert [one.state for one in wall.waiting] == ["late", "calm"]
    assert wall.late == 1
    assert [one.conversation_id for one in wall.due] == [second["id"]]


async def test_a_target_of_its_own_comes_before_the_usual_limit(desk: Desk) -> None:
    chat = await asks(desk)
    start = desk.database.clock()

    def watched(due_at_ms: int, *, missed: bool = False) -> Watch:
        return Watch(chat["id"], None, due_at_ms, "first_response", missed=missed)

    await desk.database.write(lambda tx: keep_watch(tx, watched(start + 60_000)))
    wall = now(desk)
    assert wall.waiting[0].state == "warn"
    assert [(one.target, one.due_at_ms) for one in wall.due] == [("first_response", start + 60_000)]
    desk.time.now += 61
    assert (now(desk).late, now(desk).due) == (1, [])
    await desk.database.write(lambda tx: keep_watch(tx, watched(start + 900_000, missed=True)))
    wall = now(desk)
    assert wall.late == 1
    assert wall.waiting[0].state == "late"


async def test_agents_stand_with_their_state_and_load(desk: Desk) -> None:
    await goes(desk, "online")
    chat = await asks(desk)
    wall = now(desk)
    assert (wall.online, wall.free, wall.queued) == (1, 2, 0)
    assert [(one.name, one.load) for one in wall.there] == [("Agent Young", 1)]
    assert wall.waiting[0].agent == "Agent Young"
    assert wall.waiting[0].conversation_id == chat["id"]
    await goes(desk, "away")
    assert (now(desk).online, now(desk).free) == (0, 0)


async def test_the_page_leads_to_the_chat_and_shows_no_name_of_a_shopper(desk: Desk) -> None:
    await goes(desk, "online")
    chat = await asks(desk)
    desk.time.now += 200
    supervisor = await desk.signed_in("supervisor")
    page = await supervisor.get(LIVE)
    text = words(page.text)
    assert f'href="/console?conversation={chat["id"]}"' in page.text
    assert f"Visitor {chat['customer_id'][-4:].upper()}" in text
    assert "Agent Young" in text
    assert "online" in text
    assert "1 of 3" in text
    assert "3:20" in text
    assert "First reply, median" in text
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in page.text
    assert len(gzip.compress(page.body)) < 40_000
    assert "谁在等" in words((await supervisor.get("/reports/live?lang=zh")).text)
    screen = (await supervisor.get("/reports/live?tv=1&lang=en")).text
    assert 'class="tabs"' not in screen
    assert 'class="crumb"' not in screen
    assert (await (await desk.signed_in("agent")).get(LIVE)).status == 403


async def test_an_empty_desk_is_said_to_be_calm(desk: Desk) -> None:
    text = words((await (await desk.signed_in("admin")).get(LIVE)).text)
    assert "Nobody waits." in text
    assert "Nothing is due in the next hours." in text
    assert "No agent is online." in text


async def test_a_figure_of_a_day_that_has_not_begun_says_why_there_is_none(desk: Desk) -> None:
    supervisor = await desk.signed_in("supervisor")
    text = words((await supervisor.get(LIVE)).text)
    assert "Answered within 3 min nobody has asked yet" in text
    assert "nobody has rated yet" in text
    assert "no data" not in text
    assert "还没有人咨询" in words((await supervisor.get("/reports/live?lang=zh")).text)
    await asks(desk)
    desk.time.now += 200
    text = words((await supervisor.get(LIVE)).text)
    assert "nobody has asked yet" not in text
    assert "Answered within 3 min 0" in text


async def test_the_figures_of_the_day_are_read_anew_after_a_while(desk: Desk) -> None:
    supervisor = await desk.signed_in("supervisor")
    assert "today · 0 turns" in words((await supervisor.get(LIVE)).text)
    await asks(desk)
    assert "today · 0 turns" in words((await supervisor.get(LIVE)).text)
    desk.time.now += 16
    assert "today · 1 turn" in words((await supervisor.get(LIVE)).text)
