"""Segments kept as columns say at every moment just what the tables say, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, update

from server.actions import identity
from server.actions.consents import SetConsent, set_consent
from server.actions.identity import Merge, Unmerge
from server.actions.privacy import OfPerson, erase_customer
from server.actions.take_orders import take_orders
from server.domain.actors import SYSTEM
from server.domain.errors import AppError
from server.domain.shop_data import Order
from server.domain.spans import DAY_MS
from server.jobs.segment_columns import keep_segments_now
from server.reports.by_segment import Segments
from server.reports.verify import verify
from server.storage import segment_columns
from server.storage.customers import CUSTOMER
from server.storage.facts import number_of
from server.storage.persons import person_of
from server.storage.profiles import PROFILE, SEGMENT_CHANGE, refused_profiling
from server.storage.rescoring import flip_due, rebuild
from server.storage.segment_columns import Rewrite, next_rewrite, write_segments
from server.storage.segment_marks import MARK
from server.storage.shop_sources import Source, insert_source
from server.storage.thresholds import current_limits
from server.storage.unit import Tx
from tests.actions.scene import Scene

SHOP = Source(name="shop", kind="file", customer_ids="shop", created_at_ms=0)
SHOPPERS = 4
NOTES = select(func.count()).select_from(MARK)
Asked = dict[tuple[str, int], str | None]


def said_by_the_tables(connection: Connection, customer_id: str, at_ms: int) -> str | None:
    """What a customer was in at an instant, read row by row."""
    person_id = person_of(connection, customer_id)
    if current_limits(connection) is None or person_id in refused_profiling(connection):
        return None
    c = SEGMENT_CHANGE.c
    of_person = select(c.at_ms, c.segment_from, c.segment_to).where(c.person_id == person_id)
    changes = connection.execute(of_person.order_by(c.at_ms, c.id)).all()
    now = select(PROFILE.c.segment).where(PROFILE.c.person_id == person_id)
    segment = connection.execute(now).scalar() or "prospects"
    segment = changes[0].segment_from if changes else segment
    for change in changes:
        segment = change.segment_to if change.at_ms <= at_ms else segment
    return str(segment)


def instants(connection: Connection) -> list[int]:
    """Those around every change, later ones first, so that earlier ones are asked for last."""
    times = connection.execute(select(SEGMENT_CHANGE.c.at_ms).distinct()).scalars()
    return sorted({0, 2**42, *(at + step for at in times for step in (-1, 0, 1))}, reverse=True)


def both_ways(connection: Connection) -> tuple[Asked, Asked]:
    """What each customer was in at each instant: by the columns, and by the tables."""
    segments = Segments(connection, 2**41)
    ids = connection.execute(select(CUSTOMER.c.id)).scalars().all()
    numbers = np.array([number_of(key) for key in ids], np.int64)
    quick: Asked = {}
    for at_ms in instants(connection):
        found = segments.of_customers(numbers, np.full(len(ids), at_ms)).tolist()
        quick |= {(key, at_ms): one for key, one in zip(ids, found, strict=True)}
    return quick, {key: said_by_the_tables(connection, *key) for key in quick}


class Months:
    """A shop whose customers order, are joined, parted, erased and say what they think of it.

    Another process has the same database open.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.beside = scene.open()
        self.lead = scene.person("lea", role="supervisor")
        scene.database.write_now(partial(insert_source, source=SHOP))
        self.shoppers = []
        for number in range(SHOPPERS):
            # The eldest is the person of those who are joined.
            scene.time.pass_s(1)
            self.shoppers.append(shopper := scene.shopper())
            name = update(CUSTOMER).where(CUSTOMER.c.id == shopper.id)
            name = name.values(external_id=f"c{number}")
            scene.database.write_now(partial(Tx.later, statement=name))
        self.orders = 0
        self.links: list[str] = []
        self.looks: list[Rewrite | None] = []

    def order(self, number: int, *, days_ago: int = 0, imported: bool = False) -> None:
        self.orders += 1
        at_ms = self.scene.time.at_ms - days_ago * DAY_MS
        told = Order(
            external_id=str(self.orders),
            number=str(self.orders),
            customer=f"c{number}",
            created_at_ms=at_ms,
            paid_at_ms=at_ms,
            currency="CNY",
            total_minor=1000 * self.orders,
        )
        job = partial(take_orders, source=SHOP, orders=[told], imported=imported)
        self.beside.write_now(job)

    def wait(self, days: int) -> None:
        self.scene.time.pass_s(86_400 * days)
        self.scene.database.write_now(flip_due)

    def rescore(self) -> None:
        rebuild(self.scene.database)

    def merge(self, one: int, other: int) -> None:
        payload = Merge(customer_id=self.id(one), other_id=self.id(other))
        self.links.append(self.scene.do(identity.merge, self.lead, payload)["link_id"])

    def part(self) -> None:
        if self.links:
            self.scene.do(identity.unmerge, self.lead, Unmerge(link_id=self.links.pop()))

    def agree(self, number: int, *, to: bool) -> None:
        said = SetConsent(purposes={"profiling": to}, text_version="1", language="en")
        self.scene.do(set_consent, self.shoppers[number], said)

    def erase(self, number: int) -> None:
        payload = OfPerson(customer_id=self.id(number))
        self.scene.database.write_now(lambda tx: erase_customer(tx, SYSTEM, payload))

    def keep(self) -> None:
        keep_segments_now(self.scene.database)

    def look(self) -> None:
        """Begins to write the columns, as a process that is slow to go on."""
        self.looks.append(self.beside.read_now(partial(next_rewrite, enough=1)))

    def go_on(self) -> None:
        for look in self.looks:
            if look is not None:
                self.beside.write_now(partial(write_segments, rewrite=look))
        self.looks.clear()

    def id(self, number: int) -> str:
        return str(self.shoppers[number].id)


def disagreement(months: Months) -> dict[tuple[str, int], tuple[str | None, str | None]]:
    """Where columns and tables do not say the same, in either process."""
    found: dict[tuple[str, int], tuple[str | None, str | None]] = {}
    for database in (months.scene.database, months.beside):
        quick, plain = database.read_now(both_ways)
        found |= {key: (quick[key], plain[key]) for key in quick if quick[key] != plain[key]}
    return found


@pytest.fixture
def months(scene: Scene) -> Months:
    """The shop with customers who bought long ago, all of them in the columns."""
    made = Months(scene)
    for number in range(2):
        made.order(number, days_ago=90)
    made.wait(1)
    made.order(0)
    made.keep()
    return made


Step = Callable[[Months], object]


@pytest.mark.parametrize(
    ("earlier", "step"),
    [
        pytest.param((), lambda months: months.order(1), id="order"),
        pytest.param((), lambda months: months.order(2, days_ago=50, imported=True), id="import"),
        pytest.param(
            (lambda months: months.order(2, imported=True),),
            lambda months: (months.scene.time.pass_s(300 * 86_400), months.rescore()),
            id="limits",
        ),
        pytest.param((), lambda months: months.merge(0, 1), id="merge"),
        pytest.param((), lambda months: months.merge(0, 3), id="merge with who never bought"),
        pytest.param((lambda months: months.merge(0, 3),), Months.part, id="part"),
        pytest.param((), lambda months: months.agree(0, to=False), id="refusal"),
        pytest.param(
            (lambda months: months.agree(0, to=False),),
            lambda months: months.agree(0, to=True),
            id="consent",
        ),
        pytest.param((), lambda months: months.erase(0), id="erasure"),
    ],
)
def test_what_changes_a_segment_is_seen_at_once_by_every_process(
    months: Months, earlier: Sequence[Step], step: Step
) -> None:
    for one in earlier:
        one(months)
    months.keep()
    before = months.beside.read_now(both_ways)[1]
    step(months)
    assert disagreement(months) == {}
    after = months.beside.read_now(both_ways)[1]
    assert {key: after.get(key) for key in before} != before
    months.keep()
    assert months.scene.database.read_now(lambda c: c.scalar(NOTES)) == 0
    assert disagreement(months) == {}
    assert months.scene.database.read_now(lambda c: list(segment_columns.differences(c))) == []


def test_who_is_written_while_the_columns_are_made_stays_noted(months: Months) -> None:
    months.order(1)
    months.look()
    months.order(1, days_ago=3)
    months.look()
    months.agree(0, to=False)
    late, later = months.looks
    assert late is not None
    assert later is not None
    assert months.scene.database.write_now(partial(write_segments, rewrite=late))
    assert disagreement(months) == {}
    # Of the same columns only one can be the next.
    assert not months.beside.write_now(partial(write_segments, rewrite=later))
    assert disagreement(months) == {}
    assert months.scene.database.read_now(lambda c: c.scalar(NOTES)) != 0


def test_a_report_that_began_before_a_change_goes_on_without_it(months: Months) -> None:
    def read(connection: Connection) -> None:
        before = both_ways(connection)
        months.order(1)
        months.keep()
        assert both_ways(connection) == before

    months.beside.read_now(read)
    assert disagreement(months) == {}


def test_columns_of_an_older_make_are_made_again(
    months: Months, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_columns, "SHAPE", segment_columns.SHAPE + 1)
    months.order(1)
    assert disagreement(months) == {}
    assert keep_segments_now(months.scene.database)
    assert not keep_segments_now(months.scene.database)
    assert disagreement(months) == {}


def test_notes_are_taken_in_where_nobody_has_bought(scene: Scene) -> None:
    months = Months(scene)
    keep = partial(keep_segments_now, scene.database, enough=2)
    months.agree(0, to=False)
    assert not keep()
    months.agree(1, to=False)
    assert keep()
    assert scene.database.read_now(lambda c: c.scalar(NOTES)) == 0
    months.order(0)
    months.order(2)
    assert disagreement(months) == {}


def test_verify_tells_of_a_segment_that_nobody_noted(months: Months) -> None:
    database = months.scene.database
    assert database.read_now(lambda c: list(verify(c))) == []
    database.write_now(lambda tx: tx.later(update(SEGMENT_CHANGE).values(segment_to="loyal")))
    assert any(d.of_segments for d in database.read_now(lambda c: list(verify(c))))
    assert disagreement(months) != {}
    months.look()
    database.write_now(segment_columns.forget_segments)
    assert disagreement(months) == {}
    # Who was at it takes up nothing of what was wrong.
    months.go_on()
    assert keep_segments_now(database)
    assert disagreement(months) == {}
    assert database.read_now(lambda c: list(verify(c))) == []


which = st.integers(0, SHOPPERS - 1)
STEPS: st.SearchStrategy[Callable[[Months], None]] = st.one_of(
    which.map(lambda n: lambda months: months.order(n)),
    st.tuples(which, st.sampled_from((1, 40, 400)), st.booleans()).map(
        lambda t: lambda months: months.order(t[0], days_ago=t[1], imported=t[2])
    ),
    st.sampled_from((1, 35, 200)).map(lambda days: lambda months: months.wait(days)),
    st.just(Months.rescore),
    st.tuples(which, which).map(lambda pair: lambda months: months.merge(*pair)),
    st.just(Months.part),
    st.tuples(which, st.booleans()).map(lambda t: lambda months: months.agree(t[0], to=t[1])),
    which.map(lambda n: lambda months: months.erase(n)),
    st.just(Months.keep),
    st.just(Months.look),
    st.just(Months.go_on),
)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
def test_columns_and_tables_say_the_same_after_every_step(
    scene: Scene, steps: list[Callable[[Months], None]]
) -> None:
    scene.begin()
    months = Months(scene)
    months.order(0, days_ago=90)
    months.keep()
    for step in steps:
        try:
            step(months)
        except AppError:
            # Nobody is joined with themselves, or erased twice.
            continue
        assert disagreement(months) == {}
    assert scene.database.read_now(lambda c: list(segment_columns.differences(c))) == []
