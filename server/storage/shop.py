"""The shop: name, language, time zone, site key, allowed origins, secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection, select

from server.storage.tables import Shop as ShopRow
from server.storage.tables import table

SHOP = table(ShopRow)


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop as the rest of the program sees it. ``origins`` empty means any page may embed it."""

    name: str
    locale: str
    timezone: str
    currency: str
    site_key: str
    origins: tuple[str, ...] = ()
    identity_secret: str | None = None
    settings: dict[str, object] = field(default_factory=dict)


def load_shop(connection: Connection) -> Shop | None:
    """The shop of this database, None before it is set up."""
    row = connection.execute(select(SHOP)).mappings().first()
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
        settings=orjson.loads(row["settings"]),
    )
