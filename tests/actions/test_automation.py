"""Rules at work: once for each cause, with a trail, without an end to others' work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any  # Any: JSON values

import pytest

from server.actions import conversations, rule_calls, tickets, webhooks
from server.actions import rules as manage
from server.actions.desk import Look
from server.actions.payload import parse
from server.actions.take_orders import take_orders
from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from server.domain.events import MessagePosted, RuleApplied
from server.domain.rule_ready import READY, ready_plan
from server.domain.rules import MAX_HELD, read_plan
from server.domain.shop_data import Line, Order
from server.jobs import automation as job
from server.reports.verify import verify
from server.storage import consents, event_log, messages, notes, people, rules
from server.storage import tickets as ticket_rows
from server.storage.carts import save_carts
from server.storage.connection import Connection
from server.storage.consents import Consent
from server.storage.customers import change_customer
from server.storage.notes import Preference
from server.storage.rules import Run
from server.storage.shop_sources import Source, insert_source
from server.storage.ticket_rows import load_ticket
from server.storage.unit import Tx
from tests.actions.scene import Scene
from tests.actions.test_care import order

Json = dict[str, Any]  # Any: JSON values
SHOP = Source(name="shop", kind="generic", customer_ids="shop", created_at_ms=0)
ORDER = Order(
    external_id="1",
    number="1001",
    created_at_ms=0,
    currency="CNY",
    total_minor=12_345,
    customer="c1",
    lines=(Line(title="Cup", quantity=2, price_minor=500, sku="CUP"),),
)


def plan(on: str, *then: Json, when: list[Json] | None = None, **more: Any) -> Json:  # Any: JSON
    groups = [{"join": "all", "clauses": when}] if when else []
    return {
        "name": more.get("name", "A rule"),
        "on": {"time": on, "minutes": more["minutes"]} if "minutes" in more else {"events": [on]},
        "when": {"join": "all", "groups": groups},
        "then": list(then),
    }


def clause(name: str, op: str, *values: Any) -> Json:  # Any: JSON values
    return {"field": name, "op": op, "values": list(values)}


def add(scene: Scene, lead: Actor, values: Json) -> str:
    return scene.database.write_now(
        partial(manage.save, actor=lead, values=values, rule_id=None, version=0, enabled=True)
    )


def look(scene: Scene) -> None:
    """What the jobs do."""

    async def both() -> None:
        await job.follow(scene.database)
        await job.watch(scene.database)

    asyncio.run(both())


def runs(scene: Scene, rule_id: str) -> list[Run]:
    return scene.database.read_now(lambda c: rules.runs_of(c, rule_id, limit=100))


def said(scene: Scene, chat: str) -> list[str]:
    return [e.data.en for e in scene.events(chat) if isinstance(e.data, RuleApplied)]


@pytest.fixture
def lead(scene: Scene) -> Actor:
    look(scene)
    return scene.person("lead", role="supervisor", status="offline")


def test_a_rule_acts_once_and_says_what_it_did_and_why(scene: Scene, lead: Actor) -> None:
    rule = add(
        scene,
        lead,
        plan(
            "customer_wrote",
            {"do": "add_tag", "tags": ["refund"]},
            {"do": "post_message", "en": "A person will look.", "zh": "客服会处理。"},
            when=[clause("message.text", "has", "refund", "退款")],
            name="Refunds",
        ),
    )
    chat = scene.chat(body="Where is my Refund?")
    other = scene.chat(body="Hello")
    look(scene)
    look(scene)
    assert scene.state(chat).tags == ("refund",)
    assert scene.state(other).tags == ()
    [words] = said(scene, chat)
    assert words == (
        "Rule “Refunds” added the tag “refund” and wrote to the customer,"
        " because what the customer wrote contains “refund”"
    )
    [run] = runs(scene, rule)
    assert (run.outcome, [one["outcome"] for one in run.steps]) == ("done", ["done", "done"])
    assert "A person" not in str(run.steps), "texts stay in the version"
    # The console tells of the tag by the rule's line, which it finds by their common instant.
    [tagged] = [one for one in scene.events(chat) if one.kind == "conversation.tagged"]
    [applied] = [one for one in scene.events(chat) if one.kind == "rule.applied"]
    assert (tagged.actor_kind, tagged.at_ms) == ("system", applied.at_ms)
    # The words of a bot answer nothing: the shopper still waits.
    assert scene.state(chat).turn is not None
    assert scene.database.read_now(lambda c: list(verify(c))) == []


def test_what_a_rule_does_can_start_another_but_never_itself_again(
    scene: Scene, lead: Actor
) -> None:
    ping = add(scene, lead, plan("tagged", {"do": "add_tag", "tags": ["a"]}, name="Ping"))
    pong = add(scene, lead, plan("tagged", {"do": "remove_tag", "tags": ["a"]}, name="Pong"))
    first = add(scene, lead, plan("customer_wrote", {"do": "add_tag", "tags": ["b"]}))
    chat = scene.chat()
    for _ in range(4):
        look(scene)
    told = {
        (run.rule_id, run.held or run.outcome)
        for one in (first, ping, pong)
        for run in runs(scene, one)
    }
    assert told == {(first, "done"), (ping, "done"), (ping, "again"), (pong, "done")}
    assert [rule for rule, _ in runs(scene, pong)[0].chain.chain] == [first]
    assert scene.state(chat).tags == ("b",)


def test_what_fails_is_told_and_holds_up_nothing_else(scene: Scene, lead: Actor) -> None:
    lin = scene.person("lin")
    gone = add(
        scene,
        lead,
        plan(
            "customer_wrote",
            {"do": "assign_agent", "agent": lin.id},
            {"do": "set_priority", "priority": "high"},
            {"do": "add_tag", "tags": ["seen"]},
        ),
    )
    after = add(scene, lead, plan("customer_wrote", {"do": "note", "text": "Look"}))
    scene.presence(lin, "offline")
    scene.database.write_now(lambda tx: _leave(tx, "lin"))
    chat = scene.chat()
    look(scene)
    [run] = runs(scene, gone)
    assert run.outcome == "partly"
    assert [(one["do"], one["outcome"], one.get("error")) for one in run.steps] == [
        ("assign_agent", "failed", "agent_gone"),
        ("set_priority", "skipped", None),
        ("add_tag", "done", None),
    ]
    assert "could not: give it to a colleague" in said(scene, chat)[0]
    assert [one.outcome for one in runs(scene, after)] == ["done"]
    # Who leaves cannot be chosen any more.
    with pytest.raises(InvalidInput):
        add(scene, lead, plan("customer_wrote", {"do": "assign_agent", "agent": "lin"}))


def _leave(tx: Tx, agent_id: str) -> None:
    people.update_person(tx, agent_id, active=False)


def test_time_is_looked_at_once_and_only_while_it_is_so(scene: Scene, lead: Actor) -> None:
    lin = scene.person("lin")
    old = scene.chat(body="Before the rule")
    scene.time.pass_s(3600)
    rule = add(scene, lead, plan("waiting", {"do": "add_tag", "tags": ["waits"]}, minutes=30))
    chat, answered = scene.chat(), scene.chat()
    scene.time.pass_s(60)
    scene.post(lin, "Here", answered)
    look(scene)
    assert scene.state(chat).tags == ()
    scene.time.pass_s(1800)
    look(scene)
    scene.time.pass_s(1800)
    look(scene)
    assert [run.thing.id for run in runs(scene, rule)] == [chat]
    # It applies forward: what had waited for so long before is left alone.
    assert scene.state(old).tags == ()
    assert scene.state(answered).tags == ()


def test_a_ticket_is_never_closed_without_a_reason_and_a_chat_not_while_somebody_waits(
    scene: Scene, lead: Actor
) -> None:
    lin = scene.person("lin")
    shopper = scene.shopper()
    made = {"type": "question", "subject": "Where is it", "customer_id": shopper.id}
    with pytest.raises(InvalidInput):
        add(scene, lead, plan("ticket_created", {"do": "close"}))
    closes = add(
        scene, lead, plan("ticket_created", {"do": "close", "reason": "duplicate"}, name="Twice")
    )
    chats = add(scene, lead, plan("customer_wrote", {"do": "close", "reason": "no_reply"}))
    ticket_id = str(scene.do(tickets.create, lin, parse(tickets.CreateTicket, made))["ticket_id"])
    chat = scene.chat(shopper)
    look(scene)
    ticket = scene.database.read_now(lambda c: load_ticket(c, ticket_id))
    assert ticket is not None
    assert (ticket.state, ticket.reason) == ("resolved", "duplicate")
    assert [run.outcome for run in runs(scene, closes)] == ["done"]
    assert scene.state(chat).status == "open"
    [run] = runs(scene, chats)
    assert (run.outcome, run.steps[0]["error"]) == ("failed", "waits")
    assert said(scene, chat) == []
    assert scene.database.read_now(lambda c: list(verify(c))) == []


def test_a_priority_that_a_person_set_stays_and_a_ticket_is_made_once(
    scene: Scene, lead: Actor
) -> None:
    lin = scene.person("lin")
    shopper = scene.shopper()
    urgent = add(scene, lead, plan("ticket_created", {"do": "set_priority", "priority": "urgent"}))
    make = add(
        scene,
        lead,
        plan("customer_wrote", {"do": "make_ticket", "type": "complaint", "subject": "Unhappy"}),
    )
    made = {"type": "question", "subject": "?", "customer_id": shopper.id, "priority": "low"}
    scene.do(tickets.create, lin, parse(tickets.CreateTicket, made))
    look(scene)
    scene.time.pass_s(1)
    chat = scene.chat(shopper, "I am unhappy")
    look(scene)
    scene.post(shopper, "Very", chat)
    look(scene)
    assert [run.outcome for run in runs(scene, make)] == ["done"]
    [second, first] = runs(scene, urgent)
    assert (first.outcome, first.steps[0]["error"]) == ("failed", "manual")
    # The ticket that the rule made is another object of the same chain.
    ticket = scene.database.read_now(lambda c: load_ticket(c, second.thing.id))
    assert ticket is not None
    assert (ticket.source, ticket.priority, ticket.priority_source) == ("rule", "urgent", "rule")
    assert second.chain.chain == ((make, chat),)


def test_nobody_is_written_to_in_quiet_hours_and_about_a_cart_only_with_consent(
    scene: Scene, lead: Actor
) -> None:
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    rule = add(
        scene,
        lead,
        plan("note_written", {"do": "post_message", "en": "Hello {shop.name}"}),
    )
    lin = scene.person("lin")
    # Shanghai is eight hours ahead: the clock of the scene shows 12:40 there.
    quiet = Preference(channel=None, quiet_from=12 * 60, quiet_to=14 * 60, timezone=None)
    scene.database.write_now(
        lambda tx: notes.save_preference(tx, shopper.id or "", quiet, by_id=None)
    )
    scene.time.pass_s(2400)
    scene.post(lin, "A note", chat, visibility="private")
    look(scene)
    [run] = runs(scene, rule)
    assert run.outcome == "put_off"
    assert run.due_at_ms is not None
    look(scene)
    assert runs(scene, rule)[0].outcome == "put_off"
    scene.time.pass_s((run.due_at_ms - scene.time.at_ms) / 1000 + 1)
    look(scene)
    look(scene)
    assert [one.outcome for one in runs(scene, rule)] == ["done"]
    bodies = [e.data for e in scene.events(chat) if e.actor_kind == "bot"]
    assert len(bodies) == 1
    _cart(scene, shopper)
    nudge = add(
        scene,
        lead,
        plan("cart_abandoned", {"do": "post_message", "zh": "需要帮忙吗？"}, minutes=30),
    )
    scene.time.pass_s(1900)
    look(scene)
    [run] = runs(scene, nudge)
    assert (run.outcome, run.steps[0]["error"]) == ("failed", "no_consent")
    consent = Consent(
        customer_id=shopper.id or "",
        purpose="marketing_email",
        state="given",
        text_version="1",
        language="en",
        source="agent",
        at_ms=scene.time.at_ms,
    )
    scene.database.write_now(lambda tx: consents.add_consent(tx, consent))
    _cart(scene, shopper)
    scene.time.pass_s(1900)
    look(scene)
    assert runs(scene, nudge)[0].outcome == "done"


def test_a_join_by_staff_lets_a_rule_tell_neither_shopper_of_the_other(
    scene: Scene, lead: Actor
) -> None:
    hers, mine = scene.shopper(), scene.shopper()
    chat = scene.chat(mine)

    def join(tx: Tx) -> None:
        key = hers.id or ""
        change_customer(tx, key, name="Ana")
        joined = {"merged_into": key, "merged_as": "merge", "person_id": key}
        change_customer(tx, mine.id or "", **joined)

    scene.database.write_now(join)
    at_ms = scene.time.at_ms
    order(scene, "o1", "LAMP", at_ms=at_ms, customer_id=hers.id, delivered_at_ms=at_ms)
    wrote = [
        add(scene, lead, plan("customer_wrote", {"do": "post_message", "en": f"About {name}?"}))
        for name in ("{order.number}", "{customer.name}")
    ]
    words = {"do": "post_message", "en": "How is {order.number}?"}
    after = add(scene, lead, plan("after_delivery", words, minutes=60))
    scene.post(mine, "Hello?", chat)
    look(scene)
    told = [one.steps[0]["error"] for rule in wrote for one in runs(scene, rule)]
    assert set(told) == {"words_open"}
    scene.time.pass_s(3700)
    look(scene)
    assert [one.outcome for one in runs(scene, after)] == ["done"]
    assert set(scene.database.read_now(lambda c: _bodies(c, chat))) == {"Hello", "Hello?"}
    [hers_now] = scene.chats(hers)
    assert scene.database.read_now(lambda c: _bodies(c, hers_now)) == ["How is o1?"]


def _cart(scene: Scene, shopper: Actor) -> None:
    at_ms = scene.time.at_ms
    row = {
        "id": "cart-1",
        "source": "widget",
        "token": "t",
        "customer_id": shopper.id,
        "email_key": None,
        "currency": "CNY",
        "total_minor": 9900,
        "lines": "[]",
        "checkout_url": None,
        "created_at_ms": at_ms,
        "updated_at_ms": at_ms,
        "ordered_at_ms": None,
    }
    scene.database.write_now(lambda tx: save_carts(tx, [row]))


def test_orders_start_rules_and_imported_ones_do_not(scene: Scene, lead: Actor) -> None:
    scene.database.write_now(lambda tx: insert_source(tx, SHOP))
    at_ms = scene.time.at_ms
    refunds = add(
        scene,
        lead,
        plan(
            "order_refunded",
            {"do": "make_ticket", "type": "question", "subject": "Why {order.number}?"},
            when=[
                clause("order.refunded_percent", "min", 50),
                clause("order.sku", "in", "CUP"),
                clause("customer.orders", "max", 3),
            ],
        ),
    )
    follow = {"do": "make_ticket", "type": "follow_up", "subject": "How is {order.number}?"}
    calls = add(scene, lead, plan("after_delivery", follow, minutes=3 * 24 * 60))
    order = replace(ORDER, created_at_ms=at_ms, paid_at_ms=at_ms, updated_at_ms=at_ms)
    _tell(scene, order)
    scene.time.pass_s(60)
    back = replace(
        order,
        refunded_minor=10_000,
        refunded_at_ms=scene.time.at_ms,
        delivered_at_ms=scene.time.at_ms,
        updated_at_ms=scene.time.at_ms,
    )
    _tell(scene, back)
    # History from a file: the same, and nothing comes of it.
    _tell(scene, replace(back, external_id="2", number="1002"), imported=True, batch="b1")
    look(scene)
    [run] = runs(scene, refunds)
    assert (run.outcome, run.thing.kind) == ("done", "order")
    scene.time.pass_s(3 * 24 * 3600 + 5)
    look(scene)
    look(scene)
    assert [one.outcome for one in runs(scene, calls)] == ["done"]
    tried = plan(
        "order_refunded",
        {"do": "make_ticket", "type": "question", "subject": "?"},
        when=[clause("order.total_minor", "min", 12_345)],
    )
    listed = scene.database.read_now(
        lambda c: manage.try_out(Look(c, lead, scene.time.at_ms), tried)
    )
    assert (listed.looked, listed.count) == (2, 2)
    made = [e.conversation_id or "" for e in scene.log() if e.kind == "ticket.created"]
    words = scene.database.read_now(lambda c: ticket_rows.words_of(c, made))
    assert sorted(one.subject for one in words.values()) == ["How is 1001?", "Why 1001?"]
    outside = [e for e in scene.log() if isinstance(e.data, RuleApplied) and not e.conversation_id]
    assert len(outside) == 2


def _tell(scene: Scene, order: Order, *, imported: bool = False, batch: str | None = None) -> None:
    scene.database.write_now(
        lambda tx: take_orders(tx, SHOP, [order], imported=imported, batch=batch)
    )


def test_a_rule_tells_a_program_and_a_colleague_of_its_doing(scene: Scene, lead: Actor) -> None:
    lin = scene.person("lin")
    admin = scene.person("root", role="admin", status="offline")
    wanted = {"url": "https://receiver.example/", "kinds": ["rating.given"]}
    made = scene.do(webhooks.create_webhook, admin, parse(webhooks.CreateWebhook, wanted))
    receiver = str(made["webhook"]["id"])
    rule = add(
        scene,
        lead,
        plan(
            "ticket_created",
            {"do": "notify", "who": "owner", "text": "Please look"},
            {"do": "send_webhook", "webhook": receiver},
        ),
    )
    shopper = scene.shopper()
    asked = {"type": "question", "subject": "?", "customer_id": shopper.id}
    ticket_id = str(scene.do(tickets.create, lin, parse(tickets.CreateTicket, asked))["ticket_id"])
    look(scene)
    assert [run.outcome for run in runs(scene, rule)] == ["done"]
    assert scene.database.read_now(lambda c: ticket_rows.watchers_of(c, ticket_id)) == ["lin"]
    payload = webhooks.ListDeliveries(webhook_id=receiver)
    listed = scene.database.read_now(
        lambda c: webhooks.list_deliveries(Look(c, admin, scene.time.at_ms), payload)
    )
    [sent] = listed["items"]
    assert (sent["kind"], sent["conversation_id"]) == ("rule.applied", ticket_id)
    # Switched off, the receiver gets nothing, and the log says so.
    off = parse(webhooks.ChangeWebhook, {"webhook_id": receiver, "active": False})
    scene.do(webhooks.change_webhook, admin, off)
    scene.time.pass_s(5)
    scene.do(tickets.create, lin, parse(tickets.CreateTicket, asked))
    look(scene)
    latest = runs(scene, rule)[0]
    assert (latest.outcome, latest.steps[1]["error"]) == ("partly", "webhook_off")


def test_two_processes_ask_a_rule_once(scene: Scene, lead: Actor) -> None:
    rule = add(scene, lead, plan("customer_wrote", {"do": "note", "text": "One"}))
    late = add(scene, lead, plan("customer_wrote", {"do": "add_tag", "tags": ["x"]}))
    other = scene.open()
    chats = [scene.chat() for _ in range(5)]

    async def both() -> None:
        await asyncio.gather(job.follow(scene.database), job.follow(other))

    asyncio.run(both())
    look(scene)
    for one in (rule, late):
        assert [run.outcome for run in runs(scene, one)] == ["done"] * 5
    assert all(len(said(scene, chat)) == 2 for chat in chats)


def test_a_rule_that_runs_away_is_switched_off(scene: Scene, lead: Actor) -> None:
    rule = add(scene, lead, plan("customer_wrote", {"do": "note", "text": "Again"}))
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    look(scene)
    [run] = runs(scene, rule)

    def crowd(tx: Tx, *, others: bool) -> None:
        for number in range(30 + MAX_HELD):
            outcome, held = ("done", None) if number < 30 else ("held", "rate")
            more = Run(
                id=tx.new_id(),
                rule_id=rule,
                version=1,
                cause=f"x{number}{others}",
                thing=replace(run.thing, id=f"another{number}") if others else run.thing,
                at_ms=tx.at_ms,
                outcome=outcome,
                held=held,
            )
            if outcome == "held" or not others:
                rules.add_run(tx, more)

    # One shopper who writes and writes is held back and stops no rule for everybody.
    scene.database.write_now(partial(crowd, others=False))
    scene.time.pass_s(1)  # the latest run is the one that comes now
    scene.post(shopper, "And one more", chat)
    look(scene)
    assert runs(scene, rule)[0].held == "rate"
    stored = scene.database.read_now(lambda c: rules.load_rule(c, rule))
    assert stored is not None
    assert stored.enabled
    scene.database.write_now(partial(crowd, others=True))
    scene.post(shopper, "And another", chat)
    look(scene)
    stored = scene.database.read_now(lambda c: rules.load_rule(c, rule))
    assert stored is not None
    assert (stored.enabled, stored.stopped) == (False, "runaway")
    [latest, *_] = scene.database.read_now(lambda c: rules.versions_of(c, rule))
    assert (latest.change, latest.by) == ("stopped", None)
    manage_it = partial(manage.switch, actor=lead, rule_id=rule, version=2, enabled=True)
    scene.database.write_now(manage_it)
    stored = scene.database.read_now(lambda c: rules.load_rule(c, rule))
    assert stored is not None
    assert (stored.enabled, stored.stopped) == (True, None)


def test_a_trial_says_what_would_match_and_why_and_does_nothing(scene: Scene, lead: Actor) -> None:
    lin = scene.person("lin")
    tagged, _ = scene.chat(body="Please refund me"), scene.chat(body="Hello")
    before = len(scene.log())
    values = plan(
        "customer_wrote",
        {"do": "add_tag", "tags": ["x"]},
        when=[
            clause("message.text", "has", "refund"),
            clause("customer.orders", "max", 3),
            clause("customer.segment", "not_in", "loyal"),
        ],
    )
    trial = scene.database.read_now(
        lambda c: manage.try_out(Look(c, lead, scene.time.at_ms), values)
    )
    assert (trial.looked, trial.count) == (2, 1)
    assert trial.hits[0].thing.id == tagged
    assert len(trial.hits[0].because) == 3
    # Who refused to be worked out is in no segment, and not outside one either.
    refused = Consent(
        customer_id=scene.state(tagged).customer_id,
        purpose="profiling",
        state="refused",
        text_version="1",
        language="en",
        source="agent",
        at_ms=scene.time.at_ms,
    )
    scene.database.write_now(lambda tx: consents.add_consent(tx, refused))
    trial = scene.database.read_now(
        lambda c: manage.try_out(Look(c, lead, scene.time.at_ms), values)
    )
    assert trial.count == 0
    assert len(scene.log()) == before
    with pytest.raises(NotAllowed):
        add(scene, lin, values)


def test_conditions_ask_what_a_type_of_ticket_asks_for(scene: Scene, lead: Actor) -> None:
    lin, shopper = scene.person("lin"), scene.shopper()
    day = "2026-11-24"

    def make(kind: str, **fields: Any) -> str:  # Any: JSON values
        asked = {"type": kind, "subject": "?", "customer_id": shopper.id, "fields": fields}
        made = scene.do(tickets.create, lin, parse(tickets.CreateTicket, asked))
        return str(made["ticket_id"])

    quote = make("price", quote="12.50", quantity=3, valid_until=day, sku="LAMP")
    bare, returned = make("price"), make("return", reason="damaged")

    def met(*asked: Json) -> set[str]:
        values = plan("ticket_created", {"do": "add_tag", "tags": ["x"]}, when=[*asked])
        trial = scene.database.read_now(
            lambda c: manage.try_out(Look(c, lead, scene.time.at_ms), values)
        )
        return {one.thing.id for one in trial.hits}

    price = "ticket.field.price"
    assert met(clause(f"{price}.quote", "min", 1250)) == {quote}
    assert met(clause(f"{price}.quote", "min", 1251)) == set()
    assert met(clause(f"{price}.quantity", "max", 3)) == {quote}
    assert met(clause(f"{price}.sku", "in", "LAMP", "CHAIR")) == {quote}
    assert met(clause(f"{price}.valid_until", "until", day)) == {quote}
    assert met(clause(f"{price}.valid_until", "days_max", 9999)) == {quote}
    assert met(clause(f"{price}.quote", "empty")) == {bare}
    # Of another type it asks nothing, nor the opposite.
    assert met(clause("ticket.field.return.reason", "in", "damaged")) == {returned}
    assert met(clause("ticket.field.return.reason", "not_in", "size")) == {returned}
    # What the shop's types do not have, or cannot be asked, is not saved.
    for name, op, value in (
        ("ticket.field.price.colour", "has", "red"),
        ("ticket.field.price.quote", "has", "1"),
        ("ticket.field.return.reason", "in", "no such"),
    ):
        with pytest.raises(InvalidInput):
            met(clause(name, op, value))
    values = plan(
        "ticket_created",
        {"do": "add_tag", "tags": ["broken"]},
        when=[clause("ticket.field.return.reason", "in", "damaged", "wrong_item")],
    )
    scene.time.pass_s(1)
    add(scene, lead, values)
    again = make("return", reason="damaged")
    look(scene)
    [line] = [e.data for e in scene.log() if isinstance(e.data, RuleApplied)]
    assert line.en.endswith("because Return: Reason is Arrived damaged")
    assert "退货的原因是到货破损" in line.zh
    assert scene.state(again).tags == ("broken",)


def test_a_program_orders_rules_and_overwrites_nobody(scene: Scene, lead: Actor) -> None:
    values = plan("customer_wrote", {"do": "add_tag", "tags": ["x"]})
    first, second = add(scene, lead, values), add(scene, lead, values | {"name": "Second"})

    def change(**more: Any) -> Json:  # Any: fields
        asked = {"rule_id": second, "version": 1, **values, "name": "Now first", **more}
        return scene.do(rule_calls.change_rule, lead, parse(rule_calls.ChangeRule, asked))

    change(position=0)
    [one, two] = scene.database.read_now(rules.load_rules)
    assert [one.id, two.id] == [second, first]
    assert (one.plan.name, one.version, one.enabled, two.version) == ("Now first", 2, True, 1)
    with pytest.raises(Conflict):
        change(enabled=False)
    change(version=2, enabled=False)
    change(version=3)
    [one, _] = scene.database.read_now(rules.load_rules)
    assert (one.version, one.enabled) == (3, False)


def test_rules_of_one_name_are_carried_each_in_its_turn(scene: Scene, lead: Actor) -> None:
    first = plan("customer_wrote", {"do": "add_tag", "tags": ["x"]})
    second = plan("customer_wrote", {"do": "add_tag", "tags": ["y"]})

    def take(*given: Json) -> list[str]:
        took = scene.database.write_now(lambda tx: rule_calls.take_rules(tx, lead, given))
        return [what for what, _ in took]

    assert take(first, second) == ["added", "added"]
    assert take(first, second) == ["same", "same"]
    assert take(first, second, first) == ["same", "same", "added"]
    known = scene.database.read_now(rules.load_rules)
    with pytest.raises(InvalidInput, match="twice"):
        take(*([first | {"id": known[0].id}] * 2))


def test_each_ready_made_rule_makes_sense_in_both_languages(scene: Scene, lead: Actor) -> None:
    for name in READY:
        for locale in ("en", "zh"):
            read_plan(ready_plan(name, locale))
        take = partial(manage.take_over, actor=lead, name=name, locale="zh")
        rule_id = scene.database.write_now(take)
        switch = partial(manage.switch, actor=lead, rule_id=rule_id, version=1, enabled=True)
        scene.database.write_now(switch)
        with pytest.raises(Conflict):
            scene.database.write_now(switch)
    # All of them at once leave a shop at peace.
    shopper = scene.shopper(locale="zh")
    chat = scene.chat(shopper, "我要投诉")
    look(scene)
    made = [e for e in scene.log() if e.kind == "ticket.created"]
    assert len(made) == 1
    look(scene)
    assert scene.state(chat).tags == ("投诉",)


def test_each_action_does_what_it_says_and_nothing_the_second_time(
    scene: Scene, lead: Actor
) -> None:
    lin = scene.person("lin", teams=("care",))
    shopper = scene.shopper(locale="zh")
    on_ticket: list[Json] = [
        {"do": "set_type", "type": "complaint"},
        {"do": "set_field", "key": "wish", "value": "A new cup"},
        {"do": "set_field", "key": "colour", "value": "red"},
        {"do": "assign_team", "team": "care"},
        {"do": "assign_agent", "agent": "lin"},
        {"do": "post_message", "en": "Hello", "zh": "您的工单 {ticket.number}"},
        {"do": "post_message", "en": "{order.number}"},
        {"do": "snooze", "minutes": 60},
    ]
    ticket_rule = add(scene, lead, plan("ticket_created", *on_ticket))
    again = add(scene, lead, plan("ticket_state", *on_ticket[:2], *on_ticket[3:5], on_ticket[7]))
    on_chat: list[Json] = [
        {"do": "assign_team", "team": "care"},
        {"do": "assign_agent", "agent": "lin"},
        {"do": "remove_tag", "tags": ["x"]},
        {"do": "close", "reason": "not_needed"},
        {"do": "snooze", "minutes": 60},
    ]
    chat_rule = add(scene, lead, plan("tagged", *on_chat))
    asked = {"type": "question", "subject": "?", "customer_id": shopper.id}
    ticket_id = str(scene.do(tickets.create, lin, parse(tickets.CreateTicket, asked))["ticket_id"])
    chat = scene.chat(shopper)
    scene.do(conversations.tag, lin, conversations.Tag(conversation_id=chat, add=["x"], remove=[]))
    look(scene)
    look(scene)
    ticket = scene.database.read_now(lambda c: load_ticket(c, ticket_id))
    assert ticket is not None
    assert (ticket.type, ticket.team_id, ticket.assignee_id) == ("complaint", "care", "lin")
    assert (ticket.state, ticket.wake_at_ms) == ("on_hold", scene.time.at_ms + 3_600_000)
    [run] = runs(scene, ticket_rule)
    told = [one["outcome"] for one in run.steps]
    # Lin made it and has it; the type has no field of this colour; there is no order.
    assert told == ["done", "done", "failed", "done", "nothing", "done", "failed", "done"]
    assert [run.steps[2]["error"], run.steps[6]["error"]] == ["invalid_input", "words_open"]
    assert runs(scene, again) == [], "everything was so already"
    state = scene.state(chat)
    assert (state.status, state.team_id, state.tags) == ("resolved", "care", ())
    [run] = runs(scene, chat_rule)
    assert [(one["outcome"], one.get("error")) for one in run.steps][2:] == [
        ("done", None),
        ("done", None),
        ("failed", "over"),
    ]
    words = [e for e in scene.events(ticket_id) if e.actor_kind == "bot"]
    assert len(words) == 1
    body = scene.database.read_now(lambda c: _bodies(c, ticket_id))
    assert body == [f"您的工单 {ticket.number}"]
    assert scene.database.read_now(lambda c: list(verify(c))) == []


def _bodies(connection: Connection, conversation_id: str) -> list[str]:
    found = messages.messages_by_id(
        connection,
        [
            event.data.message_id
            for event in event_log.conversation_events(connection, conversation_id)
            if isinstance(event.data, MessagePosted)
        ],
    )
    return [message.body for message in found.values()]


def test_rules_are_moved_and_brought_back_by_who_has_seen_the_latest(
    scene: Scene, lead: Actor
) -> None:
    first = add(scene, lead, plan("rated", {"do": "note", "text": "1"}, name="First"))
    second = add(scene, lead, plan("rated", {"do": "note", "text": "2"}, name="Second"))
    move = partial(manage.move, actor=lead, version=1, by=-1)
    scene.database.write_now(partial(move, rule_id=first))
    scene.database.write_now(partial(move, rule_id=second))
    names = [one.plan.name for one in scene.database.read_now(rules.load_rules)]
    assert names == ["Second", "First"]
    with pytest.raises(Conflict):
        scene.database.write_now(partial(move, rule_id=second))
    scene.time.pass_s(60)
    changed = plan("rated", {"do": "note", "text": "3"}, name="Third")
    change = partial(manage.save, actor=lead, rule_id=second, enabled=True)
    scene.database.write_now(partial(change, values=changed, version=2))
    scene.database.write_now(partial(change, values=changed, version=3))
    back = partial(manage.restore, actor=lead, rule_id=second, version=3)
    with pytest.raises(NotFound):
        scene.database.write_now(partial(back, to=9))
    scene.database.write_now(partial(back, to=1))
    rule = scene.database.read_now(lambda c: rules.load_rule(c, second))
    assert rule is not None
    # What it says has changed, when it looks has not: it goes on from where it began.
    assert (rule.plan.name, rule.version, rule.since_ms) == (
        "Second",
        4,
        scene.time.at_ms - 60_000,
    )
    told = scene.database.read_now(lambda c: rules.versions_of(c, second))
    assert [one.change for one in told] == ["restored", "edited", "moved", "made"]
    scene.time.pass_s(91 * 24 * 3600)
    asyncio.run(job.forget(scene.database))
