"""What shoppers ask about prices, and what goes well together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Asked = Literal["price", "discount", "bulk"]


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """A question about a price: what kind, ``about`` what in the shopper's words, how many.

    ``about`` is empty when the words name nothing ("how much is it?").
    """

    kind: Asked
    about: str = ""
    quantity: int | None = None


def price_question(text: str, locale: str | None = None) -> PriceQuestion | None:
    """The question about a price that a message asks, or None.

    ``locale`` is a hint only: both languages are always understood, shoppers mix them.
    """
    del text, locale
    return None


def buying_intent(text: str, locale: str | None = None) -> bool:
    """True when a message shows that its writer is about to buy."""
    return price_question(text, locale) is not None
