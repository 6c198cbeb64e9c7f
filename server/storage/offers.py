"""What goes well together, prices that shoppers ask for, and what came of saying so."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from sqlalchemy import Connection

Json = dict[str, Any]  # Any: JSON values


def hints_for(connection: Connection, person_id: str, at_ms: int) -> list[Json]:
    """At most three products that go with what a person bought or has in the cart, best first.

    Each is {sku, title, price_minor, currency, url, image_url, why: {en, zh}}. Empty while a
    complaint of the person is open, and for who has refused profiling.
    """
    del connection, person_id, at_ms
    return []


def price_card(connection: Connection, conversation_id: str) -> Json | None:
    """The latest unanswered question about a price in a conversation, with the catalogue's word.

    {kind: price|discount|bulk, quantity, message_id, at_ms, items: [{sku, title, price_minor,
    currency, url, image_url, stock, as_of_ms, likeness}]}, at most three items, best first; no
    items when nothing in the catalogue is like what was named. None when no price was asked for.
    """
    del connection, conversation_id
    return None
