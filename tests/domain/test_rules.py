"""What a rule may say, what its clauses mean, and what it looks at."""

from __future__ import annotations

from typing import Any  # Any: JSON values

import pytest

from server.domain import conditions
from server.domain.conditions import All, Between, In, Is, Not
from server.domain.errors import InvalidInput
from server.domain.events import (
    ConversationOpened,
    ConversationStatusChanged,
    Event,
    EventData,
    MessagePosted,
    TicketStateChanged,
)
from server.domain.rule_fields import (
    ACTIONS,
    EVENTS,
    FIELDS,
    OPS,
    TIMES,
    fields_with,
    own_field,
)
from server.domain.rules import (
    Cause,
    Clause,
    Group,
    Plan,
    Rule,
    Trigger,
    When,
    customer_condition,
    held_back,
    holds,
    judge,
    looks_at,
    plan_json,
    read_plan,
    runs_away,
    stored_clauses,
    wanted_kinds,
)
from server.domain.ticket_types import FIELD_KINDS, TYPES

Json = dict[str, Any]  # Any: JSON values
NOTE = {"do": "note", "text": "Look"}


def plan(**parts: Any) -> Json:  # Any: JSON values
    return {"name": "A rule", "on": {"events": ["customer_wrote"]}, "then": [NOTE]} | parts


def asks(name: str, op: str, *values: Any) -> Json:  # Any: JSON values
    clause = {"field": name, "op": op, "values": list(values)}
    return {"when": {"groups": [{"clauses": [clause]}]}}


REFUSED: list[tuple[Any, str]] = [  # Any: JSON values
    ("a rule", "rule_plan"),
    (plan(on=None), "rule_trigger"),
    (plan(on={"events": []}), "rule_trigger"),
    (plan(on={"events": ["nothing"]}), "rule_trigger"),
    (plan(on={"events": ["order_paid", "rated"]}), "rule_mixed"),
    (plan(on={"time": "waiting", "minutes": 0}), "rule_minutes"),
    (plan(on={"time": "waiting", "minutes": True}), "rule_minutes"),
    (plan(on={"time": "waiting"}), "rule_minutes"),
    (plan(then=[]), "rule_actions"),
    (plan(then=[{"do": "fly"}]), "rule_actions"),
    (plan(then=[{"do": "note", "text": " "}]), "rule_param"),
    (plan(then=[{"do": "post_message"}]), "rule_param"),
    (plan(then=[{"do": "set_priority", "priority": "huge"}]), "rule_param"),
    (plan(then=[{"do": "snooze", "minutes": "soon"}]), "rule_param"),
    (plan(then=[{"do": "add_tag", "tags": "vip"}]), "rule_param"),
    (plan(then=[{"do": "close"}]), "rule_param"),
    (plan(on={"events": ["order_paid"]}), "rule_action_place"),
    (plan(when="always"), "rule_groups"),
    (plan(when={"groups": ["x"]}), "rule_groups"),
    (plan(**asks("nothing", "in", "x")), "rule_field"),
    (plan(**asks("message.text", "min", 1)), "rule_field"),
    (plan(**asks("message.text", "has")), "rule_value"),
    (plan(**asks("ticket.state", "in", "asleep")), "rule_value"),
    (plan(**asks("conversation.rating", "max", "two")), "rule_value"),
    (plan(**asks("shop.open", "is", "yes")), "rule_value"),
    (
        plan(on={"events": ["chat_begins"]}, **asks("ticket.priority", "in", "high")),
        "rule_field_place",
    ),
]


@pytest.mark.parametrize(("values", "reason"), REFUSED)
def test_what_makes_no_sense_is_refused_by_name(values: object, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_plan(values)
    assert refused.value.details["reason"] == reason


def test_a_rule_needs_a_name_and_is_read_back_as_it_was_written() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_plan(plan(name="  "))
    assert refused.value.details["field"] == "name"
    told = read_plan(
        plan(
            on={"time": "cart_abandoned", "minutes": 30},
            then=[{"do": "post_message", "zh": "您好"}],
            **asks("cart.total_minor", "min", 100),
        )
    )
    assert read_plan(plan_json(told)) == told
    assert told.trigger.on == {"cart"}
    kept = plan_json(told)["when"]["groups"][0]["clauses"]
    assert stored_clauses([*kept, {"field": "gone"}]) == told.when.clauses
    assert stored_clauses(None) == ()


HOLDS: list[tuple[str, tuple[Any, ...], Any, bool]] = [  # Any: values of fields
    ("in", ("vip",), ("new", "vip"), True),
    ("in", ("vip",), "vip", True),
    ("not_in", ("vip",), (), True),
    ("not_in", ("vip",), None, False),
    ("has", ("REFUND",), "my refund", True),
    ("has", ("退款",), ("你好", "我要退款"), True),
    ("has_not", ("退款",), "你好", True),
    ("min", (3,), 3, True),
    ("max", (3,), 4, False),
    ("is", (False,), False, True),
    ("is", (True,), False, False),
    ("is", (False,), None, False),
]


@pytest.mark.parametrize(("op", "values", "value", "held"), HOLDS)
def test_what_a_clause_means(op: Any, values: Any, value: Any, *, held: bool) -> None:
    assert holds(Clause("any", op, values), value) is held


def test_who_refused_to_be_worked_out_is_on_neither_side() -> None:
    segments = conditions.FIELDS["segment"].choices
    loyal = Clause("customer.segment", "not_in", ("loyal",))
    assert customer_condition(loyal) == All(
        (Not(In("segment", ("loyal",))), In("segment", segments))
    )
    ordinary = Clause("customer.top20", "is", (False,))
    assert customer_condition(ordinary) == All((Is("top20", yes=False), In("segment", segments)))
    # What is no such label needs no more.
    assert customer_condition(Clause("customer.tag", "not_in", ("a",))) == Not(In("tag", ("a",)))
    assert customer_condition(Clause("customer.tag", "in", ("a",))) == In("tag", ("a",))
    assert customer_condition(Clause("customer.orders", "min", (2,))) == Between("orders", low=2)
    assert customer_condition(Clause("customer.orders", "max", (2,))) == Between("orders", high=2)
    assert customer_condition(Clause("customer.known", "is", (True,))) == Is("known")


def test_groups_are_joined_as_they_say_and_customers_are_asked_last() -> None:
    one, two = Clause("ticket.type", "in", ("a",)), Clause("customer.orders", "min", (1,))
    asked: list[Clause] = []

    def nothing(clause: Clause) -> bool:
        asked.append(clause)
        return False

    assert not judge(When("all", (Group("all", (two, one)),)), nothing).matched
    assert asked == [one]
    either = When("any", (Group("all", (one,)), Group("any", (two,))))
    verdict = judge(either, lambda clause: clause == two)
    assert (verdict.matched, verdict.because) == (True, (two,))
    assert judge(When(), nothing).matched


def test_a_rule_looks_forward_at_what_people_here_did() -> None:
    rule = _rule("customer_wrote", "reopened", "ticket_state", since_ms=100)
    wrote = MessagePosted(message_id="m")
    assert looks_at(rule, _event(wrote))
    assert not looks_at(rule, _event(wrote, at_ms=99))
    assert not looks_at(rule, _event(wrote, imported=True))
    assert not looks_at(rule, _event(wrote, actor="bot"))
    assert not looks_at(rule, _event(MessagePosted(message_id="m", origin="auto")))
    assert not looks_at(rule, _event(ConversationStatusChanged(status="open", previous="snoozed")))
    assert looks_at(rule, _event(ConversationStatusChanged(status="open", previous="resolved")))
    assert looks_at(rule, _event(TicketStateChanged(to="open", from_="resolved")))
    assert not looks_at(rule, _event(TicketStateChanged(to="new")))
    assert not looks_at(_rule("chat_begins"), _event(ConversationOpened(), channel="ticket"))
    assert looks_at(_rule("chat_begins"), _event(ConversationOpened()))
    assert wanted_kinds([rule]) == {
        "message.posted",
        "conversation.status_changed",
        "ticket.state_changed",
    }


def test_a_rule_is_held_back_where_it_would_not_end() -> None:
    cause = Cause((("a", "x"),))
    assert held_back("a", "x", cause, lately=0) == "again"
    assert held_back("a", "y", cause, lately=0) is None
    assert held_back("b", "x", cause, lately=30) == "rate"
    deep = Cause(tuple((str(number), "x") for number in range(5)))
    assert held_back("b", "x", deep, lately=0) == "depth"
    assert (runs_away(49), runs_away(50)) == (False, True)


def test_the_tables_fit_together() -> None:
    for on in [*(one.on for one in EVENTS.values()), *(one.on for one in TIMES.values())]:
        assert any(field.on & on for field in FIELDS.values())
        assert any(action.on & on for action in ACTIONS.values())
    assert {field.kind for field in FIELDS.values()} <= {*OPS}


def _rule(*events: str, since_ms: int = 0) -> Rule:
    return Rule("r", 1, Plan("R", Trigger(events), When(), ()), since_ms=since_ms)


def _event(
    data: EventData,
    *,
    at_ms: int = 200,
    actor: Any = "customer",  # Any: a literal
    channel: str = "chat",
    imported: bool = False,
) -> Event:
    return Event(
        seq=1,
        event_id="e1",
        at_ms=at_ms,
        data=data,
        actor_kind=actor,
        actor_id=None,
        conversation_id="c",
        channel=channel,
        imported=imported,
    )


RETURN = "ticket.field.return.reason"


@pytest.mark.parametrize(
    ("name", "op", "given", "kept"),
    [
        (RETURN, "in", ["damaged", "damaged"], ("damaged",)),
        ("ticket.field.price.quote", "min", [12_50], (1250,)),
        ("ticket.field.price.valid_until", "days_max", [-3], (-3,)),
        ("ticket.field.price.valid_until", "since", ["2026-11-22"], ("2026-11-22",)),
        ("ticket.field.visit.technician", "has_not", ["Lin"], ("Lin",)),
        (RETURN, "empty", None, (True,)),
    ],
)
def test_a_field_of_a_ticket_type_is_asked_as_its_kind_is(
    name: str,
    op: str,
    given: Any,  # Any: JSON values
    kept: tuple[Any, ...],  # Any: JSON values
) -> None:
    clause = {"field": name, "op": op, "values": given}
    values = plan(on={"events": ["ticket_created"]}, when={"groups": [{"clauses": [clause]}]})
    [read] = read_plan(values).when.clauses
    assert read.values == kept
    assert read_plan(plan_json(read_plan(values))) == read_plan(values)


@pytest.mark.parametrize(
    ("name", "op", "given"),
    [
        (RETURN, "fits", ["x"]),
        ("ticket.field.return", "in", ["x"]),
        ("ticket.field.price.quote", "min", ["12.50"]),
        ("ticket.field.price.valid_until", "until", ["tomorrow"]),
        ("ticket.field.price.valid_until", "days_min", ["soon"]),
    ],
)
def test_what_makes_no_sense_of_such_a_field_is_refused(
    name: str,
    op: str,
    given: list[Any],  # Any: JSON values
) -> None:
    clause = {"field": name, "op": op, "values": given}
    with pytest.raises(InvalidInput):
        read_plan(plan(on={"events": ["ticket_created"]}, when={"groups": [{"clauses": [clause]}]}))


def test_every_kind_of_a_types_field_has_questions() -> None:
    fields = fields_with(TYPES)
    assert fields.keys() > FIELDS.keys()
    for name in fields.keys() - FIELDS.keys():
        assert own_field(name) is not None
        assert fields[name].ops[-2:] == ("filled", "empty")
        assert {*fields[name].ops} <= {*OPS["own"]}
    kinds = {one.kind for kind in TYPES for one in kind.fields}
    assert kinds == {*FIELD_KINDS}


@pytest.mark.parametrize(
    ("op", "asked", "value", "expected"),
    [
        ("since", "2026-11-22", "2026-11-22", True),
        ("until", "2026-11-22", "2026-11-23", False),
        ("days_max", 2, 2, True),
        ("days_min", 0, -1, False),
        ("filled", True, True, True),
        ("empty", True, True, False),
        ("empty", True, False, True),
        ("since", "2026-11-22", None, False),
    ],
)
def test_what_is_asked_of_days_and_of_what_is_there(
    op: Any,  # Any: one of the ops
    asked: Any,  # Any: a value of a clause
    value: Any,  # Any: a value of a field
    *,
    expected: bool,
) -> None:
    assert holds(Clause(RETURN, op, (asked,)), value) is expected
