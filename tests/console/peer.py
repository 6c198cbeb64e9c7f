"""A real Socket.IO server with a small desk behind it, which tests steer from outside.

It speaks the protocol as the product does, but its clock, its failures and its gaps are chosen by
the test: what the console makes of them is the question here, not how a server comes to them.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar, cast  # Any: JSON

import socketio
from aiohttp import web

from agent_ui import STATIC_DIR, render
from agent_ui.lean import lean
from tests.console.cards import blank, contact
from tests.support.ports import HOST, free_port
from tests.support.waiting import let_time_pass, wait_until

Json = dict[str, Any]  # Any: JSON as it goes over the wire
T = TypeVar("T")

NAMESPACE = "/agent"
# How long the peer's thread may take for what a test asks of it.
ANSWER_LIMIT_S = 60.0
ME = {"id": "agt_chen", "name": "Chen Hao"}
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)


@dataclass
class Conversation:
    """A conversation as the peer keeps it: its summary and everything that happened in it."""

    summary: Json
    card: Json
    events: list[Json] = field(default_factory=list)
    marks: list[Json] = field(default_factory=list)
    turns: list[Json] = field(default_factory=list)
    draft: Json | None = None
    viewing: list[Json] = field(default_factory=list)


class Desk:
    """Conversations and how commands change them; used on the peer's thread only."""

    def __init__(self) -> None:
        """An empty desk with four people and two teams."""
        self.shift_ms = 0
        self.conversations: dict[str, Conversation] = {}
        self.late = 0
        self.targets = {"warn_ms": 100_000, "limit_ms": 180_000}
        self.agents = {
            row[0]: {
                "id": row[0],
                "name": row[1],
                "email": f"{row[0]}@mori.example",
                "role": row[2],
                "status": row[3],
                "capacity": 10,
                "load": row[4],
                "team_ids": ["team_sales"],
            }
            for row in (
                ("agt_chen", "Chen Hao", "admin", "online", 8),
                ("agt_wang", "Wang Min", "supervisor", "online", 2),
                ("agt_sofia", "Sofia Lindqvist", "agent", "busy", 6),
                ("agt_liu", "刘洋", "agent", "offline", 0),
            )
        }
        self.teams = [{"id": "team_sales", "name": "Sales"}, {"id": "team_care", "name": "Care"}]

    def now_ms(self) -> int:
        """The peer's time, which a test may shift."""
        return int(time.time() * 1000) + self.shift_ms

    def add(self, name: str | None, *, id: str | None = None, **change: Any) -> Conversation:  # noqa: A002  # Any: fields of the summary
        """Puts a conversation on the desk, of the person signed in unless said otherwise."""
        number = len(self.conversations) + 1
        id = id or f"cnv_{number:04}"  # noqa: A001
        now = self.now_ms()
        customer = {
            "id": f"cus_{number:04x}",
            "name": name,
            "verified": bool(change.pop("verified", False)),
            "locale": change.pop("locale", "en"),
            "segment": change.pop("segment", None),
            "top20": False,
        }
        summary: Json = {
            "id": id,
            "status": "open",
            "channel": "web",
            "locale": customer["locale"],
            "team_id": "team_sales",
            "assignee_id": ME["id"],
            "customer": customer,
            "customer_present": True,
            "waiting_since_ms": None,
            "unanswered": 0,
            "queued_at_ms": None,
            "opened_at_ms": now - 600_000,
            "resolved_at_ms": None,
            "snoozed_until_ms": None,
            "session_no": 1,
            "last_message": None,
            "last_activity_at_ms": now - 600_000,
            "tags": [],
            "entry_page": None,
            "rating": None,
            "conversation_seq": 0,
            "reopened": False,
        } | change
        card: Json = blank(customer["id"]) | {
            **customer,
            "email": None,
            "phone": None,
            "identity": "verified" if customer["verified"] else "claimed" if name else "anonymous",
            "external_id": "1004417" if customer["verified"] else None,
            "created_at_ms": now - 86_400_000 * 200,
            "last_seen_at_ms": now - 60_000,
            "conversations": [],
            "conversation_count": 1,
        }
        conversation = Conversation(summary, card)
        self.conversations[id] = conversation
        return conversation

    def record(
        self,
        conversation: Conversation,
        kind: str,
        data: Json,
        *,
        actor: Mapping[str, str | None] | None = None,
        at_ms: int | None = None,
    ) -> Json:
        """Appends an event and gives its envelope; the summary follows."""
        summary = conversation.summary
        at_ms = at_ms or self.now_ms()
        summary["conversation_seq"] += 1
        envelope = {
            "seq": 1000 + summary["conversation_seq"],
            "kind": kind,
            "at_ms": at_ms,
            "actor": dict(actor or {"kind": "system", "id": "system", "name": None}),
            "conversation_id": summary["id"],
            "conversation_seq": summary["conversation_seq"],
            "data": data,
        }
        conversation.events.append(envelope)
        summary["last_activity_at_ms"] = at_ms
        if kind == "message.posted":
            self._note_message(conversation, data["message"])
        return self.envelope(conversation, envelope)

    def envelope(self, conversation: Conversation, event: Json) -> Json:
        """The event with the state it left, as the staff receives it."""
        return event | {"state": dict(conversation.summary)}

    def message(
        self,
        conversation: Conversation,
        body: str,
        *,
        by: str = "customer",
        visibility: str = "public",
        client_id: str = "",
        at_ms: int | None = None,
        blocks: list[Json] | None = None,
    ) -> Json:
        """A message of the customer, or of the agent with this id; gives its envelope."""
        summary = conversation.summary
        author: Json = (
            {
                "kind": "customer",
                "id": summary["customer"]["id"],
                "name": summary["customer"]["name"],
            }
            if by == "customer"
            else {"kind": "agent", "id": by, "name": self.agents[by]["name"]}
        )
        message: Json = {
            "id": f"msg_{summary['id']}_{summary['conversation_seq'] + 1}",
            "client_id": client_id,
            "body": body,
            "blocks": blocks or [],
            "visibility": visibility,
            "origin": "typed",
            "author": author,
            "at_ms": at_ms or self.now_ms(),
        }
        return self.record(
            conversation,
            "message.posted",
            {"message": message},
            actor=author,
            at_ms=message["at_ms"],
        )

    def _note_message(self, conversation: Conversation, message: Json) -> None:
        summary = conversation.summary
        by = message["author"]["kind"]
        summary["last_message"] = {
            "id": message["id"],
            "preview": message["body"][:140],
            "author_kind": by,
            "author_name": message["author"]["name"],
            "visibility": message["visibility"],
            "at_ms": message["at_ms"],
        }
        if message["visibility"] == "private":
            return
        turns = conversation.turns
        if by == "customer":
            summary["unanswered"] += 1
            if summary["waiting_since_ms"] is None:
                summary["waiting_since_ms"] = message["at_ms"]
                turns.append(
                    {
                        "turn_no": len(turns) + 1,
                        "session_no": 1,
                        "is_first_in_session": not turns,
                        "ask_at_ms": message["at_ms"],
                        "ask_message_id": message["id"],
                        "reply_message_id": None,
                        "outcome": "waiting",
                        "elapsed_ms": None,
                        "answered_by": None,
                    }
                )
        else:
            if summary["waiting_since_ms"] is not None:
                turns[-1] |= {
                    "reply_message_id": message["id"],
                    "outcome": "answered",
                    "elapsed_ms": message["at_ms"] - turns[-1]["ask_at_ms"],
                    "answered_by": message["author"]["id"],
                }
            summary.update(waiting_since_ms=None, unanswered=0, queued_at_ms=None)

    def load(self) -> Json:
        """The answer of desk.load."""
        rows = [row.summary for row in self.conversations.values()]
        open_rows = [dict(row) for row in rows if row["status"] in ("open", "snoozed")]
        return {
            "me": self.agents[ME["id"]],
            "shop": self.shop(),
            "agents": list(self.agents.values()),
            "teams": self.teams,
            "conversations": open_rows,
            "counts": {"mine": 0, "queue": 0, "open": len(open_rows), "resolved_today": 34},
            "server_at_ms": self.now_ms(),
        }

    def shop(self) -> Json:
        """What people see of the shop."""
        return {
            "name": "Mori & Oak",
            "locale": "en",
            "timezone": "Asia/Shanghai",
            "currency": "CNY",
            "targets": self.targets,
        }


class Refused(Exception):
    """A command that is answered with an error."""

    def __init__(self, code: str, **details: object) -> None:
        """The code goes to the client, the details beside it."""
        super().__init__(code)
        self.code = code
        self.details = details


class Peer:
    """The server on a thread of its own. Tests call its methods from theirs."""

    def __init__(self) -> None:
        """Not started yet; start() gives it a free port, which restart() keeps."""
        self.desk = Desk()
        self.received: list[tuple[str, Json]] = []
        self.refusals: dict[str, list[Refused]] = {}
        self.lose_answers: dict[str, int] = {}
        # Commands that are done and answered at once, but whose answers are on their way until a
        # test lets them arrive.
        self.held: set[str] = set()
        self.mute = False
        self.accounted: dict[str, Json] = {}
        # What is offered, by the text that is asked with (None: the customer's own).
        self.offers: dict[str | None, Json] = {}
        self.articles: list[Json] = []
        self.similar: list[Json] = []
        self.tried: dict[str, list[Json]] = {}
        self.hold_offers: set[str | None] = set()
        self.replies: list[Json] = []
        self.signed_out = False
        self.connections = 0
        self.locale: render.Locale = "en"
        self._loop = asyncio.new_event_loop()
        self._sio = socketio.AsyncServer(async_mode="aiohttp", namespaces=[NAMESPACE])
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self.port = 0
        self._sio.on("connect", self._on_connect, namespace=NAMESPACE)
        self._sio.on("*", self._on_command, namespace=NAMESPACE)

    @property
    def url(self) -> str:
        """Where the console is."""
        return f"http://{HOST}:{self.port}/console"

    def start(self) -> Peer:
        """Serves until close()."""
        self._thread.start()
        self.port = free_port()
        self._await(self._serve(self.port))
        return self

    def close(self) -> None:
        """Ends the server and its thread."""
        if self._runner is not None:
            self.stop()
        self._await(self._cancel_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_LIMIT_S)
        self._loop.close()

    async def _cancel_tasks(self) -> None:
        # The library leaves its pings running.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def stop(self) -> None:
        """Ends the server; what the desk knows stays."""
        runner, self._runner = self._runner, None
        if runner is not None:
            self._await(self._end(runner))

    def restart(self) -> None:
        """Serves again on the same port."""
        self._sio = socketio.AsyncServer(async_mode="aiohttp", namespaces=[NAMESPACE])
        self._sio.on("connect", self._on_connect, namespace=NAMESPACE)
        self._sio.on("*", self._on_command, namespace=NAMESPACE)
        self._await(self._serve(self.port))

    def run(self, action: Callable[[Desk], T]) -> T:
        """Changes the desk without telling the console."""

        async def act() -> T:
            return action(self.desk)

        return self._await(act())

    def tell(self, action: Callable[[Desk], Json | list[Json]]) -> Json:
        """Changes the desk and sends the envelope(s) it gives; gives the last one."""

        async def act() -> Json:
            made = action(self.desk)
            for envelope in made if isinstance(made, list) else [made]:
                await self._sio.emit("event", envelope, namespace=NAMESPACE)
            return made[-1] if isinstance(made, list) else made

        return self._await(act())

    def send(self, event: str, data: Json) -> None:
        """Sends anything, once more or out of order, as a network would."""
        self._await(self._sio.emit(event, data, namespace=NAMESPACE))

    def signal(self, kind: str, **data: Any) -> None:  # Any: JSON
        """Sends what is not stored."""
        self.send("signal", {"kind": kind, "data": data})

    def refuse(self, command: str, code: str, **details: object) -> None:
        """Answers the next such command with an error."""
        self.refusals.setdefault(command, []).append(Refused(code, **details))

    def asked(self, command: str) -> list[Json]:
        """The payloads of such commands that came so far."""
        return [payload for name, payload in list(self.received) if name == command]

    def wait_asked(self, command: str, count: int = 1) -> list[Json]:
        """Waits until so many such commands came, and gives their payloads."""
        return wait_until(
            lambda: found if len(found := self.asked(command)) >= count else [], what=command
        )

    def drop_connections(self) -> None:
        """Cuts every connection, as a lost network does."""

        async def cut() -> None:
            server = self._runner.server if self._runner else None
            for connection in server.connections if server else []:
                if connection.transport is not None:
                    connection.transport.abort()

        self._await(cut())

    def _await(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(ANSWER_LIMIT_S)

    async def _serve(self, port: int) -> None:
        app = web.Application()
        self._sio.attach(app)
        app.router.add_get("/console", self._console)
        app.router.add_get("/notices/count", self._marks)
        app.router.add_get("/sign-in", self._other_page)
        app.router.add_post("/sign-out", self._other_page)
        app.router.add_get("/static/test/{path:.+}", self._static)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port, reuse_address=True).start()

    async def _end(self, runner: web.AppRunner) -> None:
        await self._sio.shutdown()
        await runner.cleanup()

    async def _marks(self, _: web.Request) -> web.Response:
        return web.json_response({"late": self.desk.late, "unread": 0})

    async def _console(self, request: web.Request) -> web.Response:
        locale = cast(render.Locale, request.query.get("lang", self.locale))
        text = render.page(
            "console.html",
            locale=locale,
            theme=request.cookies.get("shopbell.theme", "auto"),
            static_url="/static/test",
            csrf="token-of-the-form",
            person=SimpleNamespace(**ME, role="admin"),
            messages=render.messages(locale, "console"),
        )
        return web.Response(
            text=text, content_type="text/html", headers={"Content-Security-Policy": POLICY}
        )

    async def _static(self, request: web.Request) -> web.Response:
        path = STATIC_DIR / request.match_info["path"]
        if not path.is_file():
            raise web.HTTPNotFound
        return web.Response(body=lean(path), content_type=TYPES[path.suffix])

    async def _other_page(self, request: web.Request) -> web.Response:
        token = (await request.post()).get("csrf", "") if request.method == "POST" else ""
        return web.Response(
            text=f"<title>{request.path} {token!s}</title>", content_type="text/html"
        )

    async def _on_connect(self, sid: str, _environ: Json, _auth: Json | None) -> None:
        if self.signed_out:
            raise socketio.exceptions.ConnectionRefusedError("not_signed_in")
        self.connections += 1
        heads = [
            {key: row.summary[key] for key in ("id", "status", "conversation_seq")}
            for row in self.desk.conversations.values()
            if row.summary["status"] in ("open", "snoozed")
        ]
        welcome = {
            "agent": self.desk.agents[ME["id"]],
            "conversations": heads,
            "shop": self.desk.shop(),
            "server_at_ms": self.desk.now_ms(),
        }
        await self._sio.emit("welcome", welcome, to=sid, namespace=NAMESPACE)

    async def _on_command(self, event: str, sid: str, payload: Json) -> Json:
        self.received.append((event, payload))
        if self.refusals.get(event):
            refused = self.refusals[event].pop(0)
            return self._error(refused)
        try:
            answer = {"ok": True, **await COMMANDS[event](self, payload)}
        except Refused as refused:
            return self._error(refused)
        while event in self.held:  # steered from another thread
            await let_time_pass(0.01)
        if self.lose_answers.get(event):
            # The work is done and stored, but the connection is lost before the answer is out.
            self.lose_answers[event] -= 1
            await self._sio.disconnect(sid, namespace=NAMESPACE)
        return answer

    @staticmethod
    def _error(refused: Refused) -> Json:
        error = {"code": refused.code, "message": refused.code, "details": refused.details}
        return {"ok": False, "error": error}

    async def emit(self, envelope: Json) -> None:
        """Sends an envelope; for commands."""
        if self.mute:
            return
        await self._sio.emit("event", envelope, namespace=NAMESPACE)

    async def change(
        self,
        payload: Json,
        kind: str,
        data: Json,
        **change: Any,  # Any: fields of the summary
    ) -> Json:
        """Records what the person signed in did, tells everybody, and gives the new summary."""
        conversation = self.find(payload)
        conversation.summary.update(change)
        actor = {"kind": "agent", "id": ME["id"], "name": ME["name"]}
        await self.emit(self.desk.record(conversation, kind, data, actor=actor))
        return {"conversation": dict(conversation.summary)}

    def find(self, payload: Json) -> Conversation:
        """The conversation of a payload; not_found without one."""
        conversation = self.desk.conversations.get(payload["conversation_id"])
        if conversation is None:
            raise Refused("not_found")
        return conversation


async def _load(peer: Peer, _payload: Json) -> Json:
    return peer.desk.load()


async def _list(peer: Peer, payload: Json) -> Json:
    rows = [row.summary for row in peer.desk.conversations.values()]
    if payload["view"] == "resolved":
        rows = [row for row in rows if row["status"] in ("resolved", "closed")]
    if query := payload.get("query", "").lower():
        rows = [row for row in rows if query in str((row["customer"], row["last_message"])).lower()]
    rows.sort(key=lambda row: row["last_activity_at_ms"], reverse=True)
    rows = [row for row in rows if row["last_activity_at_ms"] < payload.get("before_ms", 1 << 60)]
    limit = payload.get("limit", 50)
    more = rows[limit - 1]["last_activity_at_ms"] if len(rows) > limit else None
    return {"conversations": [dict(row) for row in rows[:limit]], "next_before_ms": more}


async def _open(peer: Peer, payload: Json) -> Json:
    conversation = peer.find(payload)
    return {
        "conversation": dict(conversation.summary),
        "events": conversation.events[-200:],
        "complete": len(conversation.events) <= 200,
        "customer": conversation.card,
        "read_marks": [*conversation.marks],
        "draft": conversation.draft,
        "turns": [*conversation.turns],
        "viewing": conversation.viewing,
    }


async def _catch_up(peer: Peer, payload: Json) -> Json:
    conversation = peer.find(payload)
    if before := payload.get("before_seq"):
        events = [row for row in conversation.events if row["conversation_seq"] < before][-200:]
        complete = not events or events[0]["conversation_seq"] == 1
    else:
        events = [
            row for row in conversation.events if row["conversation_seq"] > payload["after_seq"]
        ]
        complete = len(events) <= 200
        events = events[:200]
    return {"events": events, "complete": complete, "conversation": dict(conversation.summary)}


async def _post(peer: Peer, payload: Json) -> Json:
    conversation = peer.find(payload)
    known = peer.accounted.get(payload["client_id"])
    if known is not None:
        return known
    fields = {"client_id": payload["client_id"], "visibility": payload["visibility"]}
    if conversation.summary["assignee_id"] is None and payload["visibility"] == "public":
        conversation.summary["assignee_id"] = ME["id"]
    blocks = payload.get("blocks")
    envelope = peer.desk.message(
        conversation, payload["body"], by=ME["id"], blocks=blocks, **fields
    )
    answer = {
        "message_id": envelope["data"]["message"]["id"],
        "conversation_id": payload["conversation_id"],
        "conversation_seq": envelope["conversation_seq"],
        "at_ms": envelope["at_ms"],
    }
    peer.accounted[payload["client_id"]] = answer
    await peer.emit(envelope)
    return answer


async def _claim(peer: Peer, payload: Json) -> Json:
    data = {"to": ME, "reason": "claim", "why": None}
    return await peer.change(
        payload, "assignment.accepted", data, assignee_id=ME["id"], queued_at_ms=None
    )


async def _transfer(peer: Peer, payload: Json) -> Json:
    agent = peer.desk.agents.get(payload.get("agent_id", ""))
    team = next((row for row in peer.desk.teams if row["id"] == payload.get("team_id")), None)
    to = agent and {"id": agent["id"], "name": agent["name"]}
    data = {"from": ME, "to": to, "team": team, "reason": "transfer", "note": payload.get("note")}
    change = {"assignee_id": agent["id"] if agent else None}
    if team:
        change |= {"team_id": team["id"], "queued_at_ms": peer.desk.now_ms()}
    return await peer.change(payload, "assignment.changed", data, **change)


async def _resolve(peer: Peer, payload: Json) -> Json:
    data = {"status": "resolved", "previous": "open"}
    change = {"status": "resolved", "resolved_at_ms": peer.desk.now_ms(), "waiting_since_ms": None}
    return await peer.change(payload, "conversation.status_changed", data, **change)


async def _reopen(peer: Peer, payload: Json) -> Json:
    data = {"status": "open", "previous": peer.find(payload).summary["status"]}
    change = {"status": "open", "resolved_at_ms": None, "snoozed_until_ms": None, "reopened": True}
    return await peer.change(payload, "conversation.status_changed", data, **change)


async def _snooze(peer: Peer, payload: Json) -> Json:
    until = payload["until_ms"]
    data = {"status": "snoozed", "previous": "open", "until_ms": until}
    return await peer.change(
        payload, "conversation.status_changed", data, status="snoozed", snoozed_until_ms=until
    )


async def _spam(peer: Peer, payload: Json) -> Json:
    data = {"status": "closed", "previous": "open"}
    return await peer.change(
        payload, "conversation.status_changed", data, status="closed", waiting_since_ms=None
    )


async def _tag(peer: Peer, payload: Json) -> Json:
    tags = peer.find(payload).summary["tags"]
    add, remove = payload.get("add", []), payload.get("remove", [])
    tags = [tag for tag in [*tags, *add] if tag not in remove]
    return await peer.change(
        payload, "conversation.tagged", {"add": add, "remove": remove}, tags=tags
    )


async def _dismiss(peer: Peer, payload: Json) -> Json:
    data = {"reason": payload["reason"]}
    return await peer.change(payload, "turn.dismissed", data, waiting_since_ms=None, unanswered=0)


async def _presence(peer: Peer, payload: Json) -> Json:
    me = peer.desk.agents[ME["id"]]
    me.update(payload)
    return {"me": dict(me)}


async def _draft(peer: Peer, payload: Json) -> Json:
    draft = {key: payload[key] for key in ("body", "visibility")}
    draft["updated_at_ms"] = peer.desk.now_ms()
    peer.find(payload).draft = draft if payload["body"] else None
    return {"updated_at_ms": draft["updated_at_ms"]}


async def _customer(peer: Peer, payload: Json) -> Json:
    for row in peer.desk.conversations.values():
        if row.card["id"] == payload["customer_id"]:
            said: Json = {
                key: payload[key] or None for key in ("name", "email", "phone") if key in payload
            }
            row.card.update(said)
            row.card["contacts"] = [
                contact(row.card["id"], kind, row.card[kind])
                for kind in ("email", "phone")
                if row.card[kind]
            ]
            return {"customer": row.card}
    raise Refused("not_found")


def _card_of(peer: Peer, payload: Json) -> Json:
    for row in peer.desk.conversations.values():
        if row.card["id"] == payload["customer_id"]:
            return row.card
    raise Refused("not_found")


async def _card(peer: Peer, payload: Json) -> Json:
    return {"customer": _card_of(peer, payload)}


async def _note(peer: Peer, payload: Json) -> Json:
    card = _card_of(peer, payload)
    known = card["note"]["version"] if card["note"] else 0
    if payload["version"] != known:
        raise Refused("conflict", reason="note_changed", note=card["note"], yours=payload["body"])
    made = {"body": payload["body"], "version": known + 1, "at_ms": peer.desk.now_ms()}
    card["note"] = made | {"by": ME["name"]} if payload["body"] else None
    return {"customer": card}


async def _tag_customer(peer: Peer, payload: Json) -> Json:
    card = _card_of(peer, payload)
    kept = [tag for tag in card["tags"] if tag not in payload.get("remove", [])]
    card["tags"] = [*kept, *payload.get("add", [])]
    return {"customer": card}


async def _reveal(peer: Peer, payload: Json) -> Json:
    _card_of(peer, payload)
    value = "lin.yue@example.com" if payload["kind"] == "email" else "13800132207"
    return {"kind": payload["kind"], "value": value}


async def _verify(peer: Peer, payload: Json) -> Json:
    card = _card_of(peer, payload)
    right = (payload["order_number"], payload["postcode"]) == ("1001", "310000")
    if right:
        card.update(possible=[], identity="verified", verified=True)
    return {"verified": right, "customer": card}


async def _unmerge(peer: Peer, payload: Json) -> Json:
    for row in peer.desk.conversations.values():
        if any(link["link_id"] == payload["link_id"] for link in row.card["merged"]):
            row.card["merged"] = []
            return {"customer": row.card}
    raise Refused("not_found")


async def _suggest(peer: Peer, payload: Json) -> Json:
    text = payload.get("text")
    while text in peer.hold_offers:  # steered from another thread
        await let_time_pass(0.01)
    nothing: Json = {"suggestion_id": None, "kb_seq": 0, "band": "none", "items": []}
    return nothing | {"corrections": {}, "took_ms": 0.4} | peer.offers.get(text, {})


async def _replies(peer: Peer, payload: Json) -> Json:
    words = payload["text"].lower()
    return {"items": [row for row in peer.replies if words in f"{row['shortcut']} {row['title']}"]}


async def _similar(peer: Peer, _payload: Json) -> Json:
    return {"items": peer.similar, "took_ms": 3.1}


async def _tried(peer: Peer, payload: Json) -> Json:
    return {"items": peer.tried.get(payload["conversation_id"], [])}


async def _search(peer: Peer, payload: Json) -> Json:
    items = [row for row in peer.articles if payload["text"].lower() in row["title"].lower()]
    return {"kb_seq": 1, "band": "suggest", "items": items, "corrections": {}, "took_ms": 2.0}


async def _types(_peer: Peer, _payload: Json) -> Json:
    names = {"question": ("Question", "咨询"), "refund": ("Refund request", "退款")}
    return {
        "items": [
            {"id": key, "name": {"en": en, "zh": zh}, "fields": []}
            for key, (en, zh) in names.items()
        ]
    }


async def _ticket(_peer: Peer, _payload: Json) -> Json:
    return {"number": "T-4K2M9PX7", "alike": []}


async def _nothing(_peer: Peer, _payload: Json) -> Json:
    return {}


COMMANDS: dict[str, Callable[[Peer, Json], Awaitable[Json]]] = {
    "desk.load": _load,
    "conversation.list": _list,
    "conversation.open": _open,
    "conversation.catch_up": _catch_up,
    "message.post": _post,
    "conversation.claim": _claim,
    "conversation.transfer": _transfer,
    "conversation.resolve": _resolve,
    "conversation.reopen": _reopen,
    "conversation.snooze": _snooze,
    "conversation.spam": _spam,
    "conversation.tag": _tag,
    "turn.dismiss": _dismiss,
    "presence.set": _presence,
    "draft.set": _draft,
    "customer.update": _customer,
    "customer.card": _card,
    "customer.note": _note,
    "customer.tag": _tag_customer,
    "customer.verify": _verify,
    "customer.unmerge": _unmerge,
    "contact.reveal": _reveal,
    "suggestion.ask": _suggest,
    "suggestion.accept": _nothing,
    "suggestion.dismiss": _nothing,
    "reply.find": _replies,
    "article.search": _search,
    "conversation.similar": _similar,
    "answer.tried": _tried,
    "ticket.types": _types,
    "ticket.create": _ticket,
    "typing.set": _nothing,
    "viewing.set": _nothing,
    "focus.record": _nothing,
    "message.mark_read": _nothing,
}
