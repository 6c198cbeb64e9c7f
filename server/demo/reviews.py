"""The quality reviews of the demo shop: a sample of its last four weeks, most of it judged."""

from __future__ import annotations

from functools import partial
from random import Random

from server.actions.reviews import (
    AnswerReview,
    SaveReview,
    ToKeep,
    answer_review,
    keep_sample,
    save_review,
)
from server.demo import DEMO_SHOP
from server.domain.actors import Actor
from server.domain.review_card import FIRST_CARD, Criterion
from server.domain.review_draw import DrawScope, Plan
from server.domain.spans import DAY_MS
from server.reports.reviews import make_drawing
from server.storage import reviews
from server.storage.database import Database
from server.storage.event_log import last_seq
from server.storage.people import load_people
from server.storage.reviews import Item

SEED = "mori-oak"
DAYS = 28
LEFT = 4
_PLAN = Plan(per_agent=8, targeted={"bad_rating": 3}, twice=12)
_PRAISE = (
    "Asked back before answering, and named the day. Please keep this up.",
    "先问清楚再回答，并说明了时间，继续保持。",
    "Short, warm and right.",
    "简洁、亲切、准确。",
)
_ADVICE = (
    "Right answer, but the shopper had to ask when it would arrive. Say the day at once.",
    "答复正确，但顾客还要追问到货时间，下次请一并说明。",
    "Look the order up before you apologise: it had been sent already.",
    "道歉之前请先查订单，其实已经发货。",
)
_OBJECTION = "我在备注里写了到货时间，请再看一下最后一条消息。"


def write_reviews(database: Database, *, now_at_ms: int) -> None:
    """A sample that was drawn, judged by two people who lead, and partly answered."""
    people = {person.email: person.actor for person in database.read_now(load_people)}
    first, second = (people[f"{name}@mori-oak.example"] for name in ("wang.min", "admin"))
    scope = DrawScope(
        from_ms=now_at_ms - DAYS * DAY_MS,
        to_ms=now_at_ms,
        timezone=DEMO_SHOP.timezone,
        as_of_ms=now_at_ms,
        as_of_seq=database.read_now(last_seq),
    )
    found = database.read_now(partial(make_drawing, scope=scope, plan=_PLAN, seed=SEED))
    if not found.drawn:
        return
    kept = ToKeep(found.scope, found.plan, found.seed, found.population, found.drawn)
    sample = partial(keep_sample, actor=first, found=kept, name="Four weeks 近四周", blind=False)
    sample_id = database.write_now(sample)
    items = database.read_now(partial(reviews.items_of, sample_id=sample_id))
    chance = Random(SEED)
    given: list[tuple[Item, str]] = []
    for item in items[:-LEFT]:
        marks = {one.id: _mark(one, chance) for one in FIRST_CARD.criteria}
        payload = _payload(item, marks, chance)
        answer = database.write_now(partial(save_review, actor=first, payload=payload))
        given.append((item, answer["review_id"]))
        if item.twice:
            # The other reviewer mostly sees it alike.
            changed = {id_: points for id_, points in marks.items() if chance.random() < 0.88}
            again = {one.id: _mark(one, chance) for one in FIRST_CARD.criteria} | changed
            other = payload.model_copy(update={"marks": again, "comment": ""})
            database.write_now(partial(save_review, actor=second, payload=other))
    actors = {actor.id: actor for actor in people.values()}
    for number, (item, review_id) in enumerate(given[: len(given) // 2]):
        _answer(database, actors.get(item.agent_id), review_id, objects=number == 3)


def _payload(item: Item, marks: dict[str, int | None], chance: Random) -> SaveReview:
    missed = sum(points == 0 for points in marks.values())
    words = chance.choice(_ADVICE if missed else _PRAISE)
    return SaveReview(item_id=item.id, marks=marks, comment=words, give=True)


def _mark(one: Criterion, chance: Random) -> int | None:
    luck = chance.random()
    if one.critical:
        return 0 if luck < 0.03 else one.steps
    if luck < 0.04:
        return None
    return one.steps if luck < 0.74 else max(0, one.steps - (1 if luck < 0.95 else 2))


def _answer(database: Database, agent: Actor | None, review_id: str, *, objects: bool) -> None:
    if agent is None:
        return
    payload = AnswerReview(
        review_id=review_id,
        answer="objected" if objects else "acknowledged",
        text=_OBJECTION if objects else "",
    )
    database.write_now(partial(answer_review, actor=agent, payload=payload))
