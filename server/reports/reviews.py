"""What quality reviews are drawn from, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from server.domain.errors import InvalidInput
from server.domain.metrics import METRICS, Figures
from server.domain.review_card import FULL, Scorecard
from server.domain.review_draw import (
    RANDOM,
    Candidate,
    Drawn,
    DrawScope,
    Plan,
    Population,
    draw,
    population,
)
from server.domain.review_figures import (
    Agreement,
    Estimate,
    Stratum,
    agreement,
    estimate,
)
from server.domain.spans import WEEK_MS
from server.reports.rows import figures
from server.reports.scope import Scope
from server.storage import reviews
from server.storage.reviews import Item, Judged, Sample

MAX_CANDIDATES = 100_000
# What stands beside the reviews of a person: the same chats' times and ratings.
BESIDE = ("review_score", "review_pass", "review_critical", "frt", "r3m_turn", "csat")


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a plan draws from a scope, and from how many."""

    scope: DrawScope
    plan: Plan
    seed: str
    population: Population
    drawn: Sequence[Drawn]


def candidates(
    connection: Connection, scope: DrawScope, *, before: str | None = None
) -> list[Candidate]:
    """The sessions to draw from: over, with a counted reply of a person.

    ``before`` takes only earlier samples as drawn, to draw that one again. Raises InvalidInput for
    more than can be drawn from.
    """
    whole = Scope(
        timezone=scope.timezone,
        as_of_ms=scope.as_of_ms,
        as_of_seq=scope.as_of_seq,
        from_ms=scope.from_ms,
        to_ms=scope.to_ms,
        channel=scope.channel,
    )
    frame = figures(connection, whole).frame("session")
    wanted = np.asarray(frame.replied & frame.over & (frame.most_replies_by != None), bool)  # noqa: E711  # column by column
    if scope.agent_id is not None:
        wanted &= frame.most_replies_by == scope.agent_id
    if scope.team_id is not None:
        wanted &= frame.team_id == scope.team_id
    frame = frame.select(wanted)
    if frame.n > MAX_CANDIDATES:
        raise InvalidInput(
            f"More than {MAX_CANDIDATES} chats. Choose a shorter period.",
            field="to",
            reason="too_many_chats",
        )
    drawn = reviews.drawn_before(connection, before) if scope.skip_drawn else set()
    columns = (
        frame.texts("conversation_id").tolist(),
        frame.numbers("session_no").tolist(),
        frame.texts("most_replies_by").tolist(),
        frame.texts("team_id").tolist(),
        frame.texts("channel").tolist(),
        frame.numbers("at_ms").tolist(),
        frame.numbers("rating").tolist(),
        frame.numbers("customer_messages").tolist(),
        frame.numbers("next_ask_at_ms").tolist(),
        frame.numbers("ended_at_ms").tolist(),
        frame.numbers("transfers").tolist(),
        frame.numbers("first_wait_ms").tolist(),
    )
    return [
        Candidate(
            conversation_id=row[0],
            session_no=row[1],
            agent_id=row[2],
            team_id=row[3],
            channel=row[4],
            started_at_ms=row[5],
            rating=row[6] if row[6] > 0 else None,
            messages=row[7],
            reopened=0 <= row[9] <= row[8] <= row[9] + WEEK_MS,
            transferred=row[10] > 0,
            first_wait_ms=row[11],
        )
        for row in zip(*columns, strict=True)
        if (row[0], row[1]) not in drawn
    ]


def make_drawing(
    connection: Connection, scope: DrawScope, plan: Plan, seed: str, *, before: str | None = None
) -> Drawing:
    """What a plan draws from a scope."""
    found = candidates(connection, scope, before=before)
    return Drawing(scope, plan, seed, population(found), draw(found, plan, seed=seed))


def draws_the_same(connection: Connection, sample: Sample) -> bool:
    """Whether drawing a sample again gives the very same chats in the same order."""
    again = make_drawing(connection, sample.scope, sample.plan, sample.seed, before=sample.id)
    now = [
        (*one.candidate.key, one.candidate.agent_id, one.stratum, one.twice) for one in again.drawn
    ]
    then = [
        (one.conversation_id, one.session_no, one.agent_id, one.stratum, one.twice)
        for one in reviews.items_of(connection, sample.id)
    ]
    return now == then and again.population == sample.population


def by_agent(connection: Connection, scope: Scope) -> dict[str, dict[str | int | None, Figures]]:
    """The figures of reviews by agent, beside those of the same period's chats."""
    loaded = figures(connection, scope)
    return {name: loaded.by(METRICS[name], "agent") for name in BESIDE}


def whole(connection: Connection, scope: Scope) -> dict[str, Figures]:
    """The figures of reviews of everybody together."""
    loaded = figures(connection, scope)
    names = ("review_score", "review_pass", "review_critical", "review_objected")
    return {name: loaded.of(METRICS[name]) for name in names}


def sample_estimate(
    sample: Sample, items: Sequence[Item], judged: Mapping[str, Sequence[Judged]]
) -> Estimate | None:
    """The mean score over all chats that a sample was drawn from, each agent by their chats."""
    scores: dict[str, list[float]] = {}
    for item in items:
        if item.stratum != RANDOM:
            continue
        for one in judged.get(item.id, ()):
            if one.given_at_ms is not None and not one.second and one.score is not None:
                scores.setdefault(item.agent_id, []).append(one.score / FULL)
    return estimate(
        [Stratum(size, scores.get(agent, ())) for agent, size in sample.population.agents.items()]
    )


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far reviewers agree: on passing, on each criterion, and how far their scores are apart.

    ``apart`` is the mean distance of two scores, of 1. ``criteria`` are by id, of the scorecard's
    latest version; a criterion that it has no more is left out.
    """

    passing: Agreement
    apart: float
    criteria: Mapping[str, Agreement]


def calibration(
    pairs: Sequence[tuple[Item, Judged, Judged]], card: Scorecard
) -> Calibration | None:
    """What the chats say that two people judged; None without any."""
    passing = agreement([(one.passed, other.passed) for _, one, other in pairs])
    if passing is None:
        return None
    criteria = {}
    for criterion in card.criteria:
        both = [
            (one.marks[criterion.id], other.marks[criterion.id])
            for _, one, other in pairs
            if criterion.id in one.marks and criterion.id in other.marks
        ]
        found = agreement(both)
        if found is not None:
            criteria[criterion.id] = found
    apart = sum(abs((one.score or 0) - (other.score or 0)) for _, one, other in pairs)
    return Calibration(passing, apart / len(pairs) / FULL, criteria)
