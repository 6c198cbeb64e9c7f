"""Months of past chats for the demo shop, as rows of the event import format."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from server.demo.desk import Desk
from server.demo.living import living
from server.demo.load import (
    Stretch,
    arrivals,
    local_day,
    local_hour_at_ms,
    log_normal_ms,
    stretches,
)
from server.demo.people import DemoCustomer, DemoPerson, demo_agents, demo_customers
from server.demo.phrases import (
    AWAY,
    BACK_AGAIN,
    BACK_ANSWERS,
    FAREWELLS,
    GREETINGS,
    HOLDS,
    NUDGES,
    RATING_COMMENTS,
    SORRY_LATE,
    TAKEOVERS,
    THANKS,
    WOKEN,
)
from server.demo.talk import AFTER_SALE, Talk, agent_name, new_talk, tag_of
from server.demo.thread import Row, Thread
from server.domain.spans import DAY_MS, HOUR_MS, MINUTE_MS

# Finished chats end this long before the present, what is still open follows up to it.
QUIET_MS = 4 * MINUTE_MS
REST_MS = 9 * DAY_MS
SHOP_URL = "https://mori-oak.example"


def history(
    *, now_at_ms: int, days: int = 90, seed: int = 7, shop_url: str = SHOP_URL
) -> Iterator[Row]:
    """Rows of the event import format in order of time, the same for the same arguments.

    Finished chats come first and end some minutes before ``now_at_ms``; a handful still open, some
    of them waiting, reach up to it. ``shop_url`` is where the pages are that chats began on.
    """
    draw = random.Random(f"history-{seed}")
    start_at_ms, end_at_ms = now_at_ms - days * DAY_MS, now_at_ms - QUIET_MS
    hours = stretches(draw, demo_agents(), start_at_ms=start_at_ms, end_at_ms=end_at_ms)
    desk = Desk(demo_agents(), _with_overtime(hours, now_at_ms, end_at_ms))
    shoppers = _Shoppers(draw, demo_customers(seed=seed))
    rows: list[Row] = []
    for number, at_ms in enumerate(arrivals(draw, start_at_ms=start_at_ms, end_at_ms=end_at_ms)):
        thread = Thread(f"demo-{seed}-{number:05d}", shoppers.next(at_ms), at_ms)
        past = _Past(draw, desk, thread, new_talk(draw, thread.customer.locale), shop_url)
        past.play()
        if thread.at_ms < end_at_ms:
            rows += thread.rows
    for thread in _open_threads(draw, shoppers, now_at_ms, seed, shop_url):
        rows += thread.rows
    rows += _presence_rows(desk, seed)
    # Sorting keeps the order of rows of the same instant, which is the order of their causes.
    yield from sorted(rows, key=_time_of)


@dataclass(frozen=True, slots=True)
class Asked:
    """A past chat about something that was not bought yet; ``replied_at_ms`` None for no answer."""

    customer_id: str
    asked_at_ms: int
    replied_at_ms: int | None


def asked_before_buying(*, now_at_ms: int, days: int = 90, seed: int = 7) -> list[Asked]:
    """The chats of the same history that came before a purchase or none, in order of time."""
    opened: dict[str, Asked] = {}
    after_sale: set[str] = set()
    for row in history(now_at_ms=now_at_ms, days=days, seed=seed):
        name, data = str(row["conversation"]), row["data"]
        assert isinstance(data, dict)
        if row["kind"] == "conversation.opened":
            opened[name] = Asked(str(row["customer"]), _time_of(row), None)
        elif row["kind"] == "message.posted" and row["actor_kind"] == "agent":
            if data["visibility"] == "public":
                opened[name] = replace(opened[name], replied_at_ms=_time_of(row))
        elif row["kind"] == "conversation.tagged" and AFTER_SALE in data["add"]:
            after_sale.add(name)
    return [one for name, one in opened.items() if name not in after_sale]


@dataclass(slots=True)
class _Shoppers:
    """Draws shoppers so that nobody has two chats at once or returns within some days."""

    draw: random.Random
    everybody: tuple[DemoCustomer, ...]
    _free_from_ms: dict[str, int] = field(default_factory=dict)

    def next(self, at_ms: int, *, locale: str | None = None) -> DemoCustomer:
        """A shopper who has not written for a while."""
        while True:
            # The lower of two draws makes some people regulars.
            number = min(self.draw.randrange(len(self.everybody)) for _ in range(2))
            customer = self.everybody[number]
            wanted = locale is None or customer.locale == locale
            if wanted and self._free_from_ms.get(customer.customer_id, 0) <= at_ms:
                self._free_from_ms[customer.customer_id] = at_ms + REST_MS
                return customer


@dataclass(slots=True)
class _Past:
    """Plays one chat from its first word to its rating."""

    draw: random.Random
    desk: Desk
    thread: Thread
    talk: Talk
    shop_url: str
    agent: DemoPerson | None = None
    first_wait_ms: int = 0
    left_word: bool = False

    def play(self) -> None:
        thread, draw = self.thread, self.draw
        thread.open(self.talk, shop_url=self.shop_url)
        self._ask_first()
        if not self._wait_for_somebody():
            return
        if draw.random() < 0.025:
            self._forgotten()
            return
        self._answer_first()
        self._go_on()
        self._finish()
        if draw.random() < 0.06:
            self._come_back()

    def _pick(self, texts: tuple[str, ...]) -> str:
        name = agent_name(self.agent, self.talk.scene.locale) if self.agent else ""
        return self.talk.say(self.draw.choice(texts), name=name)

    def _ask_first(self) -> None:
        locale = self.talk.scene.locale
        if self.draw.random() < 0.16:
            self.thread.customer_says(self._pick(GREETINGS[locale]))
            self.thread.queue()
            self.thread.later(self.draw.randrange(5_000, 22_000))
            self.thread.customer_says(self._pick(self.talk.scene.opens))
            return
        self.thread.customer_says(self._pick(self.talk.scene.opens))
        self.thread.queue()

    def _wait_for_somebody(self) -> bool:
        """Ends with an agent, or with the shopper gone (False)."""
        draw, thread = self.draw, self.thread
        scene, asked_at_ms = self.talk.scene, thread.at_ms
        open_shop = bool(self.desk.on_shift(scene.locale, asked_at_ms))
        if not open_shop:
            thread.system_says(self._pick(AWAY[scene.locale]), after_ms=1_500)
        found = self.desk.next_free(
            scene.locale, scene.team, asked_at_ms + draw.randrange(400, 4_000)
        )
        patience_ms = log_normal_ms(draw, 6 * MINUTE_MS)
        if found is None or (open_shop and found[0] - asked_at_ms > patience_ms):
            self._give_up(patience_ms)
            return False
        if open_shop and draw.random() < 0.02:
            self._give_up(draw.randrange(8_000, 50_000))
            return False
        accepted_at_ms, self.agent = found
        self.left_word = not open_shop
        if not open_shop:
            accepted_at_ms += draw.randrange(MINUTE_MS, 14 * MINUTE_MS)
        if open_shop and draw.random() < 0.05:
            self._ring_in_vain(accepted_at_ms)
        thread.at_ms = max(thread.at_ms + 300, accepted_at_ms)
        thread.assign(self.agent.email, reason="auto" if draw.random() < 0.85 else "claim")
        return True

    def _ring_in_vain(self, until_ms: int) -> None:
        """Somebody else is asked first and does not pick up."""
        thread, draw = self.thread, self.draw
        others = self.desk.on_shift(self.talk.scene.locale, thread.at_ms)
        asked = draw.choice([one for one in others if one is not self.agent] or others)
        thread.at_ms = max(thread.at_ms, until_ms)
        thread.offer(asked.email)
        thread.later(20_000)
        thread.miss(asked.email)

    def _give_up(self, after_ms: int) -> None:
        if after_ms > 2 * MINUTE_MS and self.draw.random() < 0.6:
            self.thread.later(after_ms // 2)
            self.thread.customer_says(self._pick(NUDGES[self.talk.scene.locale]))
            after_ms -= after_ms // 2
        self.thread.later(after_ms)
        self.thread.abandon()

    def _forgotten(self) -> None:
        """An agent took the chat and never wrote a word."""
        thread, draw = self.thread, self.draw
        started_at_ms = thread.at_ms
        thread.later(draw.randrange(3 * MINUTE_MS, 7 * MINUTE_MS))
        thread.customer_says(self._pick(NUDGES[self.talk.scene.locale]))
        thread.later(draw.randrange(2 * MINUTE_MS, 12 * MINUTE_MS))
        if draw.random() < 0.5:
            thread.leave()
        thread.later(30 * MINUTE_MS)
        thread.close()
        self._hold(started_at_ms, started_at_ms + 10 * MINUTE_MS)

    def _answer_first(self) -> None:
        thread, draw, scene = self.thread, self.draw, self.talk.scene
        waited_from_ms = thread.asked_at_ms
        self._think(first=True)
        if draw.random() < 0.18:
            self._say(self._pick(HOLDS[scene.locale]), origin="macro")
            if scene.notes and draw.random() < 0.5:
                thread.later(draw.randrange(6_000, 20_000))
                thread.note(self._email, self._pick(scene.notes))
            thread.later(draw.randrange(20_000, 80_000))
        sorry = ""
        self.first_wait_ms = thread.at_ms - waited_from_ms
        if self.first_wait_ms > 2 * MINUTE_MS and draw.random() < 0.6:
            sorry = self.draw.choice(SORRY_LATE[scene.locale])
        self._say(sorry + self._pick(scene.answers))

    def _go_on(self) -> None:
        thread, draw, scene = self.thread, self.draw, self.talk.scene
        for asked, answers in scene.follows:
            if draw.random() < 0.36:
                continue
            self._read(38_000)
            thread.customer_says(self._pick(asked))
            if draw.random() < 0.09:
                self._hand_over()
            self._think()
            if scene.notes and draw.random() < 0.12:
                thread.note(self._email, self._pick(scene.notes))
                thread.later(draw.randrange(4_000, 15_000))
            self._say(self._pick(answers))
            if draw.random() < 0.03 and not self.left_word:
                self._sleep_on_it()

    def _hand_over(self) -> None:
        """Another agent goes on, with a word about why."""
        thread, scene = self.thread, self.talk.scene
        thread.later(self.draw.randrange(8_000, 40_000))
        found = self.desk.next_free(scene.locale, scene.team, thread.at_ms, other_than=self._email)
        if found is None or found[0] > thread.at_ms:
            return
        thread.note(self._email, self._pick(TAKEOVERS[scene.locale]))
        thread.later(self.draw.randrange(1_000, 4_000))
        self._hold(thread.assigned_at_ms, thread.at_ms)
        thread.transfer(self._email, found[1].email)
        self.agent = found[1]

    def _sleep_on_it(self) -> None:
        """The answer needs somebody else, so the chat sleeps for some hours."""
        thread, draw, scene = self.thread, self.draw, self.talk.scene
        thread.later(draw.randrange(10_000, 40_000))
        until_ms = thread.at_ms + draw.randrange(1, 5) * HOUR_MS
        agent = self.desk.person(self._email)
        if agent not in self.desk.on_shift(scene.locale, until_ms):
            return
        thread.snooze(self._email, until_ms=until_ms)
        thread.at_ms = until_ms
        thread.wake()
        thread.later(draw.randrange(20_000, 4 * MINUTE_MS))
        self._say(self._pick(WOKEN[scene.locale]))

    def _finish(self) -> None:
        thread, draw, scene = self.thread, self.draw, self.talk.scene
        if draw.random() < 0.76:
            self._read(32_000)
            thread.customer_says(self._pick(THANKS[scene.locale]))
            if draw.random() < 0.45:
                self._think()
                self._say(self._pick(FAREWELLS[scene.locale]), origin="macro")
        thread.later(draw.randrange(12_000, 3 * MINUTE_MS))
        self._tag()
        thread.resolve(self._email)
        self._hold(thread.assigned_at_ms, thread.at_ms)
        if draw.random() < 0.92:
            self._rate()

    def _tag(self) -> None:
        """Not everybody says each time what a chat was about."""
        if self.draw.random() < 0.8:
            after = self.talk.scene.team == "after"
            tags = (tag_of(self.talk.scene), *((AFTER_SALE,) if after else ()))
            self.thread.tag(self._email, *tags)

    def _rate(self) -> None:
        thread, draw = self.thread, self.draw
        thread.ask_rating()
        if draw.random() < 0.37:
            thread.later(log_normal_ms(draw, 55_000, sigma=1.0))
            score = self._score()
            comment = draw.choice(RATING_COMMENTS[self.talk.scene.locale][score])
            thread.rate(score, comment if draw.random() < 0.5 else "")

    def _score(self) -> int:
        agent = self.agent or self.desk.people[0]
        good = agent.kindness + 0.06 * self.talk.scene.mood
        good -= 0.3 if self.first_wait_ms > 3 * MINUTE_MS else 0
        roll = self.draw.random()
        if roll < good:
            return 5
        if roll < good + (1 - good) * 0.5:
            return 4
        return self.draw.choices((3, 2, 1), (5, 3, 2))[0]

    def _come_back(self) -> None:
        """The same matter again, some hours or days later."""
        thread, draw, scene = self.thread, self.draw, self.talk.scene
        day = local_day(thread.at_ms + draw.randrange(3 * HOUR_MS, 5 * DAY_MS))
        at_ms = local_hour_at_ms(day, draw.choice((11, 15, 16, 20, 20))) + draw.randrange(HOUR_MS)
        if at_ms < thread.at_ms + HOUR_MS:
            return
        thread.at_ms = at_ms
        thread.reopen()
        thread.customer_says(self._pick(BACK_AGAIN[scene.locale]))
        thread.queue()
        if not self._wait_for_somebody():
            return
        self._think(first=True)
        self._say(self._pick(BACK_ANSWERS[scene.locale]))
        self._finish()

    @property
    def _email(self) -> str:
        return self.agent.email if self.agent else ""

    def _say(self, body: str, *, origin: str | None = None) -> None:
        drawn = self.draw.choices(("typed", "macro", "kb"), (70, 20, 10))[0]
        self.thread.agent_says(self._email, body, origin=origin or drawn)
        # The console tells every half minute; what is told here comes with each answer.
        self.thread.look(self._email, min(60_000, log_normal_ms(self.draw, 34_000, sigma=0.5)))

    def _think(self, *, first: bool = False) -> None:
        """The time until the agent answers: longer with every chat held at the same time."""
        agent = self.agent or self.desk.people[0]
        busy = 1 + 0.3 * self.desk.load(agent.email, self.thread.at_ms)
        median_ms = agent.reply_ms * busy * (1.0 if first else 0.85)
        self.thread.later(max(5_000, log_normal_ms(self.draw, median_ms, sigma=0.75)))

    def _read(self, median_ms: int) -> None:
        """The time until the shopper writes on; who left word at night is not sitting there."""
        self.thread.later(log_normal_ms(self.draw, median_ms * (25 if self.left_word else 1)))

    def _hold(self, start_at_ms: int, end_at_ms: int) -> None:
        self.desk.hold(self._email, start_at_ms, end_at_ms)


def _open_threads(
    draw: random.Random, shoppers: _Shoppers, now_at_ms: int, seed: int, shop_url: str
) -> list[Thread]:
    def start(number: int, at_ms: int, locale: str) -> Thread:
        customer = shoppers.next(at_ms + REST_MS, locale=locale)
        return Thread(f"demo-{seed}-open-{number:02d}", customer, at_ms)

    return living(draw, now_at_ms=now_at_ms, shop_url=shop_url, start=start)


def _with_overtime(hours: list[Stretch], now_at_ms: int, end_at_ms: int) -> list[Stretch]:
    """The stretches, and the last hours for everybody who holds a chat that is still open."""
    start_at_ms = now_at_ms - 3 * HOUR_MS
    kept: list[Stretch] = []
    for one in hours:
        if one.end_at_ms > start_at_ms:
            if one.start_at_ms < start_at_ms:
                kept.append(Stretch(one.email, one.start_at_ms, start_at_ms))
            continue
        kept.append(one)
    return kept + [Stretch(one.email, start_at_ms, end_at_ms) for one in demo_agents()]


def _presence_rows(desk: Desk, seed: int) -> Iterator[Row]:
    for number, (at_ms, email, status) in enumerate(desk.presence()):
        yield {
            "event_id": f"demo-{seed}-presence-{number}",
            "ts": at_ms,
            "kind": "agent.presence_changed",
            "conversation": None,
            "customer": None,
            "actor_kind": "agent",
            "actor": email,
            "channel": None,
            "data": {"status": status, "capacity": desk.person(email).capacity},
        }


def _time_of(row: Row) -> int:
    at_ms = row["ts"]
    assert isinstance(at_ms, int)
    return at_ms
