"""The history of a ticket in words: who did what, in the language of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any  # Any: JSON values

from agent_ui.render import Locale, has_sentence, local_time, sentence
from server.domain.events import (
    AssignmentAccepted,
    AssignmentChanged,
    AssignmentEnded,
    Event,
    RuleApplied,
    TicketChanged,
    TicketClosing,
    TicketCreated,
    TicketLinked,
    TicketMerged,
    TicketMoved,
    TicketPriorityChanged,
    TicketSplit,
    TicketStateChanged,
    TicketTaskChanged,
    TicketTookIn,
    TicketUnlinked,
    TicketWatched,
)
from server.domain.ticket_types import TicketType
from server.storage.ticket_types import Status


@dataclass(frozen=True, slots=True)
class Told:
    """What sentences about a ticket name: people, teams, tickets, types, states, tasks."""

    locale: Locale
    timezone: str
    names: Mapping[str, str]
    teams: Mapping[str, str]
    numbers: Mapping[str, str]
    kinds: Mapping[str, TicketType]
    statuses: Mapping[str, Status]
    tasks: Mapping[str, str]
    whom: Mapping[str, str]
    customer: str

    @property
    def at(self) -> int:
        """Which of two words is in the language."""
        return 1 if self.locale == "zh" else 0

    def person(self, agent_id: str | None) -> str:
        """The name of a person, or that it is nobody."""
        return self.names.get(agent_id or "") or self.say("nobody")

    def team(self, team_id: str | None) -> str:
        """The name of a team, or that it is no team."""
        return self.teams.get(team_id or "") or self.say("no_team")

    def number(self, ticket_id: str) -> str:
        """The number of a ticket."""
        return self.numbers.get(ticket_id, "…")

    def kind(self, type_id: str) -> str:
        """The name of a type."""
        found = self.kinds.get(type_id)
        return found.words[self.at] if found else type_id

    def state(self, state: str, status: str | None = None) -> str:
        """The name of a state, the shop's own where it has one."""
        found = self.statuses.get(status or "")
        return found.words[self.at] if found else sentence(self.locale, f"tickets.state.{state}")

    def say(self, key: str, **args: object) -> str:
        """A sentence about what was done."""
        return sentence(self.locale, f"tickets.did.{key}", **args)


Note = Mapping[str, Any]  # Any: JSON values


def in_words(event: Event, note: Note | None, told: Told) -> str | None:
    """What happened as a sentence without who did it; None for what needs none."""
    speak = _SENTENCES.get(type(event.data))
    return None if speak is None else speak(event, event.data, note or {}, told)


def _created(_: Event, data: TicketCreated, __: Note, told: Told) -> str:
    parent = told.number(data.parent) if data.parent else ""
    key = f"created_{data.source}"
    known = key if has_sentence(told.locale, f"tickets.did.{key}") else "created"
    return told.say(known, kind=told.kind(data.type), parent=parent)


def _priority(_: Event, data: TicketPriorityChanged, __: Note, told: Told) -> str:
    return told.say(
        "priority",
        to=sentence(told.locale, f"tickets.priority.{data.to}"),
        why=sentence(told.locale, f"tickets.why.{data.source}"),
    )


def _owned(event: Event, data: AssignmentAccepted | AssignmentChanged, _: Note, told: Told) -> str:
    owner = data.to or event.actor_id
    return (
        told.say("took") if owner == event.actor_id else told.say("gave", name=told.person(owner))
    )


def _merged(_: Event, data: TicketMerged, __: Note, told: Told) -> str:
    return told.say("unmerged" if data.undone else "merged", number=told.number(data.into))


def _took_in(_: Event, data: TicketTookIn, __: Note, told: Told) -> str:
    return told.say("gave_back" if data.undone else "took_in", number=told.number(data.ticket_id))


def _task(_: Event, data: TicketTaskChanged, __: Note, told: Told) -> str:
    title = told.tasks.get(data.task_id) or "…"
    if data.state == "open" and data.team_id is None:
        # A colleague was asked, or nobody in particular.
        whom = told.whom.get(data.task_id)
        if whom is None:
            return told.say("task_anybody", title=title)
        return told.say("task_for", title=title, name=told.person(whom))
    return told.say(f"task_{data.state}", title=title, team=told.team(data.team_id))


def _state(_: Event, data: TicketStateChanged, note: Note, told: Told) -> str | None:
    if data.from_ is None or "merged" in (data.to, data.from_):
        return None
    text = told.say("state", to=told.state(data.to, data.status))
    if data.until_ms is not None:
        when = local_time(told.locale, data.until_ms, told.timezone)
        text += told.say("until", when=when)
    if data.reason is not None:
        text += told.say("because", why=sentence(told.locale, f"tickets.reason.{data.reason}"))
    words = note.get("reason")
    return f"{text} – {words}" if words else text


def _changed(_: Event, data: TicketChanged, note: Note, told: Told) -> str:
    before, after = note.get("before", {}), note.get("after", {})
    parts = []
    if data.type is not None:
        parts.append(told.say("retyped", kind=told.kind(data.type)))
    fields = {one.key: one for kind in told.kinds.values() for one in kind.fields}
    for name in data.fields:
        key = name.removeprefix("fields.")
        known = fields.get(key)
        label = told.say("subject") if name == "subject" else known.words[told.at] if known else key
        old, new = before.get(name), after.get(name)
        if known is not None and known.choices:
            words = {value: said[told.at] for value, said in known.choices}
            old, new = words.get(str(old), old), words.get(str(new), new)
        if not note:
            parts.append(told.say("changed", field=label))
        elif old in (None, ""):
            parts.append(told.say("set", field=label, new=new))
        elif new in (None, ""):
            parts.append(told.say("cleared", field=label, old=old))
        else:
            parts.append(told.say("replaced", field=label, old=old, new=new))
    return ("；" if told.at else "; ").join(parts)


def _linked(_: Event, data: TicketLinked | TicketUnlinked, __: Note, told: Told) -> str:
    what = sentence(told.locale, f"tickets.link.{data.link}")
    if data.link == "ticket":
        what = f"{what} {told.number(data.target)}"
    elif data.link == "product":
        what = f"{what} {data.target}"
    return told.say("linked" if isinstance(data, TicketLinked) else "unlinked", what=what)


# What is said of each kind of event; kinds that are not here need no words.
_SENTENCES: Mapping[type, Callable[[Event, Any, Note, Told], str | None]] = {  # Any: own data
    TicketCreated: _created,
    TicketStateChanged: _state,
    TicketPriorityChanged: _priority,
    TicketChanged: _changed,
    TicketMoved: lambda _, data, __, told: told.say("moved", team=told.team(data.team_id)),
    AssignmentAccepted: _owned,
    AssignmentChanged: _owned,
    AssignmentEnded: lambda _, data, __, told: told.say("gave_up") if data.from_ else None,
    TicketLinked: _linked,
    TicketUnlinked: _linked,
    TicketMerged: _merged,
    TicketTookIn: _took_in,
    TicketSplit: lambda _, data, __, told: told.say(
        "split", number=told.number(data.into), n=data.messages
    ),
    TicketTaskChanged: _task,
    TicketWatched: lambda _, data, __, told: told.say("watched" if data.watching else "unwatched"),
    TicketClosing: lambda _, data, __, told: told.say(f"closing_{data.step}"),
    RuleApplied: lambda _, data, __, told: (data.en, data.zh)[told.at],
}
