"""Pages from templates: one environment per language, so that every filter knows its language.

A template sees `locale` (en, zh), `lang` (en, zh-CN), `theme` (auto, light, dark), `static_url` (an
address without a slash at its end), `csrf`, `person` (None when nobody is signed in), what `page`
was given, and the globals and filters of `_environment`. A name nobody gave is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, Protocol, cast  # Any: values of a template
from zoneinfo import ZoneInfo, available_timezones

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from agent_ui import FOLDER, STATIC_DIR
from agent_ui.links import linked

Locale = Literal["en", "zh"]
LOCALES: tuple[Locale, ...] = ("en", "zh")
LANGUAGES: dict[Locale, str] = {"en": "en", "zh": "zh-CN"}
SURFACES = (
    "pages",
    "console",
    "reports",
    "api",
    "knowledge",
    "customers",
    "sources",
    "identity",
    "privacy",
    "mail",
    "hours",
    "tickets",
    "files",
    "portal",
    "staffing",
    "live",
    "rules",
    "reviews",
    "care",
    "by_mail",
    "notices",
    "written",
)

# ISO 4217: currencies whose smallest unit is not a hundredth.
_WHOLE_CURRENCIES = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
    | {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_CURRENCY_SIGNS = {"CNY": "¥", "JPY": "¥", "EUR": "€", "GBP": "£", "USD": "$"}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
# Browsers drop tabs and line ends inside an address, so a control character can hide a scheme.
_SAFE_URL = re.compile(
    r"(?:https?://|mailto:|tel:|/(?![/\\])|[#?])[^\x00-\x20\x7f\\]*", re.IGNORECASE
)
_HAN = re.compile("[\u3400-\u9fff\uac00-\ud7af\u3040-\u30ff]")
_EN_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905  # reads better


class PersonShown(Protocol):
    """What the top bar says about who is signed in."""

    @property
    def id(self) -> str:
        """The id, which also picks the colour of the avatar."""

    @property
    def name(self) -> str:
        """The name to show."""

    @property
    def role(self) -> str:
        """agent, supervisor or admin."""


def page(
    name: str,
    /,
    *,
    locale: Locale,
    theme: str,
    static_url: str,
    csrf: str,
    person: PersonShown | None,
    **context: Any,  # Any: whatever the template shows
) -> str:
    """The HTML of the template ``name``. Raises UndefinedError for a value that was not given."""
    return (
        _environment(locale)
        .get_template(name)
        .render(theme=theme, static_url=static_url, csrf=csrf, person=person, **context)
    )


@cache
def messages(locale: Locale, surface: str) -> dict[str, str]:
    """The sentences of one surface by key; empty while the surface has no file."""
    path = FOLDER / "locales" / locale / f"{surface}.json"
    if not path.exists():
        return {}
    return cast(dict[str, str], orjson.loads(path.read_bytes()))


def sentence(locale: Locale, key: str, **args: object) -> str:
    """The sentence of a key with its {names} filled in.

    Where the key stands for a count, ``n`` chooses ``key.one`` or ``key.other`` as the language
    wants it and is written with thousands marks. Raises KeyError for an unknown key.
    """
    known = _sentences(locale)
    n = args.get("n")
    if isinstance(n, int | float):
        if key not in known:
            key = f"{key}.one" if locale == "en" and n == 1 else f"{key}.other"
        args["n"] = number(n)
    return _PLACEHOLDER.sub(lambda found: str(args[found[1]]), known[key])


def language(tag: str | None) -> Locale:
    """Which of our languages somebody is written to in whose language has this tag.

    >>> language("zh-TW"), language("fr"), language(None)
    ('zh', 'en', 'en')
    """
    return "zh" if (tag or "").lower().startswith("zh") else "en"


def has_sentence(locale: Locale, key: str) -> bool:
    """True when the key has a sentence."""
    return key in _sentences(locale)


def number(value: float | None, digits: int = 0) -> str:
    """A number with thousands marks, which both languages write alike; a dash for None.

    >>> number(12345.678, 1)
    '12,345.7'
    """
    return "–" if value is None else f"{value:,.{digits}f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share 0..1 as per cent; a dash for None.

    >>> percent(0.9541)
    '95.4%'
    """
    return "–" if value is None else f"{value * 100:.{digits}f}%"


def duration(ms: float | None) -> str:
    """A span as people read a stopwatch, whole seconds rounded down; a dash for None.

    >>> duration(46_900), duration(3_723_000)
    ('0:46', '1:02:03')
    """
    if ms is None:
        return "–"
    minutes, seconds = divmod(max(0, int(ms // 1000)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def local_day(locale: Locale, at_ms: int, timezone: str) -> str:
    """The day of an instant in a zone.

    >>> local_day("en", 0, "Asia/Shanghai"), local_day("zh", 0, "Asia/Shanghai")
    ('1 Jan 1970', '1970年1月1日')
    """
    at = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone))
    if locale == "zh":
        return f"{at.year}年{at.month}月{at.day}日"
    return f"{at.day} {_EN_MONTHS[at.month - 1]} {at.year}"


def local_time(locale: Locale, at_ms: int, timezone: str) -> str:
    """Day and minute of an instant in a zone.

    >>> local_time("en", 0, "Asia/Shanghai")
    '1 Jan 1970, 08:00'
    """
    at = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone))
    return f"{local_day(locale, at_ms, timezone)}{', ' if locale == 'en' else ' '}{at:%H:%M}"


def input_day(at_ms: int | None, timezone: str) -> str:
    """The day of an instant in a zone as a date field takes it; empty for None.

    >>> input_day(0, "Asia/Shanghai"), input_day(None, "UTC")
    ('1970-01-01', '')
    """
    if at_ms is None:
        return ""
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone)).date().isoformat()


def clock(at_ms: int, timezone: str) -> str:
    """Hour and minute of an instant in a zone.

    >>> clock(0, "Asia/Shanghai")
    '08:00'
    """
    return f"{datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone)):%H:%M}"


def iso_time(at_ms: int) -> str:
    """An instant as programs read it.

    >>> iso_time(0)
    '1970-01-01T00:00:00Z'
    """
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def money(minor: int, currency: str) -> str:
    """An amount in the smallest unit, as both languages write it.

    >>> money(693200, "CNY"), money(-1250, "EUR"), money(980, "JPY"), money(1250, "CHF")
    ('¥6,932.00', '-€12.50', '¥980', 'CHF 12.50')
    """
    digits = 0 if currency in _WHOLE_CURRENCIES else 3 if currency in _THOUSANDTHS else 2
    sign = _CURRENCY_SIGNS.get(currency, f"{currency} ")
    return f"{'-' if minor < 0 else ''}{sign}{abs(minor) / 10**digits:,.{digits}f}"


def url_ok(url: str | None) -> str:
    r"""The address when a link may carry it (http, https, mailto, tel, or on this site), else "#".

    >>> url_ok("/reports?by=day"), url_ok("java\tscript:alert(1)"), url_ok("//evil.example")
    ('/reports?by=day', '#', '#')
    """
    return url if url and _SAFE_URL.fullmatch(url) else "#"


def initials(name: str) -> str:
    """One or two letters that stand for a name.

    >>> initials("Lena Young"), initials("林小雨"), initials("Lena Young 林小雨")
    ('LY', '林', 'LY')
    """
    words = name.split()
    # A name written in both scripts goes by its Latin half, which two letters can tell apart.
    words = [word for word in words if not _HAN.match(word)] or words
    if not words:
        return "?"
    if _HAN.match(words[0]):
        return words[0][0]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(key: str) -> int:
    """A steady number 0..11 for an id: the class h0..h11 of its avatar, as in the console."""
    total = 0
    for char in key:
        total = (total * 31 + ord(char)) & 0xFFFFFFFF
    return total % 12


@cache
def timezones() -> list[str]:
    """The time zones to offer in a form: places, not abbreviations."""
    regions = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    return sorted(n for n in available_timezones() if n.split("/")[0] in regions and "/" in n)


@cache
def _sentences(locale: Locale) -> dict[str, str]:
    together: dict[str, str] = {}
    for surface in reversed(SURFACES):
        together |= messages(locale, surface)
    return together


@pass_context
def _icon(context: Context, name: str) -> Markup:
    """An icon of the sprite, hidden from screen readers: words stand beside it."""
    sprite = "icons_more" if name in _more_icons() else "icons"
    return Markup('<svg class="ic" aria-hidden="true"><use href="{}/{}.svg#i-{}"/></svg>').format(
        context["static_url"], sprite, name
    )


@cache
def _more_icons() -> frozenset[str]:
    """The icons that the console's list does without; they would only make it heavier."""
    sprite = (STATIC_DIR / "icons_more.svg").read_text("utf-8")
    return frozenset(re.findall(r'id="i-([\w-]+)"', sprite))


@cache
def _environment(locale: Locale) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A page of Chinese words is smaller in UTF-8 than in escapes, also once it is compressed.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False}

    def spoken(function: Callable[..., str]) -> Callable[..., str]:
        return lambda *args, **kwargs: function(locale, *args, **kwargs)

    environment.globals.update(
        locale=locale,
        lang=LANGUAGES[locale],
        t=spoken(sentence),
        icon=_icon,
        nav=None,
        wide=False,
        bell=0,
    )
    environment.filters.update(
        duration=duration,
        hue=hue,
        initials=initials,
        input_day=input_day,
        linked=linked,
        local_day=spoken(local_day),
        local_time=spoken(local_time),
        clock=clock,
        iso_time=iso_time,
        money=money,
        number=number,
        percent=percent,
        url_ok=url_ok,
    )
    return environment
