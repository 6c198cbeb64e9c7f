"""The customer card beside a chat: one person, with all their rows, in few short statements.

Everything here is found by an index and asked for in a bounded number of rows, so that the card of
a person costs the same in a shop of a million. What it shows of contacts depends on who looks.
What every card asks is asked together where that is worth it (``ahead``): first who it is and what
holds for everybody, then what is known of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any  # Any: JSON values and rows

from sqlalchemy import Connection, RowMapping, bindparam, func, select, union_all
from sqlalchemy.orm import aliased

from server.domain.actors import Actor
from server.domain.masking import TYPED, mask_name, shown
from server.domain.offers import is_complaint
from server.domain.quiet import clock_time
from server.domain.rift import rift
from server.domain.spans import DAY_MS, MINUTE_MS
from server.storage import contacts, conversations, notes, offers, people, views, visits
from server.storage.advice import RULES, Advisers, advice, advisers
from server.storage.ahead import Ahead
from server.storage.card_orders import (
    OWN_LINES,
    OWN_ORDERS,
    Latest,
    latest_orders,
    orders_view,
)
from server.storage.card_tickets import OWN_TICKETS, tickets_view
from server.storage.consents import CONSENTS_OF, consent_states
from server.storage.contacts import CONTACTS_OF, KnownContact
from server.storage.conversations import OF_ANY, Found
from server.storage.customers import CUSTOMER, Customer, customer_from_row
from server.storage.links import active_links
from server.storage.preferences import preferences_of
from server.storage.profiles import PROFILE_OF, Profile, load_profile
from server.storage.rows import CONVERSATION, SESSION
from server.storage.shop import SHOP_ROW, Shop, load_shop
from server.storage.shop_sources import FRESHNESS, freshness
from server.storage.thresholds import day_of

Json = dict[str, Any]  # Any: JSON values
PAST = 20
SESSIONS = 100
CONTACTS_MS = 90 * DAY_MS
_LEVELS = ("anonymous", "claimed", "verified")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose card it is: the row that was asked for, and all rows of the person, the top first."""

    asked: Customer
    rows: tuple[Customer, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all rows, the top first."""
        return tuple(row.id for row in self.rows)

    @property
    def person_id(self) -> str:
        """The id of the row at the top."""
        return self.rows[0].id

    def first(self, name: str) -> Any:  # Any: a column's value
        """The value of the row that is surest of it: the top, the one asked for, any other."""
        ordered = (self.rows[0], self.asked, *self.rows[1:])
        return next((value for row in ordered if (value := getattr(row, name))), None)

    @property
    def identity(self) -> str:
        """The strongest proof of any row."""
        return max((row.identity for row in self.rows), key=_LEVELS.index)


_TOP = (
    select(func.coalesce(CUSTOMER.c.person_id, CUSTOMER.c.id).label("id"))
    .where(CUSTOMER.c.id == bindparam("id"))
    .cte("top")
)
_below = aliased(CUSTOMER)
_ROWS = union_all(
    select(CUSTOMER).join_from(_TOP, CUSTOMER, CUSTOMER.c.id == _TOP.c.id),
    select(_below).join_from(_TOP, _below, _below.c.person_id == _TOP.c.id),
)


def subject_of(connection: Connection, customer_id: str) -> Subject | None:
    """The person that a customer row belongs to; None when there is no such row."""
    found = [
        customer_from_row(r) for r in connection.execute(_ROWS, {"id": customer_id}).mappings()
    ]
    asked = next((row for row in found if row.id == customer_id), None)
    return None if asked is None else Subject(asked, tuple(found))


def card(
    connection: Connection,
    customer: Customer,
    actor: Actor,
    at_ms: int,
    *,
    conversation_id: str | None = None,
) -> Json:
    """A customer as the panel beside a chat shows them, with what the actor may see.

    With ``conversation_id`` also the price that was last asked for in that conversation.
    """
    connection = _FIRST.ask(connection, {"id": customer.id})
    shop = load_shop(connection)
    subject = subject_of(connection, customer.id)
    if shop is None or subject is None:
        return {}
    ids = subject.ids
    since_ms = at_ms - visits.NOW_MS
    asked = {"ids": list(ids), "id": subject.person_id, "most": PAST, "since": since_ms}
    connection = _THEN.ask(connection, asked)
    known = contacts.by_key_id(connection, ids)
    states = consent_states(connection, ids)
    refused = states["profiling"]["state"] == "refused"
    names = people.names(connection)
    talk = _talk(connection, subject, actor, names, at_ms=at_ms)
    latest = latest_orders(connection, ids)
    cart = visits.latest_cart(connection, ids)
    return {
        **_identity(connection, subject, actor, known),
        **talk,
        **_kept(notes.kept_of(connection, ids), names),
        **_worth(
            connection,
            subject,
            shop,
            refused=refused,
            service=talk["service"],
            latest=latest,
            at_ms=at_ms,
        ),
        "orders": orders_view(
            connection,
            ids,
            email_keys=[c.key for c in known.values() if c.kind == "email" and c.proved],
            timezone=shop.timezone,
            at_ms=at_ms,
            latest=latest,
        ),
        "tickets": tickets_view(connection, ids, actor),
        "cart": cart and visits.cart_view(connection, ids, cart, at_ms=at_ms),
        "now": visits.now_of(connection, ids, at_ms=at_ms),
        "consents": states,
        "fresh": [
            {"source": f.source, "last_at_ms": f.last_at_ms, "stale": f.stale, "reason": f.reason}
            for f in freshness(connection, at_ms)
        ],
        "hints": []
        if refused
        else offers.hints_beside(connection, ids, offers.basis_of(latest, cart, at_ms=at_ms)),
        "price_question": offers.price_card(connection, conversation_id)
        if conversation_id
        else None,
    }


# -- what is asked together ---------------------------------------------------------------------

_SESSIONS = (
    select(
        SESSION.c.conversation_id,
        SESSION.c.started_at_ms,
        SESSION.c.ended_at_ms,
        SESSION.c.rating,
        SESSION.c.rated_at_ms,
        CONVERSATION.c.last_activity_at_ms,
    )
    .join_from(CONVERSATION, SESSION, SESSION.c.conversation_id == CONVERSATION.c.id)
    .where(CONVERSATION.c.customer_id.in_(bindparam("ids", expanding=True)))
    .where(CONVERSATION.c.status != "spam")
    .order_by(SESSION.c.started_at_ms.desc())
    .limit(SESSIONS)
)
_FIRST = Ahead(_ROWS, SHOP_ROW, people.NAMES, RULES, FRESHNESS)
_THEN = Ahead(
    CONTACTS_OF,
    CONSENTS_OF,
    OF_ANY,
    _SESSIONS,
    OWN_ORDERS,
    OWN_LINES,
    OWN_TICKETS,
    visits.LATEST_CART,
    visits.LAST_SIGNS,
    notes.KEPT,
    PROFILE_OF,
)


# -- who it is ----------------------------------------------------------------------------------


def _identity(
    connection: Connection, subject: Subject, actor: Actor, known: Mapping[str, KnownContact]
) -> Json:
    lines = _contact_lines(subject, actor, known)
    best = {kind: next((x["shown"] for x in lines if x["kind"] == kind), None) for kind in _KINDS}
    top = subject.rows[0]
    return {
        "id": subject.asked.id,
        "person_id": subject.person_id,
        "customer_ids": list(subject.ids),
        "name": subject.first("name"),
        "email": best["email"],
        "phone": best["phone"],
        "locale": subject.first("locale"),
        "verified": subject.identity == "verified",
        "identity": subject.identity,
        "external_id": top.external_id or subject.asked.external_id,
        "created_at_ms": min(row.created_at_ms for row in subject.rows),
        "last_seen_at_ms": max(row.seen_at_ms for row in subject.rows),
        "contacts": lines,
        "merged": _merged(connection, subject),
        "possible": _possible(connection, subject, actor, known),
    }


_KINDS = ("email", "phone")
# Fewer digits are the end of many numbers.
_LOCAL_DIGITS = 7


def _contact_lines(subject: Subject, actor: Actor, known: Mapping[str, KnownContact]) -> list[Json]:
    """Each address and number once, proved ones first; a value in a row alone counts as typed."""
    found: dict[tuple[str, str], Json] = {}
    ordered = sorted(
        known.items(), key=lambda i: (not i[1].proved, i[1].source in TYPED, i[1].created_at_ms)
    )
    for key_id, c in ordered:
        line = _contact(actor, c.kind, c.value, level=c.level, source=c.source)
        line |= {"key_id": key_id, "customer_id": c.customer_id}
        found.setdefault((c.kind, c.key.lower()), line)
    said = {text.lower() for c in known.values() for text in (c.value, c.key)}
    for row in subject.rows:
        for kind in _KINDS:
            value = getattr(row, kind)
            if value and value.lower() not in said and not _same_number(kind, value, said):
                line = _contact(actor, kind, value, level="claimed", source="widget")
                line |= {"key_id": None, "customer_id": row.id}
                found.setdefault((kind, value.lower()), line)
    return sorted(found.values(), key=lambda line: _KINDS.index(line["kind"]))


def _same_number(kind: str, value: str, said: Iterable[str]) -> bool:
    """Whether a number as it was typed is one of those in international form."""
    local = "".join(c for c in value if c.isdigit()).lstrip("0")
    return (
        kind == "phone"
        and len(local) >= _LOCAL_DIGITS
        and any(one.startswith("+") and one.endswith(local) for one in said)
    )


def _contact(actor: Actor, kind: str, value: str, *, level: str, source: str) -> Json:
    written = shown(actor, kind, value, level=level, source=source)
    return {
        "kind": kind,
        "shown": written,
        "masked": written != value,
        "level": level,
        "source": source,
    }


def _merged(connection: Connection, subject: Subject) -> list[Json]:
    """The links that make several rows one person, newest first."""
    if len(subject.rows) == 1:
        return []
    rows = {row.id: row for row in subject.rows}
    names = {row.id: row.name for row in subject.rows}
    return [
        {
            "customer_id": link.customer_id,
            "name": names.get(link.customer_id) or names.get(link.other_id),
            "at_ms": link.at_ms,
            "how": link.how,
            "link_id": link.id,
            "can_undo": link.how != "session",
        }
        for link in reversed(active_links(connection, list(rows)))
        if link.customer_id in rows and link.other_id in rows
    ]


def _possible(
    connection: Connection, subject: Subject, actor: Actor, known: Mapping[str, KnownContact]
) -> list[Json]:
    """Other persons who have proved a contact that this one only typed: no more is told of them."""
    typed = {(c.kind, c.key): c for c in known.values() if not c.proved and c.source in TYPED}
    if not typed:
        return []
    others = [
        c
        for c in contacts.with_keys(connection, list(typed))
        if c.customer_id not in subject.ids and (c.proved or c.source not in TYPED)
    ]
    if not others:
        return []
    silent = {
        key
        for key, one in contacts.blocked(connection, {(c.kind, c.key) for c in others}).items()
        if one.state == "blocked"
    }
    found: dict[str, Json] = {}
    for other in others:
        if (other.kind, other.key) in silent:
            continue
        whose = subject_of(connection, other.customer_id)
        if whose is None:
            continue
        mine = typed[other.kind, other.key]
        found.setdefault(
            whose.person_id,
            {
                "customer_id": whose.person_id,
                "name": mask_name(whose.first("name") or ""),
                "why": other.kind,
                "shown": shown(actor, mine.kind, mine.value, level=mine.level, source=mine.source),
            },
        )
    return list(found.values())[:3]


# -- what was said ------------------------------------------------------------------------------

_COUNT = select(func.count()).where(
    CONVERSATION.c.customer_id.in_(bindparam("ids", expanding=True))
)


def _talk(
    connection: Connection,
    subject: Subject,
    actor: Actor,
    names: Mapping[str, str],
    *,
    at_ms: int,
) -> Json:
    past = conversations.of_any(connection, subject.ids, limit=PAST)
    sessions = connection.execute(_SESSIONS, {"ids": list(subject.ids)}).mappings().all()
    # The latest first, so that the latest rating of a conversation stays.
    ratings = {s["conversation_id"]: s["rating"] for s in reversed(sessions) if s["rating"]}
    count = len(past)
    if count == PAST:
        count = int(connection.execute(_COUNT, {"ids": list(subject.ids)}).scalar_one())
    return {
        "conversations": [
            views.past_conversation(f, names=names, rating=ratings.get(f.conversation.id))
            for f in past
            if views.sees(actor, f.conversation.team_id, f.conversation.assignee_id)
        ],
        "conversation_count": count,
        "service": _service(sessions, past, at_ms=at_ms),
    }


def _service(sessions: Sequence[RowMapping], past: Sequence[Found], *, at_ms: int) -> Json:
    """Contacts and minutes of 90 days, all ratings, and complaints among the latest talks."""
    recent = [s for s in sessions if at_ms - s["started_at_ms"] < CONTACTS_MS]
    lasted = sum(
        max(0, (s["ended_at_ms"] or s["last_activity_at_ms"]) - s["started_at_ms"]) for s in recent
    )
    rated = sorted(
        (s for s in sessions if s["rating"] is not None),
        key=lambda s: s["rated_at_ms"] or s["started_at_ms"],
    )
    scores = [s["rating"] for s in rated]
    return {
        "contacts_90d": len(recent),
        "minutes_90d": round(lasted / MINUTE_MS),
        "csat_last": scores[-1] if scores else None,
        "csat_last_at_ms": (rated[-1]["rated_at_ms"] or rated[-1]["started_at_ms"])
        if rated
        else None,
        "csat_mean": round(sum(scores) / len(scores), 2) if scores else None,
        "csat_n": len(scores),
        "complaints": sum(any(is_complaint(tag) for tag in f.conversation.tags) for f in past),
    }


# -- what staff keep ----------------------------------------------------------------------------


def _kept(kept: notes.Kept, names: Mapping[str, str]) -> Json:
    note, wish, block = kept.note, kept.preference, kept.block
    quiet = None
    if wish is not None and wish.quiet_from is not None and wish.quiet_to is not None:
        quiet = {
            "from": clock_time(wish.quiet_from),
            "to": clock_time(wish.quiet_to),
            "timezone": wish.timezone,
        }
    return {
        "tags": list(kept.tags),
        "note": note
        and {
            "body": note.body,
            "version": note.version,
            "at_ms": note.at_ms,
            "by": names.get(note.by_id or ""),
        },
        "preferred_channel": wish.channel if wish else None,
        "quiet_hours": quiet,
        "blocked": {"reason": block.reason, "at_ms": block.at_ms} if block else None,
    }


# -- what they are worth ------------------------------------------------------------------------


def _worth(
    connection: Connection,
    subject: Subject,
    shop: Shop,
    *,
    refused: bool,
    service: Json,
    latest: Latest,
    at_ms: int,
) -> Json:
    """Profile and advice; nothing of it for who refuses to be profiled."""
    if refused:
        nothing = dict.fromkeys(("profile", "line", "playbook", "rift", "preferences"))
        return {"profiling_refused": True, **nothing}
    profile = load_profile(connection, subject.person_id)
    holding = advisers(connection)
    told = advice(holding.playbook, profile, shop, today=day_of(at_ms, shop.timezone))
    likes = preferences_of(connection, subject.ids, timezone=shop.timezone, latest=latest)
    rated_at_ms = service["csat_last_at_ms"]
    reason = rift(
        last_rating=service["csat_last"],
        rated_ago_ms=None if rated_at_ms is None else at_ms - rated_at_ms,
        complaints=service["complaints"],
        refund_share=profile.refund_share,
        orders=profile.orders,
    )
    return {
        "profiling_refused": False,
        "profile": _profile(profile, shop, holding, at_ms=at_ms),
        "line": told["line"],
        "playbook": told["playbook"],
        "rift": {"reason": reason} if reason else None,
        "preferences": asdict(likes) if likes else None,
    }


def _profile(p: Profile, shop: Shop, holding: Advisers, *, at_ms: int) -> Json:
    limits, returns = holding.limits, holding.returns
    today = day_of(at_ms, shop.timezone)
    ago = p.days_ago(today)
    chance = band = None
    if returns is not None and limits is not None and ago is not None:
        chance = returns.chance(p.order_days, ago, limits)
        band = returns.band(p.net_minor, p.order_days, ago, limits)
    return {
        "orders": p.orders,
        "net_minor": p.net_minor,
        "currency": shop.currency,
        "first_order_at_ms": p.first_order_at_ms,
        "last_order_at_ms": p.last_order_at_ms,
        "recency_days": ago,
        "usual_gap_days": p.median_gap_days if p.has_own_gap else limits and limits.median_gap,
        "usual_gap_is_own": p.has_own_gap,
        "average_minor": round(p.net_minor / p.orders) if p.orders else None,
        "r": p.r,
        "f": p.f,
        "m": p.m,
        "segment": p.segment,
        "value_cell": p.value_cell,
        "activity_stage": p.activity_stage,
        "relationship_stage": p.relationship_stage,
        "quiet": p.quiet,
        "declining": p.declining,
        "trend": p.trend,
        "top20": p.top20,
        "top20_share": limits.top_share if limits else None,
        "provisional": limits.provisional if limits else True,
        "thresholds": limits
        and {
            "version": limits.version,
            "at_ms": limits.at_ms,
            "r_days": limits.r_days,
            "f_classes": limits.rules.f_classes,
            "m_minor": limits.m_minor,
        },
        "returns": asdict(chance) if chance else None,
        "value_band": band,
        "coupon_orders": p.coupon_orders,
        "refund_share": p.refund_share,
        "staged_at_ms": p.staged_at_ms,
    }
