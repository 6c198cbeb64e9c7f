"""Questions as people really write them: mistyped, long-winded, in another script or by ear."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import opencc
from pypinyin import lazy_pinyin, load_phrases_dict

from knowledge_base.features import sound_of
from knowledge_base.text import has_han, pieces

_GREETINGS = {
    "en": ("Hello there!", "Hi, good morning.", "Hey team,"),
    "zh": ("你好！", "在吗？", "亲，您好，"),
}
_ASIDES = {
    "en": (
        "My order number is 20260714-{}.",
        "I bought it last week for my sister's birthday.",
        "I have been a customer of yours for years.",
    ),
    "zh": ("我的订单号是20260714{}。", "上周给妹妹买的生日礼物。", "我是你们家的老顾客了。"),
}
_THANKS = {
    "en": ("Thanks a lot in advance!", "Looking forward to hearing from you.", "Cheers, Sam"),
    "zh": ("谢谢啦！", "麻烦尽快回复一下，谢谢。", "辛苦了！"),
}
# A letter typed beside the right one on a QWERTY keyboard.
_BESIDE = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for place, letter in enumerate(row)
}

Change = Callable[[str, random.Random], str]


def mistyped(text: str, chance: random.Random, *, slips: int) -> str:
    """The text with slips of the finger in its longer words, or with characters of the same sound.

    A slip drops, doubles, swaps or misses a letter; Chinese has no letters, so a character with the
    same reading is chosen, as an input method would offer it.
    """
    characters = list(text)
    places = [
        (start, start + len(word))
        for start, word in _words(text)
        if len(word) >= 4 and word.isascii() and word.isalpha()
    ]
    if not places:
        return _misheard(text, chance, share=0.0, least=slips)
    for _ in range(slips):
        start, end = chance.choice(places)
        place = chance.randrange(start + 1, end)
        characters[place] = _slip(characters, place, chance)
    return "".join(characters)


def long_winded(text: str, chance: random.Random) -> str:
    """The text inside a whole message: a greeting, an order number, an aside, thanks."""
    if not text:
        return text
    language = "zh" if has_han(text) else "en"
    aside = chance.choice(_ASIDES[language]).format(chance.randrange(1000, 9999))
    parts = [chance.choice(_GREETINGS[language]), text, chance.choice(_THANKS[language])]
    parts.insert(chance.randrange(1, 3), aside)
    return (" " if language == "en" else "").join(
        part
        if part[-1] in string.punctuation + "。！？，"
        else part + (". " if language == "en" else "。")
        for part in parts
    )


def traditional(text: str, _chance: random.Random) -> str:
    """The text in traditional characters."""
    return str(_to_traditional().convert(text))


def in_pinyin(text: str, _chance: random.Random) -> str:
    """The Chinese of the text written in pinyin, a space between the words' sounds."""
    if not has_han(text):
        return text
    _know_phrases()
    return " ".join(lazy_pinyin(text))


@cache
def _know_phrases() -> None:
    """Loads how characters are read in phrases, which the search does without."""
    from pypinyin.phrases_dict import phrases_dict  # noqa: PLC0415  # 0.6 s

    load_phrases_dict(phrases_dict)


def misheard(text: str, chance: random.Random) -> str:
    """The text with a fifth of its Chinese characters, one at least, as others that sound alike."""
    return _misheard(text, chance, share=0.2, least=1)


PERTURBATIONS: Mapping[str, Change] = {
    "typo1": lambda text, chance: mistyped(text, chance, slips=1),
    "typo2": lambda text, chance: mistyped(text, chance, slips=2),
    "long": long_winded,
    "traditional": traditional,
    "pinyin": in_pinyin,
    "homophone": misheard,
}


def perturbed(text: str, names: Sequence[str], chance: random.Random) -> str:
    """The text after the named changes, one after the other. Raises KeyError for an unknown one."""
    for name in names:
        text = PERTURBATIONS[name](text, chance)
    return text


def _slip(characters: Sequence[str], place: int, chance: random.Random) -> str:
    letter = characters[place]
    kind = chance.randrange(4)
    if kind == 0:
        return ""
    if kind == 1:
        return letter + letter
    beside = _BESIDE.get(letter.lower(), "")
    if kind == 2 and beside:
        return chance.choice(beside)
    return chance.choice(string.ascii_lowercase)


def _words(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    start = 0
    for word, is_han in pieces(text):
        start = text.index(word, start)
        if not is_han:
            found.append((start, word))
        start += len(word)
    return found


def _misheard(text: str, chance: random.Random, *, share: float, least: int) -> str:
    characters = list(text)
    places = [p for p, c in enumerate(characters) if len(_sounding_like(c)) > 1]
    number = min(len(places), max(least, round(share * len(places))))
    for place in chance.sample(places, number):
        others = [c for c in _sounding_like(characters[place]) if c != characters[place]]
        characters[place] = chance.choice(others)
    return "".join(characters)


def _sounding_like(character: str) -> str:
    return _by_sound().get(sound_of(character), "") if has_han(character) else ""


@cache
def _by_sound() -> Mapping[str, str]:
    """The commonest characters of each sound: those of GB 2312's first level."""
    by_sound: dict[str, str] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                character = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            sound = sound_of(character)
            by_sound[sound] = by_sound.get(sound, "") + character
    return by_sound


@cache
def _to_traditional() -> opencc.OpenCC:
    return opencc.OpenCC("s2t")
