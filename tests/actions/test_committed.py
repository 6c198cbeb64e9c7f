"""What a commit hands to those who tell of it: texts and states, so that no read is needed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.domain.errors import NotFound
from server.storage.database import Committed
from server.storage.messages import messages_by_id
from tests.actions.scene import Scene


def heard(scene: Scene) -> list[Committed]:
    told: list[Committed] = []

    def hear(batch: Sequence[Committed]) -> None:
        told.extend(batch)

    scene.database.on_commit = hear
    return told


def test_a_commit_carries_its_texts_and_states_as_they_are_stored(scene: Scene) -> None:
    ada, shopper = scene.person("ada"), scene.shopper()
    told = heard(scene)
    chat = scene.chat(shopper, "Is the oak table in stock?")
    scene.post(ada, "It is. 有货。", chat, blocks=[{"type": "link", "url": "https://a.example"}])
    scene.post(ada, "Ask for a discount?", chat, visibility="private")
    written = [message for committed in told for message in committed.messages]
    stored = scene.database.read_now(lambda c: messages_by_id(c, [m.id for m in written]))
    assert [m.body for m in written] == [
        "Is the oak table in stock?",
        "It is. 有货。",
        "Ask for a discount?",
    ]
    assert [stored[m.id] for m in written] == written
    assert [c.id for committed in told for c in committed.conversations] == [chat] * 3
    assert told[-1].conversations == (scene.state(chat),)


def test_a_commit_without_a_conversation_carries_none(scene: Scene) -> None:
    ada = scene.person("ada")
    told = heard(scene)
    scene.presence(ada, "away")
    assert [(c.messages, c.conversations) for c in told] == [((), ())]


def test_what_was_refused_is_not_told(scene: Scene) -> None:
    chat = scene.chat()
    told = heard(scene)
    with pytest.raises(NotFound):
        scene.post(scene.shopper(), "Hello", chat)
    assert told == []
