"""Changing business hours: from now on, as a new version."""

from __future__ import annotations

from server.domain.actors import Actor
from server.domain.errors import Conflict, NotFound
from server.domain.events import CalendarChanged
from server.domain.hours import Calendar
from server.domain.permissions import require
from server.storage import hours
from server.storage.hours import Version
from server.storage.people import load_teams
from server.storage.unit import Tx

MANAGE = "hours.manage"


def set_hours(
    tx: Tx,
    actor: Actor,
    calendar: Calendar | None,
    *,
    team_id: str | None = None,
    version: int | None = None,
) -> int:
    """The number of the version that holds now, of a team or without one of the shop.

    Without a calendar no hours are set: the shop is always open, the team keeps the shop's hours.
    ``version`` is the latest that was seen. Raises Conflict when there is a later one, NotFound for
    no such team. What changes nothing makes no version.
    """
    versions = _versions(tx, actor, team_id, version)
    return _keep(tx, actor, versions, team_id, calendar)


def restore_hours(tx: Tx, actor: Actor, number: int, *, version: int) -> int:
    """Goes back to the hours of an older version, from now on; the version that holds."""
    older = hours.load_version(tx.connection, number)
    if older is None:
        raise NotFound("There is no such version of the hours.")
    versions = _versions(tx, actor, older.team_id, version)
    return _keep(tx, actor, versions, older.team_id, older.calendar, restored=number)


def _versions(tx: Tx, actor: Actor, team_id: str | None, version: int | None) -> list[Version]:
    require(actor, MANAGE)
    if team_id is not None and team_id not in {t.id for t in load_teams(tx.connection)}:
        raise NotFound("There is no such team.")
    versions = hours.load_versions(tx.connection)
    latest = versions[-1].number if versions else 0
    if version not in (None, latest):
        raise Conflict(
            "Somebody has changed the hours in the meantime. Look at them once more.",
            reason="hours_changed",
        )
    return versions


def _keep(
    tx: Tx,
    actor: Actor,
    versions: list[Version],
    team_id: str | None,
    calendar: Calendar | None,
    *,
    restored: int | None = None,
) -> int:
    latest = versions[-1].number if versions else 0
    before = hours.latest_of(versions, team_id)
    if (before.calendar if before else None) == calendar:
        return latest
    # Never backwards, whatever the clock does: what was measured stays as it was measured.
    effective_from_ms = max([tx.at_ms, *(one.effective_from_ms for one in versions)])
    made = Version(latest + 1, team_id, calendar, effective_from_ms, restored=restored)
    data = CalendarChanged(version=made.number, effective_from=effective_from_ms, team_id=team_id)
    event = tx.record(actor, data)
    hours.add_version(tx, made, seq=event.seq, agent_id=actor.id)
    return made.number
