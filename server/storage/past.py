"""What was asked and answered in conversations that are done."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from server.domain.actors import Actor
from server.storage.conversations import visible_to
from server.storage.customers import CUSTOMER
from server.storage.rows import CONVERSATION, MESSAGE

C = CONVERSATION.c
M = MESSAGE.c
DONE = ("resolved", "closed")
AT_ONCE = 400
# A question is what a customer wrote first; who writes a story has told it by then.
QUESTION_MESSAGES = 3


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation that is done, and what its customer wrote before anybody answered."""

    id: str
    last_activity_at_ms: int
    question: str


@dataclass(frozen=True, slots=True)
class Line:
    """A message of a conversation; ``sender`` is customer, agent or bot."""

    sender: str
    body: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A conversation that is done, as somebody who may see it is shown it."""

    id: str
    customer_id: str
    customer_name: str | None
    assignee_id: str | None
    resolved_at_ms: int | None
    lines: tuple[Line, ...]


def done_talks(connection: Connection, *, since_ms: int, most: int) -> list[Talk]:
    """The latest answered conversations that are done, with activity from an instant on."""
    heads: list[tuple[str, int]] = []
    for status in DONE:
        # One by one, so that each is the end of an index.
        rows = connection.execute(
            select(C.id, C.last_activity_at_ms)
            .where(C.status == status, C.last_activity_at_ms >= since_ms, C.channel != "ticket")
            .order_by(C.last_activity_at_ms.desc())
            .limit(most)
        )
        heads += [(row[0], row[1]) for row in rows]
    heads = sorted(heads, key=lambda row: -row[1])[:most]
    found = []
    for start in range(0, len(heads), AT_ONCE):
        page = heads[start : start + AT_ONCE]
        lines = _lines(connection, [row[0] for row in page])
        for talk_id, at_ms in page:
            said = lines.get(talk_id, ())
            if any(line.sender == "agent" for line in said) and (text := question_of(said)):
                found.append(Talk(talk_id, at_ms, text))
    return found


def question_of(lines: Sequence[Line]) -> str:
    """What the customer wrote before the first answer."""
    asked: list[str] = []
    for line in lines:
        if line.sender == "customer":
            asked.append(line.body)
        elif asked and line.sender == "agent":
            break
    return "\n".join(text for text in asked[:QUESTION_MESSAGES] if text)


def shown_talks(connection: Connection, actor: Actor, ids: Collection[str]) -> dict[str, Shown]:
    """Those of these conversations that are done and the actor may see."""
    rows = connection.execute(
        select(C.id, C.customer_id, CUSTOMER.c.name, C.assignee_id, C.resolved_at_ms)
        .join(CUSTOMER, CUSTOMER.c.id == C.customer_id)
        .where(and_(C.id.in_(sorted(ids)), C.status.in_(DONE), visible_to(actor)))
    ).all()
    lines = _lines(connection, [row[0] for row in rows])
    return {row[0]: Shown(*row, lines=lines.get(row[0], ())) for row in rows}


def _lines(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Line, ...]]:
    """The public messages of conversations, in order."""
    found: dict[str, list[Line]] = {}
    rows = connection.execute(
        select(M.conversation_id, M.sender_kind, M.body)
        .where(M.conversation_id.in_(ids), M.visibility == "public")
        .order_by(M.conversation_id, M.seq)
    )
    for talk_id, sender, body in rows:
        found.setdefault(talk_id, []).append(Line(sender, body))
    return {talk_id: tuple(lines) for talk_id, lines in found.items()}
