"""``shopbell user``: people who sign in."""

from __future__ import annotations

import secrets
import sys
from typing import Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, say


def user_add_command(
    email: str,
    name: Annotated[str, typer.Option("--name")],
    role: Annotated[str, typer.Option("--role", help="agent, supervisor or admin.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Add a person who can sign in; without --password-stdin a password is made and printed."""
    from server.actions.people import add_person
    from server.actions.sign_in import check_new_password, hash_password
    from server.domain.actors import SYSTEM

    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(12)
    check_new_password(password, email=email)
    hashed = hash_password(password)
    with opened(data_dir) as database:
        existing_shop(database)
        database.write_now(
            lambda tx: add_person(
                tx, SYSTEM, email=email, name=name, role=role, password_hash=hashed
            )
        )
    say(f"{email} can sign in." if password_stdin else f"{email} can sign in with: {password}")


def add_to(app: typer.Typer) -> None:
    """Adds the group ``user``."""
    user = typer.Typer(help="People who sign in.", no_args_is_help=True)
    user.command("add")(user_add_command)
    app.add_typer(user, name="user")
