"""Quality reviews: scorecards, samples, the chats that were drawn, and what was said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from typing import Any  # Any: column values

import orjson
from sqlalchemy import Connection, RowMapping, Select, bindparam, func, insert, select, update

from server.domain.review_card import FIRST_CARD, Criterion, Scorecard
from server.domain.review_draw import Drawn, DrawScope, Plan, Population
from server.storage.among import among
from server.storage.locking import lockable, locked_row
from server.storage.people import AGENT
from server.storage.tables import (
    Review,
    ReviewItem,
    ReviewSample,
    ReviewText,
    ScorecardVersion,
    table,
)
from server.storage.unit import Tx

CARD = table(ScorecardVersion)
SAMPLE = table(ReviewSample)
ITEM = table(ReviewItem)
REVIEW = table(Review)
TEXT = table(ReviewText)
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A draw of chats; ``card`` is the version of the scorecard by which they are judged.

    ``blind`` hides from the reviewer whose chat it is and how it was rated. ``by`` is a name.
    """

    id: str
    name: str
    agent_id: str | None
    created_at_ms: int
    seed: str
    method: int
    plan: Plan
    scope: DrawScope
    population: Population
    card: int
    blind: bool
    closed_at_ms: int | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A chat that was drawn; ``twice`` when two people are to judge it."""

    id: str
    sample_id: str
    place: int
    conversation_id: str
    session_no: int
    agent_id: str
    team_id: str | None
    channel: str
    started_at_ms: int
    stratum: str
    twice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one reviewer says of one chat; a draft while ``given_at_ms`` is None.

    ``marks`` are points by criterion, None for not applicable; ``notes`` words by criterion.
    ``answer`` is acknowledged or objected, None before the agent has answered. ``settled_by``
    looked at an objection.
    """

    id: str
    item_id: str
    reviewer_id: str
    marks: Mapping[str, int | None] = field(default_factory=dict)
    second: bool = False
    revision: int = 0
    score: int | None = None
    passed: bool | None = None
    critical: bool | None = None
    saved_at_ms: int
    given_at_ms: int | None = None
    answer: str | None = None
    answered_at_ms: int | None = None
    settled_by: str | None = None
    settled_at_ms: int | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
    answer_text: str = ""
    settled_text: str = ""

    @property
    def contested(self) -> bool:
        """True while an objection waits for a word."""
        return self.answer == "objected" and self.settled_at_ms is None


def load_card(connection: Connection, version: int | None = None) -> Scorecard:
    """A version of the scorecard, the latest by default; before any was kept, the one we bring."""
    statement = select(CARD).order_by(CARD.c.version.desc()).limit(1)
    if version is not None:
        statement = statement.where(CARD.c.version == version)
    row = connection.execute(statement).mappings().first()
    if row is None:
        return FIRST_CARD
    return Scorecard(
        version=row["version"],
        pass_mark=row["pass_mark"],
        criteria=tuple(Criterion(**one) for one in orjson.loads(row["criteria"])),
    )


@dataclass(frozen=True, slots=True)
class CardChange:
    """Who made a version of the scorecard, and when."""

    version: int
    by: str | None
    at_ms: int


def card_changes(connection: Connection) -> list[CardChange]:
    """The versions of the scorecard, the latest first."""
    found = connection.execute(
        select(CARD.c.version, AGENT.c.name, CARD.c.created_at_ms)
        .join_from(CARD, AGENT, AGENT.c.id == CARD.c.agent_id, isouter=True)
        .order_by(CARD.c.version.desc())
        .limit(_MOST)
    )
    return [CardChange(*row) for row in found]


def add_card(tx: Tx, card: Scorecard, *, agent_id: str | None) -> None:
    """Keeps a version of the scorecard."""
    tx.later(
        insert(CARD),
        {
            "version": card.version,
            "pass_mark": card.pass_mark,
            "criteria": orjson.dumps([asdict(one) for one in card.criteria]).decode(),
            "agent_id": agent_id,
            "created_at_ms": tx.at_ms,
        },
    )


def keep_first_card(tx: Tx) -> None:
    """Keeps the scorecard that we bring once something is judged by it, so that it stays so."""
    if tx.execute(select(func.count()).select_from(CARD)).scalar_one() == 0:
        add_card(tx, FIRST_CARD, agent_id=None)


def add_sample(tx: Tx, sample: Sample, drawn: Sequence[Drawn]) -> None:
    """Keeps a sample and what was drawn."""
    tx.later(
        insert(SAMPLE),
        {
            "id": sample.id,
            "name": sample.name,
            "agent_id": sample.agent_id,
            "created_at_ms": sample.created_at_ms,
            "seed": sample.seed,
            "method": sample.method,
            "plan": orjson.dumps(asdict(sample.plan)).decode(),
            "scope": orjson.dumps(asdict(sample.scope)).decode(),
            "population": orjson.dumps(asdict(sample.population)).decode(),
            "card": sample.card,
            "blind": sample.blind,
        },
    )
    rows: list[Mapping[str, Any]] = [  # Any: column values
        {
            "id": tx.new_id(),
            "sample_id": sample.id,
            "place": place,
            "conversation_id": one.candidate.conversation_id,
            "session_no": one.candidate.session_no,
            "agent_id": one.candidate.agent_id,
            "team_id": one.candidate.team_id,
            "channel": one.candidate.channel,
            "started_at_ms": one.candidate.started_at_ms,
            "stratum": one.stratum,
            "twice": one.twice,
        }
        for place, one in enumerate(drawn, 1)
    ]
    tx.later(insert(ITEM), rows)


_SAMPLES = (
    select(SAMPLE, AGENT.c.name.label("by"))
    .join_from(SAMPLE, AGENT, AGENT.c.id == SAMPLE.c.agent_id, isouter=True)
    .order_by(SAMPLE.c.id.desc())
)


def load_samples(connection: Connection, *, limit: int) -> list[Sample]:
    """The latest samples, newest first."""
    return [_sample(row) for row in connection.execute(_SAMPLES.limit(limit)).mappings()]


def load_sample(connection: Connection, sample_id: str) -> Sample | None:
    """A sample, or None when there is none."""
    row = connection.execute(_SAMPLES.where(SAMPLE.c.id == sample_id)).mappings().first()
    return None if row is None else _sample(row)


def close_sample(tx: Tx, sample_id: str, *, closed_at_ms: int | None) -> None:
    """Ends the reviewing of a sample, or with None goes on with it."""
    statement = update(SAMPLE).where(SAMPLE.c.id == sample_id).values(closed_at_ms=closed_at_ms)
    tx.later(statement)


def drawn_before(connection: Connection, sample_id: str | None = None) -> set[tuple[str, int]]:
    """The chats of all samples, or of those that were drawn before this one."""
    statement = select(ITEM.c.conversation_id, ITEM.c.session_no)
    if sample_id is not None:
        statement = statement.where(ITEM.c.sample_id < sample_id)
    return {(row[0], row[1]) for row in connection.execute(statement)}


def items_of(connection: Connection, sample_id: str) -> list[Item]:
    """What was drawn for a sample, in its order."""
    statement = select(ITEM).where(ITEM.c.sample_id == sample_id).order_by(ITEM.c.place)
    return [Item(**row) for row in connection.execute(statement).mappings()]


def _items(connection: Connection, ids: AbstractSet[str]) -> dict[str, Item]:
    statement = select(ITEM).where(among(ITEM.c.id, "ids"))
    rows = connection.execute(statement, {"ids": list(ids)}).mappings()
    return {row["id"]: Item(**row) for row in rows}


_ITEM = lockable(select(ITEM).where(ITEM.c.id == bindparam("id")))


def load_item(connection: Connection, item_id: str, *, lock: bool = False) -> Item | None:
    """A chat that was drawn, or None when there is none."""
    if lock:
        row = locked_row(connection, _ITEM, item_id)
    else:
        row = connection.execute(select(ITEM).where(ITEM.c.id == item_id)).mappings().first()
    return None if row is None else Item(**row)


_REVIEWS: Select[Any] = (  # Any: columns
    select(
        REVIEW,
        TEXT.c.notes,
        TEXT.c.comment,
        TEXT.c.answer.label("answer_text"),
        TEXT.c.settled.label("settled_text"),
    )
    .join_from(REVIEW, TEXT, TEXT.c.review_id == REVIEW.c.id, isouter=True)
    .order_by(REVIEW.c.id)
)


def load_review(connection: Connection, review_id: str) -> Judged | None:
    """A review, draft or given, or None when there is none."""
    row = connection.execute(_REVIEWS.where(REVIEW.c.id == review_id)).mappings().first()
    return None if row is None else _judged(row)


def reviews_of(connection: Connection, item_ids: Sequence[str]) -> dict[str, list[Judged]]:
    """The reviews of some chats, drafts too, the first ones first."""
    found: dict[str, list[Judged]] = {}
    statement = _REVIEWS.where(among(REVIEW.c.item_id, "ids"))
    for row in connection.execute(statement, {"ids": list(item_ids)}).mappings():
        found.setdefault(row["item_id"], []).append(_judged(row))
    return found


def reviews_about(connection: Connection, agent_id: str) -> list[tuple[Item, Judged]]:
    """The latest reviews of a person's work that they may read: first ones that were given."""
    given = REVIEW.c.given_at_ms
    statement = (
        _REVIEWS.with_only_columns(REVIEW.c.id, REVIEW.c.item_id, maintain_column_froms=True)
        .join(ITEM, ITEM.c.id == REVIEW.c.item_id)
        .where(ITEM.c.agent_id == agent_id, given.is_not(None), REVIEW.c.second.is_(False))
        .order_by(None)
        .order_by(given.desc(), REVIEW.c.id.desc())
        .limit(_MOST)
    )
    rows = connection.execute(statement).all()
    items = _items(connection, {row.item_id for row in rows})
    judged = reviews_of(connection, list(items))
    by_id = {one.id: one for several in judged.values() for one in several}
    return [(items[row.item_id], by_id[row.id]) for row in rows]


def contested(connection: Connection) -> list[tuple[Item, Judged]]:
    """The objections that wait for a word, the oldest first."""
    found = connection.execute(
        _REVIEWS.where(REVIEW.c.answer == "objected", REVIEW.c.settled_at_ms.is_(None)).limit(_MOST)
    ).mappings()
    judged = [_judged(row) for row in found]
    items = _items(connection, {one.item_id for one in judged})
    return [(items[one.item_id], one) for one in judged]


def judged_twice(connection: Connection) -> list[tuple[Item, Judged, Judged]]:
    """The chats that two people judged: the first verdict and the second one."""
    second = select(REVIEW.c.item_id).where(
        REVIEW.c.second.is_(True), REVIEW.c.given_at_ms.is_not(None)
    )
    ids = list(connection.execute(second.limit(10 * _MOST)).scalars())
    items = _items(connection, set(ids))
    found = []
    for item_id, reviews in reviews_of(connection, ids).items():
        given = sorted(
            (one for one in reviews if one.given_at_ms is not None), key=lambda one: one.second
        )
        if len(given) > 1:
            found.append((items[item_id], given[0], given[1]))
    return found


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reviewing of a sample is: chats, those judged, and objections that wait."""

    items: int
    judged: int
    contested: int


def progress(connection: Connection, sample_ids: Sequence[str]) -> dict[str, Progress]:
    """How far the reviewing of some samples is."""
    given = REVIEW.c.given_at_ms.is_not(None) & REVIEW.c.second.is_(False)
    waits = (REVIEW.c.answer == "objected") & REVIEW.c.settled_at_ms.is_(None)
    statement = (
        select(
            ITEM.c.sample_id,
            func.count(ITEM.c.id.distinct()),
            func.count(REVIEW.c.id).filter(given),
            func.count(REVIEW.c.id).filter(waits),
        )
        .join_from(ITEM, REVIEW, REVIEW.c.item_id == ITEM.c.id, isouter=True)
        .where(among(ITEM.c.sample_id, "ids"))
        .group_by(ITEM.c.sample_id)
    )
    found = connection.execute(statement, {"ids": list(sample_ids)})
    return {row[0]: Progress(*row[1:]) for row in found}


def save_review(tx: Tx, judged: Judged, *, conversation_id: str, new: bool) -> None:
    """Keeps a review with its words."""
    values = {
        "item_id": judged.item_id,
        "reviewer_id": judged.reviewer_id,
        "marks": orjson.dumps(judged.marks).decode(),
        "second": judged.second,
        "revision": judged.revision,
        "score": judged.score,
        "passed": judged.passed,
        "critical": judged.critical,
        "saved_at_ms": judged.saved_at_ms,
        "given_at_ms": judged.given_at_ms,
        "answer": judged.answer,
        "answered_at_ms": judged.answered_at_ms,
        "settled_by": judged.settled_by,
        "settled_at_ms": judged.settled_at_ms,
    }
    words = {
        "notes": orjson.dumps(judged.notes).decode(),
        "comment": judged.comment,
        "answer": judged.answer_text,
        "settled": judged.settled_text,
    }
    if new:
        tx.later(insert(REVIEW), {"id": judged.id, **values})
    else:
        tx.later(update(REVIEW).where(REVIEW.c.id == judged.id).values(**values))
    known = select(TEXT.c.review_id).where(TEXT.c.review_id == judged.id)
    # The words may have gone with those of the chat.
    if new or tx.execute(known).first() is None:
        key = {"review_id": judged.id, "conversation_id": conversation_id}
        tx.later(insert(TEXT), {**key, **words})
    else:
        tx.later(update(TEXT).where(TEXT.c.review_id == judged.id).values(**words))


def _sample(row: RowMapping) -> Sample:
    values = dict(row)
    return Sample(
        **values
        | {
            "plan": Plan(**orjson.loads(row["plan"])),
            "scope": DrawScope(**orjson.loads(row["scope"])),
            "population": Population(**orjson.loads(row["population"])),
        }
    )


def _judged(row: RowMapping) -> Judged:
    words = {
        "comment": row["comment"] or "",
        "answer_text": row["answer_text"] or "",
        "settled_text": row["settled_text"] or "",
        "notes": orjson.loads(row["notes"] or "{}"),
    }
    return Judged(**dict(row) | words | {"marks": orjson.loads(row["marks"])})
