"""Notes of whom the kept columns of segments may not know the latest.

Whoever writes what decides a segment (a profile, its changes, who is one person with whom, who
wants no profile) notes the customers in the same transaction: so nobody ever sees the one without
the other. ``storage.segment_columns`` reads the notes, and takes them away once it has seen them.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import insert

from server.storage.tables import SegmentMark, table
from server.storage.unit import Tx

MARK = table(SegmentMark)


def mark_segments(tx: Tx, customer_ids: Collection[str]) -> None:
    """Notes customers whose segment, now or in the past, may be another after this transaction.

    Each note is a row of its own: one that came later stays when an earlier one is taken away.
    """
    if customer_ids:
        tx.later(
            insert(MARK),
            [{"id": tx.new_id(), "customer_id": key} for key in dict.fromkeys(customer_ids)],
        )
