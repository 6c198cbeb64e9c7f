"""Customers and articles from a table: CSV as shops' programs write it, or JSON, one row a line."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from server.actions.import_articles import take_articles, try_articles
from server.actions.import_customers import take_customers, try_customers
from server.domain.errors import InvalidInput
from server.domain.imported import (
    ARTICLE_COLUMNS,
    CUSTOMER_COLUMNS,
    UNKEPT_CUSTOMER_COLUMNS,
    both,
    column_names,
    header_name,
    read_article,
    read_customer,
)
from server.domain.importing import Rejected
from server.domain.periods import zone
from server.storage.connection import Connection
from server.storage.database import Database
from server.storage.shop import load_shop
from server.storage.unit import Tx

JSON_SUFFIXES = (".ndjson", ".jsonl", ".json")
TOGETHER = 200
_MAX_FIELD_CHARS = 400_000
_MAX_LINE_CHARS = 2_000_000
Progress = Callable[[int, int], None]
R = TypeVar("R")
C = TypeVar("C")


@dataclass(slots=True)
class SheetOutcome:
    """How many rows were taken, known already, and refused; which columns were not kept."""

    accepted: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Lines of a file as values by the contract's names, or why a line is none."""

    rows: Iterator[tuple[int, Mapping[str, object] | str]]
    ignored: Callable[[], list[str]]


def import_customers(
    database: Database, path: Path, *, dry_run: bool = False, progress: Progress | None = None
) -> SheetOutcome:
    """Takes the customers of a file; see docs/importing.md. Raises InvalidInput, OSError."""
    tz = _zone(database)
    return _import(
        database,
        path,
        CUSTOMER_COLUMNS,
        required="customer_id",
        unkept=UNKEPT_CUSTOMER_COLUMNS,
        read=lambda values, line: read_customer(values, line=line, tz=tz),
        key=lambda row: row.external_id,
        take=take_customers,
        attempt=try_customers,
        dry_run=dry_run,
        progress=progress,
    )


def import_articles(
    database: Database,
    path: Path,
    *,
    source: str = "import",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SheetOutcome:
    """Takes the articles of a file, known by their id within ``source``.

    Raises InvalidInput, OSError.
    """
    _zone(database)
    return _import(
        database,
        path,
        ARTICLE_COLUMNS,
        required="id",
        unkept=frozenset(),
        read=lambda values, line: read_article(values, line=line, source=source),
        key=lambda row: (row.external_id, row.locale),
        take=take_articles,
        attempt=try_articles,
        dry_run=dry_run,
        progress=progress,
    )


def _zone(database: Database) -> ZoneInfo:
    shop = database.read_now(load_shop)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    return zone(shop.timezone)


def _import(
    database: Database,
    path: Path,
    columns: Mapping[str, tuple[str, ...]],
    *,
    required: str,
    unkept: frozenset[str],
    read: Callable[[Mapping[str, object], int], R],
    key: Callable[[R], object],
    take: Callable[[Tx, list[R]], list[bool]],
    attempt: Callable[[Connection, list[R]], list[bool]],
    dry_run: bool,
    progress: Progress | None,
) -> SheetOutcome:
    outcome = SheetOutcome()
    total, done = path.stat().st_size, 0
    sheet = _sheet(path, columns, required=required, unkept=unkept)
    # Hashes are enough to tell two rows of a file apart, and small.
    seen: set[int] = set()

    def read_new(line: int, values: Mapping[str, object] | str) -> R:
        if isinstance(values, str):
            raise InvalidInput(values)
        row = read(values, line)
        name = hash(key(row))
        if name in seen:
            raise InvalidInput(
                both(
                    f"This {required} stands in the file twice; the first row counts.",
                    f"文件中 {required} 重复；以第一行为准。",
                )
            )
        seen.add(name)
        return row

    def checked() -> Iterator[R]:
        for line, values in sheet.rows:
            try:
                yield read_new(line, values)
            except InvalidInput as refusal:
                outcome.rejected.append(Rejected(line, refusal.message))

    given = checked()
    while batch := list(islice(given, TOGETHER)):
        if dry_run:
            new = database.read_now(partial(_second, attempt, batch))
        else:
            new = database.write_now(partial(_second, take, batch))
        outcome.accepted += sum(new)
        outcome.unchanged += len(new) - sum(new)
        done += len(batch)
        if progress is not None:
            progress(done, max(done, total))
    outcome.ignored = sheet.ignored()
    return outcome


def _second(call: Callable[[C, list[R]], list[bool]], rows: list[R], opened: C) -> list[bool]:
    """The call's answer when the database hands over what it opened."""
    return call(opened, rows)


def _sheet(
    path: Path,
    columns: Mapping[str, tuple[str, ...]],
    *,
    required: str,
    unkept: frozenset[str],
) -> _Sheet:
    names = column_names(columns)
    ignored: dict[str, None] = {}

    def named(header: str) -> str | None:
        name = names.get(header_name(header))
        if name is None or name in unkept:
            ignored.setdefault(header.strip()[:64], None)
            return None
        return name

    if path.suffix.lower() in JSON_SUFFIXES:
        rows = _json_rows(path, named)
    else:
        rows = _csv_rows(path, named, required=required)
    return _Sheet(rows, lambda: [name for name in ignored if name])


def _json_rows(
    path: Path, named: Callable[[str], str | None]
) -> Iterator[tuple[int, Mapping[str, object] | str]]:
    with path.open(encoding=_encoding(path), newline="\n") as file:
        line = 0
        while text := file.readline(_MAX_LINE_CHARS):
            line += 1
            if not text.strip():
                continue
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):  # also of numbers without end
                yield line, both("The line is not JSON.", "这一行不是 JSON。")
                continue
            if not isinstance(value, dict):
                yield line, both("The line is not a JSON object.", "这一行不是 JSON 对象。")
                continue
            yield line, {name: item for key, item in value.items() if (name := named(key))}


def _csv_rows(
    path: Path, named: Callable[[str], str | None], *, required: str
) -> Iterator[tuple[int, Mapping[str, object] | str]]:
    csv.field_size_limit(_MAX_FIELD_CHARS)
    with path.open(encoding=_encoding(path), newline="") as file:
        first = file.readline(_MAX_LINE_CHARS)
        file.seek(0)
        reader = csv.reader(file, delimiter=max(",;\t", key=first.count))
        try:
            header = [named(cell) for cell in next(reader, [])]
            if required not in header:
                raise InvalidInput(
                    both(
                        f"{path.name} has no column {required}.",
                        f"{path.name} 没有 {required} 这一列。",
                    )
                )
            line = reader.line_num + 1
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield line, _cells(header, cells)
                line = reader.line_num + 1
        except csv.Error as error:
            raise InvalidInput(
                both(
                    f"{path.name}, line {reader.line_num}: {error}.",
                    f"{path.name} 第 {reader.line_num} 行无法读取。",
                )
            ) from None


def _cells(header: list[str | None], cells: list[str]) -> Mapping[str, object] | str:
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        return both(
            f"The row has {len(cells)} cells, the header {len(header)}.",
            f"这一行有 {len(cells)} 格，表头只有 {len(header)} 格。",
        )
    return {
        name: cell
        for name, cell in zip(header, cells, strict=False)
        if name is not None and cell.strip()
    }


def _encoding(path: Path) -> str:
    """UTF-8 when the whole file is that, else GB18030. Raises InvalidInput for neither."""
    for name in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(name)()
        try:
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    decoder.decode(piece)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return name
    raise InvalidInput(
        both(
            f"{path.name} is neither UTF-8 nor GB18030.",
            f"{path.name} 既不是 UTF-8 也不是 GB18030。",
        )
    )
