"""What the shop made of the playbook, version by version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, insert, select

from server.domain.playbook import Playbook
from server.storage.people import AGENT
from server.storage.tables import PlaybookVersion, table
from server.storage.unit import Tx

PLAYBOOK_VERSION = table(PlaybookVersion)
C = PLAYBOOK_VERSION.c


@dataclass(frozen=True, slots=True)
class Version:
    """A change of the playbook: who made it, and which older version it brought back, if any."""

    number: int
    at_ms: int
    by: str | None
    restored: int | None
    texts: Playbook

    @property
    def written(self) -> int:
        """How many texts are the shop's own."""
        return sum(len(words) for columns in self.texts.values() for words in columns.values())


def current_version(connection: Connection) -> int:
    """The number of the version that holds, 0 while nothing was changed."""
    return int(connection.execute(select(func.coalesce(func.max(C.version), 0))).scalar_one())


def own_texts(connection: Connection, version: int | None = None) -> Playbook | None:
    """What the shop has written itself, now or in a version; None for a version there is not."""
    statement = select(C.texts).order_by(C.version.desc()).limit(1)
    if version is not None:
        statement = statement.where(C.version == version)
    found = connection.execute(statement).scalar_one_or_none()
    if found is None:
        return {} if version in (None, 0) else None
    texts: Playbook = orjson.loads(found)
    return texts


def load_versions(connection: Connection, *, limit: int) -> list[Version]:
    """The latest changes, newest first."""
    rows = connection.execute(
        select(C.version, C.created_at_ms, AGENT.c.name, C.restored, C.texts)
        .join_from(PLAYBOOK_VERSION, AGENT, AGENT.c.id == C.agent_id, isouter=True)
        .order_by(C.version.desc())
        .limit(limit)
    )
    return [Version(*row[:4], orjson.loads(row[4])) for row in rows]


def add_version(
    tx: Tx, number: int, texts: Mapping[str, object], *, agent_id: str | None, restored: int | None
) -> None:
    """Writes down a new version of the shop's own texts."""
    tx.later(
        insert(PLAYBOOK_VERSION),
        {
            "version": number,
            "texts": orjson.dumps(texts).decode(),
            "agent_id": agent_id,
            "restored": restored,
            "created_at_ms": tx.at_ms,
        },
    )
