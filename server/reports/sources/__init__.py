"""Where the rows of metrics come from: SOURCES is the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import Connection

from server.reports.frames import Frame
from server.reports.scope import Scope
from server.reports.sources.care import load_answers, load_endings
from server.reports.sources.conversations import CONVERSATION_SOURCES, load_source
from server.reports.sources.handling import load_handlings
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
    **{source: partial(load_source, source=source) for source in CONVERSATION_SOURCES},
    "inquiry": load_inquiries,
    "sale": load_sales,
    "shopper": load_shoppers,
    "contact": load_contacts,
    "handling": load_handlings,
    "presence": load_presence,
    "suggestion": load_suggestions,
    "bot": load_bots,
    "ticket": load_tickets,
    "target": load_targets,
    "answer": load_answers,
    "ending": load_endings,
    "review": load_reviews,
}
