"""Rows of shop data that a program posts, one JSON object a line, in the words of the files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, TypeVar  # Any: JSON

from pydantic import Field

from server.actions.imports import import_conversations, parse_row
from server.actions.payload import Payload
from server.actions.take_orders import take_carts, take_orders, take_shop_customers
from server.actions.taken import Taken
from server.domain.actors import Actor
from server.domain.errors import InvalidInput
from server.domain.hooks import checked_name
from server.domain.imported import (
    CUSTOMER_COLUMNS,
    both,
    column_names,
    header_name,
    read_shop_customer,
)
from server.domain.imported_orders import (
    CART_COLUMNS,
    ORDER_COLUMNS,
    Reading,
    read_cart,
    read_order,
)
from server.domain.importing import Rejected
from server.domain.periods import zone
from server.storage.shop import Shop, load_shop
from server.storage.shop_sources import Source, note_applied, source_for_import
from server.storage.unit import Tx

R = TypeVar("R")
Json = dict[str, Any]  # Any: JSON
Line = tuple[int, bytes]
Values = Mapping[str, object]


class ImportRows(Payload):
    """Where rows come from. ``lines`` are some of the body's, with their numbers."""

    source: Annotated[str, Field(max_length=60, pattern="^[a-z0-9_-]+$")] | None = None


class Portion(ImportRows):
    """Some lines of a body."""

    lines: tuple[Line, ...] = ()


def post_orders(tx: Tx, _: Actor, payload: Portion) -> Json:
    """Takes orders."""

    def take(source: Source, rows: Sequence[Any]) -> list[Taken]:  # Any: orders
        return take_orders(tx, source, rows, imported=True)

    return _post(tx, payload, ORDER_COLUMNS, read=read_order, take=take)


def post_customers(tx: Tx, _: Actor, payload: Portion) -> Json:
    """Takes customers."""
    return _post(
        tx,
        payload,
        CUSTOMER_COLUMNS,
        read=lambda values, reading: read_shop_customer(values, tz=reading.tz),
        take=lambda source, rows: take_shop_customers(tx, source, rows),
    )


def post_carts(tx: Tx, _: Actor, payload: Portion) -> Json:
    """Takes carts."""
    return _post(
        tx,
        payload,
        CART_COLUMNS,
        read=read_cart,
        take=lambda source, rows: take_carts(tx, source, rows),
    )


def post_events(tx: Tx, _: Actor, payload: Portion) -> Json:
    """Takes events of another desk, in the order in which they happened."""
    tz = zone(_shop(tx).timezone)
    rows, rejected = [], []
    for number, raw in payload.lines:
        try:
            rows.append(parse_row(raw, line=number, tz=tz))
        except InvalidInput as refusal:
            rejected.append(Rejected(number, refusal.message))
    rows.sort(key=lambda row: (row.at_ms, row.line))
    found = import_conversations(tx, rows)
    return _answer(len(found.taken), found.unchanged, [*rejected, *found.rejected])


def ordered_events(lines: Sequence[Line]) -> list[Line]:
    """The lines of a body in the order in which what they tell of happened, as far as they tell."""

    def when(line: Line) -> tuple[bool, float, str, int]:
        try:
            ts = json.loads(line[1])["ts"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return False, 0, "", line[0]
        if isinstance(ts, int | float):
            return True, ts, "", line[0]
        return True, 0, str(ts), line[0]

    return sorted(lines, key=when)


def _post(
    tx: Tx,
    payload: Portion,
    columns: Mapping[str, tuple[str, ...]],
    *,
    read: Callable[[Values, Reading], R],
    take: Callable[[Source, Sequence[R]], list[Taken]],
) -> Json:
    shop = _shop(tx)
    source = source_for_import(tx, None if payload.source is None else checked_name(payload.source))
    reading = Reading(zone(shop.timezone), shop.currency, tx.at_ms)
    names = _names(tuple(columns.items()))
    rows: list[R] = []
    rejected: list[Rejected] = []
    for number, raw in payload.lines:
        try:
            rows.append(read(_values(raw, names), reading))
        except InvalidInput as refusal:
            rejected.append(Rejected(number, refusal.message))
    answers = take(source, rows)
    if rows:
        note_applied(tx, source.name)
    accepted = sum(answer == "accepted" for answer in answers)
    return _answer(accepted, len(answers) - accepted, rejected)


def _shop(tx: Tx) -> Shop:
    shop = load_shop(tx.connection)
    if shop is None:
        raise InvalidInput("There is no shop yet.")
    return shop


@cache
def _names(columns: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    return column_names(dict(columns))


def _values(raw: bytes, names: Mapping[str, str]) -> Values:
    """The values of a line by the contract's names. Raises InvalidInput, in both languages."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidInput(both("The line is not JSON.", "这一行不是 JSON。")) from None
    if not isinstance(value, dict):
        raise InvalidInput(both("The line is not a JSON object.", "这一行不是 JSON 对象。"))
    found: dict[str, object] = {}
    for key, item in value.items():
        name = names.get(header_name(key))
        # The contract's own name wins over what else means the same.
        if name is not None and (name not in found or key == name):
            found[name] = item
    return found


def _answer(accepted: int, unchanged: int, rejected: Sequence[Rejected]) -> Json:
    return {
        "accepted": accepted,
        "unchanged": unchanged,
        "rejected": [{"line": one.line, "reason": one.reason} for one in rejected],
    }
