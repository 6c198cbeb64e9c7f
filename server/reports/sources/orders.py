"""What was ordered after chats: sessions, orders and shoppers as rows of metrics.

Orders are those of the log. A shopper is a person, whichever of their browsers wrote or ordered.
Nothing here says that a chat caused an order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import orjson
from sqlalchemy import Connection, bindparam, select

from server.domain.metrics.outcomes import LINKED_MS
from server.domain.spans import DAY_MS
from server.reports.by_segment import NOBODY
from server.reports.frames import Frame, Numbers, Texts
from server.reports.ordering import first_places, places_by, repeated, search, starts_of
from server.reports.places import Places
from server.reports.scope import Scope, held
from server.reports.sources.conversations import session_keys, told_apart
from server.reports.sources.time_line import FAR, Members, TimeLine, different, following
from server.reports.sources.visits import AFTER_MS, NEVER_MS, Visits, within
from server.storage.rows import EVENT
from server.storage.shop import load_shop

# A session after a paid order is about that order.
AFTER_ORDER_MS = DAY_MS
# The longest span that a metric may ask for.
MAX_DELAY_MS = AFTER_MS
_PORTION = 5_000
# Columns that are always needed, to be read in one go.
_VISIT = ("customer", "conversation", "session_no", "last_reply_at_ms", "labels", "agent_id")
_ANSWER = ("at_ms", "end_at_ms", "conversation", "session_no", "dismissal", "seq", "agent_id")
_ORDER = ("number", "customer", "at_ms", "amount_minor", "currency")
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


def load_inquiries(_connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, each with how soon after it its shopper paid an order."""
    found = _inquiries(scope, sessions)
    visits, sold = found.visits, found.sold
    first = first_places(sold.numbers("visit"))
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
    found = _inquiries(scope, sessions)
    sold = found.sold.select(found.orders.numbers("amount_minor")[found.sold.numbers("order")] >= 0)
    orders = found.orders.select(sold.numbers("order"))
    visits = found.visits.select(sold.numbers("visit"))
    columns = sessions.conversations.columns
    returned = sessions.log.rows("returned", scope.from_ms, None, columns=columns)
    left = _left(orders.numbers("number"), orders.numbers("amount_minor"), returned)
    shop = load_shop(connection)
    currency = orders.texts("currency")
    values = tuple(
        ("" if shop is None else shop.currency) if v is None else v for v in currency.values
    )
    frame = (
        visits.having(
            agent_id=sold.texts("agent_id"),
            buyer=told_apart(orders.numbers("person")),
            currency=Texts.joined([Texts(currency.codes, values)]),
            delay_ms=sold.numbers("delay_ms"),
            net_minor=left,
        )
        .making(
            paid_at_ms=lambda: orders.numbers("at_ms"),
            order_seq=lambda: orders.numbers("seq"),
            skus=lambda: orders.texts("skus"),
        )
        .following(order_id=partial(_order_ids, connection))
    )
    return held(within(frame, scope.from_ms, scope.to_ms), scope)


def load_shoppers(_connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions of a scope, each with how soon its shopper paid a further order.

    A further order is at least the second that the shopper ever paid.
    """
    visits = _ordered(within(sessions.around("visit"), scope.from_ms, scope.to_ms))
    persons = sessions.persons(visits.numbers("customer"))
    first = int(visits.numbers("at_ms").min(initial=scope.as_of_ms))
    frame = visits.having(person=persons, unserved=_first_of_unserved(visits, persons))
    frame = held(frame, scope)
    further = _Further(scope, sessions, frame, first)
    return frame.making(anchor=lambda: further.anchors).following(delay_ms=further.delay_ms)


def _first_of_unserved(visits: Frame, persons: Numbers) -> Numbers:
    """Which sessions, in order, are the first of a person who was served in none of them."""
    found = np.zeros(visits.n, bool)
    order = np.argsort(persons)
    starts = np.flatnonzero(starts_of(persons[order]))
    if len(starts):
        served = np.logical_or.reduceat(visits.numbers("served")[order], starts)
        found[np.minimum.reduceat(order, starts)[~served]] = True
    return found


class _Further:
    """How soon the persons of some sessions, from an instant on, paid a further order."""

    def __init__(self, scope: Scope, sessions: Visits, visits: Frame, first_ms: int) -> None:
        self._scope = scope
        self._sessions = sessions
        self._visits = visits
        self._persons = visits.numbers("person")
        self._first_ms = first_ms

    @cached_property
    def _orders(self) -> Frame:
        since = None if self._scope.from_ms is None else self._first_ms
        some = Members(self._sessions.customers_of(self._persons))
        return _paid(self._sessions, since, None, buyers=some)

    @cached_property
    def _line(self) -> TimeLine:
        first = int(self._orders.numbers("at_ms").min(initial=self._first_ms))
        return TimeLine(self._persons, first, self._scope.as_of_ms)

    @cached_property
    def _keys(self) -> Numbers:
        ranks = self._line.ranks(self._orders.numbers("person"))
        known = ranks >= 0
        return np.sort(self._line.of(ranks[known], self._orders.numbers("at_ms")[known]))

    @cached_property
    def anchors(self) -> Numbers:
        """When each session was answered, on the line."""
        return self._line.of(self._line.ranks(self._persons), self._visits.numbers("anchor_ms"))

    def delay_ms(self, rows: Frame) -> Numbers:
        """How long after each session; NEVER_MS where there is no such order."""
        if not rows.n:
            return np.empty(0, np.int64)
        own = rows.numbers("anchor")
        places, first = self._next(own)
        if self._scope.from_ms is not None:
            first = first[~self._buyers.among(rows.numbers("person")[first])]
        # The first order of all is none again, even when it comes after the service.
        places[first] += 1
        then = following(self._keys, places)
        return np.where((then != FAR) & self._line.same(then, own), then - own, NEVER_MS)

    def _next(self, own: Numbers) -> tuple[Numbers, Numbers]:
        """The places of the orders after instants, and where they are the first of their person."""
        line, keys = self._line, self._keys
        places = search(keys, own, side="right")
        then, before = following(keys, places), following(keys, places - 1)
        theirs = (then != FAR) & line.same(then, own)
        return places, np.flatnonzero(theirs & ~((before != FAR) & line.same(before, own)))

    @cached_property
    def _buyers(self) -> Members:
        """Who had paid before the first instant, of those with their first order since."""
        persons = self._persons[self._next(self.anchors)[1]]
        customers = different(self._sessions.customers_of(persons))
        left = customers
        # The latest first: of who buys often, few are left after some months.
        for orders in self._sessions.log.parts("paid", None, self._first_ms):
            if not len(left):
                break
            if not orders.n:
                continue
            paid = orders.numbers("customer")
            some = Members(left)
            found = Places(left).of(paid[some.maybe(paid)])
            left = np.delete(left, found[found >= 0])
        return Members(self._sessions.persons(customers[~Members(left).among(customers)]))


def load_contacts(connection: Connection, scope: Scope, sessions: Visits) -> Frame:
    """The sessions and the paid orders of a scope; ``delay_ms`` is from an order to a session.

    ``skus`` are those of the order, and of a session those of the latest order that its shopper had
    paid in the time before it.
    """
    visits = within(sessions.around("visit"), scope.from_ms, None)
    orders = _paid(sessions, scope.from_ms, scope.to_ms)
    first = min(int(one.numbers("at_ms").min(initial=scope.as_of_ms)) for one in (visits, orders))
    inside = within(visits, scope.from_ms, scope.to_ms)
    none = np.full(inside.n, -1, np.int64)
    contacts = (
        _contacts(inside, order=False)
        .having(payer=none, order_seq=none)
        .making(skus=lambda: _bought(scope, sessions, inside))
    )
    of_orders = (
        _contacts(orders, order=True)
        .having(payer=orders.numbers("person"))
        .making(order_seq=lambda: orders.numbers("seq"), skus=lambda: orders.texts("skus"))
    )
    frame = sessions.conversations.placed(Frame.joined([contacts, of_orders]))
    persons = sessions.persons(visits.numbers("customer"))
    followed = _Followed(visits, persons, first, scope.as_of_ms)
    frame = frame.following(delay_ms=followed.delay_ms, order_id=partial(_order_ids, connection))
    return held(frame, scope)


class _Followed:
    """How soon after orders their shoppers began a session."""

    def __init__(self, visits: Frame, persons: Numbers, first_ms: int, last_ms: int) -> None:
        self._visits = visits
        self._persons = persons
        self._times = first_ms, last_ms

    @cached_property
    def _line(self) -> TimeLine:
        return TimeLine(self._persons, *self._times)

    @cached_property
    def _keys(self) -> Numbers:
        ranks = self._line.ranks(self._persons)
        return np.sort(self._line.of(ranks, self._visits.numbers("at_ms")))

    def delay_ms(self, rows: Frame) -> Numbers:
        """How long after each; NEVER_MS where there is no such session, and for sessions."""
        found = np.full(rows.n, NEVER_MS)
        if not rows.n:
            return found
        ranks = self._line.ranks(rows.numbers("payer"))
        some = np.flatnonzero(ranks >= 0)
        own = self._line.of(ranks[some], rows.numbers("at_ms")[some])
        then = following(self._keys, search(self._keys, own))
        near = (then != FAR) & self._line.same(then, own)
        found[some[near]] = (then - own)[near]
        return found


def _bought(scope: Scope, sessions: Visits, visits: Frame) -> Texts:
    """The SKUs of the latest order that the shopper of each session had paid by its start.

    Nothing where that was longer ago than an order is linked to a session.
    """
    since = None if scope.from_ms is None else scope.from_ms - LINKED_MS
    orders = _paid(sessions, since, scope.to_ms)
    orders = orders.select(np.argsort(orders.numbers("seq")))
    persons, started = sessions.persons(visits.numbers("customer")), visits.numbers("at_ms")
    paid_at = orders.numbers("at_ms")
    first = np.concatenate([paid_at, started]).min(initial=scope.as_of_ms)
    line = TimeLine(persons, int(first), scope.as_of_ms)
    ranks = line.ranks(orders.numbers("person"))
    paid = line.of(ranks, paid_at)
    in_order = places_by(paid)
    in_order = in_order[ranks[in_order] >= 0]
    paid = paid[in_order]
    own = line.of(line.ranks(persons), started)
    place = search(paid, own, side="right") - 1
    found = place >= 0
    found[found] &= line.same(paid[place[found]], own[found])
    found[found] &= own[found] - paid[place[found]] <= LINKED_MS
    skus = Texts.joined([Texts(np.zeros(1, np.int32), ("",)), orders.texts("skus")])
    codes = np.zeros(visits.n, np.int32)
    codes[found] = skus.codes[1:][in_order[place[found]]]
    return Texts(codes, skus.values)


def _contacts(rows: Frame, *, order: bool) -> Frame:
    """Sessions or orders with what both have; an order has no conversation and no channel."""
    n = rows.n
    none = Texts(np.zeros(n, np.int32), (None,))
    frame = Frame(
        {
            "agent_id": none,
            "waiting": np.zeros(n, bool),
            "contact": np.full(n, not order),
            "order": np.full(n, order),
        },
        n=n,
    )
    if order:
        return frame.having(
            conversation=np.full(n, -1, np.int64),
            session_no=np.zeros(n, np.int64),
            # An order is in no segment: these are of who asked.
            customer=np.full(n, NOBODY),
            at_ms=rows.numbers("at_ms"),
            team_id=none,
            channel=none,
            labels=Texts(none.codes, ("",)),
        )
    same = ("conversation", "session_no", "customer", "at_ms", "team_id", "channel", "labels")
    return frame.making(**{name: partial(rows.columns.__getitem__, name) for name in same})


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
    return visits.select(places_by(visits.numbers("at_ms"), partial(session_keys, visits)))


def _inquiries(scope: Scope, sessions: Visits) -> _Inquiries:
    """As ``_find_inquiries``, once for all that a report asks."""
    found: _Inquiries = sessions.once("inquiries", lambda: _find_inquiries(scope, sessions))
    return found


def _find_inquiries(scope: Scope, sessions: Visits) -> _Inquiries:
    """The sessions of a scope and those around it, with the orders that belong to them.

    An order belongs to the last human reply that its shopper got in a pre-sale session before they
    paid, and to no other.
    """
    visits = sessions.around("visit", *_VISIT)
    # What other shoppers did in the time around changes nothing.
    inside = within(visits, scope.from_ms, scope.to_ms).numbers("customer")
    buyers_of = Members(sessions.customers_of(sessions.persons(inside)))
    visits = visits.select(buyers_of.maybe(visits.numbers("customer")))
    persons = sessions.persons(visits.numbers("customer"))
    answers = _Answers(sessions)
    first = int(visits.numbers("at_ms").min(initial=scope.as_of_ms)) - AFTER_ORDER_MS
    last = max(int(visits.numbers("anchor_ms").max(initial=0)), answers.latest_ms)
    last = min(scope.as_of_ms, last + MAX_DELAY_MS)
    orders = _paid(sessions, first, last + 1, buyers=buyers_of)
    line = TimeLine(persons, first, scope.as_of_ms)
    buyers = line.ranks(orders.numbers("person"))
    paid = line.of(buyers, orders.numbers("at_ms"))
    order = places_by(paid, lambda: orders.numbers("seq"))
    order = order[buyers[order] >= 0]
    orders, paid = orders.select(order), paid[order]
    ranks = line.ranks(persons)
    begun = line.of(ranks, visits.numbers("at_ms"))
    in_order = places_by(begun, partial(session_keys, visits))
    visits, ranks, begun = visits.select(in_order), ranks[in_order], begun[in_order]
    next_paid = np.searchsorted(paid, begun)
    # The one before is of somebody else, or longer ago; the line begins early enough for that.
    presale = np.append(paid, -1)[next_paid - 1] < begun - AFTER_ORDER_MS
    presale &= ~_is_after_sale(visits)
    # To whom each order belongs.
    asked = visits.having(rank=ranks, next_paid=next_paid).select(presale)
    replies = answers.deciding(asked, line, paid)
    said = replies.numbers("said")
    place = np.searchsorted(said, paid, side="right") - 1
    belongs = place >= 0
    belongs[belongs] &= line.same(said[place[belongs]], paid[belongs])
    belongs[belongs] &= paid[belongs] - said[place[belongs]] <= MAX_DELAY_MS
    chosen, reply = np.flatnonzero(belongs), place[belongs]
    sold = Frame(
        {
            "order": chosen,
            "visit": np.flatnonzero(presale)[replies.numbers("visit")[reply]],
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


class _Answers:
    """The replies that people gave in the sessions of a scope and those around it.

    To whom an order belongs mostly follows from the last reply of each session, which the session
    tells. All replies are looked at only of shoppers who ordered before the last one, whose last
    ones came at once, or whose replies are not in the order of their times.
    """

    def __init__(self, sessions: Visits) -> None:
        sessions.wide.read("answer", *_ANSWER)
        self._rows = rows = sessions.wide.unfiltered("answer")
        chats, ends = rows.numbers("conversation"), rows.numbers("end_at_ms")
        odd = ends < rows.numbers("at_ms")
        # Those of a session follow each other.
        odd[1:] |= (chats[1:] == chats[:-1]) & (ends[1:] < ends[:-1])
        self._odd = different(chats[odd])
        of_odd = ends[Members(self._odd).among(chats)] if len(self._odd) else ends[:0]
        self.latest_ms = int(of_odd.max(initial=0))

    def deciding(self, visits: Frame, line: TimeLine, paid: Numbers) -> Frame:
        """The replies of sessions that decide to whom orders belong, in the order of the line.

        ``visit`` is the place of the session, ``said`` that of the reply on the line. Sessions have
        their ``rank`` on the line, and the ``next_paid`` order.
        """
        ranks, served = visits.numbers("rank"), visits.numbers("served")
        last = line.of(ranks, visits.numbers("anchor_ms"))
        unclear = visits.numbers("next_paid") != np.searchsorted(paid, last)
        unclear |= Members(repeated(last[served])).among(last)
        unclear |= Members(self._odd).among(visits.numbers("conversation"))
        in_full = Members(ranks[unclear & served]).among(ranks)
        single = np.flatnonzero(served & ~in_full)
        lasts = Frame(
            {"visit": single, "said": last[single], "agent_id": visits.texts("agent_id")[single]}
        )
        replies = Frame.joined([lasts, self._of(visits, in_full, line)])
        return replies.select(places_by(replies.numbers("said")))

    def _of(self, visits: Frame, chosen: Numbers, line: TimeLine) -> Frame:
        """All replies of some sessions, in the order of the log."""
        visits = visits.having(visit=np.arange(visits.n)).select(chosen)
        visits = visits.select(np.argsort(session_keys(visits)))
        chats = Members(visits.numbers("conversation"))
        rows = self._rows.select(chats.maybe(self._rows.numbers("conversation")))
        rows = rows.select(rows.numbers("answer"))
        keys, own = session_keys(visits), session_keys(rows)
        places = search(keys, own)
        known = np.append(keys, -1)[places] == own
        rows, places = rows.select(known), places[known]
        in_order = np.argsort(rows.numbers("seq"))
        rows, visits = rows.select(in_order), visits.select(places[in_order])
        said = line.of(visits.numbers("rank"), rows.numbers("end_at_ms"))
        return Frame(
            {"visit": visits.numbers("visit"), "said": said, "agent_id": rows.texts("agent_id")}
        )


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
    of_order = search(known, returned.numbers("number"))
    back = returned.numbers("amount_minor")
    total = np.zeros(len(known), np.int64)
    np.add.at(total, of_order, np.maximum(0, back))
    whole = np.zeros(len(known), bool)
    whole[of_order[back < 0]] = True
    places = np.minimum(search(known, numbers), len(known) - 1)
    some = known[places] == numbers
    given = np.where(whole[places], amounts, total[places])
    return np.where(some, amounts - given, amounts)


def _paid(
    sessions: Visits, from_ms: int | None, to_ms: int | None, *, buyers: Members | None = None
) -> Frame:
    """The orders that were paid in a time, each once, as it was told first; with ``person``.

    With ``buyers`` those of others may be left out.
    """
    columns = sessions.conversations.columns
    columns.read("paid", _ORDER, columns.days("paid", from_ms, to_ms))
    frame = sessions.log.orders(from_ms, to_ms, columns=columns)
    if buyers is not None:
        # Told first of somebody else, an order is that one's.
        frame = frame.select(buyers.maybe(frame.numbers("customer")))
    return frame.having(person=sessions.persons(frame.numbers("customer")))
