"""The API in the words of its docs page, made from the same table as everything else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any  # Any: JSON schemas
from urllib.parse import quote, urlencode

import orjson

from server.domain import errors
from server.domain.events import EVENT_KINDS
from server.http.api.asyncapi import Commands
from server.http.api.openapi import ERRORS
from server.http.api.rows import ROOT, Json, Row
from server.http.api.schemas import REF, Schemas, without_null
from server.http.api.sockets import ANSWERS, SIGNALS
from server.http.api.table import ROWS
from server.storage.event_shapes import shopper_events, staff_events

_LARGEST = 2**53
_REF = REF.format(model="")


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a payload or of an answer: its type in words, and the shape it refers to."""

    name: str
    type: str
    shape: str | None
    required: bool
    where: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A row as the page shows it."""

    row: Row
    path: str
    parts: tuple[Part, ...]
    answer: str | None
    example: str


@dataclass(frozen=True, slots=True)
class Told:
    """A command, event or signal: its fields, and the shape of its answer if it has one."""

    namespace: str
    name: str
    parts: tuple[Part, ...]
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A code with its status."""

    code: str
    status: int


@cache
def nouns() -> dict[str, tuple[Call, ...]]:
    """The calls under their nouns, in the order of the table."""
    found: dict[str, list[Call]] = {}
    for row in ROWS:
        found.setdefault(row.noun, []).append(_call(row))
    return {noun: tuple(calls) for noun, calls in found.items()}


@cache
def shapes() -> dict[str, tuple[Part, ...]]:
    """Every class that an answer of HTTP or of a socket is made of, with its fields."""
    schemas = Schemas()
    for row in ROWS:
        if row.answer is not None and row.name != "events.list":
            schemas.of(row.answer)
    for shape in (*ANSWERS.values(), *SIGNALS.values()):
        schemas.of(shape)
    return {name: _parts(schema) for name, schema in sorted(schemas.components.items())}


def commands(given: Commands) -> list[Told]:
    """The commands of the sockets."""
    return [
        Told(
            namespace,
            name,
            tuple(_parts(_whole(payload))),
            ANSWERS[namespace, name].__name__,
        )
        for namespace, payloads in given.items()
        for name, payload in payloads.items()
    ]


@cache
def events() -> list[tuple[Told, bool]]:
    """The kinds of event with what staff get, and whether the shopper hears of them too."""
    heard = shopper_events()
    return [
        (
            Told(
                "/agent", kind, _parts(_whole(staff_events()[kind].model_fields["data"].annotation))
            ),
            kind in heard,
        )
        for kind in EVENT_KINDS
    ]


@cache
def signals() -> list[Told]:
    """What is told and not stored."""
    return [Told(space, kind, _parts(_whole(shape))) for (space, kind), shape in SIGNALS.items()]


def error_rows() -> list[ErrorRow]:
    """The codes with their statuses, the mildest first."""
    found = [ErrorRow(kind.code, status) for status, kind in sorted(ERRORS.items())]
    return [
        *(row for row in found if row.status < 500),
        ErrorRow(errors.AppError.code, errors.AppError.status),
        *(row for row in found if row.status >= 500),
    ]


def curl(row: Row, base: str) -> str:
    """A call as a line for a shell, from the row's example."""
    path = row.path
    for name in row.variables:
        path = path.replace(f"{{{name}}}", quote(str(row.example.get(name, name)), safe=",:"))
    rest = {name: value for name, value in row.example.items() if name not in row.variables}
    lines = [] if row.method == "GET" else [f"-X {row.method}"]
    lines.append("-H 'Authorization: Bearer sb_...'")
    address = f"{base}{ROOT}{path}"
    if row.method == "GET" and rest:
        address += "?" + urlencode({key: str(value) for key, value in rest.items()}, safe=",:")
    if row.action is not None:
        lines.append("-H 'Idempotency-Key: 5f0c2a9e-7d41'")
    if row.in_portions:
        lines += ["-H 'Content-Type: application/x-ndjson'", "--data-binary @rows.ndjson"]
        address += "?" + urlencode({key: str(value) for key, value in rest.items()}) if rest else ""
    if row.has_body and rest:
        body = orjson.dumps(rest).decode().replace("'", "'\\''")
        lines += ["-H 'Content-Type: application/json'", f"-d '{body}'"]
    return " \\\n  ".join(["curl " + lines[0], *lines[1:], f"'{address}'"])


def _call(row: Row) -> Call:
    fields, required = Schemas().fields(row.payload)
    parts = tuple(
        Part(
            name,
            *_type(without_null(schema)),
            required=name in required or name in row.variables,
            where="path"
            if name in row.variables
            else "query"
            if row.method == "GET" or row.in_portions
            else "body",
        )
        for name, schema in sorted(
            fields.items(), key=lambda pair: (pair[0] not in row.variables, pair[0] not in required)
        )
    )
    answer = None if row.answer is None else getattr(row.answer, "__name__", "list")
    if row.answer is not None and not isinstance(row.answer, type):
        answer = row.answer.__args__[0].__name__
    if row.name == "events.list":
        answer = None
    return Call(row, ROOT + row.path, parts, answer, curl(row, ""))


def _whole(described: Any) -> Json:  # Any: a class
    fields, required = Schemas().fields(described)
    return {"properties": fields, "required": sorted(required)}


def _parts(schema: Json) -> tuple[Part, ...]:
    required = schema.get("required", ())
    return tuple(
        Part(name, *_type(part), required=name in required)
        for name, part in schema.get("properties", {}).items()
    )


def _type(schema: Json) -> tuple[str, str | None]:
    """A schema in a few words that every language shares, and the shape that it names."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REF)
        return name, name
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"]), None
    if "const" in schema:
        return str(schema["const"]), None
    several = schema.get("anyOf") or schema.get("oneOf") or ()
    if several:
        words = [_type(part) for part in several]
        named = next((shape for _, shape in words if shape), None)
        return " | ".join(word for word, _ in words), named
    if schema.get("type") == "array":
        word, shape = _type(schema.get("items", {}))
        return f"[{word}]", shape
    return _bounded(schema), None


def _bounded(schema: Json) -> str:
    """A type with its bounds: of a number its values, of a text its length.

    >>> _bounded({"type": "string", "maxLength": 64}), _bounded({"type": "integer", "minimum": 1})
    ('string ..64', 'integer 1..')
    """
    word = str(schema.get("type", "any"))
    low = schema.get("minimum", schema.get("minLength"))
    high = schema.get("maximum", schema.get("maxLength"))
    if high == _LARGEST:
        # The largest number that JavaScript knows is no bound that anybody meets.
        high = None
    if not low and high is None:
        return word
    return f"{word} {low if low is not None else ''}..{high if high is not None else ''}"
