"""Notices: who is told of what, once, and what is shown of it later."""

from __future__ import annotations

import asyncio

from server.actions import notices as actions
from server.actions import ticket_merge, tickets
from server.actions.ticket_parts import AddTask, ChangeTask, add_task, change_task
from server.domain.actors import Actor
from server.jobs import notices as jobs
from server.jobs import targets as clocks
from server.storage import notices, people
from tests.actions.scene import Scene
from tests.actions.tickets import change, reply, submit

DAY_S = 86_400


def follow(scene: Scene) -> None:
    asyncio.run(jobs.follow(scene.database))


def told(scene: Scene, actor: Actor, *, unread: bool = False) -> list[str]:
    found = scene.database.read_now(
        lambda c: notices.page(c, actor, before=None, unread=unread, limit=50)
    )
    assert scene.database.read_now(lambda c: notices.count_unread(c, actor)) == len(
        [one for one in found if not one.read]
    )
    return [one.kind for one in reversed(found)]


def test_people_are_told_once_of_what_others_did_to_their_tickets(scene: Scene) -> None:
    scene.person("mei", teams=("orders",))
    scene.person("tom", teams=("returns",))
    ana = scene.person("ana", role="supervisor")
    mei, tom = scene.actor("mei"), scene.actor("tom")
    asyncio.run(clocks.follow(scene.database))
    follow(scene)
    shopper = scene.shopper(locale="en")
    ticket = submit(scene, shopper)
    scene.do(tickets.watch, tom, tickets.WatchTicket(ticket_id=ticket.id))
    change(scene, mei, ticket, assignee_id="mei")
    follow(scene)
    # Nobody is told of what they did themselves, nor of the words a ticket begins with.
    assert (told(scene, mei), told(scene, tom)) == ([], [])

    scene.time.pass_s(60)
    reply(scene, mei, ticket)
    scene.time.pass_s(60)
    scene.post(shopper, "And now?", ticket.id)
    follow(scene)
    follow(scene)
    assert (told(scene, mei), told(scene, tom), told(scene, ana)) == (["reply"], ["reply"], [])

    change(scene, ana, ticket, assignee_id="tom", team_id="returns")
    follow(scene)
    assert told(scene, tom) == ["reply", "handed"]
    # The ticket is another team's now: what mei was told of it is shown no more.
    assert told(scene, mei) == []
    scene.database.write_now(lambda tx: people.replace_teams(tx, "mei", ["orders", "returns"]))
    assert told(scene, scene.actor("mei")) == ["reply"]

    scene.database.write_now(lambda tx: actions.mark_seen(tx, tom, ticket.id))
    assert told(scene, tom, unread=True) == []
    asyncio.run(clocks.follow(scene.database))
    scene.time.pass_s(9 * DAY_S)
    asyncio.run(clocks.watch(scene.database))
    follow(scene)
    assert told(scene, tom, unread=True).count("missed") >= 1

    other = submit(scene, shopper, client_id="second", body="Another thing")
    if other.id != ticket.id:
        scene.do(
            ticket_merge.merge,
            ana,
            ticket_merge.MergeTicket(ticket_id=ticket.id, into=other.number),
        )
        follow(scene)
        assert told(scene, tom)[-1] == "merged"
    top = scene.database.read_now(
        lambda c: notices.page(c, tom, before=None, unread=False, limit=1)
    )[0].seq
    scene.database.write_now(lambda tx: actions.mark_read(tx, tom, up_to=top))
    assert told(scene, tom, unread=True) == []

    scene.time.pass_s(91 * DAY_S)
    asyncio.run(jobs.forget(scene.database))
    assert told(scene, tom) == []


def test_a_sub_task_is_told_to_whose_it_is_and_its_end_to_who_asked_for_it(scene: Scene) -> None:
    scene.person("mei", teams=("orders",))
    scene.person("tom", teams=("returns",))
    mei, tom = scene.actor("mei"), scene.actor("tom")
    follow(scene)
    ticket = submit(scene, scene.shopper())
    change(scene, mei, ticket, assignee_id="mei", team_id="orders")
    asked = AddTask(ticket_id=ticket.id, title="Send spare screws", assignee_id="tom")
    task_id = scene.do(add_task, mei, asked)["task_id"]
    scene.do(add_task, mei, AddTask(ticket_id=ticket.id, title="Call", assignee_id="mei"))
    follow(scene)
    assert (told(scene, mei), told(scene, tom)) == ([], ["asked"])
    done = ChangeTask(ticket_id=ticket.id, task_id=task_id, state="done", result="sent")
    scene.do(change_task, tom, done)
    follow(scene)
    assert told(scene, mei) == ["task_ended"]
