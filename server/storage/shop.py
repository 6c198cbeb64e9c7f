"""The shop: name, language, time zone, site key, allowed origins, secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection, insert, select, update

from server.storage.tables import Shop as ShopRow
from server.storage.tables import table
from server.storage.unit import Tx

SHOP = table(ShopRow)


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop as the program sees it. ``origins`` empty means that any page may embed it."""

    name: str
    locale: str
    timezone: str
    currency: str
    site_key: str
    origins: tuple[str, ...] = ()
    identity_secret: str | None = None
    old_identity_secret: str | None = None
    settings: dict[str, object] = field(default_factory=dict)


SHOP_ROW = select(SHOP)


def load_shop(connection: Connection) -> Shop | None:
    """The shop of this database, None before it is set up."""
    row = connection.execute(SHOP_ROW).mappings().first()
    if row is None:
        return None
    return Shop(
        name=row["name"],
        locale=row["locale"],
        timezone=row["timezone"],
        currency=row["currency"],
        site_key=row["site_key"],
        origins=tuple(orjson.loads(row["origins"])),
        identity_secret=row["identity_secret"],
        old_identity_secret=row["old_identity_secret"],
        settings=orjson.loads(row["settings"]),
    )


def insert_shop(tx: Tx, shop: Shop) -> None:
    """Creates the one shop of this database."""
    tx.later(insert(SHOP), _values(shop) | {"id": 1, "created_at_ms": tx.at_ms})


def update_shop(tx: Tx, shop: Shop) -> None:
    """Writes the shop down as it is now."""
    tx.later(update(SHOP).values(**_values(shop)))


def _values(shop: Shop) -> dict[str, object]:
    return {
        "name": shop.name,
        "locale": shop.locale,
        "timezone": shop.timezone,
        "currency": shop.currency,
        "site_key": shop.site_key,
        "origins": orjson.dumps(shop.origins).decode(),
        "identity_secret": shop.identity_secret,
        "old_identity_secret": shop.old_identity_secret,
        "settings": orjson.dumps(shop.settings).decode(),
    }
