"""Rules that act by themselves: what a rule is, whether it matches, and when it has to stop.

A rule's plan is JSON: ``{"name", "on": {"events": [...]} or {"time", "minutes"}, "when": {"join",
"groups": [{"join", "clauses": [{"field", "op", "values"}]}]}, "then": [{"do", ...}]}``. Nothing
here reads or writes: values come from storage, what is to be done is done in actions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal  # Any: JSON from outside

from server.domain import conditions
from server.domain.conditions import Condition
from server.domain.errors import InvalidInput
from server.domain.events import Event
from server.domain.rule_fields import (
    ACTIONS,
    EVENTS,
    MAX_MINUTES,
    OPS,
    TALKS,
    TIMES,
    Field,
    Op,
    Param,
    Subject,
    kinds_of,
    known_field,
)
from server.domain.text import clean

MAX_RULES = 100
MAX_NAME = 80
MAX_GROUPS = 5
MAX_CLAUSES = 10
MAX_ACTIONS = 10
MAX_VALUES = 50
MAX_VALUE_CHARS = 200
MAX_TAG_CHARS = 40
MAX_NUMBER = 2**53

# How many rules may follow one another from one cause.
MAX_DEPTH = 5
# How often one rule may act on one object within an hour.
MAX_PER_OBJECT = 30
# A rule that was held back so often within an hour runs away.
MAX_HELD = 50

Join = Literal["all", "any"]
Value = str | int | bool | tuple[str, ...] | None
Held = Literal["again", "depth", "rate"]
Json = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a rule looks: at these events, or when ``minutes`` have passed since ``time``."""

    events: tuple[str, ...] = ()
    time: str | None = None
    minutes: int = 0

    @property
    def on(self) -> frozenset[Subject]:
        """On what the rule may act."""
        if self.time is not None:
            return TIMES[self.time].on
        return frozenset[Subject]().union(*(EVENTS[name].on for name in self.events))


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing asked of a field; ``values`` are words, one number, one day, or one yes or no."""

    field: str
    op: Op
    values: tuple[str | int | bool, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Clauses of which all, or any, have to hold."""

    join: Join
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class When:
    """Groups of which all, or any, have to hold; without any everything matches."""

    join: Join = "all"
    groups: tuple[Group, ...] = ()

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Every clause in its order."""
        return tuple(clause for group in self.groups for clause in group.clauses)


@dataclass(frozen=True, slots=True)
class Step:
    """One action and what it has been told."""

    do: str
    params: Mapping[str, str | int | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rule is about: everything of it that a version keeps."""

    name: str
    trigger: Trigger
    when: When
    then: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as it stands; it looks at what happens after ``since_ms``.

    ``stopped`` is why it was switched off by the program, None otherwise.
    """

    id: str
    version: int
    plan: Plan
    enabled: bool = True
    position: int = 0
    since_ms: int = 0
    stopped: str | None = None
    updated_at_ms: int = 0
    updated_by: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule matches, the clauses that make it so, and those that do not hold."""

    matched: bool
    because: tuple[Clause, ...] = ()
    missing: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True)
class Thing:
    """On what a rule acts: a chat or ticket by its conversation, an order, or a cart.

    ``message_id`` is the message that the rule was told of; ``since_ms`` the instant from which a
    time trigger counts.
    """

    kind: Subject
    id: str
    customer_id: str | None
    message_id: str | None = None
    since_ms: int | None = None

    @property
    def conversation_id(self) -> str | None:
        """The conversation that it is, None for orders and carts."""
        return self.id if self.kind in TALKS else None


# what is asked


def judge(when: When, holds: Callable[[Clause], bool]) -> Verdict:
    """Whether conditions hold. Every clause is asked at most once, and not when it cannot matter.

    What is asked of customers costs most and comes last.

    >>> one = Clause("ticket.priority", "in", ("high",))
    >>> judge(When("all", (Group("any", (one,)),)), lambda clause: True).because == (one,)
    True
    """
    because: list[Clause] = []
    missing: list[Clause] = []
    found: list[bool] = []
    for group in when.groups:
        held, lacking = _ask(group, holds)
        met = bool(held) if group.join == "any" else not lacking
        found.append(met)
        because += [clause for clause in group.clauses if clause in held] if met else []
        missing += [] if met else lacking
        if not met and when.join == "all":
            break
    matched = all(found) if when.join == "all" else any(found) or not found
    return Verdict(matched, tuple(because) if matched else (), () if matched else tuple(missing))


def _ask(group: Group, holds: Callable[[Clause], bool]) -> tuple[set[Clause], list[Clause]]:
    """The clauses of a group that hold, and those that do not; of all, up to the first of these."""
    held: set[Clause] = set()
    lacking: list[Clause] = []
    for clause in sorted(group.clauses, key=about_customer):
        if clause in held or holds(clause):
            held.add(clause)
            continue
        lacking.append(clause)
        if group.join == "all":
            break
    return held, lacking


def holds(clause: Clause, value: Value) -> bool:
    """Whether a clause holds of a value; None meets nothing, nor its opposite.

    For what is counted in days the value is that number, and whether it is there for the rest of
    what is asked of a field of a type.

    >>> holds(Clause("conversation.tag", "not_in", ("vip",)), ("new",))
    True
    >>> holds(Clause("ticket.priority", "not_in", ("low",)), None)
    False
    """
    return value is not None and _TESTS[clause.op](value, clause.values)


def narrowed(clause: Clause, value: Value) -> Clause:
    """A clause that holds of a value with those of its words only that make it so.

    >>> narrowed(Clause("conversation.tag", "in", ("new", "vip")), ("vip",)).values
    ('vip',)
    """
    if clause.op == "in":
        kept = tuple(one for one in clause.values if str(one) in _words(value))
    elif clause.op == "has":
        kept = tuple(one for one in clause.values if _has(value, (one,)))
    else:
        return clause
    return Clause(clause.field, clause.op, kept or clause.values)


def customer_condition(clause: Clause) -> Condition:
    """What a clause on the customer asks, in the terms of lists and saved segments.

    What is worked out about a person holds for nobody who refused that, nor its opposite.
    """
    name = clause.field.removeprefix("customer.")
    field = conditions.FIELDS[name]
    words = tuple(str(value) for value in clause.values)
    match clause.op:
        case "in":
            return conditions.In(name, words)
        case "not_in":
            without = conditions.Not(conditions.In(name, words))
            if not field.profiled:
                return without
            return conditions.All((without, conditions.In(name, field.choices)))
        case "min":
            return conditions.Between(name, low=_number(clause.values[0]))
        case "max":
            return conditions.Between(name, high=_number(clause.values[0]))
        case _:
            wanted = bool(clause.values[0])
            if wanted or not field.profiled:
                return conditions.Is(name, wanted)
            # As above: a label that everybody has who let it be worked out.
            labelled = conditions.In("segment", conditions.FIELDS["segment"].choices)
            return conditions.All((conditions.Is(name, False), labelled))  # noqa: FBT003  # positional there


def about_customer(clause: Clause) -> bool:
    """True for what is asked of the customer behind an object."""
    return clause.field.startswith("customer.")


def looks_at(rule: Rule, event: Event) -> bool:
    """True when an event is one at which a rule looks; never one that was imported."""
    if event.imported or not rule.enabled or event.at_ms < rule.since_ms:
        return False
    return any(
        event.kind in EVENTS[name].kinds and EVENTS[name].fits(event)
        for name in rule.plan.trigger.events
    )


def wanted_kinds(rules: Collection[Rule]) -> frozenset[str]:
    """The kinds of the log at which any of the rules looks."""
    return frozenset().union(*(kinds_of(rule.plan.trigger.events) for rule in rules))


# when it has to stop


@dataclass(frozen=True, slots=True)
class Cause:
    """What led here: pairs of a rule and the object on which it acted, the first one first."""

    chain: tuple[tuple[str, str], ...] = ()

    def followed_by(self, rule_id: str, object_id: str) -> Cause:
        """The cause of what a rule does on an object."""
        return Cause((*self.chain, (rule_id, object_id)))


def held_back(rule_id: str, object_id: str, cause: Cause, *, lately: int) -> Held | None:
    """Why a rule must not act on an object, None when it may.

    ``lately`` is how often it acted on it within the last hour. A rule acts once on an object in
    the chain that follows from one cause, and a chain has an end: so every cascade has one too.
    """
    if (rule_id, object_id) in cause.chain:
        return "again"
    if len(cause.chain) >= MAX_DEPTH:
        return "depth"
    return "rate" if lately >= MAX_PER_OBJECT else None


def runs_away(held_lately: int) -> bool:
    """True when a rule was held back so often within an hour that it is to be switched off."""
    return held_lately >= MAX_HELD


# reading and writing


def read_plan(values: object) -> Plan:
    """The plan in a JSON value. Raises InvalidInput that names what is wrong."""
    if not isinstance(values, Mapping):
        raise _wrong("A rule is a JSON object.", "rule_plan")
    name = " ".join(clean(_text(values.get("name")), limit=MAX_NAME, name="name").split())
    trigger = _read_trigger(values.get("on"))
    when = _read_when(values.get("when"), trigger.on)
    then = values.get("then")
    if not isinstance(then, Sequence) or not 1 <= len(then) <= MAX_ACTIONS:
        raise _wrong(f"A rule does 1 to {MAX_ACTIONS} things.", "rule_actions", field="then")
    return Plan(name, trigger, when, tuple(_read_step(one, trigger.on) for one in then))


def plan_json(plan: Plan) -> Json:
    """The plan as JSON, which ``read_plan`` reads back."""
    trigger = plan.trigger
    return {
        "name": plan.name,
        "on": {"time": trigger.time, "minutes": trigger.minutes}
        if trigger.time
        else {"events": list(trigger.events)},
        "when": {
            "join": plan.when.join,
            "groups": [
                {"join": group.join, "clauses": [clause_json(one) for one in group.clauses]}
                for group in plan.when.groups
            ],
        },
        "then": [step_json(step) for step in plan.then],
    }


def clause_json(clause: Clause) -> Json:
    """A clause as JSON."""
    return {"field": clause.field, "op": clause.op, "values": list(clause.values)}


def step_json(step: Step) -> Json:
    """An action as JSON."""
    params = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in step.params.items()
    }
    return {"do": step.do} | params


def stored_clauses(values: object) -> tuple[Clause, ...]:
    """Clauses that were kept; what no longer makes sense is left out."""
    return tuple(_stored(values))


def _stored(values: object) -> Iterator[Clause]:
    for one in values if isinstance(values, list) else []:
        try:
            yield _read_clause(one, None)
        except InvalidInput:
            continue


def _read_trigger(values: object) -> Trigger:
    if isinstance(values, Mapping):
        time, events = values.get("time"), values.get("events")
        if isinstance(time, str) and time in TIMES:
            minutes = values.get("minutes")
            whole = isinstance(minutes, int) and not isinstance(minutes, bool)
            if not whole or not 1 <= _number(minutes) <= MAX_MINUTES:
                raise _wrong("Choose between a minute and a year.", "rule_minutes", field="on")
            return Trigger(time=time, minutes=_number(minutes))
        if isinstance(events, Sequence) and events and all(name in EVENTS for name in events):
            found = tuple(dict.fromkeys(events))
            kinds = {frozenset({"order"}) == EVENTS[name].on for name in found}
            if len(kinds) == 1:
                return Trigger(events=found)
            raise _wrong("Orders and talks need rules of their own.", "rule_mixed", field="on")
    raise _wrong("Say when the rule is to look.", "rule_trigger", field="on")


def _read_when(values: object, on: frozenset[Subject]) -> When:
    if values is None:
        return When()
    groups = values.get("groups", ()) if isinstance(values, Mapping) else None
    if not isinstance(groups, Sequence) or len(groups) > MAX_GROUPS:
        raise _wrong(f"At most {MAX_GROUPS} groups of conditions.", "rule_groups", field="when")
    assert isinstance(values, Mapping)  # for the type checker
    read = (_read_group(one, on) for one in groups)
    return When(_join(values.get("join")), tuple(group for group in read if group.clauses))


def _read_group(values: object, on: frozenset[Subject]) -> Group:
    clauses = values.get("clauses", ()) if isinstance(values, Mapping) else None
    if not isinstance(clauses, Sequence) or len(clauses) > MAX_CLAUSES:
        raise _wrong(f"At most {MAX_CLAUSES} conditions in a group.", "rule_groups", field="when")
    assert isinstance(values, Mapping)  # for the type checker
    return Group(_join(values.get("join")), tuple(_read_clause(one, on) for one in clauses))


def _read_clause(values: object, on: frozenset[Subject] | None) -> Clause:
    name = values.get("field") if isinstance(values, Mapping) else None
    field = known_field(name) if isinstance(name, str) else None
    if field is None or not isinstance(values, Mapping) or not isinstance(name, str):
        raise _wrong("There is no such field.", "rule_field", field="when")
    if on is not None and not field.on & on:
        raise _wrong(f"{name} cannot be asked here.", "rule_field_place", field="when", about=name)
    op = values.get("op")
    if op not in OPS[field.kind]:
        raise _wrong("This cannot be asked of the field.", "rule_field", field="when", about=name)
    given = [True] if op in ("filled", "empty") else values.get("values")
    if (
        not isinstance(given, Sequence)
        or isinstance(given, str)
        or not 1 <= len(given) <= MAX_VALUES
    ):
        raise _wrong(f"{name} needs a value.", "rule_value", field="when", about=name)
    return Clause(name, op, _read_values(name, field, op, list(given)))


def _read_values(
    name: str,
    field: Field,
    op: Op,
    given: list[Any],  # Any: JSON
) -> tuple[str | int | bool, ...]:
    wrong = _wrong(f"{name} needs another value.", "rule_value", field="when", about=name)
    match _OF_OPS.get(op, field.kind):
        case "number" | "money":
            value = given[0]
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_NUMBER:
                raise wrong
            return (value,)
        case "flag":
            if not isinstance(given[0], bool):
                raise wrong
            return (given[0],)
        case "day":
            try:
                return (date.fromisoformat(_text(given[0])).isoformat(),)
            except ValueError:
                raise wrong from None
        case _:
            words = tuple(
                dict.fromkeys(
                    clean(_text(one), limit=MAX_VALUE_CHARS, name="when") for one in given
                )
            )
            if field.choices and not set(words) <= {*field.choices}:
                raise wrong
            return words


# What the values are of what is asked, whatever the field.
_OF_OPS: Mapping[Op, str] = {
    "min": "number",
    "max": "number",
    "days_min": "number",
    "days_max": "number",
    "since": "day",
    "until": "day",
    "filled": "flag",
    "empty": "flag",
}


def _read_step(values: object, on: frozenset[Subject]) -> Step:
    name = values.get("do") if isinstance(values, Mapping) else None
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None or not isinstance(values, Mapping) or not isinstance(name, str):
        raise _wrong("There is no such action.", "rule_actions", field="then")
    if not action.on & on:
        raise _wrong(f"{name} cannot be done here.", "rule_action_place", field="then", about=name)
    params: dict[str, str | int | tuple[str, ...]] = {}
    for key, param in action.params.items():
        value = _read_param(name, param, values.get(key))
        if value is not None:
            params[key] = value
        elif param.required:
            raise _wrong(f"{name} needs {key}.", "rule_param", field="then", about=name)
    if name == "post_message" and not params:
        raise _wrong("Write the message.", "rule_param", field="then", about=name)
    return Step(name, params)


def _read_param(do: str, param: Param, value: object) -> str | int | tuple[str, ...] | None:
    wrong = _wrong(f"{do} has been told something wrong.", "rule_param", field="then", about=do)
    if value is None or value in ("", []):
        return None
    if param.kind == "minutes":
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_MINUTES:
            raise wrong
        return value
    if param.kind == "tags":
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > 20:
            raise wrong
        tags = (clean(_text(one), limit=MAX_TAG_CHARS, name="tag", empty=True) for one in value)
        return tuple(dict.fromkeys(tag for tag in tags if tag)) or None
    text = clean(_text(value), limit=param.limit, name="then", empty=True)
    if param.kind == "choice" and text and text not in param.choices:
        raise wrong
    return text or None


def _join(value: object) -> Join:
    return "any" if value == "any" else "all"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(value: Value) -> set[str]:
    return set(value) if isinstance(value, tuple) else {str(value)}


def _has(value: Value, phrases: Sequence[str | int | bool]) -> bool:
    text = " ".join(sorted(_words(value))).casefold()
    return any(str(phrase).casefold() in text for phrase in phrases)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


# What each question comes to.
_TESTS: Mapping[Op, Callable[[Value, Sequence[str | int | bool]], bool]] = {
    "in": lambda value, asked: not _words(value).isdisjoint(map(str, asked)),
    "not_in": lambda value, asked: _words(value).isdisjoint(map(str, asked)),
    "has": _has,
    "has_not": lambda value, asked: not _has(value, asked),
    "min": lambda value, asked: _number(value) >= _number(asked[0]),
    "max": lambda value, asked: _number(value) <= _number(asked[0]),
    "days_min": lambda value, asked: _number(value) >= _number(asked[0]),
    "days_max": lambda value, asked: _number(value) <= _number(asked[0]),
    "since": lambda value, asked: str(value) >= str(asked[0]),
    "until": lambda value, asked: str(value) <= str(asked[0]),
    "is": lambda value, asked: bool(value) == bool(asked[0]),
    "filled": lambda value, _: bool(value),
    "empty": lambda value, _: not value,
}


def _wrong(message: str, reason: str, *, field: str = "rule", **details: object) -> InvalidInput:
    return InvalidInput(message, reason=reason, field=field, **details)
