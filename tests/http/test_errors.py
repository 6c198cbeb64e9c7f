"""One shape of error everywhere, and nothing of the inside in it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from server.domain import errors
from server.http.bodies import JSON_BYTES, json_response, read_form, read_json
from tests.http.desk import Desk, Visitor, served
from tests.support.waiting import LIMIT_S

CODES = {
    "invalid_input",
    "not_signed_in",
    "not_allowed",
    "not_found",
    "conflict",
    "too_large",
    "too_many",
    "unavailable",
    "internal",
}
JSON = {"Accept": "application/json"}
CASES: list[tuple[errors.AppError, int]] = [
    (errors.InvalidInput("no"), 400),
    (errors.NotSignedIn("no"), 401),
    (errors.NotAllowed("no"), 403),
    (errors.NotFound("no"), 404),
    (errors.Conflict("no"), 409),
    (errors.TooLarge("no"), 413),
    (errors.TooMany("no", retry_after_s=7), 429),
    (errors.Unavailable("no"), 503),
]

BAD_JSON = [
    b"",
    b"{",
    b"NaN",
    b'{"a": Infinity}',
    b'"\\ud800"',
    b'{"\\udfff": 1}',
    b"\xff\xfe",
    b'"\\u0000"',
    b"[" * 9 + b"]" * 9,
    b"[" * 100_000 + b"]" * 100_000,
    b"9" * 5000,
    b"9007199254740993",
    b"-1e300",
    b"1e999",
    b"{} {}",
]
BAD_FORMS = [
    (b"a=%ff", "application/x-www-form-urlencoded"),
    (b"a=\xff", "application/x-www-form-urlencoded"),
    (b"&".join(b"a=1" for _ in range(500)), "application/x-www-form-urlencoded"),
    (b"{}", "application/json"),
    (b"--x\r\n", "multipart/form-data; boundary=x"),
]
# The edge is the same whatever the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _add(app: web.Application) -> None:
    async def echo(request: web.Request) -> web.Response:
        return json_response({"got": await read_json(request)})

    async def form(request: web.Request) -> web.Response:
        return json_response(await read_form(request))

    async def raises(request: web.Request) -> web.Response:
        what = request.match_info["what"]
        if what == "bug":
            raise RuntimeError("wang.min@shop.example sb_aaaaaaaaaaaaaaaaaaaaaaaa")
        raise next(error for error, _ in CASES if error.code == what)

    app.router.add_post("/api/echo", echo)
    app.router.add_post("/api/form", form)
    app.router.add_get("/raise/{what}", raises)
    app.router.add_get("/portal/raise/{what}", raises)


@pytest_asyncio.fixture
async def desk(open_database: Callable[..., Any], data_dir: Any) -> AsyncIterator[Desk]:
    async with served(open_database, data_dir, add=_add) as desk:
        await desk.set_up()
        yield desk


def _shape(answer: Any) -> dict[str, Any]:
    """The error object, checked to be in the one shape."""
    assert answer.headers["Content-Type"].startswith("application/json")
    value = json.loads(answer.body)
    assert set(value) == {"error"}
    assert set(value["error"]) == {"code", "message", "details"}
    assert value["error"]["code"] in CODES
    assert isinstance(value["error"]["message"], str)
    assert isinstance(value["error"]["details"], dict)
    return value["error"]  # type: ignore[no-any-return]  # JSON


async def test_a_shopper_is_told_by_the_shop_and_led_to_their_requests(desk: Desk) -> None:
    visitor = desk.visitor()
    for what, status, words in (
        ("not_found", 404, "one of your requests"),
        ("not_allowed", 403, "a person will help you"),
        ("unavailable", 503, "try again in a moment"),
        ("bug", 500, "It is our fault"),
    ):
        page = await visitor.get(f"/portal/raise/{what}?lang=en")
        assert page.status == status
        assert words in page.text
        assert 'class="btn primary" href="/portal"' in page.text
        assert "/console" not in page.text
        # Where the database may be what failed it is not asked for the shop's name.
        assert ("Mori &amp; Oak" in page.text) == (status < 500)


async def test_who_works_here_keeps_the_way_to_everything_else(desk: Desk) -> None:
    agent, visitor = await desk.signed_in("agent"), desk.visitor()
    for address, status in (
        ("/nothing-here", 404),
        ("/raise/not_found", 404),
        ("/settings/people", 403),
        ("/raise/conflict", 409),
    ):
        page = await agent.get(address)
        assert page.status == status
        assert '<nav aria-label="Main">' in page.text
        assert 'href="/reports"' in page.text
        assert 'class="btn primary" href="/console"' in page.text
        assert "<nav" not in (await visitor.get(address)).text
    # Nothing is asked for whom asks too much, or where the database may be what failed.
    for what in ("too_many", "unavailable", "bug"):
        assert "<nav" not in (await agent.get(f"/raise/{what}")).text
    assert (await agent.post("/sign-out", page="/nothing-here")).status == 303
    assert "<nav" not in (await agent.get("/nothing-here")).text


async def test_an_error_is_told_in_the_language_of_who_is_signed_in(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    await agent.post("/settings/profile", {"name": "Lin", "locale": "zh"})
    assert "返回会话" in (await agent.get("/nothing-here")).text
    assert "To the inbox" in (await agent.get("/nothing-here?lang=en")).text


async def test_every_kind_of_refusal_has_its_status_and_the_one_shape(desk: Desk) -> None:
    for error, status in CASES:
        answer = await desk.visitor().get(f"/raise/{error.code}", headers=JSON)
        assert answer.status == status
        assert _shape(answer)["code"] == error.code
    assert (await desk.visitor().get("/raise/too_many", headers=JSON)).headers["Retry-After"] == "7"


async def test_people_get_a_page_in_their_language(desk: Desk) -> None:
    for error, status in CASES:
        if error.code == "not_signed_in":
            continue
        for language, lang in (("en-GB", "en"), ("zh-CN,en;q=0.5", "zh-CN")):
            answer = await desk.visitor().get(
                f"/raise/{error.code}", headers={"Accept-Language": language}
            )
            assert answer.status == status
            assert f'<html lang="{lang}"' in answer.text
            assert "<h1" in answer.text


async def test_a_bug_shows_a_number_and_the_log_has_its_stack_once(
    desk: Desk, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await desk.visitor().get("/raise/bug", headers=JSON)
    assert answer.status == 500
    shape = _shape(answer)
    assert shape["code"] == "internal"
    incident = shape["details"]["incident"]
    page = await desk.visitor().get("/raise/bug")
    for body in (answer.text, page.text):
        for secret in ("RuntimeError", "Traceback", "wang.min", "sb_a", "test_errors"):
            assert secret not in body
    assert "Number of this incident" in page.text
    said = capsys.readouterr().out + caplog.text
    lines = [line for line in said.splitlines() if incident in line]
    # The bug's own line, and that of its request.
    assert [line.count("exc_info") + line.count(" bug ") for line in lines] == [1, 0]


async def test_every_route_refuses_strangers_in_the_one_shape(desk: Desk) -> None:
    """Whatever is asked of whatever address: an answer below 500, and each error in shape."""
    visitor = desk.visitor()
    seen = 0
    for part in ("x", "%00", "..%2f..%2fetc", "%ff", "9" * 500):
        for _, path in desk.paths("GET", part):
            if "/raise" in path or (part != "x" and part not in path):
                continue
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
                answer = await visitor.ask(method, path, headers=JSON)
                assert answer.status < 500, (method, path, answer.text)
                if answer.status >= 400:
                    _shape(answer)
                seen += 1
    assert seen > 100


async def test_unknown_addresses_and_methods_are_told_in_shape(desk: Desk) -> None:
    visitor = desk.visitor()
    for path in (
        "/nothing",
        "/api/v1/nothing",
        "/console.php",
        "/settings/x/y/z",
        "//",
        "/%2e%2e/",
    ):
        answer = await visitor.get(path, headers=JSON)
        assert (answer.status, _shape(answer)["code"]) == (404, "not_found"), path
    answer = await visitor.ask("DELETE", "/sign-in", headers=JSON)
    assert (answer.status, _shape(answer)["code"]) == (405, "invalid_input")
    assert set(answer.headers["Allow"].split(",")) >= {"GET", "POST"}


async def test_json_that_would_break_somebody_is_refused(desk: Desk) -> None:
    for body in BAD_JSON:
        answer = await desk.visitor().ask("POST", "/api/echo", data=body, headers=JSON)
        assert (answer.status, _shape(answer)["code"]) == (400, "invalid_input"), body[:20]


async def test_any_other_json_passes_unchanged(desk: Desk) -> None:
    values: list[object] = [{}, [], None, 2**53, -1.5, "林小雨 👋 \u202e שלום", [[[[[[[[1]]]]]]]]]
    for value in values:
        body = json.dumps(value)
        answer = await desk.visitor().ask("POST", "/api/echo", data=body, headers=JSON)
        assert answer.status == 200
        assert json.loads(answer.body) == {"got": value}


async def test_a_body_beyond_its_limit_is_refused_however_it_comes(desk: Desk) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(JSON_BYTES // 65536 + 2):
            yield b" " * 65536

    import gzip

    bomb = gzip.compress(b" " * (20 * JSON_BYTES))
    assert len(bomb) < JSON_BYTES
    attempts: list[tuple[str, Any, dict[str, str]]] = [
        ("/api/echo", io.BytesIO(b" " * (JSON_BYTES + 1)), {}),
        ("/api/echo", trickle(), {}),
        ("/api/echo", bomb, {"Content-Encoding": "gzip"}),
        ("/sign-in", b"a=" + b"b" * 70_000, {"Content-Type": "application/x-www-form-urlencoded"}),
    ]
    for path, body, headers in attempts:
        answer = await desk.visitor().ask("POST", path, data=body, headers=JSON | headers)
        assert (answer.status, _shape(answer)["code"]) == (413, "too_large"), path


async def test_a_form_that_is_none_is_refused(desk: Desk) -> None:
    for body, kind in BAD_FORMS:
        answer = await desk.visitor().ask(
            "POST", "/api/form", data=body, headers=JSON | {"Content-Type": kind}
        )
        assert (answer.status, _shape(answer)["code"]) == (400, "invalid_input"), body[:20]


async def test_people_are_led_to_the_sign_in_page_and_programs_are_told(desk: Desk) -> None:
    visitor: Visitor = desk.visitor()
    assert (await visitor.get("/console")).status == 303
    assert (await visitor.get("/console", headers={"Accept": "*/*"})).status == 303
    for headers in (JSON, {"Accept": "*/*", "Sec-Fetch-Dest": "empty"}):
        answer = await visitor.get("/console", headers=headers)
        assert (answer.status, _shape(answer)["code"]) == (401, "not_signed_in")


async def test_a_client_that_went_away_is_no_error(
    desk: Desk, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    host, port = desk.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b'POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"half":')
    await writer.drain()
    writer.transport.abort()
    assert (await desk.visitor().get("/healthz")).status == 200
    assert "bug" not in capsys.readouterr().out
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "head",
    [
        b"GET /sign-in HTTP/1.1\r\nHost: x\r\nCookie: " + b"c" * 9000 + b"\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
    ],
    ids=["too many cookies", "no HTTP", "a broken line"],
)
async def test_what_cannot_be_parsed_is_refused_in_the_one_shape(desk: Desk, head: bytes) -> None:
    host, port = desk.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head)
    async with asyncio.timeout(LIMIT_S):
        answer = await reader.read()
    writer.close()
    first, _, body = answer.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.")
    assert b" 400 " in first.splitlines()[0]
    assert b"nosniff" in first
    assert json.loads(body)["error"]["code"] == "invalid_input"
    assert b"ccc" not in body
