"""Tickets of the demo shop: what shoppers have left, and what became of it, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from server.actions import targets, tickets
from server.actions.tickets import ChangeTicket, ReplyTicket, SubmitRequest
from server.demo.people import demo_customers
from server.domain.actors import Actor, customer
from server.domain.errors import NotFound
from server.storage import people
from server.storage.customers import customer_by_external_id
from server.storage.database import Database
from server.storage.unit import Tx


@dataclass(frozen=True, slots=True)
class Wish:
    """What a shopper left, by number among those of one language; what was answered, and then.

    ``state`` is how it stands in the end, with its ``reason`` where one is needed.
    """

    locale: str
    shopper: int
    type: str
    subject: str
    body: str
    answer: str | None = None
    state: str | None = None
    fields: Mapping[str, str | int | None] = field(default_factory=dict)
    priority: str | None = None


WISHES = (
    Wish(
        "en",
        3,
        "delivery",
        "Parcel says delivered, nothing here",
        "The tracking says it was delivered on Tuesday, but nobody rang and there is no parcel.",
        fields={"problem": "not_received"},
    ),
    Wish(
        "zh",
        2,
        "return",
        "餐椅颜色不合适，想退货",
        "收到的餐椅颜色比图片深，和家里不搭，没有使用过，想退货。",
        "可以退的，我已经为您登记，退货地址和快递单会发给您。请问方便哪天上门取件？",
        "pending_customer",
    ),
    Wish(
        "en",
        7,
        "defect",
        "Walnut lamp flickers",
        "Since yesterday my walnut lamp flickers on the lowest step. I tried two bulbs.",
        "I am sorry. Could you tell me the batch on the sticker below the foot?",
        "pending_customer",
        {"sku": "LMP-207", "defect": "does_not_work"},
    ),
    Wish(
        "zh",
        5,
        "complaint",
        "客服两次答应回电都没有打来",
        "已经两次说会回电，一直没有人联系我，很失望。",
        priority="urgent",
    ),
    Wish(
        "en",
        11,
        "price",
        "Forty stools for a café",
        "We open a café in March and need forty oak stools. What would they cost, with delivery?",
    ),
    Wish(
        "zh",
        9,
        "refund",
        "重复付款，请退一笔",
        "网络卡了一下，付了两次，请退掉一笔。",
        "已核实并提交退款，原路退回，1–3 个工作日到账。",
        "resolved",
    ),
    Wish(
        "en",
        15,
        "question",
        "Oil for the table",
        "Which oil should I use for the oak table, and how often?",
        "A hard wax oil twice a year; wipe off what is left after ten minutes.",
        "resolved",
    ),
    Wish(
        "zh",
        12,
        "exchange",
        "灯罩有划痕，想换一个",
        "灯罩上有一道划痕，照片已经拍好，希望换一个新的。",
        "已联系仓库备货，新灯罩预计三天内寄出。",
        "on_hold",
    ),
)


def write_wishes(database: Database, *, answered_by: str) -> None:
    """Makes the tickets; the person with the e-mail ``answered_by`` has answered some."""
    found = database.read_now(lambda c: people.credentials(c, answered_by))
    person = database.read_now(lambda c: people.load_person(c, found.agent_id)) if found else None
    if person is None:
        raise NotFound(f"{answered_by} is not there.")
    for wish in WISHES:
        ticket_id = database.write_now(partial(_leave, wish))
        database.write_now(partial(_sort, wish, ticket_id, person.actor))
        if wish.answer is not None:
            database.write_now(partial(_answer, wish, ticket_id, person.actor))
        # The server looks at what happens once it runs; these were there before.
        database.write_now(partial(targets.look, conversation_id=ticket_id))


def _leave(wish: Wish, tx: Tx) -> str:
    named = [one for one in demo_customers() if one.name and one.locale == wish.locale]
    shopper = customer_by_external_id(tx.connection, named[wish.shopper].customer_id)
    if shopper is None:
        raise NotFound("A shopper of the demo is not there.")
    asked = SubmitRequest(body=wish.body, subject=wish.subject)
    actor = customer(shopper.id, name=shopper.name)
    return tickets.take_request(tx, actor, asked, source="offline").id


def _sort(wish: Wish, ticket_id: str, agent: Actor, tx: Tx) -> None:
    change = ChangeTicket(
        ticket_id=ticket_id,
        type=wish.type,
        fields=dict(wish.fields) or None,
        priority=wish.priority,  # type: ignore[arg-type]  # a row of WISHES
    )
    tickets.change(tx, agent, change)


def _answer(wish: Wish, ticket_id: str, agent: Actor, tx: Tx) -> None:
    reply = ReplyTicket(
        ticket_id=ticket_id,
        client_id=f"demo-{ticket_id}",
        body=wish.answer or "",
        state=wish.state,  # type: ignore[arg-type]  # a row of WISHES
    )
    tickets.reply(tx, agent, reply)
