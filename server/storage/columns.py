"""Columns: many rows as arrays, and arrays as bytes to keep.

A column is an array of numbers or truths, or texts as codes into the few texts that there are.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload  # Any: numbers of any width

import numpy as np
import numpy.typing as npt
import orjson

Numbers = npt.NDArray[Any]  # Any: whole numbers or truths

_HEAD_BYTES = 4
# Level 1 takes a third of the time of the usual one, for a tenth more bytes.
_LEVEL = 1
# What compressing may leave at most: saving less is not worth the time that it takes at every
# reading. The whole is 7 % larger than compressed throughout, and unpacked in half the time.
_WORTH = 0.5


class Numerals(Sequence[str | None]):
    """Numbers that differ, as texts: of tens of thousands, which mostly are only counted.

    >>> list(Numerals(np.array([7, 900])))
    ['7', '900']
    """

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        found = self._numbers[place].tolist()
        return list(map(str, found)) if isinstance(place, slice) else str(found)

    def __len__(self) -> int:
        return len(self._numbers)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column of texts, None among them: ``codes`` point into ``values``, which differ."""

    codes: npt.NDArray[np.int32]
    values: Sequence[str | None]

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
        places = [place for place, value in enumerate(self.values) if value == text]
        return self.codes == places[0] if places else np.zeros(len(self.codes), bool)

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


def joined(parts: Sequence[Column]) -> Column:
    """Columns of one kind, one after the other."""
    if len(parts) == 1:
        return parts[0]
    texts = [part for part in parts if isinstance(part, Texts)]
    if texts:
        return Texts.joined(texts)
    return np.concatenate([part for part in parts if not isinstance(part, Texts)])


def packed(column: Column) -> bytes:
    """The column as bytes: a head in JSON, then the numbers as narrow as they can be, compressed.

    >>> unpacked(packed(np.array([7, 900, -1]))).tolist()
    [7, 900, -1]
    """
    head: dict[str, object]
    if isinstance(column, Texts):
        used, codes = np.unique(column.codes, return_inverse=True)
        values = [column.values[code] for code in used.tolist()]
        array = codes.astype(np.min_scalar_type(max(0, len(values) - 1)))
        head = {"texts": values, "type": array.dtype.str}
    elif column.dtype == bool:
        array = np.packbits(column)
        head = {"truths": len(column), "type": array.dtype.str}
    else:
        base = int(column.min()) if len(column) else 0
        # Times that have not come are -1 among times of one day: told apart, the rest is narrow.
        none = column == -1
        if none.any() and not none.all():
            base = int(column[~none].min()) - 1
        # A spread beyond 63 bits wraps around and comes back the same way.
        shifted = np.where(none, base, column).astype(np.uint64) - np.uint64(base % 2**64)
        width = np.min_scalar_type(int(shifted.max())) if len(column) else np.dtype(np.uint8)
        array = shifted.astype(width)
        head = {"base": base, "none": bool(none.any()), "type": array.dtype.str}
    raw = array.tobytes()
    rest = zlib.compress(raw, _LEVEL)
    if len(rest) > len(raw) * _WORTH:
        # Numbers of customers and orders are as if drawn: years of them are read twice as quickly.
        head["plain"], rest = True, raw
    words = orjson.dumps(head)
    return len(words).to_bytes(_HEAD_BYTES, "big") + words + rest


def texts_in(data: bytes) -> list[str | None]:
    """The different texts of a packed column of texts, without unpacking it."""
    return list(_head(data)[0]["texts"])


def _head(data: bytes) -> tuple[dict[str, Any], int]:  # Any: JSON
    """What stands before the numbers of a packed column, and where they begin."""
    end = _HEAD_BYTES + int.from_bytes(data[:_HEAD_BYTES], "big")
    return orjson.loads(data[_HEAD_BYTES:end]), end


def unpacked(data: bytes) -> Column:
    """The column that ``packed`` made these bytes of."""
    return unpacked_together([data])


def unpacked_together(parts: Sequence[bytes]) -> Column:
    """The columns of ``packed`` bytes as one: many small ones cost little more than a long one.

    >>> unpacked_together([packed(np.array([7, -1])), packed(np.array([900]))]).tolist()
    [7, -1, 900]
    """
    read = [_head(data) for data in parts]
    heads = [head for head, _ in read]
    if any(_kind(head) != _kind(heads[0]) for head in heads):
        return joined([unpacked(data) for data in parts])
    arrays = [_array(data, head, end) for data, (head, end) in zip(parts, read, strict=True)]
    if "truths" in heads[0]:
        bits = [
            np.unpackbits(array, count=head["truths"])
            for array, head in zip(arrays, heads, strict=True)
        ]
        return np.concatenate(bits).view(bool)
    if "texts" in heads[0]:
        return _texts_together(arrays, [head["texts"] for head in heads])
    return _numbers_together(arrays, heads)


def _kind(head: Mapping[str, Any]) -> str:  # Any: JSON
    return "texts" if "texts" in head else "truths" if "truths" in head else "numbers"


def _array(data: bytes, head: Mapping[str, Any], end: int) -> Numbers:  # Any: JSON
    rest = memoryview(data)[end:]
    return np.frombuffer(rest if "plain" in head else zlib.decompress(rest), head["type"])


def _numbers_together(
    arrays: Sequence[Numbers],
    heads: Sequence[Mapping[str, Any]],  # Any: JSON
) -> Numbers:
    numbers = np.empty(sum(map(len, arrays)), np.int64)
    start = 0
    for array, head in zip(arrays, heads, strict=True):
        # In its place, while it is in the processor's memory.
        part = numbers[start : start + len(array)]
        start += len(array)
        part[:] = array
        # A spread beyond 63 bits wraps around, as in ``packed``.
        part += head["base"]
        if head["none"]:
            part[array == 0] = -1
    return numbers


def _texts_together(arrays: Sequence[Numbers], values: Sequence[Sequence[str | None]]) -> Texts:
    """The codes of several columns, which point into the texts of each, as those of one."""
    known: dict[str | None, int] = {}
    places = [[known.setdefault(text, len(known)) for text in texts] for texts in values]
    if all(one == list(range(len(one))) for one in places):
        return Texts(np.concatenate(arrays).astype(np.int32), tuple(known))
    codes = [
        np.array([*one, 0], np.int32)[array] for one, array in zip(places, arrays, strict=True)
    ]
    return Texts(np.concatenate(codes), tuple(known))
