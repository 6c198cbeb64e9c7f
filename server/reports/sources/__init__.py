"""Where the rows of metrics come from: SOURCES is the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from server.reports.frames import Frame
from server.reports.scope import Scope
from server.reports.sources.orders import (
    load_contacts,
    load_inquiries,
    load_sales,
    load_shoppers,
)
from server.reports.sources.presence import load_presence
from server.reports.sources.reviews import load_reviews
from server.reports.sources.suggestions import load_bots, load_suggestions
from server.reports.sources.tickets import load_targets, load_tickets
from server.reports.sources.visits import Visits

Loader = Callable[[Connection, Scope, Visits], Frame]

# A loader gives the rows of a scope in a fixed order, filters applied; the sessions that several of
# them are made of are loaded once. Its frame has the columns agent_id, team_id, channel, segment
# (texts), day (text), hour, weekday, at_ms, and those that the metrics of the source name.
SOURCES: Mapping[str, Loader] = {
    "inquiry": load_inquiries,
    "sale": load_sales,
    "shopper": load_shoppers,
    "contact": load_contacts,
    "presence": load_presence,
    "suggestion": load_suggestions,
    "bot": load_bots,
    "ticket": load_tickets,
    "target": load_targets,
    "review": load_reviews,
}
