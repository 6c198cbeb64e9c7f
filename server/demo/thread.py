"""Writes down one chat as rows of the event import format."""

from dataclasses import dataclass, field

from server.demo.people import DemoCustomer
from server.demo.talk import Talk

Row = dict[str, object]

CHANNEL = "chat"


@dataclass(slots=True)
class Thread:
    """A chat being written: its rows so far and the instant it stands at, which only grows."""

    conversation_id: str
    customer: DemoCustomer
    at_ms: int
    opened_at_ms: int = 0
    asked_at_ms: int = 0
    assigned_at_ms: int = 0
    assignee: str | None = None
    waiting: bool = False
    queued: bool = False
    session_no: int = 0
    rows: list[Row] = field(default_factory=list)

    def later(self, span_ms: int) -> None:
        """Lets time pass."""
        self.at_ms += max(0, span_ms)

    def open(self, talk: Talk, *, shop_url: str) -> None:
        """The chat begins on the page of the talk's product."""
        locale, product = talk.scene.locale, talk.product
        self.opened_at_ms = self.at_ms
        data: Row = {
            "channel": CHANNEL,
            "initiator": "customer",
            "locale": locale,
            "page_url": f"{shop_url}/{locale}/p/{product.sku}",
            "page_title": product.title.say(locale),
        }
        self._add("conversation.opened", "customer", data)
        self._start_session("new")

    def customer_says(self, body: str) -> None:
        """A public message of the shopper; the first unanswered one starts a wait."""
        if not self.waiting:
            self.asked_at_ms = self.at_ms
        self.waiting = True
        self._add("message.posted", "customer", _message(body, "public", "typed"))

    def agent_says(self, email: str, body: str, *, origin: str) -> None:
        """A public message of an agent; it ends the wait."""
        self.waiting = False
        self._add("message.posted", "agent", _message(body, "public", origin), actor=email)

    def note(self, email: str, body: str) -> None:
        """A private note."""
        self._add("message.posted", "agent", _message(body, "private", "typed"), actor=email)

    def system_says(self, body: str, *, after_ms: int) -> None:
        """An automatic message, which answers nothing."""
        self.later(after_ms)
        self._add("message.posted", "system", _message(body, "public", "auto"))

    def queue(self) -> None:
        """The chat waits for an agent."""
        self.queued = True
        self._add("queue.entered", "system", {})

    def assign(self, email: str, *, reason: str) -> None:
        """An agent takes the chat out of the queue."""
        self._leave_queue("assigned")
        self.assignee, self.assigned_at_ms = email, self.at_ms
        by_system = reason == "auto"
        self._add(
            "assignment.accepted",
            "system" if by_system else "agent",
            {"to": email, "reason": reason},
            actor=None if by_system else email,
        )

    def offer(self, email: str) -> None:
        """The chat rings at an agent."""
        self._add("assignment.offered", "system", {"to": email})

    def miss(self, email: str) -> None:
        """The agent let it ring."""
        self._add("assignment.missed", "system", {"to": email})

    def look(self, email: str, focused_ms: int) -> None:
        """The agent had the chat in front of them for a while."""
        self._add("agent.focus_recorded", "agent", {"focused_ms": focused_ms}, actor=email)

    def tag(self, email: str, *tags: str) -> None:
        """The agent says what the chat was about."""
        data: Row = {"add": list(tags), "remove": []}
        self._add("conversation.tagged", "agent", data, actor=email)

    def transfer(self, email: str, to: str) -> None:
        """The chat passes to another agent."""
        self.assignee, self.assigned_at_ms = to, self.at_ms
        data: Row = {"from": email, "to": to, "reason": "transfer"}
        self._add("assignment.changed", "agent", data, actor=email)

    def snooze(self, email: str, *, until_ms: int) -> None:
        """The chat sleeps until an instant."""
        data: Row = {"status": "snoozed", "previous": "open", "until_ms": until_ms}
        self._add("conversation.status_changed", "agent", data, actor=email)

    def wake(self) -> None:
        """The chat is back from its sleep."""
        data: Row = {"status": "open", "previous": "snoozed"}
        self._add("conversation.status_changed", "system", data)

    def resolve(self, email: str) -> None:
        """The agent ends the session; a last thank-you needs no answer."""
        if self.waiting:
            self._add("turn.dismissed", "agent", {"reason": "courtesy"}, actor=email)
        self.waiting = False
        data: Row = {"status": "resolved", "previous": "open"}
        self._add("conversation.status_changed", "agent", data, actor=email)
        self._add("session.ended", "system", {"cause": "resolved"})

    def leave(self) -> None:
        """The shopper goes away; the wait ends without an answer."""
        self.waiting = False
        self._add("customer.left", "customer", {})

    def abandon(self) -> None:
        """The shopper goes away before anybody took the chat."""
        self.leave()
        self._leave_queue("abandoned")
        self.close()

    def close(self) -> None:
        """The system closes what nobody ended."""
        self.waiting = False
        data: Row = {"status": "closed", "previous": "open"}
        self._add("conversation.status_changed", "system", data)
        self._add("session.ended", "system", {"cause": "closed"})

    def reopen(self) -> None:
        """The shopper writes again after the end: a new session of the same chat."""
        self.assignee = None
        self._start_session("reopen")
        data: Row = {"status": "open", "previous": "resolved"}
        self._add("conversation.status_changed", "system", data)

    def ask_rating(self) -> None:
        """The shopper is asked how it was."""
        self.later(1_000)
        self._add("rating.asked", "system", {"session_no": self.session_no})

    def rate(self, score: int, comment: str) -> None:
        """The shopper says how it was, 1 to 5."""
        data: Row = {"score": score, "session_no": self.session_no}
        if comment:
            data["comment"] = comment
        self._add("rating.given", "customer", data)

    def _start_session(self, cause: str) -> None:
        self.session_no += 1
        self._add("session.started", "customer", {"cause": cause})

    def _leave_queue(self, reason: str) -> None:
        if self.queued:
            self._add("queue.left", "system", {"reason": reason})
        self.queued = False

    def _add(self, kind: str, actor_kind: str, data: Row, *, actor: str | None = None) -> None:
        self.rows.append(
            {
                "event_id": f"{self.conversation_id}-{len(self.rows):03d}",
                "ts": self.at_ms,
                "kind": kind,
                "conversation": self.conversation_id,
                "customer": self.customer.customer_id,
                "actor_kind": actor_kind,
                "actor": self.customer.customer_id if actor_kind == "customer" else actor,
                "channel": CHANNEL,
                "data": data,
            }
        )


def _message(body: str, visibility: str, origin: str) -> Row:
    return {"body": body, "visibility": visibility, "origin": origin}
