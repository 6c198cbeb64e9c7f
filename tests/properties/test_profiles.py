"""The laws of profiles: a row is what the orders say, whatever came in whatever order."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any  # Any: what a strategy draws

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from server.actions import identity
from server.actions.identity import Merge, Unmerge
from server.actions.take_orders import take_orders
from server.domain.actors import Actor
from server.domain.errors import AppError
from server.domain.segment import SEGMENTS, VALUE_CELLS
from server.domain.shop_data import Order
from server.domain.spans import DAY_MS
from server.reports.profiles import profile_rows
from server.storage import rescoring
from server.storage.customers import CUSTOMER
from server.storage.links import undoable
from server.storage.profiles import Profile, profiles_of
from server.storage.shop_sources import Source, insert_source
from tests.actions.scene import Scene

# Real databases: few long examples tell more than many short ones.
LAW = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SHOP = Source(name="shop", kind="file", customer_ids="shop", created_at_ms=0)
SENIOR = Actor("agent", "senior", role="supervisor")

ORDERS = st.lists(
    st.tuples(
        st.integers(0, 7),  # customer
        st.integers(0, 900),  # days ago
        st.sampled_from((0, 500, 500, 1200, 9_900)),  # total
        st.sampled_from(("paid", "paid", "paid", "unpaid", "test", "cancelled", "back", "part")),
    ),
    max_size=40,
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(0, 7), st.integers(0, 400), st.integers(1, 9)),
        st.tuples(st.just("refund"), st.integers(0, 9), st.just(0), st.just(0)),
        st.tuples(st.just("cancel"), st.integers(0, 9), st.just(0), st.just(0)),
        st.tuples(st.just("pass"), st.sampled_from((1, 3, 40, 100)), st.just(0), st.just(0)),
        st.tuples(st.just("merge"), st.integers(0, 7), st.integers(0, 7), st.just(0)),
        st.tuples(st.just("undo"), st.integers(0, 3), st.just(0), st.just(0)),
        st.tuples(st.just("rebuild"), st.just(0), st.just(0), st.just(0)),
    ),
    min_size=5,
    max_size=25,
)


def begin(scene: Scene) -> None:
    """An empty shop with a source of orders."""
    scene.begin()
    scene.database.write_now(partial(insert_source, source=SHOP))


def told(scene: Scene, number: int, drawn: tuple[int, int, int, str]) -> Order:
    """An order as it was drawn."""
    customer, days, total, state = drawn
    at_ms = scene.time.at_ms - days * DAY_MS
    refunded = {"back": total, "part": total // 2}.get(state, 0)
    return Order(
        external_id=f"o{number}",
        number=f"o{number}",
        customer=f"c{customer}",
        created_at_ms=at_ms,
        paid_at_ms=None if state == "unpaid" else at_ms,
        cancelled_at_ms=at_ms + 1 if state == "cancelled" else None,
        refunded_minor=refunded,
        refunded_at_ms=at_ms + 5 * DAY_MS if refunded else None,
        total_minor=total,
        currency="CNY",
        test=state == "test",
    )


def take(scene: Scene, *orders: Order) -> None:
    """Takes orders in one transaction."""
    scene.database.write_now(partial(take_orders, source=SHOP, orders=orders, imported=False))


def profiles(scene: Scene) -> dict[str, Profile]:
    """Every stored profile."""
    return scene.database.read_now(
        lambda c: profiles_of(c, list(c.execute(select(CUSTOMER.c.id)).scalars()))
    )


def drift(scene: Scene) -> list[tuple[str, str]]:
    """What is not as the orders say."""
    return scene.database.read_now(lambda c: list(rescoring.drift(c, at_ms=scene.database.clock())))


def exported(scene: Scene, *, as_of: str | None = None) -> list[dict[str, Any]]:  # Any: values
    """The rows of an export."""
    return scene.database.read_now(
        partial(profile_rows, now_ms=scene.database.clock(), as_of=as_of)
    )


@LAW
@given(STEPS)
def test_what_is_kept_up_is_what_a_rebuild_makes(
    scene: Scene, steps: list[tuple[str, int, int, int]]
) -> None:
    begin(scene)
    known: list[Order] = []
    for step in steps:
        _do(scene, known, step)
        assert drift(scene) == []
    while scene.database.write_now(rescoring.flip_due):
        pass
    assert drift(scene) == []
    kept = profiles(scene)
    rescoring.rebuild(scene.database)
    rebuilt = profiles(scene)
    assert kept.keys() == rebuilt.keys()
    for person, profile in kept.items():
        # New limits may give new labels; sums and stages follow from orders and clocks.
        assert profile[:12] == rebuilt[person][:12]
    again = rescoring.rebuild(scene.database)
    assert again is None or (again.written, again.drifted) == (0, 0)


def _do(scene: Scene, known: list[Order], step: tuple[str, int, int, int]) -> None:
    what, first, second, third = step
    if what == "order":
        known.append(told(scene, len(known), (first, second, 300 * third, "paid")))
        take(scene, known[-1])
    elif what in ("refund", "cancel") and known:
        place = first % len(known)
        order = known[place]
        at_ms = scene.time.at_ms
        if what == "refund":
            known[place] = replace(order, refunded_minor=order.total_minor, refunded_at_ms=at_ms)
        else:
            known[place] = replace(order, cancelled_at_ms=at_ms)
        take(scene, known[place])
    elif what == "pass":
        scene.time.pass_s(first * DAY_MS / 1000)
        if first == 3:
            while scene.database.write_now(rescoring.flip_due):
                pass
    elif what == "rebuild":
        rescoring.rebuild(scene.database)
    elif what in ("merge", "undo"):
        _link(scene, what, first, second)


def _link(scene: Scene, what: str, first: int, second: int) -> None:
    try:
        if what == "merge":
            ids = [
                scene.database.read_now(partial(_customer, name=f"c{n}")) for n in (first, second)
            ]
            if None not in ids:
                payload = Merge(customer_id=str(ids[0]), other_id=str(ids[1]))
                scene.database.write_now(partial(identity.merge, actor=SENIOR, payload=payload))
        else:
            links = scene.database.read_now(undoable)
            if links:
                payload_ = Unmerge(link_id=links[first % len(links)].id)
                scene.database.write_now(partial(identity.unmerge, actor=SENIOR, payload=payload_))
    except AppError:
        # Who may be joined is for the tests of identity to say.
        return


def _customer(connection: Connection, *, name: str) -> str | None:
    statement = select(CUSTOMER.c.id).where(CUSTOMER.c.external_id == name)
    return connection.execute(statement).scalar_one_or_none()


@LAW
@given(ORDERS, st.randoms(use_true_random=False))
def test_the_order_in_which_orders_are_told_changes_nothing(
    scene: Scene, drawn: list[tuple[int, int, int, str]], chance: Any
) -> None:
    begin(scene)
    orders = [told(scene, number, order) for number, order in enumerate(drawn)]
    take(scene, *orders)
    once = exported(scene)
    begin(scene)
    chance.shuffle(orders)
    for start in range(0, len(orders), 7):
        take(scene, *orders[start : start + 7])
    assert exported(scene) == once
    take(scene, *orders)
    assert exported(scene) == once


@LAW
@given(ORDERS, ORDERS)
def test_what_was_told_later_changes_no_day_before_it(
    scene: Scene,
    drawn: list[tuple[int, int, int, str]],
    later: list[tuple[int, int, int, str]],
) -> None:
    begin(scene)
    as_of = "2024-11-01"
    orders = [told(scene, number, order) for number, order in enumerate(drawn)]
    at_ms = scene.time.at_ms - 365 * DAY_MS
    take(scene, *(order for order in orders if order.created_at_ms < at_ms))
    once = exported(scene, as_of=as_of)
    take(scene, *orders)
    more = [told(scene, 100 + number, order) for number, order in enumerate(later)]
    take(scene, *(order for order in more if order.created_at_ms > at_ms))
    assert exported(scene, as_of=as_of) == once


@LAW
@given(ORDERS)
def test_everybody_is_in_one_segment_and_one_cell(
    scene: Scene, drawn: list[tuple[int, int, int, str]]
) -> None:
    begin(scene)
    take(scene, *(told(scene, number, order) for number, order in enumerate(drawn)))
    rows = exported(scene)
    assert [row["customer_id"] for row in rows] == sorted({f"c{order[0]}" for order in drawn})
    buyers = [row for row in rows if row["orders"]]
    for row in rows:
        assert row["segment"] in SEGMENTS
        assert (row["segment"] == "prospects") == (row["orders"] == 0)
        assert (row["value_cell"] in VALUE_CELLS) == (row["orders"] > 0)
        assert (row["activity_stage"] == "prospect") == (row["relationship_stage"] == "none")
    assert sum(row["top20"] for row in rows) == -(-len(buyers) // 5)
