"""Hours, targets and corrections as people meet them, in both languages and themes."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from server.actions import targets as target_actions
from server.actions.corrections import Void, void
from server.actions.hours import set_hours
from server.actions.messages import PostMessage, post_message
from server.actions.payload import parse
from server.actions.visitors import Connect, connect
from server.domain.actors import agent, customer
from server.domain.hours import calendar_of
from server.domain.targets import DEFAULTS
from server.storage.event_log import conversation_events
from server.storage.shop import load_shop
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import make_desk
from tests.support.browser import Pages

ADMIN = agent("ida", name="Ida", role="admin")


def _hours(tx: Tx) -> None:
    week = ["09:00-12:00, 13:30-18:00"] * 4 + ["09:00-17:00", "22:00-02:00", ""]
    dates = {
        "2030-10-01": ("", "National Day, with a name that is rather long"),
        "2030-10-12": ("10:00-16:00", "补班"),
    }
    set_hours(tx, ADMIN, calendar_of("Asia/Shanghai", week, dates))
    chats = (replace(DEFAULTS[2], enabled=True),)
    target_actions.set_policies(tx, ADMIN, (*chats, *DEFAULTS[:2]), version=0)


def _chat(tx: Tx) -> str:
    shop = load_shop(tx.connection)
    assert shop is not None
    shopper = customer(connect(tx, Connect(site=shop.site_key))["customer_id"])
    message = parse(PostMessage, {"client_id": "1", "body": "Hello"})
    return str(post_message(tx, shopper, message)["conversation_id"])


def _asked(tx: Tx, chat: str) -> int:
    """The number of the first message of a chat."""
    events = conversation_events(tx.connection, chat)
    return next(event.seq for event in events if event.kind == "message.posted")


@pytest.mark.timeout(600)
def test_hours_targets_and_corrections_are_fit_for_everybody(pages: Pages, data_dir: Path) -> None:
    desk = make_desk(data_dir, None)
    desk.write(_hours)
    chat = desk.write(_chat)
    desk.write(partial(target_actions.look, conversation_id=chat))
    seq, gone = (desk.write(partial(_asked, chat=one)) for one in (chat, desk.write(_chat)))
    desk.write(partial(void, actor=ADMIN, payload=Void(target_seq=gone, reason="test")))
    desk.server.start()
    paths = [
        "/settings/hours",
        "/settings/targets",
        "/settings/targets/1",
        "/settings/targets/versions/0",
        f"/targets/{chat}",
        "/reports/corrections",
        "/reports/stored",
        f"/reports/corrections/{seq}",
        f"/reports/corrections/{gone}",
    ]
    try:
        for number, (width, language, theme) in enumerate(LOOKS):
            context = pages.context(width=width, theme=theme)
            context.add_cookies(
                [{"name": "sid", "value": desk.people["ida"].cookie, "url": desk.url}]
            )
            page = context.new_page()
            for at, path in enumerate(paths):
                page.goto(f"{desk.url}{path}?lang={language}")
                _check(page, f"{path} {width} {language} {theme}")
                if folder := os.environ.get("HOURS_SHOTS"):
                    page.screenshot(path=f"{folder}/{number}{at}.png", full_page=True)
            context.close()
        assert pages.errors == []
    finally:
        desk.server.kill()
