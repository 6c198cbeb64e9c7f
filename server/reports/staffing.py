"""What a roster is made from, read from the log: arrivals, how long chats take, who left."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy import Connection, func, select

from server.domain.metrics import METRICS
from server.domain.periods import day_start_ms, local_date, zone
from server.domain.roster import FEW_CHATS, FEW_LEFT, Day, Work
from server.domain.spans import HOUR_MS, MINUTE_MS
from server.domain.staffing import WEEKS, patience_ms
from server.reports.frames import Frame
from server.reports.rows import figures
from server.reports.scope import TICKET_CHANNEL, Scope
from server.storage.hours import HoursBook, load_book
from server.storage.rows import CONVERSATION

# A chat that was left open keeps nobody from the next one.
LONGEST_HOLD_MS = 2 * HOUR_MS
# Who still waits by then has gone to do something else; patience is about the minutes before.
LONGEST_WAIT_MS = 10 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class StaffingLog:
    """The last eight weeks, as far as staffing goes.

    ``chats`` are first questions, ``held`` the chats that an agent had, of which ``cut`` for longer
    than ``LONGEST_HOLD_MS``; ``left`` left unanswered within ``LONGEST_WAIT_MS``. ``handle_ms`` is
    the time at work in a chat and ``at_once`` the chats that an agent had at once while having any;
    None where nothing was recorded. ``newest_ms`` is None while there is no log.
    """

    work: Work
    scope: Scope
    today: date
    chats: int
    held: int
    cut: int
    left: int
    measured_hold_ms: float | None
    measured_patience_ms: float | None
    handle_ms: float | None
    at_once: float | None
    book: HoursBook
    weekly: dict[tuple[int, int], int]

    def is_open(self, day: date, hour: int) -> bool:
        """True when the shop is open at any time of a local hour; always without hours."""
        tz = zone(self.scope.timezone)
        start = day_start_ms(day, tz) + hour * HOUR_MS
        span = self.book.of_team(None).wait_ms(start, start + HOUR_MS)
        return span is None or span > 0


def load_staffing(connection: Connection, *, timezone: str, at_ms: int) -> StaffingLog:
    """What the log says of the eight weeks up to an instant."""
    tz = zone(timezone)
    today = local_date(at_ms, tz)
    # One week more than a forecast looks back, for the forecast that yesterday's would have been.
    since = today - timedelta(weeks=WEEKS + 1)
    oldest = connection.execute(
        select(func.min(CONVERSATION.c.opened_at_ms)).where(
            CONVERSATION.c.channel != TICKET_CHANNEL
        )
    ).scalar_one()
    # The day on which the log begins is not whole.
    began = today if oldest is None else local_date(oldest, tz) + timedelta(days=1)
    loaded = figures(
        connection,
        Scope(
            timezone=timezone,
            as_of_ms=at_ms,
            from_ms=day_start_ms(since, tz),
            to_ms=day_start_ms(today + timedelta(days=1), tz),
        ),
    )
    asked = loaded.behind(METRICS["frt"])
    counts = Counter(zip(asked.texts("day").tolist(), asked.numbers("hour").tolist(), strict=True))
    by_day = {(date.fromisoformat(str(day)), int(hour)): n for (day, hour), n in counts.items()}
    window = today - timedelta(weeks=WEEKS)
    weekly: Counter[tuple[int, int]] = Counter()
    for (day, hour), n in by_day.items():
        if window <= day < today:
            weekly[day.weekday(), hour] += n
    held, cut, hold = _holds(loaded.frame("handling"))
    waits = _waits(asked)
    left = sum(gone for _, gone in waits)
    patience = patience_ms(waits)
    return StaffingLog(
        work=Work(
            counts=by_day,
            first=max(since, began),
            hold_ms=hold if held >= FEW_CHATS else None,
            patience_ms=patience if left >= FEW_LEFT else None,
        ),
        scope=loaded.scope,
        today=today,
        chats=sum(weekly.values()),
        held=held,
        cut=cut,
        left=left,
        measured_hold_ms=hold,
        measured_patience_ms=patience,
        handle_ms=_value(loaded.of(METRICS["aht"]).value),
        at_once=_value(loaded.of(METRICS["concurrency"]).value),
        book=load_book(connection),
        weekly=dict(weekly),
    )


def _holds(rows: Frame) -> tuple[int, int, float | None]:
    """Chats that an agent had and that are over, those cut, and their mean time."""
    over = rows.select(~np.asarray(rows.numbers("waiting"), bool))
    owned = over.numbers("owned_ms")
    sessions: dict[str, int] = {}
    for key, ms in zip(over.texts("session").tolist(), owned.tolist(), strict=True):
        if ms > 0:
            sessions[str(key)] = sessions.get(str(key), 0) + int(ms)
    if not sessions:
        return 0, 0, None
    cut = sum(ms > LONGEST_HOLD_MS for ms in sessions.values())
    total = sum(min(ms, LONGEST_HOLD_MS) for ms in sessions.values())
    return len(sessions), cut, total / len(sessions)


def _waits(asked: Frame) -> list[tuple[int, bool]]:
    waits = asked.numbers("wait_ms").tolist()
    outcomes = asked.texts("outcome").tolist()
    return [
        (min(int(wait), LONGEST_WAIT_MS), outcome == "abandoned" and wait <= LONGEST_WAIT_MS)
        for wait, outcome in zip(waits, outcomes, strict=True)
    ]


def _value(value: float | None) -> float | None:
    return None if value is None else float(value)


def roster_csv(days: Iterable[Day]) -> str:
    """The roster as CSV: a line for each hour; shares from 0 to 1, waits in milliseconds."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        (
            *("day", "hour", "open", "expected", "low", "high", "weeks"),
            *("agents", "agents_if_busy", "to_roster", "in_time", "left", "wait_ms", "occupancy"),
        )
    )
    for day in days:
        for cell in day.cells:
            made, need = cell.forecast, cell.need
            told = (
                ("", "", "", "", "", "", "")
                if need is None
                else (
                    need.agents,
                    "" if cell.busy is None else cell.busy.agents,
                    need.rostered,
                    round(need.service.in_time, 4),
                    round(need.service.left, 4),
                    round(need.service.wait_ms),
                    round(need.service.occupancy, 4),
                )
            )
            writer.writerow(
                (
                    *(day.day.isoformat(), made.hour, int(cell.open), round(made.expected, 2)),
                    *(round(made.low, 2), round(made.high, 2), made.weeks, *told),
                )
            )
    return out.getvalue()
