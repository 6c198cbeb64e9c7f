"""The worked example on the pages: what was worked out stands there, in both languages."""

from __future__ import annotations

import re

from server.domain.metrics import METRICS
from server.http.report_pages import PAGES
from tests.http.desk import Visitor
from tests.reports.test_pages import PERIOD, desk, supervisor, words

__all__ = ["desk", "supervisor"]

# page -> (metric, what stands large, what stands below); the same in both languages but for words.
OPEN = {"en": "{n} open", "zh": "{n} 未结"}
RIPENING = {"en": "{n} not yet ripe", "zh": "{n} 未满观察期"}
SMALL = {"en": "n too small", "zh": "样本不足"}
NOTHING = {"en": "no data", "zh": "暂无数据"}
NOT_RIPE = {"en": "not yet ripe", "zh": "未满观察期"}
Wanted = dict[str, str] | str
TILES: dict[str, list[tuple[str, Wanted, tuple[Wanted, ...]]]] = {
    "overview": [
        ("frt", "0:50", ({"en": "2 turns", "zh": "2 轮"}, OPEN)),
        ("frt", SMALL, ()),
        ("r3m_turn", "66.7 %", ("2 / 3", "21%–94%", OPEN)),
        ("csat", "100.0 %", ("1 / 1", "21%–100%")),
        ("abandon", "0.0 %", ("0 / 2",)),
        ("fcr", NOT_RIPE, (RIPENING,)),
        ("unanswered", "50.0 %", ("1 / 2",)),
        ("received", "1", ()),
    ],
    "times": [
        ("frt", "0:50", (OPEN,)),
        ("frt", SMALL, ()),
        ("rt", "2:30", ({"en": "4 turns", "zh": "4 轮"}, OPEN)),
        ("rt", "1:40", ()),
        ("r3m_turn", "66.7 %", ("2 / 3",)),
        ("sl_30", "0.0 %", ("0 / 2",)),
        ("agent_rt", "1:30", ()),
        ("frt_handoff", "0:45", ()),
        ("frt_any", "0:50", (OPEN,)),
        ("wait_total", "13:50", (OPEN,)),
        ("queue_wait", "0:25", (OPEN,)),
        ("frt_res", "6:30", ()),
        ("full_res", "> 25:10:00", (OPEN,)),
        ("aht", NOTHING, ()),
        ("duration", "6:00", (OPEN,)),
        ("frt", SMALL, ()),
        ("sl_180", "50.0 %", ("1 / 2",)),
    ],
    "people": [
        ("replies", "2", ()),
        ("review_critical", NOTHING, ()),
        ("review_objected", NOTHING, ()),
    ],
    "satisfaction": [
        ("csat", "100.0 %", ("1 / 1", "21%–100%")),
        ("csat_rr", "100.0 %", ("1 / 1", OPEN)),
        ("csat_invite", "100.0 %", ("1 / 1",)),
        ("fcr", NOT_RIPE, (RIPENING,)),
        ("reopen", NOT_RIPE, (RIPENING,)),
        ("one_touch", "0.0 %", ("0 / 1",)),
        ("fcr_asked", NOT_RIPE, (RIPENING,)),
    ],
    "outcomes": [
        ("inq_conv_24h", "100.0 %", ("1 / 1",)),
        ("inq_conv_96h", NOT_RIPE, (RIPENING,)),
        ("aov_chat", "¥299.00", ({"en": "1 order", "zh": "1 单"},)),
        ("repeat_30d", NOT_RIPE, (RIPENING,)),
        ("repeat_90d", NOT_RIPE, (RIPENING,)),
        ("contact_per_order", "2", ("2/1", {"en": "2 sessions", "zh": "2 个会话"})),
        ("contact_per_order_linked", NOT_RIPE, (RIPENING,)),
    ],
    "queue": [
        ("queue_wait", "0:25", (OPEN,)),
        ("queue_wait", SMALL, ()),
        ("asa", "0:25", ()),
        ("sl_30", "0.0 %", ("0 / 2",)),
        ("abandon", "0.0 %", ("0 / 2",)),
        ("missed", "0", ()),
        ("leave_rate", "0.0 %", ("0 / 2",)),
        ("unanswered", "50.0 %", ("1 / 2",)),
        ("dropped", "0", ()),
        ("received", "1", ()),
        ("consulted", "1", ()),
        ("transfer", "50.0 %", ("1 / 2",)),
        ("bot_contain", NOT_RIPE, (RIPENING,)),
        ("bot_handoff", "100.0 %", ("1 / 1",)),
        ("tkt24", NOTHING, ()),
        ("sla_met", NOTHING, ()),
    ],
    "platforms": [
        ("rt", "1:40", ()),
        ("leave_rate", "0.0 %", ("0 / 2",)),
        ("unanswered", "50.0 %", ("1 / 2",)),
        ("qa_ratio", "60.0 %", ("3/5",)),
    ],
    "checks": [
        ("greeting_only", "50.0 %", ("1 / 2",)),
        ("macro_only", "0.0 %", ("0 / 2",)),
        ("resolved_unanswered", "0.0 %", ("0 / 1",)),
        ("reply_at_resolve", "0.0 %", ("0 / 1",)),
        ("dismissed", "33.3 %", ("1 / 3",)),
    ],
}
# The four platforms' figures, each (metric, whole numbers).
PLATFORMS = (("r3m_turn", "2/3"), ("r30_sess", "0/2"), ("r3m_cust", "1/2"), ("r3m_sess", "1/2"))


def tiles(page: str) -> list[tuple[str, str, str]]:
    """(metric, what stands large, what stands below) of each tile in order."""
    found = []
    for begun in page.split('<div class="kpi">')[1:]:
        part = begun.split("</div>")[0]
        metric = re.search(r"#def-([a-z0-9_]+)", part)
        large = re.search(r'<p class="v[^"]*">(.*?)</p>', part, re.DOTALL)
        assert metric is not None
        assert large is not None
        below = " ".join(words(d) for d in re.findall(r'<p class="d">(.*?)</p>', part, re.DOTALL))
        found.append((metric[1], words(large[1]), below))
    return found


def said(wanted: Wanted, language: str) -> str:
    return wanted if isinstance(wanted, str) else wanted[language].format(n=1)


async def test_the_tiles_of_every_page_are_what_was_worked_out(supervisor: Visitor) -> None:
    for language in ("en", "zh"):
        for name, expected in TILES.items():
            address = f"{PAGES[name].path}?{PERIOD}&lang={language}&compare=off"
            found = tiles((await supervisor.get(address)).text)
            assert [(metric, large) for metric, large, _ in found] == [
                (metric, said(large, language)) for metric, large, _ in expected
            ], (name, language)
            for (metric, _, below), (_, _, parts) in zip(found, expected, strict=True):
                for part in parts:
                    assert said(part, language) in below, (name, language, metric)


async def test_what_stands_in_tables_is_what_was_worked_out(supervisor: Visitor) -> None:
    for language in ("en", "zh"):
        end = f"{PERIOD}&lang={language}&compare=off"
        text = words((await supervisor.get(f"/reports/platforms?{end}")).text)
        for metric, parts in PLATFORMS:
            top, whole = parts.split("/")
            assert re.search(rf"{top} ?/ ?{whole}", text), (metric, language)
        text = words((await supervisor.get(f"/reports/people?{end}")).text)
        # Amy's own part of the waits, then Bo's; each had one chat at once.
        assert re.search(r"Agent Young .*? 0:20 .*? bo@desk\.example .*? 1:30 ", text), language
        assert re.search(r"Agent Young 26 .*? 1 n 1 100\.0 % 2/2 ", text), language
        assert re.search(r"bo@desk\.example 26 .*? 1 n 1 50\.0 % 1/2 ", text), language


def test_every_metric_stands_on_a_page() -> None:
    shown = {ask.metric for page in PAGES.values() for block in page.blocks for ask in block.asks}
    assert set(METRICS) <= shown
