"""Articles as people keep them: files of Markdown and HTML, tables, folders and zips of them.

A file is one article in one language. What its front matter (or its ``meta`` elements) does not say
is read from where it stands: ``zh/shipping/returns.md`` and ``shipping/returns.zh.md`` are both the
Chinese text of ``shipping/returns``, in the category ``shipping``.
"""

from __future__ import annotations

import codecs
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from server.actions.article_uploads import Reading
from server.actions.import_articles import take_articles
from server.domain.errors import InvalidInput
from server.domain.html import to_markdown
from server.domain.imported import (
    ARTICLE_COLUMNS,
    MAX_ARTICLE_CHARS,
    ArticleRow,
    both,
    column_names,
    header_name,
    read_article,
    read_locale,
)
from server.domain.importing import Rejected
from server.domain.periods import zone
from server.domain.zips import DAMAGED, is_damage
from server.importers.sheets import Progress, Sheet, SheetOutcome, Values, take_rows, the_shop
from server.storage.database import Database

MARKDOWN = (".md", ".markdown")
HTML = (".html", ".htm")
TABLES = (".csv", ".jsonl", ".ndjson")
SUFFIXES = (*MARKDOWN, *HTML, *TABLES)
MAX_FILES = 20_000
MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_BYTES = 64 * 1024 * 1024
MAX_FRONT_CHARS = 64 * 1024
_HAN = re.compile("[\u3400-\u9fff]")
_LATIN = re.compile("[A-Za-z]")
_FRONT = re.compile(
    r"---[ \t]*\r?\n(.*?)\r?\n?^(?:---|\.\.\.)[ \t]*\r?$\n?", re.DOTALL | re.MULTILINE
)
# ``_title_of`` takes off what stands at the end of a heading: tried by the expression, it costs
# the square of a line of blanks.
_HEADING = re.compile(r"\s*#[ \t]+([^\n]+)(?:\n|$)|\s*(\S[^\n]*)\n=+[ \t]*(?:\n|$)")
_ORDER = re.compile(r"^\d{1,4}[-_. ]+(?=\D)")
_CHARSET = re.compile(rb"charset=[\"']?([\w-]{2,30})", re.IGNORECASE)
# A picture beside the article, or another file of the folder.
_BESIDE = re.compile(r"\]\((?!<?(?:https?:|mailto:|tel:|#))[^)\s]+")
_NAMES = column_names(ARTICLE_COLUMNS)
_SPOKEN = re.compile(r"(?:en|zh)(?:[-_][a-z]{2,4})?|cn|中文|英文|english|chinese", re.IGNORECASE)


class Leaves:
    """Articles of single files, one a row, as ``Sheet`` gives those of a table."""

    def __init__(self, files: list[tuple[str, Path]]) -> None:
        self._files = files
        self.lines = len(files)
        self._ignored: dict[str, None] = {}
        self._beside: list[str] = []
        self._where = ""

    @property
    def ignored(self) -> list[str]:
        """The columns of tables among the files that mean nothing here."""
        return list(self._ignored)

    @property
    def notes(self) -> list[str]:
        """What a reader should know of the files that were read."""
        if not self._beside:
            return []
        named = ", ".join(self._beside[:5]) + (", ..." if len(self._beside) > 5 else "")
        return [
            both(
                "Pictures and pages that lie beside an article do not come along. Some are named in"
                f" {named}.",
                f"{len(self._beside)} 篇文章引用了本地图片或页面，这些内容不会一并导入：{named}。",
            )
        ]

    def where(self, _line: int) -> str:
        """The file that was read last, and the line of it where it is a table."""
        return self._where

    def rows(self) -> Iterator[tuple[int, Values | str]]:
        """The number of each file with what it says, or why it says nothing."""
        for number, (name, path) in enumerate(self._files, 1):
            self._where = name
            if path.suffix.lower() in TABLES:
                yield from self._table(number, name, path)
                continue
            try:
                values = _leaf(name, _text(path))
            except InvalidInput as refusal:
                yield number, refusal.message
                continue
            if _BESIDE.search(str(values.get("body", ""))):
                self._beside.append(name)
            yield number, values

    def _table(self, number: int, name: str, path: Path) -> Iterator[tuple[int, Values | str]]:
        try:
            sheet = Sheet(path, ARTICLE_COLUMNS, required=("id",))
            for line, values in sheet.rows():
                self._where = f"{name}:{line}"
                yield number, values
        except InvalidInput as refusal:
            yield number, refusal.message
        else:
            self._ignored |= dict.fromkeys(sheet.ignored)


def import_articles(
    database: Database,
    path: Path,
    *,
    source: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> SheetOutcome:
    """Takes the articles of a file, a folder or a zip, known by their id within ``source``.

    Without a source each row may name its own.

    Raises InvalidInput, OSError.
    """
    tz = zone(the_shop(database).timezone)
    with opened_articles(path) as rows:
        outcome = take_rows(
            database,
            rows,
            key_name="id",
            read=lambda values, line: read_article(values, line=line, source=source, tz=tz),
            key=lambda row: (row.external_id, row.locale),
            take=take_articles,
            dry_run=dry_run,
            progress=progress,
        )
        outcome.notes += rows.notes if isinstance(rows, Leaves) else []
    return outcome


def read_articles(path: Path, *, tz: ZoneInfo) -> Reading:
    """All the articles of a path, and what is wrong with the others. Raises InvalidInput."""
    found = Reading()
    with opened_articles(path) as rows:
        _read(rows, found, tz)
    return found


def read_uploads(files: Sequence[tuple[str, bytes]], tz: ZoneInfo) -> Reading:
    """The articles of files by their names, as a browser sends them. Raises InvalidInput.

    The name may be a path: what lies beside articles in a chosen folder is left alone.
    """
    found = Reading()
    with TemporaryDirectory(prefix="shopbell-upload-") as folder:
        leaves: list[tuple[str, Path]] = []
        names = [_plain_path(name) for name, _ in files]
        # Of a folder that was chosen its own name says nothing.
        roots = {name.partition("/")[0] for name in names if "/" in name}
        root = f"{roots.pop()}/" if len(roots) == 1 and all("/" in name for name in names) else ""
        for number, (name, (_, content)) in enumerate(zip(names, files, strict=True)):
            path = Path(folder) / f"{number}-{PurePosixPath(name).name[-80:]}"
            path.write_bytes(content)
            if path.suffix.lower() == ".zip":
                with opened_articles(path) as rows:
                    _read(rows, found, tz)
            elif path.suffix.lower() in SUFFIXES and not _hidden(name):
                leaves.append((name.removeprefix(root), path))
        if leaves or not found.rows:
            _read(Leaves(_some(leaves, Path(names[0] if names else "-"))), found, tz)
    return found


def _plain_path(name: str) -> str:
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts)[-300:]


def _read(rows: Sheet | Leaves, found: Reading, tz: ZoneInfo) -> None:
    """Adds what rows say to what was found already."""
    seen = {(row.source, row.external_id, row.locale) for row in found.rows}
    for line, values in rows.rows():
        row: ArticleRow | str
        try:
            row = values if isinstance(values, str) else read_article(values, line=line, tz=tz)
        except InvalidInput as refusal:
            row = refusal.message
        if not isinstance(row, str):
            key = (row.source, row.external_id, row.locale)
            if key not in seen:
                seen.add(key)
                found.rows.append(row)
                continue
            row = both(
                f"The id {row.external_id} comes twice; the first one counts.",
                f"编号 {row.external_id} 重复；以第一篇为准。",
            )
        found.rejected.append(Rejected(line, row, rows.where(line)))
    found.notes += rows.notes if isinstance(rows, Leaves) else []


@contextmanager
def opened_articles(path: Path) -> Iterator[Sheet | Leaves]:
    """The articles of a file, a folder or a zip. Raises InvalidInput where there are none."""
    if path.is_dir():
        yield Leaves(_some(_in_folder(path), path))
    elif path.suffix.lower() in (*MARKDOWN, *HTML):
        yield Leaves([(path.name, path)])
    elif path.suffix.lower() == ".zip" or zipfile.is_zipfile(path):
        with TemporaryDirectory(prefix="shopbell-articles-") as folder:
            yield Leaves(_some(_unpacked(path, Path(folder)), path))
    else:
        yield Sheet(path, ARTICLE_COLUMNS, required=("id",))


def _in_folder(folder: Path) -> list[tuple[str, Path]]:
    found = [
        (file.relative_to(folder).as_posix(), file)
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in SUFFIXES and file.is_file()
    ]
    return [(name, file) for name, file in found if not _hidden(name)]


def _unpacked(path: Path, folder: Path) -> list[tuple[str, Path]]:
    """The files of a zip, written under numbers: a name in it leads nowhere. Raises InvalidInput.

    A program that packs a folder puts all of it below the folder's own name, which says nothing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            named = [(_zip_name(info), info) for info in archive.infolist() if not info.is_dir()]
            named = [
                (name, info)
                for name, info in sorted(named, key=lambda pair: pair[0])
                if name.lower().endswith(SUFFIXES) and not _hidden(name)
            ]
            if len(named) > MAX_FILES or sum(info.file_size for _, info in named) > MAX_BYTES:
                raise InvalidInput(
                    both(
                        f"{path.name} holds more than {MAX_FILES} files or"
                        f" {MAX_BYTES // 1024**2} MB.",
                        f"{path.name} 超过 {MAX_FILES} 个文件或 {MAX_BYTES // 1024**2} MB。",
                    )
                )
            written = []
            for number, (name, info) in enumerate(named):
                target = folder / f"{number}{PurePosixPath(name).suffix.lower()}"
                with archive.open(info) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
                written.append((name, target))
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and not is_damage(error):
            raise
        raise InvalidInput(
            both(
                f"{path.name} is a damaged or encrypted zip.", f"{path.name} 是损坏或加密的压缩包。"
            )
        ) from error
    roots = {name.split("/")[0] for name, _ in written}
    root = next(iter(roots)) if len(roots) == 1 else ""
    if root and (path.stem.startswith(root) or root.endswith(("-main", "-master"))):
        return [(name.partition("/")[2] or name, file) for name, file in written]
    return written


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The name as who packed it sees it: old programs write it in their own code page."""
    name = info.filename
    if not info.flag_bits & 0x800 and not name.isascii():
        raw = name.encode("cp437", "replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                name = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            break
    return name.replace("\\", "/").lstrip("/")


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


def _some(files: list[tuple[str, Path]], path: Path) -> list[tuple[str, Path]]:
    if not files:
        kinds = ", ".join(SUFFIXES)
        raise InvalidInput(
            both(
                f"{path.name} holds none of {kinds}.",
                f"{path.name} 里没有 {kinds} 文件。",
            )
        )
    return files


def _text(path: Path) -> str:
    """What a file says, in the code page that it is written in. Raises InvalidInput."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InvalidInput(
            both(
                f"The file is larger than {MAX_FILE_BYTES // 1024**2} MB.",
                f"文件超过 {MAX_FILE_BYTES // 1024**2} MB。",
            )
        )
    raw = path.read_bytes()
    if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        names = ["utf-16"]
    else:
        declared = _CHARSET.search(raw[:2048]) if path.suffix.lower() in HTML else None
        names = ["utf-8-sig", *([declared[1].decode("ascii")] if declared else []), "gb18030"]
    for name in names:
        try:
            return raw.decode(name).replace("\r\n", "\n")
        except (UnicodeDecodeError, LookupError):
            continue
    raise InvalidInput(
        both("The file is neither UTF-8 nor GB18030.", "文件既不是 UTF-8 也不是 GB18030。")
    )


def _leaf(name: str, text: str) -> dict[str, object]:
    """The values of a file by the contract's names. Raises InvalidInput."""
    read = _html if name.lower().endswith(HTML) else _markdown
    values = read(text)
    if values.pop("draft", None) is True:
        values.setdefault("status", "draft")
    place, spoken = _place(name)
    body, title = str(values.get("body", "")), values.get("title")
    values.setdefault("id", place)
    if not title:
        values["title"] = PurePosixPath(place).name.replace("-", " ").replace("_", " ").strip()
    if not values.get("locale"):
        values["locale"] = spoken or _spoken_in(f"{values['title']}\n{body}")
    folder = PurePosixPath(place).parent.name
    if not values.get("category") and folder:
        values["category"] = _ORDER.sub("", folder).replace("-", " ").replace("_", " ").strip()
    return values


def _place(name: str) -> tuple[str, str | None]:
    """Where a file stands without its language, and that language if the place says it.

    >>> _place("zh-CN/shipping/returns.md"), _place("shipping/returns.en.md"), _place("faq.md")
    (('shipping/returns', 'zh'), ('shipping/returns', 'en'), ('faq', None))
    """
    *folders, leaf = name.split("/")
    stem, _, after = leaf.rpartition(".")[0].rpartition(".")
    words = [word for word in folders if _SPOKEN.fullmatch(word)]
    if stem and _SPOKEN.fullmatch(after):
        words.append(after)
        leaf = stem
    else:
        leaf = leaf.rpartition(".")[0]
    kept = [word for word in folders if not _SPOKEN.fullmatch(word)]
    return "/".join([*kept, leaf]), read_locale(words[-1]) if words else None


def _spoken_in(text: str) -> str:
    """The language that a text is most likely in: a Chinese one is full of its signs."""
    sample = text[:4000]
    return "zh" if 4 * len(_HAN.findall(sample)) > len(_LATIN.findall(sample)) else "en"


def _markdown(text: str) -> dict[str, object]:
    values: dict[str, object] = {}
    front = _FRONT.match(text)
    if front is not None:
        values = _named(_front_matter(front[1]))
        text = text[front.end() :]
    heading = _HEADING.match(text)
    if heading is not None:
        title = _title_of(heading)
        # A heading that only repeats the title would stand twice on the page.
        if not values.get("title") or values["title"] == title:
            values["title"] = title
            text = text[heading.end() :]
    return values | {"body": text.strip()}


def _front_matter(text: str) -> Mapping[str, object]:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415  # has none; 20 ms for this alone

    try:
        # Every scalar stays text: 0017 is no number, and "no" may be a word of a phrasing.
        found = yaml.load(text[:MAX_FRONT_CHARS], Loader=yaml.BaseLoader)  # noqa: S506  # text only
    except (yaml.YAMLError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 2
        raise InvalidInput(
            both(
                f"The front matter cannot be read (line {line}).",
                f"文件头（front matter）无法解析（第 {line} 行）。",
            )
        ) from None
    if found in (None, ""):
        return {}
    if not isinstance(found, dict):
        raise InvalidInput(
            both("The front matter has no names.", "文件头（front matter）没有键名。")
        )
    return {str(name): value for name, value in found.items()}


def _named(given: Mapping[str, object]) -> dict[str, object]:
    """The values by the contract's names, the likelier name first; the rest means nothing here."""
    found: dict[str, object] = {}
    for column, words in ARTICLE_COLUMNS.items():
        for word in (column, *words):
            value = next((v for k, v in given.items() if header_name(k) == header_name(word)), None)
            if value in (None, "", []):
                continue
            if isinstance(value, list) and column != "phrasings":
                value = value[0]
            found[column] = value
            break
    if str(given.get("draft", "")).lower() == "true":
        found["draft"] = True
    return found


def _html(text: str) -> dict[str, object]:
    head = _Head()
    head.feed(text[: MAX_ARTICLE_CHARS * 10])
    head.close()
    body = to_markdown(text, page=True)
    values = _named(head.values)
    heading = _HEADING.match(body)
    if heading is not None:
        values["title"] = values.get("title") or _title_of(heading)
        body = body[heading.end() :].strip()
    if not values.get("title") and head.title.strip():
        values["title"] = " ".join(head.title.split())
    return values | {"body": body}


class _Head(HTMLParser):
    """What a page says of itself: its language, its title, its ``meta`` elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.values: dict[str, object] = {}
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html" and given.get("lang"):
            self.values.setdefault("locale", given["lang"])
        elif tag == "meta" and given.get("content"):
            name = (given.get("name") or given.get("property") or "").rpartition(":")[2]
            if header_name(name) in _NAMES and _NAMES[header_name(name)] not in ("body", "title"):
                self.values[name] = given["content"]
        self._in_title = tag == "title" and not self.title

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "title"

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


def _title_of(heading: re.Match[str]) -> str:
    """The words of a heading, without signs that close it."""
    if heading[1] is None:
        return heading[2].strip()
    line = heading[1].strip()
    return line.rstrip("#").rstrip() or line
