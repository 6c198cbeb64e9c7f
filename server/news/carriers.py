"""Which carriers a process has."""

from __future__ import annotations

from server.config import Settings
from server.news.carrier import Carrier


def carriers_of(settings: Settings, channel: str) -> list[Carrier]:
    """Redis when it is set, behind it the database, which also wakes alone; none with SQLite.

    ``channel`` is the same in all processes of a database and in no others.
    """
    if settings.database_url is None:
        return []
    # Imported by those who need them: the default, one process on SQLite, needs neither.
    from server.news.notify import NotifyChannel  # noqa: PLC0415  # 2 MB for nothing

    carriers: list[Carrier] = [NotifyChannel(settings.database_url)]
    if settings.redis_url is not None:
        from server.news.redis_channel import RedisChannel  # noqa: PLC0415  # see above

        carriers.insert(0, RedisChannel(settings.redis_url, f"shopbell:{channel}"))
    return carriers
