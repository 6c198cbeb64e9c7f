"""The people who sign in, and their teams."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, RowMapping, func, select

from server.domain.actors import Actor, Role
from server.storage.tables import Agent, ConversationRow, Team, TeamMember, table

AGENT = table(Agent)
TEAM = table(Team)
TEAM_MEMBER = table(TeamMember)
_CONVERSATION = table(ConversationRow)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can sign in (or is known from an import, then inactive and perhaps without e-mail).

    ``load`` is the number of open conversations the person owns.
    """

    id: str
    email: str | None
    name: str
    role: Role
    active: bool
    locale: str | None
    languages: tuple[str, ...]
    status: str
    capacity: int
    status_at_ms: int
    seen_at_ms: int
    last_assigned_at_ms: int
    team_ids: frozenset[str]
    imported_as: str | None = None
    load: int = 0

    @property
    def actor(self) -> Actor:
        """The person as the one who does something."""
        return Actor("agent", self.id, self.name, self.role, self.team_ids)


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """A team: its id and its name in both languages (``name_zh`` may be None)."""

    id: str
    name: str
    name_zh: str | None


def load_people(connection: Connection, *, active_only: bool = True) -> list[Person]:
    """All people by name, with teams and loads; three queries whatever their number."""
    statement = select(AGENT).order_by(AGENT.c.name, AGENT.c.id)
    if active_only:
        statement = statement.where(AGENT.c.active)
    found = connection.execute(statement).mappings().all()
    teams: dict[str, set[str]] = {}
    for agent_id, team_id in connection.execute(
        select(TEAM_MEMBER.c.agent_id, TEAM_MEMBER.c.team_id)
    ):
        teams.setdefault(agent_id, set()).add(team_id)
    loads = open_loads(connection)
    return [_person(row, frozenset(teams.get(row["id"], ())), loads) for row in found]


def load_person(connection: Connection, agent_id: str, *, lock: bool = False) -> Person | None:
    """One person, or None; ``lock`` keeps others from changing the row until the commit."""
    statement = select(AGENT).where(AGENT.c.id == agent_id)
    if lock:
        statement = statement.with_for_update()
    row = connection.execute(statement).mappings().first()
    if row is None:
        return None
    team_ids = connection.execute(
        select(TEAM_MEMBER.c.team_id).where(TEAM_MEMBER.c.agent_id == agent_id)
    ).scalars()
    return _person(row, frozenset(team_ids), open_loads(connection, agent_id=agent_id))


def open_loads(connection: Connection, *, agent_id: str | None = None) -> dict[str, int]:
    """How many open conversations each agent owns; agents without any are absent."""
    c = _CONVERSATION.c
    statement = (
        select(c.assignee_id, func.count())
        .where(c.status == "open", c.assignee_id.is_not(None))
        .group_by(c.assignee_id)
    )
    if agent_id is not None:
        statement = statement.where(c.assignee_id == agent_id)
    return {row[0]: row[1] for row in connection.execute(statement)}


def names(connection: Connection) -> dict[str, str]:
    """Name of every person ever known, by id."""
    return {row[0]: row[1] for row in connection.execute(select(AGENT.c.id, AGENT.c.name))}


def load_teams(connection: Connection) -> list[TeamRecord]:
    """All teams by name."""
    found = connection.execute(select(TEAM).order_by(TEAM.c.name)).mappings()
    return [TeamRecord(row["id"], row["name"], row["name_zh"]) for row in found]


def _person(row: RowMapping, team_ids: frozenset[str], loads: dict[str, int]) -> Person:
    return Person(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
        active=bool(row["active"]),
        locale=row["locale"],
        languages=tuple(orjson.loads(row["languages"])),
        status=row["status"],
        capacity=row["capacity"],
        status_at_ms=row["status_at_ms"],
        seen_at_ms=row["seen_at_ms"],
        last_assigned_at_ms=row["last_assigned_at_ms"],
        team_ids=team_ids,
        imported_as=row["imported_as"],
        load=loads.get(row["id"], 0),
    )
