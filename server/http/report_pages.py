"""The report pages: PAGES is the table; a page is a list of blocks, a block a list of metrics.

Metrics are named by id. One that there is not (yet) is left out; one that no block names stands at
the end of a page by itself, as soon as it has a row in METRICS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce

from server.domain.metrics import METRICS
from server.domain.metrics.presets import BY_HEADLINE
from server.http.report_blocks import Ask, Block
from server.reports.pages import Wants


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the reports; ``own`` pages are there for an agent's own figures too."""

    id: str
    path: str
    blocks: tuple[Block, ...]
    own: bool = False

    def wants(self, view: str | None) -> Wants:
        """What all of its blocks need."""
        return reduce(Wants.__add__, (block.wants(view) for block in self.blocks), Wants())

    def divided(self, by: str | None) -> Page:
        """The page as it stands when its breakdown is by something, of what it can be."""
        known = DIVISIONS.get(self.id, ())
        if not known:
            return self
        by = by if by in known else known[0]
        if self.id == "outcomes":
            # Each of its divisions has figures of its own.
            return replace(
                self, blocks=tuple(b for b in self.blocks if b.by not in known or b.by == by)
            )
        blocks = (replace(b, by=by) if b.by == known[0] else b for b in self.blocks)
        return replace(self, blocks=tuple(blocks))


def _asks(*ids: str) -> tuple[Ask, ...]:
    """Figures by "id" or "id:stat"."""
    return tuple(Ask(*one.split(":")) for one in ids)


def _block(kind: str, title: str, *ids: str, by: str | None = None, half: bool = False) -> Block:
    return Block(kind=kind, title=title, asks=_asks(*ids), by=by, half=half)


_RATES = ("r3m_turn", "sl_30", "csat", "one_touch", "fcr", "reopen", "transfer", "inq_conv_24h")
_HEAT = ("frt", "rt", "queue_wait", "r3m_turn", "received", "abandon", "csat")

_PAGES = (
    Page(
        "overview",
        "/reports",
        (
            _block(
                "tiles",
                "key_figures",
                *("frt:median", "frt:p90", "r3m_turn", "csat"),
                *("abandon", "fcr", "unanswered", "received"),
            ),
            _block("spread", "spread", "frt", half=True),
            _block("trend", "trend", "frt", "r3m_turn", "csat", "received", half=True),
            _block(
                "movers",
                "movers",
                *("frt", "rt", "queue_wait", "r3m_turn", "sl_30", "csat", "csat_rr", "abandon"),
                *("fcr", "reopen", "transfer", "one_touch", "unanswered"),
            ),
            _block(
                "table",
                "by_agent",
                *("received", "frt:median", "r3m_turn", "csat"),
                by="agent",
                half=True,
            ),
            _block(
                "table",
                "by_segment",
                *("received", "frt:median", "r3m_turn", "csat"),
                by="segment",
                half=True,
            ),
            _block("heat", "heat", *_HEAT),
        ),
        own=True,
    ),
    Page(
        "times",
        "/reports/times",
        (
            _block(
                "tiles",
                "key_figures",
                *("frt:median", "frt:p90", "rt:median", "rt:mean"),
                *("r3m_turn", "sl_30", "agent_rt:median", "frt_handoff:median"),
            ),
            _block("spread", "spread", "frt", "rt", half=True),
            _block("trend", "trend", "frt", "rt", "r3m_turn", half=True),
            _block(
                "tiles",
                "more_figures",
                *("frt_any:median", "wait_total:median", "queue_wait:median", "frt_res:median"),
                *("full_res:median", "aht", "duration:median", "frt:p95"),
            ),
            _block("intervals", "intervals", "frt", "rt", "r3m_turn", by="agent", half=True),
            _block("intervals", "intervals_team", "frt", "rt", "r3m_turn", by="team", half=True),
            _block("heat", "heat", *_HEAT),
            _block(
                "table",
                "by_hour",
                *("rt", "frt:median", "frt:p90", "rt:mean", "r3m_turn"),
                by="hour",
            ),
        ),
        own=True,
    ),
    Page(
        "people",
        "/reports/people",
        (
            _block("funnel", "funnel", *_RATES, by="agent"),
            _block(
                "table",
                "by_agent",
                *("received", "frt:median", "frt:p90", "agent_rt:median", "r3m_turn"),
                *("csat", "one_touch", "transfer", "review_score"),
                by="agent",
            ),
            _block(
                "table",
                "workload",
                *("online", "occ", "util", "concurrency", "aht", "qa_ratio", "kb_use"),
                by="agent",
            ),
            _block("intervals", "intervals", "frt", "rt", "agent_rt", by="agent", half=True),
            _block("intervals", "intervals_csat", "csat", "one_touch", by="agent", half=True),
            _block(
                "intervals",
                "intervals_reviews",
                "review_score",
                "review_pass",
                by="agent",
                half=True,
            ),
        ),
    ),
    Page(
        "satisfaction",
        "/reports/satisfaction",
        (
            _block(
                "tiles",
                "key_figures",
                *("csat", "csat_rr", "csat_invite", "fcr", "reopen", "one_touch"),
            ),
            _block("bounds", "bounds", "csat", half=True),
            _block("scores", "scores", "csat", half=True),
            _block("trend", "trend", "csat", "csat_rr", half=True),
            _block("intervals", "intervals_csat", "csat", "csat_rr", by="agent", half=True),
            _block("table", "csat_by_segment", "csat", "csat_rr", "fcr", by="segment"),
        ),
        own=True,
    ),
    Page(
        "outcomes",
        "/reports/outcomes",
        (
            _block(
                "tiles",
                "key_figures",
                *("inq_conv_24h", "inq_conv_96h", "aov_chat", "repeat_30d"),
                *("repeat_90d", "contact_per_order", "contact_per_order_linked"),
            ),
            _block("beside", "conversion", "inq_conv_24h", "inq_conv_96h", half=True),
            _block("beside", "repeat", "repeat_30d", "repeat_90d", half=True),
            _block("trend", "trend", "inq_conv_24h", "inq_conv_96h", "aov_chat", half=True),
            _block(
                "intervals",
                "intervals_conversion",
                *("inq_conv_24h", "inq_conv_96h"),
                by="agent",
                half=True,
            ),
            _block(
                "table",
                "outcomes_by_segment",
                *("inq_conv_24h", "inq_conv_96h", "aov_chat", "repeat_30d"),
                by="segment",
            ),
            _block(
                "table",
                "contacts_by_sku",
                *("contact_per_order", "contact_per_order_linked", "aov_chat"),
                by="sku",
            ),
        ),
    ),
    Page(
        "queue",
        "/reports/queue",
        (
            _block(
                "tiles",
                "key_figures",
                *("queue_wait:median", "queue_wait:p90", "asa", "sl_30", "abandon", "missed"),
                *("leave_rate", "unanswered"),
            ),
            _block("fates", "fates", "frt", half=True),
            _block("trend", "trend", "abandon", "queue_wait", "sl_30", half=True),
            _block(
                "tiles",
                "more_figures",
                *("dropped", "received", "consulted", "transfer", "bot_contain", "bot_handoff"),
                *("tkt24", "sla_met"),
            ),
            _block("heat", "heat", "abandon", "queue_wait", "frt", "received"),
            _block(
                "table",
                "queue_by_hour",
                *("received", "queue_wait:median", "queue_wait:p90", "sl_30", "abandon"),
                by="hour",
            ),
        ),
    ),
    Page(
        "breakdown",
        "/reports/breakdown",
        (
            _block(
                "table",
                "breakdown",
                *("received", "frt:median", "frt:p90", "r3m_turn", "abandon", "csat", "fcr"),
                *("inq_conv_24h", "aov_chat"),
                by="segment",
            ),
            _block("intervals", "intervals_breakdown", *_HEAT, by="segment", half=True),
            _block("trend", "trend", *_HEAT, half=True),
            _block("heat", "heat", *_HEAT),
        ),
    ),
    Page(
        "platforms",
        "/reports/platforms",
        (
            _block("platforms", "platforms", *BY_HEADLINE),
            _block("trend", "trend", *BY_HEADLINE, half=True),
            _block(
                "tiles",
                "platform_more",
                "rt:mean",
                "leave_rate",
                "unanswered",
                "qa_ratio",
                half=True,
            ),
        ),
    ),
    Page(
        "checks",
        "/reports/checks",
        (
            _block(
                "tiles",
                "key_figures",
                *("greeting_only", "macro_only", "resolved_unanswered", "reply_at_resolve"),
                *("dismissed",),
            ),
            _block(
                "table",
                "checks_by_agent",
                *("greeting_only", "macro_only", "resolved_unanswered", "reply_at_resolve"),
                *("dismissed",),
                by="agent",
            ),
        ),
    ),
)
# Where figures stand that no block names, by what they are made of; all others with the queue's.
_REST = {
    **dict.fromkeys(("turn", "share", "case"), "times"),
    **dict.fromkeys(("message", "handling", "owned", "presence", "suggestion", "review"), "people"),
    **dict.fromkeys(("answer", "ending"), "checks"),
    **dict.fromkeys(("inquiry", "sale", "shopper", "contact"), "outcomes"),
    "first_contact": "satisfaction",
    "customer_day": "platforms",
}


def _with_rest(pages: tuple[Page, ...]) -> Iterator[Page]:
    """The pages, each with those of its figures that no block of any page names."""
    named = {ask.metric for page in pages for block in page.blocks for ask in block.asks}
    rest = [metric for metric in METRICS.values() if metric.id not in named]
    for page in pages:
        ids = [metric.id for metric in rest if _REST.get(metric.source, "queue") == page.id]
        more = (_block("tiles", "rest", *ids),) if ids else ()
        yield replace(page, blocks=(*page.blocks, *more))


PAGES: Mapping[str, Page] = {page.id: page for page in _with_rest(_PAGES)}
# What the breakdown of a page can be by, the first unless its address says otherwise.
DIVISIONS = {
    "breakdown": ("segment", "channel", "label", "team", "weekday", "hour"),
    "outcomes": ("segment", "sku"),
}
