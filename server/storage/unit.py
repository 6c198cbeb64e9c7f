"""The unit of work: what one job has read and is going to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any  # Any: SQLAlchemy parameters, an answer

from sqlalchemy import Connection, CursorResult, Executable, Table, UpdateBase, delete

from server.domain import ticket as tickets
from server.domain.actors import Actor
from server.domain.changing import changed
from server.domain.conversation import Applied, Conversation, Session, apply, opened
from server.domain.events import (
    ConversationOpened,
    Event,
    EventData,
    MessagePosted,
    TicketCreated,
    seen_by_shopper,
)
from server.domain.replay import Replayed
from server.domain.ticket import Ticket
from server.domain.turns import Turn
from server.storage.ids import new_id
from server.storage.pending import (
    REMEMBERED,
    AgentStatus,
    DraftKey,
    MarkKey,
    Pending,
    PostKey,
)
from server.storage.prepared import Driver, Statement, Values
from server.storage.rows import SESSION, TURN, Message
from server.storage.ticket_rows import SAVE_TICKET, load_ticket, ticket_values


class Tx:
    """One job's view of the database: reads go through at once, writes happen in ``flush``.

    ``at_ms`` is the instant of the job, ms UTC. Conversations are loaded once and locked for the
    job; after ``record`` the newest state is in ``conversation(id)``. Who had to wait for another
    process to let go of one goes on after that process: in time, and in the log.
    """

    def __init__(self, pending: Pending) -> None:
        self.at_ms = pending.now()
        self._pending = pending
        self.events: list[Event] = []
        self.notices: list[object] = []
        self.messages: list[Message] = []
        self._conversations: dict[str, Conversation | None] = {}
        self._stored: dict[str, Conversation | None] = {}
        self._new: dict[str, str | None] = {}
        # In the order of their first change; the values mean nothing.
        self._changed: dict[str, None] = {}
        self._previews: dict[str, str] = {}
        self._sessions: dict[tuple[str, int], Session] = {}
        self._turns: dict[tuple[str, int], Turn] = {}
        self._tickets: dict[str, Ticket | None] = {}
        self._changed_tickets: dict[str, str | None] = {}
        self._drafts: dict[DraftKey, Values | None] = {}
        self._marks: dict[MarkKey, Values] = {}
        self._later: list[tuple[Executable, Any]] = []  # Any: parameters
        self._before: list[tuple[Executable, Any]] = []  # Any: parameters
        self._finish: Callable[[Any], Any] | None = None  # Any: the job's answer
        self.wrote = False

    @property
    def connection(self) -> Connection:
        """For queries, which see everything that the jobs before this one wrote.

        That costs them their common write: what a message asks for has methods of its own here.
        """
        return self._pending.connection

    def new_id(self) -> str:
        """A fresh id, ordered by the time of this job."""
        return new_id(self.at_ms)

    def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | None = None,  # Any: values
    ) -> CursorResult[Any]:  # Any: untyped rows
        """The result of a query. Do not write through it: use ``later``."""
        return self.connection.execute(statement, parameters)

    def later(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | list[Mapping[str, Any]] | None = None,  # Any: values
        *,
        first: bool = False,
    ) -> None:
        """Remembers a write for ``flush``; ``first`` puts it before conversations and events."""
        (self._before if first else self._later).append((statement, parameters))

    def write(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Writes rows at once, so that what this job reads next sees them.

        A job that raises after it undoes the common write of all: refuse before.
        """
        if rows:
            self.wrote = True
            Driver(self.connection).write(statement, rows)

    def notice(self, notice: object) -> None:
        """Remembers something to tell after the commit that is no event (read marks, presence)."""
        self.notices.append(notice)

    def finish_with(self, finish: Callable[[Any], Any]) -> None:  # Any: the job's answer
        """Remembers what completes the answer after ``flush``, in the same transaction.

        It may read what was written and write through the connection. It must not refuse: what it
        raises undoes the job.
        """
        self._finish = finish

    def finished(self, answer: Any) -> Any:  # Any: the job's answer
        """The answer as ``finish_with`` completes it."""
        if self._finish is None:
            return answer
        self._pending.flush()
        finished = self._finish(answer)
        self._pending.forget()
        return finished

    def conversation(self, conversation_id: str) -> Conversation | None:
        """The conversation, locked until the commit, or None when there is none."""
        if conversation_id not in self._conversations:
            found = self._pending.conversation(conversation_id)
            self.at_ms = self._pending.not_before(self.at_ms)
            self._conversations[conversation_id] = self._stored[conversation_id] = found
        return self._conversations[conversation_id]

    def ticket(self, ticket_id: str) -> Ticket | None:
        """The ticket, locked with its thread until the commit, or None when there is none."""
        if ticket_id not in self._tickets:
            thread = self.conversation(ticket_id)
            known = thread is not None and thread.channel == tickets.CHANNEL
            self._tickets[ticket_id] = load_ticket(self.connection, ticket_id) if known else None
        return self._tickets[ticket_id]

    def name_ticket(self, ticket_id: str, client_key: str) -> None:
        """Remembers by what the maker of a ticket that is new in this job finds it again."""
        self._changed_tickets[ticket_id] = client_key

    def set_due(self, ticket_id: str, *, next_due_at_ms: int | None, next_due: str | None) -> None:
        """Keeps when a ticket is due next and by which target; both None when nothing is due.

        This is no event: the targets work it out again from what is in the log.
        """
        ticket = self.ticket(ticket_id)
        due = (next_due_at_ms, next_due)
        if ticket is None or (ticket.next_due_at_ms, ticket.next_due) == due:
            return
        self._tickets[ticket_id] = changed(ticket, next_due_at_ms=due[0], next_due=due[1])
        self._changed_tickets.setdefault(ticket_id)

    def latest_chat(self, customer_id: str) -> str | None:
        """The id of a customer's chat with the latest activity, spam aside, or None.

        Another process may open a newer one unless the customer is locked.
        """
        return self._pending.latest_chat(customer_id)

    def blocked(self, customer_id: str) -> bool:
        """True when messages of the customer are refused."""
        return self._pending.blocked(customer_id)

    def posted(self, key: PostKey) -> Message | None:
        """The message that a sender has posted under an id of its own, or None."""
        return self._pending.posted(key)

    def message(self, message_id: str) -> Message | None:
        """A message by its id, or None."""
        return self._pending.message(message_id)

    def status_of(self, agent_id: str) -> AgentStatus | None:
        """The state of a person now, or None when there is no such person."""
        return self._pending.status(agent_id)

    def more(self, holds: Callable[[Conversation], bool]) -> int:
        """For how many more conversations something holds by this job than the database counts yet.

        Negative when there are fewer.
        """
        return sum(
            _count(holds, self._conversations[key]) - _count(holds, self._stored.get(key))
            for key in self._changed
        )

    def expect_events(self, count: int) -> None:
        """Tells that so many events are about to be recorded: their numbers come in one trip."""
        self._pending.expect_events(count)

    def record(
        self,
        actor: Actor,
        data: EventData,
        *,
        conversation: Conversation | None = None,
        customer_id: str | None = None,
        at_ms: int | None = None,
        event_id: str | None = None,
        imported: bool = False,
    ) -> Event:
        """Appends an event to the log and applies it; the conversation's new state is kept here.

        ``customer_id`` is for events outside a conversation.
        """
        seq = self._pending.next_seq(conversation.last_seq if conversation else 0)
        event = Event(
            seq=seq,
            event_id=event_id or f"e{seq}",
            at_ms=self.at_ms if at_ms is None else at_ms,
            data=data,
            actor_kind=actor.kind,
            actor_id=actor.id,
            conversation_id=conversation.id if conversation else None,
            customer_id=conversation.customer_id if conversation else customer_id,
            session_no=conversation.session_no if conversation else None,
            channel=conversation.channel if conversation else None,
            team_id=conversation.team_id if conversation else None,
            staff_seq=conversation.staff_seq + 1 if conversation else None,
            visitor_seq=conversation.visitor_seq + 1
            if conversation and seen_by_shopper(data)
            else None,
            imported=imported,
        )
        self.events.append(event)
        if conversation is not None:
            self._keep(apply(conversation, event))
            if conversation.channel == tickets.CHANNEL:
                self._keep_ticket(event)
        return event

    def open_conversation(
        self,
        actor: Actor,
        data: ConversationOpened,
        *,
        customer_id: str,
        at_ms: int | None = None,
        event_id: str | None = None,
        external_id: str | None = None,
        imported: bool = False,
    ) -> Conversation:
        """A new conversation, begun by its first event."""
        conversation_id = self.new_id()
        seq = self._pending.next_seq(0)
        event = Event(
            seq=seq,
            event_id=event_id or f"e{seq}",
            at_ms=self.at_ms if at_ms is None else at_ms,
            data=data,
            actor_kind=actor.kind,
            actor_id=actor.id,
            conversation_id=conversation_id,
            customer_id=customer_id,
            channel=data.channel,
            staff_seq=1,
            visitor_seq=1,
            imported=imported,
        )
        self.events.append(event)
        conversation = opened(event)
        self._new[conversation_id] = external_id
        self._conversations[conversation_id] = conversation
        self._changed[conversation_id] = None
        return conversation

    def rewrite(self, replayed: Replayed) -> None:
        """Puts what a replay of the log says in the place of a conversation and its rows.

        Nothing about the conversation may be recorded in this job after it.
        """
        conversation = replayed.conversation
        key = conversation.id
        for target in (SESSION, TURN):
            self.later(delete(target).where(target.c.conversation_id == key), first=True)
        self._conversations[key] = conversation
        self._changed[key] = None
        self._sessions = {name: s for name, s in self._sessions.items() if name[0] != key}
        self._sessions |= {(key, no): session for no, session in replayed.sessions.items()}
        self._turns = {name: turn for name, turn in self._turns.items() if name[0] != key}
        self._turns |= {(key, no): turn for no, turn in replayed.turns.items()}

    def current(self, conversation: Conversation) -> Conversation:
        """The newest state of a conversation that this job has worked on."""
        return self._conversations.get(conversation.id) or conversation

    @property
    def changed(self) -> list[Conversation]:
        """The conversations that this job has begun or changed, in their newest state."""
        return [c for key in self._changed if (c := self._conversations[key]) is not None]

    def add_message(
        self,
        event: Event,
        *,
        client_id: str | None,
        body: str,
        blocks: list[dict[str, Any]] | None,  # Any: JSON
        preview: str,
    ) -> None:
        """Remembers the text of a ``message.posted`` event."""
        if not isinstance(event.data, MessagePosted) or event.conversation_id is None:
            raise TypeError("only message.posted carries a text")
        self._previews[event.conversation_id] = preview
        self.messages.append(
            Message(
                id=event.data.message_id,
                conversation_id=event.conversation_id,
                seq=event.seq,
                staff_seq=event.staff_seq or 0,
                visitor_seq=event.visitor_seq,
                sender_kind=event.actor_kind,
                sender_id=event.actor_id,
                client_id=client_id,
                visibility=event.data.visibility,
                origin=event.data.origin,
                body=body,
                blocks=blocks,
                at_ms=event.at_ms,
            )
        )

    def keep_draft(self, key: DraftKey, draft: Values | None) -> None:
        """Remembers what an agent has begun to write in a conversation, None to forget it."""
        self._drafts[key] = draft

    def keep_mark(self, key: MarkKey, mark: Values) -> None:
        """Remembers how far a reader has read."""
        self._marks[key] = mark

    def flush(self) -> None:
        """Hands on what this job writes; raises the database's errors.

        What went through ``later`` is in the database at once, everything else before the next
        query or the commit.
        """
        if self._before:
            self._run(self._before)
        self._pending.add(
            events=self.events,
            messages=self.messages,
            conversations=self.changed,
            new=self._new,
            previews=self._previews,
            sessions=self._sessions,
            turns=self._turns,
            drafts=self._drafts,
            marks=self._marks,
        )
        if self._changed_tickets:
            rows = [
                ticket_values(ticket, client_key=client_key)
                for key, client_key in self._changed_tickets.items()
                if (ticket := self._tickets[key]) is not None
            ]
            # Behind the threads, to which the rows refer.
            Driver(self._pending.connection).write(SAVE_TICKET, rows)
        if self._later:
            self._run(self._later)

    def _run(self, writes: list[tuple[Executable, Any]]) -> None:  # Any: parameters
        connection = self._pending.connection
        for statement, parameters in writes:
            connection.execute(statement, parameters)
        if any(_changes_what_is_known(statement) for statement, _ in writes):
            self._pending.forget()

    def _keep(self, applied: Applied) -> None:
        conversation = applied.conversation
        self._conversations[conversation.id] = conversation
        self._changed[conversation.id] = None
        for session in applied.sessions:
            self._sessions[(session.conversation_id, session.session_no)] = session
        for turn in applied.turns:
            self._turns[(turn.conversation_id, turn.turn_no)] = turn

    def _keep_ticket(self, event: Event) -> None:
        key = event.conversation_id or ""
        if isinstance(event.data, TicketCreated):
            self._tickets[key] = tickets.created(event)
        else:
            ticket = self.ticket(key)
            # The history of another desk has threads of tickets without tickets.
            if ticket is None:
                return
            self._tickets[key] = tickets.apply(ticket, event)
        self._changed_tickets.setdefault(key)


def _changes_what_is_known(statement: Executable) -> bool:
    """False for writes to tables of which the writer remembers nothing."""
    if not isinstance(statement, UpdateBase):
        return True
    return not isinstance(statement.table, Table) or statement.table.name in REMEMBERED


def _count(holds: Callable[[Conversation], bool], conversation: Conversation | None) -> int:
    return int(conversation is not None and holds(conversation))
