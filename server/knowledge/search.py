"""The index over the shop's articles; the one module that loads the engine (0.5 s and 80 MB).

Everything here may take long and runs on threads of its own.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from knowledge_base.articles import Article
from knowledge_base.calibrate import Sample, fit
from knowledge_base.confidence import (
    CHANNELS,
    FEATURES,
    SHIPPED,
    Calibration,
    band,
    channel_of,
    features,
)
from knowledge_base.encoder import Encoder, installed_encoder
from knowledge_base.index import Index, build_index, with_changes
from knowledge_base.index import with_meaning as meant
from knowledge_base.postings import Floats
from knowledge_base.rank import rank
from knowledge_base.suggest import Item, Suggestions, suggest
from knowledge_base.text import has_han, language
from server.storage import articles as article_rows
from server.storage import knowledge as rows
from server.storage.database import Database

PAGE = 500
# How many texts are given their meaning between two commits of what was made.
ENCODE_AT_ONCE = 256
# Fewer outcomes say less than the public sets that the shipped coefficients come from.
LEAST_EVENTS = 300
IGNORED_WEIGHT = 0.3
GOOD = ("accepted", "helped")


@dataclass(frozen=True, slots=True)
class State:
    """Everything that changes together when articles change.

    The engine knows an article once for each language it speaks, as "ID LOCALE".
    """

    index: Index
    locales: frozenset[str]
    calibration: Calibration
    encoder: Encoder | None
    """What gives texts their meaning; None in a shop that goes by words alone."""

    @property
    def lacks_meaning(self) -> bool:
        """True while the index goes by words alone and need not."""
        return self.encoder is not None and self.index.encoder is None


def first_state(
    database: Database,
    changed: Sequence[article_rows.Article],
    *,
    at_ms: int,
    semantic: bool,
) -> State:
    """The state of a process that has just begun, by words alone: ``with_meaning`` gives the rest.

    The weights of the encoder take longer to load than all else together.
    """
    found = list(_articles(database, changed, at_ms=at_ms))
    locales = frozenset(article.locale for article in found)
    encoder = installed_encoder() if semantic else None
    return State(build_index(found), locales, calibration_of(database), encoder)


def with_meaning(database: Database, state: State) -> State:
    """The state whose index knows meanings too. May take long: every new text is encoded."""
    if state.encoder is None:
        return state
    # Loads the weights where every meaning is kept already; else the first question would wait.
    state.encoder.encode(["?"])
    index = meant(state.index, KeptEncoder(database, state.encoder))
    return replace(state, index=replace(index, encoder=state.encoder))


def next_state(
    database: Database, state: State, changed: Sequence[article_rows.Article], *, at_ms: int
) -> State:
    """The state after some articles changed, or their time came or went."""
    found = list(_articles(database, changed, at_ms=at_ms))
    locales = state.locales | {article.locale for article in found}
    here = {article.id for article in found}
    gone = {f"{article.id} {locale}" for article in changed for locale in locales} - here
    encoder = state.index.encoder
    kept = None if encoder is None else KeptEncoder(database, encoder)
    index = with_changes(replace(state.index, encoder=kept), found, gone)
    calibration = calibration_of(database)
    return State(replace(index, encoder=encoder), locales, calibration, state.encoder)


def calibration_of(database: Database) -> Calibration:
    """How the confidence is worked out: as last fitted to this shop, or as shipped."""
    found = database.read_now(rows.calibration)
    # What an earlier version had fitted was about other things that speak for an item.
    if found is None or any(len(values) != len(FEATURES) for values in found.values()):
        return SHIPPED
    return Calibration(**{name: tuple(values) for name, values in found.items()})


@dataclass(frozen=True, slots=True)
class Recalibrated:
    """A calibration fitted to a shop, from how many outcomes, and how far off it is.

    ``error`` is the expected calibration error on outcomes that it was not fitted to, 0..1;
    ``covered`` the share of questions for which it finds something.
    """

    calibration: Calibration
    events: int
    error: float
    covered: float


def recalibrated(state: State, offers: Sequence[rows.Offer]) -> Recalibrated | None:
    """How sure to be in this shop, from what became of offers; None where they are too few.

    A part of the outcomes is kept aside: the new coefficients are taken only where they say it
    better there than the present ones.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in CHANNELS}
    aside: list[tuple[str, Sample]] = []
    for offer in offers:
        ranking = rank(state.index, offer.query, offer.locale)
        if not ranking.matches:
            continue
        first = state.index.segments[ranking.matches[0].segment].articles[
            ranking.matches[0].article
        ]
        right = offer.chosen_id == first.id.rpartition(" ")[0] and offer.outcome in GOOD
        # Who wrote an answer without a look at the offer has not said that it was wrong.
        weight = 1.0 if offer.outcome is not None else IGNORED_WEIGHT
        channel = channel_of(ranking.matches[0])
        sample = Sample(features(ranking, 0), right, weight)
        if int(offer.id[-2:], 16) % 5:
            samples[channel].append(sample)
        else:
            aside.append((channel, sample))
    events = sum(map(len, samples.values())) + len(aside)
    if events < LEAST_EVENTS:
        return None
    best = state.calibration
    fitted = {
        name: fit(of_channel, getattr(best, name))
        for name, of_channel in samples.items()
        if len({sample.right for sample in of_channel}) == 2
    }
    better = replace(best, **fitted)
    if _error(better, aside) < _error(best, aside):
        best = better
    sure = [_sure(best, channel, sample) for channel, sample in aside]
    covered = sum(band(one) != "none" for one in sure) / max(1, len(sure))
    return Recalibrated(best, events, round(_error(best, aside), 4), round(covered, 4))


def _sure(calibration: Calibration, channel: str, sample: Sample) -> float:
    coefficients: tuple[float, ...] = getattr(calibration, channel)
    total = sum(c * f for c, f in zip(coefficients, sample.features, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def _error(calibration: Calibration, aside: Sequence[tuple[str, Sample]]) -> float:
    """The mean distance of what was said from what was so, in ten bins (Guo et al. 2017)."""
    bins: dict[int, list[tuple[float, Sample]]] = {}
    for channel, sample in aside:
        sure = _sure(calibration, channel, sample)
        bins.setdefault(min(9, int(sure * 10)), []).append((sure, sample))
    off = sum(
        abs(sum(sample.weight * (sure - sample.right) for sure, sample in found))
        for found in bins.values()
    )
    return off / (sum(sample.weight for _, sample in aside) or 1.0)


def search(
    state: State,
    text: str,
    *,
    locale: str | None,
    public_only: bool,
    limit: int,
    priors: Mapping[str, float],
) -> Suggestions:
    """The articles that best answer a text, at most ``limit``, each once; ids are article ids.

    Articles in the language of the text come first; the others are looked at where none fits.
    """
    # Latin letters from somebody who speaks Chinese may be pinyin.
    speaks = language(locale or "zh")
    wanted = "zh" if has_han(text) else (None if speaks == "zh" else speaks)
    ask = partial(
        suggest,
        state.index,
        text,
        public_only=public_only,
        limit=2 * limit,
        priors={f"{key} {name}": value for key, value in priors.items() for name in state.locales},
        calibration=state.calibration,
    )
    found = ask(locale=wanted)
    if found.band == "none" and wanted is not None:
        wider = ask()
        found = wider if wider.band != "none" else found
    once: dict[str, Item] = {}
    for item in found.items:
        article_id = item.article_id.rpartition(" ")[0]
        once.setdefault(article_id, replace(item, article_id=article_id))
    return replace(found, items=tuple(once.values())[:limit])


def is_live(article: article_rows.Article, *, at_ms: int) -> bool:
    """True when an article is published and its time has come and not gone."""
    return (
        article.status == "published"
        and (article.valid_from_ms is None or article.valid_from_ms <= at_ms)
        and (article.valid_to_ms is None or article.valid_to_ms > at_ms)
    )


def _articles(
    database: Database, changed: Collection[article_rows.Article], *, at_ms: int
) -> Iterable[Article]:
    """The articles that may be found now, one for each language they speak."""
    live = [article for article in changed if is_live(article, at_ms=at_ms)]
    for start in range(0, len(live), PAGE):
        page = {article.id: article for article in live[start : start + PAGE]}
        texts = database.read_now(partial(article_rows.texts_of, article_ids=page))
        phrasings = database.read_now(partial(article_rows.phrasings_of, article_ids=page))
        for (article_id, locale), text in texts.items():
            article = page[article_id]
            asked = phrasings.get((article_id, locale), ())
            yield Article(
                id=f"{article_id} {locale}",
                title=text.title,
                body=text.body,
                locale=locale,
                audience=_audience(article),
                category=article.category,
                phrasings=tuple(p.text for p in asked if p.state == "active"),
            )


def _audience(article: article_rows.Article) -> Literal["public", "internal"]:
    public = article.audience == "public" and article.kind == "article"
    return "public" if public else "internal"


class KeptEncoder:
    """An encoder that keeps in the database what it has made of the texts of articles."""

    def __init__(self, database: Database, encoder: Encoder) -> None:
        self.name = encoder.name
        self.dimensions = encoder.dimensions
        self._database = database
        self._encoder = encoder

    def encode(self, texts: Sequence[str]) -> Floats:
        """One row a text; made only where no process has made it before."""
        found = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), ENCODE_AT_ONCE):
            page = texts[start : start + ENCODE_AT_ONCE]
            keys = [_hash(text) for text in page]
            known = self._database.read_now(partial(rows.vectors, encoder=self.name, hashes=keys))
            missing = {key: text for key, text in zip(keys, page, strict=True) if key not in known}
            if missing:
                vectors = self._encoder.encode(list(missing.values())).astype(np.float16)
                made = {key: row.tobytes() for key, row in zip(missing, vectors, strict=True)}
                self._database.write_now(partial(rows.keep_vectors, encoder=self.name, made=made))
                known |= made
            for place, key in enumerate(keys, start):
                found[place] = np.frombuffer(known[key], dtype=np.float16)
        return found


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
