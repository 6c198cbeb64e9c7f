"""``python -m knowledge_base``: suggestions without a server, and how good they are."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from knowledge_base.articles import Article, load_articles
from knowledge_base.encoder import installed_encoder
from knowledge_base.evaluate import BadSet, Options, evaluate, load_set
from knowledge_base.index import build_index
from knowledge_base.perturb import PERTURBATIONS
from knowledge_base.suggest import Suggestions, suggest


class _Refusal(Exception):
    """What cannot be done; its text is for the person at the command line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0, or 1 when the articles cannot be used; argparse exits with 2 itself."""
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except (_Refusal, BadSet) as refusal:
        print(refusal, file=sys.stderr)
        return 1


def _suggest(chosen: argparse.Namespace) -> int:
    encoder = None if chosen.no_encoder else installed_encoder()
    index = build_index(_articles(chosen.articles), encoder=encoder)
    found = suggest(index, chosen.text, locale=chosen.locale)
    print(_as_json(found) if chosen.json else _as_text(found))
    return 0


def _evaluate(chosen: argparse.Namespace) -> int:
    options = Options(
        phrasings=chosen.phrasings,
        perturb=tuple(chosen.perturb),
        label_noise=chosen.label_noise,
        seed=chosen.seed,
    )
    encoder = None if chosen.no_encoder else installed_encoder()
    found = asdict(evaluate(load_set(chosen.set), options, encoder))
    if chosen.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        print("\n".join(f"{name:20} {value}" for name, value in found.items()))
    return 0


def _perturbations(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in PERTURBATIONS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(PERTURBATIONS)}")
    return names


def _number(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 <= rate <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return rate


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
    command.add_argument("--no-encoder", action="store_true", help="by words alone")
    command.set_defaults(run=_suggest)
    command = commands.add_parser("evaluate", help="how well a labelled set is answered")
    command.add_argument(
        "--set",
        required=True,
        type=Path,
        metavar="DIR",
        help="a folder with articles.jsonl, queries.jsonl {text, relevant_ids} and perhaps"
        " phrasings.jsonl {text, article_id}",
    )
    command.add_argument(
        "--phrasings", type=_number, metavar="N", help="at most so many an article (default: all)"
    )
    command.add_argument(
        "--perturb",
        type=_perturbations,
        default=[],
        metavar="LIST",
        help=f"changes to each question, by comma: {', '.join(PERTURBATIONS)}",
    )
    command.add_argument(
        "--label-noise", type=_rate, default=0.0, metavar="P", help="share of mislabelled phrasings"
    )
    command.add_argument("--no-encoder", action="store_true", help="by words alone")
    command.add_argument("--seed", type=int, default=1, metavar="N", help="the same run again")
    command.add_argument("--json", action="store_true", help="for programs")
    command.set_defaults(run=_evaluate)
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
