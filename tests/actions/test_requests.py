"""What the widget shows of a shopper's own requests, and that it shows nobody else's."""

from __future__ import annotations

from functools import partial

import pytest

from server.actions import (
    repairs,
    requests,
    returns,
    ticket_merge,
    tickets,
    visitor_orders,
    visitors,
)
from server.actions.automation import RULES
from server.actions.desk import Look, arrivals
from server.actions.identity import Said, note_contacts
from server.actions.payload import NoPayload, parse
from server.actions.requests import (
    ConfirmRequest,
    ListRequests,
    OpenRequest,
    RateRequest,
    ReplyRequest,
)
from server.actions.ticket_moves import connect
from server.actions.tickets import ReplyTicket, SubmitRequest
from server.actions.visitor_orders import AskBack
from server.actions.visitors import Connect, Describe
from server.domain.actors import Actor, customer
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.ticket import Ticket
from server.storage import tickets as stored
from server.storage.customers import change_customer
from server.storage.persons import shopper_rows
from server.storage.portal import Reader
from server.storage.rows import load_conversation
from server.storage.unit import Tx
from tests.actions.scene import SITE, Scene
from tests.actions.test_care import order
from tests.actions.test_identity import actor_of, sign_in


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


def planned_call(tx: Tx, customer_id: str) -> Ticket:
    """A call that the shop plans to make."""
    return repairs.begin_ticket(
        tx,
        customer_id=customer_id,
        subject="Follow-up after a refund",
        day="2026-01-01",
        team_id=None,
        assignee_id=None,
        priority="high",
    )


def test_a_call_that_the_shop_plans_is_told_by_no_request_about_its_order(scene: Scene) -> None:
    mine = scene.shopper()
    rows = (mine.id or "",)
    order(scene, "o1", "LAMP", at_ms=scene.time.at_ms, customer_id=mine.id)

    def plan(tx: Tx) -> str:
        call = planned_call(tx, rows[0])
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


def test_only_own_lines_are_asked_back_in_the_widget_and_no_more_than_were_bought(
    scene: Scene,
) -> None:
    mine, other = actor_of(sign_in(scene, "mei")), actor_of(sign_in(scene, "ana"))
    stranger = scene.shopper()
    order(scene, "A-1", "LAMP", at_ms=1, customer_id=mine.id, shipped_at_ms=2)
    order(scene, "B-1", "LAMP", at_ms=1, customer_id=other.id)

    def own(actor: Actor) -> list[str]:
        def look(connection: object) -> list[str]:
            looked = Look(connection, actor, scene.time.at_ms)  # type: ignore[arg-type]  # handed on
            found = visitor_orders.list_orders(looked, NoPayload())["orders"]
            return [one["number"] for one in found]

        return scene.database.read_now(look)

    assert [own(one) for one in (mine, other, stranger)] == [["A-1"], ["B-1"], []]
    # Who has proved an address has what was bought with it without an account; by the number of an
    # order nobody has shown that they read its mail.
    order(scene, "G-1", "LAMP", at_ms=3, email_key="guest@home.example")
    guest, neighbour = scene.shopper(), scene.shopper()
    for shopper, source in ((guest, "code"), (neighbour, "order")):
        said = [Said("email", "guest@home.example", proved=True)]
        scene.database.write_now(
            partial(note_contacts, customer_id=shopper.id or "", said=said, source=source)
        )
    assert [own(one) for one in (guest, neighbour)] == [["G-1"], []]
    lamp = {"line_no": 1, "quantity": 1, "reason": "damaged"}
    asked: dict[str, object] = {
        "number": "A-1",
        "wanted": "exchange",
        "lines": [lamp],
        "client_id": "1",
        "outcome": "money",
    }

    def ask_back(actor: Actor, **changes: object) -> str:
        payload = parse(AskBack, asked | changes)
        return str(scene.do(visitor_orders.ask_back, actor, payload)["ticket_number"])

    for actor, number in ((stranger, "A-1"), (other, "A-1"), (mine, "B-1"), (mine, "oA-1")):
        with pytest.raises(NotFound):
            ask_back(actor, number=number)
    before = len(scene.log())
    refused: tuple[dict[str, object], ...] = (
        {"lines": []},
        {"lines": [lamp, lamp]},
        {"lines": [lamp | {"line_no": 7}]},
        {"lines": [lamp | {"quantity": 2}]},
        {"lines": [lamp | {"quantity": 0}]},
        {"lines": [lamp | {"quantity": "1"}]},
        {"lines": [lamp | {"reason": "whim"}]},
        {"lines": [lamp] * 101},
        {"outcome": "gold"},
        {"wanted": "complaint"},
        {"wanted": "cancel"},
        {"files": ["not-mine"]},
        {"files": [str(n) for n in range(6)]},
    )
    for wrong in refused:
        with pytest.raises((InvalidInput, Conflict)):
            ask_back(mine, **wrong)
    assert len(scene.log()) == before
    made = ask_back(mine)
    assert ask_back(mine) == made
    theirs = ask_back(guest, number="G-1", wanted="cancel")
    assert listed(scene, guest) == [theirs]
    with pytest.raises(NotFound):
        ask_back(neighbour, number="G-1", wanted="cancel")
    opened = scene.do(requests.open_request, mine, OpenRequest(number=made))
    (said,) = opened["messages"]
    assert said["body"].startswith("I would like to exchange from order A-1")
    # They chose to exchange it: what stood in the form besides is not told as a wish.
    assert "money" not in said["body"]
    for again in ({}, {"anyway": True}):
        with pytest.raises(Conflict):
            ask_back(mine, client_id="2", **again)


def test_words_to_a_request_that_staff_joined_to_a_planned_call_land_there(scene: Scene) -> None:
    chen, mine = scene.person("chen", role="supervisor"), scene.shopper()
    number = ask(scene, mine)
    call = scene.database.write_now(lambda tx: planned_call(tx, mine.id or ""))
    merge = ticket_merge.MergeTicket(ticket_id=id_of(scene, number), into=call.id)
    scene.do(ticket_merge.merge, chen, merge)
    # By either number: the page leads from the one to the other.
    for said, under in (("It hums", number), ("It smells", call.number)):
        sent = ReplyRequest(number=under, client_id=said.replace(" ", ""), body=said)
        assert scene.do(requests.reply_request, mine, sent) == {"number": call.number}
    shown = scene.do(requests.open_request, mine, OpenRequest(number=call.number))
    said_there = [one["body"] for one in shown["messages"]]
    assert said_there == ["The lamp is broken", "It hums", "It smells"]
    for under in (number, call.number):
        scene.do(requests.confirm_request, mine, ConfirmRequest(number=under))
    # Somebody else's guess of its number finds nothing.
    with pytest.raises(NotFound):
        scene.do(
            requests.reply_request,
            scene.shopper(),
            ReplyRequest(number=call.number, client_id="x", body="Mine"),
        )
    scene.do(ticket_merge.unmerge, chen, ticket_merge.UnmergeTicket(ticket_id=id_of(scene, number)))
    # On its own again, the request takes their words, and what they wrote to the call is not gone.
    later = ReplyRequest(number=number, client_id="later", body="Still")
    assert scene.do(requests.reply_request, mine, later) == {"number": number}
    shown = scene.do(requests.open_request, mine, OpenRequest(number=call.number))
    assert [one["body"] for one in shown["messages"]] == ["It hums", "It smells"]


def test_the_client_id_of_a_chat_s_message_is_refused_in_words(scene: Scene) -> None:
    mine = scene.shopper()
    scene.post(mine, "Hello", client_id="c1")
    with pytest.raises(InvalidInput) as refused:
        ask(scene, mine, client_id="c1")
    assert refused.value.details["field"] == "client_id"
