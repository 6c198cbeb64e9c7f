"""What the widget shows of a shopper's own requests, and that it shows nobody else's."""

from __future__ import annotations

import pytest

from server.actions import repairs, requests, returns, ticket_merge, tickets, visitors
from server.actions.automation import RULES
from server.actions.desk import Look, arrivals
from server.actions.requests import (
    ConfirmRequest,
    ListRequests,
    OpenRequest,
    RateRequest,
    ReplyRequest,
)
from server.actions.ticket_moves import connect
from server.actions.tickets import ReplyTicket, SubmitRequest
from server.actions.visitors import Connect, Describe
from server.domain.actors import Actor, customer
from server.domain.errors import Conflict, NotFound
from server.storage import tickets as stored
from server.storage.customers import change_customer
from server.storage.persons import shopper_rows
from server.storage.portal import Reader
from server.storage.rows import load_conversation
from server.storage.unit import Tx
from tests.actions.scene import SITE, Scene
from tests.actions.test_care import order
from tests.actions.test_identity import sign_in


def ask(scene: Scene, shopper: Actor, body: str = "The lamp is broken", **more: str) -> str:
    """The number of a request."""
    payload = SubmitRequest.model_validate({"body": body} | more)
    return str(scene.do(tickets.submit, shopper, payload)["ticket_number"])


def id_of(scene: Scene, number: str) -> str:
    found = scene.database.read_now(lambda c: stored.id_of_number(c, number))
    assert found is not None
    return found


def answer(scene: Scene, chen: Actor, number: str, body: str = "Sent", **more: str) -> None:
    values = {
        "ticket_id": id_of(scene, number),
        "client_id": body.replace(" ", "-"),
        "body": body,
    } | more
    scene.do(tickets.reply, chen, ReplyTicket.model_validate(values))


def listed(scene: Scene, shopper: Actor) -> list[str]:
    def look(connection: object) -> list[str]:
        looked = Look(connection, shopper, scene.time.at_ms)  # type: ignore[arg-type]  # handed on
        return [one["number"] for one in requests.list_requests(looked, ListRequests())["items"]]

    return scene.database.read_now(look)


def news(scene: Scene, shopper: Actor) -> dict[str, int]:
    key = shopper.id or ""
    found = scene.database.read_now(lambda c: arrivals(c, [key], at_ms=scene.time.at_ms))
    told: dict[str, int] = found[key].welcome["requests"]
    return told


def test_a_visitor_follows_answers_confirms_and_rates(scene: Scene) -> None:
    shopper, chen = scene.shopper(), scene.person("chen")
    number = ask(scene, shopper)
    assert news(scene, shopper) == {"count": 1, "unread": 0}
    answer(scene, chen, number)
    answer(scene, chen, number, "She is angry", visibility="private")
    assert news(scene, shopper) == {"count": 1, "unread": 1}
    opened = scene.do(requests.open_request, shopper, OpenRequest(number=number, locale="zh"))
    assert [m["body"] for m in opened["messages"]] == ["The lamp is broken", "Sent"]
    assert opened["request"]["unread"] == 1
    assert opened["request"]["state"] == "处理中"
    assert news(scene, shopper) == {"count": 1, "unread": 0}
    said = ReplyRequest(number=number, client_id="1", body="Thank you")
    for _ in range(2):
        assert scene.do(requests.reply_request, shopper, said) == {"number": number}
    early = RateRequest(number=number, score=5)
    with pytest.raises(Conflict):
        scene.do(requests.rate_request, shopper, early)
    scene.do(requests.confirm_request, shopper, ConfirmRequest(number=number))
    scene.do(requests.rate_request, shopper, early)
    opened = scene.do(requests.open_request, shopper, OpenRequest(number=number))
    assert (opened["rating"], opened["may_rate"], opened["request"]["over"]) == (5, True, True)
    assert [m["body"] for m in opened["messages"]].count("Thank you") == 1
    scene.do(requests.reply_request, shopper, ReplyRequest(number=number, client_id="2"))
    opened = scene.do(requests.open_request, shopper, OpenRequest(number=number))
    assert opened["messages"][-1]["body"] == "It is still a problem."
    assert opened["request"]["over"] is False


def test_another_s_request_is_answered_as_one_that_is_not_there(scene: Scene) -> None:
    mine, hers = scene.shopper(), scene.shopper()
    # Saying somebody's address makes nobody them.
    for one in (mine, hers):
        scene.do(visitors.describe, one, Describe(email="ana@buyer.example", name="Ana"))
    number = ask(scene, hers)
    for name in (number, number.lower(), id_of(scene, number), "T-2222-2222", "x"):
        told = set()
        with pytest.raises(NotFound) as refused:
            scene.do(requests.open_request, mine, OpenRequest(number=name))
        told.add(str(refused.value))
        with pytest.raises(NotFound) as refused:
            scene.do(requests.confirm_request, mine, ConfirmRequest(number=name))
        told.add(str(refused.value))
        with pytest.raises(NotFound) as refused:
            scene.do(requests.reply_request, mine, ReplyRequest(number=name, client_id="1"))
        told.add(str(refused.value))
        with pytest.raises(NotFound) as refused:
            scene.do(requests.rate_request, mine, RateRequest(number=name, score=1))
        assert told == {str(refused.value)}
    with pytest.raises(NotFound):
        scene.database.read_now(
            lambda c: requests.list_requests(
                Look(c, mine, scene.time.at_ms), ListRequests(before=number)
            )
        )
    assert listed(scene, mine) == []


def test_a_join_by_staff_shows_neither_shopper_more(scene: Scene) -> None:
    mine, hers = scene.shopper(), scene.shopper()
    first, second = ask(scene, mine, "My words"), ask(scene, hers, "Her words")
    scene.database.write_now(
        lambda tx: change_customer(
            tx, mine.id or "", merged_into=hers.id, merged_as="merge", person_id=hers.id
        )
    )
    payload = ticket_merge.MergeTicket(ticket_id=id_of(scene, first), into=second)
    scene.do(ticket_merge.merge, scene.person("mei", role="supervisor"), payload)
    assert (listed(scene, mine), listed(scene, hers)) == ([first], [second])
    opened = scene.do(requests.open_request, mine, OpenRequest(number=first))
    assert [m["body"] for m in opened["messages"]] == ["My words"]
    assert opened["onward"] is None
    opened = scene.do(requests.open_request, hers, OpenRequest(number=second))
    assert [m["body"] for m in opened["messages"]] == ["Her words"]


def test_what_a_browser_asked_goes_along_when_it_signs_in(scene: Scene) -> None:
    before = scene.database.write_now(lambda tx: visitors.connect(tx, Connect(site=SITE)))
    shopper = customer(before["customer_id"])
    number = ask(scene, shopper, client_id="r1")
    sign_in(scene, "C-7")
    account = sign_in(scene, "C-7", before["visitor_token"])
    me = customer(account["customer_id"], also=frozenset(account["also"]))
    assert listed(scene, me) == [number]
    rows = scene.database.read_now(lambda c: shopper_rows(c, me.id or ""))
    assert set(rows) == {me.id, shopper.id}
    # The answer to it was lost: sent again after the sign-in it is the same one.
    assert ask(scene, me, client_id="r1") == number
    assert news(scene, me)["count"] == 1


def test_a_message_instead_of_waiting_ends_the_chat_and_is_made_once(scene: Scene) -> None:
    shopper, other = scene.shopper(), scene.shopper()
    chat = str(scene.post(shopper, "Is anybody there?")["conversation_id"])
    with pytest.raises(NotFound):
        ask(scene, other, conversation_id=chat)
    assert listed(scene, other) == []
    payload = SubmitRequest(body="Is anybody there?", client_id="1", conversation_id=chat)
    first, second = [scene.do(tickets.submit, shopper, payload) for _ in range(2)]
    assert first == second
    assert first["promised_at_ms"] > scene.time.at_ms
    talk = scene.database.read_now(lambda c: load_conversation(c, chat))
    assert talk is not None
    assert talk.status == "resolved"
    ticket_id = id_of(scene, first["ticket_number"])
    links = scene.database.read_now(lambda c: stored.links_of(c, ticket_id))
    assert [(link.kind, link.target) for link in links] == [("conversation", chat)]


def test_a_chat_that_somebody_took_goes_on(scene: Scene) -> None:
    shopper = scene.shopper()
    chat = str(scene.post(shopper, "Hello")["conversation_id"])
    scene.post(scene.person("chen"), "Hi!", chat)
    ask(scene, shopper, conversation_id=chat)
    talk = scene.database.read_now(lambda c: load_conversation(c, chat))
    assert talk is not None
    assert talk.status == "open"


def test_a_call_that_the_shop_plans_is_told_by_no_request_about_its_order(scene: Scene) -> None:
    mine = scene.shopper()
    rows = (mine.id or "",)
    order(scene, "o1", "LAMP", at_ms=scene.time.at_ms, customer_id=mine.id)

    def plan(tx: Tx) -> str:
        call = repairs.begin_ticket(
            tx,
            customer_id=rows[0],
            subject="Follow-up after a refund",
            day="2026-01-01",
            team_id=None,
            assignee_id=None,
            priority="high",
        )
        connect(tx, RULES, call, "order", "o1")
        return call.number

    call = scene.database.write_now(plan)
    # The number alone, as a guess, opens nothing of it.
    with pytest.raises(NotFound):
        scene.do(requests.open_request, mine, OpenRequest(number=call))
    payload = SubmitRequest(body="Where is it?", order_id="o1", client_id="w1")
    # Nobody is warned of what they do not know of.
    first = scene.database.write_now(
        lambda tx: returns.submit(tx, Reader("", rows, rows), payload).number
    )
    scene.do(requests.confirm_request, mine, ConfirmRequest(number=first))
    scene.time.pass_s(1)
    # And the widget's words do not go into it, where their writer would not find them.
    second = ask(scene, mine, order_id="o1")
    assert listed(scene, mine) == [second, first]


def test_of_a_very_long_request_the_latest_is_shown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_SAID", 2)
    mine = scene.shopper()
    number = ask(scene, mine, "First")
    for body in ("Second", "Third"):
        reply = ReplyRequest(number=number, client_id=body, body=body)
        scene.do(requests.reply_request, mine, reply)
    opened = scene.do(requests.open_request, mine, OpenRequest(number=number))
    assert [m["body"] for m in opened["messages"]] == ["Second", "Third"]
