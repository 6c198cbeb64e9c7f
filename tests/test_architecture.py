"""The rules of docs/architecture.md that a program can check; pyproject.toml has the contracts."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any  # Any: rows of a TOML file

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parent.parent
RULES: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "importlinter"
]
PACKAGES = [name for name in RULES["root_packages"] if (ROOT / name / "__init__.py").exists()]


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Who imports whom, other people's packages included."""
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("contract", RULES["contracts"], ids=lambda contract: contract["id"])
def test_imports_keep_the_contract(
    contract: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    present = _only_present(contract)
    if present is None:
        pytest.skip("none of the modules of this contract exists yet")
    config = tmp_path / "rules.toml"
    config.write_text(_as_toml(RULES | {"root_packages": PACKAGES}, present), "utf-8")
    status = lint_imports(
        config_filename=str(config), no_cache=True, is_debug_mode=False, show_timings=False
    )
    assert status == 0, capsys.readouterr().out


def test_the_domain_imports_only_itself_and_the_standard_library(
    imports: grimp.ImportGraph,
) -> None:
    foreign = {
        (module, imported)
        for module in _inside(imports, "server.domain")
        for imported in imports.find_modules_directly_imported_by(module)
        if not imported.startswith("server.domain")
        and imported.split(".")[0] not in sys.stdlib_module_names
    }
    assert foreign == set()


def test_a_migration_never_imports_the_tables() -> None:
    versions = ROOT / "server" / "storage" / "migrations" / "versions"
    wrong = {
        (path.name, name)
        for path in versions.glob("*.py")
        for name in _imported(path)
        if name.split(".")[0] in PACKAGES
    }
    assert wrong == set()


def test_no_action_awaits() -> None:
    waiting = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "server" / "actions").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    }
    assert waiting == set()


def test_no_test_sleeps() -> None:
    sleeping = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "tests").rglob("*.py")
        if path.relative_to(ROOT).parts[1] not in {"support", "benchmarks", "tools"}
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and _sleeps(node)
    }
    assert sleeping == set()


def test_spans_of_time_have_one_home() -> None:
    names = r"^_?(?:SECOND|MINUTE|HOUR|DAY|WEEK)_MS\b.*="
    homes = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "server").rglob("*.py")
        if re.search(names, path.read_text("utf-8"), re.MULTILINE)
    }
    assert homes == {"server/domain/spans.py"}


def test_each_ignored_type_error_and_uncovered_line_gives_its_reason() -> None:
    silent = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in _sources()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for mark in ("# type: ignore[", "# pragma: no cover", "# noqa: ")
        if mark in line and not _reason_after(line, mark)
    }
    assert silent == set()


def _only_present(contract: dict[str, Any]) -> dict[str, Any] | None:
    """The contract without modules that are not written yet, None when nothing is left of it."""
    kept = dict(contract)
    for key in ("source_modules", "modules", "containers"):
        if key in kept:
            kept[key] = [name for name in kept[key] if _exists(name)]
            if not kept[key]:
                return None
    if kept["type"] == "forbidden":
        kept["forbidden_modules"] = [
            name
            for name in kept["forbidden_modules"]
            if name.split(".")[0] not in RULES["root_packages"] or _exists(name)
        ]
        if not kept["forbidden_modules"]:
            return None
    return kept


def _exists(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _as_toml(rules: dict[str, Any], contract: dict[str, Any]) -> str:
    """import-linter reads files only; what JSON writes for its settings is TOML too."""
    lines = ["[tool.importlinter]"]
    lines += [_pair(key, value) for key, value in rules.items() if key != "contracts"]
    lines += ["[[tool.importlinter.contracts]]"]
    lines += [_pair(key, value) for key, value in contract.items()]
    return "\n".join(lines)


def _pair(key: str, value: object) -> str:
    return f"{key} = {json.dumps(value)}"


def _inside(graph: grimp.ImportGraph, package: str) -> set[str]:
    if package not in graph.modules:
        return set()
    return {package} | graph.find_descendants(package)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _sleeps(call: ast.Call) -> bool:
    """A call of some ``sleep``, but for sleep(0), which only lets others run."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    gives_way = [ast.unparse(argument) for argument in call.args] == ["0"]
    return name in {"sleep", "wait_for_timeout"} and not gives_way


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def _reason_after(line: str, mark: str) -> bool:
    """Whether words follow the mark and its code, as in ``# type: ignore[misc]  # the reason``."""
    rest = line.partition(mark)[2]
    return len(rest.replace("]", " ").split()) > (0 if mark == "# pragma: no cover" else 1)
