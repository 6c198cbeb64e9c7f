"""``shopbell rescore``: new limits between scores, segments and stages, at once."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, progress, say
from server.domain.errors import InvalidInput


def rescore_command(
    f_classes: Annotated[
        str | None, typer.Option("--f-classes", help="Fewest orders for scores 2 to 5: 2,3,5,8.")
    ] = None,
    often: Annotated[
        int | None, typer.Option("--often", help="From how many orders on a customer is frequent.")
    ] = None,
    clocks: Annotated[
        str | None, typer.Option("--clocks", help="Days until dormant and lost, at first: 60,180.")
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="What comes first: auto, segments or cells.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Freeze new limits now and label every customer by them; the server does it every night."""
    from server.actions.segments import choose_rules
    from server.storage.rescoring import rebuild

    choice = partial(
        choose_rules,
        f_classes=_numbers(f_classes),
        often=often,
        clocks=_numbers(clocks),
        label=label,
    )
    with opened(data_dir) as database, progress("rescore") as tell:
        existing_shop(database)
        if any(given is not None for given in (f_classes, often, clocks, label)):
            database.write_now(choice)
        done = rebuild(database, tell=tell)
    if done is None:
        say("Another process is at it just now; nothing more to do.")
    else:
        say(
            f"Limits {done.version}: {done.persons} customers, {done.written} changed,"
            f" {done.drifted} had drifted."
        )


def _numbers(text: str | None) -> list[int] | None:
    """Whole numbers with commas between them. Raises InvalidInput."""
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InvalidInput(f"{text!r} is no list of whole numbers.") from None


def add_to(app: typer.Typer) -> None:
    """Adds ``rescore``."""
    app.command("rescore")(rescore_command)
