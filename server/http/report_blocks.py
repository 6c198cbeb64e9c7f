"""The parts of a report page: what each asks of the log, and what its template then shows.

A page is a list of blocks. A block names metrics by id; those that there are not are left out, and
a block of which nothing is left is not shown. So a new metric appears by being named in a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agent_ui.render import Locale
from server.domain.metrics import Figures, Metric
from server.http.report_figures import Shown, Teller, narrowed
from server.http.report_query import ReportQuery
from server.http.report_words import Names
from server.reports.pages import Key, PageFigures, Wants
from server.reports.scope import NOBODY


@dataclass(frozen=True, slots=True)
class Ask:
    """One figure of a row of tiles: a metric and which of its numbers."""

    metric: str
    stat: str = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a page. ``half`` blocks stand two by two; ``title`` is the key of its words."""

    kind: str
    title: str
    asks: tuple[Ask, ...] = ()
    by: str | None = None
    half: bool = False

    def wants(self, view: str | None) -> Wants:
        """What it needs; ``view`` is the metric chosen on the page, for blocks that show one."""
        return NEEDS[self.kind](self, view)

    def chosen(self, view: str | None) -> str | None:
        """The metric that a block of one metric shows."""
        ids = [ask.metric for ask in self.asks]
        return view if view in ids else next(iter(ids), None)


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a block is told with."""

    figures: PageFigures
    query: ReportQuery
    pinned: ReportQuery
    names: Names
    teller: Teller
    own: bool

    @property
    def locale(self) -> Locale:
        """The language of the page."""
        return self.teller.locale


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A row of a table by agent, segment and so on: its name and one figure per column."""

    key: Key
    name: str
    cells: Sequence[Shown | None]


def tiles(block: Block, desk: Desk) -> Sequence[Shown]:
    """The figures of a row of tiles, with their change."""
    found = desk.figures
    return [
        desk.teller.show(
            found.metrics[ask.metric],
            found.whole[ask.metric],
            stat=ask.stat,
            before=found.before.get(ask.metric),
        )
        for ask in block.asks
        if ask.metric in found.whole
    ]


def group_lines(block: Block, desk: Desk) -> tuple[list[Ask], list[GroupLine]]:
    """The columns that there are, and a line for each group that has a row in any of them."""
    by = block.by or ""
    # A column in which no group has anything only takes room from the others.
    asks = [ask for ask in block.asks if desk.figures.groups.get((by, ask.metric))]
    keys: dict[Key, int] = {}
    for ask in asks:
        for key, figures in desk.figures.groups.get((by, ask.metric), {}).items():
            keys[key] = max(keys.get(key, 0), figures.n)
    lines = [
        GroupLine(key, desk.names.of(by, key), _cells(asks, by, key, desk))
        for key in in_order(by, keys, desk.names)
    ]
    return asks, lines


def in_order(by: str, keys: Mapping[Key, int], names: Names) -> list[Key]:
    """Time goes on, people stand by name, everything else by how much of it there is."""
    if by in ("day", "hour", "weekday"):
        return sorted(keys, key=lambda key: (key is None, str(key).zfill(2)))
    if by == "agent":
        return sorted(keys, key=lambda key: (key is None, names.of(by, key)))
    return sorted(keys, key=lambda key: (key is None, -keys[key], names.of(by, key)))


def _cells(asks: Sequence[Ask], by: str, key: Key, desk: Desk) -> list[Shown | None]:
    at = narrowed(desk.pinned, by, key, NOBODY)
    cells: list[Shown | None] = []
    for ask in asks:
        figures: Figures | None = desk.figures.groups[(by, ask.metric)].get(key)
        metric: Metric = desk.figures.metrics[ask.metric]
        cells.append(
            None if figures is None else desk.teller.show(metric, figures, stat=ask.stat, at=at)
        )
    return cells


def _ids(block: Block) -> tuple[str, ...]:
    return tuple(ask.metric for ask in block.asks)


def _one(block: Block, view: str | None) -> tuple[str, ...]:
    chosen = block.chosen(view)
    return () if chosen is None else (chosen,)


def _table_needs(block: Block, _view: str | None) -> Wants:
    return Wants(groups=tuple((block.by or "", name) for name in _ids(block)))


def _group_of_one(block: Block, view: str | None) -> Wants:
    chosen = _one(block, view)
    return Wants(whole=chosen, groups=tuple((block.by or "", name) for name in chosen))


def _rows_of_one(block: Block, view: str | None) -> Wants:
    chosen = _one(block, view)
    return Wants(whole=chosen, rows=chosen)


# What a block of each kind needs of the log.
NEEDS: Mapping[str, Callable[[Block, str | None], Wants]] = {
    "tiles": lambda block, _view: Wants(whole=_ids(block)),
    "trend": lambda block, view: _group_of_one(replace(block, by="day"), view),
    "spread": _rows_of_one,
    "heat": _rows_of_one,
    "table": _table_needs,
    "funnel": _group_of_one,
    "intervals": _group_of_one,
    "fates": _rows_of_one,
    "scores": lambda block, view: Wants(whole=_one(block, view)),
    "bounds": lambda block, view: Wants(whole=_one(block, view)),
    "beside": lambda block, view: Wants(whole=_one(block, view)),
    "platforms": lambda block, _view: Wants(whole=_ids(block)),
    "movers": lambda block, _view: Wants(whole=_ids(block)),
}
