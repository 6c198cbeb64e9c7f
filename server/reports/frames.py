"""Frames: the rows of a source as columns, so that a report over many rows is a few sums.

A predicate that is written for one row works on a frame: the columns have the names of the row's
fields, and a column of texts compares with a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any  # Any: a column of numbers or texts, a row of any source

import numpy as np

from server.storage.columns import Column, Numbers, Texts, joined

__all__ = ["Column", "Columns", "Frame", "Numbers", "Texts"]

Maker = Callable[[], Column]
Follower = Callable[["Frame"], Column]


class Columns(Mapping[str, Column]):
    """Columns by name; one that is made only when it is asked for is made once.

    With ``whole`` they are also all columns of a longer frame, of its ``chosen`` rows.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        makers: Mapping[str, Maker],
        whole: Columns | None = None,
        chosen: Any = None,  # Any: whatever an array takes
    ) -> None:
        self.made = dict(columns)
        self.makers = {name: make for name, make in makers.items() if name not in self.made}
        self.whole = whole
        self.chosen = chosen
        # The longer frames, from the next on, and the places of the rows in each.
        self._steps: list[tuple[Columns, Any]] = [] if whole is None else [(whole, chosen)]

    def __getitem__(self, name: str) -> Column:
        column = self.made.get(name)
        if column is None:
            column = self.made[name] = self._make(name)
        return column

    def _make(self, name: str) -> Column:
        if name in self.makers or self.whole is None:
            return self.makers[name]()
        whole, chosen = self._steps[0]
        step = 0
        # Taken from where it is in one step, not first by all frames between.
        while whole.passes(name):
            step += 1
            if step == len(self._steps):
                assert whole.whole is not None  # it passes columns on
                self._steps.append((whole.whole, whole.chosen[chosen]))
            whole, chosen = self._steps[step]
        return whole[name][chosen]

    def passes(self, name: str) -> bool:
        """Whether a column would be taken from the longer frame, and has not been so far."""
        known = name in self.made or name in self.makers
        return not known and isinstance(self.chosen, np.ndarray)

    def __iter__(self) -> Iterator[str]:
        return iter({**self.made, **self.makers, **dict.fromkeys(self.whole or ())})

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, name: object) -> bool:
        own = name in self.made or name in self.makers
        return own or (self.whole is not None and name in self.whole)


class Frame:
    """Rows of one source as columns of the same length, reached as attributes by their names.

    ``makers`` are columns that are made when they are asked for, ``followers`` those that are made
    of other columns, row by row, and only for the rows that were chosen by then.
    """

    def __init__(
        self,
        columns: Mapping[str, Column],
        *,
        n: int | None = None,
        makers: Mapping[str, Maker] | None = None,
        followers: Mapping[str, Follower] | None = None,
        whole: Columns | None = None,
        chosen: Any = None,  # Any: whatever an array takes
    ) -> None:
        self.followers = followers or {}

        def follows(make: Follower) -> Maker:
            return lambda: make(self)

        known = () if whole is None else whole.made
        late = {name: follows(make) for name, make in self.followers.items() if name not in known}
        self.columns = Columns(columns, {**late, **(makers or {})}, whole, chosen)
        self.n = len(next(iter(columns.values()))) if n is None else n
        # The rows by the values of a column, for those who have divided them once.
        self.groups: dict[tuple[str, int | None], list[tuple[Any, Frame]]] = {}

    @classmethod
    def of(cls, rows: Sequence[object], texts: Sequence[str], numbers: Sequence[str]) -> Frame:
        """The frame of row objects by the names of their fields: texts, and numbers or truths."""
        columns: dict[str, Column] = {
            name: Texts.of(getattr(r, name) for r in rows) for name in texts
        }
        for name in numbers:
            columns[name] = np.array([getattr(row, name) for row in rows])
        if not rows:
            columns |= {name: np.empty(0, np.int64) for name in numbers}
        return cls(columns, n=len(rows))

    @classmethod
    def joined(cls, parts: Sequence[Frame]) -> Frame:
        """The rows of frames with the same columns, one after the other."""
        filled = [part for part in parts if part.n] or list(parts[:1])
        if len(filled) == 1:
            return filled[0]

        def maker(name: str) -> Maker:
            return lambda: joined([part.columns[name] for part in filled])

        makers = {name: maker(name) for name in filled[0].columns}
        return cls({}, n=sum(part.n for part in filled), makers=makers)

    def __getattr__(self, name: str) -> Any:  # Any: a column of numbers or texts
        columns: Columns = self.__dict__["columns"]
        if name not in columns:
            raise AttributeError(f"There is no column {name!r}.")
        return columns[name]

    def __len__(self) -> int:
        return self.n

    def numbers(self, name: str) -> Numbers:
        """A column of numbers or truths."""
        column = self.columns[name]
        if isinstance(column, Texts):
            raise TypeError(f"{name} is a column of texts")
        return column

    def texts(self, name: str) -> Texts:
        """A column of texts."""
        column = self.columns[name]
        if not isinstance(column, Texts):
            raise TypeError(f"{name} is a column of numbers")
        return column

    def having(self, **columns: Column) -> Frame:
        """The frame with these columns added or replaced."""
        return self._but(columns, {}, {})

    def making(self, **makers: Maker) -> Frame:
        """The frame with columns that are made when they are asked for, added or replaced."""
        return self._but({}, makers, {})

    def following(self, **followers: Follower) -> Frame:
        """The frame with columns made row by row of others, for those rows that are asked for."""
        return self._but({}, {}, followers)

    def _but(
        self,
        columns: Mapping[str, Column],
        makers: Mapping[str, Maker],
        followers: Mapping[str, Follower],
    ) -> Frame:
        new = {*columns, *makers, *followers}
        made = {name: one for name, one in self.columns.made.items() if name not in new}
        kept = {
            name: make
            for name, make in self.columns.makers.items()
            if name not in new and name not in self.followers
        }
        late = {name: make for name, make in self.followers.items() if name not in new}
        return Frame(
            {**made, **columns},
            n=self.n,
            makers={**kept, **makers},
            followers={**late, **followers},
            whole=self.columns.whole,
            chosen=self.columns.chosen,
        )

    def select(self, chosen: Any) -> Frame:  # Any: a mask, places or a slice, as numpy takes them
        """The chosen rows, by a mask, by their places, or from one place to another."""
        if isinstance(chosen, np.ndarray) and chosen.dtype == bool:
            if bool(chosen.all()):
                return self
            chosen = np.flatnonzero(chosen)
        n = len(range(self.n)[chosen]) if isinstance(chosen, slice) else len(chosen)
        return Frame({}, n=n, followers=self.followers, whole=self.columns, chosen=chosen)

    def rows(self) -> Iterator[Any]:  # Any: a row with the columns as fields
        """The rows, one at a time."""
        names = list(self.columns)
        lists = [self.columns[name].tolist() for name in names]
        for values in zip(*lists, strict=True):
            yield SimpleNamespace(**dict(zip(names, values, strict=True)))
