"""Lists: every item once, whatever is added while somebody reads on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.caller import Caller, make_token
from tests.api.conftest import As
from tests.api.stage import Stage
from tests.http.desk import served

if TYPE_CHECKING:
    from server.storage.database import Database

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LISTS = ("/conversations", "/customers")


@pytest.mark.parametrize("path", LISTS)
async def test_what_is_there_comes_once_while_more_is_added(
    path: str, stage: Stage, program: As
) -> None:
    caller = await program("admin")
    before = [item["id"] for item in await caller.every(path, limit=200)]
    seen: list[str] = []
    cursor = None
    for number in range(len(before)):
        stage.desk.time.now += 1
        page = await caller.get(path, limit=1, cursor=cursor)
        seen += [item["id"] for item in page.value["items"]]
        cursor = page.value["next_cursor"]
        await stage.chat(f"new{number}", f"new{number}")
    assert seen == before
    assert cursor is None


async def test_messages_come_in_order_and_new_ones_at_the_end(stage: Stage, program: As) -> None:
    caller = await program("agent")
    path = f"/conversations/{stage.ids['orders']}/messages"
    for number in range(4):
        await caller.call("POST", path, {"body": f"{number}"})
    first = (await caller.get(path, limit=3)).value
    await caller.call("POST", path, {"body": "last"})
    rest = await caller.every(path, limit=3, begin=first["next_cursor"])
    items = first["items"] + rest
    assert [item["body"] for item in items][1:] == ["0", "1", "2", "3", "last"]
    places = [item["conversation_seq"] for item in items]
    assert places == sorted(set(places))


async def test_what_changes_while_one_reads_by_change_is_not_passed_over(
    stage: Stage, program: As
) -> None:
    caller = await program("admin")
    since = stage.desk.database.clock()
    for name in ("orders", "returns", "free"):
        stage.desk.time.now += 1
        await stage.write(
            stage.actor("admin"), "look", conversation_id=stage.ids[name], visibility="private"
        )
    page = (await caller.get("/conversations", updated_after_ms=since, limit=1)).value
    assert [item["id"] for item in page["items"]] == [stage.ids["orders"]]
    stage.desk.time.now += 1
    for name in ("orders", "returns"):
        await stage.write(
            stage.actor("admin"), "more", conversation_id=stage.ids[name], visibility="private"
        )
    rest = await caller.every(
        "/conversations", updated_after_ms=since, limit=1, begin=page["next_cursor"]
    )
    assert rest[0]["id"] == stage.ids["free"]
    assert {i["id"] for i in rest} == {stage.ids[n] for n in ("free", "orders", "returns")}


@one_database
async def test_filters_narrow_a_list(stage: Stage, program: As) -> None:
    caller = await program("admin")

    async def found(**filters: Any) -> set[str]:
        return {item["id"] for item in await caller.every("/conversations", **filters)}

    ids = stage.ids
    assert await found(status="spam") == {ids["spam"]}
    assert await found(status="resolved") == {ids["rated"]}
    assert await found(team_id=ids["south"]) == {ids["returns"]}
    assert await found(customer_id=ids["ann"]) == {ids["orders"]}
    assert await found(team_id=ids["north"], status="open") == {ids["orders"]}
    assert await found(assignee_id=stage.desk.people["agent"]) == {ids["rated"]}
    assert await found(assignee_id="nobody") == set()
    [ann] = await caller.every("/customers", email="ann@example.com")
    assert ann["id"] == ids["ann"]
    assert await caller.every("/customers", external_id="x") == []


@one_database
@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 201},
        {"limit": "many"},
        {"limit": 2**70},
        {"status": "lost"},
        {"updated_after_ms": -1},
        {"updated_after_ms": 2**63},
        {"team_id": "x" * 65},
        {"team_id": "a b"},
        {"cursor": ""},
        {"cursor": "nonsense"},
        {"cursor": "W10"},
        {"cursor": "é"},
        {"cursor": "x" * 401},
        {"cursor": "AAAA===="},
    ],
)
async def test_what_a_list_does_not_understand_is_refused(
    query: dict[str, object], program: As
) -> None:
    answer = await (await program("admin")).get("/conversations", **query)
    assert (answer.status, answer.code) == (400, "invalid_input")
    assert answer.value["error"]["details"]["field"] == next(iter(query))


@one_database
async def test_a_cursor_belongs_to_its_list_and_filters(stage: Stage, program: As) -> None:
    caller = await program("admin")
    cursor = (await caller.get("/conversations", limit=1)).value["next_cursor"]
    assert (await caller.get("/conversations", limit=2, cursor=cursor)).status == 200
    assert (await caller.get("/conversations", status="open", cursor=cursor)).status == 400
    assert (await caller.get("/customers", cursor=cursor)).status == 400
    assert (await caller.get("/events", cursor=cursor)).status == 400
    path = f"/conversations/{stage.ids['orders']}/messages"
    assert (await caller.get(path, cursor=cursor)).status == 400
    twice = await caller.call("GET", "/conversations?limit=1&limit=2")
    assert twice.status == 400


@one_database
async def test_the_next_page_is_named_in_a_header_too(stage: Stage, program: As) -> None:
    caller = await program("admin")
    answer = await caller.get("/conversations", limit=1, status="open")
    link = answer.headers["Link"]
    assert link.endswith('; rel="next"')
    path = link.partition(">")[0].removeprefix("</api/v1")
    follows = await caller.call("GET", path)
    assert follows.value["items"][0]["id"] != answer.value["items"][0]["id"]
    assert "Link" not in (await caller.get("/conversations")).headers


async def test_the_log_is_whole_and_in_order(stage: Stage, program: As) -> None:
    caller = await program("supervisor")
    events = await caller.every("/events", limit=7)
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs))
    whole = stage.desk.database.read_now(
        lambda c: [row[0] for row in c.exec_driver_sql("SELECT seq FROM event ORDER BY seq")]
    )
    assert seqs == whole
    known = [e for e in events if e["kind"] == "customer.identified"]
    assert {e["customer_id"] for e in known} >= {stage.ids["ann"], stage.ids["bob"]}
    later = (await caller.get("/events", after_seq=seqs[3], limit=2)).value
    assert [event["seq"] for event in later["items"]] == seqs[4:6]
    rated = await caller.every("/events", kinds="rating.given, rating.asked")
    assert [event["kind"] for event in rated] == ["rating.asked", "rating.given"]
    assert rated[1]["data"]["comment"] == "Quick!"


@one_database
async def test_who_follows_the_log_asks_on_with_the_last_cursor(stage: Stage, program: As) -> None:
    caller = await program("admin")
    page = (await caller.get("/events", limit=200, kinds="message.posted")).value
    assert page["more"] is False
    empty = (await caller.get("/events", cursor=page["next_cursor"], kinds="message.posted")).value
    assert (empty["items"], empty["more"]) == ([], False)
    await stage.write(stage.shoppers["ann"], "and?")
    [event] = (
        await caller.get("/events", cursor=empty["next_cursor"], kinds="message.posted")
    ).value["items"]
    assert event["data"]["message"]["body"] == "and?"
    both = await caller.get("/events", cursor=page["next_cursor"], after_seq=1)
    assert both.status == 400
    assert (await caller.get("/events", kinds="no.such")).status == 400


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_who_follows_the_log_of_two_processes_misses_nothing(
    open_database: Callable[..., Database], data_dir: Path, stage: Stage
) -> None:
    """Each conversation's writer is another process; a reader follows while they write."""
    token = await make_token(stage.desk, "admin")
    async with served(open_database, data_dir, rate_limits=False) as other:
        reader, *writers = (
            Caller(url, token) for url in (stage.desk.url, stage.desk.url, other.url)
        )
        seen: list[int] = []

        async def write(caller: Caller, name: str) -> None:
            path = f"/conversations/{stage.ids[name]}/messages"
            for number in range(40):
                assert (await caller.call("POST", path, {"body": f"{number}"})).status == 201

        async def follow(cursor: str | None) -> str:
            while True:
                page = (await reader.get("/events", cursor=cursor, kinds="message.posted")).value
                seen.extend(event["seq"] for event in page["items"])
                cursor = page["next_cursor"]
                if not page["more"]:
                    return str(cursor)

        cursor = await follow(None)
        writing = asyncio.gather(*map(write, writers, ("orders", "returns")))
        while not writing.done():
            cursor = await follow(cursor)
        await writing
        await follow(cursor)
        for caller in (reader, *writers):
            await caller.close()
    written = stage.desk.database.read_now(
        lambda c: [
            row[0]
            for row in c.exec_driver_sql(
                "SELECT seq FROM event WHERE kind = 'message.posted' ORDER BY seq"
            )
        ]
    )
    assert seen == written
    assert len(seen) >= 80
