"""Every link of the docs leads somewhere, and nothing in them is left over or private."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, READMES, ROOT, anchors, without_code

_LINK = re.compile(r"\]\(([^)\s]+)\)")
# ASCII, because a Chinese character beside such a word is a letter to \b otherwise.
_FORBIDDEN = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b|/root/|/home/|/tmp/|C:\\", re.ASCII)


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.exists() or not file.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    links = _LINK.findall(without_code(page.read_text(encoding="utf-8")))
    inside = [link for link in links if not link.startswith(("http://", "https://", "mailto:"))]
    assert [link for link in inside if not _leads_somewhere(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_no_page_names_a_machine_or_leaves_something_for_later(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if _FORBIDDEN.search(line)] == []


@pytest.mark.parametrize("readme", READMES, ids=_name)
def test_every_page_can_be_reached_from_each_readme(readme: Path) -> None:
    other = set(READMES) - {readme}
    seen: set[Path] = set()
    waiting = [readme]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        if page in other:
            continue  # what only the other language leads to does not count
        for target in _LINK.findall(page.read_text(encoding="utf-8")):
            name = target.partition("#")[0]
            file = (page.parent / name).resolve()
            if name and not target.startswith("http") and file.is_file():
                waiting.append(file)
    assert {_name(page) for page in PAGES} - {_name(page) for page in seen} == set()


@pytest.mark.parametrize("readme", READMES, ids=_name)
def test_every_page_of_the_docs_is_listed_in_each_readme(readme: Path) -> None:
    listed = {link.partition("#")[0] for link in _LINK.findall(readme.read_text("utf-8"))}
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages - listed == set()


def test_both_readmes_lead_to_the_same_pages_and_to_each_other() -> None:
    english, chinese = (
        {link.partition("#")[0] for link in _LINK.findall(readme.read_text(encoding="utf-8"))}
        for readme in READMES
    )
    here, there = (readme.name for readme in READMES)
    assert there in english
    assert here in chinese
    # Each has the pictures of its own language.
    assert {link for link in english - {there} if not link.endswith(".png")} == {
        link for link in chinese - {here} if not link.endswith(".png")
    }


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(_LINK.findall((folder / "README.md").read_text(encoding="utf-8")))
    assert {page.name for page in folder.glob("*.md")} - listed == {"README.md"}
