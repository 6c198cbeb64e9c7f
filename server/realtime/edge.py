"""The sockets of shoppers and agents: who they are and what they may send."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any  # Any: JSON values and python-socketio

import structlog
from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as Refused

from server.actions import consents, desk, presence, ticket_lists, visitors
from server.actions.payload import Payload, parse
from server.bus import Bus
from server.config import Settings
from server.dispatch import ask, run
from server.domain.actors import Actor
from server.domain.errors import (
    AppError,
    InvalidInput,
    NotAllowed,
    NotSignedIn,
    TooMany,
    Unavailable,
)
from server.knowledge.keeper import Knowledge
from server.news.news import News
from server.realtime import wire
from server.realtime.arrivals import Arrivals
from server.realtime.clients import Client, Clients, Json
from server.realtime.desk_notices import DeskNotices
from server.realtime.engine import Engine, same_origin
from server.realtime.limits import AGENT_RATES, VISITOR_RATES, Addresses, Paces, Rate
from server.realtime.open_cards import TELL_EVERY_S, OpenCards
from server.realtime.roll import Roll
from server.realtime.rooms import (
    AGENT,
    VISITOR,
    IndexedManager,
    rooms_of,
)
from server.realtime.signals import Signals
from server.realtime.telling import LOOK_UP_NAMES_S, Teller
from server.realtime.watches import Watches
from server.realtime.wire import Command
from server.storage import cards, customers, people, sign_ins, tokens, views
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.shop import load_shop

log = structlog.stdlib.get_logger("shopbell.realtime")

# What was changed elsewhere counts within 2 s.
LOAD_ORIGINS_S = 1.8
# How often dead processes are looked for, and for how long names of others' signals are kept.
TAKE_OVER_S = 5.0
FORGET_NAMES_S = 60.0
DRAIN_SPREAD_MS = 5000
DRAIN_SLICE = 200
# How long draining waits for the answers of commands that have begun.
FINISH_S = 5.0
# How long it waits for the websockets to end once they have been closed.
HANG_UP_S = 2.0
# Over https the prefixed one, see server/http/sessions.py.
COOKIE_NAMES = ("__Host-sid", "sid")


class Edge:
    """Owner of the Socket.IO server and of what this process knows about its sockets.

    Nothing here matters for what is true: it may be lost at any moment and is built up again by the
    clients that reconnect.
    """

    def __init__(
        self, database: Database, bus: Bus, settings: Settings, news: News, knowledge: Knowledge
    ) -> None:
        self.database = database
        self.knowledge = knowledge
        self.bus = bus
        self.news = news
        self.settings = settings
        self.draining = False
        self.engine = Engine(
            connect_limit_s=settings.connect_limit_s,
            client_manager=IndexedManager(),
            cors_allowed_origins=self._transport_origin,
        )
        self._clients = Clients()
        self._roll = Roll(database, self._clients, news)
        self._watches = Watches(
            self.engine, database, self._clients, self._roll, left_after_s=settings.left_after_s
        )
        self._teller = Teller(self.engine, database, self._clients)
        self._signals = Signals(
            self.engine,
            database,
            clients=self._clients,
            watches=self._watches,
            roll=self._roll,
            news=news,
            bus=bus,
        )
        self._arrivals = Arrivals(
            self.engine,
            database,
            bus,
            clients=self._clients,
            welcome=self._welcome,
            returned=self._watches.returned,
        )
        self._addresses = Addresses()
        self._paces = Paces()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._origins: frozenset[str] = frozenset()
        for namespace, connect in ((VISITOR, self._connect_visitor), (AGENT, self._connect_agent)):
            self.engine.on("connect", connect, namespace=namespace)
            self.engine.on("disconnect", self._disconnect(), namespace=namespace)
            self.engine.on("*", self._command(namespace), namespace=namespace)
        self._cards = OpenCards(
            self.engine,
            database,
            clients=self._clients,
            news=news,
            place_of=self._signals.place_of,
        )
        self._signals.also_hear("cards", self._cards.hear)
        notices = DeskNotices(self._signals, news)
        self._signals.also_hear("notices", notices.hear)
        bus.subscribe(notices.heed)
        bus.subscribe(self._teller.tell)
        bus.subscribe(self._signals.tell)
        bus.subscribe(self._cards.heed)

    # -- life cycle ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Learns the allowed origins and whose widgets were open before, and starts the watches."""
        await self._load_origins()
        await self._watches.start()
        await self._signals.take_over()
        self._watches.every(LOAD_ORIGINS_S, self._load_origins)
        self._watches.every(TAKE_OVER_S, self._signals.take_over)
        self._watches.every(FORGET_NAMES_S, self._signals.forget_names)
        self._watches.every(LOOK_UP_NAMES_S, self._teller.look_up_names)
        self._watches.every(TELL_EVERY_S, self._cards.flush)

    async def drain(self) -> None:
        """Answers what has begun, tells every client to come back a little later, closes all."""
        self.draining = True
        for client in list(self._clients.by_sid.values()):
            retry_in_ms = random.randrange(DRAIN_SPREAD_MS)  # noqa: S311  # spreads load only
            await self._signals.signal(
                "server.drain", {"retry_in_ms": retry_in_ms}, client.namespace, client.sid
            )
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await self._idle.wait()
        await self.bus.drained()
        for index, client in enumerate(list(self._clients.by_sid.values())):
            await self.engine.hang_up(client.eio_sid)
            if index % DRAIN_SLICE == DRAIN_SLICE - 1:
                await asyncio.sleep(0.05)
        await self.engine.ended(HANG_UP_S)

    async def stop(self) -> None:
        """Ends the watches and the transports."""
        await self._watches.stop()
        with suppress(TimeoutError, Unavailable):
            await self._roll.release()
        for eio_sid in list(self.engine.eio.sockets):
            await self.engine.cut(eio_sid)
        await self.engine.shutdown()

    @property
    def sockets(self) -> int:
        """How many sockets are connected."""
        return len(self._clients.by_sid)

    def sockets_by_namespace(self) -> dict[str, int]:
        """How many sockets each namespace has."""
        counts = dict.fromkeys((VISITOR, AGENT), 0)
        for client in self._clients.by_sid.values():
            counts[client.namespace] += 1
        return counts

    # -- connecting ---------------------------------------------------------------------------

    async def _load_origins(self) -> None:
        shop = await self.database.read(load_shop)
        self._origins = frozenset(shop.origins) if shop else frozenset()

    def _transport_origin(self, origin: str | None, environ: Json) -> bool:
        """Whether a page may use the transport at all.

        A websocket of a foreign page is let in only to be refused by name at its connect, so that
        the widget can say what is wrong; polling answers listed origins only. Cookies are never
        accepted from another origin, see ``_connect_agent``.
        """
        if origin is None or environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            return True
        return self._origin_allowed(origin, environ["aiohttp.request"])

    def _origin_allowed(self, origin: str | None, request: web.Request) -> bool:
        if origin is None or not self._origins or origin in self._origins:
            return True
        return same_origin(origin, request)

    async def _connect_visitor(self, sid: str, environ: Json, auth: object = None) -> None:
        request: web.Request = environ["aiohttp.request"]
        with _refusing():
            self._open_for_business()
            if not self._origin_allowed(environ.get("HTTP_ORIGIN"), request):
                raise NotAllowed(
                    "This page may not open the chat. Add its address to the allowed origins.",
                    reason="origin",
                )
            payload = parse(visitors.Connect, auth)
            if payload.visitor_token is None and self.settings.rate_limits:
                wait_s = self._addresses.slowdown_s(self._address(request), time.monotonic())
                if wait_s:
                    await asyncio.sleep(wait_s)
            answer = await self.database.write(lambda tx: visitors.connect(tx, payload))
            customer_id = answer["customer_id"]
            actor = Actor("customer", customer_id, also=frozenset(answer["also"]))
            client = self._add(sid, VISITOR, actor, VISITOR_RATES)
            client.address = self._address(request)
        self._arrivals.add(client, customer_id, answer["visitor_token"])

    async def _connect_agent(self, sid: str, environ: Json, auth: object = None) -> None:
        request: web.Request = environ["aiohttp.request"]
        token = auth.get("token") if isinstance(auth, dict) else None
        with _refusing():
            self._open_for_business()
            if token is not None:
                if not isinstance(token, str):
                    raise InvalidInput("token must be text.", field="token")
                credential: str | None = token
            else:
                origin = environ.get("HTTP_ORIGIN")
                # Without the token only our own pages may use the cookie: no origin is no browser.
                if origin is None or not same_origin(origin, request):
                    raise NotSignedIn("Sign in again.", reason="origin")
                credential = _cookie(request)
            if not credential:
                raise NotSignedIn("Sign in first.")
            at_ms = self.database.clock()
            person = await self.database.read(
                lambda c: (
                    tokens.person_of_token(c, credential, at_ms=at_ms)
                    if token is not None
                    else sign_ins.person_of_cookie(c, credential, at_ms=at_ms)
                )
            )
            if person is None:
                raise NotSignedIn("Your sign-in has ended. Sign in again.")
            # Before the turn between two commits, in which nothing else is told.
            act = presence.arrive if token is None else presence.note_seen
            await self.database.write(lambda tx: act(tx, person.actor))
            client = self._add(sid, AGENT, person.actor, AGENT_RATES)
        client.credential, client.by_cookie = credential, token is None

        async def join() -> None:
            now_ms = self.database.clock()
            welcome = await self.database.read(
                lambda c: desk.agent_welcome(c, client.actor, at_ms=now_ms)
            )
            await self._welcome(client, welcome, rooms_of(client.actor))

        self.bus.in_turn(self._joining(client, join))

    def _open_for_business(self) -> None:
        if self.draining:
            raise Unavailable("The server is restarting. Try again in a moment.")

    def _add(self, sid: str, namespace: str, actor: Actor, rates: dict[str, Rate]) -> Client:
        eio_sid = self.engine.manager.eio_sid_from_sid(sid, namespace)
        if eio_sid is None or not self.engine.is_open(eio_sid):
            # Gone while the database was asked: nobody would ever take it out again.
            raise Unavailable("The connection is gone.")
        now_s = time.monotonic()
        pace = self._paces.of(f"{actor.kind} {actor.id}", rates, now_s)
        if self.settings.rate_limits and (barred_s := pace.barred_s(now_s)):
            raise TooMany("That was too fast. Wait a moment.", retry_after_s=round(barred_s, 1))
        client = Client(sid, eio_sid, namespace, actor, pace)
        self._clients.add(client)
        self.engine.connected(eio_sid)
        return client

    def _joining(
        self, client: Client, join: Callable[[], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        """``join`` run between two commits, so that the heads it tells fit the events that follow.

        A socket that cannot be welcomed is closed, it would wait for ever; its client tries again.
        """

        async def guarded() -> None:
            if client.sid not in self._clients.by_sid:
                return
            try:
                await join()
            except AppError as error:
                log.warning("a client could not be welcomed", code=error.code)
                await self.engine.hang_up(client.eio_sid)
            except BaseException:
                await self.engine.hang_up(client.eio_sid)
                raise

        return guarded

    async def _welcome(self, client: Client, welcome: Json, rooms: list[str]) -> None:
        if client.sid not in self._clients.by_sid:
            return
        await self.engine.emit("welcome", welcome, to=client.sid, namespace=client.namespace)
        for room in rooms:
            await self.engine.enter_room(client.sid, room, namespace=client.namespace)

    def _disconnect(self) -> Callable[..., Awaitable[None]]:
        async def disconnect(sid: str, _reason: object = None) -> None:
            client = self._clients.remove(sid)
            if client is None:
                return
            self.engine.disconnected(client.eio_sid)
            for conversation_id in list(client.viewing):
                await self._signals.viewing(client, conversation_id, viewing=False)

        return disconnect

    def _address(self, request: web.Request) -> str:
        """The peer's address, or behind ``trusted_proxies`` proxies the one they saw."""
        hops = self.settings.trusted_proxies
        if hops:
            chain = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
            if len(chain) >= hops and chain[-hops]:
                return chain[-hops]
        return request.remote or "unknown"

    # -- commands -----------------------------------------------------------------------------

    def _command(self, namespace: str) -> Callable[..., Awaitable[Json]]:
        stats = self.database.stats
        stats.expect(namespace, wire.COMMANDS[namespace])

        async def handle(name: object, sid: str, *arguments: Any) -> Json:  # Any: JSON values
            client = self._clients.by_sid.get(sid)
            if client is not None and (wait_s := self._too_fast(client, "all")):
                if client.pace.barred_s(time.monotonic()):
                    log.info("a flooding client was cut", namespace=namespace)
                    await self.engine.cut(client.eio_sid)
                return wire.refusal(_slower(wait_s))

            async def run_for_client(command: Command, payload: Payload) -> Json:
                if client is None:
                    raise NotSignedIn("Connect again.")
                return await self._run(client, command, payload)

            self._under_way += 1
            self._idle.clear()
            began_s = time.monotonic()
            try:
                answer = await wire.answer(namespace, name, arguments, run_for_client)
                if answer["ok"]:
                    stats.answered(namespace, name, took_s=time.monotonic() - began_s)
                else:
                    stats.refused(namespace, answer["error"]["code"])
                return answer
            finally:
                self._under_way -= 1
                if not self._under_way:
                    self._idle.set()

        return handle

    async def _run(self, client: Client, command: Command, payload: Payload) -> Json:
        if self.draining and command.action is not None:
            raise Unavailable("The server is restarting. Try again in a moment.", retry_after_s=1)
        if wait_s := self._too_fast(client, command.limit):
            raise _slower(wait_s)
        if command.query is not None:
            answer = await ask(self.database, command.query, client.actor, payload)
            if command.name == "conversation.open":
                answer["viewing"] = await self._signals.viewers(answer["conversation"]["id"])
            return answer
        if command.signal is not None:
            await self._signals.signal_from(client, payload)
            return {}
        if command.search is not None:
            return await command.search(self.knowledge, self.database, client.actor, payload)
        assert command.action is not None  # exactly one is set
        if isinstance(payload, consents.SetConsent):
            payload = consents.SaidFrom(**payload.model_dump(), address=client.address)
        answer = await run(self.database, command.action, client.actor, payload)
        if command.answer is None:
            return answer
        return await self.database.read(lambda c: self._complete(c, client, command, answer))

    def _too_fast(self, client: Client, limit: str) -> float:
        """0 when the client may go on, else the seconds until it may."""
        return client.pace.wait_s(limit, time.monotonic()) if self.settings.rate_limits else 0.0

    def _complete(
        self, connection: Connection, client: Client, command: Command, answer: Json
    ) -> Json:
        if command.answer == "conversation":
            return {"conversation": views.one_summary(connection, answer["conversation_id"])}
        if command.answer == "ticket":
            look = desk.Look(connection, client.actor, self.database.clock())
            return {"ticket": ticket_lists.one_ticket(look, answer)}
        if command.answer == "customer":
            customer = customers.load_customer(connection, answer["customer_id"])
            if customer is None:
                raise NotAllowed("This customer is gone.")
            at_ms = self.database.clock()
            told = {key: value for key, value in answer.items() if key in command.told}
            return told | {"customer": cards.card(connection, customer, client.actor, at_ms)}
        person = people.load_person(connection, answer["agent_id"])
        return {"me": views.person_view(person) if person else None}


def _slower(wait_s: float) -> TooMany:
    return TooMany("That was too fast. Wait a moment.", retry_after_s=round(wait_s, 1))


class _refusing:  # noqa: N801  # reads as a statement
    """Turns a refusal into Socket.IO's own, with the error object as its data."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AppError):
            shape = error.shape()
            raise Refused(shape["message"], {"error": shape}) from None


def _cookie(request: web.Request) -> str | None:
    try:
        jar = SimpleCookie(request.headers.get("Cookie", ""))
    except CookieError:
        return None
    for name in COOKIE_NAMES:
        if name in jar:
            return jar[name].value
    return None
