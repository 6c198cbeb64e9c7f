"""``shopbell source``: where shop data comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, say

Name = Annotated[str, typer.Argument(help="The last part of its hook address.")]


def source_add_command(  # noqa: PLR0917  # each is an option of its own
    name: Name,
    kind: Annotated[str, typer.Option("--kind", help="shopify, woocommerce or generic.")],
    secret: Annotated[
        str | None, typer.Option("--secret", help="What signs its deliveries. Without: made.")
    ] = None,
    customer_ids: Annotated[
        str | None,
        typer.Option(
            "--customer-ids",
            help="shop: its customer ids are those of signed identities; own: they are not."
            " Without: shop for the first source.",
        ),
    ] = None,
    stale_after_hours: Annotated[
        int | None,
        typer.Option("--stale-after-hours", min=1, max=1440, help="Warn after so much silence."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Add a place that shop events come from; a secret that was made is the last word printed."""
    from server.actions.payload import parse
    from server.actions.sources import AddSource, add_source, hook_path
    from server.domain.actors import SYSTEM

    asked = parse(
        AddSource,
        {
            "name": name,
            "kind": kind,
            "secret": secret,
            "customer_ids": customer_ids,
            "stale_after_hours": stale_after_hours,
        },
    )
    with opened(data_dir) as database:
        existing_shop(database)
        source, made = database.write_now(lambda tx: add_source(tx, SYSTEM, asked))
    about = "those of signed identities" if source.customer_ids == "shop" else "its own"
    say(f"{source.name} posts to {hook_path(source)}; its customer ids are {about}.")
    if secret is None:
        say(f"Give the shop this secret, it is not shown again: {made}")


def source_list_command(data_dir: DataDir = None) -> None:
    """List the sources: address, customer ids, last event, what waits, what failed."""
    from server.actions.sources import hook_path
    from server.reports.rows import iso
    from server.storage.deliveries import Counts, counts
    from server.storage.shop_sources import freshness, load_sources

    with opened(data_dir) as database:
        existing_shop(database)
        at_ms = database.clock()
        sources = database.read_now(load_sources)
        states = {one.source: one for one in database.read_now(lambda c: freshness(c, at_ms))}
        numbers = database.read_now(counts)
    for source in sources:
        state, number = states.get(source.name), numbers.get(source.name, Counts())
        where = hook_path(source) if source.live else "files only"
        last = f"last {iso(state.last_at_ms)}" if state and state.last_at_ms else "nothing yet"
        told = [source.name, where, f"{source.customer_ids} ids", last]
        if source.live:
            told += [f"{number.waiting} waiting", f"{number.dead} dead"]
        if source.refused:
            told.append(f"{source.refused} refused")
        if state and state.stale:
            told.append(f"STALE: {state.reason}")
        say("  ".join(told))
    if not sources:
        say("No sources yet. Add one: shopbell source add --help")


def source_remove_command(name: Name, data_dir: DataDir = None) -> None:
    """Take a source away; the orders and customers that came from it stay."""
    from server.actions.payload import parse
    from server.actions.sources import NamedSource, remove_source
    from server.domain.actors import SYSTEM

    with opened(data_dir) as database:
        existing_shop(database)
        asked = parse(NamedSource, {"name": name})
        database.write_now(lambda tx: remove_source(tx, SYSTEM, asked))
    say(f"{name} is taken away. What came from it stays.")


def source_rotate_command(
    name: Name,
    secret: Annotated[
        str | None, typer.Option("--secret", help="The new one. Without: made.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Give a source another secret; the former one works for 24 hours more."""
    from server.actions.payload import parse
    from server.actions.sources import RotateSecret, rotate_secret
    from server.domain.actors import SYSTEM

    with opened(data_dir) as database:
        existing_shop(database)
        asked = parse(RotateSecret, {"name": name, "secret": secret})
        made = database.write_now(lambda tx: rotate_secret(tx, SYSTEM, asked))
    if secret is None:
        say(f"Give the shop this secret, it is not shown again: {made}")
    else:
        say(f"{name} has another secret; the former one works for 24 hours more.")


def add_to(app: typer.Typer) -> None:
    """Adds the group ``source``."""
    source = typer.Typer(help="Where shop data comes from.", no_args_is_help=True)
    source.command("add")(source_add_command)
    source.command("list")(source_list_command)
    source.command("remove")(source_remove_command)
    source.command("rotate")(source_rotate_command)
    app.add_typer(source, name="source")
