"""Keeping a report as it is, and letting go of it."""

from __future__ import annotations

from dataclasses import replace

from server.domain.actors import Actor
from server.domain.errors import NotFound
from server.domain.permissions import require
from server.domain.text import clean
from server.storage import stored_reports
from server.storage.stored_reports import Stored
from server.storage.unit import Tx

READ = "report.read"
MAX_NAME = 100


def keep_report(tx: Tx, actor: Actor, made: Stored, *, name: str) -> str:
    """The id of the report, kept under a name. Raises InvalidInput for no name."""
    require(actor, READ)
    name = clean(name, limit=MAX_NAME, name="name")
    stored = replace(made, id=tx.new_id(), name=name, created_at_ms=tx.at_ms)
    stored_reports.add_report(tx, stored, agent_id=actor.id)
    return stored.id


def drop_report(tx: Tx, actor: Actor, report_id: str) -> None:
    """Lets go of a report. Raises NotFound."""
    require(actor, READ)
    if stored_reports.load_report(tx.connection, report_id) is None:
        raise NotFound("There is no such report.")
    stored_reports.remove_report(tx, report_id)
