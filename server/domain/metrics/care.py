"""Metrics that show where numbers were groomed: quick nothings, silent endings, dismissals.

None of them proves anything by itself; each opens the very rows behind it.
"""

from __future__ import annotations

from server.domain.metrics.model import Metric, Rows, Truth, Words

# 您好，在的 or Hello!: as long as a greeting is, and hardly any answer.
GREETING_CHARS = 6
AT_ONCE_MS = 1_000

OF_THE_REPLIER = Words("The agent who replied.", "归回复的客服。")
OF_THE_RESOLVER = Words("The agent who ended the session.", "归结束会话的客服。")
OF_THE_ENDER = Words("The agent who answered or dismissed.", "归回复或标记的客服。")


def _answers(row: Rows, _as_of_ms: int) -> Truth:
    return row.answer


def _every(row: Rows, _as_of_ms: int) -> Truth:
    return row.at_ms >= 0


def _replied(row: Rows, _as_of_ms: int) -> Truth:
    return row.replied


def _greeting(row: Rows) -> Truth:
    return row.greeting_only


def _macro(row: Rows) -> Truth:
    return row.macro_only


def _unreplied(row: Rows) -> Truth:
    return row.unreplied


def _dismissed(row: Rows) -> Truth:
    return row.dismissal


def _at_once(row: Rows) -> Truth:
    return row.since_reply_ms <= AT_ONCE_MS


CARE_METRICS: tuple[Metric, ...] = (
    Metric(
        id="greeting_only",
        version=1,
        kind="rate",
        unit="ratio",
        source="answer",
        name=Words("Answers no longer than a greeting", "仅问候式回复占比"),
        short=Words("Greeting only", "仅问候"),
        definition=Words(
            "Answers of which all messages until the shopper wrote again had together at most 6 "
            "characters, no attachment and nothing of an article. They stop the clock of the first "
            "response and may say nothing. The text itself is not looked at.",
            "直到顾客再次发言前，全部消息合计不超过 6 个字符、无附件、未引用知识库的回复"
            "占全部回复的比例。"
            "此类回复会停止首响计时，却可能没有内容。不读取消息正文。",
        ),
        formula=Words("answers of <= 6 characters / answers", "不超过 6 字符的回复 ÷ 全部回复"),
        attribution=OF_THE_REPLIER,
        counts=_answers,
        succeeds=_greeting,
    ),
    Metric(
        id="macro_only",
        version=1,
        kind="rate",
        unit="ratio",
        source="answer",
        name=Words("Answers by macro only", "仅快捷短语回复占比"),
        short=Words("Macro only", "仅快捷短语"),
        definition=Words(
            "Answers of which all messages until the shopper wrote again were macros.",
            "直到顾客再次发言前，全部消息都是快捷短语的回复占全部回复的比例。",
        ),
        formula=Words("answers of macros only / answers", "仅快捷短语的回复 ÷ 全部回复"),
        attribution=OF_THE_REPLIER,
        counts=_answers,
        succeeds=_macro,
    ),
    Metric(
        id="resolved_unanswered",
        version=1,
        kind="rate",
        unit="ratio",
        source="ending",
        name=Words("Resolved without reply", "未回复即解决占比"),
        short=Words("Resolved in silence", "未回复即解决"),
        definition=Words(
            "Out of the sessions that agents ended: those in which nobody had replied.",
            "客服结束的会话中，没有任何人工回复的比例。",
        ),
        formula=Words(
            "sessions ended by an agent without a reply / sessions ended by an agent",
            "客服结束且无人工回复的会话 ÷ 客服结束的会话",
        ),
        attribution=OF_THE_RESOLVER,
        counts=_every,
        succeeds=_unreplied,
    ),
    Metric(
        id="dismissed",
        version=1,
        kind="rate",
        unit="ratio",
        source="answer",
        name=Words("Waits dismissed", "标记无需回复占比"),
        short=Words("Dismissed", "标记无需回复"),
        definition=Words(
            "Out of the waits that agents ended by an answer or by marking them as needing none: "
            "those they marked. What shoppers themselves said needs no answer does not count.",
            "客服以回复或标记无需回复结束的轮次中，被标记的比例；顾客自己表示无需回复的不计。",
        ),
        formula=Words("dismissed / (answered + dismissed)", "标记数 ÷（回复数 + 标记数）"),
        attribution=OF_THE_ENDER,
        counts=_every,
        succeeds=_dismissed,
    ),
    Metric(
        id="reply_at_resolve",
        version=1,
        kind="rate",
        unit="ratio",
        source="ending",
        name=Words("Replied within a second of resolving", "回复后 1 秒内解决占比"),
        short=Words("Reply and resolve at once", "回复即解决"),
        definition=Words(
            "Out of the sessions that agents ended and that had been answered: those whose last "
            "answered wait ended within a second before. The shopper could not say anything to it.",
            "客服结束且有人工回复的会话中，最后一次回复后 1 秒内即结束的比例；顾客来不及作出反应。",
        ),
        formula=Words(
            "sessions ended <= 1 s after the last answer / answered sessions ended by an agent",
            "最后一次回复后 1 秒内结束的会话 ÷ 客服结束且有回复的会话",
        ),
        attribution=OF_THE_RESOLVER,
        counts=_replied,
        succeeds=_at_once,
    ),
)
