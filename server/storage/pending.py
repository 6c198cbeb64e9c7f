"""What the writer knows of the database, and what it is going to write there.

Jobs that share a commit share their writes: each table gets its rows in one go, a conversation that
ten messages changed is written once. Whoever asks the database for something else, through
``connection``, has everything written first, so no job ever misses what one before it did.

With SQLite what was read stays known from batch to batch until another connection has written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any  # Any: column values

from sqlalchemy import Connection

from server.domain.conversation import Conversation, Session
from server.domain.events import Event
from server.domain.turns import Turn
from server.storage import rows
from server.storage.event_log import NUMBERS, teams_at
from server.storage.hours import HoursBook, load_book
from server.storage.locking import Held, hold_nobody_up
from server.storage.prepared import Driver, Row, Statement, Values
from server.storage.rows import Message

# A sender's own id of a message: kind and id of the sender, client_id.
PostKey = tuple[str, str, str]
# Conversation and agent; conversation, kind and id of the reader.
DraftKey = tuple[str, str]
MarkKey = tuple[str, str, str]
# The tables of which something is known here: who writes to them past ``add`` must ``forget``.
REMEMBERED = frozenset(
    {"agent", "calendar_version", "conversation", "customer_block", "event", "message"}
)
Follow = Callable[[int], int]
MAX_STATES = 2000
_FEWEST_NUMBERS = 16

_NOW_MS = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_BEGIN = Statement(sqlite="BEGIN IMMEDIATE", postgresql="")
# Another one than at the last look when, and only when, another connection has committed since.
_VERSION = Statement(sqlite="PRAGMA data_version", postgresql="")
_CLOCK = Statement(sqlite="", postgresql=f"SELECT {_NOW_MS}")
_CONVERSATIONS = Statement(
    sqlite="SELECT id, state FROM conversation WHERE id IN (SELECT value FROM json_each(?))",
    # In one order, so that two processes do not lock each other out.
    # A row that another process has just changed is read again once the lock is there, and the
    # clock with it, so what is shown is never before the time at which that process wrote.
    postgresql=f"SELECT id, state, {_NOW_MS} FROM conversation WHERE id = ANY(%s)"  # noqa: S608  # constant
    " FOR UPDATE",
)
_FREE_CONVERSATIONS = Statement(
    sqlite=_CONVERSATIONS.sqlite, postgresql=f"{_CONVERSATIONS.postgresql} SKIP LOCKED"
)
_STATUSES = Statement(
    sqlite="SELECT id, active, status, status_at_ms FROM agent"
    " WHERE id IN (SELECT value FROM json_each(?))",
    postgresql="SELECT id, active, status, status_at_ms FROM agent WHERE id = ANY(%s)",
)
_HOURS_SQL = "SELECT coalesce(max(version), 0) FROM calendar_version"
_HOURS = Statement(sqlite=_HOURS_SQL, postgresql=_HOURS_SQL)
_LATEST_OF = (
    "(SELECT id FROM conversation WHERE customer_id = {} AND channel = 'chat' AND status <> 'spam'"
    " ORDER BY last_activity_at_ms DESC LIMIT 1)"
)
_LATEST = Statement(
    sqlite=f"SELECT k.value, {_LATEST_OF.format('k.value')} FROM json_each(?) AS k",  # noqa: S608  # constant
    postgresql=f"SELECT k.id, {_LATEST_OF.format('k.id')} FROM unnest(%s::text[]) AS k(id)",  # noqa: S608  # constant
)
_BLOCKED = Statement(
    sqlite="SELECT customer_id FROM customer_block"
    " WHERE customer_id IN (SELECT value FROM json_each(?))",
    postgresql="SELECT customer_id FROM customer_block WHERE customer_id = ANY(%s)",
)
_MESSAGE_NAMES = ", ".join(f"m.{name}" for name in rows.MESSAGE_NAMES)
_MESSAGE = Statement(
    sqlite=f"SELECT {_MESSAGE_NAMES} FROM message AS m WHERE m.id = ?",  # noqa: S608  # our names
    postgresql=f"SELECT {_MESSAGE_NAMES} FROM message AS m WHERE m.id = %s",  # noqa: S608  # likewise
)
_POSTED = Statement(
    sqlite=f"SELECT {_MESSAGE_NAMES} FROM json_each(?) AS k CROSS JOIN message AS m"  # noqa: S608  # our names
    " ON m.sender_kind = json_extract(k.value, '$[0]')"
    " AND m.sender_id = json_extract(k.value, '$[1]')"
    " AND m.client_id = json_extract(k.value, '$[2]')",
    postgresql=f"SELECT {_MESSAGE_NAMES} FROM unnest(%s::text[], %s::text[], %s::text[])"  # noqa: S608  # likewise
    " AS k(kind, id, client_id) JOIN message AS m"
    " ON m.sender_kind = k.kind AND m.sender_id = k.id AND m.client_id = k.client_id",
)


@dataclass(frozen=True, slots=True)
class Needs:
    """What a job will most likely ask for, so that a batch asks once for all of its jobs.

    ``latest_of`` is the customer whose latest chat it asks for; who posts as a customer is asked
    for among the blocked.
    """

    conversation_id: str | None = None
    post: PostKey | None = None
    latest_of: str | None = None


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """Whether a person works here, and their state since when."""

    active: bool
    status: str
    status_at_ms: int


class States:
    """Conversations by the text they were read from, because reading one costs 20 microseconds.

    It outlives a batch and is never wrong, whoever wrote the text: it is the key.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Conversation]] = {}

    def conversation(self, conversation_id: str, state: str) -> Conversation:
        """The conversation that a stored state describes."""
        known = self._known.get(conversation_id)
        if known is not None and known[0] == state:
            return known[1]
        conversation = rows.conversation_from_json(state)
        self.keep(state, conversation)
        return conversation

    def keep(self, state: str, conversation: Conversation) -> None:
        """Remembers what a state describes; the one used least recently is forgotten."""
        self._known.pop(conversation.id, None)
        self._known[conversation.id] = (state, conversation)
        if len(self._known) > MAX_STATES:
            del self._known[next(iter(self._known))]


class Pending:
    """The conversations that a batch works on, locked until its commit, and its rows to be written.

    One for each connection of the writer. After an error it knows more than the database does, and
    must not be used again.
    """

    def __init__(self, connection: Connection, states: States) -> None:
        self._connection = connection
        self._driver = Driver(connection)
        self._states = states
        self._clock: Callable[[], int] = lambda: 0
        self._follow: Follow | None = None
        self._held: set[str] | None = None
        self._version: int | None = None
        self._conversations: dict[str, Conversation | None] = {}
        self._statuses: dict[str, AgentStatus | None] = {}
        self._posted: dict[PostKey, Message | None] = {}
        self._latest: dict[str, str | None] = {}
        self._blocked: dict[str, bool] = {}
        self._at_ms: int | None = None
        self._expected = 0
        self._numbers: list[int] = []
        self._last: int | None = None
        self._events: list[Event] = []
        self._messages: dict[str, Message] = {}
        self._new: dict[str, str | None] = {}
        self._changed: dict[str, str | None] = {}
        self._sessions: dict[tuple[str, int], Session] = {}
        self._turns: dict[tuple[str, int], Turn] = {}
        self._drafts: dict[DraftKey, Values | None] = {}
        self._marks: dict[MarkKey, Values] = {}
        self._book = HoursBook()
        self._book_is_new = False

    def begin(self, *, clock: Callable[[], int], follow: Follow | None, patient: bool) -> None:
        """Begins a transaction, which ``commit`` ends.

        ``clock`` gives the time; with ``follow`` it is the database's, and that gives the time to
        go on with when the database shows one. ``patient`` is whether the first job may wait for
        what other processes have locked.
        """
        self._clock = clock
        self._follow = follow
        self._at_ms = None
        self._numbers.clear()
        self._posted.clear()
        self._latest.clear()
        # SQLAlchemy has to know of it, or its commit would do nothing.
        self._connection.begin()
        if self._driver.is_sqlite:
            self._driver.run(_BEGIN)
            version = self._driver.rows(_VERSION)[0][0]
            if version != self._version or len(self._conversations) > MAX_STATES:
                self.forget()
            if len(self._blocked) > MAX_STATES:
                self._blocked.clear()
            self._version = version
        else:
            self.forget()
            # One process alone has SQLite, and what is locked is its own.
            self._held = None if patient else set()
            hold_nobody_up(self._connection, self._held)

    def commit(self) -> None:
        """Writes what is pending and commits."""
        self.flush()
        self._connection.commit()

    @property
    def connection(self) -> Connection:
        """The connection for any other statement, with everything written that was pending."""
        self.flush()
        return self._connection

    def hold_nobody_up(self) -> None:
        """Lets every job from now on put off (Held) instead of wait for another process."""
        if self._held is None and not self._driver.is_sqlite:
            self._held = set()
            hold_nobody_up(self._connection, self._held)

    def prepare(self, needs: Sequence[Needs]) -> None:
        """Reads at once, and locks, what several jobs are going to ask for."""
        self._expected = len(needs)
        self._look_for_latest({n.latest_of for n in needs if n.latest_of is not None})
        wanted = {n.conversation_id for n in needs if n.conversation_id is not None}
        wanted |= {key for key in self._latest.values() if key is not None}
        self._load(wanted - self._conversations.keys())
        posts = {n.post for n in needs if n.post is not None}
        self._look_up(posts - self._posted.keys())
        shoppers = {sender for kind, sender, _ in posts if kind == "customer"}
        self._read_blocked(shoppers - self._blocked.keys())
        # Read after the locks: who goes offline from now on finds these conversations to give away.
        found = (self._conversations.get(key) for key in wanted)
        owners = {c.owner.id for c in found if c is not None and c.owner.kind == "agent"}
        if not self._driver.is_sqlite:
            self._statuses.clear()
        self._read_statuses({key for key in owners if key is not None} - self._statuses.keys())

    def conversation(self, conversation_id: str) -> Conversation | None:
        """A conversation as the jobs before left it, or None; locked until the commit.

        Raises Held.
        """
        if conversation_id not in self._conversations:
            self._load({conversation_id})
        if conversation_id not in self._conversations:
            raise Held
        return self._conversations[conversation_id]

    def latest_chat(self, customer_id: str) -> str | None:
        """The id of a customer's chat with the latest activity, spam aside, or None; not locked."""
        known = (self._conversations[key] for key in self._changed)
        if any(c is not None and c.customer_id == customer_id for c in known):
            self.flush()
        if customer_id not in self._latest:
            self._look_for_latest({customer_id})
        return self._latest[customer_id]

    def blocked(self, customer_id: str) -> bool:
        """True when messages of the customer are refused."""
        if customer_id not in self._blocked:
            self._read_blocked({customer_id})
        return self._blocked[customer_id]

    def posted(self, key: PostKey) -> Message | None:
        """The message that a sender has posted under an id of its own, or None."""
        if key not in self._posted:
            self._look_up({key})
        return self._posted[key]

    def message(self, message_id: str) -> Message | None:
        """A message by its id, or None."""
        known = self._messages.get(message_id)
        if known is not None:
            return known
        found = self._driver.rows(_MESSAGE, message_id)
        return _message(found[0]) if found else None

    def status(self, agent_id: str) -> AgentStatus | None:
        """The state of a person now, or None when there is no such person."""
        if agent_id not in self._statuses:
            self._read_statuses([agent_id])
        return self._statuses[agent_id]

    def now(self) -> int:
        """The time of a job that begins now, ms UTC."""
        if self._follow is None:
            return self._clock()
        if self._at_ms is None:
            self._at_ms = self._follow(int(self._driver.rows(_CLOCK)[0][0]))
        return self._at_ms

    def not_before(self, at_ms: int) -> int:
        """The time for a job to go on with that has waited for a lock since ``at_ms``."""
        if self._follow is None or self._at_ms is None:
            return at_ms
        return max(at_ms, self._at_ms)

    def expect_events(self, count: int) -> None:
        """Takes so many numbers of the log at once when the next one is asked for."""
        self._expected = count

    def next_seq(self, above: int) -> int:
        """The next number of the log, above what another process may have taken meanwhile."""
        if self._driver.is_sqlite:
            if self._last is None:
                self._last = int(self._driver.rows(NUMBERS)[0][0])
            self._last += 1
            return self._last
        while self._numbers and self._numbers[-1] <= above:
            self._numbers.pop()
        if not self._numbers:
            count = max(_FEWEST_NUMBERS, self._expected)
            taken = self._driver.rows(NUMBERS, count)
            self._numbers = sorted((int(row[0]) for row in taken), reverse=True)
        return self._numbers.pop()

    def add(
        self,
        *,
        events: Sequence[Event],
        messages: Sequence[Message],
        conversations: Sequence[Conversation],
        new: dict[str, str | None],
        previews: dict[str, str],
        sessions: dict[tuple[str, int], Session],
        turns: dict[tuple[str, int], Turn],
        drafts: dict[DraftKey, Values | None],
        marks: dict[MarkKey, Values],
    ) -> None:
        """Takes what a job writes.

        ``new`` has the external ids of the conversations that are new, ``previews`` the first words
        of the last message, ``drafts`` what agents have begun to write, None where it is gone.
        ``marks`` are how far parties have read.
        """
        self._events.extend(events)
        self._messages.update((message.id, message) for message in messages)
        for conversation in conversations:
            key = conversation.id
            self._conversations[key] = conversation
            self._changed[key] = previews.get(key, self._changed.get(key))
        self._new.update(new)
        for message in messages:
            if message.sender_id is not None and message.client_id is not None:
                self._posted[message.sender_kind, message.sender_id, message.client_id] = message
        self._sessions.update(sessions)
        self._turns.update(turns)
        self._drafts.update(drafts)
        for reader, mark in marks.items():
            known = self._marks.get(reader)
            if known is None or known["message_seq"] < mark["message_seq"]:
                self._marks[reader] = mark

    def flush(self) -> None:
        """Writes what is pending, each table in one go; raises the database's errors."""
        if not (self._events or self._changed or self._drafts or self._marks):
            return
        self._latest.clear()
        write = self._driver.write
        write(rows.SAVE_CONVERSATION, [self._row(key) for key in self._changed])
        write(rows.INSERT_EVENT, [rows.event_values(e) for e in self._events])
        write(rows.INSERT_MESSAGE, [rows.message_values(m) for m in self._messages.values()])
        write(rows.SAVE_SESSION, [rows.session_values(s) for s in self._sessions.values()])
        write(rows.SAVE_TURN, self._turn_rows())
        write(rows.SAVE_MARK, list(self._marks.values()))
        write(rows.SAVE_DRAFT, [draft for draft in self._drafts.values() if draft is not None])
        gone = [key for key, draft in self._drafts.items() if draft is None]
        write(rows.DELETE_DRAFT, [{"conversation_id": c, "agent_id": a} for c, a in gone])
        self._events = []
        for written in (self._changed, self._new, self._messages, self._sessions, self._turns):
            written.clear()
        self._marks.clear()
        self._drafts.clear()

    def forget(self) -> None:
        """Reads anew what is asked for from here on: something else has been written."""
        self._conversations.clear()
        self._statuses.clear()
        self._posted.clear()
        self._latest.clear()
        self._blocked.clear()
        self._last = None
        self._book_is_new = False

    def _turn_rows(self) -> list[dict[str, Any]]:  # Any: column values
        """The rows of the turns with their business clocks, by the hours of now."""
        turns = list(self._turns.values())
        if any(turn.end_at_ms is not None for turn in turns) and not self._book_is_new:
            if self._driver.rows(_HOURS)[0][0] != self._book.version:
                self._book = load_book(self._connection)
            self._book_is_new = True
        if self._book.version == 0:
            return [rows.turn_values(turn, None) for turn in turns]
        teams = {event.seq: event.team_id for event in self._events}
        ends = {turn.end_seq for turn in turns if turn.end_seq is not None}
        # A wait that a reply ended while the shopper was away is told once they are back.
        if earlier := ends - teams.keys():
            teams |= teams_at(self._connection, earlier)
        return [
            rows.turn_values(turn, self._book.wait_ms(turn, teams.get(turn.end_seq or 0)))
            for turn in turns
        ]

    def _row(self, conversation_id: str) -> dict[str, Any]:  # Any: column values
        conversation = self._conversations[conversation_id]
        assert conversation is not None  # only what is there changes
        values = rows.conversation_values(
            conversation,
            external_id=self._new.get(conversation_id),
            preview=self._changed[conversation_id],
        )
        if not self._driver.is_sqlite:
            self._states.keep(values["state"], conversation)
        return values

    def _load(self, ids: Collection[str]) -> None:
        if self._held is not None:
            ids = set(ids) - self._held
        if not ids:
            return
        statement = _CONVERSATIONS if self._held is None else _FREE_CONVERSATIONS
        read = self._driver.rows(statement, self._driver.several(ids))
        found = {row[0]: row[1] for row in read}
        for key in ids:
            state = found.get(key)
            if state is None and self._held is not None:
                self._held.add(key)
                continue
            self._conversations[key] = (
                None if state is None else self._states.conversation(key, state)
            )
        if not self._driver.is_sqlite:
            # Good only for what was locked when they were read.
            self._statuses.clear()
        if self._follow is not None and read:
            self._at_ms = self._follow(max(int(row[2]) for row in read))

    def _look_for_latest(self, customers: Collection[str]) -> None:
        if customers:
            found = self._driver.rows(_LATEST, self._driver.several(customers))
            self._latest.update((row[0], row[1]) for row in found)

    def _read_blocked(self, customers: Collection[str]) -> None:
        if not customers:
            return
        found = self._driver.rows(_BLOCKED, self._driver.several(customers))
        self._blocked.update(dict.fromkeys(customers, False))
        self._blocked.update((row[0], True) for row in found)

    def _look_up(self, keys: Collection[PostKey]) -> None:
        if not keys:
            return
        if self._driver.is_sqlite:
            found = self._driver.rows(_POSTED, self._driver.several(keys))
        else:
            found = self._driver.rows(_POSTED, *map(list, zip(*keys, strict=True)))
        self._posted.update(dict.fromkeys(keys))
        for row in found:
            message = _message(row)
            key = (message.sender_kind, message.sender_id or "", message.client_id or "")
            self._posted[key] = message

    def _read_statuses(self, ids: Collection[str]) -> None:
        if not ids:
            return
        found = self._driver.rows(_STATUSES, self._driver.several(ids))
        self._statuses.update(dict.fromkeys(ids))
        self._statuses.update((r[0], AgentStatus(bool(r[1]), r[2], r[3])) for r in found)


def _message(row: Row) -> Message:
    return rows.message_from_row(dict(zip(rows.MESSAGE_NAMES, row, strict=True)))
