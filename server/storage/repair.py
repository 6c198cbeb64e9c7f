"""Writing the derived rows of a conversation anew from its events."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from server.domain.changing import changed
from server.domain.errors import NotFound
from server.domain.events import Event, MessagePosted
from server.domain.replay import replay
from server.domain.ticket import replay as replay_ticket
from server.storage import rows
from server.storage.event_log import conversation_events
from server.storage.hours import load_book
from server.storage.rows import CONVERSATION, MESSAGE, SESSION, TURN
from server.storage.ticket_rows import TICKET, ticket_values
from server.storage.unit import Tx


def rebuild(tx: Tx, conversation_id: str) -> None:
    """Makes conversation, sessions, turns and the frames of messages what the log says.

    A message whose text is lost is not invented. Raises NotFound when the log has no such
    conversation.
    """
    locked = select(CONVERSATION.c.id).where(CONVERSATION.c.id == conversation_id)
    known = tx.execute(locked.with_for_update()).first()
    events = conversation_events(tx.connection, conversation_id)
    replayed = replay(events)
    if replayed is None:
        raise NotFound("The log has no such conversation.", conversation=conversation_id)
    values = rows.conversation_values(replayed.conversation)
    if known is None:
        tx.later(insert(CONVERSATION), values)
    else:
        kept = {k: v for k, v in values.items() if k not in ("id", "external_id", "preview")}
        statement = update(CONVERSATION).where(CONVERSATION.c.id == conversation_id)
        tx.later(statement.values(**kept))
    tx.later(delete(SESSION).where(SESSION.c.conversation_id == conversation_id))
    tx.later(delete(TURN).where(TURN.c.conversation_id == conversation_id))
    for session in replayed.sessions.values():
        tx.later(insert(SESSION), rows.session_values(session))
    biz_ms = load_book(tx.connection).waits(replayed.turns.values(), events)
    for turn in replayed.turns.values():
        tx.later(insert(TURN), rows.turn_values(turn, biz_ms[turn.turn_no]))
    _rebuild_ticket(tx, conversation_id, events)
    for event in events:
        if isinstance(event.data, MessagePosted):
            statement = update(MESSAGE).where(MESSAGE.c.id == event.data.message_id)
            tx.later(statement.values(**rows.message_frame(event, event.data)))


def _rebuild_ticket(tx: Tx, ticket_id: str, events: list[Event]) -> None:
    """Makes the ticket of a thread what the log says; when it is due is left to the targets."""
    ticket = replay_ticket(events)
    if ticket is None:
        return
    found = tx.execute(select(TICKET).where(TICKET.c.id == ticket_id)).mappings().first()
    if found is None:
        tx.later(insert(TICKET), ticket_values(ticket))
        return
    due = changed(ticket, next_due_at_ms=found["next_due_at_ms"], next_due=found["next_due"])
    values = {k: v for k, v in ticket_values(due).items() if k not in ("id", "client_key")}
    tx.later(update(TICKET).where(TICKET.c.id == ticket_id).values(**values))
