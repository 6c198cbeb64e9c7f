"""Everything that rules are made of has words in both languages."""

from __future__ import annotations

from typing import Any  # Any: JSON values

import pytest

from agent_ui.render import LOCALES, Locale, has_sentence, sentence
from server.actions.rule_words import (
    Names,
    clause_words,
    outcome_words,
    step_words,
    trigger_words,
    value_words,
)
from server.domain.rule_fields import ACTIONS, EVENTS, FIELDS, OPS, OWNER, TIMES, Param
from server.domain.rules import Clause, Step, Thing, Trigger
from server.storage.rules import Run

NAMES = Names({"team": {"care": ("Care", "售后")}, "agent": {"lin": ("Lin", "Lin")}})
GROUPS = {name.partition(".")[0] for name in FIELDS}


def _value(param: Param) -> str | int | tuple[str, ...]:
    if param.kind == "minutes":
        return 90
    if param.kind == "tags":
        return ("a", "b")
    return param.choices[0] if param.choices else "x"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_row_of_the_tables_has_words(locale: Locale) -> None:
    for name in EVENTS:
        assert trigger_words(locale, Trigger((name,)))
    for name, trigger in TIMES.items():
        assert trigger_words(locale, Trigger(time=name, minutes=trigger.usual))
    for group in GROUPS:
        assert sentence(locale, f"rules.group_of.{group}")
    for name, action in ACTIONS.items():
        step = Step(name, {key: _value(param) for key, param in action.params.items()})
        assert "{" not in step_words(locale, step, NAMES) + step_words(
            locale, step, NAMES, did=True
        )
        assert sentence(locale, f"rules.act.{name}")
        for key in action.params:
            assert has_sentence(locale, f"rules.param.{key}"), key


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_words_for_what_is_asked_of_it(name: str, locale: Locale) -> None:
    field = FIELDS[name]
    values: dict[str, str | int | bool] = {"flag": True, "number": 3, "money": 3}
    value = values.get(field.kind, field.choices[0] if field.choices else "x")
    for op in OPS[field.kind]:
        assert clause_words(locale, Clause(name, op, (value,)), NAMES)
    for choice in field.choices:
        told = value_words(locale, name, choice, NAMES)
        assert locale == "en" or told != choice


def test_a_log_says_of_each_action_what_became_of_it() -> None:
    steps: list[dict[str, Any]] = [  # Any: JSON values
        {"do": "add_tag", "tags": ["a", "b"], "outcome": "done"},
        {"do": "assign_team", "team": "care", "outcome": "nothing"},
        {"do": "assign_agent", "agent": "gone", "outcome": "failed", "error": "agent_gone"},
        {"do": "notify", "who": OWNER, "outcome": "failed", "error": "of a later version"},
        {"do": "set_priority", "priority": "high", "outcome": "skipped"},
        {"do": "of a later version", "outcome": "done"},
    ]
    run = Run("1", "r", 1, "e:1", Thing("chat", "c", None), 0, "partly", steps=steps)
    assert outcome_words("en", run, NAMES) == [
        "added the tag “a” and “b”",
        "was so already: give it to the team Care",
        "could not: give it to (gone) (this colleague is no longer active)",
        "could not: tell the owner (it does not fit)",
        "not for this: set the priority to High",
    ]
    assert outcome_words("zh", run, NAMES)[1] == "已是如此：转给团队售后"
