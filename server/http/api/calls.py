"""One way for every call: who asks, may they, what do they ask for, the answer, once."""

from __future__ import annotations

import hashlib
import re
import time
from concurrent.futures import Future
from functools import partial
from typing import Any  # Any: JSON values
from urllib.parse import urlencode

import orjson
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from server.actions.desk import Look
from server.actions.payload import Payload, parse, parse_texts
from server.actions.posted_rows import ImportRows
from server.dispatch import ask
from server.domain.errors import AppError, Conflict, InvalidInput, NotSignedIn
from server.domain.permissions import require
from server.domain.scopes import Scope, require_scope
from server.domain.spans import MINUTE_MS
from server.http.api.pace import Paces
from server.http.api.portions import SIGNATURE, read_lines, signer, take_portions
from server.http.api.rows import Json, Row
from server.http.bodies import json_response, read_json
from server.http.keys import DATABASE, KNOWLEDGE, SETTINGS
from server.storage.kept_answers import Kept, find_kept, keep
from server.storage.tokens import Bearer, bearer_of_token, touch_token
from server.storage.unit import Tx

log = structlog.stdlib.get_logger("shopbell.http")
PACES = web.AppKey("api_paces", Paces)
TOUCH_EVERY_MS = MINUTE_MS
MAX_TOKEN_CHARS = 200
KEY_HEADER = "Idempotency-Key"
AUTHORIZATION = "Authorization"
_KEY = re.compile(r"[!-~]{1,255}")


def handler_of(row: Row) -> Handler:
    """The handler of a row's route."""
    return partial(_handle, row)


async def _handle(row: Row, request: web.Request) -> web.StreamResponse:
    if row.in_portions and SIGNATURE in request.headers and AUTHORIZATION not in request.headers:
        return await _handle_signed(row, request)
    bearer = await caller(request, scope=row.scope, permission=row.permission)
    key = _key(request) if row.action is not None else None
    payload = await _payload(row, request, bearer, key)
    if row.query is not None:
        answer = await ask(
            request.app[DATABASE],
            row.query,
            bearer.person.actor,
            payload,
            settled=row.settled,
            limit_s=row.limit_s,
        )
        response = json_response(answer, status=row.status)
        _link_to_next(request, response, answer)
        return response
    if row.search is not None:
        app, actor = request.app, bearer.person.actor
        found = await row.search(app[KNOWLEDGE], app[DATABASE], actor, payload)
        return json_response(found, status=row.status)
    if row.check is not None:
        row.check(bearer.scopes, payload)
    if row.in_portions:
        body = await read_lines(request)
        database, owner = request.app[DATABASE], bearer.token_hash
        kept, again = await take_portions(
            database, row, bearer.person.actor, payload, body, owner=owner, key=key
        )
        return _answer(kept, again=again)
    kept, again = await request.app[DATABASE].write(lambda tx: _once(tx, row, bearer, payload, key))
    return _answer(kept, again=again)


async def _handle_signed(row: Row, request: web.Request) -> web.StreamResponse:
    """A source's own rows, signed with its secret instead of sent with a token."""
    source = parse_texts(ImportRows, dict(request.query)).source
    body = await read_lines(request)
    actor = await signer(request.app[DATABASE], source, request.headers[SIGNATURE], body)
    if request.app[SETTINGS].rate_limits:
        request.app[PACES].take(f"source:{source}", time.monotonic())
    key = _key(request)
    payload = parse_texts(row.payload, dict(request.query))
    owner = f"source:{source}"
    kept, again = await take_portions(
        request.app[DATABASE], row, actor, payload, body, owner=owner, key=key
    )
    return _answer(kept, again=again)


async def caller(request: web.Request, *, scope: Scope, permission: str) -> Bearer:
    """Whose token the request shows, who may do this and is not too fast.

    Raises NotSignedIn, NotAllowed, TooMany.
    """
    bearer = await _bearer(request)
    if request.app[SETTINGS].rate_limits:
        request.app[PACES].take(bearer.token_hash, time.monotonic())
    require_scope(bearer.scopes, scope)
    require(bearer.person.actor, permission)
    return bearer


async def _bearer(request: web.Request) -> Bearer:
    """Whose token the request shows. Raises NotSignedIn; cookies do not count here."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARS:
        raise NotSignedIn("Send a token: Authorization: Bearer sb_...")
    database = request.app[DATABASE]
    at_ms = database.clock()
    bearer = await database.read(lambda c: bearer_of_token(c, token, at_ms))
    if bearer is None:
        raise NotSignedIn("This token is unknown, has run out or was taken back.")
    if (bearer.used_at_ms or 0) < at_ms - TOUCH_EVERY_MS:
        _touch(request, bearer)
    return bearer


def _touch(request: web.Request, bearer: Bearer) -> None:
    """Notes the use without waiting: if that fails, an admin sees an older time."""

    def noted(future: Future[None]) -> None:
        if future.exception() is not None:
            log.warning("token_not_touched", error=type(future.exception()).__name__)

    try:
        request.app[DATABASE].submit(
            lambda tx: touch_token(tx, bearer.token_hash)
        ).add_done_callback(noted)
    except AppError as error:
        log.warning("token_not_touched", error=error.code)


def _key(request: web.Request) -> str | None:
    """The idempotency key. Raises InvalidInput for one that is no plain text."""
    keys = request.headers.getall(KEY_HEADER, [])
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise InvalidInput(
            f"{KEY_HEADER} is 1 to 255 printable ASCII characters without spaces.",
            field=KEY_HEADER,
        )
    return keys[0]


async def _payload(row: Row, request: web.Request, bearer: Bearer, key: str | None) -> Payload:
    """What is asked for: the path's variables with the query of a GET, or with the JSON body."""
    named = {name: request.match_info[name] for name in row.variables}
    if row.method == "GET" or row.in_portions:
        given: dict[str, str] = {}
        for name in request.query:
            if len(request.query.getall(name)) > 1:
                raise InvalidInput(f"{name} was sent twice.", field=name)
            given[name] = request.query[name]
        return parse_texts(row.payload, given | named)
    values = await _body(request) if row.has_body else {}
    if key is not None and row.key_as is not None and values.get(row.key_as) is None:
        values[row.key_as] = _as_id(bearer, key)
    return parse(row.payload, values | named)


async def _body(request: web.Request) -> Json:
    """The JSON object of the body; nothing sent is an empty one."""
    if not request.can_read_body:
        return {}
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    values = await read_json(request)
    if not isinstance(values, dict):
        raise InvalidInput("The body must be one JSON object.")
    return values


def _as_id(bearer: Bearer, key: str) -> str:
    """A key of any length as a client id, apart from those of the person's other tokens."""
    digest = hashlib.sha256(f"{bearer.token_hash} {key}".encode()).hexdigest()
    return f"api-{digest[:48]}"


def _once(tx: Tx, row: Row, bearer: Bearer, payload: Payload, key: str | None) -> tuple[Kept, bool]:
    """The action's answer and whether it was given before; one job of the writer.

    What is kept under the key is written in the same transaction, so that either both are there or
    neither is. A refusal is not kept: nothing has happened.
    """
    asked = _digest(row, payload)
    actor = bearer.person.actor
    if key is not None:
        known = find_kept(tx.connection, owner=bearer.token_hash, key=key, at_ms=tx.at_ms)
        if known is not None and known.request != asked:
            raise Conflict(
                "This idempotency key was used for something else. Take a new one.",
                reason="idempotency_key",
            )
        if known is not None:
            return known, True
    assert row.action is not None  # rows have one of query and action

    def finish(answer: Json) -> tuple[Kept, bool]:
        shown = answer
        if row.complete is not None:
            shown = row.complete(Look(tx.connection, actor, tx.at_ms), answer)
        body = "" if row.answer is None else orjson.dumps(shown).decode()
        if key is not None:
            hidden: Json = dict.fromkeys(row.once)
            stored = orjson.dumps(shown | hidden).decode() if hidden else body
            keep(
                tx.connection,
                Kept(asked, row.status, stored),
                owner=bearer.token_hash,
                key=key,
                at_ms=tx.at_ms,
            )
        return Kept(asked, row.status, body), False

    tx.finish_with(finish)
    return row.action(tx, actor, payload)  # type: ignore[return-value]  # ``finish`` completes it


def _digest(row: Row, payload: Payload) -> str:
    """What tells one request from another: the call and everything in it."""
    values = payload.model_dump(mode="json", by_alias=True)
    text = orjson.dumps([row.name, values], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()


def _answer(kept: Kept, *, again: bool) -> web.Response:
    headers = {"Idempotency-Replayed": "true"} if again else {}
    if not kept.body:
        return web.Response(status=kept.status, headers=headers)
    return web.Response(
        body=kept.body.encode(),
        status=kept.status,
        content_type="application/json",
        headers=headers,
    )


def _link_to_next(request: web.Request, response: web.Response, answer: Any) -> None:  # Any: JSON
    """Adds the address of the next page (RFC 8288)."""
    cursor = answer.get("next_cursor") if isinstance(answer, dict) else None
    if cursor is not None:
        query = urlencode({**request.query, "cursor": cursor})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
