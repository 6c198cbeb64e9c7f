"""An event of each kind, with the least that its kind asks for."""

from __future__ import annotations

from server.domain.events import EVENT_KINDS, EventData, from_json

# What some kind cannot do without. A new kind whose fields are new adds them here.
REQUIRED = {
    "message_id": "m",
    "status": "open",
    "focused_ms": 1,
    "score": 1,
    "order_id": "o",
    "suggestion_id": "s",
    "article": "a",
    "link_id": "l",
    "field": "email",
    "number": "T-2222-2222",
    "to": "open",
    "link": "order",
    "target": "o",
    "into": "t",
    "ticket_id": "t",
    "task_id": "k",
    "agent_id": "g",
    "target_seq": 1,
    "version": 1,
    "effective_from": 0,
    "definition": "targets",
    "review_id": "r",
    "conversation_id": "c",
    "policy": "p",
    "rule_id": "r",
    "run_id": "r",
    "rule": "A rule",
    "sku": "S",
    "en": "Rule",
    "zh": "规则",
}


def least_of(kind: str) -> EventData:
    """What an event of this kind says when it says the least."""
    names = EVENT_KINDS[kind].__dataclass_fields__
    return from_json(kind, {name: value for name, value in REQUIRED.items() if name in names})
