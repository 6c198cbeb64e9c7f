"""Another desk's history comes in whole, once, and nothing bad comes in with it."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any  # Any: JSON values

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from server.actions.imports import import_events
from server.domain.errors import InvalidInput
from server.domain.importing import read_row
from server.domain.periods import zone
from server.reports.cli import report_command
from server.storage.customers import CUSTOMER
from server.storage.database import Database
from server.storage.people import AGENT, insert_person
from server.storage.rows import CONVERSATION, EVENT, MESSAGE, SESSION, TURN, event_from_row
from server.storage.tables import RatingComment, table
from tests.reports.worked_example import AMY, event_lines, write_lines

AT = 1_700_000_000_000
Line = dict[str, Any]


def line(number: int = 1, **changes: object) -> Line:
    """A customer's message; keywords replace keys, None takes them out."""
    row = {
        "event_id": f"e{number}",
        "ts": AT + number * 1000,
        "kind": "message.posted",
        "conversation": "chat-1",
        "customer": "buyer-1",
        "actor_kind": "customer",
        "actor": "buyer-1",
        "data": {"body": "hello"},
    } | changes
    return {key: value for key, value in row.items() if value is not None}


def count(database: Database, target: Any) -> int:  # Any: a table
    statement = select(func.count()).select_from(target)
    return database.read_now(lambda c: int(c.execute(statement).scalar_one()))


def events(database: Database) -> list[Any]:  # Any: events
    statement = select(EVENT).order_by(EVENT.c.seq)
    return database.read_now(
        lambda c: [event_from_row(row) for row in c.execute(statement).mappings()]
    )


def rows(database: Database, target: Any) -> list[dict[str, Any]]:  # Any: a table
    return database.read_now(lambda c: [dict(r) for r in c.execute(select(target)).mappings()])


def test_a_second_import_changes_nothing(shop_database: Database, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "log.ndjson", event_lines())
    first = import_events(shop_database, path)
    before = [rows(shop_database, t) for t in (EVENT, CONVERSATION, TURN, SESSION, MESSAGE)]
    second = import_events(shop_database, path)
    assert (first.accepted, first.unchanged) == (24, 0)
    assert (second.accepted, second.unchanged, second.rejected) == (0, 24, [])
    after = [rows(shop_database, t) for t in (EVENT, CONVERSATION, TURN, SESSION, MESSAGE)]
    assert after == before


def test_a_dry_run_says_the_same_and_writes_nothing(
    shop_database: Database, tmp_path: Path
) -> None:
    lines = [*event_lines(), line(1), line(1), line(2, customer="another")]
    path = write_lines(tmp_path / "log.ndjson", lines)
    trial = import_events(shop_database, path, dry_run=True)
    assert count(shop_database, EVENT) == 0
    real = import_events(shop_database, path)
    assert trial == real
    assert (real.accepted, real.unchanged) == (25, 1)
    assert [rejected.line for rejected in real.rejected] == [27]


def test_rows_are_taken_by_time_then_line(shop_database: Database, tmp_path: Path) -> None:
    lines = [
        line(3, data={"body": "third"}),
        line(2, ts=AT + 1000, data={"body": "second"}),
        line(1, ts=AT, data={"body": "first"}),
        line(4, ts=AT + 1000, data={"body": "second and a half"}),
    ]
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", lines))
    found = sorted(rows(shop_database, MESSAGE), key=lambda row: row["seq"])
    assert [row["body"] for row in found] == ["first", "second", "second and a half", "third"]
    assert [row["staff_seq"] for row in found] == [3, 4, 5, 6]


def test_times_stay_and_everything_is_marked_as_imported(
    shop_database: Database, tmp_path: Path
) -> None:
    iso = line(2, ts="2023-11-14T22:13:22Z", conversation="chat-2")
    local = line(3, ts="2023-11-15T06:13:23", conversation="chat-3")
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", [line(1), iso, local]))
    found = events(shop_database)
    assert all(event.imported for event in found)
    assert [e.at_ms for e in found if e.kind == "message.posted"] == [
        AT + 1000,
        AT + 2000,
        AT + 3000,
    ]


def test_the_opening_and_the_sessions_that_the_file_lacks_are_derived(
    shop_database: Database, tmp_path: Path
) -> None:
    day = 86_400_000
    lines = [
        line(1),
        line(
            2, kind="conversation.status_changed", actor_kind="system", data={"status": "resolved"}
        ),
        line(3, ts=AT + 60_000),
        line(4, ts=AT + 60_000 + 2 * day),
    ]
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", lines))
    kinds = [event.kind for event in events(shop_database)]
    assert kinds == [
        "conversation.opened",
        "session.started",
        "message.posted",
        "conversation.status_changed",
        "conversation.status_changed",
        "session.started",
        "message.posted",
        "session.started",
        "message.posted",
    ]
    sessions = sorted(rows(shop_database, SESSION), key=lambda row: row["session_no"])
    assert [row["cause"] for row in sessions] == ["new", "reopen", "gap"]


def test_sessions_that_the_file_names_are_not_doubled(
    shop_database: Database, tmp_path: Path
) -> None:
    started = {"kind": "session.started", "actor_kind": "system", "data": {"cause": "new"}}
    lines = [
        line(1),
        line(2, ts=AT + 1000, **started),
        line(3, ts=AT + 2000),
        line(4, conversation="chat-2", **started),
        line(5, conversation="chat-2"),
    ]
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", lines))
    assert count(shop_database, SESSION) == 2
    assert [row["is_first_in_session"] for row in rows(shop_database, TURN)] == [True, True]


def test_unknown_agents_become_inactive_people_and_known_ones_are_found_by_e_mail(
    shop_database: Database, tmp_path: Path
) -> None:
    person = {"email": "amy@desk.example", "name": "Amy", "role": "agent"}
    shop_database.write_now(lambda tx: insert_person(tx, "agent-amy", person))
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", event_lines()))
    people = {row["id"]: row for row in rows(shop_database, AGENT)}
    assert len(people) == 2
    (bo,) = (row for row in people.values() if row["id"] != "agent-amy")
    assert (bo["imported_as"], bo["active"], bo["email"]) == ("bo@desk.example", False, None)
    assert people["agent-amy"]["status"] == "offline"
    answered = {row["answered_by"] for row in rows(shop_database, TURN)}
    assert answered == {"agent-amy", bo["id"], None}
    moved = next(e for e in events(shop_database) if e.kind == "assignment.changed")
    assert (moved.data.from_, moved.data.to) == ("agent-amy", bo["id"])


def test_presence_goes_into_the_log_without_a_conversation(
    shop_database: Database, tmp_path: Path
) -> None:
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", event_lines()[:2]))
    assert [(e.kind, e.conversation_id, e.staff_seq) for e in events(shop_database)] == [
        ("agent.presence_changed", None, None)
    ] * 2
    assert {row["status"] for row in rows(shop_database, AGENT)} == {"offline"}


def test_texts_and_comments_stay_out_of_the_log(example: Database) -> None:
    logged = json.dumps([str(event) for event in events(example)], ensure_ascii=False)
    assert "很快" not in logged
    assert "漏发配件" not in logged
    assert [row["comment"] for row in rows(example, table(RatingComment))] == ["很快"]


def test_an_undelivered_reply_opens_its_turn_again(shop_database: Database, tmp_path: Path) -> None:
    agent = {"actor_kind": "agent", "actor": AMY}
    lines = [
        line(1),
        line(2, **agent, data={"body": "here", "message_id": "m-2"}),
        line(3, kind="message.failed", actor_kind="system", data={"message_id": "m-2"}),
    ]
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", lines))
    assert [row["outcome"] for row in rows(shop_database, TURN)] == ["waiting"]


def test_states_and_the_first_page_may_be_called_by_their_second_names(
    shop_database: Database, tmp_path: Path
) -> None:
    agent = {"actor_kind": "agent", "actor": AMY}
    changed = "conversation.status_changed"
    lines = [
        line(1, kind="conversation.opened", data={"entry_page": "https://shop.example/lamp"}),
        line(2),
        line(3, kind=changed, **agent, data={"from": "open", "to": "resolved"}),
        line(4, kind=changed, **agent, data={"state": "closed"}),
        line(5, kind="conversation.opened", conversation="chat-2", data={"entry_page": {"id": 7}}),
    ]
    outcome = import_events(shop_database, write_lines(tmp_path / "log.ndjson", lines))
    assert (outcome.accepted, outcome.rejected) == (5, [])
    assert [row["status"] for row in rows(shop_database, CONVERSATION)] == ["closed", "open"]
    pages = [e.data.page_url for e in events(shop_database) if e.kind == "conversation.opened"]
    assert pages == ["https://shop.example/lamp", None]
    told = {"kind": "ticket.state_changed", "data": {"state": "open"}}
    row = read_row(line(6, **agent, **told), line=1, tz=zone("Asia/Shanghai"))
    assert row.values == {"to": "open"}


def test_a_suggestion_told_by_its_article_is_the_last_offer_of_it(
    shop_database: Database, tmp_path: Path
) -> None:
    agent = {"actor_kind": "agent", "actor": AMY}
    shown, accepted = "suggestion.shown", "suggestion.accepted"
    lines = [
        line(1),
        line(2, kind=shown, **agent, data={"article": "a-1", "rank": 1}),
        line(3, kind=shown, **agent, data={"article": "a-2", "rank": 2}),
        line(4, kind=shown, **agent, data={"article": "a-2", "rank": 1}),
        line(5, kind=accepted, **agent, data={"article": "a-2", "rank": 1}),
        line(6, kind="suggestion.dismissed", **agent, data={"article": "a-9"}),
    ]
    import_events(shop_database, write_lines(tmp_path / "log.ndjson", lines))
    later = line(7, kind=accepted, **agent, data={"article": "a-1", "rank": 1})
    nameless = line(8, kind=shown, **agent, data={"rank": 1})
    path = write_lines(tmp_path / "later.ndjson", [later, nameless])
    (refused,) = import_events(shop_database, path).rejected
    assert "data.article is missing" in refused.reason
    offers = [
        (event.kind, event.data.suggestion_id)
        for event in events(shop_database)
        if event.kind.startswith("suggestion.")
    ]
    assert offers == [
        *((shown, "i:e2"), (shown, "i:e3"), (shown, "i:e4"), (accepted, "i:e4")),
        *(("suggestion.dismissed", "i:e6"), (accepted, "i:e2")),
    ]
    asked = partial(report_command, metric_ids=["kb_use"], now_ms=AT + 86_400_000)
    (figure,) = shop_database.read_now(asked)
    assert (figure.numerator, figure.denominator) == (2, 3)


def test_a_target_without_a_policy_is_taken(shop_database: Database, tmp_path: Path) -> None:
    told = {"version": 1, "effective_from": "2023-11-15T06:13:20"}
    lines = [line(1), line(2, kind="sla.applied", actor_kind="system", data=told)]
    outcome = import_events(shop_database, write_lines(tmp_path / "log.ndjson", lines))
    assert (outcome.accepted, outcome.rejected) == (2, [])
    (data,) = [event.data for event in events(shop_database) if event.kind == "sla.applied"]
    assert (data.policy, data.effective_from) == ("import", AT)


def void(number: int, *, conversation: str | None = None, **data: object) -> Line:
    """A row by which an agent voids another one."""
    agent = {"actor_kind": "agent", "actor": AMY, "customer": None}
    return line(number, kind="correction.voided", conversation=conversation, **agent, data=data)


def test_what_another_desk_voided_counts_no_more_until_that_is_voided(
    shop_database: Database, tmp_path: Path
) -> None:
    reply = line(2, actor_kind="agent", actor=AMY)
    lines = [line(1), reply, void(3, target="e2", reason="duplicate", conversation="chat-1")]
    path = write_lines(tmp_path / "log.ndjson", lines)
    assert import_events(shop_database, path, dry_run=True).accepted == 3
    assert import_events(shop_database, path).accepted == 3
    assert import_events(shop_database, path).unchanged == 3
    assert [row["outcome"] for row in rows(shop_database, TURN)] == ["waiting"]
    log = events(shop_database)
    correction = log[-1]
    assert correction.at_ms == AT + 3000
    assert (correction.data.reason, correction.imported) == ("duplicate", True)
    assert correction.data.target_seq == next(e.seq for e in log if e.event_id == "i:e2")

    again = write_lines(tmp_path / "2.ndjson", [void(4, target_seq=correction.seq, reason="typo")])
    assert import_events(shop_database, again).accepted == 1
    assert [row["outcome"] for row in rows(shop_database, TURN)] == ["answered"]
    assert events(shop_database)[-1].data.reason == "other"


def test_a_void_that_cannot_be_is_refused_by_its_line(
    shop_database: Database, tmp_path: Path
) -> None:
    given = {"actor_kind": "agent", "actor": AMY}
    lines = [
        line(1, kind="conversation.opened", data={}),
        line(2),
        line(3, kind="assignment.accepted", **given),
        line(4, conversation="chat-2"),
        void(5),
        void(6, target="e99"),
        void(7, target_seq=99),
        void(8, target="e1"),
        void(9, target="e3"),
        void(10, target="e2", conversation="chat-2"),
        void(11, target="e2", reason="test"),
        void(12, target="e2", reason="test"),
    ]
    path = write_lines(tmp_path / "log.ndjson", lines)
    outcome = import_events(shop_database, path)
    assert outcome.accepted == 5
    assert [(refused.line, refused.reason.split(".")[0]) for refused in outcome.rejected] == [
        (5, "data"),
        (6, "data"),
        (7, "data"),
        (8, "conversation"),
        (9, "Without it the conversation would be in another state or with somebody else"),
        (10, "data"),
        (12, "This does not count already"),
    ]
    trial = import_events(shop_database, path, dry_run=True)
    assert [refused.line for refused in trial.rejected][:3] == [5, 6, 7]


def test_an_order_needs_no_conversation(shop_database: Database, tmp_path: Path) -> None:
    paid = {"order_id": "o-1", "amount_minor": 29900, "currency": "CNY", "paid_ts": AT}
    order = line(1, kind="order.paid", actor_kind="system", conversation=None, data=paid)
    outcome = import_events(shop_database, write_lines(tmp_path / "log.ndjson", [order]))
    (event,) = events(shop_database)
    assert (outcome.accepted, event.data.paid_at_ms) == (1, AT)
    assert event.customer_id == rows(shop_database, CUSTOMER)[0]["id"]


def test_an_imported_id_never_meets_one_of_this_desk(
    shop_database: Database, tmp_path: Path
) -> None:
    lines = [line(number) for number in range(1, 8)]
    outcome = import_events(shop_database, write_lines(tmp_path / "log.ndjson", lines))
    assert outcome.accepted == 7
    again = [line(9, event_id=event.event_id) for event in events(shop_database)[:1]]
    assert import_events(shop_database, write_lines(tmp_path / "x.ndjson", again)).accepted == 1


def test_a_file_with_a_byte_order_mark_blank_lines_and_windows_ends(
    shop_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "log.ndjson"
    text = "\r\n".join(json.dumps(line(number)) for number in (1, 2)) + "\r\n\r\n  \r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    outcome = import_events(shop_database, path)
    assert (outcome.accepted, outcome.rejected) == (2, [])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"ts": NaN}', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"event_id": "\\ud800"}', "not JSON"),
        (b"[]", "not a JSON object"),
        (b"12", "not a JSON object"),
        (b'{"body": "' + b"x" * 300_000 + b'"}', "longer than"),
    ],
)
def test_a_broken_line_is_refused_and_the_rest_is_taken(
    shop_database: Database, tmp_path: Path, raw: bytes, reason: str
) -> None:
    path = tmp_path / "log.ndjson"
    good = [json.dumps(line(number)).encode() for number in (1, 2)]
    path.write_bytes(b"\n".join((good[0], raw, good[1])))
    outcome = import_events(shop_database, path)
    assert outcome.accepted == 2
    assert [rejected.line for rejected in outcome.rejected] == [2]
    assert reason in outcome.rejected[0].reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"event_id": None}, "event_id is missing"),
        ({"event_id": ""}, "event_id is empty"),
        ({"event_id": "x" * 201}, "event_id is too long"),
        ({"event_id": ["e"]}, "event_id must be text"),
        ({"ts": None}, "ts is missing"),
        ({"ts": -1}, "ts must be between"),
        ({"ts": 1e300}, "ts must be between"),
        ({"ts": True}, "ts must be a whole number"),
        ({"ts": "yesterday"}, "ts must be ISO 8601"),
        ({"ts": "1900-01-01"}, "ts must be ISO 8601"),
        ({"ts": 1.5}, "ts must be a whole number"),
        ({"kind": "message.shouted"}, "kind is not one"),
        ({"kind": ["message.posted"]}, "kind is not one"),
        ({"conversation": None}, "conversation is missing"),
        ({"customer": None}, "customer is missing"),
        ({"customer": {"id": 1}}, "customer must be text"),
        ({"actor_kind": "robot"}, "actor_kind must be one of"),
        ({"actor_kind": "agent", "actor": None}, "an agent needs a name"),
        ({"channel": "x" * 65}, "channel is too long"),
        ({"data": []}, "data is not an object"),
        ({"data": {"body": 5}}, "data.body must be text"),
        ({"data": {"body": "x" * 8001}}, "data.body is too long"),
        ({"data": {"visibility": "secret"}}, "data.visibility must be one of"),
        ({"data": {"visibility": "private"}}, "cannot write a private note"),
        ({"data": {"chars": -4}}, "data.chars must be between"),
        ({"data": {"attachment": 1}}, "data.attachment must be true or false"),
        ({"kind": "rating.given", "data": {}}, "data.score is missing"),
        ({"kind": "rating.given", "data": {"score": 6}}, "data.score must be between"),
        ({"kind": "rating.given", "data": {"score": True}}, "data.score must be a whole"),
        ({"kind": "conversation.status_changed", "data": {}}, "data.status is missing"),
        ({"kind": "assignment.accepted", "actor_kind": "system"}, "nobody would own"),
        ({"kind": "agent.presence_changed", "data": {"status": "online"}}, "must be agent"),
        ({"kind": "conversation.tagged", "data": {"add": "vip"}}, "must be a list"),
        ({"kind": "message.failed", "data": {}}, "data.message_id is missing"),
    ],
)
def test_a_bad_key_is_named(
    shop_database: Database, tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    outcome = import_events(shop_database, write_lines(tmp_path / "l.ndjson", [line(1, **changes)]))
    assert outcome.accepted == 0
    assert reason in outcome.rejected[0].reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
KINDS = ("message.posted", "rating.given", "agent.presence_changed", "conversation.tagged")


@given(
    st.dictionaries(
        st.sampled_from(
            ("event_id", "ts", "kind", "conversation", "customer", "actor_kind", "actor", "channel")
        ),
        json_values,
    ),
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(("body", "score", "status", "add", "chars")), json_values),
)
def test_no_row_gets_further_than_a_refusal(
    changes: dict[str, object], kind: str, data: dict[str, object]
) -> None:
    row = line(1, kind=kind, actor_kind="agent", actor=AMY, data=data) | changes
    try:
        found = read_row(row, line=1, tz=zone("Asia/Shanghai"))
    except InvalidInput:
        return
    assert found.event_id.encode()
    assert found.at_ms >= 0


def test_an_import_needs_a_shop(database: Database, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        import_events(database, write_lines(tmp_path / "log.ndjson", [line(1)]))


def test_progress_goes_up_to_the_end(shop_database: Database, tmp_path: Path) -> None:
    lines = [line(number, conversation=f"chat-{number % 7}") for number in range(1, 1102)]
    told: list[tuple[int, int]] = []
    import_events(
        shop_database,
        write_lines(tmp_path / "log.ndjson", lines),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(500, 1101), (1000, 1101), (1101, 1101)]
    assert count(shop_database, CONVERSATION) == 7
