"""What orders add up to, asked of the database: for some persons, or for all at once.

One query serves the order that has just come, the nightly rebuild and the export of a day long
past, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any  # Any: columns and rows

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from server.domain.profile import Ledger, Sums, joined
from server.storage.among import among
from server.storage.bulk import let_others
from server.storage.customers import CUSTOMER
from server.storage.orders import SHOP_ORDER
from server.storage.persons import ORIGIN
from server.storage.tables import Profile as ProfileRow
from server.storage.tables import ShopSource, table

PROFILE = table(ProfileRow)
SHOP_SOURCE = table(ShopSource)
# Customers looked at in one query of a sweep, and values in one statement.
_PORTION = 5_000
# Rows that are there at once: what lives on makes the collector of garbage look at all there is,
# and every thread waits for it.
_ROWS = 200

C = SHOP_ORDER.c


@dataclass(frozen=True, slots=True)
class Counting:
    """Which orders count, and how much of them is left.

    ``paid`` are those whose money came, whatever was given back of it.
    """

    paid: ColumnElement[bool]
    counted: ColumnElement[bool]
    net: ColumnElement[int]
    refunded: ColumnElement[int]


_SETTLED = and_(C.test.is_(False), C.currency == bindparam("currency"))
NOW = Counting(
    paid=and_(C.paid_at_ms.is_not(None), C.cancelled_at_ms.is_(None), _SETTLED),
    counted=C.counted,
    net=C.net_minor,
    refunded=C.refunded_minor,
)
"""As the sources have told it until now."""


def _as_of() -> Counting:
    at_ms = bindparam("at_ms", type_=C.created_at_ms.type)
    paid = and_(
        _SETTLED,
        C.created_at_ms < at_ms,
        C.paid_at_ms < at_ms,
        or_(C.cancelled_at_ms.is_(None), C.cancelled_at_ms >= at_ms),
    )
    # A refund of which nobody told the time may have been at any time before.
    known = or_(C.refunded_at_ms.is_(None), C.refunded_at_ms < at_ms)
    refunded = case((known, C.refunded_minor), else_=0)
    return Counting(paid, and_(paid, C.total_minor > refunded), C.total_minor - refunded, refunded)


AS_OF = _as_of()
"""By what had happened before the instant ``at_ms``, whenever it was told."""


def _columns(by: Counting) -> tuple[ColumnElement[Any], ...]:  # Any: columns
    return (
        func.count().filter(by.counted),
        func.sum(by.net).filter(by.counted),
        func.sum(C.total_minor).filter(by.paid),
        func.sum(by.refunded).filter(by.paid),
        func.count().filter(and_(by.counted, C.coupon.is_not(None), C.coupon != "")),
        func.min(C.created_at_ms).filter(by.counted),
        func.max(C.created_at_ms).filter(by.counted),
        func.aggregate_strings(_text(C.day), ",").filter(by.counted),
    )


def _text(column: ColumnElement[int]) -> ColumnElement[str]:
    return column.cast(C.id.type)


def _sums(row: Sequence[Any]) -> Sums:  # Any: columns
    orders, net, gross, refunded, coupons, first, last, days = row
    return Sums(
        orders,
        int(net or 0),
        int(gross or 0),
        int(refunded or 0),
        coupons,
        first,
        last,
        () if days is None else _days(days),
    )


def _days(told: str) -> tuple[int, ...]:
    if "," not in told:
        return (int(told),)
    return tuple(sorted({int(day) for day in told.split(",")}))


_OF_CUSTOMERS = (
    select(C.customer_id, *_columns(NOW)).where(among(C.customer_id, "ids")).group_by(C.customer_id)
)


def sums_of(connection: Connection, persons: dict[str, str], *, currency: str) -> dict[str, Sums]:
    """The sums of persons with orders; ``persons`` has the person of each of their customers."""
    parts: dict[str, list[Sums]] = {}
    if persons:
        values = {"ids": list(persons), "currency": currency}
        for row in connection.execute(_OF_CUSTOMERS, values):
            parts.setdefault(persons[row[0]], []).append(_sums(row[1:]))
    return {person: joined(found) for person, found in parts.items()}


def _sweep(by: Counting) -> Select[Any]:  # Any: columns
    statement = select(C.customer_id, *_columns(by)).where(_between(C.customer_id))
    if by is AS_OF:
        statement = statement.where(C.created_at_ms < bindparam("at_ms"))
    return statement.group_by(C.customer_id)


def _between(column: ColumnElement[Any]) -> ColumnElement[bool]:  # Any: a text, or NULL
    return and_(column > bindparam("after"), column <= bindparam("to"))


# Each table is asked for itself: a join of all three is planned anew by PostgreSQL whenever one of
# them has grown, and once in a while wrongly, when each customer costs a look at all the others.
_SWEEP_NOW = _sweep(NOW)
_SWEEP_AS_OF = _sweep(AS_OF)
_ABOVE = select(CUSTOMER.c.id, CUSTOMER.c.person_id).where(
    _between(CUSTOMER.c.id), CUSTOMER.c.person_id.is_not(None)
)
_REVISIONS_OF = select(PROFILE.c.person_id, PROFILE.c.revision).where(_between(PROFILE.c.person_id))
_NEXT = (
    select(CUSTOMER.c.id)
    .where(CUSTOMER.c.id > bindparam("after"))
    .order_by(CUSTOMER.c.id)
    .limit(1)
    .offset(_PORTION - 1)
)
_LAST = select(func.max(CUSTOMER.c.id))
_TOPS = select(CUSTOMER.c.person_id).where(CUSTOMER.c.person_id.is_not(None)).distinct()
_REVISIONS = select(PROFILE.c.person_id, PROFILE.c.revision).where(
    PROFILE.c.person_id.in_(bindparam("ids", expanding=True))
)


def read_ledger(
    connection: Connection,
    *,
    currency: str,
    as_of_ms: int | None = None,
    looked_at: Callable[[int], None] = lambda _more: None,
) -> Ledger:
    """The sums of all persons who have an order, from one state of the database.

    With ``as_of_ms`` as things stood then. ``looked_at`` is told how many customers more were read;
    what it raises ends the reading.
    """
    ledger = Ledger()
    tops = set(connection.execute(_TOPS).scalars())
    parts: dict[str, list[Sums]] = {}
    for bounds in _portions(connection):
        above = {row[0]: row[1] for row in connection.execute(_ABOVE, bounds)}
        revisions = {row[0]: row[1] for row in connection.execute(_REVISIONS_OF, bounds)}
        for rows in _summed(connection, bounds, currency=currency, as_of_ms=as_of_ms):
            for row in rows:
                customer_id, *numbers = tuple(row)
                if customer_id not in above and customer_id not in tops:
                    revision = revisions.get(customer_id, 0)
                    ledger.add(customer_id, _sums(numbers), revision=revision)
                else:
                    person_id = above.get(customer_id, customer_id)
                    parts.setdefault(person_id, []).append(_sums(numbers))
            let_others()
            looked_at(len(rows))
    together = list(parts)
    for start in range(0, len(together), _PORTION):
        ids = together[start : start + _PORTION]
        revisions = {row[0]: row[1] for row in connection.execute(_REVISIONS, {"ids": ids})}
        for person_id in ids:
            sums = joined(parts[person_id])
            ledger.add(person_id, sums, revision=revisions.get(person_id, 0))
    return ledger


def _portions(connection: Connection) -> Iterator[dict[str, object]]:
    """The bounds (``after``, ``to``) of some thousand customers at a time, all of them in turn."""
    end, after = connection.execute(_LAST).scalar_one_or_none(), ""
    while end is not None and after != end:
        to = connection.execute(_NEXT, {"after": after}).scalar_one_or_none() or end
        yield {"after": after, "to": to}
        after = to


def _summed(
    connection: Connection, bounds: dict[str, object], *, currency: str, as_of_ms: int | None
) -> Iterator[Sequence[Row[Any]]]:  # Any: columns
    """The sums of customers with orders, some hundred at a time."""
    values = bounds | {"currency": currency}
    if as_of_ms is None:
        found = connection.execute(_SWEEP_NOW, values)
    else:
        found = connection.execute(_SWEEP_AS_OF, values | {"at_ms": as_of_ms})
    return found.partitions(_ROWS)


_COUNTED_NOW = select(C.net_minor.label("net")).where(C.counted, C.customer_id.is_not(None))
_COUNTED_AS_OF = select(AS_OF.net.label("net")).where(AS_OF.counted, C.customer_id.is_not(None))


def median_order(connection: Connection, *, currency: str, as_of_ms: int | None = None) -> int:
    """The median of what is left of counted orders, rounded down; 0 when there are none."""
    values = {"currency": currency, "at_ms": as_of_ms} if as_of_ms is not None else {}
    orders = (_COUNTED_NOW if as_of_ms is None else _COUNTED_AS_OF).subquery()
    count = connection.execute(select(func.count()).select_from(orders), values).scalar_one()
    if not count:
        return 0
    middle = select(orders.c.net).order_by(orders.c.net).offset((count - 1) // 2)
    found = connection.execute(middle.limit(2 - count % 2), values).scalars().all()
    return int(sum(found)) // len(found)


_RECORDS = select(
    CUSTOMER.c.id, CUSTOMER.c.person_id, CUSTOMER.c.external_id, ORIGIN.c.name
).select_from(CUSTOMER.outerjoin(ORIGIN, ORIGIN.c.customer_id == CUSTOMER.c.id))
_RECORDS_OF = _RECORDS.where(
    or_(
        CUSTOMER.c.id.in_(bindparam("ids", expanding=True)),
        CUSTOMER.c.person_id.in_(bindparam("ids", expanding=True)),
    )
)


def source_ids(connection: Connection, person_ids: Collection[str]) -> dict[str, str]:
    """What the shop's sources call these persons; who is in no source is left out.

    The id of the record at the top comes first, then the shop's own ids, then those of sources with
    numbers of their own; the smallest of several.
    """
    names = tuple(f"{name}:" for name in connection.execute(select(SHOP_SOURCE.c.name)).scalars())
    best: dict[str, tuple[int, str]] = {}
    ids = list(person_ids)
    for start in range(0, len(ids), _PORTION):
        for row in connection.execute(_RECORDS_OF, {"ids": ids[start : start + _PORTION]}):
            person_id = row.person_id or row.id
            for found in _called(row, names):
                best[person_id] = min(found, best.get(person_id, found))
    return {person_id: name for person_id, (_, name) in best.items()}


def _called(row: Any, sources: tuple[str, ...]) -> Iterator[tuple[int, str]]:  # Any: a row
    """What a record is called, with how much that weighs: less is more."""
    if row.external_id is not None:
        yield (0 if row.person_id is None else 2), row.external_id
    if row.name is not None and row.name.startswith(sources):
        yield (1 if row.person_id is None else 3), row.name.partition(":")[2]


_ORDERED = select(C.customer_id).where(
    C.customer_id.is_not(None), C.created_at_ms < bindparam("before")
)
_KNOWN = select(func.coalesce(CUSTOMER.c.person_id, CUSTOMER.c.id)).where(
    or_(
        CUSTOMER.c.created_at_ms < bindparam("before"),
        CUSTOMER.c.id.in_(_ORDERED),
    ),
    or_(
        CUSTOMER.c.external_id.is_not(None),
        CUSTOMER.c.id.in_(select(ORIGIN.c.customer_id)),
    ),
)


def persons_known(connection: Connection, *, before_ms: int) -> set[str]:
    """The persons of sources who were there before an instant, or had ordered anything by then."""
    return set(connection.execute(_KNOWN, {"before": before_ms}).scalars())
