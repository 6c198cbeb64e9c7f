"""Processes that want the same rows: who holds some does not wait, and all get their turn."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from server.actions import conversations as conversation_actions
from server.actions import people, presence, visitors
from server.actions.messages import PostMessage, post_message
from server.actions.presence import SetPresence, set_presence
from server.actions.visitors import Connect
from server.domain.actors import SYSTEM, customer
from server.domain.errors import NotFound
from server.domain.events import ConversationTagged
from server.storage.claims import take_queued
from server.storage.conversations import due_snoozes
from server.storage.database import Database
from server.storage.event_log import conversation_events
from server.storage.people import load_person, open_loads
from server.storage.unit import Tx
from tests.realtime.desk import HASH, make_desk
from tests.support.postgres import deadlocks
from tests.support.waiting import LIMIT_S, wait_until

Open = Callable[..., Database]
CHATS = 12


@pytest.fixture
def chats(postgres_url: str, tmp_path: Path, open_postgres: Open) -> list[str]:
    """Conversations of different shoppers, all in the queue."""
    site = make_desk(tmp_path / "data", postgres_url).site
    database = open_postgres()
    return [chat(database, site).result(LIMIT_S) for _ in range(CHATS)]


def chat(database: Database, site: str) -> Future[str]:
    """The id of a new shopper's conversation."""
    connect = Connect(site=site)
    shopper = str(database.write_now(lambda tx: visitors.connect(tx, connect))["customer_id"])
    payload = PostMessage(client_id="1", body="hello")
    return database.submit(
        lambda tx: str(post_message(tx, customer(shopper), payload)["conversation_id"])
    )


def tag(conversation_id: str, name: str) -> Callable[[Tx], None]:
    """A job that locks and changes a conversation."""

    def job(tx: Tx) -> None:
        conversation = tx.conversation(conversation_id)
        if conversation is None:
            raise NotFound("There is no such conversation.")
        tx.record(SYSTEM, ConversationTagged(add=(name,)), conversation=conversation)

    return job


def tags(database: Database, conversation_id: str) -> list[str]:
    """The tags of a conversation in the order of the log."""
    events = database.read_now(lambda c: conversation_events(c, conversation_id))
    return [e.data.add[0] for e in events if isinstance(e.data, ConversationTagged)]


@contextmanager
def locked(url: str, table: str, *ids: str) -> Iterator[None]:
    """Rows that another process keeps locked for the time of the block."""
    with psycopg.connect(url) as holder:
        holder.execute(f"SELECT id FROM {table} WHERE id = ANY(%s) FOR UPDATE", (list(ids),))
        yield
        holder.rollback()


def test_nobody_waits_for_a_job_that_waits_and_its_conversation_keeps_its_order(
    postgres_url: str, open_postgres: Open, chats: list[str]
) -> None:
    database = open_postgres()
    taken, free = chats[0], chats[1]
    go_on = threading.Event()
    with locked(postgres_url, "conversation", taken):
        # All of these come to one batch.
        database.submit(lambda _: go_on.wait(LIMIT_S))
        late = [database.submit(tag(taken, f"{number}")) for number in range(3)]
        quick = database.submit(tag(free, "quick"))
        go_on.set()
        quick.result(LIMIT_S)
        assert not any(future.done() for future in late)
    for future in late:
        future.result(LIMIT_S)
    assert tags(database, taken) == ["0", "1", "2"]


def test_what_is_not_there_is_not_waited_for(open_postgres: Open, chats: list[str]) -> None:
    database = open_postgres()
    with pytest.raises(NotFound):
        database.submit(tag("nowhere", "x")).result(LIMIT_S)


def test_batches_that_cross_never_wait_in_a_circle(
    postgres_url: str, open_postgres: Open, chats: list[str]
) -> None:
    before = deadlocks(postgres_url)
    processes = [open_postgres() for _ in range(3)]
    chance = random.Random(20)
    futures: list[Future[None]] = []
    for number in range(60):
        for who, database in enumerate(processes):
            jobs = [tag(key, f"{who} {number}") for key in chance.sample(chats, 4)]
            futures += [database.submit(job) for job in jobs]
    for future in futures:
        future.result(LIMIT_S)
    for key in chats:
        for who in range(len(processes)):
            mine = [int(t.split()[1]) for t in tags(processes[0], key) if t.startswith(f"{who} ")]
            assert mine == sorted(mine), "the jobs of a process changed their order"
    for database in processes:
        database.close()
    assert deadlocks(postgres_url) == before


def hire(database: Database, name: str, *, capacity: int = 3) -> str:
    return database.write_now(
        lambda tx: people.add_person(
            tx,
            SYSTEM,
            email=f"{name}@shop.example",
            name=name,
            role="agent",
            password_hash=HASH,
            capacity=capacity,
            team_ids=[],
        )
    )


def test_an_agent_takes_from_the_queue_what_no_other_process_is_taking(
    postgres_url: str, open_postgres: Open, chats: list[str]
) -> None:
    database = open_postgres()
    agent_id = hire(database, "kim", capacity=2)
    person = database.read_now(lambda c: load_person(c, agent_id))
    assert person is not None
    with locked(postgres_url, "conversation", *chats[:4]):
        first = database.write_now(
            lambda tx: take_queued(tx.connection, team_ids=frozenset(), limit=2)
        )
        assert first == chats[4:6]
        database.write_now(lambda tx: set_presence(tx, person.actor, SetPresence(status="online")))
        assert database.read_now(open_loads) == {agent_id: 2}


def test_a_new_chat_goes_to_a_free_agent_while_the_first_choice_is_being_given_another(
    postgres_url: str, tmp_path: Path, open_postgres: Open
) -> None:
    site = make_desk(tmp_path / "data", postgres_url).site
    database = open_postgres()
    busy, idle = hire(database, "busy"), hire(database, "idle")
    for agent_id in (busy, idle):
        person = database.read_now(lambda c, key=agent_id: load_person(c, key))  # type: ignore[misc]  # bound default
        assert person is not None
        database.write_now(
            lambda tx, who=person.actor: set_presence(tx, who, SetPresence(status="online"))  # type: ignore[misc]  # bound default
        )

    with locked(postgres_url, "agent", busy):
        for _ in range(2):
            chat(database, site).result(LIMIT_S)
        assert database.read_now(open_loads) == {idle: 2}
        # Nobody else is left: this one waits for its turn.
        with locked(postgres_url, "agent", idle):
            waiting = chat(database, site)
            wait_until(lambda: waits(postgres_url), what="the chat that waits")
    waiting.result(LIMIT_S)
    assert database.read_now(open_loads) == {busy: 1, idle: 2}


def waits(url: str) -> bool:
    with psycopg.connect(url) as watcher:
        query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return watcher.execute(query).fetchone() is not None


def test_processes_share_what_is_due_and_do_nothing_twice(
    open_postgres: Open, chats: list[str]
) -> None:
    processes = [open_postgres() for _ in range(3)]
    database = processes[0]
    agent_id = hire(database, "ann")
    person = database.read_now(lambda c: load_person(c, agent_id))
    assert person is not None

    def snooze(tx: Tx, key: str) -> None:
        payload = conversation_actions.Snooze(conversation_id=key, until_ms=tx.at_ms + 500)
        conversation_actions.snooze(tx, person.actor, payload)

    for key in chats:
        database.write_now(lambda tx, key=key: snooze(tx, key))  # type: ignore[misc]  # bound default

    def all_due() -> bool:
        at_ms = database.clock()
        return len(database.read_now(lambda c: due_snoozes(c, at_ms=at_ms))) == len(chats)

    wait_until(all_due)
    jobs = [p.submit(conversation_actions.wake_due) for p in processes for _ in range(3)]
    jobs += [p.submit(presence.end_grace) for p in processes]
    assert sum(job.result(20) for job in jobs) == len(chats)
    for key in chats:
        events = database.read_now(lambda c, key=key: conversation_events(c, key))  # type: ignore[misc]  # bound default
        kinds = [e.kind for e in events]
        # Once put aside, once brought back.
        assert kinds.count("conversation.status_changed") == 2, kinds
