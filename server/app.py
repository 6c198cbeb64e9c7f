"""The composition root: the only module that knows every part."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol  # Any: coroutines

import structlog
from aiohttp import web

from server.actions.files import Limits
from server.bus import Bus
from server.channels.mail.desk import MailDesk, MailSettings
from server.channels.remote_pictures import RemotePictures
from server.channels.webhook_out import WebhookOut
from server.config import Settings
from server.domain.errors import AppError, Conflict
from server.domain.files import MEGABYTE
from server.files.desk import FileDesk
from server.files.scanner import Scanner
from server.files.store import Store
from server.http import keys
from server.http.connections import Runner
from server.http.routes import MAX_BODY_BYTES, MIDDLEWARES, SETUP_CODE, add_routes
from server.importers.article_files import read_uploads
from server.jobs.due import run_jobs
from server.knowledge.keeper import Knowledge
from server.log import loop_error
from server.news.carriers import carriers_of
from server.news.news import News
from server.realtime.edge import Edge
from server.realtime.engine import SOCKET_PATH
from server.realtime.wire import COMMANDS
from server.shops.worker import ShopWorker
from server.stats import Reading, watch_loop
from server.storage.database import Committed, Database
from server.storage.people import anyone_can_sign_in
from server.storage.processes import news_channel
from server.tasks import ended

log = structlog.stdlib.get_logger("shopbell.app")

# How long one thread may keep the others out. With Python's 5 ms the writer, which lets go at each
# of SQLite's steps, got 60 % of its work done beside a loop that was busy all the time; with this
# all of it, in a twentieth of the time, and the loop got no less done.
TURN_S = 0.0005

# Connections that wait to be accepted, as many as the system allows: when all come back after a
# restart, one that finds no room tries again only after seconds, up to half a minute in the end.
AWAITED = 4096
# Beside the server while it runs: the demo's storefront and its shoppers.
AddRoutes = Callable[[web.Application], None]
Companion = Callable[["Running"], Coroutine[Any, Any, None]]  # Any: as asyncio types it


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts traffic."""

    database: Database
    edge: Edge
    host: str
    port: int
    setup_code: str | None

    @property
    def url(self) -> str:
        """Where it is reached from this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104  # compared only
        return f"http://{host}:{self.port}"


class Worker(Protocol):
    """Works beside the requests until it is cancelled, and hears what was committed."""

    async def heard(self, committed: Committed, /) -> None:
        """A reader of the bus."""

    def readings(self) -> tuple[Reading, ...]:
        """What ``/metrics`` shows of it."""

    async def run(self) -> None:
        """Runs until cancelled."""


@asynccontextmanager
async def running(
    settings: Settings,
    database: Database,
    *,
    host: str,
    port: int,
    more_routes: AddRoutes | None = None,
) -> AsyncIterator[Running]:
    """A server for the time of the block; leaving it drains: nothing accepted is lost."""
    bus = Bus(asyncio.get_running_loop())
    database.on_commit = bus.committed
    carriers = carriers_of(settings, await database.write(news_channel))
    news = News(carriers, on_seqs=bus.hear, on_look=bus.look)
    bus.announce = news.tell
    knowledge = Knowledge(database)
    bus.subscribe(knowledge.heard)
    edge = Edge(database, bus, settings, news, knowledge)
    files = _files(settings, database)
    pictures = RemotePictures(files.store, inside=settings.webhook_allow_private)
    workers = [files, *_workers(settings, database, files)]
    for worker in workers:
        bus.subscribe(worker.heard)
    app = web.Application(middlewares=MIDDLEWARES, client_max_size=MAX_BODY_BYTES)
    app[keys.DATABASE] = database
    app[keys.SETTINGS] = settings
    app[keys.KNOWLEDGE] = knowledge
    app[keys.FILES] = files
    app[keys.FETCH_PICTURE] = pictures.fetch
    app[keys.READ_ARTICLES] = read_uploads
    app[keys.NOT_READY] = lambda: "draining" if edge.draining else None
    app[keys.DEGRADED] = lambda: news.degraded
    app[keys.SOCKET_COMMANDS] = {
        namespace: {name: command.payload for name, command in rows.items()}
        for namespace, rows in COMMANDS.items()
    }
    database.stats.show(
        Reading("shopbell_sockets", "Open sockets.", edge.sockets_by_namespace, label="namespace"),
        Reading("shopbell_bus_waiting", "Commits that wait to be told.", lambda: bus.waiting),
        Reading("shopbell_news_fit", "1 where news are heard.", news.fit, label="carrier"),
        Reading("shopbell_news_failed", "News that could not be sent.", news.failed, counter=True),
        Reading("shopbell_foreign_events", "Events of others told.", bus.foreign, counter=True),
        Reading("shopbell_foreign_lag_ms", "How late the last one was.", bus.lag_ms),
        pictures.reading(),
        *(reading for worker in (*workers, knowledge) for reading in worker.readings()),
        Reading("shopbell_draining", "1 while the process drains.", lambda: edge.draining),
    )
    add_routes(app)
    if more_routes is not None:
        more_routes(app)
    app.router.add_route("*", SOCKET_PATH, edge.engine.serve)
    runner = Runner(app, access_log=None, shutdown_timeout=5, handle_signals=False)
    await runner.setup()
    site = web.TCPSite(runner, host, port, reuse_address=True, backlog=AWAITED)
    tasks = [
        asyncio.create_task(bus.deliver()),
        asyncio.create_task(watch_loop(database.stats)),
    ]
    try:
        # Before anybody is let in, who would hear nothing of what comes in between.
        await bus.begin(database)
        tasks.append(asyncio.create_task(bus.follow(database)))
        await news.start()
        await edge.start()
        try:
            await site.start()
        except OSError as error:
            raise Conflict(
                f"Port {port} on {host} cannot be used ({error.strerror}). Choose another --port.",
                port=port,
            ) from None
        tasks.append(asyncio.create_task(run_jobs(database)))
        tasks += [asyncio.create_task(worker.run()) for worker in (*workers, knowledge)]
        bound = runner.addresses[0][1] if port == 0 else port
        ready = await database.read(anyone_can_sign_in)
        yield Running(database, edge, host, bound, None if ready else app[SETUP_CODE])
    finally:
        await _stop(settings, site, runner, edge, tasks)
        await news.stop()


def _files(settings: Settings, database: Database) -> FileDesk:
    return FileDesk(
        database,
        Store(settings.files_path.absolute()),
        limits=Limits(
            shopper_bytes=settings.file_mb * MEGABYTE,
            staff_bytes=settings.file_staff_mb * MEGABYTE,
            shoppers_a_day=settings.files_day_mb * MEGABYTE,
        ),
        scanner=Scanner(settings.scanner) if settings.scanner else None,
    )


def _workers(settings: Settings, database: Database, files: FileDesk) -> list[Worker]:
    """What goes on beside the requests: webhooks, shop events, and mail where it is set up."""
    workers: list[Worker] = [
        WebhookOut(database, inside=settings.webhook_allow_private),
        ShopWorker(database),
    ]
    address = settings.own_mail_address
    if address is not None:
        mail = MailSettings(
            address=address.lower(),
            imap_url=settings.imap_url,
            smtp_url=settings.smtp_url,
            judge=settings.mail_judge,
            public_url=settings.public_url,
        )
        workers.append(MailDesk(database, mail, files))
    return workers


async def _stop(
    settings: Settings,
    site: web.TCPSite,
    runner: web.AppRunner,
    edge: Edge,
    tasks: list[asyncio.Task[None]],
) -> None:
    edge.draining = True
    if site in runner.sites:
        await site.stop()
    try:
        async with asyncio.timeout(settings.drain_s):
            await edge.drain()
    except TimeoutError:
        log.warning("drain cut short", sockets=edge.sockets)
    await edge.stop()
    await ended(tasks)
    await runner.cleanup()


async def serve(
    settings: Settings,
    database: Database,
    *,
    host: str,
    port: int,
    announce: Callable[[Running], Awaitable[None]],
    companion: Companion | None = None,
    more_routes: AddRoutes | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains. A second signal ends the process at once."""
    # The loop and the writer's thread take turns in the interpreter.
    sys.setswitchinterval(TURN_S)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_error)

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    async with running(settings, database, host=host, port=port, more_routes=more_routes) as server:
        beside = asyncio.create_task(companion(server)) if companion is not None else None
        await announce(server)
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait(
            {waiting, *([beside] if beside else [])}, return_when=asyncio.FIRST_COMPLETED
        )
        if beside is not None:
            if beside.done() and not stop.is_set():
                _report(beside)
                await stop.wait()
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)


def _report(task: asyncio.Task[None]) -> None:
    error = task.exception()
    if isinstance(error, AppError):
        log.error("stopped beside the server", reason=error.message)
    elif error is not None:
        log.error("stopped beside the server", exc_info=error)
