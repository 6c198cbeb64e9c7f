"""Staffing: what the log says, and the page that tells whom the next days need."""

from __future__ import annotations

import csv
import gzip
import html
import io
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from server.actions.imports import import_events
from server.domain.errors import InvalidInput
from server.http.report_staffing import read_asked
from server.reports.staffing import load_staffing
from tests.http.desk import Desk, Visitor, served
from tests.reports.stories import DAY, MINUTE, START, Story, at_ms
from tests.reports.worked_example import write_lines

if TYPE_CHECKING:
    from server.storage.database import Database

DAYS = 21
NOW_MS = at_ms(DAYS * DAY + 3600)


def three_weeks() -> Story:
    """Three weeks of two chats a day at nine, ten minutes each; a third whose shopper leaves."""
    told = Story()
    for day in range(DAYS):
        start = day * DAY
        told.served(start, f"a{day}", f"ann{day}", "Amy")
        told.served(start + 20 * MINUTE, f"b{day}", f"bob{day}", "Amy")
        if day % 2 == 0:
            told.ask(start + 30 * MINUTE, f"c{day}", f"cem{day}")
            told.tell(start + 31 * MINUTE, "queue.entered", chat=f"c{day}")
            told.tell(start + 33 * MINUTE, "customer.left", chat=f"c{day}", who="customer")
    return told


def test_the_log_tells_arrivals_times_and_patience(
    story: Callable[[Story], Database],
) -> None:
    database = story(three_weeks())
    found = database.read_now(lambda c: load_staffing(c, timezone="Asia/Shanghai", at_ms=NOW_MS))
    assert found.chats == 2 * DAYS + 11
    assert found.held == 2 * DAYS
    assert found.cut == 0
    # From accepting after ten seconds until the end after ten minutes.
    assert found.work.hold_ms == 590_000
    # The first day may have begun before the log did.
    assert found.work.first.isoformat() == "2026-11-03"
    assert sum(found.weekly.values()) == found.chats
    assert {hour for _, hour in found.weekly} == {9}
    assert found.is_open(found.today, 3)


@pytest_asyncio.fixture
async def desk(
    open_database: Callable[..., Database], data_dir: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    """A server whose clock stands at the end of those three weeks."""
    async with served(open_database, data_dir) as found:
        await found.set_up()
        path = write_lines(tmp_path / "weeks.ndjson", three_weeks().lines)
        assert import_events(found.database, path).rejected == []
        found.time.now = START.timestamp() + DAYS * DAY + 3600
        yield found


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


async def roster_of(visitor: Visitor, query: str = "") -> list[dict[str, str]]:
    answer = await visitor.get(f"/reports/staffing/export.csv{query}")
    assert answer.status == 200
    assert answer.body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def test_the_page_and_its_file_name_the_agents_of_each_hour(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    for language, title in (("en", "Agents needed, hour by hour"), ("zh", "每小时所需客服")):
        page = await visitor.get(f"/reports/staffing?lang={language}")
        assert page.status == 200
        assert title in words(page.text)
        assert len(gzip.compress(page.body)) < 40_000
    text = words((await visitor.get("/reports/staffing?lang=en")).text)
    assert "mean of 42 chats" in text
    assert "9:50" in text
    rows = await roster_of(visitor)
    assert len(rows) == 7 * 24
    nine = [row for row in rows if row["hour"] == "9"]
    assert all(float(row["expected"]) >= 2 for row in nine)
    assert all(int(row["agents"]) >= 1 for row in nine)
    assert all(float(row["in_time"]) >= 0.8 for row in nine)
    assert all(row["agents"] == "0" for row in rows if row["hour"] == "3")


async def test_a_higher_goal_needs_more_agents(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    usual, high, shared = [
        sum(int(row["agents"]) for row in await roster_of(visitor, query))
        for query in ("", "?goal=99&within=1", "?goal=99&within=1&at_once=3")
    ]
    assert usual < high
    assert shared < high
    page = words((await visitor.get("/reports/staffing?at_once=5&day=6&lang=en")).text)
    assert "Agents served 1.0 chats at once so far" in page
    assert 'value="5"' in (await visitor.get("/reports/staffing?at_once=5")).text


async def test_the_rows_behind_an_hour_are_as_many_as_it_says(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    page = (await visitor.get("/reports/staffing")).text
    found = re.findall(r'<td class="q\d"><a href="([^"]+)">(\d+)</a>', page)
    assert len(found) == 7
    for address, count in found:
        rows = (await visitor.get(html.unescape(address))).text
        assert f'data-count="{count}"' in rows


async def test_yesterdays_forecast_stands_beside_what_came(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    text = words((await visitor.get("/reports/staffing?lang=en")).text)
    assert "too few to judge a day by" in text
    assert "saying “as a week ago” would have been off by" in text


async def test_a_shop_without_chats_says_that_it_cannot_tell(
    open_database: Callable[..., Database], data_dir: Path
) -> None:
    async with served(open_database, data_dir) as empty:
        await empty.set_up()
        visitor = await empty.signed_in("admin")
        text = words((await visitor.get("/reports/staffing?lang=en")).text)
        assert "n too small" in text
        assert "nobody can say how long one takes" in text
        assert "there is no forecast to look at" in text
        assert all(row["agents"] == "" for row in await roster_of(visitor))


@pytest.mark.parametrize(
    "given",
    [{"goal": "100"}, {"within": "soon"}, {"at_once": "0.5"}, {"at_once": "nan"}, {"day": "7"}],
)
def test_what_makes_no_sense_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        read_asked(given)


def test_the_address_keeps_what_was_chosen() -> None:
    asked = read_asked({"goal": "90", "at_once": "2.5"})
    assert (
        asked.address("/reports/staffing", day=3) == "/reports/staffing?goal=90&at_once=2.5&day=3"
    )
