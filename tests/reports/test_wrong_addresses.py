"""An address that asks for what a report does not have: named, with the way on without it."""

from __future__ import annotations

import html
import re

import pytest

from tests.http.desk import Visitor
from tests.reports.test_pages import PERIOD, desk, supervisor, words

__all__ = ["desk", "supervisor"]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

# address -> what is said of it in each language, and the address that is offered instead.
TOLD = {
    "/reports/times?period=fortnight&channel=chat": (
        "“period” cannot be “fortnight”. It can be: today, 7, 28, 90, month, all, custom.",
        "“period”不能是“fortnight”，可选：today、7、28、90、month、all、custom。",
        "/reports/times?channel=chat",
    ),
    "/reports/rows?metric=nps&hour=24&weekday=2": (
        "There is no figure “nps”, for which “metric” asks.",
        "“metric”所要的指标“nps”不存在。",
        "/reports/rows?weekday=2",
    ),
    "/reports/rows?hit=x&weekday=2": (
        "“hit” cannot be “x”. It is a number from 0 to 1.",
        "“hit”不能是“x”，应为 0 到 1 之间的数字。",
        "/reports/rows?weekday=2",
    ),
    "/reports?period=custom&from=yesterday&channel=chat": (
        "“from” cannot be “yesterday”. It is a day, such as 2026-11-20.",
        "“from”不能是“yesterday”，应为日期，例如 2026-11-20。",
        "/reports?channel=chat",
    ),
    "/reports?from=2026-11-21&to=2026-11-20": (
        "“to” is “2026-11-20”, which is before the period begins.",
        "“to”是“2026-11-20”，早于开始日期。",
        "/reports?from=2026-11-21",
    ),
    "/reports?compare=custom&cfrom=2026-11-21&cto=2026-11-20": (
        "“cto” is “2026-11-20”, which is before the period begins.",
        "“cto”是“2026-11-20”，早于开始日期。",
        "/reports?compare=custom&cfrom=2026-11-21",
    ),
    "/reports/breakdown?by=weather&team=-": (
        "“by” cannot be “weather”. It can be: agent, team,",
        "“by”不能是“weather”，可选：agent、team、",
        "/reports/breakdown?team=-",
    ),
    "/reports?agent=nobody-of-this-name&segment=loyal": (
        "“agent” is “nobody-of-this-name”, which is nobody here.",
        "“agent”是“nobody-of-this-name”，这里没有对应的客服或团队。",
        "/reports?segment=loyal",
    ),
    "/reports/staffing?goal=500&day=2": (
        "“goal” cannot be “500”. It is a number from",
        "“goal”不能是“500”，应为",
        "/reports/staffing?day=2",
    ),
    "/reports/offers?days=x": (
        "“days” cannot be “x”. It is a number from 1 to 3650.",
        "“days”不能是“x”，应为 1 到 3650 之间的数字。",
        "/reports/offers",
    ),
}


async def test_what_is_wrong_is_named_and_the_rest_is_offered(supervisor: Visitor) -> None:
    for address, (en, zh, rest) in TOLD.items():
        for locale, said in (("en", en), ("zh", zh)):
            answer = await supervisor.get(f"{address}&lang={locale}")
            assert answer.status == 400, address
            assert said in words(answer.text), address
            [link] = re.findall(r'<a class="btn primary" href="([^"]+)"', answer.text)
            found = html.unescape(link)
            assert found in {f"{rest}&lang={locale}", f"{rest}?lang={locale}"}
        assert (await supervisor.get(found)).status == 200, found


async def test_all_that_is_wrong_is_said_at_once(supervisor: Visitor) -> None:
    page = words((await supervisor.get("/reports/rows?metric=nps&hour=24&lang=en")).text)
    assert "“nps”" in page
    assert "“hour” cannot be “24”. It is a number from 0 to 23." in page


async def test_a_filter_that_no_report_knows_is_left_aside_and_said(supervisor: Visitor) -> None:
    for path in ("/reports", "/reports/rows"):
        wrong = f"{path}?{PERIOD}&chanel=chat&channel=chat"
        for locale, said in (
            ("en", "The address has a filter that no report knows: “chanel”."),
            ("zh", "地址里有报表不认识的筛选条件：“chanel”。"),
        ):
            answer = await supervisor.get(f"{wrong}&lang={locale}")
            assert answer.status == 200
            assert said in words(answer.text)
            [notice] = re.findall(r'<p class="callout warn".*?</p>', answer.text, re.DOTALL)
            [link] = re.findall(r'<a href="([^"]+)"', notice)
            rest = html.unescape(link)
            assert rest == f"{path}?{PERIOD}&channel=chat&lang={locale}"
        assert 'class="callout warn"' not in (await supervisor.get(rest)).text


async def test_the_file_of_such_an_address_is_a_plain_text(supervisor: Visitor) -> None:
    for query, en, zh in (
        (
            "clock=sun",
            "“clock” cannot be “sun”. It can be: elapsed, business.",
            "“clock”不能是“sun”，可选：elapsed、business。",
        ),
        ("chanel=chat", "There is no filter “chanel”.", "没有名为“chanel”的筛选条件。"),
    ):
        address = f"/reports/export.csv?{query}&metrics=frt"
        for locale, said in (("en", en), ("zh", zh)):
            answer = await supervisor.get(f"{address}&lang={locale}")
            assert answer.status == 400
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.text == f"{said}\n"
        shape = await supervisor.get(address, headers={"Accept": "*/*"})
        assert shape.status == 400
        assert shape.headers["Content-Type"].startswith("application/json")
        assert en in shape.text


async def test_nothing_of_an_address_becomes_markup(supervisor: Visitor) -> None:
    for query in ("period=<b>x</b>", "<b>x</b>=1"):
        assert "<b>x</b>" not in (await supervisor.get(f"/reports?{query}")).text
