"""What shoppers thought and ordered, rule by rule, on logs told by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any  # Any: options handed on

import pytest

from server.domain.metrics import Figures, metric_of
from server.reports.rows import ReportRow, figures, report
from server.reports.scope import Scope
from server.storage.database import Database
from tests.reports.stories import DAY, HOUR, MINUTE, Story, at_ms

Tell = Callable[[Story], Database]
AMY, BO, CAI = "amy", "bo", "cai"
LATER = 400 * DAY


def scope(as_of: float = LATER, **options: Any) -> Scope:
    return Scope(timezone="Asia/Shanghai", as_of_ms=at_ms(as_of), **options)


def figure(database: Database, metric: str, as_of: float = LATER, **options: Any) -> Figures:
    found = partial(figures, scope=scope(as_of, **options))
    return database.read_now(lambda connection: found(connection).of(metric_of(metric)))


def share(database: Database, metric: str, as_of: float = LATER, **options: Any) -> tuple[Any, Any]:
    found = figure(database, metric, as_of, **options)
    return found.numerator, found.denominator


def by(database: Database, metric: str, dimension: str = "agent") -> dict[str | None, ReportRow]:
    rows = database.read_now(partial(report, metric_ids=[metric], scope=scope(), by=dimension))
    return {row.group: row for row in rows}


def test_a_rating_is_of_who_replied_most_not_of_who_held_the_chat(story: Tell) -> None:
    told = Story().served(0, "c", "k", AMY)
    told.lines.pop()
    told.ask(2 * MINUTE, "c", "k").reply(3 * MINUTE, "c", AMY)
    told.tell(4 * MINUTE, "assignment.changed", {"from": AMY, "to": BO}, chat="c", who=AMY)
    told.ask(5 * MINUTE, "c", "k").reply(6 * MINUTE, "c", BO)
    told.tell(7 * MINUTE, "assignment.changed", {"from": BO, "to": CAI}, chat="c", who=BO)
    told.resolve(8 * MINUTE, "c", CAI).rate(9 * MINUTE, "c", 5)
    assert set(by(story(told), "csat")) == {AMY}


def test_of_as_many_replies_the_agent_with_more_messages_counts_then_the_last(story: Tell) -> None:
    told = Story().ask(0, "c", "k").accept(1, "c", AMY).reply(2, "c", AMY).reply(3, "c", AMY)
    told.ask(4, "c", "k").reply(5, "c", BO).reply(6, "c", BO, visibility="private")
    told.resolve(7, "c", BO).rate(8, "c", 2)
    told.ask(100, "d", "m").reply(101, "d", BO).ask(102, "d", "m").reply(103, "d", CAI)
    told.resolve(104, "d", CAI).rate(105, "d", 4)
    assert {group: row.value for group, row in by(story(told), "csat").items()} == {AMY: 0, CAI: 1}


def test_the_last_rating_of_a_session_counts_and_an_earlier_report_knows_the_first(
    story: Tell,
) -> None:
    told = Story().served(0, "c", "k", AMY).rate(HOUR, "c", 1).rate(2 * HOUR, "c", 5, again=True)
    database = story(told)
    assert share(database, "csat") == (1, 1)
    assert share(database, "csat", 90 * MINUTE) == (0, 1)
    assert share(database, "csat", 30 * MINUTE) == (0, 0)


def test_mean_score_and_what_the_silent_could_have_said_stand_apart(story: Tell) -> None:
    told = Story()
    for number, score in enumerate((5, 4, 2, None)):
        told.served(number * HOUR, f"c{number}", f"k{number}", AMY)
        told.ask_rating(number * HOUR + 700, f"c{number}")
        if score:
            told.rate(number * HOUR + 800, f"c{number}", score)
    found = figure(story(told), "csat")
    assert (found.numerator, found.denominator) == (2, 3)
    assert found.score == pytest.approx(11 / 3)
    assert found.bounds == (2 / 4, 3 / 4)
    assert found.asides["score_2"] == 1


def test_response_rate_counts_asked_and_rated_under_the_same_filters(story: Tell) -> None:
    told = Story()
    for number, agent in enumerate((AMY, AMY, BO)):
        told.served(number * HOUR, f"c{number}", f"k{number}", agent)
        told.ask_rating(number * HOUR + 700, f"c{number}")
    told.rate(800, "c0", 5)
    database = story(told)
    rows = by(database, "csat_rr")
    assert {key: (row.numerator, row.denominator) for key, row in rows.items()} == {
        AMY: (1, 2),
        BO: (0, 1),
    }
    assert share(database, "csat_invite") == (3, 3)


def test_who_was_just_asked_is_not_yet_silent(story: Tell) -> None:
    told = Story().served(0, "c", "k", AMY).ask_rating(700, "c")
    told.served(0, "d", "m", AMY).ask_rating(700, "d").rate(900, "d", 3)
    database = story(told)
    young = figure(database, "csat_rr", 71 * HOUR)
    assert (young.numerator, young.denominator, young.n_open) == (1, 1, 1)
    ripe = figure(database, "csat_rr", 73 * HOUR)
    assert (ripe.numerator, ripe.denominator, ripe.n_open) == (1, 2, 0)


def test_an_order_belongs_to_the_last_reply_before_its_payment_only(story: Tell) -> None:
    told = Story().served(0, "c", "k", AMY).served(2 * HOUR, "d", "k", BO)
    told.pay(3 * HOUR, "o1", "k").served(20 * DAY, "e", "n", CAI)
    database = story(told)
    rows = by(database, "inq_conv_24h")
    assert {key: (row.numerator, row.denominator) for key, row in rows.items()} == {
        AMY: (0, 1),
        BO: (1, 1),
        CAI: (0, 1),
    }
    assert set(by(database, "aov_chat")) == {BO}


def test_an_order_told_twice_counts_once_however_much_is_asked_at_once(story: Tell) -> None:
    told = Story().served(0, "c", "k", AMY).served(40 * DAY, "d", "m", BO)
    told.pay(2 * DAY, "o1", "k", 300).pay(41 * DAY, "o1", "k", 500).pay(41 * DAY, "o2", "m", 700)
    database = story(told)

    def orders(first: int, last: int) -> tuple[int, int | None]:
        times = {"from_ms": at_ms(first * DAY), "to_ms": at_ms(last * DAY)}
        told = figure(database, "contact_per_order", **times).asides["orders"]
        return told, figure(database, "aov_chat", **times).numerator

    assert orders(-1, 60) == (2, 1_000)
    assert orders(-1, 10) == (1, 300)
    # Who asks of the later time only knows nothing of the earlier one.
    assert orders(39, 60) == (2, 700)


def test_a_reply_after_the_payment_takes_nothing(story: Tell) -> None:
    told = Story().ask(0, "c", "k").accept(1, "c", AMY).reply(60, "c", AMY)
    told.pay(600, "o1", "k").ask(700, "c", "k").reply(800, "c", BO).resolve(900, "c", BO)
    assert set(by(story(told), "aov_chat")) == {AMY}


def test_of_replies_at_one_instant_the_order_belongs_to_the_last_in_the_log(story: Tell) -> None:
    told = Story()
    for buyer, (first, second) in {"k": (AMY, BO), "m": (BO, CAI)}.items():
        one, other = f"{buyer}1", f"{buyer}2"
        told.ask(0, one, buyer).accept(1, one, first).ask(2, other, buyer).accept(3, other, second)
        told.reply(60, other, second).ask(70, other, buyer)
        told.reply(80, other, second).reply(80, one, first).pay(600, f"{buyer}-order", buyer)
    assert set(by(story(told), "aov_chat")) == {AMY, BO}


def test_an_order_amid_two_chats_belongs_to_the_last_reply_of_either(story: Tell) -> None:
    told = Story().ask(0, "c", "k").accept(1, "c", AMY).ask(2, "d", "k").accept(3, "d", BO)
    told.reply(60, "d", BO).ask(70, "d", "k").reply(80, "c", AMY).pay(90, "o1", "k")
    told.reply(100, "d", BO).pay(110, "o2", "k", 5_000).ask(120, "c", "k").reply(130, "c", CAI)
    rows = by(story(told), "aov_chat")
    assert {key: row.numerator for key, row in rows.items()} == {AMY: 10_000, BO: 5_000}


@pytest.mark.parametrize(
    ("hours_before", "counts"), [(23, False), (25, True)], ids=["just bought", "bought before"]
)
def test_who_has_just_bought_does_not_inquire_before_a_sale(
    story: Tell, hours_before: int, counts: bool
) -> None:
    told = Story().pay(0, "o1", "k").served(hours_before * HOUR, "c", "k", AMY)
    assert share(story(told), "inq_conv_24h") == (0, int(counts))


def test_a_tag_of_after_sale_takes_a_session_out(story: Tell) -> None:
    told = Story().served(0, "c", "k", AMY)
    told.tell(300, "conversation.tagged", {"add": ["售后 after sale"]}, chat="c", who=AMY)
    told.pay(HOUR, "o1", "k")
    database = story(told)
    assert share(database, "inq_conv_24h") == (0, 0)
    assert figure(database, "aov_chat").value is None


def test_a_test_and_spam_are_left_out_of_all_outcomes(story: Tell) -> None:
    told = Story()
    for chat in ("c", "d"):
        told.served(0, chat, chat, AMY).ask_rating(650, chat).rate(700, chat, 5)
    told.tell(300, "conversation.tagged", {"add": ["test"]}, chat="c", who=AMY)
    told.tell(900, "conversation.status_changed", {"status": "spam"}, chat="d", who=AMY)
    database = story(told)
    for metric in ("csat", "csat_rr", "inq_conv_24h", "repeat_1d", "contact_per_order", "aht"):
        assert figure(database, metric).n == 0, metric


def test_a_session_counts_once_its_time_is_over(story: Tell) -> None:
    database = story(Story().served(0, "c", "k", AMY).pay(HOUR, "o1", "k"))
    young = figure(database, "inq_conv_24h", DAY)
    assert (young.n, young.n_open, young.value) == (0, 1, None)
    ripe = figure(database, "inq_conv_24h", DAY + MINUTE)
    assert (ripe.n, ripe.n_open, ripe.value) == (1, 0, 1.0)


@pytest.mark.parametrize(("hours", "inside"), [(24, True), (25, False)])
def test_the_span_ends_at_its_last_millisecond(story: Any, hours: int, inside: bool) -> None:
    told = Story().served(0, "c", "k", AMY).pay(MINUTE + hours * HOUR, "o1", "k")
    assert share(story(told), "inq_conv_24h") == (int(inside), 1)


def test_beside_who_was_served_stands_who_was_not_and_nothing_is_called_a_cause(
    story: Tell,
) -> None:
    told = Story()
    for number in range(4):
        told.served(number * HOUR, f"c{number}", f"k{number}", AMY)
        told.ask(number * HOUR, f"m{number}", f"n{number}")
    told.pay(5 * HOUR, "o1", "k0").pay(5 * HOUR, "o2", "k1").pay(5 * HOUR, "o3", "n0")
    found = figure(story(told), "inq_conv_24h")
    assert (found.numerator, found.denominator) == (2, 4)
    assert found.baseline is not None
    assert (found.baseline.numerator, found.baseline.denominator) == (1, 4)
    assert found.difference is not None
    assert found.difference[0] == pytest.approx(0.25)
    assert found.difference[1] < 0 < found.difference[2]
    words = metric_of("inq_conv_24h").definition
    assert "associated" in words.en
    assert "not caused" in words.en
    assert "不代表由客服促成" in words.zh


def test_sales_are_net_of_refunds_by_buyer_and_currency(story: Tell) -> None:
    told = Story()
    for number in range(3):
        told.served(number * HOUR, f"c{number}", f"k{number}", AMY)
    told.pay(2 * HOUR, "o0", "k0", 30_000).pay(2.1 * HOUR, "o1", "k0", 10_000)
    told.pay(3 * HOUR, "o2", "k1", 20_000).pay(4 * HOUR, "o3", "k2", 9_900, currency="USD")
    told.tell(2 * DAY, "order.refunded", {"order_id": "o0", "amount_minor": 5_000}, customer="k0")
    told.tell(2 * DAY, "order.cancelled", {"order_id": "o2"}, customer="k1")
    told.pay(6 * DAY, "late", "k0", 77_700)
    database = story(told)
    rows = database.read_now(partial(report, metric_ids=["aov_chat"], scope=scope()))
    found = {row.filters["currency"]: (row.value, row.numerator, row.denominator) for row in rows}
    assert found == {"CNY": ("175.00", 35_000, 2), "USD": ("99.00", 9_900, 1)}
    before = figure(database, "aov_chat", DAY)
    assert (before.value, before.numerator) == (30_000, 60_000)


def test_a_first_order_is_no_repeat_and_a_second_is(story: Tell) -> None:
    told = Story()
    told.pay(-40 * DAY, "a1", "a").served(0, "ca", "a", AMY).pay(DAY, "a2", "a")
    told.served(0, "cb", "b", AMY).pay(DAY, "b1", "b")
    told.served(0, "cc", "c", AMY).pay(DAY, "c1", "c").pay(2 * DAY, "c2", "c")
    told.pay(-DAY, "d1", "d").served(0, "cd", "d", AMY).pay(95 * DAY, "d2", "d")
    told.pay(-DAY, "m1", "m").ask(0, "cm", "m").pay(DAY, "m2", "m").ask(0, "cn", "n")
    # Served twice: once is enough.
    told.served(5 * DAY, "ca2", "a", BO)
    found = figure(story(told), "repeat_90d")
    assert (found.numerator, found.denominator) == (2, 4)
    assert found.baseline is not None
    assert (found.baseline.numerator, found.baseline.denominator) == (1, 2)


def test_contacts_per_order_and_orders_followed_by_a_contact(story: Tell) -> None:
    told = Story().pay(0, "o1", "a").pay(0, "o2", "b").pay(HOUR, "o3", "b")
    told.ask(10 * DAY, "ca", "a").ask(31 * DAY, "cb", "b").ask(-DAY, "cc", "c")
    database = story(told)
    found = figure(database, "contact_per_order")
    assert (found.numerator, found.denominator, found.value, found.n) == (3, 3, 1.0, 3)
    linked = figure(database, "contact_per_order_linked")
    assert (linked.numerator, linked.denominator) == (1, 3)
    assert figure(database, "contact_per_order_linked", 29 * DAY).n_open == 3


def test_a_merged_shopper_is_one_person(story: Tell) -> None:
    from sqlalchemy import update

    from server.storage.customers import CUSTOMER

    told = Story().served(0, "c", "browser", AMY).pay(HOUR, "o1", "account")
    database = story(told)
    assert share(database, "inq_conv_24h") == (0, 1)

    def merge(tx: Any) -> None:
        named = dict(
            tx.connection.execute(
                CUSTOMER.select().with_only_columns(CUSTOMER.c.external_id, CUSTOMER.c.id)
            ).all()
        )
        tx.execute(
            update(CUSTOMER)
            .where(CUSTOMER.c.id == named["browser"])
            .values(person_id=named["account"], merged_into=named["account"], merged_as="session")
        )

    database.write_now(merge)
    assert share(database, "inq_conv_24h") == (1, 1)


@pytest.mark.parametrize("name", ["inq_conv_0h", "inq_conv_721h", "repeat_366d", "inq_conv_24d"])
def test_spans_that_make_no_sense_are_no_metrics(name: str) -> None:
    from server.domain.errors import InvalidInput

    with pytest.raises(InvalidInput):
        metric_of(name)


def test_any_sensible_span_is_a_metric() -> None:
    assert metric_of("inq_conv_48h").id == "inq_conv_48h"
    assert metric_of("repeat_30d").unit == "ratio"
