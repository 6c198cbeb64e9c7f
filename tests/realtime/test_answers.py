"""What shoppers find themselves, and what becomes of their question."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from sqlalchemy import text

from server.actions.answers import forget_old
from server.storage.conversations import turns_of
from server.storage.knowledge import Offer, add_offer, load_offer
from server.storage.unit import Tx
from tests.realtime.client import Client, People
from tests.realtime.desk import Desk
from tests.realtime.test_suggestions import learnt_of, offered
from tests.support.articles import put_article
from tests.support.waiting import wait_until_async

Json = dict[str, Any]  # Any: JSON values
BODY = "Yes, **within 30 days**.\n\n- Pack it\n- [Print the label](https://shop.example/label)"


async def found(shopper: Client, asked: str, title: str, **more: Any) -> Json:  # Any: JSON values
    """The answer of ``answer.find`` once an article is the first of what is found."""
    answer: Json = {}

    async def is_first() -> bool:
        nonlocal answer
        answer = await shopper.do("answer.find", text=asked, **more)
        return [item["title"] for item in answer["items"]][:1] == [title]

    await wait_until_async(is_first, what=f"{title!r} to be found")
    return answer


async def test_a_shopper_reads_what_is_public_in_their_language(people: People) -> None:
    desk = people.desk
    article = put_article(desk, "Can I return a lamp?", name="returns", body=BODY)
    put_article(desk, "台灯可以退货吗？", name="returns", locale="zh", body="可以，30 天内。")
    put_article(desk, "Can I return a lamp? Refuse!", name="secret", audience="internal")
    shopper = await people.shopper(locale="en")
    answer = await found(shopper, "can i return a lamp", "Can I return a lamp?")
    assert answer["band"] == "answer"
    item = answer["items"][0]
    assert item["article_id"] == article
    assert item["address"] == f"/help/{article}/can-i-return-a-lamp?lang=en"
    assert item["summary"] == "Yes, within 30 days. Pack it Print the label"
    assert item["blocks"] == [
        {
            "type": "paragraph",
            "words": [{"text": "Yes, "}, {"text": "within 30 days", "bold": True}, {"text": "."}],
        },
        {
            "type": "list",
            "ordered": False,
            "items": [
                [{"text": "Pack it"}],
                [{"text": "Print the label", "href": "https://shop.example/label"}],
            ],
        },
    ]
    assert "Refuse" not in str(answer)
    chinese = await found(shopper, "台灯可以退货吗", "台灯可以退货吗？", locale="en")
    assert chinese["items"][0]["locale"] == "zh"
    assert (await shopper.do("answer.find", text=" "))["suggestion_id"] is None


async def test_a_question_that_grows_is_one_offer_without_the_shoppers_details(
    people: People,
) -> None:
    put_article(people.desk, "Do you wrap gifts?", name="gifts")
    shopper, other = await people.shopper(), await people.shopper()
    first = await found(shopper, "do you wrap", "Do you wrap gifts?")
    same = {"suggestion_id": first["suggestion_id"]}
    again = await shopper.do("answer.find", text="do you wrap gifts, i am a@b.example", **same)
    assert again["suggestion_id"] == first["suggestion_id"]
    # Somebody else's number is no way to what they asked.
    stolen = await other.do("answer.find", text="do you wrap gifts", **same)
    assert stolen["suggestion_id"] != first["suggestion_id"]
    offer = people.desk.write(lambda tx: load_offer(tx.connection, first["suggestion_id"]))
    assert offer is not None
    assert offer.origin == "shopper"
    assert offer.customer_id == shopper.welcome["customer_id"]
    assert offer.query.startswith("do you wrap gifts")
    assert "a@b" not in offer.query


async def test_what_helped_before_a_message_is_counted_and_starts_nothing(people: People) -> None:
    article = put_article(people.desk, "Is the oak oiled?", name="oak")
    shopper, other = await people.shopper(), await people.shopper()
    answer = await found(shopper, "is the oak oiled", "Is the oak oiled?")
    said = {"suggestion_id": answer["suggestion_id"], "article_id": article}
    assert await other.refused("answer.judge", **said, helped=True) == "not_found"
    assert await shopper.refused("answer.judge", **said | {"article_id": "x"}, helped=True)
    for _ in range(2):
        assert await shopper.do("answer.judge", **said, helped=True)
    offer = people.desk.write(lambda tx: load_offer(tx.connection, said["suggestion_id"]))
    assert offer is not None
    assert (offer.outcome, offer.chosen_id, offer.chosen_rank) == ("helped", article, 1)
    customer = shopper.welcome["customer_id"]
    assert _events(people.desk, "customer_id", customer) == []
    await shopper.do("answer.judge", **said, helped=False)
    offer = people.desk.write(lambda tx: load_offer(tx.connection, said["suggestion_id"]))
    assert offer is not None
    assert offer.outcome == "unhelped"


async def test_what_helps_after_a_message_ends_the_wait_as_nobodys_answer(people: People) -> None:
    article = put_article(people.desk, "How long is the cable?", name="cable")
    shopper = await people.shopper()
    posted = await shopper.post("how long is the cable")
    here = {"conversation_id": posted["conversation_id"]}
    answer = await found(shopper, "how long is the cable", "How long is the cable?")
    said = {"suggestion_id": answer["suggestion_id"], "article_id": article, **here}
    other = await people.shopper()
    theirs = (await other.post("hello"))["conversation_id"]
    stolen = said | {"conversation_id": theirs}
    assert await shopper.refused("answer.judge", **stolen, helped=True) == "not_found"
    await shopper.do("answer.judge", **said, helped=False)
    await shopper.do("answer.judge", **said, helped=True)
    await shopper.do("answer.judge", **said, helped=True)
    kinds = _events(people.desk, "conversation_id", here["conversation_id"])
    assert kinds.count("suggestion.dismissed") == kinds.count("suggestion.accepted") == 1
    (turn,) = people.desk.write(lambda tx: turns_of(tx.connection, here["conversation_id"]))
    assert (turn.outcome, turn.answered_by) == ("dismissed", None)
    await shopper.until(
        lambda: [e for e in shopper.events if e["data"].get("status") == "resolved"], "the end"
    )
    assert not [e for e in shopper.events if e["kind"].startswith("suggestion")]


async def test_shoppers_teach_new_words_only_together_with_an_agent(people: People) -> None:
    desk = people.desk
    article = put_article(desk, "Do you repair furniture?", name="repair")
    asked = "do you repair a broken chair"
    for _ in range(2):
        shopper = await people.shopper(locale="en")
        answer = await found(shopper, asked, "Do you repair furniture?")
        said = {"suggestion_id": answer["suggestion_id"], "article_id": article}
        await shopper.do("answer.judge", **said, helped=True)
        (learnt,) = learnt_of(desk, article)
        assert (learnt.source, learnt.state) == ("customer_click", "pending")
    agent, shopper = await people.agent("ana"), await people.shopper(locale="en")
    posted = await shopper.post(asked)
    answer = await offered(agent, posted["conversation_id"], "Do you repair furniture?")
    said = {"suggestion_id": answer["suggestion_id"], "article_id": article}
    await agent.do("suggestion.accept", **said)
    (learnt,) = learnt_of(desk, article)
    assert (learnt.state, learnt.uses) == ("active", 3)


async def test_what_helps_after_a_reply_leaves_the_chat_open(people: People) -> None:
    article = put_article(people.desk, "Can it be dimmed?", name="dim")
    shopper, agent = await people.shopper(), await people.agent("ana")
    posted = await shopper.post("can it be dimmed")
    here = {"conversation_id": posted["conversation_id"]}
    answer = await found(shopper, "can it be dimmed", "Can it be dimmed?")
    await agent.post("Yes, in three steps.", **here)
    said = {"suggestion_id": answer["suggestion_id"], "article_id": article, **here}
    await shopper.do("answer.judge", **said, helped=True)
    await agent.do("message.mark_read", **here, message_id=posted["message_id"])
    kinds = _events(people.desk, "conversation_id", here["conversation_id"])
    assert "suggestion.accepted" in kinds
    assert "conversation.status_changed" not in kinds


async def test_the_welcome_says_whether_there_is_anything_to_read(own_people: People) -> None:
    desk = own_people.desk
    desk.server.start()
    assert (await own_people.shopper()).welcome["shop"]["articles"] is False
    put_article(desk, "For us only", audience="internal")
    assert (await own_people.shopper()).welcome["shop"]["articles"] is False
    put_article(desk, "For all")
    assert (await own_people.shopper()).welcome["shop"]["articles"] is True


def _events(desk: Desk, column: str, value: str) -> list[str]:
    statement = text(f"SELECT kind FROM event WHERE {column} = :value ORDER BY seq")
    return desk.write(lambda tx: list(tx.connection.execute(statement, {"value": value}).scalars()))


def test_what_a_shopper_typed_and_did_not_judge_is_forgotten_in_a_day(own_desk: Desk) -> None:
    offers = {"typed": (2, None), "judged": (2, "helped"), "old": (401, "helped"), "new": (0, None)}
    day_ms = 24 * 3600 * 1000

    def add(tx: Tx) -> None:
        for name, (days, outcome) in offers.items():
            at_ms = tx.at_ms - days * day_ms
            add_offer(tx, Offer(name, "shopper", "q", "none", (), 0, at_ms, outcome=outcome))

    own_desk.write(add)
    assert own_desk.write(forget_old) == 2
    kept = own_desk.write(lambda tx: [n for n in offers if load_offer(tx.connection, n)])
    assert kept == ["judged", "new"]
