"""Simulated shoppers: they write, wait, thank, rate, leave and come back, over real connections."""

import asyncio
import logging
import random
from collections import deque
from dataclasses import dataclass, field

from server.demo.line import Json, Line, LineLost, play_until
from server.demo.people import DEMO_SHOP, shopper_name
from server.demo.phrases import GREETINGS, NUDGES, RATING_COMMENTS, THANKS
from server.demo.talk import Talk, new_talk, spoken_name
from server.demo.words import Locale

log = logging.getLogger("shopbell.demo")

# A desk that nobody attends is left alone when so many wait; every visit ends its own chat.
MOST_WAITING = 8
RETURNING = 12
# Each unanswered visit in a row doubles the time until the next, up to this often.
MOST_DOUBLINGS = 6


@dataclass(frozen=True, slots=True)
class _Known:
    """A shopper who was here before and may come back."""

    visitor_token: str
    locale: Locale


@dataclass(slots=True)
class _Street:
    """Where shoppers come from: the desk's address, chance, pace, and those who know the shop."""

    url: str
    site_key: str
    shop_url: str
    pace: float
    draw: random.Random
    known: deque[_Known] = field(default_factory=lambda: deque(maxlen=RETURNING))

    async def pause(self, low_s: float, high_s: float) -> None:
        """A while of the length that people take."""
        await asyncio.sleep(self.draw.uniform(low_s, high_s) * self.pace)


async def run_shoppers(
    *,
    url: str,
    site_key: str,
    stop: asyncio.Event,
    seed: int,
    shop_url: str = "",
    shoppers: int = 3,
    pace: float = 1.0,
) -> None:
    """Lets simulated shoppers chat until ``stop`` is set; returns when all have hung up.

    At most ``shoppers`` chat at once, each ends what it began, none begins while the queue is long,
    and who finds nobody comes back ever more rarely, so an unattended desk does not fill up.
    ``url`` is the desk, ``shop_url`` the storefront whose pages they name; ``pace`` below 1 makes
    everybody quicker.
    """
    street = _Street(url, site_key, shop_url or url, pace, random.Random(f"shoppers-{seed}"))
    await play_until(stop, *(_come_and_go(street, number) for number in range(shoppers)))


async def _come_and_go(street: _Street, number: int) -> None:
    # Not everybody at once: the first within seconds, the others when they like.
    await street.pause(2 + 18 * number, 12 + 30 * number)
    unanswered = 0
    while True:
        try:
            answered = await _visit(street)
            unanswered = 0 if answered else min(unanswered + 1, MOST_DOUBLINGS)
        except LineLost as lost:
            log.debug("a simulated shopper was cut off: %s", lost)
        await street.pause(20 * 2**unanswered, 70 * 2**unanswered)


async def _visit(street: _Street) -> bool:
    """One visit to the shop; True when somebody answered."""
    draw = street.draw
    back = draw.choice(street.known) if street.known and draw.random() < 0.25 else None
    locale: Locale = back.locale if back else ("zh" if draw.random() < 0.6 else "en")
    auth: Json = {"site": street.site_key, "locale": locale}
    if back:
        street.known.remove(back)
        auth["visitor_token"] = back.visitor_token
    async with Line(url=street.url, namespace="/visitor", auth=auth) as line:
        if line.welcome["shop"].get("queue_length", 0) >= MOST_WAITING:
            return False
        chat = _Chat(street, line, new_talk(draw, locale))
        await chat.play(new=back is None)
        street.known.append(_Known(line.welcome["visitor_token"], locale))
        return bool(chat.agent)


@dataclass(slots=True)
class _Chat:
    """One chat of a simulated shopper, from the first word to the rating."""

    street: _Street
    line: Line
    talk: Talk
    conversation_id: str = ""
    agent: str = ""
    over: bool = False

    async def play(self, *, new: bool) -> None:
        """Goes through the chat; returns when the shopper leaves, with the chat ended."""
        draw, scene = self.street.draw, self.talk.scene
        if new and draw.random() < 0.7:
            await self.line.call("customer.describe", name=shopper_name(draw, scene.locale))
        if draw.random() < 0.2:
            await self._say(GREETINGS[scene.locale])
            await self.street.pause(4, 12)
        await self._say(scene.opens, with_product=draw.random() < 0.4)
        if await self._answered():
            for asked, _ in scene.follows:
                if self.over or draw.random() < 0.4:
                    continue
                await self._type_and_say(asked)
                if not await self._answered():
                    break
            if not self.over and draw.random() < 0.85:
                await self._type_and_say(THANKS[scene.locale])
                await self._wait_for_end(150)
        await self._leave()

    async def _say(self, texts: tuple[str, ...], *, with_product: bool = False) -> None:
        draw, talk = self.street.draw, self.talk
        locale, product = talk.scene.locale, talk.product
        page = f"{self.street.shop_url}/{locale}/p/{product.sku}"
        payload: Json = {
            "client_id": f"demo-{draw.getrandbits(80):020x}",
            "body": talk.say(draw.choice(texts), name=self.agent),
            "page": {"url": page, "title": product.title.say(locale)},
        }
        if self.conversation_id:
            payload["conversation_id"] = self.conversation_id
        if with_product and talk.scene.topic in ("product", "gift", "care", "price"):
            payload["blocks"] = [
                {
                    "type": "product",
                    "sku": product.sku,
                    "title": product.title.say(locale),
                    "price_minor": product.price_minor,
                    "currency": DEMO_SHOP.currency,
                    "url": page,
                    "image_url": f"{self.street.shop_url}/assets/art/{product.sku}.svg",
                }
            ]
        answer = await self.line.call("message.post", **payload)
        self.conversation_id = answer.get("conversation_id", self.conversation_id)

    async def _type_and_say(self, texts: tuple[str, ...]) -> None:
        """Reads, is seen to write for some seconds, writes."""
        await self.street.pause(8, 30)
        await self._typing(on=True)
        await self.street.pause(3, 7)
        await self._typing(on=False)
        await self._say(texts)

    async def _typing(self, *, on: bool) -> None:
        await self.line.call("typing.set", conversation_id=self.conversation_id, typing=on)

    async def _answered(self) -> bool:
        """Waits for a person's answer as long as patience lasts, with one word in between."""
        patience_s = self.street.draw.uniform(150, 420) * self.street.pace
        if await self._hear(patience_s / 2):
            return True
        if not self.over:
            await self._say(NUDGES[self.talk.scene.locale])
        return not self.over and await self._hear(patience_s)

    async def _hear(self, within_s: float) -> bool:
        """True when an agent wrote in time; a second message is waited for, then both are read."""
        loop = asyncio.get_running_loop()
        until_s, heard = loop.time() + within_s, ""
        while not self.over and (left_s := until_s - loop.time()) > 0:
            event = await self.line.next_event(within_s=left_s)
            message_id = self._take(event) if event else ""
            if message_id:
                heard = message_id
                until_s = loop.time() + 6 * self.street.pace
        if heard:
            await self.line.call(
                "message.mark_read", conversation_id=self.conversation_id, message_id=heard
            )
        return bool(heard)

    def _take(self, event: Json) -> str:
        """The id of the message when the event is an agent's message in this chat, else ""."""
        if event.get("conversation_id") != self.conversation_id:
            return ""
        data = event["data"]
        if event["kind"] == "conversation.status_changed":
            self.over = data["status"] in ("resolved", "closed", "spam")
        if event["kind"] != "message.posted" or data["message"]["author"]["kind"] != "agent":
            return ""
        name = str(data["message"]["author"].get("name") or "")
        self.agent = spoken_name(name, self.talk.scene.locale)
        return str(data["message"]["id"])

    async def _wait_for_end(self, within_s: float) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s * self.street.pace
        while not self.over and (left_s := until_s - loop.time()) > 0:
            event = await self.line.next_event(within_s=left_s)
            if event:
                self._take(event)

    async def _leave(self) -> None:
        """Ends the chat where the agent did not, and sometimes says how it was."""
        draw = self.street.draw
        if not self.over:
            await self.line.call("conversation.end", conversation_id=self.conversation_id)
        if not self.agent or draw.random() > 0.6:
            return
        await self.street.pause(4, 15)
        score = draw.choices((5, 4, 3, 2), (66, 22, 8, 4))[0]
        comment = draw.choice(RATING_COMMENTS[self.talk.scene.locale][score])
        rating: Json = {"conversation_id": self.conversation_id, "score": score}
        await self.line.call("rating.give", **rating, **({"comment": comment} if comment else {}))
