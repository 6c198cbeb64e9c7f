"""The limits between scores, segments and stages: every version that was ever frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import orjson
from sqlalchemy import Connection, bindparam, desc, func, insert, select, update

from server.domain.periods import local_date, zone
from server.domain.profile import Ledger, population, top_key
from server.domain.returning import Returns, returns_from_json, returns_to_json
from server.domain.segment import (
    Rules,
    Thresholds,
    freeze,
    from_json,
    is_small,
    rules_from,
    to_json,
    top_fifth,
)
from server.storage.shop import Shop
from server.storage.sums import median_order, source_ids
from server.storage.tables import ThresholdsRow, table
from server.storage.unit import Tx

THRESHOLDS = table(ThresholdsRow)
_EPOCH = date(1970, 1, 1).toordinal()
_CURRENT = select(THRESHOLDS).order_by(desc(THRESHOLDS.c.version)).limit(1)
LATEST_LIMITS = _CURRENT.with_only_columns(THRESHOLDS.c.limits)
LATEST_RETURNS = _CURRENT.with_only_columns(THRESHOLDS.c.returns)


def day_of(at_ms: int, timezone: str) -> int:
    """The local day of an instant, in days since 1970-01-01."""
    return local_date(at_ms, zone(timezone)).toordinal() - _EPOCH


def current_limits(connection: Connection) -> Thresholds | None:
    """The limits that hold now, None before the first order."""
    row = connection.execute(_CURRENT).mappings().first()
    return None if row is None else from_json(orjson.loads(row["limits"]))


def yardstick(limits: str | None, returns: str | None) -> tuple[Thresholds | None, Returns | None]:
    """What ``LATEST_LIMITS`` and ``LATEST_RETURNS`` give, as objects."""
    return (
        None if limits is None else from_json(orjson.loads(limits)),
        None if returns is None else returns_from_json(orjson.loads(returns)),
    )


def current_returns(connection: Connection) -> Returns | None:
    """Who came back, as it was last looked up; None while too few can be looked at."""
    told = connection.execute(LATEST_RETURNS).scalar()
    return None if told is None else returns_from_json(orjson.loads(told))


def returns_at_ms(connection: Connection) -> int | None:
    """When the table of who came back was last made."""
    found = connection.execute(select(func.max(THRESHOLDS.c.returns_at_ms))).scalar_one()
    return None if found is None else int(found)


def chosen_rules(shop: Shop) -> Rules:
    """What the shop has chosen (``settings["segments"]``), or what comes with the program."""
    return rules_from(shop.settings.get("segments"))


def freeze_ledger(
    connection: Connection,
    ledger: Ledger,
    shop: Shop,
    *,
    day: int,
    at_ms: int,
    as_of_ms: int | None = None,
) -> Thresholds:
    """The limits that a ledger gives on a day; not written down, version 0."""
    people = population(ledger.every())
    if people.net_minor and is_small(len(people.net_minor), people.first_day, day):
        middle = median_order(connection, currency=shop.currency, as_of_ms=as_of_ms)
        people = replace(people, median_order_minor=middle)
    key = _last_key(connection, ledger, people.net_minor)
    limits = freeze(people, day=day, rules=chosen_rules(shop), top_key=key)
    return replace(limits, at_ms=at_ms, timezone=shop.timezone, currency=shop.currency)


def _last_key(connection: Connection, ledger: Ledger, spent: Sequence[int]) -> str:
    """What the last of the top 20 % is called; ids decide among those who spent the same."""
    top = top_fifth(spent)
    if top is None:
        return ""
    equal = ledger.spent(top.least_minor)
    called = source_ids(connection, equal)
    return top_key((called.get(p, p) for p in equal), above=top.above, size=top.size)


def limits_before(connection: Connection) -> Thresholds | None:
    """The limits before those that hold now, while not everybody is labelled by these yet."""
    rows = connection.execute(_CURRENT.limit(2)).mappings().all()
    if len(rows) < 2 or rows[0]["labelled_at_ms"] is not None:
        return None
    return from_json(orjson.loads(rows[1]["limits"]))


def are_labelled(connection: Connection) -> bool:
    """Whether everybody is labelled by the limits that hold now."""
    statement = _CURRENT.with_only_columns(THRESHOLDS.c.labelled_at_ms)
    return connection.execute(statement).scalar() is not None


def add_limits(
    tx: Tx,
    limits: Thresholds,
    *,
    returns: Returns | None = None,
    returns_at_ms: int | None = None,
    labelled: bool = False,
) -> None:
    """Writes a new version down. Another process may have written the same number: it counts."""
    tx.wrote = True
    tx.connection.execute(
        insert(THRESHOLDS),
        {
            "version": limits.version,
            "at_ms": limits.at_ms,
            "day": limits.day,
            "limits": orjson.dumps(to_json(limits)).decode(),
            "returns": None if returns is None else orjson.dumps(returns_to_json(returns)).decode(),
            "returns_at_ms": returns_at_ms,
            "labelled_at_ms": tx.at_ms if labelled else None,
        },
    )


_LABELLED = (
    update(THRESHOLDS)
    .where(THRESHOLDS.c.version == bindparam("number"))
    .values(labelled_at_ms=bindparam("at"))
)


def note_labelled(tx: Tx, version: int) -> None:
    """Notes that everybody is labelled by the limits of this version."""
    tx.later(_LABELLED, {"number": version, "at": tx.at_ms})
