"""The page that a shopper writes from is a courtesy: it never costs the message."""

from __future__ import annotations

import pytest

from server.actions.messages import PostMessage, ShopPage, post_message
from server.actions.shop import init_shop
from server.actions.visitors import Connect, connect
from server.domain.actors import customer
from server.storage.database import Database
from server.storage.rows import load_conversation


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        (
            ShopPage(url="https://shop.example/lamp", title="Lamp"),
            ("https://shop.example/lamp", "Lamp"),
        ),
        (ShopPage(url="https://shop.example/" + "x" * 5000, title="y" * 900), (None, "y" * 300)),
        (ShopPage(url="javascript:alert(1)", title=None), (None, None)),
    ],
    ids=["plain", "too long", "not a web address"],
)
def test_a_message_is_taken_whatever_its_page(
    database: Database, page: ShopPage, kept: tuple[str | None, str | None]
) -> None:
    key = database.write_now(
        lambda tx: init_shop(tx, name="Shop", locale="en", timezone="UTC", currency="EUR")
    )
    shopper = database.write_now(lambda tx: connect(tx, Connect(site=key)))["customer_id"]
    post = PostMessage(client_id="one", body="hello", page=page)
    answer = database.write_now(lambda tx: post_message(tx, customer(shopper), post))
    found = database.read_now(lambda c: load_conversation(c, answer["conversation_id"]))
    assert found is not None
    assert (found.page_url, found.page_title) == kept
