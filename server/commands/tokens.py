"""``shopbell token``: keys of programs."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, say
from server.domain.errors import InvalidInput, NotFound


def token_create_command(  # noqa: PLR0917  # each is an option of its own
    name: Annotated[str, typer.Option("--name", help="What the token is for.")],
    user: Annotated[str | None, typer.Option("--user", help="Act as this person.")] = None,
    role: Annotated[str | None, typer.Option("--role", help="Or as a person made for it.")] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="What it is for; may be given again. Without: everything."),
    ] = None,
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
            lambda tx: create_token(
                tx,
                SYSTEM,
                name=name,
                agent_id=agent_id,
                role=role,
                days=days,
                scopes=scope or None,
            )
        )
    say(f"Keep this token, it is not shown again: {token}")


def token_list_command(data_dir: DataDir = None) -> None:
    """List the tokens: id, name, person, scopes, when each ends and was last used."""
    from server.reports.rows import iso
    from server.storage.tokens import load_tokens

    with opened(data_dir) as database:
        existing_shop(database)
        found = database.read_now(load_tokens)
    for token in found:
        scopes = " ".join(token.scopes) if token.scopes is not None else "everything"
        ends = f"ends {iso(token.expires_at_ms)}" if token.expires_at_ms else "does not end"
        used = f"used {iso(token.last_used_at_ms)}" if token.last_used_at_ms else "never used"
        say(
            f"{token.id}  {token.name}  {token.agent_name} ({token.role})  {scopes}  {ends}  {used}"
        )


def token_revoke_command(
    token_id: Annotated[str, typer.Argument(help="The id that `token list` shows.")],
    data_dir: DataDir = None,
) -> None:
    """End a token at once."""
    from server.actions.payload import parse
    from server.actions.tokens import TokenRef, revoke_token
    from server.domain.actors import SYSTEM

    with opened(data_dir) as database:
        existing_shop(database)
        asked = parse(TokenRef, {"token_id": token_id})
        database.write_now(lambda tx: revoke_token(tx, SYSTEM, asked))
    say(f"The token {token_id} has ended.")


def add_to(app: typer.Typer) -> None:
    """Adds the group ``token``."""
    token = typer.Typer(help="API tokens.", no_args_is_help=True)
    token.command("create")(token_create_command)
    token.command("list")(token_list_command)
    token.command("revoke")(token_revoke_command)
    app.add_typer(token, name="token")
