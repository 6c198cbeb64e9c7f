"""What an import brings takes nobody's place; live shoppers are served as if it were not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any  # Any: JSON

import pytest

from server.actions.imports import import_events
from tests.importers.conftest import Desktop

AT = 1_762_171_200_000


def row(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "ts": AT + number * 1000,
        "kind": kind,
        "conversation": "c1",
        "customer": "buyer-1",
        "actor_kind": "customer",
        "data": {},
    } | more


def bring(desktop: Desktop, folder: Path, *rows: dict[str, Any]) -> None:
    path = folder / "events.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    assert import_events(desktop.database, path).rejected == []


QUESTION = row(1, "message.posted", data={"body": "hello?"})
QUEUED = row(2, "queue.entered", actor_kind="system")
TAKEN = row(3, "assignment.accepted", actor_kind="agent", actor="amy@shop.example")


def test_a_queue_of_another_desk_is_pulled_by_nobody(desktop: Desktop, tmp_path: Path) -> None:
    bring(desktop, tmp_path, QUESTION, QUEUED)
    scene = desktop.scene
    amy = scene.person("amy")
    assert scene.state(desktop.conversation("c1")).assignee_id is None
    live = scene.chat()
    scene.act("resolve", amy, live)
    assert scene.state(desktop.conversation("c1")).assignee_id is None
    assert desktop.differences() == []


def test_open_chats_of_another_desk_fill_no_colleagues_places(
    desktop: Desktop, tmp_path: Path
) -> None:
    scene = desktop.scene
    amy = scene.person("amy", capacity=1)
    bring(desktop, tmp_path, QUESTION, QUEUED, TAKEN)
    assert scene.load(amy) == 0
    assert scene.state(scene.chat()).assignee_id == "amy"
    assert desktop.differences() == []


@pytest.mark.parametrize("rows", [(QUESTION, QUEUED), (QUESTION, QUEUED, TAKEN)])
def test_when_the_shopper_writes_the_chat_is_placed(
    desktop: Desktop, tmp_path: Path, rows: tuple[dict[str, Any], ...]
) -> None:
    scene = desktop.scene
    amy = scene.person("amy", status="away")
    bring(desktop, tmp_path, *rows)
    scene.post(desktop.signed_in("buyer-1"))
    assert scene.state(desktop.conversation("c1")).queued_at_ms is not None
    scene.presence(amy, "online")
    assert scene.state(desktop.conversation("c1")).assignee_id == "amy"
    assert desktop.differences() == []


def test_what_a_colleague_has_claimed_stays_theirs(desktop: Desktop, tmp_path: Path) -> None:
    scene = desktop.scene
    amy = scene.person("amy")
    bring(desktop, tmp_path, QUESTION, QUEUED, TAKEN)
    scene.act("claim", amy, desktop.conversation("c1"))
    bring(desktop, tmp_path, row(9, "message.posted", data={"body": "and one more"}))
    assert scene.state(desktop.conversation("c1")).assignee_id == "amy"
    assert desktop.differences() == []


def test_people_who_cannot_sign_in_keep_what_the_log_gives_them(
    desktop: Desktop, tmp_path: Path
) -> None:
    bring(desktop, tmp_path, QUESTION, QUEUED, TAKEN)
    assert desktop.scene.state(desktop.conversation("c1")).assignee_id is not None
    assert "assignment.ended" not in desktop.scene.kinds(desktop.conversation("c1"))
