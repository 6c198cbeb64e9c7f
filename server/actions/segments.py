"""What a shop chooses about scores, stages and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any  # Any: JSON values

from server.domain.errors import InvalidInput
from server.domain.segment import Rules, rules_from
from server.storage.shop import load_shop, update_shop
from server.storage.unit import Tx

LABELS = ("auto", "segments", "cells")


def choose_rules(
    tx: Tx,
    *,
    f_classes: Sequence[int] | None = None,
    often: int | None = None,
    clocks: Sequence[int] | None = None,
    label: str | None = None,
) -> Rules:
    """The rules after the choice; None leaves a part as it is. They hold from the next limits on.

    ``clocks`` are D1 and D2 while there are few gaps. Raises InvalidInput for what makes no sense.
    """
    shop = load_shop(tx.connection)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    if label is not None and label not in LABELS:
        raise InvalidInput(f"A label is one of {', '.join(LABELS)}.")
    stored = shop.settings.get("segments")
    chosen: dict[str, Any] = dict(stored) if isinstance(stored, dict) else {}  # Any: JSON values
    if clocks is not None and len(clocks) != 2:
        raise InvalidInput("Clocks are two numbers of days, such as 60,180.")
    given = {
        "f_classes": None if f_classes is None else list(f_classes),
        "often": often,
        "d1": None if clocks is None else clocks[0],
        "d2": None if clocks is None else clocks[1],
    }
    chosen |= {name: value for name, value in given.items() if value is not None}
    rules = rules_from(chosen)
    taken = asdict(rules) | {"f_classes": list(rules.f_classes)}
    if any(value not in (None, taken[name]) for name, value in given.items()):
        raise InvalidInput(
            "Classes are four rising numbers of orders from 2 on, such as 2,3,5,8; often is at"
            " least 1; the first clock is shorter than the second."
        )
    if label is not None:
        chosen["label"] = label
    update_shop(tx, replace(shop, settings=shop.settings | {"segments": chosen}))
    return rules
