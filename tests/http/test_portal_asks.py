"""The portal's own doors: the shop's word, new requests, asking something of an order back."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any  # Any: claims

import jwt
import pytest
from sqlalchemy import select

from server.actions.shop import set_site
from server.actions.take_orders import take_orders, take_products
from server.domain.actors import SYSTEM
from server.domain.shop_data import Line, Order, ShopProduct
from server.domain.ticket_number import read_number
from server.http import portal_base
from server.jobs.due import forget_portal
from server.storage import mails
from server.storage import tickets as ticket_store
from server.storage.messages import unread_by_customer
from server.storage.portal import CODE, SESSION
from server.storage.requests import REQUEST_LINE
from server.storage.rows import load_conversation
from server.storage.shop import load_shop
from server.storage.shop_sources import source_for_import
from tests.http.desk import Answer, Desk, Visitor
from tests.http.test_attachments import PDF, form
from tests.http.test_portal import HERS, HOME, MINE, _rows, answer, id_of, inside, requested, shop

__all__ = ["shop"]
SECRET = "a secret of thirty-two characters or more"
ENTER, NEW, BACK = f"{HOME}/enter", f"{HOME}/new", f"{HOME}/return"


def word(desk: Desk, sub: str, *, secret: str = SECRET, **claims: Any) -> str:  # Any: claims
    """What the shop's server signs for a customer."""
    known = desk.database.read_now(load_shop)
    assert known is not None
    now = desk.database.clock() // 1000
    said = {
        "sub": sub,
        "aud": known.site_key,
        "iat": now,
        "exp": now + 300,
        "jti": f"j-{sub}-{now}",
    }
    return jwt.encode(said | claims, secret, algorithm="HS256")


async def enter(visitor: Visitor, token: str) -> Answer:
    return await visitor.post(ENTER, {"identity": token})


async def customers(desk: Desk) -> None:
    """Two customers of the shop with an order each."""
    await desk.database.write(
        lambda tx: set_site(tx, SYSTEM, identity_secret=SECRET, origins=["https://a.example"])
    )
    lines = (
        Line(title="Walnut lamp", quantity=3, price_minor=9000, sku="LMP"),
        Line(title="Bulb", quantity=1, price_minor=900),
    )
    at_ms = desk.database.clock()
    orders = [
        Order(
            external_id=name,
            number=name,
            created_at_ms=at_ms,
            currency="CNY",
            total_minor=27_900,
            customer=owner,
            shipped_at_ms=at_ms if name == "A-1" else None,
            lines=lines,
        )
        for name, owner in (("A-1", "mei"), ("A-2", "mei"), ("B-1", "ana"))
    ]
    lamp = ShopProduct(
        sku="LMP", title="Walnut lamp", image_url="https://cdn.shop.example/lamp.jpg"
    )

    def take(tx: Any) -> None:  # Any: Tx
        source = source_for_import(tx, None)
        take_products(tx, source, [lamp])
        take_orders(tx, source, orders, imported=True)

    await desk.database.write(take)


async def vouched(desk: Desk, sub: str, **claims: Any) -> Visitor:  # Any: claims
    visitor = desk.visitor()
    assert (await enter(visitor, word(desk, sub, **claims))).location == HOME
    return visitor


async def form_of(visitor: Visitor, page: str, **values: str) -> Answer:
    """Fills in a form that names itself, and sends it."""
    text = (await visitor.get(page)).text
    key = re.search(r'name="client_id" value="(\w+)"', text)
    assert key is not None
    return await visitor.post(page, {"client_id": key[1], **values})


async def with_files(
    visitor: Visitor, page: str, values: dict[str, str], files: list[tuple[str, bytes]]
) -> Answer:
    """Fills in a form that takes files, and sends it as a browser does."""
    text = (await visitor.get(page)).text
    key = re.search(r'name="client_id" value="(\w+)"', text)
    assert key is not None
    data = form(text, {"client_id": key[1], **values}, files)
    return await visitor.ask("POST", page, data=data)


async def test_the_shops_word_opens_the_portal_once_and_shortly(shop: Desk) -> None:
    await customers(shop)
    token = word(shop, "mei", name="Mei")
    visitor, thief = shop.visitor(), shop.visitor()
    page = await visitor.get(ENTER)
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert token not in page.text
    first = await enter(visitor, token)
    assert (first.status, first.location) == (303, HOME)
    assert "Signed in as Mei" in (await visitor.get(f"{HOME}?lang=en")).text
    now = shop.database.clock() // 1000
    for what, other in {
        "used": token,
        "expired": word(shop, "mei", jti="x1", iat=now - 700, exp=now - 100),
        "too long": word(shop, "mei", jti="x2", exp=now + 3600),
        "another's secret": word(shop, "mei", jti="x3", secret=SECRET[::-1]),
        "another shop": word(shop, "mei", jti="x4", aud="other"),
        "unsigned": jwt.encode({"sub": "mei"}, None, algorithm="none"),
        "nothing": "",
        "much": "a" * 9000,
    }.items():
        refused = await enter(thief, other)
        assert refused.status in {400, 403}, what
        assert "no longer holds" in refused.text
        assert thief.cookie("shopper_portal") is None
    forged = await thief.ask("POST", ENTER, data={"identity": word(shop, "mei", jti="x5")})
    assert forged.status == 403
    # A customer whom nobody has seen yet may ask something too.
    stranger = await vouched(shop, "new", email=HERS)
    made = await form_of(stranger, NEW, type="question", body="Hello")
    assert (await stranger.get(made.location)).status == 200
    assert (await visitor.get(made.location.partition("?")[0])).status == 404


async def test_a_new_request_is_made_once_and_warns_of_an_open_one(shop: Desk) -> None:
    await customers(shop)
    mei = await vouched(shop, "mei")
    key = re.search(r'name="client_id" value="(\w+)"', (await mei.get(NEW)).text)
    assert key is not None
    asked = {"client_id": key[1], "type": "delivery", "order": "A-1", "body": "Where is it?"}
    first, second = [await mei.post(NEW, asked) for _ in range(2)]
    assert first.location == second.location
    number = first.location.split("/")[-1].split("?")[0]
    assert read_number(number) == number
    page = (await mei.get(f"{HOME}/{number}?lang=en")).text
    assert "Where is it?" in page
    assert "Promised by" not in page or "We are late" not in page
    again = await form_of(mei, NEW, type="question", order="A-1", body="And?")
    assert again.status == 409
    assert number in again.text
    assert 'name="anyway" value="1"' in again.text
    assert (await form_of(mei, NEW, type="question", order="A-1", body="And?", anyway="1")).location
    for wrong in ({"body": " "}, {"type": "defect", "body": "x"}, {"type": "nothing", "body": "x"}):
        assert (await form_of(mei, NEW, **({"order": ""} | wrong))).status == 400
    # Another's order is as good as none: nothing is linked to it.
    other = await form_of(mei, NEW, type="question", order="B-1", body="Not mine")
    ticket = id_of(shop, other.location.split("/")[-1].split("?")[0])
    assert shop.database.read_now(lambda c: ticket_store.links_of(c, ticket)) == []


async def test_lines_of_an_order_are_asked_back_once(shop: Desk) -> None:
    await customers(shop)
    mei, ana = await vouched(shop, "mei"), await vouched(shop, "ana")
    listed = (await mei.get(f"{BACK}?lang=en")).text
    assert "Order A-1" in listed
    assert "B-1" not in listed
    for path in (f"{BACK}/B-1", f"{BACK}/none", f"{BACK}/oB-1"):
        assert (await mei.get(path)).status == 404
        assert (await mei.post(path, {"wanted": "return"}, page=f"{BACK}/A-1")).status == 404
    page = f"{BACK}/A-1"
    assert 'value="cancel"' not in (await mei.get(page)).text
    assert 'value="cancel"' in (await mei.get(f"{BACK}/A-2")).text
    lamp, bulb = re.findall(r'name="line(\d+)"', (await mei.get(page)).text)
    two = {
        f"line{lamp}": "1",
        f"quantity{lamp}": "2",
        f"reason{lamp}": "damaged",
        "wanted": "return",
        "outcome": "replacement",
        "words": "Both are cracked",
    }
    wrong: dict[str, dict[str, str]] = {
        "no line": {f"line{lamp}": ""},
        "too many": {f"quantity{lamp}": "4"},
        "none": {f"quantity{lamp}": "0"},
        "no number": {f"quantity{lamp}": "²"},
        "no reason": {f"reason{lamp}": ""},
        "a reason that there is not": {f"reason{lamp}": "whim"},
        "no wish": {"outcome": "gold"},
        "a line that is not there": {"line77": "1", "quantity77": "1", "reason77": "damaged"},
        "cancel what was sent": {"wanted": "cancel"},
    }
    for what, change in wrong.items():
        assert (await form_of(mei, page, **(two | change))).status in {400, 409}, what
    # What the page shows is loaded from where the shop has its pictures, and from nowhere else.
    shown = await mei.get(page)
    assert 'src="https://cdn.shop.example/lamp.jpg"' in shown.text
    policy = shown.headers["Content-Security-Policy"]
    assert "img-src 'self' data: https://cdn.shop.example;" in policy
    assert "cdn" not in (await mei.get(HOME)).headers["Content-Security-Policy"]
    for files in ([("page.html", b"<html>")], [(f"{n}.pdf", PDF) for n in range(6)]):
        refused = await with_files(mei, page, two, files)
        assert refused.status == 400
        assert "Both are cracked" in refused.text
    made = await with_files(mei, page, two, [("cracks.pdf", PDF)])
    number = made.location.split("/")[-1].split("?")[0]
    told = (await mei.get(f"{HOME}/{number}?lang=en")).text
    assert "2 × Walnut lamp (LMP)" in told
    assert "a replacement" in told
    assert "Both are cracked" in told
    assert "cracks.pdf" in told
    ticket_id = id_of(shop, number)
    ticket = shop.database.read_now(lambda c: ticket_store.load_ticket(c, ticket_id))
    assert ticket is not None
    assert (ticket.type, ticket.source) == ("return", "portal")
    links = shop.database.read_now(lambda c: ticket_store.links_of(c, ticket_id))
    assert {link.kind for link in links} == {"order", "line"}
    # Two of three are taken: two more are not there, one is, after the warning.
    more = two | {"anyway": "1"}
    refused = await form_of(mei, page, **more)
    assert refused.status == 409
    assert "asked for already" in refused.text
    assert number in refused.text
    one = two | {f"quantity{lamp}": "1"}
    warned = await form_of(mei, page, **one)
    assert (warned.status, number in warned.text) == (409, True)
    assert (await form_of(mei, page, **(one | {"anyway": "1"}))).status == 303
    assert f'name="line{lamp}"' not in (await mei.get(page)).text
    assert f'name="line{bulb}"' in (await mei.get(page)).text
    # Who only reads the address that an order mentions gets at none of it.
    await requested(shop, MINE)
    reader = await inside(shop, MINE)
    assert "known to be yours" in (await reader.get(f"{BACK}?lang=en")).text
    assert (await reader.get(page)).status == 404
    assert (await ana.get(f"{HOME}/{number}")).status == 404
    rows = shop.database.read_now(lambda c: len(c.execute(select(REQUEST_LINE)).all()))
    assert rows == 2


async def test_who_sends_forms_without_end_is_told_to_wait(
    shop: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long thirty forms take here, they come at once.
    monkeypatch.setattr(portal_base, "time", SimpleNamespace(monotonic=lambda: 0.0))
    await customers(shop)
    mei, ana = await vouched(shop, "mei"), await vouched(shop, "ana")
    asked = {"client_id": "0" * 24, "order": "", "type": "question", "body": "Where is it?"}
    shown = {"page": f"{NEW}?lang=en"}
    made = [(await mei.post(NEW, asked, **shown)) for _ in range(31)]
    assert [one.status for one in made] == [303] * 30 + [429]
    assert "That was a lot at once" in made[-1].text
    assert "Where is it?" in made[-1].text
    number = made[0].location.split("/")[-1].split("?")[0]
    assert (await mei.post(f"{HOME}/{number}/solved", {}, page=NEW)).status == 429
    assert (await mei.post(f"{BACK}/A-1", {"wanted": "return"}, page=NEW)).status == 429
    assert (await ana.post(NEW, asked)).status == 303


async def test_pages_of_the_list_marks_and_what_is_forgotten(shop: Desk) -> None:
    await customers(shop)
    mei = await vouched(shop, "mei")
    numbers = []
    for at in range(9):
        shop.time.now += 1
        made = await form_of(mei, NEW, type="question", body=f"Question {at}")
        numbers.append(made.location.split("/")[-1].split("?")[0])
    shop.time.now += 1
    await answer(shop, numbers[0], "Here it is")
    ticket_id = id_of(shop, numbers[0])
    unread = partial(unread_by_customer, conversation_ids=[ticket_id])
    assert "New answer" in (await mei.get(f"{HOME}?lang=en")).text
    # Neither what a browser loads ahead nor another site's link is a visit of the shopper's.
    for headers in (
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"},
        {"Referer": "https://elsewhere.example/list"},
    ):
        assert "Here it is" in (await mei.get(f"{HOME}/{numbers[0]}", headers=headers)).text
    assert shop.database.read_now(unread) == {ticket_id: 1}
    assert "Here it is" in (await mei.get(f"{HOME}/{numbers[0]}")).text
    assert shop.database.read_now(unread) == {}
    assert "New answer" not in (await mei.get(f"{HOME}?lang=en")).text
    # A number of somebody else's is no place in one's own list.
    other = await requested(shop, HERS)
    assert (await mei.get(f"{HOME}?before={other}")).status == 404
    older = (await mei.get(f"{HOME}?before={numbers[2]}")).text
    assert [one in older for one in numbers[:4]] == [True, True, False, False]
    # What has run out is forgotten whether or not anybody asks for a code.
    shop.time.now += 90_000
    assert (await mei.get(f"{HOME}/{numbers[0]}")).location == HOME
    await forget_portal(shop.database)
    for target in (CODE, SESSION):
        assert shop.database.read_now(partial(_rows, target=target)) == []
    lost = await mei.get(f"{HOME}/a/b/c?lang=en")
    assert lost.status == 404
    assert 'href="/portal"' in lost.text
    assert "/console" not in lost.text.partition("<main")[2]


async def test_a_promise_that_has_gone_by_is_said_to_be_late(shop: Desk) -> None:
    await customers(shop)
    mei = await vouched(shop, "mei")
    made = await form_of(mei, NEW, type="question", body="When?")
    number = made.location.split("/")[-1].split("?")[0]

    async def promise(at_ms: int) -> str:
        def due(tx: Any) -> None:  # Any: Tx
            tx.set_due(id_of(shop, number), next_due_at_ms=at_ms, next_due="first_response")

        await shop.database.write(due)
        texts = [(await mei.get(f"{path}?lang=en")).text for path in (HOME, f"{HOME}/{number}")]
        assert texts[0].count("We are late, sorry") == texts[1].count("We are late, sorry")
        return texts[1]

    now = shop.database.clock()
    assert "Promised by" in await promise(now + 3_600_000)
    late = await promise(now - 1)
    assert "We are late, sorry" in late
    assert "Promised by" not in late
    talk = shop.database.read_now(lambda c: load_conversation(c, id_of(shop, number)))
    assert talk is not None
    sent = shop.database.read_now(lambda c: mails.went(c, state=None, before=None, limit=5))
    assert sent == []


async def test_what_was_bought_without_an_account_is_asked_back_by_who_reads_its_mail(
    shop: Desk,
) -> None:
    await customers(shop)
    guest, at_ms = "guest@buyer.example", shop.database.clock()
    order = Order(
        external_id="G-1",
        number="G-1",
        created_at_ms=at_ms,
        currency="CNY",
        total_minor=9000,
        email="Guest@Buyer.example",
        shipped_at_ms=at_ms,
        lines=(Line(title="Walnut lamp", quantity=2, price_minor=4500, sku="LMP"),),
    )
    # An account's order that names the same address is the account's alone.
    named = replace(order, external_id="G-2", number="G-2", customer="ana")
    trial = replace(order, external_id="G-3", number="G-3", test=True)
    await shop.database.write(
        lambda tx: take_orders(
            tx, source_for_import(tx, None), [order, named, trial], imported=True
        )
    )
    mine = await inside(shop, guest)
    listed = (await mine.get(BACK)).text
    assert [f"{BACK}/{name}" in listed for name in ("G-1", "G-2", "G-3")] == [True, False, False]
    gone = [await mine.get(f"{BACK}/{name}") for name in ("G-2", "G-3", "A-1", "Z-9")]
    assert [one.status for one in gone] == [404] * 4
    page = f"{BACK}/G-1"
    text = (await mine.get(page)).text
    key = re.search(r'name="client_id" value="(\w+)"', text)
    assert key is not None
    asked = {
        "client_id": key[1],
        "wanted": "return",
        "line1": "1",
        "quantity1": "2",
        "reason1": "damaged",
    }
    # The same form twice makes one customer and one ticket.
    assert (await mine.get(f"{page}?lang=zh")).status == 200
    made = [await mine.post(page, asked, page=page) for _ in range(2)]
    assert made[0].location == made[1].location != ""
    number = made[0].location.split("/")[-1].split("?")[0]
    assert "Walnut lamp" in (await mine.get(f"{HOME}/{number}?lang=en")).text
    assert number in (await mine.get(HOME)).text
    again = await mine.post(page, asked | {"client_id": "0" * 24, "anyway": "1"}, page=page)
    assert again.status == 409, "these pieces were asked for already"
    # Answers go out in the language of the form.
    thread = shop.database.read_now(lambda c: load_conversation(c, id_of(shop, number)))
    assert thread is not None
    assert thread.locale == "zh"
    # A request of another type about that order is told of this one, and is linked to the order.
    also = await form_of(mine, NEW, type="question", order="G-1", body="Which bulb?")
    assert also.status == 409
    assert number in also.text
    other = await form_of(mine, NEW, type="question", order="G-1", body="Which bulb?", anyway="1")
    ticket = id_of(shop, other.location.split("/")[-1].split("?")[0])
    [link] = shop.database.read_now(lambda c: ticket_store.links_of(c, ticket))
    assert link.kind == "order"
    # Another address, proved as well, reaches neither order nor request.
    her = await vouched(shop, "ana", email="ana@buyer.example", email_verified=True)
    assert (await her.get(page)).status == (await her.get(f"{BACK}/Z-9")).status == 404
    assert (await her.get(f"{HOME}/{number}")).status == 404
    # Nor does the account at the guest's address that the shop does not vouch for.
    claimed = await vouched(shop, "mei", email=guest, email_verified=False)
    assert (await claimed.get(page)).status == 404
    # Whoever has it proved has what was bought with it.
    proved = await vouched(shop, "zoe", email=guest, email_verified=True)
    assert (await proved.get(page)).status == 200
