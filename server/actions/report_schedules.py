"""Reports by mail: whom they go to and when, and what is done when one is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.domain.actors import Actor
from server.domain.dimensions import DIMENSIONS
from server.domain.errors import InvalidInput, NotFound
from server.domain.metrics import metric_of
from server.domain.periods import zone
from server.domain.permissions import PERMISSIONS, require
from server.domain.report_schedule import (
    EVERY,
    LAST_DAY,
    MAX_NAME,
    MOST_METRICS,
    MOST_RECIPIENTS,
    Schedule,
    next_due_ms,
)
from server.domain.text import clean
from server.storage import mails, people, report_schedules, stored_reports
from server.storage.connection import Connection
from server.storage.people import Person
from server.storage.shop import load_shop
from server.storage.stored_reports import Stored
from server.storage.unit import Tx

READ = "report.read"
MOST = 50


@dataclass(frozen=True, slots=True)
class ReportMail:
    """One report as one person gets it; ``table`` is the CSV that goes with it."""

    recipient: str
    subject: str
    words: str
    table: str


def readers(connection: Connection) -> list[Person]:
    """The people to whom a report may go: those who may look at it, and have an address."""
    return [
        person
        for person in people.load_people(connection)
        if person.role in PERMISSIONS[READ] and person.email
    ]


def save_schedule(tx: Tx, actor: Actor, wanted: Schedule) -> str:
    """The id of a schedule, added when ``wanted`` has none, and due at its next time from now.

    Raises NotAllowed, NotFound, and InvalidInput that names the field.
    """
    require(actor, READ)
    schedule = _checked(tx.connection, wanted)
    shop = load_shop(tx.connection)
    if shop is None:
        raise InvalidInput("There is no shop yet.")
    schedule = replace(schedule, due_at_ms=next_due_ms(schedule, tx.at_ms, zone(shop.timezone)))
    if not wanted.id:
        if len(report_schedules.load_schedules(tx.connection)) >= MOST:
            raise InvalidInput(f"There are {MOST} of them already.", reason="schedule_many")
        schedule = replace(schedule, id=tx.new_id(), agent_id=actor.id)
        report_schedules.add_schedule(tx, schedule)
        return schedule.id
    held = _locked(tx, wanted.id)
    kept = replace(
        schedule,
        enabled=held.enabled,
        agent_id=held.agent_id,
        report_id=held.report_id,
        sent_at_ms=held.sent_at_ms,
        problem=None,
    )
    report_schedules.update_schedule(tx, kept)
    return held.id


def switch_schedule(tx: Tx, actor: Actor, schedule_id: str, *, enabled: bool) -> None:
    """Stops one, or lets it go on from its next time. Raises NotAllowed, NotFound."""
    require(actor, READ)
    held = _locked(tx, schedule_id)
    shop = load_shop(tx.connection)
    tz = zone(shop.timezone if shop else "UTC")
    due_at_ms = next_due_ms(held, tx.at_ms, tz)
    report_schedules.update_schedule(
        tx, replace(held, enabled=enabled, due_at_ms=due_at_ms, problem=None)
    )


def send_now(tx: Tx, actor: Actor, schedule_id: str) -> None:
    """Lets one go out at once, about the last whole period. Raises NotAllowed, NotFound."""
    require(actor, READ)
    held = _locked(tx, schedule_id)
    report_schedules.update_schedule(tx, replace(held, enabled=True, due_at_ms=tx.at_ms))


def drop_schedule(tx: Tx, actor: Actor, schedule_id: str) -> None:
    """Takes one out; the reports that it made stay. Raises NotAllowed, NotFound."""
    require(actor, READ)
    report_schedules.remove_schedule(tx, _locked(tx, schedule_id).id)


def send_report(
    tx: Tx, schedule: Schedule, *, made: Stored, sent: Sequence[ReportMail], own_address: str
) -> bool:
    """Keeps a report, queues its mails and waits for the next time.

    False when another process did so before, or somebody has changed or stopped it meanwhile.
    ``made`` has its id already, as the mails lead to it.
    """
    held = report_schedules.lock_schedule(tx, schedule.id)
    if held != schedule:
        return False
    stored_reports.add_report(
        tx, replace(made, name=schedule.name, created_at_ms=tx.at_ms), agent_id=schedule.agent_id
    )
    for one in sent:
        mails.queue(
            tx,
            kind="report",
            recipient=one.recipient,
            subject=one.subject,
            words=one.words,
            rfc_id=mails.lone_rfc_id(tx, own_address),
            enclosed=one.table,
        )
    problem = None if sent else "nobody"
    _wait(tx, replace(held, report_id=made.id, sent_at_ms=tx.at_ms, problem=problem))
    return True


def note_failure(tx: Tx, schedule: Schedule, *, problem: str) -> None:
    """Remembers why a report could not be made, and waits for the next time."""
    held = report_schedules.lock_schedule(tx, schedule.id)
    if held == schedule:
        _wait(tx, replace(held, problem=problem))


def _wait(tx: Tx, schedule: Schedule) -> None:
    shop = load_shop(tx.connection)
    tz = zone(shop.timezone if shop else "UTC")
    due_at_ms = next_due_ms(schedule, tx.at_ms, tz)
    report_schedules.update_schedule(tx, replace(schedule, due_at_ms=due_at_ms))


def _locked(tx: Tx, schedule_id: str) -> Schedule:
    held = report_schedules.lock_schedule(tx, schedule_id)
    if held is None:
        raise NotFound("There is no such report by mail.")
    return held


def _checked(connection: Connection, wanted: Schedule) -> Schedule:
    name = clean(wanted.name, limit=MAX_NAME, name="name")
    if not 1 <= len(wanted.metrics) <= MOST_METRICS:
        raise InvalidInput(f"Name 1 to {MOST_METRICS} metrics.", field="metrics")
    for metric_id in wanted.metrics:
        metric_of(metric_id)
    if wanted.by is not None and wanted.by not in DIMENSIONS:
        raise InvalidInput(f"by must be one of {', '.join(DIMENSIONS)}.", field="by")
    if wanted.every not in EVERY:
        raise InvalidInput(f"every must be one of {', '.join(EVERY)}.", field="every")
    low, high = {"day": (0, 0), "week": (0, 6), "month": (1, LAST_DAY)}[wanted.every]
    if not (0 <= wanted.hour <= 23 and low <= wanted.day <= high):
        raise InvalidInput("There is no such day or hour.", field="day")
    if wanted.locale not in ("en", "zh"):
        raise InvalidInput("locale must be en or zh.", field="locale")
    recipients = tuple(dict.fromkeys(wanted.recipients))
    known = {person.id for person in readers(connection)}
    if not recipients or len(recipients) > MOST_RECIPIENTS or not known.issuperset(recipients):
        raise InvalidInput(
            "Choose at least one person who may read reports.",
            field="recipients",
            reason="schedule_nobody",
        )
    return replace(wanted, name=name, metrics=wanted.metrics, recipients=recipients)
