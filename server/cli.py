"""The command line: ``shopbell``. Every command works beside a running server."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from typer.exceptions import TyperException

from server import config
from server.actions import people as people_actions
from server.actions import shop as shop_actions
from server.actions.imports import import_events
from server.actions.sign_in import check_new_password, hash_password
from server.app import Running, open_database, serve
from server.domain.actors import SYSTEM
from server.domain.errors import AppError, InvalidInput, NotFound
from server.log import configure
from server.reports import cli as report_cli
from server.reports.verify import Difference, sizes, verify
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.migrate import migrate as migrate_tables
from server.storage.people import credentials
from server.storage.repair import rebuild
from server.storage.shop import Shop, load_shop

app = typer.Typer(
    name="shopbell",
    help="Customer-service chat for web shops / 网店客服与工单助手",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
user_app = typer.Typer(help="People who sign in.", no_args_is_help=True)
token_app = typer.Typer(help="API tokens.", no_args_is_help=True)
site_app = typer.Typer(help="Where the widget may be embedded.", no_args_is_help=True)
import_app = typer.Typer(help="Bring in data from files.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")
app.add_typer(site_app, name="site")
app.add_typer(import_app, name="import")

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the data (default ./shopbell-data).")
]
Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")]
REJECTED = 3
# Beyond these a reader learns nothing new; the count says how many there are.
MOST_DIFFERENCES = 100


def main() -> None:
    """Runs a command; a failure is one clear line on stderr and a status that is not 0."""
    try:
        status = app(standalone_mode=False)
    except TyperException as error:
        _misused(error)
    except typer.Abort:
        sys.exit(130)
    except AppError as error:
        _fail(error.message)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        _fail(f"Setting {'.'.join(str(p) for p in first['loc'])}: {first['msg']}")
    except tomllib.TOMLDecodeError as error:
        _fail(f"shopbell.toml in the data folder is not valid TOML: {error}")
    except OSError as error:
        _fail(f"{error.filename or 'input/output'}: {error.strerror or error}")
    sys.exit(status if isinstance(status, int) else 0)


def _misused(error: TyperException) -> NoReturn:
    """Ends a command that was called wrongly; without any arguments the help is the answer."""
    message = error.format_message()
    if "\n" in message:
        sys.stderr.write(message + "\n")
    else:
        sys.stderr.write(f"shopbell: {message} Try --help.\n")
    sys.exit(2)


def _fail(message: str) -> NoReturn:
    sys.stderr.write(f"shopbell: {message}\n")
    sys.exit(1)


@contextmanager
def _opened(data_dir: Path | None) -> Iterator[Database]:
    """The database of a folder, for one command."""
    settings = config.load(data_dir)
    if settings.database_url is None and not settings.sqlite_path.exists():
        raise NotFound(f"There is no shop in {settings.data_dir}. Create one: shopbell init --help")
    database, _ = open_database(settings, serving=False)
    try:
        yield database
    finally:
        database.close()


@app.command("serve")
def serve_command(host: Host = "127.0.0.1", port: Port = 8080, data_dir: DataDir = None) -> None:
    """Run the server; in an empty folder it opens a set-up page instead of a shop."""
    settings = config.load(data_dir)
    configure(level=settings.log_level)
    database, lock = open_database(settings, serving=True)
    try:
        _run(_serve(settings, database, host=host, port=port))
    finally:
        database.close()
        if lock is not None:
            lock.close()


async def _serve(settings: config.Settings, database: Database, *, host: str, port: int) -> None:
    async def announce(server: Running) -> None:
        _say(f"ready {server.url}")
        if server.setup_code is not None:
            _say(f"Set up your shop at {server.url}/setup with the code {server.setup_code}")

    await serve(settings, database, host=host, port=port, announce=announce)


@app.command("demo")
def demo_command(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data_dir: DataDir = None,
    traffic: Annotated[
        bool, typer.Option("--traffic/--no-traffic", help="Simulated shoppers.")
    ] = True,
) -> None:
    """Run the demo shop Mori & Oak; its storefront is on the next port."""
    from server.demo.run import prepare, run_demo  # noqa: PLC0415  # only the demo pays for it

    settings = config.load(data_dir)
    configure(level=settings.log_level)
    database, lock = open_database(settings, serving=True)
    try:
        prepare(database, shop_url=f"http://127.0.0.1:{port + 1}", say=_say)
        _run(run_demo(settings, database, host=host, port=port, traffic=traffic, say=_say))
    finally:
        database.close()
        if lock is not None:
            lock.close()


@app.command("init")
def init_command(
    shop: Annotated[str, typer.Option("--shop", help="Name of the shop.")],
    locale: Annotated[str, typer.Option("--locale", help="zh or en.")],
    timezone: Annotated[str, typer.Option("--timezone", help="For example Asia/Shanghai.")],
    currency: Annotated[str, typer.Option("--currency", help="For example CNY.")],
    data_dir: DataDir = None,
) -> None:
    """Create an empty shop; the site key is the last word printed."""
    settings = config.load(data_dir)
    database, _ = open_database(settings, serving=False)
    try:
        key = database.write_now(
            lambda tx: shop_actions.init_shop(
                tx, name=shop, locale=locale, timezone=timezone, currency=currency
            )
        )
    finally:
        database.close()
    _say(f"The shop is there. Its site key: {key}")


@user_app.command("add")
def user_add_command(
    email: str,
    name: Annotated[str, typer.Option("--name")],
    role: Annotated[str, typer.Option("--role", help="agent, supervisor or admin.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Add a person who can sign in; without --password-stdin a password is made and printed."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(12)
    check_new_password(password, email=email)
    hashed = hash_password(password)
    with _opened(data_dir) as database:
        _shop(database)
        database.write_now(
            lambda tx: people_actions.add_person(
                tx, SYSTEM, email=email, name=name, role=role, password_hash=hashed
            )
        )
    _say(f"{email} can sign in." if password_stdin else f"{email} can sign in with: {password}")


@token_app.command("create")
def token_create_command(
    name: Annotated[str, typer.Option("--name", help="What the token is for.")],
    user: Annotated[str | None, typer.Option("--user", help="Act as this person.")] = None,
    role: Annotated[str | None, typer.Option("--role", help="Or as a person made for it.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Days it is good for.")] = 90,
    data_dir: DataDir = None,
) -> None:
    """Make an API token; it is shown this once, as the last word printed."""
    if (user is None) == (role is None):
        raise InvalidInput("Give either --user EMAIL or --role ROLE.")
    with _opened(data_dir) as database:
        _shop(database)
        agent_id = None
        if user is not None:
            found = database.read_now(lambda c: credentials(c, people_actions.normal_email(user)))
            if found is None:
                raise NotFound(f"Nobody signs in as {user}.")
            agent_id = found.agent_id
        token = database.write_now(
            lambda tx: people_actions.create_token(
                tx, SYSTEM, name=name, agent_id=agent_id, role=role, days=days
            )
        )
    _say(f"Keep this token, it is not shown again: {token}")


@site_app.command("set")
def site_set_command(
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="A page origin that may embed the widget.")
    ] = None,
    identity_secret: Annotated[
        str | None, typer.Option("--identity-secret", help="Signs identities (HS256).")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Set the allowed page origins (without --origin any page) and the identity secret.

    With only --identity-secret the origins stay as they are.
    """
    with _opened(data_dir) as database:
        database.write_now(
            lambda tx: shop_actions.set_site(
                tx,
                SYSTEM,
                origins=origin or ([] if identity_secret is None else None),
                identity_secret=identity_secret,
            )
        )
        shop = _shop(database)
    pages = ", ".join(shop.origins) or "any page"
    signed = "signed identities on" if shop.identity_secret else "signed identities off"
    _say(f"Allowed: {pages}; {signed}; site key {shop.site_key}")


@app.command("migrate")
def migrate_command(data_dir: DataDir = None) -> None:
    """Bring the database to this version's tables (SQLite is copied first)."""
    settings = config.load(data_dir)
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database_url, settings.sqlite_path)
    try:
        backup = settings.sqlite_path if settings.database_url is None else None
        before = migrate_tables(database.engine, backup_of=backup)
    finally:
        database.close()
    _say(f"The database is at this version's tables (it was {before or 'empty'}).")


@import_app.command("events")
def import_events_command(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only; write nothing.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring in another desk's history (NDJSON); what is known already changes nothing."""
    with _opened(data_dir) as database, _progress("import") as progress:
        outcome = import_events(database, file, dry_run=dry_run, progress=progress)
    for row in outcome.rejected:
        sys.stderr.write(f"line {row.line}: {row.reason}\n")
    _say(
        f"accepted {outcome.accepted}, unchanged {outcome.unchanged},"
        f" rejected {len(outcome.rejected)}"
    )
    if outcome.rejected:
        raise typer.Exit(REJECTED)


@app.command("report")
def report_command(  # noqa: PLR0917  # each is an option of its own
    metrics: Annotated[str, typer.Argument(help="Metric ids, separated by commas.")],
    start: Annotated[str | None, typer.Option("--from", help="ISO 8601.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="ISO 8601, exclusive.")] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="agent, team, channel, segment, day or hour.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Instant at which open waits are cut.")
    ] = None,
    as_of_seq: Annotated[
        int | None, typer.Option("--as-of-seq", help="Use the log only up to this row.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    data_dir: DataDir = None,
) -> None:
    """Print service metrics."""
    with _opened(data_dir) as database:
        _shop(database)
        rows = database.read_now(
            lambda c: report_cli.report_command(
                c,
                [name.strip() for name in metrics.split(",") if name.strip()],
                now_ms=database.clock(),
                from_=start,
                to=end,
                by=by,
                as_of=as_of,
                as_of_seq=as_of_seq,
            )
        )
    _say(report_cli.formatted(rows, form))


@app.command("verify")
def verify_command(
    repair: Annotated[
        bool, typer.Option("--repair", help="Write what differs anew from the log.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Replay the event log and compare every derived row; status 0 only when all agree."""
    found: list[Difference] = []
    with _opened(data_dir) as database, _progress("verify") as progress:

        def look(connection: Connection) -> tuple[int, int]:
            events, conversations = sizes(connection)
            done = 0

            def looked_at(more: int) -> None:
                nonlocal done
                done += more
                progress(done, conversations)

            found.extend(verify(connection, looked_at=looked_at))
            return events, conversations

        events, conversations = database.read_now(look)
        if repair:
            for key in {d.conversation_id for d in found if d.conversation_id is not None}:
                with suppress(NotFound):  # a row that the log knows nothing of stays named
                    database.write_now(partial(rebuild, conversation_id=key))
    for difference in found[:MOST_DIFFERENCES]:
        _say(str(difference))
    verdict = f"{len(found)} differences" if found else "no differences"
    _say(f"{events} events, {conversations} conversations: {verdict}")
    if repair and found:
        _say("What could be was written anew; run verify again.")
    if found:
        raise typer.Exit(1)


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr when it is a terminal, for what takes longer than a moment."""
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


def _shop(database: Database) -> Shop:
    shop = database.read_now(load_shop)
    if shop is None:
        raise NotFound("There is no shop here yet. Create one: shopbell init --help")
    return shop


def _say(text: str) -> None:
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def _run(work: object) -> None:
    """Runs a coroutine on the fastest loop there is."""
    assert asyncio.iscoroutine(work)  # for the type checker
    try:
        import uvloop  # noqa: PLC0415  # not made for every system
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)
