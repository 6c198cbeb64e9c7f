"""Leaving an event out on a page, and letting it count again."""

from __future__ import annotations

from functools import partial

from server.actions.messages import PostMessage, post_message
from server.actions.payload import parse
from server.actions.visitors import Connect, connect
from server.domain.actors import customer
from server.reports.corrections import load_voids
from server.storage.event_log import conversation_events
from server.storage.shop import load_shop
from tests.http.desk import Desk

ROOT = "/reports/corrections"


async def _asked(desk: Desk) -> tuple[str, int]:
    """A chat, and the number of its first message in the log."""
    shop = await desk.database.read(load_shop)
    assert shop is not None
    payload = Connect(site=shop.site_key)
    shopper = customer(
        (await desk.database.write(partial(connect, payload=payload)))["customer_id"]
    )
    message = parse(PostMessage, {"client_id": "1", "body": "Hello"})
    answer = await desk.database.write(partial(post_message, actor=shopper, payload=message))
    chat = str(answer["conversation_id"])
    events = await desk.database.read(partial(conversation_events, conversation_id=chat))
    return chat, next(e.seq for e in events if e.kind == "message.posted")


async def test_an_event_is_left_out_and_counts_again(desk: Desk) -> None:
    _, seq = await _asked(desk)
    visitor = await desk.signed_in("supervisor")
    page = await visitor.get(f"{ROOT}/{seq}?lang=en&back=/reports/turns/x/1")
    assert page.status == 200
    assert 'href="/reports/turns/x/1"' in page.text
    assert "example.com" not in (await visitor.get(f"{ROOT}/{seq}?back=//example.com")).text

    values = {"reason": "duplicate", "back": ""}
    done = await visitor.post(f"{ROOT}/{seq}", values)
    assert done.location == f"{ROOT}?done=voided"
    listed = (await visitor.get(f"{ROOT}?lang=en")).text
    assert "Came twice" in listed
    assert "Supervisor Young" in listed
    held = (await desk.database.read(load_voids))[0]
    assert held.target.seq == seq
    again = await visitor.post(f"{ROOT}/{seq}", values)
    assert again.status == 409

    back = await visitor.post(f"{ROOT}/{held.seq}", {"do": "again", "back": ""}, page=ROOT)
    assert back.location == f"{ROOT}?done=counted"
    assert await desk.database.read(load_voids) == []
    assert "Nothing was ever left out" in (await visitor.get(f"{ROOT}?lang=en")).text


async def test_who_came_from_a_reply_lands_where_it_can_be_taken_back(desk: Desk) -> None:
    _, seq = await _asked(desk)
    visitor = await desk.signed_in("supervisor")
    story = "/reports/turns/x/1"
    page = (await visitor.get(f"{ROOT}/{seq}?lang=en&back={story}")).text
    assert ">Hello</dd>" in page, "what it is about"
    # No reason is written down that nobody chose.
    unsaid = await visitor.post(f"{ROOT}/{seq}", {"reason": "", "back": story})
    assert (unsaid.status, "Say why it should not count" in unsaid.text) == (400, True)
    assert f'name="back" value="{story}"' in unsaid.text

    done = await visitor.post(f"{ROOT}/{seq}", {"reason": "test", "back": story})
    assert done.location.startswith(f"{ROOT}/{seq}?done=voided")
    text = (await visitor.get(done.location)).text
    assert "counts no more" in text
    assert "Let it count again" in text
    # The reply whose question it was is no page any more.
    assert f'href="{story}"' not in text
    held = (await desk.database.read(load_voids))[0]
    again = {"do": "again", "back": story}
    assert (await visitor.post(f"{ROOT}/{held.seq}", again, page=ROOT)).location == story


async def test_an_agent_leaves_nothing_out(desk: Desk) -> None:
    _, seq = await _asked(desk)
    visitor = await desk.signed_in("agent")
    form = {"reason": "test"}
    assert (await visitor.post(f"{ROOT}/{seq}", form, page="/settings/profile")).status == 403
    opened = await (await desk.signed_in("supervisor")).get(f"{ROOT}/{seq - 2}")
    assert opened.status == 404
