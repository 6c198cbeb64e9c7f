"""Reports by mail on their pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from server.storage.people import load_people
from server.storage.report_schedules import load_schedules
from tests.http.desk import Desk, served

if TYPE_CHECKING:
    from server.storage.database import Database

ROOT = "/reports/mails"
Fields = dict[str, str | list[str]]


def _pairs(form: Fields) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, values in form.items()
        for value in (values if isinstance(values, list) else [values])
    ]


async def _ids(desk: Desk) -> dict[str, str]:
    return {one.role: one.id for one in await desk.database.read(load_people)}


async def test_one_is_added_changed_stopped_sent_and_removed(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    assert "No report goes out by mail yet" in (await visitor.get(f"{ROOT}?lang=en")).text
    me = (await _ids(desk))["supervisor"]
    form: Fields = {
        "name": "Weekly",
        "metrics": ["frt", "csat"],
        "sl": "45",
        "by": "team",
        "every": "week",
        "weekday": "0",
        "monthday": "1",
        "hour": "8",
        "locale": "zh",
        "recipients": [me],
    }
    added = await visitor.post(f"{ROOT}/new", _pairs(form))
    assert added.location == f"{ROOT}?done=added"
    [one] = await desk.database.read(load_schedules)
    assert (one.metrics, one.every, one.day, one.hour) == (("frt", "csat", "sl_45"), "week", 0, 8)
    assert (one.by, one.locale, one.recipients) == ("team", "zh", (me,))
    page = (await visitor.get(f"{ROOT}/{one.id}")).text
    assert 'value="sl_45" checked' in page

    await visitor.post(f"{ROOT}/{one.id}", _pairs(form | {"every": "month", "monthday": "28"}))
    [changed] = await desk.database.read(load_schedules)
    assert (changed.id, changed.every, changed.day) == (one.id, "month", 28)
    await visitor.post(f"{ROOT}/{one.id}/stop", page=ROOT)
    assert not (await desk.database.read(load_schedules))[0].enabled
    await visitor.post(f"{ROOT}/{one.id}/now", page=ROOT)
    [due] = await desk.database.read(load_schedules)
    assert due.enabled
    assert due.due_at_ms <= desk.database.clock()
    assert "Weekly" in (await visitor.get(f"{ROOT}/{one.id}/remove")).text
    await visitor.post(f"{ROOT}/{one.id}/remove")
    assert await desk.database.read(load_schedules) == []


async def test_what_is_wrong_is_said_and_what_was_typed_stays(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    me = (await _ids(desk))["supervisor"]
    agent = (await _ids(desk))["agent"]
    form: Fields = {
        "name": "Weekly",
        "metrics": ["frt"],
        "by": "",
        "every": "week",
        "weekday": "0",
        "monthday": "1",
        "hour": "8",
        "locale": "en",
        "recipients": [me],
    }
    wrongs: tuple[Fields, ...] = (
        {"name": ""},
        {"metrics": []},
        {"metrics": ["nonsense"]},
        {"sl": "0"},
        {"by": "weather"},
        {"every": "week", "weekday": "9"},
        {"hour": "24"},
        {"recipients": []},
        {"recipients": [agent]},  # who may not read reports gets none
    )
    for wrong in wrongs:
        answer = await visitor.post(f"{ROOT}/new", _pairs(form | wrong))
        assert answer.status == 400, wrong
        assert await desk.database.read(load_schedules) == []


async def test_a_server_without_an_address_sends_nothing_and_does_not_say_otherwise(
    open_database: Callable[..., Database], data_dir: Path
) -> None:
    async with served(open_database, data_dir, smtp_url="smtp://127.0.0.1:2525") as desk:
        await desk.set_up()
        visitor = await desk.signed_in("supervisor")
        page = (await visitor.get(f"{ROOT}?lang=en&done=now")).text
        assert "SHOPBELL_MAIL_ADDRESS" in page
        assert "On its way" not in page
