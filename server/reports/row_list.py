"""The very rows behind a figure, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: a row of any source

import numpy as np
from sqlalchemy import Connection, select

from server.domain.metrics import Metric
from server.reports.frames import Frame
from server.reports.pages import Choices, load_choices
from server.reports.rows import figures
from server.reports.scope import Scope
from server.reports.thread import customer_names
from server.storage.customers import CUSTOMER

PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class FoundRows:
    """One page of the rows behind a number, and how many there are in all.

    ``hits`` are those that were a success, None where there is no such thing. ``columns`` are the
    fields that the rows have. ``customers`` is by conversation, or by customer where a row has no
    conversation: (id, name).
    """

    scope: Scope
    count: int
    hits: int | None
    rows: list[Any]  # Any: as above
    good: list[bool | None]
    columns: frozenset[str]
    customers: Mapping[str, tuple[str, str | None]]
    choices: Choices
    page: int
    pages: int


def load_rows(
    connection: Connection, *, scope: Scope, metric: Metric, hit: int | None, page: int
) -> FoundRows:
    """The rows that the metric counts, the latest first; a page beyond the last is the last.

    ``hit`` keeps to those that were a success (1), or not (0).
    """
    found = figures(connection, scope)
    frame = found.behind(metric)
    good = None if metric.succeeds is None else _truths(metric, frame)
    if hit is not None and good is not None:
        kept = good == bool(hit)
        frame, good = frame.select(kept), good[kept]
    pages = max(1, -(-frame.n // PAGE_ROWS))
    page = min(max(1, page), pages)
    places = np.arange(frame.n)[::-1][(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    rows = list(frame.select(places).rows())
    return FoundRows(
        scope=found.scope,
        count=frame.n,
        hits=None if good is None else int(np.count_nonzero(good)),
        rows=rows,
        good=[None] * len(rows) if good is None else good[places].tolist(),
        columns=frozenset(frame.columns),
        customers=_customers(connection, rows),
        choices=load_choices(connection),
        page=page,
        pages=pages,
    )


def _truths(metric: Metric, frame: Frame) -> Any:  # Any: an array of truths
    assert metric.succeeds is not None  # asked only for rates
    return np.broadcast_to(np.asarray(metric.succeeds(frame), bool), (frame.n,))


def _customers(connection: Connection, rows: list[Any]) -> dict[str, tuple[str, str | None]]:
    chats = {row.conversation_id for row in rows if getattr(row, "conversation_id", None)}
    found = customer_names(connection, chats) if chats else {}
    people = {row.customer_id for row in rows if getattr(row, "customer_id", None)}
    if people:
        c = CUSTOMER.c
        statement = select(c.id, c.name).where(c.id.in_(sorted(people)))
        found |= {row.id: (row.id, row.name) for row in connection.execute(statement)}
    return found
