"""Files with one row a line: CSV as shops' programs write it, or JSON; either may be gzipped."""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, Generic, Protocol, TypeVar, cast  # Any: rows of each sort

from server.domain.errors import InvalidInput
from server.domain.imported import both, column_names, header_name
from server.domain.importing import Rejected
from server.storage.bulk import count_rows, give_room
from server.storage.database import Database
from server.storage.lock import is_served
from server.storage.shop import Shop, load_shop
from server.storage.unit import Tx

JSON_SUFFIXES = (".ndjson", ".jsonl", ".json")
# Rows in a transaction: as many as take about this long. Beside a server on SQLite, which has one
# writer, live messages wait for it, as they do in a process that serves; where nobody waits, larger
# ones take two thirds of the time, and with PostgreSQL a third.
BESIDE_S = 0.025
ALONE_S = 0.4
FEWEST_ROWS = 50
FIRST_ROWS = 100
MOST_ROWS = 5000
# After so many times as many rows as before the database counts what it has anew.
ANALYZED = 8
_MAX_FIELD_CHARS = 400_000
_MAX_LINE_CHARS = 2_000_000
_PIECE = 1 << 20
# Objects of a file have few shapes; what is worked out for one serves the others.
_MOST_SHAPES = 500
Values = Mapping[str, object]
Progress = Callable[[int, int], None]
R = TypeVar("R")


@dataclass(slots=True)
class SheetOutcome:
    """How many rows were taken, known already, and refused; which columns were not kept.

    ``notes`` say how the file was understood, ``batch`` names what was written so that it can be
    undone, None when nothing was.
    """

    accepted: int = 0
    unchanged: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    batch: str | None = field(default=None, compare=False)


class Sheet:
    """A file whose lines are values by the contract's names; it can be read more than once.

    ``columns`` has for each name what files call it, the likelier first: where two columns of a
    file mean the same, that one counts. Raises InvalidInput for a file that is no such sheet.
    """

    def __init__(
        self, path: Path, columns: Mapping[str, tuple[str, ...]], *, required: tuple[str, ...]
    ) -> None:
        self.path = path
        self._names = column_names(columns)
        self._ranks = {
            header_name(word): rank
            for name, words in columns.items()
            for rank, word in enumerate((name, *words))
        }
        self._ignored: dict[str, None] = {}
        self._shapes: dict[tuple[str, ...], dict[Any, str]] = {}  # Any: keys of JSON
        stem = path.with_suffix("") if path.suffix.lower() == ".gz" else path
        self.is_json = stem.suffix.lower() in JSON_SUFFIXES
        self._encoding, self.lines = _encoding(path)
        self.header: tuple[str, ...] = ()
        self._header: list[str | None] = []
        if not self.is_json:
            self._read_header(required)

    @property
    def ignored(self) -> list[str]:
        """The columns that mean nothing here, as the file calls them."""
        return [name for name in self._ignored if name]

    def where(self, _line: int) -> str:
        """Nothing: there is one file, and the line says where."""
        return ""

    def rows(self) -> Iterator[tuple[int, Values | str]]:
        """Each line's number and values, or why it has none. Raises InvalidInput."""
        return self._json_rows() if self.is_json else self._csv_rows()

    def _json_rows(self) -> Iterator[tuple[int, Values | str]]:
        with _text(self.path, self._encoding, newline="\n") as file:
            line = 0
            while text := file.readline(_MAX_LINE_CHARS):
                line += 1
                if text.strip():
                    yield line, self.json_values(text)

    def json_values(self, text: str) -> Values | str:
        """The values of a line of JSON, or why it has none."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):  # also of numbers without end
            return both("The line is not JSON.", "这一行不是 JSON。")
        if not isinstance(value, dict):
            return both("The line is not a JSON object.", "这一行不是 JSON 对象。")
        shape = tuple(value)
        keys = self._shapes.get(shape)
        if keys is None:
            keys = self._chosen(list(shape))
            if len(self._shapes) < _MOST_SHAPES:
                self._shapes[shape] = keys
        return {name: value[key] for key, name in keys.items()}

    def _csv_rows(self) -> Iterator[tuple[int, Values | str]]:
        with _text(self.path, self._encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self._delimiter)
            try:
                next(reader, None)
                line = reader.line_num + 1
                for cells in reader:
                    if any(cells) and any(cell.strip() for cell in cells):
                        yield line, _cells(self._header, cells)
                    line = reader.line_num + 1
            except csv.Error as error:
                raise _unreadable(self.path, reader.line_num, error) from None

    def _read_header(self, required: tuple[str, ...]) -> None:
        csv.field_size_limit(_MAX_FIELD_CHARS)
        with _text(self.path, self._encoding, newline="") as file:
            first = file.readline(_MAX_LINE_CHARS)
            self._delimiter = max(",;\t|", key=first.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=self._delimiter)
            try:
                self.header = tuple(next(reader, []))
            except csv.Error as error:
                raise _unreadable(self.path, 1, error) from None
        chosen = self._chosen(list(self.header))
        places = {place: name for place, name in chosen.items() if isinstance(place, int)}
        self._header = [places.get(place) for place in range(len(self.header))]
        for name in required:
            if name not in self._header:
                raise InvalidInput(
                    both(
                        f"{self.path.name} has no column {name}.",
                        f"{self.path.name} 没有 {name} 这一列。",
                    )
                )

    def _chosen(self, headers: list[str]) -> dict[Any, str]:  # Any: a place, or a key of JSON
        """Which columns are taken, by their place in CSV and by their key in JSON."""
        best: dict[str, tuple[int, object, str]] = {}
        for place, header in enumerate(headers):
            word = header_name(header)
            name = self._names.get(word)
            if name is None:
                self._ignore(header)
                continue
            rank = self._ranks[word]
            key = header if self.is_json else place
            if name in best and best[name][0] <= rank:
                self._ignore(header)
                continue
            if name in best:
                self._ignore(best[name][2])
            best[name] = (rank, key, header)
        return {key: name for name, (_, key, _) in best.items()}

    def _ignore(self, header: str) -> None:
        if len(self._ignored) < 1000:
            self._ignored.setdefault(header.strip()[:64], None)


def the_shop(database: Database) -> Shop:
    """The shop that files are brought to. Raises InvalidInput when there is none."""
    shop = database.read_now(load_shop)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    return shop


class Rows(Protocol):
    """Where rows come from: each has a number, and values or the reason why it has none."""

    lines: int

    @property
    def ignored(self) -> list[str]:
        """The columns that mean nothing here."""
        ...

    def rows(self) -> Iterator[tuple[int, Values | str]]:
        """Each row's number and values."""
        ...

    def where(self, line: int) -> str:
        """What else says where a row stands."""
        ...


def take_rows(
    database: Database,
    sheet: Rows,
    *,
    key_name: str,
    read: Callable[[Values, int], R],
    key: Callable[[R], object],
    take: Callable[[Tx, list[R]], list[bool]],
    dry_run: bool,
    progress: Progress | None,
) -> SheetOutcome:
    """Takes the rows of a sheet, some a transaction, and tells those that do not hold.

    ``read`` raises InvalidInput with the reason, ``key`` is what may stand in the file only once,
    ``take`` says for each row whether it brought anything new. A dry run does everything as well,
    and takes it back.
    """
    outcome = SheetOutcome()
    # Hashes are enough to tell two rows of a file apart, and small.
    seen: set[int] = set()
    at_line = 0

    def read_new(line: int, values: Values | str) -> R:
        if isinstance(values, str):
            raise InvalidInput(values)
        row = read(values, line)
        name = hash(key(row))
        if name in seen:
            raise InvalidInput(
                both(
                    f"This {key_name} stands in the file twice; the first row counts.",
                    f"文件中 {key_name} 重复；以第一行为准。",
                )
            )
        seen.add(name)
        return row

    def checked() -> Iterator[R]:
        nonlocal at_line
        for line, values in sheet.rows():
            at_line = line
            try:
                row = read_new(line, values)
            except InvalidInput as refusal:
                outcome.rejected.append(Rejected(line, refusal.message, sheet.where(line)))
            else:
                yield row

    given = checked()
    writing = _Writing(database, take, dry_run=dry_run)
    while batch := list(islice(given, writing.rows)):
        # While one lot is written the next is read.
        writing.settle(outcome)
        writing.begin(batch)
        if progress is not None:
            progress(min(at_line, sheet.lines), sheet.lines)
    writing.settle(outcome)
    outcome.ignored = sheet.ignored
    return outcome


class _Writing(Generic[R]):
    """Lots of rows on their way to the database, one at a time, and how large the next may be."""

    def __init__(
        self, database: Database, take: Callable[[Tx, list[R]], list[bool]], *, dry_run: bool
    ) -> None:
        self._database = database
        self._take = take
        self._dry_run = dry_run
        self._size = float(FIRST_ROWS)
        self._pause_s = 0.0
        self._took_s = 0.0
        self._lot: Future[list[bool]] | None = None
        self._written = 0
        self._analyzed = 0
        if database.is_sqlite and not dry_run:
            database.write_now(give_room)

    @property
    def rows(self) -> int:
        """The rows of the next transaction."""
        return int(self._size)

    def begin(self, rows: list[R]) -> None:
        """Has rows written, after a moment for those who chat if any may want to write."""
        time.sleep(self._pause_s)
        self._lot = self._database.submit(partial(self._job, rows))

    def settle(self, outcome: SheetOutcome) -> None:
        """Waits for the rows that are being written, and counts them. Raises what went wrong."""
        if self._lot is None:
            return
        try:
            new = self._lot.result()
        except _Tried as tried:
            new = tried.answers
        self._lot = None
        outcome.accepted += sum(new)
        outcome.unchanged += len(new) - sum(new)
        self._written += sum(new)
        if not self._dry_run and self._written > ANALYZED * max(self._analyzed, 1):
            # Until then PostgreSQL takes a table that was empty for one, and reads all of it.
            self._analyzed = self._written
            self._database.write_now(count_rows)
        beside = self._beside()
        aim = BESIDE_S if beside else ALONE_S
        change = max(0.5, min(2.0, aim / max(self._took_s, 0.001)))
        self._size = max(FEWEST_ROWS, min(MOST_ROWS, self._size * change))
        self._pause_s = min(0.02, self._took_s / 3) if beside else 0.0

    def _beside(self) -> bool:
        """Whether anybody may wait for the writer."""
        # Who tells others of commits serves.
        if self._database.on_commit is not None:
            return True
        return self._database.is_sqlite and is_served(self._database.path.parent)

    def _job(self, rows: list[R], tx: Tx) -> list[bool]:
        began = time.monotonic()
        new = self._take(tx, rows)
        self._took_s = time.monotonic() - began
        if self._dry_run:
            # Undone as what a job has done that fails.
            raise _Tried(new)
        return new


class _Tried(Exception):
    """No error: it carries the answer out of what is undone."""

    def __init__(self, answers: list[bool]) -> None:
        super().__init__()
        self.answers = answers


def _cells(header: list[str | None], cells: list[str]) -> Values | str:
    if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
        return both(
            f"The row has {len(cells)} cells, the header {len(header)}.",
            f"这一行有 {len(cells)} 格，表头只有 {len(header)} 格。",
        )
    return {
        name: cell
        for name, cell in zip(header, cells, strict=False)
        if name is not None and cell and not cell.isspace()
    }


def _unreadable(path: Path, line: int, error: Exception) -> InvalidInput:
    return InvalidInput(
        both(f"{path.name}, line {line}: {error}.", f"{path.name} 第 {line} 行无法读取。")
    )


def _bytes(path: Path) -> IO[bytes]:
    """The file, opened; what it holds when it is gzipped."""
    if path.suffix.lower() == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _text(path: Path, encoding: str, *, newline: str) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline=newline)
    return path.open(encoding=encoding, newline=newline)


def _encoding(path: Path) -> tuple[str, int]:
    """How the whole file is written, UTF-8 or else GB18030, and how many lines it has.

    A spreadsheet's "Unicode text" is UTF-16, which says so in its first bytes. Raises InvalidInput
    for anything else, also for a gzipped file that is damaged.
    """
    try:
        with _bytes(path) as file:
            start = file.read(2)
        names = ("utf-16",) if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else _ENCODINGS
        for name in names:
            decoder = codecs.getincrementaldecoder(name)()
            lines = 1
            try:
                with _bytes(path) as file:
                    while piece := file.read(_PIECE):
                        lines += decoder.decode(piece).count("\n")
                    decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                continue
            return name, lines
    except (EOFError, gzip.BadGzipFile) as error:
        raise InvalidInput(
            both(f"{path.name} is damaged: {error}.", f"{path.name} 已损坏，无法解压。")
        ) from None
    raise InvalidInput(
        both(
            f"{path.name} is neither UTF-8 nor GB18030.",
            f"{path.name} 既不是 UTF-8 也不是 GB18030。",
        )
    )


_ENCODINGS = ("utf-8-sig", "gb18030")
