"""What a canned reply leaves open, and what fills it: {customer.name}, {order.number} and so on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from server.domain.money import digits

NAMES = (
    "customer.name",
    "order.number",
    "order.date",
    "order.items",
    "order.total",
    "order.carrier",
    "order.tracking",
    "order.tracking_url",
    "order.refund",
    "order.refund_date",
    "agent.name",
    "shop.name",
)
# The console marks what is still open by the same rule: agent_ui/static/js/console/suggest.js.
_VARIABLE = re.compile(r"\{ *((?:customer|order|agent|shop)\.[a-z_]+) *\}")
_SIGNS = {"CNY": "¥", "JPY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MOST_ITEMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestOrder:
    """What replies may say of an order; ``items`` are titles with how many of each."""

    number: str
    created_at_ms: int
    total_minor: int
    currency: str
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    refunded_minor: int = 0
    refunded_at_ms: int | None = None
    items: Sequence[tuple[str, int]] = ()


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with what is known in it; what is not stays as it was written, to be seen.

    >>> filled("Hi {customer.name}, it is {order.tracking}.", {"customer.name": "Lin"})
    'Hi Lin, it is {order.tracking}.'
    """
    return _VARIABLE.sub(lambda found: values.get(found[1]) or found[0], text)


def left_open(text: str) -> tuple[str, ...]:
    """The variables that a text still has, each once, in their order.

    >>> left_open("{order.number}, { agent.name } and {order.number} for {page.title}")
    ('order.number', 'agent.name')
    """
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def known_values(
    *,
    customer: str | None,
    agent: str | None,
    shop: str,
    order: LatestOrder | None,
    locale: str,
    timezone: str,
) -> dict[str, str]:
    """What variables stand for, in the language of the conversation; unknown ones are absent."""
    values: dict[str, str | None] = {
        "customer.name": customer,
        "agent.name": agent,
        "shop.name": shop,
    }
    if order is not None:
        chinese = locale.startswith("zh")
        refunded = order.refunded_minor > 0
        values |= {
            "order.number": order.number,
            "order.date": _day(order.created_at_ms, timezone, chinese=chinese),
            "order.items": _items(order.items, chinese=chinese),
            "order.total": _money(order.total_minor, order.currency),
            "order.carrier": order.carrier,
            "order.tracking": order.tracking_number,
            "order.tracking_url": order.tracking_url,
            "order.refund": _money(order.refunded_minor, order.currency) if refunded else None,
            "order.refund_date": _day(order.refunded_at_ms, timezone, chinese=chinese)
            if refunded and order.refunded_at_ms is not None
            else None,
        }
    return {name: value.strip() for name, value in values.items() if value and value.strip()}


def _day(at_ms: int, timezone: str, *, chinese: bool) -> str:
    day = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone))
    if chinese:
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _items(items: Sequence[tuple[str, int]], *, chinese: bool) -> str:
    named = [f"{title} × {n}" if n > 1 else title for title, n in items[:MOST_ITEMS]]
    if len(items) > MOST_ITEMS:
        named.append("等" if chinese else "…")
    return ("、" if chinese else ", ").join(named)


def _money(minor: int, currency: str) -> str:
    places = digits(currency)
    amount = f"{Decimal(minor).scaleb(-places):,.{places}f}"
    # Whole units go without empty decimals, as the console writes them.
    amount = amount.removesuffix("." + "0" * places)
    sign = _SIGNS.get(currency)
    return f"{sign}{amount}" if sign else f"{amount} {currency}"
