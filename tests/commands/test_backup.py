"""A backup is all of one moment, whole or absent; a restore puts all of it back, or nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from server.actions.messages import PostMessage, post_message
from server.actions.people import add_person
from server.actions.shop import init_shop
from server.actions.visitors import Connect, connect
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import Conflict, InvalidInput
from server.storage import backup as backup_module
from server.storage.archive import MANIFEST, Manifest, reading, writing
from server.storage.backup import back_up, is_empty, restore_postgresql, restore_sqlite
from server.storage.database import Database
from server.storage.lock import take_serving_lock
from server.storage.migrate import head, migrate, upgrade
from server.storage.shop_sources import Source, insert_source
from server.storage.tables import ShopDelivery, table
from server.storage.unit import Tx
from tests.realtime.client import People
from tests.realtime.desk import make_desk
from tests.support import processes
from tests.support.server import shopbell
from tests.support.waiting import LIMIT_S

DELIVERY = table(ShopDelivery)
BODY = 'Is it back? 茶杯到货了吗？ 🍵 \u202bمرحبا\u202c " \\ \u2028'


def _quiet(_done: int, _total: int) -> None: ...


def _fill(database: Database, *, messages: int = 40) -> list[str]:
    """A shop in which a shopper has written; the ids of the messages."""
    site = database.write_now(
        lambda tx: init_shop(
            tx, name="Mori & Oak", locale="en", timezone="Asia/Shanghai", currency="CNY"
        )
    )
    database.write_now(
        lambda tx: add_person(
            tx, SYSTEM, email="ann@shop.example", name="Ann", role="agent", password_hash="x"
        )
    )
    customer = database.write_now(lambda tx: connect(tx, Connect(site=site)))["customer_id"]
    ids = []
    for number in range(messages):
        payload = PostMessage(client_id=str(number), body=f"{number} {BODY}")
        answer = database.write_now(
            lambda tx, payload=payload: post_message(tx, Actor("customer", customer), payload)  # type: ignore[misc]  # bound default
        )
        ids.append(str(answer["message_id"]))
    return ids


def _deliver(tx: Tx) -> None:
    """What a shop sent, in its own bytes; and one without any."""
    made = Source(name="shop", kind="generic", customer_ids="shop", created_at_ms=1)
    insert_source(tx, made)
    row: dict[str, object] = {column.name: None for column in DELIVERY.columns}
    row |= {"source": "shop", "topic": "order", "headers": "{}", "status": "waiting"}
    row |= {"received_at_ms": 1, "attempts": 0}
    for key, body in (("a", bytes(range(256))), ("b", b"")):
        tx.later(insert(DELIVERY), row | {"id": key, "dedupe_key": key, "body": body})


def _back_up(database: Database, file: Path, *, force: bool = False) -> Manifest:
    with writing(file, force=force) as archive:
        return back_up(database, archive, _quiet)


def _put_back(file: Path, database_url: str | None, folder: Path) -> Database:
    """The database that was made from the archive, opened."""
    folder.mkdir(exist_ok=True)
    with reading(file) as archive:
        archive.check(_quiet)
        if database_url is None:
            restore_sqlite(folder / "shopbell.db", archive, _quiet)
        else:
            target = Database(database_url, folder, patience_s=LIMIT_S)
            restore_postgresql(target, archive, _quiet)
            target.close()
    return Database(database_url, folder / "shopbell.db", patience_s=LIMIT_S)


def _hashes(manifest: Manifest) -> dict[str, tuple[int, str]]:
    return {member.table: (member.rows, member.sha256) for member in manifest.members}


def _rows(database: Database, query: str) -> list[tuple[object, ...]]:
    return database.read_now(lambda c: [tuple(row) for row in c.execute(text(query))])


@pytest.fixture
def filled(database: Database) -> Database:
    """A shop with some talk; on SQLite and PostgreSQL."""
    _fill(database)
    return database


@pytest.fixture
def elsewhere(empty_postgres_url: str) -> str:
    """Another PostgreSQL, empty."""
    return empty_postgres_url


@pytest.fixture
def closing_later() -> Iterator[Callable[[Database], Database]]:
    """Notes a database to be closed after the test."""
    opened: list[Database] = []

    def note(database: Database) -> Database:
        opened.append(database)
        return database

    yield note
    for database in opened:
        database.close()


@pytest.mark.parametrize("onto_postgresql", [False, True])
def test_every_row_comes_back_the_same_also_on_the_other_database(
    filled: Database,
    elsewhere: str,
    tmp_path: Path,
    onto_postgresql: bool,
    closing_later: Callable[[Database], Database],
) -> None:
    filled.write_now(_deliver)
    first = _back_up(filled, tmp_path / "first.zip")
    url = elsewhere if onto_postgresql else None
    other = closing_later(_put_back(tmp_path / "first.zip", url, tmp_path / "other"))
    second = _back_up(other, tmp_path / "second.zip")
    assert _hashes(second) == _hashes(first)
    assert _hashes(first)["message"][0] == 40
    (sent,) = _rows(other, "SELECT body FROM shop_delivery WHERE id = 'a'")
    assert bytes(sent[0]) == bytes(range(256))  # type: ignore[call-overload]  # bytes, or a view
    # The shop goes on where it was: numbers of the log do not meet those that are there.
    (customer,) = _rows(other, "SELECT id FROM customer")[0]
    payload = PostMessage(client_id="after", body="And after?")
    other.write_now(lambda tx: post_message(tx, Actor("customer", str(customer)), payload))
    ((last,),) = _rows(other, "SELECT body FROM message ORDER BY seq DESC LIMIT 1")
    assert last == "And after?"


async def test_a_busy_shop_moves_with_every_message_it_acknowledged(
    database_url: str | None,
    empty_postgres_url: str,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    desk = make_desk(data_dir, database_url)
    people = People(desk)
    desk.server.start()
    file = tmp_path / "shop.zip"
    acknowledged: list[str] = []
    try:
        shoppers = [await people.shopper() for _ in range(4)]

        async def talk(number: int) -> None:
            while not file.exists():
                answer = await shoppers[number].post(BODY)
                acknowledged.append(str(answer["message_id"]))

        talking = asyncio.gather(*(talk(number) for number in range(4)))
        await shoppers[0].until(lambda: len(acknowledged) >= 40, "some talk")
        before = list(acknowledged)
        done = await asyncio.to_thread(desk.server.shopbell, "backup", str(file))
        assert done.returncode == 0, done.stderr
        await talking
    finally:
        await people.close()
        desk.server.kill()
    assert len(acknowledged) > len(before), "nobody wrote during the backup"
    # Onto the other kind of database.
    target = empty_postgres_url if database_url is None else None
    folder = tmp_path / "elsewhere"
    restored = shopbell("restore", file, data_dir=folder, database_url=target)
    assert restored.returncode == 0, restored.stderr
    verified = shopbell("verify", data_dir=folder, database_url=target)
    assert (verified.returncode, "no differences" in verified.stdout) == (0, True), verified.stdout
    with closing(Database(target, folder / "shopbell.db", patience_s=LIMIT_S)) as moved:
        there = {row[0] for row in _rows(moved, "SELECT id FROM message")}
    assert set(before) <= there


def test_only_its_owner_may_read_it_and_nothing_is_left_beside_it(
    filled: Database, tmp_path: Path
) -> None:
    file = tmp_path / "shop.zip"
    os.umask(os.umask(0) & 0o022)
    _back_up(filled, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("shop.zip*")] == ["shop.zip"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_exists_is_replaced_only_by_force(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "shop.zip"
    file.write_text("precious")
    with pytest.raises(Conflict, match="--force"):
        _back_up(filled, file)
    assert file.read_text() == "precious"
    _back_up(filled, file, force=True)
    assert zipfile.is_zipfile(file)


def test_an_error_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    def write(file: Path, *, force: bool) -> None:
        with writing(file, force=force) as archive:
            archive.table("team", ["id"], (1 // (3 - number) for number in range(9)))  # type: ignore[misc]  # any rows

    file = tmp_path / "shop.zip"
    with pytest.raises(ZeroDivisionError):
        write(file, force=False)
    assert list(tmp_path.iterdir()) == []
    file.write_text("the one of yesterday")
    with pytest.raises(ZeroDivisionError):
        write(file, force=True)
    assert file.read_text() == "the one of yesterday"


def test_two_backups_to_one_file_do_not_meet(tmp_path: Path) -> None:
    file = tmp_path / "shop.zip"
    with writing(file) as _first, pytest.raises(Conflict, match="another backup"), writing(file):
        pass


KILLED_WRITING = """
import os, signal, sys
from pathlib import Path
from server.storage.archive import writing
def rows():
    for number in range(100_000):
        yield [number, os.urandom(20).hex()]
    os.kill(os.getpid(), signal.SIGKILL)
with writing(Path(sys.argv[1])) as archive:
    archive.table("team", ["id", "name"], rows())
"""


def _python(script: str, *arguments: str | Path, limits: str = "") -> tuple[int, str]:
    """Status and stderr of a script in a process of its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    if limits:
        command = ["bash", "-c", f'ulimit {limits}; exec "$@"', "bash", *command]
    done = subprocess.run(
        command,
        cwd=processes.ROOT,
        env=processes.clean_environment(),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_while_it_writes_it_leaves_nothing_that_looks_like_a_backup(
    filled: Database, tmp_path: Path
) -> None:
    file = tmp_path / "shop.zip"
    status, _ = _python(KILLED_WRITING, file)
    assert status == -signal.SIGKILL
    assert not file.exists()
    _back_up(filled, file)
    with reading(file) as archive:
        archive.check(_quiet)
    assert [path.name for path in tmp_path.glob("shop.zip*")] == ["shop.zip"]


KILLED_RESTORING = """
import os, signal, sys
from pathlib import Path
from server.storage.archive import reading
from server.storage.backup import restore_postgresql, restore_sqlite
from server.storage.database import Database
def kill(done, total):
    if done == total:
        os.kill(os.getpid(), signal.SIGKILL)
with reading(Path(sys.argv[1])) as archive:
    if len(sys.argv) > 3:
        restore_postgresql(Database(sys.argv[3], Path(sys.argv[2])), archive, kill)
    else:
        restore_sqlite(Path(sys.argv[2]), archive, kill)
"""


def test_killed_while_it_restores_it_leaves_the_old_shop_as_it_was(
    filled: Database, database_url: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "shop.zip"
    before = _hashes(_back_up(filled, file))
    filled.close()
    other = [database_url] if database_url is not None else []
    status, told = _python(KILLED_RESTORING, file, filled.path, *other)
    assert status == -signal.SIGKILL, told
    with closing(Database(database_url, filled.path, patience_s=LIMIT_S)) as again:
        assert _hashes(_back_up(again, tmp_path / "after.zip")) == before
    with closing(_put_back(file, database_url, filled.path.parent)) as restored:
        assert _hashes(_back_up(restored, tmp_path / "restored.zip")) == before
    assert not filled.path.with_name("shopbell.db.restoring").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_without_room_leaves_nothing_half(
    filled: Database, data_dir: Path, tmp_path: Path
) -> None:
    for number in range(60):  # what does not shrink
        filled.write_now(
            lambda tx, number=number: tx.later(  # type: ignore[misc]  # bound default
                text("INSERT INTO secret (name, value) VALUES (:name, :value)").bindparams(
                    name=f"noise {number}", value=os.urandom(4000).hex()
                )
            )
        )
    file = tmp_path / "shop.zip"
    full = f"-f {1 if os.environ.get('BLOCKSIZE') == '512' else 100}"
    command = "import sys; from server.cli import main; sys.argv[0] = 'shopbell'; main()"
    status, told = _python(command, "backup", file, "--data-dir", data_dir, limits=full)
    assert (status, told.startswith("shopbell: ")) == (1, True), told
    assert "Traceback" not in told
    assert list(tmp_path.glob("shop.zip*")) == []
    before = _hashes(_back_up(filled, file))
    filled.close()
    command_line = ("restore", file, "--data-dir", data_dir, "--force", "--yes")
    status, told = _python(command, *command_line, limits=full)
    assert (status, told.startswith("shopbell: ")) == (1, True), told
    assert "Traceback" not in told
    assert not (data_dir / "shopbell.db.restoring").exists()
    with closing(Database(None, filled.path)) as again:
        assert _hashes(_back_up(again, tmp_path / "after.zip")) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_damaged_backup_is_refused_before_anything_changes(
    filled: Database, data_dir: Path, tmp_path: Path
) -> None:
    file = tmp_path / "shop.zip"
    _back_up(filled, file)
    whole = file.read_bytes()
    broken = {
        "cut": whole[: len(whole) // 2],
        "no zip": b"SQLite format 3\x00" + whole,
        "changed": _changed(file, lambda members: members | {"tables/team.jsonl": b'["x"]\n'}),
        "a table gone": _changed(
            file, lambda members: {n: b for n, b in members.items() if "message" not in n}
        ),
        "no manifest": _changed(
            file, lambda members: {n: b for n, b in members.items() if n != MANIFEST}
        ),
        "strange table": _changed(file, _renamed),
    }
    before = filled.path.read_bytes()
    for how, content in broken.items():
        file.write_bytes(content)
        with pytest.raises((Conflict, InvalidInput)):
            _put_back(file, None, data_dir)
        assert filled.path.read_bytes() == before, how
        assert list(data_dir.glob("*.restoring")) == [], how


def _changed(file: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> bytes:
    """The archive with other members."""
    with zipfile.ZipFile(file) as archive:
        members = change({name: archive.read(name) for name in archive.namelist()})
    other = file.with_suffix(".other")
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return other.read_bytes()


def _renamed(members: dict[str, bytes]) -> dict[str, bytes]:
    manifest = json.loads(members[MANIFEST])
    manifest["members"][0]["table"] = 'team"; DROP TABLE event; --'
    return members | {MANIFEST: json.dumps(manifest).encode()}


def test_a_backup_of_an_older_version_is_brought_forward(
    empty_database_url: str | None,
    tmp_path: Path,
    closing_later: Callable[[Database], Database],
) -> None:
    old = closing_later(Database(empty_database_url, tmp_path / "shopbell.db", patience_s=LIMIT_S))
    with old.engine.begin() as connection:
        upgrade(connection, "0001")
        connection.execute(text("INSERT INTO team VALUES ('t', 'Returns', NULL, 0)"))
    manifest = _back_up(old, tmp_path / "old.zip")
    assert manifest.schema_revision == "0001"
    old.close()
    new = closing_later(_put_back(tmp_path / "old.zip", empty_database_url, tmp_path))
    assert _rows(new, "SELECT id, name FROM team") == [("t", "Returns")]
    assert migrate(new.engine) == head()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backup_of_a_newer_version_is_left_alone(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _back_up(filled, tmp_path / "shop.zip")
    monkeypatch.setattr(backup_module, "revisions", lambda: ["0000"])
    with reading(tmp_path / "shop.zip") as archive, pytest.raises(Conflict, match="newer"):
        backup_module.check_fits(archive)


def test_what_serves_must_be_stopped_first(
    filled: Database, database_url: str | None, tmp_path: Path, data_dir: Path
) -> None:
    file = tmp_path / "shop.zip"
    _back_up(filled, file)
    arguments = ("restore", file, "--force", "--yes")
    if database_url is None:
        with take_serving_lock(data_dir):
            refused = shopbell(*arguments, data_dir=data_dir)
        assert "serves" in refused.stderr
    else:
        refused = shopbell(*arguments, data_dir=data_dir, database_url=database_url)
        assert "Stop every server" in refused.stderr
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


def test_a_shop_is_replaced_only_by_force_and_kept_on_sqlite(
    filled: Database, database_url: str | None, tmp_path: Path, data_dir: Path
) -> None:
    file = tmp_path / "shop.zip"
    _back_up(filled, file)
    filled.write_now(lambda tx: tx.later(text("UPDATE shop SET name = 'Later'")))
    assert not is_empty(filled)
    filled.close()

    def restore(*more: str) -> tuple[int, str]:
        done = shopbell("restore", file, *more, data_dir=data_dir, database_url=database_url)
        return done.returncode, done.stderr

    for more, word in (((), "--force"), (("--force",), "--yes")):
        status, told = restore(*more)
        assert (status, word in told) == (1, True), told
    assert restore("--force", "--yes") == (0, "")
    with closing(Database(database_url, filled.path, patience_s=LIMIT_S)) as again:
        assert _rows(again, "SELECT name FROM shop") == [("Mori & Oak",)]
    if database_url is None:
        (kept,) = data_dir.glob("shopbell.db.before-restore-*")
        with closing(sqlite3.connect(kept)) as old:
            assert old.execute("SELECT name FROM shop").fetchone() == ("Later",)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_command_that_uses_the_database_is_waited_for(filled: Database, tmp_path: Path) -> None:
    _back_up(filled, tmp_path / "shop.zip")
    with closing(sqlite3.connect(filled.path)) as command:
        command.execute("BEGIN")
        command.execute("SELECT * FROM shop").fetchone()
        with pytest.raises(Conflict, match="uses"):
            _put_back(tmp_path / "shop.zip", None, filled.path.parent)


def test_a_broken_database_can_be_replaced(tmp_path: Path) -> None:
    with closing(Database(None, tmp_path / "good.db")) as good:
        migrate(good.engine)
        _fill(good, messages=2)
        _back_up(good, tmp_path / "shop.zip")
    (tmp_path / "shopbell.db").write_bytes(b"no database" * 1000)
    (tmp_path / "shopbell.db-wal").write_bytes(b"no log" * 1000)
    arguments = ("restore", tmp_path / "shop.zip", "--force", "--yes")
    assert shopbell(*arguments, data_dir=tmp_path).returncode == 0
    with closing(Database(None, tmp_path / "shopbell.db")) as again:
        assert len(_rows(again, "SELECT id FROM message")) == 2
    assert list(tmp_path.glob("shopbell.db.before-restore-*"))


def test_without_a_shop_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    done = shopbell("backup", tmp_path / "shop.zip", data_dir=tmp_path / "none")
    assert (done.returncode, list(tmp_path.glob("shop.zip*"))) == (1, [])
    assert "nothing to back up" in done.stderr
