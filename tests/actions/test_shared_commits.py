"""Messages that share a commit, and a writer that remembers: nobody sees anything but the truth."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any  # Any: JSON values

import pytest
from sqlalchemy import text

from server.actions import conversations, messages, presence
from server.actions.messages import MarkRead, PostMessage
from server.actions.payload import ConversationRef
from server.actions.presence import SetPresence
from server.dispatch import needs_of
from server.domain.actors import Actor
from server.domain.errors import NotFound
from server.reports.verify import verify
from server.storage.database import Database
from server.storage.messages import read_marks
from server.storage.pending import Needs
from server.storage.repair import rebuild
from server.storage.rows import conversation_from_json, dumps
from server.storage.unit import Tx
from tests.actions.scene import Scene

LIMIT_S = 60.0
Answer = dict[str, Any]  # Any: JSON values


def post(
    database: Database, actor: Actor, conversation_id: str | None, client_id: str
) -> Future[Answer]:
    """The answer to come of a message, submitted as the edges do."""
    payload = PostMessage(client_id=client_id, body="Hello", conversation_id=conversation_id)
    return database.submit(
        lambda tx: messages.post_message(tx, actor, payload), needs_of(actor, payload)
    )


@contextmanager
def together(database: Database) -> Iterator[None]:
    """Lets what is submitted meanwhile share one commit."""
    begun, go_on = threading.Event(), threading.Event()

    def job(_: Tx) -> None:
        begun.set()
        assert go_on.wait(LIMIT_S)

    held = database.submit(job)
    assert begun.wait(LIMIT_S)
    yield
    go_on.set()
    held.result(LIMIT_S)


def clean(scene: Scene) -> list[str]:
    """What verify finds wrong."""
    return [found.text for found in scene.database.read_now(lambda c: list(verify(c)))]


def test_both_parties_in_one_commit_get_numbers_without_gaps(scene: Scene) -> None:
    ada, shopper = scene.person("ada"), scene.shopper()
    chat = scene.chat(shopper)
    with together(scene.database):
        answers = [
            post(scene.database, who, chat, f"c{n}") for n in range(5) for who in (shopper, ada)
        ]
    staff = [f.result(LIMIT_S) for f in answers]
    assert [a["conversation_seq"] for a in staff[1::2]] == sorted(
        a["conversation_seq"] for a in staff[1::2]
    )
    events = scene.events(chat)
    assert [e.staff_seq for e in events] == list(range(1, len(events) + 1))
    assert [t.outcome for t in scene.turns(chat)] == ["answered"] * 5
    assert clean(scene) == []


def test_a_resend_in_the_same_commit_gets_the_first_answer(scene: Scene) -> None:
    scene.person("ada")
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    with together(scene.database):
        first, again = (post(scene.database, shopper, chat, "same") for _ in range(2))
    assert first.result(LIMIT_S) == again.result(LIMIT_S)
    assert scene.state(chat).messages == 2


def test_a_resend_in_a_later_commit_gets_the_first_answer(scene: Scene) -> None:
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    first = post(scene.database, shopper, chat, "same").result(LIMIT_S)
    assert post(scene.open(), shopper, chat, "same").result(LIMIT_S) == first
    assert post(scene.database, shopper, chat, "same").result(LIMIT_S) == first


def test_two_first_messages_in_one_commit_make_one_conversation(scene: Scene) -> None:
    shopper = scene.shopper()
    with together(scene.database):
        answers = [post(scene.database, shopper, None, f"c{n}") for n in range(3)]
    assert len({f.result(LIMIT_S)["conversation_id"] for f in answers}) == 1
    assert clean(scene) == []


def test_a_refusal_between_messages_of_one_commit_changes_nothing(scene: Scene) -> None:
    shopper, stranger = scene.shopper(), scene.shopper()
    chat = scene.chat(shopper)
    with together(scene.database):
        before = post(scene.database, shopper, chat, "before")
        refused = post(scene.database, stranger, chat, "refused")
        after = post(scene.database, shopper, chat, "after")
    assert (
        after.result(LIMIT_S)["conversation_seq"] == before.result(LIMIT_S)["conversation_seq"] + 1
    )
    with pytest.raises(NotFound):
        refused.result(LIMIT_S)
    assert clean(scene) == []


def test_a_neighbour_that_breaks_the_commit_costs_no_message(scene: Scene) -> None:
    shopper = scene.shopper()
    chat = scene.chat(shopper)

    def broken(tx: Tx) -> None:
        tx.later(text("INSERT INTO team_member (team_id, agent_id) VALUES ('no', 'body')"))

    with together(scene.database):
        before = post(scene.database, shopper, chat, "before")
        breaking = scene.database.submit(broken)
        after = post(scene.database, shopper, chat, "after")
    assert (
        after.result(LIMIT_S)["conversation_seq"] == before.result(LIMIT_S)["conversation_seq"] + 1
    )
    assert breaking.exception(LIMIT_S) is not None
    assert scene.state(chat).messages == 3
    assert clean(scene) == []


def test_needs_that_do_not_come_true_harm_nobody(scene: Scene) -> None:
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    needs = Needs("there-is-none", ("customer", "nobody", "nothing"))
    with together(scene.database):
        odd = scene.database.submit(lambda tx: tx.conversation("there-is-none"), needs)
        fine = post(scene.database, shopper, chat, "fine")
    assert odd.result(LIMIT_S) is None
    assert fine.result(LIMIT_S)["conversation_id"] == chat


def test_what_another_process_did_to_a_conversation_is_known(scene: Scene) -> None:
    ada, shopper = scene.person("ada"), scene.shopper()
    chat = scene.chat(shopper)
    other = scene.open()
    for number in range(6):
        writer = (scene.database, other)[number % 2]
        who = (ada, shopper)[number // 2 % 2]
        post(writer, who, chat, f"c{number}").result(LIMIT_S)
    events = scene.events(chat)
    assert [e.staff_seq for e in events] == list(range(1, len(events) + 1))
    assert clean(scene) == []


def test_an_agent_who_left_by_another_process_is_not_waited_for(scene: Scene) -> None:
    ada, shopper = scene.person("ada"), scene.shopper()
    chat = scene.chat(shopper)
    post(scene.database, ada, chat, "reply").result(LIMIT_S)
    assert scene.owner(chat) == "ada"
    scene.time.pass_s(1)
    leave = SetPresence(status="offline")
    scene.open().write_now(lambda tx: presence.set_presence(tx, ada, leave))
    scene.time.pass_s(1)
    post(scene.database, shopper, chat, "anybody there?").result(LIMIT_S)
    assert scene.owner(chat) == "queue"


@pytest.mark.parametrize("elsewhere", [False, True])
def test_what_a_repair_wrote_is_what_the_next_message_goes_on_from(
    scene: Scene, *, elsewhere: bool
) -> None:
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    right = scene.state(chat)
    wrong = dumps(right).replace('"messages":1', '"messages":7')
    damage = text("UPDATE conversation SET state = :state")
    scene.database.write_now(lambda tx: tx.later(damage, {"state": wrong}))
    post(scene.database, shopper, chat, "on the wrong state").result(LIMIT_S)
    assert scene.state(chat).messages == 8
    repairer = scene.open() if elsewhere else scene.database
    repairer.write_now(lambda tx: rebuild(tx, chat))
    post(scene.database, shopper, chat, "on the right one").result(LIMIT_S)
    assert scene.state(chat).messages == 3
    assert clean(scene) == []


def test_a_draft_is_gone_with_the_message_and_kept_when_written_after_it(scene: Scene) -> None:
    ada, shopper = scene.person("ada"), scene.shopper()
    chat = scene.chat(shopper)

    def draft(body: str) -> Future[Answer]:
        payload = messages.SetDraft(conversation_id=chat, body=body)
        return scene.database.submit(lambda tx: messages.set_draft(tx, ada, payload))

    def drafts() -> list[str]:
        found = text("SELECT body FROM draft")
        return scene.database.read_now(lambda c: list(c.execute(found).scalars()))

    with together(scene.database):
        draft("begun")
        done = post(scene.database, ada, chat, "sent")
    done.result(LIMIT_S)
    assert drafts() == []
    with together(scene.database):
        post(scene.database, ada, chat, "sent too")
        kept = draft("the next one")
    kept.result(LIMIT_S)
    assert drafts() == ["the next one"]


def test_a_state_without_a_field_that_came_later_has_its_default(scene: Scene) -> None:
    state = scene.state(scene.chat())
    for name in ("left", "given_away_by", "tags"):
        older = dumps(state).replace(f'"{name}":', f'"an_{name}":')
        older = older.replace(f',"an_{name}":null', "").replace(f',"an_{name}":[]', "")
        assert f"an_{name}" not in older
        assert conversation_from_json(older) == state


def test_messages_without_a_conversation_go_on_in_the_latest_chat(scene: Scene) -> None:
    ada = scene.person("ada")
    one, two = scene.shopper(), scene.shopper()
    chats = [scene.chat(one), scene.chat(two)]
    scene.time.pass_s(1)
    with together(scene.database):
        answers = [
            post(scene.database, shopper, None, f"c{n}") for n in range(3) for shopper in (one, two)
        ]
        resolved = scene.database.submit(
            lambda tx: conversations.mark_spam(tx, ada, ConversationRef(conversation_id=chats[0]))
        )
        later = [post(scene.database, shopper, None, "later") for shopper in (one, two, one)]
    resolved.result(LIMIT_S)
    assert [f.result(LIMIT_S)["conversation_id"] for f in answers] == chats * 3
    found = [f.result(LIMIT_S)["conversation_id"] for f in later]
    assert found[1] == chats[1]
    assert found[0] == found[2] != chats[0]
    assert clean(scene) == []


def test_a_chat_that_another_process_opened_meanwhile_goes_on(scene: Scene) -> None:
    shopper = scene.shopper()
    opened = post(scene.open(), shopper, None, "there").result(LIMIT_S)["conversation_id"]
    assert post(scene.database, shopper, None, "here").result(LIMIT_S)["conversation_id"] == opened


def test_what_was_read_in_one_commit_is_the_latest_of_it_whatever_the_order(scene: Scene) -> None:
    ada, shopper = scene.person("ada"), scene.shopper()
    chat = scene.chat(shopper)
    ids = [scene.post(shopper, f"m{n}", chat)["message_id"] for n in range(3)]

    def read(message_id: str) -> Future[Answer]:
        payload = MarkRead(conversation_id=chat, message_id=message_id)
        return scene.database.submit(
            lambda tx: messages.mark_read(tx, ada, payload), needs_of(ada, payload)
        )

    with together(scene.database):
        done = [read(ids[1]), read(ids[2]), read(ids[0])]
    with together(scene.database):
        done.append(read(ids[1]))
    assert [f.result(LIMIT_S) for f in done] == [{}] * 4
    marks = scene.database.read_now(lambda c: read_marks(c, chat))
    assert [(mark["reader_id"], mark["message_id"]) for mark in marks] == [("ada", ids[2])]


def test_a_message_of_the_same_commit_can_be_read(scene: Scene) -> None:
    ada, shopper = scene.person("ada"), scene.shopper()
    chat = scene.chat(shopper)

    def post_and_read(tx: Tx) -> str:
        said = PostMessage(client_id="new", body="Hello", conversation_id=chat)
        return str(messages.post_message(tx, shopper, said)["message_id"])

    with together(scene.database):
        posted = scene.database.submit(post_and_read)
        marked = scene.database.submit(
            lambda tx: messages.mark_read(
                tx, ada, MarkRead(conversation_id=chat, message_id=_last(tx, chat))
            )
        )
    assert marked.result(LIMIT_S) == {}
    marks = scene.database.read_now(lambda c: read_marks(c, chat))
    assert [mark["message_id"] for mark in marks] == [posted.result(LIMIT_S)]


def _last(tx: Tx, conversation_id: str) -> str:
    conversation = tx.conversation(conversation_id)
    assert conversation is not None
    assert conversation.last_message is not None
    return conversation.last_message.id
