"""A report that is kept says the same for ever, or says what has become different."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from server.actions.corrections import Void, void
from server.actions.imports import import_events
from server.actions.stored_reports import drop_report, keep_report
from server.domain.actors import Actor
from server.domain.errors import InvalidInput, NotAllowed, NotFound
from server.reports.stored import digest, make_again, make_report, rows_of
from server.storage.database import Database
from server.storage.rows import EVENT
from server.storage.stored_reports import Stored, load_report, load_reports
from tests.reports.worked_example import AS_OF, event_lines, write_lines

LEAD = Actor("agent", "x", role="supervisor")
one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
METRICS = ("frt", "rt", "r3m_turn")


def kept(database: Database, by: str | None = None) -> Stored:
    """The report of the worked example, kept under a name."""
    made = database.read_now(
        lambda c: make_report(c, METRICS, now_ms=database.clock(), as_of=AS_OF, by=by)
    )
    report_id = database.write_now(lambda tx: keep_report(tx, LEAD, made, name="November"))
    found = database.read_now(partial(load_report, key=report_id))
    assert found is not None
    return found


def first_message(database: Database) -> int:
    return database.read_now(
        lambda c: int(
            c.execute(EVENT.select().where(EVENT.c.kind == "message.posted").order_by(EVENT.c.seq))
            .mappings()
            .all()[0]["seq"]
        )
    )


def test_a_kept_report_is_made_again_with_the_same_bytes(example: Database, tmp_path: Path) -> None:
    stored = kept(example, by="agent")
    assert stored.sha256 == digest(stored.body)
    assert stored.definitions.keys() == set(METRICS)
    # Late events of another file, and a void, come after what the report has read.
    late = [
        {**line, "event_id": f"late-{n}", "conversation": "late"}
        for n, line in enumerate(event_lines())
    ]
    import_events(example, write_lines(tmp_path / "late.ndjson", late))
    payload = Void(target_seq=first_message(example), reason="test")
    example.write_now(partial(void, actor=LEAD, payload=payload))
    now = example.read_now(
        lambda c: make_report(c, METRICS, now_ms=example.clock(), as_of=AS_OF, by="agent")
    )
    assert now.sha256 != stored.sha256
    again = example.read_now(partial(make_again, stored=stored))
    assert (again.same, again.body, again.differences) == (True, stored.body, ())


@one_database
def test_what_has_become_different_is_told(example: Database) -> None:
    stored = kept(example)
    other = stored.body.replace('"n":2', '"n":3')
    assert other != stored.body
    changed = replace(stored, body=other, sha256=digest(other), definitions={"frt": 0})
    again = example.read_now(partial(make_again, stored=changed))
    assert not again.same
    assert again.differences[0].startswith("frt was defined by version 0, now by version ")
    assert any(": n was 3, is 2." in text for text in again.differences)


@one_database
def test_kept_reports_are_found_by_name_and_let_go(example: Database) -> None:
    first, second = kept(example), kept(example, by="day")
    assert {row["metric"] for row in rows_of(first.body)} == set(METRICS)
    found = example.read_now(partial(load_report, key="November"))
    assert found is not None
    assert found.id == second.id
    listed = example.read_now(partial(load_reports, limit=9))
    assert [one.id for one in listed] == [second.id, first.id]
    with pytest.raises(NotAllowed):
        example.write_now(lambda tx: drop_report(tx, Actor("agent", "x", role="agent"), second.id))
    example.write_now(lambda tx: drop_report(tx, LEAD, second.id))
    with pytest.raises(NotFound):
        example.write_now(lambda tx: drop_report(tx, LEAD, second.id))
    with pytest.raises(InvalidInput):
        example.write_now(lambda tx: keep_report(tx, LEAD, first, name=" "))
