"""Receivers of webhooks get everything that happens: signed, in order, and again if need be."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any  # Any: rows of the resolver

import pytest
from aiohttp import web
from sqlalchemy import select, update
from standardwebhooks.webhooks import Webhook as Library

from server.actions import webhooks as actions
from server.actions.imports import import_events
from server.domain.actors import SYSTEM
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from server.domain.events import AgentPresenceChanged
from server.domain.webhooks import BACK_OFF_MS, Attempt
from server.storage import views, webhooks
from server.storage.event_log import conversation_events
from server.storage.rows import MESSAGE
from server.storage.unit import Tx
from tests.channels.post_office import PostOffice
from tests.channels.receiver import Letter, Receiver, never, status
from tests.docs.pages import blocks, section, text
from tests.support.waiting import LIMIT_S, wait_until_async

HOUR_S = 3600.0


async def test_a_receiver_gets_what_happens_as_staff_see_it(
    office: PostOffice, receiver: Receiver
) -> None:
    office.add(receiver.url(), "message.posted", "conversation.opened")
    office.open()
    chat = office.scene.chat(body="Is the lamp dimmable? 可以调光吗？")
    letters = await receiver.has(2)
    shown = office.scene.database.read_now(
        lambda c: views.envelopes(c, conversation_events(c, chat), audience="agent")
    )
    by_seq = {envelope["seq"]: envelope for envelope in shown}
    assert [letter.json["kind"] for letter in letters] == ["conversation.opened", "message.posted"]
    for letter in letters:
        sent = letter.json
        assert sent.pop("type") == sent["kind"]
        assert sent.pop("timestamp").endswith("Z")
        assert sent == by_seq[sent["seq"]]
    assert letters[1].json["data"]["message"]["body"] == "Is the lamp dimmable? 可以调光吗？"
    assert letters[0].headers["content-type"] == "application/json"
    assert letters[0].headers["user-agent"].startswith("Shopbell/")


async def test_what_is_sent_is_signed_as_standard_webhooks_wants_it(
    office: PostOffice, receiver: Receiver
) -> None:
    secret = office.webhook(office.add(receiver.url(), "message.posted")).secret
    office.open()
    office.scene.chat()
    [letter] = await receiver.has(1)
    assert secret.startswith("whsec_")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    base = f"{letter.id}.{letter.headers['webhook-timestamp']}.".encode() + letter.raw
    expected = base64.b64encode(hmac.new(key, base, hashlib.sha256).digest()).decode()
    assert letter.headers["webhook-signature"] == f"v1,{expected}"


async def test_the_published_library_takes_what_is_sent(
    office: PostOffice, receiver: Receiver
) -> None:
    office.scene.time.now_s = time.time()  # the library looks at the machine's clock
    secret = office.webhook(office.add(receiver.url(), "message.posted")).secret
    office.open()
    office.scene.chat()
    [letter] = await receiver.has(1)
    assert Library(secret).verify(letter.raw, letter.headers) == letter.json


async def test_a_delivery_keeps_no_text(office: PostOffice, receiver: Receiver) -> None:
    """What is erased before it is sent is not sent: the body is made from what is there then."""
    hook = office.add(receiver.url(), "message.posted")
    office.scene.chat(body="My card number is 4111")
    office.scene.database.write_now(lambda tx: tx.later(update(MESSAGE).values(body="")))
    office.open()
    [letter] = await receiver.has(1)
    assert letter.json["data"]["message"]["body"] == ""
    assert "4111" not in str(await office.settled(hook, 1))


async def test_what_the_docs_show_is_what_is_sent(office: PostOffice, receiver: Receiver) -> None:
    [example] = blocks(section(text("docs/webhooks.md"), "## What is sent"), "json")
    office.add(receiver.url(), "message.posted")
    office.open()
    office.scene.chat()
    [letter] = await receiver.has(1)
    shown, sent = json.loads(example), letter.json
    assert shown.keys() == sent.keys()
    assert shown["actor"].keys() == sent["actor"].keys()
    assert shown["data"]["message"].keys() == sent["data"]["message"].keys()


async def test_notes_are_sent_too_and_kinds_choose(office: PostOffice, receiver: Receiver) -> None:
    scene = office.scene
    office.add(receiver.url("/all"))
    office.add(receiver.url("/ratings"), "rating.given")
    office.open()
    mei = scene.person("mei")
    chat = scene.chat()
    scene.post(mei, "A note", chat, visibility="private")
    kinds = scene.kinds(chat)
    letters = await receiver.has(len(kinds) + 1, "/all")
    assert [k for k in (one.json["kind"] for one in letters) if k != "agent.presence_changed"] == (
        kinds
    )
    assert receiver.at("/ratings") == []


async def test_everything_arrives_once_and_in_order(office: PostOffice, receiver: Receiver) -> None:
    office.add(receiver.url(), "message.posted")
    office.open()
    shopper = office.scene.shopper()
    for number in range(120):
        office.scene.post(shopper, f"message {number}")
    letters = await receiver.has(120)
    bodies = [letter.json["data"]["message"]["body"] for letter in letters]
    assert bodies == [f"message {number}" for number in range(120)]
    assert len({letter.id for letter in letters}) == 120
    assert receiver.busiest == 1


async def test_a_failed_delivery_is_tried_again_under_the_same_id(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    out = office.open()
    receiver.answering = status(500, text="later, please")
    office.scene.chat()
    [waiting] = await office.settled(hook, 1)
    assert (waiting.status, waiting.code, waiting.attempts) == ("pending", 500, 1)
    assert waiting.answer == "later, please"
    planned = (waiting.due_at_ms or 0) - office.scene.time.at_ms
    assert BACK_OFF_MS[0] * 0.9 <= planned <= BACK_OFF_MS[0] * 1.1
    receiver.answering = status(204)
    office.scene.time.pass_s(6)
    letters = await receiver.has(2)
    [delivered] = await office.settled(hook, 1)
    assert (delivered.status, delivered.code, delivered.attempts) == ("delivered", 204, 2)
    assert letters[0].id == letters[1].id == delivered.id
    assert letters[0].raw == letters[1].raw
    first, second = (int(letter.headers["webhook-timestamp"]) for letter in letters)
    assert second - first == 6, "the time of the attempt, not of the event"
    assert out.attempts["refused"] == out.attempts["delivered"] == 1


async def test_after_the_last_attempt_a_delivery_has_failed(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()
    receiver.answering = status(503)
    office.scene.chat()
    for attempt in range(1, len(BACK_OFF_MS) + 2):
        await receiver.has(attempt)
        await office.settled(hook, 1)
        office.scene.time.pass_s(18 * HOUR_S)
        if attempt == 5:
            assert office.webhook(hook).health.failures == 5
    [failed] = office.log(hook)
    assert (failed.status, failed.attempts, failed.due_at_ms) == ("failed", 9, None)
    assert office.webhook(hook).health.state == "active"


async def test_a_receiver_that_says_410_gets_nothing_more(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()
    receiver.answering = status(410)
    shopper = office.scene.shopper()
    office.scene.post(shopper, "one")
    await wait_until_async(lambda: office.webhook(hook).health.state == "gone")
    office.scene.post(shopper, "two")
    office.scene.time.pass_s(HOUR_S)
    other = office.add(receiver.url("/other"), "message.posted")
    office.scene.post(shopper, "three")
    await receiver.has(1, "/other")
    await wait_until_async(lambda: office.webhook(other).health.state == "gone")
    assert len(receiver.at("/hook")) == 1


async def test_a_receiver_that_fails_for_three_days_is_paused_and_says_since_when(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()
    receiver.answering = status(500)
    shopper = office.scene.shopper()
    began = office.scene.time.at_ms
    for day in range(5):
        office.scene.post(shopper, f"on day {day}")
        for _ in range(3):
            await office.settled(hook, day + 1)
            office.scene.time.pass_s(8 * HOUR_S)
        if office.webhook(hook).health.state != "active":
            break
    health = office.webhook(hook).health
    assert health.state == "paused"
    assert health.failing_since_ms == began
    tried = len(receiver.letters)
    office.scene.post(shopper, "nobody hears")
    office.scene.time.pass_s(HOUR_S)
    receiver.answering = status(200)
    office.change(hook, active=True)
    waiting = len(office.log(hook, status="pending"))
    assert waiting
    letters = await receiver.has(tried + waiting)
    assert "nobody hears" not in [one.json["data"]["message"]["body"] for one in letters]


async def test_a_redirect_is_a_refusal_and_is_not_followed(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()
    receiver.answering = status(302, headers={"Location": receiver.url("/elsewhere")})
    office.scene.chat()
    [delivery] = await office.settled(hook, 1)
    assert (delivery.outcome, delivery.code) == ("refused", 302)
    assert receiver.at("/elsewhere") == []


async def test_a_receiver_that_hangs_delays_no_other(
    office: PostOffice, receiver: Receiver
) -> None:
    slow = office.add(receiver.url("/slow"), "message.posted")
    office.add(receiver.url("/quick"), "message.posted")
    office.open()

    async def answer(letter: Letter) -> web.StreamResponse:
        return await never(letter) if letter.path == "/slow" else web.Response()

    receiver.answering = answer
    shopper = office.scene.shopper()
    for number in range(30):
        office.scene.post(shopper, f"{number}")
    quick = await receiver.has(30, "/quick")
    assert [one.json["data"]["message"]["body"] for one in quick] == [str(n) for n in range(30)]
    assert len(receiver.at("/slow")) == 1
    await office.close()
    office.open(attempt_s=0.3)
    await wait_until_async(lambda: office.webhook(slow).health.failures >= 5)
    assert {d.outcome for d in office.log(slow) if d.attempts} == {"timeout"}
    # A request that runs out before it is on its way is an attempt that nobody has seen.
    assert sum(delivery.attempts for delivery in office.log(slow)) == 5, "from then on it rests"
    assert len(receiver.at("/slow")) <= 1 + 5
    assert office.webhook(slow).health.hold_until_ms > office.scene.time.at_ms


async def test_nobody_listening_is_told_apart(office: PostOffice, receiver: Receiver) -> None:
    hook = office.add("http://127.0.0.1:9/hook", "message.posted")
    lost = office.add("http://shop.invalid/hook", "message.posted")

    def nobody(host: str, port: int) -> list[Any]:
        """As the system's resolver answers, which may ask the network first."""
        raise socket.gaierror(socket.EAI_NONAME, f"{host}:{port}")

    office.open(look_up=nobody)
    office.scene.chat()
    [unreachable] = await office.settled(hook, 1)
    [unknown] = await office.settled(lost, 1)
    assert (unreachable.outcome, unreachable.code) == ("unreachable", None)
    assert unknown.outcome == "unknown_host"


async def test_the_answer_is_kept_short_and_readable(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()
    receiver.answering = status(200, body=b"\x00\x1b[31m<b>ok</b>\xff" + b"x" * 5_000_000)
    office.scene.chat()
    [delivery] = await office.settled(hook, 1)
    assert delivery.status == "delivered"
    assert delivery.answer is not None
    assert delivery.answer.startswith("[31m<b>ok</b>�xxx")
    assert len(delivery.answer) <= 1024


async def test_an_answer_that_never_ends_counts_by_its_status(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()

    async def drip(letter: Letter) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "999"})
        await response.prepare(letter.request)
        await response.write(b"well")
        await asyncio.Event().wait()
        return response

    receiver.answering = drip
    office.scene.chat()
    [delivery] = await office.settled(hook, 1)
    assert (delivery.status, delivery.code, delivery.answer) == ("delivered", 200, "well")


async def test_for_a_day_after_a_change_both_secrets_sign(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()
    shopper = office.scene.shopper()
    old = office.webhook(hook).secret
    new = office.ask("rotate_secret", hook)["secret"]
    assert new == office.webhook(hook).secret != old
    office.scene.post(shopper, "one")
    [letter] = await receiver.has(1)
    assert len(letter.headers["webhook-signature"].split(" ")) == 2
    office.scene.time.pass_s(25 * HOUR_S)
    office.scene.post(shopper, "two")
    assert len((await receiver.has(2))[1].headers["webhook-signature"].split(" ")) == 1
    office.ask("rotate_secret", hook)
    office.ask("end_old_secret", hook)
    office.scene.post(shopper, "three")
    assert len((await receiver.has(3))[2].headers["webhook-signature"].split(" ")) == 1


async def test_a_test_and_a_repeat_are_sent_at_once(office: PostOffice, receiver: Receiver) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()
    office.scene.chat()
    [first] = await receiver.has(1)
    await office.settled(hook, 1)
    office.ask("send_again", hook, first.id)
    second = (await receiver.has(2))[1]
    assert (second.id, second.raw) == (first.id, first.raw)
    test_id = office.ask("send_test", hook)["delivery_id"]
    third = (await receiver.has(3))[2]
    assert third.id == test_id
    assert third.json["type"] == "webhook.test"
    assert {d.status for d in await office.settled(hook, 2)} == {"delivered"}


async def test_history_that_is_imported_is_not_sent(
    office: PostOffice, receiver: Receiver, tmp_path: Path
) -> None:
    hook = office.add(receiver.url())
    office.open()
    path = tmp_path / "history.ndjson"
    path.write_text(
        '{"event_id": "c1-1", "ts": 1763600000000, "kind": "message.posted", "conversation": "c1",'
        ' "customer": "ann", "actor_kind": "customer", "actor": "ann", "data": {"body": "?"}}\n'
    )
    assert import_events(office.scene.database, path).accepted == 1
    office.ask("send_test", hook)
    [letter] = await receiver.has(1)
    assert letter.json["type"] == "webhook.test"
    await wait_until_async(lambda: office.scene.database.read_now(webhooks.place) > 0)
    assert [delivery.kind for delivery in office.log(hook)] == ["webhook.test"]


async def test_a_receiver_gets_what_happens_after_it_was_added_or_switched_on(
    office: PostOffice, receiver: Receiver
) -> None:
    shopper = office.scene.shopper()
    office.scene.post(shopper, "before")
    hook = office.add(receiver.url(), "message.posted")
    office.scene.post(shopper, "after")
    office.open()
    await receiver.has(1)
    await office.settled(hook, 1)
    office.change(hook, active=False)
    office.scene.post(shopper, "while it was off")
    with pytest.raises(Conflict):
        office.ask("send_test", hook)
    office.change(hook, active=True)
    office.scene.post(shopper, "on again")
    letters = await receiver.has(2)
    assert [one.json["data"]["message"]["body"] for one in letters] == ["after", "on again"]


@pytest.mark.parametrize("scene", ["postgresql"], indirect=True)
async def test_several_processes_share_the_work_and_repeat_nothing(
    office: PostOffice, receiver: Receiver
) -> None:
    paths = [f"/{number}" for number in range(4)]
    for path in paths:
        office.add(receiver.url(path), "message.posted")
    shopper = office.scene.shopper()
    others = [office.scene.open() for _ in range(2)]
    outs = [office.open(), *(office.open(other) for other in others)]
    for number in range(40):
        office.scene.post(shopper, f"{number}")
        await asyncio.sleep(0)
    for path in paths:
        letters = await receiver.has(40, path)
        bodies = [one.json["data"]["message"]["body"] for one in letters]
        assert bodies == [str(n) for n in range(40)]
        assert len({one.id for one in letters}) == 40
    assert receiver.busiest == 1
    await wait_until_async(lambda: sum(out.attempts["delivered"] for out in outs) == 160)


async def test_what_a_dead_process_held_is_sent_by_another(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.scene.chat()
    database = office.scene.database
    up_to = database.read_now(lambda c: office.scene.log()[-1].seq)
    database.write_now(lambda tx: actions.queue_events(tx, up_to=up_to))
    taken = database.write_now(
        lambda tx: webhooks.take_turns(tx, lease="dead", lease_ms=20_000, limit=9)
    )
    assert [webhook.id for webhook in taken] == [hook]
    assert (
        database.write_now(
            lambda tx: webhooks.take_turns(tx, lease="other", lease_ms=20_000, limit=9)
        )
        == []
    )
    office.scene.time.pass_s(21)
    office.open()
    await receiver.has(1)


async def test_who_stops_finishes_what_is_under_way(office: PostOffice, receiver: Receiver) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.open()
    go_on = asyncio.Event()

    async def late(_letter: Letter) -> web.StreamResponse:
        await go_on.wait()
        return web.Response()

    receiver.answering = late
    office.scene.chat()
    await receiver.has(1)
    closing = asyncio.create_task(office.close())
    await asyncio.sleep(0)
    go_on.set()
    await closing
    [delivery] = office.log(hook)
    assert (delivery.status, delivery.attempts) == ("delivered", 1)
    assert office.scene.database.write_now(
        lambda tx: tx.execute(select(webhooks.WEBHOOK.c.lease)).scalars().all()
    ) == [None]


async def test_a_result_that_comes_after_the_turn_was_lost_leaves_no_trace(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url(), "message.posted")
    office.ask("send_test", hook)
    [delivery] = office.log(hook)
    late = office.scene.database.write_now(
        lambda tx: actions.record_attempt(
            tx, hook, "another's", delivery, Attempt(outcome="timeout", elapsed_ms=1), 0.5
        )
    )
    assert late is False
    assert office.log(hook) == [delivery]


@pytest.mark.parametrize("scene", ["postgresql"], indirect=True)
async def test_an_event_that_becomes_visible_late_is_sent_too(
    office: PostOffice, receiver: Receiver
) -> None:
    office.add(receiver.url(), "agent.presence_changed")
    office.open()
    slow = office.scene.open()
    begun, go_on = threading.Event(), threading.Event()

    def record(tx: Tx, status: str) -> int:
        return tx.record(SYSTEM, AgentPresenceChanged(status=status)).seq

    def wait(tx: Tx) -> int:
        seq = record(tx, "away")
        begun.set()
        assert go_on.wait(LIMIT_S)
        return seq

    low = slow.submit(wait)
    assert await asyncio.to_thread(begun.wait, LIMIT_S)
    high = office.scene.database.write_now(lambda tx: record(tx, "busy"))
    go_on.set()
    letters = await receiver.has(2)
    assert [letter.json["seq"] for letter in letters] == [low.result(LIMIT_S), high]


async def test_the_log_of_deliveries_is_forgotten_after_thirty_days(
    office: PostOffice, receiver: Receiver
) -> None:
    hook = office.add(receiver.url())
    office.open()
    office.ask("send_test", hook)
    await office.settled(hook, 1)
    office.scene.time.pass_s(29 * 24 * HOUR_S)
    assert office.scene.database.write_now(actions.forget_old) == 0
    office.scene.time.pass_s(2 * 24 * HOUR_S)
    assert office.scene.database.write_now(actions.forget_old) == 1
    assert office.log(hook) == []


async def test_a_removed_receiver_leaves_nothing(office: PostOffice, receiver: Receiver) -> None:
    hook = office.add(receiver.url())
    office.open()
    office.ask("send_test", hook)
    await office.settled(hook, 1)
    office.ask("delete_webhook", hook)
    assert office.log(hook) == []
    with pytest.raises(NotFound):
        office.ask("send_test", hook)


def test_only_who_may_changes_receivers(office: PostOffice) -> None:
    office.admin = office.scene.person("ana", role="supervisor")
    with pytest.raises(NotAllowed):
        office.add("https://shop.example/hook")


def test_a_receiver_is_refused_that_wants_what_does_not_exist(office: PostOffice) -> None:
    with pytest.raises(InvalidInput):
        office.add("https://shop.example/hook", "message.sent")


async def test_figures_tell_what_waits(office: PostOffice, receiver: Receiver) -> None:
    hook = office.add(receiver.url())
    receiver.answering = status(500)
    office.ask("send_test", hook)
    office.scene.time.pass_s(30)
    out = office.open()
    await wait_until_async(lambda: out.backlog.pending == 1)
    office.add(receiver.url())
    values = {reading.name: reading.read() for reading in out.readings()}
    assert values["shopbell_webhook_receivers"] == {"active": 1, "off": 0, "paused": 0, "gone": 0}
    assert values["shopbell_webhook_deliveries_pending"] == 1
    assert values["shopbell_webhook_oldest_pending_seconds"] == 30
