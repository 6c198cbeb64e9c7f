"""What the shop has chosen about privacy, and the wishes of people to get or erase their data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import orjson
from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from server.domain.retention import RETENTIONS, Policy
from server.domain.spans import DAY_MS
from server.storage.shop import Shop, load_shop
from server.storage.tables import PrivacyRequest, table
from server.storage.unit import Tx

REQUEST = table(PrivacyRequest)
Wish = Literal["export", "erase"]
DUE_MS = 30 * DAY_MS
"""How long the law leaves for an answer, by the stricter reading of a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A wish of a person, when it is due, and what came of it; ``receipt`` counts rows by table."""

    id: str
    kind: Wish
    customer_id: str
    asked_at_ms: int
    due_at_ms: int
    asked_by: str | None = None
    done_at_ms: int | None = None
    done_by: str | None = None
    receipt: dict[str, int] = field(default_factory=dict)


def load_policy(connection: Connection) -> Policy:
    """What the shop has chosen; the defaults where it has not."""
    shop = load_shop(connection)
    return policy_of(shop) if shop else Policy()


def policy_of(shop: Shop) -> Policy:
    """What a shop has chosen; the defaults where it has not."""
    settings = shop.settings
    months = settings.get("retention_months")
    stored = settings.get("privacy")
    chosen: dict[str, int] = {}
    if isinstance(stored, dict):
        chosen |= stored
    if isinstance(months, int):
        chosen["conversations"] = months
    kept = tuple((row.name, int(chosen[row.name])) for row in RETENTIONS if row.name in chosen)
    return Policy(chosen.get("page_events") is not False, kept)


def with_policy(shop: Shop, policy: Policy, *, privacy_url: str | None) -> Shop:
    """The shop with what it has chosen now."""
    kept: dict[str, int] = dict(policy.kept)
    privacy: dict[str, object] = {"page_events": policy.page_events}
    months = kept.pop("conversations", None)
    privacy |= kept
    settings: dict[str, object] = {
        **shop.settings,
        "privacy": privacy,
        "retention_months": months,
        "privacy_url": privacy_url,
    }
    return replace(shop, settings={k: v for k, v in settings.items() if v is not None})


def add_request(tx: Tx, request: Request) -> None:
    """Writes down a wish."""
    values = {name: getattr(request, name) for name in Request.__dataclass_fields__}
    values["receipt"] = orjson.dumps(request.receipt).decode()
    tx.later(insert(REQUEST), values)


_DONE = (
    update(REQUEST)
    .where(REQUEST.c.id == bindparam("b_id"))
    .values(
        done_at_ms=bindparam("done_at_ms"),
        done_by=bindparam("done_by"),
        receipt=bindparam("receipt"),
    )
)


def close_request(tx: Tx, request_id: str, *, by: str | None, receipt: dict[str, int]) -> None:
    """Writes down what came of a wish."""
    values = {"done_at_ms": tx.at_ms, "done_by": by, "receipt": orjson.dumps(receipt).decode()}
    tx.later(_DONE, values | {"b_id": request_id})


def requests(connection: Connection, *, limit: int = 100) -> list[Request]:
    """The wishes: what is still to be done first, by the day on which it is due, then the rest."""
    waiting = select(REQUEST).where(REQUEST.c.done_at_ms.is_(None)).order_by(REQUEST.c.due_at_ms)
    done = (
        select(REQUEST)
        .where(REQUEST.c.done_at_ms.is_not(None))
        .order_by(REQUEST.c.done_at_ms.desc())
    )
    rows = [
        *connection.execute(waiting.limit(limit)).mappings(),
        *connection.execute(done.limit(limit)).mappings(),
    ]
    return [_request(row) for row in rows]


def open_request(connection: Connection, customer_id: str, kind: Wish) -> Request | None:
    """The wish of a person that is still to be fulfilled, or None."""
    statement = select(REQUEST).where(
        REQUEST.c.customer_id == customer_id, REQUEST.c.kind == kind, REQUEST.c.done_at_ms.is_(None)
    )
    found = connection.execute(statement).mappings().first()
    return None if found is None else _request(found)


def _request(row: RowMapping) -> Request:
    values = {name: row[name] for name in Request.__dataclass_fields__}
    return Request(**values | {"receipt": orjson.loads(row["receipt"])})
