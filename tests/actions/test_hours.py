"""Business hours hold from when they are set, and turns know how much of their wait was open."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from server.actions.hours import restore_hours, set_hours
from server.domain.actors import Actor
from server.domain.errors import Conflict, NotAllowed
from server.domain.hours import Calendar, calendar_of
from server.reports.verify import verify
from server.storage.hours import load_book, load_versions
from server.storage.rows import TURN
from tests.actions.scene import Scene

HOUR_S = 3600.0


def open_at(*hours: str) -> Calendar:
    """These hours every day of the week."""
    return calendar_of("Asia/Shanghai", [", ".join(hours)] * 7, {})


def put(scene: Scene, lead: Actor, calendar: Calendar | None, team_id: str | None = None) -> int:
    return scene.database.write_now(lambda tx: set_hours(tx, lead, calendar, team_id=team_id))


def business_ms(scene: Scene, conversation_id: str) -> list[int | None]:
    statement = select(TURN.c.biz_ms).where(TURN.c.conversation_id == conversation_id)
    return scene.database.read_now(
        lambda c: list(c.execute(statement.order_by(TURN.c.turn_no)).scalars())
    )


def differences(scene: Scene) -> list[str]:
    return [str(one) for one in scene.database.read_now(lambda c: list(verify(c)))]


def answered_after(scene: Scene, hours: float, agent: Actor) -> str:
    """A chat that begins now and is answered so many hours later."""
    chat = scene.chat()
    scene.time.pass_s(hours * HOUR_S)
    scene.post(agent, "Yes", chat)
    return chat


def test_a_wait_overnight_counts_only_while_the_shop_was_open(scene: Scene) -> None:
    lead = scene.person("lead", role="supervisor")
    lin = scene.person("lin")
    # The scene begins at 12:40 in Shanghai.
    before = answered_after(scene, 1, lin)
    put(scene, lead, open_at("09:00-12:00", "13:00-18:00"))
    chat = answered_after(scene, 22, lin)
    assert business_ms(scene, before) == [None]
    # From 13:40 to 18:00, and from 9:00 to 11:40 of the next day.
    assert business_ms(scene, chat) == [7 * 3_600_000]
    assert differences(scene) == []


def test_hours_hold_from_when_they_are_set_and_never_before(scene: Scene) -> None:
    lead = scene.person("lead", role="supervisor")
    lin = scene.person("lin")
    put(scene, lead, open_at("00:00-24:00"))
    chat = scene.chat()
    scene.time.pass_s(HOUR_S)
    put(scene, lead, open_at("20:00-21:00"))
    scene.time.pass_s(HOUR_S)
    scene.post(lin, "Yes", chat)
    # The first hour was open by the hours of then; of the second nothing was.
    assert business_ms(scene, chat) == [3_600_000]
    put(scene, lead, None)
    assert business_ms(scene, answered_after(scene, 1, lin)) == [None]
    versions = scene.database.read_now(load_versions)
    assert [one.number for one in versions] == [1, 2, 3]
    times = [one.effective_from_ms for one in versions]
    assert times == sorted(times)
    told = [e for e in scene.log() if e.kind == "calendar.changed"]
    assert len(told) == 3
    assert differences(scene) == []
    as_then = scene.database.read_now(lambda c: load_book(c, up_to_seq=told[0].seq))
    assert as_then.version == 1


def test_a_team_has_hours_of_its_own(scene: Scene) -> None:
    lead = scene.person("lead", role="supervisor", teams=("night",))
    put(scene, lead, open_at("09:00-13:00"))
    put(scene, lead, open_at("12:00-02:00"), team_id="night")
    book = scene.database.read_now(load_book)
    now = scene.time.at_ms
    assert book.of_team(None).between_ms(now, now + 7_200_000) == 20 * 60_000
    assert book.of_team("night").between_ms(now, now + 7_200_000) == 7_200_000
    assert book.of_team("other").between_ms(now, now + 7_200_000) == 20 * 60_000
    put(scene, lead, None, team_id="night")
    book = scene.database.read_now(load_book)
    assert book.of_team("night").between_ms(now, now + 7_200_000) <= 7_200_000


def test_the_same_hours_again_make_no_version_and_old_ones_come_back(scene: Scene) -> None:
    lead = scene.person("lead", role="supervisor")
    assert put(scene, lead, open_at("09:00-18:00")) == 1
    assert put(scene, lead, open_at("9:00-18:00")) == 1
    assert put(scene, lead, open_at("10:00-18:00")) == 2
    assert scene.database.write_now(lambda tx: restore_hours(tx, lead, 1, version=2)) == 3
    versions = scene.database.read_now(load_versions)
    assert versions[0].calendar == versions[2].calendar
    with pytest.raises(Conflict):
        scene.database.write_now(lambda tx: restore_hours(tx, lead, 1, version=2))


def test_agents_do_not_change_hours(scene: Scene) -> None:
    with pytest.raises(NotAllowed):
        put(scene, scene.person("lin"), open_at("09:00-18:00"))
