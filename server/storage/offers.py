"""What goes well together, prices that shoppers ask for, and what came of saying so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values and rows

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, text, update

from server.domain.offers import Pair, best_pairs, is_complaint
from server.domain.spans import DAY_MS
from server.storage import log_readers
from server.storage.card_orders import Latest
from server.storage.persons import members
from server.storage.products import PRODUCT
from server.storage.rows import CONVERSATION, MESSAGE
from server.storage.tables import BuyingMark as MarkRow
from server.storage.tables import (
    Cart,
    OrderLine,
    PageEvent,
    ProductPair,
    ShopOrder,
    table,
)
from server.storage.tables import Offer as OfferRow
from server.storage.unit import Tx

PAIR = table(ProductPair)
OFFER = table(OfferRow)
MARK = table(MarkRow)
ORDER = table(ShopOrder)
LINE = table(OrderLine)
CART = table(Cart)
PAGE_EVENT = table(PageEvent)

Json = dict[str, Any]  # Any: JSON values
HINTS = 3
# What somebody bought this long ago says little about what goes with it today.
BASIS_MS = 365 * DAY_MS
BASIS_SKUS = 30
CART_MS = 14 * DAY_MS
MARK_MS = DAY_MS
READER = "offers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the shopper of a conversation last said that sounds like buying."""

    conversation_id: str
    message_id: str
    session_no: int
    kind: str
    quantity: int | None
    items: tuple[tuple[str, float], ...]
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A product that an agent showed a shopper; ``kind`` is hint, price or card."""

    id: str
    conversation_id: str
    customer_id: str
    message_id: str
    agent_id: str | None
    sku: str
    title: str
    kind: str
    because_sku: str | None
    offered_at_ms: int


@dataclass(frozen=True, slots=True)
class Said:
    """A message that was not imported, with what readers of it need."""

    seq: int
    id: str
    conversation_id: str
    customer_id: str
    session_no: int
    sender_kind: str
    sender_id: str | None
    visibility: str
    body: str
    blocks: Sequence[Json]
    at_ms: int


# Hints


def hints_beside(
    connection: Connection, customer_ids: Sequence[str], basis: Mapping[str, str]
) -> list[Json]:
    """At most three products that go with these (titles by sku, latest first), best first.

    Each is {sku, title, price_minor, currency, url, image_url, why: {en, zh}}. Empty while a
    complaint is open. Whether the person agrees to profiling is not asked here.
    """
    if not basis or complaint_open(connection, customer_ids):
        return []
    found = _partners(connection, list(basis))
    products = products_of(connection, [pair.other_sku for pair in found])
    hints = []
    for pair in found:
        product = products.get(pair.other_sku)
        if product is not None and product["stock"] != 0 and product["price_minor"] is not None:
            hints.append(_shown(product) | {"why": _why(pair, basis[pair.sku])})
    return hints[:HINTS]


def basis_of(
    latest: Latest,
    cart: RowMapping | None,
    *,
    at_ms: int,
) -> dict[str, str]:
    """What ``hints_beside`` goes by, from a person's orders and latest cart that are at hand."""
    found: dict[str, str] = {}
    if cart is not None and cart["updated_at_ms"] > at_ms - CART_MS:
        _add_cart(found, cart["lines"])
    bought = [
        (line["sku"], line["title"])
        for row in latest.orders
        if row["counted"] and row["created_at_ms"] > at_ms - BASIS_MS
        for line in latest.lines.get(row["id"], ())
        if line["sku"] is not None and line["quantity"] > line["refunded_quantity"]
    ]
    for sku, title in bought[:BASIS_SKUS]:
        found.setdefault(sku, title)
    return found


def complaint_open(connection: Connection, customer_ids: Collection[str]) -> bool:
    """True while a conversation of these customers that is not settled is tagged as a complaint."""
    states = connection.execute(_OPEN, {"ids": list(customer_ids)}).scalars()
    return any(is_complaint(tag) for state in states for tag in orjson.loads(state).get("tags", ()))


_OPEN = select(CONVERSATION.c.state).where(
    CONVERSATION.c.customer_id.in_(bindparam("ids", expanding=True)),
    CONVERSATION.c.status.in_(("open", "snoozed")),
)
_BOUGHT = (
    select(LINE.c.sku, LINE.c.title)
    .join_from(ORDER, LINE, LINE.c.order_id == ORDER.c.id)
    .where(
        ORDER.c.customer_id.in_(bindparam("ids", expanding=True)),
        ORDER.c.counted,
        ORDER.c.created_at_ms > bindparam("since"),
        LINE.c.sku.is_not(None),
        LINE.c.quantity > LINE.c.refunded_quantity,
    )
    .order_by(ORDER.c.created_at_ms.desc(), LINE.c.line_no)
    .limit(BASIS_SKUS)
)
_CARTS = (
    select(CART.c.lines)
    .where(
        CART.c.customer_id.in_(bindparam("ids", expanding=True)),
        CART.c.ordered_at_ms.is_(None),
        CART.c.updated_at_ms > bindparam("since"),
    )
    .order_by(CART.c.updated_at_ms.desc())
    .limit(1)
)


def _basis(connection: Connection, ids: Sequence[str], *, at_ms: int) -> dict[str, str]:
    """Titles by sku of what a person has in the cart and bought, latest first."""
    found: dict[str, str] = {}
    for lines in connection.execute(_CARTS, {"ids": ids, "since": at_ms - CART_MS}).scalars():
        _add_cart(found, lines)
    for sku, title in connection.execute(_BOUGHT, {"ids": ids, "since": at_ms - BASIS_MS}):
        found.setdefault(sku, title)
    return found


def _add_cart(found: dict[str, str], lines: str) -> None:
    for line in orjson.loads(lines):
        if line.get("sku"):
            found.setdefault(str(line["sku"]), str(line.get("title") or line["sku"]))


_PARTNERS = select(PAIR).where(
    PAIR.c.sku.in_(bindparam("skus", expanding=True)),
    PAIR.c.other_sku.not_in(bindparam("known", expanding=True)),
)


def _partners(connection: Connection, skus: Sequence[str]) -> list[Pair]:
    """What goes with any of these products, each once, best first."""
    rows = connection.execute(_PARTNERS, {"skus": skus, "known": skus}).mappings()
    pairs = [Pair(**{name: row[name] for name in Pair.__dataclass_fields__}) for row in rows]
    once: dict[str, Pair] = {}
    for pair in best_pairs(pairs, limit=len(pairs)):
        once.setdefault(pair.other_sku, pair)
    return list(once.values())[: 4 * HINTS]


def _why(pair: Pair, title: str) -> dict[str, str]:
    times = f"{pair.lift:.1f}"
    return {
        "en": f"Bought together with “{title}” in {pair.together} of {pair.sku_orders} orders,"
        f" {times} times as often as by chance",
        "zh": f"{pair.sku_orders} 个含“{title}”的订单里有 {pair.together} 个也买了它，"
        f"是随机情况的 {times} 倍",
    }


_PRODUCTS = (
    select(PRODUCT)
    .where(PRODUCT.c.sku.in_(bindparam("skus", expanding=True)))
    .order_by(PRODUCT.c.updated_at_ms)
)


def products_of(connection: Connection, skus: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Rows of the catalogue by sku; of several sources the one told last."""
    if not skus:
        return {}
    rows = connection.execute(_PRODUCTS, {"skus": list(skus)}).mappings()
    return {row["sku"]: dict(row) for row in rows}


def _shown(product: Mapping[str, Any]) -> Json:  # Any: a row
    names = ("sku", "title", "price_minor", "currency", "url", "image_url")
    return {name: product[name] for name in names}


# Prices asked for


def price_card(connection: Connection, conversation_id: str) -> Json | None:
    """The latest question about a price in an open conversation, with the catalogue's word.

    {kind: price|discount|bulk, quantity, answered, message_id, at_ms, items: [{sku, title,
    price_minor, currency, url, image_url, stock, as_of_ms, likeness}]}, at most three items, best
    first; no items when nothing in the catalogue is like what was named. None when no price was
    asked for within a day of the last word, or the conversation is over.
    """
    mark = load_mark(connection, conversation_id)
    if mark is None or mark.kind == "buying":
        return None
    last = connection.execute(_LAST, {"id": conversation_id}).first()
    if last is None or last[0] not in ("open", "snoozed") or last[1] - mark.at_ms > MARK_MS:
        return None
    products = products_of(connection, [sku for sku, _ in mark.items])
    return {
        "kind": mark.kind,
        "quantity": mark.quantity,
        "answered": _answered(connection, mark),
        "message_id": mark.message_id,
        "at_ms": mark.at_ms,
        "items": [
            _shown(products[sku])
            | {
                "stock": products[sku]["stock"],
                "as_of_ms": products[sku]["updated_at_ms"],
                "likeness": likeness,
            }
            for sku, likeness in mark.items
            if sku in products
        ],
    }


_LAST = select(CONVERSATION.c.status, CONVERSATION.c.last_activity_at_ms).where(
    CONVERSATION.c.id == bindparam("id")
)
_ASKED = select(MESSAGE.c.seq).where(MESSAGE.c.id == bindparam("message_id")).scalar_subquery()
_REPLIES = select(func.count()).where(
    MESSAGE.c.conversation_id == bindparam("id"),
    MESSAGE.c.seq > _ASKED,
    MESSAGE.c.sender_kind == "agent",
    MESSAGE.c.visibility == "public",
)


def _answered(connection: Connection, mark: Mark) -> bool:
    values = {"id": mark.conversation_id, "message_id": mark.message_id}
    return bool(connection.execute(_REPLIES, values).scalar_one())


_MARK = select(MARK).where(MARK.c.conversation_id == bindparam("id"))


def load_mark(connection: Connection, conversation_id: str) -> Mark | None:
    """What sounds like buying in a conversation, or None."""
    row = connection.execute(_MARK, {"id": conversation_id}).mappings().first()
    if row is None:
        return None
    return Mark(**dict(row) | {"items": tuple((s, n) for s, n in orjson.loads(row["items"]))})


_SAVE_MARK = text(
    "INSERT INTO buying_mark"
    " (conversation_id, message_id, session_no, kind, quantity, items, at_ms)"
    " VALUES (:conversation_id, :message_id, :session_no, :kind, :quantity, :items, :at_ms)"
    " ON CONFLICT (conversation_id) DO UPDATE SET message_id = excluded.message_id,"
    " session_no = excluded.session_no, kind = excluded.kind, quantity = excluded.quantity,"
    " items = excluded.items, at_ms = excluded.at_ms"
)


def save_mark(tx: Tx, mark: Mark) -> None:
    """Writes what sounds like buying over what did before."""
    values = {name: getattr(mark, name) for name in Mark.__dataclass_fields__}
    tx.later(_SAVE_MARK, values | {"items": orjson.dumps(mark.items).decode()})


_VIEWED = (
    select(PAGE_EVENT.c.sku)
    .where(
        PAGE_EVENT.c.customer_id == bindparam("customer_id"),
        PAGE_EVENT.c.sku.is_not(None),
        PAGE_EVENT.c.at_ms.between(bindparam("from"), bindparam("to")),
    )
    .order_by(PAGE_EVENT.c.at_ms.desc())
    .limit(1)
)
_BLOCKS = (
    select(MESSAGE.c.blocks)
    .where(
        MESSAGE.c.conversation_id == bindparam("id"),
        MESSAGE.c.seq <= bindparam("seq"),
        MESSAGE.c.blocks.is_not(None),
    )
    .order_by(MESSAGE.c.seq.desc())
    .limit(3)
)


def in_front_of(connection: Connection, said: Said) -> str | None:
    """The sku of what a shopper who says "this" means: a card just shown, or the page looked at."""
    values = {"id": said.conversation_id, "seq": said.seq}
    for blocks in connection.execute(_BLOCKS, values).scalars():
        for sku, _ in product_blocks(orjson.loads(blocks)):
            return sku
    since = {"customer_id": said.customer_id, "from": said.at_ms - 1_800_000, "to": said.at_ms}
    viewed = connection.execute(_VIEWED, since).scalar_one_or_none()
    return None if viewed is None else str(viewed)


def titles(connection: Connection) -> Iterable[tuple[str, str]]:
    """Sku and title of everything in the catalogue, read as it is asked for."""
    statement = select(PRODUCT.c.sku, PRODUCT.c.title).execution_options(yield_per=2_000)
    return ((row[0], row[1]) for row in connection.execute(statement))


def product_blocks(blocks: Iterable[Json]) -> list[tuple[str, str]]:
    """Sku and title of the product cards of a message that name one."""
    return [
        (str(block["sku"]), str(block.get("title") or block["sku"]))
        for block in blocks
        if block.get("type") == "product" and block.get("sku")
    ]


# Reading what is said


def move_reader(tx: Tx, *, before: int, after: int) -> bool:
    """Moves on from a place; False when another process did so before."""
    if log_readers.take_place(tx, READER) != before:
        return False
    log_readers.move_place(tx, READER, after)
    return True


_SAID = text(
    "SELECT m.seq, m.id, m.conversation_id, c.customer_id,"
    " coalesce(e.session_no, 0) AS session_no, m.sender_kind,"
    " m.sender_id, m.visibility, m.body, m.blocks, m.at_ms"
    " FROM message m JOIN event e ON e.seq = m.seq"
    " JOIN conversation c ON c.id = m.conversation_id"
    " WHERE m.seq > :after AND m.seq <= :up_to AND NOT e.imported ORDER BY m.seq LIMIT :limit"
)


def said_after(connection: Connection, *, after: int, up_to: int, limit: int) -> list[Said]:
    """What was written between two numbers of the log and not imported, in its order."""
    values = {"after": after, "up_to": up_to, "limit": limit}
    return [
        Said(**dict(row) | {"blocks": orjson.loads(row["blocks"] or "[]")})
        for row in connection.execute(_SAID, values).mappings()
    ]


def because_of(
    connection: Connection, customer_ids: Sequence[str], sku: str, *, at_ms: int
) -> str | None:
    """The product of a person for which ``sku`` is a hint, or None when it is no hint."""
    pairs = _partners(connection, list(_basis(connection, customer_ids, at_ms=at_ms)))
    return next((pair.sku for pair in pairs if pair.other_sku == sku), None)


def add_offer(tx: Tx, offer: Offer) -> None:
    """Writes down that a product was shown."""
    tx.later(insert(OFFER), {name: getattr(offer, name) for name in Offer.__dataclass_fields__})


# What came of it

OFFER_MS = 30 * DAY_MS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an offer so far."""

    accepted_at_ms: int | None
    ordered_at_ms: int | None
    order_id: str | None


def unsettled(connection: Connection, *, after: str, limit: int) -> list[Mapping[str, Any]]:
    """Offers that may still be taken, by id."""
    statement = select(OFFER).where(OFFER.c.settled_at_ms.is_(None), OFFER.c.id > after)
    found = connection.execute(statement.order_by(OFFER.c.id).limit(limit)).mappings()
    return [dict(row) for row in found]


_ORDERED = (
    select(ORDER.c.created_at_ms, ORDER.c.id)
    .join_from(ORDER, LINE, LINE.c.order_id == ORDER.c.id)
    .where(
        ORDER.c.customer_id.in_(bindparam("ids", expanding=True)),
        ORDER.c.created_at_ms.between(bindparam("from"), bindparam("to")),
        ORDER.c.paid_at_ms.is_not(None),
        ORDER.c.cancelled_at_ms.is_(None),
        ~ORDER.c.test,
        LINE.c.sku == bindparam("sku"),
    )
    .order_by(ORDER.c.created_at_ms)
    .limit(1)
)
_LOOKED = select(func.min(PAGE_EVENT.c.at_ms)).where(
    PAGE_EVENT.c.customer_id.in_(bindparam("ids", expanding=True)),
    PAGE_EVENT.c.sku == bindparam("sku"),
    PAGE_EVENT.c.at_ms.between(bindparam("from"), bindparam("to")),
)
_CARTED = select(CART.c.lines, CART.c.updated_at_ms).where(
    CART.c.customer_id.in_(bindparam("ids", expanding=True)),
    CART.c.updated_at_ms.between(bindparam("from"), bindparam("to")),
)


def outcome_of(connection: Connection, offer: Mapping[str, Any]) -> Outcome:  # Any: a row
    """What became of an offer: looked at or put in the cart after it, and ordered.

    Who ordered it took it up too, when at the latest.
    """
    top = connection.execute(_TOP, {"id": offer["customer_id"]}).scalar_one_or_none()
    ids = members(connection, str(top or offer["customer_id"]))
    start = offer["offered_at_ms"]
    values = {"ids": ids, "sku": offer["sku"], "from": start, "to": start + OFFER_MS}
    ordered = connection.execute(_ORDERED, values).first()
    seen = [connection.execute(_LOOKED, values).scalar_one()]
    within = {key: values[key] for key in ("ids", "from", "to")}
    for lines, updated_at_ms in connection.execute(_CARTED, within):
        if any(line.get("sku") == offer["sku"] for line in orjson.loads(lines)):
            seen.append(updated_at_ms)
    if ordered is not None:
        seen.append(ordered[0])
    known = [int(at_ms) for at_ms in seen if at_ms is not None]
    if offer["accepted_at_ms"] is not None:
        known.append(offer["accepted_at_ms"])
    if ordered is None:
        return Outcome(min(known, default=None), None, None)
    return Outcome(min(known), int(ordered[0]), str(ordered[1]))


_TOP = text("SELECT coalesce(person_id, id) FROM customer WHERE id = :id")


def settle(tx: Tx, offer_id: str, outcome: Outcome, *, over: bool) -> None:
    """Writes down what became of an offer; ``over`` ends the waiting."""
    tx.later(
        update(OFFER)
        .where(OFFER.c.id == offer_id)
        .values(
            accepted_at_ms=outcome.accepted_at_ms,
            ordered_at_ms=outcome.ordered_at_ms,
            order_id=outcome.order_id,
            settled_at_ms=tx.at_ms if over or outcome.ordered_at_ms is not None else None,
        )
    )
