"""What a shop owner installs has everything in it that the program reads."""

from __future__ import annotations

import email
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([A-Za-z0-9.!+]+)$")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this source tree, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(
        [*command, "--directory", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_has_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-z", *PACKAGES], cwd=ROOT, capture_output=True, check=False
    )
    if tracked.returncode:
        pytest.skip("not a git checkout: what belongs to the packages is not known")
    files = {name for name in tracked.stdout.decode().split("\0") if (ROOT / name).is_file()}
    assert files - set(wheel.namelist()) == set()


def test_the_wheel_has_nothing_but_the_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} <= set(PACKAGES)


def test_the_wheel_names_its_licence_and_its_command(wheel: zipfile.ZipFile) -> None:
    about = f"shopbell-{PROJECT['project']['version']}.dist-info"
    metadata = email.message_from_bytes(wheel.read(f"{about}/METADATA"))
    assert metadata["License-Expression"] == "MIT"
    assert b"MIT License" in wheel.read(f"{about}/licenses/LICENSE")
    assert b"shopbell = server.cli:main" in wheel.read(f"{about}/entry_points.txt")


def test_every_import_is_a_declared_dependency() -> None:
    """What another package happens to bring along may be gone with its next version."""
    graph = grimp.build_graph(*_present(), include_external_packages=True, cache_dir=None)
    external = {name for name in graph.modules if graph.is_module_squashed(name)}
    owners = importlib.metadata.packages_distributions()
    project = PROJECT["project"]
    rows = [*project["dependencies"], *project["optional-dependencies"]["semantic"]]
    declared = {_plain(_name(row)) for row in rows}
    unasked = {
        name
        for name in external - set(sys.stdlib_module_names)
        if not declared & {_plain(owner) for owner in owners.get(name, [])}
    }
    assert unasked == set()


def test_every_dependency_is_pinned_exactly_and_names_no_place() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    pinned = {_plain(found[1]) for row in rows if (found := PIN.match(row))}
    assert [row for row in rows if not PIN.match(row)] == []
    assert _asked_for() - pinned == set()


def test_every_dependency_has_its_line_in_the_decisions() -> None:
    text = (ROOT / "docs" / "decisions" / "dependencies.md").read_text("utf-8").lower()
    assert {name for name in _asked_for() if f"| {name} |" not in text} == set()


def test_the_locked_node_packages_name_no_registry() -> None:
    lock = (ROOT / "tests" / "tools" / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert "://" not in lock


def _asked_for() -> set[str]:
    """The distributions that pyproject.toml names, for the product and for its tests."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(row for extra in extras for row in extra)]
    return {_plain(_name(row)) for row in wanted}


def _present() -> list[str]:
    return [name for name in PACKAGES if (ROOT / name / "__init__.py").exists()]


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=; ]", requirement, maxsplit=1)[0]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
