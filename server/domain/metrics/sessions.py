"""The metrics over sessions, messages and whole conversations: what became of a visit."""

from __future__ import annotations

from server.domain.metrics.model import Aside, Metric, Rows, Truth, Words, still_maturing
from server.domain.metrics.outcomes import GOOD_SCORE
from server.domain.metrics.turns import GOAL_MS, OF_THE_SHOP
from server.domain.spans import SECOND_MS, WEEK_MS

FAST_MS = 30 * SECOND_MS
FIRST_STAFFED_HOUR = 9
FIRST_UNSTAFFED_HOUR = 23

OF_THE_FIRST_REPLIER = Words(
    "The agent who gave the first answer of the session; without one, the agent who owned the "
    "first wait last.",
    "归会话首轮的回复人；首轮没有回复的，归首轮最后接手的客服。",
)
OF_THE_LAST_OWNER = Words(
    "The agent who owned the last wait of the session, as of then.",
    "归该会话最后一轮等待当时的接手人。",
)
OF_WHOM_IT_WAS_OFFERED = Words(
    "The agent to whom the chat was offered last; without an offer, its owner.",
    "归最后一次被派单的客服；没有派单的，归接手人。",
)
OF_THE_RESOLVER = Words(
    "The agent who resolved it; nobody, if a shopper or the system did.",
    "归点击“解决”的客服；由顾客或系统结束的不归任何人。",
)
OF_THE_SENDER = Words(
    "An agent's message belongs to the agent who sent it; a shopper's to the agent of the turn "
    "that it was in.",
    "客服消息归发送者；顾客消息归其所在轮次的客服。",
)
OF_THE_GIVER = Words(
    "A session that was passed on belongs to the agent who passed it on first; any other to the "
    "agent of its first wait.",
    "发生过转接的会话归首位转出的客服；其余归首轮的客服。",
)
OF_EACH_REPLIER = Words(
    "Each agent who replied. A customer whom two agents served counts for both, so the agents add "
    "up to more than the whole.",
    "归每一位回复过的客服。由两位客服接待的顾客两边都计，因此各客服之和会大于总数。",
)
OF_THE_LAST_REPLIER = Words(
    "The agent who replied last in the first contact.",
    "归首次联系中最后回复的客服。",
)
OF_THE_CONVERSATION = Words(
    "The conversation; among agents, who has it now or had it last.",
    "归会话；按客服分组时，归当前或最后的接手人。",
)


def _every(row: Rows, _as_of_ms: int) -> Truth:
    return row.at_ms >= 0


def _staffed(row: Rows, as_of_ms: int) -> Truth:
    return (
        row.online
        & (row.hour >= FIRST_STAFFED_HOUR)
        & (row.hour < FIRST_UNSTAFFED_HOUR)
        & (row.first_ask_at_ms <= as_of_ms - FAST_MS)
    )


def _fast(row: Rows) -> Truth:
    return row.answered & (row.first_wait_ms <= FAST_MS)


def _reached_people(row: Rows, as_of_ms: int) -> Truth:
    return row.queued & (row.team_start_ms <= as_of_ms - GOAL_MS)


def _in_time(row: Rows) -> Truth:
    return row.replied & (row.team_wait_ms <= GOAL_MS)


def _unattended(row: Rows) -> Truth:
    return row.unattended


def _grown(row: Rows, as_of_ms: int) -> Truth:
    return row.first_ask_at_ms <= as_of_ms - GOAL_MS


def _unreplied(row: Rows) -> Truth:
    return row.unreplied


def _missed(row: Rows, _as_of_ms: int) -> Truth:
    return row.unreplied & (row.last_outcome == "abandoned")


def _dropped(row: Rows, _as_of_ms: int) -> Truth:
    return row.replied & (row.last_outcome == "abandoned")


def _resolved(row: Rows, _as_of_ms: int) -> Truth:
    return row.resolved


def _of_one_reply(row: Rows) -> Truth:
    return row.reply_runs == 1


def _resolved_long_ago(row: Rows, as_of_ms: int) -> Truth:
    return row.resolved & (row.resolved_at_ms <= as_of_ms - WEEK_MS)


def _resolved_lately(row: Rows, as_of_ms: int) -> Truth:
    return row.resolved & (row.resolved_at_ms > as_of_ms - WEEK_MS)


def _reopened(row: Rows) -> Truth:
    return (row.next_ask_at_ms >= 0) & (row.next_ask_at_ms - row.resolved_at_ms <= WEEK_MS)


def _resolved_lately_and_reopened(row: Rows, as_of_ms: int) -> Truth:
    return _resolved_lately(row, as_of_ms) & _reopened(row)


def _first_contact(row: Rows, as_of_ms: int) -> Truth:
    return row.is_first_contact & (row.at_ms <= as_of_ms - WEEK_MS)


def _recent_first_contact(row: Rows, as_of_ms: int) -> Truth:
    return row.is_first_contact & (row.at_ms > as_of_ms - WEEK_MS)


def _enough(row: Rows) -> Truth:
    return row.no_further_contact


def _recent_and_back(row: Rows, as_of_ms: int) -> Truth:
    return _recent_first_contact(row, as_of_ms) & row.further_contact


def _rated_first_contact(row: Rows, as_of_ms: int) -> Truth:
    return _first_contact(row, as_of_ms) & row.rated


def _recent_rated_first_contact(row: Rows, as_of_ms: int) -> Truth:
    return _recent_first_contact(row, as_of_ms) & row.rated


def _content_and_enough(row: Rows) -> Truth:
    return row.no_further_contact & (row.rating >= GOOD_SCORE)


def _transferred(row: Rows) -> Truth:
    return row.transferred


def _of_people(row: Rows, _as_of_ms: int) -> Truth:
    return row.reached_people


def _starts_run(row: Rows, _as_of_ms: int) -> Truth:
    return row.starts_run


def _of_agent(row: Rows, _as_of_ms: int) -> Truth:
    return row.of_agent


def _of_customer(row: Rows, _as_of_ms: int) -> Truth:
    return row.of_customer


SESSION_METRICS: tuple[Metric, ...] = (
    Metric(
        id="wait_total",
        version=1,
        kind="duration",
        unit="ms",
        name=Words("Total wait of a requester", "客户总等待时长"),
        short=Words("Total wait", "总等待"),
        definition=Words(
            "All waits of one conversation added up, whoever they were for; a wait that lasts "
            "counts as far as it has come. Median and percentiles over conversations.",
            "同一会话中全部等待时长之和，不论由谁接手；仍在等待的按截至时刻计入。中位数与百分"
            "位按会话计算。",
        ),
        formula=Words(
            "sum of the waits of all turns, per conversation",
            "每个会话各轮等待时长之和",
        ),
        attribution=OF_THE_CONVERSATION,
        source="case",
        counts=_every,
        span="waited_so_far_ms",
    ),
    Metric(
        id="r30_sess",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("First answer within 30 s", "首次 30 秒应答率"),
        short=Words("First in 30 s", "首次 30 秒应答"),
        definition=Words(
            "Sessions whose first turn a person answered within 30 seconds, out of the sessions "
            "that started between 9:00 and 23:00 (shop time) while at least one agent was there, "
            "and whose first question is at least 30 seconds old.",
            "首轮在 30 秒内得到人工回复的会话，除以店铺时间 9:00–23:00 开始、当时至少有"
            "一名客服在线、且首问已满 30 秒的会话。",
        ),
        formula=Words(
            "first turns answered within 30 s ÷ sessions started 9:00 to 23:00 with an agent "
            "online",
            "首轮 30 秒内应答 ÷ 9:00–23:00 且有客服在线时开始的会话",
        ),
        attribution=OF_THE_FIRST_REPLIER,
        source="session",
        counts=_staffed,
        succeeds=_fast,
    ),
    Metric(
        id="r3m_sess",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("First answer within 3 minutes (by session)", "3 分钟人工回复率（按会话）"),
        short=Words("Sessions within 3 min", "3 分钟回复率（会话）"),
        definition=Words(
            "Sessions that reached the queue of people and had their first human reply within 180 "
            "seconds of that, out of all sessions that reached it at least 180 seconds ago. A "
            "session that nobody took fails.",
            "进入人工排队后 180 秒内得到首条人工回复的会话，除以进入人工排队已满 180 "
            "秒的全部会话。无人接待的会话按未达标计。",
        ),
        formula=Words(
            "sessions with (first human reply - entry to the queue) ≤ 180 s ÷ sessions that "
            "reached the queue",
            "（首条人工回复 - 进入人工排队）≤ 180 秒的会话 ÷ 进入人工排队的会话",
        ),
        attribution=OF_THE_FIRST_REPLIER,
        source="session",
        counts=_reached_people,
        succeeds=_in_time,
    ),
    Metric(
        id="leave_rate",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("Leave-message rate", "留言率"),
        short=Words("Nobody online", "留言率"),
        definition=Words(
            "Sessions that started while no agent was online or busy, out of all sessions.",
            "开始时没有任何客服在线（含忙碌）的会话，除以全部会话。",
        ),
        formula=Words(
            "sessions started with nobody there ÷ sessions",
            "无人在线时开始的会话 ÷ 会话",
        ),
        attribution=OF_THE_SHOP,
        source="session",
        counts=_every,
        succeeds=_unattended,
    ),
    Metric(
        id="unanswered",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("Sessions without a reply", "未回复会话（未服务客户）"),
        short=Words("Without a reply", "未回复"),
        definition=Words(
            "Sessions in which the shopper wrote and no person replied, out of all sessions whose "
            "first question is at least 180 seconds old. Lower is better; the numerator is the "
            "number of unserved sessions.",
            "顾客已留言而没有任何人工回复的会话，除以首问已满 180 秒的全部会话。越低越好；分子即未"
            "服务的会话数。",
        ),
        formula=Words(
            "sessions without a counted reply ÷ sessions, first question at least 180 s ago",
            "没有人工回复的会话 ÷ 会话（首问已满 180 秒）",
        ),
        attribution=OF_THE_LAST_OWNER,
        source="session",
        counts=_grown,
        succeeds=_unreplied,
        still="open_unreplied",
        agent="last_owner_id",
    ),
    Metric(
        id="missed",
        version=1,
        kind="count",
        unit="n",
        name=Words("Missed chats", "漏接"),
        short=Words("Missed", "漏接"),
        definition=Words(
            "Sessions whose shopper left before any human reply.",
            "顾客在得到任何人工回复之前就离开的会话。",
        ),
        formula=Words(
            "number of sessions that ended with the shopper leaving, no reply before",
            "顾客离开且此前没有人工回复的会话数",
        ),
        attribution=OF_WHOM_IT_WAS_OFFERED,
        source="session",
        counts=_missed,
        agent="offered_id",
    ),
    Metric(
        id="dropped",
        version=1,
        kind="count",
        unit="n",
        name=Words("Dropped chats", "中途流失"),
        short=Words("Dropped", "中途流失"),
        definition=Words(
            "Sessions that had a reply, whose last message is the shopper's, and whose shopper "
            "then left.",
            "得到过回复，但最后一条消息来自顾客、随后顾客离开的会话。",
        ),
        formula=Words(
            "number of sessions with a reply that ended with the shopper leaving unanswered",
            "有过回复而最后一问未回、顾客离开的会话数",
        ),
        attribution=OF_THE_LAST_OWNER,
        source="session",
        counts=_dropped,
        agent="last_owner_id",
    ),
    Metric(
        id="received",
        version=1,
        kind="count",
        unit="n",
        name=Words("Customers served", "接待人数"),
        short=Words("Served", "接待人数"),
        definition=Words(
            "Different customers to whom a person replied.",
            "得到过人工回复的不同顾客数。",
        ),
        formula=Words(
            "distinct customers with at least one counted reply",
            "至少有一条人工回复的顾客数（去重）",
        ),
        attribution=OF_EACH_REPLIER,
        source="message",
        counts=_of_agent,
        distinct="customer",
        still="lasts",
    ),
    Metric(
        id="consulted",
        version=1,
        kind="count",
        unit="n",
        name=Words("Customers who asked", "咨询人数"),
        short=Words("Asked", "咨询人数"),
        definition=Words(
            "Different customers who wrote at least one message.",
            "至少发过一条消息的不同顾客数。",
        ),
        formula=Words(
            "distinct customers with at least one message",
            "至少有一条消息的顾客数（去重）",
        ),
        attribution=OF_THE_SENDER,
        source="message",
        counts=_of_customer,
        distinct="customer",
        still="lasts",
    ),
    Metric(
        id="qa_ratio",
        version=1,
        kind="ratio",
        unit="ratio",
        name=Words("Answer-to-question ratio", "答问比"),
        short=Words("Answers per question", "答问比"),
        definition=Words(
            "Public messages of agents by messages of shoppers. Greetings, bot and system "
            "messages and private notes are not counted.",
            "客服公开消息数除以顾客消息数。自动问候、机器人与系统消息、内部备注不计。",
        ),
        formula=Words(
            "public agent messages ÷ customer messages",
            "客服公开消息数 ÷ 顾客消息数",
        ),
        attribution=OF_THE_SENDER,
        source="message",
        counts=_every,
        amount="of_agent",
        per="of_customer",
        still="lasts",
    ),
    Metric(
        id="replies",
        version=1,
        kind="count",
        unit="n",
        name=Words("Reply runs", "回复轮数"),
        short=Words("Reply runs", "回复轮数"),
        definition=Words(
            "Runs of counted replies: however many messages an agent sends in a row, until the "
            "shopper writes again they are one.",
            "人工回复的轮数：顾客再次发言之前，客服连续发送的多条消息算一轮。",
        ),
        formula=Words(
            "number of first counted replies after a shopper's message",
            "顾客消息之后的首条人工回复数",
        ),
        attribution=OF_THE_SENDER,
        source="message",
        counts=_starts_run,
        still="lasts",
    ),
    Metric(
        id="one_touch",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("One-touch rate", "一触即决率"),
        short=Words("One touch", "一触即决"),
        definition=Words(
            "Resolved sessions in which one run of replies was enough, out of all resolved "
            "sessions.",
            "只用一轮回复就解决的会话，除以全部已解决的会话。",
        ),
        formula=Words(
            "resolved sessions with exactly 1 reply run ÷ resolved sessions",
            "恰有 1 轮回复的已解决会话 ÷ 已解决会话",
        ),
        attribution=OF_THE_RESOLVER,
        source="session",
        counts=_resolved,
        succeeds=_of_one_reply,
        agent="resolved_by",
    ),
    Metric(
        id="frt_res",
        version=1,
        kind="time",
        unit="ms",
        name=Words("First resolution time", "首次解决时长"),
        short=Words("First resolution", "首次解决"),
        definition=Words(
            "From the shopper's first message of a conversation to the first time that it was "
            "resolved; cut at the instant of the report while it never was. Conversations that "
            "only a bot had are not in it.",
            "从会话中顾客的第一条消息起，到首次被标记为已解决；尚未解决的在截至时刻删失。只由"
            "机器人处理的会话不计。",
        ),
        formula=Words(
            "Kaplan-Meier quantiles of (first resolved - first message), per conversation",
            "每个会话取（首次解决 - 首条消息）的 Kaplan-Meier 分位数",
        ),
        attribution=OF_THE_RESOLVER,
        source="case",
        goal_ms=None,
        counts=_of_people,
        span="first_resolved_ms",
        done="first_resolved",
        still="first_unresolved",
        agent="first_resolved_by",
    ),
    Metric(
        id="full_res",
        version=1,
        kind="time",
        unit="ms",
        name=Words("Full resolution time", "最终解决时长"),
        short=Words("Full resolution", "最终解决"),
        definition=Words(
            "From the shopper's first message of a conversation to the last time that it was "
            "resolved; cut at the instant of the report while it is open, reopened ones included. "
            "Conversations that only a bot had are not in it.",
            "从会话中顾客的第一条消息起，到最后一次被标记为已解决；仍未解决（含重开）的在截至"
            "时刻删失。只由机器人处理的会话不计。",
        ),
        formula=Words(
            "Kaplan-Meier quantiles of (last resolved - first message), censored while open",
            "每个会话取（最后解决 - 首条消息）的 Kaplan-Meier 分位数，未结束者删失",
        ),
        attribution=OF_THE_RESOLVER,
        source="case",
        goal_ms=None,
        counts=_of_people,
        span="full_resolved_ms",
        done="full_resolved",
        still="full_unresolved",
        agent="resolved_by",
    ),
    Metric(
        id="reopen",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("Reopen rate", "重开率"),
        short=Words("Reopened", "重开率"),
        definition=Words(
            "Sessions that were resolved and whose shopper wrote again in the same conversation "
            "within 7 days, thanks that were dismissed aside, out of the sessions resolved at "
            "least 7 days ago. Younger ones are shown apart, still maturing.",
            "解决后 7 天内顾客在同一会话中再次提问（已标记无需回复的致谢除外）的会话，"
            "除以解决已满 7 天的会话。未满 7 天的另列为“未成熟”。",
        ),
        formula=Words(
            "resolved sessions with a further question within 7 d ÷ sessions resolved at least 7 "
            "d ago",
            "7 天内再次提问的已解决会话 ÷ 解决已满 7 天的会话",
        ),
        attribution=OF_THE_RESOLVER,
        source="session",
        counts=_resolved_long_ago,
        succeeds=_reopened,
        agent="resolved_by",
        asides=(
            Aside(
                id="maturing", name=Words("Not yet 7 days", "未满 7 天"), counts=_resolved_lately
            ),
            Aside(
                id="maturing_reopened",
                name=Words("Of these reopened already", "其中已重开"),
                counts=_resolved_lately_and_reopened,
            ),
        ),
        finish=still_maturing,
    ),
    Metric(
        id="fcr",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("First-contact resolution", "首次（一次）解决率"),
        short=Words("First contact", "一次解决"),
        definition=Words(
            "First contacts of a customer, in any conversation, after which the customer did not "
            "come back within 7 days, out of the first contacts that are at least 7 days old. A "
            "contact is a session; it is a first one when none began in the 7 days before. "
            "Younger ones are shown apart, still maturing.",
            "顾客的首次联系（任意会话）之后 7 天内没有再次联系的，除以已满 7 天的首次联系。一"
            "次联系即一次会话；前 7 天内没有会话开始的为首次联系。未满 7 天的另列为“未成熟”。",
        ),
        formula=Words(
            "first contacts without a further one in 7 d ÷ first contacts at least 7 d ago",
            "7 天内无再次联系的首次联系 ÷ 已满 7 天的首次联系",
        ),
        attribution=OF_THE_LAST_REPLIER,
        source="first_contact",
        counts=_first_contact,
        succeeds=_enough,
        agent="last_reply_by",
        asides=(
            Aside(
                id="maturing",
                name=Words("Not yet 7 days", "未满 7 天"),
                counts=_recent_first_contact,
            ),
            Aside(
                id="maturing_failed",
                name=Words("Of these back already", "其中已再次联系"),
                counts=_recent_and_back,
            ),
        ),
        finish=still_maturing,
    ),
    Metric(
        id="fcr_asked",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("First-contact resolution, as shoppers say", "首次（一次）解决率（顾客评价）"),
        short=Words("First contact, asked", "一次解决（评价）"),
        definition=Words(
            "The same as first-contact resolution, of those first contacts only that the shopper "
            "rated when asked: out of them, those rated 4 or 5 after which the customer did not "
            "come back within 7 days. The rating stands for the shopper's own word that it was "
            "solved; nothing else is asked.",
            "与首次解决率相同，但只计顾客受邀后作出评价的首次联系："
            "其中评 4 分或 5 分、且 7 天内没有再次联系的比例。"
            "以评价代表顾客自认问题已解决，不另外询问。",
        ),
        formula=Words(
            "rated first contacts with 4 or 5 and without a further one in 7 d ÷ rated first "
            "contacts at least 7 d ago",
            "评 4、5 分且 7 天内无再次联系的首次联系 ÷ 已满 7 天且有评价的首次联系",
        ),
        attribution=OF_THE_LAST_REPLIER,
        source="first_contact",
        counts=_rated_first_contact,
        succeeds=_content_and_enough,
        agent="last_reply_by",
        asides=(
            Aside(
                id="maturing",
                name=Words("Not yet 7 days", "未满 7 天"),
                counts=_recent_rated_first_contact,
            ),
        ),
        finish=still_maturing,
    ),
    Metric(
        id="duration",
        version=1,
        kind="time",
        unit="ms",
        name=Words("Chat duration", "会话时长"),
        short=Words("Duration", "会话时长"),
        definition=Words(
            "From the shopper's first message of a session to its last public message. A session "
            "that still runs is cut at the instant of the report; after 24 hours of silence it is "
            "over.",
            "从会话中顾客的第一条消息起，到最后一条公开消息止。仍在进行的在截至时刻删失；静默满 "
            "24 小时视为结束。",
        ),
        formula=Words(
            "Kaplan-Meier quantiles of (last public message - first message), per session",
            "每次会话取（最后一条公开消息 - 首条消息）的 Kaplan-Meier 分位数",
        ),
        attribution=OF_THE_FIRST_REPLIER,
        source="session",
        goal_ms=None,
        counts=_every,
        span="duration_ms",
        done="over",
        still="lasts",
    ),
    Metric(
        id="transfer",
        version=1,
        kind="rate",
        unit="ratio",
        name=Words("Transfer rate", "转接率"),
        short=Words("Transferred", "转接率"),
        definition=Words(
            "Sessions that one agent passed to another, out of all sessions.",
            "由一名客服转给另一名客服的会话，除以全部会话。",
        ),
        formula=Words(
            "sessions with a change from agent to agent ÷ sessions",
            "发生客服间转接的会话 ÷ 会话",
        ),
        attribution=OF_THE_GIVER,
        source="session",
        counts=_every,
        succeeds=_transferred,
        agent="giver_id",
    ),
)
