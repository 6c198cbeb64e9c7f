"""The chats that are going on when somebody opens the demo desk for the first time."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from server.demo.people import demo_agents
from server.demo.products import product_by_sku
from server.demo.scenes import SCENES
from server.demo.talk import Talk, talk_about
from server.demo.thread import Thread
from server.demo.words import Locale
from server.domain.spans import HOUR_MS, MINUTE_MS, SECOND_MS

Start = Callable[[int, int, str], Thread]


@dataclass(frozen=True, slots=True)
class _Open:
    """One open chat: who has it, how long ago its last question was, what became of it."""

    topic: str
    locale: Locale
    sku: str
    assignee: str | None
    age_ms: int
    state: str


CHEN, ZHANG, ANA, LIU = (
    "chen.hao@mori-oak.example",
    "zhang.wei@mori-oak.example",
    "ana.costa@mori-oak.example",
    "liu.na@mori-oak.example",
)

_OPEN = (
    # waiting: nobody has it yet
    _Open("parcel", "en", "BED-101", None, 236 * SECOND_MS, "waiting"),
    _Open("price", "zh", "LMP-207", None, 141 * SECOND_MS, "waiting"),
    _Open("product", "en", "STL-012", None, 74 * SECOND_MS, "waiting"),
    _Open("invoice", "zh", "TBL-044", None, 38 * SECOND_MS, "waiting"),
    _Open("damaged", "zh", "TBL-060", None, 8 * MINUTE_MS, "waiting"),
    # asked: an agent has it and owes an answer
    _Open("product", "zh", "LMP-207", CHEN, 118 * SECOND_MS, "asked"),
    _Open("not_received", "en", "BED-140", CHEN, 197 * SECOND_MS, "asked"),
    _Open("return", "zh", "STL-034", LIU, 52 * SECOND_MS, "asked"),
    _Open("gift", "en", "TBL-021", ANA, 33 * SECOND_MS, "asked"),
    # answered: the shopper has the word
    _Open("price", "en", "LMP-118", CHEN, 6 * MINUTE_MS, "answered"),
    _Open("care", "zh", "STL-012", CHEN, 18 * MINUTE_MS, "answered"),
    _Open("delivery", "zh", "LMP-405", ZHANG, 9 * MINUTE_MS, "answered"),
    _Open("return", "en", "BED-114", ANA, 26 * MINUTE_MS, "answered"),
    # snoozed: comes back by itself
    _Open("refund", "en", "TBL-083", CHEN, 95 * MINUTE_MS, "snoozed"),
    _Open("stock", "zh", "BED-162", LIU, 130 * MINUTE_MS, "snoozed"),
)


def living(draw: random.Random, *, now_at_ms: int, shop_url: str, start: Start) -> list[Thread]:
    """Open chats as of an instant: waiting, being answered, answered and snoozed."""
    threads = []
    for number, one in enumerate(_OPEN):
        asked_at_ms = now_at_ms - one.age_ms
        before_ms = 0 if one.assignee is None else draw.randrange(3 * MINUTE_MS, 6 * MINUTE_MS)
        thread = start(number, asked_at_ms - before_ms, one.locale)
        _play(draw, thread, one, shop_url=shop_url, now_at_ms=now_at_ms, asked_at_ms=asked_at_ms)
        threads.append(thread)
    return threads


def _play(
    draw: random.Random,
    thread: Thread,
    one: _Open,
    *,
    shop_url: str,
    now_at_ms: int,
    asked_at_ms: int,
) -> None:
    talk = _talk(draw, one)
    thread.open(talk, shop_url=shop_url)
    thread.customer_says(talk.say(draw.choice(talk.scene.opens)))
    thread.queue()
    if one.assignee is None:
        return
    name = next(p.name.say(one.locale) for p in demo_agents() if p.email == one.assignee)
    asked, answers = talk.scene.follows[0]
    thread.later(draw.randrange(2_000, 9_000))
    thread.assign(one.assignee, reason="auto")
    thread.later(draw.randrange(15_000, 60_000))
    thread.agent_says(
        one.assignee, talk.say(draw.choice(talk.scene.answers), name=name), origin="typed"
    )
    thread.at_ms = max(thread.at_ms, asked_at_ms)
    thread.customer_says(talk.say(draw.choice(asked), name=name))
    if one.state == "asked":
        return
    if talk.scene.notes:
        thread.later(9_000)
        thread.note(one.assignee, talk.say(talk.scene.notes[0], name=name))
    thread.later(draw.randrange(20_000, 70_000))
    thread.agent_says(one.assignee, talk.say(draw.choice(answers), name=name), origin="typed")
    if one.state == "snoozed":
        thread.later(30_000)
        thread.snooze(one.assignee, until_ms=now_at_ms + draw.randrange(1, 5) * HOUR_MS)


def _talk(draw: random.Random, one: _Open) -> Talk:
    scene = next(s for s in SCENES if (s.topic, s.locale) == (one.topic, one.locale))
    product = product_by_sku(one.sku)
    assert product is not None
    return talk_about(draw, scene, product)
