"""Two processes write to one conversation: the log goes on in number and in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from server.actions import visitors
from server.actions.messages import PostMessage, post_message
from server.actions.visitors import Connect
from server.domain.actors import SYSTEM, customer
from server.domain.errors import Unavailable
from server.domain.events import ConversationTagged, Event
from server.storage.database import Database
from server.storage.event_log import conversation_events
from server.storage.unit import Tx
from tests.realtime.desk import make_desk
from tests.support.waiting import LIMIT_S, wait_until

Open = Callable[..., Database]


@pytest.fixture
def chats(postgres_url: str, tmp_path: Path, open_postgres: Open) -> tuple[str, str]:
    """Two conversations of different shoppers."""
    site = make_desk(tmp_path / "data", postgres_url).site
    database = open_postgres()

    def chat(tx: Tx) -> str:
        return str(visitors.connect(tx, Connect(site=site))["customer_id"])

    def begin(customer_id: str) -> str:
        payload = PostMessage(client_id="1", body="hello")
        answer = database.write_now(lambda tx: post_message(tx, customer(customer_id), payload))
        return str(answer["conversation_id"])

    one, two = (begin(database.write_now(chat)) for _ in range(2))
    return one, two


def tag(tx: Tx, conversation_id: str, name: str) -> Event:
    conversation = tx.conversation(conversation_id)
    assert conversation is not None
    return tx.record(SYSTEM, ConversationTagged(add=(name,)), conversation=conversation)


def in_order(database: Database, conversation_id: str) -> None:
    events = database.read_now(lambda c: conversation_events(c, conversation_id))
    numbers = [event.staff_seq for event in events]
    assert numbers == list(range(1, len(events) + 1)), "the order of the log is another one"
    times = [event.at_ms for event in events]
    assert times == sorted(times)


def test_who_began_earlier_and_writes_later_takes_a_later_number_and_time(
    open_postgres: Open, chats: tuple[str, str]
) -> None:
    first, second = chats
    slow, quick = open_postgres(), open_postgres()
    begun, go_on = threading.Event(), threading.Event()

    def job(tx: Tx) -> Event:
        tag(tx, second, "numbers are taken")
        begun.set()
        assert go_on.wait(LIMIT_S)
        return tag(tx, first, "late")

    late = slow.submit(job)
    assert begun.wait(LIMIT_S)
    early = quick.write_now(lambda tx: tag(tx, first, "early"))
    go_on.set()
    assert late.result(LIMIT_S).seq > early.seq
    assert late.result().at_ms >= early.at_ms
    in_order(quick, first)


def test_who_waited_for_another_goes_on_after_the_other_s_last_time(
    open_postgres: Open, chats: tuple[str, str], postgres_url: str
) -> None:
    first, second = chats
    holder, waiter = open_postgres(), open_postgres()
    held = threading.Event()

    def somebody_waits() -> bool:
        with psycopg.connect(postgres_url) as watcher:
            query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return watcher.execute(query).fetchone() is not None

    def hold(tx: Tx) -> Event:
        conversation = tx.conversation(first)
        assert conversation is not None
        held.set()
        wait_until(somebody_waits, what="a process that waits")
        # Takes the time of now, which is after the other began to wait.
        tag(tx, second, "meanwhile")
        return tag(tx, first, "held")

    holding = holder.submit(hold)
    assert held.wait(LIMIT_S)
    after = waiter.write_now(lambda tx: tag(tx, first, "waited"))
    assert after.at_ms >= holding.result(LIMIT_S).at_ms
    assert after.seq > holding.result().seq
    in_order(holder, first)


def test_a_process_that_hangs_with_a_lock_keeps_the_others_waiting_for_seconds_only(
    open_postgres: Open, chats: tuple[str, str]
) -> None:
    """As one does whose machine was lost in the middle of a commit: PostgreSQL hears no end."""
    first, _ = chats
    lost, other = open_postgres(patience_s=1.0), open_postgres()
    held, go_on = threading.Event(), threading.Event()

    def hang(tx: Tx) -> Event:
        assert tx.conversation(first) is not None
        held.set()
        assert go_on.wait(2 * LIMIT_S)
        return tag(tx, first, "never")

    async def ask() -> Event:
        return await lost.write(hang)

    def written() -> Event | None:
        try:
            return other.write_now(lambda tx: tag(tx, first, "at last"))
        except Unavailable:
            return None

    with ThreadPoolExecutor(1) as shopper:
        hanging = shopper.submit(asyncio.run, ask())
        assert held.wait(LIMIT_S)
        assert wait_until(written, what="the lock")
        go_on.set()
        with pytest.raises(Unavailable):
            hanging.result(LIMIT_S)
    # It works again, and goes on after the other.
    lost.write_now(lambda tx: tag(tx, first, "back"))
    in_order(other, first)
    events = other.read_now(lambda c: conversation_events(c, first))
    tags = [event.data.add for event in events if isinstance(event.data, ConversationTagged)]
    assert tags == [("at last",), ("back",)]
