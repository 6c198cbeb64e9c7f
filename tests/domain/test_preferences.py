"""What somebody likes, told from what they kept."""

from __future__ import annotations

from server.domain.preferences import Bought, Preferences, preferences
from server.domain.spans import WEEK_MS

# Friday, 2025-11-21 at 13:20 in Shanghai.
AT_MS = 1_763_702_400_000


def liked(lines: list[Bought], orders: int = 1) -> Preferences:
    """What these lines say, from orders a week apart."""
    times = [AT_MS - n * WEEK_MS for n in range(orders)]
    return preferences(lines, times, timezone="Asia/Shanghai")


def test_three_at_most_by_pieces_kept_then_by_name() -> None:
    found = liked(
        [
            Bought("Tea", "Mori", 2, 900),
            Bought("Cups", "Oak", 2, 500),
            Bought("Pots", None, 5, 4000),
            Bought("Books", "Oak", 1, 2000),
            Bought("Lamps", "Back", 0, 90_000),
            Bought(None, "Kiln", 1, 0),
        ]
    )
    assert found.categories == ("Pots", "Cups", "Tea")
    assert found.brands == ("Oak", "Mori", "Kiln")


def test_the_price_band_is_the_middle_half_of_pieces() -> None:
    lines = [Bought(None, None, 1, 100 * number) for number in range(1, 9)]
    assert liked(lines).price_band_minor == (200, 600)
    assert liked([Bought(None, None, 3, 700)]).price_band_minor == (700, 700)
    assert liked([]).price_band_minor is None


def test_one_order_or_two_are_no_habit() -> None:
    assert (liked([], 2).weekday, liked([], 2).hour) == (None, None)
    assert (liked([], 3).weekday, liked([], 3).hour) == (4, 13)
