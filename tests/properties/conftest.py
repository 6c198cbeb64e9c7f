"""The laws are tried on the scenes of the actions."""

from __future__ import annotations

from tests.actions.conftest import opener, scene

__all__ = ["opener", "scene"]
