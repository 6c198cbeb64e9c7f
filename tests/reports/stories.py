"""Logs told by hand: what happened, as rows that an import takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any  # Any: JSON values

from server.actions.imports import import_events
from server.storage.database import Database
from tests.reports.worked_example import write_lines

# Monday 9:00 in Asia/Shanghai.
START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3600, 86400


def at(seconds: float) -> str:
    """The instant so many seconds after the start, as ISO 8601 in UTC."""
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def at_ms(seconds: float) -> int:
    """The same in milliseconds."""
    return round((START.timestamp() + seconds) * 1000)


@dataclass
class Story:
    """Rows so far; times are seconds after the start."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    prefix: str = "s"

    def tell(
        self,
        seconds: float,
        kind: str,
        data: dict[str, Any] | None = None,
        *,
        chat: str | None = None,
        customer: str | None = None,
        who: str = "system",
        channel: str = "chat",
    ) -> Story:
        """Something happens; ``who`` is customer, bot, system, or the name of an agent."""
        kinds = ("customer", "bot", "system")
        self.lines.append(
            {
                "event_id": f"{self.prefix}{len(self.lines)}",
                "ts": at(seconds),
                "kind": kind,
                "conversation": chat,
                "customer": customer,
                "actor_kind": who if who in kinds else "agent",
                "actor": None if who in kinds else who,
                "channel": channel,
                "data": data or {},
            }
        )
        return self

    def ask(self, seconds: float, chat: str, customer: str, **options: Any) -> Story:
        """The shopper writes."""
        data = {"body": options.pop("body", "?")}
        return self.tell(
            seconds, "message.posted", data, chat=chat, customer=customer, who="customer", **options
        )

    def reply(self, seconds: float, chat: str, who: str, **data: Any) -> Story:
        """An agent, or the bot, writes."""
        return self.tell(
            seconds, "message.posted", {"body": "So it is, indeed."} | data, chat=chat, who=who
        )

    def accept(self, seconds: float, chat: str, who: str) -> Story:
        """An agent takes the chat."""
        return self.tell(seconds, "assignment.accepted", {"to": who}, chat=chat, who=who)

    def resolve(self, seconds: float, chat: str, who: str) -> Story:
        """An agent, or the system, ends the chat."""
        data = {"status": "resolved"}
        return self.tell(seconds, "conversation.status_changed", data, chat=chat, who=who)

    def rate(self, seconds: float, chat: str, score: int, *, again: bool = False) -> Story:
        """The shopper rates the session."""
        kind = "rating.revised" if again else "rating.given"
        return self.tell(seconds, kind, {"score": score}, chat=chat, who="customer")

    def ask_rating(self, seconds: float, chat: str) -> Story:
        """The shopper is asked for a rating."""
        return self.tell(seconds, "rating.asked", chat=chat)

    def pay(
        self,
        seconds: float,
        order: str,
        customer: str,
        minor: int = 10_000,
        *,
        currency: str = "CNY",
        skus: Sequence[str] = (),
    ) -> Story:
        """The shopper pays an order."""
        data = {"order_id": order, "amount_minor": minor, "currency": currency, "skus": list(skus)}
        return self.tell(seconds, "order.paid", data, customer=customer)

    def served(self, seconds: float, chat: str, customer: str, who: str) -> Story:
        """A whole session: asked, answered a minute later, resolved after ten."""
        self.ask(seconds, chat, customer).accept(seconds + 10, chat, who)
        self.reply(seconds + MINUTE, chat, who)
        return self.resolve(seconds + 10 * MINUTE, chat, who)

    def write(self, database: Database, folder: Path) -> None:
        """Brings the rows in."""
        path = write_lines(folder / f"{self.prefix}.ndjson", self.lines)
        outcome = import_events(database, path)
        assert outcome.rejected == []
