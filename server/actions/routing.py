"""Bringing conversations and agents together; used inside other actions' transactions."""

from __future__ import annotations

from server.domain.actors import SYSTEM
from server.domain.conversation import Conversation
from server.domain.events import AssignmentAccepted, AssignmentEnded, QueueEntered, QueueLeft
from server.domain.routing import Candidate, Choice, choose
from server.domain.ticket import CHANNEL
from server.storage import claims, conversations, people
from server.storage.people import Person
from server.storage.unit import Tx


def candidate(tx: Tx, person: Person, *, served_before_at_ms: int | None = None) -> Candidate:
    """A person as routing sees them, with what this transaction gives and takes."""
    return Candidate(
        agent_id=person.id,
        status=person.status,
        capacity=person.capacity,
        load=_load(tx, person),
        team_ids=person.team_ids,
        languages=frozenset(person.languages),
        last_assigned_at_ms=person.last_assigned_at_ms,
        served_before_at_ms=served_before_at_ms,
    )


def attend(tx: Tx, conversation: Conversation) -> None:
    """Sees to it that an open conversation has an agent who is there, or waits in a queue.

    To be called where somebody begins to wait: a shopper wrote or came back, a snooze ended.
    """
    current = tx.current(conversation)
    # A ticket waits on a list and in its team's time; nobody is fetched for it.
    if current.status != "open" or current.channel == CHANNEL:
        return
    if current.owner.kind != "agent":
        place(tx, current)
    elif current.turn is not None and not people.is_present(
        tx, current.owner.id, since_ms=current.owner.since_ms
    ):
        tx.record(
            SYSTEM,
            AssignmentEnded(from_=current.owner.id, reason="offline"),
            conversation=current,
        )
        place(tx, tx.current(current))


def place(tx: Tx, conversation: Conversation, *, exclude: str | None = None) -> None:
    """Gives the conversation to the best free agent, or lets it wait in its team's queue.

    A conversation that comes back goes to the agent who had it, when that agent is free;
    who gave it away does not get it back. ``exclude`` is an agent who is just leaving.
    """
    no = {exclude, *conversation.given_away_by}
    staff = [
        p for p in people.load_people(tx.connection) if p.status == "online" and p.id not in no
    ]
    served = conversations.served_before(tx.connection, conversation.customer_id) if staff else {}
    options = [candidate(tx, p, served_before_at_ms=served.get(p.id)) for p in staff]
    # First those whom no other process is giving something just now; else to wait for them.
    placed = any(_place_with(tx, conversation, options, wait=wait) for wait in (False, True))
    if not placed and conversation.queued_at_ms is None:
        enter_queue(tx, conversation)


def _place_with(
    tx: Tx, conversation: Conversation, options: list[Candidate], *, wait: bool
) -> bool:
    """True when one of these agents has got it; ``wait`` also for those who are locked."""
    options = list(options)
    while options:
        before = [c for c in options if c.agent_id == conversation.assignee_id]
        choice = choose(before, team_id=None, locale=conversation.locale) or choose(
            options, team_id=conversation.team_id, locale=conversation.locale
        )
        if choice is None:
            return False
        if (wait or claims.take_person(tx.connection, choice.agent_id)) and _still_free(tx, choice):
            assign(tx, conversation, choice, reason="auto")
            return True
        options = [c for c in options if c.agent_id != choice.agent_id]
    return False


def enter_queue(tx: Tx, conversation: Conversation, *, team_id: str | None = None) -> None:
    """Lets the conversation wait for an agent, behind those who wait already."""
    team = team_id if team_id is not None else conversation.team_id
    ahead = conversations.queue_length(tx.connection, team_id=team) + tx.more(
        lambda c: (
            c.status == "open"
            and c.queued_at_ms is not None
            and (team is None or c.team_id == team)
        )
    )
    tx.record(
        SYSTEM, QueueEntered(team_id=team, ahead=ahead), conversation=tx.current(conversation)
    )


def assign(tx: Tx, conversation: Conversation, choice: Choice, *, reason: str) -> None:
    """Makes the chosen agent the owner; ends the wait in the queue if there was one."""
    leave_queue(tx, conversation)
    tx.record(
        SYSTEM,
        AssignmentAccepted(to=choice.agent_id, reason=reason, why=choice.why),
        conversation=tx.current(conversation),
    )
    people.note_assigned(tx, choice.agent_id)


def leave_queue(tx: Tx, conversation: Conversation, *, reason: str = "assigned") -> None:
    """Ends the wait in the queue; nothing when the conversation is not in one."""
    current = tx.current(conversation)
    if current.queued_at_ms is not None:
        tx.record(SYSTEM, QueueLeft(reason=reason), conversation=current)


def pull(tx: Tx, person: Person) -> int:
    """Fills the agent's free places from the queue, longest wait first; how many were taken."""
    taken = 0
    seen: set[str] = set()
    # Again while there is room: what this agent has given away makes no progress here.
    while person.status == "online" and (room := person.capacity - _load(tx, person)) > 0:
        fresh = claims.take_queued(tx.connection, team_ids=person.team_ids, limit=room, but=seen)
        if not fresh:
            break
        seen.update(fresh)
        for conversation_id in fresh:
            conversation = tx.conversation(conversation_id)
            if conversation is None or conversation.queued_at_ms is None:
                continue
            if person.id in conversation.given_away_by:
                continue
            choice = choose(
                [candidate(tx, person)], team_id=conversation.team_id, locale=conversation.locale
            )
            if choice is not None:
                assign(tx, conversation, choice, reason="pull")
                taken += 1
    return taken


def release(tx: Tx, person: Person, *, reason: str) -> None:
    """Gives the conversations in which a shopper waits for this agent to others or the queue."""
    for conversation_id in conversations.of_assignee(tx.connection, person.id):
        conversation = tx.conversation(conversation_id)
        if conversation is None or conversation.turn is None:
            continue
        tx.record(
            SYSTEM, AssignmentEnded(from_=person.id, reason=reason), conversation=conversation
        )
        place(tx, tx.current(conversation), exclude=person.id)


def freed(tx: Tx, agent_id: str | None) -> None:
    """Lets an agent who has just lost a conversation take the next ones from the queue."""
    person = people.load_person(tx.connection, agent_id, lock=True) if agent_id else None
    if person is not None:
        pull(tx, person)


def _still_free(tx: Tx, choice: Choice) -> bool:
    """True when the agent, locked now, still has room; another process may have been quicker."""
    person = people.load_person(tx.connection, choice.agent_id, lock=True)
    if person is None or person.status != "online":
        return False
    return _load(tx, person) < person.capacity


def _load(tx: Tx, person: Person) -> int:
    return person.load + tx.more(
        lambda c: (
            c.status == "open"
            and c.channel != CHANNEL
            and c.owner.kind == "agent"
            and c.owner.id == person.id
        )
    )
