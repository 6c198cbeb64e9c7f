"""Orders, carts, products and customers of a shop in the one form every source is brought to.

Money is in the smallest unit of the currency, times are UTC milliseconds, ids are text: a number
beyond 2^53 would not come through a browser whole.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order or a cart; ``price_minor`` is for one piece."""

    title: str
    quantity: int
    price_minor: int
    sku: str | None = None
    product_id: str | None = None
    category: str | None = None
    brand: str | None = None
    discount_minor: int | None = None
    refunded_quantity: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as its source tells it.

    ``total_minor`` is what was paid before refunds. ``updated_at_ms`` is the source's clock: what
    is older than what is stored changes nothing. ``customer`` is the source's customer id; None is
    a guest, of whom ``email`` and ``phone`` are only what they said.
    """

    external_id: str
    number: str
    created_at_ms: int
    currency: str
    total_minor: int
    customer: str | None = None
    email: str | None = None
    phone: str | None = None
    postcode: str | None = None
    paid_at_ms: int | None = None
    cancelled_at_ms: int | None = None
    shipped_at_ms: int | None = None
    promised_at_ms: int | None = None
    delivered_at_ms: int | None = None
    refunded_minor: int = 0
    refunded_at_ms: int | None = None
    updated_at_ms: int | None = None
    discount_minor: int | None = None
    shipping_minor: int | None = None
    tax_minor: int | None = None
    status: str = "paid"
    fulfilment: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    coupon: str | None = None
    test: bool = False
    cart_token: str | None = None
    lines: tuple[Line, ...] = ()

    @property
    def net_minor(self) -> int:
        """What is left of the payment after refunds; never below zero."""
        return max(0, self.total_minor - self.refunded_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCustomer:
    """A customer as a source tells it; the source vouches for the id, not for the contacts.

    ``email_verified`` and ``phone_verified`` say that the source itself has proved them.
    """

    external_id: str
    name: str | None = None
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    phone_verified: bool = False
    locale: str | None = None
    tags: tuple[str, ...] = ()
    marketing_email: bool | None = None
    created_at_ms: int | None = None
    updated_at_ms: int | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopProduct:
    """A product of the catalogue as a source tells it."""

    sku: str
    title: str
    product_id: str | None = None
    category: str | None = None
    brand: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    url: str | None = None
    image_url: str | None = None
    stock: int | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCart:
    """A cart or an unfinished checkout as a source tells it."""

    token: str
    currency: str
    total_minor: int
    lines: tuple[Line, ...]
    updated_at_ms: int
    customer: str | None = None
    email: str | None = None
    checkout_url: str | None = None
    completed: bool = False


def counts(order: Order, *, currency: str) -> bool:
    """Whether figures count an order: paid, no test, not cancelled, something left of it.

    Money in another currency than the shop's cannot be added up and is shown only.
    """
    return (
        order.paid_at_ms is not None
        and order.cancelled_at_ms is None
        and not order.test
        and order.net_minor > 0
        and order.currency == currency
    )
