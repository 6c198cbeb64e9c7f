"""The shopper's portal: who gets in, what they see and do, and that nobody sees another's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any  # Any: rows

import pytest_asyncio
from sqlalchemy import Connection, Table, select

from server.actions import ticket_merge, tickets
from server.actions.identity import Said, note_contacts
from server.domain.actors import Actor, agent
from server.storage import mails
from server.storage import portal as stored
from server.storage import tickets as ticket_store
from server.storage.customers import change_customer, load_customer
from server.storage.database import Database
from server.storage.portal import CODE, SESSION
from server.storage.unit import Tx
from tests.http.desk import Answer, Desk, Visitor, served
from tests.http.test_tickets import shopper_of

HOME = "/portal"
MINE, HERS = "mei@buyer.example", "ana@buyer.example"


@pytest_asyncio.fixture
async def shop(open_database: Callable[..., Database], data_dir: Path) -> AsyncIterator[Desk]:
    """A shop that sends mail; nobody takes it from the queue."""
    url = "smtp://help%40shop.example:secret@127.0.0.1:9"
    async with served(open_database, data_dir, smtp_url=url) as desk:
        await desk.set_up()
        yield desk


def lead(desk: Desk) -> Actor:
    return agent(desk.people["supervisor"], name="Supervisor Young", role="supervisor")


async def requested(desk: Desk, address: str | None, body: str = "The lamp is broken") -> str:
    """The number of a request that a new shopper leaves, with the address they typed."""
    shopper = await shopper_of(desk)
    payload = tickets.SubmitRequest(body=body, name="林悦", email=address)
    answer = await desk.database.write(lambda tx: tickets.submit(tx, shopper, payload))
    return str(answer["ticket_number"])


def id_of(desk: Desk, number: str) -> str:
    found = desk.database.read_now(lambda c: ticket_store.id_of_number(c, number))
    assert found is not None
    return found


def owner_of(desk: Desk, number: str) -> str:
    ticket = desk.database.read_now(lambda c: ticket_store.load_ticket(c, id_of(desk, number)))
    assert ticket is not None
    return ticket.customer_id


async def answer(desk: Desk, number: str, body: str, **more: str) -> None:
    values = {
        "ticket_id": id_of(desk, number),
        "client_id": body.replace(" ", "-"),
        "body": body,
        **more,
    }
    payload = tickets.ReplyTicket.model_validate(values)
    await desk.database.write(lambda tx: tickets.reply(tx, lead(desk), payload))


async def codes(desk: Desk) -> list[tuple[str, str]]:
    """Recipients and codes of the mails that were queued, the latest first."""
    await desk.database.write(lambda _: None)  # behind what was handed in before
    found = desk.database.read_now(lambda c: mails.went(c, state=None, before=None, limit=50))
    said = [(one, re.search(r"\b\d{6}\b", one.words)) for one in found if one.kind == "code"]
    return [(one.recipient, code[0]) for one, code in said if code is not None]


async def ask(desk: Desk, visitor: Visitor, address: str) -> Answer:
    desk.time.now += 1  # so that mails have an order
    return await visitor.post("/portal/code", {"address": address}, page=HOME)


async def enter(visitor: Visitor, code: str) -> Answer:
    return await visitor.post("/portal/sign-in", {"code": code}, page="/portal/code")


async def inside(desk: Desk, address: str) -> Visitor:
    visitor = desk.visitor()
    assert (await ask(desk, visitor, address)).status == 303
    assert (await enter(visitor, (await codes(desk))[0][1])).status == 303
    return visitor


async def test_a_shopper_follows_answers_confirms_rates_and_opens_again(shop: Desk) -> None:
    number = await requested(shop, "Mei@Buyer.example", "灯坏了 <b>broken</b>")
    other = await requested(shop, HERS)
    visitor = await inside(shop, MINE)
    # Nobody has answered yet: it is not asked as if somebody had.
    asked = (await visitor.get(f"{HOME}/{number}?lang=en")).text
    assert "Has it been solved in the meantime?" in asked
    assert "UTC+8" in asked
    await answer(shop, number, "A new one is on its way")
    await answer(shop, number, "She is angry", visibility="private")
    listed = (await visitor.get(f"{HOME}?lang=en")).text
    assert "灯坏了 &lt;b&gt;broken&lt;/b&gt;" in listed
    assert "In progress" in listed
    assert other not in listed
    assert "处理中" in (await visitor.get(f"{HOME}?lang=zh")).text
    page = f"{HOME}/{number}"
    text = (await visitor.get(f"{page}?lang=en")).text
    assert "A new one is on its way" in text
    assert "Is it solved?" in text
    assert "angry" not in text
    assert "How did we do?" not in text
    # An address is a link that says nothing of this page, and ends where the sentence goes on.
    said = "看 https://parcel.example/x?a=1&b=2，谢谢。 javascript:alert(1)"
    await answer(shop, number, said, client_id="linked")
    linked = (await visitor.get(page)).text
    href = "https://parcel.example/x?a=1&amp;b=2"
    link = f'<a href="{href}" rel="nofollow noopener noreferrer" target="_blank">{href}</a>，谢谢。'
    assert link in linked
    assert 'href="javascript' not in linked
    # The same form twice writes once.
    key = re.search(r'name="client_id" value="(\w+)"', text)
    assert key is not None
    sent = {"client_id": key[1], "body": "Thank you 谢谢"}
    for _ in range(2):
        assert (await visitor.post(f"{page}/reply", sent, page=page)).status == 303
    assert (await visitor.get(page)).text.count("Thank you 谢谢") == 1
    empty = await visitor.post(
        f"{page}/reply", sent | {"client_id": "0" * 24, "body": ""}, page=page
    )
    assert empty.status == 400
    early = await visitor.post(f"{page}/rate", {"score": "5"}, page=page)
    assert (early.status, "once it is solved" in early.text) == (409, True)
    assert (await visitor.post(f"{page}/solved", page=page)).status == 303
    assert "Solved" in (await visitor.get(page)).text
    for score, status in (("0", 400), ("6", 400), ("4", 303)):
        assert (await visitor.post(f"{page}/rate", {"score": score}, page=page)).status == status
    assert re.search(r'value="4" required checked', (await visitor.get(page)).text)
    still = {"client_id": "1" * 24, "body": ""}
    assert (await visitor.post(f"{page}/still", still, page=page)).status == 303
    text = (await visitor.get(page)).text
    assert "It is still a problem." in text
    ticket = shop.database.read_now(lambda c: ticket_store.load_ticket(c, id_of(shop, number)))
    assert ticket is not None
    assert (ticket.state, ticket.reopens) == ("open", 1)
    assert (await visitor.post("/portal/sign-out", page=HOME)).status == 303
    assert (await visitor.get(page)).location == HOME


async def test_the_answer_is_the_same_whether_or_not_anybody_is_known(shop: Desk) -> None:
    await requested(shop, MINE)
    seen = []
    for address in (MINE, "nobody@buyer.example", "help@shop.example"):
        visitor = shop.visitor()
        told = await ask(shop, visitor, address)
        page = await visitor.get(told.location)
        cookies = {
            name: re.sub(r"=[^;]+", "", line, count=1) for name, line in told.set_cookies.items()
        }
        assert "HttpOnly" in told.set_cookies["shopper_ask"]
        assert "SameSite=Lax" in told.set_cookies["shopper_ask"]
        text = re.sub(r'name="csrf" value="[^"]+"', "", page.text)
        seen.append((told.status, told.location, told.body, page.status, text, sorted(cookies)))
        for _ in range(2):
            assert (await ask(shop, visitor, address)).status == 303
        # Nor after too many.
        assert (await ask(shop, visitor, address)).status == 429
    assert seen[0] == seen[1] == seen[2]
    assert {recipient for recipient, _ in await codes(shop)} == {MINE}
    assert len(await codes(shop)) == 3
    shop.time.now += 3601
    assert (await ask(shop, shop.visitor(), MINE)).status == 303


def _rows(connection: Connection, target: Table) -> Sequence[Any]:
    return connection.execute(select(target)).mappings().all()


async def test_a_code_is_for_one_browser_one_use_ten_minutes_and_five_tries(shop: Desk) -> None:
    await requested(shop, MINE)
    visitor, thief = shop.visitor(), shop.visitor()
    await ask(shop, visitor, MINE)
    await ask(shop, thief, "nobody@buyer.example")
    code = (await codes(shop))[0][1]
    assert (await enter(thief, code)).status == 400, "another browser"
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(4):
        assert (await enter(visitor, wrong)).status == 400
    spaced = f" {code[:3]} {code[3:]} "
    kept = visitor.cookie("shopper_ask")
    assert (await enter(visitor, spaced)).status == 303, "the fifth try"
    again = {"Cookie": f"shopper_ask={kept}; csrf={visitor.cookie('csrf')}"}
    token = await visitor.csrf(HOME)
    replay = await shop.visitor().ask(
        "POST", "/portal/sign-in", data={"csrf": token, "code": code}, headers=again
    )
    assert replay.status == 400, "used once"
    late, tired = shop.visitor(), shop.visitor()
    await ask(shop, tired, MINE)
    code = (await codes(shop))[0][1]
    for _ in range(5):
        assert (await enter(tired, "12345x")).status == 400
    assert (await enter(tired, code)).status == 400, "the sixth try"
    await ask(shop, late, MINE)
    code = (await codes(shop))[0][1]
    shop.time.now += 601
    assert (await enter(late, code)).status == 400, "too late"
    # A signed-in browser stays so for a day, and nothing of code or token is kept as it is.
    assert MINE in (await visitor.get(HOME)).text
    rows = [
        str(dict(row))
        for target in (CODE, SESSION)
        for row in shop.database.read_now(partial(_rows, target=target))
    ]
    assert rows
    session = visitor.cookie("shopper_portal")
    assert session is not None
    assert not any(session in row or code in row for row in rows)
    shop.time.now += 86_401
    assert MINE not in (await visitor.get(HOME)).text


async def test_another_s_ticket_is_found_exactly_as_one_that_is_not_there(shop: Desk) -> None:
    mine, hers = await requested(shop, MINE), await requested(shop, HERS)
    visitor = await inside(shop, MINE)
    page = f"{HOME}/{mine}"
    assert (await visitor.get(page)).status == 200
    fields = {"client_id": "2" * 24, "body": "let me in", "score": "1"}
    for do in ("", "/reply", "/still", "/solved", "/rate"):
        told = []
        for name in (hers, "T-2222-2222", "T-2222-2223", "x", id_of(shop, hers), id_of(shop, mine)):
            path = f"{HOME}/{name}{do}"
            answered = await (visitor.post(path, fields, page=page) if do else visitor.get(path))
            told.append((answered.status, answered.text))
        assert told[0][0] == 404
        assert "Mori &amp; Oak" in told[0][1], "the shop says so, not the program"
        assert 'href="/console"' not in told[0][1]
        assert set(told) == {told[0]}, do
    stranger = shop.visitor()
    for name in (mine, "T-2222-2222"):
        assert (await stranger.get(f"{HOME}/{name}")).location == HOME
        path = f"{HOME}/{name}/solved"
        assert (await stranger.post(path, page=HOME)).location == HOME
    forged = await visitor.ask("POST", f"{page}/solved", data={"csrf": "x"})
    assert forged.status == 403
    ticket = shop.database.read_now(lambda c: ticket_store.load_ticket(c, id_of(shop, hers)))
    assert ticket is not None
    assert ticket.state == "new"


async def test_which_tickets_an_address_opens(shop: Desk) -> None:
    """Level, source, what else the row has proved, and the list of shared values decide."""
    number = await requested(shop, None)
    row = owner_of(shop, number)

    def say(tx: Tx, level: str, source: str, key: str, email: str | None) -> None:
        tx.connection.exec_driver_sql("DELETE FROM contact")
        said = [Said("email", key, proved=level == "verified")]
        note_contacts(tx, row, said, source=source)
        change_customer(tx, row, email=email)

    for level, source, email, opens in (
        ("verified", "signed", MINE, True),
        ("verified", "signed", None, True),
        ("claimed", "widget", MINE, True),
        ("claimed", "agent", MINE, True),
        ("claimed", "signed", MINE, True),
        # Our answers go elsewhere now.
        ("claimed", "widget", HERS, False),
        ("claimed", "widget", None, False),
        # An order mentions it.
        ("claimed", "order", MINE, False),
    ):
        shop.database.write_now(partial(say, level=level, source=source, key=MINE, email=email))
        found = shop.database.read_now(lambda c: stored.reader_of_address(c, MINE).rows)
        assert found == ((row,) if opens else ()), (level, source, email)
        assert shop.database.read_now(lambda c: stored.reader_of_address(c, HERS).rows) == ()
    # Who has proved another address has not given this one.
    shop.database.write_now(lambda tx: say(tx, "claimed", "widget", MINE, MINE))
    shop.database.write_now(
        lambda tx: note_contacts(tx, row, [Said("email", HERS, proved=True)], source="signed")
    )
    assert shop.database.read_now(lambda c: stored.reader_of_address(c, MINE).rows) == ()
    assert shop.database.read_now(lambda c: stored.reader_of_address(c, HERS).rows) == (row,)


async def test_a_joined_ticket_leads_on_only_where_its_shopper_may_go(shop: Desk) -> None:
    first, second = await requested(shop, MINE, "My lamp"), await requested(shop, HERS, "Her words")

    def join(tx: Tx) -> None:
        # Staff say that both are one person: for the shoppers nothing is more than before.
        top = owner_of(shop, second)
        change_customer(
            tx, owner_of(shop, first), merged_into=top, merged_as="merge", person_id=top
        )

    shop.database.write_now(join)
    payload = ticket_merge.MergeTicket(ticket_id=id_of(shop, first), into=second)
    shop.database.write_now(lambda tx: ticket_merge.merge(tx, lead(shop), payload))
    mine, hers = await inside(shop, MINE), await inside(shop, HERS)
    page = await mine.get(f"{HOME}/{first}")
    assert page.status == 200
    assert "My lamp" in page.text
    assert "Her words" not in page.text
    # It says where it went and asks for nothing, here and where it may be followed.
    assert "This request goes on in another one." in page.text
    assert f"{HOME}/{first}/" not in page.text
    assert (await mine.get(f"{HOME}/{second}")).status == 404
    assert "My lamp" not in (await hers.get(f"{HOME}/{second}")).text
    # Once she has given both addresses' rows hers, one leads to the other.
    row = owner_of(shop, first)

    def prove(tx: Tx) -> None:
        note_contacts(tx, row, [Said("email", HERS, proved=True)], source="signed")

    shop.database.write_now(prove)
    assert shop.database.read_now(lambda c: load_customer(c, row)) is not None
    assert (await hers.get(f"{HOME}/{first}")).location == f"{HOME}/{second}"
    text = (await hers.get(f"{HOME}/{second}")).text
    assert "My lamp" in text
    assert "Her words" in text


async def test_without_mail_the_page_says_how_to_reach_the_shop(desk: Desk) -> None:
    visitor = desk.visitor()
    for lang, words in (("en", "Write to us in the chat"), ("zh", "通过聊天联系我们")):
        page = await visitor.get(f"{HOME}?lang={lang}")
        assert words in page.text
        assert "<form" not in page.text
    assert await codes(desk) == []
