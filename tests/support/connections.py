"""Connections to PostgreSQL that somebody forgot to close."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any  # Any: handed on

from psycopg import BaseConnection
from psycopg.pq import ConnStatus
from psycopg.pq.abc import PGconn

ROOT = Path(__file__).resolve().parent.parent.parent
# Steps of our own code that a report shows.
STEPS = 8


@dataclass(frozen=True, slots=True)
class Made:
    """A connection's line to the server and where it was made."""

    line: PGconn
    test: str
    steps: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self.line.status != ConnStatus.BAD

    def __str__(self) -> str:
        return "\n  ".join((f"made in {self.test}", *self.steps))


class ConnectionWatch:
    """Knows every connection of psycopg that this process makes from now on.

    One that is forgotten is told of by Python's collector only, in whatever test it happens to run.
    The watch keeps the lines, so that it finds those too that were collected before they were
    closed.
    """

    def __init__(self) -> None:
        """Begins to watch; once in a process."""
        self._made: list[Made] = []
        # The only place that connections of all kinds pass.
        BaseConnection.__init__ = self._watched(BaseConnection.__init__)  # type: ignore[method-assign]

    def forget(self) -> None:
        """Begins anew: what was made until now is not asked for any more."""
        self._made.clear()

    def left_open(self) -> list[str]:
        """Where each connection was made that is still open; they are closed now."""
        left = [made for made in self._made if made.is_open]
        self.forget()
        for made in left:
            made.line.finish()
        return [str(made) for made in left]

    def _watched(self, make: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(make)
        def watched(connection: BaseConnection[Any], line: PGconn) -> None:  # Any: rows
            make(connection, line)
            test = os.environ.get("PYTEST_CURRENT_TEST", "no test")
            self._made.append(Made(line, test, _steps(sys._getframe(1))))

        return watched


def _steps(frame: FrameType | None) -> tuple[str, ...]:
    """The lines of our own code that led here, the innermost first."""
    found: list[str] = []
    while frame is not None and len(found) < STEPS:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
            found.append(f"{path.relative_to(ROOT)}:{frame.f_lineno} in {frame.f_code.co_name}")
        frame = frame.f_back
    return tuple(found)
