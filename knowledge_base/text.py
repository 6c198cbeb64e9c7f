"""Texts as the index sees them: cleaned, and cut into words and Chinese characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import opencc

MAX_QUERY = 400
"""Characters of a question that are looked at: a pasted page must not freeze the process."""

# Compatibility forms grow: one character can become eighteen. So a question is cut before it is
# cleaned as well; ten times over, because blanks at its beginning are not the question.
_MAX_RAW_QUERY = 10 * MAX_QUERY
MAX_SPANS = 4
"""Sentences of a question that are looked at one by one, beside the whole of it."""

MAX_SECTION = 300
"""Characters of a section, about a paragraph: what an agent takes in at one look."""

_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_PIECE = re.compile(rf"(?P<han>[{_HAN}]+)|(?P<word>[^\W_{_HAN}]+(?:['’][^\W\d_{_HAN}]+)*)")
_SPACE = re.compile(r"\s+")
_SPAN = re.compile(r"[^.!?。！？；;,，\n]+[.!?。！？；;,，\n]*")
_SENTENCE = re.compile(r"[^.!?。！？；\n]*[.!?。！？；\n]*")
_ANY_HAN = re.compile(f"[{_HAN}]")
# Controls, marks of direction and joining, halves of characters.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
# Traditional characters are searched as simplified ones; a table, and thread-safe.
_TO_SIMPLIFIED = opencc.OpenCC("t2s")
# What tells who and which order, not what is asked: addresses, telephone and order numbers.
_DETAIL = re.compile(
    # Not from within a word: of one without an @ every letter would be tried as its beginning.
    r"https?://\S+|www\.\S+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[#№+]?(?<![a-z0-9])[a-z]{0,4}[-_]?"
    r"\d[\d\-_ ()]{3,}\d(?![a-z0-9])"
)
_DETAIL_ANY = re.compile(_DETAIL.pattern, re.IGNORECASE)

# Words that nearly every question has. A shop's base is too small for their rarity to be learnt
# from it.
_SAYING_NOTHING = (
    "a about am an and any are as at be been but by can could did do does for from had has "
    "have hello hey hi how i i'd i'll i'm i've if in into is it it's its just let like may me "
    "might my of on or our please should so some tell than thank thanks that the their them "
    "then there these they this those to us was we were what what's when where which who why "
    "will with would you your "
)
STOP_WORDS = tuple(sorted(_SAYING_NOTHING.split()))
_STOP_WORDS = frozenset(STOP_WORDS)
_STOP_CHARACTERS = frozenset(
    "的了吗呢啊吧呀么嘛哦我你您他她它们这那是在有和与就都也还很请问想要会能可以"
)


# What opens and closes a letter, and what introduces a number: a sentence of nothing else asks
# nothing. In Chinese whole phrases, since it has no spaces.
_COURTESY_WORDS = (
    "advance afternoon all appreciate appreciated best bye cheers day dear evening everyone "
    "forward good goodbye great greeting guys help hearing hope kind lot lots love madam "
    "many morning much nice night ok okay please regard regards reply soon sincerely sir sorry "
    "support team thank thanks warm well wish yours looking hear "
    "code customer e-mail email id mail mobile name no nr number order phone ref reference "
    "telephone tel tracking"
)
_COURTESY = frozenset(_COURTESY_WORDS.split())
_ASKING = frozenset(
    ("can", "could", "do", "does", "how", "what", "when", "where", "which", "who", "why", "will")
)
_COURTESY_HAN = re.compile(
    r"(?:你好|您好|亲+|亲爱的|老板|客服|掌柜|嗨|哈喽|早上好|下午好|"
    r"晚上好|在吗|在不在|在么|有人吗|请问一下|请问|打扰了?|"
    r"谢谢你?您?|谢啦|谢了|多谢|感谢|辛苦了?|麻烦了?|麻烦您?|拜托了?|尽快回复一?下?|急|"
    r"我的|我是|订单号?|单号|编号|手机号?|电话|邮箱|姓名|号码|是|为|啦|了|哦|呀|啊|哈|好)+"
)


def clean(text: str) -> str:
    """The text in one form: compatible characters as one, lower case, single spaces, all visible.

    Chinese is in simplified characters.

    >>> clean("  ＲＥＦＵＮＤ　① "), clean("退貨")
    ('refund 1', '退货')
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    tidy = " ".join(folded.split())
    # Nearly every text: what can be printed has nothing invisible in it.
    if not tidy.isprintable():
        seen = "".join(
            " " if character.isspace() else character
            for character in folded
            if character.isspace() or unicodedata.category(character) not in _INVISIBLE
        )
        tidy = _SPACE.sub(" ", seen).strip()
    return str(_TO_SIMPLIFIED.convert(tidy)) if has_han(tidy) else tidy


def has_han(text: str) -> bool:
    """Whether there is a Chinese character in the text."""
    return _ANY_HAN.search(text) is not None


def language(locale: str) -> str:
    """The language of a locale.

    >>> language("zh-CN"), language("en_GB"), language("EN")
    ('zh', 'en', 'en')
    """
    return locale.strip().replace("_", "-").partition("-")[0].lower()


def clean_query(text: str) -> str:
    """The part of a question that is looked at, cleaned; at most MAX_QUERY characters."""
    return clean(text.lstrip()[:_MAX_RAW_QUERY])[:MAX_QUERY].strip()


def without_details(text: str) -> str:
    """A question as it may be kept: addresses, links, telephone and order numbers as dots.

    What tells who asked is in a message's other words only by accident; what is kept for learning
    should not need it.

    >>> without_details("where is 20260714-0093? write to anna@example.com")
    'where is …? write to …'
    """
    return _SPACE.sub(" ", _DETAIL_ANY.sub("…", text)).strip()


def spans(cleaned: str) -> list[str]:
    """The question as it is looked at: without its details, and its sentences when it has several.

    The sentences that say most come first, at most MAX_SPANS; one that only greets, thanks or
    introduces a number is left out. All that is left is the first span, so that cutting hides
    nothing.

    >>> spans("hello! where is my parcel 20260714-0093? thank you")
    ['where is my parcel ?', 'where is my parcel ?']
    >>> spans("good morning. a lamp flickers, it is new. my order number is 4711-0815.")
    ['a lamp flickers, it is new.', 'a lamp flickers,', 'it is new.']
    """
    whole = _SPACE.sub(" ", _DETAIL.sub(" ", cleaned)).strip() or cleaned
    sentences = [part.strip() for part in _SPAN.findall(whole)]
    asking = [sentence for sentence in sentences if not _is_courtesy(sentence)]
    if len(sentences) < 2 or not asking:
        return [whole]
    several = sorted(asking, key=lambda sentence: -len(_telling(sentence)))
    return [" ".join(asking), *several[:MAX_SPANS]]


def _is_courtesy(sentence: str) -> bool:
    said = words(sentence)
    if has_han(said):
        return _COURTESY_HAN.fullmatch(said.replace(" ", "")) is not None
    if not _telling(sentence):
        return True
    said_words = said.split()
    if not _ASKING.isdisjoint(said_words):
        return False
    return all(word in _STOP_WORDS or word in _COURTESY for word in said_words)


def tokens(cleaned: str) -> list[str]:
    """What is searched for, in order: stems of words; characters and bigrams of Chinese.

    Words that say nothing are left out, unless there is nothing else.

    >>> tokens("how do i return my shoes?")
    ['return', 'shoe']
    >>> tokens("怎么退货")
    ['怎', '退', '货', '怎么', '么退', '退货']
    >>> tokens("who are you")
    ['who', 'are', 'you']
    """
    return _telling(cleaned) or [token for token, _ in _tokens(cleaned)]


def is_han_pair(token: str) -> bool:
    """Whether a token is two Chinese characters.

    >>> is_han_pair("退货"), is_han_pair("退"), is_han_pair("ok")
    (True, False, False)
    """
    found = _PIECE.match(token)
    return len(token) == 2 and found is not None and found.lastgroup == "han"


def words(cleaned: str) -> str:
    """The words with a space between them, runs of Chinese whole: the text without punctuation.

    >>> words("refund, please! 退货？")
    'refund please 退货'
    """
    return " ".join(found[0] for found in _PIECE.finditer(cleaned))


def says_something(text: str) -> bool:
    """Whether a text is worth being learnt as a way to ask: not signs, greetings or thanks alone.

    >>> says_something("where is my parcel?"), says_something("？？"), says_something("ok thanks")
    (True, False, False)
    >>> says_something("退款"), says_something("在吗？"), says_something("4711")
    (True, False, False)
    """
    cleaned = clean(text)
    sentences = [part.strip() for part in _SPAN.findall(_DETAIL.sub(" ", cleaned))]
    return any(
        any(not token.isdigit() for token in _telling(sentence)) and not _is_courtesy(sentence)
        for sentence in sentences
    )


def pieces(cleaned: str) -> Iterator[tuple[str, bool]]:
    """The words and the runs of Chinese of a text, and whether it is such a run.

    >>> list(pieces("refund 退货!"))
    [('refund', False), ('退货', True)]
    """
    for found in _PIECE.finditer(cleaned):
        yield found[0], found.lastgroup == "han"


def sections(body: str) -> list[str]:
    """The body in pieces of whole sentences, at most MAX_SECTION characters each."""
    pieces: list[str] = []
    piece = ""
    for sentence in _sentences(body):
        if piece and len(piece) + len(sentence) > MAX_SECTION:
            pieces.append(piece)
            piece = ""
        piece += sentence
    pieces.append(piece)
    return [stripped for piece in pieces if (stripped := piece.strip())]


def _sentences(body: str) -> Iterator[str]:
    for found in _SENTENCE.finditer(body):
        for start in range(0, len(found[0]), MAX_SECTION):
            yield found[0][start : start + MAX_SECTION]


def _telling(cleaned: str) -> list[str]:
    return [token for token, is_empty in _tokens(cleaned) if not is_empty]


def _tokens(cleaned: str) -> Iterator[tuple[str, bool]]:
    """Each token, and whether it says nothing by itself."""
    for found in _PIECE.finditer(cleaned):
        piece = found[0]
        if found.lastgroup == "han":
            for character in piece:
                yield character, character in _STOP_CHARACTERS
            for first, second in pairwise(piece):
                yield first + second, {first, second} <= _STOP_CHARACTERS
        else:
            word = piece.replace("’", "'")
            yield (word, True) if word in _STOP_WORDS else (_stem(word), False)


@lru_cache(65_536)
def _stem(word: str) -> str:
    """The word without its commonest English endings; deliberately light.

    >>> [_stem(word) for word in ("returns", "returned", "returning", "policies", "shipping")]
    ['return', 'return', 'return', 'policy', 'ship']
    """
    word = word.removesuffix("'s").replace("'", "")
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _undoubled(word[: -len(ending)])
    if word.endswith(("sses", "shes", "ches", "xes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    # "change" and "changing" meet where the e is gone.
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _undoubled(stem: str) -> str:
    if stem[-1] == stem[-2] and stem[-1] not in "ls":
        return stem[:-1]
    return stem
