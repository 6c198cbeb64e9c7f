"""Columns: many rows as arrays, and arrays as bytes to keep.

A column is an array of numbers or truths, or texts as codes into the few texts that there are.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any  # Any: numbers of any width

import numpy as np
import numpy.typing as npt
import orjson

Numbers = npt.NDArray[Any]  # Any: whole numbers or truths

_HEAD_BYTES = 4
# Level 1 takes a third of the time of the usual one, for a tenth more bytes.
_LEVEL = 1


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
        if base == -1 and not none.all():
            base = int(column[~none].min()) - 1
        # A spread beyond 63 bits wraps around and comes back the same way.
        shifted = np.where(none, base, column).astype(np.uint64) - np.uint64(base % 2**64)
        width = np.min_scalar_type(int(shifted.max())) if len(column) else np.dtype(np.uint8)
        array = shifted.astype(width)
        head = {"base": base, "none": bool(none.any()), "type": array.dtype.str}
        if head["none"] and base != -1 and int((column == base).sum()):
            raise ValueError("a column has its mark for none among its values")
    words = orjson.dumps(head)
    return len(words).to_bytes(_HEAD_BYTES, "big") + words + zlib.compress(array.tobytes(), _LEVEL)


def texts_in(data: bytes) -> list[str | None]:
    """The different texts of a packed column of texts, without unpacking it."""
    return list(_head(data)[0]["texts"])


def _head(data: bytes) -> tuple[dict[str, Any], int]:  # Any: JSON
    """What stands before the numbers of a packed column, and where they begin."""
    end = _HEAD_BYTES + int.from_bytes(data[:_HEAD_BYTES], "big")
    return orjson.loads(data[_HEAD_BYTES:end]), end


def unpacked(data: bytes) -> Column:
    """The column that ``packed`` made these bytes of."""
    head, end = _head(data)
    array = np.frombuffer(zlib.decompress(data[end:]), head["type"])
    if "texts" in head:
        return Texts(array.astype(np.int32), tuple(head["texts"]))
    if "truths" in head:
        return np.unpackbits(array, count=head["truths"]).astype(bool)
    numbers = (array.astype(np.uint64) + np.uint64(head["base"] % 2**64)).astype(np.int64)
    if head["none"]:
        numbers[array == 0] = -1
    return numbers
