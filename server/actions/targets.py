"""Keeping promises in sight: which policy holds, and what has become of each clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.domain.actors import SYSTEM, Actor
from server.domain.conversation import ENDED, Conversation
from server.domain.errors import Conflict
from server.domain.events import (
    DefinitionActivated,
    Event,
    EventData,
    SlaApplied,
    SlaBreached,
    SlaMet,
    SlaWarned,
)
from server.domain.permissions import require
from server.domain.replay import voided
from server.domain.target_clocks import TargetClock, clocks, next_due
from server.domain.targets import TICKET, Policy, checked, named, policy_of
from server.domain.turns import Owner
from server.storage import log_readers, targets
from server.storage.connection import Connection
from server.storage.event_log import conversation_events
from server.storage.hours import load_book
from server.storage.rows import load_conversation
from server.storage.targets import PolicyList, Watch
from server.storage.unit import Tx

MANAGE = "target.manage"
AT_ONCE = 200
PREVIEW = 2_000


@dataclass(frozen=True, slots=True)
class Promise:
    """What holds for a chat or ticket: the policy, its list's version, since when, its clocks."""

    policy: Policy
    version: int
    since_ms: int
    team_id: str | None
    clocks: tuple[TargetClock, ...]


def set_policies(tx: Tx, actor: Actor, policies: Sequence[Policy], *, version: int) -> int:
    """The version of the list that holds now. What is open keeps the list it began with.

    ``version`` is the latest that was seen. Raises Conflict when there is a later one, InvalidInput
    for policies that make no sense. What changes nothing makes no version.
    """
    require(actor, MANAGE)
    policies = checked(policies)
    held = targets.current_list(tx.connection)
    if held.version != version:
        raise Conflict(
            "Somebody has changed the targets in the meantime. Look at them once more.",
            reason="targets_changed",
        )
    if held.policies == policies:
        return version
    data = DefinitionActivated(definition="targets", version=version + 1, effective_from=tx.at_ms)
    tx.record(actor, data)
    targets.add_list(tx, version + 1, policies, agent_id=actor.id)
    return version + 1


def look(tx: Tx, conversation_id: str) -> None:
    """Looks at the clocks of a chat or ticket: writes once what has become of each."""
    conversation = tx.conversation(conversation_id)
    if conversation is None:
        return
    events = _events(tx, conversation_id)
    if not events or events[0].imported:
        return
    promise = _promise(tx.connection, conversation, events, at_ms=tx.at_ms)
    if promise is None:
        targets.end_watch(tx, conversation_id)
        return
    told = _told(events)
    if not _holds(events, promise):
        applied = SlaApplied(
            policy=promise.policy.name,
            version=promise.version,
            effective_from=promise.since_ms,
        )
        tx.record(SYSTEM, applied, conversation=conversation)
    for clock in promise.clocks:
        for data in _news(clock, told, conversation.owner, at_ms=tx.at_ms):
            tx.record(SYSTEM, data, conversation=tx.current(conversation))
    _keep_watch(tx, conversation, promise.clocks)


def apply_anew(tx: Tx, actor: Actor, conversation_id: str) -> bool:
    """Puts the list of today in the place of the one that an open chat or ticket began with.

    True when another policy, or another version of it, holds from now on.
    """
    require(actor, MANAGE)
    conversation = tx.conversation(conversation_id)
    if conversation is None or conversation.status in ENDED:
        return False
    events = conversation_events(tx.connection, conversation_id)
    applied = _applied(events)
    if not events or events[0].imported:
        return False
    held = targets.current_list(tx.connection)
    policy = policy_of(held.policies, targets.facts_of(tx.connection, conversation))
    if policy is None or (applied is not None and _same(tx.connection, applied, policy)):
        return False
    since_ms = _since(conversation, events)
    data = SlaApplied(policy=policy.name, version=held.version, effective_from=since_ms)
    tx.record(actor, data, conversation=conversation)
    look(tx, conversation_id)
    return True


def promise_of(connection: Connection, conversation_id: str, *, at_ms: int) -> Promise | None:
    """What holds for a chat or ticket at an instant; None when nothing was promised."""
    conversation = load_conversation(connection, conversation_id)
    events = conversation_events(connection, conversation_id)
    if conversation is None or not events or events[0].imported:
        return None
    return _promise(connection, conversation, events, at_ms=at_ms)


def due_now(tx: Tx, conversation_id: str) -> int | None:
    """By when somebody has to act on what this job has just written; None without a promise."""
    conversation = tx.conversation(conversation_id)
    if conversation is None:
        return None
    promise = _promise(tx.connection, conversation, _events(tx, conversation_id), at_ms=tx.at_ms)
    clock = next_due(promise.clocks) if promise else None
    return clock.due_at_ms if clock else None


def matching(
    connection: Connection, policies: Sequence[Policy]
) -> tuple[dict[str | None, list[str]], bool]:
    """Open chats and tickets by the name of the policy that would be theirs, None for none.

    The second answer is whether there are more than were looked at.
    """
    ids = targets.open_ones(connection, after="", limit=PREVIEW + 1)
    found: dict[str | None, list[str]] = {}
    for conversation_id in ids[:PREVIEW]:
        conversation = load_conversation(connection, conversation_id)
        if conversation is not None:
            policy = policy_of(policies, targets.facts_of(connection, conversation))
            found.setdefault(policy.name if policy else None, []).append(conversation_id)
    return found, len(ids) > PREVIEW


def channels_of(held: PolicyList) -> frozenset[str] | None:
    """The channels that a list has targets for; None for all of them."""
    found: set[str] = set()
    for policy in held.policies:
        if not policy.enabled or not policy.targets:
            continue
        channels = policy.match.get("channel")
        if not channels:
            return None
        found |= set(channels)
    return frozenset(found)


def where_to_look(connection: Connection, *, up_to: int) -> tuple[list[str], int] | None:
    """What has happened since the last look and up to where that is; None when nothing has."""
    before = log_readers.place(connection, targets.READER)
    if before is None or before >= up_to:
        return None
    channels = channels_of(targets.current_list(connection))
    return targets.touched(connection, after=before, up_to=up_to, channels=channels, limit=AT_ONCE)


def _events(tx: Tx, conversation_id: str) -> list[Event]:
    """The events of a chat or ticket, with those that this job has just recorded."""
    mine = [event for event in tx.events if event.conversation_id == conversation_id]
    return [*conversation_events(tx.connection, conversation_id), *mine]


def _promise(
    connection: Connection, conversation: Conversation, events: Sequence[Event], *, at_ms: int
) -> Promise | None:
    since_ms = _since(conversation, events)
    applied = _applied(events)
    team_id = conversation.team_id
    policy: Policy | None = None
    if applied is not None and _data(applied).effective_from >= since_ms:
        version = _data(applied).version
        held = targets.load_list(connection, version)
        policy = named(held.policies, _data(applied).policy) if held else None
        team_id = applied.team_id
    else:
        held = targets.list_at(connection, since_ms)
        version = held.version
        policy = policy_of(held.policies, targets.facts_of(connection, conversation))
    if policy is None:
        return None
    hours = load_book(connection).of_team(team_id)
    found = clocks(events, policy, hours, as_of_ms=at_ms)
    if conversation.channel != TICKET:
        # Earlier sessions had promises of their own.
        found = [clock for clock in found if clock.started_at_ms >= since_ms]
    return Promise(policy, version, since_ms, team_id, tuple(found))


def _since(conversation: Conversation, events: Sequence[Event]) -> int:
    """When what is promised now began: a ticket's at its beginning, a chat's with its session."""
    if conversation.channel == TICKET or conversation.session is None:
        return events[0].at_ms
    return conversation.session.started_at_ms


def _applied(events: Sequence[Event]) -> Event | None:
    skipped = voided(events)
    found = (e for e in reversed(events) if isinstance(e.data, SlaApplied) and e.seq not in skipped)
    return next(found, None)


def _data(event: Event) -> SlaApplied:
    if not isinstance(event.data, SlaApplied):
        raise TypeError(f"{event.kind} applies no policy")
    return event.data


def _holds(events: Sequence[Event], promise: Promise) -> bool:
    """True when it is written down already which policy holds."""
    applied = _applied(events)
    return applied is not None and _data(applied).effective_from >= promise.since_ms


def _same(connection: Connection, applied: Event, policy: Policy) -> bool:
    before = targets.load_list(connection, _data(applied).version)
    return before is not None and named(before.policies, _data(applied).policy) == policy


Told = frozenset[tuple[str, str, int]]


def _told(events: Sequence[Event]) -> Told:
    """What has been written about which clock: kind, target and number."""
    return frozenset(
        (event.kind, event.data.target, event.data.number)
        for event in events
        if isinstance(event.data, SlaMet | SlaWarned | SlaBreached)
    )


def _news(clock: TargetClock, told: Told, owner: Owner, *, at_ms: int) -> Iterator[EventData]:
    """What is to be written about a clock and has not been, each once."""

    def new(kind: type[EventData]) -> bool:
        return (kind.kind, clock.target, clock.number) not in told

    target, number, due_at_ms = clock.target, clock.number, clock.due_at_ms
    if clock.missed_at_ms is not None:
        if new(SlaBreached):
            owner_id = owner.id if owner.kind == "agent" else None
            yield SlaBreached(target=target, number=number, due_at_ms=due_at_ms, owner_id=owner_id)
    elif clock.outcome == "met":
        if new(SlaMet):
            yield SlaMet(target=target, number=number, due_at_ms=due_at_ms)
    elif clock.outcome == "running" and clock.warned_by(at_ms) and new(SlaWarned):
        yield SlaWarned(target=target, number=number, due_at_ms=due_at_ms)


def _keep_watch(tx: Tx, conversation: Conversation, found: Sequence[TargetClock]) -> None:
    """Writes down when to look again, and what of it lists are sorted by."""
    due = next_due(found)
    times = [
        at_ms
        for clock in found
        if clock.outcome == "running" and clock.missed_at_ms is None
        # A clock is missed once its due instant has passed, not in it.
        for at_ms in (clock.warn_at_ms, clock.due_at_ms and clock.due_at_ms + 1)
        if at_ms is not None and at_ms > tx.at_ms
    ]
    missed = any(c.missed_at_ms is not None and not c.over for c in found)
    if all(clock.over for clock in found):
        targets.end_watch(tx, conversation.id)
    else:
        watch = Watch(
            conversation.id,
            min(times, default=None),
            due.due_at_ms if due else None,
            due.target if due else None,
            missed,
        )
        targets.keep_watch(tx, watch)
    if conversation.channel == TICKET:
        tx.set_due(
            conversation.id,
            next_due_at_ms=due.due_at_ms if due else None,
            next_due=due.target if due else None,
        )
