"""The OpenAPI 3.1 document, made from the table of the API and its classes."""

from __future__ import annotations

from functools import cache

from agent_ui.render import sentence
from server.domain import errors
from server.domain.scopes import SCOPES
from server.http.api.calls import KEY_HEADER
from server.http.api.portions import MOST_BYTES, NDJSON
from server.http.api.rows import ROOT, Json, Row
from server.http.api.schemas import Schemas, without_null
from server.http.api.table import ROWS

ERRORS = {kind.status: kind for kind in errors.AppError.__subclasses__()}
# Every call may meet these.
ALWAYS = (400, 401, 403, 429, 503)
_JSON = "application/json"


@cache
def openapi() -> Json:
    """The whole document. It is the same in every process of a version; do not change it."""
    schemas = Schemas()
    paths: dict[str, Json] = {}
    for row in ROWS:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row, schemas)
    nouns = list(dict.fromkeys(row.noun for row in ROWS))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shopbell",
            "version": "1",
            "summary": sentence("en", "api.summary"),
            "description": sentence("en", "api.description"),
        },
        "servers": [{"url": ROOT}],
        "tags": [
            {"name": noun, "description": sentence("en", f"api.noun.{noun}")} for noun in nouns
        ],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**dict(sorted(schemas.components.items())), "Error": _error_schema()},
            "responses": {name_of(status): _error(status) for status in (*ERRORS, 405, 415)},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": sentence("en", "api.token_hint"),
                },
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Signature",
                    "description": sentence("en", "api.signature_hint"),
                },
            },
        },
        "x-scopes": {scope: sentence("en", f"api.scope.{scope}") for scope in SCOPES},
    }


def statuses(row: Row) -> tuple[int, ...]:
    """The refusals that a call may meet, beside those that a bug would bring."""
    found = {*ALWAYS}
    if row.variables:
        found |= {404}
    if row.action is not None:
        found |= {404, 409}
    if row.has_body or row.in_portions:
        found |= {413, 415}
    return tuple(sorted(found))


def name_of(status: int) -> str:
    """The name of a refusal among the document's components."""
    return ERRORS[status].__name__ if status in ERRORS else f"Refused{status}"


def _operation(row: Row, schemas: Schemas) -> Json:
    fields, required = schemas.fields(row.payload)
    answer: Json = {"description": sentence("en", "api.answered")}
    if row.answer is not None:
        answer["content"] = {_JSON: {"schema": schemas.of(row.answer)}}
    if row.paged:
        answer["headers"] = {
            "Link": {
                "description": sentence("en", "api.link_hint"),
                "schema": {"type": "string"},
            }
        }
    found: Json = {
        "operationId": row.name,
        "tags": [row.noun],
        "summary": sentence("en", f"api.op.{row.name}"),
        "security": [{"token": [row.scope]}],
        "parameters": _parameters(row, fields, required),
        "responses": {
            str(row.status): answer,
            **{
                str(status): {"$ref": f"#/components/responses/{name_of(status)}"}
                for status in statuses(row)
            },
        },
    }
    if row.has_body:
        body = {name: part for name, part in fields.items() if name not in row.variables}
        needed = sorted(required & body.keys())
        schema: Json = {"type": "object", "properties": body}
        if needed:
            schema["required"] = needed
        example = {k: v for k, v in row.example.items() if k not in row.variables}
        content: Json = {"schema": schema}
        if example:
            content["example"] = example
        found["requestBody"] = {"required": bool(needed), "content": {_JSON: content}}
    if row.in_portions:
        found["security"] = [{"token": [row.scope]}, {"signature": []}]
        found["requestBody"] = {
            "description": sentence("en", "api.lines_hint"),
            "content": {
                media: {"schema": {"type": "string", "maxLength": MOST_BYTES}} for media in NDJSON
            },
        }
    return found


def _parameters(row: Row, fields: dict[str, Json], required: set[str]) -> list[Json]:
    found: list[Json] = []
    for name, schema in fields.items():
        if name in row.variables:
            found.append(
                {"name": name, "in": "path", "required": True, "schema": without_null(schema)}
            )
        elif row.method == "GET" or row.in_portions:
            parameter: Json = {"name": name, "in": "query", "schema": without_null(schema)}
            found.append(parameter | ({"required": True} if name in required else {}))
    if row.action is not None:
        found.append(
            {
                "name": KEY_HEADER,
                "in": "header",
                "description": sentence("en", "api.key_hint"),
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )
    return found


def _error(status: int) -> Json:
    words = sentence("en", f"api.error.{ERRORS[status].code}") if status in ERRORS else ""
    found: Json = {
        "description": words or sentence("en", f"api.status.{status}"),
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    if status in (429, 503):
        found["headers"] = {
            "Retry-After": {
                "description": sentence("en", "api.retry_hint"),
                "schema": {"type": "integer"},
            }
        }
    return found


def _error_schema() -> Json:
    codes = [kind.code for kind in errors.AppError.__subclasses__()]
    return {
        "type": "object",
        "description": sentence("en", "api.error_shape"),
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "details"],
                "properties": {
                    "code": {"enum": [*codes, errors.AppError.code]},
                    "message": {"type": "string"},
                    "details": {"type": "object"},
                },
            }
        },
    }
