"""``shopbell rule``: rules that act by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, say
from server.domain.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.domain.actors import Actor
    from server.domain.rules import Rule
    from server.storage.database import Database
    from server.storage.unit import Tx

FORMAT = "shopbell.rules"
MAX_BYTES = 4 * 1024 * 1024
Which = Annotated[str, typer.Argument(help="Its id or its name.")]


def rule_list_command(data_dir: DataDir = None) -> None:
    """List the rules in the order in which they look: on or off, name, id."""
    with opened(data_dir) as database:
        existing_shop(database)
        found = _rules(database)
    for number, rule in enumerate(found, start=1):
        state = "on " if rule.enabled else "off"
        why = f"  STOPPED: {rule.stopped}" if rule.stopped else ""
        say(f"{number:>3}  {state}  {rule.plan.name}  {rule.id}{why}")
    if not found:
        say("No rules yet. Bring some: shopbell rule import --help")


def rule_show_command(which: Which, data_dir: DataDir = None) -> None:
    """Say in the shop's language when a rule looks, what it asks and what it does."""
    from agent_ui.render import sentence
    from server.actions import rule_words as words

    with opened(data_dir) as database:
        existing_shop(database)
        rule = _named(_rules(database), which)
        names = database.read_now(words.names_of)
        locale = database.read_now(words.shop_locale)
    plan = rule.plan
    asks = words.when_words(locale, plan.when, names)
    join = sentence(locale, "rules.why_and" if plan.when.join == "all" else "rules.or")
    say(f"{plan.name}  ({'on' if rule.enabled else 'off'}, version {rule.version}, {rule.id})")
    for title, lines in (
        ("when", [words.trigger_words(locale, plan.trigger)]),
        ("if", [join.join(asks) or sentence(locale, "rules.always")]),
        ("then", words.plan_steps(locale, plan, names)),
    ):
        say(f"{sentence(locale, f'rules.{title}')}: {'; '.join(lines)}")


def rule_export_command(
    which: Annotated[list[str] | None, typer.Argument(help="Ids or names. Without: all.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A file. Without: stdout.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write rules as JSON, which ``rule import`` reads."""
    import orjson

    from server.actions.rule_calls import PLAN, rule_view

    with opened(data_dir) as database:
        existing_shop(database)
        known = _rules(database)
    chosen = [_named(known, one) for one in which] if which else known
    kept = ("id", *PLAN, "enabled")
    rules = [{name: rule_view(rule)[name] for name in kept} for rule in chosen]
    text = orjson.dumps({"format": FORMAT, "rules": rules}, option=orjson.OPT_INDENT_2).decode()
    if out is None:
        say(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
        say(f"{out}: {len(rules)} of {len(known)} rules.")


def rule_import_command(
    path: Annotated[Path, typer.Argument(help="A file that rule export wrote.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Take rules over: those of the same id or name are changed, others added; all or none."""
    from server.actions.rule_calls import take_rules

    actor = _who()
    given = _read(path)

    def take(tx: Tx) -> list[tuple[str, str]]:
        outcome = take_rules(tx, actor, given)
        if dry_run:
            raise _NotKept(outcome)
        return outcome

    with opened(data_dir) as database:
        existing_shop(database)
        try:
            outcome = database.write_now(take)
        except _NotKept as tried:
            outcome = tried.outcome
    for what, name in outcome:
        say(f"{'would be ' if dry_run and what != 'same' else ''}{what}  {name}")


def rule_try_command(
    which: Annotated[str, typer.Argument(help="An id, a name, or a file with one rule.")],
    data_dir: DataDir = None,
) -> None:
    """Say what a rule would meet as things are now; nothing is done."""
    from server.actions import rule_words as words
    from server.actions.desk import Look
    from server.actions.rules import try_out
    from server.domain.rules import plan_json
    from server.storage.rules import place_names

    with opened(data_dir) as database:
        existing_shop(database)
        if which.endswith(".json") and Path(which).is_file():
            [values, *others] = _read(Path(which))
            if others:
                raise InvalidInput("The file holds several rules. Name one of those of the shop.")
        else:
            values = plan_json(_named(_rules(database), which).plan)
        at_ms, actor = database.clock(), _who()
        trial = database.read_now(lambda c: try_out(Look(c, actor, at_ms), values))
        names = database.read_now(words.names_of)
        locale = database.read_now(words.shop_locale)
        places = database.read_now(lambda c: place_names(c, [hit.thing for hit in trial.hits]))
    say(f"{trial.count} of {trial.looked} match{' (older ones not looked at)' * trial.more}.")
    for hit in trial.hits:
        name = places.get(hit.thing.id, ("", None))[0] or hit.thing.id
        say(f"  {hit.thing.kind} {name}  {words.why_words(locale, hit.because, names)}".rstrip())


class _NotKept(Exception):
    """Takes back what was tried."""

    def __init__(self, outcome: list[tuple[str, str]]) -> None:
        super().__init__()
        self.outcome = outcome


def _who() -> Actor:
    """Whoever has the data may write rules; no person is named for it."""
    from server.domain.actors import SYSTEM

    return replace(SYSTEM, role="admin")


def _rules(database: Database) -> list[Rule]:
    from server.storage.rules import load_rules

    return database.read_now(load_rules)


def _named(rules: Sequence[Rule], which: str) -> Rule:
    """The rule of this id, else of this name. Raises NotFound, InvalidInput for several."""
    found = [one for one in rules if one.id == which] or [
        one for one in rules if one.plan.name == which
    ]
    if not found:
        raise NotFound(f"There is no rule {which}. See them: shopbell rule list")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} rules are called {which}. Give the id.")
    return found[0]


def _read(path: Path) -> list[object]:
    """The rules in a file. Raises InvalidInput for what is none."""
    import orjson

    if path.stat().st_size > MAX_BYTES:
        raise InvalidInput(f"{path} is too large.")
    try:
        found = orjson.loads(path.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"{path} is no JSON: {error}.") from None
    rules = found.get("rules", [found]) if isinstance(found, dict) else found
    if not isinstance(rules, list) or not rules:
        raise InvalidInput(f"{path} holds no rules.")
    return rules


def add_to(app: typer.Typer) -> None:
    """Adds the group ``rule``."""
    rule = typer.Typer(help="Rules that act by themselves.", no_args_is_help=True)
    rule.command("list")(rule_list_command)
    rule.command("show")(rule_show_command)
    rule.command("export")(rule_export_command)
    rule.command("import")(rule_import_command)
    rule.command("try")(rule_try_command)
    app.add_typer(rule, name="rule")
