"""``shopbell void``: what should not count."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, say


def void_command(
    seq: Annotated[int, typer.Argument(min=1, help="The number of the event in the log.")],
    reason: Annotated[
        str,
        typer.Option(
            "--reason", help="test, duplicate, misplaced, machine, clock, mistake, other."
        ),
    ],
    data_dir: DataDir = None,
) -> None:
    """Let an event count no more; voiding a correction lets its event count again."""
    from server.actions.corrections import Void, void
    from server.actions.payload import parse
    from server.domain.actors import Actor

    payload = parse(Void, {"target_seq": seq, "reason": reason})
    with opened(data_dir) as database:
        existing_shop(database)
        answer = database.write_now(lambda tx: void(tx, Actor("system", role="admin"), payload))
    say(f"Event {seq} counts no more. To undo this: shopbell void {answer['seq']} --reason mistake")


def add_to(app: typer.Typer) -> None:
    """Adds ``void``."""
    app.command("void")(void_command)
