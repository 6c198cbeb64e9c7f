"""Sockets of shoppers and agents: who they are, what they may send, what they are told."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any  # Any: JSON values and python-socketio

import structlog
from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as Refused

from server.actions import conversations as conversation_actions
from server.actions import desk, messages, presence, visitors
from server.actions.access import read_conversation
from server.actions.payload import ConversationRef, Payload, parse
from server.actions.sign_in import SignedOut
from server.bus import Bus
from server.config import Settings
from server.dispatch import ask, run
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import (
    AppError,
    InvalidInput,
    NotAllowed,
    NotSignedIn,
    TooMany,
    Unavailable,
)
from server.domain.events import AgentPresenceChanged, Event
from server.realtime import wire
from server.realtime.engine import Engine, same_origin
from server.realtime.limits import AGENT_RATES, VISITOR_RATES, Addresses, Pace, Paces, Rate
from server.realtime.rooms import (
    AGENT,
    STAFF,
    VISITOR,
    VISITORS,
    IndexedManager,
    customer_room,
    rooms_of,
    staff_rooms,
)
from server.realtime.wire import Command, SetTyping, SetViewing
from server.storage import conversations, customers, people, sign_ins, tokens, views
from server.storage.connection import Connection
from server.storage.database import Committed, Database
from server.storage.shop import load_shop

log = structlog.stdlib.get_logger("shopbell.realtime")

Json = dict[str, Any]  # Any: JSON values
TYPING_TTL_MS = 5000
HEARTBEAT_S = 30.0
CHECK_PEOPLE_S = 2.0
DRAIN_SPREAD_MS = 5000
DRAIN_SLICE = 200
# How long draining waits for the answers of commands that have begun.
FINISH_S = 5.0
# Over https the prefixed one, see server/http/sessions.py.
COOKIE_NAMES = ("__Host-sid", "sid")


@dataclass(slots=True)
class Client:
    """A connected socket of one namespace."""

    sid: str
    eio_sid: str
    namespace: str
    actor: Actor
    pace: Pace
    credential: str | None = None
    by_cookie: bool = False
    viewing: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation's signals go."""

    customer_id: str
    team_id: str | None
    assignee_id: str | None


class Edge:
    """Owner of the Socket.IO server and of what this process knows about its sockets.

    Nothing here matters for what is true: it may be lost at any moment and is built up again by the
    clients that reconnect.
    """

    def __init__(self, database: Database, bus: Bus, settings: Settings) -> None:
        self.database = database
        self.bus = bus
        self.settings = settings
        self.draining = False
        self.engine = Engine(
            connect_limit_s=settings.connect_limit_s,
            client_manager=IndexedManager(),
            cors_allowed_origins=self._transport_origin,
        )
        self._clients: dict[str, Client] = {}
        self._customers: dict[str, set[str]] = {}
        self._gone_at_s: dict[str, float] = {}
        self._places: dict[str, Place] = {}
        self._addresses = Addresses()
        self._paces = Paces()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._origins: frozenset[str] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()
        for namespace, connect in ((VISITOR, self._connect_visitor), (AGENT, self._connect_agent)):
            self.engine.on("connect", connect, namespace=namespace)
            self.engine.on("disconnect", self._disconnect(namespace), namespace=namespace)
            self.engine.on("*", self._command(namespace), namespace=namespace)
        bus.subscribe(self.tell)

    # -- life cycle ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Learns the allowed origins and whose widgets were open before, and starts the watches."""
        await self._load_origins()
        here = await self.database.read(conversations.waiting_with_widget)
        now_s = time.monotonic()
        self._gone_at_s = dict.fromkeys(here, now_s)
        self._every(1.0, self.engine.watch)
        self._every(min(5.0, self.settings.left_after_s / 2), self._notice_leavers)
        self._every(HEARTBEAT_S / 2, self._heartbeat)
        self._every(CHECK_PEOPLE_S, self._check_people)
        self._every(5.0, self._load_origins)

    async def drain(self) -> None:
        """Answers what has begun, tells every client to come back a little later, closes all."""
        self.draining = True
        for client in list(self._clients.values()):
            retry_in_ms = random.randrange(DRAIN_SPREAD_MS)  # noqa: S311  # spreads load only
            await self._signal(
                "server.drain", {"retry_in_ms": retry_in_ms}, client.namespace, client.sid
            )
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), FINISH_S)
        await self.bus.drained()
        for index, client in enumerate(list(self._clients.values())):
            await self.engine.hang_up(client.eio_sid)
            if index % DRAIN_SLICE == DRAIN_SLICE - 1:
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Ends the watches and the transports."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for eio_sid in list(self.engine.eio.sockets):
            await self.engine.cut(eio_sid)
        await self.engine.shutdown()

    @property
    def sockets(self) -> int:
        """How many sockets are connected."""
        return len(self._clients)

    def _every(self, seconds: float, task: Callable[[], Awaitable[object]]) -> None:
        async def loop() -> None:
            while True:
                await asyncio.sleep(seconds)
                try:
                    await task()
                except Unavailable:
                    log.warning("a watch waits for the database")
                except Exception:
                    log.exception("a watch failed")

        running = asyncio.create_task(loop())
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)

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
            client = self._add(sid, VISITOR, Actor("customer", customer_id), VISITOR_RATES)
        self._customers.setdefault(customer_id, set()).add(sid)
        self._gone_at_s.pop(customer_id, None)

        async def join() -> None:
            at_ms = self.database.clock()
            welcome = await self.database.read(
                lambda c: desk.visitor_welcome(c, customer_id, at_ms=at_ms)
            )
            name = welcome["customer"]["name"]
            client.actor = Actor("customer", customer_id, name)
            welcome["visitor_token"] = answer["visitor_token"]
            await self._welcome(client, welcome, [VISITORS, customer_room(customer_id)])
            for head in welcome["conversations"]:
                await self._returned(head["id"])

        self.bus.in_turn(self._joining(client, join))

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
            client = self._add(sid, AGENT, person.actor, AGENT_RATES)
        client.credential, client.by_cookie = credential, token is None

        async def join() -> None:
            act = presence.arrive if client.by_cookie else presence.note_seen
            await self.database.write(lambda tx: act(tx, client.actor))
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
        self._clients[sid] = client
        self.engine.connected(eio_sid)
        return client

    def _joining(
        self, client: Client, join: Callable[[], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        """``join`` run between two commits, so that the heads it tells fit the events that follow.

        A socket that cannot be welcomed is closed, it would wait for ever; its client tries again.
        """

        async def guarded() -> None:
            if client.sid not in self._clients:
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
        if client.sid not in self._clients:
            return
        await self.engine.emit("welcome", welcome, to=client.sid, namespace=client.namespace)
        for room in rooms:
            await self.engine.enter_room(client.sid, room, namespace=client.namespace)

    def _disconnect(self, namespace: str) -> Callable[..., Awaitable[None]]:
        async def disconnect(sid: str, _reason: object = None) -> None:
            client = self._clients.pop(sid, None)
            if client is None:
                return
            self.engine.disconnected(client.eio_sid)
            for conversation_id in list(client.viewing):
                await self._viewing(client, conversation_id, viewing=False)
            if namespace == VISITOR and client.actor.id is not None:
                sids = self._customers.get(client.actor.id, set())
                sids.discard(sid)
                if not sids:
                    self._customers.pop(client.actor.id, None)
                    self._gone_at_s[client.actor.id] = time.monotonic()

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
        async def handle(name: object, sid: str, *arguments: Any) -> Json:  # Any: JSON values
            client = self._clients.get(sid)
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
            try:
                return await wire.answer(namespace, name, arguments, run_for_client)
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
                answer["viewing"] = self._viewers(answer["conversation"]["id"])
            return answer
        if command.signal is not None:
            await self._signal_from(client, payload)
            return {}
        assert command.action is not None  # exactly one is set
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
        if command.answer == "customer":
            customer = customers.load_customer(connection, answer["customer_id"])
            if customer is None:
                raise NotAllowed("This customer is gone.")
            return {"customer": views.card(connection, customer, client.actor)}
        person = people.load_person(connection, answer["agent_id"])
        return {"me": views.person_view(person) if person else None}

    # -- signals: told, never stored ----------------------------------------------------------

    async def _signal_from(self, client: Client, payload: Payload) -> None:
        if isinstance(payload, SetTyping):
            place = await self._place_for(client, payload.conversation_id)
            data = {
                "conversation_id": payload.conversation_id,
                "actor": _who(client.actor),
                "typing": payload.typing,
                "ttl_ms": TYPING_TTL_MS,
            }
            if client.namespace == AGENT:
                await self._signal(
                    "typing.changed", data, VISITOR, customer_room(place.customer_id)
                )
            staff = staff_rooms(place.team_id, place.assignee_id)
            await self._signal("typing.changed", data, AGENT, staff, skip=client.sid)
        elif isinstance(payload, SetViewing):
            await self._place_for(client, payload.conversation_id)
            await self._viewing(client, payload.conversation_id, viewing=payload.viewing)

    async def _viewing(self, client: Client, conversation_id: str, *, viewing: bool) -> None:
        if viewing:
            client.viewing.add(conversation_id)
        else:
            client.viewing.discard(conversation_id)
        place = self._places.get(conversation_id)
        if place is None:
            return
        data = {"conversation_id": conversation_id, "agents": self._viewers(conversation_id)}
        staff = staff_rooms(place.team_id, place.assignee_id)
        await self._signal("viewing.changed", data, AGENT, staff)

    def _viewers(self, conversation_id: str) -> list[Json]:
        viewers = {
            c.actor.id: c.actor.name for c in self._clients.values() if conversation_id in c.viewing
        }
        return [{"id": agent_id, "name": name} for agent_id, name in viewers.items()]

    async def _place_for(self, client: Client, conversation_id: str) -> Place:
        """Where the conversation's signals go, once it is sure that the client may see it."""
        place = self._places.get(conversation_id)
        if place is not None:
            actor = client.actor
            mine = place.customer_id == actor.id
            if (
                mine
                if actor.kind == "customer"
                else views.sees(actor, place.team_id, place.assignee_id)
            ):
                return place
        found = await self.database.read(
            lambda c: read_conversation(c, client.actor, conversation_id)
        )
        place = Place(found.customer_id, found.team_id, found.assignee_id)
        self._remember(conversation_id, place)
        return place

    def _remember(self, conversation_id: str, place: Place) -> None:
        if len(self._places) > 20_000:
            self._places.clear()
        self._places[conversation_id] = place

    async def _signal(
        self,
        kind: str,
        data: Json,
        namespace: str,
        rooms: str | list[str],
        *,
        skip: str | None = None,
    ) -> None:
        await self.engine.emit(
            "signal", {"kind": kind, "data": data}, room=rooms, namespace=namespace, skip_sid=skip
        )

    # -- telling of what was committed --------------------------------------------------------

    async def tell(self, committed: Committed) -> None:
        """Sends the events of a commit to everybody who may see them, in order."""
        events = [event for event in committed.events if not event.imported]
        talk = [event for event in events if event.conversation_id is not None]
        if talk:
            await self._tell_events(talk)
        for notice in committed.notices:
            if isinstance(notice, messages.ReadNotice):
                await self._tell_read(notice)
            elif isinstance(notice, presence.PresenceNotice):
                await self._tell_presence(notice.agent_id)
            elif isinstance(notice, SignedOut):
                await self._check_people()
        told = {n.agent_id for n in committed.notices if isinstance(n, presence.PresenceNotice)}
        for event in events:
            if isinstance(event.data, AgentPresenceChanged) and event.actor_id not in told:
                await self._tell_presence(event.actor_id or "")
        changed = {e.actor_id for e in events if e.kind.startswith("assignment.")}
        if changed or any(e.kind == "conversation.status_changed" for e in events):
            await self._tell_loads(events)

    async def _tell_events(self, events: list[Event]) -> None:
        listening = self._customers.keys() & {event.customer_id for event in events}
        public = [e for e in events if e.visitor_seq is not None and e.customer_id in listening]

        def look(connection: Connection) -> tuple[list[Json], list[Json]]:
            staff = views.envelopes(connection, events, audience="agent", state=True)
            return staff, views.envelopes(connection, public, audience="visitor")

        staff, shopper = await self.database.read(look)
        by_seq = {envelope["seq"]: envelope for envelope in shopper}
        for event, envelope in zip(events, staff, strict=True):
            state = envelope.get("state")
            rooms: list[str] = [STAFF]
            if state is not None and event.conversation_id is not None:
                place = Place(state["customer"]["id"], state["team_id"], state["assignee_id"])
                before = self._places.get(event.conversation_id, place)
                self._remember(event.conversation_id, place)
                # Those who lose sight of it hear why.
                rooms = [
                    *staff_rooms(place.team_id, place.assignee_id),
                    *staff_rooms(before.team_id, before.assignee_id),
                ]
            await self.engine.emit(
                "event", envelope, room=list(dict.fromkeys(rooms)), namespace=AGENT
            )
            if event.seq in by_seq:
                room = customer_room(event.customer_id or "")
                await self.engine.emit("event", by_seq[event.seq], room=room, namespace=VISITOR)

    async def _tell_read(self, notice: messages.ReadNotice) -> None:
        data = {
            "conversation_id": notice.conversation_id,
            "reader": {
                "kind": notice.reader_kind,
                "id": notice.reader_id,
                "name": notice.reader_name,
            },
            "message_id": notice.message_id,
            "at_ms": notice.at_ms,
        }
        place = self._places.get(notice.conversation_id)
        if place is None:
            ids = [notice.conversation_id]
            found = await self.database.read(lambda c: conversations.by_ids(c, ids))
            c = found[notice.conversation_id].conversation
            place = Place(c.customer_id, c.team_id, c.assignee_id)
            self._remember(notice.conversation_id, place)
        staff = staff_rooms(place.team_id, place.assignee_id)
        await self._signal("message.read", data, AGENT, staff)
        await self._signal("message.read", data, VISITOR, customer_room(notice.customer_id))

    async def _tell_presence(self, agent_id: str) -> None:
        def look(connection: Connection) -> tuple[people.Person | None, int]:
            staff = people.load_people(connection)
            person = next((p for p in staff if p.id == agent_id), None)
            return person, sum(1 for p in staff if p.status == "online")

        person, online = await self.database.read(look)
        if person is not None:
            await self._signal("presence.changed", {"agent": _presence(person)}, AGENT, STAFF)
        await self.engine.emit(
            "signal",
            {"kind": "presence.changed", "data": {"agents_online": online}},
            room=VISITORS,
            namespace=VISITOR,
        )

    async def _tell_loads(self, events: list[Event]) -> None:
        """Agents whose number of conversations changed, to the colleagues."""
        ids = {e.actor_id for e in events if e.actor_kind == "agent"}
        for event in events:
            ids |= {getattr(event.data, "to", None), getattr(event.data, "from_", None)}
            place = self._places.get(event.conversation_id or "")
            ids.add(place.assignee_id if place else None)
        staff = await self.database.read(people.load_people)
        for person in staff:
            if person.id in ids:
                await self._signal("presence.changed", {"agent": _presence(person)}, AGENT, STAFF)

    # -- watches ------------------------------------------------------------------------------

    async def _returned(self, conversation_id: str) -> None:
        found = await self.database.read(lambda c: conversations.by_ids(c, [conversation_id]))
        conversation = found[conversation_id].conversation if conversation_id in found else None
        if conversation is not None and not conversation.customer_present:
            payload = ConversationRef(conversation_id=conversation_id)
            await run(self.database, conversation_actions.customer_returned, SYSTEM, payload)

    async def _notice_leavers(self) -> None:
        now_s = time.monotonic()
        since_s = now_s - self.settings.left_after_s
        gone = [key for key, at_s in self._gone_at_s.items() if at_s < since_s]
        for customer_id in gone:
            found = await self.database.read(
                lambda c, customer_id=customer_id: conversations.of_customer(c, customer_id)  # type: ignore[misc]  # bound default
            )
            for item in found:
                if item.conversation.status == "open":
                    payload = ConversationRef(conversation_id=item.conversation.id)
                    await run(self.database, conversation_actions.customer_left, SYSTEM, payload)
            # Only now, so that a database that is away is asked again at the next turn.
            self._gone_at_s.pop(customer_id, None)

    async def _heartbeat(self) -> None:
        here = {c.actor.id for c in self._clients.values() if c.namespace == AGENT and c.actor.id}
        await self.database.write(lambda tx: presence.seen(tx, sorted(here)))

    async def _check_people(self) -> None:
        """Closes the sockets of people who may no longer be here, and follows changed rights."""
        clients = [c for c in self._clients.values() if c.namespace == AGENT]
        if not clients:
            return
        at_ms = self.database.clock()

        def look(connection: Connection) -> dict[str, people.Person | None]:
            return {
                c.sid: sign_ins.person_of_cookie(connection, c.credential or "", at_ms=at_ms)
                if c.by_cookie
                else tokens.person_of_token(connection, c.credential or "", at_ms=at_ms)
                for c in clients
            }

        found = await self.database.read(look)
        for client in clients:
            person = found[client.sid]
            if person is None:
                await self.engine.disconnect(client.sid, namespace=AGENT)
            elif person.actor != client.actor:
                for room in set(rooms_of(client.actor)) - set(rooms_of(person.actor)):
                    await self.engine.leave_room(client.sid, room, namespace=AGENT)
                for room in set(rooms_of(person.actor)) - set(rooms_of(client.actor)):
                    await self.engine.enter_room(client.sid, room, namespace=AGENT)
                client.actor = person.actor


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


def _who(actor: Actor) -> Json:
    return {"kind": actor.kind, "id": actor.id, "name": actor.name}


def _presence(person: people.Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "status": person.status,
        "capacity": person.capacity,
        "load": person.load,
    }
