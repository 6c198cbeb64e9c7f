"""What was ordered after chats: sessions, orders and shoppers as rows of metrics.

Orders are those of the log. A shopper is a person, whichever of their browsers wrote or ordered.
Nothing here says that a chat caused an order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import orjson
from sqlalchemy import Connection, bindparam, literal_column, select

from server.reports.frames import Frame, Numbers, Texts
from server.reports.scope import Scope, held
from server.reports.sources.conversations import session_keys, told_apart
from server.reports.sources.logged import load_logged
from server.reports.sources.time_line import FAR, TimeLine, following
from server.reports.sources.visits import AFTER_MS, DAY_MS, NEVER_MS, Visits, within
from server.storage.among import among
from server.storage.corrections import voided_seqs
from server.storage.persons import persons_and_rows
from server.storage.rows import EVENT
from server.storage.shop import load_shop

# A session after a paid order is about that order.
AFTER_ORDER_MS = DAY_MS
# The longest span that a metric may ask for.
MAX_DELAY_MS = AFTER_MS
_PORTION = 5_000
# Words in tags that say: this is about something already bought.
AFTER_SALE = ("after sale", "after-sale", "aftersale", "after_sale", "售后")


@dataclass(frozen=True, slots=True)
class _Inquiries:
    """The sessions of a scope and those around it, with the orders that belong to them.

    ``sold`` are these orders, one by one in the order of shopper and payment: which session, which
    order, who replied last before it, and how long before.
    """

    visits: Frame
    orders: Frame
    presale: Numbers
    delay_ms: Numbers
    sold: Frame


def load_inquiries(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, each with how soon after it its shopper paid an order."""
    found = _inquiries(connection, scope, sessions)
    visits, sold = found.visits, found.sold
    first = np.unique(sold.numbers("visit"), return_index=True)[1]
    # Who replied last before the first payment, else last of all.
    agents = Texts.joined([visits.texts("agent_id"), sold.texts("agent_id")])
    codes = agents.codes[: visits.n].copy()
    codes[sold.numbers("visit")[first]] = agents.codes[visits.n :][first]
    frame = visits.having(
        agent_id=Texts(codes, agents.values), presale=found.presale, delay_ms=found.delay_ms
    )
    return held(within(frame, scope.from_ms, scope.to_ms), scope)


def load_sales(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The orders paid after the pre-sale sessions of a scope, less what was given back."""
    found = _inquiries(connection, scope, sessions)
    sold = found.sold.select(found.orders.numbers("amount_minor")[found.sold.numbers("order")] >= 0)
    orders = found.orders.select(sold.numbers("order"))
    visits = found.visits.select(sold.numbers("visit"))
    returned = load_logged(connection, scope, "returned", scope.from_ms, None)
    left = _left(orders.numbers("number"), orders.numbers("amount_minor"), returned)
    shop = load_shop(connection)
    currency = orders.texts("currency")
    values = tuple(
        ("" if shop is None else shop.currency) if v is None else v for v in currency.values
    )
    frame = visits.having(
        agent_id=sold.texts("agent_id"),
        buyer=told_apart(orders.numbers("person")),
        currency=Texts.joined([Texts(currency.codes, values)]),
        paid_at_ms=orders.numbers("at_ms"),
        delay_ms=sold.numbers("delay_ms"),
        net_minor=left,
        order_seq=orders.numbers("seq"),
    ).following(order_id=partial(_order_ids, connection))
    return held(within(frame, scope.from_ms, scope.to_ms), scope)


def load_shoppers(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, each with how soon its shopper paid a further order.

    A further order is at least the second that the shopper ever paid.
    """
    visits = _ordered(within(sessions.around("visit"), scope.from_ms, scope.to_ms))
    persons = sessions.persons(visits.numbers("customer"))
    first = int(visits.numbers("at_ms").min(initial=scope.as_of_ms))
    served = visits.numbers("served")
    is_first = np.zeros(visits.n, bool)
    is_first[np.unique(persons, return_index=True)[1]] = True
    further = _Further(connection, scope, sessions, persons, first)
    frame = visits.having(
        person=persons, unserved=is_first & ~np.isin(persons, persons[served])
    ).following(delay_ms=further.delay_ms)
    return held(frame, scope)


class _Further:
    """How soon some persons paid a further order."""

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        sessions: Visits,
        persons: Numbers,
        first_ms: int,
    ) -> None:
        self._connection = connection
        self._scope = scope
        self._sessions = sessions
        self._persons = persons
        self._first_ms = first_ms
        # Of whom it is known whether they had paid before the first instant, and who had.
        self._asked = np.empty(0, np.int64)
        self._buyers = np.empty(0, np.int64)

    @cached_property
    def _orders(self) -> Frame:
        since = None if self._scope.from_ms is None else self._first_ms
        orders = _paid(self._connection, self._scope, self._sessions, since, None)
        return orders.select(np.isin(orders.numbers("person"), self._persons))

    @cached_property
    def _line(self) -> TimeLine:
        first = int(self._orders.numbers("at_ms").min(initial=self._first_ms))
        return TimeLine(self._persons, first, self._scope.as_of_ms)

    @cached_property
    def _keys(self) -> Numbers:
        ranks = self._line.ranks(self._orders.numbers("person"))
        return np.sort(self._line.of(ranks, self._orders.numbers("at_ms")))

    def delay_ms(self, rows: Frame) -> Numbers:
        """How long after each session; NEVER_MS where there is no such order."""
        if not rows.n:
            return np.empty(0, np.int64)
        line, keys, persons = self._line, self._keys, rows.numbers("person")
        ranks = line.ranks(persons)
        own = line.of(ranks, rows.numbers("anchor_ms"))
        place = np.searchsorted(keys, own, side="right")
        # The first order of all is none again, even when it comes after the service.
        new = place == np.searchsorted(keys, line.of(ranks, 0))
        if self._scope.from_ms is not None:
            then = following(keys, place)
            self._ask(persons[new & (then != FAR) & line.same(then, own)])
            new &= ~np.isin(persons, self._buyers)
        then = following(keys, place + new)
        found = (then != FAR) & line.same(then, own)
        return np.where(found, then - own, NEVER_MS)

    def _ask(self, persons: Numbers) -> None:
        persons = np.setdiff1d(persons, self._asked)
        if len(persons):
            self._asked = np.union1d(self._asked, persons)
            found = self._bought_before(persons)
            self._buyers = np.union1d(self._buyers, found)

    def _bought_before(self, persons: Numbers) -> Numbers:
        """Those of some persons, who paid one of these orders, who had paid one before."""
        orders = self._orders.select(np.isin(self._orders.numbers("person"), persons))
        orders = orders.select(np.unique(orders.numbers("person"), return_index=True)[1])
        seqs, tops = orders.numbers("seq").tolist(), orders.numbers("person").tolist()
        customers = customers_of(self._connection, seqs)
        owner = {customers[seq]: top for seq, top in zip(seqs, tops, strict=True)}
        joined = self._sessions.joined(orders.numbers("customer"))
        several = {customers[seq] for seq, one in zip(seqs, joined.tolist(), strict=True) if one}
        for customer, rows in persons_and_rows(self._connection, several).items():
            owner |= dict.fromkeys(rows, owner[customer])
        found = told_earlier(self._connection, self._scope, list(owner), self._first_ms)
        early = np.array(sorted({owner[customer] for customer in found}), np.int64)
        return np.union1d(early, persons[np.isin(persons, self._late)])

    @cached_property
    def _late(self) -> Numbers:
        """Who paid before the first instant orders of which the shop told only after it."""
        first = self._first_ms
        orders = load_logged(self._connection, self._scope, "paid", None, first, told_from_ms=first)
        return self._sessions.persons(orders.numbers("customer"))


def load_contacts(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions and the paid orders of a scope; ``delay_ms`` is from an order to a session."""
    visits = within(sessions.around("visit"), scope.from_ms, None)
    persons = sessions.persons(visits.numbers("customer"))
    orders = _paid(connection, scope, sessions, scope.from_ms, scope.to_ms)
    buyers, paid = orders.numbers("person"), orders.numbers("at_ms")
    first = np.concatenate([visits.numbers("at_ms"), paid]).min(initial=scope.as_of_ms)
    line = TimeLine(persons, int(first), scope.as_of_ms)
    keys = np.sort(line.of(line.ranks(persons), visits.numbers("at_ms")))
    ranks = line.ranks(buyers)
    own = line.of(ranks, paid)
    then = following(keys, np.searchsorted(keys, own, side="left"))
    near = (ranks >= 0) & (then != FAR) & line.same(then, own)
    inside = within(visits, scope.from_ms, scope.to_ms)
    contacts = _contacts(inside, order=False).having(
        delay_ms=np.full(inside.n, NEVER_MS), order_seq=np.full(inside.n, -1, np.int64)
    )
    of_orders = _contacts(orders, order=True).having(
        delay_ms=np.where(near, then - own, NEVER_MS), order_seq=orders.numbers("seq")
    )
    frame = Frame.joined([contacts, of_orders])
    frame = sessions.conversations.placed(frame)
    return held(frame.following(order_id=partial(_order_ids, connection)), scope)


def _contacts(rows: Frame, *, order: bool) -> Frame:
    """Sessions or orders with what both have; an order has no conversation and no channel."""
    n = rows.n
    none = Texts(np.zeros(n, np.int32), (None,))
    return Frame(
        {
            "conversation": np.full(n, -1, np.int64) if order else rows.numbers("conversation"),
            "session_no": np.zeros(n, np.int64) if order else rows.numbers("session_no"),
            "at_ms": rows.numbers("at_ms"),
            "agent_id": none,
            "team_id": none if order else rows.texts("team_id"),
            "channel": none if order else rows.texts("channel"),
            "labels": Texts(none.codes, ("",)) if order else rows.texts("labels"),
            "waiting": np.zeros(n, bool),
            "contact": np.full(n, not order),
            "order": np.full(n, order),
        },
        n=n,
    )


def _order_ids(connection: Connection, frame: Frame) -> Texts:
    """The ids of the orders of rows, by the events that told of them; None where there is none."""
    seqs = frame.numbers("order_seq").tolist()
    statement = select(EVENT.c.seq, EVENT.c.data).where(
        EVENT.c.seq.in_(bindparam("seqs", expanding=True))
    )
    wanted = sorted({seq for seq in seqs if seq >= 0})
    ids: dict[int, str] = {}
    for start in range(0, len(wanted), _PORTION):
        rows = connection.execute(statement, {"seqs": wanted[start : start + _PORTION]})
        ids |= {seq: orjson.loads(data)["order_id"] for seq, data in rows}
    return Texts.of(ids.get(seq) for seq in seqs)


def _ordered(visits: Frame) -> Frame:
    """Sessions in the order of their starts."""
    return visits.select(np.lexsort((session_keys(visits), visits.numbers("at_ms"))))


def _inquiries(connection: Connection, scope: Scope, sessions: Visits) -> _Inquiries:
    """As ``_find_inquiries``, once for all that a report asks."""
    found: _Inquiries = sessions.once(
        "inquiries", lambda: _find_inquiries(connection, scope, sessions)
    )
    return found


def _find_inquiries(connection: Connection, scope: Scope, sessions: Visits) -> _Inquiries:
    """The sessions of a scope and those around it, with the orders that belong to them.

    An order belongs to the last human reply that its shopper got in a pre-sale session before they
    paid, and to no other.
    """
    visits, answers = sessions.around("visit"), sessions.around("answer")
    visits = visits.select(np.argsort(session_keys(visits)))
    persons = sessions.persons(visits.numbers("customer"))
    started = visits.numbers("at_ms")
    replies = answers.select(answers.numbers("answer"))
    first = int(started.min(initial=scope.as_of_ms)) - AFTER_ORDER_MS
    last = max(
        int(one.max(initial=0))
        for one in (visits.numbers("anchor_ms"), replies.numbers("end_at_ms"))
    )
    last = min(scope.as_of_ms, last + MAX_DELAY_MS)
    orders = _paid(connection, scope, sessions, first, last + 1)
    line = TimeLine(persons, first, scope.as_of_ms)
    buyers = line.ranks(orders.numbers("person"))
    paid = line.of(buyers, orders.numbers("at_ms"))
    order = np.lexsort((orders.numbers("seq"), paid))
    order = order[buyers[order] >= 0]
    orders, paid = orders.select(order), paid[order]
    ranks = line.ranks(persons)
    begun = line.of(ranks, started)
    before = np.searchsorted(paid, line.of(ranks, started - AFTER_ORDER_MS))
    presale = (np.searchsorted(paid, begun) == before) & ~_is_after_sale(visits)
    # To whom each order belongs.
    of_visit = np.searchsorted(session_keys(visits), session_keys(replies))
    replies = replies.having(visit=of_visit).select(presale[of_visit])
    said = line.of(ranks[replies.numbers("visit")], replies.numbers("end_at_ms"))
    in_order = np.lexsort((replies.numbers("seq"), said))
    replies, said = replies.select(in_order), said[in_order]
    place = np.searchsorted(said, paid, side="right") - 1
    belongs = place >= 0
    belongs[belongs] &= line.same(said[place[belongs]], paid[belongs])
    belongs[belongs] &= paid[belongs] - said[place[belongs]] <= MAX_DELAY_MS
    chosen, reply = np.flatnonzero(belongs), place[belongs]
    sold = Frame(
        {
            "order": chosen,
            "visit": replies.numbers("visit")[reply],
            "agent_id": replies.texts("agent_id")[reply],
            "delay_ms": paid[chosen] - said[reply],
        },
        n=len(chosen),
    )
    # Who was not answered may have ordered all the same: the first that no reply preceded.
    free = paid[~belongs]
    then = following(free, np.searchsorted(free, begun))
    near = visits.numbers("unserved") & (then != FAR) & line.same(then, begun)
    delay = np.where(near, then - begun, NEVER_MS)
    np.minimum.at(delay, sold.numbers("visit"), sold.numbers("delay_ms"))
    return _Inquiries(visits, orders, presale, delay, sold)


def _is_after_sale(visits: Frame) -> Numbers:
    labels = visits.texts("labels")
    codes = [
        code
        for code, value in enumerate(labels.values)
        if any(word in (value or "").lower() for word in AFTER_SALE)
    ]
    return np.asarray(np.isin(labels.codes, codes))


def _left(numbers: Numbers, amounts: Numbers, returned: Frame) -> Numbers:
    """What is left of orders after what was given back; nothing of one that was cancelled."""
    if not returned.n:
        return amounts
    known = np.unique(returned.numbers("number"))
    of_order = np.searchsorted(known, returned.numbers("number"))
    back = returned.numbers("amount_minor")
    total = np.zeros(len(known), np.int64)
    np.add.at(total, of_order, np.maximum(0, back))
    whole = np.zeros(len(known), bool)
    whole[of_order[back < 0]] = True
    places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    some = known[places] == numbers
    given = np.where(whole[places], amounts, total[places])
    return np.where(some, amounts - given, amounts)


def _paid(
    connection: Connection,
    scope: Scope,
    sessions: Visits,
    from_ms: int | None,
    to_ms: int | None,
) -> Frame:
    """The orders that were paid in a time, each once, as it was told first; with ``person``."""
    frame = load_logged(connection, scope, "paid", from_ms, to_ms)
    numbers = frame.numbers("number")
    if len(numbers) and not np.diff(np.sort(numbers)).all():
        frame = frame.select(np.argsort(frame.numbers("seq")))
        first = np.unique(frame.numbers("number"), return_index=True)[1]
        frame = frame.select(first)
    return frame.having(person=sessions.persons(frame.numbers("customer")))


def customers_of(connection: Connection, seqs: Sequence[int]) -> dict[int, str]:
    """The customers of events by their numbers."""
    statement = select(EVENT.c.seq, EVENT.c.customer_id).where(
        EVENT.c.seq.in_(bindparam("seqs", expanding=True))
    )
    found: dict[int, str] = {}
    for start in range(0, len(seqs), _PORTION):
        portion = {"seqs": seqs[start : start + _PORTION]}
        found.update((row[0], row[1]) for row in connection.execute(statement, portion))
    return found


def told_earlier(
    connection: Connection, scope: Scope, customers: Sequence[str], first_ms: int
) -> set[str]:
    """Those of some customers of whom the log told a paid order before an instant.

    By the index of paid orders, which holds nothing else.
    """
    c = EVENT.c
    statement = select(c.customer_id).where(
        # Written out, because the index holds only these.
        c.kind == literal_column("'order.paid'"),
        among(c.customer_id, "ids"),
        c.at_ms < first_ms,
    )
    if scope.as_of_seq is not None:
        statement = statement.where(c.seq <= scope.as_of_seq)
    gone = voided_seqs(connection, up_to_seq=scope.as_of_seq)
    if gone:
        statement = statement.where(c.seq.not_in(sorted(gone)))
    found: set[str] = set()
    for start in range(0, len(customers), _PORTION):
        portion = {"ids": customers[start : start + _PORTION]}
        found.update(connection.execute(statement.distinct(), portion).scalars())
    return found
