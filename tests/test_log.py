"""Logs are lines of JSON, and nothing personal or secret is in them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp.http_exceptions import LineTooLong
from hypothesis import given
from hypothesis import strategies as st

from server import log
from server.log import REDACTED, plain
from tests.support.waiting import wait_until_async


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged while the test runs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    log.configure("info", stream=stream)
    # The import linter, which runs in this process too, switches off the loggers it does not know.
    logging.getLogger("aiohttp.server").disabled = False
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _records(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_each_record_is_one_line_of_json(lines: io.StringIO) -> None:
    structlog.stdlib.get_logger("shopbell.test").info(
        "hello", name="林\r\nsecond line\x1b[31m", n=3
    )
    logging.getLogger("a.library").warning("by %s", "printf")
    first, second = _records(lines)
    assert (first["event"], first["level"], first["n"]) == ("hello", "info", 3)
    assert first["name"] == "林\\r\\nsecond line\\x1b[31m"
    assert (second["event"], second["logger"]) == ("by printf", "a.library")
    assert str(first["at"]).endswith("Z")


def test_a_stack_stays_on_its_line(lines: io.StringIO) -> None:
    try:
        int("wang.min@shop.example")
    except ValueError as error:
        structlog.stdlib.get_logger("shopbell.test").error("bug", exc_info=error)
    [record] = _records(lines)
    assert "ValueError" in str(record["exception"])
    assert "wang.min" not in lines.getvalue()


@pytest.mark.parametrize(
    "error",
    [
        ValueError("invalid literal for int() with base 10: 'Greta lives in Elm Street'"),
        KeyError("Greta lives in Elm Street"),
        RuntimeError(
            'duplicate key value violates unique constraint "uq_message_client"\n'
            "DETAIL:  Key (body)=(Greta lives in Elm Street) already exists."
        ),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_told_without_what_it_quotes(lines: io.StringIO, error: Exception) -> None:
    def planted() -> None:
        raise LookupError("no such thing: 'message.post'") from error

    try:
        planted()
    except LookupError:
        structlog.stdlib.get_logger("shopbell.test").exception("bug")
    assert "Greta" not in lines.getvalue()
    told = str(_records(lines)[0]["exception"])
    assert told.index(type(error).__name__) < told.index("LookupError")
    assert "message.post" in told
    assert "in planted" in told


async def test_what_nobody_caught_on_the_loop_is_told_without_arguments(
    lines: io.StringIO,
) -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(log.loop_error)

    def fail(_message: object) -> None:
        raise RuntimeError("planted")

    loop.call_soon(fail, {"body": "Greta lives in Elm Street"})
    try:
        await wait_until_async(lambda: "planted" in lines.getvalue())
    finally:
        loop.set_exception_handler(before)
    assert "Greta" not in lines.getvalue()


def test_a_request_that_is_not_http_leaves_neither_stack_nor_bytes(lines: io.StringIO) -> None:
    error = LineTooLong(b"sid=a-secret-cookie")
    logging.getLogger("aiohttp.server").error("from %s", "203.0.113.7", exc_info=error)
    [record] = _records(lines)
    assert (record["event"], record["level"], record["reason"]) == (
        "bad request",
        "warning",
        "LineTooLong",
    )
    for told in ("a-secret-cookie", "203.0.113.7", "Traceback"):
        assert told not in lines.getvalue()


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "new_password",
        "token",
        "Authorization",
        "cookie",
        "secret",
        "csrf",
        "body",
        "auth",
        "hmac",
        "identity_secret",
        "query_string",
    ],
)
def test_what_is_secret_by_name_is_masked(lines: io.StringIO, key: str) -> None:
    structlog.stdlib.get_logger("x").info(
        "e", **{key: "plain-value"}, nested={key: ["plain-value"]}
    )
    assert "plain-value" not in lines.getvalue()
    assert REDACTED in lines.getvalue()


@pytest.mark.parametrize(
    "secret",
    [
        "sb_0123456789abcdefghij",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "$argon2id$v=19$m=32768,t=3,p=1$c2FsdA$aGFzaA",
        "wang.min+shop@mail.shop.example",
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
        "13812345678",
        "11010519491231002X",
        "hunter2:pass",
    ],
)
def test_what_is_secret_by_shape_is_masked_wherever_it_stands(secret: str) -> None:
    text = f"postgresql://{secret}@db/x" if ":pass" in secret else f"before {secret} after"
    assert secret not in plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "1795291237943",
        "01a1ffb24e377ca2881b0706ed4d5c79",
        "4111 1111 1111 1112",
        "2026-11-21",
        "你好",
    ],
)
def test_what_is_harmless_stays(text: str) -> None:
    assert plain(text) == text


def test_an_email_address_can_still_be_told_from_another() -> None:
    assert plain("a@shop.example") == plain("A@shop.example") != plain("b@shop.example")


@given(st.text())
def test_any_text_stays_on_one_line_and_can_be_written(text: str) -> None:
    line = plain(text)
    assert len(line.splitlines()) <= 1
    line.encode()


def test_requests_are_not_logged_twice(lines: io.StringIO) -> None:
    logging.getLogger("aiohttp.access").info("GET /?secret")
    assert lines.getvalue() == ""
