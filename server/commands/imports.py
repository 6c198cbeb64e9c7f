"""``shopbell import``: data from files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from server.commands.common import DataDir, opened, progress, say

REJECTED = 3


def import_events_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; write nothing.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring in another desk's history (NDJSON); what is known already changes nothing."""
    from server.actions.imports import import_events

    with opened(data_dir) as database, progress("import") as tell:
        outcome = import_events(database, file, dry_run=dry_run, progress=tell)
    for row in outcome.rejected:
        sys.stderr.write(f"line {row.line}: {row.reason}\n")
    say(
        f"accepted {outcome.accepted}, unchanged {outcome.unchanged},"
        f" rejected {len(outcome.rejected)}"
    )
    if outcome.rejected:
        raise typer.Exit(REJECTED)


def add_to(app: typer.Typer) -> None:
    """Adds the group ``import``."""
    group = typer.Typer(help="Bring in data from files.", no_args_is_help=True)
    group.command("events")(import_events_command)
    app.add_typer(group, name="import")
