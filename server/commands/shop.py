"""``shopbell init`` and ``shopbell site``."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands.common import DataDir, existing_shop, opened, say


def init_command(
    shop: Annotated[str, typer.Option("--shop", help="Name of the shop.")],
    locale: Annotated[str, typer.Option("--locale", help="zh or en.")],
    timezone: Annotated[str, typer.Option("--timezone", help="For example Asia/Shanghai.")],
    currency: Annotated[str, typer.Option("--currency", help="For example CNY.")],
    data_dir: DataDir = None,
) -> None:
    """Create an empty shop; the site key is the last word printed."""
    from server import config
    from server.actions.shop import init_shop
    from server.storage.opening import open_database

    settings = config.load(data_dir)
    database, _ = open_database(settings, serving=False)
    try:
        key = database.write_now(
            lambda tx: init_shop(tx, name=shop, locale=locale, timezone=timezone, currency=currency)
        )
    finally:
        database.close()
    say(f"The shop is there. Its site key: {key}")


def site_set_command(
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="A page origin that may embed the widget.")
    ] = None,
    identity_secret: Annotated[
        str | None, typer.Option("--identity-secret", help="Signs identities (HS256).")
    ] = None,
    end_old_identity_secret: Annotated[
        bool,
        typer.Option(
            "--end-old-identity-secret", help="Believe what the former secret signs no more."
        ),
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Set the allowed page origins (without --origin any page) and the identity secret.

    With only --identity-secret the origins stay as they are, and what the former secret signs is
    believed until --end-old-identity-secret.
    """
    from server.actions.shop import set_site
    from server.domain.actors import SYSTEM

    only_origins = identity_secret is None and not end_old_identity_secret
    with opened(data_dir) as database:
        database.write_now(
            lambda tx: set_site(
                tx,
                SYSTEM,
                origins=origin or ([] if only_origins else None),
                identity_secret=identity_secret,
                drop_old_secret=end_old_identity_secret,
            )
        )
        shop = existing_shop(database)
    pages = ", ".join(shop.origins) or "any page"
    signed = "signed identities on" if shop.identity_secret else "signed identities off"
    signed += ", with two secrets" if shop.old_identity_secret else ""
    say(f"Allowed: {pages}; {signed}; site key {shop.site_key}")


def add_to(app: typer.Typer) -> None:
    """Adds ``init`` and the group ``site``."""
    site = typer.Typer(help="Where the widget may be embedded.", no_args_is_help=True)
    site.command("set")(site_set_command)
    app.command("init")(init_command)
    app.add_typer(site, name="site")
