"""What became of something that a source told."""

from __future__ import annotations

from typing import Literal

Taken = Literal["accepted", "unchanged"]
