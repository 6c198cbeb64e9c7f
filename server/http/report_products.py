"""Reports: product quality by product and batch, the tickets behind it, a file, and being told."""

from __future__ import annotations

from functools import partial
from typing import Any  # Any: values of a template
from urllib.parse import urlencode

from aiohttp import web

from server.actions import product_quality as actions
from server.actions.desk import the_shop
from server.domain.defects import FEW_ORDERS
from server.domain.errors import AppError, InvalidInput
from server.domain.events import CustomersExported
from server.domain.periods import local_date, zone
from server.domain.quotes import mask_quote
from server.domain.spans import DAY_MS
from server.domain.text import whole_number
from server.http.bodies import Form, field, read_form
from server.http.csv_files import cell, csv_file, csv_lines
from server.http.keys import DATABASE
from server.http.report_pages import PAGES
from server.http.sessions import require_person
from server.http.views import problem_of, render
from server.reports import products
from server.storage import product_quality
from server.storage.connection import Connection
from server.storage.people import names
from server.storage.ticket_types import load_statuses, load_types
from server.storage.unit import Tx

READ, TELL = "report.read", actions.MANAGE
PATH = "/reports/products"
WEEKS = (4, 13, 26, 52)
USUAL = 13
# How far back those affected are looked for.
TOLD_WEEKS = 52
LIMIT_S = 20.0
COLUMNS = ("ticket", "day", "type", "sku", "title", "batch", "defect", "state", "quote")
Json = dict[str, Any]  # Any: values of a template


def add_product_reports(app: web.Application) -> None:
    """Serves the pages and the file."""
    app.router.add_get(PATH, show_products)
    app.router.add_post(f"{PATH}/export.csv", export_products)
    app.router.add_get(f"{PATH}/one", show_product)
    app.router.add_post(f"{PATH}/one", tell)


def _weeks(request: web.Request) -> int:
    said = request.query.get("weeks", "")
    return int(said) if said in {str(one) for one in WEEKS} else USUAL


async def show_products(request: web.Request) -> web.Response:
    """Every product of which something was said, the highest rate first."""
    await require_person(request, READ)
    database = request.app[DATABASE]
    weeks, at_ms = _weeks(request), database.clock()

    def read(connection: Connection) -> Json:
        shop = the_shop(connection)
        from_ms, to_ms = products.period(at_ms, shop.timezone, weeks)
        return {
            "shop": shop,
            "found": products.load_products(connection, from_ms=from_ms, to_ms=to_ms, weeks=weeks),
            "alarms": product_quality.alarms_since(connection, at_ms - 28 * DAY_MS),
        }

    return await render(
        request,
        "report_products.html",
        nav="reports",
        wide=True,
        pages=list(PAGES.values()),
        weeks=weeks,
        choices=WEEKS,
        few=FEW_ORDERS,
        address=_address,
        **await database.read(read, limit_s=LIMIT_S),
    )


def _address(sku: str, batch: str | None, weeks: int, path: str = f"{PATH}/one") -> str:
    asked = {"sku": sku, "weeks": str(weeks)} | ({} if batch is None else {"batch": batch})
    return f"{path}?{urlencode(asked)}"


def _asked(request: web.Request) -> tuple[str, str | None]:
    """The product that is asked for, and perhaps a batch of it."""
    sku = request.query.get("sku", "").strip()[: products.MAX_SKU_CHARS]
    if not sku:
        raise InvalidInput("Name a product by its SKU.", field="sku")
    batch = request.query.get("batch")
    return sku, None if batch is None else batch.strip()[: products.MAX_SKU_CHARS]


async def show_product(
    request: web.Request, error: AppError | None = None, *, asked: Form | None = None
) -> web.Response:
    """The tickets of one product or batch, what was told, and the form to tell it."""
    await require_person(request, READ)
    sku, batch = _asked(request)
    database = request.app[DATABASE]
    weeks, at_ms = _weeks(request), database.clock()

    def read(connection: Connection) -> Json:
        shop = the_shop(connection)
        from_ms, to_ms = products.period(at_ms, shop.timezone, weeks)
        found = products.complaints(connection, from_ms=from_ms, to_ms=to_ms, sku=sku, batch=batch)[
            : products.MOST
        ]
        whole = products.load_products(connection, from_ms=from_ms, to_ms=to_ms, weeks=weeks)
        rows = whole.products if batch is None else whole.batches.get(sku, [])
        return {
            "shop": shop,
            "found": found,
            "quality": next((one for one in rows if one.sku == sku and one.batch == batch), None),
            "title": products.titles(connection, [sku]).get(sku),
            "quotes": products.first_words(connection, [one.ticket_id for one in found]),
            "people": products.called(connection, sorted({one.customer_id for one in found})),
            "kinds": load_types(connection),
            "statuses": load_statuses(connection),
            "alarms": product_quality.alarms_since(connection, at_ms - 365 * DAY_MS, sku=sku),
            "announcements": product_quality.announcements_of(connection, sku),
            "affected": _affected(connection, sku, batch, at_ms),
            "names": names(connection),
        }

    found = await database.read(read, limit_s=LIMIT_S)
    return await render(
        request,
        "report_product.html",
        status=error.status if error else 200,
        nav="reports",
        wide=True,
        pages=list(PAGES.values()),
        sku=sku,
        batch=batch,
        weeks=weeks,
        choices=WEEKS,
        few=FEW_ORDERS,
        address=_address,
        told=whole_number(request.query.get("told", "")),
        problem=await problem_of(request, error),
        entered={name: values[0] for name, values in (asked or {}).items()},
        confirming=asked is not None and error is None,
        **found,
    )


def _affected(
    connection: Connection, sku: str, batch: str | None, at_ms: int
) -> list[actions.Affected]:
    """Each ticket of a year about the product, with whether it would be told in it."""
    shop = the_shop(connection)
    from_ms, to_ms = products.period(at_ms, shop.timezone, TOLD_WEEKS)
    found = products.complaints(connection, from_ms=from_ms, to_ms=to_ms, sku=sku, batch=batch)
    named = [(one.ticket_id, one.number, one.customer_id) for one in found]
    return actions.affected(connection, named, at_ms=at_ms)


async def tell(request: web.Request) -> web.Response:
    """Asks once more with the numbers, then tells those affected."""
    person = await require_person(request, TELL)
    sku, batch = _asked(request)
    form = await read_form(request)
    database = request.app[DATABASE]
    at_ms = database.clock()
    try:
        words = actions.read_words(field(form, "words_en"), field(form, "words_zh"))
    except AppError as error:
        return await show_product(request, error, asked=form)
    if field(form, "do") != "tell":
        return await show_product(request, asked=form)
    found = await database.read(
        partial(_affected, sku=sku, batch=batch, at_ms=at_ms), limit_s=LIMIT_S
    )
    ids = [one.ticket_id for one in found if one.held is None]
    if not ids:
        nobody = InvalidInput("There is nobody to tell.", reason="nobody_to_tell")
        return await show_product(request, nobody, asked=form)
    counts = {"told": len(ids), "held": len(found) - len(ids)}
    notice_id = await database.write(
        partial(
            actions.begin_announcement,
            actor=person.actor,
            sku=sku,
            batch=batch,
            words=words,
            counts=counts,
        )
    )
    done = 0
    for at in range(0, len(ids), actions.AT_ONCE):
        job = partial(
            actions.tell_fixed,
            actor=person.actor,
            notice_id=notice_id,
            words=words,
            ticket_ids=ids[at : at + actions.AT_ONCE],
        )
        done += await database.write(job)
    raise web.HTTPSeeOther(f"{_address(sku, batch, _weeks(request))}&told={done}")


async def export_products(request: web.Request) -> web.Response:
    """The tickets as CSV for the maker: what was said, without who said it; logged."""
    actor = (await require_person(request, READ)).actor
    await read_form(request)
    database = request.app[DATABASE]
    weeks, at_ms = _weeks(request), database.clock()
    sku = request.query.get("sku", "").strip()[: products.MAX_SKU_CHARS] or None
    batch = request.query.get("batch")

    def read(connection: Connection) -> list[list[str]]:
        shop = the_shop(connection)
        tz = zone(shop.timezone)
        from_ms, to_ms = products.period(at_ms, shop.timezone, weeks)
        found = products.complaints(connection, from_ms=from_ms, to_ms=to_ms, sku=sku, batch=batch)[
            : products.MOST
        ]
        quotes = products.first_words(connection, [one.ticket_id for one in found])
        known = products.known_of(connection, sorted({one.customer_id for one in found}))
        called = products.titles(connection, sorted({one.sku for one in found}))
        rows = []
        for one in found:
            own = [*known.get(one.customer_id, ()), *_texts(one.contact)]
            values = (
                one.number,
                local_date(one.created_at_ms, tz).isoformat(),
                one.type,
                one.sku,
                called.get(one.sku),
                one.batch,
                one.defect,
                one.state,
                mask_quote(quotes.get(one.ticket_id) or one.subject, own),
            )
            rows.append([cell(value) for value in values])
        return rows

    rows = await database.read(read, limit_s=LIMIT_S)

    def log(tx: Tx) -> None:
        tx.record(actor, CustomersExported(rows=len(rows), masked=True))

    await database.write(log)
    return csv_file(csv_lines([COLUMNS, *rows]), "product-quality.csv")


def _texts(contact: Any) -> list[str]:  # Any: JSON values
    """What somebody gave of themselves with a request."""
    found = contact if isinstance(contact, dict) else {}
    return [str(value) for name, value in found.items() if name != "order" and value]
