"""The list of turns behind a number, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from server.domain.metrics import Metric, Wait
from server.reports.response_times import Choices, load_choices
from server.reports.thread import customer_names
from server.reports.turns import Scope, rows_behind
from server.storage.event_log import last_seq

PAGE_TURNS = 100


@dataclass(frozen=True, slots=True)
class FoundTurns:
    """One page of the turns behind a number, and how many there are in all."""

    scope: Scope
    count: int
    missed: int | None
    rows: list[Wait]
    customers: Mapping[str, tuple[str, str | None]]
    choices: Choices
    page: int
    pages: int


def load_turns(connection: Connection, *, scope: Scope, metric: Metric, page: int) -> FoundTurns:
    """The turns that the metric counts, the latest first; a page beyond the last is the last."""
    if scope.as_of_seq is None:
        scope = replace(scope, as_of_seq=last_seq(connection))
    rows = rows_behind(connection, scope, metric)
    rows.reverse()
    pages = max(1, -(-len(rows) // PAGE_TURNS))
    page = min(max(1, page), pages)
    shown = rows[(page - 1) * PAGE_TURNS : page * PAGE_TURNS]
    succeeds = metric.succeeds
    return FoundTurns(
        scope=scope,
        count=len(rows),
        missed=None if succeeds is None else sum(not succeeds(wait) for wait in rows),
        rows=shown,
        customers=customer_names(connection, {wait.conversation_id for wait in shown}),
        choices=load_choices(connection),
        page=page,
        pages=pages,
    )
