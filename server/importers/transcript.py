"""Transcripts of chats, as desks put them into one text: each line's speaker and time.

Only the time of day stands in a line, in a zone that the text does not tell. The transcript is
written when the chat ends, and zones differ by quarters of an hour, so the last line lies within a
quarter of an hour before that; the spans between lines are exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(
    r"\((?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?\)"
    r" (?P<rest>.*)"
)
_SPOKEN = re.compile(r"(?P<name>[^:\n]{1,80}): ?(?P<text>.*)")
_DAY_S = 24 * 3600
_QUARTER_S = 15 * 60
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody said, and when."""

    name: str
    text: str
    at_ms: int


def lines_of(text: str, *, ended_at_ms: int) -> list[Line]:
    """The lines of a transcript that ended just before an instant; none when it is another text.

    >>> told = "(09:00:05 PM) Ann: hi" + chr(10) + "(09:00:35 PM) Bo: hello"
    >>> [(line.name, line.at_ms % 60000) for line in lines_of(told, ended_at_ms=1795186860000)]
    [('Ann', 5000), ('Bo', 35000)]
    """
    timed: list[tuple[int, str]] = []
    for row in text.splitlines():
        found = _LINE.fullmatch(row.strip())
        if found:
            timed.append((_seconds(found), found["rest"]))
        elif timed:
            at_s, told = timed[-1]
            timed[-1] = (at_s, f"{told}\n{row}")
        elif row.strip() and len(row) > 300:
            return []
    spoken = [
        (at_s, said)
        for at_s, rest in timed
        if not rest.startswith("***")
        and (said := re.fullmatch(_SPOKEN.pattern, rest, re.DOTALL)) is not None
    ]
    if len(spoken) < _FEWEST or not timed:
        return []
    return _dated(spoken, last_s=timed[-1][0], ended_at_ms=ended_at_ms)


def _seconds(found: re.Match[str]) -> int:
    hour = int(found["hour"])
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
    return hour * 3600 + int(found["minute"]) * 60 + int(found["second"])


def _dated(spoken: list[tuple[int, re.Match[str]]], *, last_s: int, ended_at_ms: int) -> list[Line]:
    ended_s = ended_at_ms // 1000
    last_at_s = ended_s - (ended_s - last_s) % _QUARTER_S
    lines: list[Line] = []
    at_s, before_s = last_at_s, last_s
    for day_s, said in reversed(spoken):
        at_s -= (before_s - day_s) % _DAY_S
        before_s = day_s
        lines.append(Line(said["name"].strip(), said["text"].strip(), at_s * 1000))
    return [line for line in reversed(lines) if line.text]
