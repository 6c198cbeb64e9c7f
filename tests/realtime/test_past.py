"""What was solved before, and what raises an answer: told to those who may see it."""

from __future__ import annotations

from tests.realtime.client import People
from tests.support.articles import put_article
from tests.support.waiting import wait_until_async


async def test_what_was_solved_before_is_found_by_those_who_may_see_it(people: People) -> None:
    ana, tom = await people.agent("ana"), await people.agent("tom")
    first = await people.shopper(locale="en")
    solved = await first.post("my walnut lamp flickers, order 20260714-0093, a@b.example")
    old = {"conversation_id": solved["conversation_id"]}
    await ana.do("conversation.claim", **old)
    await ana.do("message.post", **old, client_id="1", body="Hello!")
    await ana.do(
        "message.post", **old, client_id="2", body="Turn the dimmer down; call 0171-5551234."
    )
    await ana.do("conversation.resolve", **old)
    unanswered = await (await people.shopper()).post("my walnut lamp flickers badly")
    await ana.do("conversation.resolve", conversation_id=unanswered["conversation_id"])

    second = await people.shopper(locale="en")
    posted = await second.post("the walnut lamp flickers, what can I do")
    here = {"conversation_id": posted["conversation_id"]}
    (item,) = (await ana.do("conversation.similar", **here))["items"]
    assert item["conversation_id"] == old["conversation_id"]
    assert "flickers" in item["question"]
    assert "0093" not in item["question"]
    assert "a@b" not in item["question"]
    assert item["answer"].startswith("Turn the dimmer down; call")
    assert "5551234" not in item["answer"]
    assert item["by"] is not None
    # A team's conversations are nobody else's.
    await ana.do("conversation.reopen", **old)
    await ana.do("conversation.transfer", **old, team_id=people.desk.teams["north"])
    assert (await ana.do("conversation.similar", **here))["items"] == []  # not done any more
    await ana.do("conversation.resolve", **old)
    assert len((await ana.do("conversation.similar", **here))["items"]) == 1
    assert (await tom.do("conversation.similar", **here))["items"] == []
    assert await tom.refused("conversation.similar", conversation_id="nothing") == "not_found"


async def test_the_page_before_a_shopper_raises_what_is_about_it(people: People) -> None:
    late = put_article(people.desk, "My parcel is late, what now?", name="late")
    card = put_article(people.desk, "My voucher is late, what now?", name="card")
    agent, shopper = await people.agent("ana"), await people.shopper(locale="en")
    posted = await shopper.post("it is late, what now?")
    here = {"conversation_id": posted["conversation_id"]}

    async def told(expected: dict[str, dict[str, str] | None]) -> bool:
        found = await agent.do("suggestion.ask", **here)
        raised = {item["article_id"]: item["raised"] for item in found["items"]}
        # Whatever else the desk has articles about.
        return {key: raised.get(key, "nothing") for key in expected} == expected

    await wait_until_async(lambda: told({late: None, card: None}), what="both to be offered")
    said = {"purposes": {"analytics": True}, "text_version": "1", "language": "en"}
    await shopper.do("consent.set", **said)
    await shopper.do("page.view", url="https://shop.example/tracking", title="Track your parcel")
    by_page = {"by": "page", "page": "Track your parcel"}
    await wait_until_async(lambda: told({late: by_page, card: None}), what="the page to raise it")


async def test_what_was_read_in_vain_is_told_once_the_question_was_sent(people: People) -> None:
    article = put_article(people.desk, "Can I pay later?", name="pay")
    agent, shopper = await people.agent("ana"), await people.shopper(locale="en")

    async def find() -> dict[str, str]:
        found: dict[str, str] = {}

        async def is_found() -> bool:
            nonlocal found
            answer = await shopper.do("answer.find", text="can i pay later", locale="en")
            found = {"suggestion_id": answer["suggestion_id"], "article_id": article}
            return bool(answer["items"])

        await wait_until_async(is_found, what="the article to be found")
        return found

    read = await find()
    await shopper.do("answer.judge", **read, helped=False)
    posted = await shopper.post("can i pay later")
    here = {"conversation_id": posted["conversation_id"]}
    (item,) = (await agent.do("answer.tried", **here))["items"]
    assert (item["article_id"], item["title"]) == (article, "Can I pay later?")
    # What helped, and what somebody else read, is not in it.
    helped = await find()
    await shopper.do("answer.judge", **helped, helped=True)
    other = await people.shopper()
    elsewhere = await other.post("hello")
    assert len((await agent.do("answer.tried", **here))["items"]) == 1
    there = {"conversation_id": elsewhere["conversation_id"]}
    assert (await agent.do("answer.tried", **there))["items"] == []
