"""A shop with a desk, and what an import left in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: rows

import jwt
import pytest
from sqlalchemy import Table, func, select

from server.actions.visitors import Connect, connect
from server.domain.actors import Actor, customer
from server.importers.canonical import Desk
from server.importers.run import DeskOutcome, import_desk
from server.reports.cli import report_command
from server.reports.rows import ReportRow
from server.reports.verify import verify
from server.storage.conversations import turns_of
from server.storage.database import Database
from server.storage.rows import CONVERSATION, MESSAGE
from tests.actions.conftest import opener, scene
from tests.actions.scene import SECRET, SITE, Scene

__all__ = ["Desktop", "desktop", "opener", "scene"]


@dataclass
class Desktop:
    """A shop in Asia/Shanghai, and short words for what the tests ask it."""

    scene: Scene

    @property
    def database(self) -> Database:
        return self.scene.database

    def bring(self, desk: Desk, path: Path, *, dry_run: bool = False) -> DeskOutcome:
        return import_desk(self.database, desk, path, dry_run=dry_run)

    def rows(self, target: Table, *order: str) -> list[dict[str, Any]]:
        by = [target.c[name] for name in order] or list(target.primary_key.columns)
        statement = select(target).order_by(*by)
        return self.database.read_now(
            lambda c: [dict(row) for row in c.execute(statement).mappings()]
        )

    def count(self, target: Table) -> int:
        statement = select(func.count()).select_from(target)
        return self.database.read_now(lambda c: int(c.execute(statement).scalar_one()))

    def conversation(self, external_id: str) -> str:
        """The id of the conversation that another desk calls so."""
        found = [row for row in self.rows(CONVERSATION) if row["external_id"] == external_id]
        return str(found[0]["id"])

    def texts(self, external_id: str) -> list[tuple[str, str]]:
        """(sender, text) of a conversation's messages in order."""
        key = self.conversation(external_id)
        found = [row for row in self.rows(MESSAGE, "seq") if row["conversation_id"] == key]
        return [(row["sender_kind"], row["body"]) for row in found]

    def waits(self, external_id: str) -> list[tuple[int, str, int | None]]:
        """(session, outcome, seconds) of a conversation's turns."""
        key = self.conversation(external_id)
        turns = self.database.read_now(lambda c: turns_of(c, key))
        return [
            (t.session_no, t.outcome, None if t.elapsed_ms is None else t.elapsed_ms // 1000)
            for t in turns
        ]

    def signed_in(self, sub: str) -> Actor:
        """The shopper for whom the shop signs with this id of its own."""
        now_s = self.scene.time.at_ms // 1000
        claims = {"sub": sub, "aud": SITE, "iat": now_s, "exp": now_s + 600, "jti": sub}
        token = jwt.encode(claims, SECRET, algorithm="HS256")
        answer = self.database.write_now(lambda tx: connect(tx, Connect(site=SITE, identity=token)))
        return customer(answer["customer_id"])

    def differences(self) -> list[str]:
        return self.database.read_now(lambda c: [str(found) for found in verify(c)])

    def report(
        self, metrics: Sequence[str], *, as_of: str, by: str | None = None
    ) -> list[ReportRow]:
        return self.database.read_now(
            lambda c: report_command(c, metrics, now_ms=0, as_of=as_of, by=by)
        )


@pytest.fixture
def desktop(scene: Scene) -> Desktop:  # the fixture of that name
    """A shop with nothing in it; the test runs on SQLite and PostgreSQL."""
    return Desktop(scene)
