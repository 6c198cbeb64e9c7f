"""Reports that are kept: made, and made again to see whether they still say the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any  # Any: JSON values

import orjson
from sqlalchemy import Connection

from server.domain.errors import InvalidInput
from server.domain.metrics import metric_of
from server.domain.periods import instant_ms, zone
from server.reports.cli import report_command
from server.reports.rows import iso, to_json
from server.reports.scope import FILTERS
from server.storage.event_log import last_seq
from server.storage.hours import current_version
from server.storage.shop import load_shop
from server.storage.stored_reports import Stored

MOST_DIFFERENCES = 50
_NAMED = ("metric", "group")


@dataclass(frozen=True, slots=True)
class Again:
    """A kept report made again: whether it has the same bytes, and what differs in words."""

    same: bool
    body: str
    differences: tuple[str, ...]


def make_report(
    connection: Connection,
    metric_ids: Sequence[str],
    *,
    now_ms: int,
    from_: str | None = None,
    to: str | None = None,
    by: str | None = None,
    as_of: str | None = None,
    as_of_seq: int | None = None,
    only: Mapping[str, str] | None = None,
) -> Stored:
    """A report with all that is needed to make it again; it has no name and no id yet.

    ``only`` are its filters, as FILTERS names them. Raises InvalidInput as
    ``reports.cli.report_command`` does.
    """
    shop = load_shop(connection)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    as_of_ms = now_ms if as_of is None else instant_ms(as_of, zone(shop.timezone), end=True)
    seq = last_seq(connection) if as_of_seq is None else as_of_seq
    # Days of the shop's zone of today; it may move later.
    query: dict[str, str | int | None] = {
        "from": _exact(from_, shop.timezone),
        "to": _exact(to, shop.timezone, end=True),
        "by": by,
        **(only or {}),
    }
    body = _body(connection, metric_ids, query, as_of_ms=as_of_ms, as_of_seq=seq)
    return Stored(
        id="",
        name="",
        query=query,
        metrics=tuple(metric_ids),
        as_of_seq=seq,
        as_of_ms=as_of_ms,
        definitions={name: metric_of(name).version for name in metric_ids},
        calendar_version=current_version(connection),
        sha256=digest(body),
        body=body,
        created_at_ms=now_ms,
    )


def make_again(connection: Connection, stored: Stored) -> Again:
    """The same report, worked out anew from the log up to where it was read then."""
    body = _body(
        connection,
        stored.metrics,
        stored.query,
        as_of_ms=stored.as_of_ms,
        as_of_seq=stored.as_of_seq,
    )
    same = digest(body) == stored.sha256
    told = () if same else tuple(_differences(stored, body))
    return Again(same, body, told[:MOST_DIFFERENCES])


def digest(body: str) -> str:
    """The SHA-256 of a report's bytes."""
    return hashlib.sha256(body.encode()).hexdigest()


def rows_of(body: str) -> list[dict[str, Any]]:  # Any: JSON values
    """The rows of a report's body."""
    found: list[dict[str, Any]] = orjson.loads(body)  # Any: JSON values
    return found


def _body(
    connection: Connection,
    metric_ids: Sequence[str],
    query: Mapping[str, str | int | None],
    *,
    as_of_ms: int,
    as_of_seq: int,
) -> str:
    words = {name: None if value is None else str(value) for name, value in query.items()}
    rows = report_command(
        connection,
        metric_ids,
        now_ms=as_of_ms,
        from_=words["from"],
        to=words["to"],
        by=words["by"],
        as_of_seq=as_of_seq,
        only={name: value for name in FILTERS if (value := words.get(name)) is not None},
    )
    return to_json(rows)


def _exact(text: str | None, timezone: str, *, end: bool = False) -> str | None:
    return None if text is None else iso(instant_ms(text, zone(timezone), end=end))


def _differences(stored: Stored, body: str) -> Iterator[str]:
    """What differs, a sentence each: definitions first, then row by row."""
    for name, version in stored.definitions.items():
        now = metric_of(name).version
        if now != version:
            yield f"{name} was defined by version {version}, now by version {now}."
    before, after = _by_name(stored.body), _by_name(body)
    for key in before.keys() | after.keys():
        name = " of ".join(str(part) for part in reversed(key) if part is not None)
        if key not in after:
            yield f"{name} is no longer there."
        elif key not in before:
            yield f"{name} was not there."
        else:
            for field, value in before[key].items():
                if after[key].get(field) != value:
                    yield f"{name}: {field} was {value}, is {after[key].get(field)}."


def _by_name(body: str) -> dict[tuple[Any, ...], dict[str, Any]]:  # Any: JSON values
    return {tuple(row.get(name) for name in _NAMED): row for row in rows_of(body)}
