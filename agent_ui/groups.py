"""What the groups of a report are called, wherever one is told: on pages, in files, in mails."""

from __future__ import annotations

from agent_ui.render import Locale, has_sentence, sentence


def group_words(locale: Locale, dimension: str, key: str | None) -> str:
    """A group by what the rows of a report call it; None is the group without a name.

    Names of people, teams, labels, days and products are as they are.

    >>> group_words("en", "weekday", "00"), group_words("en", "hour", "09")
    ('Mon', '09:00')
    >>> group_words("zh", "segment", "loyal"), group_words("en", "team", None)
    ('忠诚客户', 'No team')
    """
    if key is None:
        return sentence(locale, _NAMELESS.get(dimension) or f"reports.without.{dimension}")
    match dimension:
        case "weekday":
            return sentence(locale, f"reports.weekday.{int(key)}")
        case "hour":
            return f"{int(key):02}:00"
        case "segment" | "channel":
            words = f"reports.{dimension}.{key}"
            return sentence(locale, words) if has_sentence(locale, words) else key
    return key


_NAMELESS = {"agent": "reports.nobody", "team": "reports.no_team"}
