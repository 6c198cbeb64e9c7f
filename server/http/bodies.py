"""Reading what clients send, within limits, and writing JSON back."""

from __future__ import annotations

import asyncio
from typing import Any  # Any: JSON
from urllib.parse import parse_qs

import orjson
from aiohttp import BodyPartReader, web

from server.domain.errors import InvalidInput, TooLarge
from server.domain.text import whole_number

FORM_BYTES = 64 * 1024
# Articles are written in forms; percent-encoded, a Chinese character is nine bytes.
LONG_FORM_BYTES = 1024 * 1024
LONG_FORMS = ("/knowledge", "/reports/reviews")
# Files come along with the forms of these addresses.
UPLOAD_BYTES = 16 * 1024 * 1024
UPLOADS = ("/knowledge/import", "/settings/hours/holidays")
# Words with files: from shoppers in the portal and from staff on the page of a ticket.
FILE_FORM_BYTES = 26 * 1024 * 1024
FILE_FORMS = ("/portal/", "/tickets/")
FILE_FORM_LIMIT_S = 300.0
MOST_FILES = 2_000
FORM_FIELDS = 400
JSON_BYTES = 1024 * 1024
JSON_DEPTH = 8
# Beyond it JavaScript, and every client written in it, would see another number.
MAX_NUMBER = 2**53
READ_LIMIT_S = 30.0

Form = dict[str, list[str]]
Files = list[tuple[str, bytes]]
NamedFiles = list[tuple[str, str, bytes]]
_FORM = web.RequestKey("form", dict[str, list[str]])
_FILES = web.RequestKey("files", list[tuple[str, str, bytes]])


async def read_body(request: web.Request, limit: int) -> bytes:
    """The whole body. Raises TooLarge beyond ``limit`` bytes, InvalidInput when it is too slow.

    Counts what comes out of decompression, so a small bomb is a large body.
    """
    too_large = TooLarge(f"At most {limit} bytes.", limit=limit)
    if (request.content_length or 0) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(READ_LIMIT_S):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise too_large
    except TimeoutError:
        raise InvalidInput("The body did not arrive in time.") from None
    return bytes(body)


async def read_form(request: web.Request) -> Form:
    """The fields of a plain HTML form. Raises InvalidInput for anything else.

    Reads the body once; the second call gives the same answer.
    """
    if _FORM in request:
        return request[_FORM]
    if takes_files(request):
        request[_FORM], request[_FILES] = await _read_parts(request)
        return request[_FORM]
    if request.content_type != "application/x-www-form-urlencoded":
        raise InvalidInput("Send a plain HTML form.")
    body = await read_body(request, form_limit(request))
    try:
        text = body.decode("ascii")
        form: Form = parse_qs(
            text,
            keep_blank_values=True,
            max_num_fields=FORM_FIELDS,
            errors="strict",
            separator="&",
        )
    except ValueError:  # no ASCII, no UTF-8 inside, too many fields
        raise InvalidInput("The form cannot be read.") from None
    request[_FORM] = form
    return form


async def read_files(request: web.Request) -> Files:
    """The files of a form by their names, as the browser calls them; none where none were chosen.

    Raises as ``read_form``.
    """
    return [(name, content) for _, name, content in await read_named_files(request)]


async def read_named_files(request: web.Request) -> NamedFiles:
    """The files of a form: field, name as the browser calls it, content."""
    await read_form(request)
    found: NamedFiles = request.get(_FILES, [])
    return found


def takes_files(request: web.Request) -> bool:
    """True for a form that files come along with, where that is foreseen."""
    if request.content_type != "multipart/form-data":
        return False
    return request.path in UPLOADS or request.path.startswith(FILE_FORMS)


async def _read_parts(request: web.Request) -> tuple[Form, NamedFiles]:
    form: Form = {}
    files: NamedFiles = []
    size, parts, most = 0, 0, form_limit(request)
    limit_s = FILE_FORM_LIMIT_S if request.path.startswith(FILE_FORMS) else READ_LIMIT_S
    try:
        async with asyncio.timeout(limit_s):
            async for part in await request.multipart():
                parts += 1  # also those of one name and those without a word
                if not isinstance(part, BodyPartReader) or parts > MOST_FILES:
                    raise InvalidInput("The form cannot be read.")
                content = bytearray()
                while chunk := await part.read_chunk():
                    size += len(chunk)
                    if size > most:
                        raise TooLarge(f"At most {most} bytes.", limit=most)
                    content += chunk
                if part.filename:
                    files.append((part.name or "", part.filename, bytes(content)))
                elif part.filename is None:
                    form.setdefault(part.name or "", []).append(content.decode())
    except TimeoutError:
        raise InvalidInput("The body did not arrive in time.") from None
    except (ValueError, AssertionError):  # no boundary, no end, no UTF-8
        raise InvalidInput("The form cannot be read.") from None
    return form, files


def form_limit(request: web.Request) -> int:
    """How many bytes a form may have."""
    path = request.path
    if path in UPLOADS:
        return UPLOAD_BYTES
    if takes_files(request):
        return FILE_FORM_BYTES
    return LONG_FORM_BYTES if path.startswith(LONG_FORMS) else FORM_BYTES


def field(form: Form, name: str) -> str:
    """The one value of a field, empty when it was not sent. Raises InvalidInput for several."""
    values = form.get(name, [""])
    if len(values) > 1:
        raise InvalidInput(f"{name} was sent twice.", field=name)
    return values[0]


def entered(form: Form) -> dict[str, str]:
    """What was typed, by field; of several values the first."""
    return {name: values[0] for name, values in form.items() if name != "csrf"}


def version_in(form: Form, name: str = "version") -> int:
    """The version that a form was made from. Raises InvalidInput."""
    version = whole_number(field(form, name))
    if version is None:
        raise InvalidInput("This is no version.", field="version")
    return version


async def read_json(request: web.Request, limit: int = JSON_BYTES) -> Any:  # Any: JSON
    """The JSON of the body.

    Raises InvalidInput for what is no JSON, for NaN, lone surrogates and NUL, for numbers beyond
    2**53 and for more than 8 levels.
    """
    body = await read_body(request, limit)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidInput("The body is not valid JSON.") from None
    _check_json(value)
    return value


def json_response(value: object, *, status: int = 200) -> web.Response:
    """An answer in JSON."""
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


def _check_json(value: object) -> None:
    level: list[object] = [value]
    depth = 0
    while level:
        below: list[object] = []
        for item in level:
            if isinstance(item, dict | list) and depth == JSON_DEPTH:
                raise InvalidInput(f"JSON may be {JSON_DEPTH} levels deep.", limit=JSON_DEPTH)
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            else:
                _check_plain(item)
        level = below
        depth += 1


def _check_plain(value: object) -> None:
    if isinstance(value, str) and "\0" in value:
        raise InvalidInput("Text must not contain NUL.")
    if isinstance(value, int | float) and abs(value) > MAX_NUMBER:
        raise InvalidInput("A number is too large.", limit=MAX_NUMBER)
