from __future__ import annotations

from tests.realtime.conftest import own_desk, own_people

__all__ = ["own_desk", "own_people"]
