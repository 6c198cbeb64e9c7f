"""A process that competes with others for conversations, through the actions that agents use.

Reads a plan, one line of JSON, from stdin, says "ready", waits for a line, works, and writes what
it did into a file. Run as ``python tests/processes/claimer.py``.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any  # Any: an action's answer

from sqlalchemy import Connection, text

from server.actions.conversations import claim, resolve
from server.actions.messages import PostMessage, post_message
from server.actions.payload import ConversationRef
from server.actions.presence import SetPresence, set_presence
from server.domain.actors import Actor, customer
from server.domain.errors import Conflict, Unavailable
from server.storage import conversations, people
from server.storage.database import Database
from server.storage.unit import Tx
from tests.support.waiting import LIMIT_S

UNDER_WAY = 40
SHUFFLED = 200
# How long a process looks for work before it gives up on ever ending.
PATIENCE_S = 300.0


def _queued(connection: Connection) -> list[str]:
    """The conversations that wait for an agent."""
    waiting = "SELECT id FROM conversation WHERE queued_at_ms IS NOT NULL AND status = 'open'"
    return list(connection.execute(text(waiting)).scalars())


@dataclass(slots=True)
class Done:
    """What a process did: who it won which conversation for, and how often it was refused."""

    won: list[tuple[str, str]] = field(default_factory=list)
    refused: int = 0
    again: int = 0
    resolved: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: ``claim`` everything on the list, or ``serve`` until nothing waits any more.

    ``result`` is the file for what was done.
    """

    url: str
    result: str
    mode: str
    seed: int
    agents: list[str]
    claimers: list[str]
    conversations: list[str]
    shoppers: list[str]


def main() -> None:
    """Does what the plan on stdin says."""
    plan = Plan(**json.loads(sys.stdin.readline()))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(plan.url, Path(folder), patience_s=LIMIT_S)
        try:
            people_here = actors(database, plan.agents + plan.claimers)
            print("ready", flush=True)
            sys.stdin.readline()
            begun = time.monotonic()
            done = (claim_all if plan.mode == "claim" else serve)(database, plan, people_here)
            done.seconds = time.monotonic() - begun
        finally:
            database.close()
    Path(plan.result).write_text(json.dumps(asdict(done)), encoding="utf-8")


def actors(database: Database, ids: list[str]) -> dict[str, Actor]:
    """The people as the database knows them."""
    found = database.read_now(people.load_people)
    return {person.id: person.actor for person in found if person.id in ids}


def claim_all(database: Database, plan: Plan, people_here: dict[str, Actor]) -> Done:
    """Tries to claim each conversation of the plan once, many at a time."""
    chance = random.Random(plan.seed)
    done = Done()
    flying: deque[tuple[str, Actor, Future[Any]]] = deque()
    for conversation_id in _nearly_in_order(plan.conversations, chance):
        actor = people_here[chance.choice(plan.claimers)]
        flying.append((conversation_id, actor, database.submit(_claim(actor, conversation_id))))
        if len(flying) >= UNDER_WAY:
            _landed(database, *flying.popleft(), done=done)
    while flying:
        _landed(database, *flying.popleft(), done=done)
    return done


def _nearly_in_order(ids: list[str], chance: random.Random) -> Iterator[str]:
    """The ids block by block: all processes are at the same ones, each in an order of its own."""
    for start in range(0, len(ids), SHUFFLED):
        block = ids[start : start + SHUFFLED]
        yield from chance.sample(block, len(block))


def _claim(actor: Actor, conversation_id: str) -> Callable[[Tx], Any]:  # Any: the answer
    return lambda tx: claim(tx, actor, ConversationRef(conversation_id=conversation_id))


def _landed(
    database: Database, conversation_id: str, actor: Actor, answer: Future[Any], *, done: Done
) -> None:
    while True:
        try:
            answer.result()
        except Conflict:
            done.refused += 1
        except Unavailable:
            done.again += 1
            answer = database.submit(_claim(actor, conversation_id))
            continue
        else:
            done.won.append((conversation_id, actor.id or ""))
        return


def serve(database: Database, plan: Plan, people_here: dict[str, Actor]) -> Done:
    """Takes what waits, resolves it, lets new shoppers in, until nobody waits any more.

    The agents take what routing gives them; the claimers take from the queue by hand.
    """
    done = Done()
    chats = deque(plan.shoppers)

    def work(agent_id: str) -> None:
        chance = random.Random(f"{plan.seed} {agent_id}")
        agent = people_here[agent_id]
        _do(database, lambda tx: set_presence(tx, agent, SetPresence(status="online")), done)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if chats and chance.random() < 0.5:
                _begin_chat(database, chats.popleft(), done)
            mine = database.read_now(lambda c: conversations.of_assignee(c, agent_id))
            for conversation_id in mine:
                _resolve(database, agent, conversation_id, done)
            if not mine and not chats and not database.read_now(conversations.queue_length):
                return
        raise AssertionError(f"conversations still wait after {PATIENCE_S} s")

    def claim_by_hand(claimer_id: str) -> None:
        chance = random.Random(f"{plan.seed} {claimer_id}")
        while waiting := database.read_now(_queued):
            _claim_by_hand(database, people_here[claimer_id], chance.choice(waiting), done)

    with ThreadPoolExecutor(len(plan.agents) + len(plan.claimers)) as pool:
        jobs = [pool.submit(work, agent_id) for agent_id in plan.agents]
        jobs += [pool.submit(claim_by_hand, claimer_id) for claimer_id in plan.claimers]
        for job in jobs:
            job.result()
    return done


def _begin_chat(database: Database, shopper_id: str, done: Done) -> None:
    payload = PostMessage(client_id="1", body="hello")
    _do(database, lambda tx: post_message(tx, customer(shopper_id), payload), done)


def _claim_by_hand(database: Database, actor: Actor, conversation_id: str, done: Done) -> None:
    try:
        _do(database, _claim(actor, conversation_id), done)
    except Conflict:
        done.refused += 1
        return
    done.won.append((conversation_id, actor.id or ""))
    _resolve(database, actor, conversation_id, done)


def _resolve(database: Database, actor: Actor, conversation_id: str, done: Done) -> None:
    payload = ConversationRef(conversation_id=conversation_id)
    _do(database, lambda tx: resolve(tx, actor, payload), done)
    done.resolved += 1


def _do(database: Database, job: Callable[[Tx], Any], done: Done) -> None:  # Any: the answer
    while True:
        try:
            database.write_now(job)
        except Unavailable:
            done.again += 1
            continue
        return


if __name__ == "__main__":
    main()
