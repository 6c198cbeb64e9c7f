"""The worked example over HTTP gives exactly what was worked out, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: JSON values

import pytest_asyncio

from server.actions.imports import import_events
from tests.api.caller import Caller, make_token
from tests.http.desk import Desk, served
from tests.reports.test_figures_together import EXPECTED, OWNERS
from tests.reports.test_worked_example import BESIDE, BY_AGENT, FIELDS, WORKED_OUT
from tests.reports.worked_example import AS_OF, event_lines, write_lines

if TYPE_CHECKING:
    from server.storage.database import Database

Rows = list[dict[str, Any]]  # Any: as above


@pytest_asyncio.fixture
async def desk(
    open_database: Callable[..., Database], data_dir: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    """A server with the worked example."""
    async with served(open_database, data_dir, rate_limits=False) as found:
        await found.set_up()
        path = write_lines(tmp_path / "c1.ndjson", event_lines())
        assert import_events(found.database, path).rejected == []
        yield found


@pytest_asyncio.fixture
async def supervisor(desk: Desk) -> AsyncIterator[Caller]:
    """A program that calls as a supervisor."""
    caller = Caller(desk.url, await make_token(desk, "supervisor"))
    yield caller
    await caller.close()


async def read(caller: Caller, metrics: list[str], **asked: str) -> Rows:
    answer = await caller.get(f"/reports/{','.join(metrics)}", as_of=AS_OF, **asked)
    assert answer.status == 200
    found: Rows = answer.value
    return found


async def test_every_figure_of_the_example(supervisor: Caller) -> None:
    rows = await read(supervisor, list(WORKED_OUT))
    assert all(list(row) == FIELDS for row in rows)
    found = {
        row["metric"]: tuple(
            row[name] for name in ("value", "numerator", "denominator", "n", "n_open")
        )
        for row in rows
    }
    assert found == WORKED_OUT
    assert {row["metric"]: row["asides"] for row in rows if row["asides"]} == BESIDE
    others = {
        row["metric"]: tuple(
            row[name] for name in ("n", "n_open", "value", "numerator", "denominator")
        )
        for row in await read(supervisor, list(EXPECTED))
    }
    assert others == EXPECTED
    groups: dict[str, dict[str | None, tuple[object, ...]]] = {}
    for row in await read(supervisor, list(BY_AGENT), by="agent"):
        told = groups.setdefault(row["metric"], {})
        told[row["group"]] = (row["value"], row["numerator"], row["denominator"])
    assert groups == BY_AGENT
    owners: dict[str, set[str]] = {}
    for row in await read(supervisor, list(OWNERS), by="agent"):
        owners.setdefault(row["metric"], set()).add(row["group"])
    assert owners == OWNERS
