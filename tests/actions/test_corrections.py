"""What is voided counts no more from then on, and only that."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.actions.corrections import Void, void
from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from server.domain.events import CorrectionVoided, Event
from server.domain.replay import replay
from server.reports.corrections import count_voids
from server.reports.scope import Scope
from server.reports.verify import verify
from server.storage.event_log import conversation_events
from tests.actions.scene import Scene
from tests.properties.test_reducer import logs


def correct(scene: Scene, actor: Actor, seq: int) -> int:
    answer = scene.do(void, actor, Void(target_seq=seq, reason="test"))
    return int(answer["seq"])


def seq_of(scene: Scene, chat: str, kind: str, number: int = 0) -> int:
    return [e.seq for e in scene.events(chat) if e.kind == kind][number]


def differences(scene: Scene) -> list[str]:
    return [str(one) for one in scene.database.read_now(lambda c: list(verify(c)))]


def answered_chat(scene: Scene, agent: Actor) -> tuple[str, Actor]:
    """Two questions, each answered after a minute."""
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    scene.time.pass_s(60)
    scene.post(agent, "Yes", chat)
    scene.time.pass_s(60)
    scene.post(shopper, "And blue?", chat)
    scene.time.pass_s(60)
    scene.post(agent, "Also", chat)
    return chat, shopper


def test_a_voided_message_is_as_if_it_had_not_been_written(scene: Scene) -> None:
    lead, lin = scene.person("lead", role="supervisor", status="offline"), scene.person("lin")
    chat, _ = answered_chat(scene, lin)
    before = scene.database.read_now(partial(conversation_events, conversation_id=chat))
    assert [turn.elapsed_ms for turn in scene.turns(chat)] == [60_000, 60_000]
    # Without the first answer the first question waited for the second one.
    voided = correct(scene, lead, seq_of(scene, chat, "message.posted", 1))
    assert [turn.elapsed_ms for turn in scene.turns(chat)] == [180_000]
    assert differences(scene) == []
    then = replay(before)
    assert then is not None
    assert len(then.turns) == 2
    # What was voided can count again.
    correct(scene, lead, voided)
    assert [turn.elapsed_ms for turn in scene.turns(chat)] == [60_000, 60_000]
    assert differences(scene) == []


def test_work_goes_on_after_a_void(scene: Scene) -> None:
    lead, lin = scene.person("lead", role="supervisor", status="offline"), scene.person("lin")
    chat, shopper = answered_chat(scene, lin)
    correct(scene, lead, seq_of(scene, chat, "message.posted", 2))
    assert len(scene.turns(chat)) == 1
    scene.post(shopper, "Green?", chat)
    scene.time.pass_s(5)
    scene.post(lin, "No", chat)
    assert [turn.elapsed_ms for turn in scene.turns(chat)] == [60_000, 5_000]
    assert differences(scene) == []


def test_voids_are_counted_with_the_period_of_what_they_void(scene: Scene) -> None:
    lead, lin = scene.person("lead", role="supervisor", status="offline"), scene.person("lin")
    chat, _ = answered_chat(scene, lin)
    asked_at_ms = scene.events(chat)[0].at_ms
    seq = correct(scene, lead, seq_of(scene, chat, "message.posted", 1))
    scope = Scope(timezone="Asia/Shanghai", as_of_ms=scene.time.at_ms)
    count = scene.database.read_now(partial(count_voids, scope=scope))
    assert count == 1
    for other in (
        replace(scope, as_of_seq=seq - 1),
        replace(scope, to_ms=asked_at_ms),
        replace(scope, channel="mail"),
    ):
        assert scene.database.read_now(partial(count_voids, scope=other)) == 0
    correct(scene, lead, seq)
    assert scene.database.read_now(partial(count_voids, scope=scope)) == 0


def test_what_people_work_on_is_not_changed_by_a_correction(scene: Scene) -> None:
    lead, lin = scene.person("lead", role="supervisor", status="offline"), scene.person("lin")
    chat, _ = answered_chat(scene, lin)
    scene.act("resolve", lin, chat)
    for kind, error in (
        ("conversation.opened", InvalidInput),
        ("session.started", InvalidInput),
        ("conversation.status_changed", Conflict),
    ):
        with pytest.raises(error):
            correct(scene, lead, seq_of(scene, chat, kind))
    seq = seq_of(scene, chat, "message.posted")
    with pytest.raises(NotAllowed):
        correct(scene, lin, seq)
    with pytest.raises(NotFound):
        correct(scene, lead, 10**9)
    correct(scene, lead, seq)
    with pytest.raises(Conflict):
        correct(scene, lead, seq)
    assert differences(scene) == []


def test_presence_can_be_voided_without_taking_anybody_offline(scene: Scene) -> None:
    lead, lin = scene.person("lead", role="supervisor", status="offline"), scene.person("lin")
    seq = next(e.seq for e in scene.log() if e.kind == "agent.presence_changed")
    correct(scene, lead, seq)
    assert lin.id is not None
    assert differences(scene) == []


@given(logs(), st.data())
def test_a_void_changes_nothing_but_what_its_target_did(
    events: list[Event], data: st.DataObject
) -> None:
    """The fold with a void is the fold of a log in which the target did nothing."""
    if len(events) < 2:
        return
    target = data.draw(st.sampled_from(events[1:]))
    last = events[-1]
    correction = replace(
        last,
        seq=last.seq + 1,
        event_id="void",
        data=CorrectionVoided(target_seq=target.seq),
        staff_seq=(last.staff_seq or 0) + 1,
        visitor_seq=None,
    )
    found = replay([*events, correction])
    idle = replace(target, data=CorrectionVoided(target_seq=10**9))
    same = replay([*(idle if e is target else e for e in events), correction])
    assert found == same
    undone = replace(
        correction,
        seq=correction.seq + 1,
        data=CorrectionVoided(target_seq=correction.seq),
        staff_seq=(correction.staff_seq or 0) + 1,
    )
    back, before = replay([*events, correction, undone]), replay(events)
    assert back is not None
    assert before is not None
    assert (back.turns, back.sessions) == (before.turns, before.sessions)
