"""Adding, changing and retiring the people who sign in, their teams and their tokens."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection

import orjson

from server.actions.presence import SetPresence, set_presence
from server.actions.sign_in import SignedOut
from server.domain.actors import ROLES, SYSTEM, Actor, Role
from server.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from server.domain.permissions import require
from server.domain.scopes import normal_scopes
from server.domain.spans import DAY_MS
from server.domain.text import clean
from server.storage import people, sign_ins, tokens
from server.storage.people import Person
from server.storage.unit import Tx

LOCALES = ("en", "zh")
TOKEN_DAYS = 90
_EMAIL = re.compile(
    r"(?P<local>[^\s@\"(),:;<>\[\]\\]{1,64})@(?P<domain>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62})"
)


def normal_email(email: str) -> str:
    """An e-mail address in its one stored form: lower case, no white space around it.

    One @, before it 1 to 64 characters without spaces, quotes and brackets and no dot at an end or
    twice; after it a domain of at least two labels. Raises InvalidInput for anything else.
    """
    address = clean(email, limit=254, name="email").lower()
    found = _EMAIL.fullmatch(address)
    if found is None or ".." in address or found["local"].strip(".") != found["local"]:
        raise InvalidInput("This is not an e-mail address.", field="email", reason="email_invalid")
    return address


def add_person(
    tx: Tx,
    actor: Actor,
    *,
    email: str,
    name: str,
    role: str,
    password_hash: str | None,
    locale: str | None = None,
    languages: Collection[str] = (),
    capacity: int = 8,
    team_ids: Collection[str] = (),
) -> str:
    """The id of a new person who can sign in. Raises Conflict when the e-mail address is taken."""
    _manage(actor)
    address = normal_email(email)
    if people.credentials(tx.connection, address) is not None:
        raise Conflict("Somebody has this e-mail address.", field="email", reason="email_taken")
    _known_teams(tx, team_ids)
    agent_id = tx.new_id()
    values: dict[str, object] = {
        "email": address,
        "name": _name(name),
        "role": _role(role),
        "password_hash": password_hash,
        "locale": _locale(locale),
        "languages": _languages(languages),
        "capacity": _capacity(capacity),
    }
    people.insert_person(tx, agent_id, values)
    people.replace_teams(tx, agent_id, team_ids)
    return agent_id


def change_person(
    tx: Tx,
    actor: Actor,
    agent_id: str,
    *,
    name: str,
    role: str,
    languages: Collection[str],
    capacity: int,
    team_ids: Collection[str],
) -> None:
    """Changes what an admin decides about a person.

    Another role signs the person out everywhere, so that nothing keeps acting with the old one.
    Raises Conflict when the shop would be left without an admin.
    """
    _manage(actor)
    person = _person(tx, agent_id)
    new_role = _role(role)
    if new_role != person.role:
        if person.role == "admin":
            _not_the_last_admin(tx, person)
        _sign_out_everywhere(tx, agent_id)
    _known_teams(tx, team_ids)
    people.update_person(
        tx,
        agent_id,
        name=_name(name),
        role=new_role,
        languages=_languages(languages),
        capacity=_capacity(capacity),
    )
    people.replace_teams(tx, agent_id, team_ids)


def change_profile(
    tx: Tx, actor: Actor, *, name: str, locale: str | None, alarm_mail: bool | None = None
) -> None:
    """Changes what everybody decides about themselves: name, language, mails about defects."""
    person = _person(tx, actor.id)
    wants = person.alarm_mail if alarm_mail is None else alarm_mail
    people.update_person(tx, person.id, name=_name(name), locale=_locale(locale), alarm_mail=wants)


def set_locale(tx: Tx, actor: Actor, locale: str) -> None:
    """Changes the language of the actor's own pages."""
    people.update_person(tx, _person(tx, actor.id).id, locale=_locale(locale))


def set_password(
    tx: Tx, actor: Actor, agent_id: str, *, password_hash: str, keep: str | None = None
) -> None:
    """Gives a person, or the actor itself, a new password and ends the sign-ins with the old one.

    ``keep`` is the hash of the sign-in in which the actor changes its own password.
    """
    if actor.id != agent_id:
        _manage(actor)
    person = _person(tx, agent_id)
    if person.email is None:
        raise Conflict("This person has no e-mail address to sign in with.", reason="no_email")
    people.update_person(tx, agent_id, password_hash=password_hash)
    sign_ins.delete_sign_ins(tx, agent_id, but=keep)
    if keep is None:
        tx.notice(SignedOut(agent_id))


def deactivate(tx: Tx, actor: Actor, agent_id: str) -> None:
    """Ends a person's access at once: sign-ins, tokens and sockets; what they did stays.

    Raises Conflict for the last admin, NotAllowed for oneself.
    """
    _manage(actor)
    person = _person(tx, agent_id)
    if not person.active:
        return
    if actor.id == agent_id:
        raise NotAllowed("Ask another admin to deactivate you.", reason="yourself")
    if person.role == "admin":
        _not_the_last_admin(tx, person)
    # First offline, so that what waits for this person goes back to the queue.
    set_presence(tx, person.actor, SetPresence(status="offline"))
    people.update_person(tx, agent_id, active=False)
    tokens.delete_tokens(tx, agent_id)
    _sign_out_everywhere(tx, agent_id)


def reactivate(tx: Tx, actor: Actor, agent_id: str) -> None:
    """Lets a person with an e-mail address sign in again."""
    _manage(actor)
    person = _person(tx, agent_id)
    if person.email is None:
        raise Conflict("This person has no e-mail address to sign in with.", reason="no_email")
    people.update_person(tx, agent_id, active=True)


def add_team(tx: Tx, actor: Actor, *, name: str, name_zh: str | None = None) -> str:
    """The id of a new team. Raises Conflict when the name is taken."""
    _manage(actor)
    name = _team_name(tx, name)
    team_id = tx.new_id()
    people.insert_team(tx, team_id, name=name, name_zh=_optional_name(name_zh))
    return team_id


def rename_team(tx: Tx, actor: Actor, team_id: str, *, name: str, name_zh: str | None) -> None:
    """Changes the name of a team in one or both languages."""
    _manage(actor)
    _known_teams(tx, [team_id])
    name = _team_name(tx, name, but=team_id)
    people.update_team(tx, team_id, name=name, name_zh=_optional_name(name_zh))


def set_members(tx: Tx, actor: Actor, team_id: str, agent_ids: Collection[str]) -> None:
    """Makes exactly these people the members of a team."""
    _manage(actor)
    _known_teams(tx, [team_id])
    for agent_id in agent_ids:
        _person(tx, agent_id)
    people.replace_members(tx, team_id, agent_ids)


def create_token(
    tx: Tx,
    actor: Actor,
    *,
    name: str,
    agent_id: str | None = None,
    role: str | None = None,
    days: int | None = TOKEN_DAYS,
    scopes: Collection[str] | None = None,
) -> str:
    """A new API token, which is shown this once; it acts as a person, or as one made for a role.

    ``days`` is how long it lives, None for ever. ``scopes`` None is all that the person may do.
    """
    _manage(actor)
    name = _name(name)
    if (agent_id is None) == (role is None):
        raise InvalidInput("A token is made for a person or for a role.", field="role")
    if agent_id is None:
        agent_id = tx.new_id()
        people.insert_person(tx, agent_id, {"name": name, "role": _role(role or "")})
    elif not _person(tx, agent_id).active:
        raise Conflict("This person is deactivated.", reason="inactive")
    token = tokens.PREFIX + secrets.token_urlsafe(32)
    expires_at_ms = None if days is None else tx.at_ms + days * DAY_MS
    tokens.insert_token(
        tx,
        token,
        agent_id=agent_id,
        name=name,
        expires_at_ms=expires_at_ms,
        scopes=None if scopes is None else normal_scopes(scopes),
    )
    return token


def _manage(actor: Actor) -> None:
    if actor.kind != SYSTEM.kind:
        require(actor, "people.manage")


def _person(tx: Tx, agent_id: str | None) -> Person:
    person = None if agent_id is None else people.load_person(tx.connection, agent_id, lock=True)
    if person is None:
        raise NotFound("There is no such person.")
    return person


def _not_the_last_admin(tx: Tx, person: Person) -> None:
    if person.active and people.other_admins(tx.connection, person.id) == 0:
        raise Conflict("A shop needs an admin: make another one first.", reason="last_admin")


def _sign_out_everywhere(tx: Tx, agent_id: str) -> None:
    sign_ins.delete_sign_ins(tx, agent_id)
    tx.notice(SignedOut(agent_id))


def _known_teams(tx: Tx, team_ids: Collection[str]) -> None:
    for team_id in team_ids:
        if people.load_team(tx.connection, team_id) is None:
            raise NotFound("There is no such team.")


def _team_name(tx: Tx, name: str, *, but: str | None = None) -> str:
    name = _name(name)
    for team in people.load_teams(tx.connection):
        if team.name.casefold() == name.casefold() and team.id != but:
            raise Conflict("A team has this name.", field="name", reason="name_taken")
    return name


def _name(name: str) -> str:
    return " ".join(clean(name, limit=100, name="name").split())


def _optional_name(name: str | None) -> str | None:
    return _name(name) if name and name.strip() else None


def _role(role: str) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise InvalidInput(f"A role is one of {', '.join(ROLES)}.", field="role")


def _locale(locale: str | None) -> str | None:
    if locale is not None and locale not in LOCALES:
        raise InvalidInput(f"A language is one of {', '.join(LOCALES)}.", field="locale")
    return locale


def _languages(languages: Collection[str]) -> str:
    for language in languages:
        _locale(language)
    return orjson.dumps(sorted(set(languages))).decode()


def _capacity(capacity: int) -> int:
    if not 1 <= capacity <= 50:
        raise InvalidInput("Capacity is 1 to 50.", field="capacity", reason="capacity_range")
    return capacity
