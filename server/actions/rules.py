"""What supervisors do with rules: write, try, order, switch and remove them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from server.actions.automation import thing_of
from server.actions.desk import Look
from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.permissions import require
from server.domain.rule_fields import ACTIONS, OWNER, fields_with
from server.domain.rule_ready import READY, ready_plan
from server.domain.rules import (
    MAX_RULES,
    Clause,
    Plan,
    Rule,
    Step,
    Thing,
    customer_condition,
    looks_at,
    read_plan,
)
from server.storage import directory, people, saved_segments, webhooks
from server.storage import rules as stored
from server.storage.connection import Connection
from server.storage.event_log import conversation_events
from server.storage.rule_facts import Ground
from server.storage.ticket_types import load_types
from server.storage.unit import Tx

MANAGE = "rule.manage"
# How many objects a trial looks at, and how many of those that match it shows.
LOOKED = 1000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """An object that a rule would act on, and the clauses that make it so."""

    thing: Thing
    because: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would meet: of how many, how many match, the latest of them; nothing is done."""

    looked: int
    count: int
    more: bool
    hits: tuple[Hit, ...]


def save(
    tx: Tx,
    actor: Actor,
    values: object,
    *,
    rule_id: str | None,
    version: int,
    enabled: bool,
    position: int | None = None,
    ahead: int = 0,
) -> str:
    """The id of the rule as it was saved; it holds for what happens from now on.

    ``version`` is the one that was seen, ``position`` where it looks among the others, the first is
    0, and ``ahead`` how many new ones were added by the same job. Raises Conflict when there is a
    later version, InvalidInput for what makes no sense, NotFound.
    """
    require(actor, MANAGE)
    plan = read_plan(values)
    _check_names(tx.connection, plan)
    stored.lock_rules(tx)
    if rule_id is None:
        return _add(tx, actor, plan, enabled=enabled, change="made", ahead=ahead)
    rule = _seen(tx, rule_id, version)
    on_again = enabled and not rule.enabled
    place = rule.position if position is None else _give_way(tx, rule, to=position)
    if (plan, enabled, place) == (rule.plan, rule.enabled, rule.position):
        return rule.id
    since_ms = rule.since_ms
    if on_again or plan.trigger != rule.plan.trigger:
        since_ms = tx.at_ms
    after = replace(
        rule, plan=plan, enabled=enabled, position=place, since_ms=since_ms, stopped=None
    )
    stored.change_rule(tx, after, change="edited", by_id=actor.id)
    return rule.id


def take_over(tx: Tx, actor: Actor, name: str, *, locale: str) -> str:
    """The id of a rule made of a ready-made one, switched off. Raises NotFound, Conflict."""
    require(actor, MANAGE)
    if name not in READY:
        raise NotFound("There is no such rule.")
    stored.lock_rules(tx)
    return _add(tx, actor, read_plan(ready_plan(name, locale)), enabled=False, change="made")


def switch(tx: Tx, actor: Actor, rule_id: str, *, version: int, enabled: bool) -> None:
    """Switches a rule on, for what happens from now on, or off. Raises Conflict, NotFound."""
    require(actor, MANAGE)
    stored.lock_rules(tx)
    rule = _seen(tx, rule_id, version)
    if rule.enabled == enabled:
        return
    since_ms = tx.at_ms if enabled else rule.since_ms
    after = replace(rule, enabled=enabled, since_ms=since_ms, stopped=None)
    if enabled:
        _check_names(tx.connection, rule.plan)
    stored.change_rule(tx, after, change="on" if enabled else "off", by_id=actor.id)


def move(tx: Tx, actor: Actor, rule_id: str, *, version: int, by: int) -> None:
    """Lets a rule look earlier or later than its neighbour. Raises Conflict, NotFound."""
    require(actor, MANAGE)
    stored.lock_rules(tx)
    rule = _seen(tx, rule_id, version)
    ids = [one.id for one in stored.load_rules(tx.connection)]
    at = ids.index(rule.id)
    if max(0, min(len(ids) - 1, at + by)) != at:
        place = _give_way(tx, rule, to=at + by)
        stored.change_rule(tx, replace(rule, position=place), change="moved", by_id=actor.id)


def restore(tx: Tx, actor: Actor, rule_id: str, *, version: int, to: int) -> None:
    """Brings back what a rule said in an earlier version. Raises Conflict, NotFound."""
    require(actor, MANAGE)
    stored.lock_rules(tx)
    rule = _seen(tx, rule_id, version)
    values = stored.load_version(tx.connection, rule_id, to)
    if values is None:
        raise NotFound("There is no such version.")
    plan = read_plan(values)
    if plan != rule.plan:
        since_ms = rule.since_ms if plan.trigger == rule.plan.trigger else tx.at_ms
        after = replace(rule, plan=plan, since_ms=since_ms)
        stored.change_rule(tx, after, change="restored", by_id=actor.id)


def remove(tx: Tx, actor: Actor, rule_id: str) -> None:
    """Takes a rule out of the list; what it did stays. Raises NotFound."""
    require(actor, MANAGE)
    stored.lock_rules(tx)
    rule = stored.load_rule(tx.connection, rule_id)
    if rule is None:
        raise NotFound("There is no such rule.")
    stored.remove_rule(tx, rule, by_id=actor.id)


def try_out(look: Look, values: object) -> Trial:
    """What a rule would meet as things are now, of the last 30 days and of what is open.

    Raises InvalidInput for a plan that makes no sense.
    """
    require(look.actor, MANAGE)
    plan = read_plan(values)
    _check_names(look.connection, plan)
    trigger = plan.trigger
    things = stored.lately(look.connection, trigger, at_ms=look.at_ms, limit=LOOKED + 1)
    more, things = len(things) > LOOKED, things[:LOOKED]
    ground = Ground(look.connection, things, at_ms=look.at_ms)
    rule = Rule("", 0, plan)
    hits = []
    for thing in things:
        verdict = ground.verdict(thing, plan.when)
        if verdict.matched and (trigger.time or _happened(look.connection, rule, thing)):
            hits.append(Hit(thing, verdict.because))
    return Trial(len(things), len(hits), more, tuple(hits[:SHOWN]))


def _happened(connection: Connection, rule: Rule, thing: Thing) -> bool:
    """True when one of the events at which a rule looks has happened to an object."""
    if thing.kind == "order":
        return stored.order_has(connection, thing, rule.plan.trigger)
    events = conversation_events(connection, thing.id)
    return any(looks_at(rule, event) and thing_of(event) is not None for event in events)


def _give_way(tx: Tx, rule: Rule, *, to: int) -> int:
    """The place of a rule that is to look as the one of this number; the others make room."""
    found = stored.load_rules(tx.connection)
    at = next(number for number, one in enumerate(found) if one.id == rule.id)
    to = max(0, min(len(found) - 1, to))
    if to == at:
        return rule.position
    found.insert(to, found.pop(at))
    for position, one in enumerate(found):
        if one.position != position and one.id != rule.id:
            stored.place_rule(tx, one.id, position)
    return to


def _add(tx: Tx, actor: Actor, plan: Plan, *, enabled: bool, change: str, ahead: int = 0) -> str:
    known = stored.load_rules(tx.connection)
    if len(known) + ahead >= MAX_RULES:
        raise Conflict(f"At most {MAX_RULES} rules.", reason="too_many_rules")
    position = max((one.position for one in known), default=-1) + 1 + ahead
    rule = Rule(tx.new_id(), 1, plan, enabled=enabled, position=position, since_ms=tx.at_ms)
    stored.add_rule(tx, rule, change=change, by_id=actor.id)
    return rule.id


def _seen(tx: Tx, rule_id: str, version: int) -> Rule:
    rule = stored.load_rule(tx.connection, rule_id)
    if rule is None:
        raise NotFound("There is no such rule.")
    if rule.version != version:
        raise Conflict(
            "Somebody has changed this rule in the meantime. Look at it once more.",
            reason="rule_changed",
        )
    return rule


def _check_names(connection: Connection, plan: Plan) -> None:
    """Returns nothing. Raises InvalidInput for a colleague, team, type, ... that is not there."""
    types = load_types(connection)
    fields = fields_with(types.values())
    known: Mapping[str, set[str]] = {
        "team": {team.id for team in people.load_teams(connection)},
        "agent": {one.id for one in people.load_people(connection)} | {OWNER},
        "type": {key for key, kind in types.items() if kind.active},
        "webhook": {one.id for one in webhooks.load_webhooks(connection)},
        "saved": {one.id for one in saved_segments.shared(connection)},
    }
    for clause in plan.when.clauses:
        field = fields.get(clause.field)
        if field is None:
            raise _gone(clause.field)
        if clause.op not in field.ops or (
            field.choices
            and clause.op in ("in", "not_in")
            and not {*clause.values} <= {*field.choices}
        ):
            raise InvalidInput(
                "This cannot be asked of the field.",
                reason="rule_field",
                field="when",
                about=clause.field,
            )
        options = field.options
        if options is not None and not {str(value) for value in clause.values} <= known[options]:
            raise _gone(clause.field)
        if clause.field == "customer.saved":
            directory.expanded(connection, customer_condition(clause))
    for step in plan.then:
        _check_step(step, known)


def _check_step(step: Step, known: Mapping[str, set[str]]) -> None:
    for key, param in ACTIONS[step.do].params.items():
        value = step.params.get(key)
        if param.kind in known and value is not None and value not in known[param.kind]:
            raise _gone(step.do)


def _gone(about: str) -> InvalidInput:
    return InvalidInput(
        "Something that is named here is not there any more.",
        reason="rule_gone",
        field="rule",
        about=about,
    )
