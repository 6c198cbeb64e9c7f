"""What the sockets answer and tell is what their description says, in a real journey."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any  # Any: JSON

import jsonschema
import pytest
import pytest_asyncio
from pydantic import TypeAdapter

from server.actions.take_orders import take_orders
from server.domain.actors import SYSTEM
from server.domain.shop_data import Line, Order
from server.http.api.asyncapi import asyncapi
from server.http.api.sockets import ANSWERS, SIGNALS
from server.realtime.wire import COMMANDS
from server.storage.event_shapes import shopper_events
from server.storage.shop_sources import source_for_import
from tests.realtime.client import Client, People, Refused
from tests.realtime.desk import UNLIMITED, Desk, make_desk
from tests.realtime.test_identity import identity
from tests.realtime.test_suggestions import offered
from tests.support.articles import put_article
from tests.support.ports import free_port

Json = dict[str, Any]  # Any: JSON
DOCUMENT = asyncapi(
    {space: {n: c.payload for n, c in rows.items()} for space, rows in COMMANDS.items()}
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A served shop that mails, though nobody takes it."""
    smtp = {"SHOPBELL_SMTP_URL": f"smtp://127.0.0.1:{free_port()}"}
    env = UNLIMITED | smtp | {"SHOPBELL_MAIL_ADDRESS": "desk@shop.example"}
    desk = make_desk(tmp_path_factory.mktemp("sockets") / "data", None, env=env)
    desk.server.start()
    yield desk
    desk.server.kill()


@pytest_asyncio.fixture
async def people(desk: Desk) -> AsyncIterator[People]:
    """Opens clients of the shop."""
    opened = People(desk)
    yield opened
    await opened.close()


def _check(payload: Json, value: object) -> None:
    schema = payload | {"components": DOCUMENT["components"]}
    jsonschema.validate(value, schema, jsonschema.Draft202012Validator)


def _message(space: str, name: str) -> Json:
    found: Json = DOCUMENT["channels"][space.strip("/")]["messages"][name]["payload"]
    return found


def _key(name: str) -> str:
    return "".join(part.title() for part in name.replace(".", "_").split("_"))


async def _answer(client: Client, name: str, /, **payload: Any) -> Json:
    """The answer of a command, held against the document and its class."""
    answer = await client.ask(name, payload)
    assert answer["ok"] is True, (name, answer)
    _check(_message(client.namespace, f"{_key(name)}Answer"), answer)
    rest = {key: value for key, value in answer.items() if key != "ok"}
    TypeAdapter(ANSWERS[client.namespace, name]).validate_python(rest, extra="forbid")
    asked.add((client.namespace, name))
    for event in rest.get("events", ()):
        _check_told(client.namespace, "event", event)
    return answer


def _check_told(space: str, name: str, value: Json) -> None:
    """Holds what a client heard against the document."""
    if name in ("event", "signal"):
        _check(_message(space, f"{name}{_key(value['kind'])}"), value)
        told.add((space, name, value["kind"]))
    else:
        _check(_message(space, name), value)


asked: set[tuple[str, str]] = set()
told: set[tuple[str, str, str]] = set()


async def test_a_journey_through_every_command_is_as_described(people: People) -> None:
    agent, lead = await people.agent("mei"), await people.agent("ana")
    await _answer(agent, "presence.set", status="busy", capacity=5)
    shopper = await people.shopper(locale="en")
    await _answer(shopper, "customer.describe", name="Ann", email="ann@example.com")
    card = {"type": "product", "title": "Lamp", "price_minor": 1900, "currency": "EUR"}
    first = await _answer(shopper, "message.post", client_id="1", body="Hello?", blocks=[card])
    here = {"conversation_id": first["conversation_id"]}
    await _answer(shopper, "typing.set", **here, typing=True)
    agreed = {"purposes": {"analytics": True}, "text_version": "1", "language": "en"}
    await _answer(shopper, "page.search", term="lamp")
    await _answer(shopper, "consent.set", **agreed)
    await _answer(shopper, "page.view", url="https://shop.example/p/1", title="Lamp")
    await _answer(shopper, "page.search", term="lamp")
    lamp = {"sku": "L-1", "title": "Lamp", "quantity": 1, "price": "19.00"}
    await _answer(shopper, "cart.update", token="c", currency="EUR", total="19.00", lines=[lamp])
    await _answer(shopper, "checkout.start", token="c")
    await _answer(agent, "desk.load")
    await _answer(agent, "conversation.open", **here)
    await _answer(agent, "viewing.set", **here, viewing=True)
    await _answer(agent, "draft.set", **here, body="Per", visibility="public")
    await _answer(agent, "conversation.open", **here)
    await _answer(agent, "conversation.claim", **here)
    await _answer(agent, "typing.set", **here, typing=True)
    await _answer(agent, "message.post", client_id="2", body="Yes!", **here)
    await _answer(agent, "message.post", client_id="3", body="Note", visibility="private", **here)
    await _answer(agent, "message.mark_read", **here, message_id=first["message_id"])
    heard = await shopper.hears("Yes!")
    await _answer(shopper, "message.mark_read", **here, message_id=heard["id"])
    await _answer(agent, "conversation.tag", **here, add=["invoice"])
    await _answer(agent, "focus.record", **here, focused_ms=1000)
    await _answer(
        agent, "conversation.snooze", **here, until_ms=agent.welcome["server_at_ms"] + 10**8
    )
    article = put_article(people.desk, "Where is my invoice?")
    await _answer(shopper, "message.post", client_id="4", body="where is my invoice?", **here)
    await offered(agent, here["conversation_id"], "Where is my invoice?")
    offer = await _answer(agent, "suggestion.ask", **here)
    assert offer["items"][0]["article_id"] == article
    await _answer(agent, "reply.find", **here, text="invoice")
    await _answer(agent, "article.search", text="invoice")
    await _answer(agent, "conversation.similar", **here)
    chosen = {"suggestion_id": offer["suggestion_id"], "article_id": article}
    await _answer(agent, "suggestion.accept", **chosen)
    await _answer(agent, "suggestion.dismiss", **chosen)
    found = await _answer(shopper, "answer.find", text="where is my invoice?", locale="en")
    read = {"suggestion_id": found["suggestion_id"], "article_id": article}
    await _answer(shopper, "answer.judge", **read, helped=False, **here)
    assert (await _answer(agent, "answer.tried", **here))["items"]
    await _answer(agent, "turn.dismiss", **here, reason="courtesy")
    customer = {"customer_id": shopper.welcome["customer_id"]}
    await _answer(agent, "customer.update", **customer, phone="+49 1")
    shown = await _answer(agent, "contact.reveal", **customer, kind="phone")
    assert shown["value"] == "+49 1"
    wrong = await _answer(agent, "customer.verify", **customer, order_number="1", postcode="2")
    assert wrong["verified"] is False
    await _answer(agent, "customer.update", **customer, email="ana@buyer.example")
    sent = await _answer(agent, "customer.send_code", **customer)
    assert sent["shown"] == "a***@…"
    unsure = await _answer(agent, "customer.confirm_code", **customer, code="123456")
    assert unsure["verified"] is False
    other = await people.shopper()
    pair = {**customer, "other_id": other.welcome["customer_id"]}
    merged = await _answer(lead, "customer.merge", **pair, why="Called us")
    (link,) = merged["customer"]["merged"]
    await _answer(lead, "customer.unmerge", link_id=link["link_id"])
    await _answer(lead, "customer.keep_apart", **pair)
    await _answer(agent, "customer.card", **customer, **here)
    await _answer(agent, "customer.note", **customer, body="Rings twice", version=0)
    await _answer(agent, "customer.tag", **customer, add=["vip"])
    await _answer(agent, "customer.prefer", **customer, channel="chat")
    await _answer(agent, "customer.block", **customer, blocked=False)
    await _answer(agent, "customer.consent", **customer, purpose="profiling", given=False)
    await _answer(agent, "conversation.transfer", **here, agent_id=people.desk.people["ana"].id)
    await _answer(lead, "conversation.transfer", **here, team_id=people.desk.teams["north"])
    await _answer(lead, "conversation.claim", **here)
    await _answer(lead, "conversation.resolve", **here)
    await shopper.until(
        lambda: [e for e in shopper.events if e["kind"] == "rating.asked"], "the question"
    )
    await _answer(shopper, "rating.give", **here, score=4, comment="Good")
    await _answer(shopper, "rating.give", **here, score=5)
    await _answer(lead, "conversation.reopen", **here)
    await _answer(shopper, "conversation.end", **here)
    await _answer(lead, "conversation.spam", **here)
    await _answer(lead, "conversation.start", **customer, client_id="5", body="Your lamp is here")
    await _answer(lead, "conversation.list", view="all")
    asked_for = await _answer(shopper, "request.submit", body="It broke", subject="Lamp")
    opened = await _answer(lead, "ticket.open", ticket_id=asked_for["ticket_number"])
    ticket = {"ticket_id": opened["ticket"]["id"]}
    await _answer(lead, "ticket.reply", **ticket, client_id="6", body="Sorry", state="on_hold")
    await _answer(lead, "ticket.change", **ticket, priority="high", fields={})
    await _asks_back(people)
    mine = {"number": asked_for["ticket_number"]}
    await _answer(shopper, "request.form")
    assert (await _answer(shopper, "request.orders"))["orders"] == []
    (listed,) = (await _answer(shopper, "request.list", locale="zh"))["items"]
    assert (listed["number"], listed["unread"]) == (mine["number"], 1)
    assert [m["body"] for m in (await _answer(shopper, "request.open", **mine))["messages"]] == [
        "It broke",
        "Sorry",
    ]
    await _answer(shopper, "request.reply", **mine, client_id="7", body="Thanks")
    await _answer(shopper, "request.confirm", **mine)
    await _answer(shopper, "request.rate", **mine, score=5)
    await _answer(lead, "ticket.create", type="return", subject="Lamp", **customer)
    await _answer(lead, "ticket.list", query="lamp")
    await _answer(lead, "ticket.types")
    thread = {"conversation_id": ticket["ticket_id"], "after_seq": 0}
    await _answer(shopper, "conversation.catch_up", **thread)
    await _answer(lead, "conversation.catch_up", **thread)
    await _answer(lead, "conversation.catch_up", **here, after_seq=0)
    await _answer(shopper, "conversation.catch_up", **here, after_seq=0)
    assert asked == set(ANSWERS)
    await lead.until(
        lambda: [e for e in lead.events if e["data"].get("status") == "spam"], "the last event"
    )
    await lead.until(lambda: lead.signals("notices.changed"), "a notice of the answer")
    for client in (agent, lead, shopper):
        for name, value in client.heard:
            _check_told(client.namespace, name, value)
    kinds = {kind for space, name, kind in told if (space, name) == ("/visitor", "event")}
    assert kinds == set(shopper_events())
    assert {kind for _, name, kind in told if name == "signal"} == {
        kind for _, kind in SIGNALS if kind != "server.drain"
    }


async def _asks_back(people: People) -> None:
    """A shopper for whom the shop vouches asks for a lamp that they have ordered."""
    signed = await people.shopper(identity=identity(people.desk, "ann", 1))
    order = Order(
        external_id="W-1",
        number="W-1",
        created_at_ms=signed.welcome["server_at_ms"] - 10_000,
        currency="EUR",
        total_minor=1900,
        customer=f"ann-{people.desk.site}",
        lines=(Line(title="Lamp", quantity=1, price_minor=1900, sku="L-1"),),
    )
    people.desk.write(
        lambda tx: take_orders(tx, source_for_import(tx, None), [order], imported=True)
    )
    (own,) = (await _answer(signed, "request.orders"))["orders"]
    (line,) = own["lines"]
    picked = {"line_no": line["line_no"], "quantity": 1, "reason": own["reasons"][0]["id"]}
    asked_back = {"number": own["number"], "wanted": "cancel", "lines": [picked], "client_id": "1"}
    made = await _answer(signed, "request.ask_back", **asked_back)
    assert await _answer(signed, "request.ask_back", **asked_back) == made


async def test_a_token_without_the_scope_opens_no_socket(people: People) -> None:
    from server.actions.people import create_token

    staff = people.desk.people["mei"]
    for scopes, opens in ((["socket"], True), (["conversations:write"], False)):
        token = people.desk.write(
            lambda tx, s=scopes: create_token(  # type: ignore[misc]  # bound default
                tx, SYSTEM, name="x", agent_id=staff.id, scopes=s
            )
        )
        client = people.made("/agent", {"token": token})
        if opens:
            await client.connect()
            continue
        with pytest.raises(Refused) as refused:
            await client.connect()
        assert refused.value.code == "not_allowed"
