"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.support.processes import ROOT


def _with_examples() -> list[str]:
    """The modules of the program that show an example, by name."""
    packages = ("server", "agent_ui", "knowledge_base", "widget")
    paths = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    return sorted(_name(path) for path in paths if ">>> " in path.read_text("utf-8"))


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("module", _with_examples())
def test_the_examples_of_a_module_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted > 0
    assert result.failed == 0
