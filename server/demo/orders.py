"""What the demo shop's own system tells the desk: its articles, its customers and their orders.

It speaks as any shop does: signed deliveries to the hook address, which are stored and then taken
over. Histories are drawn so that every segment and stage of life has its people.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from server.actions.deliveries import receive
from server.actions.sources import AddSource, add_source
from server.demo.history import SHOP_URL, asked_before_buying
from server.demo.load import HOURS, log_normal_ms
from server.demo.people import DEMO_SHOP, DemoCustomer, demo_customers
from server.demo.products import CATEGORIES, PRODUCTS, Product, product_by_sku
from server.demo.words import Locale
from server.domain.actors import SYSTEM
from server.domain.errors import Conflict
from server.domain.hooks import receive_generic, timed_signature
from server.domain.spans import DAY_MS, HOUR_MS, MINUTE_MS
from server.shops.worker import work_off
from server.storage import rescoring
from server.storage.database import Database
from server.storage.shop_sources import Source, load_source

Row = dict[str, object]

SOURCE = "mori-oak"
ROWS_AT_ONCE = 500
FREE_POSTAGE_FROM_MINOR = 19_900
POSTAGE_MINOR = 1_200
_BRAND = "Mori & Oak"
_FIRST_NUMBER = 24_017
# Beyond what a browser's numbers can hold, as the ids of large shop systems are.
ID_BASE = 740_000_000_000_000_000
# Days since the last order, and how many of the buyers have that; a fifth each, as the score is.
_SILENCES = ((0, 12), (13, 33), (34, 75), (76, 170), (171, 420))
# How many orders, and their share among the buyers.
_COUNTS = (((1, 1), 34), ((2, 2), 20), ((3, 4), 21), ((5, 7), 14), ((8, 16), 11))
_BUYERS = 0.74
_TOGETHER = (
    ("LMP-207", "STL-051"),
    ("STL-012", "TBL-083"),
    ("BED-101", "BED-114"),
    ("BED-140", "BED-162"),
    ("TBL-021", "TBL-060"),
    ("TBL-044", "TBL-083"),
    ("LMP-118", "LMP-331"),
)
_COUPONS = ("WELCOME10", "AUTUMN15", "OAK10", "SINGLES11")
_CARRIERS: dict[Locale, tuple[str, str]] = {
    "zh": ("顺丰速运", "SF"),
    "en": ("SF International", "SI"),
}


@dataclass(frozen=True, slots=True)
class Bought:
    """One line of a cart."""

    product: Product
    quantity: int


@dataclass(slots=True)
class Register:
    """Numbers orders one after the other, the same for the same seed."""

    number: int = _FIRST_NUMBER

    def next(self) -> tuple[str, int]:
        """The number people see, and the id of the shop's system."""
        self.number += 1
        return f"MO{self.number}", ID_BASE + self.number * 7_919


def demo_source(
    database: Database, *, now_at_ms: int, seed: int = 7, shop_url: str = SHOP_URL
) -> Source:
    """The demo shop's source; on the first call it is made and tells all of its past.

    ``shop_url`` is where the pages and pictures of its products are.
    """
    found = database.read_now(lambda c: load_source(c, SOURCE))
    if found is not None and found.live:
        return found
    asked = AddSource(name=SOURCE, kind="generic", customer_ids="shop")
    source, _ = database.write_now(lambda tx: add_source(tx, SYSTEM, asked))
    tell_past(database, source, now_at_ms=now_at_ms, seed=seed, shop_url=shop_url)
    return source


def tell_past(
    database: Database, source: Source, *, now_at_ms: int, seed: int = 7, shop_url: str = SHOP_URL
) -> None:
    """Brings the shop's past in through its hook: signed, stored, taken over."""
    shoppers = demo_customers(seed=seed)
    named = [one for one in shoppers if one.name is not None]
    told: list[tuple[str, Sequence[Row]]] = [
        ("products", [product_row(product, shop_url=shop_url) for product in PRODUCTS]),
        ("customers", [customer_row(one, now_at_ms=now_at_ms) for one in named]),
        ("orders", past_orders(named, now_at_ms=now_at_ms, seed=seed)),
        ("carts", left_carts(named, now_at_ms=now_at_ms, seed=seed)),
    ]
    for topic, rows in told:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            body = b"".join(
                orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
                for row in rows[start : start + ROWS_AT_ONCE]
            )
            _deliver(database, source, topic, body, key=f"past-{seed}-{topic}-{start}")
    if work_off(database):
        raise Conflict("The demo shop's past was refused.")
    rescoring.rebuild(database)


def _deliver(database: Database, source: Source, topic: str, body: bytes, *, key: str) -> None:
    """What the hook address does with a delivery, for a desk that is not being served yet."""
    at_ms = database.clock()
    headers = headers_of(str(source.secret), topic, body, at_ms=at_ms)
    headers |= {"idempotency-key": key, "x-backfill": "true"}
    incoming = receive_generic(headers, body, source.secrets(at_ms), at_ms)
    if incoming is not None:
        database.write_now(lambda tx: receive(tx, source.name, incoming))


def headers_of(secret: str, topic: str, body: bytes, *, at_ms: int) -> dict[str, str]:
    """The headers of a delivery of the shop's system."""
    return {
        "content-type": "application/x-ndjson",
        "x-topic": topic,
        "x-signature": timed_signature(secret, at_ms // 1000, body),
    }


# rows


def _shelf(product: Product) -> str:
    """Where it stands, one name for both languages: reports would else count two."""
    name = next(one.name for one in CATEGORIES if one.key == product.category)
    return f"{name.zh} {name.en}"


def product_row(product: Product, *, shop_url: str = SHOP_URL) -> Row:
    """An article of the shop; its title in both languages, as the shop's system has one only."""
    return {
        "sku": product.sku,
        "product_id": product.sku,
        "title": f"{product.title.zh} {product.title.en}",
        "category": _shelf(product),
        "brand": _BRAND,
        "price": _yuan(product.price_minor),
        "currency": DEMO_SHOP.currency,
        "url": f"{shop_url}/zh/p/{product.sku}",
        "image_url": f"{shop_url}/assets/art/{product.sku}.svg",
        "stock": product.stock,
    }


def customer_row(customer: DemoCustomer, *, now_at_ms: int) -> Row:
    """A customer's account in the shop."""
    draw = random.Random(f"account-{customer.customer_id}")
    since_at_ms = now_at_ms - draw.randrange(430, 1100) * DAY_MS
    return {
        "customer_id": customer.customer_id,
        "name": customer.name,
        "email": customer.email,
        "email_verified": customer.email is not None,
        "locale": customer.locale,
        "marketing_email": customer.email is not None and draw.random() < 0.4,
        "created_at": iso(since_at_ms),
        "updated_at": iso(since_at_ms),
    }


def order_row(
    *,
    number: str,
    order_id: int | str,
    customer_id: str,
    email: str | None,
    locale: Locale,
    bought: Sequence[Bought],
    at_ms: int,
    coupon: str | None = None,
) -> Row:
    """A new order that was paid at once."""
    goods = sum(one.product.price_minor * one.quantity for one in bought)
    discount = round(goods * int(coupon[-2:]) / 100) if coupon else 0
    postage = 0 if goods - discount >= FREE_POSTAGE_FROM_MINOR else POSTAGE_MINOR
    return {
        "order_id": order_id,
        "number": number,
        "customer_id": customer_id,
        "email": email,
        "postcode": _postcode(customer_id, locale),
        "created_at": iso(at_ms),
        "paid_at": iso(at_ms + 40_000),
        "updated_at": iso(at_ms + 40_000),
        "promised_at": iso(at_ms + 4 * DAY_MS),
        "currency": DEMO_SHOP.currency,
        "total": _yuan(goods - discount + postage),
        "discount": _yuan(discount),
        "shipping": _yuan(postage),
        "coupon": coupon,
        "status": "paid",
        "lines": [
            {
                "sku": one.product.sku,
                "product_id": one.product.sku,
                "title": one.product.title.say(locale),
                "category": _shelf(one.product),
                "brand": _BRAND,
                "quantity": one.quantity,
                "price": _yuan(one.product.price_minor),
            }
            for one in bought
        ],
    }


def past_orders(customers: Sequence[DemoCustomer], *, now_at_ms: int, seed: int) -> list[Row]:
    """Every order of the past, the oldest first, the same ones for the same arguments."""
    draw = random.Random(f"orders-{seed}")
    dated: list[tuple[int, DemoCustomer]] = []
    for customer in customers:
        if draw.random() < _BUYERS:
            dated += [(at_ms, customer) for at_ms in _days_of(draw, now_at_ms)]
    dated += _after_chats(draw, customers, now_at_ms=now_at_ms, seed=seed)
    register = Register()
    rows = []
    for at_ms, customer in sorted(dated, key=lambda one: one[0]):
        number, order_id = register.next()
        row = order_row(
            number=number,
            order_id=order_id,
            customer_id=customer.customer_id,
            email=customer.email,
            locale=customer.locale,
            bought=basket(draw),
            at_ms=at_ms,
            coupon=draw.choice(_COUPONS) if draw.random() < 0.2 else None,
        )
        rows.append(gone_on(draw, row, customer.locale, at_ms=at_ms, now_at_ms=now_at_ms))
    return rows


def _days_of(draw: random.Random, now_at_ms: int) -> Iterator[int]:
    """When one customer ordered, the latest first."""
    (fewest, most), _ = draw.choices(_COUNTS, [share for _, share in _COUNTS])[0]
    first, last = draw.choice(_SILENCES)
    ago = draw.uniform(max(0.1, first), last + 0.9)
    usual = draw.choice((16, 24, 30, 45, 60))
    for _ in range(draw.randint(fewest, most)):
        day_at_ms = now_at_ms - round(ago * DAY_MS)
        hour = draw.choices(range(24), HOURS)[0]
        at_ms = day_at_ms - day_at_ms % DAY_MS + (hour - 8) * HOUR_MS + draw.randrange(HOUR_MS)
        yield min(at_ms, now_at_ms - HOUR_MS)
        ago += usual * draw.lognormvariate(0, 0.5)


def _after_chats(
    draw: random.Random, customers: Sequence[DemoCustomer], *, now_at_ms: int, seed: int
) -> Iterator[tuple[int, DemoCustomer]]:
    """Orders of shoppers who had asked something before, more of them where somebody answered."""
    known = {one.customer_id: one for one in customers}
    for chat in asked_before_buying(now_at_ms=now_at_ms, seed=seed):
        customer = known.get(chat.customer_id)
        if customer is None or draw.random() > (0.19 if chat.replied_at_ms is None else 0.36):
            continue
        start_at_ms = chat.replied_at_ms or chat.asked_at_ms
        quick = draw.random() < 0.8
        delay_ms = log_normal_ms(draw, 45 * MINUTE_MS if quick else 40 * HOUR_MS, sigma=0.9)
        if start_at_ms + delay_ms < now_at_ms - HOUR_MS:
            yield start_at_ms + delay_ms, customer


def basket(draw: random.Random) -> list[Bought]:
    """What somebody buys at once: now and then two things that go together."""
    first = draw.choices(PRODUCTS, [1.0 + (one.was_minor is not None) for one in PRODUCTS])[0]
    found = [Bought(first, 2 if first.price_minor < 20_000 and draw.random() < 0.3 else 1)]
    partners = [other for pair in _TOGETHER if first.sku in pair for other in pair]
    for sku in partners:
        other = product_by_sku(sku)
        if other is not None and other is not first and draw.random() < 0.32:
            found.append(Bought(other, 1))
    if draw.random() < 0.18:
        more = draw.choice(PRODUCTS)
        if all(one.product is not more for one in found):
            found.append(Bought(more, 1))
    return found


def gone_on(draw: random.Random, row: Row, locale: Locale, *, at_ms: int, now_at_ms: int) -> Row:
    """An order as it stands now: on its way, there, late, sent back or called off."""
    chance = draw.random()
    if chance < 0.02:
        return row | {
            "status": "cancelled",
            "cancelled_at": iso(at_ms + 5 * HOUR_MS),
            "updated_at": iso(min(now_at_ms, at_ms + 5 * HOUR_MS)),
        }
    if chance < 0.03:
        return row | {"status": "pending", "paid_at": None, "promised_at": None}
    shipped_at_ms = at_ms + draw.randrange(4, 40) * HOUR_MS
    took_ms = draw.randrange(40, 110) * HOUR_MS
    if draw.random() < 0.07:
        took_ms += draw.randrange(4, 9) * DAY_MS
    if shipped_at_ms > now_at_ms:
        return row
    row = sent(draw, row, locale, at_ms=shipped_at_ms)
    delivered_at_ms = shipped_at_ms + took_ms
    if delivered_at_ms > now_at_ms:
        return row
    row |= {"delivered_at": iso(delivered_at_ms), "updated_at": iso(delivered_at_ms)}
    back_at_ms = delivered_at_ms + draw.randrange(1, 14) * DAY_MS
    if back_at_ms < now_at_ms and draw.random() < 0.07:
        return _sent_back(draw, row, back_at_ms)
    return row


def sent(draw: random.Random, row: Row, locale: Locale, *, at_ms: int) -> Row:
    """An order that has left the shop, with its parcel."""
    carrier, prefix = _CARRIERS[locale]
    tracking = f"{prefix}{1_000_000_000_000 + draw.randrange(10**11)}"
    return row | {
        "shipped_at": iso(at_ms),
        "updated_at": iso(at_ms),
        "fulfilment": "fulfilled",
        "carrier": carrier,
        "tracking_number": tracking,
        "tracking_url": f"https://parcels.example/{tracking}",
    }


def _sent_back(draw: random.Random, row: Row, at_ms: int) -> Row:
    whole = draw.random() < 0.6
    share = 1.0 if whole else draw.choice((0.2, 0.3, 0.5))
    total = float(str(row["total"]))
    return row | {
        "refunded": f"{total * share:.2f}",
        "refunded_at": iso(at_ms),
        "updated_at": iso(at_ms),
        "status": "refunded" if whole else "paid",
    }


def left_carts(customers: Sequence[DemoCustomer], *, now_at_ms: int, seed: int) -> list[Row]:
    """Carts that were filled lately and not bought."""
    draw = random.Random(f"carts-{seed}")
    rows = []
    for customer in draw.sample(list(customers), min(24, len(customers))):
        bought = basket(draw)
        rows.append(
            cart_row(
                token=f"cart-{customer.customer_id}",
                customer_id=customer.customer_id,
                locale=customer.locale,
                bought=bought,
                at_ms=now_at_ms - draw.randrange(70, 4000) * 60_000,
            )
        )
    return rows


def cart_row(
    *, token: str, customer_id: str, locale: Locale, bought: Sequence[Bought], at_ms: int
) -> Row:
    """A cart as the shop's system tells it."""
    return {
        "token": token,
        "customer_id": customer_id,
        "currency": DEMO_SHOP.currency,
        "total": _yuan(sum(one.product.price_minor * one.quantity for one in bought)),
        "updated_at": iso(at_ms),
        "lines": [
            {
                "sku": one.product.sku,
                "title": one.product.title.say(locale),
                "quantity": one.quantity,
                "price": _yuan(one.product.price_minor),
            }
            for one in bought
        ],
    }


def _postcode(customer_id: str, locale: Locale) -> str:
    draw = random.Random(f"postcode-{customer_id}")
    if locale == "zh":
        return f"{draw.randrange(100, 860):03d}{draw.randrange(0, 999):03d}"
    area = draw.choice(("SW", "NW", "EH", "BS", "LS"))
    return f"{area}{draw.randrange(1, 20)} {draw.randrange(1, 9)}AB"


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def iso(at_ms: int) -> str:
    """An instant as the shop's system writes it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
