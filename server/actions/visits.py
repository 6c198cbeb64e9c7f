"""What a shopper does on the shop's pages, once they have agreed that it may be noted."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Annotated, Any, Literal  # Any: JSON values
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from server.actions.payload import Payload
from server.domain.actors import Actor
from server.domain.errors import InvalidInput, TooMany
from server.domain.money import to_minor
from server.domain.periods import local_date, zone
from server.domain.spans import DAY_MS, MINUTE_MS
from server.domain.text import clean
from server.storage import visits
from server.storage.consents import allowed
from server.storage.persons import members, person_of
from server.storage.privacy import load_policy
from server.storage.shop import load_shop
from server.storage.unit import Tx
from server.storage.visits import Visit

Json = dict[str, Any]  # Any: JSON values
A_MINUTE = 60
"""So much a shopper's browser may tell in a minute."""
FOLD_AT_ONCE = 1000
_EPOCH = 719_163  # date(1970, 1, 1).toordinal()
# What people type into a search field by mistake: addresses, telephone and card numbers.
_PERSONAL = re.compile(r"@|(?:\d[\s.()/-]*){7,}")

Amount = str | float
Text200 = Annotated[str, Field(max_length=1000)]


class PageProduct(Payload):
    """The product that a page is about; ``price`` in whole units, ``price_minor`` in the least."""

    id: Text200 | None = None
    sku: Text200 | None = None
    title: Text200 | None = None
    price: Amount | None = None
    price_minor: int | None = None
    currency: Annotated[str, Field(max_length=8)] | None = None


class ViewPage(Payload):
    """A page was opened."""

    url: Annotated[str, Field(max_length=4000)]
    title: Text200 | None = None
    product: PageProduct | None = None


class SearchPage(Payload):
    """Something was looked for in the shop's own search."""

    term: Annotated[str, Field(max_length=1000)]


class CartLine(Payload):
    """One article in a cart; ``price`` is for one piece."""

    title: Text200
    sku: Text200 | None = None
    quantity: Annotated[int, Field(ge=0, le=100_000)] = 1
    price: Amount | None = None
    price_minor: int | None = None


class UpdateCart(Payload):
    """The cart as it is now; without lines it is empty."""

    token: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]
    total: Amount | None = None
    total_minor: int | None = None
    lines: Annotated[list[CartLine], Field(max_length=200)] = Field(default_factory=list)
    checkout_url: Annotated[str, Field(max_length=4000)] | None = None


class StartCheckout(Payload):
    """The shopper has begun to check out."""

    token: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")] | None = None


def view_page(tx: Tx, actor: Actor, payload: ViewPage) -> Json:
    """Notes that a page was opened, when that may be noted."""
    product = _product(payload.product) if payload.product else None
    kind: Literal["page", "product"] = "product" if product else "page"
    url = plain_url(payload.url)
    title = _short(payload.title)
    return _note(tx, actor, kind, url=url, title=title, product=product)


def search_page(tx: Tx, actor: Actor, payload: SearchPage) -> Json:
    """Notes what was looked for; what looks like somebody's address or number is not kept."""
    term = clean(payload.term, limit=1000, name="term", empty=True)[:100].strip()
    if not term or _PERSONAL.search(term):
        return {"recorded": False, "reason": "personal" if term else "empty"}
    return _note(tx, actor, "search", term=term)


def update_cart(tx: Tx, actor: Actor, payload: UpdateCart) -> Json:
    """Takes over the cart as it is now, when it may be noted."""
    currency = payload.currency.upper()
    lines = [_line(line, currency) for line in payload.lines if line.quantity]
    total = _minor(payload.total, payload.total_minor, currency)
    if total is None:
        total = sum(line["quantity"] * line["price_minor"] for line in lines)
    checkout_url = plain_url(payload.checkout_url) if payload.checkout_url else None
    answer = _note(tx, actor, "cart")
    if answer["recorded"]:
        visits.save_cart(
            tx,
            actor.id or "",
            token=payload.token,
            currency=currency,
            total_minor=total,
            lines=lines,
            checkout_url=checkout_url,
        )
    return answer


def start_checkout(tx: Tx, actor: Actor, _: StartCheckout) -> Json:
    """Notes that a checkout was begun."""
    return _note(tx, actor, "checkout")


def plain_url(url: str) -> str:
    """An address without user, query and fragment, which may name people or open doors.

    >>> plain_url("https://u:p@shop.example/p/1?mail=a@b.example#top")
    'https://shop.example/p/1'

    Raises InvalidInput for what is no http address.
    """
    try:
        parts = urlsplit(clean(url, limit=4000, name="url"))
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise InvalidInput("The address of a page begins with https://.", field="url")
    shown = f"[{host}]" if ":" in host else host
    where = shown if port is None else f"{shown}:{port}"
    return urlunsplit((parts.scheme, where, parts.path, "", ""))[:1000]


def _note(
    tx: Tx,
    actor: Actor,
    kind: visits.Kind,
    *,
    url: str | None = None,
    title: str | None = None,
    product: Json | None = None,
    term: str | None = None,
) -> Json:
    """Writes it down unless the shop or the shopper does not want it; says which of both.

    A widget may not have heard of a withdrawal yet, so this is an answer and no refusal.
    """
    connection, customer_id = tx.connection, actor.id or ""
    if not load_policy(connection).page_events:
        return {"recorded": False, "reason": "off"}
    if not allowed(
        connection, members(connection, person_of(connection, customer_id)), "analytics"
    ):
        return {"recorded": False, "reason": "consent"}
    since_ms = tx.at_ms - MINUTE_MS
    if visits.visits_since(connection, customer_id, since_ms=since_ms) >= A_MINUTE:
        raise TooMany("That was too fast. Wait a moment.", retry_after_s=5)
    sku = product["sku"] if product else None
    visits.add_visit(
        tx,
        Visit(
            customer_id=customer_id,
            kind=kind,
            at_ms=tx.at_ms,
            url=url,
            title=title,
            sku=sku,
            product=product,
            term=term,
        ),
    )
    return {"recorded": True}


def _product(product: PageProduct) -> Json | None:
    currency = (product.currency or "").upper() or None
    price = _minor(product.price, product.price_minor, currency or "")
    values = {
        "id": _short(product.id),
        "sku": _short(product.sku),
        "title": _short(product.title),
        "price_minor": price if currency else None,
        "currency": currency if price is not None else None,
    }
    return values if any(values[name] for name in ("id", "sku", "title")) else None


def _line(line: CartLine, currency: str) -> Json:
    return {
        "sku": _short(line.sku),
        "title": _short(line.title) or "",
        "quantity": line.quantity,
        "price_minor": _minor(line.price, line.price_minor, currency) or 0,
    }


def _minor(amount: Amount | None, minor: int | None, currency: str) -> int | None:
    if minor is not None:
        return to_minor(minor, "JPY")  # a whole number within the same bounds
    return None if amount is None else to_minor(amount, currency)


def _short(text: str | None) -> str | None:
    return clean(text, limit=1000, name="title", empty=True)[:200].strip() or None if text else None


def fold_old(tx: Tx) -> int:
    """Turns the oldest page events that are past their time into daily sums; how many there were.

    A visitor who comes up in two portions of one day counts twice in ``visitors`` there.
    """
    shop = load_shop(tx.connection)
    if shop is None:
        return 0
    before_ms = tx.at_ms - load_policy(tx.connection).days["visits"] * DAY_MS
    rows = visits.old_visits(tx.connection, before_ms=before_ms, limit=FOLD_AT_ONCE)
    tz = zone(shop.timezone)
    sums: dict[tuple[int, str, str], set[str]] = defaultdict(set)
    events: dict[tuple[int, str, str], int] = defaultdict(int)
    for row in rows:
        day = local_date(row["at_ms"], tz).toordinal() - _EPOCH
        what = {"product": row["sku"] or row["url"], "page": row["url"], "search": row["term"]}
        key = (day, row["kind"], what.get(row["kind"]) or "")
        events[key] += 1
        sums[key].add(row["customer_id"])
    visits.fold_visits(
        tx,
        [row["id"] for row in rows],
        [
            {"day": day, "kind": kind, "key": key, "events": count, "visitors": len(sums[at])}
            for at, count in events.items()
            for day, kind, key in [at]
        ],
    )
    return len(rows)
