"""``shopbell check``: what stands in the way of a shop, and what to do about it.

Each row of CHECKS looks at one thing and yields findings; nothing is changed by looking.
"""

from __future__ import annotations

import os
import resource
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

import typer

from server.commands.common import DataDir, fail, say
from server.domain.errors import AppError, Unavailable

if TYPE_CHECKING:
    from server.config import Settings
    from server.storage.database import Database
    from server.storage.inspection import Seen

Verdict = Literal["ok", "warning", "problem"]
LITTLE_BYTES = 200 << 20
LOW_BYTES = 1 << 30
FEW_FILES = 4096
FEW_CONNECTIONS = 20
SLOW_MS = 50.0
CLOCK_WARN_MS = 1000
CLOCK_WRONG_MS = 5000
LINE_LIMIT_S = 3.0
SHORT_SECRET_CHARS = 32
# File systems over a network lock unreliably.
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "glusterfs"})
MAIL = {"smtp_url": {"smtp": 25, "smtps": 465}, "imap_url": {"imap": 143, "imaps": 993}}
# Read by others than Settings.
OTHER_NAMES = frozenset(MAIL)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing, and what to do, empty when all is well."""

    what: str
    verdict: Verdict
    found: str
    do: str = ""


Findings = Iterator[Finding]
Check = Callable[["Settings"], Findings]


def check_command(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Look over settings, database, disk, clock and network; status 0 only without problems."""
    findings = list(look_over(data_dir))
    if as_json:
        import orjson

        fine = all(finding.verdict != "problem" for finding in findings)
        shown = {"ok": fine, "findings": [asdict(finding) for finding in findings]}
        say(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(findings)
    problems = dict.fromkeys(finding.what for finding in findings if finding.verdict == "problem")
    if problems:
        fail(f"There are problems: {', '.join(problems)}.")


def look_over(data_dir: Path | None) -> Findings:
    """All findings, in the order of CHECKS; settings that cannot be read are the only one."""
    from server import config

    try:
        settings = config.load(data_dir)
    except AppError as error:
        yield Finding("settings", "problem", error.message, "Correct it and check again.")
        return
    for check in CHECKS:
        yield from check(settings)


def _print(findings: list[Finding]) -> None:
    colours = {"ok": "green", "warning": "yellow", "problem": "red"}
    for finding in findings:
        mark = typer.style(f"{finding.verdict:8}", fg=colours[finding.verdict])
        typer.echo(f"{mark} {finding.what:12} {finding.found}")
        if finding.do:
            typer.echo(f"{'':21} {finding.do}")
    count = {verdict: sum(f.verdict == verdict for f in findings) for verdict in colours}
    typer.echo(f"problems: {count['problem']}, warnings: {count['warning']}")


def _python(_settings: Settings) -> Findings:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", "ok", f"Python {version}")


def _settings(settings: Settings) -> Findings:
    strange = sorted(_strange_names(settings))
    if strange:
        yield Finding(
            "settings",
            "warning",
            f"{', '.join(strange)}: there is no such setting, so it has no effect.",
            "Look for a misspelling; docs/operations.md lists all settings.",
        )
    else:
        yield Finding("settings", "ok", "All names are known.")
    if not settings.rate_limits:
        yield Finding(
            "limits",
            "warning",
            "Rate limits are off.",
            "Anybody can flood the shop. Unset rate_limits unless you measure load.",
        )
    if settings.log_level == "debug":
        yield Finding(
            "log", "warning", "The log level is debug.", "It costs speed and disk: use info."
        )


def _strange_names(settings: Settings) -> Iterator[str]:
    import tomllib

    known = {*type(settings).model_fields, *OTHER_NAMES}
    for name in os.environ:
        ours = name.startswith("SHOPBELL_") and not name.startswith("SHOPBELL_TEST_")
        if ours and name.removeprefix("SHOPBELL_").lower() not in known:
            yield name
    file = settings.data_dir / "shopbell.toml"
    if file.exists():
        yield from (name for name in tomllib.loads(file.read_text("utf-8")) if name not in known)


def _folder(settings: Settings) -> Findings:
    folder = settings.data_dir
    if not folder.exists():
        verdict: Verdict = "problem" if settings.database_url is None else "warning"
        yield Finding(
            "folder", verdict, f"{folder} does not exist.", "Create a shop: shopbell init --help"
        )
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            "folder",
            "problem",
            f"{folder} cannot be written by {os.geteuid()}.",
            "Give it to the user that runs the server: chown -R.",
        )
        return
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield Finding(
            "folder",
            "warning",
            f"Other users of this machine can look into {folder}.",
            f"chmod 700 {folder}",
        )
    else:
        yield Finding("folder", "ok", f"{folder} belongs to the server alone.")
    owner = folder.stat().st_uid
    if owner != os.geteuid():
        yield Finding(
            "folder",
            "warning",
            f"{folder} belongs to user {owner}, and you are user {os.geteuid()}.",
            "Run commands as its owner (sudo -u), or the server may not write what they make.",
        )
    kind = _file_system(folder)
    if kind in REMOTE and settings.database_url is None:
        yield Finding(
            "folder",
            "problem",
            f"{folder} is on a network file system ({kind}), where SQLite's locks fail.",
            "Move it to a local disk, or use PostgreSQL.",
        )
    yield _disk(folder)


def _disk(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    told = f"{usage.free >> 20} MB of {usage.total >> 20} MB are free."
    if usage.free < LITTLE_BYTES:
        return Finding("disk", "problem", told, "Make room now: without it no message is taken.")
    if usage.free < LOW_BYTES:
        return Finding("disk", "warning", told, "Make room soon.")
    return Finding("disk", "ok", told)


def _file_system(folder: Path) -> str:
    """The kind of the file system a folder is on, empty where the system does not say."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    inside, best = folder.resolve(), ("", "")
    for line in mounts.read_text("utf-8", "replace").splitlines():
        _, place, kind, *_ = line.split(" ")
        if inside.is_relative_to(place) and len(place) >= len(best[0]):
            best = (place, kind)
    return best[1]


def _database(settings: Settings) -> Findings:
    from server.storage.opening import connect

    if settings.database_url is None and not settings.sqlite_path.exists():
        yield Finding(
            "database",
            "problem",
            f"There is no shop in {settings.data_dir}.",
            "Create one: shopbell init --help",
        )
        return
    database = connect(settings)
    try:
        if settings.database_url is None:
            yield from _sqlite(settings.sqlite_path)
        yield from _tables(database)
    except Unavailable as error:
        yield Finding(
            "database",
            "problem",
            f"It does not answer: {error.message}",
            "Is it running, and is the address right?"
            if settings.database_url is not None
            else "Restore a backup: shopbell restore --help",
        )
    finally:
        database.close()


def _sqlite(path: Path) -> Findings:
    from server.storage.inspection import sqlite_file

    found = sqlite_file(path)
    if found.fault is not None:
        yield Finding(
            "database",
            "problem",
            f"The file is damaged: {found.fault}",
            "Stop the server, keep a copy of the file, and restore a backup.",
        )
    if not found.writable:
        yield Finding(
            "database",
            "problem",
            "Somebody holds the write lock for more than two seconds, or the file is read-only.",
            "Let long commands end; look who else opens the file (fuser).",
        )
    if found.journal_mode not in ("wal", "delete"):  # the latter until a server has opened it
        yield Finding(
            "database",
            "warning",
            f"The journal mode is {found.journal_mode}.",
            "Another program has changed it. Restart the server, which sets it to wal.",
        )
    if found.wal_bytes > max(found.bytes, 256 << 20):
        yield Finding(
            "database",
            "warning",
            f"The log beside the file has grown to {found.wal_bytes >> 20} MB.",
            "Something reads for very long: look for a command that hangs.",
        )


def _tables(database: Database) -> Findings:
    from server.storage.inspection import look
    from server.storage.migrate import head, revisions

    seen = look(database, head=head())
    slow = seen.took_ms > SLOW_MS
    yield Finding(
        "database",
        "warning" if slow else "ok",
        f"{seen.version} answers in {seen.took_ms:.1f} ms.",
        "Every message waits for it: bring it nearer." if slow else "",
    )
    if not database.is_sqlite:
        yield from _postgres(database)
    if seen.revision is not None and seen.revision not in revisions():
        yield Finding(
            "tables",
            "problem",
            f"They are of a newer version ({seen.revision}) than this program ({head()}).",
            "Install that version, or restore a backup into a fresh database.",
        )
        return
    if seen.revision != head():
        yield Finding(
            "tables",
            "warning" if database.is_sqlite else "problem",
            f"They are at {seen.revision or 'nothing'}, this program works with {head()}.",
            "Make a backup, then run: shopbell migrate",
        )
        return
    yield Finding("tables", "ok", f"They are this version's ({head()}).")
    yield _clock(seen)
    yield from _shop(seen)


def _postgres(database: Database) -> Findings:
    from server.storage.inspection import postgres_server

    found = postgres_server(database)
    if not found.fsync or not found.full_page_writes:
        yield Finding(
            "database",
            "problem",
            "fsync or full_page_writes is off: a power cut can lose what was acknowledged.",
            "Switch both on in postgresql.conf.",
        )
    if found.encoding != "UTF8":
        yield Finding(
            "database",
            "problem",
            f"Its encoding is {found.encoding}.",
            "Create the database with ENCODING 'UTF8' and restore a backup into it.",
        )
    if found.connections_free < FEW_CONNECTIONS:
        yield Finding(
            "database",
            "warning",
            f"It takes only {found.connections_free} more connections.",
            "A process of Shopbell needs up to 15: raise max_connections.",
        )
    if found.idle_in_transaction:
        yield Finding(
            "database",
            "warning",
            f"{found.idle_in_transaction} sessions have stood in a transaction for over a minute.",
            "They keep the database from cleaning up: find them in pg_stat_activity.",
        )


def _clock(seen: Seen) -> Finding:
    apart_ms = seen.apart_ms
    if apart_ms is None:
        # SQLite has this machine's clock: it can only have been set back.
        apart_ms = max(0, seen.last_event_at_ms - int(time.time() * 1000))
    told = f"This machine and the database are {apart_ms / 1000:.1f} s apart."
    if apart_ms > CLOCK_WRONG_MS:
        return Finding("clock", "problem", told, "Set the clocks right (ntp): waits are measured.")
    if apart_ms > CLOCK_WARN_MS:
        return Finding("clock", "warning", told, "Let ntp keep the clocks.")
    return Finding("clock", "ok", told)


def _shop(seen: Seen) -> Findings:
    if seen.shop is None:
        yield Finding("shop", "problem", "There is no shop yet.", "shopbell init --help")
        return
    if seen.admins:
        yield Finding("people", "ok", f"{seen.admins} admins can sign in.")
    else:
        yield Finding(
            "people",
            "problem",
            "No admin can sign in.",
            "shopbell user add you@shop.example --name You --role admin",
        )
    if seen.shop.origins:
        yield Finding("origins", "ok", f"The widget may be on {', '.join(seen.shop.origins)}.")
    else:
        yield Finding(
            "origins",
            "warning",
            "Any page may embed the widget.",
            "shopbell site set --origin https://your.shop",
        )
    yield _identity(seen.shop.identity_secret)


def _identity(secret: str | None) -> Finding:
    if secret is None:
        return Finding(
            "identity",
            "warning",
            "No identity secret is set: who shoppers say they are stays unproven.",
            "If your shop has accounts: shopbell site set --identity-secret",
        )
    if len(secret) < SHORT_SECRET_CHARS:
        return Finding(
            "identity",
            "problem",
            "The identity secret is so short that it can be guessed.",
            f"Use {SHORT_SECRET_CHARS} characters or more, and the same in your shop.",
        )
    return Finding("identity", "ok", "Signed identities are on.")


def _redis(settings: Settings) -> Findings:
    if settings.redis_url is None:
        if settings.database_url is not None:
            yield Finding("redis", "ok", "Not used: processes wake each other by the database.")
        return
    if settings.database_url is None:
        yield Finding(
            "redis",
            "warning",
            "redis_url is set, but on SQLite one process serves alone.",
            "Unset it, or use PostgreSQL.",
        )
    yield _round_trip(settings.redis_url)


def _round_trip(url: str) -> Finding:
    """One word through a channel and back."""
    from redis import Redis
    from redis.exceptions import RedisError

    channel, word = f"shopbell-check-{os.getpid()}", os.urandom(8).hex()
    try:
        with (
            Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=LINE_LIMIT_S,
                socket_connect_timeout=LINE_LIMIT_S,
            ) as client,
            client.pubsub(ignore_subscribe_messages=True) as listener,
        ):
            version = client.info("server")["redis_version"]
            listener.subscribe(channel)
            listener.get_message(timeout=LINE_LIMIT_S)
            began = time.perf_counter()
            client.publish(channel, word)
            heard = listener.get_message(timeout=LINE_LIMIT_S)
            took_ms = (time.perf_counter() - began) * 1000
    except (RedisError, OSError, ValueError) as error:
        return Finding(
            "redis",
            "problem",
            f"It does not answer: {_plain(error)}",
            "Nothing is lost without it, but other processes hear later. Is the address right?",
        )
    if heard is None or heard["data"] != word:
        return Finding(
            "redis",
            "problem",
            f"Redis {version} answers, but what is published does not arrive.",
            "May this user use channels (ACL)? Is a proxy in between?",
        )
    return Finding("redis", "ok", f"Redis {version}: a word comes back in {took_ms:.1f} ms.")


def _mail(settings: Settings) -> Findings:
    """Whether the mail servers that are named answer; this version does not use them yet."""
    import tomllib

    file = settings.data_dir / "shopbell.toml"
    written = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    for name, schemes in MAIL.items():
        url = os.environ.get(f"SHOPBELL_{name.upper()}") or written.get(name)
        if url:
            yield _mail_server(name, str(url), schemes)


def _mail_server(name: str, url: str, schemes: dict[str, int]) -> Finding:
    import imaplib
    import smtplib

    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or schemes.get(parts.scheme, 0)
    except ValueError:
        host, port = None, 0
    if not host or not port:
        shown = " or ".join(f"{scheme}://host" for scheme in schemes)
        return Finding(name, "problem", "The address cannot be read.", f"Write {shown}.")
    try:
        if parts.scheme == "smtp":
            smtplib.SMTP(host, port, timeout=LINE_LIMIT_S).close()
        elif parts.scheme == "smtps":
            smtplib.SMTP_SSL(host, port, timeout=LINE_LIMIT_S).close()
        elif parts.scheme == "imap":
            imaplib.IMAP4(host, port, timeout=LINE_LIMIT_S).shutdown()
        else:
            imaplib.IMAP4_SSL(host, port, timeout=LINE_LIMIT_S).shutdown()
    except (OSError, smtplib.SMTPException, imaplib.IMAP4.error) as error:
        return Finding(
            name, "problem", f"{host}:{port} does not answer: {_plain(error)}", "Check the address."
        )
    return Finding(name, "ok", f"{host}:{port} answers. This version does not send mail yet.")


def _front(settings: Settings) -> Findings:
    if settings.trusted_proxies:
        told = f"{settings.trusted_proxies} proxies are trusted for address and https."
        yield Finding("proxy", "ok", told)
    elif settings.secure_cookies:
        yield Finding(
            "proxy",
            "warning",
            "Cookies are for https only, but no proxy is trusted: all people share one address.",
            "Set trusted_proxies to the number of your proxies.",
        )
    else:
        yield Finding(
            "proxy",
            "warning",
            "The server speaks plain http and trusts no proxy.",
            "Put a proxy with https in front and set trusted_proxies = 1; see docs/operations.md.",
        )


def _files(_settings: Settings) -> Findings:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    told = "no limit" if soft == resource.RLIM_INFINITY else f"{soft} open files"
    if soft != resource.RLIM_INFINITY and soft < FEW_FILES:
        yield Finding(
            "sockets",
            "warning",
            f"{told}: each open chat takes one.",
            "Raise it for the service: LimitNOFILE=65536, or ulimit -n.",
        )
    else:
        yield Finding("sockets", "ok", f"{told}, here; the service may have a limit of its own.")


def _sent_files(settings: Settings) -> Findings:
    from server.files.store import Store

    store = Store(settings.files_path.absolute())
    if not settings.files_path.exists() and settings.files_dir is None:
        return  # made with the first file
    try:
        store.need(0)
        store.begin().close()
    except AppError:
        yield Finding(
            "files",
            "problem",
            f"Files that people send cannot be kept in {settings.files_path}.",
            "Make room there, or let the server write there; messages without files still go.",
        )
    else:
        yield Finding("files", "ok", f"Files that people send are in {settings.files_path}.")


def _plain(error: Exception) -> str:
    """The first line of an error, without what an address may hide."""
    from server.log import plain

    lines = plain(str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__


CHECKS: tuple[Check, ...] = (
    _python,
    _settings,
    _folder,
    _database,
    _redis,
    _mail,
    _front,
    _files,
    _sent_files,
)


def add_to(app: typer.Typer) -> None:
    """Adds ``check``."""
    app.command("check")(check_command)
