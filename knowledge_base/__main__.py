"""``python -m knowledge_base``: suggestions without a server."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from knowledge_base.articles import Article, load_articles
from knowledge_base.index import build_index
from knowledge_base.suggest import Suggestions, suggest


class _Refusal(Exception):
    """What cannot be done; its text is for the person at the command line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 1 when the articles cannot be used; argparse exits with 2 itself."""
    chosen = _parser().parse_args(arguments)
    try:
        articles = _articles(chosen.articles)
    except _Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    found = suggest(build_index(articles), chosen.text, locale=chosen.locale)
    print(_as_json(found) if chosen.json else _as_text(found))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m knowledge_base", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("suggest", help="the articles that answer a text")
    command.add_argument("text", help="what a customer asks")
    command.add_argument(
        "--articles",
        required=True,
        type=Path,
        metavar="F.jsonl",
        help="one article a line: {id, title, body, locale, audience?, category?, phrasings?}",
    )
    command.add_argument("--locale", metavar="L", help="only articles in this language")
    command.add_argument("--json", action="store_true", help="for programs")
    return parser


def _articles(path: Path) -> tuple[Article, ...]:
    """The articles of the file; refuses all of it for one bad line.

    A base with a hole in it would give wrong suggestions without a word.
    """
    try:
        reading = load_articles(path)
    except OSError as error:
        raise _Refusal(f"{path}: {error.strerror}") from error
    if reading.faults:
        more = len(reading.faults) - 1
        rest = f" (and {more} more such {'line' if more == 1 else 'lines'})" if more else ""
        raise _Refusal(f"{path}: {reading.faults[0]}{rest}")
    return reading.articles


def _as_json(found: Suggestions) -> str:
    return json.dumps(asdict(found), ensure_ascii=False)


def _as_text(found: Suggestions) -> str:
    if found.band == "none":
        return "No article answers this."
    return "\n".join(f"{item.score:.2f}  {item.title}  [{item.article_id}]" for item in found.items)


if __name__ == "__main__":
    # Titles may be Chinese where the terminal's own encoding cannot say so.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
