"""The database: one writer thread that shares commits, and a pool of readers.

A transaction is a plain function ``job(tx)``. It reads at once and writes when it returns, so a job
that raises has written nothing. Jobs that queue up while a commit runs share the next one (group
commit); a caller gets its answer only after that commit. If an error breaks a batch, its jobs run
again one by one, so one poisoned job cannot fail its neighbours; a job that another process crossed
(deadlock, the same row made twice) runs again on what that process has left, and one of an import
or a command during which the machine stood still runs once more.
"""

from __future__ import annotations

import asyncio
import queue
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar  # Any: SQLAlchemy parameters and results

import structlog
from psycopg.pq import Format
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExecutionContext, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from server.domain.conversation import Conversation
from server.domain.errors import Unavailable
from server.domain.events import Event
from server.stats import Stats
from server.storage.locking import Held
from server.storage.pending import Needs, Pending, States
from server.storage.rows import Message
from server.storage.unit import Tx

T = TypeVar("T")
log = structlog.stdlib.get_logger("shopbell.database")

# Execution options of a statement that reads many bytes: PostgreSQL tells them as text unless told
# otherwise, which takes both sides twice as long. For SQLite it changes nothing.
BINARY = {"binary": True}
MAX_BATCH_JOBS = 200
MAX_BATCH_S = 0.02
# How many jobs are prepared together; they all run, whatever time it is.
MAX_ROUND_JOBS = 50
MAX_QUEUED_JOBS = 5000
READERS = 4
# For two processes that make a new SQLite file at once to have it one after the other.
NEW_FILE_S = 10.0
# How long a caller waits for its commit before it is told to try again; the job may still commit,
# which is why every write that a client repeats carries an id of the client's. Also how long a job
# waits for what another process holds, and how long PostgreSQL lets a transaction stand idle.
PATIENCE_S = 5.0
# How often a job runs that other processes cross; then its caller is told to try again.
MAX_RUNS = 5
_SQLITE_OUTAGES = frozenset(
    {"BUSY", "LOCKED", "FULL", "IOERR", "CANTOPEN", "READONLY", "CORRUPT", "PROTOCOL", "NOMEM"}
)
# A write to what is read-only: a disk that is, when the writer meets it; a bug, when a reader does.
_WRITES_OF_READERS = frozenset({"SQLITE_READONLY", "ReadOnlySqlTransaction"})
# PostgreSQL has ended a transaction that stood still, and undone it: the machine was asleep, or a
# job takes that long between two statements, which must not keep all others waiting for ever.
_STOOD_STILL = "IdleInTransactionSessionTimeout"
_AWAY = "The database is away. Nothing was lost; try again in a moment."


@dataclass(frozen=True, slots=True)
class Committed:
    """What one job left behind once its commit is on disk.

    ``messages`` are the texts it posted and ``conversations`` those it changed, as it left them, so
    that telling of its events needs no read. Both are empty for what another process committed.
    """

    events: tuple[Event, ...]
    notices: tuple[object, ...]
    messages: tuple[Message, ...] = ()
    conversations: tuple[Conversation, ...] = ()


Answered = tuple["_Job", Any, Exception | None]  # Any: each job's own answer


@dataclass(slots=True)
class _Job:
    """``future`` belongs to ``loop`` when there is one, else to whatever thread waits."""

    run: Callable[[Tx], Any]  # Any: each job has its own answer
    needs: Needs | None
    future: Future[Any] | asyncio.Future[Any]  # Any: the same answer
    loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> bool:
        """True when the job is to be run: nobody has cancelled it while it waited."""
        return isinstance(self.future, asyncio.Future) or self.future.set_running_or_notify_cancel()


class Clock:
    """Milliseconds UTC that never go back, whatever happens to the machine's clock.

    With PostgreSQL it follows the database's clock, because several machines share that one.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._last = 0
        self._ahead_ms = 0
        self._followed = False
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """The current time in ms UTC, at least the value given before."""
        with self._lock:
            at_ms = max(self._last, self._machine_ms() + self._ahead_ms)
            if not self._followed:
                self._last = at_ms
            return at_ms

    def not_before(self, at_ms: int) -> None:
        """Continues from ``at_ms`` when the machine's clock is behind it (a clock set back)."""
        with self._lock:
            self._last = max(self._last, at_ms)

    def follow(self, at_ms: int) -> int:
        """The time to use when another clock, followed from now on, shows ``at_ms``."""
        with self._lock:
            self._followed = True
            self._ahead_ms = at_ms - self._machine_ms()
            self._last = max(self._last, at_ms)
            return self._last

    def _machine_ms(self) -> int:
        return int(self._now() * 1000)


class Database:
    """Owner of the writer thread and the engines. Close it to release files and connections."""

    def __init__(
        self,
        url: str | None,
        path: Path,
        *,
        clock: Clock | None = None,
        on_commit: Callable[[Sequence[Committed]], None] | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Opens PostgreSQL at ``url``, or SQLite at ``path`` when ``url`` is None.

        Jobs happen at the time of ``clock``; without one, of this machine's with SQLite and of the
        database's with PostgreSQL.
        ``on_commit`` is called on the writer thread after each commit, before the callers of the
        batch get their answers, with what the batch left behind in commit order. ``patience_s`` is
        how long to wait for an answer and for locks, and how long a transaction may stand idle.
        """
        self.is_sqlite = url is None
        self.patience_s = patience_s
        self.clock = clock or Clock()
        self._follows_database = clock is None and not self.is_sqlite
        self.path = path
        self.on_commit = on_commit
        self.stats = Stats()
        self._writer_engine = _engine(url, path, patience_s, readonly=False)
        self._reader_engine = _engine(url, path, patience_s, readonly=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._states = States()
        self._connection: Connection | None = None
        self._pending: Pending | None = None
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._write_loop, name="writer", daemon=True)
        self._thread.start()

    @property
    def engine(self) -> Engine:
        """The engine that writes; for migrations and checks, not for the message path."""
        return self._writer_engine

    def submit(self, job: Callable[[Tx], T], needs: Needs | None = None) -> Future[T]:
        """A future of the job's answer, done after its commit.

        The order of calls is the order of the jobs. ``needs`` is what the job will most likely ask
        for. Raises Unavailable when too much is queued.
        """
        future: Future[T] = Future()
        self._put(_Job(job, needs, future))
        return future

    async def write(self, job: Callable[[Tx], T], needs: Needs | None = None) -> T:
        """The job's answer after its commit. Raises Unavailable when that takes too long.

        A caller that is cancelled does not take its job back.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Job(job, needs, future, loop))
        limit = loop.call_later(self.patience_s, _give_up, future)
        try:
            return await future
        finally:
            limit.cancel()

    def write_now(self, job: Callable[[Tx], T]) -> T:
        """The job's answer after its commit, for callers without an event loop."""
        return self.submit(job).result()

    async def read(self, query: Callable[[Connection], T], *, limit_s: float | None = None) -> T:
        """The answer of a query on a reader's connection, which cannot write.

        Raises Unavailable when it takes longer than ``limit_s``, and than the database's patience;
        None waits for it.
        """
        self._check_open()
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._readers, self.read_now, query)
        try:
            # Not wait_for, which before Python 3.12 may forget that it was cancelled.
            async with asyncio.timeout(limit_s and max(limit_s, self.patience_s)):
                return await answer
        except TimeoutError:
            raise Unavailable("The database does not answer. Try again in a moment.") from None

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """The answer of a query on this thread, from one consistent state of the database."""
        try:
            with self._reader_engine.connect() as connection, connection.begin():
                return query(connection)
        except (SQLAlchemyError, OSError) as error:
            if not _is_outage(error) or _name_of(error) in _WRITES_OF_READERS:
                raise
            log.warning("database unavailable", error=_name_of(error))
            raise Unavailable(_AWAY) from None

    def close(self) -> None:
        """Finishes what is queued and releases everything; safe to call twice."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
        # Behind everything that was accepted; nothing is accepted any more.
        self._jobs.put(None)
        self._thread.join()
        self._readers.shutdown(wait=True)
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    @property
    def queued(self) -> int:
        """How many jobs wait for the writer."""
        return self._jobs.qsize()

    @property
    def readers_busy(self) -> int:
        """How many connections of readers are in use."""
        pool = self._reader_engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    def _put(self, job: _Job) -> None:
        with self._gate:
            self._check_open()
            if self._jobs.qsize() >= MAX_QUEUED_JOBS:
                raise Unavailable("The server is busy. Try again in a moment.", queue="full")
            self._jobs.put(job)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("The server is shutting down. Try again in a moment.")

    def _write_loop(self) -> None:
        put_off: list[_Job] = []
        while True:
            if put_off:
                put_off = self._run_batch(put_off, more=True, patient=True)
                continue
            job = self._jobs.get()
            if job is None:
                if self._connection is not None:
                    self._connection.close()
                # A cursor that is kept would keep SQLite's file open.
                self._connection, self._pending = None, None
                return
            if job.begin():
                put_off = self._run_batch([job], more=True)

    def _run_batch(
        self, jobs: list[_Job], *, more: bool, run: int = 1, patient: bool = False
    ) -> list[_Job]:
        """Commits or refuses the jobs and, with ``more``, those queued behind them.

        Those that met a lock of another process are put off: they are the answer, to be run next
        and ``patient``, then the first of them waits.
        """
        taken = list(jobs)
        began_s = time.monotonic()
        try:
            batch = self._begin(patient=patient)
            until = began_s + MAX_BATCH_S
            taken += self._waiting(MAX_ROUND_JOBS - len(taken) if more else 0)
            fresh = list(taken)
            while fresh:
                batch.run(fresh)
                in_time = more and time.monotonic() < until
                room = min(MAX_ROUND_JOBS, MAX_BATCH_JOBS - len(taken))
                fresh = self._waiting(room if in_time else 0)
                taken += fresh
            batch.commit()
            self.stats.committed(jobs=len(taken), took_s=time.monotonic() - began_s)
        except Exception as error:  # noqa: BLE001  # told to the callers; must not stop the writer
            self._rollback()
            self._after_failure(taken, error, run=run)
            return []
        self._tell(batch.committed)
        _answer(batch.done)
        return batch.put_off

    def _begin(self, *, patient: bool) -> Batch:
        if self._connection is None or self._pending is None or self._connection.closed:
            self._connection = self._writer_engine.connect()
            self._pending = Pending(self._connection, self._states)
        follow = self.clock.follow if self._follows_database else None
        self._pending.begin(clock=self.clock, follow=follow, patient=patient)
        return Batch(self._pending, patient=patient)

    def _tell(self, committed: Sequence[Committed]) -> None:
        if not committed or self.on_commit is None:
            return
        try:
            self.on_commit(committed)
        except Exception:
            # The commit stands, so the callers must hear of it; others catch up from the log.
            log.exception("telling of a commit failed")

    def _waiting(self, room: int) -> list[_Job]:
        """The jobs that wait in the queue, at most ``room``."""
        found: list[_Job] = []
        while len(found) < room:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            if job.begin():
                found.append(job)
        return found

    def _after_failure(self, jobs: list[_Job], error: Exception, *, run: int) -> None:
        if _name_of(error) == _STOOD_STILL and run == 1:
            log.warning("a transaction stood still", jobs=len(jobs))
            # Who waits on a loop has been told to try again by now, and may have.
            _answer([(job, None, Unavailable(_AWAY)) for job in jobs if job.loop is not None])
            for job in jobs:
                if job.loop is None:
                    self._run_batch([job], more=False, run=2, patient=True)
        elif _is_outage(error):
            log.warning("database unavailable", error=_name_of(error))
            self.stats.outages += 1
            _answer([(job, None, Unavailable(_AWAY)) for job in jobs])
        elif len(jobs) > 1:
            for job in jobs:
                self._run_batch([job], more=False, patient=True)
        elif _is_crossing(error) and run < MAX_RUNS:
            self._run_batch(jobs, more=False, run=run + 1, patient=True)
        elif _is_crossing(error) and not isinstance(error, IntegrityError):
            told = Unavailable("Others change the same thing just now. Try again in a moment.")
            _answer([(jobs[0], None, told)])
        else:
            _answer([(jobs[0], None, error)])

    def _rollback(self) -> None:
        connection, self._connection, self._pending = self._connection, None, None
        if connection is not None:
            try:
                connection.rollback()
                connection.close()
            except (SQLAlchemyError, OSError):
                connection.invalidate()


class Batch:
    """One commit's worth of jobs, and what they share.

    ``done`` holds what to answer each job and ``committed`` what to tell, once the commit is made;
    ``put_off`` the jobs that are to be run in the next one.
    """

    def __init__(self, pending: Pending, *, patient: bool) -> None:
        """``patient`` lets the first job wait for other processes."""
        self.done: list[Answered] = []
        self.committed: list[Committed] = []
        self.put_off: list[_Job] = []
        self._pending = pending
        self._patient = patient

    def run(self, jobs: Sequence[_Job]) -> None:
        """Runs jobs in order. Raises what breaks the whole batch."""
        if self._patient:
            # Before anything is locked that others may wait for.
            self._patient = False
            self._run(jobs[0])
            self._pending.hold_nobody_up()
            jobs = jobs[1:]
        self._pending.prepare([job.needs for job in jobs if job.needs is not None])
        for job in jobs:
            self._run(job)

    def commit(self) -> None:
        """Makes what was run last; what it does is in the database from here on."""
        self._pending.commit()

    def _run(self, job: _Job) -> None:
        """Runs one job; one that raises has written nothing."""
        tx = Tx(self._pending)
        try:
            answer = job.run(tx)
        except (SQLAlchemyError, OSError):
            raise
        except Held:
            if tx.wrote:
                raise
            self.put_off.append(job)
            return
        except Exception as error:
            if tx.wrote:
                # What it has written must go, and with it what the others of this batch have.
                raise
            self.done.append((job, None, error))
            return
        tx.flush()
        self.done.append((job, tx.finished(answer), None))
        if tx.events or tx.notices:
            self.committed.append(
                Committed(
                    tuple(tx.events),
                    tuple(tx.notices),
                    tuple(tx.messages),
                    tuple(tx.changed),
                )
            )


def _answer(done: Iterable[Answered]) -> None:
    """Gives each job its answer, those of an event loop together: waking it up is what costs."""
    of_loops: dict[asyncio.AbstractEventLoop, list[Answered]] = {}
    for job, answer, failure in done:
        if job.loop is not None:
            of_loops.setdefault(job.loop, []).append((job, answer, failure))
        else:
            _settle(job.future, answer, failure)
    for loop, answers in of_loops.items():
        # A loop that was closed meanwhile has nobody waiting.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_all, answers)


def _settle_all(answers: Iterable[Answered]) -> None:
    for job, answer, failure in answers:
        if not job.future.done():
            _settle(job.future, answer, failure)


def _settle(
    future: Future[Any] | asyncio.Future[Any],  # Any: the job's answer
    answer: Any,  # Any: likewise
    failure: Exception | None,
) -> None:
    if failure is None:
        future.set_result(answer)
    else:
        future.set_exception(failure)


def _give_up(future: asyncio.Future[Any]) -> None:  # Any: the answer that came too late
    if not future.done():
        future.set_exception(Unavailable("The database does not answer. Try again in a moment."))


def _is_outage(error: Exception) -> bool:
    """True when the database is away, full or locked, and the same work may succeed later."""
    if isinstance(error, PoolTimeout | OSError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return _name_of(error).removeprefix("SQLITE_").partition("_")[0] in _SQLITE_OUTAGES
    if _is_crossing(error):
        return False
    return isinstance(error, OperationalError) or _name_of(error) in (
        "DiskFull",
        "QueryCanceled",
        "ReadOnlySqlTransaction",
    )


def _is_crossing(error: Exception) -> bool:
    """True when another process was in the way and the job may find its way now."""
    return isinstance(error, IntegrityError) or _name_of(error) in (
        "DeadlockDetected",
        "SerializationFailure",
    )


def _name_of(error: Exception) -> str:
    """What the database calls the error; Python's name where it has none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlite_errorname", type(cause).__name__))


def _engine(url: str | None, path: Path, patience_s: float, *, readonly: bool) -> Engine:
    size = READERS if readonly else 1
    if url is None:
        engine = create_engine(
            f"sqlite:///{path}",
            hide_parameters=True,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=4,
            connect_args={
                "check_same_thread": False,
                "timeout": 2 * patience_s,
                "isolation_level": None,
            },
        )
        event.listen(engine, "connect", _sqlite_reader if readonly else _sqlite_writer)
        if readonly:
            event.listen(engine, "begin", _sqlite_begin)
        return engine
    address = make_url(url).set(drivername="postgresql+psycopg")
    patience_ms = round(patience_s * 1000)
    options = (
        f"-c statement_timeout=60000 -c lock_timeout={patience_ms} -c synchronous_commit=on"
        " -c application_name=shopbell"
    )
    if readonly:
        options += " -c default_transaction_read_only=on"
    else:
        # A machine that is lost in the middle of a transaction says no end of it; its locks would
        # keep the other processes from those conversations for hours.
        options += f" -c idle_in_transaction_session_timeout={patience_ms}"
    engine = create_engine(
        address,
        # What people wrote must not reach a log through an error's text.
        hide_parameters=True,
        pool_size=size,
        max_overflow=4,
        pool_pre_ping=True,
        pool_timeout=patience_s,
        isolation_level="REPEATABLE READ" if readonly else "READ COMMITTED",
        connect_args={
            "connect_timeout": max(2, round(patience_s)),
            "options": options,
            "tcp_user_timeout": patience_ms,
            "keepalives_idle": 5,
        },
    )
    event.listen(engine, "before_cursor_execute", _as_asked)
    return engine


def _as_asked(
    _connection: Connection,
    cursor: Any,  # Any: psycopg.Cursor
    _statement: str,
    _parameters: object,
    context: ExecutionContext | None,
    _many: object,
) -> None:
    """Has PostgreSQL answer in binary form where a statement asks for it by ``BINARY``."""
    if context is not None and context.execution_options.get("binary"):
        cursor.format = Format.BINARY


def _sqlite_writer(connection: Any, _record: object) -> None:  # Any: sqlite3.Connection
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _write_ahead(connection: Any) -> None:  # Any: sqlite3.Connection
    """Lets readers go on beside a writer, from now on in this file.

    Of two that ask this of a new file at once, SQLite refuses one without waiting, whatever the
    limit: each holds what the other needs.
    """
    deadline_s = time.monotonic() + NEW_FILE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(random.uniform(0.005, 0.05))  # noqa: S311  # parts the two
        else:
            return


def _sqlite_reader(connection: Any, _record: object) -> None:  # Any: sqlite3.Connection
    connection.execute("PRAGMA query_only=ON")


def _sqlite_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
