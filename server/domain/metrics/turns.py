"""The metrics over turns: how long a shopper waited for an answer, and how often too long."""

from __future__ import annotations

from server.domain.metrics.model import Metric, Rows, Truth, Words

MINUTE_MS = 60_000
GOAL_MS = 3 * MINUTE_MS
FIRST_ASSESSED_HOUR = 8
FIRST_UNASSESSED_HOUR = 23

OF_THE_REPLIER = Words(
    "An answered turn belongs to the agent who wrote the answer, one without an answer to the "
    "agent who owned it last; a turn that only the queue or the bot had belongs to nobody.",
    "已回复的轮次归写出该回复的客服；没有得到回复的归最后接手的客服；只在排队或机器人处的轮次不归任何人。",
)


def _first(row: Rows, _as_of_ms: int) -> Truth:
    return row.is_first_in_session


def _every(row: Rows, _as_of_ms: int) -> Truth:
    return row.ask_at_ms >= 0


def _matured_in_hours(row: Rows, as_of_ms: int) -> Truth:
    return (
        (row.ask_at_ms <= as_of_ms - GOAL_MS)
        & (row.hour >= FIRST_ASSESSED_HOUR)
        & (row.hour < FIRST_UNASSESSED_HOUR)
        & (row.outcome != "dismissed")
    )


def _within_goal(row: Rows) -> Truth:
    return (row.outcome == "answered") & (row.wait_ms <= GOAL_MS)


TURN_METRICS = (
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
        formula=Words(
            "n of first turns; Kaplan-Meier quantiles of (answer - question), those without an "
            "answer censored",
            "首轮数 n；对（回复时刻 - 提问时刻）取 Kaplan-Meier 分位数，未回复者删失",
        ),
        attribution=OF_THE_REPLIER,
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
        formula=Words(
            "n of turns; Kaplan-Meier quantiles of (answer - question), those without an answer "
            "censored; mean over answered turns",
            "轮次数 n；对（回复时刻 - 提问时刻）取 Kaplan-Meier 分位数，未回复者删失；"
            "均值只计已回复轮次",
        ),
        attribution=OF_THE_REPLIER,
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
        formula=Words(
            "matured turns answered within 180 s ÷ matured turns",
            "180 秒内回复的已满时轮次 ÷ 已满时轮次",
        ),
        attribution=OF_THE_REPLIER,
        counts=_matured_in_hours,
        succeeds=_within_goal,
    ),
)
