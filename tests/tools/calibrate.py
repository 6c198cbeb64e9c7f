"""``python -m tests.tools.calibrate DIR...``: coefficients of confidence from labelled sets.

No question that ``evaluate`` asks is learnt from: what is asked here are phrasings that were left
out of the index. Bases of several sizes are made from each set, with few and many phrasings, and
with articles taken away, so that some questions have no answer; questions of ``val.jsonl`` that
have none, and the Chinese of sets without phrasings, are asked where they are about something else.
The demo shop's articles always take part. Prints what goes into knowledge_base/confidence.py.
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from knowledge_base.articles import Article
from knowledge_base.calibrate import Sample, fit
from knowledge_base.confidence import channel_of, features
from knowledge_base.encoder import Encoder, installed_encoder
from knowledge_base.evaluate import load_set
from knowledge_base.index import build_index
from knowledge_base.perturb import perturbed
from knowledge_base.rank import rank
from knowledge_base.text import language

DEMO = Path(__file__).parents[2] / "server" / "demo" / "articles.jsonl"
ASKED, HELD_OUT_EACH, STRANGE_SHARE = 220, 12, 6
# What has no answer must look unlike what has one: it counts more than a wrong neighbour. The
# scale is put right afterwards, so that the probabilities stay true.
NO_ANSWER, WRONG = 1.5, 0.75
# The demo's phrasings are two words each, and there are only four: they speak softly.
DEMO_WEIGHT = 0.2
FEW = 100
# How a question is changed, where a die shows less.
CHANGES: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.7, ()),
    (0.82, ("typo1",)),
    (0.92, ("long",)),
    (1.0, ("typo2",)),
)


@dataclass(frozen=True, slots=True)
class Pool:
    """Articles without phrasings, their phrasings, and questions about something else."""

    articles: tuple[Article, ...]
    phrasings: tuple[tuple[str, str], ...]
    strange: tuple[str, ...]
    weight: float
    known: tuple[int, ...]
    """How many phrasings an article may have in the index, one base for each."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What speaks for the first item of a question, whether it is right, and what that counts."""

    features: tuple[float, ...]
    right: bool
    weight: float
    """As it comes."""
    loud: float
    """How much more, where the coefficients are learnt."""


def pools(folders: Sequence[Path]) -> Iterator[Pool]:
    """The sets that have phrasings, and the demo's articles in each language."""
    strange: dict[str, list[str]] = defaultdict(list)
    sets = {folder: load_set(folder) for folder in folders}
    for folder, chosen in sets.items():
        spoken = language(chosen.articles[0].locale)
        if len(chosen.phrasings) < FEW:
            strange[spoken] += [query.text for query in chosen.queries[:3000]]
        if (folder / "val.jsonl").exists():
            known = map(orjson.loads, (folder / "val.jsonl").read_bytes().splitlines())
            strange[spoken] += [row["text"] for row in known if not row["relevant_ids"]]
    for chosen in sets.values():
        if len(chosen.phrasings) >= FEW:
            spoken = language(chosen.articles[0].locale)
            yield Pool(
                chosen.articles, chosen.phrasings, tuple(strange[spoken]), 1.0, (0, 2, 5, 20)
            )
    rows = [orjson.loads(line) for line in DEMO.read_bytes().splitlines()]
    for spoken in ("en", "zh"):
        own = [row for row in rows if row["locale"] == spoken]
        yield Pool(
            tuple(Article(row["id"], row["title"], row["body"], spoken) for row in own),
            tuple((row["id"], text) for row in own for text in row["phrasings"]),
            tuple(strange[spoken]),
            DEMO_WEIGHT,
            (0, 1, 2, 3),
        )


def samples(
    pool: Pool, encoder: Encoder | None, *, known: int, size: int, seed: int
) -> Iterator[tuple[str, Asked]]:
    """By channel: what speaks for the first item of each question, and whether it is right."""
    chance = random.Random(seed)
    kept = chance.sample(pool.articles, min(size, int(len(pool.articles) * 0.9)))
    ids = {article.id for article in kept}
    phrasings = chance.sample(pool.phrasings, len(pool.phrasings))
    of: dict[str, list[str]] = defaultdict(list)
    for article_id, text in phrasings:
        of[article_id].append(text)
    index = build_index(
        [replace(a, phrasings=tuple(of[a.id][:known])) for a in kept], encoder=encoder
    )
    asked = [(t, a.id) for a in kept for t in of[a.id][known : known + HELD_OUT_EACH]]
    asked = chance.sample(asked, min(ASKED, len(asked)))
    number = max(12, len(asked) // STRANGE_SHARE)
    gone = [text for article_id, texts in of.items() if article_id not in ids for text in texts]
    beside = chance.sample(gone, min(len(gone), number // 2))
    beside += chance.sample(pool.strange, min(len(pool.strange), number - len(beside)))
    for text, answer in [*asked, *((text, None) for text in beside)]:
        dice = chance.random()
        change = next(c for most, c in CHANGES if dice < most)
        ranking = rank(index, perturbed(text, change, chance))
        if not ranking.matches or ranking.matches[0].signals.exact:
            continue
        first = ranking.matches[0]
        right = index.segments[first.segment].articles[first.article].id == answer
        loud = 1.0 if right else (NO_ANSWER if answer is None else WRONG)
        yield channel_of(first), Asked(features(ranking, 0), right, pool.weight, loud)


def collected(folders: Sequence[Path], encoder: Encoder | None) -> dict[str, list[Asked]]:
    """All samples by channel, with an encoder or without."""
    found: dict[str, list[Asked]] = defaultdict(list)
    for number, pool in enumerate(pools(folders)):
        for known in pool.known:
            for size in (len(pool.articles) // 4, len(pool.articles)):
                seed = 1000 * number + 10 * known + (size == len(pool.articles))
                for channel, sample in samples(pool, encoder, known=known, size=size, seed=seed):
                    found[channel].append(sample)
    return found


def fitted(found: Sequence[Asked]) -> tuple[float, ...]:
    """The coefficients, stretched so that their probabilities are true for questions as asked."""
    coefficients = fit([Sample(a.features, a.right, a.weight * a.loud) for a in found])
    nothing = (0.0,) * (len(coefficients) - 2)
    sums = [sum(c * f for c, f in zip(coefficients, a.features, strict=True)) for a in found]
    plain = [
        Sample((1.0, total, *nothing), a.right, a.weight)
        for a, total in zip(found, sums, strict=True)
    ]
    shift, scale, *_ = fit(plain)
    first, *others = (round(scale * c, 3) for c in coefficients)
    return (round(first + shift, 3), *others)


def main() -> None:
    """Prints two rows of SHIPPED. The third, of what was only heard, needs a set in pinyin."""
    folders = [Path(folder) for folder in sys.argv[1:]]
    print(f"by_words={fitted(collected(folders, None)['by_words'])},")
    found = collected(folders, installed_encoder())
    print(f"with_meaning={fitted(found['with_meaning'])},")


if __name__ == "__main__":
    main()
