"""Quality reviews from the draw to the figure: who may what, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any  # Any: fields of payloads

import pytest
from sqlalchemy import update

from server.actions import privacy
from server.actions import reviews as actions
from server.actions.privacy import OfPerson
from server.actions.reviews import (
    AnswerReview,
    CriterionGiven,
    SaveReview,
    SaveScorecard,
    SettleReview,
    ToKeep,
)
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import AppError, Conflict, InvalidInput, NotAllowed, NotFound
from server.domain.metrics import METRICS
from server.domain.review_card import FIRST_CARD
from server.domain.review_draw import DrawScope, Plan
from server.reports import reviews as reports
from server.reports.rows import report, rows_behind
from server.reports.scope import Scope
from server.reports.verify import verify
from server.storage import reviews as store
from server.storage.event_log import last_seq
from server.storage.reviews import Item, Judged
from tests.actions.scene import Scene

FULL: dict[str, int | None] = {one.id: one.steps for one in FIRST_CARD.criteria}


class Reviewing:
    """Two agents with chats that are over, and two who lead."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.mei = scene.person("mei", role="supervisor", status="offline")
        self.lin = scene.person("lin", role="admin", status="offline")
        self.ann = scene.person("ann")
        self.shopper = scene.shopper()
        self.chats = [self._chat(self.ann, self.shopper)]
        self.chats += [self._chat(self.ann) for _ in range(3)]
        scene.presence(self.ann, "offline")
        self.bob = scene.person("bob")
        self.chats += [self._chat(self.bob) for _ in range(2)]

    def _chat(self, agent: Actor, shopper: Actor | None = None) -> str:
        chat = self.scene.chat(shopper)
        self.scene.time.pass_s(20)
        self.scene.post(agent, "Hello, how can I help?", chat)
        self.scene.act("resolve", agent, chat)
        self.scene.time.pass_s(60)
        return chat

    def scope(self, **more: Any) -> DrawScope:
        def make(connection: Any) -> DrawScope:
            return DrawScope(
                from_ms=0,
                to_ms=self.scene.time.at_ms + 1,
                timezone="Asia/Shanghai",
                as_of_ms=self.scene.time.at_ms,
                as_of_seq=last_seq(connection),
                **more,
            )

        return self.scene.database.read_now(make)

    def find(self, plan: Plan, seed: str = "s", **more: Any) -> ToKeep:
        scope = self.scope(**more)
        found = self.scene.database.read_now(lambda c: reports.make_drawing(c, scope, plan, seed))
        return ToKeep(found.scope, found.plan, found.seed, found.population, found.drawn)

    def draw(self, plan: Plan, **more: Any) -> str:
        return self.keep(self.find(plan, **more))

    def keep(self, found: ToKeep, by: Actor | None = None) -> str:
        return self.scene.database.write_now(
            lambda tx: actions.keep_sample(tx, by or self.mei, found, name="Week", blind=False)
        )

    def items(self, sample_id: str) -> list[Item]:
        return self.scene.database.read_now(lambda c: store.items_of(c, sample_id))

    def of(self, sample_id: str, agent: Actor) -> Item:
        return next(one for one in self.items(sample_id) if one.agent_id == agent.id)

    def save(self, item: Item, by: Actor, *, give: bool = True, **marks: int | None) -> str:
        payload = SaveReview(item_id=item.id, marks=FULL | marks, comment="Well done", give=give)
        return str(self.scene.do(actions.save_review, by, payload)["review_id"])

    def judged(self, review_id: str) -> Judged:
        found = self.scene.database.read_now(lambda c: store.load_review(c, review_id))
        assert found is not None
        return found

    def figures(self, name: str, by: str | None = "agent", **scope: Any) -> dict[str | None, Any]:
        wanted = Scope(timezone="Asia/Shanghai", as_of_ms=self.scene.time.at_ms, **scope)
        rows = self.scene.database.read_now(lambda c: report(c, [name], wanted, by=by))
        return {row.group: row for row in rows}

    def refuse(self, error: type[AppError], action: Any, by: Actor, payload: Any) -> Any:
        with pytest.raises(error) as caught:
            self.scene.do(action, by, payload)
        return caught.value.details.get("reason")


@pytest.fixture
def desk(scene: Scene) -> Reviewing:
    return Reviewing(scene)


def test_a_draw_can_be_made_again_and_draws_nothing_twice(desk: Reviewing) -> None:
    sample_id = desk.draw(Plan(per_agent=2, twice=1))
    items = desk.items(sample_id)
    assert sorted(one.agent_id for one in items) == ["ann", "ann", "bob", "bob"]
    assert sum(one.twice for one in items) == 1
    read = desk.scene.database.read_now
    sample = read(lambda c: store.load_sample(c, sample_id))
    assert sample is not None
    assert sample.population.agents == {"ann": 4, "bob": 2}
    # What happens later changes nothing of it.
    desk.scene.post(desk.shopper, "One more question", desk.chats[0])
    desk._chat(desk.bob)
    assert read(lambda c: reports.draws_the_same(c, sample))
    assert not read(lambda c: reports.draws_the_same(c, replace(sample, seed="other")))
    stale = desk.find(Plan(per_agent=5), skip_drawn=True)
    again = desk.keep(stale)
    assert {one.conversation_id for one in desk.items(again)}.isdisjoint(
        one.conversation_id for one in items
    )
    assert read(lambda c: reports.draws_the_same(c, sample))
    with pytest.raises(Conflict):
        desk.keep(stale)
    with pytest.raises(InvalidInput):
        desk.draw(Plan(per_agent=2), team_id="nobody")
    with pytest.raises(InvalidInput):
        desk.draw(Plan(per_agent=0))
    with pytest.raises(NotAllowed):
        desk.keep(desk.find(Plan(per_agent=1), skip_drawn=False), by=desk.bob)


def test_only_what_was_given_counts_and_as_it_was_then(desk: Reviewing) -> None:
    sample_id = desk.draw(Plan(per_agent=2))
    ann, bob = desk.of(sample_id, desk.ann), desk.of(sample_id, desk.bob)
    draft = desk.save(ann, desk.mei, give=False, tone=0)
    assert desk.figures("review_score") == {}
    assert desk.save(ann, desk.mei, tone=0) == draft
    desk.save(bob, desk.mei, privacy=0)
    found = desk.figures("review_score")
    score = found["ann@shop.example"]
    assert (score.value, score.n, score.n_open, score.interval) == (0.85, 1, 0, None)
    assert found["bob@shop.example"].value == 0.95
    assert desk.figures("review_pass")["ann@shop.example"].numerator == 1
    assert desk.figures("review_pass")["bob@shop.example"].numerator == 0
    assert desk.figures("review_critical", by=None)[None].value == 0.5
    whole = desk.figures("review_score", by=None)[None]
    # Student's with one degree of freedom: 0.9 -+ 12.7062 * 0.0707107 / sqrt(2), within 0 and 1.
    assert whole.interval == (pytest.approx(0.9 - 12.70620 * 0.05, abs=1e-4), 1.0)
    # A review belongs to the day on which the chat began.
    assert desk.figures("review_score", to_ms=ann.started_at_ms) == {}
    seq = desk.scene.database.read_now(last_seq)
    desk.scene.time.pass_s(60)
    desk.save(ann, desk.mei, tone=2)
    assert desk.figures("review_score")["ann@shop.example"].value == 1
    assert desk.figures("review_score", as_of_seq=seq)["ann@shop.example"].value == 0.85
    rows = desk.scene.database.read_now(
        lambda c: rows_behind(
            c,
            Scope(timezone="UTC", as_of_ms=desk.scene.time.at_ms),
            METRICS["review_score"],
        )
    )
    assert rows.n == whole.n
    assert set(rows.texts("conversation_id").tolist()) == {
        ann.conversation_id,
        bob.conversation_id,
    }
    at_ms = desk.scene.time.at_ms
    assert desk.scene.database.read_now(lambda c: list(verify(c, at_ms=at_ms))) == []
    better = update(store.REVIEW).where(store.REVIEW.c.item_id == bob.id).values(score=10_000)
    desk.scene.database.write_now(lambda tx: tx.later(better))
    (wrong,) = desk.scene.database.read_now(lambda c: list(verify(c, at_ms=at_ms)))
    assert str(wrong).endswith("score is 10000, the log says 9500.")


def test_what_was_singled_out_stands_beside_the_figure(desk: Reviewing) -> None:
    desk._chat(desk.bob)
    slow = desk.scene.chat()
    desk.scene.time.pass_s(900)
    desk.scene.post(desk.bob, "Sorry for the wait", slow)
    desk.scene.act("resolve", desk.bob, slow)
    sample_id = desk.draw(Plan(per_agent=0, targeted={"slow": 3}))
    (item,) = desk.items(sample_id)
    assert (item.conversation_id, item.stratum) == (slow, "slow")
    desk.save(item, desk.mei)
    found = desk.figures("review_score", by=None)[None]
    assert (found.n, found.value, found.asides) == (0, None, {"targeted": 1})


def test_two_reviewers_do_not_lean_on_each_other(desk: Reviewing) -> None:
    sample_id = desk.draw(Plan(per_agent=2, twice=4))
    item = desk.of(sample_id, desk.ann)
    first = desk.save(item, desk.mei, tone=0)
    read = desk.scene.database.read_now

    def may_read(by: Actor, review_id: str) -> bool:
        try:
            read(lambda c: actions.read_review(c, by, review_id))
        except NotFound:
            return False
        return True

    assert may_read(desk.mei, first)
    assert may_read(desk.ann, first)
    assert not may_read(desk.lin, first)
    assert not may_read(desk.bob, first)
    second = desk.save(item, desk.lin)
    assert may_read(desk.lin, first)
    assert may_read(desk.mei, second)
    # The agent has one verdict, and so has the figure.
    assert not may_read(desk.ann, second)
    assert desk.figures("review_score")["ann@shop.example"].value == 0.85
    third = desk.scene.person("zoe", role="supervisor", status="offline")
    payload = SaveReview(item_id=item.id, marks=FULL)
    assert desk.refuse(Conflict, actions.save_review, third, payload) == "two_reviewers"
    pairs = read(store.judged_twice)
    assert [(one.marks["tone"], other.marks["tone"]) for _, one, other in pairs] == [(0, 2)]
    found = reports.calibration(pairs, FIRST_CARD)
    assert found is not None
    assert (found.passing.n, found.passing.observed, found.apart) == (1, 1.0, 0.15)
    assert found.criteria["tone"].observed == 0


def test_the_agent_answers_and_an_objection_is_settled(desk: Reviewing) -> None:
    sample_id = desk.draw(Plan(per_agent=2))
    item = desk.of(sample_id, desk.ann)
    review_id = desk.save(item, desk.mei, tone=0)
    yes = AnswerReview(review_id=review_id, answer="acknowledged")
    no = AnswerReview(review_id=review_id, answer="objected", text="The shopper was rude")
    assert desk.refuse(NotFound, actions.answer_review, desk.bob, yes) is None
    wordless = AnswerReview(review_id=review_id, answer="objected")
    assert desk.refuse(InvalidInput, actions.answer_review, desk.ann, wordless) == "objection_words"
    desk.scene.do(actions.answer_review, desk.ann, yes)
    assert desk.refuse(Conflict, actions.answer_review, desk.ann, yes) == "answered_before"
    desk.scene.do(actions.answer_review, desk.ann, no)
    assert desk.judged(review_id).contested
    settle = SettleReview(review_id=review_id, text="So is the rule")
    assert desk.refuse(NotAllowed, actions.settle_review, desk.ann, settle) is None
    desk.scene.do(actions.settle_review, desk.mei, settle)
    assert desk.refuse(Conflict, actions.settle_review, desk.mei, settle) == "no_objection"
    objected = desk.figures("review_objected")["ann@shop.example"]
    assert (objected.numerator, objected.denominator, objected.n_open) == (1, 1, 0)
    kinds = [event.kind for event in desk.scene.log() if event.kind.startswith("review.")]
    assert kinds == ["review.given", "review.answered", "review.answered"]
    assert [
        event.conversation_id for event in desk.scene.log() if event.kind.startswith("review.")
    ] == [None, None, None]


def test_nobody_judges_their_own_work_nor_without_leading(desk: Reviewing) -> None:
    desk.scene.presence(desk.bob, "offline")
    desk.scene.presence(desk.mei, "online")
    desk._chat(desk.mei)
    item = desk.of(desk.draw(Plan(per_agent=1)), desk.mei)
    payload = SaveReview(item_id=item.id, marks=FULL, give=True)
    assert desk.refuse(NotAllowed, actions.save_review, desk.mei, payload) == "own_work"
    desk.refuse(NotAllowed, actions.save_review, desk.ann, payload)
    half = SaveReview(item_id=item.id, marks={"tone": 1}, give=True)
    assert desk.refuse(InvalidInput, actions.save_review, desk.lin, half) == "unmarked"
    desk.scene.database.write_now(
        lambda tx: actions.close_sample(tx, desk.lin, item.sample_id, close=True)
    )
    assert desk.refuse(Conflict, actions.save_review, desk.lin, payload) == "sample_closed"


def test_a_changed_scorecard_moves_nothing_that_was_judged(desk: Reviewing) -> None:
    before = desk.draw(Plan(per_agent=1))
    line = CriterionGiven(en="Right", zh="正确", weight=10)
    payload = SaveScorecard(version=1, pass_mark=70, criteria=[line, line])
    desk.refuse(NotAllowed, actions.save_scorecard, desk.ann, payload)
    assert desk.scene.do(actions.save_scorecard, desk.mei, payload) == {"version": 2}
    assert desk.refuse(Conflict, actions.save_scorecard, desk.mei, payload) == "card_changed"
    read = desk.scene.database.read_now
    card = read(store.load_card)
    assert [one.id for one in card.criteria] == ["right", "right_2"]
    assert read(lambda c: store.load_card(c, 1)) == FIRST_CARD
    same = payload.model_copy(update={"version": 2})
    kept = [
        CriterionGiven(id=one.id, en=one.en, zh=one.zh, weight=one.weight) for one in card.criteria
    ]
    unchanged = same.model_copy(update={"criteria": kept})
    assert desk.scene.do(actions.save_scorecard, desk.mei, unchanged) == {"version": 2}
    desk.save(desk.of(before, desk.ann), desk.mei)
    after = desk.of(desk.draw(Plan(per_agent=1)), desk.ann)
    wrong = SaveReview(item_id=after.id, marks=FULL, give=True)
    assert desk.refuse(InvalidInput, actions.save_review, desk.mei, wrong) == "no_such_mark"
    right = SaveReview(item_id=after.id, marks={"right": 2, "right_2": 1}, give=True)
    desk.scene.do(actions.save_review, desk.mei, right)
    cards = [event.data.card for event in desk.scene.log() if event.kind == "review.given"]  # type: ignore[attr-defined]  # of that kind
    assert cards == [1, 2]


def test_the_words_of_a_review_go_with_those_of_the_shopper(desk: Reviewing) -> None:
    sample_id = desk.draw(Plan(per_agent=4))
    item = next(i for i in desk.items(sample_id) if i.conversation_id == desk.chats[0])
    review_id = desk.save(item, desk.mei)
    assert desk.judged(review_id).comment == "Well done"
    before = desk.figures("review_score")
    who = OfPerson(customer_id=desk.shopper.id or "")
    desk.scene.database.write_now(lambda tx: privacy.erase_customer(tx, SYSTEM, who))
    assert desk.judged(review_id).comment == ""
    after = desk.figures("review_score")
    assert {g: row.value for g, row in after.items()} == {g: row.value for g, row in before.items()}
    # The agent may still answer.
    answer = AnswerReview(review_id=review_id, answer="objected", text="No")
    desk.scene.do(actions.answer_review, desk.ann, answer)
    assert desk.judged(review_id).answer_text == "No"
