"""What every template holds to, read from the files."""

from __future__ import annotations

import re
from pathlib import Path

import agent_ui

FOLDER = Path(agent_ui.__file__).with_name("templates")
TABLE = re.compile(
    r"<table\b(?P<rest>(?:\{\{.*?\}\}|[^>])*)>(?P<after>\s*(?:<caption)?)", re.DOTALL
)


def test_every_table_says_what_it_is_of() -> None:
    nameless = [
        f"{path.name}: {found.group(0)[:60]}"
        for path in sorted(FOLDER.glob("*.html"))
        for found in TABLE.finditer(path.read_text("utf-8"))
        if "<caption" not in found["after"] and "aria-label" not in found["rest"]
    ]
    assert nameless == []
