"""What is done with a conversation as a whole: by whom, when, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from server.actions import desk, messages, ratings, visitors
from server.actions.conversations import (
    Dismiss,
    Focus,
    Snooze,
    Tag,
    claim,
    dismiss_turn,
    record_focus,
    snooze,
    tag,
)
from server.actions.desk import CatchUp, Look
from server.actions.messages import MarkRead, SetDraft
from server.actions.payload import ConversationRef, parse
from server.actions.visitors import UpdateCustomer
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import AppError, Conflict, InvalidInput, NotFound
from server.domain.events import AssignmentChanged, AssignmentEnded, RatingAsked
from server.domain.spans import MINUTE_MS
from server.storage import views
from tests.actions.scene import Scene

Act = Callable[[Scene, Actor, str], object]


def _snooze(scene: Scene, actor: Actor, chat: str, until_ms: int | None = None) -> object:
    until = scene.time.at_ms + MINUTE_MS if until_ms is None else until_ms
    return scene.do(snooze, actor, Snooze(conversation_id=chat, until_ms=until))


def _tag(scene: Scene, actor: Actor, chat: str, *add: str, remove: tuple[str, ...] = ()) -> object:
    payload = Tag(conversation_id=chat, add=list(add) or ["vip"], remove=list(remove))
    return scene.do(tag, actor, payload)


def _mark(scene: Scene, actor: Actor, chat: str) -> object:
    last = scene.state(chat).last_message
    assert last is not None
    payload = MarkRead(conversation_id=chat, message_id=last.id)
    return scene.do(messages.mark_read, actor, payload)


def _catch_up(scene: Scene, actor: Actor, chat: str) -> object:
    payload = CatchUp(conversation_id=chat)
    at_ms = scene.time.at_ms
    return scene.database.read_now(lambda c: desk.catch_up(Look(c, actor, at_ms), payload))


def _open(scene: Scene, actor: Actor, chat: str) -> object:
    payload = ConversationRef(conversation_id=chat)
    at_ms = scene.time.at_ms
    return scene.database.read_now(lambda c: desk.open_conversation(Look(c, actor, at_ms), payload))


def _update_customer(scene: Scene, actor: Actor, chat: str) -> object:
    payload = UpdateCustomer(customer_id=scene.state(chat).customer_id, name="Li")
    return scene.do(visitors.update_customer, actor, payload)


ACTS: dict[str, Act] = {
    "post": lambda s, a, c: s.post(a, "Hello", c),
    "note": lambda s, a, c: s.post(a, "psst", c, visibility="private"),
    "claim": lambda s, a, c: s.act("claim", a, c),
    "transfer": lambda s, a, c: s.transfer(a, c, agent_id="target"),
    "resolve": lambda s, a, c: s.act("resolve", a, c),
    "reopen": lambda s, a, c: s.act("reopen", a, c),
    "snooze": _snooze,
    "tag": _tag,
    "spam": lambda s, a, c: s.act("mark_spam", a, c),
    "dismiss": lambda s, a, c: s.do(dismiss_turn, a, Dismiss(conversation_id=c)),
    "focus": lambda s, a, c: s.do(record_focus, a, Focus(conversation_id=c, focused_ms=1)),
    "mark_read": _mark,
    "draft": lambda s, a, c: s.do(messages.set_draft, a, SetDraft(conversation_id=c, body="Dear")),
    "catch_up": _catch_up,
    "open": _open,
    "update_customer": _update_customer,
}
MEMBERS = ("member", "leader", "admin")
STRANGERS = ("other_team", "teamless")


def team_desk(scene: Scene) -> tuple[dict[str, Actor], str]:
    """People around a conversation of team t1 that waits in its queue."""
    who = {
        "member": scene.person("member", teams=("t1",), status="busy"),
        "other_team": scene.person("other_team", teams=("t2",), status="busy"),
        "teamless": scene.person("teamless", status="busy"),
        "leader": scene.person("leader", role="supervisor", status="offline"),
        "admin": scene.person("admin", role="admin", status="offline"),
        "target": scene.person("target", teams=("t1",), status="busy"),
    }
    chat = scene.chat()
    scene.transfer(who["admin"], chat, team_id="t1")
    return who, chat


@pytest.mark.parametrize("act", ACTS)
def test_only_the_team_and_leaders_reach_a_team_s_conversation(scene: Scene, act: str) -> None:
    who, chat = team_desk(scene)
    before = scene.events(chat)
    for stranger in STRANGERS:
        with pytest.raises(NotFound):
            ACTS[act](scene, who[stranger], chat)
    with pytest.raises(NotFound):
        ACTS[act](scene, scene.shopper(), chat)
    assert scene.events(chat) == before
    ACTS[act](scene, who["member"], chat)


@pytest.mark.parametrize("name", MEMBERS)
def test_leaders_reach_everything(scene: Scene, name: str) -> None:
    who, chat = team_desk(scene)
    for act in ("note", "tag", "catch_up", "open", "update_customer", "claim", "resolve"):
        ACTS[act](scene, who[name], chat)


def test_an_assignee_reaches_it_whatever_the_team(scene: Scene) -> None:
    who, chat = team_desk(scene)
    scene.transfer(who["leader"], chat, agent_id="other_team")
    for act in ("post", "note", "tag", "open", "focus", "draft"):
        ACTS[act](scene, who["other_team"], chat)


def test_a_conversation_of_no_team_is_everybody_s(scene: Scene) -> None:
    agent = scene.person("ann", teams=("t2",), status="busy")
    chat = scene.chat()
    for act in ("open", "note", "claim"):
        ACTS[act](scene, agent, chat)


def test_claiming_makes_one_the_owner_once(scene: Scene) -> None:
    ann = scene.person("ann", status="busy")
    chat = scene.chat()
    scene.act("claim", ann, chat)
    before = scene.events(chat)
    assert scene.kinds(chat)[-2:] == ["queue.left", "assignment.accepted"]
    scene.act("claim", ann, chat)
    assert scene.events(chat) == before


def test_a_colleague_s_conversation_can_be_taken_by_leaders_only(scene: Scene) -> None:
    scene.person("ann")
    bo = scene.person("bo", status="busy")
    leader = scene.person("lea", role="supervisor", status="offline")
    chat = scene.chat()
    with pytest.raises(Conflict) as refusal:
        scene.act("claim", bo, chat)
    assert refusal.value.details == {"assignee_id": "ann"}
    scene.act("claim", leader, chat)
    changed = scene.events(chat)[-1].data
    assert changed == AssignmentChanged(from_="ann", to="lea", reason="claim")


@pytest.mark.parametrize("act", ["claim", "transfer", "snooze"])
def test_what_has_ended_is_reopened_first(scene: Scene, act: str) -> None:
    ann = scene.person("ann")
    scene.person("target")
    chat = scene.chat()
    scene.act("resolve", ann, chat)
    with pytest.raises(Conflict):
        ACTS[act](scene, ann, chat)


def test_two_agents_who_claim_at_once_do_not_both_get_it(scene: Scene) -> None:
    agents = [scene.person(name, status="busy") for name in ("ann", "bo", "cy")]
    databases = [scene.database, scene.open(), scene.open()]
    for _ in range(5):
        chat = scene.chat()
        payload = ConversationRef(conversation_id=chat)
        futures = [
            database.submit(partial(claim, actor=agent, payload=payload))
            for database, agent in zip(databases, agents, strict=True)
        ]
        refused = [type(future.exception(30)) for future in futures]
        assert sorted(kind.__name__ for kind in refused) == ["Conflict", "Conflict", "NoneType"]


def test_a_transfer_to_an_agent_tells_from_to_and_the_note(scene: Scene) -> None:
    ann, bo = scene.person("ann"), scene.person("bo", status="busy")
    chat = scene.chat()
    before = len(scene.events(chat))
    scene.transfer(ann, chat, agent_id=bo.id, note="She wants a refund")
    assert scene.since(chat, before) == ["message.posted", "assignment.changed"]
    note, changed = scene.events(chat)[before:]
    assert note.visitor_seq is None
    assert changed.data == AssignmentChanged(from_="ann", to="bo", reason="transfer")


def test_a_transfer_names_either_an_agent_or_a_team_that_exists(scene: Scene) -> None:
    ann = scene.person("ann", teams=("t1",))
    chat = scene.chat()
    with pytest.raises(InvalidInput):
        scene.transfer(ann, chat)
    with pytest.raises(InvalidInput):
        scene.transfer(ann, chat, agent_id="ann", team_id="t1")
    with pytest.raises(NotFound):
        scene.transfer(ann, chat, agent_id="nobody")
    with pytest.raises(NotFound):
        scene.transfer(ann, chat, team_id="nowhere")
    with pytest.raises(Conflict):
        scene.transfer(ann, chat, agent_id="ann")
    assert scene.kinds(chat)[-1] == "assignment.accepted"


def test_a_refused_transfer_leaves_no_note(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    with pytest.raises(NotFound):
        scene.transfer(ann, chat, agent_id="nobody", note="For you")
    assert scene.kinds(chat).count("message.posted") == 1


def test_a_transfer_to_a_team_returns_it_to_that_team_s_queue(scene: Scene) -> None:
    ann = scene.person("ann")
    scene.team("t1")
    chat = scene.chat()
    scene.transfer(ann, chat, team_id="t1")
    state = scene.state(chat)
    assert (state.team_id, state.assignee_id, state.owner.kind) == ("t1", None, "queue")
    ended = next(e.data for e in scene.events(chat) if isinstance(e.data, AssignmentEnded))
    assert ended == AssignmentEnded(from_="ann", reason="transfer")


def test_resolving_ends_the_session_and_asks_for_a_rating_once_somebody_answered(
    scene: Scene,
) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    scene.post(ann, "Yes", chat)
    before = len(scene.events(chat))
    scene.act("resolve", ann, chat)
    scene.act("resolve", ann, chat)
    assert scene.since(chat, before) == [
        "conversation.status_changed",
        "session.ended",
        "rating.asked",
    ]
    assert scene.events(chat)[-1].data == RatingAsked(session_no=1)
    assert scene.session(chat).resolved_by == "ann"


def test_nobody_is_asked_to_rate_what_nobody_answered(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    scene.act("resolve", ann, chat)
    assert "rating.asked" not in scene.kinds(chat)
    assert scene.turns(chat)[0].outcome == "closed_unanswered"


def test_a_shopper_may_end_their_conversation_but_not_take_back_that_it_is_spam(
    scene: Scene,
) -> None:
    ann, shopper = scene.person("ann"), scene.shopper()
    chat = scene.chat(shopper)
    scene.act("resolve", shopper, chat)
    assert scene.session(chat).resolved_by is None
    assert scene.state(chat).status == "resolved"
    scene.act("mark_spam", ann, chat)
    scene.act("resolve", shopper, chat)
    scene.act("resolve", ann, chat)
    assert scene.state(chat).status == "spam"
    scene.act("reopen", ann, chat)
    assert scene.state(chat).status == "open"


def test_resolving_from_the_queue_leaves_it(scene: Scene) -> None:
    chat = scene.chat()
    leader = scene.person("lea", role="supervisor", status="offline")
    scene.act("resolve", leader, chat)
    assert scene.kinds(chat)[-3:] == ["queue.left", "conversation.status_changed", "session.ended"]
    assert scene.state(chat).queued_at_ms is None


def test_spam_dismisses_the_wait(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    scene.act("mark_spam", ann, chat)
    assert scene.turns(chat)[0].outcome == "dismissed"
    assert scene.chats(scene.shopper()) == []


def test_a_shopper_is_not_told_that_it_is_spam(scene: Scene) -> None:
    ann, shopper = scene.person("ann"), scene.shopper()
    chat = scene.chat(shopper)
    scene.act("mark_spam", ann, chat)
    shown = str(_catch_up(scene, shopper, chat))
    assert "spam" not in shown
    assert scene.events(chat)[-1].visitor_seq is None


def test_reopening_gives_it_to_who_asks_and_begins_a_session(scene: Scene) -> None:
    ann, bo = scene.person("ann"), scene.person("bo", status="busy")
    chat = scene.chat()
    scene.act("resolve", ann, chat)
    scene.act("reopen", bo, chat)
    before = scene.events(chat)
    state = scene.state(chat)
    assert (state.status, state.assignee_id, state.session_no, state.reopened) == (
        "open",
        "bo",
        2,
        True,
    )
    scene.act("reopen", ann, chat)
    assert scene.events(chat) == before


def test_reopening_what_is_snoozed_only_wakes_it(scene: Scene) -> None:
    ann, bo = scene.person("ann"), scene.person("bo", status="busy")
    chat = scene.chat()
    _snooze(scene, ann, chat)
    scene.act("reopen", bo, chat)
    state = scene.state(chat)
    assert (state.status, state.assignee_id, state.session_no) == ("open", "ann", 1)


def test_a_snooze_lasts_until_its_time_and_wakes_once(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    _snooze(scene, ann, chat)
    scene.time.pass_s(59)
    scene.act("wake", SYSTEM, chat)
    assert scene.state(chat).status == "snoozed"
    scene.time.pass_s(1)
    scene.act("wake", SYSTEM, chat)
    before = scene.events(chat)
    assert scene.state(chat).status == "open"
    scene.act("wake", SYSTEM, chat)
    assert scene.events(chat) == before


@pytest.mark.parametrize("ahead_ms", [0, -1, 367 * 24 * 3600 * 1000])
def test_a_snooze_ends_in_the_future_but_not_a_far_one(scene: Scene, ahead_ms: int) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    with pytest.raises(InvalidInput):
        _snooze(scene, ann, chat, scene.time.at_ms + ahead_ms)


def test_tags_are_put_on_once_and_what_changes_nothing_is_not_told(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    _tag(scene, ann, chat, "vip", " vip ", "退货")
    assert scene.state(chat).tags == ("vip", "退货")
    before = scene.events(chat)
    _tag(scene, ann, chat, "vip")
    assert scene.events(chat) == before
    _tag(scene, ann, chat, "new", "vip", remove=("vip", "new", "absent"))
    assert scene.state(chat).tags == ("退货",)


def test_twenty_tags_are_enough(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    _tag(scene, ann, chat, *[f"t{n}" for n in range(20)])
    with pytest.raises(InvalidInput):
        _tag(scene, ann, chat, "one more")
    _tag(scene, ann, chat, "one more", remove=("t0",))
    assert len(scene.state(chat).tags) == 20


def test_a_dismissed_turn_needs_no_answer_and_there_must_be_one(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    scene.do(dismiss_turn, ann, Dismiss(conversation_id=chat, reason="courtesy"))
    assert scene.turns(chat)[0].outcome == "dismissed"
    with pytest.raises(Conflict):
        scene.do(dismiss_turn, ann, Dismiss(conversation_id=chat))


def test_leaving_and_returning_are_told_once(scene: Scene) -> None:
    scene.person("ann")
    chat = scene.chat()
    before = len(scene.events(chat))
    for act in ("customer_left", "customer_left", "customer_returned", "customer_returned"):
        scene.act(act, SYSTEM, chat)
    assert scene.since(chat, before) == ["customer.left", "customer.returned"]
    assert scene.turns(chat)[0].outcome == "waiting"


def test_a_shopper_who_left_and_writes_is_back_and_still_has_the_first_question(
    scene: Scene,
) -> None:
    scene.person("ann")
    shopper = scene.shopper()
    chat = scene.chat(shopper)
    scene.act("customer_left", SYSTEM, chat)
    scene.post(shopper, "Are you there?")
    (turn,) = scene.turns(chat)
    assert (turn.outcome, scene.state(chat).unanswered) == ("waiting", 2)


def test_a_rating_is_given_revised_and_kept_with_its_comment_apart(scene: Scene) -> None:
    ann, shopper = scene.person("ann"), scene.shopper()
    chat = scene.chat(shopper)

    def rate(score: int, comment: str | None = None) -> None:
        payload = ratings.GiveRating(conversation_id=chat, score=score, comment=comment)
        scene.do(ratings.give_rating, shopper, payload)

    with pytest.raises(Conflict):
        rate(5)
    scene.post(ann, "Yes", chat)
    rate(2, "slow")
    rate(2, "very slow")
    rate(4)
    assert scene.kinds(chat)[-2:] == ["rating.given", "rating.revised"]
    assert scene.session(chat).rating == 4
    assert "slow" not in str(scene.events(chat))
    events = scene.events(chat)

    def told(audience: views.Audience) -> list[object]:
        envelopes = scene.database.read_now(lambda c: views.envelopes(c, events, audience=audience))
        return [e["data"].get("comment") for e in envelopes if e["kind"].startswith("rating.")]

    assert told("agent")[-2:] == [None, "very slow"]
    assert set(told("visitor")) == {None}


def test_somebody_else_s_conversation_cannot_be_rated(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    scene.post(ann, "Yes", chat)
    payload = ratings.GiveRating(conversation_id=chat, score=1)
    with pytest.raises(NotFound):
        scene.do(ratings.give_rating, scene.shopper(), payload)


@pytest.mark.parametrize("score", [0, 6, True, 4.5, "5", None])
def test_a_score_is_a_whole_number_from_one_to_five(score: object) -> None:
    with pytest.raises(InvalidInput):
        parse(ratings.GiveRating, {"conversation_id": "c", "score": score})


def test_a_refusal_of_one_action_writes_nothing_of_it(scene: Scene) -> None:
    ann = scene.person("ann")
    chat = scene.chat()
    before = scene.events(chat)
    acts: tuple[Callable[[], object], ...] = (
        lambda: _tag(scene, ann, chat, "fine", "x" * 41),
        lambda: scene.transfer(ann, chat, agent_id="ann", note="Note"),
        lambda: scene.post(ann, "x" * 8001, chat),
    )
    for act in acts:
        with pytest.raises(AppError):
            act()
    assert scene.events(chat) == before
