"""The words of figures: who shops has one name, and nothing is called late before its goal."""

from __future__ import annotations

import re

from agent_ui.render import messages
from server.domain.metrics import METRICS

SURFACES = ("reports", "hours", "by_mail", "live", "staffing", "care", "reviews")
# The segmentation, its groups and stages, and measures by the names that the trade gives them.
TERMS = re.compile(
    "客户(?:分层|价值)|(?:冠军|忠诚|新|有望|沉睡|潜在|活跃|流失)客户"
    "|(?:重要|一般)(?:价值|保持|发展|挽留)客户|未服务客户"
    "|客户总等待时长|回复率（(?:按)?客户(?:·日)?）"
)


def _texts() -> dict[str, str]:
    found = {key: text for name in SURFACES for key, text in messages("zh", name).items()}
    for metric in METRICS.values():
        for field in ("name", "short", "definition", "formula", "attribution"):
            found[f"{metric.id}.{field}"] = getattr(metric, field).zh
        found |= {f"{metric.id}.{aside.id}": aside.name.zh for aside in metric.asides}
    return found


def test_who_shops_has_one_name() -> None:
    assert {key for key, text in _texts().items() if "客户" in TERMS.sub("", text)} == set()


def test_the_notice_of_the_console_calls_nothing_late_before_the_goal() -> None:
    """It stands from the warning on, before the goal: its words are true of both."""
    for locale, late in (("en", ("slow", "late", "overdue")), ("zh", ("超时", "逾期"))):
        told = messages("en" if locale == "en" else "zh", "console")
        said = " ".join(text for key, text in told.items() if re.match(r"slow\b", key)).lower()
        assert [word for word in late if word in said] == []
