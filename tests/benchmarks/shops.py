"""The programs under load: a real Shopbell with pairs who talk, and the bare relay."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from server.actions import people, shop
from server.config import Settings
from server.domain.actors import SYSTEM
from server.storage.database import Database
from server.storage.migrate import migrate
from tests.benchmarks import relay
from tests.benchmarks.load import BODY, Pair, Peer, Refused, connect
from tests.support import processes
from tests.support.ports import HOST, free_port
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

AT_ONCE = 100
RETRY_S = 0.5
LIMIT_S = 60.0


@dataclass(slots=True)
class BenchShop:
    """A shop with one team per agent, so that a conversation is heard by its two parties only."""

    servers: list[ServerProcess]
    site: str
    tokens: list[str] = field(default_factory=list)
    team_ids: list[str] = field(default_factory=list)
    lead_token: str = ""

    @property
    def server(self) -> ServerProcess:
        """The first process."""
        return self.servers[0]


def make_shop(
    folder: Path,
    *,
    agents: int,
    database_url: str | None = None,
    processes_: int = 1,
    env: dict[str, str] | None = None,
) -> BenchShop:
    """A shop whose processes are prepared, not started."""
    settings = {"SHOPBELL_RATE_LIMITS": "off", "SHOPBELL_LOG_LEVEL": "warning"} | (env or {})
    servers = [
        ServerProcess(folder / f"data-{number}", database_url=database_url, env=settings)
        for number in range(processes_)
    ]
    data_dir = servers[0].data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(database_url, Settings(data_dir=data_dir).sqlite_path)
    try:
        migrate(database.engine)
        site = database.write_now(
            lambda tx: shop.init_shop(
                tx, name="Load", locale="en", timezone="Asia/Shanghai", currency="CNY"
            )
        )
        made = BenchShop(servers, site)
        for number in range(agents):
            team_id, token = _agent(database, number)
            made.team_ids.append(team_id)
            made.tokens.append(token)
        made.lead_token = database.write_now(
            lambda tx: people.create_token(tx, SYSTEM, name="lead", role="supervisor")
        )
    finally:
        database.close()
    return made


def _agent(database: Database, number: int) -> tuple[str, str]:
    team_id = database.write_now(lambda tx: people.add_team(tx, SYSTEM, name=f"team {number}"))
    agent_id = database.write_now(
        lambda tx: people.add_person(
            tx,
            SYSTEM,
            email=f"a{number}@load.example",
            name=f"Agent {number}",
            role="agent",
            password_hash=None,
            capacity=1,
            team_ids=[team_id],
        )
    )
    token = database.write_now(
        lambda tx: people.create_token(tx, SYSTEM, name="load", agent_id=agent_id)
    )
    return team_id, token


@asynccontextmanager
async def talking(made: BenchShop) -> AsyncIterator[list[Pair]]:
    """Pairs in the middle of a conversation; with two processes the parties sit in different ones.

    Every agent owns one conversation, in the agent's own team.
    """
    urls = [server.url for server in made.servers]
    async with sessions() as http:
        lead = await connect(http, urls[0], "/agent")
        await lead.join({"token": made.lead_token})
        pairs: list[Pair] = []
        for token, team_id in zip(made.tokens, made.team_ids, strict=True):
            shopper = await connect(http, urls[0], "/visitor")
            await shopper.join({"site": made.site})
            opened = await shopper.ask("message.post", {"client_id": "first", "body": BODY})
            shopper.conversation_id = opened["conversation_id"]
            target = {"conversation_id": shopper.conversation_id, "team_id": team_id}
            await lead.ask("conversation.transfer", target)
            agent = await connect(http, urls[-1], "/agent")
            await agent.join({"token": token})
            agent.conversation_id = shopper.conversation_id
            await agent.ask("presence.set", {"status": "online", "capacity": 1})
            pairs.append(Pair((shopper, agent)))
        await lead.close()
        for pair in pairs:
            # The agent's answer goes through whatever process found it the conversation.
            await pair.peers[1].ask("message.post", pair.message(pair.peers[1], "hello"))
        yield pairs
        await close_all([peer for pair in pairs for peer in pair.peers])


@contextmanager
def relay_process(folder: Path, kind: str) -> Iterator[tuple[str, int]]:
    """The address and process id of a running bare relay, ``plain`` or ``tuned``."""
    port = free_port()
    log = folder / "relay.log"
    child = processes.start(
        [sys.executable, "-m", relay.__name__, str(port), kind],
        log=log,
        cwd=processes.ROOT,
        env=processes.clean_environment(),
    )
    try:
        wait_until(lambda: "ready" in log.read_text(), what="the relay listens")
        yield f"http://{HOST}:{port}", child.pid
    finally:
        child.kill()
        child.wait()


@asynccontextmanager
async def relayed(url: str, count: int) -> AsyncIterator[list[Pair]]:
    """The same pairs, in rooms of the bare relay."""
    async with sessions() as http:
        pairs = []
        for number in range(count):
            peers = [await connect(http, url, relay.NAMESPACE) for _ in range(2)]
            for peer in peers:
                await peer.join({"room": str(number)}, welcome=False)
            pairs.append(Pair((peers[0], peers[1])))
        for pair in pairs:
            await pair.peers[0].ask("message.post", pair.message(pair.peers[0], "first"))
        yield pairs
        await close_all([peer for pair in pairs for peer in pair.peers])


@asynccontextmanager
async def shoppers(made: BenchShop, count: int) -> AsyncIterator[list[Peer]]:
    """Shoppers with an open widget, a hundred joining at a time."""
    async with sessions() as http:
        peers: list[Peer] = []
        for start in range(0, count, AT_ONCE):
            some = range(start, min(start + AT_ONCE, count))
            peers += await asyncio.gather(*(_shopper(http, made) for _ in some))
        yield peers
        await close_all(peers)


async def rejoin(http: aiohttp.ClientSession, made: BenchShop, before: Peer) -> Peer:
    """A shopper who is back, and has asked for what was missed; refused, it tries again."""
    auth = {"site": made.site, "visitor_token": before.welcome["visitor_token"]}
    while True:
        peer = await connect(http, made.server.url, "/visitor")
        try:
            await peer.join(auth)
            break
        except Refused:
            await peer.close()
            await asyncio.sleep(RETRY_S)
    heads = [c["conversation_seq"] for c in peer.welcome["conversations"]]
    assert len(heads) == 1, heads
    peer.conversation_id = peer.welcome["conversations"][0]["id"]
    target = {"conversation_id": peer.conversation_id, "after_seq": 0}
    missed = await peer.ask("conversation.catch_up", target)
    assert missed["complete"]
    assert missed["events"][-1]["conversation_seq"] >= heads[0]
    return peer


async def _shopper(http: aiohttp.ClientSession, made: BenchShop) -> Peer:
    peer = await connect(http, made.server.url, "/visitor")
    await peer.join({"site": made.site})
    return peer


async def close_all(peers: Sequence[Peer]) -> None:
    """Hangs up on behalf of all."""
    await asyncio.gather(*(peer.close() for peer in peers))


def sessions() -> aiohttp.ClientSession:
    """An HTTP client without a bound on its connections."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
    )
