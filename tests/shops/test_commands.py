"""``shopbell source``: add, list, rotate, remove, beside a shop that is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.commands import sources
from server.config import load
from server.domain.errors import AppError, Conflict, InvalidInput, NotFound
from server.storage.opening import open_database
from server.storage.shop_sources import load_sources
from tests.support.server import shopbell

if TYPE_CHECKING:
    from server.storage.shop_sources import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = ["--shop", "S", "--locale", "zh", "--timezone", "Asia/Shanghai", "--currency", "CNY"]
    answer = shopbell("init", *made, data_dir=tmp_path / "data")
    assert answer.returncode == 0, answer.stderr
    return tmp_path / "data"


def known(folder: Path) -> dict[str, Source]:
    database, _ = open_database(load(folder), serving=False)
    try:
        return {source.name: source for source in database.read_now(load_sources)}
    finally:
        database.close()


def test_sources_come_and_go(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = shopbell(
        "source", "add", "main", "--kind", "shopify", "--secret", "hush", data_dir=folder
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "hush" not in answer.stdout
    assert "/hooks/shopify/main" in answer.stdout

    sources.source_add_command("till", kind="generic", data_dir=folder)
    made = capsys.readouterr().out.split()[-1]
    found = known(folder)
    assert (found["main"].secret, found["till"].secret) == ("hush", made)
    assert (found["main"].customer_ids, found["till"].customer_ids) == ("shop", "own")

    sources.source_rotate_command("main", secret="hush hush", data_dir=folder)
    sources.source_list_command(data_dir=folder)
    listed = capsys.readouterr().out
    assert "hush" not in listed
    assert "main  /hooks/shopify/main  shop ids  nothing yet  0 waiting  0 dead" in listed
    assert known(folder)["main"].old_secret == "hush"

    sources.source_remove_command("main", data_dir=folder)
    assert list(known(folder)) == ["till"]
    # Taken up again, its customers are who they were.
    sources.source_add_command("main", kind="woocommerce", secret="x", data_dir=folder)
    assert known(folder)["main"].customer_ids == "shop"
    capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("Not Good", "shopify", None), InvalidInput),
        (("main", "magento", None), InvalidInput),
        (("main", "shopify", "mine"), InvalidInput),
        (("there", "shopify", None), Conflict),
    ],
)
def test_what_cannot_be_added_says_why(
    folder: Path, arguments: tuple[str, str, str | None], refusal: type[AppError]
) -> None:
    sources.source_add_command("there", kind="generic", secret="s", data_dir=folder)
    name, kind, ids = arguments
    with pytest.raises(refusal):
        sources.source_add_command(name, kind=kind, customer_ids=ids, data_dir=folder)
    with pytest.raises(NotFound):
        sources.source_remove_command("nobody", data_dir=folder)
