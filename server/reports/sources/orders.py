"""What was ordered after chats: sessions, orders and shoppers as rows of metrics.

Orders are those of the log. A shopper is a person, whichever of their browsers wrote or ordered.
Nothing here says that a chat caused an order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any  # Any: column values

import orjson
from sqlalchemy import Connection, literal_column, select

from server.reports.frames import Frame
from server.reports.scope import Scope
from server.reports.sources.visits import (
    DAY_MS,
    NEVER_MS,
    Reply,
    Visit,
    Visits,
    framed,
    load_events,
    started_in,
)
from server.storage.among import among
from server.storage.corrections import voided_seqs
from server.storage.persons import persons_and_rows, persons_of
from server.storage.rows import EVENT
from server.storage.shop import load_shop

# A session after a paid order is about that order.
AFTER_ORDER_MS = DAY_MS
# The longest spans that metrics may ask for.
MAX_DELAY_MS = 30 * DAY_MS
MAX_REPEAT_MS = 366 * DAY_MS
# A shop may tell of an order later than it was paid; later than this it is no news to a report.
TOLD_LATE_MS = 35 * DAY_MS
# Sessions that began before a period may still be answered in it.
_BEFORE_MS = 7 * DAY_MS
_PORTION = 5_000
# Words in tags that say: this is about something already bought.
AFTER_SALE = ("after sale", "after-sale", "aftersale", "after_sale", "售后")


@dataclass(frozen=True, slots=True)
class Paid:
    """An order that was paid; ``amount_minor`` is before refunds."""

    order_id: str
    person_id: str
    paid_at_ms: int
    amount_minor: int | None
    currency: str


@dataclass(slots=True)
class _Inquiry:
    """A session and the orders that were paid after its replies: (delay, agent, order)."""

    visit: Visit
    presale: bool
    orders: list[tuple[int, str, Paid]] = field(default_factory=list)

    @property
    def served(self) -> bool:
        return bool(self.visit.replies)

    @property
    def anchor_ms(self) -> int:
        """When it was answered last, or began if nobody answered."""
        return self.visit.replies[-1].at_ms if self.served else self.visit.started_at_ms

    @property
    def agent_id(self) -> str | None:
        """Who replied last before the payment, else last of all."""
        if self.orders:
            return self.orders[0][1]
        return self.visit.replies[-1].agent_id if self.served else None


def load_inquiries(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, each with how soon after it its shopper paid an order."""
    inquiries, orders = _inquiries(connection, scope, sessions)
    taken = {order.order_id for one in inquiries for _, _, order in one.orders}
    rows = []
    for one in inquiries:
        visit = one.visit
        if not started_in(scope, visit.started_at_ms):
            continue
        delay = min((delay for delay, _, _ in one.orders), default=NEVER_MS)
        if not one.served:
            delay = _delay(orders.get(visit.person_id, ()), visit.started_at_ms, taken)
        rows.append(
            _row(visit, agent_id=one.agent_id)
            | {
                "presale": one.presale,
                "served": one.served,
                "unserved": not one.served,
                "anchor_ms": one.anchor_ms,
                "delay_ms": delay,
            }
        )
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id",),
        numbers=(
            *("session_no", "presale", "served", "unserved", "anchor_ms", "delay_ms"),
            "waiting",
        ),
    )


def load_sales(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The orders paid after the pre-sale sessions of a scope, less what was given back."""
    inquiries, _ = _inquiries(connection, scope, sessions)
    inside = [one for one in inquiries if started_in(scope, one.visit.started_at_ms)]
    sold = [order.order_id for one in inside for _, _, order in one.orders]
    back = _given_back(connection, scope, set(sold))
    rows = []
    for one in inside:
        for delay, agent_id, order in one.orders:
            if order.amount_minor is None:
                continue
            returned = back.get(order.order_id, 0)
            left = order.amount_minor - (order.amount_minor if returned is None else returned)
            rows.append(
                _row(one.visit, agent_id=agent_id)
                | {
                    "order_id": order.order_id,
                    "buyer": order.person_id,
                    "currency": order.currency,
                    "paid_at_ms": order.paid_at_ms,
                    "delay_ms": delay,
                    "net_minor": left,
                }
            )
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id", "order_id", "buyer", "currency"),
        numbers=("session_no", "paid_at_ms", "delay_ms", "net_minor", "waiting"),
    )


def load_shoppers(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, each with how soon its shopper paid a further order.

    A further order is at least the second that the shopper ever paid.
    """
    visits = sessions.started(scope)
    orders = paid_by(connection, scope, {visit.person_id for visit in visits})
    served = {visit.person_id for visit in visits if visit.replies}
    seen: set[str] = set()
    rows = []
    for visit in visits:
        anchor = visit.replies[-1].at_ms if visit.replies else visit.started_at_ms
        bought = orders.get(visit.person_id, ())
        times = [order.paid_at_ms for order in bought]
        # The first order of all is none again, even when it comes after the service.
        place = max(1, bisect_right(times, anchor))
        unserved = visit.person_id not in served
        rows.append(
            _row(visit, agent_id=visit.replies[-1].agent_id if visit.replies else None)
            | {
                "person": visit.person_id,
                "served": bool(visit.replies),
                "unserved": unserved and visit.person_id not in seen,
                "anchor_ms": anchor,
                "delay_ms": times[place] - anchor if place < len(times) else NEVER_MS,
            }
        )
        seen.add(visit.person_id)
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id", "person"),
        numbers=("session_no", "served", "unserved", "anchor_ms", "delay_ms", "waiting"),
    )


def load_contacts(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions and the paid orders of a scope; ``delay_ms`` is from an order to a session."""
    after = None if scope.to_ms is None else scope.to_ms + MAX_DELAY_MS
    visits = sessions.started(replace(scope, to_ms=after), turns=False)
    starts: dict[str, list[int]] = {}
    for visit in visits:
        starts.setdefault(visit.person_id, []).append(visit.started_at_ms)
    rows = [
        _row(visit, agent_id=None)
        | {"order_id": None, "contact": True, "order": False, "delay_ms": NEVER_MS}
        for visit in visits
        if started_in(scope, visit.started_at_ms)
    ]
    for order in paid_within(connection, scope):
        times = starts.get(order.person_id, [])
        place = bisect_left(times, order.paid_at_ms)
        delay = times[place] - order.paid_at_ms if place < len(times) else NEVER_MS
        rows.append(
            {
                "conversation_id": None,
                "session_no": 0,
                "at_ms": order.paid_at_ms,
                "agent_id": None,
                "team_id": None,
                "channel": None,
                "labels": "",
                "waiting": False,
                "order_id": order.order_id,
                "contact": False,
                "order": True,
                "delay_ms": delay,
            }
        )
    rows.sort(key=lambda row: row["at_ms"])
    return framed(
        connection,
        scope,
        rows,
        texts=("conversation_id", "order_id"),
        numbers=("session_no", "contact", "order", "delay_ms", "waiting"),
    )


def _row(visit: Visit, *, agent_id: str | None) -> dict[str, Any]:  # Any: column values
    return {
        "conversation_id": visit.conversation_id,
        "session_no": visit.session_no,
        "at_ms": visit.started_at_ms,
        "agent_id": agent_id,
        "team_id": visit.team_id,
        "channel": visit.channel,
        "labels": visit.labels,
        "waiting": False,
    }


def _inquiries(
    connection: Connection, scope: Scope, sessions: Visits
) -> tuple[list[_Inquiry], Mapping[str, Sequence[Paid]]]:
    """As ``_find_inquiries``, once for all that a report asks."""
    found: tuple[list[_Inquiry], Mapping[str, Sequence[Paid]]] = sessions.once(
        "inquiries", lambda: _find_inquiries(connection, scope, sessions)
    )
    return found


def _find_inquiries(
    connection: Connection, scope: Scope, sessions: Visits
) -> tuple[list[_Inquiry], Mapping[str, Sequence[Paid]]]:
    """The sessions of a scope and those around it, with the orders that belong to them.

    An order belongs to the last human reply that its shopper got in a pre-sale session before they
    paid, and to no other.
    """
    wide = replace(
        scope,
        from_ms=None if scope.from_ms is None else max(0, scope.from_ms - _BEFORE_MS),
        to_ms=None if scope.to_ms is None else scope.to_ms + MAX_DELAY_MS,
    )
    visits = sessions.started(wide)
    persons = {visit.person_id for visit in visits}
    since = None if wide.from_ms is None else wide.from_ms - AFTER_ORDER_MS
    orders = paid_by(connection, scope, persons, from_ms=since)
    inquiries = []
    for visit in visits:
        times = [order.paid_at_ms for order in orders.get(visit.person_id, ())]
        start = visit.started_at_ms
        just_paid = bisect_left(times, start - AFTER_ORDER_MS) < bisect_left(times, start)
        inquiries.append(_Inquiry(visit, not just_paid and not _is_after_sale(visit)))
    _attribute(inquiries, orders)
    return inquiries, orders


def _attribute(inquiries: Sequence[_Inquiry], orders: Mapping[str, Sequence[Paid]]) -> None:
    """Gives each order to the last reply before it."""
    replies: dict[str, list[tuple[int, int, Reply, _Inquiry]]] = {}
    for one in inquiries:
        if one.presale:
            replies.setdefault(one.visit.person_id, []).extend(
                (reply.at_ms, reply.seq, reply, one) for reply in one.visit.replies
            )
    for person_id, known in replies.items():
        known.sort(key=lambda one: one[:2])
        times = [at_ms for at_ms, *_ in known]
        for order in orders.get(person_id, ()):
            place = bisect_right(times, order.paid_at_ms) - 1
            if place < 0:
                continue
            at_ms, _, reply, inquiry = known[place]
            delay = order.paid_at_ms - at_ms
            if delay <= MAX_DELAY_MS:
                inquiry.orders.append((delay, reply.agent_id, order))


def _delay(orders: Iterable[Paid], since_ms: int, taken: Collection[str]) -> int:
    """How long after an instant the first order was paid that no reply preceded."""
    return min(
        (
            order.paid_at_ms - since_ms
            for order in orders
            if order.paid_at_ms >= since_ms and order.order_id not in taken
        ),
        default=NEVER_MS,
    )


def _is_after_sale(visit: Visit) -> bool:
    labels = visit.labels.lower()
    return any(word in labels for word in AFTER_SALE)


def paid_by(
    connection: Connection,
    scope: Scope,
    persons: Collection[str],
    *,
    from_ms: int | None = None,
) -> dict[str, list[Paid]]:
    """The orders that some persons paid up to the instant of the report, in order, by person.

    By the index of paid orders, which holds nothing else.
    """
    rows = persons_and_rows(connection, persons)
    person_of = {row: person for person, members in rows.items() for row in (*members, person)}
    c = EVENT.c
    statement = select(c.seq, c.at_ms, c.customer_id, c.data).where(
        # Written out, because the index holds only these.
        c.kind == literal_column("'order.paid'"),
        among(c.customer_id, "ids"),
        c.at_ms <= scope.as_of_ms,
    )
    if scope.as_of_seq is not None:
        statement = statement.where(c.seq <= scope.as_of_seq)
    if from_ms is not None:
        statement = statement.where(c.at_ms >= from_ms)
    ids = sorted(person_of)
    told: list[tuple[int, int, str, str]] = []
    for start in range(0, len(ids), _PORTION):
        portion = {"ids": ids[start : start + _PORTION]}
        told += [tuple(row) for row in connection.execute(statement, portion)]
    found: dict[str, list[Paid]] = {}
    for order in _orders(connection, scope, told, person_of):
        found.setdefault(order.person_id, []).append(order)
    return found


def paid_within(connection: Connection, scope: Scope) -> list[Paid]:
    """The orders that were paid in the period of a scope, in order."""
    until = None if scope.to_ms is None else scope.to_ms + TOLD_LATE_MS
    events = load_events(connection, scope, ("order.paid",), from_ms=scope.from_ms, to_ms=until)
    told = [(e.seq, e.at_ms, e.customer_id or "", e.data) for e in events]
    person_of = persons_of(connection, {customer_id for _, _, customer_id, _ in told})
    orders = _orders(connection, scope, told, person_of)
    return [order for order in orders if started_in(scope, order.paid_at_ms)]


def _orders(
    connection: Connection,
    scope: Scope,
    told: Iterable[tuple[int, int, str, Any]],  # Any: data as JSON, read or not
    person_of: Mapping[str, str],
) -> list[Paid]:
    """The orders of events (seq, at_ms, customer_id, data), once each, in the order of payment."""
    gone = voided_seqs(connection, up_to_seq=scope.as_of_seq)
    shop = load_shop(connection)
    currency = "" if shop is None else shop.currency
    found: dict[str, Paid] = {}
    for seq, at_ms, customer_id, text in sorted(told, key=lambda row: row[0]):
        data = orjson.loads(text) if isinstance(text, str) else text
        paid_at_ms = data.get("paid_at_ms") or at_ms
        if seq in gone or paid_at_ms > scope.as_of_ms:
            continue
        order = Paid(
            order_id=data["order_id"],
            person_id=person_of.get(customer_id, customer_id),
            paid_at_ms=paid_at_ms,
            amount_minor=data.get("amount_minor"),
            currency=data.get("currency") or currency,
        )
        found.setdefault(order.order_id, order)
    return sorted(found.values(), key=lambda order: (order.paid_at_ms, order.order_id))


def _given_back(
    connection: Connection, scope: Scope, order_ids: Collection[str]
) -> dict[str, int | None]:
    """What was refunded of orders; None for all of it, as for one that was cancelled."""
    found: dict[str, int | None] = {}
    kinds = ("order.refunded", "order.cancelled")
    for event in load_events(connection, scope, kinds, from_ms=scope.from_ms):
        order_id = event.data["order_id"]
        if order_id not in order_ids:
            continue
        before, amount = found.get(order_id, 0), event.data.get("amount_minor")
        if event.kind == "order.cancelled" or before is None or amount is None:
            found[order_id] = None
        else:
            found[order_id] = before + amount
    return found
