"""Simulated colleagues: they take some of the simulated shoppers' chats and leave the rest.

They answer only what they recognise as a simulated shopper's words, so whoever tries the widget in
person meets a person at the desk; they never touch a chat that somebody else has.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from server.demo.line import Json, Line, LineLost, play_until
from server.demo.people import demo_agents
from server.demo.phrases import FAREWELLS, HOLDS
from server.demo.products import PRODUCTS
from server.demo.scenes import SCENES
from server.demo.talk import Heard, recognise, spoken_name, talk_about
from server.demo.words import LOCALES, Locale

log = logging.getLogger("shopbell.demo")

# So many are always left in the queue for the person at the console.
LEFT_WAITING = 2
MOST_HELD = 3
LOOK_EVERY_S = 2.0
MOST_REMEMBERED = 400


async def run_colleagues(
    *,
    url: str,
    tokens: Sequence[str],
    stop: asyncio.Event,
    seed: int,
    left_waiting: int = LEFT_WAITING,
    pace: float = 1.0,
) -> None:
    """Lets simulated agents work until ``stop`` is set; returns when all have hung up.

    ``tokens`` are API tokens, one for each agent who shall be played. ``left_waiting`` chats stay
    in the queue for people; ``pace`` below 1 makes everybody quicker.
    """
    draw = random.Random(f"colleagues-{seed}")
    await play_until(
        stop,
        *(_work(url, token, random.Random(draw.random()), left_waiting, pace) for token in tokens),
    )


async def _work(url: str, token: str, draw: random.Random, left_waiting: int, pace: float) -> None:
    while True:
        try:
            async with Line(url=url, namespace="/agent", auth={"token": token}) as line:
                colleague = _Colleague(line, draw, left_waiting, pace)
                await colleague.begin()
                while True:
                    await colleague.listen(LOOK_EVERY_S * pace)
                    await colleague.look_around()
        except LineLost as lost:
            log.debug("a simulated colleague was cut off: %s", lost)
        await asyncio.sleep(draw.uniform(3, 9) * pace)


@dataclass(slots=True)
class _Colleague:
    """One simulated agent: the desk as it stands, and since when something is to be done."""

    line: Line
    draw: random.Random
    left_waiting: int
    pace: float
    me: str = ""
    chats: dict[str, Json] = field(default_factory=dict)
    status: str = ""
    _due_s: dict[tuple[str, str, str], float] = field(default_factory=dict)

    async def begin(self) -> None:
        """Sits down at the desk."""
        self.me = self.line.welcome["agent"]["id"]
        await self._be("busy")
        answer = await self.line.call("desk.load")
        self.chats = {chat["id"]: chat for chat in answer.get("conversations", [])}

    async def listen(self, within_s: float) -> None:
        """Takes in what happened, for at most that long."""
        event = await self.line.next_event(within_s=within_s)
        while event:
            if event.get("state") and event.get("conversation_id"):
                self.chats[event["conversation_id"]] = event["state"]
            event = await self.line.next_event(within_s=0.05)

    async def look_around(self) -> None:
        """Answers, ends and takes what is due."""
        mine = self._mine()
        # Online without a free place: shoppers see that somebody is there, routing gives nothing.
        await self._be("online" if mine else "busy")
        for chat in mine:
            if chat["waiting_since_ms"] is not None:
                if self._ripe(chat, "answer", 12, 55):
                    await self._answer(chat)
            elif self._ripe(chat, "resolve", 200, 480):
                await self._resolve(chat)
        waiting = [chat for chat in self.chats.values() if _waits_for_anybody(chat)]
        waiting.sort(key=lambda chat: int(chat["waiting_since_ms"]))
        if len(waiting) > self.left_waiting and len(mine) < MOST_HELD:
            await self._take_one(waiting)

    def _mine(self) -> list[Json]:
        return [
            chat
            for chat in self.chats.values()
            if chat["assignee_id"] == self.me and chat["status"] == "open"
        ]

    async def _be(self, status: str) -> None:
        if status != self.status:
            await self.line.call("presence.set", status=status, capacity=1)
            self.status = status

    def _speaks(self) -> tuple[Locale, ...]:
        """The languages of the agent who is played; both for somebody the demo does not know."""
        email = self.line.welcome["agent"].get("email")
        return next((one.speaks for one in demo_agents() if one.email == email), LOCALES)

    def _ripe(self, chat: Json, what: str, low_s: float, high_s: float) -> bool:
        """True once a while has passed since this came up; a new message starts it anew."""
        last = chat.get("last_message") or {}
        key = (chat["id"], what, str(last.get("id", "")))
        now_s = asyncio.get_running_loop().time()
        if len(self._due_s) > MOST_REMEMBERED:
            self._due_s.clear()
        due_s = self._due_s.setdefault(key, now_s + self.draw.uniform(low_s, high_s) * self.pace)
        return now_s >= due_s

    async def _take_one(self, waiting: list[Json]) -> None:
        for chat in waiting:
            if not self._ripe(chat, "claim", 25, 80):
                continue
            heard = await self._last_words(chat)
            if heard is None or heard.matter == "thanks" or heard.locale not in self._speaks():
                continue
            answer = await self.line.call("conversation.claim", conversation_id=chat["id"])
            if answer.get("ok"):
                self.chats[chat["id"]] = answer["conversation"]
            return

    async def _answer(self, chat: Json) -> None:
        heard = await self._last_words(chat)
        locale: Locale = heard.locale if heard else ("zh" if chat["locale"] == "zh" else "en")
        texts = heard.answers if heard else HOLDS[locale]
        await self._write(chat, self._filled(texts, locale))
        if heard and heard.matter == "thanks":
            await asyncio.sleep(self.draw.uniform(2, 6) * self.pace)
            await self._resolve(chat)

    async def _write(self, chat: Json, body: str) -> None:
        await self.line.call("typing.set", conversation_id=chat["id"], typing=True)
        await asyncio.sleep(self.draw.uniform(2, 6) * self.pace)
        answer = await self.line.call(
            "message.post",
            client_id=f"demo-{self.draw.getrandbits(80):020x}",
            conversation_id=chat["id"],
            body=body,
            visibility="public",
            origin="macro" if body in FAREWELLS["en"] + FAREWELLS["zh"] else "typed",
        )
        if not answer.get("ok"):
            self.chats.pop(chat["id"], None)

    async def _resolve(self, chat: Json) -> None:
        if len(self._mine()) <= 1:
            # The last chat gone, routing would fill the place with one that is meant for people.
            await self._be("busy")
        await self.line.call("conversation.resolve", conversation_id=chat["id"])
        self.chats.pop(chat["id"], None)

    async def _last_words(self, chat: Json) -> Heard | None:
        """What the shopper wants to hear about, None when a real person is writing."""
        answer = await self.line.call("conversation.open", conversation_id=chat["id"])
        found: Heard | None = None
        for envelope in reversed(answer.get("events", [])):
            message = envelope["data"].get("message")
            if envelope["kind"] != "message.posted" or message["visibility"] == "private":
                continue
            if message["author"]["kind"] == "agent":
                break
            heard = recognise(message["body"]) if message["author"]["kind"] == "customer" else None
            if heard is None and message["author"]["kind"] == "customer":
                return None
            # "Hello?" and "are you there?" stand around the question that they are about.
            if heard is not None and (found is None or heard.matter == "question"):
                found = heard
                if heard.matter in ("question", "thanks"):
                    break
        return found

    def _filled(self, texts: Sequence[str], locale: Locale) -> str:
        scene = next(scene for scene in SCENES if scene.locale == locale)
        talk = talk_about(self.draw, scene, self.draw.choice(PRODUCTS))
        name = spoken_name(str(self.line.welcome["agent"].get("name", "")), locale)
        return talk.say(self.draw.choice(texts), name=name)


def _waits_for_anybody(chat: Json) -> bool:
    unowned = chat["status"] == "open" and chat["assignee_id"] is None
    return unowned and chat["waiting_since_ms"] is not None
