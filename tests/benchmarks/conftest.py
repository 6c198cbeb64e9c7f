"""Figures of one run: printed as a table, and kept under docs/benchmarks."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import uvloop

from tests.support.processes import ROOT

FOLDER = ROOT / "docs" / "benchmarks"
PACKAGES = ("aiohttp", "python-socketio", "python-engineio", "uvloop", "orjson", "sqlalchemy")


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table; ``goal`` is in words, because a benchmark never fails."""

    name: str
    value: float
    unit: str
    goal: str = ""


class Results:
    """What the benchmarks of a run have found, in the order in which they ran."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def add(self, name: str, value: float, unit: str, goal: str = "") -> None:
        """Notes a figure and prints it at once."""
        figure = Figure(name, value, unit, goal)
        self.figures.append(figure)
        print(f"\n  {_line(figure)}", end="", flush=True)

    def value(self, name: str) -> float | None:
        """A figure found earlier in this run, None when that benchmark was not chosen."""
        return next((f.value for f in self.figures if f.name == name), None)

    def ratio(self, name: str, of: str, to: str, goal: str) -> None:
        """Notes one figure of this run over another; nothing when either is missing."""
        upper, lower = self.value(of), self.value(to)
        if upper is not None and lower:
            self.add(name, round(upper / lower, 2), "", goal)


@pytest.fixture(scope="session")
def results() -> Iterator[Results]:
    """The figures of this run; kept in docs/benchmarks under SHOPBELL_BENCH_NAME when it is set."""
    found = Results()
    yield found
    name = os.environ.get("SHOPBELL_BENCH_NAME")
    if found.figures and name:
        _write(found, name)


@pytest.fixture(scope="session")
def seconds() -> float:
    """How long each load lasts; SHOPBELL_BENCH_SECONDS for a quick look."""
    return float(os.environ.get("SHOPBELL_BENCH_SECONDS", "10"))


@pytest.fixture(scope="session", autouse=True)
def fast_loop() -> None:
    """The clients run on uvloop too, so that they cost less than what they measure."""
    uvloop.install()


def _line(figure: Figure) -> str:
    goal = f"   ({figure.goal})" if figure.goal else ""
    return f"{figure.name:58} {figure.value:>10,g} {figure.unit}{goal}"


def _write(found: Results, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    report: dict[str, object] = {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": _machine(),
        "versions": _versions(),
        "figures": [asdict(figure) for figure in found.figures],
    }
    (FOLDER / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n")
    rows = [f"| {f.name} | {f.value:,g} {f.unit} | {f.goal} |" for f in found.figures]
    table = ["| what | measured | goal |", "|---|---:|---|", *rows]
    head = f"# Benchmarks: {name}\n\n{_words(report)}\n\n"
    (FOLDER / f"{name}.md").write_text(head + "\n".join(table) + "\n")


def _words(report: dict[str, object]) -> str:
    machine, versions = report["machine"], report["versions"]
    assert isinstance(machine, dict)
    assert isinstance(versions, dict)
    return (
        f"{report['at']}, commit {report['commit']}; {machine['cpu']}, {machine['cores']} cores,"
        f" {machine['memory_gb']} GB; load on the machine before: {machine['load']}; "
        + ", ".join(f"{key} {value}" for key, value in versions.items())
        + ". Server and clients share the cores; ratios are the figures to trust."
    )


def _machine() -> dict[str, object]:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 2**30),
        "system": platform.platform(terse=True),
        "load": round(_LOAD, 1),
    }


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in PACKAGES}


def _commit() -> str:
    shown = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip() or "unknown"


_LOAD = os.getloadavg()[0]
