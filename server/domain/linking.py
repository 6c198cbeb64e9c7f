"""Which customer rows are one person: what follows from facts, whatever order they came in.

The facts are the links that somebody made (a browser that signed in, a proof, a supervisor) and the
contacts that rows have proved. Everything else is worked out anew from them: who is joined by
itself, what a person needs to look at, and the pointers that the rows carry. So the order of
linking does not matter, and an undone link leaves no trace in the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

How = Literal["session", "proof", "staff", "auto"]
Key = tuple[str, str]
Pair = tuple[str, str]
# More that hang together than this, and something is wrong: nothing is joined by itself.
MOST = 100


@dataclass(frozen=True, slots=True)
class Record:
    """A customer row as far as linking goes.

    ``accounts`` are its ids at sources (source, id), ``proved`` the contacts (kind, key) it has
    proved and that count: neither shared by many nor an office's.
    """

    id: str
    created_at_ms: int
    accounts: frozenset[Key] = frozenset()
    proved: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Link:
    """Two rows that are one person; in a session ``first`` is the browser that signed in."""

    first: str
    second: str
    how: How
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Pointers:
    """What a row carries: the row it was joined to, how, and the row at the top."""

    merged_into: str | None = None
    merged_as: str | None = None
    person_id: str | None = None


ALONE = Pointers()


@dataclass(frozen=True, slots=True)
class Case:
    """Two rows for a supervisor to look at, and the contacts that speak for one person."""

    pair: Pair
    kind: Literal["conflict", "near"]
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the facts ask for: the links made by themselves, and what somebody has to look at."""

    links: tuple[Link, ...] = ()
    cases: tuple[Case, ...] = ()


@dataclass(slots=True)
class _Groups:
    """Sets that grow together (union-find)."""

    parent: dict[str, str] = field(default_factory=dict)

    def top(self, one: str) -> str:
        """The set that holds it, by one of its members."""
        self.parent.setdefault(one, one)
        while self.parent[one] != one:
            one = self.parent[one]
        return one

    def join(self, one: str, other: str) -> None:
        """Makes two sets one."""
        a, b = sorted((self.top(one), self.top(other)))
        self.parent[b] = a


def pair_of(one: str, other: str) -> Pair:
    """Two rows in the one order in which a pair of them is written.

    >>> pair_of("b", "a")
    ('a', 'b')
    """
    return (one, other) if one < other else (other, one)


def rank(record: Record) -> tuple[bool, bool, int, str]:
    """The order in which rows come to be the top: the shop's own account, any account, the oldest.

    >>> old, known = Record("a", 1), Record("b", 2, frozenset({("shop", "7")}))
    >>> min((old, known), key=rank).id
    'b'
    """
    return (
        not any(source == "shop" for source, _ in record.accounts),
        not record.accounts,
        record.created_at_ms,
        record.id,
    )


def conflict(one: Iterable[Record], other: Iterable[Record]) -> bool:
    """True when both are known to one source, by different ids.

    >>> shop = [Record("a", 1, frozenset({("shop", "1")}))]
    >>> conflict(shop, [Record("b", 1, frozenset({("shop", "2")}))])
    True
    >>> conflict(shop, [Record("b", 1, frozenset({("till", "2")}))])
    False
    """
    mine, theirs = _accounts(one), _accounts(other)
    return any(mine[source] != theirs[source] for source in mine.keys() & theirs.keys())


def decide(
    records: Collection[Record], links: Iterable[Link], *, apart: Collection[Pair] = ()
) -> Decision:
    """What follows for rows that hang together by links and proved contacts.

    ``links`` are those somebody made. Where they leave groups that share a proved contact, the
    groups are joined unless any two of them are known to one source by different ids, or were kept
    ``apart`` by a supervisor: then none is, and a person has to look. Never more than what is said
    here, so the result is the same whatever came first.
    """
    groups = _grouped(records, links)
    shared = _shared(records, groups)
    if not shared:
        return Decision()
    members = _members(records, groups)
    hanging = _Groups()
    for one, other in shared:
        hanging.join(one, other)
    parted = {pair_of(groups.top(one), groups.top(other)) for one, other in apart}
    made: list[Link] = []
    cases: list[Case] = []
    for cluster in _clusters(shared, hanging):
        pairs = [pair for pair in shared if hanging.top(pair[0]) == cluster]
        tops = sorted({one for pair in pairs for one in pair})
        clash = {
            pair
            for one, other in combinations(tops, 2)
            if (pair := pair_of(one, other)) in parted or conflict(members[one], members[other])
        }
        if not clash and len(records) <= MOST:
            made += [_auto(members[a], members[b], shared[a, b]) for a, b in sorted(pairs)]
            continue
        for a, b in sorted(pairs):
            if (a, b) in parted:
                continue
            best = pair_of(min(members[a], key=rank).id, min(members[b], key=rank).id)
            kind: Literal["conflict", "near"] = (
                "conflict" if conflict(members[a], members[b]) else "near"
            )
            cases.append(Case(best, kind, tuple(sorted(shared[a, b]))))
    return Decision(tuple(made), tuple(cases))


def pointers(records: Collection[Record], links: Sequence[Link]) -> dict[str, Pointers]:
    """What each row carries, given all links between these rows.

    The top is the best by ``rank``; every other row points straight at it, but a browser that
    signed in points at the row it signed in to.
    """
    groups = _grouped(records, links)
    sessions = {link.first: link.second for link in links if link.how == "session"}
    found: dict[str, Pointers] = {}
    for members in _members(records, groups).values():
        heads = [member for member in members if member.id not in sessions]
        top = min(heads or members, key=rank).id
        for member in members:
            if member.id == top:
                found[member.id] = ALONE
            elif member.id in sessions:
                found[member.id] = Pointers(sessions[member.id], "session", top)
            else:
                found[member.id] = Pointers(top, "merge", top)
    return found


def _accounts(records: Iterable[Record]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for record in records:
        for source, external_id in record.accounts:
            found.setdefault(source, set()).add(external_id)
    return found


def _grouped(records: Iterable[Record], links: Iterable[Link]) -> _Groups:
    groups = _Groups()
    known = {record.id for record in records}
    for record in records:
        groups.top(record.id)
    for link in links:
        if link.first in known and link.second in known:
            groups.join(link.first, link.second)
    return groups


def _members(records: Iterable[Record], groups: _Groups) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda r: r.id):
        found.setdefault(groups.top(record.id), []).append(record)
    return found


def _shared(records: Iterable[Record], groups: _Groups) -> dict[Pair, set[Key]]:
    """The groups that have proved the same contact, with the contacts."""
    holders: dict[Key, set[str]] = {}
    for record in records:
        for key in record.proved:
            holders.setdefault(key, set()).add(groups.top(record.id))
    found: dict[Pair, set[Key]] = {}
    for key, tops in holders.items():
        for one, other in combinations(sorted(tops), 2):
            found.setdefault((one, other), set()).add(key)
    return found


def _clusters(shared: Mapping[Pair, set[Key]], hanging: _Groups) -> list[str]:
    return sorted({hanging.top(one) for one, _ in shared})


def _auto(one: Sequence[Record], other: Sequence[Record], keys: set[Key]) -> Link:
    """The link between the best of each group that have proved the least of the shared contacts."""
    key = min(keys)
    a = min((r for r in one if key in r.proved), key=rank).id
    b = min((r for r in other if key in r.proved), key=rank).id
    first, second = pair_of(a, b)
    return Link(first, second, "auto", key)
