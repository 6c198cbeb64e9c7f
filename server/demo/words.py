"""Texts that exist in both languages of the demo shop."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Locale: TypeAlias = Literal["en", "zh"]

LOCALES: tuple[Locale, ...] = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Words:
    """One text as an English and as a Chinese speaker would say it."""

    en: str
    zh: str

    def say(self, locale: Locale) -> str:
        """The text in one language.

        >>> Words("Stool", "凳子").say("zh")
        '凳子'
        """
        return self.zh if locale == "zh" else self.en
