"""The report pages: exact figures in both languages, and behind each number its very turns."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from server.actions.imports import import_events
from server.domain.periods import instant_ms, zone
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


def links(page: str, start: str = "/reports/turns?") -> list[tuple[str, str]]:
    """(address, words) of the links that begin so."""
    found = re.findall(r'<a\b[^>]*href="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return [
        (address, words(text))
        for raw, text in found
        if (address := html.unescape(raw)).startswith(start)
    ]


async def test_the_figures_of_the_example_in_english(supervisor: Visitor) -> None:
    text = words((await supervisor.get(REPORT + "&lang=en")).text)
    assert "First reply, median 0:50 2 sessions, 1 open" in text
    assert "First reply, p90 n too small" in text
    assert "Answered within 3 min 66.7 % 2/3 turns" in text
    assert "Every reply, median 2:30 4 turns, 1 open · mean of answered 1:40" in text
    assert "Still waiting now 1" in text


async def test_the_figures_of_the_example_in_chinese(supervisor: Visitor) -> None:
    text = words((await supervisor.get(REPORT + "&lang=zh")).text)
    assert "首响中位数 0:50" in text
    assert "样本不足" in text
    assert "3 分钟响应率 66.7 % 2/3 轮" in text
    assert "全部轮次中位数 2:30" in text
    assert "1:40" in text


async def test_every_count_on_the_page_opens_as_many_turns(supervisor: Visitor) -> None:
    page = (await supervisor.get(REPORT)).text
    counts = [(address, text) for address, text in links(page) if text.isdecimal()]
    assert len(counts) > 15
    for address, text in counts:
        listed = (await supervisor.get(address)).text
        found = re.search(r'data-count="(\d+)"', listed)
        assert found is not None, address
        assert (found[1], len(links(listed, "/reports/turns/"))) == (text, int(text)), address


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
    assert "4 sessions, 2 open" in words((await supervisor.get(REPORT)).text)


async def test_a_turn_opens_its_messages_with_the_clock(supervisor: Visitor) -> None:
    listed = (await supervisor.get(f"/reports/turns?metric=rt&{PERIOD}")).text
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


async def test_an_agent_sees_only_their_own_figures(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    page = (await agent.get(REPORT + "&agent=someone-else")).text
    text = words(page)
    assert "Your own figures" in text
    assert "1 session, 0 open" in text
    assert "bo@desk.example" not in text
    turns = (await agent.get(f"/reports/turns?metric=rt&{PERIOD}")).text
    assert 'data-count="1"' in turns


async def test_an_agent_cannot_open_a_turn_of_another_team(desk: Desk, supervisor: Visitor) -> None:
    listed = (await supervisor.get(f"/reports/turns?metric=rt&{PERIOD}")).text
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
    answer = await supervisor.get(f"/reports/export.csv?{PERIOD}")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.body.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"))))
    total = {row["metric"]: row for row in rows if row["by"] == "all"}
    assert total["frt"]["median_ms"] == "50000"
    assert (total["rt"]["median_ms"], total["rt"]["mean_ms"]) == ("150000", "100000")
    assert (total["r3m_turn"]["numerator"], total["r3m_turn"]["denominator"]) == ("2", "3")
    assert {row["by"] for row in rows} == {"all", "agent", "day", "hour"}


async def test_an_empty_period_says_so(supervisor: Visitor) -> None:
    text = words((await supervisor.get("/reports?from=2020-01-01&to=2020-01-02&lang=en")).text)
    assert "No conversations in this period" in text


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
    ],
)
async def test_an_address_that_makes_no_sense_is_refused(supervisor: Visitor, query: str) -> None:
    assert (await supervisor.get(f"/reports/turns?{query}")).status == 400


async def test_reports_need_a_sign_in(desk: Desk) -> None:
    stranger = desk.visitor()
    for path in ("/reports", "/reports/turns", "/reports/export.csv", "/reports/turns/x/1"):
        answer = await stranger.get(path)
        assert (answer.status, answer.location[:9]) == (303, "/sign-in?"), path


async def test_a_turn_that_is_not_there(supervisor: Visitor) -> None:
    assert (await supervisor.get("/reports/turns/nothing/1")).status == 404
    assert (await supervisor.get("/reports/turns/nothing/999999999")).status == 404
