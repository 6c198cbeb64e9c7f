"""Reading another desk's history: one row of NDJSON, checked key by key, or the reason why not.

Nothing of a row is trusted: every key has a check, unknown keys are left out, and a refusal is a
sentence that names the key. What a row means for the shop is decided in ``actions.imports``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast  # Any: JSON values
from zoneinfo import ZoneInfo

from server.domain.actors import ActorKind
from server.domain.errors import InvalidInput
from server.domain.events import ORIGINS, PRESENCE_STATUSES, STATUSES, VISIBILITIES
from server.domain.periods import MAX_AT_MS, instant_ms
from server.domain.text import MAX_BODY_CHARS, clean
from server.domain.ticket import STATES as TICKET_STATES

MAX_ID_CHARS = 200
MAX_WORD_CHARS = 64
MAX_COMMENT_CHARS = 2000
MAX_TAGS = 50
# Events of an import are told apart from those of this desk and from those derived beside them.
EVENT_PREFIX = "i:"
OPENED_PREFIX = "io:"
REOPENED_PREFIX = "ir:"
SESSION_PREFIX = "is:"
RELEASED_PREFIX = "iz:"

_ACTOR_KINDS = ("customer", "agent", "bot", "system")
_ORDER_KINDS = ("order.created", "order.paid", "order.refunded", "order.cancelled")
VOID_KIND = "correction.voided"
_OUTSIDE_CONVERSATIONS = frozenset({"agent.presence_changed", VOID_KIND, *_ORDER_KINDS})
SUGGESTION_KINDS = frozenset({"suggestion.shown", "suggestion.accepted", "suggestion.dismissed"})
MESSAGE_KINDS = frozenset(
    {"message.posted", "message.failed", "message.edited", "message.redacted"}
)
_NEEDS_AGENT = frozenset({"agent.presence_changed", "agent.focus_recorded"})
_DEFAULT_ORIGIN = {"customer": "typed", "agent": "typed", "bot": "bot", "system": "system"}
_LARGEST = 2**53
_MOMENTS = {"until_ms", "paid_at_ms", "paid_ts", "due_at_ms", "effective_from"}
# What other desks call a key; our own name stands above it.
_SECOND_NAMES: dict[str, dict[str, str]] = {
    "conversation.opened": {"entry_page": "page_url"},
    "conversation.status_changed": {"to": "status", "state": "status", "from": "previous"},
    "ticket.state_changed": {"state": "to", "status": "to"},
}
# The policy of a target that an import tells of without saying which.
_UNNAMED_POLICY = "import"

Check = Callable[[object, str], object]


def agent_keys(kind: str) -> tuple[str, ...]:
    """The keys of an event's data that name agents."""
    if kind.startswith("assignment."):
        return ("from", "to")
    return ("owner_id",) if kind.startswith("sla.") else ()


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One checked row. ``values`` is the event's data with agents and team still by their names."""

    line: int
    event_id: str
    at_ms: int
    kind: str
    conversation: str | None
    customer: str | None
    actor_kind: ActorKind
    actor: str | None
    channel: str
    values: dict[str, Any]  # Any: JSON values that passed their checks

    @property
    def people(self) -> set[str]:
        """Every agent the row names."""
        named = {self.values.get(key) for key in agent_keys(self.kind)}
        if self.actor_kind == "agent":
            named.add(self.actor)
        return {name for name in named if name}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: its line, from 1, and the reason as a sentence.

    ``where`` names the file, and a line of it, where a row is one of many files.
    """

    line: int
    reason: str
    where: str = ""


@dataclass(slots=True)
class Sorted:
    """Rows told apart: to take, already known (how many), and refused."""

    taken: list[ImportRow] = field(default_factory=list)
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)


def read_row(value: object, *, line: int, tz: ZoneInfo) -> ImportRow:
    """The row of one parsed line; times without a zone are local in ``tz``.

    Raises InvalidInput with a sentence that says which key is wrong and why.
    """
    if not isinstance(value, dict):
        raise InvalidInput("The line is not a JSON object.")
    kind = _one_of(_CHECKS)(_required(value, "kind"), "kind")
    actor_kind = cast(
        ActorKind, _one_of(_ACTOR_KINDS)(_required(value, "actor_kind"), "actor_kind")
    )
    row = ImportRow(
        line=line,
        event_id=_id(_required(value, "event_id"), "event_id"),
        at_ms=_time(_required(value, "ts"), "ts", tz),
        kind=kind,
        conversation=_optional(value, "conversation", _id),
        customer=_optional(value, "customer", _id),
        actor_kind=actor_kind,
        actor=_optional(value, "actor", _id),
        channel=_optional(value, "channel", _word) or "chat",
        values=_data(kind, value.get("data"), tz),
    )
    return _coherent(row)


def sort_out(
    rows: Iterable[ImportRow], *, known: set[str], customers: dict[str, str | None]
) -> Sorted:
    """The rows to take, in order. ``known`` and ``customers`` grow by what is taken.

    ``known`` holds event ids that are in the log already, ``customers`` the customer of each
    conversation that exists, both by the names that the file uses.
    """
    found = Sorted()
    for row in rows:
        if row.event_id in known:
            found.unchanged += 1
            continue
        reason = _conflict(row, customers)
        if reason is not None:
            found.rejected.append(Rejected(row.line, reason))
            continue
        known.add(row.event_id)
        if row.conversation is not None:
            customers.setdefault(row.conversation, row.customer)
        found.taken.append(row)
    return found


def _conflict(row: ImportRow, customers: Mapping[str, str | None]) -> str | None:
    if row.conversation is None:
        return None
    if row.conversation not in customers:
        return None if row.customer else "customer is missing, and the conversation is new."
    owner = customers[row.conversation]
    if row.customer is not None and owner is not None and row.customer != owner:
        return "customer differs from the customer of this conversation."
    return None


def _coherent(row: ImportRow) -> ImportRow:
    """The row when its keys fit each other; an origin that is absent follows from the actor."""
    if row.conversation is None and row.kind not in _OUTSIDE_CONVERSATIONS:
        raise InvalidInput("conversation is missing.")
    if row.actor_kind == "agent" and row.actor is None:
        raise InvalidInput("actor is missing: an agent needs a name.")
    if row.kind in _NEEDS_AGENT and row.actor_kind != "agent":
        raise InvalidInput(f"actor_kind of {row.kind} must be agent.")
    unnamed = row.values.get("to") is None and row.actor_kind != "agent"
    if unnamed and row.kind in ("assignment.accepted", "assignment.changed"):
        raise InvalidInput("data.to is missing: nobody would own the conversation.")
    if row.kind == "message.posted":
        if row.actor_kind == "customer" and row.values.get("visibility") == "private":
            raise InvalidInput("data.visibility: a customer cannot write a private note.")
        row.values.setdefault("origin", _DEFAULT_ORIGIN[row.actor_kind])
    if row.kind in SUGGESTION_KINDS and not row.values.keys() & {"suggestion_id", "article"}:
        raise InvalidInput("data.article is missing, and no suggestion_id says which it was.")
    if row.kind == VOID_KIND and not row.values.keys() & {"target", "target_seq"}:
        raise InvalidInput("data.target_seq is missing, and no target names the row.")
    if row.kind == "sla.applied":
        row.values.setdefault("policy", _UNNAMED_POLICY)
    return row


def _data(kind: str, value: object, tz: ZoneInfo) -> dict[str, Any]:  # Any: JSON values
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise InvalidInput("data is not an object.")
    checks = _CHECKS[kind]
    other = _SECOND_NAMES.get(kind, {})
    value = {other[k]: v for k, v in value.items() if k in other and isinstance(v, str)} | value
    found = {
        key: check(value[key], f"data.{key}")
        for key, check in checks.items()
        if value.get(key) is not None
    }
    for key in _REQUIRED.get(kind, ()):
        if key not in found:
            raise InvalidInput(f"data.{key} is missing.")
    for key in _MOMENTS & found.keys():
        found[key] = _time(found[key], f"data.{key}", tz)
    if "paid_ts" in found:
        found.setdefault("paid_at_ms", found.pop("paid_ts"))
    return found


def _required(value: Mapping[str, object], key: str) -> object:
    if value.get(key) is None:
        raise InvalidInput(f"{key} is missing.")
    return value[key]


def _optional(
    value: Mapping[str, object], key: str, check: Callable[[object, str], str]
) -> str | None:
    given = value.get(key)
    return None if given is None or given == "" else check(given, key)


def _text(value: object, name: str, limit: int, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{name} must be text.")
    return clean(value, limit=limit, name=name, empty=empty)


def _id(value: object, name: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return _text(value, name, MAX_ID_CHARS)


def _word(value: object, name: str) -> str:
    return _text(value, name, MAX_WORD_CHARS)


def _body(value: object, name: str) -> str:
    return _text(value, name, MAX_BODY_CHARS, empty=True)


def _comment(value: object, name: str) -> str:
    return _text(value, name, MAX_COMMENT_CHARS, empty=True)


def _address(value: object, name: str) -> str:
    return _text(value, name, 2000)


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} must be true or false.")
    return value


def _whole(lowest: int, highest: int) -> Check:
    def check(value: object, name: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidInput(f"{name} must be a whole number.")
        if not lowest <= value <= highest:
            raise InvalidInput(f"{name} must be between {lowest} and {highest}.")
        return value

    return check


def _one_of(known: Iterable[str]) -> Callable[[object, str], str]:
    choices = tuple(known)

    def check(value: object, name: str) -> str:
        if not isinstance(value, str) or value not in choices:
            if len(choices) > 8:
                raise InvalidInput(f"{name} is not one that can be imported.")
            raise InvalidInput(f"{name} must be one of {', '.join(choices)}.")
        return value

    return check


def _words(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_TAGS:
        raise InvalidInput(f"{name} must be a list of at most {MAX_TAGS} words.")
    return [_word(item, name) for item in value]


def _moment(value: object, name: str) -> object:
    return value if isinstance(value, str) else _whole(0, MAX_AT_MS)(value, name)


def _time(value: object, name: str, tz: ZoneInfo) -> int:
    if isinstance(value, str) and not (value.isdigit() and len(value) > 8):
        try:
            return instant_ms(value, tz)
        except InvalidInput:
            raise InvalidInput(f"{name} must be ISO 8601 or milliseconds since 1970 UTC.") from None
    if isinstance(value, str):
        value = int(value) if len(value) < 17 else _LARGEST
    return cast(int, _whole(0, MAX_AT_MS)(value, name))


_ORDER: dict[str, Check] = {
    "order_id": _id,
    "amount_minor": _whole(-_LARGEST, _LARGEST),
    "currency": _word,
}
_TARGET: dict[str, Check] = {
    "target": _word,
    "number": _whole(1, _LARGEST),
    "due_at_ms": _moment,
}
_CHECKS: dict[str, dict[str, Check]] = {
    "conversation.opened": {
        "channel": _word,
        "initiator": _one_of(("customer", "agent", "campaign")),
        "locale": _word,
        "page_url": _address,
        "page_title": _address,
    },
    "session.started": {"cause": _one_of(("new", "gap", "reopen"))},
    "session.ended": {"cause": _word},
    "message.posted": {
        "message_id": _id,
        "visibility": _one_of(VISIBILITIES),
        "origin": _one_of(ORIGINS),
        "chars": _whole(0, _LARGEST),
        "attachment": _flag,
        "body": _body,
    },
    "message.failed": {"message_id": _id},
    "message.edited": {"message_id": _id},
    "message.redacted": {"message_id": _id},
    "queue.entered": {"team_id": _id, "queue_id": _id, "ahead": _whole(0, _LARGEST)},
    "queue.left": {"reason": _word},
    "bot.handed_off": {},
    "assignment.offered": {"to": _id},
    "assignment.accepted": {"to": _id, "reason": _word},
    "assignment.missed": {"to": _id},
    "assignment.changed": {"from": _id, "to": _id, "reason": _word},
    "assignment.ended": {"from": _id, "reason": _word},
    "conversation.status_changed": {
        "status": _one_of(STATUSES),
        "previous": _one_of(STATUSES),
        "until_ms": _moment,
    },
    "conversation.tagged": {"add": _words, "remove": _words},
    "ticket.state_changed": {
        "to": _one_of(TICKET_STATES),
        "from": _one_of(TICKET_STATES),
        "ticket_id": _id,
        "reason": _word,
        "until_ms": _moment,
    },
    "turn.dismissed": {"reason": _one_of(("courtesy", "spam", "duplicate"))},
    "customer.left": {},
    "customer.returned": {},
    "customer.identified": {"method": _word, "fields": _words},
    "agent.presence_changed": {
        "status": _one_of(PRESENCE_STATUSES),
        "capacity": _whole(0, 1000),
        "cause": _word,
    },
    "agent.focus_recorded": {"focused_ms": _whole(0, _LARGEST)},
    "rating.asked": {},
    "rating.given": {"score": _whole(1, 5), "scale": _whole(5, 5), "comment": _comment},
    "rating.revised": {"score": _whole(1, 5), "scale": _whole(5, 5), "comment": _comment},
    "suggestion.shown": {
        "suggestion_id": _id,
        "message_id": _id,
        "article": _id,
        "articles": _words,
        "band": _word,
    },
    "suggestion.accepted": {"suggestion_id": _id, "article": _id, "rank": _whole(1, 1000)},
    "suggestion.dismissed": {"suggestion_id": _id, "article": _id},
    "sla.applied": {
        "policy": _id,
        "version": _whole(0, _LARGEST),
        "effective_from": _moment,
    },
    "sla.met": _TARGET,
    "sla.breached": _TARGET | {"owner_id": _id},
    "order.created": _ORDER,
    "order.paid": _ORDER | {"paid_at_ms": _moment, "paid_ts": _moment, "skus": _words},
    "order.refunded": _ORDER,
    "order.cancelled": {"order_id": _id},
    # The number that an event has here, or the event_id of a row.
    VOID_KIND: {"target_seq": _whole(1, _LARGEST), "target": _id, "reason": _word},
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "message.failed": ("message_id",),
    "message.edited": ("message_id",),
    "message.redacted": ("message_id",),
    "conversation.status_changed": ("status",),
    "ticket.state_changed": ("to",),
    "agent.presence_changed": ("status",),
    "agent.focus_recorded": ("focused_ms",),
    "rating.given": ("score",),
    "rating.revised": ("score",),
    "suggestion.accepted": ("article",),
    "sla.applied": ("version", "effective_from"),
    "sla.met": ("target",),
    "sla.breached": ("target",),
    **dict.fromkeys(_ORDER_KINDS, ("order_id",)),
}
