"""Where shop data comes from, and how fresh it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

from server.domain.spans import HOUR_MS, MINUTE_MS
from server.storage.tables import ShopDelivery, ShopSource, table
from server.storage.unit import Tx

SHOP_SOURCE = table(ShopSource)
SHOP_DELIVERY = table(ShopDelivery)

CustomerIds = Literal["shop", "own"]
IMPORT_SOURCE = "shop"
"""The source of files that name none."""
STALE_AFTER_MS = 26 * HOUR_MS
"""How long a source may be silent before what it told counts as old; each may have its own."""
STUCK_AFTER_MS = 10 * MINUTE_MS
"""How long a delivery may wait before what is shown counts as old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A place that shop data comes from; ``kind`` "file" takes no hooks.

    ``customer_ids`` is "shop" when its customer ids are those that signed identities name, "own"
    when they mean nothing elsewhere.
    """

    name: str
    kind: str
    customer_ids: CustomerIds
    created_at_ms: int
    secret: str | None = None
    old_secret: str | None = None
    old_secret_until_ms: int | None = None
    received_at_ms: int | None = None
    applied_at_ms: int | None = None
    lag_ms: int | None = None
    failures: int = 0
    refused: int = 0
    refused_at_ms: int | None = None
    stale_after_ms: int = STALE_AFTER_MS
    uninstalled_at_ms: int | None = None
    removed_at_ms: int | None = None

    @property
    def live(self) -> bool:
        """Whether events are expected from it: no file, still connected."""
        return self.kind != "file" and self.removed_at_ms is None

    def secrets(self, at_ms: int) -> tuple[str, ...]:
        """The secrets whose signatures are taken now: the present one, the former for a while."""
        if self.secret is None:
            return ()
        if self.old_secret is None or (self.old_secret_until_ms or 0) <= at_ms:
            return (self.secret,)
        return (self.secret, self.old_secret)


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a source last told something, and why that may be too long ago.

    ``reason`` is None while all is well, else uninstalled (it has gone), stuck (what came waits),
    refused (nothing but wrong signatures) or silent.
    """

    source: str
    kind: str
    last_at_ms: int | None
    reason: Literal["uninstalled", "stuck", "refused", "silent"] | None

    @property
    def stale(self) -> bool:
        """Whether to warn whoever reads what this source has told."""
        return self.reason is not None


_BY_NAME = select(SHOP_SOURCE).where(SHOP_SOURCE.c.name == bindparam("name"))
_ALL = select(SHOP_SOURCE).order_by(SHOP_SOURCE.c.created_at_ms, SHOP_SOURCE.c.name)


def load_source(connection: Connection, name: str, *, removed: bool = False) -> Source | None:
    """One source, or None; ``removed`` finds those too that were taken away."""
    row = connection.execute(_BY_NAME, {"name": name}).mappings().first()
    if row is None or (row["removed_at_ms"] is not None and not removed):
        return None
    return _source(row)


def load_sources(connection: Connection) -> list[Source]:
    """All sources that were not removed, the oldest first."""
    found = [_source(row) for row in connection.execute(_ALL).mappings()]
    return [source for source in found if source.removed_at_ms is None]


def source_for_import(tx: Tx, name: str | None) -> Source:
    """The source that a file belongs to, made when there is none of this name.

    Without a name it is "shop", whose customer ids are those of signed identities, as are those of
    the very first source; any other has ids of its own.
    """
    wanted = name or IMPORT_SOURCE
    found = load_source(tx.connection, wanted, removed=True)
    if found is not None:
        return found
    made = Source(
        name=wanted,
        kind="file",
        customer_ids=customer_ids_for(tx.connection, wanted),
        created_at_ms=tx.at_ms,
    )
    insert_source(tx, made)
    return made


def customer_ids_for(connection: Connection, name: str) -> CustomerIds:
    """What the customer ids of a new source mean unless somebody says otherwise."""
    if name == IMPORT_SOURCE or connection.execute(_ALL.limit(1)).first() is None:
        return "shop"
    return "own"


def insert_source(tx: Tx, source: Source) -> None:
    """Adds a source before anything that names it."""
    values = {name: getattr(source, name) for name in Source.__dataclass_fields__}
    tx.later(insert(SHOP_SOURCE), values, first=True)


def change_source(tx: Tx, name: str, **values: str | int | None) -> None:
    """Writes new values of some columns of a source."""
    statement = update(SHOP_SOURCE).where(SHOP_SOURCE.c.name == bindparam("b_name"))
    tx.later(statement.values({key: bindparam(key) for key in values}), values | {"b_name": name})


def note_applied(tx: Tx, name: str) -> None:
    """Notes that something of a source was taken over now."""
    change_source(tx, name, applied_at_ms=tx.at_ms, failures=0)


def note_refused(tx: Tx, name: str, times: int) -> None:
    """Notes that deliveries came with wrong signatures since the last right one."""
    c = SHOP_SOURCE.c
    refused = c.refused + bindparam("times")
    statement = update(SHOP_SOURCE).where(c.name == bindparam("b_name"))
    tx.later(
        statement.values(refused=refused, refused_at_ms=bindparam("at_ms")),
        {"b_name": name, "times": times, "at_ms": tx.at_ms},
    )


# Of each source the first and the last that waits: two looks into an index, however many wait.
_OF_SOURCE = select(func.min(SHOP_DELIVERY.c.received_at_ms)).where(
    SHOP_DELIVERY.c.source == SHOP_SOURCE.c.name, SHOP_DELIVERY.c.status == "waiting"
)
_LATEST = _OF_SOURCE.with_only_columns(func.max(SHOP_DELIVERY.c.received_at_ms))
FRESHNESS = (
    select(
        SHOP_SOURCE,
        _OF_SOURCE.scalar_subquery().label("oldest"),
        _LATEST.scalar_subquery().label("newest"),
    )
    .where(SHOP_SOURCE.c.removed_at_ms.is_(None))
    .order_by(SHOP_SOURCE.c.created_at_ms, SHOP_SOURCE.c.name)
)


def freshness(connection: Connection, at_ms: int) -> list[Freshness]:
    """How fresh the data of each source is; those that have told nothing yet are left out.

    One short query, for what is shown beside every customer.
    """
    rows = connection.execute(FRESHNESS).mappings()
    found = [_freshness(_source(row), row["oldest"], row["newest"], at_ms) for row in rows]
    return [one for one in found if one.last_at_ms is not None or one.stale]


def _freshness(
    source: Source, oldest_at_ms: int | None, newest_at_ms: int | None, at_ms: int
) -> Freshness:
    # Trying old deliveries again is no news.
    told = (source.received_at_ms, newest_at_ms) if source.live else (source.applied_at_ms,)
    last_at_ms = max((at for at in told if at), default=None)
    reason: Literal["uninstalled", "stuck", "refused", "silent"] | None = None
    if source.live:
        if source.uninstalled_at_ms is not None:
            reason = "uninstalled"
        elif oldest_at_ms is not None and at_ms - oldest_at_ms > STUCK_AFTER_MS:
            reason = "stuck"
        elif source.refused >= 3 and (source.refused_at_ms or 0) > (last_at_ms or 0):
            reason = "refused"
        elif last_at_ms is not None and at_ms - last_at_ms > source.stale_after_ms:
            reason = "silent"
    return Freshness(source.name, source.kind, last_at_ms, reason)


def _source(row: RowMapping) -> Source:
    return Source(**{name: row[name] for name in Source.__dataclass_fields__})
