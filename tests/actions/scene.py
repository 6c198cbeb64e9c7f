"""A desk with people, shoppers and a clock of the test's own, worked through the actions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar  # Any: JSON values

from sqlalchemy import text
from sqlmodel import SQLModel

from server.actions import conversations as conversation_actions
from server.actions import messages, presence, visitors
from server.actions.conversations import Transfer
from server.actions.messages import PostMessage
from server.actions.payload import ConversationRef, Payload, parse
from server.actions.presence import SetPresence
from server.actions.visitors import Connect
from server.domain.actors import Actor, Role, customer
from server.domain.conversation import Conversation, Session
from server.domain.events import Event
from server.domain.turns import Turn
from server.storage import event_log, people
from server.storage.conversations import of_customer, turns_of
from server.storage.database import Clock, Database
from server.storage.rows import load_conversation
from server.storage.shop import Shop, insert_shop
from server.storage.unit import Tx

P = TypeVar("P", bound=Payload)
Answer = dict[str, Any]  # Any: JSON values
SITE = "site-1"
SECRET = "a-secret-of-the-shop-that-is-long-enough"
START_S = 1_763_700_000.0


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self, now_s: float = START_S) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def pass_s(self, seconds: float) -> None:
        """Moves the clock; back as well, as a machine's clock may."""
        self.now_s += seconds

    @property
    def at_ms(self) -> int:
        """What the clock shows, ms UTC."""
        return int(self.now_s * 1000)


class Scene:
    """Actors and what they did, on a real database."""

    def __init__(self, opener: Callable[..., Database]) -> None:
        """Begins with an empty database and a shop; ``opener`` opens what it may be full of."""
        self._opener = opener
        self._opened: list[Database] = []
        self._numbers = itertools.count(1)
        self.time = Time()
        self.database = self.open()
        self.begin()

    def begin(self) -> None:
        """Begins anew: nobody is there and the clock shows the start."""
        self.time = Time()
        self.database.clock = Clock(self.time)
        self.database.write_now(_wipe)
        self.database.write_now(
            lambda tx: insert_shop(
                tx,
                Shop(
                    name="Mori & Oak",
                    locale="en",
                    timezone="Asia/Shanghai",
                    currency="CNY",
                    site_key=SITE,
                    identity_secret=SECRET,
                ),
            )
        )

    def open(self) -> Database:
        """The database once more, as another process opens it, at the same time."""
        self._opened.append(self._opener(clock=Clock(self.time)))
        return self._opened[-1]

    def close(self) -> None:
        """Closes every database that was opened."""
        for database in self._opened:
            database.close()

    def person(
        self,
        name: str,
        *,
        status: str = "online",
        role: Role = "agent",
        teams: tuple[str, ...] = (),
        languages: tuple[str, ...] = (),
        capacity: int = 8,
    ) -> Actor:
        """A person of the shop, whose id is the name; teams are made as they are named."""

        def add(tx: Tx) -> None:
            known = {team.id for team in people.load_teams(tx.connection)}
            for team in teams:
                if team not in known:
                    people.insert_team(tx, team, name=team, name_zh=None)
            spoken = "[" + ",".join(f'"{language}"' for language in languages) + "]"
            values = {"name": name.title(), "email": f"{name}@shop.example", "role": role}
            people.insert_person(tx, name, values | {"capacity": capacity, "languages": spoken})
            people.replace_teams(tx, name, teams)

        self.database.write_now(add)
        actor = self.actor(name)
        if status != "offline":
            self.presence(actor, status)
        return actor

    def team(self, name: str) -> None:
        """A team without members."""
        self.database.write_now(lambda tx: people.insert_team(tx, name, name=name, name_zh=None))

    def actor(self, agent_id: str) -> Actor:
        """The person as the database knows them now."""
        found = self.database.read_now(lambda c: people.load_person(c, agent_id))
        assert found is not None
        return found.actor

    def load(self, actor: Actor) -> int:
        """How many open conversations an agent owns."""
        found = self.database.read_now(lambda c: people.load_person(c, actor.id or ""))
        assert found is not None
        return found.load

    def shopper(self, *, locale: Any = None) -> Actor:  # Any: a literal of the payload
        """A new anonymous shopper."""
        answer = self.database.write_now(
            lambda tx: visitors.connect(tx, Connect(site=SITE, locale=locale))
        )
        return customer(answer["customer_id"])

    def do(self, action: Callable[[Tx, Actor, P], Answer], actor: Actor, payload: P) -> Answer:
        """The action's answer after its commit."""
        return self.database.write_now(lambda tx: action(tx, actor, payload))

    def post(
        self, actor: Actor, body: str = "Hello", conversation_id: str | None = None, **more: Any
    ) -> Answer:  # Any: fields of PostMessage
        """The answer to a message; each has a client_id of its own unless one is given."""
        fields = {"client_id": f"m{next(self._numbers)}", "body": body, **more}
        payload = parse(PostMessage, fields | {"conversation_id": conversation_id})
        return self.do(messages.post_message, actor, payload)

    def chat(self, shopper: Actor | None = None, body: str = "Hello") -> str:
        """The id of the conversation of a shopper's message."""
        return str(self.post(shopper or self.shopper(), body)["conversation_id"])

    def presence(self, actor: Actor, status: Any, capacity: int | None = None) -> None:
        """Sets an agent's state.  (Any: a literal of the payload)"""
        self.do(presence.set_presence, actor, SetPresence(status=status, capacity=capacity))

    def act(self, name: str, actor: Actor, conversation_id: str) -> Answer:
        """An action that takes nothing but a conversation: claim, resolve, reopen, wake, ..."""
        action = getattr(conversation_actions, name)
        return self.do(action, actor, ConversationRef(conversation_id=conversation_id))

    def transfer(self, actor: Actor, conversation_id: str, **more: Any) -> Answer:  # Any: fields
        """Passes a conversation on."""
        payload = Transfer(conversation_id=conversation_id, **more)
        return self.do(conversation_actions.transfer, actor, payload)

    def chats(self, shopper: Actor) -> list[str]:
        """Ids of a shopper's conversations, the latest first."""
        found = self.database.read_now(lambda c: of_customer(c, shopper.id or ""))
        return [f.conversation.id for f in found]

    def state(self, conversation_id: str) -> Conversation:
        """The conversation as it is stored."""
        found = self.database.read_now(lambda c: load_conversation(c, conversation_id))
        assert found is not None
        return found

    def events(self, conversation_id: str) -> list[Event]:
        """What the log has of a conversation."""
        return self.database.read_now(lambda c: event_log.conversation_events(c, conversation_id))

    def log(self) -> list[Event]:
        """The whole log."""
        return self.database.read_now(
            lambda c: event_log.events_of(c, event_log.live_seqs(c, after=0)[1])
        )

    def kinds(self, conversation_id: str) -> list[str]:
        """The kinds of what the log has of a conversation."""
        return [event.kind for event in self.events(conversation_id)]

    def turns(self, conversation_id: str) -> list[Turn]:
        """The stored turns of a conversation."""
        return self.database.read_now(lambda c: turns_of(c, conversation_id))

    def session(self, conversation_id: str) -> Session:
        """The latest session of a conversation."""
        found = self.state(conversation_id).session
        assert found is not None
        return found

    def owner(self, conversation_id: str) -> str | None:
        """The agent who owns a conversation, "queue" while it waits for one."""
        state = self.state(conversation_id)
        return "queue" if state.queued_at_ms is not None else state.assignee_id

    def since(self, conversation_id: str, before: int) -> list[str]:
        """Kinds of the events of a conversation beyond the first ``before``."""
        return self.kinds(conversation_id)[before:]


def _wipe(tx: Tx) -> None:
    for table in reversed(SQLModel.metadata.sorted_tables):
        tx.later(text(f"DELETE FROM {table.name}"))
