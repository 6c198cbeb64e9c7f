"""The two commands of the README find their way on machines that are not like ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FIND_PYTHON = ROOT / "tests" / "tools" / "find_python.sh"


@pytest.fixture
def bin_dir(tmp_path: Path) -> Path:
    """A folder that is the whole path of a machine, empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def _program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


def _find(bin_dir: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", FIND_PYTHON],
        env={"PATH": str(bin_dir)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_dead_name_on_the_path_is_passed_over(bin_dir: Path) -> None:
    _program(bin_dir, "python3.13", "echo no such version >&2; exit 127")
    _program(bin_dir, "python3", f'exec "{sys.executable}" "$@"')
    assert _find(bin_dir).stdout.strip() == str(bin_dir / "python3")


def test_the_python_that_a_person_names_comes_first(bin_dir: Path) -> None:
    _program(bin_dir, "python3.13", f'exec "{sys.executable}" "$@"')
    assert _find(bin_dir, PYTHON=sys.executable).stdout.strip() == sys.executable


def test_without_a_new_python_it_is_said_what_to_install(bin_dir: Path) -> None:
    _program(bin_dir, "python3", "exit 1")
    found = _find(bin_dir)
    assert found.returncode == 1
    assert found.stdout == ""
    assert "needs Python 3.11 or newer" in found.stderr
    assert "apt install" in found.stderr


def test_nothing_is_installed_again_while_the_pins_stay(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    stamps = tmp_path / ".venv"
    stamps.mkdir()
    for stamp in ("ready", "installed-run"):
        (stamps / stamp).touch()
    assert "pip" not in _planned(tmp_path)
    (stamps / "installed-run").unlink()
    assert "pip install" in _planned(tmp_path)


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert lines[-1] == "make test"


def _planned(folder: Path) -> str:
    """What `make run` would do there."""
    return subprocess.run(
        ["make", "--dry-run", "run"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
