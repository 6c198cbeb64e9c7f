"""Bytes in a folder: whole or not there, once, and gone when nobody refers to them."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from server.domain.errors import Unavailable
from server.files.store import Store


def put(store: Store, content: bytes) -> str:
    new = store.begin()
    new.write(content)
    sha256 = new.finish()
    store.put(sha256, new.path)
    new.close()
    return sha256


def left(store: Store) -> list[str]:
    return sorted(path.name for path in store.folder.rglob("*") if path.is_file())


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """As on a full disk, the system refuses to write on."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_same_bytes_are_there_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second, other = put(store, b"lamp"), put(store, b"lamp"), put(store, b"shade")
    assert first == second
    assert left(store) == sorted([first, other])
    assert store.read(first) == b"lamp"


def test_a_write_that_fails_leaves_nothing_and_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = put(store, b"before")
    new = store.begin()
    with capture_logs() as lines, no_file_beyond(300_000), pytest.raises(Unavailable) as full:
        new.write(b"x" * 2_000_000)
    new.close()
    assert lines == []
    assert full.value.details["reason"] == "disk_full"
    assert left(store) == [kept]
    assert put(store, b"after") in left(store)


def test_others_on_the_disk_are_left_with_room(tmp_path: Path) -> None:
    store = Store(tmp_path, room=lambda _: (10 * 1024**3, 2 * 1024**3))
    store.need(1024**3 - 1)
    with pytest.raises(Unavailable):
        store.need(1024**3 + 1)


def test_a_folder_that_cannot_be_written_is_no_bug(tmp_path: Path) -> None:
    in_the_way = tmp_path / "files"
    in_the_way.write_bytes(b"")
    store = Store(in_the_way)
    with capture_logs() as lines:
        for refused in (store.begin, lambda: store.need(1)):
            with pytest.raises(Unavailable):
                refused()
    # A full disk is told to who sends; that the folder is none, to who runs the shop.
    assert [line["reason"] for line in lines] == ["ENOTDIR", "ENOTDIR"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63])
def test_only_hashes_name_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        Store(tmp_path).path(name)
    assert Store(tmp_path).read(name) is None


def test_bytes_go_unless_somebody_refers_to_them(tmp_path: Path) -> None:
    store = Store(tmp_path, young_s=0.0)
    sha256 = put(store, b"lamp")
    assert store.discard(sha256, lambda: True)
    assert store.read(sha256) == b"lamp"
    assert store.discard(sha256, lambda: False)
    assert left(store) == []
    assert store.discard(sha256, lambda: False)


def test_what_has_just_come_is_looked_at_later(tmp_path: Path) -> None:
    store = Store(tmp_path)
    sha256 = put(store, b"lamp")
    assert not store.discard(sha256, lambda: False)
    assert store.has(sha256)


def test_who_takes_the_same_bytes_in_meanwhile_keeps_them(tmp_path: Path) -> None:
    store = Store(tmp_path, young_s=0.0)
    sha256 = put(store, b"lamp")

    def another_comes_before_the_look() -> bool:
        put(store, b"lamp")
        return True

    store.discard(sha256, another_comes_before_the_look)
    assert store.read(sha256) == b"lamp"

    def another_puts_it_and_has_no_row_yet() -> bool:
        put(store, b"lamp")
        return False

    store.discard(sha256, another_puts_it_and_has_no_row_yet)
    assert store.read(sha256) == b"lamp"


def test_a_process_that_died_in_between_is_made_good(tmp_path: Path) -> None:
    store = Store(tmp_path, young_s=0.0)
    sha256 = put(store, b"lamp")
    store.path(sha256).rename(store.folder / "old" / sha256)
    assert sha256 in list(store.clean())
    store.discard(sha256, lambda: True)
    assert store.read(sha256) == b"lamp"
