"""Static files and the widget: exactly the known ones, fast, and for ever where that is safe."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import agent_ui
import widget
from agent_ui.lean import lean
from server.domain.errors import Unavailable
from server.http import keys
from tests.http.desk import Desk, Open, served

GZIP = {"Accept-Encoding": "gzip"}
PLAIN = {"Accept-Encoding": "identity"}
STATIC = f"/static/{agent_ui.static_version()}"
WIDGET = f"/widget/{widget.version()}"
STRANGE_PATHS = [
    "../__init__.py",
    "..%2f__init__.py",
    "%2e%2e/__init__.py",
    "..%5c__init__.py",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "....//__init__.py",
    "css/../../__init__.py",
    "css/%2e%2e/%2e%2e/render.py",
    "css/base.css%00.js",
    "css",
    "css/",
    "",
    "CSS/BASE.CSS",
    "icons.LICENSE",
    "js/console/types.d.ts",
    "__init__.py",
    "demo/shop.js",
    "jsconfig.json",
    "types.d.ts",
]
# What is in memory does not depend on the kind of database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_file_comes_compressed_and_may_be_kept_for_ever(desk: Desk) -> None:
    for path in (f"{STATIC}/css/base.css", f"{WIDGET}/panel.js", f"{WIDGET}/panel.css"):
        visitor = desk.visitor(auto_decompress=False)
        packed = await visitor.get(path, headers=GZIP)
        plain = await visitor.get(path, headers=PLAIN)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert packed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert packed.headers["Vary"] == "Accept-Encoding"
        again = await visitor.get(path, headers={"If-None-Match": packed.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")


async def test_the_loader_knows_its_version_and_is_asked_for_again_soon(desk: Desk) -> None:
    answer = await desk.visitor().get("/widget/loader.js")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert widget.version() in answer.text
    assert "__VERSION__" not in answer.text


async def test_any_page_may_embed_the_widget_but_not_the_console(desk: Desk) -> None:
    for path in ("/widget/loader.js", f"{WIDGET}/panel.js"):
        answer = await desk.visitor().get(path, headers={"Origin": "https://shop.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    answer = await desk.visitor().get(f"{STATIC}/css/base.css")
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_a_page_of_an_earlier_version_still_gets_files_but_does_not_keep_them(
    desk: Desk,
) -> None:
    for path in ("/static/0000/css/base.css", "/widget/0000/panel.js"):
        answer = await desk.visitor().get(path)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, no-cache"


async def test_only_known_files_are_served(desk: Desk) -> None:
    for base in (STATIC, WIDGET):
        for path in STRANGE_PATHS:
            answer = await desk.visitor().get(f"{base}/{path}")
            assert answer.status == 404, (base, path)
            assert answer.headers["Content-Type"].startswith(("application/json", "text/html"))


async def test_every_file_is_served_with_a_type_that_browsers_run(desk: Desk) -> None:
    for path in agent_ui.static_files():
        name = path.relative_to(agent_ui.STATIC_DIR).as_posix()
        if path.suffix == ".json":
            continue
        answer = await desk.visitor().get(f"{STATIC}/{name}")
        assert answer.status == 200, name
        assert answer.body == lean(path)


async def test_health_says_what_is_wrong(desk: Desk) -> None:
    visitor = desk.visitor()
    assert (await visitor.get("/healthz")).status == 200
    assert (await visitor.get("/readyz")).status == 200
    desk.database.read_now = _away  # type: ignore[method-assign]
    answer = await visitor.get("/readyz")
    assert answer.status == 503
    assert '"reason":"database"' in answer.text
    assert (await visitor.get("/healthz")).status == 200


async def test_a_draining_server_is_not_ready(open_database: Open, data_dir: Path) -> None:
    def add(app: web.Application) -> None:
        app[keys.NOT_READY] = lambda: "draining"

    async with served(open_database, data_dir, add=add) as desk:
        answer = await desk.visitor().get("/readyz")
        assert answer.status == 503
        assert '"reason":"draining"' in answer.text


def _away(query: object) -> Any:
    raise Unavailable("The database is away.")
