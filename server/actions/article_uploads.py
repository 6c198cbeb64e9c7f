"""Bringing in articles by upload: read, looked at, then taken."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

import orjson

from server.actions.import_articles import Plan, planned, take_articles
from server.domain.actors import Actor
from server.domain.errors import InvalidInput, NotFound
from server.domain.imported import ArticleRow, both
from server.domain.importing import Rejected
from server.domain.permissions import require
from server.domain.spans import DAY_MS
from server.storage import article_uploads
from server.storage.article_uploads import Upload
from server.storage.connection import Connection
from server.storage.unit import Tx

WRITE = "article.write"
MOST_ROWS = 5_000
MOST_REJECTED = 500
AT_ONCE = 100
MAX_FILES_CHARS = 300
# What nobody has decided on by the next day was forgotten.
KEPT_MS = DAY_MS
FORGET_AT_ONCE = 100


@dataclass(slots=True)
class Reading:
    """What files held: articles, rows that do not hold, and what a reader should know of them."""

    rows: list[ArticleRow] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Looked:
    """An upload as its page shows it: what would become of each row."""

    id: str
    files: str
    rows: tuple[tuple[ArticleRow, Plan], ...]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]


def keep_upload(tx: Tx, actor: Actor, reading: Reading, *, files: str, status: str) -> str:
    """The id of an upload that waits; ``status`` is that of new articles that say none.

    Raises InvalidInput for too many articles at once.
    """
    require(actor, WRITE)
    if len(reading.rows) > MOST_ROWS:
        raise InvalidInput(
            both(
                f"At most {MOST_ROWS} articles at once. Use `shopbell import articles` for more.",
                f"一次最多 {MOST_ROWS} 篇。更多请使用 `shopbell import articles`。",
            ),
            field="files",
        )
    upload = Upload(
        id=tx.new_id(),
        agent_id=actor.id or "",
        files=files[:MAX_FILES_CHARS],
        content=orjson.dumps(
            {
                "rows": [asdict(replace(row, new_status=status)) for row in reading.rows],
                "rejected": [asdict(one) for one in reading.rejected[:MOST_REJECTED]],
                "notes": reading.notes,
            }
        ).decode(),
        created_at_ms=tx.at_ms,
    )
    article_uploads.add_upload(tx, upload)
    return upload.id


def look_at_upload(connection: Connection, actor: Actor, upload_id: str) -> Looked:
    """What an upload would bring now. Raises NotFound for one of somebody else."""
    upload, reading = _read(connection, actor, upload_id)
    plans: list[Plan] = []
    for start in range(0, len(reading.rows), AT_ONCE):
        plans += planned(connection, reading.rows[start : start + AT_ONCE])
    return Looked(
        id=upload.id,
        files=upload.files,
        rows=tuple(zip(reading.rows, plans, strict=True)),
        rejected=tuple(reading.rejected),
        notes=tuple(reading.notes),
    )


def take_upload(tx: Tx, *, actor: Actor, upload_id: str, start: int) -> tuple[int, int | None]:
    """Takes some of an upload's articles: how many brought anything, and where to go on.

    With the last of them the upload is gone. Raises NotFound for one of somebody else.
    """
    require(actor, WRITE)
    _, reading = _read(tx.connection, actor, upload_id)
    taken = take_articles(tx, reading.rows[start : start + AT_ONCE], by=actor.id)
    if start + AT_ONCE < len(reading.rows):
        return sum(taken), start + AT_ONCE
    article_uploads.drop_uploads(tx, [upload_id])
    return sum(taken), None


def drop_upload(tx: Tx, actor: Actor, upload_id: str) -> None:
    """Forgets an upload. Raises NotFound for one of somebody else."""
    upload, _ = _read(tx.connection, actor, upload_id)
    article_uploads.drop_uploads(tx, [upload.id])


def forget_uploads(tx: Tx) -> int:
    """Forgets what was left lying; how many those were."""
    return article_uploads.forget_uploads(tx, before_ms=tx.at_ms - KEPT_MS, limit=FORGET_AT_ONCE)


def _read(connection: Connection, actor: Actor, upload_id: str) -> tuple[Upload, Reading]:
    upload = article_uploads.load_upload(connection, upload_id)
    if upload is None or upload.agent_id != actor.id:
        raise NotFound("There is no such upload.")
    content = orjson.loads(upload.content)
    rows = [ArticleRow(**row | {"phrasings": tuple(row["phrasings"])}) for row in content["rows"]]
    return upload, Reading(rows, [Rejected(**one) for one in content["rejected"]], content["notes"])
