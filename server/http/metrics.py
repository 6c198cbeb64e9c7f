"""``GET /metrics``: what this process counts, and how the desk stands, as Prometheus reads it.

Numbers and names from the code only: no person, no address, no text, no label without bound.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from server import __version__
from server.domain.errors import NotAllowed, Unavailable
from server.http.keys import DATABASE, SETTINGS
from server.stats import Histogram, Reading, Stats
from server.storage.database import READERS, Database
from server.storage.gauges import DeskNow, desk_now
from server.storage.migrate import head

Key = TypeVar("Key", bound=tuple[str, ...])
# Every process looks at most this often, however many ask.
KEEP_DESK_S = 5.0

# A request that came through a proxy says so in one of these.
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Proto")


def add_metrics(app: web.Application) -> None:
    """Serves the page, without sign-in; who may read it: ``_check_reader``."""
    desk = _Desk(app[DATABASE])
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(app[DATABASE], desk))
    ProcessCollector(registry=registry)

    async def metrics(request: web.Request) -> web.Response:
        _check_reader(request)
        await desk.look()
        body = generate_latest(registry)
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_PLAIN_0_0_4})

    app.router.add_get("/metrics", metrics)


def _check_reader(request: web.Request) -> None:
    """Returns nothing. Raises NotAllowed for whoever may not read the figures.

    With ``metrics_token`` set: whoever shows it. Without: whoever connects directly from this
    machine or a private network. A request that was passed on by a proxy has the proxy's address,
    so it is refused; a header can only take the right away, never give it.
    """
    token = request.app[SETTINGS].metrics_token
    if token is not None:
        shown = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode(errors="replace"), token.encode()):
            raise NotAllowed("Show the metrics_token of the settings: Authorization: Bearer ...")
        return
    if any(name in request.headers for name in _FORWARDED) or not _is_near(request.remote):
        raise NotAllowed(
            "The figures are for this machine and its private network. To read them from"
            " elsewhere or through a proxy, set metrics_token."
        )


def _is_near(remote: str | None) -> bool:
    """True for loopback and private addresses."""
    try:
        address = ipaddress.ip_address((remote or "").partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_private


class _Desk:
    """How the desk stands, asked of the database at most every KEEP_DESK_S."""

    def __init__(self, database: Database) -> None:
        self.now: DeskNow | None = None
        self._database = database
        self._looked_at_s = -KEEP_DESK_S
        self._one = asyncio.Lock()

    async def look(self) -> None:
        """Brings ``now`` up to date; None while the database is away."""
        async with self._one:
            if time.monotonic() - self._looked_at_s < KEEP_DESK_S:
                return
            try:
                self.now = await self._database.read(desk_now, limit_s=self._database.patience_s)
            except Unavailable:
                self.now = None
            self._looked_at_s = time.monotonic()


class _Figures(Collector):
    """What there is to say, gathered when somebody asks."""

    def __init__(self, database: Database, desk: _Desk) -> None:
        self._database = database
        self._desk = desk

    def collect(self) -> Iterator[Metric]:
        """All figures of this process and of the desk."""
        stats = self._database.stats
        yield _labelled(
            "shopbell_build_info",
            "Version of the program and revision of the tables.",
            ("version", "schema"),
            {(__version__, head()): 1},
        )
        for reading in (*_of_database(self._database), *stats.readings):
            yield _read(reading)
        yield from _of_work(stats)
        yield from _of_desk(self._desk.now, now_ms=self._database.clock())


def _of_database(database: Database) -> tuple[Reading, ...]:
    return (
        Reading(
            "shopbell_writer_jobs_queued",
            "Transactions that wait for the writer.",
            lambda: database.queued,
        ),
        Reading(
            "shopbell_readers_busy",
            "Connections that read at this moment.",
            lambda: database.readers_busy,
        ),
        Reading("shopbell_readers", "Connections kept for reading.", lambda: READERS),
        Reading(
            "shopbell_database_outages_total",
            "Times that the database was away, full or locked for the writer.",
            lambda: database.stats.outages,
            counter=True,
        ),
    )


def _of_work(stats: Stats) -> Iterator[Metric]:
    yield _histogram(
        "shopbell_commit_jobs", "Transactions that shared a commit.", (), {(): stats.batch_jobs}
    )
    yield _histogram(
        "shopbell_commit_seconds",
        "From the first transaction of a commit until it is on disk.",
        (),
        {(): stats.commit_s},
    )
    yield _histogram(
        "shopbell_loop_lag_seconds",
        "How late the event loop wakes who asked to be woken; looked at twice a second.",
        (),
        {(): stats.lag_s},
    )
    yield _histogram(
        "shopbell_command_seconds",
        "From a command of a socket until its acknowledgement, of those that were granted.",
        ("namespace", "command"),
        {key: spans for key, spans in stats.commands.items() if spans.count},
    )
    yield _labelled(
        "shopbell_commands_refused_total",
        "Commands of sockets that were refused, by the code of the error.",
        ("namespace", "code"),
        stats.refusals,
        counter=True,
    )
    yield _labelled(
        "shopbell_http_requests_total",
        "HTTP requests by the pattern of the route.",
        ("method", "route", "status"),
        {(method, route, str(status)): n for (method, route, status), n in stats.requests.items()},
        counter=True,
    )
    yield _histogram(
        "shopbell_http_request_seconds",
        "Time to answer an HTTP request.",
        ("route",),
        {(route,): spans for route, spans in stats.routes.items()},
    )
    yield _labelled(
        "shopbell_incidents_total",
        "Bugs that somebody met; each has its stack in the log.",
        ("where",),
        {(where,): stats.incidents[where] for where in ("http", "socket")},
        counter=True,
    )


def _of_desk(desk: DeskNow | None, *, now_ms: int) -> Iterator[Metric]:
    """The desk, of which nothing is said while the database is away."""
    yield _labelled(
        "shopbell_database_up", "1 when the database answers.", (), {(): float(desk is not None)}
    )
    if desk is None:
        return
    yield _labelled(
        "shopbell_conversations",
        "Conversations that are not over; waiting and queued are among the open.",
        ("state",),
        {
            ("open",): desk.open,
            ("snoozed",): desk.snoozed,
            ("waiting",): desk.waiting,
            ("queued",): desk.queued,
        },
    )
    yield _labelled(
        "shopbell_oldest_wait_seconds",
        "Age of the oldest message without a reply; 0 when nobody waits.",
        (),
        {(): _age_s(desk.waiting_since_ms, now_ms)},
    )
    yield _labelled(
        "shopbell_oldest_queued_seconds",
        "How long the first of the queue has been in it; 0 when it is empty.",
        (),
        {(): _age_s(desk.queued_since_ms, now_ms)},
    )
    yield _labelled(
        "shopbell_agents",
        "People of the shop by the status they chose.",
        ("status",),
        {(status,): desk.agents.get(status, 0) for status in ("online", "busy", "away", "offline")},
    )


def _age_s(since_ms: int | None, now_ms: int) -> float:
    return 0.0 if since_ms is None else max(0, now_ms - since_ms) / 1000


def _read(reading: Reading) -> Metric:
    found = reading.read()
    if isinstance(found, Mapping):
        values = {(value,): number for value, number in found.items()}
        return _labelled(
            reading.name, reading.text, (reading.label,), values, counter=reading.counter
        )
    return _labelled(reading.name, reading.text, (), {(): found}, counter=reading.counter)


def _labelled(
    name: str,
    text: str,
    labels: Sequence[str],
    values: Mapping[Key, float],
    *,
    counter: bool = False,
) -> Metric:
    family: CounterMetricFamily | GaugeMetricFamily = (
        CounterMetricFamily(name, text, labels=labels)
        if counter
        else GaugeMetricFamily(name, text, labels=labels)
    )
    for key, number in list(values.items()):
        family.add_metric(key, number)
    return family


def _histogram(
    name: str, text: str, labels: Sequence[str], values: Mapping[Key, Histogram]
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels)
    for key, spans in list(values.items()):
        below = list(accumulate(spans.counts))
        bounds = [*(str(bound) for bound in spans.bounds), "+Inf"]
        family.add_metric(key, list(zip(bounds, below, strict=True)), spans.total)
    return family
