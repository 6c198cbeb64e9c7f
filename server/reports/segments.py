"""Who a shop's customers are: segments, cells and stages, what they bring and how they move."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import Connection, bindparam, func, select, text

from server.domain.lifecycle import ACTIVITY_STAGES, RELATIONSHIP_STAGES
from server.domain.money import decimal_text
from server.domain.periods import day_start_ms, local_date, zone
from server.domain.segment import SEGMENTS, VALUE_CELLS, Thresholds
from server.domain.spans import DAY_MS
from server.storage.profiles import PROFILE, SEGMENT_CHANGE
from server.storage.shop import Shop
from server.storage.thresholds import current_limits

CONTACT_DAYS = 90
# With fewer orders a ratio to them says nothing.
LEAST_ORDERS = 10
NEWCOMER_DAYS = 90
FIRST_ORDER_DAYS = 7
MAX_WEEKS = 52
# The ways to divide customers, each with its groups in the order they are shown in.
GROUPINGS: dict[str, tuple[str, ...]] = {
    "segment": SEGMENTS,
    "cell": VALUE_CELLS,
    "activity": ACTIVITY_STAGES,
    "relationship": RELATIONSHIP_STAGES,
}
COLUMNS = {
    "segment": "segment",
    "cell": "value_cell",
    "activity": "activity_stage",
    "relationship": "relationship_stage",
}
# Who never ordered has no row of their own in ``profile``, or one with these labels.
UNSOLD = {"segment": "prospects", "activity": "prospect", "relationship": "none"}


@dataclass(slots=True)
class Group:
    """The customers of a segment, cell or stage. Money in the shop's smallest unit.

    ``contacts``, ``handled_ms`` and ``recent_orders`` are of the last 90 days.
    """

    id: str
    customers: int = 0
    orders: int = 0
    net_minor: int = 0
    refunded_minor: int = 0
    gross_minor: int = 0
    top: int = 0
    quiet: int = 0
    contacts: int = 0
    contacted: int = 0
    handled_ms: int = 0
    handled: int = 0
    recent_orders: int = 0

    def add(self, other: Group) -> None:
        """Counts another group in."""
        for name in Group.__dataclass_fields__:
            if name != "id":
                setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def average_minor(self) -> float | None:
        """Net spend per order."""
        return self.net_minor / self.orders if self.orders else None

    @property
    def contacts_per_order(self) -> float | None:
        """Conversations per order, both of the last 90 days; None where orders are too few."""
        enough = self.recent_orders >= LEAST_ORDERS
        return self.contacts / self.recent_orders if enough else None

    @property
    def handle_ms(self) -> float | None:
        """Time of agents per conversation in which it was measured."""
        return self.handled_ms / self.handled if self.handled else None


@dataclass(frozen=True, slots=True)
class Week:
    """How many persons entered each stage in a local week that begins on ``monday``."""

    monday: date
    entered: Counter[str]


@dataclass(frozen=True, slots=True)
class Flows:
    """Changes of stage: how many persons went from one to another, by grouping and by week."""

    from_ms: int
    to_ms: int
    moves: dict[str, Counter[tuple[str, str]]]
    weeks: list[Week]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel; ``lost`` of those who came so far have been silent too long."""

    id: str
    customers: int


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far customers came, all of them or those who are new."""

    steps: list[Step]
    chatted: int
    chatted_ordered: int


@dataclass(frozen=True, slots=True)
class Curve:
    """The share of revenue that the best customers bring, per cent of customers by per cent."""

    shares: list[float]
    buyers: int
    top_buyers: int
    top_minor: int
    net_minor: int

    @property
    def top_share(self) -> float | None:
        """What the top 20 % bring of the revenue."""
        return self.top_minor / self.net_minor if self.net_minor else None


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """Everything that the page shows."""

    at_ms: int
    limits: Thresholds | None
    whole: Group
    groups: dict[str, list[Group]]
    flows: Flows
    curve: Curve
    funnel: Funnel
    newcomers: Funnel
    currency: str
    flow_days: int = field(default=0)


def segment_report(
    connection: Connection, shop: Shop, *, at_ms: int, weeks: int = 4
) -> SegmentReport:
    """All figures as they are now; flows of the latest ``weeks`` weeks."""
    groups, whole = _groups(connection, at_ms=at_ms)
    unsold = next(one.customers for one in groups["activity"] if one.id == "prospect")
    flows = flows_of(connection, shop.timezone, at_ms=at_ms, weeks=weeks)
    return SegmentReport(
        at_ms=at_ms,
        limits=current_limits(connection),
        whole=whole,
        groups=groups,
        flows=flows,
        curve=curve_of(connection, buyers=whole.customers - unsold, net_minor=whole.net_minor),
        funnel=_funnel(connection, unsold=unsold),
        newcomers=_funnel(connection, unsold=unsold, since_ms=at_ms - NEWCOMER_DAYS * DAY_MS),
        currency=shop.currency,
        flow_days=(flows.to_ms - flows.from_ms) // DAY_MS,
    )


# Groups

_LABELS = (
    "p.segment AS segment, p.value_cell AS value_cell, p.activity_stage AS activity_stage,"
    " p.relationship_stage AS relationship_stage"
)
_BY_LABELS = "p.segment, p.value_cell, p.activity_stage, p.relationship_stage"
_COUNTED = text(
    f"SELECT {_LABELS}, count(*) AS customers, sum(p.orders) AS orders,"  # noqa: S608  # our names
    " sum(p.net_minor) AS net_minor, sum(p.refunded_minor) AS refunded_minor,"
    " sum(p.gross_minor) AS gross_minor, sum(CASE WHEN p.top20 THEN 1 ELSE 0 END) AS top,"
    " sum(CASE WHEN p.quiet THEN 1 ELSE 0 END) AS quiet"
    f" FROM profile p WHERE p.orders > 0 GROUP BY {_BY_LABELS}"
)
# Whom the shop can name, or who said who they are: a browser that came by once is no prospect.
_KNOWN = "(c.external_id IS NOT NULL OR c.identity <> 'anonymous')"
_PERSONS = text(
    f"SELECT count(*) FROM customer c WHERE c.person_id IS NULL AND ({_KNOWN} OR EXISTS ("  # noqa: S608  # our names
    "SELECT 1 FROM profile p WHERE p.person_id = c.id AND p.orders > 0))"
)
_RECENT = text(
    f"SELECT {_LABELS}, count(*) AS recent_orders"  # noqa: S608  # our names
    " FROM shop_order o JOIN customer c ON c.id = o.customer_id"
    " JOIN profile p ON p.person_id = coalesce(c.person_id, c.id)"
    " WHERE o.created_at_ms >= :since AND o.counted"
    f" GROUP BY {_BY_LABELS}"
)
_CONTACTS = text(
    f"SELECT {_LABELS}, count(*) AS contacts,"  # noqa: S608  # our names
    " count(DISTINCT coalesce(c.person_id, c.id)) AS contacted"
    " FROM conversation v JOIN customer c ON c.id = v.customer_id"
    " LEFT JOIN profile p ON p.person_id = coalesce(c.person_id, c.id) AND p.orders > 0"
    f" WHERE v.opened_at_ms >= :since AND (p.person_id IS NOT NULL OR {_KNOWN})"
    f" GROUP BY {_BY_LABELS}"
)
_FOCUSED = {
    "sqlite": "json_extract(e.data, '$.focused_ms')",
    "postgresql": "CAST(CAST(e.data AS json) ->> 'focused_ms' AS bigint)",
}


def _groups(connection: Connection, *, at_ms: int) -> tuple[dict[str, list[Group]], Group]:
    known = {name: {one: Group(one) for one in members} for name, members in GROUPINGS.items()}
    whole = Group("all")
    since = {"since": at_ms - CONTACT_DAYS * DAY_MS}
    focused = _FOCUSED[connection.dialect.name]
    handled = text(
        f"SELECT {_LABELS}, sum(f.spent) AS handled_ms, count(*) AS handled FROM ("  # noqa: S608  # our names
        f"SELECT e.conversation_id, sum({focused}) AS spent FROM event e"
        " WHERE e.kind = 'agent.focus_recorded' AND e.at_ms >= :since GROUP BY e.conversation_id"
        ") f JOIN conversation v ON v.id = f.conversation_id"
        " JOIN customer c ON c.id = v.customer_id"
        " LEFT JOIN profile p ON p.person_id = coalesce(c.person_id, c.id) AND p.orders > 0"
        f" WHERE v.opened_at_ms >= :since AND (p.person_id IS NOT NULL OR {_KNOWN})"
        f" GROUP BY {_BY_LABELS}"
    )
    for statement, values in (
        (_COUNTED, {}),
        (_RECENT, since),
        (_CONTACTS, since),
        (handled, since),
    ):
        for row in connection.execute(statement, values).mappings():
            figures = {
                name: int(row[name] or 0) for name in Group.__dataclass_fields__ if name in row
            }
            part = Group("", **figures)
            whole.add(part)
            for name, members in known.items():
                label = row[COLUMNS[name]] or UNSOLD.get(name)
                if label in members:
                    members[label].add(part)
    persons = int(connection.execute(_PERSONS).scalar_one())
    unsold = max(0, persons - whole.customers)
    whole.customers += unsold
    for name, label in UNSOLD.items():
        known[name][label].customers += unsold
    return {name: list(members.values()) for name, members in known.items()}, whole


# Flows


def flows_of(connection: Connection, timezone: str, *, at_ms: int, weeks: int) -> Flows:
    """Who changed stage in this local week and the ``weeks - 1`` before it.

    Counts changes, not persons: who fell asleep and came back is in both. What only new limits
    changed is left out, for nobody did anything.
    """
    tz = zone(timezone)
    today = local_date(at_ms, tz)
    monday = today - timedelta(days=today.weekday() + 7 * (weeks - 1))
    starts = [monday + timedelta(days=7 * number) for number in range(weeks)]
    edges = [day_start_ms(day, tz) for day in [*starts, starts[-1] + timedelta(days=7)]]
    moves: dict[str, Counter[tuple[str, str]]] = {"activity": Counter(), "relationship": Counter()}
    found: list[Week] = []
    for number, start in enumerate(starts):
        entered: Counter[str] = Counter()
        values = {"from": edges[number], "to": edges[number + 1]}
        for row in connection.execute(_MOVES, values):
            activity, relationship, cause, count = row[0:2], row[2:4], row[4], row[5]
            if cause == "thresholds":
                continue
            if activity[0] != activity[1]:
                moves["activity"][activity[0], activity[1]] += count
                entered[activity[1]] += count
                if activity[1] == "active" and activity[0] in ("dormant", "lost"):
                    entered["returned"] += count
            if relationship[0] != relationship[1]:
                moves["relationship"][relationship[0], relationship[1]] += count
        found.append(Week(start, entered))
    return Flows(edges[0], edges[-1], moves, found)


_C = SEGMENT_CHANGE.c
_STAGES = (_C.activity_from, _C.activity_to, _C.relationship_from, _C.relationship_to, _C.cause)
_MOVES = (
    select(*_STAGES, func.count())
    .where(_C.at_ms >= bindparam("from"), _C.at_ms < bindparam("to"))
    .group_by(*_STAGES)
)


# The curve

# Who has a counted order has spent something, and the index holds no more than is asked for: with
# a million buyers 0.3 s, where tiles made by the database took 4.
_SPENT = (
    select(PROFILE.c.net_minor)
    .where(PROFILE.c.net_minor > 0)
    .order_by(PROFILE.c.net_minor.desc())
    .execution_options(yield_per=10_000)
)
POINTS = 100


def curve_of(connection: Connection, *, buyers: int, net_minor: int) -> Curve:
    """What the best 0, 1, ... 100 % of customers bring; fewer points while there are fewer."""
    points = min(POINTS, buyers)
    top_buyers = -(-buyers // 5)
    shares, sofar, top = [0.0], 0, 0
    for number, (net,) in enumerate(connection.execute(_SPENT), 1):
        sofar += net
        if number == top_buyers:
            top = sofar
        while len(shares) <= points and number * points >= len(shares) * buyers:
            shares.append(sofar / net_minor)
    return Curve(shares, buyers, top_buyers, top, net_minor)


# The funnel

_STEPS = (
    "SELECT count(*) AS ordered,"
    " sum(CASE WHEN p.order_days > 1 THEN 1 ELSE 0 END) AS again,"
    " sum(CASE WHEN p.order_days > 1 AND p.activity_stage = 'active' THEN 1 ELSE 0 END) AS active"
    " FROM profile p WHERE p.orders > 0"
)
_NEW_KNOWN = text(
    "SELECT count(*) FROM customer c LEFT JOIN profile p"  # noqa: S608  # our names
    " ON p.person_id = c.id AND p.orders > 0 WHERE c.person_id IS NULL AND p.person_id IS NULL"
    f" AND {_KNOWN} AND c.created_at_ms >= :since"
)
# Who wrote before the first order, and ordered within a week of writing.
_CHATTED = (
    "SELECT count(DISTINCT coalesce(c.person_id, c.id)),"
    " count(DISTINCT CASE WHEN p.first_order_at_ms BETWEEN v.opened_at_ms AND"
    " v.opened_at_ms + :within THEN coalesce(c.person_id, c.id) END)"
    " FROM conversation v JOIN customer c ON c.id = v.customer_id"
    " LEFT JOIN profile p ON p.person_id = coalesce(c.person_id, c.id) AND p.orders > 0"
    " WHERE (p.person_id IS NULL OR p.first_order_at_ms >= v.opened_at_ms)"
)


def _funnel(connection: Connection, *, unsold: int, since_ms: int | None = None) -> Funnel:
    """The steps of who never ordered (``unsold`` of them, or those since then) and who did."""
    steps, chatted = _STEPS, _CHATTED
    values: dict[str, int] = {}
    if since_ms is not None:
        values["since"] = since_ms
        steps += " AND p.first_order_at_ms >= :since"
        chatted += " AND v.opened_at_ms >= :since"
        unsold = int(connection.execute(_NEW_KNOWN, values).scalar_one())
    row = connection.execute(text(steps), values).mappings().one()
    counts = {name: int(row[name] or 0) for name in ("ordered", "again", "active")}
    within = {"within": FIRST_ORDER_DAYS * DAY_MS}
    said = connection.execute(text(chatted), values | within).one()
    return Funnel(
        [
            Step("known", unsold + counts["ordered"]),
            *(Step(name, count) for name, count in counts.items()),
        ],
        int(said[0]),
        int(said[1]),
    )


# Files


def segments_csv(report: SegmentReport) -> str:
    """The groups of every way to divide customers, a row each; money in whole units."""
    rows = [
        _figures(name, one, report.whole, report.currency)
        for name, groups in report.groups.items()
        for one in groups
    ]
    head = (
        "grouping",
        "group",
        "customers",
        "customer_share",
        "orders",
        "net_spend",
        "currency",
        "net_share",
        "average_order",
        "top20_customers",
        "contacts_90d",
        "orders_90d",
        "contacts_per_order_90d",
        "handle_ms_per_contact",
    )
    return _csv(head, rows)


def _figures(name: str, one: Group, whole: Group, currency: str) -> tuple[object, ...]:
    return (
        name,
        one.id,
        one.customers,
        _ratio(one.customers, whole.customers),
        one.orders,
        decimal_text(one.net_minor, currency),
        currency,
        _ratio(one.net_minor, whole.net_minor),
        "" if one.average_minor is None else decimal_text(round(one.average_minor), currency),
        one.top,
        one.contacts,
        one.recent_orders,
        "" if one.contacts_per_order is None else f"{one.contacts_per_order:.4f}",
        _whole(one.handle_ms),
    )


def flows_csv(report: SegmentReport) -> str:
    """Changes of stage, one from-to pair a row, and by week."""
    rows: list[Sequence[object]] = [
        (name, before, after, "", count)
        for name, moves in report.flows.moves.items()
        for (before, after), count in sorted(moves.items())
    ]
    rows += [
        ("activity", "", stage, week.monday.isoformat(), count)
        for week in report.flows.weeks
        for stage, count in sorted(week.entered.items())
    ]
    return _csv(("grouping", "from", "to", "week_of", "changes"), rows)


def curve_csv(report: SegmentReport) -> str:
    """The curve, a point a row."""
    points = len(report.curve.shares) - 1
    rows = [
        (f"{number / points:.4f}", f"{share:.6f}")
        for number, share in enumerate(report.curve.shares)
        if points
    ]
    return _csv(("customer_share", "revenue_share"), rows)


def funnel_csv(report: SegmentReport) -> str:
    """The funnel of all customers and of new ones."""
    both = (("all", report.funnel), (f"new_{NEWCOMER_DAYS}d", report.newcomers))
    rows = [(name, step.id, step.customers) for name, one in both for step in one.steps]
    for name, one in both:
        rows.append((name, "chatted_before_ordering", one.chatted))
        rows.append((name, f"chatted_and_ordered_{FIRST_ORDER_DAYS}d", one.chatted_ordered))
    return _csv(("customers", "step", "count"), rows)


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.6f}" if whole else ""


def _whole(value: float | None) -> str:
    return "" if value is None else str(round(value))
