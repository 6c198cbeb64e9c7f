"""Where the rows of metrics come from: SOURCES is the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from server.reports.frames import Frame
from server.reports.sources.orders import (
    load_contacts,
    load_inquiries,
    load_sales,
    load_shoppers,
)
from server.reports.sources.ratings import load_ratings
from server.reports.sources.turns import load_turns
from server.reports.turns import Scope

Loader = Callable[[Connection, Scope], Frame]

# A loader gives the rows of a scope in a fixed order, filters applied. Its frame has the columns
# agent_id, team_id, channel, segment (texts), day (text), hour, weekday, at_ms, and those that the
# metrics of the source name.
SOURCES: Mapping[str, Loader] = {
    "turn": load_turns,
    "rating": load_ratings,
    "inquiry": load_inquiries,
    "sale": load_sales,
    "shopper": load_shoppers,
    "contact": load_contacts,
}
