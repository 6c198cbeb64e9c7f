"""What stands in the way of a shop is named in plain words, with what to do about it."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, text

from server.actions.people import add_person
from server.actions.shop import init_shop, set_site
from server.commands import check
from server.commands.check import Finding, look_over
from server.domain.actors import SYSTEM
from server.storage import event_log, inspection
from server.storage.database import Database
from tests.support.ports import HOST, free_port
from tests.support.redis import RedisServer
from tests.support.server import shopbell
from tests.support.waiting import LIMIT_S

SMTP = "220 mail.example ready"
SECRET = "an identity secret that is long enough"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SHOPBELL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def shop(
    database: Database, database_url: str | None, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Database:
    """A shop with which nothing is wrong, behind a proxy."""
    data_dir.chmod(0o700)
    database.write_now(
        lambda tx: init_shop(
            tx, name="Mori & Oak", locale="en", timezone="Asia/Shanghai", currency="CNY"
        )
    )
    database.write_now(
        lambda tx: add_person(
            tx, SYSTEM, email="ann@shop.example", name="Ann", role="admin", password_hash="x"
        )
    )
    database.write_now(
        lambda tx: set_site(tx, SYSTEM, origins=["https://shop.example"], identity_secret=SECRET)
    )
    if database_url is not None:
        monkeypatch.setenv("SHOPBELL_DATABASE_URL", database_url)
    monkeypatch.setenv("SHOPBELL_TRUSTED_PROXIES", "1")
    monkeypatch.setattr(check, "FEW_FILES", 1)
    # A machine that is busy with other things takes its time.
    monkeypatch.setattr(check, "SLOW_MS", LIMIT_S * 1000)
    monkeypatch.setattr(check, "LINE_LIMIT_S", LIMIT_S)
    return database


def _found(data_dir: Path, what: str) -> list[Finding]:
    return [finding for finding in look_over(data_dir) if finding.what == what]


def _bad(data_dir: Path) -> list[Finding]:
    return [finding for finding in look_over(data_dir) if finding.verdict != "ok"]


def test_with_a_sound_shop_there_is_nothing_to_do(shop: Database, data_dir: Path) -> None:
    assert _bad(data_dir) == []
    assert all(finding.do == "" for finding in look_over(data_dir))


def test_the_command_answers_programs_too_and_fails_only_for_problems(
    shop: Database, database_url: str | None, data_dir: Path
) -> None:
    done = shopbell("check", "--json", data_dir=data_dir, database_url=database_url)
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (0, True), done.stdout + done.stderr
    assert {"what", "verdict", "found", "do"} == set(told["findings"][0])
    assert "warning" in {finding["verdict"] for finding in told["findings"]}
    done = shopbell("check", data_dir=data_dir / "none", database_url=database_url and "mysql://x")
    assert done.returncode == 1
    assert "problem  settings" in done.stdout or "problem  database" in done.stdout
    assert "problems: " in done.stdout.splitlines()[-1]
    assert done.stderr.startswith("shopbell: There are problems: ")
    assert done.stderr.count("\n") == 1


def test_nothing_is_changed_by_looking(tmp_path: Path) -> None:
    list(look_over(tmp_path / "none"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "what", "verdict"),
    [
        ("UPDATE agent SET active = false", "people", "problem"),
        ("UPDATE shop SET origins = '[]'", "origins", "warning"),
        ("UPDATE shop SET identity_secret = NULL", "identity", "warning"),
        ("UPDATE shop SET identity_secret = 'short'", "identity", "problem"),
        ("DELETE FROM shop", "shop", "problem"),
        ("UPDATE alembic_version SET version_num = '9999'", "tables", "problem"),
    ],
)
def test_what_is_missing_in_the_shop_is_named(
    shop: Database, data_dir: Path, statement: str, what: str, verdict: str
) -> None:
    shop.write_now(lambda tx: tx.later(text(statement)))
    (finding,) = _bad(data_dir)
    assert (finding.what, finding.verdict) == (what, verdict)
    assert finding.do


def test_tables_of_an_older_version_are_told_to_be_migrated(shop: Database, data_dir: Path) -> None:
    shop.write_now(lambda tx: tx.later(text("UPDATE alembic_version SET version_num = '0001'")))
    (finding,) = _bad(data_dir)
    assert finding.verdict == ("warning" if shop.is_sqlite else "problem")
    assert "shopbell migrate" in finding.do


@ON_SQLITE
@pytest.mark.parametrize(
    ("name", "value", "what", "verdict"),
    [
        ("DATABSE_URL", "postgresql://x", "settings", "warning"),
        ("RATE_LIMITS", "off", "limits", "warning"),
        ("LOG_LEVEL", "debug", "log", "warning"),
        ("TRUSTED_PROXIES", "0", "proxy", "warning"),
        ("TRUSTED_PROXIES", "many", "settings", "problem"),
        ("DATABASE_URL", "mysql://root@localhost/shop", "settings", "problem"),
        ("DATABASE_URL", f"postgresql://a:geheim@{HOST}:1/shop", "database", "problem"),
        ("SMTP_URL", f"smtp://{HOST}:1", "smtp_url", "problem"),
        ("IMAP_URL", "imaps://", "imap_url", "problem"),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(  # noqa: PLR0917  # fixtures and parameters
    shop: Database,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    what: str,
    verdict: str,
) -> None:
    monkeypatch.setenv(f"SHOPBELL_{name}", value)
    found = _bad(data_dir)
    assert (what, verdict) in {(finding.what, finding.verdict) for finding in found}
    assert all(finding.do for finding in found)
    assert not any("geheim" in finding.found for finding in found)


@ON_SQLITE
def test_a_misspelling_in_the_file_is_named(shop: Database, data_dir: Path) -> None:
    (data_dir / "shopbell.toml").write_text('log_levle = "info"\n')
    (finding,) = _bad(data_dir)
    assert "log_levle" in finding.found


def test_a_file_that_cannot_be_read_as_toml_is_the_one_finding(data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    (data_dir / "shopbell.toml").write_text("log_level = info\n")
    (finding,) = look_over(data_dir)
    assert (finding.what, finding.verdict) == ("settings", "problem")
    assert "TOML" in finding.found


@ON_SQLITE
def test_a_folder_that_others_can_look_into_is_named(shop: Database, data_dir: Path) -> None:
    data_dir.chmod(0o755)
    (finding,) = _bad(data_dir)
    assert (finding.what, finding.do) == ("folder", f"chmod 700 {data_dir}")


@ON_SQLITE
def test_whoever_does_not_own_the_folder_is_told(
    shop: Database, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: data_dir.stat().st_uid + 1)
    (finding,) = _bad(data_dir)
    assert (finding.what, finding.verdict) == ("folder", "warning")
    assert "sudo -u" in finding.do


@ON_SQLITE
@pytest.mark.parametrize(
    ("little", "verdict"), [("LOW_BYTES", "warning"), ("LITTLE_BYTES", "problem")]
)
def test_a_disk_that_fills_is_named(
    shop: Database, data_dir: Path, monkeypatch: pytest.MonkeyPatch, little: str, verdict: str
) -> None:
    monkeypatch.setattr(check, little, 1 << 60)
    (finding,) = _bad(data_dir)
    assert (finding.what, finding.verdict) == ("disk", verdict)


@ON_SQLITE
def test_a_held_lock_and_a_damaged_file_are_named(shop: Database, data_dir: Path) -> None:
    with closing(sqlite3.connect(shop.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        (finding,) = _bad(data_dir)
        assert "write lock" in finding.found
        other.execute("ROLLBACK")
    shop.close()
    shop.path.write_bytes(b"no database" * 1000)
    (finding,) = _bad(data_dir)
    assert (finding.what, finding.verdict) == ("database", "problem")
    assert "restore" in finding.do


@ON_SQLITE
def test_a_clock_that_was_set_back_is_named(shop: Database, data_dir: Path) -> None:
    hour_ms = 3_600_000
    shop.clock.not_before(shop.clock() + hour_ms)
    with closing(sqlite3.connect(shop.path)) as file:
        file.execute(
            "INSERT INTO event (seq, event_id, at_ms, kind, actor_kind, data, imported, v)"
            " VALUES (1, 'e', ?, 'agent.presence_changed', 'system', '{}', 0, 1)",
            (shop.clock() + hour_ms,),
        )
        file.commit()
    (finding,) = _bad(data_dir)
    assert (finding.what, finding.verdict) == ("clock", "problem")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_takes_its_time_has_the_right_one(
    shop: Database, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed_s = [0.0]

    def last_live_at_ms(connection: Connection) -> int:
        passed_s[0] += 60
        return event_log.last_live_at_ms(connection)

    clock = SimpleNamespace(time=lambda: time.time() + passed_s[0], perf_counter=time.perf_counter)
    for module in (check, inspection):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(inspection, "last_live_at_ms", last_live_at_ms)
    assert _bad(data_dir) == []
    # From here on it is this machine that is wrong.
    (finding,) = _bad(data_dir)
    assert (finding.what, finding.verdict) == ("clock", "problem")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_redis_is_tried_there_and_back(
    shop: Database, data_dir: Path, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPBELL_REDIS_URL", redis.url)
    (finding,) = _found(data_dir, "redis")
    assert (finding.verdict, "comes back in" in finding.found) == ("ok", True), finding
    monkeypatch.setenv("SHOPBELL_REDIS_URL", f"redis://:geheim@{HOST}:{free_port()}/0")
    (finding,) = _found(data_dir, "redis")
    assert finding.verdict == "problem"
    assert "geheim" not in finding.found


@pytest.fixture
def greeting() -> Iterator[Callable[[str], int]]:
    """The port of a server that says one line to whoever comes."""
    listeners: list[socket.socket] = []

    def serve(line: str) -> int:
        listener = socket.create_server((HOST, 0))
        listeners.append(listener)

        def greet() -> None:
            with listener.accept()[0] as client:
                client.sendall(f"{line}\r\n".encode())
                client.recv(100)

        threading.Thread(target=greet, daemon=True).start()
        return int(listener.getsockname()[1])

    yield serve
    for listener in listeners:
        listener.close()


@ON_SQLITE
def test_mail_servers_that_answer_are_fine(
    shop: Database,
    data_dir: Path,
    greeting: Callable[[str], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOPBELL_SMTP_URL", f"smtp://{HOST}:{greeting(SMTP)}")
    assert [finding.verdict for finding in _found(data_dir, "smtp_url")] == ["ok"]
    monkeypatch.setenv("SHOPBELL_SMTP_URL", f"smtp://{HOST}:{greeting('SSH-2.0')}")
    assert [finding.verdict for finding in _found(data_dir, "smtp_url")] == ["problem"]


@ON_SQLITE
def test_few_open_files_are_named(
    shop: Database, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "FEW_FILES", 1 << 40)
    (finding,) = _bad(data_dir)
    assert (finding.what, finding.verdict) == ("sockets", "warning")


def test_verify_says_on_stderr_too_that_it_found_differences(tmp_path: Path) -> None:
    data_dir, log = tmp_path / "data", tmp_path / "log.ndjson"
    made = shopbell(
        *("init", "--shop", "S", "--locale", "en", "--timezone", "UTC", "--currency", "EUR"),
        data_dir=data_dir,
    )
    assert made.returncode == 0, made.stderr
    row = {"event_id": "1", "ts": 1_772_416_800_000, "kind": "message.posted", "conversation": "c"}
    row |= {"customer": "u", "actor_kind": "customer", "actor": "u", "data": {"body": "Hello"}}
    log.write_text(json.dumps(row))
    assert shopbell("import", "events", log, data_dir=data_dir).returncode == 0
    fine = shopbell("verify", data_dir=data_dir)
    assert (fine.returncode, fine.stderr) == (0, ""), fine.stdout
    with closing(sqlite3.connect(data_dir / "shopbell.db")) as connection, connection:
        connection.execute("UPDATE turn SET ask_at_ms = ask_at_ms - 1000")
    done = shopbell("verify", data_dir=data_dir)
    assert done.returncode == 1
    assert "ask_at_ms" in done.stdout
    assert done.stderr.startswith("shopbell: There are differences: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [("verify",), ("migrate",), ("backup", "x.zip")])
def test_a_command_says_in_one_line_that_the_database_does_not_answer(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "shopbell.db").write_bytes(b"no database" * 1000)
    done = shopbell(*command, data_dir=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "shopbell check" in done.stderr


def test_a_server_that_is_not_there_is_named_in_one_line(tmp_path: Path) -> None:
    done = shopbell("serve", data_dir=tmp_path, database_url=f"postgresql://a:geheim@{HOST}:1/x")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "refused" in done.stderr
    assert "geheim" not in done.stderr
