"""Laws of rules: whatever they are let loose on comes to an end, and reading twice changes nothing.

The first by the guard alone, on any rules; the second with everything in place.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from functools import partial
from typing import Any  # Any: JSON values

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.actions import conversations, rules, tickets
from server.actions.conversations import Tag
from server.actions.payload import parse
from server.domain.actors import Actor
from server.domain.rules import (
    MAX_DEPTH,
    Cause,
    Clause,
    Group,
    When,
    held_back,
    judge,
    plan_json,
    read_plan,
)
from server.jobs import automation as job
from server.reports.verify import verify
from server.storage.ticket_rows import load_ticket
from tests.actions.scene import Scene

# A rule of the model: on which kind it acts, and what kinds its effects have, on which object.
Model = tuple[str, list[tuple[str, int]]]
KINDS = st.sampled_from("abc")
MODELS = st.lists(
    st.tuples(KINDS, st.lists(st.tuples(KINDS, st.integers(0, 2)), max_size=3)),
    min_size=1,
    max_size=5,
)


@given(MODELS, st.lists(st.tuples(KINDS, st.integers(0, 2)), max_size=5))
def test_any_cascade_ends(models: list[Model], events: list[tuple[str, int]]) -> None:
    waiting = deque((kind, thing, Cause()) for kind, thing in events)
    acted: Counter[tuple[int, int]] = Counter()
    steps = 0
    while waiting:
        steps += 1
        # Five rules with three effects each, five deep, from five events: it cannot be more.
        assert steps <= len(events) * sum(15**depth for depth in range(MAX_DEPTH + 1))
        kind, thing, cause = waiting.popleft()
        for number, (on, effects) in enumerate(models):
            lately = acted[number, thing]
            if on != kind or held_back(str(number), str(thing), cause, lately=lately):
                continue
            acted[number, thing] += 1
            after = cause.followed_by(str(number), str(thing))
            assert len(after.chain) <= MAX_DEPTH
            assert len(set(after.chain)) == len(after.chain)
            waiting += [(made, other, after) for made, other in effects]


CLAUSES = st.builds(
    Clause,
    st.sampled_from(["conversation.tag", "ticket.type"]),
    st.sampled_from(["in", "not_in"]),
    st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True).map(tuple),
)
JOINS = st.sampled_from(["all", "any"])
WHENS = st.builds(
    When,
    JOINS,
    st.lists(st.builds(Group, JOINS, st.lists(CLAUSES, max_size=3).map(tuple)), max_size=3).map(
        tuple
    ),
)


@given(WHENS, st.sets(CLAUSES))
def test_a_verdict_is_what_the_groups_say_and_its_reasons_hold(
    when: When, true: set[Clause]
) -> None:
    verdict = judge(when, lambda clause: clause in true)
    met = [
        any(one in true for one in group.clauses)
        if group.join == "any"
        else all(one in true for one in group.clauses)
        for group in when.groups
    ]
    assert verdict.matched == (all(met) if when.join == "all" else not met or any(met))
    assert set(verdict.because) <= true
    assert not set(verdict.missing) & true


# With everything in place.

TRIGGERS = st.lists(
    st.sampled_from(
        [
            "customer_wrote",
            "note_written",
            "tagged",
            "assigned",
            "chat_ended",
            "reopened",
            "ticket_created",
            "ticket_state",
            "ticket_priority",
        ]
    ),
    min_size=1,
    max_size=3,
    unique=True,
)
TALK = [
    {"do": "add_tag", "tags": ["x"]},
    {"do": "remove_tag", "tags": ["x"]},
    {"do": "add_tag", "tags": ["y", "z"]},
    {"do": "assign_agent", "agent": "lin"},
    {"do": "note", "text": "Look"},
    {"do": "post_message", "en": "Hello", "zh": "您好"},
    {"do": "make_ticket", "type": "question", "subject": "Again"},
    {"do": "snooze", "minutes": 30},
    {"do": "close", "reason": "not_needed"},
]
ASKS = st.lists(
    st.sampled_from(
        [
            {"field": "conversation.tag", "op": "in", "values": ["x"]},
            {"field": "conversation.tag", "op": "not_in", "values": ["y"]},
            {"field": "conversation.owned", "op": "is", "values": [True]},
        ]
    ),
    max_size=1,
)
PLANS = st.builds(
    lambda on, asks, then: {
        "name": "Any rule",
        "on": {"events": on},
        "when": {"groups": [{"join": "all", "clauses": asks}]},
        "then": then,
    },
    TRIGGERS,
    ASKS,
    st.lists(st.sampled_from(TALK), min_size=1, max_size=3),
)
DOINGS = st.lists(
    st.sampled_from(["write", "answer", "note", "tag", "resolve", "reopen", "ticket"]),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=4,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(PLANS, min_size=1, max_size=4), DOINGS)
def test_any_rules_leave_a_shop_at_peace_and_reading_again_changes_nothing(
    scene: Scene, plans: list[dict[str, Any]], doings: list[str]
) -> None:
    scene.begin()
    look(scene)
    lead = scene.person("lead", role="supervisor", status="offline")
    lin = scene.person("lin")
    for values in plans:
        assert plan_json(read_plan(plan_json(read_plan(values)))) == plan_json(read_plan(values))
        save = partial(rules.save, actor=lead, values=values, rule_id=None, version=0, enabled=True)
        scene.database.write_now(save)
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    for doing in doings:
        _do(scene, doing, shopper, lin, chat)
        look(scene)
    # One look reads to the end of what the looks before it brought about.
    for _ in range(MAX_DEPTH + 1):
        look(scene)
    quiet = [event.seq for event in scene.log()]
    look(scene)
    assert [event.seq for event in scene.log()] == quiet
    assert scene.database.read_now(lambda c: list(verify(c))) == []
    for event in scene.log():
        if event.kind == "ticket.created":
            key = event.conversation_id or ""
            ticket = scene.database.read_now(partial(load_ticket, ticket_id=key))
            assert ticket is not None
            assert not ticket.over or ticket.reason is not None or ticket.may_rest


def look(scene: Scene) -> None:
    async def both() -> None:
        await job.follow(scene.database)
        await job.watch(scene.database)

    asyncio.run(both())


def _do(scene: Scene, doing: str, shopper: Actor, lin: Actor, chat: str) -> None:
    scene.time.pass_s(5)
    match doing:
        case "write":
            scene.post(shopper, "And?", chat)
        case "answer":
            scene.post(lin, "Yes", chat)
        case "note":
            scene.post(lin, "Hm", chat, visibility="private")
        case "tag":
            scene.do(conversations.tag, lin, Tag(conversation_id=chat, add=["x"], remove=[]))
        case "ticket":
            payload = {"type": "question", "subject": "?", "conversation_id": chat}
            scene.do(tickets.create, lin, parse(tickets.CreateTicket, payload))
        case _:
            scene.act(doing, lin, chat)
