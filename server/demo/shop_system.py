"""The demo shop's own system while it runs: it takes orders and tells the desk of them.

It is another program as far as the desk can see: it posts to the hook address and signs what it
posts, and it signs who a shopper is.
"""

import asyncio
import hashlib
import hmac
import logging
import random
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp
import jwt
import orjson

from server.demo.orders import (
    ID_BASE,
    SOURCE,
    Bought,
    Row,
    basket,
    headers_of,
    iso,
    order_row,
    sent,
)
from server.demo.people import demo_customers, shopper_name
from server.demo.products import product_by_sku
from server.demo.words import Locale

log = logging.getLogger("shopbell.demo")

MOST_PIECES = 99
# The shop stops for a while after each of its events.
PAUSE_S = (40.0, 110.0)
TIMEOUT_S = 10.0
_IDENTITY_S = 600
_LIVE = 40


class NotPlaced(Exception):
    """The order was not taken; nothing was written."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that the desk has: its number, who placed it, and what signs them in to the chat."""

    number: str
    account: str
    identity: str


@dataclass(frozen=True, slots=True)
class ShopSystem:
    """Where the desk is, and what the shop signs with."""

    desk_url: str
    site_key: str
    secret: str
    identity_secret: str
    clock: Callable[[], int]
    draw: random.Random = field(default_factory=random.Random)

    async def place(
        self,
        wanted: Mapping[str, object],
        locale: Locale,
        *,
        account: str = "",
    ) -> Placed:
        """Takes an order of a made-up shopper and tells the desk. Raises NotPlaced.

        ``account`` is what the browser was given with its first order; another shopper's cannot be
        made up, so nobody is shown what is not theirs.
        """
        bought = _bought(wanted)
        customer_id = self._customer_of(account)
        name = shopper_name(random.Random(customer_id), locale)
        at_ms = self.clock()
        number, order_id = self._number(at_ms)
        shopper: Row = {
            "customer_id": customer_id,
            "name": name,
            "locale": locale,
            "created_at": iso(at_ms),
            "updated_at": iso(at_ms),
        }
        order = order_row(
            number=number,
            order_id=order_id,
            customer_id=customer_id,
            email=None,
            locale=locale,
            bought=bought,
            at_ms=at_ms,
        )
        rows: list[Row] = [
            {"topic": "customers", "data": shopper},
            {"topic": "orders", "data": order},
        ]
        if not await self.tell("mixed", rows):
            raise NotPlaced
        account = f"{customer_id}.{self._mark(customer_id)}"
        return Placed(number, account, self._identity(customer_id, name))

    async def tell(self, topic: str, rows: list[Row]) -> bool:
        """Posts a signed delivery; whether the desk has it."""
        body = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        headers = headers_of(self.secret, topic, body, at_ms=self.clock())
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(
                    f"{self.desk_url}/hooks/generic/{SOURCE}", data=body, headers=headers
                ) as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def run(self) -> None:
        """Runs until cancelled: orders come in, parcels leave, parcels arrive."""
        customers = [one for one in demo_customers() if one.name is not None]
        on_their_way: deque[tuple[Row, Locale]] = deque(maxlen=_LIVE)
        while True:
            await asyncio.sleep(self.draw.uniform(*PAUSE_S))
            at_ms = self.clock()
            if on_their_way and self.draw.random() < 0.35:
                row, locale = on_their_way.popleft()
                if "shipped_at" not in row:
                    row = sent(self.draw, row, locale, at_ms=at_ms)
                    on_their_way.append((row, locale))
                else:
                    row = row | {"delivered_at": iso(at_ms), "updated_at": iso(at_ms)}
            else:
                customer = self.draw.choice(customers)
                number, order_id = self._number(at_ms)
                row, locale = (
                    order_row(
                        number=number,
                        order_id=order_id,
                        customer_id=customer.customer_id,
                        email=customer.email,
                        locale=customer.locale,
                        bought=basket(self.draw),
                        at_ms=at_ms,
                    ),
                    customer.locale,
                )
                on_their_way.append((row, locale))
            if not await self.tell("orders", [row]):
                log.warning("the desk did not take an event of the demo shop")

    def word_for(self, account: str, locale: Locale) -> str | None:
        """A fresh signed identity of who has this account, None for one that was made up."""
        customer_id = self._known(account)
        if customer_id is None:
            return None
        return self._identity(customer_id, shopper_name(random.Random(customer_id), locale))

    def _number(self, at_ms: int) -> tuple[str, int]:
        """A number for people and an id, later than those of the past."""
        return f"MO{at_ms // 100 % 10**8:08d}", ID_BASE + at_ms * 1_000 + self.draw.randrange(1_000)

    def _customer_of(self, account: str) -> str:
        return self._known(account) or f"demo-guest-{secrets.token_hex(8)}"

    def _known(self, account: str) -> str | None:
        """Whose account it is, None for one that this shop did not give."""
        customer_id, _, mark = account.partition(".")
        right = hmac.compare_digest(
            mark.encode("utf-8", "replace"), self._mark(customer_id).encode()
        )
        return customer_id if customer_id and right else None

    def _mark(self, customer_id: str) -> str:
        """What shows that this shop gave a browser its account."""
        named = f"account:{customer_id}".encode("utf-8", "replace")
        return hmac.digest(self.secret.encode(), named, hashlib.sha256).hex()[:32]

    def _identity(self, customer_id: str, name: str) -> str:
        now_s = self.clock() // 1000
        claims = {
            "sub": customer_id,
            "name": name,
            "iat": now_s,
            "exp": now_s + _IDENTITY_S,
            "aud": self.site_key,
            "jti": secrets.token_hex(16),
        }
        return jwt.encode(claims, self.identity_secret, algorithm="HS256")


def _bought(wanted: Mapping[str, object]) -> list[Bought]:
    """The lines of a cart as a browser tells it. Raises NotPlaced."""
    found: list[Bought] = []
    for sku, quantity in wanted.items():
        product = product_by_sku(sku)
        whole = isinstance(quantity, int) and not isinstance(quantity, bool)
        if product is None or not whole or not 1 <= int(str(quantity)) <= MOST_PIECES:
            raise NotPlaced
        found.append(Bought(product, int(str(quantity))))
    if not found:
        raise NotPlaced
    return found
