"""``shopbell export customer`` and ``shopbell erase customer``: what a person may ask for."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, say
from server.domain.errors import Conflict, NotFound

if TYPE_CHECKING:
    from server.storage.database import Database

CustomerId = Annotated[
    str,
    typer.Argument(metavar="ID", help="The customer's id here, or the shop's own id of them."),
]


def export_customer_command(
    customer: CustomerId,
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="The ZIP file to write.")],
    data_dir: DataDir = None,
) -> None:
    """Write all that is kept about a person: JSON, and a page in their language."""
    from server.actions.privacy import OfPerson, note_export
    from server.config import load
    from server.domain.actors import SYSTEM
    from server.files.handing_out import hand_out
    from server.files.store import Store

    with opened(data_dir) as database:
        customer_id = _known(database, customer)
        store = Store(load(data_dir).files_path.absolute())
        # Half a file looks like a whole one.
        part = out.with_name(f"{out.name}.part")
        try:
            # Only its owner may read what is in it.
            with open(part, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                hand_out(database, store, customer_id, to=file)
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
        database.write_now(lambda tx: note_export(tx, SYSTEM, OfPerson(customer_id=customer_id)))
    say(f"{out}: {out.stat().st_size} bytes. Hand it over on a safe way, then delete it.")


def erase_customer_command(
    customer: CustomerId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Erase a person with all records joined to them; figures stay as they are."""
    from server.actions.privacy import OfPerson, erase_customer
    from server.config import load
    from server.domain.actors import SYSTEM
    from server.files.desk import let_go_now
    from server.files.store import Store

    with opened(data_dir) as database:
        customer_id = _known(database, customer)
        _agree(customer, yes=yes)
        erased = database.write_now(
            lambda tx: erase_customer(tx, SYSTEM, OfPerson(customer_id=customer_id))
        )
        let_go_now(database, Store(load(data_dir).files_path.absolute()))
    for name, count in erased.receipt.items():
        say(f"{name}: {count}")
    say(f"Erased. Receipt {erased.request_id}. Backups made before still have it all.")


def _known(database: Database, customer: str) -> str:
    """The id of a customer named by it, or by the shop's own id. Raises NotFound."""
    from server.storage.customers import customer_by_external_id, load_customer

    existing_shop(database)
    found = database.read_now(lambda c: load_customer(c, customer))
    found = found or database.read_now(lambda c: customer_by_external_id(c, customer))
    if found is None:
        raise NotFound("There is no such customer.")
    return found.id


def _agree(customer: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Conflict("This cannot be undone, and nobody is here to be asked. Give --yes.")
    if not typer.confirm(f"Erase customer {customer} for good?", err=True):
        raise Conflict("Nothing was changed.")


def add_to(app: typer.Typer) -> None:
    """Adds the group ``erase``."""
    group = typer.Typer(help="Erase what a person may want erased.", no_args_is_help=True)
    group.command("customer")(erase_customer_command)
    # With one command alone a group would take its name for an argument.
    group.callback()(lambda: None)
    app.add_typer(group, name="erase")
