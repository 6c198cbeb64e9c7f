"""Decides from what clients wrote down whether the promise of delivery was kept.

It knows nothing of the server: it compares what was acknowledged, what each client showed, and what
the log tells at the end.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple  # Any: JSON values

Json = dict[str, Any]  # Any: JSON values


@dataclass(slots=True)
class Sent:
    """A message of a sender; ``answers`` are all acknowledgements that came, resends included."""

    client_id: str
    visibility: str = "public"
    answers: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Record:
    """What one client did and saw: its messages in order, and the envelopes it showed."""

    name: str
    audience: str
    sent: list[Sent] = field(default_factory=list)
    shown: dict[str, list[Json]] = field(default_factory=dict)


# audience -> conversation -> its envelopes, as a fresh client reads them at the end
Final = Mapping[str, Mapping[str, Sequence[Json]]]


class Fault(NamedTuple):
    """A broken promise: ``kind`` is lost, doubled, reordered or other."""

    kind: str
    told: str


def faults(records: Sequence[Record], final: Final) -> list[Fault]:
    """Every broken promise; [] is what we want."""
    return [
        *_sequences(final),
        *(fault for record in records for fault in _delivered(record, final)),
        *(fault for record in records for fault in _shown(record, final)),
        *_audiences_agree(final),
    ]


def message_of(envelope: Json) -> Json | None:
    """The message in an envelope, if it carries one."""
    return envelope["data"]["message"] if envelope["kind"] == "message.posted" else None


def _sequences(final: Final) -> list[Fault]:
    found = []
    for audience, conversations in final.items():
        for conversation_id, envelopes in conversations.items():
            numbers = [envelope["conversation_seq"] for envelope in envelopes]
            if numbers != list(range(1, len(numbers) + 1)):
                told = f"{audience} {conversation_id}: sequence {numbers} is not 1..n"
                found.append(Fault("other", told))
            times = [envelope["at_ms"] for envelope in envelopes]
            if times != sorted(times):
                found.append(Fault("other", f"{audience} {conversation_id}: times go back"))
    return found


def _delivered(record: Record, final: Final) -> list[Fault]:
    """Acknowledged messages that are lost, twice, elsewhere than answered, or out of order."""
    found = []
    places = _places(final[record.audience])
    order: dict[str, list[int]] = {}
    for sent in record.sent:
        name = f"{record.name}: {sent.client_id}"
        there = places.get(sent.client_id, [])
        if len(there) > 1:
            found.append(Fault("doubled", f"{name} is there {len(there)} times"))
        if sent.answers and not there:
            found.append(Fault("lost", f"{name} was acknowledged and is lost"))
        told = [
            (a["conversation_id"], a["conversation_seq"], a["message_id"]) for a in sent.answers
        ]
        found += [
            Fault("other", f"{name} answered {t}, is {there[0]}")
            for t in told
            if there and t != there[0]
        ]
        for conversation_id, number, _ in there[:1]:
            order.setdefault(conversation_id, []).append(number)
    found += [
        Fault("reordered", f"{record.name}: {before} after {after} in {conversation_id}")
        for conversation_id, numbers in order.items()
        for after, before in itertools.pairwise(numbers)
        if after > before
    ]
    return found


def _places(conversations: Mapping[str, Sequence[Json]]) -> dict[str, list[tuple[str, int, str]]]:
    """Where each client_id is: conversation, number, message."""
    places: dict[str, list[tuple[str, int, str]]] = {}
    for conversation_id, envelopes in conversations.items():
        for envelope in envelopes:
            message = message_of(envelope)
            if message is not None:
                place = (conversation_id, envelope["conversation_seq"], message["id"])
                places.setdefault(message["client_id"], []).append(place)
    return places


def _shown(record: Record, final: Final) -> list[Fault]:
    """What a client showed that differs from the log: gaps, doubles, wrong order, other content."""
    found = []
    for conversation_id, envelopes in record.shown.items():
        truth = final[record.audience].get(conversation_id, [])
        mine = [_essence(envelope) for envelope in envelopes]
        real = [_essence(envelope) for envelope in truth]
        if mine != real:
            first = next(
                (i for i, (a, b) in enumerate(zip(mine, real, strict=False)) if a != b), None
            )
            kind = "lost" if first is None and len(mine) < len(real) else "other"
            told = (
                f"{record.name}: showed {len(mine)} of {len(real)} events of {conversation_id},"
                f" first difference at {first}"
            )
            found.append(Fault(kind, told))
    if record.audience == "agent":
        unseen = final["agent"].keys() - record.shown.keys()
        found += [
            Fault("lost", f"{record.name}: never saw {conversation_id}")
            for conversation_id in unseen
        ]
    return found


def _essence(envelope: Json) -> tuple[object, ...]:
    message = message_of(envelope)
    return (
        envelope["conversation_seq"],
        envelope["seq"],
        envelope["kind"],
        envelope["at_ms"],
        (message["id"], message["body"]) if message else None,
    )


def _audiences_agree(final: Final) -> list[Fault]:
    """The shopper's messages are the staff's public ones, in the same order."""
    found = []
    for conversation_id, envelopes in final["visitor"].items():
        staff = final["agent"].get(conversation_id, [])
        public = [m["id"] for e in staff if (m := message_of(e)) and m["visibility"] == "public"]
        theirs = [m["id"] for e in envelopes if (m := message_of(e))]
        if public != theirs:
            told = f"{conversation_id}: shopper and staff see different messages"
            found.append(Fault("other", told))
    return found


@dataclass(frozen=True, slots=True)
class Totals:
    """What was tried and what became of it, as numbers that add up over runs."""

    sent: int
    acknowledged: int
    answered_again: int
    lost: int
    doubled: int
    reordered: int
    other_faults: int


def totals(records: Sequence[Record], found: Sequence[Fault]) -> Totals:
    """How much was tried, and how many faults of each kind there were."""
    sent = [sent for record in records for sent in record.sent]
    kinds = Counter(fault.kind for fault in found)
    return Totals(
        sent=len(sent),
        acknowledged=sum(bool(s.answers) for s in sent),
        answered_again=sum(len(s.answers) > 1 for s in sent),
        lost=kinds["lost"],
        doubled=kinds["doubled"],
        reordered=kinds["reordered"],
        other_faults=kinds["other"],
    )
