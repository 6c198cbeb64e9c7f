"""A desk with two teams, shoppers and what they wrote, and values with which each row works."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any  # Any: JSON

from server.actions import (
    conversations,
    messages,
    ratings,
    rule_calls,
    ticket_merge,
    ticket_parts,
    tickets,
    visitors,
    webhooks,
)
from server.actions.import_articles import take_articles
from server.actions.payload import ConversationRef, parse
from server.actions.people import add_person, add_team, create_token
from server.actions.saved_segments import SaveSegment
from server.actions.saved_segments import save as save_segment
from server.actions.take_orders import take_orders
from server.domain.actors import Actor, customer
from server.domain.imported import ArticleRow
from server.domain.shop_data import Line, Order
from server.http.api.rows import Row
from server.http.api.table import RULE_PLAN
from server.storage.articles import articles_by_name, load_article
from server.storage.orders import stored_orders
from server.storage.people import load_person
from server.storage.secrets import token_hash
from server.storage.shop import load_shop
from server.storage.shop_sources import source_for_import
from server.storage.tickets import id_of_number, messages_between
from server.storage.unit import Tx
from tests.http.desk import Desk

_NUMBERS = itertools.count(1)


@dataclass(slots=True)
class Stage:
    """Ids by name: ``orders`` and ``returns`` are conversations of those teams."""

    desk: Desk
    ids: dict[str, str] = field(default_factory=dict)
    shoppers: dict[str, Actor] = field(default_factory=dict)

    def actor(self, name: str) -> Actor:
        """A person of the desk as the database knows them."""
        found = self.desk.database.read_now(lambda c: load_person(c, self.desk.people[name]))
        assert found is not None
        return found.actor

    async def do(self, action: Callable[..., Any], actor: Actor, payload: Any) -> Any:  # Any: JSON
        """The action's answer."""
        return await self.desk.database.write(lambda tx: action(tx, actor, payload))

    async def act(self, name: str, who: str, conversation: str) -> None:
        """Something a person does to a conversation as a whole."""
        payload = ConversationRef(conversation_id=self.ids[conversation])
        await self.do(getattr(conversations, name), self.actor(who), payload)

    async def write(self, actor: Actor, body: str, **more: Any) -> str:  # Any: fields
        """The id of the conversation in which a message was written."""
        payload = messages.PostMessage(client_id=f"s{next(_NUMBERS)}", body=body, **more)
        return str((await self.do(messages.post_message, actor, payload))["conversation_id"])

    async def shopper(self, name: str) -> Actor:
        """A new shopper of that name."""
        shop = self.desk.database.read_now(load_shop)
        assert shop is not None
        connect = visitors.Connect(site=shop.site_key)
        answer = await self.desk.database.write(lambda tx: visitors.connect(tx, connect))
        actor = customer(answer["customer_id"])
        await self.do(
            visitors.describe,
            actor,
            visitors.Describe(name=name.title(), email=f"{name}@example.com"),
        )
        self.shoppers[name], self.ids[name] = actor, str(answer["customer_id"])
        return actor

    async def chat(self, conversation: str, shopper: str, team: str | None = None) -> str:
        """A conversation of a new shopper, in a team's queue if one is named."""
        actor = self.shoppers.get(shopper) or await self.shopper(shopper)
        self.ids[conversation] = await self.write(actor, f"Hello, {conversation}? 你好 🙂")
        if team is not None:
            transfer = conversations.Transfer(
                conversation_id=self.ids[conversation], team_id=self.ids[team]
            )
            await self.do(conversations.transfer, self.actor("admin"), transfer)
        return self.ids[conversation]

    async def ticket(self, shopper: str) -> str:
        """The id of a ticket that a new shopper asked for."""
        actor = self.shoppers.get(shopper) or await self.shopper(shopper)
        asked = tickets.SubmitRequest(body="The lamp broke")
        number = (await self.do(tickets.submit, actor, asked))["ticket_number"]
        found = self.desk.database.read_now(lambda c: id_of_number(c, number))
        assert found is not None
        return found


async def set_stage(desk: Desk) -> Stage:
    """Two teams with an agent each, four conversations, one of them rated, one spam."""
    stage = Stage(desk)
    stage.ids["north"] = desk.people["team"]
    stage.ids["south"] = await desk.write(add_team, name="Returns")
    desk.people["other"] = await desk.write(
        add_person,
        email="other@shop.example",
        name="Other Young",
        role="agent",
        password_hash=None,
        team_ids=[stage.ids["south"]],
    )
    await stage.chat("orders", "ann", "north")
    await stage.chat("returns", "bob", "south")
    await stage.chat("free", "cyd")
    await stage.chat("rated", "dan", "north")
    await stage.write(
        stage.actor("agent"),
        "See here",
        conversation_id=stage.ids["rated"],
        blocks=[
            {"type": "link", "url": "https://shop.example/a", "title": "A"},
            {"type": "product", "title": "Lamp", "price_minor": 1900, "currency": "EUR"},
        ],
    )
    await stage.write(
        stage.actor("agent"), "A note", conversation_id=stage.ids["rated"], visibility="private"
    )
    await stage.act("resolve", "agent", "rated")
    rating = ratings.GiveRating(conversation_id=stage.ids["rated"], score=5, comment="Quick!")
    await stage.do(ratings.give_rating, stage.shoppers["dan"], rating)
    await stage.chat("spam", "eve")
    await stage.act("mark_spam", "admin", "spam")
    article = ArticleRow(
        line=1,
        source="articles",
        external_id="a1",
        title="Returns",
        body="Within **30 days**.",
        locale="en",
        audience="public",
        category=None,
        phrasings=("How do I return?",),
    )
    await desk.database.write(lambda tx: take_articles(tx, [article]))
    [stage.ids["article"]] = desk.database.read_now(
        lambda c: [a.id for a in articles_by_name(c, [("articles", "a1")]).values()]
    )
    stage.ids["order"] = await desk.database.write(_order)
    segment = SaveSegment(name="All", condition={"field": "known", "is": True}, shared=True)
    saved = await stage.do(save_segment, stage.actor("admin"), segment)
    stage.ids["segment"] = saved["segment_id"]
    return stage


def _order(tx: Tx) -> str:
    """An order of the shop's customer 7, who has never written."""
    order = Order(
        external_id="1001",
        number="1001",
        customer="7",
        created_at_ms=tx.at_ms - 1000,
        paid_at_ms=tx.at_ms - 1000,
        currency="EUR",
        total_minor=4200,
        lines=(Line(title="Lamp", quantity=2, price_minor=2100, sku="LAMP"),),
    )
    take_orders(tx, source_for_import(tx, None), [order], imported=False)
    return str(stored_orders(tx.connection, "shop", ["1001"])["1001"]["id"])


async def _webhook_values(stage: Stage, row: Row) -> dict[str, object]:
    """Ids of a receiver, and of a delivery to it, of this call's own."""
    if not row.variables:
        return {}
    admin = stage.actor("admin")
    made = await stage.do(
        webhooks.create_webhook, admin, webhooks.CreateWebhook(url="https://hooks.example.com/in")
    )
    ref = webhooks.WebhookRef(webhook_id=made["webhook"]["id"])
    sent = await stage.do(webhooks.send_test, admin, ref)
    known = {"webhook_id": ref.webhook_id, "delivery_id": sent["delivery_id"]}
    return {name: known[name] for name in row.variables}


async def _ticket_values(stage: Stage, row: Row) -> dict[str, object]:
    """Ids of a ticket of this call's own, and of what belongs to it."""
    if not row.variables:
        return {}
    admin, name = stage.actor("admin"), f"asks{next(_NUMBERS)}"
    values: dict[str, object] = {"ticket_id": await stage.ticket(name)}
    ticket_id = str(values["ticket_id"])
    match row.name:
        case "tickets.reply":
            values["client_id"] = f"reply{next(_NUMBERS)}"
        case "tickets.merge":
            values["into"] = await stage.ticket(name)
        case "tickets.unmerge":
            other = await stage.ticket(name)
            joined = ticket_merge.MergeTicket(ticket_id=ticket_id, into=other)
            await stage.do(ticket_merge.merge, admin, joined)
        case "tickets.split":
            thread = stage.desk.database.read_now(
                lambda c: messages_between(c, ticket_id, 0, 2**53)
            )
            values["message_id"] = thread[0].id
        case "tickets.link":
            values["target"] = await stage.ticket(name)
        case "tickets.change_task":
            task = ticket_parts.AddTask(
                ticket_id=ticket_id, title="Look", team_id=stage.ids["south"]
            )
            values["task_id"] = (await stage.do(ticket_parts.add_task, admin, task))["task_id"]
    return values


async def _rule_values(stage: Stage, row: Row) -> dict[str, object]:
    """The id of a rule of this call's own."""
    if not row.variables:
        return {}
    made = await stage.do(
        rule_calls.create_rule, stage.actor("admin"), parse(rule_calls.CreateRule, RULE_PLAN)
    )
    return {"rule_id": made["rule_id"]}


async def values_of(stage: Stage, row: Row) -> dict[str, object]:
    """The row's example with values of this desk, with which it works for an admin."""
    ids = stage.ids
    if "conversation_id" in row.variables:
        await stage.chat("orders", f"shopper{next(_NUMBERS)}", "north")
    known = {
        "conversation_id": ids["orders"],
        "customer_id": ids["ann"],
        "order_id": ids["order"],
        "source": None,
        "agent_id": stage.desk.people["agent"],
        "team_id": ids["south"],
        "article_id": ids["article"],
        "segment_id": ids["segment"],
        "email": "ann@example.com",
    }
    values = {name: known.get(name, value) for name, value in row.example.items()}
    own = {
        "rules": _rule_values,
        "webhooks": _webhook_values,
        "tickets": _ticket_values,
    }.get(row.noun)
    values |= await own(stage, row) if own else {}
    match row.name:
        case "conversations.reopen" | "conversations.turns" | "messages.list":
            values["conversation_id"] = ids["rated"]
        case "conversations.start" | "customers.note":
            values["customer_id"] = (await stage.shopper(f"new{next(_NUMBERS)}")).id
            if "client_id" in values:
                values["client_id"] = f"start{next(_NUMBERS)}"
        case "articles.update":
            article = stage.desk.database.read_now(lambda c: load_article(c, ids["article"]))
            assert article is not None
            values["version"] = article.version
        case "conversations.snooze":
            values["until_ms"] = stage.desk.database.clock() + 60_000
        case "events.list":
            values = {"limit": 200}
        case "tokens.revoke":
            token = await stage.desk.write(create_token, name="gone", role="agent")
            values["token_id"] = token_hash(token)[:16]
    return values
