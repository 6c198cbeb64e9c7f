"""`shopbell export profiles`: one row for every customer of the shop's sources, as of an instant.

Facts count by when they happened, whenever they were told, and the limits are those of that day:
the same export of the same day is the same for ever, unless what happened is corrected.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any  # Any: column values
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection

from server.domain.errors import InvalidInput
from server.domain.money import digits
from server.domain.periods import instant_ms, zone
from server.domain.profile import NO_BUYER, NOTHING, Labels, Sums, labels
from server.storage.profiles import refused_profiling
from server.storage.shop import Shop, load_shop
from server.storage.sums import persons_known, read_ledger, source_ids
from server.storage.thresholds import day_of, freeze_ledger

COLUMNS = (
    "customer_id",
    "orders",
    "net_spend",
    "currency",
    "first_order_at",
    "last_order_at",
    "recency_days",
    "r",
    "f",
    "m",
    "segment",
    "value_cell",
    "activity_stage",
    "relationship_stage",
    "top20",
)
Row = dict[str, Any]  # Any: column values
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class _Then:
    """The end of the facts that count, exclusive, and the local day that it is seen from."""

    at_ms: int
    day: int


def profile_rows(
    connection: Connection,
    *,
    now_ms: int,
    as_of: str | None = None,
    looked_at: Callable[[int], None] = lambda _more: None,
) -> list[Row]:
    """The rows, by customer id. Who has refused profiling has their sums and no labels.

    ``as_of`` is ISO 8601 in the shop's zone, a bare date the end of that day, None ``now_ms``.
    Raises InvalidInput for no shop or no such time.
    """
    shop = load_shop(connection)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    then = _then(as_of, now_ms, shop)
    ledger = read_ledger(
        connection, currency=shop.currency, as_of_ms=then.at_ms, looked_at=looked_at
    )
    limits = freeze_ledger(
        connection, ledger, shop, day=then.day, at_ms=then.at_ms, as_of_ms=then.at_ms
    )
    sums = dict(ledger)
    called = source_ids(connection, persons_known(connection, before_ms=then.at_ms) | sums.keys())
    refused = refused_profiling(connection)
    rows = []
    for person_id, name in called.items():
        theirs = sums.get(person_id, NOTHING)
        what = None if person_id in refused else labels(theirs, limits, then.day, key=name)
        rows.append(_row(name, theirs, what, shop, then))
    return sorted(rows, key=lambda row: str(row["customer_id"]))


def _then(as_of: str | None, now_ms: int, shop: Shop) -> _Then:
    if as_of is None:
        return _Then(now_ms + 1, day_of(now_ms, shop.timezone))
    at_ms = instant_ms(as_of, zone(shop.timezone), end=True)
    if _BARE_DATE.fullmatch(as_of.strip()):
        return _Then(at_ms, date.fromisoformat(as_of.strip()).toordinal() - _EPOCH)
    return _Then(at_ms, day_of(at_ms, shop.timezone))


def _row(name: str, sums: Sums, what: Labels | None, shop: Shop, then: _Then) -> Row:
    tz = zone(shop.timezone)
    known = what or NO_BUYER
    return {
        "customer_id": name,
        "orders": sums.orders,
        "net_spend": str(Decimal(sums.net_minor).scaleb(-digits(shop.currency))),
        "currency": shop.currency,
        "first_order_at": _iso(sums.first_order_at_ms, tz),
        "last_order_at": _iso(sums.last_order_at_ms, tz),
        "recency_days": max(0, then.day - sums.days[-1]) if sums.days else None,
        "r": known.r,
        "f": known.f,
        "m": known.m,
        "segment": what.segment if what else None,
        "value_cell": known.value_cell,
        "activity_stage": what.activity_stage if what else None,
        "relationship_stage": what.relationship_stage if what else None,
        "top20": int(known.top20),
    }


def _iso(at_ms: int | None, tz: ZoneInfo) -> str | None:
    """The instant in local time with its offset."""
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, tz).isoformat()


def formatted(rows: Sequence[Row], form: str) -> Iterator[str]:
    """The rows as text, in pieces. Raises InvalidInput for a format that there is not."""
    if form == "csv":
        return _csv(rows)
    if form == "json":
        return iter([orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode() + "\n"])
    raise InvalidInput(f"There is no format {form!r}. There are: csv, json.")


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    for values in (COLUMNS, *(tuple(row.values()) for row in rows)):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(values)
        yield line.getvalue()
