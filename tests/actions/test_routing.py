"""Who gets a conversation: the right agent, never more than they can carry, nobody forgotten."""

from __future__ import annotations

from typing import Any  # Any: JSON values

from server.actions import presence
from server.actions.conversations import Snooze, snooze
from server.domain.actors import SYSTEM
from server.domain.events import AssignmentAccepted, AssignmentEnded, QueueEntered, QueueLeft
from server.domain.spans import MINUTE_MS
from server.storage import people
from tests.actions.scene import Scene


def why(scene: Scene, conversation_id: str) -> dict[str, Any]:
    """The facts of the last automatic choice."""
    accepted = [
        e.data for e in scene.events(conversation_id) if isinstance(e.data, AssignmentAccepted)
    ]
    return accepted[-1].why or {}


def reasons(scene: Scene, conversation_id: str) -> list[str]:
    """Why each owner came or went, and each queue was left."""
    return [
        e.data.reason
        for e in scene.events(conversation_id)
        if isinstance(e.data, AssignmentAccepted | AssignmentEnded | QueueLeft)
    ]


def test_a_first_message_goes_to_the_least_loaded_agent_and_says_why(scene: Scene) -> None:
    scene.person("ann")
    scene.person("bo")
    first, second, third = scene.chat(), scene.chat(), scene.chat()
    assert {scene.owner(first), scene.owner(second)} == {"ann", "bo"}
    facts = why(scene, third)
    assert (facts["load"], facts["capacity"], facts["candidates"]) == (2, 8, 2)
    assert scene.kinds(first) == [
        "conversation.opened",
        "session.started",
        "message.posted",
        "assignment.accepted",
    ]


def test_load_counts_for_the_capacity(scene: Scene) -> None:
    scene.person("ann", capacity=2)
    scene.person("bo", capacity=8)
    owners = [scene.owner(scene.chat()) for _ in range(5)]
    assert owners.count("bo") == 4


def test_a_speaker_of_the_shopper_s_language_comes_first(scene: Scene) -> None:
    scene.person("ann", languages=("en",))
    scene.person("li", languages=("en", "zh"))
    for _ in range(3):
        assert scene.owner(scene.chat(scene.shopper(locale="zh"))) == "li"


def test_of_equal_agents_the_one_who_served_the_shopper_before_comes_first(scene: Scene) -> None:
    ann, bo = scene.person("ann"), scene.person("bo")
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    served_by = scene.owner(chat)
    agent = ann if served_by == "ann" else bo
    scene.post(agent, "Yes", chat)
    scene.act("resolve", agent, chat)
    scene.time.pass_s(8 * 24 * 3600)
    scene.presence(ann, "online")
    scene.presence(bo, "online")
    again = scene.chat(shopper)
    assert again != chat
    assert scene.owner(again) == served_by
    assert why(scene, again)["served_before_at_ms"] == scene.turns(chat)[0].end_at_ms


def test_only_online_agents_are_chosen(scene: Scene) -> None:
    for status in ("busy", "away", "offline"):
        scene.person(status, status=status)
    chat = scene.chat()
    assert scene.owner(chat) == "queue"
    assert scene.kinds(chat)[-1] == "queue.entered"


def test_nobody_gets_more_than_the_capacity_and_the_queue_says_how_many_are_ahead(
    scene: Scene,
) -> None:
    ann = scene.person("ann", capacity=2)
    chats = [scene.chat() for _ in range(5)]
    assert [scene.owner(chat) for chat in chats] == ["ann", "ann", "queue", "queue", "queue"]
    assert scene.load(ann) == 2
    entered = [
        e.data for chat in chats for e in scene.events(chat) if isinstance(e.data, QueueEntered)
    ]
    assert [data.ahead for data in entered] == [0, 1, 2]


def test_an_agent_who_comes_online_takes_the_longest_waiting_first(scene: Scene) -> None:
    chats = []
    for _ in range(4):
        chats.append(scene.chat())
        scene.time.pass_s(10)
    ann = scene.person("ann", capacity=3)
    assert [scene.owner(chat) for chat in chats] == ["ann", "ann", "ann", "queue"]
    assert scene.load(ann) == 3
    assert reasons(scene, chats[0]) == ["assigned", "pull"]
    assert [why(scene, chat)["load"] for chat in chats[:3]] == [1, 2, 3]


def test_the_wait_and_not_the_entry_into_the_queue_decides_who_is_next(scene: Scene) -> None:
    ann = scene.person("ann", capacity=1)
    first = scene.chat()
    scene.time.pass_s(10)
    second = scene.chat()
    scene.time.pass_s(10)
    # The one that waited for Ann has waited longest, though it enters the queue last.
    scene.presence(ann, "offline")
    assert scene.owner(first) == "queue"
    scene.presence(ann, "online")
    assert (scene.owner(first), scene.owner(second)) == ("ann", "queue")


def test_room_for_more_is_filled_at_once(scene: Scene) -> None:
    ann = scene.person("ann", capacity=1)
    chats = [scene.chat() for _ in range(4)]
    scene.presence(ann, "online", 3)
    assert [scene.owner(chat) for chat in chats] == ["ann", "ann", "ann", "queue"]


def test_a_freed_place_takes_the_next_from_the_queue(scene: Scene) -> None:
    ann, bo = scene.person("ann", capacity=1), scene.person("bo", capacity=1)
    leader = scene.person("lea", role="supervisor", status="offline")
    taken, other, *waiting = [scene.chat() for _ in range(8)]
    agent = ann if scene.owner(taken) == "ann" else bo
    scene.act("resolve", agent, taken)
    assert scene.owner(waiting[0]) == agent.id
    scene.act("mark_spam", agent, waiting[0])
    assert scene.owner(waiting[1]) == agent.id
    until_ms = scene.time.at_ms + MINUTE_MS
    scene.do(snooze, agent, Snooze(conversation_id=waiting[1], until_ms=until_ms))
    assert scene.owner(waiting[2]) == agent.id
    scene.act("claim", leader, waiting[2])
    assert scene.owner(waiting[3]) == agent.id
    scene.transfer(agent, waiting[3], agent_id="lea")
    assert scene.owner(waiting[4]) == agent.id
    assert scene.owner(waiting[5]) == "queue"
    assert scene.owner(other) not in (agent.id, "queue")


def test_ending_what_was_snoozed_frees_no_place(scene: Scene) -> None:
    ann = scene.person("ann", capacity=1)
    asleep = scene.chat()
    until_ms = scene.time.at_ms + MINUTE_MS
    scene.do(snooze, ann, Snooze(conversation_id=asleep, until_ms=until_ms))
    chats = [scene.chat() for _ in range(2)]
    assert [scene.owner(chat) for chat in chats] == ["ann", "queue"]
    scene.act("resolve", ann, asleep)
    assert scene.load(ann) == 1
    assert scene.owner(chats[1]) == "queue"


def test_a_team_s_conversation_goes_to_the_team_only(scene: Scene) -> None:
    ann = scene.person("ann")
    first, second = scene.chat(), scene.chat()
    bo = scene.person("bo", teams=("returns",), capacity=1)
    scene.transfer(ann, first, team_id="returns")
    scene.transfer(ann, second, team_id="returns")
    assert (scene.owner(first), scene.owner(second)) == ("bo", "queue")
    scene.presence(ann, "online")
    assert scene.owner(second) == "queue"
    scene.presence(bo, "online", 2)
    assert scene.owner(second) == "bo"


def test_who_passes_a_conversation_on_does_not_get_it_back(scene: Scene) -> None:
    ann = scene.person("ann", teams=("returns",))
    chat = scene.chat()
    scene.transfer(ann, chat, team_id="returns")
    assert scene.owner(chat) == "queue"
    scene.presence(ann, "online")
    assert scene.database.write_now(presence.place_waiting) == 0
    assert scene.owner(chat) == "queue"
    bo = scene.person("bo", teams=("returns",))
    assert scene.owner(chat) == bo.id
    scene.transfer(ann, chat, team_id="returns")
    assert scene.owner(chat) == "queue"
    scene.act("claim", ann, chat)
    assert scene.owner(chat) == "ann"


def test_a_conversation_that_comes_back_goes_to_who_had_it(scene: Scene) -> None:
    ann = scene.person("ann")
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    scene.act("resolve", ann, chat)
    scene.chat()
    scene.person("bo")
    assert scene.chat(shopper) == chat
    assert scene.owner(chat) == "ann"


def test_an_agent_who_leaves_returns_those_who_wait_and_keeps_those_who_do_not(
    scene: Scene,
) -> None:
    ann = scene.person("ann")
    answered, waiting = scene.chat(), scene.chat()
    scene.post(ann, "Yes", answered)
    bo = scene.person("bo", capacity=1)
    scene.presence(ann, "offline")
    assert (scene.owner(answered), scene.owner(waiting)) == ("ann", bo.id)
    assert reasons(scene, waiting) == ["auto", "offline", "auto"]


def test_a_shopper_never_begins_to_wait_for_an_agent_who_has_gone(scene: Scene) -> None:
    ann = scene.person("ann")
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    scene.post(ann, "Yes", chat)
    scene.presence(ann, "offline")
    scene.post(shopper, "And another thing", chat)
    assert scene.owner(chat) == "queue"
    assert scene.kinds(chat)[-2:] == ["assignment.ended", "queue.entered"]


def test_a_shopper_who_comes_back_does_not_wait_for_an_agent_who_has_gone(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    scene.act("customer_left", SYSTEM, chat)
    scene.presence(ann, "offline")
    assert scene.owner(chat) == "ann"
    scene.act("customer_returned", SYSTEM, chat)
    assert scene.owner(chat) == "queue"


def test_who_takes_a_conversation_while_offline_keeps_it(scene: Scene) -> None:
    scene.person("ann", status="busy")
    leader = scene.person("lea", role="supervisor", status="offline")
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    scene.time.pass_s(5)
    scene.post(leader, "I am here", chat)
    scene.time.pass_s(5)
    scene.post(shopper, "Good", chat)
    assert scene.owner(chat) == "lea"


def test_a_snooze_that_ends_finds_an_agent(scene: Scene) -> None:
    ann = scene.person("ann")
    kept, returned = scene.chat(), scene.chat()
    until_ms = scene.time.at_ms + MINUTE_MS
    for chat in (kept, returned):
        scene.do(snooze, ann, Snooze(conversation_id=chat, until_ms=until_ms))
    scene.time.pass_s(60)
    scene.act("wake", SYSTEM, kept)
    assert scene.owner(kept) == "ann"
    scene.presence(ann, "offline")
    bo = scene.person("bo")
    scene.act("wake", SYSTEM, returned)
    assert scene.owner(returned) == bo.id


def test_what_was_snoozed_in_the_queue_is_placed_when_it_wakes(scene: Scene) -> None:
    ann = scene.person("ann", status="busy")
    shoppers = scene.shopper(), scene.shopper()
    chats = [scene.chat(shopper) for shopper in shoppers]
    until_ms = scene.time.at_ms + MINUTE_MS
    for chat in chats:
        scene.do(snooze, ann, Snooze(conversation_id=chat, until_ms=until_ms))
    bo = scene.person("bo")
    scene.time.pass_s(60)
    scene.act("wake", SYSTEM, chats[0])
    scene.post(shoppers[1], "Still there?")
    assert [scene.owner(chat) for chat in chats] == [bo.id, bo.id]


def test_an_agent_whose_connection_is_gone_keeps_the_chats_for_the_grace_time(
    scene: Scene,
) -> None:
    scene.person("ann")
    chat = scene.chat()
    scene.time.pass_s(presence.GRACE_MS / 1000)
    assert scene.database.write_now(presence.end_grace) == 0
    assert scene.owner(chat) == "ann"
    scene.time.pass_s(1)
    assert scene.database.write_now(presence.end_grace) == 1
    assert scene.owner(chat) == "queue"
    assert reasons(scene, chat) == ["auto", "grace"]
    assert scene.database.write_now(presence.end_grace) == 0


def test_an_agent_who_is_seen_is_not_taken_offline(scene: Scene) -> None:
    ann = scene.person("ann")
    scene.time.pass_s(presence.GRACE_MS / 1000 + 1)
    scene.database.write_now(lambda tx: presence.seen(tx, [ann.id or ""]))
    assert scene.database.write_now(presence.end_grace) == 0


def test_a_deactivated_agent_is_nobody_to_wait_for(scene: Scene) -> None:
    ann = scene.person("ann")
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    scene.post(ann, "Yes", chat)
    scene.database.write_now(lambda tx: people.update_person(tx, "ann", active=False))
    scene.post(shopper, "Hello?", chat)
    assert scene.owner(chat) == "queue"


def test_what_two_processes_missed_is_placed_by_the_sweep(scene: Scene) -> None:
    ann = scene.person("ann", status="offline", capacity=2)
    chats = [scene.chat() for _ in range(3)]
    # As if the agent had come online in another process that did not see the queue yet.
    scene.database.write_now(
        lambda tx: people.set_status(tx, "ann", status="online", cause="self", capacity=2)
    )
    assert scene.database.write_now(presence.place_waiting) == 2
    assert [scene.owner(chat) for chat in chats] == ["ann", "ann", "queue"]
    assert scene.load(ann) == 2
    assert scene.database.write_now(presence.place_waiting) == 0


def test_arriving_at_the_console_is_being_online_unless_one_chose_otherwise(
    scene: Scene,
) -> None:
    ann = scene.person("ann", status="offline")
    lea = scene.person("lea", status="offline", role="supervisor")

    def arrive(actor: Any) -> str:  # Any: an actor
        scene.database.write_now(lambda tx: presence.arrive(tx, actor))
        return scene.database.read_now(lambda c: _status(c, actor.id))

    assert arrive(ann) == "online"
    assert arrive(lea) == "offline"
    scene.presence(ann, "offline")
    assert arrive(ann) == "offline"
    scene.presence(ann, "away")
    assert arrive(ann) == "away"


def _status(connection: Any, agent_id: str) -> str:  # Any: a connection
    found = people.load_person(connection, agent_id)
    assert found is not None
    return found.status
