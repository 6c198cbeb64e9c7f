"""Articles that were uploaded and wait for a word: shown first, then taken or dropped."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select

from server.storage.tables import ArticleUpload, table
from server.storage.unit import Tx

UPLOAD = table(ArticleUpload)


@dataclass(frozen=True, slots=True)
class Upload:
    """What somebody uploaded; ``content`` is JSON: rows, rejected, notes."""

    id: str
    agent_id: str
    files: str
    content: str
    created_at_ms: int


def add_upload(tx: Tx, upload: Upload) -> None:
    """Keeps an upload in the place of those that the same person left lying."""
    tx.later(
        delete(UPLOAD).where(UPLOAD.c.agent_id == bindparam("b_agent")),
        {"b_agent": upload.agent_id},
    )
    tx.later(insert(UPLOAD), asdict(upload))


def load_upload(connection: Connection, upload_id: str) -> Upload | None:
    """An upload, or None."""
    found = connection.execute(select(UPLOAD).where(UPLOAD.c.id == upload_id)).mappings().first()
    return None if found is None else Upload(**found)


def drop_uploads(tx: Tx, upload_ids: list[str]) -> None:
    """Forgets uploads."""
    if upload_ids:
        tx.later(
            delete(UPLOAD).where(UPLOAD.c.id == bindparam("b_id")),
            [{"b_id": upload_id} for upload_id in upload_ids],
        )


def forget_uploads(tx: Tx, *, before_ms: int, limit: int) -> int:
    """Forgets what was left lying since before an instant; how many those were."""
    old = select(UPLOAD.c.id).where(UPLOAD.c.created_at_ms < before_ms).limit(limit)
    ids = list(tx.execute(old).scalars())
    drop_uploads(tx, ids)
    return len(ids)
