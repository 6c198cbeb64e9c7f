"""One carrier kept alive: its canary is heard or it is opened anew."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

import structlog

from server.news.carrier import Carrier
from server.tasks import ended

log = structlog.stdlib.get_logger("shopbell.news")

# A canary goes out so often; when none has come back for so long, the line is opened anew.
CANARY_S = 1.0
SILENCE_S = 5.0
OPEN_LIMIT_S = 3.0
PUBLISH_LIMIT_S = 1.0
CLOSE_LIMIT_S = 1.0
# Between two tries to open the line, so that processes do not come back all at once.
REST_S = (0.2, 1.0)


class Line:
    """Runs a carrier: ``canary`` is a text that must come back, ``on_text`` takes all that comes.

    ``fit`` says that the carrier is believed to work: the canary came back and nothing has failed
    since. ``on_fit`` is called whenever that becomes true: what was sent before may be lost.
    """

    def __init__(
        self,
        carrier: Carrier,
        *,
        canary: str,
        on_text: Callable[[str], None],
        on_fit: Callable[[], None],
    ) -> None:
        self.name = carrier.name
        self.fit = False
        self.reopened = 0
        self._carrier = carrier
        self._canary = canary
        self._on_text = on_text
        self._on_fit = on_fit
        self._first_fit = asyncio.Event()
        self._broken = asyncio.Event()
        self._heard_at_s = 0.0
        self._told_down = False

    async def run(self) -> None:
        """Runs until cancelled: opens the carrier, and opens it anew whenever it falls silent."""
        while True:
            try:
                async with asyncio.timeout(OPEN_LIMIT_S):
                    await self._carrier.open()
                await self._live()
            except (OSError, TimeoutError) as error:
                self._down(error)
            except Exception:
                log.exception("a carrier of news failed", carrier=self.name)
                self._down(None)
            finally:
                self.fit = False
                with suppress(OSError, TimeoutError):
                    async with asyncio.timeout(CLOSE_LIMIT_S):
                        await self._carrier.close()
            self.reopened += 1
            await asyncio.sleep(random.uniform(*REST_S))  # noqa: S311  # spreads load only

    async def publish(self, text: str) -> bool:
        """Sends a text; False when that failed, and the line will be opened anew."""
        try:
            async with asyncio.timeout(PUBLISH_LIMIT_S):
                await self._carrier.publish(text)
        except (OSError, TimeoutError):
            self.fit = False
            self._broken.set()
            return False
        return True

    async def until_fit(self, limit_s: float) -> None:
        """Returns when the line first works, or after ``limit_s``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._first_fit.wait()

    async def _live(self) -> None:
        """Runs while the canary comes back. Raises OSError or TimeoutError when it does not."""
        loop = asyncio.get_running_loop()
        self._broken.clear()
        self._heard_at_s = loop.time()
        reading = asyncio.create_task(self._read())
        breaking = asyncio.create_task(self._broken.wait())
        try:
            while True:
                await self.publish(self._canary)
                await asyncio.wait(
                    {reading, breaking}, timeout=CANARY_S, return_when=asyncio.FIRST_COMPLETED
                )
                if reading.done():
                    reading.result()
                if breaking.done() or loop.time() - self._heard_at_s > SILENCE_S:
                    raise TimeoutError
        finally:
            await ended((reading, breaking), again_s=CLOSE_LIMIT_S)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            text = await self._carrier.hear()
            if text == self._canary:
                self._heard_at_s = loop.time()
                if not self.fit and not self._broken.is_set():
                    self._up()
            else:
                self._on_text(text)

    def _up(self) -> None:
        self.fit = True
        self._first_fit.set()
        if self._told_down:
            self._told_down = False
            log.info("news are heard again", carrier=self.name)
        self._on_fit()

    def _down(self, error: Exception | None) -> None:
        self.fit = False
        if not self._told_down:
            self._told_down = True
            log.warning("news are not heard", carrier=self.name, error=type(error).__name__)
