"""Rows that are one event each: orders paid and given back, agents coming and going.

They come from the kept columns, and from the log where that goes on beyond them.
"""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection

from server.reports.frames import Frame, Maker, Numbers
from server.reports.scope import Scope
from server.storage import figures as kept
from server.storage.corrections import voided_seqs
from server.storage.figure_log import load_log_columns


def load_logged(
    connection: Connection,
    scope: Scope,
    source: str,
    from_ms: int | None,
    to_ms: int | None,
    *,
    told_from_ms: int | None = None,
) -> Frame:
    """The rows of a time as a report knows them, those of voided events left out, in any order.

    With ``told_from_ms`` only those that came into the log no earlier.
    """
    head = kept.head_seq(connection)
    parts = [
        *_kept(connection, source, from_ms, to_ms, told_from_ms),
        Frame(load_log_columns(connection, source, after_seq=head, up_to_seq=scope.as_of_seq)),
    ]
    frame = Frame.joined(parts)
    masks = [
        frame.numbers("told_at_ms") <= scope.as_of_ms,
        frame.numbers("at_ms") <= scope.as_of_ms,
    ]
    if told_from_ms is not None:
        masks.append(frame.numbers("told_at_ms") >= told_from_ms)
    if from_ms is not None:
        masks.append(frame.numbers("at_ms") >= from_ms)
    if to_ms is not None:
        masks.append(frame.numbers("at_ms") < to_ms)
    if scope.as_of_seq is not None:
        masks.append(frame.numbers("seq") <= scope.as_of_seq)
    gone = voided_seqs(connection, up_to_seq=scope.as_of_seq)
    if gone:
        masks.append(~np.isin(frame.numbers("seq"), np.array(sorted(gone), np.int64)))
    return frame.select(np.logical_and.reduce(masks))


def _kept(
    connection: Connection,
    source: str,
    from_ms: int | None,
    to_ms: int | None,
    told_from_ms: int | None,
) -> list[Frame]:
    if not kept.head_seq(connection):
        return []
    days = kept.kept_days(connection, source, from_ms, to_ms)
    if told_from_ms is None:
        return [_of_days(connection, source, days)] if days else []
    late = [day for day in days if day.last_at_ms >= told_from_ms]
    return [_of_days(connection, source, [day]) for day in late]


def _of_days(connection: Connection, source: str, days: list[kept.KeptDay]) -> Frame:
    def maker(name: str) -> Maker:
        return lambda: kept.kept_column(connection, source, name, days)

    makers = {name: maker(name) for name in kept.COLUMN_NAMES[source]}
    return Frame({}, n=sum(day.n for day in days), makers=makers)


def any_online(connection: Connection, scope: Scope, instants: Numbers) -> Numbers:
    """For each instant whether an agent was online or busy then."""
    frame = load_logged(connection, scope, "presence", None, scope.to_ms)
    at_ms, seq = frame.numbers("at_ms"), frame.numbers("seq")
    agent, there = frame.texts("agent_id").codes, frame.numbers("there").astype(np.int64)
    order = np.lexsort((seq, at_ms, agent))
    same = np.diff(agent[order], prepend=-1) == 0
    before = np.where(same, np.concatenate([[0], there[order][:-1]])[: frame.n], 0)
    in_time = np.argsort(at_ms[order], kind="stable")
    times = np.concatenate([[0], at_ms[order][in_time]])
    counts = np.concatenate([[0], np.cumsum((there[order] - before)[in_time])])
    return np.asarray(counts[np.searchsorted(times, instants, side="right") - 1] > 0)
