"""The metrics of tickets and targets."""

from __future__ import annotations

from dataclasses import replace

from server.domain.metrics.model import Aside, Figures, Metric, Rows, Truth, Words
from server.domain.spans import DAY_MS


def _ripe(row: Rows, as_of_ms: int) -> Truth:
    return row.at_ms <= as_of_ms - DAY_MS


def _young(row: Rows, as_of_ms: int) -> Truth:
    return row.at_ms > as_of_ms - DAY_MS


def _in_time(row: Rows) -> Truth:
    return row.reply_ms <= DAY_MS


def _every(row: Rows, _as_of_ms: int) -> Truth:
    return row.at_ms >= 0


def _met(row: Rows) -> Truth:
    return row.met


def _with_young(figures: Figures) -> Figures:
    """The figures open as long as there are tickets too young to be counted."""
    return replace(figures, n_open=figures.asides["maturing"])


TICKET_METRICS: tuple[Metric, ...] = (
    Metric(
        id="tkt24",
        version=1,
        kind="rate",
        unit="ratio",
        source="ticket",
        name=Words("Tickets replied to within 24 hours", "24 小时工单响应率"),
        short=Words("Replied within 24 h", "24 小时响应"),
        definition=Words(
            "Out of the tickets made at least 24 hours ago: those with a first public reply of a "
            "person within 24 hours. Private notes do not count. Tickets merged into others and "
            "spam are left out.",
            "创建已满 24 小时的工单中，24 小时内有首条人工公开回复的比例。内部备注不算；"
            "被合并的工单和垃圾工单不计。",
        ),
        formula=Words(
            "tickets with a public reply <= 24 h / tickets made >= 24 h ago",
            "24 小时内公开回复的工单 ÷ 创建满 24 小时的工单",
        ),
        attribution=Words(
            "The agent who replied first; a ticket without a reply belongs to nobody.",
            "归首位回复的客服；没有回复的工单不归任何人。",
        ),
        counts=_ripe,
        succeeds=_in_time,
        asides=(Aside(id="maturing", name=Words("Too young to tell", "未满期"), counts=_young),),
        finish=_with_young,
    ),
    Metric(
        id="sla_met",
        version=1,
        kind="rate",
        unit="ratio",
        source="target",
        name=Words("Targets met", "SLA 达成率"),
        short=Words("Targets met", "SLA 达成"),
        definition=Words(
            "Out of the targets that were met or missed in the period: those met. A target is as "
            "it was when it was applied, whatever was changed since. Missed once is missed.",
            "期内达成或超时的 SLA 目标中达成的比例。目标以生效时的版本为准，此后的修改不影响；"
            "超时即计为未达成。",
        ),
        formula=Words("met / (met + breached)", "达成 ÷（达成 + 超时）"),
        attribution=Words(
            "The agent who owned the conversation when the target was met or missed.",
            "归达成或超时那一刻的接手客服。",
        ),
        counts=_every,
        succeeds=_met,
    ),
)
