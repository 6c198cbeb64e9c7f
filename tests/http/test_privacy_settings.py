"""The page of privacy: what is kept for how long, wishes and their deadline, erasing."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from server.actions.visitors import Connect, connect
from server.storage import privacy
from server.storage.customers import change_customer, load_customer
from server.storage.shop import load_shop
from tests.http.desk import Desk

if TYPE_CHECKING:
    from server.domain.retention import Policy

ROOT = "/settings/privacy"
CHOSEN = {
    "page_events": "1",
    "conversations": "12",
    "visits": "30",
    "deliveries": "14",
    "privacy_url": "https://shop.example/privacy",
}


def policy(desk: Desk) -> Policy:
    return desk.database.read_now(privacy.load_policy)


async def shopper(desk: Desk, name: str = "Anna") -> str:
    """The id of a shopper whom the shop knows as C-1."""
    shop = desk.database.read_now(load_shop)
    assert shop is not None
    answer = await desk.database.write(lambda tx: connect(tx, Connect(site=shop.site_key)))
    customer_id = str(answer["customer_id"])
    await desk.database.write(
        lambda tx: change_customer(tx, customer_id, name=name, external_id="C-1")
    )
    return customer_id


async def test_an_admin_chooses_what_is_kept(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    assert (policy(desk).page_events, policy(desk).of("conversations")) == (True, 24)
    assert (await admin.post(ROOT, CHOSEN)).location == f"{ROOT}?done=saved"
    assert [policy(desk).of(name) for name in ("conversations", "visits", "deliveries")] == [
        12,
        30,
        14,
    ]
    await admin.post(ROOT, CHOSEN | {"page_events": "", "conversations": "0"})
    assert (policy(desk).page_events, policy(desk).days["conversations"]) == (False, 0)
    for field, value in (("visits", "91"), ("visits", "0"), ("deliveries", "x"), ("visits", "")):
        answer = await admin.post(ROOT, CHOSEN | {field: value})
        assert answer.status == 400, (field, value)
        assert "within the bounds" in answer.text
    assert (await admin.post(ROOT, CHOSEN | {"privacy_url": "javascript:alert(1)"})).status == 400


async def test_a_supervisor_reads_what_is_kept_and_an_agent_sees_nothing(desk: Desk) -> None:
    supervisor, agent = await desk.signed_in("supervisor"), await desk.signed_in("agent")
    page = await supervisor.get(ROOT)
    assert (page.status, 'name="page_events"' in page.text) == (200, False)
    assert (await supervisor.post(ROOT, CHOSEN)).status == 403
    assert (await agent.get(ROOT)).status == 403
    customer_id = await shopper(desk)
    assert (await agent.get(f"{ROOT}/people/{customer_id}")).status == 403


async def test_a_person_is_found_handed_out_noted_and_erased(desk: Desk) -> None:
    customer_id = await shopper(desk)
    supervisor = await desk.signed_in("supervisor")
    assert (
        await supervisor.post(f"{ROOT}/people", {"customer": "nobody"}, page=ROOT)
    ).status == 400
    found = await supervisor.post(f"{ROOT}/people", {"customer": "C-1"}, page=ROOT)
    here = f"{ROOT}/people/{customer_id}"
    assert found.location == here
    assert "Anna" in (await supervisor.get(here)).text
    assert "资料" in (await supervisor.get(f"{here}?lang=zh")).text
    await supervisor.get(f"{here}?lang=en")

    handed = await supervisor.post(f"{here}/export", page=here)
    assert handed.headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(handed.body)) as archive:
        assert sorted(archive.namelist()) == ["data.json", "index.html"]
        assert "Anna" in archive.read("index.html").decode()

    assert (await supervisor.post(f"{here}/ask", page=here)).location == f"{ROOT}?done=wish_noted"
    assert "30 days left" in (await supervisor.get(ROOT)).text
    desk.time.now += 31 * 86_400
    supervisor = await desk.signed_in("supervisor")
    assert re.search(r"\d days? too late", (await supervisor.get(ROOT)).text)

    assert (await supervisor.post(f"{here}/erase", page=here)).status == 400
    gone = await supervisor.post(f"{here}/erase", {"sure": "1"}, page=here)
    assert gone.location == f"{ROOT}?done=erased"
    customer = desk.database.read_now(lambda c: load_customer(c, customer_id))
    assert customer is not None
    assert (customer.name, customer.external_id) == (None, None)
    page = (await supervisor.get(ROOT)).text
    assert ("Receipt" in page, "Anna" in page) == (True, False)
    assert "Erased on" in (await supervisor.get(here)).text
    assert (await supervisor.get(f"{ROOT}/people/nobody")).status == 404
