"""Files for spreadsheets: their lines, and the answers that carry them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from aiohttp import web

from server.domain.text import not_a_formula

# Tells spreadsheets that this is UTF-8.
MARK = b"\xef\xbb\xbf"


def cell(value: object) -> str:
    """A value as a cell that no spreadsheet runs.

    >>> cell("=1+1"), cell("+8613800138000"), cell("Lin Yue"), cell(None)
    ("'=1+1", "'+8613800138000", 'Lin Yue', '')
    """
    return not_a_formula("" if value is None else str(value))


def csv_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as lines of such a file."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def csv_headers(name: str) -> dict[str, str]:
    """What makes a browser keep the answer as a file of this name."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def csv_file(content: bytes, name: str) -> web.Response:
    """The whole file as an answer."""
    return web.Response(
        body=MARK + content, content_type="text/csv", charset="utf-8", headers=csv_headers(name)
    )
