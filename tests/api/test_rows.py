"""What holds for every row of the table, those to come among them."""

from __future__ import annotations

import io
from typing import Any  # Any: JSON

import jsonschema
import pytest
from pydantic import TypeAdapter

from agent_ui.render import LOCALES, has_sentence
from server.actions.payload import parse, parse_texts
from server.domain.permissions import PERMISSIONS
from server.domain.scopes import SCOPES, allows
from server.http.api.openapi import openapi, statuses
from server.http.api.rows import Row
from server.http.api.table import ROWS
from server.storage.event_log import last_seq
from tests.api.caller import Caller, call_row
from tests.api.conftest import As
from tests.api.stage import Stage, values_of
from tests.http.desk import ROLES

Json = dict[str, Any]  # Any: JSON
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
# What is the same whatever the database is tried on one.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _described(row: Row, status: int) -> Json | None:
    """The schema that the document gives for an answer, with everything it refers to."""
    answer = openapi()["paths"][row.path][row.method.lower()]["responses"][str(status)]
    if "$ref" in answer:
        answer = openapi()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    if "content" not in answer:
        return None
    schema: Json = answer["content"]["application/json"]["schema"]
    return schema | {"components": openapi()["components"]}


def _check(row: Row, status: int, value: object) -> None:
    schema = _described(row, status)
    if schema is None:
        assert value is None
    else:
        jsonschema.validate(value, schema, jsonschema.Draft202012Validator)


async def test_every_row_answers_as_it_is_described(stage: Stage, program: As) -> None:
    caller = await program("admin")
    for row in ROWS:
        answer = await call_row(caller, row, await values_of(stage, row))
        assert answer.status == row.status, (row.name, answer.body)
        _check(row, row.status, answer.value)
        if row.answer is not None:
            # Nothing comes that the class does not name.
            TypeAdapter(row.answer).validate_python(answer.value, extra="forbid")


@one_database
async def test_every_row_asks_for_a_token_its_scope_and_a_role(stage: Stage, program: As) -> None:
    anonymous = await program(None)
    people = {role: await program(role) for role in ROLES}
    with_scope: dict[str, Caller] = {
        scope: await program("admin", scopes=[scope]) for scope in SCOPES
    }
    without: dict[str, Caller] = {
        scope: await program(
            "admin", scopes=[s for s in SCOPES if not allows(frozenset({s}), scope)]
        )
        for scope in SCOPES
    }
    for row in ROWS:
        values = await values_of(stage, row)
        answer = await call_row(anonymous, row, values)
        assert (answer.status, answer.code) == (401, "not_signed_in"), row.name
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        _check(row, 401, answer.value)
        answer = await call_row(without[row.scope], row, values)
        assert answer.status == 403, row.name
        assert answer.value["error"]["details"] == {"needs": row.scope}
        _check(row, 403, answer.value)
        for role in {*ROLES} - PERMISSIONS[row.permission]:
            answer = await call_row(people[role], row, values)
            assert (answer.status, answer.code) == (403, "not_allowed"), (row.name, role)
        answer = await call_row(with_scope[row.scope], row, values)
        # A token for tokens only cannot make one for something else.
        expected = 403 if row.name == "tokens.create" else row.status
        assert answer.status == expected, (row.name, answer.body)


async def test_every_write_with_a_key_is_done_once(stage: Stage, program: As) -> None:
    caller = await program("admin")
    for row in ROWS:
        if row.action is None:
            continue
        values = await values_of(stage, row)
        first = await call_row(caller, row, values, key=row.name)
        after = stage.desk.database.read_now(last_seq)
        again = await call_row(caller, row, values, key=row.name)
        assert (first.status, again.status) == (row.status, row.status), (row.name, first.body)
        hidden: Json = dict.fromkeys(row.once)
        assert again.value == (first.value | hidden if hidden else first.value)
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        assert stage.desk.database.read_now(last_seq) == after, row.name
        other = await caller.call(
            "PUT", "/me/presence", {"status": "busy", "capacity": 3}, key=row.name
        )
        assert (other.status, other.code) == (409, "conflict")
        _check(row, 409, other.value)


@one_database
async def test_what_is_not_there_is_not_found(stage: Stage, program: As) -> None:
    caller = await program("admin")
    for row in ROWS:
        if not row.variables:
            continue
        values = await values_of(stage, row)
        for name in row.variables:
            values[name] = str(row.example[name]) if name != "metrics" else "no_such"
        answer = await call_row(caller, row, values)
        # There is no such metric: that is said as the command line says it.
        expected = 400 if row.variables == ("metrics",) else 404
        assert answer.status == expected, (row.name, answer.body)
        _check(row, expected, answer.value)


@one_database
async def test_a_body_is_one_json_object_of_a_bounded_size(stage: Stage, program: As) -> None:
    caller = await program("admin")
    json = {"Content-Type": "application/json"}
    for row in ROWS:
        if not row.has_body:
            continue
        values = await values_of(stage, row)
        path = row.path
        for name in row.variables:
            path = path.replace(f"{{{name}}}", str(values[name]))
        for body, headers, status in (
            (b"<a/>", {"Content-Type": "application/xml"}, 415),
            (b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
            (b"{", json, 400),
            (b"[]", json, 400),
            (b'"\\u0000"', json, 400),
            (b'{"a":' * 9 + b"1" + b"}" * 9, json, 400),
            (b" " * (1024 * 1024 + 1), json, 413),
        ):
            answer = await caller.call(row.method, path, data=io.BytesIO(body), headers=headers)
            assert answer.status == status, (row.name, body[:20], answer.body)
            _check(row, status, answer.value)


@one_database
async def test_other_methods_are_refused_and_the_right_ones_named(program: As) -> None:
    caller = await program("admin")
    allowed: dict[str, set[str]] = {}
    for row in ROWS:
        allowed.setdefault(row.path, set()).add(row.method)
    for path, methods in allowed.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods:
            answer = await caller.call(method, path.replace("{", "").replace("}", ""))
            assert (answer.status, answer.code) == (405, "invalid_input"), (method, path)
            assert set(answer.headers["Allow"].split(",")) - {"HEAD"} == methods


@one_database
async def test_who_asks_for_the_head_gets_no_body(program: As) -> None:
    answer = await (await program("admin")).call("HEAD", "/me")
    assert (answer.status, answer.body) == (200, b"")


@one_database
async def test_no_page_of_another_site_may_read_an_answer(program: As) -> None:
    caller = await program("admin")
    origin = {"Origin": "https://shop.example"}
    for answer in (
        await caller.call("GET", "/me", headers=origin),
        await caller.call(
            "OPTIONS", "/me", headers={**origin, "Access-Control-Request-Method": "GET"}
        ),
    ):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


@every_row
def test_a_row_is_said_in_both_languages(row: Row) -> None:
    for locale in LOCALES:
        assert has_sentence(locale, f"api.op.{row.name}")
        assert has_sentence(locale, f"api.noun.{row.noun}")


@every_row
def test_a_row_s_parts_fit_each_other(row: Row) -> None:
    assert [row.query, row.action, row.search].count(None) == 2
    assert (row.method == "GET") == (row.action is None)
    assert row.scope in SCOPES
    assert {*row.variables} <= row.payload.model_fields.keys()
    assert (row.answer is None) == (row.status == 204)
    assert {400, 401, 403, 429, 503} <= {*statuses(row)}
    if row.method == "GET":
        parse_texts(row.payload, {name: str(value) for name, value in row.example.items()})
    else:
        parse(row.payload, dict(row.example))
    assert {*row.variables} <= row.example.keys()
