"""What was voided, for reports: how much, what, why, by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from server.domain.events import CorrectionVoided, Event
from server.domain.replay import voided
from server.storage.corrections import corrections
from server.storage.event_log import events_of
from server.storage.people import names

if TYPE_CHECKING:
    from server.reports.scope import Scope


@dataclass(frozen=True, slots=True)
class VoidShown:
    """A correction in force: its number and time, what it voids, why, by whom."""

    seq: int
    at_ms: int
    target: Event
    reason: str
    by: str | None


def count_voids(connection: Connection, scope: Scope) -> int:
    """How many events of the period of a scope count no more, by what its place of the log knew."""
    return len(voids(connection, scope))


def voids(connection: Connection, scope: Scope) -> list[VoidShown]:
    """The corrections in force of events in the period of a scope, the latest first."""
    found = load_voids(connection, up_to_seq=scope.as_of_seq)
    return [
        one
        for one in found
        if (scope.from_ms is None or one.target.at_ms >= scope.from_ms)
        and (scope.to_ms is None or one.target.at_ms < scope.to_ms)
        and scope.channel in (None, one.target.channel)
    ]


def load_voids(connection: Connection, *, up_to_seq: int | None = None) -> list[VoidShown]:
    """All corrections in force, the latest first; what voids a correction is not shown itself."""
    made = corrections(connection, up_to_seq=up_to_seq)
    skipped = voided(made)
    seqs = {e.data.target_seq for e in made if isinstance(e.data, CorrectionVoided)}
    targets = {event.seq: event for event in events_of(connection, sorted(seqs))}
    people = names(connection)
    found: list[VoidShown] = []
    for event in reversed(made):
        if not isinstance(event.data, CorrectionVoided) or event.seq in skipped:
            continue
        target = targets.get(event.data.target_seq)
        if target is None or target.kind == CorrectionVoided.kind:
            continue
        by = people.get(event.data.by or "")
        found.append(VoidShown(event.seq, event.at_ms, target, event.data.reason, by))
    return found
