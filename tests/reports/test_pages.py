"""The report pages: exact figures in both languages, and behind each number its very rows."""

from __future__ import annotations

import csv
import gzip
import html
import io
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from server.actions.imports import import_events
from server.domain.metrics import METRICS
from server.domain.periods import instant_ms, local_date, zone
from server.http.report_pages import PAGES
from server.http.report_query import ReportQuery, compared_with, scope_of
from server.reports.rows import report
from server.storage.stored_reports import load_reports
from tests.http.desk import Desk, Visitor, served
from tests.reports.worked_example import AMY, AS_OF, event_lines, write_lines

if TYPE_CHECKING:
    from server.storage.database import Database

AT = instant_ms(AS_OF, zone("Asia/Shanghai"))
PERIOD = f"period=custom&from=2026-11-20&to=2026-11-21&as_of={AT}"
REPORT = f"/reports?{PERIOD}"


@pytest_asyncio.fixture
async def desk(
    open_database: Callable[..., Database], data_dir: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    """A server with the worked example, in which the desk's agent answered the first question."""
    async with served(open_database, data_dir) as found:
        await found.set_up()
        path = write_lines(tmp_path / "c1.ndjson", event_lines())
        path.write_text(path.read_text("utf-8").replace(AMY, "agent@shop.example"), "utf-8")
        assert import_events(found.database, path).rejected == []
        yield found


@pytest_asyncio.fixture
async def supervisor(desk: Desk) -> Visitor:
    """A browser in which a supervisor is signed in."""
    return await desk.signed_in("supervisor")


def words(page: str) -> str:
    """What a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def links(page: str, start: str = "/reports/rows?") -> list[tuple[str, str]]:
    """(address, words) of the links that begin so."""
    found = re.findall(r'<a\b[^>]*href="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return [
        (address, words(text))
        for raw, text in found
        if (address := html.unescape(raw)).startswith(start)
    ]


async def test_the_figures_of_the_example_in_english(supervisor: Visitor) -> None:
    text = words((await supervisor.get(REPORT + "&lang=en")).text)
    assert "First reply, median 0:50" in text
    assert "First reply, p90 n too small" in text
    assert "66.7 %" in text
    assert "2 / 3 · 95%: 21%–94%" in text
    times = words((await supervisor.get(f"/reports/times?{PERIOD}&lang=en")).text)
    assert "Every reply, median 2:30 4 turns" in times
    assert "Every reply, mean of answered 1:40" in times


async def test_the_figures_of_the_example_in_chinese(supervisor: Visitor) -> None:
    text = words((await supervisor.get(REPORT + "&lang=zh")).text)
    assert "首响中位数 0:50" in text
    assert "样本不足" in text
    assert "66.7 %" in text
    assert "2 / 3 · 95%：21%–94%" in text


async def test_every_page_is_there_in_both_languages_and_light_enough(
    supervisor: Visitor,
) -> None:
    for page in PAGES.values():
        for language in ("en", "zh"):
            answer = await supervisor.get(f"{page.path}?{PERIOD}&lang={language}")
            assert answer.status == 200, page.id
            assert len(gzip.compress(answer.body)) < 40_000, page.id
            assert "UndefinedError" not in answer.text


async def test_behind_every_figure_stand_as_many_rows_as_it_says(
    desk: Desk, supervisor: Visitor
) -> None:
    query = ReportQuery(period="custom", from_="2026-11-20", to="2026-11-21", as_of=AT)
    scope = scope_of(query, timezone="Asia/Shanghai", now_ms=AT, agent_id=None)
    rows = desk.database.read_now(lambda c: report(c, list(METRICS), scope))
    assert sum(row.n > 0 for row in rows) > 20
    for row in rows:
        for hit in ("", "&hit=1"):
            listed = await supervisor.get(f"/reports/rows?metric={row.metric}&{PERIOD}{hit}")
            assert listed.status == 200, row.metric
            found = re.search(r'data-count="(\d+)"', listed.text)
            wanted = row.numerator if hit and METRICS[row.metric].succeeds else row.n
            assert found is not None, row.metric
            assert int(found[1]) == wanted, (row.metric, hit)
            assert len(re.findall(r'<th scope="row">', listed.text)) == wanted, row.metric


async def test_every_figure_has_its_definition_formula_and_version_on_the_page(
    supervisor: Visitor,
) -> None:
    for page in PAGES.values():
        text = (await supervisor.get(f"{page.path}?{PERIOD}&lang=en")).text
        asked = set(re.findall(r'href="#def-([a-z0-9_]+)"', text))
        defined = set(re.findall(r'id="def-([a-z0-9_]+)"', text))
        assert asked <= defined, page.id
        for metric_id in defined & set(METRICS):
            said = words(text)
            metric = METRICS[metric_id]
            assert f"Definition {metric_id}, version {metric.version}" in said
            assert " ".join(metric.formula.en.split()) in said


async def test_numbers_stay_as_they_were_when_they_were_read(
    desk: Desk, supervisor: Visitor, tmp_path: Path
) -> None:
    page = (await supervisor.get(REPORT)).text
    address = next(address for address, text in links(page) if text == "0:50")
    more = [line | {"event_id": f"x-{line['event_id']}"} for line in event_lines()[2:]]
    for line in more:
        line["conversation"] = "C2"
    import_events(desk.database, write_lines(tmp_path / "more.ndjson", more))
    assert 'data-count="2"' in (await supervisor.get(address)).text
    assert 'data-count="4"' in (await supervisor.get(f"/reports/rows?metric=frt&{PERIOD}")).text


async def test_a_turn_opens_its_messages_with_the_clock(supervisor: Visitor) -> None:
    listed = (await supervisor.get(f"/reports/rows?metric=rt&{PERIOD}")).text
    address = links(listed, "/reports/turns/")[2][0]
    page = (await supervisor.get(address + "&lang=en")).text
    text = words(page)
    assert 'data-wait="150000"' in page
    assert "agent Young" not in text
    assert re.search(r"Agent Young 10:03:00 10:04:00 1:00", text)
    assert re.search(r"bo@desk.example 10:04:00 10:05:30 1:30", text)
    assert "问一下 B" in text
    assert "internal note" in text
    assert "谢谢" not in text
    assert "<svg" in page


async def test_a_session_opens_with_each_of_its_clocks(supervisor: Visitor) -> None:
    listed = (await supervisor.get(f"/reports/rows?metric=csat&{PERIOD}")).text
    address = links(listed, "/reports/sessions/")[0][0]
    page = (await supervisor.get(address + "&lang=en")).text
    assert re.findall(r'data-wait="(\d+)"', page) == ["50000", "150000", "30000"]
    text = words(page)
    assert "谢谢" in text
    assert "漏发配件" not in text


async def test_an_agent_sees_only_their_own_figures(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    page = (await agent.get(REPORT + "&agent=someone-else&lang=en")).text
    text = words(page)
    assert "Your own figures" in text
    assert "bo@desk.example" not in text
    rows = (await agent.get(f"/reports/rows?metric=rt&{PERIOD}")).text
    assert 'data-count="1"' in rows
    for report_page in PAGES.values():
        status = (await agent.get(f"{report_page.path}?{PERIOD}")).status
        assert status == (200 if report_page.own else 403), report_page.id


async def test_an_agent_cannot_open_a_turn_of_another_team(desk: Desk, supervisor: Visitor) -> None:
    listed = (await supervisor.get(f"/reports/rows?metric=rt&{PERIOD}")).text
    addresses = [address for address, _ in links(listed, "/reports/turns/")]
    with desk.database.engine.begin() as connection:
        connection.exec_driver_sql(
            """UPDATE conversation
            SET state = replace(state, '"team_id":null', '"team_id":"elsewhere"')"""
        )
    agent = await desk.signed_in("agent")
    statuses = [(await agent.get(address)).status for address in addresses]
    # The latest first: waiting in another team's queue, B's thanks, A passed on, A answered.
    assert statuses == [404, 404, 200, 200]


async def test_the_file_opens_in_a_spreadsheet(supervisor: Visitor) -> None:
    answer = await supervisor.get(f"/reports/export.csv?{PERIOD}&metrics=frt,rt,r3m_turn,none")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    total = {row["metric"]: row for row in rows if row["by"] == "all"}
    assert set(total) == {"frt", "rt", "r3m_turn"}
    assert total["frt"]["median_ms"] == "50000"
    assert (total["rt"]["median_ms"], total["rt"]["mean_ms"]) == ("150000", "100000")
    assert (total["r3m_turn"]["numerator"], total["r3m_turn"]["denominator"]) == ("2", "3")
    assert {row["by"] for row in rows} >= {"all", "agent", "day", "hour"}


async def test_a_shop_without_chats_is_told_what_will_stand_here(
    open_database: Callable[..., Database], data_dir: Path
) -> None:
    async with served(open_database, data_dir) as desk:
        await desk.set_up()
        visitor = await desk.signed_in("supervisor")
        for page in PAGES.values():
            text = words((await visitor.get(f"{page.path}?lang=en")).text)
            assert "No conversations in this period" in text, page.id


async def test_a_goal_says_where_one_would_pass(supervisor: Visitor) -> None:
    text = words((await supervisor.get(f"/reports/platforms?{PERIOD}&target=60&lang=en")).text)
    assert "With a goal of 60% you would pass Taobao / Tmall but fail" in text


def test_periods_are_compared_with_the_one_before_a_year_ago_or_ones_own() -> None:
    query = ReportQuery(period="custom", from_="2024-02-29", to="2024-03-01", as_of=AT)
    scope = scope_of(query, timezone="Asia/Shanghai", now_ms=AT, agent_id=None)

    def days(**changes: str) -> tuple[str, str] | None:
        found = compared_with(replace(query, **changes), scope)  # type: ignore[arg-type]  # texts
        if found is None or found.from_ms is None or found.to_ms is None:
            return None
        tz = zone("Asia/Shanghai")
        from_, to = (local_date(at, tz).isoformat() for at in (found.from_ms, found.to_ms - 1))
        return from_, to

    assert days() == ("2024-02-27", "2024-02-28")
    assert days(compare="year") == ("2023-02-28", "2023-03-01")
    assert days(compare="custom", cfrom="2024-01-01", cto="2024-01-03") == (
        "2024-01-01",
        "2024-01-03",
    )
    assert days(compare="off") is None


@pytest.mark.parametrize(
    "query",
    [
        "period=fortnight",
        "period=custom&from=yesterday",
        "from=2026-02-30",
        "from=2026-11-21&to=2026-11-20",
        "hour=24",
        "weekday=x",
        "seq=-1",
        "as_of=99999999999999999999",
        "outcome=lost",
        "metric=nps",
        "channel=" + "x" * 101,
        "page=1e3",
        "compare=never",
        "clock=sun",
        "hit=2",
    ],
)
async def test_an_address_that_makes_no_sense_is_refused(supervisor: Visitor, query: str) -> None:
    assert (await supervisor.get(f"/reports/rows?{query}")).status == 400


async def test_reports_need_a_sign_in(desk: Desk) -> None:
    stranger = desk.visitor()
    for path in ("/reports", "/reports/rows", "/reports/export.csv", "/reports/turns/x/1"):
        answer = await stranger.get(path)
        assert (answer.status, answer.location[:9]) == (303, "/sign-in?"), path


async def test_a_turn_that_is_not_there(supervisor: Visitor) -> None:
    assert (await supervisor.get("/reports/turns/nothing/1")).status == 404
    assert (await supervisor.get("/reports/turns/nothing/999999999")).status == 404


async def test_a_page_is_kept_as_it_is_seen(supervisor: Visitor, desk: Desk) -> None:
    page = (await supervisor.get(f"{REPORT}&channel=chat&lang=en")).text
    [form] = re.findall(r'<form class="pop-body" method="post".*?</form>', page, re.DOTALL)
    fields = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', form))
    fields |= dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    del fields["csrf"]
    kept = await supervisor.post("/reports/stored", {**fields, "name": "As seen", "by": "agent"})
    text = words((await supervisor.get(f"{kept.location}&lang=en")).text)
    assert "Kept." in text
    assert "Channel Chat" in text
    [stored] = await desk.database.read(lambda c: load_reports(c, limit=9))
    assert (stored.as_of_ms, stored.query["channel"]) == (AT, "chat")
    again = await supervisor.post(kept.location.split("?")[0], {"do": "check"})
    assert "every byte is the same" in again.text
