"""The descriptions: valid by the official schemas, complete, and readable without a script."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from openapi_spec_validator import validate

from server.domain.events import EVENT_KINDS
from server.domain.scopes import SCOPES
from server.http import keys
from server.http.api.rows import ROOT
from server.http.api.sockets import ANSWERS, SIGNALS
from server.http.api.table import ROWS
from server.realtime.wire import COMMANDS
from tests.api.caller import Caller
from tests.http.desk import Desk, served
from tests.support.tools import require

if TYPE_CHECKING:
    from server.storage.database import Database

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NAMES = {(space, name) for space, rows in COMMANDS.items() for name in rows}


def _sockets(app: web.Application) -> None:
    app[keys.SOCKET_COMMANDS] = {
        space: {name: command.payload for name, command in rows.items()}
        for space, rows in COMMANDS.items()
    }


@pytest_asyncio.fixture
async def desk(open_database: Callable[..., Database], data_dir: Path) -> AsyncIterator[Desk]:
    """A server that knows the commands of the sockets, as the composition root tells it."""
    async with served(open_database, data_dir, add=_sockets) as desk:
        yield desk


async def _document(desk: Desk, name: str) -> Any:
    caller = Caller(desk.url, None)
    answer = await caller.get(f"/{name}")
    await caller.close()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    return answer.value


@one_database
async def test_openapi_is_valid_and_has_every_row(desk: Desk) -> None:
    document = await _document(desk, "openapi.json")
    validate(document)
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert set(described) == {(row.method, row.path) for row in ROWS}
    names = [operation["operationId"] for operation in described.values()]
    assert len(names) == len(set(names))
    assert set(document["x-scopes"]) == set(SCOPES)
    used = set(re.findall(r"#/components/schemas/([\w.-]+)", orjson.dumps(document).decode()))
    assert used == set(document["components"]["schemas"])


@one_database
async def test_asyncapi_is_valid_and_has_every_command_kind_and_signal(desk: Desk) -> None:
    document = await _document(desk, "asyncapi.json")
    schema = orjson.loads(require("asyncapi").read_bytes())
    jsonschema.validators.validator_for(schema)(schema).validate(document)
    asked = {
        (document["channels"][name.partition(".")[0]]["address"], name.partition(".")[2])
        for name, operation in document["operations"].items()
        if operation["action"] == "receive"
    }
    assert asked == NAMES
    staff = document["channels"]["agent"]["messages"]
    told = {name for name in staff if name.startswith("event")}
    assert len(told) == len(EVENT_KINDS)
    text = orjson.dumps(document).decode()
    for name in re.findall(r'"\$ref":"#/([^"]+)"', text):
        place = document
        for part in name.split("/"):
            place = place[part]


def test_every_command_has_its_answer_described() -> None:
    assert set(ANSWERS) == NAMES


@one_database
async def test_the_page_shows_every_call_command_event_and_signal(desk: Desk) -> None:
    for lang in ("en", "zh"):
        answer = await desk.visitor().get(f"{ROOT}/docs?lang={lang}")
        assert answer.status == 200
        for row in ROWS:
            assert f"{ROOT}{row.path}".replace("{", "{") in answer.text
            assert f'id="{row.name}"' in answer.text
        for name in {name for _, name in NAMES} | set(EVENT_KINDS) | {n for _, n in SIGNALS}:
            assert f"<code>{name}</code>" in answer.text, name
        for scope in SCOPES:
            assert f"<code>{scope}</code>" in answer.text
        for target in set(re.findall(r'href="#([^"]+)"', answer.text)):
            assert f'id="{target}"' in answer.text, target
        assert len(re.findall(r'id="([^"]+)"', answer.text)) == len(
            set(re.findall(r'id="([^"]+)"', answer.text))
        )


@one_database
async def test_the_page_needs_no_sign_in_and_no_script(desk: Desk) -> None:
    answer = await desk.visitor().get(f"{ROOT}/docs")
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert all("/js/pages.js" in script for script in scripts), "theme and menu only"
    assert "onclick" not in answer.text
    assert "style=" not in answer.text
