"""Text cut into words that a full-text search of either database finds, Chinese among them.

Letters and digits make words as they stand; of Chinese, Japanese and Korean, where words have no
spaces between them, every two neighbours make one. So a search for two characters or more finds
them anywhere, and one character finds what begins with it.
"""

from __future__ import annotations

import re
import unicodedata

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af"
_PIECES = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")
MAX_WORD_CHARS = 64
MAX_QUERY_WORDS = 12


def search_words(text: str) -> list[str]:
    """The words of a text in order.

    >>> search_words("Lamp L-1 坏了吗")
    ['lamp', 'l', '1', '坏了', '了吗']
    """
    found: list[str] = []
    for piece in _PIECES.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _IS_CJK.match(piece) and len(piece) > 1:
            found += [piece[at : at + 2] for at in range(len(piece) - 1)]
        else:
            found.append(piece[:MAX_WORD_CHARS])
    return found


def query_words(text: str) -> list[tuple[str, bool]]:
    """What to look for, all of it, and whether a word may go on: the last, and single characters.

    >>> query_words("broken lam"), query_words("坏")
    ([('broken', False), ('lam', True)], [('坏', True)])
    """
    words = search_words(text)[:MAX_QUERY_WORDS]
    last = len(words) - 1
    return [
        (word, at == last or (len(word) == 1 and _IS_CJK.match(word) is not None))
        for at, word in enumerate(words)
    ]
