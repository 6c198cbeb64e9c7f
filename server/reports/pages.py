"""What a report page needs of the log, read in one go: figures, groups, rows and names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from server.domain.errors import InvalidInput
from server.domain.metrics import Figures, Metric, metric_of
from server.reports.frames import Frame
from server.reports.quality import Quality, load_quality
from server.reports.rows import LoadedFigures, figures, figures_beside
from server.reports.scope import Scope
from server.storage import figures as kept
from server.storage.people import AGENT, TEAM
from server.storage.products import titles_of
from server.storage.rows import CONVERSATION

Key = str | int | None
# Of what there may be thousands, a page shows so many groups; the file has all.
MOST_GROUPS = {"sku": 21}


@dataclass(frozen=True, slots=True)
class Choices:
    """What a page can be narrowed to: names by id, of products only those that it shows."""

    agents: Mapping[str, str]
    teams: Mapping[str, tuple[str, str | None]]
    channels: Sequence[str]
    products: Mapping[str, str] = field(default_factory=dict)


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
    now, before = (
        (figures(connection, scope), None)
        if compared is None
        else figures_beside(connection, scope, compared)
    )
    # What comes before a period is read with it, if it is asked for first.
    earlier = {} if before is None else _whole(before, wants.whole, metrics)
    groups = {
        (dimension, metric_id): now.by(
            metrics[metric_id], dimension, most=MOST_GROUPS.get(dimension)
        )
        for dimension, metric_id in wants.groups
        if metric_id in metrics
    }
    shown = {key for (dimension, _), found in groups.items() if dimension == "sku" for key in found}
    skus = [str(key) for key in shown if key is not None]
    return PageFigures(
        scope=now.scope,
        compared=compared,
        metrics=metrics,
        whole=_whole(now, wants.whole, metrics),
        before=earlier,
        groups=groups,
        rows={name: now.behind(metrics[name]) for name in wants.rows if name in metrics},
        quality=load_quality(now),
        choices=load_choices(connection, skus=skus),
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


def load_choices(connection: Connection, *, skus: Collection[str] = ()) -> Choices:
    """Names of people and teams by id, the channels that conversations have come by, products."""
    agents = connection.execute(select(AGENT.c.id, AGENT.c.name).order_by(AGENT.c.name))
    teams = connection.execute(select(TEAM.c.id, TEAM.c.name, TEAM.c.name_zh).order_by(TEAM.c.name))
    return Choices(
        {row.id: row.name for row in agents},
        {row.id: (row.name, row.name_zh) for row in teams},
        sorted(kept.channels(connection)),
        titles_of(connection, skus),
    )


def _whole(
    loaded: LoadedFigures, metric_ids: Sequence[str], metrics: Mapping[str, Metric]
) -> dict[str, Figures]:
    return {name: loaded.of(metrics[name]) for name in metric_ids if name in metrics}
