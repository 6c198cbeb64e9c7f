"""An import of another desk's export: everything is read first, then written bit by bit.

Reading finds every fault of the files before anything is written. Writing takes a few whole
conversations a transaction, so that live messages get in between, and whoever stops an import can
start it again: what is known already changes nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from server.actions.import_articles import take_articles, try_articles
from server.actions.import_customers import take_customers, try_customers
from server.actions.imports import Trial, import_batch, import_conversations, release_open
from server.domain.errors import InvalidInput
from server.domain.imported import CustomerRow, both
from server.domain.importing import ImportRow, Sorted, read_row
from server.domain.periods import zone
from server.importers.canonical import WORDS, Context, Desk, Parts, Record, Skipped, Talk
from server.importers.files import Source, opened, records
from server.importers.spool import Spool
from server.storage.database import Database
from server.storage.imports import people_by_name
from server.storage.shop import Shop, load_shop
from server.storage.unit import Tx

# Rows of events in a transaction: as many as take about this long, because the database has one
# writer and live messages wait for it.
AIM_S = 0.02
TALK_ROWS = 40
# A longer conversation is cut into several transactions.
MAX_ROWS = 400
TOGETHER = 100
T = TypeVar("T")
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Tally:
    """How many of a sort were taken, were known already, and were left out."""

    accepted: int = 0
    unchanged: int = 0


@dataclass(slots=True)
class DeskOutcome:
    """What an import of a desk's export did, or would do."""

    account: str
    conversations: Tally = field(default_factory=Tally)
    messages: Tally = field(default_factory=Tally)
    customers: Tally = field(default_factory=Tally)
    articles: Tally = field(default_factory=Tally)
    people: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    rejected: list[Skipped] = field(default_factory=list)

    def leave(self, skipped: Skipped) -> None:
        """Counts something that is not taken."""
        if skipped.rejected:
            self.rejected.append(skipped)
        else:
            self.skipped[skipped.reason] += 1


def import_desk(
    database: Database,
    desk: Desk,
    path: Path,
    *,
    source: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> DeskOutcome:
    """Takes an export of a desk: people it names, customers, conversations, articles.

    ``source`` names the account when the records do not. With ``dry_run`` everything is checked and
    nothing written. ``progress`` is told (done, in all), first of bytes read, then of what is
    written. Raises InvalidInput when there is no shop, and for files that are cut off, no JSON or
    not this desk's.
    """
    shop = database.read_now(load_shop)
    if shop is None:
        raise InvalidInput("There is no shop yet. Create one with `shopbell init` first.")
    with ExitStack() as stack:
        sources = stack.enter_context(opened(path))
        total = sum(one.size for one in sources)
        spools = _Spools(*(stack.enter_context(Spool(total_bytes=total)) for _ in range(3)))
        language = "zh" if shop.locale.startswith("zh") else "en"
        context = Context(account="", language=language, words=WORDS[language])
        unknown = _read(sources, desk, context, spools, source=source, progress=progress)
        work = _Work(database, desk, context, shop, dry_run=dry_run, progress=progress)
        work.outcome.skipped.update(unknown)
        work.customers(spools.contacts)
        work.talks(spools.talks)
        work.articles(spools.articles)
        return work.outcome


@dataclass(frozen=True, slots=True)
class _Spools:
    talks: Spool
    contacts: Spool
    articles: Spool

    def of(self, kind: str) -> Spool | None:
        """Where records of a kind are kept; None for those that only the context needs."""
        if kind in ("contact", "sender"):
            return self.contacts
        if kind in ("article", "translation"):
            return self.articles
        return None if kind in ("colleague", "group", "section") else self.talks


def _read(
    sources: list[Source],
    desk: Desk,
    context: Context,
    spools: _Spools,
    *,
    source: str | None,
    progress: Progress | None,
) -> Counter[str]:
    """Reads every file once; how many records were not recognised, by the reason."""
    unknown: Counter[str] = Counter()
    total, done, known = sum(one.size for one in sources), 0, 0
    context.account = f"{desk.name}:{source or '0'}"
    named = source is not None

    def read(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, total)

    for file in sources:
        for record in _records_of(file, desk, read=read):
            if record.kind in _LEFT:
                unknown[_LEFT[record.kind]] += 1
                continue
            known += 1
            if not named and (account := desk.account(record)) is not None:
                context.account, named = f"{desk.name}:{account}", True
            desk.note(record, context)
            spool = spools.of(record.kind)
            if spool is not None:
                spool.add(record.key, record.kind, record.value)
    if not known:
        raise InvalidInput(
            both(
                f"Nothing in it looks like an export of {desk.name}. Nothing was written.",
                f"其中没有 {desk.name} 的导出数据。未写入任何数据。",
            )
        )
    _name_colleagues(context)
    return unknown


def _records_of(file: Source, desk: Desk, *, read: Callable[[int], None]) -> Iterator[Record]:
    for found in records(file, desk.containers, read=read):
        yield from desk.records(found.container, found.record, found.where)


def _name_colleagues(context: Context) -> None:
    """Gives those without an e-mail a name made of the account, which is known only now."""
    for key, colleague in context.colleagues.items():
        if not colleague.key:
            named = f"{context.account}:user:{key}"
            context.colleagues[key] = replace(colleague, key=named, name=colleague.name or named)


_LEFT = {
    "unknown": both("Records of a kind that is not known.", "无法识别的记录。"),
    "ignored": both("Records of a kind that is not kept.", "不导入的记录类型。"),
}


class _Work:
    """One import on its way, after everything was read."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        context: Context,
        shop: Shop,
        *,
        dry_run: bool,
        progress: Progress | None,
    ) -> None:
        self.outcome = DeskOutcome(context.account)
        self._database = database
        self._desk = desk
        self._context = context
        self._tz = zone(shop.timezone)
        self._dry_run = dry_run
        self._progress = progress
        self._met: set[str] = set()
        self._rows: float = TALK_ROWS

    def customers(self, spool: Spool) -> None:
        """Takes the customers, a hundred a transaction."""
        rows = (self._desk.contact(parts, self._context) for parts in self._seen(spool))
        for batch in _batches(self._kept(rows), TOGETHER):
            self._count(self.outcome.customers, self._take_customers(batch))

    def articles(self, spool: Spool) -> None:
        """Takes the articles, with their translations."""
        rows = (
            row for parts in self._seen(spool) for row in self._desk.articles(parts, self._context)
        )
        for batch in _batches(self._kept(rows), TOGETHER):
            if self._dry_run:
                new = self._database.read_now(partial(try_articles, rows=batch))
            else:
                new = self._write(partial(take_articles, rows=batch))
            self._count(self.outcome.articles, new)

    def talks(self, spool: Spool) -> None:
        """Takes the conversations, some whole ones a transaction."""
        found = (self._desk.talk(parts, self._context) for parts in self._seen(spool))
        waiting: list[tuple[Talk, list[ImportRow]]] = []
        rows = 0
        for talk in self._kept(found):
            checked = self._checked(talk)
            if checked is None:
                continue
            waiting.append((talk, checked))
            rows += len(checked)
            if rows >= self._rows:
                self._take_talks(waiting)
                waiting, rows = [], 0
        self._take_talks(waiting)
        while not self._dry_run and self._write(release_open):
            pass

    def _checked(self, talk: Talk) -> list[ImportRow] | None:
        """The rows of a conversation as any import checks them; None when one does not hold."""
        try:
            return [
                read_row(row, line=number, tz=self._tz) for number, row in enumerate(talk.rows, 1)
            ]
        except InvalidInput as refusal:
            self.outcome.leave(Skipped(talk.name, refusal.message, rejected=True))
            return None

    def _take_talks(self, talks: list[tuple[Talk, list[ImportRow]]]) -> None:
        """Takes whole conversations in one transaction, or one that is long in several."""
        if not talks:
            return
        owners = {talk.customer.origin: talk.customer for talk, _ in talks}
        self._take_customers(list(owners.values()))
        rows = [row for _, checked in talks for row in checked]
        self._meet(rows)
        names = {c.key: c.name for c in self._context.colleagues.values()}
        trial = Trial()
        found = Sorted()
        for start in range(0, len(rows), MAX_ROWS):
            batch = rows[start : start + MAX_ROWS]
            last = start + MAX_ROWS >= len(rows)
            if self._dry_run:
                part = self._database.read_now(partial(trial.batch, rows=batch))
            else:
                take = import_conversations if last else import_batch
                part = self._write(partial(take, rows=batch, people=names))
            found.taken += part.taken
            found.rejected += part.rejected
        self._tell(rows, found)

    def _meet(self, rows: list[ImportRow]) -> None:
        """Notes which of the people in some rows nobody has known before."""
        strange = set().union(*(row.people for row in rows)) - self._met
        if strange:
            known = self._database.read_now(partial(people_by_name, names=strange))
            self.outcome.people |= strange - known.keys()
            self._met |= strange

    def _tell(self, rows: list[ImportRow], found: Sorted) -> None:
        taken = {row.event_id for row in found.taken}
        grown = {row.conversation for row in found.taken}
        outcome = self.outcome
        outcome.conversations.accepted += len(grown)
        outcome.conversations.unchanged += len({row.conversation for row in rows} - grown)
        posted = [row for row in rows if row.kind == "message.posted"]
        new = sum(row.event_id in taken for row in posted)
        outcome.messages.accepted += new
        outcome.messages.unchanged += len(posted) - new
        for refused in found.rejected:
            name = rows[0].conversation or ""
            outcome.leave(Skipped(name, refused.reason, rejected=True))

    def _take_customers(self, rows: list[CustomerRow]) -> list[bool]:
        new = self._database.read_now(partial(try_customers, rows=rows))
        if self._dry_run or not any(new):
            return new
        return self._write(partial(take_customers, rows=rows))

    def _write(self, job: Callable[[Tx], T]) -> T:
        """The job's answer after its commit, then a moment for those who chat."""
        began = time.monotonic()
        answer = self._database.write_now(job)
        took = time.monotonic() - began
        pace = 1.25 if took < AIM_S else 0.8
        self._rows = max(TALK_ROWS, min(MAX_ROWS, self._rows * pace))
        time.sleep(min(0.05, took / 2))
        return answer

    def _kept(self, rows: Iterable[T | Skipped]) -> Iterator[T]:
        for row in rows:
            if isinstance(row, Skipped):
                self.outcome.leave(row)
            else:
                yield row

    def _seen(self, spool: Spool) -> Iterator[Parts]:
        """What a spool holds, told of as it goes."""
        done = 0
        for parts in spool.parts():
            yield parts
            done += sum(map(len, parts.records.values()))
            if self._progress is not None:
                self._progress(done, spool.records)

    @staticmethod
    def _count(tally: Tally, new: list[bool]) -> None:
        tally.accepted += sum(new)
        tally.unchanged += len(new) - sum(new)


def _batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    given = iter(rows)
    while batch := list(islice(given, size)):
        yield batch
