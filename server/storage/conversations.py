"""Finding conversations: a shopper's latest, those that wait, those that an agent may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    text,
    true,
)

from server.domain.actors import Actor
from server.domain.conversation import Conversation
from server.domain.ticket import CHANNEL
from server.domain.turns import Turn
from server.storage.customers import CUSTOMER, VISITOR_TOKEN
from server.storage.rows import (
    CONVERSATION,
    MESSAGE,
    SESSION,
    TURN,
    conversation_from_json,
    turn_from_row,
)
from server.storage.tables import ON_DESK, ConsentRow, Profile, table

C = CONVERSATION.c
CONSENT = table(ConsentRow)
PROFILE = table(Profile)


@dataclass(frozen=True, slots=True)
class Found:
    """A conversation with what lists show of its customer and its last message.

    ``segment`` is None for who never bought and for who refused to be profiled. ``own_name`` is
    what the customer's own row says, which is all that a shopper is told.
    """

    conversation: Conversation
    preview: str | None
    customer_name: str | None
    customer_locale: str | None
    customer_identity: str
    segment: str | None = None
    top20: bool = False
    own_name: str | None = None


def _found(row: RowMapping) -> Found:
    return Found(
        conversation_from_json(row["state"]),
        row["preview"],
        row["name"],
        row["locale"],
        row["identity"],
        None if row["refused"] else row["segment"],
        bool(row["top20"]) and not row["refused"],
        row["own_name"],
    )


_PERSON = func.coalesce(CUSTOMER.c.person_id, CUSTOMER.c.id)
# The row at the top of the person, which is surest of who they are; none for that row itself.
_TOP = CUSTOMER.alias("top_row")
_member = CUSTOMER.alias("member")
_said = CONSENT.alias("said")
_later = CONSENT.alias("later")
# The last word of any row of the person: one refusal is enough (domain/consent.py).
_REFUSED = exists().where(
    or_(
        _said.c.customer_id == _PERSON,
        _said.c.customer_id.in_(
            select(_member.c.id).where(_member.c.person_id == _PERSON).correlate(CUSTOMER)
        ),
    ),
    _said.c.purpose == "profiling",
    _said.c.state == "refused",
    ~exists().where(
        _later.c.customer_id == _said.c.customer_id,
        _later.c.purpose == "profiling",
        or_(
            _later.c.at_ms > _said.c.at_ms,
            and_(_later.c.at_ms == _said.c.at_ms, _later.c.id > _said.c.id),
        ),
    ),
)
_SELECT = (
    select(
        C.state,
        C.preview,
        func.coalesce(_TOP.c.name, CUSTOMER.c.name).label("name"),
        CUSTOMER.c.name.label("own_name"),
        CUSTOMER.c.locale,
        case((_TOP.c.identity == "verified", "verified"), else_=CUSTOMER.c.identity).label(
            "identity"
        ),
        PROFILE.c.segment,
        PROFILE.c.top20,
        # Who never bought has no profile, and so costs no look at what they agreed to.
        case((PROFILE.c.segment.is_not(None), _REFUSED)).label("refused"),
    )
    .join_from(CONVERSATION, CUSTOMER, CUSTOMER.c.id == C.customer_id)
    .outerjoin(_TOP, _TOP.c.id == CUSTOMER.c.person_id)
    .outerjoin(PROFILE, PROFILE.c.person_id == _PERSON)
)
# Built once, as they are asked for each message: building one costs more than SQLite's answer.
_BY_IDS = _SELECT.where(C.id.in_(bindparam("ids", expanding=True)))
_LATEST = (
    select(C.id)
    .where(C.customer_id == bindparam("customer_id"), C.channel == "chat", C.status != "spam")
    .order_by(C.last_activity_at_ms.desc())
    .limit(1)
)


_ON_DESK = ON_DESK.replace("status", "conversation.status").replace(
    "channel", "conversation.channel"
)
# Threads of tickets have lists of their own; what came from another desk has a row there alone.
IS_CHAT = or_(C.channel != CHANNEL, C.external_id.is_not(None))


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The condition of the conversations that a person of the shop may see.

    Supervisors and admins see all; an agent sees what is theirs, their teams', or no team's.
    """
    if actor.leads:
        return true()
    own = [C.assignee_id == actor.id, C.team_id.is_(None)]
    if actor.team_ids:
        own.append(C.team_id.in_(sorted(actor.team_ids)))
    return or_(*own)


def by_ids(connection: Connection, ids: list[str]) -> dict[str, Found]:
    """The conversations with these ids."""
    if not ids:
        return {}
    rows = connection.execute(_BY_IDS, {"ids": ids}).mappings()
    return {(found := _found(row)).conversation.id: found for row in rows}


_WAITING_FIRST = (C.waiting_since_ms.is_(None), C.waiting_since_ms, C.last_activity_at_ms.desc())


def on_desk(connection: Connection, actor: Actor, *, limit: int = 5000) -> list[Found]:
    """The open and snoozed conversations the actor may see, the longest wait first."""
    rows = connection.execute(
        _SELECT.where(_is_on_desk(actor)).order_by(*_WAITING_FIRST).limit(limit)
    ).mappings()
    return [_found(row) for row in rows]


def heads_on_desk(
    connection: Connection, actor: Actor, *, limit: int = 5000
) -> list[tuple[str, str, int]]:
    """Id, status and staff's head of each; ``on_desk`` would read and build all they are."""
    rows = connection.execute(
        select(C.id, C.status, C.staff_seq)
        .where(_is_on_desk(actor))
        .order_by(*_WAITING_FIRST)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _is_on_desk(actor: Actor) -> ColumnElement[bool]:
    return and_(text(_ON_DESK), visible_to(actor))


def search(
    connection: Connection,
    actor: Actor,
    *,
    view: str,
    query: str | None,
    before_ms: int | None,
    limit: int,
) -> list[Found]:
    """Conversations the actor may see, latest first; ``query`` looks in names and texts."""
    conditions = [visible_to(actor), IS_CHAT]
    if view == "resolved":
        conditions.append(C.status.in_(("resolved", "closed")))
    if before_ms is not None:
        conditions.append(C.last_activity_at_ms < before_ms)
    if query:
        pattern = "%" + query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        texts = (
            select(MESSAGE.c.conversation_id)
            .where(MESSAGE.c.body.ilike(pattern, escape="\\"))
            .order_by(MESSAGE.c.seq.desc())
            .limit(500)
        )
        conditions.append(
            or_(
                CUSTOMER.c.name.ilike(pattern, escape="\\"),
                _TOP.c.name.ilike(pattern, escape="\\"),
                # Whole only: by parts an address that is masked could be felt out.
                func.lower(CUSTOMER.c.email) == query.strip().lower(),
                C.id.in_(texts),
            )
        )
    rows = connection.execute(
        _SELECT.where(and_(*conditions)).order_by(C.last_activity_at_ms.desc()).limit(limit)
    ).mappings()
    return [_found(row) for row in rows]


def of_customer(connection: Connection, customer_id: str, *, limit: int = 20) -> list[Found]:
    """A customer's conversations, the latest first."""
    rows = connection.execute(
        _SELECT.where(C.customer_id == customer_id, IS_CHAT)
        .order_by(C.last_activity_at_ms.desc())
        .limit(limit)
    ).mappings()
    return [_found(row) for row in rows]


OF_ANY = (
    _SELECT.where(C.customer_id.in_(bindparam("ids", expanding=True)), IS_CHAT)
    .order_by(C.last_activity_at_ms.desc())
    .limit(bindparam("most"))
)


def of_any(connection: Connection, customer_ids: Sequence[str], *, limit: int = 20) -> list[Found]:
    """The conversations of all these customers together, the latest first."""
    values = {"ids": list(customer_ids), "most": limit}
    return [_found(row) for row in connection.execute(OF_ANY, values).mappings()]


_NEWEST = (
    select(
        C.id,
        func.row_number()
        .over(partition_by=C.customer_id, order_by=C.last_activity_at_ms.desc())
        .label("place"),
    )
    .where(C.customer_id.in_(bindparam("ids", expanding=True)), IS_CHAT)
    .subquery()
)
_OF_CUSTOMERS = (
    _SELECT.join(_NEWEST, _NEWEST.c.id == C.id)
    .where(_NEWEST.c.place <= bindparam("most"))
    .order_by(_NEWEST.c.place)
)


def of_customers(
    connection: Connection, customer_ids: Sequence[str], *, limit: int = 20
) -> dict[str, list[Found]]:
    """Each customer's conversations, the latest first."""
    found: dict[str, list[Found]] = {customer_id: [] for customer_id in customer_ids}
    rows = connection.execute(_OF_CUSTOMERS, {"ids": list(found), "most": limit}).mappings()
    for one in map(_found, rows):
        found[one.conversation.customer_id].append(one)
    return found


def sees_customer(connection: Connection, actor: Actor, customer_ids: Sequence[str]) -> bool:
    """True when a person of the shop may see a conversation of one of a person's rows.

    Also when there is none at all: who has only ordered, or calls, is no team's own.
    """
    rows = C.customer_id.in_(list(customer_ids))
    # The visible ones first.
    shown = case((visible_to(actor), 0), else_=1)
    found = connection.execute(select(shown).where(rows).order_by(shown).limit(1)).scalar()
    return found in (None, 0)


def count_of_customer(connection: Connection, customer_id: str) -> int:
    """How many conversations a customer has had."""
    statement = select(func.count()).where(C.customer_id == customer_id, IS_CHAT)
    return int(connection.execute(statement).scalar_one())


def latest_of_customer(connection: Connection, customer_id: str) -> str | None:
    """The id of the customer's chat with the latest activity, spam aside, or None."""
    found = connection.execute(_LATEST, {"customer_id": customer_id}).scalar_one_or_none()
    return None if found is None else str(found)


def queue_length(connection: Connection, *, team_id: str | None = None) -> int:
    """How many conversations wait for an agent, in all or of one team."""
    statement = select(func.count()).where(C.queued_at_ms.is_not(None), C.status == "open")
    if team_id is not None:
        statement = statement.where(C.team_id == team_id)
    return int(connection.execute(statement).scalar_one())


def of_assignee(connection: Connection, agent_id: str) -> list[str]:
    """Ids of the open conversations that an agent owns, longest wait first."""
    statement = (
        select(C.id)
        .where(text(_ON_DESK), C.assignee_id == agent_id, C.status == "open")
        .order_by(C.waiting_since_ms.is_(None), C.waiting_since_ms)
    )
    return [str(row[0]) for row in connection.execute(statement)]


def due_snoozes(connection: Connection, *, at_ms: int, limit: int = 100) -> list[str]:
    """Ids of the snoozed conversations whose time has come."""
    statement = select(C.id).where(C.status == "snoozed", C.snoozed_until_ms <= at_ms).limit(limit)
    return [str(row[0]) for row in connection.execute(statement)]


def served_before(connection: Connection, customer_id: str) -> dict[str, int]:
    """When each agent last answered this customer, ms UTC by agent id."""
    statement = (
        select(TURN.c.answered_by, func.max(TURN.c.end_at_ms))
        .join_from(CONVERSATION, TURN, TURN.c.conversation_id == C.id)
        .where(C.customer_id == customer_id, TURN.c.answered_by.is_not(None))
        .group_by(TURN.c.answered_by)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def turns_of(connection: Connection, conversation_id: str) -> list[Turn]:
    """The turns of a conversation in order."""
    rows = connection.execute(
        select(TURN).where(TURN.c.conversation_id == conversation_id).order_by(TURN.c.turn_no)
    ).mappings()
    return [turn_from_row(row) for row in rows]


def ratings_of(connection: Connection, ids: list[str]) -> dict[str, int]:
    """The latest rating of each conversation that has one."""
    if not ids:
        return {}
    statement = (
        select(SESSION.c.conversation_id, SESSION.c.rating)
        .where(SESSION.c.conversation_id.in_(ids), SESSION.c.rating.is_not(None))
        .order_by(SESSION.c.session_no)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def typical_first_response_ms(connection: Connection, *, since_ms: int) -> int | None:
    """Median wait of the latest answered first turns since an instant; None below five of them."""
    c = TURN.c
    rows = connection.execute(
        select(c.elapsed_ms)
        .join_from(TURN, CONVERSATION, C.id == c.conversation_id)
        .where(c.ask_at_ms >= since_ms, c.is_first_in_session, c.outcome == "answered")
        .where(C.channel != CHANNEL)
        .order_by(c.ask_at_ms.desc())
        .limit(200)
    ).scalars()
    spans = sorted(int(span) for span in rows if span is not None)
    return spans[len(spans) // 2] if len(spans) >= 5 else None


def resolved_since(connection: Connection, actor: Actor, *, since_ms: int) -> int:
    """How many conversations that the actor may see were resolved since an instant."""
    statement = select(func.count()).where(
        C.status.in_(("resolved", "closed")),
        C.resolved_at_ms >= since_ms,
        C.channel != CHANNEL,
        visible_to(actor),
    )
    return int(connection.execute(statement).scalar_one())


def waiting_with_widget(connection: Connection) -> list[str]:
    """Ids of the shoppers who wait in an open chat and have a widget that could come back."""
    signed_in = case((CUSTOMER.c.merged_as == "session", CUSTOMER.c.merged_into))
    statement = (
        select(C.customer_id)
        .distinct()
        .join_from(CONVERSATION, CUSTOMER, CUSTOMER.c.id == C.customer_id)
        .join(VISITOR_TOKEN, VISITOR_TOKEN.c.customer_id.in_([C.customer_id, signed_in]))
        .where(C.status == "open", C.channel == "chat", C.waiting_since_ms.is_not(None))
    )
    return [str(row[0]) for row in connection.execute(statement)]
