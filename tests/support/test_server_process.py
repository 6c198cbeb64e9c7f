"""A server under test starts, dies and comes back as a real one does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.server import ServerProcess, shopbell

Start = Callable[..., ServerProcess]
INIT = ("init", "--shop", "M", "--locale", "en", "--timezone", "UTC", "--currency", "CNY")
ADD = ("user", "add", "ana@shop.example", "--name", "Ana", "--role", "agent")


def test_it_answers_once_it_is_ready(start_server: Start, database_url: str | None) -> None:
    assert start_server(database_url=database_url).status("/healthz") == 200


def test_it_is_gone_after_a_kill_and_back_on_its_port_after_a_restart(
    start_server: Start, database_url: str | None
) -> None:
    server = start_server(database_url=database_url)
    server.kill()
    assert server.status("/healthz") == 0
    assert server.restart().status("/healthz") == 200


@pytest.mark.parametrize("fresh", [True, False])
def test_it_drains_and_ends_with_status_zero(start_server: Start, fresh: bool) -> None:
    assert start_server(fresh=fresh).terminate() == 0


def test_a_server_that_cannot_start_shows_why(start_server: Start, data_dir: Path) -> None:
    first = start_server()
    with pytest.raises(AssertionError, match=rf"(?s)before ready.*pid {first.pid}"):
        start_server(data_dir)


def test_commands_run_beside_it_and_report_their_status(start_server: Start) -> None:
    server = start_server()
    assert server.shopbell("migrate").returncode == 0
    refused = server.shopbell("user", "add", "nobody")
    assert refused.returncode != 0
    assert refused.stderr.strip()


@pytest.mark.parametrize("fresh", [True, False])
def test_a_forked_program_is_as_a_fresh_one(data_dir: Path, fresh: bool) -> None:
    def said(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        done = shopbell(*arguments, data_dir=data_dir, stdin=stdin, fresh=fresh)
        return done.returncode, done.stdout, done.stderr

    assert said(*INIT)[0] == 0
    assert said(*ADD, "--password-stdin", stdin="walnut-lamp-428\n") == (
        0, "ana@shop.example can sign in.\n", ""
    )  # fmt: skip
    status, printed, told = said(*INIT)
    assert (status, printed) == (1, "")
    assert told.startswith("shopbell: ")


def test_a_persons_own_settings_stay_outside(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    monkeypatch.setitem(os.environ, "SHOPBELL_DATABASE_URL", "postgresql://nowhere:1/none")
    done = shopbell("migrate", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
