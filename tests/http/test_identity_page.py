"""The page on which supervisors decide who is who."""

from __future__ import annotations

import re

from server.storage import contacts, links
from server.storage.persons import members, person_of
from tests.http.desk import Desk, Visitor
from tests.http.identity_scene import ANNA, FAMILY, Known, add_sources, fill

PAGE = "/customers/review"


async def _filled(desk: Desk) -> Known:
    await desk.database.write(add_sources)
    return await desk.database.write(fill)


def _case(text: str, kind: str) -> str:
    """The id of the first case of a kind, in the order of the page."""
    cards = text.split('class="card case"')[1:]
    card = next(card for card in cards if kind in card)
    found = re.search(r"/cases/(\w+)", card)
    assert found is not None
    return found[1]


async def _person(desk: Desk, customer_id: str) -> tuple[str, ...]:
    return await desk.database.read(lambda c: members(c, person_of(c, customer_id)))


async def test_only_supervisors_and_admins_see_it(desk: Desk) -> None:
    await _filled(desk)
    agent = await desk.signed_in("agent")
    assert (await agent.get(PAGE)).status == 403
    for role in ("supervisor", "admin"):
        shown = await (await desk.signed_in(role)).get(PAGE)
        assert shown.status == 200
        assert ANNA in shown.text
        assert FAMILY in shown.text


async def test_a_supervisor_joins_and_takes_it_back(desk: Desk) -> None:
    known = await _filled(desk)
    lea = await desk.signed_in("supervisor")
    case = _case((await lea.get(PAGE)).text, "Conflict")
    values = {"decision": "merge", "why": "same voice"}
    answer = await lea.post(f"{PAGE}/cases/{case}", values, page=PAGE)
    assert answer.location == f"{PAGE}?done=merged"
    assert set(await _person(desk, known.conflict[0])) == set(known.conflict)
    text = (await lea.get(answer.location)).text
    assert "same voice" in text
    (link,) = [
        link
        for link in await desk.database.read(links.undoable)
        if {link.customer_id, link.other_id} == set(known.conflict)
    ]
    answer = await lea.post(f"{PAGE}/links/{link.id}/undo", page=PAGE)
    assert answer.location == f"{PAGE}?done=undone"
    assert await _person(desk, known.conflict[0]) == (known.conflict[0],)
    again = await lea.post(f"{PAGE}/links/{link.id}/undo", page=PAGE)
    assert (again.status, "undone" in again.text.lower()) == (409, True)


async def test_two_are_kept_apart_for_good(desk: Desk) -> None:
    known = await _filled(desk)
    lea = await desk.signed_in("supervisor")
    await _decide(lea, "Conflict", "apart")
    text = (await lea.get(PAGE)).text
    assert "Conflict" not in text
    await _decide(lea, "Alike", "apart")
    assert "Nobody to decide about" in (await lea.get(PAGE)).text
    assert await _person(desk, known.conflict[1]) == (known.conflict[1],)


async def _decide(lea: Visitor, kind: str, decision: str) -> None:
    case = _case((await lea.get(PAGE)).text, kind)
    answer = await lea.post(f"{PAGE}/cases/{case}", {"decision": decision}, page=PAGE)
    assert answer.status == 303


async def test_a_shared_value_may_count_again(desk: Desk) -> None:
    await _filled(desk)
    lea = await desk.signed_in("supervisor")
    values = {"kind": "phone", "key": FAMILY, "state": "allowed"}
    answer = await lea.post(f"{PAGE}/values", values, page=PAGE)
    assert answer.location == f"{PAGE}?done=allowed"
    assert await desk.database.read(contacts.blocked_list) == []


async def test_an_agent_decides_nothing(desk: Desk) -> None:
    known = await _filled(desk)
    lea, ann = await desk.signed_in("supervisor"), await desk.signed_in("agent")
    case = _case((await lea.get(PAGE)).text, "Conflict")
    for path, values in (
        (f"{PAGE}/cases/{case}", {"decision": "merge"}),
        (f"{PAGE}/values", {"kind": "phone", "key": FAMILY, "state": "allowed"}),
    ):
        answer = await ann.post(path, values, page="/settings/profile")
        assert answer.status == 403
    assert await _person(desk, known.conflict[0]) == (known.conflict[0],)
    missing = await lea.post(f"{PAGE}/cases/nothing", {"decision": "merge"}, page=PAGE)
    assert missing.status == 404
