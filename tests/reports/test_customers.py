"""The figures about customers, held against orders counted by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import insert

from server.actions.take_orders import take_orders, take_shop_customers
from server.domain.actors import customer
from server.domain.errors import NotFound
from server.domain.shop_data import Line, Order, ShopCustomer
from server.domain.spans import DAY_MS
from server.reports import segments
from server.reports.offers import offer_report, offers_csv
from server.reports.persona import persona, persona_csv
from server.reports.segments import SegmentReport, flows_of, segment_report
from server.storage.offers import OFFER
from server.storage.profiles import SEGMENT_CHANGE
from server.storage.shop import Shop, load_shop
from server.storage.shop_sources import source_for_import
from server.storage.unit import Tx
from tests.actions.conftest import opener, scene
from tests.actions.scene import Scene

__all__ = ["opener", "scene"]


class Told:
    """A shop whose customers ordered on days before today."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.numbers = 0

    @property
    def at_ms(self) -> int:
        return self.scene.time.at_ms

    def take(self, orders: list[Order]) -> None:
        self.scene.database.write_now(
            lambda tx: take_orders(tx, source_for_import(tx, None), orders, imported=True)
        )

    def order(self, customer: str | None, days_ago: int, total_minor: int, *skus: str) -> Order:
        self.numbers += 1
        at_ms = self.at_ms - days_ago * DAY_MS
        return Order(
            external_id=f"o{self.numbers}",
            number=f"#{self.numbers}",
            created_at_ms=at_ms,
            paid_at_ms=at_ms,
            currency="CNY",
            total_minor=total_minor,
            customer=customer,
            lines=tuple(
                Line(title=sku.title(), category="Things", quantity=1, price_minor=100, sku=sku)
                for sku in skus
            ),
        )

    def shop(self) -> Shop:
        found = self.scene.database.read_now(load_shop)
        assert found is not None
        return found

    def report(self, weeks: int = 4) -> SegmentReport:
        return self.scene.database.read_now(
            partial(segment_report, shop=self.shop(), at_ms=self.at_ms, weeks=weeks)
        )


@pytest.fixture
def told(scene: Scene) -> Told:
    """Five buyers: one brings most; one bought long ago; a guest; one who never bought."""
    told = Told(scene)
    told.take(
        [
            told.order("best", 40, 50_000, "lamp", "bulb"),
            told.order("best", 5, 40_000, "lamp"),
            told.order("twice", 30, 2_000, "mug"),
            told.order("twice", 20, 3_000, "mug"),
            told.order("once", 10, 2_500, "mug"),
            told.order("long", 400, 1_500, "rug"),
            told.order("also", 12, 1_000, "rug"),
            told.order(None, 3, 9_999, "rug"),
        ]
    )
    never = ShopCustomer(external_id="never", email="never@mail.example")
    scene.database.write_now(
        lambda tx: take_shop_customers(tx, source_for_import(tx, None), [never])
    )
    return told


def test_every_way_to_divide_customers_counts_each_of_them_once(told: Told) -> None:
    report = told.report()
    assert report.whole.customers == 6
    assert report.whole.orders == 7
    assert report.whole.net_minor == 100_000
    for name, groups in report.groups.items():
        counted = sum(group.customers for group in groups)
        assert counted == (5 if name == "cell" else 6), name
        assert sum(group.net_minor for group in groups) == 100_000, name
    activity = {group.id: group.customers for group in report.groups["activity"]}
    assert activity == {"prospect": 1, "new": 2, "active": 2, "dormant": 0, "lost": 1}


def test_the_best_fifth_brings_what_it_brings(told: Told) -> None:
    curve = told.report().curve
    assert curve.buyers == 5
    assert curve.top_buyers == 1
    assert curve.top_share == pytest.approx(0.9)
    assert curve.shares == pytest.approx([0.0, 0.9, 0.95, 0.975, 0.99, 1.0])


def test_the_funnel_says_how_far_customers_came(told: Told) -> None:
    report = told.report()
    assert [(step.id, step.customers) for step in report.funnel.steps] == [
        ("known", 6),
        ("ordered", 5),
        ("again", 2),
        ("active", 2),
    ]
    assert [step.customers for step in report.newcomers.steps] == [5, 4, 2, 2]


def test_contacts_are_told_beside_orders_of_the_same_days(told: Told) -> None:
    best = told.scene.database.read_now(
        lambda c: c.exec_driver_sql(
            "SELECT id FROM customer WHERE external_id = 'best'"
        ).scalar_one()
    )
    told.scene.chat(customer(str(best)))
    told.scene.chat()  # an anonymous visitor is nobody's segment
    whole = told.report().whole
    assert (whole.contacts, whole.recent_orders) == (1, 6)
    assert whole.contacts_per_order is None, "six orders are too few for a ratio"


def _change(told: Told, days_ago: int, before: str, after: str, cause: str = "time") -> None:
    told.numbers += 1
    values = {
        "id": f"change{told.numbers}",
        "person_id": "p",
        "at_ms": told.at_ms - days_ago * DAY_MS,
        "cause": cause,
        "segment_from": "loyal",
        "segment_to": "at_risk",
        "activity_from": before,
        "activity_to": after,
        "relationship_from": "stable",
        "relationship_to": "declining",
    }
    told.scene.database.write_now(lambda tx: tx.later(insert(SEGMENT_CHANGE), values))


def test_moves_are_counted_by_local_week_and_new_limits_move_nobody(told: Told) -> None:
    _change(told, 0, "active", "dormant")
    _change(told, 0, "dormant", "active", "order")
    _change(told, 0, "active", "lost", "thresholds")
    _change(told, 8, "active", "dormant")
    _change(told, 60, "active", "dormant")
    flows = told.scene.database.read_now(
        lambda c: flows_of(c, "Asia/Shanghai", at_ms=told.at_ms, weeks=2)
    )
    assert flows.moves["activity"] == {("active", "dormant"): 2, ("dormant", "active"): 1}
    assert flows.moves["relationship"] == {("stable", "declining"): 3}
    last = flows.weeks[-1]
    assert last.monday.isoweekday() == 1
    assert last.entered == {"dormant": 1, "active": 1, "returned": 1}
    assert flows.weeks[0].entered == {"dormant": 1}


def test_the_face_of_a_stage_says_what_they_buy_and_when(told: Told) -> None:
    found = told.scene.database.read_now(
        partial(
            persona,
            shop=told.shop(),
            grouping="activity",
            group="active",
            at_ms=told.at_ms,
            locale="en",
        )
    )
    assert found.averages.buyers == 2
    assert found.averages.orders == 2
    assert found.averages.net_minor == 47_500
    products = {one.name: (one.count, one.share) for one in found.products}
    assert products == {"Lamp": (2, 0.5), "Mug": (2, 0.5), "Bulb": (1, 0.25)}
    assert sum(found.order_hours.values()) == 4
    rows = list(csv.reader(io.StringIO(persona_csv(found, "CNY"))))
    assert ["average", "net_spend", "", "475.00", "CNY"] in rows
    assert ["product", "Lamp", "2", "0.5000", ""] in rows


def test_a_face_is_there_for_who_never_bought_and_for_no_unknown_group(told: Told) -> None:
    ask = partial(persona, shop=told.shop(), at_ms=told.at_ms, locale="zh")
    found = told.scene.database.read_now(lambda c: ask(c, grouping="segment", group="prospects"))
    assert (found.sampled, found.averages.buyers) == (1, 0)
    for grouping, group in (("segment", "nobody"), ("nothing", "loyal")):
        with pytest.raises(NotFound):
            told.scene.database.read_now(
                lambda c, a=grouping, b=group: ask(c, grouping=a, group=b)  # type: ignore[misc]  # bound now
            )


@pytest.mark.parametrize(
    ("write", "head"),
    [
        (segments.segments_csv, "grouping"),
        (segments.flows_csv, "grouping"),
        (segments.curve_csv, "customer_share"),
        (segments.funnel_csv, "customers"),
    ],
)
def test_files_say_the_same_as_the_page(
    told: Told, write: Callable[[SegmentReport], str], head: str
) -> None:
    _change(told, 0, "active", "dormant")
    rows = list(csv.reader(io.StringIO(write(told.report()))))
    assert rows[0][0] == head
    assert len({len(row) for row in rows}) == 1
    assert len(rows) > 1


def test_an_empty_shop_has_a_report_too(scene: Scene) -> None:
    report = Told(scene).report()
    assert report.whole.customers == 0
    assert report.curve.shares == [0.0]
    assert report.curve.top_share is None


def test_offers_are_counted_by_occasion_product_and_agent(told: Told) -> None:
    told.scene.person("mei")

    def offered(tx: Tx) -> None:
        for number, (kind, accepted) in enumerate(
            [("hint", True), ("hint", False), ("price", True)]
        ):
            values = {
                "id": f"f{number}",
                "conversation_id": "c",
                "customer_id": "x",
                "message_id": "m",
                "agent_id": "mei",
                "sku": "lamp",
                "title": "Lamp",
                "kind": kind,
                "offered_at_ms": told.at_ms - DAY_MS,
                "accepted_at_ms": told.at_ms if accepted else None,
            }
            tx.later(insert(OFFER), values)

    told.scene.database.write_now(offered)
    ask = partial(offer_report, at_ms=told.at_ms, days=30)
    report = told.scene.database.read_now(ask)
    assert (report.whole.offered, report.whole.accepted, report.whole.ordered) == (3, 2, 0)
    assert [(one.key, one.offered) for one in report.kinds] == [
        ("hint", 2),
        ("price", 1),
        ("card", 0),
    ]
    assert [(one.name, one.accepted) for one in report.agents] == [("Mei", 2)]
    assert "product,lamp,Lamp,3,2,0,0.00,CNY" in offers_csv(report, "CNY")


def test_no_product_becomes_a_formula_in_a_spreadsheet(told: Told) -> None:
    told.take([told.order("evil", 1, 5_000, "=cmd()")])
    found = told.scene.database.read_now(
        partial(
            persona,
            shop=told.shop(),
            grouping="activity",
            group="new",
            at_ms=told.at_ms,
            locale="en",
        )
    )
    written = persona_csv(found, "CNY")
    assert "product,'=Cmd()" in written
    assert ",=" not in written
