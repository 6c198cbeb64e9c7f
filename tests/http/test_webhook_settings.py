"""The pages of webhooks: receivers, secrets that show once, the log of deliveries."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent_ui.render import LOCALES, has_sentence
from server.channels.webhook_out import WebhookOut
from server.domain.webhooks import OUTCOMES, STATES, STATUSES
from server.http import settings_webhooks
from server.storage import webhooks
from server.storage.webhooks import Delivery, Webhook
from tests.channels.receiver import Receiver, status
from tests.domain.test_addresses import HOSTILE
from tests.http.desk import Desk, Visitor, served
from tests.support.waiting import LIMIT_S

if TYPE_CHECKING:
    from server.storage.database import Database

ROOT = "/settings/webhooks"


@pytest_asyncio.fixture
async def private_desk(
    open_database: Callable[..., Database], data_dir: Path
) -> AsyncIterator[Desk]:
    """A set-up server that may send to this machine."""
    async with served(open_database, data_dir, webhook_allow_private=True) as desk:
        await desk.set_up()
        yield desk


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as listening:
        yield listening


@asynccontextmanager
async def sending(desk: Desk) -> AsyncIterator[None]:
    """Beside the pages the loop that sends."""
    task = asyncio.create_task(WebhookOut(desk.database, inside=True, poll_s=0.02).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def known(desk: Desk) -> Webhook:
    """The one receiver."""
    [found] = desk.database.read_now(webhooks.load_webhooks)
    return found


def log_of(desk: Desk, webhook_id: str) -> list[Delivery]:
    return desk.database.read_now(lambda c: webhooks.deliveries(c, webhook_id, limit=100))


async def added(desk: Desk, admin: Visitor, url: str, *kinds: str) -> str:
    """The id of a receiver added by the page."""
    fields = [("url", url), ("name", "Warehouse"), *(("kind", kind) for kind in kinds)]
    assert (await admin.post(ROOT, fields)).status == 200
    return known(desk).id


async def test_a_receiver_is_added_and_its_secret_shown_once(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    assert "No receivers yet" in (await admin.get(ROOT)).text
    answer = await admin.post(
        ROOT, [("url", "https://Shop.Example/hook"), ("name", ""), ("kind", "message.posted")]
    )
    hook = known(desk)
    assert hook.secret in answer.text
    assert (hook.name, hook.url) == ("shop.example", "https://shop.example/hook")
    assert hook.kinds == ("message.posted",)
    page = (await admin.get(f"{ROOT}/{hook.id}")).text
    assert hook.secret not in page
    assert 'value="message.posted" checked' in page
    listed = (await admin.get(f"{ROOT}?lang=zh")).text
    assert "https://shop.example/hook" in listed
    assert "1 种" in listed


@pytest.mark.parametrize("url", ["http://shop.example/", "https://10.0.0.1/", "https://a@b.c/", ""])
async def test_an_address_that_leads_inside_is_refused_beside_its_field(
    desk: Desk, url: str
) -> None:
    admin = await desk.signed_in("admin")
    answer = await admin.post(ROOT, [("url", url), ("name", "W"), ("kind", "rating.given")])
    assert answer.status == 400
    assert 'id="e-url"' in answer.text
    assert 'value="rating.given" checked' in answer.text, "what was ticked is kept"
    assert desk.database.read_now(webhooks.load_webhooks) == []


def test_every_refusal_and_every_state_has_words() -> None:
    keys = {f"error.reason.{reason}" for reason in HOSTILE.values()}
    keys |= {f"webhook.outcome.{outcome}" for outcome in OUTCOMES}
    keys |= {f"webhook.status.{status}" for status in (*STATUSES, "retrying")}
    keys |= {f"webhook.state.{state}" for state in (*STATES, "failing")}
    for locale in LOCALES:
        assert {key for key in keys if not has_sentence(locale, key)} == set()


async def test_a_receiver_is_changed_switched_off_and_removed(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    hook = await added(desk, admin, "https://shop.example/hook")
    path = f"{ROOT}/{hook}"
    fields = [("url", "https://shop.example/other"), ("name", "仓库")]
    assert (await admin.post(path, fields)).status == 303
    assert (known(desk).url, known(desk).name) == ("https://shop.example/other", "仓库")
    wrong = await admin.post(path, [("url", "https://localhost/"), ("name", "仓库")])
    assert wrong.status == 400
    assert 'value="https://localhost/"' in wrong.text
    assert (await admin.post(f"{path}/switch", {"on": "0"}, page=path)).status == 303
    assert known(desk).health.state == "off"
    refused = await admin.post(f"{path}/test", page=path)
    assert (refused.status, "Switch the receiver on first." in refused.text) == (409, True)
    assert (await admin.post(f"{path}/switch", {"on": "1"}, page=path)).status == 303
    assert known(desk).health.state == "active"
    assert "Remove 仓库?" in (await admin.get(f"{path}/delete")).text
    assert (await admin.post(f"{path}/delete")).location == f"{ROOT}?done=webhook_deleted"
    assert desk.database.read_now(webhooks.load_webhooks) == []
    assert (await admin.get(path)).status == 404


async def test_a_new_secret_is_shown_once_and_the_old_one_can_be_ended(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    path = f"{ROOT}/{await added(desk, admin, 'https://shop.example/hook')}"
    old = known(desk).secret
    answer = await admin.post(f"{path}/secret")
    assert known(desk).secret in answer.text
    assert old not in answer.text
    assert known(desk).old_secret == old
    page = (await admin.get(path)).text
    assert "signs too" in page
    # It is asked first: the button stands behind what is lost by it.
    assert "<details>" in page.split(f'{path}/secret/end"')[1].split("<button")[0]
    assert "refuses what is sent from then on" in page
    assert (await admin.post(f"{path}/secret/end", page=path)).status == 303
    assert known(desk).old_secret is None
    assert "signs too" not in (await admin.get(path)).text


async def test_what_came_of_a_test_is_in_the_log_at_once(
    private_desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long a busy machine takes to send it.
    monkeypatch.setattr(settings_webhooks, "SHOW_RESULT_S", LIMIT_S)
    desk = private_desk
    admin = await desk.signed_in("admin")
    hook = await added(desk, admin, receiver.url())
    path = f"{ROOT}/{hook}"
    assert "Nothing was sent yet" in (await admin.get(f"{path}/deliveries")).text
    receiver.answering = status(503, text="<script>alert(1)</script> busy")
    async with sending(desk):
        sent = await admin.post(f"{path}/test", page=path)
        page = (await admin.get(sent.location)).text
        assert "503 in" in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt; busy" in page
        assert "tried again later" in page
        receiver.answering = status(200, text="thanks")
        [delivery] = log_of(desk, hook)
        again = await admin.post(
            f"{path}/deliveries/{delivery.id}/again", page=f"{path}/deliveries"
        )
        page = (await admin.get(again.location)).text
    assert "200 in" in page
    assert [letter.id for letter in receiver.letters] == [delivery.id, delivery.id]
    assert "failing" not in (await admin.get(path)).text


async def test_the_log_is_filtered_and_goes_back_page_by_page(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    hook = await added(desk, admin, "https://shop.example/hook")
    path = f"{ROOT}/{hook}"
    for _ in range(35):
        desk.database.write_now(
            lambda tx: webhooks.queue_deliveries(
                tx,
                [webhooks.Wanted(id=tx.new_id(), webhook_id=hook, kind="rating.given", seq=1)],
            )
        )
        desk.time.now += 1
    page = (await admin.get(f"{path}/deliveries")).text
    ids = re.findall(r"/deliveries/(\w+)/again", page)
    assert len(ids) == 30
    older = re.search(r'href="([^"]+before=[^"]+)"', page)
    assert older is not None
    rest = (await admin.get(older[1].replace("&amp;", "&"))).text
    shown = [*ids, *re.findall(r"/deliveries/(\w+)/again", rest)]
    assert shown == [delivery.id for delivery in log_of(desk, hook)]
    assert "35 deliveries wait." in page
    for query, found in (
        ("status=failed", False),
        ("status=pending&kind=rating.given", True),
        ("kind=message.posted", False),
        ("status=nonsense&kind=%00&before=x.y", True),
    ):
        text = (await admin.get(f"{path}/deliveries?{query}")).text
        assert ("/again" in text) is found, query
        assert ("Nothing fits" in text) is not found, query
