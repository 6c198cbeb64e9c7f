"""Files that the database knows and whose bytes are not in the folder any more."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from server.files.store import Store
from server.storage import files
from server.storage.database import Database

PORTION = 500


def lost_files(database: Database, store: Store) -> Iterator[str]:
    """A sentence for each of them. May run beside a server: what goes meanwhile is not missing."""
    after = ""
    while page := database.read_now(partial(files.kept_after, after=after, limit=PORTION)):
        after = page[-1][0]
        gone = [file_id for file_id, sha256 in page if not store.has(sha256)]
        still = database.read_now(partial(files.by_ids, ids=gone))
        for file_id in gone:
            file = still.get(file_id)
            if file is not None and file.sha256 is not None and not store.has(file.sha256):
                place = f"message {file.message_id}" if file.message_id else "no message yet"
                yield f"File {file_id} ({place}): its bytes are not in {store.folder}."
