"""Processes compete for the same conversations, and each goes to one agent at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: JSON values

import psycopg
import pytest

from tests.kill.load import LONG
from tests.realtime.desk import HASH, make_desk
from tests.support import processes
from tests.support.postgres import deadlocks
from tests.support.server import shopbell

if TYPE_CHECKING:
    from server.domain.events import Event
    from server.storage.database import Database

PROCESSES = 4
CLAIMS = 10_000 if LONG else 1_000
SERVED = 4_000 if LONG else 300
AGENTS_EACH = 4
CLAIMERS_EACH = 2
CAPACITY = 3
PROGRAM = Path(__file__).parent / "claimer.py"
LIMIT_S = 600.0

pytestmark = [pytest.mark.kill, pytest.mark.timeout(1200 if LONG else 400)]
Record = Callable[[str, object], None]
Json = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Contest:
    """A shop without a server, whose database the competing processes open."""

    url: str
    database: Database
    site: str
    folder: Path
    earlier_deadlocks: int

    def hire(self, name: str) -> str:
        """The id of an agent who is offline."""
        from server.actions import people
        from server.domain.actors import SYSTEM

        return self.database.write_now(
            lambda tx: people.add_person(
                tx,
                SYSTEM,
                email=f"{name}@shop.example",
                name=name,
                role="agent",
                password_hash=HASH,
                capacity=CAPACITY,
                team_ids=[],
            )
        )

    def shoppers(self, count: int) -> list[str]:
        """Ids of new shoppers."""
        from server.actions.visitors import Connect, connect

        payload = Connect(site=self.site)
        answers = self._all([lambda tx: connect(tx, payload)] * count)
        return [str(answer["customer_id"]) for answer in answers]

    def chats(self, count: int) -> list[str]:
        """Ids of conversations that wait in the queue, as nobody is online."""
        from server.actions.messages import PostMessage, post_message
        from server.domain.actors import customer

        payload = PostMessage(client_id="1", body="hello")
        jobs = [
            lambda tx, key=key: post_message(tx, customer(key), payload)
            for key in self.shoppers(count)
        ]
        return [str(answer["conversation_id"]) for answer in self._all(jobs)]

    def _all(self, jobs: Sequence[Callable[[Any], Json]]) -> list[Json]:
        futures: list[Future[Json]] = [self.database.submit(job) for job in jobs]
        return [future.result(LIMIT_S) for future in futures]

    def log(self) -> dict[str, list[Event]]:
        """The log of each conversation, in the order of its own numbers."""
        from server.storage.event_log import events_of, live_seqs

        def read(connection: Any) -> list[Event]:  # Any: SQLAlchemy's connection
            return events_of(connection, live_seqs(connection, after=0)[1])

        found: dict[str, list[Event]] = {}
        for event in self.database.read_now(read):
            if event.conversation_id is not None:
                found.setdefault(event.conversation_id, []).append(event)
        for events in found.values():
            events.sort(key=lambda event: event.staff_seq or 0)
        return found

    def owners(self) -> dict[str, str]:
        """Who has each open conversation, by its row."""
        with psycopg.connect(self.url) as connection:
            query = "SELECT id, assignee_id FROM conversation WHERE status = 'open'"
            return dict(connection.execute(query).fetchall())

    def deadlocks(self) -> int:
        """How often PostgreSQL had to refuse one of two who waited for each other."""
        return deadlocks(self.url) - self.earlier_deadlocks


@pytest.fixture
def contest(postgres_url: str, tmp_path: Path) -> Iterator[Contest]:
    """A shop on PostgreSQL without people."""
    from server.storage.database import Database

    site = make_desk(tmp_path / "data", postgres_url).site
    database = Database(postgres_url, tmp_path, patience_s=LIMIT_S)
    yield Contest(postgres_url, database, site, tmp_path, deadlocks(postgres_url))
    database.close()


class Competitor:
    """One process of those that compete."""

    def __init__(self, plan: Json, log: Path) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM)],
                cwd=processes.ROOT,
                env=processes.clean_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                encoding="utf-8",
            )
        processes.kill_at_exit(self._process)
        self._log = log
        self._result = log.with_suffix(".json")
        self._tell(json.dumps({**plan, "result": str(self._result)}))

    def ready(self) -> None:
        """Waits until it has opened the database."""
        assert self._hear() == "ready"

    def go(self) -> None:
        """Lets it begin."""
        self._tell("go")

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._process.poll() is None

    def result(self) -> Json:
        """What it did, once it has ended."""
        assert self._process.wait(processes.STOP_LIMIT_S) == 0, processes.tail(self._log)
        done: Json = json.loads(self._result.read_text(encoding="utf-8"))
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return done

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, processes.tail(self._log)
        return line


def compete(contest: Contest, plans: Sequence[Json]) -> tuple[list[Json], float, int]:
    """What each process did, the seconds that took, and the highest load seen of an agent online.

    All begin at the same moment.
    """
    competitors = [
        Competitor({"url": contest.url, "seed": number, **plan}, contest.folder / f"{number}.log")
        for number, plan in enumerate(plans)
    ]
    for competitor in competitors:
        competitor.ready()
    begun = time.monotonic()
    for competitor in competitors:
        competitor.go()
    most = 0
    with psycopg.connect(contest.url, autocommit=True) as watcher:
        while any(competitor.running for competitor in competitors):
            row = watcher.execute(_MOST_LOADED).fetchone()
            most = max(most, row[0] if row else 0)
            assert time.monotonic() - begun < LIMIT_S
    took_s = time.monotonic() - begun
    return [competitor.result() for competitor in competitors], took_s, most


_MOST_LOADED = (
    "SELECT count(*) FROM conversation c JOIN agent a ON a.id = c.assignee_id"
    " WHERE c.status = 'open' AND a.status = 'online' GROUP BY a.id ORDER BY 1 DESC LIMIT 1"
)


def wrong_assignments(log: dict[str, list[Event]]) -> list[str]:
    """Every event that gives away what somebody has, or ends what nobody has."""
    from server.domain import events as kinds

    found = []
    for key, events in log.items():
        owner: str | None = None
        queued = False
        for event in events:
            data = event.data
            where = f"{key} {event.staff_seq} {event.kind}"
            if isinstance(data, kinds.AssignmentAccepted):
                found += [f"{where}: {owner} has it"] if owner or queued else []
                owner = data.to
            elif isinstance(data, kinds.AssignmentChanged):
                found += [f"{where}: {owner} has it"] if owner != data.from_ else []
                owner = data.to
            elif isinstance(data, kinds.AssignmentEnded):
                found += [f"{where}: {owner} has it"] if owner != data.from_ else []
                owner = None
            elif isinstance(data, kinds.QueueEntered | kinds.QueueLeft):
                entered = isinstance(data, kinds.QueueEntered)
                found += [f"{where}: {queued=} {owner}"] if queued == entered or owner else []
                queued = entered
            elif isinstance(data, kinds.ConversationStatusChanged) and data.status == "resolved":
                owner, queued = None, False
    return found


def accepted(log: dict[str, list[Event]]) -> list[tuple[str, str]]:
    """Conversation and agent of each assignment."""
    from server.domain.events import AssignmentAccepted

    return [
        (key, event.data.to or "")
        for key, events in log.items()
        for event in events
        if isinstance(event.data, AssignmentAccepted)
    ]


def last_owners(log: dict[str, list[Event]]) -> dict[str, str]:
    """Who was given each conversation last."""
    return dict(accepted(log))


def test_of_four_who_claim_a_conversation_one_gets_it(
    contest: Contest, record_property: Record
) -> None:
    chats = contest.chats(CLAIMS // PROCESSES)
    plans = [
        {
            "mode": "claim",
            "agents": [],
            "claimers": [contest.hire(f"p{n}a{m}") for m in range(CLAIMERS_EACH)],
            "conversations": chats,
            "shoppers": [],
        }
        for n in range(PROCESSES)
    ]
    done, took_s, _ = compete(contest, plans)
    won = [(key, agent) for result in done for key, agent in result["won"]]
    attempts = len(won) + sum(result["refused"] for result in done)
    assert attempts == len(chats) * PROCESSES
    log = contest.log()
    # The agents of one process may have claimed it again; they own it already and change nothing.
    assert sorted(won) == sorted(accepted(log))
    assert Counter(key for key, _ in won) == Counter(chats)
    assert wrong_assignments(log) == []
    record_property(
        "measured",
        f"{attempts} claims by {PROCESSES} processes in {took_s:.1f} s,"
        f" {attempts / took_s:.0f}/s, 0 double; won {[len(r['won']) for r in done]},"
        f" tried again {sum(r['again'] for r in done)}, deadlocks {contest.deadlocks()}",
    )
    verified = shopbell("verify", data_dir=contest.folder / "data", database_url=contest.url)
    assert verified.returncode == 0, verified.stdout


def test_routing_in_four_processes_and_claims_by_hand_never_cross(
    contest: Contest, record_property: Record
) -> None:
    chats = contest.chats(SERVED // 2)
    plans = [
        {
            "mode": "serve",
            "agents": [contest.hire(f"p{n}a{m}") for m in range(AGENTS_EACH)],
            "claimers": [contest.hire(f"p{n}c{m}") for m in range(CLAIMERS_EACH)],
            "conversations": [],
            "shoppers": contest.shoppers(SERVED // 2 // PROCESSES),
        }
        for n in range(PROCESSES)
    ]
    done, took_s, most = compete(contest, plans)
    log = contest.log()
    given = accepted(log)
    assert wrong_assignments(log) == []
    assert len(log) == len(chats) + SERVED // 2 // PROCESSES * PROCESSES
    assert len({key for key, _ in given}) == len(log), "somebody was never served"
    # Who ended early may have been given one more by another process.
    held = contest.owners()
    assert sum(result["resolved"] for result in done) + len(held) == len(log)
    assert held.items() <= last_owners(log).items()
    assert 0 < most <= CAPACITY
    record_property(
        "measured",
        f"{len(given)} assignments ({sum(len(r['won']) for r in done)} by hand) by {PROCESSES}"
        f" processes in {took_s:.1f} s, {len(given) / took_s:.0f}/s, 0 double, most load {most} of"
        f" {CAPACITY}, tried again {sum(r['again'] for r in done)},"
        f" deadlocks {contest.deadlocks()}",
    )
    verified = shopbell("verify", data_dir=contest.folder / "data", database_url=contest.url)
    assert verified.returncode == 0, verified.stdout
