"""A good log verifies; whatever is changed beside the log is found, named, and put right."""

from __future__ import annotations

from functools import partial

import pytest

from server.domain.actors import agent
from server.domain.events import AgentPresenceChanged
from server.reports.verify import Difference, verify
from server.storage.database import Database
from server.storage.people import insert_person, update_person
from server.storage.repair import rebuild


def differences(database: Database) -> list[Difference]:
    return database.read_now(lambda connection: list(verify(connection)))


def change(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_good_log_has_no_differences(example: Database) -> None:
    assert differences(example) == []


def test_an_empty_database_has_no_differences(database: Database) -> None:
    assert differences(database) == []


PLANTED = [
    ("UPDATE conversation SET status = 'resolved'", "status is 'resolved', the log says 'open'"),
    ("UPDATE conversation SET waiting_since_ms = NULL", "waiting_since_ms is None"),
    ("UPDATE conversation SET assignee_id = 'x'", "assignee_id is 'x'"),
    (
        """UPDATE conversation SET state = replace(state, '"messages":10', '"messages":11')""",
        "state.messages is 11",
    ),
    ("UPDATE conversation SET state = 'broken'", "state cannot be read"),
    ("UPDATE turn SET elapsed_ms = 1 WHERE turn_no = 1", "turn 1: elapsed_ms is 1"),
    ("UPDATE turn SET outcome = 'answered' WHERE turn_no = 3", "turn 3: outcome is 'answered'"),
    ("UPDATE turn SET shares = '[]' WHERE turn_no = 2", "turn 2: shares is []"),
    ("DELETE FROM turn WHERE turn_no = 4", "turn 4 is missing"),
    ("UPDATE turn SET turn_no = 9 WHERE turn_no = 4", "turn 9 is not in the log"),
    ("UPDATE chat_session SET rating = 1 WHERE session_no = 1", "session 1: rating is 1"),
    ("DELETE FROM chat_session WHERE session_no = 2", "session 2 is missing"),
    (
        "UPDATE message SET visibility = 'public' WHERE visibility = 'private'",
        "visibility is 'public', the log says 'private'",
    ),
    ("UPDATE message SET staff_seq = 99 WHERE staff_seq = 3", "staff_seq is 99"),
]


@pytest.mark.parametrize(("statement", "expected"), PLANTED)
def test_a_planted_difference_is_found_and_repaired(
    example: Database, statement: str, expected: str
) -> None:
    change(example, statement)
    found = differences(example)
    assert any(expected in difference.text for difference in found), found
    for conversation_id in {d.conversation_id for d in found}:
        assert conversation_id is not None
        example.write_now(partial(rebuild, conversation_id=conversation_id))
    assert differences(example) == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM message WHERE staff_seq = 3", "is missing"),
        ("UPDATE event SET staff_seq = 99 WHERE staff_seq = 20", "staff_seq 99, the log says 20"),
        ("UPDATE event SET visitor_seq = 9 WHERE staff_seq = 2", "has visitor_seq 9"),
        ("UPDATE event SET data = '{' WHERE staff_seq = 5", "cannot be read"),
        ("UPDATE event SET kind = 'unheard.of' WHERE staff_seq = 5", "cannot be read"),
        ("DELETE FROM event WHERE staff_seq = 1", "does not begin with conversation.opened"),
        ("DELETE FROM event WHERE conversation_id IS NOT NULL", "no events in the log"),
        ("UPDATE agent SET status = 'online'", "status is 'online', the log says 'offline'"),
    ],
)
def test_what_cannot_be_rebuilt_is_told(example: Database, statement: str, expected: str) -> None:
    change(example, statement)
    found = differences(example)
    assert any(expected in difference.text for difference in found), found


def test_presence_is_what_this_desk_last_logged(example: Database) -> None:
    person = {"email": "li@desk.example", "name": "Li", "role": "agent"}
    example.write_now(lambda tx: insert_person(tx, "li", person))
    example.write_now(
        lambda tx: tx.record(agent("li", name="Li"), AgentPresenceChanged(status="online"))
    )
    assert [d.text for d in differences(example)] == [
        "Agent li: status is 'offline', the log says 'online'."
    ]
    example.write_now(lambda tx: update_person(tx, "li", status="online"))
    assert differences(example) == []
