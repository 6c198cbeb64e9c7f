"""What the knowledge base is worth: what is missing, what is used, by whom, and how surely."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, and_, func, or_, select

from knowledge_base.likeness import grouped
from knowledge_base.text import clean, tokens
from server.domain.spans import DAY_MS, WEEK_MS
from server.storage.article_lists import A
from server.storage.articles import ARTICLE, TEXT
from server.storage.knowledge import SUGGESTION

S = SUGGESTION.c
# The latest of them; older ones add little to what a person would write next.
MOST_QUESTIONS = 1000
EXAMPLES = 4
STALE_MS = 180 * DAY_MS
BINS = 5


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that say about the same and found no answer; examples are the latest."""

    asked: int
    examples: tuple[str, ...]
    last_at_ms: int
    conversation_id: str | None


@dataclass(frozen=True, slots=True)
class ArticleUse:
    """How often an article was offered first or at all, used, and found helpful by shoppers."""

    article_id: str
    title: str
    shown: int
    used: int
    helped: int
    unhelped: int
    last_used_at_ms: int | None


@dataclass(frozen=True, slots=True)
class AgentUse:
    """How many messages an agent was offered something for, and how many offers were used."""

    agent_id: str
    offered: int
    used: int


@dataclass(frozen=True, slots=True)
class Week:
    """Of the questions of a week: how many found something, how many offers were used."""

    start_at_ms: int
    asked: int
    covered: int
    used: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Offers whose first article seemed likely to about the same degree, and how often it was it.

    Only offers with an outcome count; ``said`` is the mean of what was said, 0..1.
    """

    offers: int
    said: float
    right: int


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """Everything about a period; the sums count messages of customers, not keystrokes."""

    asked: int
    covered: int
    used: int
    gaps: tuple[Gap, ...]
    articles: tuple[ArticleUse, ...]
    agents: tuple[AgentUse, ...]
    weeks: tuple[Week, ...]
    bins: tuple[Bin, ...]
    stale: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    agent_id: str | None
    origin: str
    query: str
    band: str
    articles: tuple[tuple[str, float], ...]
    asked_at_ms: int
    outcome: str | None
    chosen_id: str | None
    conversation_id: str | None

    @property
    def used(self) -> bool:
        return self.outcome in ("accepted", "helped")

    @property
    def unanswered(self) -> bool:
        refused = self.outcome in ("dismissed", "unhelped") and self.chosen_id is None
        return not self.used and (self.band == "none" or refused)


def knowledge_report(
    connection: Connection, *, from_ms: int, to_ms: int, locale: str
) -> KnowledgeReport:
    """The report of [from, to); titles are in ``locale`` where an article speaks it."""
    rows = [
        _Asked(**{**row, "articles": tuple(map(tuple, orjson.loads(row["articles"])))})
        for row in connection.execute(
            select(*(S[name] for name in _Asked.__dataclass_fields__))
            .where(
                # What a shopper typed and did not judge is asked when they send it.
                or_(S.origin == "message", and_(S.origin == "shopper", S.outcome.is_not(None))),
                S.asked_at_ms >= from_ms,
                S.asked_at_ms < to_ms,
            )
            .order_by(S.asked_at_ms)
        ).mappings()
    ]
    titles = _titles(connection, locale)
    return KnowledgeReport(
        asked=len(rows),
        covered=sum(row.band != "none" for row in rows),
        used=sum(row.used for row in rows),
        gaps=_gaps(rows),
        articles=_articles(rows, titles),
        agents=_agents(rows),
        weeks=_weeks(rows, from_ms),
        bins=_bins(rows),
        stale=_stale(connection, titles, at_ms=to_ms),
    )


def _gaps(rows: Sequence[_Asked]) -> tuple[Gap, ...]:
    open_rows = [row for row in rows if row.unanswered and tokens(clean(row.query))]
    open_rows = open_rows[-MOST_QUESTIONS:]
    said = [" ".join(tokens(clean(row.query))) for row in open_rows]
    gaps = []
    for group in grouped(said):
        of_group = [open_rows[place] for place in group]
        latest = of_group[-1]
        examples = tuple(dict.fromkeys(row.query for row in reversed(of_group)))[:EXAMPLES]
        gaps.append(Gap(len(group), examples, latest.asked_at_ms, latest.conversation_id))
    return tuple(gaps)


def _articles(rows: Sequence[_Asked], titles: dict[str, str]) -> tuple[ArticleUse, ...]:
    shown: dict[str, int] = defaultdict(int)
    outcomes: dict[tuple[str, str], int] = defaultdict(int)
    last: dict[str, int] = {}
    for row in rows:
        if row.band != "none":
            for article_id, _ in row.articles:
                shown[article_id] += 1
        if row.chosen_id is not None and row.outcome is not None:
            outcomes[row.chosen_id, row.outcome] += 1
            if row.used:
                last[row.chosen_id] = max(last.get(row.chosen_id, 0), row.asked_at_ms)
    known = {*shown, *(article_id for article_id, _ in outcomes)}
    uses = [
        ArticleUse(
            article_id=article_id,
            title=titles[article_id],
            shown=shown[article_id],
            used=outcomes[article_id, "accepted"],
            helped=outcomes[article_id, "helped"],
            unhelped=outcomes[article_id, "unhelped"],
            last_used_at_ms=last.get(article_id),
        )
        for article_id in sorted(known & titles.keys())
    ]
    return tuple(sorted(uses, key=lambda use: (-(use.used + use.helped), -use.shown)))


def _agents(rows: Iterable[_Asked]) -> tuple[AgentUse, ...]:
    offered: dict[str, int] = defaultdict(int)
    used: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.agent_id is not None and row.origin == "message" and row.band != "none":
            offered[row.agent_id] += 1
            used[row.agent_id] += row.used
    return tuple(AgentUse(agent_id, n, used[agent_id]) for agent_id, n in sorted(offered.items()))


def _weeks(rows: Iterable[_Asked], from_ms: int) -> tuple[Week, ...]:
    weeks: dict[int, list[_Asked]] = defaultdict(list)
    for row in rows:
        weeks[(row.asked_at_ms - from_ms) // WEEK_MS].append(row)
    return tuple(
        Week(
            from_ms + number * WEEK_MS,
            len(of_week),
            sum(row.band != "none" for row in of_week),
            sum(row.used for row in of_week),
        )
        for number, of_week in sorted(weeks.items())
    )


def _bins(rows: Iterable[_Asked]) -> tuple[Bin, ...]:
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for row in rows:
        if row.outcome is None or not row.articles:
            continue
        first, sure = row.articles[0]
        bins[min(BINS - 1, int(sure * BINS))].append((sure, row.used and row.chosen_id == first))
    return tuple(
        Bin(len(found), sum(s for s, _ in found) / len(found), sum(right for _, right in found))
        for found in bins
        if found
    )


def _titles(connection: Connection, locale: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for article_id, spoken, title in connection.execute(
        select(TEXT.c.article_id, TEXT.c.locale, TEXT.c.title)
        .join_from(TEXT, ARTICLE, and_(ARTICLE.c.id == TEXT.c.article_id, A.status != "archived"))
        .order_by(TEXT.c.article_id, TEXT.c.locale)
    ):
        if article_id not in found or spoken.startswith(locale):
            found[article_id] = title
    return found


def _stale(
    connection: Connection, titles: dict[str, str], *, at_ms: int
) -> tuple[tuple[str, str, int], ...]:
    """(id, title, last change) of published articles that nobody has changed or used for long."""
    used = select(func.max(S.outcome_at_ms)).where(
        S.chosen_id == A.id, S.outcome.in_(("accepted", "helped"))
    )
    before_ms = at_ms - STALE_MS
    last_used = used.scalar_subquery()
    rows = connection.execute(
        select(A.id, A.updated_at_ms)
        .where(
            A.status == "published",
            A.updated_at_ms < before_ms,
            or_(last_used.is_(None), last_used < before_ms),
        )
        .order_by(A.updated_at_ms, A.id)
        .limit(100)
    )
    return tuple((row[0], titles[row[0]], row[1]) for row in rows if row[0] in titles)
