"""Frames: the rows of a source as columns, so that a report over many rows is a few sums.

A predicate that is written for one row works on a frame: the columns have the names of the row's
fields, and a column of texts compares with a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any  # Any: a column of numbers or texts, a row of any source

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[Any]  # Any: whole numbers or truth values


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column of texts, None among them: ``codes`` point into ``values``, which differ."""

    codes: npt.NDArray[np.int32]
    values: tuple[str | None, ...]

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> Texts:
        """The column of these texts."""
        known: dict[str | None, int] = {}
        codes = np.fromiter((known.setdefault(text, len(known)) for text in texts), np.int32)
        return cls(codes, tuple(known))

    @classmethod
    def joined(cls, parts: Sequence[Texts]) -> Texts:
        """The columns one after the other."""
        known: dict[str | None, int] = {}
        codes = []
        for part in parts:
            places = [known.setdefault(value, len(known)) for value in part.values]
            codes.append(np.array([*places, 0], np.int32)[part.codes])
        return cls(np.concatenate(codes) if codes else np.empty(0, np.int32), tuple(known))

    def __eq__(self, text: object) -> Any:  # Any: an array of truths, as numpy has it
        return np.isin(self.codes, [n for n, value in enumerate(self.values) if value == text])

    def __ne__(self, text: object) -> Any:  # Any: as above
        return ~(self == text)

    __hash__ = None  # type: ignore[assignment]  # a column, as an array, is no key

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, chosen: Any) -> Texts:  # Any: whatever an array takes
        return Texts(self.codes[chosen], self.values)

    def tolist(self) -> list[str | None]:
        """The texts themselves."""
        values = self.values
        return [values[code] for code in self.codes.tolist()]


Column = Numbers | Texts


class Frame:
    """Rows of one source as columns of the same length, reached as attributes by their names."""

    def __init__(self, columns: Mapping[str, Column], *, n: int | None = None) -> None:
        self.columns = dict(columns)
        self.n = len(next(iter(self.columns.values()))) if n is None else n

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
        if len(parts) == 1:
            return parts[0]
        columns: dict[str, Column] = {}
        for name, first in parts[0].columns.items():
            every = [part.columns[name] for part in parts]
            if isinstance(first, Texts):
                columns[name] = Texts.joined(every)  # type: ignore[arg-type]  # all alike
            else:
                columns[name] = np.concatenate(every)  # type: ignore[arg-type]  # all alike
        return cls(columns, n=sum(part.n for part in parts))

    def __getattr__(self, name: str) -> Any:  # Any: a column of numbers or texts
        try:
            return self.__dict__["columns"][name]
        except KeyError:
            raise AttributeError(f"There is no column {name!r}.") from None

    def __len__(self) -> int:
        return self.n

    def numbers(self, name: str) -> Numbers:
        """A column of numbers or truths."""
        column = self.columns[name]
        if isinstance(column, Texts):
            raise TypeError(f"{name} is a column of texts")
        return column

    def having(self, **columns: Column) -> Frame:
        """The frame with these columns added or replaced."""
        return Frame(self.columns | columns, n=self.n)

    def select(self, chosen: Any) -> Frame:  # Any: a mask or places, as numpy takes them
        """The chosen rows, by a mask or by their places."""
        if isinstance(chosen, np.ndarray) and chosen.dtype == bool:
            chosen = np.flatnonzero(chosen)
        return Frame({name: column[chosen] for name, column in self.columns.items()}, n=len(chosen))

    def rows(self) -> Iterator[Any]:  # Any: a row with the columns as fields
        """The rows, one at a time."""
        lists = [column.tolist() for column in self.columns.values()]
        names = list(self.columns)
        for values in zip(*lists, strict=True):
            yield SimpleNamespace(**dict(zip(names, values, strict=True)))
