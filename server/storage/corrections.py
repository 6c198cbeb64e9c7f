"""What corrections have voided."""

from __future__ import annotations

from sqlalchemy import Connection, select

from server.domain.events import CorrectionVoided, Event
from server.domain.replay import voided
from server.storage.event_log import events_of
from server.storage.rows import EVENT, event_from_row


def load_event(connection: Connection, seq: int) -> Event | None:
    """The event with this number, or None."""
    return next(iter(events_of(connection, [seq])), None)


def corrections(connection: Connection, *, up_to_seq: int | None = None) -> list[Event]:
    """All corrections in the order of the log, up to a number of it if given."""
    statement = select(EVENT).where(EVENT.c.kind == CorrectionVoided.kind).order_by(EVENT.c.seq)
    if up_to_seq is not None:
        statement = statement.where(EVENT.c.seq <= up_to_seq)
    return [event_from_row(row) for row in connection.execute(statement).mappings()]


def voided_seqs(connection: Connection, *, up_to_seq: int | None = None) -> frozenset[int]:
    """The numbers of the events that count no more, by what was in the log up to a number."""
    return voided(corrections(connection, up_to_seq=up_to_seq))
