"""The command line, as a shop's own scripts use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from knowledge_base.__main__ import main
from tests.knowledge_base.conftest import ARTICLES


def test_json_has_the_band_and_the_items(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest", "怎么开发票？", "--articles", str(ARTICLES), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["band"] == "answer"
    first = found["items"][0]
    assert set(first.pop("why")) == {"words", "letters", "sounds", "meaning"}
    assert first == {
        "article_id": "invoice-zh",
        "title": "怎么开发票？",
        "locale": "zh",
        "score": 1.0,
        "part": "title",
        "text": "怎么开发票？",
    }


def test_a_person_reads_one_article_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest", "where is my order", "--articles", str(ARTICLES)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.endswith("Where is my order?  [track-en]")


def test_a_person_is_told_that_nothing_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest", "weather", "--articles", str(ARTICLES)]) == 0
    assert capsys.readouterr().out == "No article answers this.\n"


def test_the_locale_is_kept_to(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["suggest", "invoice 发票", "--articles", str(ARTICLES), "--json", "--locale", "zh"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert {item["locale"] for item in found["items"]} == {"zh"}


def test_a_bad_file_is_refused_with_its_first_bad_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"id": "1"}\nnonsense\n', "utf-8")
    assert main(["suggest", "refund", "--articles", str(file)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"{file}: line 1: title is missing (and 1 more such line)\n"


def test_a_missing_file_is_refused_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "none.jsonl"
    assert main(["suggest", "refund", "--articles", str(file)]) == 1
    assert capsys.readouterr().err == f"{file}: No such file or directory\n"


def test_the_program_speaks_chinese_where_the_terminal_does_not() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "knowledge_base", "suggest", "发票", "--articles", str(ARTICLES)],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        cwd=Path(__file__).parent.parent.parent,
        capture_output=True,
        check=True,
        timeout=150,
    )
    assert "怎么开发票" in done.stdout.decode("utf-8")
