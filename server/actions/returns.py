"""What shoppers ask back of their orders in the portal: requests for people, never money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: rows

from agent_ui.render import LOCALES, sentence
from server.actions import ticket_moves, tickets
from server.actions.requests import Locale
from server.actions.tickets import MAX_OPEN_REQUESTS, SubmitRequest
from server.actions.visitors import writer_of
from server.domain.actors import SYSTEM, Actor, customer
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.order_state import OrderState, order_state
from server.domain.returns import (
    OUTCOMES,
    WANTED,
    OrderLine,
    Picked,
    check_picked,
    left_of,
    outcome_of,
    wanted_now,
)
from server.domain.ticket import Ticket
from server.domain.ticket_types import TicketType, Words
from server.storage import customers, orders, products, requests
from server.storage import tickets as stored
from server.storage.connection import Connection
from server.storage.portal import Reader, reader_of_address
from server.storage.requests import AskedLine
from server.storage.ticket_types import load_types
from server.storage.unit import Tx

MOST_ORDERS = 20


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order of the shopper: its lines, and what may be asked for now and why."""

    id: str
    number: str
    # None of an order that was placed without an account.
    customer_id: str | None
    created_at_ms: int
    currency: str
    state: OrderState
    lines: tuple[OrderLine, ...]
    wanted: tuple[str, ...]
    reasons: tuple[tuple[str, Words], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a shopper asks back; ``anyway`` when they know of their open request."""

    number: str
    wanted: str
    outcome: str
    picked: tuple[Picked, ...]
    words: str
    client_id: str
    locale: Locale
    anyway: bool = False
    files: tuple[str, ...] = ()


def own_orders(connection: Connection, reader: Reader) -> list[OwnOrder]:
    """The latest orders that are proved to be the reader's, the newest first."""
    found = [
        row for row in orders.orders_of(connection, reader.proved, MOST_ORDERS) if not row["test"]
    ]
    found += orders.guest_orders(connection, reader.addresses, MOST_ORDERS)
    found.sort(key=lambda row: (row["created_at_ms"], row["id"]), reverse=True)
    return _shown(connection, reader, found[:MOST_ORDERS])


def own_order(connection: Connection, reader: Reader, number: str) -> OwnOrder:
    """One order of the reader's. Raises NotFound alike for another's and for none."""
    key = stored.order_of_number(connection, number, reader.proved)
    row = orders.order_by_id(connection, key) if key else None
    guests = orders.guest_orders(connection, reader.addresses, 1, number=number)
    row = guests[0] if row is None and guests else row
    if row is None or row["test"]:
        raise NotFound("There is no such order.")
    return _shown(connection, reader, [row])[0]


def ask(tx: Tx, reader: Reader, asked: Asked, *, source: str = "portal") -> Ticket:
    """The ticket of what is asked back; the same ``client_id`` again changes nothing.

    Raises NotFound for another's order, InvalidInput, and Conflict for what was asked for already,
    or with ``numbers`` while there is an open request about the order.
    """
    order = own_order(tx.connection, reader, asked.number)
    if order.customer_id is None:
        # Nobody may be known yet who could be locked instead.
        orders.lock_order(tx, order.id)
    actor = _buyer(tx, reader, order, locale=asked.locale)
    known = tickets.submitted(tx, actor, asked.client_id)
    if known is not None:
        return known
    # Two at once must not both find the pieces free.
    customers.load_customer(tx.connection, actor.id or "", lock=True)
    order = own_order(tx.connection, reader, asked.number)
    _check(tx, reader, order, asked)
    reasons = {one.reason for one in asked.picked}
    first = asked.picked[0]
    kind = load_types(tx.connection)[asked.wanted]
    fields: dict[str, str | int] = {
        "line": _named(order, first) if len(asked.picked) == 1 else "",
        "quantity": sum(one.quantity for one in asked.picked),
        "reason": first.reason if len(reasons) == 1 else "",
    }
    at = 1 if asked.locale == "zh" else 0
    ticket = tickets.take_request(
        tx,
        actor,
        SubmitRequest(
            body=_body(order, asked, at),
            subject=sentence(asked.locale, f"written.subject.{asked.wanted}", number=order.number),
            type=asked.wanted,
            client_id=asked.client_id,
            order_id=order.number,
            files=list(asked.files) or None,
        ),
        source=source,
        fields={key: value for key, value in fields.items() if kind.field_of(key)},
        order=order.id,
        apart=True,
    )
    for one in asked.picked:
        ticket_moves.connect(tx, SYSTEM, ticket, "line", f"{order.id}:{one.line_no}")
    outcome = outcome_of(asked.wanted, asked.outcome)
    requests.add_lines(
        tx,
        ticket.id,
        [
            AskedLine(order.id, one.line_no, one.quantity, asked.wanted, one.reason, outcome)
            for one in asked.picked
        ],
    )
    return ticket


def submit(tx: Tx, reader: Reader, payload: SubmitRequest, *, anyway: bool = False) -> Ticket:
    """The ticket of any other request of the reader's.

    Raises Conflict with ``numbers`` while there is an open one about the order, unless ``anyway``.
    """
    actor = _writer(tx, reader)
    known = tickets.submitted(tx, actor, payload.client_id)
    if known is not None:
        return known
    number = (payload.order_id or "").strip()
    order_id = _order_id(tx.connection, reader, number) if number else None
    if order_id is not None and not anyway:
        _warn(tx.connection, reader, order_id)
    if len(_open(tx.connection, reader, None)) >= MAX_OPEN_REQUESTS:
        raise Conflict("Too many are open.", reason="portal_many_open")
    return tickets.take_request(tx, actor, payload, source="portal", order=order_id, apart=True)


def _order_id(connection: Connection, reader: Reader, number: str) -> str | None:
    """The order of this number that is the reader's, also one placed without an account."""
    found = stored.order_of_number(connection, number, reader.rows)
    if found is not None:
        return found
    guests = orders.guest_orders(connection, reader.addresses, 1, number=number)
    return str(guests[0]["id"]) if guests else None


def _check(tx: Tx, reader: Reader, order: OwnOrder, asked: Asked) -> None:
    """Returns nothing. Raises InvalidInput, Conflict."""
    if asked.wanted not in WANTED or asked.outcome not in OUTCOMES:
        raise InvalidInput("Choose what you want.", field="wanted", reason="portal_no_wish")
    if asked.wanted not in order.wanted:
        raise Conflict("That cannot be asked for now.", reason="portal_not_now")
    check_picked(order.lines, asked.picked, reasons=[key for key, _ in order.reasons])
    if len(_open(tx.connection, reader, None)) >= MAX_OPEN_REQUESTS:
        raise Conflict("Too many are open.", reason="portal_many_open")
    if not asked.anyway:
        _warn(tx.connection, reader, order.id)


def _warn(connection: Connection, reader: Reader, order_id: str) -> None:
    alike = _open(connection, reader, order_id)
    if alike:
        numbers = stored.numbers_of(connection, alike)
        raise Conflict(
            "There is an open request about this order.",
            reason="portal_alike",
            numbers=[numbers[key] for key in alike],
        )


def _open(connection: Connection, reader: Reader, order_id: str | None) -> list[str]:
    """The reader's requests that are not over, about the same order if one is named."""
    return stored.alike(connection, reader.rows, order_id=order_id, for_shopper=True)


def _shown(
    connection: Connection, reader: Reader, found: Sequence[Any]
) -> list[OwnOrder]:  # Any: rows
    ids = [row["id"] for row in found]
    lines = orders.lines_of(connection, ids)
    pictures = _pictures(connection, found, lines)
    taken = requests.taken_of(connection, ids)
    types = load_types(connection)
    usable = [
        name for name in WANTED if (kind := types.get(name)) and kind.active and kind.for_shoppers
    ]
    made = []
    for row in found:
        here = [one for one in taken if one.order_id == row["id"]]
        now = wanted_now(
            cancelled_at_ms=row["cancelled_at_ms"],
            shipped_at_ms=row["shipped_at_ms"],
            delivered_at_ms=row["delivered_at_ms"],
        )
        own = []
        for line in lines.get(row["id"], []):
            mine = [one for one in here if one.line_no == line["line_no"]]
            own.append(
                OrderLine(
                    line_no=line["line_no"],
                    title=line["title"],
                    sku=line["sku"],
                    quantity=line["quantity"],
                    left=left_of(line, sum(one.quantity for one in mine)),
                    numbers=tuple(
                        dict.fromkeys(o.number for o in mine if o.customer_id in reader.rows)
                    ),
                    price_minor=line["price_minor"],
                    image_url=pictures.get((row["source"], line["sku"])),
                )
            )
        made.append(
            OwnOrder(
                id=row["id"],
                number=row["number"],
                customer_id=row["customer_id"],
                created_at_ms=row["created_at_ms"],
                currency=row["currency"],
                state=order_state(row),
                lines=tuple(own),
                wanted=tuple(name for name in now if name in usable),
                reasons=_reasons(types),
            )
        )
    return made


def _pictures(
    connection: Connection,
    found: Sequence[Any],  # Any: rows
    lines: Mapping[str, list[dict[str, Any]]],  # Any: column values
) -> dict[tuple[str, str], str]:
    """Addresses of the pictures of what was ordered, by source and sku."""
    skus: dict[str, set[str]] = {}
    for row in found:
        named = {line["sku"] for line in lines.get(row["id"], ()) if line["sku"]}
        skus.setdefault(row["source"], set()).update(named)
    return {
        (source, sku): product["image_url"]
        for source, wanted in skus.items()
        for sku, product in products.stored_products(connection, source, wanted).items()
        if product["image_url"]
    }


def _reasons(types: dict[str, TicketType]) -> tuple[tuple[str, Words], ...]:
    """The reasons that this shop knows for a return."""
    kind = types.get("return")
    field = kind.field_of("reason") if kind else None
    return field.choices if field and field.choices else (("other", _both("written.reason.other")),)


def outcome_words(outcome: str) -> Words:
    """What a shopper would like instead, as they say it."""
    return _both(f"written.outcome.{outcome}")


def _both(key: str) -> Words:
    return sentence("en", key), sentence("zh", key)


def _buyer(tx: Tx, reader: Reader, order: OwnOrder, *, locale: Locale) -> Actor:
    """Who asks something of an order back: who placed it, or who reads the guest's mail."""
    if order.customer_id is None:
        return _writer(tx, reader, locale=locale)
    return customer(order.customer_id, also=frozenset(reader.rows) - {order.customer_id})


def _writer(tx: Tx, reader: Reader, *, locale: Locale | None = None) -> Actor:
    """Who writes for a reader: who has proved to be them, if anybody has.

    Of whom only a guest's order is known becomes a customer with that address, to whom is written
    in ``locale``. Raises NotFound.
    """
    if not reader.rows and reader.addresses:
        # Perhaps they have become one since the page was asked for.
        reader = reader_of_address(tx.connection, reader.addresses[0])
        if not reader.rows:
            return customer(writer_of(tx, reader.addresses[0], locale=locale).id)
    if not reader.rows:
        raise NotFound("There is no such customer.")
    first = (*reader.proved, *reader.rows)[0]
    return customer(first, also=frozenset(reader.rows) - {first})


def _named(order: OwnOrder, picked: Picked) -> str:
    line = next(one for one in order.lines if one.line_no == picked.line_no)
    return f"{line.title} ({line.sku})" if line.sku else line.title


def _body(order: OwnOrder, asked: Asked, at: int) -> str:
    """What the shopper asks for, in words for whoever reads it."""
    reasons = dict(order.reasons)
    locale = LOCALES[at]
    said = [sentence(locale, f"written.asked.{asked.wanted}", number=order.number)]
    said += [
        sentence(
            locale,
            "written.asked.line",
            quantity=one.quantity,
            line=_named(order, one),
            reason=reasons[one.reason][at],
        )
        for one in asked.picked
    ]
    if asked.wanted not in ("cancel", "exchange"):
        outcome = outcome_words(asked.outcome)[at]
        said.append(sentence(locale, "written.asked.wish", outcome=outcome))
    return "\n".join(said) + (f"\n\n{asked.words.strip()}" if asked.words.strip() else "")
