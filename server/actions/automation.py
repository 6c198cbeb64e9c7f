"""Rules at work: each in a transaction of its own, once for every cause, and never without an end.

Everything is done through what people do as well, so that nothing can happen here that could not
there: no ticket ends without an answer or a stated reason, no tag too many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any  # Any: JSON values

from server.actions import conversations, messages, reach, rule_words, ticket_moves, tickets
from server.actions.payload import ConversationRef, parse
from server.domain import rules as domain
from server.domain.actors import Actor
from server.domain.conversation import ENDED, Conversation
from server.domain.errors import Conflict, NotFound
from server.domain.events import (
    ConversationOpened,
    Event,
    MessagePosted,
    OrderCancelled,
    OrderCreated,
    OrderPaid,
    OrderRefunded,
    RuleApplied,
    TicketWatched,
)
from server.domain.rule_fields import ACTIONS, OWNER
from server.domain.rules import Cause, Clause, Rule, Step, Thing, Verdict
from server.domain.spans import HOUR_MS, MINUTE_MS
from server.domain.ticket import CHANNEL, Ticket, may_set_priority
from server.domain.variables import filled, left_open
from server.domain.webhooks import delivery_id
from server.storage import (
    consents,
    customers,
    directory,
    log_readers,
    notes,
    orders,
    people,
    persons,
    rule_facts,
    webhooks,
)
from server.storage import rules as stored
from server.storage import tickets as ticket_rows
from server.storage.connection import Connection
from server.storage.erasure import erased_at_ms
from server.storage.rules import READER, Run
from server.storage.ticket_types import load_types
from server.storage.tickets import TicketWords
from server.storage.unit import Tx
from server.storage.webhooks import Wanted

PAGE = 200
FORGET_AT_ONCE = 1000
KEEP_MS = 90 * 24 * HOUR_MS
# Who has written so lately is there, whatever the clock says.
THERE_MS = HOUR_MS // 2
# A rule acts as the shop does: it may what leaders may.
RULES = Actor("system", name="Shopbell", role="admin")
BOT = Actor("bot", name="Shopbell")
Json = dict[str, Any]  # Any: JSON values


@dataclass(slots=True)
class Attempt:
    """One try at a rule: which action is being done, and those that have failed before, and why.

    What fails is left out at the next try, so that the rest is still done, all at once.
    """

    at: int | None = None
    failed: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ask:
    """A rule to be asked about something for a cause, which it is once."""

    rule_id: str
    cause: str
    thing: Thing
    seq: int | None = None


# what to ask which rule


@dataclass(frozen=True, slots=True)
class News:
    """What happened at which rules look, these rules, and up to where the log was read."""

    events: list[Event]
    rules: list[Rule]
    up_to: int


def news(connection: Connection, *, up_to: int) -> News | None:
    """What happened since the last look; None when there is nothing to read."""
    place = log_readers.place(connection, READER)
    if place is None or place >= up_to:
        return None
    looking = stored.load_rules(connection, enabled=True)
    kinds = domain.wanted_kinds(looking)
    if not kinds:
        return News([], looking, up_to)
    found = stored.next_events(connection, after=place, up_to=up_to, kinds=kinds, limit=PAGE)
    end = found[-1].seq if len(found) == PAGE else up_to
    wanted = [event for event in found if any(domain.looks_at(rule, event) for rule in looking)]
    return News(wanted, looking, end)


def asked_by(
    connection: Connection, event: Event, rules: list[Rule], *, at_ms: int, but: set[str]
) -> Ask | None:
    """The first rule that looks at an event and matches as things are, those in ``but`` aside.

    Those that do not match are put there: they have been asked.
    """
    looking = [rule for rule in rules if rule.id not in but and domain.looks_at(rule, event)]
    thing = thing_of(event) if looking else None
    if thing is None:
        return None
    ground = rule_facts.Ground(connection, [thing], at_ms=at_ms)
    for rule in looking:
        if ground.verdict(thing, rule.plan.when).matched:
            return Ask(rule.id, f"e:{event.seq}", thing, event.seq)
        but.add(rule.id)
    return None


def due(connection: Connection, *, at_ms: int) -> list[Ask]:
    """What time has come for, by rule."""
    return [
        Ask(rule.id, f"t:{thing.id}:{thing.since_ms}", thing)
        for rule in stored.load_rules(connection, enabled=True)
        if rule.plan.trigger.time is not None
        for thing in stored.due_things(connection, rule, at_ms=at_ms, limit=PAGE)
    ]


def thing_of(event: Event) -> Thing | None:
    """On what a rule acts that looks at an event; None for what is nobody's."""
    data = event.data
    if event.conversation_id is not None:
        kind = "ticket" if event.channel == CHANNEL else "chat"
        told = data.message_id if isinstance(data, MessagePosted) else None
        return Thing(kind, event.conversation_id, event.customer_id, told)  # type: ignore[arg-type]  # one of two literals
    if isinstance(data, OrderCreated | OrderPaid | OrderRefunded | OrderCancelled):
        return Thing("order", data.order_id, event.customer_id) if event.customer_id else None
    return None


# asking and doing


def ask(tx: Tx, asked: Ask, attempt: Attempt) -> bool:
    """Lets a rule do what it says if it matches, in this transaction.

    False when another process is at work: what it is at must not be passed over. Nothing is done a
    second time: the place in the log is held, and each rule keeps what it was asked. What an action
    refuses is raised; ``attempt`` says which it was.
    """
    attempt.at = None
    place = log_readers.take_place(tx, READER)
    if place is None:
        return False
    if asked.seq is None or place < asked.seq:
        _ask(tx, asked, attempt)
    return True


def _ask(tx: Tx, asked: Ask, attempt: Attempt) -> None:
    rule = stored.load_rule(tx.connection, asked.rule_id)
    if rule is None or not rule.enabled or stored.has_run(tx.connection, rule.id, asked.cause):
        return
    seq = asked.seq
    cause = stored.cause_of(tx.connection, seq) if seq is not None else Cause()
    run = Run(
        id=tx.new_id(),
        rule_id=rule.id,
        version=rule.version,
        cause=asked.cause,
        thing=asked.thing,
        at_ms=tx.at_ms,
        outcome="passed",
        seq=seq,
        chain=cause,
    )
    _lock(tx, run.thing)
    verdict = _verdict(tx, rule, run.thing)
    if not verdict.matched:
        # An event is not asked about again; of an instant it has to be kept.
        if seq is None:
            stored.add_run(tx, run)
        return
    run = replace(run, why=[domain.clause_json(one) for one in verdict.because])
    since_ms = tx.at_ms - HOUR_MS
    lately = stored.acted_lately(tx.connection, rule.id, run.thing.id, since_ms=since_ms)
    held = domain.held_back(rule.id, run.thing.id, cause, lately=lately)
    if held is not None:
        run = replace(run, outcome="held", held=held)
        stored.add_run(tx, run)
        if held != "again":
            _stop_if_away(tx, rule, run)
        return
    later_ms = _quiet_until(tx, rule, run.thing)
    if later_ms is not None:
        stored.add_run(tx, replace(run, outcome="put_off", due_at_ms=later_ms))
        return
    done = _act(tx, rule, run, verdict, attempt)
    if done is not None or seq is None:
        stored.add_run(tx, done or run)
    if done is not None:
        stored.add_effects(tx, run.id, [event.seq for event in tx.events])


def ask_again(tx: Tx, run_id: str, attempt: Attempt) -> bool:
    """Does what was put off, if it matches still; True when it was asked now."""
    attempt.at = None
    run = stored.take_run(tx, run_id)
    if run is None or run.due_at_ms is None or run.due_at_ms > tx.at_ms:
        return False
    rule = stored.load_rule(tx.connection, run.rule_id)
    customer_id = stored.customer_of(tx.connection, run.thing)
    since = run.cause.rpartition(":")[2] if run.seq is None else ""
    thing = replace(run.thing, customer_id=customer_id, since_ms=int(since) if since else None)
    run = replace(run, due_at_ms=None, thing=thing)
    _lock(tx, run.thing)
    verdict = (
        _verdict(tx, rule, run.thing)
        if rule is not None and rule.enabled
        else Verdict(matched=False)
    )
    if rule is None or not verdict.matched:
        stored.change_run(tx, replace(run, outcome="passed"))
        return True
    later_ms = _quiet_until(tx, rule, run.thing)
    if later_ms is not None:
        stored.change_run(tx, replace(run, due_at_ms=later_ms))
        return True
    done = _act(tx, rule, run, verdict, attempt)
    stored.change_run(tx, done or replace(run, outcome="passed"))
    stored.add_effects(tx, run.id, [event.seq for event in tx.events])
    return True


def note_broken(tx: Tx, asked: Ask) -> None:
    """Keeps that a rule met an error of the program, so that others go on and it is seen."""
    rule = stored.load_rule(tx.connection, asked.rule_id)
    if rule is None or stored.has_run(tx.connection, rule.id, asked.cause):
        return
    steps = [_told(step, "failed", "internal") for step in rule.plan.then]
    run = Run(
        id=tx.new_id(),
        rule_id=rule.id,
        version=rule.version,
        cause=asked.cause,
        thing=asked.thing,
        at_ms=tx.at_ms,
        outcome="failed",
        seq=asked.seq,
        steps=steps,
    )
    stored.add_run(tx, run)


def give_up(tx: Tx, run_id: str) -> None:
    """Keeps that what was put off met an error of the program, so that it is not tried for ever."""
    run = stored.take_run(tx, run_id)
    if run is not None:
        stored.change_run(tx, replace(run, outcome="failed", due_at_ms=None))


def forget_old(tx: Tx) -> int:
    """How many runs of more than 90 days ago were removed, a few at a time."""
    return stored.forget_runs(tx, before_ms=tx.at_ms - KEEP_MS, limit=FORGET_AT_ONCE)


def _lock(tx: Tx, thing: Thing) -> None:
    """Nobody changes what a rule looks at while it acts."""
    if thing.conversation_id is not None:
        tx.conversation(thing.conversation_id)


def _verdict(tx: Tx, rule: Rule, thing: Thing) -> Verdict:
    if thing.customer_id and erased_at_ms(tx.connection, thing.customer_id):
        return Verdict(matched=False)
    # Somebody may have answered, or ordered, in the meantime.
    if not stored.still_due(tx.connection, rule, thing):
        return Verdict(matched=False)
    if rule.plan.trigger.time == "silent" and not _people_spoke_last(tx, thing):
        return Verdict(matched=False)
    ground = rule_facts.Ground(tx.connection, [thing], at_ms=tx.at_ms)
    return ground.verdict(thing, rule.plan.when)


def _people_spoke_last(tx: Tx, thing: Thing) -> bool:
    """A bot's words end a silence: or it would break the silence behind its own words again."""
    talk = tx.conversation(thing.id)
    last = talk.last_message if talk else None
    return last is not None and last.author_kind in ("customer", "agent")


def _act(tx: Tx, rule: Rule, run: Run, verdict: Verdict, attempt: Attempt) -> Run | None:
    """What a rule did, None when everything was so already."""
    thing = run.thing
    told: list[Json] = []
    did: list[Step] = []
    failed: list[Step] = []
    receivers: list[str] = []
    for number, step in enumerate(rule.plan.then):
        if number in attempt.failed:
            told.append(_told(step, "failed", attempt.failed[number]))
            failed.append(step)
            continue
        if thing.kind not in ACTIONS[step.do].on:
            told.append(_told(step, "skipped"))
            continue
        attempt.at = number
        if step.do == "send_webhook":
            receivers.append(_receiver(tx, step))
            changed = True
        else:
            changed = _DO[step.do](tx, thing, step, rule)
        told.append(_told(step, "done" if changed else "nothing"))
        if changed:
            did.append(step)
    attempt.at = None
    if not did and not failed:
        return None
    if did:
        event = _record(tx, rule, run, verdict.because, did=did, failed=failed)
        webhooks.queue_deliveries(
            tx,
            [
                Wanted(
                    id=delivery_id(receiver, event.event_id),
                    webhook_id=receiver,
                    kind=event.kind,
                    seq=event.seq,
                    conversation_id=event.conversation_id,
                )
                for receiver in dict.fromkeys(receivers)
            ],
        )
    outcome = "done" if not failed else "partly" if did else "failed"
    why = [domain.clause_json(one) for one in verdict.because]
    return replace(run, outcome=outcome, version=rule.version, at_ms=tx.at_ms, why=why, steps=told)


def _record(
    tx: Tx,
    rule: Rule,
    run: Run,
    because: tuple[Clause, ...],
    *,
    did: list[Step],
    failed: list[Step],
) -> Event:
    names = rule_words.names_of(tx.connection)
    english, chinese = rule_words.applied_words(
        rule.plan, because, did=did, failed=failed, names=names
    )
    data = RuleApplied(
        rule_id=rule.id,
        version=rule.version,
        run_id=run.id,
        rule=rule.plan.name,
        en=english,
        zh=chinese,
    )
    if run.thing.conversation_id is None:
        return tx.record(RULES, data, customer_id=run.thing.customer_id)
    return tx.record(RULES, data, conversation=_talk(tx, run.thing))


def _stop_if_away(tx: Tx, rule: Rule, run: Run) -> None:
    if domain.runs_away(stored.runs_held(tx.connection, run, since_ms=tx.at_ms - HOUR_MS)):
        away = replace(rule, enabled=False, stopped="runaway")
        stored.change_rule(tx, away, change="stopped", by_id=None)


def _told(step: Step, outcome: str, error: str | None = None) -> Json:
    """What became of an action, as its run keeps it; texts are in the version of the rule."""
    kept = domain.step_json(step)
    for key, param in ACTIONS[step.do].params.items():
        if param.kind == "text":
            kept.pop(key, None)
    return kept | {"outcome": outcome} | ({"error": error} if error else {})


# the actions


def _talk(tx: Tx, thing: Thing) -> Conversation:
    """The chat or thread as it is now. Raises NotFound."""
    talk = tx.conversation(thing.id)
    if talk is None:
        raise NotFound("There is no such conversation.")
    return talk


def _ticket(tx: Tx, thing: Thing) -> Ticket:
    return ticket_moves.access_ticket(tx, RULES, thing.id)


def _text(step: Step, key: str) -> str:
    return str(step.params.get(key) or "")


def _set_priority(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    ticket = _ticket(tx, thing)
    wanted = _text(step, "priority")
    if wanted != ticket.priority and not may_set_priority(ticket.priority_source, "rule"):
        raise Conflict("A person has set the priority.", reason="manual")
    if wanted == ticket.priority:
        return False
    return tickets.set_priority(tx, RULES, ticket, wanted, source="rule")


def _assign_agent(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    agent_id = _text(step, "agent")
    person = people.load_person(tx.connection, agent_id)
    if person is None or not person.active:
        raise NotFound("There is no such agent.", reason="agent_gone")
    talk = _talk(tx, thing)
    if talk.owner.kind == "agent" and talk.owner.id == agent_id:
        return False
    if thing.kind == "ticket":
        payload = {"ticket_id": thing.id, "assignee_id": agent_id}
        tickets.change(tx, RULES, parse(tickets.ChangeTicket, payload))
    else:
        to = {"conversation_id": thing.id, "agent_id": agent_id}
        conversations.transfer(tx, RULES, parse(conversations.Transfer, to))
    return True


def _assign_team(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    team_id = _text(step, "team")
    if thing.kind == "ticket":
        if _ticket(tx, thing).team_id == team_id:
            return False
        payload = {"ticket_id": thing.id, "team_id": team_id}
        tickets.change(tx, RULES, parse(tickets.ChangeTicket, payload))
        return True
    talk = _talk(tx, thing)
    if talk.team_id == team_id and (talk.queued_at_ms is not None or talk.owner.kind == "agent"):
        return False
    to = {"conversation_id": thing.id, "team_id": team_id}
    conversations.transfer(tx, RULES, parse(conversations.Transfer, to))
    return True


def _tag(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    before = _talk(tx, thing).tags
    named = step.params["tags"]
    tags = list(named) if isinstance(named, tuple) else []
    added = {"add": tags} if step.do == "add_tag" else {"remove": tags}
    if step.do == "add_tag" and len({*before, *tags}) > conversations.MAX_TAGS:
        raise Conflict("At most 20 tags.", reason="too_many_tags")
    payload = parse(conversations.Tag, {"conversation_id": thing.id} | added)
    conversations.tag(tx, RULES, payload)
    return _talk(tx, thing).tags != before


def _set_type(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    if _ticket(tx, thing).type == _text(step, "type"):
        return False
    return _changed(tx, thing, {"type": _text(step, "type")})


def _set_field(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    return _changed(tx, thing, {"fields": {_text(step, "key"): _text(step, "value")}})


def _changed(tx: Tx, thing: Thing, values: Json) -> bool:
    """True when changing a ticket so was told in the log."""
    before = len(tx.events)
    payload = parse(tickets.ChangeTicket, {"ticket_id": thing.id} | values)
    tickets.change(tx, RULES, payload)
    return len(tx.events) > before


def _make_ticket(tx: Tx, thing: Thing, step: Step, rule: Rule) -> bool:
    kind = load_types(tx.connection).get(_text(step, "type"))
    if kind is None or not kind.active:
        raise NotFound("There is no such type of ticket.")
    if thing.customer_id is None:
        raise NotFound("There is no customer.")
    link = {"chat": "conversation", "ticket": "ticket", "order": "order"}.get(thing.kind)
    rows = persons.members(tx.connection, persons.person_of(tx.connection, thing.customer_id))
    if _is_promised(tx, thing, kind.id, link, rows):
        return False
    talk = tx.conversation(thing.conversation_id) if thing.conversation_id else None
    customer = customers.load_customer(tx.connection, thing.customer_id)
    subject = _filled(tx, thing, _text(step, "subject"), rule_words.shop_locale(tx.connection))
    ticket = ticket_moves.begin(
        tx,
        RULES,
        customer_id=thing.customer_id,
        kind=kind.id,
        words=TicketWords(subject[: tickets.MAX_SUBJECT_CHARS], {}),
        searched=f"{subject} {customer.name if customer and customer.name else ''}",
        source="rule",
        priority=_text(step, "priority") or kind.priority,
        priority_source="rule" if step.params.get("priority") else "default",
        team_id=_text(step, "team") or kind.team_id,
        locale=talk.locale if talk else customer.locale if customer else None,
    )
    if link is not None:
        ticket_moves.connect(tx, RULES, ticket, link, thing.id)
    if thing.kind == "order":
        order = orders.order_by_id(tx.connection, thing.id)
        ticket_rows.find_by(tx, ticket.id, str(order["number"]) if order else "")
    body = f"{rule_words.made_by(tx.connection, rule.plan.name)}\n{_text(step, 'text')}".strip()
    thread = ticket_moves.thread_of(tx, ticket)
    messages.put(tx, BOT, thread, client_id=None, body=body, visibility="private", origin="bot")
    return True


def _is_promised(tx: Tx, thing: Thing, kind: str, link: str | None, rows: tuple[str, ...]) -> bool:
    """True when an open ticket of this type is about the same already."""
    if link is None:
        open_ones = ticket_rows.alike(tx.connection, rows, order_id=None)
    else:
        open_ones = ticket_rows.linked_to(tx.connection, link, [thing.id])
    found = (ticket_rows.load_ticket(tx.connection, key) for key in open_ones)
    return any(one is not None and one.type == kind and not one.over for one in found)


def _post(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    if thing.customer_id is None:
        raise NotFound("There is no customer.")
    person = persons.person_of(tx.connection, thing.customer_id)
    rows = persons.members(tx.connection, person)
    if notes.blocked_among(tx.connection, rows):
        raise Conflict("This customer is blocked.", reason="blocked")
    wanted = notes.preference_of(tx.connection, rows)
    talk = tx.conversation(thing.conversation_id) if thing.conversation_id else None
    if talk is None and wanted is not None and wanted.channel == "none":
        raise Conflict("The customer does not want to be written to.", reason="no_contact")
    if thing.kind == "cart" and not any(
        consents.allowed(tx.connection, rows, purpose)
        for purpose in ("marketing_email", "marketing_sms")
    ):
        raise Conflict("The customer has not agreed to offers.", reason="no_consent")
    top = customers.load_customer(tx.connection, person)
    spoken = (talk.locale if talk else None) or (top.locale if top else None)
    language = _language(tx, spoken)
    text = _text(step, language) or _text(step, "en") or _text(step, "zh")
    body = _filled(tx, thing, text, language)
    # What staff join may be two shoppers: only whose it is reads it.
    thread = talk or _thread_with(tx, persons.rows_seen_with(tx.connection, thing.customer_id))
    if thread.status in ("closed", "spam"):
        raise Conflict("It is over.", reason="over")
    messages.put(tx, BOT, thread, client_id=None, body=body, origin="bot")
    return True


def _thread_with(tx: Tx, rows: tuple[str, ...]) -> Conversation:
    """The chat that goes on with a shopper, else a new one that counts once they answer."""
    for key in directory.open_conversations(tx.connection, RULES, rows):
        talk = tx.conversation(key)
        if talk is not None and talk.channel != CHANNEL:
            return talk
    row = customers.load_customer(tx.connection, directory.reachable_row(tx.connection, rows))
    if row is None:
        raise NotFound("There is no such customer.")
    opened = ConversationOpened(initiator="campaign", locale=row.locale)
    return tx.open_conversation(BOT, opened, customer_id=row.id)


def _note(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    _put_note(tx, thing, _text(step, "text"))
    return True


def _notify(tx: Tx, thing: Thing, step: Step, rule: Rule) -> bool:
    who = _text(step, "who")
    talk = _talk(tx, thing)
    if who == OWNER:
        who = (talk.owner.id or "") if talk.owner.kind == "agent" else ""
        if not who:
            raise NotFound("Nobody owns it.", reason="no_owner")
    person = people.load_person(tx.connection, who)
    if person is None or not person.active:
        raise NotFound("There is no such agent.", reason="agent_gone")
    _put_note(tx, thing, f"@{person.name} {_text(step, 'text') or rule.plan.name}")
    if thing.kind == "ticket" and person.id not in ticket_rows.watchers_of(tx.connection, thing.id):
        ticket_rows.set_watching(tx, thing.id, person.id, watching=True)
        tx.record(RULES, TicketWatched(agent_id=person.id), conversation=_talk(tx, thing))
    return True


def _put_note(tx: Tx, thing: Thing, body: str) -> None:
    messages.put(
        tx, BOT, _talk(tx, thing), client_id=None, body=body, visibility="private", origin="bot"
    )


def _receiver(tx: Tx, step: Step) -> str:
    webhook = webhooks.load_webhook(tx.connection, _text(step, "webhook"))
    if webhook is None:
        raise NotFound("There is no such receiver.")
    if webhook.health.state != "active":
        raise Conflict("The receiver is switched off.", reason="webhook_off")
    return webhook.id


def _snooze(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    minutes = step.params["minutes"]
    until_ms = tx.at_ms + (minutes if isinstance(minutes, int) else 0) * MINUTE_MS
    if thing.kind == "ticket":
        ticket = _ticket(tx, thing)
        if ticket.over:
            raise Conflict("It is over.", reason="over")
        if ticket.state == "on_hold":
            return False
        ticket_moves.set_state(tx, RULES, ticket, "on_hold", until_ms=until_ms)
        return True
    talk = _talk(tx, thing)
    if talk.status in ENDED:
        raise Conflict("It is over.", reason="over")
    if talk.status == "snoozed":
        return False
    later = {"conversation_id": thing.id, "until_ms": until_ms}
    conversations.snooze(tx, RULES, parse(conversations.Snooze, later))
    return True


def _close(tx: Tx, thing: Thing, step: Step, _: Rule) -> bool:
    reason = _text(step, "reason")
    if thing.kind == "ticket":
        ticket = _ticket(tx, thing)
        if ticket.over:
            return False
        words = _text(step, "text") or None
        ticket_moves.set_state(tx, RULES, ticket, "resolved", reason=reason, words=words)
        return True
    talk = _talk(tx, thing)
    if talk.status in ENDED:
        return False
    if talk.turn is not None:
        needless = ticket_moves.needless(reason)
        if needless is None:
            raise Conflict("The customer waits for an answer.", reason="waits")
        dismissed = {"conversation_id": thing.id, "reason": needless}
        conversations.dismiss_turn(tx, RULES, parse(conversations.Dismiss, dismissed))
    conversations.resolve(tx, RULES, ConversationRef(conversation_id=thing.id))
    return True


Do = Callable[[Tx, Thing, Step, Rule], bool]
# True when something was changed. Sending a webhook follows once the rule has been written down.
_DO: Mapping[str, Do] = {
    "set_priority": _set_priority,
    "assign_agent": _assign_agent,
    "assign_team": _assign_team,
    "add_tag": _tag,
    "remove_tag": _tag,
    "set_type": _set_type,
    "set_field": _set_field,
    "make_ticket": _make_ticket,
    "post_message": _post,
    "note": _note,
    "notify": _notify,
    "snooze": _snooze,
    "close": _close,
}
assert {*_DO, "send_webhook"} == {*ACTIONS}


# words to shoppers


def _language(tx: Tx, spoken: str | None) -> str:
    return "zh" if (spoken or rule_words.shop_locale(tx.connection)).startswith("zh") else "en"


def _filled(tx: Tx, thing: Thing, text: str, language: str) -> str:
    """The text with what is known in it. Raises Conflict when something would stay open."""
    values = rule_facts.words_for(tx.connection, thing, locale=language)
    ticket = tx.ticket(thing.id) if thing.kind == "ticket" else None
    if ticket is not None:
        text = text.replace("{ticket.number}", ticket.number)
    body = filled(text, values)
    if left_open(body) or "{ticket.number}" in body:
        raise Conflict("Not everything in the message is known.", reason="words_open")
    return body


def _quiet_until(tx: Tx, rule: Rule, thing: Thing) -> int | None:
    """When a customer may be written to again, None when a rule writes nothing or may do so now.

    Who has just written waits for words, not for quiet.
    """
    writes = any(step.do == "post_message" for step in rule.plan.then)
    if not writes or thing.customer_id is None:
        return None
    talk = tx.conversation(thing.conversation_id) if thing.conversation_id else None
    last = talk.last_message if talk else None
    if last is not None and last.author_kind == "customer" and tx.at_ms - last.at_ms < THERE_MS:
        return None
    rows = persons.members(tx.connection, persons.person_of(tx.connection, thing.customer_id))
    return reach.quiet_end_ms(tx.connection, rows, at_ms=tx.at_ms)
