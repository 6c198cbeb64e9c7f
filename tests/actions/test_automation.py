"""Rules at work: once for each cause, with a trail, without an end to others' work."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any  # Any: JSON values

import pytest

from server.actions import rules as manage
from server.actions import ticket_moves, tickets
from server.actions.desk import Look
from server.actions.payload import parse
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import Conflict, InvalidInput, NotAllowed
from server.domain.events import RuleApplied
from server.domain.rule_ready import READY, ready_plan
from server.domain.rules import MAX_HELD, read_plan
from server.jobs import automation as job
from server.reports.verify import verify
from server.storage import consents, customers, notes, rules
from server.storage.consents import Consent
from server.storage.notes import Preference
from server.storage.rules import Run
from server.storage.ticket_rows import load_ticket
from server.storage.unit import Tx
from tests.actions.scene import Scene

Json = dict[str, Any]  # Any: JSON values


def plan(on: str, *then: Json, when: list[Json] | None = None, **more: Any) -> Json:  # Any: JSON
    groups = [{"join": "all", "clauses": when}] if when else []
    return {
        "name": more.get("name", "A rule"),
        "on": {"time": on, "minutes": more["minutes"]} if "minutes" in more else {"events": [on]},
        "when": {"join": "all", "groups": groups},
        "then": list(then),
    }


def clause(name: str, op: str, *values: Any) -> Json:  # Any: JSON values
    return {"field": name, "op": op, "values": list(values)}


def add(scene: Scene, lead: Actor, values: Json) -> str:
    return scene.database.write_now(
        partial(manage.save, actor=lead, values=values, rule_id=None, version=0, enabled=True)
    )


def look(scene: Scene) -> None:
    """What the jobs do."""

    async def both() -> None:
        await job.follow(scene.database)
        await job.watch(scene.database)

    asyncio.run(both())


def runs(scene: Scene, rule_id: str) -> list[Run]:
    return scene.database.read_now(lambda c: rules.runs_of(c, rule_id, limit=100))


def said(scene: Scene, chat: str) -> list[str]:
    return [e.data.en for e in scene.events(chat) if isinstance(e.data, RuleApplied)]


@pytest.fixture
def lead(scene: Scene) -> Actor:
    look(scene)
    return scene.person("lead", role="supervisor", status="offline")


def test_a_rule_acts_once_and_says_what_it_did_and_why(scene: Scene, lead: Actor) -> None:
    rule = add(
        scene,
        lead,
        plan(
            "customer_wrote",
            {"do": "add_tag", "tags": ["refund"]},
            {"do": "post_message", "en": "A person will look.", "zh": "客服会处理。"},
            when=[clause("message.text", "has", "refund", "退款")],
            name="Refunds",
        ),
    )
    chat = scene.chat(body="Where is my Refund?")
    other = scene.chat(body="Hello")
    look(scene)
    look(scene)
    assert scene.state(chat).tags == ("refund",)
    assert scene.state(other).tags == ()
    assert said(scene, chat) == [
        "Rule “Refunds” added the tag “refund” and wrote to the customer,"
        " because what the customer wrote contains “refund” or “退款”"
    ]
    [run] = runs(scene, rule)
    assert (run.outcome, [one["outcome"] for one in run.steps]) == ("done", ["done", "done"])
    assert "A person" not in str(run.steps), "texts stay in the version"
    # The words of a bot answer nothing: the shopper still waits.
    assert scene.state(chat).turn is not None
    assert scene.database.read_now(lambda c: list(verify(c))) == []
