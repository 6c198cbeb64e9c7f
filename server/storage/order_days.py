"""What orders carry of the shop's time zone and currency, after either was changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from sqlalchemy import Connection, bindparam, select, update

from server.domain.periods import LocalTimes, zone
from server.storage.database import Database
from server.storage.orders import SHOP_ORDER
from server.storage.shop import Shop
from server.storage.unit import Tx

# Orders in one write: a few milliseconds of the writer.
AT_ONCE = 500
_EPOCH = date(1970, 1, 1).toordinal()
C = SHOP_ORDER.c
_NEXT = (
    select(
        C.id,
        C.created_at_ms,
        C.day,
        C.counted,
        (
            C.paid_at_ms.is_not(None)
            & C.cancelled_at_ms.is_(None)
            & C.test.is_(False)
            & (C.net_minor > 0)
            & (C.currency == bindparam("currency"))
        ).label("counts"),
    )
    .where(C.id > bindparam("after"))
    .order_by(C.id)
    .limit(AT_ONCE)
)
_CHANGE = (
    update(SHOP_ORDER)
    .where(C.id == bindparam("b_id"))
    .values(day=bindparam("b_day"), counted=bindparam("b_counted"))
)


def adapt_orders(database: Database, shop: Shop) -> int:
    """Puts every order on its day in the shop's zone, and counts what is in its currency.

    How many were not so. Some hundred at a time, so that no message waits long.
    """
    local = LocalTimes(zone(shop.timezone))
    days: dict[str, int] = {}
    after, changed = "", 0
    while rows := database.read_now(partial(_rows, after=after, currency=shop.currency)):
        wrong: list[dict[str, object]] = []
        for order_id, at_ms, day, counted, counts in rows:
            name = local(at_ms).day
            right = days.setdefault(name, date.fromisoformat(name).toordinal() - _EPOCH)
            if (day, counted) != (right, counts):
                wrong.append({"b_id": order_id, "b_day": right, "b_counted": counts})
        if wrong:
            database.write_now(partial(_write, wrong=wrong))
        changed += len(wrong)
        after = rows[-1][0]
    return changed


def _rows(
    connection: Connection, *, after: str, currency: str
) -> Sequence[tuple[str, int, int, bool, bool]]:
    found = connection.execute(_NEXT, {"after": after, "currency": currency}).all()
    return [(row[0], row[1], row[2], bool(row[3]), bool(row[4])) for row in found]


def _write(tx: Tx, *, wrong: Sequence[dict[str, object]]) -> None:
    tx.later(_CHANGE, list(wrong))
