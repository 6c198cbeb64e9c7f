"""Rules in words: when they look, what they ask, what they did and why, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any  # Any: JSON values

from agent_ui.render import Locale, has_sentence, money, sentence
from server.domain.rule_fields import ACTIONS, FIELDS, OWNER, Field, Param, fields_with, own_field
from server.domain.rules import Clause, Plan, Step, Trigger, When
from server.storage import people, rules, saved_segments, webhooks
from server.storage.connection import Connection
from server.storage.shop import load_shop
from server.storage.ticket_types import load_types

Json = dict[str, Any]  # Any: JSON values
Words = tuple[str, str]
# Where the words of a choice stand, by the field.
_VALUES: Mapping[str, str] = {
    "ticket.priority": "tickets.priority",
    "ticket.state": "tickets.state",
    "customer.segment": "customers.segment",
    "customer.value_cell": "customers.cell",
    "customer.activity_stage": "customers.stage",
    "customer.relationship_stage": "customers.relationship",
    "customer.consent": "personal.purpose",
}
_HOUR, _DAY = 60, 24 * 60


@dataclass(frozen=True, slots=True)
class Names:
    """What ids stand for, by the list that they are of: English and Chinese."""

    lists: Mapping[str, Mapping[str, Words]] = field(default_factory=dict)
    currency: str = "EUR"
    nameless: bool = False
    fields: Mapping[str, Field] = field(default_factory=lambda: FIELDS)
    # Of the fields of the types of ticket: their names, and the words of what can be chosen.
    own: Mapping[str, tuple[Words, Mapping[str, Words]]] = field(default_factory=dict)

    def of(self, options: str | None, key: str, locale: Locale) -> str | None:
        """The name of an id, None where it is no id or nobody is called so."""
        if options is None:
            return None
        if self.nameless and options == "agent":
            return sentence(locale, "rules.a_colleague")
        found = self.lists.get(options, {}).get(key)
        return found[locale == "zh"] if found else sentence(locale, "rules.gone")

    @property
    def without_people(self) -> Names:
        """As they may stand in the log: colleagues have no names there."""
        return replace(self, nameless=True)


def names_of(connection: Connection) -> Names:
    """The names of all that a rule may refer to."""
    shop = load_shop(connection)
    types = load_types(connection)
    return Names(
        {
            "team": {
                team.id: (team.name, team.name_zh or team.name)
                for team in people.load_teams(connection)
            },
            "agent": {one.id: (one.name, one.name) for one in people.load_people(connection)},
            "type": {key: kind.words for key, kind in types.items()},
            "saved": {one.id: (one.name, one.name) for one in saved_segments.shared(connection)},
            "webhook": {one.id: (one.name, one.name) for one in webhooks.load_webhooks(connection)},
        },
        shop.currency if shop else "EUR",
        fields=fields_with(types.values()),
        own={
            f"ticket.field.{kind.id}.{one.key}": (one.words, dict(one.choices))
            for kind in types.values()
            for one in kind.fields
        },
    )


def shop_locale(connection: Connection) -> Locale:
    """The language in which the shop writes where no customer's is known."""
    shop = load_shop(connection)
    return "zh" if shop is not None and shop.locale.startswith("zh") else "en"


def made_by(connection: Connection, rule: str) -> str:
    """That a rule made something, for colleagues, in the shop's language."""
    return sentence(shop_locale(connection), "rules.made_by", rule=rule)


def trigger_words(locale: Locale, trigger: Trigger) -> str:
    """When a rule looks."""
    if trigger.time is not None:
        since = sentence(locale, f"rules.time.{trigger.time}")
        span = span_words(locale, trigger.minutes)
        return sentence(locale, "rules.time_said", span=span, since=since)
    return _listed(locale, [sentence(locale, f"rules.event.{name}") for name in trigger.events])


def span_words(locale: Locale, minutes: int) -> str:
    """So many minutes, as people say it.

    >>> span_words("en", 90), span_words("en", 1440), span_words("zh", 120)
    ('90 min', '1 day', '2 小时')
    """
    amount, unit = span_parts(minutes)
    return sentence(locale, f"rules.span.{unit}", n=amount)


def span_parts(minutes: int) -> tuple[int, str]:
    """An amount and the largest unit that it is whole in."""
    if minutes and minutes % _DAY == 0:
        return minutes // _DAY, "days"
    if minutes and minutes % _HOUR == 0:
        return minutes // _HOUR, "hours"
    return minutes, "minutes"


def when_words(locale: Locale, when: When, names: Names) -> list[str]:
    """Each group of conditions in words."""
    word = {"all": sentence(locale, "rules.why_and"), "any": sentence(locale, "rules.or")}
    return [
        word[group.join].join(clause_words(locale, one, names) for one in group.clauses)
        for group in when.groups
    ]


def clause_words(locale: Locale, clause: Clause, names: Names) -> str:
    """What a clause says."""
    about = field_words(locale, clause.field, names)
    if about is None:
        return clause.field
    values = [value_words(locale, clause.field, value, names) for value in clause.values]
    listed = _listed(locale, values)
    return sentence(locale, f"rules.clause.{clause.op}", field=about, values=listed)


def field_words(locale: Locale, name: str, names: Names) -> str | None:
    """What a field is called, None for what is not known; of a type's field the type as well."""
    own = own_field(name)
    if own is None:
        return sentence(locale, f"rules.field.{name}") if name in FIELDS else None
    words = names.own.get(name)
    label = words[0][locale == "zh"] if words else sentence(locale, "rules.gone")
    return sentence(locale, "rules.own_field", type=names.of("type", own[0], locale), field=label)


def value_words(locale: Locale, name: str, value: object, names: Names) -> str:
    """A value of a field as people read it."""
    known = names.fields.get(name) or Field("text")
    if isinstance(value, bool):
        return sentence(locale, "rules.yes" if value else "rules.no")
    if isinstance(value, int):
        return money(value, names.currency) if known.kind == "money" else f"{value:,}"
    value = str(value)
    own = names.own.get(name)
    if own and value in own[1]:
        return own[1][value][locale == "zh"]
    named = names.of(known.options, value, locale)
    if named is not None:
        return named
    for key in (f"{_VALUES.get(name, 'rules.value')}.{value}", f"rules.value.{value}"):
        if known.choices and has_sentence(locale, key):
            return sentence(locale, key)
    return sentence(locale, "rules.quoted", text=value) if known.kind == "text" else value


def step_words(locale: Locale, step: Step, names: Names, *, did: bool = False) -> str:
    """What an action is to do, or has done."""
    params = {
        key: _param(locale, param, step.params.get(key), names)
        for key, param in ACTIONS[step.do].params.items()
    }
    if "key" in params:
        params["about"] = params.pop("key")
    if step.do == "close":
        params["reason"] = sentence(locale, f"tickets.reason.{step.params.get('reason')}")
    elif "priority" in params and step.params.get("priority"):
        params["priority"] = sentence(locale, f"tickets.priority.{step.params['priority']}")
    return sentence(locale, f"rules.{'did' if did else 'do'}.{step.do}", **params)


def plan_steps(locale: Locale, plan: Plan, names: Names) -> list[str]:
    """What a rule does, in its order."""
    return [step_words(locale, step, names) for step in plan.then]


def why_words(locale: Locale, because: Sequence[Clause], names: Names) -> str:
    """Why a rule matched; empty when nothing was asked."""
    return sentence(locale, "rules.why_and").join(
        clause_words(locale, clause, names) for clause in because
    )


def applied_words(
    plan: Plan,
    because: Sequence[Clause],
    *,
    did: Sequence[Step],
    failed: Sequence[Step],
    names: Names,
) -> Words:
    """What a rule did and why as one sentence in English and one in Chinese, naming nobody."""
    nobody = names.without_people

    def said(locale: Locale) -> str:
        done = _joined(locale, [step_words(locale, step, nobody, did=True) for step in did])
        why = why_words(locale, because, nobody)
        key = "rules.applied_because" if why else "rules.applied"
        text = sentence(locale, key, rule=plan.name, did=done, why=why)
        if failed:
            what = _joined(locale, [step_words(locale, step, nobody) for step in failed])
            text += sentence(locale, "rules.applied_failed", what=what)
        return text

    return said("en"), said("zh")


def outcome_words(locale: Locale, run: rules.Run, names: Names) -> list[str]:
    """What became of each action of a run, one line each."""
    lines = []
    for one in run.steps:
        step = _stored_step(one)
        if step is None:
            continue
        outcome = one.get("outcome")
        if outcome == "done":
            lines.append(step_words(locale, step, names, did=True))
            continue
        what = step_words(locale, step, names)
        if outcome == "failed":
            why = f"rules.error.{one.get('error')}"
            known = why if has_sentence(locale, why) else "rules.error.invalid_input"
            lines.append(sentence(locale, "rules.failed", what=what, why=sentence(locale, known)))
        else:
            lines.append(sentence(locale, f"rules.{outcome}", what=what))
    return lines


def _stored_step(values: Json) -> Step | None:
    do = str(values.get("do"))
    if do not in ACTIONS:
        return None
    params = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
        if key in ACTIONS[do].params
    }
    return Step(do, params)


def _param(locale: Locale, param: Param, value: object, names: Names) -> str:
    if isinstance(value, tuple):
        return _joined(locale, [sentence(locale, "rules.quoted", text=one) for one in value])
    if param.kind == "minutes" and isinstance(value, int):
        return span_words(locale, value)
    if value is None:
        return ""
    if value == OWNER and OWNER in param.choices:
        return sentence(locale, "rules.the_owner")
    return names.of(_LISTS.get(param.kind), str(value), locale) or str(value)


_LISTS: Mapping[str, str] = {"agent": "agent", "team": "team", "type": "type", "webhook": "webhook"}


def _listed(locale: Locale, words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    comma = "、" if locale == "zh" else ", "
    return comma.join(words[:-1]) + sentence(locale, "rules.or") + words[-1]


def _joined(locale: Locale, words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    comma = sentence(locale, "rules.comma")
    return comma.join(words[:-1]) + sentence(locale, "rules.and") + words[-1]
