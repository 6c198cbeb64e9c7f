"""The metrics over turns and their shares: how long a shopper waited, and how often too long."""

from __future__ import annotations

import re
from functools import partial

from server.domain.metrics.model import Aside, Metric, Rows, Truth, Words
from server.domain.spans import MINUTE_MS, SECOND_MS

GOAL_MS = 3 * MINUTE_MS
SHORT_MS = 5 * SECOND_MS
FIRST_ASSESSED_HOUR = 8
FIRST_UNASSESSED_HOUR = 23
# A day: whoever waits longer than that waits for a ticket.
MAX_SERVICE_SECONDS = 86_400

OF_THE_REPLIER = Words(
    "An answered turn belongs to the agent who wrote the answer, one without an answer to the "
    "agent who owned it last (for one that still waits, the present owner); a turn that only the "
    "queue or the bot had belongs to nobody.",
    "已回复的轮次归写出该回复的客服；没有得到回复的归最后接手的客服（仍在等待的归当前接手人）；"
    "只在排队或机器人处的轮次不归任何人。",
)
OF_THE_ACTOR = Words(
    "As for response time; an answer of the bot belongs to the bot.",
    "与响应时间相同；机器人给出的回复归机器人。",
)
OF_EACH_OWNER = Words(
    "Each agent who owned the wait for a while, with that stretch. Who passed the chat on keeps "
    "the stretch, as one without an answer.",
    "归每一位曾接手的客服，各计其接手的时段。转出者保留自己的时段，按未回复处理（“已转出”）。",
)
OF_THE_QUEUE = Words(
    "The queue (team) in which the shopper waited; no agent.",
    "归顾客所在的排队（团队），不归个人。",
)
OF_THE_SHOP = Words("The shop, not a person.", "归店铺，不归个人。")

FORMULA_OF_A_TIME = Words(
    "Kaplan-Meier quantiles of (answer - start); those without an answer are censored at their end "
    "or at the instant of the report. Mean: over answered ones only.",
    "对（回复时刻 - 起算时刻）取 Kaplan-Meier 分位数；没有得到回复的在结束时或报表截至时刻删失。"
    "平均值只计已回复的。",
)


def _every(row: Rows, _as_of_ms: int) -> Truth:
    return row.at_ms >= 0


def _first(row: Rows, _as_of_ms: int) -> Truth:
    return row.is_first_in_session


def _first_handed_off(row: Rows, _as_of_ms: int) -> Truth:
    return row.is_first_in_session & row.handed_off


def _of_agent(row: Rows, _as_of_ms: int) -> Truth:
    return row.kind == "agent"


def _passed_on(row: Rows, _as_of_ms: int) -> Truth:
    return row.passed_on


def _of_queue(row: Rows, _as_of_ms: int) -> Truth:
    return row.kind == "queue"


def _matured(row: Rows, as_of_ms: int, *, limit_ms: int) -> Truth:
    return row.is_first_in_session & (row.ask_at_ms <= as_of_ms - limit_ms)


def _answered_within(row: Rows, *, limit_ms: int) -> Truth:
    return row.answered & (row.wait_ms <= limit_ms)


def _assessed(row: Rows, as_of_ms: int) -> Truth:
    return (
        (row.ask_at_ms <= as_of_ms - GOAL_MS)
        & (row.hour >= FIRST_ASSESSED_HOUR)
        & (row.hour < FIRST_UNASSESSED_HOUR)
    )


def _assessed_and_open_to_answer(row: Rows, as_of_ms: int) -> Truth:
    return _assessed(row, as_of_ms) & (row.outcome != "dismissed")


def _assessed_and_dismissed(row: Rows, as_of_ms: int) -> Truth:
    return _assessed(row, as_of_ms) & (row.outcome == "dismissed")


def _all_in_time(row: Rows) -> Truth:
    return row.in_time


def _queued_first(row: Rows, _as_of_ms: int) -> Truth:
    return row.is_first_in_session & row.queued


def _abandoned(row: Rows) -> Truth:
    return (row.outcome == "abandoned") & (row.wait_ms >= SHORT_MS)


def _abandoned_shortly(row: Rows, _as_of_ms: int) -> Truth:
    return (
        row.is_first_in_session
        & row.queued
        & (row.outcome == "abandoned")
        & (row.wait_ms < SHORT_MS)
    )


def service_level(seconds: int) -> Metric:
    """The metric of how many first turns were answered within so many seconds."""
    limit_ms = seconds * SECOND_MS
    return Metric(
        id=f"sl_{seconds}",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words(f"Service level: answered in {seconds} s", f"服务水平：{seconds} 秒应答率"),
        short=Words(f"Within {seconds} s", f"{seconds} 秒应答率"),
        definition=Words(
            f"First turns of sessions that a person answered within {seconds} seconds, out of all "
            f"first turns asked at least {seconds} seconds ago. Shoppers who left, chats closed "
            "without an answer and turns dismissed stay in the denominator, as not answered.",
            f"会话首轮在 {seconds} 秒内得到人工回复的，除以提问已满 {seconds} 秒的全部首轮。"
            "已离开的顾客、未回复即关闭的会话、被标记为无需回复的首轮都留在分母中，按未应答计。",
        ),
        formula=Words(
            f"first turns answered within {seconds} s ÷ first turns with ask ≤ as of - {seconds} s",
            f"{seconds} 秒内应答的首轮 ÷ 提问时刻 ≤ 截至时刻 - {seconds} 秒的首轮",
        ),
        attribution=OF_THE_REPLIER,
        counts=partial(_matured, limit_ms=limit_ms),
        succeeds=partial(_answered_within, limit_ms=limit_ms),
    )


def turn_metric(metric_id: str) -> Metric | None:
    """The metric of an id that carries seconds, such as sl_45; None for no such id."""
    found = re.fullmatch(r"sl_([1-9][0-9]{0,4})", metric_id)
    if found is None or int(found[1]) > MAX_SERVICE_SECONDS:
        return None
    return service_level(int(found[1]))


TURN_METRICS: tuple[Metric, ...] = (
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
            "macro or an article. Greetings, bot answers and private notes do not count. Shoppers "
            "who still wait, left, or were never answered stay in, cut at that moment "
            "(Kaplan-Meier). The clock runs around the clock; beside it stands the time within "
            "business hours.",
            "顾客在一次会话中等到首条人工回复的时长：从第一条未回复的消息起，到客服手动输入、"
            "或取自快捷短语、知识库的首条公开消息止。自动问候、机器人回复和内部备注不算回复。"
            "仍在等待、已离开或始终未得到回复的顾客都计入，按截至时刻删失处理（Kaplan-Meier）。全"
            "天计时，旁边另列营业时间内的时长。",
        ),
        formula=FORMULA_OF_A_TIME,
        attribution=OF_THE_REPLIER,
        counts=_first,
        business="business_ms",
    ),
    Metric(
        id="frt_handoff",
        version=1,
        kind="time",
        unit="ms",
        name=Words("First response after hand-off", "转人工后首次响应时间"),
        short=Words("After hand-off", "转人工后首响"),
        definition=Words(
            "How long a shopper waits for the first human reply of a session from the moment at "
            "which the bot handed the chat to people. Only sessions that a bot handed over are "
            "counted; everything else as for the first response time.",
            "从机器人转人工的那一刻起，到该会话首条人工回复的时长。只计由机器人转出的会话，其"
            "余规则与首次响应时间相同。",
        ),
        formula=Words(
            "Kaplan-Meier quantiles of (answer - bot.handed_off) over first turns that were "
            "handed over.",
            "对由机器人转出的首轮，取（回复时刻 - 转人工时刻）的 Kaplan-Meier 分位数。",
        ),
        attribution=OF_THE_REPLIER,
        counts=_first_handed_off,
        span="handoff_wait_ms",
    ),
    Metric(
        id="frt_any",
        version=1,
        kind="time",
        unit="ms",
        name=Words("First response, bot included", "首次响应时间（含机器人）"),
        short=Words("First reply, any", "首响（含机器人）"),
        definition=Words(
            "How long a shopper waits for the first answer of a session, whoever gives it: a "
            "bot's answer counts, a greeting or an acknowledgement does not.",
            "顾客在一次会话中等到首条回复的时长，人工或机器人的回复都算；自动问候和“已收到”"
            "之类的应答不算。",
        ),
        formula=Words(
            "Kaplan-Meier quantiles of (first answer of bot or person - ask) over first turns.",
            "对首轮取（机器人或人工首条回复 - 提问时刻）的 Kaplan-Meier 分位数。",
        ),
        attribution=OF_THE_ACTOR,
        counts=_first,
        span="any_wait_ms",
        done="any_answered",
        still="any_waiting",
        agent="any_agent_id",
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
            "顾客等到人工回复的时长，按全部对话轮次计算。一轮从顾客第一条未回复的消息开始，回"
            "复前连续追问不重新计时。中位数与百分位包含仍在等待、已离开或被标记无需回复的轮次"
            "，按截至时刻删失处理（Kaplan-Meier）；平均值（平响）只计已回复的轮次。",
        ),
        formula=FORMULA_OF_A_TIME,
        attribution=OF_THE_REPLIER,
        counts=_every,
        business="business_ms",
    ),
    Metric(
        id="agent_rt",
        version=1,
        kind="time",
        unit="ms",
        name=Words("Agent response time", "客服响应时间"),
        short=Words("Agent's own time", "客服响应"),
        definition=Words(
            "The part of a wait for which an agent owned the chat: from the question, or from "
            "taking the chat over if that came later, to the answer. An agent who passes the chat "
            "on keeps the time until then, marked as passed on and cut there. The parts of queue, "
            "bot and agents add up to the shopper's wait exactly. An answer given in the very "
            "moment of taking over has no such part.",
            "一次等待中由某位客服接手的部分：从提问时（若接手更晚，则从接手时）起，到回复止。"
            "转出会话的客服保留转出前的时段，标为“已转出”并在该时刻删失。排队、机器人与各客"
            "服的时段之和恰等于顾客的等待时长。接手同时即回复的没有此时段。",
        ),
        formula=Words(
            "Kaplan-Meier quantiles of the stretches owned by agents; ended by the owner's "
            "answer, else censored.",
            "对各客服接手时段取 Kaplan-Meier 分位数；由接手人回复而结束的为完成，其余删失。",
        ),
        attribution=OF_EACH_OWNER,
        source="share",
        counts=_of_agent,
        span="span_ms",
        done="done",
        still="lasts",
        business="business_ms",
        asides=(Aside(id="passed_on", name=Words("Passed on", "已转出"), counts=_passed_on),),
    ),
    Metric(
        id="queue_wait",
        version=1,
        kind="time",
        unit="ms",
        name=Words("Queue wait", "排队时长"),
        short=Words("Queue wait", "排队"),
        definition=Words(
            "Each stretch of a shopper's wait that was spent in a queue, from entering it (or "
            "from the question, if that came later) until an agent had the chat. Who left the "
            "queue otherwise, or is still in it, stays in, cut at that moment.",
            "顾客在排队中度过的每一段等待：从进入排队（若提问更晚，则从提问）起，到有客服接手"
            "止。以其他方式离开排队或仍在排队的也计入，在该时刻删失。",
        ),
        formula=Words(
            "Kaplan-Meier quantiles of the stretches owned by a queue; ended by an agent, else "
            "censored.",
            "对排队时段取 Kaplan-Meier 分位数；由客服接手而结束的为完成，其余删失。",
        ),
        attribution=OF_THE_QUEUE,
        source="share",
        counts=_of_queue,
        span="span_ms",
        done="done",
        still="lasts",
        business="business_ms",
    ),
    Metric(
        id="asa",
        version=1,
        kind="mean",
        unit="ms",
        name=Words("Average speed of answer", "平均应答速度"),
        short=Words("ASA", "平均应答"),
        definition=Words(
            "Each stretch of a shopper's wait that was spent in a queue, from entering it (or "
            "from the question, if that came later) until an agent had the chat. The mean over "
            "those that an agent took; who left is not in it, so it falls when queues get so long "
            "that people leave. Read it beside the queue wait.",
            "顾客在排队中度过的每一段等待：从进入排队（若提问更晚，则从提问）起，到有客服接手"
            "止。只对被客服接手的取平均；离开的不在其中，因此排队长到顾客离开时它反而下降。请"
            "与排队时长一起看。",
        ),
        formula=Words(
            "sum of queue time of the stretches that an agent took ÷ their number",
            "被接手的排队时段之和 ÷ 其段数",
        ),
        attribution=OF_THE_QUEUE,
        source="share",
        counts=_of_queue,
        amount="served_ms",
        per="done",
        still="lasts",
    ),
    service_level(30),
    service_level(180),
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
            "without an answer count as missed; turns dismissed as needing no answer are left out "
            "and counted aside.",
            "180 秒内得到人工回复的轮次，除以店铺时间 8:00–23:00 之间发起、且已满 180 "
            "秒的全部轮次。顾客离开、未回复即关闭的都算未达标；被标记为无需回复的轮次不计，另列。",
        ),
        formula=Words(
            "matured turns answered within 180 s ÷ matured turns, 8:00 to 23:00, dismissed ones "
            "aside",
            "180 秒内回复的已满时轮次 ÷ 已满时轮次（8:00–23:00，无需回复的另列）",
        ),
        attribution=OF_THE_REPLIER,
        counts=_assessed_and_open_to_answer,
        succeeds=partial(_answered_within, limit_ms=GOAL_MS),
        asides=(
            Aside(
                id="dismissed", name=Words("Dismissed", "无需回复"), counts=_assessed_and_dismissed
            ),
        ),
    ),
    Metric(
        id="r3m_cust",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words(
            "Human reply within 3 minutes (by customer and day)", "3 分钟人工回复率（按客户·日）"
        ),
        short=Words("Customers within 3 min", "3 分钟回复率（客户）"),
        definition=Words(
            "Customers none of whose turns of a local day went without a human reply for more "
            "than 180 seconds, out of the customers with a matured turn between 8:00 and 23:00 of "
            "that day. One late reply fails the customer for the day. Over several days each "
            "customer counts once a day.",
            "当日（店铺时间）没有任何一轮超过 180 秒未得到人工回复的顾客，除以当日 8:00–23:00 "
            "有已满时轮次的顾客。一条超时即整位顾客当日未达标。跨多日时，每位顾客每日计一次。",
        ),
        formula=Words(
            "(customers - customers with a failed turn) ÷ customers, per local day",
            "（顾客数 - 有超时轮次的顾客数）÷ 顾客数，按当地自然日",
        ),
        attribution=OF_THE_SHOP,
        source="customer_day",
        counts=_every,
        succeeds=_all_in_time,
    ),
    Metric(
        id="abandon",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("Abandonment rate", "排队放弃率"),
        short=Words("Abandoned", "放弃率"),
        definition=Words(
            "First turns whose shopper left before an answer, out of all first turns that were in "
            "a queue. Who left within 5 seconds is not counted as abandoned but shown apart.",
            "进入排队的会话首轮中，顾客未等到回复即离开的比例。5 秒内离开的不算放弃，另列。",
        ),
        formula=Words(
            "abandoned first turns (after 5 s or more) ÷ queued first turns",
            "排队首轮中放弃的（满 5 秒）÷ 进入排队的首轮",
        ),
        attribution=OF_THE_QUEUE,
        counts=_queued_first,
        succeeds=_abandoned,
        asides=(
            Aside(
                id="short",
                name=Words("Left within 5 s", "5 秒内离开"),
                counts=_abandoned_shortly,
            ),
        ),
    ),
)
