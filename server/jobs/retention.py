"""Forgetting in time: what is older than the shop keeps it goes, a portion at a time."""

from __future__ import annotations

from server.actions import answers, article_uploads, privacy, visits
from server.storage.database import Database


async def forget_old(database: Database) -> None:
    """Removes what is past its time: texts of chats, page events, deliveries, mails, uploads."""
    for forget, at_once in (
        (privacy.forget_old_texts, privacy.FORGET_AT_ONCE),
        (visits.fold_old, visits.FOLD_AT_ONCE),
        (privacy.forget_old_deliveries, privacy.FORGET_AT_ONCE),
        (privacy.forget_old_mails, privacy.FORGET_AT_ONCE),
        (answers.forget_old, answers.FORGET_AT_ONCE),
        (article_uploads.forget_uploads, article_uploads.FORGET_AT_ONCE),
    ):
        while await database.write(forget) == at_once:
            pass
