"""Filling the demo shop on its first start, and keeping it alive while it runs."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import orjson
from aiohttp import web

from server.actions import people as people_actions
from server.actions import shop as shop_actions
from server.actions.imports import import_events
from server.actions.sign_in import hash_password
from server.app import Running, serve
from server.config import Settings
from server.demo import (
    DEMO_PASSWORD,
    DEMO_PEOPLE,
    DEMO_SHOP,
    DEMO_TEAMS,
    demo_customers,
    history,
)
from server.demo.colleagues import run_colleagues
from server.demo.handover import hand_over
from server.demo.orders import demo_source
from server.demo.people import DemoPerson
from server.demo.replies import write_replies
from server.demo.requests import write_wishes
from server.demo.reviews import write_reviews
from server.demo.shop_system import ShopSystem
from server.demo.shoppers import run_shoppers
from server.demo.storefront import storefront_app
from server.demo.words import Words
from server.domain.actors import SYSTEM
from server.domain.errors import Conflict, NotFound
from server.domain.spans import DAY_MS
from server.importers.article_files import import_articles
from server.jobs.figures import keep_figures_now
from server.storage import customers
from server.storage.database import Database
from server.storage.people import credentials
from server.storage.shop import load_shop
from server.storage.unit import Tx

Say = Callable[[str], None]
# Whom visitors of the demo sign in as; the others are played while there is traffic.
FOR_PEOPLE = ("chen.hao@mori-oak.example", "wang.min@mori-oak.example", "admin@mori-oak.example")
PROGRESS_ROWS = 5000
ARTICLES = Path(__file__).with_name("articles.jsonl")


def both(words: Words) -> str:
    """A name as a bilingual shop writes it: both, or the one that there is.

    >>> both(Words("Chen Hao", "陈皓"))
    'Chen Hao 陈皓'
    """
    return words.en if words.en == words.zh else f"{words.en} {words.zh}"


def prepare(database: Database, *, shop_url: str, say: Say) -> None:
    """Creates shop, people, shoppers and their past, unless this database has a shop already."""
    if database.read_now(load_shop) is not None:
        return
    say("Creating the demo shop Mori & Oak 木与森 ...")
    hashed = hash_password(DEMO_PASSWORD)
    database.write_now(lambda tx: _create(tx, hashed))
    teams = database.write_now(_create_teams)
    database.write_now(lambda tx: _fill_teams(tx, teams))
    now_at_ms = database.clock()
    database.write_now(lambda tx: _create_customers(tx, now_at_ms))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.ndjson"
        with path.open("wb") as file:
            for row in history(now_at_ms=now_at_ms, shop_url=shop_url):
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        told = 0

        def progress(done: int, total: int) -> None:
            nonlocal told
            if done == total or done - told >= PROGRESS_ROWS:
                told = done
                say(f"  {done} of {total} events of the past 90 days")

        outcome = import_events(database, path, progress=progress)
    if outcome.rejected:
        raise Conflict(f"The demo's history was refused: {outcome.rejected[0].reason}")
    database.write_now(hand_over)
    say("  the answers of the knowledge base")
    import_articles(database, ARTICLES, source="demo")
    database.write_now(write_replies)
    say("  the orders of the past years")
    demo_source(database, now_at_ms=now_at_ms, shop_url=shop_url)
    say("  what shoppers have left")
    write_wishes(database, answered_by=FOR_PEOPLE[0])
    say("  the figures of it all")
    keep_figures_now(database)
    say("  the reviews of some chats")
    write_reviews(database, now_at_ms=now_at_ms)


def _create(tx: Tx, password_hash: str) -> None:
    shop_actions.init_shop(
        tx,
        SYSTEM,
        name=both(DEMO_SHOP.name),
        locale="en",
        timezone=DEMO_SHOP.timezone,
        currency=DEMO_SHOP.currency,
    )
    for person in DEMO_PEOPLE:
        people_actions.add_person(
            tx,
            SYSTEM,
            email=person.email,
            name=both(person.name),
            role=person.role,
            password_hash=password_hash,
            languages=person.speaks,
            capacity=person.capacity,
        )


def _create_teams(tx: Tx) -> dict[str, str]:
    return {
        team.key: people_actions.add_team(tx, SYSTEM, name=team.name.en, name_zh=team.name.zh)
        for team in DEMO_TEAMS
    }


def _fill_teams(tx: Tx, teams: dict[str, str]) -> None:
    for key, team_id in teams.items():
        members = [_agent_id(tx, person) for person in DEMO_PEOPLE if key in person.teams]
        people_actions.set_members(tx, SYSTEM, team_id, members)


def _agent_id(tx: Tx, person: DemoPerson) -> str:
    found = credentials(tx.connection, person.email)
    if found is None:
        raise NotFound(f"{person.email} is not there.")
    return found.agent_id


def _create_customers(tx: Tx, now_at_ms: int) -> None:
    for number, shopper in enumerate(demo_customers()):
        since_at_ms = now_at_ms - (91 + number * 37 % 800) * DAY_MS
        customers.add_customer(
            tx,
            customers.Customer(
                id=tx.new_id(),
                external_id=shopper.customer_id,
                name=shopper.name,
                email=shopper.email,
                phone=None,
                locale=shopper.locale,
                identity="claimed" if shopper.name else "anonymous",
                created_at_ms=since_at_ms,
                seen_at_ms=since_at_ms,
            ),
        )


async def run_demo(
    settings: Settings, database: Database, *, host: str, port: int, traffic: bool, say: Say
) -> None:
    """Serves the desk on ``port`` and the storefront on the next one, until told to stop."""
    shop = database.read_now(load_shop)
    if shop is None:
        raise NotFound("The demo shop is not there.")
    site_key = shop.site_key
    source = demo_source(database, now_at_ms=database.clock())
    identity_secret = shop.identity_secret or database.write_now(
        lambda tx: shop_actions.rotate_identity_secret(tx, SYSTEM)
    )
    local = host in ("127.0.0.1", "localhost", "::1")
    pages = [f"http://{name}:{port + 1}" for name in ("127.0.0.1", "localhost")] if local else []
    database.write_now(lambda tx: shop_actions.set_site(tx, SYSTEM, origins=pages))

    async def storefront(request: web.Request) -> web.Response:
        name = (request.host or host).rsplit(":", 1)[0]
        raise web.HTTPFound(f"http://{name}:{port + 1}/")

    def add_routes(app: web.Application) -> None:
        for path in ("/demo", "/demo/"):
            app.router.add_get(path, storefront)

    async def beside(server: Running) -> None:
        desk = server.url
        system = ShopSystem(
            desk_url=desk,
            site_key=site_key,
            secret=str(source.secret),
            identity_secret=identity_secret,
            clock=database.clock,
        )
        app = storefront_app(desk_url=desk, site_key=site_key, system=system)
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port + 1, reuse_address=True).start()
            except OSError as error:
                raise Conflict(
                    f"Port {port + 1} is needed for the storefront ({error.strerror})."
                    " Choose another --port."
                ) from None
            _announce(say, desk, f"{desk.rsplit(':', 1)[0]}:{port + 1}/")
            say(f"ready {desk}")
            if traffic:
                await _play(
                    database, server, site_key, f"{desk.rsplit(':', 1)[0]}:{port + 1}", system
                )
            else:
                await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def announce(_: Running) -> None:
        """The demo is ready once its storefront is, so it says so itself."""

    await serve(
        settings,
        database,
        host=host,
        port=port,
        announce=announce,
        companion=beside,
        more_routes=add_routes,
    )


async def _play(
    database: Database, server: Running, site_key: str, shop_url: str, system: ShopSystem
) -> None:
    """Simulated shoppers, the shop's own system, and colleagues that no visitor signs in as."""
    played = [p for p in DEMO_PEOPLE if p.role == "agent" and p.email not in FOR_PEOPLE]

    def make_tokens(tx: Tx) -> list[str]:
        return [
            people_actions.create_token(
                tx, SYSTEM, name="demo", agent_id=_agent_id(tx, person), days=7
            )
            for person in played
        ]

    tokens = await database.write(make_tokens)
    seed = database.clock()
    async with asyncio.TaskGroup() as group:
        stop = asyncio.Event()
        group.create_task(
            run_shoppers(url=server.url, site_key=site_key, stop=stop, seed=seed, shop_url=shop_url)
        )
        group.create_task(system.run())
        group.create_task(run_colleagues(url=server.url, tokens=tokens, stop=stop, seed=seed))


def _announce(say: Say, desk: str, storefront: str) -> None:
    say("")
    say(f"  Storefront with the chat widget   {storefront}")
    say(f"  Agent console                     {desk}/console")
    say(f"  Reports                           {desk}/reports")
    say("")
    say(f"  Sign in with the password {DEMO_PASSWORD} as")
    for person in DEMO_PEOPLE:
        if person.email in FOR_PEOPLE:
            say(f"    {person.role:<11} {person.email}")
    say("")
