"""``python -m tests.tools.calibrate DIR...``: coefficients of confidence from labelled sets.

Some of the articles are taken away, so that their questions have no answer, as many questions
of real customers have none. Prints what goes into knowledge_base/confidence.py.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from knowledge_base.calibrate import Sample, fit
from knowledge_base.confidence import features
from knowledge_base.encoder import Encoder, installed_encoder
from knowledge_base.evaluate import Options, QuestionSet, articles_of, load_set
from knowledge_base.index import build_index
from knowledge_base.perturb import perturbed
from knowledge_base.rank import rank

TAKEN = 0.15
# What has no answer must look unlike what has one: it counts more than a wrong neighbour. The
# scale is put right afterwards, so that the probabilities stay true.
NO_ANSWER, WRONG = 3.0, 0.1
MOST = 700
PHRASINGS = (0, 5, 20)


def samples(
    chosen: QuestionSet,
    encoder: Encoder | None,
    *,
    phrasings: int,
    seed: int,
    perturb: tuple[str, ...] = (),
) -> Iterator[Sample]:
    """What speaks for the first item of each question, and whether it is right."""
    chance = random.Random(seed)
    kept = {a.id for a in chosen.articles if chance.random() >= TAKEN}
    options = Options(phrasings=phrasings, seed=seed)
    articles = [a for a in articles_of(chosen, options) if a.id in kept]
    index = build_index(articles, encoder=encoder)
    queries = list(chosen.queries)
    for query in chance.sample(queries, min(MOST, len(queries))):
        ranking = rank(index, perturbed(query.text, perturb, chance))
        if not ranking.matches or ranking.matches[0].signals.exact:
            continue
        first = ranking.matches[0]
        found = index.segments[first.segment].articles[first.article].id
        right = found in query.relevant
        weight = 1.0 if right else (WRONG if query.relevant & kept else NO_ANSWER)
        yield Sample(features(ranking, 0), right, weight)


def _fitted(
    sets: list[QuestionSet], encoder: Encoder | None, perturb: tuple[str, ...] = ()
) -> tuple[float, ...]:
    found: list[Sample] = []
    for number, chosen in enumerate(sets):
        for phrasings in PHRASINGS if chosen.phrasings else (0,):
            mine = samples(
                chosen, encoder, phrasings=phrasings, seed=number + phrasings, perturb=perturb
            )
            found += mine
    return _scaled(fit(found), found)


def _scaled(coefficients: tuple[float, ...], found: list[Sample]) -> tuple[float, ...]:
    """The coefficients, stretched so that their probabilities are true for samples as they come."""
    nothing = (0.0,) * (len(coefficients) - 2)
    plain = [
        Sample(
            (1.0, sum(c * f for c, f in zip(coefficients, s.features, strict=True)), *nothing),
            s.right,
        )
        for s in found
    ]
    shift, scale, *_ = fit(plain)
    first, *others = (round(scale * c, 3) for c in coefficients)
    return (round(first + shift, 3), *others)


def main() -> None:
    """Prints the three rows of SHIPPED."""
    sets = [replace(load_set(Path(folder))) for folder in sys.argv[1:]]
    print("with_meaning =", _fitted(sets, installed_encoder()))
    print("by_words =", _fitted(sets, None))
    chinese = [chosen for chosen in sets if chosen.articles[0].locale.startswith("zh")]
    if chinese:
        print("by_sound =", _fitted(chinese, None, ("pinyin",)))


if __name__ == "__main__":
    main()
