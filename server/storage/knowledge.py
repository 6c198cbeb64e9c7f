"""What the knowledge base in memory is made from, and what is kept of its suggestions."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from server.storage.articles import ARTICLE, HEAD, Article
from server.storage.rows import MESSAGE
from server.storage.tables import ArticleVector, KnowledgeCalibration, SuggestionRow, table
from server.storage.unit import Tx

VECTOR = table(ArticleVector)
SUGGESTION = table(SuggestionRow)
CALIBRATION = table(KnowledgeCalibration)


@dataclass(frozen=True, slots=True)
class Offer:
    """Articles that were offered for a question, and what came of it.

    ``articles`` are (article id, probability), best first.
    """

    id: str
    origin: str
    query: str
    band: str
    articles: tuple[tuple[str, float], ...]
    kb_seq: int
    asked_at_ms: int
    conversation_id: str | None = None
    customer_id: str | None = None
    agent_id: str | None = None
    message_id: str | None = None
    locale: str | None = None
    outcome: str | None = None
    chosen_id: str | None = None
    chosen_rank: int | None = None
    outcome_by: str | None = None
    outcome_at_ms: int | None = None
    edit_ratio: float | None = None


def head(connection: Connection) -> int:
    """The number of the latest change of an article."""
    return int(connection.execute(select(HEAD.c.seq)).scalar() or 0)


def changed_since(connection: Connection, seq: int) -> list[Article]:
    """The articles that were changed after a number, in the order of their changes."""
    statement = (
        select(ARTICLE).where(ARTICLE.c.kb_seq > seq).order_by(ARTICLE.c.kb_seq, ARTICLE.c.id)
    )
    return [Article(**row) for row in connection.execute(statement).mappings()]


def turned_between(connection: Connection, after_ms: int, until_ms: int) -> list[Article]:
    """The articles whose time began or ended in (after, until]."""
    c = ARTICLE.c
    statement = select(ARTICLE).where(
        or_(
            c.valid_from_ms.between(after_ms + 1, until_ms),
            c.valid_to_ms.between(after_ms + 1, until_ms),
        )
    )
    return [Article(**row) for row in connection.execute(statement).mappings()]


def vectors(connection: Connection, encoder: str, hashes: Collection[str]) -> dict[str, bytes]:
    """The kept vectors of texts by their hashes, in half precision."""
    c = VECTOR.c
    found: dict[str, bytes] = {}
    asked = sorted(hashes)
    for start in range(0, len(asked), 500):
        rows = connection.execute(
            select(c.text_hash, c.vector).where(
                c.encoder == encoder, c.text_hash.in_(asked[start : start + 500])
            )
        )
        for text_hash, vector in rows:
            found[text_hash] = base64.b64decode(vector)
    return found


_KEEP = text(
    "INSERT INTO article_vector (text_hash, encoder, vector)"
    " VALUES (:text_hash, :encoder, :vector) ON CONFLICT (text_hash, encoder) DO NOTHING"
)


def keep_vectors(tx: Tx, encoder: str, made: Mapping[str, bytes]) -> None:
    """Keeps vectors by the hashes of their texts; those that another process kept first stay."""
    rows: list[Mapping[str, object]] = [
        {
            "text_hash": text_hash,
            "encoder": encoder,
            "vector": base64.b64encode(vector).decode(),
        }
        for text_hash, vector in sorted(made.items())
    ]
    if rows:
        tx.later(_KEEP, rows)


def add_offer(tx: Tx, offer: Offer) -> None:
    """Keeps what was offered."""
    tx.later(insert(SUGGESTION), _values(offer))


def change_offer(tx: Tx, offer: Offer) -> None:
    """Writes an offer as it is now."""
    values = _values(offer)
    statement = update(SUGGESTION).where(SUGGESTION.c.id == bindparam("b_id"))
    names = [name for name in values if name != "id"]
    tx.later(
        statement.values({name: bindparam(name) for name in names}),
        {name: values[name] for name in names} | {"b_id": offer.id},
    )


def load_offer(connection: Connection, offer_id: str) -> Offer | None:
    """An offer by its id, or None."""
    row = connection.execute(select(SUGGESTION).where(SUGGESTION.c.id == offer_id)).mappings()
    found = row.first()
    return None if found is None else _offer(found)


def offer_for(
    connection: Connection,
    conversation_id: str,
    *,
    agent_id: str | None,
    origin: str,
    message_id: str | None,
) -> Offer | None:
    """The latest offer of an origin to an agent in a conversation, for a message when named."""
    c = SUGGESTION.c
    statement = (
        select(SUGGESTION)
        .where(c.conversation_id == conversation_id, c.origin == origin, c.agent_id == agent_id)
        .order_by(c.asked_at_ms.desc())
        .limit(1)
    )
    if message_id is not None:
        statement = statement.where(c.message_id == message_id)
    found = connection.execute(statement).mappings().first()
    return None if found is None else _offer(found)


def unhelped_offers(
    connection: Connection, conversation_id: str, customer_id: str, *, within_ms: int
) -> list[Offer]:
    """The offers to a shopper that did not help, oldest first: in a conversation, and before it.

    Before it are those after which they wrote in it within ``within_ms``; what was never sent is
    nobody's business.
    """
    c = SUGGESTION.c
    went_on = (
        select(MESSAGE.c.id)
        .where(
            MESSAGE.c.conversation_id == conversation_id,
            MESSAGE.c.sender_kind == "customer",
            MESSAGE.c.at_ms.between(c.outcome_at_ms, c.outcome_at_ms + within_ms),
        )
        .exists()
    )
    statement = (
        select(SUGGESTION)
        .where(
            c.customer_id == customer_id,
            c.origin == "shopper",
            c.outcome == "unhelped",
            or_(c.conversation_id == conversation_id, and_(c.conversation_id.is_(None), went_on)),
        )
        .order_by(c.outcome_at_ms.desc())
        .limit(20)
    )
    return [_offer(row) for row in connection.execute(statement).mappings()][::-1]


def forget_offers(tx: Tx, *, before_ms: int, unsaid_before_ms: int, limit: int) -> int:
    """Drops old offers, and those of which a shopper said nothing; how many, at most ``limit``."""
    c = SUGGESTION.c
    unsaid = and_(c.origin == "shopper", c.outcome.is_(None), c.asked_at_ms < unsaid_before_ms)
    old = select(c.id).where(or_(c.asked_at_ms < before_ms, unsaid)).limit(limit)
    ids = list(tx.execute(old).scalars())
    if ids:
        tx.later(SUGGESTION.delete().where(c.id == bindparam("b_id")), [{"b_id": i} for i in ids])
    return len(ids)


def decided_offers(
    connection: Connection, *, since_ms: int, until_ms: int, most: int
) -> list[Offer]:
    """The latest offers for what customers wrote, long enough ago to have an outcome.

    A shopper who says nothing of an article has not said that it was wrong.
    """
    c = SUGGESTION.c
    statement = (
        select(SUGGESTION)
        .where(
            c.origin.in_(("message", "shopper")),
            c.asked_at_ms >= since_ms,
            c.asked_at_ms < until_ms,
            or_(c.outcome.is_not(None), and_(c.origin == "message", c.band != "none")),
        )
        .order_by(c.asked_at_ms.desc())
        .limit(most)
    )
    return [_offer(row) for row in connection.execute(statement).mappings()]


def keep_calibration(
    tx: Tx,
    coefficients: Mapping[str, Sequence[float]],
    *,
    events: int,
    error: float,
    covered: float,
    unless_since_ms: int,
) -> bool:
    """Keeps how sure to be from now on; False when another process has done so lately."""
    if calibrated_at_ms(tx.connection) > unless_since_ms:
        return False
    tx.later(
        insert(CALIBRATION),
        {
            "at_ms": tx.at_ms,
            "coefficients": orjson.dumps(coefficients).decode(),
            "events": events,
            "error": error,
            "covered": covered,
        },
    )
    return True


def calibration(connection: Connection) -> dict[str, Sequence[float]] | None:
    """The coefficients the confidence was last worked out with, None for the shipped ones."""
    c = CALIBRATION.c
    found = connection.execute(
        select(c.coefficients).order_by(c.at_ms.desc()).limit(1)
    ).scalar_one_or_none()
    return None if found is None else dict(orjson.loads(found))


def calibrated_at_ms(connection: Connection) -> int:
    """When the confidence was last worked out, 0 for never."""
    return int(connection.execute(select(func.max(CALIBRATION.c.at_ms))).scalar() or 0)


def _offer(row: RowMapping) -> Offer:
    values: dict[str, object] = {str(name): value for name, value in row.items()}
    pairs = orjson.loads(str(values["articles"]))
    values["articles"] = tuple((str(article), float(sure)) for article, sure in pairs)
    return Offer(**values)  # type: ignore[arg-type]  # the columns of its row


def _values(offer: Offer) -> dict[str, object]:
    values = {name: getattr(offer, name) for name in Offer.__dataclass_fields__}
    values["articles"] = orjson.dumps(offer.articles).decode()
    return values
