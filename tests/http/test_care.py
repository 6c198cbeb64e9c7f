"""Open loops, product quality, repairs and follow-up calls as people see them, without a script."""

from __future__ import annotations

from server.actions import ticket_parts as parts
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
