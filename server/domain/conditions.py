"""Conditions on customers: one table of fields for lists, saved segments, routing and automations.

A condition is JSON: ``{"field": NAME, ...}`` with ``in`` (a list of words), ``min`` and/or ``max``
(whole numbers, both included) or ``is`` (true or false), as the field's kind wants it; and groups
``{"all": [...]}``, ``{"any": [...]}``, ``{"not": {...}}``. Storage makes SQL of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal  # Any: JSON from outside

from server.domain.consent import PURPOSES
from server.domain.errors import InvalidInput
from server.domain.lifecycle import ACTIVITY_STAGES, RELATIONSHIP_STAGES
from server.domain.quiet import CHANNELS
from server.domain.segment import SEGMENTS, VALUE_CELLS
from server.domain.text import clean

Kind = Literal["choice", "words", "number", "flag"]
MAX_PARTS = 40
MAX_DEPTH = 5
MAX_WORDS = 50
MAX_WORD_CHARS = 200
MAX_NUMBER = 2**53

IDENTITIES = ("anonymous", "claimed", "verified")


@dataclass(frozen=True, slots=True)
class Field:
    """What may be asked of a customer.

    ``profiled`` marks what is worked out about a person: it never holds for who refused that.
    ``choices`` are all values of a choice. Money is in the smallest unit of the shop's currency.
    """

    kind: Kind
    choices: tuple[str, ...] = ()
    profiled: bool = False


FIELDS: Mapping[str, Field] = {
    "segment": Field("choice", SEGMENTS, profiled=True),
    "value_cell": Field("choice", VALUE_CELLS, profiled=True),
    "activity_stage": Field("choice", ACTIVITY_STAGES, profiled=True),
    "relationship_stage": Field("choice", RELATIONSHIP_STAGES, profiled=True),
    "top20": Field("flag", profiled=True),
    "orders": Field("number"),
    "net_minor": Field("number"),
    "recency_days": Field("number"),
    "known_days": Field("number"),
    "seen_days": Field("number"),
    "tag": Field("words"),
    "locale": Field("words"),
    "source": Field("words"),
    "identity": Field("choice", IDENTITIES),
    "channel": Field("choice", CHANNELS),
    "consent": Field("choice", PURPOSES),
    "open_conversation": Field("flag"),
    "abandoned_cart": Field("flag"),
    "blocked": Field("flag"),
    "known": Field("flag"),
    "saved": Field("words"),
}


@dataclass(frozen=True, slots=True)
class In:
    """The field has one of these words."""

    field: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The field is a number from ``low`` to ``high``, both included; None leaves a side open."""

    field: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Is:
    """The field is so, or is not."""

    field: str
    yes: bool = True


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; nothing to ask holds for everybody."""

    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = In | Between | Is | All | OneOf | Not


def read_condition(values: object) -> Condition:
    """The condition in a JSON value. Raises InvalidInput that names what is wrong.

    >>> read_condition({"all": [{"field": "orders", "min": 2}, {"field": "top20", "is": True}]})
    All(parts=(Between(field='orders', low=2, high=None), Is(field='top20', yes=True)))
    """
    condition = _read(values, depth=1)
    if sum(1 for _ in parts_of(condition)) > MAX_PARTS:
        raise _wrong(f"A condition has at most {MAX_PARTS} parts.")
    return condition


def parts_of(condition: Condition) -> Iterator[Condition]:
    """The condition and everything inside it."""
    yield condition
    match condition:
        case All(parts) | OneOf(parts):
            for part in parts:
                yield from parts_of(part)
        case Not(part):
            yield from parts_of(part)
        case _:
            pass


def to_json(condition: Condition) -> dict[str, Any]:  # Any: JSON values
    """The condition as JSON, which ``read_condition`` reads back."""
    match condition:
        case In(field, words):
            return {"field": field, "in": list(words)}
        case Between(field, low, high):
            sides = {"min": low, "max": high}
            return {"field": field} | {key: n for key, n in sides.items() if n is not None}
        case Is(field, yes):
            return {"field": field, "is": yes}
        case All(parts):
            return {"all": [to_json(part) for part in parts]}
        case OneOf(parts):
            return {"any": [to_json(part) for part in parts]}
        case Not(part):
            return {"not": to_json(part)}


def expand(
    condition: Condition, saved: Callable[[str], Condition | None], *, within: tuple[str, ...] = ()
) -> Condition:
    """The condition with the saved segments that it names written out.

    One that is gone holds for nobody. Raises InvalidInput when one names itself by any way round.
    """
    match condition:
        case In("saved", words):
            found = []
            for segment_id in words:
                if segment_id in within or len(within) >= MAX_DEPTH:
                    raise _wrong("A saved segment must not lead back to itself.")
                inner = saved(segment_id)
                if inner is not None:
                    found.append(expand(inner, saved, within=(*within, segment_id)))
            return OneOf(tuple(found))
        case All(parts):
            return All(tuple(expand(part, saved, within=within) for part in parts))
        case OneOf(parts):
            return OneOf(tuple(expand(part, saved, within=within) for part in parts))
        case Not(part):
            return Not(expand(part, saved, within=within))
        case _:
            return condition


def _read(values: object, *, depth: int) -> Condition:
    if not isinstance(values, dict):
        raise _wrong("A condition is a JSON object.")
    if depth > MAX_DEPTH:
        raise _wrong(f"Conditions may be {MAX_DEPTH} levels deep.")
    for key, group in (("all", All), ("any", OneOf)):
        if key in values:
            _only(values, key)
            parts = values[key]
            if not isinstance(parts, list) or len(parts) > MAX_PARTS:
                raise _wrong(f"{key} takes a list of conditions.")
            return group(tuple(_read(part, depth=depth + 1) for part in parts))
    if "not" in values:
        _only(values, "not")
        return Not(_read(values["not"], depth=depth + 1))
    return _clause(values)


def _clause(values: dict[str, Any]) -> Condition:  # Any: JSON values
    name = values.get("field")
    field = FIELDS.get(name) if isinstance(name, str) else None
    if field is None or not isinstance(name, str):
        raise _wrong("There is no such field.", known=sorted(FIELDS))
    if field.kind == "flag":
        _only(values, "field", "is")
        if not isinstance(values.get("is"), bool):
            raise _wrong(f"{name} takes is: true or false.")
        return Is(name, values["is"])
    if field.kind == "number":
        _only(values, "field", "min", "max")
        low, high = _number(name, values.get("min")), _number(name, values.get("max"))
        if low is None and high is None:
            raise _wrong(f"{name} takes min, max or both.")
        return Between(name, low, high)
    _only(values, "field", "in")
    words = values.get("in")
    if not isinstance(words, list) or not 1 <= len(words) <= MAX_WORDS:
        raise _wrong(f"{name} takes in: a list of 1 to {MAX_WORDS} words.")
    read = tuple(dict.fromkeys(_word(name, field, word) for word in words))
    return In(name, read)


def _word(name: str, field: Field, word: object) -> str:
    if not isinstance(word, str):
        raise _wrong(f"{name} takes words.")
    if field.choices and word not in field.choices:
        raise _wrong(f"{name} is one of {', '.join(field.choices)}.")
    return clean(word, limit=MAX_WORD_CHARS, name="condition")


def _number(name: str, value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_NUMBER:
        raise _wrong(f"{name} takes whole numbers.")
    return value


def _only(values: dict[str, Any], *known: str) -> None:  # Any: JSON values
    if set(values) - {*known}:
        raise _wrong("A condition has one group, or one field with what is asked of it.")


def _wrong(message: str, **details: object) -> InvalidInput:
    return InvalidInput(message, field="condition", **details)
