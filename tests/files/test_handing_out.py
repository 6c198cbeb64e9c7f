"""A person's data is put together on the disk, not in memory, and a full disk is told."""

from __future__ import annotations

import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from server.actions import files as actions
from server.actions import messages, visitors
from server.actions.files import Limits
from server.actions.messages import PostMessage
from server.actions.visitors import Connect
from server.domain.actors import Actor, customer
from server.domain.errors import Unavailable
from server.domain.files import MEGABYTE
from server.files.handing_out import hand_out, place_for
from server.files.store import Store
from server.storage.database import Database
from server.storage.files import File, fresh_id
from server.storage.shop import Shop, insert_shop

# Nothing here depends on the kind of database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SIZE = 8 * MEGABYTE


def keep(database: Database, store: Store, who: Actor, content: bytes) -> str:
    """The id of a file that somebody has sent."""
    incoming = store.begin()
    incoming.write(content)
    sha256 = incoming.finish()
    store.put(sha256, incoming.path)
    file = File(
        id=fresh_id(database.clock()), sha256=sha256, bytes=len(content), name="film.mp4",
        media_type="video/mp4", uploader_kind="customer", uploader_id=who.id, state="clean",
        created_at_ms=database.clock(),
    )  # fmt: skip
    database.write_now(lambda tx: actions.add(tx, who, file, limits=Limits()))
    return file.id


@pytest.fixture
def person(open_database: Callable[..., Database], tmp_path: Path) -> tuple[Database, Store, str]:
    """A shopper with three large files."""
    database, store = open_database(), Store(tmp_path / "files")
    shop = Shop("Tea", "en", "UTC", "EUR", site_key="s", identity_secret="x" * 32)
    database.write_now(lambda tx: insert_shop(tx, shop))
    answer = database.write_now(lambda tx: visitors.connect(tx, Connect(site="s")))
    who = customer(answer["customer_id"])
    ids = [keep(database, store, who, os.urandom(SIZE)) for _ in range(3)]
    said = PostMessage(client_id="m1", body="Look", files=ids)
    database.write_now(lambda tx: messages.post_message(tx, who, said))
    return database, store, str(who.id)


def test_large_files_are_never_in_memory(person: tuple[Database, Store, str]) -> None:
    database, store, customer_id = person
    with place_for(store) as packed:
        tracemalloc.start()
        try:
            hand_out(database, store, customer_id, to=packed)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        with zipfile.ZipFile(packed) as archive:
            sizes = [one.file_size for one in archive.infolist() if one.filename[:6] == "files/"]
    assert sizes == [SIZE] * 3
    assert most < SIZE / 2
    # It had no name, so nothing of it is left.
    assert {path.name for path in store.folder.iterdir() if path.is_file()} == set()


def test_a_full_disk_is_told_as_that(person: tuple[Database, Store, str]) -> None:
    database, store, customer_id = person
    with Path("/dev/full").open("wb") as packed, pytest.raises(Unavailable) as refused:
        hand_out(database, store, customer_id, to=packed)
    assert refused.value.details["reason"] == "export_room"
