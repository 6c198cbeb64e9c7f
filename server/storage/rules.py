"""Rules that act by themselves: what they say, what they did, and for what their time has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any  # Any: column values and JSON

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    String,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from server.domain.errors import InvalidInput
from server.domain.events import Event
from server.domain.rule_fields import TIMES, Subject
from server.domain.rules import Cause, Plan, Rule, Thing, Trigger, When, plan_json, read_plan
from server.domain.spans import DAY_MS, MINUTE_MS
from server.storage.people import AGENT
from server.storage.rows import CONVERSATION, EVENT, dumps, event_from_row
from server.storage.tables import (
    UNDERWAY,
    Cart,
    RuleEffect,
    RuleRow,
    RuleRun,
    RuleVersion,
    ShopOrder,
    table,
)
from server.storage.ticket_rows import TICKET
from server.storage.unit import Tx

RULE = table(RuleRow)
RULE_VERSION = table(RuleVersion)
RULE_RUN = table(RuleRun)
RULE_EFFECT = table(RuleEffect)
CART = table(Cart)
ORDER = table(ShopOrder)
R, V, N, E = RULE.c, RULE_VERSION.c, RULE_RUN.c, RULE_EFFECT.c

READER = "rules"
# How long after its time an object is still found: servers are away, shops tell late.
LOOK_BACK_MS = 3 * DAY_MS
ACTED = ("done", "partly")
Json = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Version:
    """What a rule said from an instant on: by whom, and what they had done."""

    version: int
    name: str
    change: str
    at_ms: int
    by: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """What a rule did on one object for one cause, or why it did not.

    ``outcome`` is done, partly, failed, held, put_off or passed (its time came and it did not
    match); ``steps`` say of each action what became of it.
    """

    id: str
    rule_id: str
    version: int
    cause: str
    thing: Thing
    at_ms: int
    outcome: str
    seq: int | None = None
    held: str | None = None
    chain: Cause = field(default_factory=Cause)
    why: Sequence[Json] = ()
    steps: Sequence[Json] = ()
    due_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a rule acted, failed and was held back of late, and when last."""

    acted: int = 0
    failed: int = 0
    held: int = 0
    last_at_ms: int | None = None


# rules


def load_rules(connection: Connection, *, enabled: bool = False) -> list[Rule]:
    """The rules in their order, perhaps only those that are switched on."""
    statement = _RULES.where(R.removed_at_ms.is_(None))
    if enabled:
        statement = statement.where(R.enabled.is_(True))
    rows = connection.execute(statement.order_by(R.position, R.id)).mappings()
    return [rule for row in rows if (rule := _rule(row)).enabled or not enabled]


def load_rule(connection: Connection, rule_id: str) -> Rule | None:
    """A rule that was not removed, or None."""
    statement = _RULES.where(R.id == rule_id, R.removed_at_ms.is_(None))
    row = connection.execute(statement).mappings().first()
    return None if row is None else _rule(row)


def lock_rules(tx: Tx) -> None:
    """Keeps other processes from changing rules until the commit."""
    tx.execute(select(R.id).with_for_update())


def versions_of(connection: Connection, rule_id: str) -> list[Version]:
    """What a rule has said, the latest first."""
    statement = (
        select(RULE_VERSION, AGENT.c.name.label("by"))
        .join_from(RULE_VERSION, AGENT, AGENT.c.id == V.agent_id, isouter=True)
        .where(V.rule_id == rule_id)
        .order_by(V.version.desc())
    )
    return [
        Version(
            row["version"],
            str(orjson.loads(row["plan"]).get("name", "")),
            row["change"],
            row["created_at_ms"],
            row["by"],
        )
        for row in connection.execute(statement).mappings()
    ]


def load_version(connection: Connection, rule_id: str, version: int) -> Json | None:
    """The plan of a version as JSON, or None."""
    statement = select(V.plan).where(V.rule_id == rule_id, V.version == version)
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else orjson.loads(found)


def add_rule(tx: Tx, rule: Rule, *, change: str, by_id: str | None) -> None:
    """Keeps a new rule with its first version."""
    values = _values(tx, rule, by_id) | {"id": rule.id, "created_at_ms": tx.at_ms}
    tx.later(insert(RULE), values)
    _add_version(tx, rule, change, by_id)


def change_rule(tx: Tx, rule: Rule, *, change: str, by_id: str | None) -> Rule:
    """The rule as it was written down: with its next version."""
    after = replace(rule, version=rule.version + 1, updated_at_ms=tx.at_ms)
    tx.later(update(RULE).where(R.id == rule.id).values(_values(tx, after, by_id)))
    _add_version(tx, after, change, by_id)
    return after


def place_rule(tx: Tx, rule_id: str, position: int) -> None:
    """Gives a rule its place in the order, without a version of its own."""
    tx.later(update(RULE).where(R.id == rule_id).values(position=position))


def remove_rule(tx: Tx, rule: Rule, *, by_id: str | None) -> None:
    """Takes a rule out; what it did stays to be read."""
    change_rule(tx, replace(rule, enabled=False), change="removed", by_id=by_id)
    tx.later(update(RULE).where(R.id == rule.id).values(removed_at_ms=tx.at_ms))


def _add_version(tx: Tx, rule: Rule, change: str, by_id: str | None) -> None:
    values = {
        "rule_id": rule.id,
        "version": rule.version,
        "plan": dumps(plan_json(rule.plan)),
        "change": change,
        "agent_id": by_id,
        "created_at_ms": tx.at_ms,
    }
    tx.later(insert(RULE_VERSION), values)


def _values(tx: Tx, rule: Rule, by_id: str | None) -> Json:
    return {
        "version": rule.version,
        "enabled": rule.enabled,
        "position": rule.position,
        "since_ms": rule.since_ms,
        "stopped": rule.stopped,
        "updated_at_ms": tx.at_ms,
        "updated_by": by_id,
    }


# what happened, and what came of what


def next_events(
    connection: Connection, *, after: int, up_to: int, kinds: Collection[str], limit: int
) -> list[Event]:
    """What happened here, of these kinds, between two numbers of the log, in its order."""
    c = EVENT.c
    statement = (
        select(EVENT)
        .where(c.seq > after, c.seq <= up_to, ~c.imported, c.kind.in_(sorted(kinds)))
        .order_by(c.seq)
        .limit(limit)
    )
    return [event_from_row(row) for row in connection.execute(statement).mappings()]


def cause_of(connection: Connection, seq: int) -> Cause:
    """Which rules led to an event, on what, the first one first."""
    statement = (
        select(RULE_RUN).join_from(RULE_EFFECT, RULE_RUN, N.id == E.run_id).where(E.seq == seq)
    )
    row = connection.execute(statement).mappings().first()
    if row is None:
        return Cause()
    return _run(row).chain.followed_by(row["rule_id"], row["object_id"])


def add_effects(tx: Tx, run_id: str, seqs: Iterable[int]) -> None:
    """Notes which events came of a run."""
    values: list[Mapping[str, Any]] = [
        {"seq": seq, "run_id": run_id} for seq in seqs
    ]  # Any: values
    if values:
        tx.later(insert(RULE_EFFECT), values)


# runs


def has_run(connection: Connection, rule_id: str, cause: str) -> bool:
    """True when a rule has been asked about a cause already."""
    statement = select(N.id).where(N.rule_id == rule_id, N.cause == cause)
    return connection.execute(statement).first() is not None


def acted_lately(connection: Connection, rule_id: str, object_id: str, *, since_ms: int) -> int:
    """How often a rule has acted on an object since an instant."""
    statement = select(func.count()).where(
        N.rule_id == rule_id,
        N.object_id == object_id,
        N.at_ms > since_ms,
        N.outcome.in_(ACTED),
    )
    return int(connection.execute(statement).scalar_one())


def held_lately(connection: Connection, rule_id: str, *, since_ms: int) -> int:
    """How often a rule was held back since an instant because it would not have come to an end."""
    statement = select(func.count()).where(
        N.rule_id == rule_id, N.at_ms > since_ms, N.held.in_(("depth", "rate"))
    )
    return int(connection.execute(statement).scalar_one())


def runs_held(connection: Connection, run: Run, *, since_ms: int) -> int:
    """How often a run's rule was held back since an instant so that it looks as if it ran away.

    What no rule led to counts once for an object: somebody who writes a lot stops no rule. ``run``
    is counted too, whether it was kept already or not.
    """
    own = and_(N.held == "rate", N.chain == "[]")
    what = case((own, N.object_id), else_=N.id)
    here = run.thing.id if run.held == "rate" and not run.chain.chain else run.id
    statement = select(func.count(what.distinct())).where(
        N.rule_id == run.rule_id,
        N.at_ms > since_ms,
        N.held.in_(("depth", "rate")),
        what != here,
    )
    return int(connection.execute(statement).scalar_one()) + 1


def add_run(tx: Tx, run: Run) -> None:
    """Keeps what a rule did."""
    tx.later(insert(RULE_RUN), _run_values(run))


def change_run(tx: Tx, run: Run) -> None:
    """Keeps what became of a run that had been put off."""
    values = _run_values(run)
    del values["id"]
    tx.later(update(RULE_RUN).where(N.id == run.id).values(values))


def take_run(tx: Tx, run_id: str) -> Run | None:
    """A run that is put off, kept from other processes until the commit; None when one has it."""
    statement = select(RULE_RUN).where(N.id == run_id, N.due_at_ms.is_not(None))
    row = tx.execute(statement.with_for_update(skip_locked=True)).mappings().first()
    return None if row is None else _run(row)


def due_runs(connection: Connection, *, at_ms: int, limit: int) -> list[str]:
    """The runs that were put off until now, the longest overdue first."""
    statement = select(N.id).where(N.due_at_ms <= at_ms).order_by(N.due_at_ms).limit(limit)
    return list(connection.execute(statement).scalars())


def runs_of(
    connection: Connection,
    rule_id: str,
    *,
    outcome: str | None = None,
    before: tuple[int, str] | None = None,
    limit: int,
) -> list[Run]:
    """What a rule did, the latest first; what only did not match is left out."""
    statement = select(RULE_RUN).where(N.rule_id == rule_id, N.outcome != "passed")
    if outcome is not None:
        statement = statement.where(N.outcome == outcome)
    if before is not None:
        at_ms, run_id = before
        statement = statement.where(or_(N.at_ms < at_ms, and_(N.at_ms == at_ms, N.id < run_id)))
    statement = statement.order_by(N.at_ms.desc(), N.id.desc()).limit(limit)
    return [_run(row) for row in connection.execute(statement).mappings()]


def tallies(connection: Connection, *, since_ms: int) -> dict[str, Tally]:
    """How each rule fared since an instant."""
    statement = (
        select(N.rule_id, N.outcome, func.count(), func.max(N.at_ms))
        .where(N.at_ms > since_ms, N.outcome != "passed")
        .group_by(N.rule_id, N.outcome)
    )
    found: dict[str, Tally] = {}
    for rule_id, outcome, count, last in connection.execute(statement):
        one = found.get(rule_id, Tally())
        found[rule_id] = Tally(
            acted=one.acted + (count if outcome in ACTED else 0),
            failed=one.failed + (count if outcome in ("failed", "partly") else 0),
            held=one.held + (count if outcome == "held" else 0),
            last_at_ms=max(last, one.last_at_ms or 0),
        )
    return found


def forget_runs(tx: Tx, *, before_ms: int, limit: int) -> int:
    """How many runs of long ago are removed, a few at a time; none that is still put off."""
    statement = select(N.id).where(N.at_ms < before_ms, N.due_at_ms.is_(None))
    old = list(tx.execute(statement.order_by(N.at_ms).limit(limit)).scalars())
    if old:
        tx.later(delete(RULE_EFFECT).where(E.run_id.in_(old)))
        tx.later(delete(RULE_RUN).where(N.id.in_(old)))
    return len(old)


def place_names(
    connection: Connection, things: Collection[Thing]
) -> dict[str, tuple[str, str | None]]:
    """What objects are called, and the conversation or customer that leads to them, by id."""
    ids = {kind: [one.id for one in things if one.kind == kind] for kind in ("ticket", "order")}
    found: dict[str, tuple[str, str | None]] = {}
    tickets = select(TICKET.c.id, TICKET.c.number).where(TICKET.c.id.in_(ids["ticket"]))
    for key, number in connection.execute(tickets):
        found[key] = (number, key)
    orders = select(ORDER.c.id, ORDER.c.number, ORDER.c.customer_id).where(
        ORDER.c.id.in_(ids["order"])
    )
    for key, number, customer_id in connection.execute(orders):
        found[key] = (number, customer_id)
    carts = [one.id for one in things if one.kind == "cart"]
    owners = select(CART.c.id, CART.c.customer_id).where(CART.c.id.in_(carts))
    for key, customer_id in connection.execute(owners):
        found[key] = ("", customer_id)
    return found


def customer_of(connection: Connection, thing: Thing) -> str | None:
    """Whose an object is, None when it is nobody's or gone."""
    target = {"order": ORDER, "cart": CART}.get(thing.kind, CONVERSATION)
    statement = select(target.c.customer_id).where(target.c.id == thing.id)
    found = connection.execute(statement).scalar_one_or_none()
    return None if found is None else str(found)


# for what its time has come


def due_things(connection: Connection, rule: Rule, *, at_ms: int, limit: int) -> list[Thing]:
    """The objects of which so much time has passed that a rule looks at them now, once each.

    Only those whose time came after the rule began to look: a rule applies forward.
    """
    trigger = rule.plan.trigger
    if trigger.time is None:
        return []
    span_ms = trigger.minutes * MINUTE_MS
    low = max(rule.since_ms, at_ms - LOOK_BACK_MS) - span_ms
    statement, since = _anchored(trigger.time, above=low, up_to=at_ms - span_ms)
    key = statement.selected_columns[0]
    cause = literal("t:") + key + literal(":") + cast(since, String)
    known = exists().where(N.rule_id == rule.id, N.cause == cause)
    rows = connection.execute(statement.where(~known).order_by(since, key).limit(limit))
    return [_thing(trigger.time, *row) for row in rows]


def still_due(connection: Connection, rule: Rule, thing: Thing) -> bool:
    """True when an object is still as it was found: the same instant counts, and it is not over."""
    trigger = rule.plan.trigger
    if trigger.time is None or thing.since_ms is None:
        return trigger.time is None
    since_ms = thing.since_ms
    statement, _ = _anchored(trigger.time, above=since_ms - 1, up_to=since_ms)
    key = statement.selected_columns[0]
    return connection.execute(statement.where(key == thing.id)).first() is not None


def lately(connection: Connection, trigger: Trigger, *, at_ms: int, limit: int) -> list[Thing]:
    """What a rule with this trigger would have looked at in the last 30 days, the latest first.

    Of a time trigger: what its time came for in these days, and is so still.
    """
    if trigger.time is not None:
        span_ms = trigger.minutes * MINUTE_MS
        low = at_ms - 30 * DAY_MS - span_ms
        statement, since = _anchored(trigger.time, above=low, up_to=at_ms - span_ms)
        rows = connection.execute(statement.order_by(since.desc()).limit(limit))
        return [_thing(trigger.time, *row) for row in rows]
    if "order" in trigger.on:
        o = ORDER.c
        orders = (
            select(o.id, o.customer_id, literal("order"), o.created_at_ms)
            .where(o.created_at_ms > at_ms - 30 * DAY_MS, o.customer_id.is_not(None))
            .order_by(o.created_at_ms.desc(), o.id.desc())
            .limit(limit)
        )
        return [_thing("order_placed", *row) for row in connection.execute(orders)]
    c = CONVERSATION.c
    channel = (
        []
        if trigger.on == {"chat", "ticket"}
        else [c.channel == "ticket" if trigger.on == {"ticket"} else c.channel != "ticket"]
    )
    # Two walks along an index each instead of one through everything.
    found: dict[str, Thing] = {}
    for statuses, since_ms in ((("open", "snoozed"), 0), (("resolved", "closed"), 30 * DAY_MS)):
        for status in statuses:
            talks = (
                select(c.id, c.customer_id, c.channel, c.last_activity_at_ms)
                .where(
                    c.status == status,
                    c.last_activity_at_ms > (at_ms - since_ms if since_ms else 0),
                    *channel,
                )
                .order_by(c.last_activity_at_ms.desc())
                .limit(limit)
            )
            for row in connection.execute(talks):
                found.setdefault(row[0], _thing("talk", *row))
    ordered = sorted(found.values(), key=lambda one: (-(one.since_ms or 0), one.id))
    return [replace(one, since_ms=None) for one in ordered[:limit]]


def order_has(connection: Connection, thing: Thing, trigger: Trigger) -> bool:
    """True when what a trigger names has happened to an order, by what is known of it now."""
    o = ORDER.c
    happened = {
        "order_placed": o.created_at_ms.is_not(None),
        "order_paid": o.paid_at_ms.is_not(None),
        "order_refunded": o.refunded_minor > 0,
        "order_cancelled": o.cancelled_at_ms.is_not(None),
    }
    wanted = [happened[name] for name in trigger.events if name in happened]
    statement = select(o.id).where(o.id == thing.id, or_(*wanted))
    return connection.execute(statement).first() is not None


_STATES = {
    "ticket_new": "new",
    "ticket_pending": "pending_customer",
    "ticket_on_hold": "on_hold",
    "ticket_resolved": "resolved",
}


def _anchored(
    name: str, *, above: int, up_to: int
) -> tuple[Select[Any], Column[Any]]:  # Any: texts and numbers
    """Objects with the instant from which a trigger counts: id, customer, kind, since."""
    c, t, o, k = CONVERSATION.c, TICKET.c, ORDER.c, CART.c
    since: Column[Any]
    where: list[ColumnElement[bool]]
    if name in _STATES:
        since, where = t.state_at_ms, [t.state == _STATES[name]]
        found = select(t.id, t.customer_id, literal("ticket"), since)
    elif name == "cart_abandoned":
        since = k.updated_at_ms
        where = [k.ordered_at_ms.is_(None), k.customer_id.is_not(None), k.total_minor > 0]
        found = select(k.id, k.customer_id, literal("cart"), since)
    elif TIMES[name].on == {"order"}:
        late = name == "parcel_late"
        since = o.promised_at_ms if late else o.delivered_at_ms
        # What came from a file is history.
        where = [o.customer_id.is_not(None), o.batch.is_(None), o.test.is_(False)]
        where += [text(UNDERWAY)] if late else [o.cancelled_at_ms.is_(None)]  # type: ignore[list-item]  # a condition
        found = select(o.id, o.customer_id, literal("order"), since)
    else:
        column = {
            "waiting": c.waiting_since_ms,
            "silent": c.last_activity_at_ms,
            "in_queue": c.queued_at_ms,
        }
        # Of what waits there is little, and SQLite would rather walk through all that is open.
        over = ("snoozed", "resolved", "closed", "spam")
        open_ones = c.status == "open" if name == "silent" else c.status.not_in(over)
        since, where = column[name], [open_ones]
        if name != "waiting":
            where.append(c.channel != "ticket")
        found = select(c.id, c.customer_id, c.channel, since)
    return found.where(since > above, since <= up_to, *where), since


def _thing(trigger: str, key: str, customer_id: str | None, kind: str, since_ms: int) -> Thing:
    known: dict[str, Subject] = {"ticket": "ticket", "order": "order", "cart": "cart"}
    timed = since_ms if trigger in TIMES or trigger == "talk" else None
    return Thing(known.get(kind, "chat"), key, customer_id, since_ms=timed)


_RULES = select(RULE, V.plan).join_from(
    RULE, RULE_VERSION, and_(V.rule_id == R.id, V.version == R.version)
)


def _rule(row: RowMapping) -> Rule:
    """The rule of a row; one that this version of the program cannot read is off and says so."""
    values = orjson.loads(row["plan"])
    try:
        plan, readable = read_plan(values), True
    except InvalidInput:
        plan, readable = Plan(str(values.get("name", "")), Trigger(), When(), ()), False
    return Rule(
        id=row["id"],
        version=row["version"],
        plan=plan,
        enabled=bool(row["enabled"]) and readable,
        position=row["position"],
        since_ms=row["since_ms"],
        stopped=row["stopped"] if readable else "unreadable",
        updated_at_ms=row["updated_at_ms"],
        updated_by=row["updated_by"],
    )


def _run_values(run: Run) -> Json:
    return {
        "id": run.id,
        "rule_id": run.rule_id,
        "version": run.version,
        "cause": run.cause,
        "seq": run.seq,
        "subject": run.thing.kind,
        "object_id": run.thing.id,
        "conversation_id": run.thing.conversation_id,
        "at_ms": run.at_ms,
        "outcome": run.outcome,
        "held": run.held,
        "chain": dumps([list(pair) for pair in run.chain.chain]),
        "why": dumps(list(run.why)),
        "steps": dumps(list(run.steps)),
        "due_at_ms": run.due_at_ms,
    }


def _run(row: RowMapping) -> Run:
    chain = tuple((str(rule), str(thing)) for rule, thing in orjson.loads(row["chain"]))
    return Run(
        id=row["id"],
        rule_id=row["rule_id"],
        version=row["version"],
        cause=row["cause"],
        thing=Thing(row["subject"], row["object_id"], None),
        at_ms=row["at_ms"],
        outcome=row["outcome"],
        seq=row["seq"],
        held=row["held"],
        chain=Cause(chain),
        why=orjson.loads(row["why"]),
        steps=orjson.loads(row["steps"]),
        due_at_ms=row["due_at_ms"],
    )
