"""Quality reviews on their pages, without a script: drawing, judging, answering, comparing."""

from __future__ import annotations

import re
from functools import partial
from typing import Any  # Any: JSON values

import pytest

from server.actions.conversations import resolve
from server.actions.messages import PostMessage, post_message
from server.actions.payload import ConversationRef, parse
from server.actions.presence import SetPresence, set_presence
from server.actions.visitors import Connect, connect
from server.domain.actors import Actor, customer
from server.domain.review_card import FIRST_CARD
from server.storage.people import load_person
from server.storage.shop import load_shop
from tests.http.desk import Desk, Visitor

ROOT = "/reports/reviews"
DRAW = {"from": "2020-01-01", "to": "2100-01-01", "per_agent": "3", "twice": "1", "name": "Week"}
MARKS = {f"m-{one.id}": str(one.steps) for one in FIRST_CARD.criteria}


async def _do(desk: Desk, action: Any, actor: Actor, payload: Any) -> dict[str, Any]:
    found: dict[str, Any] = await desk.database.write(partial(action, actor=actor, payload=payload))
    return found


async def _chats(desk: Desk, count: int) -> None:
    """Chats that the agent answered and brought to an end."""
    found = await desk.database.read(partial(load_person, agent_id=desk.people["agent"]))
    shop = await desk.database.read(load_shop)
    assert found is not None
    assert shop is not None
    agent = found.actor
    await _do(desk, set_presence, agent, SetPresence(status="online", capacity=20))
    for number in range(count):
        start = partial(connect, payload=Connect(site=shop.site_key))
        shopper = customer((await desk.database.write(start))["customer_id"])
        asked = parse(PostMessage, {"client_id": "1", "body": f"Question {number}"})
        chat = (await _do(desk, post_message, shopper, asked))["conversation_id"]
        said = {"client_id": f"a{number}", "body": "An answer", "conversation_id": chat}
        await _do(desk, post_message, agent, parse(PostMessage, said))
        await _do(desk, resolve, agent, ConversationRef(conversation_id=chat))


@pytest.fixture
async def three(desk: Desk) -> dict[str, Visitor]:
    await _chats(desk, 3)
    return {role: await desk.signed_in(role) for role in ("agent", "supervisor", "admin")}


def _words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


async def _draw(visitor: Visitor, **more: str) -> str:
    answer = await visitor.post(f"{ROOT}/draw", DRAW | {"do": "draw"} | more)
    assert answer.status == 303, _words(answer.text)
    return answer.location.split("?")[0]


async def test_a_review_from_the_draw_to_the_answer(three: dict[str, Visitor]) -> None:
    lead, agent = three["supervisor"], three["agent"]
    counted = await lead.post(f"{ROOT}/draw?lang=en", DRAW | {"do": "count", "name": ""})
    assert "3 chats to draw from" in counted.text
    assert "No sample yet" in (await lead.get(f"{ROOT}?lang=en")).text
    wrong = await lead.post(f"{ROOT}/draw?lang=en", DRAW | {"do": "draw", "per_agent": "99"})
    assert wrong.status == 400
    assert "A number from 0 to 50." in wrong.text
    sample = await _draw(lead, twice="0", blind="1", seed="seed-1")
    page = (await lead.get(f"{sample}?lang=en")).text
    assert "Agent Young" not in page.split('id="estimate"')[0]
    again = await lead.post(f"{sample}?lang=en", {"do": "again"})
    assert "the very same chats" in again.text

    item = re.findall(rf"{ROOT}/items/\w+", page)[0]
    form = await lead.get(f"{item}?lang=en")
    assert "An answer" in form.text
    assert "Agent Young" not in form.text
    half = {name: value for name, value in MARKS.items() if name != "m-tone"}
    draft = await lead.post(item, half | {"do": "draft", "all": "Half of it"})
    assert draft.location == f"{item}?done=saved"
    kept = (await lead.get(f"{item}?lang=en")).text
    assert "Half of it" in kept
    assert kept.count(" checked") == len(half)
    unmarked = await lead.post(f"{item}?lang=en", half | {"do": "give", "all": "Half of it"})
    assert unmarked.status == 400
    assert "Friendly and to the point: This criterion has no mark yet" in _words(unmarked.text)
    assert "No review yet" in (await agent.get(f"{ROOT}/own?lang=en")).text
    given = await lead.post(item, MARKS | {"m-tone": "na", "do": "give", "all": "Well <done>"})
    assert given.location == f"{sample}?done=given"

    own = (await agent.get(f"{ROOT}/own?lang=en")).text
    (review,) = set(re.findall(rf"{ROOT}/given/\w+", own))
    read = (await agent.get(f"{review}?lang=zh")).text
    assert "Well &lt;done&gt;" in read
    assert "不适用" in read
    assert "100.0%" in read
    wordless = await agent.post(f"{review}?lang=en", {"do": "objected", "text": ""})
    assert wordless.status == 400
    assert "Say why you object" in wordless.text
    answer = {"do": "objected", "text": "But I was friendly"}
    assert (await agent.post(review, answer)).status == 303
    assert "1 objection waits" in (await lead.get(f"{ROOT}?lang=en")).text
    settled = await lead.post(review, {"do": "settled", "text": "Nobody said otherwise"})
    assert settled.status == 303
    assert "Nobody said otherwise" in (await agent.get(review)).text
    revised = await lead.post(item, MARKS | {"m-privacy": "0", "do": "give", "all": ""})
    assert revised.location == f"{review}?done=revised"
    listed = _words((await lead.get(f"{ROOT}?lang=en")).text)
    assert "Agent Young 1 n too small 95.0 %" in listed
    csv = (await lead.get("/reports/export.csv?metrics=review_score,review_pass")).text
    assert re.search(r"all,,review_score,.*,1,0,0\.95,ratio", csv)
    rows = (await lead.get("/reports/rows?metric=review_score&lang=en")).text
    assert review in rows
    assert "1 review" in rows
    # Whose it is not sees nothing of it.
    assert (await three["admin"].get(review)).status == 200
    assert (await agent.get(item)).status == 403
    assert (await agent.get(sample)).status == 403


async def test_the_second_reviewer_judges_without_seeing_the_first(
    three: dict[str, Visitor], desk: Desk
) -> None:
    lead, other = three["supervisor"], three["admin"]
    sample = await _draw(lead, twice="3")
    item = re.findall(rf"{ROOT}/items/\w+", (await lead.get(sample)).text)[0]
    await lead.post(item, MARKS | {"do": "give", "all": "The first word"})
    own = (await three["agent"].get(f"{ROOT}/own")).text
    (review,) = set(re.findall(rf"{ROOT}/given/\w+", own))
    assert (await other.get(review)).location == item
    listed = (await other.get(f"{sample}?lang=en")).text
    assert "Sealed until both are given" in listed
    form = (await other.get(f"{item}?lang=en")).text
    assert "Somebody has judged this chat" in form
    assert "The first word" not in form
    await other.post(item, MARKS | {"m-right": "1", "do": "give", "all": ""})
    both = (await other.get(f"{review}?lang=en")).text
    assert "The first word" in both
    assert "The other verdict" in both
    told = _words((await lead.get(f"{ROOT}?lang=en")).text)
    assert "1 chat was judged by two people; their scores are 15.0 points of 100 apart" in told
    assert (await lead.post(sample, {"do": "close"})).location == f"{sample}?done=closed"
    left = re.findall(rf"{ROOT}/items/\w+", listed)
    closed = await lead.get(f"{next(one for one in left if one != item)}?lang=en")
    assert "The sample is closed" in closed.text


async def test_the_shop_writes_its_scorecard(three: dict[str, Visitor]) -> None:
    lead = three["supervisor"]
    page = (await lead.get(f"{ROOT}/scorecard?lang=zh")).text
    assert "保护个人信息" in page
    form = {"version": "1", "pass_mark": "70"}
    lines = [("right", "Right", "正确", "60", "2"), ("", "Short", "简洁", "40", "4")]
    for number, (id_, en, zh, weight, steps) in enumerate([*lines, ("", "", "", "10", "2")]):
        form |= {f"id-{number}": id_, f"en-{number}": en, f"zh-{number}": zh}
        form |= {f"weight-{number}": weight, f"steps-{number}": steps}
    one_sided = await lead.post(f"{ROOT}/scorecard?lang=en", form | {"zh-1": ""})
    assert one_sided.status == 400
    assert "Name every criterion in both languages." in one_sided.text
    assert 'value="Short"' in one_sided.text
    assert (await lead.post(f"{ROOT}/scorecard", form)).status == 303
    assert (await lead.post(f"{ROOT}/scorecard", form)).status == 409
    sample = await _draw(lead)
    item = re.findall(rf"{ROOT}/items/\w+", (await lead.get(sample)).text)[0]
    shown = (await lead.get(f"{item}?lang=zh")).text
    assert "简洁" in shown
    assert 'name="m-short" value="4"' in shown
    assert "Personal data" not in shown
