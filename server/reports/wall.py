"""The desk at this moment, for a screen on the wall: who waits, who is there, what is due next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, and_, false, func, or_, select, text

from server.domain.metrics import METRICS, Figures
from server.domain.periods import day_start_ms, local_date, zone
from server.domain.spans import HOUR_MS
from server.reports.rows import figures
from server.reports.scope import TICKET_CHANNEL, Scope
from server.storage.people import Person, load_people, load_teams, names
from server.storage.rows import CONVERSATION
from server.storage.tables import ON_DESK, TargetWatch, TicketRow, table

State = Literal["calm", "warn", "late"]
C, W, T = CONVERSATION.c, table(TargetWatch).c, table(TicketRow).c
WAITING_SHOWN = 12
# Of more than these nobody reads what is due next.
MANY = 500
DUE_SHOWN = 10
# What is due later than this is nobody's hurry yet.
SOON_MS = 4 * HOUR_MS
TODAY = ("frt", "r3m_turn", "received", "abandon", "csat")
# Whoever is there, first who could take another chat.
STATES = ("online", "busy", "away", "offline")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chat whose shopper waits for an answer; ``due_at_ms`` is when it is too late.

    ``agent`` is None while nobody has been given it. ``state`` says how long it has been.
    """

    conversation_id: str
    customer_id: str
    agent: str | None
    team_id: str | None
    since_ms: int
    due_at_ms: int
    state: State


@dataclass(frozen=True, slots=True)
class Due:
    """Something that must be done by an instant; ``number`` is that of a ticket, None for chats.

    ``target`` is None where only the usual limit of an answer holds.
    """

    conversation_id: str
    customer_id: str
    number: str | None
    agent: str | None
    team_id: str | None
    target: str | None
    due_at_ms: int


@dataclass(frozen=True, slots=True)
class Wall:
    """All of it at ``at_ms``. ``waiting`` are the longest, ``waits`` how many there are in all.

    ``queued`` are those who wait and have no agent yet, ``late`` chats and tickets past their time.
    ``free`` is the room that those online have for more chats.
    """

    at_ms: int
    waits: int
    longest_since_ms: int | None
    queued: int
    late: int
    waiting: Sequence[Waiting]
    due: Sequence[Due]
    people: Sequence[Person]
    teams: Mapping[str, tuple[str, str | None]]

    @property
    def there(self) -> list[Person]:
        """Who is not offline, those who can take a chat first."""
        found = [one for one in self.people if one.status != "offline" or one.load]
        return sorted(found, key=lambda one: (STATES.index(one.status), one.name))

    @property
    def online(self) -> int:
        """How many take chats."""
        return sum(one.status == "online" for one in self.people)

    @property
    def free(self) -> int:
        """How many more chats those online can take."""
        return sum(max(0, one.capacity - one.load) for one in self.people if one.status == "online")


def load_wall(connection: Connection, *, at_ms: int, warn_ms: int, limit_ms: int) -> Wall:
    """How the desk stands; a wait is on its way to being late from ``warn_ms`` on."""
    people = load_people(connection)
    known = names(connection)
    on_desk = and_(text(ON_DESK), C.status == "open")
    waiting_now = and_(on_desk, C.waiting_since_ms.is_not(None))
    waits, longest, assigned = connection.execute(
        select(func.count(), func.min(C.waiting_since_ms), func.count(C.assignee_id)).where(
            waiting_now
        )
    ).one()
    rows = connection.execute(
        select(
            C.id, C.customer_id, C.assignee_id, C.team_id, C.waiting_since_ms, W.due_at_ms, W.missed
        )
        .join_from(CONVERSATION, table(TargetWatch), W.conversation_id == C.id, isouter=True)
        .where(waiting_now)
        .order_by(C.waiting_since_ms, C.id)
        .limit(MANY)
    ).all()
    waiting = [
        Waiting(
            conversation_id=row.id,
            customer_id=row.customer_id,
            agent=known.get(row.assignee_id),
            team_id=row.team_id,
            since_ms=row.waiting_since_ms,
            due_at_ms=row.due_at_ms or row.waiting_since_ms + limit_ms,
            state=_state(
                at_ms,
                row.waiting_since_ms,
                row.due_at_ms,
                missed=bool(row.missed),
                warn_ms=warn_ms,
                limit_ms=limit_ms,
            ),
        )
        for row in rows
    ]
    watched = {row.id for row in rows if row.due_at_ms is not None}
    unwatched = [one for one in waiting if one.conversation_id not in watched]
    return Wall(
        at_ms=at_ms,
        waits=waits,
        longest_since_ms=longest,
        queued=waits - assigned,
        late=_late(connection, at_ms, limit_ms),
        waiting=waiting[:WAITING_SHOWN],
        due=_due(connection, at_ms, known, unwatched),
        people=people,
        teams={team.id: (team.name, team.name_zh) for team in load_teams(connection)},
    )


def _state(
    at_ms: int, since_ms: int, due_at_ms: int | None, *, missed: bool, warn_ms: int, limit_ms: int
) -> State:
    """How long a wait has been; a target of its own comes before the usual limit."""
    if missed:
        return "late"
    if due_at_ms is not None:
        left = due_at_ms - at_ms
        return "late" if left <= 0 else "warn" if left <= limit_ms - warn_ms else "calm"
    waited = at_ms - since_ms
    return "late" if waited >= limit_ms else "warn" if waited >= warn_ms else "calm"


def _late(connection: Connection, at_ms: int, limit_ms: int) -> int:
    """Open chats and tickets past their target, and chats without one past the usual limit."""
    by_target = and_(
        C.status.in_(("open", "snoozed")),
        or_(W.missed, W.due_at_ms <= at_ms),
    )
    by_limit = and_(
        text(ON_DESK),
        C.status == "open",
        C.waiting_since_ms <= at_ms - limit_ms,
        W.due_at_ms.is_(None),
        func.coalesce(W.missed, false()).is_(false()),
    )
    with_watch = table(TargetWatch).join(CONVERSATION, C.id == W.conversation_id)
    any_watch = CONVERSATION.join(table(TargetWatch), W.conversation_id == C.id, isouter=True)
    return sum(
        int(connection.execute(statement).scalar_one())
        for statement in (
            select(func.count()).select_from(with_watch).where(by_target),
            select(func.count()).select_from(any_watch).where(by_limit),
        )
    )


def _due(
    connection: Connection, at_ms: int, known: Mapping[str, str], unwatched: Sequence[Waiting]
) -> list[Due]:
    """What is due within the next hours and not late yet, the nearest first."""
    rows = connection.execute(
        select(
            *(C.id, C.customer_id, C.channel, W.due_at_ms, W.target, T.number),
            func.coalesce(T.assignee_id, C.assignee_id).label("agent_id"),
            func.coalesce(T.team_id, C.team_id).label("team_id"),
        )
        .join_from(table(TargetWatch), CONVERSATION, C.id == W.conversation_id)
        .join(table(TicketRow), T.id == C.id, isouter=True)
        .where(
            C.status.in_(("open", "snoozed")),
            W.due_at_ms > at_ms,
            W.due_at_ms <= at_ms + SOON_MS,
        )
        .order_by(W.due_at_ms, C.id)
        .limit(DUE_SHOWN)
    )
    found = [
        Due(
            conversation_id=row.id,
            customer_id=row.customer_id,
            number=row.number if row.channel == TICKET_CHANNEL else None,
            agent=known.get(row.agent_id),
            team_id=row.team_id,
            target=row.target,
            due_at_ms=row.due_at_ms,
        )
        for row in rows
    ]
    found += [
        Due(
            conversation_id=one.conversation_id,
            customer_id=one.customer_id,
            number=None,
            agent=one.agent,
            team_id=one.team_id,
            target=None,
            due_at_ms=one.due_at_ms,
        )
        for one in unwatched
        if one.state != "late"
    ]
    return sorted(found, key=lambda one: (one.due_at_ms, one.conversation_id))[:DUE_SHOWN]


def load_today(
    connection: Connection, *, timezone: str, at_ms: int
) -> tuple[Scope, dict[str, Figures]]:
    """The few figures of today, with what they were read from."""
    today = local_date(at_ms, zone(timezone))
    loaded = figures(
        connection,
        Scope(timezone=timezone, as_of_ms=at_ms, from_ms=day_start_ms(today, zone(timezone))),
    )
    return loaded.scope, {name: loaded.of(METRICS[name]) for name in TODAY}
