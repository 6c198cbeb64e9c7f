"""The list of customers as a file for spreadsheets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from urllib.parse import parse_qsl

from aiohttp import web

from agent_ui import render as words
from server.actions.desk import the_shop
from server.domain.events import CustomersExported
from server.domain.money import digits
from server.domain.periods import zone
from server.domain.permissions import may
from server.http.bodies import field, read_form
from server.http.csv_files import MARK, cell, csv_headers, csv_lines
from server.http.customer_query import read_customer_query
from server.http.customers import Json, matches_of, rows_view
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.views import locale_of
from server.storage import directory
from server.storage.connection import Connection
from server.storage.directory import Place
from server.storage.shop import Shop
from server.storage.unit import Tx

PERMISSION = "customer.export"
# So many at a time, so that nobody waits behind a long file.
PORTION = 500
MAX_ROWS = 200_000
LIMIT_S = 30.0
COLUMNS = (
    "id",
    "external_id",
    "name",
    "identity",
    "email",
    "phone",
    "locale",
    "segment",
    "value_cell",
    "activity_stage",
    "orders",
    "net_spend",
    "currency",
    "last_order_at",
    "created_at",
    "tags",
    "blocked",
)


def add_customer_export(app: web.Application) -> None:
    """Serves the file."""
    app.router.add_post("/customers/export.csv", export_customers)


async def export_customers(request: web.Request) -> web.StreamResponse:
    """Everybody whom the list with these filters has, in its order; logged.

    Addresses and numbers as the person may see them: whole only for who leads, and only what was
    proven or told by the shop.
    """
    actor = (await require_person(request, PERMISSION)).actor
    query = read_customer_query(parse_qsl(field(await read_form(request), "query")))
    locale = await locale_of(request)
    database = request.app[DATABASE]
    at_ms = database.clock()

    def look(connection: Connection, after: Place | None) -> tuple[list[Json], Place | None]:
        shop = the_shop(connection)
        _, among = matches_of(connection, query, shop)
        found = directory.page(
            connection,
            directory.expanded(connection, query.condition(shop.currency)),
            now=directory.today(connection, at_ms),
            sort=query.sort,
            among=among,
            after=after,
            limit=PORTION,
            seen_by=actor,
        )
        last = found[-1] if len(found) == PORTION else None
        behind = None if last is None else (last.place, last.customer.id)
        return rows_view(connection, actor, found), behind

    # Before anything is sent, so that what is wrong is answered as an error.
    shop = await database.read(the_shop)
    rows, after = await database.read(partial(look, after=None), limit_s=LIMIT_S)
    response = web.StreamResponse(headers=csv_headers("customers.csv"))
    response.content_type, response.charset = "text/csv", "utf-8"
    await response.prepare(request)
    head = [words.sentence(locale, f"customers.column.{name}") for name in COLUMNS]
    await response.write(MARK + csv_lines([head]))
    sent = 0
    try:
        while rows:
            await response.write(csv_lines(_cells(row, shop) for row in rows))
            sent += len(rows)
            if after is None or sent >= MAX_ROWS:
                break
            rows, after = await database.read(partial(look, after=after), limit_s=LIMIT_S)
    finally:
        masked = not may(actor, "customer.export_whole")

        def log(tx: Tx) -> None:
            tx.record(actor, CustomersExported(rows=sent, masked=masked))

        await database.write(log)
    await response.write_eof()
    return response


def _cells(row: Json, shop: Shop) -> list[str]:
    reached = {contact["kind"]: contact["shown"] for contact in row["contacts"]}
    values: Json = {
        **row,
        "email": reached.get("email"),
        "phone": reached.get("phone"),
        "net_spend": Decimal(row["net_minor"]).scaleb(-digits(shop.currency)),
        "currency": shop.currency,
        "last_order_at": _iso(row["last_order_at_ms"], shop.timezone),
        "created_at": _iso(row["created_at_ms"], shop.timezone),
        "tags": ", ".join(row["tags"]),
        "blocked": int(row["blocked"]),
    }
    return [cell(values[name]) for name in COLUMNS]


def _iso(at_ms: int | None, timezone: str) -> str:
    if at_ms is None:
        return ""
    return datetime.fromtimestamp(at_ms / 1000, zone(timezone)).isoformat(timespec="seconds")
