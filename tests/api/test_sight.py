"""The API shows each person exactly what the console shows them, and hides the rest as missing."""

from __future__ import annotations

import random

import orjson
import pytest

from server.actions.desk import Look, SearchConversations, search_conversations
from server.actions.people import add_team
from server.domain.metrics.sessions import SESSION_METRICS
from server.domain.metrics.turns import TURN_METRICS
from server.domain.permissions import PERMISSIONS
from server.http.api.table import ROWS
from server.reports.cli import formatted, report_command
from tests.api.caller import call_row
from tests.api.conftest import As
from tests.api.stage import Stage, values_of

PEOPLE = ("agent", "other", "supervisor", "admin")


def _in_the_console(stage: Stage, who: str) -> set[str]:
    """Ids of the conversations that the console lists for a person."""
    found: set[str] = set()
    before = None
    while True:
        payload = SearchConversations(before_ms=before, limit=100)
        actor, now = stage.actor(who), stage.desk.database.clock()
        page = stage.desk.database.read_now(
            lambda c: search_conversations(Look(c, actor, now), payload)  # noqa: B023  # at once
        )
        found |= {conversation["id"] for conversation in page["conversations"]}
        before = page["next_before_ms"]
        if before is None:
            return found


async def test_everybody_sees_what_they_see_in_the_console(stage: Stage, program: As) -> None:
    callers = {who: await program(who) for who in PEOPLE}
    stage.ids["nobody's"] = await stage.desk.write(add_team, name="Nobody's")
    await stage.chat("alone", "fay", "nobody's")
    chance = random.Random(3)
    names = ["orders", "returns", "free", "rated"]
    for number in range(12):
        stage.desk.time.now += 1
        team = chance.choice(["north", "south", None])
        await stage.chat(f"c{number}", f"s{number}", team)
        names.append(f"c{number}")
        # Whoever may, takes one: the console's rule and the API's must move together.
        who = chance.choice(PEOPLE)
        name = chance.choice(names)
        if stage.ids[name] in _in_the_console(stage, who):
            await callers[who].call("POST", f"/conversations/{stage.ids[name]}/claim")
    seen = {}
    every = await callers["admin"].every("/conversations", limit=200)
    talked = {item["customer"]["id"] for item in every}
    for who, caller in callers.items():
        listed = {item["id"] for item in await caller.every("/conversations", limit=5)}
        assert listed == _in_the_console(stage, who), who
        seen[who] = listed
        customers = {item["id"] for item in await caller.every("/customers", limit=5)}
        expected = {
            item["customer"]["id"] for item in await caller.every("/conversations", limit=200)
        }
        # Everybody also sees customers who have not written yet.
        assert customers & talked == expected
        assert customers > expected
    assert seen["agent"] != seen["other"]
    assert seen["agent"] | seen["other"] < seen["admin"] == seen["supervisor"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_hidden_is_missing_on_every_path(stage: Stage, program: As) -> None:
    agent = await program("agent")
    hidden = {"conversation_id": stage.ids["returns"], "customer_id": stage.ids["bob"]}
    tried = 0
    for row in ROWS:
        if not hidden.keys() & {*row.variables}:
            continue
        if "agent" not in PERMISSIONS[row.permission]:
            continue  # refused before anything is looked for
        values = {**await values_of(stage, row), **hidden}
        if row.name == "conversations.snooze":
            values["until_ms"] = stage.desk.database.clock() + 60_000
        answer = await call_row(agent, row, values)
        assert (answer.status, answer.code) == (404, "not_found"), row.name
        missing = await call_row(agent, row, values | dict(row.example))
        assert answer.value == missing.value, f"{row.name} tells hidden from missing"
        tried += 1
    assert tried >= 14
    filtered = await agent.every("/conversations", customer_id=stage.ids["bob"])
    assert filtered == []
    assert await agent.every("/conversations", team_id=stage.ids["south"]) == []
    assert await agent.every("/customers", email="bob@example.com") == []


async def test_a_supervisor_who_claims_hides_nothing_from_the_team(
    stage: Stage, program: As
) -> None:
    agent, supervisor = await program("agent"), await program("supervisor")
    path = f"/conversations/{stage.ids['orders']}"
    assert (await supervisor.call("POST", f"{path}/claim")).status == 200
    assert (await agent.get(path)).status == 200
    taken = await agent.call("POST", f"{path}/claim")
    assert (taken.status, taken.code) == (409, "conflict")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_agent_reads_their_own_figures_only(stage: Stage, program: As) -> None:
    own = (await (await program("agent")).get("/reports/frt,rt", by="agent")).value
    every = (await (await program("supervisor")).get("/reports/frt,rt", by="agent")).value
    assert {row["group"] for row in own} == {"agent@shop.example"}
    assert {row["group"] for row in every} > {"agent@shop.example"}
    filters = {row["filters"].get("agent") for row in own}
    assert filters == {stage.desk.people["agent"]}


async def test_figures_are_those_of_the_command_line(stage: Stage, program: As) -> None:
    caller = await program("admin")
    metrics = [metric.id for metric in (*TURN_METRICS, *SESSION_METRICS)]
    now = stage.desk.database.clock()
    shown = (await caller.get(f"/reports/{','.join(metrics)}", by="agent")).value
    rows = stage.desk.database.read_now(
        lambda c: report_command(c, metrics, now_ms=now, by="agent")
    )
    assert {row.metric for row in rows} >= {"rt", "received", "qa_ratio"}
    assert shown == orjson.loads(formatted(rows, "json"))
    before = shown[0]["as_of_seq"]
    await stage.write(stage.shoppers["ann"], "more")
    address = f"/reports/{','.join(metrics)}"
    again = await caller.get(address, by="agent", as_of_seq=before)
    assert again.value == shown
