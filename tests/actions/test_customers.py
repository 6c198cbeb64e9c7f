"""Notes that nobody overwrites, tags, blocks, and chats that an agent begins."""

from __future__ import annotations

from typing import Any  # Any: JSON values

import pytest
from sqlalchemy import update

from server.actions import customers
from server.actions.payload import parse
from server.domain.actors import Actor
from server.domain.conditions import Is
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from server.storage import directory, notes
from server.storage.customers import CUSTOMER, VISITOR_TOKEN
from server.storage.notes import Note, Preference
from tests.actions.scene import Scene


def note(scene: Scene, actor: Actor, customer_id: str, body: str, version: int) -> None:
    scene.do(
        customers.write_note,
        actor,
        customers.WriteNote(customer_id=customer_id, body=body, version=version),
    )


def noted(scene: Scene, *rows: str) -> list[Note]:
    return scene.database.read_now(lambda c: notes.notes_of(c, rows))


def tag(scene: Scene, actor: Actor, customer_id: str, **words: list[str]) -> None:
    payload = parse(customers.TagCustomer, {"customer_id": customer_id, **words})
    scene.do(customers.tag, actor, payload)


def prefer(scene: Scene, actor: Actor, customer_id: str, **wanted: Any) -> Preference | None:
    payload = parse(customers.Prefer, {"customer_id": customer_id, **wanted})
    scene.do(customers.prefer, actor, payload)
    return scene.database.read_now(lambda c: notes.preference_of(c, [customer_id]))


def block(scene: Scene, actor: Actor, customer_id: str, **more: Any) -> None:
    payload = parse(customers.BlockCustomer, {"customer_id": customer_id, "blocked": True, **more})
    scene.do(customers.set_block, actor, payload)


def start(scene: Scene, actor: Actor, customer_id: str, **more: Any) -> str:
    values = {"customer_id": customer_id, "client_id": "s1", "body": "Your parcel is late.", **more}
    answer = scene.do(
        customers.start_conversation, actor, parse(customers.StartConversation, values)
    )
    return str(answer["conversation_id"])


def merge(scene: Scene, row: str, person: str) -> None:
    scene.database.write_now(
        lambda tx: tx.later(
            update(CUSTOMER)
            .where(CUSTOMER.c.id == row)
            .values(merged_into=person, merged_as="merge", person_id=person)
        )
    )


def kinds_of(scene: Scene, customer_id: str) -> list[str]:
    return [e.kind for e in scene.log() if e.customer_id == customer_id and not e.conversation_id]


def test_of_two_editors_the_second_gets_both_texts(scene: Scene) -> None:
    lin, chen = scene.person("lin"), scene.person("chen")
    shopper = scene.shopper().id or ""
    note(scene, lin, shopper, "Likes oak.", 0)
    seen = noted(scene, shopper)[0].version
    note(scene, chen, shopper, "Likes oak. Rings at noon.", seen)
    with pytest.raises(Conflict) as refused:
        note(scene, lin, shopper, "Likes oak and walnut.", seen)
    assert refused.value.details["yours"] == "Likes oak and walnut."
    theirs: Any = refused.value.details["note"]
    assert (theirs["body"], theirs["by"]) == ("Likes oak. Rings at noon.", "Chen")
    note(scene, lin, shopper, "Likes oak and walnut. Rings at noon.", theirs["version"])
    assert [n.body for n in noted(scene, shopper)] == ["Likes oak and walnut. Rings at noon."]
    assert kinds_of(scene, shopper) == ["customer.noted"] * 3


def test_saving_what_is_there_already_is_no_conflict_and_no_change(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper().id or ""
    note(scene, lin, shopper, "Likes oak.", 0)
    note(scene, lin, shopper, "Likes oak.", 0)
    assert kinds_of(scene, shopper) == ["customer.noted"]


def test_a_removed_note_is_gone_and_who_had_it_open_learns_that(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper().id or ""
    note(scene, lin, shopper, "Likes oak.", 0)
    seen = noted(scene, shopper)[0].version
    note(scene, lin, shopper, "", seen)
    assert noted(scene, shopper) == []
    with pytest.raises(Conflict) as refused:
        note(scene, lin, shopper, "Likes oak, too.", seen)
    assert refused.value.details["note"] is None


def test_notes_that_a_merge_brought_together_keep_versions_of_their_own(scene: Scene) -> None:
    lin = scene.person("lin")
    one, other = scene.shopper().id or "", scene.shopper().id or ""
    note(scene, lin, one, "From the browser.", 0)
    scene.time.pass_s(1)
    note(scene, lin, other, "From the shop.", 0)
    merge(scene, one, other)
    stale, kept = noted(scene, one)[0], noted(scene, other)[0]
    with pytest.raises(Conflict):
        note(scene, lin, one, "Both.", stale.version)
    note(scene, lin, one, "Both.", kept.version)
    assert [n.body for n in noted(scene, other, one)] == ["Both.", "From the browser."]


def test_tags_are_put_on_once_and_come_off_every_row(scene: Scene) -> None:
    lin = scene.person("lin")
    one, other = scene.shopper().id or "", scene.shopper().id or ""
    tag(scene, lin, one, add=["vip", "vip"])
    merge(scene, one, other)
    scene.time.pass_s(1)
    tag(scene, lin, other, add=["vip", "gift"])
    rows = [other, one]
    assert scene.database.read_now(lambda c: notes.tags_of(c, rows)) == ("vip", "gift")
    tag(scene, lin, other, remove=["vip"])
    assert scene.database.read_now(lambda c: notes.tags_of(c, rows)) == ("gift",)


def test_preferences_change_only_where_they_are_named(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper().id or ""
    assert prefer(scene, lin, shopper, channel="email") == Preference("email", None, None, None)
    hours = {"from": "22:00", "to": "08:00", "timezone": "Europe/Berlin"}
    both = Preference("email", 1320, 480, "Europe/Berlin")
    assert prefer(scene, lin, shopper, quiet_hours=hours) == both
    gone = Preference("email", None, None, None)
    assert prefer(scene, lin, shopper, quiet_hours=None) == gone
    for wrong in ({"from": "25:00", "to": "08:00"}, {"from": "08:00", "to": "08:00"}):
        with pytest.raises(InvalidInput):
            prefer(scene, lin, shopper, quiet_hours=wrong)


def test_a_blocked_shopper_is_told_so_until_unblocked(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper()
    chat = scene.chat(shopper)
    block(scene, lin, shopper.id or "", reason="Threats", spam=True)
    assert scene.state(chat).status == "spam"
    with pytest.raises(NotAllowed) as refused:
        scene.post(shopper, "Let me in")
    assert refused.value.details["reason"] == "blocked"
    block(scene, lin, shopper.id or "", blocked=False)
    scene.post(shopper, "Sorry")
    assert kinds_of(scene, shopper.id or "") == ["customer.blocked", "customer.unblocked"]


def test_another_process_refuses_a_blocked_shopper_at_once(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper()
    other = scene.open()
    scene.post(shopper, "Hello")
    scene.database, first = other, scene.database
    block(scene, lin, shopper.id or "")
    scene.database = first
    with pytest.raises(NotAllowed):
        scene.post(shopper, "Again")


def test_a_resend_of_what_was_taken_before_the_block_is_answered_as_before(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper()
    before = scene.post(shopper, "Hello", client_id="c1")
    block(scene, lin, shopper.id or "")
    assert scene.post(shopper, "Hello", client_id="c1") == before


def test_an_agent_begins_a_chat_that_counts_once_the_customer_answers(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper()
    chat = start(scene, lin, shopper.id or "")
    state = scene.state(chat)
    assert (state.initiator, state.assignee_id, state.session) == ("agent", "lin", None)
    assert scene.turns(chat) == []
    assert start(scene, lin, shopper.id or "") == chat
    scene.time.pass_s(60)
    assert scene.chat(shopper, "Where is it?") == chat
    assert (scene.session(chat).cause, len(scene.turns(chat))) == ("new", 1)


def test_a_chat_is_begun_where_a_widget_will_show_it(scene: Scene) -> None:
    lin = scene.person("lin")
    browser, record = scene.shopper().id or "", scene.shopper().id or ""
    scene.database.write_now(
        lambda tx: tx.later(VISITOR_TOKEN.delete().where(VISITOR_TOKEN.c.customer_id == record))
    )
    merge(scene, browser, record)
    assert scene.state(start(scene, lin, record)).customer_id == browser


def test_no_chat_is_begun_beside_an_open_one_nor_with_the_blocked(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper()
    chat = scene.chat(shopper)
    with pytest.raises(Conflict) as refused:
        start(scene, lin, shopper.id or "")
    assert refused.value.details == {"reason": "open_chat", "conversation_id": chat}
    scene.act("resolve", lin, chat)
    block(scene, lin, shopper.id or "")
    with pytest.raises(Conflict) as refused:
        start(scene, lin, shopper.id or "")
    assert refused.value.details == {"reason": "blocked"}


def test_quiet_hours_hold_a_chat_back_until_the_agent_insists(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper().id or ""
    prefer(scene, lin, shopper, quiet_hours={"from": "00:00", "to": "23:59", "timezone": "UTC"})
    with pytest.raises(Conflict) as refused:
        start(scene, lin, shopper)
    assert refused.value.details == {"reason": "quiet_hours"}
    assert start(scene, lin, shopper, anyway=True)


def test_who_has_only_talked_with_another_team_is_hidden_and_nobody_else(scene: Scene) -> None:
    lin, lead = scene.person("lin", teams=("orders",)), scene.person("lead", role="supervisor")
    scene.team("returns")
    shopper = scene.shopper()
    tag(scene, lin, shopper.id or "", add=["vip"])
    scene.transfer(lead, scene.chat(shopper), team_id="returns")
    with pytest.raises(NotFound):
        tag(scene, lin, shopper.id or "", add=["gift"])
    tag(scene, lead, shopper.id or "", add=["gift"])
    with pytest.raises(NotAllowed):
        tag(scene, shopper, shopper.id or "", add=["vip"])
    with pytest.raises(NotFound):
        tag(scene, lin, "nobody", add=["vip"])


def test_a_condition_is_asked_of_one_person_as_of_all(scene: Scene) -> None:
    lin, shopper = scene.person("lin"), scene.shopper().id or ""
    block(scene, lin, shopper)
    other = scene.shopper().id or ""
    at_ms = scene.time.at_ms
    found = [
        scene.database.read_now(
            lambda c, key=key: directory.matches(c, Is("blocked"), key, at_ms=at_ms)  # type: ignore[misc]  # bound default
        )
        for key in (shopper, other)
    ]
    assert found == [True, False]
