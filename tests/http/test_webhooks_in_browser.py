"""The pages of webhooks as people meet them, in both languages and themes, at any width."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.actions import webhooks as actions
from server.actions.payload import parse
from server.actions.webhooks import ChangeWebhook, CreateWebhook
from server.domain.actors import agent
from server.domain.webhooks import OUTCOMES, Attempt, Outcome
from server.storage import webhooks
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import make_desk
from tests.support.browser import Pages

ADMIN = agent("ida", name="Ida", role="admin")
LONG = "https://hooks.shop.example/a/very/long/path/that/never/seems/to/end?shop=mori-and-oak"


def _fill(tx: Tx) -> list[str]:
    """Three receivers: one that works, one that fails in every way, one that is switched off."""
    ids = []
    for name, url in (("Warehouse 仓库", LONG), ("Marketing", LONG), ("Old", "https://a.example/")):
        payload = parse(CreateWebhook, {"url": url, "name": name, "kinds": ["message.posted"]})
        ids.append(str(actions.create_webhook(tx, ADMIN, payload)["webhook"]["id"]))
    for outcome in OUTCOMES:
        wanted = webhooks.Wanted(id=f"{ids[1]}_{outcome}", webhook_id=ids[1], kind="rating.given")
        webhooks.queue_deliveries(tx, [wanted])
    return ids


def _fail(tx: Tx, webhook_id: str, outcome: Outcome) -> None:
    webhook = webhooks.load_webhook(tx.connection, webhook_id)
    delivery = webhooks.load_delivery(tx.connection, f"{webhook_id}_{outcome}")
    assert webhook is not None
    assert delivery is not None
    attempt = Attempt(
        outcome=outcome,
        elapsed_ms=1234,
        code=500 if outcome == "refused" else None,
        answer='{"error": "' + "closed for stock-taking " * 9 + '"}',
    )
    webhooks.record_attempt(tx, webhook, delivery, attempt, due_at_ms=tx.at_ms + 90_000)


@pytest.mark.timeout(600)
def test_every_page_of_webhooks_is_fit_for_everybody(pages: Pages, data_dir: Path) -> None:
    desk = make_desk(data_dir, None)
    ids = desk.write(_fill)
    for outcome in OUTCOMES:
        desk.write(lambda tx, outcome=outcome: _fail(tx, ids[1], outcome))  # type: ignore[misc]  # bound default
    for webhook_id in ids[1:]:
        off = parse(ChangeWebhook, {"webhook_id": webhook_id, "active": webhook_id == ids[1]})
        desk.write(lambda tx, off=off: actions.change_webhook(tx, ADMIN, off))  # type: ignore[misc]  # likewise
    desk.server.start()
    root = "/settings/webhooks"
    try:
        for width, language, theme in LOOKS:
            context = pages.context(width=width, theme=theme)
            context.add_cookies(
                [{"name": "sid", "value": desk.people["ida"].cookie, "url": desk.url}]
            )
            page = context.new_page()
            paths = [root, f"{root}/{ids[0]}", f"{root}/{ids[1]}/deliveries"]
            if width == 390:
                paths.append(f"{root}/{ids[2]}/deliveries")
            for path in paths:
                page.goto(f"{desk.url}{path}?lang={language}")
                for summary in page.locator("main summary").all()[:2]:
                    summary.click()
                _check(page, f"{path} {width} {language} {theme}")
            context.close()
    finally:
        desk.server.kill()
