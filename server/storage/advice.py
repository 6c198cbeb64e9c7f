"""What to do for a person: the one-line reason and the row of the playbook that is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast  # Any: JSON values

import orjson
from sqlalchemy import Connection, select

from server.domain.playbook import Facts, Label, Playbook, overlaid, reason_line, row_of
from server.domain.returning import Returns
from server.domain.segment import Thresholds
from server.storage.profiles import Profile
from server.storage.shop import Shop
from server.storage.tables import PlaybookVersion, table
from server.storage.thresholds import LATEST_LIMITS, LATEST_RETURNS, yardstick

PLAYBOOK_VERSION = table(PlaybookVersion)
_TEXTS = select(PLAYBOOK_VERSION.c.texts).order_by(PLAYBOOK_VERSION.c.version.desc()).limit(1)
_LABELS = ("segments", "cells")


def playbook_of(connection: Connection) -> Playbook:
    """The playbook as it holds now: what the shop has written over what comes with the program."""
    texts = connection.execute(_TEXTS).scalar()
    return overlaid(None if texts is None else orjson.loads(texts))


RULES = select(
    _TEXTS.scalar_subquery(), *(one.scalar_subquery() for one in (LATEST_LIMITS, LATEST_RETURNS))
)


@dataclass(frozen=True, slots=True)
class Advisers:
    """What everybody is judged by: the playbook, the limits, and who of the like came back."""

    playbook: Playbook
    limits: Thresholds | None
    returns: Returns | None


def advisers(connection: Connection) -> Advisers:
    """What holds now, from one look."""
    texts, limits, returns = connection.execute(RULES).one()
    return Advisers(
        overlaid(None if texts is None else orjson.loads(texts)), *yardstick(limits, returns)
    )


def advice(playbook: Playbook, profile: Profile, shop: Shop, *, today: int) -> dict[str, Any]:
    """``line``, ``playbook`` (queue, tone, offer, follow_up) and which ``row`` of it that is."""
    facts = facts_of(profile, shop, today=today)
    row = row_of(facts)
    texts = dict(playbook[row])
    do = texts.pop("line")
    return {"line": reason_line(facts, do, label=label_of(shop)), "playbook": texts, "row": row}


def label_of(shop: Shop) -> Label:
    """Whether the eleven segments or the eight cells come first; by language unless chosen."""
    chosen = shop.settings.get("segments")
    label = chosen.get("label") if isinstance(chosen, dict) else None
    return cast(Label, label) if label in _LABELS else "auto"


def facts_of(profile: Profile, shop: Shop, *, today: int) -> Facts:
    """What the line tells of a profile."""
    return Facts(
        orders=profile.orders,
        net_minor=profile.net_minor,
        currency=shop.currency,
        days_ago=profile.days_ago(today),
        own_gap=profile.median_gap_days if profile.has_own_gap else None,
        segment=profile.segment,
        value_cell=profile.value_cell,
        activity_stage=profile.activity_stage,
        relationship_stage=profile.relationship_stage,
        quiet=profile.quiet,
        declining=profile.declining,
        refund_share=profile.refund_share,
    )
