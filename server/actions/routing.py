"""Bringing conversations and agents together; used inside other actions' transactions."""

from __future__ import annotations

from server.domain.actors import SYSTEM
from server.domain.conversation import Conversation
from server.domain.events import AssignmentAccepted, AssignmentEnded, QueueEntered, QueueLeft
from server.domain.routing import Candidate, Choice, choose
from server.storage import conversations, people
from server.storage.people import Person
from server.storage.unit import Tx


def candidate(
    person: Person, *, served_before_at_ms: int | None = None, load: int = 0
) -> Candidate:
    """A person as routing sees them, ``load`` conversations added that are not yet written."""
    return Candidate(
        agent_id=person.id,
        status=person.status,
        capacity=person.capacity,
        load=person.load + load,
        team_ids=person.team_ids,
        languages=frozenset(person.languages),
        last_assigned_at_ms=person.last_assigned_at_ms,
        served_before_at_ms=served_before_at_ms,
    )


def place(tx: Tx, conversation: Conversation, *, exclude: str | None = None) -> None:
    """Gives the conversation to the best free agent, or lets it wait in its team's queue.

    A conversation that comes back goes to the agent who had it, when that agent is free;
    ``exclude`` is an agent who has just given it away.
    """
    staff = [
        p for p in people.load_people(tx.connection) if p.status == "online" and p.id != exclude
    ]
    served = conversations.served_before(tx.connection, conversation.customer_id) if staff else {}
    options = [
        candidate(p, served_before_at_ms=served.get(p.id), load=tx.pending_loads[p.id])
        for p in staff
    ]
    before = [c for c in options if c.agent_id == conversation.assignee_id]
    choice = None
    while options and choice is None:
        choice = choose(before, team_id=None, locale=conversation.locale) or choose(
            options, team_id=conversation.team_id, locale=conversation.locale
        )
        if choice is None:
            break
        if not _still_free(tx, choice):
            options = [c for c in options if c.agent_id != choice.agent_id]
            before = [c for c in before if c.agent_id != choice.agent_id]
            choice = None
    if choice is None:
        if conversation.queued_at_ms is None:
            enter_queue(tx, conversation)
        return
    assign(tx, conversation, choice, reason="auto")


def _still_free(tx: Tx, choice: Choice) -> bool:
    """True when the agent, locked now, still has room; another process may have been quicker."""
    person = people.load_person(tx.connection, choice.agent_id, lock=True)
    if person is None or person.status != "online":
        return False
    return person.load + tx.pending_loads[person.id] < person.capacity


def enter_queue(tx: Tx, conversation: Conversation, *, team_id: str | None = None) -> None:
    """Lets the conversation wait for an agent, behind those who wait already."""
    team = team_id if team_id is not None else conversation.team_id
    ahead = conversations.queue_length(tx.connection, team_id=team)
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
    tx.pending_loads[choice.agent_id] += 1
    people.note_assigned(tx, choice.agent_id)


def leave_queue(tx: Tx, conversation: Conversation, *, reason: str = "assigned") -> None:
    """Ends the wait in the queue; nothing when the conversation is not in one."""
    current = tx.current(conversation)
    if current.queued_at_ms is not None:
        tx.record(SYSTEM, QueueLeft(reason=reason), conversation=current)


def pull(tx: Tx, person: Person, *, freed: int = 0) -> int:
    """Fills the agent's free places from the queue, longest wait first; how many were taken.

    ``freed`` places become free by this very transaction.
    """
    if person.status != "online":
        return 0
    room = person.capacity - person.load + freed - tx.pending_loads[person.id]
    if room <= 0:
        return 0
    taken = 0
    for conversation_id in conversations.queued(
        tx.connection, team_ids=person.team_ids, limit=room
    ):
        conversation = tx.conversation(conversation_id)
        if conversation is None or conversation.queued_at_ms is None:
            continue
        option = candidate(person, load=tx.pending_loads[person.id] - freed)
        choice = choose([option], team_id=conversation.team_id, locale=conversation.locale)
        if choice is None:
            break
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
