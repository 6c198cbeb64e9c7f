"""What the HTTP edge is given by the composition root, typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

from aiohttp import web

from server.actions.article_uploads import Reading
from server.actions.payload import Payload
from server.config import Settings
from server.files.desk import FileDesk
from server.files.pictures import Picture
from server.knowledge.keeper import Knowledge
from server.storage.database import Database

DATABASE = web.AppKey("database", Database)
SETTINGS = web.AppKey("settings", Settings)
KNOWLEDGE = web.AppKey("knowledge", Knowledge)
FILES = web.AppKey("files", FileDesk)
READ_ARTICLES: web.AppKey[Callable[[Sequence[tuple[str, bytes]], ZoneInfo], Reading]] = web.AppKey(
    "read_articles"
)
"""The articles of uploaded files, by their names. May take long: for a thread."""
FETCH_PICTURE: web.AppKey[Callable[[str], Awaitable[Picture | None]]] = web.AppKey("fetch_picture")
"""Optional: the picture at an address elsewhere, drawn anew, or None where none may be shown."""
NOT_READY: web.AppKey[Callable[[], str | None]] = web.AppKey("not_ready")
"""Optional: why this process should get no traffic now (it drains, the broker is away), or None."""
DEGRADED: web.AppKey[Callable[[], list[str]]] = web.AppKey("degraded")
"""Optional: what does not work just now and costs no more than delay (a carrier of news)."""
SOCKET_COMMANDS: web.AppKey[Mapping[str, Mapping[str, type[Payload]]]] = web.AppKey(
    "socket_commands"
)
"""Optional: the payload of each command of each namespace, for their description."""
