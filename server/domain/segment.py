"""Recency, frequency and money of a shop's customers: scores, eleven segments, eight cells.

The scored are those with a counted order. Limits are frozen once a day, so that a label changes for
a reason that can be told: an order, a day that passed, or new limits. Scores are tie-safe
percentiles (``score = min(5, floor(5 * share of customers strictly below) + 1)``): equal values
always have equal scores.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any  # Any: JSON values

from server.domain.lifecycle import FALLBACK_D1, FALLBACK_D2, gap_percentile, shop_clocks
from server.domain.ranks import Ranked

SEGMENTS = (
    "champions",
    "loyal",
    "potential_loyalist",
    "new",
    "promising",
    "need_attention",
    "about_to_sleep",
    "cant_lose",
    "at_risk",
    "hibernating",
    "prospects",
)
VALUE_CELLS = (
    "key_value",
    "key_keep",
    "key_develop",
    "key_rescue",
    "regular_value",
    "regular_keep",
    "regular_develop",
    "regular_let_go",
)

# By r, then f from 1 to 5: the grid patterns of the ten cells.
_GRID = {
    5: ("new", "potential_loyalist", "potential_loyalist", "champions", "champions"),
    4: ("promising", "potential_loyalist", "potential_loyalist", "loyal", "loyal"),
    3: ("about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"),
    2: ("hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"),
    1: ("hibernating", "hibernating", "at_risk", "at_risk", "cant_lose"),
}
# By near, often, much.
_CELLS = {
    (True, True, True): "key_value",
    (False, True, True): "key_keep",
    (True, False, True): "key_develop",
    (False, False, True): "key_rescue",
    (True, True, False): "regular_value",
    (False, True, False): "regular_keep",
    (True, False, False): "regular_develop",
    (False, False, False): "regular_let_go",
}

# With fewer buyers or a shorter history percentiles say more of chance than of customers.
FEW_BUYERS = 200
SHORT_DAYS = 90
# For scores 2 to 5: days since the last order at most, and tenths of the shop's median order.
FIXED_R_DAYS = (240, 120, 60, 30)
FIXED_M_TENTHS = (5, 10, 20, 40)
# Of orders or days that a shop may choose.
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a shop may choose: classes of F, what counts as often, clocks while gaps are few.

    ``f_classes`` are the fewest orders for scores 2 to 5.
    """

    f_classes: tuple[int, int, int, int] = (2, 3, 5, 8)
    often: int = 2
    d1: int = FALLBACK_D1
    d2: int = FALLBACK_D2


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The limits as they were frozen on ``day`` (days since 1970-01-01), by version.

    ``r_days`` are the most days since the last order for scores 2 to 5 (negative: nobody reaches
    it), ``m_minor`` the least net spend for them. Near is at most ``near_days``, much at least
    ``much_minor``. ``top_minor`` is the net spend of the last of the top 20 %, ``top_key`` their
    id, which decides among equals; ``top_share`` is what all of those bring of the revenue.
    ``provisional`` says that the shop has too few buyers for percentiles.
    """

    version: int = 0
    at_ms: int = 0
    day: int = 0
    timezone: str = "UTC"
    currency: str = ""
    rules: Rules = field(default_factory=Rules)
    buyers: int = 0
    gaps: int = 0
    provisional: bool = True
    r_days: tuple[int, int, int, int] = FIXED_R_DAYS
    m_minor: tuple[int, int, int, int] = (0, 0, 0, 0)
    near_days: int = 0
    much_minor: int = 0
    top_minor: int | None = None
    top_key: str = ""
    top_share: float | None = None
    median_gap: int | None = None
    d1: int = FALLBACK_D1
    d2: int = FALLBACK_D2

    def in_top(self, net_minor: int, key: str) -> bool:
        """Whether a customer belongs to the fifth that spent most; ids decide among equals."""
        if self.top_minor is None or net_minor < self.top_minor:
            return False
        return net_minor > self.top_minor or key <= self.top_key


@dataclass(frozen=True, slots=True)
class Population:
    """The scored customers of a shop on a day, each at the same place of both sequences.

    ``gaps`` counts the days between successive order days of all of them, by length.
    ``median_order_minor`` is asked for in small shops only.
    """

    net_minor: Sequence[int]
    last_days: Sequence[int]
    first_day: int
    gaps: Mapping[int, int]
    median_order_minor: int = 0


@dataclass(frozen=True, slots=True)
class Top:
    """How many customers are the top 20 %, and what they bring of the revenue.

    ``above`` of them spent more than the last one, who spent ``least_minor``.
    """

    size: int
    above: int
    least_minor: int
    share: float


def is_small(buyers: int, first_day: int, day: int) -> bool:
    """Whether a shop has too few buyers or too short a history for percentiles."""
    return buyers < FEW_BUYERS or day - first_day < SHORT_DAYS


def top_fifth(net_minor: Sequence[int] | Ranked) -> Top | None:
    """The ceil(20 %) of customers who spent most; None where nobody bought."""
    ranked = net_minor if isinstance(net_minor, Ranked) else Ranked(net_minor)
    size = -(-len(ranked) // 5)
    if not size:
        return None
    least = ranked[len(ranked) - size]
    above = len(ranked) - ranked.at_most(least)
    theirs = ranked.sum_above(least) + (size - above) * least
    return Top(size, above, least, theirs / ranked.sum_above(0))


def freeze(
    people: Population,
    *,
    day: int,
    rules: Rules,
    top_key: str = "",
) -> Thresholds:
    """The limits that these customers give on a day; ``top_key`` is the last id of the top 20 %."""
    buyers = len(people.net_minor)
    d1, d2 = shop_clocks(people.gaps, fallback=(rules.d1, rules.d2))
    limits = Thresholds(
        day=day,
        rules=rules,
        buyers=buyers,
        gaps=sum(people.gaps.values()),
        median_gap=gap_percentile(people.gaps, 50),
        d1=d1,
        d2=d2,
    )
    spent = Ranked(people.net_minor)
    top = top_fifth(spent)
    if top is None:
        return limits
    ago = Ranked(array("q", (max(0, day - last) for last in people.last_days)))
    limits = replace(
        limits,
        near_days=(ago[buyers // 2] + ago[(buyers - 1) // 2]) // 2,
        much_minor=-(-(spent[buyers // 2] + spent[(buyers - 1) // 2]) // 2),
        top_minor=top.least_minor,
        top_key=top_key,
        top_share=top.share,
    )
    if is_small(buyers, people.first_day, day):
        m_minor = tuple(-(-people.median_order_minor * t // 10) for t in FIXED_M_TENTHS)
        return replace(limits, m_minor=_four(m_minor))
    needed = [-(-buyers * below // 5) for below in range(1, 5)]
    return replace(
        limits,
        provisional=False,
        # Strictly fewer days than so many of them, strictly more money than so many.
        r_days=_four(ago[buyers - n] - 1 for n in needed),
        m_minor=_four(spent[n - 1] + 1 for n in needed),
    )


def _four(values: Iterable[int]) -> tuple[int, int, int, int]:
    a, b, c, d = values
    return a, b, c, d


def r_score(days_ago: int, limits: Thresholds) -> int:
    """1 to 5, 5 for those who ordered last."""
    # The limits fall from score 2 to 5.
    return 1 + sum(days_ago <= most for most in limits.r_days)


def f_score(orders: int, rules: Rules) -> int:
    """1 to 5 by the number of counted orders.

    >>> [f_score(n, Rules()) for n in (1, 2, 4, 5, 7, 8)]
    [1, 2, 3, 4, 4, 5]
    """
    return 1 + bisect_right(rules.f_classes, orders)


def m_score(net_minor: int, limits: Thresholds) -> int:
    """1 to 5, 5 for those who spent most."""
    return 1 + bisect_right(limits.m_minor, net_minor)


def segment_of(r: int, f: int) -> str:
    """One of the ten named cells of the grid of both scores.

    >>> segment_of(5, 4), segment_of(1, 5), segment_of(3, 2)
    ('champions', 'cant_lose', 'about_to_sleep')
    """
    return _GRID[r][f - 1]


def cell_of(days_ago: int, orders: int, net_minor: int, limits: Thresholds) -> str:
    """One of eight: near or far, often or seldom, much or little."""
    return _CELLS[
        days_ago <= limits.near_days,
        orders >= limits.rules.often,
        net_minor >= limits.much_minor,
    ]


def to_json(limits: Thresholds) -> dict[str, Any]:  # Any: JSON values
    """The limits as they are written down and shown."""
    return asdict(limits)


def from_json(data: Mapping[str, Any]) -> Thresholds:  # Any: JSON values
    """The limits that were written down."""
    known = {name: data[name] for name in Thresholds.__dataclass_fields__ if name in data}
    known["rules"] = rules_from(data.get("rules"))
    for name in ("r_days", "m_minor"):
        known[name] = _four(known[name])
    return Thresholds(**known)


def rules_from(chosen: object) -> Rules:
    """The rules that a shop has chosen; what it left out or got wrong is as it comes."""
    rules = Rules()
    if not isinstance(chosen, Mapping):
        return rules
    classes = chosen.get("f_classes")
    if isinstance(classes, list | tuple) and len(classes) == 4 and all(map(_is_count, classes)):
        rising = list(classes) == sorted(set(classes)) and classes[0] >= 2
        rules = replace(rules, f_classes=_four(classes)) if rising else rules
    often, d1, d2 = chosen.get("often"), chosen.get("d1"), chosen.get("d2")
    if isinstance(often, int) and _is_count(often):
        rules = replace(rules, often=often)
    if isinstance(d1, int) and isinstance(d2, int) and _is_count(d1) and d1 < d2 <= _MOST:
        rules = replace(rules, d1=d1, d2=d2)
    return rules


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST
