"""What a report page needs of the log, read in one go: figures, groups, rows and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from server.domain.errors import InvalidInput
from server.domain.metrics import Figures, Metric, metric_of
from server.reports.frames import Frame
from server.reports.quality import Quality, load_quality
from server.reports.rows import LoadedFigures, figures
from server.reports.scope import Scope
from server.storage import figures as kept
from server.storage.people import AGENT, TEAM
from server.storage.rows import CONVERSATION

Key = str | int | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a page can be narrowed to: names by id."""

    agents: Mapping[str, str]
    teams: Mapping[str, tuple[str, str | None]]
    channels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Wants:
    """What a page asks for: metrics as a whole, metrics by a dimension, the rows of metrics."""

    whole: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    rows: tuple[str, ...] = ()

    def __add__(self, other: Wants) -> Wants:
        """Both, each thing once."""
        return Wants(
            tuple(dict.fromkeys((*self.whole, *other.whole))),
            tuple(dict.fromkeys((*self.groups, *other.groups))),
            tuple(dict.fromkeys((*self.rows, *other.rows))),
        )


@dataclass(frozen=True, slots=True)
class PageFigures:
    """What a page shows; metrics that there are not are not in it.

    ``groups`` is by (dimension, metric id), then by the group's key. ``before`` is the same as
    ``whole`` of the period that it is compared with.
    """

    scope: Scope
    compared: Scope | None
    metrics: Mapping[str, Metric]
    whole: Mapping[str, Figures]
    before: Mapping[str, Figures]
    groups: Mapping[tuple[str, str], Mapping[Key, Figures]]
    rows: Mapping[str, Frame]
    quality: Quality
    choices: Choices
    started: bool


def load_page(
    connection: Connection, wants: Wants, *, scope: Scope, compared: Scope | None
) -> PageFigures:
    """The figures of a page; a scope without ``as_of_seq`` gets the end of the log as it is now."""
    metrics = known((*wants.whole, *(name for _, name in wants.groups), *wants.rows))
    now = figures(connection, scope)
    before = None if compared is None else figures(connection, compared)
    return PageFigures(
        scope=now.scope,
        compared=compared,
        metrics=metrics,
        whole=_whole(now, wants.whole, metrics),
        before={} if before is None else _whole(before, wants.whole, metrics),
        groups={
            (dimension, metric_id): now.by(metrics[metric_id], dimension)
            for dimension, metric_id in wants.groups
            if metric_id in metrics
        },
        rows={name: now.behind(metrics[name]) for name in wants.rows if name in metrics},
        quality=load_quality(now),
        choices=load_choices(connection),
        started=connection.execute(select(CONVERSATION.c.id).limit(1)).first() is not None,
    )


def known(metric_ids: Iterable[str]) -> dict[str, Metric]:
    """The metrics of those ids that there are, in order."""
    found: dict[str, Metric] = {}
    for metric_id in metric_ids:
        if metric_id not in found:
            try:
                found[metric_id] = metric_of(metric_id)
            except InvalidInput:
                continue
    return found


def load_choices(connection: Connection) -> Choices:
    """Names of people and teams by id, and the channels that conversations have come by."""
    agents = connection.execute(select(AGENT.c.id, AGENT.c.name).order_by(AGENT.c.name))
    teams = connection.execute(select(TEAM.c.id, TEAM.c.name, TEAM.c.name_zh).order_by(TEAM.c.name))
    return Choices(
        {row.id: row.name for row in agents},
        {row.id: (row.name, row.name_zh) for row in teams},
        sorted(kept.channels(connection)),
    )


def _whole(
    loaded: LoadedFigures, metric_ids: Sequence[str], metrics: Mapping[str, Metric]
) -> dict[str, Figures]:
    return {name: loaded.of(metrics[name]) for name in metric_ids if name in metrics}
