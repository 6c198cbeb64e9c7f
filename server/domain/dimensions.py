"""What figures can be divided by: one table for pages, forms, mails, programs, command line."""

from __future__ import annotations

from typing import Literal, get_args

Dimension = Literal["agent", "team", "channel", "segment", "label", "sku", "day", "hour", "weekday"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
