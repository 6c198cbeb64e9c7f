"""Bodies of many lines: read whole, taken in portions, answered once.

A transaction is kept short for those who chat, so a body takes several. One that ends halfway, by a
fault or a restart, is sent again: what is there already changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

import orjson
from aiohttp import web

from server.actions.payload import Payload
from server.actions.posted_rows import ImportRows, Line, Portion
from server.dispatch import Action
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import Conflict, NotSignedIn, TooLarge
from server.domain.hooks import check_timed
from server.http.api.rows import Json, Row
from server.http.bodies import read_body
from server.storage.database import Database
from server.storage.kept_answers import Kept, find_kept, keep
from server.storage.shop_sources import load_source
from server.storage.unit import Tx

NDJSON = ("application/x-ndjson", "text/plain")
_TAKEN = frozenset({*NDJSON, "application/ndjson", "application/jsonl", "application/json"})
SIGNATURE = "X-Signature"
MOST_BYTES = 4 * 1024 * 1024
MOST_LINES = 2000
PORTION = 100
MAX_LINE_BYTES = 256 * 1024
_BOM = b"\xef\xbb\xbf"


async def read_lines(request: web.Request) -> bytes:
    """The body. Raises TooLarge, and HTTPUnsupportedMediaType for another sort."""
    if request.can_read_body and request.content_type not in _TAKEN:
        raise web.HTTPUnsupportedMediaType
    return await read_body(request, MOST_BYTES)


async def signer(database: Database, source: str | None, header: str, body: bytes) -> Actor:
    """Who sends rows with a source's signature. Raises NotSignedIn, also for no such source."""
    if source is None:
        raise NotSignedIn("Name the source whose secret signs: ?source=NAME.", reason="source")
    found = await database.read(lambda c: load_source(c, source))
    secrets = () if found is None else found.secrets(database.clock())
    if not secrets:
        raise NotSignedIn("There is no such source, or it has no secret.", reason="source")
    check_timed(header, secrets, body, database.clock())
    return SYSTEM


async def take_portions(
    database: Database,
    row: Row,
    actor: Actor,
    payload: Payload,
    body: bytes,
    *,
    owner: str,
    key: str | None,
) -> tuple[Kept, bool]:
    """What became of all lines, and whether it was answered before under the same key.

    Raises TooLarge, and Conflict for a key that was used for another body.
    """
    assert row.action is not None  # the rows of the table are tested for it
    assert isinstance(payload, ImportRows)  # likewise
    action = row.action
    lines = _lines(body)
    asked = hashlib.sha256(f"{row.name} {payload.source} ".encode() + body).hexdigest()
    if key is not None:
        known = await database.write(
            lambda tx: find_kept(tx.connection, owner=owner, key=key, at_ms=tx.at_ms)
        )
        if known is not None and known.request != asked:
            raise Conflict(
                "This idempotency key was used for something else. Take a new one.",
                reason="idempotency_key",
            )
        if known is not None:
            return known, True
    if row.arranged is not None:
        lines = row.arranged(lines)
    answer: Json = {"accepted": 0, "unchanged": 0, "rejected": []}
    for start in range(0, max(len(lines), 1), PORTION):
        portion = Portion(source=payload.source, lines=tuple(lines[start : start + PORTION]))
        _add(answer, await database.write(partial(_taken, action, actor, portion)))
    answer["rejected"].sort(key=lambda one: one["line"])
    kept = Kept(asked, row.status, orjson.dumps(answer).decode())
    if key is not None:
        await database.write(lambda tx: _keep(tx, kept, owner=owner, key=key))
    return kept, False


def _taken(action: Action[Portion], actor: Actor, portion: Portion, tx: Tx) -> Json:
    return action(tx, actor, portion)


def _keep(tx: Tx, kept: Kept, *, owner: str, key: str) -> None:
    """Writes the answer down, unless the same call came twice at once and was quicker."""

    def finish(answer: None) -> None:
        if find_kept(tx.connection, owner=owner, key=key, at_ms=tx.at_ms) is None:
            keep(tx.connection, kept, owner=owner, key=key, at_ms=tx.at_ms)
        return answer

    tx.finish_with(finish)


def _add(answer: Json, part: Json) -> None:
    answer["accepted"] += part["accepted"]
    answer["unchanged"] += part["unchanged"]
    answer["rejected"] += part["rejected"]


def _lines(body: bytes) -> list[Line]:
    """The lines that are not blank, with their numbers. Raises TooLarge."""
    given: Sequence[bytes] = body.removeprefix(_BOM).split(b"\n")
    lines = [(number, line) for number, line in enumerate(given, 1) if line.strip()]
    if len(lines) > MOST_LINES:
        raise TooLarge(f"At most {MOST_LINES} lines at once.", limit=MOST_LINES)
    if any(len(line) > MAX_LINE_BYTES for _, line in lines):
        raise TooLarge(f"A line is longer than {MAX_LINE_BYTES} bytes.", limit=MAX_LINE_BYTES)
    return lines
