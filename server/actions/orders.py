"""What programs read of the shop's orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any  # Any: column values

from pydantic import Field

from server.actions.desk import Look, sees_customer
from server.actions.lists import Page, page_of
from server.actions.payload import Id, Payload
from server.domain.cursors import place_of
from server.domain.errors import NotAllowed, NotFound
from server.storage import customers
from server.storage import orders as stored
from server.storage.persons import members, person_of
from server.storage.shapes import Order, OrderLine
from server.storage.views import Json

Text = Annotated[str, Field(min_length=1, max_length=200)]
_FIELDS = tuple(name for name in Order.model_fields if name != "lines")
_LINE_FIELDS = tuple(OrderLine.model_fields)


class ListOrders(Page):
    """Orders, the newest first, perhaps those of one customer, source or number."""

    customer_id: Id | None = None
    source: Annotated[str, Field(max_length=60, pattern="^[a-z0-9_-]+$")] | None = None
    number: Text | None = None


class OrdersOfCustomer(Page):
    """The orders of one customer, the newest first."""

    customer_id: Id


class OrderRef(Payload):
    """For one order."""

    order_id: Id


def list_orders(look: Look, payload: ListOrders | OrdersOfCustomer) -> Json:
    """A page of orders; those of one customer are those of all rows of the person.

    A hidden customer has none. Raises NotAllowed for all orders to who leads nobody.
    """
    rows = None
    if payload.customer_id is not None:
        rows = _rows_of(look, payload.customer_id)
    elif not look.actor.leads:
        raise NotAllowed("Name a customer: only those who lead see every order.")
    filters = payload.model_dump(exclude={"cursor", "limit"}, exclude_none=True)
    found = stored.orders_page(
        look.connection,
        customer_ids=rows,
        source=getattr(payload, "source", None),
        number=getattr(payload, "number", None),
        after=place_of(payload.cursor, "orders", filters),
        limit=payload.limit + 1,
    )
    shown, cursor = page_of(
        found, payload, "orders", filters, place=lambda row: (row["created_at_ms"], row["id"])
    )
    return {"items": _views(look, shown), "next_cursor": cursor}


def list_orders_of(look: Look, payload: OrdersOfCustomer) -> Json:
    """A page of a customer's orders. Raises NotFound for one who is hidden."""
    if not _sees(look, payload.customer_id):
        raise NotFound("There is no such customer.")
    return list_orders(look, payload)


def get_order(look: Look, payload: OrderRef) -> Json:
    """One order. Raises NotFound, also when its customer is hidden."""
    row = stored.order_by_id(look.connection, payload.order_id)
    if row is None or not _sees(look, row["customer_id"]):
        raise NotFound("There is no such order.")
    return _views(look, [row])[0]


def _sees(look: Look, customer_id: str | None) -> bool:
    """Whether the actor may see a customer, None being a guest, whom only those see who lead."""
    if customer_id is None:
        return look.actor.leads
    customer = customers.load_customer(look.connection, customer_id)
    return customer is not None and sees_customer(look, customer.id)


def _rows_of(look: Look, customer_id: str) -> tuple[str, ...]:
    if not _sees(look, customer_id):
        return ()
    return members(look.connection, person_of(look.connection, customer_id))


def _views(look: Look, rows: Sequence[Any]) -> list[Json]:  # Any: column values
    lines = stored.lines_of(look.connection, [row["id"] for row in rows])
    return [
        {name: row[name] for name in _FIELDS}
        | {
            "lines": [
                {name: line[name] for name in _LINE_FIELDS} for line in lines.get(row["id"], ())
            ]
        }
        for row in rows
    ]
