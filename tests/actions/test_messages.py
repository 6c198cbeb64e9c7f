"""Messages: written once, in their place, seen by those who may; no input breaks anything."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any  # Any: JSON values

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.actions import desk, messages
from server.actions.conversations import Snooze, snooze
from server.actions.desk import CatchUp, Look
from server.actions.messages import MarkRead, PostMessage, SetDraft, clean_blocks
from server.actions.payload import parse
from server.domain.actors import Actor
from server.domain.conversation import REOPEN_WINDOW_MS, SESSION_GAP_MS
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.text import clean
from server.storage.database import Database
from server.storage.messages import load_draft, load_message, read_marks, unread_by_customer
from tests.actions.scene import Answer, Scene

DAY_S = 24 * 3600
LIMIT_S = 60


def thread(scene: Scene, actor: Actor, chat: str) -> list[Answer]:
    """The envelopes that the actor gets."""
    payload = CatchUp(conversation_id=chat)
    at_ms = scene.time.at_ms
    answer = scene.database.read_now(lambda c: desk.catch_up(Look(c, actor, at_ms), payload))
    return list(answer["events"])


def body_of(scene: Scene, answer: Answer) -> str:
    found = scene.database.read_now(lambda c: load_message(c, answer["message_id"]))
    assert found is not None
    return found.body


def test_the_answer_names_the_message_and_its_place(scene: Scene) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    first = scene.post(shopper)
    chat = first["conversation_id"]
    posted = next(e for e in scene.events(chat) if e.kind == "message.posted")
    assert first == {
        "message_id": posted.data.message_id,  # type: ignore[attr-defined]  # message.posted
        "conversation_id": chat,
        "conversation_seq": posted.visitor_seq,
        "at_ms": scene.time.at_ms,
    }
    reply = scene.post(ann, "Yes", chat)
    assert reply["conversation_seq"] == scene.state(chat).staff_seq


@pytest.mark.parametrize("state", ["open", "resolved", "reopened", "spam"])
def test_a_resend_gives_the_first_answer_and_changes_nothing(scene: Scene, state: str) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    first = scene.post(shopper, client_id="same")
    chat = first["conversation_id"]
    if state in ("resolved", "reopened"):
        scene.act("resolve", ann, chat)
    if state == "reopened":
        scene.post(shopper, "Again")
    if state == "spam":
        scene.act("mark_spam", ann, chat)
    before = scene.events(chat)
    scene.time.pass_s(60)
    assert scene.post(shopper, "another text", client_id="same") == first
    assert scene.events(chat) == before


def test_an_agent_s_resend_changes_nothing_even_after_the_team_changed(scene: Scene) -> None:
    ann = scene.person("ann", teams=("t1",))
    chat = scene.chat()
    first = scene.post(ann, "Yes", chat, client_id="same")
    assert scene.post(ann, "Yes", chat, client_id="same") == first
    scene.team("t2")
    scene.transfer(ann, chat, team_id="t2")
    assert scene.post(ann, "Yes", chat, client_id="same") == first


def test_the_same_client_id_of_different_senders_is_two_messages(scene: Scene) -> None:
    one, two, ann = scene.shopper(), scene.shopper(), scene.person("ann")
    first = scene.post(one, client_id="same")
    answers = [
        first,
        scene.post(two, client_id="same"),
        scene.post(ann, "Yes", first["conversation_id"], client_id="same"),
    ]
    assert len({answer["message_id"] for answer in answers}) == 3


def _submit(scene: Scene, database: Database, actor: Actor, **fields: Any) -> Future[Answer]:
    payload = PostMessage(**({"body": "Hello"} | fields))
    return database.submit(lambda tx: messages.post_message(tx, actor, payload))


def test_a_message_sent_twice_in_one_breath_is_written_once(scene: Scene) -> None:
    shopper = scene.shopper()
    go_on = threading.Event()
    scene.database.submit(lambda _: go_on.wait(LIMIT_S))
    futures = [_submit(scene, scene.database, shopper, client_id="same") for _ in range(5)]
    go_on.set()
    answers = [future.result(LIMIT_S) for future in futures]
    assert all(answer == answers[0] for answer in answers)
    assert scene.kinds(answers[0]["conversation_id"]).count("message.posted") == 1


def test_a_message_sent_through_two_processes_at_once_is_written_once(scene: Scene) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    other = scene.open()
    chat = scene.chat(shopper)
    for number in range(10):
        for actor in (shopper, ann):
            futures = [
                _submit(scene, database, actor, client_id=f"same{number}", conversation_id=chat)
                for database in (scene.database, other)
            ]
            one, two = (future.result(LIMIT_S) for future in futures)
            assert one == two
    assert scene.kinds(chat).count("message.posted") == 21


def test_first_messages_of_one_shopper_at_once_open_one_conversation(scene: Scene) -> None:
    shopper = scene.shopper()
    databases = [scene.database, scene.open(), scene.open()]
    futures = [
        _submit(scene, databases[number % 3], shopper, client_id=f"m{number}")
        for number in range(12)
    ]
    answers = [future.result(LIMIT_S) for future in futures]
    chats = {answer["conversation_id"] for answer in answers}
    assert len(chats) == 1
    assert len({answer["conversation_seq"] for answer in answers}) == 12
    chat = chats.pop()
    seqs = [event.staff_seq for event in scene.events(chat)]
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_refused_client_id_is_refused_rather_than_changed(scene: Scene) -> None:
    shopper = scene.shopper()
    for client_id in (" a", "a\n", "a\x07b"):
        with pytest.raises(InvalidInput):
            scene.post(shopper, client_id=client_id)


def test_a_second_message_continues_the_conversation(scene: Scene) -> None:
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    assert scene.chat(shopper) == chat
    assert scene.chat(scene.shopper()) != chat


def test_a_resolved_conversation_is_reopened_within_a_week_and_then_no_more(
    scene: Scene,
) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    chat = scene.chat(shopper)
    scene.act("resolve", ann, chat)
    before = len(scene.events(chat))
    scene.time.pass_s(REOPEN_WINDOW_MS / 1000)
    assert scene.chat(shopper) == chat
    assert scene.since(chat, before)[:3] == [
        "conversation.status_changed",
        "session.started",
        "message.posted",
    ]
    assert (scene.session(chat).session_no, scene.session(chat).cause) == (2, "reopen")
    scene.act("resolve", ann, chat)
    scene.time.pass_s(REOPEN_WINDOW_MS / 1000 + 1)
    new = scene.chat(shopper)
    assert new != chat
    assert scene.post(shopper, "Hello", chat)["conversation_id"] == new


def test_what_was_marked_spam_is_not_continued(scene: Scene) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    chat = scene.chat(shopper)
    scene.act("mark_spam", ann, chat)
    new = scene.post(shopper, "Buy!", chat)["conversation_id"]
    assert new != chat
    assert scene.state(chat).status == "spam"


def test_a_day_of_silence_begins_a_new_session(scene: Scene) -> None:
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    scene.time.pass_s(SESSION_GAP_MS / 1000 + 1)
    before = len(scene.events(chat))
    assert scene.chat(shopper) == chat
    assert scene.since(chat, before)[:2] == ["session.ended", "session.started"]
    assert scene.session(chat).cause == "gap"


def test_a_snoozed_conversation_wakes_when_the_shopper_writes(scene: Scene) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    chat = scene.chat(shopper)
    until_ms = scene.time.at_ms + 60_000
    scene.do(snooze, ann, Snooze(conversation_id=chat, until_ms=until_ms))
    scene.post(shopper, "Now!")
    state = scene.state(chat)
    assert (state.status, state.snoozed_until_ms, state.assignee_id) == ("open", None, "ann")


def test_somebody_else_s_conversation_is_not_found(scene: Scene) -> None:
    chat = scene.chat()
    other = scene.shopper()
    for conversation_id in (chat, "unknown", "", "\x00", "x" * 64):
        with pytest.raises(NotFound if len(conversation_id) > 1 else InvalidInput):
            scene.post(other, "Let me in", conversation_id)


def test_a_private_note_is_for_the_staff_alone(scene: Scene) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    chat = scene.chat(shopper)
    head = scene.state(chat).visitor_seq
    note = scene.post(ann, "He is angry", chat, visibility="private")
    state = scene.state(chat)
    assert state.visitor_seq == head
    assert note["conversation_seq"] == state.staff_seq
    assert state.turn is not None
    assert "He is angry" in str(thread(scene, ann, chat))
    assert "He is angry" not in str(thread(scene, shopper, chat))
    assert scene.database.read_now(lambda c: unread_by_customer(c, [chat])) == {}
    with pytest.raises(NotFound):
        scene.do(
            messages.mark_read,
            shopper,
            MarkRead(conversation_id=chat, message_id=note["message_id"]),
        )


def test_both_audiences_count_without_gaps_from_one(scene: Scene) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    chat = scene.chat(shopper)
    for number in range(6):
        scene.post(ann, "psst", chat, visibility="private" if number % 2 else "public")
        scene.post(shopper, "Hm")
    for actor in (shopper, ann):
        seqs = [envelope["conversation_seq"] for envelope in thread(scene, actor, chat)]
        assert seqs == list(range(1, len(seqs) + 1))


def test_a_shopper_cannot_write_privately_nor_as_a_macro(scene: Scene) -> None:
    answer = scene.post(scene.shopper(), "psst", visibility="private", origin="macro")
    posted = scene.events(answer["conversation_id"])[2].data
    assert (posted.visibility, posted.origin) == ("public", "typed")  # type: ignore[attr-defined]


def test_a_public_reply_takes_the_conversation_and_forgets_the_draft(scene: Scene) -> None:
    ann = scene.person("ann", status="busy")
    chat = scene.chat()
    scene.do(messages.set_draft, ann, SetDraft(conversation_id=chat, body="Ye"))
    assert scene.owner(chat) == "queue"
    scene.post(ann, "Yes", chat)
    assert scene.owner(chat) == "ann"
    assert scene.kinds(chat)[-3:] == ["queue.left", "assignment.accepted", "message.posted"]
    assert scene.database.read_now(lambda c: load_draft(c, chat, "ann")) is None


def test_an_agent_s_reply_reopens_what_was_resolved(scene: Scene) -> None:
    ann, bo = scene.person("ann"), scene.person("bo", status="busy")
    chat = scene.chat()
    scene.act("resolve", ann, chat)
    scene.post(bo, "One more thing", chat)
    state = scene.state(chat)
    assert (state.status, state.assignee_id, state.session_no) == ("open", "bo", 2)


def test_an_agent_must_name_the_conversation(scene: Scene) -> None:
    with pytest.raises(InvalidInput):
        scene.post(scene.person("ann"), "Hello?")


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ("  在吗?\r\n有货吗 \r", "在吗?\n有货吗"),
        ("e\u0301", "é"),
        ("a\x00b\x1b[31mc\x9f", "ab[31mc"),
        ("شكراً 👩‍👩‍👧 \u202bעברית", "شكراً 👩‍👩‍👧 \u202bעברית"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a\tb", "a\tb"),
    ],
)
def test_a_text_is_kept_in_one_normal_form(scene: Scene, body: str, stored: str) -> None:
    answer = scene.post(scene.shopper(), body)
    assert body_of(scene, answer) == stored


def test_eight_thousand_characters_fit_and_one_more_does_not(scene: Scene) -> None:
    shopper = scene.shopper()
    assert len(body_of(scene, scene.post(shopper, "好" * 8000))) == 8000
    with pytest.raises(InvalidInput) as refusal:
        scene.post(shopper, "好" * 8001)
    assert refusal.value.details["limit"] == 8000


@pytest.mark.parametrize("body", ["", "  \n ", "\x00\x01", "a\ud800b"])
def test_what_says_nothing_or_is_no_text_is_refused_and_opens_nothing(
    scene: Scene, body: str
) -> None:
    shopper = scene.shopper()
    with pytest.raises(AppError) as refusal:
        scene.post(shopper, body)
    assert refusal.value.code == "invalid_input"
    assert scene.chats(shopper) == []


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"client_id": 1, "body": "a"},
        {"client_id": "", "body": "a"},
        {"client_id": "x" * 65, "body": "a"},
        {"client_id": "x", "body": None},
        {"client_id": "x", "body": ["a"]},
        {"client_id": "x", "body": "a", "visibility": "secret"},
        {"client_id": "x", "body": "a", "origin": "bot"},
        {"client_id": "x", "body": "a", "blocks": "none"},
        {"client_id": "x", "body": "a", "blocks": [1]},
        {"client_id": "x", "body": "a", "page": {"url": 1}},
        {"client_id": "\ud800", "body": "a"},
        {"client_id": "x", "body": "a", "conversation_id": "\ud800"},
        {"client_id": "x", "body": "a", "conversation_id": float("nan")},
        [],
        None,
    ],
)
def test_a_payload_of_the_wrong_shape_is_invalid_input(values: Any) -> None:
    with pytest.raises(InvalidInput):
        parse(PostMessage, values)


def test_blocks_keep_known_keys_only() -> None:
    block = {"type": "product", "title": "Lamp", "price_minor": 29900, "html": "<b>", "sku": None}
    assert clean_blocks([block]) == [{"type": "product", "title": "Lamp", "price_minor": 29900}]
    assert clean_blocks([]) == clean_blocks(None) == []


@pytest.mark.parametrize(
    "block",
    [
        {},
        {"type": "html"},
        {"type": ["link"]},
        {"type": "product"},
        {"type": "link", "title": "no address"},
        {"type": "link", "url": "javascript:alert(1)"},
        {"type": "link", "url": "//shop.example"},
        {"type": "link", "url": "http://[::1"},
        {"type": "image", "url": "data:image/png;base64,AAAA"},
        {"type": "product", "title": "x", "image_url": "ftp://a"},
        {"type": "product", "title": "x", "price_minor": 1.5},
        {"type": "product", "title": "x", "price_minor": True},
        {"type": "product", "title": "x", "price_minor": 2**60},
        {"type": "product", "title": 5},
        {"type": "product", "title": "\ud800"},
    ],
)
def test_a_block_of_the_wrong_shape_is_invalid_input(block: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        clean_blocks([block])


def test_too_many_and_too_large_blocks_are_refused() -> None:
    link = {"type": "link", "url": "https://shop.example"}
    assert len(clean_blocks([link] * 10)) == 10
    with pytest.raises(InvalidInput):
        clean_blocks([link] * 11)
    with pytest.raises(InvalidInput):
        clean_blocks([link | {"title": "x" * 1900}] * 5)


def test_a_card_alone_is_a_message(scene: Scene) -> None:
    blocks = [{"type": "image", "url": "https://shop.example/a.png", "alt": "A lamp"}]
    shopper = scene.shopper()
    answer = scene.post(shopper, "", blocks=blocks)
    (shown,) = [
        e["data"]["message"]
        for e in thread(scene, shopper, answer["conversation_id"])
        if e["kind"] == "message.posted"
    ]
    assert (shown["body"], shown["blocks"]) == ("", blocks)


def test_the_page_is_kept_when_it_is_an_address(scene: Scene) -> None:
    page = {"url": "https://shop.example/lamp", "title": "Lamp"}
    state = scene.state(scene.post(scene.shopper(), page=page)["conversation_id"])
    assert (state.page_url, state.page_title) == (page["url"], page["title"])
    script = {"url": "javascript:alert(1)"}
    state = scene.state(scene.post(scene.shopper(), page=script)["conversation_id"])
    assert state.page_url is None


def test_a_read_mark_goes_forward_only(scene: Scene) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    chat = scene.chat(shopper)
    older, newer = (scene.post(ann, text, chat)["message_id"] for text in ("One", "Two"))

    def mark(message_id: str) -> None:
        payload = MarkRead(conversation_id=chat, message_id=message_id)
        scene.do(messages.mark_read, shopper, payload)

    def unread() -> int:
        return scene.database.read_now(lambda c: unread_by_customer(c, [chat])).get(chat, 0)

    assert unread() == 2
    mark(newer)
    mark(older)
    (found,) = scene.database.read_now(lambda c: read_marks(c, chat))
    assert (found["message_id"], unread()) == (newer, 0)


def test_a_mark_on_a_note_stands_at_the_message_before_it(scene: Scene) -> None:
    shopper, ann = scene.shopper(), scene.person("ann")
    asked = scene.post(shopper, "Anybody there?")
    chat = asked["conversation_id"]
    note = scene.post(ann, "He is angry", chat, visibility="private")["message_id"]
    scene.do(messages.mark_read, ann, MarkRead(conversation_id=chat, message_id=note))
    (found,) = scene.database.read_now(lambda c: read_marks(c, chat))
    assert found["message_id"] == asked["message_id"]


def test_a_mark_on_another_conversation_s_message_is_not_found(scene: Scene) -> None:
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    foreign = scene.post(scene.shopper())["message_id"]
    for message_id in (foreign, "unknown"):
        payload = MarkRead(conversation_id=chat, message_id=message_id)
        with pytest.raises(NotFound):
            scene.do(messages.mark_read, shopper, payload)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.text(min_size=1, max_size=200))
def test_any_text_survives_the_round_trip_in_its_normal_form(scene: Scene, body: str) -> None:
    try:
        expected = clean(body, limit=8000)
    except InvalidInput:
        return
    answer = scene.post(scene.shopper(), body)
    assert body_of(scene, answer) == expected
    assert clean(expected, limit=8000) == expected
