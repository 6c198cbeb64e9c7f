"""Files of a shop: its orders, products and customers, each import under a name to undo it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from server.actions.take_orders import take_orders, take_products, take_shop_customers
from server.actions.taken import Taken
from server.actions.undo_import import undo_some
from server.domain.imported import CUSTOMER_COLUMNS, both, read_shop_customer
from server.domain.imported_orders import (
    ORDER_COLUMNS,
    PRODUCT_COLUMNS,
    Reading,
    read_order,
    read_product,
)
from server.domain.periods import zone
from server.domain.shop_data import Order, ShopCustomer
from server.importers.marketplace import MARKETPLACE, PaidIs, marketplace_orders
from server.importers.sheets import Progress, Sheet, SheetOutcome, Values, take_rows, the_shop
from server.storage.database import Database
from server.storage.ids import new_id
from server.storage.import_batches import (
    Batch,
    add_batch,
    count_in,
    latest_batches,
    load_batch,
)
from server.storage.shop_sources import (
    Source,
    insert_source,
    load_source,
    note_applied,
    source_for_import,
)
from server.storage.unit import Tx

R = TypeVar("R")


def import_orders(
    database: Database,
    path: Path,
    *,
    source: str | None = None,
    paid_is: PaidIs | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SheetOutcome:
    """Takes the orders of a file, a Chinese marketplace's own export included.

    ``paid_is`` says of such an export whether what was paid has refunds taken off already; without
    it the file is asked. Raises InvalidInput, OSError; see docs/importing.md.
    """
    shop = the_shop(database)
    reading = Reading(zone(shop.timezone), shop.currency, database.clock())
    notes: list[str] = []
    found = marketplace_orders(path, reading, paid_is=paid_is)
    if found is not None:
        sheet, read, told = found
        notes += told
        source = source or MARKETPLACE
        named = True
    else:
        named = False
        sheet = Sheet(path, ORDER_COLUMNS, required=("order_id", "created_at", "total"))
        reading = Reading(reading.tz, reading.currency, reading.now_ms, tells_paid(sheet))
        if reading.unpaid_blank:
            notes.append(
                both(
                    "Rows without paid_at count as not paid, because other rows have one.",
                    "没有付款时间的订单按未付款处理，因为文件中其他订单有付款时间。",
                )
            )

        def read(values: Values) -> Order:
            return read_order(values, reading)

    def take(tx: Tx, found: Source, rows: Sequence[Order], batch: str) -> list[Taken]:
        if named:
            # A marketplace knows its buyers by the names they have chosen.
            buyers = sorted({row.customer for row in rows if row.customer is not None})
            people = [ShopCustomer(external_id=name, name=name) for name in buyers]
            take_shop_customers(tx, found, people, batch=batch)
        return take_orders(tx, found, rows, imported=True, batch=batch)

    outcome = _import(
        database,
        sheet,
        noun="orders",
        source=source,
        key_name="order_id",
        read=read,
        key=lambda row: row.external_id,
        take=take,
        own_ids=named,
        dry_run=dry_run,
        progress=progress,
    )
    outcome.notes = notes
    return outcome


def import_products(
    database: Database,
    path: Path,
    *,
    source: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SheetOutcome:
    """Takes the products of a file. Raises InvalidInput, OSError."""
    shop = the_shop(database)
    reading = Reading(zone(shop.timezone), shop.currency, database.clock())
    return _import(
        database,
        Sheet(path, PRODUCT_COLUMNS, required=("sku", "title")),
        noun="products",
        source=source,
        key_name="sku",
        read=lambda values: read_product(values, reading),
        key=lambda row: row.sku,
        take=lambda tx, found, rows, batch: take_products(tx, found, rows, batch=batch),
        dry_run=dry_run,
        progress=progress,
    )


def import_customers(
    database: Database,
    path: Path,
    *,
    source: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SheetOutcome:
    """Takes the customers of a file. Raises InvalidInput, OSError."""
    tz = zone(the_shop(database).timezone)
    return _import(
        database,
        Sheet(path, CUSTOMER_COLUMNS, required=("customer_id",)),
        noun="customers",
        source=source,
        key_name="customer_id",
        read=lambda values: read_shop_customer(values, tz=tz),
        key=lambda row: row.external_id,
        take=lambda tx, found, rows, batch: take_shop_customers(tx, found, rows, batch=batch),
        dry_run=dry_run,
        progress=progress,
    )


def _source(tx: Tx, name: str | None, *, own_ids: bool) -> Source:
    """The source of a file; one that is made for a marketplace has customer ids of its own."""
    if own_ids and name is not None and load_source(tx.connection, name, removed=True) is None:
        made = Source(name=name, kind="file", customer_ids="own", created_at_ms=tx.at_ms)
        insert_source(tx, made)
        return made
    return source_for_import(tx, name)


def undo_import(database: Database, batch_id: str, *, progress: Progress | None = None) -> int:
    """How many rows of an import were put back as they were before it.

    Raises NotFound for no import, Conflict for one that was undone before.
    """
    done, total = 0, 0
    found = database.read_now(lambda c: load_batch(c, batch_id))
    if found is not None:
        total = found.accepted
    while (step := database.write_now(lambda tx: undo_some(tx, batch_id))).more:
        done += step.put_back
        if progress is not None:
            progress(done, max(done, total))
    return done


def list_imports(database: Database, *, limit: int = 50) -> list[str]:
    """A line for each of the latest imports that wrote something, the newest first."""
    tz = zone(the_shop(database).timezone)
    return [
        f"{batch.id}  {datetime.fromtimestamp(batch.at_ms / 1000, tz):%Y-%m-%d %H:%M}"
        f"  {batch.noun}  {batch.source}  {batch.name}  {batch.accepted}"
        f"{'' if batch.undone_at_ms is None else '  undone'}"
        for batch in database.read_now(lambda c: latest_batches(c, limit))
    ]


def tells_paid(sheet: Sheet) -> bool:
    """Whether a file tells orders that were paid from others: some rows say when, some do not."""
    said = silent = False
    for _, values in sheet.rows():
        if isinstance(values, Mapping):
            if values.get("paid_at") in (None, ""):
                silent = True
            else:
                said = True
            if said and silent:
                return True
    return False


def _import(
    database: Database,
    sheet: Sheet,
    *,
    noun: str,
    source: str | None,
    key_name: str,
    read: Callable[[Values], R],
    key: Callable[[R], object],
    take: Callable[[Tx, Source, Sequence[R], str], list[Taken]],
    own_ids: bool = False,
    dry_run: bool,
    progress: Progress | None,
) -> SheetOutcome:
    batch = new_id(database.clock())

    def taken(tx: Tx, rows: list[R]) -> list[bool]:
        found = _source(tx, source, own_ids=own_ids)
        new = [answer == "accepted" for answer in take(tx, found, rows, batch)]
        if any(new):
            add_batch(
                tx,
                Batch(batch, noun=noun, source=found.name, name=sheet.path.name, at_ms=tx.at_ms),
            )
            count_in(tx, batch, sum(new))
        return new

    outcome = take_rows(
        database,
        sheet,
        key_name=key_name,
        read=lambda values, _line: read(values),
        key=key,
        take=taken,
        dry_run=dry_run,
        progress=progress,
    )
    if not dry_run:
        database.write_now(lambda tx: note_applied(tx, source_for_import(tx, source).name))
        outcome.batch = batch if outcome.accepted else None
    return outcome
