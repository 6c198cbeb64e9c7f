"""Business hours: set, looked at first, filled from a calendar file, and brought back."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp

from server.domain.hours import Calendar
from server.storage.hours import load_versions
from tests.http.desk import Answer, Desk, Visitor

ROOT = "/settings/hours"
WEEK = {
    "timezone": "Asia/Shanghai",
    **dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-12:00, 13:00-18:00"),
    "sat": "",
    "sun": "",
    "dates": "",
}
FILE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//x//ZH
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:{holiday:%Y%m%d}
DTEND;VALUE=DATE:{after:%Y%m%d}
SUMMARY:国庆节 假期
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART;VALUE=DATE:{worked:%Y%m%d}
SUMMARY:国庆节 补班
END:VEVENT
BEGIN:VEVENT
UID:3
DTSTART;VALUE=DATE:20200101
RRULE:FREQ=YEARLY
SUMMARY:New Year
END:VEVENT
END:VCALENDAR
"""


async def _calendars(desk: Desk) -> list[Calendar | None]:
    return [one.calendar for one in await desk.database.read(load_versions)]


async def _upload(visitor: Visitor, text: bytes) -> Answer:
    form = aiohttp.FormData()
    form.add_field("csrf", await visitor.csrf(ROOT))
    form.add_field("team", "")
    form.add_field("file", text, filename="holidays.ics", content_type="text/calendar")
    return await visitor.ask("POST", f"{ROOT}/holidays", data=form)


async def test_hours_are_set_looked_at_and_brought_back(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    empty = (await visitor.get(f"{ROOT}?lang=en")).text
    assert "always open" in empty
    assert 'value="09:00-18:00"' in empty

    tried = await visitor.post(ROOT, WEEK | {"version": "0", "do": "preview"})
    assert tried.status == 200
    assert "not saved yet" in tried.text
    assert len(re.findall(r'<th scope="row">\d{4}-\d\d-\d\d', tried.text)) == 14
    assert await _calendars(desk) == []

    saved = await visitor.post(ROOT, WEEK | {"version": "0", "do": "save"})
    assert saved.location == f"{ROOT}?done=saved"
    today = datetime.fromtimestamp(desk.time.now, ZoneInfo("Asia/Shanghai")).date()
    dates = f"{today} closed Stocktaking\n{today + timedelta(days=1)} 10:00-16:00 补班"
    stale = await visitor.post(ROOT, WEEK | {"version": "0", "dates": dates, "do": "save"})
    assert stale.status == 409
    assert "Stocktaking" in stale.text, "what was typed is still there"
    await visitor.post(ROOT, WEEK | {"version": "1", "dates": dates, "do": "save"})
    page = (await visitor.get(f"{ROOT}?lang=zh")).text
    assert "Stocktaking" in page
    assert "2 个特殊日期" in page

    await visitor.post(f"{ROOT}/restore", {"version": "2", "number": "1", "team": ""}, page=ROOT)
    first, second, third = await _calendars(desk)
    assert first == third
    assert second is not None
    assert len(second.overrides) == 2
    await visitor.post(ROOT, {"version": "3", "do": "clear", "team": ""})
    assert (await _calendars(desk))[-1] is None


async def test_what_cannot_be_read_is_said_beside_its_field(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    for wrong, field in (
        ({"tue": "9 to 5"}, "tue"),
        ({"wed": "09:00-12:00, 11:00-13:00"}, "wed"),
        ({"dates": "tomorrow closed"}, "dates"),
        ({"dates": "2026-10-01"}, "dates"),
        ({"dates": "2026-10-01 9:99-10:00"}, "dates"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
    ):
        for do in ("save", "preview"):
            answer = await visitor.post(ROOT, WEEK | wrong | {"version": "0", "do": do})
            assert answer.status == 400
            assert f'id="e-{field}"' in answer.text, wrong
    assert await _calendars(desk) == []


async def test_a_file_of_holidays_fills_the_dates_and_waits_to_be_saved(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    today = datetime.fromtimestamp(desk.time.now, ZoneInfo("Asia/Shanghai")).date()
    holiday, worked = today + timedelta(days=3), today + timedelta(days=9)
    text = FILE.format(holiday=holiday, after=holiday + timedelta(days=2), worked=worked)
    answer = await _upload(visitor, text.replace("\n", "\r\n").encode())
    assert answer.status == 200
    found = re.search(r'name="dates"[^>]*>([^<]*)</textarea>', answer.text)
    assert found is not None
    lines = found[1].splitlines()
    assert f"{holiday} closed 国庆节 假期" in lines
    assert f"{holiday + timedelta(days=1)} closed 国庆节 假期" in lines
    assert f"{worked} 09:00-18:00 国庆节 补班" in lines
    assert f"{today.year + 1}-01-01 closed New Year" in lines
    assert await _calendars(desk) == []
    for bad in (b"", b"no calendar", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"):
        assert (await _upload(visitor, bad)).status == 400


async def test_a_team_keeps_the_hours_of_the_shop_until_it_has_its_own(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    team = desk.people["team"]
    address = f"{ROOT}?team={team}"
    await visitor.post(ROOT, WEEK | {"version": "0", "do": "save"})
    assert "keeps the hours of the shop" in (await visitor.get(f"{address}&lang=en")).text
    assert "订单组</a>" in (await visitor.get(f"{address}&lang=zh")).text
    own = WEEK | {"mon": "22:00-02:00", "version": "1", "team": team, "do": "save"}
    saved = await visitor.post(ROOT, own, page=address)
    assert saved.location == f"{ROOT}?done=saved&team={team}"
    assert 'value="22:00-02:00"' in (await visitor.get(address)).text
    versions = await desk.database.read(load_versions)
    assert [one.team_id for one in versions] == [None, team]
    assert (await visitor.get(f"{ROOT}?team=nobody")).status == 404
