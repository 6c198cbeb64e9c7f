"""What a person's orders add up to, kept beside them.

A row is only ever worked out from the orders themselves, by the same query and the same rules
whether one order came or the night's rebuild goes over all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select

from server.domain.lifecycle import OWN_CLOCK_DAYS
from server.domain.profile import Labels, Sums, labels
from server.domain.segment import Thresholds
from server.storage.among import among
from server.storage.consents import CONSENT
from server.storage.customers import CUSTOMER, CustomerChanged
from server.storage.persons import persons_of
from server.storage.prepared import Driver, Statement, Values, insert, upsert
from server.storage.segment_marks import mark_segments
from server.storage.shop import Shop, load_shop
from server.storage.sums import read_ledger, source_ids, sums_of
from server.storage.tables import Profile as ProfileRow
from server.storage.tables import SegmentChange, table
from server.storage.thresholds import add_limits, current_limits, day_of, freeze_ledger
from server.storage.unit import Tx

PROFILE = table(ProfileRow)
SEGMENT_CHANGE = table(SegmentChange)


class Profile(NamedTuple):
    """A row of ``profile``, in the order of its columns; who never ordered has these values.

    A tuple, because a rebuild makes a million of them.
    """

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

    def days_ago(self, today: int) -> int | None:
        """Whole days since the last counted order."""
        return None if self.last_day is None else max(0, today - self.last_day)

    @property
    def has_own_gap(self) -> bool:
        """Whether the usual gap is the person's own: they have ordered on enough days."""
        return self.order_days >= OWN_CLOCK_DAYS

    @property
    def refund_share(self) -> float:
        """How much of what was paid was given back, 0..1."""
        return self.refunded_minor / self.gross_minor if self.gross_minor else 0.0

    def same_as(self, other: Profile) -> bool:
        """Whether both say the same of a person, whenever they were written."""
        return self[: len(TOLD)] == other[: len(TOLD)]


# When a row was written, and by what, says nothing of the person: the columns at the end.
TOLD = Profile._fields[: Profile._fields.index("thresholds_version")]
_STAGED = ("segment", "activity_stage", "relationship_stage")


def made(person_id: str, sums: Sums, what: Labels, *, version: int) -> Profile:
    """The row of a person, as if it had never been written before."""
    days = sums.days
    return Profile(
        person_id,
        sums.orders,
        len(days),
        sums.net_minor,
        sums.gross_minor,
        sums.refunded_minor,
        sums.coupon_orders,
        days[0] if days else None,
        days[-1] if days else None,
        sums.first_order_at_ms,
        sums.last_order_at_ms,
        *what,
        thresholds_version=version,
    )


Row = tuple[Values, Values | None]
"""A row of ``profile`` to be written, and of ``segment_change`` when a stage changed by it."""

# Who has worked from older orders than the row was written from must not write over it.
_SAVE = upsert(PROFILE, where="profile.revision = excluded.revision - 1")
_CHANGED = insert(SEGMENT_CHANGE)


@dataclass(slots=True)
class Writing:
    """Rows that are to be written, and what changed by that. ``cause`` is for the history.

    Without ``news`` no history is written: the yardstick changed, or what happened long ago.
    """

    at_ms: int
    cause: str
    news: bool
    rows: list[Row] = field(default_factory=list)

    def add(self, before: Profile | None, after: Profile, *, known: bool = False) -> None:
        """Adds a row that is not as it was; one that is stays unwritten.

        A first row of who was ``known`` before, as part of another person, is no news.
        """
        if before is not None and before.same_as(after):
            return
        old = before or Profile(after.person_id)
        staged, change = old.staged_at_ms, None
        news = self.news and not (known and before is None)
        if news and any(getattr(old, name) != getattr(after, name) for name in _STAGED):
            staged = self.at_ms
            change = self._change(old, after)
        ordered = self.cause == "order" or before is None
        after = after._replace(
            staged_at_ms=staged,
            updated_at_ms=self.at_ms if ordered else old.updated_at_ms,
            revision=old.revision + 1,
        )
        self.rows.append((after._asdict(), change))

    def _change(self, before: Profile, after: Profile) -> Values:
        return {
            "person_id": after.person_id,
            "at_ms": self.at_ms,
            "cause": self.cause,
            "segment_from": before.segment,
            "segment_to": after.segment,
            "activity_from": before.activity_stage,
            "activity_to": after.activity_stage,
            "relationship_from": before.relationship_stage,
            "relationship_to": after.relationship_stage,
        }

    def write(self, tx: Tx) -> None:
        """Writes it all at once."""
        write_rows(tx, self.rows)


def write_rows(tx: Tx, rows: Sequence[Row]) -> None:
    """Writes rows, each with what changed by it."""
    tx.write(_SAVE, [row for row, _ in rows])
    changes = [change for _, change in rows if change is not None]
    tx.write(_CHANGED, [{**change, "id": tx.new_id()} for change in changes])
    mark_segments(tx, [row["person_id"] for row, _ in rows])


def recompute(
    tx: Tx,
    person_ids: Collection[str],
    *,
    imported: bool = False,
    cause: str = "order",
    regrouped: bool = False,
) -> None:
    """Works out the profiles of persons anew from the orders of all their members.

    It reads what is in the database: write orders and pointers with ``tx.write`` before. The caller
    keeps other processes from those persons' orders. ``imported`` leaves no trace in
    ``segment_change``: what happened long ago is no news of today; nor is it one that a person has
    a row now because their records were ``regrouped``. Tells ``CustomerChanged``. Who
    is no person any more (joined to another) or has no orders has no row afterwards.
    """
    connection = tx.connection
    shop = load_shop(connection) if person_ids else None
    if shop is None:
        return
    persons = _records(connection, person_ids)
    limits = current_limits(connection) or _first_limits(tx, shop)
    today = day_of(tx.at_ms, shop.timezone)
    sums = sums_of(connection, persons, currency=shop.currency)
    keys = keys_of_equals(connection, sums, limits)
    stored = profiles_of(connection, [*person_ids, *sums])
    writing = Writing(tx.at_ms, cause, news=not imported)
    for person_id, found in sums.items():
        what = labels(found, limits, today, key=keys.get(person_id, person_id))
        after = made(person_id, found, what, version=limits.version)
        writing.add(stored.get(person_id), after, known=regrouped)
    writing.write(tx)
    gone = [key for key in stored if key not in sums]
    tx.write(_DROP, [{"person_id": key} for key in gone])
    mark_segments(tx, gone)
    for person_id in {*person_ids, *sums}:
        tx.notice(CustomerChanged(person_id))


def keys_of_equals(
    connection: Connection, sums: Mapping[str, Sums], limits: Thresholds
) -> dict[str, str]:
    """What those are called who spent just as much as the last of the top 20 %."""
    equal = [person_id for person_id, s in sums.items() if s.net_minor == limits.top_minor]
    return source_ids(connection, equal) if equal else {}


_DROP = Statement(
    sqlite="DELETE FROM profile WHERE person_id = ?",
    postgresql="DELETE FROM profile USING json_to_recordset(%s::json) AS r(person_id text)"
    " WHERE profile.person_id = r.person_id",
    columns=("person_id",),
)
_TOPS = select(CUSTOMER.c.id, CUSTOMER.c.person_id).where(among(CUSTOMER.c.id, "ids"))
_BELOW = select(CUSTOMER.c.id, CUSTOMER.c.person_id).where(among(CUSTOMER.c.person_id, "ids"))


def _records(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """The person of every record of these persons, and of those whom any of them was joined to."""
    rows = {row[0]: row[1] for row in connection.execute(_TOPS, {"ids": ids})}
    tops = {person_id for person_id in rows.values() if person_id is not None}
    if more := tops - rows.keys():
        rows |= {row[0]: row[1] for row in connection.execute(_TOPS, {"ids": more})}
    found = {customer_id: customer_id for customer_id, above in rows.items() if above is None}
    below = connection.execute(_BELOW, {"ids": tops | set(ids)})
    return found | {row[0]: row[1] for row in below}


def _first_limits(tx: Tx, shop: Shop) -> Thresholds:
    """The limits that a shop begins with, from the first orders that came."""
    connection = tx.connection
    ledger = read_ledger(connection, currency=shop.currency)
    day = day_of(tx.at_ms, shop.timezone)
    limits = freeze_ledger(connection, ledger, shop, day=day, at_ms=tx.at_ms)
    limits = replace(limits, version=1)
    add_limits(tx, limits, labelled=True)
    return limits


_DUE = (
    select(PROFILE.c.person_id)
    .where(PROFILE.c.next_flip_day <= bindparam("today"))
    .order_by(PROFILE.c.next_flip_day, PROFILE.c.person_id)
    .limit(bindparam("most"))
)


def due_flips(connection: Connection, *, today: int, most: int) -> list[str]:
    """Who becomes something else by the passing of time, up to a local day; longest due first."""
    values = {"today": today, "most": most}
    return list(connection.execute(_DUE, values).scalars())


_COLUMNS = ", ".join(f"p.{name}" for name in Profile._fields)
_OF_PERSONS = Statement(
    sqlite=f"SELECT {_COLUMNS} FROM json_each(?) AS k JOIN profile AS p"  # noqa: S608  # our names
    " ON p.person_id = k.value",
    postgresql=f"SELECT {_COLUMNS} FROM unnest(%s::text[]) AS k(id) JOIN profile AS p"  # noqa: S608  # likewise
    " ON p.person_id = k.id",
)
PROFILE_OF = select(PROFILE).where(PROFILE.c.person_id == bindparam("id"))


def profiles_of(connection: Connection, person_ids: Collection[str]) -> dict[str, Profile]:
    """The stored profiles of persons, with what is true or false as the database has it."""
    driver = Driver(connection)
    rows = driver.rows(_OF_PERSONS, driver.several(person_ids))
    return {row[0]: Profile._make(row) for row in rows}


def load_profile(connection: Connection, person_id: str) -> Profile:
    """The profile of a person; that of a prospect when they never ordered."""
    row = connection.execute(PROFILE_OF, {"id": person_id}).first()
    return Profile(person_id) if row is None else Profile(*row)


_SAID = (
    select(CONSENT.c.customer_id, CONSENT.c.state)
    .where(CONSENT.c.purpose == "profiling")
    .order_by(CONSENT.c.at_ms, CONSENT.c.id)
)


def refused_profiling(connection: Connection) -> set[str]:
    """The persons of whom nobody is to be told a segment: the last word of a record of theirs."""
    last = {row[0]: row[1] for row in connection.execute(_SAID)}
    return set(
        persons_of(connection, [c for c, said in last.items() if said == "refused"]).values()
    )
