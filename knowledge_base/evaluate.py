"""How well suggestions answer a labelled set of questions; nothing here is used when serving."""

from __future__ import annotations

import random
import resource
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson

from knowledge_base.articles import Article, load_articles
from knowledge_base.confidence import SUGGEST_FROM, confidence
from knowledge_base.encoder import Encoder
from knowledge_base.index import Index, build_index
from knowledge_base.perturb import perturbed
from knowledge_base.rank import Ranking, rank

_DEEP = 10
_BINS = 10


class BadSet(Exception):
    """A set that cannot be read; its text is for the person at the command line."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the ids of the articles that answer it; none when it is out of scope."""

    text: str
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Articles without phrasings, the phrasings, and questions."""

    name: str
    articles: tuple[Article, ...]
    phrasings: tuple[tuple[str, str], ...]
    """(article id, text)"""
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """What is tried; the same seed gives the same run."""

    phrasings: int | None = None
    perturb: tuple[str, ...] = ()
    label_noise: float = 0.0
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of a run; rates 0..1, those about out-of-scope questions None without any."""

    set: str
    articles: int
    queries: int
    phrasings: int | None
    perturb: list[str]
    encoder: str | None
    recall_at_1: float
    recall_at_3: float
    recall_at_5: float
    mrr_at_10: float
    auroc: float | None
    ece: float
    answered_right: float
    shown_out_of_scope: float | None
    p50_ms: float
    p99_ms: float
    rss_mb: float


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one question: the place of the right article, and the confidence."""

    in_scope: bool
    place: int | None
    sure: float
    took_s: float


def load_set(folder: Path) -> QuestionSet:
    """The set in a folder: articles.jsonl, queries.jsonl, and phrasings.jsonl if there is one.

    Raises BadSet naming what is wrong.
    """
    try:
        reading = load_articles(folder / "articles.jsonl")
    except OSError as error:
        raise BadSet(f"{folder / 'articles.jsonl'}: {error.strerror}") from None
    if reading.faults:
        raise BadSet(f"{folder / 'articles.jsonl'}: {reading.faults[0]}")
    phrasings = [(article.id, text) for article in reading.articles for text in article.phrasings]
    if (folder / "phrasings.jsonl").exists():
        phrasings += [
            (str(row["article_id"]), str(row["text"]))
            for row in _rows(folder / "phrasings.jsonl", ("article_id", "text"))
        ]
    queries = tuple(
        Query(str(row["text"]), _ids(row["relevant_ids"]))
        for row in _rows(folder / "queries.jsonl", ("text", "relevant_ids"))
    )
    articles = tuple(replace(article, phrasings=()) for article in reading.articles)
    if not articles or not queries:
        raise BadSet(f"{folder}: there is nothing to evaluate")
    return QuestionSet(folder.name, articles, tuple(phrasings), queries)


def evaluate(chosen: QuestionSet, options: Options, encoder: Encoder | None) -> Evaluation:
    """The figures of a set; every question is asked once, one after the other."""
    index = build_index(articles_of(chosen, options), encoder=encoder)
    outcomes = list(_outcomes(index, chosen.queries, options))
    asked = [outcome for outcome in outcomes if outcome.in_scope]
    strange = [outcome for outcome in outcomes if not outcome.in_scope]
    times_ms = sorted(outcome.took_s * 1000 for outcome in outcomes)
    return Evaluation(
        set=chosen.name,
        articles=len(chosen.articles),
        queries=len(chosen.queries),
        phrasings=options.phrasings,
        perturb=list(options.perturb),
        encoder=encoder.name if encoder else None,
        recall_at_1=_recall(asked, 1),
        recall_at_3=_recall(asked, 3),
        recall_at_5=_recall(asked, 5),
        mrr_at_10=_rounded(statistics.fmean(_reciprocal(o.place) for o in asked)),
        auroc=_auroc(asked, strange) if strange else None,
        ece=_ece(outcomes),
        answered_right=_share(o.place == 0 and o.sure >= SUGGEST_FROM for o in asked),
        shown_out_of_scope=_share(o.sure >= SUGGEST_FROM for o in strange) if strange else None,
        p50_ms=round(statistics.median(times_ms), 2),
        p99_ms=round(times_ms[int(len(times_ms) * 0.99)], 2),
        rss_mb=round(_rss_mb(), 1),
    )


def articles_of(chosen: QuestionSet, options: Options) -> list[Article]:
    """The articles with the phrasings that a run may know, some of them mislabelled on purpose."""
    chance = random.Random(options.seed)
    ids = [article.id for article in chosen.articles]
    own: dict[str, list[str]] = defaultdict(list)
    for article_id, text in chosen.phrasings:
        own[article_id].append(text)
    given: dict[str, list[str]] = defaultdict(list)
    for article_id in ids:
        texts = own[article_id]
        chance.shuffle(texts)
        for text in texts[: options.phrasings]:
            wrong = chance.random() < options.label_noise
            given[chance.choice(ids) if wrong else article_id].append(text)
    return [replace(a, phrasings=tuple(given[a.id])) for a in chosen.articles]


def _outcomes(index: Index, queries: Iterable[Query], options: Options) -> Iterator[_Outcome]:
    chance = random.Random(options.seed)
    for query in queries:
        text = perturbed(query.text, options.perturb, chance)
        started = time.perf_counter()
        ranking = rank(index, text, limit=_DEEP)
        sure = confidence(ranking, 0) if ranking.matches else 0.0
        took_s = time.perf_counter() - started
        place = next(
            (p for p, found in enumerate(_found(index, ranking)) if found in query.relevant), None
        )
        yield _Outcome(bool(query.relevant), place, sure, took_s)


def _found(index: Index, ranking: Ranking) -> list[str]:
    return [index.segments[m.segment].articles[m.article].id for m in ranking.matches]


def _recall(asked: Sequence[_Outcome], within: int) -> float:
    return _share(o.place is not None and o.place < within for o in asked)


def _reciprocal(place: int | None) -> float:
    return 0.0 if place is None else 1 / (place + 1)


def _auroc(asked: Sequence[_Outcome], strange: Sequence[_Outcome]) -> float:
    """How often a question that has an answer is surer than one that has none; ties count half."""
    sure = np.array([o.sure for o in (*asked, *strange)])
    order = sure.argsort(kind="stable")
    ranks = np.empty(len(sure))
    ranks[order] = np.arange(1, len(sure) + 1)
    for value in np.unique(sure):
        ranks[sure == value] = ranks[sure == value].mean()
    above = ranks[: len(asked)].sum() - len(asked) * (len(asked) + 1) / 2
    return _rounded(above / (len(asked) * len(strange)))


def _ece(outcomes: Sequence[_Outcome]) -> float:
    """The expected calibration error: how far confidence and rightness are apart, in ten bins."""
    bins: dict[int, list[_Outcome]] = defaultdict(list)
    for outcome in outcomes:
        bins[min(_BINS - 1, int(outcome.sure * _BINS))].append(outcome)
    apart = 0.0
    for found in bins.values():
        sure = statistics.fmean(o.sure for o in found)
        right = statistics.fmean(float(o.place == 0) for o in found)
        apart += abs(sure - right) * len(found)
    return _rounded(apart / len(outcomes))


def _share(holds: Iterable[bool]) -> float:
    values = list(holds)
    return _rounded(sum(values) / len(values)) if values else 0.0


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _rss_mb() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 1024


def _rows(path: Path, keys: Sequence[str]) -> Iterator[Mapping[str, object]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise BadSet(f"{path}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row: object = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadSet(f"{path}: line {number}: not JSON in UTF-8: {error.msg}") from None
        if not isinstance(row, dict) or any(key not in row for key in keys):
            raise BadSet(f"{path}: line {number}: expected an object with {', '.join(keys)}")
        yield row


def _ids(value: object) -> frozenset[str]:
    return frozenset(str(one) for one in value) if isinstance(value, list) else frozenset()
