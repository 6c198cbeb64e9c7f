"""The turns that a report looks at, as they stood at its instant: the source of every number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any  # Any: untyped rows

import orjson
from sqlalchemy import Connection, Select, and_, select
from sqlalchemy.orm import aliased

from server.domain.events import Event
from server.domain.metrics import Metric, Wait, counted, wait_of
from server.domain.periods import LocalTimes, zone
from server.domain.replay import replay
from server.domain.turns import Share, Turn
from server.reports.scope import NOBODY, Scope, without_period
from server.storage.rows import CONVERSATION, EVENT, TURN, event_from_row

__all__ = ["NOBODY", "Scope", "load_waits", "rows_behind", "without_period"]

_CHUNK = 300


def _holds(scope: Scope, wait: Wait) -> bool:
    """True when the wait passes every filter; the period is a filter like the others."""
    return (
        (scope.from_ms is None or wait.ask_at_ms >= scope.from_ms)
        and (scope.to_ms is None or wait.ask_at_ms < scope.to_ms)
        and _is(scope.agent_id, wait.agent_id)
        and _is(scope.team_id, wait.team_id)
        and _is(scope.channel, wait.channel)
        and scope.hour in (None, wait.hour)
        and scope.weekday in (None, wait.weekday)
        and scope.outcome in (None, wait.outcome)
        and (scope.wait_from_ms is None or wait.wait_ms >= scope.wait_from_ms)
        and (scope.wait_to_ms is None or wait.wait_ms < scope.wait_to_ms)
    )


def _is(wanted: str | None, value: str | None) -> bool:
    return wanted is None or value == (None if wanted == NOBODY else wanted)


def load_waits(connection: Connection, scope: Scope) -> list[Wait]:
    """The waits of a scope in the order of their questions, spam left out."""
    local = LocalTimes(zone(scope.timezone))
    found = [*_from_rows(connection, scope, local), *_from_log(connection, scope, local)]
    kept = [wait for wait in found if _holds(scope, wait)]
    kept.sort(key=lambda wait: (wait.ask_at_ms, wait.conversation_id, wait.turn_no))
    return kept


def rows_behind(connection: Connection, scope: Scope, metric: Metric) -> list[Wait]:
    """The very turns that a metric counts in a scope: as many as its ``n``."""
    return counted(metric, load_waits(connection, scope), as_of_ms=scope.as_of_ms)


def _from_rows(connection: Connection, scope: Scope, local: LocalTimes) -> Iterator[Wait]:
    """Waits from the derived rows: all, or those of conversations that have not changed since."""
    statement = _select(scope)
    if scope.as_of_seq is not None:
        statement = statement.where(CONVERSATION.c.last_seq <= scope.as_of_seq)
    for row in connection.execute(statement):
        wait = _wait_of_row(row, scope.as_of_ms, local)
        if wait is not None:
            yield wait


def _select(scope: Scope) -> Select[Any]:  # Any: untyped rows
    c, asked, ended = TURN.c, aliased(EVENT), aliased(EVENT)
    statement = (
        select(
            c.conversation_id,
            c.turn_no,
            c.session_no,
            c.is_first_in_session,
            c.ask_seq,
            c.ask_at_ms,
            c.outcome,
            c.end_at_ms,
            c.answered_by,
            c.owner_id,
            c.shares,
            CONVERSATION.c.channel,
            CONVERSATION.c.team_id,
            asked.c.team_id.label("asked_team_id"),
            ended.c.team_id.label("ended_team_id"),
        )
        .join_from(TURN, CONVERSATION, CONVERSATION.c.id == c.conversation_id)
        .outerjoin(asked, asked.c.seq == c.ask_seq)
        .outerjoin(ended, ended.c.seq == c.end_seq)
        .where(CONVERSATION.c.status != "spam", c.ask_at_ms <= scope.as_of_ms)
    )
    if scope.from_ms is not None:
        statement = statement.where(c.ask_at_ms >= scope.from_ms)
    if scope.to_ms is not None:
        statement = statement.where(c.ask_at_ms < scope.to_ms)
    return statement


def _wait_of_row(row: Any, as_of_ms: int, local: LocalTimes) -> Wait | None:  # Any: untyped row
    over = row.end_at_ms is not None and row.end_at_ms <= as_of_ms
    shares: tuple[Share, ...] = ()
    if not over:
        shares = tuple(Share(**share) for share in orjson.loads(row.shares))
    turn = Turn(
        conversation_id=row.conversation_id,
        turn_no=row.turn_no,
        session_no=row.session_no,
        is_first_in_session=bool(row.is_first_in_session),
        ask_seq=row.ask_seq,
        ask_at_ms=row.ask_at_ms,
        ask_message_id="",
        outcome=row.outcome,
        end_at_ms=row.end_at_ms,
        answered_by=row.answered_by,
        owner_id=row.owner_id,
        shares=shares,
    )
    if over:
        team_id = row.ended_team_id
    elif row.end_at_ms is None:
        team_id = row.team_id
    else:
        team_id = _team_then(turn, as_of_ms, row.asked_team_id)
    return wait_of(turn, as_of_ms=as_of_ms, local=local, channel=row.channel, team_id=team_id)


def _team_then(turn: Turn, at_ms: int, asked_team_id: str | None) -> str | None:
    """The team of a turn at an instant within it: that of the last queue it had entered by then."""
    queues = [s.id for s in turn.shares if s.kind == "queue" and s.start_at_ms <= at_ms]
    return queues[-1] if queues else asked_team_id


def _from_log(connection: Connection, scope: Scope, local: LocalTimes) -> Iterator[Wait]:
    """Waits of conversations that changed after ``as_of_seq``, folded anew from the log."""
    if scope.as_of_seq is None:
        return
    statement = (
        select(TURN.c.conversation_id)
        .distinct()
        .join_from(TURN, CONVERSATION, CONVERSATION.c.id == TURN.c.conversation_id)
        .where(
            and_(
                CONVERSATION.c.last_seq > scope.as_of_seq,
                TURN.c.ask_seq <= scope.as_of_seq,
                TURN.c.ask_at_ms <= scope.as_of_ms,
            )
        )
    )
    if scope.from_ms is not None:
        statement = statement.where(TURN.c.ask_at_ms >= scope.from_ms)
    if scope.to_ms is not None:
        statement = statement.where(TURN.c.ask_at_ms < scope.to_ms)
    ids = sorted(connection.execute(statement).scalars())
    for start in range(0, len(ids), _CHUNK):
        events = connection.execute(
            select(EVENT)
            .where(
                EVENT.c.conversation_id.in_(ids[start : start + _CHUNK]),
                EVENT.c.seq <= scope.as_of_seq,
            )
            .order_by(EVENT.c.seq)
        ).mappings()
        by_conversation: dict[str, list[Event]] = {}
        for row in events:
            by_conversation.setdefault(row["conversation_id"], []).append(event_from_row(row))
        for history in by_conversation.values():
            yield from _waits_of(history, scope.as_of_ms, local)


def _waits_of(events: Iterable[Event], as_of_ms: int, local: LocalTimes) -> Iterator[Wait]:
    history = list(events)
    replayed = replay(history)
    if replayed is None or replayed.conversation.status == "spam":
        return
    conversation = replayed.conversation
    teams = {event.seq: event.team_id for event in history}
    for turn in replayed.turns.values():
        if turn.end_at_ms is None:
            team_id = conversation.team_id
        elif turn.end_at_ms <= as_of_ms:
            team_id = teams.get(turn.end_seq or 0)
        else:
            team_id = _team_then(turn, as_of_ms, teams.get(turn.ask_seq))
        wait = wait_of(
            turn, as_of_ms=as_of_ms, local=local, channel=conversation.channel, team_id=team_id
        )
        if wait is not None:
            yield wait
