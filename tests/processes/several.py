"""Several serving processes on one PostgreSQL, and clients that are at home in none of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # Any: JSON values

from tests.kill.load import Load
from tests.realtime.client import Client
from tests.realtime.desk import UNLIMITED, Desk, make_desk
from tests.realtime.follower import Follower
from tests.support.postgres import PostgresCluster
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until_async

Json = dict[str, Any]  # Any: JSON values
# Who sees everything: a supervisor, an admin, and an agent where no conversation has a team.
STAFF = ("ana", "ida", "mei")


@dataclass(slots=True)
class Several:
    """One shop, served by several processes. ``redis`` says whether they wake each other by it."""

    desk: Desk
    servers: list[ServerProcess]
    cluster: PostgresCluster
    redis: bool

    @property
    def token(self) -> str:
        """The token of a person who sees everything."""
        return self.desk.people["ana"].token

    def start(self) -> None:
        """Starts all processes at the same time and waits until they are ready."""
        for server in self.servers:
            server.launch()
        for server in self.servers:
            server.wait_ready()

    def kill(self) -> None:
        """Ends all processes that still run."""
        for server in self.servers:
            if server.running:
                server.kill()

    def shopper(self, name: str, url: Callable[[], str], **how: Any) -> Follower:
        """A shopper who connects to the process that ``url`` names, each time anew."""
        return Follower(name, lambda: Client(url(), "/visitor", {"site": self.desk.site}), **how)

    def agent(self, who: str, url: Callable[[], str], **how: Any) -> Follower:
        """A person of the shop, as ``shopper``."""
        token = self.desk.people[who].token
        return Follower(who, lambda: Client(url(), "/agent", {"token": token}), **how)

    def load(
        self, chance: random.Random, *, shoppers: int = 5, window: int = 4, **how: Any
    ) -> Load:  # Any: handed on to the followers
        """Shoppers and staff who connect to any process, and to any other when they lose it."""
        homes = random.Random(chance.random())

        def anywhere() -> str:
            return homes.choice(self.servers).url

        return Load(
            [self.shopper(f"shopper {n}", anywhere, window=window, **how) for n in range(shoppers)],
            [self.agent(who, anywhere, window=min(window, 2), **how) for who in STAFF],
            chance,
        )


def make_several(
    folder: Path,
    url: str,
    cluster: PostgresCluster,
    *,
    processes: int,
    redis_url: str | None = None,
    env: dict[str, str] | None = None,
    last_redis_url: str | None = None,
    last_database_port: int | None = None,
) -> Several:
    """A shop on a migrated database, its processes prepared but not started.

    The last process may reach Redis and the database by ways of its own.
    """
    settings = UNLIMITED | (env or {})
    if redis_url is not None:
        settings["SHOPBELL_REDIS_URL"] = redis_url
    desk = make_desk(folder / "data", url, env=settings)
    more = [
        ServerProcess(desk.server.data_dir, database_url=url, env=settings)
        for _ in range(processes - 1)
    ]
    last = more[-1] if more else desk.server
    if last_redis_url is not None:
        last.env["SHOPBELL_REDIS_URL"] = last_redis_url
    if last_database_port is not None:
        last.database_url = url.replace(f":{cluster.port}/", f":{last_database_port}/")
    return Several(desk, [desk.server, *more], cluster, redis_url is not None)


async def in_thread(*steps: Callable[[], object]) -> None:
    """Runs blocking steps beside the load, one after the other."""
    for step in steps:
        await asyncio.to_thread(step)


async def all_in_use(load: Load, servers: Sequence[ServerProcess]) -> None:
    """Waits until every process has somebody connected to it, moving people about until then."""

    async def spread() -> bool:
        here = {follower.url for follower in load.all}
        if {server.url for server in servers} <= here:
            return True
        if None in here:
            # One at a time: else nobody would be let in as fast as others are sent away.
            return False
        await load.chance.choice(load.all).drop()
        return False

    await wait_until_async(spread, what="somebody in every process")
