"""The shop's business hours, version by version, and the clocks that follow from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import Connection, RowMapping, func, insert, select

from server.domain.events import Event
from server.domain.hours import Calendar, Hours, from_json, to_json
from server.domain.turns import Turn
from server.storage.tables import Agent, CalendarVersion, table

if TYPE_CHECKING:
    from server.storage.unit import Tx

AGENT = table(Agent)
CALENDAR_VERSION = table(CalendarVersion)
C = CALENDAR_VERSION.c


@dataclass(frozen=True, slots=True)
class Version:
    """A change of the hours: whose, from when, by whom, and which older version it brought back."""

    number: int
    team_id: str | None
    calendar: Calendar | None
    effective_from_ms: int
    by: str | None = None
    restored: int | None = None


class HoursBook:
    """The hours of the shop and of its teams at any time, as of one version."""

    def __init__(self, versions: Sequence[Version] = ()) -> None:
        self.version = versions[-1].number if versions else 0
        self._versions = versions
        self._of_team: dict[str | None, Hours] = {}

    def of_team(self, team_id: str | None) -> Hours:
        """The hours of a team; those of the shop where it has none of its own."""
        if not any(one.team_id == team_id for one in self._versions):
            team_id = None
        known = self._of_team.get(team_id)
        if known is None:
            known = self._of_team[team_id] = Hours(list(self._timeline(team_id)))
        return known

    def wait_ms(self, turn: Turn, team_id: str | None) -> int | None:
        """The business time of a turn that has ended, by the hours of the team it ended with.

        None while it lasts, and where no hours were set when it was asked.
        """
        if self.version == 0 or turn.end_at_ms is None:
            return None
        return self.of_team(team_id).wait_ms(turn.ask_at_ms, turn.end_at_ms)

    def waits(self, turns: Iterable[Turn], events: Iterable[Event]) -> dict[int, int | None]:
        """As ``wait_ms`` of each turn of a conversation by its number, from its whole log."""
        if self.version == 0:
            return {turn.turn_no: None for turn in turns}
        teams = {event.seq: event.team_id for event in events}
        return {turn.turn_no: self.wait_ms(turn, teams.get(turn.end_seq or 0)) for turn in turns}

    def _timeline(self, team_id: str | None) -> Iterable[tuple[int, Calendar | None]]:
        shop: Calendar | None = None
        team: Calendar | None = None
        for one in self._versions:
            if one.team_id is None:
                shop = one.calendar
            elif one.team_id == team_id:
                team = one.calendar
            else:
                continue
            yield one.effective_from_ms, team or shop


def current_version(connection: Connection) -> int:
    """The number of the latest version, 0 while no hours were ever set."""
    return int(connection.execute(select(func.coalesce(func.max(C.version), 0))).scalar_one())


def load_book(connection: Connection, *, up_to_seq: int | None = None) -> HoursBook:
    """The hours that were known at a place of the log, or now."""
    return HoursBook(load_versions(connection, up_to_seq=up_to_seq))


def load_versions(connection: Connection, *, up_to_seq: int | None = None) -> list[Version]:
    """All versions in the order in which they were made."""
    statement = (
        select(CALENDAR_VERSION, AGENT.c.name.label("by"))
        .join_from(CALENDAR_VERSION, AGENT, AGENT.c.id == C.agent_id, isouter=True)
        .order_by(C.version)
    )
    if up_to_seq is not None:
        statement = statement.where(C.seq <= up_to_seq)
    return [_version(row) for row in connection.execute(statement).mappings()]


def load_version(connection: Connection, number: int) -> Version | None:
    """One version, or None when there is none with this number."""
    return next((one for one in load_versions(connection) if one.number == number), None)


def latest_of(versions: Iterable[Version], team_id: str | None) -> Version | None:
    """The version of a team, or of the shop, that holds now; None while there is none."""
    return next((one for one in reversed(list(versions)) if one.team_id == team_id), None)


def add_version(
    tx: Tx,
    version: Version,
    *,
    seq: int,
    agent_id: str | None,
) -> None:
    """Writes down hours that hold from their time on."""
    hours = None if version.calendar is None else orjson.dumps(to_json(version.calendar)).decode()
    tx.later(
        insert(CALENDAR_VERSION),
        {
            "version": version.number,
            "team_id": version.team_id,
            "hours": hours,
            "effective_from_ms": version.effective_from_ms,
            "seq": seq,
            "agent_id": agent_id,
            "restored": version.restored,
        },
    )


def _version(row: RowMapping) -> Version:
    calendar = None if row["hours"] is None else from_json(orjson.loads(row["hours"]))
    return Version(
        number=row["version"],
        team_id=row["team_id"],
        calendar=calendar,
        effective_from_ms=row["effective_from_ms"],
        by=row["by"],
        restored=row["restored"],
    )
