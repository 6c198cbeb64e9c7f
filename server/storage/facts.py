"""The rows of figures: folded from the log, as columns, and kept as columns day by day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from hashlib import blake2b
from typing import Any  # Any: values of columns

import numpy as np
from sqlalchemy import Connection, or_, select

from server.domain import facts
from server.domain.events import CorrectionVoided, Event
from server.domain.facts import Facts, facts_of
from server.storage.among import among
from server.storage.columns import Column, Texts
from server.storage.hours import load_book
from server.storage.rows import EVENT, event_from_row

_CHUNK = 300
AnyRow = facts.Row | facts.MarkRow

# source -> (where its rows are in Facts, what they are)
KINDS: Mapping[str, tuple[str, type[AnyRow]]] = {
    "mark": ("marks", facts.MarkRow),
    "turn": ("turns", facts.TurnRow),
    "share": ("shares", facts.ShareRow),
    "session": ("sessions", facts.SessionRow),
    "message": ("messages", facts.MessageRow),
    "case": ("cases", facts.CaseRow),
    "visit": ("visits", facts.VisitRow),
    "answer": ("answers", facts.AnswerRow),
    "handling": ("handlings", facts.HandlingRow),
    "owned": ("owned", facts.OwnedRow),
}


def number_of(name: str) -> int:
    """A number for the id of a customer or an order, by which figures tell them apart.

    63 bits: among a million customers two share one with a chance of one to 18 million.
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1


def columns_of(kind: type[AnyRow], rows: Iterable[AnyRow]) -> dict[str, Column]:
    """The columns of rows of one kind; times that did not come are -1."""
    every = list(rows)
    columns: dict[str, Column] = {}
    for one in fields(kind):
        values: list[Any] = [getattr(row, one.name) for row in every]  # Any: of the column
        if one.name == "customer_id":
            columns["customer"] = np.array([number_of(value) for value in values], np.int64)
        elif one.type == "bool":
            columns[one.name] = np.array(values, bool)
        elif "str" in str(one.type):
            columns[one.name] = Texts.of(values)
        else:
            columns[one.name] = np.array([-1 if v is None else v for v in values], np.int64)
    return columns


def load_facts(
    connection: Connection,
    ids: Collection[str],
    *,
    as_of_seq: int | None = None,
    as_of_ms: int | None = None,
) -> Iterator[Facts]:
    """What figures need of conversations as the log told it up to a row and an instant."""
    book = load_book(connection, up_to_seq=as_of_seq)

    def business(team_id: str | None, start_at_ms: int, end_at_ms: int) -> int | None:
        return book.of_team(team_id).wait_ms(start_at_ms, end_at_ms)

    clock = business if book.version else None
    for history in histories(connection, ids, as_of_seq=as_of_seq, as_of_ms=as_of_ms):
        found = facts_of(history, as_of_ms=as_of_ms, business=clock)
        if found is not None:
            yield found


def histories(
    connection: Connection,
    ids: Collection[str],
    *,
    as_of_seq: int | None = None,
    as_of_ms: int | None = None,
) -> Iterator[list[Event]]:
    """The events of each conversation in the order of the log, a few hundred at a time."""
    c = EVENT.c
    statement = select(EVENT).where(among(c.conversation_id, "ids")).order_by(c.seq)
    if as_of_seq is not None:
        statement = statement.where(c.seq <= as_of_seq)
    if as_of_ms is not None:
        # A correction says what never should have counted, whenever it was made.
        statement = statement.where(or_(c.at_ms <= as_of_ms, c.kind == CorrectionVoided.kind))
    every = sorted(ids)
    for start in range(0, len(every), _CHUNK):
        found: dict[str, list[Event]] = {}
        portion = {"ids": every[start : start + _CHUNK]}
        for row in connection.execute(statement, portion).mappings():
            found.setdefault(row["conversation_id"], []).append(event_from_row(row))
        yield from found.values()
