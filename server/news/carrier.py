"""What can carry news between processes."""

from __future__ import annotations

from typing import Protocol

# What the smallest of them can carry: PostgreSQL takes less than 8,000 bytes.
MAX_TEXT_BYTES = 7_500


class Carrier(Protocol):
    """Takes short texts from one process to all, itself included; may lose any of them.

    Every method raises OSError when the carrier is away. None sets itself a limit of time.
    """

    name: str

    async def open(self) -> None:
        """Connects and begins to listen."""

    async def publish(self, text: str) -> None:
        """Sends a text of at most ``MAX_TEXT_BYTES`` to all who listen now."""

    async def hear(self) -> str:
        """The next text that somebody sent; waits until there is one."""

    async def close(self) -> None:
        """Leaves; safe to call in any state."""
