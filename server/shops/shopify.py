"""What Shopify's deliveries say (REST resources of its webhooks, up to version 2026-10).

An order comes whole with every change, its refunds and parcels also on their own, in any order; so
refunds and parcels are told as parts, which are put together with what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from server.domain.shop_data import Line, Order, ShopCart, ShopCustomer, ShopProduct
from server.domain.shop_told import Asked, Consented, Fulfilment, Parts, PrivacyKind, Refund, Told
from server.shops.values import (
    Json,
    Shop,
    at_ms_of,
    currency_of,
    id_of,
    line_of,
    minor_of,
    name_of,
    needed_at_ms,
    needed_id,
    needed_minor,
    object_of,
    objects_of,
    parsed_object,
    quantity_of,
    title_of,
    url_of,
)

# The money has come, or some of it.
_PAID = frozenset({"paid", "partially_paid", "partially_refunded", "refunded"})
_ON_DELIVERY = ("cash on delivery", "cash_on_delivery", "cod")
_CALLED_OFF = frozenset({"cancelled", "error", "failure"})
_CONSENT_TOPICS = {
    "customers_email_marketing_consent/update": "email_marketing_consent",
    "customers_marketing_consent/update": "sms_marketing_consent",
}


def read(topic: str, headers: Mapping[str, str], body: bytes, shop: Shop) -> Told:
    """All that a delivery says. Raises InvalidInput when it lacks what it cannot be without."""
    reader = _READERS.get(topic)
    if reader is None:
        return Told(nothing="topic")
    told = reader(parsed_object(body), shop)
    if headers.get("x-shopify-test", "").lower() == "true":
        told = replace(told, orders=tuple(replace(order, test=True) for order in told.orders))
    return told


def _order(value: Json, shop: Shop) -> Told:
    order_id = needed_id(value, "id", "admin_graphql_api_id")
    currency = currency_of(value.get("currency"), shop.currency)
    created_at_ms = needed_at_ms(value, "created_at", "processed_at")
    updated_at_ms = at_ms_of(value.get("updated_at")) or created_at_ms
    customer = object_of(value, "customer")
    customer_id = id_of(customer.get("id"))
    lines = objects_of(value, "line_items")
    refunds = tuple(_refund(one, currency, updated_at_ms) for one in objects_of(value, "refunds"))
    parcels = tuple(_parcel(one, updated_at_ms) for one in objects_of(value, "fulfillments"))
    paid_at_ms = _paid_at_ms(value, created_at_ms, parcels)
    cancelled_at_ms = at_ms_of(value.get("cancelled_at"))
    codes = [line_of(one.get("code"), 60) for one in objects_of(value, "discount_codes")]
    address = object_of(value, "shipping_address") or object_of(value, "billing_address")
    order = Order(
        external_id=order_id,
        number=line_of(value.get("name"), 60) or f"#{order_id}",
        customer=customer_id,
        email=line_of(value.get("email") or value.get("contact_email"), 254),
        # Not the telephone of an address: it may be anybody's.
        phone=line_of(value.get("phone"), 60),
        postcode=line_of(address.get("zip"), 20),
        created_at_ms=created_at_ms,
        paid_at_ms=paid_at_ms,
        cancelled_at_ms=cancelled_at_ms,
        updated_at_ms=updated_at_ms,
        currency=currency,
        total_minor=_total_minor(value, currency, refunded=bool(refunds)),
        discount_minor=minor_of(value.get("total_discounts"), currency),
        shipping_minor=_shipping_minor(value, currency),
        tax_minor=minor_of(value.get("total_tax"), currency),
        status=_status(value, paid=paid_at_ms is not None, cancelled=cancelled_at_ms is not None),
        fulfilment=line_of(value.get("fulfillment_status"), 40),
        coupon=", ".join(code for code in codes if code)[:200] or None,
        test=value.get("test") is True,
        cart_token=line_of(value.get("cart_token") or value.get("checkout_token"), 200),
        lines=tuple(_line(line, currency) for line in lines),
    )
    parts = Parts(
        order_id=order_id,
        customer=customer_id,
        base_at_ms=updated_at_ms,
        lines=tuple(id_of(line.get("id")) or "" for line in lines),
        refunds=refunds,
        fulfilments=parcels,
    )
    customers = (_shopper(customer),) if customer_id is not None else ()
    return Told(customers=customers, orders=(order,), parts=(parts,))


def _total_minor(value: Json, currency: str, *, refunded: bool) -> int:
    """What was paid before refunds.

    An order that was edited says in ``current_total_price`` what it costs now; once something was
    refunded that is taken off there too, so only the first total is before refunds.
    """
    current = minor_of(value.get("current_total_price"), currency)
    total = needed_minor(value, "total_price", currency)
    return total if refunded or current is None else max(0, current)


def _paid_at_ms(value: Json, created_at_ms: int, parcels: tuple[Fulfilment, ...]) -> int | None:
    if line_of(value.get("financial_status"), 40) in _PAID:
        return at_ms_of(value.get("processed_at")) or created_at_ms
    names = value.get("payment_gateway_names")
    gateways = [str(one).lower() for one in names] if isinstance(names, list) else []
    if any(name.startswith(_ON_DELIVERY) for name in gateways):
        # Paid at the door: it counts once it is on its way.
        sent = (one.shipped_at_ms for one in parcels if not one.called_off)
        return min((at_ms for at_ms in sent if at_ms is not None), default=None)
    return None


def _status(value: Json, *, paid: bool, cancelled: bool) -> str:
    if cancelled:
        return "cancelled"
    if value.get("financial_status") == "refunded":
        return "refunded"
    return "paid" if paid else line_of(value.get("financial_status"), 40) or "pending"


def _shipping_minor(value: Json, currency: str) -> int | None:
    money = object_of(object_of(value, "total_shipping_price_set"), "shop_money")
    return minor_of(money.get("amount"), currency)


def _line(value: Json, currency: str) -> Line:
    shares = [minor_of(one.get("amount"), currency) for one in _allocations(value)]
    discount = sum(share for share in shares if share)
    return Line(
        title=title_of(value.get("title"), value.get("name")),
        quantity=quantity_of(value.get("quantity")),
        price_minor=minor_of(value.get("price"), currency) or 0,
        sku=line_of(value.get("sku"), 100),
        product_id=id_of(value.get("product_id")),
        brand=line_of(value.get("vendor"), 100),
        discount_minor=discount or minor_of(value.get("total_discount"), currency),
    )


def _allocations(value: Json) -> list[Json]:
    return objects_of(value, "discount_allocations")


def _refund(value: Json, currency: str, at_ms: int) -> Refund:
    moves = [
        one
        for one in objects_of(value, "transactions")
        if one.get("kind") == "refund" and one.get("status", "success") == "success"
    ]
    if any(currency_of(one.get("currency"), currency) != currency for one in moves):
        # Given back in the shopper's own currency: the lines say it in the shop's.
        amounts = [_shop_minor(one, currency) for one in objects_of(value, "refund_line_items")]
    else:
        amounts = [minor_of(one.get("amount"), currency) or 0 for one in moves]
    back: dict[str, int] = {}
    for one in objects_of(value, "refund_line_items"):
        line = id_of(one.get("line_item_id")) or id_of(object_of(one, "line_item").get("id"))
        if line is not None:
            back[line] = back.get(line, 0) + quantity_of(one.get("quantity"))
    return Refund(
        id=needed_id(value, "id"),
        at_ms=at_ms_of(value.get("processed_at")) or at_ms_of(value.get("created_at")) or at_ms,
        amount_minor=sum(amounts),
        quantities=back,
    )


def _shop_minor(value: Json, currency: str) -> int:
    """What a refunded line comes to in the shop's currency, with its tax."""
    found = (
        minor_of(object_of(object_of(value, name), "shop_money").get("amount"), currency)
        for name in ("subtotal_set", "total_tax_set")
    )
    return sum(amount or 0 for amount in found)


def _parcel(value: Json, at_ms: int) -> Fulfilment:
    updated_at_ms = at_ms_of(value.get("updated_at")) or at_ms_of(value.get("created_at")) or at_ms
    delivered = value.get("shipment_status") == "delivered"
    links = value.get("tracking_urls")
    link = value.get("tracking_url") or (links[0] if isinstance(links, list) and links else None)
    return Fulfilment(
        id=needed_id(value, "id"),
        updated_at_ms=updated_at_ms,
        shipped_at_ms=at_ms_of(value.get("created_at")),
        delivered_at_ms=updated_at_ms if delivered else None,
        promised_at_ms=at_ms_of(value.get("estimated_delivery_at")),
        carrier=line_of(value.get("tracking_company"), 60),
        tracking_number=line_of(value.get("tracking_number"), 100),
        tracking_url=url_of(link),
        called_off=line_of(value.get("status"), 40) in _CALLED_OFF,
    )


def _refunded(value: Json, shop: Shop) -> Told:
    """A refund on its own; an order is in the shop's currency, whatever the shopper paid in."""
    refund = _refund(value, shop.currency, shop.at_ms)
    return Told(parts=(Parts(order_id=needed_id(value, "order_id"), refunds=(refund,)),))


def _fulfilled(value: Json, shop: Shop) -> Told:
    parcel = _parcel(value, shop.at_ms)
    return Told(parts=(Parts(order_id=needed_id(value, "order_id"), fulfilments=(parcel,)),))


def _parcel_event(value: Json, shop: Shop) -> Told:
    """Where a parcel is: told about a fulfilment that is known, or will be."""
    at_ms = at_ms_of(value.get("happened_at")) or at_ms_of(value.get("created_at")) or shop.at_ms
    parcel = Fulfilment(
        id=needed_id(value, "fulfillment_id"),
        updated_at_ms=at_ms,
        delivered_at_ms=at_ms if value.get("status") == "delivered" else None,
        promised_at_ms=at_ms_of(value.get("estimated_delivery_at")),
    )
    return Told(parts=(Parts(order_id=needed_id(value, "order_id"), fulfilments=(parcel,)),))


def _order_deleted(value: Json, _: Shop) -> Told:
    return Told(cancelled=(needed_id(value, "id"),))


def _shopper(value: Json) -> ShopCustomer:
    consent = object_of(value, "email_marketing_consent")
    told = value.get("accepts_marketing")
    marketing = told if isinstance(told, bool) else None
    if consent:
        marketing = consent.get("state") == "subscribed"
    tags = (line_of(value.get("tags"), 2000) or "").split(",")
    return ShopCustomer(
        external_id=needed_id(value, "id", "admin_graphql_api_id"),
        name=name_of(value.get("first_name"), value.get("last_name")),
        email=line_of(value.get("email"), 254),
        email_verified=value.get("verified_email") is True,
        phone=line_of(value.get("phone"), 60),
        locale=line_of(value.get("locale"), 20),
        tags=tuple(tag.strip()[:64] for tag in tags if tag.strip())[:50],
        marketing_email=marketing,
        created_at_ms=at_ms_of(value.get("created_at")),
        updated_at_ms=at_ms_of(value.get("updated_at")),
    )


def _customer(value: Json, _: Shop) -> Told:
    return Told(customers=(_shopper(value),))


def _customer_deleted(value: Json, shop: Shop) -> Told:
    gone = ShopCustomer(
        external_id=needed_id(value, "id", "admin_graphql_api_id"),
        updated_at_ms=shop.at_ms,
        deleted=True,
    )
    return Told(customers=(gone,))


def _customers_merged(value: Json, _: Shop) -> Told:
    if value.get("status") not in (None, "completed"):
        return Told(nothing="unfinished")
    kept = needed_id(value, "admin_graphql_api_customer_kept_id")
    return Told(same=((kept, needed_id(value, "admin_graphql_api_customer_deleted_id")),))


def _consent(value: Json, shop: Shop) -> Told:
    """Both topics of consent; the state is subscribed only once the shopper has confirmed it."""
    found: list[Consented] = []
    customer = needed_id(value, "customer_id", "id")
    for name in _CONSENT_TOPICS.values():
        consent = object_of(value, name)
        state = consent.get("state")
        if state not in ("subscribed", "unsubscribed"):
            continue
        found.append(
            Consented(
                customer=customer,
                purpose="marketing_email" if name.startswith("email") else "marketing_sms",
                given=state == "subscribed",
                at_ms=at_ms_of(consent.get("consent_updated_at")) or shop.at_ms,
            )
        )
    return Told(consents=tuple(found), nothing=None if found else "no_consent")


def _checkout(value: Json, shop: Shop) -> Told:
    """A checkout, which carries the token of the cart that it came from."""
    currency = currency_of(
        value.get("currency") or value.get("presentment_currency"), shop.currency
    )
    return Told(carts=(_cart_of(value, currency, shop, total=value.get("total_price")),))


def _cart(value: Json, shop: Shop) -> Told:
    """A cart, which says neither whose it is nor, in most versions, its total."""
    return Told(carts=(_cart_of(value, shop.currency, shop, total=value.get("total_price")),))


def _cart_of(value: Json, currency: str, shop: Shop, *, total: object) -> ShopCart:
    lines = tuple(_line(one, currency) for one in objects_of(value, "line_items"))
    added = sum(line.quantity * line.price_minor - (line.discount_minor or 0) for line in lines)
    told = minor_of(total, currency)
    customer = object_of(value, "customer")
    return ShopCart(
        token=needed_id(value, "cart_token", "token", "id"),
        currency=currency,
        total_minor=max(0, added if told is None else told),
        lines=lines,
        updated_at_ms=at_ms_of(value.get("updated_at")) or shop.at_ms,
        customer=id_of(customer.get("id")),
        email=line_of(value.get("email"), 254),
        checkout_url=url_of(value.get("abandoned_checkout_url")),
        completed=at_ms_of(value.get("completed_at")) is not None,
    )


def _checkout_deleted(value: Json, shop: Shop) -> Told:
    """A checkout that is no more, either bought or given up: nothing is left in it."""
    token = needed_id(value, "cart_token", "token", "id")
    gone = ShopCart(
        token=token,
        currency=shop.currency,
        total_minor=0,
        lines=(),
        updated_at_ms=shop.at_ms,
    )
    return Told(carts=(gone,))


def _product(value: Json, shop: Shop) -> Told:
    """A product: each of its variants is an article of its own."""
    product_id = needed_id(value, "id")
    images = objects_of(value, "images")
    image = url_of(object_of(value, "image").get("src")) or (
        url_of(images[0].get("src")) if images else None
    )
    found = []
    variants = objects_of(value, "variants")
    for one in variants:
        variant = line_of(one.get("title"), 100)
        plain = len(variants) == 1 or variant in (None, "Default Title")
        title = title_of(value.get("title"))
        found.append(
            ShopProduct(
                sku=line_of(one.get("sku"), 100) or f"variant-{id_of(one.get('id')) or product_id}",
                title=title if plain else f"{title} – {variant}"[:300],
                product_id=product_id,
                category=line_of(value.get("product_type"), 100),
                brand=line_of(value.get("vendor"), 100),
                price_minor=minor_of(one.get("price"), shop.currency),
                currency=shop.currency,
                url=url_of(value.get("online_store_url")),
                image_url=image,
                stock=quantity_of(one.get("inventory_quantity"))
                if one.get("inventory_management") or "inventory_quantity" in one
                else None,
                deleted=value.get("status") in ("archived", "draft"),
            )
        )
    return Told(products=tuple(found), nothing=None if found else "no_variants")


def _product_deleted(value: Json, _: Shop) -> Told:
    gone = ShopProduct(sku="", title="–", product_id=needed_id(value, "id"), deleted=True)
    return Told(products=(gone,))


def _uninstalled(_: Json, __: Shop) -> Told:
    return Told(uninstalled=True)


def _asked(kind: PrivacyKind) -> Callable[[Json, Shop], Told]:
    def reader(value: Json, _: Shop) -> Told:
        customer = None
        if kind != "erase_shop":
            customer = needed_id(object_of(value, "customer"), "id")
        return Told(asked=(Asked(kind=kind, customer=customer),))

    return reader


_READERS: Mapping[str, Callable[[Json, Shop], Told]] = {
    **dict.fromkeys(
        [
            "orders/create",
            "orders/updated",
            "orders/paid",
            "orders/cancelled",
            "orders/fulfilled",
            "orders/partially_fulfilled",
        ],
        _order,
    ),
    "orders/delete": _order_deleted,
    "refunds/create": _refunded,
    "fulfillments/create": _fulfilled,
    "fulfillments/update": _fulfilled,
    "fulfillment_events/create": _parcel_event,
    **dict.fromkeys(
        ("customers/create", "customers/update", "customers/enable", "customers/disable"),
        _customer,
    ),
    "customers/delete": _customer_deleted,
    "customers/merge": _customers_merged,
    **dict.fromkeys((*_CONSENT_TOPICS, "customers_marketing_consent"), _consent),
    "checkouts/create": _checkout,
    "checkouts/update": _checkout,
    "checkouts/delete": _checkout_deleted,
    "carts/create": _cart,
    "carts/update": _cart,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _product_deleted,
    "app/uninstalled": _uninstalled,
    "customers/data_request": _asked("export"),
    "customers/redact": _asked("erase"),
    "shop/redact": _asked("erase_shop"),
}
TOPICS = tuple(_READERS)
"""The topics that something is made of; others are stored and left alone."""
