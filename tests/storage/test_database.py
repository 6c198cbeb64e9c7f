"""One writer that shares commits: nothing half done, nothing answered before it is on disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from server.domain.errors import Conflict, Unavailable
from server.storage import database as database_module
from server.storage.database import MAX_QUEUED_JOBS, Clock, Committed, Database
from server.storage.unit import Tx
from tests.support.postgres import PostgresCluster
from tests.support.waiting import wait_until

Open = Callable[..., Database]
LIMIT_S = 60.0


def put(name: str, value: str = "") -> Callable[[Tx], str]:
    """A job that writes one row and answers with its name."""

    def job(tx: Tx) -> str:
        tx.later(
            text("INSERT INTO secret (name, value) VALUES (:name, :value)"),
            {"name": name, "value": value},
        )
        return name

    return job


def refuse(tx: Tx) -> None:
    put("refused")(tx)
    raise Conflict("No.")


def names(connection: Connection) -> list[str]:
    return list(connection.execute(text("SELECT name FROM secret ORDER BY name")).scalars())


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Keeps the writer busy, so that what is submitted meanwhile queues up."""
    begun, go_on = threading.Event(), threading.Event()

    def job(_: Tx) -> None:
        begun.set()
        assert go_on.wait(LIMIT_S)

    first = database.submit(job)
    assert begun.wait(LIMIT_S)
    yield
    go_on.set()
    first.result(LIMIT_S)


@contextmanager
def commits(database: Database) -> Iterator[list[object]]:
    """The commits that the writer makes meanwhile."""
    made: list[object] = []

    def note(connection: Connection) -> None:
        made.append(connection)

    event.listen(database.engine, "commit", note)
    yield made
    event.remove(database.engine, "commit", note)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch takes all that is queued, however slow the machine is."""
    monkeypatch.setattr(database_module, "MAX_BATCH_S", LIMIT_S)


@pytest.mark.usefixtures("unhurried")
def test_jobs_that_queue_up_share_one_commit(database: Database) -> None:
    with commits(database) as made:
        with held(database):
            futures = [database.submit(put(f"job{n}")) for n in range(50)]
        assert [f.result(LIMIT_S) for f in futures] == [f"job{n}" for n in range(50)]
    assert len(made) == 1
    assert len(database.read_now(names)) == 50


@pytest.mark.usefixtures("unhurried")
def test_a_refusal_writes_nothing_and_leaves_its_neighbours_alone(database: Database) -> None:
    with commits(database) as made:
        with held(database):
            before, refused, after = (
                database.submit(put("before")),
                database.submit(refuse),
                database.submit(put("after")),
            )
        assert (before.result(LIMIT_S), after.result(LIMIT_S)) == ("before", "after")
        with pytest.raises(Conflict):
            refused.result(LIMIT_S)
    assert database.read_now(names) == ["after", "before"]
    assert len(made) == 1


@pytest.mark.usefixtures("unhurried")
def test_a_job_with_a_database_error_fails_alone(database: Database) -> None:
    database.write_now(put("taken"))
    with held(database):
        before, twice, after = (
            database.submit(put("before")),
            database.submit(put("taken")),
            database.submit(put("after")),
        )
    with pytest.raises(IntegrityError):
        twice.result(LIMIT_S)
    assert (before.result(LIMIT_S), after.result(LIMIT_S)) == ("before", "after")
    assert database.read_now(names) == ["after", "before", "taken"]


def test_a_job_with_an_unwritable_value_fails_alone_and_the_writer_lives(
    database: Database,
) -> None:
    with held(database):
        broken: list[Future[object]] = [
            database.submit(_unwritable("\ud800")),
            database.submit(_unwritable(object())),
            database.submit(lambda tx: 1 // 0),
        ]
        fine = database.submit(put("fine"))
    for future in broken:
        assert isinstance(future.exception(LIMIT_S), Exception)
    assert fine.result(LIMIT_S) == "fine"
    assert database.write_now(put("later")) == "later"
    assert database.read_now(names) == ["fine", "later"]


def _unwritable(value: object) -> Callable[[Tx], object]:
    return lambda tx: tx.later(
        text("INSERT INTO secret (name, value) VALUES ('unwritable', :value)"), {"value": value}
    )


def test_a_reader_of_commits_that_fails_does_not_keep_the_answer_back(open_database: Open) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("a reader failed")

    database = open_database(on_commit=fail)

    def job(tx: Tx) -> str:
        tx.notice("something")
        return "done"

    assert database.submit(job).result(LIMIT_S) == "done"
    assert database.submit(job).result(LIMIT_S) == "done"


def test_a_cancelled_job_is_not_run_and_harms_nobody(database: Database) -> None:
    with held(database):
        cancelled = database.submit(put("cancelled"))
        kept = database.submit(put("kept"))
        assert cancelled.cancel()
    assert kept.result(LIMIT_S) == "kept"
    assert database.read_now(names) == ["kept"]


def test_the_order_of_calls_is_the_order_of_jobs_commits_and_tellings(
    open_database: Open,
) -> None:
    told: list[object] = []

    def on_commit(batch: list[Committed]) -> None:
        told.extend(notice for committed in batch for notice in committed.notices)

    database = open_database(on_commit=on_commit)
    ran: list[int] = []

    def job(number: int) -> Callable[[Tx], None]:
        def run(tx: Tx) -> None:
            ran.append(number)
            tx.notice(number)

        return run

    futures = [database.submit(job(number)) for number in range(300)]
    for future in futures:
        future.result(LIMIT_S)
    assert ran == told == list(range(300))


def test_the_answer_comes_only_when_another_connection_sees_the_row(
    open_database: Open, database: Database
) -> None:
    other = open_database()
    seen: list[bool] = []
    for number in range(20):
        future = database.submit(put(f"row{number}"))

        def look(done: Future[str]) -> None:
            seen.append(done.result() in other.read_now(names))

        future.add_done_callback(look)
        future.result(LIMIT_S)
    wait_until(lambda: len(seen) == 20, LIMIT_S)
    assert all(seen)


def test_a_full_queue_refuses_at_once_and_what_was_accepted_is_done(database: Database) -> None:
    with held(database):
        futures = [database.submit(lambda _: 1) for _ in range(MAX_QUEUED_JOBS)]
        with pytest.raises(Unavailable):
            database.submit(lambda _: 1)
        assert database.queued == MAX_QUEUED_JOBS
    assert sum(future.result(LIMIT_S) for future in futures) == MAX_QUEUED_JOBS


def test_closing_finishes_what_is_queued_and_refuses_what_comes(
    open_database: Open, database: Database
) -> None:
    closing = threading.Thread(target=database.close)
    with held(database):
        futures = [database.submit(put(f"job{n}")) for n in range(20)]
        closing.start()
        wait_until(lambda: _refuses(database), LIMIT_S)
    closing.join(LIMIT_S)
    assert not closing.is_alive()
    assert [f.result(0) for f in futures] == [f"job{n}" for n in range(20)]
    database.close()
    assert len(open_database().read_now(names)) == 20


def _refuses(database: Database) -> bool:
    try:
        database.submit(lambda _: None)
    except Unavailable:
        return True
    return False


async def test_reading_after_closing_is_refused_not_a_crash(database: Database) -> None:
    database.close()
    with pytest.raises(Unavailable):
        await database.read(names)


async def test_a_caller_that_waits_too_long_is_told_to_try_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "patience_s", 0.05)
    with held(database), pytest.raises(Unavailable):
        await database.write(put("late"))
    # The job was accepted and is done all the same.
    await asyncio.to_thread(wait_until, lambda: database.read_now(names) == ["late"], LIMIT_S)


def test_commits_are_on_disk_before_they_are_told(database: Database) -> None:
    def settings(tx: Tx) -> dict[str, object]:
        if database.is_sqlite:
            pragmas = ("journal_mode", "synchronous", "foreign_keys")
            return {p: tx.execute(text(f"PRAGMA {p}")).scalar_one() for p in pragmas}
        return {
            name: tx.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("synchronous_commit", "fsync")
        }

    full = 2
    expected: dict[str, object] = (
        {"journal_mode": "wal", "synchronous": full, "foreign_keys": 1}
        if database.is_sqlite
        else {"synchronous_commit": "on", "fsync": "on"}
    )
    assert database.write_now(settings) == expected


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
        database.read_now(
            lambda c: c.execute(text("INSERT INTO secret (name, value) VALUES ('a', 'b')"))
        )
    assert database.read_now(names) == []


def test_a_reader_sees_one_state_whatever_is_committed_meanwhile(database: Database) -> None:
    def look_twice(connection: Connection) -> tuple[list[str], list[str]]:
        before = names(connection)
        database.write_now(put("meanwhile"))
        return before, names(connection)

    assert database.read_now(look_twice) == ([], [])
    assert database.read_now(names) == ["meanwhile"]


def test_foreign_keys_are_kept(database: Database) -> None:
    with pytest.raises(IntegrityError):
        database.write_now(
            lambda tx: tx.later(
                text("INSERT INTO team_member (team_id, agent_id) VALUES ('nobody', 'nothing')")
            )
        )


def test_time_never_goes_back_though_the_machine_s_clock_does(open_database: Open) -> None:
    shown = iter([1000.0, 2000.0, 1500.0, 1600.0, 2001.0])
    database = open_database(clock=Clock(lambda: next(shown)))
    times = [database.write_now(lambda tx: tx.at_ms) for _ in range(5)]
    assert times == [1_000_000, 2_000_000, 2_000_000, 2_000_000, 2_001_000]


def test_after_a_restart_time_goes_on_from_the_last_event(open_database: Open) -> None:
    database = open_database()
    ahead = database.write_now(lambda tx: tx.at_ms) + 3_600_000
    database.clock.not_before(ahead)
    assert database.write_now(lambda tx: tx.at_ms) >= ahead
    assert database.clock() >= ahead


def test_a_clock_that_follows_the_database_s_gives_about_its_time() -> None:
    clock = Clock(lambda: 1000.0)
    assert clock() == 1_000_000
    assert clock.follow(5_000_000) == 5_000_000
    assert clock() == 5_000_000
    assert clock.follow(4_999_999) == 5_000_000


@pytest.mark.parametrize("how", ["stop", "crash"])
def test_postgresql_restarted_under_it_is_unavailable_and_then_works_again(
    postgres: PostgresCluster, postgres_url: str, open_postgres: Open, how: str
) -> None:
    database = open_postgres()
    database.write_now(put("before"))
    assert database.read_now(names) == ["before"]
    try:
        getattr(postgres, how)()
        with pytest.raises(Unavailable):
            database.write_now(put("meanwhile"))
        with pytest.raises(Unavailable):
            database.read_now(names)
    finally:
        postgres.start()
    assert wait_until(lambda: _tried(database, "after"), LIMIT_S)
    assert database.read_now(names) == ["after", "before"]


def _tried(database: Database, name: str) -> bool:
    try:
        return bool(database.write_now(put(name)))
    except Unavailable:
        return False


def test_two_processes_that_lock_each_other_out_both_get_their_answer(
    open_postgres: Open,
) -> None:
    one, two = open_postgres(), open_postgres()
    one.write_now(put("a"))
    one.write_now(put("b"))
    meet = threading.Barrier(2)

    def cross(first: str, second: str) -> Callable[[Tx], list[str]]:
        runs: list[str] = []

        def job(tx: Tx) -> list[str]:
            runs.append(first)
            lock = text("SELECT name FROM secret WHERE name = :name FOR UPDATE")
            tx.execute(lock, {"name": first})
            if len(runs) == 1:
                meet.wait(LIMIT_S)
            tx.execute(lock, {"name": second})
            tx.later(text("UPDATE secret SET value = value || :v WHERE name = 'a'"), {"v": first})
            return runs

        return job

    futures = one.submit(cross("a", "b")), two.submit(cross("b", "a"))
    runs = [len(future.result(LIMIT_S)) for future in futures]
    assert min(runs) == 1
    assert 2 <= max(runs) <= database_module.MAX_RUNS
    value = one.read_now(lambda c: c.execute(text("SELECT value FROM secret WHERE name='a'")))
    assert sorted(value.scalar_one()) == ["a", "b"]


def test_two_processes_that_make_the_same_row_both_get_their_answer(open_postgres: Open) -> None:
    one, two = open_postgres(), open_postgres()
    meet = threading.Barrier(2)

    def make_once() -> Callable[[Tx], str]:
        runs: list[int] = []

        def job(tx: Tx) -> str:
            found = tx.execute(text("SELECT name FROM secret WHERE name = 'once'")).scalar()
            runs.append(1)
            if len(runs) == 1:
                meet.wait(LIMIT_S)
            return f"found {found}" if found else put("once")(tx)

        return job

    answers = [f.result(LIMIT_S) for f in (one.submit(make_once()), two.submit(make_once()))]
    assert sorted(answers) == ["found once", "once"]


def test_who_waits_longer_than_the_patience_for_a_lock_is_told_to_try_again(
    open_postgres: Open,
) -> None:
    holder, waiting = open_postgres(), open_postgres(patience_s=0.2)
    holder.write_now(put("a"))
    lock = text("SELECT name FROM secret WHERE name = 'a' FOR UPDATE")
    locked, go_on = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        tx.execute(lock)
        locked.set()
        assert go_on.wait(LIMIT_S)

    held_on = holder.submit(hold)
    assert locked.wait(LIMIT_S)
    with pytest.raises(Unavailable):
        waiting.write_now(lambda tx: tx.execute(lock).scalar_one())
    go_on.set()
    held_on.result(LIMIT_S)
    assert waiting.write_now(lambda tx: tx.execute(lock).scalar_one()) == "a"


@pytest.mark.parametrize("neighbours", [0, 2])
def test_what_stood_still_longer_than_the_patience_runs_once_more(
    open_postgres: Open, neighbours: int
) -> None:
    other, still = open_postgres(), open_postgres(patience_s=0.2)
    sessions: list[int] = []

    def stand(tx: Tx) -> str:
        sessions.append(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
        if len(sessions) == 1:
            wait_until(lambda: _is_gone(other, sessions[0]), LIMIT_S)
        tx.execute(text("SELECT 1"))
        return put("stood")(tx)

    with held(still):
        before = still.submit(put("before"))
        standing = still.submit(stand)
        after = [still.submit(put(f"after {number}")) for number in range(neighbours)]
    assert before.result(LIMIT_S) == "before"
    assert standing.result(LIMIT_S) == "stood"
    assert [future.result(LIMIT_S) for future in after] == [f"after {n}" for n in range(neighbours)]
    assert len(sessions) == 2
    kept = [*(f"after {number}" for number in range(neighbours)), "before", "stood"]
    assert still.read_now(names) == kept


def test_a_job_that_always_stands_still_is_refused_and_the_next_one_works(
    open_postgres: Open,
) -> None:
    other, still = open_postgres(), open_postgres(patience_s=0.2)
    sessions: list[int] = []

    def stand(tx: Tx) -> None:
        sessions.append(tx.execute(text("SELECT pg_backend_pid()")).scalar_one())
        wait_until(lambda: _is_gone(other, sessions[-1]), LIMIT_S)
        tx.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        still.write_now(stand)
    assert len(sessions) == 2
    assert still.write_now(put("after")) == "after"


def _is_gone(database: Database, session: int) -> bool:
    alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    return not database.read_now(lambda c: c.execute(alive, {"pid": session}).scalar_one())
