"""What commands share: options, the opened database, words and a bar for the person who waits.

A command imports what it needs when it runs, so ``--help`` costs nothing of it; only what options
are made of stands at the head of these modules.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from server.domain.errors import NotFound

if TYPE_CHECKING:
    from server.storage.database import Database
    from server.storage.shop import Shop

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the data (default ./shopbell-data).")
]


@contextmanager
def opened(data_dir: Path | None) -> Iterator[Database]:
    """The database of a folder, for one command. Raises NotFound where there is none."""
    from server import config
    from server.storage.opening import open_database

    settings = config.load(data_dir)
    if settings.database_url is None and not settings.sqlite_path.exists():
        raise NotFound(f"There is no shop in {settings.data_dir}. Create one: shopbell init --help")
    database, _ = open_database(settings, serving=False)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr when it is a terminal, for what takes longer than a moment."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(label, total=None)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


def existing_shop(database: Database) -> Shop:
    """The shop of this database. Raises NotFound when it has none yet."""
    from server.storage.shop import load_shop

    shop = database.read_now(load_shop)
    if shop is None:
        raise NotFound("There is no shop here yet. Create one: shopbell init --help")
    return shop


def fail(text: str) -> NoReturn:
    """Ends a command that did its work and found something wrong: a line on stderr, status 1."""
    sys.stderr.write(f"shopbell: {text}\n")
    raise typer.Exit(1)


def say(text: str) -> None:
    """Prints a line on stdout at once."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()
