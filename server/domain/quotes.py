"""What a customer wrote, as it may be handed to somebody outside the shop."""

from __future__ import annotations

import re
from collections.abc import Iterable

_STARS = "***"
# Each of these begins only where its run of signs begins: tried from every sign of a long run, a
# message of 8,000 signs took seconds.
_MAIL = re.compile(r"(?<![^\s@<>,;，。；：（(])[^\s@<>,;，。；：（(]+@[^\s@<>,;，。；）)]+")
# Seven digits and more with what people put between them: telephone, order and card numbers.
_NUMBER = re.compile(r"\+?\d(?:[\s().\-–]?\d){6,}")
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
# An address in Chinese: two or more of its parts in a row, with what follows up to a stop.
_ZH_ADDRESS = re.compile(
    r"(?:[\u4e00-\u9fff]{1,8}?(?:省|自治区|市|区|县|镇|乡|街道|村|路|街|大道|巷|弄|胡同)){2,}"
    r"[\u4e00-\u9fff\w\-－#]*"
)
_ZH_HOUSE = re.compile(
    r"[\u4e00-\u9fff]{1,8}?(?:路|街|大道|巷|弄|胡同)\s*\d+\s*[号弄][\u4e00-\u9fff\w\-－#]*"
    r"|\d+\s*(?:号楼|栋|幢|单元)[\u4e00-\u9fff\w\-－#]*"
)
# A house number with a street in English or German; a street's name begins with a capital letter.
_EN_ADDRESS = re.compile(
    r"\b\d{1,5}[A-Za-z]?\s+(?:[A-Z][\w'’.]*\s+){1,4}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Way|Court|Ct|Square|Place|Boulevard|Blvd)\b"
    r"\.?(?:,?\s+(?:Apt|Flat|Unit|Suite)\.?\s*\w+)?(?:,\s*[\w .'’-]+?\d[\w ]*)?"
)
_DE_ADDRESS = re.compile(
    r"(?<![\wäöüß-])[A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|weg|platz|allee)\s*\d+\w?"
)
_POSTCODE = re.compile(r"\b(?:[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}|\d{5,6})\b")
_MINE = re.compile(
    r"((?:\bmy name is|\bI am|\bI'm|\bregards,?|\bthanks,?|\byours,?)\s+)"
    r"([A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+){0,2})",
)
_ZH_MINE = re.compile(
    r"(我叫|我是|姓名[:：]?\s*|收件人[:：]?\s*|联系人[:：]?\s*)([\u4e00-\u9fff]{2,4})"
)


def mask_quote(text: str, known: Iterable[str] = ()) -> str:
    """Words without what says who wrote them: names, addresses of mail and post, numbers, links.

    ``known`` are names and addresses of the person that the shop has. What looks like an address is
    covered even where it is none: too much is better than a name too many.

    >>> mask_quote("Anna Keller here, call +44 7911 123456 or a.k@example.com", ["Anna Keller"])
    '*** here, call *** or ***'
    >>> mask_quote("我叫林悦，住杭州市西湖区文三路12号3幢，灯不亮")
    '我叫***，住***，灯不亮'
    >>> mask_quote("It flickers since 3 days at 12 Long Lane, York")
    'It flickers since 3 days at ***, York'
    """
    for value in sorted({one.strip() for one in known if one}, key=len, reverse=True):
        parts = [value, *(part for part in value.split() if len(part) > 1)]
        for part in parts:
            if len(part) < 2:
                continue
            found = re.escape(part)
            # A short word stands in others; of Chinese there are no ends of words.
            edge = r"\b" if part.isascii() else ""
            text = re.sub(f"{edge}{found}{edge}", _STARS, text, flags=re.IGNORECASE)
    for pattern in (_URL, _MAIL, _NUMBER):
        text = pattern.sub(_STARS, text)
    text = _MINE.sub(rf"\1{_STARS}", text)
    text = _ZH_MINE.sub(rf"\1{_STARS}", text)
    for pattern in (_ZH_ADDRESS, _ZH_HOUSE, _EN_ADDRESS, _DE_ADDRESS, _POSTCODE):
        text = pattern.sub(_covered, text)
    return re.sub(r"\*{3}(?:\s*\*{3})+", _STARS, text)


def _covered(found: re.Match[str]) -> str:
    """Stars, with the verb before a Chinese address left to its sentence."""
    verb = re.match(r"(?:住在?|寄到|地址[是:：]?|在|到)", found[0])
    return (verb[0] if verb else "") + _STARS
