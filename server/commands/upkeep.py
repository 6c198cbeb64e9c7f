"""``shopbell migrate``: looking after the database."""

from __future__ import annotations

import typer

from server.commands.common import DataDir, say


def migrate_command(data_dir: DataDir = None) -> None:
    """Bring the database to this version's tables (SQLite is copied first)."""
    from server import config
    from server.storage.database import Database
    from server.storage.migrate import migrate

    settings = config.load(data_dir)
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database_url, settings.sqlite_path)
    try:
        backup = settings.sqlite_path if settings.database_url is None else None
        before = migrate(database.engine, backup_of=backup)
    finally:
        database.close()
    say(f"The database is at this version's tables (it was {before or 'empty'}).")


def add_to(app: typer.Typer) -> None:
    """Adds ``migrate``."""
    app.command("migrate")(migrate_command)
