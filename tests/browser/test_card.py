"""The card beside a chat, fed by the shop's own webhooks while it is open."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import jwt
from playwright.sync_api import expect

from server.domain.hooks import timed_signature
from tests.browser.conftest import Stage
from tests.support.figures import MEASURED

SECRET = "what the shop and the desk know, and nobody else"
HOOK_SECRET = "a secret of the shop's own program"


def signed(stage: Stage, site_key: str, sub: str) -> str:
    """What the shop's server says of somebody who has signed in there."""
    now = int(time.time())
    claims = {"sub": sub, "name": "Lin Yue", "aud": site_key, "jti": f"{sub}-{now}"}
    return jwt.encode(claims | {"iat": now, "exp": now + 300}, SECRET, algorithm="HS256")


def tell_order(stage: Stage, **values: object) -> None:
    """Posts an order as the shop's own program does."""
    now = datetime.now(UTC)
    row = {
        "order_id": "9001",
        "customer_id": "c-77",
        "created_at": now.isoformat(),
        "currency": "CNY",
        "total": "428.00",
        "status": "paid",
        "promised_at": (now + timedelta(days=3)).isoformat(),
        "lines": [{"sku": "LMP-207", "title": "Walnut desk lamp", "quantity": 1, "price": "428"}],
    } | values
    body = json.dumps(row).encode()
    request = urllib.request.Request(  # our own server
        f"{stage.server.url}/hooks/generic/shop",
        data=body,
        headers={
            "Content-Type": "application/x-ndjson",
            "X-Topic": "orders",
            "X-Signature": timed_signature(HOOK_SECRET, int(time.time()), body),
        },
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def test_an_order_told_by_the_shop_changes_the_open_card_and_goes_into_the_reply(
    stage: Stage, record_property: Callable[[str, object], None]
) -> None:
    stage.server.shopbell("site", "set", "--identity-secret", SECRET)
    stage.server.shopbell(
        *("source", "add", "shop", "--kind", "generic", "--secret", HOOK_SECRET),
    )
    shopper = stage.shopper()
    site_key = shopper.page.locator("script[data-site]").get_attribute("data-site") or ""
    token = signed(stage, site_key, "c-77")
    shopper.page.wait_for_function("() => typeof window.Shopbell === 'function'")
    shopper.page.evaluate("(token) => window.Shopbell('identify', token)", token)
    shopper.begin().writes("我的台灯到哪里了？")
    agent = stage.agent().opens("我的台灯到哪里了？")
    card = agent.page.locator("#side")
    expect(card).to_contain_text("Lin Yue")
    expect(card).to_contain_text("No orders yet.")

    tell_order(stage)
    told_s = time.monotonic()
    expect(card.locator(".ords")).to_contain_text("Walnut desk lamp")
    took_s = time.monotonic() - told_s
    record_property(MEASURED, f"an order stood on the open card after {took_s:.2f} s")
    expect(card.locator(".rfm")).to_contain_text("1 order")
    expect(card.locator(".chips .seg")).to_have_text(re.compile("New customer|Promising|Champion"))
    expect(card.locator(".why")).to_contain_text("¥428")

    shipped = datetime.now(UTC).isoformat()
    tell_order(stage, shipped_at=shipped, tracking_url="https://track.example/SF1")
    expect(card.locator(".ords")).to_contain_text("In transit")
    card.get_by_role("button", name=re.compile("Insert")).click()
    expect(agent.input).to_have_value(re.compile("9001"))
    agent.input.press("End")
    agent.input.press("Enter")
    expect(agent.page.locator(".log .msg.out").last).to_contain_text("9001")
    # In the language that the shopper writes, whatever the console's and their browser's are.
    expect(shopper.panel.get_by_role("log")).to_contain_text("已于")

    # A colleague who has the same chat open sees what is kept about the customer.
    other = stage.agent().opens("9001")
    card.get_by_role("button", name="Add a note").click()
    card.get_by_label("Note", exact=True).fill("Rings twice.")
    agent.page.keyboard.press("Control+Enter")
    expect(other.page.locator("#side .mynote")).to_contain_text("Rings twice.")
