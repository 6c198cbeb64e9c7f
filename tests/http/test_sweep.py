"""An attacker's sweep: every route and socket command that takes an id, with another's ids.

Mei has a chat, a request, a file, an order and a name; all of it holds a mark, and all of it
belongs to a team. Another shopper, an agent of another team and nobody call everything with every
id of hers: the mark comes back to none of them, and not one row of hers changes.
"""

from __future__ import annotations

import itertools
import re
from typing import Any  # Any: JSON and column values

import aiohttp
import pytest
import pytest_asyncio

from server.actions import conversations, tickets, visitors
from server.actions.conversations import Transfer
from server.actions.desk import Look
from server.actions.payload import Payload, parse
from server.actions.people import add_person, add_team
from server.actions.take_orders import take_orders
from server.domain.actors import Actor, customer
from server.domain.errors import AppError
from server.domain.shop_data import Line, Order
from server.http import keys
from server.realtime.wire import COMMANDS, Command
from server.storage import portal
from server.storage import tickets as stored_tickets
from server.storage.database import Database
from server.storage.people import load_person
from server.storage.shop_sources import source_for_import
from tests.http.desk import HASH, Desk, Visitor
from tests.http.test_attachments import Shopper, photo

MARK = "KESTREL"
# What the rights do not depend on the database for.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CLAIMS = ("ticket_text", "ticket_search")
Ids = dict[str, str]


async def hers(desk: Desk, session: aiohttp.ClientSession) -> Ids:
    """What Mei has, by what fields call it; seen by the team of orders alone."""
    team = desk.people["team"]
    mei = Shopper(desk, session)
    actor = customer(mei.id)
    file = (await mei.send(photo(), f"{MARK}.jpg"))[1]
    said = mei.post(file["id"], body=f"I am {MARK}", client_id="k1")
    describe = visitors.Describe(name=MARK, email=f"{MARK.lower()}@mei.example")
    desk.database.write_now(lambda tx: visitors.describe(tx, actor, describe))
    request = tickets.SubmitRequest(body=f"{MARK} is broken", subject=f"{MARK}!")
    number = desk.database.write_now(lambda tx: tickets.submit(tx, actor, request))["ticket_number"]
    ticket = desk.database.read_now(lambda c: stored_tickets.id_of_number(c, number))
    assert ticket is not None
    lead = _actor(desk, desk.people["admin"])
    move = Transfer(conversation_id=said["conversation_id"], team_id=team)
    desk.database.write_now(lambda tx: conversations.transfer(tx, lead, move))
    change = tickets.ChangeTicket(ticket_id=ticket, team_id=team)
    desk.database.write_now(lambda tx: tickets.change(tx, lead, change))
    order = _order(desk, mei.id)
    return {
        "customer_id": mei.id,
        "conversation_id": said["conversation_id"],
        "message_id": said["message_id"],
        "ticket_id": ticket,
        "number": number,
        "file_id": file["id"],
        "order_id": order,
        "agent_id": desk.people["agent"],
    }


def _order(desk: Desk, customer_id: str) -> str:
    line = Line(title=f"{MARK} lamp", quantity=1, price_minor=900, sku="LMP")
    order = Order(
        external_id="K-1", number=f"{MARK}-1", created_at_ms=desk.database.clock(), currency="CNY",
        total_minor=900, customer="kestrel", lines=(line,), email=f"{MARK.lower()}@mei.example",
    )  # fmt: skip

    def take(tx: Any) -> None:  # Any: Tx
        take_orders(tx, source_for_import(tx, None), [order], imported=True)

    desk.database.write_now(take)
    with desk.database.engine.begin() as connection:
        found = connection.exec_driver_sql(
            f"SELECT id FROM shop_order WHERE number = '{MARK}-1'"
        ).scalar_one()
        connection.exec_driver_sql(
            "UPDATE shop_order SET customer_id = ? WHERE id = ?", (customer_id, found)
        )
    return str(found)


def _actor(desk: Desk, person_id: str) -> Actor:
    found = desk.database.read_now(lambda c: load_person(c, person_id))
    assert found is not None
    return found.actor


def rows_of(database: Database, ids: Ids) -> dict[str, list[str]]:
    """Every row in which one of her ids stands, by table."""
    mine = {value for key, value in ids.items() if key != "agent_id"}
    found: dict[str, list[str]] = {}
    with database.engine.connect() as connection:
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
        ).scalars()
        for name in list(names):
            rows = connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()
            kept = [repr(tuple(row)) for row in rows if any(one in repr(row) for one in mine)]
            if kept and not name.startswith("ticket_words"):  # the index of the rows of another
                found[name] = sorted(kept)
    return found


@pytest_asyncio.fixture
async def stranger(desk: Desk) -> str:
    """An agent of another team."""
    team = await desk.write(add_team, name="Returns", name_zh="退货组")
    made: str = await desk.write(
        add_person, email="stranger@shop.example", name="S", role="agent",
        password_hash=HASH, team_ids=[team],
    )  # fmt: skip
    return made


def paths_with(path: str, ids: Ids) -> list[str]:
    """A route with each of her ids in each of its places; rows and the like are the first."""
    places = re.findall(r"\{(\w+)[^}]*\}", path)
    found = []
    for values in itertools.product(list(ids.values()), repeat=min(1, len(places))):
        one = path
        for place in places:
            what = {"what": "content", "do": "reply", "locale": "en", "part": "1"}.get(place)
            one = re.sub(rf"\{{{place}[^}}]*\}}", what or (values[0] if values else "1"), one)
        found.append(one)
    return found


FORM = {
    "body": "mine now", "client_id": "abcdef123456", "state": "resolved", "words": "x",
    "name": "mine", "note": "mine", "tag": "mine", "sure": "1", "score": "1", "text": "mine",
    "reason": "other", "team": "", "subject": "mine", "order": "1", "then": "resolved",
}  # fmt: skip


async def test_no_route_gives_or_changes_what_is_another_s(desk: Desk, stranger: str) -> None:
    async with aiohttp.ClientSession() as session:
        ids = await hers(desk, session)
        other = Shopper(desk, session)
        token = "t" * 40
        desk.database.write_now(lambda tx: portal.start_session(tx, token, customer_id=other.id))
        shopper, agent, nobody = desk.visitor(), desk.visitor(), desk.visitor()
        shopper.session.cookie_jar.update_cookies({"shopper_portal": token})
        assert (await agent.sign_in("stranger@shop.example")).status == 303
        before = rows_of(desk.database, ids)
        assert {"conversation", "message", "ticket", "file", "shop_order"} <= set(before)
        callers: dict[str, Visitor] = {"a shopper": shopper, "an agent": agent, "nobody": nobody}
        csrf = {
            "a shopper": await shopper.csrf("/portal/new"),
            "an agent": await agent.csrf("/settings/profile"),
            "nobody": await nobody.csrf("/sign-in"),
        }
        asked = 0
        for route in desk.app.router.routes():
            path = route.resource.canonical if route.resource else ""
            if "{" not in path or path.startswith(("/static", "/widget", "/api")):
                continue
            every = paths_with(path, ids)
            # Nobody is nobody, whatever id they name.
            calls = [(who, one) for who in ("a shopper", "an agent") for one in every]
            for who, one in [*calls, ("nobody", every[0])]:
                if route.method == "GET":
                    answer = await callers[who].get(one)
                elif route.method == "POST":
                    answer = await callers[who].ask("POST", one, data={"csrf": csrf[who], **FORM})
                else:
                    continue
                asked += 1
                assert answer.status < 500, (who, route.method, one)
                assert MARK.encode() not in answer.body, (who, route.method, one)
        # The files of shoppers are asked for with a visitor's token.
        for key in ids.values():
            _, _, body = await other.ask("GET", f"/visitor/files/{key}")
            assert MARK not in str(body), key
        assert asked > 500
        assert rows_of(desk.database, ids) == before


def payloads_of(command: Command, ids: Ids) -> list[Payload]:
    """What a client may send with her ids: all at once, and each that may be left out by itself.

    Else the first id that is refused would hide what the others open.
    """
    values: dict[str, Any] = {  # Any: JSON values
        **ids,
        "client_id": "x1", "body": "mine now", "score": 1, "purposes": {"service": True},
        "text_version": "1", "language": "en", "url": "https://a.example/", "term": "lamp",
        "token": "c1", "currency": "CNY", "text": "where is my lamp", "helped": True,
        "wanted": "return", "typing": True,
        "lines": [{"line_no": 1, "quantity": 1, "reason": "broken"}],
        "until_ms": 4_000_000_000_000, "focused_ms": 1000, "status": "online", "kind": "email",
        "order_number": f"{MARK}-1", "postcode": "1000", "code": "123456", "why": "",
        "suggestion_id": ids["message_id"], "article_id": ids["message_id"],
        "other_id": ids["customer_id"], "link_id": ids["customer_id"], "purpose": "service",
        "given": False, "viewing": True, "version": 0, "blocked": True, "type": "complaint",
        "subject": "mine", "visibility": "public", "add": ["mine"], "files": [ids["file_id"]],
        "before": ids["number"], "name": "mine", "query": MARK,
    }  # fmt: skip
    known = {name for name in command.payload.model_fields if name in ids or name.endswith("_id")}
    known |= {"files", "before", "query", "other_id"} & set(command.payload.model_fields)
    if not known - {"client_id", "agent_id"}:
        return []
    needed = {name for name, field in command.payload.model_fields.items() if field.is_required()}
    needed |= {"body"} & set(command.payload.model_fields)
    every = [needed | known, needed, *(needed | {one} for one in sorted(known - needed))]
    return [
        parse(command.payload, {name: values.get(name, ids["agent_id"]) for name in names})
        for names in sorted({tuple(sorted(names)) for names in every})
    ]


async def run(desk: Desk, command: Command, actor: Actor, payload: Payload) -> str:
    """The answer of a command, or why there is none."""
    database = desk.database
    try:
        if command.action is not None:
            action = command.action
            return repr(await database.write(lambda tx: action(tx, actor, payload)))
        if command.query is not None:
            query, at_ms = command.query, database.clock()
            return repr(await database.read(lambda c: query(Look(c, actor, at_ms), payload)))
        if command.search is not None:
            found = await command.search(desk.app[keys.KNOWLEDGE], database, actor, payload)
            return repr(found)
    except AppError as error:
        return error.code
    return ""


async def test_no_command_gives_or_changes_what_is_another_s(desk: Desk, stranger: str) -> None:
    async with aiohttp.ClientSession() as session:
        ids = await hers(desk, session)
        other = Shopper(desk, session)
        actors = {"/visitor": customer(other.id), "/agent": _actor(desk, stranger)}
        before = rows_of(desk.database, ids)
        tried = 0
        for namespace, rows in COMMANDS.items():
            for command in rows.values():
                if command.signal is not None:
                    # Signals are for whom ``realtime.rooms`` lets in: tests/realtime.
                    continue
                for payload in payloads_of(command, ids):
                    told = await run(desk, command, actors[namespace], payload)
                    tried += 1
                    assert MARK not in told, (namespace, command.name, payload)
                    after = rows_of(desk.database, ids)
                    # What somebody claims of an order is kept, and found, as their own words.
                    for table in CLAIMS:
                        after[table] = [row for row in after[table] if row in before[table]]
                    assert after == before, (command.name, payload, told)
        assert tried > 70
