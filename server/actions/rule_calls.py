"""Rules as programs and the command line read, write, try and carry them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any  # Any: JSON values

import orjson
from pydantic import Field

from server.actions import rule_words
from server.actions import rules as actions
from server.actions.desk import Look
from server.actions.lists import Page, page_of
from server.actions.payload import Id, NoPayload, Payload
from server.actions.rules import MANAGE, Hit
from server.domain.actors import Actor
from server.domain.cursors import place_of
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.permissions import require
from server.domain.rules import MAX_ACTIONS, MAX_RULES, Rule, clause_json, plan_json, read_plan
from server.storage import rules as stored
from server.storage.connection import Connection
from server.storage.rules import Run
from server.storage.unit import Tx

Json = dict[str, Any]  # Any: JSON values
Part = dict[str, Any]  # Any: JSON values, which ``read_plan`` reads
# What a rule is, of all that is told of one.
PLAN = ("name", "on", "when", "then")


class PlanOfRule(Payload):
    """What a rule says: when it looks, what it asks, what it does: docs/automation.md."""

    name: Annotated[str, Field(max_length=200)]
    on: Part
    when: Part | None = None
    then: Annotated[list[Part], Field(max_length=MAX_ACTIONS)]

    @property
    def values(self) -> Json:
        """As ``read_plan`` takes it."""
        return {name: getattr(self, name) for name in PLAN}


class CreateRule(PlanOfRule):
    """A new rule, behind the others; switched off unless said otherwise."""

    enabled: bool = False


class ChangeRule(PlanOfRule):
    """What a rule says from now on; ``version`` is the one that was read."""

    rule_id: Id
    version: Annotated[int, Field(ge=1, le=2**31)]
    enabled: bool | None = None
    position: Annotated[int, Field(ge=0, lt=MAX_RULES)] | None = None


class RuleRef(Payload):
    """For one rule."""

    rule_id: Id


class TryRule(Payload):
    """Either a rule of the shop, or ``plan``: the JSON of one with name, on, when and then."""

    rule_id: Id | None = None
    plan: Annotated[str, Field(min_length=2, max_length=6000)] | None = None


class ListRuns(Page):
    """What a rule did, the latest first."""

    rule_id: Id


def list_rules(look: Look, _payload: NoPayload) -> Json:
    """All rules in the order in which they look."""
    require(look.actor, MANAGE)
    found = stored.load_rules(look.connection)
    return {"items": [rule_view(rule) for rule in found], "next_cursor": None}


def get_rule(look: Look, payload: RuleRef) -> Json:
    """One rule. Raises NotFound."""
    require(look.actor, MANAGE)
    return rule_view(_known(look.connection, payload.rule_id))


def create_rule(tx: Tx, actor: Actor, payload: CreateRule) -> Json:
    """Adds a rule; it looks at what happens from now on."""
    rule_id = actions.save(
        tx, actor, payload.values, rule_id=None, version=0, enabled=payload.enabled
    )
    return {"rule_id": rule_id}


def change_rule(tx: Tx, actor: Actor, payload: ChangeRule) -> Json:
    """Makes a rule say something else, look earlier or later, or rest. Raises Conflict, NotFound.

    The same once more changes nothing.
    """
    require(actor, MANAGE)
    before = _known(tx.connection, payload.rule_id)
    enabled = before.enabled if payload.enabled is None else payload.enabled
    rule_id = actions.save(
        tx,
        actor,
        payload.values,
        rule_id=payload.rule_id,
        version=payload.version,
        enabled=enabled,
        position=payload.position,
    )
    return {"rule_id": rule_id}


def delete_rule(tx: Tx, actor: Actor, payload: RuleRef) -> Json:
    """Takes a rule out of the list; what it did stays. Raises NotFound."""
    actions.remove(tx, actor, payload.rule_id)
    return {}


def try_rule(look: Look, payload: TryRule) -> Json:
    """What a rule would meet as things are now; nothing is done. Raises InvalidInput."""
    require(look.actor, MANAGE)
    if (payload.rule_id is None) == (payload.plan is None):
        raise InvalidInput("Give either a rule_id or a plan.", field="plan")
    values: object
    if payload.rule_id is not None:
        rule = stored.load_rule(look.connection, payload.rule_id)
        if rule is None:
            raise InvalidInput("There is no such rule.", field="rule_id")
        values = plan_json(rule.plan)
    else:
        try:
            values = orjson.loads(payload.plan or "")
        except ValueError:
            raise InvalidInput("The plan is no JSON.", field="plan") from None
    trial = actions.try_out(look, values)
    places = stored.place_names(look.connection, [hit.thing for hit in trial.hits])
    names = rule_words.names_of(look.connection)
    return {
        "looked": trial.looked,
        "count": trial.count,
        "more": trial.more,
        "items": [_hit(hit, places, names) for hit in trial.hits],
    }


def list_runs(look: Look, payload: ListRuns) -> Json:
    """What a rule did, could not do and was kept from, the latest first. Raises NotFound."""
    require(look.actor, MANAGE)
    _known(look.connection, payload.rule_id)
    name = f"runs of {payload.rule_id}"
    found = stored.runs_of(
        look.connection,
        payload.rule_id,
        before=place_of(payload.cursor, name, {}),
        limit=payload.limit + 1,
    )
    shown, cursor = page_of(found, payload, name, {}, place=lambda run: (run.at_ms, run.id))
    return {"items": [_run(run) for run in shown], "next_cursor": cursor}


def take_rules(tx: Tx, actor: Actor, given: Sequence[object]) -> list[tuple[str, str]]:
    """Writes rules that were carried here; what became of each, with its name.

    A rule of the same id, else of the same name, is made to say this; of several with one name each
    in its turn. The others are added behind. All are taken or none. Raises InvalidInput that names
    the first that makes no sense.
    """
    require(actor, MANAGE)
    known = stored.load_rules(tx.connection)
    outcome: list[tuple[str, str]] = []
    added, taken = 0, set[str]()
    for number, values in enumerate(given, start=1):
        name = str(values.get("name", ""))[:80] if isinstance(values, Mapping) else ""
        try:
            plan = read_plan(values)
            assert isinstance(values, Mapping)  # else there were no plan in it
            same = _same(known, taken, values)
            if same is not None and same.id in taken:
                raise InvalidInput("It is there twice.")
            enabled = values.get("enabled") is True
            actions.save(
                tx,
                actor,
                values,
                rule_id=same.id if same else None,
                version=same.version if same else 0,
                enabled=enabled,
                ahead=added,
            )
        except AppError as error:
            raise InvalidInput(f"Rule {number} ({name}): {error.message}", field="rules") from error
        if same is None:
            added += 1
            outcome.append(("added", plan.name))
            continue
        taken.add(same.id)
        alike = (plan, enabled) == (same.plan, same.enabled)
        outcome.append(("same" if alike else "changed", plan.name))
    return outcome


def _same(
    known: Sequence[Rule],
    taken: Collection[str],
    values: Mapping[str, Any],  # Any: JSON values
) -> Rule | None:
    """The rule that is meant: of the same id, else the next that has the same name."""
    found = next((one for one in known if one.id == values.get("id")), None)
    if found is not None:
        return found
    left = (one for one in known if one.id not in taken)
    return next((one for one in left if one.plan.name == values.get("name")), None)


def rule_view(rule: Rule) -> Json:
    """A rule as programs see it."""
    return {
        "id": rule.id,
        "version": rule.version,
        **plan_json(rule.plan),
        "enabled": rule.enabled,
        "position": rule.position,
        "stopped": rule.stopped,
        "updated_at_ms": rule.updated_at_ms,
        "updated_by": rule.updated_by,
    }


def _hit(hit: Hit, places: Mapping[str, tuple[str, str | None]], names: rule_words.Names) -> Json:
    thing = hit.thing
    return {
        "kind": thing.kind,
        "id": thing.id,
        "number": places.get(thing.id, ("", None))[0] or None,
        "customer_id": thing.customer_id,
        "because": [clause_json(one) for one in hit.because],
        "why": {
            "en": rule_words.why_words("en", hit.because, names),
            "zh": rule_words.why_words("zh", hit.because, names),
        },
    }


def _run(run: Run) -> Json:
    return {
        "id": run.id,
        "version": run.version,
        "at_ms": run.at_ms,
        "outcome": run.outcome,
        "held": run.held,
        "kind": run.thing.kind,
        "object_id": run.thing.id,
        "because": list(run.why),
        "steps": list(run.steps),
    }


def _known(connection: Connection, rule_id: str) -> Rule:
    rule = stored.load_rule(connection, rule_id)
    if rule is None:
        raise NotFound("There is no such rule.")
    return rule
