"""Freezing new limits, labelling everybody by them, and looking whether any row has drifted.

All persons are read in one look at the database; the limits, and what each person is within them,
follow from that. Rows that are not as they must be are written some hundred at a time, so that no
message waits long; a row that an order has changed meanwhile is worked out again by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection, exists, func, or_, select, union

from server.domain.periods import LocalTimes, zone
from server.domain.profile import Ledger, labels
from server.domain.returning import Returns, look_back
from server.domain.segment import Thresholds
from server.domain.spans import DAY_MS, MINUTE_MS
from server.storage.bulk import let_others, tidy
from server.storage.customers import CUSTOMER
from server.storage.database import Database
from server.storage.order_days import adapt_orders
from server.storage.orders import SHOP_ORDER
from server.storage.profiles import (
    PROFILE,
    TOLD,
    Profile,
    Row,
    Writing,
    due_flips,
    made,
    profiles_of,
    recompute,
    write_rows,
)
from server.storage.shop import Shop, load_shop
from server.storage.sums import read_ledger, source_ids
from server.storage.thresholds import (
    add_limits,
    are_labelled,
    current_limits,
    current_returns,
    day_of,
    freeze_ledger,
    limits_before,
    note_labelled,
    returns_at_ms,
)
from server.storage.unit import Tx

# Persons looked at in one read, and the most rows in one write.
READ_AT_ONCE = 500
AT_ONCE = 250
# Rows between two looks at SQLite's journal.
TIDIED = 250
# Persons worked out anew from their orders in one write.
RECOMPUTED = 60
RETURNS_EVERY_MS = 7 * DAY_MS
# More changed profiles than this share of all are a reason for new limits before the night.
CHANGED_SHARE = 0.02
# But not more often, while a long import goes on.
SPACED_MS = 10 * MINUTE_MS
# A shop with few customers is read in no time.
SPACED_PROVISIONAL_MS = 30 * 1000
NIGHT_HOUR = 3

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did: the version it froze, persons looked at, rows written or dropped.

    ``drifted`` counts rows that were not as their orders and the limits until then say.
    """

    version: int
    persons: int
    written: int
    drifted: int
    took_ms: int


@dataclass(frozen=True, slots=True)
class _Known:
    """The sums of all persons, and the limits and the day by which they are labelled."""

    ledger: Ledger
    limits: Thresholds
    today: int


@dataclass(frozen=True, slots=True)
class _Look:
    """Everything about all persons, from one state of the database."""

    known: _Known
    before: Thresholds | None
    returns: Returns | None
    returns_at_ms: int | None
    stale: tuple[str, ...]


def _quiet(_done: int, _total: int) -> None:
    """Nobody is told."""


def rebuild(database: Database, *, tell: Tell = _quiet) -> Rebuilt | None:
    """Freezes limits as of now and brings every profile to them; None when there is no shop.

    Also None when another process froze new ones meanwhile: then that one labels everybody. What
    ``tell`` raises ends the work, at any place: what is done stays right.
    """
    began_s = time.monotonic()
    at_ms = database.clock()
    shop, before = database.read_now(lambda c: (load_shop(c), current_limits(c)))
    if shop is not None and before is not None and not _same_shop(shop, before):
        adapt_orders(database, shop)
    look = database.read_now(partial(_look, at_ms=at_ms, tell=tell))
    if look is None or not database.write_now(partial(_add, look=look)):
        return None
    written, drifted, again = 0, len(look.stale), list(look.stale)
    total = len(look.known.ledger)
    writes = _Writes(database)
    for places in _portions(total):
        portion = database.read_now(partial(_differing, look=look, places=places))
        rows = portion.writing.rows
        for start in range(0, len(rows), AT_ONCE):
            writes.begin(rows[start : start + AT_ONCE])
        written += len(rows)
        drifted += portion.drifted
        again += portion.changed
        tell(places.stop, total)
    writes.settle()
    for start in range(0, len(again), RECOMPUTED):
        some = again[start : start + RECOMPUTED]
        database.write_now(partial(_recompute, person_ids=some))
    database.write_now(partial(note_labelled, version=look.known.limits.version))
    took_ms = round(1000 * (time.monotonic() - began_s))
    return Rebuilt(look.known.limits.version, total, written + len(again), drifted, took_ms)


class _Writes:
    """Rows on their way to the database, one lot at a time, while the next are worked out."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lot: Future[None] | None = None
        self._rows = 0

    def begin(self, rows: Sequence[Row]) -> None:
        """Has rows written. Raises what went wrong with those before."""
        self.settle()
        if self._rows >= TIDIED:
            tidy(self._database)
            self._rows = 0
        self._rows += len(rows)
        self._lot = self._database.submit(partial(write_rows, rows=rows))

    def settle(self) -> None:
        """Waits for what is being written. Raises what went wrong."""
        if self._lot is not None:
            self._lot.result()
            self._lot = None


def _same_shop(shop: Shop, limits: Thresholds) -> bool:
    """Whether days and money are still what they were when limits were frozen."""
    return (shop.timezone, shop.currency) == (limits.timezone, limits.currency)


def _portions(total: int) -> Iterator[range]:
    for start in range(0, total, READ_AT_ONCE):
        yield range(start, min(start + READ_AT_ONCE, total))


def _look(connection: Connection, *, at_ms: int, tell: Tell) -> _Look | None:
    shop = load_shop(connection)
    if shop is None:
        return None
    seen = 0

    def looked_at(more: int) -> None:
        nonlocal seen
        seen += more
        tell(0, seen)

    ledger = read_ledger(connection, currency=shop.currency, looked_at=looked_at)
    newest = current_limits(connection)
    # Other days, or other money, are nothing that rows can have drifted from.
    before = newest if newest is not None and _same_shop(shop, newest) else None
    day = day_of(at_ms, shop.timezone)
    limits = freeze_ledger(connection, ledger, shop, day=day, at_ms=at_ms)
    limits = replace(limits, version=1 if newest is None else newest.version + 1)
    returns, made_at_ms = current_returns(connection), returns_at_ms(connection)
    if returns is None or made_at_ms is None or at_ms - made_at_ms >= RETURNS_EVERY_MS:
        returns, made_at_ms = look_back(ledger.every, day=day, limits=limits), at_ms
    stale = tuple(stale_rows(connection))
    return _Look(_Known(ledger, limits, day), before, returns, made_at_ms, stale)


def _add(tx: Tx, *, look: _Look) -> bool:
    """True when the limits were written: nobody froze others since the look."""
    limits = look.known.limits
    now = current_limits(tx.connection)
    if (now.version if now else 0) != limits.version - 1:
        return False
    add_limits(tx, limits, returns=look.returns, returns_at_ms=look.returns_at_ms)
    return True


@dataclass(slots=True)
class _Portion:
    """What is to be done about some persons: rows to write, and who was changed since the look."""

    writing: Writing
    changed: list[str]
    drifted: int = 0


def _differing(connection: Connection, *, look: _Look, places: range) -> _Portion:
    let_others()
    known, before = look.known, look.before
    # New limits in the place of provisional ones, or of none, are no news about anybody.
    news = before is not None and not before.provisional
    found = _Portion(Writing(known.limits.at_ms, "thresholds", news=news), [])
    persons = known.ledger.persons.between(places.start, places.stop)
    stored = profiles_of(connection, persons)
    old = None if before is None else replace(known, limits=before)
    # Names are asked for once: equals of both limits, which are few.
    keys = _keys(connection, known, places, persons) | (
        {} if old is None else _keys(connection, old, places, persons)
    )
    for place, person_id in zip(places, persons, strict=True):
        row = stored.get(person_id)
        if (row.revision if row else 0) != known.ledger.revision(place):
            found.changed.append(person_id)
            continue
        key = keys.get(person_id, person_id)
        right = _made(known, place, known.today, person_id, key)
        # A row that is right within the new limits has not drifted, or does not matter any more.
        if row is None or not row.same_as(right):
            found.drifted += old is not None and _drifted(old, place, row, person_id, key)
            found.writing.add(row, right)
    return found


def _keys(
    connection: Connection, known: _Known, places: range, persons: Sequence[str]
) -> dict[str, str]:
    """What those are called who spent just as much as the last of the top 20 %."""
    ledger, least = known.ledger, known.limits.top_minor
    found = zip(places, persons, strict=True)
    equal = [person_id for place, person_id in found if ledger.net_minor(place) == least]
    return source_ids(connection, equal) if equal else {}


def _made(known: _Known, place: int, day: int, person_id: str, key: str) -> Profile:
    sums = known.ledger.sums(place)
    what = labels(sums, known.limits, day, key=key)
    return made(person_id, sums, what, version=known.limits.version)


def _drifted(known: _Known, place: int, row: Profile | None, person_id: str, key: str) -> bool:
    """Whether a row is not what the orders say; before its next stage when that is due already."""
    if row is None:
        return True
    due = row.next_flip_day is not None and row.next_flip_day <= known.today
    day = row.next_flip_day - 1 if due and row.next_flip_day is not None else known.today
    return not row.same_as(_made(known, place, day, person_id, key))


def _recompute(tx: Tx, *, person_ids: Sequence[str]) -> None:
    recompute(tx, person_ids, cause="thresholds")


_MEMBER = CUSTOMER.alias("member")
# Rows of persons who have no order any more, or who are part of another person by now.
_STALE = union(
    select(PROFILE.c.person_id)
    .select_from(PROFILE.outerjoin(CUSTOMER, CUSTOMER.c.id == PROFILE.c.person_id))
    .where(or_(CUSTOMER.c.id.is_(None), CUSTOMER.c.person_id.is_not(None))),
    # Beside an "or" PostgreSQL would read all orders for each row.
    select(PROFILE.c.person_id).where(
        ~exists().where(SHOP_ORDER.c.customer_id == PROFILE.c.person_id),
        ~exists().where(
            _MEMBER.c.person_id == PROFILE.c.person_id, SHOP_ORDER.c.customer_id == _MEMBER.c.id
        ),
    ),
)


def stale_rows(connection: Connection) -> list[str]:
    """Whose profile should not be there."""
    return list(connection.execute(_STALE).scalars())


def flip_due(tx: Tx, *, most: int = RECOMPUTED) -> int:
    """How many were brought to their next stage, whose day has come; at most ``most``."""
    shop = load_shop(tx.connection)
    if shop is None:
        return 0
    due = due_flips(tx.connection, today=day_of(tx.at_ms, shop.timezone), most=most)
    recompute(tx, due, cause="time")
    return len(due)


def any_due(connection: Connection, *, at_ms: int) -> bool:
    """Whether anybody's next stage has come."""
    shop = load_shop(connection)
    return shop is not None and bool(
        due_flips(connection, today=day_of(at_ms, shop.timezone), most=1)
    )


def is_due(connection: Connection, *, at_ms: int) -> bool:
    """Whether it is time for new limits.

    Once a night, and earlier when more than 2 % of the profiles were changed by orders since.
    """
    limits, shop = current_limits(connection), load_shop(connection)
    if limits is None or shop is None:
        return False
    if not are_labelled(connection):
        # Somebody is at it, or was and did not come to the end.
        return at_ms - limits.at_ms >= SPACED_MS
    if not _same_shop(shop, limits):
        return True
    now = LocalTimes(zone(shop.timezone))(at_ms)
    day = day_of(at_ms, shop.timezone)
    if limits.day < day - 1 or (limits.day < day and now.hour >= NIGHT_HOUR):
        return True
    spaced_ms = SPACED_PROVISIONAL_MS if limits.provisional else SPACED_MS
    return at_ms - limits.at_ms >= spaced_ms and has_changed_much(connection, limits)


def refresh(database: Database, *, tell: Tell = _quiet) -> Rebuilt | None:
    """Rebuilds after many orders came at once; None when they changed little."""
    limits = database.read_now(current_limits)
    if limits is None or not database.read_now(partial(has_changed_much, limits=limits)):
        return None
    return rebuild(database, tell=tell)


def has_changed_much(connection: Connection, limits: Thresholds) -> bool:
    """Whether orders have changed more than 2 % of the profiles since the limits were frozen."""
    changed = func.count().filter(PROFILE.c.updated_at_ms > limits.at_ms)
    several, total = connection.execute(select(changed, func.count()).select_from(PROFILE)).one()
    return bool(several > CHANGED_SHARE * total)


def drift(connection: Connection, *, at_ms: int, tell: Tell = _quiet) -> Iterator[tuple[str, str]]:
    """Persons whose stored profile is not what their orders say, each with what is wrong.

    Within the limits that hold, or those before while not everybody is labelled by these yet. A
    stage whose day has come but not its turn is no drift.
    """
    shop, limits = load_shop(connection), current_limits(connection)
    if shop is None or limits is None:
        return
    ledger = read_ledger(connection, currency=shop.currency)
    known = _Known(ledger, limits, day_of(at_ms, shop.timezone))
    earlier = limits_before(connection)
    old = None if earlier is None else replace(known, limits=earlier)
    for places in _portions(len(ledger)):
        persons = ledger.persons.between(places.start, places.stop)
        stored = profiles_of(connection, persons)
        keys = _keys(connection, known, places, persons)
        if old is not None:
            keys |= _keys(connection, old, places, persons)
        for place, person_id in zip(places, persons, strict=True):
            row, key = stored.get(person_id), keys.get(person_id, person_id)
            if _drifted(known, place, row, person_id, key) and (
                old is None or _drifted(old, place, row, person_id, key)
            ):
                made_anew = _made(known, place, known.today, person_id, key)
                yield person_id, _difference(row, made_anew)
        tell(places.stop, len(ledger))
    for person_id in stale_rows(connection):
        yield person_id, "there is a row, but there are no orders"


def _difference(row: Profile | None, right: Profile) -> str:
    if row is None:
        return "there is no row"
    names = [n for n in TOLD if getattr(row, n) != getattr(right, n)]
    return ", ".join(f"{n} is {getattr(row, n)!r}, not {getattr(right, n)!r}" for n in names)
