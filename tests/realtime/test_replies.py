"""Canned replies on a slash: which are found, and what is filled in."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from server.actions.articles import NewArticle, Said, create_article
from server.actions.take_orders import take_orders
from server.domain.actors import agent as agent_actor
from server.domain.shop_data import Line, Order
from server.storage.customers import change_customer
from server.storage.shop_sources import source_for_import
from tests.realtime.client import Client, People
from tests.realtime.desk import Desk
from tests.support.waiting import wait_until_async

Json = dict[str, Any]  # Any: JSON values
LEAD = agent_actor("lead", name="Ida", role="admin")


def put_reply(desk: Desk, shortcut: str | None, **texts: tuple[str, str]) -> str:
    """The id of a canned reply with a (title, body) for each language."""
    said = {locale: Said(title=title, body=body) for locale, (title, body) in texts.items()}
    new = NewArticle(kind="reply", shortcut=shortcut, texts=said)
    return str(desk.write(lambda tx: create_article(tx, LEAD, new))["article_id"])


async def shortcuts(agent: Client, conversation_id: str, text: str) -> list[str | None]:
    """The shortcuts of what is found, in its order."""
    answer = await agent.do("reply.find", conversation_id=conversation_id, text=text)
    return [item["shortcut"] for item in answer["items"]]


async def test_replies_are_found_by_shortcut_title_and_words(people: People) -> None:
    desk = people.desk
    put_reply(desk, "track", en=("Where it is", "Your parcel is on its way, here is its number."))
    put_reply(
        desk, "thanks", en=("Thank you", "Thanks for writing!"), zh=("道谢", "谢谢您的来信！")
    )
    put_reply(desk, "refund", en=("Refund started", "The money is back within five days."))
    agent, shopper = await people.agent("ana"), await people.shopper(locale="zh")
    talk = (await shopper.post("在吗"))["conversation_id"]
    assert await shortcuts(agent, talk, "") == ["refund", "thanks", "track"]
    assert await shortcuts(agent, talk, "t") == ["thanks", "track"]
    assert await shortcuts(agent, talk, "TRACK") == ["track"]
    assert await shortcuts(agent, talk, "trakc") == ["track"]
    assert await shortcuts(agent, talk, "star") == ["refund"]
    assert await shortcuts(agent, talk, "道谢") == ["thanks"]

    async def by_words() -> bool:
        return await shortcuts(agent, talk, "number of my parcel") == ["track"]

    await wait_until_async(by_words, what="the words to be searched")
    found = await agent.do("reply.find", conversation_id=talk, text="thanks")
    assert [item["body"] for item in found["items"]] == ["谢谢您的来信！"]
    tom = await people.agent("tom")
    await agent.do("conversation.transfer", conversation_id=talk, team_id=desk.teams["north"])
    assert await tom.refused("reply.find", conversation_id=talk) == "not_found"


async def test_what_is_known_is_filled_in_and_the_rest_stays(people: People) -> None:
    desk = people.desk
    body = "Hi {customer.name}, {order.number} ({order.total}): {order.tracking}. {agent.name}"
    put_reply(desk, "parcel", en=("Parcel", body))
    agent, shopper = await people.agent("ana"), await people.shopper(locale="en")
    talk = (await shopper.post("where is my parcel"))["conversation_id"]

    async def filled() -> str:
        answer = await agent.do("reply.find", conversation_id=talk, text="parcel")
        return str(answer["items"][0]["body"])

    name = agent.welcome["agent"]["name"]
    assert await filled() == body.replace("{agent.name}", name)

    customer_id = shopper.welcome["customer_id"]
    order = Order(
        external_id="o1",
        number="20871",
        created_at_ms=1_795_000_000_000,
        currency="EUR",
        total_minor=4_990,
        customer="c-7",
        tracking_number="DHL 7",
        lines=(Line(title="Lamp", quantity=1, price_minor=4_990),),
    )

    desk.write(lambda tx: change_customer(tx, customer_id, name="Sophie", external_id="c-7"))
    desk.write(lambda tx: take_orders(tx, source_for_import(tx, None), [order], imported=False))
    says = f"Hi Sophie, 20871 (€49.90): DHL 7. {name}"
    assert await filled() == says

    async def offered_filled() -> bool:
        offers = await agent.do("suggestion.ask", conversation_id=talk, text="parcel")
        return says in [item["body"] for item in offers["items"] if item["kind"] == "reply"]

    await wait_until_async(offered_filled, what="the filled reply to be offered")
