"""``shopbell token``: keys of programs."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, say
from server.domain.errors import InvalidInput, NotFound


def token_create_command(
    name: Annotated[str, typer.Option("--name", help="What the token is for.")],
    user: Annotated[str | None, typer.Option("--user", help="Act as this person.")] = None,
    role: Annotated[str | None, typer.Option("--role", help="Or as a person made for it.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Days it is good for.")] = 90,
    data_dir: DataDir = None,
) -> None:
    """Make an API token; it is shown this once, as the last word printed."""
    from server.actions.people import create_token, normal_email
    from server.domain.actors import SYSTEM
    from server.storage.people import credentials

    if (user is None) == (role is None):
        raise InvalidInput("Give either --user EMAIL or --role ROLE.")
    with opened(data_dir) as database:
        existing_shop(database)
        agent_id = None
        if user is not None:
            found = database.read_now(lambda c: credentials(c, normal_email(user)))
            if found is None:
                raise NotFound(f"Nobody signs in as {user}.")
            agent_id = found.agent_id
        token = database.write_now(
            lambda tx: create_token(tx, SYSTEM, name=name, agent_id=agent_id, role=role, days=days)
        )
    say(f"Keep this token, it is not shown again: {token}")


def add_to(app: typer.Typer) -> None:
    """Adds the group ``token``."""
    token = typer.Typer(help="API tokens.", no_args_is_help=True)
    token.command("create")(token_create_command)
    app.add_typer(token, name="token")
