"""Keeping a report on a page, and making it again."""

from __future__ import annotations

from server.storage.stored_reports import load_reports
from tests.http.desk import Desk

ROOT = "/reports/stored"


async def test_a_report_is_kept_made_again_and_let_go(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    assert "No report has been kept" in (await visitor.get(f"{ROOT}?lang=en")).text
    form = {
        "name": "November",
        "metrics": "frt, r3m_turn",
        "from": "2026-11-01",
        "to": "2026-11-30",
    }
    kept = await visitor.post(ROOT, form)
    address = kept.location.split("?")[0]
    page = (await visitor.get(f"{kept.location}&lang=en")).text
    assert "November" in page
    [stored] = await desk.database.read(lambda c: load_reports(c, limit=9))
    assert stored.by == "Supervisor Young"
    assert stored.sha256 in page
    again = await visitor.post(address, {"do": "check"})
    assert "every byte is the same" in again.text
    assert (await visitor.get(f"{address}/rows.json")).text == stored.body
    gone = await visitor.post(address, {"do": "remove"})
    assert gone.location == f"{ROOT}?done=removed"
    assert (await visitor.get(address)).status == 404


async def test_nothing_is_asked_for_by_its_id(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    page = (await visitor.get(f"{ROOT}?lang=en")).text
    team = desk.people["team"]
    for name in ("First response time", "Satisfaction", "Agent Young", "All teams"):
        assert name in page, name
    both = {"name": "x", "metrics": ["frt", "csat"], "by": "team", "team": team}
    kept = await visitor.post(ROOT, both)
    shown = (await visitor.get(f"{kept.location}&lang=en")).text
    assert "First response time" in shown
    assert f">{team}<" not in shown
    [stored] = await desk.database.read(lambda c: load_reports(c, limit=9))
    assert stored.metrics == ("frt", "csat")


async def test_what_cannot_be_asked_is_said(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    form = {"name": "x", "metrics": "frt"}
    for wrong in ({"metrics": "nonsense"}, {"name": ""}, {"from": "soon"}, {"by": "weather"}):
        answer = await visitor.post(ROOT, form | wrong)
        assert answer.status == 400, wrong
        assert await desk.database.read(lambda c: load_reports(c, limit=9)) == []
