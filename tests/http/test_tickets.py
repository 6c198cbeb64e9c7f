"""Tickets as people work with them, without any script."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any  # Any: JSON values
from urllib.parse import quote

from server.actions import targets, ticket_jobs, tickets, visitors
from server.actions.messages import PostMessage, post_message
from server.actions.ticket_merge import (
    MergeTicket,
    SplitTicket,
    UnmergeTicket,
    merge,
    split,
    unmerge,
)
from server.domain.actors import Actor, customer
from server.storage import tickets as stored
from server.storage.people import insert_team, load_people
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


async def test_a_ticket_that_is_over_leads_to_the_one_that_follows_it(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    shopper = await shopper_of(desk)
    first = await asked(desk, shopper)
    page = f"/tickets/{first}"
    assert "Followed by" not in (await lead.get(page + "?lang=en")).text
    over = {"state": "closed", "reason": "other", "note": "by phone"}
    assert (await lead.post(f"{page}/change", over, page=page)).status == 303
    thread = desk.database.read_now(lambda c: stored.id_of_number(c, first))
    again = PostMessage(client_id="again", body="It broke again", conversation_id=thread)
    await desk.database.write(lambda tx: post_message(tx, shopper, again))
    told = re.search(r'/tickets/(T-[\w-]+)\?own=1">Followed by', (await lead.get(page)).text)
    assert told is not None
    assert f"Follows {first}" in (await lead.get(f"/tickets/{told[1]}")).text
    assert "是它的后续工单" in (await lead.get(page + "?lang=zh")).text


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


async def test_a_refused_form_keeps_what_was_typed_and_other_forms_what_they_had(
    desk: Desk,
) -> None:
    agent = await desk.signed_in("agent")
    shopper = await shopper_of(desk)
    number = await asked(desk, shopper)
    page = f"/tickets/{number}"

    async def refused(form: str, values: dict[str, str], *, status: int = 400) -> str:
        answer = await agent.post(f"{page}/{form}", values, page=f"{page}?lang=en")
        assert answer.status == status
        return answer.text

    resolving = await refused("change", {"state": "resolved", "reason_text": "by phone"})
    assert '<option value="resolved" selected>' in resolving
    assert 'value="by phone"' in resolving

    # A time without putting aside was dropped without a word.
    later = await refused("change", {"state": "pending_customer", "until": "2099-01-01T09:00"})
    assert "Only a ticket that is put aside comes back" in later
    assert 'value="2099-01-01T09:00"' in later
    assert '<option value="pending_customer" selected>' in later

    team = desk.people["team"]
    late = {"title": "Ask the courier", "desk": f"team:{team}", "due": "2020-01-01T09:00"}
    text = await refused("task", late)
    assert "Choose a time that is still to come" in text
    assert 'value="Ask the courier"' in text
    assert f'<option value="team:{team}" selected>' in text
    assert "Say which team or person" in await refused("task", {"title": "Ask", "desk": ""})

    assert 'value="T-NONE"' in await refused("merge", {"into": "T-NONE"})
    linked = await refused("link", {"kind": "product", "target": "x" * 201})
    assert '<option value="product" selected>' in linked

    changed = {"typed": "question", "type": "question", "subject": "s" * 201, "priority": "urgent"}
    text = await refused("change", changed)
    assert "s" * 201 in text
    assert '<option value="urgent" selected>' in text
    # A subject for what is split off is not the ticket's.
    text = await refused("split", {"message": "none", "subject": "Another matter"})
    assert "Another matter" not in text


async def test_a_list_says_what_comes_first_and_whose_a_new_ticket_is_to_be(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    empty = (await agent.get("/tickets?lang=en")).text
    assert "No tickets yet" in empty
    assert 'href="/tickets/new"' in empty
    whose = await agent.get("/tickets/new")
    assert whose.status == 200
    assert 'action="/customers"' in whose.text
    number = await asked(desk, await shopper_of(desk))
    desk.time.now += 600
    waiting = (await agent.get("/tickets")).text
    assert "· 10 min" in waiting
    key = desk.database.read_now(lambda c: stored.id_of_number(c, number)) or ""
    await desk.database.write(partial(targets.look, conversation_id=key))
    assert re.search(r"due [^<·]+ · \d+ h left", (await agent.get("/tickets")).text)
    desk.time.now += 5 * 3600
    assert re.search(r"overdue since [^<·]+ · 70 min", (await agent.get("/tickets")).text)


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
    wanted = {"title": "Call them", "desk": f"person:{desk.people['agent']}"}
    await agent.post(f"{here}/task", wanted, page=here)
    text = (await agent.get(here)).text
    assert re.search(r"asked [^:<]+: Call them", text)
    assert "asked no team" not in text
    await agent.post(f"{here}/link", {"kind": "ticket", "target": first}, page=here)
    text = (await agent.get(here)).text
    assert "Seen" in text
    assert f"/tickets/{first}?own=1" in text
    await agent.post(f"{here}/change", {"state": "on_hold", "until": "2099-01-01T10:00"}, page=here)
    joined = await agent.post(f"/tickets/{first}/merge", {"into": second}, page=here)
    assert joined.location == f"{here}?done=joined"
    assert (await agent.get(f"/tickets/{first}")).location.startswith(here)
    assert "台灯坏了" in (await agent.get(here)).text, "its words are read here"
    own = (await agent.get(f"/tickets/{first}?own=1")).text
    assert f"This ticket goes on in {second}." in own
    assert set(re.findall(rf'action="/tickets/{first}/([\w-]+)"', own)) == {"watch", "unmerge"}
    away = await agent.post(f"/tickets/{first}/unmerge", {}, page=here)
    assert away.location.startswith(f"/tickets/{first}?")
    watching = await agent.post(f"{here}/watch", {"watching": "1"}, page=here)
    assert watching.status == 303
    assert second in (await agent.get("/tickets?whose=watched")).text


async def test_what_was_split_off_is_read_where_its_ticket_goes_on(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    shopper = await shopper_of(desk)
    first, third = await asked(desk, shopper), await asked(desk, shopper, "Where is my parcel?")
    boss = next(p for p in await desk.database.read(load_people) if p.role == "supervisor").actor

    async def act(action: Callable[..., Any], payload: Any) -> Any:  # Any: JSON values
        return await desk.database.write(lambda tx: action(tx, boss, payload))

    def id_of(number: str) -> str:
        return desk.database.read_now(lambda c: stored.id_of_number(c, number)) or ""

    async def read(number: str) -> bool:
        return '<p class="words">台灯坏了' in (await agent.get(f"/tickets/{number}?own=1")).text

    said = desk.database.read_now(lambda c: stored.messages_between(c, id_of(first), 0, 2**53))
    cut = SplitTicket(ticket_id=id_of(first), message_id=said[0].id, subject="灯罩")
    new = (await act(split, cut))["number"]
    assert (await read(first), await read(new)) == (False, True)
    await act(merge, MergeTicket(ticket_id=id_of(new), into=third))
    assert (await read(first), await read(third)) == (False, True)
    await act(unmerge, UnmergeTicket(ticket_id=id_of(new)))
    await act(merge, MergeTicket(ticket_id=id_of(new), into=first))
    assert (await read(first), await read(third)) == (True, False)
    # Who does not see where it goes on is told so, and not led to what is not found.
    await desk.database.write(lambda tx: insert_team(tx, "other", name="Other", name_zh=None))
    away = tickets.ChangeTicket(ticket_id=id_of(first), team_id="other", assignee_id=boss.id)
    await act(tickets.change, away)
    page = await agent.get(f"/tickets/{new}")
    assert page.status == 200
    assert f"This ticket goes on in {first}." in page.text
    assert f'href="/tickets/{first}"' not in page.text


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
