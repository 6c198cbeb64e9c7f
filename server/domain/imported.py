"""Rows of files with customers and articles, checked key by key, or the reason why not.

A reason is one sentence in English and the same in Chinese, because who reads it is not known yet.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from server.domain.errors import InvalidInput
from server.domain.periods import MAX_AT_MS, instant_ms
from server.domain.shop_data import ShopCustomer
from server.domain.text import clean

MAX_ID_CHARS = 200
MAX_TITLE_CHARS = 300
MAX_ARTICLE_CHARS = 100_000
MAX_PHRASING_CHARS = 500
MAX_PHRASINGS = 200
MAX_TAGS = 50
MAX_TAG_CHARS = 40
AUDIENCES = ("public", "internal")
STATUSES = ("published", "draft", "archived")

# The contract's name of a column, and what shops' own files call it.
CUSTOMER_COLUMNS: dict[str, tuple[str, ...]] = {
    "customer_id": (
        "id",
        "user_id",
        "external_id",
        "customer_number",
        "客户编号",
        "客户id",
        "客户号",
        "会员编号",
        "会员id",
        "会员号",
        "用户编号",
        "用户id",
    ),
    "email": (
        "e_mail",
        "mail",
        "email_address",
        "邮箱",
        "电子邮箱",
        "电子邮件",
        "邮件",
        "邮箱地址",
    ),
    "phone": (
        "mobile",
        "tel",
        "telephone",
        "phone_number",
        "mobile_number",
        "手机",
        "手机号",
        "手机号码",
        "电话",
        "电话号码",
        "联系电话",
        "联系手机",
    ),
    "name": ("full_name", "customer_name", "姓名", "客户姓名", "会员姓名", "名称", "昵称", "称呼"),
    "locale": ("language", "lang", "语言", "语种"),
    "tags": ("tag", "labels", "标签", "客户标签"),
    "marketing_email": (
        "accepts_marketing",
        "email_consent",
        "marketing_consent",
        "营销邮件",
        "接受营销邮件",
        "邮件营销",
    ),
    "created_at": (
        "created",
        "registered_at",
        "signed_up_at",
        "创建时间",
        "注册时间",
        "注册日期",
        "加入时间",
    ),
}
ARTICLE_KINDS = ("article", "reply")
IMPORT_SOURCE = "import"
ARTICLE_COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("article_id", "slug", "编号", "文章编号", "知识编号"),
    "title": ("question", "标题", "问题", "标准问题", "标准问"),
    "body": ("content", "answer", "text", "正文", "内容", "答案", "回答"),
    "locale": ("language", "lang", "语言", "语种"),
    "audience": ("visibility", "受众", "可见范围"),
    "category": ("section", "categories", "分类", "类目", "目录"),
    "phrasings": ("similar_questions", "相似问", "相似问题", "相似问法", "问法"),
    "status": ("state", "状态", "发布状态"),
    "source": (),
    "kind": ("类型",),
    "shortcut": ("快捷词", "快捷短语"),
    "valid_from": ("生效时间", "生效日期"),
    "valid_to": ("valid_until", "失效时间", "失效日期"),
}
_STATUS_WORDS = {
    "live": "published",
    "public": "published",
    "已发布": "published",
    "发布": "published",
    "草稿": "draft",
    "未发布": "draft",
    "已归档": "archived",
    "归档": "archived",
}
_KIND_WORDS = {"文章": "article", "快捷回复": "reply", "话术": "reply"}
_AUDIENCE_WORDS = {"公开": "public", "内部": "internal", "对外": "public", "对内": "internal"}
_LANGUAGE_WORDS = {
    "中文": "zh",
    "简体中文": "zh",
    "汉语": "zh",
    "cn": "zh",
    "chinese": "zh",
    "英文": "en",
    "英语": "en",
    "english": "en",
    "繁體中文": "zh-Hant",
    "繁体中文": "zh-Hant",
}
_TRADITIONAL = frozenset({"tw", "hk", "mo", "hant"})
_UTC = ZoneInfo("UTC")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
# What a spreadsheet makes of a long number: its last digits are lost.
_DAMAGED = re.compile(r"\d(\.\d+)?[eE]\+\d+")
# What a spreadsheet puts before a cell that it must not read as a number.
_MARKS = ("=", "'")
_QUOTED = re.compile(r'="(.*)"|\'(\d+)')
_DATE_SIGNS = str.maketrans({"/": "-", "年": "-", "月": "-", "日": " "})
_SECONDS = 10
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", re.ASCII)
_YES = frozenset({"1", "true", "yes", "y", "是", "t", "on"})
_NO = frozenset({"0", "false", "no", "n", "否", "f", "off"})
_ROLE_NAMES = frozenset(
    [
        "admin",
        "billing",
        "contact",
        "help",
        "hello",
        "info",
        "mail",
        "no-reply",
        "noreply",
        "office",
        "postmaster",
        "sales",
        "service",
        "shop",
        "support",
        "team",
        "webmaster",
    ]
)


def both(english: str, chinese: str) -> str:
    """One reason for readers of either language."""
    return f"{english} / {chinese}"


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer of a file; None where the file says nothing.

    ``external_id`` is the shop's own id, which a signed identity may show later. ``origin`` is what
    another desk calls the person; it opens nothing to anybody.
    """

    line: int
    external_id: str | None = None
    origin: str | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    created_at_ms: int | None = None
    seen_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """An article of a file in one language; rows with the same ``external_id`` are translations.

    What is None the file does not say: a known article keeps what it has, and a new one gets
    ``new_status``.
    """

    line: int
    source: str
    external_id: str
    locale: str
    title: str
    body: str
    audience: str = "public"
    status: str | None = None
    category: str | None = None
    phrasings: tuple[str, ...] = ()
    created_at_ms: int | None = None
    updated_at_ms: int | None = None
    kind: str = "article"
    shortcut: str | None = None
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None
    new_status: str = "published"


def column_names(columns: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The contract's name by each name that a header may have, in the form of ``header_name``."""
    return {header_name(word): name for name, words in columns.items() for word in (name, *words)}


def header_name(text: str) -> str:
    """A header in one form, whatever its case, width, spaces and dashes.

    >>> header_name("  E-Mail ")
    'e_mail'
    """
    text = unicodedata.normalize("NFKC", text).strip().lower()
    return re.sub(r"[\s_\-]+", "_", text)


def read_shop_customer(values: Mapping[str, object], *, tz: ZoneInfo) -> ShopCustomer:
    """The customer of a row by the contract's names; times without a zone are local in ``tz``.

    Raises InvalidInput with a reason in both languages.
    """
    created = read_text(values, "created_at", 64)
    return ShopCustomer(
        external_id=read_key(values, "customer_id"),
        name=read_text(values, "name", 200),
        email=read_email(read_text(values, "email", 254)),
        phone=read_text(values, "phone", 40),
        locale=read_locale(read_text(values, "locale", 32)),
        tags=_tags(values.get("tags")),
        marketing_email=read_flag(values, "marketing_email"),
        created_at_ms=None if created is None else read_instant(created, "created_at", tz),
    )


def read_article(
    values: Mapping[str, object], *, line: int, source: str | None = None, tz: ZoneInfo = _UTC
) -> ArticleRow:
    """The article of a row by the contract's names; times without a zone are local in ``tz``.

    Without a ``source`` the row's own counts, so that what was exported finds its article again.
    Raises InvalidInput, in both languages.
    """
    title = read_text(values, "title", MAX_TITLE_CHARS)
    body = read_text(values, "body", MAX_ARTICLE_CHARS)
    locale = read_locale(read_text(values, "locale", 32))
    for name, value in (("title", title), ("body", body), ("locale", locale)):
        if value is None:
            raise InvalidInput(both(f"{name} is missing.", f"缺少 {name}。"))
    kind = _one_of(values, "kind", ARTICLE_KINDS, _KIND_WORDS) or "article"
    audience = _one_of(values, "audience", AUDIENCES, _AUDIENCE_WORDS) or "public"
    return ArticleRow(
        line=line,
        source=source or read_text(values, "source", MAX_TITLE_CHARS) or IMPORT_SOURCE,
        external_id=read_key(values, "id"),
        locale=str(locale),
        title=str(title),
        body=str(body),
        audience="internal" if kind == "reply" else audience,
        status=_one_of(values, "status", STATUSES, _STATUS_WORDS),
        category=read_text(values, "category", 200),
        phrasings=_phrasings(values.get("phrasings")),
        kind=kind,
        shortcut=_shortcut(read_text(values, "shortcut", 40)) if kind == "reply" else None,
        valid_from_ms=_instant(values, "valid_from", tz),
        valid_to_ms=_instant(values, "valid_to", tz),
    )


def _one_of(
    values: Mapping[str, object], name: str, known: tuple[str, ...], words: Mapping[str, str]
) -> str | None:
    text = read_text(values, name, 32)
    if text is None:
        return None
    word = words.get(text.lower(), text.lower())
    if word not in known:
        english, chinese = " or ".join(known), " 或 ".join(known)
        raise InvalidInput(both(f"{name} must be {english}.", f"{name} 只能是 {chinese}。"))
    return word


def _instant(values: Mapping[str, object], name: str, tz: ZoneInfo) -> int | None:
    text = read_text(values, name, 64)
    return None if text is None else read_instant(text, name, tz)


def _shortcut(text: str | None) -> str | None:
    word = (text or "").lstrip("/").lower()
    if any(character.isspace() for character in word):
        raise InvalidInput(both("shortcut must be one word.", "shortcut 只能是一个词。"))
    return word or None


def read_email(text: str | None) -> str | None:
    """The address in the form in which addresses are compared. Raises InvalidInput for none."""
    if text is None:
        return None
    address = unicodedata.normalize("NFKC", text).strip().lower()
    name, _, host = address.rpartition("@")
    if not name or "." not in host or re.search(r"[\s,;<>]", address):
        raise InvalidInput(both("email is not an e-mail address.", "email 不是有效的邮箱地址。"))
    return address


def read_locale(text: str | None) -> str | None:
    """A language as articles and customers have it: zh, zh-Hant, en, or another language's code.

    >>> read_locale("zh_CN"), read_locale("en-us"), read_locale("zh-TW"), read_locale("pt-BR")
    ('zh', 'en', 'zh-Hant', 'pt')
    """
    if text is None:
        return None
    word = text.strip().lower()
    if word in _LANGUAGE_WORDS:
        return _LANGUAGE_WORDS[word]
    if not _LOCALE.fullmatch(word):
        raise InvalidInput(both("locale is not a language code.", "locale 不是语言代码。"))
    language, *rest = re.split("[-_]", word)
    if language == "zh" and _TRADITIONAL & set(rest):
        return "zh-Hant"
    return language


def email_key(email: str | None) -> str | None:
    """The key under which imported people with this address are one; None for shared mailboxes."""
    if email is None or email.partition("@")[0] in _ROLE_NAMES:
        return None
    return f"email:{email}"


def phone_key(phone: str | None) -> str | None:
    """The key of an international number; None for anything that only may be one.

    >>> phone_key("+86 138 0013 8000"), phone_key("138****8000"), phone_key("13800138000")
    ('phone:+8613800138000', None, None)
    """
    if phone is None:
        return None
    digits = re.sub(r"[\s().\-]", "", unicodedata.normalize("NFKC", phone))
    return f"phone:{digits}" if re.fullmatch(r"\+[1-9]\d{7,14}", digits) else None


def read_text(values: Mapping[str, object], name: str, limit: int) -> str | None:
    """The text of a cell, None when it is absent or blank. Raises InvalidInput, as all of these."""
    value = values.get(name)
    if value is None or isinstance(value, bool | float | dict | list):
        if value is None:
            return None
        raise InvalidInput(both(f"{name} must be text.", f"{name} 必须是文本。"))
    text = str(value)
    if text.isascii() and text.isprintable() and len(text) <= limit:
        text = text.strip()
        if text[:1] not in _MARKS:
            return text or None
    quoted = _QUOTED.fullmatch(text.strip())
    if quoted:
        text = quoted[1] or quoted[2]
    try:
        return clean(text, limit=limit, name=name, empty=True) or None
    except InvalidInput:
        raise InvalidInput(
            both(
                f"{name} is longer than {limit} characters or no valid text.",
                f"{name} 超过 {limit} 个字符或不是有效文本。",
            )
        ) from None


def read_key(values: Mapping[str, object], name: str) -> str:
    """The id in a cell, whole to its last digit."""
    text = read_text(values, name, MAX_ID_CHARS)
    if text is None:
        raise InvalidInput(both(f"{name} is missing.", f"缺少 {name}。"))
    if _DAMAGED.fullmatch(text):
        raise InvalidInput(
            both(
                f"{name} was shortened by a spreadsheet; export it as text.",
                f"{name} 被表格软件改成了科学计数法；请以文本格式导出。",
            )
        )
    return text


def _phrasings(value: object) -> tuple[str, ...]:
    """A list of JSON, or a cell with one phrasing a line or between bars."""
    if value is None or value == "":
        return ()
    given = re.split(r"[\n|]", value) if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise InvalidInput(both("phrasings must be a list of texts.", "phrasings 必须是文本列表。"))
    try:
        cleaned = [
            clean(item, limit=MAX_PHRASING_CHARS, name="phrasings", empty=True) for item in given
        ]
    except InvalidInput:
        raise InvalidInput(
            both(
                f"A phrasing is longer than {MAX_PHRASING_CHARS} characters or no valid text.",
                f"某个问法超过 {MAX_PHRASING_CHARS} 个字符或不是有效文本。",
            )
        ) from None
    found = tuple(dict.fromkeys(text for text in cleaned if text))
    if len(found) > MAX_PHRASINGS:
        raise InvalidInput(
            both(f"More than {MAX_PHRASINGS} phrasings.", f"问法超过 {MAX_PHRASINGS} 个。")
        )
    return found


def _tags(value: object) -> tuple[str, ...]:
    """A list of JSON, or a cell with words between commas, semicolons or bars."""
    if value is None or value == "":
        return ()
    given = re.split(r"[,;|，；、\n]", value) if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise InvalidInput(both("tags must be a list of words.", "tags 必须是词的列表。"))
    found = tuple(dict.fromkeys(word for item in given if (word := " ".join(item.split()))))
    if len(found) > MAX_TAGS or any(len(word) > MAX_TAG_CHARS for word in found):
        raise InvalidInput(
            both(
                f"tags may be {MAX_TAGS}, each of {MAX_TAG_CHARS} characters.",
                f"标签最多 {MAX_TAGS} 个，每个最多 {MAX_TAG_CHARS} 个字符。",
            )
        )
    return found


def instant_of(at_ms: int) -> int:
    """The same instant. Raises InvalidInput when it lies beyond the year 9999."""
    if at_ms > MAX_AT_MS:
        raise InvalidInput("The time is out of bounds.")
    return at_ms


def read_flag(values: Mapping[str, object], name: str) -> bool | None:
    """Yes or no in a cell, None when it is absent."""
    value = values.get(name)
    if value is None or isinstance(value, bool):
        return value
    text = read_text(values, name, 16)
    if text is None:
        return None
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise InvalidInput(both(f"{name} must be 0 or 1.", f"{name} 只能是 0 或 1。"))


def read_instant(text: str, name: str, tz: ZoneInfo) -> int:
    """ISO 8601, the same with slashes, or milliseconds since 1970."""
    try:
        if _ISO.fullmatch(text):
            return instant_ms(text, tz)
        if text.isdigit() and len(text) > 8:
            # Ten digits are seconds: as milliseconds they would be of 1970.
            return instant_of(int(text) * (1000 if len(text) == _SECONDS else 1))
        # Spreadsheets write 2024/3/5 9:30, or 2024年3月5日.
        day, _, rest = text.translate(_DATE_SIGNS).partition(" ")
        day = "-".join(part.zfill(2) for part in day.split("-"))
        hour = re.sub(r"^(\d):", r"0\1:", rest.strip())
        return instant_ms(f"{day} {hour}".strip(), tz)
    except InvalidInput:
        raise InvalidInput(
            both(
                f"{name} must be a time such as 2026-11-20T09:30.",
                f"{name} 必须是时间，例如 2026-11-20T09:30。",
            )
        ) from None
