"""What somebody wrote in a mail, without what their program put below it.

The kept libraries know the forms of English mail programs; of seven forms that QQ Mail, 163 and
Outlook write in Chinese they cut two (mail-parser-reply 1.36). Hence one table of forms here. When
in doubt text stays: a quotation too much is read over, a sentence lost is not.
"""

from __future__ import annotations

import re

from server.domain.mail import MARK

_DATE = r"(?:\d{4}|\d{1,2}[:.]\d{2})"
# A line, or two joined ones, that begins what is quoted.
_INTRODUCTIONS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"^On\b.{{0,200}}{_DATE}.{{0,200}}\bwrote\s*[:：]\s*$",
        rf"^At\b.{{0,80}}{_DATE}.{{0,200}}\bwrote\s*[:：]\s*$",
        rf"^Am\b.{{0,80}}{_DATE}.{{0,40}}\bschrieb\b[^:：]{{0,80}}[:：]\s*$",
        rf"^Le\b.{{0,80}}{_DATE}.{{0,200}}\ba écrit\s*[:：]\s*$",
        rf"^在.{{0,80}}{_DATE}.{{0,200}}写道\s*[:：]\s*$",
        rf"^.{{0,120}}(?:于|於).{{0,60}}{_DATE}.{{0,60}}(?:写道|寫道)\s*[:：]\s*$",
        rf"^.{{0,120}}{_DATE}.{{0,60}}(?:写道|寫道)\s*[:：]\s*$",
        r"^-{2,}\s*(?:original message|forwarded message|原始邮件|原始郵件|转发邮件)\s*-{2,}\s*$",
        r"^_{10,}\s*$",
    )
)
# Lines that mail programs set above a quoted mail; two of them on end begin one.
_HEAD = re.compile(
    r"^\s*\**(?:from|sent|date|to|cc|subject|发件人|发送时间|发件时间|日期|时间|收件人|抄送|主题|"
    r"寄件者|日期|收件者|主旨|von|gesendet|datum|an|kopie|betreff|de|envoyé|à|objet)\**\s*[:：]\**\s*(?P<value>\S.*)$",
    re.IGNORECASE,
)
_ADDRESS_OR_DATE = re.compile(r"[@<>]|\d{4}")
_LINES_OF_A_HEAD = 3
_SIGNATURE = re.compile(r"^--\s?$")
_DEVICE = re.compile(
    r"^(?:sent from my .{1,40}|get outlook for .{1,20}|"
    r"von meinem .{1,40} gesendet|envoyé de mon .{1,40}|"
    r"发自我的.{1,20}|来自.{1,20}(?:手机|邮箱|邮件).{0,20}|傳送自.{1,20})$",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"^\s*[>＞]")
# Looked at from the top; a mail of a person is seldom longer and never gets slower to read.
_MOST_LINES = 5_000


def trimmed(text: str) -> tuple[str, str]:
    r"""The words of the writer, and the rest: quotations below them and the signature.

    A mail that is nothing but quotation is given back whole, as words.

    >>> trimmed("Yes, please.\n\nOn Mon, 3 Nov 2026, Mori wrote:\n> Shall we?")[0]
    'Yes, please.'
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = _end_of_words(lines)
    words, rest = lines[:end], lines[end:]
    words, signature = _without_signature(words)
    written = "\n".join(words).strip()
    if not written:
        return text.strip(), ""
    return written, "\n".join([*signature, *rest]).strip()


def _end_of_words(lines: list[str]) -> int:
    for index, line in enumerate(lines[:_MOST_LINES]):
        bare = line.strip()
        if MARK in bare and index > 0:
            return index
        if _is_introduction(lines, index, bare) or _begins_head(lines, index):
            return index
        if _QUOTE.match(line) and _quoted_to_the_end(lines, index):
            return index
    return len(lines)


def _is_introduction(lines: list[str], index: int, bare: str) -> bool:
    if not bare or _QUOTE.match(bare):
        return False
    joined = f"{bare} {lines[index + 1].strip()}" if index + 1 < len(lines) else bare
    # The name of who wrote may be on a line of its own.
    return any(form.match(bare) or form.match(joined) for form in _INTRODUCTIONS)


def _begins_head(lines: list[str], index: int) -> bool:
    """True where the lines look like From, Sent, To: three of them, one with address or date."""
    if not _HEAD.match(lines[index]):
        return False
    found = [_HEAD.match(line) for line in lines[index : index + 6]]
    values = [match["value"] for match in found if match]
    return len(values) >= _LINES_OF_A_HEAD and any(_ADDRESS_OR_DATE.search(v) for v in values)


def _quoted_to_the_end(lines: list[str], index: int) -> bool:
    """True when nothing but quotation follows; answers between the lines are words."""
    return all(
        not line.strip() or _QUOTE.match(line) or _DEVICE.match(line.strip())
        for line in lines[index:]
    )


def _without_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    for index, line in enumerate(lines):
        if index and _SIGNATURE.match(line):
            return lines[:index], lines[index:]
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    if end > 1 and _DEVICE.match(lines[end - 1].strip()):
        return lines[: end - 1], lines[end - 1 :]
    return lines, []
