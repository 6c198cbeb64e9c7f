"""A program with a token: calls the API, and knows what each answer has to look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON
from urllib.parse import quote

import aiohttp
import orjson

from server.http.api.rows import Row
from tests.http.desk import Desk

Json = dict[str, Any]  # Any: JSON
ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Any  # Any: a multidict
    body: bytes

    @property
    def value(self) -> Any:  # Any: JSON
        return orjson.loads(self.body) if self.body else None

    @property
    def code(self) -> str:
        """The code of a refusal."""
        assert set(self.value) == {"error"}, self.value
        assert set(self.value["error"]) == {"code", "message", "details"}
        return str(self.value["error"]["code"])


class Caller:
    """Calls with one token; without one when it is None."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = url
        self.headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, path: str, body: object = None, **options: Any
    ) -> Answer:  # Any: handed on
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = self.headers | options.pop("headers", {})
        key = options.pop("key", None)
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            options["data"] = orjson.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        async with self._session.request(
            method, self.url + ROOT + path, headers=headers, allow_redirects=False, **options
        ) as response:
            return Answer(response.status, response.headers.copy(), await response.read())

    async def get(self, path: str, **params: object) -> Answer:
        query = {key: str(value) for key, value in params.items() if value is not None}
        return await self.call("GET", path, params=query)

    async def every(self, path: str, *, begin: str | None = None, **params: object) -> list[Json]:
        """All items of a list, page after page, from a cursor on if one is given."""
        items: list[Json] = []
        cursor = begin
        while True:
            page = await self.get(path, cursor=cursor, **params)
            assert page.status == 200, page.body
            items += page.value["items"]
            cursor = page.value["next_cursor"]
            if cursor is None or page.value.get("more") is False:
                return items

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def make_token(desk: Desk, who: str, **values: Any) -> str:  # Any: handed on
    """A token of one of the desk's people."""
    from server.actions.people import create_token

    token: str = await desk.write(create_token, name="test", agent_id=desk.people[who], **values)
    return token


async def call_row(
    caller: Caller, row: Row, values: Mapping[str, object], **options: Any
) -> Answer:  # Any: handed on
    """Calls a row with values by the names of its fields; those that it does not have are left."""
    path = row.path
    for name in row.variables:
        path = path.replace(f"{{{name}}}", quote(str(values[name]), safe=""))
    names = {field.alias or name for name, field in row.payload.model_fields.items()}
    rest = {
        name: value
        for name, value in values.items()
        if name in names - {*row.variables} and value is not None
    }
    if row.method == "GET" or row.in_portions:
        options["params"] = {name: str(value) for name, value in rest.items()}
        return await caller.call(row.method, path, **options)
    return await caller.call(row.method, path, rest if row.has_body else None, **options)
