"""Open loops, product quality, repairs and follow-up calls as people see them, without a script."""

from __future__ import annotations

from server.actions import ticket_parts as parts
from server.actions import tickets
from server.storage import tickets as stored
from server.storage.people import load_person
from tests.http.desk import Desk
from tests.http.test_tickets import asked, shopper_of

LOOPS = "/tickets/open-loops"


async def test_what_is_late_stands_on_one_list_until_it_is_done(desk: Desk) -> None:
    lead = await desk.signed_in("supervisor")
    assert "As it must be" in (await lead.get("/tickets?lang=en")).text
    assert "Nothing waits for us past its target" in (await lead.get(LOOPS)).text
    number = await asked(desk, await shopper_of(desk))
    key = desk.database.read_now(lambda c: stored.id_of_number(c, number)) or ""
    due = desk.database.clock() + 60_000
    task = parts.AddTask(
        ticket_id=key, title="Ask the store", assignee_id=desk.people["agent"], due_at_ms=due
    )
    person = desk.database.read_now(lambda c: load_person(c, desk.people["supervisor"]))
    assert person is not None
    actor = person.actor
    await desk.database.write(lambda tx: parts.add_task(tx, actor, task))
    assert "Ask the store" not in (await lead.get(LOOPS)).text
    desk.time.now += 3600
    text = (await lead.get(f"{LOOPS}?lang=en")).text
    assert "Ask the store" in text
    assert number in text
    assert "59 min" in text
    assert "This must be zero" in (await lead.get("/tickets?lang=en")).text
    assert "未闭环事项" in (await lead.get(f"{LOOPS}?lang=zh")).text
    assert "Open loops" in (await lead.get("/reports/live?lang=en")).text
    found = desk.database.read_now(lambda c: stored.tasks_of(c, key))
    done = parts.ChangeTask(ticket_id=key, task_id=found[0].id, state="done")
    await desk.database.write(lambda tx: parts.change_task(tx, actor, done))
    assert "Ask the store" not in (await lead.get(LOOPS)).text


async def test_a_product_leads_to_its_tickets_a_masked_file_and_one_message_each(
    desk: Desk,
) -> None:
    lead = await desk.signed_in("supervisor")
    assert "Nobody has told of a defect" in (await lead.get("/reports/products?lang=en")).text
    shopper = await shopper_of(desk)
    number = await asked(desk, shopper, "我叫林悦，电话 13800138000，台灯坏了")
    key = desk.database.read_now(lambda c: stored.id_of_number(c, number)) or ""
    person = desk.database.read_now(lambda c: load_person(c, desk.people["supervisor"]))
    assert person is not None
    fields: dict[str, str | int | None] = {"sku": "LAMP", "batch": "B1", "defect": "broken"}
    change = tickets.ChangeTicket(ticket_id=key, type="defect", fields=fields)
    await desk.database.write(lambda tx: tickets.change(tx, person.actor, change))
    desk.time.now += 60
    listed = (await lead.get("/reports/products?lang=en")).text
    assert "LAMP" in listed
    assert "fewer than 30 orders" in listed
    page = "/reports/products/one?sku=LAMP&batch=B1&weeks=13"
    assert number in (await lead.get(page + "&lang=zh")).text
    file = (await lead.post("/reports/products/export.csv?sku=LAMP", page="/reports/products")).text
    assert "台灯坏了" in file
    assert "138" not in file.split("quote")[1].split(number)[1]
    assert "林悦" not in file
    words = {"words_en": "It is fixed", "words_zh": "已经修好"}
    sure = await lead.post(page, words | {"do": "ask"}, page=page)
    assert "已经修好" in sure.text
    sent = await lead.post(page, words | {"do": "tell"}, page=page)
    assert sent.status == 303
    assert "已经修好" in (await lead.get(f"/tickets/{number}")).text
    again = await lead.post(page, words | {"do": "tell"}, page=page)
    assert again.status == 400


async def test_repairs_and_calls_are_set_up_and_an_outcome_is_kept_without_a_script(
    desk: Desk,
) -> None:
    lead = await desk.signed_in("supervisor")
    page = "/settings/care"
    numbers = {"rating": "1", "days": "30", "refund": "800", "due_hours": "8"}
    kept = await lead.post(page, {"on": "1", "kind": "rating"} | numbers, page=page)
    assert kept.status == 303
    assert 'value="800' in (await lead.get(page)).text
    wrong = await lead.post(page, numbers | {"rating": "9"}, page=page)
    assert wrong.status == 400
    plan = {"plan_days": "3", "share": "50", "question_zh": "用得满意吗？", "enabled": "1"}
    made = await lead.post(f"{page}/plans", plan | {"do": "save"}, page=page)
    assert made.status == 303
    assert "签收 3 天后" in (await lead.get(f"{page}?lang=zh")).text
    shopper = await shopper_of(desk)
    person = desk.database.read_now(lambda c: load_person(c, desk.people["supervisor"]))
    assert person is not None
    call = tickets.CreateTicket(type="follow_up", subject="Call", customer_id=shopper.id)
    number = (await desk.database.write(lambda tx: tickets.create(tx, person.actor, call)))[
        "number"
    ]
    ticket = f"/tickets/{number}"
    assert "What came of it" in (await lead.get(f"{ticket}?lang=en")).text
    refused = await lead.post(f"{ticket}/call", {"outcome": "not_reached"}, page=ticket)
    assert refused.status == 400
    told = await lead.post(
        f"{ticket}/call", {"outcome": "problem", "remarks": "It flickers"}, page=ticket
    )
    assert told.status == 303
    assert told.headers["Location"].endswith("?done=made")
    assert "It flickers" in (await lead.get(told.headers["Location"])).text


async def test_who_wants_no_mail_about_defects_says_so_in_their_profile(desk: Desk) -> None:
    page = "/settings/profile"
    lead = await desk.signed_in("supervisor")
    assert 'name="alarm_mail" value="1" checked' in (await lead.get(page)).text
    named = {"name": "Lead", "locale": "zh", "alarm_asked": "1"}
    assert (await lead.post(page, named)).status == 303
    assert 'name="alarm_mail" value="1">' in (await lead.get(page)).text
    assert (await lead.post(page, named | {"alarm_mail": "1"})).status == 303
    assert "checked" in (await lead.get(page)).text
    # Agents get none, so they are not asked.
    agent = await desk.signed_in("agent")
    assert "alarm_mail" not in (await agent.get(page)).text
