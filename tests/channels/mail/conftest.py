from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.channels.mail.desk import MailDesk, MailSettings
from server.files.desk import FileDesk
from server.files.store import Store
from tests.actions.scene import Scene
from tests.channels.mail.correspondence import Correspondence
from tests.support.dovecot import USER, Dovecot
from tests.support.smtp import SmtpServer
from tests.support.tools import require


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """A mailbox on a real IMAP server."""
    server = Dovecot(require("dovecot"))
    yield server
    server.close()


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """A real SMTP server that keeps what it takes."""
    server = SmtpServer()
    yield server
    server.close()


@pytest_asyncio.fixture
async def mail(
    scene: Scene, dovecot: Dovecot, smtp: SmtpServer, tmp_path: Path
) -> AsyncIterator[Correspondence]:
    """The scene with its mail running; on SQLite and PostgreSQL."""
    dovecot.empty()
    files = FileDesk(scene.database, Store(tmp_path / "files"))
    desk = MailDesk(
        scene.database,
        MailSettings(
            address=USER,
            imap_url=dovecot.url,
            smtp_url=smtp.url,
            judge="mx.mori.example",
            public_url="https://desk.mori.example",
            look_s=0.2,
            poll_s=0.02,
        ),
        files,
    )
    running = asyncio.create_task(desk.run())
    correspondence = Correspondence(scene, dovecot, smtp, desk, files)
    await correspondence.until(correspondence.begun, "the desk to read its log")
    yield correspondence
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
