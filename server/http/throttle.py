"""Slowing down those who guess passwords, without ever locking anybody out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from server.domain.errors import TooMany

FREE_FAILURES = 5
LONGEST_DELAY_MS = 15 * 60_000
ADDRESS_FAILURES = 30
ADDRESS_WINDOW_MS = 15 * 60_000
# Shorter, and a day of guessing would start anew with five free tries each time.
FORGET_MS = 24 * 3_600_000
MAX_KEYS = 20_000


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last_at_ms: int = 0


class Throttle:
    """Failures by account and by address, in the memory of this process.

    An account is a key of any kind: an e-mail address whether or not somebody has it, so that an
    answer does not tell. ``now`` is the clock, ms UTC.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        """Nothing has failed yet."""
        self._now = now
        self._accounts: OrderedDict[str, _Failures] = OrderedDict()
        self._addresses: OrderedDict[str, list[int]] = OrderedDict()

    def begin(self, account: str, address: str) -> None:
        """Counts a try as failed until ``succeeded``, so that tries at once cannot slip through.

        Raises TooMany with ``retry_after_s`` while the account or the address has to wait; a try
        that is refused so does not count.
        """
        now = self._now()
        recent = [at for at in self._addresses.get(address, ()) if at > now - ADDRESS_WINDOW_MS]
        if len(recent) >= ADDRESS_FAILURES:
            _refuse(recent[0] + ADDRESS_WINDOW_MS - now)
        failures = self._accounts.get(account, _Failures())
        if failures.last_at_ms <= now - FORGET_MS:
            failures = _Failures()
        wait_ms = failures.last_at_ms + delay_ms(failures.count) - now
        if failures.count and wait_ms > 0:
            _refuse(wait_ms)
        recent.append(now)
        self._addresses[address] = recent
        self._addresses.move_to_end(address)
        self._accounts[account] = _Failures(failures.count + 1, now)
        self._accounts.move_to_end(account)
        for known in (self._accounts, self._addresses):
            while len(known) > MAX_KEYS:
                known.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Forgets the account's failures and takes this try back from the address."""
        self._accounts.pop(account, None)
        recent = self._addresses.get(address)
        if recent:
            recent.pop()
            if not recent:
                del self._addresses[address]


def delay_ms(failures: int) -> int:
    """How long after its last failure an account waits: nothing for 5, then 2, 4, 8 s to 15 min.

    >>> [delay_ms(n) for n in (4, 5, 6, 14, 60)]
    [0, 2000, 4000, 900000, 900000]
    """
    if failures < FREE_FAILURES:
        return 0
    return min(1000 << min(failures - FREE_FAILURES + 1, 20), LONGEST_DELAY_MS)


def _refuse(wait_ms: int) -> None:
    seconds = max(1, -(-wait_ms // 1000))
    raise TooMany(f"Too many failed tries. Wait {seconds} seconds.", retry_after_s=seconds)
