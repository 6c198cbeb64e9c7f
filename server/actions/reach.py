"""Whether the shop may turn to a customer now: wishes, blocks, and hours in which it is quiet."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.quiet import is_quiet, quiet_until
from server.storage import customers, erasure, notes
from server.storage.connection import Connection
from server.storage.persons import members, person_of
from server.storage.shop import load_shop


def why_silent(connection: Connection, customer_id: str, *, at_ms: int) -> str | None:
    """Why the shop does not write to or call a customer now; None when it may.

    erased, blocked, no_contact (they do not want to hear of us) or quiet (not at this hour).
    """
    person = person_of(connection, customer_id)
    if customers.load_customer(connection, person) is None or erasure.erased_at_ms(
        connection, person
    ):
        return "erased"
    rows = members(connection, person)
    if notes.blocked_among(connection, rows):
        return "blocked"
    wish = notes.preference_of(connection, rows)
    if wish is not None and wish.channel == "none":
        return "no_contact"
    return None if quiet_end_ms(connection, rows, at_ms=at_ms) is None else "quiet"


def out_of_quiet(connection: Connection, customer_id: str, at_ms: int) -> int:
    """An instant, or the end of the customer's quiet hours when it lies in them."""
    rows = members(connection, person_of(connection, customer_id))
    end_ms = quiet_end_ms(connection, rows, at_ms=at_ms)
    return at_ms if end_ms is None else end_ms


def quiet_end_ms(connection: Connection, rows: Sequence[str], *, at_ms: int) -> int | None:
    """When the quiet hours of a person end in which an instant lies; None when it is in none.

    They are of the person's own zone where it is known, else of the shop's.
    """
    wish = notes.preference_of(connection, rows)
    if wish is None or wish.quiet_to is None:
        return None
    shop = load_shop(connection)
    timezone = wish.timezone or (shop.timezone if shop else "UTC")
    if not is_quiet(wish.quiet_from, wish.quiet_to, at_ms=at_ms, timezone=timezone):
        return None
    return quiet_until(wish.quiet_to, at_ms=at_ms, timezone=timezone)
