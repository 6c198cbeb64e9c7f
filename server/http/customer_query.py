"""What the address of the list of customers says, and the condition that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from urllib.parse import urlencode

from server.domain.conditions import (
    FIELDS,
    All,
    Between,
    Condition,
    In,
    Is,
)
from server.domain.cursors import MAX_CHARS
from server.domain.errors import InvalidInput
from server.domain.money import digits, to_minor
from server.domain.text import clean, whole_number
from server.storage.directory import SORTS, Sort

MAX_QUERY_CHARS = 200
MAX_WORDS = 30
MAX_WORD_CHARS = 100
MAX_DAYS = 100_000
# The parameter of the address, and the field that it asks about.
WORDS: Mapping[str, str] = {
    "segment": "segment",
    "cell": "value_cell",
    "stage": "activity_stage",
    "relationship": "relationship_stage",
    "tag": "tag",
    "locale": "locale",
    "source": "source",
    "consent": "consent",
    "identity": "identity",
    "channel": "channel",
    "saved": "saved",
}
NUMBERS: Mapping[str, str] = {
    "orders": "orders",
    "spend": "net_minor",
    "recency": "recency_days",
    "seen": "seen_days",
    "known": "known_days",
}
FLAGS: Mapping[str, str] = {
    "open": "open_conversation",
    "cart": "abandoned_cart",
    "top20": "top20",
    "blocked": "blocked",
}
# Who has only looked at a page is left out, unless this asks for them too.
EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing the list was narrowed to, and the address of the list without it.

    ``low`` and ``high`` of a number as they stand in the address.
    """

    name: str
    words: tuple[str, ...]
    low: str
    high: str
    without: str


@dataclass(frozen=True, slots=True)
class CustomerQuery:
    """The parameters of the list. ``numbers`` are as they were written: (from, to) by name.

    ``edit`` is the saved segment that is being changed.
    """

    q: str = ""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    everybody: bool = False
    sort: Sort = "newest"
    cursor: str | None = None
    edit: str | None = None

    @property
    def narrowed(self) -> bool:
        """True when anything but a text was asked for."""
        return bool(self.words or self.numbers or self.flags)

    def condition(self, currency: str) -> Condition:
        """What the list asks of customers. Raises InvalidInput for numbers that are none."""
        parts: list[Condition] = [
            In(WORDS[name], words) for name, words in self.words.items() if words
        ]
        for name, (low, high) in self.numbers.items():
            start, end = _number(name, low, currency), _number(name, high, currency)
            parts.append(Between(NUMBERS[name], start, end))
        parts += [Is(FLAGS[name]) for name in sorted(self.flags)]
        if not self.everybody and not self.q:
            parts.append(Is("known"))
        return All(tuple(parts))

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters as an address holds them, the cursor left out."""
        pairs = [("q", self.q)] if self.q else []
        pairs += [(name, word) for name, words in self.words.items() for word in words]
        for name, sides in self.numbers.items():
            ends = zip(("min", "max"), sides, strict=True)
            pairs += [(f"{name}_{end}", value) for end, value in ends if value]
        pairs += [(name, "1") for name in sorted(self.flags)]
        if self.everybody:
            pairs.append((EVERYBODY, "1"))
        if self.sort != "newest":
            pairs.append(("sort", self.sort))
        if self.edit:
            pairs.append(("edit", self.edit))
        return pairs

    def address(self, path: str = "/customers", *, cursor: str | None = None) -> str:
        """The address of the list with these parameters."""
        pairs = self.pairs() + ([("cursor", cursor)] if cursor else [])
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def filters(self) -> list[Filter]:
        """What the list was narrowed to, one thing after the other."""
        found = []
        for name, words in self.words.items():
            for word in words:
                rest = tuple(w for w in words if w != word)
                others = {n: w for n, w in self.words.items() if n != name}
                left = replace(self, words=others | ({name: rest} if rest else {}))
                found.append(Filter(name, (word,), "", "", left.address()))
        for name, (low, high) in self.numbers.items():
            left = replace(self, numbers={n: s for n, s in self.numbers.items() if n != name})
            found.append(Filter(name, (), low, high, left.address()))
        for name in sorted(self.flags):
            left = replace(self, flags=self.flags - {name})
            found.append(Filter(name, (), "", "", left.address()))
        return found


def read_customer_query(given: Iterable[tuple[str, str]]) -> CustomerQuery:
    """The parameters of an address. Raises InvalidInput for a value that makes no sense."""
    words: dict[str, tuple[str, ...]] = {}
    ends: dict[str, dict[str, str]] = {}
    flags: set[str] = set()
    single: dict[str, str] = {}
    for name, text in given:
        value = text.strip()
        if not value:
            continue
        if name in WORDS:
            words[name] = _words(name, (*words.get(name, ()), value))
        elif name in FLAGS:
            flags.add(name)
        elif name.endswith(("_min", "_max")) and name[:-4] in NUMBERS:
            ends.setdefault(name[:-4], {})[name[-3:]] = value[:20]
        else:
            single.setdefault(name, value)
    sort = single.get("sort", "newest")
    if sort not in SORTS:
        raise InvalidInput(f"sort must be one of {', '.join(SORTS)}.", field="sort")
    return CustomerQuery(
        q=clean(single.get("q", ""), limit=MAX_QUERY_CHARS, name="q", empty=True),
        words=words,
        numbers={n: (ends[n].get("min", ""), ends[n].get("max", "")) for n in NUMBERS if n in ends},
        flags=frozenset(flags),
        everybody=EVERYBODY in single,
        sort=sort,  # type: ignore[arg-type]  # checked above
        cursor=single.get("cursor", "")[:MAX_CHARS] or None,
        edit=single.get("edit", "")[:64] or None,
    )


def _words(name: str, words: Sequence[str]) -> tuple[str, ...]:
    """Words of a filter; tags may be written in one field, parted by commas."""
    if name == "tag":
        words = [part.strip() for word in words for part in re.split("[,\uff0c\u3001]", word)]
    known = FIELDS[WORDS[name]].choices
    found = tuple(dict.fromkeys(word for word in words if word))
    if len(found) > MAX_WORDS or any(len(word) > MAX_WORD_CHARS for word in found):
        raise InvalidInput(f"Too many words for {name}.", field=name)
    if known and not {*found} <= {*known}:
        raise InvalidInput(f"{name} must be one of {', '.join(known)}.", field=name)
    return tuple(clean(word, limit=MAX_WORD_CHARS, name=name) for word in found)


def _number(name: str, text: str, currency: str) -> int | None:
    if not text:
        return None
    if name == "spend":
        try:
            return to_minor(text, currency)
        except InvalidInput:
            raise InvalidInput("This is no amount of money.", field="spend") from None
    number = whole_number(text)
    if number is None or number > MAX_DAYS:
        raise InvalidInput(f"{name} must be a whole number.", field=name)
    return number


def query_of(condition: Condition, currency: str) -> CustomerQuery | None:
    """The list that shows whom a condition means; None for one that the form cannot ask for."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    words: dict[str, tuple[str, ...]] = {}
    flags: set[str] = set()
    numbers: dict[str, tuple[str, str]] = {}
    everybody = True
    names = {of: name for table in (WORDS, NUMBERS, FLAGS) for name, of in table.items()}
    for part in parts:
        match part:
            case Is("known", True):
                everybody = False
            case In(of, found) if names[of] not in words:
                words[names[of]] = found
            case Is(of, True) if of in names:
                flags.add(names[of])
            case Between(of, low, high) if names[of] not in numbers:
                place = digits(currency) if of == "net_minor" else 0
                numbers[names[of]] = (_text(low, place), _text(high, place))
            case _:
                return None
    return CustomerQuery(words=words, numbers=numbers, flags=frozenset(flags), everybody=everybody)


def _text(number: int | None, place: int) -> str:
    return "" if number is None else str(Decimal(number).scaleb(-place))
