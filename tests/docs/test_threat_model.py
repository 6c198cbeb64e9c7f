"""Every proof that docs/threat_model.md names is a test that exists."""

from __future__ import annotations

import ast
import re

from tests.docs.pages import ROOT, text

_ROW = re.compile(r"^\| (?!threat \||--- )(.+)\|$", re.MULTILINE)
_PROOF = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _tests_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_named_test_exists() -> None:
    named = _PROOF.findall(text("docs/threat_model.md"))
    assert [f"{path}::{name}" for path, name in named if name not in _tests_in(path)] == []


def test_every_control_names_a_test() -> None:
    rows = _ROW.findall(text("docs/threat_model.md"))
    assert rows
    assert [row for row in rows if not _PROOF.search(row)] == []
