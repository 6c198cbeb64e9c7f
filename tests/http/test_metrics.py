"""What programs of an operator may read: true figures, without people, not for everybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from server import __version__
from server.actions.messages import PostMessage, post_message
from server.actions.visitors import Connect, connect
from server.dispatch import run
from server.domain.actors import Actor
from server.domain.errors import Unavailable
from server.http.metrics import KEEP_DESK_S, _is_near
from server.stats import Histogram, Reading, Stats
from server.storage.gauges import desk_now
from server.storage.migrate import head
from server.storage.shop import load_shop
from tests.docs.pages import section, text
from tests.http.desk import Desk, Open, Visitor, served

TOKEN = "a-token-for-the-figures"
# What of this does not ask the database does not depend on its kind.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def _figures(visitor: Visitor, **options: Any) -> dict[tuple[str, ...], float]:
    """{(name, label values...): number} of the page."""
    answer = await visitor.get("/metrics", **options)
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@ON_SQLITE
async def test_a_program_on_this_machine_reads_the_figures(desk: Desk) -> None:
    found = await _figures(desk.visitor())
    assert found["shopbell_build_info", head(), __version__] == 1
    assert found["shopbell_database_up",] == 1
    assert found["shopbell_readers",] > 0
    assert found["shopbell_commit_seconds_count",] > 0
    assert found["shopbell_commit_jobs_sum",] >= found["shopbell_commit_jobs_count",]
    assert found["process_resident_memory_bytes",] > 1_000_000


async def test_the_desk_is_counted_from_the_database(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.http.metrics.KEEP_DESK_S", 0)
    found = await _figures(desk.visitor())
    assert found["shopbell_agents", "offline"] == 3
    assert found["shopbell_conversations", "open"] == 0
    assert found["shopbell_oldest_wait_seconds",] == 0
    shop = desk.database.read_now(load_shop)
    assert shop is not None
    shoppers = [
        desk.database.write_now(lambda tx: connect(tx, Connect(site=shop.site_key)))["customer_id"]
        for _ in range(2)
    ]
    for shopper in shoppers:
        payload = PostMessage(client_id="first", body="Hello?")
        await run(desk.database, post_message, Actor("customer", shopper), payload)
    desk.time.now += 90
    # On PostgreSQL its clock counts, which no test moves.
    waited_s = 90.0 if desk.database.is_sqlite else 0.0
    found = await _figures(desk.visitor())
    for state in ("open", "waiting", "queued"):
        assert found["shopbell_conversations", state] == 2, state
    assert found["shopbell_conversations", "snoozed"] == 0
    for figure in ("shopbell_oldest_wait_seconds", "shopbell_oldest_queued_seconds"):
        assert found[figure,] >= waited_s


@ON_SQLITE
@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Proto"]
)
async def test_who_comes_through_a_proxy_reads_nothing(desk: Desk, header: str) -> None:
    answer = await desk.visitor().get("/metrics", headers={header: "127.0.0.1"})
    assert answer.status == 403
    assert '"code":"not_allowed"' in answer.text
    assert "shopbell_" not in answer.text


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.1.2.3", True),
        ("172.18.0.5", True),
        ("192.168.7.7", True),
        ("fd00::7", True),
        ("fe80::1%eth0", True),
        ("8.8.8.8", False),
        ("::ffff:8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("100.64.0.1", False),
        ("shop.example", False),
        ("", False),
        (None, False),
    ],
)
def test_near_is_this_machine_and_private_networks(address: str | None, near: bool) -> None:
    assert _is_near(address) is near


@ON_SQLITE
async def test_with_a_token_only_who_shows_it_reads(open_database: Open, data_dir: Path) -> None:
    async with served(open_database, data_dir, metrics_token=TOKEN) as desk:
        visitor = desk.visitor()
        shown = {"Authorization": f"Bearer {TOKEN}"}
        assert await _figures(visitor, headers=shown)
        assert await _figures(visitor, headers=shown | {"X-Forwarded-For": "8.8.8.8"})
        for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer ü"}):
            assert (await visitor.get("/metrics", headers=wrong)).status == 403
        assert (await visitor.get(f"/metrics?token={TOKEN}")).status == 403


@ON_SQLITE
async def test_labels_are_of_the_code_and_never_of_the_client(desk: Desk) -> None:
    visitor = desk.visitor()
    for path in ("/no/such/page", "/no/such/page2", "/static/1234/css/base.css?who=ann"):
        await visitor.get(path)
    await visitor.ask("PROPFIND", "/console")
    await visitor.sign_in("ann@shop.example", "wrong wrong wrong")
    desk.database.stats.expect("/visitor", ["message.post"])
    desk.database.stats.answered("/visitor", "invented.command", took_s=1)
    desk.database.stats.answered("/visitor", ["message.post"], took_s=1)
    page = (await visitor.get("/metrics")).text
    for word in ("no/such", "who=", "ann@", "1234", "PROPFIND", "invented"):
        assert word not in page
    found = await _figures(visitor)
    assert found["shopbell_http_requests_total", "GET", "unknown", "404"] == 2
    assert found["shopbell_http_requests_total", "POST", "/sign-in", "401"] == 1
    assert any(key[:2] == ("shopbell_http_requests_total", "other") for key in found)
    assert not any(key[0].startswith("shopbell_command_seconds") for key in found)


async def test_while_the_database_is_away_the_figures_of_the_process_are_there(
    desk: Desk,
) -> None:
    def away(query: object) -> Any:
        raise Unavailable("The database is away.")

    desk.database.read_now = away  # type: ignore[method-assign]  # an outage of this test's own
    found = await _figures(desk.visitor())
    assert found["shopbell_database_up",] == 0
    assert ("shopbell_oldest_wait_seconds",) not in found
    assert ("shopbell_writer_jobs_queued",) in found


@ON_SQLITE
async def test_a_bug_is_counted_and_its_request_line_names_its_incident(
    open_database: Open, data_dir: Path
) -> None:
    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("planted")

    def add(app: web.Application) -> None:
        app.router.add_get("/broken", broken)

    async with served(open_database, data_dir, add=add) as desk:
        with capture_logs() as lines:
            answer = await desk.visitor().get("/broken", headers={"Accept": "*/*"})
        found = await _figures(desk.visitor())
    assert found["shopbell_incidents_total", "http"] == 1
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["route"], line["status"]) == ("/broken", 500)
    assert line["incident"] in answer.text


@ON_SQLITE
async def test_the_database_is_asked_once_however_many_look(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    read_now = desk.database.read_now

    def counted(query: Any) -> Any:
        asked.append(query)
        return read_now(query)

    desk.database.read_now = counted  # type: ignore[method-assign]  # counts, and passes on
    await _figures(desk.visitor())
    assert KEEP_DESK_S > 1
    # However long the others take to come.
    monkeypatch.setattr("server.http.metrics.KEEP_DESK_S", 1e9)
    for _ in range(2):
        await _figures(desk.visitor())
    # The articles are looked for in between, too.
    assert asked.count(desk_now) == 1


def test_a_histogram_counts_what_equals_a_bound_below_it() -> None:
    spans = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 9.0):
        spans.add(value)
    assert (spans.counts, spans.count, spans.total) == ([2, 2, 1], 5, 14.0)


@ON_SQLITE
async def test_every_figure_is_described_for_operators(desk: Desk) -> None:
    stats: Stats = desk.database.stats
    stats.expect("/visitor", ["message.post"])
    stats.answered("/visitor", "message.post", took_s=0.01)
    stats.refused("/visitor", "too_many")
    stats.show(Reading("shopbell_test_reading", "For this test.", lambda: 1.0))
    await desk.visitor().get("/healthz")
    page = (await desk.visitor().get("/metrics")).text
    names = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE shopbell_")}
    described = section(text("docs/operations.md"), "### Figures")
    assert {name for name in names if f"`{name}`" not in described} == {"shopbell_test_reading"}
