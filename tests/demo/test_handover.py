"""Whoever opens the demo's console finds the chats that wait, not a full queue beside no work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.actions import people
from server.actions.imports import import_events
from server.actions.presence import SetPresence, set_presence
from server.demo.handover import hand_over
from server.demo.history import history
from server.demo.people import DEMO_PEOPLE
from server.domain.actors import SYSTEM, Actor
from server.storage import conversations
from server.storage.database import Database
from server.storage.people import load_person
from server.storage.unit import Tx
from tests.demo.test_history import NOW_MS
from tests.reports.worked_example import open_shop

# Nothing here is different elsewhere.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WHO = "chen.hao@mori-oak.example"


def test_who_comes_online_is_given_what_waits(database: Database, tmp_path: Path) -> None:
    open_shop(database)

    def add(tx: Tx) -> dict[str, str]:
        return {
            one.email: people.add_person(
                tx, SYSTEM, email=one.email, name=one.name.en, role=one.role,
                password_hash="x", languages=one.speaks, capacity=one.capacity,
            )
            for one in DEMO_PEOPLE
        }  # fmt: skip

    ids = database.write_now(add)
    rows = tmp_path / "rows.ndjson"
    told = [row for row in history(now_at_ms=NOW_MS, days=1) if "open" in str(row["conversation"])]
    rows.write_text("\n".join(map(json.dumps, told)), "utf-8")
    assert import_events(database, rows).rejected == []
    database.write_now(hand_over)
    person = database.read_now(lambda c: load_person(c, ids[WHO]))
    assert person is not None
    lead = Actor("agent", "x", role="supervisor")
    desk = database.read_now(lambda c: conversations.on_desk(c, lead))
    still = [one.conversation for one in desk if one.conversation.status == "open"]
    queued = {one.id for one in still if one.queued_at_ms is not None}
    # Nobody stands in the queue who has an answer, and all the others do.
    assert queued == {one.id for one in still if one.turn is not None}
    assert all(one.assignee_id for one in still if one.id not in queued)
    database.write_now(lambda tx: set_presence(tx, person.actor, SetPresence(status="online")))
    mine = database.read_now(lambda c: conversations.of_assignee(c, ids[WHO]))
    assert len(queued) > 5
    assert len(queued & set(mine)) == min(len(queued), person.capacity - len(set(mine) - queued))
