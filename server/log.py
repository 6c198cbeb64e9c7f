"""Structured logs: a JSON object a line, or coloured text on a terminal; nothing personal in them.

Everything goes through the standard library's root logger, so libraries' records take the same way.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import sys
import traceback
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

REDACTED = "[redacted]"
MAX_TEXT_CHARS = 8000
_SECRET_KEY = re.compile(
    "passw|token|authorization|cookie|secret|hmac|csrf|^auth$|^body$|^jwt$|^query", re.IGNORECASE
)
_SHAPES = (
    re.compile(r"\bsb_[\w-]{16,}"),  # our API tokens
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),  # signed identities
    re.compile(r"\$argon2\w+\$[^\s'\"]+"),
    re.compile(r"(?i)\bbearer\s+[\w.~+/=-]{8,}"),
    re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"),  # a password inside an address
    re.compile(r"(?<!\w)\d{17}[\dXx](?!\w)"),  # Chinese identity cards
    re.compile(r"(?<!\w)(?:\+?86[ -]?)?1[3-9]\d{9}(?!\w)"),  # Chinese mobile numbers
)
# From where a word begins only: else each letter of a long one would be tried.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Thirteen digits are left alone: they are milliseconds far more often than cards.
_CARD = re.compile(r"(?<!\w)(?:\d[ -]?){13,18}\d(?!\w)")
# Controls could end a line or drive a terminal; bidi marks could make a line read differently.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


_STACK = "Traceback (most recent call last):\n"
MAX_CAUSES = 5
_QUOTED = re.compile(r"""(['"])(.*?)\1""")
_NAME = re.compile(r"^[A-Za-z_][\w.:/-]{0,63}$", re.ASCII)


def configure(
    level: str = "info", *, stream: TextIO | None = None, pretty: bool | None = None
) -> None:
    """Sets up logging of the whole process; ``pretty`` None means: when the stream is a terminal.

    The default stream is stderr, because stdout belongs to the command line. Raises ValueError for
    an unknown level.
    """
    stream = stream or sys.stderr
    if pretty is None:
        pretty = stream.isatty()
    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.ExceptionRenderer(_story),
        redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if pretty
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        foreign_pre_chain=common,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # The request log of server.http replaces it, without query strings and addresses.
    logging.getLogger("aiohttp.access").disabled = True
    logging.getLogger("aiohttp.server").filters[:] = [_shorten]
    for name in ("engineio", "socketio", "engineio.server", "socketio.server"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shorten(record: logging.LogRecord) -> bool:
    """Makes one line of what is not HTTP: the library logs a stack with the bytes, cookies too."""
    error = record.exc_info[1] if record.exc_info else None
    if type(error).__module__ == "aiohttp.http_exceptions":  # only server.http may import it
        record.msg, record.args, record.exc_info = "bad request", (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.reason = type(error).__name__
    return True


def _story(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> str:
    """Stack and error, and those that led to it, the oldest first; of what errors say no quotation.

    Many errors quote what they could not take, and databases repeat whole rows below their first
    line: texts of people. Stacks name only places in the code.
    """
    told: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None and len(told) < MAX_CAUSES:
        kind = type(error)
        stack = "".join(traceback.format_tb(error.__traceback__))
        told.append(f"{_STACK}{stack}{kind.__module__}.{kind.__qualname__}: {_said(error)}")
        shown = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or shown
    return "\n\n".join(reversed(told))


def _said(error: BaseException) -> str:
    """The first line of an error, without what it quotes unless that is a name."""
    lines = str(error).splitlines() or [""]
    return _QUOTED.sub(lambda found: found[0] if _NAME.match(found[2]) else REDACTED, lines[0])


def loop_error(_loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """Logs what nobody caught on the event loop; for ``set_exception_handler``.

    The loop's own way writes down the callback with its arguments, which are messages of people.
    """
    error = context.get("exception")
    log = structlog.stdlib.get_logger("shopbell.loop")
    log.error("bug", exc_info=error if isinstance(error, BaseException) else None)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The record without secrets and personal data, every text on one line."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: object) -> object:
    if key.startswith("_"):  # structlog's own record, removed before rendering
        return value
    if value is not None and _SECRET_KEY.search(key):
        return REDACTED
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(str(name)): _clean(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return plain(str(value))


def plain(text: str) -> str:
    """The text with secrets masked, e-mail addresses hashed and control characters escaped."""
    text = text[:MAX_TEXT_CHARS]
    for shape in _SHAPES:
        text = shape.sub(REDACTED, text)
    text = _EMAIL.sub(lambda found: email_hash(found[0]), text)
    text = _CARD.sub(lambda found: REDACTED if _luhn(found[0]) else found[0], text)
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def email_hash(email: str) -> str:
    """A short mark of an e-mail address, the same each time, from which it cannot be read."""
    return "email:" + hashlib.sha256(email.strip().lower().encode()).hexdigest()[:10]


def _luhn(text: str) -> bool:
    """True for digits with a valid check digit (ISO/IEC 7812-1)."""
    digits = [int(char) for char in text if char.isdigit()][::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
