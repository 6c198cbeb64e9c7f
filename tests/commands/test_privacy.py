"""``shopbell export customer`` and ``shopbell erase customer``, as the shell runs them."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any  # Any: JSON values

import pytest

from tests.support.server import shopbell

ORDERS = """order_id,customer_id,email,phone,postcode,created_at,total,tracking_url
1,7,anna@a.example,13800138000,200001,2025-01-10T09:00,10.00,https://post.example/ANNA
2,8,bo@b.example,13900139000,200002,2025-02-10T09:00,20.00,
"""
CUSTOMERS = """customer_id,email,phone,name,locale,tags,marketing_email
7,anna@a.example,13800138000,安娜,zh,vip,1
"""


class Shell:
    """Commands on the data of one shop."""

    def __init__(self, data_dir: Path, folder: Path) -> None:
        self.data_dir = data_dir
        self.folder = folder
        self.run("init", "--shop", "Lantern", "--locale", "en", "--timezone", "Asia/Shanghai",
                 "--currency", "CNY")  # fmt: skip
        self.imports()

    def try_to(self, *words: object) -> CompletedProcess[str]:
        return shopbell(*map(str, words), data_dir=self.data_dir)

    def run(self, *words: object) -> str:
        done = self.try_to(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def imports(self) -> None:
        for noun, text in (("orders", ORDERS), ("customers", CUSTOMERS)):
            file = self.folder / f"{noun}.csv"
            file.write_text(text)
            self.run("import", noun, file)


@pytest.fixture
def shell(data_dir: Path, tmp_path: Path) -> Shell:
    return Shell(data_dir, tmp_path)


def unpacked(path: Path) -> tuple[dict[str, Any], str]:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        assert archive.testzip() is None
        return json.loads(archive.read("data.json")), archive.read("index.html").decode()


def test_a_person_gets_what_is_kept_and_is_erased_for_good(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "anna.zip"
    assert "anna.zip" in shell.run("export", "customer", "7", "--out", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    data, page = unpacked(out)
    assert data["person"][0]["name"] == "安娜"
    assert [order["number"] for order in data["orders"]] == ["1"]
    assert 'lang="zh-CN"' in page
    assert "保存的您的资料" in page
    assert "安娜" in page
    assert "bo@b.example" not in page + json.dumps(data)

    backup = tmp_path / "before.zip"
    shell.run("backup", backup)
    refused = shell.try_to("erase", "customer", "7")
    assert (refused.returncode, "--yes" in refused.stderr) == (1, True)
    receipt = shell.run("erase", "customer", "7", "--yes")
    assert "Receipt" in receipt
    assert "shop_order: 1" in receipt
    done = shell.try_to("erase", "customer", "7", "--yes")
    assert (done.returncode, done.stderr) == (1, "shopbell: There is no such customer.\n")

    shell.imports()
    shell.run("verify")
    assert "Erased again: 1 " in shell.run("restore", backup, "--force", "--yes")
    shell.imports()
    shell.run("verify")
    profiles = shell.run("export", "profiles", "--as-of", "2025-12-31")
    assert [line.split(",")[0] for line in profiles.splitlines()[1:]] == ["8"]
    stored = b"".join(path.read_bytes() for path in shell.data_dir.glob("shopbell.db*"))
    for mark in ("anna@a.example", "安娜", "13800138000", "post.example/ANNA"):
        assert mark.encode() not in stored, mark
