"""The pages of shop data as people meet them, in both languages and themes, at any width."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.actions.deliveries import fail
from server.actions.sources import AddSource, add_source
from server.domain.actors import agent
from server.domain.hooks import Incoming
from server.storage import deliveries
from server.storage.shop_sources import change_source
from server.storage.unit import Tx
from tests.http.test_pages_in_browser import LOOKS, _check
from tests.realtime.desk import make_desk
from tests.support.browser import Pages

ADMIN = agent("ida", name="Ida", role="admin")
LONG = b'{"order_id":"A-very-long-number-of-an-order-that-never-ends-0123456789","total":"%s"}'
DEAD, AGAIN = "unreadable 17.a_field_with_a_rather_long_name", "failed ZeroDivisionError"


def _fill(tx: Tx) -> None:
    for name, kind in (("main-shop", "shopify"), ("a-shop-with-a-longer-name", "woocommerce")):
        add_source(tx, ADMIN, AddSource(name=name, kind=kind, secret="first"))
    add_source(tx, ADMIN, AddSource(name="till", kind="generic"))
    for number, topic in enumerate(("orders/create", "fulfillment_events/create", "app/other")):
        body = LONG.replace(b"%s", b"9" * (number + 1))
        deliveries.add_delivery(tx, "main-shop", Incoming(topic=topic, key=topic, body=body))


def _spoil(tx: Tx) -> str:
    found = deliveries.deliveries(tx.connection, "main-shop", limit=9)
    fail(tx, found[0].id, DEAD, permanent=True)
    fail(tx, found[1].id, AGAIN, permanent=False)
    at_ms = tx.at_ms - 1000
    change_source(tx, "main-shop", refused=12, refused_at_ms=at_ms, received_at_ms=at_ms)
    until_ms = tx.at_ms + 9_000_000
    change_source(tx, "main-shop", old_secret="older", old_secret_until_ms=until_ms)  # made up
    change_source(tx, "till", received_at_ms=1, uninstalled_at_ms=at_ms)
    return found[0].id


@pytest.mark.timeout(600)
def test_every_page_of_shop_data_is_fit_for_everybody(pages: Pages, data_dir: Path) -> None:
    desk = make_desk(data_dir, None)
    desk.write(_fill)
    # Served only later, so that nothing is taken over meanwhile.
    dead = desk.write(_spoil)
    desk.server.start()
    root = "/settings/sources"
    paths = [
        root,
        f"{root}/main-shop",
        f"{root}/till",
        f"{root}/main-shop/secret",
        f"{root}/main-shop/deliveries",
        f"{root}/main-shop/deliveries/{dead}",
        f"{root}/till/deliveries",
    ]
    try:
        for number, (width, language, theme) in enumerate(LOOKS):
            context = pages.context(width=width, theme=theme)
            context.add_cookies(
                [{"name": "sid", "value": desk.people["ida"].cookie, "url": desk.url}]
            )
            page = context.new_page()
            # Every page in one of the looks.
            for path in paths[number :: len(LOOKS)]:
                page.goto(f"{desk.url}{path}?lang={language}")
                _check(page, f"{path} {width} {language} {theme}")
            context.close()
    finally:
        desk.server.kill()
