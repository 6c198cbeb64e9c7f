"""Cleaning of what people type: one normal form, nothing that breaks JSON, UTF-8 or a terminal."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from server.domain.errors import InvalidInput

MAX_BODY_CHARS = 8000
# C0 and C1 controls except tab and line feed: PostgreSQL takes no NUL, the rest confuses logs.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3040-\u30fa]")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f]{2,}")
# Fewer words may be the name of a product.
_FEWEST_WORDS = 3
# A spreadsheet takes what begins so for a formula; the wide forms are read as the narrow ones.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def clean(text: str, *, limit: int, name: str = "body", empty: bool = False) -> str:
    """``text`` in NFC with unix line ends, no control characters and no outer white space.

    Raises InvalidInput when it holds lone surrogates, is longer than ``limit`` characters, or is
    empty although ``empty`` is False.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{name} is not valid Unicode text.", field=name) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", unicodedata.normalize("NFC", text)).strip()
    if len(text) > limit:
        raise InvalidInput(
            f"{name} is too long: at most {limit} characters.", field=name, limit=limit
        )
    if not text and not empty:
        raise InvalidInput(f"{name} is empty.", field=name)
    return text


def language_of(text: str) -> Literal["zh", "en"] | None:
    """In which of our languages somebody is answered who writes this; None where it is not clear.

    >>> language_of("Lund lamp 有货吗？"), language_of("Where is my 木凳 stool?")
    ('zh', 'en')
    >>> language_of("Lund"), language_of("注文した椅子はいつ届きますか")
    (None, None)
    """
    if _KANA.search(text):
        return None
    han, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    if han > words:
        return "zh"
    return "en" if words >= _FEWEST_WORDS else None


def not_a_formula(text: str) -> str:
    """The text for a cell, behind an apostrophe where a spreadsheet would run it.

    >>> not_a_formula("=1+1"), not_a_formula("Lin Yue")
    ("'=1+1", 'Lin Yue')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def whole_number(text: str, *, digits: int = 9) -> int | None:
    """The number that was typed, None for what is none or has more digits.

    Those of other scripts, which ``int`` takes and people do not, are none.

    >>> whole_number("42"), whole_number("-1"), whole_number("\u0664")
    (42, None, None)
    >>> whole_number("100", digits=2) is None
    True
    """
    known = text.isascii() and text.isdecimal() and len(text) <= digits
    return int(text) if known else None
