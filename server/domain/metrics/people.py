"""The metrics of people: what they worked on, how many chats at once, and what helped them."""

from __future__ import annotations

from dataclasses import replace

from server.domain.metrics.model import (
    Aside,
    Figures,
    Metric,
    Rows,
    Truth,
    Words,
    still_maturing,
)
from server.domain.spans import HOUR_MS

CONTAINED_MS = 72 * HOUR_MS

OF_EACH_AGENT = Words(
    "Each agent for their own time; of a session that two worked on, each has their part.",
    "各客服只计自己的时间；两人处理的会话各计各的。",
)
OF_THE_AGENT = Words("The agent.", "客服本人。")


def _handled(row: Rows, _as_of_ms: int) -> Truth:
    return row.handle_ms > 0


def _owned(row: Rows, _as_of_ms: int) -> Truth:
    return row.owned_ms > 0


def _engaged(row: Rows, _as_of_ms: int) -> Truth:
    return row.engaged_ms > 0


def _online(row: Rows, _as_of_ms: int) -> Truth:
    return row.online_ms > 0


def _shown(row: Rows, _as_of_ms: int) -> Truth:
    return row.shown


def _taken(row: Rows) -> Truth:
    return row.taken


def _ranked(row: Rows, _as_of_ms: int) -> Truth:
    return row.rank > 0


def _mean_rank(figures: Figures) -> Figures:
    ranked = figures.asides["ranked"]
    return replace(figures, score=figures.asides["rank_sum"] / ranked if ranked else None)


def _bot_ripe(row: Rows, as_of_ms: int) -> Truth:
    return row.bot & (row.ripe_at_ms <= as_of_ms)


def _contained(row: Rows) -> Truth:
    return row.contained


def _bot(row: Rows, _as_of_ms: int) -> Truth:
    return row.bot


def _handed_off(row: Rows) -> Truth:
    return row.handed_off


def _bot_young(row: Rows, as_of_ms: int) -> Truth:
    return row.bot & (row.ripe_at_ms > as_of_ms)


PEOPLE_METRICS: tuple[Metric, ...] = (
    Metric(
        id="aht",
        version=1,
        kind="mean",
        unit="ms",
        source="handling",
        name=Words("Handle time", "平均处理时长"),
        short=Words("Handle time", "处理时长"),
        definition=Words(
            "How long agents worked on a session: the time in which the chat was in front of them "
            "and they did something. Of one record at most 120 seconds count, and a moment once. "
            "The mean is by session. How long they owned the sessions stands apart: owning is not "
            "working.",
            "客服处理一次会话所用的时间：会话处于前台且有操作的时长；"
            "单次记录最多计 120 秒，同一时刻只计一次。"
            "按会话平均。占有时长另列：占有不等于处理。",
        ),
        formula=Words(
            "sum of focused time (idle cap 120 s) / sessions worked on",
            "前台操作时长之和（空闲上限 120 秒）÷ 处理过的会话数",
        ),
        attribution=OF_EACH_AGENT,
        counts=_handled,
        amount="handle_ms",
        per="session",
        asides=(
            Aside(
                id="owned_ms",
                name=Words("Time owned in all (ms)", "占有时长合计（毫秒）"),
                counts=_owned,
                amount="owned_ms",
            ),
        ),
    ),
    Metric(
        id="concurrency",
        version=1,
        kind="mean",
        unit="n",
        source="presence",
        name=Words("Chats at once", "同时接待数（并发）"),
        short=Words("Chats at once", "并发"),
        definition=Words(
            "How many accepted and unresolved sessions an agent had at once, on average over the "
            "time in which there was at least one. The most at any moment stands beside it. A "
            "session counts for a week from its start at most. Behind it are hours of agents.",
            "客服已接手且未解决的会话数，按有会话的时间加权平均；旁列任一时刻的最大值。"
            "一次会话自开始起最多计一周。明细为客服的各小时。",
        ),
        formula=Words(
            "sum of the sessions' time / time with at least one session",
            "会话时长之和 ÷ 至少有一个会话的时长",
        ),
        attribution=OF_THE_AGENT,
        counts=_engaged,
        amount="load_ms",
        per="engaged_ms",
        asides=(
            Aside(
                id="peak",
                name=Words("At most", "最大并发"),
                counts=_engaged,
                amount="peak",
                largest=True,
            ),
        ),
    ),
    Metric(
        id="online",
        version=1,
        kind="count",
        unit="ms",
        source="presence",
        name=Words("Online time", "在线时长"),
        short=Words("Online", "在线"),
        definition=Words(
            "How long agents were online or busy; being away does not count. Behind it are hours "
            "of agents.",
            "客服处于在线或忙碌状态的时长，离开不计。明细为客服的各小时。",
        ),
        formula=Words("sum of time online or busy", "在线与忙碌时长之和"),
        attribution=OF_THE_AGENT,
        counts=_online,
        amount="online_ms",
    ),
    Metric(
        id="occ",
        version=1,
        kind="ratio",
        unit="ratio",
        source="presence",
        name=Words("Occupancy", "工时饱和度"),
        short=Words("Occupancy", "饱和度"),
        definition=Words(
            "The part of their online time in which agents had at least one accepted and "
            "unresolved session.",
            "在线时长中，客服手上至少有一个已接手未解决会话的比例。",
        ),
        formula=Words(
            "time online with at least one session / time online",
            "在线且有会话的时长 ÷ 在线时长",
        ),
        attribution=OF_THE_AGENT,
        counts=_online,
        amount="busy_ms",
        per="online_ms",
    ),
    Metric(
        id="util",
        version=1,
        kind="ratio",
        unit="ratio",
        source="presence",
        name=Words("Utilisation", "利用率"),
        short=Words("Utilisation", "利用率"),
        definition=Words(
            "How much of their room for chats agents used while online. Above one, they had more "
            "chats than they had room for.",
            "在线期间接待名额的使用比例；大于 1 表示接待数超过名额。",
        ),
        formula=Words(
            "sum of the sessions' time while online / sum of (time online x capacity)",
            "在线期间会话时长之和 ÷（在线时长 × 接待上限）之和",
        ),
        attribution=OF_THE_AGENT,
        counts=_online,
        amount="slots_ms",
        per="capacity_ms",
    ),
    Metric(
        id="bot_contain",
        version=1,
        kind="rate",
        unit="ratio",
        source="bot",
        name=Words("Bot containment", "机器人独立解决率"),
        short=Words("Bot alone", "机器人解决"),
        definition=Words(
            "Out of the sessions in which a bot answered or handed over: those that were resolved "
            "without any human reply and whose shopper did not write again within 72 hours. A "
            "session counts once those have passed since its end, or since its start while it "
            "lasts.",
            "有机器人回复或转人工的会话中，未经人工回复即解决、且顾客 72 小时内未再来询的比例。"
            "会话结束（未结束则自开始）满 72 小时后计入。",
        ),
        formula=Words(
            "resolved without human reply and without contact <= 72 h / bot sessions, 72 h ago",
            "无人工回复即解决且 72 小时内无再次来询 ÷ 满 72 小时的机器人会话",
        ),
        attribution=Words("The bot.", "机器人。"),
        counts=_bot_ripe,
        succeeds=_contained,
        asides=(
            Aside(id="maturing", name=Words("Too young to tell", "未满期"), counts=_bot_young),
        ),
        finish=still_maturing,
    ),
    Metric(
        id="bot_handoff",
        version=1,
        kind="rate",
        unit="ratio",
        source="bot",
        name=Words("Hand-off to people", "转人工率"),
        short=Words("Handed to people", "转人工"),
        definition=Words(
            "Out of the sessions in which a bot answered or handed over: those it handed over.",
            "有机器人回复或转人工的会话中，转人工的比例。",
        ),
        formula=Words("handed over / bot sessions", "转人工会话 ÷ 机器人会话"),
        attribution=Words("The bot.", "机器人。"),
        counts=_bot,
        succeeds=_handed_off,
    ),
    Metric(
        id="kb_use",
        version=1,
        kind="rate",
        unit="ratio",
        source="suggestion",
        name=Words("Knowledge base uptake", "知识库采纳率"),
        short=Words("Suggestions used", "知识库采纳"),
        definition=Words(
            "Out of the times that articles were suggested to an agent for what a shopper wrote: "
            "those at which the agent used one. The mean rank of the used ones stands beside it; 1 "
            "is the first of the list.",
            "根据顾客消息向客服推荐文章的次数中，客服采用其中一篇的比例；"
            "旁列被采用文章的平均名次，1 为首位。",
        ),
        formula=Words("used / suggested", "采用次数 ÷ 推荐次数"),
        attribution=Words("The agent to whom it was suggested.", "归收到推荐的客服。"),
        counts=_shown,
        succeeds=_taken,
        asides=(
            Aside(
                id="rank_sum",
                name=Words("Sum of the ranks", "名次之和"),
                counts=_ranked,
                amount="rank",
            ),
            Aside(id="ranked", name=Words("Used with a rank", "有名次的采用"), counts=_ranked),
        ),
        finish=_mean_rank,
    ),
)
