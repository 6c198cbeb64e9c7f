"""The people who sign in, and their teams."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from server.domain.actors import Actor, Role
from server.storage.locking import lockable, locked_row
from server.storage.tables import ON_DESK, Agent, ConversationRow, Team, TeamMember, table
from server.storage.unit import Tx

AGENT = table(Agent)
TEAM = table(Team)
TEAM_MEMBER = table(TeamMember)
_CONVERSATION = table(ConversationRow)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can sign in, or is known from an import (then inactive, perhaps without e-mail).

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
    status_cause: str | None = None
    imported_as: str | None = None
    load: int = 0
    alarm_mail: bool = True

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


_BY_ID = select(AGENT).where(AGENT.c.id == bindparam("id"))
_LOCK_BY_ID = lockable(_BY_ID)


def load_person(connection: Connection, agent_id: str, *, lock: bool = False) -> Person | None:
    """One person, or None; ``lock`` keeps others from changing the row until the commit."""
    if lock:
        row = locked_row(connection, _LOCK_BY_ID, agent_id)
    else:
        row = connection.execute(_BY_ID, {"id": agent_id}).mappings().first()
    if row is None:
        return None
    team_ids = connection.execute(
        select(TEAM_MEMBER.c.team_id).where(TEAM_MEMBER.c.agent_id == agent_id)
    ).scalars()
    return _person(row, frozenset(team_ids), open_loads(connection, agent_id=agent_id))


def online_count(connection: Connection) -> int:
    """How many people are online."""
    statement = select(func.count()).where(AGENT.c.active, AGENT.c.status == "online")
    return int(connection.execute(statement).scalar_one())


def open_loads(connection: Connection, *, agent_id: str | None = None) -> dict[str, int]:
    """How many open conversations each agent owns; agents without any are absent."""
    c = _CONVERSATION.c
    statement = (
        select(c.assignee_id, func.count())
        # A ticket takes no place of a chat.
        .where(text(ON_DESK), c.status == "open", c.assignee_id.is_not(None))
        .group_by(c.assignee_id)
    )
    if agent_id is not None:
        statement = statement.where(c.assignee_id == agent_id)
    return {row[0]: row[1] for row in connection.execute(statement)}


# Built once: asked for with every batch of events.
NAMES = select(AGENT.c.id, AGENT.c.name)
_TEAMS = select(TEAM).order_by(TEAM.c.name)


def names(connection: Connection) -> dict[str, str]:
    """Name of every person ever known, by id."""
    return {row[0]: row[1] for row in connection.execute(NAMES)}


def load_teams(connection: Connection) -> list[TeamRecord]:
    """All teams by name."""
    found = connection.execute(_TEAMS).mappings()
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
        status_cause=row["status_cause"],
        imported_as=row["imported_as"],
        load=loads.get(row["id"], 0),
        alarm_mail=bool(row["alarm_mail"]),
    )


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in is checked against."""

    agent_id: str
    password_hash: str | None
    active: bool


def credentials(connection: Connection, email: str) -> Credentials | None:
    """The credentials of the person with an e-mail address, None when there is no such person."""
    return _credentials(connection, AGENT.c.email == email)


def credentials_of(connection: Connection, agent_id: str) -> Credentials | None:
    """The credentials of a person, None when there is no such person."""
    return _credentials(connection, AGENT.c.id == agent_id)


def anyone_can_sign_in(connection: Connection) -> bool:
    """True once a person exists who can sign in; until then the set-up page is open."""
    statement = select(AGENT.c.id).where(AGENT.c.active, AGENT.c.email.is_not(None)).limit(1)
    return connection.execute(statement).first() is not None


def other_admins(connection: Connection, agent_id: str) -> int:
    """How many active admins who can sign in there are besides a person."""
    statement = select(func.count()).where(
        AGENT.c.role == "admin",
        AGENT.c.active,
        AGENT.c.email.is_not(None),
        AGENT.c.id != agent_id,
    )
    return int(connection.execute(statement).scalar_one())


def insert_person(tx: Tx, agent_id: str, values: Mapping[str, object]) -> None:
    """Adds a person; columns that are not given keep their defaults."""
    row = Agent.model_validate({"id": agent_id, "created_at_ms": tx.at_ms, **values}).model_dump()
    tx.later(insert(AGENT), row)


def update_person(tx: Tx, agent_id: str, **values: object) -> None:
    """Changes columns of a person."""
    tx.later(update(AGENT).where(AGENT.c.id == agent_id).values(**values))


def load_team(connection: Connection, team_id: str) -> TeamRecord | None:
    """One team, or None."""
    row = connection.execute(select(TEAM).where(TEAM.c.id == team_id)).mappings().first()
    return None if row is None else TeamRecord(row["id"], row["name"], row["name_zh"])


def insert_team(tx: Tx, team_id: str, *, name: str, name_zh: str | None) -> None:
    """Adds a team."""
    values = {"id": team_id, "name": name, "name_zh": name_zh, "created_at_ms": tx.at_ms}
    tx.later(insert(TEAM), values)


def update_team(tx: Tx, team_id: str, *, name: str, name_zh: str | None) -> None:
    """Renames a team."""
    tx.later(update(TEAM).where(TEAM.c.id == team_id).values(name=name, name_zh=name_zh))


def replace_members(tx: Tx, team_id: str, agent_ids: Iterable[str]) -> None:
    """Makes exactly these people the members of a team."""
    tx.later(delete(TEAM_MEMBER).where(TEAM_MEMBER.c.team_id == team_id))
    rows = [_member(team_id, agent_id) for agent_id in sorted(set(agent_ids))]
    if rows:
        tx.later(insert(TEAM_MEMBER), rows)


def replace_teams(tx: Tx, agent_id: str, team_ids: Iterable[str]) -> None:
    """Makes a person a member of exactly these teams."""
    tx.later(delete(TEAM_MEMBER).where(TEAM_MEMBER.c.agent_id == agent_id))
    rows = [_member(team_id, agent_id) for team_id in sorted(set(team_ids))]
    if rows:
        tx.later(insert(TEAM_MEMBER), rows)


def _credentials(connection: Connection, condition: ColumnElement[bool]) -> Credentials | None:
    statement = select(AGENT.c.id, AGENT.c.password_hash, AGENT.c.active).where(condition)
    row = connection.execute(statement).first()
    return None if row is None else Credentials(row.id, row.password_hash, bool(row.active))


def _member(team_id: str, agent_id: str) -> Mapping[str, object]:
    return {"team_id": team_id, "agent_id": agent_id}


_SET_STATUS = (
    update(AGENT)
    .where(AGENT.c.id == bindparam("b_id"))
    .values(
        status=bindparam("status"),
        status_cause=bindparam("cause"),
        capacity=bindparam("capacity"),
        status_at_ms=bindparam("at_ms"),
        seen_at_ms=bindparam("at_ms"),
    )
)
_SEEN = update(AGENT).where(AGENT.c.id == bindparam("b_id")).values(seen_at_ms=bindparam("at_ms"))
_ASSIGNED = (
    update(AGENT)
    .where(AGENT.c.id == bindparam("b_id"))
    .values(last_assigned_at_ms=bindparam("at_ms"))
)


def set_status(tx: Tx, agent_id: str, *, status: str, cause: str, capacity: int) -> None:
    """Writes an agent's state, who or what caused it, and how many conversations fit."""
    values = {"b_id": agent_id, "status": status, "cause": cause, "capacity": capacity}
    tx.later(_SET_STATUS, values | {"at_ms": tx.at_ms})


def note_seen(tx: Tx, agent_ids: Sequence[str]) -> None:
    """Notes that these agents are connected now."""
    if agent_ids:
        tx.later(_SEEN, [{"b_id": agent_id, "at_ms": tx.at_ms} for agent_id in agent_ids])


def note_assigned(tx: Tx, agent_id: str) -> None:
    """Notes that the agent was given a conversation now."""
    tx.later(_ASSIGNED, {"b_id": agent_id, "at_ms": tx.at_ms})


def is_present(tx: Tx, agent_id: str | None, *, since_ms: int) -> bool:
    """True for an active person who has not gone offline since an instant.

    Who has been offline all the time took the conversation knowingly: a supervisor, a program.
    """
    found = tx.status_of(agent_id) if agent_id is not None else None
    if found is None or not found.active:
        return False
    return found.status != "offline" or found.status_at_ms < since_ms
