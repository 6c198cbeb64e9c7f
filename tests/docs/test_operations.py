"""docs/operations.md has every setting, with the default that the code has."""

from __future__ import annotations

import re

import pytest

from server.config import Settings
from tests.docs.pages import section, text

FIELDS = Settings.model_fields


def _table() -> dict[str, list[str]]:
    rows = re.findall(
        r"^\| `(\w+)` \|(.*)\|$", section(text("docs/operations.md"), "## Settings"), re.MULTILINE
    )
    return {name: [cell.strip(" `") for cell in cells.split("|")] for name, cells in rows}


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, float):
        return f"{default:g}"
    return "unset" if default is None else str(default)


@pytest.mark.parametrize("name", FIELDS)
def test_each_setting_is_described_with_its_environment_and_default(name: str) -> None:
    variable, default, explained = _table()[name][:3]
    assert variable == f"SHOPBELL_{name.upper()}"
    assert default == _shown(FIELDS[name].default)
    assert explained


def test_no_setting_is_described_that_does_not_exist() -> None:
    assert set(_table()) == set(FIELDS)
