"""Variables of canned replies: what fills them, and what stays open."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.domain.variables import NAMES, LatestOrder, filled, known_values, left_open

# 20 November 2026, 01:30 in Shanghai; still the 19th in London.
AT_MS = 1_795_109_400_000
ORDER = LatestOrder(
    number="20871",
    created_at_ms=AT_MS,
    total_minor=26_800,
    currency="CNY",
    carrier="SF",
    tracking_number="SF102",
    refunded_minor=1_050,
    refunded_at_ms=AT_MS,
    items=(("Linen cover", 1), ("Lamp", 2), ("Stool", 1), ("Bulb", 1)),
)


def values(locale: str, order: LatestOrder | None = ORDER) -> dict[str, str]:
    """What is known of a customer with this order."""
    return known_values(
        customer="林悦",
        agent="Chen Hao",
        shop="Mori & Oak",
        order=order,
        locale=locale,
        timezone="Asia/Shanghai",
    )


def test_facts_are_said_in_the_language_of_the_conversation() -> None:
    en, zh = values("en"), values("zh-CN")
    assert (en["order.date"], zh["order.date"]) == ("20 Nov 2026", "2026年11月20日")
    assert (en["order.total"], en["order.refund"]) == ("¥268", "¥10.50")
    assert en["order.items"] == "Linen cover, Lamp × 2, Stool, …"
    assert zh["order.items"] == "Linen cover、Lamp × 2、Stool、等"


def test_what_is_not_known_stays_to_be_seen() -> None:
    text = "{customer.name}: {order.number}, {order.tracking_url} {order.colour}"
    assert filled(text, values("en")) == "林悦: 20871, {order.tracking_url} {order.colour}"
    assert left_open(filled(text, values("en", None))) == (
        "order.number",
        "order.tracking_url",
        "order.colour",
    )


def test_what_only_looks_like_a_variable_is_left_alone() -> None:
    text = '{"json": 1} {0.5} {name} {page.title} {}'
    assert (filled(text, values("en")), left_open(text)) == (text, ())


@given(st.text(), st.sampled_from(NAMES), st.text())
def test_a_value_is_put_in_as_it_is_and_never_filled_again(
    before: str, name: str, value: str
) -> None:
    text = filled(before + "{" + name + "}", {name: value})
    assert text.endswith(value or "{" + name + "}")
