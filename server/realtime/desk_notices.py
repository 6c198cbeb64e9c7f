"""Tells people of the desk, wherever they are connected, that their notices have changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any  # Any: JSON values

from server.news.news import News
from server.realtime.rooms import AGENT, agent_room
from server.realtime.signals import Signals
from server.storage.database import Committed
from server.storage.notices import NoticesChanged

Json = dict[str, Any]  # Any: JSON values
# A signal to other processes is short.
_IDS_EACH = 20


class DeskNotices:
    """Sends ``notices.changed`` to the sockets of whose notices have changed."""

    def __init__(self, signals: Signals, news: News) -> None:
        self._signals = signals
        self._news = news

    async def heed(self, committed: Committed) -> None:
        """Takes in what a commit of this process changed; others hear it by a signal."""
        ids = sorted({n.agent_id for n in committed.notices if isinstance(n, NoticesChanged)})
        for start in range(0, len(ids), _IDS_EACH):
            self._news.signal("notices", ids=" ".join(ids[start : start + _IDS_EACH]))
        await self._tell(ids)

    async def hear(self, signal: Json) -> None:
        """Takes in what another process changed."""
        ids = signal.get("ids")
        if isinstance(ids, str):
            await self._tell(ids.split()[:_IDS_EACH])

    async def _tell(self, ids: Iterable[str]) -> None:
        for agent_id in ids:
            await self._signals.signal("notices.changed", {}, AGENT, agent_room(agent_id))
