"""The metrics of quality reviews: only of chats that were drawn at random, each judged once.

What was singled out (a bad rating, a long chat) says nothing of all chats, and what a second
reviewer said of the same chat is for comparing reviewers. Both are counted beside the number.
"""

from __future__ import annotations

from dataclasses import replace

from server.domain import statistics
from server.domain.metrics.model import Aside, Figures, Metric, Rows, Truth, Words
from server.domain.review_card import FULL

OF_THE_REVIEWED = Words(
    "The agent whose work was judged: who has the most replies in the chat.",
    "归被质检的客服，即会话中回复次数最多的客服。",
)
_COUNTED = Words(
    " Only chats that were drawn at random count, by the first reviewer's verdict as it stands at "
    "the instant of the report; what was singled out is counted beside it. A review belongs to the "
    "day on which the chat began, so it stands beside the response times of the same chats.",
    "只计随机抽取的会话，取首位质检员截至报表时刻的结论；定向抽取的另列。"
    "质检结果归入会话开始的那一天，与同一批会话的响应时间并列。",
)


def _fair(row: Rows, _as_of_ms: int) -> Truth:
    return row.fair


def _targeted(row: Rows, _as_of_ms: int) -> Truth:
    return row.targeted


def _passed(row: Rows) -> Truth:
    return row.passed


def _critical(row: Rows) -> Truth:
    return row.critical


def _objected(row: Rows) -> Truth:
    return row.objected


TARGETED = Aside(
    id="targeted", name=Words("Reviews of singled-out chats", "定向抽取的质检"), counts=_targeted
)
SQUARES = Aside(
    id="squares",
    name=Words("Sum of the squared scores", "得分平方和"),
    counts=_fair,
    amount="points_squared",
)


def mean_score(figures: Figures) -> Figures:
    """The mean as a share of a whole score, with Student's interval.

    Without an interval below two reviews, and where all scores are the same: how far others would
    lie from them cannot be told.
    """
    total, n = figures.numerator or 0, figures.n
    squares = figures.asides["squares"]
    interval = None
    if n * squares > total * total:
        found = statistics.mean_interval(n, total / FULL, squares / FULL**2)
        interval = None if found is None else (max(0.0, found[0]), min(1.0, found[1]))
    return replace(
        figures,
        value=total / (FULL * n) if n else None,
        denominator=FULL * n,
        interval=interval,
        asides={"targeted": figures.asides["targeted"]},
    )


REVIEW_METRICS: tuple[Metric, ...] = (
    Metric(
        id="review_score",
        version=1,
        kind="mean",
        unit="ratio",
        source="review",
        name=Words("Quality review score", "质检得分"),
        short=Words("Review score", "质检得分"),
        definition=Words(
            "The mean score of quality reviews: of each review the points that were given, as a "
            "share of those that could be, weighted by the scorecard; what did not apply is left "
            "out. A critical miss fails the review and leaves its score." + _COUNTED.en,
            "质检得分的平均值。单次得分为各项得分按权重加权后占满分的比例，不适用的项目不计。"
            "关键项未达标时该次质检不合格，得分不变。" + _COUNTED.zh,
        ),
        formula=Words(
            "sum of scores / reviews, in ten-thousandths; Student's t interval",
            "得分之和 ÷ 质检次数（以万分之一计），附 t 分布区间",
        ),
        attribution=OF_THE_REVIEWED,
        counts=_fair,
        amount="points",
        asides=(TARGETED, SQUARES),
        finish=mean_score,
    ),
    Metric(
        id="review_pass",
        version=1,
        kind="rate",
        unit="ratio",
        source="review",
        name=Words("Quality review pass rate", "质检合格率"),
        short=Words("Reviews passed", "质检合格率"),
        definition=Words(
            "Quality reviews that reached the pass mark of their scorecard without a critical miss."
            + _COUNTED.en,
            "达到评分表合格线且没有关键项失误的质检所占的比例。" + _COUNTED.zh,
        ),
        formula=Words("reviews passed / reviews", "合格次数 ÷ 质检次数"),
        attribution=OF_THE_REVIEWED,
        counts=_fair,
        succeeds=_passed,
        asides=(TARGETED,),
    ),
    Metric(
        id="review_critical",
        version=1,
        kind="rate",
        unit="ratio",
        source="review",
        name=Words("Critical misses in quality reviews", "质检关键失误率"),
        short=Words("Critical misses", "关键失误率"),
        definition=Words(
            "Quality reviews in which a critical criterion got no point." + _COUNTED.en,
            "关键项得零分的质检所占的比例。" + _COUNTED.zh,
        ),
        formula=Words("reviews with a critical miss / reviews", "有关键失误的次数 ÷ 质检次数"),
        attribution=OF_THE_REVIEWED,
        counts=_fair,
        succeeds=_critical,
        asides=(TARGETED,),
    ),
    Metric(
        id="review_objected",
        version=1,
        kind="rate",
        unit="ratio",
        source="review",
        name=Words("Objections to quality reviews", "质检申诉率"),
        short=Words("Reviews objected to", "质检申诉率"),
        definition=Words(
            "Quality reviews to which the reviewed agent objected. Those that the agent has not "
            "answered yet are counted and stand beside it as open." + _COUNTED.en,
            "被质检客服提出申诉的比例；尚未答复的计入分母，并作为“未定”另列。" + _COUNTED.zh,
        ),
        formula=Words("reviews objected to / reviews", "申诉次数 ÷ 质检次数"),
        attribution=OF_THE_REVIEWED,
        counts=_fair,
        succeeds=_objected,
        still="unanswered",
    ),
)
