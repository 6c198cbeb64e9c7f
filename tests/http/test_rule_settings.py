"""Settings: a rule is taken over, changed without a script, tried, saved, switched, undone."""

from __future__ import annotations

import re
from functools import partial

from server.actions.messages import PostMessage, post_message
from server.actions.visitors import Connect, connect
from server.domain.actors import SYSTEM, customer
from server.domain.events import RuleApplied
from server.storage import rules
from server.storage.shop import load_shop
from tests.http.desk import Desk

ROOT = "/settings/rules"


async def test_a_rule_is_made_tried_and_watched_without_a_script(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    empty = (await lead.get(ROOT)).text
    assert "There is no rule yet" in empty
    # One of the ready-made rules comes switched off.
    answer = await lead.post(ROOT, {"ready": "vip_first"})
    assert answer.status == 303
    path = answer.location.partition("?")[0]
    assert "It is switched off" in (await lead.get(answer.location)).text
    [rule] = desk.database.read_now(rules.load_rules)
    assert (rule.enabled, rule.plan.name) == (False, "Valued customers’ tickets first")
    # A condition is added: the form comes back with it, and nothing is saved.
    form = [
        ("version", "1"),
        ("groups", "1"),
        ("name", "Big orders"),
        ("enabled", "1"),
        ("kind", "event"),
        ("event", "ticket_created"),
        ("g0_join", "all"),
        ("c0_0_field", "order.total_minor"),
        ("c0_0_op", "min"),
        ("c0_0_value", "200.50"),
        ("a0_do", "add_tag"),
        ("a0_tags", "big，大单"),
    ]
    added = await lead.post(path, [*form, ("add_clause0", "ticket.type"), ("do", "add_clause:0")])
    assert added.status == 200
    assert 'name="c0_1_field" value="ticket.type"' in added.text
    assert "Not saved yet." in added.text
    form += [("c0_1_field", "ticket.type"), ("c0_1_op", "in"), ("c0_1_value", "complaint")]
    # A trial says what it would meet and does nothing.
    tried = await lead.post(path, [*form, ("do", "preview")])
    assert "Of 0 chats and tickets" in tried.text
    [same] = desk.database.read_now(rules.load_rules)
    assert same == rule
    # What is not complete is marked, and what was typed stays.
    wrong = [pair for pair in form if pair[0] != "a0_tags"]
    refused = await lead.post(path, [*wrong, ("do", "save")])
    assert (refused.status, "The marked action is not complete" in refused.text) == (400, True)
    assert 'value="Big orders"' in refused.text
    assert "data-wrong" in refused.text
    saved = await lead.post(path, [*form, ("do", "save")])
    assert saved.status == 303
    [rule] = desk.database.read_now(rules.load_rules)
    assert (rule.version, rule.enabled) == (2, True)
    money, kind = rule.plan.when.clauses
    assert (money.values, kind.values) == ((20050,), ("complaint",))
    assert rule.plan.then[0].params["tags"] == ("big", "大单")
    # What somebody saves who has not seen that is refused.
    other = [(key, "Late" if key == "name" else value) for key, value in form]
    late = await lead.post(path, [*other, ("do", "save")])
    assert late.status == 409
    listed = (await lead.get(f"{ROOT}?lang=zh")).text
    assert "订单金额至少为¥200.50，且工单类型是投诉" in listed
    # An earlier version is brought back, the rule switched off, its log read, and it is removed.
    back = await lead.post(
        f"{path}/change", {"version": "2", "do": "restore", "to": "1"}, page=path
    )
    assert back.status == 303
    off = await lead.post(f"{path}/change", {"version": "3", "do": "off"}, page=path)
    assert off.status == 303
    page = (await lead.get(path)).text
    assert re.findall(r'<th scope="row" class="n">(\d)</th>', page) == [*"4321"]
    assert "还没有" not in page
    assert "尚未执行过" in (await lead.get(f"{path}/log")).text
    assert "没有这类记录" in (await lead.get(f"{path}/log?outcome=failed")).text
    assert (await lead.post(f"{path}/remove")).status == 303
    assert desk.database.read_now(rules.load_rules) == []
    assert (await lead.get(path)).status == 404


async def test_a_trial_names_chats_by_whom_they_are_with(desk: Desk) -> None:
    shop = desk.database.read_now(load_shop)
    assert shop is not None
    welcome = await desk.database.write(partial(connect, payload=Connect(site=shop.site_key)))
    asked = PostMessage(client_id="1", body="Hello")
    shopper = customer(welcome["customer_id"])
    await desk.database.write(partial(post_message, actor=shopper, payload=asked))
    lead = await desk.signed_in("supervisor")
    form = [
        ("name", "Mark"),
        ("kind", "event"),
        ("event", "customer_wrote"),
        ("a0_do", "add_tag"),
        ("a0_tags", "new"),
        ("do", "preview"),
    ]
    tried = (await lead.post(f"{ROOT}/new", form, page=f"{ROOT}/new?lang=en")).text
    assert f"Chat with Visitor {(shopper.id or '')[-4:].upper()}</a>" in tried


async def test_what_a_rule_did_about_an_order_stands_in_the_customers_history(desk: Desk) -> None:
    shop = await desk.database.read(load_shop)
    assert shop is not None
    welcome = await desk.database.write(partial(connect, payload=Connect(site=shop.site_key)))
    said = RuleApplied(
        rule_id="r", version=1, run_id="x", rule="R", en="Rule R acted", zh="规则执行"
    )
    key = str(welcome["customer_id"])
    await desk.database.write(lambda tx: tx.record(SYSTEM, said, customer_id=key))
    lead = await desk.signed_in("supervisor")
    assert "Rule R acted" in (await lead.get(f"/customers/{key}")).text
    assert "规则执行" in (await lead.get(f"/customers/{key}?lang=zh")).text
