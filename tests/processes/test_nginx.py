"""The nginx configuration of the docs, in front of two processes, over TLS."""

from __future__ import annotations

import itertools
import random
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from engineio.payload import Payload

from tests.kill.load import LONG, SEED, Load, judged
from tests.processes.several import Several, in_thread
from tests.realtime.client import Client, Refused
from tests.realtime.follower import Follower
from tests.support.nginx import Nginx
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until_async

ROUNDS = 4 if LONG else 2
MESSAGES = 3_000 if LONG else 150
# All of them come to one process once in 2 ** 40 times.
MOST_ADDRESSES = 40
PROXIED = {"SHOPBELL_TRUSTED_PROXIES": "1"}

pytestmark = [pytest.mark.kill, pytest.mark.timeout(600 if LONG else 400)]
Make = Callable[..., Several]
Record = Callable[[str, object], None]


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    """Starts nginx in front of a shop; ends it after the test."""
    started: list[Nginx] = []

    def start(shop: Several, **options: bool) -> Nginx:
        folder = tmp_path / f"nginx{len(started)}"
        folder.mkdir()
        started.append(Nginx(folder, [server.port for server in shop.servers], **options))
        started[-1].start()
        return started[-1]

    yield start
    for nginx in started:
        nginx.stop()


class Homes:
    """Addresses of clients, all of this machine; their lines are closed at the end."""

    def __init__(self, nginx: Nginx) -> None:
        self._tls = ssl.create_default_context(cafile=nginx.folder / "pem")
        self._sessions: list[aiohttp.ClientSession] = []
        self._lines: list[socket.socket] = []
        self._addresses = (f"127.0.0.{number}" for number in itertools.count(2))

    def address(self) -> str:
        """The next address."""
        return next(self._addresses)

    def session(self, address: str | None = None) -> aiohttp.ClientSession:
        """A session that trusts the certificate, from this address or the next."""
        home = (address or self.address(), 0)
        connector = aiohttp.TCPConnector(ssl=self._tls, local_addr=home, socket_factory=self._line)
        self._sessions.append(aiohttp.ClientSession(connector=connector))
        return self._sessions[-1]

    def _line(self, address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        self._lines.append(socket.socket(family, kind, protocol))
        self._lines[-1].setblocking(False)
        return self._lines[-1]

    async def close(self) -> None:
        """Ends all sessions, and waits until their lines are closed."""
        for session in self._sessions:
            await session.close()
        # A line with TLS says goodbye to the other side before it is closed.
        await wait_until_async(
            lambda: all(line.fileno() == -1 for line in self._lines), 40, "the lines to be closed"
        )


@pytest.fixture(autouse=True)
def no_limit_of_the_python_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers take as many packets from one poll as there are; Python's client no more than 16."""
    monkeypatch.setattr(Payload, "max_decode_packets", 10_000)


@pytest_asyncio.fixture
async def shop_behind(
    several: Make, own_redis: RedisServer, proxied: Callable[..., Nginx]
) -> AsyncIterator[tuple[Several, Nginx, Homes]]:
    """Two processes behind nginx, and addresses to come from."""
    shop = several(processes=2, redis_url=own_redis.url, env=PROXIED)
    nginx = proxied(shop)
    homes = Homes(nginx)
    yield shop, nginx, homes
    await homes.close()


def follower(shop: Several, nginx: Nginx, homes: Homes, name: str, transport: str) -> Follower:
    """Somebody at an address of their own, who comes over one transport: shopper, or staff."""
    staff = shop.desk.people.get(name)
    address = homes.address()

    def make() -> Client:
        auth = {"site": shop.desk.site} if staff is None else {"token": staff.token}
        client = Client(nginx.url, "/visitor" if staff is None else "/agent", auth)
        client.transports = [transport]
        client.options = {"http_session": homes.session(address)}
        return client

    return Follower(name, make)


async def test_a_chat_over_both_transports_survives_the_death_of_either_process(
    shop_behind: tuple[Several, Nginx, Homes], record_property: Record
) -> None:
    shop, nginx, homes = shop_behind
    shoppers = [
        follower(shop, nginx, homes, f"{transport} {n}", transport)
        for transport in ("websocket", "polling")
        for n in range(3)
    ]
    staff = [
        follower(shop, nginx, homes, name, transport)
        for name, transport in (("ana", "websocket"), ("ida", "websocket"), ("mei", "polling"))
    ]
    load = Load(shoppers, staff, random.Random(SEED))
    load.start()
    kills = 0
    try:
        await load.under_way()
        while kills < ROUNDS or load.acknowledged < MESSAGES:
            server = shop.servers[kills % 2]
            before = sum(f.connects for f in load.all)
            server.kill()
            kills += 1
            # Those who were there are with the other process now, through the same proxy.
            await load.grows(lambda n=before: sum(f.connects for f in load.all) > n, "others")  # type: ignore[misc]  # bound default
            await load.grows(lambda: all(f.url for f in load.all), "all back")
            await load.more(30)
            await in_thread(server.start)
            await load.more(30)
    except BaseException:
        await load.stop()
        print(nginx.errors)
        raise
    found = await judged(
        load,
        shop.servers,
        site=shop.desk.site,
        token=shop.token,
        record=record_property,
        also={"kills": kills},
    )
    assert found == []
    nginx.stop()
    # Without a port: nobody was there to pass it on to.
    passed = [p for p in nginx.passed() if p.ports]
    ports = {server.port for server in shop.servers}
    assert {p.ports[-1] for p in passed if p.transport == "websocket"} == ports
    assert {p.ports[-1] for p in passed if p.transport == "polling"} == ports
    # No session was ever answered by two processes.
    sessions: dict[str, set[int]] = {}
    for p in passed:
        if p.sid != "-" and p.status == 200:
            sessions.setdefault(p.sid, set()).add(p.ports[-1])
    assert len(sessions) >= 4
    assert all(len(where) == 1 for where in sessions.values())


async def test_an_upgrade_from_polling_finds_the_process_of_its_session(
    shop_behind: tuple[Several, Nginx, Homes],
) -> None:
    shop, nginx, homes = shop_behind
    ports = {server.port for server in shop.servers}
    shoppers: list[Client] = []

    def met() -> set[int]:
        return {p.ports[-1] for p in nginx.passed() if p.transport == "polling"}

    # From one address after the other, until some have come to either process.
    while met() != ports and len(shoppers) < MOST_ADDRESSES:
        client = Client(nginx.url, "/visitor", {"site": shop.desk.site})
        client.transports = ["polling", "websocket"]
        client.options = {"http_session": homes.session()}
        shoppers.append(await client.connect())
        assert client._socket is not None
        await wait_until_async(lambda c=client: c._socket.transport() == "websocket")  # type: ignore[misc]  # bound default
        await client.post("after the upgrade")
    for client in shoppers:
        await client.close()
    nginx.stop()
    upgraded = [p for p in nginx.passed() if p.transport == "websocket"]
    assert len(upgraded) == len(shoppers)
    assert {p.status for p in upgraded} == {101}
    assert {p.ports[-1] for p in upgraded} == ports


async def test_pages_come_over_tls_with_secure_cookies_and_figures_stay_inside(
    shop_behind: tuple[Several, Nginx, Homes],
) -> None:
    _, nginx, homes = shop_behind
    http = homes.session()
    async with http.get(f"{nginx.url}/sign-in") as page:
        assert page.status == 200
        assert "Strict-Transport-Security" in page.headers
        cookies = page.headers.getall("Set-Cookie")
        assert cookies
        assert all("secure" in cookie.lower() for cookie in cookies)
    async with http.get(f"{nginx.url}/metrics") as figures:
        assert figures.status == 404
    plain = f"http://127.0.0.1:{nginx.plain_port}/console"
    async with http.get(plain, allow_redirects=False) as answer:
        assert answer.status == 301
        assert answer.headers["Location"] == "https://127.0.0.1/console"


async def test_websocket_only_refuses_polling_and_nothing_else(
    several: Make, own_redis: RedisServer, proxied: Callable[..., Nginx]
) -> None:
    shop = several(processes=2, redis_url=own_redis.url, env=PROXIED)
    nginx = proxied(shop, websocket_only=True)
    homes = Homes(nginx)
    poller = Client(nginx.url, "/visitor", {"site": shop.desk.site})
    poller.transports = ["polling"]
    poller.options = {"http_session": homes.session()}
    with pytest.raises(Refused):
        await poller.connect()
    shopper = Client(nginx.url, "/visitor", {"site": shop.desk.site})
    shopper.options = {"http_session": homes.session()}
    await shopper.connect()
    await shopper.post("by websocket")
    await shopper.hears("by websocket")
    await shopper.close()
    await homes.close()
