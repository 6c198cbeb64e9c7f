"""What a shop's delivery says, in the one form that is taken over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from server.domain.shop_data import Order, ShopCart, ShopCustomer, ShopProduct

PrivacyKind = Literal["export", "erase", "erase_shop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back; ``quantities`` are the pieces of each line, by the line's id."""

    id: str
    at_ms: int
    amount_minor: int
    quantities: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """A parcel of an order, or one that was called off."""

    id: str
    updated_at_ms: int
    shipped_at_ms: int | None = None
    delivered_at_ms: int | None = None
    promised_at_ms: int | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    called_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is told of an order piece by piece, in any order: its refunds and its parcels.

    ``lines`` are the ids of its lines, ``base_at_ms`` when the order apart from these last changed.
    """

    order_id: str
    customer: str | None = None
    base_at_ms: int | None = None
    lines: tuple[str, ...] = ()
    refunds: tuple[Refund, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consented:
    """What a customer said in the shop about a purpose."""

    customer: str
    purpose: Literal["marketing_email", "marketing_sms"]
    given: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """That the shop system asks for a person's data, or for its erasure; None is everybody."""

    kind: PrivacyKind
    customer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that one delivery says. ``parts`` belong to ``orders`` or to orders told before.

    ``nothing`` says why there is nothing in it for us. ``backfill`` marks what is long past.
    """

    customers: tuple[ShopCustomer, ...] = ()
    orders: tuple[Order, ...] = ()
    parts: tuple[Parts, ...] = ()
    products: tuple[ShopProduct, ...] = ()
    carts: tuple[ShopCart, ...] = ()
    same: tuple[tuple[str, str], ...] = ()
    consents: tuple[Consented, ...] = ()
    asked: tuple[Asked, ...] = ()
    cancelled: tuple[str, ...] = ()
    uninstalled: bool = False
    backfill: bool = False
    nothing: str | None = None

    @property
    def about(self) -> str | None:
        """The source's id of the one customer that the delivery is about, if it is one."""
        ids = {customer.external_id for customer in self.customers}
        ids |= {order.customer for order in self.orders if order.customer}
        ids |= {cart.customer for cart in self.carts if cart.customer}
        ids |= {consent.customer for consent in self.consents}
        ids |= {asked.customer for asked in self.asked if asked.customer}
        return ids.pop() if len(ids) == 1 else None


def together(known: Parts, news: Parts) -> Parts:
    """The parts of an order with those told now; the later word about each of them counts.

    In whichever order they are told, the outcome is the same.
    """
    base = news if (news.base_at_ms or 0) >= (known.base_at_ms or 0) else known
    refunds = {one.id: one for one in known.refunds}
    for refund in news.refunds:
        old = refunds.get(refund.id)
        if old is None or (refund.at_ms, refund.amount_minor) >= (old.at_ms, old.amount_minor):
            refunds[refund.id] = refund
    parcels = {one.id: one for one in known.fulfilments}
    for parcel in news.fulfilments:
        before = parcels.get(parcel.id)
        parcels[parcel.id] = parcel if before is None else _later(before, parcel)
    return Parts(
        order_id=known.order_id,
        customer=base.customer or known.customer or news.customer,
        base_at_ms=base.base_at_ms,
        lines=base.lines or known.lines or news.lines,
        refunds=tuple(refunds[key] for key in sorted(refunds)),
        fulfilments=tuple(parcels[key] for key in sorted(parcels)),
    )


def whole(order: Order, parts: Parts) -> Order:
    """The order as it is with its refunds and parcels."""
    refunded = sum(one.amount_minor for one in parts.refunds)
    back: dict[str, int] = {}
    for refund in parts.refunds:
        for line, pieces in refund.quantities.items():
            back[line] = back.get(line, 0) + pieces
    numbered = zip(order.lines, parts.lines, strict=False)
    lines = [
        replace(line, refunded_quantity=min(line.quantity, back.get(key, 0)))
        for line, key in numbered
    ]
    parcels = [one for one in parts.fulfilments if not one.called_off]
    told = max(
        parcels, key=lambda one: (bool(one.tracking_number), one.updated_at_ms), default=None
    )
    arrived = [one.delivered_at_ms for one in parcels]
    times = [order.updated_at_ms or 0, *(one.at_ms for one in parts.refunds)]
    times += [one.updated_at_ms for one in parts.fulfilments]
    status = order.status
    if refunded > 0 and status in ("paid", "refunded"):
        status = "refunded" if refunded >= order.total_minor else "paid"
    return replace(
        order,
        status=status,
        customer=order.customer or parts.customer,
        lines=(*lines, *order.lines[len(lines) :]),
        refunded_minor=refunded,
        refunded_at_ms=max((one.at_ms for one in parts.refunds), default=None),
        shipped_at_ms=min((at for one in parcels if (at := one.shipped_at_ms)), default=None),
        delivered_at_ms=max((at for at in arrived if at), default=None) if all(arrived) else None,
        promised_at_ms=order.promised_at_ms
        or max((at for one in parcels if (at := one.promised_at_ms)), default=None),
        carrier=told.carrier if told else None,
        tracking_number=told.tracking_number if told else None,
        tracking_url=told.tracking_url if told else None,
        fulfilment=order.fulfilment or ("fulfilled" if parcels else None),
        updated_at_ms=max(times) or None,
    )


def _later(one: Fulfilment, other: Fulfilment) -> Fulfilment:
    """The later word of two about a parcel; what only the earlier one says stays."""
    older, newer = sorted((one, other), key=lambda each: each.updated_at_ms)
    return replace(
        newer,
        shipped_at_ms=newer.shipped_at_ms or older.shipped_at_ms,
        delivered_at_ms=newer.delivered_at_ms or older.delivered_at_ms,
        promised_at_ms=newer.promised_at_ms or older.promised_at_ms,
        carrier=newer.carrier or older.carrier,
        tracking_number=newer.tracking_number or older.tracking_number,
        tracking_url=newer.tracking_url or older.tracking_url,
    )
