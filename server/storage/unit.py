"""The unit of work: what one job has read and is going to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any  # Any: SQLAlchemy parameters, an answer

from sqlalchemy import Connection, CursorResult, Executable

from server.domain.actors import Actor
from server.domain.conversation import Applied, Conversation, Session, apply, opened
from server.domain.events import (
    ConversationOpened,
    Event,
    EventData,
    MessagePosted,
    seen_by_shopper,
)
from server.domain.turns import Turn
from server.storage import rows
from server.storage.ids import new_id
from server.storage.rows import Message


class Tx:
    """One job's view of the database: reads go through at once, writes happen in ``flush``.

    ``at_ms`` is the instant of the job, ms UTC. Conversations are loaded once and locked for the
    job; after ``record`` the newest state is in ``conversation(id)``. Who had to wait for another
    process to let go of one goes on after that process: in time, and in the log.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        at_ms: int,
        next_seq: Callable[[int], int],
        follow: Callable[[int], int] | None = None,
    ) -> None:
        """``next_seq`` gives a number of the log above the one that it is given.

        ``follow`` gives the time to go on with when the database's clock shows a time, None where
        that clock is not the one that counts.
        """
        self.connection = connection
        self.at_ms = at_ms
        self._follow = follow
        self.events: list[Event] = []
        self.notices: list[object] = []
        self.messages: list[Message] = []
        self._next_seq = next_seq
        self._conversations: dict[str, Conversation | None] = {}
        self._stored: dict[str, Conversation | None] = {}
        self._new: dict[str, str | None] = {}
        # In the order of their first change; the values mean nothing.
        self._changed: dict[str, None] = {}
        self._previews: dict[str, str] = {}
        self._sessions: dict[tuple[str, int], Session] = {}
        self._turns: dict[tuple[str, int], Turn] = {}
        self._later: list[tuple[Executable, Any]] = []  # Any: parameters
        self._before: list[tuple[Executable, Any]] = []  # Any: parameters
        self._finish: Callable[[Any], Any] | None = None  # Any: the job's answer

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
        return answer if self._finish is None else self._finish(answer)

    def conversation(self, conversation_id: str) -> Conversation | None:
        """The conversation, locked until the commit, or None when there is none."""
        if conversation_id not in self._conversations:
            if self._follow is None:
                found = rows.load_conversation(self.connection, conversation_id, lock=True)
            else:
                found, shown_ms = rows.lock_conversation(self.connection, conversation_id)
                self.at_ms = max(self.at_ms, self._follow(shown_ms)) if shown_ms else self.at_ms
            self._conversations[conversation_id] = self._stored[conversation_id] = found
        return self._conversations[conversation_id]

    def more(self, holds: Callable[[Conversation], bool]) -> int:
        """For how many more conversations something holds by this job than the database counts yet.

        Negative when there are fewer.
        """
        return sum(
            _count(holds, self._conversations[key]) - _count(holds, self._stored.get(key))
            for key in self._changed
        )

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
        seq = self._next_seq(conversation.last_seq if conversation else 0)
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
        seq = self._next_seq(0)
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

    def flush(self) -> None:
        """Writes everything remembered, each table in one go; raises the database's errors."""
        for statement, parameters in self._before:
            self.connection.execute(statement, parameters)
        changed = self.changed
        new = [c for c in changed if c.id in self._new]
        if new:
            values = [
                rows.conversation_values(
                    c, external_id=self._new[c.id], preview=self._previews.get(c.id)
                )
                for c in new
            ]
            self.connection.execute(rows.INSERT_CONVERSATION, values)
        if self.events:
            self.connection.execute(rows.INSERT_EVENT, [rows.event_values(e) for e in self.events])
        if self.messages:
            self.connection.execute(
                rows.INSERT_MESSAGE, [rows.message_values(m) for m in self.messages]
            )
        old = [c for c in changed if c.id not in self._new]
        for conversation in old:
            preview = self._previews.get(conversation.id)
            self.connection.execute(*rows.update_conversation(conversation, preview=preview))
        if self._sessions:
            self.connection.execute(
                rows.UPSERT_SESSION, [rows.session_values(s) for s in self._sessions.values()]
            )
        if self._turns:
            self.connection.execute(
                rows.UPSERT_TURN, [rows.turn_values(t) for t in self._turns.values()]
            )
        for statement, parameters in self._later:
            self.connection.execute(statement, parameters)

    def _keep(self, applied: Applied) -> None:
        conversation = applied.conversation
        self._conversations[conversation.id] = conversation
        self._changed[conversation.id] = None
        for session in applied.sessions:
            self._sessions[(session.conversation_id, session.session_no)] = session
        for turn in applied.turns:
            self._turns[(turn.conversation_id, turn.turn_no)] = turn


def _count(holds: Callable[[Conversation], bool], conversation: Conversation | None) -> int:
    return int(conversation is not None and holds(conversation))
