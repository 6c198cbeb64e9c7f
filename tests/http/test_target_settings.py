"""Targets: seen, tried, saved, ordered, applied anew, and explained."""

from __future__ import annotations

from functools import partial

from server.actions import targets as actions
from server.actions.messages import PostMessage, post_message
from server.actions.payload import parse
from server.actions.visitors import Connect, connect
from server.domain.actors import customer
from server.domain.targets import DEFAULTS
from server.jobs import targets as job
from server.storage.shop import load_shop
from server.storage.targets import current_list
from tests.http.desk import Desk, Visitor

ROOT = "/settings/targets"
ROUND = {"round_amount": "180", "round_unit": "second", "round_clock": "calendar"}
CHATS = {"name": "Quick chats", "enabled": "1", "channel": "chat"} | ROUND


async def _version(visitor: Visitor, page: str = ROOT) -> str:
    return (await visitor.get(page)).text.split('name="version" value="')[1].split('"')[0]


async def _chat(desk: Desk) -> str:
    shop = await desk.database.read(load_shop)
    assert shop is not None
    welcome = await desk.database.write(partial(connect, payload=Connect(site=shop.site_key)))
    message = parse(PostMessage, {"client_id": "1", "body": "Hello"})
    shopper = customer(welcome["customer_id"])
    answer = await desk.database.write(partial(post_message, actor=shopper, payload=message))
    return str(answer["conversation_id"])


async def test_a_policy_is_tried_saved_ordered_and_taken_out(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    page = (await visitor.get(f"{ROOT}?lang=en")).text
    assert "Urgent tickets" in page
    assert "come with Shopbell" in page
    chat = await _chat(desk)

    tried = await visitor.post(
        f"{ROOT}/0", CHATS | {"version": "0", "do": "preview"}, page=f"{ROOT}/0"
    )
    assert "One open chat or ticket would be under this policy" in tried.text
    assert f'#c-{chat}">Chat with Visitor ' in tried.text
    assert 'value="180"' in tried.text
    assert (await desk.database.read(current_list)).version == 0

    saved = await visitor.post(f"{ROOT}/0", CHATS | {"version": "0", "do": "save"})
    assert saved.location == f"{ROOT}?done=saved"
    held = await desk.database.read(current_list)
    assert [policy.name for policy in held.policies][:2] == ["Quick chats", "Urgent tickets"]
    assert held.policies[0].targets["round"].limit_ms(None) == 180_000

    for do, names in (
        ("down", ["Urgent tickets", "Quick chats"]),
        ("up", ["Urgent tickets", "Quick chats"]),
    ):
        await visitor.post(f"{ROOT}/1", {"version": await _version(visitor), "do": do}, page=ROOT)
        held = await desk.database.read(current_list)
        assert [policy.name for policy in held.policies][:2] == names
    await visitor.post(f"{ROOT}/2", {"version": await _version(visitor), "do": "switch"}, page=ROOT)
    assert not (await desk.database.read(current_list)).policies[1].enabled
    # It asks first, and says for how many it is.
    listed = (await visitor.get(f"{ROOT}?lang=en")).text
    assert 'value="delete"' not in listed
    asked = (await visitor.get(f"{ROOT}/2/remove")).text
    assert "Remove “Quick chats”?" in asked
    assert (await visitor.get(f"{ROOT}/0/remove")).status == 404
    await visitor.post(f"{ROOT}/2", {"version": await _version(visitor), "do": "delete"}, page=ROOT)
    held = await desk.database.read(current_list)
    assert "Quick chats" not in [policy.name for policy in held.policies]


async def test_a_version_of_the_list_holds_again_as_a_new_one(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    assert "versions/" not in (await visitor.get(f"{ROOT}?lang=en")).text  # there is one only
    await visitor.post(f"{ROOT}/0", CHATS | {"version": "0", "do": "save"})
    await visitor.post(f"{ROOT}/1", {"version": "1", "do": "delete"}, page=ROOT)
    first, second = f"{ROOT}/versions/1", f"{ROOT}/versions/2"
    listed = (await visitor.get(ROOT)).text
    assert f'href="{first}"' in listed
    assert f'href="{second}"' not in listed
    assert "The list is the same today." in (await visitor.get(second)).text
    # It asks first, and shows what it would be.
    asked = (await visitor.get(first)).text
    assert "Restore version 1?" in asked
    assert "Quick chats" in asked
    assert (await desk.database.read(current_list)).version == 2
    assert (await visitor.post(first, {"version": "2"})).location == f"{ROOT}?done=saved"
    held = await desk.database.read(current_list)
    assert (held.version, held.policies[0].name, held.by) == (3, "Quick chats", "Supervisor Young")
    # Who has seen an older list changes nothing.
    late = await visitor.post(f"{ROOT}/versions/0", {"version": "2"})
    assert late.status == 409
    assert "Somebody has changed the targets" in late.text
    assert (await visitor.get(f"{ROOT}/versions/0")).status == 200
    await visitor.post(f"{ROOT}/versions/0", {"version": "3"})
    held = await desk.database.read(current_list)
    assert (held.version, held.policies) == (4, DEFAULTS)


async def test_what_cannot_be_promised_is_said_beside_its_field(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    for wrong, field in (
        ({"name": ""}, "e-name"),
        ({"name": "tickets"}, "e-name"),
        ({"round_amount": "0"}, "e-round"),
        ({"round_amount": "soon"}, "e-round"),
        ({"round_amount": "nan"}, "e-round"),
        ({"round_warn": "200"}, "e-round"),
    ):
        answer = await visitor.post(f"{ROOT}/0", CHATS | wrong | {"version": "0", "do": "save"})
        assert answer.status == 400, wrong
        assert f'id="{field}"' in answer.text, wrong
        assert "cannot be understood" not in answer.text, wrong
        assert 'role="alert"' not in answer.text, "said once, beside the field"
    assert (await desk.database.read(current_list)).version == 0


async def test_what_is_open_gets_the_list_of_today_and_its_clock_is_explained(desk: Desk) -> None:
    visitor = await desk.signed_in("supervisor")
    await job.follow(desk.database)
    chat = await _chat(desk)
    assert "Nothing was promised" in (await visitor.get(f"/targets/{chat}?lang=en")).text
    desk.time.now += 1
    await visitor.post(f"{ROOT}/0", CHATS | {"version": "0", "do": "save"})
    await job.follow(desk.database)
    assert "Nothing was promised" in (await visitor.get(f"/targets/{chat}?lang=en")).text

    refused = await visitor.post(f"{ROOT}/anew", {}, page=ROOT)
    assert refused.status == 400
    done = await visitor.post(f"{ROOT}/anew", {"sure": "1"}, page=ROOT)
    assert done.location == f"{ROOT}?changed=1"
    desk.time.now += 60
    page = (await visitor.get(f"/targets/{chat}?lang=en")).text
    assert "Quick chats, version 1" in page
    assert "1:01" in page
    assert "Counted" in page
    desk.time.now += 600
    await job.watch(desk.database)
    assert "Missed" in (await visitor.get(f"/targets/{chat}?lang=en")).text
    assert "waits beyond its target" in (await visitor.get(f"{ROOT}?lang=en")).text
    agent = await desk.signed_in("agent")
    assert (await agent.get(f"/targets/{chat}")).status in (200, 404)
    promise = await desk.database.read(
        partial(actions.promise_of, conversation_id=chat, at_ms=desk.database.clock())
    )
    assert promise is not None
    assert promise.clocks[0].missed_at_ms is not None
