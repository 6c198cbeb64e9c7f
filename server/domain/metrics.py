"""The service metrics: METRICS is the table; a new metric is one more row of it.

A metric is a predicate over waits (turns as they stood at the instant of the report) and, for a
rate, a second one that says which of the counted waits were a success. The number that is shown and
the list of turns behind it come from the same predicate, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from server.domain import survival
from server.domain.errors import InvalidInput
from server.domain.periods import LocalTimes
from server.domain.turns import Outcome, Share, Turn

MINUTE_MS = 60_000
GOAL_MS = 3 * MINUTE_MS
ASSESSED_HOURS = range(8, 23)
DIMENSIONS = ("agent", "team", "channel", "segment", "day", "hour")

Kind = Literal["time", "rate"]
Unit = Literal["ms", "ratio"]


@dataclass(frozen=True, slots=True)
class Wait:
    """A turn as it stood at the instant of a report, with what a report groups by.

    ``wait_ms`` runs to the end of the turn, or to the instant of the report while it lasts.
    ``agent_id`` is who answered, else who owned the wait last; None for nobody (queue or bot).
    ``day`` and ``hour`` are those of the question on the shop's clock.
    """

    conversation_id: str
    turn_no: int
    session_no: int
    is_first_in_session: bool
    ask_at_ms: int
    outcome: Outcome
    end_at_ms: int | None
    wait_ms: int
    agent_id: str | None
    team_id: str | None
    channel: str
    day: str
    hour: int
    weekday: int
    segment: str | None = None

    @property
    def answered(self) -> bool:
        """True when a person of the shop answered."""
        return self.outcome == "answered"

    @property
    def waiting(self) -> bool:
        """True while the shopper waits."""
        return self.outcome == "waiting"


def wait_of(
    turn: Turn, *, as_of_ms: int, local: LocalTimes, channel: str, team_id: str | None
) -> Wait | None:
    """The turn as it stood at ``as_of_ms``; None when it was asked later.

    An end after that instant had not happened yet: the turn was open, and its owner is whoever
    owned it then.
    """
    if turn.ask_at_ms > as_of_ms:
        return None
    asked = local(turn.ask_at_ms)
    open_then = turn.end_at_ms is None or turn.end_at_ms > as_of_ms
    last_owner = turn.answered_by or turn.owner_id
    agent_id = _owner_at(turn, as_of_ms) if open_then else last_owner
    end_at_ms = None if open_then else turn.end_at_ms
    return Wait(
        conversation_id=turn.conversation_id,
        turn_no=turn.turn_no,
        session_no=turn.session_no,
        is_first_in_session=turn.is_first_in_session,
        ask_at_ms=turn.ask_at_ms,
        outcome="waiting" if open_then else turn.outcome,
        end_at_ms=end_at_ms,
        wait_ms=max(0, (as_of_ms if end_at_ms is None else end_at_ms) - turn.ask_at_ms),
        agent_id=agent_id,
        team_id=team_id,
        channel=channel,
        day=asked.day,
        hour=asked.hour,
        weekday=asked.weekday,
    )


def _owner_at(turn: Turn, at_ms: int) -> str | None:
    """The agent who owned the turn at an instant; None for the queue or a bot."""
    for share in turn.shares:
        if at_ms < share.end_at_ms:
            return _agent(share)
    if turn.end_at_ms is None or not turn.shares:
        return turn.owner_id
    return _agent(turn.shares[-1])


def _agent(share: Share) -> str | None:
    return share.id if share.kind == "agent" else None


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    en: str
    zh: str

    def of(self, locale: str) -> str:
        """The text in the language of a locale such as en or zh-CN."""
        return self.zh if locale.startswith("zh") else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of METRICS.

    ``counts(wait, as_of_ms)`` says which waits are in the number, ``succeeds`` which of those make
    the numerator of a rate. ``version`` rises when the meaning changes, never otherwise.
    """

    id: str
    version: int
    kind: Kind
    unit: Unit
    name: Words
    short: Words
    definition: Words
    counts: Callable[[Wait, int], bool]
    succeeds: Callable[[Wait], bool] | None = None


def _first(wait: Wait, _as_of_ms: int) -> bool:
    return wait.is_first_in_session


def _every(_wait: Wait, _as_of_ms: int) -> bool:
    return True


def _matured_in_hours(wait: Wait, as_of_ms: int) -> bool:
    return (
        wait.ask_at_ms <= as_of_ms - GOAL_MS
        and wait.hour in ASSESSED_HOURS
        and wait.outcome != "dismissed"
    )


def _within_goal(wait: Wait) -> bool:
    return wait.answered and wait.wait_ms <= GOAL_MS


_ROWS = (
    Metric(
        id="frt",
        version=1,
        kind="time",
        unit="ms",
        name=Words("First response time", "首次响应时间"),
        short=Words("First reply", "首响"),
        definition=Words(
            "How long a shopper waits for the first human reply of a session: from the first "
            "unanswered message to the first public message that an agent typed or took from a "
            "macro or an article. Greetings, bot answers and private notes do not count. "
            "Shoppers who still wait, left, or were never answered stay in, cut at that moment "
            "(Kaplan-Meier). The clock runs around the clock.",
            "顾客在一次会话中等到首条人工回复的时长：从第一条未回复的消息起，到客服手动输入、"
            "或取自快捷短语、知识库的首条公开消息止。自动问候、机器人回复和内部备注不算回复。"
            "仍在等待、已离开或始终未得到回复的顾客都计入，按截至时刻删失处理（Kaplan-Meier）。"
            "全天计时，不扣除非营业时间。",
        ),
        counts=_first,
    ),
    Metric(
        id="rt",
        version=1,
        kind="time",
        unit="ms",
        name=Words("Response time (all turns)", "响应时间（全部轮次）"),
        short=Words("Every reply", "平响"),
        definition=Words(
            "How long a shopper waits for a human reply, over all turns. A turn begins with the "
            "first of a shopper's unanswered messages; further messages before the reply do not "
            "restart it. Median and percentiles keep those who still wait, left, or were "
            "dismissed, cut at that moment (Kaplan-Meier); the mean is over answered turns only.",
            "顾客等到人工回复的时长，按全部对话轮次计算。一轮从顾客第一条未回复的消息开始，"
            "回复前连续追问不重新计时。中位数与百分位包含仍在等待、已离开或被标记无需回复的轮次，"
            "按截至时刻删失处理（Kaplan-Meier）；平均值（平响）只计已回复的轮次。",
        ),
        counts=_every,
    ),
    Metric(
        id="r3m_turn",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("Human reply within 3 minutes (by turn)", "3 分钟人工响应率（按轮次）"),
        short=Words("Answered within 3 min", "3 分钟响应率"),
        definition=Words(
            "Turns answered by a person within 180 seconds, out of all turns asked between 8:00 "
            "and 23:00 (shop time) at least 180 seconds ago. Shoppers who left and chats closed "
            "without an answer count as missed; turns dismissed as needing no answer are left out.",
            "180 秒内得到人工回复的轮次，除以店铺时间 8:00–23:00 "
            "之间发起、且已满 180 秒的全部轮次。"
            "顾客离开、未回复即关闭的都算未达标；被标记为无需回复的轮次不计。",
        ),
        counts=_matured_in_hours,
        succeeds=_within_goal,
    ),
)
METRICS: Mapping[str, Metric] = {metric.id: metric for metric in _ROWS}


def metric_of(metric_id: str) -> Metric:
    """The row of METRICS with this id. Raises InvalidInput for an id that there is not."""
    metric = METRICS.get(metric_id)
    if metric is None:
        raise InvalidInput(
            f"There is no metric {metric_id!r}. There are: {', '.join(METRICS)}.", metric=metric_id
        )
    return metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one metric says about a set of waits; what does not apply is None.

    ``n`` is how many waits are in it and ``n_open`` how many of those still last. ``value`` is the
    median of a time in ms, or the ratio of a rate. P90 and P95 are None when n is too small.
    ``longest_ms`` is the longest wait: a median that was not reached is greater than that.
    """

    n: int
    n_open: int
    value: float | int | None = None
    numerator: int | None = None
    denominator: int | None = None
    interval: tuple[float, float] | None = None
    median_ms: int | None = None
    p90_ms: int | None = None
    p95_ms: int | None = None
    mean_ms: int | None = None
    answered: int = 0
    longest_ms: int | None = None


def counted(metric: Metric, waits: Iterable[Wait], *, as_of_ms: int) -> list[Wait]:
    """The waits that the metric counts: exactly the rows behind its number."""
    return [wait for wait in waits if metric.counts(wait, as_of_ms)]


def measure(metric: Metric, waits: Iterable[Wait], *, as_of_ms: int) -> Figures:
    """What the metric says about the waits at the instant of the report."""
    rows = counted(metric, waits, as_of_ms=as_of_ms)
    figures = Figures(n=len(rows), n_open=sum(wait.waiting for wait in rows))
    if metric.succeeds is not None:
        return _rate(figures, sum(metric.succeeds(wait) for wait in rows))
    return _time(figures, rows)


def _rate(figures: Figures, successes: int) -> Figures:
    return replace(
        figures,
        value=successes / figures.n if figures.n else None,
        numerator=successes,
        denominator=figures.n,
        interval=survival.wilson(successes, figures.n),
        answered=successes,
    )


def _time(figures: Figures, rows: list[Wait]) -> Figures:
    if not rows:
        return figures
    median, p90, p95 = survival.quantiles_ms(
        ((wait.wait_ms, wait.answered) for wait in rows), (0.5, 0.9, 0.95)
    )
    answered = [wait.wait_ms for wait in rows if wait.answered]
    return replace(
        figures,
        value=median,
        median_ms=median,
        p90_ms=p90 if figures.n >= survival.MIN_N_P90 else None,
        p95_ms=p95 if figures.n >= survival.MIN_N_P95 else None,
        mean_ms=(2 * sum(answered) + len(answered)) // (2 * len(answered)) if answered else None,
        answered=len(answered),
        longest_ms=max(wait.wait_ms for wait in rows),
    )


def group_of(wait: Wait, dimension: str) -> str | int | None:
    """Where a wait belongs in a dimension: an id of agent, team or channel, a day, an hour.

    None is a group of its own: nobody, no team, no segment. Raises InvalidInput for no dimension.
    """
    match dimension:
        case "agent":
            return wait.agent_id
        case "team":
            return wait.team_id
        case "channel":
            return wait.channel
        case "segment":
            return wait.segment
        case "day":
            return wait.day
        case "hour":
            return wait.hour
    raise InvalidInput(
        f"Cannot group by {dimension!r}. There are: {', '.join(DIMENSIONS)}.", by=dimension
    )


def groups(waits: Iterable[Wait], dimension: str) -> dict[str | int | None, list[Wait]]:
    """The waits of each group, groups in order, the nameless one last."""
    found: dict[str | int | None, list[Wait]] = {}
    for wait in waits:
        found.setdefault(group_of(wait, dimension), []).append(wait)
    keys = sorted((key for key in found if key is not None), key=lambda key: (str(type(key)), key))
    ordered = {key: found[key] for key in keys}
    return ordered | ({None: found[None]} if None in found else {})
