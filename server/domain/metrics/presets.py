"""How marketplaces count service: the same chats by the rules of each, side by side.

Rules of platforms change without notice and their own pages were not at hand: these are presets
with a year, to be compared with what the platform shows, not the platform's word. A goal is None
where none was found published; the shop names its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from server.domain.metrics.model import Figures, Words

Verdict = Literal["pass", "fail", "near", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a metric should reach: ``at_least`` or ``at_most``, of ``value`` or ``mean_ms``."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    of: Literal["value", "mean_ms"] = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One platform: what it judges by, what else it shows, and between which hours it looks.

    ``hours`` are those of the shop, the end exclusive; ``unit`` says what counts once.
    """

    id: str
    version: int
    name: Words
    unit: Words
    hours: tuple[int, int]
    headline: str
    metrics: tuple[str, ...]
    goals: tuple[Goal, ...] = ()


PRESETS: Mapping[str, Preset] = {
    preset.id: preset
    for preset in (
        Preset(
            id="taobao",
            version=2025,
            name=Words("Taobao / Tmall", "淘宝 / 天猫"),
            unit=Words(
                "a turn: from the first unanswered message to the answer",
                "对话轮次：从第一条未回复的消息到回复",
            ),
            hours=(8, 23),
            headline="r3m_turn",
            metrics=("r3m_turn", "rt", "inq_conv_24h", "inq_conv_96h", "aov_chat", "qa_ratio"),
        ),
        Preset(
            id="jd",
            version=2025,
            name=Words("JD", "京东"),
            unit=Words("a session, by its first answer only", "会话，只看首次应答"),
            hours=(9, 23),
            headline="r30_sess",
            metrics=("r30_sess", "rt", "leave_rate", "csat"),
            goals=(
                Goal(metric="rt", at_most=40_000, of="mean_ms"),
                Goal(metric="leave_rate", at_most=0.5),
            ),
        ),
        Preset(
            id="pdd",
            version=2025,
            name=Words("Pinduoduo", "拼多多"),
            unit=Words(
                "a customer's day: one late answer fails it", "顾客·日：一条超时即整位顾客未达标"
            ),
            hours=(8, 23),
            headline="r3m_cust",
            metrics=("r3m_cust",),
        ),
        Preset(
            id="doudian",
            version=2025,
            name=Words("Douyin shop", "抖店"),
            unit=Words(
                "a session that reached people; nobody there is a failure",
                "进入人工的会话；无人在线按未达标计",
            ),
            hours=(8, 23),
            headline="r3m_sess",
            metrics=("r3m_sess",),
        ),
    )
}

# By the metric that a platform judges by first.
BY_HEADLINE: Mapping[str, Preset] = {preset.headline: preset for preset in PRESETS.values()}


def verdict(figures: Figures, goal: Goal) -> Verdict:
    """Whether a goal is met; near where it lies within the figure's bounds, so it cannot be told.

    >>> good = Figures(n=10, n_open=0, value=0.9, interval=(0.6, 0.98))
    >>> verdict(good, Goal(metric="r3m_turn", at_least=0.8))
    'near'
    >>> verdict(good, Goal(metric="r3m_turn", at_least=0.5))
    'pass'
    """
    value = figures.value if goal.of == "value" else figures.mean_ms
    if value is None:
        return "none"
    wanted = goal.at_least if goal.at_least is not None else goal.at_most
    if wanted is None:
        return "none"
    if goal.of == "value" and figures.interval is not None:
        low, high = figures.interval
        if low < wanted < high:
            return "near"
    met = value >= wanted if goal.at_least is not None else value <= wanted
    return "pass" if met else "fail"
