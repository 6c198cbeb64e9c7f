"""A small real Socket.IO desk for the widget's tests, and a shop page on another origin.

It speaks the /visitor side of the protocol over python-socketio and aiohttp, keeps conversations
in memory, and can be told to misbehave: lose answers, hold back events, stop and start again. It
runs in a thread of its own, so that tests can drive a browser synchronously beside it.
"""

import asyncio
import html
import itertools
import json
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import socketio
from aiohttp import web

import widget
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until, wait_until_async

NAMESPACE = "/visitor"
SITE = "site-1"
SHOP = {
    "name": "Mori & Oak",
    "locale": "en",
    "timezone": "Europe/Berlin",
    "agents_online": 3,
    "queue_length": 0,
    "typical_first_response_ms": 41_000,
    "retention_months": 12,
    "privacy_url": "https://shop.example/privacy",
    "accent": None,
    "page_events": False,
}
AGENT = {"kind": "agent", "id": "agent-1", "name": "Chen Hao"}
# How long the desk's thread may take for what a test asks of it.
LIMIT_S = 60.0
T = TypeVar("T")


@dataclass
class Conversation:
    id: str
    customer: str
    status: str = "open"
    events: list[dict[str, Any]] = field(default_factory=list)
    read_seq: int = 0
    read_marks: list[dict[str, Any]] = field(default_factory=list)

    def head(self) -> dict[str, Any]:
        unread = [
            e
            for e in self.events
            if e["kind"] == "message.posted"
            and e["actor"]["kind"] != "customer"
            and e["conversation_seq"] > self.read_seq
        ]
        return {
            "id": self.id,
            "status": self.status,
            "conversation_seq": len(self.events),
            "unread": len(unread),
        }


class Desk:
    """The pretended product: its state survives `stop` and `start`, as a database would."""

    def __init__(self) -> None:
        self.conversations: dict[str, Conversation] = {}
        self.tokens: dict[str, str] = {}
        self.answers: dict[tuple[str, str], dict[str, Any]] = {}
        self.commands: list[tuple[str, dict[str, Any]]] = []
        # Names of commands that have their answer: what is told from now on comes after it.
        self.answered: list[str] = []
        self.auths: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.shop = dict(SHOP)
        self.consents: dict[str, dict[str, str]] = {}
        self.lose_answers = 0
        # What is asked for and has to wait: "connect", names of commands.
        self.held: set[str] = set()
        self.request_news: dict[str, int] | None = None
        self.verified = False
        # Answers of commands that keep no state here, in their order; the last one stays.
        self.canned: dict[str, list[dict[str, Any]]] = {}
        self.drop_events = False
        self.refuse: tuple[str, dict[str, Any]] | None = None
        self.refuse_identity: tuple[str, dict[str, Any]] | None = None
        self.refuse_posts: dict[str, Any] | None = None
        self.page_headers: dict[str, str] = {}
        self._ids = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._desk: web.AppRunner | None = None
        self._shop: web.AppRunner | None = None
        self._sio: Any = None
        self._servers: list[web.Server] = []
        self._customers: dict[str, str] = {}
        # Its own also while it is stopped.
        self.port = free_port()
        self.shop_port = free_port()
        self.start()

    # -- life ----------------------------------------------------------------------------------

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work, done in the desk's own thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(LIMIT_S)

    def start(self) -> None:
        self.run(self._start())

    def stop(self) -> None:
        """Dies: sockets break, the port refuses."""
        self.run(self._stop())

    def close(self) -> None:
        self.stop()
        if self._shop is not None:
            self.run(self._shop.cleanup())
        self.run(self._cancel_rest())
        self.run(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._loop.close()

    async def _cancel_rest(self) -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _hang_up(self) -> None:
        """Ends lines that came while their server was ending."""
        for server in self._servers:
            for line in server.connections:
                if line.transport is not None:
                    line.transport.abort()

    async def _start(self) -> None:
        self._sio = socketio.AsyncServer(
            async_mode="aiohttp", cors_allowed_origins="*", ping_interval=5
        )
        self._customers = {}
        self._sio.on("connect", self._connect, namespace=NAMESPACE)
        self._sio.on("*", self._command, namespace=NAMESPACE)
        app = web.Application(middlewares=[self._note])
        app.router.add_get("/widget/loader.js", self._loader)
        app.router.add_get("/widget/{version}/{path:.+}", self._asset)
        self._sio.attach(app)
        self._desk = await self._serve(app, self.port)
        if self._shop is None:
            shop = web.Application()
            shop.router.add_get("/{path:.*}", self._page)
            self._shop = await self._serve(shop, self.shop_port)

    async def _serve(self, app: web.Application, port: int) -> web.AppRunner:
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, HOST, port, reuse_address=True)
        await site.start()
        assert runner.server is not None
        self._servers.append(runner.server)
        return runner

    async def _stop(self) -> None:
        runner, self._desk = self._desk, None
        if self._sio is not None:
            for sid in list(self._sio.eio.sockets):
                socket = self._sio.eio.sockets.get(sid)
                if socket is not None:
                    await socket.close(wait=False, abort=True)
            await self._sio.shutdown()
            self._sio = None
        if runner is not None:
            await runner.cleanup()

    # -- HTTP ----------------------------------------------------------------------------------

    @web.middleware
    async def _note(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append(request.path)
        answer: web.StreamResponse = await handler(request)
        return answer

    def loader(self) -> str:
        return f"http://127.0.0.1:{self.port}/widget/loader.js"

    def page(self, path: str = "") -> str:
        # Another host as well as another port: the shop is never on the desk's site.
        return f"http://localhost:{self.shop_port}/{path}"

    async def _loader(self, request: web.Request) -> web.Response:
        return self._file(widget.loader_source().encode(), "loader.js")

    async def _asset(self, request: web.Request) -> web.Response:
        found = widget.asset(request.match_info["path"])
        if found is None:
            raise web.HTTPNotFound
        return self._file(found, request.path)

    def _file(self, body: bytes, path: str) -> web.Response:
        answer = web.Response(body=body, content_type=widget.content_type(path))
        answer.charset = "utf-8"
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def _page(self, request: web.Request) -> web.Response:
        """A shop page; the query says how it embeds the widget."""
        if "favicon" in request.path:
            return web.Response(status=204)
        query = dict(request.query)
        data = {key: value for key, value in query.items() if key.startswith("data-")}
        data.setdefault("data-site", SITE)
        attributes = " ".join(f'{key}="{html.escape(value)}"' for key, value in data.items())
        nonce = ' nonce="n0"' if "nonce" in query else ""
        scripts = f'<script src="{self.loader()}" {attributes} async{nonce}></script>'
        scripts *= int(query.get("times", "1"))
        early = query.get("early")
        if early:
            scripts = f"<script{nonce}>{early}</script>" + scripts
        body = (
            f'<!doctype html><html lang="{query.get("lang", "en")}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            "<title>Walnut desk lamp</title></head><body><main><h1>Walnut desk lamp</h1>"
            '<p>Made for long evenings.</p><a href="/next">Next page</a></main>'
            f"{scripts}</body></html>"
        )
        return web.Response(text=body, content_type="text/html", headers=self.page_headers)

    # -- Socket.IO -----------------------------------------------------------------------------

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        self.auths.append(auth)
        await self._let_go("connect")
        if self.refuse:
            raise socketio.exceptions.ConnectionRefusedError(*self.refuse)
        if self.refuse_identity and auth.get("identity"):
            raise socketio.exceptions.ConnectionRefusedError(*self.refuse_identity)
        if auth.get("site") != SITE:
            raise socketio.exceptions.ConnectionRefusedError(
                "unknown site", {"code": "not_allowed", "message": "unknown site", "details": {}}
            )
        token = auth.get("visitor_token")
        if token not in self.tokens:
            number = next(self._ids)
            token = f"token-{number}"
            self.tokens[token] = f"customer-{number}"
        customer = self.tokens[token]
        self._customers[sid] = customer
        await self._sio.enter_room(sid, customer, namespace=NAMESPACE)
        own = [c for c in self.conversations.values() if c.customer == customer]
        welcome = {
            "visitor_token": token,
            "customer_id": customer,
            "customer": {"id": customer, "name": None, "email": None, "verified": self.verified},
            "conversations": [c.head() for c in reversed(own)],
            "shop": self.shop,
            "consents": self.consents.get(customer, {}),
            "server_at_ms": now_ms(),
        }
        if self.request_news is not None:
            welcome["requests"] = self.request_news
        await self._sio.emit("welcome", welcome, room=sid, namespace=NAMESPACE)

    async def _let_go(self, name: str) -> None:
        await wait_until_async(lambda: name not in self.held)  # steered from another thread

    async def _command(self, name: str, sid: str, payload: dict[str, Any]) -> Any:
        self.commands.append((name, payload))
        await self._let_go(name)
        self.answered.append(name)
        if told := self.canned.get(name):
            return told.pop(0) if len(told) > 1 else told[0]
        handler = getattr(self, "_do_" + name.replace(".", "_"), None)
        if handler is None:
            return failure("invalid_input")
        answer = await handler(self._customers.get(sid, ""), payload)
        if name in {"message.post", "request.submit"} and self.lose_answers > 0:
            self.lose_answers -= 1
            await asyncio.Event().wait()  # this answer never comes
        return answer

    async def _do_request_submit(self, customer: str, payload: dict[str, Any]) -> dict[str, Any]:
        key = (customer, payload["client_id"])
        made = {"ok": True, "ticket_number": f"T-{len(self.answers)}", "promised_at_ms": None}
        return self.answers.setdefault(key, made)

    async def _do_message_post(self, customer: str, payload: dict[str, Any]) -> dict[str, Any]:
        if self.refuse_posts:
            return {"ok": False, "error": self.refuse_posts}
        key = (customer, payload["client_id"])
        if key in self.answers:
            return self.answers[key]
        conversation = self.conversations.get(payload.get("conversation_id") or "")
        actor = {"kind": "customer", "id": customer, "name": None}
        events = []
        if conversation is None:
            open_ones = [
                c
                for c in self.conversations.values()
                if c.customer == customer and c.status == "open"
            ]
            if open_ones:
                conversation = open_ones[-1]
            else:
                conversation = Conversation(f"conversation-{next(self._ids)}", customer)
                opened = {"channel": "chat"}
                events = [self._record(conversation, "conversation.opened", actor, opened)]
        event = self._record(conversation, "message.posted", actor, self._message(actor, payload))
        # A test that sees a conversation finds its first message in it.
        self.conversations[conversation.id] = conversation
        answer = {
            "ok": True,
            "message_id": event["data"]["message"]["id"],
            "conversation_id": conversation.id,
            "conversation_seq": event["conversation_seq"],
            "at_ms": event["at_ms"],
        }
        self.answers[key] = answer
        for made in [*events, event]:
            await self._tell(conversation, made)
        return answer

    async def _do_conversation_catch_up(self, customer: str, payload: dict[str, Any]) -> Any:
        conversation = self.conversations.get(payload["conversation_id"])
        if conversation is None or conversation.customer != customer:
            return failure("not_found")
        rest = conversation.events[payload["after_seq"] :]
        return {
            "ok": True,
            "events": rest[:200],
            "complete": len(rest) <= 200,
            "read_marks": conversation.read_marks,
        }

    async def _do_consent_set(self, customer: str, payload: dict[str, Any]) -> Any:
        said = self.consents.setdefault(customer, {})
        for purpose, given in payload["purposes"].items():
            said[purpose] = "given" if given else "refused"
        return {"ok": True, "consents": said}

    async def _noted(self, customer: str, payload: dict[str, Any]) -> Any:
        given = self.consents.get(customer, {}).get("analytics") == "given"
        return {"ok": True, "recorded": given}

    _do_page_view = _do_page_search = _do_cart_update = _do_checkout_start = _noted

    async def _do_typing_set(self, customer: str, payload: dict[str, Any]) -> Any:
        return {"ok": True}

    async def _do_message_mark_read(self, customer: str, payload: dict[str, Any]) -> Any:
        conversation = self.conversations[payload["conversation_id"]]
        for event in conversation.events:
            if event["data"].get("message", {}).get("id") == payload["message_id"]:
                conversation.read_seq = event["conversation_seq"]
        return {"ok": True}

    async def _do_rating_give(self, customer: str, payload: dict[str, Any]) -> Any:
        conversation = self.conversations[payload["conversation_id"]]
        await self._emit(conversation, "rating.given", AGENT, {"score": payload["score"]})
        return {"ok": True}

    async def _do_conversation_end(self, customer: str, payload: dict[str, Any]) -> Any:
        await self._resolve(self.conversations[payload["conversation_id"]], "customer")
        return {"ok": True}

    def _message(self, actor: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
        message = {
            "id": f"message-{next(self._ids)}",
            "client_id": payload.get("client_id", f"desk-{next(self._ids)}"),
            "body": payload["body"],
            "blocks": payload.get("blocks"),
            "visibility": "public",
            "origin": "typed",
            "author": actor,
            "at_ms": now_ms(),
        }
        return {"message": message}

    async def _resolve(self, conversation: Conversation, by: str) -> None:
        conversation.status = "resolved"
        data = {"status": "resolved", "by": by}
        await self._emit(conversation, "conversation.status_changed", AGENT, data)
        await self._emit(conversation, "rating.asked", AGENT, {"session_no": 1})

    async def _emit(
        self, conversation: Conversation, kind: str, actor: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        event = self._record(conversation, kind, actor, data)
        await self._tell(conversation, event)
        return event

    def _record(
        self, conversation: Conversation, kind: str, actor: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        event = {
            "seq": next(self._ids),
            "kind": kind,
            "at_ms": now_ms(),
            "actor": actor,
            "conversation_id": conversation.id,
            "conversation_seq": len(conversation.events) + 1,
            "data": data,
        }
        conversation.events.append(event)
        return event

    async def _tell(self, conversation: Conversation, event: dict[str, Any]) -> None:
        if not self.drop_events and self._sio is not None:
            await self._sio.emit("event", event, room=conversation.customer, namespace=NAMESPACE)

    # -- what tests ask for --------------------------------------------------------------------

    @property
    def conversation(self) -> Conversation:
        """The latest one, as soon as there is one."""
        wait_until(lambda: self.conversations, what="a conversation")
        return list(self.conversations.values())[-1]

    def says(self, body: str, **extra: Any) -> dict[str, Any]:
        """The agent writes in the latest conversation."""
        message = self._message(AGENT, {"body": body, **extra})
        return self.run(self._emit(self.conversation, "message.posted", AGENT, message))

    def emits(self, kind: str, **data: Any) -> dict[str, Any]:
        return self.run(self._emit(self.conversation, kind, AGENT, data))

    def resolves(self) -> None:
        self.run(self._resolve(self.conversation, "agent"))

    def signals(self, kind: str, **data: Any) -> None:
        self.run(self._sio.emit("signal", {"kind": kind, "data": data}, namespace=NAMESPACE))

    def resends(self, *events: dict[str, Any]) -> None:
        """The same events once more, in this order, as a confused network would."""
        for event in events:
            self.run(self._sio.emit("event", event, namespace=NAMESPACE))

    @property
    def bodies(self) -> list[str]:
        """The texts of the latest conversation, in order; none before there is one."""
        return [
            e["data"]["message"]["body"]
            for e in (list(self.conversation.events) if self.conversations else [])
            if e["kind"] == "message.posted"
        ]

    def sockets(self) -> int:
        return len(self._sio.eio.sockets)

    def sent(self, name: str) -> list[dict[str, Any]]:
        """The payloads of one command, in the order of their coming."""
        return [json.loads(json.dumps(p)) for n, p in self.commands if n == name]


def failure(code: str) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "message": code, "details": {}}}


def now_ms() -> int:
    return time.time_ns() // 1_000_000
