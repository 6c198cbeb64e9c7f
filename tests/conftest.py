"""Fixtures for every test; docs of each in its docstring (``pytest --fixtures`` lists them)."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any  # Any: arguments handed on

import hypothesis
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support import figures, memory
from tests.support.browser import Pages, launch
from tests.support.connections import ConnectionWatch
from tests.support.node import NodeClient
from tests.support.postgres import PostgresCluster
from tests.support.processes import tail
from tests.support.redis import RedisServer
from tests.support.server import ServerProcess
from tests.support.spares import Spares
from tests.support.sqlite import put_migrated
from tests.support.tools import require
from tests.support.waiting import LIMIT_S

if TYPE_CHECKING:
    from server.storage.database import Database

# Product code is imported by the fixtures that need it, so that a fault in storage does not keep
# the tests of the domain from running.
DATABASES = ("sqlite", "postgresql")
# Cheap and telling first; what drives a browser or kills servers for minutes last.
LATE_MARKS = ("kill", "browser")
# A test that tells a whole story takes as long as so many others of its kind.
STORY = 8
FAILED = pytest.StashKey[bool]()
WATCH = pytest.StashKey[ConnectionWatch]()
SCREENSHOTS = Path(__file__).resolve().parent.parent / "test-results"

# No deadline: on two shared cores it would measure the neighbours. The same examples every time in
# CI, so that what fails there fails here too; a person's machine looks for new ones.
hypothesis.settings.register_profile("person", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") == "true" else "person")


def pytest_configure(config: pytest.Config) -> None:
    """Knows from the start what connects to PostgreSQL; collects tests without the collector.

    Nothing of six thousand tests is garbage, and to look for some takes a third of the time.
    """
    memory.take_for_files()
    config.stash[WATCH] = ConnectionWatch()
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """From now on only what tests leave behind is looked at."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests by the fixtures they take, and puts the slow kinds last.

    Of those the files that take long come first, so that no worker is left with one when the other
    has nothing to do.
    """
    for item in items:
        if "pages" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
    late: Counter[Path] = Counter()
    for item in items:
        if _lateness(item):
            late[item.path] += STORY if _tells_a_story(item.path) else 1
    items.sort(key=lambda item: (_lateness(item), -late[item.path]))


def _tells_a_story(path: Path) -> bool:
    """Whether the tests of a file walk through all pages of a part, or through a whole chat."""
    return path.stem.endswith("_in_browser") or path.parent.name == "browser"


def _lateness(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    return max((number for number, name in enumerate(LATE_MARKS, 1) if name in marks), default=0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Hides Playwright's loop from the tests that follow a browser test in the same process.

    Its synchronous interface leaves its own event loop marked as the running one between calls, and
    asyncio then refuses to start another.
    """
    running = asyncio._get_running_loop()
    if running is None or "browser" in getattr(item, "fixturenames", ()):
        return (yield)
    asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(None if running.is_closed() else running)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Lets fixtures know, when they clean up, whether the test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells what the tests measured, whether they passed or not."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    lines = figures.told(reports)
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(scope="module", autouse=True)
def no_connection_is_left_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails the module that leaves a connection to PostgreSQL open.

    Otherwise Python's collector tells of it, in a test of another module.
    """
    watch = request.config.stash[WATCH]
    watch.forget()
    yield
    if left := watch.left_open():
        pytest.fail("\n".join(("connections are left open", *left)), pytrace=False)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder that does not exist yet, as on the first start."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """A PostgreSQL of our own, started when the first test asks for it."""
    cluster = PostgresCluster(require("postgres"))
    yield cluster
    cluster.close()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresCluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database; copies of it cost 50 ms."""
    from server.storage.database import Database
    from server.storage.migrate import migrate

    url = postgres.create()
    database = Database(url, tmp_path_factory.mktemp("template"), patience_s=LIMIT_S)
    migrate(database.engine)
    database.close()
    return url.rpartition("/")[2]


@pytest.fixture
def empty_postgres_url(postgres: PostgresCluster) -> Iterator[str]:
    """The address of an empty PostgreSQL database of this test's own."""
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def postgres_spares(postgres: PostgresCluster, postgres_template: str) -> Spares:
    """Migrated databases, emptied after each test that had one."""
    return Spares(postgres, postgres_template)


@pytest.fixture
def postgres_url(postgres_spares: Spares) -> Iterator[str]:
    """The address of a migrated, empty PostgreSQL database of this test's own."""
    url = postgres_spares.lend()
    yield url
    postgres_spares.take_back(url)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> str | None:
    """What SHOPBELL_DATABASE_URL is, None for SQLite in the data folder; the test runs on both.

    The PostgreSQL database is migrated and empty. SQLite migrates when a server or command starts.
    """
    return request.getfixturevalue("postgres_url") if request.param == "postgresql" else None


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest) -> str | None:
    """As database_url, before any migration: for tests of the migrations themselves."""
    return request.getfixturevalue("empty_postgres_url") if request.param == "postgresql" else None


@pytest.fixture
def open_database(database_url: str | None, data_dir: Path) -> Iterator[Callable[..., Database]]:
    """Opens this test's migrated database, as often as it is called; on SQLite and PostgreSQL.

    Keywords go to Database: clock, on_commit. It is waited for as long as for anything else: on a
    machine that stood still for some seconds, a late answer is no fault. Every one is closed after
    the test.
    """
    from server.config import Settings
    from server.storage.database import Database

    opened: list[Database] = []
    data_dir.mkdir(exist_ok=True)
    path = Settings(data_dir=data_dir).sqlite_path

    def open_it(**options: Any) -> Database:  # Any: handed on
        if database_url is None:
            put_migrated(path)
        opened.append(Database(database_url, path, **{"patience_s": LIMIT_S, **options}))
        return opened[-1]

    yield open_it
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[..., Database]) -> Database:
    """This test's migrated, empty database, opened; the test runs on SQLite and PostgreSQL."""
    return open_database()


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis of our own; a test that stops it starts it again."""
    server = RedisServer(require("redis-server"))
    yield server
    server.close()


@pytest.fixture
def start_server(
    data_dir: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., ServerProcess]]:
    """Starts servers as ServerProcess(data_dir, ...) does and kills them after the test.

    Without a data_dir they share the test's; pass database_url, env, mode, arguments by keyword.
    """
    servers: list[ServerProcess] = []

    def start(folder: Path = data_dir, **options: Any) -> ServerProcess:  # Any: handed on
        server = ServerProcess(folder, **options)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        if server.running:
            server.kill()
        if request.node.stash.get(FAILED, False):
            print(f"the end of {server.log}:\n{tail(server.log)}")


@pytest.fixture
def node_client(tmp_path: Path) -> Iterator[Callable[[], NodeClient]]:
    """Makes official JavaScript Socket.IO clients, ended after the test."""
    clients: list[NodeClient] = []

    def make() -> NodeClient:
        clients.append(NodeClient(tmp_path / "node.log"))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, one for the run; tests take ``pages`` for profiles of their own."""
    require("chromium")
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def pages(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Pages]:
    """Opens pages in fresh profiles; the test fails when a script of a page raised.

    A test that means to see such an error empties ``pages.errors``. A failed test leaves pictures
    of its pages in test-results.
    """
    opened = Pages(browser)
    yield opened
    if request.node.stash.get(FAILED, False):
        opened.screenshots(SCREENSHOTS / re.sub(r"[^\w.-]+", "_", request.node.name))
    opened.close()
    assert opened.errors == []
