"""Turns scenes into what two people would write to each other."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from server.demo.people import DemoPerson
from server.demo.phrases import (
    BACK_AGAIN,
    BACK_ANSWERS,
    CITIES,
    COURIERS,
    DAYS,
    FAREWELLS,
    GREETINGS,
    HOLDS,
    NUDGES,
    THANKS,
)
from server.demo.products import PRODUCTS, Product
from server.demo.scenes import SCENES, Scene
from server.demo.words import LOCALES, Locale

# Matters that nobody asks about before buying.
AFTER_SALE = "售后 after sale"
_TAGS = {
    "product": "商品 product",
    "price": "价格 price",
    "stock": "库存 stock",
    "payment": "付款 payment",
    "gift": "礼品 gift",
    "care": "保养 care",
    "bulk": "批量 bulk",
    "parcel": "物流 parcel",
    "delivery": "发货 delivery",
    "not_received": "未收到 not received",
    "damaged": "破损 damaged",
    "assembly": "安装 assembly",
    "return": "退货 return",
    "refund": "退款 refund",
    "invoice": "发票 invoice",
    "change": "改单 change",
}

_SLOT = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Talk:
    """A scene with its slots decided."""

    scene: Scene
    product: Product
    slots: dict[str, str]

    def say(self, text: str, *, name: str = "") -> str:
        """A text with its slots filled; `name` is the agent who speaks or is spoken to."""
        return text.format_map({**self.slots, "name": name})


def new_talk(draw: random.Random, locale: Locale) -> Talk:
    """A matter that somebody who writes in that language could have."""
    scenes = [scene for scene in SCENES if scene.locale == locale]
    scene = draw.choices(scenes, [scene.weight for scene in scenes])[0]
    return talk_about(draw, scene, draw.choice(PRODUCTS))


def talk_about(draw: random.Random, scene: Scene, product: Product) -> Talk:
    """That scene about that product, everything else drawn."""
    locale = scene.locale
    question, answer = draw.choice(product.asks)
    slots = {
        "product": short_title(product, locale),
        "price": f"¥{product.price_minor // 100}",
        "order": f"#{draw.randrange(18_000, 21_400)}",
        "city": draw.choice(CITIES[locale]),
        "day": draw.choice(DAYS[locale]),
        "coupon": f"LY30-{draw.choice('23456789')}{draw.choice('ABCDEFGHJKLMNPQR')}"
        f"{draw.choice('23456789')}",
        "courier": draw.choice(COURIERS[locale]),
        "fact_q": question.say(locale),
        "fact_a": answer.say(locale),
    }
    return Talk(scene, product, slots)


def short_title(product: Product, locale: Locale) -> str:
    """The product's name as it stands in the middle of a sentence.

    >>> short_title(PRODUCTS[0], "en")
    'walnut desk lamp'
    """
    title = re.split("[,(（]", product.title.say(locale))[0]
    return title[0].lower() + title[1:] if locale == "en" else title


def tag_of(scene: Scene) -> str:
    """What an agent of a shop with two languages tags a chat about that matter with.

    >>> tag_of(SCENES[0])
    '商品 product'
    """
    return _TAGS.get(scene.topic, scene.topic)


def agent_name(person: DemoPerson, locale: Locale) -> str:
    """What shoppers of that language call an agent."""
    return person.name.say(locale)


def spoken_name(name: str, locale: Locale) -> str:
    """The part of a bilingual name that speakers of the language use.

    >>> spoken_name("Chen Hao 陈皓", "zh"), spoken_name("Chen Hao 陈皓", "en")
    ('陈皓', 'Chen Hao')
    >>> spoken_name("Ana Costa", "zh")
    'Ana Costa'
    """
    chinese = [word for word in name.split() if "\u4e00" <= word[0] <= "\u9fff"]
    other = [word for word in name.split() if word not in chinese]
    first, second = (chinese, other) if locale == "zh" else (other, chinese)
    return " ".join(first or second)


@dataclass(frozen=True, slots=True)
class Heard:
    """A simulated shopper's message: what kind it is, and what may be said to it."""

    matter: Literal["question", "greeting", "nudge", "thanks"]
    locale: Locale
    answers: tuple[str, ...]


def recognise(body: str) -> Heard | None:
    """What a simulated shopper's message is about, or None for a real person's words.

    Words of a person are answered by a person, so only whole texts count as found.
    """
    for locale in LOCALES:
        if _matches(body, THANKS[locale]):
            return Heard("thanks", locale, FAREWELLS[locale])
        if _matches(body, NUDGES[locale]):
            return Heard("nudge", locale, HOLDS[locale])
        if _matches(body, GREETINGS[locale]):
            return Heard("greeting", locale, HOLDS[locale])
        if _matches(body, BACK_AGAIN[locale]):
            return Heard("question", locale, BACK_ANSWERS[locale])
    return _about_product(body) or _about_scene(body)


def _about_product(body: str) -> Heard | None:
    for scene in SCENES:
        if scene.topic != "product":
            continue
        for product in PRODUCTS:
            for question, answer in product.asks:
                asked = question.say(scene.locale)
                if any(text.replace("{fact_q}", asked) == body for text in scene.opens):
                    said = answer.say(scene.locale)
                    answers = tuple(text.replace("{fact_a}", said) for text in scene.answers)
                    return Heard("question", scene.locale, answers)
    return None


def _about_scene(body: str) -> Heard | None:
    for scene in SCENES:
        if scene.topic != "product" and _matches(body, scene.opens):
            return Heard("question", scene.locale, scene.answers)
        for asked, answers in scene.follows:
            if _matches(body, asked):
                return Heard("question", scene.locale, answers)
    return None


def _matches(body: str, texts: Sequence[str]) -> bool:
    return any(_pattern(text).fullmatch(body) for text in texts)


@cache
def _pattern(text: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in _SLOT.split(text)]
    return re.compile(".{1,60}?".join(parts))
