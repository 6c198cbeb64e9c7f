"""How fast a program may go: so many calls at once, then so many a second, for each token."""

from __future__ import annotations

import math
from collections import OrderedDict

from server.domain.errors import TooMany

BURST = 50
PER_S = 10.0
MOST = 10_000


class Paces:
    """When each token's calls so far are paid for, by the GCRA; in the memory of this process.

    One number a token is all it takes: the time at which its bucket would be full again
    (ITU-T I.371, generic cell rate algorithm). The longest unheard of are forgotten.
    """

    def __init__(self, *, burst: int = BURST, per_s: float = PER_S) -> None:
        """Nobody has called yet."""
        self._burst, self._per_s = burst, per_s
        self._paid_until: OrderedDict[str, float] = OrderedDict()

    def take(self, token_hash: str, now_s: float) -> None:
        """Counts a call. Raises TooMany with ``retry_after_s`` for one too many, uncounted."""
        paid = max(self._paid_until.get(token_hash, now_s), now_s) + 1 / self._per_s
        wait_s = paid - now_s - self._burst / self._per_s
        if wait_s > 1e-9:
            raise TooMany(
                "That was too fast. Wait a moment.", retry_after_s=max(1, math.ceil(wait_s))
            )
        self._paid_until[token_hash] = paid
        self._paid_until.move_to_end(token_hash)
        if len(self._paid_until) > MOST:
            self._paid_until.popitem(last=False)
