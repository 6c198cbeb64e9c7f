"""``shopbell report`` and ``shopbell verify``: what the log says."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.common import DataDir, existing_shop, fail, opened, progress, say
from server.domain.dimensions import DIMENSIONS
from server.domain.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

    from server.storage.connection import Connection
    from server.storage.database import Database


# Beyond these a reader learns nothing new; the count says how many there are.
MOST_DIFFERENCES = 100


def report_command(  # noqa: PLR0917  # each is an option of its own
    metrics: Annotated[
        str, typer.Argument(help="Metric ids, separated by commas.", show_default=False)
    ] = "",
    start: Annotated[str | None, typer.Option("--from", help="ISO 8601.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="ISO 8601, exclusive.")] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help=f"{', '.join(DIMENSIONS[:-1])} or {DIMENSIONS[-1]}."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Instant at which open waits are cut.")
    ] = None,
    as_of_seq: Annotated[
        int | None, typer.Option("--as-of-seq", help="Use the log only up to this row.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help="table, csv or json.")] = "table",
    save: Annotated[str | None, typer.Option("--save", help="Keep it under a name.")] = None,
    stored: Annotated[
        str | None, typer.Option("--stored", help="Make a kept one again, by its id or name.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Print service metrics; keep a report, or make a kept one again and compare."""
    if stored is not None:
        _stored(stored, data_dir)
        return
    from server.reports import cli as report_cli
    from server.storage.event_log import lasting_seq

    with opened(data_dir) as database:
        existing_shop(database)
        if as_of_seq is None:
            # What the rows name as their end must give the same figures again.
            as_of_seq = database.read_now(lasting_seq)
        if save is not None:
            _keep(database, save, metrics, from_=start, to=end, by=by, as_of=as_of, seq=as_of_seq)
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
    say(report_cli.formatted(rows, form))


def _keep(
    database: Database,
    name: str,
    metrics: str,
    *,
    from_: str | None,
    to: str | None,
    by: str | None,
    as_of: str | None,
    seq: int,
) -> None:
    """Keeps the report and says its id on stderr, so that stdout stays the report."""
    from server.actions.stored_reports import keep_report
    from server.domain.actors import Actor
    from server.reports.stored import make_report

    made = database.read_now(
        lambda c: make_report(
            c,
            [one.strip() for one in metrics.split(",") if one.strip()],
            now_ms=database.clock(),
            from_=from_,
            to=to,
            by=by,
            as_of=as_of,
            as_of_seq=seq,
        )
    )
    operator = Actor("system", role="admin")
    report_id = database.write_now(lambda tx: keep_report(tx, operator, made, name=name))
    sys.stderr.write(f"kept as {report_id}, sha256 {made.sha256}\n")


def _stored(key: str, data_dir: Path | None) -> None:
    """Prints a kept report made again; status 1 when it says something else than it did."""
    from server.reports.stored import make_again
    from server.storage.stored_reports import load_report

    with opened(data_dir) as database:
        existing_shop(database)
        stored = database.read_now(lambda c: load_report(c, key))
        if stored is None:
            raise NotFound(f"There is no kept report {key!r}.")
        again = database.read_now(lambda c: make_again(c, stored))
    say(again.body)
    if again.same:
        sys.stderr.write(f"the same as when it was kept, sha256 {stored.sha256}\n")
        return
    for text in again.differences:
        sys.stderr.write(f"{text}\n")
    fail("This is not what was kept.")


def verify_command(
    repair: Annotated[bool, typer.Option("--repair", help="Write what differs anew.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Replay the log and compare every derived row, profiles too; status 0 only when all agree.

    Files whose bytes are gone are differences as well.
    """
    from server.config import load
    from server.files.checking import lost_files
    from server.files.store import Store
    from server.jobs.segment_columns import keep_segments_now
    from server.reports.verify import Difference, sizes, verify
    from server.storage.profiles import recompute
    from server.storage.repair import rebuild
    from server.storage.segment_columns import forget_segments

    found: list[Difference] = []
    with opened(data_dir) as database, progress("verify") as tell:

        def look(connection: Connection) -> tuple[int, int]:
            events, conversations = sizes(connection)
            done = 0

            def looked_at(more: int) -> None:
                nonlocal done
                done += more
                tell(done, conversations)

            found.extend(verify(connection, at_ms=database.clock(), looked_at=looked_at))
            return events, conversations

        events, conversations = database.read_now(look)
        store = Store(load(data_dir).files_path.absolute())
        found.extend(map(Difference, lost_files(database, store)))
        if repair:
            for key in {d.conversation_id for d in found if d.conversation_id is not None}:
                with suppress(NotFound):  # a row that the log knows nothing of stays named
                    database.write_now(partial(rebuild, conversation_id=key))
            for person_id in {d.person_id for d in found if d.person_id is not None}:
                database.write_now(partial(recompute, person_ids=[person_id], imported=True))
            if any(d.of_segments for d in found):
                database.write_now(forget_segments)
                keep_segments_now(database)
    for difference in found[:MOST_DIFFERENCES]:
        say(str(difference))
    verdict = f"{len(found)} differences" if found else "no differences"
    say(f"{events} events, {conversations} conversations: {verdict}")
    if repair and found:
        fail("What could be was written anew; run verify again.")
    if found:
        fail(f"There are differences: {len(found)}. verify --repair writes anew what it can.")


def add_to(app: typer.Typer) -> None:
    """Adds ``report`` and ``verify``."""
    app.command("report")(report_command)
    app.command("verify")(verify_command)
