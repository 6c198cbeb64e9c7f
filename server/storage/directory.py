"""Finding customers: by what somebody knows of them, by conditions, page by page.

A list shows persons: customer rows at the top, each with its profile. Conditions look at all rows
of a person.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal  # Any: SQL values and columns

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    false,
    func,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from server.domain.actors import Actor
from server.domain.conditions import (
    FIELDS,
    All,
    Between,
    Condition,
    In,
    Is,
    Not,
    OneOf,
    expand,
    read_condition,
)
from server.domain.consent import UNSAID, Purpose
from server.domain.errors import AppError
from server.domain.periods import local_date, zone
from server.domain.spans import DAY_MS, HOUR_MS
from server.storage.consents import CONSENT, consents_of
from server.storage.conversations import visible_to
from server.storage.customers import (
    CUSTOMER,
    VISITOR_TOKEN,
    Customer,
    customer_from_row,
)
from server.storage.notes import BLOCK, PREFERENCE, TAG
from server.storage.persons import ORIGIN, members
from server.storage.profiles import PROFILE
from server.storage.rows import CONVERSATION
from server.storage.shop import load_shop
from server.storage.tables import (
    Cart,
    Contact,
    SavedSegment,
    ShopOrder,
    ShopSource,
    table,
)

CART = table(Cart)
CONTACT = table(Contact)
ORDER = table(ShopOrder)
SOURCE = table(ShopSource)
SEGMENT = table(SavedSegment)
C = CUSTOMER.c
P = PROFILE.c
# A cart is left behind when nothing has been done with it for an hour.
ABANDONED_MS = HOUR_MS
# How many customers one text may stand for; who looks for more narrows it down.
MAX_MATCHES = 500
# Up to here a list says how many it has.
MAX_COUNTED = 10_000

Sort = Literal["newest", "spend", "orders", "last_order"]
Place = tuple[int, str]
# Those by profile list who has one: buyers.
_SORTS: Mapping[str, Column[Any]] = {  # Any: whole numbers
    "newest": C.created_at_ms,
    "spend": P.net_minor,
    "orders": P.orders,
    "last_order": P.last_order_at_ms,
}
SORTS = tuple(_SORTS)


@dataclass(frozen=True, slots=True)
class Today:
    """When a condition is asked: ms UTC, and the local day of the shop since 1970-01-01."""

    at_ms: int
    day: int


def today(connection: Connection, at_ms: int) -> Today:
    """The instant and its day in the shop's zone."""
    shop = load_shop(connection)
    day = local_date(at_ms, zone(shop.timezone if shop else "UTC"))
    return Today(at_ms, day.toordinal() - 719_163)


@dataclass(frozen=True, slots=True)
class Found:
    """A person in a list; the profile's columns are None for who never ordered."""

    customer: Customer
    orders: int | None
    net_minor: int | None
    last_order_at_ms: int | None
    segment: str | None
    activity_stage: str | None
    relationship_stage: str | None
    value_cell: str | None
    top20: bool
    place: int


@dataclass(frozen=True, slots=True)
class Matches:
    """Persons whom a text stands for; ``more`` when there were too many to look at all.

    ``guest_orders`` are orders with this number whose buyer gave no customer id.
    """

    person_ids: tuple[str, ...]
    more: bool = False
    guest_orders: tuple[Mapping[str, Any], ...] = ()  # Any: columns of an order


@dataclass(frozen=True, slots=True)
class Asked:
    """A text to look for, and what it may be: addresses and numbers in their normal forms."""

    text: str
    email_key: str | None = None
    phone_keys: tuple[str, ...] = field(default=())


def page(
    connection: Connection,
    condition: Condition,
    *,
    now: Today,
    sort: Sort,
    among: Sequence[str] | None,
    after: Place | None,
    limit: int,
    seen_by: Actor | None = None,
) -> list[Found]:
    """Persons who meet the condition, in order; ``among`` keeps to these. Expanded conditions only.

    Sorted by what orders add up to, only who has ordered is listed. ``seen_by`` leaves out whom
    that person of the shop may not see.
    """
    column = _SORTS[sort]
    by_profile = column.table is PROFILE
    source = CUSTOMER.join(PROFILE, P.person_id == C.id, isouter=not by_profile)
    statement = (
        select(
            CUSTOMER,
            P.orders,
            P.net_minor,
            P.last_order_at_ms,
            P.segment,
            P.activity_stage,
            P.relationship_stage,
            P.value_cell,
            P.top20,
            column.label("place"),
        )
        .select_from(source)
        .where(C.person_id.is_(None), *_narrow(condition, now, among, seen_by))
    )
    if by_profile:
        statement = statement.where(column.is_not(None))
    key = P.person_id if by_profile else C.id
    if after is not None:
        statement = statement.where(tuple_(column, key) < after)
    statement = statement.order_by(column.desc(), key.desc()).limit(limit)
    return [
        Found(
            customer=customer_from_row(row),
            orders=row["orders"],
            net_minor=row["net_minor"],
            last_order_at_ms=row["last_order_at_ms"],
            segment=row["segment"],
            activity_stage=row["activity_stage"],
            relationship_stage=row["relationship_stage"],
            value_cell=row["value_cell"],
            top20=bool(row["top20"]),
            place=row["place"],
        )
        for row in connection.execute(statement).mappings()
    ]


def count(
    connection: Connection,
    condition: Condition,
    *,
    now: Today,
    among: Sequence[str] | None = None,
    up_to: int | None = None,
    seen_by: Actor | None = None,
) -> int:
    """How many persons meet the condition; ``up_to`` ends the counting there."""
    source = CUSTOMER.join(PROFILE, P.person_id == C.id, isouter=True)
    statement = (
        select(C.id)
        .select_from(source)
        .where(C.person_id.is_(None), *_narrow(condition, now, among, seen_by))
    )
    if up_to is not None:
        statement = statement.limit(up_to)
    return int(
        connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    )


def matches(connection: Connection, condition: Condition, person_id: str, *, at_ms: int) -> bool:
    """True when a person meets a condition, saved segments in it included."""
    written_out = expanded(connection, condition)
    source = CUSTOMER.join(PROFILE, P.person_id == C.id, isouter=True)
    compiled = _Compiler(today(connection, at_ms), members(connection, person_id)).sql(written_out)
    statement = select(C.id).select_from(source).where(C.id == person_id, compiled)
    return connection.execute(statement).first() is not None


def expanded(
    connection: Connection, condition: Condition, *, within: tuple[str, ...] = ()
) -> Condition:
    """The condition with the saved segments that it names written out.

    Raises InvalidInput when they lead back to one another, or to the segments in ``within``.
    """

    def saved(segment_id: str) -> Condition | None:
        text = connection.execute(
            select(SEGMENT.c.condition).where(SEGMENT.c.id == segment_id)
        ).scalar_one_or_none()
        return None if text is None else stored_condition(text)

    return expand(condition, saved, within=within)


def stored_condition(text: str) -> Condition:
    """The condition as it was kept; one that a newer version cannot read holds for nobody."""
    try:
        return read_condition(json.loads(text))
    except AppError:
        return OneOf(())


def find(connection: Connection, asked: Asked) -> Matches:
    """The persons whom a text stands for: an address, a number, an order, an id, part of a name."""
    text = asked.text
    rows: dict[str, None] = {}
    if asked.email_key is not None:
        _add(rows, connection, select(CONTACT.c.customer_id).where(_contact("email", asked)))
        _add(
            rows,
            connection,
            select(ORDER.c.customer_id).where(
                ORDER.c.email_key == asked.email_key, ORDER.c.customer_id.is_not(None)
            ),
        )
        _add(rows, connection, select(C.id).where(C.email.in_({text, asked.email_key})))
    if asked.phone_keys:
        _add(rows, connection, select(CONTACT.c.customer_id).where(_contact("phone", asked)))
    guests = _by_number(connection, rows, text.removeprefix("#"))
    _add(rows, connection, select(C.id).where(C.external_id == text))
    names = [text, *(f"{name}:{text}" for name in _own_ids(connection))]
    _add(rows, connection, select(ORIGIN.c.customer_id).where(ORIGIN.c.name.in_(names)))
    _add(rows, connection, select(C.id).where(C.id == text))
    if not rows:
        _add(rows, connection, select(C.id).where(_named(connection, text)))
    ids = list(rows)
    persons = dict.fromkeys(
        row[0]
        for row in connection.execute(
            select(func.coalesce(C.person_id, C.id)).where(C.id.in_(ids[:MAX_MATCHES]))
        )
    )
    return Matches(tuple(persons), len(ids) > MAX_MATCHES, tuple(guests))


def _contact(kind: str, asked: Asked) -> ColumnElement[bool]:
    keys = (asked.email_key,) if kind == "email" else asked.phone_keys
    return and_(CONTACT.c.kind == kind, CONTACT.c.key.in_(keys))


def _add(rows: dict[str, None], connection: Connection, statement: Select[Any]) -> None:  # Any: ids
    found = connection.execute(statement.limit(MAX_MATCHES + 1))
    rows.update(dict.fromkeys(row[0] for row in found))


def _by_number(
    connection: Connection, rows: dict[str, None], text: str
) -> list[Mapping[str, Any]]:  # Any: columns of an order
    """Adds the customers of orders with this number or id; gives those of guests."""
    o = ORDER.c
    sources = list(connection.execute(select(SOURCE.c.name)).scalars())
    same_id = and_(o.source.in_(sources), o.external_id == text)
    columns = (o.customer_id, o.number, o.source, o.created_at_ms, o.total_minor, o.currency)
    found = connection.execute(
        select(*columns).where(or_(o.number.in_((text, f"#{text}")), same_id)).limit(MAX_MATCHES)
    ).mappings()
    guests: list[Mapping[str, Any]] = []  # Any: columns of an order
    for row in found:
        if row["customer_id"] is None:
            guests.append(dict(row))
        else:
            rows[row["customer_id"]] = None
    return guests


def _own_ids(connection: Connection) -> list[str]:
    """The sources whose customer ids mean nothing elsewhere."""
    statement = select(SOURCE.c.name).where(SOURCE.c.customer_ids == "own")
    return list(connection.execute(statement).scalars())


def _named(connection: Connection, text: str) -> ColumnElement[bool]:
    """A part of the name, small or large letters alike; goes through the whole index on names."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{escaped}%"
    like = (
        C.name.like(pattern, escape="\\")  # which in SQLite knows no case
        if connection.dialect.name == "sqlite"
        else C.name.ilike(pattern, escape="\\")
    )
    return and_(C.name.is_not(None), like)


def open_conversations(
    connection: Connection, actor: Actor, customer_ids: Sequence[str]
) -> list[str]:
    """The ids of these customers' conversations that go on and that the actor may see."""
    c = CONVERSATION.c
    seen = true() if actor.kind == "system" else visible_to(actor)
    rows = connection.execute(
        select(c.id)
        .where(c.customer_id.in_(customer_ids), c.status.in_(("open", "snoozed")), seen)
        .order_by(c.last_activity_at_ms.desc())
    )
    return [row[0] for row in rows]


def reachable_row(connection: Connection, customer_ids: Sequence[str]) -> str:
    """The row of a person in which a new chat shows in a widget: the first, when it has one.

    Else the one whose browser was here last. Without any the first: it shows once they sign in.
    """
    v = VISITOR_TOKEN.c
    rows = connection.execute(
        select(v.customer_id)
        .where(v.customer_id.in_(customer_ids))
        .group_by(v.customer_id)
        .order_by(func.max(v.seen_at_ms).desc())
    )
    found = [row[0] for row in rows]
    if not found or customer_ids[0] in found:
        return customer_ids[0]
    return str(found[0])


def open_counts(connection: Connection, person_ids: Sequence[str]) -> dict[str, int]:
    """How many conversations go on with each of these persons, for those with any."""
    v = CONVERSATION.c
    person = func.coalesce(C.person_id, C.id)
    rows = connection.execute(
        select(person, func.count())
        .select_from(CONVERSATION.join(CUSTOMER, C.id == v.customer_id))
        .where(
            or_(C.id.in_(person_ids), C.person_id.in_(person_ids)),
            v.status.in_(("open", "snoozed")),
        )
        .group_by(person)
    )
    return {row[0]: row[1] for row in rows}


def members_of(connection: Connection, person_ids: Sequence[str]) -> dict[str, list[str]]:
    """All rows of each of several persons, the one at the top first."""
    found = {key: [key] for key in person_ids}
    rows = connection.execute(
        select(C.person_id, C.id).where(C.person_id.in_(person_ids)).order_by(C.id)
    )
    for person_id, row in rows:
        found[person_id].append(row)
    return found


@dataclass(frozen=True, slots=True)
class Reached:
    """A contact of a customer row, as far as lists show it."""

    kind: str
    value: str
    level: str
    source: str


def contacts_of(connection: Connection, customer_ids: Sequence[str]) -> dict[str, list[Reached]]:
    """The contacts of each row, the proven ones first."""
    k = CONTACT.c
    rows = connection.execute(
        select(k.customer_id, k.kind, k.value, k.level, k.source)
        .where(k.customer_id.in_(customer_ids))
        .order_by(k.kind, k.level.desc(), k.created_at_ms, k.key)
    )
    found: dict[str, list[Reached]] = {}
    for customer_id, *contact in rows:
        found.setdefault(customer_id, []).append(Reached(*contact))
    return found


def refused_profiling(connection: Connection, customer_ids: Sequence[str]) -> set[str]:
    """Those of these rows whose last word about profiling is no."""
    last = {
        c.customer_id: c.state
        for c in consents_of(connection, customer_ids)
        if c.purpose == "profiling"
    }
    return {key for key, state in last.items() if state == "refused"}


def has_anybody(connection: Connection) -> bool:
    """True when there is any customer at all."""
    return connection.execute(select(C.id).limit(1)).first() is not None


def sources(connection: Connection) -> list[str]:
    """The names of the shop's sources."""
    return list(connection.execute(select(SOURCE.c.name).order_by(SOURCE.c.name)).scalars())


def _narrow(
    condition: Condition, now: Today, among: Sequence[str] | None, seen_by: Actor | None
) -> list[ColumnElement[bool]]:
    # Of who was erased a row is left that figures count by, and nobody to look for.
    parts = [C.erased_at_ms.is_(None), _Compiler(now, None).sql(condition)]
    if seen_by is not None and not seen_by.leads:
        row = CUSTOMER.alias()
        rows = select(row.c.id).where(or_(row.c.id == C.id, row.c.person_id == C.id))
        talk = select(CONVERSATION.c.id).where(
            CONVERSATION.c.customer_id.in_(rows.correlate(CUSTOMER))
        )
        seen = talk.where(visible_to(seen_by)).correlate(CUSTOMER).exists()
        parts.append(or_(seen, ~talk.correlate(CUSTOMER).exists()))
    if among is not None:
        parts.append(C.id.in_(among))
    return parts


class _Compiler:
    """Makes SQL over a customer row at the top and its profile of a condition.

    With the rows of one person it asks only for those; else for everybody's at once.
    """

    def __init__(self, now: Today, rows: Sequence[str] | None) -> None:
        self.now = now
        self._rows = rows

    def sql(self, condition: Condition) -> ColumnElement[bool]:
        """The condition as SQL."""
        match condition:
            case All(parts):
                return and_(true(), *(self.sql(part) for part in parts))
            case OneOf(parts):
                return or_(false(), *(self.sql(part) for part in parts))
            case Not(part):
                # What is unknown of who never ordered is not so, and its opposite is.
                return _no(self.sql(part))
            case In(name, _) | Between(name, _, _) | Is(name, _):
                clause = self._clause(condition)
                if not FIELDS[name].profiled:
                    return clause
                return and_(clause, not_(self._refused("profiling")))

    def _clause(self, condition: In | Between | Is) -> ColumnElement[bool]:
        match condition:
            case In(name, words):
                return _WORDS[name](self, words)
            case Between(name, low, high):
                return self._between(name, low, high)
            case Is(name, yes):
                flag = _FLAGS[name](self)
                return flag if yes else _no(flag)

    def _between(self, name: str, low: int | None, high: int | None) -> ColumnElement[bool]:
        now = self.now
        match name:
            case "orders" | "net_minor":
                return _within(func.coalesce(P[name], 0), low, high)
            case "recency_days":
                return _within(now.day - P.last_day, low, high)
            case "known_days":
                return _ago(C.created_at_ms, now.at_ms, low, high)
            case _:
                return _ago(C.seen_at_ms, now.at_ms, low, high)

    def of_person(
        self,
        customer_id: Column[Any],  # Any: text
        *where: ColumnElement[bool],
        source: FromClause | None = None,
    ) -> ColumnElement[bool]:
        """True when a row of another table, found by ``where``, is about any row of the person."""
        if self._rows is not None:
            about = select(customer_id).where(customer_id.in_(self._rows), *where)
            if source is not None:
                about = about.select_from(source)
            return about.exists()
        row = CUSTOMER.alias()
        joined = (customer_id.table if source is None else source).join(
            row, row.c.id == customer_id
        )
        person = func.coalesce(row.c.person_id, row.c.id)
        return C.id.in_(select(person).select_from(joined).where(*where))

    def _said(self, purpose: str, state: str) -> ColumnElement[bool]:
        """True when the last word of any row about a purpose is this one."""
        later = CONSENT.alias()
        newer = select(later.c.id).where(
            later.c.customer_id == CONSENT.c.customer_id,
            later.c.purpose == purpose,
            tuple_(later.c.at_ms, later.c.id) > tuple_(CONSENT.c.at_ms, CONSENT.c.id),
        )
        return self.of_person(
            CONSENT.c.customer_id,
            CONSENT.c.purpose == purpose,
            CONSENT.c.state == state,
            ~newer.correlate(CONSENT).exists(),
        )

    def _refused(self, purpose: str) -> ColumnElement[bool]:
        return self._said(purpose, "refused")

    def consents(self, purposes: Sequence[str]) -> ColumnElement[bool]:
        """True when any of the purposes is allowed; the strictest word of all rows counts."""
        return or_(*(self._allowed(purpose) for purpose in purposes))

    def _allowed(self, purpose: str) -> ColumnElement[bool]:
        known: Purpose = purpose  # type: ignore[assignment]  # a choice of the field
        if known == "service":
            return true()
        if UNSAID[known]:
            return not_(self._refused(purpose))
        return and_(self._said(purpose, "given"), not_(self._refused(purpose)))

    def ordered_at(self, names: Sequence[str]) -> ColumnElement[bool]:
        """True when an order or an id of the person comes from one of these sources."""
        origins = [ORIGIN.c.name.startswith(f"{name}:", autoescape=True) for name in names]
        own = self.of_person(ORIGIN.c.customer_id, or_(*origins))
        if self._rows is not None:
            return or_(own, self.of_person(ORDER.c.customer_id, ORDER.c.source.in_(names)))
        # Millions of orders may come from one source: asked for each person who is looked at.
        row = CUSTOMER.alias()
        mine = select(row.c.id).where(or_(row.c.id == C.id, row.c.person_id == C.id))
        order = select(ORDER.c.id).where(
            ORDER.c.customer_id.in_(mine.correlate(CUSTOMER)), ORDER.c.source.in_(names)
        )
        return or_(own, order.correlate(CUSTOMER).exists())


def _no(clause: ColumnElement[bool]) -> ColumnElement[bool]:
    return not_(func.coalesce(clause, false(), type_=Boolean()))


def _within(
    value: ColumnElement[Any],  # Any: whole numbers
    low: int | None,
    high: int | None,
) -> ColumnElement[bool]:
    sides = [] if low is None else [value >= low]
    return and_(true(), *sides, *([] if high is None else [value <= high]))


def _ago(
    column: Column[Any],  # Any: whole numbers
    at_ms: int,
    low: int | None,
    high: int | None,
) -> ColumnElement[bool]:
    """So many whole days ago, from ``low`` to ``high``."""
    sides = [] if low is None else [column <= at_ms - low * DAY_MS]
    return and_(true(), *sides, *([] if high is None else [column > at_ms - (high + 1) * DAY_MS]))


def _profiled(
    column: Column[Any],  # Any: text
    nobody: str | None,
) -> Callable[[_Compiler, Sequence[str]], ColumnElement[bool]]:
    """A label of the profile; ``nobody`` is that of who has no profile."""

    def compiled(_: _Compiler, words: Sequence[str]) -> ColumnElement[bool]:
        found = column.in_(words)
        return or_(found, P.person_id.is_(None)) if nobody in words else found

    return compiled


_WORDS: Mapping[str, Callable[[_Compiler, Sequence[str]], ColumnElement[bool]]] = {
    "segment": _profiled(P.segment, "prospects"),
    "value_cell": _profiled(P.value_cell, None),
    "activity_stage": _profiled(P.activity_stage, "prospect"),
    "relationship_stage": _profiled(P.relationship_stage, "none"),
    "tag": lambda c, words: c.of_person(TAG.c.customer_id, TAG.c.tag.in_(words)),
    "locale": lambda _, words: C.locale.in_(words),
    "source": lambda c, words: c.ordered_at(words),
    "identity": lambda _, words: C.identity.in_(words),
    "channel": lambda c, words: c.of_person(
        PREFERENCE.c.customer_id, PREFERENCE.c.channel.in_(words)
    ),
    "consent": lambda c, words: c.consents(words),
    # What is left of it was not written out: it holds for nobody.
    "saved": lambda _, __: false(),
}
_FLAGS: Mapping[str, Callable[[_Compiler], ColumnElement[bool]]] = {
    "top20": lambda _: P.top20.is_(True),
    "open_conversation": lambda c: c.of_person(
        CONVERSATION.c.customer_id, CONVERSATION.c.status.in_(("open", "snoozed"))
    ),
    "abandoned_cart": lambda c: c.of_person(
        CART.c.customer_id,
        CART.c.ordered_at_ms.is_(None),
        CART.c.total_minor > 0,
        CART.c.updated_at_ms < c.now.at_ms - ABANDONED_MS,
    ),
    "blocked": lambda c: c.of_person(BLOCK.c.customer_id),
    "known": lambda _: or_(
        C.identity != "anonymous",
        C.external_id.is_not(None),
        C.name.is_not(None),
        P.person_id.is_not(None),
    ),
}
assert {*_WORDS, *_FLAGS, "orders", "net_minor", "recency_days", "known_days", "seen_days"} == {
    *FIELDS
}
