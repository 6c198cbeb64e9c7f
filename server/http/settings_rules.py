"""Settings: rules that act by themselves: their list, one of them, its trial and its log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any  # Any: values of a template

from aiohttp import web

from agent_ui.render import Locale, has_sentence, sentence
from server.actions import rule_words
from server.actions import rules as actions
from server.actions.desk import Look
from server.actions.rule_words import Names
from server.actions.rules import MANAGE, Hit, Trial
from server.domain.actors import Actor
from server.domain.errors import AppError, NotFound
from server.domain.rule_fields import ACTIONS, EVENTS, OWNER, TIMES
from server.domain.rule_ready import READY, ready_plan
from server.domain.rules import Rule, Thing, read_plan, stored_clauses
from server.domain.spans import WEEK_MS
from server.domain.text import whole_number
from server.domain.ticket import PRIORITIES, REASONS
from server.http.bodies import Form, field, read_form, version_in
from server.http.keys import DATABASE
from server.http.rule_form import (
    UNITS,
    Draft,
    changed,
    groups_of,
    of_form,
    of_rule,
    plan_values,
)
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.http.talk_names import talk_name
from server.http.views import locale_of
from server.storage import people, rules
from server.storage.connection import Connection
from server.storage.conversations import Found, by_ids
from server.storage.rules import Run
from server.storage.shop import load_shop
from server.storage.unit import Tx

ROOT = "/settings/rules"
SHOWN_VERSIONS = 20
SHOWN_RUNS = 50
OUTCOMES = ("done", "partly", "failed", "held", "put_off")
DONE = frozenset({"saved", "taken", "removed"})
Json = dict[str, Any]  # Any: values of a template


def add_rule_settings(app: web.Application) -> None:
    """Serves the pages of rules."""
    router = app.router
    router.add_get(ROOT, show_rules)
    router.add_post(ROOT, take_over)
    router.add_get(f"{ROOT}/new", show_rule)
    router.add_post(f"{ROOT}/new", save_rule)
    router.add_get(f"{ROOT}/{{id}}", show_rule)
    router.add_post(f"{ROOT}/{{id}}", save_rule)
    router.add_get(f"{ROOT}/{{id}}/log", show_log)
    router.add_get(f"{ROOT}/{{id}}/remove", ask_remove)
    router.add_post(f"{ROOT}/{{id}}/remove", remove)
    router.add_post(f"{ROOT}/{{id}}/change", change)


async def show_rules(request: web.Request, error: AppError | None = None) -> web.Response:
    """The rules in their order with what they did of late, and those to begin with."""
    await require_person(request, MANAGE)
    locale = await locale_of(request)
    database = request.app[DATABASE]
    since_ms = database.clock() - WEEK_MS

    def view(connection: Connection) -> Json:
        names = rule_words.names_of(connection)
        tallies = rules.tallies(connection, since_ms=since_ms)
        return {
            "rules": [
                {"rule": rule, "tally": tallies.get(rule.id)} | _in_words(locale, rule, names)
                for rule in rules.load_rules(connection)
            ],
            "ready": [
                {"name": name} | _in_words(locale, _ready(name, locale), names) for name in READY
            ],
        }

    found = await database.read(view)
    return await _page(request, "settings_rules.html", error, **found)


async def take_over(request: web.Request) -> web.Response:
    """Makes a rule of a ready-made one and shows it."""
    locale = await locale_of(request)

    async def save(actor: Actor, form: Form) -> str:
        name = field(form, "ready")
        job = partial(actions.take_over, actor=actor, name=name, locale=locale)
        rule_id = await request.app[DATABASE].write(job)
        return f"{ROOT}/{rule_id}?changed=taken"

    return await submit(request, MANAGE, save, show_rules)


async def show_rule(
    request: web.Request,
    error: AppError | None = None,
    *,
    draft: Draft | None = None,
    trial: Trial | None = None,
) -> web.Response:
    """One rule, or a new one, as it stands or as it has been typed so far."""
    await require_person(request, MANAGE)
    locale = await locale_of(request)
    rule_id = request.match_info.get("id")
    at_ms = request.app[DATABASE].clock()

    def view(connection: Connection) -> Json:
        names = rule_words.names_of(connection)
        rule = _known(rules.load_rule(connection, rule_id)) if rule_id else None
        shown = draft or (of_rule(rule, names.currency, names.fields) if rule else Draft())
        return {
            "rule": rule,
            "shown": shown,
            "versions": rules.versions_of(connection, rule_id)[:SHOWN_VERSIONS] if rule_id else [],
            "lists": _lists(connection, locale, names),
            "hits": _hits(connection, locale, trial.hits, names) if trial else [],
            "currency": names.currency,
            "fields": names.fields,
            "groups": _groups(locale, shown, names),
            "labels": {
                name: rule_words.field_words(locale, name, names) or name
                for name in {one.field for group in shown.groups for one in group.clauses}
            },
            "held_lately": rules.held_lately(connection, rule_id, since_ms=at_ms - WEEK_MS)
            if rule_id
            else 0,
        }

    found = await request.app[DATABASE].read(view)
    shown = found["shown"]
    return await _page(
        request,
        "settings_rule.html",
        error,
        trial=trial,
        typed=draft is not None,
        events=EVENTS,
        times=TIMES,
        units=UNITS,
        about=error.details.get("about") if error else None,
        has=partial(has_sentence, locale),
        acts={name: one for name, one in ACTIONS.items() if one.on & shown.on},
        actions=ACTIONS,
        **found,
    )


async def save_rule(request: web.Request) -> web.Response:
    """Saves a rule, tries it, or shows the form with another condition or action in it."""
    person = await require_person(request, MANAGE)
    form = await read_form(request)
    database = request.app[DATABASE]
    names = await database.read(rule_words.names_of)
    draft, do = of_form(form), field(form, "do")
    if changed(draft, form, do, names.fields):
        return await show_rule(request, draft=draft)
    values = plan_values(draft, names.currency, names.fields)
    rule_id = request.match_info.get("id")
    try:
        if do in ("preview", "look"):
            at_ms = database.clock()
            trial = await database.read(
                lambda c: actions.try_out(Look(c, person.actor, at_ms), values)
            )
            return await show_rule(request, draft=draft, trial=trial)
        job = partial(
            actions.save,
            actor=person.actor,
            values=values,
            rule_id=rule_id,
            version=_version(form),
            enabled=draft.enabled,
        )
        saved = await database.write(job)
    except NotFound:
        raise
    except AppError as error:
        if error.status >= 500:
            raise
        # While it is being written it may be incomplete without anybody being told.
        return await show_rule(request, None if do == "look" else error, draft=draft)
    raise web.HTTPSeeOther(f"{ROOT}/{saved}?changed=saved")


async def change(request: web.Request) -> web.Response:
    """Switches a rule on or off, moves it, or brings back what it said before."""
    rule_id = request.match_info["id"]

    async def save(actor: Actor, form: Form) -> str:
        version = _version(form)
        do = field(form, "do")
        job: Callable[[Tx], None] = partial(
            actions.restore,
            actor=actor,
            rule_id=rule_id,
            version=version,
            to=_version(form, "to"),
        )
        if do in ("on", "off"):
            job = partial(
                actions.switch, actor=actor, rule_id=rule_id, version=version, enabled=do == "on"
            )
        elif do in ("up", "down"):
            by = -1 if do == "up" else 1
            job = partial(actions.move, actor=actor, rule_id=rule_id, version=version, by=by)
        await request.app[DATABASE].write(job)
        return f"{ROOT}?changed=saved" if do != "restore" else f"{ROOT}/{rule_id}?changed=saved"

    return await submit(request, MANAGE, save, show_rules)


async def ask_remove(request: web.Request, error: AppError | None = None) -> web.Response:
    """Asks before a rule is taken out."""
    await require_person(request, MANAGE)
    rule_id = request.match_info["id"]
    rule = _known(await request.app[DATABASE].read(lambda c: rules.load_rule(c, rule_id)))
    return await _page(request, "settings_rule_remove.html", error, rule=rule)


async def remove(request: web.Request) -> web.Response:
    """Takes a rule out of the list."""
    rule_id = request.match_info["id"]

    async def save(actor: Actor, _form: Form) -> str:
        job = partial(actions.remove, actor=actor, rule_id=rule_id)
        await request.app[DATABASE].write(job)
        return f"{ROOT}?changed=removed"

    return await submit(request, MANAGE, save, ask_remove)


async def show_log(request: web.Request) -> web.Response:
    """What a rule did, what it could not do, and what it was kept from, the latest first."""
    await require_person(request, MANAGE)
    locale = await locale_of(request)
    rule_id = request.match_info["id"]
    chosen = request.query.get("outcome", "")
    outcome = chosen if chosen in OUTCOMES else None
    place = request.query.get("before", "")
    at, _, key = place.partition("-")
    at_ms = whole_number(at, digits=15)
    before = None if at_ms is None else (at_ms, key)

    def view(connection: Connection) -> Json:
        rule = _known(rules.load_rule(connection, rule_id))
        names = rule_words.names_of(connection)
        found = rules.runs_of(
            connection, rule_id, outcome=outcome, before=before, limit=SHOWN_RUNS + 1
        )
        shown = found[:SHOWN_RUNS]
        last = shown[-1] if len(found) > SHOWN_RUNS else None
        return {
            "rule": rule,
            "runs": _runs(connection, locale, shown, names),
            "older": f"{last.at_ms}-{last.id}" if last else None,
        }

    found = await request.app[DATABASE].read(view)
    return await _page(
        request, "settings_rule_log.html", None, outcome=outcome, outcomes=OUTCOMES, **found
    )


async def _page(
    request: web.Request,
    template: str,
    error: AppError | None,
    /,
    **context: Any,  # Any: values of a template
) -> web.Response:
    shop = await request.app[DATABASE].read(load_shop)
    said = request.query.get("changed")
    return await settings_page(
        request,
        template,
        error,
        tab="rules",
        timezone=shop.timezone if shop else "UTC",
        said=said if said in DONE and error is None else None,
        **context,
    )


def _in_words(locale: Locale, rule: Rule, names: Names) -> Json:
    plan = rule.plan
    return {
        "title": plan.name,
        "when": rule_words.trigger_words(locale, plan.trigger),
        "join": plan.when.join,
        "asks": rule_words.when_words(locale, plan.when, names),
        "does": rule_words.plan_steps(locale, plan, names),
    }


def _ready(name: str, locale: Locale) -> Rule:
    return Rule("", 0, read_plan(ready_plan(name, locale)))


def _lists(
    connection: Connection, locale: Locale, names: Names
) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen for each field and each parameter: value and words."""
    zh = locale == "zh"
    active = {one.id for one in people.load_people(connection)}
    found = {
        key: [
            (value, words[zh])
            for value, words in known.items()
            if key != "agent" or value in active
        ]
        for key, known in names.lists.items()
    }
    for name, one in names.fields.items():
        if one.choices:
            found[name] = [
                (value, rule_words.value_words(locale, name, value, names)) for value in one.choices
            ]
        elif one.options:
            found[name] = found[one.options]
    found["priority"] = [(one, sentence(locale, f"tickets.priority.{one}")) for one in PRIORITIES]
    found["reason"] = [(one, sentence(locale, f"tickets.reason.{one}")) for one in REASONS]
    found["who"] = [(OWNER, sentence(locale, "rules.the_owner")), *found["agent"]]
    return found


def _groups(locale: Locale, draft: Draft, names: Names) -> list[tuple[str, list[tuple[str, str]]]]:
    """What may be asked, under its headings: the name of each field and its words."""
    found = []
    for group, fields in groups_of(names.fields, draft.on).items():
        kind, own, type_id = group.partition(".")
        heading = sentence(locale, f"rules.group_of.{kind}") if not own else ""
        labels = [rule_words.field_words(locale, name, names) or name for name in fields]
        if own:
            type_ = names.of("type", type_id, locale)
            heading = sentence(locale, "rules.group_own", type=type_)
            labels = [names.own[name][0][locale == "zh"] for name in fields]
        found.append((heading, list(zip(fields, labels, strict=True))))
    return found


def _hits(connection: Connection, locale: Locale, hits: Sequence[Hit], names: Names) -> list[Json]:
    things = [hit.thing for hit in hits]
    places, chats = rules.place_names(connection, things), _chats(connection, things)
    return [
        _about(locale, hit.thing, places, chats)
        | {"why": rule_words.why_words(locale, hit.because, names)}
        for hit in hits
    ]


def _runs(connection: Connection, locale: Locale, runs: Sequence[Run], names: Names) -> list[Json]:
    things = [run.thing for run in runs]
    places, chats = rules.place_names(connection, things), _chats(connection, things)
    return [
        _about(locale, run.thing, places, chats)
        | {
            "run": run,
            "why": rule_words.why_words(locale, stored_clauses(run.why), names),
            "lines": rule_words.outcome_words(locale, run, names),
        }
        for run in runs
    ]


def _chats(connection: Connection, things: Sequence[Thing]) -> dict[str, Found]:
    return by_ids(connection, [one.id for one in things if one.kind == "chat"])


def _about(
    locale: Locale,
    thing: Thing,
    places: dict[str, tuple[str, str | None]],
    chats: dict[str, Found],
) -> Json:
    """What an object is called and where it is looked at."""
    number, owner = places.get(thing.id, (thing.id[-6:], None))
    link = f"/console#c-{thing.id}"
    if thing.kind == "ticket":
        link = f"/tickets/{number}"
    elif thing.kind in ("order", "cart"):
        link = f"/customers/{owner}" if owner else ""
    label = sentence(locale, f"rules.thing.{thing.kind}", number=number)
    if thing.id in chats:
        label = talk_name(locale, chats[thing.id])
    elif thing.kind in ("chat", "cart"):
        label = f"{label} {thing.id[-6:]}"
    return {"label": label, "link": link}


def _known(rule: Rule | None) -> Rule:
    if rule is None:
        raise NotFound("There is no such rule.")
    return rule


def _version(form: Form, name: str = "version") -> int:
    """As ``version_in``, 0 for a rule that is new."""
    return version_in(form, name) if field(form, name) else 0
