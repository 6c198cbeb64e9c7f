"""docs/api.md has every command, every field, every error code and every address."""

from __future__ import annotations

import re

import pytest

from server.domain import errors
from server.realtime.wire import COMMANDS, Command
from tests.docs.pages import section, text
from tests.support.routes import routed

ROWS = [(space, command) for space, rows in COMMANDS.items() for command in rows.values()]
IDS = [f"{space} {command.name}" for space, command in ROWS]


def _commands_of(namespace: str) -> str:
    return section(text("docs/api.md"), f"## Commands of {namespace}")


@pytest.mark.parametrize(("namespace", "command"), ROWS, ids=IDS)
def test_each_command_has_a_heading_that_names_every_field(
    namespace: str, command: Command
) -> None:
    described = section(_commands_of(namespace), f"### `{command.name}`")
    missing = [name for name in command.payload.model_fields if f"`{name}`" not in described]
    assert missing == []


@pytest.mark.parametrize("namespace", COMMANDS)
def test_no_command_is_described_that_does_not_exist(namespace: str) -> None:
    described = re.findall(r"^### `([\w.]+)`$", _commands_of(namespace), re.MULTILINE)
    assert sorted(described) == sorted(COMMANDS[namespace])


def test_each_error_code_is_in_the_table() -> None:
    codes = {kind.code for kind in errors.AppError.__subclasses__()} | {errors.AppError.code}
    described = re.findall(
        r"^\| `(\w+)` \|", section(text("docs/api.md"), "## Answers and errors"), re.MULTILINE
    )
    assert set(described) == codes


def test_each_address_is_in_the_docs() -> None:
    pages = section(text("docs/api.md"), "## HTTP")
    paths = {resource.canonical for resource in routed().router.resources()}
    # Below /settings the pages are named; their forms are not for programs.
    roots = {"/".join(path.split("/")[:3]) for path in paths if path != "/settings"}
    missing = sorted(path for path in roots if f"`{path}" not in pages and f" {path}" not in pages)
    assert missing == []


def test_each_call_is_in_the_table_with_its_scope_and_its_fields() -> None:
    from server.http.api.table import ROWS

    page = section(text("docs/api.md"), "## The API for programs")
    described = {
        found[0]: (found[1], set(re.findall(r"`(\w+)`", found[2])))
        for found in re.findall(
            r"^\| `([A-Z]+ /[^`]*)` \| `([\w:]+)` \| ([^|]*) \|", page, re.MULTILINE
        )
    }
    assert described == {
        f"{row.method} {row.path}": (
            row.scope,
            {field.alias or name for name, field in row.payload.model_fields.items()}
            - {*row.variables},
        )
        for row in ROWS
    }


def test_each_scope_is_explained() -> None:
    from server.domain.scopes import SCOPES

    page = section(text("docs/api.md"), "## The API for programs")
    assert [scope for scope in SCOPES if f"`{scope}`" not in page] == []
