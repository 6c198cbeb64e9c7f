"""Reports that go out by themselves: made from the log, kept, and mailed to those who read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any  # Any: JSON values of a report's rows

import structlog

from agent_ui.groups import group_words
from agent_ui.render import Locale, duration, local_day, number, percent, sentence
from server.actions import report_schedules as actions
from server.actions.report_schedules import ReportMail
from server.domain.errors import InvalidInput
from server.domain.metrics import metric_of
from server.domain.periods import zone
from server.domain.report_schedule import Schedule, days_of, latest_due_ms
from server.reports.rows import csv_of
from server.reports.stored import make_report, rows_of
from server.storage import report_schedules
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.event_log import lasting_seq
from server.storage.ids import new_id
from server.storage.shop import Shop, load_shop
from server.storage.stored_reports import Stored

log = structlog.stdlib.get_logger("shopbell.mail")

# Of a figure in words; the table has all.
MOST_LINES = 60

Row = Mapping[str, Any]  # Any: JSON values


async def send_reports(database: Database, *, own_address: str, public_url: str | None) -> None:
    """Makes and queues every report whose time has come; one that cannot be made says why."""
    now_ms = database.clock()
    for schedule in await database.read(lambda c: report_schedules.due_schedules(c, at_ms=now_ms)):
        shop = await database.read(load_shop)
        if shop is None:
            return
        try:
            made = await _made(database, schedule, shop, now_ms=now_ms)
        except InvalidInput as error:
            log.warning("a report by mail could not be made", schedule=schedule.id)
            problem = str(error)[:200]
            await database.write(partial(actions.note_failure, schedule=schedule, problem=problem))
            continue
        readers = {person.id: person for person in await database.read(actions.readers)}
        sent = [
            ReportMail(
                recipient=address,
                subject=_subject(schedule, made, shop),
                words=_words(schedule, made, shop, public_url=public_url),
                table=csv_of(rows_of(made.body)),
            )
            for person_id in schedule.recipients
            if (person := readers.get(person_id)) is not None
            and (address := person.email) is not None
        ]
        await database.write(
            partial(
                actions.send_report,
                schedule=schedule,
                made=made,
                sent=sent,
                own_address=own_address,
            )
        )


async def _made(database: Database, schedule: Schedule, shop: Shop, *, now_ms: int) -> Stored:
    tz = zone(shop.timezone)
    due_at_ms = latest_due_ms(schedule, now_ms, tz)
    first, last = days_of(schedule, due_at_ms, tz)
    seq = await database.read(lasting_seq)

    def make(connection: Connection) -> Stored:
        return make_report(
            connection,
            schedule.metrics,
            now_ms=now_ms,
            from_=first.isoformat(),
            to=last.isoformat(),
            by=schedule.by,
            as_of_seq=seq,
        )

    made = await database.read(make)
    return replace(made, id=new_id(now_ms))


def _subject(schedule: Schedule, made: Stored, shop: Shop) -> str:
    return f"{shop.name}: {schedule.name}, {_period(made, schedule.locale, shop.timezone)}"


def _words(schedule: Schedule, made: Stored, shop: Shop, *, public_url: str | None) -> str:
    """The report as plain words: a line a figure, groups below their metric."""
    locale = schedule.locale
    lines = [schedule.name, _period(made, locale, shop.timezone), ""]
    rows = rows_of(made.body)
    for metric_id in made.metrics:
        mine = [row for row in rows if row["metric"] == metric_id]
        lines.append(_heading(metric_id, locale))
        lines += list(_figures(mine, locale, by=schedule.by)) or [
            "  " + sentence(locale, "by_mail.no_rows")
        ]
        lines.append("")
    if public_url:
        link = f"{public_url.rstrip('/')}/reports/stored/{made.id}"
        lines.append(sentence(locale, "by_mail.link", link=link))
    lines.append(sentence(locale, "by_mail.why", shop=shop.name))
    return "\n".join(lines)


def _heading(metric_id: str, locale: Locale) -> str:
    """The name of a figure, and the short one that pages show where it is another."""
    words = metric_of(metric_id)
    name, short = words.name.of(locale), words.short.of(locale)
    if name == short:
        return name
    return f"{name}（{short}）" if locale == "zh" else f"{name} ({short})"


def _figures(rows: Sequence[Row], locale: Locale, *, by: str | None) -> Iterator[str]:
    for row in rows[:MOST_LINES]:
        name = "" if by is None else f"{group_words(locale, by, row['group'])}: "
        said = [_value(row, locale), sentence(locale, "by_mail.n", n=number(row["n"]))]
        if row["n_open"]:
            said.append(sentence(locale, "by_mail.open", n=number(row["n_open"])))
        yield f"  {name}{' · '.join(said)}"
    if len(rows) > MOST_LINES:
        yield "  " + sentence(locale, "by_mail.more", n=len(rows) - MOST_LINES)


def _value(row: Row, locale: Locale) -> str:
    """The figure as people write it."""
    if row["unit"] == "ms" and row["median_ms"] is not None:
        median = duration(row["median_ms"])
        if row["p90_ms"] is None:
            return sentence(locale, "by_mail.median_alone", median=median)
        return sentence(locale, "by_mail.median", median=median, p90=duration(row["p90_ms"]))
    value = row["value"]
    if value is None:
        return "–"
    if isinstance(value, str):  # an amount of money, exact
        return f"{value} {row['filters']['currency']}"
    match row["unit"]:
        case "ms":
            return duration(value)
        case "ratio" if metric_of(row["metric"]).per_cent:
            low, high = row["interval"] or (None, None)
            bounds = f" ({percent(low)}–{percent(high)})" if low is not None else ""
            return percent(value) + bounds
    return number(value, 0 if value == int(value) else 2)


def _period(made: Stored, locale: Locale, timezone: str) -> str:
    first, last = (_instant_ms(str(made.query[name])) for name in ("from", "to"))
    days = local_day(locale, first, timezone), local_day(locale, last - 1, timezone)
    return days[0] if days[0] == days[1] else " – ".join(days)


def _instant_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
