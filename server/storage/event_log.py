"""Reading the log: whole, from a point on, or one conversation's."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from server.domain.events import Event
from server.storage.prepared import Statement
from server.storage.rows import EVENT, event_from_row

# Between processes on PostgreSQL a lower number may become visible after a higher one. So whoever
# takes numbers first locks, shared and until the end of the transaction, the number taken last:
# all of its own are above. The lock's key says it in its lower 48 bits.
_LOCK_SPACE = 0x5342
_TAKEN = "last_value - CASE WHEN is_called THEN 0 ELSE 1 END"
_TAKE = (
    f"WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({_LOCK_SPACE << 48} + {_TAKEN})"  # noqa: S608, E501  # constants
    " AS lock FROM event_seq)"
    " SELECT nextval('event_seq') FROM held, generate_series(1, %s) WHERE held.lock IS NOT NULL"
)
# The last number of the log, or as many new ones as are asked for.
NUMBERS = Statement(
    sqlite="SELECT coalesce(max(seq), 0) FROM event",
    postgresql=_TAKE,
)
_HELD = (
    "SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) FROM pg_locks"  # noqa: S608  # likewise
    " WHERE locktype = 'advisory' AND objsubid = 1"
    f" AND classid::bigint >> 16 = {_LOCK_SPACE}"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def last_seq(connection: Connection) -> int:
    """The highest number in the log, 0 when it is empty."""
    return int(connection.execute(select(func.coalesce(func.max(EVENT.c.seq), 0))).scalar_one())


def settled_seq(connection: Connection) -> int:
    """The highest number of the log below which nothing is still being written.

    Read rows up to it with another connection's later look, never with this one's: its view may be
    older than what it says. With SQLite, where one writes at a time, it is the end of the log.
    """
    if connection.dialect.name != "postgresql":
        return last_seq(connection)
    # In this order: who takes numbers after the first look takes higher ones.
    taken = int(connection.exec_driver_sql(f"SELECT {_TAKEN} FROM event_seq").scalar_one())  # noqa: S608  # constant
    held = connection.exec_driver_sql(_HELD).scalar_one()
    return taken if held is None else min(taken, int(held))


def lasting_seq(connection: Connection) -> int:
    """The last number of the log up to which figures are the same whenever they are made.

    As ``settled_seq``, and never beyond the end of the log, for it is shown and kept.
    """
    return min(settled_seq(connection), last_seq(connection))


def last_live_at_ms(connection: Connection) -> int:
    """When the latest event that was not imported happened, 0 when there is none."""
    statement = select(EVENT.c.at_ms).where(~EVENT.c.imported).order_by(EVENT.c.seq.desc()).limit(1)
    return int(connection.execute(statement).scalar_one_or_none() or 0)


def live_seqs(connection: Connection, *, after: int) -> tuple[int, list[int]]:
    """The head of the log, and in order the numbers above ``after`` of what was not imported."""
    head = last_seq(connection)
    statement = select(EVENT.c.seq).where(EVENT.c.seq > after, ~EVENT.c.imported)
    return head, list(connection.execute(statement.order_by(EVENT.c.seq)).scalars())


def events_of(connection: Connection, seqs: Collection[int]) -> list[Event]:
    """The events with these numbers, in the order of the log."""
    statement = select(EVENT).where(EVENT.c.seq.in_(seqs)).order_by(EVENT.c.seq)
    return [event_from_row(row) for row in connection.execute(statement).mappings()]


def teams_at(connection: Connection, seqs: Collection[int]) -> dict[int, str | None]:
    """The team of each of these events, in whose queue or hands the conversation was then."""
    statement = select(EVENT.c.seq, EVENT.c.team_id).where(EVENT.c.seq.in_(seqs))
    return {row.seq: row.team_id for row in connection.execute(statement)}


def conversation_events(
    connection: Connection, conversation_id: str, *, up_to_seq: int | None = None
) -> list[Event]:
    """All events of a conversation in the order of the log, up to a number of it if given."""
    statement = (
        select(EVENT).where(EVENT.c.conversation_id == conversation_id).order_by(EVENT.c.seq)
    )
    if up_to_seq is not None:
        statement = statement.where(EVENT.c.seq <= up_to_seq)
    return [event_from_row(row) for row in connection.execute(statement).mappings()]
