"""One conversation as rows of events, as ``shopbell import events`` takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from server.domain.text import MAX_BODY_CHARS
from server.importers.values import MAX_TAGS, Json, text_of

# Room for what may be put before and behind a part of a long text.
_PART_CHARS = MAX_BODY_CHARS - 100


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message: a customer, a colleague by their key, or a bot.

    ``origin`` says how where that does not follow: ``auto`` for what no person wrote.
    """

    kind: Literal["customer", "agent", "bot"]
    key: str | None = None
    origin: str | None = None


CUSTOMER = Author("customer")
# What triggers, campaigns and greetings send; it answers nobody.
MACHINE = Author("bot", origin="auto")
BOT = Author("bot", origin="bot")


@dataclass(slots=True)
class Thread:
    """The rows of one conversation as a mapping writes them down, and what they make of it so far.

    Times must not go back, so that ``status`` and ``owner`` are those of the moment.
    """

    name: str
    rows: list[tuple[int, int, Json]] = field(default_factory=list)
    status: str = "open"
    owner: str | None = None
    initiator: str | None = None
    messages: int = 0
    last_at_ms: int = 0

    def add(
        self,
        kind: str,
        *,
        at_ms: int,
        event_id: str,
        actor_kind: str = "system",
        actor: str | None = None,
        **data: object,
    ) -> None:
        """Adds a row; ``event_id`` is unique within the conversation."""
        row: Json = {
            "event_id": f"{self.name}:{event_id}",
            "ts": at_ms,
            "kind": kind,
            "conversation": self.name,
            "actor_kind": actor_kind,
            "data": {key: value for key, value in data.items() if value is not None},
        }
        if actor is not None:
            row["actor"] = actor
        self.rows.append((at_ms, len(self.rows), row))

    def has(self, event_id: str) -> bool:
        """Whether there is a row of this id."""
        return any(row["event_id"] == f"{self.name}:{event_id}" for _, _, row in self.rows)

    def say(
        self,
        body: str,
        *,
        message_id: str,
        at_ms: int,
        author: Author,
        private: bool = False,
        attachment: bool = False,
    ) -> None:
        """Adds a message and what follows from it; one that is too long goes on in the next.

        An answer opens what was ended, and makes its writer the owner where there is none, as it
        does here. That a shopper's message opens is derived for all imports.
        """
        answers = author.kind == "agent" and not private
        if author.kind == "customer":
            self.status, private = "open", False
        elif answers and self.status != "open":
            self.turn("open", at_ms=at_ms, event_id=f"message:{message_id}:reopened", by=author.key)
        if answers and author.key is not None and self.owner is None:
            self.own(author.key, at_ms=at_ms, event_id=f"message:{message_id}:owner", reply=True)
        if self.initiator is None and not private and author.kind != "bot":
            self.initiator = author.kind
        for number, part in enumerate(parts_of(body)):
            name = message_id + (f":{number + 1}" if number else "")
            self.add(
                "message.posted",
                at_ms=at_ms,
                event_id=f"message:{name}",
                actor_kind=author.kind,
                actor=author.key,
                message_id=name,
                visibility="private" if private else "public",
                origin=author.origin,
                attachment=attachment or None,
                body=part,
            )
        self.messages += 1

    def turn(
        self,
        status: str,
        *,
        at_ms: int,
        event_id: str,
        by: str | None = None,
        until_ms: int | None = None,
    ) -> None:
        """Adds a change of status, by a colleague or by itself."""
        self.add(
            "conversation.status_changed",
            at_ms=at_ms,
            event_id=event_id,
            actor_kind="agent" if by else "system",
            actor=by,
            status=status,
            until_ms=until_ms,
        )
        self.status = status
        if status != "open":
            self.owner = None

    def own(self, key: str, *, at_ms: int, event_id: str, reply: bool = False) -> None:
        """Adds that a colleague takes the conversation, or takes it over."""
        data: Json = {"to": key, "reason": "reply" if reply else "claim"}
        if self.owner:
            data = {"from": self.owner, "to": key, "reason": "transfer"}
        kind = "assignment.changed" if self.owner else "assignment.accepted"
        self.add(kind, at_ms=at_ms, event_id=event_id, actor_kind="agent", actor=key, **data)
        self.owner = key

    def tag(self, tags: list[str], *, at_ms: int) -> None:
        """Adds tags, once for the same ones."""
        if tags:
            name = f"tags:{','.join(sorted(tags))}"[:100]
            self.add("conversation.tagged", at_ms=at_ms, event_id=name, add=tags[:MAX_TAGS])

    def rate(self, score: int, *, at_ms: int, event_id: str, comment: object = None) -> None:
        """Adds a rating of 1 to 5."""
        self.add(
            "rating.given",
            at_ms=at_ms,
            event_id=event_id,
            actor_kind="customer",
            score=score,
            comment=text_of(comment)[:2000] or None,
        )

    def finished(self, customer: str, *, channel: str, **opened: object) -> list[Json]:
        """The rows in the order of time, behind the one that opens the conversation.

        Rows of the same instant stay in the order in which they were added.
        """
        ordered = [row for _, _, row in sorted(self.rows, key=lambda entry: entry[:2])]
        at_ms = opened.pop("at_ms")
        first = min([at_ms, *(row["ts"] for row in ordered[:1])]) if at_ms else ordered[0]["ts"]
        head: Json = {
            "event_id": self.name,
            "ts": first,
            "kind": "conversation.opened",
            "conversation": self.name,
            "customer": customer,
            "actor_kind": "system",
            "channel": channel,
            "data": {"channel": channel}
            | {key: value for key, value in opened.items() if value is not None},
        }
        return [head, *ordered]


def parts_of(body: str) -> Iterator[str]:
    """A text in pieces that fit in a message, cut between lines or words where that is possible."""
    while len(body) > MAX_BODY_CHARS:
        cut = max(body.rfind("\n", 0, _PART_CHARS), body.rfind(" ", _PART_CHARS // 2, _PART_CHARS))
        cut = cut if cut > _PART_CHARS // 2 else _PART_CHARS
        yield body[:cut].strip()
        body = body[cut:].strip()
    yield body
