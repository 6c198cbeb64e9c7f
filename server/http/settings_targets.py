"""Settings: what is promised to which chats and tickets, and how a clock came to its due time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from aiohttp import web

from agent_ui.render import Locale
from server.actions import targets as actions
from server.actions.access import read_conversation
from server.actions.targets import MANAGE, Promise
from server.domain.actors import Actor
from server.domain.errors import AppError, InvalidInput, NotFound
from server.domain.segment import SEGMENTS
from server.domain.target_clocks import Step, TargetClock, explain
from server.domain.targets import FIELDS, TARGETS, Policy, Target, checked
from server.domain.text import whole_number
from server.domain.ticket import PRIORITIES
from server.http.bodies import Form, field, read_form, version_in
from server.http.keys import DATABASE
from server.http.sessions import require_person
from server.http.settings import settings_page, submit
from server.http.talk_names import talk_name
from server.http.views import locale_of, render
from server.storage import people, targets
from server.storage.connection import Connection
from server.storage.conversations import by_ids
from server.storage.hours import load_book
from server.storage.shop import load_shop
from server.storage.targets import PolicyList
from server.storage.ticket_lists import by_ids as tickets_by_ids
from server.storage.ticket_rows import load_ticket
from server.storage.ticket_types import load_types

ROOT = "/settings/targets"
CHANNELS = ("chat", "ticket")
UNITS = ("second", "minute", "hour", "day")
SHOWN_VERSIONS = 20
SHOWN_MATCHES = 10
MAX_TAGS_CHARS = 2_000
Choices = Mapping[str, Sequence[tuple[str, str]]]


def add_target_settings(app: web.Application) -> None:
    """Serves the pages of targets."""
    router = app.router
    router.add_get(ROOT, show_targets)
    router.add_post(f"{ROOT}/anew", apply_anew)
    router.add_get(f"{ROOT}/{{number:[0-9]{{1,3}}}}", show_policy)
    router.add_post(f"{ROOT}/{{number:[0-9]{{1,3}}}}", save_policy)
    router.add_get(f"{ROOT}/{{number:[0-9]{{1,3}}}}/remove", ask_remove)
    router.add_get(f"{ROOT}/versions/{{version:[0-9]{{1,9}}}}", ask_restore)
    router.add_post(f"{ROOT}/versions/{{version:[0-9]{{1,9}}}}", restore)
    router.add_get("/targets/{conversation_id}", show_clocks)


async def show_targets(request: web.Request, error: AppError | None = None) -> web.Response:
    """The list in its order, how many open chats and tickets each row is for, and its versions."""
    await require_person(request, MANAGE)
    database = request.app[DATABASE]
    held = await database.read(targets.current_list)
    found, more = await database.read(partial(actions.matching, policies=held.policies))
    lists = await database.read(targets.load_lists)
    shop = await database.read(load_shop)
    done = request.query.get("changed", "")
    return await settings_page(
        request,
        "settings_targets.html",
        error,
        tab="targets",
        policies=held.policies,
        version=held.version,
        names=await _choices(request),
        targets=TARGETS,
        counts={name: len(ids) for name, ids in found.items()},
        more=more,
        missed=await database.read(targets.count_missed),
        lists=list(reversed(lists))[:SHOWN_VERSIONS],
        timezone=shop.timezone if shop else "UTC",
        changed=whole_number(done),
    )


async def show_policy(
    request: web.Request,
    error: AppError | None = None,
    *,
    draft: Policy | None = None,
) -> web.Response:
    """One row of the list, or number 0 for a new one; ``draft`` is what has not been saved yet."""
    await require_person(request, MANAGE)
    database = request.app[DATABASE]
    held = await database.read(targets.current_list)
    number = _number(request, held.policies)
    stored = held.policies[number - 1] if number else Policy("")
    shown = draft or stored
    matches: Sequence[str] = ()
    more = False
    if draft is not None:
        tried = _with(held.policies, number, replace(draft, enabled=True))
        found, more = await database.read(partial(actions.matching, policies=tried))
        matches = found.get(draft.name, [])
    return await settings_page(
        request,
        "settings_target.html",
        error,
        tab="targets",
        number=number,
        policy=shown,
        new=number == 0,
        draft=draft is not None,
        matches=await database.read(
            partial(_places, ids=matches[:SHOWN_MATCHES], locale=await locale_of(request))
        ),
        match_count=len(matches),
        more=more,
        version=held.version,
        names=await _choices(request),
        targets=TARGETS,
        units=UNITS,
    )


async def save_policy(request: web.Request) -> web.Response:
    """Saves a row, shows what it would match, moves it, switches it or takes it out."""
    form = await read_form(request)
    held = await request.app[DATABASE].read(targets.current_list)
    number = _number(request, held.policies)
    do = field(form, "do")
    if do == "preview":
        await require_person(request, MANAGE)
        try:
            draft = _policy(form)
            checked(_with(held.policies, number, draft))
        except InvalidInput as error:
            return await show_policy(request, error)
        return await show_policy(request, draft=draft)

    async def save(actor: Actor, form: Form) -> str:
        change = _MOVES.get(do)
        if change is not None and number:
            policies = change(held.policies, number)
        else:
            policies = _with(held.policies, number, _policy(form))
        await request.app[DATABASE].write(
            partial(
                actions.set_policies,
                actor=actor,
                policies=policies,
                version=version_in(form),
            )
        )
        return f"{ROOT}?done=saved"

    return await submit(request, MANAGE, save, show_targets if do in _MOVES else show_policy)


async def ask_remove(request: web.Request) -> web.Response:
    """Asks before a row is taken out; only the list as it is shown loses it."""
    await require_person(request, MANAGE)
    database = request.app[DATABASE]
    held = await database.read(targets.current_list)
    number = _number(request, held.policies)
    if number == 0:
        raise NotFound("There is no such policy.")
    policy = held.policies[number - 1]
    found, _ = await database.read(partial(actions.matching, policies=held.policies))
    return await settings_page(
        request,
        "settings_target_remove.html",
        None,
        tab="targets",
        number=number,
        policy=policy,
        version=held.version,
        count=len(found.get(policy.name, [])),
    )


async def ask_restore(request: web.Request, error: AppError | None = None) -> web.Response:
    """Shows a version of the list, and asks before it holds again."""
    await require_person(request, MANAGE)
    database = request.app[DATABASE]
    before = await _version_of(request)
    held = await database.read(targets.current_list)
    shop = await database.read(load_shop)
    return await settings_page(
        request,
        "settings_target_restore.html",
        error,
        tab="targets",
        before=before,
        same=before.policies == held.policies,
        version=held.version,
        names=await _choices(request),
        targets=TARGETS,
        timezone=shop.timezone if shop else "UTC",
    )


async def restore(request: web.Request) -> web.Response:
    """Lets a version of the list hold again, as a new one."""

    async def save(actor: Actor, form: Form) -> str:
        before = await _version_of(request)
        await request.app[DATABASE].write(
            partial(
                actions.set_policies,
                actor=actor,
                policies=before.policies,
                version=version_in(form),
            )
        )
        return f"{ROOT}?done=saved"

    return await submit(request, MANAGE, save, ask_restore)


async def apply_anew(request: web.Request) -> web.Response:
    """Puts the list in the place of the one that open chats and tickets began with."""

    async def save(actor: Actor, form: Form) -> str:
        database = request.app[DATABASE]
        if field(form, "sure") != "1":
            raise InvalidInput("Say that you are sure.", field="sure", reason="not_sure")
        changed = 0
        after = ""
        while ids := await database.read(partial(targets.open_ones, after=after, limit=200)):
            for one in ids:
                job = partial(actions.apply_anew, actor=actor, conversation_id=one)
                changed += bool(await database.write(job))
            after = ids[-1]
        return f"{ROOT}?changed={changed}"

    return await submit(request, MANAGE, save, show_targets)


async def show_clocks(request: web.Request) -> web.Response:
    """The clocks of one chat or ticket, and step by step how each came to where it is."""
    person = await require_person(request, "conversation.read")
    conversation_id = request.match_info["conversation_id"]
    database = request.app[DATABASE]
    at_ms = database.clock()

    def look(
        connection: Connection,
    ) -> tuple[str, Promise | None, list[tuple[TargetClock, list[Step]]]]:
        read_conversation(connection, person.actor, conversation_id)
        ticket = load_ticket(connection, conversation_id)
        back = f"/tickets/{ticket.number}" if ticket else f"/console#c-{conversation_id}"
        promise = actions.promise_of(connection, conversation_id, at_ms=at_ms)
        if promise is None:
            return back, None, []
        hours = load_book(connection).of_team(promise.team_id)
        told = [(one, explain(one, hours, as_of_ms=at_ms)) for one in promise.clocks]
        return back, promise, told

    back, promise, told = await database.read(look)
    shop = await database.read(load_shop)
    return await render(
        request,
        "target_clocks.html",
        nav="tickets" if back.startswith("/tickets/") else "inbox",
        back=back,
        promise=promise,
        told=list(reversed(told)),
        at_ms=at_ms,
        timezone=shop.timezone if shop else "UTC",
    )


async def _version_of(request: web.Request) -> PolicyList:
    """The version of the list that the address names. Raises NotFound."""
    number = int(request.match_info["version"])
    found = await request.app[DATABASE].read(partial(targets.load_list, version=number))
    if found is None:
        raise NotFound("There is no such version.")
    return found


def _places(connection: Connection, ids: Sequence[str], locale: Locale) -> list[tuple[str, str]]:
    """What chats and tickets are called, and where they are looked at."""
    chats, tickets = by_ids(connection, [*ids]), tickets_by_ids(connection, ids)
    found = []
    for key in ids:
        if key in tickets:
            ticket = tickets[key]
            name = " ".join((ticket.ticket.number, ticket.subject or "")).strip()
            found.append((name, f"/tickets/{ticket.ticket.number}"))
        elif key in chats:
            found.append((talk_name(locale, chats[key]), f"/console#c-{key}"))
    return found


async def _choices(request: web.Request) -> Choices:
    """What each field of a policy may be, with its words where the database has them."""
    database = request.app[DATABASE]
    zh = (await locale_of(request)) == "zh"
    types = await database.read(load_types)
    teams = await database.read(people.load_teams)
    return {
        "channel": [(one, "") for one in CHANNELS],
        "priority": [(one, "") for one in PRIORITIES],
        "type": [(key, kind.words[zh]) for key, kind in types.items()],
        "team": [(team.id, (team.name_zh if zh else None) or team.name) for team in teams],
        "segment": [(one, "") for one in SEGMENTS],
    }


def _policy(form: Form) -> Policy:
    """The policy of a form. Raises InvalidInput that names what is wrong."""
    match: dict[str, tuple[str, ...]] = {}
    for name in FIELDS:
        if name == "category":
            tags = field(form, "category")[:MAX_TAGS_CHARS].replace("，", ",").split(",")
            values = tuple(tag.strip() for tag in tags if tag.strip())
        else:
            values = tuple(value[:64] for value in form.get(name, []))
        if values:
            match[name] = values
    found: dict[str, Target] = {}
    for name in TARGETS:
        amount = field(form, f"{name}_amount").strip().replace(",", ".")
        if amount:
            found[name] = _target(form, name, amount)
    return Policy(
        name=" ".join(field(form, "name").split()),
        match=match,
        targets=found,
        enabled=field(form, "enabled") == "1",
    )


def _target(form: Form, name: str, amount: str) -> Target:
    unit, clock = field(form, f"{name}_unit"), field(form, f"{name}_clock")
    warn = field(form, f"{name}_warn").strip() or "80"
    if unit not in UNITS or clock not in ("calendar", "business"):
        raise InvalidInput("There is no such target.", field=f"{name}_amount")
    percent = whole_number(warn, digits=3)
    if percent is None:
        raise InvalidInput("Warn between 1 and 100 %.", field=f"{name}_warn", reason="target_warn")
    try:
        parsed = float(amount)
    except ValueError:
        raise InvalidInput(
            "A time is a number.", field=f"{name}_amount", reason="target_amount"
        ) from None
    # NaN and infinity are numbers too; ``checked`` refuses them by their bounds.
    return Target(parsed, unit, clock, percent)  # type: ignore[arg-type]  # looked at above


def _with(policies: Sequence[Policy], number: int, policy: Policy) -> tuple[Policy, ...]:
    """The list with a row in the place of another, or at its head for number 0."""
    if number == 0:
        return (policy, *policies)
    return tuple(policy if at == number else one for at, one in enumerate(policies, 1))


def _moved(policies: Sequence[Policy], number: int, by: int) -> tuple[Policy, ...]:
    found = list(policies)
    to = max(0, min(len(found) - 1, number - 1 + by))
    found.insert(to, found.pop(number - 1))
    return tuple(found)


def _switched(policies: Sequence[Policy], number: int) -> tuple[Policy, ...]:
    one = policies[number - 1]
    return _with(policies, number, replace(one, enabled=not one.enabled))


_MOVES: Mapping[str, Callable[[Sequence[Policy], int], tuple[Policy, ...]]] = {
    "up": partial(_moved, by=-1),
    "down": partial(_moved, by=1),
    "switch": _switched,
    "delete": lambda policies, number: tuple(
        one for at, one in enumerate(policies, 1) if at != number
    ),
}


def _number(request: web.Request, policies: Sequence[Policy]) -> int:
    number = int(request.match_info.get("number", "0"))
    if number > len(policies):
        raise NotFound("There is no such policy.")
    return number
