"""The READMEs tell the truth about commands: each exists, with every option that it is given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any  # Any: typer's commands, of classes that it keeps to itself

import pytest
import typer

from server.cli import app
from tests.docs.pages import PAGES, READMES, ROOT, blocks, text, without_code

NAMES = [readme.name for readme in READMES]
ATTRIBUTES = re.compile(r"`(data-[a-z-]+)`")


def _written() -> Iterator[tuple[Path, list[str]]]:
    """(page, words) of each ``shopbell`` command in a block for a shell or in a sentence."""
    for page in PAGES:
        content = page.read_text(encoding="utf-8")
        lines = [line for block in blocks(content, "sh") for line in block.splitlines()]
        lines += re.findall(r"`([\w./-]*shopbell [^`\n]+)`", content)
        for line in lines:
            words = shlex.split(line, comments=True)
            if words and words[0].rpartition("/")[2] == "shopbell":
                yield page, words[1:]


COMMANDS = [pytest.param(words, id=f"{page.name} {' '.join(words)}") for page, words in _written()]


def _follow(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words lead to, and its arguments. Raises KeyError for an unknown one."""
    command = typer.main.get_command(app)
    rest = list(words)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    return command, rest


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_in_the_docs_exists_with_its_options(words: list[str]) -> None:
    command, rest = _follow(words)
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    given = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert given - known - {"--help"} == set()


def test_every_command_is_in_the_docs() -> None:
    def names(command: object, prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, inner in getattr(command, "commands", {}).items():
            if hasattr(inner, "commands"):
                yield from names(inner, (*prefix, name))
            else:
                yield (*prefix, name)

    written = [tuple(words) for _, words in _written()]
    missing = [
        " ".join(name)
        for name in names(typer.main.get_command(app), ())
        if not any(words[: len(name)] == name for words in written)
    ]
    assert missing == []


@pytest.mark.parametrize("readme", NAMES)
def test_the_two_commands_are_targets_of_the_makefile(readme: str) -> None:
    made = set(re.findall(r"^([\w-]+):", text("Makefile"), re.MULTILINE))
    used = {
        line.split()[1]
        for block in blocks(text(readme), "sh")
        for line in block.splitlines()
        if line.startswith("make ")
    }
    assert {"run", "test"} <= used <= made


def _named(readme: Path) -> set[str]:
    """The commands of a README with their options; the values are in its own language."""
    named = set(re.findall(r"`(make [^`\n]+)`", text(readme.name)))
    for page, words in _written():
        if page == readme:
            rest = _follow(words)[1]
            options = sorted(word.partition("=")[0] for word in rest if word.startswith("--"))
            named.add(" ".join(["shopbell", *words[: len(words) - len(rest)], *options]))
    return named


def test_both_readmes_name_the_same_commands() -> None:
    english, chinese = (_named(readme) for readme in READMES)
    assert english
    assert english == chinese


def test_both_readmes_have_the_same_sections_and_code() -> None:
    def form(page: str) -> tuple[list[str], list[int], list[str]]:
        levels = re.findall(r"^(#+) ", without_code(page), re.MULTILINE)
        lines_of_shell = [len(block.splitlines()) for block in blocks(page, "sh")]
        return levels, lines_of_shell, blocks(page, "html", "js", "")

    english, chinese = (form(text(readme)) for readme in NAMES)
    assert english == chinese


def test_every_attribute_of_the_loader_is_described() -> None:
    head = text("widget/loader.js").partition("*/")[0]
    known = set(re.findall(r"data-[a-z]+(?:-[a-z]+)*", head))
    assert set(ATTRIBUTES.findall(text("docs/widget.md"))) == known
    english, chinese = (set(ATTRIBUTES.findall(text(readme))) for readme in NAMES)
    assert english == chinese
    assert english <= known


def test_every_picture_is_small_enough_to_load() -> None:
    pictures = list((ROOT / "docs" / "screenshots").glob("*.png"))
    assert pictures
    assert [p.name for p in pictures if p.stat().st_size > 250_000] == []
