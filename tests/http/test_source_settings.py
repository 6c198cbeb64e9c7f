"""The pages of shop data: sources, their health, what failed; in both languages."""

from __future__ import annotations

import re

import pytest

from agent_ui.render import LOCALES, has_sentence
from server.domain.hooks import STATUSES, body_signature, timed_signature
from server.shops.worker import ShopWorker
from server.storage.shop_sources import STALE_AFTER_MS, load_source, load_sources
from tests.http.desk import Desk, Visitor

ROOT = "/settings/sources"
GOOD = b'{"order_id": "A1", "created_at": "2026-05-01T10:00Z", "total": "5.00"}'
BAD = b'{"order_id": "<b>9007199254740993</b>", "total": 18446744073709551617}'


async def added(desk: Desk, admin: Visitor, **fields: str) -> str:
    """The page after a source was added."""
    values = {"kind": "generic", "name": "till", "secret": "", "customer_ids": ""} | fields
    answer = await admin.post(ROOT, values)
    assert answer.status == 200, answer.text
    return answer.text


async def told(desk: Desk, body: bytes, name: str = "till") -> None:
    """Posts a delivery of orders and takes it over."""
    source = desk.database.read_now(lambda c: load_source(c, name))
    assert source is not None
    signature = timed_signature(str(source.secret), int(desk.time.now), body)
    desk.time.now += 1
    headers = {"X-Signature": signature, "X-Topic": "orders"}
    answer = await desk.visitor().ask("POST", f"/hooks/generic/{name}", data=body, headers=headers)
    assert answer.status == 200
    await ShopWorker(desk.database).step()


async def test_a_source_is_added_and_its_secret_shown_once(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    assert "No shop data yet" in (await admin.get(ROOT)).text
    page = await added(desk, admin)
    [source] = desk.database.read_now(load_sources)
    assert str(source.secret) in page
    assert f"{desk.url}/hooks/generic/till" in page
    for path in (ROOT, f"{ROOT}/till"):
        assert str(source.secret) not in (await admin.get(path)).text
    refused = await admin.post(ROOT, {"kind": "generic", "name": "till", "secret": "s3cret"})
    assert refused.status == 409
    assert "There is a source with this name" in refused.text
    assert "s3cret" not in refused.text
    assert (await admin.post(ROOT, {"kind": "generic", "name": "No Good"})).status == 400


async def test_what_fails_is_shown_and_tried_again(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    await added(desk, admin)
    await told(desk, BAD)
    await told(desk, GOOD)
    leader = await desk.signed_in("supervisor")
    overview = (await leader.get(ROOT)).text
    assert "failures" in overview
    dead = f"{ROOT}/till/deliveries?status=dead"
    page = (await leader.get(dead)).text
    assert "Cannot be read: 1.created_at" in page
    assert len(re.findall(r"<tr>", page)) == 2
    # Nothing has changed, so it fails once more; then somebody sees that it did.
    answer = await leader.post(f"{ROOT}/till/deliveries", {}, page=f"{ROOT}/till/deliveries")
    assert answer.status == 303
    assert "waiting" in (await leader.get(answer.location)).text
    await ShopWorker(desk.database).step()
    assert "Cannot be read" in (await leader.get(dead)).text
    applied = (await leader.get(f"{ROOT}/till/deliveries?status=applied")).text
    found = re.search(r"/deliveries/(\w+)", applied)
    assert found is not None
    path = f"{ROOT}/till/deliveries/{found[1]}"
    assert (await leader.post(path, {})).status == 303
    assert (await leader.post(path, {}, page=ROOT + "/till/deliveries")).status == 409


async def test_what_came_is_for_admins(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    await added(desk, admin)
    await told(desk, BAD)
    listed = (await admin.get(f"{ROOT}/till/deliveries")).text
    found = re.search(r"/deliveries/(\w+)", listed)
    assert found is not None
    path = f"{ROOT}/till/deliveries/{found[1]}"
    page = (await admin.get(path)).text
    # As it came: no markup of it, no digit changed.
    assert "&lt;b&gt;9007199254740993&lt;/b&gt;" in page
    assert "18446744073709551617" in page
    leader = await desk.signed_in("supervisor")
    answer = await leader.get(path)
    assert answer.status == 200
    assert "9007199254740993" not in answer.text
    assert (await (await desk.signed_in("agent")).get(path)).status == 403


async def test_supervisors_see_and_admins_change(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    await added(desk, admin, kind="shopify", name="main", secret="given by the shop")
    leader = await desk.signed_in("supervisor")
    assert (await leader.get(f"{ROOT}/main")).status == 200
    assert "/settings/sources" in (await leader.get("/settings/profile")).text
    for path in (f"{ROOT}/main/secret", f"{ROOT}/main/delete"):
        assert (await leader.get(path)).status == 403
    own = "/settings/profile"
    for path in (ROOT, f"{ROOT}/main", f"{ROOT}/main/secret", f"{ROOT}/main/delete"):
        fields = {"name": "x", "kind": "generic", "hours": "2"}
        assert (await leader.post(path, fields, page=own)).status == 403
    assert (await (await desk.signed_in("agent")).get(ROOT)).status == 403


async def test_a_secret_is_changed_without_a_gap_and_a_source_removed(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    await added(desk, admin, kind="shopify", name="main", secret="first")
    page = (await admin.post(f"{ROOT}/main/secret", {})).text
    source = desk.database.read_now(lambda c: load_source(c, "main"))
    assert source is not None
    assert source.secrets(desk.database.clock()) == (source.secret, "first")
    assert str(source.secret) in page
    page = (await admin.get(f"{ROOT}/main")).text
    # It is asked first: the button stands behind what is lost by it.
    assert "<details>" in page.split('/main/secret/end"')[1].split("<button")[0]
    assert "is refused from then on" in page
    assert (await admin.post(f"{ROOT}/main/secret/end", {}, page=f"{ROOT}/main")).status == 303
    body = b'{"id": 1}'
    headers = {"X-Shopify-Topic": "orders/paid"}
    headers |= {"X-Shopify-Hmac-Sha256": body_signature("first", body)}
    hook = "/hooks/shopify/main"
    assert (await admin.ask("POST", hook, data=body, headers=headers)).status == 401
    answer = await admin.post(f"{ROOT}/main/delete", {})
    assert answer.location == f"{ROOT}?done=source_removed"
    assert (await admin.get(f"{ROOT}/main")).status == 404
    assert (await admin.ask("POST", hook, data=body, headers=headers)).status == 404


async def test_a_source_that_has_fallen_silent_says_so(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    await added(desk, admin)
    await told(desk, GOOD)
    assert "fresh" in (await admin.get(ROOT)).text
    desk.time.now += STALE_AFTER_MS / 1000 + 60
    admin = await desk.signed_in("admin")
    for locale, word in (("en", "silent"), ("zh", "长时间无数据")):
        assert word in (await admin.get(f"{ROOT}?lang={locale}")).text
    saved = await admin.post(f"{ROOT}/till", {"hours": "48"})
    assert saved.status == 303
    assert "silent" not in (await admin.get(f"{ROOT}?lang=en")).text
    assert (await admin.post(f"{ROOT}/till", {"hours": "0"})).status == 400
    assert (await admin.post(f"{ROOT}/till", {"hours": "many"})).status == 400


@pytest.mark.parametrize("name", ["%00", "..%2fx", "none", "x" * 99])
async def test_a_source_that_is_not_there(desk: Desk, name: str) -> None:
    admin = await desk.signed_in("admin")
    for path in (f"{ROOT}/{name}", f"{ROOT}/{name}/deliveries", f"{ROOT}/{name}/deliveries/1"):
        assert (await admin.get(path)).status == 404


def test_every_state_and_reason_has_words() -> None:
    keys = [f"source.status.{status}" for status in STATUSES]
    keys += [f"source.state.{state}" for state in ("uninstalled", "stuck", "refused", "silent")]
    keys += [f"source.about.{state}" for state in ("uninstalled", "stuck", "refused", "silent")]
    reasons = ("topic", "removed", "draft", "unfinished", "no_consent", "no_variants", "empty")
    keys += [f"source.reason.{reason}" for reason in reasons]
    for locale in LOCALES:
        assert [key for key in keys if not has_sentence(locale, key)] == []
