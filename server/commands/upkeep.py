"""``shopbell migrate``, ``check``, ``backup`` and ``restore``: looking after the shop's data."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.common import DataDir, opened, progress, say
from server.domain.errors import Conflict, NotFound, Unavailable

if TYPE_CHECKING:
    from server.config import Settings
    from server.storage.archive import Manifest, Reading
    from server.storage.tombstones import Graves


def migrate_command(data_dir: DataDir = None) -> None:
    """Bring the database to this version's tables (SQLite is copied first)."""
    from server import config
    from server.storage.answering import answering
    from server.storage.migrate import migrate
    from server.storage.opening import connect

    settings = config.load(data_dir)
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = connect(settings)
    try:
        backup = settings.sqlite_path if settings.database_url is None else None
        with answering():
            before = migrate(database.engine, backup_of=backup)
    finally:
        database.close()
    say(f"The database is at this version's tables (it was {before or 'empty'}).")


def backup_command(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Write a consistent copy of everything to one file, also while the server runs."""
    from server import config
    from server.storage.archive import writing
    from server.storage.backup import back_up
    from server.storage.opening import connect

    settings = config.load(data_dir)
    if settings.database_url is None and not settings.sqlite_path.exists():
        raise NotFound(f"There is nothing to back up in {settings.data_dir}.")
    # Not brought to this version first: a copy is what one makes before that.
    database = connect(settings)
    try:
        with writing(file, force=force) as archive, progress("backup") as tell:
            manifest = back_up(database, archive, tell)
    finally:
        database.close()
    size = file.stat().st_size
    say(f"{file}: {manifest.rows} rows of {len(manifest.members)} tables, {size} bytes.")


def restore_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A backup.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a database that is not empty.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Put a backup in the place of the database; no server may run."""
    from server import config
    from server.storage.archive import reading
    from server.storage.backup import check_fits

    settings = config.load(data_dir)
    with reading(file) as archive:
        check_fits(archive)
        put_back = _restore_sqlite if settings.database_url is None else _restore_postgresql
        graves = put_back(settings, archive, force=force, yes=yes)
        manifest = archive.manifest
    _erase_again(graves, data_dir)
    say(f"Restored {manifest.rows} rows of {_made(manifest)}. Now run: shopbell verify")


def _restore_sqlite(
    settings: Settings, archive: Reading, *, force: bool, yes: bool
) -> Graves | None:
    """Who had been erased from the database that was there; None when it could not be read."""
    from server.storage.backup import is_empty, restore_sqlite
    from server.storage.database import Database
    from server.storage.lock import take_serving_lock
    from server.storage.tombstones import Graves, graves_of

    path = settings.sqlite_path
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    graves: Graves | None = Graves()
    with take_serving_lock(settings.data_dir):
        if path.exists() and path.stat().st_size:
            database = Database(None, path)
            try:
                empty = is_empty(database)
                graves = database.read_now(graves_of)
            except Unavailable:  # broken: perhaps the reason for the restore
                empty, graves = False, None
            finally:
                database.close()
            if not empty:
                _agree(str(path), archive.manifest, force=force, yes=yes)
        _check(archive)
        with progress("restore") as tell:
            kept = restore_sqlite(path, archive, tell)
    if kept is not None:
        say(f"The database that was there is kept as {kept}.")
    return graves


def _restore_postgresql(
    settings: Settings, archive: Reading, *, force: bool, yes: bool
) -> Graves | None:
    """Who had been erased from the database that was there."""
    from server.storage.backup import is_empty, restore_postgresql
    from server.storage.opening import connect
    from server.storage.tombstones import graves_of

    # A session of its own: the restore takes nobody beside it, not even this.
    looked_into = connect(settings)
    try:
        graves = looked_into.read_now(graves_of)
    finally:
        looked_into.close()
    database = connect(settings)
    try:
        if not is_empty(database):
            _agree("the PostgreSQL database", archive.manifest, force=force, yes=yes)
        _check(archive)
        with progress("restore") as tell:
            restore_postgresql(database, archive, tell)
    finally:
        database.close()
    return graves


def _erase_again(graves: Graves | None, data_dir: Path | None) -> None:
    """Keeps those away whom the backup brings back although they were erased after it."""
    from functools import partial

    from server.actions.privacy import erase_again
    from server.storage.tombstones import bury_again

    if graves is None:
        say("The database that was there cannot be read: erase again who was erased since then.")
        return
    if not graves.customer_ids and not graves.stones:
        return
    with opened(data_dir) as database:
        again, unclear = 0, []
        for customer_id in graves.customer_ids:
            job = partial(erase_again, customer_id=customer_id, among=graves.customer_ids)
            done = database.write_now(job)
            again += done is True
            if done is False:
                unclear.append(customer_id)
        database.write_now(partial(bury_again, graves=graves))
    if again:
        say(f"Erased again: {again} who had been erased since the backup was made.")
    for customer_id in unclear:
        say(f"Not erased again, because the backup joins them with others: {customer_id}")


def _check(archive: Reading) -> None:
    with progress("check") as tell:
        archive.check(tell)


def _agree(what: str, manifest: Manifest, *, force: bool, yes: bool) -> None:
    """Returns nothing. Raises Conflict unless the person means to replace what is there."""
    if not force:
        raise Conflict(f"There is a shop in {what}. To replace it, give --force.")
    if yes:
        return
    if not sys.stdin.isatty():
        raise Conflict(f"This replaces {what}, and nobody is here to be asked. Give --yes.")
    question = f"Replace {what} by the backup of {_made(manifest)}?"
    if not typer.confirm(question, err=True):
        raise Conflict("Nothing was changed.")


def _made(manifest: Manifest) -> str:
    return datetime.fromtimestamp(manifest.made_at_ms / 1000, tz=UTC).isoformat(timespec="seconds")


def add_to(app: typer.Typer) -> None:
    """Adds ``migrate``, ``backup`` and ``restore``."""
    app.command("migrate")(migrate_command)
    app.command("backup")(backup_command)
    app.command("restore")(restore_command)
