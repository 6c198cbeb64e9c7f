"""Targets of chats and tickets: applied, warned, met and missed, each told once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest

from server.actions import targets as actions
from server.actions import tickets as ticket_actions
from server.actions.payload import parse
from server.actions.tickets import CreateTicket, ReplyTicket
from server.domain.actors import Actor
from server.domain.errors import Conflict, NotAllowed
from server.domain.events import SlaApplied
from server.domain.spans import MINUTE_MS
from server.domain.targets import DEFAULTS, Policy, Target
from server.jobs import targets as job
from server.reports.verify import verify
from server.storage import targets
from server.storage.ticket_rows import load_ticket
from tests.actions.scene import Scene

ROUND = {"round": Target(180, "second", "calendar", warn_percent=50)}
CHATS = Policy("Chats", {"channel": ("chat",)}, ROUND)


def put(scene: Scene, lead: Actor, policies: Sequence[Policy], version: int = 0) -> int:
    return scene.database.write_now(
        partial(actions.set_policies, actor=lead, policies=policies, version=version)
    )


def look(scene: Scene) -> None:
    """What the jobs do."""

    async def both() -> None:
        await job.follow(scene.database)
        await job.watch(scene.database)

    asyncio.run(both())


def told(scene: Scene, chat: str) -> list[str]:
    return [kind for kind in scene.kinds(chat) if kind.startswith("sla.")]


@pytest.fixture
def lead(scene: Scene) -> Actor:
    look(scene)
    return scene.person("lead", role="supervisor", status="offline")


def test_a_round_is_warned_of_and_missed_once(scene: Scene, lead: Actor) -> None:
    lin = scene.person("lin")
    put(scene, lead, [CHATS])
    chat = scene.chat()
    look(scene)
    assert told(scene, chat) == ["sla.applied"]
    scene.time.pass_s(100)
    look(scene)
    look(scene)
    assert told(scene, chat) == ["sla.applied", "sla.warned"]
    scene.time.pass_s(100)
    look(scene)
    look(scene)
    assert told(scene, chat) == ["sla.applied", "sla.warned", "sla.breached"]
    assert scene.database.read_now(targets.count_missed) == 1
    scene.post(lin, "Here I am", chat)
    look(scene)
    assert told(scene, chat) == ["sla.applied", "sla.warned", "sla.breached"]
    assert scene.database.read_now(targets.count_missed) == 0
    assert scene.database.read_now(lambda c: list(verify(c))) == []


def test_an_answer_in_time_meets_the_target_and_the_next_round_has_a_clock_of_its_own(
    scene: Scene, lead: Actor
) -> None:
    lin = scene.person("lin")
    put(scene, lead, [CHATS])
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    scene.time.pass_s(10)
    scene.post(lin, "Yes", chat)
    look(scene)
    scene.post(shopper, "And?", chat)
    scene.time.pass_s(200)
    look(scene)
    assert told(scene, chat) == ["sla.applied", "sla.met", "sla.breached"]
    numbers = [getattr(e.data, "number", None) for e in scene.events(chat)]
    assert [n for n in numbers if n is not None] == [1, 2]


def test_what_began_before_keeps_what_it_was_promised_until_it_is_applied_anew(
    scene: Scene, lead: Actor
) -> None:
    scene.person("lin")
    put(scene, lead, [CHATS])
    chat = scene.chat()
    look(scene)
    scene.time.pass_s(60)
    short = Policy("Chats", {"channel": ("chat",)}, {"round": Target(30, "second", "calendar")})
    assert put(scene, lead, [short], version=1) == 2
    look(scene)
    assert "sla.breached" not in told(scene, chat)
    found, more = scene.database.read_now(lambda c: actions.matching(c, [short]))
    assert (found, more) == ({"Chats": [chat]}, False)
    anew = partial(actions.apply_anew, actor=lead, conversation_id=chat)
    assert scene.database.write_now(anew)
    assert told(scene, chat)[-2:] == ["sla.applied", "sla.breached"]
    assert not scene.database.write_now(anew)
    applied = [e.data for e in scene.events(chat) if isinstance(e.data, SlaApplied)]
    assert [data.version for data in applied] == [1, 2]


def test_a_ticket_has_targets_without_anybody_having_set_any(scene: Scene, lead: Actor) -> None:
    lin = scene.person("lin")
    shopper = scene.shopper()
    payload = parse(
        CreateTicket, {"type": "question", "subject": "Where is it", "customer_id": shopper.id}
    )
    ticket_id = str(scene.do(ticket_actions.create, lin, payload)["ticket_id"])
    look(scene)
    assert told(scene, ticket_id) == ["sla.applied"]
    ticket = scene.database.read_now(lambda c: load_ticket(c, ticket_id))
    assert ticket is not None
    # Four hours of a shop that is always open.
    assert ticket.next_due == "first_response"
    assert ticket.next_due_at_ms == ticket.created_at_ms + 240 * MINUTE_MS
    promise = scene.database.read_now(
        lambda c: actions.promise_of(c, ticket_id, at_ms=scene.time.at_ms)
    )
    assert promise is not None
    assert promise.policy == DEFAULTS[1]
    scene.time.pass_s(60)
    reply = parse(ReplyTicket, {"ticket_id": ticket_id, "client_id": "1", "body": "On its way"})
    scene.do(ticket_actions.reply, lin, reply)
    look(scene)
    assert told(scene, ticket_id) == ["sla.applied", "sla.met"]
    ticket = scene.database.read_now(lambda c: load_ticket(c, ticket_id))
    assert ticket is not None
    assert ticket.next_due == "resolution"


def test_the_list_is_changed_by_leads_who_have_seen_the_latest(scene: Scene, lead: Actor) -> None:
    with pytest.raises(NotAllowed):
        put(scene, scene.person("lin"), [CHATS])
    assert put(scene, lead, [CHATS]) == 1
    assert put(scene, lead, [CHATS], version=1) == 1
    with pytest.raises(Conflict):
        put(scene, lead, [], version=0)
    lists = scene.database.read_now(targets.load_lists)
    assert [(one.version, one.by) for one in lists] == [(0, None), (1, "Lead")]
    assert [e.kind for e in scene.log() if e.kind.startswith("definition")] == [
        "definition.activated"
    ]
