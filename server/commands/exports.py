"""``shopbell export``: data for other programs, and for the people it is about."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from server.commands.common import DataDir, opened, progress, say
from server.commands.privacy import export_customer_command


def export_profiles_command(
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="ISO 8601; a bare date is the end of that day.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="csv or json.")] = "csv",
    out: Annotated[
        Path | None, typer.Option("--out", dir_okay=False, help="The file to write.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Print one row for every customer of the shop: what they bought, segment, stages."""
    from server.reports.profiles import formatted, profile_rows

    formatted((), form)  # refuses before anything is read
    with opened(data_dir) as database, progress("export") as tell:
        done = 0

        def looked_at(more: int) -> None:
            nonlocal done
            done += more
            tell(done, 0)

        rows = database.read_now(
            partial(profile_rows, now_ms=database.clock(), as_of=as_of, looked_at=looked_at)
        )
    if out is None:
        sys.stdout.writelines(formatted(rows, form))
        return
    with out.open("w", encoding="utf-8", newline="") as file:
        file.writelines(formatted(rows, form))
    say(f"{out}: {len(rows)} customers.")


def add_to(app: typer.Typer) -> None:
    """Adds the group ``export``."""
    group = typer.Typer(help="Take data out.", no_args_is_help=True)
    group.command("profiles")(export_profiles_command)
    group.command("customer")(export_customer_command)
    app.add_typer(group, name="export")
