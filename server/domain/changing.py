"""Copies of frozen state with some fields changed, at the price of a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

__all__ = ["changed"]

if TYPE_CHECKING:
    # The checker knows which fields there are, and their types, only by this name.
    from dataclasses import replace as changed
else:
    T = TypeVar("T")

    def changed(state: T, /, **values: object) -> T:
        """The state with these fields changed; for dataclasses without slots or __post_init__.

        ``dataclasses.replace`` takes 6 us for a conversation, this 1 us, and a message needs seven.
        """
        copy = object.__new__(type(state))
        fields = copy.__dict__
        fields.update(state.__dict__)
        fields.update(values)
        return copy
