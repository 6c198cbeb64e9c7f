"""Up to where the log is settled: nothing below will still appear, whoever writes meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from server.domain.actors import SYSTEM
from server.domain.events import AgentPresenceChanged
from server.storage.event_log import last_seq, settled_seq
from tests.support.waiting import LIMIT_S

if TYPE_CHECKING:
    from server.storage.database import Database
    from server.storage.unit import Tx


def _record(tx: Tx) -> int:
    return tx.record(SYSTEM, AgentPresenceChanged(status="online")).seq


def test_an_empty_log_is_settled_at_its_beginning(database: Database) -> None:
    assert database.read_now(settled_seq) == 0


def test_what_is_committed_is_settled(database: Database) -> None:
    seq = database.write_now(_record)
    assert seq <= database.read_now(settled_seq)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lower_number_that_is_still_being_written_holds_everything_above_back(
    open_database: Callable[..., Database],
) -> None:
    slow, quick = open_database(), open_database()
    begun, go_on = threading.Event(), threading.Event()

    def wait(tx: Tx) -> int:
        seq = _record(tx)
        begun.set()
        assert go_on.wait(LIMIT_S)
        return seq

    low = slow.submit(wait)
    assert begun.wait(LIMIT_S)
    high = quick.write_now(_record)
    assert quick.read_now(last_seq) == high, "the higher number is there already"
    assert quick.read_now(settled_seq) == 0
    go_on.set()
    assert low.result(LIMIT_S) < high
    assert quick.read_now(settled_seq) >= high


def test_an_answer_is_completed_from_what_was_written(database: Database) -> None:
    def job(tx: Tx) -> str:
        _record(tx)
        tx.finish_with(lambda answer: f"{answer} of {last_seq(tx.connection)}")
        return "one"

    assert database.write_now(job) == "one of 1"


def test_an_answer_that_cannot_be_completed_leaves_nothing_behind(database: Database) -> None:
    def job(tx: Tx) -> str:
        _record(tx)
        tx.finish_with(lambda _: 1 // 0)
        return "one"

    with pytest.raises(ZeroDivisionError):
        database.write_now(job)
    assert database.read_now(last_seq) == 0
