"""Tickets as people work with them, without any script."""

from __future__ import annotations

import re
from urllib.parse import quote

from server.actions import ticket_jobs, tickets, visitors
from server.domain.actors import Actor, customer
from server.storage import tickets as stored
from server.storage.shop import load_shop
from server.storage.ticket_types import load_statuses, load_types
from tests.http.desk import Desk, Visitor

TYPES = "/settings/ticket-types"


async def shopper_of(desk: Desk) -> Actor:
    shop = desk.database.read_now(load_shop)
    assert shop is not None
    connect = visitors.Connect(site=shop.site_key, locale="zh")
    found = await desk.database.write(lambda tx: visitors.connect(tx, connect))
    return customer(found["customer_id"])


async def asked(desk: Desk, shopper: Actor, body: str = "台灯坏了 <b>broken</b>") -> str:
    payload = tickets.SubmitRequest(body=body, name="林悦")
    answer = await desk.database.write(lambda tx: tickets.submit(tx, shopper, payload))
    return str(answer["ticket_number"])


async def hidden(visitor: Visitor, page: str) -> dict[str, str]:
    """The hidden fields of the form for a reply."""
    text = (await visitor.get(page)).text
    form = text[text.index("ticket-reply") :]
    return {
        name: found[1]
        for name in ("client_id", "seen_seq")
        if (found := re.search(rf'name="{name}" value="([^"]*)"', form))
    }


async def test_a_request_is_found_answered_resolved_and_its_history_told(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    shopper = await shopper_of(desk)
    number = await asked(desk, shopper)
    page = f"/tickets/{number}"
    column = (await agent.get("/tickets?lang=en")).text
    assert number in column
    assert "台灯坏了 &lt;b&gt;broken&lt;/b&gt;" in column
    assert number in (await agent.get("/tickets?q=" + quote("灯坏"))).text
    assert number not in (await agent.get("/tickets?q=nothing")).text
    # It does not end without an answer or a reason.
    refused = await agent.post(f"{page}/change", {"state": "resolved"}, page=page)
    assert refused.status == 400
    assert "say why this ends" in refused.text
    sent = await hidden(agent, page) | {"body": "A new one is on its way", "then": "resolved"}
    assert (await agent.post(f"{page}/reply", sent, page=page)).status == 303
    text = (await agent.get(page)).text
    assert "A new one is on its way" in text
    assert "set it to “Resolved”" in text
    assert "took it over" in text
    zh = (await agent.get(f"{page}?lang=zh")).text
    assert "将状态改为“已解决”" in zh


async def test_who_is_overtaken_reads_first_and_loses_no_word(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    shopper = await shopper_of(desk)
    number = await asked(desk, shopper)
    page = f"/tickets/{number}"
    sent = await hidden(agent, page) | {"body": "Send it back", "then": ""}
    await asked_again(desk, shopper, number)
    answer = await agent.post(f"{page}/reply", sent, page=page)
    assert answer.status == 409
    assert "It works again" in answer.text
    assert "Send it back" in answer.text
    again = dict(re.findall(r'name="(client_id|seen_seq)" value="([^"]*)"', answer.text))
    assert (await agent.post(f"{page}/reply", sent | again, page=page)).status == 303


async def asked_again(desk: Desk, shopper: Actor, number: str) -> None:
    from server.actions.messages import PostMessage, post_message

    ticket_id = desk.database.read_now(lambda c: stored.id_of_number(c, number))
    payload = PostMessage(client_id="again", body="It works again", conversation_id=ticket_id)
    await desk.database.write(lambda tx: post_message(tx, shopper, payload))


async def test_tickets_are_made_joined_separated_shared_and_put_aside(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    shopper = await shopper_of(desk)
    first = await asked(desk, shopper)
    new = f"/tickets/new?customer={shopper.id}"
    made = await agent.post(
        "/tickets/new",
        {"customer": shopper.id, "type": "defect", "subject": "Lamp", "field.sku": "L-1"},
        page=new,
    )
    assert made.status == 400, "the defect is missing"
    fields = {"field.sku": "L-1", "field.defect": "broken", "field.batch": "B7"}
    made = await agent.post(
        "/tickets/new",
        {"customer": shopper.id, "type": "defect", "subject": "Lamp", **fields},
        page=new,
    )
    found = re.match(r"/tickets/(T-[\w-]+)", made.location)
    assert found is not None
    second = found[1]
    here = f"/tickets/{second}"
    assert 'value="B7"' in (await agent.get(here)).text
    await agent.post(
        f"{here}/task", {"title": "Look", "desk": f"team:{desk.people['team']}"}, page=here
    )
    text = (await agent.get(here)).text
    task = re.search(r'name="task" value="(\w+)"', text)
    assert task is not None
    await agent.post(
        f"{here}/task-end", {"task": task[1], "state": "done", "result": "Seen"}, page=here
    )
    await agent.post(f"{here}/link", {"kind": "ticket", "target": first}, page=here)
    text = (await agent.get(here)).text
    assert "Seen" in text
    assert f"/tickets/{first}?own=1" in text
    await agent.post(f"{here}/change", {"state": "on_hold", "until": "2099-01-01T10:00"}, page=here)
    joined = await agent.post(f"/tickets/{first}/merge", {"into": second}, page=here)
    assert joined.location == f"{here}?done=joined"
    assert (await agent.get(f"/tickets/{first}")).location.startswith(here)
    assert "台灯坏了" in (await agent.get(here)).text, "its words are read here"
    away = await agent.post(f"/tickets/{first}/unmerge", {}, page=here)
    assert away.location.startswith(f"/tickets/{first}?")
    watching = await agent.post(f"{here}/watch", {"watching": "1"}, page=here)
    assert watching.status == 303
    assert second in (await agent.get("/tickets?whose=watched")).text


async def test_a_supervisor_changes_types_names_and_rules(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    line = "colour | choice red=Red=红, blue=Blue=蓝 | Colour | 颜色 | required"
    values = {"name_en": "Warranty", "name_zh": "保修", "fields": line, "active": "1"}
    made = await lead.post(TYPES, values | {"id": "warranty"}, page=TYPES)
    assert made.location == f"{TYPES}/warranty?done=saved"
    kind = desk.database.read_now(load_types)["warranty"]
    assert [(one.key, one.required, len(one.choices)) for one in kind.fields] == [
        ("colour", True, 2)
    ]
    assert line in (await lead.get(f"{TYPES}/warranty")).text
    wrong = await lead.post(f"{TYPES}/warranty", values | {"fields": "nonsense"}, page=TYPES)
    assert wrong.status == 400
    name = {
        "id": "warehouse",
        "state": "on_hold",
        "name_en": "At the warehouse",
        "name_zh": "仓库处理",
    }
    await lead.post(f"{TYPES}/statuses", name, page=TYPES)
    assert desk.database.read_now(load_statuses)["warehouse"].state == "on_hold"
    days = {"remind_days": "2", "resolve_days": "5", "close_days": "7", "on": "1"}
    tried = await lead.post(f"{TYPES}/closing", days | {"do": "preview"}, page=TYPES)
    assert "would remind 0" in tried.text
    shop = desk.database.read_now(load_shop)
    assert not ticket_jobs.closing_of(shop).on, "trying changes nothing"
    assert (await lead.post(f"{TYPES}/closing", days, page=TYPES)).status == 303
    assert ticket_jobs.closing_of(desk.database.read_now(load_shop)).on
