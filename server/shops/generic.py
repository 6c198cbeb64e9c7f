"""What a shop's own program says: one JSON object a line, in the words of the import files.

With the header ``X-Topic`` every line is a row of that kind; without it each line says its own:
``{"topic": "orders", "data": {...}}``. A delivery is taken over whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn

from server.domain.errors import InvalidInput
from server.domain.shop_data import Line, Order, ShopCart, ShopCustomer, ShopProduct
from server.domain.shop_told import Told
from server.shops.values import (
    Json,
    Shop,
    at_ms_of,
    currency_of,
    id_of,
    line_of,
    minor_of,
    needed_at_ms,
    needed_id,
    needed_minor,
    objects_of,
    parsed,
    quantity_of,
    title_of,
    url_of,
)

TOPICS = ("orders", "customers", "products", "carts")
MAX_ROWS = 2000
_UNPAID = frozenset({"pending", "unpaid", "failed", "cancelled", "on-hold", "voided"})


def read(topic: str, headers: Mapping[str, str], body: bytes, shop: Shop) -> Told:
    """All that a delivery says. Raises InvalidInput; its details name the line."""
    orders: list[Order] = []
    customers: list[ShopCustomer] = []
    products: list[ShopProduct] = []
    carts: list[ShopCart] = []
    for number, row in enumerate(_rows(body), 1):
        kind, value = _kind_of(topic, row)
        try:
            match kind:
                case "orders":
                    orders.append(_order(value, shop))
                case "customers":
                    customers.append(_customer(value, shop))
                case "products":
                    products.append(_product(value, shop))
                case "carts":
                    carts.append(_cart(value, shop))
                case _:
                    _unknown(kind)
        except InvalidInput as error:
            field = error.details.get("field", "row")
            raise InvalidInput(
                f"Line {number}: {error.message}", field=f"{number}.{field}"
            ) from None
    return Told(
        customers=tuple(customers),
        orders=tuple(orders),
        products=tuple(products),
        carts=tuple(carts),
        backfill=headers.get("x-backfill", "").lower() in ("1", "true"),
        nothing=None if orders or customers or products or carts else "empty",
    )


def _rows(body: bytes) -> Iterator[Json]:
    """The objects of a body: NDJSON, one object, or an array of them."""
    lines = [line for line in body.split(b"\n") if line.strip()]
    try:
        found = [parsed(line) for line in lines]
    except InvalidInput:
        found = [parsed(body)]
    if len(found) == 1 and isinstance(found[0], list):
        found = found[0]
    if len(found) > MAX_ROWS:
        raise InvalidInput(f"At most {MAX_ROWS} rows in a delivery.", field="body")
    for number, row in enumerate(found, 1):
        if not isinstance(row, dict):
            raise InvalidInput("A line is no JSON object.", field=f"{number}.row")
        yield row


def _unknown(kind: str) -> NoReturn:
    raise InvalidInput(f"{kind[:20]!r} is no topic. Topics: {', '.join(TOPICS)}.", field="topic")


def _kind_of(topic: str, row: Json) -> tuple[str, Json]:
    if topic != "mixed":
        return topic, row
    data = row.get("data")
    return str(row.get("topic")), data if isinstance(data, dict) else {}


def _order(value: Json, shop: Shop) -> Order:
    order_id = needed_id(value, "order_id")
    currency = currency_of(value.get("currency"), shop.currency)
    created_at_ms = needed_at_ms(value, "created_at", zone=shop.zone)
    status = line_of(value.get("status"), 40) or "paid"
    paid_at_ms = _at(value, "paid_at", shop)
    if "paid_at" not in value and status not in _UNPAID:
        paid_at_ms = created_at_ms
    cancelled_at_ms = _at(value, "cancelled_at", shop)
    refunded_minor = needed_minor(value, "refunded", currency) if value.get("refunded") else 0
    updated_at_ms = _at(value, "updated_at", shop)
    return Order(
        external_id=order_id,
        number=line_of(value.get("number"), 60) or order_id,
        customer=id_of(value.get("customer_id")),
        email=line_of(value.get("email"), 254),
        phone=line_of(value.get("phone"), 60),
        postcode=line_of(value.get("postcode"), 20),
        created_at_ms=created_at_ms,
        paid_at_ms=paid_at_ms,
        cancelled_at_ms=cancelled_at_ms,
        shipped_at_ms=_at(value, "shipped_at", shop),
        promised_at_ms=_at(value, "promised_at", shop),
        delivered_at_ms=_at(value, "delivered_at", shop),
        refunded_minor=refunded_minor,
        refunded_at_ms=_at(value, "refunded_at", shop),
        # Who does not say when it changed means: just now.
        updated_at_ms=shop.at_ms if updated_at_ms is None else updated_at_ms,
        currency=currency,
        total_minor=needed_minor(value, "total", currency),
        discount_minor=minor_of(value.get("discount"), currency),
        shipping_minor=minor_of(value.get("shipping"), currency),
        tax_minor=minor_of(value.get("tax"), currency),
        status=status,
        fulfilment=line_of(value.get("fulfilment"), 40),
        carrier=line_of(value.get("carrier"), 60),
        tracking_number=line_of(value.get("tracking_number"), 100),
        tracking_url=url_of(value.get("tracking_url")),
        coupon=line_of(value.get("coupon"), 200),
        test=_is_true(value.get("test")),
        cart_token=line_of(value.get("cart_token"), 200),
        lines=tuple(_line(line, currency) for line in objects_of(value, "lines")),
    )


def _line(value: Json, currency: str) -> Line:
    quantity = quantity_of(value.get("quantity")) or 1
    return Line(
        title=title_of(value.get("title"), value.get("sku")),
        quantity=quantity,
        price_minor=max(0, minor_of(value.get("price"), currency) or 0),
        sku=line_of(value.get("sku"), 100),
        product_id=id_of(value.get("product_id")),
        category=line_of(value.get("category"), 100),
        brand=line_of(value.get("brand"), 100),
        discount_minor=minor_of(value.get("discount"), currency),
        refunded_quantity=min(quantity, quantity_of(value.get("refunded_quantity"))),
    )


def _customer(value: Json, shop: Shop) -> ShopCustomer:
    marketing = value.get("marketing_email")
    updated_at_ms = _at(value, "updated_at", shop)
    return ShopCustomer(
        external_id=needed_id(value, "customer_id"),
        name=line_of(value.get("name"), 200),
        email=line_of(value.get("email"), 254),
        email_verified=_is_true(value.get("email_verified")),
        phone=line_of(value.get("phone"), 60),
        phone_verified=_is_true(value.get("phone_verified")),
        locale=line_of(value.get("locale"), 20),
        tags=_tags(value.get("tags")),
        marketing_email=None if marketing is None else _is_true(marketing),
        created_at_ms=_at(value, "created_at", shop),
        updated_at_ms=shop.at_ms if updated_at_ms is None else updated_at_ms,
        deleted=_is_true(value.get("deleted")),
    )


def _product(value: Json, shop: Shop) -> ShopProduct:
    currency = currency_of(value.get("currency"), shop.currency)
    stock = value.get("stock")
    return ShopProduct(
        sku=needed_id(value, "sku"),
        title=title_of(value.get("title")),
        product_id=id_of(value.get("product_id")),
        category=line_of(value.get("category"), 100),
        brand=line_of(value.get("brand"), 100),
        price_minor=minor_of(value.get("price"), currency),
        currency=currency,
        url=url_of(value.get("url")),
        image_url=url_of(value.get("image_url")),
        stock=None if stock is None else quantity_of(stock),
        deleted=_is_true(value.get("deleted")),
    )


def _cart(value: Json, shop: Shop) -> ShopCart:
    currency = currency_of(value.get("currency"), shop.currency)
    lines = tuple(_line(line, currency) for line in objects_of(value, "lines"))
    told = minor_of(value.get("total"), currency)
    updated_at_ms = _at(value, "updated_at", shop)
    return ShopCart(
        token=needed_id(value, "token"),
        currency=currency,
        total_minor=max(0, sum(line.quantity * line.price_minor for line in lines))
        if told is None
        else max(0, told),
        lines=lines,
        updated_at_ms=shop.at_ms if updated_at_ms is None else updated_at_ms,
        customer=id_of(value.get("customer_id")),
        email=line_of(value.get("email"), 254),
        checkout_url=url_of(value.get("checkout_url")),
        completed=_is_true(value.get("completed")),
    )


def _at(value: Json, name: str, shop: Shop) -> int | None:
    """An instant that may be absent. Raises InvalidInput for one that cannot be read."""
    given = value.get(name)
    if given is None or given == "":
        return None
    found = at_ms_of(given, shop.zone)
    if found is None:
        raise InvalidInput(f"{name} is no time.", field=name)
    return found


def _is_true(value: object) -> bool:
    return value is True or str(value).strip().lower() in ("1", "true", "yes")


def _tags(value: object) -> tuple[str, ...]:
    words = value if isinstance(value, list) else str(value or "").split(",")
    found = [tag for word in words if (tag := line_of(word, 64))]
    return tuple(dict.fromkeys(found))[:50]
