"""Whether the relation to a customer needs mending before anything else."""

from __future__ import annotations

from typing import Literal

from server.domain.spans import DAY_MS

Reason = Literal["rating", "complaints", "refunds"]

BAD_RATING = 2
RECENT_MS = 90 * DAY_MS
MANY_COMPLAINTS = 2
# Half of all that was paid; a share of little is told by the playbook's own row.
MUCH_REFUNDED = 0.5


def rift(
    *,
    last_rating: int | None,
    rated_ago_ms: int | None,
    complaints: int,
    refund_share: float,
    orders: int,
) -> Reason | None:
    """What strained the relation; None while nothing did. A rift outranks every segment.

    A bad rating counts for 90 days, or until a better one.

    >>> rift(last_rating=2, rated_ago_ms=DAY_MS, complaints=0, refund_share=0.0, orders=3)
    'rating'
    >>> rift(last_rating=5, rated_ago_ms=DAY_MS, complaints=1, refund_share=0.2, orders=3) is None
    True
    """
    if last_rating is not None and last_rating <= BAD_RATING and (rated_ago_ms or 0) < RECENT_MS:
        return "rating"
    if complaints >= MANY_COMPLAINTS:
        return "complaints"
    return "refunds" if orders and refund_share > MUCH_REFUNDED else None
