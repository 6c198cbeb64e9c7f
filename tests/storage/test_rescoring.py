"""New limits while orders come, after a fall in the middle, and only when it is time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any  # Any: handed on

import pytest
from sqlalchemy import insert, select, update

from server.actions.take_orders import take_orders
from server.domain.shop_data import Order
from server.domain.spans import DAY_MS, HOUR_MS
from server.jobs import profiles as jobs
from server.storage import rescoring, thresholds
from server.storage.customers import CUSTOMER
from server.storage.database import Clock, Database
from server.storage.orders import SHOP_ORDER
from server.storage.profiles import PROFILE, SEGMENT_CHANGE, Profile, load_profile, recompute
from server.storage.shop import Shop, insert_shop, load_shop, update_shop
from server.storage.shop_sources import Source, insert_source
from server.storage.unit import Tx

# 04:00 in the shop's zone.
START_MS = 20_000 * DAY_MS + 4 * HOUR_MS
SOURCE = Source(name="shop", kind="file", customer_ids="shop", created_at_ms=0)


class Time:
    """A clock of the test's own."""

    def __init__(self) -> None:
        self.at_ms = START_MS

    def __call__(self) -> float:
        return self.at_ms / 1000


@pytest.fixture
def time() -> Time:
    """The clock, at the start."""
    return Time()


@pytest.fixture
def shop(open_database: Callable[..., Database], time: Time) -> Database:
    """An empty shop in UTC that sells in euros."""
    database = open_database(clock=Clock(time))
    database.write_now(
        lambda tx: insert_shop(
            tx, Shop(name="S", locale="en", timezone="UTC", currency="EUR", site_key="s")
        )
    )
    database.write_now(partial(insert_source, source=SOURCE))
    return database


def order(customer: int, *, days: int = 0, at_ms: int = START_MS, **more: Any) -> Order:
    """A paid order of 10.00, so many days before the start."""
    created = at_ms - days * DAY_MS
    key = f"{customer}-{created}-{more.get('total_minor', 0)}"
    values: dict[str, Any] = {"total_minor": 1000, "currency": "EUR"} | more
    return Order(
        external_id=key,
        number=key,
        customer=f"c{customer}",
        created_at_ms=created,
        paid_at_ms=created,
        **values,
    )


def take(database: Database, *orders: Order, imported: bool = True) -> None:
    """Takes orders in one transaction."""
    database.write_now(partial(take_orders, source=SOURCE, orders=orders, imported=imported))


def many(buyers: int = 210) -> list[Order]:
    """A shop of so many buyers with a year behind it; the first bought last and most."""
    return [
        order(number, days=1 + number, total_minor=100_000 - 100 * number)
        for number in range(buyers)
    ] + [order(buyers - 1, days=400)]


def profile(database: Database, customer: int) -> Profile:
    """The profile of a customer."""
    statement = select(CUSTOMER.c.id).where(CUSTOMER.c.external_id == f"c{customer}")
    return database.read_now(lambda c: load_profile(c, str(c.execute(statement).scalar_one())))


def changes(database: Database) -> list[tuple[str, ...]]:
    """Cause, segment and activity before and after, of every change."""
    c = SEGMENT_CHANGE.c
    columns = (c.cause, c.segment_from, c.segment_to, c.activity_from, c.activity_to)
    statement = select(*columns).order_by(c.at_ms, c.id)
    return database.read_now(lambda x: [tuple(row) for row in x.execute(statement)])


def is_due(database: Database) -> bool:
    """Whether it is time for new limits."""
    return database.read_now(partial(rescoring.is_due, at_ms=database.clock()))


def test_a_profile_has_every_column_in_its_place() -> None:
    assert list(Profile._fields) == [column.name for column in PROFILE.columns]


def test_the_first_order_makes_a_buyer_of_a_prospect(shop: Database) -> None:
    take(shop, order(1), imported=False)
    found = profile(shop, 1)
    assert (found.orders, found.net_minor, found.activity_stage) == (1, 1000, "new")
    assert changes(shop) == [("order", "prospects", found.segment, "prospect", "new")]
    assert found.staged_at_ms == START_MS


def test_what_was_brought_in_later_is_no_news(shop: Database) -> None:
    take(shop, *many())
    rescoring.rebuild(shop)
    assert changes(shop) == []
    assert profile(shop, 0).staged_at_ms is None


def test_who_is_joined_with_others_is_not_new_once_more(shop: Database) -> None:
    take(shop, order(1), imported=False)
    bought = profile(shop, 1)
    browser: dict[str, Any] = dict.fromkeys(c.name for c in CUSTOMER.columns)
    browser |= {"id": "b", "external_id": "c2", "identity": "claimed"}
    browser |= {"created_at_ms": START_MS, "seen_at_ms": START_MS}

    def regroup(tx: Tx, *, top: str | None) -> None:
        where = update(CUSTOMER).where(CUSTOMER.c.id == bought.person_id)
        tx.connection.execute(where.values(person_id=top))
        recompute(tx, [bought.person_id, "b"], regrouped=True)

    shop.write_now(lambda tx: tx.later(insert(CUSTOMER), browser))
    shop.write_now(partial(regroup, top="b"))
    assert profile(shop, 2).orders == 1
    shop.write_now(partial(regroup, top=None))
    assert profile(shop, 1).segment == bought.segment
    assert changes(shop) == [("order", "prospects", bought.segment, "prospect", "new")]


def test_a_refund_of_all_leaves_a_prospect_who_remembers_it(shop: Database) -> None:
    take(shop, order(1), imported=False)
    take(shop, order(1, refunded_minor=1000, refunded_at_ms=START_MS), imported=False)
    found = profile(shop, 1)
    assert (found.orders, found.segment, found.next_flip_day) == (0, "prospects", None)
    assert (found.gross_minor, found.refunded_minor, found.refund_share) == (1000, 1000, 1.0)


def test_a_rebuild_freezes_new_limits_and_labels_everybody(shop: Database) -> None:
    take(shop, *many())
    first = shop.read_now(thresholds.current_limits)
    assert first is not None
    done = rescoring.rebuild(shop)
    limits = shop.read_now(thresholds.current_limits)
    assert limits is not None
    assert done is not None
    assert (limits.version, done.version, done.persons) == (first.version + 1,) * 2 + (210,)
    assert not limits.provisional
    assert (profile(shop, 0).r, profile(shop, 0).m, profile(shop, 0).top20) == (5, 5, True)
    assert (profile(shop, 150).r, profile(shop, 150).top20) == (2, False)
    again = rescoring.rebuild(shop)
    assert again is not None
    assert (again.written, again.drifted) == (0, 0)


def test_an_order_moves_its_customer_within_frozen_limits(shop: Database) -> None:
    take(shop, *many())
    rescoring.rebuild(shop)
    before = shop.read_now(thresholds.current_limits)
    assert profile(shop, 200).segment == "hibernating"
    take(shop, order(200, total_minor=900_000), imported=False)
    assert (profile(shop, 200).r, profile(shop, 200).top20) == (5, True)
    assert changes(shop)[-1][:3] == ("order", "hibernating", "potential_loyalist")
    assert shop.read_now(thresholds.current_limits) == before


def test_an_order_in_the_middle_of_a_rebuild_is_not_written_over(shop: Database) -> None:
    take(shop, *many())
    orders = iter([order(5, total_minor=7_000)])
    original = shop.write_now

    def write(job: Any) -> Any:
        # The first write freezes the limits: everybody has been read, nobody has been labelled.
        answer = original(job)
        if (late := next(orders, None)) is not None:
            original(partial(take_orders, source=SOURCE, orders=[late], imported=False))
        return answer

    shop.write_now = write  # type: ignore[method-assign]  # an order comes after the first write
    try:
        rescoring.rebuild(shop)
    finally:
        shop.write_now = original  # type: ignore[method-assign]  # as it was
    assert profile(shop, 5).orders == 2
    assert shop.read_now(lambda c: list(rescoring.drift(c, at_ms=shop.clock()))) == []


def test_a_rebuild_that_falls_is_no_drift_and_is_taken_up_again(
    shop: Database, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "READ_AT_ONCE", 50)
    take(shop, *many())
    rescoring.rebuild(shop)
    time.at_ms += DAY_MS
    take(shop, *(order(n, at_ms=time.at_ms, total_minor=2) for n in range(100, 180)))

    class Fallen(Exception):
        """The process ends here."""

    def fall(done: int, _total: int) -> None:
        if done:
            raise Fallen

    with pytest.raises(Fallen):
        rescoring.rebuild(shop, tell=fall)
    assert not is_due(shop)
    assert shop.read_now(lambda c: list(rescoring.drift(c, at_ms=shop.clock()))) == []
    time.at_ms += rescoring.SPACED_MS
    assert is_due(shop)
    assert rescoring.rebuild(shop) is not None
    assert shop.read_now(thresholds.are_labelled)


def test_two_who_rebuild_at_once_write_one_version(shop: Database) -> None:
    take(shop, *many())
    look = shop.read_now(partial(rescoring._look, at_ms=shop.clock(), tell=rescoring._quiet))
    assert look is not None
    assert shop.write_now(partial(rescoring._add, look=look))
    assert not shop.write_now(partial(rescoring._add, look=look))


def test_what_is_wrong_is_found_named_and_mended(shop: Database) -> None:
    take(shop, *many())
    rescoring.rebuild(shop)
    wrong = profile(shop, 3)
    gone = profile(shop, 4)
    statement = update(PROFILE).where(PROFILE.c.person_id == wrong.person_id)
    shop.write_now(lambda tx: tx.later(statement.values(net_minor=1, segment="loyal")))
    shop.write_now(
        lambda tx: tx.later(PROFILE.delete().where(PROFILE.c.person_id == gone.person_id))
    )
    found = dict(shop.read_now(lambda c: list(rescoring.drift(c, at_ms=shop.clock()))))
    assert found == {
        wrong.person_id: "net_minor is 1, not 99700, segment is 'loyal', not 'new'",
        gone.person_id: "there is no row",
    }
    done = rescoring.rebuild(shop)
    assert done is not None
    assert (done.written, done.drifted) == (2, 2)
    assert (profile(shop, 3).net_minor, profile(shop, 4).orders) == (99_700, 1)


def test_a_row_without_orders_is_dropped(shop: Database) -> None:
    take(shop, *many())
    person = profile(shop, 3).person_id
    shop.write_now(
        lambda tx: tx.later(SHOP_ORDER.delete().where(SHOP_ORDER.c.customer_id == person))
    )
    assert shop.read_now(rescoring.stale_rows) == [person]
    rescoring.rebuild(shop)
    assert shop.read_now(rescoring.stale_rows) == []
    assert profile(shop, 3) == Profile(person)


async def test_time_flips_a_stage_on_its_day_and_once(shop: Database, time: Time) -> None:
    take(shop, order(1), imported=False)
    found = profile(shop, 1)
    assert found.next_flip_day == 20_000 + 61
    time.at_ms += 60 * DAY_MS
    await jobs.flip_stages(shop)
    assert profile(shop, 1).activity_stage == "new"
    time.at_ms += DAY_MS
    await jobs.flip_stages(shop)
    found = profile(shop, 1)
    assert (found.activity_stage, found.quiet, found.staged_at_ms) == ("dormant", True, time.at_ms)
    assert found.next_flip_day == 20_000 + 181
    time.at_ms += 200 * DAY_MS
    await jobs.flip_stages(shop)
    found = profile(shop, 1)
    assert (found.relationship_stage, found.next_flip_day) == ("ended", None)
    assert [change[0] for change in changes(shop)] == ["order", "time", "time"]


async def test_many_flip_some_at_a_time(shop: Database, time: Time) -> None:
    take(shop, *many(rescoring.RECOMPUTED + 5))
    time.at_ms += 1000 * DAY_MS
    await jobs.flip_stages(shop)
    assert not shop.read_now(partial(rescoring.any_due, at_ms=shop.clock()))
    assert profile(shop, 1).activity_stage == "lost"


async def test_limits_are_new_every_night_and_when_much_has_changed(
    shop: Database, time: Time
) -> None:
    assert not is_due(shop)
    take(shop, order(1, days=2))
    time.at_ms += 1
    take(shop, *many())
    assert not is_due(shop)
    time.at_ms += rescoring.SPACED_PROVISIONAL_MS
    assert is_due(shop)
    await jobs.rescore(shop)
    assert not is_due(shop)
    time.at_ms += rescoring.SPACED_MS
    take(shop, *(order(n, total_minor=1 + n) for n in range(4)))
    assert not is_due(shop)
    take(shop, order(9, total_minor=5))
    assert is_due(shop)
    await jobs.rescore(shop)
    # The next night, but not before three.
    time.at_ms += DAY_MS - 2 * HOUR_MS
    assert not is_due(shop)
    time.at_ms += HOUR_MS
    assert is_due(shop)
    await jobs.rescore(shop)
    assert not is_due(shop)
    limits = shop.read_now(thresholds.current_limits)
    assert limits is not None
    assert limits.day == 20_001
    versions = "SELECT version FROM thresholds ORDER BY version DESC LIMIT 2"
    latest = shop.read_now(lambda c: c.exec_driver_sql(versions).scalars().all())
    assert latest == [limits.version, limits.version - 1]


def test_a_large_import_is_followed_by_new_limits_at_once(shop: Database, time: Time) -> None:
    assert rescoring.refresh(shop) is None
    take(shop, order(1, days=2))
    assert rescoring.refresh(shop) is None
    time.at_ms += 1
    take(shop, *many())
    done = rescoring.refresh(shop)
    assert done is not None
    assert done.persons == 210


def test_who_came_back_is_looked_up_once_a_week(shop: Database, time: Time) -> None:
    take(shop, *(order(n, days=200) for n in range(250)), *(order(n, days=9) for n in range(100)))
    rescoring.rebuild(shop)
    table = shop.read_now(thresholds.current_returns)
    limits = shop.read_now(thresholds.current_limits)
    assert table is not None
    assert limits is not None
    assert (table.people, table.back) == (250, 100)
    made = shop.read_now(thresholds.returns_at_ms)
    time.at_ms += DAY_MS
    rescoring.rebuild(shop)
    assert shop.read_now(thresholds.returns_at_ms) == made
    time.at_ms += 7 * DAY_MS
    rescoring.rebuild(shop)
    assert shop.read_now(thresholds.returns_at_ms) == time.at_ms


def test_a_shop_that_moves_has_other_days_and_other_money(shop: Database) -> None:
    late = 20_000 * DAY_MS - HOUR_MS
    take(shop, order(1, at_ms=late), order(2, at_ms=late, currency="GBP"))
    assert (profile(shop, 1).last_day, profile(shop, 2).orders) == (19_999, 0)

    def move(tx: Tx) -> None:
        moved = load_shop(tx.connection)
        assert moved is not None
        update_shop(tx, replace(moved, timezone="Asia/Shanghai", currency="GBP"))

    shop.write_now(move)
    assert is_due(shop)
    done = rescoring.rebuild(shop)
    assert done is not None
    assert (done.written, done.drifted) == (2, 0)
    assert (profile(shop, 1).orders, profile(shop, 2).last_day) == (0, 20_000)
    assert not is_due(shop)
