"""Lists of tickets: which of them somebody sees in what order, how many, and the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any  # Any: columns and JSON values

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    tuple_,
    union,
)

from server.domain.actors import Actor
from server.domain.search_words import query_words
from server.domain.ticket import Ticket
from server.storage.among import among
from server.storage.customers import CUSTOMER
from server.storage.ticket_rows import TICKET, TICKET_TEXT, TICKET_WATCHER, ticket_from_row
from server.storage.tickets import shared_with, visible_to

T = TICKET.c
Json = dict[str, Any]  # Any: JSON values
# Of a word that stands nearly everywhere, the latest tickets only are looked through.
MAX_FOUND = 500
# How many of the newest tickets PostgreSQL looks through before it asks the index: 1 to 2 ms.
WALKED = 8192
MAX_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A ticket as lists show it."""

    ticket: Ticket
    subject: str
    customer_name: str | None
    customer_verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tickets a list is about; None leaves a question open."""

    lane: str | None = None
    state: str | None = None
    type: str | None = None
    priority: str | None = None
    team_id: str | None = None
    assignee_id: str | None = None
    unassigned: bool = False
    customer_ids: tuple[str, ...] | None = None
    overdue_at_ms: int | None = None
    watcher_id: str | None = None
    query: str | None = None
    ids: tuple[str, ...] | None = None


_TOP = CUSTOMER.alias("ticket_top")
_SELECT: Select[Any] = (  # Any: columns
    select(
        TICKET,
        TICKET_TEXT.c.subject.label("subject"),
        func.coalesce(_TOP.c.name, CUSTOMER.c.name).label("customer_name"),
        func.coalesce(_TOP.c.identity, CUSTOMER.c.identity).label("identity"),
    )
    .join_from(TICKET, TICKET_TEXT, TICKET_TEXT.c.ticket_id == T.id, isouter=True)
    .join(CUSTOMER, CUSTOMER.c.id == T.customer_id)
    .outerjoin(_TOP, _TOP.c.id == CUSTOMER.c.person_id)
)


def by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Listed]:
    """These tickets as lists show them."""
    if not ids:
        return {}
    rows = connection.execute(_SELECT.where(T.id.in_(list(ids)))).mappings()
    return {
        row["id"]: Listed(
            ticket_from_row(row),
            row["subject"] or "",
            row["customer_name"],
            row["identity"] == "verified",
        )
        for row in rows
    }


def page(
    connection: Connection,
    actor: Actor,
    wanted: Wanted,
    *,
    order: str,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Listed]:
    """Tickets that the actor may see: ``order`` due (what is to be done first) or newest.

    ``after`` is the place behind which the page begins: of ``sort_ms`` or ``created_at_ms``.
    """
    number = T.sort_ms if order == "due" else T.created_at_ms
    ids = _known_ids(connection, wanted)

    def way(seen: ColumnElement[bool], *, few: bool) -> Subquery:
        """Tickets of one way to be visible; few that are known are sorted, not walked to."""
        place_in = number + 0 if few else number
        conditions = _conditions(wanted, ids, few=few)
        if after is not None:
            here = tuple_(place_in, T.id)
            conditions.append(here > after if order == "due" else here < after)
        ordering = (place_in, T.id) if order == "due" else (place_in.desc(), T.id.desc())
        found = select(T.id, number.label("number")).where(seen, *conditions)
        return found.order_by(*ordering).limit(limit).subquery()

    few = _are_few(wanted, ids)
    if few or _is_own(actor, wanted):
        ways = [way(true() if _is_own(actor, wanted) else visible_to(actor), few=few)]
    elif order == "newest" and connection.dialect.name == "sqlite":
        # It would sort all that somebody owns rather than walk back from the newest.
        ways = [way(func.coalesce(visible_to(actor), false()), few=False)]
    else:
        # Each has an index in this order; all at once would read past what is not visible.
        ways = [way(seen, few=False) for seen in _ways(actor)]
        if actor.kind == "agent" and not actor.leads:
            ways.append(way(T.id.in_(shared_with(actor)), few=True))
    rows = union(*(select(one) for one in ways)).subquery()
    place = (rows.c.number, rows.c.id)
    statement = select(rows.c.id).order_by(
        *(place if order == "due" else (column.desc() for column in place))
    )
    values = {} if ids is None else {"some_ids": ids}
    shown = [str(row[0]) for row in connection.execute(statement.limit(limit), values)]
    found = by_ids(connection, shown)
    return [found[key] for key in shown]


def _is_own(actor: Actor, wanted: Wanted) -> bool:
    """True when only what the actor owns is asked for, which they see whosever team it is."""
    return actor.kind == "agent" and wanted.assignee_id == actor.id


def _ways(actor: Actor) -> list[ColumnElement[bool]]:
    """The parts of ``visible_to`` of which there is an index, one by one."""
    if actor.kind != "agent" or actor.leads:
        return [visible_to(actor)]
    ways: list[ColumnElement[bool]] = [T.assignee_id == actor.id, T.team_id.is_(None)]
    return ways + [T.team_id == team_id for team_id in sorted(actor.team_ids)]


def counts(
    connection: Connection, actor: Actor, wanted: Wanted, lanes: Sequence[str]
) -> dict[str, int]:
    """How many tickets stand in each of these lanes, as far as the actor sees them.

    Nobody reads ten thousand: from MAX_COUNTED on it is that much and more.
    """
    found = {}
    ids = _known_ids(connection, wanted)
    few = _are_few(wanted, ids)
    seen = true() if _is_own(actor, wanted) else visible_to(actor)
    for lane in lanes:
        some = (
            select(literal_column("1"))
            .where(seen, *_conditions(replace(wanted, lane=lane), ids, few=few))
            .limit(MAX_COUNTED)
            .subquery()
        )
        count = select(func.count()).select_from(some)
        values = {} if ids is None else {"some_ids": ids}
        found[lane] = int(connection.execute(count, values).scalar_one())
    return found


def count_late(connection: Connection, actor: Actor, *, at_ms: int, most: int) -> int:
    """How many tickets of the person or of their teams wait for the shop past a due time.

    No more are counted than ``most``.
    """
    own: list[ColumnElement[bool]] = [T.assignee_id == actor.id]
    if actor.team_ids:
        own.append(T.team_id.in_(sorted(actor.team_ids)))
    late: Select[Any] = select(literal_column("1")).where(
        T.lane == "us", T.next_due_at_ms < at_ms, or_(*own)
    )
    count = select(func.count()).select_from(late.limit(most).subquery())
    return int(connection.execute(count).scalar_one())


def _known_ids(connection: Connection, wanted: Wanted) -> tuple[str, ...] | None:
    """The tickets that alone are in question, None when it may be any."""
    if not wanted.query:
        return wanted.ids
    matching = search(connection, wanted.query)
    return tuple(matching if wanted.ids is None else set(wanted.ids).intersection(matching))


def _are_few(wanted: Wanted, ids: tuple[str, ...] | None) -> bool:
    """True when some of the conditions leave few tickets, whatever the others say."""
    return not (ids is None and wanted.watcher_id is None and wanted.customer_ids is None)


def _conditions(
    wanted: Wanted, ids: tuple[str, ...] | None, *, few: bool
) -> list[ColumnElement[bool]]:
    """The conditions; ``ids`` are the values of their parameter when only some are in question.

    ``few`` is said where other conditions leave few tickets: then these ask no index. SQLite, which
    does not know how many each value has, would walk through a whole lane to find ten in it.
    """
    found: list[ColumnElement[bool]] = []
    for name in ("lane", "state", "type", "priority", "team_id", "assignee_id"):
        value = getattr(wanted, name)
        if value is not None:
            found.append((T[name] + "" if few else T[name]) == value)
    if wanted.unassigned:
        found.append(T.assignee_id.is_(None))
    if wanted.customer_ids is not None:
        found.append(T.customer_id.in_(wanted.customer_ids))
    if wanted.overdue_at_ms is not None:
        lane, due = (T.lane + "", T.next_due_at_ms + 0) if few else (T.lane, T.next_due_at_ms)
        found.append(and_(lane == "us", due < wanted.overdue_at_ms))
    if wanted.watcher_id is not None:
        watched = select(TICKET_WATCHER.c.ticket_id).where(
            TICKET_WATCHER.c.agent_id == wanted.watcher_id
        )
        found.append(T.id.in_(watched))
    return found if ids is None else [*found, among(T.id, "some_ids")]


_SEARCH_SQLITE = text(
    "SELECT s.ticket_id FROM ticket_words AS w JOIN ticket_search AS s ON s.id = w.rowid"
    " WHERE ticket_words MATCH :query ORDER BY w.rowid DESC LIMIT :limit"
)
# A common word is found among the newest tickets, a rare one by the index: that gives all tickets
# that have a word, which of a common one takes a hundred times as long. The plan is the same for
# every query, since the planner does not see the words.
_SEARCH_POSTGRESQL = text(
    "WITH near AS MATERIALIZED (SELECT id, ticket_id FROM"
    " (SELECT id, ticket_id, words FROM ticket_words ORDER BY id DESC LIMIT :walked) AS newest"
    " WHERE words @@ (SELECT to_tsquery('simple', :query)) ORDER BY id DESC LIMIT :limit),"
    " found AS MATERIALIZED ("
    "SELECT id, ticket_id FROM near WHERE (SELECT count(*) FROM near) >= :limit"
    " UNION ALL SELECT id, ticket_id FROM ticket_words"
    " WHERE words @@ (SELECT to_tsquery('simple', :query))"
    " AND (SELECT count(*) FROM near) < :limit)"
    " SELECT ticket_id FROM found ORDER BY id DESC LIMIT :limit"
)


def search(connection: Connection, query: str, *, limit: int = MAX_FOUND) -> list[str]:
    """Ids of the tickets in which all these words stand anywhere, the newest first."""
    words = query_words(query)
    if not words:
        return []
    values: Json = {"limit": limit}
    if connection.dialect.name == "sqlite":
        # A word has neither quotes nor operators: letters and digits only.
        asked = " AND ".join(f'"{word}"' + (" *" if on else "") for word, on in words)
        statement = _SEARCH_SQLITE
    else:
        asked = " & ".join(f"'{word}'" + (":*" if on else "") for word, on in words)
        statement = _SEARCH_POSTGRESQL
        values["walked"] = WALKED
    return list(connection.execute(statement, values | {"query": asked}).scalars())
