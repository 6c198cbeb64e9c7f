"""Bringing in another desk's history: the events of an NDJSON file become events of the log.

Historical times are kept and every event is marked as imported, so nothing that watches the log
routes, notifies or measures it as if it happened now. The same ``event_id`` again changes nothing.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO  # Any: JSON values
from zoneinfo import ZoneInfo

import orjson

from server.actions.corrections import void_event
from server.actions.messages import preview_of
from server.domain.actors import SYSTEM, Actor
from server.domain.conversation import SESSION_GAP_MS, Conversation, needs_session
from server.domain.corrections import REASONS
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    ConversationOpened,
    ConversationStatusChanged,
    Event,
    EventData,
    MessagePosted,
    MessageRedacted,
    SessionStarted,
    SuggestionShown,
    from_json,
)
from server.domain.importing import (
    EVENT_PREFIX,
    MESSAGE_KINDS,
    OPENED_PREFIX,
    RELEASED_PREFIX,
    REOPENED_PREFIX,
    SESSION_PREFIX,
    SUGGESTION_KINDS,
    VOID_KIND,
    ImportRow,
    Rejected,
    Sorted,
    agent_keys,
    read_row,
    sort_out,
)
from server.domain.periods import zone
from server.storage import customers, erasure, imports, tombstones
from server.storage.connection import Connection
from server.storage.corrections import load_event
from server.storage.customers import Customer
from server.storage.database import Database
from server.storage.event_log import conversation_events
from server.storage.ratings import set_rating_comment
from server.storage.shop import load_shop
from server.storage.unit import Tx

BATCH_ROWS = 500
RELEASED_TOGETHER = 100
MAX_LINE_BYTES = 256 * 1024
_BOM = b"\xef\xbb\xbf"

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class ImportOutcome:
    """How many rows were taken, were known already, and which were refused and why."""

    accepted: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, rows: Sorted) -> None:
        """Counts a batch in."""
        self.accepted += len(rows.taken)
        self.unchanged += rows.unchanged
        self.rejected += rows.rejected


def import_events(
    database: Database, path: Path, *, dry_run: bool = False, progress: Progress | None = None
) -> ImportOutcome:
    """Takes the events of an NDJSON file in the order of (time, line), 500 rows a transaction.

    With ``dry_run`` everything is checked and nothing written. ``progress`` is told (rows done,
    rows in all). Memory grows with the number of rows, not with their size. Raises InvalidInput
    when there is no shop, OSError when the file cannot be read.
    """
    shop = database.read_now(load_shop)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    tz = zone(shop.timezone)
    outcome = ImportOutcome()
    with path.open("rb") as file:
        index = _index(file, tz, outcome)
        trial = Trial()
        total = len(index.order)
        for start in range(0, total, BATCH_ROWS):
            rows = index.rows(file, start, tz)
            voids = [row for row in rows if row.kind == VOID_KIND]
            if dry_run:
                outcome.add(database.read_now(partial(trial.batch, rows=rows)))
            else:
                others = [row for row in rows if row.kind != VOID_KIND]
                outcome.add(database.write_now(partial(import_batch, rows=others)))
                for row in voids:
                    outcome.add(database.write_now(partial(import_void, row=row)))
            if progress is not None:
                progress(min(start + BATCH_ROWS, total), total)
    outcome.rejected.sort(key=lambda rejected: rejected.line)
    if not dry_run:
        while database.write_now(release_open):
            pass
    return outcome


def import_batch(
    tx: Tx, rows: Sequence[ImportRow], *, people: Mapping[str, str] | None = None
) -> Sorted:
    """Takes rows in order within one transaction; tells apart what was taken, known and refused.

    ``people`` has names to show for agents, by what the rows call them.
    """
    names = {row.conversation for row in rows if row.conversation is not None}
    found = imports.conversations_by_external_id(tx.connection, names)
    sorted_rows = sort_out(
        (row for row in rows if row.kind != VOID_KIND),
        known=_known(tx.connection, rows),
        customers={name: owner for name, (_, _, owner) in found.items()},
    )
    batch = _Batch(
        tx,
        sorted_rows.taken,
        conversations={name: conversation_id for name, (conversation_id, _, _) in found.items()},
        people=people or {},
    )
    for row in sorted_rows.taken:
        batch.take(row)
    batch.finish()
    alone = f"{VOID_KIND} is taken by `shopbell import events` alone."
    sorted_rows.rejected += [Rejected(row.line, alone) for row in rows if row.kind == VOID_KIND]
    return sorted_rows


def import_conversations(
    tx: Tx, rows: Sequence[ImportRow], *, people: Mapping[str, str] | None = None
) -> Sorted:
    """As ``import_batch``, for rows that end their conversations: what is open then is nobody's.

    So no colleague's places are taken by another desk's open chats while the import goes on.
    """
    sorted_rows = import_batch(tx, rows, people=people)
    here = imports.active_people(tx.connection)
    given = {
        event.conversation_id
        for event in tx.events
        if isinstance(event.data, AssignmentAccepted | AssignmentChanged)
    }
    for conversation in tx.changed:
        if conversation.assignee_id in here and conversation.id in given:
            _release(tx, conversation)
    return sorted_rows


def release_open(tx: Tx) -> int:
    """Takes open conversations that an import brought from people who work here; how many."""
    found = imports.still_owned(tx.connection, limit=RELEASED_TOGETHER)
    for conversation_id in found:
        conversation = tx.conversation(conversation_id)
        if conversation is not None:
            _release(tx, conversation)
    return len(found)


def _release(tx: Tx, conversation: Conversation) -> None:
    """Makes an open conversation nobody's, at the time of the last thing that happened in it."""
    if conversation.status not in ("open", "snoozed") or conversation.assignee_id is None:
        return
    at_ms = max(conversation.last_activity_at_ms, conversation.owner.since_ms)
    tx.record(
        SYSTEM,
        AssignmentEnded(from_=conversation.assignee_id, reason="import"),
        conversation=conversation,
        at_ms=at_ms,
        event_id=f"{RELEASED_PREFIX}{conversation.id}:{conversation.staff_seq}",
        imported=True,
    )


def import_void(tx: Tx, row: ImportRow) -> Sorted:
    """Takes a row that voids an event of the log, within a transaction of its own."""
    if _known(tx.connection, [row]):
        return Sorted(unchanged=1)
    try:
        target = _target(tx.connection, row)
        batch = _Batch(tx, [row], conversations={}, people={})
        reason = row.values.get("reason")
        void_event(
            tx,
            batch.actor(row, None),
            target,
            reason if reason in REASONS else "other",
            at_ms=row.at_ms,
            event_id=EVENT_PREFIX + row.event_id,
            imported=True,
        )
        batch.finish()
    except AppError as refusal:
        return Sorted(rejected=[Rejected(row.line, refusal.message)])
    return Sorted(taken=[row])


def _target(connection: Connection, row: ImportRow) -> Event:
    """The event that a row voids. Raises NotFound, InvalidInput when it is of another chat."""
    name, seq = row.values.get("target"), row.values.get("target_seq")
    if name is not None:
        seq = imports.seq_of(connection, EVENT_PREFIX + name)
    found = None if seq is None else load_event(connection, seq)
    if found is None:
        raise NotFound("data.target_seq: there is no such event.")
    if row.conversation is not None:
        known = imports.conversations_by_external_id(connection, [row.conversation])
        if found.conversation_id not in [
            conversation_id for conversation_id, _, _ in known.values()
        ]:
            raise InvalidInput("data.target_seq is an event of another conversation.")
    return found


class Trial:
    """What a dry run must remember between batches, because it writes nothing."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._owners: dict[str, str | None] = {}

    def batch(self, connection: Connection, rows: Sequence[ImportRow]) -> Sorted:
        """The rows told apart as ``import_batch`` would."""
        self._known |= _known(connection, rows)
        names = {row.conversation for row in rows if row.conversation is not None}
        found = imports.conversations_by_external_id(connection, names)
        self._owners |= {name: owner for name, (_, _, owner) in found.items()}
        told = sort_out(rows, known=self._known, customers=self._owners)
        for row in [row for row in told.taken if row.kind == VOID_KIND]:
            if row.values.get("target") not in self._known:
                try:
                    _target(connection, row)
                except AppError as refusal:
                    told.taken.remove(row)
                    told.rejected.append(Rejected(row.line, refusal.message))
        return told


@dataclass(frozen=True, slots=True)
class _Index:
    """Where the good lines of a file are, in the order in which they happened."""

    order: list[int]
    offsets: array[int]
    lines: array[int]

    def rows(self, file: BinaryIO, start: int, tz: ZoneInfo) -> list[ImportRow]:
        """The rows of one batch, read again from the file."""
        found = []
        for place in self.order[start : start + BATCH_ROWS]:
            file.seek(self.offsets[place])
            line = self.lines[place]
            found.append(parse_row(file.readline(MAX_LINE_BYTES), line=line, tz=tz))
        return found


def _index(file: BinaryIO, tz: ZoneInfo, outcome: ImportOutcome) -> _Index:
    """Reads the file once; lines that cannot be taken go to ``outcome.rejected``."""
    times, offsets, lines = array("q"), array("q"), array("q")
    for line, offset, raw in _lines(file):
        if raw is None:
            reason = f"The line is longer than {MAX_LINE_BYTES // 1024} KiB."
            outcome.rejected.append(Rejected(line, reason))
            continue
        try:
            row = parse_row(raw, line=line, tz=tz)
        except InvalidInput as refusal:
            outcome.rejected.append(Rejected(line, refusal.message))
            continue
        times.append(row.at_ms)
        offsets.append(offset)
        lines.append(line)
    return _Index(sorted(range(len(times)), key=times.__getitem__), offsets, lines)


def _lines(file: BinaryIO) -> Iterator[tuple[int, int, bytes | None]]:
    """(number, offset, bytes) of the lines that are not blank; None for one that is too long."""
    offset = len(_BOM) if file.read(len(_BOM)) == _BOM else 0
    file.seek(offset)
    line = 0
    while raw := file.readline(MAX_LINE_BYTES):
        line += 1
        here, offset = offset, offset + len(raw)
        if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                offset += len(rest)
            offset += len(rest)
            yield line, here, None
        elif raw.strip():
            yield line, here, raw


def parse_row(raw: bytes, *, line: int, tz: ZoneInfo) -> ImportRow:
    """The row of a line. Raises InvalidInput with the reason."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"The line is not JSON in UTF-8: {error.msg}.") from None
    return read_row(value, line=line, tz=tz)


def _known(connection: Connection, rows: Sequence[ImportRow]) -> set[str]:
    """Those of the rows' event ids that an earlier import has brought."""
    ids = {EVENT_PREFIX + row.event_id for row in rows}
    found = imports.known_events(connection, ids)
    return {event_id.removeprefix(EVENT_PREFIX) for event_id in found}


class _Batch:
    """One transaction of an import: names are looked up once, rows become events one by one."""

    def __init__(
        self,
        tx: Tx,
        rows: Sequence[ImportRow],
        *,
        conversations: dict[str, str],
        people: Mapping[str, str],
    ) -> None:
        self._tx = tx
        self._names = people
        self._conversations = conversations
        self._customers = imports.customers_by_external_id(
            tx.connection, {row.customer for row in rows if row.customer is not None}
        )
        named = set().union(*(row.people for row in rows)) if rows else set()
        self._agents = imports.people_by_name(tx.connection, named)
        self._teams = imports.teams_by_name(tx.connection)
        self._new_people: list[tuple[str, str, str]] = []
        self._seen: dict[str, int] = {}
        self._redacted: set[str] = set()
        # Which offer was the last of an article in a conversation.
        self._offers: dict[tuple[str, str], str] = {}
        # Looked for only in shops where somebody was ever erased.
        self._erased = tombstones.erased_since(
            tx.connection,
            {key for row in rows if row.customer is not None for key in _tombstones(row.customer)},
        )
        self._anybody_erased = tombstones.any_erased(tx.connection)
        self._erased_at_ms: dict[str, int | None] = {}

    def take(self, row: ImportRow) -> None:
        """Records the row, after what it presupposes and the file left out."""
        if row.conversation is None:
            customer_id = self._customer(row) if row.customer else None
            self._record(row, self.actor(row, customer_id), None, customer_id)
            return
        conversation_id = self._conversations.get(row.conversation)
        if conversation_id is None:
            conversation = self._open(row)
            if row.kind == ConversationOpened.kind:
                return
        else:
            found = self._tx.conversation(conversation_id)
            assert found is not None  # events are never deleted
            conversation = found
        if row.actor_kind == "customer":
            self._seen[conversation.customer_id] = row.at_ms
        if row.kind == MessagePosted.kind and row.actor_kind == "customer":
            conversation = self._prepare(row, conversation)
        self._record(row, self.actor(row, conversation.customer_id), conversation)

    def finish(self) -> None:
        """Writes the people and times that the rows brought along."""
        imports.add_people(self._tx, self._new_people)
        imports.see_customers(self._tx, self._seen)
        imports.redact(self._tx, self._redacted)

    def _open(self, row: ImportRow) -> Conversation:
        """The new conversation of a row, opened by the row itself or by what it lets us derive."""
        assert row.conversation is not None  # the caller has checked
        explicit = row.kind == ConversationOpened.kind
        initiator = "agent" if row.actor_kind == "agent" else "customer"
        values = {"channel": row.channel, "initiator": initiator} | (row.values if explicit else {})
        if not values.get("page_url", "").startswith(("http://", "https://")):
            values.pop("page_url", None)
        customer_id = self._customer(row)
        if self._is_erased(row, customer_id):
            values = {k: v for k, v in values.items() if k not in ("page_url", "page_title")}
        prefix = EVENT_PREFIX if explicit else OPENED_PREFIX
        actor = SYSTEM
        if explicit:
            actor = self.actor(row, customer_id)
        conversation = self._tx.open_conversation(
            actor,
            ConversationOpened(**values),
            customer_id=customer_id,
            at_ms=row.at_ms,
            event_id=prefix + row.event_id,
            external_id=row.conversation,
            imported=True,
        )
        self._conversations[row.conversation] = conversation.id
        return conversation

    def _prepare(self, row: ImportRow, conversation: Conversation) -> Conversation:
        """The conversation open and with a session running, as a customer's message finds it."""
        if conversation.status in ("resolved", "closed", "snoozed"):
            data = ConversationStatusChanged(status="open", previous=conversation.status)
            self._derive(row, data, conversation, prefix=REOPENED_PREFIX)
            conversation = self._tx.current(conversation)
        if conversation.status == "spam":
            return conversation
        cause = needs_session(conversation, at_ms=row.at_ms)
        session = conversation.session
        # A session that the file itself has just begun knows no message yet.
        if cause == "gap" and session and row.at_ms - session.started_at_ms <= SESSION_GAP_MS:
            cause = None
        if cause is not None:
            self._derive(row, SessionStarted(cause=cause), conversation, prefix=SESSION_PREFIX)
        return self._tx.current(conversation)

    def _derive(
        self, row: ImportRow, data: EventData, conversation: Conversation, *, prefix: str
    ) -> None:
        self._tx.record(
            SYSTEM,
            data,
            conversation=conversation,
            at_ms=row.at_ms,
            event_id=prefix + row.event_id,
            imported=True,
        )

    def _record(
        self,
        row: ImportRow,
        actor: Actor,
        conversation: Conversation | None,
        customer_id: str | None = None,
    ) -> None:
        values = dict(row.values)
        body = values.pop("body", "")
        comment = values.pop("comment", "")
        chars = len(body)
        if conversation is not None and self._is_erased(row, conversation.customer_id):
            # What happened counts; what was said is not brought back.
            body = comment = ""
        self._name(row, values, conversation)
        if row.kind == MessageRedacted.kind:
            self._redacted.add(values["message_id"])
        if row.kind == MessagePosted.kind:
            values.setdefault("chars", chars)
        event = self._tx.record(
            actor,
            from_json(row.kind, values),
            conversation=conversation,
            customer_id=customer_id,
            at_ms=row.at_ms,
            event_id=EVENT_PREFIX + row.event_id,
            imported=True,
        )
        if row.kind == MessagePosted.kind:
            self._tx.add_message(
                event, client_id=None, body=body, blocks=None, preview=preview_of(body, [])
            )
        if comment and conversation is not None and conversation.session is not None:
            set_rating_comment(
                self._tx, conversation.id, session_no=conversation.session_no, comment=comment
            )

    def _name(
        self,
        row: ImportRow,
        values: dict[str, Any],  # Any: JSON values
        conversation: Conversation | None,
    ) -> None:
        """Puts the ids of this desk where the file has names of its own."""
        for key in agent_keys(row.kind):
            if values.get(key) is not None:
                values[key] = self._agent(values[key])
        if row.kind == "queue.entered":
            name = values.get("team_id") or values.get("queue_id")
            values["team_id"] = self._teams.get(name.lower()) if name else None
        if row.kind in MESSAGE_KINDS:
            name = values.get("message_id") or row.event_id
            values["message_id"] = message_id_of(row.conversation or "", name)
        if row.kind in SUGGESTION_KINDS and conversation is not None:
            self._name_offer(row, values, conversation)

    def _name_offer(
        self,
        row: ImportRow,
        values: dict[str, Any],  # Any: JSON values
        conversation: Conversation,
    ) -> None:
        """Says which offer a row is about where the file does not: the last one of its article."""
        if row.kind == SuggestionShown.kind:
            article = values.pop("article", None)
            if article is not None:
                values.setdefault("articles", [article])
            offer = values.setdefault("suggestion_id", EVENT_PREFIX + row.event_id)
            for shown in values.get("articles", ()):
                self._offers[conversation.id, shown] = offer
        elif "suggestion_id" not in values:
            article = values["article"]
            offer = self._offers.get((conversation.id, article)) or self._offered(
                conversation.id, article
            )
            values["suggestion_id"] = offer or EVENT_PREFIX + row.event_id

    def _offered(self, conversation_id: str, article: str) -> str | None:
        """The last offer of an article that earlier batches brought into a conversation."""
        found = None
        for event in conversation_events(self._tx.connection, conversation_id):
            if isinstance(event.data, SuggestionShown) and article in event.data.articles:
                found = event.data.suggestion_id
        return found

    def actor(self, row: ImportRow, customer_id: str | None) -> Actor:
        """Who did what a row tells of."""
        if row.actor_kind == "agent":
            assert row.actor is not None  # checked when the row was read
            return Actor("agent", self._agent(row.actor), row.actor)
        if row.actor_kind == "customer":
            return Actor("customer", customer_id)
        return Actor(row.actor_kind)

    def _agent(self, name: str) -> str:
        """The id of the agent whom the file calls by this name; unknown ones become inactive."""
        found = self._agents.get(name)
        if found is None:
            found = self._agents[name] = self._tx.new_id()
            self._new_people.append((found, name, self._names.get(name, name)))
        return found

    def _customer(self, row: ImportRow) -> str:
        assert row.customer is not None  # sort_out refuses the row otherwise
        found = self._customers.get(row.customer)
        if found is None:
            found = self._customers[row.customer] = self._tx.new_id()
            gone = any(self._erased.get(key, -1) >= row.at_ms for key in _tombstones(row.customer))
            if gone:
                self._erased_at_ms[found] = self._tx.at_ms
            customers.add_customer(
                self._tx,
                Customer(
                    id=found,
                    external_id=None if gone else row.customer,
                    name=None,
                    email=None,
                    phone=None,
                    locale=None,
                    identity="anonymous" if gone else "claimed",
                    created_at_ms=row.at_ms,
                    seen_at_ms=row.at_ms,
                ),
            )
        return found

    def _is_erased(self, row: ImportRow, customer_id: str) -> bool:
        """Whether a row tells of somebody who was erased after it happened."""
        if not self._anybody_erased:
            return False
        if customer_id not in self._erased_at_ms:
            self._erased_at_ms[customer_id] = erasure.erased_at_ms(self._tx.connection, customer_id)
        at_ms = self._erased_at_ms[customer_id]
        return at_ms is not None and row.at_ms <= at_ms


def _tombstones(name: str) -> tuple[str, str]:
    """Under what an erased person whom another desk calls by a name is remembered."""
    return tombstones.shop_key("shop", name), f"customer:{name}"


def message_id_of(conversation: str, name: str) -> str:
    """The id of an imported message: the same for the same names, 32 hexadecimal digits."""
    return hashlib.sha256(f"{conversation}\0{name}".encode()).hexdigest()[:32]
