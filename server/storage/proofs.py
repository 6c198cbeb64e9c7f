"""Orders by which a shopper can prove to an agent who they are."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, or_, select

from server.storage.tables import ShopOrder, table

ORDER = table(ShopOrder)


@dataclass(frozen=True, slots=True)
class ProvingOrder:
    """What an order says of who made it; ``customer_id`` is None for a guest."""

    id: str
    customer_id: str | None
    email: str | None
    phone: str | None
    postcode: str | None


_WITH_NUMBER = (
    select(ORDER.c.id, ORDER.c.customer_id, ORDER.c.email, ORDER.c.phone, ORDER.c.postcode)
    .where(
        or_(
            ORDER.c.number.in_(bindparam("numbers", expanding=True)),
            ORDER.c.external_id.in_(bindparam("ids", expanding=True)),
        ),
        ORDER.c.test.is_(False),
    )
    .order_by(ORDER.c.created_at_ms.desc())
    .limit(20)
)


def orders_with_number(connection: Connection, number: str) -> list[ProvingOrder]:
    """The orders that a shopper may mean by a number, tests left out, the newest first.

    Two shops may have given the same number, and some write a # before it. Shoppers type it as
    their keyboard likes it: in small letters, or as wide as Chinese signs.
    """
    plain = unicodedata.normalize("NFKC", number).strip().lstrip("#")
    spelled = list(dict.fromkeys((number, plain, plain.upper(), plain.lower())))
    values = {"numbers": [*spelled, *(f"#{one}" for one in spelled)], "ids": spelled}
    rows = connection.execute(_WITH_NUMBER, values)
    return [ProvingOrder(*row) for row in rows]
