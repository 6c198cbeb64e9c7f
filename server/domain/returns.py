"""What may be asked back of an order: which lines, how many pieces, at which time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.domain.errors import Conflict, InvalidInput

WANTED = ("return", "exchange", "refund", "cancel")
"""What a shopper may ask for; each is a type of ticket."""
OUTCOMES = ("money", "replacement", "repair", "advice")
"""What they would like to come of it."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of an order: of ``quantity`` pieces so many are not asked back or refunded yet.

    ``numbers`` are the requests that are about the others, as far as the shopper may see them.
    """

    line_no: int
    title: str
    sku: str | None
    quantity: int
    left: int
    numbers: tuple[str, ...] = ()
    price_minor: int = 0
    image_url: str | None = None


@dataclass(frozen=True, slots=True)
class Picked:
    """So many pieces of a line, and why."""

    line_no: int
    quantity: int
    reason: str


def wanted_now(
    *, cancelled_at_ms: int | None, shipped_at_ms: int | None, delivered_at_ms: int | None
) -> tuple[str, ...]:
    """What can be asked for while the order is where it is.

    >>> wanted_now(cancelled_at_ms=None, shipped_at_ms=None, delivered_at_ms=None)
    ('refund', 'cancel')
    >>> wanted_now(cancelled_at_ms=None, shipped_at_ms=5, delivered_at_ms=None)
    ('return', 'exchange', 'refund')
    >>> wanted_now(cancelled_at_ms=5, shipped_at_ms=None, delivered_at_ms=None)
    ()
    """
    if cancelled_at_ms is not None:
        return ()
    if shipped_at_ms is None and delivered_at_ms is None:
        return ("refund", "cancel")
    return ("return", "exchange", "refund")


def outcome_of(wanted: str, outcome: str) -> str:
    """What is to come of it: who asks for an exchange has said so already.

    >>> outcome_of("exchange", "money"), outcome_of("return", "money")
    ('replacement', 'money')
    """
    return "replacement" if wanted == "exchange" else outcome


def left_of(line: Mapping[str, int], taken: int) -> int:
    """Pieces of a line that nobody has asked back yet and that were not refunded.

    >>> left_of({"quantity": 3, "refunded_quantity": 1}, 1)
    1
    """
    return max(0, line["quantity"] - line["refunded_quantity"] - taken)


def check_picked(
    lines: Sequence[OrderLine], picked: Sequence[Picked], *, reasons: Sequence[str]
) -> None:
    """Returns nothing. Raises InvalidInput for what makes no sense, Conflict for what is taken."""
    known = {line.line_no: line for line in lines}
    if not picked:
        raise InvalidInput("Choose at least one line.", field="lines", reason="portal_no_line")
    if len({one.line_no for one in picked}) != len(picked):
        raise InvalidInput("A line stands twice.", field="lines")
    for one in picked:
        line = known.get(one.line_no)
        if line is None:
            raise InvalidInput("The order has no such line.", field="lines")
        if one.reason not in reasons:
            raise InvalidInput("Say why.", field="lines", reason="portal_no_reason")
        if not 1 <= one.quantity <= line.quantity:
            raise InvalidInput("So many were not ordered.", field="lines", reason="portal_quantity")
        if one.quantity > line.left:
            raise Conflict("This was asked for already.", reason="portal_line_taken")
