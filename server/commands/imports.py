"""``shopbell import``: data from files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.common import DataDir, opened, progress, say

if TYPE_CHECKING:
    from server.domain.importing import Rejected
    from server.importers.canonical import Desk
    from server.importers.run import DeskOutcome
    from server.importers.sheets import SheetOutcome

REJECTED = 3
# Beyond these a reader learns nothing new; the count says how many there are.
MOST_NAMED = 1000


class PaidIs(StrEnum):
    """Whether an amount that was paid has refunds taken off already."""

    GROSS = "gross"
    NET = "net"


File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
Export = Annotated[Path, typer.Argument(exists=True, readable=True)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check only; write nothing.")]
Paid = Annotated[
    PaidIs | None,
    typer.Option(
        "--paid",
        help="Whether what was paid is before refunds (gross) or after them (net), where a"
        " marketplace's report does not say.",
    ),
]
Source = Annotated[str | None, typer.Option("--source", help="Name of where the data comes from.")]


def import_events_command(
    file: File, dry_run: DryRun = False, source: Source = None, data_dir: DataDir = None
) -> None:
    """Bring in another desk's history (NDJSON); what is known already changes nothing."""
    from server.actions.imports import import_events

    del source  # every import takes it; here names stand for themselves
    with opened(data_dir) as database, progress("import") as tell:
        outcome = import_events(database, file, dry_run=dry_run, progress=tell)
    _rows(outcome.accepted, outcome.unchanged, outcome.rejected, dry_run=dry_run)


def import_customers_command(
    file: File, dry_run: DryRun = False, source: Source = None, data_dir: DataDir = None
) -> None:
    """Bring in customers (CSV, NDJSON); what is known already changes nothing."""
    from server.importers.shop_files import import_customers

    with opened(data_dir) as database, progress("customers") as tell:
        outcome = import_customers(database, file, source=source, dry_run=dry_run, progress=tell)
    _sheet(outcome, dry_run=dry_run)


def import_orders_command(
    file: File,
    dry_run: DryRun = False,
    source: Source = None,
    paid: Paid = None,
    data_dir: DataDir = None,
) -> None:
    """Bring in orders (CSV, NDJSON, a Taobao or Tmall report); known ones change nothing."""
    from server.importers.shop_files import import_orders
    from server.storage.rescoring import refresh

    with opened(data_dir) as database, progress("orders") as tell:
        outcome = import_orders(
            database,
            file,
            source=source,
            paid_is=None if paid is None else paid.value,
            dry_run=dry_run,
            progress=tell,
        )
        if outcome.accepted and not dry_run:
            refresh(database, tell=tell)
    _sheet(outcome, dry_run=dry_run)


def import_products_command(
    file: File, dry_run: DryRun = False, source: Source = None, data_dir: DataDir = None
) -> None:
    """Bring in products (CSV, NDJSON); what is known already changes nothing."""
    from server.importers.shop_files import import_products

    with opened(data_dir) as database, progress("products") as tell:
        outcome = import_products(database, file, source=source, dry_run=dry_run, progress=tell)
    _sheet(outcome, dry_run=dry_run)


def import_articles_command(
    path: Export, dry_run: DryRun = False, source: Source = None, data_dir: DataDir = None
) -> None:
    """Bring in articles: a table, Markdown, HTML, or a folder or zip of these."""
    from server.importers.article_files import import_articles

    with opened(data_dir) as database, progress("articles") as tell:
        outcome = import_articles(database, path, source=source, dry_run=dry_run, progress=tell)
    _sheet(outcome, dry_run=dry_run)


def import_undo_command(
    batch: Annotated[str, typer.Argument(help="The batch that the import named.")],
    data_dir: DataDir = None,
) -> None:
    """Take back what an import of orders, products or customers wrote."""
    from server.importers.shop_files import undo_import

    with opened(data_dir) as database, progress("undo") as tell:
        put_back = undo_import(database, batch, progress=tell)
    say(f"undone {batch}: put back {put_back}")


def import_list_command(data_dir: DataDir = None) -> None:
    """Show the latest imports of orders, products and customers, the newest first."""
    from server.importers.shop_files import list_imports

    with opened(data_dir) as database:
        for line in list_imports(database):
            say(line)


def import_chatwoot_command(
    path: Export, dry_run: DryRun = False, source: Source = None, data_dir: DataDir = None
) -> None:
    """Bring in a Chatwoot account: pages of its API as a file, a folder or a zip."""
    from server.importers.chatwoot import DESK

    _desk(DESK, path, dry_run=dry_run, source=source, data_dir=data_dir)


def import_zendesk_command(
    path: Export, dry_run: DryRun = False, source: Source = None, data_dir: DataDir = None
) -> None:
    """Bring in a Zendesk account: its JSON export or pages of its API, also as folder or zip."""
    from server.importers.zendesk import DESK

    _desk(DESK, path, dry_run=dry_run, source=source, data_dir=data_dir)


def add_to(app: typer.Typer) -> None:
    """Adds the group ``import``."""
    group = typer.Typer(help="Bring in data from files.", no_args_is_help=True)
    group.command("events")(import_events_command)
    group.command("orders")(import_orders_command)
    group.command("products")(import_products_command)
    group.command("customers")(import_customers_command)
    group.command("undo")(import_undo_command)
    group.command("list")(import_list_command)
    group.command("articles")(import_articles_command)
    group.command("chatwoot")(import_chatwoot_command)
    group.command("zendesk")(import_zendesk_command)
    app.add_typer(group, name="import")


def _rows(
    accepted: int,
    unchanged: int,
    rejected: Sequence[Rejected],
    *,
    dry_run: bool,
    batch: str | None = None,
) -> None:
    """Tells what became of the rows of a file. Raises typer.Exit when some were rejected."""
    for row in rejected[:MOST_NAMED]:
        sys.stderr.write(f"{row.where or f'line {row.line}'}: {row.reason}\n")
    if len(rejected) > MOST_NAMED:
        sys.stderr.write(f"... / ……  +{len(rejected) - MOST_NAMED}\n")
    if batch is not None:
        say(f"batch {batch} (to take it back: shopbell import undo {batch})")
    if dry_run:
        say("a dry run, nothing was written")
    say(f"accepted {accepted}, unchanged {unchanged}, rejected {len(rejected)}")
    if rejected:
        raise typer.Exit(REJECTED)


def _sheet(outcome: SheetOutcome, *, dry_run: bool) -> None:
    for note in outcome.notes:
        sys.stderr.write(f"{note}\n")
    for name in outcome.ignored:
        sys.stderr.write(f"ignored column / 忽略的列: {name}\n")
    told = outcome.accepted, outcome.unchanged, outcome.rejected
    _rows(*told, dry_run=dry_run, batch=outcome.batch)


def _desk(
    desk: Desk, path: Path, *, dry_run: bool, source: str | None, data_dir: Path | None
) -> None:
    from server.importers.run import import_desk

    with opened(data_dir) as database, progress("import") as tell:
        outcome = import_desk(database, desk, path, source=source, dry_run=dry_run, progress=tell)
    for found in outcome.rejected[:MOST_NAMED]:
        sys.stderr.write(f"{found.name}: {found.reason}\n")
    say(_summary(outcome, dry_run=dry_run))
    if outcome.rejected:
        raise typer.Exit(REJECTED)


def _summary(outcome: DeskOutcome, *, dry_run: bool) -> str:
    """What came of an export, in words."""
    lines = [f"{outcome.account}{': a dry run, nothing was written' if dry_run else ''}"]
    for name, tally in (
        ("conversations", outcome.conversations),
        ("messages", outcome.messages),
        ("customers", outcome.customers),
        ("articles", outcome.articles),
    ):
        lines.append(f"{name}: accepted {tally.accepted}, unchanged {tally.unchanged}")
    people = sorted(outcome.people)
    named = ", ".join(people[:10]) + (", ..." if len(people) > 10 else "")
    lines.append(f"people made inactive: {len(people)}{f' ({named})' if people else ''}")
    lines += [f"skipped {number}: {reason}" for reason, number in sorted(outcome.skipped.items())]
    lines.append(f"rejected {len(outcome.rejected)}")
    return "\n".join(lines)
