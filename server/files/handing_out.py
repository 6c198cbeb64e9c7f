"""A person's data as a ZIP on the disk: portion by portion, however much they have sent."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedRandom, BufferedWriter
from typing import IO

from server.actions.export_customer import export_customer
from server.domain.errors import Unavailable
from server.files.store import Store, note_fault
from server.storage.connection import Connection
from server.storage.database import Database


def hand_out(database: Database, store: Store, customer_id: str, *, to: IO[bytes]) -> None:
    """Writes the ZIP of a person to an empty file. Takes long: for a thread of its own.

    Raises NotFound, Conflict when the person was erased, and Unavailable when there is no room.
    """
    at_ms = database.clock()

    def begin(connection: Connection) -> list[tuple[str, str]]:
        # In here as well: a reader would take a full disk for a database that is away.
        with _room():
            return export_customer(connection, customer_id, at_ms=at_ms, archive=archive)

    try:
        with _room(), zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, sha256 in database.read_now(begin):
                # What was let go or taken back meanwhile is left out.
                with suppress(FileNotFoundError):
                    archive.write(store.path(sha256), name)
        with _room():
            to.flush()
    except Unavailable:
        if isinstance(to, BufferedWriter | BufferedRandom):
            # Whoever closes it would be told of the full disk once more.
            to.raw.close()
        raise


def place_for(store: Store) -> IO[bytes]:
    """An empty file without a name: whatever happens, nothing of it is left. Raises Unavailable."""
    with _room():
        store.prepare()
        return tempfile.TemporaryFile(dir=store.folder)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        note_fault(error)
        raise Unavailable(
            "There is no room on the disk for the file. Make some and ask again.",
            reason="export_room",
        ) from None
