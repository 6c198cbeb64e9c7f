"""Signing in and out. The caller hashes passwords, off the database thread: it takes 66 ms."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.domain.actors import Actor
from server.domain.errors import InvalidInput, NotSignedIn
from server.storage import people, sign_ins
from server.storage.unit import Tx

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 256
# argon2id, 32 MiB, 3 passes: measured 66 ms on one core, above the floor of ASVS 5.0 appendix C.
_HASHER = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
# Checked when nobody has the e-mail address, so that the answer takes as long as for somebody.
DUMMY_HASH = (
    "$argon2id$v=19$m=32768,t=3,p=1$c2hvcGJlbGwtZHVtbXkhIQ"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new sign-in: the cookie, which is never stored, and the CSRF token of its forms."""

    agent_id: str
    cookie: str
    csrf: str


@dataclass(frozen=True, slots=True)
class SignedOut:
    """Told after the commit: sockets of this person must close.

    ``token_hash`` is set when only one browser signed out.
    """

    agent_id: str
    token_hash: str | None = None


def check_new_password(password: str, *, email: str | None = None) -> None:
    """Returns nothing. Raises InvalidInput for a password too short, too long or obvious."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise InvalidInput(
            f"A password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters.",
            field="password",
            reason="password_length",
            min=MIN_PASSWORD_CHARS,
        )
    if len(set(password)) < 4 or (email and password.casefold() == email.casefold()):
        raise InvalidInput(
            "This password is too easy to guess.", field="password", reason="password_obvious"
        )


def hash_password(password: str) -> str:
    """The argon2id hash of a password. Takes about 66 ms and 32 MiB."""
    return _HASHER.hash(password.encode(errors="surrogatepass"))


def password_matches(password_hash: str | None, password: str) -> bool:
    """True when the password belongs to the hash; takes the same time when there is no hash."""
    given = password[: MAX_PASSWORD_CHARS + 1].encode(errors="surrogatepass")
    try:
        _HASHER.verify(password_hash or DUMMY_HASH, given)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def renewed_hash(password_hash: str, password: str) -> str | None:
    """A new hash when the old one was made with weaker settings, else None."""
    return hash_password(password) if _HASHER.check_needs_rehash(password_hash) else None


def start_sign_in(
    tx: Tx,
    *,
    agent_id: str,
    password_hash: str | None,
    user_agent: str | None = None,
    new_hash: str | None = None,
) -> Issued:
    """A new sign-in after the password was found right for ``password_hash``.

    Raises NotSignedIn when the person was deactivated or the password changed in the meantime.
    """
    found = people.credentials_of(tx.connection, agent_id)
    if found is None or not found.active or found.password_hash != password_hash:
        raise NotSignedIn("Sign in again.")
    issued = Issued(agent_id, secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    if new_hash is not None:
        people.update_person(tx, agent_id, password_hash=new_hash)
    sign_ins.insert_sign_in(
        tx, issued.cookie, agent_id=agent_id, csrf=issued.csrf, user_agent=user_agent
    )
    return issued


def sign_out(tx: Tx, actor: Actor, token_hash: str) -> None:
    """Ends one sign-in of the actor and has its sockets closed."""
    sign_ins.delete_sign_in(tx, token_hash)
    if actor.id is not None:
        tx.notice(SignedOut(actor.id, token_hash))


def touch_sign_in(tx: Tx, token_hash: str) -> None:
    """Notes that a sign-in was used now, which puts off its idle end."""
    sign_ins.touch_sign_in(tx, token_hash)
