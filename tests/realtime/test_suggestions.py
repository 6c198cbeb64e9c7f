"""What an agent is offered while a customer asks, and what becomes of it."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from server.storage.articles import phrasings_of
from tests.realtime.client import Client, People
from tests.realtime.desk import Desk
from tests.support.articles import put_article
from tests.support.waiting import wait_until_async

Json = dict[str, Any]  # Any: JSON values


async def offered(agent: Client, conversation_id: str, title: str) -> Json:
    """The answer of ``suggestion.ask`` once an article is the first of what is offered."""
    answer: Json = {}

    async def is_first() -> bool:
        nonlocal answer
        answer = await agent.do("suggestion.ask", conversation_id=conversation_id)
        return [item["title"] for item in answer["items"]][:1] == [title]

    await wait_until_async(is_first, what=f"{title!r} to be offered")
    return answer


async def test_the_question_of_a_customer_finds_its_article_in_both_languages(
    people: People,
) -> None:
    returns = put_article(people.desk, "How do I return an item?", name="returns", body="By post.")
    put_article(people.desk, "怎么退货？", name="returns", locale="zh", body="邮寄回来。")
    agent = await people.agent("ana")
    for locale, asked, title in (
        (
            "en",
            "hi! can i return the lamp i bought, order 20260714-0093?",
            "How do I return an item?",
        ),
        ("zh", "你好，我买的台灯可以退货吗", "怎么退货？"),
    ):
        shopper = await people.shopper(locale=locale)
        posted = await shopper.post(asked)
        answer = await offered(agent, posted["conversation_id"], title)
        assert answer["items"][0]["article_id"] == returns
        assert answer["items"][0]["locale"] == locale
        assert len(answer["items"]) == len({item["article_id"] for item in answer["items"]})
        again = await agent.do("suggestion.ask", conversation_id=posted["conversation_id"])
        assert again["suggestion_id"] == answer["suggestion_id"]


async def test_an_edit_is_found_by_a_desk_that_serves(people: People) -> None:
    put_article(people.desk, "Do you ship to Iceland?", name="iceland")
    agent, shopper = await people.agent("ana"), await people.shopper()
    posted = await shopper.post("do you ship to greenland")
    here = {"conversation_id": posted["conversation_id"]}
    await offered(agent, here["conversation_id"], "Do you ship to Iceland?")
    before = (await agent.do("suggestion.ask", **here))["kb_seq"]
    put_article(people.desk, "Do you ship to Greenland?", name="iceland")

    async def is_newer() -> bool:
        answer = await agent.do("suggestion.ask", **here)
        return bool(answer["kb_seq"] > before)

    await wait_until_async(is_newer, what="the edit")
    answer = await agent.do("suggestion.ask", **here)
    assert answer["items"][0]["title"] == "Do you ship to Greenland?"
    assert answer["band"] == "answer"


async def test_words_become_a_way_to_ask_once_two_agents_agree(people: People) -> None:
    desk = people.desk
    article = put_article(desk, "Is there a warranty?", name="warranty", body="Two years.")
    for number, name in enumerate(("ana", "ida")):
        agent, shopper = await people.agent(name), await people.shopper(locale="en")
        posted = await shopper.post("is there warranty if it breaks, I am a@b.example")
        answer = await offered(agent, posted["conversation_id"], "Is there a warranty?")
        chosen = {"suggestion_id": answer["suggestion_id"], "article_id": article}
        for _ in range(2):
            await agent.do("suggestion.accept", **chosen)
        (learnt,) = learnt_of(desk, article)
        assert "a@b" not in learnt.text
        assert (learnt.state, learnt.uses) == (("pending", 1), ("active", 2))[number]


async def test_nothing_is_offered_in_a_conversation_that_the_agent_may_not_see(
    people: People,
) -> None:
    put_article(people.desk, "Is it in stock?", name="stock")
    ana, tom, shopper = await people.agent("ana"), await people.agent("tom"), await people.shopper()
    posted = await shopper.post("is it in stock")
    here = {"conversation_id": posted["conversation_id"]}
    answer = await offered(ana, here["conversation_id"], "Is it in stock?")
    await ana.do("conversation.transfer", **here, team_id=people.desk.teams["north"])
    assert await tom.refused("suggestion.ask", **here) == "not_found"
    chosen = {"suggestion_id": answer["suggestion_id"]}
    assert await tom.refused("suggestion.accept", **chosen, article_id="x") == "not_found"
    assert await tom.refused("suggestion.dismiss", **chosen) == "not_found"


def learnt_of(desk: Desk, article_id: str) -> list[Any]:  # Any: phrasings
    """The ways to ask for an article that were learnt."""
    found = desk.write(lambda tx: phrasings_of(tx.connection, [article_id]))
    return [phrasing for of_locale in found.values() for phrasing in of_locale]
