"""Slowing down those who guess passwords, without ever locking anybody out."""

from __future__ import annotations

from server.domain.errors import TooMany
from server.domain.spans import DAY_MS, MINUTE_MS
from server.storage.failed_tries import forget_old_tries, forget_tries, load_tries, save_tries
from server.storage.unit import Tx

FREE_FAILURES = 5
LONGEST_DELAY_MS = 15 * MINUTE_MS
ADDRESS_FAILURES = 30
ADDRESS_WINDOW_MS = 15 * MINUTE_MS
# Shorter, and a day of guessing would start anew with five free tries each time.
FORGET_MS = DAY_MS


def begin_try(tx: Tx, account: str, address: str) -> None:
    """Counts a try as failed until ``try_succeeded``, so that tries at once cannot slip through.

    An account is a key of any kind: an e-mail address whether or not somebody has it, so that an
    answer does not tell. Raises TooMany with ``retry_after_s`` while the account or the address has
    to wait; a try that is refused so does not count.
    """
    by_account, by_address = _account(account), _address(address)
    tries = load_tries(tx, by_account)
    recent = [a for a in load_tries(tx, by_address).recent if a > tx.at_ms - ADDRESS_WINDOW_MS]
    if len(recent) >= ADDRESS_FAILURES:
        _refuse(recent[0] + ADDRESS_WINDOW_MS - tx.at_ms)
    failures = tries.failures if tries.last_at_ms > tx.at_ms - FORGET_MS else 0
    wait_ms = tries.last_at_ms + delay_ms(failures) - tx.at_ms
    if failures and wait_ms > 0:
        _refuse(wait_ms)
    forget_old_tries(tx, before_ms=tx.at_ms - FORGET_MS)
    save_tries(tx, by_account, failures=failures + 1)
    save_tries(tx, by_address, failures=len(recent) + 1, recent=[*recent, tx.at_ms])


def try_succeeded(tx: Tx, account: str, address: str) -> None:
    """Forgets the account's failures and takes this try back from the address."""
    forget_tries(tx, _account(account))
    key = _address(address)
    recent = load_tries(tx, key).recent[:-1]
    if recent:
        save_tries(tx, key, failures=len(recent), recent=recent)
    else:
        forget_tries(tx, key)


def forgive(tx: Tx, account: str) -> None:
    """Forgets the account's failures; the address goes on counting."""
    forget_tries(tx, _account(account))


def delay_ms(failures: int) -> int:
    """How long after its last failure an account waits: nothing for 5, then 2, 4, 8 s to 15 min.

    >>> [delay_ms(n) for n in (4, 5, 6, 14, 60)]
    [0, 2000, 4000, 900000, 900000]
    """
    if failures < FREE_FAILURES:
        return 0
    return min(1000 << min(failures - FREE_FAILURES + 1, 20), LONGEST_DELAY_MS)


def _account(name: str) -> str:
    return f"account {name}"


def _address(address: str) -> str:
    return f"address {address}"


def _refuse(wait_ms: int) -> None:
    seconds = max(1, -(-wait_ms // 1000))
    raise TooMany(f"Too many failed tries. Wait {seconds} seconds.", retry_after_s=seconds)
