"""How fast a client may go. Visitors are counted one by one; an address is only ever slowed down.

Many honest shoppers share one address (offices, campuses, mobile carriers), so no limit here turns
an address away.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then ``per_s`` a second."""

    burst: float
    per_s: float


# Why these: a person cannot type thirty messages a minute; a widget sends a typing signal at most
# every three seconds; the last row bounds what one socket can make the server parse.
VISITOR_RATES = {
    "message": Rate(10, 0.5),
    "signal": Rate(5, 1),
    # Page events: 60 a minute, which the action counts exactly and over all processes.
    "visit": Rate(60, 1),
    # Asked while a shopper writes, after each pause: nothing else may starve for it.
    "search": Rate(20, 1),
    "other": Rate(20, 2),
    "all": Rate(60, 20),
}
AGENT_RATES = {
    "message": Rate(60, 20),
    "signal": Rate(40, 20),
    "other": Rate(100, 50),
    "all": Rate(200, 100),
}
# More refusals than these are no person's doing: the sender is cut and stays out for a while.
REFUSALS = Rate(200, 200 / 60)
BARRED_S = 60.0
NEW_VISITORS_PER_ADDRESS = Rate(120, 2)
LONGEST_SLOWDOWN_S = 5.0


class Bucket:
    """A token bucket; ``now_s`` is a monotonic clock's reading."""

    __slots__ = ("_at_s", "_left", "rate")

    def __init__(self, rate: Rate, now_s: float) -> None:
        self.rate = rate
        self._left = rate.burst
        self._at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """0 when there is room, and takes it; else the seconds until there will be."""
        self._left = min(
            self.rate.burst, self._left + max(0.0, now_s - self._at_s) * self.rate.per_s
        )
        self._at_s = now_s
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self.rate.per_s


class Buckets:
    """One bucket a name, made when first asked for."""

    def __init__(self, rates: dict[str, Rate]) -> None:
        self._rates = rates
        self._buckets: dict[str, Bucket] = {}

    def wait_s(self, name: str, now_s: float) -> float:
        """As ``Bucket.wait_s`` for the bucket of that name."""
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(self._rates[name], now_s)
        return bucket.wait_s(now_s)


class Pace:
    """How fast one person goes, over all of their sockets; outlives a reconnect."""

    def __init__(self, rates: dict[str, Rate], now_s: float) -> None:
        self._buckets = Buckets(rates)
        self._refusals = Bucket(REFUSALS, now_s)
        self._barred_until_s = now_s

    def wait_s(self, name: str, now_s: float) -> float:
        """As ``Buckets.wait_s``; who does not heed it is barred in the end."""
        wait_s = self._buckets.wait_s(name, now_s)
        if wait_s and self._refusals.wait_s(now_s):
            self._barred_until_s = now_s + BARRED_S
        return wait_s

    def barred_s(self, now_s: float) -> float:
        """For how long this person must stay away, 0 when they need not."""
        return max(0.0, self._barred_until_s - now_s)


class Paces:
    """The pace of everybody who was here lately; the longest unheard of are forgotten."""

    MOST = 20_000

    def __init__(self) -> None:
        self._paces: dict[str, Pace] = {}

    def of(self, person: str, rates: dict[str, Rate], now_s: float) -> Pace:
        """The pace of a person, named by kind and id."""
        pace = self._paces.pop(person, None) or Pace(rates, now_s)
        self._paces[person] = pace
        if len(self._paces) > self.MOST:
            del self._paces[next(iter(self._paces))]
        return pace


class Addresses:
    """How many new visitors came from each address lately; forgets the quiet ones."""

    MOST = 10_000

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def slowdown_s(self, address: str, now_s: float) -> float:
        """How long to hold up a new visitor of this address, never more than a few seconds."""
        if len(self._buckets) > self.MOST:
            self._buckets.clear()
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = Bucket(NEW_VISITORS_PER_ADDRESS, now_s)
        return min(bucket.wait_s(now_s), LONGEST_SLOWDOWN_S)
