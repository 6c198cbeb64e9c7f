"""What a role may do: one table, read by every edge."""

from __future__ import annotations

from server.domain.actors import Actor
from server.domain.errors import NotAllowed

PERMISSIONS: dict[str, frozenset[str]] = {
    "conversation.read": frozenset({"agent", "supervisor", "admin"}),
    "conversation.write": frozenset({"agent", "supervisor", "admin"}),
    "conversation.read_all": frozenset({"supervisor", "admin"}),
    "customer.read": frozenset({"agent", "supervisor", "admin"}),
    "customer.write": frozenset({"agent", "supervisor", "admin"}),
    "customer.export": frozenset({"agent", "supervisor", "admin"}),
    "customer.export_whole": frozenset({"supervisor", "admin"}),
    "contact.reveal": frozenset({"agent", "supervisor", "admin"}),
    "privacy.manage": frozenset({"supervisor", "admin"}),
    "identity.manage": frozenset({"supervisor", "admin"}),
    "ticket.read": frozenset({"agent", "supervisor", "admin"}),
    "ticket.write": frozenset({"agent", "supervisor", "admin"}),
    "ticket.manage": frozenset({"supervisor", "admin"}),
    "article.read": frozenset({"agent", "supervisor", "admin"}),
    "article.write": frozenset({"supervisor", "admin"}),
    "report.own": frozenset({"agent", "supervisor", "admin"}),
    "report.read": frozenset({"supervisor", "admin"}),
    "review.own": frozenset({"agent", "supervisor", "admin"}),
    "review.write": frozenset({"supervisor", "admin"}),
    "event.read": frozenset({"supervisor", "admin"}),
    "correction.write": frozenset({"supervisor", "admin"}),
    "hours.manage": frozenset({"supervisor", "admin"}),
    "target.manage": frozenset({"supervisor", "admin"}),
    "rule.manage": frozenset({"supervisor", "admin"}),
    "people.manage": frozenset({"admin"}),
    "shop.manage": frozenset({"admin"}),
    "playbook.manage": frozenset({"supervisor", "admin"}),
    "webhook.manage": frozenset({"admin"}),
    "shop_data.import": frozenset({"supervisor", "admin"}),
    "source.read": frozenset({"supervisor", "admin"}),
    "source.manage": frozenset({"admin"}),
}


def may(actor: Actor, permission: str) -> bool:
    """True when the actor's role carries the permission. Raises KeyError for an unknown one."""
    return actor.role in PERMISSIONS[permission]


def require(actor: Actor, permission: str) -> None:
    """Returns nothing. Raises NotAllowed when the actor's role does not carry the permission."""
    if not may(actor, permission):
        raise NotAllowed("Your role does not permit this. Ask an administrator.", needs=permission)
