"""The written pages of the project, as tests look at them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
PAGES = (*READMES, *sorted((ROOT / "docs").rglob("*.md")))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    """A page, by its path from the root of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def without_code(page: str) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", page)


def blocks(page: str, *languages: str) -> list[str]:
    """The blocks of code in one of the languages."""
    return [found[2] for found in _FENCE.finditer(page) if found[1] in languages]


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level or above. Raises KeyError."""
    level = len(heading) - len(heading.lstrip("#"))
    found = re.search(
        rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", page, re.MULTILINE | re.DOTALL
    )
    if found is None:
        raise KeyError(heading)
    return found[1]


def anchors(page: str) -> set[str]:
    """What a link after # may name: the headings, in the form that forges give them."""
    heads = re.findall(r"^#{1,6} (.+)$", without_code(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()) for head in heads)
    return {head.replace(" ", "-") for head in plain}
