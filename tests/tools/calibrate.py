"""``python -m tests.tools.calibrate CLINC BANKING ELSEWHERE``: coefficients of confidence.

The three are folders of question sets. No question that ``evaluate`` or a test asks is learnt from:
asked are phrasings of the first two that were left out of the index, titles and phrasings of the
demo shop that were left out likewise, and ``calibration_questions.jsonl``, which was written for
this. Bases of one article up to all are made of each, with few and many phrasings; asked beside are
questions about articles that are not in the base, and what no article answers: the strange
questions of ``val.jsonl``, and questions to the third set. Prints rows for
knowledge_base/confidence.py.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal  # Any: JSON values

import orjson

from knowledge_base.articles import Article
from knowledge_base.calibrate import Sample, fit
from knowledge_base.confidence import GROWN, SHIPPED, channel_of, features, speaking, youth
from knowledge_base.encoder import Encoder, installed_encoder
from knowledge_base.evaluate import QuestionSet, load_set
from knowledge_base.index import build_index
from knowledge_base.perturb import perturbed
from knowledge_base.rank import rank

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "server" / "demo" / "articles.jsonl"
OWN = HERE / "calibration_questions.jsonl"
Kind = Literal["known", "near", "strange"]
Row = dict[str, Any]  # Any: JSON values
# How many bases of each size: small ones have few questions each.
BASES = {1: 8, 2: 6, 5: 4, 12: 2, 30: 1, 70: 1, 135: 1}
DEMO_BASES = {1: 16, 2: 10, 5: 6, 12: 4, 30: 3, 64: 3}
OWN_BASES = {1: 24, 2: 16, 5: 10, 12: 6, 30: 4, 70: 3}
KNOWN = (0, 1, 3, 5, 8, 20)
ASKED, HELD_OUT_EACH = 90, 8
# What the demo's phrasings say counts little: they are two words each, nobody asks so.
WEIGHTS = {"set": 1.0, "demo": 0.2, "own": 1.5}
# A strange question counts four times where the coefficients are learnt; the scale is put right
# after.
LOUD: Mapping[Kind, float] = {"known": 1.0, "near": 1.0, "strange": 4.0}
# So much of a sample counts towards the coefficients of a young base that comes from a grown one.
OF_GROWN = 0.3
# How a question is changed, where a die shows less.
CHANGES: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.75, ()),
    (0.85, ("typo1",)),
    (0.93, ("long",)),
    (1.0, ("typo2",)),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the ids that answer it, and how far it is from the base."""

    text: str
    answers: frozenset[str]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Base:
    """Some articles and what is asked of them."""

    articles: tuple[Article, ...]
    questions: tuple[Question, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What speaks for the first item of a question, whether it is right, and what that counts."""

    grown: tuple[float, ...]
    """As the coefficients of a grown base see it, so far as the base is one."""
    seen: tuple[float, ...]
    young: float
    right: bool
    weight: float
    """As it comes."""
    loud: float
    """How much more, where the coefficients are learnt."""


def some(chance: random.Random, texts: Sequence[str], number: int, kind: Kind) -> list[Question]:
    """Questions that the base does not answer."""
    chosen = chance.sample(texts, min(len(texts), number))
    return [Question(text, frozenset(), kind) for text in chosen]


def of_set(chosen: QuestionSet, strange: Sequence[str]) -> Iterator[Base]:
    """Bases of a set with phrasings; those that are left out are asked."""
    for size, number in BASES.items():
        for known in KNOWN if size < len(chosen.articles) else ():
            for turn in range(number):
                chance = random.Random(f"{chosen.name} {size} {known} {turn}")
                kept = chance.sample(chosen.articles, size)
                ids = {article.id for article in kept}
                of: dict[str, list[str]] = defaultdict(list)
                for article_id, text in chance.sample(chosen.phrasings, len(chosen.phrasings)):
                    of[article_id].append(text)
                asked = [
                    Question(text, frozenset({a.id}), "known")
                    for a in kept
                    for text in of[a.id][known : known + HELD_OUT_EACH]
                ]
                asked = chance.sample(asked, min(len(asked), ASKED // number))
                near = [text for other, texts in of.items() if other not in ids for text in texts]
                beside = max(4, len(asked) // 3)
                asked += some(chance, near, beside // 2, "near")
                asked += some(chance, strange, beside // 2, "strange")
                articles = (replace(a, phrasings=tuple(of[a.id][:known])) for a in kept)
                yield Base(tuple(articles), tuple(asked), WEIGHTS["set"])


def article(row: Row, phrasings: Sequence[str], title: str | None = None) -> Article:
    """An article of the demo shop under one id a language."""
    return Article(
        f"{row['id']} {row['locale']}",
        title or row["title"],
        row["body"],
        row["locale"],
        phrasings=tuple(phrasings),
    )


def either(article_id: str) -> frozenset[str]:
    """The ids of an article in both languages."""
    return frozenset({f"{article_id} en", f"{article_id} zh"})


def of_demo(
    rows: Sequence[Row], spoken: str, strange: Mapping[str, Sequence[str]]
) -> Iterator[Base]:
    """Bases in which each article lost its title or a phrasing, which is asked."""
    own = [row for row in rows if spoken in ("both", row["locale"])]
    for size, number in DEMO_BASES.items():
        for turn in range(number):
            chance = random.Random(f"demo {spoken} {size} {turn}")
            kept = set(chance.sample(sorted({row["id"] for row in own}), size))
            articles, asked = [], []
            for row in own:
                said = chance.sample(row["phrasings"], len(row["phrasings"]))
                if row["id"] in kept and said:
                    title, lost = (
                        (said[0], row["title"])
                        if chance.random() < 0.5
                        else (
                            row["title"],
                            said[0],
                        )
                    )
                    most = chance.choice((0, 1, 2, 9))
                    articles.append(article(row, said[1 : 1 + most], title))
                    asked.append(Question(lost, either(row["id"]), "known"))
            beside = max(4, len(asked) // 3)
            near = [row["title"] for row in own if row["id"] not in kept]
            asked += some(chance, near, beside // 2, "near")
            asked += some(chance, strange[spoken], beside // 2, "strange")
            yield Base(tuple(articles), tuple(asked), WEIGHTS["demo"])


def of_own(rows: Sequence[Row], questions: Sequence[Row], spoken: str) -> Iterator[Base]:
    """Bases of the demo shop's articles, asked what was written for this."""
    own = [row for row in questions if spoken in ("both", row["locale"])]
    for size, number in OWN_BASES.items():
        for turn in range(number):
            chance = random.Random(f"own {spoken} {size} {turn}")
            kept = set(chance.sample(sorted({row["id"] for row in rows}), size))
            most = chance.choice((0, 2, 9, 9))
            articles = tuple(
                article(row, row["phrasings"][:most])
                for row in rows
                if row["id"] in kept and spoken in ("both", row["locale"])
            )
            known = [row for row in own if row["relevant_ids"]]
            asked = [
                Question(row["text"], either(row["relevant_ids"][0]), "known")
                for row in known
                if row["relevant_ids"][0] in kept
            ]
            beside = max(3, len(asked) // 5)
            near = [row["text"] for row in known if row["relevant_ids"][0] not in kept]
            strange = [row["text"] for row in own if not row["relevant_ids"]]
            asked += some(chance, near, beside // 2, "near")
            asked += some(chance, strange, beside, "strange")
            yield Base(articles, tuple(asked), WEIGHTS["own"])


def bases(clinc: Path, banking: Path, elsewhere: Path) -> Iterator[Base]:
    """All bases with their questions; no two sets are strange to each other that share topics."""
    lines = (clinc / "val.jsonl").read_bytes().splitlines()
    unanswered = [row["text"] for row in map(orjson.loads, lines) if not row["relevant_ids"]]
    other = [query.text for query in load_set(elsewhere).queries]
    for folder in (clinc, banking):
        yield from of_set(load_set(folder), unanswered)
    rows = [orjson.loads(line) for line in DEMO.read_bytes().splitlines()]
    questions = [orjson.loads(line) for line in OWN.read_bytes().splitlines()]
    strange = {"en": unanswered, "zh": other, "both": [*unanswered, *other[: len(unanswered)]]}
    for spoken in ("en", "zh", "both"):
        yield from of_demo(rows, spoken, strange)
        yield from of_own(rows, questions, spoken)


def samples(base: Base, encoder: Encoder | None) -> Iterator[tuple[str, Asked]]:
    """By channel: what speaks for the first item of each question, and whether it is right."""
    chance = random.Random(len(base.articles))
    index = build_index(base.articles, encoder=encoder)
    for question in base.questions:
        dice = chance.random()
        change = next(c for most, c in CHANGES if dice < most)
        ranking = rank(index, perturbed(question.text, change, chance))
        if not ranking.matches or ranking.matches[0].signals.exact:
            continue
        first = ranking.matches[0]
        right = index.segments[first.segment].articles[first.article].id in question.answers
        yield (
            channel_of(first),
            Asked(
                features(ranking, 0)[:GROWN],
                speaking(ranking, 0),
                youth(first.signals),
                right,
                base.weight,
                LOUD[question.kind],
            ),
        )


def fitted(found: Sequence[Asked], grown: Sequence[float]) -> tuple[float, ...]:
    """The coefficients in a young base, stretched so that their probabilities are true.

    Those in a grown one are given; between the two a base has its part of both.
    """
    nothing = (0.0,) * GROWN
    learnt = [
        Sample(
            (*nothing, *a.seen), a.right, a.weight * a.loud * (a.young + OF_GROWN * (1 - a.young))
        )
        for a in found
    ]
    young = fit(learnt, held=GROWN)[GROWN:]
    others = (0.0,) * (len(young) - 2)
    plain = []
    for one in found:
        if one.young:
            total = sum(c * f for c, f in zip(young, one.seen, strict=True))
            seen = (*one.grown, one.young, one.young * total, *others)
            plain.append(Sample(seen, one.right, one.weight))
    shift, scale, *_ = fit(plain, (*grown, 0.0, 0.0, *others), held=GROWN)[GROWN:]
    first, *more = (round(scale * c, 3) for c in young)
    return (round(first + shift, 3), *more)


def main() -> None:
    """Prints the coefficients in a young base; the third row needs a set in pinyin."""
    folders = [Path(folder) for folder in sys.argv[1:]]
    made = list(bases(*folders))
    rows: tuple[tuple[str, Callable[[], Encoder | None]], ...] = (
        ("by_words", lambda: None),
        ("with_meaning", installed_encoder),
    )
    for name, encoder_of in rows:
        encoder = encoder_of()
        found = [
            asked for base in made for channel, asked in samples(base, encoder) if channel == name
        ]
        print(
            f"{name}={fitted(found, getattr(SHIPPED, name)[:GROWN])},  # {len(found)} samples",
            flush=True,
        )


if __name__ == "__main__":
    main()
