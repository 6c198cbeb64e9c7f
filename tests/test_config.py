"""Settings: environment over file over defaults, and what cannot be used is named in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from server import config
from server.domain.errors import InvalidInput
from tests.support.server import shopbell


@pytest.fixture(autouse=True)
def _no_settings_of_this_person(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SHOPBELL_")]:
        monkeypatch.delenv(name)


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shopbell.toml").write_text('trusted_proxies = 2\nlog_level = "debug"\n')
    monkeypatch.setenv("SHOPBELL_LOG_LEVEL", "error")
    found = config.load(tmp_path)
    assert (found.trusted_proxies, found.log_level, found.drain_s) == (2, "error", 10.0)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TRUSTED_PROXIES", "many", "trusted_proxies: "),
        ("TRUSTED_PROXIES", "9", "trusted_proxies: "),
        ("LOG_LEVEL", "loud", "log_level: "),
        ("DATABASE_URL", "mysql://root:geheim@db/shop", "postgresql://user:password@host/name"),
        ("REDIS_URL", "http://:geheim@redis", "redis://host:6379/0"),
        ("METRICS_TOKEN", "geheim", "metrics_token: "),
    ],
)
def test_what_cannot_be_used_is_named_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"SHOPBELL_{name}", value)
    with pytest.raises(InvalidInput) as refused:
        config.load(tmp_path)
    assert told in refused.value.message
    assert "geheim" not in refused.value.message
    assert "\n" not in refused.value.message


def test_all_that_is_wrong_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPBELL_DRAIN_S", "-1")
    monkeypatch.setenv("SHOPBELL_LOG_LEVEL", "loud")
    with pytest.raises(InvalidInput, match=r"log_level.*drain_s|drain_s.*log_level"):
        config.load(tmp_path)


def test_a_command_says_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "shopbell.toml").write_text("trusted_proxies = many\n")
    done = shopbell("verify", data_dir=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("shopbell: shopbell.toml in the data folder is not valid TOML")
