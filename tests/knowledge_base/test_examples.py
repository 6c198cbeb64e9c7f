"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["text", "likeness", "confidence", "features"])
def test_the_examples_of_the_module_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"knowledge_base.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
