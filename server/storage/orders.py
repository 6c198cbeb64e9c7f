"""Orders of the shop and their lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any  # Any: column values

from sqlalchemy import Connection, RowMapping, bindparam, select, tuple_

from server.storage.locking import lockable, locked_row
from server.storage.prepared import Driver, Statement, Values, delete, insert, upsert
from server.storage.tables import OrderLine, ShopOrder, table
from server.storage.unit import Tx

SHOP_ORDER = table(ShopOrder)
ORDER_LINE = table(OrderLine)
NAMES = tuple(column.name for column in SHOP_ORDER.columns)
LINE_NAMES = tuple(column.name for column in ORDER_LINE.columns)

_COLUMNS = ", ".join(f"o.{name}" for name in NAMES)
_LINE_COLUMNS = ", ".join(f"l.{name}" for name in LINE_NAMES)
_STORED = Statement(
    sqlite=f"SELECT {_COLUMNS} FROM json_each(?) AS k CROSS JOIN shop_order AS o"  # noqa: S608  # our names
    " ON o.source = ? AND o.external_id = k.value",
    postgresql=f"SELECT {_COLUMNS} FROM unnest(%s::text[]) AS k(id) JOIN shop_order AS o"  # noqa: S608  # likewise
    " ON o.source = %s AND o.external_id = k.id",
)
_LINES = Statement(
    sqlite=f"SELECT {_LINE_COLUMNS} FROM json_each(?) AS k CROSS JOIN order_line AS l"  # noqa: S608  # our names
    " ON l.order_id = k.value ORDER BY l.order_id, l.line_no",
    postgresql=f"SELECT {_LINE_COLUMNS} FROM unnest(%s::text[]) AS k(id) JOIN order_line AS l"  # noqa: S608  # likewise
    " ON l.order_id = k.id ORDER BY l.order_id, l.line_no",
)
# Two processes may be told of one order at once: whoever writes last must not know less.
_SAVE = upsert(
    SHOP_ORDER,
    fixed=("source", "external_id"),
    where="shop_order.updated_at_ms IS NULL OR excluded.updated_at_ms IS NULL"
    " OR shop_order.updated_at_ms <= excluded.updated_at_ms",
)
_DROP_LINES = Statement(
    sqlite="DELETE FROM order_line WHERE order_id = ?",
    postgresql="DELETE FROM order_line USING json_to_recordset(%s::json) AS r(order_id text)"
    " WHERE order_line.order_id = r.order_id",
    columns=("order_id",),
)
_DROP = delete(SHOP_ORDER)
_ADD = insert(SHOP_ORDER)
_ADD_LINE = insert(ORDER_LINE)
_OF_CUSTOMERS = (
    select(SHOP_ORDER)
    .where(SHOP_ORDER.c.customer_id.in_(bindparam("ids", expanding=True)))
    .order_by(SHOP_ORDER.c.created_at_ms.desc(), SHOP_ORDER.c.id.desc())
)
_OF_GUESTS = (
    select(SHOP_ORDER)
    .where(
        SHOP_ORDER.c.email_key.in_(bindparam("keys", expanding=True)),
        SHOP_ORDER.c.customer_id.is_(None),
        SHOP_ORDER.c.test.is_(False),
    )
    .order_by(SHOP_ORDER.c.created_at_ms.desc(), SHOP_ORDER.c.id.desc())
)
_OF_GUESTS_NUMBER = _OF_GUESTS.where(SHOP_ORDER.c.number == bindparam("number"))
_LOCKED = lockable(select(SHOP_ORDER.c.id).where(SHOP_ORDER.c.id == bindparam("id")))
_BY_ID = select(SHOP_ORDER).where(SHOP_ORDER.c.id == bindparam("id"))


def stored_orders(
    connection: Connection, source: str, external_ids: Collection[str]
) -> dict[str, dict[str, Any]]:  # Any: column values
    """The orders of a source by its ids, as rows."""
    if not external_ids:
        return {}
    driver = Driver(connection)
    found = driver.rows(_STORED, driver.several(external_ids), source)
    rows = (dict(zip(NAMES, row, strict=True)) for row in found)
    return {row["external_id"]: _plain(row) for row in rows}


def stored_lines(
    connection: Connection, order_ids: Collection[str]
) -> dict[str, list[dict[str, Any]]]:  # Any: column values
    """The lines of orders by the order's id, in order; orders without lines are absent."""
    lines: dict[str, list[dict[str, Any]]] = {}  # Any: column values
    if order_ids:
        driver = Driver(connection)
        for row in driver.rows(_LINES, driver.several(order_ids)):
            values = dict(zip(LINE_NAMES, row, strict=True))
            lines.setdefault(values["order_id"], []).append(values)
    return lines


def save_orders(
    tx: Tx,
    orders: Sequence[Values],
    *,
    lines: Sequence[Values],
    changed_lines: Collection[str],
) -> None:
    """Writes orders at once, over older ones; ``changed_lines`` are orders whose lines are new."""
    tx.write(_SAVE, orders)
    tx.write(_DROP_LINES, [{"order_id": order_id} for order_id in changed_lines])
    tx.write(_ADD_LINE, lines)


def orders_of_batch(
    connection: Connection, batch: str, *, limit: int
) -> list[dict[str, Any]]:  # Any: column values
    """Orders that an import wrote last, as rows; nobody has told of them since."""
    statement = select(SHOP_ORDER).where(SHOP_ORDER.c.batch == batch).limit(limit)
    return [dict(row) for row in connection.execute(statement).mappings()]


def put_back(
    tx: Tx, gone: Collection[str], orders: Sequence[Values], lines: Sequence[Values]
) -> None:
    """Takes orders away at once, and writes some as they were before."""
    ids = [{"id": order_id} for order_id in gone]
    tx.write(_DROP_LINES, [{"order_id": order_id} for order_id in gone])
    tx.write(_DROP, ids)
    tx.write(_ADD, orders)
    tx.write(_ADD_LINE, lines)


def orders_of(
    connection: Connection, customer_ids: Collection[str], limit: int
) -> list[RowMapping]:
    """The latest orders of some customers, newest first."""
    statement = _OF_CUSTOMERS.limit(limit)
    return list(connection.execute(statement, {"ids": list(customer_ids)}).mappings())


def guest_orders(
    connection: Connection, keys: Collection[str], limit: int, *, number: str | None = None
) -> list[RowMapping]:
    """The latest orders that were placed without an account with these addresses, newest first.

    With ``number`` only those of this number.
    """
    values: dict[str, object] = {"keys": list(keys)}
    if number is None:
        return list(connection.execute(_OF_GUESTS.limit(limit), values).mappings())
    found = connection.execute(_OF_GUESTS_NUMBER.limit(limit), values | {"number": number})
    return list(found.mappings())


def lock_order(tx: Tx, order_id: str) -> None:
    """Keeps others from asking for the same pieces until the commit. Raises Held."""
    locked_row(tx.connection, _LOCKED, order_id)


def lines_of(
    connection: Connection, order_ids: Collection[str]
) -> Mapping[str, list[dict[str, Any]]]:  # Any: column values
    """The lines of orders by the order's id, in the order in which the source has them."""
    return stored_lines(connection, order_ids)


def orders_page(
    connection: Connection,
    *,
    customer_ids: Collection[str] | None,
    source: str | None,
    number: str | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[RowMapping]:
    """Orders, the newest first, behind a place; None leaves a question open."""
    c = SHOP_ORDER.c
    statement = select(SHOP_ORDER)
    if customer_ids is not None:
        statement = statement.where(c.customer_id.in_(list(customer_ids)))
    if source is not None:
        statement = statement.where(c.source == source)
    if number is not None:
        statement = statement.where(c.number == number)
    if after is not None:
        statement = statement.where(tuple_(c.created_at_ms, c.id) < after)
    statement = statement.order_by(c.created_at_ms.desc(), c.id.desc()).limit(limit)
    return list(connection.execute(statement).mappings())


def order_by_id(connection: Connection, order_id: str) -> RowMapping | None:
    """One order, or None."""
    return connection.execute(_BY_ID, {"id": order_id}).mappings().first()


def _plain(row: dict[str, Any]) -> dict[str, Any]:  # Any: column values
    """The row with booleans as they are written, which SQLite gives back as numbers."""
    row["counted"] = bool(row["counted"])
    row["test"] = bool(row["test"])
    return row
