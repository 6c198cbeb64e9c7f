"""Taking files in, whoever brings them, and what goes on with them afterwards.

A file is read portion by portion into a new place, told by its content, drawn anew where it is a
picture, shown to the scanner, given its name and only then noted in the database. Whatever fails
on the way leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from server.actions import file_scans
from server.actions import files as actions
from server.actions.files import Limits
from server.domain.actors import Actor
from server.domain.errors import InvalidInput, TooLarge, Unavailable
from server.domain.files import MOST_NAME, Kind, plain_name, shown_name
from server.files.kinds import kind_of
from server.files.pictures import Size, draw_anew
from server.files.scanner import Scanner
from server.files.store import Incoming, Store, places
from server.stats import Reading
from server.storage import files
from server.storage.database import Committed, Database
from server.storage.files import File, fresh_id

log = structlog.stdlib.get_logger("shopbell.files")

# Uploads that a process takes at once, from shoppers and from everybody else, and from one of them;
# and pictures that it draws: each of them is a process.
AT_ONCE = 16
EACH_AT_ONCE = 3
PICTURES_AT_ONCE = 2
# What is refused for this has cost work, so it counts as sent.
WORK = frozenset({"file_picture", "file_infected"})
# Who sends a file waits so long for the scanner; after that it is asked in the background.
SCAN_WAIT_S = 10.0
SCAN_AGAIN_S = 30.0
LOOK_S = 5.0
SWEEP_S = 24 * 3600.0
PORTION = 100


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who sends a file: an actor, or a mail (``mail_id``) whose writer is not known yet.

    ``network_hash`` stands for where a shopper sends it from.
    """

    actor: Actor
    mail_id: str | None = None
    network_hash: str | None = None

    @property
    def kind(self) -> str:
        """How the row of the file names them."""
        return "mail" if self.mail_id else self.actor.kind

    @property
    def id(self) -> str | None:
        """The id beside it."""
        return self.mail_id or self.actor.id


class FileDesk:
    """Takes files in, and looks after them until it is cancelled."""

    def __init__(
        self,
        database: Database,
        store: Store,
        *,
        limits: Limits | None = None,
        scanner: Scanner | None = None,
        look_s: float = LOOK_S,
    ) -> None:
        """For one process; the folder of ``store`` is the same for all."""
        self.database = database
        self.store = store
        self.limits = limits or Limits()
        self._scanner = scanner
        self._look_s = look_s
        # A visitor costs nothing to make: they never keep colleagues and mails waiting.
        self._shoppers = asyncio.Semaphore(AT_ONCE)
        self._others = asyncio.Semaphore(AT_ONCE)
        self._turns: WeakValueDictionary[tuple[str, str | None], asyncio.Semaphore] = (
            WeakValueDictionary()
        )
        self._drawing = asyncio.Semaphore(PICTURES_AT_ONCE)
        self._wake = asyncio.Event()
        self._scanning = 0
        self.outcomes: Counter[str] = Counter(kept=0, refused=0, infected=0)

    async def heard(self, _committed: Committed) -> None:
        """A reader of the bus; what there is to do is looked for by the clock."""

    def readings(self) -> tuple[Reading, ...]:
        """What ``/metrics`` shows of this."""
        return (
            Reading(
                "shopbell_files_total",
                "Files that this process was sent, by what became of them.",
                lambda: self.outcomes,
                label="outcome",
                counter=True,
            ),
            Reading(
                "shopbell_files_scanning",
                "Files that wait for the virus scanner.",
                lambda: float(self._scanning),
            ),
        )

    async def take(
        self,
        source: AsyncIterator[bytes],
        *,
        name: str,
        sender: Uploader,
        size: int | None = None,
        content_id: str | None = None,
    ) -> File:
        """The file, kept; its ``size`` as the sender tells it is believed only to refuse earlier.

        Raises InvalidInput, TooLarge, TooMany, NotAllowed, and Unavailable when there is no room.
        """
        try:
            async with (
                self._turns.setdefault((sender.kind, sender.id), asyncio.Semaphore(EACH_AT_ONCE)),
                self._shoppers if sender.kind == "customer" else self._others,
            ):
                file = await self._take(source, name, sender, size, content_id)
        except (InvalidInput, TooLarge) as error:
            reason = error.details.get("reason")
            infected = reason == "file_infected"
            self.outcomes["infected" if infected else "refused"] += 1
            if sender.mail_id is None and reason in WORK:
                await self.refuse(name="", size=0, sender=sender, infected=infected)
            raise
        self.outcomes["kept"] += 1
        return file

    async def refuse(self, *, name: str, size: int, sender: Uploader, infected: bool) -> File:
        """The row of a file that came and was not kept, so that it is not simply missing."""
        at_ms = self.database.clock()
        file = File(
            id=fresh_id(at_ms),
            sha256=None,
            bytes=size,
            media_type="application/octet-stream",
            name=plain_name(name)[:MOST_NAME] or "?",
            uploader_kind=sender.kind,
            uploader_id=sender.id,
            state="infected" if infected else "refused",
            created_at_ms=at_ms,
        )
        await self.database.write(lambda tx: files.add(tx, file))
        return file

    async def _take(
        self,
        source: AsyncIterator[bytes],
        name: str,
        sender: Uploader,
        size: int | None,
        content_id: str | None,
    ) -> File:
        most = self.limits.staff_bytes if sender.mail_id else self.limits.most(sender.actor)
        if size is not None and size > most:
            raise _too_large(most)
        at_ms = self.database.clock()
        if sender.mail_id is None:
            await self.database.read(
                lambda c: actions.check_quota(
                    c,
                    sender.actor,
                    self.limits,
                    at_ms=at_ms,
                    size=size or 0,
                    network_hash=sender.network_hash,
                )
            )
        else:
            await self.database.read(lambda c: actions.check_mails(c, self.limits, at_ms=at_ms))
        await asyncio.to_thread(self.store.need, size or most)
        with _closing(await asyncio.to_thread(self.store.begin)) as came:
            async for portion in source:
                if came.size + len(portion) > most:
                    raise _too_large(most)
                await asyncio.to_thread(came.write, portion)
            sha256 = await asyncio.to_thread(came.finish)
            if not came.size:
                raise InvalidInput("The file is empty.", field="file", reason="file_empty")
            kind = await asyncio.to_thread(kind_of, came.path)
            if kind is None:
                raise InvalidInput(
                    "Files of this kind are not taken.", field="file", reason="file_type"
                )
            draft = File(
                id=fresh_id(self.database.clock()),
                sha256=sha256,
                bytes=came.size,
                media_type=kind.media_type,
                name=shown_name(name, kind),
                uploader_kind=sender.kind,
                uploader_id=sender.id,
                content_id=content_id,
                state="unscanned",
                created_at_ms=self.database.clock(),
                network_hash=sender.network_hash,
            )
            if not kind.picture:
                return await self._keep(draft, sender, came.path)
            with places(self.store, 2) as (drawn, thumb):
                size_of = await self._draw(came, kind, drawn, thumb)
                with _closing(await asyncio.to_thread(self.store.begin)) as whole:
                    await asyncio.to_thread(_copy, drawn, whole)
                    picture = replace(
                        draft,
                        sha256=await asyncio.to_thread(whole.finish),
                        bytes=whole.size,
                        width=size_of.width,
                        height=size_of.height,
                    )
                    return await self._keep(picture, sender, whole.path, thumb)

    async def _draw(self, came: Incoming, kind: Kind, drawn: Path, thumb: Path) -> Size:
        async with self._drawing:
            return await draw_anew(came.path, kind.media_type, drawn, thumb)

    async def _keep(
        self, draft: File, sender: Uploader, path: Path, thumb: Path | None = None
    ) -> File:
        sha256 = draft.sha256
        assert sha256 is not None  # it has just been counted
        state = await self._first_look(path)
        if state == "infected":
            raise InvalidInput("The file is not safe.", field="file", reason="file_infected")
        file = replace(draft, state=state)
        await asyncio.to_thread(self.store.put, sha256, path, thumb)
        await self.database.write(
            lambda tx: (
                actions.add(tx, sender.actor, file, limits=self.limits)
                if sender.mail_id is None
                else files.add(tx, file)
            )
        )
        # Another process may have let the same bytes go before it could see this row.
        if not await asyncio.to_thread(self.store.has, sha256):
            await asyncio.to_thread(self.store.put, sha256, path, thumb)
        return file

    async def _first_look(self, path: Path) -> str:
        if self._scanner is None:
            return "unscanned"
        try:
            async with asyncio.timeout(SCAN_WAIT_S):
                return await self._scanner.look(path) or "scanning"
        except TimeoutError:
            return "scanning"

    # afterwards

    async def run(self) -> None:
        """Runs until cancelled."""
        await asyncio.gather(
            self._again(self._scan_waiting, self._look_s),
            self._again(self.look_after, self._look_s),
            self._again(self.sweep, SWEEP_S),
        )

    async def _again(self, step: Callable[[], Awaitable[None]], seconds: float) -> None:
        while True:
            try:
                await step()
            except Unavailable:
                log.warning("files wait for the database or the disk")
            except Exception:
                log.exception("a step with files failed")
            await asyncio.sleep(seconds)

    async def _scan_waiting(self) -> None:
        self._scanning = await self.database.read(files.count_scanning)
        if not self._scanning:
            return
        before_ms = self.database.clock() - int(SCAN_AGAIN_S * 1000)
        waiting = await self.database.read(
            lambda c: files.scanning(c, before_ms=before_ms, limit=PORTION)
        )
        for file in waiting:
            state = await self.look_again(file)
            if state is None:
                return

    async def look_again(self, file: File) -> str | None:
        """What the scanner says now of a file that waits; None when it cannot be asked."""
        sha256 = file.sha256
        if sha256 is None:
            return None
        if self._scanner is None:
            state: str | None = "unscanned"
        else:
            state = await self._scanner.look(self.store.path(sha256))
        if state is not None:
            await self.database.write(lambda tx: file_scans.judge(tx, sha256, state))
        return state

    async def look_after(self) -> None:
        """Forgets what nobody used, and lets bytes go that nobody refers to any more."""
        while await self.database.write(actions.forget_unused) == actions.AT_ONCE:
            pass
        for sha256 in await self.database.read(lambda c: files.gone(c, limit=PORTION)):
            if await self._discard(sha256):
                await self.database.write(lambda tx, key=sha256: files.end_gone(tx, [key]))  # type: ignore[misc]  # bound default

    async def _discard(self, sha256: str) -> bool:
        loop = asyncio.get_running_loop()

        def wanted() -> bool:
            asked = asyncio.run_coroutine_threadsafe(
                self.database.read(lambda c: files.referred(c, [sha256])), loop
            )
            return bool(asked.result())

        return await asyncio.to_thread(self.store.discard, sha256, wanted)

    async def sweep(self) -> None:
        """Lets bytes go that no file refers to: of uploads that broke off at the last step.

        Forgets as well from which networks files came a day ago.
        """
        await self.database.write(actions.forget_networks)
        names = await asyncio.to_thread(lambda: list(self.store.clean()))
        for at in range(0, len(names), PORTION):
            some = names[at : at + PORTION]
            known = await self.database.read(lambda c, some=some: files.referred(c, some))  # type: ignore[misc]  # bound default
            for sha256 in some:
                if sha256 not in known or not self.store.has(sha256):
                    await self._discard(sha256)


def let_go_now(database: Database, store: Store) -> int:
    """Lets the bytes go that nobody refers to any more, for a command; how many there were."""
    found = database.read_now(lambda c: files.gone(c, limit=10 * PORTION))
    done = [
        sha256
        for sha256 in found
        if store.discard(
            sha256,
            lambda key=sha256: bool(database.read_now(lambda c: files.referred(c, [key]))),  # type: ignore[misc]  # bound default
        )
    ]
    database.write_now(lambda tx: files.end_gone(tx, done))
    return len(done)


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"At most {most} bytes.", field="file", reason="file_large", limit=most)


@contextmanager
def _closing(incoming: Incoming) -> Iterator[Incoming]:
    try:
        yield incoming
    finally:
        incoming.close()


def _copy(source: Path, target: Incoming) -> None:
    with source.open("rb") as file:
        while portion := file.read(1024 * 1024):
            target.write(portion)
