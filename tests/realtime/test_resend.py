"""A message sent again, whatever became of the first try, is written once and answered alike."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from socketio.exceptions import TimeoutError as NoAnswer

from tests.realtime.client import People
from tests.realtime.desk import Desk
from tests.realtime.follower import read_all
from tests.realtime.raw import shopper_line
from tests.support.waiting import LIMIT_S


@contextmanager
def held(desk: Desk) -> Iterator[None]:
    """Keeps every commit of the server from happening, as a busy neighbour would."""
    url = desk.server.database_url
    if url is None:
        path = desk.server.data_dir / "shopbell.db"
        with sqlite3.connect(path, timeout=LIMIT_S, isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        other.close()
    else:
        with psycopg.connect(url) as other_pg:
            other_pg.execute("LOCK TABLE message IN ACCESS EXCLUSIVE MODE")
            yield
            other_pg.rollback()


async def bodies_of(people: People, visitor_token: str) -> list[str]:
    """The texts of a shopper's only conversation, as a fresh client reads them."""
    shopper = await people.shopper(visitor_token)
    (head,) = shopper.welcome["conversations"]
    log = await read_all(shopper, head["id"])
    assert [e["conversation_seq"] for e in log] == list(range(1, len(log) + 1))
    assert len(log) == head["conversation_seq"]
    return [e["data"]["message"]["body"] for e in log if e["kind"] == "message.posted"]


async def test_after_the_answer_nothing_changes_and_the_answer_is_the_same(
    people: People,
) -> None:
    shopper, agent = await people.shopper(), await people.agent()
    token = shopper.welcome["visitor_token"]
    first = await shopper.post("once", "id-1")
    await agent.hears("once")
    again = await shopper.post("once", "id-1")
    other_text = await shopper.post("another text under the old id", "id-1")
    tab = await people.shopper(token)
    from_tab = await tab.post("once", "id-1", conversation_id=first["conversation_id"])
    assert first == again == other_text == from_tab
    reply = await agent.post("reply", "id-1", conversation_id=first["conversation_id"])
    assert reply["message_id"] != first["message_id"]
    assert reply == await agent.post("reply", "id-1", conversation_id=first["conversation_id"])
    await shopper.hears("reply")
    assert await bodies_of(people, token) == ["once", "reply"]
    assert [m["body"] for m in shopper.messages] == ["once", "reply"]


async def test_the_same_client_id_of_two_shoppers_is_two_messages(people: People) -> None:
    one, two = await people.shopper(), await people.shopper()
    first, second = await one.post("mine", "same"), await two.post("mine too", "same")
    assert first["message_id"] != second["message_id"]
    assert first["conversation_id"] != second["conversation_id"]


async def test_many_copies_at_once_make_one_message(people: People) -> None:
    shopper = await people.shopper()
    token = shopper.welcome["visitor_token"]
    tabs = [shopper, await people.shopper(token), await people.shopper(token)]
    answers = await asyncio.gather(*(tab.post("copy", "c") for tab in tabs for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    assert await bodies_of(people, token) == ["copy"]


async def test_before_the_commit_a_kill_forgets_it_and_the_resend_writes_it(
    own_desk: Desk, own_people: People
) -> None:
    own_desk.server.start()
    shopper = await own_people.shopper()
    token = shopper.welcome["visitor_token"]
    await shopper.post("before")
    with held(own_desk):
        with pytest.raises(NoAnswer):
            await shopper.ask("message.post", {"client_id": "x", "body": "cut off"}, limit_s=0.5)
        own_desk.server.kill()
    own_desk.server.start()
    assert await bodies_of(own_people, token) == ["before"]
    back = await own_people.shopper(token)
    answer = await back.post("cut off", "x")
    assert answer == await back.post("cut off", "x")
    assert await bodies_of(own_people, token) == ["before", "cut off"]


async def test_before_the_commit_a_hanging_server_takes_the_resend_as_the_same(
    own_desk: Desk, own_people: People
) -> None:
    """The process hangs, the client loses patience and sends again: both copies arrive at last."""
    own_desk.server.start()
    shopper = await own_people.shopper()
    token = shopper.welcome["visitor_token"]
    await shopper.post("before")
    os.kill(own_desk.server.pid, signal.SIGSTOP)
    try:
        for _ in range(2):
            with pytest.raises(NoAnswer):
                await shopper.ask("message.post", {"client_id": "x", "body": "late"}, limit_s=0.3)
    finally:
        os.kill(own_desk.server.pid, signal.SIGCONT)
    answer = await shopper.post("late", "x")
    assert answer == await shopper.post("late", "x")
    assert await bodies_of(own_people, token) == ["before", "late"]


async def test_after_the_commit_before_the_answer_the_resend_is_told_of_the_first(
    people: People, desk: Desk
) -> None:
    """The line is cut in the moment the message leaves, so nobody reads the answer."""
    agent = await people.agent()
    async with shopper_line(desk) as line:
        token = json.loads(line.packets[-1].partition(",")[2])[1]["visitor_token"]
        await line.send('42/visitor,1["message.post",{"client_id":"x","body":"unread"}]')
        transport = line.socket._response.connection.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()
    written = await agent.hears("unread")
    shopper = await people.shopper(token)
    answer = await shopper.post("unread", "x")
    assert answer["message_id"] == written["id"]
    assert await bodies_of(people, token) == ["unread"]


async def test_after_the_commit_before_the_answer_a_kill_keeps_it(
    own_desk: Desk, own_people: People
) -> None:
    """A watcher beside the server sees the row the moment it is there, and kills the server."""
    own_desk.server.start()
    shopper = await own_people.shopper()
    token = shopper.welcome["visitor_token"]
    await shopper.post("before")
    async with shopper_line(own_desk) as line:
        line_token = json.loads(line.packets[-1].partition(",")[2])[1]["visitor_token"]
        # The server stops reading and answering; what it has read already goes on to the disk.
        await line.send('42/visitor,1["message.post",{"client_id":"x","body":"kept"}]')
        watcher = await own_people.agent()
        while True:
            heads = (await watcher.do("desk.load"))["conversations"]
            if any((row["last_message"] or {}).get("preview") == "kept" for row in heads):
                break
        own_desk.server.kill()
    own_desk.server.start()
    assert await bodies_of(own_people, line_token) == ["kept"]
    back = await own_people.shopper(line_token)
    answer = await back.post("kept", "x")
    assert answer == await back.post("kept", "x")
    assert await bodies_of(own_people, line_token) == ["kept"]
    assert await bodies_of(own_people, token) == ["before"]
    assert own_desk.server.shopbell("verify").returncode == 0
