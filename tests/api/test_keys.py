"""Idempotency keys: one effect and one answer, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.storage.event_log import last_seq
from server.storage.kept_answers import forget_kept
from tests.api.caller import Caller, make_token
from tests.api.conftest import As
from tests.api.stage import Stage
from tests.http.desk import served

if TYPE_CHECKING:
    from server.storage.database import Database

DAY_S = 86_400
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_many_at_once_under_one_key_are_one(stage: Stage, program: As) -> None:
    caller = await program("agent")
    path = f"/conversations/{stage.ids['orders']}/messages"
    answers = await asyncio.gather(
        *(caller.call("POST", path, {"body": "once"}, key="k") for _ in range(20))
    )
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    bodies = [m["body"] for m in await caller.every(path)]
    assert bodies.count("once") == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_processes_under_one_key_are_one(
    open_database: Callable[..., Database], data_dir: Path, stage: Stage
) -> None:
    token = await make_token(stage.desk, "agent")
    path = f"/conversations/{stage.ids['orders']}/messages"
    async with served(open_database, data_dir, rate_limits=False) as other:
        callers = [Caller(url, token) for url in (stage.desk.url, other.url) * 6]
        for number in range(8):
            answers = await asyncio.gather(
                *(c.call("POST", path, {"body": f"n{number}"}, key=f"k{number}") for c in callers)
            )
            assert {answer.status for answer in answers} == {201}, answers
            assert len({answer.body for answer in answers}) == 1
        bodies = [m["body"] for m in await callers[0].every(path)]
        for caller in callers:
            await caller.close()
    assert [body for body in bodies if body.startswith("n")] == [f"n{n}" for n in range(8)]


async def test_another_body_or_call_under_a_key_is_a_conflict(stage: Stage, program: As) -> None:
    caller = await program("agent")
    path = f"/conversations/{stage.ids['orders']}"
    assert (await caller.call("POST", f"{path}/messages", {"body": "a"}, key="k")).status == 201
    for other, body in ((f"{path}/messages", {"body": "b"}), (f"{path}/claim", None)):
        answer = await caller.call("POST", other, body, key="k")
        assert (answer.status, answer.code) == (409, "conflict")
        assert answer.value["error"]["details"] == {"reason": "idempotency_key"}
    # The same, written another way, is the same.
    spaced = await caller.call(
        "POST",
        f"{path}/messages",
        data=b'{ "blocks": null, "body": "a" }',
        headers={"Content-Type": "application/json"},
        key="k",
    )
    assert (spaced.status, spaced.headers["Idempotency-Replayed"]) == (201, "true")


@one_database
async def test_keys_of_two_tokens_have_nothing_to_do_with_each_other(
    stage: Stage, program: As
) -> None:
    path = f"/conversations/{stage.ids['orders']}/messages"
    for caller in (await program("agent"), await program("agent")):
        answer = await caller.call("POST", path, {"body": "mine"}, key="k")
        assert (answer.status, "Idempotency-Replayed" in answer.headers) == (201, False)
    assert [m["body"] for m in await caller.every(path)].count("mine") == 2


@one_database
async def test_what_was_refused_may_succeed_later_under_its_key(stage: Stage, program: As) -> None:
    caller = await program("agent")
    path = f"/conversations/{stage.ids['rated']}/claim"
    assert (await caller.call("POST", path, key="k")).status == 409
    await stage.act("reopen", "supervisor", "rated")
    await stage.act("claim", "supervisor", "rated")
    assert (await caller.call("POST", path, key="k")).status == 409
    await stage.act("resolve", "supervisor", "rated")
    reopened = f"/conversations/{stage.ids['rated']}/reopen"
    assert (await caller.call("POST", reopened, key="k")).status == 200


@one_database
async def test_an_answer_is_kept_for_a_day(stage: Stage, program: As) -> None:
    caller = await program("admin")
    body = {"name": "till", "role": "agent"}
    first = await caller.call("POST", "/tokens", body, key="k")
    stage.desk.time.now += DAY_S - 1
    await stage.desk.database.write(forget_kept)
    again = await caller.call("POST", "/tokens", body, key="k")
    assert again.value == first.value | {"token": None}
    stage.desk.time.now += 2
    fresh = await caller.call("POST", "/tokens", body, key="k")
    assert fresh.value["id"] != first.value["id"]
    stage.desk.time.now += DAY_S + 1
    await stage.desk.database.write(forget_kept)
    left = stage.desk.database.read_now(
        lambda c: c.exec_driver_sql("SELECT count(*) FROM kept_answer").scalar_one()
    )
    assert left == 0


@one_database
async def test_a_token_that_is_shown_once_is_not_kept(stage: Stage, program: As) -> None:
    caller = await program("admin")
    made = await caller.call("POST", "/tokens", {"name": "till", "role": "agent"}, key="k")
    kept = stage.desk.database.read_now(
        lambda c: c.exec_driver_sql("SELECT answer FROM kept_answer").scalar_one()
    )
    assert made.value["token"] not in kept


@one_database
async def test_a_message_under_a_key_never_doubles_however_late(stage: Stage, program: As) -> None:
    caller = await program("agent")
    path = f"/conversations/{stage.ids['orders']}/messages"
    first = await caller.call("POST", path, {"body": "late"}, key="k")
    stage.desk.time.now += 30 * DAY_S
    before = stage.desk.database.read_now(last_seq)
    late = await caller.call("POST", path, {"body": "late"}, key="k")
    assert late.value == first.value
    assert stage.desk.database.read_now(last_seq) == before
    named = await caller.call("POST", path, {"body": "n", "client_id": "mine"}, key="other")
    assert named.value["client_id"] == "mine"


@one_database
@pytest.mark.parametrize("key", ["a b", "x" * 256, "é", ""])
async def test_a_key_is_plain_text(key: str, stage: Stage, program: As) -> None:
    caller = await program("agent")
    answer = await caller.call("PUT", "/me/presence", {"status": "busy"}, key=key)
    assert answer.status == 400
