"""What WooCommerce's deliveries say (resources of its REST API, version 3).

A delivery is built when it is sent and shows the state of that moment, so "created" and "updated"
may be alike, and come in either order. "deleted" has nothing but the id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import unescape

from server.domain.shop_data import Line, Order, ShopCustomer, ShopProduct
from server.domain.shop_told import Told
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

_PAID = frozenset({"processing", "completed", "refunded"})
_OVER = frozenset({"cancelled", "failed", "trash"})
# Words of a shop's own software for an order that is not one yet.
_DRAFTS = frozenset({"checkout-draft", "auto-draft", "new"})
_ON_DELIVERY = "cod"
_TRACKING = "_wc_shipment_tracking_items"
_STATUSES = {"processing": "paid", "completed": "paid", "on-hold": "pending", "trash": "cancelled"}


def read(topic: str, _headers: Mapping[str, str], body: bytes, shop: Shop) -> Told:
    """All that a delivery says. Raises InvalidInput when it lacks what it cannot be without."""
    reader = _READERS.get(topic)
    return Told(nothing="topic") if reader is None else reader(parsed_object(body), shop)


def _order(value: Json, shop: Shop) -> Told:
    status = line_of(value.get("status"), 40) or "pending"
    if status in _DRAFTS:
        return Told(nothing="draft")
    order_id = needed_id(value, "id")
    currency = currency_of(value.get("currency"), shop.currency)
    created_at_ms = needed_at_ms(value, "date_created_gmt", "date_created")
    updated_at_ms = at_ms_of(value.get("date_modified_gmt")) or created_at_ms
    billing, shipping = object_of(value, "billing"), object_of(value, "shipping")
    completed_at_ms = at_ms_of(value.get("date_completed_gmt"))
    refunds = [minor_of(one.get("total"), currency) or 0 for one in objects_of(value, "refunds")]
    refunded_minor = sum(abs(amount) for amount in refunds)
    tracking = _tracking(value)
    codes = [line_of(one.get("code"), 60) for one in objects_of(value, "coupon_lines")]
    total_minor = needed_minor(value, "total", currency)
    if status == "refunded" and not refunds:
        refunded_minor = total_minor
    order = Order(
        external_id=order_id,
        number=line_of(value.get("number"), 60) or order_id,
        # 0 is a guest; what the bill says of them proves nothing.
        customer=_customer_id(value.get("customer_id")),
        email=line_of(billing.get("email"), 254),
        phone=line_of(billing.get("phone"), 60),
        postcode=line_of(shipping.get("postcode"), 20) or line_of(billing.get("postcode"), 20),
        created_at_ms=created_at_ms,
        paid_at_ms=_paid_at_ms(value, status, created_at_ms, completed_at_ms),
        cancelled_at_ms=updated_at_ms if status in _OVER else None,
        shipped_at_ms=at_ms_of(tracking.get("date_shipped")) or completed_at_ms,
        refunded_minor=refunded_minor,
        refunded_at_ms=updated_at_ms if refunded_minor else None,
        updated_at_ms=updated_at_ms,
        currency=currency,
        total_minor=total_minor,
        discount_minor=minor_of(value.get("discount_total"), currency),
        shipping_minor=minor_of(value.get("shipping_total"), currency),
        tax_minor=minor_of(value.get("total_tax"), currency),
        status="refunded" if refunded_minor >= total_minor > 0 else _STATUSES.get(status, status),
        fulfilment="fulfilled" if status == "completed" else None,
        carrier=line_of(tracking.get("tracking_provider"), 60)
        or line_of(tracking.get("custom_tracking_provider"), 60),
        tracking_number=line_of(tracking.get("tracking_number"), 100),
        tracking_url=url_of(tracking.get("custom_tracking_link"))
        or url_of(tracking.get("tracking_link")),
        coupon=", ".join(code for code in codes if code)[:200] or None,
        lines=tuple(_line(one, currency) for one in objects_of(value, "line_items")),
        cart_token=line_of(value.get("cart_hash"), 200),
    )
    return Told(orders=(order,))


def _paid_at_ms(
    value: Json, status: str, created_at_ms: int, completed_at_ms: int | None
) -> int | None:
    """When it was paid; what is paid at the door counts once it was taken there."""
    told = at_ms_of(value.get("date_paid_gmt"))
    if status not in _PAID:
        return None
    if value.get("payment_method") == _ON_DELIVERY and status == "processing":
        return told
    return told or completed_at_ms or created_at_ms


def _line(value: Json, currency: str) -> Line:
    quantity = quantity_of(value.get("quantity"))
    full = minor_of(value.get("subtotal"), currency)
    paid = minor_of(value.get("total"), currency)
    # ``price`` is after discounts and may have more decimals than money has.
    price = minor_of(value.get("price"), currency)
    if full is not None and quantity:
        price = round(full / quantity)
    title = line_of(value.get("name"), 600)
    return Line(
        title=title_of(unescape(title) if title else None),
        quantity=quantity,
        price_minor=max(0, price or 0),
        sku=line_of(value.get("sku"), 100),
        product_id=_customer_id(value.get("product_id")),
        discount_minor=max(0, full - paid) if full is not None and paid is not None else None,
    )


def _tracking(value: Json) -> Json:
    """The latest parcel, as the usual plugin writes it into the order; empty without one."""
    for one in objects_of(value, "meta_data"):
        if one.get("key") == _TRACKING:
            parcels = objects_of(one, "value")
            return parcels[-1] if parcels else {}
    return {}


def _customer_id(value: object) -> str | None:
    found = id_of(value)
    return None if found == "0" else found


def _deleted_order(value: Json, _shop: Shop) -> Told:
    return Told(cancelled=(needed_id(value, "id"),))


def _customer(value: Json, _shop: Shop) -> Told:
    billing = object_of(value, "billing")
    known = ShopCustomer(
        external_id=needed_id(value, "id"),
        name=name_of(value.get("first_name"), value.get("last_name"))
        or name_of(billing.get("first_name"), billing.get("last_name"))
        or name_of(value.get("username")),
        email=line_of(value.get("email"), 254),
        phone=line_of(billing.get("phone"), 60),
        created_at_ms=at_ms_of(value.get("date_created_gmt")),
        updated_at_ms=at_ms_of(value.get("date_modified_gmt"))
        or at_ms_of(value.get("date_created_gmt")),
    )
    return Told(customers=(known,))


def _deleted_customer(value: Json, shop: Shop) -> Told:
    gone = ShopCustomer(external_id=needed_id(value, "id"), updated_at_ms=shop.at_ms, deleted=True)
    return Told(customers=(gone,))


def _product(value: Json, shop: Shop) -> Told:
    product_id = needed_id(value, "id")
    images = objects_of(value, "images")
    categories = objects_of(value, "categories")
    brands = objects_of(value, "brands")
    title = line_of(value.get("name"), 600)
    category = line_of(categories[0].get("name"), 200) if categories else None
    counted = value.get("manage_stock") is True
    return Told(
        products=(
            ShopProduct(
                sku=line_of(value.get("sku"), 100) or f"product-{product_id}",
                title=title_of(unescape(title) if title else None),
                product_id=product_id,
                category=unescape(category)[:100] if category else None,
                brand=line_of(brands[0].get("name"), 100) if brands else None,
                price_minor=minor_of(value.get("price"), shop.currency),
                currency=shop.currency,
                url=url_of(value.get("permalink")),
                image_url=url_of(images[0].get("src")) if images else None,
                stock=quantity_of(value.get("stock_quantity")) if counted else None,
                deleted=value.get("status") in ("trash", "draft", "private"),
            ),
        )
    )


def _deleted_product(value: Json, _shop: Shop) -> Told:
    gone = ShopProduct(sku="", title="–", product_id=needed_id(value, "id"), deleted=True)
    return Told(products=(gone,))


def _nothing(_: Json, __: Shop) -> Told:
    return Told(nothing="topic")


_READERS: Mapping[str, Callable[[Json, Shop], Told]] = {
    **dict.fromkeys(["order.created", "order.updated", "order.restored"], _order),
    "order.deleted": _deleted_order,
    **dict.fromkeys(["customer.created", "customer.updated", "customer.restored"], _customer),
    "customer.deleted": _deleted_customer,
    **dict.fromkeys(["product.created", "product.updated", "product.restored"], _product),
    "product.deleted": _deleted_product,
    **dict.fromkeys(
        ["coupon.created", "coupon.updated", "coupon.deleted", "coupon.restored"], _nothing
    ),
}
TOPICS = tuple(_READERS)
"""The topics that are known; others, such as ``action.*``, are stored and left alone."""
