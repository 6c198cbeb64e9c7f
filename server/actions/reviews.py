"""Quality reviews: drawing chats, judging them, and what the reviewed agent says to it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal  # Any: JSON values

from pydantic import Field

from server.actions.payload import Id, Payload
from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from server.domain.events import ReviewAnswered, ReviewGiven, ReviewRevised
from server.domain.permissions import may, require
from server.domain.review_card import Criterion, Scorecard, check_card, check_marks, judge
from server.domain.review_draw import METHOD, Drawn, DrawScope, Plan, Population
from server.domain.text import clean
from server.storage import reviews
from server.storage.connection import Connection
from server.storage.reviews import Item, Judged, Sample
from server.storage.unit import Tx

Json = dict[str, Any]  # Any: JSON values
WRITE = "review.write"
OWN = "review.own"
MAX_NAME = 100
MAX_COMMENT = 4000
MAX_NOTE = 1000
MAX_ITEMS = 500
MISSING = "There is no such review."
_SEED = re.compile(r"[!-~]{1,40}")


class CriterionGiven(Payload):
    """One line of a scorecard; ``id`` is empty for a new one."""

    id: str = Field(default="", max_length=32)
    en: str = Field(max_length=200)
    zh: str = Field(max_length=200)
    hint_en: str = Field(default="", max_length=500)
    hint_zh: str = Field(default="", max_length=500)
    weight: int = Field(ge=0, le=100)
    steps: Literal[1, 2, 4] = 2
    critical: bool = False


class SaveScorecard(Payload):
    """The whole scorecard anew; ``version`` is the one it was changed from."""

    version: int = Field(ge=1)
    pass_mark: int = Field(ge=1, le=100)
    criteria: list[CriterionGiven] = Field(max_length=40)


def save_scorecard(tx: Tx, actor: Actor, payload: SaveScorecard) -> Json:
    """Keeps the scorecard as a new version; samples that were drawn go on with theirs.

    Raises Conflict when somebody else changed it meanwhile.
    """
    require(actor, WRITE)
    known = reviews.load_card(tx.connection)
    if payload.version != known.version:
        raise Conflict("Somebody has changed the scorecard.", reason="card_changed")
    criteria = tuple(_criteria(payload.criteria))
    card = Scorecard(
        version=known.version + 1, pass_mark=payload.pass_mark * 100, criteria=criteria
    )
    check_card(card)
    if (card.pass_mark, card.criteria) == (known.pass_mark, known.criteria):
        return {"version": known.version}
    reviews.keep_first_card(tx)
    reviews.add_card(tx, card, agent_id=actor.id)
    return {"version": card.version}


def _criteria(given: Sequence[CriterionGiven]) -> list[Criterion]:
    """The lines with an id each: what is judged in the next version under the same id, is it."""
    taken = {one.id for one in given if one.id}
    found = []
    for one in given:
        en, zh = _line(one.en), _line(one.zh)
        id_ = one.id
        if not id_:
            base = re.sub(r"[^a-z0-9]+", "_", en.lower()).strip("_")[:24]
            base = base if base[:1].isalpha() else f"c_{base}".rstrip("_")
            id_ = next(
                name
                for name in (base, *(f"{base}_{number}" for number in range(2, 100)))
                if name not in taken
            )
            taken.add(id_)
        found.append(
            Criterion(
                id=id_,
                en=en,
                zh=zh,
                hint_en=_line(one.hint_en),
                hint_zh=_line(one.hint_zh),
                weight=one.weight,
                steps=one.steps,
                critical=one.critical,
            )
        )
    return found


def _line(text: str) -> str:
    return " ".join(clean(text, limit=500, name="criteria", empty=True).split())


@dataclass(frozen=True, slots=True)
class ToKeep:
    """What was drawn, and from what, as ``reports.reviews`` made it."""

    scope: DrawScope
    plan: Plan
    seed: str
    population: Population
    drawn: Sequence[Drawn]


def check_plan(plan: Plan, seed: str) -> None:
    """Returns nothing. Raises InvalidInput for a plan that draws nothing, or no seed."""
    if plan.per_agent < 1 and not any(plan.targeted.values()):
        raise InvalidInput("Draw at least one chat.", field="per_agent", reason="draw_nothing")
    if not _SEED.fullmatch(seed):
        raise InvalidInput("A seed is 1 to 40 letters and digits.", field="seed", reason="bad_seed")


def keep_sample(tx: Tx, actor: Actor, found: ToKeep, *, name: str, blind: bool) -> str:
    """The id of the sample, kept with everything that it takes to draw it again.

    Raises InvalidInput when nothing was drawn or too much, Conflict when some of it was drawn by
    somebody else in the meantime.
    """
    require(actor, WRITE)
    name = clean(name, limit=MAX_NAME, name="name")
    check_plan(found.plan, found.seed)
    if not found.drawn:
        raise InvalidInput("No chat fits.", field="from", reason="draw_none")
    if len(found.drawn) > MAX_ITEMS:
        raise InvalidInput(
            f"More than {MAX_ITEMS} chats.", field="per_agent", reason="draw_too_many"
        )
    if found.scope.skip_drawn:
        before = reviews.drawn_before(tx.connection)
        if any(one.candidate.key in before for one in found.drawn):
            raise Conflict("Somebody has drawn some of these.", reason="drawn_meanwhile")
    card = reviews.load_card(tx.connection)
    reviews.keep_first_card(tx)
    sample = Sample(
        id=tx.new_id(),
        name=name,
        agent_id=actor.id,
        created_at_ms=tx.at_ms,
        seed=found.seed,
        method=METHOD,
        plan=found.plan,
        scope=found.scope,
        population=found.population,
        card=card.version,
        blind=blind,
    )
    reviews.add_sample(tx, sample, found.drawn)
    return sample.id


def close_sample(tx: Tx, actor: Actor, sample_id: str, *, close: bool) -> None:
    """Ends the reviewing of a sample or goes on with it; what was given stays. Raises NotFound."""
    require(actor, WRITE)
    if reviews.load_sample(tx.connection, sample_id) is None:
        raise NotFound("There is no such sample.")
    reviews.close_sample(tx, sample_id, closed_at_ms=tx.at_ms if close else None)


class SaveReview(Payload):
    """Marks and words for a chat. ``marks`` are points by criterion, None for not applicable.

    A criterion without a mark is left open, which only a draft may be. ``give`` hands it to the
    agent.
    """

    item_id: Id
    marks: dict[str, int | None] = Field(default_factory=dict, max_length=40)
    notes: dict[str, str] = Field(default_factory=dict, max_length=40)
    comment: str = Field(default="", max_length=2 * MAX_COMMENT)
    give: bool = False


def save_review(tx: Tx, actor: Actor, payload: SaveReview) -> Json:
    """Keeps a review as a draft, gives it, or revises one that was given.

    Nobody judges their own work, and no chat is judged by more than two. Raises NotFound,
    InvalidInput for marks that are missing or are none, Conflict.
    """
    require(actor, WRITE)
    item = reviews.load_item(tx.connection, payload.item_id, lock=True)
    sample = None if item is None else reviews.load_sample(tx.connection, item.sample_id)
    if item is None or sample is None:
        raise NotFound(MISSING)
    if item.agent_id == actor.id:
        raise NotAllowed("Nobody judges their own work.", reason="own_work")
    judged = reviews.reviews_of(tx.connection, [item.id]).get(item.id, [])
    mine = next((one for one in judged if one.reviewer_id == actor.id), None)
    others = [one for one in judged if one.reviewer_id != actor.id and one.given_at_ms is not None]
    # A draft holds nobody up: who began it may never come back to it.
    if len(others) >= 2:
        raise Conflict("Two people have judged this chat already.", reason="two_reviewers")
    if sample.closed_at_ms is not None and (mine is None or mine.given_at_ms is None):
        raise Conflict("The sample is closed.", reason="sample_closed")
    card = reviews.load_card(tx.connection, sample.card)
    check_marks(card, payload.marks)
    if mine is not None and mine.given_at_ms is not None and not payload.give:
        raise Conflict("What was given is no draft any more.", reason="given_before")
    now = replace(
        mine or Judged(id=tx.new_id(), item_id=item.id, reviewer_id=actor.id or "", saved_at_ms=0),
        marks=dict(payload.marks),
        notes=_notes(card, payload.notes),
        comment=clean(payload.comment, limit=MAX_COMMENT, name="comment", empty=True),
        saved_at_ms=tx.at_ms,
    )
    if payload.give:
        now = _given(tx, actor, item, now, card=card, second=bool(others))
    reviews.save_review(tx, now, conversation_id=item.conversation_id, new=mine is None)
    return {"review_id": now.id, "given": now.given_at_ms is not None}


def _given(
    tx: Tx, actor: Actor, item: Item, now: Judged, *, card: Scorecard, second: bool
) -> Judged:
    """The review with its verdict, told to the log; ``second`` if somebody gave one before."""
    verdict = judge(card, now.marks)
    told = (verdict.score, verdict.passed, verdict.critical)
    if now.given_at_ms is not None:
        changed = told != (now.score, now.passed, now.critical)
        if changed:
            revised = ReviewRevised(
                review_id=now.id,
                agent_id=item.agent_id,
                score=verdict.score,
                passed=verdict.passed,
                critical=verdict.critical,
            )
            tx.record(actor, revised)
        now = replace(now, revision=now.revision + 1)
        if now.contested:
            now = replace(now, settled_by=actor.id, settled_at_ms=tx.at_ms)
    else:
        now = replace(now, given_at_ms=tx.at_ms, second=second)
        given = ReviewGiven(
            review_id=now.id,
            agent_id=item.agent_id,
            conversation_id=item.conversation_id,
            session_no=item.session_no,
            started_at_ms=item.started_at_ms,
            team_id=item.team_id,
            channel=item.channel,
            stratum=item.stratum,
            card=card.version,
            score=verdict.score,
            passed=verdict.passed,
            critical=verdict.critical,
            second=second,
        )
        tx.record(actor, given)
    return replace(now, score=verdict.score, passed=verdict.passed, critical=verdict.critical)


def _notes(card: Scorecard, notes: Mapping[str, str]) -> dict[str, str]:
    known = {one.id for one in card.criteria}
    cleaned = {
        id_: clean(text, limit=MAX_NOTE, name="notes", empty=True)
        for id_, text in notes.items()
        if id_ in known
    }
    return {id_: text for id_, text in cleaned.items() if text}


class AnswerReview(Payload):
    """What the reviewed agent says: that she has read it, or why she objects."""

    review_id: Id
    answer: Literal["acknowledged", "objected"]
    text: str = Field(default="", max_length=2 * MAX_COMMENT)


def answer_review(tx: Tx, actor: Actor, payload: AnswerReview) -> Json:
    """Keeps the answer of the agent whose work was judged; an objection needs a reason.

    It is given once; who has acknowledged may still object. Raises NotFound for a review that is
    not one's own, Conflict.
    """
    require(actor, OWN)
    item, judged = _locked(tx, payload.review_id)
    if item.agent_id != actor.id or judged.given_at_ms is None or judged.second:
        raise NotFound(MISSING)
    if judged.answer in ("objected", payload.answer):
        raise Conflict("It was answered before.", reason="answered_before")
    text = clean(payload.text, limit=MAX_COMMENT, name="text", empty=True)
    if payload.answer == "objected" and not text:
        raise InvalidInput("Say why.", field="text", reason="objection_words")
    answered = replace(judged, answer=payload.answer, answer_text=text, answered_at_ms=tx.at_ms)
    tx.record(
        actor,
        ReviewAnswered(review_id=judged.id, agent_id=item.agent_id, answer=payload.answer),
    )
    reviews.save_review(tx, answered, conversation_id=item.conversation_id, new=False)
    return {"answer": payload.answer}


class SettleReview(Payload):
    """A word to an objection that leaves the verdict as it is."""

    review_id: Id
    text: str = Field(max_length=2 * MAX_COMMENT)


def settle_review(tx: Tx, actor: Actor, payload: SettleReview) -> Json:
    """Upholds a review against an objection, with a reason. Raises NotFound, Conflict."""
    require(actor, WRITE)
    item, judged = _locked(tx, payload.review_id)
    if item.agent_id == actor.id:
        raise NotAllowed("Nobody judges their own work.", reason="own_work")
    if not judged.contested:
        raise Conflict("Nobody objects to it any more.", reason="no_objection")
    text = clean(payload.text, limit=MAX_COMMENT, name="text", empty=True)
    if not text:
        raise InvalidInput("Say why.", field="text", reason="settle_words")
    settled = replace(judged, settled_by=actor.id, settled_at_ms=tx.at_ms, settled_text=text)
    reviews.save_review(tx, settled, conversation_id=item.conversation_id, new=False)
    return {"settled": True}


def _locked(tx: Tx, review_id: str) -> tuple[Item, Judged]:
    """A review and its chat, which is what is locked. Raises NotFound."""
    found = reviews.load_review(tx.connection, review_id)
    item = None if found is None else reviews.load_item(tx.connection, found.item_id, lock=True)
    judged = reviews.load_review(tx.connection, review_id)
    if item is None or judged is None:
        raise NotFound(MISSING)
    return item, judged


def read_review(connection: Connection, actor: Actor, review_id: str) -> tuple[Item, Judged]:
    """A review that was given, for who may read it. Raises NotFound, also when it is hidden.

    That is the agent whose work was judged, if it is the first verdict; and who leads, but of a
    chat that two people are to judge only once both have, so that neither leans on the other.
    """
    judged = reviews.load_review(connection, review_id)
    item = None if judged is None else reviews.load_item(connection, judged.item_id)
    if judged is None or item is None or judged.given_at_ms is None:
        raise NotFound(MISSING)
    if item.agent_id == actor.id:
        if judged.second:
            raise NotFound(MISSING)
        return item, judged
    every = reviews.reviews_of(connection, [item.id])[item.id]
    if not may(actor, WRITE) or is_sealed(actor, item, judged, every):
        raise NotFound(MISSING)
    return item, judged


def is_sealed(actor: Actor, item: Item, judged: Judged, every: Sequence[Judged]) -> bool:
    """Whether a verdict is kept from somebody who leads until the second one was given.

    ``every`` are the reviews of the chat. An objection opens it: it has to be looked at.
    """
    if judged.reviewer_id == actor.id or not item.twice or judged.answer == "objected":
        return False
    given = [one for one in every if one.given_at_ms is not None]
    return len(given) < 2 and all(one.reviewer_id != actor.id for one in given)
