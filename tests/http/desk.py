"""A real server of the HTTP edge alone, a clock that tests move, browsers without a screen."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any  # Any: handed on to aiohttp

import aiohttp
from aiohttp import web
from yarl import URL

from server.actions.people import add_person, add_team
from server.actions.shop import init_shop
from server.actions.sign_in import hash_password
from server.channels.remote_pictures import Limits, RemotePictures
from server.config import Settings
from server.domain.actors import SYSTEM
from server.files.desk import FileDesk
from server.files.scanner import Scanner
from server.files.store import Store
from server.http import keys
from server.http.connections import Runner
from server.http.routes import MAX_BODY_BYTES, MIDDLEWARES, add_routes
from server.importers.article_files import read_uploads
from server.knowledge.keeper import Knowledge
from server.storage.database import Clock, Database

PASSWORD = "correct horse battery"
ROLES = ("agent", "supervisor", "admin")
# Hashing takes 66 ms, so everybody has the same password and hash.
HASH = hash_password(PASSWORD)
START_S = 1_795_147_200.0
HTML = {"Accept": "text/html,application/xhtml+xml"}


Open = Callable[..., Database]


class Time:
    """Seconds since 1970 that stand still until a test moves them.

    They begin at a noon in Shanghai: no test crosses the end of a day because it ran at night, and
    none ends well only until the day that its story tells of has come.
    """

    def __init__(self) -> None:
        self.now = START_S

    def __call__(self) -> float:
        return self.now


class Visitor:
    """One browser without a screen: cookies of its own, forms with their hidden fields."""

    def __init__(self, url: str, **options: Any) -> None:  # Any: handed on
        self.url = URL(url)
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), **options)

    async def ask(self, method: str, path: str, **options: Any) -> Answer:  # Any: handed on
        """An answer without following redirects."""
        headers = HTML | options.pop("headers", {})
        target = URL(f"{self.url}{path}" if path.startswith("/") else path, encoded=True)
        async with self.session.request(
            method, target, headers=headers, allow_redirects=False, **options
        ) as response:
            return Answer(response.status, response.headers.copy(), await response.read())

    async def get(self, path: str, **options: Any) -> Answer:  # Any: handed on
        return await self.ask("GET", path, **options)

    async def csrf(self, path: str = "/sign-in") -> str:
        """The hidden field of a page's first form."""
        found = re.search(r'name="csrf" value="([^"]+)"', (await self.get(path)).text)
        assert found is not None, f"no form on {path}"
        return found[1]

    async def post(
        self, path: str, values: Any = (), *, page: str | None = None, **options: Any
    ) -> Answer:  # Any: handed on
        """Fills in a page's form and sends it."""
        fields = [("csrf", await self.csrf(page or path))]
        fields += list(values.items()) if isinstance(values, dict) else list(values)
        return await self.ask("POST", path, data=fields, **options)

    async def sign_in(self, email: str, password: str = PASSWORD, **options: Any) -> Answer:
        return await self.post(
            "/sign-in", {"email": email, "password": password} | options.pop("more", {}), **options
        )

    def cookie(self, name: str = "sid") -> str | None:
        found = {c.key: c.value for c in self.session.cookie_jar}
        return found.get(name)


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return str(self.headers["Location"])

    @property
    def set_cookies(self) -> dict[str, str]:
        found = self.headers.getall("Set-Cookie", [])
        return {line.split("=", 1)[0]: line for line in found}


class Desk:
    """The server and what it stands on."""

    def __init__(self, url: str, app: web.Application, database: Database, clock: Time) -> None:
        self.url = url
        self.app = app
        self.database = database
        self.time = clock
        self.people: dict[str, str] = {}
        self._visitors: list[Visitor] = []

    def visitor(self, **options: Any) -> Visitor:  # Any: handed on
        self._visitors.append(Visitor(self.url, **options))
        return self._visitors[-1]

    async def signed_in(self, role: str) -> Visitor:
        visitor = self.visitor()
        assert (await visitor.sign_in(f"{role}@shop.example")).status == 303
        return visitor

    async def write(self, action: Callable[..., Any], *args: Any, **values: Any) -> Any:
        return await self.database.write(lambda tx: action(tx, SYSTEM, *args, **values))

    async def set_up(self) -> None:
        """A shop with one person of each role and a team."""
        await self.write(
            init_shop, name="Mori & Oak", locale="en", timezone="Asia/Shanghai", currency="CNY"
        )
        team = await self.write(add_team, name="Orders", name_zh="订单组")
        self.people["team"] = team
        for role in ROLES:
            self.people[role] = await self.write(
                add_person,
                email=f"{role}@shop.example",
                name=f"{role.title()} Young",
                role=role,
                password_hash=HASH,
                team_ids=[team],
            )

    def paths(self, method: str | None = None, part: str | None = None) -> list[tuple[str, str]]:
        """Every route's method and path, its variables filled in with ``part``."""
        found = []
        for route in self.app.router.routes():
            if route.resource is None or method not in (None, route.method):
                continue
            path = route.resource.canonical.replace("{id}", part or self.people["agent"])
            found.append((route.method, re.sub(r"\{\w+\}", part or "1", path)))
        return found

    async def close(self) -> None:
        for visitor in self._visitors:
            await visitor.session.close()


@asynccontextmanager
async def served(
    open_database: Callable[..., Database],
    folder: Path,
    *,
    add: Callable[[web.Application], None] | None = None,
    **settings: Any,
) -> AsyncIterator[Desk]:  # Any: fields of Settings
    """The HTTP edge on a free port, with a database of its own; ``add`` adds routes for a test."""
    clock = Time()
    database = open_database(clock=Clock(clock))
    app = web.Application(middlewares=MIDDLEWARES, client_max_size=MAX_BODY_BYTES)
    app[keys.DATABASE] = database
    app[keys.SETTINGS] = Settings(data_dir=folder, **settings)
    app[keys.KNOWLEDGE] = knowledge = Knowledge(database, semantic=False)
    app[keys.READ_ARTICLES] = read_uploads
    store = Store((folder / "files").absolute(), young_s=0.0)
    scanner = settings.get("scanner")
    app[keys.FILES] = FileDesk(database, store, scanner=Scanner(scanner) if scanner else None)
    app[keys.FETCH_PICTURE] = RemotePictures(store, inside=True, limits=Limits(limit_s=120.0)).fetch
    following = asyncio.create_task(knowledge.run())
    add_routes(app)
    if add is not None:
        add(app)
    runner = Runner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    desk = Desk(f"http://127.0.0.1:{port}", app, database, clock)
    try:
        yield desk
    finally:
        following.cancel()
        await desk.close()
        await runner.cleanup()
