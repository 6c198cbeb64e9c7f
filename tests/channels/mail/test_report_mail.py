"""Reports that go out by themselves, over a real SMTP server, on both databases."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from email.message import EmailMessage

from sqlalchemy import update

from server.actions import report_schedules as actions
from server.channels.mail.report_mail import send_reports
from server.domain.report_schedule import Schedule
from server.storage import report_schedules, stored_reports
from server.storage.database import Database
from server.storage.people import AGENT
from server.storage.stored_reports import Stored
from tests.channels.mail.correspondence import Correspondence

WANTED = Schedule(
    id="",
    name="The morning's figures",
    metrics=("received", "frt", "csat"),
    by=None,
    every="day",
    hour=8,
    day=0,
    locale="en",
    recipients=(),
)


def _kept(mail: Correspondence) -> Schedule:
    [found] = mail.scene.database.read_now(report_schedules.load_schedules)
    return found


def _parts(message: EmailMessage) -> tuple[str, list[dict[str, str]]]:
    body = message.get_body(("plain",))
    assert body is not None
    [file] = list(message.iter_attachments())
    assert file.get_filename() == "report.csv"
    content = file.get_content()
    assert isinstance(content, bytes)
    return str(body.get_content()), list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def _schedule(mail: Correspondence, **changes: object) -> Schedule:
    lead = mail.scene.person("lead", role="supervisor")
    assert lead.id is not None
    wanted = Schedule(**{**_fields(WANTED), "recipients": (lead.id,), **changes})  # type: ignore[arg-type]  # field by field
    mail.scene.database.write_now(lambda tx: actions.save_schedule(tx, lead, wanted))
    return _kept(mail)


def _fields(schedule: Schedule) -> dict[str, object]:
    return {name: getattr(schedule, name) for name in Schedule.__dataclass_fields__}


def _reports(mail: Correspondence) -> list[Stored]:
    return mail.scene.database.read_now(lambda c: stored_reports.load_reports(c, limit=9))


def _due_now(mail: Correspondence, schedule: Schedule) -> None:
    lead = mail.scene.actor("lead")
    mail.scene.database.write_now(lambda tx: actions.send_now(tx, lead, schedule.id))


async def _send(mail: Correspondence, database: Database | None = None) -> None:
    await send_reports(
        database or mail.scene.database,
        own_address="desk@mori.example",
        public_url="https://desk.mori.example",
    )


async def test_a_report_is_made_when_due_kept_and_mailed_once(mail: Correspondence) -> None:
    chen = mail.scene.person("chen")
    shopper = mail.scene.shopper()
    conversation = mail.scene.chat(shopper, "Where is my lamp?")
    mail.scene.time.pass_s(90)
    mail.scene.post(chen, "On its way.", conversation)
    schedule = _schedule(mail)
    await _send(mail)
    assert mail.smtp.mails == []

    mail.scene.time.pass_s((schedule.due_at_ms - mail.scene.time.at_ms) / 1000 + 1)
    await _send(mail)
    await _send(mail)
    await mail.until(lambda: mail.smtp.mails, "the report to arrive")
    after = _kept(mail)
    [stored] = _reports(mail)
    assert (after.report_id, stored.name) == (stored.id, WANTED.name)
    assert after.due_at_ms == schedule.due_at_ms + 86_400_000

    [message] = mail.smtp.mails
    assert message["To"] == "lead@shop.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert WANTED.name in message["Subject"]
    words, rows = _parts(message)
    assert "median 1:30" in words
    # What is set in under its heading is so in HTML, too.
    looks = message.get_body(("html",))
    assert looks is not None
    assert re.search(r"white-space:pre-wrap[^>]*>[^<]+<br>  [^<]*median 1:30", looks.get_content())
    assert f"https://desk.mori.example/reports/stored/{stored.id}" in words
    assert [row["metric"] for row in rows] == ["received", "frt", "csat"]
    assert rows[1]["median_ms"] == "90000"


async def test_of_two_processes_one_sends_it(mail: Correspondence) -> None:
    schedule = _schedule(mail)
    _due_now(mail, schedule)
    beside = mail.scene.open()
    await asyncio.gather(*(_send(mail, database) for database in (mail.scene.database, beside)))
    await mail.until(lambda: mail.smtp.mails, "the report to arrive")
    await mail.until(lambda: not mail.went("queued"), "nothing more to go out")
    assert len(mail.smtp.mails) == 1
    assert len(_reports(mail)) == 1


async def test_who_may_no_longer_read_reports_gets_none(mail: Correspondence) -> None:
    schedule = _schedule(mail)
    _due_now(mail, schedule)
    mail.scene.database.write_now(
        lambda tx: tx.later(update(AGENT).where(AGENT.c.id == "lead").values(role="agent"))
    )
    await _send(mail)
    assert _kept(mail).problem == "nobody"
    assert mail.went() == []


async def test_groups_are_told_by_their_names_in_the_language_of_the_mail(
    mail: Correspondence,
) -> None:
    chen = mail.scene.person("chen")
    conversation = mail.scene.chat(mail.scene.shopper(), "Where is my lamp?")
    mail.scene.time.pass_s(90)
    mail.scene.post(chen, "On its way.", conversation)
    schedule = _schedule(mail, by="channel", locale="zh", metrics=("frt", "received"))
    mail.scene.time.pass_s((schedule.due_at_ms - mail.scene.time.at_ms) / 1000 + 1)
    await _send(mail)
    await mail.until(lambda: mail.smtp.mails, "the report to arrive")
    words, rows = _parts(mail.smtp.mails[0])
    assert "  在线聊天: " in words
    # A figure whose short name is its name is named once.
    assert {"首次响应时间（首响）", "接待人数"} <= set(words.splitlines())
    # Of one answer nothing is said about nine of ten.
    assert "中位数 1:30 · 样本 1" in words
    assert [row["group"] for row in rows] == ["chat", "chat"]
