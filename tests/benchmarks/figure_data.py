"""A shop's years of chats as the columns of figures, and the latest weeks of its log as well.

Everything follows from a few arrays that are drawn at once for a day. The columns are what folding
the log would give: ``bench_figures`` compares a sample. Older days have no log, which reports do
not look at; a log of a million chats would only take longer to write.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any  # Any: numbers

import numpy as np
import numpy.typing as npt
import orjson

from server.domain.spans import DAY_MS
from server.storage.columns import Column, Texts
from server.storage.facts import KINDS, AnyRow, number_of

Ints = npt.NDArray[np.int64]

FIRST_DAY = 19_700
AGENTS = tuple(f"agent-{n:02}" for n in range(20))
TEAMS = ("team-a", "team-b")
CHANNELS = ("chat", "email")
CUSTOMERS = 300_000
SKUS = 500
HEAD_EVENTS = 4
FOCUSED_MS = 25_000


@dataclass(frozen=True, slots=True)
class Day:
    """The chats of one day of UTC. Lists of turns stand one behind the other, ``chat`` says whose.

    A chat that was given up has one turn, which ``end`` gives the time of leaving of.
    """

    day: int
    first_seq: Ints
    start: Ints
    agent: Ints
    team: Ints
    channel: Ints
    customer: Ints
    given_up: npt.NDArray[np.bool_]
    accepted: Ints
    turns: Ints
    chat: Ints
    turn_no: Ints
    ask: Ints
    end: Ints
    ask_seq: Ints
    resolved: Ints
    last_seq: Ints
    next_seq: int
    paid_at: Ints
    buyer: Ints
    amount: Ints


def days(chats: int, number: int, *, seed: int = 1) -> Iterator[Day]:
    """So many chats over a number of days, in the order of time."""
    draw = np.random.default_rng(seed)
    seq = 1
    for day in range(number):
        count = chats * (day + 1) // number - chats * day // number
        yield (made := _day(draw, FIRST_DAY + day, count, seq))
        seq = made.next_seq


def _span(draw: np.random.Generator, median_s: float, n: int) -> Ints:
    return np.asarray(draw.lognormal(np.log(median_s * 1000), 0.9, n), np.int64)


def _day(draw: np.random.Generator, day: int, n: int, seq: int) -> Day:
    start = np.sort(day * DAY_MS + draw.integers(0, 14 * 3_600_000, n))
    given_up = draw.random(n) < 0.03
    turns = np.where(given_up, 1, 1 + draw.poisson(2.46, n))
    queue = _span(draw, 20, n)
    events = HEAD_EVENTS + np.where(given_up, 1, 2 * turns + 2)
    first_seq = seq + np.concatenate([[0], np.cumsum(events)[:-1]])
    chat = np.repeat(np.arange(n), turns)
    ends = np.cumsum(turns)
    turn_no = np.arange(len(chat)) - np.repeat(ends - turns, turns) + 1
    wait = _span(draw, 40, len(chat))
    gap = np.where(turn_no == 1, 0, _span(draw, 60, len(chat)))
    wait += np.where(turn_no == 1, queue[chat], 0)
    wait = np.where(given_up[chat], queue[chat], wait)
    # Each turn ends gap and wait after the one before.
    run = np.cumsum(gap + wait)
    before = np.repeat((run - gap - wait)[ends - turns], turns)
    end = start[chat] + run - before
    ask = end - wait
    ask_seq = np.where(  # the opening, session, question and queue come first
        turn_no == 1, first_seq[chat] + 2, first_seq[chat] + HEAD_EVENTS + 2 * turn_no - 2
    )
    customer = draw.integers(0, CUSTOMERS, n)
    resolved = np.where(given_up, -1, end[ends - 1] + 30_000)
    # Half of the orders are of who had a chat that day, some hours later; half of anybody.
    soon = np.where(given_up, start, resolved) + _span(draw, 3 * 3600, n)
    paid_at = np.concatenate([soon, day * DAY_MS + draw.integers(0, DAY_MS, n)])
    paid_at = np.minimum(paid_at, (day + 1) * DAY_MS - 1)
    return Day(
        day=day,
        first_seq=first_seq,
        start=start,
        agent=draw.integers(0, len(AGENTS), n),
        team=draw.integers(0, len(TEAMS), n),
        channel=(draw.random(n) < 0.1).astype(np.int64),
        customer=customer,
        given_up=given_up,
        accepted=start + queue,
        turns=turns,
        chat=chat,
        turn_no=turn_no,
        ask=ask,
        end=end,
        ask_seq=ask_seq,
        resolved=resolved,
        last_seq=first_seq + events - 1,
        next_seq=int(seq + events.sum()) + 2 * n + 2 * len(AGENTS),
        paid_at=paid_at,
        buyer=np.concatenate([customer, draw.integers(0, CUSTOMERS, n)]),
        amount=draw.integers(1_000, 90_000, 2 * n),
    )


def customer_keys() -> Ints:
    """The keys of all customers by their numbers."""
    return np.array([number_of(customer_id(n)) for n in range(CUSTOMERS)], np.int64)


def customer_id(number: int) -> str:
    """The id of a customer by number."""
    return f"customer-{number}"


def columns(made: Day, keys: Ints) -> dict[str, dict[str, Column]]:
    """The columns of a day by source."""
    chat, one = made.chat, np.arange(len(made.start))
    first = made.turn_no == 1
    agent = np.where(made.given_up, len(AGENTS), made.agent)
    own = np.flatnonzero(~made.given_up[chat])
    queued = np.flatnonzero(first)
    last_turn = np.cumsum(made.turns) - 1
    outcome = np.where(made.given_up, 1, 0)
    turn = _common(made, keys, chat, made.ask, agent) | {
        "turn_no": made.turn_no,
        "is_first_in_session": first,
        "outcome": Texts(outcome[chat].astype(np.int32), ("answered", "abandoned")),
        "end_at_ms": made.end,
        "queued": first,
        "customer_messages": np.ones(len(chat), np.int64),
    }
    of_share = np.concatenate([chat[queued], chat[own]])
    is_queue = np.arange(len(of_share)) < len(queued)
    starts = np.where(first, made.accepted[chat], made.ask)
    share = _common(
        made,
        keys,
        of_share,
        np.concatenate([made.ask[queued], made.ask[own]]),
        np.where(is_queue, len(AGENTS), agent[of_share]),
        whose=False,
    ) | {
        "turn_no": np.concatenate([made.turn_no[queued], made.turn_no[own]]),
        "kind": Texts(np.where(is_queue, 0, 1).astype(np.int32), ("queue", "agent")),
        "start_at_ms": np.concatenate([made.ask[queued], starts[own]]),
        "end_at_ms": np.concatenate([made.accepted, made.end[own]]),
        "done": np.concatenate([~made.given_up, np.ones(len(own), bool)]),
        "passed_on": np.zeros(len(of_share), bool),
    }
    first_end = made.end[last_turn - made.turns + 1]
    replied = np.where(made.given_up, -1, first_end)
    last_reply = np.where(made.given_up, -1, made.end[last_turn])
    by = Texts(agent.astype(np.int32), (*AGENTS, None))
    session = _common(made, keys, one, made.start, agent) | {
        "cause": Texts(np.zeros(len(one), np.int32), ("new",)),
        "ended_at_ms": made.resolved,
        "first_ask_at_ms": made.start,
        "first_end_at_ms": first_end,
        "first_outcome": Texts(outcome.astype(np.int32), ("answered", "abandoned")),
        "last_outcome": Texts(outcome.astype(np.int32), ("answered", "abandoned")),
        "last_owner_id": by,
        "customer_messages": made.turns,
        "reply_runs": np.where(made.given_up, 0, made.turns),
        "most_replies_by": by,
        "first_reply_at_ms": replied,
        "first_reply_by": by,
        "last_reply_at_ms": last_reply,
        "last_reply_by": by,
        "queued_at_ms": made.start,
        "transfers": np.zeros(len(one), np.int64),
        "last_public_at_ms": np.where(made.given_up, made.start, last_reply),
        "resolved_at_ms": made.resolved,
        "resolved_by": by,
    }
    of_message = np.concatenate([chat, chat[own]])
    asked = np.arange(len(of_message)) < len(chat)
    message = _common(
        made,
        keys,
        of_message,
        np.concatenate([made.ask, made.end[own]]),
        agent[of_message],
        whose=False,
    ) | {
        "seq": np.concatenate([made.ask_seq, _reply_seq(made)[own]]),
        "of_customer": asked,
        "starts_run": ~asked,
        "turn_no": np.concatenate([made.turn_no, made.turn_no[own]]),
    }
    waited = np.add.reduceat(made.end - made.ask, last_turn - made.turns + 1)
    case = _common(made, keys, one, made.start, agent) | {
        "waited_ms": waited,
        "first_resolved_at_ms": made.resolved,
        "first_resolved_by": by,
        "resolved_at_ms": made.resolved,
        "resolved_by": by,
        "reached_people": np.ones(len(one), bool),
    }
    mine = np.flatnonzero(~made.given_up)
    visit = _common(made, keys, one, made.start, agent) | {
        "ended_at_ms": made.resolved,
        "resolved_by": by,
        "last_reply_at_ms": last_reply,
        "bot": np.zeros(len(one), bool),
        "handed_off": np.zeros(len(one), bool),
    }
    answer = _common(made, keys, chat[own], made.start[chat[own]], agent) | {
        "turn_no": made.turn_no[own],
        "seq": _reply_seq(made)[own],
        "end_at_ms": made.end[own],
        "dismissal": np.zeros(len(own), bool),
        "chars": _chars(made)[own],
        "plain": np.ones(len(own), bool),
        "macro_only": np.zeros(len(own), bool),
    }
    handling = _common(made, keys, mine, made.start[mine], agent) | {
        "handle_ms": np.full(len(mine), FOCUSED_MS),
        "owned_ms": (made.resolved - made.accepted)[mine],
        "ended": np.ones(len(mine), bool),
    }
    owned = _common(made, keys, mine, made.start[mine], agent) | {
        "start_at_ms": made.accepted[mine],
        "end_at_ms": made.resolved[mine],
    }
    mark = {name: visit[name] for name in ("conversation", "at_ms", "last_seq", "last_at_ms")}
    made_ones = {
        "turn": turn,
        "share": share,
        "session": session,
        "message": message,
        "case": case,
        "visit": visit,
        "answer": answer,
        "handling": handling,
        "owned": owned,
        "mark": mark,
    }
    return {source: _filled(KINDS[source][1], made_ones[source]) for source in KINDS}


def _reply_seq(made: Day) -> Ints:
    return np.where(made.turn_no == 1, made.first_seq[made.chat] + 5, made.ask_seq + 1)


def _chars(made: Day) -> Ints:
    """How long replies are: some are as short as a greeting."""
    return 2 + (made.ask // 1000) % 40


def _common(
    made: Day, keys: Ints, chat: Ints, at_ms: Ints, agent: Ints, *, whose: bool = True
) -> dict[str, Column]:
    owners = agent[chat] if whose else agent
    left = np.where(made.given_up, made.accepted, made.resolved)
    return {
        "conversation": made.first_seq[chat],
        "customer": keys[made.customer[chat]],
        "channel": Texts(made.channel[chat].astype(np.int32), CHANNELS),
        "at_ms": at_ms,
        "session_no": np.ones(len(chat), np.int64),
        "team_id": Texts(made.team[chat].astype(np.int32), TEAMS),
        "agent_id": Texts(owners.astype(np.int32), (*AGENTS, None)),
        "labels": Texts(np.zeros(len(chat), np.int32), ("",)),
        "last_seq": made.last_seq[chat],
        "last_at_ms": left[chat],
    }


def _filled(kind: type[AnyRow], columns: dict[str, Column]) -> dict[str, Column]:
    """The columns with those that nothing was said of: times that did not come, nobody."""
    n = len(columns["at_ms"])
    for field in fields(kind):
        if field.name not in columns and field.name != "customer_id":
            nobody = "str" in str(field.type)
            columns[field.name] = (
                Texts(np.zeros(n, np.int32), (None,)) if nobody else np.full(n, -1, np.int64)
            )
    return columns


def event_rows(made: Day) -> Iterator[dict[str, Any]]:  # Any: column values
    """The log of a day, chat by chat."""
    ends, chars = np.cumsum(made.turns), _chars(made)
    for place in range(len(made.start)):
        seq, at = int(made.first_seq[place]), int(made.start[place])
        agent = AGENTS[made.agent[place]]
        customer = customer_id(int(made.customer[place]))
        team = TEAMS[made.team[place]]
        # (kind, at, who, which of the kinds of actors, data)
        steps: list[tuple[str, int, str | None, str, dict[str, Any]]] = [
            (
                "conversation.opened",
                at,
                customer,
                "customer",
                {"channel": CHANNELS[made.channel[place]]},
            ),
            ("session.started", at, None, "system", {"cause": "new"}),
            ("message.posted", at, customer, "customer", {"message_id": f"m{seq + 2}"}),
            ("queue.entered", at, None, "system", {"team_id": team}),
        ]
        if made.given_up[place]:
            steps.append(("customer.left", int(made.accepted[place]), None, "system", {}))
        else:
            accepted = int(made.accepted[place])
            steps.append(("assignment.accepted", accepted, agent, "agent", {"to": agent}))
            for turn in range(int(ends[place] - made.turns[place]), int(ends[place])):
                if made.turn_no[turn] > 1:
                    asked = {"message_id": f"m{made.ask_seq[turn]}"}
                    steps.append(
                        ("message.posted", int(made.ask[turn]), customer, "customer", asked)
                    )
                reply = {
                    "message_id": f"r{made.ask_seq[turn]}",
                    "origin": "typed",
                    "chars": int(chars[turn]),
                }
                steps.append(("message.posted", int(made.end[turn]), agent, "agent", reply))
            over = {"status": "resolved", "previous": "open"}
            at_end = int(made.resolved[place])
            focus = {"focused_ms": FOCUSED_MS}
            steps.append(("agent.focus_recorded", at_end - 1_000, agent, "agent", focus))
            steps.append(("conversation.status_changed", at_end, agent, "agent", over))
        for number, (kind, at_ms, actor, actor_kind, data) in enumerate(steps):
            yield {
                "seq": seq + number,
                "event_id": f"e{seq + number}",
                "at_ms": at_ms,
                "kind": kind,
                "conversation_id": conversation_id(seq),
                "session_no": 1 if number else None,
                "customer_id": customer,
                "actor_kind": actor_kind,
                "actor_id": actor,
                "channel": CHANNELS[made.channel[place]],
                "team_id": team if number >= 2 else None,
                "staff_seq": number + 1,
                "data": orjson.dumps(data).decode(),
                "imported": False,
                "v": 1,
            }


def log_rows(made: Day) -> Iterator[dict[str, Any]]:  # Any: column values
    """What the log of a day tells of no chat: orders that were paid, agents who came and went."""
    seq = made.next_seq - len(made.paid_at) - 2 * len(AGENTS)
    rows: list[tuple[int, str, str | None, str | None, dict[str, Any]]] = [
        (
            int(at_ms),
            "order.paid",
            customer_id(int(buyer)),
            None,
            {
                "order_id": f"order-{made.day}-{place}",
                "amount_minor": int(amount),
                "skus": _skus(int(amount), place),
            },
        )
        for place, (at_ms, buyer, amount) in enumerate(
            zip(made.paid_at, made.buyer, made.amount, strict=True)
        )
    ]
    for number, name in enumerate(AGENTS):
        for hour, status in ((number % 4, "online"), (number % 4 + 9, "offline")):
            at_ms = made.day * DAY_MS + hour * 3_600_000
            rows.append((at_ms, "agent.presence_changed", None, name, {"status": status}))
    for place, (at_ms, kind, customer, agent, data) in enumerate(rows):
        yield {
            "seq": seq + place,
            "event_id": f"e{seq + place}",
            "at_ms": at_ms,
            "kind": kind,
            "conversation_id": None,
            "session_no": None,
            "customer_id": customer,
            "actor_kind": "system" if agent is None else "agent",
            "actor_id": agent,
            "channel": None,
            "team_id": None,
            "staff_seq": None,
            "data": orjson.dumps(data).decode(),
            "imported": False,
            "v": 1,
        }


def _skus(amount: int, place: int) -> list[str]:
    """What an order is of: one to three of a catalogue, some of it far more often than the rest."""
    first = amount * amount // 90_000 * SKUS // 90_000
    return sorted({f"SKU-{(first + more * 7) % SKUS:04}" for more in range(1 + place % 3)})


def conversation_id(first_seq: int) -> str:
    """The id of a chat by the number of its first event."""
    return f"chat-{first_seq}"
