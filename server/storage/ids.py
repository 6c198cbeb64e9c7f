"""Ids: time-ordered and unguessable (UUID version 7, RFC 9562), as 32 hexadecimal digits."""

from __future__ import annotations

import secrets


def new_id(at_ms: int) -> str:
    """A UUIDv7 for an instant in ms UTC; 74 random bits, so ids cannot be enumerated."""
    random = secrets.randbits(74)
    value = (at_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64
    value |= 0b10 << 62 | (random & (1 << 62) - 1)
    return f"{value:032x}"
