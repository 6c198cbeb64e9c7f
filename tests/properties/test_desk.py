"""The laws of the desk: whatever people do, in whatever order, the rows are what the log says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any  # Any: what a strategy draws

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from server.actions import conversations as conversation_actions
from server.actions import messages, presence, ratings
from server.actions.conversations import Dismiss, Focus, Snooze, Tag
from server.actions.messages import MarkRead, SetDraft
from server.domain.actors import SYSTEM, Actor, Role
from server.domain.errors import AppError
from server.domain.events import AssignmentAccepted, Event, MessagePosted
from server.domain.replay import replay
from server.reports.verify import verify
from server.storage import conversations, event_log, people
from server.storage.rows import EVENT, MESSAGE, load_conversation
from tests.actions.scene import Scene

# Real databases: few long examples tell more than many short ones, and shrinking them takes longer
# than reading them.
LAW = settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PEOPLE: tuple[tuple[str, Role, tuple[str, ...], tuple[str, ...], int], ...] = (
    ("ann", "agent", ("t1",), ("en",), 1),
    ("bo", "agent", ("t2",), ("zh",), 2),
    ("cy", "agent", ("t1", "t2"), (), 2),
    ("lea", "supervisor", (), (), 3),
)
PASSED_S = (0, 0, 1, 30, 70, 200, 25 * 3600, 8 * 24 * 3600)
ACTS = (
    *("write", "write", "write", "write", "answer", "answer", "answer", "note", "resend"),
    *("claim", "transfer_agent", "transfer_team", "resolve", "end", "reopen", "snooze", "wake"),
    *("tag", "spam", "dismiss", "focus", "left", "returned", "rate", "presence", "presence"),
    *("grace", "seen", "sweep", "read", "draft", "clock_back"),
)
STEP = st.tuples(
    st.sampled_from(ACTS),
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 5),
    st.sampled_from(PASSED_S),
)


class Desk:
    """Four people and four shoppers who do what they are told, as far as they may."""

    def __init__(self, scene: Scene) -> None:
        scene.begin()
        self.scene = scene
        self.people = [
            scene.person(
                name, role=role, teams=teams, languages=speaks, capacity=room, status="offline"
            )
            for name, role, teams, speaks, room in PEOPLE
        ]
        self.shoppers = [scene.shopper(locale=("en", "zh", None, "zh")[n]) for n in range(4)]
        self.chats: list[str] = []
        self.posted: list[tuple[Actor, dict[str, Any], dict[str, Any]]] = []
        self.refused = 0

    def do(self, step: tuple[str, int, int, int, int]) -> None:
        """One step; a refusal is an answer like any other."""
        act, one, two, number, passed_s = step
        self.scene.time.pass_s(passed_s)
        if not self.chats and act not in ("write", "presence"):
            return
        try:
            getattr(self, act)(one, two, number)
        except AppError:
            self.refused += 1

    def write(self, one: int, _: int, number: int) -> None:
        self._post(self.shoppers[one], None, f"写 {number}")

    def answer(self, one: int, two: int, _: int) -> None:
        self._post(self.people[one], self._chat(two), "Yes")

    def note(self, one: int, two: int, _: int) -> None:
        self._post(self.people[one], self._chat(two), "psst", visibility="private")

    def resend(self, one: int, _: int, __: int) -> None:
        if self.posted:
            actor, fields, first = self.posted[one % len(self.posted)]
            assert self.scene.post(actor, **fields) == first

    def claim(self, one: int, two: int, _: int) -> None:
        self.scene.act("claim", self.people[one], self._chat(two))

    def transfer_agent(self, one: int, two: int, number: int) -> None:
        target = self.people[number % 4].id
        self.scene.transfer(self.people[one], self._chat(two), agent_id=target, note="Please")

    def transfer_team(self, one: int, two: int, number: int) -> None:
        team = ("t1", "t2")[number % 2]
        self.scene.transfer(self.people[one], self._chat(two), team_id=team)

    def resolve(self, one: int, two: int, _: int) -> None:
        self.scene.act("resolve", self.people[one], self._chat(two))

    def end(self, one: int, two: int, _: int) -> None:
        self.scene.act("resolve", self.shoppers[one], self._chat(two))

    def reopen(self, one: int, two: int, _: int) -> None:
        self.scene.act("reopen", self.people[one], self._chat(two))

    def snooze(self, one: int, two: int, number: int) -> None:
        until_ms = self.scene.time.at_ms + 1 + number * 20_000
        payload = Snooze(conversation_id=self._chat(two), until_ms=until_ms)
        self.scene.do(conversation_actions.snooze, self.people[one], payload)

    def wake(self, _: int, two: int, __: int) -> None:
        self.scene.act("wake", SYSTEM, self._chat(two))

    def tag(self, one: int, two: int, number: int) -> None:
        payload = Tag(conversation_id=self._chat(two), add=[f"t{number}"], remove=["t0"])
        self.scene.do(conversation_actions.tag, self.people[one], payload)

    def spam(self, one: int, two: int, _: int) -> None:
        self.scene.act("mark_spam", self.people[one], self._chat(two))

    def dismiss(self, one: int, two: int, _: int) -> None:
        payload = Dismiss(conversation_id=self._chat(two))
        self.scene.do(conversation_actions.dismiss_turn, self.people[one], payload)

    def focus(self, one: int, two: int, _: int) -> None:
        payload = Focus(conversation_id=self._chat(two), focused_ms=30_000)
        self.scene.do(conversation_actions.record_focus, self.people[one], payload)

    def left(self, _: int, two: int, __: int) -> None:
        self.scene.act("customer_left", SYSTEM, self._chat(two))

    def returned(self, _: int, two: int, __: int) -> None:
        self.scene.act("customer_returned", SYSTEM, self._chat(two))

    def rate(self, one: int, two: int, number: int) -> None:
        payload = ratings.GiveRating(
            conversation_id=self._chat(two), score=1 + number % 5, comment="Thanks"
        )
        self.scene.do(ratings.give_rating, self.shoppers[one], payload)

    def presence(self, one: int, two: int, number: int) -> None:
        status = ("online", "online", "offline", "away")[two]
        self.scene.presence(self.people[one], status, number or None)

    def grace(self, *_: int) -> None:
        self.scene.database.write_now(presence.end_grace)

    def seen(self, *_: int) -> None:
        ids = [person.id or "" for person in self.people]
        self.scene.database.write_now(lambda tx: presence.seen(tx, ids))

    def sweep(self, *_: int) -> None:
        # On one database nobody misses anybody, so there is never anything left to place.
        assert self.scene.database.write_now(presence.place_waiting) == 0

    def read(self, one: int, two: int, _: int) -> None:
        last = self.scene.state(self._chat(two)).last_message
        assert last is not None
        payload = MarkRead(conversation_id=self._chat(two), message_id=last.id)
        self.scene.do(messages.mark_read, self.people[one], payload)

    def draft(self, one: int, two: int, number: int) -> None:
        payload = SetDraft(conversation_id=self._chat(two), body="x" * number)
        self.scene.do(messages.set_draft, self.people[one], payload)

    def clock_back(self, *_: int) -> None:
        self.scene.time.pass_s(-3600)

    def _chat(self, number: int) -> str:
        return self.chats[number % len(self.chats)] if self.chats else "none"

    def _post(self, actor: Actor, chat: str | None, body: str, **more: Any) -> None:
        fields = {
            "conversation_id": chat,
            "body": body,
            "client_id": f"{len(self.posted)}",
            **more,
        }
        answer = self.scene.post(actor, **fields)
        self.posted.append((actor, fields, answer))
        if answer["conversation_id"] not in self.chats:
            self.chats.append(answer["conversation_id"])


IN_LOG = select(EVENT.c.conversation_id).where(EVENT.c.conversation_id.is_not(None))


def log_of(connection: Connection, desk: Desk) -> dict[str, list[Event]]:
    """Each conversation with its events."""
    return {chat: event_log.conversation_events(connection, chat) for chat in desk.chats}


def rows_are_what_the_log_says(connection: Connection, desk: Desk) -> None:
    found = log_of(connection, desk)
    assert set(found) == set(connection.execute(IN_LOG).scalars())
    assert list(verify(connection)) == []
    for conversation_id, events in found.items():
        replayed = replay(events)
        assert replayed is not None
        assert load_conversation(connection, conversation_id) == replayed.conversation
        turns = conversations.turns_of(connection, conversation_id)
        assert turns == [replayed.turns[number] for number in sorted(replayed.turns)]
        for length in range(1, len(events)):
            replay(events[:length])


def sequences_have_no_gaps(connection: Connection, desk: Desk) -> None:
    for events in log_of(connection, desk).values():
        assert [e.staff_seq for e in events] == list(range(1, len(events) + 1))
        seen = [e.visitor_seq for e in events if e.visitor_seq is not None]
        assert seen == list(range(1, len(seen) + 1))
        for event in events:
            private = isinstance(event.data, MessagePosted) and event.data.visibility != "public"
            assert not (private and event.visitor_seq is not None)


def time_never_goes_back(connection: Connection, desk: Desk) -> None:
    for events in log_of(connection, desk).values():
        times = [event.at_ms for event in events]
        assert times == sorted(times)


def waits_add_up(connection: Connection, desk: Desk) -> None:
    for chat in desk.chats:
        turns = conversations.turns_of(connection, chat)
        open_turns = [turn for turn in turns if turn.outcome == "waiting"]
        assert len(open_turns) <= 1
        state = load_conversation(connection, chat)
        assert state is not None
        asked = open_turns[0].ask_at_ms if open_turns else None
        assert state.waiting_since_ms == asked
        for turn in turns:
            shared = sum(share.end_at_ms - share.start_at_ms for share in turn.shares)
            assert turn.elapsed_ms is None or shared == turn.elapsed_ms


def nobody_waits_forgotten(connection: Connection, desk: Desk) -> None:
    staff = {person.id: person for person in people.load_people(connection)}
    for chat in desk.chats:
        state = load_conversation(connection, chat)
        assert state is not None
        if state.status == "open" and state.turn is not None:
            if state.queued_at_ms is not None:
                assert state.owner.kind == "queue"
                assert state.assignee_id is None
            else:
                assert state.owner.id == state.assignee_id
                agent = staff[state.assignee_id or ""]
                assert agent.status != "offline" or agent.status_at_ms <= state.owner.since_ms


def nobody_is_idle_while_somebody_queues(connection: Connection, desk: Desk) -> None:
    staff = [p for p in people.load_people(connection) if p.status == "online"]
    free = [p for p in staff if p.load < p.capacity]
    for chat in desk.chats:
        state = load_conversation(connection, chat)
        assert state is not None
        if state.status == "open" and state.queued_at_ms is not None:
            able = [p.id for p in free if state.team_id is None or state.team_id in p.team_ids]
            # Who gave it away may be the only one; then it waits for another.
            assert set(able) <= set(state.given_away_by)


def routing_exceeds_no_capacity(connection: Connection, desk: Desk) -> None:
    for chat in desk.chats:
        for event in event_log.conversation_events(connection, chat):
            if isinstance(event.data, AssignmentAccepted) and event.data.why is not None:
                assert event.data.why["load"] <= event.data.why["capacity"]


def every_message_is_there_once(connection: Connection, desk: Desk) -> None:
    stored = set(connection.execute(select(MESSAGE.c.id)).scalars())
    answered = {answer["message_id"] for _, _, answer in desk.posted}
    assert answered <= stored
    count = connection.execute(
        select(func.count()).select_from(MESSAGE).where(MESSAGE.c.sender_kind == "customer")
    ).scalar_one()
    assert count == sum(1 for actor, _, _ in desk.posted if actor.kind == "customer")


LAWS: tuple[Callable[[Connection, Desk], None], ...] = (
    rows_are_what_the_log_says,
    sequences_have_no_gaps,
    time_never_goes_back,
    waits_add_up,
    nobody_waits_forgotten,
    nobody_is_idle_while_somebody_queues,
    routing_exceeds_no_capacity,
    every_message_is_there_once,
)


@LAW
@given(steps=st.lists(STEP, min_size=20, max_size=80))
def test_whatever_people_do_the_laws_of_the_desk_hold(
    scene: Scene, steps: list[tuple[str, int, int, int, int]]
) -> None:
    desk = Desk(scene)
    for step in steps:
        desk.do(step)
    scene.database.read_now(lambda c: [law(c, desk) for law in LAWS])
