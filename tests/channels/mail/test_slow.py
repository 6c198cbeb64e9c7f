"""A mail that a slow machine could not read in time is tried again, and never by two at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from server.channels.mail import desk as module
from server.channels.mail.desk import MailDesk, MailSettings
from server.domain.letter import Letter, Unreadable
from server.storage import mails
from server.storage.database import Database

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def came(database: Database) -> tuple[str, str | None, int]:
    """State, reason and tries of the one mail."""
    with database.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT state, reason, tries FROM mail_in").one()
    return row[0], row[1], row[2]


@pytest.fixture
def desk(open_database: Callable[..., Database]) -> MailDesk:
    database = open_database()
    raw = b"From: mei@buyer.example\r\n\r\nMy lamp is broken."
    database.write_now(lambda tx: mails.add_came(tx, uid_validity=1, mails=[(1, len(raw), raw)]))
    address = MailSettings(
        address="desk@shop.example", imap_url=None, smtp_url=None, judge=None, public_url=None
    )
    return MailDesk(database, address)


async def test_a_mail_is_not_set_aside_because_the_machine_was_slow(
    desk: MailDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = iter(["took_too_long"] * 3 + ["headers"])

    async def slow(_raw: bytes) -> Letter:
        assert came(desk._database)[0] == "new"
        raise Unreadable(next(reasons))

    monkeypatch.setattr(module, "read_apart", slow)
    await desk._read_new()
    assert came(desk._database) == ("aside", "headers", 4)


async def test_what_another_process_has_taken_stays_taken(
    desk: MailDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def taken_meanwhile(_raw: bytes) -> Letter:
        mail = desk._database.read_now(lambda c: mails.unread(c, limit=1))[0]
        await desk._database.write(lambda tx: mails.settle(tx, mail.id, state="taken", reason=None))
        raise Unreadable("took_too_long")

    monkeypatch.setattr(module, "read_apart", taken_meanwhile)
    await desk._read_new()
    assert came(desk._database)[:2] == ("taken", None)
