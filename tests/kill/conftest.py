from __future__ import annotations

from tests.realtime.conftest import own_desk

__all__ = ["own_desk"]
