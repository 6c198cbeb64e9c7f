"""The form of a rule: what was typed so far, from a plan and to a plan, without a script.

Every button posts the whole form. What it asks for is done to the draft, and the page is shown
again with the draft in it, until the draft is saved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any  # Any: JSON values

from server.actions.rule_words import span_parts
from server.domain.errors import InvalidInput
from server.domain.money import decimal_text, to_minor
from server.domain.rule_fields import ACTIONS, EVENTS, TIMES, Field, Subject, known_field, own_field
from server.domain.rules import MAX_ACTIONS, MAX_CLAUSES, MAX_GROUPS, Clause, Rule, Step
from server.domain.text import whole_number
from server.http.bodies import Form
from server.http.bodies import field as text_of

UNITS = ("minutes", "hours", "days")
_MINUTES = {"minutes": 1, "hours": 60, "days": 24 * 60}
_CLAUSE = re.compile(r"c(\d)_(\d{1,2})_field")
_ACTION = re.compile(r"a(\d{1,2})_do")
_COMMAS = re.compile(r"[,，、\n]")
Json = dict[str, Any]  # Any: JSON values


@dataclass(slots=True)
class DraftClause:
    """A condition as it was typed."""

    field: str
    op: str
    values: list[str]


@dataclass(slots=True)
class DraftGroup:
    """A group of conditions as it was typed."""

    join: str = "all"
    clauses: list[DraftClause] = field(default_factory=list)


@dataclass(slots=True)
class DraftStep:
    """An action as it was typed; spans have their unit beside them."""

    do: str
    params: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A rule as it was typed so far."""

    name: str = ""
    enabled: bool = True
    kind: str = "event"
    events: list[str] = field(default_factory=list)
    time: str = "waiting"
    after: str = "2"
    unit: str = "hours"
    join: str = "all"
    groups: list[DraftGroup] = field(default_factory=lambda: [DraftGroup()])
    then: list[DraftStep] = field(default_factory=list)

    @property
    def on(self) -> frozenset[Subject]:
        """On what the rule would act, as far as has been said."""
        if self.kind == "time":
            return TIMES[self.time].on if self.time in TIMES else frozenset()
        known = (EVENTS[name].on for name in self.events if name in EVENTS)
        return frozenset[Subject]().union(*known) or frozenset({"chat", "ticket"})


def of_rule(rule: Rule, currency: str, fields: Mapping[str, Field]) -> Draft:
    """The draft that a rule begins with on its page."""
    plan = rule.plan
    amount, unit = span_parts(plan.trigger.minutes or 120)
    return Draft(
        name=plan.name,
        enabled=rule.enabled,
        kind="time" if plan.trigger.time else "event",
        events=list(plan.trigger.events),
        time=plan.trigger.time or "waiting",
        after=str(amount),
        unit=unit,
        join=plan.when.join,
        groups=[
            DraftGroup(group.join, [_typed(one, currency, fields) for one in group.clauses])
            for group in plan.when.groups
        ]
        or [DraftGroup()],
        then=[_typed_step(step) for step in plan.then],
    )


def of_form(form: Form) -> Draft:
    """The draft that was posted; what is unknown is left out."""
    draft = Draft(
        name=text_of(form, "name")[:200],
        enabled=text_of(form, "enabled") == "1",
        kind="time" if text_of(form, "kind") == "time" else "event",
        events=[name for name in form.get("event", []) if name in EVENTS],
        time=text_of(form, "time"),
        after=text_of(form, "after")[:9],
        unit=text_of(form, "unit"),
        join="any" if text_of(form, "join") == "any" else "all",
        groups=[],
    )
    count = text_of(form, "groups")
    for number in range(min(MAX_GROUPS, int(count) if count in "12345" and count else 1)):
        join = "any" if text_of(form, f"g{number}_join") == "any" else "all"
        draft.groups.append(DraftGroup(join))
    for name in form:
        found = _CLAUSE.fullmatch(name)
        if found is None or int(found[1]) >= len(draft.groups):
            continue
        about = text_of(form, name)
        known = known_field(about)
        if known is not None:
            key = name.removesuffix("_field")
            values = [value[:2000] for value in form.get(f"{key}_value", [])]
            op = text_of(form, f"{key}_op") or known.ops[0]
            draft.groups[int(found[1])].clauses.append(DraftClause(about, op, values))
    for name in form:
        found = _ACTION.fullmatch(name)
        do = text_of(form, name) if found else ""
        if do in ACTIONS:
            key = name.removesuffix("_do")
            params = {one: text_of(form, f"{key}_{one}") for one in (*ACTIONS[do].params, "unit")}
            draft.then.append(DraftStep(do, params))
    return draft


def changed(draft: Draft, form: Form, do: str, fields: Mapping[str, Field]) -> bool:
    """True when a button asked for another form, which the draft then is."""
    kind, _, rest = do.partition(":")
    if kind == "add_group" and len(draft.groups) < MAX_GROUPS:
        draft.groups.append(DraftGroup())
    elif kind == "add_action":
        name = text_of(form, "add_action")
        if name in ACTIONS and len(draft.then) < MAX_ACTIONS:
            draft.then.append(DraftStep(name, {"unit": "hours"}))
    elif kind == "drop_action" and rest.isdecimal() and int(rest) < len(draft.then):
        draft.then.pop(int(rest))
    elif kind in ("add_clause", "drop_clause", "drop_group"):
        _change_group(draft, form, kind, rest, fields)
    elif kind != "change":
        return False
    return True


def _change_group(
    draft: Draft, form: Form, kind: str, rest: str, fields: Mapping[str, Field]
) -> None:
    at, _, number = rest.partition(":")
    if not at.isdecimal() or int(at) >= len(draft.groups):
        return
    group = draft.groups[int(at)]
    if kind == "drop_group":
        draft.groups.remove(group)
        draft.groups = draft.groups or [DraftGroup()]
    elif kind == "drop_clause" and number.isdecimal() and int(number) < len(group.clauses):
        group.clauses.pop(int(number))
    elif kind == "add_clause":
        name = text_of(form, f"add_clause{at}")
        known = fields.get(name)
        if known is not None and len(group.clauses) < MAX_CLAUSES:
            values = ["1"] if known.kind == "flag" else []
            group.clauses.append(DraftClause(name, known.ops[0], values))


def plan_values(draft: Draft, currency: str, fields: Mapping[str, Field]) -> Json:
    """The draft as JSON for ``read_plan``, which says what is wrong with it."""
    on: Json = {"events": draft.events}
    if draft.kind == "time":
        on = {"time": draft.time, "minutes": _minutes(draft.after, draft.unit)}
    return {
        "name": draft.name,
        "on": on,
        "when": {
            "join": draft.join,
            "groups": [
                {
                    "join": group.join,
                    "clauses": [
                        {
                            "field": one.field,
                            "op": one.op,
                            "values": _values(one, currency, fields),
                        }
                        for one in group.clauses
                    ],
                }
                for group in draft.groups
            ],
        },
        "then": [{"do": step.do} | _params(step) for step in draft.then],
    }


def _typed(clause: Clause, currency: str, fields: Mapping[str, Field]) -> DraftClause:
    known = fields.get(clause.field) or Field("text", own=True)
    kind = known.kind
    values = [str(value) for value in clause.values]
    if kind == "flag":
        values = ["1" if clause.values[0] else "0"]
    elif clause.op in ("filled", "empty"):
        values = []
    elif kind == "money":
        values = [decimal_text(int(clause.values[0]), currency)]
    elif kind in ("words", "text") and known.options is None:
        values = [", ".join(values)]
    return DraftClause(clause.field, clause.op, values)


def _typed_step(step: Step) -> DraftStep:
    params: dict[str, str] = {"unit": "hours"}
    for key, value in step.params.items():
        if ACTIONS[step.do].params[key].kind == "minutes" and isinstance(value, int):
            amount, params["unit"] = span_parts(value)
            params[key] = str(amount)
        else:
            params[key] = ", ".join(value) if isinstance(value, tuple) else str(value)
    return DraftStep(step.do, params)


def _values(
    clause: DraftClause, currency: str, fields: Mapping[str, Field]
) -> list[Any]:  # Any: JSON values
    known = fields.get(clause.field) or Field("text", own=True)
    first = clause.values[0].strip() if clause.values else ""
    if known.kind == "flag":
        return [first == "1"]
    if known.kind == "number" or clause.op in ("days_max", "days_min"):
        number = _number(first)
        return [] if number is None else [number]
    if known.kind == "money":
        try:
            return [to_minor(first, currency)] if first else []
        except (InvalidInput, ValueError, ArithmeticError):
            return []
    if known.kind == "day":
        return [first] if first else []
    if known.choices or known.options:
        return list(clause.values)
    return [word.strip() for word in _COMMAS.split(first) if word.strip()]


def _number(typed: str) -> int | None:
    """A whole number, which may be less than nothing."""
    typed = typed.replace("−", "-")
    whole = whole_number(typed.removeprefix("-"), digits=15)
    return -whole if whole is not None and typed.startswith("-") else whole


def _params(step: DraftStep) -> Json:
    found: Json = {}
    for key, param in ACTIONS[step.do].params.items():
        typed = step.params.get(key, "").strip()
        if param.kind == "minutes":
            found[key] = _minutes(typed, step.params.get("unit", ""))
        elif param.kind == "tags":
            found[key] = [word.strip() for word in _COMMAS.split(typed) if word.strip()]
        else:
            found[key] = typed
    return found


def _minutes(amount: str, unit: str) -> int | None:
    whole = whole_number(amount.strip(), digits=8)
    return None if whole is None or unit not in _MINUTES else whole * _MINUTES[unit]


def groups_of(fields: Mapping[str, Field], on: frozenset[Subject]) -> dict[str, list[str]]:
    """The fields that may be asked, by the headings that they stand under; a type's by its id."""
    found: dict[str, list[str]] = {}
    for name, one in fields.items():
        if one.on & on:
            own = own_field(name)
            found.setdefault(f"own.{own[0]}" if own else name.partition(".")[0], []).append(name)
    return found
